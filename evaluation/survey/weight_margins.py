"""What the population looks like, read and checked against the people of a sample: margins and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem, nearest
from evaluation.sample import Sample, Target, check_columns, combine, first_rows, some
from evaluation.survey.domains import numbers
from evaluation.survey_design import as_columns

Columns = str | tuple[str, ...]
Population = Mapping[Any, float]  # or a Series with the values as its index
AGREE = 1e-6  # sums of margins may differ by so much of themselves: official tables are rounded


@dataclass(frozen=True, eq=False)
class Margin:
    """Totals of a population, and where the people of the sample are in them.

    Parameters
    ----------
    target
        Columns, values and totals.
    codes
        ``(n,)`` position among the values; -1 for people outside the subpopulation.
    numbers
        ``(n,)``, of the total of a numeric column; else None.
    """

    target: Target
    codes: np.ndarray
    numbers: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Columns, joined by ``:``."""
        return ":".join(self.target.columns)

    @property
    def labels(self) -> list[str]:
        """Words for each total."""
        return [" / ".join(map(str, values)) for values in self.target.values] or [""]


def people_of(sample: Sample) -> np.ndarray:
    """Return ``(n,)`` who belongs to the subpopulation."""
    return np.ones(len(sample.frame), dtype=bool) if sample.inside is None else sample.inside


def read_margins(
    sample: Sample, margins: Mapping[Columns, Population], totals: Mapping[str, float], size: float | None
) -> list[Margin]:
    """Return margins of categories, then totals of numbers.

    Parameters
    ----------
    sample
        Whose subpopulation is weighted.
    margins
        By column or columns, the number of people (or the share) of every value or tuple of values.
    totals
        By numeric column, its total in the population.
    size
        Number of people in the population, to which every margin is scaled; None: margins are numbers of people.

    Raises
    ------
    DesignError
        With all problems: missing columns; people without a value; values that the population or the sample lacks;
        totals that are missing, zero or negative; margins with different sums.
    """
    check_columns(sample.frame, [column for columns in margins for column in as_columns(columns)] + list(totals))
    found: list[Margin] = []
    problems: list[Problem] = []
    for columns, given in margins.items():
        margin, wrong = _read_margin(sample, as_columns(columns), given, size)
        problems += wrong
        found += [] if margin is None else [margin]
    problems += _sum_problems(found)
    for column, total in totals.items():
        margin, wrong = _read_total(sample, column, total)
        problems += wrong
        found += [] if margin is None else [margin]
    if problems:
        raise DesignError(*problems)
    return [_with_sum(margin, float(found[0].target.totals.sum())) for margin in found]


def _with_sum(margin: Margin, size: float) -> Margin:
    """Return a margin of categories that adds up to exactly `size`, so that rounded tables can be met together."""
    if margin.numbers is not None:
        return margin
    totals = margin.target.totals
    return replace(margin, target=replace(margin.target, totals=totals * (size / totals.sum())))


def codes_of(sample: Sample, columns: tuple[str, ...]) -> tuple[np.ndarray, list[tuple[Any, ...]], np.ndarray]:
    """Return for the subpopulation codes ``(n,)`` of the combinations of columns, the combinations, and who has none.

    Codes are -1 outside the subpopulation and where a value is missing.
    """
    inside = people_of(sample)
    parts = [pd.factorize(sample.frame[column]) for column in columns]
    missing = np.logical_or.reduce([codes < 0 for codes, _ in parts]) & inside
    people = np.flatnonzero(inside & ~missing)
    codes = np.full(len(inside), -1, dtype=np.intp)
    if not len(people):
        return codes, [], missing
    codes[people] = combine(*[part[people] for part, _ in parts]) if len(parts) > 1 else _dense(parts[0][0][people])
    first = people[first_rows(codes[people])]
    values = [np.asarray(labels, dtype=object)[part[first]] for part, labels in parts]
    return codes, list(zip(*values, strict=True)), missing


def _dense(codes: np.ndarray) -> np.ndarray:
    dense: np.ndarray = pd.factorize(codes)[0]
    return dense


