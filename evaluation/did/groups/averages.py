"""From the cells of a sample to averages with influences: regressions once a block, influences once an average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.did.groups.aggregate import (
    AggregationKind,
    Averages,
    cell_weights,
    overall_share_influence,
    plan_averages,
    share_influence,
)
from evaluation.did.groups.cells import CellEstimator, Design, Effects, cell_effects, fit_design
from evaluation.did.groups.sample import OUT, Block, Grid, GroupSample, make_blocks
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Counts, Note
from evaluation.randomization.windows import CONTINUITY

REFERENCE, INCOMPLETE = "reference_period", "core.note.dropped_incomplete"
FEW_EFFECTIVE = 5.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted:
    """The cells of a sample with what their regressions share; the effects follow in :func:`averaged`.

    Parameters
    ----------
    blocks, designs
        Blocks with an effect and their regressions.
    codes
        ``(C,)`` why a cell has no effect (``reference_period``: it is zero by construction), or empty.
    treated, comparison
        ``(C,)`` number of units with data.
    notes
        What cells are missing, and what else a reader of the weights should know.
    """

    sample: GroupSample
    grid: Grid
    blocks: list[Block]
    designs: list[Design]
    codes: np.ndarray
    treated: np.ndarray
    comparison: np.ndarray
    notes: tuple[Note, ...]

    @property
    def usable(self) -> np.ndarray:
        """``(C,)`` whether a cell has an effect."""
        return np.asarray((self.codes == "") | (self.codes == REFERENCE))

    @property
    def since(self) -> np.ndarray:
        """``(C,)`` periods since the start."""
        return np.asarray(self.grid.period - self.sample.starts[self.grid.cohort])


@dataclass(frozen=True, eq=False, kw_only=True)
class Averaged:
    """Averages of cells ``(r,)`` with the influences ``(N, r)`` of the panel's units; rows as in `keys`.

    `notes` are codes of rows that have no number to be judged, or that rest on a part of the cells; `observed` are the
    cases of the treated units in the cells of each row (without any, what the logs add to counts).
    """

    keys: pd.DataFrame
    estimate: np.ndarray
    influence: np.ndarray
    notes: list[str]
    observed: np.ndarray


def fit_cells(sample: GroupSample, grid: Grid, covariates: Sequence[str], estimator: CellEstimator) -> Fitted:
    """Fit the regressions of all blocks.

    Raises
    ------
    EstimationError
        No cell with the measure has an effect, with the reasons.
    """
    found, reasons = make_blocks(sample, grid)
    codes = np.array(
        [REFERENCE if p == b else r for p, b, r in zip(grid.period, grid.base, reasons, strict=True)], "U20"
    )
    treated, comparison = np.zeros((2, len(codes)), dtype=int)
    blocks, designs = [], []
    for block in found:
        values = sample.covariates[:, :, block.base].T
        design = fit_design(values[block.treated], values[block.comparison], estimator)
        codes[block.cells] = design.code
        treated[block.cells], comparison[block.cells] = len(block.treated), len(block.comparison)
        if not design.code:
            blocks.append(block)
            designs.append(design)
    missing = _missing_notes(sample, grid, codes, covariates)
    fitted = Fitted(
        sample=sample,
        grid=grid,
        blocks=blocks,
        designs=designs,
        codes=codes,
        treated=treated,
        comparison=comparison,
        notes=(*missing, *_weight_notes(sample, blocks, designs, treated)),
    )
    if not (fitted.usable & (fitted.since >= 0)).any():
        raise EstimationError(*(_problem(note) for note in missing))
    return fitted


def _problem(note: Note) -> Problem:
    values: dict[str, Any] = dict(note.values)
    return Problem(note.code.replace(".note.", "."), **values)


def _missing_notes(sample: GroupSample, grid: Grid, codes: np.ndarray, covariates: Sequence[str]) -> tuple[Note, ...]:
    """Return one note for each cohort and reason for cells without an effect."""
    notes = []
    for cohort in range(len(sample.starts)):
        own = grid.cohort == cohort
        for code in dict.fromkeys(codes[own].tolist()):
            if code in {"", REFERENCE}:
                continue
            periods = np.sort(grid.period[own & (codes == code)])
            values = {
                "cohort": sample.label(cohort),
                "units": int(sample.sizes[cohort]),
                "first": sample.panel.periods[periods[0]],
                "last": sample.panel.periods[periods[-1]],
                "covariates": list(covariates),
            }
            notes.append(Note(f"group_time.note.{code}", values))
    return tuple(notes)


def _weight_notes(
    sample: GroupSample, blocks: list[Block], designs: list[Design], treated: np.ndarray
) -> tuple[Note, ...]:
    """Return remarks on cohorts of one unit and on comparisons that rest on few units."""
    notes = [Note("group_time.note.gaps", {"n": sample.gaps})] if sample.gaps else []
    alone = dict.fromkeys(b.cohort for b in blocks if (treated[b.cells] == 1).any())
    if alone:
        notes.append(Note("group_time.note.one_unit", {"cohorts": [sample.label(cohort) for cohort in alone]}))
    if any(len(block.comparison) == 1 for block in blocks):
        notes.append(Note("group_time.note.one_comparison"))
    for cohort in dict.fromkeys(block.cohort for block in blocks):
        own = [design for block, design in zip(blocks, designs, strict=True) if block.cohort == cohort]
        trimmed, effective = max(d.trimmed for d in own), min(d.effective for d in own)
        values = {"cohort": sample.label(cohort), "n": trimmed, "effective": effective}
        if trimmed:
            notes.append(Note("group_time.note.trimmed", values))
        if effective < FEW_EFFECTIVE and own[0].odds is not None:
            notes.append(Note("group_time.note.few_effective", values))
    return tuple(notes)


def averaged(
    fitted: Fitted, kind: AggregationKind | None, window: tuple[int, int] | None, *, cases: bool = False
) -> Averaged:
    """Return the averages of the cells with their influences; influences of single cells are never kept.

    Parameters
    ----------
    kind, window
        See :func:`evaluation.did.groups.aggregate.plan_averages`.
    cases
        Whether to count the observed cases.

    Raises
    ------
    DesignError
        The window holds no cell.
    """
    sample, grid = fitted.sample, fitted.grid
    averages = plan_averages(
        kind,
        cohort=grid.cohort,
        period=grid.period,
        starts=sample.starts,
        sizes=sample.sizes,
        usable=fitted.usable,
        labels=sample.panel.periods,
        window=window,
    )
    if not (averages.column >= 0).any():
        raise DesignError(Problem("group_time.window_empty", window=window))
    weights = cell_weights(averages, cohort=grid.cohort, sizes=sample.sizes, usable=fitted.usable)
    first = 0 if averages.overall is None else 1
    influence = np.zeros((len(sample.cohort), averages.number + first))
    effect = _add_cells(fitted, averages, weights, influence[:, first:])
    taken = weights > 0
    estimate = np.bincount(averages.column[taken], (weights * effect)[taken], minlength=averages.number)
    shares = share_influence(averages, effect, estimate, weights, cohort=grid.cohort, sizes=sample.sizes)
    overall_shares = overall_share_influence(averages, estimate, sample.sizes)
    for cohort in range(len(sample.starts)):
        own = _slice(np.flatnonzero(sample.cohort == cohort))
        influence[own, first:] += shares[cohort]
        if averages.overall is not None:
            influence[own, 0] += overall_shares[cohort]
    if averages.overall is not None:
        influence[:, 0] += influence[:, 1:] @ averages.overall
    return _rows(fitted, averages, weights, estimate, influence, cases=cases)


def _add_cells(fitted: Fitted, averages: Averages, weights: np.ndarray, influence: np.ndarray) -> np.ndarray:
    """Add the influences of the cells to those of the averages ``(N, a)``; return the effects ``(C,)``."""
    effect = np.zeros(len(fitted.codes))
    for block, design in zip(fitted.blocks, fitted.designs, strict=True):
        effects, y1, y0 = _block_effects(fitted, block, design)
        effect[block.cells] = effects.estimate
        share, column = weights[block.cells], averages.column[block.cells]
        columns = np.unique(column[share > 0])
        if len(columns):
            combined = np.where(column[:, None] == columns, share[:, None], 0.0)
            of_treated, of_others = effects.influence(y1, y0, combined)
            _add(influence, block.treated, columns, of_treated)
            _add(influence, block.comparison, columns, of_others)
    return effect


def _block_effects(fitted: Fitted, block: Block, design: Design) -> tuple[Effects, np.ndarray, np.ndarray]:
    period, base = fitted.grid.period[block.cells], fitted.grid.base[block.cells]
    needed, position = np.unique(np.concatenate([period, base]), return_inverse=True)
    contrasts = np.zeros((len(needed), len(period)))
    contrasts[position[: len(period)], np.arange(len(period))] = 1.0
    contrasts[position[len(period) :], np.arange(len(period))] = -1.0
    y1, y0 = (_taken(fitted.sample.outcome, rows, needed) for rows in (block.treated, block.comparison))
    return cell_effects(design, y1, y0, contrasts), y1, y0


def _slice(positions: np.ndarray) -> slice | np.ndarray:
    """Return a run of positions as a slice, which needs no copy."""
    if len(positions) and positions[-1] - positions[0] == len(positions) - 1:
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions


def _taken(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.asarray(values[_slice(rows)][:, _slice(columns)])


def _add(target: np.ndarray, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
    """Add `values` to the rows and columns of `target`."""
    where = _slice(columns)
    if isinstance(where, slice):
        target[_slice(rows), where] += values
    else:
        target[np.ix_(rows, columns)] += values


def _rows(
    fitted: Fitted,
    averages: Averages,
    weights: np.ndarray,
    estimate: np.ndarray,
    influence: np.ndarray,
    *,
    cases: bool,
) -> Averaged:
    """Return all rows, the overall one first, with the reasons of what is missing."""
    enters = averages.column == np.arange(averages.number)[:, None]
    if averages.overall is not None:
        known = averages.overall > 0
        enters = np.concatenate([enters[known].any(axis=0)[None], enters])
        estimate = np.concatenate([[averages.overall[known] @ estimate[known]], estimate])
    used = enters & (weights > 0)
    notes = [_row_note(fitted, own, taken) for own, taken in zip(enters, used, strict=True)]
    estimate = np.where(used.any(axis=1), estimate, np.nan)
    lonely = (fitted.treated == 1) | (fitted.comparison == 1)
    without = ~(used & ~lonely).any(axis=1)
    without |= np.sqrt(np.einsum("ir,ir->r", influence, influence)) <= fitted.sample.rounding
    influence[:, without] = 0.0
    in_order = np.empty_like(influence)
    in_order[fitted.sample.order] = influence
    cohorts = [np.unique(fitted.grid.cohort[taken]) for taken in used]
    units = [fitted.sample.sizes[own].sum() for own in cohorts] if "term" in averages.keys else fitted.treated
    observed = used @ _cases(fitted) if cases else np.zeros(len(used))
    return Averaged(
        keys=averages.keys.assign(n=np.asarray(units, dtype=int)),
        estimate=estimate,
        influence=in_order,
        notes=notes,
        observed=np.where(observed > 0, observed, CONTINUITY * np.asarray(units)),
    )


def _row_note(fitted: Fitted, own: np.ndarray, used: np.ndarray) -> str:
    """Return why a row that averages the `used` ones of its `own` cells ``(C,)`` lacks a number, or a part."""
    codes = {code for code in fitted.codes[own].tolist() if code and code != REFERENCE}
    if not used.any():
        return " ".join(f"group_time.note.{code}" for code in sorted(codes))
    if (fitted.codes[used] == REFERENCE).all():
        return REFERENCE
    lonely = [numbers[used] == 1 for numbers in (fitted.treated, fitted.comparison)]
    if np.any(lonely, axis=0).all():
        kinds = zip(("one_unit", "one_comparison"), lonely, strict=True)
        return " ".join(f"group_time.note.{code}" for code, here in kinds if here.any())
    return "group_time.note.partly" if codes else ""


def _cases(fitted: Fitted) -> np.ndarray:
    """Return ``(C,)`` the cases of the treated units in the period of every cell."""
    sample, counted = fitted.sample, np.zeros(len(fitted.codes))
    for block in fitted.blocks:
        rows = sample.order[block.treated]
        counted[block.cells] = sample.panel.outcome[np.ix_(rows, fitted.grid.period[block.cells])].sum(axis=0)
    return counted


def counts_of_cells(fitted: Fitted) -> Counts:
    """Return what went into the cells; units without data in any pair of periods are incomplete."""
    sample = fitted.sample
    used = np.zeros(len(sample.cohort), dtype=bool)
    for block in fitted.blocks:
        used[block.treated] = used[block.comparison] = True
    unused = int((~used & (sample.cohort > OUT)).sum())
    incomplete = {INCOMPLETE: sample.dropped.get(INCOMPLETE, 0) + unused} if unused else {}
    return Counts(
        observations=int(sample.known[used].sum()),
        units=int(used.sum()),
        treated=int((used & (sample.cohort >= 0)).sum()),
        dropped=sample.dropped | incomplete,
    )
