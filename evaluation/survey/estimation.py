"""Means, shares, totals and ratios of a population from a sample, by domain, with the variance of the design.

Frozen options with one method, ``estimate(sample)``. Tables have the key column ``variable`` (and ``answer``), the
columns of `by`, the number of answers ``n`` and the design effect ``deff``. What is left out: change between waves
(:mod:`evaluation.survey.change`) and models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import NUMBERS, Estimates, Influence, Scale
from evaluation.influence import estimates_from_influence
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.domains import Domains, Linearised, account, divide, influence_of, linearise, numbers
from evaluation.survey.intervals import SHARE_INTERVALS, ShareInterval, share_interval
from evaluation.survey.weight_variance import influence_of_drawn, replicate_influence
from evaluation.survey_design import as_columns

RESERVED = {"variable", "answer", *NUMBERS, "n", "deff", "note"}


@dataclass(frozen=True)
class Mean:
    """Weighted mean of one or several numeric columns.

    Parameters
    ----------
    variable
        One column, or several whose means are wanted with their covariance.
    by
        Columns whose values are the domains.
    level
        Of the intervals (Student's t with the domain's primary units less strata).

    Notes
    -----
    Missing answers are left out and counted, variable by variable: the mean is that of people who would answer.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": ["a", "a", "b", "b"], "weight": [1.0, 1.0, 3.0, 3.0], "age": [20, 40, 50, 70]})
    >>> round(float(Mean("age").estimate(Sample(frame, SurveyDesign())).table.loc[0, "estimate"]), 1)
    52.5
    """

    variable: str | tuple[str, ...]
    _: KW_ONLY
    by: str | tuple[str, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _check_options(self.by, self.level)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each variable and domain, on the scale of the variable.

        Raises
        ------
        DesignError
            A column does not exist or is not numeric.
        EstimationError
            Nobody answered.
        """
        domains = divide(sample, self.by)
        parts = {key: linearise(domains, values, "mean") for key, values in self.values(sample)}
        return _collect(self, domains, parts, Scale("identity", "mean"))

    def values(self, sample: Sample) -> Iterator[tuple[tuple[Any, ...], np.ndarray]]:
        """Yield for each variable ``(name,)`` the numbers ``(n,)`` that are averaged, missing without an answer."""
        for name in as_columns(self.variable):
            yield (name,), numbers(sample, name)


