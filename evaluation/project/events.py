"""What else happened: events of a project as values."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event.

    Parameters
    ----------
    id
        Short name.
    title
        By language.
    start, end
        First and last day; `end` is None where it goes on.
    areas
        Keys of the areas concerned; empty for the whole city.
    outcomes
        Ids of outcomes and items concerned; empty for all.
    kind
        ``law``, ``recording``, ``confounder``, ``measure`` or ``survey``.
    source
        Where to read about it.
    """

    id: str
    title: Mapping[str, str]
    start: dt.date
    kind: str
    end: dt.date | None = None
    areas: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    source: str = ""


def events_of(table: pd.DataFrame) -> tuple[Event, ...]:
    """Return the rows of the table of events, oldest first."""
    rows = table.sort_values(["start", "event"]).to_dict("records")
    return tuple(_event({str(name): value for name, value in row.items()}) for row in rows)


def _event(row: Mapping[str, object]) -> Event:
    def words(name: str) -> tuple[str, ...]:
        cell = row.get(name)
        return tuple(cell.split()) if isinstance(cell, str) else ()

    start, end, source = row["start"], row.get("end"), row.get("source")
    assert isinstance(start, pd.Timestamp)  # noqa: S101 - the contract says so
    return Event(
        id=str(row["event"]),
        title={"de": str(row["title_de"]), "en": str(row["title_en"])},
        start=start.date(),
        kind=str(row["kind"]),
        end=end.date() if isinstance(end, pd.Timestamp) and not pd.isna(end) else None,
        areas=words("areas"),
        outcomes=words("outcomes"),
        source=source if isinstance(source, str) else "",
    )
