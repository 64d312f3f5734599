"""From a panel and its windows to the changes of every unit that the default inference compares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.data.periods import PER_YEAR
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.panel import Panel
from evaluation.randomization.history import Changes, History, Windows, fit_history, placebo_dates, unit_changes
from evaluation.randomization.inference import LITTLE_HISTORY, UnitEffects

YEARS_BEFORE = 3
YEARS_EARLIER = (3, 2, 1)
WANTED_DATES = {"year": 6, "half_year": 6, "quarter": 6, "month": 12}


@dataclass(frozen=True, eq=False)
class Measured:
    """The changes of all units at the start dates, their history, and what was set aside (reason: number of units)."""

    effects: UnitEffects
    changes: Changes
    history: History | None
    windows: Windows
    starts: np.ndarray
    dropped: dict[str, int]


def choose_windows(panel: Panel, before: int | None, after: int | None, method: str) -> Windows:
    """Return the windows of a comparison before and after, with sensible lengths where none are given.

    By default up to three years before and one year after. The rise that says whether an area has just become worse compares the last year
    with up to three years before it, as long as enough earlier dates remain; with short series it lies within the before-window.

    Raises
    ------
    DesignError
        A treated unit has fewer periods before or after its start than the windows need.
    """
    year = PER_YEAR[panel.study.period]
    starts = panel.starts[panel.treated]
    room_before, room_after = int(starts.min()) - panel.gap, len(panel.periods) - int(starts.max())
    chosen_before = min(YEARS_BEFORE * year, room_before) if before is None else before
    chosen_after = min(year, room_after) if after is None else after
    since = min(panel.study.starts.values()), max(panel.study.starts.values())
    problems = []
    for name, value in (("before", chosen_before), ("after", chosen_after)):
        if value < 1:
            problems.append(Problem("core.option_value", method=method, option=name, given=value, allowed=">= 1"))
    if chosen_before > room_before:
        problems.append(
            Problem("core.window_before", method=method, needed=chosen_before, since=since[0], available=room_before)
        )
    if chosen_after > room_after:
        problems.append(
            Problem("core.window_after", method=method, needed=chosen_after, since=since[1], available=room_after)
        )
    if problems:
        raise DesignError(*problems)
    within = Windows(chosen_before, chosen_after, max(1, chosen_before // 2), max(1, chosen_before - chosen_before // 2))
    within = replace(within, gap=panel.gap)
    first = int(starts.min())
    candidates = [replace(within, recent=year, earlier=years * year) for years in YEARS_EARLIER]
    wanted = WANTED_DATES[panel.study.period]
    return next((windows for windows in candidates if len(placebo_dates(first, windows)) >= wanted), within)


def measure(panel: Panel, windows: Windows, method: str) -> Measured:
    """Measure the changes of all units at the cohorts' start dates and standardise them with the history.

    Raises
    ------
    EstimationError
        No treated or no comparison unit has complete data in the windows, or the outcome never varies.
    """
    starts = np.unique(panel.starts[panel.treated])
    cohort = np.where(panel.treated, np.searchsorted(starts, panel.starts), -1)
    if np.nanmin(panel.outcome) == np.nanmax(panel.outcome):
        raise EstimationError(Problem("core.outcome_constant", method=method))
    history, changes, standardised = _standardised(panel, windows, starts)
    complete = np.isfinite(changes.change).all(axis=0) & np.isfinite(changes.rise).all(axis=0)
    empty = complete & (_cases(panel, windows, starts) == 0)
    usable = complete & ~empty
    dropped = {
        "core.note.dropped_incomplete": int((~complete & (panel.treated | panel.comparison)).sum()),
        "core.note.left_out_neighbours": int((~panel.treated & ~panel.comparison).sum()),
        "core.note.all_zero": int((empty & (panel.treated | panel.comparison)).sum()),
    }
    problems = [
        Problem(code, method=method)
        for code, group in (("core.no_treated_left", panel.treated), ("core.no_comparison_left", panel.comparison))
        if not (group & usable).any()
    ]
    if problems:
        raise EstimationError(*problems)
    pool = usable & (panel.treated | panel.comparison)
    residual, spread, past = standardised
    effects = UnitEffects(
        cohort=np.where(pool, cohort, -1),
        pool=pool,
        residual=np.where(pool, residual, 0.0),
        spread=np.where(pool, spread, 1.0),
        share=np.where(pool, _shares(panel, windows, starts), 0.0),
        level=np.where(pool, changes.level[0], 1.0),
        past=past,
    )
    return Measured(effects, changes, history, windows, starts, {code: n for code, n in dropped.items() if n})


def _standardised(
    panel: Panel, windows: Windows, starts: np.ndarray
) -> tuple[History | None, Changes, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return history, changes at the start dates, and residuals, standard deviations and past standardised changes."""
    dates = placebo_dates(int(starts.min()), windows)
    if len(dates) >= LITTLE_HISTORY:
        changes = unit_changes(panel.outcome, panel.exposure, starts, windows)
        history = fit_history(unit_changes(panel.outcome, panel.exposure, dates, windows))
        past = np.nan_to_num(history.residual / np.sqrt(history.factor * history.variance))
        return history, changes, (*history.standardise(changes), past)
    short = replace(windows, recent=1, earlier=max(1, windows.before - 1))
    changes = unit_changes(panel.outcome, panel.exposure, starts, short)
    return None, changes, (changes.change, np.ones_like(changes.change), np.empty((0, len(panel.units))))


def _window_mask(panel: Panel, windows: Windows, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which periods are before and after a start date, each ``(T,)``."""
    period = np.arange(len(panel.periods))
    last = start - windows.gap
    first = start + windows.lead
    return (period >= last - windows.before) & (period < last), (period >= first) & (period < first + windows.after)


def _cases(panel: Panel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """Return ``(N,)`` the number of cases in the windows of all cohorts."""
    inside = np.any([np.any(_window_mask(panel, windows, int(start)), axis=0) for start in starts], axis=0)
    return np.asarray(np.nansum(panel.outcome[:, inside], axis=1))


def _shares(panel: Panel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """Return ``(G, N)``: treated part of the after-window less treated part of the before-window, by cohort date and unit."""
    period = np.arange(len(panel.periods))
    active = panel.treated[:, None] & (period >= panel.starts[:, None])
    rows = []
    for start in starts:
        before, after = _window_mask(panel, windows, int(start))
        rows.append(active[:, after].mean(axis=1) - active[:, before].mean(axis=1))
    return np.array(rows)


def observed_and_expected(panel: Panel, measured: Measured) -> tuple[float, float]:
    """Return the cases of the treated units in their after-windows, and those expected had they changed as the comparison did.

    Sum over cohorts of cases before x (comparison after / comparison before), both per exposure: the pooled ratio of two by two counts.
    """
    observed = expected = 0.0
    outside = measured.effects.pool & (measured.effects.cohort < 0)
    for g, start in enumerate(measured.starts):
        inside = measured.effects.cohort == g
        before, after = _window_mask(panel, measured.windows, int(start))

        def total(units: np.ndarray, window: np.ndarray, values: np.ndarray) -> float:
            return float(values[np.ix_(units, window)].sum())

        cases = [[total(u, w, panel.outcome) for w in (before, after)] for u in (inside, outside)]
        people = [[total(u, w, panel.exposure) for w in (before, after)] for u in (inside, outside)]
        (t0, t1), (c0, c1) = cases
        (tp0, tp1), (cp0, cp1) = people
        observed += t1
        expected += t0 / tp0 * tp1 * (c1 / cp1) / (c0 / cp0) if c0 > 0 else np.nan
    return observed, expected
