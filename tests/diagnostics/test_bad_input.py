"""Every diagnostic on the panels that are most prone to silent gaps: a sound result, or words."""

from dataclasses import replace

import numpy as np
import pytest

import evaluation
from evaluation import EvaluationError, diagnostics
from evaluation.errors import EstimationError
from evaluation.estimates import NUMBERS, Estimates
from tests.diagnostics.made import line, panel_of

DRAWN = evaluation.Randomization(draws=99, enumerate_up_to=0)
TWO, POISSON = evaluation.TwoByTwo(inference=DRAWN), evaluation.PoissonCohorts(inference=DRAWN)
PATH = evaluation.EventStudy(inference=DRAWN, reference=1, window=(-3, 1))
CLUSTERED = replace(PATH, inference=evaluation.ClusterRobust())
COUNTS = np.random.default_rng(5).poisson(np.linspace(8, 60, 26)[:, None] * np.ones(12)).astype(float)
SINCE = dict.fromkeys("abcd", "2018")
OWN, OTHERS, AFTER, NAN = slice(0, 4), slice(4, None), slice(8, None), float("nan")
PARENTS = {chr(97 + unit): str(unit // 5) for unit in range(26)}

CHECKS = {
    "pre_trends": lambda panel: diagnostics.pre_trends(panel, PATH),
    "pre_trends, clustered": lambda panel: diagnostics.pre_trends(panel, CLUSTERED),
    "placebo_in_time": lambda panel: diagnostics.placebo_in_time(panel, POISSON),
    "placebo_in_space": lambda panel: diagnostics.placebo_in_space(panel, TWO, sets=4),
    "placebo_on_outcome": lambda panel: diagnostics.placebo_on_outcome(panel, TWO, ["x"]),
    "leave_one_out": lambda panel: diagnostics.leave_one_out(panel, TWO, parents=PARENTS),
    "balance": lambda panel: diagnostics.balance(panel, columns=("x",)),
    "regression_to_the_mean": lambda panel: diagnostics.regression_to_the_mean(panel, POISSON),
    "without_neighbours": lambda panel: diagnostics.without_neighbours(panel, TWO),
    "rings": lambda panel: diagnostics.rings(panel, TWO, order=1),
    "larger units": lambda panel: diagnostics.at_larger_units(panel, TWO, PARENTS),
    "calibration": lambda panel: diagnostics.placebo_calibration(panel, TWO, experiments=4),
    "sensitivity": lambda panel: diagnostics.sensitivity(PATH.estimate(panel), values=(0, 1)),
    "sensitivity, clustered": lambda panel: diagnostics.sensitivity(CLUSTERED.estimate(panel), values=(0, 1)),
    "smoothness": lambda panel: diagnostics.sensitivity(PATH.estimate(panel), restriction="smoothness", values=(0, 1)),
    "comparisons": diagnostics.comparisons,
    "effect_weights": diagnostics.effect_weights,
    "raw_trends": diagnostics.raw_trends,
    "side_by_side": lambda panel: diagnostics.side_by_side(panel, {"one": TWO, "other": POISSON}),
}


def changed(rows, columns=slice(None), value=0.0):
    counts = COUNTS.copy()
    counts[rows, columns] = value
    return counts


CASES = {
    "holes": np.where(np.random.default_rng(6).random(COUNTS.shape) < 0.06, NAN, COUNTS),
    "never vary": np.repeat(COUNTS[:, :1], 12, axis=1),
    "all alike": np.repeat(np.arange(12.0)[None] + 5, 26, axis=0),
    "comparison never varies": changed(OTHERS, value=7.0),
    "some without a case": changed([1, 7]),
    "treated without a case": changed(OWN),
    "treated without a case after": changed(OWN, AFTER),
    "treated without a case in year and reference": changed(OWN, [7, 9]),
    "comparison without a case after": changed(OTHERS, AFTER),
    "hardly a case": np.random.default_rng(7).poisson(0.3, COUNTS.shape),
    "no comparison after": changed(OTHERS, AFTER, NAN),
}


@pytest.mark.parametrize("case", CASES)
def test_every_diagnostic_answers_soundly_or_says_why_not(case):
    panel = panel_of(CASES[case], SINCE, columns={"x": COUNTS[::-1]}, neighbours=line(26))
    for name, check in CHECKS.items():
        try:
            result = check(panel)
        except EvaluationError as error:
            check_words(error, name)
        else:
            check_sound(result, name)


def check_words(error, name):
    assert error.problems, name
    assert "{" not in error.worded("de") + error.worded("en"), name


def check_sound(result, name):
    assert isinstance(result, Estimates)
    table = result.table
    gaps = np.isnan(table[list(NUMBERS)].to_numpy(dtype=float)).any(axis=1)
    assert table["note"].ne("").to_numpy()[gaps].all(), f"{name}\n{table}"
    assert not (table["conf_high"] - table["conf_low"] <= 1e-12).any(), f"{name}: an interval without width\n{table}"
    assert not (table["conf_low"] > table["estimate"]).any(), f"{name}\n{table}"
    assert not (table["conf_high"] < table["estimate"]).any(), f"{name}\n{table}"
    assert not (table["p_value"] <= 0).any(), f"{name}\n{table}"
    assert not any("{" in note or "nan" in note.split() for note in result.worded_notes("de")), name
    assert not any(np.isinf(value) for value in result.facts.values() if isinstance(value, float)), name


def test_without_noise_there_is_no_sensitivity():
    panel = panel_of(CASES["never vary"], SINCE)
    with pytest.raises(EstimationError) as refusal:
        diagnostics.sensitivity(PATH.estimate(panel))
    assert str(refusal.value) == (
        "EventStudy: nothing varies between areas, so that there is no noise to compare a deviation with. "
        "What to do: Check whether the right keys were counted."
    )
