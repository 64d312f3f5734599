"""Weighting by hand and by invariance; messages in test_weighting_messages, R in test_weighting_reference."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    Calibrate,
    Category,
    Change,
    Jackknife,
    Logit,
    Mean,
    PostStratify,
    Rake,
    ResponseCells,
    ResponsePropensity,
    Sample,
    Share,
    SurveyDesign,
    Total,
    Trim,
    weight_report,
)
from evaluation.influence import group_sums
from evaluation.survey.domains import divide, linearise
from evaluation.survey.weight_variance import corrected
from tests.survey.weighted_samples import AGED, AREA, BOTH, CELLS, PEOPLE, SEX, STEPS, people

PERSONS = SurveyDesign(strata=None)
FIVE = pd.DataFrame({"weight": 10.0, "sex": ["f", "f", "f", "m", "m"], "x": [1.0, 2.0, 6.0, 4.0, 8.0]})


def test_post_stratification_by_hand():
    sample = PostStratify("sex", {"f": 300, "m": 300}).apply(Sample(FIVE, PERSONS))
    assert sample.weights.tolist() == [100, 100, 100, 150, 150]
    row = Mean("x").estimate(sample).table.iloc[0]
    # Means 3 and 6 count half each. Residuals from them over the sum of weights: 100/600 (-2, -1, 3), 150/600 (-2, 2).
    assert row["estimate"] == pytest.approx(4.5, rel=1e-12)
    influence = np.array([-200, -100, 300, -300, 300]) / 600
    assert row["std_error"] == pytest.approx((5 / 4 * (influence**2).sum()) ** 0.5, rel=1e-12)
    total = Total("x").estimate(sample).table.iloc[0]
    assert (total["estimate"], total["std_error"]) == (pytest.approx(2700), pytest.approx(600 * row["std_error"]))


def test_what_is_known_of_the_population_has_no_error():
    sample = Calibrate(BOTH, totals=AGED).apply(people())
    table = Total(("age", "one"), by="district").estimate(Sample(PEOPLE.assign(one=1.0), sample.design)).table
    assert table["std_error"].notna().all()
    weighted = Calibrate(BOTH, totals=AGED).apply(Sample(PEOPLE.assign(one=1.0), sample.design))
    ones = Total("one", by="district").estimate(weighted).table
    assert ones["estimate"].tolist() == pytest.approx(list(AREA.values()), rel=1e-11)
    assert ones["note"].tolist() == ["survey.note.no_variation"] * 4
    assert Total("age").estimate(weighted).table.loc[0, ["estimate", "note"]].tolist() == [
        pytest.approx(605000, rel=1e-11),
        "survey.note.no_variation",
    ]


def test_calibration_by_hand():
    # One number without margins: g = 1 + x (50 - 21) 10 / (10 sum x^2) ... weights 10 (1 + lambda x) with total 500.
    sample = Calibrate(totals={"x": 500}).apply(Sample(FIVE, PERSONS))
    x = FIVE["x"].to_numpy()
    multiplier = (500 - 210) / (10 * (x**2).sum())
    np.testing.assert_allclose(sample.weights, 10 * (1 + multiplier * x), rtol=1e-12)


def test_raking_by_hand():
    # Two by two with equal weights: odds ratio of the sample, 3 * 2 / (1 * 4), stays; margins 50/50 and 40/60.
    frame = pd.DataFrame({"a": [0] * 4 + [1] * 6, "b": [0] * 3 + [1] + [0] * 4 + [1] * 2, "weight": 1.0})
    sample = Rake({"a": {0: 50, 1: 50}, "b": {0: 40, 1: 60}}).apply(Sample(frame, PERSONS))
    table = (
        sample.frame.assign(w=sample.weights).pivot_table(values="w", index="a", columns="b", aggfunc="sum").to_numpy()
    )
    np.testing.assert_allclose(table.sum(axis=1), [50, 50], rtol=1e-11)
    np.testing.assert_allclose(table.sum(axis=0), [40, 60], rtol=1e-11)
    assert table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]) == pytest.approx(3 * 2 / (1 * 4), rel=1e-10)


def test_bounds_are_kept():
    for method in ("linear", "raking", "logit"):
        sample = Calibrate(BOTH, totals=AGED, method=method, bounds=(0.9, 1.2)).apply(people())
        factor = sample.weights / PEOPLE["weight"]
        assert factor.between(0.9 - 1e-12, 1.2 + 1e-12).all()
        assert sample.weights @ PEOPLE["age"] == pytest.approx(605000, rel=1e-10)


def test_bounds_are_relative_to_weights_of_the_size_of_the_population():
    small = Sample(PEOPLE.assign(weight=PEOPLE["weight"] / 1000), people().design)
    step = Calibrate(BOTH, method="logit", bounds=(0.5, 2))
    np.testing.assert_allclose(step.apply(small).weights, step.apply(people()).weights, rtol=1e-9)


def test_trimming_by_hand():
    frame = pd.DataFrame({"weight": [1.0, 5.0, 5.0, 9.5, 29.5]})
    # 29.5 to 12 leaves 17.5 for four, 4.375 each; 9.5 then passes 12 by 1.875, which three others share.
    sample = Trim(high=12).apply(Sample(frame, PERSONS))
    np.testing.assert_allclose(sample.weights, [6, 10, 10, 12, 12], rtol=1e-9)
    assert sample.weights.sum() == pytest.approx(50, rel=1e-12)
    assert frame["weight"].tolist() == [1.0, 5.0, 5.0, 9.5, 29.5]
    # All weights are beyond the bounds: 82 too much, 80 too little; the two left go to those below the upper bound.
    extreme = Trim(low=17, high=18).apply(Sample(pd.DataFrame({"weight": [1.0] * 5 + [100.0]}), PERSONS))
    np.testing.assert_allclose(extreme.weights, [17.4] * 5 + [18], rtol=1e-12)


def test_response_cells_by_hand():
    frame = FIVE.assign(answered=[True, True, False, True, True])
    sample = ResponseCells("answered", "sex").apply(Sample(frame, PERSONS))
    assert sample.weights.tolist() == [15, 15, 0, 10, 10]
    assert sample.size == 4
    result = Total("x").estimate(sample)
    assert result.table.loc[0, "estimate"] == 15 * 3 + 10 * 12
    # w z less w (mean of those who answered) plus d times this mean; the mean of f is 1.5, of m 6.
    expected = [15 * -0.5 + 15, 15 * 0.5 + 15, 15, 10 * -2 + 60, 10 * 2 + 60]
    np.testing.assert_allclose(result.influence.values[:, 0], expected, rtol=1e-12)
    assert result.worded_notes("en") == [
        "People who answered also stand for the 1 of 5 who were drawn and did not, within sex."
    ]


def test_a_propensity_that_is_the_same_in_cells_gives_the_weights_of_cells():
    frame = PEOPLE.assign(answered=np.arange(len(PEOPLE)) % 3 > 0)
    cells = ResponseCells("answered", "district").apply(people(frame))
    model = ResponsePropensity("answered", (Category("district", "00"),)).apply(people(frame))
    np.testing.assert_allclose(model.weights, cells.weights, rtol=1e-9)
    first, second = (Mean("worry").estimate(sample) for sample in (cells, model))
    np.testing.assert_allclose(second.influence.values, first.influence.values, rtol=1e-6, atol=1e-12)


ANSWERED = PEOPLE.assign(answered=np.arange(len(PEOPLE)) * 7919 % 10 < 6, later=np.arange(len(PEOPLE)) * 31 % 10 < 8)
DERIVATIVES = {
    "post": STEPS["post_two"],
    "linear": STEPS["linear"],
    "two fits": (PostStratify("female", SEX), Calibrate(BOTH, totals=AGED)),
    "cells": (ResponseCells("answered", ("female", "district")),),
    "propensity": (ResponsePropensity("answered", ("age", Category("district", "00"))),),
    "all": (ResponsePropensity("answered", ("age",)), ResponseCells("later", "female"), PostStratify("female", SEX)),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_influences_are_derivatives_by_the_weights(name):
    method = Mean("worry", by="district")

    def estimates(frame):
        return method.estimate(people(frame, PERSONS, *DERIVATIVES[name]))

    influence = estimates(ANSWERED).influence.values
    for person in range(3, len(ANSWERED), 23):
        ends = []
        for step in (1e-4, -1e-4):
            weight = ANSWERED["weight"].to_numpy(copy=True)
            weight[person] *= 1 + step
            ends.append(estimates(ANSWERED.assign(weight=weight)).table["estimate"].to_numpy())
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-4, influence[person], rtol=1e-5, atol=1e-8)


# --- invariance -----------------------------------------------------------------------------------------------------


@st.composite
def surveys(draw):
    """Strata of three to five blocks of four people, one for each combination of two margins, and some more."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    corners = [(a, b) for a in (0, 1) for b in ("p", "q")]
    rows = []
    for stratum in range(draw(st.integers(1, 3))):
        for block in range(draw(st.integers(3, 5))):
            chosen = [*corners, *(corners[at] for at in generator.integers(0, 4, draw(st.integers(0, 3))))]
            rows += [(f"s{stratum}", block, *corner) for corner in chosen]
    n = len(rows)
    frame = pd.DataFrame(rows, columns=["stratum", "block", "a", "b"])
    return frame.assign(weight=generator.gamma(2, 10, n) + 1, x=generator.normal(5, 2, n))


