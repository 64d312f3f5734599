"""The rules give the same problems on a frame in memory and on a relation in DuckDB."""

import datetime as dt

import duckdb
import pandas as pd
import pytest

from evaluation.data.contracts import CONTRACTS
from evaluation.data.place import Place
from evaluation.data.rules import Known, validate

INCIDENTS = CONTRACTS["incidents"]
TODAY = dt.date(2024, 6, 30)
PLACE = Place(table="incidents", file="v.parquet", headings={"area": "Ortsteil-Schlüssel"})
ROWS = [
    ("a", "2023-01-01 22:00", "2023-01-01", "00", "222100"),
    ("b", "2030-01-01 00:00", "2030-01-02", "00", "222100"),
    ("a", "2023-05-05 00:00", "2023-05-04", "0", "12345"),
    (None, None, None, "XX", "899000.0"),
    (None, "2023-05-05 10:00", "2023-05-05", None, None),
]


def frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    names = ["incident_id", "occurred_from", "recorded", "area", "category"]
    made = pd.DataFrame(rows, columns=names).assign(row=range(1, len(rows) + 1))
    times = {name: pd.to_datetime(made[name]).astype("datetime64[us]") for name in ("occurred_from", "recorded")}
    return made.assign(**times).astype({"incident_id": "str", "area": "str", "category": "str"})


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_all_rules(engine: str) -> None:
    made = frame(ROWS)
    native = made if engine == "pandas" else duckdb.from_df(made)
    problems = validate(native, INCIDENTS, INCIDENTS.columns, PLACE, Known(areas=["00", "01"], today=TODAY))
    assert [(problem.code, problem.row, problem.value) for problem in problems] == [
        ("data.missing_value", 4, None),
        ("data.future", 2, "01.01.2030"),
        ("data.future", 2, "02.01.2030"),
        ("data.missing_value", 5, None),
        ("data.missing_value", 5, None),
        ("data.lost_zero", 3, "12345"),
        ("data.key_as_number", 4, "899000.0"),
        ("data.wrong_order", 3, "04.05.2023"),
        ("data.unknown_area_like", 3, "0"),
        ("data.unknown_area", 4, "XX"),
        ("data.duplicate", 3, None),
    ]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_sound_table_has_no_problems(engine: str) -> None:
    made = frame([ROWS[0]])
    native = made if engine == "pandas" else duckdb.from_df(made)
    assert validate(native, INCIDENTS, INCIDENTS.columns, PLACE, Known(areas=["00"], today=TODAY)) == []


def test_a_night_is_recorded_on_its_own_day() -> None:
    made = frame([("a", "2023-01-01 22:00", "2023-01-01", "00", "222100")])
    assert validate(made, INCIDENTS, INCIDENTS.columns, PLACE, Known(areas=None, today=TODAY)) == []


def test_cells_that_could_not_be_read_are_not_missing_as_well() -> None:
    made = frame([("a", None, None, "00", "222100")])
    known = Known(areas=["00"], today=TODAY, failed={"occurred_from": [1]})
    assert validate(made, INCIDENTS, INCIDENTS.columns, PLACE, known) == []


def test_rows_of_one_key_are_counted() -> None:
    made = frame([("a", "2023-01-01 22:00", None, "00", "222100")] * 4)
    [problem] = validate(made, INCIDENTS, INCIDENTS.columns, PLACE, Known(areas=["00"], today=TODAY))
    assert problem.worded("de") == (
        "Datei v.parquet, Tabelle incidents, Zeile 4: Die Zeile kommt mehrfach vor (incident_id = a): 4-mal, "
        "zuerst in Zeile 1. "
        "Abhilfe: Doppelte Zeilen streichen, oder die fehlende Unterscheidung in die Schlüsselspalten aufnehmen."
    )
