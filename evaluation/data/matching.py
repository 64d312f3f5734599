"""Headings of a file find the columns of a contract: by name, by label in either language, or as declared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from evaluation.data.contracts import Column
from evaluation.data.dialect import normal
from evaluation.data.place import Place
from evaluation.errors import Problem, nearest


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Position in the file by our name, what is wrong, and which headings are not used."""

    positions: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def match(
    headings: Sequence[str],
    columns: Sequence[Column],
    place: Place,
    *,
    declared: Mapping[str, str],
    ignored: Sequence[str] = (),
) -> Matched:
    """Find the columns of a table in the headings of a file.

    Parameters
    ----------
    headings
        As they stand in the file.
    columns
        What the table may hold.
    place
        Names for messages.
    declared
        Our name by heading.
    ignored
        Headings that are known and not used.

    Examples
    --------
    >>> from evaluation.data.contracts import AREAS
    >>> place = Place(table="areas", file="areas.csv")
    >>> match(["ORTSTEIL", "Ortsteil-Schluessel"], AREAS.columns, place, declared={}).positions
    {'area': 1, 'name': 0}
    """
    problems = _declared_problems(headings, columns, place, declared)
    ours = {column.name for column in columns}
    assigned = {heading: name for heading, name in declared.items() if name in ours}
    positions: dict[str, int] = {}
    for column in columns:
        found = _positions(headings, column, assigned)
        if len(found) > 1:
            twice = [headings[position] for position in found]
            problems.append(place.problem("data.column_twice", name=column.name, headings=twice))
        if found:
            positions[column.name] = found[0]
    used = {*positions.values(), *(n for n, heading in enumerate(headings) if heading in ignored)}
    extra = [heading for n, heading in enumerate(headings) if n not in used and heading.strip()]
    absent = [column for column in columns if column.name not in positions]
    problems += [_missing(column, extra, place) for column in absent if column.required]
    return Matched(positions=positions, problems=problems, notes=_extra(extra, absent, place))


def _positions(headings: Sequence[str], column: Column, assigned: Mapping[str, str]) -> list[int]:
    """Return where a column is: as declared, else under its name or label, else under another usual heading."""
    said = [n for n, heading in enumerate(headings) if assigned.get(heading) == column.name]
    if said:
        return said
    for usual in ((column.name, *column.label.values()), column.also):
        known = {normal(heading) for heading in usual}
        found = [n for n, heading in enumerate(headings) if normal(heading) in known and heading not in assigned]
        if found:
            return found
    return []


def _declared_problems(
    headings: Sequence[str], columns: Sequence[Column], place: Place, declared: Mapping[str, str]
) -> list[Problem]:
    problems = []
    names = [column.name for column in columns]
    for heading, name in declared.items():
        if name not in names:
            guess = nearest(name, names) or names[0]
            problems.append(place.problem("data.declared_name", value=name, heading=heading, nearest=guess))
        elif heading not in headings:
            guess = nearest(heading, headings) or (headings[0] if headings else "")
            problems.append(place.problem("data.declared_heading", value=heading, name=name, nearest=guess))
    return problems


def _missing(column: Column, extra: Sequence[str], place: Place) -> Problem:
    guess = _alike(column, extra)
    code = "data.missing_column_like" if guess else "data.missing_column"
    return place.problem(code, label=column.label["de"], name=column.name, nearest=guess)


def _alike(column: Column, headings: Sequence[str]) -> str | None:
    """Return the heading that most resembles the name or a label of a column."""
    by_form = {normal(heading): heading for heading in headings}
    for wanted in column.headings():
        found = get_close_matches(normal(wanted), list(by_form), n=1, cutoff=0.6)
        if found:
            return by_form[found[0]]
    return None


def _extra(extra: Sequence[str], absent: Sequence[Column], place: Place) -> list[Problem]:
    """Name each unused heading that resembles a column which is not there, and all others in one note."""
    optional = [(column, _alike(column, extra)) for column in absent if not column.required]
    alike = {heading: column for column, heading in optional if heading}
    notes = [
        place.problem("data.extra_column_like", value=heading, name=column.name, label=column.label["de"])
        for heading, column in alike.items()
    ]
    others = [heading for heading in extra if heading not in alike]
    return notes + ([place.problem("data.extra_columns", headings=others, n=len(others))] if others else [])
