"""A file becomes a table that keeps its contract, or a list of everything that keeps it from doing so."""

import csv
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evaluation.data.cells import Cell, read_cell
from evaluation.data.contracts import AREAS, CONTRACTS, COUNTS, Column, Contract, contract_of
from evaluation.data.convert import Converted, convert
from evaluation.data.delivery import read_wide
from evaluation.data.dialect import detect
from evaluation.data.files import Raw, Source, csv_facts, read_raw, unreadable, xlsx_cells
from evaluation.data.headings import is_wide
from evaluation.data.matching import match
from evaluation.data.names import Names
from evaluation.data.place import Place
from evaluation.data.quality import mixed_periods, quality_notes, short_keys
from evaluation.data.rules import ROW, Known, validate
from evaluation.errors import DataError, Problem

WIDE_TABLES = ("counts", "inhabitants")


@dataclass(frozen=True, eq=False, kw_only=True)
class Delivery:
    """What a file delivered.

    Parameters
    ----------
    frame
        Typed columns with our names in the order of the contract; the index holds the rows of the file.
    detected
        What was recognised: encoding, separator, decimal mark, date formats, layout.
    problems
        Everything that breaks the contract; the frame is used only if there is none.
    notes
        What is no fault but should be known.
    """

    frame: pd.DataFrame
    detected: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return the rows, numbered from 0.

        Raises
        ------
        DataError
            With all problems.
        """
        if self.problems:
            raise DataError(*self.problems)
        return self.frame.reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What is asked of a file."""

    source: Source
    contract: Contract
    columns: tuple[Column, ...]
    areas: pd.DataFrame | None
    today: dt.date


def read_table(
    source: Source,
    *,
    areas: pd.DataFrame | None = None,
    extra: Sequence[Column] = (),
    today: dt.date | None = None,
) -> Delivery:
    r"""Read a file and check it against the contract of its table.

    Parameters
    ----------
    source
        The file and what is declared about it.
    areas
        The table of areas; without it keys of areas are not checked, and names do not find their keys.
    extra
        Further columns that the table must have, such as the items of a survey.
    today
        Day after which a date lies in the future.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "areas.csv")
    ...     _ = path.write_text("Ortsteil-Schlüssel;Ortsteil\n00;Zentrum\n", encoding="cp1252")
    ...     delivery = read_table(Source(table="areas", path=path, file=path.name))
    >>> delivery.frame["area"].tolist(), [fact.values["encoding"] for fact in delivery.detected]
    (['00'], ['CP1252'])
    """
    contract = contract_of(source.table)
    columns, today = (*contract.columns, *extra), today or dt.date.today()
    request = _Request(source=source, contract=contract, columns=columns, areas=areas, today=today)
    if source.table in WIDE_TABLES and source.layout != "long":
        sheet = _whole_sheet(request)
        if sheet is not None:
            return _wide(*sheet, request)
    headings = [heading for column in request.columns for heading in column.headings()]
    raw = read_raw(source, [*headings, *source.columns])
    if raw.problems and raw.frame.empty:
        return Delivery(frame=pd.DataFrame(), detected=tuple(raw.facts), problems=tuple(raw.problems))
    return _long(raw, request)


def _long(raw: Raw, request: _Request) -> Delivery:
    """Read one row an observation."""
    source = request.source
    nameless = Place(table=source.table, file=source.file)
    columns = _with_category(request)
    matched = match(raw.headings, columns, nameless, declared=source.columns, ignored=source.ignore)
    place = Place(
        table=source.table,
        file=source.file,
        headings={name: raw.headings[position] for name, position in matched.positions.items()},
    )
    problems = [*raw.problems, *matched.problems]
    if raw.frame.empty:
        problems.append(nameless.problem("data.empty_table"))
        return Delivery(frame=pd.DataFrame(), detected=tuple(raw.facts), problems=tuple(problems))
    named = raw.frame[list(matched.positions.values())].set_axis(list(matched.positions), axis=1)
    if source.category is not None:
        named = named.assign(category=source.category)
    named, marked = _split_marks(named, source) if source.table == COUNTS.name else (named, [])
    made = convert(named, request.columns, place, decimal=source.decimal, date_format=source.date_format)
    facts = [*raw.facts, *marked, *made.facts]
    frame = _named_areas(made.frame, request, place, facts)
    problems += [*made.problems, *_checked(frame, made, request, place)]
    notes = [*matched.notes, *([] if problems else quality_notes(frame, place, request.areas))]
    return Delivery(frame=frame, detected=tuple(facts), problems=tuple(problems), notes=tuple(notes))


def _with_category(request: _Request) -> tuple[Column, ...]:
    """Return the columns to be found in the file: a declared category needs none."""
    given = {"category"} if request.source.category is not None else set()
    return tuple(column for column in request.columns if column.name not in given)


def _checked(frame: pd.DataFrame, made: Converted, request: _Request, place: Place) -> list[Problem]:
    keys = None
    if request.areas is not None and request.source.table != "areas":
        keys = request.areas["area"].tolist()
    known = Known(areas=keys, today=request.today, failed=made.failed)
    numbered = frame.assign(**{ROW: frame.index.astype("int64")})
    problems = validate(numbered, request.contract, request.columns, place, known)
    if request.contract is AREAS and "area" in frame:
        problems += short_keys(frame.dropna(subset=["area"]), place)
    if request.contract is COUNTS and {"period", "category"} <= set(frame.columns):
        problems += mixed_periods(frame.dropna(subset=["period"]), place)
    return problems


