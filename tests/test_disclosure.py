import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.disclosure import COLUMNS, About, Published, Rules, publish
from evaluation.errors import ReportError
from evaluation.estimates import Counts, Estimates, Note, Scale
from evaluation.texts import text

ABOUT = About(id="registered.theft", unit="cases", source="Polizeidirektion", measure="A2", outcome="theft")
RULES = Rules(minimum_cell=5, minimum_answers=30, flag_answers=50)


def cases(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"area": [f"{number:02d}" for number in range(len(values))], "year": "2024", "value": values})


def shown(frame: pd.DataFrame, **changes: object) -> Published:
    return publish(frame, RULES, **{"about": ABOUT, "keys": ("area", "year"), "basis": "cases", **changes})


def share(n: int) -> Published:
    frame = pd.DataFrame({"wave": ["2024"], "value": [0.4], "conf_low": [0.3], "conf_high": [0.5], "n": [n]})
    about = About(id="survey.unsafe", unit="share", source="Befragung")
    return publish(frame, RULES, about=about, keys=("wave",), basis="answers", cases="n")


def test_counts_below_the_smallest_cell_are_hidden_and_zero_is_not():
    frame = shown(cases(0, 1, 4, 5, 120)).frame
    assert frame["value"].tolist()[0] == 0
    assert frame["value"].isna().tolist() == [False, True, True, False, False]
    assert frame["cases"].isna().tolist() == [False, True, True, False, False]
    assert frame["suppressed"].tolist() == [False, True, True, False, False]
    assert frame["note"].tolist() == ["", "runner.note.small_cell", "runner.note.small_cell", "", ""]


@pytest.mark.parametrize(
    ("n", "hidden", "flagged", "note"),
    [
        (29, True, False, "runner.note.few_answers"),
        (30, False, True, "runner.note.flagged_answers"),
        (49, False, True, "runner.note.flagged_answers"),
        (50, False, False, ""),
    ],
)
def test_answers(n, hidden, flagged, note):
    row = share(n).frame.iloc[0]
    assert (bool(row["suppressed"]), bool(row["flagged"]), row["note"]) == (hidden, flagged, note)
    assert row[["value", "conf_low", "conf_high", "cases"]].isna().all() == hidden


@pytest.mark.parametrize(
    ("unit", "value", "std_error", "n", "note"),
    [
        ("share", 0.10, 0.030, 400, ""),
        ("share", 0.10, 0.031, 400, "runner.note.flagged_cv"),
        ("share", 0.10, 0.031, 40, "runner.note.flagged_answers runner.note.flagged_cv"),
        ("share", 0.10, 0.031, 20, "runner.note.few_answers"),
        ("share", 0.0, np.nan, 400, ""),
        ("points", -2.0, 0.7, 400, "runner.note.flagged_cv"),
        ("change_points", 0.01, 0.03, 400, ""),
    ],
)
def test_values_with_a_large_relative_error_are_flagged(unit, value, std_error, n, note):
    frame = pd.DataFrame({"wave": ["2024"], "value": [value], "std_error": [std_error], "n": [n]})
    about = About(id="survey.unsafe", unit=unit, source="Befragung")
    row = publish(frame, RULES, about=about, keys=("wave",), basis="answers").frame.iloc[0]
    assert (row["note"], bool(row["flagged"])) == (note, "flagged" in note)
    lenient = publish(frame, Rules(flag_cv=0.5), about=about, keys=("wave",), basis="answers").frame.iloc[0]
    assert "flagged_cv" not in lenient["note"]


