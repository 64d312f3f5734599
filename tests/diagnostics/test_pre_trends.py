"""Pre-trends: the slope by hand, its test from draws and from influences, size and power, and what it cannot do."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import ClusterRobust, DesignError, EventStudy, Randomization, TwoByTwo
from evaluation.diagnostics import pre_trends
from evaluation.did.group_time import GroupTime
from evaluation.did.imputation import Imputation
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import panel_of, poisson_panel

FEW_DRAWS = Randomization(draws=199)


def yearly(seed, log_effect=0.0):
    """63 areas over 16 years, five of them picked at random, with a measure since the thirteenth."""
    picked = np.random.default_rng(seed).choice(63, 5, replace=False)
    names = sorted(f"{unit + 1:02d}" for unit in picked)
    panel = simulate_panel(seed, shape=(63, 16), start=12, frequency="year", treated=names, log_effect=log_effect)
    return replace(panel, neighbours=None)


def with_trend(panel, slope):
    """Let the treated grow by `slope` a year, on the log scale, over the three years before the measure."""
    frame = panel.frame.copy()
    step = frame["period"].astype(int) - int(min(panel.study.starts.values()))
    growth = np.exp(slope * step.clip(lower=-3, upper=0))
    treated = frame["unit"].isin(panel.study.treated)
    frame["outcome"] = np.where(treated, (frame["outcome"] * growth).round(), frame["outcome"])
    return replace(panel, frame=frame)


def test_slope_of_mean_differences_by_hand():
    """Additive, one year of reference: treated less comparison is 1, 4, 0 (reference), then 10 and 20."""
    counts = [[12, 15, 11, 21, 31], [10, 13, 9, 19, 29], [10, 10, 10, 10, 10], [11, 11, 11, 11, 11], [9, 10, 8, 9, 9]]
    panel = panel_of(counts, {"a": "2013", "b": "2013"})
    study = EventStudy(window=(-3, 1), reference=1, scale="additive", inference=ClusterRobust())
    result = pre_trends(panel, study)
    path = study.estimate(panel).table.set_index("event_time")["estimate"]
    slope = (-1 * path[-3] + 0 * path[-2] + 1 * 0.0) / 2
    assert result.table["term"].tolist() == ["period", "period", "slope", "at_effect"]
    assert result.row(term="slope")["estimate"] == pytest.approx(slope, abs=1e-12)
    # from the reference (-1) to the middle of the periods 0 and 1
    assert result.facts["distance"] == pytest.approx(1.5)
    assert result.row(term="at_effect")["estimate"] == pytest.approx(1.5 * slope, abs=1e-12)
    assert result.facts["effect"] == pytest.approx((path[0] + path[1]) / 2)
    assert result.facts["effect_high"] - result.facts["effect"] == pytest.approx(result.facts["detectable_bias"])


def test_error_of_the_slope_is_that_of_the_areas_own_slopes():
    """With one cohort and an additive scale, the slope is a difference of mean slopes of the areas."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(50, (12, 7))
    since = dict.fromkeys("abcd", "2015")
    study = EventStudy(window=(-4, 1), reference=1, scale="additive", inference=ClusterRobust())
    result = pre_trends(panel_of(counts, since), study)
    weights = np.array([-1.5, -0.5, 0.5, 1.5]) / 5.0
    own = counts[:, 1:5] @ weights
    treated, others = own[:4], own[4:]
    influence = np.r_[(treated - treated.mean()) / 4, -(others - others.mean()) / 8]
    error = np.sqrt(12 / 11 * (influence**2).sum())
    row = result.row(term="slope")
    assert row["estimate"] == pytest.approx(treated.mean() - others.mean(), abs=1e-12)
    assert row["std_error"] == pytest.approx(error, abs=1e-12)
    # two-sided 5 % and 80 % power of Student's t with 11 degrees of freedom
    assert result.facts["detectable_slope"] == pytest.approx((2.200985 + 0.875530) * error, rel=1e-5)


def test_under_randomisation_the_slope_is_tested_with_the_draws_of_the_event_study():
    panel = yearly(4)
    result, path = pre_trends(panel), EventStudy().estimate(panel)
    before = path.table["event_time"].to_numpy()
    assert before.tolist() == [-3, -2, -1, 0, 1, 2]
    estimated = path.table["note"].ne("reference_period").to_numpy()
    values = np.zeros((len(path.draws.values), 6))
    values[:, estimated] = path.draws.values
    slopes = values[:, :3] @ [-0.5, 0.0, 0.5]
    row = result.row(term="slope")
    assert row["estimate"] == pytest.approx(slopes[0])
    assert row["p_value"] == pytest.approx((np.abs(slopes) >= abs(slopes[0]) * (1 - 1e-9)).mean())
    assert (row["conf_low"] <= 0 <= row["conf_high"]) == (row["p_value"] > 0.05)
    assert result.facts["pre_trend_p"] == path.facts["pre_trend_p"]
    assert set(result.facts["detectable_periods"]) == {-3, -2}
    assert result.facts["distance"] == 2.0
    assert result.facts["detectable"] == pytest.approx(np.expm1(2 * result.facts["detectable_slope"]))


