import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.data.dates import parse_dates, parse_periods
from evaluation.data.place import Place

PLACE = Place(table="incidents", file="a.csv", headings={"recorded": "Erfassungsdatum"})
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2050, 12, 31))


@settings(deadline=None)
@given(st.lists(DAYS, min_size=1), st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%Y%m%d"]))
def test_days_come_back_whatever_the_form(days: list[dt.date], form: str) -> None:
    dates, _, problems = parse_dates(pd.Series([f"{day:{form}}" for day in days]), "recorded", PLACE)
    assert not problems
    assert [date.date() for date in dates] == days


@settings(deadline=None)
@given(st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2050, 12, 31)), min_size=1))
def test_times_come_back_with_and_without_seconds(times: list[dt.datetime]) -> None:
    short = pd.Series([f"{time:%d.%m.%Y %H:%M}" for time in times])
    assert parse_dates(short, "recorded", PLACE)[0].tolist() == [
        time.replace(second=0, microsecond=0) for time in times
    ]
    long = pd.Series([f"{time:%Y-%m-%dT%H:%M:%S}" for time in times])
    assert parse_dates(long, "recorded", PLACE)[0].tolist() == [time.replace(microsecond=0) for time in times]


@pytest.mark.parametrize("text", ["31.02.2023", "gestern", "2023", "32.01.2023", "1.1.", "44927", "31/12/23"])
def test_what_is_no_day_is_missing(text: str) -> None:
    dates, _, problems = parse_dates(pd.Series(["1.2.2023", text]), "recorded", PLACE)
    assert dates.isna().tolist() == [False, True]
    assert not problems


@pytest.mark.parametrize(
    ("values", "first", "second"),
    [
        (["31.12.2023", "2023-12-31"], "31.12.2023", "2023-12-31"),
        (["13/01/2023", "01/13/2023"], "13/01/2023", "01/13/2023"),
        (["31.12.23", "31.12.2023"], "31.12.2023", "31.12.23"),
    ],
)
def test_two_forms_in_one_column_are_an_error_with_rows_of_both(values: list[str], first: str, second: str) -> None:
    rows = dict(zip(values, (7, 9), strict=True))
    dates, found, [problem] = parse_dates(pd.Series(values, index=[7, 9]), "recorded", PLACE)
    assert found is None
    assert dates.isna().all()
    assert problem.worded("de") == (
        "Datei a.csv, Tabelle incidents, Spalte Erfassungsdatum: Die Spalte enthält zwei Schreibweisen von Daten: "
        f"{first} (Zeilen {rows[first]}) und {second} (Zeilen {rows[second]}). "
        "Abhilfe: Die Spalte aus dem Ursprungsprogramm einheitlich ausgeben; sonst lassen sich Tag und Monat "
        "verwechseln."
    )


def test_an_order_that_the_values_leave_open_is_asked_for() -> None:
    _, _, [problem] = parse_dates(pd.Series(["05/11/2018"], index=[2]), "recorded", PLACE)
    assert problem.worded("de") == (
        "Datei a.csv, Tabelle incidents, Spalte Erfassungsdatum: Ob der Tag oder der Monat vorn steht, ist nicht zu "
        "erkennen (Zeilen 2). Abhilfe: In project.toml unter [tables.incidents] angeben: date_format = "
        '"TT/MM/JJJJ" oder '
        '"MM/TT/JJJJ".'
    )
    assert problem.worded("en").endswith('project.toml: date_format = "DD/MM/YYYY" or "MM/DD/YYYY".')
    declarations = {"TT/MM/JJJJ": 11, "MM/TT/JJJJ": 5, "DD/MM/YYYY": 11, "MM/DD/YYYY": 5, "%d/%m/%Y": 11}
    for declared, month in declarations.items():
        dates, _, problems = parse_dates(pd.Series(["05/11/2018"]), "recorded", PLACE, declared=declared)
        assert (dates[0].month, problems) == (month, [])


@pytest.mark.parametrize(
    ("value", "german", "english"),
    [
        ("31.12.2023", "TT.MM.JJJJ", "DD.MM.YYYY"),
        ("31.12.23", "TT.MM.JJ", "DD.MM.YY"),
        ("2023-12-31", "JJJJ-MM-TT", "YYYY-MM-DD"),
        ("20231231", "JJJJMMTT", "YYYYMMDD"),
        ("31/12/2023", "TT/MM/JJJJ", "DD/MM/YYYY"),
        ("12/31/2023", "MM/TT/JJJJ", "MM/DD/YYYY"),
    ],
)
def test_the_form_is_named_in_the_language_of_the_reader(read, value: str, german: str, english: str) -> None:
    delivery = read("events", "event;title_de;title_en;start;kind\na;b;c;" + value + ";law\n")
    assert delivery.problems == ()
    words = {language: [fact.worded(language) for fact in delivery.detected] for language in ("de", "en")}
    assert words["de"][-1] == f"Datei events.csv, Tabelle events, Spalte start: Erkannt: Datum in der Form {german}."
    assert words["en"][-1] == f"File events.csv, table events, column start: Recognised: dates in the form {english}."


def test_slashes_are_read_by_the_one_value_that_tells() -> None:
    dates, found, _ = parse_dates(pd.Series(["05/11/2018", "13/11/2018"]), "recorded", PLACE)
    assert (found, dates[0].month) == ("TT/MM/JJJJ", 11)


def test_periods() -> None:
    given = pd.Series(["2018", "2018-H2", "2018-Q4", "2018-11", "11/2018", "3.2018", "2018-13", "13/2018"])
    expected = ["2018", "2018-H2", "2018-Q4", "2018-11", "2018-11", "2018-03"]
    found = parse_periods(given)
    assert found.iloc[:6].tolist() == expected
    assert found.iloc[6:].isna().all()
