"""Incidents in Parquet that may be larger than memory: checked and counted by DuckDB, never loaded as a whole."""

import datetime as dt
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.data.contracts import INCIDENTS, Column
from evaluation.data.files import Source, unreadable
from evaluation.data.matching import Matched, match
from evaluation.data.place import Place
from evaluation.data.rules import ROW, Known, validate
from evaluation.errors import Problem

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

MEMORY = "1GB"
_TYPES = {
    "key": ("VARCHAR",),
    "text": ("VARCHAR",),
    "datetime": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"),
    "date": ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "bool": ("BOOLEAN",),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class LargeTable:
    """Incidents in a file.

    Parameters
    ----------
    relation
        Columns with our names and ``row``, the row of the file; nothing is loaded.
    facts, problems, notes
        As of a :class:`~evaluation.data.readers.Delivery`.
    connection
        Kept open as long as the relation is used.
    """

    relation: "DuckDBPyRelation"
    connection: "DuckDBPyConnection"
    facts: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    @property
    def columns(self) -> tuple[str, ...]:
        """Our names of the columns that the file has."""
        return tuple(name for name in self.relation.columns if name != ROW)

    def until(self, year: int | None) -> "DuckDBPyRelation":
        """Return the rows up to the end of a year."""
        return self.relation if year is None else self.relation.filter(f"occurred_from < DATE '{year + 1}-01-01'")

    def load(self, year: int | None) -> pd.DataFrame:
        """Return the rows up to the end of a year as a frame with the types of the contract."""
        frame = self.until(year).to_arrow_table().to_pandas().drop(columns=ROW)
        for column in INCIDENTS.columns:
            if column.name not in frame:
                continue
            if column.kind in {"date", "datetime"}:
                frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[us]")
            else:
                frame[column.name] = frame[column.name].astype("boolean" if column.kind == "bool" else "str")
        return frame


def open_large(source: Source, *, areas: pd.DataFrame | None, today: dt.date | None = None) -> LargeTable | None:
    """Open and check incidents in Parquet.

    Parameters
    ----------
    source
        The file and what is declared about it.
    areas
        Table of areas; without it keys of areas are not checked.
    today
        Day after which a date lies in the future.

    Returns
    -------
    LargeTable or None
        None where the columns are not text and dates as they should be, so that the file has to be read cell by cell.
    """
    if source.path.suffix.lower() != ".parquet" or unreadable(source) is not None:
        return None
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "temp_directory": tempfile.gettempdir(),
            "autoinstall_known_extensions": "false",
            "preserve_insertion_order": "false",
        }
    )
    try:
        opened = connection.read_parquet(str(source.path), file_row_number=True)
    except duckdb.Error:
        connection.close()
        return None  # the reader says what is wrong
    headings = [name for name in opened.columns if name != "file_row_number"]
    nameless = Place(table=source.table, file=source.file)
    matched = match(headings, _columns(source), nameless, declared=source.columns, ignored=source.ignore)
    types = dict(zip(opened.columns, map(str, opened.types), strict=True))
    if not all(types[headings[at]] in _TYPES[INCIDENTS.column(name).kind] for name, at in matched.positions.items()):
        connection.close()
        return None
    named = opened.project(_selection(headings, matched, source))
    place = Place(
        table=source.table, file=source.file, headings={name: headings[at] for name, at in matched.positions.items()}
    )
    problems = list(matched.problems)
    if not problems:
        keys = None if areas is None else areas["area"].tolist()
        known = Known(areas=keys, today=today or dt.date.today())
        problems = validate(named, INCIDENTS, INCIDENTS.columns, place, known)
    if not _count(named):
        problems.append(place.problem("data.empty_table"))
    facts = [place.problem("data.found_large", n=_count(named))]
    return LargeTable(relation=named, connection=connection, facts=facts, problems=problems, notes=list(matched.notes))


def _columns(source: Source) -> tuple[Column, ...]:
    given = {"category"} if source.category is not None else set()
    return tuple(column for column in INCIDENTS.columns if column.name not in given)


def _selection(headings: list[str], matched: Matched, source: Source) -> str:
    """Return the columns with our names, as SQL; rows count from 1."""
    chosen = [f"{_quoted(headings[at])} AS {name}" for name, at in matched.positions.items()]
    if source.category is not None:
        chosen.append(f"'{source.category.replace(chr(39), chr(39) * 2)}' AS category")
    return ", ".join([*chosen, f"file_row_number + 1 AS {_quoted(ROW)}"])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _count(relation: Any) -> int:
    return int(relation.aggregate("count(*)").fetchall()[0][0])
