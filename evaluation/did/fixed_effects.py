"""Two-way fixed effects: regression on unit effects, period effects and a dummy for the measure, or for event times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from evaluation.did.inference.asymptotic import Asymptotic, NullScores
from evaluation.did.models.counterfactual import Cells, analysed, find_cells, lonely_rows, regress
from evaluation.did.models.leads import number_of_leads
from evaluation.did.models.rows import (
    SCALES,
    SINGLE,
    Aggregation,
    RowEffects,
    by_drawn_assignments,
    calendar_parts,
    check_options,
    dummies,
    row_keys,
)
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Note
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization
from evaluation.randomization.measures import ChangeMeasure, MeanOfLogs, PoissonScore
from evaluation.regression import Regressors, TwoWayFit, null_scores

REFERENCE = "reference_period"


@dataclass(frozen=True, kw_only=True)
class TwoWayFixedEffects:
    """The coefficient of the measure in a regression with unit and period effects.

    What most published evaluations use. With one start date it compares before and after, with and without. With
    several, it also compares units with others that already have the measure, which misleads where the effect grows
    or fades; the result then carries a note, and :class:`Imputation` and :class:`GroupTime` are the remedy.

    Parameters
    ----------
    aggregation
        ``simple``: one coefficient. ``dynamic``: one for each period around the start, relative to the last one before
        it (before anticipation).
    family
        ``gaussian``: least squares of ``log[(count + 1/2) / exposure]``, or of counts where `scale` is ``additive``.
        ``poisson``: counts with the exposure as offset, which takes zeros as they are and weights areas by their size.
    before, after
        Periods before the first start, and from each start on, that count; by default all (under randomisation up to
        three years before and one year after every start).
    leads
        Periods before the reference with a row (``dynamic``); by default one year (three in yearly data), fewer in
        short series.
    season
        Whether every unit has an effect for each calendar month (quarter, half-year), in place of a season that all
        units share. Needs two whole years before the first start, and at least one in `before`.
    covariates
        Further columns of the panel's frame that change over time.
    scale
        ``ratio``: log ratio. ``levels``: additional cases, derived from the ratio. ``additive``: counts a unit and
        period (rates with exposure), Gaussian only.
    inference
        :class:`evaluation.Randomization` by default; an asymptotic kind such as :class:`ClusterRobust` or
        :class:`ScoreWild` (one coefficient, no covariates) has to be asked for.

    Notes
    -----
    The variance by unit is multiplied by ``G / (G - 1) (n - 1) / (n - K)`` for ``G`` units, ``n`` observations and
    ``K`` coefficients: those of the measure, of covariates and of periods. Unit effects lie within the units and are
    not counted. This is CRV1 as in Stata, fixest and pyfixest; the distribution is Student's with ``G - 1`` degrees of
    freedom. Periods of anticipation are left out. ``dynamic``: all periods around the start have a coefficient, those
    before `leads` too; the row ``effect`` is the plain mean from the start on, and ``facts["pre_trend_p"]`` tests the
    rows before it together.

    Under randomisation the change of every unit is the mean of its logs after less that before (Poisson: its score
    over its information), adjusted for the return to the usual level; the row ``unadjusted`` is the coefficient over
    the same windows.

    References
    ----------
    Goodman-Bacon (2021), Difference-in-differences with variation in treatment timing; Cameron and Miller (2015).

    Examples
    --------
    >>> from evaluation.did.inference.asymptotic import ClusterRobust
    >>> from evaluation.simulate import example_panel
    >>> result = TwoWayFixedEffects(family="poisson", inference=ClusterRobust()).estimate(example_panel())
    >>> result.table["term"].tolist(), result.counts.observations
    (['effect'], 882)
    """

    aggregation: Aggregation = "simple"
    family: Literal["gaussian", "poisson"] = "gaussian"
    before: int | None = None
    after: int | None = None
    leads: int | None = None
    season: bool = False
    covariates: tuple[str, ...] = ()
    scale: Literal["ratio", "levels", "additive"] = "ratio"
    inference: Randomization | Asymptotic = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        poisson = self.family == "poisson"
        check_options(
            self,
            aggregation=("simple", "dynamic"),
            family=("gaussian", "poisson"),
            scale=SCALES[:2] if poisson else SCALES,
        )

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effects, on the log scale or in cases.

        Raises
        ------
        DesignError
            Windows, season or covariates do not fit the panel, or event times cannot be told from the calendar.
        EstimationError
            The outcome never varies, the measure or a covariate is explained by the effects, treated units have no case
            before or after (Poisson), or no treated or no comparison unit is left.
        """
        if isinstance(self.inference, Randomization):
            result = by_drawn_assignments(panel, self, self._change(panel), _coefficients)
        else:
            effects = _coefficients(self, panel)
            result = effects.conclude(self, null_scores=_null_scores(self, effects.cells))
        starts = len(np.unique(panel.starts[panel.treated]))
        caution = (Note("models_did.note.forbidden_comparisons", {"starts": starts}),) if starts > 1 else ()
        return replace(result, notes=(*result.notes, *caution))

    def _change(self, panel: Panel) -> ChangeMeasure:
        parts = calendar_parts(panel, season=self.season)
        return PoissonScore(parts) if self.family == "poisson" else MeanOfLogs(parts)