def test_the_relative_error_of_a_survey_result_is_its_own():
    table = pd.DataFrame({"wave": ["2024"], "estimate": [0.1], "std_error": [0.04], "df": [9.0], "statistic": [2.5]})
    table = table.assign(p_value=0.03, conf_low=0.01, conf_high=0.2, note="", n=100)
    made = {"declaration": None, "method": None, "counts": Counts(observations=100, units=100)}
    about = About(id="survey.unsafe", unit="share", source="Befragung")
    for scale, flagged in ((Scale("identity", "share"), True), (Scale("logit", "share"), False)):
        result = Estimates(table=table, scale=scale, **made)
        shown = publish(result, RULES, about=about, keys=("wave",), basis="answers")
        assert bool(shown.frame.loc[0, "flagged"]) == flagged


def test_what_services_did_is_never_hidden():
    about = About(id="dose.nights", unit="nights", source="Ordnungsamt")
    frame = publish(cases(1, 2), RULES, about=about, keys=("area", "year"), basis="services").frame
    assert frame["value"].tolist() == [1, 2]


def test_a_rate_is_hidden_with_the_smallest_of_its_counts():
    frame = cases(0.5, 0.5, 0.5).assign(before=[3, 100, 0], after=[100, 100, 100])
    about = About(id="change.theft", unit="change", source="Polizeidirektion")
    made = shown(frame, about=about, cases=["before", "after"])
    assert made.frame["suppressed"].tolist() == [True, False, False]
    assert made.frame["cases"].tolist()[1:] == [100, 100]


def test_a_rate_without_its_counts_is_refused():
    about = About(id="rate.theft", unit="cases_per_1000", source="Polizeidirektion")
    with pytest.raises(ReportError) as error:
        shown(cases(3.2), about=about)
    assert error.value.worded("de") == (
        "Für die Werte rate.theft (Einheit cases_per_1000) ist nicht bekannt, auf wie vielen Fällen sie beruhen; so "
        "können sie nicht veröffentlicht werden. Abhilfe: Mit cases die Spalte mit der Zahl der Fälle oder Antworten "
        "angeben."
    )


def test_a_value_without_a_size_is_refused_and_a_missing_value_is_not():
    about = About(id="rate.theft", unit="cases_per_1000", source="Polizeidirektion")
    frame = cases(3.2, np.nan).assign(cases=[10, np.nan])
    made = shown(frame, about=about, cases="cases")
    assert made.frame["note"].tolist() == ["", "runner.note.no_value"]
    with pytest.raises(ReportError, match="not known how many cases"):
        shown(cases(3.2).assign(cases=[np.nan]), about=about, cases="cases")


def test_a_note_that_was_given_stays_beside_the_flag():
    frame = pd.DataFrame({"wave": ["2023"], "value": [0.4], "n": [40], "note": ["report.mode_change"]})
    about = About(id="survey.unsafe", unit="share", source="Befragung")
    made = publish(frame, RULES, about=about, keys=("wave",), basis="answers", cases="n")
    assert made.frame["note"].tolist() == ["report.mode_change runner.note.flagged_answers"]


def test_nothing_but_keys_labels_and_standard_columns_comes_out():
    frame = cases(10, 20).assign(name=["Zentrum", "Nord"], victim=["a", "b"])
    assert list(shown(frame, labels=("name",)).frame) == ["area", "year", "name", *COLUMNS]


