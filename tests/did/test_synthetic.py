"""Synthetic control and synthetic DiD: by hand, against exact solvers and published numbers, by invariance, size."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    DesignError,
    EstimationError,
    Panel,
    Randomization,
    Study,
    SyntheticControl,
    SyntheticDifference,
    TwoByTwo,
)
from evaluation.did.donors.gap import SyntheticGap
from evaluation.did.donors.weights import simplex_weights
from evaluation.did.inference.asymptotic import ClusterRobust
from evaluation.did.synthetic import donor_weights, period_weights, trajectories
from evaluation.randomization.windows import Windows
from evaluation.simulate import simulate_panel
from tests.did.test_two_by_two import panel_of, poisson

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "synthetic.json").read_text(encoding="utf-8"))
BOTH = pytest.mark.parametrize("estimator", [SyntheticControl, SyntheticDifference])
QUICK = Randomization(draws=199, enumerate_up_to=999)


# --- weights ---


def nearest(design, target, ridge=0.0):
    """The same weights by non-negative least squares of scipy, one problem at a time."""
    from scipy.optimize import nnls

    mean = design.mean(axis=1)
    spread = ((design - mean[:, None]) ** 2).sum(axis=0).mean()
    corner = np.sqrt(spread + ((mean - target) ** 2).sum())
    ridge = max(ridge, 1e-6 * spread)
    columns = design - target[:, None]
    stacked = np.vstack([columns, np.full(design.shape[1], corner), np.sqrt(ridge) * np.eye(design.shape[1])])
    found, _ = nnls(stacked, np.eye(len(stacked))[len(target)] * corner, maxiter=100_000)
    return found / found.sum()


def test_weights_by_hand():
    """Between two points the foot of the perpendicular; beyond the segment its end; on a donor that donor."""
    ends = np.array([[0.0, 4.0], [0.0, 0.0]])
    targets = np.array([[1.0, 5.0], [9.0, 0.0], [4.0, 0.0]])
    weights = simplex_weights(ends, targets, allowed=np.ones((3, 2), dtype=bool))
    np.testing.assert_allclose(weights, [[0.75, 0.25], [0, 1], [0, 1]], atol=2e-6)


def test_equally_good_weights_are_shared_out_evenly():
    """Two pairs of equal donors: any split within a pair fits, the ridge takes halves."""
    pairs = np.array([[0.0, 0.0, 1.0, 1.0]])
    weights = simplex_weights(pairs, np.array([[0.25]]), allowed=np.ones((1, 4), dtype=bool))
    np.testing.assert_allclose(weights, [[0.375, 0.375, 0.125, 0.125]], atol=1e-5)


def test_weights_agree_with_a_general_solver():
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    design, target = rng.normal(size=(9, 6)), rng.normal(size=9)
    found = simplex_weights(design, target[None], allowed=np.ones((1, 6), dtype=bool), ridge=0.5)[0]
    general = minimize(
        lambda w: ((design @ w - target) ** 2).sum() + 0.5 * (w @ w),
        np.full(6, 1 / 6),
        method="SLSQP",
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    np.testing.assert_allclose(found, general.x, atol=1e-6)  # as far as SLSQP's numerical gradient goes


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    periods=st.integers(1, 15),
    donors=st.integers(1, 12),
    ridge=st.sampled_from([0.0, 1e-3, 1.0]),
    counts=st.booleans(),
)
def test_many_weights_at_once_agree_with_one_at_a_time(seed, periods, donors, ridge, counts):
    """Counts give equal donors and targets on the edge; some donors are not allowed."""
    rng = np.random.default_rng(seed)
    draw = (lambda *size: rng.poisson(0.5, size).astype(float)) if counts else (lambda *size: rng.normal(size=size))
    design, targets = draw(periods, donors), draw(5, periods)
    allowed = rng.random((5, donors)) < 0.8
    allowed[~allowed.any(axis=1), 0] = True
    found = simplex_weights(design, targets, allowed=allowed, ridge=ridge)
    own = simplex_weights(np.stack([design] * 5), targets, allowed=allowed, ridge=ridge)
    for row, target in enumerate(targets):
        pool = design[:, allowed[row]]
        alike = (pool == pool[:, :1]).all()  # then any weights fit, and equal ones are the smallest
        one = np.full(pool.shape[1], 1 / pool.shape[1]) if alike else nearest(pool, target, ridge)
        np.testing.assert_allclose(found[row, allowed[row]], one, atol=2e-6)
        np.testing.assert_allclose(own[row], found[row], atol=2e-6)
        assert (found[row, ~allowed[row]] == 0).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_weights_know_neither_unit_nor_origin_nor_order(seed, scale, shift):
    rng = np.random.default_rng(seed)
    design, target = rng.normal(size=(6, 20)), rng.normal(size=(1, 6))
    allowed, order = np.ones((1, 20), dtype=bool), rng.permutation(20)
    plain = simplex_weights(design, target, allowed=allowed, ridge=0.2)
    moved = simplex_weights(design * scale + shift, target * scale + shift, allowed=allowed, ridge=0.2 * scale**2)
    np.testing.assert_allclose(moved, plain, atol=1e-7)
    np.testing.assert_allclose(simplex_weights(design[:, order], target, allowed=allowed, ridge=0.2), plain[:, order])
    near = simplex_weights(design, target, allowed=allowed, ridge=0.2, start=rng.random((1, 20)) < 0.3)
    np.testing.assert_allclose(near, plain, atol=1e-9)


@pytest.mark.parametrize("distance", [10, 1e3, 1e6])
def test_a_target_far_away_takes_the_nearest_donor(distance):
    rng = np.random.default_rng(1)
    design = rng.normal(size=(4, 9))
    direction = rng.normal(size=4)
    weights = simplex_weights(design, distance * direction[None], allowed=np.ones((1, 9), dtype=bool))
    assert weights[0, (direction @ design).argmax()] == pytest.approx(1, abs=1e-6)


def test_where_nobody_may_be_a_donor_there_are_no_weights():
    allowed = np.array([[True, True], [False, False]])
    weights = simplex_weights(np.eye(2), np.ones((2, 2)), allowed=allowed)
    assert np.isnan(weights[1]).all()
    assert weights[0].sum() == pytest.approx(1)


# --- by hand ---


def test_additive_control_by_hand():
    """a is the mean of b and c before; afterwards it has 6 cases more than they have."""
    counts = [[15, 25, 35, 46], [10, 20, 30, 40], [20, 30, 40, 40], [25, 15, 45, 0], [5, 30, 20, 60]]
    panel = panel_of(counts, {"a": "2013"})
    method = SyntheticControl(before=3, after=1, scale="additive")
    assert method.estimate(panel).row(term="unadjusted")["estimate"] == pytest.approx(6, abs=1e-3)
    weights = donor_weights(panel, method)
    assert weights["treated"].tolist() == ["a"] * len(weights)
    assert weights.set_index("donor")["weight"][["b", "c"]].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_ratio_control_by_hand():
    """b is twice a in every year before, c half of it: a is their geometric mean; afterwards it has half."""
    base = np.array([40, 60, 50, 90, 70, 80])
    panel = panel_of([[*base[:5] - 0.5, 39.5], base * 2 - 0.5, base / 2 - 0.5], {"a": "2015"})
    method = SyntheticControl(before=5, after=1)
    result = method.estimate(panel)
    assert np.exp(result.row(term="unadjusted")["estimate"]) == pytest.approx(0.5, abs=1e-5)
    assert result.facts["rmspe_before"] == pytest.approx(0, abs=1e-5)
    assert result.facts["effective_donors"] == pytest.approx(2, abs=1e-4)
    shown = trajectories(panel, method)
    np.testing.assert_allclose(shown["synthetic"], base, rtol=1e-5)
    assert shown["event_time"].tolist() == [-5, -4, -3, -2, -1, 0]
    assert shown["observed"].tolist() == pytest.approx([*base[:5], 40])


def test_with_one_donor_and_equal_weights_of_periods_it_is_a_difference_of_differences():
    counts = np.array([[10, 20, 12, 30, 44], [20, 40, 24, 20, 20]], dtype=float)
    logs = np.log(counts + 0.5)
    gap = SyntheticGap(donors=np.array([False, True]))
    found = gap.values(counts, np.ones_like(counts), np.array([3]), Windows(3, 2, 1, 1))
    step = logs[:, 3:].mean(axis=1) - logs[:, :3].mean(axis=1)
    assert found[0, 0] == pytest.approx(step[0] - step[1])
    assert np.isnan(found[0, 1])  # its own donor is nobody


def test_the_same_weights_are_found_whoever_else_is_asked():
    """A unit's change at a date does not depend on which dates and units are computed with it."""
    panel = simulate_panel(4)
    both = []
    for dates in (np.array([20]), np.array([18, 19, 20])):
        gap = SyntheticGap(donors=panel.comparison, difference=True)
        both.append(gap.values(panel.outcome, panel.exposure, dates, Windows(12, 4, 6, 6))[-1])
    np.testing.assert_allclose(both[0], both[1], atol=1e-7)
    gap = SyntheticGap(donors=panel.comparison, difference=True)
    one = np.eye(63, dtype=bool)[[5]]
    alone = gap.compare(panel.outcome, panel.exposure, 20, Windows(12, 4, 6, 6), members=one)
    np.testing.assert_allclose(alone.change, both[0][5], atol=1e-7)


