"""Larger units: sums, starts and neighbours by hand, dilution with a known truth, and what cannot be added up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError, Randomization, TwoByTwo
from evaluation.diagnostics import at_larger_units, coarser
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import line, panel_of, poisson_panel

METHOD = TwoByTwo(before=3, after=2, inference=Randomization(draws=199))
PARENTS = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "3", "f": "3"}


def test_sums_starts_and_neighbours_by_hand():
    counts = np.arange(24).reshape(6, 4) ** 2
    panel = panel_of(
        counts,
        {"a": "2013", "b": "2012"},
        exposure=counts + 1,
        neighbours=line(6),
        positions={name: (float(number), 0.0) for number, name in enumerate("abcdef")},
        excluded=("b2", "c"),
    )
    larger = coarser(panel, PARENTS)
    assert larger.units == ("1", "2", "3")
    assert larger.outcome.tolist() == (counts[::2] + counts[1::2]).tolist()
    assert larger.exposure.tolist() == (counts[::2] + counts[1::2] + 2).tolist()
    assert larger.study.starts == {"1": "2012"}
    assert larger.study.unit == "district"
    assert larger.study.excluded == ("2",)
    assert larger.neighbours == {"1": frozenset("2"), "2": frozenset("13"), "3": frozenset("2")}
    assert larger.positions == {"1": (0.5, 0.0), "2": (2.5, 0.0), "3": (4.5, 0.0)}


def test_a_larger_unit_with_a_treated_and_an_excluded_part_is_treated():
    panel = panel_of(np.arange(24).reshape(6, 4), {"a": "2012"}, excluded=("b", "d"))
    larger = coarser(panel, PARENTS)
    assert larger.study.treated == ("1",)
    assert larger.study.excluded == ("2",)


def test_a_period_in_which_a_part_is_missing_is_a_gap():
    counts = np.full((6, 4), 5.0)
    counts[2, 1] = np.nan
    panel = panel_of(counts, {"a": "2012"})
    frame = panel.frame[~((panel.frame["unit"] == "f") & (panel.frame["period"] == "2013"))]
    larger = coarser(replace(panel, frame=frame), PARENTS)
    expected = np.full((3, 4), 10.0)
    expected[1, 1] = expected[2, 3] = np.nan
    np.testing.assert_array_equal(larger.outcome, expected)


def test_a_partial_start_on_the_first_day_comes_before_a_later_one_of_the_same_year():
    panel = panel_of(np.ones((6, 4)) * [1, 2, 3, 4], {"a": "2012-05", "b": "2012"}, partial_period="before")
    assert coarser(panel, PARENTS).study.starts == {"1": "2012"}


def test_an_effect_in_half_of_the_cases_is_half_as_large():
    """Parts of 40, 60 and 80 % of the cases of their larger units are treated; cases fall by 40 % there."""
    busy = {"mean": 3000.0, "dispersion": 1.0, "tau2": 0.0}
    names = ["01", "08", "15", "22"]
    panel = simulate_panel(
        2, shape=(63, 14), start=10, frequency="year", treated=names, log_effect=np.log(0.6), process=busy
    )
    parents = {unit: f"B{(int(unit) - 1) // 7}" for unit in panel.units}
    result = at_larger_units(panel, METHOD, parents)
    areas, larger, diluted = result.table["estimate"]
    before = panel.outcome[:, :10].sum(axis=1)
    inside = [int(name) - 1 for name in names]
    share = before[inside].sum() / before[:28].sum()
    assert result.facts["treated_share"] == pytest.approx(share)
    assert result.facts["treated_shares"]["B0"] == pytest.approx(before[0] / before[:7].sum())
    assert (result.facts["larger_units"], result.facts["larger_treated"]) == (9, 4)
    assert areas == pytest.approx(np.log(0.6), abs=0.02)
    assert diluted == pytest.approx(np.log(1 + share * (np.exp(areas) - 1)))
    assert result.table["units"].tolist() == ["areas", "larger", "diluted"]
    # the larger units are not weighted by their cases, so that the two agree only roughly
    assert larger == pytest.approx(diluted, abs=0.06)
    assert "als hätte sich im Rest der größeren Einheiten nichts geändert." in result.worded_notes("de")[-1]


def test_larger_units_are_estimated_as_any_panel_and_cases_are_not_diluted():
    panel = poisson_panel(shape=(26, 12), treated_since={"a": "2018", "b": "2018"})
    parents = {unit: unit if unit > "d" else "ad" for unit in panel.units}
    result = at_larger_units(panel, METHOD, parents)
    by_hand = METHOD.estimate(coarser(panel, parents)).row(term="effect")
    assert result.row(units="larger")["p_value"] == by_hand["p_value"]
    cases = at_larger_units(panel, replace(METHOD, scale="levels"), parents)
    assert cases.table["units"].tolist() == ["areas", "larger"]


def test_units_without_a_larger_one_and_a_city_that_is_treated_everywhere():
    panel = poisson_panel(shape=(6, 12), treated_since={"a": "2018"})
    with pytest.raises(DesignError) as caught:
        coarser(panel, {"a": "1", "b": "1"})
    assert caught.value.worded("en") == (
        "No larger unit is given for: c, d, e and f. What to do: Give the larger unit of every area."
    )
    with pytest.raises(DesignError) as caught:
        coarser(panel, dict.fromkeys(panel.units, "city"))
    assert caught.value.worded("de").startswith("Die Studie „s“ hat kein Vergleichsgebiet.")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_no_case_is_lost_in_any_partition_and_each_unit_alone_is_the_panel(labels):
    panel = poisson_panel(shape=(6, 8), treated_since={"a": "2015"})
    larger = coarser(panel, {"a": "9", **{unit: str(label) for unit, label in zip("bcdef", labels, strict=True)}})
    np.testing.assert_array_equal(larger.outcome.sum(axis=0), panel.outcome.sum(axis=0))
    same = coarser(panel, {unit: unit for unit in panel.units})
    np.testing.assert_array_equal(same.outcome, panel.outcome)
    assert same.study.starts == panel.study.starts
