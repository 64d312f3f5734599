"""Sensitivity: by hand, against honestdid, moderndid and R, by invariance, and by simulation with deviating trends."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path as File

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError, EstimationError, EventStudy, Study
from evaluation.diagnostics import conditional_sets, robust_sets, sensitivity
from evaluation.diagnostics.conditional_sets import relative_magnitudes
from evaluation.diagnostics.robust_sets import Path, extrapolation, fixed_length
from evaluation.did.inference.asymptotic import ClusterRobust
from evaluation.did.synthetic import SyntheticControl
from evaluation.estimates import Counts, Draws, Estimates, Influence, Scale
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import poisson_panel

REFERENCE = json.loads((File(__file__).parent.parent / "reference" / "honest.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Made:
    """An estimator whose result is written down."""


def made(times, estimate, *, covariance=None, draws=None, notes=None, **study):
    """A result by event time with a known covariance, or with draws of which the first is the estimate."""
    declared = Study(
        **{"id": "s", "outcome": "o", "event": "e", "period": "year", "treated_since": {"a": "2015"}} | study
    )
    times = pd.array(times, dtype="Int64")
    table = pd.DataFrame({"event_time": times, "estimate": np.asarray(estimate, dtype=float)})
    table["std_error"] = np.nan if covariance is None else np.sqrt(np.diag(covariance))
    empty = dict.fromkeys(("statistic", "p_value", "conf_low", "conf_high"), np.nan)
    table = table.assign(df=np.inf, **empty, note="no_std_error" if notes is None else notes)
    influence = None
    if covariance is not None:
        root = np.linalg.cholesky(covariance).T
        influence = Influence(values=root, units=np.arange(len(root)), correction="none")
    return Estimates(
        table=table,
        scale=Scale("identity", "cases"),
        declaration=declared,
        method=Made(),
        counts=Counts(observations=1, units=1, treated=1),
        influence=influence,
        draws=None if draws is None else Draws(values=np.asarray(draws, dtype=float), key=()),
    )


def path_of(times, estimate, weights):
    """A path whose last coefficient before is the one at -1."""
    times = np.asarray(times, dtype=float)
    return Path(times, np.asarray(estimate, dtype=float), np.asarray(weights, dtype=float), int((times < 0).sum()) - 1)


def reference_path(target):
    """The study of Benzarti and Carloni with its reference period, and the covariance."""
    estimate = np.insert(REFERENCE["estimate"], 4, 0.0)
    spread = np.insert(np.insert(np.array(REFERENCE["covariance"]), 4, 0.0, axis=0), 4, 0.0, axis=1)
    return path_of(np.arange(-5, 4), estimate, [0.0] * 5 + REFERENCE["targets"][target]), (spread + spread.T) / 2


def noisy(seed, times, size=0.1):
    """Coefficients with a covariance, the reference at -1 among them."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(40, len(times) - 1)) * size / np.sqrt(40)
    place = times.index(-1)
    spread = np.insert(np.insert(root.T @ root, place, 0.0, axis=0), place, 0.0, axis=1)
    weights = np.array([time >= 0 for time in times], dtype=float)
    estimate = np.insert(rng.normal(0, size, len(times) - 1), place, 0.0)
    return path_of(times, estimate, weights / weights.sum()), spread


# --- by hand --------------------------------------------------------------------------------------------------------


def test_one_coefficient_before_and_one_after_by_hand():
    # The trend from -2 to the reference goes on: effect = b(0) + b(-2); a bend at the reference is all of the bias.
    result = made([-2, 0], [0.1, 0.5], covariance=np.array([[0.04, 0.01], [0.01, 0.09]]))
    table = sensitivity(result, restriction="smoothness", values=(0, 0.2)).table
    spread = np.sqrt(0.04 + 0.09 + 2 * 0.01)
    np.testing.assert_allclose(table["estimate"], [0.6, 0.6])
    np.testing.assert_allclose(table["conf_high"][0], 0.6 + 1.959963985 * spread, rtol=1e-9)
    half = robust_sets.folded_critical(0.2 / spread, 0.95) * spread
    np.testing.assert_allclose(table["conf_low"][1], 0.6 - half, rtol=1e-12)


