"""Triple difference: by hand, against pyfixest and statsmodels, by invariance, and its size in small."""

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
    EstimationError,
    Panel,
    Randomization,
    Study,
    TripleDifference,
    TwoByTwo,
)
from evaluation.did.triple import RatioOfKinds
from evaluation.randomization.windows import Windows
from evaluation.simulate import simulate_counts
from tests.simulation.page import interval
from tests.simulation.panels import CountPanel, grid_contiguity
from tests.simulation.selection import pick

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "triple_dose.json").read_text(encoding="utf-8"))


def two_kinds(night, day, treated_since, **options):
    """Return a yearly panel from 2010 on with the columns outcome (night) and day; units are a, b, ..."""
    night, day = np.asarray(night, dtype=float), np.asarray(day, dtype=float)
    units = [f"{number:02d}" for number in range(len(night))] if len(night) > 26 else list("abcdefghijklmnopqrstuvwxyz")
    years = [str(2010 + number) for number in range(night.shape[1])]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(units[: len(night)], len(years)),
            "period": years * len(night),
            "outcome": night.ravel(),
            "day": day.ravel(),
        }
    )
    return Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since=treated_since, **options))


def poisson(units=40, years=14, seed=0):
    """Night and day of areas, with shocks common to both."""
    rng = np.random.default_rng(seed)
    level = rng.lognormal(4, 0.5, (units, 1)) * rng.lognormal(0, 0.15, (units, years))
    return rng.poisson(level), rng.poisson(3 * level)


def test_eight_cells_by_hand():
    """Night 50 -> 30 against 60 -> 55, day 100 -> 90 against 200 -> 220: ratio of ratios .6545 / .8182 = .8."""
    panel = two_kinds([[50, 30], [60, 55]], [[100, 90], [200, 220]], {"a": "2011"})
    result = TripleDifference(against="day", before=1, after=1).estimate(panel)
    expected = (30 / 50) / (55 / 60) / ((90 / 100) / (220 / 200))
    assert np.exp(result.row(term="unadjusted")["estimate"]) == pytest.approx(expected, abs=1e-12)


def test_a_units_change_and_its_level_by_hand():
    """Night 3, 5 -> 7 against day 10, 20 -> 40: log(7.5/8.5) - log(40.5/30.5), level 1/(1/4.5 + 1/15.5)."""
    night, day = np.array([[3.0, 5.0, 7.0]]), np.array([[10.0, 20.0, 40.0]])
    measure, dates, people = RatioOfKinds(day), np.array([2]), np.full((1, 3), 7.0)
    windows = Windows(before=2, after=1, recent=1, earlier=1)
    change = measure.values(night, people, dates, windows)
    rise, level = measure.rise_and_level(night, people, dates, windows)
    assert change[0, 0] == pytest.approx(np.log(7.5 / 8.5) - np.log(40.5 / 30.5))
    assert rise[0, 0] == pytest.approx(np.log(5.5 / 3.5) - np.log(20.5 / 10.5))
    assert level[0, 0] == pytest.approx(1 / (1 / 4.5 + 1 / 15.5))


@pytest.mark.parametrize("source", ["pyfixest_windows", "pyfixest_periods", "statsmodels_windows"])
def test_poisson_with_clustered_errors_against_reference(source):
    frame = pd.DataFrame(REFERENCE["counts"])
    wide = [frame.pivot_table(index="unit", columns="period", values=kind).to_numpy() for kind in ("night", "day")]
    panel = two_kinds(*wide, dict.fromkeys("abcd", "2013"))
    result = TripleDifference(against="day", before=3, after=3, inference=ClusterRobust()).estimate(panel)
    for term, name in (("effect", "triple"), ("against", "treated_after")):
        row = result.row(term=term)
        # Their standard errors agree with each other to 4e-10 only: both stop at a tolerance of the deviance.
        assert [row["estimate"], row["std_error"]] == pytest.approx(REFERENCE["triple"][source][name], abs=1e-9)
    assert result.row(term="outcome")["estimate"] == pytest.approx(
        sum(REFERENCE["triple"][source][name][0] for name in ("triple", "treated_after")), abs=1e-9
    )


@settings(max_examples=5, deadline=None)
@given(factor=st.floats(0.2, 5), seed=st.integers(0, 100))
def test_what_moves_both_kinds_of_the_treated_units_alike_cancels(factor, seed):
    night, day = (kind.astype(float) for kind in poisson(units=24, years=8, seed=seed))
    moved = [kind.copy() for kind in (night, day)]
    for kind in moved:
        kind[:3, 6:] *= factor
    since = dict.fromkeys("abc", "2016")
    method = TripleDifference(against="day", before=2, after=1, inference=ClusterRobust())
    one, two = (method.estimate(two_kinds(*kinds, since)).row(term="effect") for kinds in ((night, day), moved))
    assert one["estimate"] == pytest.approx(two["estimate"], abs=1e-9)


