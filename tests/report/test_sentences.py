import pandas as pd
import pytest

from evaluation.disclosure import Cell
from evaluation.report import sentences

NBSP = "\N{NO-BREAK SPACE}"


def cell(value=None, low=None, high=None, *, unit="change", p_value=None):
    return Cell(
        id="x",
        unit=unit,
        value=value,
        conf_low=low,
        conf_high=high,
        p_value=p_value,
        cases=None,
        note="",
        suppressed=False,
        flagged=False,
    )


@pytest.mark.parametrize(
    ("low", "high", "clear"),
    [
        (-0.2, -0.01, True),
        (0.01, 0.2, True),
        (-0.2, 0.0, False),
        (-0.2, 0.1, False),
        (None, -0.1, True),
        (None, None, False),
    ],
)
def test_an_interval_clears_zero_only_if_it_lies_on_one_side(low, high, clear):
    assert sentences.clears_zero(cell(-0.1, low, high)) is clear


def test_intervals_say_which_end_is_open():
    said = [sentences.interval(cell(-0.1, *ends), "spct1", "de") for ends in ((-0.2, 0.1), (None, 0.1), (-0.2, None))]
    assert said == [
        f"95-%-Bereich: −20,0{NBSP}% bis +10,0{NBSP}%",
        f"95-%-Bereich: bis +10,0{NBSP}%, nach unten offen",
        f"95-%-Bereich: ab −20,0{NBSP}%, nach oben offen",
    ]
    assert sentences.interval(cell(-0.1), "spct1", "en") == "a 95% interval cannot be given"


def test_a_change_that_is_not_established_is_never_called_a_decrease():
    before, now = cell(0.446, unit="share"), cell(0.436, unit="share")
    words = {"waves": ("2018", "2024"), "language": "de"}
    plain = sentences.Asked("unsicher nachts im Park")
    told = sentences.Asked("unsicher nachts im Park", "{share} fühlten sich {wave} nachts im Park unsicher")
    unclear = sentences.share_change(cell(-0.01, -0.04, 0.02), before, now, item=plain, **words)
    clear = sentences.share_change(cell(-0.05, -0.08, -0.02), before, now, item=told, **words)
    assert unclear == (
        f"Unsicher nachts im Park: 2024 waren es 43,6{NBSP}% der Befragten (2018: 44,6{NBSP}%). "
        "Eine Änderung ist nicht statistisch gesichert (95-%-Bereich: −4,0 bis +2,0 Prozentpunkte)."
    )
    assert clear == (
        f"43,6{NBSP}% fühlten sich 2024 nachts im Park unsicher (2018: 44,6{NBSP}%). "
        "Der Rückgang ist statistisch gesichert (95-%-Bereich: −8,0 bis −2,0 Prozentpunkte; Irrtumsgrenze 5 %)."
    )


def test_a_hidden_share_is_said_to_be_hidden():
    item = sentences.Asked("unsicher im Park")
    words = sentences.share_now(cell(unit="share"), item=item, wave="2024", language="de")
    assert words == "Unsicher im Park: Dazu haben zu wenige geantwortet; der Wert wird nicht ausgewiesen."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (-0.062, f"je Einwohner 6,2{NBSP}% weniger als im Mittel der Jahre 2021 bis 2023."),
        (0.062, f"je Einwohner 6,2{NBSP}% mehr als im Mittel der Jahre 2021 bis 2023."),
        (0.003, "je Einwohner etwa so viele wie im Mittel der Jahre 2021 bis 2023."),
    ],
)
def test_cases_of_the_city(change, expected):
    now = cell(12345.0, unit="cases")
    words = sentences.city_change(
        cell(change),
        now,
        title="gefährliche Körperverletzung",
        year=2024,
        before=["2021", "2022", "2023"],
        language="de",
    )
    assert words == f"Gefährliche Körperverletzung: 2024 wurden 12.345 Fälle registriert, {expected}"


def test_cases_without_years_before():
    words = sentences.city_change(None, cell(12.0), title="theft", year=2024, before=[], language="en")
    assert words == "Theft: 12 cases were registered in 2024; a comparison with earlier years is not possible."


def test_only_areas_whose_interval_clears_zero_are_named_in_alphabetical_order():
    frame = pd.DataFrame(
        {
            "area": ["1", "2", "3", "4", "5"],
            "value": [-0.5, -0.3, 0.2, 0.4, None],
            "conf_low": [-0.7, -0.5, -0.1, 0.1, None],
            "conf_high": [-0.2, -0.1, 0.5, 0.8, None],
        }
    )
    published = type("P", (), {"frame": frame})()
    names = {"1": "Wahren", "2": "Connewitz", "3": "Mölkau", "4": "Zentrum"}
    assert sentences.changed_areas(published, names) == (["Connewitz", "Wahren"], ["Zentrum"], 4)
    assert sentences.changed_areas(published, names, without=["4"]) == (["Connewitz", "Wahren"], [], 3)


