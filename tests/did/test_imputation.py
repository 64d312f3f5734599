"""Imputation: by hand, against other programs, by invariance, its size and coverage, and what it refuses."""

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
    GroupTime,
    Imputation,
    Panel,
    Randomization,
    TwoByTwo,
    TwoWayFixedEffects,
)
from evaluation.randomization.measures import MeanOfLogs
from evaluation.simulate import simulate_panel
from tests.did.test_two_by_two import panel_of
from tests.did.two_way_panels import FOUND, both, by_event_time, mpdta_panel, reference_panel

ADDITIVE = {"scale": "additive", "inference": ClusterRobust()}


def test_by_hand():
    """Two treated areas and two others, before and after: every number on paper."""
    counts = [[10, 20, 24], [30, 36, 46], [20, 22, 26], [40, 46, 46]]
    result = Imputation(aggregation="dynamic", **ADDITIVE).estimate(panel_of(counts, {"a": "2011", "b": "2011"}))
    # Before the start there is one year: counterfactual a = 10 + 4, 10 + 6 (the others grew by 4 and by 6 in all).
    effects = np.array([[20 - 14, 24 - 16], [36 - 34, 46 - 36]])
    assert result.row(event_time=0)["estimate"] == pytest.approx(effects[:, 0].mean())
    assert result.row(event_time=1)["estimate"] == pytest.approx(effects[:, 1].mean())
    assert result.row(term="effect")["estimate"] == pytest.approx(effects.mean())
    # Variance of year 0: the treated differ by +-2 from their mean, the others' growth 2 and 6 by +-2 from 4; each
    # area counts a half.
    assert result.row(event_time=0)["std_error"] == pytest.approx(np.sqrt(4 * (2 / 2) ** 2))


def test_against_other_programs():
    for covariates, name in (((), "imputation"), (("x",), "imputation covariate")):
        found = FOUND[name]
        method = Imputation(covariates=covariates, inference=ClusterRobust())
        path = replace(method, aggregation="dynamic").estimate(reference_panel())
        assert both(path, term="effect") == pytest.approx(found["simple"], abs=1e-8)
        rows = by_event_time(path, after=True)
        assert len(rows) == 12
        for key, values in rows.items():
            assert values == pytest.approx(found[key], abs=1e-8)
        cohorts = replace(method, aggregation="group").estimate(reference_panel())
        assert cohorts.table["cohort"].tolist()[1:] == ["2022-01", "2022-05"]
        assert both(cohorts, cohort="2022-01") == pytest.approx(found["cohort 25"], abs=1e-8)
        assert both(cohorts, cohort="2022-05") == pytest.approx(found["cohort 29"], abs=1e-8)


def test_rows_before_the_start_against_another_program():
    method = Imputation(aggregation="dynamic", leads=6, inference=ClusterRobust())
    result = method.estimate(reference_panel())
    rows, found = by_event_time(result, after=False), FOUND["imputation leads, plain sum"]
    assert sorted(rows, key=int) == [str(k) for k in range(-6, 0)]
    for key, values in rows.items():
        assert values == pytest.approx(found[key], abs=1e-8)
    assert 0 < result.facts["pre_trend_p"] < 0.01, "this panel was drawn with noise before the start"


@pytest.mark.usefixtures("shared")
def test_mpdta(shared):
    panel, reference = mpdta_panel(shared)
    result = Imputation(**ADDITIVE).estimate(panel)
    expected = reference["Borusyak-Jaravel-Spiess imputation"]
    assert both(result, term="effect") == pytest.approx(expected, abs=1e-8)
    assert (result.counts.units, result.counts.treated, result.counts.observations) == (500, 191, 2500)