DESIGN = SurveyDesign(psu="block", nest=True)
A, B = {0: 300, 1: 700}, {"p": 450, "q": 550}
NUMBERS = ["estimate", "std_error", "df", "conf_low", "conf_high"]


def table(frame, *steps, method=None):
    sample = Sample(frame, DESIGN)
    for step in steps:
        sample = step.apply(sample)
    return (method or Mean("x", by="a")).estimate(sample).table[NUMBERS].to_numpy(dtype=float)


def same(first, second, rtol=1e-7):
    np.testing.assert_allclose(first, second, rtol=rtol, atol=1e-9)


@settings(deadline=None, max_examples=8)
@given(surveys())
def test_ways_to_say_the_same(frame):
    once = table(frame, PostStratify("a", A))
    same(table(frame, Rake({"a": A})), once)
    same(table(frame, Calibrate({"a": A})), once)
    same(table(frame, Calibrate({"a": A}, method="logit", bounds=(0.01, 100))), once)
    same(table(frame, PostStratify("a", pd.Series(A) / 1000, size=1000)), once)
    same(table(frame, PostStratify("a", {**A, 2: 0})), once)
    raked = table(frame, Rake({"a": A, "b": B}))
    same(table(frame, Rake({"b": B, "a": A})), raked)
    same(table(frame, Calibrate({"a": A, "b": B}, method="raking")), raked)


