"""What the tests of change share: the reference sample with R's results, messages, influences by small steps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation import EvaluationError, Sample, SurveyDesign

FOLDER = Path(__file__).parent.parent / "reference"
RESULTS = json.loads((FOLDER / "survey_change.json").read_text(encoding="utf-8"))
FRAME = pd.read_csv(FOLDER / "survey_change.csv", dtype={"area": str, "wave": str, "stratum": str})
OVERLAP = SurveyDesign(psu="block", wave="wave", overlap=True)
INDEPENDENT = SurveyDesign(psu="block", wave="wave")
PEOPLE = SurveyDesign(wave="wave")  # each of them a sampling unit
TREATED = ("00", "01", "02", "03")


def sample(design=OVERLAP, frame=FRAME):
    return Sample(frame, design)


def message(call, language="en"):
    with pytest.raises(EvaluationError) as caught:
        call()
    return caught.value.worded(language)


def close(ours, theirs, *, rtol=1e-8, atol=0.0):
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=rtol, atol=atol)


def influences_by_steps(method, given, people, step=1e-5):
    """How much some respondents move the estimates, times their weights: ``(p, k)``, by central differences."""
    rows = []
    for person in people:
        moved = []
        for sign in (1, -1):
            weights = given.plan.weights.copy()
            weights[person] *= 1 + sign * step
            other = replace(given, shared=replace(given.plan, weights=weights))
            moved.append(method.estimate(other).table["estimate"].to_numpy(float))
        rows.append((moved[0] - moved[1]) / (2 * step))
    return np.array(rows)
