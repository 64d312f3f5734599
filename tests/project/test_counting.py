"""Cases by unit and period: zero where incidents say so, missing where nobody knows, never too small."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import DataError
from evaluation.project import open_project
from evaluation.project.counting import _summed

from .conftest import AREAS, INCIDENTS, PROJECT, incident_rows

HEADER = "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl;Fehlgrund;Mindestens;Höchstens\n"


def known(counts: pd.DataFrame) -> dict[tuple[str, str], object]:
    return {
        (unit, period): None if pd.isna(count) else int(count)
        for unit, period, count in counts[["unit", "period", "count"]].itertuples(index=False)
    }


def test_incidents_are_zero_where_there_were_none(city) -> None:
    project = open_project(city({"data/incidents.csv": incident_rows()}, more=INCIDENTS))
    monthly = project.counts("robbery", period="month")
    assert len(monthly) == len(AREAS) * 48
    found = known(monthly)
    assert (found["00", "2020-05"], found["12", "2020-05"], found["02", "2020-05"]) == (3, 1, 0)
    assert known(project.counts("robbery", period="quarter"))["00", "2020-Q2"] == 9
    assert known(project.counts("robbery"))["00", "2020"] == 36
    assert known(project.counts("robbery", unit="district"))["0", "2020"] == 36


def test_a_month_that_was_not_delivered_is_a_gap_and_its_year_is_missing(city) -> None:
    rows = [row for row in incident_rows().splitlines() if ".05.2020" not in row]
    project = open_project(city({"data/incidents.csv": "\n".join(rows)}, more=INCIDENTS))
    monthly = project.counts("robbery", period="month")
    assert "2020-05" not in set(monthly["period"])
    quarters = project.counts("robbery", period="quarter")
    missing = quarters[quarters["count"].isna()]
    assert set(missing["period"]) == {"2020-Q2"}
    assert set(missing["reason"]) == {"not_delivered"}
    notes = [note.worded("de") for note in project.check().notes]
    assert any("2020-05" in note for note in notes) or not notes


def test_the_declared_cover_of_a_table_gives_zeros_before_and_after(city) -> None:
    more = INCIDENTS.replace('csv"', 'csv"\nfirst = "2018"\nlast = "2022"')
    project = open_project(
        city({"data/incidents.csv": "Tatzeit von;Ortsteil-Schlüssel;Schlüssel\n1.6.2020;00;210000\n"}, more=more)
    )
    assert known(project.counts("robbery"))["00", "2018"] == 0
    assert project.counts("robbery", period="month")["period"].max() == "2022-12"
    assert open_project(project.folder, year=2021).counts("robbery", period="month")["period"].max() == "2021-12"


def test_counts_are_summed_over_keys_and_missing_where_one_of_them_is(city) -> None:
    rows = "00;2020;a;5;;;\n00;2020;b;7;;;\n01;2020;a;5;;;\n01;2020;b;;gesperrt;0;2\n02;2020;a;5;;;\n"
    outcome = PROJECT.replace('categories = ["theft"]', 'categories = ["a", "b"]')
    counts = open_project(city({"data/counts.csv": HEADER + rows, "project.toml": outcome})).counts("theft")
    assert counts.astype(object).where(counts.notna(), None).to_numpy().tolist() == [
        ["00", "2020", 12, None, None, None],
        ["01", "2020", None, "suppressed", 5, 7],
        ["02", "2020", None, "not_delivered", 5, None],
    ]


def test_all_keys_count_where_none_is_named(city) -> None:
    rows = "00;2020;a;5;;;\n00;2020;b;7;;;\n"
    outcome = PROJECT.replace('categories = ["theft"]', "")
    counts = open_project(city({"data/counts.csv": HEADER + rows, "project.toml": outcome})).counts("theft")
    assert known(counts) == {("00", "2020"): 12}


def test_months_become_years_only_when_all_twelve_are_there(city) -> None:
    months = [f"00;2020-{month:02d};theft;1;;;\n" for month in range(1, 13)]
    rows = "".join(months + [row.replace("00;", "01;", 1) for row in months[:11]])
    project = open_project(city({"data/counts.csv": HEADER + rows}))
    assert known(project.counts("theft")) == {("00", "2020"): 12, ("01", "2020"): None}
    assert known(project.counts("theft", period="half_year"))["01", "2020-H1"] == 6


def test_keys_of_different_lengths_of_period_are_summed_at_the_longer_one(city) -> None:
    rows = "".join(f"00;2020-{month:02d};a;1;;;\n" for month in range(1, 13)) + "00;2020;b;7;;;\n"
    outcome = PROJECT.replace('categories = ["theft"]', 'categories = ["a", "b"]')
    project = open_project(city({"data/counts.csv": HEADER + rows, "project.toml": outcome}))
    assert known(project.counts("theft")) == {("00", "2020"): 19}


def test_a_district_of_which_an_area_is_missing_is_missing(city) -> None:
    rows = "".join(f"{area};2020;theft;5;;;\n" for area in AREAS if area != "01")
    counts = open_project(city({"data/counts.csv": HEADER + rows})).counts("theft", unit="district")
    assert known(counts) == {("0", "2020"): None, ("1", "2020"): 15}


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 50)), min_size=1, max_size=12))
def test_a_sum_is_never_too_small(values: list[int | None]) -> None:
    frame = pd.DataFrame({"unit": "00", "period": "2020", "count": pd.array(values, dtype="Int64")})
    row = _summed(frame, ["unit", "period"], parts=len(values)).iloc[0]
    if None in values:
        assert pd.isna(row["count"])
        assert row["lower"] == sum(value for value in values if value is not None)
    else:
        assert row["count"] == sum(values)


@pytest.mark.parametrize(
    ("outcome", "options", "expected"),
    [
        (
            "teft",
            {},
            "Wert „teft“: Diese Zahl kennt das Projekt nicht. Abhilfe: Gemeint sein könnte „theft“; unter "
            "[outcomes] stehen theft "
            "und robbery.",
        ),
        (
            "robbery",
            {},
            "Tabelle incidents: Für „robbery“ fehlt die Tabelle incidents. Abhilfe: Die Tabelle liefern lassen und "
            "in project.toml "
            "unter [tables.incidents] angeben.",
        ),
        (
            "theft",
            {"period": "week"},
            "Wert „week“: Diese Länge eines Zeitraums gibt es nicht. Abhilfe: Möglich sind year, half_year, "
            "quarter und month.",
        ),
        (
            "theft",
            {"period": "month"},
            'Tabelle counts: Für „theft“ liegen nur Jahreszahlen vor. Abhilfe: period = "year" wählen oder '
            "Monatszahlen liefern "
            "lassen.",
        ),
        (
            "theft",
            {"unit": "street"},
            "Wert „street“: Diese Gebietseinheit gibt es nicht. Abhilfe: Möglich sind area, district und precinct.",
        ),
        (
            "theft",
            {"unit": "precinct"},
            "Tabelle areas: Die Tabelle der Gebiete hat die Spalte precinct nicht. Abhilfe: Die Spalte ergänzen, "
            "um Gebiete "
            "zusammenzufassen.",
        ),
    ],
)
def test_messages(city, outcome: str, options: dict[str, str], expected: str) -> None:
    without_table = INCIDENTS.replace('[tables.incidents]\nfile = "data/incidents.csv"\n', "")
    project = open_project(city(more=without_table))
    with pytest.raises(DataError) as caught:
        project.counts(outcome, **options)
    assert caught.value.worded("de") == expected


def test_an_outcome_whose_keys_are_nowhere(city) -> None:
    project = open_project(city({"project.toml": PROJECT.replace('["theft"]', '["thefts"]')}))
    with pytest.raises(DataError) as caught:
        project.counts("theft")
    assert caught.value.worded("de") == (
        "Tabelle counts: Für „theft“ gibt es keine Zeile mit einem ihrer Schlüssel: thefts. Abhilfe: categories unter "
        "[outcomes.theft] prüfen; in der Tabelle stehen etwa theft."
    )


def test_areas_without_a_district(city) -> None:
    folder = city()
    path = folder / "data" / "areas.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("12;Höhe;1;", "12;Höhe;;"), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        open_project(folder).counts("theft", unit="district")
    assert caught.value.worded("de") == (
        "Tabelle areas: Für 1 Gebiete fehlt die Angabe district: 12. Abhilfe: Die Angabe ergänzen, um Gebiete "
        "zusammenzufassen."
    )