def missing_problem(sample: Sample, columns: tuple[str, ...], missing: np.ndarray) -> list[Problem]:
    """Return the problem that people have no value in columns that weights depend on."""
    if not missing.any():
        return []
    rows = some(sample.frame.index[missing])
    return [Problem("survey_weights.missing", columns=columns, n=int(missing.sum()), rows=rows)]


def _read_margin(
    sample: Sample, columns: tuple[str, ...], given: Population | pd.Series, size: float | None
) -> tuple[Margin | None, list[Problem]]:
    known, totals, problems = _population(columns, given)
    if problems:
        return None, problems
    codes, values, missing = codes_of(sample, columns)
    problems = [*missing_problem(sample, columns, missing), *_mismatches(columns, codes, values, known)]
    if problems:
        return None, problems
    position = {key: number for number, key in enumerate(known)}
    place = np.array([*(position[value] for value in values), -1], dtype=np.intp)
    scaled = totals if size is None else totals * (size / totals.sum())
    return Margin(Target(columns=columns, values=tuple(known), totals=scaled), place[codes]), []


def _population(columns: tuple[str, ...], given: Population) -> tuple[list[tuple[Any, ...]], np.ndarray, list[Problem]]:
    """Return the values that occur in the population, their totals, and what is wrong with them."""
    series = given if isinstance(given, pd.Series) else pd.Series(dict(given), dtype=object)
    keys = [key if isinstance(key, tuple) else (key,) for key in series.index]
    totals = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float)
    other = [key for key in keys if len(key) != len(columns)]
    if other or not keys:
        return [], totals, [Problem("survey_weights.margin_keys", columns=columns, keys=_words(other) or ["–"])]
    problems = []
    twice = [key for key, number in Counter(keys).items() if number > 1]
    if twice:
        problems.append(Problem("survey_weights.margin_twice", columns=columns, values=_words(twice)))
    bad = [key for key, total in zip(keys, totals, strict=True) if not 0 <= total < np.inf]
    if bad or not totals.sum() > 0:
        problems.append(Problem("survey_weights.margin_values", columns=columns, values=_words(bad or keys)))
    used = totals > 0
    return [key for key, use in zip(keys, used, strict=True) if use], totals[used], problems


def _mismatches(
    columns: tuple[str, ...], codes: np.ndarray, values: Sequence[tuple[Any, ...]], known: Sequence[tuple[Any, ...]]
) -> list[Problem]:
    """Return values of the sample that the population lacks, and the reverse."""
    problems = []
    expected = set(known)
    strange = [position for position, value in enumerate(values) if value not in expected]
    if strange:
        found = [values[position] for position in strange]
        near = nearest(_word(found[0]), [_word(key) for key in known]) or "–"
        n = int(np.isin(codes, strange).sum())
        problems.append(
            Problem("survey_weights.not_in_population", columns=columns, values=_words(found), n=n, nearest=near)
        )
    absent = [key for key in known if key not in set(values)]
    if absent:
        problems.append(Problem("survey_weights.not_in_sample", columns=columns, values=_words(absent)))
    return problems


def _word(key: tuple[Any, ...]) -> str:
    return " / ".join(map(str, key))


def _words(keys: Sequence[tuple[Any, ...]]) -> list[str]:
    return some([_word(key) for key in keys])


def _sum_problems(margins: Sequence[Margin]) -> list[Problem]:
    if not margins:
        return []
    first = float(margins[0].target.totals.sum())
    return [
        Problem(
            "survey_weights.margin_sums",
            first=margins[0].name,
            sum=first,
            second=margin.name,
            other=float(margin.target.totals.sum()),
        )
        for margin in margins[1:]
        if abs(float(margin.target.totals.sum()) - first) > AGREE * first
    ]


def _read_total(sample: Sample, column: str, total: float) -> tuple[Margin | None, list[Problem]]:
    values, inside = numbers(sample, column), people_of(sample)
    problems = missing_problem(sample, (column,), np.isnan(values) & inside)
    if not np.isfinite(total):
        problems.append(Problem("survey_weights.margin_values", columns=(column,), values=[str(total)]))
    if problems:
        return None, problems
    target = Target(columns=(column,), values=(), totals=np.array([float(total)]))
    return Margin(target, np.where(inside, 0, -1), np.where(inside, values, 0.0)), []
