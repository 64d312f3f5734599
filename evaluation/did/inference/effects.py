"""What every estimate of an effect hands over with its numbers: rows, facts, counts and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from evaluation.did.inference.unit_effects import Measured, collapsed
from evaluation.did.reporting import explaining_change
from evaluation.errors import EstimationError
from evaluation.estimates import Counts, Draws, Note
from evaluation.panel import Panel
from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.inference import FEW_UNITS, Tested
from evaluation.regression import null_scores, two_way

VANISHING = 1e-9  # widths and effects below it are zeros with rounding errors


def without_variation(tested: Tested) -> bool:
    """Return whether the interval has no width."""
    return bool(tested.conf_high - tested.conf_low <= VANISHING * max(1.0, abs(tested.estimate)))


def effect_row(tested: Tested) -> dict[str, object]:
    """Return a tested effect as a row of :class:`evaluation.Estimates`, without its keys.

    Where no assignment shows another effect nothing varies, and the row says so instead of an interval without width.
    """
    if without_variation(tested):
        p_value = tested.p_value if abs(tested.estimate) > VANISHING else np.nan
        return plain_row(tested.estimate, "survey.note.no_variation") | {"p_value": p_value}
    notes = ["no_std_error"]
    if np.isnan(tested.estimate):
        notes.append("no_ratio")
    if np.isnan(tested.conf_low) or np.isnan(tested.conf_high):
        both = np.isnan(tested.conf_low) and np.isnan(tested.conf_high)
        notes.append("no_interval" if both else "unbounded")
    return {
        "estimate": tested.estimate,
        "std_error": np.nan,
        "df": np.inf,
        "statistic": np.nan,
        "p_value": tested.p_value,
        "conf_low": tested.conf_low,
        "conf_high": tested.conf_high,
        "note": " ".join(notes),
    }


def plain_row(estimate: float, note: str) -> dict[str, object]:
    """Return a row with an estimate alone; `note` says why there is no more."""
    empty = dict.fromkeys(("std_error", "statistic", "p_value", "conf_low", "conf_high"), np.nan)
    return {"estimate": estimate, **empty, "df": np.inf, "note": note}


def pooled_ratio(panel: Panel, measured: Measured) -> tuple[float, np.ndarray]:
    """Return the pooled log rate ratio of after against before, and the influence ``(N,)`` of every unit on it.

    Poisson regression of the counts of the two windows with unit and window effects and the exposure as offset;
    without exposure it is ``ln [(T1 / T0) / (C1 / C0)]``. Cohorts are weighted by their treated units.

    Raises
    ------
    EstimationError
        The treated units have no case before or after.
    """
    treated = measured.effects.treated(measured.effects.cohort)
    estimate, influence = 0.0, np.zeros(len(treated))
    for g in range(len(measured.starts)):
        own = measured.effects.cohort == g
        if not own.any():
            continue
        cases, people, _ = collapsed(panel, measured, g)
        regressor = np.stack([np.zeros(len(own)), own.astype(float)], axis=1)[None]
        fit = two_way(cases, regressor, exposure=people if panel.study.exposure else None)
        share = own.sum() / treated.sum()
        estimate += share * fit.coefficients[0]
        influence += share * fit.influence[:, 0]
    return float(estimate), influence


def pooled_null_scores(panel: Panel, measured: Measured) -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
    """Return the function from a log ratio to unit scores and information ``(N,)`` of :func:`pooled_ratio` under it.

    The scores of every cohort are divided by its information and weighted like its estimate.
    """
    number = int(measured.effects.treated(measured.effects.cohort).sum())
    cohorts = []
    for g in range(len(measured.starts)):
        own = measured.effects.cohort == g
        if own.any():
            cases, people, _ = collapsed(panel, measured, g)
            regressor = np.stack([np.zeros(len(own)), own.astype(float)], axis=1)
            cohorts.append((own.sum() / number, cases, regressor, people if panel.study.exposure else None))

    def scores(theta: float) -> tuple[np.ndarray, np.ndarray]:
        total = np.zeros((2, len(panel.units)))
        for share, cases, regressor, people in cohorts:
            parts = np.stack(null_scores(cases, regressor, theta, exposure=people))
            total += share * parts / parts[1].sum()
        return total[0], total[1]

    return scores


def pooled_or_missing(panel: Panel, measured: Measured) -> float:
    """Return the pooled log ratio, missing where the treated units have no case before or after."""
    try:
        return pooled_ratio(panel, measured)[0]
    except EstimationError:
        return float("nan")


def mean_difference(panel: Panel, measured: Measured) -> tuple[float, np.ndarray]:
    """Return the difference of mean changes, in cases a unit and period, and the influences ``(N,)`` on it."""
    treated = measured.effects.treated(measured.effects.cohort)
    estimate, influence = 0.0, np.zeros(len(treated))
    for g in range(len(measured.starts)):
        own = measured.effects.cohort == g
        if not own.any():
            continue
        change, outside = measured.effects.residual[g], measured.effects.compared(measured.effects.cohort, g)
        share = own.sum() / treated.sum()
        estimate += share * (change[own].mean() - change[outside].mean())
        influence += share * np.where(own, change - change[own].mean(), 0.0) / own.sum()
        influence -= share * np.where(outside, change - change[outside].mean(), 0.0) / outside.sum()
    return float(estimate), influence


def observed_cases(panel: Panel, measured: Measured) -> float:
    """Return the cases of the treated units in their after-windows."""
    own = [measured.effects.cohort == g for g in range(len(measured.starts))]
    return float(sum(collapsed(panel, measured, g)[0][rows, 1].sum() for g, rows in enumerate(own)))


def facts_of(measured: Measured, tested: Tested, reference: ReferenceSet) -> dict[str, object]:
    """Return what belongs beside an effect: what could be found, what would explain it away, and the comparison."""
    history, log = measured.history, measured.scale != "identity" and not without_variation(tested)
    return {
        "smallest_p": tested.smallest_p,
        "smallest": tested.smallest_p,
        "detectable": float(1.0 - np.exp(-tested.detectable)) if log else float("nan"),
        "exaggeration": tested.exaggeration if log else float("nan"),  # of a relative change
        "history_dates": len(measured.effects.past),
        "reference_set": reference.kind,
        "assignments": len(tested.reference),
        "enumerated": reference.enumerated,
        "treated": int(measured.effects.treated(measured.effects.cohort).sum()),
        "comparison": int((measured.effects.pool & (measured.effects.cohort < 0)).sum()),
        "slope": history.slope if history else float("nan"),
        "tau2": history.tau2 if history else float("nan"),
        "phi": history.phi if history else float("nan"),
        "before": measured.windows.before,
        "after": measured.windows.after,
        **(explaining_change(tested.estimate, tested.conf_low, tested.conf_high) if log else {}),
    }


def draws_of(effects: Sequence[np.ndarray], panel: Panel, measured: Measured, reference: ReferenceSet) -> Draws:
    """Return effects ``(B,)`` under the assignments side by side; earlier dates that joined these belong to the key."""
    values = np.stack(effects, axis=1)
    dates = tuple(measured.past_dates[measured.effects.whole].tolist()) if len(values) > len(reference.cohort) else ()
    return Draws(values=values, key=(panel.units, reference.key, dates), enumerated=reference.enumerated)


def counts_of(panel: Panel, measured: Measured) -> Counts:
    """Return what went into an effect."""
    return Counts(
        observations=int(np.isfinite(panel.outcome[measured.effects.pool]).sum()),
        units=int(measured.effects.pool.sum()),
        treated=int(measured.effects.treated(measured.effects.cohort).sum()),
        dropped=measured.dropped,
    )


def dropped_notes(measured: Measured) -> tuple[Note, ...]:
    """Return the remarks on what was set aside."""
    return tuple(Note(code, {"n": n}) for code, n in measured.dropped.items())


def notes_of(measured: Measured, reference: ReferenceSet) -> tuple[Note, ...]:
    """Return the remarks on what was set aside, and which inference was used and why."""
    notes = list(dropped_notes(measured))
    dates, assignments = len(measured.effects.past), len(reference.cohort)
    if measured.scale == "identity":
        notes.append(Note("core.note.additive"))
    elif not measured.effects.standardised:
        notes.append(Note("core.note.little_history", {"dates": dates}))
    elif reference.kind == "connected":
        notes.append(Note("core.note.inference_connected", {"dates": dates, "assignments": assignments}))
    else:
        values = {"dates": dates, "assignments": assignments, "strata": reference.strata}
        notes.append(Note("core.note.inference_strata", values))
    if reference.not_connected:
        notes.append(Note("core.note.not_connected"))
    if measured.effects.standardised and measured.effects.pool.sum() < FEW_UNITS:
        notes.append(Note("core.note.inference_few_units", {"units": int(measured.effects.pool.sum()), "dates": dates}))
    return tuple(notes)


def in_cases(table: pd.DataFrame, observed: float | np.ndarray) -> pd.DataFrame:
    """Turn log ratios into additional cases: ``observed - observed / ratio``; interval ends alike."""
    shown = table.copy()
    for column in ("estimate", "conf_low", "conf_high"):
        shown[column] = observed * (1.0 - np.exp(-shown[column].to_numpy(dtype=float)))
    shown["note"] = (shown["note"] + " derived_from_ratio").str.strip()
    return shown
