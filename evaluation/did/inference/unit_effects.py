"""From a panel and its windows to the changes of every unit that the default inference compares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evaluation.data.periods import PER_YEAR
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.panel import Panel
from evaluation.randomization.history import (
    Changes,
    History,
    centred,
    fit_history,
    mean_changes,
    placebo_dates,
    unit_changes,
)
from evaluation.randomization.inference import LITTLE_HISTORY, UnitEffects
from evaluation.randomization.measures import LOG_OF_SUMS, ChangeMeasure
from evaluation.randomization.windows import Windows

ChangeKind = Literal["log", "pre_trend", "identity"]
YEARS_BEFORE = 3
YEARS_EARLIER = 3
EXPLAINED = 1e-9  # part of an effect that covariates leave, below which they leave nothing
WANTED_DATES = 7  # earlier dates that a history should have before the memory for rises is made longer


@dataclass(frozen=True, eq=False)
class Measured:
    """The changes of all units at the start dates, their history, and what was set aside (reason: number of units).

    `past_dates` are the earlier dates of the history.
    """

    effects: UnitEffects
    changes: Changes
    history: History | None
    windows: Windows
    starts: np.ndarray
    scale: ChangeKind
    dropped: dict[str, int]
    past_dates: np.ndarray
    change: ChangeMeasure


def choose_windows(panel: Panel, before: int | None, after: int | None, method: str) -> Windows:
    """Return the windows of a comparison before and after, with sensible lengths where none are given.

    By default one year after and up to three years before, as many as leave a history. The rise that says
    whether an area has just become worse compares the last year with up to three years before it, as long as
    enough earlier dates remain; with short series it lies within the before-window.

    Raises
    ------
    DesignError
        A treated unit has fewer periods before or after its start than the windows need.
    """
    year = PER_YEAR[panel.study.period]
    starts = panel.starts[panel.treated]
    room_before, room_after = int(starts.min()) - panel.gap, panel.end - int(starts.max())
    chosen_after = max(1, min(year, room_after)) if after is None else after
    chosen_before = _years_before(room_before, chosen_after, year) if before is None else before
    available = max(0, room_after)
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
            Problem("core.window_after", method=method, needed=chosen_after, since=since[1], available=available)
        )
    if problems:
        raise DesignError(*problems)
    return _with_memory(Windows(chosen_before, chosen_after, 1, 1, gap=panel.gap), int(starts.min()), year)


def _years_before(room: int, after: int, year: int) -> int:
    """Return the longest window of up to three years that leaves enough earlier dates, or at least some."""
    lengths = [years * year for years in range(YEARS_BEFORE, 0, -1) if years * year <= room]
    for wanted in (WANTED_DATES, LITTLE_HISTORY):
        for length in lengths:
            if room - after - length + 1 >= wanted:
                return length
    return lengths[0] if lengths else room


def _with_memory(windows: Windows, first: int, year: int) -> Windows:
    """Add the windows of the rise: the last year against as much as possible of the three years before it.

    An area is picked because it has risen against what people remember; the longer this memory reaches, the
    more of the fall that follows is foreseen. Enough earlier dates must remain to learn the fall from. In short
    series the rise lies within the before-window.
    """
    room = first - windows.after - windows.gap - (WANTED_DATES - 1) - year
    if room >= max(1, year // 2):
        return replace(windows, recent=year, earlier=min(YEARS_EARLIER * year, room))
    recent = max(1, windows.before // 2)
    return replace(windows, recent=recent, earlier=max(1, windows.before - recent))


def measure(
    panel: Panel,
    windows: Windows,
    method: str,
    *,
    scale: ChangeKind = "log",
    change: ChangeMeasure = LOG_OF_SUMS,
) -> Measured:
    """Measure the changes of all units at the cohorts' start dates and standardise them with the history.

    Parameters
    ----------
    scale
        ``log``: standardised changes less the return to the usual level. ``pre_trend``: the same without
        that adjustment, since a pre-trend is what it removes. ``identity``: changes of the mean count, for
        which there is no yardstick.
    change
        How a unit's change is measured (not with ``identity``).

    Raises
    ------
    EstimationError
        No treated or no comparison unit has complete data in the windows, or the outcome never varies.
    """
    every_start = np.unique(panel.starts[panel.treated])
    cohort = np.where(panel.treated, np.searchsorted(every_start, panel.starts), -1)
    later = _later(panel, windows, every_start)
    if not len(later):
        raise EstimationError(Problem("core.no_comparison_left", method=method))
    starts = every_start[: len(later)]
    counted = panel.outcome[np.isfinite(panel.outcome)]
    if len(counted) and counted.min() == counted.max():
        raise EstimationError(Problem("core.outcome_constant", method=method))
    history, changes, past_dates, (residual, spread, past, borrowed) = _standardised(
        panel, windows, starts, scale, cohort, change
    )
    complete = np.isfinite(changes.change).all(axis=0) & np.isfinite(changes.rise).all(axis=0)
    empty = complete & (_cases(panel, windows, starts) == 0)
    usable = complete & ~empty
    dropped = {
        "core.note.dropped_incomplete": int((~complete & (panel.treated | panel.comparison)).sum()),
        "core.note.left_out_neighbours": int((panel.left_out & ~panel.treated).sum()),
        "core.note.excluded": int((panel.excluded & ~panel.left_out & ~panel.treated).sum()),
        "core.note.nobody_to_compare": int((panel.treated & (cohort >= len(starts))).sum()),
        "core.note.all_zero": int((empty & (panel.treated | panel.comparison)).sum()),
    }
    problems = [
        Problem(without_case if (group & empty).any() else code, method=method)
        for code, without_case, group in (
            ("core.no_treated_left", "regression.separated", panel.treated & (cohort < len(starts))),
            (
                "core.no_comparison_left",
                "core.no_comparison_case",
                panel.comparison | (panel.treated & np.asarray(later.any(axis=0))[cohort]),
            ),
        )
        if not (group & usable).any()
    ]
    if problems:
        raise EstimationError(*_really_lacking(problems, panel, windows, starts, change))
    pool = usable & (panel.treated | panel.comparison)
    own = (cohort == np.arange(len(starts))[:, None]).astype(float)
    share = own if scale == "pre_trend" else _shares(panel, windows, starts)
    share = np.where(borrowed, 1.0, share)
    left = change.effect_share(share, changes.change, starts, windows)
    seen = pool & (own * share != 0).any(axis=0)
    if seen.any() and np.abs((own * left)[:, seen]).max() <= EXPLAINED:
        raise EstimationError(Problem("covariates.explain_measure", method=method))
    effects = UnitEffects(
        cohort=np.where(pool, cohort, -1),
        pool=pool,
        residual=np.where(pool, residual, 0.0),
        spread=np.where(pool, spread, 1.0),
        share=np.where(pool, left, 0.0),
        level=np.where(pool, changes.level[0], 1.0),
        past=past,
        later=later,
    )
    dropped = {code: n for code, n in dropped.items() if n}
    return Measured(effects, changes, history, windows, starts, scale, dropped, past_dates, change)


def _really_lacking(
    problems: list[Problem], panel: Panel, windows: Windows, starts: np.ndarray, change: ChangeMeasure
) -> list[Problem]:
    """Return the problems less those that only follow from another one.

    Changes are less the median of the units without the measure: where none of these has data, nobody has a change.
    """
    known = np.isfinite(change.values(panel.outcome, panel.exposure, starts, windows)).any(axis=0)
    if len(problems) > 1 and (panel.treated & known).any() and not (panel.comparison & known).any():
        return problems[1:]
    return problems


def _later(panel: Panel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """Return ``(G, C)`` which cohorts are not yet treated in the windows of which; the last may have nobody."""
    if panel.study.comparison == "never_treated":
        return np.zeros((len(starts), len(starts)), dtype=bool)
    reach = windows.lead + windows.after + panel.gap
    later = starts[None, :] >= starts[:, None] + max(reach, 1)
    return later if panel.comparison.any() else later[later.any(axis=1)]


def _standardised(
    panel: Panel,
    windows: Windows,
    starts: np.ndarray,
    scale: ChangeKind,
    cohort: np.ndarray,
    change: ChangeMeasure,
) -> tuple[History | None, Changes, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Return history, changes at the start dates, earlier dates, and what units are compared by.

    That is: residuals, standard deviations, past standardised changes, and where a unit's own date stands in.
    """
    dates = placebo_dates(int(starts.min()) - panel.study.anticipation, windows)
    unheard = np.nansum(panel.outcome, axis=1) == 0  # without a single case nothing is learnt about changes
    # Excluded units may have had the measure before.
    earlier = np.where((panel.excluded | unheard)[:, None], np.nan, panel.outcome)
    past = unit_changes(earlier, panel.exposure, dates, windows, change).with_data()
    apart = ~panel.treated & ~panel.excluded
    among = apart if apart.any() else None
    if scale != "identity" and len(past.dates) >= LITTLE_HISTORY:
        changes, borrowed = _with_own(
            unit_changes(panel.outcome, panel.exposure, starts, windows, change, among=among), cohort
        )
        if scale == "pre_trend":
            changes, past = changes.without_rise(), past.without_rise()
        history = fit_history(past)
        return history, changes, past.dates, (*history.standardise(changes), history.seen(), borrowed)
    short = replace(windows, recent=0, earlier=0)
    raw = unit_changes(panel.outcome, panel.exposure, starts, short, change, among=among)
    changes, borrowed = _with_own(raw, cohort)
    moved = changes.change
    if scale == "identity":
        moved = mean_changes(panel.outcome, starts, short)
        if len(starts) > 1:
            moved = _with_own(replace(raw, change=centred(moved, among)), cohort)[0].change
    return None, changes, dates[:0], (moved, np.ones_like(moved), np.empty((0, len(panel.units))), borrowed)


