"""Quantiles of a numeric answer, by domain, with Woodruff's intervals.

What is left out: shares of ordered answers below a threshold, which :class:`evaluation.survey.estimation.Share` gives.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import NUMBERS, Estimates, Scale
from evaluation.influence import critical_value, estimates_from_influence, variances
from evaluation.sample import Sample
from evaluation.survey.domains import Domains, Linearised, account, divide, influence_of, linearise, numbers
from evaluation.survey.intervals import SHARE_INTERVALS, ShareInterval, share_interval
from evaluation.survey_design import as_columns

QuantileRule = Literal["inverted_cdf", "linear"]
QUANTILE_RULES = ("inverted_cdf", "linear")
RESERVED = {"variable", "probability", *NUMBERS, "n", "deff", "note"}
EQUAL = 1e-12  # a cumulated share this close to a probability is that, and a value this close to an answer is it


@dataclass(frozen=True)
class Quantile:
    r"""Weighted quantiles of one or several numeric columns.

    Parameters
    ----------
    variable
        One column, or several.
    probabilities
        Between 0 and 1, ends excluded: 0.5 is the median.
    by
        Columns whose values are the domains.
    rule
        ``inverted_cdf``: the smallest answer that at least this share of people does not exceed, always an answer that
        was given. ``linear``: between the answers on both sides, in proportion to the cumulated weights. The names are
        numpy's; they are types 1 and 7 of Hyndman and Fan (1996), with weights.
    interval
        Of the share below the quantile, from which the interval of the quantile follows; see :class:`Share`. With
        ``wald`` an end may be unknown.
    level
        Of the intervals.

    Notes
    -----
    With :math:`\hat q` the quantile for the probability p, :math:`\hat F(\hat q)` the share of people at or below it
    and :math:`(l, u)` the interval of that share, Woodruff's interval is the quantiles for l and u, and

    .. math:: se(\hat q) = \frac{\hat q(u) - \hat q(l)}{2 t}

    Where so many people gave the answer :math:`\hat q` that p does not lie between l and u, these are the interval of
    the share p instead, with the same design effect.

    The influence of a person is that on :math:`-\hat F(\hat q)`, scaled so that its variance is this one. The interval
    is not symmetric, and says more than the standard error. Where many answers are equal both ends may be one value;
    then there is no standard error. Missing answers are left out and counted.

    References
    ----------
    Woodruff (1952), Confidence intervals for medians and other position measures; ``svyquantile`` of R's survey
    package (rules ``math`` and ``hf7``; answers that are equal are taken here in the order of their weights, so that
    the order of rows does not matter).

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": [1.0, 1.0, 1.0, 3.0], "age": [20, 30, 40, 80]})
    >>> sample = Sample(frame, SurveyDesign())
    >>> Quantile("age").estimate(sample).table["estimate"].tolist()
    [40.0]
    """

    variable: str | tuple[str, ...]
    probabilities: float | tuple[float, ...] = 0.5
    _: KW_ONLY
    by: str | tuple[str, ...] = ()
    rule: QuantileRule = "inverted_cdf"
    interval: ShareInterval = "logit"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [
            Problem("survey_tests.probability_option", value=value)
            for value in self._probabilities
            if not 0 < value < 1
        ]
        if self.rule not in QUANTILE_RULES:
            problems.append(Problem("survey_tests.rule_option", value=self.rule, allowed=QUANTILE_RULES))
        if self.interval not in SHARE_INTERVALS:
            problems.append(Problem("survey.interval_option", value=self.interval, allowed=SHARE_INTERVALS))
        problems += [Problem("survey.reserved_column", column=name) for name in as_columns(self.by) if name in RESERVED]
        if not 0 < self.level < 1:
            problems.append(Problem("survey.level_option", value=self.level))
        if problems:
            raise DesignError(*problems)

    @property
    def _probabilities(self) -> tuple[float, ...]:
        return self.probabilities if isinstance(self.probabilities, tuple) else (self.probabilities,)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each variable, probability and domain, in units of the variable.

        Raises
        ------
        DesignError
            A column does not exist or is not numeric.
        EstimationError
            Nobody answered.
        """
        domains = divide(sample, self.by)
        parts, answered = [], {}
        for name in as_columns(self.variable):
            values = numbers(sample, name)
            sorted_answers = _Sorted(domains, values)
            answered[name] = int(sorted_answers.n.sum())
            parts += [self._part(domains, values, sorted_answers, (name, p)) for p in self._probabilities]
        counts, notes = account(domains, answered)
        table = pd.concat([part for part, _ in parts], ignore_index=True)
        keys = ["variable", "probability", *domains.keys.columns, "n"]
        result = estimates_from_influence(
            table[keys],
            table["estimate"].to_numpy(dtype=float),
            influence_of(sample, np.concatenate([influence for _, influence in parts], axis=1)),
            scale=Scale("identity", "quantile"),
            declaration=sample.design,
            method=self,
            counts=counts,
            level=self.level,
            df=np.tile(domains.df, len(parts)),
            row_notes=table["note"].tolist(),
            notes=notes,
        )
        return replace(result, table=result.table.assign(**table[["conf_low", "conf_high", "deff"]]))

    def _part(
        self, domains: Domains, values: np.ndarray, answers: _Sorted, key: tuple[str, float]
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows of one variable and probability, and the influences ``(m, k)``."""
        estimate = answers.quantile(np.full(domains.size, key[1]), self.rule)
        below = np.where(np.isnan(values), np.nan, values <= estimate[domains.codes])
        share = linearise(domains, below, "mean")
        spread = variances(influence_of(domains.sample, share.influence))
        std_error = np.sqrt(np.where(spread > 0, spread, np.nan))
        deff = np.where(share.simple_variance > 0, spread / np.where(spread > 0, share.simple_variance, 1.0), np.nan)
        ends = self._ends(share, std_error, deff, domains.df, key[1])
        outside = (ends[0] < 0, ends[1] > 1)  # Wald's interval of the share; the quantile there is unknown
        low, high = (
            answers.quantile(np.where(out, np.nan, end), self.rule) for out, end in zip(outside, ends, strict=True)
        )
        same = np.isnan(estimate) | (answers.least == answers.most)
        low, high = (np.where(same, np.nan, end) for end in (low, high))
        # Minus: the more people are at or below a value, the lower the quantile.
        width = (high - low) / (2 * critical_value(self.level, domains.df))
        with_error = np.isfinite(width) & (width > 0) & np.isfinite(std_error)
        factor = np.where(with_error, width, 0.0) / np.where(with_error, std_error, 1.0)
        table = pd.DataFrame({"variable": key[0], "probability": key[1], **domains.keys}, index=domains.keys.index)
        table = table.assign(
            n=share.n,
            estimate=estimate,
            conf_low=low,
            conf_high=high,
            deff=deff,
            note=_notes(share.n, domains.df, (same, with_error), (low, high)),
        )
        return table, -share.influence * factor

    def _ends(
        self, share: Linearised, std_error: np.ndarray, deff: np.ndarray, df: np.ndarray, p: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the interval of the share at or below the quantile, or around `p` where many answers are equal."""
        low, high = share_interval(share.estimate, std_error, df, share.n, method=self.interval, level=self.level)
        at = np.where(np.isnan(share.estimate), np.nan, p)
        error = np.sqrt(p * (1 - p) * np.where(np.isnan(deff), 1.0, deff) / np.maximum(share.n - 1, 1))
        around = share_interval(at, error, df, share.n, method=self.interval, level=self.level)
        tied = (p < low) | (p > high)
        return np.where(tied, around[0], low), np.where(tied, around[1], high)


def _notes(
    n: np.ndarray, df: np.ndarray, marks: tuple[np.ndarray, np.ndarray], ends: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return ``(k,)`` why numbers are missing, empty where none are."""
    (same, with_error), (low, high) = marks, ends
    reasons = {
        "survey.note.no_answers": n == 0,
        "survey.note.one_answer": n == 1,
        "survey.note.no_variation": same,
        "survey.note.no_df": ~(df > 0),
        "survey_tests.note.open_end": np.isnan(low) | np.isnan(high),
        "survey_tests.note.one_value": low == high,
        "survey_tests.note.no_error": ~with_error,
    }
    return np.select(list(reasons.values()), list(reasons), default="")


class _Sorted:
    """The answers of every domain in ascending order, with their cumulated weights."""

    def __init__(self, domains: Domains, values: np.ndarray) -> None:
        rows = np.flatnonzero((domains.codes >= 0) & ~np.isnan(values))
        codes, weights = domains.codes[rows], domains.sample.plan.weights[rows]
        # Equal answers in the order of their weights: the order of rows must not matter.
        order = np.lexsort((weights, values[rows], codes))
        self.n = np.bincount(codes, minlength=domains.size)
        starts = np.cumsum(self.n)[:-1]
        self._values = np.split(values[rows][order], starts)
        self._weights = np.split(weights[order], starts)
        self.least, self.most = (
            np.array([part[end] if len(part) else np.nan for part in self._values]) for end in (0, -1)
        )

    def quantile(self, probabilities: np.ndarray, rule: QuantileRule) -> np.ndarray:
        """Return ``(k,)`` the quantile of each domain at its own probability; missing where that is missing."""
        find = _inverted if rule == "inverted_cdf" else _linear
        parts = zip(self._values, self._weights, probabilities.tolist(), strict=True)
        return np.array([find(x, w, p) if len(x) and not np.isnan(p) else np.nan for x, w, p in parts])


def _inverted(values: np.ndarray, weights: np.ndarray, p: float) -> float:
    """Return the smallest of the sorted `values` at which the cumulated share of `weights` reaches `p`."""
    cumulated = np.cumsum(weights)
    position = np.searchsorted(cumulated, (p - EQUAL) * cumulated[-1])
    return float(values[min(int(position), len(values) - 1)])


def _linear(values: np.ndarray, weights: np.ndarray, p: float) -> float:
    """Return the value on the line through the sorted `values`, the first at 0 and the last at 1."""
    if len(values) == 1:
        return float(values[0])
    before = np.concatenate([[0.0], np.cumsum(weights)[:-1]])
    found = float(np.interp(p, before / before[-1], values))
    # An answer that is met but for rounding errors is met: the share at or below it depends on that.
    nearest = float(values[np.abs(values - found).argmin()])
    return nearest if abs(nearest - found) <= EQUAL * (values[-1] - values[0]) else found
