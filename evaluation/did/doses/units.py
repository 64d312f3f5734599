"""The doses of units: what each had more of the measure after its start than before, and Poisson regressions on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.did.inference.unit_effects import Measured, collapsed
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Note
from evaluation.panel import Panel
from evaluation.randomization.windows import WindowSums
from evaluation.regression import two_way

SAME = 1e-9  # doses this much of the largest apart are the same
EQUAL_DOSES, NOBODY_BELOW = "triple_dose.note.equal_doses", "triple_dose.note.nobody_below"
ONE_UNIT, NO_CASE = "triple_dose.note.one_unit", "regression.separated.problem"


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
    increase[np.abs(increase) <= SAME * np.nanmax(dose, initial=0.0)] = 0.0
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


def without_doses_elsewhere(dosed: Dosed, method: str) -> Dosed:
    """Return the changes without comparison units that have a dose, for which classes of doses have no place.

    Raises
    ------
    EstimationError
        No comparison unit is left.
    """
    effects, measured = dosed.measured.effects, dosed.measured
    elsewhere = effects.pool & (effects.cohort < 0) & (dosed.increase != 0).any(axis=0)
    if not elsewhere.any():
        return dosed
    if not (effects.pool & ~dosed.treated & ~elsewhere).any():
        raise EstimationError(Problem("core.no_comparison_left", method=method))
    lost = {"triple_dose.note.dose_elsewhere_left_out": int(elsewhere.sum())}
    effects = replace(effects, pool=effects.pool & ~elsewhere)
    notes = tuple(note for note in dosed.notes if note.code != "triple_dose.note.dose_elsewhere")
    return replace(dosed, measured=replace(measured, effects=effects, dropped=measured.dropped | lost), notes=notes)


# --- regressions ---


@dataclass(frozen=True, eq=False)
class Regressions:
    """Poisson coefficients by term ``(k,)`` with influences ``(N, k)`` and row notes; the first is the effect.

    With one unit on a side nothing shows how much it varies: the influence is zero and a note says why.
    """

    terms: tuple[str, ...]
    estimate: np.ndarray
    influence: np.ndarray
    notes: list[str]


def linear_regressions(panel: Panel, dosed: Dosed, step: float) -> Regressions:
    """Return the slope by `step` of dose, and that beside an effect which all treated units share."""
    doses, treated = dosed.increase / step, dosed.treated.astype(float)
    slope, influence = stacked_poisson(panel, dosed, [doses])
    more, of_more, note = np.array([np.nan]), np.zeros((len(treated), 1)), EQUAL_DOSES
    if dosed.different > 1:
        try:
            more, of_more = (part[..., :1] for part in stacked_poisson(panel, dosed, [doses, treated]))
            note = "" if treated.sum() > 2 else ONE_UNIT
        except EstimationError:
            note = NO_CASE
    of_more = np.zeros_like(of_more) if note else of_more
    return Regressions(("effect", "more"), np.r_[slope, more], np.hstack([influence, of_more]), ["", note])


def threshold_regressions(panel: Panel, dosed: Dosed, above: np.ndarray) -> Regressions:
    """Return the effects above and below the threshold against units without the measure, and their difference."""
    below = dosed.treated & ~above
    sides = [above.astype(float), below.astype(float)] if below.any() else [above.astype(float)]
    effects, influence = stacked_poisson(panel, dosed, sides)
    if not below.any():
        effects, influence = np.r_[effects, np.nan], np.hstack([influence, np.zeros_like(influence)])
    contrasts = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    notes = ["", *([""] if below.sum() > 1 else [ONE_UNIT] if below.any() else [NOBODY_BELOW]) * 2]
    influence = np.where([note == "" for note in notes], influence @ contrasts, 0.0)
    estimate = np.array([effects[0], effects[1], effects[0] - effects[1]])
    return Regressions(("effect", "below", "difference"), estimate, influence, notes)


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