def test_season_is_an_effect_of_every_area_and_month():
    """Least squares with dummies for area x month and period on the untreated cells, treated cells predicted."""
    panel = reference_panel(gaps=False)
    result = Imputation(season=True, inference=ClusterRobust()).estimate(panel)
    value = np.log((panel.outcome + 0.5) / panel.exposure)
    period = np.arange(36)
    treated = panel.treated[:, None] & (period >= panel.starts[:, None])
    unit, month, time = np.indices(value.shape)[0], np.tile(period % 12, (16, 1)), np.tile(period, (16, 1))
    design = np.hstack([np.eye(192)[(unit * 12 + month).ravel()], np.eye(36)[time.ravel()]])
    known = ~treated.ravel()
    coefficients = np.linalg.lstsq(design[known], value.ravel()[known], rcond=None)[0]
    effect = value.ravel() - design @ coefficients
    assert result.row(term="effect")["estimate"] == pytest.approx(effect[treated.ravel()].mean(), abs=1e-10)


def staggered(seed, units=12):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(40, (units, 9)).astype(float)
    return counts, {"a": "2014", "b": "2014", "c": "2016", "d": "2016"}


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 4.0))
def test_shifts_and_scales(seed, scale):
    counts, since = staggered(seed)
    rng = np.random.default_rng(seed)
    shifted = counts + rng.uniform(0, 9, (12, 1)) + rng.uniform(0, 9, (1, 9))
    method = Imputation(aggregation="dynamic", leads=2, **ADDITIVE)
    base = method.estimate(panel_of(counts, since)).table
    for other, factor in ((shifted, 1.0), (scale * counts, scale)):
        table = method.estimate(panel_of(other, since)).table
        for column in ("estimate", "std_error"):
            np.testing.assert_allclose(table[column], factor * base[column], atol=1e-9)


def test_order_of_rows_does_not_matter_and_the_frame_stays_as_it_was():
    counts, since = staggered(1)
    panel = panel_of(counts, since)
    before = panel.frame.copy()
    one = Imputation(aggregation="group", inference=ClusterRobust()).estimate(panel)
    mixed = Panel(panel.frame.sample(frac=1, random_state=3), panel.study)
    other = Imputation(aggregation="group", inference=ClusterRobust()).estimate(mixed)
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(panel.frame, before)


def test_two_periods_are_two_by_two_whatever_the_estimator():
    counts = np.random.default_rng(5).poisson(50, (10, 2))
    panel = panel_of(counts, {"a": "2011", "b": "2011", "c": "2011"})
    methods = (Imputation, TwoWayFixedEffects, GroupTime)
    values = [method(**ADDITIVE).estimate(panel).row(term="effect")["estimate"] for method in methods]
    values.append(TwoByTwo(before=1, after=1, **ADDITIVE).estimate(panel).row(term="effect")["estimate"])
    change = counts[:, 1] - counts[:, 0]
    assert values == pytest.approx([change[:3].mean() - change[3:].mean()] * 4)


def test_size_and_coverage_with_many_treated():
    """Half of 40 areas, two cohorts, correlated noise: about 5 % of tests reject without an effect, 95 % cover one."""
    rejected, covered, runs = 0, 0, 100
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        noise = np.cumsum(rng.normal(size=(40, 8)), axis=1) + rng.normal(size=(40, 8))
        counts, effect = 100 + 5 * rng.normal(size=(40, 1)) + np.arange(8) + noise, np.zeros((40, 8))
        effect[:10, 4:], effect[10:20, 5:] = 2.0, 1.0
        since = {chr(97 + unit): ("2014" if unit < 10 else "2015") for unit in range(20)}
        row = Imputation(**ADDITIVE).estimate(panel_of(counts + (seed % 2) * effect, since)).row(term="effect")
        truth = (seed % 2) * effect[effect > 0].mean()
        inside = row["conf_low"] <= truth <= row["conf_high"]
        covered += inside and seed % 2
        rejected += row["p_value"] < 0.05 and not seed % 2
    assert rejected <= 7
    assert covered >= 43
    assert covered + 50 - rejected < 100, "intervals that always cover are too wide"


