"""Quantiles: by hand, against R survey (tests/reference/survey_tests_recipe.R), by invariance and by simulation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import Quantile, Sample, SurveyDesign
from evaluation.influence import contrast, variances
from evaluation.survey.replicates import Jackknife
from evaluation.survey.weighting import PostStratify
from tests.survey.model_samples import DESIGNS, FRAME, close, message

RESULTS = json.loads((Path(__file__).parent.parent / "reference" / "survey_tests.json").read_text(encoding="utf-8"))
NUMBERS = ["estimate", "conf_low", "conf_high", "std_error"]
INTERVALS = {"wald": "mean", "logit": "xlogit", "korn_graubard": "beta", "arcsine": "asin"}
RULES = {"inverted_cdf": "math", "linear": "hf7"}

# Weights 1, 1, 1, 3 of 6: cumulated 1/6, 2/6, 3/6, 1.
HAND = pd.DataFrame(
    {"stratum": "a", "weight": [1.0, 3.0, 1.0, 1.0], "age": [20, 80, 40, 30], "area": ["0", "0", "1", "1"]}
)


def sample_of(frame, **design):
    return Sample(frame, SurveyDesign(**design))


def one(method, frame):
    return method.estimate(sample_of(frame)).table.iloc[0]


@pytest.mark.parametrize(("p", "expected"), [(0.1, 20), (1 / 3, 30), (0.34, 40), (0.5, 40), (0.51, 80), (0.9, 80)])
def test_the_smallest_answer_that_enough_people_do_not_exceed(p, expected):
    assert one(Quantile("age", p), HAND)["estimate"] == expected


@pytest.mark.parametrize(("p", "expected"), [(1 / 3, 30), (0.5, 35), (0.9, 40 + 40 * 0.7)])
def test_between_answers_in_proportion_to_the_weights(p, expected):
    # Answers stand at the weights before them, 0, 1, 2 and 3, of the last of these.
    assert one(Quantile("age", p, rule="linear"), HAND)["estimate"] == pytest.approx(
        np.interp(p, [0, 1 / 3, 2 / 3, 1], [20, 30, 40, 80]), rel=1e-12
    )
    if p < 0.6:
        assert one(Quantile("age", p, rule="linear"), HAND)["estimate"] == pytest.approx(expected)


def test_woodruff_by_hand():
    # 0 to 99, equal weights: the median is 49, half of the people are at or below it, se = (0.25 / 99)^0.5.
    frame = pd.DataFrame({"stratum": "a", "weight": 2.0, "x": np.arange(100.0)})
    row = one(Quantile("x", interval="wald"), frame)
    t, se = 1.9842169515, (0.25 / 99) ** 0.5
    low, high = 0.5 - t * se, 0.5 + t * se
    assert row["estimate"] == 49
    assert [row["conf_low"], row["conf_high"]] == [np.ceil(100 * low) - 1, np.ceil(100 * high) - 1]
    assert row["std_error"] == pytest.approx((row["conf_high"] - row["conf_low"]) / (2 * t), rel=1e-9)
    assert (row["n"], row["df"], row["note"]) == (100, 99, "")
    assert row["deff"] == pytest.approx(1)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("interval", INTERVALS)
def test_against_r(design, rule, interval):
    sample = Sample(FRAME, DESIGNS[design])
    result = Quantile("age", (0.1, 0.25, 0.5, 0.75, 0.9), rule=rule, interval=interval).estimate(sample)
    close(result.table[NUMBERS], RESULTS[design]["quantiles"][f"{RULES[rule]}_{INTERVALS[interval]}"])


@pytest.mark.parametrize("design", DESIGNS)
def test_domain_against_r(design):
    result = Quantile("age", (0.25, 0.5), by="district", interval="wald").estimate(Sample(FRAME, DESIGNS[design]))
    first = result.table[result.table["district"] == FRAME["district"].min()]
    close(first[NUMBERS], RESULTS[design]["quantiles"]["domain"])


def test_the_influences_have_the_variance_of_the_interval():
    result = Quantile("age", (0.25, 0.75)).estimate(Sample(FRAME, DESIGNS["clusters"]))
    close(np.sqrt(variances(result.influence)), result.table["std_error"])
    spread = contrast(result, {"interquartile range": [-1, 1]}).table.iloc[0]
    assert 0 < spread["std_error"] < np.hypot(*result.table["std_error"])


@st.composite
def frames(draw):
    n = draw(st.integers(8, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = pd.DataFrame({"stratum": rng.integers(0, 2, n), "weight": rng.integers(1, 5, n) * 10.0})
    return frame.assign(x=rng.integers(0, draw(st.integers(2, 40)), n).astype(float), area=rng.choice(["a", "b"], n))


METHODS = [Quantile("x", (0.2, 0.5), by="area", rule=rule) for rule in RULES]
LONE = {"lonely": "adjust"}


def numbers(method, frame):
    return method.estimate(sample_of(frame, **LONE)).table[NUMBERS].to_numpy(dtype=float)


@settings(deadline=None, max_examples=10)
@given(frames(), st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_order_of_rows_and_size_of_weights_do_not_matter(frame, random, c):
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    for method in METHODS:
        np.testing.assert_allclose(numbers(method, shuffled), numbers(method, frame), rtol=1e-9)
        heavier = frame.assign(weight=frame["weight"] * c)
        np.testing.assert_allclose(numbers(method, heavier), numbers(method, frame), rtol=1e-6)


@settings(deadline=None, max_examples=10)
@given(frames(), st.integers(-50, 50), st.integers(1, 8))
def test_quantiles_follow_shift_and_scale(frame, shift, scale):
    for method in METHODS:
        moved = numbers(method, frame.assign(x=shift + scale * frame["x"]))
        expected = numbers(method, frame) * scale
        expected[:, :3] += shift
        np.testing.assert_allclose(moved, expected, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=10)
@given(frames())
def test_a_row_of_a_domain_is_the_estimate_of_the_subpopulation(frame):
    for method in METHODS:
        sample = sample_of(frame, **LONE)
        table = method.estimate(sample).table
        for area in table["area"].unique():
            alone = Quantile("x", (0.2, 0.5), rule=method.rule).estimate(sample.where(frame["area"] == area)).table
            columns = ["estimate", "conf_low", "conf_high", "n", "df"]
            np.testing.assert_allclose(
                table.loc[table["area"] == area, columns].to_numpy(float), alone[columns].to_numpy(float), rtol=1e-9
            )


def test_intervals_cover_the_median_of_a_clustered_population():
    rng = np.random.default_rng(5)
    level = rng.normal(0, 0.6, 4000)
    truth, hits, ignored = np.median(level.repeat(50) + rng.normal(0, 1, 200_000)), 0, 0
    for _ in range(120):
        blocks = rng.integers(0, 4000, 60)
        x = np.exp(level[blocks].repeat(5) + rng.normal(0, 1, 300))
        frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "block": np.arange(60).repeat(5), "x": x})
        row = Quantile("x").estimate(sample_of(frame, psu="block")).table.iloc[0]
        hits += row["conf_low"] <= np.exp(truth) <= row["conf_high"]
        row = one(Quantile("x"), frame)  # must fail: blocks ignored
        ignored += row["conf_low"] <= np.exp(truth) <= row["conf_high"]
    assert 0.90 <= hits / 120 <= 0.99
    assert ignored / 120 < 0.90


def test_answers_that_cannot_have_a_range_are_noted():
    frame = pd.DataFrame(
        {
            "stratum": "s",
            "weight": 1.0,
            "area": ["equal"] * 4 + ["few"] * 4 + ["none"] * 3 + ["one"] + ["ties"] * 40,
            "x": [2.0] * 4 + [1, 2, 3, 4] + [np.nan] * 3 + [5] + [1, 1, 1] + [2] * 34 + [3, 3, 3],
        }
    )
    result = Quantile("x", by="area", interval="wald").estimate(sample_of(frame))
    table = result.table.set_index("area")
    assert table["note"].to_dict() == {
        "equal": "survey.note.no_variation",
        "few": "survey_tests.note.open_end",
        "none": "survey.note.no_answers",
        "one": "survey.note.one_answer",
        "ties": "survey_tests.note.one_value",
    }
    assert table["estimate"].tolist()[:2] == [2, 2]
    assert np.isnan(table.loc["equal", ["conf_low", "conf_high", "std_error"]].to_numpy(float)).all()
    assert table.loc["ties", ["conf_low", "conf_high"]].tolist() == [2, 2]
    assert table["std_error"].isna().all()
    assert result.worded_notes("en") == [
        "x: 3 of 52 respondents (5.8%) gave no answer; they are left out.",
        "Nothing varies here; neither standard error nor range is given.",
        "An end of the range lies beyond the answers and is not known.",
        "Nobody answered.",
        "A single answer shows no uncertainty; no range is given.",
        "Many answers are equal, so that the range is a single value; there is no standard error.",
    ]
    assert not result.influence.values.any()


def test_an_answer_that_many_gave():
    # 48 % gave 1, 42 % gave 2: the median is 2, the share up to it .9; but 1 may well be the median.
    frame = pd.DataFrame({"stratum": "s", "weight": 1.0, "x": [1.0] * 48 + [2.0] * 42 + [3.0] * 10})
    row = one(Quantile("x"), frame)
    assert row[["estimate", "conf_low", "conf_high"]].tolist() == [2, 1, 2]
    assert row["std_error"] == pytest.approx(0.5 / 1.9842169515, rel=1e-9)
    # All are at or below the largest answer, so that nothing varies there.
    half = frame.assign(x=np.minimum(np.arange(100.0), 48))
    row = one(Quantile("x"), half)
    assert (row["estimate"], row["conf_low"], row["conf_high"]) == (48, 40, 48)
    assert row["note"] == "survey_tests.note.no_error"
    assert np.isnan(row["std_error"])


def test_what_is_refused():
    assert message(lambda: Quantile("x", (0.5, 1), rule="hf7", interval="exact", by="n", level=5)) == (
        "Value “1”: 1 is not a probability of a quantile. "
        "What to do: Give numbers between 0 and 1, for example 0.5 for the median.\n"
        "Value “hf7”: rule = “hf7” is not allowed. What to do: Allowed: inverted_cdf and linear.\n"
        "Value “exact”: interval = “exact” is not allowed. "
        "What to do: Allowed: logit, korn_graubard, likelihood, arcsine and wald.\n"
        "Column n: Domains cannot be made from a column with the name “n”, because results use it. "
        "What to do: Rename the column.\n"
        "Value “5”: level = 5 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )
    assert "are not numbers" in message(lambda: Quantile("area").estimate(sample_of(HAND)))
    assert "None of the 4 respondents answered" in message(
        lambda: Quantile("age").estimate(sample_of(HAND.assign(age=np.nan)))
    )


def test_the_frame_is_left_alone():
    before = HAND.copy(deep=True)
    Quantile("age", by="area").estimate(sample_of(HAND))
    pd.testing.assert_frame_equal(HAND, before)


def test_replicates_and_fitted_weights_change_the_variance_as_they_should():
    sample = Sample(FRAME, DESIGNS["clusters"])
    method = Quantile("age", rule="linear")
    plain, jackknife = (method.estimate(s).table for s in (sample, Jackknife().apply(sample)))
    close(jackknife[NUMBERS], plain[NUMBERS])  # to first order the jackknife is the linearisation
    sizes = sample.frame.groupby("district")["weight"].sum()
    fitted = method.estimate(PostStratify("district", sizes).apply(sample)).table
    close(fitted["estimate"], plain["estimate"])
    assert fitted.loc[0, "std_error"] != plain.loc[0, "std_error"]
