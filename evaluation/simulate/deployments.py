"""Simulated deployments: rounds of the joint patrols, rounds of one partner alone, Nachtschwärmer nights, the calendar.

What was planned and not carried out is a row, too. The nights of the Nachtschwärmer are drawn by lot from 2024 on, one
of every weekend; :func:`lots` keeps the night that lost, without which the draw could not be used.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from evaluation.simulate.city import areas, model
from evaluation.simulate.streams import Stream

FRIDAY, SATURDAY = 4, 5
COLUMNS = [
    "measure", "part", "area", "start", "end", "staff_police", "staff_city", "mode", "planned", "carried_out",
    "cancelled_reason", "contacts",
]  # fmt: skip


def lots(stream: Stream) -> pd.DataFrame:
    """Return the Fridays and Saturdays on which a Nachtschwärmer patrol was possible.

    Returns
    -------
    pandas.DataFrame
        ``night`` (evening), ``weekend`` (its Friday), ``by_lot`` (drawn, not chosen), ``picked``.
    """
    rule = model()["nights"]
    evenings = [
        day
        for day in _days(f"{rule['since']}-01")
        if day.weekday() in (FRIDAY, SATURDAY) and rule["first_month"] <= day.month <= rule["last_month"]
    ]
    nights = pd.Series(evenings)
    weekend = nights.where(nights.dt.day_of_week == FRIDAY, nights - pd.Timedelta(days=1))
    by_lot = nights.dt.year >= rule["drawn_since"]
    share = nights.dt.day_of_week.astype(str).map(rule["chosen_share"])
    chosen = stream.chance(share)
    friday_wins = dict(zip(weekend.unique(), stream.chance([0.5] * weekend.nunique()), strict=True))
    drawn = weekend.map(friday_wins) == (nights.dt.day_of_week == FRIDAY)
    picked = drawn.where(by_lot, pd.Series(chosen))
    return pd.DataFrame({"night": nights, "weekend": weekend, "by_lot": by_lot, "picked": picked.astype(bool)})


def deployments(stream: Stream, picked: Iterable[pd.Timestamp]) -> pd.DataFrame:
    """Return all deployments in the order of their start.

    Parameters
    ----------
    stream
        Source of randomness.
    picked
        Evenings planned for a Nachtschwärmer patrol.
    """
    blocks = stream.spawn("rounds", "singles", "calendar", "staff", "outcome")
    rule = model()["nights"]
    night = {"measure": "A6", "part": "nachtschwaermer", "area": rule["area"], "mode": "joint", "planned": True}
    rows = [
        *_rounds(blocks["rounds"]),
        *_singles(blocks["singles"]),
        *_calendar(blocks["calendar"]),
        *({**night, "start": _at(evening, rule["start"]), **_size(rule)} for evening in picked),
    ]
    order = ["start", "measure", "part", "area", "mode"]
    frame = pd.DataFrame(rows).sort_values(order, kind="stable", ignore_index=True)
    frame["end"] = frame["start"] + pd.to_timedelta(frame["hours"], unit="h")
    frame["staff_police"] = frame["staff"].where(frame["mode"].ne("single_city"), 0)
    frame["staff_city"] = frame["staff"].where(frame["mode"].ne("single_police"), 0)
    return _outcome(blocks["outcome"], frame)[COLUMNS]


def _days(first: str) -> pd.DatetimeIndex:
    return pd.date_range(first, f"{model()['last_year']}-12-31", freq="D", unit="s")


def _at(day: pd.Timestamp, clock: str) -> pd.Timestamp:
    hour, minute = clock.split(":")
    return day + pd.Timedelta(hours=int(hour), minutes=int(minute))


def _size(rule: Mapping[str, Any]) -> dict[str, int]:
    return {name: rule[name] for name in ("hours", "staff", "contacts")}


def _rounds(stream: Stream) -> list[dict[str, Any]]:
    """Return the joint rounds: planned ones, and a few that nobody had planned."""
    starts: Mapping[str, str] = model()["patrols"]["areas"]
    rows = []
    for rule in model()["patrols"]["rounds"]:
        for area in rule.get("areas", starts):
            since = max(rule.get("since", ""), starts.get(area, ""))
            days = [day for day in _days(f"{since}-01") if day.month in rule["months"]]
            days = [day for day in days if str(day.weekday()) in rule["weekdays"]]
            wanted = stream.chance([rule.get("share", 1.0)] * len(days))
            joint = {"measure": "A2", "part": rule["part"], "area": area, "mode": "joint", **_size(rule)}
            times = [_at(day, rule["weekdays"][str(day.weekday())]) for day in days]
            rows += [{**joint, "start": time, "planned": True} for time, w in zip(times, wanted, strict=True) if w]
            more = stream.chance([model()["deployments"]["unplanned"] * rule.get("share", 1.0)] * len(days))
            later = [time + pd.Timedelta(days=1) for time, m in zip(times, more, strict=True) if m]
            rows += [{**joint, "start": time, "planned": False} for time in later if time.year <= model()["last_year"]]
    return rows


def _singles(stream: Stream) -> list[dict[str, Any]]:
    """Return the rounds of one partner alone, in the patrolled areas and over all years."""
    every = 7 * model()["deployments"]["single_every_weeks"]
    rows = []
    for area in model()["patrols"]["areas"]:
        days = _days(f"{model()['first_year']}-01-01")[::every]
        shift, city = stream.uniform(len(days)), stream.chance([0.5] * len(days))
        for day, moved, by_city in zip(days, shift, city, strict=True):
            start = _at(day + pd.Timedelta(days=int(moved * every)), "14:00")
            if start.year <= model()["last_year"]:
                mode = "single_city" if by_city else "single_police"
                single = {"measure": "A2", "part": "housing", "area": area, "mode": mode, "planned": True}
                rows.append({**single, "start": start, "hours": 3, "staff": 2, "contacts": 8})
    return rows


def _calendar(stream: Stream) -> list[dict[str, Any]]:
    """Return joint operations that the calendar holds besides the Nachtschwärmer."""
    keys = [area.key for area in areas()]
    rows = []
    for first in pd.date_range(f"{model()['first_year']}-01-01", f"{model()['last_year']}-12-01", freq="MS", unit="s"):
        number = model()["deployments"]["calendar_per_month"]
        places, days = stream.choice([1] * len(keys), number), stream.choice([1] * 28, number)
        for place, day in zip(places, days, strict=True):
            entry = {"measure": "A6", "part": "calendar", "area": keys[place], "mode": "joint", "planned": True}
            start = _at(first + pd.Timedelta(days=int(day)), "10:00")
            rows.append({**entry, "start": start, "hours": 5, "staff": 3, "contacts": 25})
    return rows


def _outcome(stream: Stream, frame: pd.DataFrame) -> pd.DataFrame:
    """Decide what was carried out, why not, and how many people were spoken to."""
    rule, n = model()["deployments"], len(frame)
    cancelled = frame["planned"] & stream.chance([rule["cancelled"]] * n)
    reasons = pd.Series(list(rule["reasons"]))
    drawn = reasons.iloc[stream.choice(list(rule["reasons"].values()), n)].reset_index(drop=True)
    named = cancelled & ~stream.chance([rule["reason_missing"]] * n)
    contacts = pd.Series(stream.poisson(frame["contacts"]), dtype="Int64")
    return frame.assign(
        carried_out=~cancelled,
        cancelled_reason=drawn.where(named),
        contacts=contacts.where(~cancelled),
    )
