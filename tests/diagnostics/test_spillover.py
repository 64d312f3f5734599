"""Spillover: members of rings by hand, known effects on each ring, and maps that allow no answer."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import DesignError, Randomization, TwoByTwo
from evaluation.diagnostics import rings, without_neighbours
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import line, panel_of, poisson_panel

METHOD = TwoByTwo(before=3, after=2, inference=Randomization(draws=199))
RING_1 = ["01", "02", "03", "10", "12", "19", "20", "21", "04", "13", "22"]


def calm(seed=3, spill=0.7, effect=0.6):
    """63 areas in rows of nine with many cases; 11 and 12 have the measure, and spill over to who touches them."""
    busy = {"mean": 20000.0, "dispersion": 1.0, "tau2": 0.0}
    panel = simulate_panel(
        seed, shape=(63, 16), start=12, frequency="year", treated=["11", "12"], log_effect=np.log(effect), process=busy
    )
    frame = panel.frame.copy()
    near = set(RING_1) - {"11", "12"}
    late = frame["period"] >= panel.periods[12]
    frame.loc[frame["unit"].isin(near) & late, "outcome"] = (frame["outcome"] * spill).round().astype(int)
    return replace(panel, frame=frame)


def test_each_ring_shows_its_own_effect():
    panel = calm()
    result = rings(panel, METHOD)
    assert set(result.facts["members"][1]) == set(RING_1) - {"11", "12"}
    assert result.table["n"].tolist() == [2, 10, 8]
    assert result.facts["far"] == 63 - 20
    assert result.table["estimate"].tolist() == pytest.approx([np.log(0.6), np.log(0.7), 0.0], abs=0.02)
    assert result.row(ring=0)["conf_high"] < 0
    assert result.row(ring=2)["p_value"] > 0.05


def test_a_ring_is_the_estimate_with_the_other_rings_set_aside():
    panel = poisson_panel(shape=(26, 12), treated_since={"a": "2018", "b": "2018"}, neighbours=line(26))
    result = rings(panel, METHOD)
    assert result.facts["members"] == {0: ("a", "b"), 1: ("c",), 2: ("d",)}
    by_hand = METHOD.estimate(replace(panel, study=replace(
        panel.study, treated_since={"c": "2018"}, treated=("c",), excluded=("a", "b", "d")
    )))  # fmt: skip
    row, other = result.row(ring=1), by_hand.row(term="effect")
    assert (row["estimate"], row["p_value"]) == (other["estimate"], other["p_value"])


def test_between_two_areas_spillover_starts_with_the_earlier_and_the_declared_comparison_does_not_matter():
    since = {"a": "2018", "c": "2016"}
    panel = poisson_panel(shape=(26, 12), treated_since=since, neighbours=line(26))
    result = rings(panel, METHOD, order=1)
    assert result.facts["members"][1] == ("b", "d")
    by_hand = METHOD.estimate(
        panel_of(panel.outcome, {"b": "2016", "d": "2016"}, neighbours=line(26), excluded=("a", "c"))
    )
    assert result.row(ring=1)["estimate"] == by_hand.row(term="effect")["estimate"]
    apart = poisson_panel(shape=(26, 12), treated_since=since, neighbours=line(26), leave_out="neighbours")
    assert rings(apart, METHOD, order=1).table.equals(result.table)


def test_spillover_starts_with_the_nearest_area_and_an_excluded_area_is_in_no_ring():
    """a starts in 2016, h in 2018; d is two steps from a, f two from h, e is excluded."""
    panel = poisson_panel(
        shape=(26, 12), treated_since={"a": "2016", "h": "2018"}, neighbours=line(26), excluded=("e",), mean=4000
    )
    counts = panel.outcome.copy()
    counts[[2], 6:] *= 0.5  # c, from the start of a
    counts[[5], 8:] *= 0.5  # f, from the start of h
    changed = panel_of(counts, panel.study.starts, neighbours=line(26), excluded=("e",))
    result = rings(changed, METHOD)
    assert result.facts["members"] == {0: ("a", "h"), 1: ("b", "g", "i"), 2: ("c", "f", "j")}
    only = {"c": "2016", "f": "2018", "j": "2018"}
    by_hand = METHOD.estimate(panel_of(counts, only, neighbours=line(26), excluded=("a", "b", "e", "g", "h", "i"))).row(
        term="effect"
    )
    assert result.row(ring=2)["estimate"] == by_hand["estimate"]


def test_without_neighbours_the_bias_of_their_spillover_is_gone():
    panel = calm()
    result = without_neighbours(panel, METHOD)
    assert result.table["comparison"].tolist() == ["all", "without_neighbours", "difference"]
    assert result.table["n"].tolist() == [61, 51, 10]
    everyone, apart, difference = result.table["estimate"]
    assert apart == pytest.approx(np.log(0.6), abs=0.02)
    assert everyone > apart + 0.04  # the calmer neighbours hide a part of the effect
    assert difference == pytest.approx(apart - everyone)
    declared = replace(panel, study=replace(panel.study, leave_out="neighbours"))
    assert without_neighbours(declared, METHOD).facts["estimate"] == apart
    assert result.facts["estimate"] == everyone


def test_the_outermost_ring_may_be_empty_of_areas_or_nothing_lies_beyond():
    panel = poisson_panel(shape=(6, 12), treated_since={"c": "2018"}, neighbours=line(6))
    with pytest.raises(DesignError) as caught:
        rings(panel, METHOD, order=3)
    assert caught.value.worded("de") == (
        "Jenseits von Ring 3 liegt kein Vergleichsgebiet mehr. Abhilfe: order kleiner angeben."
    )
    island = {**line(26), "a": frozenset(), "b": frozenset("c")}
    alone = poisson_panel(shape=(26, 12), treated_since={"a": "2018"}, neighbours=island)
    result = rings(alone, METHOD, order=1)
    assert result.table["n"].tolist() == [1, 0]
    assert result.row(ring=1)["note"] == "diagnostics.note.empty_ring"
    assert result.worded_notes("de")[-1] == "In diesem Ring liegt kein Gebiet."


def test_without_a_map_there_is_no_answer():
    panel = poisson_panel()
    for check in (rings, without_neighbours):
        with pytest.raises(DesignError) as caught:
            check(panel, METHOD)
        assert caught.value.worded("de") == (
            "Es ist nicht bekannt, welche Gebiete der Studie „s“ sich berühren. "
            "Abhilfe: Die Geometrie der Gebiete angeben (neighbours des Panels)."
        )
    with pytest.raises(DesignError) as caught:
        rings(panel, METHOD, order=0)
    assert caught.value.worded("de") == "rings: order = 0 ist nicht erlaubt. Abhilfe: Erlaubt: >= 1."


def test_size_on_a_small_number_of_panels():
    """No effect, no spillover: over 120 panels rings 0 and 1 rejected in 3 and 6 %."""
    rejected = []
    for seed in range(16):
        names = sorted(f"{unit + 1:02d}" for unit in np.random.default_rng(seed).choice(63, 3, replace=False))
        panel = simulate_panel(seed, shape=(63, 16), start=12, frequency="year", treated=names, log_effect=0)
        table = rings(panel, TwoByTwo(before=3, after=1, inference=Randomization(draws=199)), order=1).table
        rejected.append((table["p_value"] <= 0.05).tolist())
    assert np.mean(rejected) <= 0.16
