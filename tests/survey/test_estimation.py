"""By hand, and what estimators refuse; see test_invariance, test_coverage and the reference tests for the rest."""

import numpy as np
import pandas as pd
import pytest

from evaluation import DesignError, EstimationError, Mean, Ratio, Sample, Share, SurveyDesign, Total

# Two strata with two people each, weights 10 and 30.
HAND = pd.DataFrame(
    {
        "stratum": ["a", "a", "b", "b"],
        "weight": [10.0, 10.0, 30.0, 30.0],
        "area": ["00", "01", "00", "01"],
        "x": [1.0, 3.0, 5.0, 9.0],
        "y": [2.0, 2.0, 4.0, 4.0],
        "item": [1, 4, 3, 2],
    }
)


@pytest.fixture
def sample():
    return Sample(HAND, SurveyDesign())


def test_mean_by_hand(sample):
    # (10 (1 + 3) + 30 (5 + 9)) / 80 = 5.75. With two people a stratum the variance is (w/80)^2 times their
    # difference squared.
    row = Mean("x").estimate(sample).table.iloc[0]
    variance = (10 / 80) ** 2 * 2**2 + (30 / 80) ** 2 * 4**2
    assert row["estimate"] == pytest.approx(5.75, rel=1e-12)
    assert row["std_error"] == pytest.approx(variance**0.5, rel=1e-12)
    assert (row["n"], row["df"], row["note"]) == (4, 2, "")
    # Student's t with 2 degrees of freedom is 0.95 sqrt(2 / (1 - 0.95^2)).
    assert row["conf_high"] - row["estimate"] == pytest.approx(
        0.95 * (2 / (1 - 0.95**2)) ** 0.5 * variance**0.5, rel=1e-10
    )


def test_total_by_hand(sample):
    row = Total("x").estimate(sample).table.iloc[0]
    assert row["estimate"] == pytest.approx(460, rel=1e-12)
    assert row["std_error"] == pytest.approx(((10 * 2) ** 2 + (30 * 4) ** 2) ** 0.5, rel=1e-12)


def test_ratio_by_hand(sample):
    # Totals 460 and 280; residuals x - R y differ by 2 and 4 within the strata, over the total 280.
    row = Ratio("x", "y").estimate(sample).table.iloc[0]
    assert row["estimate"] == pytest.approx(460 / 280, rel=1e-12)
    assert row["std_error"] == pytest.approx(((10 * 2) ** 2 + (30 * 4) ** 2) ** 0.5 / 280, rel=1e-12)
    assert row["variable"] == "x/y"


def test_share_by_hand(sample):
    # Answers 3 and 4: weights 10 and 30 of 80. Residuals differ by 1 in both strata.
    row = Share("item", (3, 4), scale=4, interval="wald").estimate(sample).table.iloc[0]
    assert row["estimate"] == pytest.approx(0.5, rel=1e-12)
    assert row["std_error"] == pytest.approx((10**2 + 30**2) ** 0.5 / 80, rel=1e-12)


def test_finite_population_by_hand():
    census = HAND.assign(people=[2, 2, 60, 60])
    row = Mean("x").estimate(Sample(census, SurveyDesign(fpc="people"))).table.iloc[0]
    # Stratum a was taken whole; of stratum b 2 of 60.
    assert row["std_error"] == pytest.approx(30 / 80 * 4 * (58 / 60) ** 0.5, rel=1e-12)


def test_domains_by_hand(sample):
    table = Mean("x", by="area").estimate(sample).table
    assert table["area"].tolist() == ["00", "01"]
    assert table["estimate"].tolist() == pytest.approx([4.0, 7.5], rel=1e-12)
    # In stratum a only one of two people is in area 00, with residual 1 - 4, in b one with 5 - 4; the other has
    # influence zero.
    assert table["std_error"].iloc[0] == pytest.approx(((10 / 40 * 3) ** 2 + (30 / 40 * 1) ** 2) ** 0.5, rel=1e-12)
    assert table["df"].tolist() == [0, 0]
    assert table["note"].tolist() == ["survey.note.no_df"] * 2
    assert table[["p_value", "conf_low", "conf_high"]].isna().all(axis=None)


def test_influences_add_up_to_the_estimates_error(sample):
    influence = Mean(("x", "y"), by="area").estimate(sample).influence
    assert influence.values.shape == (4, 4)
    np.testing.assert_allclose(influence.values.sum(axis=0), 0, atol=1e-14)


