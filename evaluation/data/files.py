"""Files become raw tables: headings and cells as they stand there, rows numbered as the reader sees them.

Nothing is interpreted here except what the file itself says: encoding and separator, a number format that shows
zeros in front, value labels of SPSS.
"""

import csv
import zipfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.data.dialect import Dialect, detect, normal
from evaluation.errors import Problem, nearest

FORMATS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".parquet", ".sav")
_ERRORS = ("#N/A", "#NV", "#REF!", "#BEZUG!", "#VALUE!", "#WERT!", "#DIV/0!", "#NAME?", "#NUM!", "#ZAHL!", "#NULL!")
_BLOCK = 1 << 24
_TOP = 10  # rows among which the header row is looked for


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that holds a table, and what is declared about it.

    Parameters
    ----------
    table
        Name of the table.
    path
        The file.
    file
        How messages name it.
    columns
        Our name by heading, for headings that are neither our name nor a label.
    ignore
        Headings that are known and not used.
    sheet
        Sheet of a workbook.
    encoding, separator, decimal, date_format
        Declared values; what is not declared is recognised and reported.
    layout
        ``years_as_columns`` or ``long``; recognised where not declared.
    category
        Category of all rows, where the file has no column for it.
    marks
        What marks for missing counts mean in this file, ``{"-": "zero"}``.
    """

    table: str
    path: Path
    file: str
    columns: dict[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    date_format: str | None = None
    layout: str | None = None
    category: str | None = None
    marks: dict[str, str] = field(default_factory=dict)

    def problem(self, code: str, **values: object) -> Problem:
        """Return a problem of this file."""
        return Problem(code, table=self.table, file=self.file, **values)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False, kw_only=True)
class Raw:
    """A table as it stands in the file.

    Parameters
    ----------
    headings
        Texts of the header row, as they are; may repeat.
    frame
        Columns 0, 1, ... in the order of the headings; the index holds the rows of the file.
    facts
        What was recognised.
    problems
        Why the file, or a row of it, cannot be read.
    """

    headings: tuple[str, ...] = ()
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_raw(source: Source, headings: Collection[str] = ()) -> Raw:
    """Read a file with a header row.

    Parameters
    ----------
    source
        The file; faults of the file come back as problems.
    headings
        Headings that the table may have, to recognise separator and sheet.
    """
    problem = unreadable(source)
    if problem is not None:
        return Raw(problems=[problem])
    readers: dict[str, Callable[[Source, Collection[str]], Raw]] = {
        ".xlsx": _read_xlsx,
        ".xlsm": _read_xlsx,
        ".parquet": _read_parquet,
        ".sav": _read_sav,
    }
    try:
        return readers.get(source.path.suffix.lower(), _read_csv)(source, headings)
    except OSError as error:
        return Raw(problems=[source.problem("data.unreadable", reason=error.strerror or str(error))])


def unreadable(source: Source) -> Problem | None:
    """Return why a file cannot be opened: missing, a folder, empty, of an unknown kind, or locked."""
    path = source.path
    if not path.exists():
        guess = _similar_file(path)
        code = "data.missing_file_like" if guess else "data.missing_file"
        return source.problem(code, nearest=guess)
    if path.is_dir():
        return source.problem("data.is_folder")
    if path.suffix.lower() not in FORMATS:
        return source.problem("data.unknown_format", value=path.suffix or path.name, formats=FORMATS)
    try:
        with path.open("rb") as handle:
            first = handle.read(1)
    except OSError as error:
        return source.problem("data.unreadable", reason=error.strerror or str(error))
    return None if first else source.problem("data.empty_file")


def _similar_file(path: Path) -> str | None:
    """Return a file beside `path` whose name was probably meant: other ending, other case, a slip."""
    there = path.parent.iterdir() if path.parent.is_dir() else ()
    stems = {normal(other.stem): other.name for other in there if other.suffix.lower() in FORMATS}
    return next((stems[stem] for stem in get_close_matches(normal(path.stem), list(stems), n=1, cutoff=0.75)), None)


# --- CSV ---


def _read_csv(source: Source, headings: Collection[str]) -> Raw:
    dialect, problems = detect(
        source.path, file=source.file, encoding=source.encoding, separator=source.separator, headings=headings
    )
    if problems:
        return Raw(problems=problems)
    facts = csv_facts(source, dialect)
    header, lines = _header(source.path, dialect)
    if not header:
        return Raw(facts=facts, problems=[source.problem("data.empty_file")])
    width = len(header)
    frame, bad = _records(source.path, dialect, width, lines)
    problems = [_width_problem(source, row, width, found) for row, found in bad[:5]]
    if len(bad) > 5:
        problems.append(source.problem("data.more_rows", n=len(bad) - 5, total=len(bad)))
    while header and not header[-1].strip() and _empty(frame[len(header) - 1]):  # a separator at the end of each line
        header = header[:-1]
        frame = frame.drop(columns=len(header))
    return Raw(headings=tuple(header), frame=_without_blank_rows(frame), facts=facts, problems=problems)


def csv_facts(source: Source, dialect: Dialect) -> list[Problem]:
    """Return what was recognised of a CSV file."""
    remarks = [source.problem("data.found_remark", given=remark) for remark in dialect.remarks]
    return [source.problem("data.found_csv", **dialect.facts), *remarks]


def _header(path: Path, dialect: Dialect) -> tuple[list[str], int]:
    """Return the first record and the number of lines up to its end."""
    with path.open(encoding=dialect.encoding, newline="") as handle:
        for _ in range(dialect.skip):
            handle.readline()
        reader = csv.reader(handle, delimiter=dialect.separator)
        for record in reader:
            if any(cell.strip() for cell in record):
                return [cell.strip() for cell in record], dialect.skip + reader.line_num
    return [], 0


def _records(path: Path, dialect: Dialect, width: int, lines: int) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """Return all records of the right width as text, and number of line and fields of the others."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    bad: list[tuple[int, int]] = []

    def note(row: Any) -> str:
        bad.append((row.number, row.actual_columns if row.text.strip() else 0))  # 0: a blank line
        return "skip"

    names = [str(position) for position in range(width)]
    try:
        table = arrow.read_csv(
            path,
            read_options=arrow.ReadOptions(
                use_threads=False,  # numbers of rows are known only then
                skip_rows=lines,
                column_names=names,
                encoding=_plain(dialect.encoding),
                block_size=_BLOCK,
            ),
            parse_options=arrow.ParseOptions(
                delimiter=dialect.separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise
        return pd.DataFrame(columns=range(width), dtype="str"), []
    frame = table.to_pandas().set_axis(range(width), axis=1)
    frame.index = _line_numbers(frame, lines, [number for number, _ in bad])
    return frame, [(number, found) for number, found in bad if found]


def _plain(encoding: str) -> str:
    return "utf8" if encoding in {"utf-8", "utf-8-sig"} else encoding


def _line_numbers(frame: pd.DataFrame, lines: int, skipped: Sequence[int]) -> pd.Index:
    """Return the line of the file in which each record starts: records may span lines, and some were skipped."""
    if frame.empty:
        return frame.index
    numbers = pd.Series(range(lines + 1, lines + 1 + len(frame) + len(skipped)))
    left = numbers[~numbers.isin(list(skipped))].reset_index(drop=True)
    breaks = pd.Series(0, index=left.index)
    for column in frame:
        breaks += frame[column].str.count("\n").to_numpy()
    return pd.Index(left + breaks.cumsum().shift(fill_value=0))


def _width_problem(source: Source, row: int, width: int, found: int) -> Problem:
    code = "data.too_many_fields" if found > width else "data.too_few_fields"
    return source.problem(code, row=row, found=found, expected=width)


def _empty(values: pd.Series) -> bool:
    return not values.astype("str").str.strip().any()


def _without_blank_rows(frame: pd.DataFrame) -> pd.DataFrame:
    blank = pd.Series(data=True, index=frame.index)
    for column in frame:
        values = frame[column]
        blank &= values.isna() | (values.astype("str").str.strip() == "" if values.dtype in ("str", object) else False)
    return frame[~blank]


# --- XLSX ---


def _read_xlsx(source: Source, headings: Collection[str]) -> Raw:
    cells, facts, problems = xlsx_cells(source, headings)
    if problems:
        return Raw(facts=facts, problems=problems)
    filled = cells.index[cells.notna().any(axis=1)]
    if filled.empty:
        return Raw(facts=facts, problems=[source.problem("data.empty_file")])
    top = _header_row(cells.loc[filled[:_TOP]], headings)
    if top != filled[0]:
        facts.append(source.problem("data.found_header", row=top))
    header = ["" if pd.isna(cell) else str(cell).strip() for cell in cells.loc[top]]
    body = cells.loc[top + 1 :]
    while header and not header[-1] and body[len(header) - 1].isna().all():
        header, body = header[:-1], body.drop(columns=len(header) - 1)
    errors = [
        source.problem("data.formula_error", row=int(row), column=header[column] or str(column + 1), value=value)
        for column in body
        for row, value in body[column][body[column].isin(_ERRORS)].items()
    ]
    return Raw(headings=tuple(header), frame=_without_blank_rows(body), facts=facts, problems=errors)


def _header_row(first: pd.DataFrame, headings: Collection[str]) -> int:
    """Return the row that holds most of the known headings, the first of equals: titles may stand above it."""
    known = {normal(heading) for heading in headings}
    rows = first.itertuples(index=False)
    hits = [sum(normal(cell) in known for cell in row if isinstance(cell, str)) for row in rows]
    return int(first.index[hits.index(max(hits))])


def xlsx_cells(
    source: Source, headings: Collection[str] = (), *, rows: int | None = None
) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """Return the cells of a sheet as objects, rows numbered from 1; then what was recognised, and problems.

    `rows` limits them to the first ones.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    empty = pd.DataFrame()
    try:
        book = load_workbook(source.path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        return empty, [], [source.problem("data.no_workbook", reason=str(error))]
    try:
        if source.sheet is not None and source.sheet not in book.sheetnames:
            guess = nearest(source.sheet, book.sheetnames) or book.sheetnames[0]
            return empty, [], [source.problem("data.missing_sheet", value=source.sheet, nearest=guess)]
        name = source.sheet or _likely_sheet(book, headings)
        facts = []
        if len(book.sheetnames) > 1 and source.sheet is None:
            others = [other for other in book.sheetnames if other != name]
            facts.append(source.problem("data.found_sheet", given=name, others=others))
        cells = [[_cell(cell) for cell in row] for row in book[name].iter_rows(max_row=rows)]
    finally:
        book.close()
    frame = pd.DataFrame(cells, dtype=object)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame, facts, []


def _likely_sheet(book: Any, headings: Collection[str]) -> str:
    """Return the sheet whose first rows hold most of the headings; the first of equals."""
    known = {normal(heading) for heading in headings}

    def hits(name: str) -> int:
        rows = book[name].iter_rows(max_row=_TOP, values_only=True)
        return max((sum(normal(cell) in known for cell in row if cell is not None) for row in rows), default=0)

    names: list[str] = book.sheetnames
    return max(names, key=hits)


def _cell(cell: Any) -> object:
    """Return a value as the sheet shows it: a number with format ``00`` is text with its zeros."""
    value = cell.value
    shown = getattr(cell, "number_format", None)
    if isinstance(value, int | float) and not isinstance(value, bool) and isinstance(shown, str):
        zeros = shown.strip('"').split(";")[0]
        if len(zeros) > 1 and set(zeros) == {"0"} and float(value).is_integer():
            return str(int(value)).zfill(len(zeros))
    return value


# --- Parquet and SPSS ---


def _read_parquet(source: Source, headings: Collection[str]) -> Raw:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        frame = parquet.read_table(source.path).to_pandas()
    except pa.ArrowInvalid as error:
        return Raw(problems=[source.problem("data.no_parquet", reason=str(error))])
    names = tuple(str(name) for name in frame.columns)
    frame = frame.set_axis(range(len(names)), axis=1).set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)
    return Raw(headings=names, frame=frame)


def _read_sav(source: Source, headings: Collection[str]) -> Raw:
    from evaluation.data.spss import read_sav  # it reads into what is defined here

    return read_sav(source)
