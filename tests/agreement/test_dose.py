"""Planned and done: by hand, with reasons, and by area and month."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.agreement.calculations import CALCULATIONS
from evaluation.agreement.dose import (
    REASONS,
    areas_without_dose,
    dose,
    dose_by_area,
    reason_in_words,
    unknown_deployments,
)
from evaluation.agreement.reading import parse_agreement

REGISTER = """
[agreement]
title = { de = "V", en = "A" }
[measures.A2]
title = { de = "Streifen", en = "Patrols" }
kind = "effect"
areas = { "20" = "2024-01", "21" = "2024-06" }
"""


def indicator(name, unit, *, calculation=None, table="deployments", extra=""):
    chosen = f', calculation = "{calculation}"' if calculation else ""
    words = f'{{ de = "{name}", en = "{name}" }}'
    return f'indicators.{name} = {{ title = {words}, unit = "{unit}", table = "{table}"{chosen}{extra} }}\n'


def register(housing="", parks=""):
    parts = '[measures.A2.parts.housing]\ntitle = { de = "W", en = "H" }\n' + housing
    if parks:
        parts += '[measures.A2.parts.parks]\ntitle = { de = "P", en = "P" }\n' + parks
    return parse_agreement(REGISTER + parts, file="agreement.toml")


def deployment(start, hours=4.0, **values):
    begin = pd.Timestamp(start)
    usual = {
        "measure": "A2",
        "part": "housing",
        "area": "20",
        "staff_police": 2,
        "staff_city": 1,
        "mode": "joint",
        "planned": True,
        "carried_out": True,
        "cancelled_reason": None,
        "contacts": 10,
    }
    return {**usual, "start": begin, "end": begin + pd.Timedelta(hours=hours), **values}


def frame(*rows):
    return pd.DataFrame(rows).astype({"contacts": "Int64", "cancelled_reason": "str"})


YEAR = frame(
    deployment("2024-03-01 18:00"),
    deployment("2024-03-01 23:00", hours=3),
    deployment("2024-03-02 02:00", hours=2, area="21"),
    deployment("2024-07-01 18:00", hours=1, area="21", mode="single_police", staff_city=0, contacts=None),
    deployment("2024-07-02 18:00", carried_out=False, cancelled_reason="Wetter", contacts=None),
    deployment("2024-07-03 18:00", carried_out=False, contacts=None),
    deployment("2024-07-04 18:00", hours=5, planned=False, area="95"),
    deployment("2023-12-31 22:00", hours=6),
    deployment("2024-12-31 22:00", hours=6),
)
BY_HAND = {
    "deployments": 6,
    "hours": 4 + 3 + 2 + 1 + 5 + 6,
    "joint_hours": 20,
    "single_hours": 1,
    "person_hours": 3 * 20 + 2,
    "joint_share": 20 / 21,
    "agreed_area_share": (4 + 3 + 1 + 6) / 21,
    "nights": 4,
    "contacts": 50,
    "entries": 7,
    "entries_carried_out": 5,
    "carried_out_share": 5 / 7,
    "cancelled": 2,
    "cancelled_with_reason": 1,
}


def test_every_calculation_is_checked_by_hand():
    assert set(BY_HAND) == set(CALCULATIONS)


@pytest.mark.parametrize("calculation", CALCULATIONS)
def test_done_by_hand(calculation):
    unit = CALCULATIONS[calculation].unit
    agreement = register(indicator("x", unit, calculation=calculation, extra=", planned = { 2024 = 0.5 }"))
    row = dose(agreement, YEAR, year=2024).iloc[0]
    assert row["done"] == pytest.approx(BY_HAND[calculation], rel=1e-12)
    assert row["planned"] == 0.5
    assert row["unit"] == unit
    expected = ("incomplete", 6, 1) if calculation == "contacts" else ("", row["rows"], 0)
    assert (row["reason"], row["rows"], row["missing"]) == expected


def test_the_deployments_stay_as_they_are():
    before = YEAR.copy(deep=True)
    dose(register(indicator("x", "hours", calculation="hours")), YEAR, year=2024)
    dose_by_area(YEAR, "A2")
    pd.testing.assert_frame_equal(YEAR, before)


def reason(agreement, deployments, **options):
    row = dose(agreement, deployments, year=2024, **options).iloc[0]
    assert math.isnan(row["done"])
    return row["reason"]


def test_reasons_for_a_missing_number():
    hours = register(indicator("x", "hours", calculation="hours"))
    assert reason(hours, None) == "not_delivered"
    assert reason(hours, frame(deployment("2023-03-01"))) == "no_rows"
    assert reason(hours, frame(deployment("2024-03-01", measure="A6"))) == "no_rows"
    assert reason(register(indicator("x", "days")), YEAR) == "not_computed"
    contacts = register(indicator("x", "count", calculation="contacts"))
    assert reason(contacts, frame(deployment("2024-03-01", contacts=None))) == "not_recorded"
    assert reason(contacts, YEAR.drop(columns="contacts")) == "not_recorded"
    share = register(indicator("x", "share", calculation="joint_share"))
    assert reason(share, frame(deployment("2024-03-01", carried_out=False))) == "nothing_carried_out"
    other = register(indicator("x", "count", table="decisions"))
    assert reason(other, YEAR) == "not_delivered"
    assert reason(other, YEAR, delivered={"decisions"}) == "not_computed"
    outcome = register(indicator("x", "count", table="incidents", extra=', role = "outcome"'))
    assert reason(outcome, YEAR) == "not_delivered"
    assert reason(outcome, YEAR, delivered={"incidents"}) == "outcome"


def test_cancellations_without_a_column_for_the_reason():
    agreement = register(indicator("x", "count", calculation="cancelled_with_reason"))
    assert reason(agreement, YEAR.drop(columns="cancelled_reason")) == "not_recorded"


def test_share_in_agreed_areas_needs_agreed_areas():
    source = REGISTER.replace('areas = { "20" = "2024-01", "21" = "2024-06" }\n', "")
    source += '[measures.A2.parts.housing]\ntitle = { de = "W", en = "H" }\n'
    source += indicator("x", "share", calculation="agreed_area_share")
    assert reason(parse_agreement(source, file="a"), YEAR) == "no_areas"


def test_hours_without_an_area_are_left_out_of_the_share_and_counted():
    agreement = register(indicator("x", "share", calculation="agreed_area_share"))
    rows = frame(deployment("2024-03-01"), deployment("2024-03-02", area="95"), deployment("2024-03-03", area=None))
    row = dose(agreement, rows, year=2024).iloc[0]
    assert (row["done"], row["reason"], row["rows"], row["missing"]) == (0.5, "incomplete", 3, 1)


def test_parts_are_kept_apart():
    hours = indicator("x", "hours", calculation="hours")
    agreement = register(hours, parks=hours)
    rows = frame(deployment("2024-03-01"), deployment("2024-03-02", hours=1, part="parks"))
    assert dose(agreement, rows, year=2024)["done"].tolist() == [4.0, 1.0]
    assert dose(agreement, rows.head(1), year=2024)["done"].tolist() == [4.0, 0.0]
    rows.loc[1, "part"] = None
    assert dose(agreement, rows, year=2024)["reason"].tolist() == ["part_unknown", "part_unknown"]
    assert dose(agreement, rows.drop(columns="part"), year=2024)["reason"].tolist() == ["part_unknown", "part_unknown"]


def test_an_indicator_of_the_whole_measure_sees_all_parts():
    hours = indicator("x", "hours", calculation="hours")
    agreement = register(hours, parks=indicator("x", "hours", calculation="hours", extra=', scope = "measure"'))
    rows = frame(deployment("2024-03-01"), deployment("2024-03-02", hours=1, part="parks"))
    assert dose(agreement, rows, year=2024)["done"].tolist() == [4.0, 5.0]


def test_dose_by_area_and_month_has_zeros():
    table = dose_by_area(YEAR, "A2", areas=["20", "21", "00"], periods=["2024-02", "2024-03"])
    assert table.columns.tolist() == ["area", "period", "hours", "joint_hours", "person_hours", "deployments"]
    assert table.query("area == '20'")[["period", "hours", "deployments"]].to_numpy().tolist() == [
        ["2024-02", 0.0, 0],
        ["2024-03", 7.0, 2],
    ]
    assert table.query("area == '21'")["person_hours"].tolist() == [0.0, 6.0]
    assert table.query("area == '00'")["hours"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("period", "labels"),
    [("year", ["2023", "2024"]), ("half_year", ["2023-H2", "2024-H1", "2024-H2"]), ("quarter", ["2023-Q4", "2024-Q4"])],
)
def test_dose_by_longer_periods(period, labels):
    table = dose_by_area(YEAR, "A2", period=period)
    assert (table["period"].min(), table["period"].max()) == (labels[0], labels[-1])
    assert table["hours"].sum() == 27.0


def test_dose_of_a_measure_without_deployments_is_empty_or_zero():
    assert dose_by_area(YEAR, "A6").empty
    assert dose_by_area(YEAR, "A6", areas=["20"], periods=["2024-01"])["hours"].tolist() == [0.0]


@settings(max_examples=20)
@given(st.permutations(range(len(YEAR))))
def test_the_order_of_rows_does_not_matter(order):
    agreement = register("".join(indicator(c, CALCULATIONS[c].unit, calculation=c) for c in CALCULATIONS))
    mixed = YEAR.iloc[list(order)]
    pd.testing.assert_frame_equal(dose(agreement, mixed, year=2024), dose(agreement, YEAR, year=2024))


def test_hours_by_area_add_up_to_the_dose():
    total = dose_by_area(YEAR, "A2", period="year", periods=["2024"])["hours"].sum()
    assert total == BY_HAND["hours"]


def test_areas_without_a_dose():
    starts = {"20": "2024-01", "21": "2024-06", "95": "2024-08"}
    assert areas_without_dose(YEAR, "A2", starts) == ("95",)
    assert areas_without_dose(None, "A2", starts) == ("20", "21", "95")
    assert areas_without_dose(YEAR, "A6", starts) == ("20", "21", "95")


def test_deployments_of_unknown_measures_and_parts_are_problems():
    agreement = register(indicator("x", "hours", calculation="hours"))
    rows = frame(
        deployment("2024-01-01"), deployment("2024-01-02", measure="A 2"), deployment("2024-01-02", part="houses")
    )
    assert [problem.worded("de") for problem in unknown_deployments(agreement, rows)] == [
        "Tabelle deployments, Spalte measure, Wert „A 2“: Die Maßnahme steht nicht im Register (Zeilen: 1). "
        "Abhilfe: Der "
        "nächste gültige Wert ist „A2“.",
        "Tabelle deployments, Spalte part, Wert „houses“: Die Maßnahme A2 hat diesen Teil nicht (Zeilen: 1). "
        "Abhilfe: Der "
        "nächste gültige Wert ist „housing“.",
    ]
    assert unknown_deployments(agreement, YEAR.drop(columns="part")) == ()


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_reason_has_words(language):
    assert reason_in_words(REASONS[0], language) == ""
    assert all(reason_in_words(reason, language, rows=5, missing=2) for reason in REASONS[1:])


def test_reasons_in_german():
    assert reason_in_words("not_delivered", "de") == "keine Daten geliefert"
    assert reason_in_words("incomplete", "de", rows=1200, missing=2) == (
        "unvollständig: bei 2 von 1.200 Einsätzen fehlt die Angabe"
    )
