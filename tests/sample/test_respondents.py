import numpy as np
import pandas as pd
import pytest

from evaluation import DesignError, Sample, SurveyDesign


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "stratum": ["a", "a", "a", "b", "b", "b"],
            "block": [1, 1, 2, 1, 2, 2],
            "area": ["00", "00", "01", "10", "10", "10"],
            "weight": [10.0, 20.0, 10.0, 5.0, 5.0, 10.0],
            "wave": ["21", "21", "21", "24", "24", "24"],
        },
        index=[11, 12, 13, 14, 15, 16],
    )


def problems(frame, design, language="en"):
    with pytest.raises(DesignError) as caught:
        Sample(frame, design)
    return caught.value.worded(language)


def test_people_are_units_without_psu(frame):
    plan = Sample(frame, SurveyDesign()).plan
    assert plan.units.tolist() == [11, 12, 13, 14, 15, 16]
    assert plan.stages[0].strata.tolist() == [0, 0, 0, 1, 1, 1]
    assert plan.stages[0].fraction is None


def test_units_with_labels_used_again_are_told_apart_by_nest(frame):
    plan = Sample(frame, SurveyDesign(psu="block", nest=True)).plan
    assert plan.units.tolist() == ["a/1", "a/2", "b/1", "b/2"]
    assert plan.unit.tolist() == [0, 0, 1, 2, 3, 3]
    assert plan.psu.tolist() == [0, 0, 1, 2, 3, 3]
    assert plan.strata.tolist() == [0, 0, 0, 1, 1, 1]


def test_waves_are_strata_of_their_own_unless_they_overlap(frame):
    apart = Sample(frame, SurveyDesign(strata=None, psu="block", wave="wave")).plan
    assert apart.units.tolist() == ["21/1", "21/2", "24/1", "24/2"]
    assert apart.stages[0].strata.tolist() == [0, 0, 1, 1]
    together = Sample(frame, SurveyDesign(strata=None, psu="block", wave="wave", overlap=True)).plan
    assert together.units.tolist() == [1, 2]
    assert together.stages[0].strata.tolist() == [0, 0]


def test_population_sizes_become_fractions_and_weights(frame):
    sized = frame.assign(blocks=[4, 4, 4, 8, 8, 8])
    sample = Sample(sized, SurveyDesign(psu="block", nest=True, weights=None, fpc="blocks"))
    assert sample.plan.stages[0].fraction.tolist() == [0.5, 0.5, 0.25, 0.25]
    assert sample.weights.tolist() == [2.0, 2.0, 2.0, 4.0, 4.0, 4.0]


def test_no_weights_and_no_populations_mean_equal_weights(frame):
    assert Sample(frame, SurveyDesign(weights=None)).weights.tolist() == [1.0] * 6


def test_later_stages_enter_only_below_a_finite_population(frame):
    staged = frame.assign(person=range(6), blocks=4, people=[2, 2, 1, 1, 2, 2])
    with_sizes = SurveyDesign(psu=("block", "person"), nest=True, fpc=("blocks", "people"))
    assert len(Sample(staged, with_sizes).plan.stages) == 1  # every block was taken whole
    assert (
        len(
            Sample(
                staged.assign(people=3),
                SurveyDesign(psu=("block", "person"), nest=True, fpc=("blocks", "people"), lonely="adjust"),
            ).plan.stages
        )
        == 2
    )
    assert len(Sample(staged, SurveyDesign(psu=("block", "person"), nest=True)).plan.stages) == 1
    assert len(Sample(staged.assign(blocks=np.inf), with_sizes).plan.stages) == 1


def test_subpopulations_keep_all_rows_and_share_the_plan(frame):
    sample = Sample(frame, SurveyDesign(wave="wave"))
    part = sample.where(frame["wave"] == "21")
    assert part.weights.tolist() == [10.0, 20.0, 10.0, 0.0, 0.0, 0.0]
    assert part.plan is sample.plan
    assert part.size == 3
    assert (sample.waves, part.waves) == (("21", "24"), ("21",))
    assert part.where(frame["area"] == "00").weights.tolist() == [10.0, 20.0, 0.0, 0.0, 0.0, 0.0]
    assert Sample(frame, SurveyDesign()).waves == ()


