"""Two by two: by hand, against references, by invariance, and its size and coverage in two small cells."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError, EstimationError, EventStudy, Panel, Randomization, Study, TwoByTwo
from evaluation.did.inference.asymptotic import ClusterRobust
from tests.simulation.experiment import Cell, as_panel, run_cell, starts_of
from tests.simulation.panels import leipzig_years, simulated_months


def panel_of(counts, treated_since, exposure=None, **options):
    counts = np.asarray(counts, dtype=float)
    units = [chr(97 + number) for number in range(len(counts))]
    years = [str(2010 + number) for number in range(counts.shape[1])]
    frame = pd.DataFrame(
        {"unit": np.repeat(units, len(years)), "period": years * len(units), "outcome": counts.ravel()}
    )
    if exposure is not None:
        frame["exposure"] = np.asarray(exposure, dtype=float).ravel()
    study = Study(
        id="s",
        outcome="o",
        event="e",
        period="year",
        treated_since=treated_since,
        exposure=exposure is not None,
        **options,
    )
    return Panel(frame, study)


def test_pooled_ratio_and_its_error_by_hand():
    """50 -> 30 against 60 -> 55: ratio .654545; one area on each side leaves no variation between areas."""
    result = TwoByTwo(before=1, after=1).estimate(panel_of([[50, 30], [60, 55]], {"a": "2011"}))
    assert np.exp(result.row(term="unadjusted")["estimate"]) == pytest.approx((30 / 50) / (55 / 60), abs=1e-12)


def test_pooled_ratio_with_exposure_solves_its_score_equation():
    counts = [[50, 30], [40, 20], [60, 55], [70, 80]]
    people = [[100, 200], [100, 90], [100, 110], [100, 150]]
    result = TwoByTwo(before=1, after=1).estimate(panel_of(counts, {"a": "2011", "b": "2011"}, people))

    def log_change(rows):
        from scipy.optimize import brentq

        def score(b):
            y, e = np.array(counts, float)[rows], np.array(people, float)[rows]
            expected = y.sum(axis=1) * e[:, 1] * np.exp(b) / (e[:, 0] + e[:, 1] * np.exp(b))
            return (y[:, 1] - expected).sum()

        return brentq(score, -3, 3, xtol=1e-14)

    truth = log_change([0, 1]) - log_change([2, 3])
    assert result.row(term="unadjusted")["estimate"] == pytest.approx(truth, abs=1e-9)


@pytest.mark.usefixtures("shared")
def test_weapons_ban_zone_on_real_counts(shared):
    """Bodily harm, Ortsteile 20 and 21, 2017-18 against 2019-20, neighbours left out: pooled 1.147."""
    source = next(p for p in leipzig_years() if "verletzung" in p.name)
    features = json.loads((shared / "data/leipzig/leipzig_ortsteile_wgs84.geojson").read_text(encoding="utf-8"))
    keys = sorted(feature["properties"]["ot"] for feature in features["features"])
    frame = pd.DataFrame(
        {"unit": np.repeat(keys, 19), "period": np.tile(source.periods, 63), "outcome": source.counts.ravel()}
    )
    study = Study(
        id="zone", outcome="bodily_harm", event="weapons_ban_zone", period="year", leave_out="neighbours",
        treated_since={"20": "2018-11", "21": "2018-11"}, partial_period="before",
    )  # fmt: skip
    near = {
        key: frozenset(keys[j] for j in np.flatnonzero(row)) for key, row in zip(keys, source.contiguity, strict=True)
    }
    panel = Panel(frame, study, near)
    declared = TwoByTwo(before=2, after=2).estimate(panel)
    assert np.exp(declared.row(term="unadjusted")["estimate"]) == pytest.approx(1.147, abs=0.0005)
    assert declared.counts.dropped == {"core.note.left_out_neighbours": 7}
    assert declared.facts["reference_set"] == "connected"
    p_values = [
        TwoByTwo(before=before, after=after).estimate(panel).row(term="effect")["p_value"]
        for before in (2, 3)
        for after in (1, 2)
    ]
    assert min(p_values) == pytest.approx(0.023, abs=0.001)
    assert max(p_values) == pytest.approx(0.235, abs=0.002)


def test_levels_are_derived_from_the_ratio():
    panel = example()
    ratio, levels = (TwoByTwo(before=3, after=1, scale=scale).estimate(panel) for scale in ("ratio", "levels"))
    effect, cases = ratio.row(term="effect"), levels.row(term="effect")
    observed = ratio.facts["observed"]
    assert cases["estimate"] == pytest.approx(observed * (1 - np.exp(-effect["estimate"])))
    assert cases["conf_low"] == pytest.approx(observed * (1 - np.exp(-effect["conf_low"])))
    assert cases["p_value"] == effect["p_value"]
    assert ratio.facts["expected"] == pytest.approx(observed - cases["estimate"])


def example(seed=3, effect=0.0):
    rng = np.random.default_rng(seed)
    source = simulated_months(rng)
    counts = source.counts.copy()
    counts[[3, 30, 60], 30:] = rng.binomial(counts[[3, 30, 60], 30:], np.exp(effect))
    wide = as_panel(counts, source, starts_of({3: 30, 30: 30, 60: 30}))
    return wide


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_matter(seed):
    panel = example()
    shuffled = panel.frame.sample(frac=1, random_state=seed % 2**31)
    one, two = (
        TwoByTwo(before=12, after=6).estimate(Panel(f, panel.study, panel.neighbours)) for f in (panel.frame, shuffled)
    )
    pd.testing.assert_frame_equal(one.table, two.table)


def test_the_frame_stays_as_it_was():
    panel = example()
    before = panel.frame.copy(deep=True)
    TwoByTwo(before=12, after=6).estimate(panel)
    pd.testing.assert_frame_equal(panel.frame, before)


def test_a_large_effect_is_found_with_its_size():
    result = TwoByTwo(before=12, after=6).estimate(example(effect=np.log(0.5)))
    row = result.row(term="effect")
    assert row["p_value"] < 0.01
    assert row["conf_low"] < np.log(0.5) < row["conf_high"]


def test_staggered_cohorts_are_compared_at_their_own_dates():
    rng = np.random.default_rng(9)
    source = simulated_months(rng)
    counts = source.counts.astype(float)
    counts[5, 28:] *= 0.5
    counts[40, 30:] *= 0.5
    panel = as_panel(counts, source, starts_of({5: 28, 40: 30}))
    result = TwoByTwo(before=12, after=6).estimate(panel)
    row = result.row(term="effect")
    assert row["conf_low"] < np.log(0.5) < row["conf_high"]
    assert result.counts.treated == 2


def test_areas_with_gaps_and_without_cases_are_set_aside_and_counted():
    counts = np.random.default_rng(2).poisson(40, (30, 12)).astype(float)
    counts[4] = 0
    counts[5, 8] = np.nan
    result = TwoByTwo(before=3, after=2).estimate(panel_of(counts, {"a": "2019"}))
    assert result.counts.dropped == {"core.note.dropped_incomplete": 1, "core.note.all_zero": 1}
    assert result.counts.units == 28
    assert "1 Gebiete ohne einen einzigen Fall blieben weg." in result.worded_notes("de")


def test_windows_that_do_not_fit_are_refused_with_what_is_there():
    panel = panel_of(np.random.default_rng(2).poisson(40, (30, 6)), {"a": "2014"})
    with pytest.raises(DesignError) as caught:
        TwoByTwo(before=5, after=3).estimate(panel)
    assert caught.value.worded("de") == (
        "TwoByTwo braucht 5 Perioden vor dem Beginn 2014; es gibt 4. Abhilfe: before verkleinern oder frühere Daten "
        "liefern.\nTwoByTwo braucht 3 Perioden ab dem Beginn 2014; es gibt 2. Abhilfe: after verkleinern oder "
        "spätere Daten abwarten."
    )


def test_an_outcome_that_never_varies_is_refused():
    with pytest.raises(EstimationError) as caught:
        TwoByTwo(before=1, after=1).estimate(panel_of(np.full((9, 3), 7), {"a": "2012"}))
    assert caught.value.worded("en") == (
        "TwoByTwo: the outcome is the same in all areas and periods. "
        "What to do: Check whether the right keys were counted."
    )


def test_cluster_robust_inference_must_be_asked_for_and_says_that_it_is_too_sure():
    counts = np.random.default_rng(2).poisson(40, (30, 12))
    result = TwoByTwo(before=3, after=2, inference=ClusterRobust()).estimate(
        panel_of(counts, {"a": "2018", "b": "2018"})
    )
    row = result.row(term="effect")
    assert row["std_error"] > 0
    assert row["df"] == 29
    assert [note.code for note in result.notes] == ["core.note.asymptotic_few_treated"]


def test_additive_differences_by_hand():
    counts = [[10, 10, 16], [20, 20, 22], [30, 30, 34], [40, 40, 42]]
    panel = panel_of(counts, {"a": "2012", "b": "2012"})
    result = TwoByTwo(before=2, after=1, scale="additive", inference=ClusterRobust()).estimate(panel)
    row = result.row(term="effect")
    assert row["estimate"] == pytest.approx((6 + 2) / 2 - (4 + 2) / 2)
    # influences: +-(2/2) for the treated, -+(1/2) for the others; four clusters
    assert row["std_error"] == pytest.approx(np.sqrt(4 / 3 * (1 + 1 + 0.25 + 0.25)))


@pytest.mark.parametrize(
    "cell",
    [Cell("simulated", "highest", 3, -0.2), Cell("simulated", "risers", 5, 0.0)],
    ids=["coverage", "size"],
)
def test_size_and_coverage_in_small(cell):
    """The full table is docs/simulation.md; here 200 panels, judged by their 99.9 % binomial interval."""
    from tests.simulation.page import interval

    frame = run_cell(cell, 200, seed=11)
    low, high = interval(1 - frame["covered"].mean(), len(frame), 0.999)
    assert low <= 0.07
    assert high >= 0.03


def test_randomisation_reports_what_limits_it():
    result = TwoByTwo(before=12, after=6, inference=Randomization(draws=999)).estimate(example())
    assert result.facts["smallest_p"] == pytest.approx(1 / result.facts["assignments"])
    assert 0.1 < result.facts["detectable"] < 0.6
    assert result.facts["exaggeration"] >= 1
    assert result.draws is not None
    assert result.draws.values[0, 0] == pytest.approx(result.row(term="effect")["estimate"])


# --- panels at the edge ---


def poisson(units=40, years=14, mean=50, seed=0):
    return np.random.default_rng(seed).poisson(mean, (units, years)).astype(float)


def test_a_dropped_partial_year_does_not_drop_the_unit_from_another_cohorts_window():
    panel = panel_of(poisson(), {"a": "2020-06", "b": "2021-06", "c": "2023"})
    result = TwoByTwo(before=3, after=1).estimate(panel)
    assert result.counts.treated == 3
    assert result.counts.dropped == {}


def test_staggered_differences_in_cases_do_not_contain_the_common_change():
    counts = poisson()
    counts[:, 12:] += 1000
    panel = panel_of(counts, {"a": "2020", "b": "2022"})
    drawn, robust = (
        TwoByTwo(before=2, after=1, scale="additive", inference=inference).estimate(panel)
        for inference in (Randomization(), ClusterRobust())
    )
    assert drawn.row(term="effect")["estimate"] == pytest.approx(robust.row(term="effect")["estimate"])
    assert np.isnan([drawn.facts["detectable"], drawn.facts["exaggeration"]]).all()


def test_without_a_case_left_cases_are_still_counted_as_avoided():
    counts = poisson(mean=3)
    counts[0, 10:] = 0
    panel = panel_of(counts, {"a": "2020"})
    ratio, levels = (TwoByTwo(before=3, after=1, scale=scale).estimate(panel) for scale in ("ratio", "levels"))
    log_ratio, cases = ratio.row(term="effect")["estimate"], levels.row(term="effect")
    assert cases["estimate"] == pytest.approx(0.5 * (1 - np.exp(-log_ratio)))
    assert cases["conf_low"] < cases["estimate"] < cases["conf_high"] < 0
    assert ratio.facts["expected"] == pytest.approx(-cases["estimate"])
    assert ratio.row(term="unadjusted")["note"] == "unadjusted regression.separated.problem"


def test_treated_areas_without_a_case_are_refused_as_such():
    counts = poisson()
    counts[0] = 0
    with pytest.raises(EstimationError, match="not a single case"):
        TwoByTwo().estimate(panel_of(counts, {"a": "2020"}))


@pytest.mark.parametrize("weights", ["precision", "equal"])
def test_a_history_that_never_varies_gives_finite_numbers(weights):
    counts = poisson()
    counts[:, :10] = 7
    result = TwoByTwo(before=3, after=1, inference=Randomization(weights=weights)).estimate(
        panel_of(counts, {"a": "2020"})
    )
    row = result.row(term="effect")
    assert np.isfinite([row["estimate"], row["conf_low"], row["conf_high"]]).all()
    assert 0 < row["p_value"] <= 1


@pytest.mark.parametrize(("missing", "dates"), [(slice(4, 5), 3), (slice(0, 6), 0)])
def test_earlier_years_that_are_missing_everywhere_are_no_history(missing, dates):
    counts = poisson()
    counts[:, missing] = np.nan
    result = TwoByTwo(before=3, after=1).estimate(panel_of(counts, {"a": "2020"}))
    assert result.facts["history_dates"] == dates
    assert np.isfinite(result.row(term="effect")["estimate"])


def test_the_after_window_ends_with_the_measure():
    counts = poisson(years=18)
    ended = panel_of(counts, {"a": "2020"}, until="2021")
    assert EventStudy().estimate(ended).table["event_time"].max() == 1
    with pytest.raises(DesignError, match="there are 2"):
        TwoByTwo(before=3, after=3).estimate(ended)


def test_years_of_anticipation_are_no_history():
    counts = poisson()
    spoilt = counts.copy()
    spoilt[0, 8:10] *= 3
    one, other = (
        TwoByTwo(before=3, after=1).estimate(panel_of(c, {"a": "2020"}, anticipation=2)) for c in (counts, spoilt)
    )
    pd.testing.assert_frame_equal(one.table, other.table)


def test_areas_not_yet_treated_are_compared_where_the_study_says_so():
    """No area is never treated: the last cohort serves as comparison only."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(100, (30, 16)).astype(float)
    starts = {chr(97 + i): ("2020" if i < 3 else "2025") for i in range(26)}
    counts[:3, 10:] *= 0.7
    panel = panel_of(counts[:26], starts, comparison="not_yet_treated")
    result = TwoByTwo(before=3, after=1).estimate(panel)
    row = result.row(term="effect")
    assert result.counts.treated == 3
    assert result.counts.dropped == {"core.note.nobody_to_compare": 23}
    assert row["conf_low"] < np.log(0.7) < row["conf_high"] < 0
    by_hand = counts[:3, 10].sum() / counts[:3, 7:10].sum() / (counts[3:26, 10].sum() / counts[3:26, 7:10].sum())
    assert np.exp(result.row(term="unadjusted")["estimate"]) == pytest.approx(by_hand)


