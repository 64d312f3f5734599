"""Real files in every format become the same table."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.data.contracts import CONTRACTS, Column
from evaluation.data.files import Source
from evaluation.data.readers import read_table
from evaluation.texts import text

FRAME = pd.DataFrame(
    {
        "Vorgangsnummer": ["S1", "S2", "S3"],
        "Tatzeit von": pd.to_datetime(["2023-12-31 22:15", "2023-01-05 00:00", "2023-06-01 12:00"]),
        "Erfassungsdatum": pd.to_datetime(["2024-01-02", "2023-01-05", "2023-06-02"]),
        "Ortsteil-Schlüssel": ["00", "62", "00"],
        "Schlüssel": ["010000", "*50*00", "------"],
        "Öffentlicher Raum": [True, False, True],
    }
)


def expected() -> pd.DataFrame:
    names = ["incident_id", "occurred_from", "recorded", "area", "category", "in_public"]
    frame = FRAME.set_axis(names, axis=1)
    types = {"occurred_from": "datetime64[us]", "recorded": "datetime64[us]", "in_public": "boolean"}
    return frame.astype({**types, **dict.fromkeys(["incident_id", "area", "category"], "str")})


def as_csv(folder: Path, *, encoding: str, separator: str, dates: str, yes: tuple[str, str]) -> str:
    frame = FRAME.assign(
        **{
            "Tatzeit von": FRAME["Tatzeit von"].dt.strftime(f"{dates} %H:%M"),
            "Erfassungsdatum": FRAME["Erfassungsdatum"].dt.strftime(dates),
            "Öffentlicher Raum": FRAME["Öffentlicher Raum"].map({True: yes[0], False: yes[1]}),
        }
    )
    frame.to_csv(folder / "v.csv", sep=separator, encoding=encoding, index=False)
    return "v.csv"


FORMATS = {
    "German CSV": lambda f: as_csv(f, encoding="cp1252", separator=";", dates="%d.%m.%Y", yes=("ja", "nein")),
    "German CSV with mark": lambda f: as_csv(
        f, encoding="utf-8-sig", separator=";", dates="%d.%m.%Y", yes=("Ja", "Nein")
    ),
    "international CSV": lambda f: as_csv(f, encoding="utf-8", separator=",", dates="%Y-%m-%d", yes=("true", "false")),
    "tabs": lambda f: as_csv(f, encoding="utf-16", separator="\t", dates="%d.%m.%Y", yes=("1", "0")),
    "XLSX": lambda f: FRAME.to_excel(f / "v.xlsx", index=False) or "v.xlsx",
    "Parquet": lambda f: FRAME.to_parquet(f / "v.parquet") or "v.parquet",
}


@pytest.mark.parametrize("make", FORMATS.values(), ids=list(FORMATS))
def test_every_format_gives_the_same_table(tmp_path: Path, areas: pd.DataFrame, make) -> None:
    folder = tmp_path / "Ordner mit Ümlaut"
    folder.mkdir()
    name = make(folder)
    delivery = read_table(Source(table="incidents", path=folder / name, file=name), areas=areas)
    assert delivery.problems == ()
    assert delivery.notes == ()
    pd.testing.assert_frame_equal(delivery.table(), expected())
    first = 1 if name.endswith("parquet") else 2
    assert delivery.frame.index.tolist() == [first, first + 1, first + 2]


def test_what_was_recognised_is_reported(read) -> None:
    content = "Befragten-Nummer;Welle;Ortsteil-Schlüssel;Schicht;Gewicht;Erhebungsweg\n1;2021;Zentrum;a;1,5;Telefon\n"
    delivery = read("respondents", content)
    assert [fact.worded("de") for fact in delivery.detected] == [
        "Datei respondents.csv, Tabelle respondents: Erkannt: Zeichensatz UTF-8, Trennzeichen „;“.",
        "Datei respondents.csv, Tabelle respondents: Erkannt: Dezimalzeichen „,“.",
        "Datei respondents.csv, Tabelle respondents, Spalte Ortsteil-Schlüssel: Die Spalte enthält Namen; 1 wurden "
        "durch "
        "Schlüssel ersetzt, etwa „Zentrum“ durch „00“.",
    ]
    assert delivery.frame[["area", "weight", "mode"]].to_numpy().tolist() == [["00", 1.5, "phone"]]


def test_declared_dialect_overrides(read) -> None:
    content = "Befragten-Nummer,Welle,Ortsteil-Schlüssel,Schicht,Gewicht,Erhebungsweg\n1,2021,00,a,1.234,online\n"
    delivery = read("respondents", content, separator=",", decimal=".")
    assert delivery.problems == ()
    assert delivery.frame["weight"].tolist() == [1.234]


def test_text_stays_text_to_the_last_character(read) -> None:
    delivery = read("areas", "Ortsteil-Schlüssel;Ortsteil;Polizeirevier\n00;007;NA\n01; null ;1.0\n")
    assert delivery.frame.to_numpy().tolist() == [["00", "007", "NA"], ["01", "null", "1.0"]]


def test_headings_in_either_language_or_by_our_name(read) -> None:
    for header in (
        "Ortsteil-Schlüssel;Ortsteil",
        "Area key;Area name",
        "area;name",
        "ORTSTEIL SCHLUESSEL;ortsteil",
    ):
        assert read("areas", f"{header}\n00;Zentrum\n").frame.columns.tolist() == ["area", "name"]


def test_columns_come_in_the_order_of_the_contract(read) -> None:
    delivery = read("areas", "Ortsteil;Stadtbezirk;Ortsteil-Schlüssel\nZentrum;Mitte;00\n")
    assert delivery.frame.columns.tolist() == ["area", "name", "district_name"]


# --- XLSX ---


def workbook(path: Path, rows: list[list[object]], *, sheets: dict[str, list[list[object]]] | None = None) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "Tabelle1"
    for row in rows:
        book.active.append(row)
    for name, other in (sheets or {}).items():
        sheet = book.create_sheet(name)
        for row in other:
            sheet.append(row)
    book.save(path)


def test_a_number_that_is_shown_with_zeros_is_text_with_zeros(tmp_path: Path, areas: pd.DataFrame) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Ortsteil-Schlüssel", "Zeitraum", "Schlüssel", "Anzahl"])
    book.active.append([0, 2023, 899000, 5])
    book.active["A2"].number_format = "00"
    book.save(tmp_path / "c.xlsx")
    delivery = read_table(Source(table="counts", path=tmp_path / "c.xlsx", file="c.xlsx"), areas=areas)
    assert delivery.problems == ()
    assert delivery.frame[["area", "period", "category", "count"]].to_numpy().tolist() == [["00", "2023", "899000", 5]]


def test_a_number_that_is_shown_as_0_is_not_00(tmp_path: Path, areas: pd.DataFrame) -> None:
    workbook(tmp_path / "c.xlsx", [["Ortsteil-Schlüssel", "Zeitraum", "Schlüssel", "Anzahl"], [0, 2023, 899000, 5]])
    [problem] = read_table(Source(table="counts", path=tmp_path / "c.xlsx", file="c.xlsx"), areas=areas).problems
    assert problem.worded("de") == (
        "Datei c.xlsx, Tabelle counts, Zeile 2, Spalte Ortsteil-Schlüssel, Wert „0“: Dieses Gebiet steht nicht in "
        "der Tabelle "
        "der Gebiete. Betroffene Zeilen: 1. Abhilfe: Gemeint sein könnte „00“; Schlüssel sind Text und behalten "
        "führende "
        "Nullen."
    )


def test_the_sheet_with_the_headings_is_taken_and_reported(tmp_path: Path) -> None:
    rows = [["Ortsteil-Schlüssel", "Ortsteil"], ["00", "Zentrum"]]
    workbook(tmp_path / "a.xlsx", [["Deckblatt"]], sheets={"Gebiete": rows, "Anhang": [["x"]]})
    delivery = read_table(Source(table="areas", path=tmp_path / "a.xlsx", file="a.xlsx"))
    assert [fact.worded("de") for fact in delivery.detected] == [
        "Datei a.xlsx, Tabelle areas: Gelesen wird das Tabellenblatt „Gebiete“, nicht Tabelle1 und Anhang. "
        "Abhilfe: Ein anderes mit "
        "sheet in project.toml angeben."
    ]
    assert delivery.table().to_numpy().tolist() == [["00", "Zentrum"]]


def test_a_declared_sheet_that_does_not_exist(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [["x"]])
    [problem] = read_table(Source(table="areas", path=tmp_path / "a.xlsx", file="a.xlsx", sheet="Tabelle 1")).problems
    assert problem.worded("de") == (
        "Datei a.xlsx, Tabelle areas, Wert „Tabelle 1“: Dieses Tabellenblatt gibt es nicht. Abhilfe: Gemeint sein "
        "könnte "
        "„Tabelle1“: sheet in project.toml berichtigen."
    )


def test_titles_above_the_header_are_passed_and_rows_keep_their_number(tmp_path: Path) -> None:
    rows = [
        ["Gebiete der Stadt"],
        [],
        ["Ortsteil-Schlüssel", "Ortsteil"],
        ["00", "Zentrum"],
        [],
        ["00", "Noch einmal"],
    ]
    workbook(tmp_path / "a.xlsx", rows)
    delivery = read_table(Source(table="areas", path=tmp_path / "a.xlsx", file="a.xlsx"))
    assert [fact.worded("de") for fact in delivery.detected] == [
        "Datei a.xlsx, Tabelle areas, Zeile 3: Die Kopfzeile steht erst hier; die Zeilen darüber sind Titel."
    ]
    [problem] = delivery.problems
    assert (problem.code, problem.row, problem.values["first"]) == ("data.duplicate", 6, 4)


def test_dates_and_texts_in_one_column_of_excel_are_an_error(tmp_path: Path, areas: pd.DataFrame) -> None:
    header = ["Tatzeit von", "Ortsteil-Schlüssel", "Schlüssel"]
    rows = [header, [dt.datetime(2023, 5, 11), "00", "899000"], ["25.11.2023", "00", "899000"]]
    workbook(tmp_path / "v.xlsx", rows)
    [problem] = read_table(Source(table="incidents", path=tmp_path / "v.xlsx", file="v.xlsx"), areas=areas).problems
    assert problem.worded("de") == (
        "Datei v.xlsx, Tabelle incidents, Spalte Tatzeit von: Die Spalte enthält Zellen mit Datum (Zeilen 2) und "
        "solche mit Text "
        "(Zeilen 3); vermutlich hat Excel nur einen Teil erkannt und dabei Tag und Monat vertauscht. Abhilfe: Die "
        "Spalte aus dem "
        "Ursprungsprogramm neu ausgeben und in Excel als Text oder ganz als Datum einlesen."
    )


def test_a_text_that_excel_made_a_date(tmp_path: Path) -> None:
    rows = [["Ortsteil-Schlüssel", "Ortsteil"], ["00", dt.datetime(2024, 5, 3)]]
    workbook(tmp_path / "a.xlsx", rows)
    problems = read_table(Source(table="areas", path=tmp_path / "a.xlsx", file="a.xlsx")).problems
    assert [problem.worded("de") for problem in problems] == [
        "Datei a.xlsx, Tabelle areas, Zeile 2, Spalte Ortsteil, Wert „2024-05-03 00:00:00“: In einer Spalte mit "
        "Text steht ein "
        "Datum; vermutlich hat Excel einen Text wie „3-5“ umgewandelt. Abhilfe: Die Spalte in Excel als Text "
        "formatieren und die "
        "Werte neu eintragen."
    ]


def test_a_broken_formula(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [["Ortsteil-Schlüssel", "Ortsteil"], ["00", "#N/A"]])
    [problem] = read_table(Source(table="areas", path=tmp_path / "a.xlsx", file="a.xlsx")).problems
    assert problem.worded("de") == (
        "Datei a.xlsx, Tabelle areas, Zeile 2, Spalte Ortsteil, Wert „#N/A“: In der Zelle steht ein Fehler statt "
        "eines Werts. "
        "Abhilfe: Die Formel berichtigen oder den Wert eintragen und die Datei neu speichern."
    )


# --- SPSS ---


def test_spss_labels_codes_and_missing_values(tmp_path: Path, areas: pd.DataFrame) -> None:
    import pyreadstat

    frame = pd.DataFrame(
        {
            "Nummer": [1.0, 2.0, 3.0],
            "wave": [2021.0] * 3,
            "ot": [0.0, 62.0, 1.0],
            "stratum": ["a", "a", "b"],
            "weight": [1.25, 0.5, 2.0],
            "mode": [1.0, 2.0, 1.0],
            "q1": [1.0, 4.0, 9.0],
        }
    )
    pyreadstat.write_sav(
        frame,
        tmp_path / "b.sav",
        variable_value_labels={
            "ot": {0: "Zentrum", 62: "Grünau-Mitte", 1: "Zentrum-Ost"},
            "mode": {1: "Papier", 2: "Online"},
            "q1": {1: "sehr sicher", 4: "sehr unsicher"},
        },
        missing_ranges={"q1": [{"lo": 9, "hi": 9}]},
    )
    source = Source(
        table="respondents",
        path=tmp_path / "b.sav",
        file="b.sav",
        columns={"Nummer": "respondent_id", "ot": "area"},
    )
    item = Column(name="q1", kind="int", label={"de": "q1", "en": "q1"}, example="2", nullable=True)
    delivery = read_table(source, areas=areas, extra=(item,))
    assert delivery.problems == ()
    table = delivery.table()
    assert table["respondent_id"].tolist() == ["1", "2", "3"]
    assert table["wave"].tolist() == ["2021"] * 3
    assert table["area"].tolist() == ["00", "62", "01"]
    assert table["mode"].tolist() == ["paper", "online", "paper"]
    assert table["q1"].isna().tolist() == [False, False, True]
    assert [fact.worded("de") for fact in delivery.detected] == [
        "Datei b.sav, Tabelle respondents, Spalte ot: Für die Codes stehen die Wertelabels aus SPSS (3).",
        "Datei b.sav, Tabelle respondents, Spalte mode: Für die Codes stehen die Wertelabels aus SPSS (2).",
        "Datei b.sav, Tabelle respondents, Spalte q1: Die Codes bleiben; Wertelabels aus SPSS: 1 = sehr sicher und "
        "4 = sehr unsicher.",
        "Datei b.sav, Tabelle respondents, Spalte q1: In SPSS als fehlend vereinbart und daher leer: 9.",
        "Datei b.sav, Tabelle respondents, Spalte ot: Die Spalte enthält Namen; 3 wurden durch Schlüssel ersetzt, "
        "etwa „Zentrum“ "
        "durch „00“.",
    ]


# --- counts that are not there ---


def test_marks_are_missing_with_reason_and_bounds_and_never_zero(read) -> None:
    rows = "Zentrum;2023;a;<3\nZentrum;2022;a;.\nZentrum;2021;a;-\nZentrum;2020;a;\nZentrum;2019;a;0\n"
    delivery = read("counts", "Ortsteil;Jahr;Schlüssel;Anzahl\n" + rows)
    assert delivery.problems == ()
    rows = delivery.frame[["count", "reason", "lower", "upper"]].astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        [None, "suppressed", 0, 2],
        [None, "suppressed", 0, None],
        [None, "unknown", 0, None],
        [None, "not_delivered", 0, None],
        [0, None, None, None],
    ]


def test_a_mark_can_be_declared_to_mean_zero(read) -> None:
    delivery = read("counts", "Ortsteil;Jahr;Schlüssel;Anzahl\nZentrum;2023;a;-\n", marks={"-": "zero"})
    assert delivery.frame["count"].tolist() == [0]
    assert [fact.worded("de") for fact in delivery.detected][1] == (
        "Datei counts.csv, Tabelle counts, Zeile 2: „-“ gilt als 0, wie in project.toml angegeben; Zeilen: 1."
    )


def test_a_reason_that_is_given_is_kept(read) -> None:
    content = "Ortsteil;Jahr;Schlüssel;Anzahl;Fehlgrund;Höchstens\nZentrum;2023;a;;gesperrt;4\nZentrum;2022;a;7;;\n"
    delivery = read("counts", content)
    assert delivery.frame["reason"].iloc[0] == "suppressed"
    assert delivery.frame["upper"].iloc[0] == 4
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei counts.csv, Tabelle counts: Für „a“ fehlen Gebiete ganz (4): 01 Zentrum-Ost, 20 Neustadt-Neuschönefeld, "
        "21 Volkmarsdorf, 62 Grünau-Mitte. Abhilfe: Die "
        "Gebiete nachliefern "
        "lassen.",
        "Datei counts.csv, Tabelle counts: 1 von 2 Anzahlen fehlen mit Grund (etwa gesperrt). Sie werden nicht 0.",
    ]


def test_years_as_columns_are_recognised_for_counts_and_inhabitants(read) -> None:
    sheet = "Titel;;\nOrtsteil;2022;2023\nZentrum;1.901;1.950\nGrünau-Mitte;<3;7\n"
    counts = read("counts", sheet, category="all")
    assert counts.problems == ()
    assert counts.frame.loc[counts.frame["area"] == "62", "upper"].tolist()[0] == 2
    people = read("inhabitants", sheet)
    assert people.problems == ()
    assert people.frame.iloc[0].tolist() == ["00", 2022, 1901]


def test_a_long_table_stays_long(read) -> None:
    delivery = read("counts", "Ortsteil;Zeitraum;Schlüssel;Anzahl\nZentrum;2022;2021;2020\nZentrum;2023;2021;2023\n")
    assert delivery.frame["count"].tolist() == [2020, 2023]


def test_a_declared_category_needs_no_column(read) -> None:
    delivery = read("counts", "Ortsteil;Jahr;Anzahl\nZentrum;2022;5\n", category="all")
    assert delivery.problems == ()
    assert delivery.frame["category"].tolist() == ["all"]


# --- remarks ---


def test_gaps_in_time_are_noted(read) -> None:
    rows = "".join(f"{area};{year};a;5\n" for area in ("00", "01", "20", "21", "62") for year in (2019, 2022))
    delivery = read("counts", "Ortsteil;Jahr;Schlüssel;Anzahl\n" + rows)
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei counts.csv, Tabelle counts: Für „a“ fehlen Zeiträume zwischen dem ersten und dem letzten (2): 2020 "
        "und 2021. Sie "
        "bleiben Lücken und werden nicht 0. Abhilfe: Die fehlenden Zeiträume nachliefern lassen."
    ]


def test_a_year_without_incidents_is_noted(read) -> None:
    header = "Tatzeit von;Ortsteil-Schlüssel;Schlüssel\n"
    delivery = read("incidents", header + "1.1.2019;00;899000\n1.1.2021;00;899000\n")
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei incidents.csv, Tabelle incidents: Jahre ohne Daten zwischen dem ersten und dem letzten (1): 2020. "
        "Sie bleiben "
        "Lücken und werden nicht 0. Abhilfe: Die fehlenden Jahre nachliefern lassen."
    ]


def test_areas_and_years_without_inhabitants_are_noted(read) -> None:
    delivery = read("inhabitants", "Ortsteil;Jahr;Einwohner\nZentrum;2019;5\nZentrum;2021;\nZentrum-Ost;2019;5\n")
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei inhabitants.csv, Tabelle inhabitants: Jahre ohne Daten zwischen dem ersten und dem letzten (1): "
        "2020. Sie bleiben "
        "Lücken und werden nicht 0. Abhilfe: Die fehlenden Jahre nachliefern lassen.",
        "Datei inhabitants.csv, Tabelle inhabitants: Gebiete ohne Einwohnerzahl (3): "
        "20 Neustadt-Neuschönefeld, 21 Volkmarsdorf, 62 Grünau-Mitte. Abhilfe: Die "
        "Einwohnerzahlen "
        "nachliefern lassen; sonst gibt es dort keine Raten.",
    ]


def test_a_stratum_with_one_unit_is_noted(read) -> None:
    header = "Befragten-Nummer;Welle;Ortsteil-Schlüssel;Schicht;Gewicht;Erhebungsweg\n"
    delivery = read("respondents", header + "1;2021;00;a;1,5;online\n2;2021;00;b;1,5;online\n3;2021;00;b;1,5;online\n")
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei respondents.csv, Tabelle respondents: In der Welle 2021 haben 1 Schichten nur eine "
        "Erhebungseinheit: a. Ihre "
        "Streuung lässt sich nicht schätzen. Abhilfe: Mit der nächstähnlichen Schicht zusammenlegen; die "
        "Auswertung nennt, wie sie "
        "damit umgeht."
    ]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_example_of_a_contract_keeps_it(contract, read) -> None:
    headings = ";".join(column.label["de"] for column in contract.columns)
    row = ";".join(f'"{column.example}"' for column in contract.columns)
    delivery = read(contract.name, f"{headings}\n{row}\n")
    assert delivery.problems == ()
    assert list(delivery.frame.columns) == list(contract.names)
    assert delivery.notes == () or contract.name in {"counts", "inhabitants", "respondents"}
    assert text("data.empty_table.problem", "de")


def test_numbers_are_whole_where_they_are_counted(read) -> None:
    frame = read("inhabitants", "Ortsteil;Jahr;Einwohner\nZentrum;2019;1.901\nZentrum;2020;\n").frame
    assert frame["year"].dtype == np.int64
    assert str(frame["inhabitants"].dtype) == "Int64"
    assert frame["inhabitants"].tolist() == [1901, pd.NA]


def test_years_as_columns_keep_the_rows_of_the_file_behind_a_remark(read) -> None:
    [problem] = read(
        "counts", "# Stand heute\nOrtsteil;2022;2023\nZentrum;1;2\nWolkenheim;3;4\n", category="all"
    ).problems
    assert (problem.row, problem.value) == (4, "Wolkenheim")


def test_years_as_columns_need_the_areas(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("Ortsteil;2022;2023\nZentrum;1;2\n", encoding="utf-8")
    source = Source(table="counts", path=tmp_path / "c.csv", file="c.csv", category="all")
    assert [problem.worded("de") for problem in read_table(source).problems] == [
        "Datei c.csv, Tabelle counts: Die Tabelle der Gebiete fehlt oder ist fehlerhaft; ohne sie lässt sich diese "
        "Datei "
        "nicht lesen. Abhilfe: Zuerst die Tabelle areas in Ordnung bringen."
    ]


def test_the_header_of_a_long_table_may_be_declared(read) -> None:
    content = "Gebiet;2020;2021;n\nZentrum;2019;a;5\n"
    columns = {"2020": "period", "2021": "category", "n": "count"}
    delivery = read("counts", content, columns=columns)
    assert delivery.problems == ()
    assert delivery.frame[["area", "period", "category", "count"]].to_numpy().tolist() == [["00", "2019", "a", 5]]


def test_a_workbook_with_years_as_columns(tmp_path: Path, areas: pd.DataFrame) -> None:
    rows = [
        ["Straftaten"],
        ["Ortsteil", 2022, 2023],
        ["Zentrum", 1234, "x"],
        ["Grünau-Mitte", 5, 6],
        ["Summe", 1239, 6],
    ]
    workbook(tmp_path / "c.xlsx", rows)
    source = Source(table="counts", path=tmp_path / "c.xlsx", file="c.xlsx", category="all")
    delivery = read_table(source, areas=areas)
    assert delivery.problems == ()
    found = delivery.frame.set_index(["area", "period"])
    assert found.loc[("00", "2022"), "count"] == 1234
    assert found.loc[("00", "2023"), "reason"] == "suppressed"
