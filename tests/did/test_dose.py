"""Dose response: by hand, against pyfixest and statsmodels, by invariance, and its size in small."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    ClusterRobust,
    DesignError,
    DoseResponse,
    EstimationError,
    Panel,
    Randomization,
    ScoreWild,
    TwoByTwo,
)
from evaluation.did.doses.exchange import Labels, among_treated, from_zero
from evaluation.randomization.inference import UnitEffects
from tests.did.test_two_by_two import panel_of, poisson
from tests.simulation.page import interval
from tests.simulation.panels import simulated_months
from tests.simulation.selection import pick

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "triple_dose.json").read_text(encoding="utf-8"))

QUICK = Randomization(draws=199, enumerate_up_to=0)


def response(**options):
    """Return the estimator with few draws."""
    return DoseResponse(**{"dose": "hours", "inference": QUICK, **options})


def with_hours(panel, doses, column="hours"):
    """Return the panel with doses from the start on; `doses` by unit, or an array of units x periods."""
    if isinstance(doses, dict):
        own = np.array([doses.get(unit, 0.0) for unit in panel.units])
        begun = panel.treated[:, None] & (np.arange(len(panel.periods)) >= panel.starts[:, None])
        doses = np.where(begun, own[:, None], 0.0)
    return replace(panel, frame=panel.frame.assign(**{column: np.asarray(doses, dtype=float).ravel()}))


def three(doses=(40.0, 90.0, 65.0), counts=None, since="2020", **options):
    """Return 40 areas in 14 years, of which a, b, c have a measure with these doses since 2020."""
    panel = panel_of(poisson() if counts is None else counts, dict.fromkeys("abc", since), **options)
    return with_hours(panel, dict(zip("abc", doses, strict=True)))


# --- by hand ---


def test_dose_weighted_changes_by_hand():
    """Two years leave no history: plain log changes, each less the mean of the comparison, weighted by dose."""
    counts = np.array([[50, 30], [40, 30], [60, 55], [70, 77], [30, 31]], dtype=float)
    panel = with_hours(panel_of(counts, dict.fromkeys("ab", "2011")), {"a": 100.0, "b": 50.0})
    result = response(step=100, before=1, after=1).estimate(panel)
    change = np.log(counts[:, 1] + 0.5) - np.log(counts[:, 0] + 0.5)
    dose = np.array([1.0, 0.5])
    expected = dose @ (change[:2] - change[2:].mean()) / (dose @ dose)
    assert result.row(term="effect")["estimate"] == pytest.approx(expected, abs=1e-12)
    assert result.row(term="more")["estimate"] == pytest.approx((change[0] - change[1]) / 0.5, abs=1e-12)


def test_threshold_by_hand():
    counts = np.array([[50, 30], [40, 30], [60, 55], [70, 77], [30, 31]], dtype=float)
    panel = with_hours(panel_of(counts, dict.fromkeys("ab", "2011")), {"a": 100.0, "b": 50.0})
    result = response(form="threshold", threshold=80, before=1, after=1).estimate(panel)
    change = np.log(counts[:, 1] + 0.5) - np.log(counts[:, 0] + 0.5)
    change -= change[2:].mean()
    found = result.table.set_index("term")["estimate"]
    assert found[["effect", "below", "difference"]].tolist() == pytest.approx(
        [change[0], change[1], change[0] - change[1]]
    )
    pooled = np.log(30 / 50) - np.log((55 + 77 + 31) / (60 + 70 + 30))
    assert found["unadjusted"] == pytest.approx(pooled, abs=1e-12)


def effects_of(seed=0, units=30, treated=4):
    """Return changes with different standard deviations at one date, and the doses of the first units."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.05, 0.3, (1, units))
    cohort = np.where(np.arange(units) < treated, 0, -1)
    effects = UnitEffects(
        cohort=cohort,
        pool=np.ones(units, dtype=bool),
        residual=spread * rng.standard_normal((1, units)),
        spread=spread,
        share=(cohort >= 0).astype(float)[None],
        level=rng.uniform(10, 100, units),
        past=rng.standard_normal((6, units)),
        later=np.zeros((1, 1), dtype=bool),
    )
    return effects, np.where(cohort >= 0, rng.uniform(0.5, 1.5, units), 0.0)