def test_every_answer_has_its_row(sample):
    result = Share("item", scale=5).estimate(sample)
    assert result.keys == ["variable", "answer"]
    assert result.table["answer"].tolist() == [1, 2, 3, 4, 5]
    assert result.table["estimate"].tolist() == pytest.approx([1 / 8, 3 / 8, 3 / 8, 1 / 8, 0])
    without_scale = Share("item", by="area").estimate(sample).table
    assert without_scale["answer"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert without_scale["area"].tolist() == ["00", "01"] * 4


def test_answers_in_words_and_true_or_false():
    frame = HAND.assign(said=["ja", "nein", "ja", None], safe=[True, False, True, True])
    sample = Sample(frame, SurveyDesign())
    assert Share("said", ("ja",)).estimate(sample).table.loc[0, "estimate"] == pytest.approx(40 / 50)
    assert Share("safe", (True,)).estimate(sample).table.loc[0, "estimate"] == pytest.approx(70 / 80)
    assert Mean("safe").estimate(sample).table.loc[0, "estimate"] == pytest.approx(70 / 80)


def test_missing_answers_are_left_out_and_counted():
    frame = HAND.assign(item=[1, 4, np.nan, 9], x=[1.0, 3.0, 5.0, np.nan], area=["00", None, "00", "00"])
    result = Share("item", (4,), scale=4, no_answer=(9,)).estimate(Sample(frame, SurveyDesign()))
    assert result.table.loc[0, "estimate"] == pytest.approx(0.5)
    assert result.table.loc[0, "n"] == 2
    assert dict(result.counts.dropped) == {"missing_answers": 2}
    assert result.worded_notes("en") == ["item: 2 of 4 respondents (50.0%) gave no answer; they are left out."]
    by = Mean("x", by="area").estimate(Sample(frame, SurveyDesign()))
    assert dict(by.counts.dropped) == {"without_domain": 1, "missing_answers": 1}
    assert by.worded_notes("de")[:2] == [
        "Befragte, die in keiner Zeile stehen, weil ein Wert in area fehlt: 1.",
        "x: 1 von 3 Befragten (33,3\N{NO-BREAK SPACE}%) haben nicht geantwortet; sie bleiben außer Betracht.",
    ]


def test_a_domain_in_which_nobody_answered_keeps_its_row():
    frame = HAND.assign(x=[1.0, np.nan, 5.0, np.nan])
    table = Mean("x", by="area").estimate(Sample(frame, SurveyDesign())).table
    assert table["n"].tolist() == [2, 0]
    assert table["note"].tolist() == ["survey.note.no_df", "survey.note.no_answers"]
    assert np.isnan(table.loc[1, "estimate"])


def test_one_answer_and_answers_that_do_not_vary(sample):
    one = Mean("x", by=("stratum", "area")).estimate(sample).table
    assert one["estimate"].tolist() == [1, 3, 5, 9]
    assert one["std_error"].isna().all()
    assert one["note"].tolist() == ["survey.note.one_answer"] * 4
    constant = Mean("y", by="stratum").estimate(sample).table
    assert constant["note"].tolist() == ["survey.note.no_variation"] * 2
    assert constant[["std_error", "p_value", "conf_low"]].isna().all(axis=None)


def test_a_denominator_of_zero():
    frame = HAND.assign(y=[0.0, 2.0, 0.0, 4.0])
    table = Ratio("x", "y", by="area").estimate(Sample(frame, SurveyDesign())).table
    assert table["note"].tolist() == ["survey.note.zero_denominator", "survey.note.no_df"]
    assert np.isnan(table.loc[0, "estimate"])


def test_shares_of_none_and_all_have_an_exact_interval():
    frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "item": [1] * 40})
    table = Share("item", scale=2).estimate(Sample(frame, SurveyDesign())).table
    assert table["estimate"].tolist() == [1.0, 0.0]
    assert table["note"].tolist() == ["survey.note.all_same"] * 2
    assert table["std_error"].isna().all()
    assert table["conf_low"].tolist() == pytest.approx([0.025 ** (1 / 40), 0.0])
    assert table["conf_high"].tolist() == pytest.approx([1.0, 1 - 0.025 ** (1 / 40)])


