"""Incidents become counts: by hand, on every engine, and without losing a row in silence."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.data.aggregate import Coverage, incidents_to_counts
from evaluation.errors import DataError

AREAS = ["00", "01", "62"]


def incidents():
    rows = [
        ("2018-01-05 23:59", "00", "899000"),
        ("2018-01-31 00:00", "00", "326*00"),
        ("2018-03-01 12:00", "62", "899000"),
        (None, "00", "899000"),
        ("2018-02-10 01:00", None, "899000"),
        ("2018-02-11 01:00", "63", "899000"),
        ("2017-12-31 23:59", "01", "899000"),
        ("2018-04-01 00:00", "01", "220000"),
    ]
    frame = pd.DataFrame(rows, columns=["occurred_from", "area", "category"])
    return frame.assign(occurred_from=pd.to_datetime(frame["occurred_from"]))


@pytest.fixture(params=["pandas", "parquet", "folder", "duckdb", "pyarrow"])
def source(request, tmp_path):
    frame = incidents()
    if request.param == "pandas":
        return frame
    if request.param == "duckdb":
        return duckdb.from_df(frame)
    if request.param == "pyarrow":
        import pyarrow

        return pyarrow.Table.from_pandas(frame)
    folder = tmp_path / "Vorgänge mit Blank"
    folder.mkdir()
    frame.head(3).to_parquet(folder / "1.parquet")
    frame.tail(5).to_parquet(folder / "2.parquet")
    if request.param == "folder":
        return folder
    frame.to_parquet(folder / "alle.parquet")
    return str(folder / "alle.parquet")


def test_months_by_hand_on_every_engine(source):
    counts, coverage = incidents_to_counts(source, areas=AREAS, first="2018-01", last="2018-03", categories=["899000"])
    assert counts.columns.tolist() == ["unit", "period", "count"]
    assert counts["count"].dtype == np.dtype("int64")
    assert counts["unit"].tolist() == ["00"] * 3 + ["01"] * 3 + ["62"] * 3
    assert counts["period"].tolist() == ["2018-01", "2018-02", "2018-03"] * 3
    assert counts["count"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert coverage == Coverage(
        rows=8,
        counted=2,
        other_category=2,
        missing_date=1,
        missing_area=1,
        unmatched_areas={"63": 1},
        outside=1,
        zeros=7,
    )


def test_years_and_the_span_of_the_data(source):
    counts, coverage = incidents_to_counts(source, areas=AREAS, period="year")
    assert counts["period"].unique().tolist() == ["2017", "2018"]
    assert counts["count"].tolist() == [0, 2, 1, 1, 0, 1]
    assert coverage.counted == 5


def test_what_was_left_out_is_said():
    _, coverage = incidents_to_counts(incidents(), areas=AREAS, first="2018-01", last="2018-03")
    eighth, quarter = "1 (12,5\u00a0% der Vorgänge).", "2 (25,0\u00a0% der Vorgänge)."
    assert [note.worded("de") for note in coverage.notes()] == [
        f"Tabelle incidents: Nicht gezählt, weil ohne Datum: {eighth}",
        f"Tabelle incidents: Nicht gezählt, weil ohne Gebiet: {eighth}",
        f"Tabelle incidents: Nicht gezählt, weil vor der ersten oder nach der letzten Periode: {quarter}",
        f"Tabelle incidents, Wert „63“: Nicht gezählt, weil der Schlüssel kein Gebiet ist: {eighth}",
    ]


def test_a_month_without_any_incident_is_a_gap_where_there_are_usually_many():
    months = pd.date_range("2018-01-01", "2018-06-01", freq="MS").delete(2)
    frame = pd.DataFrame({"occurred_from": np.repeat(months, 30), "area": "00"})
    counts, coverage = incidents_to_counts(frame, areas=["00", "01"])
    assert coverage.gaps == ("2018-03",)
    assert "2018-03" not in set(counts["period"])
    assert [note.worded("en") for note in coverage.notes()] == [
        "Table incidents: In 2018-03 there is not one incident in the whole city; these periods are missing and do not "
        "count as 0."
    ]


def test_a_quiet_month_of_a_rare_offence_is_zero():
    months = pd.date_range("2018-01-01", "2018-06-01", freq="MS").delete(2)
    frame = pd.DataFrame({"occurred_from": np.repeat(months, 3), "area": "00"})
    counts, coverage = incidents_to_counts(frame, areas=["00"])
    assert coverage.gaps == ()
    assert counts["count"].tolist() == [3, 3, 0, 3, 3, 3]


moments = st.one_of(st.none(), st.datetimes(dt.datetime(2017, 1, 1), dt.datetime(2019, 12, 31)))
rows = st.tuples(moments, st.sampled_from([*AREAS, "63", None]), st.sampled_from(["a", "b"]))


@settings(max_examples=50, deadline=None)
@given(st.lists(rows, min_size=1), st.sampled_from([None, ["a"]]), st.sampled_from(["month", "year"]))
def test_every_row_is_counted_once_or_its_reason_is(data, categories, period):
    frame = pd.DataFrame(data, columns=["occurred_from", "area", "category"]).astype({"area": "str", "category": "str"})
    frame["occurred_from"] = pd.to_datetime(frame["occurred_from"])
    first, last = ("2018", "2018") if period == "year" else ("2018-01", "2018-12")
    if frame["occurred_from"].isna().all():
        with pytest.raises(DataError, match=r"^Table incidents, column occurred_from: No incident has a date\."):
            incidents_to_counts(frame, areas=AREAS, period=period, categories=categories)
        return
    counts, coverage = incidents_to_counts(
        frame, areas=AREAS, period=period, categories=categories, first=first, last=last
    )
    lost = coverage.missing_date + coverage.missing_area + coverage.outside + sum(coverage.unmatched_areas.values())
    assert coverage.rows == len(frame)
    assert coverage.rows == coverage.counted + coverage.other_category + lost
    assert coverage.counted == counts["count"].sum()
    chosen = frame[frame["category"].isin(categories or ["a", "b"]) & frame["area"].isin(AREAS)]
    assert coverage.counted == (chosen["occurred_from"].dt.year == 2018).sum()


def test_the_callers_frame_stays_as_it_is():
    frame = incidents()
    incidents_to_counts(frame, areas=AREAS)
    pd.testing.assert_frame_equal(frame, incidents())


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError) as raised:
        incidents_to_counts(tmp_path / "keine.parquet", areas=AREAS)
    assert str(raised.value) == (
        "File keine.parquet, table incidents: The file of incidents is missing. "
        "What to do: Check the path in project.toml."
    )


def test_all_wrong_columns_at_once():
    frame = incidents().assign(area=[0] * 8, occurred_from="05.01.2018").drop(columns="category")
    with pytest.raises(DataError) as raised:
        incidents_to_counts(frame, areas=AREAS, categories=["899000"])
    assert raised.value.worded("de").splitlines() == [
        "Tabelle incidents, Spalte area: Schlüssel müssen Text sein, die Spalte ist Int64; "
        "führende Nullen sind verloren. Abhilfe: Die Spalte als Text ausgeben lassen.",
        "Tabelle incidents, Spalte occurred_from: Die Spalte muss Datum oder Zeitpunkt sein, ist aber String. "
        "Abhilfe: Die Spalte als Datum ausgeben lassen.",
        "Tabelle incidents, Spalte category: Die Spalte fehlt. "
        "Abhilfe: Spalte liefern oder in project.toml unter columns zuordnen.",
    ]


def test_times_with_a_zone_are_refused():
    frame = incidents()
    frame["occurred_from"] = frame["occurred_from"].dt.tz_localize("Europe/Berlin")
    with pytest.raises(DataError, match=r"The times carry a time zone; month and year would depend on the computer\."):
        incidents_to_counts(frame, areas=AREAS)


def test_real_incidents_add_up(shared, tmp_path):
    raw = pd.read_csv(shared / "data" / "incidents" / "nyc_shootings_slim.csv.gz", dtype="str")
    frame = pd.DataFrame({"occurred_from": pd.to_datetime(raw["OCCUR_DATE"]), "area": raw["PRECINCT"]})
    frame.to_parquet(tmp_path / "incidents.parquet")
    areas = sorted(frame["area"].unique())
    counts, coverage = incidents_to_counts(tmp_path / "incidents.parquet", areas=areas)
    assert len(areas) == 77
    assert coverage == Coverage(rows=27939, counted=27939, zeros=coverage.zeros)
    expected = frame.groupby(["area", frame["occurred_from"].dt.strftime("%Y-%m")]).size()
    found = counts.set_index(["unit", "period"])["count"]
    assert found[found > 0].to_dict() == expected.to_dict()