def test_effects_that_grow_are_right_where_two_way_fixed_effects_mislead():
    counts = np.full((12, 12), 100.0) + np.random.default_rng(1).normal(size=(12, 12)) * 0.01
    since = {chr(97 + unit): ("2013" if unit < 5 else "2017") for unit in range(10)}
    start = np.array([3] * 5 + [7] * 5 + [99] * 2)
    effect = np.maximum(np.arange(12) - start[:, None] + 1, 0)
    panel = panel_of(counts + effect, since)
    truth = effect[effect > 0].mean()
    assert Imputation(**ADDITIVE).estimate(panel).row(term="effect")["estimate"] == pytest.approx(truth, abs=0.02)
    assert TwoWayFixedEffects(**ADDITIVE).estimate(panel).row(term="effect")["estimate"] < truth - 1


# --- by drawn assignments -------------------------------------------------------------------------------------------


def test_the_default_compares_means_of_logs():
    panel = simulate_panel(3, shape=(40, 14), treated=["04", "20"], start=10, frequency="year")
    result = Imputation(before=3, after=2).estimate(panel)
    logs = np.log(panel.outcome + 0.5)
    change = logs[:, 10:12].mean(axis=1) - logs[:, 7:10].mean(axis=1)
    by_hand = change[panel.treated].mean() - change[~panel.treated].mean()
    assert result.row(term="unadjusted")["estimate"] == pytest.approx(by_hand, abs=1e-12)
    assert result.facts["history_dates"] >= 2
    cases = Imputation(before=3, after=2, scale="levels").estimate(panel).row(term="effect")
    expected = result.facts["observed"] * (1 - np.exp(-result.row(term="effect")["estimate"]))
    assert cases["estimate"] == pytest.approx(expected)


def test_the_default_with_a_season_and_by_event_time():
    panel = simulate_panel(3, shape=(30, 72), treated=3, start=60)
    seasonal = Imputation(before=24, after=6, season=True, inference=Randomization(draws=199)).estimate(panel)
    plain = Imputation(before=24, after=6, inference=Randomization(draws=199)).estimate(panel)
    assert MeanOfLogs(12) != MeanOfLogs()
    assert seasonal.row(term="effect")["estimate"] != plain.row(term="effect")["estimate"]
    assert seasonal.row(term="unadjusted")["estimate"] != plain.row(term="unadjusted")["estimate"]
    path = Imputation(aggregation="dynamic", leads=3, after=2, inference=Randomization(draws=199)).estimate(panel)
    assert path.table["event_time"].tolist() == [-3, -2, -1, 0, 1]


# --- what is noted, what is refused ---------------------------------------------------------------------------------


def test_treated_areas_without_a_comparison_are_counted():
    counts = np.random.default_rng(4).poisson(100, (6, 16)).astype(float)
    since = {"a": "2018", "b": "2018", "c": "2020", "d": "2020", "e": "2023", "f": "2023"}
    result = Imputation(inference=ClusterRobust()).estimate(panel_of(counts, since, comparison="not_yet_treated"))
    assert result.counts.dropped == {"core.note.nobody_to_compare": 2}
    assert result.counts.treated == 4
    assert result.worded_notes("de")[1:] == [
        "2 Gebiete mit Maßnahme dienen nur als Vergleich: Nach ihrem Beginn ist kein Gebiet mehr ohne Maßnahme.",
        "12 Werte von Gebieten mit Maßnahme blieben weg: In ihrer Periode ist kein Gebiet ohne Maßnahme, oder ihr "
        "eigener Kalendermonat hat keinen früheren Wert.",
    ]


def test_gaps_empty_areas_and_areas_without_an_earlier_value():
    counts, since = staggered(2)
    whole = Imputation(inference=ClusterRobust()).estimate(
        panel_of(counts[1:], {"a": "2014", "b": "2016", "c": "2016"})
    )
    counts[0, :4] = np.nan
    counts = np.vstack([counts, np.zeros((1, 9)), np.full((1, 9), np.nan)])
    result = Imputation(inference=ClusterRobust()).estimate(panel_of(counts, since))
    assert both(result, term="effect") == pytest.approx(both(whole, term="effect"), abs=1e-12)
    assert result.counts.dropped == {
        "core.note.all_zero": 1, "models_did.note.no_before": 1, "core.note.dropped_incomplete": 1,
    }  # fmt: skip
    assert result.worded_notes("en")[1:] == [
        "1 areas with the measure have no data before their start and were set aside.",
        "1 areas without complete data in the time windows were set aside.",
        "1 areas without a single case were set aside: m.",
    ]