def test_slope_among_treated_is_weighted_least_squares_with_an_intercept():
    effects, dose = effects_of()
    labels = Labels.of(effects, dose)
    reference = Randomization(draws=199).assign(replace(effects, cohort=labels.label), None)
    tested = among_treated(effects, dose[None], labels, reference, 0.95)
    own = effects.cohort == 0
    design = np.stack([np.ones(own.sum()), dose[own]], axis=1) / effects.spread[0, own, None]
    expected = np.linalg.lstsq(design, (effects.residual / effects.spread)[0, own], rcond=None)[0][1]
    assert tested.estimate == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("statistic", [from_zero, among_treated])
def test_the_interval_holds_the_effects_that_are_not_rejected(statistic):
    """At an effect just inside or outside, its line is taken off the changes, and the test is run anew."""
    effects, dose = effects_of(units=63)
    labels = Labels.of(effects, dose)
    reference = Randomization(draws=499, enumerate_up_to=0).assign(replace(effects, cohort=labels.label), None)
    tested = statistic(effects, dose[None], labels, reference, 0.9)

    def p_value(theta):
        moved = replace(effects, residual=effects.residual - theta * dose[None])
        return statistic(moved, dose[None], labels, reference, 0.9).p_value

    width = tested.conf_high - tested.conf_low
    assert p_value(0.0) == tested.p_value
    for end, outwards in ((tested.conf_low, -1), (tested.conf_high, 1)):
        assert p_value(end - outwards * 1e-6 * width) > 0.1
        assert p_value(end + outwards * 1e-6 * width) <= 0.1


def test_an_effect_that_all_treated_units_share_is_no_effect_of_more():
    effects, dose = effects_of()
    labels = Labels.of(effects, dose)
    reference = Randomization(draws=499).assign(replace(effects, cohort=labels.label), None)
    shared = replace(effects, residual=effects.residual + 0.7 * effects.share)
    one, two = (among_treated(each, dose[None], labels, reference, 0.95) for each in (effects, shared))
    assert [two.estimate, two.conf_low, two.conf_high, two.p_value] == pytest.approx(
        [one.estimate, one.conf_low, one.conf_high, one.p_value], abs=1e-12
    )


# --- against references ---


def reference_panel(starts, *, exposure=False):
    frame = pd.DataFrame(REFERENCE["counts"])
    wide = {
        name: frame.pivot_table(index="unit", columns="period", values=name).to_numpy() for name in frame.columns[2:]
    }
    panel = panel_of(
        wide["night"], {unit: str(2010 + start) for unit, start in starts.items()}, wide["people"] if exposure else None
    )
    return with_hours(panel, dict(zip("abcd", wide["hours"][:4, -1], strict=True)))


@pytest.mark.parametrize(
    ("name", "options", "starts", "exposure"),
    [
        ("linear", {"step": 100, "before": 3, "after": 3}, "3333", False),
        ("linear_statsmodels", {"step": 100, "before": 3, "after": 3}, "3333", False),
        ("exposure", {"step": 100, "before": 3, "after": 3}, "3333", True),
        ("staggered", {"step": 100, "before": 2, "after": 2}, "3344", False),
        ("threshold", {"form": "threshold", "threshold": 80, "before": 3, "after": 3}, "3333", False),
    ],
)
def test_poisson_with_clustered_errors_against_reference(name, options, starts, exposure):
    panel = reference_panel(dict(zip("abcd", map(int, starts), strict=True)), exposure=exposure)
    result = response(inference=ClusterRobust(), **options).estimate(panel)
    found = dict(zip(("dose", "above") if name == "threshold" else ("dose",), ("effect", "effect"), strict=False))
    found |= {"below": "below"} if name == "threshold" else {}
    for term, values in REFERENCE["dose"][name].items():
        row = result.row(term=found[term])
        # Standard errors of both programs agree with each other to 4e-10: they stop at a tolerance of the deviance.
        assert [row["estimate"], row["std_error"]] == pytest.approx(values, abs=2e-9)
    drawn = response(**options).estimate(panel).row(term="unadjusted")
    assert drawn["estimate"] == pytest.approx(result.row(term="effect")["estimate"], abs=1e-12)


