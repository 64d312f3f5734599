"""Variances from influences: stratified, clustered, several stages of selection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Influence, Stage

CERTAIN = 1e-7  # a stratum of which less than this is left out was taken whole; R survey's limit


def group_sums(values: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
    """Return ``(groups, k)`` sums of the rows of `values` ``(m, k)`` by `codes` ``(m,)``."""
    if groups == len(codes) and (codes == np.arange(groups)).all():
        return values
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=groups)
    present = counts > 0
    starts = np.cumsum(counts) - counts
    sums = np.zeros((groups, values.shape[1]))
    sums[present] = np.add.reduceat(values[order], starts[present], axis=0)
    return sums


def roots(influence: Influence) -> list[np.ndarray]:
    """Return matrices ``R`` ``(r, k)``, one a stage, with covariance ``sum R'R``.

    The rows are cluster totals, centred in their stratum and scaled; :func:`covariance` has the formula.
    """
    values = np.asarray(influence.values, dtype=float)
    if influence.correction == "none" and not influence.stages:
        return [values]
    stages = influence.stages or (independent_units(len(values)),)
    found, share = [], np.ones(len(values))
    for position, stage in enumerate(stages):
        found.append(_stage_root(values * np.sqrt(share)[:, None] if position else values, stage, influence, position))
        if stage.fraction is None:
            break
        share = share * stage.fraction
    return found


def independent_units(m: int) -> Stage:
    """Return the stage of `m` independent units in one stratum."""
    return Stage(clusters=np.arange(m), strata=np.zeros(m, dtype=np.intp))


def _stage_root(values: np.ndarray, stage: Stage, influence: Influence, position: int) -> np.ndarray:
    clusters = int(stage.clusters.max()) + 1
    first = np.empty(clusters, dtype=np.intp)
    first[stage.clusters[::-1]] = np.arange(len(values) - 1, -1, -1)
    strata = stage.strata[first]
    left_out = np.ones(clusters) if stage.fraction is None else 1 - stage.fraction[first]
    left_out = np.where(left_out < CERTAIN, 0.0, left_out)
    totals = group_sums(values, stage.clusters, clusters)
    if influence.correction == "none":
        return np.asarray(totals * np.sqrt(left_out)[:, None])
    drawn = np.bincount(strata)
    lonely = (drawn == 1)[strata] & (left_out > 0)
    if lonely.any() and influence.lonely == "fail":
        raise EstimationError(Problem("survey.lonely_variance", n=int(lonely.sum()), stage=position + 1))
    centred = totals - (group_sums(totals, strata, len(drawn)) / drawn[:, None])[strata]
    factor = np.sqrt(left_out * np.where(drawn > 1, drawn / np.maximum(drawn - 1, 1), 1.0)[strata])
    root = centred * factor[:, None]
    if influence.lonely == "adjust":
        root[lonely] = totals[lonely] * factor[lonely, None]
    if influence.lonely == "average" and lonely.any():
        root = root * _average_factor(totals, strata, lonely)
    return np.asarray(root)


def _average_factor(totals: np.ndarray, strata: np.ndarray, lonely: np.ndarray) -> np.ndarray:
    """Return ``(k,)``: the root of strata that an estimate touches over those of them with more than one cluster."""
    touched = group_sums((totals != 0).astype(float), strata, int(strata.max()) + 1) > 0
    alone = np.zeros(len(touched), dtype=bool)
    alone[strata[lonely]] = True
    usable = touched[~alone].sum(axis=0)
    return np.asarray(np.sqrt(touched.sum(axis=0) / np.maximum(usable, 1)))


def covariance(influence: Influence) -> np.ndarray:
    r"""Return the covariance ``(k, k)`` of the estimates.

    Parameters
    ----------
    influence
        ``(m, k)`` with the stages of selection of its rows.

    Returns
    -------
    ndarray
        In squared units of the estimates' scale.

    Raises
    ------
    EstimationError
        A stratum with one cluster shows no variance and ``lonely`` is ``fail``.

    Notes
    -----
    With :math:`z_{hi}` the summed influence of cluster i of stratum h, :math:`n_h` clusters drawn, a fraction
    :math:`f_h` of all,

    .. math:: V_1 = \sum_h (1 - f_h) \frac{n_h}{n_h - 1} \sum_i (z_{hi} - \bar z_h)(z_{hi} - \bar z_h)'

    and a later stage adds the same sum over the clusters within each earlier one, times the fractions drawn above it.
    Independent units are one stratum of clusters. With ``correction="none"`` it is the plain :math:`\sum_i z_i z_i'`.

    Lonely clusters: ``remove`` and ``certainty`` let them add nothing; ``adjust`` takes :math:`z z'` as it is, which
    is the distance from the mean of all strata; ``average`` scales the variance of the others by the number of strata
    over those with more than one cluster (of the strata that an estimate touches; at later stages over all of them
    together, where R gives a missing value).

    References
    ----------
    Bellhouse (1985), Computing methods for variance estimation in complex surveys; ``svyrecvar`` of R's survey
    package.

    Examples
    --------
    >>> covariance(Influence(values=np.array([[-1.0], [1.0]]), units=np.array(["a", "b"])))
    array([[4.]])
    """
    return np.asarray(sum(root.T @ root for root in roots(influence)))


def variances(influence: Influence) -> np.ndarray:
    """Return the diagonal ``(k,)`` of :func:`covariance` without the rest."""
    return np.asarray(sum(np.einsum("ij,ij->j", root, root) for root in roots(influence)))


def degrees_of_freedom(influence: Influence) -> float:
    """Return the number of primary clusters less the number of their strata."""
    stage = influence.stages[0] if influence.stages else independent_units(len(influence.values))
    return float(stage.clusters.max() - stage.strata.max())


def sum_to(influence: Influence, labels: np.ndarray | Mapping[Any, Any]) -> Influence:
    """Return the influences summed to larger independent units, such as areas.

    Parameters
    ----------
    influence
        ``(m, k)``.
    labels
        ``(m,)`` label of the larger unit for each row (``sample.labels("area")``), or a mapping from its units.

    Returns
    -------
    Influence
        Rows in sorted order of the labels, independent and in one stratum.

    Raises
    ------
    KeyError
        The mapping lacks a unit.
    """
    given = [labels[unit] for unit in influence.units] if isinstance(labels, Mapping) else labels
    if len(given) != len(influence.values):
        raise ValueError(f"{len(given)} labels for {len(influence.values)} units")
    codes, units = pd.factorize(pd.Series(given), sort=True)
    if (codes < 0).any():
        raise ValueError("a unit has no label")
    values = group_sums(influence.values, codes, len(units))
    return Influence(values=values, units=np.asarray(units), correction=influence.correction, df=float(len(units) - 1))
