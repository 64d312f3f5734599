"""Regression to the mean: what falls by itself because areas were picked after a bad year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.diagnostics.variants import effect_of, in_one, plain_row, row_of, with_windows
from evaluation.did.inference.unit_effects import choose_windows
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel
from evaluation.randomization.history import Changes, fit_history, placebo_dates, unit_changes
from evaluation.randomization.windows import Windows

TOO_SHORT = "no_calibration"


def regression_to_the_mean(panel: Panel, method: Estimator) -> Estimates:
    """Return the effect with and without adjustment for the return to the usual level, and how risers fall unaided.

    Parameters
    ----------
    method
        An estimator whose result has the rows ``effect`` (adjusted) and ``unadjusted``: any with the default inference.

    Returns
    -------
    Estimates
        Rows ``term``: ``effect``; ``unadjusted``; ``difference`` (unadjusted less adjusted: what a naive comparison
        adds); ``expected_return`` (what the rise of the treated areas before the start lets expect without any
        measure). Then the placebo risers: as many areas as have the measure, the strongest risers of each earlier
        date, their mean change against the others: ``placebo_risers_naive`` from the last year before to the
        after-window, as a naive comparison has it; ``placebo_risers`` in the windows of the effect;
        ``placebo_risers_adjusted`` the same less what their rise lets expect. All on the log scale.
        Facts: ``risers`` (areas at a date), ``dates``, ``risers_naive_p10``, ``risers_p10``, ``risers_adjusted_p10``
        and the same with ``p90`` (over the dates), ``return_slope`` (log change that follows a log rise of one),
        ``rise`` (mean log rise of the treated areas against the others).

    Raises
    ------
    DesignError
        The estimator does not adjust, so that there is nothing to compare.

    Notes
    -----
    Rise ``r`` and change ``d`` of an area are logs of ratios of sums over windows, as in the default inference of
    :class:`evaluation.TwoByTwo`, whichever estimator is checked; the slope b is least squares of d on r over all areas
    and earlier dates, whose windows all lie before the first start. How far risers fall depends on the windows: a
    before-window of several years holds the bad year only in part, so that the same areas may even rise against it (b
    above zero), while against the bad year alone they fall. The unadjusted value weights areas by their cases, the
    adjusted one as its estimator does, so that their difference is not the return alone.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> result = regression_to_the_mean(example_panel(), TwoByTwo(before=3, after=1))
    >>> result.table["term"].tolist()[:3]
    ['effect', 'unadjusted', 'difference']
    """
    full = method.estimate(panel)
    effect, name = effect_of(full), type(method).__name__
    if full.scale.name != "log":
        raise DesignError(Problem("diagnostics.not_log", method=name))
    if "unadjusted" not in set(full.table["term"]):
        raise DesignError(Problem("diagnostics.not_adjusted", method=name))
    naive = full.row(term="unadjusted")
    difference = float(naive["estimate"] - effect["estimate"])
    rows: list[dict[str, Any]] = [
        {"term": "effect", **row_of(full)},
        {"term": "unadjusted", **plain_row(float(naive["estimate"]), str(naive["note"]))},
        {
            "term": "difference",
            **plain_row(difference, "diagnostics.note.same_data" if np.isfinite(difference) else str(naive["note"])),
        },
    ]
    found, facts = _risers(panel, with_windows(method, full, panel))
    notes = {"expected_return": "diagnostics.note.expected_return"}
    for term in ("expected_return", "placebo_risers_naive", "placebo_risers", "placebo_risers_adjusted"):
        lacking = "diagnostics.note.incomplete" if facts["dates"] else TOO_SHORT
        note = notes.get(term, "diagnostics.note.risers") if term in found else lacking
        rows.append({"term": term, **plain_row(found.get(term, np.nan), note)})
    return in_one(rows, full, [full], facts=facts)


def _risers(panel: Panel, method: Estimator) -> tuple[dict[str, float], Mapping[str, Any]]:
    """Return what earlier dates say: the values of the rows, none where there is no earlier date, and the facts."""
    windows = choose_windows(
        panel, getattr(method, "before", None), getattr(method, "after", None), type(method).__name__
    )
    first, number = int(panel.starts[panel.treated].min()), int(panel.treated.sum())
    past = _changes(panel, placebo_dates(first - panel.study.anticipation, windows), windows).with_data()
    if not len(past.dates):
        return {}, {"risers": number, "dates": 0}
    slope = fit_history(past).slope
    naive = _changes(panel, past.dates, replace(windows, before=windows.recent))
    kinds = {"risers": past.change, "risers_naive": naive.change, "risers_adjusted": past.change - slope * past.rise}
    values: dict[str, float] = {}
    facts: dict[str, Any] = {"risers": number, "return_slope": slope}
    for name, change in kinds.items():
        falls = np.array([_fall(past, h, change, number) for h in range(len(past.dates))])
        falls = falls[np.isfinite(falls)]
        facts["dates"] = len(falls)
        if len(falls):
            values[f"placebo_{name}"] = float(falls.mean())
            facts |= {f"{name}_p{percent}": float(np.quantile(falls, percent / 100)) for percent in (10, 90)}
    rise = _rise(panel, _changes(panel, panel.starts[panel.treated], windows))
    if np.isfinite(rise):
        values["expected_return"], facts["rise"] = slope * rise, rise
    return values, facts


def _changes(panel: Panel, dates: np.ndarray, windows: Windows) -> Changes:
    """Return the changes of the units of the study; those of the others are missing."""
    pool = panel.treated | panel.comparison
    found = unit_changes(panel.outcome, panel.exposure, dates, windows)
    return replace(found, change=np.where(pool, found.change, np.nan), rise=np.where(pool, found.rise, np.nan))


def _fall(past: Changes, h: int, change: np.ndarray, number: int) -> float:
    """Return the mean change of the strongest risers at one date less that of the others; missing with too few."""
    known = np.flatnonzero(np.isfinite(change[h]) & np.isfinite(past.rise[h]))
    if len(known) <= number:
        return float("nan")
    ordered = known[np.argsort(-past.rise[h, known], kind="stable")]
    return float(change[h, ordered[:number]].mean() - change[h, ordered[number:]].mean())


def _rise(panel: Panel, changes: Changes) -> float:
    """Return the mean rise of the treated units before their own starts less that of the comparison units."""
    units, rises = np.flatnonzero(panel.treated), []
    for row, unit in enumerate(units):
        others = changes.rise[row, panel.comparison]
        others = others[np.isfinite(others)]
        if np.isfinite(changes.rise[row, unit]) and len(others):
            rises.append(changes.rise[row, unit] - others.mean())
    return float(np.mean(rises)) if rises else float("nan")