def test_slope_beside_an_effect_of_any_dose_against_reference():
    panel = reference_panel(dict.fromkeys("abcd", 3))
    result = response(step=100, before=3, after=3, inference=ClusterRobust()).estimate(panel)
    row = result.row(term="more")
    assert [row["estimate"], row["std_error"]] == pytest.approx(REFERENCE["dose"]["more"]["dose"], abs=2e-9)


# --- invariance ---


@pytest.mark.parametrize("since", ["2020", {"a": "2019", "b": "2020", "c": "2020"}])
def test_equal_doses_are_two_by_two(since):
    starts = since if isinstance(since, dict) else dict.fromkeys("abc", since)
    panel = with_hours(panel_of(poisson(), starts), dict.fromkeys("abc", 80.0))
    dose = response(before=3, after=1).estimate(panel)
    plain = TwoByTwo(before=3, after=1, inference=QUICK).estimate(panel)
    for name in ("estimate", "p_value", "conf_low", "conf_high"):
        assert dose.row(term="effect")[name] == pytest.approx(plain.row(term="effect")[name], abs=1e-12)
    assert dose.facts["detectable"] == pytest.approx(plain.facts["detectable"])
    assert dose.facts["exaggeration"] == pytest.approx(plain.facts["exaggeration"])
    assert dose.draws.values == pytest.approx(plain.draws.values)


def test_equal_doses_of_one_cohort_are_two_by_two_with_clustered_errors():
    panel = three((80.0, 80.0, 80.0))
    dose = response(inference=ClusterRobust()).estimate(panel).row(term="effect")
    plain = TwoByTwo(inference=ClusterRobust()).estimate(panel).row(term="effect")
    assert [dose["estimate"], dose["std_error"]] == pytest.approx([plain["estimate"], plain["std_error"]], abs=1e-12)


@settings(max_examples=5, deadline=None)
@given(factor=st.floats(0.01, 1000), everywhere=st.floats(0, 500))
def test_neither_the_unit_of_the_dose_nor_what_there_is_everywhere_matters(factor, everywhere):
    panel = three()
    moved = replace(panel, frame=panel.frame.assign(hours=everywhere + factor * panel.frame["hours"]))
    for inference in (QUICK, ClusterRobust()):
        method = response(inference=inference)
        one, two = (method.estimate(each).table.drop(columns="note") for each in (panel, moved))
        pd.testing.assert_frame_equal(one, two, rtol=1e-6, atol=1e-9)


def test_twice_the_step_is_twice_the_log_ratio():
    one, two = (response(step=step).estimate(three()) for step in (30, 60))
    for term in ("effect", "more", "unadjusted"):
        names = ["estimate"] if term == "unadjusted" else ["estimate", "conf_low", "conf_high"]
        for name in names:
            assert two.row(term=term)[name] == pytest.approx(2 * one.row(term=term)[name], abs=1e-9)
    assert one.table["p_value"].equals(two.table["p_value"])
    assert np.log1p(-two.facts["detectable"]) == pytest.approx(2 * np.log1p(-one.facts["detectable"]))
    assert one.facts["exaggeration"] == two.facts["exaggeration"]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_order_of_rows_does_not_matter(seed):
    panel = three()
    shuffled = replace(panel, frame=panel.frame.sample(frac=1, random_state=seed))
    one, two = (response().estimate(each).table for each in (panel, shuffled))
    pd.testing.assert_frame_equal(one, two)


