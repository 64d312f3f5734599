"""Replicates by hand and by what they must equal; R is in test_weighting_reference."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    BalancedReplication,
    Category,
    Change,
    DesignError,
    EstimationError,
    Jackknife,
    Linear,
    Logit,
    Mean,
    PostStratify,
    Ratio,
    Refitted,
    ReplicateColumns,
    ResponseCells,
    Sample,
    Share,
    SurveyBootstrap,
    SurveyDesign,
    Total,
    Trim,
)
from evaluation.influence import bands, contrast, covariance, joint_test, stack
from evaluation.survey.replicate_hadamard import hadamard
from evaluation.survey.replicate_refit import replicate_weights
from tests.survey.weighted_samples import CLUSTERS, PEOPLE, STEPS, people

FOUR = pd.DataFrame({"stratum": ["a", "a", "b", "b"], "weight": [1.0, 1.0, 2.0, 2.0], "x": [1.0, 3.0, 5.0, 9.0]})
WAYS = (
    Jackknife(),
    Jackknife("estimate"),
    SurveyBootstrap(draws=40),
    SurveyBootstrap(draws=40, kind="subsample", centre="estimate"),
)


def variance(result):
    return (result.table["std_error"] ** 2).to_numpy()


# --- by hand --------------------------------------------------------------------------------------------------------


def test_jackknife_by_hand():
    sample = Jackknife().apply(Sample(FOUR, SurveyDesign()))
    assert sample.plan.replicates.factors.tolist() == [[0, 2, 1, 1], [2, 0, 1, 1], [1, 1, 0, 2], [1, 1, 2, 0]]
    assert sample.plan.replicates.scale.tolist() == [0.5] * 4
    # Means 34/6, 30/6, 40/6, 24/6; squared distances from their mean 32/6 over two.
    row = Mean("x").estimate(sample).table.iloc[0]
    assert row["std_error"] ** 2 == pytest.approx((4 + 4 + 64 + 64) / 36 / 2, rel=1e-12)
    assert (row["estimate"], row["df"]) == (pytest.approx(32 / 6), 2)


def test_balanced_half_samples_by_hand():
    sample = BalancedReplication().apply(Sample(FOUR, SurveyDesign()))
    assert sorted(map(tuple, sample.plan.replicates.factors.T.tolist())) == [
        (0, 2, 0, 2),
        (0, 2, 2, 0),
        (2, 0, 0, 2),
        (2, 0, 2, 0),
    ]
    # Means of the halves: (3 + 18)/3, (3 + 10)/3, (1 + 18)/3, (1 + 10)/3.
    expected = np.var(np.array([21, 13, 19, 11]) / 3)
    assert variance(Mean("x").estimate(sample)) == pytest.approx([expected], rel=1e-12)


def test_fay_keeps_a_part_of_every_weight():
    factors = BalancedReplication(fay=0.3).apply(Sample(FOUR, SurveyDesign())).plan.replicates.factors
    assert set(np.round(factors.ravel(), 12)) == {0.3, 1.7}


def test_bootstrap_factors_by_hand():
    frame = pd.DataFrame({"stratum": ["a"] * 3 + ["b"] * 5, "weight": 1.0, "x": range(8)})
    rao_wu = SurveyBootstrap(draws=200, seed=3).apply(Sample(frame, SurveyDesign())).plan.replicates.factors
    # Two of three drawn: 3/2 for each draw; four of five: 5/4.
    assert set(np.unique(rao_wu[:3])) == {0, 1.5, 3}
    assert set(np.unique(rao_wu[3:])) <= {0, 1.25, 2.5, 3.75, 5}
    assert (rao_wu[:3].sum(axis=0) == 3).all()
    assert (rao_wu[3:].sum(axis=0) == 5).all()
    half = SurveyBootstrap(draws=200, seed=3, kind="subsample").apply(Sample(frame, SurveyDesign())).plan
    # One of three: lambda^2 = 1/2, factor 1 + lambda (3 - 1) or 1 - lambda; two of five: lambda^2 = 2/3.
    values = [1 - 0.5**0.5, 1 + 2 * 0.5**0.5, 1 - (2 / 3) ** 0.5, 1 + 1.5 * (2 / 3) ** 0.5]
    np.testing.assert_allclose(np.unique(half.replicates.factors.round(9)), np.sort(values), rtol=1e-8)


@pytest.mark.parametrize("columns", [0, 1, 2, 3, 4, 7, 11, 12, 19, 27, 36, 51, 63, 91, 100, 150, 201, 400])
def test_hadamard_matrices(columns):
    signs = hadamard(columns)
    order = len(signs)
    assert columns < order <= max(columns + 1, 2) + 28
    assert (signs.T @ signs == order * np.eye(order)).all()
    assert (signs[:, 0] == 1).all()
    assert (signs[:, 1:].sum(axis=0) == 0).all()


# --- what replicates of totals must equal ---------------------------------------------------------------------------

STAGED = pd.DataFrame(
    [
        (stratum, block, household)
        for stratum in ("a", "b", "c")
        for block in range(2)
        for household in range(2)
        for _ in range(2)
    ],
    columns=["stratum", "block", "household"],
).assign(
    x=np.random.default_rng(5).normal(10, 3, 24).round(2),
    weight=np.random.default_rng(6).uniform(1, 9, 24).round(2),
    blocks=lambda frame: frame["stratum"].map({"a": 5, "b": 8, "c": 4}),
    households=7,
    area=np.random.default_rng(7).integers(0, 2, 24),
)
ONE_STAGE = SurveyDesign(psu="block", nest=True, fpc="blocks")
TWO_STAGES = SurveyDesign(psu=("block", "household"), nest=True, fpc=("blocks", "households"))
EXACT = {
    "jackknife": (ONE_STAGE, Jackknife()),
    "jackknife of two stages": (TWO_STAGES, Jackknife("estimate")),
    "half-samples": (ONE_STAGE, BalancedReplication()),
    "fay": (ONE_STAGE, BalancedReplication(fay=0.5, centre="estimate")),
    "half-samples of two stages": (TWO_STAGES, BalancedReplication(fay=0.3)),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_variance_of_a_total_is_that_of_linearisation(name):
    design, step = EXACT[name]
    method = Total("x", by="area")
    sample = Sample(STAGED, design)
    first, second = method.estimate(sample), method.estimate(step.apply(sample))
    np.testing.assert_allclose(covariance(second.influence), covariance(first.influence), rtol=1e-10)
    assert len(sample.plan.stages) == len(design.stages)
    assert second.table["df"].tolist() == first.table["df"].tolist()


@pytest.mark.parametrize("lonely", ["adjust", "average", "remove", "certainty"])
@pytest.mark.parametrize("step", [Jackknife("estimate"), BalancedReplication(centre="estimate")])
def test_strata_with_one_unit(lonely, step):
    alone = STAGED[(STAGED["stratum"] != "c") | (STAGED["block"] == 0)]
    sample = Sample(alone, replace(ONE_STAGE, lonely=lonely))
    first, second = Total("x").estimate(sample), Total("x").estimate(step.apply(sample))
    np.testing.assert_allclose(variance(second), variance(first), rtol=1e-10)


@pytest.mark.parametrize("kind", ["rao_wu", "subsample"])
@pytest.mark.parametrize(
    ("frame", "design"),
    [
        (STAGED, ONE_STAGE),
        (STAGED, TWO_STAGES),
        (STAGED, replace(ONE_STAGE, fpc=None)),
        (STAGED[(STAGED["stratum"] != "c") | (STAGED["block"] == 0)], replace(ONE_STAGE, lonely="adjust")),
        (STAGED[(STAGED["stratum"] != "c") | (STAGED["block"] == 0)], replace(ONE_STAGE, lonely="average")),
    ],
)
def test_bootstrap_variance_of_a_total_is_on_average_that_of_linearisation(kind, frame, design):
    sample = Sample(frame, design)
    bootstrap = SurveyBootstrap(draws=40_000, seed=2, kind=kind).apply(sample)
    expected = variance(Total("x").estimate(sample))
    # 40,000 draws know a variance to about 0.7 %.
    np.testing.assert_allclose(variance(Total("x").estimate(bootstrap)), expected, rtol=0.03)
    factors = bootstrap.plan.replicates.factors
    assert factors.min() >= 0
    np.testing.assert_allclose(factors.mean(axis=1), 1, atol=0.03)


def test_strata_taken_whole_vary_in_no_replicate():
    whole = STAGED.assign(blocks=lambda frame: frame["stratum"].map({"a": 2, "b": 8, "c": 4}))
    for step in (*WAYS, BalancedReplication()):
        replicates = step.apply(Sample(whole, ONE_STAGE)).plan.replicates
        assert (replicates.factors[:2] == 1).all()
    assert len(Jackknife().apply(Sample(whole, ONE_STAGE)).plan.replicates.scale) == 4


# --- replicates are influences --------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", WAYS)
def test_contrasts_tests_bands_and_stacks_work_unchanged(step):
    sample = people(PEOPLE, CLUSTERS, step)
    result = Mean("worry", by="district").estimate(sample)
    assert result.influence.values.shape == (len(sample.plan.replicates.scale), 4)
    difference = contrast(result, {"01 less 00": [-1, 1, 0, 0]})
    spread = covariance(result.influence)
    assert variance(difference) == pytest.approx([spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]], rel=1e-9)
    assert joint_test(result, np.eye(4)[:2] - np.eye(4)[2:]).df_numerator == 2
    assert (bands(result).table["conf_high"] >= result.table["conf_high"]).all()
    together = stack({"one": result, "two": Mean("times").estimate(sample)}, independent=False)
    both = covariance(Mean(("worry", "times")).estimate(sample).influence)
    mixed = contrast(together, [[*(np.zeros(4)), 1]])
    assert variance(mixed) == pytest.approx([both[1, 1]], rel=1e-9)


def test_domains_and_subpopulations_agree():
    sample = people(PEOPLE, CLUSTERS, Jackknife())
    by = Mean("worry", by="district").estimate(sample)
    alone = Mean("worry").estimate(sample.where(PEOPLE["district"] == "10"))
    columns = ["estimate", "std_error", "df", "deff"]
    np.testing.assert_allclose(
        by.table.loc[by.table["district"] == "10", columns].to_numpy(float),
        alone.table[columns].to_numpy(float),
        rtol=1e-9,
    )


def test_change_between_waves_with_the_same_blocks():
    frame = pd.concat(
        [PEOPLE.assign(wave="21"), PEOPLE.assign(wave="24", worry=PEOPLE["worry"] * 1.5)], ignore_index=True
    )
    design = SurveyDesign(psu="block", nest=True, wave="wave", overlap=True)
    method = Change(Mean("worry"), "21", "24")
    first = method.estimate(Sample(frame, design))
    second = method.estimate(Jackknife().apply(Sample(frame, design)))
    assert second.table.loc[0, "std_error"] == pytest.approx(first.table.loc[0, "std_error"], rel=0.02)


def test_a_group_that_is_lost_in_a_replicate_has_no_range_and_a_note():
    frame = PEOPLE.assign(rare=(PEOPLE["stratum"] + PEOPLE["block"].astype(str)).eq("A1"))
    result = Mean("worry", by="rare").estimate(people(frame, CLUSTERS, Jackknife()))
    assert result.table["note"].tolist() == ["", "survey_weights.note.lost"]
    assert np.isnan(result.table.loc[1, "std_error"])
    assert result.worded_notes("en")[-1] == (
        "In some replicates nobody of this group is left, or the denominator is zero; there is no range. Linearisation "
        "gives one."
    )
    pairs = frame[frame["block"] <= 2].assign(rare=lambda part: (part["block"] == 1) & part["stratum"].isin(["A", "B"]))
    lost, kept = (
        Mean("worry", by="rare")
        .estimate(people(pairs, replace(CLUSTERS, fpc=None), BalancedReplication(fay=fay)))
        .table
        for fay in (0, 0.3)
    )
    assert lost["note"].tolist() == ["", "survey_weights.note.lost"]
    assert kept["std_error"].notna().all()


# --- fitted in every replicate --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    [
        Mean("worry", by="female"),
        Total("times"),
        Ratio("times", "age"),
        Share("night", (3, 4), scale=4, interval="wald"),
    ],
)
@pytest.mark.parametrize("steps", [(), STEPS["post_two"], STEPS["linear"], (*STEPS["raking"], Trim(low=20, high=70))])
def test_replicates_of_means_are_those_of_fitting_one_by_one(method, steps):
    sample = people(PEOPLE, CLUSTERS, SurveyBootstrap(draws=12), *steps)
    ours, theirs = method.estimate(sample), Refitted(method).estimate(sample)
    np.testing.assert_allclose(ours.influence.values, theirs.influence.values, rtol=1e-8, atol=1e-12)


def test_every_replicate_meets_the_margins():
    sample = people(PEOPLE, CLUSTERS, *STEPS["linear"], SurveyBootstrap(draws=10))
    for position in range(10):
        weights = replicate_weights(sample.plan, position)
        assert weights @ PEOPLE["age"] == pytest.approx(605000, rel=1e-9)
        assert weights[PEOPLE["female"] == 1].sum() == pytest.approx(6035.85, rel=1e-9)


def test_response_is_fitted_in_every_replicate():
    frame = PEOPLE.assign(answered=np.arange(len(PEOPLE)) % 3 > 0)
    cells = ResponseCells("answered", "district")
    first = Mean("worry").estimate(people(frame, CLUSTERS, cells))
    for steps in ((cells, Jackknife()), (Jackknife(), cells)):
        sample = people(frame, CLUSTERS, *steps)
        second = Mean("worry").estimate(sample)
        assert second.table.loc[0, "estimate"] == first.table.loc[0, "estimate"]
        assert second.table.loc[0, "std_error"] == pytest.approx(first.table.loc[0, "std_error"], rel=0.03)
        weights = replicate_weights(sample.plan, 4)
        assert (weights[~frame["answered"]] == 0).all()


def test_a_refit_is_the_same_with_and_without_an_executor():
    sample = people(PEOPLE, CLUSTERS, SurveyBootstrap(draws=6))
    method = Refitted(Linear("worry", ("age", Category("district", "00"))))
    with ThreadPoolExecutor(2) as executor:
        several = method.estimate(sample, executor=executor)
    pd.testing.assert_frame_equal(several.table, method.estimate(sample).table)


def test_models_take_the_first_step():
    sample = people(PEOPLE, CLUSTERS, SurveyBootstrap(draws=200))
    model = Logit("night", ("age", "female"), codes=(3, 4), scale=4)
    first, whole = model.estimate(sample), Refitted(model).estimate(sample)
    np.testing.assert_allclose(first.table["estimate"], whole.table["estimate"])
    np.testing.assert_allclose(first.table["std_error"], whole.table["std_error"], rtol=0.1)


def test_a_refit_that_loses_a_category():
    frame = PEOPLE.assign(
        rare=(PEOPLE["stratum"] + PEOPLE["block"].astype(str)).eq("A1").map({True: "yes", False: "no"})
    )
    with pytest.raises(EstimationError) as caught:
        Refitted(Linear("worry", (Category("district", "00"), Category("rare", "no")))).estimate(
            people(frame, CLUSTERS, Jackknife())
        )
    assert str(caught.value) == (
        "There is no estimate in replicate 1. What to do: See below; or use the influences of the model without "
        "Refitted.\n"
        "Column rare: All people of the model are in the category “no”. What to do: Leave the term out, or check the "
        "subpopulation."
    )
    with pytest.raises(EstimationError) as caught:
        Refitted(Mean("worry", by="rare")).estimate(people(frame, CLUSTERS, Jackknife()))
    assert str(caught.value) == (
        "Replicate 1 of 26 has other rows than the whole sample, because a category is lost in it. What to do: Join "
        "rare "
        "categories, use BalancedReplication with fay = 0.3, or the influences of the model without Refitted."
    )
    with pytest.raises(DesignError, match="Refitted needs a sample with replicate weights"):
        Refitted(Mean("worry")).estimate(people())


# --- the same on every run ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter_for_jackknife(random):
    order = random.sample(range(len(PEOPLE)), len(PEOPLE))
    first, second = (
        Mean("worry", by="district").estimate(people(frame, CLUSTERS, Jackknife(), *STEPS["post_two"])).table
        for frame in (PEOPLE, PEOPLE.iloc[order])
    )
    pd.testing.assert_frame_equal(first, second, rtol=1e-9)


def test_draws_depend_on_the_seed_alone():
    def factors(seed):
        return people(PEOPLE, CLUSTERS, SurveyBootstrap(draws=100, seed=seed)).plan.replicates.factors

    assert np.array_equal(factors(1), factors(1))
    assert not np.array_equal(factors(1), factors(2))


def test_many_rows_many_groups_and_single_precision_give_the_same(monkeypatch):
    sample = people(PEOPLE, SurveyDesign(), SurveyBootstrap(draws=30))
    method = Mean("worry", by=("district", "female"))
    expected = method.estimate(sample).influence.values
    monkeypatch.setattr("evaluation.survey.replicate_sums.CELLS", 64)
    sparse = sample.weighted(replace(sample.plan, weights=sample.plan.weights))
    np.testing.assert_allclose(method.estimate(sparse).influence.values, expected, rtol=1e-9, atol=1e-12)
    narrow = replace(sample.plan.replicates, factors=sample.plan.replicates.factors.astype(np.float32))
    half = sample.weighted(replace(sample.plan, replicates=narrow))
    np.testing.assert_allclose(method.estimate(half).influence.values, expected, rtol=1e-4, atol=1e-7)


def test_the_frame_is_left_alone():
    before = PEOPLE.copy(deep=True)
    for step in WAYS:
        Mean("worry").estimate(people(PEOPLE, CLUSTERS, step, PostStratify("female", {0: 1, 1: 1}, size=100)))
    pd.testing.assert_frame_equal(PEOPLE, before)


# --- what is refused ------------------------------------------------------------------------------------------------


def message(call):
    with pytest.raises(DesignError) as caught:
        call()
    return str(caught.value)


def test_half_samples_need_pairs():
    assert message(lambda: BalancedReplication().apply(people())) == (
        "Strata with more than two units at stage 1: 4 (A, B, C and D). Balanced half-samples need exactly two. What "
        "to "
        "do: Use the jackknife or the bootstrap."
    )
    assert message(lambda: BalancedReplication().apply(Sample(STAGED, TWO_STAGES))) == (
        "Value “0.0”: With fay = 0.0 some replicate weights would be negative, because several stages of selection "
        "have "
        "corrections. What to do: Give fay = 0.24 or more, or use the jackknife or the bootstrap."
    )


def test_too_many_replicates(monkeypatch):
    monkeypatch.setattr("evaluation.survey.replicates.MOST", 100)
    assert message(lambda: Jackknife().apply(people())) == (
        "26 replicates of 26 sampling units do not fit into memory. What to do: Use SurveyBootstrap with fewer draws, "
        "name larger sampling units (psu), or do without replicates: linearisation needs none."
    )
    assert "500 replicates of 26 sampling units" in message(lambda: SurveyBootstrap().apply(people()))


def test_options():
    assert message(lambda: SurveyBootstrap(kind="smooth", draws=1)) == (
        "Value “smooth”: kind = “smooth” is not allowed. What to do: Allowed: rao_wu and subsample.\n"
        "Value “1”: draws = 1 are too few. What to do: Give at least 2; for intervals some hundred."
    )
    assert message(lambda: Jackknife("median")) == (
        "Value “median”: centre = “median” is not allowed. What to do: Allowed: mean and estimate."
    )
    assert message(lambda: BalancedReplication(fay=1)) == (
        "Value “1”: fay = 1 is not allowed. What to do: Give a number from 0 to below 1, for example 0.3."
    )
    assert message(lambda: ReplicateColumns("rw", "jkn", fay=0.3)) == (
        "Value “jkn”: kind = “jkn” is not allowed. What to do: Allowed: jk1, brr, fay, bootstrap, "
        "successive_difference "
        "and other.\n"
        "Value “0.3”: fay = 0.3 does not go with kind = “jkn”. What to do: Give Fay’s number, above 0 and below 1, "
        "with "
        "kind = “fay” and with no other."
    )
    assert message(lambda: ReplicateColumns("rw", "other")) == (
        "The numbers by which squared distances are multiplied are missing or negative. What to do: Give scale, one "
        "number of 0 or more for each replicate; for JKn (n - 1)/n of the stratum."
    )


def columns(numbers, values=None):
    made = {f"rw{number}": np.roll([0, 2, 1, 1], number) * FOUR["weight"] for number in numbers}
    return Sample(FOUR.assign(**(made | (values or {}))), SurveyDesign())


def test_replicate_columns_of_the_wrong_number():
    assert message(lambda: ReplicateColumns("repl", "brr").apply(columns([1, 2]))) == (
        "Column repl: There are no columns whose names are this beginning with a number. What to do: Check how the "
        "replicate weights are named in the file."
    )
    assert message(lambda: ReplicateColumns("rw", "brr").apply(columns([1, 2, 4]))) == (
        "Replicate weights: 3 columns, between or before which others are missing: rw3. What to do: Deliver all "
        "replicate weights; without some of them the variance is wrong."
    )
    assert message(lambda: ReplicateColumns("rw", "brr").apply(columns([3, 4]))).startswith(
        "Replicate weights: 2 columns, between or before which others are missing: rw1 and rw2."
    )
    assert message(lambda: ReplicateColumns("rw", "brr").apply(columns(range(1, 7)))) == (
        "There are 6 replicate weights; balanced half-samples have a multiple of 4. What to do: Check whether "
        "columns are "
        "missing, and the kind of the replicates."
    )
    assert message(lambda: ReplicateColumns("rw", "other", scale=(1.0, 1.0, 1.0)).apply(columns([1, 2]))) == (
        "There are 2 replicate weights and 3 numbers in scale. What to do: Give one number for each replicate weight."
    )
    assert message(lambda: ReplicateColumns(("rw1",), "bootstrap").apply(columns([1, 2]))) == (
        "Replicate weights: 1 column. What to do: Give the names of all replicate weights, or what the names begin "
        "with."
    )
    blocks = Sample(columns([1, 2]).frame.assign(block=range(4)), SurveyDesign(psu="block"))
    assert message(lambda: ReplicateColumns("rw", "jk1").apply(blocks)) == (
        "There are 2 replicate weights for 4 sampling units; JK1 leaves out each of them once. What to do: Check "
        "whether "
        "columns are missing, and the kind of the replicates (JKn: kind = “other” with scale)."
    )


def test_replicate_columns_with_bad_values():
    bad = columns([1, 2, 3, 4], {"rw2": [1.0, np.nan, -1.0, 1.0], "rw3": "1,5"})
    assert message(lambda: ReplicateColumns("rw", "brr").apply(bad)) == (
        "Column rw2: Replicate weights that are missing, negative or infinite: 2 (rows 1 and 2). What to do: Deliver "
        "the "
        "column anew; 0 is allowed.\n"
        "Column rw3, value “1,5”: The weights are not numbers. What to do: Deliver the weights as decimal numbers."
    )
    factors = Sample(columns([1, 2, 3, 4]).frame.assign(weight=100.0), SurveyDesign())
    assert message(lambda: ReplicateColumns("rw", "brr").apply(factors)) == (
        "The replicate columns are on average 0.015 times the weights: they look like factors, not weights. What to "
        "do: "
        "Set combined = false, or check which column holds the weights."
    )
    weights = columns([1, 2], {"rw1": 100.0, "rw2": 90.0})
    assert message(lambda: ReplicateColumns("rw", "bootstrap", combined=False).apply(weights)) == (
        "The replicate columns are 95.0 on average: they look like weights, not factors. What to do: Set combined = "
        "true."
    )


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("jk1", {}, 3 / 4),
        ("brr", {}, 1 / 4),
        ("fay", {"fay": 0.5}, 1),
        ("bootstrap", {}, 1 / 3),
        ("successive_difference", {}, 1),
        ("other", {"scale": (0.5, 0.5, 0.25, 0.25)}, None),
        ("bootstrap", {"scale": (0.9,) * 4}, 0.3),
    ],
)
def test_what_squared_distances_count(kind, options, expected):
    sample = ReplicateColumns("rw", kind, df=7, **options).apply(columns([1, 2, 3, 4]))
    scale = sample.plan.replicates.scale
    np.testing.assert_allclose(scale, [0.5, 0.5, 0.25, 0.25] if expected is None else [expected] * 4)
    result = Mean("x").estimate(sample)
    # A mean of four people has at most 4 - 2 degrees of freedom of its own.
    assert (result.influence.df, result.table.loc[0, "df"]) == (7, 2)
    assert result.worded_notes("en") == ["The variance comes from the 4 replicate weights of the data."]


def test_columns_are_ordered_by_their_number():
    frame = FOUR.assign(
        **{f"rw_{number:02d}": FOUR["weight"] * (1 + number / 100) for number in (2, 10, 1, 3, 4, 5, 6, 7, 8, 9)}
    )
    sample = ReplicateColumns("rw", "bootstrap").apply(Sample(frame, SurveyDesign()))
    assert sample.plan.replicates.labels.tolist() == [f"rw_{number:02d}" for number in range(1, 11)]