def _coefficients(method: TwoWayFixedEffects, panel: Panel) -> RowEffects:
    """Return the effects of all rows with their influences."""
    cells = find_cells(panel, method, positive=method.scale != "additive")
    times = _event_times(cells) if method.aggregation == "dynamic" else []
    kernel = dummies(cells.event_time, times) if times else (cells.event_time >= 0)[:, :, None].astype(float)
    x = Regressors(cells.covariates, cells.cohorts, kernel)
    fit = regress(cells, _outcome(method, cells), x, poisson=method.family == "poisson")
    periods = int(np.isfinite(fit.fitted).any(axis=0).sum())
    found = RowEffects(
        cells=cells,
        keys=row_keys("simple", []),
        estimate=fit.coefficients[:1],
        influence=fit.influence[:, :1],
        notes=[""],
        observed=np.array([cells.outcome[cells.treated].sum()]),
        parameters=x.number + periods,
    )
    return _by_event_time(found, fit, times, method) if times else found


def _outcome(method: TwoWayFixedEffects, cells: Cells) -> np.ndarray:
    """Return the outcome ``(N, T)`` of the cells in the regression."""
    value = cells.outcome if method.family == "poisson" else analysed(cells, additive=method.scale == "additive")
    return np.where(cells.untreated | cells.treated, value, np.nan)


def _event_times(cells: Cells) -> list[int]:
    """Return the event times with a coefficient: all but the last one before the start.

    Raises
    ------
    DesignError
        There is no unit never treated.
    """
    never = cells.cohorts.codes == len(cells.starts)
    if not cells.untreated[never].any():
        raise DesignError(Problem("models_did.no_never_treated", method="TwoWayFixedEffects"))
    there = cells.cohorts.sums(cells.untreated | cells.treated)[:-1] > 0
    reference = -1 - cells.panel.gap
    return [int(k) for k in np.unique(cells.event_time[:-1][there]) if k != reference]


def _by_event_time(effects: RowEffects, fit: TwoWayFit, times: list[int], method: TwoWayFixedEffects) -> RowEffects:
    """Return the mean effect from the start on, then the periods around it, the reference among them."""
    cells = effects.cells
    reference = -1 - cells.panel.gap
    first = reference - number_of_leads(cells, method.leads, "TwoWayFixedEffects")
    shown = [k for k in sorted([*times, reference]) if k >= first]
    after = np.array(times) >= 0
    weights = np.stack([after / after.sum(), *((np.array(times) == k).astype(float) for k in shown)])
    kernel = dummies(cells.event_time, shown)
    counted = np.where(cells.untreated | cells.treated, cells.outcome, 0.0)
    cases = np.einsum("gtk,gt->k", kernel, cells.cohorts.sums(counted))
    lonely = lonely_rows(cells, cells.untreated | cells.treated, kernel)
    notes = [REFERENCE if k == reference else SINGLE if alone else "" for k, alone in zip(shown, lonely, strict=True)]
    return replace(
        effects,
        keys=row_keys("dynamic", shown),
        estimate=weights @ fit.coefficients[: len(times)],
        influence=fit.influence[:, : len(times)] @ weights.T,
        notes=["", *notes],
        observed=np.concatenate([effects.observed, cases]),
    )


def _null_scores(method: TwoWayFixedEffects, cells: Cells) -> NullScores | None:
    """Return the function from a coefficient to unit scores and information under it; None where there is no such."""
    if method.aggregation != "simple" or method.covariates:
        return None
    outcome, family = _outcome(method, cells), method.family
    exposure = cells.exposure if family == "poisson" else None

    def scores(value: float) -> tuple[np.ndarray, np.ndarray]:
        treated = cells.treated.astype(float)
        parts = null_scores(outcome, treated, value, exposure=exposure, family=family, season=cells.season)
        placed = cells.in_panel(np.stack(parts, axis=1))
        return placed[:, 0], placed[:, 1]

    return scores
