"""Influences of estimates whose weights were fitted to the population, and influences of replicates.

What turns the sums of an estimator into what the variance is made of. What is left out: making weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.estimates import Influence, Stage
from evaluation.influence import group_sums
from evaluation.sample import Correction, Plan, Replicates


def influence_under(plan: Plan, values: np.ndarray, *, lonely: str) -> Influence:
    r"""Return the influence that the variance of a plan is made of.

    Parameters
    ----------
    plan
        Of the sample.
    values
        ``(m, k)`` sums of weighted influences over the people of every unit, as if weights were given numbers.
    lonely
        What the design says about strata with one unit.

    Returns
    -------
    Influence
        Of the sampling units, after correction for every fit of the weights; or of replicates, where the plan has
        them: with factors f of replicate r, :math:`\sqrt{a_r} \sum_j (f_{jr} - 1) u_j`, which is the estimate of the
        replicate to first order. Means, shares, totals and ratios compute replicates in full instead.

    References
    ----------
    Deville and Särndal (1992), Calibration estimators in survey sampling; Rao and Tausi (2004), Estimating function
    jackknife variance estimators under stratified multistage sampling.
    """
    replicates, drawn = plan.replicates, plan.sampling
    values = corrected(plan, values)
    if replicates is not None:
        rows = group_sums(values, replicates.rows[plan.first], len(replicates.factors))
        deviations = np.asarray(replicates.factors.T @ rows - rows.sum(axis=0))
        return replicate_influence(plan, deviations, np.zeros(values.shape[1]))
    if plan.drawn is not None:
        values = group_sums(values, drawn.unit[plan.first], len(drawn.units))
    return influence_of_drawn(plan, values, lonely=lonely)


def influence_of_drawn(plan: Plan, values: np.ndarray, *, lonely: str) -> Influence:
    """Return the influence from corrected sums ``(M, k)`` over the people of every sampling unit as it was drawn."""
    drawn = plan.sampling
    stages = tuple(Stage(clusters=at.clusters, strata=at.strata, fraction=at.fraction) for at in drawn.stages)
    return Influence(values=values, units=drawn.units, stages=stages, lonely=lonely, df=design_df(plan))


def design_df(plan: Plan) -> float:
    """Return the number of primary sampling units less strata, or the degrees of freedom of given replicates."""
    if plan.replicates is not None and plan.replicates.df is not None:
        return plan.replicates.df
    first = plan.stages[0]
    return float(first.clusters.max() - first.strata.max())


def corrected(plan: Plan, values: np.ndarray) -> np.ndarray:
    """Return ``(m, k)`` influences that know that weights were fitted; the last fit is taken back first."""
    for adjustment in reversed(plan.adjustments):
        if adjustment.correction is not None and adjustment.cells is not None:
            spread = np.bincount(plan.unit, adjustment.correction.spread, minlength=len(plan.units))
            cells = adjustment.cells[plan.first]
            taking = values if adjustment.among is None else values * adjustment.among[plan.first][:, None]
            values = values - spread[:, None] * _fitted(adjustment.correction, taking, cells, adjustment.size)
    return values


def _fitted(correction: Correction, values: np.ndarray, cells: np.ndarray, size: int) -> np.ndarray:
    """Return ``(m, k)`` what the margins predict for every unit."""
    collected = group_sums(values * correction.collect[cells][:, None], cells, size)
    if correction.x is None:
        return np.asarray((correction.inverse[:, None] * collected)[cells])
    return np.asarray((correction.x @ (correction.inverse @ (correction.x.T @ collected)))[cells])


def corrected_sums(
    plan: Plan, people: np.ndarray | slice, codes: np.ndarray, scores: np.ndarray, size: int
) -> np.ndarray:
    r"""Return what :func:`corrected` does, summed to the ``M`` sampling units, for people who belong to domains.

    A unit is divided into as many parts as cells of the fit meet in it, and a table of parts times domains is as long
    as the survey; here only sums by margin are held.

    Parameters
    ----------
    people
        Which ``p`` people.
    codes, scores
        ``(p,)`` their domain and their weighted influence on its estimate, as if weights were given numbers.
    size
        Number of domains ``k``.

    Returns
    -------
    ndarray
        ``(M, k)``.

    Notes
    -----
    With :math:`b = A^{-1} \sum_j c_j x_j u_j` of the last fit, sums of units lose :math:`(\sum_i s_i x_i') b`, and
    the sums :math:`\sum_j c_j x_j u_j` of every earlier fit lose :math:`\sum_j c_j x_j s_j \tilde x_j' b`.
    """
    from scipy.sparse import csr_array

    unit, units = plan.sampling.unit, len(plan.sampling.units)
    total = np.bincount(unit[people] * size + codes, scores, minlength=units * size).reshape(units, size)
    fits = [
        (one.correction, one.cells, one.size, _collected_from(one.correction, one.cells, one.among))
        for one in plan.adjustments
        if one.correction is not None and one.cells is not None
    ]
    collected = []
    for fit, cells, number, collect in fits:
        own = cells[people]
        table = csr_array((collect[people] * scores, (own, codes)), shape=(number, size))
        collected.append(table.toarray() if fit.x is None else (table.T @ fit.x).T)
    for at in reversed(range(len(fits))):
        fit, cells, number, _ = fits[at]
        slopes = fit.inverse[:, None] * collected[at] if fit.x is None else fit.inverse @ collected[at]
        total -= _spread(fit, csr_array((fit.spread, (unit, cells)), shape=(units, number))) @ slopes
        for before, (other, others, groups, collect) in enumerate(fits[:at]):
            both = csr_array((collect * fit.spread, (others, cells)), shape=(groups, number))
            lost = _spread(fit, both) @ slopes
            collected[before] -= lost if other.x is None else other.x.T @ lost
    return total


def _collected_from(correction: Correction, cells: np.ndarray, among: np.ndarray | None) -> np.ndarray:
    """Return ``(n,)`` with what factor each person enters the fit: 0 for those who do not take part."""
    collect = correction.collect[cells]
    return collect if among is None else np.where(among, collect, 0.0)


def _spread(correction: Correction, by_cell: Any) -> Any:
    """Return sums by cell ``(r, G)`` as sums of the columns of the cells ``(r, q)``."""
    return by_cell if correction.x is None else by_cell @ correction.x


def replicate_influence(plan: Plan, estimates: np.ndarray, estimate: np.ndarray) -> Influence:
    """Return the influence whose units are replicates.

    Parameters
    ----------
    plan
        With replicates.
    estimates
        ``(R, k)`` of every replicate; a column with a missing one becomes zeros.
    estimate
        ``(k,)`` with the weights of all people.
    """
    replicates = needed(plan)
    known = ~np.isnan(estimates).any(axis=0)
    used = np.where(known, estimates, 0.0)
    # Replicates of strata that were taken whole have scale zero and say nothing about the centre.
    centre = used[replicates.scale > 0].mean(axis=0) if replicates.centre == "mean" else np.where(known, estimate, 0.0)
    values = np.sqrt(replicates.scale)[:, None] * (used - centre)
    return Influence(values=values, units=replicates.labels, correction="none", df=design_df(plan))


def needed(plan: Plan) -> Replicates:
    """Return the replicates of a plan that has some."""
    if plan.replicates is None:  # the caller has looked
        raise TypeError("the plan has no replicates")
    return plan.replicates