def test_exchanging_the_kinds_turns_the_sign():
    night, day = poisson()
    one, two = (
        TripleDifference(against="day").estimate(two_kinds(*kinds, {"00": "2020"}))
        for kinds in ((night, day), (day, night))
    )
    assert one.row(term="effect")["estimate"] == pytest.approx(-two.row(term="effect")["estimate"], abs=1e-12)
    assert one.row(term="outcome")["p_value"] == two.row(term="against")["p_value"]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_order_of_rows_does_not_matter(seed):
    panel = two_kinds(*poisson(), {"00": "2020", "03": "2021"})
    shuffled = replace(panel, frame=panel.frame.sample(frac=1, random_state=seed))
    one, two = (TripleDifference(against="day").estimate(each).table for each in (panel, shuffled))
    pd.testing.assert_frame_equal(one, two)


def test_each_kind_alone_is_two_by_two():
    panel = two_kinds(*poisson(), {"00": "2020", "01": "2020"})
    inference = Randomization(reference="strata", enumerate_up_to=1)
    triple = TripleDifference(against="day", inference=ClusterRobust()).estimate(panel).row(term="outcome")
    alone = TwoByTwo(inference=ClusterRobust()).estimate(panel).row(term="effect")
    assert [triple["estimate"], triple["std_error"]] == pytest.approx([alone["estimate"], alone["std_error"]])
    drawn = TripleDifference(against="day", inference=inference).estimate(panel).row(term="outcome")
    assert drawn["estimate"] == pytest.approx(
        TwoByTwo(inference=inference).estimate(panel).row(term="effect")["estimate"], abs=1e-12
    )


def test_exposure_cancels_as_both_kinds_share_it():
    panel = two_kinds(*poisson(), {"00": "2020", "01": "2020"})
    people = np.repeat(np.linspace(1000, 9000, 40), 14) * np.tile(np.linspace(1, 1.3, 14), 40)
    rates = replace(panel, frame=panel.frame.assign(exposure=people), study=replace(panel.study, exposure=True))
    one, two = (TripleDifference(against="day").estimate(each) for each in (panel, rates))
    for name in ("estimate", "p_value", "conf_low", "conf_high"):
        assert one.row(term="effect")[name] == pytest.approx(two.row(term="effect")[name], abs=1e-9)


def test_an_effect_on_the_night_is_found_although_everything_rises():
    night, day = (kind.astype(float) for kind in poisson(seed=4))
    night[:3, 10:] *= 2.5 * 0.6
    day[:3, 10:] *= 2.5
    result = TripleDifference(against="day").estimate(two_kinds(night, day, dict.fromkeys(["00", "01", "02"], "2020")))
    row = result.row(term="effect")
    assert row["conf_low"] < np.log(0.6) < row["conf_high"] < 0
    assert result.row(term="against")["conf_low"] > 0


def test_levels_are_derived_from_the_ratio_for_each_kind():
    panel = two_kinds(*poisson(), {"00": "2020", "01": "2020"})
    for inference in (Randomization(), ClusterRobust()):
        ratio, levels = (
            TripleDifference(against="day", scale=scale, inference=inference).estimate(panel)
            for scale in ("ratio", "levels")
        )
        cases = {"effect": panel.outcome, "outcome": panel.outcome, "against": panel.wide("day")}
        for term, counts in cases.items():
            observed = counts[:2, 10].sum()
            assert levels.row(term=term)["estimate"] == pytest.approx(
                observed * (1 - np.exp(-ratio.row(term=term)["estimate"]))
            )
            assert levels.row(term=term)["p_value"] == ratio.row(term=term)["p_value"]
    assert levels.scale.unit == "cases"


def test_the_result_says_what_its_rows_are():
    result = TripleDifference(against="day").estimate(two_kinds(*poisson(), {"00": "2020"}))
    assert result.table["term"].tolist() == ["effect", "unadjusted", "outcome", "against"]
    assert (
        "Die Zeilen outcome und against zeigen beide Arten von Fällen für sich; jede ist für sich gewichtet und "
        "bereinigt, sodass ihr Unterschied nicht genau die Wirkung sein muss."
    ) in result.worded_notes("de")
    assert result.facts["observed"] == two_kinds(*poisson(), {"00": "2020"}).outcome[0, 10]
    assert result.facts["smallest_p"] == pytest.approx(1 / result.facts["assignments"])


def test_the_frame_stays_as_it_was():
    panel = two_kinds(*poisson(), {"00": "2020"})
    before = panel.frame.copy(deep=True)
    TripleDifference(against="day").estimate(panel)
    pd.testing.assert_frame_equal(panel.frame, before)