def test_labels_of_units(frame):
    sample = Sample(frame, SurveyDesign(psu="block", nest=True))
    assert sample.labels("area").tolist() == ["00", "01", "10", "10"]
    with pytest.raises(DesignError) as caught:
        sample.labels("weight")
    assert str(caught.value) == (
        "Column weight: Sampling units with more than one value in this column: 2 (a/1 and b/2). "
        "What to do: Units can be summed only to areas in which they lie as a whole."
    )


def test_the_callers_frame_is_left_alone_and_later_changes_do_not_reach_the_sample(frame):
    before = frame.copy(deep=True)
    sample = Sample(frame, SurveyDesign(psu="block", nest=True))
    sample.where(frame["area"] == "00")
    pd.testing.assert_frame_equal(frame, before)
    frame["weight"] = 0.0
    frame.loc[11, "area"] = "99"
    pd.testing.assert_frame_equal(sample.frame, before)
    assert sample.weights.tolist() == before["weight"].tolist()


def test_every_kind_of_bad_weight_is_named_with_its_rows(frame):
    bad = frame.assign(weight=[np.nan, 0.0, -1.0, np.inf, 1.0, 0.0])
    assert problems(bad, SurveyDesign()) == (
        "Column weight: Respondents without a weight: 2 (rows 11 and 14). What to do: Deliver their weights, or "
        "take these "
        "respondents out of the file and say so in its description.\n"
        "Column weight: Respondents with the weight 0: 2 (rows 12 and 16). What to do: A respondent stands for "
        "at least somebody. "
        "Deliver their weights, or take out of the file those who do not belong to the population.\n"
        "Column weight: Respondents with a weight below 0: 1 (rows 13). "
        "What to do: Check how the weights were made; calibration without bounds can make them negative."
    )
    assert problems(bad, SurveyDesign(), "de").startswith(
        "Spalte weight: Befragte ohne Gewicht: 2 (Zeilen 11 und 14). Abhilfe: Ihre Gewichte liefern"
    )


def test_a_wave_without_weights(frame):
    assert problems(frame.assign(weight=np.nan), SurveyDesign()) == (
        "Column weight: None of the 6 respondents has a weight. What to do: Deliver the weights of this wave, or "
        "declare a "
        "design without weights (weights = none), which takes everybody as equally likely to be drawn."
    )


def test_weights_as_text(frame):
    assert problems(frame.assign(weight="1,5"), SurveyDesign()) == (
        "Column weight, value “1,5”: The weights are not numbers. What to do: Deliver the weights as decimal numbers."
    )


def test_a_stratum_with_one_unit_is_an_error_until_the_design_decides(frame):
    lonely = frame.assign(stratum=["a", "a", "a", "b", "b", "c"])
    assert problems(lonely, SurveyDesign()) == (
        "Column stratum: Strata with a single sampling unit at stage 1: 1 (c). Their variance cannot be known. "
        "What to do: Join each with a similar stratum, or say with lonely = “adjust” (cautious), “average”, "
        "“remove” or "
        "“certainty” what is to be done with them."
    )
    decided = Sample(lonely, SurveyDesign(lonely="adjust"))
    assert decided.plan.remarks == (("survey.note.lonely_adjust", {"n": 1, "strata": ["c"]}),)


def test_a_lonely_unit_that_was_taken_for_certain_is_no_problem(frame):
    lonely = frame.assign(stratum=["a", "a", "a", "b", "b", "c"], people=[9, 9, 9, 9, 9, 1])
    assert Sample(lonely, SurveyDesign(fpc="people")).plan.remarks == ()


def test_one_unit_in_all(frame):
    assert problems(frame.assign(block=1), SurveyDesign(strata=None, psu="block", lonely="adjust")) == (
        "The sample has only one sampling unit, so that its variance cannot be known. "
        "What to do: Check which column names the sampling units."
    )


def test_a_unit_in_two_strata(frame):
    assert problems(frame, SurveyDesign(psu="block")) == (
        "Column block: Sampling units in more than one stratum: 2 (1 and 2). "
        "What to do: If labels are used again in other strata, set nest = true; otherwise correct the strata."
    )


def test_no_rows_and_missing_columns(frame):
    assert problems(frame.iloc[:0], SurveyDesign()) == (
        "The sample has no respondents. What to do: Check the file and the wave that was chosen."
    )
    assert problems(frame, SurveyDesign(weights="gewicht", strata="strata")) == (
        "Column gewicht: The column “gewicht” does not exist. What to do: Perhaps “weight” is meant. "
        "Check the name, or the declaration of the item in project.toml.\n"
        "Column strata: The column “strata” does not exist. What to do: Perhaps “stratum” is meant. "
        "Check the name, or the declaration of the item in project.toml."
    )


