"""Cluster-robust inference and multiplier bootstrap: by hand, against other programs, by invariance and simulation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation import (
    ClusterRobust,
    DesignError,
    EstimationError,
    EventStudy,
    MultiplierBootstrap,
    TwoByTwo,
)
from evaluation.estimates import Scale
from evaluation.influence import bands, covariance, joint_test
from evaluation.influence.multipliers import MULTIPLIERS, multiplier_draws
from evaluation.regression import two_way
from evaluation.simulate import simulate_panel
from tests.did.conclusions import REFERENCE, conclude

INFLUENCE = np.array(REFERENCE["influence"]) / 63
BEZIRK = {f"{number:02d}": str(number % 9) for number in range(63)}


# --- cluster-robust ---


def test_the_rule_for_small_samples_by_hand():
    """Influences 3, -1, -2, 0: sum of squares 14; n / (n - 1) = 4 / 3; ten observations, three parameters: 9 / 7."""
    influence = np.array([[3.0], [-1.0], [-2.0], [0.0]])
    plain = conclude(ClusterRobust(), influence, treated=2, parameters=None).table.iloc[0]
    assert plain["std_error"] == pytest.approx(14**0.5, rel=1e-12)
    assert plain["p_value"] == pytest.approx(2 * stats.norm.sf(0.1 / 14**0.5), rel=1e-12)
    default = conclude(ClusterRobust(), influence, treated=2).table.iloc[0]
    assert default["std_error"] == pytest.approx((14 * 4 / 3) ** 0.5, rel=1e-12)
    assert default["p_value"] == pytest.approx(2 * stats.t.sf(0.1 / (14 * 4 / 3) ** 0.5, 3), rel=1e-12)
    fitted = conclude(ClusterRobust(), influence, treated=2, parameters=3, observations=10).table.iloc[0]
    assert fitted["std_error"] == pytest.approx((14 * 4 / 3 * 9 / 7) ** 0.5, rel=1e-12)


def test_units_that_are_not_used_do_not_count():
    """A unit of the panel that is left out has influence zero; the factor is that of the others."""
    influence = np.array([[3.0], [-1.0], [-2.0], [0.0], [0.0]])
    row = conclude(ClusterRobust(), influence, treated=2, units=4).table.iloc[0]
    assert row["std_error"] == pytest.approx((14 * 4 / 3) ** 0.5, rel=1e-12)
    assert row["df"] == 3


def test_larger_clusters_by_hand():
    """Clusters a (3, -1) and b (-2, 1) and c (-1): sums 2, -1, -1; 6 times 3 / 2."""
    influence = np.array([[3.0], [-2.0], [-1.0], [1.0], [-1.0]])
    clusters = {"00": "a", "01": "b", "02": "a", "03": "b", "04": "c"}
    result = conclude(ClusterRobust(clusters=clusters), influence, treated=2)
    assert result.table["std_error"].iloc[0] == pytest.approx(3.0, rel=1e-12)
    assert result.table["df"].iloc[0] == 2
    assert result.influence.units.tolist() == ["a", "b", "c"]
    assert result.facts["inference"] == {"name": "ClusterRobust", "level": 0.95, "clusters": 3}
    assert result.worded_notes() == [
        "With 2 larger clusters with the measure this standard error is too small; the comparison with areas and "
        "years without the measure is more reliable."
    ]
    assert result.worded_notes("de") == [
        "Bei 2 größeren Gruppen mit Maßnahme ist dieser Standardfehler zu klein; der Vergleich mit Gebieten und "
        "Jahren ohne Maßnahme ist verlässlicher."
    ]


def test_clusters_that_are_not_possible():
    with pytest.raises(DesignError) as caught:
        conclude(ClusterRobust(clusters={"00": "a", "02": "b"}), INFLUENCE[:4], treated=2)
    assert str(caught.value) == (
        "Units without a larger cluster: 01 and 03. What to do: Give clusters a value for each of them."
    )
    one = dict.fromkeys(["00", "01"], "a") | dict.fromkeys(["02", "03"], "b")
    with pytest.raises(EstimationError) as caught:
        conclude(ClusterRobust(clusters=one), INFLUENCE[:4], treated=2)
    assert str(caught.value) == (
        "Fewer than two of 2 larger clusters have the measure: there is no standard error by cluster. What to do: Use "
        "random assignment (leave out inference), or smaller clusters."
    )
    with pytest.raises(EstimationError) as caught:
        conclude(MultiplierBootstrap(), INFLUENCE, treated=1)
    assert str(caught.value) == (
        "Averages: with only one area with the measure there is no standard error by area. What to do: Use random "
        "assignment (leave out inference)."
    )


@pytest.mark.parametrize(("family", "peer"), [("gaussian", "feols"), ("poisson", "fepois")])
def test_a_regression_has_the_standard_error_of_pyfixest(family, peer):
    """One coefficient and four periods are fitted; unit effects are nested in the clusters."""
    outcome = np.array(REFERENCE["z" if family == "gaussian" else "counts"])
    fit = two_way(outcome, np.array(REFERENCE["treated"])[None], family=family)
    expected = REFERENCE[peer]
    result = conclude(
        ClusterRobust(), fit.influence, estimate=fit.coefficients, treated=4, parameters=5, observations=40
    )
    row = result.table.iloc[0]
    tolerance = 1e-10 if family == "gaussian" else 1e-6  # the other program stops its iterations earlier
    assert row["std_error"] == pytest.approx(expected["std_error"], rel=tolerance)
    if family == "gaussian":  # for counts it takes the normal distribution
        assert row["p_value"] == pytest.approx(expected["p_value"], rel=1e-10)
        assert [row["conf_low"], row["conf_high"]] == pytest.approx(expected["interval"], rel=1e-10)


def test_more_parameters_than_observations_are_a_mistake():
    with pytest.raises(ValueError, match=r"^126 parameters cannot be fitted to 126 observations$"):
        conclude(ClusterRobust(), INFLUENCE, parameters=126)


def test_a_row_that_is_not_judged_keeps_its_note():
    influence = INFLUENCE.copy()
    influence[:, 0] = 0.0
    result = conclude(MultiplierBootstrap(), influence, row_notes=["reference_period", *[""] * 5])
    assert result.table["note"].tolist() == ["reference_period", *[""] * 5]
    assert result.table["p_value"].isna().tolist() == [True, *[False] * 5]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.floats(0.01, 100))
def test_scale_and_order_of_units_do_not_matter(seed, factor):
    order = np.random.default_rng(seed).permutation(63)
    clusters = {f"{new:02d}": str(old % 9) for new, old in enumerate(order)}
    for first, second in (
        (ClusterRobust(), ClusterRobust()),
        (ClusterRobust(clusters=BEZIRK), ClusterRobust(clusters=clusters)),
        (MultiplierBootstrap(draws=99, multiplier="normal"), MultiplierBootstrap(draws=99, multiplier="normal")),
    ):
        before = conclude(first, INFLUENCE, parameters=None).table
        estimate = factor * before["estimate"].to_numpy()
        after = conclude(second, factor * INFLUENCE[order], estimate=estimate, parameters=None).table
        np.testing.assert_allclose(after["std_error"], factor * before["std_error"], rtol=1e-9)
        np.testing.assert_allclose(after["conf_high"], factor * before["conf_high"], rtol=1e-6)
        np.testing.assert_allclose(after["p_value"], before["p_value"], rtol=1e-6)


def test_clusters_of_single_units_change_nothing():
    own = {unit: unit for unit in BEZIRK}
    plain, clustered = (conclude(ClusterRobust(clusters=c), INFLUENCE).table for c in (None, own))
    np.testing.assert_allclose(clustered["conf_low"], plain["conf_low"], rtol=1e-12)


# --- multiplier bootstrap ---


def test_multipliers_have_their_moments():
    """The draws of one unit with influence one are the multipliers themselves."""
    thirds = {"rademacher": 0.0, "mammen": 1.0, "normal": 0.0}
    for multiplier in MULTIPLIERS:
        blocks = multiplier_draws(np.eye(3), np.ones(3), draws=40_000, seed=2, multiplier=multiplier)
        drawn = np.concatenate(list(blocks))
        assert drawn.shape == (40_000, 3)
        assert drawn.mean() == pytest.approx(0.0, abs=0.015)
        assert drawn.var() == pytest.approx(1.0, abs=0.02)
        assert (drawn**3).mean() == pytest.approx(thirds[multiplier], abs=0.05)
        assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.02
    two_points = np.unique(
        np.concatenate(list(multiplier_draws(np.eye(1), np.ones(1), draws=99, seed=1, multiplier="mammen")))
    )
    np.testing.assert_allclose(two_points, [(1 - 5**0.5) / 2, (1 + 5**0.5) / 2], rtol=1e-6)


def test_single_precision_is_enough():
    """Draws in single precision differ from the same draws in double precision by far less than they vary."""
    rng = np.random.default_rng(4)
    values = rng.standard_normal((500, 4)) * [1, 1e-6, 1e6, 1]
    error = np.sqrt((values**2).sum(axis=0))
    drawn = np.concatenate(list(multiplier_draws(values, error, draws=64, seed=1, multiplier="rademacher")))
    narrow = np.concatenate(
        list(multiplier_draws(np.eye(500), np.ones(500), draws=64, seed=1, multiplier="rademacher"))
    )
    np.testing.assert_allclose(drawn, np.sign(narrow) @ values / error, atol=2e-5)


@pytest.mark.parametrize("multiplier", MULTIPLIERS)
def test_critical_values_are_those_of_csdid(multiplier):
    """csdid draws signs; all multipliers agree where many units count. 400,000 draws there, 20,000 here."""
    inference = MultiplierBootstrap(draws=19_999, multiplier=multiplier)
    result = conclude(inference, INFLUENCE, parameters=None)
    expected = REFERENCE["largest_draw_quantiles"]["0.95"]
    assert result.facts["critical_value"] == pytest.approx(expected, rel=0.012 if multiplier == "rademacher" else 0.04)


def test_the_band_is_that_of_the_survey_with_normal_multipliers():
    result = conclude(MultiplierBootstrap(draws=9_999, multiplier="normal", seed=3), INFLUENCE)
    band = bands(conclude(ClusterRobust(), INFLUENCE), draws=9_999, seed=3)
    assert result.facts["critical_value"] == pytest.approx(band.facts["critical_value"], rel=2e-3)


def test_p_values_and_bands_say_the_same():
    rng = np.random.default_rng(8)
    for simultaneous in (True, False):
        inference = MultiplierBootstrap(draws=199, level=0.9, simultaneous=simultaneous)
        table = conclude(inference, INFLUENCE, estimate=rng.normal(size=6) * 0.7, parameters=None).table
        excluded = (table["conf_low"] > 0) | (table["conf_high"] < 0)
        assert (excluded == (table["p_value"] <= 0.1 + 1e-12)).all()
        assert 0 < excluded.sum() < 6


def test_what_a_band_says_about_itself():
    inference = MultiplierBootstrap(draws=199, seed=5)
    result = conclude(inference, INFLUENCE, parameters=None)
    assert result.facts["inference"] == {
        "name": "MultiplierBootstrap",
        "level": 0.95,
        "draws": 199,
        "seed": 5,
        "simultaneous": True,
        "multiplier": "rademacher",
    }
    assert result.facts["smallest_p"] == 1 / 200
    assert result.worded_notes() == [
        "The ranges of all 6 estimates hold together with a probability of 95%, and p-values are adjusted for their "
        "number."
    ]
    assert conclude(inference, INFLUENCE[:, :1]).notes == ()
    assert [note.code for note in conclude(inference, INFLUENCE, treated=5).notes] == [
        "core.note.asymptotic_few_treated",
        "inference.note.band",
    ]


def test_a_band_is_wider_than_intervals_and_never_shorter_than_the_normal_one():
    """With two treated units and signs, draws hardly exceed one standard error; the interval is not shorter for it."""
    robust = conclude(ClusterRobust(), INFLUENCE, parameters=None).table
    band = conclude(MultiplierBootstrap(), INFLUENCE, parameters=None).table
    assert (band["conf_high"] > robust["conf_high"]).all()
    assert (band["p_value"] >= robust["p_value"]).all()
    few = np.zeros((63, 1))
    few[:2, 0] = 1.0, -1.0
    for simultaneous in (True, False):
        lonely = conclude(MultiplierBootstrap(simultaneous=simultaneous), few, treated=2, parameters=None).table
        plain = conclude(ClusterRobust(), few, treated=2, parameters=None).table
        assert lonely["conf_high"][0] == pytest.approx(plain["conf_high"][0], rel=1e-12)


def test_draws_do_not_depend_on_how_many_are_held_at_a_time(monkeypatch):
    first = conclude(MultiplierBootstrap(draws=333), INFLUENCE).table
    again = conclude(MultiplierBootstrap(draws=333), INFLUENCE).table
    assert first.equals(again)
    monkeypatch.setattr("evaluation.influence.multipliers.CELLS", 63 * 5)
    chunked = conclude(MultiplierBootstrap(draws=333), INFLUENCE, parameters=None).table
    monkeypatch.undo()
    whole = conclude(MultiplierBootstrap(draws=333), INFLUENCE, parameters=None).table
    np.testing.assert_allclose(chunked["conf_high"], whole["conf_high"], rtol=1e-6)
    other = conclude(MultiplierBootstrap(draws=333, seed=2), INFLUENCE, parameters=None).table
    assert not np.allclose(other["conf_high"], whole["conf_high"], rtol=1e-6)


def test_options_that_are_not_possible():
    with pytest.raises(DesignError) as caught:
        MultiplierBootstrap(draws=99, level=0.999, multiplier="webb")
    assert str(caught.value) == (
        "MultiplierBootstrap: draws = 99 is not allowed. What to do: Allowed: >= 999.\n"
        "MultiplierBootstrap: multiplier = webb is not allowed. What to do: Allowed: rademacher, mammen, normal."
    )
    with pytest.raises(DesignError) as caught:
        ClusterRobust(level=1.0)
    assert str(caught.value) == "ClusterRobust: level = 1.0 is not allowed. What to do: Allowed: 0.5 < level < 1."


def test_rest_of_the_result_stays_that_of_influences():
    """Contrasts and joint tests use the influences, which the bootstrap leaves alone."""
    robust, band = (conclude(kind, INFLUENCE) for kind in (ClusterRobust(), MultiplierBootstrap()))
    np.testing.assert_allclose(covariance(band.influence), covariance(robust.influence), rtol=1e-12)
    assert joint_test(band) == joint_test(robust)
    assert replace(band, table=robust.table).display().equals(robust.display())


def test_estimators_take_every_kind():
    panel = simulate_panel(3, shape=(63, 12), treated=[f"{n:02d}" for n in range(1, 60, 2)], start=8, frequency="year")
    path = EventStudy(window=(-3, 2), reference=1, inference=MultiplierBootstrap()).estimate(panel)
    assert path.table["p_value"].between(0, 1).all()
    effect = TwoByTwo(before=3, after=2, scale="levels", inference=MultiplierBootstrap()).estimate(panel)
    assert effect.scale == Scale("identity", "cases")
    plain = TwoByTwo(before=3, after=2, scale="levels", inference=ClusterRobust()).estimate(panel)
    assert effect.table["estimate"].equals(plain.table["estimate"])


# --- simulation ---


def rejections(kind, treated, *, replications=250, k=5, **options):
    """Return how often any of `k` zero effects is rejected (their largest deviation, at 5 %), and each on average."""
    rng = np.random.default_rng(treated)
    either, each = [], []
    for _ in range(replications):
        shocks = rng.standard_normal((63, k)) * rng.uniform(0.5, 1.5, size=(63, 1))
        own = np.arange(63) < treated
        change = shocks[own].mean(axis=0) - shocks[~own].mean(axis=0)
        influence = np.where(own[:, None], shocks - shocks[own].mean(axis=0), -(shocks - shocks[~own].mean(axis=0)))
        influence /= np.where(own, own.sum(), (~own).sum())[:, None]
        table = conclude(kind, influence, estimate=change, treated=treated, **options).table
        low, high = table["conf_low"].to_numpy(), table["conf_high"].to_numpy()
        either.append(((low > 0) | (high < 0)).any())
        each.append(((low > 0) | (high < 0)).mean())
    return float(np.mean(either)), float(np.mean(each))


def test_size_with_many_treated_units_and_how_wrong_with_few():
    """Nominal 5 %. 250 panels of 63 units, five effects of zero each; 99 % binomial range 2 to 9 %."""
    together, _ = rejections(MultiplierBootstrap(draws=199), 30)
    assert 0.018 < together < 0.09
    any_pointwise, pointwise = rejections(ClusterRobust(), 30)
    assert 0.03 < pointwise < 0.08  # 1,250 tests, five to a panel
    assert any_pointwise > 0.15  # what the band is for
    _, few = rejections(ClusterRobust(), 3)
    assert few > 0.15  # three treated units: far too often


def test_power_facts_are_those_of_a_normal_estimate():
    """A million draws of a true 16 % fall with this standard error: share, and mean size, of significant ones."""
    result = TwoByTwo(inference=ClusterRobust()).estimate(simulate_panel(4, treated=20))
    row, facts = result.row(term="effect"), result.facts
    critical = (row["conf_high"] - row["estimate"]) / row["std_error"]
    draws = np.log(0.84) + row["std_error"] * np.random.default_rng(1).standard_normal(1_000_000)
    shown = np.abs(draws[np.abs(draws) > critical * row["std_error"]])
    assert facts["exaggeration"] == pytest.approx(shown.mean() / -np.log(0.84), rel=0.002)
    found = np.log1p(-facts["detectable"]) + row["std_error"] * np.random.default_rng(2).standard_normal(1_000_000)
    assert (np.abs(found) > critical * row["std_error"]).mean() == pytest.approx(0.8, abs=0.002)
    assert facts["vanishes_if_reporting"] == pytest.approx(np.expm1(row["estimate"]))