def test_without_bends_the_interval_is_that_of_a_fitted_line():
    path, spread = noisy(3, [-5, -4, -3, -2, -1, 0, 1, 2])
    centre, half = fixed_length(path, spread, 0.0, 0.95)
    known = [0, 1, 2, 3, 5, 6, 7]
    times, values = path.times[known] + 1, path.estimate[known]
    design = np.column_stack([times, np.vstack([np.zeros((4, 3)), np.eye(3)])])  # a slope and three effects
    inverse = np.linalg.inv(spread[np.ix_(known, known)])
    fitted = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ values)
    wanted = np.array([0, 1 / 3, 1 / 3, 1 / 3])
    variance = wanted @ np.linalg.solve(design.T @ inverse @ design, wanted)
    assert centre == pytest.approx(wanted @ fitted, abs=1e-10)
    assert half == pytest.approx(1.959963984540054 * np.sqrt(variance), rel=1e-10)


def test_without_noise_the_set_is_the_effect_and_the_largest_deviation():
    # Steps before: -0.2 and 0.1. After, m 0.2 in the first period and twice that in the second: on average 1.5 m 0.2.
    result = made([-3, -2, 0, 1], [0.1, -0.1, 0.5, 0.9], covariance=1e-16 * np.eye(4))
    robust = sensitivity(result, values=(0, 1, 2))
    np.testing.assert_allclose(robust.table["estimate"], 0.7)
    np.testing.assert_allclose(robust.table["conf_low"], [0.7, 0.4, 0.1], atol=1e-6)
    np.testing.assert_allclose(robust.table["conf_high"], [0.7, 1.0, 1.3], atol=1e-6)
    assert robust.facts["largest_before"] == pytest.approx(0.2)
    single = sensitivity(result, values=(1,), target=1).table
    assert single["conf_low"][0] == pytest.approx(0.9 - 0.4, abs=1e-6)


def test_breakdown_without_noise():
    result = made([-3, -2, 0, 1], [0.1, -0.1, 0.5, 0.9], covariance=1e-16 * np.eye(4))
    robust = sensitivity(result, values=(0, 2, 4))
    assert robust.facts["breakdown"] == pytest.approx(0.7 / 0.3, abs=2e-4)
    assert robust.worded_notes("en")[1] == "That there is no effect is excluded as long as m is at most 2.333."
    beyond = sensitivity(result, values=(1, 2))
    assert beyond.facts["breakdown"] == 2.0
    assert beyond.worded_notes("de")[1] == (
        "Dass es keine Wirkung gibt, ist bei allen betrachteten Werten von m ausgeschlossen, bis 2,000."
    )


def test_no_breakdown_is_said():
    robust = sensitivity(made([-2, 0], [0.1, 0.1], covariance=np.eye(2)))
    assert np.isnan(robust.facts["breakdown"])
    assert robust.worded_notes("en") == [
        "Trends may differ after the start: from one period to the next by at most m times the most before. "
        "Conditional least favourable sets, at least 95% with many areas.",
        "Even with m = 0 it is not excluded that there is no effect.",
        "The intervals allow for different trends and belong to no single standard error.",
    ]


def test_drawn_assignments_by_their_definition():
    rng = np.random.default_rng(4)
    draws = rng.normal(0, 0.2, (40, 4))
    draws[0] = [0.1, -0.05, 0.6, 0.8]
    robust = sensitivity(made([-3, -2, 0, 1], draws[0], draws=draws), values=(0, 0.5), level=0.9)
    steps = np.column_stack([draws[:, 1] - draws[:, 0], -draws[:, 1]])
    effects = draws[:, 2:].mean(axis=1)
    for m, row in zip((0, 0.5), robust.table.itertuples(), strict=True):

        def kept(effect, m=m):
            """Whether for some step and sign at least 4 of 40 assignments, the true one among them, are as extreme."""
            for step in (*steps.T, *-steps.T):
                shown = abs(effects[0] - effect) - 1.5 * m * step[0]
                noise = abs(effects[1:]) - 1.5 * m * step[1:]
                if 1 + (noise >= shown).sum() > 4:
                    return True
            return False

        assert kept(row.conf_high - 1e-9)
        assert not kept(row.conf_high + 1e-9)
        assert kept(row.conf_low + 1e-9)
        assert not kept(row.conf_low - 1e-9)
        assert row.estimate == pytest.approx(0.7)


