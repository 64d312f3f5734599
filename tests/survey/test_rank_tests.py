"""t and rank tests: by hand, against R survey (tests/reference/survey_tests_recipe.R), by invariance, by simulation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kruskal, mannwhitneyu

from evaluation import Mean, RankTest, Sample, SurveyDesign, TTest
from evaluation.influence import contrast
from evaluation.survey.replicates import Jackknife
from tests.survey.model_samples import DESIGNS, FRAME, close, made_up, message

RESULTS = json.loads((Path(__file__).parent.parent / "reference" / "survey_tests.json").read_text(encoding="utf-8"))
CASES = {
    "ttest": (TTest("age", "female"), "age"),
    "ttest_districts": (TTest("age", "district"), "age"),
    "wilcoxon": (RankTest("night", "female"), "night"),
    "wilcoxon_districts": (RankTest("night", "district"), "night"),
    "median": (RankTest("night", "female", score="median"), "night"),
    "normal": (RankTest("night", "female", score="normal"), "night"),
}
# a gave 1, 2, 3 and b gave 2, 4, 3: ranks 0.5, 2, 4 and 2, 5.5, 4 of 6.
HAND = pd.DataFrame({"stratum": "s", "weight": 2.0, "area": list("ababab"), "y": [1, 2, 2, 4, 3, 3]})


def sample_of(frame, **design):
    return Sample(frame, SurveyDesign(**design))


def row(method, frame, **design):
    return method.estimate(sample_of(frame, **design)).table.iloc[0]


def test_t_test_by_hand():
    # Means 2 and 3; influences (y - mean) / 3 with squares 2/9 and 2/9, times 6/5 for six units; 6 - 1 - 1 df.
    found = row(TTest("y", "area"), HAND)
    assert (found["estimate"], found["df"], found["n"], found["reference"]) == (1, 4, 3, "a")
    assert found["std_error"] == pytest.approx((4 / 9 * 6 / 5) ** 0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("score", "expected"),
    [("wilcoxon", (5.5 - 0.5) / 6 / 3), ("median", (2 - 1) / 3), ("normal", 2 * 1.3829941271 / 3)],  # of 5.5 / 6
)
def test_rank_scores_by_hand(score, expected):
    assert row(RankTest("y", "area", score=score), HAND)["estimate"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", CASES)
def test_against_r(design, name):
    method, column = CASES[name]
    sample = Sample(FRAME, DESIGNS[design])
    if column == "age":
        sample = sample.where(FRAME["female"].notna())
    result, theirs = method.estimate(sample), RESULTS[design][name]
    close(result.table["estimate"], theirs["estimate"])
    close(result.table["std_error"], theirs["std_error"])
    facts = [result.facts[name] for name in ("statistic", "df_denominator", "p_value")]
    close(facts, [theirs[name] for name in ("statistic", "df", "p_value")])
    if len(result.table) == 1:
        close(result.table["p_value"], [theirs["p_value"]])


def test_a_finite_population_correction_is_kept():
    errors = [row(RankTest("night", "female"), FRAME, **vars(design))["std_error"] for design in DESIGNS.values()]
    assert errors[1] < 0.99 * errors[0]
    whole = FRAME.assign(blocks=FRAME.groupby("stratum")["block"].transform("nunique"))
    result = RankTest("night", "female").estimate(sample_of(whole, psu="block", nest=True, fpc="blocks"))
    assert result.table["note"].tolist() == ["survey.note.no_variation"]
    assert "p_value" not in result.facts


def test_the_t_test_is_the_contrast_of_two_means():
    sample = sample_of(made_up(), psu="block")
    ours = TTest("worry", "sex", reference="m").estimate(sample).table.iloc[0]
    theirs = contrast(Mean("worry", by="sex").estimate(sample), [[1, -1]], df=ours["df"]).table.iloc[0]
    columns = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    close(ours[columns], theirs[columns])


def test_a_random_sample_gives_almost_the_plain_rank_tests():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"stratum": "s", "weight": 1.0, "g": rng.choice(["a", "b", "c"], 3000)})
    frame["y"] = np.digitize(rng.normal(0.06 * (frame["g"] == "b"), 1), [-1, 0, 1])
    groups = [frame.loc[frame["g"] == name, "y"] for name in "abc"]
    two = frame[frame["g"] != "c"]
    plain = mannwhitneyu(groups[1], groups[0])
    found = row(RankTest("y", "g"), two)
    assert found["estimate"] == pytest.approx(plain.statistic / (len(groups[0]) * len(groups[1])) - 0.5, rel=1e-9)
    assert found["p_value"] == pytest.approx(plain.pvalue, abs=0.003)
    three = RankTest("y", "g").estimate(sample_of(frame))
    assert three.facts["p_value"] == pytest.approx(kruskal(*groups).pvalue, abs=0.005)
    assert three.worded_notes("en")[0].startswith("That all groups are equal: F = ")


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_what_does_not_matter(seed, random, c):
    frame = made_up(seed, 200)
    changed = frame.iloc[random.sample(range(200), 200)].assign(
        weight=lambda data: c * data["weight"], night=lambda data: data["night"] ** 3
    )
    for score in ("wilcoxon", "median", "normal"):
        for group in ("sex", "district"):
            first, second = (
                RankTest("night", group, score=score).estimate(sample_of(data, psu="block"))
                for data in (frame, changed)
            )
            columns = ["estimate", "std_error", "p_value", "conf_low"]
            np.testing.assert_allclose(second.table[columns], first.table[columns], rtol=1e-7, atol=1e-12)
    first, second = (
        TTest("night", "sex").estimate(sample_of(data, psu="block")).table["statistic"]
        for data in (frame, frame.assign(night=7 - 2 * frame["night"]))
    )
    np.testing.assert_allclose(second, -first, rtol=1e-7)


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 2**32 - 1))
def test_the_reference_only_turns_the_signs(seed):
    frame = made_up(seed, 200)
    for method in (TTest, RankTest):
        first, second = (
            method("night", "sex", reference=name).estimate(sample_of(frame, psu="block")) for name in ("f", "m")
        )
        np.testing.assert_allclose(second.table["statistic"], -first.table["statistic"], rtol=1e-9)
        several = [
            method("night", "district", reference=name).estimate(sample_of(frame, psu="block")).facts["p_value"]
            for name in ("00", "03")
        ]
        assert several[0] == pytest.approx(several[1], rel=1e-6)


def test_size_and_power_in_clustered_samples():
    rng, rejected = np.random.default_rng(3), {}
    for effect in (0.0, 1.0):
        for _ in range(80 if effect == 0 else 12):
            block = np.arange(60).repeat(5)
            group = rng.integers(0, 3, 60)[block]
            y = np.exp(rng.normal(0, 0.7, 60)[block] + effect * group + rng.normal(0, 1, 300)).round(1)
            frame = pd.DataFrame({"stratum": "s", "weight": 1.0, "block": block, "group": group, "y": y})
            for name, design in {"blocks": {"psu": "block"}, "ignored": {}}.items():
                p = RankTest("y", "group").estimate(sample_of(frame, **design)).facts["p_value"]
                rejected[name, effect] = rejected.get((name, effect), 0) + (p < 0.05)
    assert rejected["blocks", 0.0] <= 11
    assert rejected["blocks", 1.0] >= 10
    assert rejected["ignored", 0.0] > 16


def test_missing_single_and_equal_answers_are_noted():
    frame = HAND.assign(area=["a", "b", "a", "b", "c", None], y=[1, 2, 2, np.nan, 3, 3])
    frame = pd.concat([frame, HAND.assign(area="d"), HAND.assign(area="e", y=5)], ignore_index=True)
    result = TTest("y", "area").estimate(sample_of(frame))
    table = result.table.set_index("area")
    assert table["note"].to_dict() == {"b": "survey.note.one_answer", "c": "survey.note.one_answer", "d": "", "e": ""}
    assert table.loc[["b", "c"], "std_error"].isna().all()
    assert result.facts["df_numerator"] == 2
    assert result.counts.dropped == {"without_domain": 1, "missing_answers": 1}
    assert result.worded_notes("en")[:2] == [
        "Respondents in no row, because they have no value in area: 1.",
        "y: 1 of 17 respondents (5.9%) gave no answer; they are left out.",
    ]
    equal = RankTest("y", "area").estimate(sample_of(HAND.assign(y=3)))
    assert equal.table["note"].tolist() == ["survey.note.no_variation"]


def test_what_is_refused():
    assert message(lambda: RankTest("n", "n", score="ranks", level=0)) == (
        "Value “ranks”: score = “ranks” is not allowed. What to do: Allowed: wilcoxon, median and normal.\n"
        "Column n: The column is named twice. What to do: Name two different columns.\n"
        "Column n: Domains cannot be made from a column with the name “n”, because results use it. "
        "What to do: Rename the column.\n"
        "Value “0”: level = 0 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )
    assert message(lambda: TTest("y", "area", reference="z").estimate(sample_of(HAND))) == (
        "Column area, value “z”: The group “z” does not occur among those who answered; there are a and b. "
        "What to do: Choose one of these as the reference."
    )
    assert message(lambda: TTest("y", "area").estimate(sample_of(HAND.assign(area="a")))) == (
        "Column area: Among the people who answered both questions there is only one value, so that there is nothing "
        "to compare. What to do: Check the column and the subpopulation."
    )
    single = HAND.assign(y=[1, 2, np.nan, 4, np.nan, 3])
    assert message(lambda: TTest("y", "area").estimate(sample_of(single))) == (
        "Column area, value “a”: The reference group “a” has a single answer. "
        "What to do: Choose another group as the reference."
    )
    assert "None of the 6 respondents answered" in message(
        lambda: TTest("y", "area").estimate(sample_of(HAND.assign(y=np.nan)))
    )
    assert "are not numbers" in message(lambda: RankTest("area", "y").estimate(sample_of(HAND)))
    few = HAND.assign(block=[0, 0, 0, 1, 1, 1])
    assert message(lambda: TTest("y", "area").estimate(sample_of(few, psu="block"))) == (
        "Column area: There are too few independent units for a test. "
        "What to do: Join groups, or test in the whole sample."
    )


def test_the_frame_is_left_alone():
    before = HAND.copy(deep=True)
    RankTest("y", "area").estimate(sample_of(HAND))
    pd.testing.assert_frame_equal(HAND, before)


@pytest.mark.parametrize("method", [TTest("night", "district"), RankTest("night", "district")], ids=["t", "rank"])
def test_the_jackknife_gives_the_same_to_first_order(method):
    sample = Sample(FRAME, DESIGNS["clusters"])
    first, second = (method.estimate(s) for s in (sample, Jackknife().apply(sample)))
    close(second.facts["p_value"], first.facts["p_value"])
    close(second.table["std_error"], first.table["std_error"])
