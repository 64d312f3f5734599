"""Doses exchanged between units: what a dose-response would look like by chance.

A unit that gets another's dose gets its date, too. Both statistics are linear in the changes and in the tested effect,
so that p-value, estimate and interval are matrix products, as with :class:`evaluation.Randomization`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.inference import FEW_UNITS, Tested, UnitEffects, invert, others_mean


@dataclass(frozen=True, eq=False)
class Labels:
    """Cohort and dose as one label, so that both are exchanged together.

    Parameters
    ----------
    label
        ``(N,)`` label of every unit, -1 without the measure.
    cohort, dose
        ``(L,)`` of every label.
    """

    label: np.ndarray
    cohort: np.ndarray
    dose: np.ndarray

    @classmethod
    def of(cls, effects: UnitEffects, dose: np.ndarray) -> Labels:
        """Return the labels of units with doses ``(N,)``; cohorts that only serve as comparison have no dose."""
        treated = effects.cohort >= 0
        pairs = np.stack([effects.cohort, np.where(effects.treated(effects.cohort), dose, 0.0)], axis=1)[treated]
        kinds, inverse = np.unique(pairs, axis=0, return_inverse=True)
        label = np.full(len(treated), -1)
        label[treated] = inverse.ravel()
        return cls(label, kinds[:, 0].astype(int), kinds[:, 1])

    def assigned(self, reference: ReferenceSet) -> tuple[np.ndarray, np.ndarray]:
        """Return cohort and dose ``(B, N)`` of every unit under every assignment of labels; -1 and 0 for none."""
        return np.append(self.cohort, -1)[reference.cohort], np.append(self.dose, 0.0)[reference.cohort]


Statistic = Callable[[UnitEffects, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def from_zero(
    effects: UnitEffects, increase: np.ndarray, labels: Labels, reference: ReferenceSet, level: float
) -> Tested | None:
    """Return the effect of a dose of one, units without the measure standing at no dose.

    Parameters
    ----------
    increase
        ``(G, N)`` increase of dose at the date of each cohort.
    reference
        Assignments of labels.

    Returns
    -------
    Tested or None
        None where the comparison units had as much dose.
    """
    z, x = effects.residual / effects.spread, increase / effects.spread
    values, slopes = _lines(_weighted_by_dose, effects, labels, reference, np.stack([z, x], axis=-1))
    if slopes[0] <= 1e-9 * np.abs(labels.dose).max() * np.abs(x).max():
        return None
    return invert(values, slopes, level)


def among_treated(
    effects: UnitEffects, increase: np.ndarray, labels: Labels, reference: ReferenceSet, level: float
) -> Tested:
    """Return the effect of a dose of one more between treated units, whatever effect they have in common.

    Their common effect is fitted and taken off at every tested value, since drawn units have none. Other parameters
    as in :func:`from_zero`; there must be two different doses.
    """
    places = np.clip(effects.cohort, 0, len(increase) - 1), np.arange(len(effects.cohort))
    treated, precise = effects.treated(effects.cohort), 1.0 / effects.spread
    columns = []
    for values in (effects.residual / effects.spread, increase / effects.spread):
        own, weights = values[places][treated], precise[places][treated]
        common = (weights @ own) / (weights @ weights)
        columns.append(values - common * effects.share * precise)
    return invert(*_lines(_slope_over_error, effects, labels, reference, np.stack(columns, axis=-1)), level)


def _lines(
    statistic: Statistic, effects: UnitEffects, labels: Labels, reference: ReferenceSet, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and slopes of all assignments; with few units also of those at earlier dates."""
    cohort, dose = labels.assigned(reference)
    values, slopes = statistic(effects, cohort, dose, columns).T
    if effects.standardised and effects.pool.sum() < FEW_UNITS:
        past = np.repeat(effects.whole_past.T[None], len(effects.residual), axis=0)
        earlier = statistic(effects, cohort, dose, past).T.ravel()
        values, slopes = np.concatenate([values, earlier]), np.concatenate([slopes, np.zeros(len(earlier))])
    return values, slopes


def _weighted_by_dose(effects: UnitEffects, cohort: np.ndarray, dose: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sum over assigned units of their dose times their change less the others', in standard deviations, ``(B, c)``.

    `columns` ``(G, N, c)`` are in standard deviations.
    """
    result = np.zeros((len(cohort), columns.shape[-1]))
    for g, values in enumerate(columns):
        weights, others = np.where(cohort == g, dose, 0.0), others_mean(effects, cohort, g, values)
        result += weights @ values - (weights @ (1.0 / effects.spread[g]))[:, None] * others
    return result


def _slope_over_error(effects: UnitEffects, cohort: np.ndarray, dose: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Weighted least-squares slope on the dose among assigned units, over its standard error, ``(B, c)``.

    `columns` ``(G, N, c)`` are in standard deviations, so that weights ``1 / s²`` make the numerator ``sum q (D -
    mean D) z`` with ``q = 1 / s``, and its variance ``sum q² (D - mean D)²``.
    """
    precise = 1.0 / effects.spread
    own = [cohort == g for g in range(len(columns))]
    total = np.sum([rows @ q**2 for rows, q in zip(own, precise, strict=True)], axis=0)
    weighted = np.sum([np.where(rows, dose, 0.0) @ q**2 for rows, q in zip(own, precise, strict=True)], axis=0)
    mean = (weighted / total)[:, None]
    result, variance = np.zeros((len(cohort), columns.shape[-1])), np.zeros(len(cohort))
    for rows, q, values in zip(own, precise, columns, strict=True):
        weights = np.where(rows, dose - mean, 0.0) * q
        result += weights @ values
        variance += (weights**2).sum(axis=1)
    return result / np.sqrt(variance)[:, None]
