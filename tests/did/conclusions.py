"""Influences of made-up units, concluded as an estimator would."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation import Panel, Study
from evaluation.estimates import Counts, Scale

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "inference.json").read_text(encoding="utf-8"))


class Averages:
    """Stands for an estimator."""


@cache
def panel_of(units, treated, positions=None):
    names = [f"{number:02d}" for number in range(units)]
    frame = pd.DataFrame({"unit": np.repeat(names, 2), "period": ["2018", "2019"] * units, "outcome": 5})
    study = Study(id="s", outcome="o", event="e", period="year", treated_since=dict.fromkeys(names[:treated], "2019"))
    return Panel(frame, study, positions=None if positions is None else dict(zip(names, positions, strict=True)))


def conclude(inference, influence, *, estimate=None, treated=30, positions=None, observations=None, units=None, **more):
    """Conclude ``k`` estimates with influences ``(N, k)``; the first units have the measure."""
    influence = np.asarray(influence, dtype=float)
    number, k = influence.shape
    return inference.conclude(
        pd.DataFrame({"term": range(k)}),
        np.linspace(0.1, 0.3, k) if estimate is None else np.asarray(estimate, dtype=float),
        influence,
        panel=panel_of(number, treated, None if positions is None else tuple(map(tuple, positions))),
        scale=Scale("log", "ratio"),
        method=Averages(),
        counts=Counts(observations=observations or 2 * number, units=units or number, treated=treated),
        **more,
    )