def _named_areas(frame: pd.DataFrame, request: _Request, place: Place, facts: list[Problem]) -> pd.DataFrame:
    """Put the key where a file has the name of an area, and report it."""
    if request.areas is None or "area" not in frame or request.source.table == "areas":
        return frame
    names = Names.of(request.areas["area"], request.areas["name"])
    keys = set(request.areas["area"])
    found = {label: names.key(label) for label in frame["area"].dropna().unique() if label not in keys}
    found = {label: key for label, key in found.items() if key is not None}
    if not found:
        return frame
    label, key = next(iter(found.items()))
    facts.append(place.problem("data.found_names", "area", n=len(found), label=label, key=key))
    return frame.assign(area=frame["area"].replace(found))


def _split_marks(named: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, list[Problem]]:
    """Put reason and bounds where a count is a mark such as ``.`` or ``<3``, or is empty; it never becomes 0."""
    if "count" not in named:
        return named, []
    given = named["count"].astype(object).where(named["count"].notna(), "")
    explained = _filled(named, "reason") & given.astype(str).str.strip().eq("")
    cells = {value: read_cell(value, source.marks) for value in given[~explained].unique()}
    marked = {value: cell for value, cell in cells.items() if cell and (cell.reason or value in source.marks)}
    rows = given.isin(list(marked)) & ~explained
    if not rows.any():
        return named, []
    count = given[rows].map(lambda value: marked[value].count).astype(object)
    split = named.assign(count=given.where(~rows, count.reindex(given.index)))
    for part in ("reason", "lower", "upper"):
        new = given[rows].map(lambda value, part=part: getattr(marked[value], part)).astype(object)
        old = split[part].astype(object) if part in split else pd.Series(None, index=split.index, dtype=object)
        split[part] = old.where(~rows | _filled(split, part), new.reindex(split.index))
    found = {value: given.index[rows & (given == value)] for value in marked}
    return split, [_mark_fact(source, value, marked[value], rows_of) for value, rows_of in found.items()]


def _filled(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(data=False, index=frame.index)
    return frame[column].notna() & frame[column].astype(str).str.strip().ne("")


def _mark_fact(source: Source, value: object, cell: Cell, rows: pd.Index) -> Problem:
    return source.problem(f"data.found_mark_{cell.reason or 'zero'}", row=int(rows[0]), given=value, n=len(rows))


# --- years as columns ---


def _whole_sheet(request: _Request) -> tuple[pd.DataFrame, list[Problem]] | None:
    """Return all cells of a sheet with years as columns and what was recognised; None where the file is none."""
    source = request.source
    if request.areas is None or unreadable(source) is not None:
        return None
    if source.path.suffix.lower() in {".xlsx", ".xlsm"}:
        cells, facts, problems = xlsx_cells(source)
    elif source.path.suffix.lower() in {".csv", ".txt", ".tsv"}:
        cells, facts, problems = _csv_cells(source)
    else:
        return None
    if problems or cells.empty:
        return None
    if source.layout is None and (_has_header(cells, request.contract) or not is_wide(cells)):
        return None
    return cells.reset_index(drop=True), facts


def _csv_cells(source: Source) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    dialect, problems = detect(source.path, file=source.file, encoding=source.encoding, separator=source.separator)
    if problems:
        return pd.DataFrame(), [], problems
    with source.path.open(encoding=dialect.encoding, newline="") as handle:
        for _ in range(dialect.skip):
            handle.readline()
        records = list(csv.reader(handle, delimiter=dialect.separator))
    width = max((len(record) for record in records), default=0)
    cells = pd.DataFrame([record + [""] * (width - len(record)) for record in records], dtype=object)
    return cells, csv_facts(source, dialect), []


def _has_header(cells: pd.DataFrame, contract: Contract) -> bool:
    """Tell whether one of the first rows holds all headings of the contract that a long table needs."""
    from evaluation.data.dialect import normal

    needed = [
        {normal(heading) for heading in column.headings()}
        for column in contract.columns
        if column.required and column.name not in {"area", "category"}
    ]
    rows = [{normal(cell) for cell in row if isinstance(cell, str)} for row in cells.head(10).itertuples(index=False)]
    return any(all(words & row for words in needed) for row in rows)


def _wide(cells: pd.DataFrame, facts: Sequence[Problem], request: _Request) -> Delivery:
    source = request.source
    assert request.areas is not None  # noqa: S101 - _whole_sheet has looked
    is_counts = source.table == COUNTS.name
    category = source.category if is_counts else "inhabitants"
    counts, problems, notes = read_wide(
        cells, areas=request.areas, category=category, file=source.file, marks=source.marks, table=source.table
    )
    frame = counts if is_counts else _inhabitants(counts)
    place = Place(table=source.table, file=source.file)
    if not problems and frame.empty:
        problems = [place.problem("data.empty_table")]
    if not problems:
        problems = _checked(frame, Converted(frame=frame), request, place)
    return Delivery(frame=frame, detected=(*facts, *notes), problems=tuple(problems))


def _inhabitants(counts: pd.DataFrame) -> pd.DataFrame:
    if counts.empty:
        return pd.DataFrame(columns=list(CONTRACTS["inhabitants"].names))
    named = counts.rename(columns={"period": "year", "count": "inhabitants"})[["area", "year", "inhabitants"]]
    return named.assign(year=named["year"].str.slice(0, 4).astype("int64"))
