"""Score wild bootstrap: by hand, against the restricted wild cluster bootstrap, by invariance and simulation."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import ClusterRobust, DesignError, EventStudy, ScoreWild, TwoByTwo
from evaluation.did.inference.asymptotic import Grouped
from evaluation.did.inference.wild import _Test
from evaluation.influence import two_sided_p
from evaluation.regression import null_scores, two_way
from evaluation.simulate import simulate_panel
from tests.did.conclusions import REFERENCE, conclude

X, Y, Z, TREATED = (np.array(REFERENCE[name]) for name in ("x", "y", "z", "treated"))


def through_origin(x, y):
    """Scores of ``y = x b``, and the estimate with its influence."""
    information = (x * x).sum(axis=1)
    estimate = (x * y).sum() / information.sum()
    influence = (x * (y - estimate * x)).sum(axis=1) / information.sum()
    return estimate, influence[:, None], lambda value: ((x * (y - value * x)).sum(axis=1), information)


def wild(inference=None, x=X, y=Y, **options):
    estimate, influence, scores = through_origin(x, y)
    inference = inference or ScoreWild()
    options = {"treated": 4, "parameters": None, **options}
    return conclude(inference, influence, estimate=[estimate], null_scores=scores, **options)


def test_signs_by_hand():
    """Scores 3, 1, -1 and equal information: b = 1, left 2, 0, -2, T = 3 / root of 8.

    Of the four sign vectors up to reversal (+++ ++- +-+ -++) the sums are 3, 5, 1, -3. Squares left are 11 - b^2 3:
    8, 11 - 25 / 3, 11 - 1 / 3, 8, so that T* is 1.06, 3.06, 0.31, 1.06: three of four reach T.
    """
    y = np.array([[3.0], [1.0], [-1.0]])
    row = wild(x=np.ones((3, 1)), y=y, treated=2).table.iloc[0]
    assert row["statistic"] == pytest.approx(3 / 8**0.5, rel=1e-12)
    assert row["p_value"] == 0.75


@pytest.mark.parametrize("expected", REFERENCE["without_effects"], ids=lambda part: f"{part['value']}")
def test_equals_the_restricted_wild_cluster_bootstrap_where_nothing_else_is_fitted(expected):
    """All 1,024 sign vectors of ten clusters, program wildboottest: equal statistics, equal p-values."""
    row = wild(y=Y - expected["value"] * X).table.iloc[0]
    assert row["statistic"] == pytest.approx(expected["statistic"], rel=1e-10)
    assert row["p_value"] == pytest.approx(expected["p_value"], abs=1e-12)


@pytest.mark.parametrize("expected", REFERENCE["two_way"], ids=lambda part: f"{part['value']}")
def test_is_near_it_where_periods_are_fitted_too(expected):
    """The statistic is the same; period effects are not fitted again in a draw, which counts with ten units."""
    fit = two_way(Z, TREATED[None], family="gaussian")

    def scores(value):
        return null_scores(Z, TREATED, value + expected["value"], family="gaussian")

    estimate = fit.coefficients - expected["value"]
    row = conclude(ScoreWild(), fit.influence, estimate=estimate, treated=4, null_scores=scores).table.iloc[0]
    assert row["statistic"] == pytest.approx(expected["statistic"], rel=1e-10)
    assert row["p_value"] == pytest.approx(expected["p_value"], abs=0.05)


def test_the_interval_holds_what_is_not_rejected():
    """At the ends the p-value passes through 5 %; a little inside it is above, a little outside not."""
    for inference in (ScoreWild(), ScoreWild(enumerate_up_to=1, draws=499), ScoreWild(level=0.8)):
        row = wild(inference).table.iloc[0]
        for end, outward in ((row["conf_low"], -1), (row["conf_high"], 1)):
            inside, outside = (
                wild(inference, y=Y - (end + step * outward * 1e-3) * X).table["p_value"].iloc[0] for step in (-1, 1)
            )
            assert inside > 1 - inference.level >= outside


def test_what_the_result_says_about_itself():
    result = wild()
    assert result.facts["inference"] == {
        "name": "ScoreWild",
        "level": 0.95,
        "draws": 9_999,
        "seed": 1,
        "enumerate_up_to": 4_096,
        "clusters": None,
    }
    assert (result.facts["smallest_p"], result.facts["enumerated"]) == (1 / 512, True)
    drawn = wild(ScoreWild(draws=199, enumerate_up_to=1_023))
    assert (drawn.facts["smallest_p"], drawn.facts["enumerated"]) == (1 / 200, False)
    assert result.worded_notes() == [
        "With 4 areas with the measure this standard error is too small; the comparison with areas and years without "
        "the measure is more reliable.",
        "With 4 areas or clusters with the measure this bootstrap hardly ever finds an effect, and its range is too "
        "wide or open.",
    ]
    assert [note.code for note in wild(treated=5).notes] == ["core.note.asymptotic_few_treated"]
    robust = conclude(ClusterRobust(), result.influence.values, treated=4, parameters=None)
    assert result.table["std_error"].iloc[0] == pytest.approx(robust.table["std_error"].iloc[0])


def test_too_few_signs_for_an_interval():
    """Five clusters have 16 sign vectors up to reversal: no p-value below 1 / 16."""
    result = wild(x=X[:5], y=Y[:5])
    row = result.table.iloc[0]
    assert row["p_value"] >= 1 / 16
    assert np.isnan([row["conf_low"], row["conf_high"]]).all()
    assert row["note"] == "no_interval"
    assert result.worded_notes()[-1] == "The smallest attainable p-value is 0.062; no 95% interval can be given."


def test_an_interval_that_is_open(monkeypatch):
    """Ends farther away than 128 standard errors are not looked for; here the search is made to stop early."""
    monkeypatch.setattr("evaluation.did.inference.wild.FARTHEST", 1.0)
    row = wild().table.iloc[0]
    assert np.isnan([row["conf_low"], row["conf_high"]]).all()
    assert row["note"] == "unbounded"
    assert row["p_value"] == pytest.approx(0.1640625)


def test_clusters_are_added_up_first():
    clusters = {f"{number:02d}": str(number // 2) for number in range(10)}
    joined = wild(ScoreWild(clusters=clusters)).table.iloc[0]
    x, y = X.reshape(5, 8), Y.reshape(5, 8)
    alone = wild(x=x, y=y, treated=2).table.iloc[0]
    assert joined["statistic"] == pytest.approx(alone["statistic"], rel=1e-12)
    assert joined["p_value"] == alone["p_value"]


def test_what_cannot_be_offered():
    with pytest.raises(DesignError) as caught:
        conclude(ScoreWild(), np.ones((63, 2)))
    assert str(caught.value) == (
        "Averages offers no score bootstrap here (estimates asked for: 2): it tests one effect with all else fitted "
        "without it. What to do: Use ClusterRobust or MultiplierBootstrap, or an estimator with one effect that offers "
        "it."
    )
    panel = simulate_panel(3, shape=(63, 12), treated=8, start=8, frequency="year")
    with pytest.raises(DesignError) as caught:
        EventStudy(window=(-2, 1), inference=ScoreWild()).estimate(panel)
    assert caught.value.worded("de").startswith(
        "EventStudy bietet hier keinen Score-Bootstrap (verlangte Schätzungen: 3): Dieser prüft eine Wirkung"
    )
    with pytest.raises(DesignError, match="draws = 10 is not allowed"):
        ScoreWild(draws=10)
    with pytest.raises(DesignError, match="enumerate_up_to = 4194304 is not allowed"):
        ScoreWild(enumerate_up_to=2**22)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.floats(0.01, 100), shift=st.floats(-3, 3))
def test_order_scale_and_shift(seed, factor, shift):
    """Enumerated, the order of units is nothing; the interval moves with the outcome."""
    order = np.random.default_rng(seed).permutation(10)
    before = wild().table.iloc[0]
    moved = wild(x=X[order], y=(factor * (Y + shift * X))[order]).table.iloc[0]
    for end in ("estimate", "conf_low", "conf_high"):
        tolerance = 1e-3 * factor * before["std_error"]
        assert moved[end] == pytest.approx(factor * (before[end] + shift), abs=tolerance)
    swapped = wild(x=X[order], y=factor * Y[order]).table.iloc[0]
    assert swapped["p_value"] == before["p_value"]


def test_no_variation_is_said():
    result = wild(x=np.ones((6, 1)), y=np.full((6, 1), 2.0), treated=2)
    assert result.table["note"].tolist() == ["survey.note.no_variation"]
    assert np.isnan(result.table["p_value"]).all()


def test_two_by_two_offers_it_also_where_cohorts_differ():
    """The ratio solves the score equation of one cohort, so that its test has the p-value one there."""
    panel = simulate_panel(3, shape=(63, 12), treated=12, start=8, frequency="year", log_effect=-0.4)
    wildly, robust = (
        TwoByTwo(before=3, after=2, inference=kind).estimate(panel) for kind in (ScoreWild(draws=999), ClusterRobust())
    )
    drawn, plain = wildly.row(term="effect"), robust.row(term="effect")
    assert drawn["estimate"] == plain["estimate"]
    assert drawn["conf_low"] < drawn["estimate"] < drawn["conf_high"] < 0
    assert drawn["p_value"] == 0.001
    width = (drawn["conf_high"] - drawn["conf_low"]) / (plain["conf_high"] - plain["conf_low"])
    assert 0.8 < width < 1.5
    levels = TwoByTwo(before=3, after=2, scale="levels", inference=ScoreWild(draws=999)).estimate(panel)
    assert levels.row(term="effect")["p_value"] == drawn["p_value"]


def test_thousands_of_units():
    """The bootstrap of many units is the t test; 2,000 signs have far more vectors than any number."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2_000, 1)), rng.normal(size=(2_000, 1))
    estimate, influence, scores = through_origin(x, y)
    given_scores = {"null_scores": scores, "estimate": [estimate], "treated": 900, "parameters": None}
    drawn = conclude(ScoreWild(draws=1_999), influence, **given_scores).table.iloc[0]
    plain = conclude(ClusterRobust(), influence, **given_scores).table.iloc[0]
    assert drawn["p_value"] == pytest.approx(plain["p_value"], abs=0.04)
    assert drawn["conf_high"] - drawn["conf_low"] == pytest.approx(plain["conf_high"] - plain["conf_low"], rel=0.06)


