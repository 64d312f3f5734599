"""How people were selected, as codes: strata, sampling units, fractions drawn; and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem, nearest
from evaluation.sample.weights import Adjustment, Replicates
from evaluation.survey_design import SurveyDesign, as_columns

CERTAIN = 1e-7  # a stratum of which less than this is left out was taken whole; R survey's limit
SHOWN = 5  # values that a message names before it says how many more there are


@dataclass(frozen=True, eq=False)
class Selection:
    """One stage of selection, on rows or on units.

    Parameters
    ----------
    clusters, strata
        ``(m,)`` codes 0, 1, ...; a cluster lies in one stratum.
    fraction
        ``(m,)`` share of the stratum's clusters that was drawn, or None for drawing with replacement.
    """

    clusters: np.ndarray
    strata: np.ndarray
    fraction: np.ndarray | None = None

    def at(self, rows: np.ndarray) -> Selection:
        """Return the stage as seen from some rows."""
        fraction = None if self.fraction is None else self.fraction[rows]
        return Selection(self.clusters[rows], self.strata[rows], fraction)

    @cached_property
    def lonely(self) -> np.ndarray:
        """``(rows,)`` positions of one row for each stratum that has one cluster and was not taken whole."""
        first = first_rows(self.clusters)
        single = np.bincount(self.strata[first])[self.strata[first]] == 1
        if self.fraction is not None:
            single &= 1 - self.fraction[first] > CERTAIN
        return np.asarray(first[single])


@dataclass(frozen=True, eq=False)
class Plan:
    """The sampling plan as codes.

    Parameters
    ----------
    unit
        ``(n,)`` for every respondent the row to which influences are summed: the sampling unit, at the lowest stage
        that enters the variance. Where weights were fitted to the population, the people of a unit whose weights
        have the same factor; see `drawn`.
    units
        ``(m,)`` labels of these units, in order of first appearance.
    stages
        Stages of selection that enter the variance, seen from the ``m`` units.
    weights
        ``(n,)`` weights.
    remarks
        Noted decisions: text codes with their values.
    adjustments
        What was done to the sampling weights, one after the other.
    replicates
        Replicate weights, where the variance is to come from them.
    drawn
        The plan with the sampling units as they were drawn, where `units` are parts of them.
    """

    unit: np.ndarray
    units: np.ndarray
    stages: tuple[Selection, ...]
    weights: np.ndarray
    remarks: tuple[tuple[str, Mapping[str, object]], ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    replicates: Replicates | None = None
    drawn: Plan | None = None

    @property
    def sampling(self) -> Plan:
        """The plan whose units are the sampling units."""
        return self if self.drawn is None else self.drawn

    @cached_property
    def first(self) -> np.ndarray:
        """``(m,)`` one respondent of every unit."""
        return first_rows(self.unit)

    def divided(self, codes: np.ndarray) -> Plan:
        """Return the plan with units divided into people who also have equal `codes` ``(n,)``."""
        unit = combine(self.unit, codes)
        if int(unit.max()) + 1 == len(self.units):
            return self
        above = self.unit[first_rows(unit)]
        stages = tuple(stage.at(above) for stage in self.stages)
        return replace(self, unit=unit, units=self.units[above], stages=stages, drawn=self.sampling)

    @cached_property
    def psu(self) -> np.ndarray:
        """``(n,)`` codes of the primary sampling units."""
        return np.asarray(self.stages[0].clusters[self.unit])

    @cached_property
    def strata(self) -> np.ndarray:
        """``(n,)`` codes of the strata of the first stage."""
        return np.asarray(self.stages[0].strata[self.unit])


def first_rows(codes: np.ndarray) -> np.ndarray:
    """Return for each code 0, 1, ... the position of its first row."""
    first = np.empty(codes.max() + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def some(values: Sequence[object] | np.ndarray) -> list[str]:
    """Return the first few values for a message, with an ellipsis where there are more."""
    return [str(value) for value in values[:SHOWN]] + (["…"] if len(values) > SHOWN else [])


def check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a DesignError that names every column that `frame` lacks and the column most like it."""
    missing = [name for name in dict.fromkeys(columns) if name not in frame.columns]
    if missing:
        known = [str(name) for name in frame.columns]
        raise DesignError(
            *(
                Problem("survey.unknown_column", column=name, known=some(known), nearest=nearest(name, known) or "–")
                for name in missing
            )
        )


def make_plan(frame: pd.DataFrame, design: SurveyDesign) -> Plan:
    """Return the plan of `frame` under `design`.

    Raises
    ------
    DesignError
        See :class:`Sample`.
    """
    check_columns(frame, design.columns)
    if frame.empty:
        raise DesignError(Problem("survey.empty_sample"))
    weights, labels = _weight_problems(frame, design), _label_problems(frame, design)
    if labels:
        raise DesignError(*weights, *labels)
    stages = _stages(frame, design)
    stages, fractions = _with_fractions(frame, design, stages)
    problems = [*weights, *_nesting_problems(frame, design, stages), *fractions]
    if problems:
        raise DesignError(*problems)
    entering = _entering(stages)
    unit = entering[-1].clusters
    first = first_rows(unit)
    at_units = tuple(stage.at(first) for stage in entering)
    remarks = _lonely_remarks(frame, design, at_units, first)
    return Plan(
        unit, _unit_labels(frame, design, len(entering), first), at_units, _weights(frame, design, stages), remarks
    )


