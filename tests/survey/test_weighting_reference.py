"""Weighting and replicates against R survey 4.1-1 (tests/reference/survey_weighting_recipe.R)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation import (
    BalancedReplication,
    Calibrate,
    Jackknife,
    Linear,
    Logit,
    Mean,
    PostStratify,
    Rake,
    Ratio,
    Refitted,
    ReplicateColumns,
    Share,
    SurveyDesign,
    Total,
    Trim,
)
from evaluation.influence import covariance
from tests.survey.weighted_samples import AGED, BOTH, CELLS, CLUSTERS, PEOPLE, STEPS, close, people

FOLDER = Path(__file__).parent.parent / "reference"
RESULTS = json.loads((FOLDER / "survey_weighting.json").read_text(encoding="utf-8"))
PLAIN = replace(CLUSTERS, fpc=None)
PAIRS = PEOPLE[PEOPLE["block"] <= 2]
JKN = Jackknife()

SAMPLES = {
    **{name: (PEOPLE, CLUSTERS, *steps) for name, steps in STEPS.items() if name != "chain"},
    "trimmed": (PEOPLE, PLAIN, Trim(low=20, high=70)),
    "trimmed_linear": (PEOPLE, CLUSTERS, Calibrate(BOTH), Trim(low=18, high=60)),
    "jkn": (PEOPLE, CLUSTERS, JKN),
    "jkn_estimate": (PEOPLE, CLUSTERS, Jackknife("estimate")),
    "jk1": (PEOPLE, SurveyDesign(strata=None, psu="psu"), JKN),
    "brr": (PAIRS, PLAIN, BalancedReplication()),
    "fay": (PAIRS, PLAIN, BalancedReplication(fay=0.3)),
    "jkn_post": (PEOPLE, CLUSTERS, JKN, PostStratify(("female", "district"), CELLS)),
    "jkn_raking": (PEOPLE, CLUSTERS, JKN, Rake(BOTH)),
    "jkn_linear": (PEOPLE, CLUSTERS, JKN, Calibrate(BOTH, totals=AGED)),
}


def rows(result, theirs):
    close(result.table[["estimate", "std_error"]].iloc[0], [theirs["estimate"], theirs["std_error"]])


def all_of(sample, theirs):
    weights = sample.weights
    close([weights.min(), weights.max(), (weights**2).sum()], theirs["weights"])
    rows(Mean("worry").estimate(sample), theirs["mean"])
    rows(Total("times").estimate(sample), theirs["total"])
    rows(Share("night", (3, 4), scale=4, interval="wald").estimate(sample), theirs["share"])
    rows(Ratio("times", "age").estimate(sample), theirs["ratio"])
    rows(Mean("worry").estimate(sample.where(sample.frame["district"] == "10")), theirs["north"])
    close(covariance(Mean(("worry", "times")).estimate(sample).influence).ravel(), theirs["covariance"])


def test_the_file_holds_every_sample():
    others = {"chain", "rake_weights", "model", "jkn_model", "scales", "columns", "columns_df"}
    assert set(RESULTS) == {*SAMPLES, *others}


@pytest.mark.parametrize("name", SAMPLES)
def test_estimates_standard_errors_domains_and_covariances(name):
    all_of(people(*SAMPLES[name]), RESULTS[name])


def test_two_fits_one_after_the_other():
    sample, theirs = people(PEOPLE, CLUSTERS, *STEPS["chain"]), RESULTS["chain"]
    close([sample.weights.min(), sample.weights.max(), (sample.weights**2).sum()], theirs["weights"])
    ours = Mean("worry").estimate(sample).table.iloc[0]
    close(ours["estimate"], theirs["mean"]["estimate"])
    # R takes the first fit back first. The other way round is the derivative of the estimate, see
    # test_influences_are_derivatives_by_the_weights; the difference is small.
    close(ours["std_error"], theirs["mean"]["std_error"], tolerance=1e-3)


@pytest.mark.parametrize("steps", [(JKN, *STEPS["post_two"]), (*STEPS["post_two"], JKN)])
def test_replicates_may_be_made_before_or_after_weighting(steps):
    all_of(people(PEOPLE, CLUSTERS, *steps), RESULTS["jkn_post"])


def test_raking_is_the_limit_of_iterative_fitting():
    weights = people(PEOPLE, CLUSTERS, Rake(BOTH)).weights
    # R stops where a table of all people changes by less than 1e-14 of the population.
    close([weights.min(), weights.max(), (weights**2).sum()], RESULTS["rake_weights"])


def test_a_model_knows_that_weights_were_calibrated():
    frame = PEOPLE.assign(female=PEOPLE["female"].astype(float))
    table = Linear("worry", ("age", "female")).estimate(people(frame, CLUSTERS, Calibrate(BOTH))).table
    close(table["estimate"], RESULTS["model"]["estimate"])
    close(table["std_error"], RESULTS["model"]["std_error"])


def test_a_model_refitted_in_every_replicate():
    sample = people(PEOPLE, CLUSTERS, JKN)
    model = Logit("night", ("age", "female"), codes=(3, 4), scale=4)
    table = Refitted(model).estimate(sample).table
    close(table["estimate"], RESULTS["jkn_model"]["estimate"])
    close(table["std_error"], RESULTS["jkn_model"]["std_error"])
    # The first step of a new fit is close to the whole way.
    close(model.estimate(sample).table["std_error"], RESULTS["jkn_model"]["std_error"], tolerance=0.05)


@pytest.mark.parametrize("combined", [True, False])
def test_replicate_weights_from_columns(combined):
    made = people(PEOPLE, CLUSTERS, JKN).plan
    factors = made.replicates.factors[made.replicates.rows]
    names = [f"rw{number}" for number in range(1, factors.shape[1] + 1)]
    values = factors * made.weights[:, None] if combined else factors
    frame = PEOPLE.assign(**dict(zip(names, values.T, strict=True)))
    step = ReplicateColumns("rw", "other", scale=tuple(RESULTS["scales"]), combined=combined)
    close(made.replicates.scale, RESULTS["scales"])
    sample = people(frame, SurveyDesign(strata=None), step)
    all_of(sample, RESULTS["columns"])
    result = Mean("worry").estimate(sample)
    assert result.influence.df == result.table.loc[0, "df"] == RESULTS["columns_df"]
    assert np.array_equal(result.influence.units, names)
