"""The default inference with another measure of change: estimate, interval, notes and facts."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from evaluation import (
    DesignError,
    GroupTime,
    Imputation,
    PoissonCohorts,
    Randomization,
    TwoByTwo,
    TwoWayFixedEffects,
)
from evaluation.did.inference.randomised import randomised_effect, randomised_path
from evaluation.did.inference.unit_effects import choose_windows
from evaluation.randomization.measures import Adjusted, MeanOfLogs, PoissonScore
from evaluation.simulate import example_panel, simulate_panel


@dataclass(frozen=True)
class Method:
    """An estimator as far as its inference is concerned."""

    inference: Randomization = field(default_factory=lambda: Randomization(draws=999))


MEASURES = {
    "logs": MeanOfLogs(),
    "logs, season": MeanOfLogs(12),
    "score": PoissonScore(),
    "score, season": PoissonScore(12),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_strong_effect_is_found_by_every_measure(name):
    panel = simulate_panel(4, shape=(63, 60), treated=8, start=48, log_effect=-0.5)
    row = randomised_effect(panel, Method(), before=24, after=12, change=MEASURES[name]).row(term="effect")
    assert row["p_value"] < 0.01
    assert row["conf_low"] < -0.5 < row["conf_high"] < 0


@pytest.mark.parametrize("name", MEASURES)
def test_interval_ends_are_where_the_test_begins_to_reject(name):
    """The values inside the interval are those that are not rejected: the shifted test says the same at both ends."""
    panel = simulate_panel(5, shape=(63, 60), treated=4, start=48)
    result = randomised_effect(panel, Method(), before=24, after=12, change=MEASURES[name])
    row = result.row(term="effect")
    assert (row["p_value"] <= 0.05) == (row["conf_low"] > 0 or row["conf_high"] < 0)


def test_scores_and_logs_agree_on_busy_areas():
    panel = simulate_panel(7, treated=5, process={"mean": 400.0})
    shown = [
        randomised_effect(panel, Method(), before=12, after=6, change=change).row(term="effect")["estimate"]
        for change in (MeanOfLogs(), PoissonScore())
    ]
    assert shown[0] == pytest.approx(shown[1], abs=0.03)


def test_a_path_with_scores_has_the_same_rows_as_the_event_study():
    panel = simulate_panel(9, shape=(63, 60), treated=4, start=48)
    base = choose_windows(panel, 12, 6, "Method")
    result = randomised_path(panel, Method(), window=(-3, 5), base=base, change=PoissonScore())
    assert result.table["event_time"].tolist() == list(range(-3, 6))
    assert 0 < result.facts["pre_trend_p"] <= 1
    assert result.draws.values.shape == (len(result.draws.values), 9)


def test_the_result_says_which_reference_was_used_and_why():
    panel = simulate_panel(1, shape=(63, 14), treated=["04", "33", "58"], start=9, frequency="year")
    [apart] = TwoByTwo(inference=Randomization(draws=999)).estimate(panel).notes
    assert apart.worded("en") == (
        "Randomisation test, standardised with 7 earlier dates; 1,000 assignments of the measure to other areas within "
        "2 strata of the earlier level."
    )
    touching = replace(panel.study, treated_since={"20": "2018", "21": "2018"}, treated=("20", "21"))
    [connected] = TwoByTwo().estimate(replace(panel, study=touching)).notes
    assert connected.code == "core.note.inference_connected"


def test_few_units_take_earlier_years_and_say_so():
    panel = simulate_panel(1, shape=(10, 14), treated=["04", "08"], start=11, frequency="year")
    notes = [note.worded("de") for note in TwoByTwo().estimate(panel).notes]
    assert "Bei nur 10 Gebieten kommen dieselben Zuteilungen zu 7 früheren Zeitpunkten hinzu." in notes


def test_more_units_than_fit_into_memory_are_refused():
    panel = simulate_panel(1, shape=(40, 14), treated=["04", "08"], start=11, frequency="year")
    with pytest.raises(DesignError) as caught:
        TwoByTwo(inference=Randomization(draws=10_000_000)).estimate(panel)
    assert caught.value.worded("en") == (
        "10,000,000 assignments of 40 units do not fit into memory. What to do: Ask for inference = ClusterRobust() or "
        "MultiplierBootstrap(), or draw fewer assignments."
    )


def test_where_all_cases_vanish_a_ratio_is_missing_and_said_so():
    panel = simulate_panel(2, shape=(63, 60), treated=3, start=48, process={"mean": 3.0})
    counts = panel.frame.copy()
    gone = counts["unit"].isin(panel.study.treated) & (counts["period"] >= min(panel.study.treated_since.values()))
    counts.loc[gone, "outcome"] = 0
    result = randomised_effect(replace(panel, frame=counts), Method(), before=12, after=12, change=PoissonScore())
    row = result.row(term="effect")
    assert row["p_value"] < 0.05
    assert np.isfinite(row["estimate"]) or "no_ratio" in row["note"].split()
    assert np.isfinite(result.draws.values).all()


def test_times_that_reach_beyond_the_history_are_named():
    panel = simulate_panel(1, shape=(63, 14), treated=["04", "33", "58"], start=8, frequency="year")
    base = choose_windows(panel, 3, 6, "Method")
    words = randomised_path(panel, Method(), window=(-2, 5), base=base).worded_notes("en")
    assert any("too few earlier dates; there areas were compared within strata" in note for note in words)


def test_an_effect_that_many_areas_have_is_not_shrunk():
    """With the median of all areas taken off, half of them treated would show -0.60 instead of -0.69."""
    panel = simulate_panel(2, shape=(63, 60), treated=30, start=48, log_effect=np.log(0.5), process={"mean": 200.0})
    row = TwoByTwo(before=24, after=12, inference=Randomization(draws=999)).estimate(panel).row(term="effect")
    assert row["estimate"] == pytest.approx(np.log(0.5), abs=0.03)


def test_an_effect_is_not_shrunk_by_a_covariate_that_treated_areas_have_more_of():
    panel = simulate_panel(2, shape=(63, 60), treated=20, start=48, log_effect=np.log(0.5), process={"mean": 200.0})
    covariate = panel.treated[:, None] + np.random.default_rng(1).normal(0, 0.5, (63, 1))
    method = Method(Randomization(draws=999))
    row = randomised_effect(panel, method, change=Adjusted(MeanOfLogs(), covariate)).row(term="effect")
    assert row["estimate"] == pytest.approx(np.log(0.5), abs=0.05)
    assert row["conf_low"] < np.log(0.5) < row["conf_high"]


def test_detectable_effect_and_exaggeration_do_not_depend_on_the_effect():
    panels = [
        simulate_panel(6, shape=(63, 60), treated=10, start=48, log_effect=effect, process={"mean": 200.0})
        for effect in (-1e-9, -1.0)
    ]
    method = TwoByTwo(before=24, after=12, inference=Randomization(draws=999))
    none, strong = (method.estimate(panel).facts for panel in panels)
    assert strong["detectable"] == pytest.approx(none["detectable"], rel=0.15)
    assert strong["exaggeration"] == pytest.approx(none["exaggeration"], rel=0.1)


def test_areas_excluded_from_the_comparison_are_no_history():
    panel = simulate_panel(8, shape=(63, 14), treated=["04", "33"], start=11, frequency="year")
    broken = panel.frame.copy()
    others = ("10", "11", "12", "13", "14", "15")
    jump = broken["unit"].isin(others) & (broken["period"] >= "2015")
    broken.loc[jump, "outcome"] *= 6
    results = [
        TwoByTwo(inference=Randomization(draws=999)).estimate(
            replace(panel, frame=frame, study=replace(panel.study, excluded=others))
        )
        for frame in (panel.frame, broken)
    ]
    assert results[0].facts == pytest.approx(results[1].facts)


def test_areas_not_yet_treated_are_compared_without_a_history_too():
    starts = {"01": "2012", "02": "2014", "03": "2012", "04": "2014"}
    panel = simulate_panel(1, shape=(4, 6), treated=["01", "02", "03"], start=3, frequency="year")
    study = replace(panel.study, treated_since=starts, treated=tuple(starts), comparison="not_yet_treated")
    row = TwoByTwo(before=2, after=1).estimate(replace(panel, study=study)).row(term="effect")
    assert np.isfinite(row["estimate"])
    assert 0 < row["p_value"] <= 1


def test_connected_sets_that_are_not_to_be_had_are_said():
    panel = simulate_panel(1, shape=(63, 14), treated=["04", "33", "58"], start=9, frequency="year")
    result = TwoByTwo(inference=Randomization(draws=999, reference="connected")).estimate(panel)
    assert "core.note.not_connected" in {note.code for note in result.notes}


def test_earlier_dates_that_join_are_part_of_the_key_of_the_draws():
    panel = simulate_panel(1, shape=(10, 16), treated=["04", "08"], start=12, frequency="year")
    keys = [TwoByTwo(before=before, after=1).estimate(panel).draws.key for before in (2, 6)]
    assert keys[0] != keys[1]


def test_rows_by_event_time_have_the_keys_that_they_have_from_influences():
    panel = example_panel()
    for method in (Imputation, GroupTime, PoissonCohorts, TwoWayFixedEffects):
        drawn = method(aggregation="dynamic", inference=Randomization(draws=99, enumerate_up_to=0)).estimate(panel)
        assert drawn.keys == ["term", "event_time"]
        assert set(drawn.table["term"]) == {"event_time"}
