"""Raw trends: rates and the expectation by hand, as two by two has it, gaps, and what no expectation can come from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError, EstimationError, TwoByTwo
from evaluation.diagnostics import raw_trends
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import panel_of, poisson_panel


def series(result, name):
    rows = result.table[result.table["series"] == name]
    return dict(zip(rows["period"], rows["estimate"], strict=True))


def test_by_hand():
    """Before: treated 40 and 60, others 100 and 100; the others double, so 100 cases are expected a year."""
    counts = [[40, 60, 90, 110], [50, 50, 100, 120], [50, 50, 100, 80]]
    result = raw_trends(panel_of(counts, {"a": "2012"}), before=2)
    assert series(result, "treated") == {"2010": 40, "2011": 60, "2012": 90, "2013": 110}
    assert series(result, "comparison") == {"2010": 50, "2011": 50, "2012": 100, "2013": 100}
    assert series(result, "expected") == {"2012": 100, "2013": 100}
    assert result.facts == {
        "starts": {"2012": 1},
        "period": "year",
        "rate": False,
        "before": 2,
        "observed": 200,
        "expected": 200,
    }
    assert result.table.set_index(["series", "period"])["n"].loc[
        [("treated", "2012"), ("expected", "2013")]
    ].tolist() == [
        90,
        100,
    ]
    assert result.worded_notes("de") == ["Beschreibt diese Gebiete; keine Stichprobe, kein Standardfehler."]


def test_rates_follow_the_exposure():
    """10 per 1,000 before; the others' rate halves; twice as many people let expect as many cases."""
    counts = [[10, 10, 4], [30, 30, 30], [20, 20, 20]]
    people = [[1000, 1000, 2000], [3000, 3000, 6000], [2000, 2000, 4000]]
    result = raw_trends(panel_of(counts, {"a": "2012"}, exposure=people), before=2)
    assert series(result, "treated") == pytest.approx({"2010": 10, "2011": 10, "2012": 2})
    assert series(result, "comparison") == pytest.approx({"2010": 10, "2011": 10, "2012": 5})
    assert series(result, "expected") == pytest.approx({"2012": 5})
    assert result.facts["expected"] == pytest.approx(10)
    assert result.scale.unit == "cases_per_1000"


def test_areas_that_start_later_are_expected_to_have_what_they_have():
    counts = [[10, 10, 6, 6], [20, 20, 25, 10], [50, 50, 50, 50]]
    result = raw_trends(panel_of(counts, {"a": "2012", "b": "2013"}), before=2)
    assert series(result, "expected") == pytest.approx({"2012": (10 + 25) / 2, "2013": (10 + 22.5) / 2})
    assert (result.facts["observed"], result.facts["expected"]) == (6 + 6 + 10, 10 + 10 + 22.5)


def test_the_ratio_of_observed_to_expected_cases_is_that_of_two_by_two():
    panel = poisson_panel(effect=0.7)
    facts = raw_trends(panel, before=4).facts
    pooled = TwoByTwo(before=4, after=3).estimate(panel).row(term="unadjusted")["estimate"]
    assert facts["observed"] / facts["expected"] == pytest.approx(np.exp(pooled), rel=1e-8)


def test_without_an_effect_what_is_observed_is_expected():
    ratios = []
    for seed in range(40):
        facts = raw_trends(simulate_panel(seed, shape=(40, 24), treated=["01", "02", "03"], log_effect=0)).facts
        ratios.append(facts["observed"] / facts["expected"])
    assert abs(np.mean(np.log(ratios))) < 3 * np.std(np.log(ratios)) / np.sqrt(40)


def test_gaps_are_gaps_and_comparison_areas_with_gaps_are_counted():
    panel = poisson_panel()
    counts = panel.outcome.copy()
    counts[0, 10], counts[5, 2] = np.nan, np.nan
    result = raw_trends(panel_of(counts, panel.study.starts), before=3)
    gap = result.table[result.table["estimate"].isna()]
    assert gap[["series", "period", "note"]].to_numpy().tolist() == [
        ["treated", "2020", "pictures.note.gap"],
    ]
    assert result.counts.dropped == {"core.note.dropped_incomplete": 1}
    assert result.worded_notes("de") == [
        "1 Gebiete ohne vollständige Daten in den Zeitfenstern blieben weg.",
        "Beschreibt diese Gebiete; keine Stichprobe, kein Standardfehler.",
        "In dieser Periode fehlt die Zahl eines Gebiets mit Maßnahme.",
    ]


def test_partial_periods_and_the_end_of_the_measure_are_gaps():
    counts = np.full((4, 8), 20.0)
    panel = panel_of(counts, {"a": "2014-07"}, partial_period="drop", until="2016")
    result = raw_trends(panel, before=3)
    missing = result.table.loc[result.table["estimate"].isna() & (result.table["series"] == "treated"), "period"]
    assert missing.tolist() == ["2014", "2017"]
    assert series(result, "expected")["2015"] == 20


def test_a_treated_area_with_a_gap_before_its_start_is_set_aside():
    counts = np.full((5, 6), 20.0)
    counts[1, 2] = np.nan
    result = raw_trends(panel_of(counts, {"a": "2014", "b": "2014"}), before=3)
    assert result.counts.treated == 1
    assert result.facts["starts"] == {"2014": 1}


def test_what_cannot_be_carried_forward_is_said():
    counts = [[5, 6, 7], [0, 0, 9], [0, 0, 9]]
    with pytest.raises(EstimationError) as caught:
        raw_trends(panel_of(counts, {"a": "2012"}), before=2)
    assert caught.value.worded("de") == (
        "raw_trends: Die Vergleichsgebiete haben im Zeitraum vor dem Beginn keinen Fall; was ohne die Maßnahme zu "
        "erwarten wäre, lässt sich daraus nicht fortschreiben. Abhilfe: Mit before einen längeren Zeitraum vor dem "
        "Beginn wählen oder prüfen, ob die richtigen Schlüssel gezählt wurden."
    )
    with pytest.raises(DesignError, match="raw_trends needs 4 periods before the start 2012; there are 2"):
        raw_trends(panel_of(counts, {"a": "2012"}), before=4)
    empty = np.full((3, 3), np.nan)
    empty[0] = [5, 6, 7]
    with pytest.raises(EstimationError, match="no comparison area has complete data"):
        raw_trends(panel_of(empty, {"a": "2012"}), before=2)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 9), st.randoms(use_true_random=False))
def test_times_as_many_cases_and_another_order_of_rows(factor, random):
    panel = poisson_panel(shape=(12, 12))
    more = panel_of(factor * panel.outcome, panel.study.starts)
    order = list(range(len(more.frame)))
    random.shuffle(order)
    shuffled = type(more)(more.frame.iloc[order], more.study)
    first, second = raw_trends(panel, before=3), raw_trends(shuffled, before=3)
    assert second.table["estimate"].tolist() == pytest.approx((factor * first.table["estimate"]).tolist())
    assert second.facts["expected"] == pytest.approx(factor * first.facts["expected"])
