"""From a sample and the terms of a model to the respondents, weights and columns that a fit needs.

Complete cases: who lacks a value in a column of the model is left out of it and counted. What is left out: fitting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem, nearest
from evaluation.estimates import Counts, Note
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.model_terms import (
    Category,
    Interaction,
    Matrix,
    Part,
    Term,
    Values,
    column_of,
    make_matrix,
    parts_of,
)


@dataclass(frozen=True, eq=False)
class Respondents:
    """The ``n`` people with a value in every column of a model.

    Parameters
    ----------
    sample
        Of which they are part.
    rows
        Their rows in the sample's frame; a full slice where these are all.
    weights
        ``(n,)`` sampling weights over their mean.
    unit
        ``(n,)`` their sampling unit among the sample's ``m``.
    values
        Of every part of the terms.
    terms, intercept
        What the columns are made of; thresholds stand in for a constant.
    counts, notes
        Who was left out.
    """

    sample: Sample
    rows: np.ndarray | slice
    weights: np.ndarray
    unit: np.ndarray
    values: Mapping[Part, Values]
    terms: tuple[Term, ...]
    intercept: bool
    counts: Counts
    notes: tuple[Note, ...]

    @property
    def units(self) -> int:
        """Number of sampling units of the sample ``m``."""
        return len(self.sample.plan.units)

    def matrix(self) -> Matrix:
        """Return the columns of the terms."""
        return make_matrix(self.terms, self.values, len(self.weights), intercept=self.intercept)

    def having(self, part: Part, values: Values) -> Respondents:
        """Return the same people with other values of one part."""
        return replace(self, values={**self.values, part: values})


def check_terms(outcome: str, terms: Sequence[Term], level: float) -> None:
    """Raise a DesignError with all problems that can be seen without data."""
    problems = [] if 0 < level < 1 else [Problem("survey.level_option", value=level)]
    ways: dict[str, Part] = {}
    for term in terms:
        parts = parts_of(term)
        if isinstance(term, Interaction) and len({column_of(part) for part in parts}) < max(2, len(parts)):
            problems.append(Problem("survey_models.interaction_parts", columns=[column_of(part) for part in parts]))
        for part in parts:
            if ways.setdefault(column_of(part), part) != part:
                problems.append(Problem("survey_models.two_ways", column=column_of(part)))
    repeated = [term for position, term in enumerate(terms) if term in terms[:position]]
    problems += [Problem("survey_models.repeated_term", columns=[column_of(p) for p in parts_of(t)]) for t in repeated]
    if outcome in ways:
        problems.append(Problem("survey_models.outcome_as_term", column=outcome))
    if problems:
        raise DesignError(*problems)


def gather(
    sample: Sample, outcome: str, silent: np.ndarray, terms: tuple[Term, ...], *, intercept: bool = True
) -> Respondents:
    """Return the complete cases.

    Parameters
    ----------
    sample
        Everybody, or a subpopulation.
    outcome
        Its column, for the note on missing answers.
    silent
        ``(n,)`` who did not answer it.
    terms
        Checked by :func:`check_terms`.
    intercept
        Whether the model has a constant.

    Raises
    ------
    DesignError
        A column does not exist, a number is text or infinite, a reference does not occur, a category has one value.
    EstimationError
        Nobody has a value in every column.
    """
    parts = list(dict.fromkeys(part for term in terms for part in parts_of(term)))
    check_columns(sample.frame, [column_of(part) for part in parts])
    raw, missing, problems = {}, {outcome: silent}, []
    for part in parts:
        values, gaps, found = _read(sample, part)
        raw[part], missing[column_of(part)] = values, gaps
        problems += found
    if problems:
        raise DesignError(*problems)
    rows, counts, notes = complete_cases(sample, missing)
    chosen = {part: _choose(values, rows) for part, values in raw.items()}
    problems = [problem for part in parts if isinstance(part, Category) for problem in _levels(part, chosen[part])]
    if problems:
        raise DesignError(*problems)
    ready = {part: _refer(part, values) if isinstance(part, Category) else values for part, values in chosen.items()}
    weights, unit = sample.plan.weights[rows], sample.plan.unit[rows]
    return Respondents(sample, rows, weights / weights.mean(), unit, ready, terms, intercept, counts, notes)


def _read(sample: Sample, part: Part) -> tuple[Values, np.ndarray, list[Problem]]:
    """Return the values of a column, who has none, and what is wrong with them."""
    series = sample.frame[column_of(part)]
    if isinstance(part, Category):
        codes, levels = pd.factorize(series, sort=True)
        return Values(codes=codes, levels=tuple(np.asarray(levels, dtype=object))), codes < 0, []
    if not (pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series)):
        problem = Problem("survey_models.text_term", column=part, examples=some(series.dropna().unique()))
        return Values(), np.zeros(len(series), dtype=bool), [problem]
    numbers = series.to_numpy(dtype=float, na_value=np.nan)
    infinite = np.isinf(numbers)
    problems = []
    if infinite.any():
        rows = some(sample.frame.index[infinite])
        problems.append(Problem("survey.infinite", column=part, n=int(infinite.sum()), rows=rows))
    return Values(numbers=numbers), np.isnan(numbers), problems


def _choose(values: Values, rows: np.ndarray | slice) -> Values:
    if values.codes is None:
        return replace(values, numbers=None if values.numbers is None else values.numbers[rows])
    codes = values.codes[rows]
    present = np.flatnonzero(np.bincount(codes, minlength=len(values.levels)))
    lookup = np.zeros(len(values.levels), dtype=np.intp)
    lookup[present] = np.arange(len(present))
    return Values(codes=lookup[codes], levels=tuple(values.levels[position] for position in present))


def _levels(part: Category, values: Values) -> list[Problem]:
    if part.reference not in values.levels:
        near = nearest(part.reference, values.levels) or "–"
        known = some(values.levels)
        return [
            Problem("survey_models.reference", column=part.column, reference=part.reference, known=known, nearest=near)
        ]
    if len(values.levels) == 1:
        return [Problem("survey_models.one_category", column=part.column, category=values.levels[0])]
    return []


def _refer(part: Category, values: Values) -> Values:
    """Return the values with the reference as their first level."""
    reference = values.levels.index(part.reference)
    moved = np.arange(len(values.levels))
    moved[:reference] += 1
    moved[reference] = 0
    levels = (values.levels[reference], *values.levels[:reference], *values.levels[reference + 1 :])
    return Values(codes=moved[values.codes], levels=levels)


def complete_cases(
    sample: Sample, missing: Mapping[str, np.ndarray]
) -> tuple[np.ndarray | slice, Counts, tuple[Note, ...]]:
    """Return who has a value in every column, with counts and notes on the others.

    Parameters
    ----------
    sample
        Everybody, or a subpopulation.
    missing
        For each column ``(n,)`` who has no value.

    Raises
    ------
    EstimationError
        Nobody has.
    """
    inside = np.ones(len(sample.frame), dtype=bool) if sample.inside is None else sample.inside
    complete = inside & ~np.logical_or.reduce(list(missing.values()))
    eligible, used = sample.size, int(complete.sum())
    gaps = {column: int((inside & rows).sum()) for column, rows in missing.items()}
    if not used:
        empty = [Problem("survey.no_answers", column=column, n=n) for column, n in gaps.items() if n == eligible]
        raise EstimationError(*(empty or [Problem("survey_models.no_complete", columns=tuple(gaps), n=eligible)]))
    notes = [Note(code, values) for code, values in sample.plan.remarks]
    for column, n in gaps.items():
        if n:
            values = {"variable": column, "n": n, "of": eligible, "share": n / eligible}
            notes.append(Note("survey_models.note.missing", values))
    if sum(n > 0 for n in gaps.values()) > 1:
        left = eligible - used
        notes.append(Note("survey_models.note.incomplete", {"n": left, "of": eligible, "share": left / eligible}))
    counts = Counts(
        observations=used,
        units=int(sample.plan.stages[-1].clusters.max()) + 1,
        clusters=int(sample.plan.stages[0].clusters.max()) + 1,
        dropped={"missing_answers": eligible - used} if used < eligible else {},
    )
    return slice(None) if complete.all() else np.flatnonzero(complete), counts, tuple(notes)


def answers_on(scale: int | tuple[Any, ...] | None) -> tuple[Any, ...]:
    """Return the allowed answers of a scale given by its number of points or by its answers; empty for anything."""
    return tuple(range(1, scale + 1)) if isinstance(scale, int) else scale or ()


def answers_of(
    sample: Sample,
    column: str,
    allowed: tuple[Any, ...] = (),
    no_answer: tuple[Any, ...] = (),
    *,
    codes: tuple[Any, ...] | None = None,
) -> tuple[pd.Series, np.ndarray]:
    """Return the answers to a question and who of the subpopulation gave none, after checking the codes.

    Parameters
    ----------
    sample
        Only its subpopulation is checked.
    column
        Of the answers.
    allowed
        The scale; empty for anything.
    no_answer
        Codes that mean no answer.
    codes
        Answers that are looked for.

    Returns
    -------
    Series, ndarray
        ``(n,)`` answers of everybody, and who is silent or outside the subpopulation.

    Raises
    ------
    DesignError
        The column does not exist, an answer is not on the scale, or the codes never occur and no scale says that they
        could.
    """
    check_columns(sample.frame, (column,))
    series = sample.frame[column]
    silent = series.isna().to_numpy()
    if no_answer:
        silent = silent | series.isin(no_answer).to_numpy()
    if sample.inside is not None:
        silent = silent | ~sample.inside
    if allowed:
        outside = ~silent & ~series.isin(allowed).to_numpy()
        if outside.any():
            n, given = int(outside.sum()), some(series[outside].unique())
            raise DesignError(Problem("survey.outside_scale", column=column, n=n, codes=given, scale=some(allowed)))
    elif codes is not None and not silent.all() and not series.isin(codes).any():
        known = some(series[~silent].unique())
        raise DesignError(Problem("survey.codes_absent", column=column, codes=some(codes), known=known))
    return series, silent


def in_order(answers: pd.Series) -> tuple[Any, ...]:
    """Return the different answers from one end of the scale to the other: of numbers, or of an ordered category.

    Raises
    ------
    DesignError
        The answers are words, whose order nobody has said.
    """
    if isinstance(answers.dtype, pd.CategoricalDtype) and answers.cat.ordered:
        return tuple(answers.cat.categories)
    if not (pd.api.types.is_numeric_dtype(answers) or pd.api.types.is_bool_dtype(answers)):
        examples = some(answers.dropna().unique())
        raise DesignError(Problem("survey_models.no_order", column=str(answers.name), examples=examples))
    return tuple(np.sort(answers.unique()).tolist())