def test_drawn_smoothness_adds_the_largest_bias():
    draws = np.random.default_rng(5).normal(0, 0.2, (100, 2))
    draws[0] = [0.1, 0.5]
    table = sensitivity(made([-2, 0], draws[0], draws=draws), restriction="smoothness", values=(0, 0.3)).table
    noise = draws[1:].sum(axis=1)
    np.testing.assert_allclose(table["estimate"], 0.6)
    # The fifth of 99: with the true one, 5 of 100 may be as extreme.
    np.testing.assert_allclose(table["conf_high"][0], 0.6 + np.sort(abs(noise))[::-1][4])
    larger = [np.sort(np.concatenate([sign * noise + 0.3, -sign * noise]))[::-1][4] for sign in (1, -1)]
    np.testing.assert_allclose(table["conf_low"][1], 0.6 - max(larger))


# --- references -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", REFERENCE["conditional"], ids=lambda row: f"{row['target']} {row['m']}")
def test_conditional_sets_agree_with_honestdid(row):
    path, spread = reference_path(row["target"])
    ends = relative_magnitudes(path, spread, row["m"], 0.95, first_stage=0.0)
    np.testing.assert_allclose(ends, (row["low"], row["high"]), atol=1e-8)


@pytest.mark.parametrize("row", REFERENCE["fixed_length"], ids=lambda row: f"{row['target']} {row['m']}")
def test_fixed_lengths_agree_with_moderndid(row):
    # Moderndid searches the length on a grid of 100 with a conic solver: its intervals are up to 2e-7 longer, and their
    # centres, on which the length hardly depends, up to 1e-4 away at m = 0 (there the test by a fitted line).
    path, spread = reference_path(row["target"])
    centre, half = fixed_length(path, spread, row["m"], 0.95)
    assert -2e-7 < 2 * half - (row["high"] - row["low"]) < 1e-9
    assert centre == pytest.approx((row["high"] + row["low"]) / 2, abs=5e-7 if row["m"] else 2e-4)


def test_the_numbers_that_r_prints():
    # R rounds to three digits, and its sets end at a grid and use a critical value from 1,000 draws.
    for name, rows in REFERENCE["published"].items():
        restriction, target = name.split()
        path, spread = reference_path(target)
        for m, low, high in rows:
            if restriction == "relative_magnitudes":
                np.testing.assert_allclose(relative_magnitudes(path, spread, m, 0.95), (low, high), atol=7e-4)
            else:
                centre, half = fixed_length(path, spread, m, 0.95)
                np.testing.assert_allclose((centre - half, centre + half), (low, high), atol=5e-4, rtol=4e-3)


def test_least_favourable_values_agree_with_a_simulation():
    path, spread = reference_path("average")
    for m in (0.3, 1.0):
        rays, norms = conditional_sets._rays(path, spread, m)
        critical = conditional_sets._least_favourable(rays, norms, 0.05)
        rng = np.random.default_rng(1)
        for case in range(len(norms)):
            normal = rng.multivariate_normal(np.zeros(2), rays.covariance[case], 40_000)
            exceeded = ((normal @ rays.coefficients[case].T).max(axis=1) > critical[case]).mean()
            assert exceeded == pytest.approx(0.05, abs=0.004)


# --- invariance -----------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 10), slope=st.floats(-1, 1), m=st.floats(0, 0.2))
def test_smoothness_follows_the_scale_and_ignores_a_line(seed, factor, slope, m):
    path, spread = noisy(seed, [-4, -3, -2, -1, 0, 1])
    centre, half = fixed_length(path, spread, m, 0.95)
    tilted = Path(path.times, path.estimate + slope * (path.times + 1), path.weights, path.last)
    np.testing.assert_allclose(fixed_length(tilted, spread, m, 0.95), (centre, half), rtol=1e-6, atol=1e-6)
    scaled = Path(path.times, factor * path.estimate, path.weights, path.last)
    again = fixed_length(scaled, factor**2 * spread, factor * m, 0.95)
    np.testing.assert_allclose(again, (factor * centre, factor * half), rtol=1e-5, atol=1e-5 * factor)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.floats(0, 2), more=st.floats(0.01, 1))
