"""Intervals of models cover what the model gives for everybody: clustered, stratified samples with unequal weights.
Seeds are fixed and were not searched for."""

import numpy as np
import pandas as pd
import pytest

from evaluation import (
    AdjustedShare,
    Category,
    CronbachAlpha,
    Linear,
    Logit,
    MarginalEffect,
    Ordinal,
    OrdinalAlpha,
    Poisson,
    Sample,
    SurveyDesign,
)

REPLICATIONS = 100
STRATA, BLOCKS, PEOPLE = 5, 200, 8  # in the population: blocks a stratum, people a block
LOW, HIGH = 0.87, 0.995  # 99.3 % of binomial shares of 100 around 0.95 lie between
TERMS = ("age", Category("sex", "m"))
ORDINAL = Ordinal("night", TERMS, scale=4)
CASES = {
    "linear": Linear("worry", TERMS),
    "logit": Logit("night", TERMS, codes=(3, 4), scale=4),
    "poisson": Poisson("times", TERMS),
    "ordinal": ORDINAL,
    "adjusted": AdjustedShare(ORDINAL, "sex", codes=(3, 4)),
    "effect": MarginalEffect(ORDINAL, "age", codes=(3, 4)),
    "cronbach": CronbachAlpha(("day", "night")),
    "ordinal alpha": OrdinalAlpha(("day", "night")),
    # Could the others pass with intervals of any width? This one ignores the blocks and must fail.
    "blocks ignored": Linear("worry"),
}


def population(seed):
    """Blocks differ (intraclass correlation about 0.2 for the items), and age matters; no model is exactly right."""
    rng = np.random.default_rng(seed)
    n = STRATA * BLOCKS * PEOPLE
    block = np.repeat(np.arange(STRATA * BLOCKS), PEOPLE)
    age, sex = rng.uniform(-1, 1, n), rng.choice(["f", "m"], n)
    level = rng.normal(0, 0.9, STRATA * BLOCKS)[block] + age + 0.3 * age**2 + 0.5 * (sex == "f")
    frame = pd.DataFrame({"stratum": block // BLOCKS, "block": block, "age": age, "sex": sex})
    for item in ("day", "night"):
        frame[item] = np.digitize(level + rng.logistic(size=n), [-1.0, 0.8, 2.0]) + 1
    return frame.assign(worry=level + rng.normal(0, 1, n), times=rng.poisson(np.exp(level / 2 - 0.5)))


def draw(people, rng):
    """Draw 12 to 28 blocks of a stratum with replacement and 5 people in each."""
    drawn = np.array([12 + 4 * stratum for stratum in range(STRATA)])
    stratum = np.repeat(np.arange(STRATA), drawn)
    first = (stratum * BLOCKS + rng.integers(0, BLOCKS, len(stratum))) * PEOPLE
    members = rng.permuted(np.tile(np.arange(PEOPLE), (len(first), 1)), axis=1)[:, :5]
    frame = people.iloc[(first[:, None] + members).ravel()].reset_index(drop=True)
    weight = np.repeat((BLOCKS * PEOPLE / 5 / drawn)[stratum], 5)
    return frame.assign(block=np.repeat(np.arange(len(first)), 5), weight=weight)


@pytest.fixture(scope="module")
def coverage():
    """The share of samples whose intervals hold the population's values, by case, averaged over its rows."""
    people, rng = population(5), np.random.default_rng(12)
    everybody = Sample(people.assign(weight=1.0), SurveyDesign(psu="block"))
    truth = {name: method.estimate(everybody).table["estimate"].to_numpy() for name, method in CASES.items()}
    hits = dict.fromkeys(CASES, 0.0)
    for _ in range(REPLICATIONS):
        frame = draw(people, rng)
        blocks, ignored = Sample(frame, SurveyDesign(psu="block")), Sample(frame, SurveyDesign())
        for name, method in CASES.items():
            table = method.estimate(ignored if name == "blocks ignored" else blocks).table
            inside = (table["conf_low"].to_numpy() <= truth[name]) & (truth[name] <= table["conf_high"].to_numpy())
            hits[name] += inside.mean()
    return {name: count / REPLICATIONS for name, count in hits.items()}


@pytest.mark.parametrize("name", [name for name in CASES if name != "blocks ignored"])
def test_intervals_cover(name, coverage):
    assert LOW <= coverage[name] <= HIGH


def test_a_design_that_ignores_the_blocks_covers_too_little(coverage):
    assert coverage["blocks ignored"] < LOW
