"""The rows of a result of treated cells: one effect, or by time since the start, or by cohort; and their conclusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar, cast

import numpy as np
import pandas as pd

from evaluation.data.periods import PER_YEAR
from evaluation.did.covariates import read_covariates
from evaluation.did.inference.asymptotic import Asymptotic, NullScores
from evaluation.did.inference.effects import in_cases
from evaluation.did.inference.randomised import randomised_effect, randomised_path
from evaluation.did.inference.unit_effects import Measured, choose_windows
from evaluation.did.models.counterfactual import CellOptions, Cells, calendar_months
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Scale
from evaluation.influence import joint_test
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization
from evaluation.randomization.measures import Adjusted, ChangeMeasure
from evaluation.randomization.windows import CONTINUITY

Aggregation = Literal["simple", "dynamic", "group"]
AGGREGATIONS = ("simple", "dynamic", "group")
SCALES = ("ratio", "levels", "additive")
SINGULAR = ("regression.collinear", "models_did.covariates_singular")
SINGLE = "models_did.note.single"


class RowOptions(CellOptions, Protocol):
    """The options of an estimator that say which rows there are, and how they are judged."""

    @property
    def aggregation(self) -> Aggregation:
        """Of the rows."""

    @property
    def leads(self) -> int | None:
        """Periods before the start that have a row."""

    @property
    def scale(self) -> Literal["ratio", "levels", "additive"]:
        """Of the estimates."""

    @property
    def inference(self) -> Randomization | Asymptotic:
        """How p-values and intervals are made."""


Method = TypeVar("Method", bound=RowOptions)


@dataclass(frozen=True, eq=False)
class Rows:
    """Key columns, and which cells each row is about, ``(G + 1, T, k)`` of zeros and ones."""

    keys: pd.DataFrame
    kernel: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class RowEffects:
    """Estimates ``(k,)`` with the influences ``(N, k)`` of the units of `cells`, and the cases that they are about.

    `notes` are codes of rows without a standard error, else empty; `observed` is ``(k,)``; `parameters` is the rule
    for small samples of :meth:`evaluation.did.inference.asymptotic.Asymptotic.conclude`.
    """

    cells: Cells
    keys: pd.DataFrame
    estimate: np.ndarray
    influence: np.ndarray
    notes: Sequence[str]
    observed: np.ndarray
    parameters: int | None

    def conclude(self, method: RowOptions, *, null_scores: NullScores | None = None) -> Estimates:
        """Return the result with the inference of `method`, in cases where it says so."""
        if isinstance(method.inference, Randomization):
            raise TypeError("drawn assignments are no inference from influences")
        judged = np.array([not note for note in self.notes])
        panel = self.cells.panel
        result = method.inference.conclude(
            self.keys,
            self.estimate,
            self.cells.in_panel(np.where(judged, self.influence, 0.0)),
            panel=panel,
            scale=_scale(method, panel),
            method=method,
            counts=self.cells.counts,
            parameters=self.parameters,
            row_notes=self.notes,
            null_scores=null_scores,
        )
        facts = {**result.facts, "observed": float(self.observed[0])}
        if method.scale != "additive":
            facts["expected"] = float(self.observed[0] * np.exp(-self.estimate[0]))
        if "event_time" in self.keys:
            facts["pre_trend_p"] = _pre_trend_p(result)
        result = replace(result, notes=(*result.notes, *self.cells.notes), facts=facts)
        if method.scale != "levels":
            return result
        cells = np.full(len(self.observed), self.cells.treated.any(axis=1).sum())
        cells[0] = self.cells.treated.sum()
        # without a case, as many as the logs of counts + 1/2 count
        return as_cases(result, np.where(self.observed > 0, self.observed, CONTINUITY * cells))


def _pre_trend_p(result: Estimates) -> float:
    """Return the p-value of the hypothesis that all rows before the start are zero; missing without such rows."""
    early = (result.table["event_time"] < 0).fillna(value=False).to_numpy(dtype=bool)
    tested = early & result.table["std_error"].notna().to_numpy()
    if not tested.any():
        return float("nan")
    try:
        return joint_test(result, np.eye(len(early))[tested]).p_value
    except EstimationError:  # more rows than degrees of freedom
        return float("nan")


def _scale(method: RowOptions, panel: Panel) -> Scale:
    if method.scale != "additive":
        return Scale("log", "ratio")
    return Scale("identity", "rate" if panel.study.exposure else "cases")


def as_cases(result: Estimates, observed: np.ndarray) -> Estimates:
    """Turn log ratios of rows with `observed` cases into additional cases: ``observed (1 - 1 / ratio)``."""
    slope = observed * np.exp(-result.table["estimate"].to_numpy(dtype=float))
    table = in_cases(result.table, observed)
    table["std_error"] *= slope
    table["statistic"] = table["estimate"] / table["std_error"]
    influence = result.influence
    if influence is not None:
        influence = replace(influence, values=influence.values * np.nan_to_num(slope))
    return replace(result, table=table, scale=Scale("identity", "cases"), influence=influence, draws=None)


# --- options --------------------------------------------------------------------------------------------------------


def check_options(method: RowOptions, **choices: tuple[object, ...]) -> None:
    """Refuse options that make no sense.

    Parameters
    ----------
    choices
        Allowed values by option.

    Raises
    ------
    DesignError
        With all problems.
    """
    wrong = [(name, ", ".join(map(str, of))) for name, of in choices.items() if getattr(method, name) not in of]
    lengths = {"before": method.before, "after": method.after, "leads": method.leads}
    wrong += [(name, ">= 1") for name, length in lengths.items() if length is not None and length < 1]
    if method.leads is not None and method.aggregation != "dynamic":
        wrong.append(("leads", "None, aggregation = dynamic"))
    given: object = method.covariates
    if isinstance(given, str):
        wrong.append(("covariates", f'("{given}",)'))
    if isinstance(method.inference, Randomization):
        if method.aggregation == "group" and "group" in choices["aggregation"]:
            wrong.append(("aggregation", "simple, dynamic (inference = Randomization)"))
        if method.aggregation == "dynamic" and method.scale != "ratio":
            wrong.append(("scale", "ratio (aggregation = dynamic, inference = Randomization)"))
    if wrong:
        name = type(method).__name__
        raise DesignError(
            *(
                Problem("core.option_value", method=name, option=option, given=getattr(method, option), allowed=of)
                for option, of in wrong
            )
        )


# --- drawn assignments ----------------------------------------------------------------------------------------------


def by_drawn_assignments(
    panel: Panel, method: Method, change: ChangeMeasure, effects: Callable[[Method, Panel], RowEffects]
) -> Estimates:
    """Return the effect, or effects by time since the start, judged by drawn assignments.

    Parameters
    ----------
    change
        How the estimator sees the change of a unit; covariates are taken off here.
    effects
        Returns the estimator's own effects; the first, over the same windows, is shown beside the one that is tested.
    """
    name = type(method).__name__
    calendar_months(panel, method)  # refuses a season that the panel cannot show
    if method.covariates:
        change = Adjusted(
            change, np.moveaxis(read_covariates(panel, method.covariates, method=name, within_units=True), 0, 2)
        )
    if method.aggregation != "simple":
        return _path(panel, method, change)

    def own(panel: Panel, measured: Measured) -> float:
        windows = measured.windows
        narrowed: Any = replace(cast(Any, method), before=windows.before, after=windows.after, scale="ratio")
        try:
            return float(effects(narrowed, panel).estimate[0])
        except EstimationError as error:
            if any(problem.code in SINGULAR for problem in error.problems):
                raise
            return float("nan")

    return randomised_effect(
        panel, method, before=method.before, after=method.after, change=change, own=own, scale=method.scale
    )


def _path(panel: Panel, method: RowOptions, change: ChangeMeasure) -> Estimates:
    year = PER_YEAR[panel.study.period]
    reach = 3 if year == 1 else year
    starts = panel.starts[panel.treated]
    room_before, room_after = int(starts.min()) - panel.gap, panel.end - int(starts.max())
    before = min(year, room_before) if method.before is None else method.before
    leads = min(reach, room_before) if method.leads is None else method.leads
    after = max(1, min(reach, room_after)) if method.after is None else method.after
    windows = choose_windows(panel, max(before, leads), after, type(method).__name__)
    window = -leads - panel.gap, after - 1
    result = randomised_path(panel, method, window=window, base=replace(windows, before=before), change=change)
    return with_term(result)


def with_term(path: Estimates) -> Estimates:
    """Return effects by event time with the key ``term`` that the same rows have from influences.

    There is no row ``effect``: under drawn assignments that is another test (``aggregation="simple"``).
    """
    table = path.table.copy()
    table.insert(0, "term", "event_time")
    return replace(path, table=table)


def calendar_parts(panel: Panel, *, season: bool) -> int:
    """Return the number of periods in a year for a season, 0 without one."""
    return PER_YEAR[panel.study.period] if season else 0


# --- rows -----------------------------------------------------------------------------------------------------------


def treated_rows(cells: Cells, aggregation: Aggregation) -> Rows:
    """Return the rows of treated cells: the overall effect, then one for each event time or cohort."""
    there = cells.cohorts.sums(cells.treated) > 0
    since, labels = cells.event_time, []
    kernels = [there]
    if aggregation == "dynamic":
        labels = np.unique(since[there]).tolist()
        kernels += [there & (since == label) for label in labels]
    elif aggregation == "group":
        chosen = [g for g in range(len(cells.starts)) if there[g].any()]
        labels = [cells.panel.periods[int(cells.starts[g])] for g in chosen]
        kernels += [there & (np.arange(len(there)) == g)[:, None] for g in chosen]
    return Rows(row_keys(aggregation, labels), np.stack(kernels, axis=-1).astype(float))


def row_keys(aggregation: Aggregation, labels: Sequence[int] | Sequence[str]) -> pd.DataFrame:
    """Return the key columns: ``term``, and with several rows ``event_time`` or ``cohort``, missing overall."""
    if aggregation == "simple":
        return pd.DataFrame({"term": ["effect"]})
    column, kind = ("event_time", "Int64") if aggregation == "dynamic" else ("cohort", "str")
    shown = pd.Series([None, *labels], dtype=kind)
    return pd.DataFrame({"term": ["effect", *[column] * len(labels)], column: shown})


def dummies(event_time: np.ndarray, times: Sequence[int]) -> np.ndarray:
    """Return ``(G + 1, T, k)`` ones where `event_time` ``(G + 1, T)`` is the k-th of `times`."""
    return np.asarray((event_time[:, :, None] == np.array(times, dtype=int)).astype(float))
