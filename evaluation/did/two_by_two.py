"""Before and after, with and without the measure: one effect over the after-window, as a ratio or in cases."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.did.inference.effects import (
    counts_of,
    dropped_notes,
    in_cases,
    mean_difference,
    observed_cases,
    pooled_null_scores,
    pooled_or_missing,
    pooled_ratio,
)
from evaluation.did.inference.on_request import OnRequest
from evaluation.did.inference.randomised import randomised_effect
from evaluation.did.inference.unit_effects import choose_windows, measure
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Scale
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization

SCALES = ("ratio", "levels", "additive")
NO_CASE = "unadjusted regression.separated.problem"


@dataclass(frozen=True, kw_only=True)
class TwoByTwo:
    """The change of treated units between two windows against the change of the others.

    Parameters
    ----------
    before, after
        Lengths of the windows in periods; by default up to three years before and one year after.
    scale
        ``ratio``: cases relative to those expected without the measure. ``levels``: additional cases in the
        after-windows, derived from the ratio. ``additive``: additional cases a unit and period from differences
        of means; a sensitivity, since its intervals cover too rarely with counts.
    inference
        :class:`evaluation.Randomization` by default; :class:`ClusterRobust`, :class:`MultiplierBootstrap`,
        :class:`ScoreWild` (not additive) and :class:`Conley` have to be asked for.

    Notes
    -----
    Under randomisation the effect is adjusted for the return to the usual level: changes are taken less what
    the preceding rise of the same unit lets expect. The row ``unadjusted`` is the pooled Poisson rate ratio
    without that adjustment, ``(T1 / T0) / (C1 / C0)`` where no exposure is declared. All inference on request
    is about that pooled ratio.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = TwoByTwo(before=3, after=1).estimate(example_panel())
    >>> result.table["term"].tolist()
    ['effect', 'unadjusted']
    """

    before: int | None = None
    after: int | None = None
    scale: Literal["ratio", "levels", "additive"] = "ratio"
    inference: Randomization | OnRequest = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise DesignError(
                Problem(
                    "core.option_value", method="TwoByTwo", option="scale", given=self.scale, allowed=", ".join(SCALES)
                )
            )

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effect (row ``effect``), on the log scale or in cases, and the pooled ratio (row ``unadjusted``).

        Raises
        ------
        DesignError
            The windows do not fit the panel.
        EstimationError
            No unit has complete data in the windows, or treated units have no case at all (cluster-robust only).
        """
        if isinstance(self.inference, Randomization):
            return randomised_effect(
                panel, self, before=self.before, after=self.after, own=pooled_or_missing, scale=self.scale
            )
        return self._asymptotic(panel, self.inference)

    def _asymptotic(self, panel: Panel, inference: OnRequest) -> Estimates:
        windows = choose_windows(panel, self.before, self.after, "TwoByTwo")
        measured = measure(panel, windows, "TwoByTwo", scale="identity" if self.scale == "additive" else "log")
        estimator = mean_difference if self.scale == "additive" else pooled_ratio
        estimate, influence = estimator(panel, measured)
        result = inference.conclude(
            pd.DataFrame({"term": ["effect"]}),
            np.array([estimate]),
            influence[:, None],
            panel=panel,
            scale=Scale("identity", "cases") if self.scale == "additive" else Scale("log", "ratio"),
            method=self,
            counts=counts_of(panel, measured),
            null_scores=None if self.scale == "additive" else pooled_null_scores(panel, measured),
        )
        result = replace(result, notes=(*result.notes, *dropped_notes(measured)))
        if self.scale != "levels":
            return result
        observed = observed_cases(panel, measured)
        table = in_cases(result.table, observed)
        table["std_error"] *= observed * np.exp(-result.table["estimate"])
        table["statistic"] = table["estimate"] / table["std_error"]
        return Estimates(
            table=table,
            scale=Scale("identity", "cases"),
            declaration=panel.study,
            method=self,
            counts=result.counts,
            notes=result.notes,
            facts={**result.facts, "observed": observed},
        )
