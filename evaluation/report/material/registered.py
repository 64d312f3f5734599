"""Registered cases: city and areas over the years, the change against the years before, and breaks of the series."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.data.audit import Break, audit
from evaluation.data.periods import frequency_of
from evaluation.disclosure import About, Published, publish
from evaluation.place.changes import change_of_city, changes_by_area, levels_of_city
from evaluation.report.material.hidden import completing, hidden_years, touches
from evaluation.report.material.sources import source_of
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from evaluation.report.context import Context

YEARS_BEFORE = 3
"""The year of the report is compared with the mean of so many years before it."""
_BOTH = ("cases_before", "cases_after")


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A break that the audit found; `hidden` says that its counts are too small to be published."""

    change: Break
    hidden: bool

    def worded(self, language: str, *, areas: Mapping[str, str], title: str) -> str:
        """Return the warning as one sentence, without numbers where they may not be published."""
        if not self.hidden:
            return self.change.worded(language, areas=areas, title=title)
        area, period = self.change.area, self.change.period
        place = text("report.limits.city", language) if area is None else areas.get(area, area)
        when = format_value(period, "month" if frequency_of(period) == "month" else "", language)
        return text("report.limits.break_hidden", language, place=place, outcome=title, period=when)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What is known about one registered outcome.

    Parameters
    ----------
    id, title
        Name in the project and in words.
    years
        Delivered years, as text.
    city
        Keys ``outcome`` and ``period``: cases in the whole city with the interval of usual fluctuation.
    rate
        The same for 1,000 inhabitants; None without inhabitants.
    areas
        Keys ``area`` and ``period``: cases.
    before
        Years that the year of the report is compared with; empty where there are none.
    change
        Key ``area``: relative change against `before`; None where nothing can be compared.
    city_change
        The same for the whole city, key ``outcome``.
    breaks
        Breaks, spikes and outliers that the audit found, the whole city first.
    audited
        Keys ``area`` (empty for the city), ``period`` and ``which`` (``before``, ``after``, ``later``): their counts.
    factors
        Keys ``area`` and ``period``: after divided by before.
    """

    id: str
    title: str
    years: tuple[str, ...]
    city: Published
    rate: Published | None
    areas: Published
    before: tuple[str, ...]
    change: Published | None
    city_change: Published | None
    breaks: tuple[Noted, ...]
    audited: Published | None = None
    factors: Published | None = None


@dataclass(frozen=True, kw_only=True)
class City:
    """All registered outcomes of the city.

    Parameters
    ----------
    outcomes
        One by one, headline ones first; empty where no counts were delivered.
    cases, rates
        Keys ``outcome`` and ``period``; None where there are none.
    people
        Inhabitants, key ``period``.
    """

    outcomes: tuple[Registered, ...] = ()
    cases: Published | None = None
    rates: Published | None = None
    people: Published | None = None

    def trend(self, outcomes: tuple[Registered, ...]) -> Published:
        """Return rates of these outcomes where all have one, else cases."""
        per_head = all(outcome.rate is not None for outcome in outcomes)
        values = self.rates if per_head else self.cases
        if values is None:
            raise ValueError("there is no trend without counts")
        return values.where(outcome=[outcome.id for outcome in outcomes])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Series:
    """Counts of one outcome with what is needed to describe them."""

    context: "Context"
    name: str
    counts: pd.DataFrame
    people: pd.DataFrame | None

    @cached_property
    def years(self) -> tuple[str, ...]:
        return tuple(sorted(self.counts.loc[self.counts["count"].notna(), "period"].unique()))

    @cached_property
    def before(self) -> tuple[str, ...]:
        """Up to three delivered years just before the year of the report; none without a count of that year."""
        year = self.context.year
        wanted = range(year - YEARS_BEFORE, year)
        unbroken = [first for first in wanted if all(str(y) in self.years for y in range(first, year + 1))]
        return tuple(str(y) for y in unbroken)

    @cached_property
    def within_bounds(self) -> pd.DataFrame:
        """Counts in which a cell that the source hid has the middle of its bounds."""
        if not {"lower", "upper"} <= set(self.counts):
            return self.counts
        middle = (self.counts["lower"].astype("Float64") + self.counts["upper"].astype("Float64")) / 2
        return self.counts.assign(count=self.counts["count"].astype("Float64").fillna(middle))

    @cached_property
    def finest(self) -> pd.DataFrame:
        """Counts by month where incidents were delivered, else by year."""
        project = self.context.project
        if project.outcomes[self.name].table != "incidents":
            return self.counts
        return project.counts(self.name, period="month")

    @cached_property
    def covering(self) -> pd.DataFrame | None:
        return covering(self.people, self.years)

    @property
    def compared(self) -> dict[str, Any]:
        return {"before": self.before, "after": [str(self.context.year)], "inhabitants": self.covering}

    def about(self, id: str, unit: str) -> About:
        tables = [
            self.context.project.outcomes[self.name].table,
            *(["inhabitants"] if self.covering is not None else []),
        ]
        return About(id=f"{id}.{self.name}", unit=unit, source=source_of(self.context, *tables), outcome=self.name)


def registered(context: "Context") -> City:
    """Return the registered outcomes of the project, headline ones first, and the inhabitants of the city by year."""
    project = context.project
    outcomes = project.outcomes
    people = inhabitants_by_year(context)
    series = []
    for name in sorted(outcomes, key=lambda name: (not outcomes[name].headline, outcomes[name].kind != "registered")):
        counts = project.counts(name, period="year")
        if len(counts) and counts["count"].notna().any():
            series.append(_Series(context=context, name=name, counts=counts, people=people))
    cases = _city(context, series, "cases")
    rates = _city(context, [one for one in series if one.covering is not None], "rate")
    return City(
        outcomes=tuple(_one(one, cases, rates) for one in series),
        cases=cases,
        rates=rates,
        people=None if people is None else _published_people(context, people),
    )


def inhabitants_by_year(context: "Context") -> pd.DataFrame | None:
    """Return ``unit, period, inhabitants``, or None where no inhabitants were delivered."""
    if not context.project.has("inhabitants"):
        return None
    frame = context.project.inhabitants()
    return pd.DataFrame(
        {"unit": frame["area"], "period": frame["year"].astype("str"), "inhabitants": frame["inhabitants"]}
    )


def covering(inhabitants: pd.DataFrame | None, years: tuple[str, ...]) -> pd.DataFrame | None:
    """Return the inhabitants if every year of the counts has them."""
    if inhabitants is None or set(years) - set(inhabitants["period"]):
        return None
    return inhabitants


def _published_people(context: "Context", inhabitants: pd.DataFrame) -> Published:
    totals = inhabitants.groupby("period", as_index=False)["inhabitants"].sum()
    about = About(id="city.inhabitants", unit="people", source=source_of(context, "inhabitants"))
    frame = totals.rename(columns={"inhabitants": "value"})
    return publish(frame, context.rules, about=about, keys=("period",), basis="cases")


def _city(context: "Context", series: list[_Series], kind: str) -> Published | None:
    """Return cases, or cases for 1,000 inhabitants, of all series."""
    if not series:
        return None
    parts = [_levels(one, one.covering if kind == "rate" else None) for one in series]
    tables = [context.project.outcomes[one.name].table for one in series] + (["inhabitants"] if kind == "rate" else [])
    unit = "cases_per_1000" if kind == "rate" else "cases"
    about = About(id=f"registered.city.{kind}", unit=unit, source=source_of(context, *tables))
    keys = ("outcome", "period")
    return publish(pd.concat(parts), context.rules, about=about, keys=keys, basis="cases", cases="cases")


def _levels(series: _Series, people: pd.DataFrame | None) -> pd.DataFrame:
    """Return the city's levels; where the source hid single cells, the middle of what is possible stands for them."""
    levels = levels_of_city(series.within_bounds, inhabitants=people).assign(outcome=series.name, note="")
    for end, bound in (("conf_low", "lower"), ("conf_high", "upper")):
        counts = (
            series.counts["count"].fillna(series.counts[bound]) if bound in series.counts else series.counts["count"]
        )
        total = (
            counts.groupby(series.counts["period"])
            .sum(min_count=1)
            .reindex(levels["period"])
            .to_numpy(dtype=float, na_value=float("nan"))
        )
        moved = (total - levels["cases"]) * (levels["value"] / levels["cases"])
        levels[end] = levels[end] + moved.where(levels["value"].notna(), 0.0)
    hidden = series.counts.loc[series.counts["count"].isna(), "period"].unique()
    touched = levels["period"].isin(hidden) & levels["value"].notna()
    levels.loc[touched, "note"] = "report.note.bounds"
    return levels


