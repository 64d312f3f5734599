"""From a panel to what group-time effects are made of: cohorts, outcomes on their scale, cells and who is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.did.covariates import read_covariates
from evaluation.errors import EstimationError, Problem
from evaluation.panel import Panel
from evaluation.randomization.windows import CONTINUITY

OUT, NEVER = -2, -1
ROUNDING = 1e-13  # of the largest outcome: what is left where all changes are the same
FRAME_COLUMNS = frozenset({"unit", "period", "outcome", "exposure"})


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupSample:
    """Units ordered by cohort (never treated first), so that the rows of a cohort lie together.

    Parameters
    ----------
    order
        ``(N,)`` positions of the rows in the panel.
    cohort
        ``(N,)`` number of the cohort, -1 never treated, -2 neither treated nor compared.
    starts
        ``(G,)`` first treated period of each cohort.
    sizes
        ``(G,)`` number of units.
    outcome
        ``(N, T)`` outcomes on the scale of analysis less the unit's mean, zero where missing.
    known
        ``(N, T)`` where the outcome is known.
    covariates
        ``(q, N, T)``.
    version
        ``(T,)`` earlier period with the same covariates, so that their fits are shared.
    dropped
        Units set aside by reason.
    gaps
        Units used that have no data in some period.
    rounding
        Standard errors below it are zeros with rounding errors.
    """

    panel: Panel
    order: np.ndarray
    cohort: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    outcome: np.ndarray
    known: np.ndarray
    covariates: np.ndarray
    version: np.ndarray
    dropped: dict[str, int]
    gaps: int
    rounding: float

    def label(self, cohort: int) -> str:
        """Return the first treated period of a cohort."""
        return self.panel.periods[int(self.starts[cohort])]


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """All cells ``(C,)``: cohort, period and base period; where both are the same, the cell is a reference."""

    cohort: np.ndarray
    period: np.ndarray
    base: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Cells of one cohort that compare the same units given the same covariates.

    Parameters
    ----------
    cohort
        Its number.
    cells
        ``(m,)`` positions in the grid.
    treated, comparison
        Rows of the sample.
    base
        Period whose covariates count.
    """

    cohort: int
    cells: np.ndarray
    treated: np.ndarray
    comparison: np.ndarray
    base: int


def draw_sample(
    panel: Panel, grid: Grid, covariates: tuple[str, ...], *, ratio: bool, complete: bool, method: str
) -> GroupSample:
    """Return outcomes, cohorts and covariates of the units that can be used.

    Parameters
    ----------
    grid
        Its base periods need covariates.
    ratio
        Whether ``log[(count + 1/2) / exposure]`` is analysed instead of the counts (rates, with exposure).
    complete
        Whether units with a gap are set aside; else each cell uses the units that it can.

    Raises
    ------
    DesignError
        A covariate does not exist, is no number or never varies.
    EstimationError
        The outcome never varies, or no treated unit is left.
    """
    counted = panel.outcome[np.isfinite(panel.outcome)]
    if len(counted) and counted.min() == counted.max():
        raise EstimationError(Problem("core.outcome_constant", method=method))
    values = read_covariates(panel, covariates, method=method, within_units=False)
    aside, lacking = _set_aside(panel, np.isfinite(values[:, :, np.unique(grid.base)]).all(axis=0), ratio, complete)
    starts = np.unique(panel.starts[panel.treated])
    cohort = np.where(panel.treated, np.searchsorted(starts, panel.starts), np.where(panel.comparison, NEVER, OUT))
    member = cohort > OUT
    cohort = np.where(np.any(list(aside.values()), axis=0), OUT, cohort)
    if not (cohort >= 0).any():
        zero = (panel.treated <= aside["core.note.all_zero"]).all()
        raise EstimationError(Problem("regression.separated" if zero else "core.no_treated_left", method=method))
    order = np.argsort(np.where(cohort == OUT, len(starts), cohort), kind="stable")
    outcome = _analysed(panel, ratio=ratio)[order]
    known = np.isfinite(outcome)
    outcome[~known] = 0.0
    rounding = ROUNDING * float(np.abs(outcome).max())
    outcome -= (outcome.sum(axis=1) / np.maximum(known.sum(axis=1), 1))[:, None]
    dropped = {
        "core.note.left_out_neighbours": int((panel.left_out & ~panel.treated).sum()),
        "core.note.excluded": int((panel.excluded & ~panel.left_out & ~panel.treated).sum()),
        **{code: int((member & units).sum()) for code, units in aside.items()},
    }
    return GroupSample(
        panel=panel,
        order=order,
        cohort=cohort[order],
        starts=starts,
        sizes=np.bincount(cohort[cohort >= 0], minlength=len(starts)),
        outcome=outcome,
        known=known,
        covariates=values[:, order],
        version=_versions(values),
        dropped={code: n for code, n in dropped.items() if n},
        gaps=int((lacking & (cohort > OUT)).sum()),
        rounding=rounding,
    )


