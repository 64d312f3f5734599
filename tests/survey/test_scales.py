"""Scales of different length: put together only by a mapping that loses nothing and is printed with every result."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import Change, Mean, Ordinal, Sample, ScaleMapping, Share, SurveyDesign, SurveyDifference
from tests.survey.change_samples import message

BOTH = ScaleMapping(
    categories=("safe", "unsafe"),
    codes={4: {"safe": (1, 2), "unsafe": (3, 4)}, 5: {"safe": (1, 2, 3), "unsafe": (4, 5)}},
)
FRAME = pd.DataFrame(
    {
        "wave": ["2018"] * 4 + ["2021"] * 5,
        "stratum": "s",
        "weight": 1.0,
        "park": [1, 2, 3, 4, 1, 2, 3, 4, 5],
        "other": [9, 9, 9, 9, 1, 2, 3, 4, 5],
    }
)
SAMPLE = Sample(FRAME, SurveyDesign(wave="wave"))
POINTS = {"2018": 4, "2021": 5}


def test_answers_by_hand_and_the_mapping_with_every_result():
    mapped = BOTH.apply(SAMPLE, "park", points=POINTS, into="common")
    assert mapped.frame["common"].tolist() == [1, 1, 2, 2, 1, 1, 1, 2, 2]
    for method in (
        Share("common", (2,), scale=2),
        Change(Share("common", (2,), scale=2), "2018", "2021"),
        Mean("common"),
    ):
        assert method.estimate(mapped).worded_notes("en")[0] == (
            "In common, scales of different length are put together (number of points: 2018: 4 and 2021: 5). Codes by "
            "number of points – 4: 1+2 = safe, 3+4 = unsafe; 5: 1+2+3 = safe, 4+5 = unsafe."
        )
    assert "common" not in SAMPLE.frame
    change = Change(Share("common", (2,), scale=2), "2018", "2021").estimate(mapped)
    assert change.table.loc[0, "estimate"] == pytest.approx(2 / 5 - 1 / 2)


def test_columns_by_wave_and_codes_for_no_answer():
    frame = FRAME.assign(other=[9, 9, 9, 9, 1, 2, 3, 4, 8])
    given_sample = Sample(frame, SurveyDesign(wave="wave"))
    columns = {"2018": "park", "2021": "other"}
    mapped = BOTH.apply(given_sample, columns, points=POINTS, into="common", no_answer=(8,))
    assert mapped.frame["common"].fillna(0).tolist() == [1, 1, 2, 2, 1, 1, 1, 2, 0]


def test_people_of_other_waves_have_no_answer():
    mapped = BOTH.apply(SAMPLE, "park", points={"2021": 5}, into="common")
    assert mapped.frame["common"].isna().tolist() == [True] * 4 + [False] * 5


def test_without_a_mapping_the_longer_scale_is_refused():
    assert message(lambda: Share("park", (3, 4), scale=4, by="wave").estimate(SAMPLE)) == (
        "Column park: Answers that are not on the scale 1, 2, 3 and 4: 1 (codes 5). What to do: Correct the answers, "
        "name codes for “no answer” in no_answer, or correct the scale of the item."
    )


def test_means_of_scales_of_different_length_carry_a_warning():
    said = (
        "The answers park run over 1–4 in 2018 and over 1–5 in 2021. If these are scales of different length, the "
        "difference of means says nothing: put them together by a mapping (ScaleMapping)."
    )
    assert Change(Mean("park"), "2018", "2021").estimate(SAMPLE).worded_notes("en")[0] == said
    same = Sample(FRAME.assign(park=FRAME["park"].clip(upper=4)), SurveyDesign(wave="wave"))
    long = Sample(FRAME.assign(park=FRAME["park"] * 100), SurveyDesign(wave="wave"))
    half = Sample(FRAME.assign(park=FRAME["park"] + 0.5), SurveyDesign(wave="wave"))
    for given_sample in (same, long, half):
        assert Change(Mean("park"), "2018", "2021").estimate(given_sample).notes == ()
    frame = pd.concat([FRAME.assign(area=area) for area in ("00", "01", "02")], ignore_index=True)
    effect = SurveyDifference(Mean("park"), ("00",), "2018", "2021").estimate(Sample(frame, SurveyDesign(wave="wave")))
    assert said in effect.worded_notes("en")


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.integers(1, 4))
def test_a_share_of_common_answers_is_that_of_its_codes(low, high):
    mapping = ScaleMapping(
        categories=("a", "b"),
        codes={
            4: {"a": tuple(range(1, low + 1)), "b": tuple(range(low + 1, 5))},
            5: {"a": tuple(range(1, high + 1)), "b": tuple(range(high + 1, 6))},
        },
    )
    mapped = mapping.apply(SAMPLE, "park", points=POINTS, into="common")
    first = Share("common", (2,), scale=2).estimate(mapped.where(FRAME["wave"] == "2021")).table
    second = Share("park", tuple(range(high + 1, 6)), scale=5).estimate(SAMPLE.where(FRAME["wave"] == "2021")).table
    assert first.loc[0, "estimate"] == pytest.approx(second.loc[0, "estimate"])


def test_a_scale_may_run_the_other_way():
    turned = ScaleMapping(
        categories=("safe", "unsafe"), codes={4: {"safe": (3, 4), "unsafe": (1, 2)}, 5: BOTH.codes[5]}
    )
    mapped = turned.apply(SAMPLE, "park", points=POINTS, into="common")
    assert mapped.frame["common"].tolist()[:4] == [2, 2, 1, 1]


def test_three_common_answers_serve_an_ordinal_model():
    three = ScaleMapping(
        categories=("low", "middle", "high"),
        codes={4: {"low": (1,), "middle": (2, 3), "high": (4,)}, 5: {"low": (1,), "middle": (2, 3, 4), "high": (5,)}},
    )
    mapped = three.apply(SAMPLE, "park", points=POINTS, into="common")
    assert Ordinal("common", scale=3).estimate(mapped).table["category"].tolist() == ["1|2", "2|3"]


# --- what is refused ---


def test_a_mapping_that_loses_a_category_or_a_code():
    def made(codes, categories=("safe", "unsafe")):
        return lambda: ScaleMapping(categories=categories, codes=codes)

    four = {"safe": (1, 2), "unsafe": (3, 4)}
    assert message(made({4: four, 5: {"safe": (1, 2), "unsafe": (4, 5)}})) == (
        "The mapping of the scale with 5 points leaves out codes: 3. People with these answers would be lost. What to "
        "do: Give every code a common answer; declare codes for “no answer” as no_answer."
    )
    middle = {"safe": (1, 2), "middle": (3,), "unsafe": (4, 5)}
    assert message(made({4: four, 5: middle}, ("safe", "middle", "unsafe"))) == (
        "No code of the scale with 4 points leads to middle, so that this answer would be lost. What to do: Use only "
        "common answers that every scale can give; the middle of a longer scale has to go to one side."
    )
    assert message(made({4: four, 5: middle})) == (
        "Value “middle”: The mapping of the scale with 5 points names an answer that is not among the common ones. "
        "What to do: Perhaps “safe” is meant."
    )
    assert message(made({4: {"safe": (1, 2, 3), "unsafe": (3, 4, 5)}})) == (
        "The mapping names codes that a scale with 4 points does not have: 5. What to do: Correct the codes or the "
        "number of points.\n"
        "The mapping of the scale with 4 points uses codes twice: 3. What to do: Give every code exactly one common "
        "answer."
    )
    assert message(made({4: {"safe": (1, 3), "unsafe": (2, 4)}})) == (
        "On the scale with 4 points the codes do not stand in the order of the common answers safe and unsafe. What to "
        "do: Check the direction of the scale."
    )
    assert message(made({4: {"safe": (1, 2, 3, 4)}}, ("safe",))) == (
        "The common answers safe are fewer than two, or one is named twice. What to do: Name at least two different "
        "common answers."
    )


def test_codes_outside_and_scales_without_a_mapping():
    def applied(**options):
        given_options = {"points": POINTS, "into": "common", **options}
        return lambda: BOTH.apply(SAMPLE, "park", **given_options)

    assert message(applied(points={"2018": 4, "2021": 4})) == (
        "Column park, value “2021”: Answers that are not on the scale 1, 2, 3 and 4: 1 (codes 5). What to do: Correct "
        "the answers, name codes for “no answer” in no_answer, or correct the scale of the item."
    )
    assert message(applied(points={"2018": 7, "2021": 5}, into="park")) == (
        "Column park: The sample already has a column of this name. What to do: Give the mapped answers another name "
        "in into.\n"
        "Value “2018”: The mapping says nothing about scales with 7 points, but this wave has one; it knows 4 and 5. "
        "What to do: Add the codes of this scale to the mapping, or leave the wave out."
    )
    assert "Nobody in the sample belongs to this wave" in message(applied(points={"2030": 4}))