# --- references ---


def smoking():
    numbers = REFERENCE["smoking"]
    packs = np.array(numbers["packs"])
    years = [str(numbers["first_year"] + step) for step in range(packs.shape[1])]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(numbers["states"], len(years)),
            "period": years * len(packs),
            "outcome": packs.ravel(),
        }
    )
    study = Study(id="s", outcome="packs", event="tax", period="year", treated_since={"California": "1989"})
    return Panel(frame, study), numbers


@pytest.mark.parametrize(
    ("estimator", "name", "published"),
    [(SyntheticDifference, "difference", -15.604), (SyntheticControl, "control", -19.6)],
)
def test_california_smoking(estimator, name, published):
    """Exact to 1e-8 with the same small ridge, to 1e-4 without; packages stop early and are near (see the recipe)."""
    panel, numbers = smoking()
    method = estimator(before=19, after=12, scale="additive")
    result = method.estimate(panel)
    found = result.row(term="unadjusted")["estimate"]
    assert found == pytest.approx(numbers[f"{name}_with_floor"], abs=1e-8)
    assert found == pytest.approx(numbers[name], abs=1e-4)
    assert found == pytest.approx(numbers[f"synthdid_py_{name}"], abs=0.002 if name == "difference" else 0.11)
    assert found == pytest.approx(published, abs=0.1)
    weights = donor_weights(panel, method).set_index("donor")["weight"]
    weights = weights.reindex(numbers["states"][:38]).fillna(0)
    np.testing.assert_allclose(weights, numbers[f"{name}_weights"], atol=1e-8)
    if name == "difference":
        np.testing.assert_allclose(period_weights(panel, method)["weight"], numbers["period_weights"], atol=1e-8)
        assert found == pytest.approx(numbers["diff_diff_difference"], abs=0.002)
        assert result.facts["effective_donors"] == pytest.approx(16.4, abs=0.05)  # printed by the R package, too
        assert result.facts["placebo_space_p"] == pytest.approx(1 / 39)


