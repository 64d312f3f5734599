"""The yardstick from the city's history: by hand, against published figures, and by invariance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.randomization.history import fit_history, mean_changes, placebo_dates, unit_changes
from evaluation.randomization.windows import Windows
from tests.simulation.panels import LEIPZIG_SERIES, leipzig_years

YEARLY = Windows(before=3, after=1, recent=1, earlier=3)


def test_change_rise_and_level_by_hand():
    counts = np.array([[10.0, 20.0, 30.0, 40.0, 50.0], [1.0, 1.0, 1.0, 1.0, 1.0], [8.0, 8.0, 8.0, 8.0, 8.0]])
    changes = unit_changes(counts, np.ones_like(counts), np.array([4]), YEARLY)
    change = [np.log(50.5) - np.log(90.5 / 3), np.log(1.5) - np.log(3.5 / 3), np.log(8.5) - np.log(24.5 / 3)]
    rise = [np.log(40.5) - np.log(20.5), 0.0, 0.0]
    np.testing.assert_allclose(changes.change[0], np.array(change) - np.median(change), rtol=1e-12)
    np.testing.assert_allclose(changes.rise[0], rise, atol=1e-12)
    np.testing.assert_allclose(changes.level[0], [30.5, 1.5, 8.5])


def test_placebo_dates_end_before_the_measure():
    assert placebo_dates(15, YEARLY).tolist() == list(range(4, 15))
    assert placebo_dates(15, Windows(before=3, after=2, recent=1, earlier=3)).tolist() == list(range(4, 14))
    assert placebo_dates(4, YEARLY).tolist() == []


def test_gap_moves_the_windows_before_but_not_after():
    counts = np.arange(1.0, 13.0)[None].repeat(2, axis=0)
    apart = Windows(before=2, after=1, recent=1, earlier=1, gap=1)
    found = mean_changes(counts, np.array([6]), apart)
    assert found.tolist() == [[7.0 - 4.5, 7.0 - 4.5]]


def test_a_missing_period_makes_only_its_windows_missing():
    counts = np.full((2, 8), 5.0)
    counts[0, 2] = np.nan
    changes = unit_changes(counts, np.ones_like(counts), np.array([4, 7]), YEARLY)
    assert np.isnan(changes.change[0, 0])
    assert np.isfinite(changes.change[1, 0])


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("series", "slope", "tau2", "phi"),
    [
        (LEIPZIG_SERIES[0], 0.242, 0.0098, 6.87),
        (LEIPZIG_SERIES[1], 0.271, 0.0121, 5.06),
        (LEIPZIG_SERIES[2], 0.100, 0.0099, 2.23),
    ],
)
def test_leipzig_figures(series, slope, tau2, phi):
    """Measure in 2019, three years before, one after; figures are rounded, the last digit depends on the fit."""
    panel = next(p for p in leipzig_years() if p.name.endswith(series))
    dates = placebo_dates(panel.periods.index("2019"), YEARLY)
    history = fit_history(unit_changes(panel.counts, np.ones_like(panel.counts), dates, YEARLY))
    assert history.slope == pytest.approx(slope, abs=0.001)
    assert history.tau2 == pytest.approx(tau2, abs=0.0001)
    assert history.phi == pytest.approx(phi, abs=0.01)


def test_variance_components_are_found_again():
    """Changes with tau2 = .02 and phi = 3, no return to the usual level: the fit is close with many dates."""
    rng = np.random.default_rng(5)
    level = np.exp(rng.uniform(1, 6, (400, 60)))
    change = rng.standard_normal(level.shape) * np.sqrt(0.02 + 3 / level)
    from evaluation.randomization.history import Changes

    history = fit_history(Changes(np.arange(400), change, rng.standard_normal(level.shape), level))
    assert abs(history.slope) < 0.01
    assert history.tau2 == pytest.approx(0.02, rel=0.1)
    assert history.phi == pytest.approx(3, rel=0.1)


def test_components_are_never_negative():
    level = np.tile(np.array([5.0, 10.0, 20.0, 40.0]), (6, 1))
    change = np.tile(np.array([0.1, -0.2, 0.3, -0.6]), (6, 1))  # larger units change more
    from evaluation.randomization.history import Changes

    history = fit_history(Changes(np.arange(6), change, np.zeros_like(change), level))
    assert history.phi == 0.0
    assert history.tau2 > 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_order_of_units_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.uniform(2, 60, 25)[:, None], (25, 16)).astype(float)
    order = rng.permutation(25)
    dates = placebo_dates(14, YEARLY)
    one = fit_history(unit_changes(counts, np.ones_like(counts), dates, YEARLY))
    two = fit_history(unit_changes(counts[order], np.ones_like(counts), dates, YEARLY))
    assert two.slope == pytest.approx(one.slope, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(two.factor, one.factor[order], rtol=1e-6)
