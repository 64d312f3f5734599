"""Poisson with cohort x period effects: by hand, against other programs, by invariance, coverage, and bad input."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import ClusterRobust, DesignError, EstimationError, Panel, PoissonCohorts, Randomization
from evaluation.regression import two_way
from evaluation.simulate import simulate_panel
from tests.did.test_two_by_two import panel_of
from tests.did.two_way_panels import FOUND, both, by_event_time, reference_panel

NBSP = "\N{NO-BREAK SPACE}"
PAPER = PoissonCohorts(inference=ClusterRobust())


def test_by_hand():
    """Cases 100 -> 60 and 60 -> 30 against 200 -> 180: expected 90 + 54, observed 90."""
    panel = panel_of([[100, 60], [60, 30], [80, 60], [120, 120]], {"a": "2011", "b": "2011"})
    result = PAPER.estimate(panel)
    estimate, error = both(result, term="effect")
    assert np.exp(estimate) == pytest.approx(90 / 144)
    assert (result.facts["observed"], result.facts["expected"]) == (90.0, pytest.approx(144.0))
    # ln 90 - ln 160 - ln 180 + ln 200, each sum by area: (60 - 100 p) / 90 and so on, p = 90 / 160 and 180 / 200.
    influence = np.array([(60 - 56.25) / 90, (30 - 33.75) / 90, (60 - 72) / 180, (120 - 108) / 180])
    assert error == pytest.approx(np.sqrt((influence**2).sum() * 4 / 3))
    cases = replace(PAPER, scale="levels").estimate(panel)
    assert both(cases, term="effect") == pytest.approx([90 - 144, 144 * error])


def test_joint_regression_with_cohort_by_period_dummies_is_the_same():
    panel = reference_panel(gaps=False, exposure=False)
    assert PAPER.estimate(panel).row(term="effect")["estimate"] == pytest.approx(FOUND["poisson cohorts"], abs=1e-10)
    one = replace(PAPER, aggregation="dynamic").estimate(reference_panel(gaps=False, exposure=False, only=24))
    rows, found = by_event_time(one, after=True), FOUND["poisson one cohort, G / (G - 1)"]
    assert rows.keys() == found.keys()
    for key, values in rows.items():
        assert values == pytest.approx(found[key], abs=1e-8)


def test_rows_before_the_start_against_pyfixest():
    result = replace(PAPER, aggregation="dynamic", leads=6).estimate(reference_panel())
    rows, found = by_event_time(result, after=False), FOUND["poisson leads, G / (G - 1)"]
    assert rows.keys() == found.keys()
    for key, values in rows.items():
        assert values == pytest.approx(found[key], abs=1e-8)


def test_offset_gaps_and_covariate_against_dummies():
    """statsmodels on the untreated cells, with dummies for areas and periods and the log of the exposure as offset."""
    import statsmodels.api as sm

    panel = reference_panel()
    period = np.arange(36)
    treated = (panel.treated[:, None] & (period >= panel.starts[:, None])).ravel()
    y, x = panel.outcome.ravel(), panel.wide("x").ravel()
    unit, time = (axis.ravel() for axis in np.indices((16, 36)))
    design, offset = np.hstack([np.eye(16)[unit], np.eye(36)[time][:, 1:], x[:, None]]), np.log(panel.exposure).ravel()
    known = np.isfinite(y)
    fit = sm.GLM(
        y[known & ~treated], design[known & ~treated], family=sm.families.Poisson(), offset=offset[known & ~treated]
    ).fit(tol=1e-14)
    expected = np.exp(design @ fit.params + offset)[known & treated].sum()
    result = replace(PAPER, covariates=("x",)).estimate(panel)
    ratio = np.log(y[known & treated].sum() / expected)
    assert result.row(term="effect")["estimate"] == pytest.approx(ratio, abs=1e-8)
    assert result.facts["expected"] == pytest.approx(expected, rel=1e-8)


def test_cohorts_and_event_times_add_up():
    panel = reference_panel()
    for aggregation in ("group", "dynamic"):
        result = replace(PAPER, aggregation=aggregation, scale="levels").estimate(panel)
        rows = result.table.iloc[1:]
        if aggregation == "dynamic":
            rows = rows[rows["event_time"] >= 0]
        assert rows["estimate"].sum() == pytest.approx(result.row(term="effect")["estimate"])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.4, 2.5))
def test_constant_exposure_and_growth_that_all_share_change_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    counts, since = rng.poisson(30, (9, 7)).astype(float), {"a": "2013", "b": "2013", "c": "2015", "d": "2015"}
    people = np.repeat(rng.uniform(50, 90, (9, 1)), 7, axis=1)
    growth = np.exp(rng.normal(0, 0.3, 7)) * scale
    base = replace(PAPER, aggregation="group").estimate(panel_of(counts, since)).table
    rated = replace(PAPER, aggregation="group").estimate(panel_of(counts, since, exposure=people * growth)).table
    grown = (
        replace(PAPER, aggregation="group").estimate(panel_of(counts * growth, since, exposure=people * growth)).table
    )
    np.testing.assert_allclose(rated["estimate"], base["estimate"], atol=1e-9)
    plain = panel_of(counts * scale, since)
    np.testing.assert_allclose(
        replace(PAPER, aggregation="group").estimate(plain).table["estimate"], base["estimate"], atol=1e-9
    )
    assert np.isfinite(grown["std_error"]).all()


def test_order_of_rows_does_not_matter_and_the_frame_stays_as_it_was():
    panel = reference_panel()
    before = panel.frame.copy()
    mixed = Panel(panel.frame.sample(frac=1, random_state=1), panel.study)
    pd.testing.assert_frame_equal(PAPER.estimate(panel).table, PAPER.estimate(mixed).table)
    pd.testing.assert_frame_equal(panel.frame, before)


def test_size_and_coverage_with_many_treated_areas():
    """Over-dispersed small counts of 40 areas, half of them treated in two cohorts; effects that differ by area."""
    rejected, covered = 0, 0
    since = {chr(97 + unit): ("2014" if unit < 10 else "2015") for unit in range(20)}
    for seed in range(50):
        rng = np.random.default_rng(seed)
        level = rng.gamma(2, 4, (40, 1)) + 1
        active = np.zeros((40, 7), dtype=bool)
        active[:10, 4:], active[10:20, 5:] = True, True
        effect = np.where(active, (seed % 2) * rng.normal(np.log(0.7), 0.1, (40, 1)), 0.0)
        counts = rng.poisson(level * rng.gamma(20, 1 / 20, (40, 7)) * np.exp(effect))
        truth = np.log((level * np.exp(effect))[active].sum() / np.broadcast_to(level, active.shape)[active].sum())
        row = PAPER.estimate(panel_of(counts, since)).row(term="effect")
        outside = not row["conf_low"] <= truth <= row["conf_high"]
        rejected += outside and not seed % 2
        covered += bool(seed % 2) and not outside
    assert rejected <= 4
    assert covered >= 20
    assert covered + 25 - rejected < 50, "intervals that always cover are too wide"


# --- negative binomial ----------------------------------------------------------------------------------------------


def test_negative_binomial_is_that_of_statsmodels():
    """The same means with variance mu + alpha mu^2, alpha where Pearson's statistic equals its degrees of freedom."""
    import statsmodels.api as sm

    panel = reference_panel(gaps=False, exposure=False)
    result = PAPER.estimate(panel)
    alpha = result.facts["dispersion"]
    treated = (panel.treated[:, None] & (np.arange(36) >= panel.starts[:, None])).ravel()
    unit, time = (axis.ravel() for axis in np.indices((16, 36)))
    design, y = np.hstack([np.eye(16)[unit], np.eye(36)[time][:, 1:]]), panel.outcome.ravel()
    fit = sm.GLM(y[~treated], design[~treated], family=sm.families.NegativeBinomial(alpha=alpha)).fit(tol=1e-13)
    expected = np.exp(design @ fit.params)[treated].sum()
    assert result.facts["negative_binomial"] == pytest.approx(np.log(y[treated].sum() / expected), abs=1e-8)
    assert fit.pearson_chi2 == pytest.approx(fit.df_resid, rel=1e-3)


