"""Estimators of the placebo experiments: how each is asked, with which further columns, and which row is its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation import EventStudy, Randomization, TwoByTwo
from evaluation.did.dose import DoseResponse
from evaluation.did.fixed_effects import TwoWayFixedEffects
from evaluation.did.group_time import GroupTime
from evaluation.did.imputation import Imputation
from evaluation.did.poisson import PoissonCohorts
from evaluation.did.synthetic import SyntheticControl, SyntheticDifference
from evaluation.did.triple import TripleDifference
from evaluation.estimates import Estimates
from tests.simulation.panels import CountPanel


@dataclass(frozen=True)
class Method:
    """How to make an estimator for a panel, and how to read its result.

    Parameters
    ----------
    make
        From panel and inference to the estimator.
    needs
        ``""``, ``dose`` (hours of treated units), ``other`` (cases that the measure cannot touch) or ``covariate``.
    key
        Key columns of the row that is the answer.
    """

    make: Callable[[CountPanel, Randomization], Any]
    needs: str = ""
    key: tuple[tuple[str, object], ...] = (("term", "effect"),)

    def answer(self, result: Estimates) -> pd.Series:
        """Return the row that is judged."""
        return result.row(**dict(self.key))


def _windowed(estimator: type, **options: object) -> Callable[[CountPanel, Randomization], Any]:
    return lambda source, inference: estimator(before=source.before, after=source.after, inference=inference, **options)


def _event_study(source: CountPanel, inference: Randomization) -> EventStudy:
    return EventStudy(window=(-3, source.after - 1), reference=source.before, inference=inference)


DEFAULT = "TwoByTwo"
METHODS: dict[str, Method] = {
    DEFAULT: Method(_windowed(TwoByTwo)),
    "EventStudy, third period": Method(_event_study, key=(("event_time", 2),)),
    "TwoWayFixedEffects": Method(_windowed(TwoWayFixedEffects)),
    "TwoWayFixedEffects, Poisson": Method(_windowed(TwoWayFixedEffects, family="poisson")),
    "GroupTime": Method(lambda source, inference: GroupTime(inference=inference)),
    "GroupTime, covariate": Method(
        lambda source, inference: GroupTime(covariates=("level",), inference=inference), needs="covariate"
    ),
    "Imputation": Method(_windowed(Imputation)),
    "PoissonCohorts": Method(_windowed(PoissonCohorts)),
    "SyntheticControl": Method(_windowed(SyntheticControl)),
    "SyntheticDifference": Method(_windowed(SyntheticDifference)),
    "TripleDifference": Method(_windowed(TripleDifference, against="day"), needs="other"),
    "DoseResponse": Method(_windowed(DoseResponse, dose="hours", step=60.0), needs="dose", key=(("term", "effect"),)),
}


def further_columns(needs: str, source: CountPanel, starts: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Return columns ``(N, T)`` that an estimator needs besides the counts; `starts` ``(N,)`` is -1 for never."""
    if needs == "dose":
        hours = rng.uniform(20, 100, len(starts))[:, None]
        active = np.arange(source.counts.shape[1]) >= np.where(starts < 0, source.counts.shape[1], starts)[:, None]
        return {"hours": np.where(active, hours, 0.0)}
    if needs == "other":
        return {"day": source.other}
    if needs == "covariate":
        level = np.log(source.counts[:, :12].mean(axis=1) + 0.5)
        return {"level": np.repeat(level[:, None], source.counts.shape[1], axis=1)}
    return {}
