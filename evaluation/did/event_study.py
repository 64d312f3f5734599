"""The effect by time since the start: cohort-wise long differences against areas without the measure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.data.periods import PER_YEAR
from evaluation.did.asymptotic import ClusterRobust
from evaluation.did.effects import (
    counts_of,
    effect_row,
    facts_of,
    mean_difference,
    notes_of,
    plain_row,
    pooled_ratio,
)
from evaluation.did.unit_effects import Measured, choose_windows, measure
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Draws, Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.history import Windows
from evaluation.randomization.inference import Randomization, Tested

FEW_CASES = 5.0


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
    inference: Randomization | ClusterRobust = field(default_factory=Randomization)

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
        shown = [k for k in range(window[0], window[1] + 1) if not (panel.partial and k == -1)]
        times = [k for k in shown if not (base.before == 1 and k == -1 - base.gap)]
        measured = _common({k: self._measured(panel, base, k) for k in times}, panel)
        keys = pd.DataFrame({"event_time": times})
        if isinstance(self.inference, ClusterRobust):
            return self._cluster_robust(panel, keys, list(measured.values()), self.inference)
        return self._randomised(panel, measured, shown, self.inference)

    def _resolved(self, panel: Panel) -> tuple[tuple[int, int], Windows]:
        year = PER_YEAR[panel.study.period]
        span = 3 if year == 1 else year
        starts = panel.starts[panel.treated]
        room = int(starts.min()), panel.end - int(starts.max())
        window = self.window or (-min(span, room[0]), max(1, min(span, room[1])) - 1)
        reference = min(year, room[0] - panel.gap) if self.reference is None else self.reference
        base = choose_windows(panel, max(reference, -window[0] - panel.gap), window[1] + 1, "EventStudy")
        return window, replace(base, before=reference)

    def _measured(self, panel: Panel, base: Windows, k: int) -> Measured:
        scale: Literal["identity", "pre_trend", "log"]
        scale = "identity" if self.scale == "additive" else "pre_trend" if k < 0 else "log"
        return measure(panel, replace(base, lead=k, after=1), "EventStudy", scale=scale)

    def _randomised(
        self, panel: Panel, measured: dict[int, Measured], shown: list[int], inference: Randomization
    ) -> Estimates:
        first = next(iter(measured.values()))
        at_start = measured.get(0, first)
        reference = inference.assign(at_start.effects, panel.contiguity)
        tested = {k: inference.test(m.effects, reference) for k, m in measured.items()}
        rows = [
            {"event_time": k, **(effect_row(tested[k]) if k in tested else plain_row(0.0, "reference_period"))}
            for k in shown
        ]
        effects = _same_dates(tested, measured, panel, len(reference.cohort))
        before = [values for k, values in effects.items() if k < -panel.study.anticipation]
        facts = facts_of(at_start, tested[0], reference) | {"pre_trend_p": _joint_p(before)}
        return Estimates(
            table=pd.DataFrame(rows),
            scale=Scale("log", "ratio"),
            draws=_draws(effects, panel, reference, inference),
            declaration=panel.study,
            method=self,
            counts=counts_of(panel, at_start),
            notes=(*notes_of(at_start), *_low_counts(at_start)),
            facts=facts,
        )

    def _cluster_robust(
        self, panel: Panel, keys: pd.DataFrame, measured: list[Measured], inference: ClusterRobust
    ) -> Estimates:
        estimator = mean_difference if self.scale == "additive" else pooled_ratio
        parts = [estimator(panel, m) for m in measured]
        return inference.conclude(
            keys,
            np.array([estimate for estimate, _ in parts]),
            np.stack([influence for _, influence in parts], axis=1),
            panel=panel,
            scale=Scale("identity", "cases") if self.scale == "additive" else Scale("log", "ratio"),
            method=self,
            counts=counts_of(panel, measured[0]),
        )


def _low_counts(measured: Measured) -> tuple[Note, ...]:
    """Return a caution where single periods of the treated units hold few cases: logs of small counts lean."""
    typical = float(np.median(measured.effects.level[measured.effects.treated(measured.effects.cohort)]))
    return (Note("core.note.low_counts", {"n": typical}),) if typical < FEW_CASES else ()


def _common(measured: dict[int, Measured], panel: Panel) -> dict[int, Measured]:
    """Return the same changes for the units that have data at all event times; the others are counted."""
    pool = np.logical_and.reduce([m.effects.pool for m in measured.values()])
    groups = (("core.no_treated_left", panel.treated), ("core.no_comparison_left", panel.comparison))
    problems = [Problem(code, method="EventStudy") for code, group in groups if not (group & pool).any()]
    if problems:
        raise EstimationError(*problems)
    return {k: _restricted(m, pool) for k, m in measured.items()}


def _restricted(measured: Measured, pool: np.ndarray) -> Measured:
    effects = replace(measured.effects, pool=pool, cohort=np.where(pool, measured.effects.cohort, -1))
    lost = int((measured.effects.pool & ~pool).sum())
    incomplete = {"core.note.dropped_incomplete": measured.dropped.get("core.note.dropped_incomplete", 0) + lost}
    return replace(measured, effects=effects, dropped=measured.dropped | incomplete if lost else measured.dropped)


def _same_dates(
    tested: dict[int, Tested], measured: dict[int, Measured], panel: Panel, assignments: int
) -> dict[int, np.ndarray]:
    """Return ``(B,)`` effects under the same assignments at the same dates for all event times.

    With few units, assignments at earlier dates join the reference set, and the periods farthest from the start
    reach fewer of these dates.
    """
    blocks = {k: one.reference.reshape(-1, assignments) for k, one in tested.items()}
    if len({len(block) for block in blocks.values()} | {1}) == 1:
        return {k: one.reference for k, one in tested.items()}
    dates = {k: m.past_dates if len(blocks[k]) > 1 else np.empty(0, dtype=int) for k, m in measured.items()}
    common = reduce(np.intersect1d, dates.values())
    kept = {k: np.r_[True, np.isin(dates[k], common)][: len(block)] for k, block in blocks.items()}
    return {k: block[kept[k]].ravel() for k, block in blocks.items()}


def _draws(effects: dict[int, np.ndarray], panel: Panel, reference: ReferenceSet, inference: Randomization) -> Draws:
    values = np.stack(list(effects.values()), axis=1)
    return Draws(values=values, key=(panel.units, reference.key), enumerated=reference.enumerated)


def _joint_p(effects: list[np.ndarray]) -> float:
    """Return the p-value of the largest standardised deviation over several periods, each ``(B,)``."""
    if not effects:
        return float("nan")
    deviations = np.stack(effects, axis=1)
    spread = deviations.std(axis=0)
    largest = np.abs(deviations / np.where(spread > 0, spread, 1.0)).max(axis=1)
    return float((largest >= largest[0] * (1 - 1e-9)).mean())
