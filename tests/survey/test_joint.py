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
    ScoreWild,
    Share,
    SurveyDifference,
    TwoByTwo,
)
from evaluation.influence import sum_to
from evaluation.randomization.inference import UnitEffects
from evaluation.simulate import simulate_panel, simulate_sample
from evaluation.survey.agreement import quadrants
from evaluation.survey.joint import _aligned, _quadratic
from evaluation.survey.true_agreement import true_correlation
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
        "Of the differences between areas, 87% and 0% are no chance; chance pulls the agreement of the estimated "
        "numbers towards zero. The rows spearman_true and kendall_true are about the true numbers.",
        "Areas that lack one of the numbers: 1; they are left out.",
        "Agreement of the true numbers behind the estimated ones; it rests on numbers that are about normal, and on "
        "the given standard errors.",
        "The true numbers do not differ visibly; nothing can be said about their agreement.",
    ]
    unknown = result.row(term="spearman_true")
    assert np.isnan(unknown["estimate"])
    assert (unknown["conf_low"], unknown["conf_high"]) == (-1, 1)
    assert message(lambda: RankAgreement().estimate(x, x, std_errors=(x - 1, x))) == (
        "A standard error is negative in 1 areas. What to do: Give standard errors, not ends of intervals; zero where "
        "a number is known exactly."
    )
    assert message(lambda: RankAgreement().estimate(x[:5], x[:5])) == (
        "Only 5 areas have both numbers; a rank correlation with an interval needs 8. What to do: Take smaller areas, "
        "or describe the areas one by one."
    )
    assert message(lambda: RankAgreement().estimate(np.arange(9.0), np.ones(9))) == (
        "One of the numbers is the same in all areas, so that there is no order to compare. What to do: Check the "
        "numbers."
    )


# --- the true numbers behind two estimates ---


def test_without_errors_it_is_the_correlation_with_its_likelihood_interval():
    rng = np.random.default_rng(4)
    x = rng.normal(size=40)
    y = 0.6 * x + rng.normal(size=40)
    found = true_correlation(x, y, np.zeros((40, 2)), 0.95)
    r = float(np.corrcoef(x, y)[0, 1])
    assert found.estimate == pytest.approx(r, abs=1e-5)  # as far as the optimiser goes
    for end in (found.conf_low, found.conf_high):  # twice the fall of the log likelihood, in closed form
        assert 40 * np.log((1 - end * r) ** 2 / ((1 - end**2) * (1 - r**2))) == pytest.approx(3.8414588, abs=1e-3)
    assert found.statistic**2 == pytest.approx(-40 * np.log(1 - r**2), rel=1e-6)
    assert found.p_value == pytest.approx(scipy.stats.chi2.sf(found.statistic**2, 1))


def test_true_agreement_does_not_depend_on_scale_order_or_side():
    rng = np.random.default_rng(5)
    x, y, errors = rng.normal(size=30), rng.normal(size=30), rng.uniform(0.2, 0.6, size=(30, 2))
    base = true_correlation(x, y, errors, 0.95)
    order = rng.permutation(30)
    moved = true_correlation(3 + 7 * x[order], y[order] - 5, errors[order] * [7, 1], 0.95)
    swapped = true_correlation(y, x, errors[:, ::-1], 0.95)
    turned = true_correlation(-x, y, errors, 0.95)
    for other, sign in ((moved, 1), (swapped, 1), (turned, -1)):
        assert sign * other.estimate == pytest.approx(base.estimate, abs=1e-4)
        low, high = (other.conf_low, other.conf_high)[::sign]
        assert (sign * low, sign * high) == pytest.approx((base.conf_low, base.conf_high), abs=1e-4)
        assert other.p_value == pytest.approx(base.p_value, abs=1e-4)


def test_chance_pulls_ranks_to_zero_and_the_true_rows_know_it():
    rng, hits, plain, mended = np.random.default_rng(6), [], [], []
    errors = (np.full(63, 0.10), np.full(63, 0.07))  # 45 answers an area, shares that truly differ by 10 points
    true = 6 / np.pi * np.arcsin(0.8 / 2)
    for _ in range(8):
        z = rng.normal(size=(63, 2))
        x, y = 0.3 * z[:, 0], 0.1 * (0.8 * z[:, 0] + 0.6 * z[:, 1])
        noisy = x + rng.normal(size=63) * errors[0], y + rng.normal(size=63) * errors[1]
        table = RankAgreement().estimate(*noisy, std_errors=errors).table.set_index("term")
        hits.append((table["conf_low"] <= true) & (table["conf_high"] >= true))
        plain.append(table.loc["spearman", "estimate"])
        mended.append(table.loc["spearman_true", "estimate"])
    covered = pd.DataFrame(hits).mean()
    assert covered["spearman_true"] >= 5 / 8  # 99.9 % of binomial shares of 8 around 0.95
    assert covered["spearman"] <= 6 / 8  # 29 % in a larger simulation
    assert np.mean(plain) == pytest.approx(true - 0.19, abs=0.1)
    assert np.mean(mended) == pytest.approx(true, abs=0.1)


