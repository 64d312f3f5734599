"""Counts of areas over time joined with the study that they answer, checked once.

Estimators read the arrays; the frame stays as the caller gave it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evaluation.data.periods import convert, frequency_of, ordinal, span
from evaluation.errors import DesignError, Problem, nearest
from evaluation.study import Study

SMALLEST_EXPOSURE = 1e-12  # of the largest one


@dataclass(frozen=True, eq=False)
class Panel:
    """A tidy frame and the study that it answers.

    Parameters
    ----------
    frame
        Columns ``unit`` and ``period`` (text), ``outcome`` (counts, missing where unknown) and, where the study
        compares rates, ``exposure``. One row for each unit and period; a combination that is not there is a
        gap, never a zero.
    study
        The declaration.
    neighbours
        For every unit the units that touch it; needed where the study leaves out neighbours.
    positions
        For every unit the two coordinates of its centre, in metres of one projected system (such as
        EPSG:25833); needed by :class:`evaluation.Conley`.

    Raises
    ------
    DesignError
        With all problems: missing columns, duplicates, negative counts, treated units that do not exist or have
        no period before or after their start, no comparison unit.

    Examples
    --------
    >>> frame = pd.DataFrame({"unit": ["a", "a", "b", "b"], "period": ["2018", "2019"] * 2})
    >>> frame["outcome"] = [50, 30, 60, 55]
    >>> panel = Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since={"a": "2019"}))
    >>> panel.outcome.tolist(), panel.starts.tolist()
    ([[50.0, 30.0], [60.0, 55.0]], [1, -1])
    """

    frame: pd.DataFrame
    study: Study
    neighbours: Mapping[str, frozenset[str]] | None = None
    positions: Mapping[str, tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        needed = ["unit", "period", "outcome", *(["exposure"] if self.study.exposure else [])]
        missing = [name for name in needed if name not in self.frame.columns]
        if missing:
            raise DesignError(Problem("core.panel_columns", study=self.study.id, columns=missing))
        if self.frame.empty:
            raise DesignError(Problem("core.panel_empty", study=self.study.id))
        wrong = self._period_problems()
        if unnamed := int(self.frame["unit"].isna().sum()):
            wrong.append(Problem("core.panel_unit_missing", study=self.study.id, n=unnamed))
        if wrong:
            raise DesignError(*wrong)
        problems = [*self._value_problems(), *self._unit_problems()]
        if not problems:
            problems = self._comparison_problems()
        if problems:
            raise DesignError(*problems)

    # --- what the frame holds -------------------------------------------------------------------------------------

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Labels of the ``N`` units, sorted."""
        return tuple(self._unit_codes[1])

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """Labels of the ``T`` periods from the first to the last, without gaps."""
        labels = self._period_codes[1]
        return span(labels[0], labels[-1])

    @cached_property
    def outcome(self) -> np.ndarray:
        """``(N, T)`` counts; missing where the frame has no row or no value, or the period is dropped as partial."""
        return self._with_gaps(self.wide("outcome"))

    @cached_property
    def exposure(self) -> np.ndarray:
        """``(N, T)`` exposure; ones where the study compares counts."""
        if not self.study.exposure:
            return np.ones((len(self.units), len(self.periods)))
        return self.wide("exposure")

    # --- who is treated since when, and who is compared -------------------------------------------------------------

    @cached_property
    def starts(self) -> np.ndarray:
        """``(N,)`` index of the first treated period, -1 for units never treated."""
        starts = np.full(len(self.units), -1)
        since = self.study.starts
        first = {period: self._start_index(period) for period in set(since.values())}
        starts[self._positions(since)] = [first[period] for period in since.values()]
        return starts

    @cached_property
    def gap(self) -> int:
        """Periods just before the start that count on neither side: anticipation, a dropped partial one."""
        return self.study.anticipation + self.partial

    @cached_property
    def partial(self) -> bool:
        """Whether the period just before some start is dropped because the measure began in it."""
        whole = all(convert(since, self.study.period)[1] for since in set(self.study.starts.values()))
        return not whole and self.study.partial_period == "drop"

    @cached_property
    def end(self) -> int:
        """Index after the last period that shows the measure: of the panel, or of the measure where it ended."""
        if self.study.until is None:
            return len(self.periods)
        return min(len(self.periods), max(0, self._index(convert(self.study.until, self.study.period)[0]) + 1))

    @cached_property
    def treated(self) -> np.ndarray:
        """``(N,)`` whether a unit is treated at some time."""
        return self.starts >= 0

    @cached_property
    def comparison(self) -> np.ndarray:
        """``(N,)`` whether a unit never treated may be compared (see `left_out` and `excluded`)."""
        return np.asarray(~self.treated & ~self.left_out & ~self.excluded)

    @cached_property
    def left_out(self) -> np.ndarray:
        """``(N,)`` whether a unit touches a treated one and is not compared for that."""
        if self.study.leave_out == "none" or self.neighbours is None:
            return np.zeros(len(self.units), dtype=bool)
        touching = set().union(*(self.neighbours.get(unit, frozenset()) for unit in self.study.treated))
        return np.array([unit in touching for unit in self.units])

    @cached_property
    def excluded(self) -> np.ndarray:
        """``(N,)`` whether the study keeps a unit out of the comparison, as one that has the measure too."""
        return np.asarray(pd.Index(self.units).isin(self.study.excluded))

    @cached_property
    def contiguity(self) -> np.ndarray | None:
        """``(N, N)`` whether two units touch, or None without geometry."""
        if self.neighbours is None:
            return None
        touching = np.zeros((len(self.units), len(self.units)), dtype=bool)
        position = {unit: row for row, unit in enumerate(self.units)}
        for unit, row in position.items():
            touching[row, [position[other] for other in self.neighbours.get(unit, ()) if other in position]] = True
        return touching

    # --- parts --------------------------------------------------------------------------------------------------------

    @cached_property
    def _unit_codes(self) -> tuple[np.ndarray, list[str]]:
        """Row by row the position of its unit among the sorted labels ``(R,)``, and these labels."""
        return _coded(self.frame["unit"])

    @cached_property
    def _period_codes(self) -> tuple[np.ndarray, list[str]]:
        return _coded(self.frame["period"])

    @cached_property
    def _cells(self) -> np.ndarray:
        """``(R,)`` position of every row in the flattened ``(N, T)`` arrays."""
        codes, labels = self._period_codes
        first = ordinal(labels[0])
        position = np.array([ordinal(label) - first for label in labels])
        return np.asarray(self._unit_codes[0] * len(self.periods) + position[codes])

    def _positions(self, units: Iterable[str]) -> np.ndarray:
        """Return the positions of `units`, -1 where there is no such unit."""
        return np.asarray(pd.Index(self.units).get_indexer(pd.Index(list(units), dtype="str")))

    def wide(self, column: str) -> np.ndarray:
        """Return a column of the frame as ``(N, T)``; missing where the frame has no row or no value."""
        values = np.full((len(self.units), len(self.periods)), np.nan)
        values.ravel()[self._cells] = self.frame[column].to_numpy(dtype=float, na_value=np.nan)
        return values

    def _with_gaps(self, outcome: np.ndarray) -> np.ndarray:
        """Blank periods that are partly treated, and periods after the end of the measure."""
        if self.study.partial_period == "drop":
            for since in set(self.study.starts.values()):
                period, whole = convert(since, self.study.period)
                if not whole and period in self.periods:
                    own = [unit for unit, start in self.study.starts.items() if start == since]
                    outcome[self._positions(own), self.periods.index(period)] = np.nan
        if self.study.until is not None:
            outcome[self._positions(self.study.treated), self.end :] = np.nan
        return outcome

    def _start_index(self, since: str) -> int:
        period, whole = convert(since, self.study.period)
        late = not whole and self.study.partial_period != "after"
        return self._index(period) + late

    def _index(self, period: str) -> int:
        return ordinal(period) - ordinal(self.periods[0])

    def _period_problems(self) -> list[Problem]:
        """Return labels that are no periods (numbers instead of text, too), or are not as long as the study's."""
        labels, study = self.frame["period"].unique(), self.study
        forms = {label: frequency_of(label) if isinstance(label, str) else None for label in labels}
        wrong = [label for label, form in forms.items() if form is None]
        if wrong:
            shown = [label if isinstance(label, str) else f"{label} ({type(label).__name__})" for label in wrong[:5]]
            return [Problem("core.study_period", file=study.source, study=study.id, given=label) for label in shown]
        if set(forms.values()) == {study.period}:
            return []
        found = sorted({form for form in forms.values() if form is not None})
        return [
            Problem(
                "core.study_option",
                file=study.source,
                study=study.id,
                option="period",
                given=study.period,
                allowed=tuple(found),
            )
        ]

    def _value_problems(self) -> list[Problem]:
        problems, study = [], self.study.id
        if np.bincount(self._cells).max() > 1:
            twice = self.frame.duplicated(["unit", "period"])
            row = self.frame[twice].iloc[0]
            problems.append(
                Problem("core.panel_duplicate", study=study, unit=row["unit"], period=row["period"], n=int(twice.sum()))
            )
        outcome = self.frame["outcome"].to_numpy(dtype=float, na_value=np.nan)
        problems += [
            Problem("core.panel_infinite", study=study, unit=unit, period=period)
            for unit, period, _ in self._first_where(np.isinf(outcome))
        ]
        problems += [
            Problem("core.panel_negative", study=study, unit=unit, period=period, count=count)
            for unit, period, count in self._first_where(outcome < 0)
        ]
        if self.study.exposure:
            exposure = self.frame["exposure"].to_numpy(dtype=float, na_value=np.nan)
            problems += [
                Problem("core.panel_exposure", study=study, unit=unit, period=period)
                for unit, period, _ in self._first_where(~_usable_exposure(exposure))
            ]
        return problems

    def _first_where(self, wrong: np.ndarray, number: int = 5) -> list[tuple[str, str, float]]:
        """Return unit, period and outcome of the first rows in which something is wrong."""
        if not wrong.any():
            return []
        rows = self.frame.loc[wrong, ["unit", "period", "outcome"]].head(number)
        return list(rows.itertuples(index=False, name=None))

    def _unit_problems(self) -> list[Problem]:
        problems, study, starts = [], self.study.id, self.study.starts
        first = {since: self._start_index(since) for since in set(starts.values())}
        early = {since for since, start in first.items() if start - self.gap <= 0}
        late = {since for since, start in first.items() if start >= len(self.periods)} - early
        for (unit, since), position in zip(starts.items(), self._positions(starts), strict=True):
            if position < 0:
                guess = nearest(unit, self.units)
                problems.append(Problem("core.panel_unknown_treated", study=study, unit=unit, hint=guess or "–"))
            elif since in early:
                problems.append(Problem("core.panel_no_before", study=study, unit=unit, since=since))
            elif since in late:
                last = self.periods[-1]
                problems.append(Problem("core.panel_no_after", study=study, unit=unit, since=since, last=last))
        return problems

    def _comparison_problems(self) -> list[Problem]:
        if self.study.leave_out == "neighbours" and self.neighbours is None:
            return [Problem("core.panel_no_neighbours", study=self.study.id)]
        staggered = len(set(self.starts[self.treated])) > 1
        if not self.comparison.any() and not (self.study.comparison == "not_yet_treated" and staggered):
            return [Problem("core.panel_no_comparison", study=self.study.id)]
        return []


def _usable_exposure(exposure: np.ndarray) -> np.ndarray:
    """Return where values are finite, and not so small beside the largest that they vanish in sums with it."""
    known = exposure[np.isfinite(exposure)]
    return np.asarray(np.isfinite(exposure) & (exposure > SMALLEST_EXPOSURE * known.max(initial=0.0)))


def _coded(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return codes ``(R,)`` of a column of text in the sorted order of its labels, and the labels."""
    codes, labels = pd.factorize(column)
    order = np.argsort(np.asarray(labels, dtype=object), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes], [str(label) for label in np.asarray(labels, dtype=object)[order]]
