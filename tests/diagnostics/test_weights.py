"""What a two-way coefficient is made of: by hand, against diff-diff, by invariance, and when the effect grows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError, EstimationError
from evaluation.diagnostics import comparisons, effect_weights
from evaluation.did.fixed_effects import TwoWayFixedEffects
from evaluation.did.inference.asymptotic import ClusterRobust
from tests.diagnostics.made import panel_of

REFERENCE = json.loads((Path(__file__).parent.parent / "reference" / "bacon.json").read_text(encoding="utf-8"))
LOGS = TwoWayFixedEffects(inference=ClusterRobust())
COUNTS = TwoWayFixedEffects(scale="additive", inference=ClusterRobust())


def of_years(years):
    """Starts of the areas a, b, ...; 0 is never."""
    return {chr(97 + number): str(year) for number, year in enumerate(years) if year}


def reference_panel():
    return panel_of(REFERENCE["counts"], of_years(REFERENCE["since"]))


def coefficient_of(panel, *, additive=False):
    """The coefficient of a regression with a dummy for every unit and period, and one for the measure."""
    y = panel.outcome / panel.exposure if additive else np.log((panel.outcome + 0.5) / panel.exposure)
    unit, period = (np.ravel(axis) for axis in np.indices(y.shape))
    active = panel.treated[unit] & (period >= panel.starts[unit])
    known = np.isfinite(y.ravel())
    design = np.column_stack([active, np.eye(len(y))[unit], np.eye(y.shape[1])[period]])[known]
    return np.linalg.lstsq(design, y.ravel()[known], rcond=None)[0][0]


# --- by hand --------------------------------------------------------------------------------------------------------


def test_two_cohorts_and_nobody_else_by_hand():
    # a has the measure in 3/4, b in 2/4 of the time: weights as (3/4 - 2/4) (1 - 3/4) to 2/4 (3/4 - 2/4), or 1 to 2.
    result = comparisons(panel_of([[1, 5, 6, 9], [2, 3, 8, 8]], of_years([2011, 2012]), comparison="not_yet_treated"),
                         COUNTS)  # fmt: skip
    assert result.table[["kind", "cohort", "compared"]].to_numpy().tolist() == [
        ["not_yet_treated", "2011", "2012"],
        ["already_treated", "2012", "2011"],
    ]
    np.testing.assert_allclose(result.table["weight"], [1 / 3, 2 / 3])
    np.testing.assert_allclose(result.table["estimate"], [(5 - 1) - (3 - 2), (8 - 3) - (7.5 - 5)])
    assert result.facts["forbidden"] == pytest.approx(2 / 3)
    assert result.facts["mean_already_treated"] == pytest.approx(2.5)
    assert np.isnan(result.facts["mean_never_treated"])
    assert result.worded_notes("en") == [
        "66.7% of the weight is on comparisons with areas that have the measure already.",
        "Part of a decomposition, without a standard error.",
    ]
    assert result.worded_notes("de")[0] == (
        "66,7\N{NO-BREAK SPACE}% des Gewichts liegen auf Vergleichen mit Gebieten, die die Maßnahme schon haben."
    )


def test_one_start_is_one_comparison():
    result = comparisons(panel_of([[10, 12, 30], [20, 21, 22], [5, 6, 4]], of_years([2012])), COUNTS)
    assert len(result.table) == 1
    assert result.table["weight"][0] == 1.0
    assert result.facts["coefficient"] == pytest.approx((30 - 11) - (13 - 13))
    assert result.facts["forbidden"] == 0.0


def test_effect_weights_by_hand():
    # The measure less unit and period effects: 1/3 and -1/6 for a since 2011, 1/6 for b in 2012; their sum is 1/3.
    result = effect_weights(panel_of([[1, 5, 6], [2, 3, 8]], of_years([2011, 2012]), comparison="not_yet_treated"),
                            COUNTS)  # fmt: skip
    assert result.table[["cohort", "period"]].to_numpy().tolist() == [
        ["2011", "2011"],
        ["2011", "2012"],
        ["2012", "2012"],
    ]
    np.testing.assert_allclose(result.table["estimate"], [1.0, -0.5, 0.5])
    assert result.facts["negative"] == pytest.approx(-0.5)
    assert result.worded_notes("en")[0] == "1 of 3 effects enter with a negative weight, -0.50 together.".replace(
        "-", "\N{MINUS SIGN}"
    )


# --- references -----------------------------------------------------------------------------------------------------


def test_comparisons_agree_with_diff_diff():
    result = comparisons(reference_panel(), LOGS)
    names = {"treated_vs_never": "never_treated", "earlier_vs_later": "not_yet_treated"}
    expected = {
        (
            names.get(pair["kind"], "already_treated"),
            str(pair["cohort"]),
            pair["compared"].replace("never_treated", ""),
        ): (pair["weight"], pair["estimate"])
        for pair in REFERENCE["pairs"]
    }
    found = {(r.kind, r.cohort, r.compared): (r.weight, r.estimate) for r in result.table.itertuples()}
    assert found.keys() == expected.keys()
    for key, numbers in expected.items():
        assert found[key] == pytest.approx(numbers, abs=1e-12)
    assert result.facts["coefficient"] == pytest.approx(REFERENCE["coefficient"], abs=1e-12)
    assert result.facts["coefficient"] == pytest.approx(REFERENCE["other"], abs=1e-12)
    assert result.facts["forbidden"] == pytest.approx(
        sum(weight for (kind, *_), (weight, _) in expected.items() if kind == "already_treated")
    )


def test_effect_weights_agree_with_diff_diff():
    result = effect_weights(reference_panel(), LOGS)
    expected = {(str(cell["since"]), str(cell["year"])): cell["weight"] for cell in REFERENCE["cells"]}
    found = {(row.cohort, row.period): row.estimate for row in result.table.itertuples()}
    assert found == pytest.approx(expected, abs=1e-12)
    assert result.facts["reversal"] == pytest.approx(REFERENCE["reversal"], abs=1e-10)


# --- invariance -----------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    years=st.lists(st.sampled_from([0, 2011, 2012, 2014, 2016]), min_size=4, max_size=9),
    seed=st.integers(0, 1_000),
    method=st.sampled_from([LOGS, COUNTS]),
)
def test_the_weighted_mean_is_the_coefficient(years, seed, method):
    years = [2012, 0, *years]
    counts = np.random.default_rng(seed).poisson(30, (len(years), 8))
    panel = panel_of(counts, of_years(years))
    result, coefficient = comparisons(panel, method), coefficient_of(panel, additive=method is COUNTS)
    assert result.table["weight"].sum() == pytest.approx(1.0, abs=1e-12)
    assert (result.table["weight"] > 0).all()
    assert (result.table["weight"] * result.table["estimate"]).sum() == pytest.approx(coefficient, abs=1e-10)
    weights = effect_weights(panel, method)
    assert weights.table["estimate"].sum() == pytest.approx(1.0, abs=1e-12)
    assert weights.facts["coefficient"] == pytest.approx(coefficient, abs=1e-10)


def test_the_frame_stays_as_it_is_and_its_order_does_not_matter():
    panel = reference_panel()
    before = panel.frame.copy()
    result = comparisons(panel, LOGS)
    pd.testing.assert_frame_equal(panel.frame, before)
    mixed = type(panel)(panel.frame.sample(frac=1, random_state=1), panel.study)
    pd.testing.assert_frame_equal(comparisons(mixed, LOGS).table, result.table)


# --- a known effect that grows --------------------------------------------------------------------------------------


def test_forbidden_comparisons_take_growth_for_a_trend():
    years = np.array([2013] * 10 + [2017] * 10 + [0] * 10)
    since = np.arange(2010, 2021) - years[:, None]
    effect = np.where((years > 0)[:, None] & (since >= 0), 3.0 * (since + 1), 0.0)
    panel = panel_of(100 + effect + np.arange(11), of_years(years))
    result = comparisons(panel, COUNTS)
    means = [result.facts[f"mean_{kind}"] for kind in ("never_treated", "not_yet_treated", "already_treated")]
    # The later cohort's effect is 7.5 on average; the earlier one's grew from 7.5 to 19.5 in the meantime.
    np.testing.assert_allclose(means, [(0.3 * 13.5 + 0.35 * 7.5) / 0.65, 7.5, 7.5 - 12.0])
    assert result.facts["coefficient"] == pytest.approx(6.9)
    cells = effect_weights(panel, COUNTS)
    true = [3.0 * (int(row.period) - int(row.cohort) + 1) for row in cells.table.itertuples()]
    assert cells.table["estimate"] @ np.array(true) == pytest.approx(6.9)


# --- what is left out, and bad input --------------------------------------------------------------------------------


def test_a_partial_period_and_units_with_gaps_are_left_out_and_said():
    counts = np.random.default_rng(2).poisson(40, (6, 8)).astype(float)
    panel = panel_of(counts, {"a": "2014-05", "b": "2014-05"})
    result = comparisons(panel, LOGS)
    estimated = LOGS.estimate(panel).row(term="effect")["estimate"]
    assert result.facts["coefficient"] == pytest.approx(estimated, abs=1e-12)
    assert result.worded_notes("en")[0] == (
        "1 periods were left out because areas with the measure have no complete data in them."
    )
    counts[4, 2] = np.nan
    holes = comparisons(panel_of(counts, {"a": "2014"}), LOGS)
    assert holes.worded_notes("de")[0] == (
        "1 Gebiete ohne Daten in allen Perioden blieben weg; für die übrigen ist die Zerlegung genau."
    )
    full = comparisons(panel_of(np.delete(counts, 4, axis=0), {"a": "2014"}), LOGS)
    assert holes.facts["coefficient"] == pytest.approx(full.facts["coefficient"], abs=1e-12)
    assert holes.counts.units == 5
    # The weights on effects need no balance.
    unbalanced = panel_of(counts, {"a": "2014"})
    assert effect_weights(unbalanced, LOGS).facts["coefficient"] == pytest.approx(coefficient_of(unbalanced), abs=1e-12)


def test_rates_are_compared_where_the_study_has_exposure():
    counts = np.random.default_rng(3).poisson(40, (6, 8))
    people = np.random.default_rng(4).uniform(100, 200, (6, 8))
    panel = panel_of(counts, of_years([2013, 2015]), exposure=people)
    for method in (LOGS, COUNTS):
        estimated = method.estimate(panel).row(term="effect")["estimate"]
        assert comparisons(panel, method).facts["coefficient"] == pytest.approx(estimated, abs=1e-10)
    assert comparisons(panel, COUNTS).scale.unit == "rate"


def test_nothing_complete_is_an_error():
    counts = np.random.default_rng(2).poisson(40, (3, 6)).astype(float)
    counts[[0, 1, 2], [0, 2, 5]] = np.nan
    with pytest.raises(EstimationError) as caught:
        comparisons(panel_of(counts, of_years([2013])), LOGS)
    assert caught.value.worded("en") == (
        "comparisons: Too little is left for a decomposition: fewer than two groups of areas have complete data before "
        "and after. What to do: Close the gaps in the data or choose a shorter time."
    )
    assert caught.value.worded("de") == (
        "comparisons: Für eine Zerlegung bleibt zu wenig: Weniger als zwei Gruppen von Gebieten haben vorher und "
        "nachher vollständige Daten. Abhilfe: Lücken in den Daten schließen oder einen kürzeren Zeitraum wählen."
    )


def test_regressions_that_cannot_be_taken_apart_are_refused():
    with pytest.raises(DesignError) as caught:
        comparisons(reference_panel(), TwoWayFixedEffects(family="poisson", season=True))
    assert caught.value.worded("en") == (
        "comparisons: family = poisson is not allowed. What to do: Allowed: gaussian.\n"
        "comparisons: season = True is not allowed. What to do: Allowed: False."
    )
