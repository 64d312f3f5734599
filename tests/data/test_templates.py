from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from evaluation.data.codebook import codebook
from evaluation.data.contracts import CONTRACTS
from evaluation.data.files import Source
from evaluation.data.readers import read_table
from evaluation.data.templates import file_name, write_templates
from evaluation.errors import DataError


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_template_can_be_read_back(tmp_path: Path, areas: pd.DataFrame, contract, ending: str) -> None:
    write_templates(tmp_path / "anforderung", "de")
    path = tmp_path / "anforderung" / f"{file_name(contract, 'de')}.{ending}"
    delivery = read_table(
        Source(table=contract.name, path=path, file=path.name), areas=None if contract.name == "areas" else areas
    )
    assert delivery.problems == ()
    assert list(delivery.frame.columns) == list(contract.names)
    assert len(delivery.frame) == 1


def test_keys_are_formatted_as_text_and_the_request_is_inside(tmp_path: Path) -> None:
    write_templates(tmp_path / "a", "de", table="incidents")
    book = load_workbook(tmp_path / "a" / "vorgaenge.xlsx")
    assert book.sheetnames == ["Vorgänge", "Datenanforderung"]
    headings = [cell.value for cell in book["Vorgänge"][1]]
    assert headings == [column.label["de"] for column in CONTRACTS["incidents"].columns]
    column = book["Vorgänge"].cell(2, headings.index("Schlüssel") + 1)
    assert (column.value, column.number_format) == ("222100", "@")
    words = [row[0].value for row in book["Datenanforderung"].iter_rows()]
    assert "- Schlüssel sind Text: „00“ bleibt „00“. Die Spalten sind entsprechend formatiert." in words


def test_the_request_stands_beside_the_files(tmp_path: Path) -> None:
    files = write_templates(tmp_path / "a b", "de", table="counts")
    assert files == ["Datenanforderung.md", "fallzahlen.csv", "fallzahlen.xlsx"]
    words = (tmp_path / "a b" / "Datenanforderung.md").read_text(encoding="utf-8")
    assert words.startswith("# Datenanforderung\n\nBitte liefern Sie die Tabellen")
    assert "| Anzahl | `count` | ganze Zahl; Fälle | darf leer sein | ab 0 |" in words


def test_english_templates_have_english_names_and_german_headings(tmp_path: Path) -> None:
    files = write_templates(tmp_path / "a", "en", table="counts")
    assert files == ["Data_request.md", "counts.csv", "counts.xlsx"]
    headings = (tmp_path / "a" / "counts.csv").read_text(encoding="utf-8-sig").splitlines()[0].split(";")
    assert headings == [column.label["de"] for column in CONTRACTS["counts"].columns]
    words = (tmp_path / "a" / "Data_request.md").read_text(encoding="utf-8")
    assert "(German, as the police and the city deliver them; English ones are read as well)" in words


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "wichtig.txt").write_text("1", encoding="utf-8")
    with pytest.raises(DataError):
        write_templates(tmp_path / "a", "de")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "wichtig.txt"]


def test_the_codebook_names_every_column_in_both_languages() -> None:
    for language in ("de", "en"):
        book = codebook(language)
        for contract in CONTRACTS.values():
            assert f"({'`' + contract.name + '`'})" in book
            for column in contract.columns:
                assert f"| {column.label[language]} | `{column.name}` |" in book


def test_the_codebook_of_one_table() -> None:
    assert codebook("de", table="inhabitants") == (
        "# Codebuch\n\n"
        "Alle Tabellen, die die Auswertung liest. Eine Datei darf die deutsche oder die englische Überschrift oder "
        "den Namen "
        "tragen.\n\n"
        "## Einwohner (`inhabitants`)\n\n"
        "Eindeutig durch: Ortsteil-Schlüssel und Jahr.\n\n"
        "| Überschrift | Name | Art | Pflicht | Zulässig | Bedeutung | Beispiel |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| Ortsteil-Schlüssel | `area` | Schlüssel (Text, führende Nullen bleiben) | ja |  | Schlüssel des "
        "Ortsteils. | 00 |\n"
        "| Jahr | `year` | ganze Zahl | ja | ab 1900, nicht in der Zukunft | Jahr, für das die Zahl gilt. | 2023 |\n"
        "| Einwohner | `inhabitants` | ganze Zahl; Personen | darf leer sein | ab 0 | Einwohner mit Hauptwohnsitz; "
        "leer, wenn "
        "unbekannt. | 1901 |\n"
    )
