"""A file becomes a table that keeps its contract, or a list of everything that keeps it from doing so."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evaluation.data.cells import Cell, read_cell
from evaluation.data.contracts import AREAS, COUNTS, Column, Contract, contract_of
from evaluation.data.convert import Converted, convert
from evaluation.data.files import Raw, Source, read_raw
from evaluation.data.matching import match
from evaluation.data.names import Names
from evaluation.data.place import Place
from evaluation.data.quality import mixed_periods, quality_notes, short_keys
from evaluation.data.rules import ROW, Known, validate
from evaluation.data.wide import WIDE_TABLES, is_wide_file, read_wide_file
from evaluation.errors import DataError, Problem


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
    wide = _wide(request)
    if wide is not None:
        return wide
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


def _wide(request: _Request) -> Delivery | None:
    """Read a sheet with years as columns; None where the file is none."""
    source, place = request.source, Place(table=request.source.table, file=request.source.file)
    if source.table not in WIDE_TABLES or not is_wide_file(source, request.contract):
        return None
    if request.areas is None:
        return Delivery(frame=pd.DataFrame(), problems=(place.problem("data.areas_first"),))
    frame, facts, problems = read_wide_file(source, request.areas)
    if not problems and frame.empty:
        problems = [place.problem("data.empty_table")]
    if not problems:
        problems = _checked(frame, Converted(frame=frame), request, place)
    return Delivery(frame=frame, detected=tuple(facts), problems=tuple(problems))
