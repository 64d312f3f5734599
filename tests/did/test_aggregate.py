"""Averages of group-time effects: which cells enter with which weight, and the influence of the cohorts' shares."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.did.groups.aggregate import (
    AGGREGATIONS,
    cell_weights,
    overall_share_influence,
    plan_averages,
    share_influence,
)

STARTS, SIZES, LABELS = np.array([1, 2]), np.array([30, 10]), ("2010", "2011", "2012", "2013")
COHORT, PERIOD = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 2, 3, 1, 2, 3])
EFFECT = np.array([1.0, 2.0, 4.0, 0.5, 3.0, 7.0])


def plan(kind, usable=None, window=None):
    usable = np.ones(6, dtype=bool) if usable is None else usable
    averages = plan_averages(
        kind,
        cohort=COHORT,
        period=PERIOD,
        starts=STARTS,
        sizes=SIZES,
        usable=usable,
        labels=LABELS,
        window=window,
    )
    return averages, cell_weights(averages, cohort=COHORT, sizes=SIZES, usable=usable)


def values(averages, weights, effect=EFFECT):
    taken = weights > 0
    found = np.bincount(averages.column[taken], (weights * effect)[taken], minlength=averages.number)
    return found, (None if averages.overall is None else float(averages.overall @ found))


def test_simple_by_hand():
    averages, weights = plan("simple")
    found, overall = values(averages, weights)
    assert found == pytest.approx([(30 * (1 + 2 + 4) + 10 * (3 + 7)) / (3 * 30 + 2 * 10)])
    assert overall is None
    assert averages.keys.to_dict("list") == {"term": ["effect"]}


def test_dynamic_by_hand():
    averages, weights = plan("dynamic")
    found, overall = values(averages, weights)
    at = [0.5, (30 * 1 + 10 * 3) / 40, (30 * 2 + 10 * 7) / 40, 4.0]
    assert found == pytest.approx(at)
    assert overall == pytest.approx(np.mean(at[1:]))
    assert averages.keys["event_time"].tolist() == [pd.NA, -1, 0, 1, 2]
    assert averages.keys["term"].tolist() == ["effect", *["event_time"] * 4]


def test_group_and_calendar_by_hand():
    averages, weights = plan("group")
    assert values(averages, weights)[0] == pytest.approx([7 / 3, 5.0])
    assert values(averages, weights)[1] == pytest.approx((30 * 7 / 3 + 10 * 5) / 40)
    assert averages.keys["cohort"].tolist()[1:] == ["2011", "2012"]
    averages, weights = plan("calendar")
    assert values(averages, weights)[0] == pytest.approx([1.0, (30 * 2 + 10 * 3) / 40, (30 * 4 + 10 * 7) / 40])
    assert averages.keys["period"].tolist()[1:] == ["2011", "2012", "2013"]


def test_windows_bound_the_time_with_the_measure():
    assert values(*plan("simple", window=(-9, 0)))[0] == pytest.approx([(30 * 1 + 10 * 3) / 40])
    assert values(*plan("group", window=(0, 1)))[0] == pytest.approx([1.5, 5.0])
    assert values(*plan("dynamic", window=(0, 1)))[0] == pytest.approx([1.5, 3.25])


def test_missing_cells_leave_averages_of_the_others():
    usable = np.array([True, True, True, True, False, False])
    averages, weights = plan("dynamic", usable)
    found, overall = values(averages, weights)
    assert found == pytest.approx([0.5, 1.0, 2.0, 4.0])
    assert overall == pytest.approx(7 / 3)
    averages, weights = plan("group", usable)
    assert averages.overall == pytest.approx([1.0, 0.0])
    assert weights[4:].tolist() == [0.0, 0.0]


@given(kind=st.sampled_from(AGGREGATIONS), cohort=st.integers(0, 1), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_influence_of_shares_is_their_derivative(kind, cohort, seed):
    """One unit more in a cohort: the derivative of the averages by its size, and no change at the sizes as they are."""
    effect = np.random.default_rng(seed).normal(size=6)

    def averages_at(sizes):
        plan_ = plan_averages(
            kind,
            cohort=COHORT,
            period=PERIOD,
            starts=STARTS,
            sizes=sizes,
            usable=np.ones(6, dtype=bool),
            labels=LABELS,
        )
        weights = cell_weights(plan_, cohort=COHORT, sizes=sizes, usable=np.ones(6, dtype=bool))
        return plan_, weights, *values(plan_, weights, effect)

    step = 1e-4 * (np.arange(2) == cohort)
    averages, weights, found, overall = averages_at(SIZES)
    _, _, more, overall_more = averages_at(SIZES + step)
    _, _, less, overall_less = averages_at(SIZES - step)
    shares = share_influence(averages, effect, found, weights, cohort=COHORT, sizes=SIZES)
    np.testing.assert_allclose(shares[cohort], (more - less) / 2e-4, atol=1e-7)
    np.testing.assert_allclose(SIZES @ shares, 0, atol=1e-12)
    if overall is not None:
        through = averages.overall @ shares[cohort] + overall_share_influence(averages, found, SIZES)[cohort]
        assert through == pytest.approx((overall_more - overall_less) / 2e-4, abs=1e-7)


def test_cells_as_they_are():
    averages, weights = plan(None)
    assert averages.keys["cohort"].tolist() == ["2011"] * 3 + ["2012"] * 3
    assert averages.column.tolist() == list(range(6))
    assert weights.tolist() == [1.0] * 6
    assert overall_share_influence(averages, EFFECT, SIZES).tolist() == [0.0, 0.0]
