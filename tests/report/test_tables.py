import pandas as pd

from evaluation.disclosure import About, Rules, publish
from evaluation.report.tables import Layout, long_table, side_by_side, wide_table


def counts(rows, **about):
    frame = pd.DataFrame(rows, columns=["area", "name", "year", "value", "note"])
    described = About(**{"id": "registered.theft", "unit": "cases", "source": "Polizei", **about})
    return publish(frame, Rules(), about=described, keys=("area", "year"), labels=("name",), basis="cases")


def shares(*rows):
    frame = pd.DataFrame(rows, columns=["wave", "value", "conf_low", "conf_high", "n"])
    about = About(id="survey.unsafe", unit="share", source="Bürgerumfrage")
    return publish(frame, Rules(), about=about, keys=("wave",), basis="answers", cases="n")


def layout(*rows, **changes):
    return Layout(**{"id": "t", "caption": "Tabelle", "language": "de", "rows": rows, **changes})


def words(table):
    return [[cell.words + (f" {cell.mark}" if cell.mark else "") for cell in row] for row in table.rows]


def test_a_large_uncertainty_is_in_brackets_with_its_own_reason():
    frame = pd.DataFrame({"wave": ["2024"], "value": [0.05], "std_error": [0.02], "n": [400]})
    about = About(id="survey.unsafe", unit="share", source="Bürgerumfrage")
    shown = publish(frame, Rules(), about=about, keys=("wave",), basis="answers", cases="n")
    table = long_table(shown, layout("wave"))
    assert words(table) == [["2024", "(5,0\xa0%) a"]]
    assert table.notes == ("a) Die Unsicherheit ist groß im Verhältnis zum Wert; er ist mit Vorsicht zu lesen.",)


def test_years_side_by_side_with_marks_letters_and_legend():
    shown = counts(
        [
            ("00", "Zentrum", "2023", 4358, ""),
            ("00", "Zentrum", "2024", 1234, "runner.note.flagged_answers"),
            ("62", "Grünau-Mitte", "2023", 3, ""),
            ("62", "Grünau-Mitte", "2024", None, ""),
            ("95", "Wiederitzsch", "2024", None, "core.note.unbounded"),
        ]
    )
    heads = {"area": "Schlüssel", "name": "Ortsteil"}
    table = wide_table(shown, layout("area", "name", heads=heads), columns="year")
    assert [column.title for column in table.columns] == ["Schlüssel", "Ortsteil", "2023", "2024"]
    assert table.row_heads == 2
    assert words(table) == [
        ["00", "Zentrum", "4.358", "1.234"],
        ["62", "Grünau-Mitte", ".", "…"],
        ["95", "Wiederitzsch", "…", "… a"],
    ]
    assert table.rows[1][2].spoken == "nicht ausgewiesen, kleine Fallzahl"
    assert table.notes == (
        ". nicht ausgewiesen, um kleine Fallzahlen zu schützen",
        "… kein Wert vorhanden",
        "a) Der Bereich ist nach mindestens einer Seite offen.",
    )
    assert table.source == "Polizei"
    assert [len(published.frame) for published in table.results] == [2, 3]


def test_shares_with_interval_and_cases():
    shown = shares(("2018", 0.4512, 0.41, 0.49, 700), ("2021", 0.4, 0.2, 0.6, 40), ("2024", 0.4, 0.2, 0.6, 12))
    table = long_table(shown, layout("wave", heads={"wave": "Welle"}, interval=True, cases="Antworten"))
    assert [(column.title, column.group) for column in table.columns] == [
        ("Welle", ""),
        ("Anteil", "Anteil"),
        ("95-%-Bereich", "Anteil"),
        ("Antworten", "Anteil"),
    ]
    assert words(table) == [
        ["2018", "45,1\xa0%", "41,0\xa0% bis 49,0\xa0%", "700"],
        ["2021", "(40,0\xa0%)", "20,0\xa0% bis 60,0\xa0%", "40"],
        ["2024", "/", "–", "–"],
    ]
    assert table.notes == (
        "/ nicht ausgewiesen, weil zu wenige geantwortet haben",
        "( ) wenige Antworten, mit Vorsicht zu lesen",
    )


def test_two_sets_share_rows_and_sources():
    theft = counts([("00", "Zentrum", "2024", 20, "")])
    robbery = counts([("00", "Zentrum", "2024", 8, ""), ("01", "Zentrum-Ost", "2024", 9, "")], source="Stadt")
    table = side_by_side({"Diebstahl": theft, "Raub": robbery}, layout("name"))
    assert words(table) == [["Zentrum", "20", "8"], ["Zentrum-Ost", "…", "9"]]
    assert table.source == "Polizei; Stadt"
    assert table.results == (theft, robbery)


def test_english():
    shown = shares(("2024", 0.4, 0.2, 0.6, 40))
    table = long_table(shown, layout("wave", language="en", interval=True))
    assert words(table) == [["2024", "(40.0%)", "20.0% to 60.0%"]]
    assert table.notes == ("( ) few answers, to be read with care",)


def test_an_open_interval_is_said_to_be_open():
    frame = pd.DataFrame({"outcome": ["theft"], "value": [-0.2], "conf_low": [None], "conf_high": [0.1]})
    about = About(id="effect.A2", unit="change", source="Polizei")
    shown = publish(frame, Rules(), about=about, keys=("outcome",), basis="cases", cases=400)
    table = long_table(shown, layout("outcome", interval=True))
    assert words(table) == [["theft", "−20,0\xa0%", "bis +10,0\xa0%, nach unten offen"]]


def test_years_stand_in_order_although_one_column_reaches_back_further():
    columns = {"Fälle": counts([("00", "Z", year, 10, "") for year in ("2004", "2022")])}
    columns["Einwohner"] = counts([("00", "Z", year, 500, "") for year in ("2000", "2004", "2022")])
    table = side_by_side(columns, layout("year"))
    assert words(table) == [["2000", "…", "500"], ["2004", "10", "500"], ["2022", "10", "500"]]


def test_the_head_names_percentage_points_and_the_cells_do_not():
    frame = pd.DataFrame([{"wave": "2024", "value": -0.084, "conf_low": -0.12, "conf_high": 0.005, "n": 300}])
    about = About(id="survey.change", unit="change_points", source="Bürgerumfrage")
    shown = publish(frame, Rules(), about=about, keys=("wave",), basis="answers", cases="n")
    table = long_table(shown, layout("wave", interval=True))
    assert words(table) == [["2024", "−8,4", "−12,0 bis +0,5"]]
    assert "Prozentpunkte" in " ".join(f"{column.group} {column.title}" for column in table.columns)