def test_a_cohort_of_one_shares_a_mean_and_a_row_of_one_has_no_error():
    counts, _ = staggered(3)
    panel = panel_of(counts, {"a": "2014", "b": "2016", "c": "2017"})
    path = Imputation(aggregation="dynamic", leads=1, inference=ClusterRobust()).estimate(panel)
    last = path.row(event_time=4)
    assert last["note"] == "models_did.note.single"
    assert np.isnan(last["std_error"])
    assert np.isfinite(last["estimate"])
    # All cells of the overall effect are alone in their cohort: their deviations from the overall mean count.
    overall, influence = path.row(term="effect"), path.influence.values[:3, 0]
    assert (influence != 0).all()
    assert overall["std_error"] ** 2 > (influence**2).sum()
    assert (
        "Only one area carries this row; its own variation cannot be told from the effect, so there is no standard "
        "error." in path.worded_notes("en")
    )


def test_anticipation_and_partial_periods_count_on_neither_side():
    counts, _ = staggered(4)
    since = {"a": "2015-07", "b": "2015-07"}
    options = {"anticipation": 1, "partial_period": "drop"}
    spoilt = counts.copy()
    spoilt[:2, 4:6] *= 5
    method = Imputation(aggregation="dynamic", leads=2, inference=ClusterRobust())
    one, other = (method.estimate(panel_of(values, since, **options)) for values in (counts, spoilt))
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.table["event_time"].tolist()[1:] == [-4, -3, 0, 1, 2]


def test_cases_are_derived_from_the_ratio_with_their_influences():
    panel = reference_panel()
    ratio = Imputation(aggregation="group", inference=ClusterRobust()).estimate(panel)
    cases = Imputation(aggregation="group", scale="levels", inference=ClusterRobust()).estimate(panel)
    observed = cases.facts["observed"]
    assert observed == np.nansum(panel.outcome[:3, 24:]) + np.nansum(panel.outcome[3:5, 28:])
    estimate, error = both(ratio, term="effect")
    assert both(cases, term="effect") == pytest.approx(
        [observed * (1 - np.exp(-estimate)), observed * np.exp(-estimate) * error]
    )
    np.testing.assert_allclose(np.sqrt((cases.influence.values**2).sum(axis=0)), cases.table["std_error"])
    assert "Aus dem Verhältnis abgeleitet." in cases.worded_notes("de")


def test_a_missing_covariate_takes_its_cell_out():
    panel = reference_panel(gaps=False)
    frame = panel.frame.copy()
    frame.loc[[40, 41, 300], "x"] = np.nan
    result = Imputation(covariates=("x",), inference=ClusterRobust()).estimate(Panel(frame, panel.study))
    assert result.counts.observations == 16 * 36 - 3
    note = "3 values of areas and periods were left out because a covariate is missing."
    assert note in result.worded_notes("en")


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DesignError) as caught:
        Imputation(aggregation="group", scale="share", before=0, leads=2, covariates="x")
    assert caught.value.worded("en") == (
        "Imputation: scale = share is not allowed. What to do: Allowed: ratio, levels, additive.\n"
        "Imputation: before = 0 is not allowed. What to do: Allowed: >= 1.\n"
        "Imputation: leads = 2 is not allowed. What to do: Allowed: None, aggregation = dynamic.\n"
        'Imputation: covariates = x is not allowed. What to do: Allowed: ("x",).\n'
        "Imputation: aggregation = group is not allowed. What to do: Allowed: simple, dynamic (inference = "
        "Randomization)."
    )