def test_another_answer_of_the_negative_binomial_is_noted():
    """One busy comparison area grows by half, nine small ones do not: how the growth of all is weighted decides."""
    rng = np.random.default_rng(2)
    level = np.r_[np.full(10, 60.0), 3000.0, np.full(9, 40.0)][:, None]
    growth = np.where((np.arange(20) == 10)[:, None] & (np.arange(12) >= 8), 1.5, 1.0)
    counts = rng.poisson(level * growth * rng.gamma(30, 1 / 30, (20, 12)))
    result = PAPER.estimate(panel_of(counts, {chr(97 + unit): "2018" for unit in range(10)}))
    assert result.facts["negative_binomial"] > result.row(term="effect")["estimate"] + 0.2
    assert result.worded_notes("de")[1].replace(NBSP, " ") == (
        "Die negative Binomialregression, in der große Gebiete weniger zählen, findet −5,1 % statt −24,3 %: "
        "Die Antwort hängt davon ab, wie die Gebiete gewichtet werden."
    )
    calm = PAPER.estimate(reference_panel())
    assert not any("binomial" in words for words in calm.worded_notes("en"))


def test_counts_that_vary_less_than_poisson_have_no_dispersion():
    counts = np.full((10, 8), 50.0) + np.arange(8) + np.random.default_rng(1).integers(0, 2, (10, 8))
    result = PAPER.estimate(panel_of(counts, {"a": "2014", "b": "2014"}))
    assert result.facts["dispersion"] == 0.0
    assert result.facts["negative_binomial"] == pytest.approx(result.row(term="effect")["estimate"], abs=1e-12)


