"""Registered cases and sense of safety of the same areas and years, each against the time before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.disclosure import About, Published, publish
from evaluation.place.changes import changes_by_area
from evaluation.report.material.hidden import hidden_years, touches
from evaluation.report.material.perceived import Perceived
from evaluation.report.material.registered import City, Registered, covering, inhabitants_by_year
from evaluation.report.material.sources import source_of

if TYPE_CHECKING:
    from evaluation.report.context import Context


@dataclass(frozen=True, kw_only=True)
class Together:
    """Both changes of every area.

    Parameters
    ----------
    outcome, item
        What is shown; titles in the language of the report.
    registered_before, perceived_before
        Year and wave that are "before".
    registered, perceived
        Keys ``area`` and ``year``.
    """

    outcome: str
    item: str
    registered_before: str
    perceived_before: str
    registered: Published
    perceived: Published


def together(context: "Context", outcomes: Sequence[Registered], survey: Perceived | None) -> Together | None:
    """Return both changes for the first outcome and the first item, or None where one of them is missing."""
    if not outcomes or survey is None or survey.area_changes is None:
        return None
    first = outcomes[0]
    later = [str(year) for year in dict.fromkeys(survey.area_changes.frame["year"]) if str(year) in first.years]
    base = before(first, survey)
    later = [year for year in later if year > base]
    if not later:
        return None
    counts = context.project.counts(first.id, period="year")
    people = covering(inhabitants_by_year(context), first.years)
    hidden = hidden_years(first.areas.frame)
    parts = [changes_by_area(counts, before=[base], after=[year], inhabitants=people) for year in later]
    frame = pd.concat(
        [
            part.assign(year=year, protected=touches(part["unit"], [base, year], hidden))
            for part, year in zip(parts, later, strict=True)
        ]
    )
    about = About(
        id=f"registered.area.change_since.{first.id}",
        unit="change",
        source=source_of(context, context.project.outcomes[first.id].table, "inhabitants"),
        outcome=first.id,
    )
    registered = publish(
        frame.rename(columns={"unit": "area"}),
        context.rules,
        about=about,
        keys=("area", "year"),
        basis="cases",
        cases=("cases_before", "cases_after"),
        protected="protected",
    )
    return Together(
        outcome=first.title,
        item=survey.titles[survey.area_item],
        registered_before=base,
        perceived_before=survey.baseline,
        registered=registered,
        perceived=survey.area_changes.where(year=later),
    )


def before(outcome: Registered, survey: Perceived) -> str:
    """Return the delivered year that is nearest to the wave before, not earlier than it where possible."""
    year = survey.baseline[:4]
    return next((delivered for delivered in outcome.years if delivered >= year), outcome.years[-1])


def before_and_now(context: "Context", city: City, names: Sequence[str], base: str, now: str) -> Published | None:
    """Return the rates of outcomes in two years for the picture of page one (keys ``outcome`` and ``time``)."""
    if city.rates is None or base == now:
        return None
    rates = city.rates.where(outcome=list(names), period=[base, now]).frame
    both = rates[rates["value"].notna()].groupby("outcome")["period"].transform("nunique").eq(2)
    chosen = rates.loc[both[both].index]
    if chosen.empty:
        return None
    frame = chosen.assign(time=chosen["period"].map({base: "before", now: "now"}))
    about = About(id="summary.registered", unit="cases_per_1000", source=city.rates.source)
    return publish(frame, context.rules, about=about, keys=("outcome", "time"), basis="cases", cases="cases")
