"""Panels and samples with a known effect."""

import numpy as np
import pytest

from evaluation.simulate import example_panel, simulate_panel, simulate_sample


def test_the_busiest_areas_of_the_year_before_are_treated():
    panel = simulate_panel(3, treated=4, log_effect=0.0)
    start = panel.starts.max()
    before = panel.outcome[:, start - 12 : start].sum(axis=1)
    assert set(np.argsort(-before)[:4]) == set(np.flatnonzero(panel.treated))


@pytest.mark.parametrize("log_effect", [-0.5, 0.4])
def test_the_effect_is_that_of_the_same_panel_without_it(log_effect):
    process = {"mean": 2000.0}
    names = ["05", "06", "07"]
    bare = simulate_panel(4, treated=names, log_effect=0.0, process=process)
    panel = simulate_panel(4, treated=names, log_effect=log_effect, process=process)
    after, start = panel.treated, panel.starts.max()
    ratio = panel.outcome[after, start:].sum() / bare.outcome[after, start:].sum()
    assert np.log(ratio) == pytest.approx(log_effect, abs=0.02)
    assert (panel.outcome[~after] == bare.outcome[~after]).all()
    assert (panel.outcome[:, :start] == bare.outcome[:, :start]).all()


def test_neighbours_of_a_grid_touch_in_corners_too():
    neighbours = simulate_panel(1).neighbours
    assert neighbours["01"] == {"02", "10", "11"}
    assert neighbours["11"] == {"01", "02", "03", "10", "12", "19", "20", "21"}
    assert neighbours["09"] == {"08", "17", "18"}


def test_the_example_is_yearly_with_three_treated_areas():
    panel = example_panel()
    assert (panel.periods[0], panel.periods[-1], int(panel.treated.sum())) == ("2009", "2022", 3)


def test_weights_of_a_sample_are_those_of_its_areas():
    sample = simulate_sample(2, areas=8, per_area=5)
    by_area = sample.frame.groupby(["wave", "area"])["weight"]
    assert by_area.nunique().eq(1).all()
    assert by_area.size().eq(5).all()


def test_answers_follow_the_odds():
    sample = simulate_sample(5, areas=40, per_area=2000, log_odds=-0.5)
    frame = sample.frame

    def odds(rows):
        share = (rows["answer"] > 2).mean()
        return np.log(share / (1 - share))

    last = frame["wave"].eq("2024")
    change = [
        odds(frame[last & frame["treated"].eq(t)]) - odds(frame[~last & frame["treated"].eq(t)]) for t in (True, False)
    ]
    assert change[0] - change[1] == pytest.approx(-0.5, abs=0.08)
