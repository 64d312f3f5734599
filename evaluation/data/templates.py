"""The request for data: an empty file for every table, with German headings and an example row, and a letter."""

import csv
from pathlib import Path
from typing import Any

from evaluation.data.codebook import codebook, heading_row, rows
from evaluation.data.contracts import CONTRACTS, Contract, contract_of
from evaluation.data.dialect import normal
from evaluation.data.folders import whole_folder
from evaluation.texts import text

_TEXT_FORMAT = "@"  # Excel leaves a cell of this format as it is: 00 stays 00
_TEXTS = ("key", "text", "texts", "period")
_WIDEST = 60


def write_templates(folder: Path, language: str, *, table: str | None = None) -> list[str]:
    """Write an XLSX and a CSV file for every table, and the request that goes with them.

    Parameters
    ----------
    folder
        A new or empty folder.
    language
        Of the request, the codebook and the names of the files; headings are German in any case, because those who
        deliver are. English ones are read as well.
    table
        Only this table.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    DataError
        The folder is not empty or cannot be written to, or there is no such table.
    """
    chosen = [contract_of(table)] if table else list(CONTRACTS.values())
    with whole_folder(folder) as partial:
        for contract in chosen:
            _write_csv(partial / f"{file_name(contract, language)}.csv", contract)
            _write_xlsx(partial / f"{file_name(contract, language)}.xlsx", contract, language)
        (partial / f"{_readme(language)}").write_text(_request(language, table), encoding="utf-8")
        return sorted(path.name for path in partial.iterdir())


def file_name(contract: Contract, language: str) -> str:
    """Return the title of a table as a file name without umlauts and blanks.

    Examples
    --------
    >>> file_name(contract_of("incidents"), "de"), file_name(contract_of("incidents"), "en")
    ('vorgaenge', 'incidents')
    """
    return "_".join(normal(word) for word in contract.label[language].split())


def _readme(language: str) -> str:
    return f"{text('data.template.request_title', language).replace(' ', '_')}.md"


def _request(language: str, table: str | None) -> str:
    title, words = text("data.template.request_title", language), text("data.template.request", language)
    return f"# {title}\n\n{words}\n{codebook(language, table=table)}"


def _headings(contract: Contract) -> list[str]:
    return [column.label["de"] for column in contract.columns]


def _write_csv(path: Path, contract: Contract) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(_headings(contract))
        writer.writerow([column.example for column in contract.columns])


def _write_xlsx(path: Path, contract: Contract, language: str) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = contract.label["de"]
    sheet.append(_headings(contract))
    sheet.append([_example(column.kind, column.example) for column in contract.columns])
    for position, column in enumerate(contract.columns, start=1):
        letter = sheet.cell(1, position).column_letter
        sheet.column_dimensions[letter].width = max(12, len(column.label["de"]) + 2)
        if column.kind in _TEXTS:
            sheet.column_dimensions[letter].number_format = _TEXT_FORMAT
            sheet.cell(2, position).number_format = _TEXT_FORMAT
    sheet.freeze_panes = "A2"
    _write_request(book.create_sheet(text("data.template.sheet", language)), contract, language)
    for page in book.worksheets:
        for cell in page[1]:
            cell.font = Font(bold=True)
    book.save(path)


def _write_request(sheet: Any, contract: Contract, language: str) -> None:
    sheet.append(heading_row(language))
    for row in rows(contract, language):
        sheet.append([cell.replace("`", "") for cell in row])
    sheet.append([])
    for line in text("data.template.request", language).strip().splitlines():
        sheet.append([line])
    for position, cells in enumerate(zip(*rows(contract, language), strict=True), start=1):
        letter = sheet.cell(1, position).column_letter
        sheet.column_dimensions[letter].width = min(_WIDEST, max(map(len, cells)) + 2)


def _example(kind: str, example: str) -> object:
    """Return the example as a cell: whole numbers and decimal numbers are numbers, everything else is text."""
    if kind == "int" and example:
        return int(example)
    return float(example.replace(",", ".")) if kind == "float" and example else example