def test_relative_magnitudes_turn_with_the_sign_and_grow_with_m(seed, m, more):
    path, spread = noisy(seed, [-4, -3, -2, -1, 0, 1])
    low, high = relative_magnitudes(path, spread, m, 0.95)
    turned = Path(path.times, -path.estimate, path.weights, path.last)
    np.testing.assert_allclose(relative_magnitudes(turned, spread, m, 0.95), (-high, -low), atol=1e-9)
    wider = relative_magnitudes(path, spread, m + more, 0.95)
    assert wider[0] <= low + 1e-3
    assert wider[1] >= high - 1e-3


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.floats(0, 0.3))
def test_no_other_extrapolation_is_shorter(seed, m):
    path, spread = noisy(seed, [-5, -4, -3, -2, -1, 0, 1])
    best = extrapolation(path, spread, m, 0.95)
    _, half = fixed_length(path, spread, m, 0.95)
    fixed, free, own = robust_sets._by_bends(path)
    hinge = np.maximum(path.times - path.times[1:-1, None], 0.0)[: path.last - 1]
    rng = np.random.default_rng(seed)
    for size in (1e-3, 1e-1):
        bends = hinge @ best.weights + size * rng.normal(size=(50, len(free)))
        weights = fixed + bends @ free
        sds = np.sqrt(np.einsum("bi,ij,bj->b", weights, spread, weights))
        bias = m * (abs(own).sum() + abs(bends).sum(axis=1))
        lengths = [sd * robust_sets.folded_critical(b / sd, 0.95) for sd, b in zip(sds, bias, strict=True)]
        assert min(lengths) >= half - 1e-9


def test_at_zero_the_set_is_the_usual_interval():
    path, spread = noisy(1, [-4, -3, -2, -1, 0, 1])
    low, high = relative_magnitudes(path, spread, 0.0, 0.95)
    centre = path.weights @ path.estimate
    margin = 1.959963985 * np.sqrt(path.weights @ spread @ path.weights)
    np.testing.assert_allclose((low, high), (centre - margin, centre + margin), rtol=1e-6)


def test_rows_of_the_result_may_come_in_any_order_and_stay_as_they_are():
    path, spread = noisy(2, [-4, -3, -2, -1, 0, 1])
    known = np.array([0, 1, 2, 4, 5])
    result = made([-4, -3, -2, 0, 1], path.estimate[known], covariance=spread[np.ix_(known, known)])
    before = result.table.copy()
    plain = sensitivity(result, values=(0.5,)).table
    pd.testing.assert_frame_equal(result.table, before)
    mixed = known[[3, 1, 4, 0, 2]]
    turned = made([0, -3, 1, -4, -2], path.estimate[mixed], covariance=spread[np.ix_(mixed, mixed)])
    again = sensitivity(turned, values=(0.5,)).table
    np.testing.assert_allclose(again[["conf_low", "conf_high"]], plain[["conf_low", "conf_high"]], atol=1e-12)


# --- simulation -----------------------------------------------------------------------------------------------------


def test_normal_sets_cover_a_deviation_that_the_restriction_just_allows():
    times = [-4, -3, -2, -1, 0, 1]
    path, spread = noisy(7, times)
    root = np.linalg.cholesky(spread + 1e-15 * np.eye(6))
    deviation = np.array([0.0, 0.5, 0.2, 0.0, 0.5, 1.0])  # a step of 0.5 before, and two in one direction after
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(120):
        noise = root @ rng.normal(size=6)
        seen = Path(path.times, deviation + np.where(path.times >= 0, 1.0, 0.0) + noise - noise[3], path.weights, 3)
        low, high = relative_magnitudes(seen, spread, 1.0, 0.95)
        covered.append(low <= 1.0 <= high)
    assert 0.9 <= np.mean(covered) < 1  # one bound binds: close to the level, the union adds little


