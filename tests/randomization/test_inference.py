"""p-value, estimate and interval of the randomisation test: by hand, by brute force, and against published figures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import DesignError, Panel, Randomization, Study, TwoByTwo
from evaluation.did.inference.unit_effects import choose_windows, measure
from evaluation.randomization.assignments import ReferenceSet, draw_within_strata
from evaluation.randomization.inference import UnitEffects, invert
from tests.simulation.experiment import as_panel, starts_of
from tests.simulation.panels import LEIPZIG_SERIES, leipzig_years


def effects_of(residual, spread, treated, past_dates=5):
    units = len(residual)
    cohort = np.full(units, -1)
    cohort[list(treated)] = 0
    return UnitEffects(
        cohort=cohort,
        pool=np.ones(units, dtype=bool),
        residual=np.array([residual], dtype=float),
        spread=np.array([spread], dtype=float),
        share=(cohort >= 0).astype(float)[None],
        level=np.ones(units),
        past=np.zeros((past_dates, units)),
        later=np.zeros((1, 1), dtype=bool),
    )


def everything(effects):
    strata = np.zeros(len(effects.cohort), dtype=int)
    return draw_within_strata(effects.cohort, strata, draws=99, enumerate_up_to=10_000, seed=1)


def test_by_hand():
    """Four units, one treated with the largest change: statistic 3 - (-1/3), most extreme of the four assignments."""
    effects = effects_of([3.0, -1.0, 0.0, 0.0] + [0.0] * 16, [1.0] * 20, [0])
    tested = Randomization().test(effects, everything(effects))
    assert tested.estimate == pytest.approx(3.0 - (-1.0 / 19))
    assert tested.p_value == pytest.approx(1 / 20)
    assert tested.smallest_p == pytest.approx(1 / 20)


def test_the_others_count_by_their_precision_by_hand():
    """Others: 1 with deviation 2 and eighteen times 0 with deviation 1, mean 0.25 / 18.25; its own deviation is 4."""
    effects = effects_of([3.0, 1.0] + [0.0] * 18, [4.0, 2.0] + [1.0] * 18, [0])
    reference = everything(effects)
    assert Randomization().test(effects, reference).estimate == pytest.approx(3.0 - 0.25 / 18.25)
    assert Randomization().statistic(effects, reference.cohort)[0] == pytest.approx((3.0 - 0.25 / 18.25) / 4)


@pytest.mark.parametrize("weights", ["precision", "equal"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_interval_is_what_testing_value_by_value_gives(weights, seed):
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.2, 2.0, 24)
    effects = effects_of(spread * rng.standard_normal(24) + np.r_[[0.7] * 3, np.zeros(21)], spread, [0, 1, 2])
    reference, method = everything(effects), Randomization(weights=weights, level=0.9)
    tested = method.test(effects, reference)

    def p_value(delta):
        shifted = effects_of(effects.residual[0] - delta * effects.share[0], spread, [0, 1, 2])
        values = np.abs(method.statistic(shifted, reference.cohort))
        return (values >= values[0] * (1 - 1e-9)).mean()

    step = 1e-6
    assert p_value(tested.conf_low + step) > 0.1 >= p_value(tested.conf_low - step)
    assert p_value(tested.conf_high - step) > 0.1 >= p_value(tested.conf_high + step)
    assert p_value(0.0) == pytest.approx(tested.p_value)
    assert tested.conf_low < tested.estimate < tested.conf_high


@pytest.mark.parametrize("weights", ["precision", "equal"])
def test_shift_and_scale(weights):
    rng = np.random.default_rng(4)
    change, spread = rng.standard_normal(30), rng.uniform(0.5, 1.5, 30)
    effects = effects_of(change, spread, [3, 4])
    reference, method = everything(effects), Randomization(weights=weights)
    plain = method.test(effects, reference)
    shifted = method.test(effects_of(change + 0.4 * effects.share[0], spread, [3, 4]), reference)
    scaled = method.test(effects_of(2 * change, 2 * spread, [3, 4]), reference)
    assert shifted.estimate == pytest.approx(plain.estimate + 0.4)
    assert shifted.conf_high == pytest.approx(plain.conf_high + 0.4)
    assert scaled.estimate == pytest.approx(2 * plain.estimate)
    assert scaled.p_value == plain.p_value


def test_equal_weights_give_the_plain_mean_of_the_treated():
    effects = effects_of([1.0, 3.0] + [0.0] * 20, [0.1, 5.0] + [1.0] * 20, [0, 1])
    assert Randomization(weights="equal").test(effects, everything(effects)).estimate == pytest.approx(2.0)
    weighted = (1.0 / 0.1 + 3.0 / 5.0) / (1 / 0.1 + 1 / 5.0)
    assert Randomization().test(effects, everything(effects)).estimate == pytest.approx(weighted)


def test_interval_is_open_where_too_few_assignments_exist():
    effects = effects_of([1.0] + [0.1, -0.1] * 5, [1.0] * 11, [0], past_dates=0)
    few = invert(np.array([1.0, 0.2, -0.1]), np.array([1.0, 0.0, 0.0]), 0.95)
    assert few.smallest_p == pytest.approx(1 / 3)
    assert np.isnan(few.conf_low)
    assert np.isnan(few.conf_high)
    assert not effects.standardised


def test_fewer_than_twenty_units_are_compared_with_earlier_dates_too():
    rng = np.random.default_rng(1)
    effects = effects_of([2.5] + [0.0] * 9, [1.0] * 10, [0])
    effects = UnitEffects(**{**vars(effects), "past": rng.standard_normal((12, 10))})
    tested = Randomization().test(effects, everything(effects))
    assert len(tested.reference) == 10 * 13
    assert tested.smallest_p == pytest.approx(1 / 130)


def test_without_history_four_strata_and_studentised():
    rng = np.random.default_rng(1)
    change = np.r_[[-0.9, -1.1, -1.0], 0.1 * rng.standard_normal(81)]
    effects = effects_of(change, np.ones(84), [0, 1, 2], past_dates=0)
    method = Randomization(draws=999)
    reference = method.assign(effects, None)
    tested = method.test(effects, reference)
    assert reference.strata == 4
    assert tested.estimate == pytest.approx(-1.0 - change[3:].mean())
    assert tested.p_value <= 0.01
    assert tested.conf_low < -1.0 < tested.conf_high < 0


def test_drawn_p_value_counts_the_true_assignment():
    cohort = np.r_[[0], np.full(40, -1)]
    reference = ReferenceSet(np.stack([cohort] + [np.roll(cohort, k) for k in range(1, 41)]), False, "strata", 1)
    effects = effects_of([9.0] + [0.0] * 40, [1.0] * 41, [0])
    assert Randomization().test(effects, reference).p_value == pytest.approx(1 / 41)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("series", "plain", "p_value"),
    [(LEIPZIG_SERIES[0], 0.445, 0.480), (LEIPZIG_SERIES[1], 0.185, 0.187), (LEIPZIG_SERIES[2], 0.239, 0.241)],
)
def test_leipzig_p_values(series, plain, p_value):
    """Ortsteile 20 and 21, 2019, three years before and one after, two strata, enumerated.

    The plain difference of mean standardised changes has published p-values; it is computed here from the same parts.
    """
    source = next(p for p in leipzig_years() if p.name.endswith(series))
    date = source.periods.index("2019")
    panel = as_panel(source.counts, source, starts_of({13: date, 14: date}))
    method = TwoByTwo(before=3, after=1, inference=Randomization(reference="strata"))
    result = method.estimate(panel)
    assert result.row(term="effect")["p_value"] == pytest.approx(p_value, abs=0.0005)
    assert result.facts["enumerated"]
    assert result.facts["assignments"] == 465

    effects = measure(panel, choose_windows(panel, 3, 1, "TwoByTwo"), "TwoByTwo").effects
    drawn = method.inference.assign(effects, None).cohort >= 0
    z = (effects.residual / effects.spread)[0]
    differences = np.abs((drawn @ z) / 2 - (~drawn @ z) / 61)
    assert (differences >= differences[0] * (1 - 1e-9)).mean() == pytest.approx(plain, abs=0.0005)


def test_what_all_units_share_cancels():
    rng = np.random.default_rng(5)
    spread, residual = rng.uniform(0.2, 2.0, 24), rng.standard_normal(24)
    effects, moved = (effects_of(residual + shared, spread, [0, 3]) for shared in (0.0, 7.0))
    method, reference = Randomization(), everything(effects)
    assert method.statistic(moved, reference.cohort) == pytest.approx(method.statistic(effects, reference.cohort))


def test_options_are_checked_all_at_once():
    with pytest.raises(DesignError) as caught:
        Randomization(weights="heavy", draws=5)
    assert caught.value.worded("de") == (
        "Randomization: weights = heavy ist nicht erlaubt. Abhilfe: Erlaubt: precision, equal.\n"
        "Randomization: draws = 5 ist nicht erlaubt. Abhilfe: Erlaubt: >= 99."
    )


def test_a_stratum_full_of_treated_units_leaves_one_assignment_and_no_judgement():
    counts = np.sort(np.random.default_rng(0).poisson(50, (42, 14)), axis=0)
    frame = pd.DataFrame(
        {"unit": np.repeat([f"{i:02d}" for i in range(42)], 14), "period": [str(y) for y in range(2010, 2024)] * 42}
    ).assign(outcome=counts.ravel())
    since = {f"{i:02d}": "2020" for i in range(21, 42)}
    panel = Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since=since))
    result = TwoByTwo(before=3, after=1).estimate(panel)
    assert result.facts["smallest_p"] == result.row(term="effect")["p_value"] == 1
    assert np.isnan([result.facts["detectable"], result.facts["exaggeration"]]).all()
