"""Imputation: what treated units would have shown, from the cells without the measure (Borusyak, Jaravel, Spiess)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from evaluation.did.inference.asymptotic import Asymptotic
from evaluation.did.models.counterfactual import (
    Cells,
    analysed,
    deviations,
    find_cells,
    fit_influence,
    lonely_rows,
    regress,
    with_comparison,
)
from evaluation.did.models.leads import with_leads
from evaluation.did.models.rows import (
    AGGREGATIONS,
    SCALES,
    SINGLE,
    Aggregation,
    RowEffects,
    by_drawn_assignments,
    calendar_parts,
    check_options,
    treated_rows,
)
from evaluation.estimates import Estimates
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization
from evaluation.randomization.measures import MeanOfLogs
from evaluation.regression import Regressors, TwoWayFit


@dataclass(frozen=True, kw_only=True)
class Imputation:
    """The effect as what treated units show less what they would have shown, imputed from all untreated cells.

    Effects of units and periods are fitted to the cells without the measure: units never treated, and the others
    before their start. No unit is ever compared with one that has the measure already.

    Parameters
    ----------
    aggregation
        ``simple``: one effect, the mean over all treated cells. ``dynamic``: by time since the start, with periods
        before it as a test of what the comparison rests on. ``cohort``: by start.
    before, after
        Periods before the first start, and from each start on, that count; by default all (under randomisation up to
        three years before and one year after every start).
    leads
        Periods before the start with a row (``dynamic``); by default one year (three in yearly data), fewer in
        short series.
    season
        Whether every unit has an effect for each calendar month (quarter, half-year), in place of a season that all
        units share. Needs two whole years before the first start, and at least one in `before`.
    covariates
        Further columns of the panel's frame that change over time.
    scale
        ``ratio``: mean log ratio, of ``(count + 1/2) / exposure``. ``levels``: additional cases, derived from the
        ratio. ``additive``: differences of counts a unit and period (rates with exposure).
    inference
        :class:`evaluation.Randomization` by default; an asymptotic kind such as :class:`ClusterRobust` has to be
        asked for.

    Notes
    -----
    With ``y_it = a_i + g_t (+ x_it b) + e_it`` fitted to the cells without the measure, the effect of a treated
    cell is ``y_it - a_i - g_t - x_it b``; a row is a mean of cells. Key ``term`` is ``effect`` for the mean of all
    treated cells, else the name of the next key, ``event_time`` or ``cohort`` (label of the first treated period). The
    variance is the conservative one of theorem 3 of the reference by unit, without a factor for small samples: what
    treated cells of a cohort and period differ by counts as noise. Cohorts of one unit share one mean.

    Rows before the start are coefficients of a regression on the untreated cells with a dummy for each of them:
    deviations from all earlier periods. ``facts["pre_trend_p"]`` tests them together. Periods of anticipation have
    no row. Treated cells in a period without any untreated unit are left out, counted and noted.

    Under randomisation the change of every unit is the mean of its logs after less that before, adjusted for the
    return to the usual level; the row ``unadjusted`` is the imputation estimate over the same windows.

    References
    ----------
    Borusyak, Jaravel and Spiess (2024), Revisiting event-study designs: robust and efficient estimation, Review of
    Economic Studies 91.

    Examples
    --------
    >>> from evaluation.did.inference.asymptotic import ClusterRobust
    >>> from evaluation.simulate import example_panel
    >>> method = Imputation(aggregation="dynamic", leads=2, after=2, inference=ClusterRobust())
    >>> method.estimate(example_panel()).table["event_time"].tolist()
    [<NA>, -2, -1, 0, 1]
    """

    aggregation: Aggregation = "simple"
    before: int | None = None
    after: int | None = None
    leads: int | None = None
    season: bool = False
    covariates: tuple[str, ...] = ()
    scale: Literal["ratio", "levels", "additive"] = "ratio"
    inference: Randomization | Asymptotic = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        check_options(self, aggregation=AGGREGATIONS, scale=SCALES)

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effects, on the log scale or in cases.

        Raises
        ------
        DesignError
            Windows, season or covariates do not fit the panel.
        EstimationError
            The outcome never varies, a covariate is explained by the effects, or no treated or no comparison unit is
            left.
        """
        if isinstance(self.inference, Randomization):
            change = MeanOfLogs(calendar_parts(panel, season=self.season))
            return by_drawn_assignments(panel, self, change, _imputed)
        return _imputed(self, panel).conclude(self)


def _imputed(method: Imputation, panel: Panel) -> RowEffects:
    """Return the effects of all rows with their influences."""
    cells = find_cells(panel, method, positive=method.scale != "additive")
    value = analysed(cells, additive=method.scale == "additive")
    fit = _untreated_fit(cells, Regressors(cells.covariates), value)
    cells = with_comparison(cells, fit.predicted)
    rows = treated_rows(cells, method.aggregation)
    number = np.einsum("gtk,gt->k", rows.kernel, cells.cohorts.sums(cells.treated))
    kernel = rows.kernel / number
    effect = np.where(cells.treated, value - fit.predicted, 0.0)
    ones = cells.treated.astype(float)
    found = RowEffects(
        cells=cells,
        keys=rows.keys,
        estimate=np.einsum("gtk,gt->k", kernel, cells.cohorts.sums(effect)),
        influence=deviations(cells, effect, ones, kernel) - fit_influence(fit, cells, kernel, ones),
        notes=np.where(lonely_rows(cells, cells.treated, kernel), SINGLE, "").tolist(),
        observed=np.einsum("gtk,gt->k", rows.kernel, cells.cohorts.sums(np.where(cells.treated, cells.outcome, 0.0))),
        parameters=None,
    )
    if method.aggregation != "dynamic":
        return found
    return with_leads(found, method, lambda cells, x: _untreated_fit(cells, x, value), ratios=False)


def _untreated_fit(cells: Cells, x: Regressors, value: np.ndarray) -> TwoWayFit:
    """Return the regression of `value` ``(N, T)`` at the cells without the measure."""
    return regress(cells, np.where(cells.untreated, value, np.nan), x)
