"""Before and after, with and without the measure, affected and unaffected cases: night x centre x after.

The cases that a measure cannot touch, those by day say, carry everything else that happened in an area. Taking their
change off leaves what is special to the affected cases. What is left out: effects by time since the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.did.inference.effects import (
    counts_of,
    draws_of,
    dropped_notes,
    effect_row,
    facts_of,
    in_cases,
    notes_of,
    observed_cases,
    plain_row,
    pooled_ratio,
)
from evaluation.did.inference.on_request import OnRequest
from evaluation.did.inference.randomised import NO_CASE
from evaluation.did.inference.unit_effects import Measured, choose_windows, measure
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization, UnitEffects
from evaluation.randomization.measures import LOG_OF_SUMS, ChangeMeasure
from evaluation.randomization.windows import CONTINUITY, Windows

METHOD = "TripleDifference"
SCALES = ("ratio", "levels")
ALL_ZERO, NO_CASE_OF_A_KIND = "core.note.all_zero", "triple_dose.note.no_case_of_a_kind"
PANEL_COLUMNS = {"unit", "period", "outcome", "exposure"}


@dataclass(frozen=True, eq=False)
class RatioOfKinds(ChangeMeasure):
    """Change of the log ratio of the outcome to other cases of the same units and periods.

    Parameters
    ----------
    other
        ``(N, T)`` counts of the other kind; exposure cancels.

    Notes
    -----
    The variance of a log of two independent counts is about ``1 / a1 + 1 / a2``, so that the level that goes with a
    change is ``a`` with ``1 / a = 1 / a1 + 1 / a2``.
    """

    other: np.ndarray

    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the changes ``(H, N)``."""
        own, other = (LOG_OF_SUMS.values(cases, exposure, dates, windows) for cases in (outcome, self.other))
        return np.asarray(own - other)

    def rise_and_level(
        self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the preceding rise of the log ratio, and the level that belongs to both counts."""
        (rise, level), (rise_other, level_other) = (
            LOG_OF_SUMS.rise_and_level(cases, exposure, dates, windows) for cases in (outcome, self.other)
        )
        return rise - rise_other, 1.0 / (1.0 / level + 1.0 / level_other)


@dataclass(frozen=True, kw_only=True)
class TripleDifference:
    """The change of affected cases less that of unaffected ones, treated units against the others.

    Parameters
    ----------
    against
        Column of the panel's frame with the counts of the same units and periods that the measure cannot touch.
    before, after
        Lengths of the windows in periods; by default up to three years before and one year after.
    scale
        ``ratio``: ratio of ratios. ``levels``: additional cases in the after-windows, derived from it.
    inference
        :class:`evaluation.Randomization` by default; others have to be asked for.

    Notes
    -----
    With cases ``T`` of treated and ``C`` of other units, affected (night) and not (day),

    ``ln [(T1 / T0) / (C1 / C0)] of the night - ln [(T1 / T0) / (C1 / C0)] of the day``,

    the saturated Poisson regression of eight cells. It is the coefficient of treated x after x night with effects of
    unit x kind, window x kind and treated x after absorbed. (With unit x window effects in place of the last, units
    would count by the precision of their own ratio.) The row ``unadjusted`` is this number. Under randomisation every
    unit contributes the change of its log ratio of night to day, adjusted for the return to the usual level and
    standardised with the history of that ratio.
    Rows ``outcome`` and ``against`` are the effects on either kind alone, under the same assignments; each has its own
    weights and adjustment. What raises or lowers both kinds alike in the treated units cancels, be it another measure
    or a change of recording; what touches only the night does not.

    References
    ----------
    Gruber (1994), The incidence of mandated maternity benefits; Olden and Moen (2022), The triple difference
    estimator.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> panel = example_panel()
    >>> day = replace(panel, frame=panel.frame.assign(day=2 * panel.frame["outcome"][::-1].to_numpy()))
    >>> TripleDifference(against="day", before=3, after=1).estimate(day).table["term"].tolist()
    ['effect', 'unadjusted', 'outcome', 'against']
    """

    against: str
    before: int | None = None
    after: int | None = None
    scale: Literal["ratio", "levels"] = "ratio"
    inference: Randomization | OnRequest = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise DesignError(
                Problem("core.option_value", method=METHOD, option="scale", given=self.scale, allowed=", ".join(SCALES))
            )

    def estimate(self, panel: Panel) -> Estimates:
        """Return the rows ``effect``, ``unadjusted`` (randomisation only), ``outcome`` and ``against``.

        Raises
        ------
        DesignError
            The column `against` is missing, no numbers, negative or the outcome itself; the windows do not fit.
        EstimationError
            No unit has complete data of both kinds in the windows, or treated units have no case of a kind.
        """
        panels = {"effect": panel, "outcome": panel, "against": self._other(panel)}
        measured = self._measured(panels)
        if isinstance(self.inference, Randomization):
            return self._randomised(panels, measured, self.inference)
        return self._on_request(panels, measured, self.inference)

    def _other(self, panel: Panel) -> Panel:
        """Return the panel of the unaffected cases."""
        check_number_column(panel, self.against, METHOD)
        other = replace(panel, frame=panel.frame.assign(outcome=panel.frame[self.against]))
        if np.array_equal(panel.outcome, other.outcome, equal_nan=True):
            raise DesignError(Problem("triple_dose.same_counts", method=METHOD, name=self.against))
        return other

    def _measured(self, panels: Mapping[str, Panel]) -> dict[str, Measured]:
        """Return the changes of both kinds and of their ratio for the units that have cases of both."""
        panel, other = panels["outcome"], panels["against"]
        windows = choose_windows(panel, self.before, self.after, METHOD)
        ratio = RatioOfKinds(other.outcome)
        measured = {
            "effect": measure(panel, windows, METHOD, change=ratio),
            "outcome": measure(panel, windows, METHOD),
            "against": measure(other, windows, METHOD),
        }
        pool = np.logical_and.reduce([part.effects.pool for part in measured.values()])
        lost = int((measured["effect"].effects.pool & ~pool).sum())
        measured = {name: _within(part, pool, lost) for name, part in measured.items()}
        if problems := _nobody_left(measured["effect"].effects):
            raise EstimationError(*problems)
        return measured

    def _randomised(
        self, panels: Mapping[str, Panel], measured: Mapping[str, Measured], inference: Randomization
    ) -> Estimates:
        panel, main = panels["effect"], measured["effect"]
        reference = inference.assign(main.effects, panel.contiguity)
        tested = {name: inference.test(part.effects, reference) for name, part in measured.items()}
        pooled = _pooled_or_missing(panels, measured)
        rows = {name: effect_row(one) for name, one in tested.items()}
        rows["unadjusted"] = plain_row(pooled, "unadjusted" if np.isfinite(pooled) else NO_CASE)
        order = ("effect", "unadjusted", "outcome", "against")
        table = pd.DataFrame([{"term": term, **rows[term]} for term in order])
        observed = _counted(panels, measured)
        seen, counted = observed_cases(panel, main), observed["effect"]
        facts = {"observed": seen, "expected": seen - counted + counted / float(np.exp(tested["effect"].estimate))}
        return Estimates(
            table=in_cases(table, _by_row(observed, table)) if self.scale == "levels" else table,
            scale=self._scale,
            draws=draws_of([tested["effect"].reference], panel, main, reference),
            declaration=panel.study,
            method=self,
            counts=counts_of(panel, main),
            notes=(*notes_of(main, reference), Note("triple_dose.note.parts")),
            facts=facts_of(main, tested["effect"], reference) | facts,
        )

    def _on_request(
        self, panels: Mapping[str, Panel], measured: Mapping[str, Measured], inference: OnRequest
    ) -> Estimates:
        panel, main = panels["effect"], measured["effect"]
        own, other = _pooled(panels, measured)
        estimate = np.array([own[0] - other[0], own[0], other[0]])
        influence = np.stack([own[1] - other[1], own[1], other[1]], axis=1)
        result = inference.conclude(
            pd.DataFrame({"term": ["effect", "outcome", "against"]}),
            estimate,
            influence,
            panel=panel,
            scale=Scale("log", "ratio"),
            method=self,
            counts=counts_of(panel, main),
        )
        dropped = dropped_notes(main)
        result = replace(result, notes=(*result.notes, *dropped, Note("triple_dose.note.difference")))
        if self.scale == "ratio":
            return result
        observed = _by_row(_counted(panels, measured), result.table)
        table = in_cases(result.table, observed)
        table["std_error"] *= observed * np.exp(-estimate)
        table["statistic"] = table["estimate"] / table["std_error"]
        return replace(result, table=table, scale=self._scale, influence=None)

    @property
    def _scale(self) -> Scale:
        return Scale("log", "ratio") if self.scale == "ratio" else Scale("identity", "cases")


def check_number_column(panel: Panel, name: str, method: str) -> None:
    """Raise a DesignError where the panel has no column `name` of numbers beside its own."""
    known = [column for column in panel.frame.select_dtypes("number").columns if column not in PANEL_COLUMNS]
    if name not in known:
        raise DesignError(Problem("triple_dose.no_column", method=method, name=name, known=known))


def _within(measured: Measured, pool: np.ndarray, lost: int) -> Measured:
    """Return the same changes for the units of `pool`, those that have cases of both kinds; `lost` ones have not."""
    effects = replace(measured.effects, pool=pool, cohort=np.where(pool, measured.effects.cohort, -1))
    empty = lost + measured.dropped.get(ALL_ZERO, 0)
    dropped = {code: n for code, n in measured.dropped.items() if code != ALL_ZERO}
    return replace(measured, effects=effects, dropped=dropped | ({NO_CASE_OF_A_KIND: empty} if empty else {}))


def _nobody_left(effects: UnitEffects) -> list[Problem]:
    """Return that no unit is treated, or a cohort has nobody to be compared with."""
    cohorts = np.unique(effects.cohort[effects.treated(effects.cohort)])
    if not len(cohorts):
        return [Problem("core.no_treated_left", method=METHOD)]
    alone = [g for g in cohorts if not effects.compared(effects.cohort, int(g)).any()]
    return [Problem("core.no_comparison_left", method=METHOD)] if alone else []


def _pooled(
    panels: Mapping[str, Panel], measured: Mapping[str, Measured]
) -> tuple[tuple[float, np.ndarray], tuple[float, np.ndarray]]:
    """Return the pooled log ratios of both kinds, each with the influences ``(N,)`` of the units."""
    return (
        pooled_ratio(panels["outcome"], measured["outcome"]),
        pooled_ratio(panels["against"], measured["against"]),
    )


def _pooled_or_missing(panels: Mapping[str, Panel], measured: Mapping[str, Measured]) -> float:
    try:
        own, other = _pooled(panels, measured)
    except EstimationError:
        return float("nan")
    return own[0] - other[0]


def _counted(panels: Mapping[str, Panel], measured: Mapping[str, Measured]) -> dict[str, float]:
    """Return the cases of the treated units after the start by row; without a case, as many as the logs count."""
    units = int((measured["effect"].effects.cohort >= 0).sum())
    cases = {name: observed_cases(panels[name], part) or CONTINUITY * units for name, part in measured.items()}
    return cases | {"unadjusted": cases["effect"]}


def _by_row(values: Mapping[str, float], table: pd.DataFrame) -> np.ndarray:
    return np.array([values[term] for term in table["term"]])