def _one(series: _Series, cases: Published | None, rates: Published | None) -> Registered:
    context, name = series.context, series.name
    if cases is None:
        raise ValueError("cases of the city are published before those of an outcome")
    areas = _areas(series)
    hidden = hidden_years(areas.frame)
    return Registered(
        id=name,
        title=context.project.outcomes[name].title[context.language],
        years=series.years,
        city=cases.where(outcome=name),
        rate=rates.where(outcome=name) if rates is not None and series.covering is not None else None,
        areas=areas,
        before=series.before,
        change=_change(series, hidden) if series.before else None,
        city_change=_city_change(series, cases.where(outcome=name)) if series.before else None,
        **_breaks(series, hidden),
    )


def _areas(series: _Series) -> Published:
    hidden = series.counts["count"].isna()
    notes = hidden.map({True: "report.note.hidden_by_source", False: ""})
    frame = series.counts.assign(note=notes).rename(columns={"unit": "area", "count": "value"})
    frame = frame[["area", "period", "value", "note"]].sort_values(["area", "period"])
    return publish(
        frame.assign(protected=completing(frame, series.context.rules.minimum_cell)),
        series.context.rules,
        about=series.about("registered.area.cases", "cases"),
        keys=("area", "period"),
        basis="cases",
        protected="protected",
    )