def test_lonely_strata_are_noted():
    frame = HAND.assign(stratum=["a", "a", "a", "b"])
    result = Mean("x").estimate(Sample(frame, SurveyDesign(lonely="remove")))
    assert result.worded_notes("en") == [
        "Strata with a single sampling unit, which add nothing to the variance: 1 (b)."
    ]


def test_the_frame_is_left_alone(sample):
    before = HAND.copy(deep=True)
    for method in (Mean("x", by="area"), Total("x"), Ratio("x", "y"), Share("item", (3, 4), scale=4, by="stratum")):
        method.estimate(sample)
    pd.testing.assert_frame_equal(HAND, before)


def test_scale_method_and_declaration_travel_with_the_result(sample):
    method = Share("item", (3, 4), scale=4)
    result = method.estimate(sample)
    assert result.method is method
    assert result.declaration is sample.design
    assert (result.scale.name, result.scale.unit) == ("identity", "share")
    assert (result.counts.observations, result.counts.units, result.counts.clusters) == (4, 4, 4)


def message(call):
    with pytest.raises((DesignError, EstimationError)) as caught:
        call()
    return str(caught.value)


def test_unknown_item(sample):
    assert message(lambda: Share("itme", (3, 4)).estimate(sample)) == (
        "Column itme: The column “itme” does not exist. What to do: Perhaps “item” is meant. "
        "Check the name, or the declaration of the item in project.toml."
    )
    assert "“aera” does not exist" in message(lambda: Mean("x", by="aera").estimate(sample))


def test_codes_outside_the_scale(sample):
    assert message(lambda: Share("item", (3, 5), scale=4)) == (
        "The codes 5 are not on the scale 1, 2, 3 and 4. What to do: Correct the codes or the scale of the item."
    )
    assert message(lambda: Share("item", (2, 3), scale=3).estimate(sample)) == (
        "Column item: Answers that are not on the scale 1, 2 and 3: 1 (codes 4). What to do: Correct the "
        "answers, name codes "
        "for “no answer” in no_answer, or correct the scale of the item."
    )
    assert message(lambda: Share("item", ("3",)).estimate(sample)) == (
        "Column item: The codes 3 never occur; the answers are 1, 4, 3 and 2. "
        "What to do: Check the codes. If nobody gave these answers, give the scale."
    )


def test_text_where_numbers_are_needed(sample):
    assert message(lambda: Mean("area").estimate(sample)) == (
        "Column area: The answers are not numbers (for example 00 and 01). "
        "What to do: Use Share for answers in words, or deliver codes."
    )


def test_nobody_answered():
    sample = Sample(HAND.assign(x=np.nan, item=9), SurveyDesign())
    expected = (
        "Column {}: None of the 4 respondents answered. What to do: Check whether the question was asked in this "
        "wave and "
        "whether the codes for “no answer” are right."
    )
    assert message(lambda: Mean("x").estimate(sample)) == expected.format("x")
    assert message(lambda: Share("item", (3, 4), scale=4, no_answer=(9,)).estimate(sample)) == expected.format("item")


def test_infinite_answers():
    sample = Sample(HAND.assign(x=[1.0, np.inf, 2.0, 3.0]), SurveyDesign())
    assert message(lambda: Total("x").estimate(sample)) == (
        "Column x: Infinite answers: 1 (rows 1). What to do: Correct the values or leave them empty."
    )


def test_options():
    assert message(lambda: Mean("x", by="n", level=95)) == (
        "Column n: Domains cannot be made from a column with the name “n”, because results use it. "
        "What to do: Rename the column.\n"
        "Value “95”: level = 95 is not a confidence level. "
        "What to do: Give a number between 0 and 1, for example 0.95."
    )
    assert message(lambda: Share("item", (), interval="exact")) == (
        "Value “exact”: interval = “exact” is not allowed. "
        "What to do: Allowed: logit, korn_graubard, likelihood, arcsine and wald.\n"
        "No codes are given whose share is wanted. "
        "What to do: Give at least one code, or leave codes out to get all answers."
    )
    assert message(lambda: Mean("x", by="gone").estimate(Sample(HAND.assign(gone=None), SurveyDesign()))) == (
        "Nobody in the sample has values in all columns gone. What to do: Check the columns by which results are "
        "wanted."
    )
