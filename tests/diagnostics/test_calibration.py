"""False alarms on earlier dates: about the level where nothing is wrong, missing where there is no history."""

import numpy as np

from evaluation import EventStudy, TwoByTwo
from evaluation.diagnostics import placebo_calibration, specifications
from evaluation.errors import DesignError
from evaluation.estimates import Estimates
from evaluation.simulate import simulate_panel
from tests.did.test_two_by_two import panel_of


def test_false_alarms_are_about_five_percent():
    rates = []
    for seed in range(12):
        panel = simulate_panel(seed, shape=(63, 20), start=17, frequency="year", treated=["04", "20", "33"])
        table = placebo_calibration(panel, TwoByTwo(before=3, after=1), experiments=40).table
        assert table["rule"].tolist() == ["random", "highest", "risers"]
        rates.append(table["estimate"].to_numpy())
    np.testing.assert_allclose(np.mean(rates, axis=0), 0.05, atol=0.03)


def test_a_short_series_says_why_there_is_no_rate():
    counts = np.random.default_rng(1).poisson(40, (30, 6))
    result = placebo_calibration(panel_of(counts, {"a": "2014"}), TwoByTwo(before=3, after=1))
    assert result.table["estimate"].isna().all()
    assert result.worded_notes("de") == [
        "Für eine Prüfung an früheren Jahren ohne Maßnahme reicht die Zeitreihe nicht."
    ]


def test_specifications_side_by_side_with_the_reason_of_a_missing_one():
    panel = panel_of(np.random.default_rng(1).poisson(40, (30, 9)), {"a": "2017"})
    found = specifications(
        panel, {"3/1": TwoByTwo(before=3, after=1), "9/1": TwoByTwo(before=9, after=1), "e": EventStudy()}
    )
    assert isinstance(found["3/1"], Estimates)
    assert isinstance(found["e"], Estimates)
    assert isinstance(found["9/1"], DesignError)


def test_few_areas_are_tried_out_with_the_reference_set_of_the_test():
    """One area of ten cannot reach 5 % without the earlier dates; gaps may leave too few areas at a date."""
    counts = np.random.default_rng(0).poisson(50, (10, 18)).astype(float)
    result = placebo_calibration(panel_of(counts, {"a": "2025"}), TwoByTwo(), experiments=40)
    assert 0 < result.row(rule="random")["estimate"] < 0.15
    counts[2, 3] = np.nan
    result = placebo_calibration(panel_of(counts, dict.fromkeys("abcdefghi", "2025")), TwoByTwo(), experiments=10)
    assert np.isfinite(result.table["estimate"]).all()
