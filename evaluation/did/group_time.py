"""Group-time effects: every cohort in every period against units without the measure, and averages of these."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from evaluation.data.periods import PER_YEAR
from evaluation.did.covariates import read_covariates
from evaluation.did.groups.aggregate import AGGREGATIONS, AggregationKind
from evaluation.did.groups.averages import Averaged, Fitted, averaged, counts_of_cells, fit_cells
from evaluation.did.groups.cells import CELL_ESTIMATORS, CellEstimator
from evaluation.did.groups.sample import draw_sample, make_grid
from evaluation.did.inference.asymptotic import Asymptotic
from evaluation.did.inference.randomised import randomised_effect, randomised_path
from evaluation.did.inference.unit_effects import Measured, choose_windows
from evaluation.did.models.rows import as_cases, with_term
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization
from evaluation.randomization.measures import Adjusted, ChangeMeasure, MeanOfLogs

SCALES = ("ratio", "levels", "additive")


@dataclass(frozen=True, kw_only=True)
class GroupTime:
    """The effect on each cohort (units with the same start) in each period, or averages of these effects.

    Units that start at different times are never compared with units that already have the measure. Who is compared
    (``study.comparison``) and periods of anticipation (``study.anticipation``) are declared in the study.

    Parameters
    ----------
    aggregation
        ``simple``: one effect, the average over all cohorts and periods with the measure, by size of the cohorts.
        ``dynamic``: by time since the start; overall the plain mean from the start on. ``group``: by cohort;
        overall by size. ``calendar``: by period; overall the plain mean. None: every cohort and period.
    estimator
        ``doubly_robust`` (right where the outcome regression or the propensity model is), ``outcome_regression``
        or ``inverse_probability``; the same without covariates.
    covariates
        Further columns of the panel's frame, numbers, of which the value in the base period counts: comparison
        units are to develop as treated ones with the same values would have.
    base
        ``varying``: periods before the start are compared with the period before them; ``universal``: all periods
        with the last one before the start (or before anticipation).
    window
        First and last time since the start that count; all by default.
    unbalanced
        ``cells``: each effect uses the units with data in its two periods. ``drop``: units with a gap are set aside.
    scale
        ``ratio``: mean log ratios, of ``(count + 1/2) / exposure``. ``levels``: additional cases in the periods
        averaged, derived from the ratio. ``additive``: differences of counts a unit and period (rates with exposure).
    inference
        :class:`evaluation.Randomization` by default, for ``simple`` and ``dynamic`` ratios; an asymptotic kind,
        such as :class:`ClusterRobust` or :class:`MultiplierBootstrap`, has to be asked for.

    Notes
    -----
    Keys: ``cohort`` and ``period`` without aggregation. With one, ``term`` is ``effect`` for the overall effect, else
    the name of the next key: ``event_time``, ``cohort`` (label of the first treated period) or ``period``. Column
    ``n`` is the number of treated units that a row rests on. The formula stands at
    :func:`evaluation.did.groups.cells.cell_effects`. Asymptotic standard errors contain the estimation of both
    regressions and of the shares of the cohorts.

    Under randomisation areas are compared over windows before and after the start (as in :class:`TwoByTwo` and
    :class:`EventStudy`) by means of log counts less what covariates explain; changes are adjusted for the return to the
    usual level. The row ``unadjusted`` of ``simple`` is the group-time average over the same periods after the start.

    References
    ----------
    Callaway and Sant'Anna (2021), Difference-in-differences with multiple time periods; Sant'Anna and Zhao (2020).

    Examples
    --------
    >>> from evaluation.did.inference.asymptotic import ClusterRobust
    >>> from evaluation.simulate import example_panel
    >>> result = GroupTime(aggregation="dynamic", window=(-2, 1), inference=ClusterRobust()).estimate(example_panel())
    >>> result.table["event_time"].tolist(), result.table["n"].unique().tolist()
    ([<NA>, -2, -1, 0, 1], [3])
    """

    aggregation: AggregationKind | None = "simple"
    estimator: CellEstimator = "doubly_robust"
    covariates: tuple[str, ...] = ()
    base: Literal["varying", "universal"] = "varying"
    window: tuple[int, int] | None = None
    unbalanced: Literal["cells", "drop"] = "cells"
    scale: Literal["ratio", "levels", "additive"] = "ratio"
    inference: Randomization | Asymptotic = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        choices: dict[str, tuple[object, ...]] = {
            "aggregation": (None, *AGGREGATIONS),
            "estimator": CELL_ESTIMATORS,
            "base": ("varying", "universal"),
            "unbalanced": ("cells", "drop"),
            "scale": SCALES,
        }
        wrong = [(name, ", ".join(map(str, of))) for name, of in choices.items() if getattr(self, name) not in of]
        given: object = self.covariates
        if isinstance(given, str):
            wrong.append(("covariates", f'("{given}",)'))
        if self.window is not None:
            if self.aggregation in {None, "calendar"}:
                wrong.append(("window", "None, aggregation = simple, dynamic, group"))
            elif not (self.window[0] <= self.window[1] and self.window[1] >= 0):
                wrong.append(("window", "(k, l), k <= l, l >= 0"))
        problems = [
            Problem("core.option_value", method="GroupTime", option=name, given=getattr(self, name), allowed=of)
            for name, of in wrong
        ]
        if isinstance(self.inference, Randomization):
            problems += self._randomisation_problems()
        if problems:
            raise DesignError(*problems)

    def _randomisation_problems(self) -> list[Problem]:
        """Return what has no test by drawn assignments."""
        problems = []
        if self.aggregation not in {"simple", "dynamic"}:
            problems.append(Problem("group_time.randomised_aggregation", given=self.aggregation))
        elif self.aggregation == "dynamic" and self.scale != "ratio":
            problems.append(Problem("group_time.randomised_scale", given=self.scale))
        return problems

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effects, on the log scale or in cases.

        Raises
        ------
        DesignError
            A covariate or the window does not fit the panel.
        EstimationError
            No cohort can be compared in any period with the measure: the reasons by cohort.
        """
        if isinstance(self.inference, Randomization):
            return self._randomised(panel)
        fitted = self._fitted(panel)
        result = averaged(fitted, self.aggregation, self.window, cases=self.scale == "levels")
        return self._concluded(panel, fitted, result, self.inference)

    def _fitted(self, panel: Panel) -> Fitted:
        grid = make_grid(panel, self.base)
        sample = draw_sample(
            panel,
            grid,
            self.covariates,
            ratio=self.scale != "additive",
            complete=self.unbalanced == "drop",
            method="GroupTime",
        )
        return fit_cells(sample, grid, self.covariates, self.estimator)

    def _concluded(self, panel: Panel, fitted: Fitted, result: Averaged, inference: Asymptotic) -> Estimates:
        concluded = inference.conclude(
            result.keys,
            result.estimate,
            result.influence,
            panel=panel,
            scale=self._scale(panel),
            method=self,
            counts=counts_of_cells(fitted),
            parameters=None,
            row_notes=["" if note == "group_time.note.partly" else note for note in result.notes],
        )
        table = concluded.table.copy()
        table["note"] = [own or given for own, given in zip(concluded.table["note"], result.notes, strict=True)]
        dropped = tuple(Note(code, {"n": n}) for code, n in concluded.counts.dropped.items())
        facts = {
            "cohorts": len(np.unique([block.cohort for block in fitted.blocks])),
            "effective_comparison": min(design.effective for design in fitted.designs),
        }
        concluded = replace(
            concluded,
            table=table,
            notes=(*concluded.notes, *dropped, *fitted.notes),
            facts={**concluded.facts, **facts},
        )
        return as_cases(concluded, result.observed) if self.scale == "levels" else concluded

    def _scale(self, panel: Panel) -> Scale:
        if self.scale != "additive":
            return Scale("log", "ratio")
        return Scale("identity", "rate" if panel.study.exposure else "cases")

    # --- by drawn assignments -----------------------------------------------------------------------------------------

    def _randomised(self, panel: Panel) -> Estimates:
        change = self._change(panel)
        if self.aggregation == "simple":
            after = None if self.window is None else self.window[1] + 1
            return randomised_effect(panel, self, after=after, change=change, own=self._own, scale=self.scale)
        year = PER_YEAR[panel.study.period]
        reach = 3 if year == 1 else year
        starts = panel.starts[panel.treated]
        room = int(starts.min()), panel.end - int(starts.max())
        window = self.window or (-min(reach, room[0]), max(1, min(reach, room[1])) - 1)
        before = min(year, room[0] - panel.gap)
        windows = choose_windows(panel, max(before, -window[0] - panel.gap), window[1] + 1, "GroupTime")
        path = randomised_path(panel, self, window=window, base=replace(windows, before=before), change=change)
        return with_term(path)

    def _change(self, panel: Panel) -> ChangeMeasure:
        if not self.covariates:
            return MeanOfLogs()
        values = read_covariates(panel, self.covariates, method="GroupTime", within_units=False)
        return Adjusted(MeanOfLogs(), np.moveaxis(values, 0, 2))

    def _own(self, panel: Panel, measured: Measured) -> float:
        """Return the group-time average over the periods of the after-window, on the log scale; missing without one."""
        method = replace(self, scale="ratio") if self.scale == "levels" else self
        try:
            result = averaged(method._fitted(panel), "simple", (0, measured.windows.after - 1))
        except EstimationError:
            return float("nan")
        return float(result.estimate[0])
