"""Cases as they were registered, with and without the measure, and what the others' development lets expect.

No model and no adjustment: what a reader sees before any estimate. What is left out: how uncertain the expectation is,
which the estimators say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.did.inference.unit_effects import choose_windows
from evaluation.errors import EstimationError, Problem
from evaluation.estimates import NUMBERS, Counts, Estimates, Note, Scale
from evaluation.panel import Panel

METHOD = "raw_trends"
SERIES = ("treated", "comparison", "expected")
PER = 1000
"""Rates are cases for so much exposure."""
DESCRIPTION, GAP = "diagnostics.note.description", "pictures.note.gap"


@dataclass(frozen=True, kw_only=True)
class RawTrends:
    """What was asked for: the number of periods before each start that count."""

    before: int | None = None


def raw_trends(panel: Panel, *, before: int | None = None) -> Estimates:
    """Return the rates of treated and comparison areas in every period, and the expected ones of the treated.

    Parameters
    ----------
    before
        Periods before each start from which the expectation goes on; by default as many as an effect compares.

    Returns
    -------
    Estimates
        Rows ``series`` x ``period``: ``treated``, ``comparison`` and, from the first start on, ``expected``. Cases per
        1,000 of the exposure and period, or, without exposure, cases an area and period. Column ``n`` is the number of
        cases behind a row (for ``expected`` the smaller one of those before the starts and those compared). Facts:
        ``starts`` (areas that start, by period), ``period`` (length), ``rate`` (whether per exposure), ``before``, and
        over all periods from the starts on ``observed`` and ``expected`` cases in the treated areas.

    Raises
    ------
    DesignError
        There are fewer than `before` periods.
    EstimationError
        No treated area has data before its start, no comparison area has data in all periods, or there it has no case.

    Notes
    -----
    A treated area with ``Y_b`` cases in the window before its start, exposure ``n_b`` there and ``n_t`` now is expected
    to have ``n_t (Y_b / n_b) (C_t / C_b)`` cases, with ``C`` the rates of all comparison areas together. Areas that
    have not started yet are expected to have what they have. With one start date the ratio of observed to expected
    cases over a window is the one of two by two, ``(T1 / T0) / (C1 / C0)``. A period in which a treated area has no
    value is a gap; comparison areas with a gap are set aside and counted.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = raw_trends(example_panel(), before=3)
    >>> result.table["series"].value_counts().to_dict()
    {'treated': 14, 'comparison': 14, 'expected': 5}
    """
    windows = choose_windows(panel, before, None, METHOD)
    last = panel.starts - windows.gap
    window = (np.arange(len(panel.periods)) >= (last - windows.before)[:, None]) & (
        np.arange(len(panel.periods)) < last[:, None]
    )
    known = np.isfinite(panel.outcome)
    treated = panel.treated & ~(window & ~known).any(axis=1)
    compared = panel.comparison & known.all(axis=1)
    _check(treated, compared)
    lost = int((panel.treated & ~treated).sum() + (panel.comparison & ~compared).sum())
    others = panel.outcome[compared].sum(axis=0), panel.exposure[compared].sum(axis=0)
    own = panel.outcome[treated], panel.exposure[treated]
    base = window[treated]
    expected, counted = _expected(own, others, base)
    started = np.arange(len(panel.periods)) >= panel.starts[treated][:, None]
    first = int(panel.starts[treated].min())
    joined = np.where(started, expected, own[0])
    per = PER if panel.study.exposure else 1
    parts = {
        "treated": (own[0].sum(axis=0), own[1].sum(axis=0), own[0].sum(axis=0)),
        "comparison": (*others, others[0]),
        "expected": (joined.sum(axis=0), own[1].sum(axis=0), np.minimum(counted, others[0])),
    }
    rows = [
        {"series": name, "period": period, "estimate": per * cases[t] / people[t], "n": behind[t]}
        for name, (cases, people, behind) in parts.items()
        for t, period in enumerate(panel.periods)
        if name != "expected" or t >= first
    ]
    shown = started & np.isfinite(own[0])
    return Estimates(
        table=_table(rows),
        scale=Scale("identity", "cases_per_1000" if panel.study.exposure else "cases"),
        declaration=panel.study,
        method=RawTrends(before=before),
        counts=Counts(
            observations=int(known[treated | compared].sum()),
            units=int((treated | compared).sum()),
            treated=int(treated.sum()),
            dropped={"core.note.dropped_incomplete": lost} if lost else {},
        ),
        notes=(Note("core.note.dropped_incomplete", {"n": lost}),) if lost else (),
        facts={
            "starts": _starts(panel, treated),
            "period": panel.study.period,
            "rate": panel.study.exposure,
            "before": windows.before,
            "observed": float(own[0][shown].sum()),
            "expected": float(expected[shown].sum()),
        },
    )


def _check(treated: np.ndarray, compared: np.ndarray) -> None:
    groups = (("core.no_treated_left", treated), ("core.no_comparison_left", compared))
    problems = [Problem(code, method=METHOD) for code, group in groups if not group.any()]
    if problems:
        raise EstimationError(*problems)


def _expected(
    own: tuple[np.ndarray, np.ndarray], others: tuple[np.ndarray, np.ndarray], base: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the expected cases ``(K, T)`` of treated areas, and their cases before the starts.

    Parameters
    ----------
    own
        Cases and exposure ``(K, T)`` of the treated areas.
    others
        Cases and exposure ``(T,)`` of all comparison areas together.
    base
        ``(K, T)`` the window before each start.
    """
    cases, people = (np.where(base, part, 0.0).sum(axis=1) for part in own)
    compared, compared_people = (np.where(base, part, 0.0).sum(axis=1) for part in others)
    if (compared == 0).any():
        raise EstimationError(Problem("pictures.no_case_before", method=METHOD))
    development = (others[0] / others[1]) / (compared / compared_people)[:, None]
    return own[1] * (cases / people)[:, None] * development, float(cases.sum())


def _starts(panel: Panel, treated: np.ndarray) -> dict[str, int]:
    first, number = np.unique(panel.starts[treated], return_counts=True)
    return {panel.periods[start]: int(n) for start, n in zip(first, number, strict=True)}


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    known = frame["estimate"].notna()
    empty = {name: np.nan for name in NUMBERS if name != "estimate"} | {"df": np.inf}
    frame = frame.assign(**empty, note=np.where(known, DESCRIPTION, GAP))
    frame["n"] = frame["n"].where(known).astype(float)
    return frame[["series", "period", *NUMBERS, "note", "n"]]
