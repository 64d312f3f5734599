"""Measured and felt together: both effects in one test, quadrants, and whether ranks agree."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    ClusterRobust,
    MeasuredAndFelt,
    Randomization,
    RankAgreement,
    Sample,
    Share,
    SurveyDifference,
    TwoByTwo,
)
from evaluation.influence import sum_to
from evaluation.simulate import simulate_panel, simulate_sample
from evaluation.survey.agreement import quadrants
from evaluation.survey.joint import _quadratic
from tests.survey.change_samples import close, message

UNSAFE = Share("answer", (3, 4), scale=4)


def joined(seed, *, log_effect=0.0, treated=3, per_area=20):
    """A panel of 63 areas and a survey of the same areas, with the measure in the same three of them."""
    panel = simulate_panel(seed, shape=(63, 14), start=9, log_effect=log_effect, treated=treated, frequency="year")
    survey = simulate_sample(seed, areas=63, per_area=per_area, log_odds=0.0)
    named = dict(zip(sorted(survey.frame["area"].unique()), panel.units, strict=True))
    frame = survey.frame.assign(area=survey.frame["area"].map(named))
    return panel, Sample(frame, survey.design)


def felt(panel, **options):
    return SurveyDifference(UNSAFE, panel.study.treated, "2021", "2024", **options)


@pytest.fixture(scope="module")
def both():
    return joined(1, log_effect=float(np.log(0.6)))


@pytest.fixture(scope="module")
def many():
    return joined(2, treated=20)


# --- by hand ---


def test_joint_statistic_by_hand():
    statistics = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    joint, correlation = _quadratic(statistics)
    assert correlation == 0
    assert joint.tolist() == pytest.approx([2, 2, 2, 2])  # 1 / 0.5 and 4 / 2
    same, correlation = _quadratic(np.array([[1.0, 1.0], [-1.0, -1.0], [2.0, 2.0], [-2.0, -2.0]]))
    assert correlation == pytest.approx(1)
    assert same[2] / same[0] == pytest.approx(4)


def test_quadrants_by_hand():
    areas = ["00", "01", "02", "03", "04"]
    cases = pd.DataFrame({"area": areas, "value": [-0.2, -0.1, 0.1, 0.2, 0.0]})
    cases = cases.assign(conf_low=cases["value"] - 0.05, conf_high=cases["value"] + 0.05, other=1)
    feeling = pd.DataFrame({"area": areas[::-1], "value": [-0.1, -0.3, 0.3, 0.2, -0.1]})
    feeling = feeling.assign(conf_low=feeling["value"] - 0.15, conf_high=feeling["value"] + 0.15)
    found = quadrants(cases, feeling)
    assert found["area"].tolist() == areas
    assert found["quadrant"].tolist() == ["fewer_safer", "fewer_less_safe", "more_less_safe", "more_safer", ""]
    assert found["clear"].tolist() == [False, True, True, True, False]
    assert found["value_perceived"].tolist() == [-0.1, 0.2, 0.3, -0.3, -0.1]
    assert message(lambda: quadrants(cases, feeling.assign(area="x"))) == (
        "Column area: Registered and perceived changes have no area in common. What to do: Check the keys of the areas "
        "on both sides."
    )


# --- against scipy ---


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.booleans())
def test_rank_correlations_as_scipy(seed, ties):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=30)
    y = x + rng.normal(size=30)
    x, y = (np.round(values) if ties else values for values in (x, y))
    table = RankAgreement().estimate(x, y).table
    close(
        table["estimate"], [scipy.stats.spearmanr(x, y).statistic, scipy.stats.kendalltau(x, y).statistic], rtol=1e-10
    )


def test_intervals_of_ranks_by_formula_and_in_simulation():
    x, y = np.arange(20.0), np.r_[np.arange(10.0), np.arange(10.0)[::-1]]
    row = RankAgreement().estimate(x, y).row(term="spearman")
    error = np.sqrt((1 + row["estimate"] ** 2 / 2) / 17)
    assert row["conf_high"] == pytest.approx(np.tanh(np.arctanh(row["estimate"]) + 1.959963984540054 * error))
    rng, hits = np.random.default_rng(3), []
    rho, tau = 6 / np.pi * np.arcsin(0.25), 2 / np.pi * np.arcsin(0.5)  # of normal numbers with correlation one half
    for _ in range(150):
        x = rng.normal(size=63)
        y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=63)
        table = RankAgreement().estimate(x, y).table
        hits.append((table["conf_low"] <= [rho, tau]) & (table["conf_high"] >= [rho, tau]))
    assert (np.mean(hits, axis=0) > 0.88).all()  # 99.9 % of binomial shares of 150 around 0.95


def test_noise_and_gaps_of_ranks_are_said():
    x = np.r_[np.arange(19.0), np.nan]
    result = RankAgreement().estimate(x, np.arange(20.0), std_errors=(np.full(20, 2.0), np.full(20, 100.0)))
    assert result.facts["reliability"][0] == pytest.approx(1 - 4 / np.var(np.arange(19.0), ddof=1))
    assert result.facts["reliability"][1] == 0
    assert result.worded_notes("en") == [
        "Of the differences between areas, 87% and 0% are no chance; chance pulls the agreement towards zero.",
        "Areas that lack one of the numbers: 1; they are left out.",
    ]
    assert message(lambda: RankAgreement().estimate(x[:5], x[:5])) == (
        "Only 5 areas have both numbers; a rank correlation with an interval needs 8. What to do: Take smaller areas, "
        "or describe the areas one by one."
    )
    assert message(lambda: RankAgreement().estimate(np.arange(9.0), np.ones(9))) == (
        "One of the numbers is the same in all areas, so that there is no order to compare. What to do: Check the "
        "numbers."
    )


# --- both effects ---


def test_shared_assignments_have_the_key_of_the_effect_on_cases(both):
    panel, sample = both
    result = MeasuredAndFelt(felt(panel)).estimate(panel, sample)
    alone = TwoByTwo().estimate(panel)
    assert result.draws.key == alone.draws.key
    assert result.table["result"].tolist() == ["measured", "felt", "together"]
    columns = ["estimate", "p_value", "conf_low", "conf_high"]
    close(result.table.loc[0, columns], alone.table.loc[0, columns], rtol=1e-12)
    assert result.draws.values.shape == (len(alone.draws.values), 2)
    close(result.draws.values[:, 0], alone.draws.values[:, 0], rtol=1e-12)
    together = result.table.loc[2]
    assert np.isnan(together["estimate"])
    assert together["p_value"] <= result.facts["both_p"]
    assert together["p_value"] == pytest.approx(
        round(together["p_value"] * result.facts["assignments"]) / result.facts["assignments"]
    )
    assert result.worded_notes("en")[0] == (
        f"Both effects are judged by the same {result.facts['assignments']:,} assignments of the measure, among 63 "
        "areas with cases and answers."
    )


def test_with_equal_strata_the_felt_effect_is_that_of_the_survey_alone(both):
    panel, sample = both
    shared = MeasuredAndFelt(felt(panel)).estimate(panel, sample).table
    alone = felt(panel).estimate(sample).table
    # The same statistic, other assignments: the estimate is the same, its interval nearly.
    assert shared.loc[1, "estimate"] == pytest.approx(alone.loc[0, "estimate"], rel=1e-12)
    assert shared.loc[1, "conf_low"] == pytest.approx(alone.loc[0, "conf_low"], abs=0.05)


def test_areas_of_one_side_only_take_no_part(both):
    panel, sample = both
    gone = [unit for unit in panel.units if unit not in panel.study.treated][:5]
    part = Sample(sample.frame[~sample.frame["area"].isin(gone)].reset_index(drop=True), sample.design)
    result = MeasuredAndFelt(felt(panel)).estimate(panel, part)
    assert result.counts.units == 58
    assert result.counts.treated == 3


def test_by_influence_the_areas_make_both(many):
    panel, sample = many
    method = MeasuredAndFelt(felt(panel), measured=TwoByTwo(inference=ClusterRobust()))
    result = method.estimate(panel, sample)
    cases = TwoByTwo(inference=ClusterRobust()).estimate(panel)
    answers = felt(panel, inference="area_waves").estimate(sample)
    close(result.table.loc[:1, "estimate"], [cases.table.loc[0, "estimate"], answers.table.loc[0, "estimate"]])
    close(result.table.loc[:1, "std_error"], [cases.table.loc[0, "std_error"], answers.table.loc[0, "std_error"]])
    # By hand: Wald's statistic on both, with the covariance of the influences area by area.
    size = result.table.loc[:1, "std_error"].to_numpy()
    shared = sum_to(result.influence, result.influence.units).values[:, :2]
    correlation = (shared[:, 0] * shared[:, 1]).sum() / np.sqrt((shared**2).sum(axis=0).prod())
    assert result.facts["correlation"] == pytest.approx(correlation)
    z = result.table.loc[:1, "estimate"].to_numpy() / size
    wald = (z[0] ** 2 + z[1] ** 2 - 2 * correlation * z[0] * z[1]) / (1 - correlation**2)
    df = result.table.loc[:1, "df"].min()
    assert result.table.loc[2, "statistic"] == pytest.approx(wald * (df - 1) / (2 * df))
    assert result.table.loc[2, "p_value"] == pytest.approx(scipy.stats.f.sf(wald * (df - 1) / (2 * df), 2, df - 1))


def test_size_and_power_of_the_joint_test():
    none, some = [], []
    inference = Randomization(draws=199, enumerate_up_to=199)
    for seed in range(20):
        for log_effect, found in ((0.0, none), (float(np.log(0.4)), some)):
            panel, sample = joined(100 + seed, log_effect=log_effect, per_area=10)
            method = MeasuredAndFelt(felt(panel), measured=TwoByTwo(inference=inference))
            found.append(method.estimate(panel, sample).table.loc[2, "p_value"] <= 0.05)
    assert np.mean(none) <= 0.2  # 99.7 % of binomial shares of 20 around 0.05
    assert np.mean(some) >= 0.7


def test_what_is_refused(both):
    panel, sample = both
    other = SurveyDifference(UNSAFE, ("01", "02"), "2021", "2024")
    assert message(lambda: MeasuredAndFelt(other).estimate(panel, sample)).startswith(
        f"Study “{panel.study.id}” and the survey do not treat the same areas; only one of them treats "
    )
    assert message(lambda: MeasuredAndFelt(felt(panel), measured=TwoByTwo(scale="additive"), level=0)) == (
        "Value “0”: level = 0 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95.\n"
        "Value “additive”: The effect on registered cases is asked for as “additive”. What to do: For the joint test "
        "ask for the ratio (scale = ratio)."
    )
    gone = sample.frame[~sample.frame["area"].isin(panel.study.treated) | (sample.frame["wave"] == "2024")]
    part = Sample(gone.reset_index(drop=True), sample.design)
    assert "no area with the measure has answers in all waves" in message(
        lambda: MeasuredAndFelt(felt(panel)).estimate(panel, part)
    )
