"""Leave one out: each row is the estimate without these areas, the one that carries the effect is found."""

import numpy as np
import pytest

from evaluation import DesignError, Randomization, TwoByTwo
from evaluation.diagnostics import leave_one_out
from tests.diagnostics.made import panel_of, poisson_panel

METHOD = TwoByTwo(before=3, after=1, inference=Randomization(draws=199))
NUMBERS = ["estimate", "p_value", "conf_low", "conf_high"]


def halves(panel):
    return {unit: "south" if unit < "n" else "north" for unit in panel.units}


def test_rows_are_the_estimates_without_these_areas():
    panel = poisson_panel(shape=(26, 12), effect=0.7)
    result = leave_one_out(panel, METHOD, parents=halves(panel))
    assert result.table[["kind", "unit", "n"]].to_numpy().tolist() == [
        ["treated", "a", 1],
        ["treated", "b", 1],
        ["treated", "c", 1],
        ["comparison", "north", 13],
        ["comparison", "south", 10],
    ]
    without_b = panel_of(panel.outcome[[0, 2, *range(3, 26)]], {"a": "2019", "b": "2019"})
    without_south = panel_of(panel.outcome[[0, 1, 2, *range(13, 26)]], panel.study.starts)
    for other, row in ((without_b, result.row(unit="b")), (without_south, result.row(unit="south"))):
        by_hand = METHOD.estimate(other).row(term="effect")
        assert row[NUMBERS].tolist() == pytest.approx(by_hand[NUMBERS].tolist())
    estimates = result.table["estimate"]
    assert result.facts["estimate"] == METHOD.estimate(panel).row(term="effect")["estimate"]
    assert (result.facts["lowest"], result.facts["highest"]) == (estimates.min(), estimates.max())


def test_the_area_that_carries_the_effect_is_found():
    panel = poisson_panel()
    counts = panel.outcome.copy()
    counts[1, 9:] //= 10
    result = leave_one_out(panel_of(counts, panel.study.starts), METHOD)
    assert result.facts["most_influential"] == "b"
    assert result.facts["highest"] == result.row(unit="b")["estimate"]
    assert abs(result.row(unit="b")["estimate"]) < 0.2
    assert result.facts["largest_change"] == pytest.approx(
        result.row(unit="b")["estimate"] - result.facts["estimate"], abs=1e-12
    )


def test_the_windows_stay_those_of_the_full_estimate():
    """Without the earliest area there would be room for a longer window before."""
    panel = poisson_panel(treated_since={"a": "2013", "b": "2019", "c": "2019"})
    method = TwoByTwo(inference=Randomization(draws=199))
    before = method.estimate(panel).facts["before"]
    fixed = TwoByTwo(before=before, after=1, inference=Randomization(draws=199))
    without_a = panel_of(panel.outcome[1:], {"a": "2019", "b": "2019"})
    row = leave_one_out(panel, method).row(unit="a")
    assert row["estimate"] == pytest.approx(fixed.estimate(without_a).row(term="effect")["estimate"])


def test_one_treated_area_leaves_districts_alone():
    panel = poisson_panel(shape=(26, 12), treated_since={"a": "2019"})
    with pytest.raises(DesignError) as caught:
        leave_one_out(panel, METHOD)
    assert caught.value.worded("de") == (
        "Nur ein Gebiet hat die Maßnahme; es kann nicht weggelassen werden. Abhilfe: Den Bezirk jedes Gebiets "
        "angeben (parents): Dann werden Vergleichsgebiete bezirksweise weggelassen."
    )
    result = leave_one_out(panel, METHOD, parents=halves(panel))
    assert result.table["kind"].tolist() == ["comparison", "comparison"]


def test_areas_without_a_district_are_named():
    panel = poisson_panel()
    with pytest.raises(DesignError) as caught:
        leave_one_out(panel, METHOD, parents={unit: "x" for unit in panel.units[:-2]})
    assert caught.value.worded("de") == (
        f"Keine größere Einheit ist angegeben für: {panel.units[-2]} und {panel.units[-1]}. "
        "Abhilfe: Die größere Einheit jedes Gebiets angeben."
    )


def test_a_district_with_all_comparison_areas_cannot_be_left_out_and_the_result_says_so():
    panel = poisson_panel()
    result = leave_one_out(panel, METHOD, parents=dict.fromkeys(panel.units, "city"))
    row = result.row(unit="city")
    assert np.isnan(row["estimate"])
    assert row["note"] == "diagnostics.note.not_estimated"
    assert "Die Studie „s“ hat kein Vergleichsgebiet." in result.worded_notes("de")
