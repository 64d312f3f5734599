"""Balance: means and standardised differences by hand, where they do not exist, and what columns may be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError
from evaluation.diagnostics import balance
from tests.diagnostics.made import panel_of, poisson_panel


def values(result, variable):
    return [result.row(variable=variable, term=term)["estimate"] for term in ("treated", "comparison", "standardised")]


def test_level_by_hand():
    """Means of 2011 and 2012: treated 10 and 20, comparison 4, 6 and 8; variances 50 and 4."""
    counts = [[99, 9, 11, 0], [99, 18, 22, 0], [99, 4, 4, 7], [99, 5, 7, 7], [99, 8, 8, 7]]
    result = balance(panel_of(counts, {"a": "2013", "b": "2013"}), before=2)
    assert values(result, "level") == pytest.approx([15, 6, 9 / np.sqrt(27)])
    assert result.row(variable="level", term="treated")["n"] == 2
    assert result.row(variable="level", term="comparison")["n"] == 3
    assert result.worded_notes("de") == ["Beschreibt diese Gebiete; keine Stichprobe, kein Standardfehler."]
    assert result.facts["before"] == 2


def test_rise_is_the_last_year_against_the_years_before():
    """Five years before leave no room for a longer memory: the rise is half of them against the other half."""
    counts = [[10, 10, 10, 20, 20, 9], [10, 10, 10, 10, 10, 9], [10, 10, 10, 10, 10, 9], [10, 10, 10, 20, 20, 9]]
    result = balance(panel_of(counts, {"a": "2015"}), before=4)
    assert (result.facts["recent"], result.facts["earlier"]) == (2, 2)
    rise = np.log(20.5) - np.log(10.5)
    own, others, _ = values(result, "rise")
    assert own - others == pytest.approx(rise - rise / 3)


def test_rates_exposure_and_further_columns():
    rng = np.random.default_rng(1)
    counts, people, youth = rng.poisson(50, (8, 6)), rng.uniform(1000, 2000, (8, 6)), rng.uniform(0, 1, (8, 6))
    panel = panel_of(counts, {"a": "2014", "b": "2014"}, exposure=people, columns={"youth": youth})
    result = balance(panel, before=3, columns=["youth"])
    assert result.table["variable"].unique().tolist() == ["level", "rate", "exposure", "rise", "youth"]
    rate = counts[:, 1:4].sum(axis=1) / people[:, 1:4].sum(axis=1)
    assert values(result, "rate")[:2] == pytest.approx([rate[:2].mean(), rate[2:].mean()])
    share = youth[:, 1:4].mean(axis=1)
    spread = np.sqrt((share[:2].var(ddof=1) + share[2:].var(ddof=1)) / 2)
    assert values(result, "youth")[2] == pytest.approx((share[:2].mean() - share[2:].mean()) / spread)


def test_staggered_starts_are_compared_at_their_own_dates():
    """a starts in 2012, b and c in 2014: comparison areas are looked at twice, the second time counts double."""
    counts = np.array(
        [[1, 1, 9, 9, 9, 9], [5, 5, 5, 5, 9, 9], [7, 7, 7, 7, 9, 9], [2, 2, 4, 4, 4, 4], [4, 4, 6, 6, 6, 6]]
    )
    result = balance(panel_of(counts, {"a": "2012", "b": "2014", "c": "2014"}), before=2)
    assert values(result, "level")[:2] == pytest.approx([(1 + 5 + 7) / 3, (3 + 2 * 5) / 3])


def test_not_yet_treated_areas_are_compared_where_the_study_says_so():
    counts = [[10, 10, 9, 9, 9, 9], [20, 20, 20, 20, 9, 9], [40, 40, 40, 40, 40, 40]]
    since = {"a": "2012", "b": "2014"}
    never = balance(panel_of(counts, since), before=2)
    later = balance(panel_of(counts, since, comparison="not_yet_treated"), before=2)
    assert values(never, "level")[1] == pytest.approx(40)
    assert values(later, "level")[1] == pytest.approx((30 + 40) / 2)


def test_no_spread_is_noted_and_one_treated_area_is_standardised_by_the_others():
    counts = [[12, 12, 5], [10, 10, 5], [10, 10, 5], [10, 10, 5]]
    result = balance(panel_of(counts, {"a": "2012"}, columns={"same": 1.0}), columns=["same"], before=2)
    for variable in ("level", "same"):
        row = result.row(variable=variable, term="standardised")
        assert np.isnan(row["estimate"])
        assert row["note"] == "diagnostics.note.no_spread"
    assert result.worded_notes("de") == [
        "Nur ein Gebiet hat die Maßnahme; standardisiert wird mit der Streuung der Vergleichsgebiete.",
        "Beschreibt diese Gebiete; keine Stichprobe, kein Standardfehler.",
        "Zwischen den Gebieten gibt es keine Unterschiede, an denen sich eine Differenz standardisieren ließe.",
    ]
    counts[1] = [8, 8, 5]
    own, others, standardised = values(balance(panel_of(counts, {"a": "2012"}), before=2), "level")
    assert standardised == pytest.approx((own - others) / np.std([8, 10, 10], ddof=1))


def test_gaps_are_counted_and_a_variable_without_data_says_so():
    panel = poisson_panel()
    counts = panel.outcome.copy()
    counts[5, 7] = np.nan
    column = np.full(counts.shape, np.nan)
    result = balance(panel_of(counts, panel.study.starts, columns={"empty": column}), columns=["empty"], before=3)
    assert result.row(variable="level", term="comparison")["n"] == 26
    assert result.row(variable="empty", term="treated")["note"] == "diagnostics.note.incomplete"
    assert "Kein Gebiet hat in der Zeit vor dem Beginn vollständige Daten." in result.worded_notes("de")


def test_columns_that_hold_no_numbers_are_refused():
    with pytest.raises(DesignError) as caught:
        balance(poisson_panel(), columns=["unit", "youth"])
    assert caught.value.worded("en") == (
        "The frame has no numbers in a column “unit”. What to do: Columns with numbers: outcome.\n"
        "The frame has no numbers in a column “youth”. What to do: Columns with numbers: outcome."
    )


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 10), st.floats(-5, 5), st.randoms(use_true_random=False))
def test_standardised_differences_have_no_unit_and_rows_no_order(factor, shift, random):
    rng = np.random.default_rng(2)
    counts, column = rng.poisson(40, (9, 6)), rng.normal(size=(9, 6))
    panel = panel_of(counts, {"a": "2014", "b": "2014"}, columns={"x": column})
    moved = panel_of(counts, {"a": "2014", "b": "2014"}, columns={"x": shift + factor * column})
    order = list(range(len(moved.frame)))
    random.shuffle(order)
    shuffled = type(moved)(moved.frame.iloc[order], moved.study)
    first, second = (balance(one, columns=["x"], before=3) for one in (panel, shuffled))
    assert values(first, "x")[2] == pytest.approx(values(second, "x")[2], abs=1e-9)
    assert values(first, "level") == pytest.approx(values(second, "level"))