def test_finding_of_the_map_fits_what_is_on_it():
    both, named = sentences.map_finding(["A", "B"], ["C"], 62, "de")
    assert both == (
        "In 2 von 62 Ortsteilen wurden statistisch gesichert weniger, in 1 mehr Fälle registriert als in den Jahren "
        "davor; in den übrigen bleibt die Änderung im Rahmen der üblichen Schwankung."
    )
    assert named == "Weniger Fälle: A und B. Mehr Fälle: C."
    nothing, named = sentences.map_finding([], [], 62, "de")
    assert nothing == "In keinem der 62 Ortsteile geht die Änderung über die übliche Schwankung hinaus."
    assert named == ""


def test_quadrants_turn_the_unsafe_share_into_a_sense_of_safety():
    points = pd.DataFrame(
        {
            "area": ["1", "2", "3", "4", "5"],
            "value_x": [-0.2, -0.2, 0.2, 0.2, 0.3],
            "value_y": [-0.1, 0.1, -0.1, 0.1, 0.2],
            "clear": [True, True, True, True, False],
        }
    )
    names = {str(number): f"Gebiet {number}" for number in range(1, 6)}
    found = sentences.quadrants_of(points, names)
    assert found == {
        "less_higher": ["Gebiet 1"],
        "less_lower": ["Gebiet 2"],
        "more_higher": ["Gebiet 3"],
        "more_lower": ["Gebiet 4"],
    }
    finding, named = sentences.quadrant_finding(found, all_areas=5, year="2024", language="en")
    assert finding == (
        "2024: in 4 of 5 areas changes in both registered cases and sense of safety are statistically established."
    )
    assert named.startswith("Fewer registered cases and a higher sense of safety than before: Gebiet 1.")


def test_trends_name_what_fell_and_what_rose():
    changes = {
        "Diebstahl": cell(-0.1, -0.15, -0.05),
        "Raub": cell(0.2, 0.1, 0.3),
        "Graffiti": cell(0.05, -0.02, 0.12),
        "Lärm": cell(None),
    }
    words = sentences.trend_finding(changes, year=2024, before=["2023"], language="de")
    assert words == (
        "2024 wurden je Einwohner weniger Fälle registriert als im Mittel 2023 bei: Diebstahl; mehr bei: Raub. "
        "Sonst bleibt die Änderung im Rahmen der üblichen Schwankung."
    )


def test_a_trend_within_the_usual_fluctuation_has_no_direction():
    changes = {"Diebstahl": cell(-0.1, -0.3, 0.1), "Raub": cell(0.2)}
    assert sentences.trend_finding(changes, year=2024, before=["2023"], language="de") == (
        "2024 geht bei keiner Kennzahl die Zahl der Fälle je Einwohner über die übliche Schwankung um das Mittel 2023 "
        "hinaus."
    )


def test_the_change_of_the_city_has_its_interval():
    words = sentences.city_change(
        cell(-0.012, -0.06, 0.04), cell(100.0, unit="cases"), title="Raub", year=2024, before=["2023"], language="de"
    )
    assert words == (
        f"Raub: 2024 wurden 100 Fälle registriert, je Einwohner 1,2{NBSP}% weniger als im Mittel der Jahre 2023 "
        f"(95-%-Bereich: −6,0{NBSP}% bis +4,0{NBSP}%)."
    )


@pytest.mark.parametrize(
    ("planned", "done", "achieved", "unit", "number", "expected"),
    [
        (1200.0, 1180.0, 0.983, "Stunden", "num1", f"1.180 von 1.200 Stunden (98{NBSP}%)"),
        (50.0, 50.0, 1.0, "", "int", f"50 von 50 (100{NBSP}%)"),
        (None, 12.5, None, "Stunden", "num1", "12 Stunden, kein Plan vereinbart"),
        (0.9, 0.688, 0.76, "Anteil", "pct1", f"69{NBSP}%, geplant 90{NBSP}%"),
        (12.0, None, None, "Nächte", "int", "keine Daten geliefert"),
    ],
)
def test_planned_and_done_in_one_phrase(planned, done, achieved, unit, number, expected):
    words = sentences.extent(cell(planned), cell(done), cell(achieved), unit=unit, number=number, language="de")
    assert words == expected
