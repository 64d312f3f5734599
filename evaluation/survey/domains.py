"""Who belongs to which domain of a survey, and the influence of sampling units on an estimate for each domain.

The one linearisation behind means, shares, totals and ratios. What is left out: tables and tests.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Counts, Influence, Note
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.replicate_sums import sums_by_replicate
from evaluation.survey.weight_variance import corrected_sums, influence_under
from evaluation.survey_design import as_columns


@dataclass(frozen=True, eq=False)
class Domains:
    """The domains of a sample by the values of columns.

    Parameters
    ----------
    sample
        The subpopulation that is divided.
    keys
        ``k`` rows, one column for each of the dividing ones, sorted; only combinations that occur.
    codes
        ``(n,)`` row in `keys`, -1 outside the subpopulation or where a dividing column is missing.
    """

    sample: Sample
    keys: pd.DataFrame
    codes: np.ndarray

    @property
    def size(self) -> int:
        """Number of domains ``k``."""
        return len(self.keys)

    @cached_property
    def without(self) -> int:
        """Number of respondents of the subpopulation who have no domain."""
        return self.sample.size - int((self.codes >= 0).sum())

    @cached_property
    def df(self) -> np.ndarray:
        """``(k,)`` primary sampling units less strata that hold somebody of the domain, answering or not."""
        rows = self.codes >= 0
        codes = self.codes if rows.all() else self.codes[rows]
        plan, size = self.sample.plan, self.size
        occupied = []
        for groups in (plan.psu, plan.strata):
            group = groups if rows.all() else groups[rows]
            pairs = np.bincount(group * size + codes, minlength=(int(groups.max()) + 1) * size)
            occupied.append((pairs > 0).reshape(-1, size).sum(axis=0))
        most = None if plan.replicates is None else plan.replicates.df
        return np.asarray(np.minimum(occupied[0] - occupied[1], np.inf if most is None else most), dtype=float)


def divide(sample: Sample, by: str | tuple[str, ...] | None = None) -> Domains:
    """Return the domains of `sample` by the values of the columns `by`.

    Raises
    ------
    DesignError
        A column does not exist, or is missing for everybody.
    """
    columns = as_columns(by)
    check_columns(sample.frame, columns)
    inside = np.ones(len(sample.frame), dtype=bool) if sample.inside is None else sample.inside
    if not columns:
        return Domains(sample, pd.DataFrame(index=range(1)), np.where(inside, 0, -1))
    labels, combined, missing = [], np.zeros(len(inside), dtype=np.int64), ~inside
    for column in columns:
        codes, values = pd.factorize(sample.frame[column], sort=True)
        missing = missing | (codes < 0)
        combined = combined * max(len(values), 1) + codes
        labels.append(values)
    if missing.all():
        raise DesignError(Problem("survey.no_domain", columns=columns))
    present = np.flatnonzero(np.bincount(combined[~missing]))
    lookup = np.full(int(present[-1]) + 1, -1)
    lookup[present] = np.arange(len(present))
    keys, rest = {}, present
    for column, values in zip(reversed(columns), reversed(labels), strict=True):
        keys[column] = pd.Series(values).take(rest % len(values)).reset_index(drop=True)
        rest = rest // len(values)
    codes = np.where(missing, -1, lookup[np.where(missing, present[-1], combined)])
    return Domains(sample, pd.DataFrame({column: keys[column] for column in columns}), codes)


@dataclass(frozen=True, eq=False)
class Linearised:
    """Estimates of one variable by domain, with what a table needs.

    Parameters
    ----------
    estimate
        ``(k,)``; missing where nobody answered or the denominator is zero.
    scores
        ``(p,)`` weighted influence of everybody who answered, zero where the estimate is missing.
    codes, people
        ``(p,)`` their domain, and which people they are.
    sample
        To which they belong.
    n
        ``(k,)`` respondents who answered, unweighted.
    simple_variance
        ``(k,)`` variance under simple random sampling with replacement, to be divided into the variance.
    answered
        Number of answers in all.
    replicates
        ``(R, k)`` the estimates under the weights of every replicate, missing where nobody of a domain is left; None
        where the sample has no replicates.
    """

    estimate: np.ndarray
    scores: np.ndarray
    codes: np.ndarray
    people: np.ndarray | slice
    sample: Sample
    n: np.ndarray
    simple_variance: np.ndarray
    answered: int
    replicates: np.ndarray | None = None

    @cached_property
    def influence(self) -> np.ndarray:
        """``(m, k)`` sums over the people of every unit of the plan, zero where the estimate is missing."""
        k, m, unit = len(self.estimate), len(self.sample.plan.units), self.sample.plan.unit[self.people]
        return np.bincount(unit * k + self.codes, self.scores, minlength=m * k).reshape(m, k)

    @property
    def drawn(self) -> np.ndarray:
        """``(M, k)`` corrected sums of the sampling units; see :func:`corrected_sums`."""
        return corrected_sums(self.sample.plan, self.people, self.codes, self.scores, len(self.estimate))


def linearise(domains: Domains, values: np.ndarray, kind: str, denominator: np.ndarray | None = None) -> Linearised:
    r"""Return the estimates of all domains and their influences, summed at once to sampling units.

    Parameters
    ----------
    domains
        ``k`` domains of ``n`` respondents.
    values
        ``(n,)``, missing where there is no answer.
    kind
        ``mean``, ``total`` or ``ratio``.
    denominator
        ``(n,)``, of a ratio.

    Notes
    -----
    With weights :math:`w`, sums over the people of the domain, the influence of person i is :math:`w_i z_i`:

    .. math::
        \bar y = \frac{\sum w y}{\sum w}, \; z_i = \frac{y_i - \bar y}{\sum w}; \qquad
        Y = \sum w y, \; z_i = y_i; \qquad
        R = \frac{\sum w y}{\sum w x}, \; z_i = \frac{y_i - R x_i}{\sum w x}

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model assisted survey sampling, chapter 5.
    """
    sample, k = domains.sample, domains.size
    answered = (domains.codes >= 0) & ~np.isnan(values)
    if denominator is not None:
        answered &= ~np.isnan(denominator)
    rows = slice(None) if answered.all() else np.flatnonzero(answered)
    codes, y, weights = domains.codes[rows], values[rows], sample.plan.weights[rows]
    x = np.ones(len(y)) if denominator is None else denominator[rows]
    n = np.bincount(codes, minlength=k)
    sum_w = np.bincount(codes, weights, minlength=k)
    sum_y = np.bincount(codes, weights * y, minlength=k)
    if kind == "total":
        estimate, z = np.where(n > 0, sum_y, np.nan), y
    else:
        sum_x = sum_w if denominator is None else np.bincount(codes, weights * x, minlength=k)
        usable = sum_x != 0
        below = np.where(usable, sum_x, 1.0)
        estimate = np.where(usable, sum_y / below, np.nan)
        z = np.where(usable[codes], (y - np.where(usable, estimate, 0.0)[codes] * x) / below[codes], 0.0)
    scores = weights * z
    simple = _simple_variance(codes, weights, z, n, sum_w)
    replicates = None
    if sample.plan.replicates is not None:
        replicates = _replicated(sample, (codes, k, rows), [y] if kind == "total" else [y, x])
    return Linearised(estimate, scores, codes, rows, sample, n, simple, int(n.sum()), replicates)


def _replicated(
    sample: Sample, groups: tuple[np.ndarray, int, np.ndarray | slice], columns: list[np.ndarray]
) -> np.ndarray:
    """Return ``(R, k)`` totals, or with two columns their ratios, under the weights of every replicate."""
    codes, size, people = groups
    sums = sums_by_replicate(sample.plan, codes, size, columns, people=people)
    if len(columns) == 1:
        return sums[:, 0]
    above, below = sums[:, 0], sums[:, 1]
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0))


def _simple_variance(
    codes: np.ndarray, weights: np.ndarray, z: np.ndarray, n: np.ndarray, sum_w: np.ndarray
) -> np.ndarray:
    """Return ``(k,)`` the variance of the sum of w z if as many people had been drawn at random with replacement."""
    safe = np.where(sum_w > 0, sum_w, 1.0)
    centre = np.bincount(codes, weights * z, minlength=len(n)) / safe
    spread = np.bincount(codes, weights * (z - centre[codes]) ** 2, minlength=len(n)) / safe
    return np.where(n > 1, spread * sum_w**2 / np.maximum(n - 1, 1), np.nan)


def influence_of(sample: Sample, values: np.ndarray) -> Influence:
    """Return ``values`` ``(m, k)`` as influences of the sampling units, with the design's stages of selection.

    Where weights were fitted to the population, influences are those of what the fit does not explain; where the
    sample has replicates, their units are replicates. See :func:`evaluation.survey.weight_variance.influence_under`.
    """
    return influence_under(sample.plan, values, lonely=sample.design.lonely)


def numbers(sample: Sample, column: str) -> np.ndarray:
    """Return ``(n,)`` the answers of a numeric or true-false column.

    Raises
    ------
    DesignError
        The column does not exist, holds text, or something infinite.
    """
    check_columns(sample.frame, (column,))
    series = sample.frame[column]
    if not (pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series)):
        examples = some(series.dropna().unique())
        raise DesignError(Problem("survey.not_numeric", column=column, examples=examples))
    values: np.ndarray = series.to_numpy(dtype=float, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        rows = some(sample.frame.index[infinite])
        raise DesignError(Problem("survey.infinite", column=column, n=int(infinite.sum()), rows=rows))
    return values


def account(domains: Domains, answered: dict[str, int]) -> tuple[Counts, tuple[Note, ...]]:
    """Return the counts of an estimate and the notes on who was left out, from the number of answers by variable.

    Raises
    ------
    EstimationError
        Nobody answered a variable.
    """
    sample = domains.sample
    eligible = sample.size - domains.without
    silent = [Problem("survey.no_answers", column=name, n=eligible) for name, n in answered.items() if n == 0]
    if silent:
        raise EstimationError(*silent)
    notes = [Note(code, values) for code, values in sample.plan.remarks]
    if domains.without:
        columns = tuple(domains.keys.columns)
        notes.append(Note("survey.note.without_domain", {"n": domains.without, "columns": columns}))
    for name, n in answered.items():
        if n < eligible:
            values = {"variable": name, "n": eligible - n, "of": eligible, "share": (eligible - n) / eligible}
            notes.append(Note("survey.note.missing_answers", values))
    missing = sum(eligible - n for n in answered.values())
    dropped = {"without_domain": domains.without, "missing_answers": missing}
    counts = Counts(
        observations=sample.size,
        units=len(sample.plan.sampling.units),
        clusters=int(sample.plan.stages[0].clusters.max()) + 1,
        dropped={code: n for code, n in dropped.items() if n},
    )
    return counts, tuple(notes)
