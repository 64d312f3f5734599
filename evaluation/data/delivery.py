"""Thin deliveries: sheets with years as columns, titles, totals and footnotes become counts by area and period.

What a cell is stands in :mod:`evaluation.data.cells`, which area a name is in :mod:`evaluation.data.names`. Every
row of the sheet is used, or named in the notes, or a problem.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluation.data.cells import MARKS, MEANINGS, Cell, mark_of, read_cell
from evaluation.data.contracts import COUNTS
from evaluation.data.headings import period_of
from evaluation.data.names import Names, labelled, plain
from evaluation.errors import Problem

COLUMNS = ("area", "period", "category", "count", "reason", "lower", "upper")
_TOTAL = re.compile(
    r"(stadt |gesamtstadt )?(insgesamt|gesamt|summe|zusammen|total)( \S+)?|(stadt )?leipzig( insgesamt| gesamt)?"
    r"|gesamtstadt|stadt \S+( insgesamt| gesamt)?|alle ortsteile"
)
_UNASSIGNED = re.compile(
    r"(nicht|ohne) \S*(zuorden|zugeordnet|zuordnung|angabe|lokalisier)\S*.*|unbekannt.*|sonstige.*"
)
_CATEGORY_HEADINGS = frozenset(
    {"schlüssel", "straftatenschlüssel", "delikt", "deliktgruppe", "straftat", "category", "offence key"}
)


@dataclass(frozen=True)
class _Sheet:
    """Where things stand in the sheet: header row, first data row, period, label and category columns."""

    rows: tuple[tuple[object, ...], ...]
    header: int
    start: int
    periods: Mapping[int, str]
    labels: tuple[int, ...]
    category: int | None


@dataclass(frozen=True)
class _Line:
    """One data row of an area, a district, the whole city (both as total), or of no area."""

    row: int
    kind: str
    label: str
    area: str | None
    category: str
    cells: Mapping[str, Cell]


def read_wide(
    raw: pd.DataFrame,
    *,
    areas: pd.DataFrame,
    category: str | None,
    file: str,
    marks: Mapping[str, str] | None = None,
    table: str = "counts",
) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """Read a sheet with areas as rows and periods as columns.

    Parameters
    ----------
    raw
        The whole sheet, without header; cells are text, numbers or missing. Row 0 is the file's row 1.
    areas
        Columns ``area`` and ``name``, optionally ``district`` and ``district_name``.
    category
        Category of all counts; None if the sheet has a column of categories.
    file
        Named in problems and notes.
    marks
        What marks mean in this source, ``{"-": "zero"}``; see :func:`evaluation.data.cells.read_cell`.
    table
        Table that the sheet is delivered for.

    Returns
    -------
    counts : pandas.DataFrame
        Columns ``area, period, category, count, reason, lower, upper``; one row for every area, period and category.
        A suppressed count is missing, with reason and bounds; never 0. Areas that the sheet does not hold are
        missing as ``not_delivered``. The lower of the bounds from the mark and from the total row is the upper bound.
    problems : list of Problem
        Unmatched names with the nearest valid one, double areas or periods, cells that are neither whole number nor
        known mark, no recognisable header.
    notes : list of Problem
        What was recognised and left out: header, totals with their deviation from the sum of areas, footnotes,
        marks, columns that hold no period, areas that are not delivered.

    Examples
    --------
    >>> sheet = pd.DataFrame([["Straftaten", None], ["Ortsteil", "2018"], ["Zentrum", "1.234"], ["Grünau-Mitte", "<3"]])
    >>> areas = pd.DataFrame({"area": ["00", "62"], "name": ["Zentrum", "Grünau-Mitte"]})
    >>> counts, problems, notes = read_wide(sheet, areas=areas, category="all", file="a.xlsx")
    >>> counts[["area", "count", "upper"]].values.tolist(), problems
    ([['00', 1234, <NA>], ['62', <NA>, 2]], [])
    """
    wrong = [
        Problem("delivery.marks", table=table, file=file, value=mark, given=meaning, allowed=MEANINGS)
        for mark, meaning in (marks or {}).items()
        if meaning not in MEANINGS
    ]
    declared = {mark_of(mark): meaning for mark, meaning in (marks or {}).items()}
    names = Names.of(areas["area"], areas["name"])
    place: dict[str, Any] = {"table": table, "file": file}
    sheet, problems = _layout(raw, names, category, place)
    if sheet is None or wrong:
        return pd.DataFrame(columns=list(COLUMNS)), [*wrong, *problems], []
    reader = _Reader(sheet, names, _districts(areas), declared, place)
    lines = list(reader.lines(category))
    problems += [*reader.problems, *_doubles(lines, place)]
    keys = {line.area for line in lines if line.kind == "area"}
    absent = [key for key in areas["area"] if key not in keys]
    counts = _bounded(_tidy(lines, absent, tuple(sheet.periods.values())), lines)
    notes = [_header_note(sheet, place), *reader.notes, *_total_notes(lines, areas, place)]
    if absent:
        ending, listed, more = labelled(absent, dict(names.pairs))
        notes.append(Problem(f"delivery.note_absent{ending}", areas=listed, n=len(absent), more=more, **place))
    return counts, problems, notes


def _layout(
    raw: pd.DataFrame, names: Names, category: str | None, place: dict[str, Any]
) -> tuple[_Sheet | None, list[Problem]]:
    """Find the header: the row with most periods above the first row that names an area."""
    cells = [[_written(cell) for cell in row] for row in raw.itertuples(index=False)]
    start = next((i for i, row in enumerate(cells) if any(cell and names.key(cell) for cell in row)), None)
    if start is None:
        return None, [Problem("delivery.no_area", **place)]
    found = [[period_of(cell) for cell in row] for row in cells[:start]]
    header = max(range(start), key=lambda i: (sum(map(bool, found[i])), i), default=-1)
    if header < 0 or not any(found[header]):
        return None, [Problem("delivery.no_header", row=start + 1, **place)]
    periods = {column: period for column, period in enumerate(found[header]) if period}
    problems = [
        Problem("delivery.period_double", row=header + 1, value=period, **place)
        for period in dict.fromkeys(periods.values())
        if list(periods.values()).count(period) > 1
    ]
    lengths = {len(period) for period in periods.values()}
    if len(lengths) > 1:
        problems.append(Problem("delivery.period_mixed", row=header + 1, **place))
    labels = tuple(range(min(periods)))
    holds = next((i for i in labels if cells[header][i].casefold() in _CATEGORY_HEADINGS | _headings()), None)
    if category is None and holds is None:
        problems.append(Problem("delivery.no_category", row=header + 1, **place))
    if problems:
        return None, problems
    return _Sheet(
        tuple(raw.itertuples(index=False, name=None)),
        header,
        start,
        periods,
        labels,
        holds if category is None else None,
    ), []


def _headings() -> frozenset[str]:
    return frozenset(heading.casefold() for heading in COUNTS.column("category").headings())


class _Reader:
    """Walks over the rows below the header once and sorts them."""

    def __init__(
        self, sheet: _Sheet, names: Names, districts: Mapping[str, str], marks: Mapping[str, str], place: dict[str, Any]
    ) -> None:
        self.sheet, self.names, self.districts, self.marks, self.place = sheet, names, districts, marks, place
        self.problems: list[Problem] = []
        self.notes: list[Problem] = self._unread_columns()
        self.marked: dict[str, list[str]] = {}

    def lines(self, category: str | None) -> Iterator[_Line]:
        """Return areas and totals; problems and notes are complete when the last one is out."""
        for position in range(self.sheet.header + 1, len(self.sheet.rows)):
            line = self._line(position, category)
            if line is not None:
                yield line
        for mark, reasons in self.marked.items():
            meaning = "dash" if mark == "-" and "-" not in self.marks else f"mark_{reasons[0]}"
            self.notes.append(Problem(f"delivery.note_{meaning}", value=mark, n=len(reasons), **self.place))

    def _line(self, position: int, category: str | None) -> _Line | None:
        row = self.sheet.rows[position]
        labels = [_written(row[i]) for i in self.sheet.labels if i != self.sheet.category and _written(row[i])]
        values = {period: row[column] for column, period in self.sheet.periods.items()}
        if all(_written(value) == "" for value in values.values()) and not any(map(self.names.key, labels)):
            self._remark(position, labels)
            return None
        if all(period_of(value) == period for period, value in values.items()):
            return None  # the header again, on the next printed page
        kind, area = self._kind(position, labels)
        if kind is None:
            return None
        if self.sheet.category is not None:
            category = _written(row[self.sheet.category])
        if not category and kind == "area":
            self.problems.append(Problem("delivery.empty_category", row=position + 1, **self.place))
        cells = {period: self._cell(position, period, value, kind) for period, value in values.items()}
        return _Line(position + 1, kind, " ".join(labels), area, category or "", cells)

    def _kind(self, position: int, labels: Sequence[str]) -> tuple[str | None, str | None]:
        keys = list(dict.fromkeys(key for key in map(self.names.key, labels) if key))
        if len(keys) == 1:
            return "area", keys[0]
        if len(keys) > 1:
            self.problems.append(
                Problem(
                    "delivery.two_areas",
                    row=position + 1,
                    value=" ".join(labels),
                    first=keys[0],
                    second=keys[1],
                    **self.place,
                )
            )
            return None, None
        for label in labels:
            bare = plain(re.sub(r"(?i)\b(insgesamt|gesamt|summe|zusammen)\b:?", "", label))
            if bare in self.districts:
                return "district", self.districts[bare]
        written = " ".join(plain(label) for label in labels)
        for label in [*map(plain, labels), written]:
            if _TOTAL.fullmatch(label.rstrip(":")):
                return "total", None
            if _UNASSIGNED.fullmatch(label):
                return "unassigned", None
        label = max(labels, key=len, default="")
        nearest = self.names.nearest(label)
        code = "delivery.unknown_name_nearest" if nearest else "delivery.unknown_name"
        self.problems.append(Problem(code, row=position + 1, value=label, nearest=nearest, **self.place))
        return None, None

    def _cell(self, position: int, period: str, value: object, kind: str) -> Cell:
        cell = read_cell(value, self.marks)
        if cell is None:
            self.problems.append(
                Problem(
                    "delivery.cell",
                    row=position + 1,
                    column=period,
                    value=_written(value),
                    known=_known(),
                    **self.place,
                )
            )
            return Cell(None, "unknown", 0)
        if kind == "area" and (cell.reason or mark_of(value) in self.marks):
            self.marked.setdefault(mark_of(value), []).append(cell.reason or "zero")
        return cell

    def _remark(self, position: int, labels: Sequence[str]) -> None:
        written = " ".join(labels)
        if position > self.sheet.start and written and plain(written) not in self.districts:
            self.notes.append(Problem("delivery.note_footnote", row=position + 1, value=written, **self.place))

    def _unread_columns(self) -> list[Problem]:
        """Name columns right of the first period that hold no period but something else."""
        first = min(self.sheet.periods)
        unread = [column for column in range(first, len(self.sheet.rows[0])) if column not in self.sheet.periods]
        filled = [
            column for column in unread if any(_written(row[column]) for row in self.sheet.rows[self.sheet.header :])
        ]
        return [
            Problem(
                "delivery.note_column",
                column=_written(self.sheet.rows[self.sheet.header][column]) or str(column + 1),
                **self.place,
            )
            for column in filled
        ]


def _districts(areas: pd.DataFrame) -> dict[str, str]:
    names = areas["district_name"].dropna().unique() if "district_name" in areas else ()
    return {plain(name): str(name) for name in names}


def _doubles(lines: Sequence[_Line], place: dict[str, Any]) -> list[Problem]:
    seen: dict[tuple[str | None, str], int] = {}
    problems = []
    for line in lines:
        if line.kind != "area":
            continue
        if (line.area, line.category) in seen:
            earlier = seen[line.area, line.category]
            problems.append(Problem("delivery.double", row=line.row, value=line.label, earlier=earlier, **place))
        seen.setdefault((line.area, line.category), line.row)
    return problems


def _tidy(lines: Sequence[_Line], absent: Sequence[str], periods: Sequence[str]) -> pd.DataFrame:
    rows = [
        (line.area, period, line.category, cell.count, cell.reason, cell.lower, cell.upper)
        for line in lines
        if line.kind == "area"
        for period, cell in line.cells.items()
    ]
    categories = dict.fromkeys(line.category for line in lines if line.kind == "area")
    rows += [
        (area, period, category, None, "not_delivered", 0, None)
        for area in absent
        for category in categories
        for period in periods
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    whole = dict.fromkeys(("count", "lower", "upper"), "Int64")
    return frame.astype({**dict.fromkeys(("area", "period", "category", "reason"), "str"), **whole})


def _bounded(counts: pd.DataFrame, lines: Sequence[_Line]) -> pd.DataFrame:
    """Lower the upper bounds of missing counts to what the total of the city leaves."""
    totals = {
        (line.category, period): cell.count
        for line in lines
        if line.kind == "total"
        for period, cell in line.cells.items()
        if cell.count is not None
    }
    bounded = counts.copy()
    for (category, period), group in counts.groupby(["category", "period"]):
        open_ = group.index[group["count"].isna()]
        left = totals.get((str(category), str(period)), -1) - int(group["count"].sum())
        for index in open_ if left >= 0 else ():
            others = int(group["lower"].loc[open_.drop(index)].sum())
            given = group["upper"].loc[index]
            most = max(left - others, 0)
            bounded.loc[index, "upper"] = most if pd.isna(given) else min(int(given), most)
    return bounded


def _header_note(sheet: _Sheet, place: dict[str, Any]) -> Problem:
    periods = list(sheet.periods.values())
    return Problem(
        "delivery.note_wide", row=sheet.header + 1, first=periods[0], last=periods[-1], n=len(periods), **place
    )


def _total_notes(lines: Sequence[_Line], areas: pd.DataFrame, place: dict[str, Any]) -> list[Problem]:
    """Compare every total row with the sum of its areas, period by period."""
    district = dict(zip(areas["area"], areas["district_name"], strict=True)) if "district_name" in areas else {}
    notes = []
    for line in lines:
        here: dict[str, Any] = {**place, "row": line.row, "value": line.label}
        if line.kind == "unassigned":
            n = sum(cell.count or 0 for cell in line.cells.values())
            notes.append(Problem("delivery.note_unassigned", n=n, **here))
        elif line.kind != "area":
            parts = [part for part in lines if part.category == line.category and _belongs(part, line, district)]
            off = _deviations(line, parts)
            notes += [Problem("delivery.note_total_off", **here, **values) for values in off]
            notes += [] if off else [Problem("delivery.note_total", **here)]
    return notes


def _belongs(part: _Line, total: _Line, district: Mapping[str, str]) -> bool:
    if total.kind == "total":
        return part.kind in {"area", "unassigned"}
    return part.kind == "area" and district.get(part.area or "") == total.area


def _deviations(total: _Line, parts: Sequence[_Line]) -> list[dict[str, Any]]:
    found = []
    for period, cell in total.cells.items():
        least, most = _sum_bounds([part.cells[period] for part in parts])
        if cell.count is not None and not least <= cell.count <= most:
            nearest = least if cell.count < least else most
            found.append({"period": period, "total": cell.count, "deviation": cell.count - int(nearest)})
    return found


def _sum_bounds(cells: Sequence[Cell]) -> tuple[float, float]:
    least = sum((cell.lower or 0) if cell.count is None else cell.count for cell in cells)
    most = sum(
        (float("inf") if cell.upper is None else cell.upper) if cell.count is None else cell.count for cell in cells
    )
    return least, most


def _written(cell: object) -> str:
    return "" if cell is None or pd.isna(cell) else " ".join(str(cell).split())


def _known() -> tuple[str, ...]:
    return tuple(mark for mark in MARKS if mark)