def test_fixed_lengths_are_exact_in_the_worst_case():
    path, spread = noisy(7, [-4, -3, -2, -1, 0, 1])
    chosen = extrapolation(path, spread, 0.05, 0.95)
    hinge = np.maximum(path.times - path.times[1:-1, None], 0.0)
    worst = 0.05 * np.sign(hinge @ chosen.weights) @ hinge
    assert chosen.weights @ worst == pytest.approx(0.05 * chosen.bias)
    noise = np.random.default_rng(2).normal(size=20_000) * np.sqrt(chosen.weights @ spread @ chosen.weights)
    _, half = fixed_length(path, spread, 0.05, 0.95)
    assert (abs(chosen.weights @ worst + noise) <= half).mean() == pytest.approx(0.95, abs=0.006)


def drawn_sets(rng, deviation, evaluate, *, effect=0.3, treated=3, units=40, draws=400, repetitions=300):
    """The share of sets that contain the effect with few treated areas, noise with a memory, and a deviation.

    `evaluate` returns centre and half-length of a path, with the effects under other assignments and their rank.
    """
    periods, before = len(deviation), len(deviation) - 3
    assigned = np.zeros((draws, units))
    assigned[0, :treated] = 1
    for row in assigned[1:]:
        row[rng.choice(units, treated, replace=False)] = 1
    contrast = assigned / treated - (1 - assigned) / (units - treated)
    moved = deviation + effect * (np.arange(periods) >= before)
    inside = []
    for _ in range(repetitions):
        noise = 0.15 * rng.standard_t(5, (units, periods))
        for period in range(1, periods):
            noise[:, period] += 0.5 * noise[:, period - 1]
        noise[:treated] += moved
        drawn = contrast @ (noise - noise[:, [before - 1]])
        seen = path_of(np.arange(periods) - before, drawn[0], (np.arange(periods) >= before) / 3)
        centre, half = evaluate(seen, drawn[1:], draws // 20)
        inside.append(abs(centre - effect) <= half)
    return np.mean(inside)


# In both cases the deviation is as bad for the effect as the restriction with m = 1, or m = 0.1, allows.
STEEP = np.array([0.1, 0.4, 0.0, -0.4, 0.0, 0.4, 0.8, 1.2])
BENT = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.6])


def test_drawn_relative_magnitudes_cover_with_few_treated_areas():
    for m, deviation in ((1.0, STEEP), (0.0, np.zeros(8))):
        covered = drawn_sets(
            np.random.default_rng(8),
            deviation,
            lambda *seen, m=m: robust_sets.drawn_relative_magnitudes(*seen[:2], m, seen[2]),
        )
        assert covered >= 0.93  # 3 binomial standard errors below the level
    ignored = drawn_sets(
        np.random.default_rng(8), STEEP, lambda *seen: robust_sets.drawn_relative_magnitudes(*seen[:2], 0.0, seen[2])
    )
    assert ignored < 0.5


def test_drawn_smoothness_covers_with_few_treated_areas():
    for m, deviation in ((0.2, 2 * BENT), (0.0, 0.3 * np.arange(8))):
        covered = drawn_sets(
            np.random.default_rng(8),
            deviation,
            lambda *seen, m=m: robust_sets.drawn_smoothness(*seen[:2], m, seen[2], 0.95),
        )
        assert covered >= 0.93
    ignored = drawn_sets(
        np.random.default_rng(8), 4 * BENT, lambda *seen: robust_sets.drawn_smoothness(*seen[:2], 0.0, seen[2], 0.95)
    )
    assert ignored < 0.9


# --- results of estimators ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restriction", ["relative_magnitudes", "smoothness"])
def test_an_event_study_with_few_treated_areas(restriction):
    panel = simulate_panel(1, shape=(40, 14), treated=3, log_effect=-0.5, frequency="year")
    result = EventStudy(window=(-4, 1), reference=1).estimate(panel)
    robust = sensitivity(result, restriction=restriction)
    assert len(robust.table) == 9
    assert robust.facts["procedure"] == "assignments"
    assert robust.facts["before"] == 4
    assert robust.facts["after"] == 2
    assert robust.scale.name == "log"
    widths = (robust.table["conf_high"] - robust.table["conf_low"]).to_numpy()
    assert (np.diff(widths) > 0).all()
    breakdown = robust.facts["breakdown"]
    closer = sensitivity(result, restriction=restriction, values=(0.99 * breakdown, 1.01 * breakdown)).table
    assert closer["conf_high"][0] < 0 < closer["conf_high"][1]


