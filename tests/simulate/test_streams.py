"""Draws by inversion: exact quantiles, one number for each value, the same on every machine."""

import numpy as np
import pytest
from scipy import stats

from evaluation.simulate.streams import Stream, poisson_quantile, position


def test_the_bit_stream_is_that_of_pcg64():
    raw = np.random.PCG64(np.random.SeedSequence(201812)).random_raw(3)
    assert Stream(201812).uniform(3).tolist() == [((int(value) >> 12) + 0.5) / 2**52 for value in raw]


def test_numbers_are_fixed():
    # Known since the sample project was made: a library that changes them changes the sample.
    assert Stream(201812).uniform(2).tolist() == [0.5012041161925614, 0.03188295410347031]


def test_uniform_numbers_are_never_0_or_1():
    values = Stream(1).uniform((100, 1000))
    assert 0 < values.min() < 1e-4
    assert 1 - 1e-4 < values.max() < 1


def test_blocks_are_independent_of_what_others_draw():
    whole = Stream(5)
    whole.uniform(10)
    assert whole.spawn("a", "b")["b"].uniform(2).tolist() == Stream(5).spawn("a", "b")["b"].uniform(2).tolist()
    assert Stream(5).spawn("a", "b")["a"].uniform(2).tolist() != Stream(5).spawn("a", "b")["b"].uniform(2).tolist()


@pytest.mark.parametrize("mean", [0.02, 0.9, 7.5, 60.0, 300.0])
def test_poisson_quantiles_are_those_of_scipy(mean):
    uniform = (np.arange(2000) + 0.5) / 2000
    found = poisson_quantile(uniform, np.full(2000, mean))
    assert (found == stats.poisson.ppf(uniform, mean)).all()


def test_poisson_quantile_ends_where_rounding_leaves_the_sum_under_one():
    assert poisson_quantile(np.array([1 - 2**-53]), np.array([20.0]))[0] < 100


def test_poisson_means_over_500_are_refused():
    with pytest.raises(ValueError, match=r"^means up to 500 are possible; got 501$"):
        poisson_quantile(np.array([0.5]), np.array([501.0]))


def test_positions_skip_weights_of_zero_and_stay_inside():
    assert position(np.array([0.0, 0.25, 0.5, 0.999999999]), [0, 1, 0, 1, 0]).tolist() == [1, 1, 3, 3]


def test_normal_numbers_have_their_moments():
    values = Stream(4).normal(200000)
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert values.std() == pytest.approx(1, abs=0.01)
