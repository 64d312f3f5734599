"""What is no fault of a table but changes what can be said: gaps in time, missing counts, strata with one unit."""

import pandas as pd

from evaluation.data.names import labelled
from evaluation.data.periods import frequency_of, span
from evaluation.data.place import Place
from evaluation.errors import Problem


def quality_notes(frame: pd.DataFrame, place: Place, areas: pd.DataFrame | None) -> list[Problem]:
    """Return remarks on a table that keeps its contract.

    Parameters
    ----------
    frame
        Typed table with our names; the index holds the rows of the file.
    place
        Names for messages.
    areas
        Table of areas, if it is known.
    """
    look = {"counts": _counts, "inhabitants": _inhabitants, "incidents": _incidents, "respondents": _respondents}
    return look[place.table](frame, place, areas) if place.table in look else []


def short_keys(areas: pd.DataFrame, place: Place) -> list[Problem]:
    """Return a problem for each key with fewer digits than the others: a zero in front was lost."""
    digits = areas.loc[areas["area"].str.fullmatch(r"\d+"), "area"]
    width = 0 if digits.empty else int(digits.str.len().max())
    short = digits[digits.str.len() < width]
    return [
        place.problem("data.lost_zero", "area", row=int(row), value=key, n=1, nearest=key.zfill(width))
        for row, key in short.items()
    ]


def mixed_periods(counts: pd.DataFrame, place: Place) -> list[Problem]:
    """Return a problem for each category whose counts have periods of different lengths: they would count twice."""
    lengths = counts.assign(length=counts["period"].map(lambda period: frequency_of(period) or ""))
    problems = []
    for category, group in lengths.groupby("category", sort=False):
        found = group.drop_duplicates("length")
        if len(found) > 1:
            first, second = found.iloc[0], found.iloc[1]
            problems.append(
                place.problem(
                    "data.mixed_periods",
                    "period",
                    row=int(found.index[1]),
                    value=second["period"],
                    category=category,
                    first=first["period"],
                    first_row=str(found.index[0]),
                )
            )
    return problems


def _counts(frame: pd.DataFrame, place: Place, areas: pd.DataFrame | None) -> list[Problem]:
    notes = []
    for category, group in frame.groupby("category", sort=False):
        periods = span(group["period"].min(), group["period"].max())
        absent = [period for period in periods if period not in set(group["period"])]
        if absent:
            notes.append(place.problem("data.note_gaps", category=category, periods=absent, n=len(absent)))
        expected = group["area"].nunique() * group["period"].nunique()
        if len(group) < expected:
            lacking = {"n": expected - len(group), "of": expected}
            notes.append(place.problem("data.note_absent_counts", category=category, **lacking))
        if areas is not None and group["area"].nunique() < len(areas):
            absent_areas = [area for area in areas["area"] if area not in set(group["area"])]
            notes.append(_without("data.note_absent_areas", absent_areas, areas, place, category=category))
    missing = frame["count"].isna()
    if missing.any():
        notes.append(place.problem("data.note_missing_counts", n=int(missing.sum()), of=len(frame)))
    return notes


def _without(code: str, keys: list[str], areas: pd.DataFrame, place: Place, category: object = None) -> Problem:
    names = dict(zip(areas["area"], areas["name"], strict=True)) if "name" in areas else {}
    ending, listed, more = labelled(keys, names)
    return place.problem(f"{code}{ending}", areas=listed, n=len(keys), more=more, category=category)


def _inhabitants(frame: pd.DataFrame, place: Place, areas: pd.DataFrame | None) -> list[Problem]:
    years = range(int(frame["year"].min()), int(frame["year"].max()) + 1)
    absent = [str(year) for year in years if year not in set(frame["year"])]
    notes = [place.problem("data.note_years", years=absent, n=len(absent))] if absent else []
    if areas is not None:
        here = set(frame["area"])
        without = [area for area in areas["area"] if area not in here]
        if without:
            notes.append(_without("data.note_no_inhabitants", without, areas, place))
    return notes


def _incidents(frame: pd.DataFrame, place: Place, areas: pd.DataFrame | None) -> list[Problem]:
    when = frame["occurred_from"].dropna()
    seen = set(when.dt.year.unique())
    absent = [str(year) for year in range(min(seen), max(seen) + 1) if year not in seen] if seen else []
    return [place.problem("data.note_years", years=absent, n=len(absent))] if absent else []


def _respondents(frame: pd.DataFrame, place: Place, areas: pd.DataFrame | None) -> list[Problem]:
    """Name the strata from which only one unit was drawn: they show no spread of their own."""
    unit = "psu" if "psu" in frame and frame["psu"].notna().any() else "respondent_id"
    units = frame.groupby(["wave", "stratum"])[unit].nunique()
    lonely = units[units == 1]
    strata = lonely.index.to_frame(index=False).groupby("wave")["stratum"].agg(list)
    return [
        place.problem("data.note_lonely_stratum", wave=wave, strata=some, n=len(some)) for wave, some in strata.items()
    ]
