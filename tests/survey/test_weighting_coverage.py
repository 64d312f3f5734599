"""Weighted estimates find a known truth with intervals of the right width, where not everybody answers.

Clustered, stratified samples; whether somebody answers depends on age, and so does what they would say. Seeds are
fixed and were not searched for."""

import numpy as np
import pandas as pd
import pytest

from evaluation import (
    Calibrate,
    PostStratify,
    ResponseCells,
    ResponsePropensity,
    Sample,
    SurveyBootstrap,
    SurveyDesign,
)
from evaluation.influence import critical_value, variances
from evaluation.survey.domains import divide, influence_of, linearise, numbers
from evaluation.survey.weight_variance import replicate_influence
from tests.survey.test_coverage import PEOPLE_FRAME, draw

REPLICATIONS = 200
LOW, HIGH = 0.89, 0.99  # 99.9 % of binomial shares of 200 around 0.95 lie between

AGES = np.random.default_rng(21).choice(["young", "middle", "old"], len(PEOPLE_FRAME), p=[0.3, 0.4, 0.3])
SHIFT = {"young": 0.0, "middle": 1.0, "old": 2.5}
ANSWERS = {"young": 0.25, "middle": 0.5, "old": 0.75}  # log odds are linear in the generation
PEOPLE = PEOPLE_FRAME.assign(
    age=AGES,
    generation=pd.Series(AGES).map({"young": 0, "middle": 1, "old": 2}),
    x=PEOPLE_FRAME["x"] + pd.Series(AGES).map(SHIFT),
)
TRUTH = PEOPLE["x"].mean()
AGE = PEOPLE["age"].value_counts()
AREA = PEOPLE["area"].value_counts()

CELLS = ResponseCells("answered", "age")
CASES = {
    "cells": (CELLS,),
    "propensity": (ResponsePropensity("answered", ("generation",)),),
    "post-stratified": (PostStratify("age", AGE),),
    "cells and margins": (CELLS, Calibrate({"age": AGE, "area": AREA})),
    "bootstrap": (SurveyBootstrap(draws=100), PostStratify("age", AGE)),
}


def mean_of_x(sample):
    """Return estimate, standard error and whether the interval holds the truth: Mean("x") without its table."""
    domains = divide(sample)
    part = linearise(domains, numbers(sample, "x"), "mean")
    if part.replicates is None:
        influence = influence_of(sample, part.influence)
    else:
        influence = replicate_influence(sample.plan, part.replicates, part.estimate)
    estimate, error = part.estimate[0], variances(influence)[0] ** 0.5
    return estimate, error, abs(estimate - TRUTH) <= critical_value(0.95, domains.df[0]) * error


@pytest.fixture(scope="module")
def found():
    """For each case estimates, standard errors and hits of all samples; first those without any weighting."""
    rng, rows = np.random.default_rng(12), {name: [] for name in ("nothing", "weights as given", *CASES)}
    for _ in range(REPLICATIONS):
        frame = draw(PEOPLE, rng)
        frame["answered"] = rng.random(len(frame)) < frame["age"].map(ANSWERS)
        drawn = Sample(frame, SurveyDesign(psu="block"))
        answered = drawn.where(frame["answered"])
        samples = {"nothing": answered}
        for name, steps in CASES.items():
            sample = drawn if "cells" in name or name == "propensity" else answered
            for step in steps:
                sample = step.apply(sample)
            samples[name] = sample
        weights = samples["post-stratified"].weights
        given = Sample(frame.assign(weight=np.where(weights > 0, weights, 1.0)), drawn.design)
        samples["weights as given"] = given.where(frame["answered"])
        for name, sample in samples.items():
            rows[name].append(mean_of_x(sample))
    return {name: np.array(values, dtype=float) for name, values in rows.items()}


@pytest.mark.parametrize("name", CASES)
def test_intervals_cover_and_nothing_is_biased(name, found):
    estimates, errors, hits = found[name].T
    assert LOW <= hits.mean() <= HIGH
    assert abs(estimates.mean() - TRUTH) < 4 * estimates.std() / REPLICATIONS**0.5
    # The spread of 200 estimates is known to 5 %.
    assert errors.mean() == pytest.approx(estimates.std(), rel=0.15)


def test_without_weighting_the_estimate_is_biased(found):
    assert found["nothing"][:, 2].mean() < 0.2


def test_weights_taken_as_given_show_too_much_variance(found):
    estimates, errors, _ = found["weights as given"].T
    assert errors.mean() > 1.2 * estimates.std()
