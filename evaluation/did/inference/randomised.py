"""The default inference of every difference-in-differences estimator, from its measure of change.

One effect over the after-window, or effects by time since the start. The estimator says how it sees a unit's change
(:mod:`evaluation.randomization.measures`); history, adjustment for the return to the usual level, exchange of units and
intervals are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Literal, Protocol

import numpy as np
import pandas as pd

from evaluation.did.inference.effects import (
    counts_of,
    draws_of,
    effect_row,
    facts_of,
    in_cases,
    notes_of,
    observed_cases,
    plain_row,
)
from evaluation.did.inference.unit_effects import Measured, choose_windows, measure
from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.inference import Randomization, Tested
from evaluation.randomization.measures import LOG_OF_SUMS, ChangeMeasure
from evaluation.randomization.windows import CONTINUITY, Windows

FEW_CASES = 5.0
SEPARATED = "regression.separated"
NO_CASE = f"unadjusted {SEPARATED}.problem"
NO_CASE_THEN = "models_did.note.no_case"


class Randomised(Protocol):
    """An estimator with randomisation inference."""

    @property
    def inference(self) -> object:
        """How p-values and intervals are made."""


def randomised_effect(
    panel: Panel,
    method: Randomised,
    *,
    before: int | None = None,
    after: int | None = None,
    change: ChangeMeasure = LOG_OF_SUMS,
    own: Callable[[Panel, Measured], float] | None = None,
    scale: Literal["ratio", "levels", "additive"] = "ratio",
) -> Estimates:
    """Return the effect over the after-window, tested and with an interval, and the estimator's unadjusted value.

    Parameters
    ----------
    method
        The estimator, whose `inference` is a :class:`evaluation.Randomization`.
    before, after
        Lengths of the windows in periods; by default up to three years before and one year after.
    change
        How the estimator sees the change of a unit.
    own
        Returns the estimator's own value on the log scale, without the adjustment for the return to the usual
        level; missing where treated units have no case.
    scale
        ``levels`` turns ratios into cases; ``additive`` compares mean counts (and ignores `change`).

    Returns
    -------
    Estimates
        Rows ``effect`` and, but for ``additive``, ``unadjusted``.

    Raises
    ------
    DesignError
        The windows do not fit the panel.
    EstimationError
        No unit has complete data in the windows.
    """
    name, inference = type(method).__name__, _randomization(method)
    windows = choose_windows(panel, before, after, name)
    measured = measure(panel, windows, name, scale="identity" if scale == "additive" else "log", change=change)
    reference = inference.assign(measured.effects, panel.contiguity)
    tested = _tested(inference, measured, reference)
    facts = facts_of(measured, tested, reference)
    rows = [{"term": "effect", **effect_row(tested)}]
    if scale != "additive":
        observed = observed_cases(panel, measured)
        units = int((measured.effects.cohort >= 0).sum())
        counted = observed or CONTINUITY * units  # without a case, as many as the log changes count
        facts |= {"observed": observed, "expected": observed - counted + counted / float(np.exp(tested.estimate))}
        if own is not None:
            value = own(panel, measured)
            rows.append({"term": "unadjusted", **plain_row(value, "unadjusted" if np.isfinite(value) else NO_CASE)})
    table = pd.DataFrame(rows)
    return Estimates(
        table=in_cases(table, counted) if scale == "levels" else table,
        scale=Scale("log", "ratio") if scale == "ratio" else Scale("identity", "cases"),
        draws=draws_of([tested.reference], panel, measured, reference),
        declaration=panel.study,
        method=method,
        counts=counts_of(panel, measured),
        notes=notes_of(measured, reference),
        facts=facts,
    )


def randomised_path(
    panel: Panel,
    method: Randomised,
    *,
    window: tuple[int, int],
    base: Windows,
    change: ChangeMeasure = LOG_OF_SUMS,
) -> Estimates:
    """Return the effect at every event time of `window`, tested under the same assignments.

    Parameters
    ----------
    window
        First and last period relative to the start.
    base
        Its `before` periods are the reference.

    Returns
    -------
    Estimates
        Keyed by ``event_time``. Periods after the start are adjusted for the return to the usual level, periods
        before are not, because that is what they would show. ``facts["pre_trend_p"]`` tests all periods before the
        start together, by the largest standardised deviation; periods of anticipation are no part of it.
    """
    name, inference = type(method).__name__, _randomization(method)
    shown, times = event_times(panel, window, base)
    measured = common_units(measurable(panel, base, times, name, change=change), panel, name)
    first = 0 if 0 in measured else next(iter(measured))
    at_start = measured[first]
    reference = inference.assign(at_start.effects, panel.contiguity)
    tested = {k: _tested(inference, m, reference) for k, m in measured.items()}
    missing = {k: plain_row(np.nan, NO_CASE_THEN) if k in times else plain_row(0.0, "reference_period") for k in shown}
    rows = [{"event_time": k, **(effect_row(tested[k]) if k in tested else missing[k])} for k in shown]
    effects = _same_dates(tested, measured, len(reference.cohort))
    before = [values for k, values in effects.items() if k < -panel.study.anticipation]
    nothing = np.zeros_like(effects[first])  # a row without an estimate keeps its column of draws
    return Estimates(
        table=pd.DataFrame(rows),
        scale=Scale("log", "ratio"),
        draws=draws_of([effects.get(k, nothing) for k in times], panel, at_start, reference),
        declaration=panel.study,
        method=method,
        counts=counts_of(panel, at_start),
        notes=(
            *notes_of(at_start, reference),
            *_low_counts(at_start),
            *_without_history(measured, at_start),
        ),
        facts=facts_of(at_start, tested[first], reference) | {"pre_trend_p": _joint_p(before)},
    )


def measurable(
    panel: Panel,
    base: Windows,
    times: list[int],
    method: str,
    *,
    change: ChangeMeasure = LOG_OF_SUMS,
    additive: bool = False,
) -> dict[int, Measured]:
    """Return the changes at all event times but those where the treated units have no case, then or before.

    Raises
    ------
    EstimationError
        That is so at all event times, or there is another reason.
    """
    found: dict[int, Measured] = {}
    for k in times:
        try:
            found[k] = measure_at(panel, base, k, method, change=change, additive=additive)
        except EstimationError as error:
            if (k == times[-1] and not found) or [problem.code for problem in error.problems] != [SEPARATED]:
                raise
    return found


def event_times(panel: Panel, window: tuple[int, int], base: Windows) -> tuple[list[int], list[int]]:
    """Return the event times that have a row, and those of them that are estimated.

    A dropped partial period has no row; a reference of one period is zero by construction.
    """
    shown = [k for k in range(window[0], window[1] + 1) if not (panel.partial and k == -1)]
    return shown, [k for k in shown if not (base.before == 1 and k == -1 - base.gap)]


def measure_at(
    panel: Panel, base: Windows, k: int, method: str, *, change: ChangeMeasure = LOG_OF_SUMS, additive: bool = False
) -> Measured:
    """Return the changes from the reference to the period `k` after the start."""
    scale: Literal["identity", "pre_trend", "log"]
    scale = "identity" if additive else "pre_trend" if k < 0 else "log"
    return measure(panel, replace(base, lead=k, after=1), method, scale=scale, change=change)


def common_units(measured: dict[int, Measured], panel: Panel, method: str) -> dict[int, Measured]:
    """Return the same changes for the units that have data at all event times; the others are counted."""
    pool = np.logical_and.reduce([m.effects.pool for m in measured.values()])
    # Each unit has data somewhere: what all lack together may be cases, too.
    silent = any("core.note.all_zero" in m.dropped for m in measured.values())
    codes = (SEPARATED, "core.no_comparison_case") if silent else ("core.no_treated_left", "core.no_comparison_left")
    groups = zip(codes, (panel.treated, panel.comparison), strict=True)
    problems = [Problem(code, method=method) for code, group in groups if not (group & pool).any()]
    if problems:
        raise EstimationError(*problems)
    return {k: _restricted(m, pool) for k, m in measured.items()}


def _restricted(measured: Measured, pool: np.ndarray) -> Measured:
    effects = replace(measured.effects, pool=pool, cohort=np.where(pool, measured.effects.cohort, -1))
    lost = int((measured.effects.pool & ~pool).sum())
    incomplete = {"core.note.dropped_incomplete": measured.dropped.get("core.note.dropped_incomplete", 0) + lost}
    return replace(measured, effects=effects, dropped=measured.dropped | incomplete if lost else measured.dropped)


def _randomization(method: Randomised) -> Randomization:
    if not isinstance(method.inference, Randomization):
        raise TypeError(f"{type(method).__name__} has the inference {type(method.inference).__name__}")
    return method.inference


def _tested(inference: Randomization, measured: Measured, reference: ReferenceSet) -> Tested:
    """Test the changes; effects are logs of ratios (differences of counts where these are compared)."""
    tested = inference.test(measured.effects, reference)
    if measured.scale == "identity":
        return tested
    return tested.mapped(lambda values: measured.change.log_ratio(values, measured.windows), inference.level)


def _low_counts(measured: Measured) -> tuple[Note, ...]:
    """Return a caution where single periods of the treated units hold few cases: logs of small counts lean."""
    typical = float(np.median(measured.effects.level[measured.effects.treated(measured.effects.cohort)]))
    return (Note("core.note.low_counts", {"n": typical}),) if typical < FEW_CASES else ()


def _without_history(measured: dict[int, Measured], at_start: Measured) -> tuple[Note, ...]:
    """Return a remark on event times that reach too far for earlier dates, where the others have these."""
    if not at_start.effects.standardised:
        return ()
    times = [k for k, one in measured.items() if not one.effects.standardised]
    return (Note("core.note.times_without_history", {"times": times}),) if times else ()


def _same_dates(tested: dict[int, Tested], measured: dict[int, Measured], assignments: int) -> dict[int, np.ndarray]:
    """Return ``(B,)`` effects under the same assignments at the same dates for all event times.

    With few units, assignments at earlier dates join the reference set, and the periods farthest from the start
    reach fewer of these dates.
    """
    blocks = {k: one.reference.reshape(-1, assignments) for k, one in tested.items()}
    if len({len(block) for block in blocks.values()} | {1}) == 1:
        return {k: one.reference for k, one in tested.items()}
    none = np.empty(0, dtype=int)
    dates = {k: m.past_dates[m.effects.whole] if len(blocks[k]) > 1 else none for k, m in measured.items()}
    common = reduce(np.intersect1d, dates.values())
    kept = {k: np.r_[True, np.isin(dates[k], common)][: len(block)] for k, block in blocks.items()}
    return {k: block[kept[k]].ravel() for k, block in blocks.items()}


def _joint_p(effects: list[np.ndarray]) -> float:
    """Return the p-value of the largest standardised deviation over several periods, each ``(B,)``."""
    if not effects:
        return float("nan")
    deviations = np.stack(effects, axis=1)
    spread = deviations.std(axis=0)
    largest = np.abs(deviations / np.where(spread > 0, spread, 1.0)).max(axis=1)
    return float((largest >= largest[0] * (1 - 1e-9)).mean())