def test_the_callers_frame_is_left_alone():
    frame = cases(1, 2, 300)
    before = frame.copy(deep=True)
    shown(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_only_publish_makes_published_values():
    with pytest.raises(TypeError) as error:
        Published(about=ABOUT, frame=cases(1), keys=("area",))
    assert str(error.value) == "Published values are made by evaluation.disclosure.publish, never directly"


def test_results_have_ids_without_the_year():
    rows = shown(cases(3, 120)).results()
    assert rows[1] == {
        "id": "registered.theft/area=01",
        "measure": "A2",
        "outcome": "theft",
        "unit": "cases",
        "period": "2024",
        "value": 120.0,
        "conf_low": None,
        "conf_high": None,
        "p_value": None,
        "n": 120,
        "note": "",
    }
    assert (rows[0]["value"], rows[0]["n"], rows[0]["note"]) == (None, None, "runner.note.small_cell")


def test_cell_and_where():
    made = shown(cases(3, 120, 80))
    assert made.cell(area="01", year="2024").value == 120
    assert made.where(area=["01", "02"]).frame["value"].tolist() == [120, 80]
    assert made.where(area="01").where(year="2024").id == "registered.theft"
    with pytest.raises(ReportError) as error:
        made.cell(year="2024")
    assert error.value.worded("en") == (
        "For {'year': '2024'} the values registered.theft have 3 rows instead of one. What to do: Give all keys, and "
        "check that the value is published."
    )
    with pytest.raises(ReportError) as error:
        made.where(district="0")
    assert error.value.worded("en") == (
        "The values registered.theft have no key “district”. What to do: There are area and year."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keys": ("area",)}, "Among the values registered.theft, {'area': '00'} occurs more than once."),
        ({"keys": ("unit",)}, "The values registered.theft lack the columns unit."),
        ({"basis": "people"}, "The values registered.theft name “people” as their basis."),
    ],
)
def test_mistakes_are_named(changes, message):
    twice = pd.DataFrame({"area": ["00", "00"], "year": ["2023", "2024"], "value": [10, 20]})
    with pytest.raises(ReportError) as error:
        shown(twice, **changes)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "a b"}, "The id “a b” of published values is not allowed."),
        ({"unit": "case"}, "Did you mean “cases”?"),
        ({"source": " "}, "The values registered.theft have no source line."),
    ],
)
def test_about_is_checked(changes, message):
    with pytest.raises(ReportError) as error:
        About(**{"id": "registered.theft", "unit": "cases", "source": "x", **changes})
    assert message in str(error.value)


def effect(scale: str) -> Estimates:
    table = pd.DataFrame({"outcome": ["theft"], "estimate": [np.log(0.8)], "std_error": [0.1], "df": [np.inf]})
    table = table.assign(statistic=-2.2, p_value=0.03, conf_low=np.log(0.7), conf_high=np.nan, note="unbounded")
    return Estimates(
        table=table,
        scale=Scale(scale),
        declaration=None,
        method=None,
        counts=Counts(observations=10, units=5),
        notes=(Note("core.note.dropped_incomplete", {"n": 2}),),
    )


def test_an_effect_on_the_log_scale_becomes_a_relative_change():
    about = About(id="effect.A2", unit="change", source="Polizeidirektion")
    made = publish(effect("log"), RULES, about=about, keys=("outcome",), basis="cases", cases=400)
    row = made.frame.iloc[0]
    assert row["value"] == pytest.approx(-0.2, abs=1e-12)
    assert row["conf_low"] == pytest.approx(-0.3, abs=1e-12)
    assert np.isnan(row["conf_high"])
    assert row["note"] == "core.note.unbounded"
    assert made.worded_notes("de") == [
        text("core.note.dropped_incomplete", "de", n=2),
        text("core.note.unbounded", "de"),
    ]


def test_the_same_effect_as_ratio():
    about = About(id="effect.A2", unit="rate_ratio", source="Polizeidirektion")
    made = publish(effect("log"), RULES, about=about, keys=("outcome",), basis="cases", cases=400)
    assert made.cells()[0].value == pytest.approx(0.8, abs=1e-12)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(1, 10), st.randoms())
def test_order_does_not_matter_and_nothing_small_is_ever_shown(values, threshold, random):
    frame = cases(*map(float, values))
    rules = Rules(minimum_cell=threshold)
    made = publish(frame, rules, about=ABOUT, keys=("area", "year"), basis="cases").frame
    numbers = made[["value", "cases"]].to_numpy()
    assert not ((numbers > 0) & (numbers < threshold)).any()
    order = random.sample(range(len(values)), len(values))
    again = publish(frame.iloc[order], rules, about=ABOUT, keys=("area", "year"), basis="cases").frame
    pd.testing.assert_frame_equal(again.sort_values("area", ignore_index=True), made)