def test_missing_strata_and_units(frame):
    gaps = frame.assign(stratum=["a", None, "a", "b", "b", "b"], block=[1, 1, 2, np.nan, 2, 2])
    assert problems(gaps, SurveyDesign(psu="block", nest=True)) == (
        "Column stratum: Respondents without a value in this column of the design: 1 (rows 12). "
        "What to do: Fill in the stratum, sampling unit or wave of every respondent.\n"
        "Column block: Respondents without a value in this column of the design: 1 (rows 14). "
        "What to do: Fill in the stratum, sampling unit or wave of every respondent."
    )


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            [3, 3, 3, 9, 9, np.nan],
            "Column people: Respondents without a population size or fraction above 0: 1 (rows 16). "
            "What to do: Fill in the column, or run the design without a finite population correction.",
        ),
        (
            [0.5, 0.5, 0.5, 9, 9, 9],
            "The columns people hold sizes of the population as well as fractions below 1. What to do: Give "
            "either the number "
            "of units in the population (1 or more) or the fraction drawn (at most 1) everywhere.",
        ),
        (
            [3, 3, 3, 9, 9, 8],
            "Column people: The population size or fraction differs within a stratum. Respondents concerned: 1 "
            "(rows 16). "
            "What to do: It belongs to the stratum: give all its respondents the same value.",
        ),
        (
            [2, 2, 2, 9, 9, 9],
            "Column people: More units were drawn than the population has. Respondents concerned: 3 (rows 11, 12 "
            "and 13). "
            "What to do: Check the population sizes and whether the column belongs to this stage.",
        ),
    ],
)
def test_impossible_populations(frame, sizes, message):
    assert problems(frame.assign(people=sizes), SurveyDesign(fpc="people")) == message


def test_long_lists_of_rows_are_cut_with_their_number():
    many = pd.DataFrame({"stratum": "a", "weight": [1.0] * 2 + [0.0] * 1500})
    assert "Respondents with the weight 0: 1,500 (rows 2, 3, 4, 5, 6 and …)." in problems(many, SurveyDesign())


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (
            [True, False],
            "The condition has 2 values for 6 respondents. What to do: Make the condition from the columns of "
            "sample.frame.",
        ),
        (
            pd.array([True, None, True, True, True, True], dtype="boolean"),
            "Respondents for whom the condition is neither true nor false: 1. "
            "What to do: Say whether they belong to the subpopulation, for example with fillna(False).",
        ),
        (
            [False] * 6,
            "Nobody in the sample meets the condition. What to do: Check the condition and the values of the columns.",
        ),
        (
            pd.Series([True] * 6),
            "The rows of the condition are not those of the sample. "
            "What to do: Make the condition from the columns of sample.frame.",
        ),
    ],
)
def test_impossible_conditions(frame, mask, message):
    with pytest.raises(DesignError) as caught:
        Sample(frame, SurveyDesign()).where(mask)
    assert str(caught.value) == message


def test_one_wave_without_weights_is_named(frame):
    gaps = frame.assign(weight=[10.0, np.nan, 10.0, np.nan, np.nan, np.nan])
    assert problems(gaps, SurveyDesign(wave="wave")) == (
        "Column weight: None of the 3 respondents of the wave 24 has a weight. What to do: Deliver the weights of this "
        "wave, leave the wave out, or give all its respondents the same weight in the data and say so in its "
        "description.\n"
        "Column weight: Respondents without a weight: 1 (rows 12). What to do: Deliver their weights, or take these "
        "respondents out of the file and say so in its description."
    )


def test_units_of_weighted_samples_are_parts_of_sampling_units(frame):
    plan = Sample(frame, SurveyDesign(psu="block", nest=True)).plan
    parts = plan.divided(np.array([0, 1, 0, 0, 0, 1]))
    assert parts.units.tolist() == ["a/1", "a/1", "a/2", "b/1", "b/2", "b/2"]
    assert parts.stages[0].strata.tolist() == [0, 0, 0, 1, 1, 1]
    assert parts.sampling is plan
    assert parts.divided(np.zeros(6, dtype=int)) is parts
    assert parts.psu.tolist() == plan.psu.tolist()