def test_several_treated_units_on_the_log_scale():
    numbers = REFERENCE["areas"]
    since = dict.fromkeys("abc", str(2010 + numbers["before"]))
    panel = panel_of(numbers["counts"], since)
    each, mean = (
        method(before=10, after=4, inference=QUICK).estimate(panel).row(term="unadjusted")["estimate"]
        for method in (SyntheticControl, SyntheticDifference)
    )
    assert each == pytest.approx(numbers["control_each"], abs=1e-8)
    assert mean == pytest.approx(numbers["difference_mean"], abs=1e-8)


# --- invariance ---


@BOTH
def test_order_of_rows_and_unit_of_the_exposure_do_not_matter(estimator):
    counts = poisson(units=25, years=12)
    people = np.random.default_rng(1).uniform(500, 3000, (25, 12))
    panel = panel_of(counts, {"a": "2020", "b": "2020"}, exposure=people)
    shuffled = Panel(panel.frame.sample(frac=1, random_state=2), panel.study)
    thousand = Panel(panel.frame.assign(exposure=panel.frame["exposure"] / 1000), panel.study)
    method = estimator(before=4, after=2, inference=QUICK)
    kept = panel.frame.copy(deep=True)
    first, *others = (method.estimate(p).table for p in (panel, shuffled, thousand))
    for other in others:
        pd.testing.assert_frame_equal(first, other, atol=1e-6)
    pd.testing.assert_frame_equal(panel.frame, kept)