def test_above_and_below_are_two_by_two_without_the_others():
    """But for the history, in which areas that two by two excludes do not count."""
    panel = three((40.0, 90.0, 95.0))
    result = response(form="threshold", threshold=60).estimate(panel)
    for term, starts, excluded in (("effect", "bc", "a"), ("below", "a", "bc")):
        alone = panel_of(poisson(), dict.fromkeys(starts, "2020"), excluded=tuple(excluded))
        row = TwoByTwo(inference=QUICK).estimate(alone).row(term="effect")
        assert result.row(term=term)["estimate"] == pytest.approx(row["estimate"], abs=0.002)
        assert result.row(term=term)["p_value"] == pytest.approx(row["p_value"], abs=0.02)


def test_the_frame_stays_as_it_was():
    panel = three()
    before = panel.frame.copy(deep=True)
    response().estimate(panel)
    pd.testing.assert_frame_equal(panel.frame, before)


# --- simulation ---


def test_size_and_coverage_in_small():
    """Three of 63 areas among those with the most cases; 40 panels, judged by their 99.9 % binomial interval."""
    rng, missed = np.random.default_rng(8), {"no effect": [], "no more": [], "effect": []}
    method = response(before=12, after=6)
    for number in range(40):
        source = simulated_months(rng)
        treated, hours = pick("highest", source, 30, 3, rng), rng.uniform(20, 100, 3)
        counts, effect = source.counts.copy(), -0.25 * (number % 2)
        counts[treated, 30:] = rng.binomial(counts[treated, 30:], np.exp(effect * hours / hours.mean())[:, None])
        names = [f"{unit:02d}" for unit in range(63)]
        doses = np.zeros(counts.shape)
        doses[treated, 30:] = hours[:, None]
        frame = {"unit": np.repeat(names, 36), "period": np.tile(source.periods, 63), "outcome": counts.ravel()}
        study = panel_of([[1, 2], [2, 3]], {"a": "2011"}).study
        since = {names[unit]: source.periods[30] for unit in treated}
        study = replace(study, period="month", treated_since=since, treated=tuple(sorted(since)))
        found = method.estimate(Panel(pd.DataFrame(frame).assign(hours=doses.ravel()), study))
        row = found.row(term="effect")
        if effect:
            missed["effect"].append(not row["conf_low"] < effect < row["conf_high"])
        else:
            missed["no effect"].append(row["p_value"] <= 0.05)
            missed["no more"].append(found.row(term="more")["p_value"] <= 0.05)
    for outside in missed.values():
        low, high = interval(np.mean(outside), len(outside), 0.999)
        assert low <= 0.07
        assert high >= 0.03


def test_an_effect_that_grows_with_the_dose_is_found_with_its_size():
    counts, doses = poisson(mean=400, seed=1), np.array([20.0, 60.0, 100.0])
    counts[:3, 10:] = np.round(counts[:3, 10:] * np.exp(-0.01 * doses)[:, None])
    result = response(step=10).estimate(three(doses, counts))
    for term in ("effect", "more"):
        row = result.row(term=term)
        assert row["conf_low"] < -0.1 < row["conf_high"] < 0
    assert "Die Wirkung ist die von 10,00 mehr Umfang je Periode." in result.worded_notes("de")


# --- doses at the edge ---


def test_equal_doses_say_that_more_is_not_compared_with_less():
    for inference in (QUICK, ClusterRobust()):
        result = response(inference=inference).estimate(three((80.0, 80.0, 80.0)))
        row = result.row(term="more")
        assert np.isnan(row["estimate"])
        assert row["note"] == "triple_dose.note.equal_doses"
        assert (
            "In allen Gebieten mit Maßnahme war der Umfang derselbe: "
            "Verglichen wird nicht mehr mit weniger, nur mit gegen ohne."
        ) in result.worded_notes("de")


def test_two_different_doses_are_few():
    result = response().estimate(three((80.0, 40.0, 80.0)))
    assert result.facts["different_doses"] == 2
    assert (
        "Nur 2 verschiedene Umfänge: Ob die Wirkung gleichmäßig mit dem Umfang wächst, ist nicht zu erkennen."
    ) in result.worded_notes("de")


