"""Event study: agreement with two by two, by hand, and the pre-trend test."""

import numpy as np
import pytest

from evaluation import DesignError, EstimationError, EventStudy, TwoByTwo
from evaluation.did.inference.asymptotic import ClusterRobust
from tests.did.test_two_by_two import example, panel_of


def test_two_periods_agree_with_two_by_two():
    counts = np.random.default_rng(2).poisson(60, (40, 12))
    panel = panel_of(counts, {"a": "2018", "b": "2018"})
    event = EventStudy(window=(-3, 0), reference=3).estimate(panel).row(event_time=0)
    single = TwoByTwo(before=3, after=1).estimate(panel).row(term="effect")
    assert event["estimate"] == pytest.approx(single["estimate"], abs=1e-12)
    assert event["p_value"] == pytest.approx(single["p_value"])


def test_additive_long_differences_by_hand():
    counts = [[10, 12, 18, 20], [20, 20, 30, 28], [30, 31, 33, 34], [40, 39, 41, 42]]
    panel = panel_of(counts, {"a": "2012", "b": "2012"})
    result = EventStudy(window=(-2, 1), reference=1, scale="additive", inference=ClusterRobust()).estimate(panel)
    assert result.table["event_time"].tolist() == [-2, 0, 1]
    treated, others = np.mean(counts[:2], axis=0), np.mean(counts[2:], axis=0)
    expected = [(treated - treated[1] - others + others[1])[k] for k in (0, 2, 3)]
    np.testing.assert_allclose(result.table["estimate"], expected)


def test_the_reference_period_says_that_it_is_one():
    result = EventStudy(window=(-3, 2), reference=1).estimate(
        panel_of(np.random.default_rng(2).poisson(60, (40, 12)), {"a": "2018"})
    )
    row = result.row(event_time=-1)
    assert row["estimate"] == 0.0
    assert row["note"] == "reference_period"
    assert "Bezugsperiode." in result.worded_notes("de")


def test_a_pre_trend_is_seen():
    rng = np.random.default_rng(1)
    counts = rng.poisson(200, (40, 14)).astype(float)
    counts[0, 7:10] *= [0.6, 0.75, 0.9]
    risen = EventStudy(window=(-3, 1), reference=1).estimate(panel_of(counts, {"a": "2020"}))
    calm = EventStudy(window=(-3, 1), reference=1).estimate(panel_of(counts, {"c": "2020"}))
    assert risen.facts["pre_trend_p"] < 0.06 < calm.facts["pre_trend_p"]


def test_monthly_data_with_a_year_as_reference():
    result = EventStudy(window=(-6, 5)).estimate(example(effect=np.log(0.5)))
    after = result.table[result.table["event_time"] >= 0]
    assert after["estimate"].mean() == pytest.approx(np.log(0.5), abs=0.15)
    assert result.draws is not None
    assert result.draws.values.shape[1] == 12


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DesignError) as caught:
        EventStudy(window=(1, 3), scale="additive")
    assert caught.value.worded("de") == (
        "EventStudy: window = (1, 3) ist nicht erlaubt. Abhilfe: Erlaubt: (-k, l), k >= 1, l >= 0.\n"
        "EventStudy: inference = Randomization ist nicht erlaubt. Abhilfe: Erlaubt: ClusterRobust(), scale = additive."
    )


def test_a_dropped_partial_year_has_no_row():
    counts = np.random.default_rng(2).poisson(60, (40, 14))
    result = EventStudy(window=(-3, 1)).estimate(panel_of(counts, {"a": "2020-06"}))
    assert result.table["event_time"].tolist() == [-3, -2, 0, 1]
    assert result.row(event_time=-2)["note"] == "reference_period"


def test_few_units_with_earlier_dates_have_one_joint_test():
    counts = np.random.default_rng(2).poisson(60, (10, 14))
    result = EventStudy(window=(-3, 2)).estimate(panel_of(counts, {"a": "2020"}))
    assert 0 < result.facts["pre_trend_p"] <= 1
    assert result.draws is not None
    assert len(result.draws.values) % 10 == 0
    assert result.draws.values[0] == pytest.approx(result.table["estimate"].drop(2))


def test_units_with_gaps_at_some_event_time_are_counted_or_the_reason_is_said():
    counts = np.random.default_rng(2).poisson(60, (40, 14)).astype(float)
    counts[7, 12] = np.nan
    result = EventStudy(window=(-2, 2)).estimate(panel_of(counts, {"a": "2020"}))
    assert result.counts.dropped == {"core.note.dropped_incomplete": 1}
    counts[0, 11] = counts[1, 12] = np.nan
    with pytest.raises(EstimationError, match="no area with the measure has complete data"):
        EventStudy(window=(-2, 2)).estimate(panel_of(counts, {"a": "2020", "b": "2020"}))


def test_anticipated_periods_are_no_pre_trend():
    counts = np.random.default_rng(2).poisson(60, (40, 14)).astype(float)
    panel = panel_of(counts, {"a": "2020"}, anticipation=1)
    result = EventStudy(window=(-4, 1)).estimate(panel)
    counts[0, 9] *= 4
    spoilt = EventStudy(window=(-4, 1)).estimate(panel_of(counts, {"a": "2020"}, anticipation=1))
    assert spoilt.facts["pre_trend_p"] == result.facts["pre_trend_p"]


def test_a_reference_without_periods_is_refused():
    with pytest.raises(DesignError, match="reference = 0 is not allowed"):
        EventStudy(reference=0)
