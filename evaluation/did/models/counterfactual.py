"""Which cells of a panel show the outcome with and without the measure, and what units contribute to sums of them.

A cell is a unit in a period. Estimators that learn from the cells without the measure what the others would have shown
(imputation, Poisson with cohort x period effects, two-way fixed effects) share what is here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from evaluation.data.periods import PER_YEAR, ordinal
from evaluation.did.covariates import read_covariates
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Counts, Note
from evaluation.panel import Panel
from evaluation.randomization.windows import CONTINUITY
from evaluation.regression import Cohorts, Family, Regressors, TwoWayFit, prediction_influence, two_way

COLLINEAR = "regression.collinear"
YEARS_FOR_SEASON = 2  # whole years before the first start, to tell an area's season from chance


class CellOptions(Protocol):
    """The options of an estimator that say which cells count."""

    @property
    def before(self) -> int | None:
        """Periods before the first start that count, None for all."""

    @property
    def after(self) -> int | None:
        """Periods from the start on that count, None for all."""

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of the panel's frame."""

    @property
    def season(self) -> bool:
        """Whether every unit has an effect for each calendar month."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """Units in the order of their cohort, never treated last, and which of their cells count.

    Parameters
    ----------
    panel, method
        Where they come from, and the name of the estimator, for messages.
    order
        ``(N,)`` positions of the units in the panel.
    cohorts
        Code of every unit: 0 to ``G - 1``, never treated ``G``.
    starts
        ``(G,)`` first treated period of each cohort.
    outcome, exposure
        ``(N, T)``.
    untreated, treated
        ``(N, T)`` known cells without the measure, and with it; neither in periods of anticipation, in a partial
        period that is dropped, and outside the windows.
    covariates, covariate_names
        ``(q, N, T)``, and their columns.
    season
        ``(T,)`` calendar month of every period, or None.
    dropped
        Units set aside (reason: number).
    notes
        On what was set aside.
    """

    panel: Panel
    method: str
    order: np.ndarray
    cohorts: Cohorts
    starts: np.ndarray
    outcome: np.ndarray
    exposure: np.ndarray
    untreated: np.ndarray
    treated: np.ndarray
    covariates: np.ndarray
    covariate_names: tuple[str, ...]
    season: np.ndarray | None
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def event_time(self) -> np.ndarray:
        """``(G + 1, T)`` periods since the start of every cohort; -T for those never treated."""
        periods = self.outcome.shape[1]
        since = np.arange(periods) - self.starts[:, None]
        return np.concatenate([since, np.full((1, periods), -periods)])

    @property
    def counts(self) -> Counts:
        """What goes into an estimate."""
        used = self.untreated | self.treated
        return Counts(
            observations=int(used.sum()),
            units=int(used.any(axis=1).sum()),
            treated=int(self.treated.any(axis=1).sum()),
            dropped=self.dropped,
        )

    def in_panel(self, values: np.ndarray) -> np.ndarray:
        """Return `values` ``(N, k)`` of the units here as those of all units of the panel, zero elsewhere."""
        placed = np.zeros((len(self.panel.units), values.shape[1]))
        placed[self.order] = values
        return placed


# --- cells ----------------------------------------------------------------------------------------------------------


def find_cells(panel: Panel, options: CellOptions, *, positive: bool) -> Cells:
    """Return the cells with and without the measure.

    Parameters
    ----------
    options
        The estimator.
    positive
        Whether units without a single case are set aside, because ratios are estimated.

    Raises
    ------
    DesignError
        A covariate does not exist, or there are too few years for a season.
    EstimationError
        The outcome never varies, or no treated or no comparison unit is left.
    """
    method = type(options).__name__
    starts = np.unique(panel.starts[panel.treated])
    code = np.where(panel.treated, np.searchsorted(starts, panel.starts), len(starts))
    members = np.flatnonzero(panel.treated | panel.comparison)
    order = members[np.argsort(code[members], kind="stable")]
    cohorts = Cohorts(code[order], len(starts) + 1)
    outcome, wide = (
        panel.outcome[order],
        read_covariates(panel, options.covariates, method=method, within_units=True)[:, order],
    )
    known = np.isfinite(outcome)
    without_covariate = known & ~np.isfinite(wide).all(axis=0) if len(wide) else np.zeros_like(known)
    known &= ~without_covariate
    if known.any() and outcome[known].min() == outcome[known].max():
        raise EstimationError(Problem("core.outcome_constant", method=method))
    before, after = _sides(panel, starts, options)
    cells = Cells(
        panel=panel,
        method=method,
        order=order,
        cohorts=cohorts,
        starts=starts,
        outcome=outcome,
        exposure=panel.exposure[order] if panel.study.exposure else np.ones((1, 1)),
        untreated=known & before[cohorts.codes],
        treated=known & after[cohorts.codes],
        covariates=np.where(np.isfinite(wide), wide, 0.0),
        covariate_names=options.covariates,
        season=calendar_months(panel, options),
        dropped=_left_out(panel),
        notes=_count_note("models_did.note.covariate_missing", int(without_covariate.sum())),
    )
    return _usable(cells, positive=positive)


def _sides(panel: Panel, starts: np.ndarray, options: CellOptions) -> tuple[np.ndarray, np.ndarray]:
    """Return in which periods the units of every cohort count as untreated and as treated, each ``(G + 1, T)``."""
    period = np.arange(len(panel.periods))
    reach = len(period)
    first = 0 if options.before is None else starts.min() - panel.gap - options.before
    last = reach if options.after is None else options.after
    since = period - starts[:, None]
    untreated = (since < -panel.gap) & (period >= first)
    never = (period >= first) & (period < starts.max() + last)
    nothing = np.zeros((1, reach), dtype=bool)
    return np.concatenate([untreated, never[None]]), np.concatenate([(since >= 0) & (since < last), nothing])


def calendar_months(panel: Panel, options: CellOptions) -> np.ndarray | None:
    """Return the calendar month ``(T,)`` of every period where units have a season of their own, else None.

    Raises
    ------
    DesignError
        Periods are years, or there are too few years before the first start.
    """
    if not options.season:
        return None
    method, year = type(options).__name__, PER_YEAR[panel.study.period]
    available, needed = int(panel.starts[panel.treated].min()) - panel.gap, YEARS_FOR_SEASON * year
    wrong = {"season": "False (period = year)"} if year == 1 else {}
    if options.before is not None and options.before < year:
        wrong["before"] = f">= {year} (season = True)"
    problems = [
        Problem("core.option_value", method=method, option=name, given=getattr(options, name), allowed=of)
        for name, of in wrong.items()
    ]
    if not problems and available < needed:
        since = min(panel.study.starts.values())
        problems = [Problem("models_did.season_years", method=method, needed=needed, since=since, available=available)]
    if problems:
        raise DesignError(*problems)
    return (ordinal(panel.periods[0]) + np.arange(len(panel.periods))) % year


def _left_out(panel: Panel) -> dict[str, int]:
    return {
        "core.note.left_out_neighbours": int((panel.left_out & ~panel.treated).sum()),
        "core.note.excluded": int((panel.excluded & ~panel.left_out & ~panel.treated).sum()),
    }


def _count_note(code: str, number: int) -> tuple[Note, ...]:
    return (Note(code, {"n": number}),) if number else ()


def _usable(cells: Cells, *, positive: bool) -> Cells:
    """Set aside units without a case, without data, or without a period before their start."""
    seen = cells.untreated | cells.treated
    empty = np.zeros(len(seen), dtype=bool)
    if positive:
        empty = seen.any(axis=1) & (np.where(seen, cells.outcome, 0.0).sum(axis=1) == 0)
    ever = cells.cohorts.codes < len(cells.starts)
    no_before = ever & seen.any(axis=1) & ~cells.untreated.any(axis=1) & ~empty
    unseen = ~seen.any(axis=1)
    kept = ~(empty | no_before | unseen)
    dropped = cells.dropped | {
        "core.note.all_zero": int(empty.sum()),
        "models_did.note.no_before": int(no_before.sum()),
        "core.note.dropped_incomplete": int(unseen.sum()),
    }
    dropped = {reason: number for reason, number in dropped.items() if number}
    notes = [Note(reason, {"n": number}) for reason, number in dropped.items() if reason != "core.note.all_zero"]
    if empty.any():
        names = [cells.panel.units[unit] for unit in sorted(cells.order[empty])]
        notes.append(Note("models_did.note.all_zero", {"n": len(names), "names": names}))
    cells = replace(
        cells,
        untreated=cells.untreated & kept[:, None],
        treated=cells.treated & kept[:, None],
        dropped=dropped,
        notes=(*cells.notes, *notes),
    )
    never = ~ever
    if len(cells.starts) == 1 and (never & empty).any() and not (never & kept).any():
        raise EstimationError(Problem("core.no_comparison_case", method=cells.method))
    if not cells.treated.any():
        zero = (ever & empty).any() and not (ever & (no_before | unseen)).any()
        raise EstimationError(Problem("regression.separated" if zero else "core.no_treated_left", method=cells.method))
    return cells


def with_comparison(cells: Cells, predicted: np.ndarray) -> Cells:
    """Return the cells without treated ones that nobody without the measure is there to compare with.

    Parameters
    ----------
    predicted
        ``(N, T)`` from the cells without the measure, missing where these do not tell.

    Raises
    ------
    EstimationError
        Nothing is left.
    """
    compared = cells.treated & np.isfinite(predicted)
    lost = cells.treated.any(axis=1) & ~compared.any(axis=1)
    if not compared.any():
        raise EstimationError(Problem("core.no_comparison_left", method=cells.method))
    single = int((cells.treated & ~compared)[~lost].sum())
    units = int(lost.sum())
    return replace(
        cells,
        treated=compared,
        dropped=cells.dropped | ({"core.note.nobody_to_compare": units} if units else {}),
        notes=(
            *cells.notes,
            *_count_note("core.note.nobody_to_compare", units),
            *_count_note("models_did.note.cells_without_comparison", single),
        ),
    )


def analysed(cells: Cells, *, additive: bool) -> np.ndarray:
    """Return the outcome ``(N, T)`` on the scale of a linear model: counts or rates, or logs of ``count + 1/2``."""
    if additive:
        return np.asarray(cells.outcome / cells.exposure)
    return np.asarray(np.log(cells.outcome + CONTINUITY) - np.log(cells.exposure))


def regress(
    cells: Cells, outcome: np.ndarray, x: Regressors, *, poisson: bool = False, dispersion: float = 0.0
) -> TwoWayFit:
    """Fit a regression with unit and period effects.

    Parameters
    ----------
    outcome
        ``(N, T)``, missing at cells that do not take part.
    x
        Dummies, and the covariates of `cells`.
    poisson
        Whether counts are modelled, with the exposure as offset; else by least squares.
    dispersion
        See :func:`evaluation.regression.two_way`.

    Raises
    ------
    EstimationError
        A regressor is explained by the others, or a ratio runs off to infinity.
    """
    family: Family = "poisson" if poisson else "gaussian"
    exposure = cells.exposure if poisson else None
    try:
        return two_way(outcome, x, exposure=exposure, family=family, season=cells.season, dispersion=dispersion)
    except EstimationError as error:
        if len(cells.covariates) and error.problems[0].code == COLLINEAR:
            names = list(cells.covariate_names)
            raise EstimationError(
                Problem("models_did.covariates_singular", method=cells.method, covariates=names)
            ) from error
        raise


# --- influences -----------------------------------------------------------------------------------------------------


def deviations(cells: Cells, values: np.ndarray, base: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    r"""Return the influence ``(N, k)`` of every unit on the treated side of weighted sums of `values`.

    Parameters
    ----------
    values, base
        ``(N, T)``, zero but at treated cells: effects and ones, or cases and expected cases.
    kernel
        ``(G + 1, T, k)`` weights.

    Notes
    -----
    :math:`\sum_t k_{gt} (v_{it} - r_{gt} b_{it})` with the cohort's ratio :math:`r_{gt} = \sum_i v_{it} / \sum_i
    b_{it}` in that period: what differs between units of a cohort counts as noise, so that the variance is too large
    where effects differ (Borusyak, Jaravel and Spiess 2024, theorem 3). A cohort with one unit has nothing to differ
    from; such cells share one ratio over all of them in a row, a coarser grouping that can only be more cautious.
    """
    cohorts, codes = cells.cohorts, cells.cohorts.codes
    number, total, expected = (cohorts.sums(part) for part in (cells.treated, values, base))
    ratio = np.divide(total, expected, out=np.zeros_like(total), where=expected > 0)
    alone = number == 1
    influence = cohorts.by_unit(kernel, np.where(alone[codes], 0.0, values - ratio[codes] * base))
    if (kernel[alone] != 0).any():
        own = kernel * alone[:, :, None]
        sums = [np.einsum("gtk,gt->k", own, part) for part in (total, expected)]
        shared = np.divide(sums[0], sums[1], out=np.zeros(len(sums[0])), where=sums[1] > 0)
        influence += cohorts.by_unit(own, values) - cohorts.by_unit(own * shared, base)
    return influence


def fit_influence(fit: TwoWayFit, cells: Cells, kernel: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the influence ``(N, k)`` of every unit on weighted sums of the predictions at treated cells."""
    return prediction_influence(fit, cells.cohorts, kernel, np.where(cells.treated, slope, 0.0))


def lonely_rows(cells: Cells, shown: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return ``(k,)`` which rows are about the cells of a single unit, whose own variation is not seen.

    Parameters
    ----------
    shown
        ``(N, T)`` the cells that rows are made of.
    """
    several = np.einsum("gtk,gt->k", kernel != 0, cells.cohorts.sums(shown) > 1) > 0
    lonely = ~several
    if lonely.any():
        units = cells.cohorts.by_unit(kernel[:, :, lonely] != 0, shown.astype(float)) > 0
        lonely[lonely] = units.sum(axis=0) < 2
    return np.asarray(lonely)