def test_a_constant_distance_is_nothing_to_the_difference_form():
    panel, numbers = smoking()
    raised = panel.frame.assign(
        outcome=panel.frame["outcome"].where(panel.frame["unit"] != "California", lambda y: y + 50)
    )
    method = SyntheticDifference(before=19, after=12, scale="additive")
    found = method.estimate(Panel(raised, panel.study)).row(term="unadjusted")["estimate"]
    assert found == pytest.approx(numbers["difference_with_floor"], abs=1e-8)


@BOTH
def test_cases_are_derived_from_the_ratio(estimator):
    panel = simulate_panel(2, treated=3, shape=(40, 36), start=28)
    ratio, levels = (estimator(after=6, scale=scale, inference=QUICK).estimate(panel) for scale in ("ratio", "levels"))
    effect, cases = ratio.row(term="effect"), levels.row(term="effect")
    observed = ratio.facts["observed"]
    assert cases["estimate"] == pytest.approx(observed * (1 - np.exp(-effect["estimate"])))
    assert cases["p_value"] == effect["p_value"]


# --- the test ---


def halved():
    """Three of sixty areas whose cases are halved for half a year."""
    process = {"mean": 100.0, "dispersion": 2.0}
    return simulate_panel(
        7, treated=["20", "41", "52"], shape=(60, 36), start=30, log_effect=np.log(0.5), process=process
    )


@BOTH
def test_a_large_effect_is_found(estimator):
    panel = halved()
    result = estimator(before=12, after=6, inference=QUICK).estimate(panel)
    row = result.row(term="effect")
    assert row["p_value"] < 0.02
    assert row["conf_low"] < np.log(0.5) < row["conf_high"] < 0
    assert result.facts["history_dates"] == 7


@BOTH
def test_each_cohort_is_compared_at_its_own_date(estimator):
    counts = np.random.default_rng(3).poisson(400, (30, 16)).astype(float)
    counts[0, 10:] *= 0.5
    counts[1, 12:] *= 0.5
    panel = panel_of(counts[:26], {"a": "2020", "b": "2022"})
    method = estimator(before=5, after=2, inference=QUICK)
    result = method.estimate(panel)
    assert result.row(term="unadjusted")["estimate"] == pytest.approx(np.log(0.5), abs=0.1)
    assert result.row(term="effect")["estimate"] == pytest.approx(np.log(0.5), abs=0.15)
    weights = donor_weights(panel, method)
    assert weights.groupby("treated")["since"].first().to_dict() == {"a": "2020", "b": "2022"}
    assert not weights["donor"].isin(["a", "b"]).any()