def test_size_with_many_treated_units_and_with_few():
    """Over-dispersed counts of 63 areas before and after, no effect, nominal 5 %, 150 panels each.

    With 30 treated the share of rejections lies in the 99 % binomial range; with three the bootstrap hardly ever
    rejects, while the t test does so far too often.
    """
    rng = np.random.default_rng(5)
    rates = {}
    for treated in (30, 3):
        regressor = np.zeros((63, 2))
        regressor[:treated, 1] = 1.0
        rejected = []
        for _ in range(150):
            level = np.exp(rng.normal(4.5, 0.8, (63, 1))) * np.exp(rng.normal(0, 0.1, (63, 2)))
            counts = rng.poisson(level * [3, 1]).astype(float)
            scores = partial(null_scores, counts, regressor)
            fit = two_way(counts, regressor[None])
            units = Grouped(fit.influence, np.arange(63), np.arange(63), 63, treated)
            t = fit.coefficients[0] / np.sqrt((fit.influence**2).sum() * 63 / 62)
            drawn = _Test(scores, units, ScoreWild(draws=199, seed=int(rng.integers(10**9)))).at(0.0)
            rejected.append((drawn[1] <= 0.05, two_sided_p(t, 62) <= 0.05))
        rates[treated] = np.mean(rejected, axis=0)
    assert 0.005 < rates[30][0] < 0.1
    assert rates[3][0] < 0.04
    assert rates[3][1] > 0.15
