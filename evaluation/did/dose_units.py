"""The doses of units: what each had more of the measure after its start than before, and regressions on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.did.unit_effects import Measured, collapsed
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Note
from evaluation.panel import Panel
from evaluation.randomization.windows import WindowSums
from evaluation.regression import two_way

SAME = 1e-9  # doses this much of the largest apart are the same


@dataclass(frozen=True, eq=False)
class Dosed:
    """The changes of all units with their doses.

    Parameters
    ----------
    measured
        Changes of the units whose dose is known.
    increase
        ``(G, N)`` mean dose a period after less before, at the date of each cohort.
    own
        ``(N,)`` the same at a unit's own date; 0 for units without the measure.
    notes
        What is to be said about the doses.
    """

    measured: Measured
    increase: np.ndarray
    own: np.ndarray
    notes: tuple[Note, ...]

    @property
    def treated(self) -> np.ndarray:
        """``(N,)`` units with the measure whose effect is estimated."""
        return self.measured.effects.treated(self.measured.effects.cohort)

    @property
    def different(self) -> int:
        """Number of different doses of treated units, up to rounding."""
        doses = np.sort(self.own[self.treated])
        return 1 + int((np.diff(doses) > SAME * np.abs(doses).max()).sum())


def with_doses(panel: Panel, measured: Measured, name: str, method: str) -> Dosed:
    """Return the changes of the units whose dose is known, with the doses in column `name`.

    Raises
    ------
    DesignError
        A dose is negative.
    EstimationError
        The doses of all treated units are unknown, or none of them changes.
    """
    dose = panel.wide(name)
    if len(negative := np.argwhere(dose < 0)):
        raise DesignError(
            *(
                Problem(
                    "triple_dose.negative_dose",
                    method=method,
                    unit=panel.units[i],
                    period=panel.periods[t],
                    dose=dose[i, t],
                )
                for i, t in negative[:5]
            )
        )
    begun = panel.treated[:, None] & (np.arange(len(panel.periods)) >= panel.starts[:, None])
    sums = WindowSums(np.where(np.isnan(dose) & ~begun, 0.0, dose), measured.starts)
    windows, effects = measured.windows, measured.effects
    earlier = sums.over(-windows.gap - windows.before, windows.before) / windows.before
    increase = sums.over(windows.lead, windows.after) / windows.after - earlier
    at_own = np.clip(effects.cohort, 0, len(increase) - 1), np.arange(len(effects.cohort))
    treated = effects.treated(effects.cohort)
    unknown = treated & np.isnan(increase[at_own])
    if (unknown | ~treated).all():
        raise EstimationError(Problem("triple_dose.dose_missing", method=method, name=name))
    cohort = np.where(unknown, -1, effects.cohort)
    effects = replace(effects, pool=effects.pool & ~unknown, cohort=cohort)
    lost = {"triple_dose.note.dose_unknown": int(unknown.sum())} if unknown.any() else {}
    measured = replace(measured, effects=effects, dropped=measured.dropped | lost)
    treated = effects.treated(cohort)
    own = np.where(treated, increase[at_own], 0.0)
    if not own.any():
        raise EstimationError(Problem("triple_dose.no_dose", method=method, name=name))
    compared = effects.pool & (cohort < 0)
    counts = {
        "earlier_dose": int((treated & (earlier[at_own] > 0)).sum()),
        "dose_elsewhere": int((compared & (increase != 0).any(axis=0)).sum()),
        "without_dose": int((treated & (own == 0)).sum()),
    }
    notes = tuple(Note(f"triple_dose.note.{code}", {"n": n}) for code, n in counts.items() if n)
    increase = np.where(np.isnan(increase), own, increase)  # in the windows of another cohort
    return Dosed(measured, np.where(effects.pool, increase, 0.0), own, notes)


def stacked_poisson(panel: Panel, dosed: Dosed, regressors: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return Poisson coefficients ``(k,)`` and influences ``(N, k)`` from the two windows of every cohort.

    Every cohort stands beside its comparison units, with unit and window effects of its own; coefficients are common.

    Parameters
    ----------
    regressors
        ``(N,)`` or, by cohort, ``(G, N)`` values in the after-window; 0 before.
    """
    measured, number = dosed.measured, len(dosed.measured.starts)
    units = len(measured.effects.cohort)
    cases, people = np.full((number, units, number, 2), np.nan), np.ones((number, units, number, 2))
    values = np.zeros((len(regressors), number, units, number, 2))
    for g in range(number):
        cases[g, :, g], people[g, :, g], _ = collapsed(panel, measured, g)
        for k, regressor in enumerate(regressors):
            own = measured.effects.cohort == g
            values[k, g, :, g, 1] = regressor[g] if regressor.ndim == 2 else np.where(own, regressor, 0.0)
    shape = number * units, number * 2
    fit = two_way(
        cases.reshape(shape),
        values.reshape(len(regressors), *shape),
        exposure=people.reshape(shape) if panel.study.exposure else None,
    )
    return fit.coefficients, fit.influence.reshape(number, units, -1).sum(axis=0)
