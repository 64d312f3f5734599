"""Intervals cover a known truth: clustered, stratified samples with unequal weights. Seeds are fixed and were not
searched for."""

import numpy as np
import pandas as pd
import pytest

from evaluation import Change, Mean, Ratio, Sample, Share, SurveyDesign, Total

REPLICATIONS = 300
STRATA, BLOCKS, PEOPLE = 6, 300, 8  # in the population: blocks a stratum, people a block
LOW, HIGH = 0.905, 0.987  # 99.9 % of binomial shares of 300 around 0.95 lie between


def population(seed):
    """Blocks differ (intraclass correlation about 0.2), areas cross the strata, the second wave lies higher."""
    rng = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(STRATA), BLOCKS)
    people = np.repeat(np.arange(STRATA * BLOCKS), PEOPLE)
    level = rng.normal(0, 0.5, STRATA * BLOCKS)
    x = 5 + 0.3 * stratum[people] + level[people] + rng.normal(0, 1, len(people))
    return pd.DataFrame(
        {
            "stratum": stratum[people],
            "block": people,
            "person": np.arange(len(people)),
            "area": rng.choice(["00", "01"], len(people), p=[0.8, 0.2]),
            "y": rng.gamma(3, 1, len(people)),
            "x": x,
            "later": x + 0.4 + rng.normal(0, 0.5, len(people)),
            "item": np.digitize(x, [4.5, 6.0, 7.2]) + 1,
        }
    )


def draw(people, rng):
    """Draw 10 to 20 blocks of a stratum with replacement and 4 people in each."""
    drawn = [10 + 2 * stratum for stratum in range(STRATA)]
    stratum = np.repeat(np.arange(STRATA), drawn)
    first = (stratum * BLOCKS + rng.integers(0, BLOCKS, len(stratum))) * PEOPLE
    members = rng.permuted(np.tile(np.arange(PEOPLE), (len(first), 1)), axis=1)[:, :4]
    weight = (BLOCKS * PEOPLE / 4 / np.array(drawn))[stratum]
    frame = people.iloc[(first[:, None] + members).ravel()].reset_index(drop=True)
    return frame.assign(block=np.repeat(np.arange(len(first)), 4), weight=np.repeat(weight, 4))


PEOPLE_FRAME = population(3)
CASES = {
    "mean": (Mean("x"), PEOPLE_FRAME["x"].mean()),
    "total": (Total("x"), PEOPLE_FRAME["x"].sum()),
    "ratio": (Ratio("x", "y"), PEOPLE_FRAME["x"].sum() / PEOPLE_FRAME["y"].sum()),
    "share": (Share("item", (4,), scale=4), (PEOPLE_FRAME["item"] == 4).mean()),
    "domain": (Mean("x", by="area"), PEOPLE_FRAME.loc[PEOPLE_FRAME["area"] == "00", "x"].mean()),
    "change": (Change(Mean("x"), "a", "b"), PEOPLE_FRAME["later"].mean() - PEOPLE_FRAME["x"].mean()),
    # Could the others pass with intervals of any width? This one ignores the blocks and must fail.
    "blocks ignored": (Mean("x"), PEOPLE_FRAME["x"].mean()),
}


@pytest.fixture(scope="module")
def coverage():
    """The share of samples whose interval holds the truth, by case."""
    rng, hits = np.random.default_rng(11), dict.fromkeys(CASES, 0)
    for _ in range(REPLICATIONS):
        frame = draw(PEOPLE_FRAME, rng)
        waves = pd.concat([frame.assign(wave="a"), frame.assign(wave="b", x=frame["later"])], ignore_index=True)
        blocks = Sample(frame, SurveyDesign(psu="block"))
        samples = {
            "change": Sample(waves, SurveyDesign(psu="block", wave="wave", overlap=True)),
            "blocks ignored": Sample(frame, SurveyDesign()),
        }
        for name, (method, truth) in CASES.items():
            row = method.estimate(samples.get(name, blocks)).table.iloc[0]
            hits[name] += row["conf_low"] <= truth <= row["conf_high"]
    return {name: count / REPLICATIONS for name, count in hits.items()}


@pytest.mark.parametrize("name", [name for name in CASES if name != "blocks ignored"])
def test_intervals_cover(name, coverage):
    assert LOW <= coverage[name] <= HIGH


def test_a_design_that_ignores_the_blocks_covers_too_little(coverage):
    assert coverage["blocks ignored"] < LOW