def test_covariates_that_cannot_be_used_are_refused():
    panel = reference_panel()
    frame = panel.frame.assign(
        kind="park", size=np.repeat(np.arange(16.0), 36), far=np.inf, trend=np.tile(np.arange(36.0), 16)
    )
    wrong = Imputation(covariates=("y", "kind", "size", "far"))
    with pytest.raises(DesignError) as caught:
        wrong.estimate(Panel(frame, panel.study))
    assert caught.value.worded("de") == (
        "Imputation: Das Panel hat keine weitere Spalte „y“. Abhilfe: Die Spalte in die Tabelle des Panels aufnehmen "
        "oder den Namen berichtigen. Ähnlich: –\n"
        "Imputation: Die Spalte „kind“ enthält Text („park“); eine Kovariable ist eine Zahl. Abhilfe: Für jede "
        "Kategorie bis auf eine eine Spalte aus Nullen und Einsen angeben.\n"
        "Imputation: Die Spalte „size“ ändert sich in keinem Gebiet; die Gebietseffekte enthalten sie schon. Abhilfe: "
        "Die Kovariable weglassen oder GroupTime verwenden, das Gebiete mit gleichen Werten vergleicht.\n"
        "Imputation: Die Spalte „far“ enthält unendliche Werte. Abhilfe: Unbekannte Werte leer lassen; vor dem "
        "Logarithmieren Nullen ersetzen."
    )
    for inference in (ClusterRobust(), Randomization(draws=99)):
        with pytest.raises(EstimationError) as caught:
            Imputation(covariates=("x", "trend"), inference=inference).estimate(Panel(frame, panel.study))
        assert caught.value.worded("en") == (
            "Imputation: one of the covariates x and trend follows from the effects of areas and periods, from the "
            "others or from the measure. What to do: Leave out the covariate."
        )


def test_too_few_periods_are_refused():
    short, monthly = simulate_panel(1, shape=(20, 36), start=20), reference_panel()
    for inference in (ClusterRobust(), Randomization(draws=99)):
        with pytest.raises(DesignError) as caught:
            Imputation(season=True, inference=inference).estimate(short)
        assert caught.value.worded("de") == (
            "Imputation: Eine eigene Jahreszeit je Gebiet braucht 24 Perioden (zwei ganze Jahre) vor dem Beginn "
            "2020-09; es gibt 20. Abhilfe: Frühere Daten liefern oder season = False setzen: Dann gilt für alle "
            "Gebiete dieselbe Jahreszeit."
        )
        with pytest.raises(
            DesignError, match=r"before = 6 is not allowed\. What to do: Allowed: >= 12 \(season = True\)"
        ):
            Imputation(season=True, before=6, inference=inference).estimate(monthly)
    with pytest.raises(DesignError) as caught:
        Imputation(aggregation="dynamic", leads=28, inference=ClusterRobust()).estimate(monthly)
    assert caught.value.worded("en") == (
        "Imputation needs 29 periods before the start 2022-05; there are 28. "
        "What to do: Make before smaller or deliver earlier data."
    )
    counts, since = staggered(1)
    with pytest.raises(
        DesignError, match=r"season = True is not allowed\. What to do: Allowed: False \(period = year\)"
    ):
        Imputation(season=True).estimate(panel_of(counts, since))


def test_nothing_to_compare_is_refused():
    counts, since = staggered(1)
    counts[4:, 4:] = np.nan
    with pytest.raises(EstimationError) as caught:
        Imputation(inference=ClusterRobust()).estimate(panel_of(counts, dict.fromkeys(since, "2014")))
    assert caught.value.worded("en") == (
        "Imputation: no comparison area has complete data in the time windows. "
        "What to do: Close the gaps in the data or choose other windows."
    )
    with pytest.raises(EstimationError, match="the outcome is the same in all areas and periods"):
        Imputation(inference=ClusterRobust()).estimate(panel_of(np.full((12, 9), 3.0), since))
    with pytest.raises(EstimationError, match="no area with the measure has complete data"):
        Imputation(inference=ClusterRobust()).estimate(
            panel_of(np.where(np.arange(9) > 3, np.nan, staggered(1)[0]), {"a": "2014"})
        )
