"""Effects where there can be none: before the measure, without the measure, on what the measure cannot touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from pandas.api.types import is_numeric_dtype

from evaluation.data.periods import PER_YEAR
from evaluation.diagnostics.variants import (
    NOT_ESTIMATED,
    attempt,
    attempt_variant,
    declared,
    effect_of,
    excludes_zero,
    for_point,
    in_one,
    known_facts,
    plain_row,
    row_of,
    with_windows,
)
from evaluation.errors import DesignError, EvaluationError, Problem
from evaluation.estimates import Estimates, Estimator, Note
from evaluation.panel import Panel

MOST_DATES = 24


# --- in time ---


def placebo_in_time(panel: Panel, method: Estimator, *, dates: Sequence[str] | None = None) -> Estimates:
    """Return the effects of earlier dates at which nothing began, from the data before the measure alone.

    Parameters
    ----------
    dates
        Pretended starts, as periods of the panel; by default all that leave the windows of the effect before the
        true start, at most 24, evenly spread.

    Returns
    -------
    Estimates
        One row for each ``date``. Facts: ``dates``, ``excluding_zero`` (share of the dates whose interval excludes
        zero), ``assessable`` (share of the dates that could show that at all), ``mean`` and ``spread`` (standard
        deviation) of the pretended effects, ``as_large`` (share of the dates with an effect at least as large as the
        true one), ``history_dates`` (by date, where the default inference is used).

    Raises
    ------
    DesignError
        There is no earlier date, or a given one does not lie before the start.
    EstimationError
        At no date could anything be estimated.

    Notes
    -----
    All treated units pretend to start at the same date, also where they started one after another: what is asked is
    whether they differed from the others before. Data from the first true start on (less anticipation and a dropped
    partial period) are left out, and of a pretended date what lies beyond its after-window. Where the time before the
    measure is too short for the windows of the effect, they are shortened and a note says so. Windows of dates
    overlap, so that the share is no test.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> result = placebo_in_time(example_panel(), TwoByTwo(before=3, after=1))
    >>> result.table["date"].tolist()
    ['2012', '2013', '2014', '2015', '2016', '2017']
    """
    full = method.estimate(panel)
    clean = int(panel.starts[panel.treated].min()) - panel.gap
    method, before, after, notes = _shortened(with_windows(method, full, panel), full, panel, clean)
    chosen = _given(panel, dates, clean) if dates is not None else _possible(panel, before, after, clean)
    if not chosen:
        raise DesignError(Problem("diagnostics.no_earlier_date", periods=clean))
    results = [attempt_variant(method, panel, **_before(panel, date, min(clean, date + after))) for date in chosen]
    rows = [{"date": panel.periods[date], **row_of(result)} for date, result in zip(chosen, results, strict=True)]
    if len(chosen) > 1 and min(np.diff(chosen)) < before + after:
        notes = (*notes, Note("diagnostics.note.dates_overlap", {"dates": len(chosen)}))
    histories = known_facts(results, "history_dates")
    facts = {"dates": len(chosen), "before": before, "after": after, **_summary(rows, full)}
    return in_one(
        rows, full, results, facts=facts | ({"history_dates": tuple(histories)} if histories else {}), notes=notes
    )


def _shortened(
    method: Estimator, full: Estimates, panel: Panel, clean: int
) -> tuple[Estimator, int, int, tuple[Note, ...]]:
    """Return the estimator with windows that leave an earlier date, their lengths, and a note if they are shorter."""
    year, anticipation = PER_YEAR[panel.study.period], panel.study.anticipation
    lengths = {
        "before": getattr(method, "before", None) or full.facts.get("before", year),
        "after": getattr(method, "after", None)
        or full.facts.get("after", panel.end - int(panel.starts[panel.treated].max())),
    }
    before, after = int(lengths["before"]), int(lengths["after"])
    if before + anticipation + after <= clean:
        return method, before, after, ()
    after = min(after, max(1, clean // 3))
    shorter = min(before, max(1, (clean - anticipation - after) // 2))
    note = Note("diagnostics.note.shorter_windows", {"before": shorter, "after": after})
    if getattr(method, "before", None) is not None:
        options: Any = method
        method = replace(options, before=shorter, after=after)
    return method, shorter, after, (note,)


def _possible(panel: Panel, before: int, after: int, clean: int) -> list[int]:
    every = np.arange(before + panel.study.anticipation, clean - after + 1)
    if len(every) > MOST_DATES:
        every = every[np.linspace(0, len(every) - 1, MOST_DATES).round().astype(int)]
    return [int(date) for date in every]


def _given(panel: Panel, dates: Sequence[str], clean: int) -> list[int]:
    usable = panel.periods[1 + panel.study.anticipation : clean]
    wrong = [date for date in dates if date not in usable]
    if wrong:
        limits = (usable[0], usable[-1]) if usable else ("–", "–")
        raise DesignError(
            *(Problem("diagnostics.date_not_before", given=date, first=limits[0], last=limits[1]) for date in wrong)
        )
    return sorted({panel.periods.index(date) for date in dates})


def _before(panel: Panel, date: int, end: int) -> dict[str, Any]:
    """Return frame and study of a pretended start, with the periods before `end` alone."""
    frame = panel.frame[panel.frame["period"] <= panel.periods[end - 1]]
    starts = dict.fromkeys(panel.study.treated, panel.periods[date])
    return {"frame": frame, **declared(panel, starts, until=None)}


def _summary(rows: Sequence[Mapping[str, Any]], full: Estimates) -> dict[str, float]:
    """Return how often pretended effects show something, how large they are, and how the true one compares."""
    estimates = np.array([row["estimate"] for row in rows], dtype=float)
    known = estimates[np.isfinite(estimates)]
    ends = np.array([(row["conf_low"], row["conf_high"]) for row in rows], dtype=float)
    return {
        "excluding_zero": float(excludes_zero(rows).mean()),
        "assessable": float(np.isfinite(ends).any(axis=1).mean()),
        "mean": float(known.mean()) if len(known) else np.nan,
        "spread": float(known.std(ddof=1)) if len(known) > 1 else np.nan,
        "as_large": float((np.abs(known) >= abs(effect_of(full)["estimate"])).mean()) if len(known) else np.nan,
    }


# --- in space ---


def placebo_in_space(
    panel: Panel,
    method: Estimator,
    *,
    size: int | None = None,
    sets: int = 99,
    seed: int = 1,
    executor: Executor | None = None,
) -> Estimates:
    """Return the effects of comparison areas as if they had the measure, and where the true effect stands among them.

    Parameters
    ----------
    size
        Areas in a set; by default as many as have the measure. 1 gives every comparison area its own effect.
    sets
        Number of sets that are drawn; all of them where there are no more.
    seed
        Of the draws.
    executor
        Runs the estimates in parallel.

    Returns
    -------
    Estimates
        One row for each ``set``, with its ``units``. Facts: ``sets``, ``p10, median, p90`` of the effects, ``spread``
        (standard deviation), and for sets as large as the true one ``rank`` (1: no set has a larger effect, in
        absolute value) and ``placebo_p = rank / (1 + sets)``.

    Raises
    ------
    DesignError
        There are fewer comparison areas than a set and one to compare it with.
    EstimationError
        For no set could anything be estimated.

    Notes
    -----
    The estimator is run anew for every set. Areas with the measure, and areas that the study does not compare, take
    no part. Where areas started one after another, the starts are dealt out at random. Rows carry estimates alone:
    what a single one is worth, all of them together say. Sets are drawn from all comparison areas, quiet ones as well
    as busy ones, so that ``placebo_p`` describes; the default inference, which draws within strata, tests.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> result = placebo_in_space(example_panel(), TwoByTwo(before=3, after=1), sets=20)
    >>> len(result.table), 1 <= result.facts["rank"] <= 21
    (20, True)
    """
    full = method.estimate(panel)
    starts = [panel.study.starts[unit] for unit in panel.study.treated]
    size = len(starts) if size is None else size
    _check_sets(size, sets, len(starts))
    pool = [unit for unit, compared in zip(panel.units, panel.comparison, strict=True) if compared]
    if len(pool) <= size:
        raise DesignError(Problem("diagnostics.few_comparison", needed=size + 1, available=len(pool)))
    assigned = _sets(pool, starts, size, sets, seed)
    frame = panel.frame[panel.frame["unit"].isin(pool)]
    one = partial(
        _effect_of_set,
        for_point(with_windows(method, full, panel)),
        replace(panel, frame=frame, **_nobody(panel, pool)),
    )
    results = list(executor.map(one, assigned) if executor else map(one, assigned))
    rows = [
        {"set": number, "units": ", ".join(sorted(chosen)), **_point_row(result)}
        for number, (chosen, result) in enumerate(zip(assigned, results, strict=True), start=1)
    ]
    return in_one(rows, full, results, facts=_distribution(rows, full, same_size=size == len(starts)))


def _check_sets(size: int, sets: int, treated: int) -> None:
    wrong = [
        Problem("core.option_value", method="placebo_in_space", option=option, given=given, allowed=allowed)
        for option, given, allowed, fine in (
            ("size", size, f"1 – {treated}", 1 <= size <= treated),
            ("sets", sets, ">= 1", sets >= 1),
        )
        if not fine
    ]
    if wrong:
        raise DesignError(*wrong)


def _nobody(panel: Panel, pool: Sequence[str]) -> dict[str, Any]:
    """Return the study with one unit of the pool in the place of the treated, until a set is drawn."""
    return declared(panel, {pool[0]: min(panel.study.starts.values())})


def _sets(pool: Sequence[str], starts: Sequence[str], size: int, sets: int, seed: int) -> list[dict[str, str]]:
    """Return starts by unit, for all sets where these are few and start together, else for drawn ones."""
    if len(set(starts)) == 1 and comb(len(pool), size) <= sets:
        return [dict.fromkeys(chosen, starts[0]) for chosen in combinations(pool, size)]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    drawn: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for _ in range(20 * sets):  # the same set may be drawn again; with few possible ones not all may be found
        chosen = dict(
            zip(rng.choice(pool, size, replace=False).tolist(), rng.permutation(starts)[:size].tolist(), strict=True)
        )
        drawn.setdefault(tuple(sorted(chosen.items())), chosen)
        if len(drawn) == sets:
            break
    return list(drawn.values())


def _effect_of_set(method: Estimator, panel: Panel, starts: Mapping[str, str]) -> Estimates | EvaluationError:
    return attempt_variant(method, panel, **declared(panel, starts))


def _point_row(result: Estimates | EvaluationError) -> dict[str, object]:
    if isinstance(result, EvaluationError):
        return plain_row(np.nan, NOT_ESTIMATED)
    return plain_row(float(effect_of(result)["estimate"]), "diagnostics.note.point_only")


def _distribution(rows: Sequence[Mapping[str, Any]], full: Estimates, *, same_size: bool) -> dict[str, float]:
    estimates = np.array([row["estimate"] for row in rows], dtype=float)
    known = estimates[np.isfinite(estimates)]
    if not len(known):
        return {}
    p10, median, p90 = np.quantile(known, (0.1, 0.5, 0.9))
    facts = {"sets": len(known), "p10": float(p10), "median": float(median), "p90": float(p90)}
    if len(known) > 1:
        facts["spread"] = float(known.std(ddof=1))
    if same_size:
        rank = 1 + int((np.abs(known) >= abs(effect_of(full)["estimate"]) * (1 - 1e-9)).sum())
        facts |= {"rank": rank, "placebo_p": rank / (1 + len(known))}
    return facts


# --- on another outcome ---


def placebo_on_outcome(panel: Panel, method: Estimator, outcomes: Sequence[str] | Mapping[str, Panel]) -> Estimates:
    """Return the effect on outcomes that the measure cannot touch, under the same declaration.

    Parameters
    ----------
    outcomes
        Further columns of the frame with counts, or by name panels of other outcomes with the same starts.

    Returns
    -------
    Estimates
        One row for each ``outcome``, the studied one first. An effect on an outcome that the measure cannot touch
        says that something else happened in these areas at that time, or that counting changed.

    Raises
    ------
    DesignError
        A column is missing or holds no numbers, or the areas of a panel start at other times.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel, simulate_panel
    >>> panel = example_panel()
    >>> other = simulate_panel(2, shape=(63, 14), start=9, frequency="year", treated=panel.study.treated, log_effect=0)
    >>> placebo_on_outcome(panel, TwoByTwo(before=3, after=1), {"fraud": other}).table["outcome"].tolist()
    ['simulated', 'fraud']
    """
    _check_outcomes(panel, outcomes)
    full = method.estimate(panel)
    fixed = with_windows(method, full, panel)
    if isinstance(outcomes, Mapping):
        results = [attempt(fixed, other) for other in outcomes.values()]
    else:
        results = [
            attempt_variant(fixed, panel, frame=panel.frame.assign(outcome=panel.frame[name])) for name in outcomes
        ]
    rows = [
        {"outcome": name, **row_of(result)}
        for name, result in zip((panel.study.outcome, *outcomes), (full, *results), strict=True)
    ]
    return in_one(rows, full, results, facts={"excluding_zero": float(excludes_zero(rows[1:]).mean())})


def _check_outcomes(panel: Panel, outcomes: Sequence[str] | Mapping[str, Panel]) -> None:
    if isinstance(outcomes, Mapping):
        problems = [
            Problem("diagnostics.other_starts", outcome=name)
            for name, other in outcomes.items()
            if other.study.starts != panel.study.starts
        ]
    else:
        known = [name for name in panel.frame.columns if is_numeric_dtype(panel.frame[name])]
        problems = [
            Problem("diagnostics.no_column", given=name, allowed=known) for name in outcomes if name not in known
        ]
    if problems or not len(outcomes):
        raise DesignError(*problems or [Problem("diagnostics.no_outcome")])
