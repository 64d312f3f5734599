"""Every estimator under every kind of bad input: handled and said, or refused with words; never a silent gap.

Thirty areas over twelve years. Each case says which refusals are right; everything else must be a sound result.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import evaluation
from evaluation import DesignError, EvaluationError, Panel, Study
from evaluation.estimates import NUMBERS
from evaluation.texts import has_text, text

SHAPE = UNITS, YEARS = 30, 12
NAMES, PERIODS = [f"{unit:02d}" for unit in range(UNITS)], [str(2010 + year) for year in range(YEARS)]
TREATED, OTHERS, BEFORE, AFTER = slice(0, 5), slice(5, None), slice(0, 8), slice(8, None)
SINCE = dict.fromkeys(NAMES[TREATED], "2018")
STAGGERED = SINCE | {"00": "2016"}
NAN = float("nan")

_rng = np.random.default_rng(3)
_level = _rng.uniform(8, 60, UNITS)[:, None]
COUNTS, OTHER = (_rng.poisson(np.broadcast_to(k * _level, SHAPE)).astype(float) for k in (1.0, 1.5))
MOVING, FIXED = _rng.normal(size=SHAPE), np.broadcast_to(_rng.normal(size=(UNITS, 1)), SHAPE)
HOLES = _rng.random(SHAPE) < 0.08
BEGUN = (np.arange(UNITS) < 5)[:, None] & (np.arange(YEARS) >= 8)
BEGUN_EARLY = (np.arange(UNITS) < 5)[:, None] * (np.arange(YEARS) >= 1) * 20.0
HOURS = BEGUN * (10.0 + np.arange(UNITS))[:, None]

ASYMPTOTIC = {
    "cluster": evaluation.ClusterRobust(),
    "multiplier": evaluation.MultiplierBootstrap(draws=99),
    "wild": evaluation.ScoreWild(draws=99, enumerate_up_to=1),
    "conley": evaluation.Conley(cutoff=1.5),
}
DRAWN = evaluation.Randomization(draws=99, enumerate_up_to=0)


def with_(values, rows, columns=slice(None), value=0.0):
    changed = np.array(values, dtype=float)
    changed[rows, columns] = value
    return changed


def panel_of(counts=COUNTS, since=SINCE, *, keep=None, twice=0, **options):
    columns = {"other": OTHER, "x": MOVING, "w": FIXED, "hours": HOURS}
    given = {name: options.pop(name) for name in (*columns, "exposure") if name in options}
    frame = pd.DataFrame({"unit": np.repeat(NAMES, YEARS), "period": PERIODS * UNITS, "outcome": np.ravel(counts)})
    for name, values in {**columns, **given}.items():
        frame[name] = np.ravel(np.broadcast_to(values, SHAPE)).astype(float)
    if keep is not None:
        frame = frame[np.ravel(np.broadcast_to(keep, SHAPE))]
    frame = pd.concat([frame, frame.head(twice)], ignore_index=True)
    declared = {"id": "s", "outcome": "o", "event": "e", "period": "year", "exposure": "exposure" in given} | options
    centres = {name: (1000.0 * (unit % 6) + 500, 1000.0 * (unit // 6) + 500) for unit, name in enumerate(NAMES)}
    return Panel(frame, Study(treated_since=since, **declared), None, centres)


def methods():
    """By name the estimator and its options, with every inference that it offers."""
    dynamic, covariate = {"aggregation": "dynamic"}, {"covariates": ("x",)}
    found = {
        "TwoByTwo": [{}, {"scale": "levels"}, {"scale": "additive"}],
        "EventStudy": [{}],
        "TwoWayFixedEffects": [{}, {"scale": "levels"}, dynamic, dynamic | {"family": "poisson"}, covariate],
        "GroupTime": [{}, dynamic, {"covariates": ("w",)}, {"scale": "levels"}],
        "Imputation": [{}, dynamic, covariate, {"scale": "levels"}],
        "PoissonCohorts": [{}, dynamic, covariate, {"scale": "levels"}],
        "SyntheticControl": [{"before": 4}],
        "SyntheticDifference": [{"before": 4}, {"window": (-2, 1)}],
        "TripleDifference": [{"against": "other"}],
        "DoseResponse": [{"dose": "hours"}, {"dose": "hours", "form": "threshold", "threshold": 12.0}],
    }
    offered = dict.fromkeys(found, ("cluster",)) | {
        "TwoByTwo": tuple(ASYMPTOTIC), "TwoWayFixedEffects": ("cluster", "wild"), "GroupTime": ("multiplier", "conley"),
        "SyntheticControl": (), "SyntheticDifference": (),
    }  # fmt: skip
    for name, variants in found.items():
        for options in variants:
            several = options.get("aggregation") == "dynamic" or "covariates" in options
            additive = options.get("scale") == "additive"
            kinds = [kind for kind in offered[name] if kind != "wild" or not (several or additive)]
            kinds = kinds[:1] if options.get("scale") == "levels" else kinds
            for kind, inference in {"drawn": DRAWN, **{kind: ASYMPTOTIC[kind] for kind in kinds}}.items():
                yield f"{name} {options} {kind}", getattr(evaluation, name)(**options, inference=inference)


METHODS = dict(methods())


def concerned(case):
    """Names of the methods that a case is about: covariates and doses concern those that have them."""
    for word in ("covariate", "dose", "other"):
        if word in case:
            about = {"covariate": "covariates", "dose": "DoseResponse", "other": "TripleDifference"}[word]
            return [name for name in METHODS if about in name]
    few = "a case" in case or "alike" in case  # what is derived from a ratio needs one
    return [name for name in METHODS if "covariates" not in name and (few or "levels" not in name)]


LEFT = {"core.no_treated_left", "core.no_comparison_left", "group_time.no_comparison", "group_time.no_treated"}
SEPARATED = {"regression.separated"}
NO_CASES = {*SEPARATED, "core.no_comparison_case", "core.no_comparison_left"}
CONSTANT = {"core.outcome_constant"}
COLLINEAR = {"models_did.covariates_singular", "covariates.explain_measure", "group_time.singular"}
ONE_TREATED = {"core.one_treated", "triple_dose.below_threshold", "triple_dose.one_above"}

CASES = {
    "nothing wrong": ({}, set()),
    "unbalanced": ({"keep": ~HOLES}, LEFT),
    "missing outcomes": ({"counts": np.where(HOLES, NAN, COUNTS)}, LEFT),
    "cohort of one": ({"since": STAGGERED}, set()),
    "cohort of one, not yet treated": ({"since": STAGGERED, "comparison": "not_yet_treated"}, set()),
    "one treated": ({"since": {"00": "2018"}}, ONE_TREATED),
    "one value": ({"counts": np.full(SHAPE, 5.0)}, CONSTANT),
    "no case anywhere": ({"counts": np.zeros(SHAPE)}, CONSTANT),
    "areas never vary": ({"counts": np.broadcast_to(np.round(_level), SHAPE)}, set()),
    "areas are all alike": ({"counts": np.broadcast_to(np.arange(YEARS) + 5.0, SHAPE)}, set()),
    "treated never vary": ({"counts": with_(COUNTS, TREATED, value=7.0)}, set()),
    "comparison never varies": ({"counts": with_(COUNTS, OTHERS, value=7.0)}, set()),
    "areas without a case": ({"counts": with_(COUNTS, [0, 7, 9])}, set()),
    "treated without a case": ({"counts": with_(COUNTS, TREATED)}, SEPARATED),
    "comparison without a case": ({"counts": with_(COUNTS, OTHERS)}, NO_CASES | LEFT),
    "treated without a case after": ({"counts": with_(COUNTS, TREATED, AFTER)}, SEPARATED),
    "treated without a case before": ({"counts": with_(COUNTS, TREATED, BEFORE)}, SEPARATED),
    "treated without a case in one year": ({"counts": with_(COUNTS, TREATED, 9)}, SEPARATED),
    "treated without a case in year and reference": ({"counts": with_(COUNTS, TREATED, [7, 9])}, SEPARATED),
    "comparison without a case after": ({"counts": with_(COUNTS, OTHERS, AFTER)}, SEPARATED | COLLINEAR),
    "hardly a case": (
        {"counts": np.random.default_rng(4).poisson(0.3, SHAPE)},
        NO_CASES | {"regression.collinear", "triple_dose.one_above"},
    ),
    "same covariate everywhere": ({"x": 1.0, "w": 1.0}, {"covariates.fixed", "covariates.constant"}),
    "covariate of the period": (
        {"x": np.arange(YEARS), "w": np.arange(YEARS)},
        COLLINEAR,
    ),
    "covariate is the measure": ({"x": BEGUN, "w": BEGUN.any(axis=1)[:, None]}, COLLINEAR),
    "infinite covariate": (
        {"x": with_(MOVING, 3, 3, np.inf), "w": with_(FIXED, 3, 3, np.inf)},
        {"covariates.infinite"},
    ),
    "missing covariates": ({"x": np.where(HOLES, NAN, MOVING), "w": with_(FIXED, [2, 8], value=NAN)}, LEFT),
    "covariates of the treated missing": ({"x": with_(MOVING, TREATED, value=NAN)}, LEFT),
    "covariates of the others missing": ({"x": with_(MOVING, OTHERS, value=NAN)}, LEFT | COLLINEAR),
    "no comparison after": (
        {"counts": with_(COUNTS, OTHERS, AFTER, NAN)},
        LEFT | COLLINEAR | {"regression.collinear"},
    ),
    "no comparison in the first year": (
        {"counts": with_(COUNTS, OTHERS, 8, NAN)},
        LEFT | {"regression.collinear"},
    ),
    "switches off": ({"until": "2019"}, {"core.window_after"}),
    "switches off at once, staggered": ({"since": STAGGERED, "until": "2018"}, {"core.window_after"}),
    "starts in the second year": (
        {"since": dict.fromkeys(SINCE, "2011"), "hours": BEGUN_EARLY},
        {"core.window_before", "synthetic.short_before"},
    ),
    "other kind without a case": ({"other": with_(OTHER, TREATED, AFTER)}, SEPARATED),
    "dose unknown": ({"hours": with_(HOURS, 2, AFTER, NAN)}, set()),
    "no dose": ({"hours": 0.0}, {"triple_dose.no_dose"}),
    "same dose everywhere": (
        {"hours": np.broadcast_to(20.0 * (np.arange(YEARS) >= 8), SHAPE)},
        {"triple_dose.no_more_dose", "core.no_comparison_left", "regression.collinear"},
    ),
}  # fmt: skip


# No estimator can say anything here.
NOBODY = {
    "one value", "no case anywhere", "treated without a case", "comparison without a case", "no comparison after",
    "same covariate everywhere", "covariate is the measure", "infinite covariate", "no dose",
    "same dose everywhere",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_handled_and_said_or_refused_with_words(case):
    options, refusals = CASES[case]
    panel = panel_of(**options)
    given, results = panel.frame.copy(), 0
    for name in concerned(case):
        try:
            result = METHODS[name].estimate(panel)
        except EvaluationError as error:
            check_words(error, refusals, name)
        else:
            results += 1
            check_sound(result, panel, name)
    pd.testing.assert_frame_equal(panel.frame, given)
    assert results or case in NOBODY, "nobody gives an answer"


def check_words(error, refusals, name):
    codes = {problem.code for problem in error.problems}
    assert codes <= refusals, f"{name}: {error}"
    assert all(has_text(f"{code}.remedy", language) for code in codes for language in ("de", "en")), name
    assert "{" not in error.worded("de") + error.worded("en"), name


def check_sound(result, panel, name):
    table = result.table
    numbers = table[list(NUMBERS)].to_numpy(dtype=float)
    told = table["note"].ne("").to_numpy()
    assert told[np.isnan(numbers).any(axis=1)].all(), f"{name}: a gap without a reason\n{table}"
    assert not np.isinf(table.drop(columns="df").select_dtypes("number").to_numpy(dtype=float)).any(), (
        f"{name}\n{table}"
    )
    assert not (table["std_error"] <= 0).any(), f"{name}\n{table}"
    assert table["p_value"].dropna().between(0, 1 + 1e-12, inclusive="right").all(), f"{name}\n{table}"
    estimate, low, high = (table[column].to_numpy(dtype=float) for column in ("estimate", "conf_low", "conf_high"))
    assert not (low > estimate).any(), f"{name}\n{table}"
    assert not (high < estimate).any(), f"{name}\n{table}"
    assert not (high - low <= 1e-12).any(), f"{name}: an interval without width\n{table}"
    counts = result.counts
    shared = counts.dropped.get("core.note.nobody_to_compare", 0)  # these may still be compared with others
    assert counts.units + sum(counts.dropped.values()) - shared <= len(panel.units), f"{name}: {counts}"
    assert counts.units + sum(counts.dropped.values()) >= len(panel.units), f"{name}: {counts}"
    for language in ("de", "en"):
        assert not any("{" in note or "nan" in note.split() for note in result.worded_notes(language)), name
    said = {note.code for note in result.notes}
    named = {"core.note.all_zero": "models_did.note.all_zero"}
    assert all({code, named.get(code, code)} & said for code in counts.dropped), f"{name}: {counts} but {said}"
    assert not any(np.isinf(value) for value in result.facts.values() if isinstance(value, float)), name
    assert result.draws is None or np.isfinite(result.draws.values).all(), name
    assert result.influence is None or np.isfinite(result.influence.values).all(), name


REFUSED = {
    "core.panel_duplicate": {"twice": 3},
    "core.panel_no_before": {"since": SINCE | {"05": "2005"}},
    "core.panel_no_after": {"since": SINCE | {"05": "2030"}},
    "core.panel_no_comparison": {"excluded": tuple(NAMES[OTHERS])},
    "core.panel_negative": {"counts": with_(COUNTS, 3, 3, -1)},
    "core.panel_infinite": {"counts": with_(COUNTS, 3, 3, np.inf)},
    "core.panel_exposure": {"exposure": with_(np.full(SHAPE, 500.0), 3, 3, np.inf)},
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_no_estimator_can_use_is_refused_at_once(code):
    with pytest.raises(DesignError) as refusal:
        panel_of(**REFUSED[code])
    assert [problem.code for problem in refusal.value.problems] == [code]
    assert has_text(f"{code}.remedy", "de")
    assert "{" not in refusal.value.worded("de")


def test_exposure_that_is_infinite_or_vanishes_beside_the_others_is_refused():
    for value in (np.inf, 1e-300):
        with pytest.raises(DesignError) as refusal:
            panel_of(exposure=with_(np.full(SHAPE, 500.0), 3, 3, value))
        assert str(refusal.value) == (
            "Area 03 has no exposure above 0 in period 2013, or an infinite one. "
            "What to do: Add the number of inhabitants, or run the study without exposure."
        )


def test_nothing_but_rounding_errors_is_no_effect_and_has_no_interval():
    result = evaluation.TwoByTwo(inference=DRAWN).estimate(panel_of(np.broadcast_to(np.round(_level), SHAPE)))
    row = result.row(term="effect")
    assert row["estimate"] == pytest.approx(0, abs=1e-12)
    assert row[["p_value", "conf_low", "conf_high"]].isna().all()
    assert text("survey.note.no_variation", "en") in result.worded_notes()
    assert np.isnan(result.facts["detectable"])


def test_a_year_without_a_case_leaves_the_other_rows():
    """No log ratio exists where the treated have no case in the reference nor in the year."""
    panel = panel_of(with_(COUNTS, TREATED, [7, 9]))
    method = evaluation.EventStudy(window=(-3, 2), reference=1, inference=DRAWN)
    found = method.estimate(panel)
    assert found.table["event_time"].tolist() == method.estimate(panel_of()).table["event_time"].tolist()
    row = found.row(event_time=1)
    assert np.isnan(row["estimate"])
    assert row["note"] == "models_did.note.no_case"
    assert found.table["estimate"].notna().sum() == 5
    assert found.draws.values.shape[1] == 5  # the reference has no column
    assert found.facts["pre_trend_p"] > 0
    in_one_year = replace(method, inference=ASYMPTOTIC["cluster"]).estimate(panel_of(with_(COUNTS, TREATED, 9)))
    assert in_one_year.row(event_time=1)["note"] == "models_did.note.no_case"
    assert in_one_year.table["std_error"].notna().sum() == 4


def test_a_covariate_that_is_the_measure_is_refused():
    method = evaluation.GroupTime(covariates=("w",), inference=DRAWN)
    with pytest.raises(evaluation.EstimationError) as refusal:
        method.estimate(panel_of(w=BEGUN.any(axis=1)[:, None]))
    assert str(refusal.value) == (
        "GroupTime: the covariates tell exactly which areas have the measure, so that nothing of its effect is left. "
        "What to do: Leave out the covariate that follows from the measure, or use fewer covariates."
    )


def test_where_only_the_comparison_lacks_data_the_message_says_so():
    with pytest.raises(evaluation.EstimationError) as refusal:
        evaluation.TwoByTwo(inference=DRAWN).estimate(panel_of(with_(COUNTS, OTHERS, AFTER, NAN)))
    assert [problem.code for problem in refusal.value.problems] == ["core.no_comparison_left"]
    with pytest.raises(evaluation.EstimationError) as refusal:
        evaluation.TwoByTwo(inference=DRAWN).estimate(panel_of(with_(COUNTS, OTHERS)))
    assert str(refusal.value) == (
        "TwoByTwo: no comparison area has a single case in the time windows. "
        "What to do: Choose longer windows, larger areas or a more frequent outcome."
    )


def test_areas_without_a_single_case_are_no_part_of_the_history():
    fewer = panel_of(keep=~np.isin(np.arange(UNITS), [7, 9])[:, None])
    silent = panel_of(with_(COUNTS, [7, 9]))
    for method in (evaluation.PoissonCohorts(inference=DRAWN), evaluation.TwoByTwo(inference=DRAWN)):
        among, without = method.estimate(silent), method.estimate(fewer)
        assert [among.facts[name] for name in ("slope", "tau2", "phi")] == pytest.approx(
            [without.facts[name] for name in ("slope", "tau2", "phi")], rel=1e-9
        )
        assert among.counts.dropped == {"core.note.all_zero": 2}


def test_areas_without_a_single_case_are_named():
    silent = panel_of(with_(COUNTS, [7, 9]))
    for aggregation in ("simple", "dynamic"):
        result = evaluation.PoissonCohorts(aggregation=aggregation, inference=DRAWN).estimate(silent)
        assert text("models_did.note.all_zero", "en", n=2, names=["07", "09"]) in result.worded_notes()