@BOTH
def test_effects_by_event_time(estimator):
    panel = halved()
    result = estimator(before=12, window=(-3, 3), inference=QUICK).estimate(panel)
    assert result.table["event_time"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    after = result.table[result.table["event_time"] >= 0]["estimate"]
    assert after.mean() == pytest.approx(np.log(0.5), abs=0.25)
    assert result.facts["before"] == 12


def test_the_classical_placebo_test_by_hand():
    """One of ten units has by far the largest ratio of gaps: 1 / 10. The mean of two is one of nine."""
    counts = np.random.default_rng(1).poisson(100, (10, 12)).astype(float)
    counts[0, 9:] *= 3
    one = SyntheticControl(before=6, after=2).estimate(panel_of(counts, {"a": "2019"}))
    assert one.facts["placebo_space_p"] == pytest.approx(0.1)
    counts[1, 9:] *= 3
    panel = panel_of(counts, {"a": "2019", "b": "2019"})
    mean = SyntheticControl(before=6, after=2, treated="mean").estimate(panel)
    assert mean.facts["placebo_space_p"] == pytest.approx(1 / 9)
    each = SyntheticControl(before=6, after=2).estimate(panel)
    assert each.facts["placebo_space_p"] == pytest.approx(1 / 45, abs=0.006)  # 9,999 draws of 45 pairs of ranks


@BOTH
def test_size_and_coverage_in_small(estimator):
    """Ten panels of 24 areas, three treated of the six busiest: rarely wrong without an effect, near one."""
    rejected, covered = [], []
    for seed in range(10):
        busiest = np.argsort(-simulate_panel(seed, shape=(24, 14), frequency="year").outcome[:, 8])[:6]
        treated = [f"{unit + 1:02d}" for unit in np.random.default_rng(seed).choice(busiest, 3, replace=False)]
        for effect, kept in ((0.0, rejected), (np.log(0.8), covered)):
            panel = simulate_panel(seed, shape=(24, 14), treated=treated, start=12, log_effect=effect, frequency="year")
            row = estimator(before=5, after=1, inference=QUICK).estimate(panel).row(term="effect")
            kept.append(row["p_value"] <= 0.05 if effect == 0 else row["conf_low"] < effect < row["conf_high"])
    assert sum(rejected) <= 3  # at 5 %, more happens once in a thousand times
    assert sum(covered) >= 7


# --- bad input ---


@BOTH
def test_options_that_make_no_sense_are_refused_together(estimator):
    with pytest.raises(DesignError) as caught:
        estimator(before=1, after=2, window=(0, 3), scale="cases", treated="some", inference=ClusterRobust())
    name = estimator.__name__
    assert caught.value.worded("en") == "\n".join(
        [
            f"{name}: scale = cases is not allowed. What to do: Allowed: ratio, levels, additive.",
            f"{name}: treated = some is not allowed. What to do: Allowed: each, mean.",
            f"{name}: before = 1 is not allowed. What to do: Allowed: >= 2.",
            f"{name}: window = (0, 3) is not allowed. What to do: Allowed: (-k, l), k >= 1, l >= 0.",
            f"{name}: window = (0, 3) is not allowed. What to do: Allowed: scale = ratio.",
            f"{name}: after = 2 is not allowed. What to do: Allowed: window = None.",
            f"{name}: there is no standard error by area for a comparison made of few areas; ClusterRobust is not "
            "possible. What to do: Use random assignment (leave out inference).",
        ]
    )


@pytest.mark.parametrize(("units", "left"), [(4, "0"), (5, "1")])
def test_without_areas_never_treated_there_is_nothing_to_make_it_from(units, left):
    starts = {"a": "2018", "b": "2018", "c": "2021", "d": "2021"}
    with pytest.raises(DesignError) as caught:
        SyntheticControl().estimate(panel_of(poisson(units=units), starts, comparison="not_yet_treated"))
    assert caught.value.worded("de") == (
        "SyntheticControl braucht mindestens zwei Gebiete, die die Maßnahme nie haben: eines zum Vergleichen und "
        f"eines, das zeigt, was ohne sie geschieht. Die Studie hat {left}. Abhilfe: Solche Gebiete liefern, leave_out "
        "oder excluded ändern oder ein Verfahren wählen, das mit noch nicht betroffenen Gebieten vergleicht."
    )


def test_too_short_a_time_before_the_start_is_refused():
    with pytest.raises(DesignError) as caught:
        SyntheticDifference().estimate(panel_of(poisson(years=4), {"a": "2011"}))
    assert caught.value.worded("de") == (
        "SyntheticDifference braucht mindestens 2 Perioden vor dem Beginn 2011, um Gebiete zu finden, die denen mit "
        "Maßnahme gleichen; es gibt 1. Abhilfe: Frühere Daten liefern."
    )
    with pytest.raises(DesignError, match="SyntheticControl needs 7 periods before the start 2014; there are 4"):
        SyntheticControl(before=3, window=(-7, 1)).estimate(panel_of(poisson(years=8), {"a": "2014"}))


def test_few_periods_are_enough_with_a_remark():
    result = SyntheticControl(before=3, after=1).estimate(panel_of(poisson(), {"a": "2020"}))
    assert (
        "Die Gewichte beruhen auf nur 3 Perioden vor dem Beginn; andere Gewichte würden ebenso gut passen."
        in result.worded_notes("de")
    )


@pytest.mark.parametrize(
    ("start", "years", "before"), [("2019", 14, 5), ("2014", 7, 2), ("2024", 16, 7), ("2035", 26, 10)]
)
def test_default_windows_weigh_fit_against_history(start, years, before):
    result = SyntheticDifference(inference=QUICK).estimate(panel_of(poisson(units=24, years=years), {"a": start}))
    assert result.facts["before"] == before
    assert result.facts["history_dates"] >= 2 or start == "2014"


@BOTH
def test_an_outcome_that_never_varies_is_refused(estimator):
    with pytest.raises(EstimationError) as caught:
        estimator(before=3, after=1).estimate(panel_of(np.full((9, 6), 7), {"a": "2014"}))
    assert caught.value.worded("en") == (
        f"{estimator.__name__}: the outcome is the same in all areas and periods. "
        "What to do: Check whether the right keys were counted."
    )


@BOTH
def test_areas_without_cases_with_gaps_or_excluded_are_no_donors(estimator):
    counts = poisson(units=30, years=12)
    counts[4] = 0
    counts[5, 8] = np.nan
    counts[0] = counts[[6, 7]].mean(axis=0)
    panel = panel_of(counts, {"a": "2019"}, excluded=("i",))
    method = estimator(before=5, after=2)
    result = method.estimate(panel)
    assert result.counts.dropped == {
        "core.note.dropped_incomplete": 1,
        "core.note.excluded": 1,
        "core.note.all_zero": 1,
    }
    donors = set(donor_weights(panel, method)["donor"])
    assert donors.isdisjoint({"a", "e", "f", "i"})
    assert donors


def test_gaps_in_treated_areas_set_them_aside_or_stop():
    counts = poisson(units=25, years=12)
    counts[0, 8] = np.nan
    since = {"a": "2019", "b": "2019"}
    result = SyntheticControl(before=4, after=2).estimate(panel_of(counts, since))
    assert result.counts.treated == 1
    assert set(donor_weights(panel_of(counts, since), SyntheticControl(before=4, after=2))["treated"]) == {"b"}
    counts[1, 8] = np.nan
    for ask in (SyntheticControl(before=4, after=2).estimate, lambda p: donor_weights(p, SyntheticControl(before=4))):
        with pytest.raises(EstimationError, match="no area with the measure has complete data in the time windows"):
            ask(panel_of(counts, since))


def test_the_comparison_ends_with_the_measure():
    counts = poisson(units=25, years=14)
    panel = panel_of(counts, {"a": "2020"}, until="2021")
    assert trajectories(panel, SyntheticControl(before=4, after=2))["event_time"].max() == 1
    with pytest.raises(DesignError, match="there are 2"):
        SyntheticControl(before=4, after=3).estimate(panel)


def test_an_area_beyond_the_reach_of_its_donors_is_named():
    counts = poisson(units=25, years=14)
    counts[0] *= 10
    panel = panel_of(counts, {"a": "2020"})
    control, difference = (
        method(before=5, after=1).estimate(panel) for method in (SyntheticControl, SyntheticDifference)
    )
    codes = [note.code for note in control.notes]
    assert "synthetic.note.outside_hull" in codes
    assert "synthetic.note.poor_fit" in codes
    assert control.facts["outside"] == 1
    assert any(
        note.startswith("a: in at least half of the periods before the start") for note in control.worded_notes()
    )
    assert "outside" not in difference.facts
    assert "synthetic.note.outside_hull" not in [note.code for note in difference.notes]


def test_two_donors_are_enough_but_show_nothing():
    counts = np.random.default_rng(1).poisson(80, (3, 14)).astype(float)
    result = SyntheticDifference(before=5, after=1, scale="additive").estimate(panel_of(counts, {"a": "2020"}))
    row = result.row(term="effect")
    assert row["p_value"] >= 1 / 3
    assert np.isnan(row["conf_low"])
    assert "synthetic.note.own" in result.row(term="unadjusted")["note"]


def test_a_change_that_weighs_all_donors_alike_is_near_two_by_two():
    """Many alike areas: the ridge spreads the weights, and the ratio is that of two by two."""
    panel = panel_of(np.random.default_rng(8).poisson(300, (60, 14)), {"a": "2020", "b": "2020"})
    synthetic = SyntheticDifference(before=5, after=1, inference=QUICK).estimate(panel)
    plain = TwoByTwo(before=5, after=1, inference=QUICK).estimate(panel)
    assert synthetic.facts["effective_donors"] > 40
    assert synthetic.row(term="effect")["estimate"] == pytest.approx(plain.row(term="effect")["estimate"], abs=0.05)


def test_options_are_kept_by_replace():
    assert replace(SyntheticControl(before=5), scale="levels") == SyntheticControl(before=5, scale="levels")