def _change(series: _Series, hidden: frozenset[tuple[str, str]]) -> Published:
    """Return the change of every area, hidden where one of its years is: a year could be computed from the change."""
    frame = changes_by_area(series.counts, **series.compared).rename(columns={"unit": "area"})
    years = [*series.before, str(series.context.year)]
    return publish(
        frame.assign(protected=touches(frame["area"], years, hidden)),
        series.context.rules,
        about=series.about("registered.area.change", "change"),
        keys=("area",),
        basis="cases",
        cases=_BOTH,
        protected="protected",
    )


def _city_change(series: _Series, levels: Published) -> Published:
    """Return the change of the city; its interval puts together those of the levels, as of independent numbers."""
    change = change_of_city(series.within_bounds, **series.compared)
    spread = _spread(levels, series.before, str(series.context.year))
    ends = {
        name: (1 + change["value"]) * float(np.exp(side * spread)) - 1
        for name, side in (("conf_low", -1), ("conf_high", 1))
    }
    frame = pd.DataFrame([{"outcome": series.name, **change, **ends}])
    about = series.about("registered.city.change", "change")
    return publish(frame, series.context.rules, about=about, keys=("outcome",), basis="cases", cases=_BOTH)


def _spread(levels: Published, before: tuple[str, ...], year: str) -> float:
    """Return the half width of the interval of ``ln(year / mean of before)``; missing where a level has none.

    ``sqrt(h_0² + sum w_t² h_t²)`` with the half widths h of the logs and the share w of each year of `before`.
    """
    frame = levels.frame.set_index("period")[["value", "conf_low", "conf_high"]].astype(float)
    if not {*before, year} <= set(frame.index):
        return float("nan")
    half = np.log(frame["conf_high"] / frame["conf_low"].where(frame["conf_low"] > 0)) / 2
    weights = frame.loc[list(before), "value"] / frame.loc[list(before), "value"].sum()
    return float(np.sqrt(half[year] ** 2 + ((weights * half[list(before)]) ** 2).sum(skipna=False)))


def _breaks(series: _Series, hidden_counts: frozenset[tuple[str, str]]) -> dict[str, Any]:
    """Return the breaks of the series as months show them where there are months, else as years do."""
    found = audit(series.finest, outcome=series.name)
    if not found:
        return {"breaks": ()}
    size = [_smallest(b, hidden_counts) for b in found]
    counts = [
        {"area": b.area or "", "period": b.period, "which": which, "value": value, "size": smallest}
        for b, smallest in zip(found, size, strict=True)
        for which, value in (("before", b.before), ("after", b.after), ("later", b.later))
        if value is not None
    ]
    ratios = [
        {"area": b.area or "", "period": b.period, "value": b.factor, "size": smallest}
        for b, smallest in zip(found, size, strict=True)
    ]
    rules = series.context.rules
    audited = publish(
        pd.DataFrame(counts),
        rules,
        about=series.about("audit", "cases"),
        keys=("area", "period", "which"),
        basis="cases",
        cases="size",
    )
    factors = publish(
        pd.DataFrame(ratios),
        rules,
        about=series.about("audit.factor", "rate_ratio"),
        keys=("area", "period"),
        basis="cases",
        cases="size",
    )
    hidden = factors.frame["suppressed"].tolist()
    breaks = tuple(Noted(change=b, hidden=small) for b, small in zip(found, hidden, strict=True))
    return {"breaks": breaks, "audited": audited, "factors": factors}


def _smallest(found: Break, hidden: frozenset[tuple[str, str]]) -> float:
    """Return the smallest count of a break; one, where a year around it is hidden, so that the break is, too."""
    year = int(found.period[:4])
    if any((found.area or "", str(near)) in hidden for near in (year - 1, year, year + 1)):
        return 1
    return min(n for n in (found.before, found.after, found.later) if n is not None and n > 0)


def area_names(context: "Context") -> Mapping[str, str]:
    """Return the name of each area by key."""
    areas = context.project.table("areas")
    return dict(zip(areas["area"], areas["name"], strict=True))


def areas_without_residents(context: "Context") -> tuple[str, ...]:
    """Return the areas whose residents are no basis for a rate, such as the centre."""
    areas = context.project.table("areas")
    if "residents_meaningful" not in areas:
        return ()
    return tuple(areas.loc[areas["residents_meaningful"].eq(False), "area"])