def combine(*codes: np.ndarray) -> np.ndarray:
    """Return codes of the combinations of codes, numbered by first appearance."""
    combined = codes[0].astype(np.int64)
    for more in codes[1:]:
        combined = pd.factorize(combined * (int(more.max()) + 1) + more)[0]
    return combined


def _codes(frame: pd.DataFrame, column: str) -> np.ndarray:
    codes: np.ndarray = pd.factorize(frame[column])[0]
    return codes


def _stages(frame: pd.DataFrame, design: SurveyDesign) -> list[Selection]:
    """Return the stages as rows see them, without fractions."""
    n = len(frame)
    strata_columns = as_columns(design.strata)
    above = [_codes(frame, design.wave)] if design.wave is not None and not design.overlap else []
    stages: list[Selection] = []
    for position in range(max(1, len(design.stages))):
        named = [_codes(frame, strata_columns[position])] if position < len(strata_columns) else []
        strata = combine(*above, *named) if above or named else np.zeros(n, dtype=np.int64)
        if design.stages:
            label = _codes(frame, design.stages[position])
            clusters = combine(*([strata] if design.nest else above), label)
        else:
            clusters = np.arange(n)
        stages.append(Selection(clusters, strata))
        above = [clusters]
    return stages


def _with_fractions(
    frame: pd.DataFrame, design: SurveyDesign, stages: list[Selection]
) -> tuple[list[Selection], list[Problem]]:
    """Add the fraction drawn to every stage, from population sizes or from fractions."""
    columns = as_columns(design.fpc)
    if not columns:
        return stages, []
    given = frame[list(columns)].to_numpy(dtype=float, na_value=np.nan)
    unusable = np.isnan(given) | (given <= 0)
    if design.weights is None:  # weights follow from sizes, which must then be finite
        unusable |= np.isinf(given)
    if unusable.any():
        return stages, [
            Problem("survey.fpc_values", column=column, n=int(bad.sum()), rows=some(frame.index[bad]))
            for column, bad in zip(columns, unusable.T, strict=True)
            if bad.any()
        ]
    sizes = bool((given > 1).any())
    if sizes and (given < 1).any():
        return stages, [Problem("survey.fpc_mixed", columns=columns)]
    wave = _codes(frame, design.wave) if design.overlap and design.wave is not None else None
    problems, filled = [], []
    for column, values, stage in zip(columns, given.T, stages, strict=True):
        drawn = _drawn_at_once(stage, wave)
        fraction = drawn / values if sizes else values
        uneven = values != values[first_rows(stage.strata)][stage.strata]
        if uneven.any():
            problems.append(
                Problem("survey.fpc_uneven", column=column, n=int(uneven.sum()), rows=some(frame.index[uneven]))
            )
        over = fraction > 1 + CERTAIN
        if over.any():
            problems.append(Problem("survey.fpc_over", column=column, n=int(over.sum()), rows=some(frame.index[over])))
        filled.append(replace(stage, fraction=np.minimum(fraction, 1.0)))
    return filled, problems


def _drawn_at_once(stage: Selection, wave: np.ndarray | None) -> np.ndarray:
    """Return ``(n,)`` the clusters drawn in the row's stratum; of waves that share units, in the wave with the most.

    Waves that were drawn one after the other from the same stratum together may well hold all of it, and still each
    knows only its part.
    """
    if wave is None:
        return np.asarray(np.bincount(stage.strata[first_rows(stage.clusters)])[stage.strata])
    strata = combine(wave, stage.strata)
    drawn = np.bincount(strata[first_rows(combine(wave, stage.clusters))])[strata]
    most = np.zeros(int(stage.strata.max()) + 1, dtype=np.int64)
    np.maximum.at(most, stage.strata, drawn)
    return np.asarray(most[stage.strata])


def _entering(stages: list[Selection]) -> list[Selection]:
    """Return the stages that enter the variance: the first, and later ones while there are corrections above them."""
    entering = stages[:1]
    for stage in stages[1:]:
        above = entering[-1].fraction
        if above is None or not (above > 0).any():
            break
        entering.append(stage)
    while len(entering) > 1:
        last = entering[-1].fraction
        if last is None or (1 - last > CERTAIN).any():
            break
        entering.pop()  # taken whole: adds nothing, and the stage above has fewer rows
    return entering