def test_an_event_study_with_influences_keeps_its_notes():
    result = EventStudy(window=(-4, 1), reference=1, inference=ClusterRobust()).estimate(poisson_panel(effect=0.5))
    robust = sensitivity(result, values=(0, 1), target=0)
    assert robust.facts["procedure"] == "conditional_least_favourable"
    assert robust.table["estimate"].tolist() == [result.row(event_time=0)["estimate"]] * 2
    codes = {note.code for note in robust.notes}
    assert "core.note.asymptotic_few_treated" in codes
    smooth = sensitivity(result, restriction="smoothness")
    assert smooth.facts["procedure"] == "fixed_length"
    assert smooth.table["m"].iloc[-1] == pytest.approx(2 * smooth.facts["largest_before"])


def test_a_reference_of_several_periods_is_said():
    result = EventStudy(window=(-4, 1), reference=3).estimate(poisson_panel())
    robust = sensitivity(result, values=(0,))
    rows = result.table.set_index("event_time")["estimate"]
    assert robust.table["estimate"][0] == pytest.approx(rows[[0, 1]].mean() - rows[-1])
    assert (
        "The reference is the mean of several periods; deviations are counted from the last period before the start."
        in robust.worded_notes("en")
    )


def test_anticipated_and_partial_periods_are_not_before():
    # With one period of anticipation the reference is -2; -1 shows the measure already and counts on neither side.
    spread = 1e-16 * np.eye(4)
    ahead = sensitivity(made([-4, -3, -1, 0], [0.3, 0.1, 5.0, 1.0], covariance=spread, anticipation=1), values=(1,))
    # Two periods from the reference to 0, each with at most the largest step before, 0.2.
    np.testing.assert_allclose(ahead.table[["conf_low", "conf_high"]], [[0.6, 1.4]], atol=1e-6)
    # A measure that began within a year: the year is dropped, and the reference is -2.
    partial = made([-4, -3, 0], [0.3, 0.1, 1.0], covariance=spread[:3, :3], treated_since={"a": "2015-06"})
    np.testing.assert_allclose(
        sensitivity(partial, values=(1,)).table[["conf_low", "conf_high"]], [[0.6, 1.4]], atol=1e-6
    )


def test_event_times_without_a_standard_error_are_bridged():
    full = made([-4, -3, -2, 0, 1], [0.3, 0.2, 0.1, 0.5, 0.8], covariance=1e-16 * np.eye(5))
    table = full.table.copy()
    table.loc[[1, 4], "std_error"] = np.nan
    holes = sensitivity(replace(full, table=table), values=(1,))
    assert holes.facts["after"] == 1
    assert holes.facts["largest_before"] == pytest.approx(0.1)
    assert "2 Ereigniszeiten ohne Standardfehler wurden überbrückt." in holes.worded_notes("de")


def test_too_few_assignments_give_no_interval():
    draws = np.random.default_rng(1).normal(size=(10, 2))
    robust = sensitivity(made([-2, 0], draws[0], draws=draws))
    assert robust.table["conf_low"].isna().all()
    assert np.isnan(robust.facts["breakdown"])
    assert "The smallest attainable p-value is 0.100; no 95% interval can be given." in robust.worded_notes("en")


def test_twelve_periods_on_either_side_take_less_than_two_seconds():
    path, spread = noisy(1, list(range(-13, 12)))
    known = np.flatnonzero(path.times != -1)
    result = made(path.times[known].astype(int), path.estimate[known], covariance=1e-9 * np.eye(24)
                  + spread[np.ix_(known, known)])  # fmt: skip
    began = time.process_time()
    sensitivity(result)
    sensitivity(result, restriction="smoothness")
    assert time.process_time() - began < 2


# --- bad input ------------------------------------------------------------------------------------------------------


