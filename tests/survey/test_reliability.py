"""Cronbach's and ordinal alpha, polychoric correlations: by hand, against R, by invariance, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import CronbachAlpha, OrdinalAlpha, PolychoricCorrelation, Sample, SurveyDesign
from evaluation.influence import covariance
from evaluation.survey.model_polychoric import binormal, polychoric
from tests.survey.model_samples import close, made_up, message, reference, sample_of

ITEMS = ("day", "night", "park")
NUMBERS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
METHODS = {
    "cronbach": CronbachAlpha(ITEMS, scale=4),
    "ordinal": OrdinalAlpha(ITEMS, scale=4),
    "polychoric": PolychoricCorrelation(ITEMS, scale=4),
}


@pytest.fixture(scope="module")
def frame():
    return made_up()


@pytest.fixture(scope="module")
def sample(frame):
    return sample_of(frame)


# --- by hand --------------------------------------------------------------------------------------------------------


def test_cronbach_by_hand():
    # Weights 1 1 2: item x has mean 2.5 and distances -1.5 -.5 1, weighted squares (2.25 + .25 + 2) / 4 = 1.125; y has
    # mean 2 and distances -1 1 0, squares (1 + 1) / 4 = .5; the sum has -2.5 .5 1, squares 8.5 / 4 = 2.125.
    frame = pd.DataFrame({"stratum": "s", "weight": [1.0, 1.0, 2.0], "x": [1, 2, 3.5], "y": [1, 3, 2]})
    result = CronbachAlpha(("x", "y")).estimate(Sample(frame, SurveyDesign()))
    alpha = 2 * (1 - 1.625 / 2.125)
    assert result.table["estimate"].tolist() == pytest.approx([alpha])
    assert result.table["left_out"].tolist() == [""]
    items, total = np.array([3.25, 1.25, 1.0]), np.array([6.25, 0.25, 1.0])
    influence = -2 / 2.125 * np.array([1, 1, 2]) / 4 * (items - 1.625 / 2.125 * total)
    assert influence.sum() == pytest.approx(0)
    assert result.influence.values[:, 0].tolist() == pytest.approx(influence.tolist())
    assert result.table.loc[0, "std_error"] == pytest.approx((1.5 * (influence**2).sum()) ** 0.5)


def test_a_correlation_by_hand():
    # Two answers each, half of the people on either side: the share on the same side is 1/2 + asin(r) / pi. With one
    # third of the people on each diagonal place, r = sin(pi / 6).
    table = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert polychoric(table).correlation == pytest.approx(np.sin(np.pi / 6), abs=1e-12)
    rows = [("s", a + 1, b + 1, table[a, b]) for a in (0, 1) for b in (0, 1)]
    sample = Sample(pd.DataFrame(rows, columns=["stratum", "day", "night", "weight"]), SurveyDesign())
    correlation = PolychoricCorrelation(("day", "night")).estimate(sample).table.iloc[0]
    assert correlation["estimate"] == pytest.approx(0.5, abs=1e-12)
    # Alpha of two items is 2 r / (1 + r).
    assert OrdinalAlpha(("day", "night")).estimate(sample).table.loc[0, "estimate"] == pytest.approx(2 / 3, abs=1e-12)


def test_the_bivariate_normal_distribution():
    # At the middle 1/4 + asin(r) / (2 pi); Plackett: the derivative by the correlation is the density.
    for r in (-0.95, -0.3, 0.0, 0.6, 0.99):
        assert binormal(0.0, 0.0, r) == pytest.approx(0.25 + np.arcsin(r) / (2 * np.pi), abs=1e-14)
    for h, k, r in [(1.0, -0.5, -0.3), (-1.2, 0.4, 0.8), (2.0, 2.0, 0.5), (0.0, 1.0, -0.9)]:
        density = np.exp(-(h * h - 2 * r * h * k + k * k) / (2 * (1 - r * r))) / (2 * np.pi * np.sqrt(1 - r * r))
        change = (binormal(h, k, r + 1e-5) - binormal(h, k, r - 1e-5)) / 2e-5
        assert change == pytest.approx(density, rel=1e-8)
    ends = binormal(np.array([np.inf, -np.inf, np.inf, 0.3]), np.array([0.3, 0.3, np.inf, -np.inf]), 0.5)
    np.testing.assert_allclose(ends, [0.6179114221889527, 0.0, 1.0, 0.0], atol=1e-14)


# --- against R ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_cronbach_is_svycralpha_with_the_variance_of_svyvar(design):
    people, theirs = reference(design)
    row = CronbachAlpha(ITEMS, scale=4).estimate(people).table.iloc[0]
    close([row["estimate"], row["std_error"] ** 2], [theirs["cronbach"]["estimate"], theirs["cronbach"]["variance"]])


@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_polychoric_correlations_and_ordinal_alpha(design):
    people, theirs = reference(design)
    result = PolychoricCorrelation(ITEMS, scale=4).estimate(people)
    assert result.table[["first", "second"]].to_numpy().tolist() == [
        ["day", "night"],
        ["day", "park"],
        ["night", "park"],
    ]
    close(result.table["estimate"], theirs["polychoric"]["estimate"])
    close(covariance(result.influence), theirs["polychoric"]["covariance"])
    # R's polycor stops its search at 1e-4.
    np.testing.assert_allclose(result.table["estimate"], theirs["polychoric"]["polycor"], atol=1e-4)
    row = OrdinalAlpha(ITEMS, scale=4).estimate(people).table.iloc[0]
    expected = theirs["ordinal_alpha"]
    close([row["estimate"], row["std_error"] ** 2], [expected["estimate"], expected["variance"]])


# --- invariance -----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_order_of_rows_and_size_of_weights_do_not_matter(seed, c):
    frame = made_up()
    order = np.random.default_rng(seed).permutation(len(frame))
    moved = frame.iloc[order].assign(weight=lambda rows: rows["weight"] * c)
    for method in METHODS.values():
        close(method.estimate(sample_of(moved)).table[NUMBERS], method.estimate(sample_of(frame)).table[NUMBERS])


@settings(deadline=None, max_examples=10)
@given(st.floats(-100, 100), st.floats(0.1, 100))
def test_other_units_change_no_alpha_and_other_codes_no_polychoric_correlation(shift, scale):
    frame = made_up()
    alpha = CronbachAlpha(ITEMS)
    moved = frame.assign(**{item: shift + scale * frame[item] for item in ITEMS})
    close(alpha.estimate(sample_of(moved)).table[NUMBERS], alpha.estimate(sample_of(frame)).table[NUMBERS])
    stretched = frame.assign(day=frame["day"] ** 3, night=np.exp(frame["night"]))
    for cls in (OrdinalAlpha, PolychoricCorrelation):
        close(
            cls(ITEMS).estimate(sample_of(stretched)).table[NUMBERS],
            cls(ITEMS).estimate(sample_of(frame)).table[NUMBERS],
        )


def test_a_reversed_item_turns_the_sign_of_its_correlations(frame, sample):
    first = METHODS["polychoric"].estimate(sample).table
    second = METHODS["polychoric"].estimate(sample_of(frame.assign(day=5 - frame["day"]))).table
    close(second["estimate"], first["estimate"] * [-1, -1, 1])
    close(second["std_error"], first["std_error"])


@pytest.mark.parametrize("name", METHODS)
def test_influences_are_the_derivatives_by_the_weights(name, sample, frame):
    influence = METHODS[name].estimate(sample).influence
    for unit in (3, 25):
        moved = [
            METHODS[name]
            .estimate(sample_of(frame.assign(weight=frame["weight"] * np.where(frame["block"] == unit, 1 + h, 1))))
            .table["estimate"]
            for h in (1e-4, -1e-4)
        ]
        row = influence.values[list(influence.units).index(unit)]
        np.testing.assert_allclose(row, (moved[0] - moved[1]) / 2e-4, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cls", [CronbachAlpha, OrdinalAlpha])
def test_leaving_an_item_out_is_the_scale_of_the_others(cls, sample):
    table = cls(ITEMS, scale=4).estimate(sample).table
    assert table["left_out"].tolist() == ["", *ITEMS]
    for item in ITEMS:
        others = cls(tuple(other for other in ITEMS if other != item), scale=4).estimate(sample).table
        close(table.loc[table["left_out"] == item, NUMBERS], others[NUMBERS])


def test_the_correlation_of_a_cut_normal_distribution_comes_back():
    rng = np.random.default_rng(8)
    x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 40_000)
    frame = pd.DataFrame({"stratum": 0, "weight": 1.0, "x": np.digitize(x[:, 0], [-1, 0.5, 2])})
    row = (
        PolychoricCorrelation(("x", "y"))
        .estimate(Sample(frame.assign(y=np.digitize(x[:, 1], [-0.3, 0.8])), SurveyDesign()))
        .table.iloc[0]
    )
    assert row["conf_low"] < 0.6 < row["conf_high"]
    assert row["std_error"] < 0.01


def test_a_subpopulation_keeps_the_design(sample, frame):
    women = sample.where(frame["sex"] == "f")
    spoiled = sample_of(frame.assign(day=frame["day"].where(frame["sex"] == "f", 9)))
    for method in METHODS.values():
        close(method.estimate(spoiled.where(frame["sex"] == "f")).table[NUMBERS], method.estimate(women).table[NUMBERS])


# --- notes and messages ---------------------------------------------------------------------------------------------


def test_missing_answers_are_counted_and_words_are_ordered(frame, sample):
    words = ("sehr sicher", "sicher", "unsicher", "sehr unsicher")
    named = frame.assign(**{item: frame[item].map(dict(zip(range(1, 5), words, strict=True))) for item in ITEMS})
    close(
        OrdinalAlpha(ITEMS, scale=words).estimate(sample_of(named)).table[NUMBERS],
        METHODS["ordinal"].estimate(sample).table[NUMBERS],
    )
    coded = frame.assign(day=frame["day"].mask(frame["age"] > 80, 9), park=frame["park"].mask(frame["age"] < 20))
    result = CronbachAlpha(ITEMS, scale=4, no_answer=(9,)).estimate(sample_of(coded))
    kept = frame["age"].between(20, 80)
    close(result.table["estimate"], CronbachAlpha(ITEMS).estimate(sample.where(kept)).table["estimate"])
    assert dict(result.counts.dropped) == {"missing_answers": int((~kept).sum())}
    assert len(result.worded_notes("de")) == 3


def test_items_that_run_against_the_others_are_noted(frame):
    turned = sample_of(frame.assign(park=5 - frame["park"]))
    for cls in (CronbachAlpha, OrdinalAlpha):
        assert cls(ITEMS).estimate(turned).worded_notes("en") == [
            "Items that run against the others: park. Their answers may be reversed."
        ]


def test_what_reliability_refuses(frame, sample):
    assert message(lambda: CronbachAlpha(("day", "day"), level=0)) == (
        "Value “0”: level = 0 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95.\n"
        "CronbachAlpha needs two or more different items; given: day and day. "
        "What to do: Name each item of the scale once."
    )
    assert message(lambda: CronbachAlpha(("day", "sex")).estimate(sample)) == (
        "Column sex: The answers are not numbers (for example m and f). "
        "What to do: Use Share for answers in words, or deliver codes."
    )
    assert message(lambda: OrdinalAlpha(("day", "sex")).estimate(sample)) == (
        "Column sex: The answers are words (for example m and f) and their order is not known. "
        "What to do: Give the answers in scale, from one end to the other."
    )
    assert message(lambda: CronbachAlpha(("day", "night"), scale=3).estimate(sample)) == (
        f"Column day: Answers that are not on the scale 1, 2 and 3: {(frame['day'] == 4).sum()} (codes 4). "
        "What to do: Correct the answers, name codes for “no answer” in no_answer, or correct the scale of the item."
    )
    assert message(lambda: OrdinalAlpha(("day", "same")).estimate(sample_of(frame.assign(same=2)))) == (
        "Column same: All 400 people of the model gave the same answer (2). What to do: There is no difference to "
        "explain. Choose another question or join answers differently."
    )
    assert message(
        lambda: PolychoricCorrelation(("day", "again")).estimate(sample_of(frame.assign(again=frame["day"])))
    ) == (
        "The answers to day and again determine each other; their correlation on the scales behind the answers has no "
        "value between −1 and 1. What to do: Leave one of the two out, or join rare answers."
    )
    turned = sample_of(frame.assign(turned=-frame["day"]))
    assert message(lambda: CronbachAlpha(("day", "turned")).estimate(turned)) == (
        "The sum of the items day and turned, or of all but one of them, is nearly the same for everybody: they point "
        "in opposite directions. What to do: Turn round the items with reversed answers."
    )
