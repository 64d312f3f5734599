"""What the tests of models share: the reference sample with R's results, a made-up sample, and messages."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation import Category, DesignError, EstimationError, Sample, SurveyDesign

FOLDER = Path(__file__).parent.parent / "reference"
RESULTS = json.loads((FOLDER / "survey_models.json").read_text(encoding="utf-8"))
FRAME = pd.read_csv(FOLDER / "survey_models.csv", dtype={"district": str})
DISTRICT = Category("district", "00")
DESIGNS = {
    "clusters": SurveyDesign(psu="block", nest=True),
    "one_stage": SurveyDesign(psu="block", nest=True, fpc="blocks"),
}


def reference(name):
    """The sample of tests/reference/survey_models.csv under a design, and what R says about it."""
    return Sample(FRAME, DESIGNS[name]), RESULTS[name]


def close(ours, theirs, *, rtol=1e-8):
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=rtol)


def made_up(seed=1, people=400):
    """Strata, blocks that differ, unequal weights, six districts, items with four points that depend on age and sex."""
    rng = np.random.default_rng(seed)
    block = np.sort(rng.integers(0, people // 10, people))
    frame = pd.DataFrame({"stratum": block % 4, "block": block, "weight": rng.gamma(3, 10, people) + 1})
    frame["age"] = rng.integers(18, 90, people).astype(float)
    frame["sex"] = rng.choice(["f", "m"], people)
    frame["district"] = rng.choice(["00", "01", "02", "03", "04", "05"], people)
    frame["ten"] = rng.choice([f"{number:02d}" for number in range(10)], people)
    level = rng.normal(0, 0.5, people // 10)[block] + 0.02 * (frame["age"] - 50) + 0.6 * (frame["sex"] == "f")
    for item in ("day", "night", "park"):
        frame[item] = np.digitize(level + rng.logistic(size=people), [-1.0, 0.5, 2.0]) + 1
    frame["unsafe"] = (frame["night"] >= 3).astype(int)
    frame["times"] = rng.poisson(np.exp(level / 3 - 0.5))
    frame["worry"] = level + rng.normal(0, 1, people)
    return frame


def sample_of(frame):
    """The made-up frame with its design."""
    return Sample(frame, SurveyDesign(psu="block"))


def message(call):
    """The full text of the error that a call raises."""
    with pytest.raises((DesignError, EstimationError)) as caught:
        call()
    return str(caught.value)