def _with_own(changes: Changes, cohort: np.ndarray) -> tuple[Changes, np.ndarray]:
    """Give treated units without data at the date of another cohort their change at their own date.

    A period in which a unit's measure begins may be dropped and lie in the window of another cohort. Also returned:
    where this was done, ``(G, N)``.
    """
    lacking = (cohort >= 0) & ~(np.isfinite(changes.change) & np.isfinite(changes.rise))
    own, unit = np.clip(cohort, 0, len(changes.change) - 1), np.arange(len(cohort))
    parts = (changes.change, changes.rise, changes.level)
    change, rise, level = (np.where(lacking, part[own, unit], part) for part in parts)
    return Changes(changes.dates, change, rise, level), lacking


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
    """Return ``(G, N)``, by cohort date and unit: treated part of the after-window less that of the before-window."""
    period = np.arange(len(panel.periods))
    active = panel.treated[:, None] & (period >= panel.starts[:, None])
    rows = []
    for start in starts:
        before, after = _window_mask(panel, windows, int(start))
        rows.append(active[:, after].mean(axis=1) - active[:, before].mean(axis=1))
    return np.array(rows)


def collapsed(panel: Panel, measured: Measured, g: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cases and exposure of the two windows of cohort `g`, each ``(N, 2)``, and the lengths of the windows.

    Only units of this cohort and of the comparison have values; the others are missing.
    """
    cohort = measured.effects.cohort
    member = (measured.effects.pool & (cohort == g)) | measured.effects.compared(cohort, g)
    masks = _window_mask(panel, measured.windows, int(measured.starts[g]))
    cases = np.stack([panel.outcome[:, mask].sum(axis=1) for mask in masks], axis=1)
    people = np.stack([panel.exposure[:, mask].sum(axis=1) for mask in masks], axis=1)
    return np.where(member[:, None], cases, np.nan), people, np.array([mask.sum() for mask in masks])
