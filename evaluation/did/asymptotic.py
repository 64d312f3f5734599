"""Cluster-robust inference, for whoever asks for it: right with many treated areas, too confident with few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Counts, Estimates, Influence, Note, Scale
from evaluation.influence import estimates_from_influence
from evaluation.panel import Panel

MANY_TREATED = 20


@dataclass(frozen=True, kw_only=True)
class ClusterRobust:
    """Standard errors from the influence of every area, t distribution with areas less one degrees of freedom.

    Notes
    -----
    With few treated areas these intervals are too short: at a nominal 5 % and no effect they exclude zero in
    27, 15 and 12 % of cases with 3, 5 and 10 of 63 areas treated. The result then carries a note that says so.
    """

    level: float = 0.95

    def conclude(
        self,
        keys: pd.DataFrame,
        estimate: np.ndarray,
        influence: np.ndarray,
        *,
        panel: Panel,
        scale: Scale,
        method: object,
        counts: Counts,
    ) -> Estimates:
        """Return estimates ``(k,)`` with influences ``(N, k)`` of the panel's units as one result."""
        if counts.treated < 2:
            raise EstimationError(Problem("core.one_treated", method=type(method).__name__))
        few = counts.treated < MANY_TREATED
        note = Note("core.note.asymptotic_few_treated", {"treated": counts.treated})
        return estimates_from_influence(
            keys,
            estimate,
            Influence(values=influence, units=np.array(panel.units), df=counts.units - 1),
            scale=scale,
            declaration=panel.study,
            method=method,
            counts=counts,
            level=self.level,
            notes=(note,) if few else (),
        )
