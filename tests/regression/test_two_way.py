"""The regression core: by hand, against pyfixest's numbers, by invariance, and its null scores."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import EstimationError
from evaluation.regression import null_scores, two_way


def test_poisson_two_by_two_by_hand():
    counts = np.array([[50.0, 30.0], [60.0, 55.0]])
    fit = two_way(counts, np.array([[[0.0, 1.0], [0.0, 0.0]]]))
    assert np.exp(fit.coefficients[0]) == pytest.approx((30 / 50) / (55 / 60), abs=1e-12)
    np.testing.assert_allclose(fit.fitted, counts, rtol=1e-9)


def test_against_dummies():
    rng = np.random.default_rng(1)
    y, x = rng.poisson(5.0, (6, 5)).astype(float), rng.standard_normal((2, 6, 5))
    dummies = [np.kron(np.eye(6), np.ones((5, 1))), np.kron(np.ones((6, 1)), np.eye(5))[:, 1:]]
    design = np.hstack([x.reshape(2, -1).T, *dummies])
    expected = np.linalg.lstsq(design, y.ravel(), rcond=None)[0][:2]
    np.testing.assert_allclose(two_way(y, x, family="gaussian").coefficients, expected, rtol=1e-10)
    import statsmodels.api as sm

    people = rng.uniform(1, 3, (6, 5))
    model = sm.GLM(y.ravel(), design, family=sm.families.Poisson(), offset=np.log(people).ravel()).fit(tol=1e-14)
    found = two_way(y, x, exposure=people)
    np.testing.assert_allclose(found.coefficients, model.params[:2], rtol=1e-8)
    scores = design * (y.ravel() - model.mu)[:, None]
    by_unit = scores.reshape(6, 5, -1).sum(axis=1)
    inverse = np.linalg.inv((design * model.mu[:, None]).T @ design)
    np.testing.assert_allclose(found.influence, (by_unit @ inverse)[:, :2], atol=1e-7)


@pytest.mark.usefixtures("shared")
def test_mpdta(shared):
    """County minimum wages: coefficients of pyfixest 0.60 (../shared/reference/mpdta_reference.json)."""
    frame = pd.read_csv(shared / "reference" / "mpdta.csv")
    reference = json.loads((shared / "reference" / "mpdta_reference.json").read_text(encoding="utf-8"))[
        "other_estimators"
    ]
    wide = frame.set_index(["countyreal", "year"])["lemp"].unstack()  # noqa: PD010
    start = frame.groupby("countyreal")["first.treat"].first().loc[wide.index].to_numpy()
    treated = ((start[:, None] > 0) & (wide.columns.to_numpy()[None] >= start[:, None])).astype(float)[None]
    gaussian = two_way(wide.to_numpy(), treated, family="gaussian")
    assert gaussian.coefficients[0] == pytest.approx(reference["TWFE (pyfixest 0.60, CRV1 by county)"][0], abs=1e-8)
    poisson = two_way(np.exp(wide.to_numpy()), treated)
    name = next(name for name in reference if name.startswith("Poisson"))
    assert poisson.coefficients[0] == pytest.approx(reference[name][0], abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5))
def test_null_scores_vanish_at_the_estimate(seed, other):
    rng = np.random.default_rng(seed)
    y, x = rng.poisson(20.0, (12, 8)).astype(float), rng.integers(0, 2, (12, 8)).astype(float)
    estimate = two_way(y, x[None]).coefficients[0]
    scores, information = null_scores(y, x, estimate)
    assert abs(scores.sum()) < 1e-5 * information.sum()
    scores, information = null_scores(y, x, estimate + other)
    if abs(other) > 1e-3:
        assert np.sign(scores.sum()) == -np.sign(other)


def test_missing_cells_and_empty_units_do_not_count():
    rng = np.random.default_rng(3)
    y, x = rng.poisson(9.0, (8, 6)).astype(float), rng.standard_normal((1, 8, 6))
    full = two_way(y, x)
    padded = np.vstack([y, np.zeros((1, 6)), np.full((1, 6), np.nan)])
    more = two_way(padded, np.concatenate([x, rng.standard_normal((1, 2, 6))], axis=1))
    np.testing.assert_allclose(more.coefficients, full.coefficients, rtol=1e-9)
    assert more.used.tolist() == [True] * 8 + [False] * 2
    assert (more.influence[8:] == 0).all()


def test_what_cannot_be_separated_is_refused():
    y = np.random.default_rng(1).poisson(9.0, (4, 4)).astype(float)
    with pytest.raises(EstimationError, match="fully explained by unit and period effects"):
        two_way(y, np.ones((1, 4, 1)) * np.arange(4.0))
    with pytest.raises(EstimationError, match="runs off to infinity"):
        two_way(np.array([[5.0, 0.0], [6.0, 7.0]]), np.array([[[0.0, 1.0], [0.0, 0.0]]]))


@pytest.mark.parametrize("size", [1e2, 1e6])
def test_a_coefficient_that_runs_off_is_noticed_beside_large_counts(size):
    rng = np.random.default_rng(1)
    y = rng.poisson(rng.gamma(2, size, (200, 2))).astype(float)
    y[0] = [2, 0]
    x = np.zeros((1, 200, 2))
    x[0, 0, 1] = 1
    with pytest.raises(EstimationError, match="runs off to infinity"):
        two_way(y, x)
