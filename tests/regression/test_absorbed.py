"""Absorbed effects, dummies of cohorts, seasons and predictions: against dummies written out, and what is not known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import EstimationError
from evaluation.regression import Absorbed, Cohorts, Regressors, null_scores, prediction_influence, two_way

UNITS, PERIODS = 8, 12
MONTH = np.arange(PERIODS) % 4


def dummies(season):
    unit, period = (axis.ravel() for axis in np.indices((UNITS, PERIODS)))
    own = unit if season is None else unit * 4 + np.tile(MONTH, UNITS)
    return np.hstack([np.eye(own.max() + 1)[own], np.eye(PERIODS)[period]])


def drawn(seed):
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((UNITS, PERIODS)) < 0.15, 0.0, rng.uniform(0.5, 2.0, (UNITS, PERIODS)))
    return rng, weights


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_residuals_are_those_of_weighted_least_squares_on_dummies(seed, seasonal):
    rng, weights = drawn(seed)
    season = MONTH if seasonal else None
    values, design = rng.normal(size=(UNITS, PERIODS)), dummies(season)
    root = np.sqrt(weights.ravel())
    coefficients = np.linalg.lstsq(design * root[:, None], values.ravel() * root, rcond=None)[0]
    expected = values - (design @ coefficients).reshape(values.shape)
    absorbed = Absorbed(weights, season)
    known = absorbed.identified
    assert known[weights > 0].all()
    np.testing.assert_allclose(absorbed.residual(values)[known], expected[known], atol=1e-9)
    stacked = absorbed.residual(np.stack([values, 2 * values]))
    np.testing.assert_allclose(stacked[1], 2 * stacked[0], atol=1e-9)


def test_what_is_not_connected_is_not_known():
    """Units a, b are seen early, c, d late: levels of one pair say nothing about the periods of the other."""
    weights = np.kron(np.eye(2), np.ones((2, 3)))
    np.testing.assert_array_equal(Absorbed(weights).identified, weights > 0)
    weights[1, 3] = 1.0
    assert Absorbed(weights).identified.all()
    weights[0] = 0.0
    np.testing.assert_array_equal(Absorbed(weights).identified.all(axis=1), [False, True, True, True])
    seasonal = Absorbed(np.ones((2, 6)) * (np.arange(6) < 4), np.arange(6) % 3)
    np.testing.assert_array_equal(seasonal.identified[0], [True, True, True, True, False, False])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from(["gaussian", "poisson"]))
def test_dummies_of_cohorts_are_the_same_as_arrays(seed, seasonal, family):
    rng, _ = drawn(seed)
    codes = rng.permutation([0, 0, 0, 1, 1, 2, 2, 2])
    kernel = np.zeros((3, PERIODS, 2))
    kernel[0, 5:, 0], kernel[1, 7, 1], kernel[0, 3, 1] = 1, 1, 1
    counts, x = rng.poisson(20.0, (UNITS, PERIODS)).astype(float), rng.normal(size=(1, UNITS, PERIODS))
    counts[rng.random(counts.shape) < 0.05] = np.nan
    season = MONTH if seasonal else None
    written = np.concatenate([np.moveaxis(kernel[codes], 2, 0), x])
    dense = two_way(counts, written, family=family, season=season)
    short = two_way(counts, Regressors(x, Cohorts(codes, 3), kernel), family=family, season=season)
    np.testing.assert_allclose(short.coefficients, dense.coefficients, atol=1e-9)
    np.testing.assert_allclose(short.influence, dense.influence, atol=1e-8)
    np.testing.assert_allclose(short.fitted, dense.fitted, atol=1e-7)


def test_season_against_dummies():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    counts, x = rng.poisson(15.0, (UNITS, PERIODS)).astype(float), rng.normal(size=(1, UNITS, PERIODS))
    design = np.delete(np.hstack([x.reshape(-1, 1), dummies(MONTH)]), np.arange(33, 37), axis=1)  # full rank
    for dispersion, family in ((0.0, sm.families.Poisson()), (0.2, sm.families.NegativeBinomial(alpha=0.2))):
        model = sm.GLM(counts.ravel(), design, family=family).fit(tol=1e-12, tol_criterion="params")
        fit = two_way(counts, x, season=MONTH, dispersion=dispersion)
        assert fit.coefficients[0] == pytest.approx(model.params[0], abs=1e-8)
        np.testing.assert_allclose(fit.fitted.ravel(), model.mu, rtol=1e-6)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_predictions_and_their_influence_are_derivatives(family):
    """A unit counted a little more changes the sum of predictions by its influence."""
    rng = np.random.default_rng(4)
    codes = np.repeat([0, 1], [3, 5])
    cohorts, x = Cohorts(codes, 2), rng.normal(size=(1, UNITS, PERIODS))
    counts = rng.poisson(30.0, (UNITS, PERIODS)).astype(float)
    treated = (codes == 0)[:, None] & (np.arange(PERIODS) >= 8)
    kernel = np.zeros((2, PERIODS, 2))
    kernel[0, 8:, 0], kernel[0, 9, 1] = 1.0, 0.5
    outcome = np.where(treated, np.nan, counts)

    def sums(copies):
        repeated = np.repeat(np.arange(UNITS), copies)
        fit = two_way(outcome[repeated], x[:, repeated], family=family)
        first = np.r_[0, np.cumsum(copies)[:-1]]
        return np.einsum("it,itk->k", np.where(treated, fit.predicted[first], 0.0), kernel[codes])

    fit = two_way(outcome, x, family=family)
    slope = np.where(treated, 1.0 if family == "gaussian" else fit.predicted, 0.0)
    influence = prediction_influence(fit, cohorts, kernel, slope)
    assert influence.sum(axis=0) == pytest.approx([0.0, 0.0], abs=1e-8)
    many = 400
    for unit in (0, 5):
        copies = np.full(UNITS, many)
        copies[unit] += 1
        np.testing.assert_allclose(
            many * (sums(copies) - sums(np.full(UNITS, many))), influence[unit], rtol=0.02, atol=1e-3
        )


def test_predictions_where_nothing_is_known_and_where_nothing_happened():
    counts = np.array([[5.0, 0.0, np.nan], [0.0, 0.0, np.nan], [4.0, 3.0, 6.0], [np.nan, np.nan, np.nan]])
    fit = two_way(counts, np.empty((0, 4, 3)))
    assert np.isnan(fit.predicted[3]).all()
    assert (fit.predicted[1] == 0).all(), "an area without a case is expected to have none"
    assert np.isfinite(fit.predicted[0]).all()
    assert fit.used.tolist() == [True, False, True, False]
    apart = two_way(np.where(np.arange(3) == 2, np.nan, counts), np.empty((0, 4, 3)))
    assert np.isnan(apart.predicted[:, 2]).all(), "a period that nobody shows is not predicted"


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["gaussian", "poisson"]))
def test_null_scores_with_a_season_vanish_at_the_estimate(seed, family):
    rng, _ = drawn(seed)
    counts, x = rng.poisson(20.0, (UNITS, PERIODS)).astype(float), rng.normal(size=(UNITS, PERIODS))
    estimate = two_way(counts, x[None], family=family, season=MONTH).coefficients[0]
    scores, information = null_scores(counts, x, estimate, family=family, season=MONTH)
    assert abs(scores.sum()) < 1e-5 * information.sum()


def test_regressors_that_follow_from_each_other_are_refused():
    rng = np.random.default_rng(1)
    counts, x = rng.poisson(9.0, (UNITS, PERIODS)).astype(float), rng.normal(size=(UNITS, PERIODS))
    shared = x + rng.normal(size=(UNITS, 1)) + rng.normal(size=PERIODS)
    for family in ("gaussian", "poisson"):
        with pytest.raises(EstimationError, match="fully explained by unit and period effects"):
            two_way(counts, np.stack([x, shared]), family=family)
    with pytest.raises(EstimationError, match="fully explained by unit and period effects"):
        two_way(counts, (rng.normal(size=(UNITS, 4))[:, MONTH])[None], season=MONTH)
