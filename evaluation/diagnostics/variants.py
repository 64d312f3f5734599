"""What the checks of an effect share: the same question put to another panel, and the effect in its answer.

Every check begins with the effect itself. Its numbers go into ``facts`` (``estimate, conf_low, conf_high, p_value``,
next to the facts of the estimator), so that the rows of a check stand beside what they check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.data.periods import convert
from evaluation.did.inference.unit_effects import choose_windows
from evaluation.did.two_by_two import TwoByTwo
from evaluation.errors import DesignError, EstimationError, EvaluationError, Problem
from evaluation.estimates import NUMBERS, Estimates, Estimator, Note
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization

FEWEST_DRAWS = 99
NOT_ESTIMATED = "diagnostics.note.not_estimated"
Attempt = Estimates | EvaluationError


def effect_of(result: Estimates) -> pd.Series:
    """Return the row ``term == "effect"`` of a result.

    Raises
    ------
    DesignError
        The estimator has no such row; an event study has one for each period instead.
    """
    table = result.table
    chosen = table[table["term"] == "effect"] if "term" in table.columns else table.iloc[:0]
    if len(chosen) != 1:
        raise DesignError(Problem("diagnostics.no_effect", method=type(result.method).__name__))
    return chosen.iloc[0]


def attempt(method: Estimator, panel: Panel) -> Attempt:
    """Return the estimates of `panel`, or the error that says why there are none."""
    try:
        return method.estimate(panel)
    except EvaluationError as error:
        return error


def attempt_variant(method: Estimator, panel: Panel, **changes: Any) -> Attempt:
    """Return the estimates of `panel` with other fields, or the error that says why there are none."""
    try:
        return method.estimate(replace(panel, **changes))
    except EvaluationError as error:
        return error


def row_of(result: Attempt) -> dict[str, object]:
    """Return the numbers of the effect, or missing ones with a note."""
    if isinstance(result, EvaluationError):
        return plain_row(np.nan, NOT_ESTIMATED)
    row = effect_of(result)
    return {name: row[name] for name in (*NUMBERS, "note")}


def plain_row(estimate: float, note: str) -> dict[str, object]:
    """Return a row with an estimate alone; `note` says why there is no more."""
    return {**dict.fromkeys(NUMBERS, np.nan), "estimate": estimate, "df": np.inf, "note": note}


def reasons(results: Iterable[Attempt]) -> tuple[Note, ...]:
    """Return what stood in the way of the results that do not exist, each reason once."""
    problems = [p for result in results if isinstance(result, EvaluationError) for p in result.problems]
    places = ("file", "table", "row", "column", "value")
    notes = [Note(f"{p.code}.problem", {**{name: getattr(p, name) for name in places}, **p.values}) for p in problems]
    return tuple({note.worded("en"): note for note in notes}.values())


def in_one(
    rows: Sequence[Mapping[str, object]],
    full: Estimates,
    results: Sequence[Attempt],
    *,
    facts: Mapping[str, Any],
    notes: tuple[Note, ...] = (),
) -> Estimates:
    """Return the rows of a check as one result, with the effect that is checked among its facts.

    Raises
    ------
    EstimationError
        Not one of the results exists; with the reasons of all.
    """
    failed = [result for result in results if isinstance(result, EvaluationError)]
    if results and len(failed) == len(results):
        problems = {problem.worded("en"): problem for error in failed for problem in error.problems}
        raise EstimationError(*problems.values())
    effect = effect_of(full)
    own = {name: float(effect[name]) for name in ("estimate", "conf_low", "conf_high", "p_value")}
    open_ended = [
        r for r in (full, *results) if isinstance(r, Estimates) and "no_interval" in str(effect_of(r)["note"])
    ]
    smallest = known_facts(open_ended, "smallest")  # what the note on a missing interval speaks of
    return Estimates(
        table=pd.DataFrame(rows),
        scale=full.scale,
        declaration=full.declaration,
        method=full.method,
        counts=full.counts,
        notes=(*full.notes, *notes, *reasons(results)),
        facts={**full.facts, **own, **({"smallest": max(smallest)} if smallest else {}), **facts},
    )


def known_facts(results: Iterable[Attempt], name: str) -> list[Any]:
    """Return a fact of the results that exist and have it."""
    return [result.facts[name] for result in results if isinstance(result, Estimates) and name in result.facts]


def excludes_zero(rows: Iterable[Mapping[str, Any]]) -> np.ndarray:
    """Return for each row whether its interval lies on one side of zero; an open end does not."""
    return np.array([bool(row["conf_low"] > 0 or row["conf_high"] < 0) for row in rows])


# --- options of the estimator ---


def with_windows(method: Estimator, full: Estimates, panel: Panel) -> Estimator:
    """Return the estimator with the windows of its result written down, where it has any; others count all periods."""
    options: Any = method
    if not (hasattr(method, "before") and hasattr(method, "after")):
        return method
    if isinstance(method, TwoByTwo):
        windows = choose_windows(panel, method.before, method.after, type(method).__name__)
        return replace(options, before=windows.before, after=windows.after)  # type: ignore[no-any-return]
    if {"before", "after"} <= set(full.facts):
        return replace(options, before=full.facts["before"], after=full.facts["after"])  # type: ignore[no-any-return]
    return method


def for_point(method: Estimator) -> Estimator:
    """Return the estimator with as few draws as there may be, for whoever needs its estimate alone."""
    inference = getattr(method, "inference", None)
    if not isinstance(inference, Randomization):
        return method
    options: Any = method
    quick = replace(inference, draws=FEWEST_DRAWS, enumerate_up_to=0, reference="strata")
    return replace(options, inference=quick)  # type: ignore[no-any-return]


# --- parts of a panel ---


def moment(panel: Panel, since: str) -> tuple[str, bool]:
    """Return what sorts declared starts in time: their period, a start on its first day before a later one."""
    period, whole = convert(since, panel.study.period)
    return period, not whole


def declared(panel: Panel, starts: Mapping[str, str], **changes: Any) -> dict[str, Any]:
    """Return the study with other treated units as a field to replace."""
    study = replace(panel.study, treated_since=dict(starts), treated=tuple(sorted(starts)), **changes)
    return {"study": study}


def without_units(panel: Panel, units: Iterable[str]) -> dict[str, Any]:
    """Return frame and study without some units, as fields to replace."""
    gone = set(units)
    frame = panel.frame[~panel.frame["unit"].isin(gone)]
    kept = {unit: since for unit, since in panel.study.starts.items() if unit not in gone}
    return {"frame": frame, **declared(panel, kept)}