def test_size_and_coverage_in_small():
    """Three of 63 areas among those with the most night cases; 60 panels, judged by their 99.9 % binomial interval."""
    rng, missed = np.random.default_rng(5), {0.0: [], np.log(0.8): []}
    method = TripleDifference(against="day", before=2, after=1, inference=Randomization(draws=199, enumerate_up_to=0))
    for number in range(60):
        shocks, options = 0.2 * rng.standard_normal((63, 12)), {"mean": 80.0, "dispersion": 3.0, "season": 0.0}
        night, day = (simulate_counts(rng, 63, 12, log_effect=shocks, **options) for _ in range(2))
        source = CountPanel("", night, grid_contiguity(7, 9), tuple(map(str, range(2010, 2022))), (9,), 2, 1)
        treated, effect = pick("highest", source, 9, 3, rng), list(missed)[number % 2]
        night[treated, 9:] = rng.binomial(night[treated, 9:], np.exp(effect))
        row = method.estimate(two_kinds(night, day, {f"{unit:02d}": "2019" for unit in treated})).row(term="effect")
        missed[effect].append(row["p_value"] <= 0.05 if not effect else not row["conf_low"] < effect < row["conf_high"])
    for outside in missed.values():
        low, high = interval(np.mean(outside), len(outside), 0.999)
        assert low <= 0.07
        assert high >= 0.03


# --- bad input ---


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(DesignError) as caught:
        TripleDifference(against="days").estimate(two_kinds(*poisson(), {"00": "2020"}))
    assert caught.value.worded("de") == (
        "TripleDifference: Das Panel hat keine Spalte „days“ mit Zahlen. Abhilfe: Die Zahlen derselben Gebiete und "
        "Perioden neben die Zielgröße stellen. Vorhandene Spalten: day."
    )


def test_the_outcome_is_no_comparison_for_itself():
    night, _ = poisson()
    with pytest.raises(DesignError) as caught:
        TripleDifference(against="day").estimate(two_kinds(night, night, {"00": "2020"}))
    assert caught.value.worded("en") == (
        "TripleDifference: the column “day” holds the same numbers as the outcome. "
        "What to do: Name counts that the measure cannot touch, those by day say."
    )


def test_gaps_and_areas_without_cases_of_a_kind_are_counted():
    night, day = (kind.astype(float) for kind in poisson())
    day[5, 9] = np.nan
    day[6], night[7] = 0, 0
    for inference in (Randomization(), ClusterRobust()):
        panel = two_kinds(night, day, {"00": "2020", "01": "2020"})
        result = TripleDifference(against="day", inference=inference).estimate(panel)
        assert result.counts.dropped == {"core.note.dropped_incomplete": 1, "triple_dose.note.no_case_of_a_kind": 2}
        assert result.counts.units == 37
        assert "2 Gebiete ohne einen einzigen Fall einer der beiden Arten blieben weg." in result.worded_notes("de")


def test_treated_areas_without_a_case_of_the_other_kind_are_refused_as_such():
    night, day = poisson()
    day[0] = 0
    with pytest.raises(EstimationError, match="not a single case"):
        TripleDifference(against="day").estimate(two_kinds(night, day, {"00": "2020"}))


def test_nobody_left_with_both_kinds_is_said():
    night, day = poisson()
    night[0], day[1] = 0, 0
    with pytest.raises(EstimationError, match="no area with the measure has complete data"):
        TripleDifference(against="day").estimate(two_kinds(night, day, {"00": "2020", "01": "2020"}))


def test_treated_areas_without_a_night_case_afterwards_have_a_finite_answer():
    night, day = poisson()
    night[0, 10:] = 0
    result = TripleDifference(against="day").estimate(two_kinds(night, day, {"00": "2020"}))
    assert np.isfinite(result.row(term="effect")["estimate"])
    assert result.row(term="unadjusted")["note"] == "unadjusted regression.separated.problem"


def test_negative_counts_of_the_other_kind_are_refused():
    night, day = poisson()
    day[3, 2] = -1
    with pytest.raises(DesignError, match="negative count -1"):
        TripleDifference(against="day").estimate(two_kinds(night, day, {"00": "2020"}))


def test_little_history_and_few_units_still_give_an_answer():
    night, day = poisson(units=9)
    few = TripleDifference(against="day").estimate(two_kinds(night, day, {"a": "2020"}))
    assert few.facts["assignments"] > 9
    night, day = poisson(years=4)
    short = TripleDifference(against="day", before=1, after=1).estimate(
        two_kinds(night, day, {"00": "2012", "01": "2012"})
    )
    assert "core.note.little_history" in [note.code for note in short.notes]


def test_one_scale_too_many():
    with pytest.raises(DesignError) as caught:
        TripleDifference(against="day", scale="additive")
    assert caught.value.worded("en") == (
        "TripleDifference: scale = additive is not allowed. What to do: Allowed: ratio, levels."
    )
