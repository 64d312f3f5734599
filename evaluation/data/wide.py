"""Files with years as columns: recognised by their first rows, then read as a whole by the thin-delivery reader."""

import csv
from itertools import islice

import pandas as pd

from evaluation.data.contracts import CONTRACTS, COUNTS, Contract
from evaluation.data.delivery import read_wide
from evaluation.data.dialect import detect, normal
from evaluation.data.files import Source, csv_facts, unreadable, xlsx_cells
from evaluation.data.headings import is_wide
from evaluation.errors import Problem

WIDE_TABLES = ("counts", "inhabitants")
_WORKBOOKS = (".xlsx", ".xlsm")
_TEXTS = (".csv", ".txt", ".tsv")
_LOOK = 40  # rows that show what a sheet is
_HEADER = 10  # rows among which a header is looked for


def is_wide_file(source: Source, contract: Contract) -> bool:
    """Tell whether a file has periods as columns: as declared, else if no row is a header and one holds periods."""
    if source.layout == "long" or unreadable(source) is not None:
        return False
    if source.path.suffix.lower() not in (*_WORKBOOKS, *_TEXTS):
        return False
    if source.layout is not None:
        return True
    cells, _, problems = _cells(source, rows=_LOOK)
    return not problems and not cells.empty and not _has_header(cells, source, contract) and is_wide(cells)


def read_wide_file(source: Source, areas: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """Read a file with periods as columns.

    Parameters
    ----------
    source
        The file, of one of the `WIDE_TABLES`.
    areas
        Table of areas, whose names or keys the rows bear.

    Returns
    -------
    frame
        Columns of the contract.
    facts
        What was recognised and left out.
    problems
        Everything that keeps the file from being used.
    """
    cells, facts, problems = _cells(source)
    if problems:
        return pd.DataFrame(), facts, problems
    is_counts = source.table == COUNTS.name
    counts, problems, notes = read_wide(
        cells,
        areas=areas,
        category=source.category if is_counts else source.table,
        file=source.file,
        marks=source.marks,
        table=source.table,
    )
    return counts if is_counts else _inhabitants(counts), [*facts, *notes], problems


def _cells(source: Source, *, rows: int | None = None) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """Return the cells of the first rows, or of all, so that position 0 is row 1 of the file."""
    if source.path.suffix.lower() in _WORKBOOKS:
        cells, facts, problems = xlsx_cells(source, rows=rows)
        return cells.reset_index(drop=True), facts, problems
    dialect, problems = detect(source.path, file=source.file, encoding=source.encoding, separator=source.separator)
    if problems:
        return pd.DataFrame(), [], problems
    with source.path.open(encoding=dialect.encoding, newline="") as handle:
        for _ in range(dialect.skip):
            handle.readline()
        records = [*[[""]] * dialect.skip, *islice(csv.reader(handle, delimiter=dialect.separator), rows)]
    width = max((len(record) for record in records), default=0)
    padded = [[*record, *[""] * (width - len(record))] for record in records]
    return pd.DataFrame(padded, dtype=object), csv_facts(source, dialect), []


def _has_header(cells: pd.DataFrame, source: Source, contract: Contract) -> bool:
    """Tell whether one of the first rows holds all headings that a long table needs."""
    needed = [
        {normal(heading) for heading in (*column.headings(), *_declared(source, column.name))}
        for column in contract.columns
        if column.required and column.name not in {"area", "category"}
    ]
    rows = cells.head(_HEADER).itertuples(index=False)
    return any(
        all(words & row for words in needed) for row in ({normal(cell) for cell in cells_of} for cells_of in rows)
    )


def _declared(source: Source, name: str) -> list[str]:
    return [heading for heading, ours in source.columns.items() if ours == name]


def _inhabitants(counts: pd.DataFrame) -> pd.DataFrame:
    if counts.empty:
        return pd.DataFrame(columns=list(CONTRACTS["inhabitants"].names))
    named = counts.rename(columns={"period": "year", "count": "inhabitants"})[["area", "year", "inhabitants"]]
    return named.assign(year=named["year"].str.slice(0, 4).astype("int64"))
