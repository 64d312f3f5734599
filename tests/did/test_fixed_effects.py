"""Two-way fixed effects: by hand, against pyfixest, by invariance, size, and what is noted or refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    ClusterRobust,
    DesignError,
    EstimationError,
    Imputation,
    Randomization,
    ScoreWild,
    TwoByTwo,
    TwoWayFixedEffects,
)
from evaluation.simulate import simulate_panel
from tests.did.test_two_by_two import panel_of
from tests.did.two_way_panels import FOUND, both, by_event_time, mpdta_panel, reference_panel

PAPER = TwoWayFixedEffects(inference=ClusterRobust())
POISSON = TwoWayFixedEffects(family="poisson", inference=ClusterRobust())


def test_by_hand():
    """Changes 4 and 6 against 1 and 1: 4; residuals of the areas +-1/2 in both years, G = 4, n = 8, K = 3."""
    panel = panel_of([[10, 14], [20, 26], [30, 31], [40, 41]], {"a": "2011", "b": "2011"})
    result = replace(PAPER, scale="additive").estimate(panel)
    estimate, error = both(result, term="effect")
    assert estimate == pytest.approx(4)
    # Influence of a treated area: its distance from the mean change of the two, over two.
    assert error**2 == pytest.approx((0.5**2 + 0.5**2) * 4 / 3 * 7 / 5)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (PAPER, "twfe"),
        (replace(PAPER, covariates=("x",)), "twfe covariate"),
        (replace(PAPER, season=True), "twfe season"),
        (POISSON, "poisson"),
        (replace(POISSON, season=True), "poisson season"),
    ],
)
def test_against_pyfixest(method, name):
    assert both(method.estimate(reference_panel()), term="effect") == pytest.approx(FOUND[name]["active"], abs=1e-8)


@pytest.mark.parametrize(("method", "name"), [(PAPER, "twfe dynamic"), (POISSON, "poisson dynamic")])
def test_event_times_against_pyfixest(method, name):
    result = replace(method, aggregation="dynamic", leads=27).estimate(reference_panel())
    rows = by_event_time(result, after=False) | by_event_time(result, after=True)
    alone = result.row(event_time=-26)  # one area has data at this time: its dummy leaves nothing to vary
    assert (alone["estimate"], alone["note"]) == (pytest.approx(FOUND[name]["-26"][0]), "models_did.note.single")
    assert FOUND[name].keys() - rows.keys() == {"-26"}
    for key, values in rows.items():
        assert values == pytest.approx(FOUND[name][key], abs=1e-8)
    reference = result.row(event_time=-1)
    assert (reference["estimate"], reference["note"]) == (0.0, "reference_period")
    mean = np.mean([FOUND[name][str(k)][0] for k in range(12)])
    assert result.row(term="effect")["estimate"] == pytest.approx(mean, abs=1e-8)


@pytest.mark.usefixtures("shared")
def test_mpdta(shared):
    panel, reference = mpdta_panel(shared)
    expected = reference["TWFE (pyfixest 0.60, CRV1 by county)"]
    assert both(replace(PAPER, scale="additive").estimate(panel), term="effect") == pytest.approx(expected, abs=1e-8)
    panel, _ = mpdta_panel(shared, exponential=True)
    expected = reference["Poisson two-way fixed effects on exp(lemp) (pyfixest fepois, CRV1)"]
    # The reference was made with pyfixest's default tolerances; with tighter ones its error is .01970963311644.
    assert both(POISSON.estimate(panel), term="effect") == pytest.approx(expected, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_start_and_whole_data_are_imputation_and_two_by_two(seed):
    """With one start date the coefficient is the mean imputed effect, and the pooled ratio for Poisson."""
    counts = np.random.default_rng(seed).poisson(40, (9, 8)).astype(float)
    panel = panel_of(counts, dict.fromkeys("abc", "2015"))
    linear = replace(PAPER, scale="additive").estimate(panel).row(term="effect")["estimate"]
    imputed = Imputation(scale="additive", inference=ClusterRobust()).estimate(panel).row(term="effect")["estimate"]
    assert linear == pytest.approx(imputed, abs=1e-10)
    ratio = POISSON.estimate(panel).row(term="effect")["estimate"]
    pooled = TwoByTwo(before=5, after=3, inference=ClusterRobust()).estimate(panel).row(term="effect")["estimate"]
    assert ratio == pytest.approx(pooled, abs=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 3.0))
def test_poisson_ratio_does_not_know_the_size_of_the_exposure(seed, scale):
    rng = np.random.default_rng(seed)
    counts, people = rng.poisson(30, (8, 6)), rng.uniform(50, 90, (8, 6))
    since = {"a": "2013", "b": "2013", "c": "2014"}
    one, other = (POISSON.estimate(panel_of(counts, since, exposure=values)) for values in (people, scale * people))
    np.testing.assert_allclose(one.table["estimate"], other.table["estimate"], atol=1e-10)
    np.testing.assert_allclose(one.table["std_error"], other.table["std_error"], rtol=1e-7)


def test_order_of_rows_does_not_matter():
    panel = reference_panel()
    mixed = replace(panel, frame=panel.frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(POISSON.estimate(panel).table, POISSON.estimate(mixed).table)


def test_size_with_many_treated_areas():
    """Counts that vary more than Poisson's, half of 40 areas treated, no effect."""
    rejected = 0
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        counts = rng.poisson(rng.gamma(8, 40 / 8, (40, 1)) * rng.gamma(30, 1 / 30, (40, 7)))
        panel = panel_of(counts, {chr(97 + unit): "2014" for unit in range(20)})
        rejected += POISSON.estimate(panel).row(term="effect")["p_value"] < 0.05
    assert 1 <= rejected <= 8


