"""Thin deliveries, as the statistics office and the police send them."""

import openpyxl
import pandas as pd
import pytest

from evaluation.data.delivery import COLUMNS, read_wide
from evaluation.data.files import Source
from evaluation.data.readers import read_table

AREAS = pd.DataFrame(
    {
        "area": ["00", "04", "62", "63"],
        "name": ["Zentrum", "Zentrum-Süd", "Grünau-Mitte", "Grünau-Siedlung"],
        "district": ["0", "0", "6", "6"],
        "district_name": ["Mitte", "Mitte", "West", "West"],
    }
)
PLACE = "Datei lieferung.xlsx, Tabelle counts"
SHEET = [
    ["Straftaten nach Ortsteilen, Stadt Leipzig", None, None, None, None],
    ["Stand: 15.03.2024", None, None, None, None],
    [None, None, None, None, None],
    ["Nr.", "Ortsteil", "2021", "2022 1)", "Veränderung"],
    ["", "Stadtbezirk Mitte", None, None, None],
    ["00", "Zentrum", "4.276", "4.358", "82"],
    ["04", "Ortsteil Zentrum – Süd", "1.000", "<3", "."],
    ["", "Mitte zusammen", "5.276", "4.360", None],
    ["62", "Grünau Mitte", "1.208", ".", None],
    ["", "Grünau-Siedlung", "-", "17", None],
    ["", "nicht zuordenbar", "12", "10", None],
    ["", "Stadt Leipzig", "6.500", "6.000", None],
    [None, None, None, None, None],
    ["1) vorläufig", None, None, None, None],
    ["Quelle: Polizeidirektion", None, None, None, None],
]


def read(rows, **options):
    given = {"areas": AREAS, "category": "all", "file": "lieferung.xlsx", **options}
    return read_wide(pd.DataFrame(rows), **given)


def worded(problems, language="de"):
    return [problem.worded(language) for problem in problems]


def test_a_sheet_with_everything_that_sheets_have():
    counts, problems, _ = read(SHEET)
    assert problems == []
    assert list(counts.columns) == list(COLUMNS)
    found = counts.set_index(["area", "period"])
    assert found["count"].dropna().to_dict() == {
        ("00", "2021"): 4276,
        ("00", "2022"): 4358,
        ("04", "2021"): 1000,
        ("62", "2021"): 1208,
        ("63", "2022"): 17,
    }
    missing = found.loc[found["count"].isna(), ["reason", "lower", "upper"]]
    # 2022 leaves 6000 - 4358 - 17 = 1625 for the areas 04 and 62; the mark <3 is tighter for 04.
    assert missing.to_dict("index") == {
        ("04", "2022"): {"reason": "suppressed", "lower": 0, "upper": 2},
        ("62", "2022"): {"reason": "suppressed", "lower": 0, "upper": 1625},
        ("63", "2021"): {"reason": "unknown", "lower": 0, "upper": 16},
    }


def test_notes_say_what_was_recognised_and_left_out():
    _, _, notes = read(SHEET)
    assert worded(notes) == [
        f"{PLACE}, Zeile 4: Kopfzeile mit 2 Perioden erkannt, 2021 bis 2022.",
        f"{PLACE}, Spalte Veränderung: Die Spalte nennt keine Periode und wurde übergangen.",
        f"{PLACE}, Zeile 14, Wert „1) vorläufig“: Als Fußnote oder Überschrift übergangen.",
        f"{PLACE}, Zeile 15, Wert „Quelle: Polizeidirektion“: Als Fußnote oder Überschrift übergangen.",
        f"{PLACE}, Wert „<3“: Gelesen als gesperrt, nicht als 0; Zellen: 1.",
        f"{PLACE}, Wert „.“: Gelesen als gesperrt, nicht als 0; Zellen: 1.",
        f"{PLACE}, Wert „-“: Der Strich ist gelesen als unbekannt, nicht als 0; Zellen: 1. "
        "In amtlichen Tabellen heißt er oft „genau null“. Abhilfe: Wenn das hier so ist, in project.toml bei der "
        'Tabelle marks = { "-" = "zero" } angeben.',
        f"{PLACE}, Zeile 8, Wert „Mitte zusammen“: Summenzeile, stimmt mit der Summe der Gebiete überein.",
        f"{PLACE}, Zeile 11, Wert „nicht zuordenbar“: Fälle ohne Gebiet, nicht übernommen: 22.",
        f"{PLACE}, Zeile 12, Wert „Stadt Leipzig“: Summenzeile, stimmt mit der Summe der Gebiete überein.",
    ]


