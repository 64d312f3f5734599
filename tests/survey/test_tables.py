"""Tests of tables: by hand, against R survey (tests/reference/survey_tests_recipe.R), by invariance, by simulation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from evaluation import Association, Sample, Share, SurveyDesign
from evaluation.influence import contrast, variances
from evaluation.survey.replicates import Jackknife
from evaluation.survey.tables import TABLE_TESTS
from tests.survey.model_samples import DESIGNS, FRAME, close, made_up, message

RESULTS = json.loads((Path(__file__).parent.parent / "reference" / "survey_tests.json").read_text(encoding="utf-8"))
OURS = {"rao_scott": "F", "first_order": "Chisq", "wald": "Wald", "adjusted_wald": "adjWald"}
HAND = pd.DataFrame({"stratum": "s", "weight": 1.0, "area": list("aaaabbbb"), "safe": [1, 1, 1, 2, 1, 2, 2, 2]})


def sample_of(frame, **design):
    return Sample(frame, SurveyDesign(**design))


def by_hand(**options):
    return Association("area", "safe", **options).estimate(sample_of(HAND))


def test_pearson_and_differences_by_hand():
    # 3 1 / 1 3: Pearson's chi-square is 2. Among a, 3/4 gave 1, among all one half.
    result = by_hand()
    assert result.facts["pearson"] == pytest.approx(2, rel=1e-12)
    assert result.facts["cramers_v"] == pytest.approx(0.5, rel=1e-12)
    assert result.keys == ["area", "safe"]
    assert result.table["n"].tolist() == [3, 1, 1, 3]
    assert result.table["estimate"].tolist() == pytest.approx([0.25, -0.25, -0.25, 0.25])
    # With equal weights everybody's influence on the first difference is (1/4 or 0) / 4 - (1/2) / 8 and so on.
    influence = [*[0.25 / 4 - 0.5 / 8] * 3, -0.75 / 4 + 0.5 / 8, -0.5 / 8, *[0.5 / 8] * 3]
    assert result.table.loc[0, "std_error"] == pytest.approx((np.sum(np.square(influence)) * 8 / 7) ** 0.5, rel=1e-12)


def test_a_random_sample_has_no_design_effect_but_its_own():
    # Variances are those of R, with n - 1, and from the shares as they are, not as they would be if independent:
    # the interaction of a 2 x 2 table then has variance (8/7) (1/64) (mean of 1/p^2 weighted by p less ...) by hand:
    # D^-1 C has +-1/4 over the shares 3/8 and 1/8, V the multinomial covariance times 8/7.
    shares, c = np.array([3, 1, 1, 3]) / 8, np.array([1, -1, -1, 1]) / 4
    v = (np.diag(shares) - np.outer(shares, shares)) / 7
    expected = (c / shares) @ v @ (c / shares) / (c @ (c / shares) / 8)
    facts = by_hand().facts
    assert facts["design_effects"] == pytest.approx((expected,), rel=1e-12)
    assert facts["statistic"] == pytest.approx(2 / expected, rel=1e-12)
    assert (facts["df_numerator"], facts["df_denominator"]) == (1, 7)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("test", OURS)
def test_against_r(design, test):
    facts = Association("district", "night", test=test).estimate(Sample(FRAME, DESIGNS[design])).facts
    theirs = RESULTS[design]["tables"][OURS[test]]
    # R prints Pearson's statistic beside the p-value of the first-order test.
    statistic = facts["pearson" if test == "first_order" else "statistic"]
    df = [facts["df_numerator"], facts["df_denominator"]][: 1 if test == "first_order" else 2]
    close([statistic, *df, facts["p_value"]], [theirs["statistic"], *np.atleast_1d(theirs["df"]), theirs["p_value"]])


def test_the_saddlepoint_is_close_to_the_simulated_distribution():
    sample = Sample(FRAME, DESIGNS["clusters"])
    facts = Association("district", "night", test="saddlepoint").estimate(sample).facts
    rng = np.random.default_rng(1)
    draws = rng.chisquare(1, (400_000, 9)) @ np.array(facts["design_effects"])
    below = rng.chisquare(facts["df_denominator"], 400_000) / facts["df_denominator"]
    assert facts["p_value"] == pytest.approx((draws / below > facts["pearson"]).mean(), abs=0.003)


def test_a_difference_is_that_of_two_shares():
    sample = sample_of(made_up(), psu="block")
    ours = Association("district", "night").estimate(sample).table
    shares = Share("night", (4,), scale=4, by="district").estimate(sample)
    row = ours[(ours["district"] == "02") & (ours["night"] == 4)].iloc[0]
    overall = Share("night", (4,), scale=4).estimate(sample).table.loc[0, "estimate"]
    assert row["estimate"] == pytest.approx(shares.row(district="02")["estimate"] - overall, rel=1e-9)
    # The share among all is the mean of the districts' shares, weighted by their sizes, which vary too.
    size = np.array([sample.weights[sample.frame["district"] == name].sum() for name in shares.table["district"]])
    apart = (shares.table["district"] == "02") - size / size.sum()
    assert row["std_error"] == pytest.approx(contrast(shares, [apart]).table.loc[0, "std_error"], rel=0.05)


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_what_does_not_matter(seed, random, c):
    frame = made_up(seed, 200)
    changed = frame.iloc[random.sample(range(200), 200)].assign(
        weight=lambda data: c * data["weight"], night=lambda data: data["night"].map({1: "d", 2: "a", 3: "b", 4: "c"})
    )
    names = ["statistic", "df_numerator", "df_denominator", "p_value", "cramers_v"]
    for test in TABLE_TESTS:
        first, second, turned = (
            Association(*columns, test=test).estimate(sample_of(data, psu="block")).facts
            for data, columns in ((frame, ("sex", "night")), (changed, ("sex", "night")), (frame, ("night", "sex")))
        )
        for other in (second, turned):
            np.testing.assert_allclose([other[n] for n in names], [first[n] for n in names], rtol=1e-7)


def test_a_random_sample_gives_almost_pearsons_test():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"stratum": "s", "weight": 1.0, "g": rng.integers(0, 3, 3000)})
    frame["y"] = (rng.random(3000) < 0.5).astype(int)
    result = Association("g", "y", test="first_order").estimate(sample_of(frame))
    plain = chi2_contingency(pd.crosstab(frame["g"], frame["y"]), correction=False)
    assert result.facts["pearson"] == pytest.approx(plain.statistic, rel=1e-9)
    assert result.facts["p_value"] == pytest.approx(plain.pvalue, abs=0.005)


def test_size_and_power_in_clustered_samples():
    rng = np.random.default_rng(3)
    rejected = {"rao_scott": [0, 0], "adjusted_wald": [0, 0], "blocks ignored": [0, 0]}
    for effect in (0, 1):
        for _ in range((80, 12)[effect]):
            block = np.arange(40).repeat(8)
            group = rng.integers(0, 3, 40)[block]
            y = np.digitize(rng.normal(0, 0.7, 40)[block] + effect * group + rng.normal(0, 1, 320), [-0.5, 0.8])
            frame = pd.DataFrame({"stratum": "s", "weight": 1.0, "block": block, "group": group, "y": y})
            for name, counts in rejected.items():
                design = {} if name == "blocks ignored" else {"psu": "block"}
                test = "rao_scott" if name == "blocks ignored" else name
                facts = Association("group", "y", test=test).estimate(sample_of(frame, **design)).facts
                counts[effect] += facts["p_value"] < 0.05
    assert rejected["rao_scott"][0] <= 11
    assert rejected["adjusted_wald"][0] <= 11
    assert min(rejected["rao_scott"][1], rejected["adjusted_wald"][1]) > 10
    assert rejected["blocks ignored"][0] > 16


def test_missing_answers_empty_margins_and_small_cells_are_noted():
    frame = HAND.assign(area=list("aaaabbbc"), safe=[1, 1, 1, 2, 1, 2, np.nan, np.nan])
    result = Association("area", "safe").estimate(sample_of(frame))
    assert result.table["area"].tolist() == ["a", "a", "b", "b"]
    assert result.counts.dropped == {"missing_answers": 2}
    notes = result.worded_notes("en")
    assert notes[:3] == [
        "area, safe: 2 of 8 respondents (25.0%) gave no answer; they are left out.",
        "area: nobody in the table has the values c; they are left out.",
        "Cells of the table in which fewer than 5 answers are to be expected: 4 of 4. The p-value is uncertain.",
    ]
    assert notes[3].startswith("Independence of the two answers: statistic 0.33 with 1.0 and 7 degrees of freedom")
    assert result.worded_notes("de")[1] == "area: niemand in der Tabelle hat die Werte c; sie bleiben außer Betracht."


def test_an_unused_category_is_no_row():
    frame = HAND.assign(area=pd.Categorical(HAND["area"], categories=["a", "b", "z"]))
    assert Association("area", "safe").estimate(sample_of(frame)).table["area"].tolist() == list("aabb")


def test_groups_without_spread_get_no_range():
    frame = pd.DataFrame(
        {"stratum": "s", "weight": 1.0, "area": list("aaaabbbbbc"), "y": [1, 1, 1, 1, 1, 2, 2, 1, 3, 1]}
    )
    table = Association("area", "y").estimate(sample_of(frame)).table.set_index(["area", "y"])
    assert table.loc["a", "note"].tolist() == ["survey_tests.note.same_in_group"] * 3
    assert table.loc["c", "note"].tolist() == ["survey.note.one_answer"] * 3
    assert table.loc["b", "note"].tolist() == [""] * 3
    assert table.loc[["a", "c"], "std_error"].isna().all()
    assert table.loc[("a", 1), "estimate"] == pytest.approx(1 - 7 / 10)


def test_a_subpopulation_keeps_its_design():
    sample = sample_of(made_up(), psu="block")
    women = sample.where(sample.frame["sex"] == "f")
    result = Association("district", "night").estimate(women)
    assert result.counts.observations == women.size
    assert result.table["n"].sum() == (women.inside & sample.frame["night"].notna()).sum()
    close(np.sqrt(variances(result.influence)), result.table["std_error"])


def test_what_is_refused():
    assert message(lambda: Association("n", "n", test="pearson", level=2)) == (
        "Column n: The column is named twice. What to do: Name two different columns.\n"
        "Column n: Domains cannot be made from a column with the name “n”, because results use it. "
        "What to do: Rename the column.\n"
        "Value “pearson”: test = “pearson” is not allowed. "
        "What to do: Allowed: rao_scott, first_order, saddlepoint, wald and adjusted_wald.\n"
        "Value “2”: level = 2 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )
    assert message(lambda: Association("area", "safe").estimate(sample_of(HAND.assign(safe=1)))) == (
        "Column safe: Among the people who answered both questions there is only one value, so that there is nothing "
        "to compare. What to do: Check the column and the subpopulation."
    )
    assert message(lambda: Association("area", "safe").estimate(sample_of(HAND.assign(safe=np.nan)))) == (
        "Column area, safe: None of the 8 respondents answered. What to do: Check whether the question was asked in "
        "this wave and whether the codes for “no answer” are right."
    )
    assert message(lambda: Association("aera", "safe").estimate(sample_of(HAND))).startswith(
        "Column aera: The column “aera” does not exist. What to do: Perhaps “area” is meant."
    )


def test_tables_with_many_empty_cells_are_tested_with_expected_shares():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"stratum": "s", "weight": 1.0, "area": rng.integers(0, 30, 600)})
    frame["y"] = np.digitize(rng.random(600), [0.5, 0.9, 0.97])
    result = Association("area", "y").estimate(sample_of(frame))
    assert 0.02 < result.facts["p_value"] < 0.98
    assert np.mean(result.facts["design_effects"]) == pytest.approx(1, abs=0.2)
    empty = int((result.table["n"] == 0).sum())
    assert result.worded_notes("en")[1] == (
        f"Nobody gave {empty} of the 120 combinations; the test weights them by what would be expected if the answers "
        "did not depend on the group."
    )
    one_empty = HAND.assign(safe=[1, 1, 1, 1, 1, 2, 2, 2])
    notes = Association("area", "safe").estimate(sample_of(one_empty)).worded_notes("en")
    assert not any("combinations" in note for note in notes)


def test_walds_test_says_when_it_is_impossible():
    frame = made_up(1, 200).assign(block=lambda data: data.index % 6, stratum=lambda data: data.index % 2)
    method = Association("district", "night", test="adjusted_wald")
    assert message(lambda: method.estimate(sample_of(frame, psu="block"))) == (
        "15 departures cannot be tested with 4 degrees of freedom, or some of them show no variance. "
        'What to do: Join groups or answers, or take test = "rao_scott".'
    )
    assert message(
        lambda: Association("area", "safe").estimate(sample_of(HAND.assign(stratum=HAND.index), lonely="remove"))
    ) == (
        "Column area: There are too few independent units for a test. "
        "What to do: Join groups, or test in the whole sample."
    )


def test_the_frame_is_left_alone():
    before = HAND.copy(deep=True)
    by_hand()
    pd.testing.assert_frame_equal(HAND, before)


@pytest.mark.parametrize("test", TABLE_TESTS)
def test_the_jackknife_gives_the_same_to_first_order(test):
    sample = Sample(FRAME, DESIGNS["clusters"])
    first, second = (Association("female", "night", test=test).estimate(s) for s in (sample, Jackknife().apply(sample)))
    close([second.facts[n] for n in ("statistic", "p_value")], [first.facts[n] for n in ("statistic", "p_value")])
    close(second.table["std_error"], first.table["std_error"])
