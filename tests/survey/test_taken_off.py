"""Mode and composition taken off a change: by hand, against R, by small steps, by invariance, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import Change, CompositionAdjusted, Mean, ModeAdjusted, Sample, Share, SurveyDesign
from evaluation.survey.modes import mode_shift
from tests.simulation.survey_change import Cell, change_once
from tests.survey.change_samples import (
    FRAME,
    INDEPENDENT,
    PEOPLE,
    RESULTS,
    close,
    influences_by_steps,
    message,
    sample,
)

NIGHT = Share("night", (3, 4), scale=4)
MODE = ModeAdjusted(NIGHT, "2018", "2024", parallel="2021")
AGE = CompositionAdjusted(NIGHT, "2018", "2024", cells="age")
NUMBERS = ["estimate", "std_error"]


def term(result, name):
    return result.row(term=name)


# --- by hand ---


def test_mode_by_hand():
    # All paper, then all online; in the parallel run online answers are higher by one.
    rows = [("1", "paper", 1.0), ("1", "paper", 3.0), ("2", "online", 4.0), ("2", "online", 6.0)]
    rows += [("1p", "paper", 2.0), ("1p", "paper", 4.0), ("1p", "online", 3.0), ("1p", "online", 5.0)]
    frame = pd.DataFrame(rows, columns=["wave", "mode", "x"]).assign(weight=1.0, stratum="s")
    result = ModeAdjusted(Mean("x"), "1", "2", parallel="1p").estimate(Sample(frame, SurveyDesign(wave="wave")))
    assert result.table["term"].tolist() == ["change", "mode", "adjusted"]
    assert result.table["estimate"].tolist() == pytest.approx([3, 1, 2])
    # Every mean of two numbers that are two apart has variance s²/n = 1, but the modes of the parallel run lie in one
    # stratum of four people, whose influences are centred together: 4/3 of their squares, 1/4 each.
    assert (result.table["std_error"] ** 2).tolist() == pytest.approx([2, 4 / 3, 2 + 4 / 3])
    notes = result.worded_notes("en")
    assert notes[0] == (
        "Mode of the survey: 100% of the respondents answered in another mode than before (before: paper 100; after: "
        "online 100; in percent). A change may come from that alone."
    )
    assert notes[1] == (
        "The effect of the mode is taken off; it is estimated from the parallel run in 1p, where the mode was drawn by "
        "lot."
    )


def test_composition_by_hand():
    # First wave: 3 young (1, 1, 1), 1 old (5). Second: 1 young (2), 3 old (7, 7, 7).
    rows = [("1", "young", 1.0)] * 3 + [("1", "old", 5.0), ("2", "young", 2.0)] + [("2", "old", 7.0)] * 3
    frame = pd.DataFrame(rows, columns=["wave", "age", "x"]).assign(weight=1.0, stratum="s")
    result = CompositionAdjusted(Mean("x"), "1", "2", cells="age").estimate(Sample(frame, SurveyDesign(wave="wave")))
    assert result.table["term"].tolist() == ["change", "composition", "adjusted"]
    assert result.table["estimate"].tolist() == pytest.approx([23 / 4 - 2, 23 / 4 - 2 - 1.25, 0.75 * 1 + 0.25 * 2])
    assert "The later wave is re-weighted to the composition of 1 by age." in result.worded_notes("en")


def test_a_break_of_the_mode_is_flagged_wherever_waves_are_compared():
    assert mode_shift(sample(), ("2018",), ("2024",)) == pytest.approx(1)
    assert (
        "100% of the respondents answered in another mode"
        in Change(NIGHT, "2018", "2024").estimate(sample()).worded_notes("en")[0]
    )
    same = sample(frame=FRAME.assign(mode="paper"))
    assert not any("Mode" in note for note in Change(NIGHT, "2018", "2024").estimate(same).worded_notes("en"))


# --- against R ---


def test_mode_and_composition_as_in_r():
    close(term(MODE.estimate(sample()), "adjusted")[NUMBERS], list(RESULTS["mode"].values()))
    close(term(AGE.estimate(sample()), "adjusted")[NUMBERS], list(RESULTS["composition"].values()))


@pytest.mark.parametrize("method", [MODE, AGE, replace(AGE, estimator=Mean("park", by="measure"))])
def test_influences_are_those_of_small_changes_of_the_weights(method):
    given_sample, some = sample(PEOPLE), [0, 1, 50, 150, 151, 200, 300, 431]
    steps = influences_by_steps(method, given_sample, some)
    close(method.estimate(given_sample).influence.values[some], steps, rtol=1e-5, atol=1e-9)


# --- by invariance ---


def test_the_change_is_that_of_change():
    plain = Change(NIGHT, "2018", "2024").estimate(sample()).table.iloc[0]
    for method in (MODE, AGE):
        close(term(method.estimate(sample()), "change")[NUMBERS], plain[NUMBERS], rtol=1e-10)


@pytest.mark.parametrize("method", [MODE, AGE])
def test_parts_add_up(method):
    table = method.estimate(sample()).table
    assert table["estimate"].iloc[1] + table["estimate"].iloc[2] == pytest.approx(table["estimate"].iloc[0])


def test_without_a_change_of_composition_nothing_is_taken_off():
    frame = pd.concat([FRAME[FRAME["wave"] == "2018"].assign(wave=wave) for wave in ("2018", "2024")])
    later = frame["wave"] == "2024"
    frame = frame.assign(park=frame["park"] + later * np.where(frame["age"] == "old", 1.0, 2.0)).reset_index(drop=True)
    result = CompositionAdjusted(Mean("park"), "2018", "2024", cells="age").estimate(sample(INDEPENDENT, frame))
    assert term(result, "composition")["estimate"] == pytest.approx(0, abs=1e-12)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.floats(0.01, 100))
def test_order_of_rows_and_size_of_weights_do_not_matter(seed, factor):
    order = np.random.default_rng(seed).permutation(len(FRAME))
    other = FRAME.iloc[order].reset_index(drop=True).assign(weight=lambda frame: frame["weight"] * factor)
    for method in (MODE, AGE):
        first, second = (method.estimate(sample(frame=frame)).table[NUMBERS] for frame in (FRAME, other))
        close(second, first, rtol=1e-9)


def test_domains_are_adjusted_each_by_itself():
    by = replace(NIGHT, by="measure")
    both = CompositionAdjusted(by, "2018", "2024", cells="age").estimate(sample()).table
    one = AGE.estimate(sample().where(FRAME["measure"] == 1)).table
    close(both.loc[both["measure"] == 1, "estimate"], one["estimate"])
    close(both.loc[both["measure"] == 1, "std_error"], one["std_error"])


# --- in simulation ---


@pytest.mark.parametrize("what", ["mode taken off", "composition"])
def test_intervals_cover(what):
    rng = np.random.default_rng(8)
    assert np.mean([change_once(Cell(what), rng)[0] for _ in range(20)]) >= 0.85  # 99.7 % of binomial shares of 20


# --- what is refused ---


def test_options():
    assert message(lambda: ModeAdjusted(replace(NIGHT, by="mode"), "1", "1", parallel="2", level=1)) == (
        "Value “1”: level = 1 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95.\n"
        "Value “1”: Baseline and compared wave are the same. What to do: Name two waves.\n"
        "Column mode: Results cannot be divided by the mode that is taken off. What to do: Take the mode out of by."
    )
    assert message(lambda: CompositionAdjusted(NIGHT, "1", "2", cells=())) == (
        "No columns are named that make up the composition. What to do: Name them in cells, for example age_group and "
        "gender."
    )
    assert message(lambda: CompositionAdjusted(replace(NIGHT, by="age"), "1", "2", cells="age")) == (
        "Column age: A column cannot divide the results and be re-weighted at the same time. What to do: Take the "
        "column out of by or out of cells."
    )


def test_a_parallel_run_must_have_the_modes():
    assert message(lambda: replace(MODE, parallel="2018").estimate(sample())) == (
        "Value “2018”: In the parallel run there is only one mode (paper). What to do: Name a wave in which people "
        "were asked in several modes, or compare people of one mode only."
    )
    phone = FRAME.assign(mode=FRAME["mode"].mask((FRAME["wave"] == "2024") & (FRAME["person"] == 1), "phone"))
    assert message(lambda: MODE.estimate(sample(frame=phone))) == (
        "Value “2021”: The parallel run lacks modes that have become more or less frequent: phone. What to do: The "
        "effect of these modes is unknown: compare only people of the other modes (sample.where), or show the break."
    )
    chosen = replace(MODE, drawn=False).estimate(sample()).worded_notes("en")
    assert any("where people chose the mode themselves" in note for note in chosen)


def test_a_group_that_is_gone_cannot_be_re_weighted():
    young = FRAME[(FRAME["wave"] != "2024") | (FRAME["age"] == "young")].reset_index(drop=True)
    assert message(lambda: AGE.estimate(sample(INDEPENDENT, young))) == (
        "Column night, value “2024”: Groups of the first wave of which nobody answered in this wave: 1 (old). They "
        "cannot be re-weighted. What to do: Use fewer or coarser groups in cells."
    )


def test_people_without_a_group_are_counted():
    frame = FRAME.assign(age=FRAME["age"].where(np.arange(len(FRAME)) > 2))
    notes = AGE.estimate(sample(frame=frame)).worded_notes("en")
    assert any(
        note.startswith("Respondents in no row, because they have no value in age and wave: 3") for note in notes
    )


def test_a_domain_of_one_wave_and_a_domain_with_one_answer_keep_their_rows():
    first = FRAME["wave"] == "2018"
    frame = FRAME.assign(group=np.where((FRAME["area"] == "00") & first, "gone", "kept"))
    result = CompositionAdjusted(replace(NIGHT, by="group"), "2018", "2024", cells="wave_age").estimate(
        sample(INDEPENDENT, frame.assign(wave_age=np.where(frame["group"] == "gone", None, frame["age"])))
    )
    gone = result.table[result.table["group"] == "gone"]
    assert gone["note"].tolist() == ["survey.note.one_wave"] * 3
    assert gone["estimate"].isna().all()