def test_a_total_that_does_not_add_up_is_reported_with_its_deviation():
    rows = [
        ["Ortsteil", "2021", "2022"],
        ["Zentrum", "10", "20"],
        ["Zentrum-Süd", "1", "<3"],
        ["Insgesamt", "14", "19"],
    ]
    _, problems, notes = read(rows)
    assert problems == []
    assert [note.values for note in notes if note.code == "delivery.note_total_off"] == [
        {"period": "2021", "total": 14, "deviation": 3},
        {"period": "2022", "total": 19, "deviation": -1},
    ]


def test_a_dash_is_zero_where_the_source_says_so():
    rows = [["Ortsteil", "2021", "2022"], ["Zentrum", "–", "20"]]
    counts, problems, notes = read(rows, marks={"-": "zero"})
    assert problems == []
    assert counts.loc[counts["area"] == "00", "count"].tolist() == [0, 20]
    assert "Gelesen als 0, wie für die Quelle angegeben; Zellen: 1." in worded(notes)[1]


def test_an_unknown_meaning_of_a_mark():
    _, problems, _ = read([["Ortsteil", "2021"], ["Zentrum", "1"]], marks={"-": "null"})
    assert worded(problems, "en") == [
        "File lieferung.xlsx, table counts, value “-”: “null” is no meaning of a mark. "
        "What to do: Allowed: zero, suppressed, unknown and not_delivered."
    ]


def test_areas_that_are_not_delivered_are_missing_and_named():
    counts, _, notes = read([["Ortsteil", "2021"], ["Zentrum", "1"], ["Zentrum-Süd", "2"]])
    assert counts.loc[counts["reason"] == "not_delivered", "area"].tolist() == ["62", "63"]
    assert worded(notes)[-1] == (
        f"{PLACE}: Gebiete, die nicht enthalten sind und als nicht geliefert gelten (2): "
        "62 Grünau-Mitte, 63 Grünau-Siedlung."
    )


def test_many_areas_that_are_not_delivered_are_counted_after_the_first_ones():
    many = pd.DataFrame({"area": [f"{n:02d}" for n in range(64)], "name": [f"Gebiet {n:02d}" for n in range(64)]})
    sheet = pd.DataFrame([["Ortsteil", "2021"], ["Gebiet 05", "1"]])
    _, problems, notes = read_wide(sheet, areas=many, category="a", file="lieferung.xlsx")
    assert problems == []
    assert worded(notes, "en")[-1] == (
        "File lieferung.xlsx, table counts: Areas that the sheet does not hold and that count as not delivered (63): "
        "00 Gebiet 00, 01 Gebiet 01, 02 Gebiet 02, 03 Gebiet 03, 04 Gebiet 04, 06 Gebiet 06; and 57 more."
    )


def test_all_problems_at_once():
    rows = [
        ["Nr.", "Ortsteil", "2021"],
        ["00", "Zentrum", "12,5"],
        ["", "Grünau-Mite", "3"],
        ["62", "Zentrum-Süd", "4"],
        ["", "Zentrum", "5"],
        ["0", "", "6"],
        ["", "Xqqx", "6"],
    ]
    _, problems, _ = read(rows)
    spelling = "Abhilfe: Namen wie in der Tabelle der Gebiete schreiben."
    assert worded(problems) == [
        f"{PLACE}, Zeile 2, Spalte 2021, Wert „12,5“: Das ist weder eine ganze Zahl noch ein bekanntes Zeichen. "
        "Abhilfe: Anzahlen als 1234 oder 1.234 liefern; bekannt sind ., ·, •, *, x, -, /, ?, k.a., n.v. und … und "
        "Angaben wie <3. Andere Zeichen in project.toml bei der Tabelle unter marks erklären.",
        f"{PLACE}, Zeile 3, Wert „Grünau-Mite“: Der Name gehört zu keinem Gebiet. "
        "Gemeint sein könnte „62 Grünau-Mitte“. " + spelling,
        f"{PLACE}, Zeile 4, Wert „62 Zentrum-Süd“: Schlüssel und Name der Zeile gehören zu verschiedenen Gebieten "
        "(62 und 04). Abhilfe: Schlüssel oder Namen berichtigen.",
        f"{PLACE}, Zeile 6, Wert „0“: Der Name gehört zu keinem Gebiet. Gemeint sein könnte „00 Zentrum“. " + spelling,
        f"{PLACE}, Zeile 7, Wert „Xqqx“: Der Name gehört zu keinem Gebiet. " + spelling,
        f"{PLACE}, Zeile 5, Wert „Zentrum“: Das Gebiet steht schon in Zeile 2. Abhilfe: Jedes Gebiet einmal liefern.",
    ]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["a", "b"], ["c", "1"]], "delivery.no_area"),
        ([["Ortsteil", "Anzahl"], ["Zentrum", "1"]], "delivery.no_header"),
        ([["Zentrum", "1"]], "delivery.no_header"),
        ([["Ortsteil", "2021", "2021"], ["Zentrum", "1", "2"]], "delivery.period_double"),
        ([["Ortsteil", "2021", "2021-03"], ["Zentrum", "1", "2"]], "delivery.period_mixed"),
    ],
)
def test_sheets_without_a_usable_header(rows, code):
    counts, problems, _ = read(rows)
    assert [problem.code for problem in problems] == [code]
    assert counts.empty
    assert list(counts.columns) == list(COLUMNS)


