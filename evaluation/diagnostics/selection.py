"""Regression to the mean: what falls by itself because areas were picked after a bad year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluation.diagnostics.variants import effect_of, in_one, plain_row, row_of, with_windows
from evaluation.did.unit_effects import choose_windows
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel
from evaluation.randomization.history import Changes, fit_history, placebo_dates, unit_changes

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
        measure); ``placebo_risers`` (mean change, against the others, of as many areas as have the measure, namely the
        strongest risers of each earlier date) and ``placebo_risers_adjusted`` (the same less what their rise lets
        expect). All on the log scale. Facts: ``risers`` (areas at a date), ``dates``, ``risers_p10``, ``risers_p90``,
        ``risers_adjusted_p10``, ``risers_adjusted_p90`` (over the dates), ``return_slope`` (log change that follows a
        log rise of one), ``rise`` (mean log rise of the treated areas against the others).

    Raises
    ------
    DesignError
        The estimator does not adjust, so that there is nothing to compare.

    Notes
    -----
    Rise ``r`` and change ``d`` of an area are those of the default inference, and the slope b is least squares of d on
    r over all areas and earlier dates; nothing but b, which these dates have in common, makes the adjusted mean
    differ from the raw one. All windows of the earlier dates lie before the first start. The unadjusted value also
    weights areas by their cases, the adjusted one as its estimator does, so that the difference is not the
    return alone.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> result = regression_to_the_mean(example_panel(), TwoByTwo(before=3, after=1))
    >>> result.table["term"].tolist()[:3]
    ['effect', 'unadjusted', 'difference']
    """
    full = method.estimate(panel)
    if "unadjusted" not in set(full.table.get("term", ())):
        raise DesignError(Problem("diagnostics.not_adjusted", method=type(method).__name__))
    if full.scale.name != "log":
        raise DesignError(Problem("diagnostics.not_log", method=type(method).__name__))
    effect, naive = effect_of(full), full.row(term="unadjusted")
    difference = float(naive["estimate"] - effect["estimate"])
    rows: list[dict[str, Any]] = [
        {"term": "effect", **row_of(full)},
        {"term": "unadjusted", **plain_row(float(naive["estimate"]), str(naive["note"]))},
        {
            "term": "difference",
            **plain_row(difference, "diagnostics.note.same_data" if np.isfinite(difference) else str(naive["note"])),
        },
    ]
    found, facts = _risers(panel, with_windows(method, panel))
    notes = {"expected_return": "diagnostics.note.expected_return"}
    for term in ("expected_return", "placebo_risers", "placebo_risers_adjusted"):
        note = notes.get(term, "diagnostics.note.risers") if term in found else TOO_SHORT
        rows.append({"term": term, **plain_row(found.get(term, np.nan), note)})
    return in_one(rows, full, [full], facts=facts)


def _risers(panel: Panel, method: Estimator) -> tuple[dict[str, float], Mapping[str, Any]]:
    """Return what earlier dates say: the values of the rows, none where there is no earlier date, and the facts."""
    windows = choose_windows(
        panel, getattr(method, "before", None), getattr(method, "after", None), type(method).__name__
    )
    first, number = int(panel.starts[panel.treated].min()), int(panel.treated.sum())
    pool = panel.treated | panel.comparison
    dates = placebo_dates(first - panel.study.anticipation, windows)
    past = _of_pool(unit_changes(panel.outcome, panel.exposure, dates, windows), pool).with_data()
    shares = [_fall(past, h, past.change, number) for h in range(len(past.dates))]
    raw = np.array([share for share in shares if np.isfinite(share)])
    if not len(raw):
        return {}, {"risers": number, "dates": 0}
    slope = fit_history(past).slope
    left = np.array([_fall(past, h, past.change - slope * past.rise, number) for h in range(len(past.dates))])
    left = left[np.isfinite(left)]
    rise = _rise(
        panel, _of_pool(unit_changes(panel.outcome, panel.exposure, panel.starts[panel.treated], windows), pool)
    )
    values = {"placebo_risers": float(raw.mean()), "placebo_risers_adjusted": float(left.mean())}
    if np.isfinite(rise):
        values["expected_return"] = slope * rise
    ends = {
        f"{name}_p{percent}": float(np.quantile(part, percent / 100))
        for name, part in (("risers", raw), ("risers_adjusted", left))
        for percent in (10, 90)
    }
    return values, {"risers": number, "dates": len(raw), **ends, "return_slope": slope, "rise": rise}


def _of_pool(changes: Changes, pool: np.ndarray) -> Changes:
    """Return the changes of the units of the study; the others are missing."""
    parts = (np.where(pool, part, np.nan) for part in (changes.change, changes.rise))
    change, rise = parts
    return Changes(changes.dates, change, rise, changes.level)


def _fall(past: Changes, h: int, change: np.ndarray, number: int) -> float:
    """Return the mean change of the strongest risers at one date less that of the others; missing with too few."""
    known = np.flatnonzero(np.isfinite(past.change[h]) & np.isfinite(past.rise[h]))
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
