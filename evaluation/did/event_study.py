"""The effect by time since the start: cohort-wise long differences against areas without the measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.data.periods import PER_YEAR
from evaluation.did.inference.effects import counts_of, dropped_notes, mean_difference, pooled_ratio
from evaluation.did.inference.on_request import OnRequest
from evaluation.did.inference.randomised import (
    NO_CASE_THEN,
    SEPARATED,
    common_units,
    event_times,
    measurable,
    randomised_path,
)
from evaluation.did.inference.unit_effects import Measured, choose_windows
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Scale
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization
from evaluation.randomization.windows import Windows


@dataclass(frozen=True, kw_only=True)
class EventStudy:
    """The change of treated units between a reference before the start and each period around it, against the others.

    Parameters
    ----------
    window
        First and last period relative to the start (0 is the first period with the measure); by default one
        year (three years in yearly data) before, and as far after as all cohorts reach, at most one year (three
        in yearly data).
    reference
        Number of periods just before the start whose mean is the reference; by default one year.
    scale
        ``ratio``: relative to what is expected without the measure. ``additive``: cases a unit and period (with
        cluster-robust inference only).
    inference
        :class:`evaluation.Randomization` by default; :class:`ClusterRobust` has to be asked for.

    Notes
    -----
    For every cohort ``g`` and event time ``k`` the long difference from the reference to ``g + k`` is compared
    between the cohort and the units never treated; cohorts are weighted by their units. Periods after the start
    are adjusted for the return to the usual level, periods before are not, because that is what they would
    show. ``facts["pre_trend_p"]`` tests all periods before the start together, by the largest standardised
    deviation under the same assignments; periods of anticipation are no part of it. Where a period in which the
    measure began is dropped, the table has no row for it (-1).

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = EventStudy(window=(-3, 3)).estimate(example_panel())
    >>> result.table["event_time"].tolist()
    [-3, -2, -1, 0, 1, 2, 3]
    """

    window: tuple[int, int] | None = None
    reference: int | None = None
    scale: Literal["ratio", "additive"] = "ratio"
    inference: Randomization | OnRequest = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        problems: list[tuple[str, object, str]] = []
        if self.window is not None and not self.window[0] < 0 <= self.window[1]:
            problems.append(("window", self.window, "(-k, l), k >= 1, l >= 0"))
        if self.reference is not None and self.reference < 1:
            problems.append(("reference", self.reference, ">= 1"))
        if self.scale not in {"ratio", "additive"}:
            problems.append(("scale", self.scale, "ratio, additive"))
        if self.scale == "additive" and isinstance(self.inference, Randomization):
            problems.append(("inference", "Randomization", "ClusterRobust(), scale = additive"))
        if problems:
            raise DesignError(
                *(
                    Problem("core.option_value", method="EventStudy", option=name, given=given, allowed=allowed)
                    for name, given, allowed in problems
                )
            )

    def estimate(self, panel: Panel) -> Estimates:
        """Return one row for each event time, keyed by ``event_time``.

        Raises
        ------
        DesignError
            The window does not fit the panel.
        EstimationError
            No treated or no comparison unit has complete data in all periods of the window.
        """
        window, base = self._resolved(panel)
        if isinstance(self.inference, Randomization):
            return randomised_path(panel, self, window=window, base=base)
        return self._asymptotic(panel, window, base, self.inference)

    def _resolved(self, panel: Panel) -> tuple[tuple[int, int], Windows]:
        year = PER_YEAR[panel.study.period]
        span = 3 if year == 1 else year
        starts = panel.starts[panel.treated]
        room = int(starts.min()), panel.end - int(starts.max())
        window = self.window or (-min(span, room[0]), max(1, min(span, room[1])) - 1)
        reference = min(year, room[0] - panel.gap) if self.reference is None else self.reference
        base = choose_windows(panel, max(reference, -window[0] - panel.gap), window[1] + 1, "EventStudy")
        return window, replace(base, before=reference)

    def _asymptotic(self, panel: Panel, window: tuple[int, int], base: Windows, inference: OnRequest) -> Estimates:
        additive = self.scale == "additive"
        _, times = event_times(panel, window, base)
        measured = common_units(measurable(panel, base, times, "EventStudy", additive=additive), panel, "EventStudy")
        estimator = mean_difference if additive else pooled_ratio
        parts = {k: _or_missing(estimator, panel, m) for k, m in measured.items()}
        if all(np.isnan(estimate) for estimate, _ in parts.values()):
            raise EstimationError(Problem(SEPARATED))
        nothing = np.nan, np.zeros(len(panel.units))
        columns = [parts.get(k, nothing) for k in times]
        result = inference.conclude(
            pd.DataFrame({"event_time": times}),
            np.array([estimate for estimate, _ in columns]),
            np.stack([influence for _, influence in columns], axis=1),
            row_notes=[NO_CASE_THEN if np.isnan(estimate) else "" for estimate, _ in columns],
            panel=panel,
            scale=Scale("identity", "cases") if additive else Scale("log", "ratio"),
            method=self,
            counts=counts_of(panel, next(iter(measured.values()))),
        )
        return replace(result, notes=(*result.notes, *dropped_notes(next(iter(measured.values())))))


def _or_missing(
    estimator: Callable[[Panel, Measured], tuple[float, np.ndarray]], panel: Panel, measured: Measured
) -> tuple[float, np.ndarray]:
    """Return an effect with its influences; missing where the areas with or without the measure have no case."""
    try:
        return estimator(panel, measured)
    except EstimationError as error:
        if [problem.code for problem in error.problems] != [SEPARATED]:
            raise
        return np.nan, np.zeros(len(panel.units))