def _set_aside(
    panel: Panel, covered: np.ndarray, ratio: bool, complete: bool
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return ``(N,)`` units that cannot be used, by reason, and those with gaps.

    `covered` says which units have covariates in which base periods, ``(N, b)``.
    """
    empty = np.zeros(len(covered), dtype=bool)
    if ratio:
        empty = np.nansum(panel.outcome, axis=1) == 0
    known = np.isfinite(panel.outcome)
    lacking = (_due(panel) & ~known).any(axis=1) | ~covered.all(axis=1)
    unseen = ~known.any(axis=1)
    uncovered = ~covered.any(axis=1) & ~unseen
    incomplete = (lacking & ~uncovered) if complete else unseen
    aside = {
        "group_time.note.no_covariates": uncovered,
        "core.note.dropped_incomplete": incomplete,
        "core.note.all_zero": empty & ~uncovered & ~incomplete,
    }
    return aside, lacking


def _analysed(panel: Panel, *, ratio: bool) -> np.ndarray:
    if ratio:
        values = np.log(panel.outcome + CONTINUITY)
        return np.asarray(values - np.log(panel.exposure)) if panel.study.exposure else values
    return np.asarray(panel.outcome / panel.exposure)


def _due(panel: Panel) -> np.ndarray:
    """Return ``(N, T)`` where an outcome is expected: not in a dropped partial period, not after the measure's end."""
    due = np.ones(panel.outcome.shape, dtype=bool)
    if panel.partial:
        due[panel.treated, panel.starts[panel.treated] - 1] = False
    due[panel.treated, panel.end :] = False
    return due


def _versions(covariates: np.ndarray) -> np.ndarray:
    """Return ``(T,)`` the first of the periods up to each that have the same covariates without a break."""
    versions = np.arange(covariates.shape[2])
    for period in range(1, len(versions)):
        first = versions[period - 1]
        if np.array_equal(covariates[:, :, period], covariates[:, :, first], equal_nan=True):
            versions[period] = first
    return versions


def make_grid(panel: Panel, base: Literal["varying", "universal"]) -> Grid:
    """Return the cells of all cohorts in order.

    From the first period with the measure (or of anticipation) on, the base is the last period before. Earlier periods
    have the period before them as a varying base, or the same as the others as a universal one. A dropped partial
    period has no cell.
    """
    cells = []
    for number, start in enumerate(np.unique(panel.starts[panel.treated])):
        last = int(start) - panel.gap - 1
        for period in range(panel.end):
            if panel.partial and period == start - 1:
                continue
            if base == "universal" or period > last:
                cells.append((number, period, last))
            elif period > 0:
                cells.append((number, period, period - 1))
    cohort, periods, bases = np.array(cells, dtype=np.intp).reshape(-1, 3).T
    return Grid(cohort=cohort, period=periods, base=bases)


def make_blocks(sample: GroupSample, grid: Grid) -> tuple[list[Block], list[str]]:
    """Return the blocks of cells, and for every cell why it has none (``no_treated``, ``no_comparison``) or "".

    Who is compared: units never treated and, where the study says so, those of cohorts not yet treated (nor in
    anticipation) in period and base.
    """
    blocks, codes = [], [""] * len(grid.cohort)
    for cohort in range(len(sample.starts)):
        own = np.flatnonzero(sample.cohort == cohort)
        for cells, comparison in _compared(sample, grid, cohort):
            rows = np.concatenate([comparison, own])
            for known, part in _patterns(sample, grid, rows, cells):
                kept = rows if known is None else rows[known]
                treated, others = kept[sample.cohort[kept] == cohort], kept[sample.cohort[kept] != cohort]
                if len(treated) and len(others):
                    blocks.append(
                        Block(
                            cohort=cohort, cells=part, treated=treated, comparison=others, base=int(grid.base[part[0]])
                        )
                    )
                    continue
                for cell in part:
                    codes[cell] = "no_treated" if not len(treated) else "no_comparison"
    return blocks, codes


def _compared(sample: GroupSample, grid: Grid, cohort: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield cells of a cohort with the rows of the units that they compare with, one pair for each set of units."""
    cells = np.flatnonzero((grid.cohort == cohort) & (grid.period != grid.base))
    later = np.zeros((len(cells), len(sample.starts)), dtype=bool)
    if sample.panel.study.comparison == "not_yet_treated":
        until = np.maximum(grid.period[cells], grid.base[cells]) + sample.panel.gap
        later = sample.starts > until[:, None]
        later[:, cohort] = False
    key = np.column_stack([later, sample.version[grid.base[cells]]])
    kinds, which = np.unique(key, axis=0, return_inverse=True)
    for kind, row in enumerate(kinds[:, :-1]):
        allowed = np.append(row.astype(bool), [False, True])  # the last two are reached as -2 and -1
        yield cells[which.ravel() == kind], np.flatnonzero(allowed[sample.cohort])


def _patterns(
    sample: GroupSample, grid: Grid, rows: np.ndarray, cells: np.ndarray
) -> Iterator[tuple[np.ndarray | None, np.ndarray]]:
    """Yield which of `rows` have data (None: all) with the cells where exactly these do."""
    known = sample.known[np.ix_(rows, np.arange(sample.known.shape[1]))] if len(rows) else sample.known[:0]
    there = known[:, grid.period[cells]] & known[:, grid.base[cells]]
    if len(sample.covariates):
        there &= np.isfinite(sample.covariates[:, rows, grid.base[cells[0]]]).all(axis=0)[:, None]
    if there.all():
        yield None, cells
        return
    groups: dict[bytes, list[int]] = {}
    for position, pattern in enumerate(np.packbits(there, axis=0).T):
        groups.setdefault(pattern.tobytes(), []).append(position)
    for positions in groups.values():
        yield there[:, positions[0]], cells[positions]