# --- by drawn assignments -------------------------------------------------------------------------------------------


def test_the_default_compares_scores():
    panel = simulate_panel(3, shape=(40, 14), treated=["04", "20"], start=10, frequency="year")
    result = PoissonCohorts(before=3, after=2).estimate(panel)
    own = PoissonCohorts(before=3, after=2, inference=ClusterRobust()).estimate(panel).row(term="effect")["estimate"]
    assert result.row(term="unadjusted")["estimate"] == pytest.approx(own, abs=1e-12)
    sums = [
        panel.outcome[rows][:, periods].sum()
        for rows in (panel.treated, ~panel.treated)
        for periods in (slice(10, 12), slice(7, 10))
    ]
    assert own == pytest.approx(np.log(sums[0] / sums[1] / (sums[2] / sums[3])), abs=1e-10)
    assert {"negative_binomial", "dispersion", "observed", "expected", "smallest_p"} <= result.facts.keys()
    path = PoissonCohorts(aggregation="dynamic", inference=Randomization(draws=99)).estimate(panel)
    assert path.table["event_time"].tolist() == [-3, -2, -1, 0, 1, 2]


def test_the_default_with_a_season():
    panel = simulate_panel(3, shape=(30, 72), treated=3, start=60)
    method = PoissonCohorts(before=24, after=6, inference=Randomization(draws=199))
    plain, seasonal = method.estimate(panel), replace(method, season=True).estimate(panel)
    assert plain.row(term="effect")["estimate"] != seasonal.row(term="effect")["estimate"]
    assert plain.row(term="unadjusted")["estimate"] != seasonal.row(term="unadjusted")["estimate"]


@pytest.mark.parametrize("inference", [ClusterRobust(), Randomization(draws=99)])
def test_areas_with_only_zeros_are_named(inference):
    counts = np.random.default_rng(2).poisson(30, (24, 14))
    counts[[5, 7]] = 0
    panel = panel_of(counts, {"a": "2020", "b": "2020"})
    result = PoissonCohorts(before=3, after=2, inference=inference).estimate(panel)
    assert result.counts.dropped == {"core.note.all_zero": 2}
    assert "2 Gebiete ohne einen einzigen Fall blieben weg: f und h." in result.worded_notes("de")
    without = np.delete(counts, [5, 7], axis=0)
    same = PoissonCohorts(before=3, after=2, inference=inference).estimate(
        panel_of(without, {"a": "2020", "b": "2020"})
    )
    # The effect that is tested is standardised with a history in which these areas, without changes, also stand.
    row = {"term": "effect" if isinstance(inference, ClusterRobust) else "unadjusted"}
    assert result.row(**row)["estimate"] == pytest.approx(same.row(**row)["estimate"], abs=1e-10)


