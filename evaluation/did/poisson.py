"""Poisson regression with cohort x period effects: observed cases against those expected without the measure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from evaluation.did.inference.asymptotic import Asymptotic
from evaluation.did.models.counterfactual import (
    Cells,
    deviations,
    find_cells,
    fit_influence,
    lonely_rows,
    regress,
    with_comparison,
)
from evaluation.did.models.leads import NO_CASE, with_leads
from evaluation.did.models.rows import (
    AGGREGATIONS,
    SINGLE,
    Aggregation,
    RowEffects,
    by_drawn_assignments,
    calendar_parts,
    check_options,
    treated_rows,
)
from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Estimates, Note
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization
from evaluation.randomization.measures import PoissonScore
from evaluation.regression import Regressors, TwoWayFit

DISPERSION_ROUNDS = 20
DISPERSION_FOUND = 1e-3  # relative change that ends the search; the means hardly depend on it
NEWTON_ROUNDS = 50


@dataclass(frozen=True, kw_only=True)
class PoissonCohorts:
    """Cases of treated units against the cases expected of them without the measure, as a ratio.

    A Poisson regression with effects of units, of periods and of every cohort in every treated period, and the exposure
    as offset. Small counts and zeros need no constant, and areas count by their number of cases, so that the ratio is
    that of all cases together. It is right whatever the dispersion of the counts is, because the variance is taken from
    the units.

    Parameters
    ----------
    aggregation
        ``simple``: one ratio over all treated cells. ``dynamic``: by time since the start, with periods before it as a
        test of what the comparison rests on. ``cohort``: by start.
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
        ``ratio``: log of observed over expected cases. ``levels``: additional cases, observed less expected.
    inference
        :class:`evaluation.Randomization` by default; an asymptotic kind such as :class:`ClusterRobust` has to be
        asked for.

    Notes
    -----
    The dummies of treated cells leave exactly the cells without the measure to tell effects of units and periods, so
    ``mu_it = n_it exp(a_i + g_t + x_it b)`` is fitted to these and predicted for the treated ones. A row is ``ln(sum
    y_it / sum mu_it)`` over its treated cells; less one, the ratio is the effect in percent. Without covariates and
    with an exposure that is constant over time the joint regression (Wooldridge) gives the same numbers; where
    exposure changes, treated periods there inform the level of a unit, and here do not. Influences by the delta
    method: of the predictions through the fit, and of the cases by their distance from the cohort's own ratio in the
    period. Variance by unit times ``G / (G - 1)``, Student's t with ``G - 1`` degrees of freedom.

    Units without a single case are set aside and named. A row whose units have no case before, or none after, is
    missing with the reason; where that is all of them, there is no estimate. Rows before the start are coefficients of
    dummies for these periods among the untreated cells, relative to all earlier periods.

    ``facts["negative_binomial"]`` is the same ratio from a regression with variance ``mu + alpha mu^2``, ``alpha``
    in ``facts["dispersion"]`` from Pearson's statistic. It weights large areas less. Where it differs by more than a
    standard error, the result says so. ``facts["expected"]`` are the cases expected without the measure.

    References
    ----------
    Wooldridge (2023), Simple approaches to nonlinear difference-in-differences with panel data, The Econometrics
    Journal 26; Chen and Roth (2024), Logs with zeros? Some problems and solutions.

    Examples
    --------
    >>> from evaluation.did.inference.asymptotic import ClusterRobust
    >>> from evaluation.simulate import example_panel
    >>> result = PoissonCohorts(inference=ClusterRobust()).estimate(example_panel())
    >>> observed, expected = result.facts["observed"], result.facts["expected"]
    >>> f"{observed:.0f} cases, {expected:.0f} expected: {observed / expected - 1:+.1%}"
    '12418 cases, 14685 expected: -15.4%'
    """

    aggregation: Aggregation = "simple"
    before: int | None = None
    after: int | None = None
    leads: int | None = None
    season: bool = False
    covariates: tuple[str, ...] = ()
    scale: Literal["ratio", "levels"] = "ratio"
    inference: Randomization | Asymptotic = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        check_options(self, aggregation=AGGREGATIONS, scale=("ratio", "levels"))

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effects, on the log scale or in cases.

        Raises
        ------
        DesignError
            Windows, season or covariates do not fit the panel.
        EstimationError
            The outcome never varies, a covariate is explained by the effects, treated units have no case before or
            after, or no treated or no comparison unit is left.
        """
        if not isinstance(self.inference, Randomization):
            effects = _ratios(self, panel)
            return _beside_negative_binomial(effects.conclude(self), self, effects)
        change = PoissonScore(calendar_parts(panel, season=self.season))
        result = by_drawn_assignments(panel, self, change, _ratios)
        before, after = int(result.facts["before"]), int(result.facts["after"])
        result = _naming_empty(result, panel, before, after)
        if self.aggregation != "simple":
            return result
        method = replace(self, before=before, after=after)
        try:
            return _beside_negative_binomial(result, method, _ratios(method, panel))
        except EstimationError:  # no case before or after: said in the row `unadjusted`
            return result