@settings(deadline=None, max_examples=8)
@given(surveys(), st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_neither_order_nor_size_of_the_weights_matters(frame, c, random):
    order = random.sample(range(len(frame)), len(frame))
    for step in (PostStratify("a", A), Calibrate({"a": A, "b": B}, method="raking")):
        once = table(frame, step)
        same(table(frame.iloc[order], step), once)
        same(table(frame.assign(weight=frame["weight"] * c), step), once)
        same(table(frame, step, step)[:, 0], once[:, 0])


@settings(deadline=None, max_examples=8)
@given(surveys())
def test_replicates_may_come_first_or_last(frame):
    for step in (PostStratify("a", A), Rake({"a": A, "b": B}), Trim(low=2, high=40)):
        if isinstance(step, Trim) and not 2 < frame["weight"].mean() < 40:
            continue
        same(table(frame, Jackknife(), step), table(frame, step, Jackknife()))


# --- subpopulations, waves, models ----------------------------------------------------------------------------------


def test_a_subpopulation_is_weighted_alone():
    inside = PEOPLE["female"] == 1
    population = {"00": 100, "01": 200, "10": 300, "11": 400}
    part = PostStratify("district", population).apply(people().where(inside))
    assert part.weights[~inside].tolist() == [0.0] * int((~inside).sum())
    assert part.weights.sum() == pytest.approx(1000)
    alone = Mean("worry").estimate(PostStratify("district", population).apply(people(PEOPLE[inside]))).table
    ours = Mean("worry").estimate(part).table
    assert ours.loc[0, "estimate"] == pytest.approx(alone.loc[0, "estimate"], rel=1e-12)
    # The whole design is kept; here every block has women, so that nothing else changes.
    assert ours.loc[0, "std_error"] == pytest.approx(alone.loc[0, "std_error"], rel=1e-9)


def test_waves_are_fitted_each_to_its_own_population():
    frame = pd.concat(
        [PEOPLE.assign(wave="21"), PEOPLE.assign(wave="24", worry=PEOPLE["worry"] + 1)], ignore_index=True
    )
    design = SurveyDesign(psu="block", nest=True, wave="wave", overlap=True)
    population = {(wave, sex): n for wave in ("21", "24") for sex, n in SEX.items()}
    sample = PostStratify(("wave", "female"), population).apply(Sample(frame, design))
    row = Change(Mean("worry"), "21", "24").estimate(sample).table.iloc[0]
    assert row["estimate"] == pytest.approx(1, rel=1e-12)
    assert row["note"] == "survey.note.no_variation"  # the same people, each one point up


def test_every_estimator_sees_the_calibration():
    for method in (Share("night", (3, 4), scale=4), Logit("night", ("age",), codes=(3, 4), scale=4)):
        plain = method.estimate(people()).influence.values
        weighted = method.estimate(people(PEOPLE, people().design, *STEPS["linear"])).influence
        assert weighted.values.shape == plain.shape
        assert np.abs(weighted.values - plain).max() > 1e-6


def test_the_caller_keeps_frame_sample_and_margins():
    before, margin = PEOPLE.copy(deep=True), CELLS.copy(deep=True)
    sample = people()
    weights = sample.weights.copy()
    for step in (PostStratify(("female", "district"), CELLS), Trim(low=20, high=70), *STEPS["logit"]):
        assert step.apply(sample) is not sample
    pd.testing.assert_frame_equal(PEOPLE, before)
    pd.testing.assert_series_equal(CELLS, margin)
    assert sample.weights.tolist() == weights.tolist() == PEOPLE["weight"].tolist()


def test_the_report_of_weights():
    frame = FIVE.assign(weight=[1.0, 1.0, 1.0, 1.0, 6.0])
    before = Sample(frame, PERSONS)
    after = Calibrate({"sex": {"f": 6, "m": 6}}, totals={"x": 50}).apply(before)
    report = weight_report(before, after)
    spread = report[report["column"] == ""].set_index("measure")["before"]
    assert spread.to_dict() == {
        "people": 5,
        "sum": 10,
        "mean": 2,
        "smallest": 1,
        "median": 1,
        "largest": 6,
        "extreme": 1,
        "extreme_share": pytest.approx(0.6),
        "deff_kish": pytest.approx(5 * 40 / 100),
        "effective_n": pytest.approx(2.5),
    }
    margins = report[report["column"] != ""].drop(columns="measure").to_numpy().tolist()
    assert margins == [
        ["sex", "f", pytest.approx(0.3), pytest.approx(0.5), 0.5],
        ["sex", "m", pytest.approx(0.7), pytest.approx(0.5), 0.5],
        ["x", "", 61, pytest.approx(50), 50],
    ]
    assert weight_report(before, after, by=("x",))["column"].tolist().count("x") == 1


def test_sums_of_sampling_units_are_corrected_without_a_table_of_their_parts():
    # Three fits one after the other, the second to a number: as many cells as people.
    rng = np.random.default_rng(4)
    n = 400
    frame = pd.DataFrame({"stratum": np.arange(n) // 100, "block": np.arange(n) // 10, "weight": rng.gamma(3, 1, n)})
    frame = frame.assign(sex=rng.choice(["f", "m"], n), age=rng.choice(["a", "b", "c"], n), size=rng.gamma(4, 1, n))
    frame = frame.assign(area=rng.choice(list("pqrs"), n), y=np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)))
    sample = Rake({"sex": {"f": 600, "m": 600}, "age": {"a": 300, "b": 400, "c": 500}}).apply(
        Sample(frame, SurveyDesign(psu="block"))
    )
    sample = Calibrate({"sex": {"f": 620, "m": 580}}, totals={"size": 4900.0}).apply(sample)
    sample = PostStratify("age", {"a": 310, "b": 390, "c": 500}).apply(sample)
    domains = divide(sample.where(frame["area"] != "s"), "area")
    part = linearise(domains, frame["y"].to_numpy(), "mean")
    parts = corrected(sample.plan, part.influence)
    drawn = sample.plan.sampling
    assert len(part.influence) > 5 * len(drawn.units)
    expected = group_sums(parts, drawn.unit[sample.plan.first], len(drawn.units))
    np.testing.assert_allclose(part.drawn, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    # The mean takes this way: the long table is never made.
    influence = Mean("y", by="area").estimate(domains.sample).influence
    np.testing.assert_allclose(influence.values, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("replicates", [None, Jackknife(centre="estimate")], ids=["linearised", "jackknife"])
def test_waves_that_are_weighted_one_after_the_other_are_as_each_alone(replicates):
    # The people of the other wave take no part in a fit: their weights stay, in every replicate too.
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"wave": np.repeat(["1", "2"], 120), "block": np.arange(240) // 8, "stratum": "s"})
    frame = frame.assign(weight=rng.gamma(3, 1, 240), sex=rng.choice(["f", "m"], 240), y=rng.normal(2, 1, 240))
    margins = {"1": {"sex": {"f": 500, "m": 500}}, "2": {"sex": {"f": 900, "m": 300}}}
    design = SurveyDesign(psu="block", wave="wave")

    def drawn(rows):
        sample = Sample(rows, design)
        return sample if replicates is None else replicates.apply(sample)

    both = drawn(frame)
    for wave, population in margins.items():
        weighted = Rake(population).apply(both.where(frame["wave"] == wave))
        both = both.weighted(weighted.plan)
    table = Total("y", by="wave").estimate(both).table.set_index("wave")
    for wave, population in margins.items():
        alone = Total("y").estimate(Rake(population).apply(drawn(frame[frame["wave"] == wave]))).table.loc[0]
        assert table.loc[wave, "estimate"] == pytest.approx(alone["estimate"], rel=1e-12)
        assert table.loc[wave, "std_error"] == pytest.approx(alone["std_error"], rel=1e-9)
