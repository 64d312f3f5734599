"""Monthly counts: mean, dispersion, memory, effect, and speed enough for size tables."""

import time

import numpy as np
import pytest

from evaluation.simulate import simulate_counts
from evaluation.simulate.counts import autoregressive, seasonal

FLAT = {"tau2": 0.0, "season": 0.0}


def test_autoregression_by_hand():
    series = autoregressive(np.array([1.0, 1.0, -2.0]), variance=4.0, serial=0.6)
    assert series.tolist() == pytest.approx([2.0, 0.6 * 2 + 1.6, 0.6 * 2.8 - 3.2])


def test_autoregression_keeps_its_variance_and_serial_correlation():
    series = autoregressive(np.random.default_rng(1).standard_normal((20000, 24)), variance=0.25, serial=0.5)
    assert series.var(axis=0) == pytest.approx(np.full(24, 0.25), abs=0.012)
    assert np.mean(series[:, 4] * series[:, 7]) == pytest.approx(0.25 * 0.5**3, abs=0.01)


def test_season_peaks_in_its_month_and_sums_to_zero_over_a_year():
    wave = seasonal(24, 0.3, peak=7)
    assert wave.argmax() == 6
    assert wave[:12].sum() == pytest.approx(0, abs=1e-12)
    assert wave[:12] == pytest.approx(wave[12:])


@pytest.mark.parametrize("dispersion", [1.0, 2.0, 6.0])
def test_variance_over_mean_is_the_dispersion_in_small_and_large_areas(dispersion):
    levels = np.array([3.0, 30.0, 300.0])
    counts = simulate_counts(np.random.default_rng(2), 3, 40000, mean=levels, dispersion=dispersion, **FLAT)
    assert counts.mean(axis=1) == pytest.approx(levels, rel=0.03)
    assert counts.var(axis=1) / levels == pytest.approx(np.full(3, dispersion), rel=0.05)


def test_dispersion_stays_when_months_are_summed():
    counts = simulate_counts(np.random.default_rng(3), 1, 120000, mean=[20.0], dispersion=3.0, **FLAT)
    years = counts.reshape(-1, 12).sum(axis=1)
    assert years.var() / years.mean() == pytest.approx(3.0, rel=0.05)


def test_one_mean_is_the_mean_over_areas_of_different_levels():
    counts = simulate_counts(np.random.default_rng(4), 4000, 12, mean=20.0, spread=0.8)
    assert counts.mean() == pytest.approx(20.0, rel=0.05)
    assert np.log(counts.mean(axis=1) + 0.5).std() == pytest.approx(0.8, rel=0.1)


def test_shocks_leave_the_mean_and_add_their_variance():
    counts = simulate_counts(
        np.random.default_rng(5), 4000, 12, mean=np.full(4000, 400.0), tau2=0.04, season=0.0, serial=0.5
    )
    assert counts.mean() == pytest.approx(400, rel=0.01)
    assert counts.var() == pytest.approx(2 * 400 + 400**2 * np.expm1(0.04), rel=0.05)


def test_the_effect_multiplies_the_expected_counts():
    effect = np.zeros((2, 24))
    effect[1, 12:] = np.log(0.5)
    counts = simulate_counts(np.random.default_rng(6), 2, 24, mean=[5000.0, 5000.0], log_effect=effect, **FLAT)
    assert counts[1, 12:].sum() / counts[1, :12].sum() == pytest.approx(0.5, abs=0.01)
    assert counts[0, 12:].sum() / counts[0, :12].sum() == pytest.approx(1.0, abs=0.01)


def test_the_same_seed_gives_the_same_whole_numbers():
    first, second = (simulate_counts(np.random.default_rng(7)) for _ in range(2))
    assert first.dtype == np.int64
    assert (first == second).all()
    assert first.shape == (63, 36)


def test_dispersion_below_one_is_refused():
    with pytest.raises(ValueError, match=r"^dispersion is variance over mean and at least 1; got 0\.5$"):
        simulate_counts(np.random.default_rng(1), dispersion=0.5)


def test_levels_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"^mean has shape \(2,\); give one number or one for each of the 63 units$"):
        simulate_counts(np.random.default_rng(1), mean=[1.0, 2.0])


def test_a_panel_takes_less_than_two_milliseconds():
    rng = np.random.default_rng(8)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        simulate_counts(rng)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.002