def test_size_and_power_of_the_trend_test():
    """30 panels: without a trend about 5 % are rejected; of trends as large as the detectable one, most are found."""
    study = EventStudy(inference=FEW_DRAWS)
    found = []
    for seed in range(30):
        panel = yearly(seed)
        flat = pre_trends(panel, study)
        steep = pre_trends(with_trend(panel, flat.facts["detectable_slope"]), study)
        found.append([result.row(term="slope")["p_value"] <= 0.05 for result in (flat, steep)])
    size, power = np.mean(found, axis=0)
    assert size <= 0.134  # at most 4 of 30: more have a probability of 2 % at 5 %
    assert power >= 0.55


def test_anticipation_is_no_pre_trend():
    panel = poisson_panel(shape=(24, 12), anticipation=1)
    result = pre_trends(panel, EventStudy(window=(-4, 1), reference=1, inference=FEW_DRAWS))
    assert result.table["event_time"].dropna().tolist() == [-4, -3, -2]


def test_a_dropped_partial_period_is_no_point():
    panel = poisson_panel(shape=(24, 12), treated_since={"a": "2018-05", "b": "2018-05"}, partial_period="drop")
    result = pre_trends(panel, EventStudy(window=(-4, 1), reference=1, inference=FEW_DRAWS))
    assert result.table["event_time"].dropna().tolist() == [-4, -3, -2]
    # the reference is -2, the periods after are 0 and 1
    assert result.facts["distance"] == 2.5


def test_a_varying_base_is_replaced_by_the_universal_one():
    panel = poisson_panel(shape=(24, 12))
    varying, universal = (
        GroupTime(aggregation="dynamic", base=base, inference=ClusterRobust()) for base in ("varying", "universal")
    )
    result, path = pre_trends(panel, varying), universal.estimate(panel).table
    assert result.table.equals(pre_trends(panel, universal).table)
    before = path[path["event_time"].notna() & (path["event_time"] < 0)]
    times, estimates = before["event_time"].to_numpy(dtype=float), before["estimate"].to_numpy()
    assert result.row(term="slope")["estimate"] == pytest.approx(np.polyfit(times, np.nan_to_num(estimates), 1)[0])
    assert result.facts["distance"] == 2.0  # from -1 to the middle of 0, 1, 2


def test_an_imputation_compares_with_all_periods_before():
    result = pre_trends(poisson_panel(shape=(24, 12)), Imputation(aggregation="dynamic", inference=ClusterRobust()))
    assert result.facts["distance"] == 1 + 5  # from the middle of -9 ... -1 to that of 0, 1, 2


def test_few_treated_areas_have_no_joint_test_from_influences_and_the_result_says_so():
    result = pre_trends(poisson_panel(shape=(24, 12)), EventStudy(window=(-4, 1), inference=ClusterRobust()))
    assert np.isnan(result.facts["pre_trend_p"])
    assert result.worded_notes("de")[-1] == (
        "Für eine gemeinsame Prüfung von 3 Perioden reichen 3 Gebiete mit Maßnahme nicht."
    )
    assert result.worded_notes("en")[-1] == "3 areas with the measure are not enough to test 3 periods together."
    many = poisson_panel(shape=(24, 12), treated_since=dict.fromkeys("abcdefghij", "2019"))
    joint = pre_trends(many, EventStudy(window=(-4, 1), inference=ClusterRobust())).facts["pre_trend_p"]
    assert 0 < joint <= 1


def test_what_is_no_event_study_is_refused():
    with pytest.raises(DesignError) as caught:
        pre_trends(poisson_panel(shape=(24, 12)), TwoByTwo())
    assert caught.value.worded("de") == (
        "TwoByTwo liefert nicht für jede Periode um den Beginn eine Wirkung. "
        'Abhilfe: EventStudy verwenden, oder aggregation = "dynamic".'
    )


def test_one_period_is_no_trend():
    with pytest.raises(DesignError) as caught:
        pre_trends(poisson_panel(shape=(24, 12)), EventStudy(window=(-1, 1), reference=2))
    assert caught.value.worded("de") == (
        "EventStudy: Vor dem Beginn liegen zu wenige Perioden für einen Trend (1). "
        "Abhilfe: Das Fenster vor dem Beginn verlängern oder frühere Daten liefern."
    )