# --- what is noted, what is refused ---------------------------------------------------------------------------------


def test_treated_areas_without_a_case_before_count_with_the_others():
    """Together the areas have 50 -> 40 cases; that one of them had none before is no reason to leave its cases out."""
    counts = [[50, 30], [0, 10], [80, 60], [120, 140]]
    result = PAPER.estimate(panel_of(counts, {"a": "2011", "b": "2011"}))
    assert np.exp(result.row(term="effect")["estimate"]) == pytest.approx(40 / 50)
    joint = two_way(np.array(counts, dtype=float), np.array([[[0, 1], [0, 1], [0, 0], [0, 0]]], dtype=float))
    assert result.row(term="effect")["estimate"] == pytest.approx(joint.coefficients[0], abs=1e-10)


def test_rows_without_a_case_are_missing_with_the_reason():
    counts = np.random.default_rng(3).poisson(40, (12, 10)).astype(float)
    counts[:2, 6], counts[:2, 4], counts[2:4] = 0, 0, np.where(np.arange(10) < 8, 20, 0)
    since = {"a": "2015", "b": "2015", "c": "2018", "d": "2018"}
    path = replace(PAPER, aggregation="dynamic", leads=1).estimate(
        panel_of(counts[[0, 1, *range(4, 12)]], {"a": "2015", "b": "2015"})
    )
    assert path.row(event_time=1)["note"] == path.row(event_time=-1)["note"] == "models_did.note.no_case"
    assert np.isfinite(path.row(event_time=0)["std_error"])
    cohorts = replace(PAPER, aggregation="group").estimate(panel_of(counts, since))
    assert cohorts.row(cohort="2018")["note"] == "models_did.note.no_case"
    words = "In dieser Zeile gibt es keinen Fall, oder es ist keiner zu erwarten: "
    assert any(note.startswith(words) for note in cohorts.worded_notes("de"))


@pytest.mark.parametrize("periods", [slice(0, 5), slice(5, 9)])
def test_no_case_at_all_before_or_after_is_refused(periods):
    counts = np.random.default_rng(1).poisson(40, (6, 9)).astype(float)
    counts[:2, periods] = 0
    panel = panel_of(counts, {"a": "2015", "b": "2015"})
    with pytest.raises(EstimationError) as caught:
        PAPER.estimate(panel)
    assert caught.value.worded("en") == (
        "The estimate runs off to infinity: the areas with the measure, or those compared with them, "
        "have not a single case before or after. "
        "What to do: Choose longer windows or larger areas."
    )


def test_singular_covariates_gaps_and_one_treated_area():
    panel = reference_panel()
    frame = panel.frame.assign(twice=2 * panel.frame["x"])
    with pytest.raises(EstimationError, match="one of the covariates x and twice follows from the effects"):
        replace(PAPER, covariates=("x", "twice")).estimate(Panel(frame, panel.study))
    counts = np.random.default_rng(1).poisson(40, (6, 9)).astype(float)
    with pytest.raises(EstimationError, match="with only one area with the measure there is no standard error by area"):
        PAPER.estimate(panel_of(counts, {"a": "2015"}))
    counts[1:, 5:] = np.nan
    with pytest.raises(EstimationError, match="no comparison area has complete data"):
        PAPER.estimate(panel_of(counts, {"a": "2015"}))


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DesignError) as caught:
        PoissonCohorts(scale="additive", after=0)
    assert caught.value.worded("en") == (
        "PoissonCohorts: scale = additive is not allowed. What to do: Allowed: ratio, levels.\n"
        "PoissonCohorts: after = 0 is not allowed. What to do: Allowed: >= 1."
    )