def test_missing_doses_before_the_start_and_elsewhere_are_none_later_ones_are_unknown():
    panel = three()
    hours = panel.wide("hours")
    empty = np.where(hours == 0, np.nan, hours)
    one, two = (response().estimate(with_hours(panel, dose)) for dose in (hours, empty))
    pd.testing.assert_frame_equal(one.table, two.table)
    empty[1, 10:] = np.nan
    result = response().estimate(with_hours(panel, empty))
    assert result.counts.dropped == {"triple_dose.note.dose_unknown": 1}
    assert result.counts.treated == 2
    assert "1 Gebiete blieben weg, weil der Umfang der Maßnahme in den Zeitfenstern fehlt." in result.worded_notes("de")
    with pytest.raises(EstimationError) as caught:
        response().estimate(with_hours(panel, np.full(empty.shape, np.nan)))
    assert caught.value.worded("de") == (
        "DoseResponse: Der Umfang „hours“ fehlt in allen Gebieten mit Maßnahme in mindestens einer Periode der "
        "Zeitfenster. Abhilfe: Fehlende Werte nachliefern, eine 0, wo nichts geschah, oder andere Zeitfenster wählen."
    )


def test_an_earlier_dose_makes_it_the_effect_of_the_increase():
    panel = three()
    hours = panel.wide("hours")
    earlier = hours.copy()
    earlier[:3] += 30
    one, two = (response().estimate(with_hours(panel, dose)) for dose in (hours, earlier))
    pd.testing.assert_frame_equal(one.table, two.table, atol=1e-9)
    assert (
        "In 3 Gebieten mit Maßnahme wurde schon früher etwas geleistet; die Wirkung ist die der Zunahme."
    ) in two.worded_notes("de")


def test_no_dose_is_no_effect():
    with pytest.raises(EstimationError) as caught:
        response().estimate(three((0.0, 0.0, 0.0)))
    assert caught.value.worded("en") == (
        "DoseResponse: in no area with the measure did the amount of the measure change from before to after. "
        "What to do: Check the column “hours”; without an amount no effect of the measure is claimed."
    )
    result = response().estimate(three((0.0, 20.0, 30.0)))
    assert "In 1 Gebieten mit Maßnahme wurde nachher nicht mehr geleistet als vorher." in result.worded_notes("de")


def test_doses_in_comparison_areas():
    panel = three()
    hours = panel.wide("hours").copy()
    hours[10, 10:] = 20
    linear = response().estimate(with_hours(panel, hours))
    assert "Auch in 1 Vergleichsgebieten wurde etwas geleistet; das ist berücksichtigt." in linear.worded_notes("de")
    above = response(form="threshold", threshold=60).estimate(with_hours(panel, hours))
    assert above.counts.dropped == {"triple_dose.note.dose_elsewhere_left_out": 1}
    assert "1 Vergleichsgebiete, in denen ebenfalls etwas geleistet wurde, blieben weg." in above.worded_notes("de")
    hours[3:, 10:] = 20
    with pytest.raises(EstimationError, match="no comparison area"):
        response(form="threshold", threshold=60).estimate(with_hours(panel, hours))
    hours[3:, 10:] = 500
    with pytest.raises(EstimationError) as caught:
        response().estimate(with_hours(panel, hours))
    assert caught.value.worded("de") == (
        "DoseResponse: Der Umfang ist in den Vergleichsgebieten ebenso gestiegen wie in denen mit Maßnahme. "
        "Abhilfe: Die Spalte „hours“ prüfen; ohne Unterschied im Umfang gibt es nichts zu vergleichen."
    )


def test_negative_doses_are_refused():
    panel = three()
    hours = panel.wide("hours").copy()
    hours[1, 3] = -2.5
    with pytest.raises(DesignError) as caught:
        response().estimate(with_hours(panel, hours))
    assert caught.value.worded("de") == (
        "DoseResponse: Gebiet b hat in Periode 2013 den negativen Umfang −2,50. "
        "Abhilfe: Der Umfang ist 0 oder größer; einen unbekannten leer lassen."
    )


