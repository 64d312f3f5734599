"""Panels: arrays from a frame, starts by the study's rules, and every refusal in full."""

import numpy as np
import pandas as pd
import pytest

from evaluation import DesignError, Panel, Study
from evaluation.data.periods import convert, frequency_of, label, month_codes, ordinal, span, start_date


def frame_of(units=("a", "b", "c"), years=range(2015, 2021), value=5):
    return pd.DataFrame(
        [{"unit": unit, "period": str(year), "outcome": value + year % 3} for unit in units for year in years]
    )


def study(**options):
    return Study(
        **({"id": "s", "outcome": "o", "event": "e", "period": "year", "treated_since": {"a": "2018"}} | options)
    )


def refusal(frame, declared, neighbours=None, language="de"):
    with pytest.raises(DesignError) as caught:
        Panel(frame, declared, neighbours)
    return caught.value.worded(language)


def test_infinite_values_and_rows_without_an_area_are_refused():
    frame = frame_of()
    frame["outcome"] = frame["outcome"].astype(float)
    frame.loc[1, "outcome"] = np.inf
    assert refusal(frame, study()) == (
        "Gebiet a hat in der Periode 2016 einen unendlichen Wert. "
        "Abhilfe: Den Wert berichtigen oder leer lassen, wenn er unbekannt ist."
    )
    frame.loc[2, "unit"] = None
    assert refusal(frame, study(), language="en") == (
        "1 rows name no area. What to do: Give every row its area, or delete the rows."
    )


def test_arrays_and_gaps():
    frame = frame_of().drop(index=[1])
    panel = Panel(frame, study())
    assert panel.outcome.shape == (3, 6)
    assert np.isnan(panel.outcome[0, 1])
    assert panel.starts.tolist() == [3, -1, -1]
    assert panel.exposure.tolist() == np.ones((3, 6)).tolist()
    assert panel.contiguity is None


@pytest.mark.parametrize(
    ("rule", "start", "gap", "blank"), [("before", 4, 0, False), ("after", 3, 0, False), ("drop", 4, 1, True)]
)
def test_partial_periods(rule, start, gap, blank):
    panel = Panel(frame_of(), study(treated_since={"a": "2018-11"}, partial_period=rule))
    assert panel.starts[0] == start
    assert panel.gap == gap
    assert np.isnan(panel.outcome[0, 3]) == blank


def test_anticipation_is_a_gap_and_an_end_blanks_what_follows():
    panel = Panel(frame_of(), study(anticipation=1, until="2019"))
    assert panel.gap == 1
    assert np.isnan(panel.outcome[0]).tolist() == [False] * 5 + [True]


def test_neighbours_are_left_out_of_the_comparison():
    near = {"a": frozenset("b"), "b": frozenset("a"), "c": frozenset()}
    panel = Panel(frame_of(), study(leave_out="neighbours"), near)
    assert panel.comparison.tolist() == [False, False, True]
    assert panel.contiguity.sum() == 2


def test_refusals_name_what_is_wrong():
    frame = frame_of()
    assert refusal(frame.drop(columns="outcome"), study()) == (
        "Dem Panel der Studie „s“ fehlen die Spalten outcome. Abhilfe: Ein Panel braucht unit, period und outcome; "
        "exposure, wenn Raten verglichen werden."
    )
    assert "hat keine Zeilen" in refusal(frame.head(0), study())
    assert "Gebiet a kommt in der Periode 2015 mehrfach vor (1 solche" in refusal(
        pd.concat([frame, frame.head(1)]), study()
    )
    assert "die negative Anzahl -1" in refusal(frame.assign(outcome=[-1, *frame["outcome"][1:]]), study())
    assert refusal(frame, study(treated_since={"A": "2018"})).startswith(
        "Gebiet A der Studie „s“ kommt in den Daten nicht vor."
    )
    assert "keine Periode vor dem Beginn 2015" in refusal(frame, study(treated_since={"a": "2015"}))
    assert "die Daten enden mit 2020" in refusal(frame, study(treated_since={"a": "2021"}))
    everywhere = {unit: "2018" for unit in "abc"}
    assert refusal(frame, study(treated_since=everywhere)).startswith("Die Studie „s“ hat kein Vergleichsgebiet.")
    assert "liegt keine Geometrie vor" in refusal(frame, study(leave_out="neighbours"))
    assert "keine Bezugsgröße größer als 0" in refusal(frame.assign(exposure=0), study(exposure=True))


def test_all_problems_at_once():
    words = refusal(frame_of(), study(treated_since={"x": "2018", "a": "2015"}), language="en")
    assert len(words.splitlines()) == 2


def test_studies_are_checked_when_declared():
    with pytest.raises(DesignError) as caught:
        Study(id="s", outcome="o", treated_since={"a": "11/2018"}, unit="street")
    assert [problem.code for problem in caught.value.problems] == [
        "core.study_option", "core.study_period", "core.study_measure_or_event",
    ]  # fmt: skip
    with pytest.raises(DesignError, match="names no areas with the measure"):
        Study(id="s", outcome="o", event="e", treated_since="2018")


def test_periods():
    assert [frequency_of(p) for p in ("2018", "2018-H2", "2018-Q4", "2018-12", "2018-13")] == [
        "year", "half_year", "quarter", "month", None,
    ]  # fmt: skip
    for period in ("2018", "2018-H2", "2018-Q4", "2018-12"):
        assert label(ordinal(period), frequency_of(period)) == period
    assert span("2018-Q3", "2019-Q2") == ("2018-Q3", "2018-Q4", "2019-Q1", "2019-Q2")
    assert convert("2018-11", "half_year") == ("2018-H2", False)
    assert convert("2018-H2", "month") == ("2018-07", True)
    assert str(start_date("2018-Q2")) == "2018-04-01"
    assert month_codes(["2018-11"]) == [201811]
    with pytest.raises(ValueError, match="'18' is no period"):
        ordinal("18")
    with pytest.raises(ValueError, match="not periods of one length"):
        span("2018", "2018-11")


def test_periods_of_another_length_or_kind_are_refused():
    assert refusal(frame_of(), study(period="month"), language="en") == (
        "In study “s”, period = “month” is not allowed. What to do: Allowed: year."
    )
    numbers = frame_of(units=("a", "b"), years=(2017, 2018)).astype({"period": int})
    assert "the time “2017 (int64)” does not have the form 2018" in refusal(numbers, study(), language="en")
    broken = frame_of().replace({"period": {"2017": "2017-x"}})
    assert "the time “2017-x” does not have the form 2018" in refusal(broken, study(), language="en")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"treated": ("a", "b")}, "treated = “b” is not allowed. What to do: Allowed: a."),
        ({"treated": ("a",), "treated_since": {"a": "2018", "c": "2019"}}, "treated_since = “c” is not allowed"),
        ({"until": "2017"}, "until = “2017” is not allowed. What to do: Allowed: >= 2018."),
        ({"anticipation": -1}, "anticipation = “-1” is not allowed. What to do: Allowed: >= 0."),
    ],
)
def test_starts_areas_and_end_fit_together(options, words):
    with pytest.raises(DesignError) as caught:
        study(**options)
    assert words in caught.value.worded("en")
