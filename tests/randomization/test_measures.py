"""How estimators see a unit's change: by hand, against the regression they stand for, and by invariance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.randomization.history import unit_changes
from evaluation.randomization.measures import Adjusted, LogOfSums, MeanOfLogs, PoissonScore, compared_periods
from evaluation.randomization.windows import Windows
from evaluation.regression import null_scores

SHORT = Windows(before=2, after=1, recent=1, earlier=1)
YEARS = Windows(before=24, after=6, recent=12, earlier=12)
MEASURES = {
    "sums": LogOfSums(),
    "logs": MeanOfLogs(),
    "logs, season": MeanOfLogs(12),
    "score": PoissonScore(),
    "score, season": PoissonScore(12),
}


def counts_of(seed, units=6, periods=40, mean=9.0):
    return np.random.default_rng(seed).poisson(mean, (units, periods)).astype(float)


def test_mean_of_logs_by_hand():
    counts = np.array([[3.0, 5.0, 7.0], [1.0, 0.0, 2.0]])
    people = np.array([[10.0, 10.0, 20.0], [1.0, 1.0, 1.0]])
    found = MeanOfLogs().values(counts, people, np.array([2]), SHORT)
    first = np.log(7.5 / 20) - (np.log(3.5 / 10) + np.log(5.5 / 10)) / 2
    second = np.log(2.5) - (np.log(1.5) + np.log(0.5)) / 2
    np.testing.assert_allclose(found, [[first, second]], rtol=1e-12)


def test_poisson_score_by_hand():
    """24 cases, 8 of them after: a third is expected after; the first unit has 5 of 12, the second 3 of 12."""
    counts = np.array([[3.0, 4.0, 5.0], [5.0, 4.0, 3.0]])
    found = PoissonScore().values(counts, np.ones_like(counts), np.array([2]), SHORT)
    np.testing.assert_allclose(found, [[1 / (12 * 2 / 9), -1 / (12 * 2 / 9)]], rtol=1e-9)


def test_poisson_score_is_the_null_score_over_the_information_of_the_regression():
    counts = counts_of(1, periods=2)
    people = np.random.default_rng(2).uniform(5, 20, counts.shape)
    windows = Windows(before=1, after=1, recent=1, earlier=0)
    found = PoissonScore().values(counts, people, np.array([1]), windows)[0]
    for unit in range(len(counts)):
        regressor = np.zeros_like(counts)
        regressor[unit, 1] = 1.0
        scores, _ = null_scores(counts, regressor, exposure=people)
        expected = (counts.sum(axis=1) * _shares(counts, people))[unit]
        information = expected * (1 - _shares(counts, people)[unit])
        assert found[unit] == pytest.approx((counts[unit, 1] - expected) / information, rel=1e-8)
        assert scores.sum() == pytest.approx(counts[unit, 1] - expected, rel=1e-6, abs=1e-8)


def _shares(counts, people):
    from scipy.optimize import brentq

    def gap(growth):
        odds = people[:, 1] / people[:, 0] * np.exp(growth)
        return counts[:, 1].sum() - (counts.sum(axis=1) * odds / (1 + odds)).sum()

    odds = people[:, 1] / people[:, 0] * np.exp(brentq(gap, -5, 5))
    return odds / (1 + odds)


@pytest.mark.parametrize("effect", [-1.2, -0.2, 0.5])
def test_scores_are_mapped_back_to_the_ratio_that_made_them(effect):
    """A unit whose cases after are those expected times a ratio shows exactly this ratio."""
    counts = np.full((200, 3), 100.0)
    counts[0, 2] *= np.exp(effect)
    score = PoissonScore()
    found = score.log_ratio(score.values(counts, np.ones_like(counts), np.array([2]), SHORT), SHORT)[0, 0]
    assert found == pytest.approx(effect, abs=0.01)  # the unit itself moves the common growth a little


def test_no_ratio_where_a_score_is_beyond_all_ratios():
    assert np.isnan(PoissonScore().log_ratio(np.array([-5.0, 5.0]), SHORT)).all()


def test_a_season_compares_calendar_months_with_themselves():
    month = np.tile(np.arange(12), 4)[None, :40]
    counts = np.round(100 * np.exp(0.8 * np.cos(2 * np.pi * month / 12))) * np.array([[1.0], [3.0], [0.5]])
    people = np.ones_like(counts)
    dates = np.array([25, 30])
    assert np.abs(MeanOfLogs().values(counts, people, dates, YEARS)).min() > 0.1
    np.testing.assert_allclose(MeanOfLogs(12).values(counts, people, dates, YEARS), 0, atol=1e-12)
    np.testing.assert_allclose(PoissonScore(12).values(counts, people, dates, YEARS), 0, atol=1e-9)


def test_compared_periods_are_whole_years_apart():
    pairs = compared_periods(YEARS, 12)
    assert len(pairs) == 6
    assert all(((after[:, None] - before) % 12 == 0).all() for before, after in pairs)


def test_adjusted_changes_do_not_depend_on_the_covariate():
    counts = counts_of(3, units=30)
    covariate = np.random.default_rng(4).normal(size=(30, 1))
    found = Adjusted(LogOfSums(), covariate).values(counts, np.ones_like(counts), np.array([30]), YEARS)[0]
    assert abs(found @ covariate[:, 0]) < 1e-10
    assert abs(found.sum()) < 1e-10


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_units_in_another_order_have_the_same_changes(name, seed):
    counts, order = counts_of(seed), np.random.default_rng(seed).permutation(6)
    dates = np.array([26, 30])
    one = unit_changes(counts, np.ones_like(counts), dates, YEARS, MEASURES[name])
    two = unit_changes(counts[order], np.ones_like(counts), dates, YEARS, MEASURES[name])
    np.testing.assert_allclose(two.change, one.change[:, order], atol=1e-10)


@pytest.mark.parametrize("name", MEASURES)
def test_exposure_in_other_units_changes_nothing(name):
    counts, people = counts_of(5), np.random.default_rng(6).uniform(100, 200, (6, 40))
    dates = np.array([26])
    one = unit_changes(counts, people, dates, YEARS, MEASURES[name])
    two = unit_changes(counts, 1000 * people, dates, YEARS, MEASURES[name])
    np.testing.assert_allclose(two.change, one.change, atol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_a_missing_period_is_missing_only_where_it_counts(name):
    counts = counts_of(7)
    counts[2, 27] = np.nan
    found = unit_changes(counts, np.ones_like(counts), np.array([24, 25]), YEARS, MEASURES[name]).change
    assert np.isnan(found[:, 2]).all()
    assert np.isfinite(np.delete(found, 2, axis=1)).all()


def test_units_without_a_case_contribute_nothing_to_scores():
    counts = counts_of(8)
    counts[1] = 0.0
    assert PoissonScore().values(counts, np.ones_like(counts), np.array([30]), YEARS)[0, 1] == 0.0