def test_nobody_above_or_below_a_threshold():
    with pytest.raises(EstimationError) as caught:
        response(form="threshold", threshold=500).estimate(three())
    assert caught.value.worded("de") == (
        "DoseResponse: Kein Gebiet mit Maßnahme erreicht den Umfang 500,00; der höchste ist 90,00. "
        "Abhilfe: Eine niedrigere Schwelle wählen."
    )
    for inference in (QUICK, ClusterRobust()):
        method = response(form="threshold", threshold=40, inference=inference)
        result = method.estimate(three())
        assert result.row(term="difference")["note"] == "triple_dose.note.nobody_below"
        assert "Darüber heißt: ein Umfang von mindestens 40,00 je Periode (3 Gebiete; darunter: 0)." in (
            result.worded_notes("de")
        )


def test_one_area_on_a_side_has_no_standard_error():
    method = response(form="threshold", threshold=60, inference=ClusterRobust())
    result = method.estimate(three())
    assert np.isfinite(result.row(term="difference")["estimate"])
    assert np.isnan(result.row(term="difference")["std_error"])
    assert "Mit so wenigen Gebieten auf einer Seite gibt es keinen gebietsweisen Standardfehler." in (
        result.worded_notes("de")
    )
    with pytest.raises(EstimationError) as caught:
        replace(method, threshold=80.0).estimate(three())
    assert caught.value.worded("de") == (
        "DoseResponse: Nur ein Gebiet erreicht den Umfang 80,00; damit gibt es keinen gebietsweisen Standardfehler. "
        "Abhilfe: Eine niedrigere Schwelle wählen oder die Zufallszuordnung verwenden (inference weglassen)."
    )


def test_inference_that_does_not_fit_says_so():
    with pytest.raises(DesignError, match="offers no score bootstrap"):
        response(inference=ScoreWild()).estimate(three())


def test_a_dose_that_falls_is_a_dose_taken_away():
    panel = three()
    hours = 100.0 - panel.wide("hours")
    hours[3:] = 0
    falls = response(step=50).estimate(with_hours(panel, hours))
    rises = response(step=50).estimate(panel)
    assert falls.row(term="effect")["estimate"] == pytest.approx(-rises.row(term="effect")["estimate"], abs=1e-9)
    assert falls.row(term="effect")["conf_low"] == pytest.approx(-rises.row(term="effect")["conf_high"], abs=1e-9)


def test_few_units_and_cohorts_still_give_an_answer():
    panel = with_hours(panel_of(poisson(units=10), {"a": "2019", "b": "2020"}), {"a": 40.0, "b": 80.0})
    result = response().estimate(panel)
    assert result.facts["assignments"] > 199
    assert result.row(term="more")["p_value"] > 0


def test_treated_areas_without_a_case_afterwards_have_a_finite_answer():
    counts = poisson()
    counts[:3, 10:] = 0
    result = response().estimate(three(counts=counts))
    assert np.isfinite(result.row(term="effect")["estimate"])
    assert result.row(term="unadjusted")["note"] == "unadjusted regression.separated.problem"
    with pytest.raises(EstimationError, match="not a single case"):
        response(inference=ClusterRobust()).estimate(three(counts=counts))


def test_options_that_make_no_sense_are_refused_all_at_once():
    with pytest.raises(DesignError) as caught:
        response(threshold=20, step=-1, inference=Randomization(weights="equal"))
    assert caught.value.worded("en") == (
        "DoseResponse: threshold = 20 is not allowed. What to do: Allowed: None, form = linear.\n"
        "DoseResponse: step = -1 is not allowed. What to do: Allowed: > 0, form = linear.\n"
        "DoseResponse: inference.weights = equal is not allowed. What to do: Allowed: precision."
    )
    with pytest.raises(DesignError, match="threshold = None is not allowed"):
        response(form="threshold")
    with pytest.raises(DesignError, match="form = curve is not allowed"):
        response(form="curve")


def test_a_column_of_words_is_no_dose():
    panel = three()
    worded = replace(panel, frame=panel.frame.assign(hours="many"))
    with pytest.raises(DesignError, match="no column “hours” with numbers"):
        response().estimate(worded)
