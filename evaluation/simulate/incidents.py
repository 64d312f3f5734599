"""Simulated incidents of six years: monthly counts first, then date, hour and the rest of every case.

Effects are applied last, as single cases that did not happen: a case in a patrolled area is taken out with probability
1 - e^effect. So the ratio of expected counts with and without the measure is exactly the true effect, and the cases
avoided are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.simulate.city import areas, log_levels, model, months
from evaluation.simulate.counts import autoregressive, seasonal
from evaluation.simulate.streams import Floats, Stream, position

HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Incidents:
    """All cases as they were registered, and those that the measures prevented.

    Parameters
    ----------
    registered, avoided
        Columns ``area, category, month`` (text), ``occurred_from, occurred_to`` (NaT where a point in time is known),
        ``recorded`` and ``in_public``.
    """

    registered: pd.DataFrame
    avoided: pd.DataFrame


def incidents(stream: Stream, nights: pd.Series) -> Incidents:
    """Simulate all categories.

    Parameters
    ----------
    stream
        Source of randomness.
    nights
        Evenings (normalised timestamps) on which a Nachtschwärmer patrol took place.
    """
    categories: Mapping[str, Any] = model()["categories"]
    blocks = stream.spawn("shocks", "effects", "cases")
    level = log_levels()
    shocks = _shocks(blocks["shocks"])
    frames = []
    for name, block in blocks["cases"].spawn(*categories).items():
        private = categories[name]["in_public"] == 0
        counts = _counts(block, name, level, shocks["private" if private else "public"]) + _outlier(name)
        frames.append(_cases(block, name, counts))
    cases = pd.concat(frames, ignore_index=True)
    kept = ~blocks["effects"].chance(_prevented(cases, nights))
    return Incidents(registered=_sorted(cases[kept]), avoided=_sorted(cases[~kept]))


def _sorted(cases: pd.DataFrame) -> pd.DataFrame:
    return cases.sort_values(["occurred_from", "area", "category"], kind="stable", ignore_index=True)


def _shocks(stream: Stream) -> dict[str, Floats]:
    """Return log shocks, shape (areas, months): what public offences share, and what the others share."""
    size, shape = model()["shocks"], (len(areas()), len(months()))
    calendar = model()["pandemic"]
    city = np.array([calendar.get(month, 0.0) for month in months()])
    found = {}
    for name, block in stream.spawn("public", "private").items():
        monthly = autoregressive(block.normal(shape), size["month_variance"], size["month_serial"])
        yearly = np.repeat(block.normal((shape[0], shape[1] // 12)) * np.sqrt(size["year_variance"]), 12, axis=1)
        common = np.sqrt(size["city_variance"]) * block.normal(shape[1])
        found[name] = monthly + yearly + common + (city if name == "public" else 0.0)
    return found


def _counts(stream: Stream, category: str, level: Floats, shocks: Floats) -> np.ndarray:
    """Draw over-dispersed counts of one category, shape (areas, months), without any measure."""
    kind, (n, t) = model()["categories"][category], shocks.shape
    own = np.exp(level + model()["levels"]["own_spread"] * stream.normal(n))
    share = own / own.sum()
    years = np.arange(t) / 12
    log_season = seasonal(t, kind["season"], kind["peak"]) + kind["trend"] * years + _recording(category, t)
    expected = kind["yearly"] / 12 * share[:, None] * np.exp(log_season + shocks)
    # Variance over mean is `dispersion` in every cell: a log-normal factor of variance (dispersion - 1) / mean, capped
    # where a handful of cases would need a factor without sense.
    variance = np.log1p(np.minimum((kind["dispersion"] - 1) / expected, 2.0))
    factor = np.exp(np.sqrt(variance) * stream.normal((n, t)) - variance / 2)
    return stream.poisson(expected * factor)


def _recording(category: str, t: int) -> Floats:
    """Return the log change of recording practice, shape (months,)."""
    change = model()["recording_break"]
    if category != change["category"]:
        return np.zeros(t)
    return np.where(np.array(months()) >= change["since"], change["log_change"], 0.0)


def _outlier(category: str) -> np.ndarray:
    """Return the additional cases of the one series of offences, shape (areas, months)."""
    extra, place = np.zeros((len(areas()), len(months())), dtype=np.int64), model()["outlier"]
    if category == place["category"]:
        keys = [area.key for area in areas()]
        extra[keys.index(place["area"]), months().index(place["period"])] = place["cases"]
    return extra


def _cases(stream: Stream, category: str, counts: np.ndarray) -> pd.DataFrame:
    """Give every case its time, its interval, the day of recording and whether it happened in public."""
    kind = model()["categories"][category]
    rows, columns = np.nonzero(counts)
    rows, columns = (np.repeat(index, counts[rows, columns]) for index in (rows, columns))
    u = {name: stream.uniform(len(rows)) for name in ("hour", "minute", "interval", "length", "lag", "public")}
    start = _times(kind["hours"], columns, u["hour"], u["minute"])
    hours = 1 + np.floor(u["length"] ** 2 * (kind["longest"] or 1)).astype(int)
    end = pd.Series(start + pd.to_timedelta(hours, unit="h")).where(u["interval"] < kind["interval"])
    known = end.fillna(pd.Series(start)).dt.normalize()
    lag = np.minimum(np.floor(-np.log(u["lag"]) * 1.6).astype(int), 28)
    keys, labels = np.array([area.key for area in areas()]), np.array(months())
    return pd.DataFrame(
        {
            "area": keys[rows],
            "category": category,
            "month": labels[columns],
            "occurred_from": start,
            "occurred_to": end,
            "recorded": known + pd.to_timedelta(lag, unit="D"),
            "in_public": u["public"] < kind["in_public"],
        }
    )


def _times(profile: str, columns: np.ndarray, hour: Floats, minute: Floats) -> pd.DatetimeIndex:
    """Draw the hour within its month by the weights of weekday and hour, the minute in steps of five."""
    weights = np.array(model()["hours"][profile], dtype=float)
    days = np.array(model()["hours"]["days"][profile], dtype=float)
    hours = np.empty(len(columns), dtype=int)
    starts = pd.to_datetime(list(months())).as_unit("s")
    for column, first in enumerate(starts):
        length = first.days_in_month
        weekday = (first.weekday() + np.arange(length)) % 7
        chosen = columns == column
        hours[chosen] = position(hour[chosen], np.outer(days[weekday], weights).ravel())
    minutes = 5 * np.floor(12 * minute).astype(int)
    offset = pd.to_timedelta(hours * 60 + minutes, unit="min").as_unit("s")
    return pd.DatetimeIndex(starts[columns] + offset)


def _prevented(cases: pd.DataFrame, nights: pd.Series) -> Floats:
    """Return for each case the probability that a measure prevented it."""
    patrols, night = model()["patrols"], model()["nights"]
    street = cases["category"].map({name: kind["street"] for name, kind in model()["categories"].items()})
    since = cases["area"].map(patrols["areas"])
    patrolled = street & since.notna() & (cases["month"] >= since.fillna("9999"))
    at_night = street & cases["area"].eq(night["area"]) & in_nights(cases["occurred_from"], nights)
    stays = np.where(patrolled, patrols["log_effect"], 0.0) + np.where(at_night, night["log_effect"], 0.0)
    prevented: Floats = -np.expm1(stays)
    return prevented


def in_nights(times: pd.Series, nights: pd.Series) -> pd.Series:
    """Tell which times lie between 22 and 4 o'clock of a night that began on one of the evenings."""
    evening = (times - pd.Timedelta(hours=12)).dt.normalize()
    late = (times.dt.hour >= 22) | (times.dt.hour < 4)
    return late & evening.isin(nights)