def _ratios(method: PoissonCohorts, panel: Panel) -> RowEffects:
    """Return the log ratios of all rows with their influences."""
    cells = find_cells(panel, method, positive=True)
    fit = _fit(cells, Regressors(cells.covariates))
    cells = with_comparison(cells, fit.predicted)
    rows = treated_rows(cells, method.aggregation)
    counted, expected = (np.where(cells.treated, part, 0.0) for part in (cells.outcome, fit.predicted))
    cases, without = (np.einsum("gtk,gt->k", rows.kernel, cells.cohorts.sums(part)) for part in (counted, expected))
    known = (cases > 0) & (without > 0)
    if not known[0]:
        raise EstimationError(Problem("regression.separated"))
    shares = [np.divide(rows.kernel, total, out=np.zeros_like(rows.kernel), where=known) for total in (cases, without)]
    lonely = lonely_rows(cells, cells.treated, rows.kernel)
    found = RowEffects(
        cells=cells,
        keys=rows.keys,
        estimate=np.log(np.where(known, cases, np.nan)) - np.log(np.where(known, without, 1.0)),
        influence=deviations(cells, counted, expected, shares[0]) - fit_influence(fit, cells, shares[1], expected),
        notes=np.where(known, np.where(lonely, SINGLE, ""), NO_CASE).tolist(),
        observed=cases,
        parameters=1,
    )
    if method.aggregation != "dynamic":
        return found
    return with_leads(found, method, _fit, ratios=True)


def _fit(cells: Cells, x: Regressors, dispersion: float = 0.0) -> TwoWayFit:
    """Return the regression of the cells without the measure."""
    return regress(cells, np.where(cells.untreated, cells.outcome, np.nan), x, poisson=True, dispersion=dispersion)


# --- negative binomial ----------------------------------------------------------------------------------------------


def _beside_negative_binomial(result: Estimates, method: PoissonCohorts, effects: RowEffects) -> Estimates:
    """Add what negative binomial regression finds, and a note where that is another answer."""
    try:
        other, dispersion = _negative_binomial(method, effects.cells)
    except EstimationError:
        other, dispersion = np.nan, np.nan
    own, error = effects.estimate[0], np.sqrt((effects.influence[:, 0] ** 2).sum())
    notes = result.notes
    if abs(other - own) > error:
        values = {"own": float(np.expm1(own)), "other": float(np.expm1(other))}
        notes = (*notes, Note("models_did.note.negative_binomial", values))
    facts = {**result.facts, "negative_binomial": other, "dispersion": dispersion}
    return replace(result, notes=notes, facts=facts)


def _negative_binomial(method: PoissonCohorts, cells: Cells) -> tuple[float, float]:
    """Return the log ratio of observed to expected cases by negative binomial regression, and its dispersion.

    The dispersion is the one at which Pearson's statistic equals its degrees of freedom; means and dispersion are
    found in turn.
    """
    dispersion, found = 0.0, 0.0
    for _ in range(DISPERSION_ROUNDS):
        dispersion = found
        fit = _fit(cells, Regressors(cells.covariates), dispersion)
        found = _pearson_dispersion(cells, fit)
        if abs(found - dispersion) <= DISPERSION_FOUND * found:
            break
    expected = np.where(cells.treated, fit.predicted, 0.0).sum()
    return float(np.log(cells.outcome[cells.treated].sum()) - np.log(expected)), dispersion


def _pearson_dispersion(cells: Cells, fit: TwoWayFit) -> float:
    """Return ``alpha >= 0`` with ``sum (y - mu)^2 / (mu + alpha mu^2) = n - k``; 0 where counts vary less.

    The sum falls and is convex in alpha, so that Newton's steps from 0 never pass the root.
    """
    informed = np.isfinite(fit.fitted)
    y, mean = cells.outcome[informed], fit.fitted[informed]
    season = np.zeros(informed.shape[1], dtype=int) if cells.season is None else cells.season
    of_units = sum(int(informed[:, season == month].any(axis=1).sum()) for month in np.unique(season))
    freedom = len(y) - of_units - int(informed.any(axis=0).sum()) + len(np.unique(season)) - len(cells.covariates)
    dispersion = 0.0
    for _ in range(NEWTON_ROUNDS if freedom > 0 else 0):
        variance = mean + dispersion * mean**2
        parts = (y - mean) ** 2 / variance
        step = (parts.sum() - freedom) / (parts * mean**2 / variance).sum()
        if step <= 1e-9 * dispersion:
            break
        dispersion += float(step)
    return dispersion


# --- areas without a case -------------------------------------------------------------------------------------------


def _naming_empty(result: Estimates, panel: Panel, before: int, after: int) -> Estimates:
    """Name the units without a case in the windows that the result only counts."""
    number = result.counts.dropped.get("core.note.all_zero", 0)
    period, inside = np.arange(len(panel.periods)), np.zeros(len(panel.periods), dtype=bool)
    for start in np.unique(panel.starts[panel.treated]):
        inside |= (period >= start - panel.gap - before) & (period < start - panel.gap)
        inside |= (period >= start) & (period < start + after)
    empty = (panel.treated | panel.comparison) & (panel.outcome[:, inside] == 0).all(axis=1)
    if not number or empty.sum() != number:
        return result
    named = Note(
        "models_did.note.all_zero", {"n": number, "names": [panel.units[unit] for unit in np.flatnonzero(empty)]}
    )
    notes = tuple(named if note.code == "core.note.all_zero" else note for note in result.notes)
    return replace(result, notes=notes)