def test_options_that_make_no_sense_are_refused_together():
    with pytest.raises(DesignError) as caught:
        sensitivity(made([-2, 0], [0, 1], covariance=np.eye(2)), restriction="none", values=(-1,), level=95)
    assert caught.value.worded("en") == (
        "sensitivity: restriction = none is not allowed. What to do: Allowed: relative_magnitudes, smoothness.\n"
        "sensitivity: values = (-1,) is not allowed. What to do: Allowed: >= 0.\n"
        "sensitivity: level = 95 is not allowed. What to do: Allowed: 0.5 < level < 1."
    )


@pytest.mark.parametrize(
    ("result", "options", "english", "german"),
    [
        (
            made([-2, -2, 0], [0, 0, 1], covariance=np.eye(3)),
            {},
            "Made: the result has no effects by time since the start (one row for each event_time). What to do: "
            "Estimate an event study first, for example EventStudy(window=(-4, 3), reference=1).",
            "Made: Das Ergebnis hat keine Wirkungen nach der Zeit seit dem Beginn (eine Zeile je event_time). Abhilfe: "
            "Zuerst eine Ereignisstudie schätzen, zum Beispiel EventStudy(window=(-4, 3), reference=1).",
        ),
        (
            made([-2, 0], [0, 1]),
            {},
            "Made: the result brings neither influences nor draws, so that nothing is known about how its effects vary "
            "together. What to do: Use the result of an event study as it was estimated.",
            "Made: Das Ergebnis bringt weder Einflüsse noch Zuteilungen mit; wie seine Wirkungen gemeinsam schwanken, "
            "ist nicht bekannt. Abhilfe: Das Ergebnis einer Ereignisstudie verwenden, wie es geschätzt wurde.",
        ),
        (
            made([-2, -1, 0], [0, 1, 1], covariance=np.eye(3)),
            {},
            "Made: the effects before and after the start are measured against different periods and cannot be set "
            'side by side. What to do: Use EventStudy, TwoWayFixedEffects(aggregation="dynamic") or '
            'GroupTime(aggregation="dynamic", base="universal").',
            "Made: Die Werte vor und nach dem Beginn sind an verschiedenen Perioden gemessen und lassen sich nicht "
            'nebeneinanderstellen. Abhilfe: EventStudy, TwoWayFixedEffects(aggregation="dynamic") oder '
            'GroupTime(aggregation="dynamic", base="universal") verwenden.',
        ),
        (
            replace(made([-2, 0], [0, 1], draws=np.zeros((2, 2))), method=SyntheticControl()),
            {},
            "SyntheticControl: the periods before the start are fitted, so that they do not show how far trends "
            "differ. What to do: Use an event study, such as EventStudy(window=(-4, 3), reference=1).",
            "SyntheticControl: Die Perioden vor dem Beginn sind angepasst und zeigen deshalb nicht, wie weit die "
            "Trends auseinandergehen. Abhilfe: Eine Ereignisstudie verwenden, zum Beispiel EventStudy(window=(-4, 3), "
            "reference=1).",
        ),
        (
            made([0, 1], [0, 1], covariance=np.eye(2)),
            {},
            "Made: the deviation before the start needs two periods without the measure, the reference included; there "
            "are 1. What to do: Begin the window of the event study earlier.",
            "Made: Die Abweichung vor dem Beginn braucht zwei Perioden ohne Maßnahme, die Bezugsperiode "
            "eingeschlossen; es gibt 1. Abhilfe: Das Fenster der Ereignisstudie früher beginnen lassen.",
        ),
        (
            made([-2, 0], [0, 1], covariance=np.eye(2)),
            {"target": 3},
            "Made: at event time 3 there is no effect of the measure. What to do: Name an event time from 0 on that "
            'the event study shows, or "average".',
            "Made: Zur Ereigniszeit 3 gibt es keine Wirkung der Maßnahme. Abhilfe: Eine Ereigniszeit ab 0 nennen, die "
            'die Ereignisstudie zeigt, oder "average".',
        ),
    ],
    ids=["no path", "no noise", "other base", "fitted", "nothing before", "no target"],
)
def test_results_that_do_not_tell_are_refused(result, options, english, german):
    with pytest.raises(EstimationError) as caught:
        sensitivity(result, **options)
    assert caught.value.worded("en") == english
    assert caught.value.worded("de") == german
