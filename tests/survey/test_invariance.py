"""What must not change, and what must change in a known way, whatever the sample."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import Change, Mean, Ratio, Sample, Share, SurveyDesign, Total
from evaluation.influence import contrast, covariance, variances

DESIGN = SurveyDesign(psu="block", nest=True, wave="wave")
NUMBERS = ["estimate", "std_error", "df", "conf_low", "conf_high", "deff"]


@st.composite
def frames(draw):
    """Strata of two to four blocks of one to four people, two waves, weights of any size, an item with four points."""
    rows = []
    for wave in ("2021", "2024"):
        for stratum in range(draw(st.integers(1, 3))):
            for block in range(draw(st.integers(2, 4))):
                rows += [(wave, f"s{stratum}", block)] * draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = len(rows)
    return pd.DataFrame(rows, columns=["wave", "stratum", "block"]).assign(
        weight=generator.gamma(2, 10, n) + 0.5,
        area=generator.choice(["00", "01", "10"], n),
        x=generator.normal(5, 2, n).round(3),
        y=generator.gamma(3, 1, n) + 0.1,
        item=generator.integers(1, 5, n),
    )


METHODS = [
    Mean("x", by="area"),
    Total("x", by="area"),
    Ratio("x", "y", by="area"),
    Share("item", (3, 4), scale=4, by="area"),
]


def same(first, second, *, columns=NUMBERS, factor=1.0):
    keys = first.keys
    left, right = (result.table.sort_values(keys)[columns].to_numpy(dtype=float) for result in (first, second))
    np.testing.assert_allclose(right, left * factor, rtol=1e-9, atol=1e-11)


@settings(deadline=None, max_examples=30)
@given(frames(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(frame, random):
    order = random.sample(range(len(frame)), len(frame))
    for method in METHODS:
        same(method.estimate(Sample(frame, DESIGN)), method.estimate(Sample(frame.iloc[order], DESIGN)))


@settings(deadline=None, max_examples=30)
@given(frames(), st.floats(0.001, 1000))
def test_a_multiple_of_the_weights_only_multiplies_totals(frame, c):
    heavier = frame.assign(weight=frame["weight"] * c)
    for method in METHODS:
        first, second = (method.estimate(Sample(data, DESIGN)) for data in (frame, heavier))
        if isinstance(method, Total):
            same(first, second, columns=["estimate", "std_error", "conf_low", "conf_high"], factor=c)
            same(first, second, columns=["df", "deff"])
        else:
            same(first, second)


@settings(deadline=None, max_examples=30)
@given(frames(), st.floats(-50, 50), st.floats(0.1, 20))
def test_means_follow_shift_and_scale(frame, shift, scale):
    moved = frame.assign(x=shift + scale * frame["x"])
    first, second = (Mean("x", by="area").estimate(Sample(data, DESIGN)).table for data in (frame, moved))
    np.testing.assert_allclose(second["estimate"], shift + scale * first["estimate"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(second["std_error"], scale * first["std_error"], rtol=1e-7, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(frames())
def test_domains_add_up_to_the_whole(frame):
    sample = Sample(frame, DESIGN)
    parts, whole = Total("x", by="area").estimate(sample), Total("x").estimate(sample)
    summed = contrast(parts, np.ones((1, len(parts.table))), df=whole.influence.df).table
    for column in ("estimate", "std_error", "conf_low"):
        assert summed.loc[0, column] == pytest.approx(whole.table.loc[0, column], rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(frames())
def test_answers_add_up_to_one_without_variance(frame):
    result = Share("item", scale=4).estimate(Sample(frame, DESIGN))
    assert result.table["estimate"].sum() == pytest.approx(1)
    summed = result.influence.values.sum(axis=1)
    np.testing.assert_allclose(summed, 0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(frames())
def test_a_row_of_a_domain_is_the_estimate_of_the_subpopulation(frame):
    sample = Sample(frame, DESIGN)
    for method in METHODS:
        by = method.estimate(sample)
        for position, area in enumerate(by.table["area"]):
            alone = type(method)(**{**method.__dict__, "by": ()}).estimate(sample.where(frame["area"] == area))
            np.testing.assert_allclose(
                by.table[NUMBERS].iloc[position].to_numpy(float),
                alone.table[NUMBERS].iloc[0].to_numpy(float),
                rtol=1e-9,
            )


@settings(deadline=None, max_examples=30)
@given(frames())
def test_shares_are_means_of_zero_and_one(frame):
    sample = Sample(frame.assign(high=(frame["item"] >= 3).astype(int)), DESIGN)
    share = Share("item", (3, 4), scale=4, by="area", interval="wald").estimate(sample)
    mean = Mean("high", by="area").estimate(sample)
    certain = share.table["std_error"].isna()
    columns = ["estimate", "std_error", "deff"]
    np.testing.assert_allclose(share.table.loc[~certain, columns], mean.table.loc[~certain, columns], rtol=1e-9)


@settings(deadline=None, max_examples=30)
@given(frames())
def test_change_of_independent_waves_is_that_of_two_separate_samples(frame):
    change = Change(Mean("x"), "2021", "2024").estimate(Sample(frame, DESIGN)).table.iloc[0]
    waves = [
        Mean("x").estimate(Sample(frame[frame["wave"] == wave], DESIGN)).table.iloc[0] for wave in ("2021", "2024")
    ]
    assert change["estimate"] == pytest.approx(waves[1]["estimate"] - waves[0]["estimate"], rel=1e-9, abs=1e-12)
    assert change["std_error"] ** 2 == pytest.approx(waves[0]["std_error"] ** 2 + waves[1]["std_error"] ** 2, rel=1e-9)
    assert change["df"] == waves[0]["df"] + waves[1]["df"]


@settings(deadline=None, max_examples=30)
@given(frames())
def test_duplicating_everybody_within_their_block_changes_nothing_but_totals(frame):
    twice = pd.concat([frame, frame], ignore_index=True)
    first, second = (Mean("x", by="area").estimate(Sample(data, DESIGN)).influence for data in (frame, twice))
    np.testing.assert_allclose(variances(second), variances(first), rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(np.diag(covariance(first)), variances(first), rtol=1e-9, atol=1e-18)