def _weights(frame: pd.DataFrame, design: SurveyDesign, stages: list[Selection]) -> np.ndarray:
    if design.weights is not None:
        # Own memory: a numpy view of the caller's frame could still be written to.
        given: np.ndarray = frame[design.weights].to_numpy(dtype=float, copy=True)
        return given
    weights = np.ones(len(frame))
    for stage in stages:
        weights = weights if stage.fraction is None else weights / stage.fraction
    return weights


def _unit_labels(frame: pd.DataFrame, design: SurveyDesign, depth: int, first: np.ndarray) -> np.ndarray:
    """Return ``(m,)`` labels; the parts of a label that is unique only together are joined by a slash."""
    if not design.stages:
        return np.asarray(frame.index.take(first))
    parts = [design.wave] if design.wave is not None and not design.overlap else []
    parts += as_columns(design.strata)[:1] if design.nest else []
    parts += design.stages[:depth]
    columns = [np.asarray(frame[part].take(first)) for part in parts]
    if len(columns) == 1:
        return columns[0]
    return np.array(["/".join(map(str, label)) for label in zip(*columns, strict=True)], dtype=object)


def _weight_problems(frame: pd.DataFrame, design: SurveyDesign) -> list[Problem]:
    if design.weights is None:
        return []
    column = frame[design.weights]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return [Problem("survey.weights_text", column=design.weights, value=column.iloc[0])]
    weights = column.to_numpy(dtype=float, na_value=np.nan)
    if np.isfinite(weights).all() and weights.min() > 0:
        return []
    if np.isnan(weights).all():
        return [Problem("survey.weights_none", column=design.weights, n=len(weights))]
    without, problems = _waves_without_weights(frame, design, np.isnan(weights))
    wrong = {
        "survey.weights_missing": ~np.isfinite(weights) & ~without,
        "survey.weights_zero": weights == 0,
        "survey.weights_negative": np.isfinite(weights) & (weights < 0),
    }
    return problems + [
        Problem(code, column=design.weights, n=int(rows.sum()), rows=some(frame.index[rows]))
        for code, rows in wrong.items()
        if rows.any()
    ]


def _waves_without_weights(
    frame: pd.DataFrame, design: SurveyDesign, missing: np.ndarray
) -> tuple[np.ndarray, list[Problem]]:
    """Return who belongs to a wave in which nobody has a weight, and a problem for each such wave."""
    if design.wave is None:
        return np.zeros(len(frame), dtype=bool), []
    codes, waves = pd.factorize(frame[design.wave])
    people = np.bincount(codes[codes >= 0], minlength=len(waves))
    empty = np.flatnonzero(np.bincount(codes[(codes >= 0) & missing], minlength=len(waves)) == people)
    problems = [
        Problem("survey_weights.wave_without", column=design.weights, wave=waves[position], n=int(people[position]))
        for position in empty
    ]
    return np.isin(codes, empty), problems


def _label_problems(frame: pd.DataFrame, design: SurveyDesign) -> list[Problem]:
    problems = []
    for column in dict.fromkeys([*as_columns(design.strata), *design.stages, *as_columns(design.wave)]):
        missing = frame[column].isna().to_numpy()
        if missing.any():
            problems.append(
                Problem("survey.label_missing", column=column, n=int(missing.sum()), rows=some(frame.index[missing]))
            )
    return problems


def _nesting_problems(frame: pd.DataFrame, design: SurveyDesign, stages: list[Selection]) -> list[Problem]:
    problems = []
    for column, stage in zip(design.stages, stages, strict=False):
        strata = stage.strata[first_rows(stage.clusters)]
        elsewhere = stage.strata != strata[stage.clusters]
        if elsewhere.any():
            units = frame[column][elsewhere].unique()
            problems.append(Problem("survey.unit_in_strata", column=column, n=len(units), units=some(units)))
    return problems


def _lonely_remarks(
    frame: pd.DataFrame, design: SurveyDesign, stages: Sequence[Selection], first: np.ndarray
) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Return a remark on strata with one unit, or raise where the design does not say what to do with them."""
    problems, remarks = [], []
    for position, stage in enumerate(stages):
        rows = first[stage.lonely]
        if not len(rows):
            continue
        strata = as_columns(design.strata)
        # Without strata of its own, a stage is stratified by the unit above it; the first by nothing at all.
        column = strata[position] if position < len(strata) else design.stages[position - 1] if position else None
        names = some(frame[column].iloc[rows].to_numpy()) if column is not None else []
        if column is None and design.wave is not None:
            column, names = design.wave, some(frame[design.wave].iloc[rows].to_numpy())
        if column is None:
            problems.append(Problem("survey.lonely_all"))
        elif design.lonely == "fail":
            problems.append(
                Problem("survey.lonely_stratum", column=column, n=len(rows), strata=names, stage=position + 1)
            )
        else:
            remarks.append((f"survey.note.lonely_{design.lonely}", {"n": len(rows), "strata": names}))
    if problems:
        raise DesignError(*problems)
    return tuple(remarks)