def test_not_yet_treated_areas_join_those_never_treated():
    rng = np.random.default_rng(4)
    counts = rng.poisson(100, (20, 16)).astype(float)
    starts = {"a": "2020", "b": "2025"}
    never, also = (
        TwoByTwo(before=3, after=1).estimate(panel_of(counts, starts, comparison=comparison))
        for comparison in ("never_treated", "not_yet_treated")
    )
    assert never.row(term="effect")["estimate"] != also.row(term="effect")["estimate"]
    assert never.counts.treated == also.counts.treated == 2


def test_excluded_areas_are_not_compared():
    counts = np.random.default_rng(4).poisson(100, (20, 16)).astype(float)
    result = TwoByTwo(before=3, after=1).estimate(panel_of(counts, {"a": "2020"}, excluded=("b", "c")))
    assert result.counts.units == 18
    assert "2 Gebiete, die die Maßnahme auch haben oder hatten, blieben aus dem Vergleich." in result.worded_notes("de")


def test_one_treated_area_has_no_standard_error_by_area():
    counts = np.random.default_rng(4).poisson(100, (20, 16)).astype(float)
    with pytest.raises(EstimationError) as caught:
        TwoByTwo(before=3, after=1, inference=ClusterRobust()).estimate(panel_of(counts, {"a": "2020"}))
    assert caught.value.worded("de") == (
        "TwoByTwo: Mit nur einem Gebiet mit Maßnahme gibt es keinen gebietsweisen Standardfehler. "
        "Abhilfe: Die Zufallszuordnung verwenden (inference weglassen)."
    )


@pytest.mark.parametrize(("start", "before"), [("2014", 2), ("2015", 3), ("2020", 3)])
def test_default_windows_leave_a_history(start, before):
    counts = np.random.default_rng(4).poisson(100, (20, 16)).astype(float)
    result = TwoByTwo().estimate(panel_of(counts, {"a": start}))
    assert result.facts["before"] == before
    assert result.facts["history_dates"] >= 2