def test_categories_come_from_a_column_or_from_the_source():
    rows = [
        ["Ortsteil", "Schlüssel", "2021"],
        ["Zentrum", "------", "9"],
        ["Zentrum", "326*00", "3"],
        ["Insgesamt", "------", "9"],
    ]
    counts, problems, notes = read(rows, category=None, areas=AREAS.head(1))
    assert problems == []
    assert counts[["category", "count"]].to_numpy().tolist() == [["------", 9], ["326*00", 3]]
    assert [note.code for note in notes] == ["delivery.note_wide", "delivery.note_total"]
    _, problems, _ = read([["Ortsteil", "2021"], ["Zentrum", "1"]], category=None)
    assert worded(problems) == [
        f"{PLACE}, Zeile 1: Die Tabelle hat keine Spalte mit Schlüsseln, und für die Quelle ist "
        'keiner angegeben. Abhilfe: In project.toml bei der Tabelle category = "…" angeben.'
    ]


def test_repeated_headers_of_printed_pages_are_passed_over():
    rows = [["Ortsteil", "2021"], ["Zentrum", "1"], ["Ortsteil", "2021"], ["Zentrum-Süd", "2"]]
    counts, problems, _ = read(rows)
    assert problems == []
    assert counts["count"].dropna().tolist() == [1, 2]


def test_numbers_from_a_spreadsheet_and_months():
    rows = [["Ortsteil", "2021-01-01 00:00:00", "Feb 2021"], ["Zentrum", 12, 13.0], ["Zentrum-Süd", float("nan"), 1]]
    counts, problems, _ = read(rows, areas=AREAS.head(2))
    assert problems == []
    assert counts[["period", "count"]].head(2).to_numpy().tolist() == [["2021-01", 12], ["2021-02", 13]]
    assert counts["reason"].tolist()[2] == "not_delivered"


def test_the_callers_frames_stay_as_they_are():
    raw, areas = pd.DataFrame(SHEET), AREAS.copy()
    before = raw.copy()
    read_wide(raw, areas=areas, category="all", file="a.xlsx")
    pd.testing.assert_frame_equal(raw, before)
    pd.testing.assert_frame_equal(areas, AREAS)


def test_a_spreadsheet_is_read_from_end_to_end(tmp_path):
    workbook = openpyxl.Workbook()
    for row in SHEET:
        workbook.active.append(row)
    workbook.active["C4"], workbook.active["D4"], workbook.active["C6"] = 2021, 2022.0, 4276  # numbers, not text
    path = tmp_path / "Lieferung für 2022.xlsx"
    workbook.save(path)
    delivery = read_table(Source(table="counts", path=path, file=path.name, category="all"), areas=AREAS)
    assert delivery.problems == ()
    pd.testing.assert_frame_equal(delivery.table(), read(SHEET)[0], check_dtype=False)
    assert len(delivery.detected) == 10


def test_inhabitants_with_years_as_columns_and_a_total(tmp_path):
    path = tmp_path / "einwohner.csv"
    rows = [
        "Einwohner am 31.12.;;",
        "Ortsteil;2021;2022",
        "Zentrum;1.900;1.901",
        "Zentrum-Süd;10;11",
        "Summe;1.910;1.912",
    ]
    path.write_text("\n".join(rows), encoding="cp1252")
    delivery = read_table(Source(table="inhabitants", path=path, file=path.name), areas=AREAS.head(2))
    assert delivery.problems == ()
    assert delivery.table()["inhabitants"].tolist() == [1900, 1901, 10, 11]