def test_the_default_and_the_score_bootstrap():
    panel = simulate_panel(3, shape=(40, 14), treated=["04", "20"], start=10, frequency="year")
    for family in ("gaussian", "poisson"):
        method = TwoWayFixedEffects(family=family, before=3, after=2)
        result = method.estimate(panel)
        narrow = replace(method, inference=ClusterRobust()).estimate(panel).row(term="effect")["estimate"]
        assert result.row(term="unadjusted")["estimate"] == pytest.approx(narrow, abs=1e-12)
        assert result.table["term"].tolist() == ["effect", "unadjusted"]
        wild = replace(method, inference=ScoreWild()).estimate(panel).row(term="effect")
        assert wild["estimate"] == pytest.approx(narrow, abs=1e-12)
        assert 0 < wild["p_value"] <= 1
    path = TwoWayFixedEffects(aggregation="dynamic", inference=Randomization(draws=99)).estimate(panel)
    assert path.table["event_time"].tolist() == [-3, -2, -1, 0, 1, 2]


# --- what is noted, what is refused ---------------------------------------------------------------------------------


def test_several_start_dates_carry_a_caution():
    result = PAPER.estimate(reference_panel())
    assert result.worded_notes("de")[-1] == (
        "Die Maßnahme begann zu 2 verschiedenen Zeiten: Diese Schätzung vergleicht auch mit Gebieten, die sie schon "
        "haben. Ändert sich die Wirkung mit der Zeit, führt das in die Irre; Imputation und GroupTime vermeiden es."
    )
    one = PAPER.estimate(reference_panel(only=24))
    assert not any("verschiedenen Zeiten" in words for words in one.worded_notes("de"))
    assert one.counts.dropped == {"core.note.excluded": 2}


def test_event_times_without_areas_never_treated_are_refused():
    counts = np.random.default_rng(1).poisson(40, (6, 9))
    since = {"a": "2014", "b": "2014", "c": "2014", "d": "2016", "e": "2016", "f": "2016"}
    panel = panel_of(counts, since, comparison="not_yet_treated")
    with pytest.raises(DesignError) as caught:
        replace(PAPER, aggregation="dynamic").estimate(panel)
    assert caught.value.worded("en") == (
        "TwoWayFixedEffects: without areas that never get the measure, the periods since the start cannot be told from "
        "the calendar. What to do: Use Imputation, which compares with areas not yet treated, or aggregation = "
        '"simple".'
    )
    assert np.isfinite(PAPER.estimate(panel).row(term="effect")["estimate"])


def test_a_measure_that_begins_everywhere_at_once_and_ratios_without_cases_are_refused():
    counts = np.random.default_rng(1).poisson(40, (6, 9)).astype(float)
    counts[3:, 5:] = np.nan
    with pytest.raises(EstimationError, match="fully explained by unit and period effects"):
        PAPER.estimate(panel_of(counts, dict.fromkeys("abc", "2015")))
    counts = np.random.default_rng(1).poisson(40, (6, 9)).astype(float)
    counts[:3, 5:] = 0
    with pytest.raises(EstimationError, match="the areas with the measure, or those compared with them, have not"):
        POISSON.estimate(panel_of(counts, dict.fromkeys("abc", "2015")))
    counts[:3, 4] = 0
    with pytest.raises(EstimationError, match="the areas with the measure, or those compared with them, have not"):
        replace(POISSON, aggregation="dynamic").estimate(panel_of(counts, dict.fromkeys("abc", "2015")))


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DesignError) as caught:
        TwoWayFixedEffects(aggregation="group", family="poisson", scale="additive")
    assert caught.value.worded("de") == (
        "TwoWayFixedEffects: aggregation = group ist nicht erlaubt. Abhilfe: Erlaubt: simple, dynamic.\n"
        "TwoWayFixedEffects: scale = additive ist nicht erlaubt. Abhilfe: Erlaubt: ratio, levels."
    )
    with pytest.raises(
        DesignError, match=r"scale = levels is not allowed\. What to do: Allowed: ratio \(aggregation = dynamic"
    ):
        TwoWayFixedEffects(aggregation="dynamic", scale="levels")