# --- both effects ---


def test_joint_p_value_is_the_share_of_assignments_with_as_large_a_form(both):
    panel, sample = both
    result = MeasuredAndFelt(felt(panel)).estimate(panel, sample)
    shown = result.draws.values
    form = np.einsum("bi,ij,bj->b", shown, np.linalg.inv(shown.T @ shown / len(shown)), shown)
    together = result.row(result="together")
    assert together["statistic"] == pytest.approx(form[0], rel=1e-6)
    assert together["p_value"] == pytest.approx((form >= form[0] * (1 - 1e-9)).mean())


def test_order_of_rows_and_size_of_weights_do_not_matter(both):
    panel, sample = both
    mixed = sample.frame.sample(frac=1, random_state=1).reset_index(drop=True)
    other = Sample(mixed.assign(weight=3 * mixed["weight"]), sample.design)
    before, after = (MeasuredAndFelt(felt(panel)).estimate(panel, one).table for one in (sample, other))
    close(before["p_value"], after["p_value"], rtol=1e-12)
    close(before.loc[:1, "estimate"], after.loc[:1, "estimate"], rtol=1e-9)


def test_what_both_have_in_common_by_chance_does_not_grow_with_the_effects():
    plain = MeasuredAndFelt(felt(joined(5)[0])).estimate(*joined(5))
    panel, sample = joined(5, log_effect=float(np.log(0.3)))
    reached = sample.frame["area"].isin(panel.study.treated) & sample.frame["wave"].eq("2024")
    safer = Sample(sample.frame.assign(answer=sample.frame["answer"].mask(reached, 1)), sample.design)
    strong = MeasuredAndFelt(felt(panel)).estimate(panel, safer)
    assert strong.facts["both_p"] < 0.05
    assert strong.facts["correlation"] == pytest.approx(plain.facts["correlation"], abs=0.1)
    shown = strong.draws.values
    raw = (shown[:, 0] @ shown[:, 1]) / np.sqrt((shown**2).sum(axis=0).prod())
    assert raw > strong.facts["correlation"] + 0.2  # the effects themselves make assignments look alike


def test_a_last_cohort_that_serves_others_is_no_area_without_the_measure():
    cohort = np.array([0, 0, 1, -1, -1, -1])
    cases = UnitEffects(
        cohort=cohort,
        pool=np.ones(6, dtype=bool),
        residual=np.zeros((1, 6)),
        spread=np.ones((1, 6)),
        share=np.ones((1, 6)),
        level=np.ones(6),
        past=np.empty((0, 6)),
        later=np.array([[False, True]]),
    )
    areas = ["a", "b", "c", "d", "e", "f"]
    (measured, answered), pool = _aligned(cases, cases, areas, areas)
    assert pool.all()
    assert measured.cohort.tolist() == answered.cohort.tolist() == cohort.tolist()
    assert answered.compared(answered.cohort, 0).tolist() == [False, False, False, True, True, True]


def test_out_of_reach_is_said_and_few_areas_by_influence_are_warned_of():
    panel, sample = joined(3, treated=1)
    few = Sample(sample.frame[sample.frame["area"].isin([*panel.study.treated, *panel.units[:12]])], sample.design)
    few = Sample(few.frame.reset_index(drop=True), sample.design)
    result = MeasuredAndFelt(felt(panel)).estimate(panel, few)
    assert result.worded_notes("en")[1] == (
        f"The smallest attainable p-value of the joint test is {result.facts['smallest_p']:.3f}; with so few "
        "assignments nothing can be statistically established."
    )
    panel, sample = joined(3)
    method = MeasuredAndFelt(felt(panel), measured=TwoByTwo(inference=ClusterRobust()))
    codes = [note.code for note in method.estimate(panel, sample).notes]
    assert "core.note.asymptotic_few_treated" in codes


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
    for inference in (ScoreWild(), ClusterRobust(clusters={"01": "0"})):
        name = type(inference).__name__
        refused = message(lambda i=inference: MeasuredAndFelt(felt(panel), measured=TwoByTwo(inference=i)))
        assert refused == (
            f"Value “{name}”: With this inference for registered cases the answers "
            "cannot be tested together. What to do: "
            "Use Randomization(), or with many areas with the measure ClusterRobust() without larger clusters."
        )
    gone = sample.frame[~sample.frame["area"].isin(panel.study.treated) | (sample.frame["wave"] == "2024")]
    part = Sample(gone.reset_index(drop=True), sample.design)
    assert "no area with the measure has answers in all waves" in message(
        lambda: MeasuredAndFelt(felt(panel)).estimate(panel, part)
    )