@dataclass(frozen=True)
class Total:
    """Weighted total of one or several numeric columns in the population.

    Parameters
    ----------
    variable, by, level
        As in :class:`Mean`.

    Notes
    -----
    A missing answer adds nothing to the total; a note says how many there are.
    """

    variable: str | tuple[str, ...]
    _: KW_ONLY
    by: str | tuple[str, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _check_options(self.by, self.level)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each variable and domain, in units of the variable; see :meth:`Mean.estimate`."""
        domains = divide(sample, self.by)
        parts = {(name,): linearise(domains, numbers(sample, name), "total") for name in as_columns(self.variable)}
        return _collect(self, domains, parts, Scale("identity", "total"))


@dataclass(frozen=True)
class Ratio:
    """Weighted total of one column over that of another.

    Parameters
    ----------
    numerator, denominator
        Numeric columns; who misses one of them is left out of both.
    by, level
        As in :class:`Mean`.
    """

    numerator: str
    denominator: str
    _: KW_ONLY
    by: str | tuple[str, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _check_options(self.by, self.level)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each domain, numerator per unit of the denominator; see :meth:`Mean.estimate`."""
        domains = divide(sample, self.by)
        above, below = numbers(sample, self.numerator), numbers(sample, self.denominator)
        name = f"{self.numerator}/{self.denominator}"
        return _collect(self, domains, {(name,): linearise(domains, above, "ratio", below)}, Scale("identity", "ratio"))


@dataclass(frozen=True)
class Share:
    """Weighted share of people whose answer is one of some codes, or of every answer.

    Parameters
    ----------
    variable
        One column, or several with the same answers.
    codes
        Answers that are counted together, ``(3, 4)``; None gives a row for every answer, with the key column
        ``answer``.
    by, level
        As in :class:`Mean`.
    scale
        Number of points (answers 1, 2, ..., `scale`) or the allowed answers; anything else is an error, not a zero.
    no_answer
        Codes that mean no answer, "don't know" say; counted with the missing ones.
    interval
        ``logit`` (default): stays between 0 and 1, also for rare answers, and is close to ``wald`` near one half;
        ``korn_graubard``: cautious for very rare answers; ``wald``: symmetric. A share of 0 or 1 gets the exact
        binomial interval and no standard error.

    Notes
    -----
    Estimates and influences are shares, not logits, so that contrasts are differences in percentage points.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "park": [1, 2, 3, 4]})
    >>> Share("park", (3, 4), scale=4).estimate(Sample(frame, SurveyDesign())).table["estimate"].tolist()
    [0.5]
    """

    variable: str | tuple[str, ...]
    codes: tuple[Any, ...] | None = None
    _: KW_ONLY
    by: str | tuple[str, ...] = ()
    scale: int | tuple[Any, ...] | None = None
    no_answer: tuple[Any, ...] = ()
    interval: ShareInterval = "logit"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = []
        if self.interval not in SHARE_INTERVALS:
            problems.append(Problem("survey.interval_option", value=self.interval, allowed=SHARE_INTERVALS))
        if self.codes is not None and not self.codes:
            problems.append(Problem("survey.codes_none"))
        outside = [code for code in self.codes or () if self.answers and code not in self.answers]
        if outside:
            problems.append(Problem("survey.codes_outside", codes=some(outside), scale=some(self.answers)))
        if problems:
            raise DesignError(*problems)
        _check_options(self.by, self.level)

    @property
    def answers(self) -> tuple[Any, ...]:
        """Allowed answers; empty where no scale is given."""
        if isinstance(self.scale, int):
            return tuple(range(1, self.scale + 1))
        return self.scale or ()

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each variable, answer (where `codes` is None) and domain; values are shares of 1.

        Raises
        ------
        DesignError
            A column does not exist, an answer is not on the scale, or the codes never occur and no scale says that
            they could.
        EstimationError
            Nobody answered.
        """
        domains = divide(sample, self.by)
        parts = {key: linearise(domains, values, "mean") for key, values in self.values(sample)}
        return self._with_intervals(_collect(self, domains, parts, Scale("identity", "share")))

    def values(self, sample: Sample) -> Iterator[tuple[tuple[Any, ...], np.ndarray]]:
        """Yield for each variable, and answer where `codes` is None, who gave it ``(n,)``, missing without an answer.

        The key is ``(name,)`` or ``(name, answer)``; errors as of :meth:`estimate`.
        """
        for name in as_columns(self.variable):
            series, missing = self._answers_of(sample, name)
            if self.codes is not None:
                yield (name,), _indicator(series, self.codes, missing)
                continue
            for answer in self.answers or tuple(np.sort(series[~missing].unique()).tolist()):
                yield (name, answer), _indicator(series, (answer,), missing)

    def _answers_of(self, sample: Sample, name: str) -> tuple[pd.Series, np.ndarray]:
        """Return the answers and which of them are missing or outside the subpopulation, after checking the codes."""
        check_columns(sample.frame, (name,))
        series = sample.frame[name]
        missing = series.isna().to_numpy()
        if self.no_answer:
            missing = missing | series.isin(self.no_answer).to_numpy()
        silent = missing if sample.inside is None else missing | ~sample.inside
        if self.answers:
            outside = ~silent & ~series.isin(self.answers).to_numpy()
            if outside.any():
                codes = some(series[outside].unique())
                raise DesignError(
                    Problem(
                        "survey.outside_scale", column=name, n=int(outside.sum()), codes=codes, scale=some(self.answers)
                    )
                )
        elif self.codes is not None and not silent.all() and not series.isin(self.codes).any():
            known = some(series[~silent].unique())
            raise DesignError(Problem("survey.codes_absent", column=name, codes=some(self.codes), known=known))
        return series, silent

    def _with_intervals(self, result: Estimates) -> Estimates:
        """Replace the symmetric intervals."""
        table = result.table
        arrays = [table[name].to_numpy(dtype=float) for name in ("estimate", "std_error", "df", "n")]
        low, high = share_interval(*arrays, method=self.interval, level=self.level)
        certain = table["std_error"].isna() & table["estimate"].isin([0.0, 1.0]) & (table["n"] > 1)
        note = table["note"].mask(certain, "survey.note.all_same")
        return replace(result, table=table.assign(conf_low=low, conf_high=high, note=note))


def _indicator(series: pd.Series, codes: Sequence[Any], missing: np.ndarray) -> np.ndarray:
    found: np.ndarray = series.isin(codes).to_numpy(dtype=float)
    found[missing] = np.nan
    return found


def _check_options(by: str | tuple[str, ...], level: float) -> None:
    problems = [Problem("survey.reserved_column", column=name) for name in as_columns(by) if name in RESERVED]
    if not 0 < level < 1:
        problems.append(Problem("survey.level_option", value=level))
    if problems:
        raise DesignError(*problems)


def _collect(method: Any, domains: Domains, parts: dict[tuple[Any, ...], Linearised], scale: Scale) -> Estimates:
    """Return the parts (by variable and answer) one below the other as one result."""
    linear = list(parts.values())
    names = {"variable": [key[0] for key in parts]}
    if any(len(key) > 1 for key in parts):
        names["answer"] = [key[1] for key in parts]
    repeated = pd.DataFrame(names).loc[np.repeat(np.arange(len(parts)), domains.size)].reset_index(drop=True)
    keys = pd.concat([repeated, pd.concat([domains.keys] * len(parts), ignore_index=True)], axis=1)
    keys["n"] = np.concatenate([part.n for part in linear])
    estimate = np.concatenate([part.estimate for part in linear])
    counts, notes = account(domains, {key[0]: part.answered for key, part in parts.items()})
    unknown = np.where(keys["n"] == 0, "survey.note.no_answers", "survey.note.zero_denominator")
    influence, row_notes = _influence(domains.sample, linear, estimate)
    result = estimates_from_influence(
        keys,
        estimate,
        influence,
        scale=scale,
        declaration=domains.sample.design,
        method=method,
        counts=counts,
        level=method.level,
        df=np.tile(domains.df, len(parts)),
        row_notes=list(np.where(np.isnan(estimate), unknown, row_notes)),
        notes=notes,
    )
    table = result.table
    simple = np.concatenate([part.simple_variance for part in linear])
    single = (table["note"] == "survey.note.no_variation") & (table["n"] == 1)
    note = table["note"].mask(single, "survey.note.one_answer")
    deff = table["std_error"] ** 2 / np.where(simple > 0, simple, np.nan)
    return replace(result, table=table.assign(deff=deff, note=note))


def _influence(sample: Sample, parts: Sequence[Linearised], estimate: np.ndarray) -> tuple[Influence, np.ndarray]:
    """Return the influence of all parts together, and a note for every estimate that some replicates lack."""
    if sample.plan.replicates is None:
        none = np.full(len(estimate), "")
        if sample.plan.adjustments:
            drawn = np.concatenate([part.drawn for part in parts], axis=1)
            return influence_of_drawn(sample.plan, drawn, lonely=sample.design.lonely), none
        return influence_of(sample, np.concatenate([part.influence for part in parts], axis=1)), none
    found = np.concatenate([part.replicates for part in parts if part.replicates is not None], axis=1)
    lost = np.isnan(found).any(axis=0)
    return replicate_influence(sample.plan, found, estimate), np.where(lost, "survey_weights.note.lost", "")
