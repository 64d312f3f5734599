"""Do groups answer higher or lower? Design-based t test and rank tests; finite population corrections are kept.

What is left out: tests of whole distributions of answers (:mod:`evaluation.survey.tables`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import fdtrc, ndtri

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import NUMBERS, Estimates, Note, Scale
from evaluation.influence import estimates_from_influence, joint_test
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.domains import account, divide, influence_of, linearise, numbers

RankScore = Literal["wilcoxon", "median", "normal"]
RANK_SCORES = ("wilcoxon", "median", "normal")
RESERVED = {"variable", "reference", *NUMBERS, "n", "deff", "note"}


@dataclass(frozen=True)
class TTest:
    r"""Design-based t test: how far the mean of each group lies from that of a reference group.

    Parameters
    ----------
    variable
        Numeric column.
    group
        Column with two or more groups.
    reference
        The group with which the others are compared; by default the first in sorted order.
    level
        Of the intervals.

    Notes
    -----
    The difference of two domain means, with the variance of the design. With G groups and :math:`\nu` primary units
    less strata that hold somebody who answered, a difference has :math:`\nu - G + 1` degrees of freedom, as in the
    linear model with the groups as its terms, and all differences together are tested by Wald's statistic W:
    :math:`W/(G-1)` is F on :math:`(G-1, \nu - G + 1)`. For two groups that is the t test.

    References
    ----------
    ``svyttest`` of R's survey package.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "area": list("ababab"), "worry": [1, 2, 2, 4, 3, 3]})
    >>> TTest("worry", "area").estimate(Sample(frame, SurveyDesign())).table["estimate"].tolist()
    [1.0]
    """

    variable: str
    group: str
    _: KW_ONLY
    reference: Any = None
    level: float = 0.95

    def __post_init__(self) -> None:
        _check_options(self, [])

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each group but the reference: its mean less that of the reference.

        Key columns: ``variable``, the group, ``reference``; ``n`` is the smaller number of answers. The facts hold the
        test of all differences together: ``statistic`` (F), ``df_numerator``, ``df_denominator``, ``p_value``.

        Raises
        ------
        DesignError
            A column does not exist or is not numeric, or the reference is no group.
        EstimationError
            Only one group answered, the reference has a single answer, or there are too few degrees of freedom.
        """
        people = _People(sample, self)
        return people.compared(people.values, Scale("identity", "difference"))


@dataclass(frozen=True)
class RankTest:
    r"""Design-based rank test: do the answers of each group rank higher or lower than those of a reference group.

    Only the order of the answers counts, so that it suits ordered answers and skewed numbers.

    Parameters
    ----------
    variable, group, reference, level
        As in :class:`TTest`.
    score
        ``wilcoxon``: ranks (with more than two groups the Kruskal-Wallis test); ``median``: whether an answer ranks
        in the upper half (Mood); ``normal``: normal quantiles of the ranks (van der Waerden).

    Notes
    -----
    The rank of an answer is the estimated share of the population below it plus half of the share that gave the same
    answer,

    .. math:: R_i = \hat F(y_i^-) + \tfrac12 (\hat F(y_i) - \hat F(y_i^-))

    so that it lies between 0 and 1; a difference of mean ranks of 0.1 between two groups alone means that 10 points
    more than half of all pairs rank in favour of one (ties halved). The score of the rank is compared as in
    :class:`TTest`, as if it were known; the error of that vanishes under the null hypothesis. Finite population
    corrections enter as in every other variance.

    References
    ----------
    Lumley and Scott (2013), Two-sample rank tests under complex sampling; ``svyranktest`` of R's survey package, which
    ranks equal answers by their order in the file where their weights differ.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "area": list("ababab"), "worry": [1, 2, 2, 4, 3, 3]})
    >>> result = RankTest("worry", "area").estimate(Sample(frame, SurveyDesign()))
    >>> round(float(result.table.loc[0, "estimate"]), 3)
    0.278
    """

    variable: str
    group: str
    _: KW_ONLY
    score: RankScore = "wilcoxon"
    reference: Any = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = []
        if self.score not in RANK_SCORES:
            problems.append(Problem("survey_tests.score_option", value=self.score, allowed=RANK_SCORES))
        _check_options(self, problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each group but the reference: its mean score less that of the reference.

        Rows, facts and errors are those of :meth:`TTest.estimate`.
        """
        people = _People(sample, self)
        scores = people.ranks()
        if self.score == "median":
            scores = np.where(np.isnan(scores), np.nan, scores > 0.5)
        elif self.score == "normal":
            scores = ndtri(scores)
        return people.compared(scores, Scale("identity", "mean rank score"))


def _check_options(method: TTest | RankTest, problems: list[Problem]) -> None:
    if method.variable == method.group:
        problems.append(Problem("survey_tests.same_column", column=method.group))
    if method.group in RESERVED:
        problems.append(Problem("survey.reserved_column", column=method.group))
    if not 0 < method.level < 1:
        problems.append(Problem("survey.level_option", value=method.level))
    if problems:
        raise DesignError(*problems)


class _People:
    """Who answered and belongs to a group, and the comparison of any score between the groups."""

    def __init__(self, sample: Sample, method: TTest | RankTest) -> None:
        self.method = method
        check_columns(sample.frame, (method.variable, method.group))
        self.values = numbers(sample, method.variable)
        groups = divide(sample, method.group)
        inside = (groups.codes >= 0) & ~np.isnan(self.values)
        self.counts, self.notes = account(groups, {method.variable: int(inside.sum())})
        self.groups = divide(sample.where(inside), method.group)
        self.levels = self.groups.keys[method.group].tolist()
        self.values = np.where(inside, self.values, np.nan)
        if len(self.levels) == 1:
            raise EstimationError(Problem("survey_tests.one_level", column=method.group))
        if method.reference is not None and method.reference not in self.levels:
            known = some(self.levels)
            raise DesignError(
                Problem("survey_tests.reference", column=method.group, value=method.reference, known=known)
            )

    def ranks(self) -> np.ndarray:
        """Return ``(n,)`` the estimated share of the population below an answer, half of those with the same."""
        answered = np.flatnonzero(~np.isnan(self.values))
        codes, levels = pd.factorize(self.values[answered], sort=True)
        shares = np.bincount(codes, self.groups.sample.plan.weights[answered], minlength=len(levels))
        shares = shares / shares.sum()
        ranks = np.full(len(self.values), np.nan)
        ranks[answered] = (np.cumsum(shares) - shares / 2)[codes]
        return ranks

    def compared(self, scores: np.ndarray, scale: Scale) -> Estimates:
        """Return the differences of mean scores from the reference, with the joint test among the facts."""
        method, sample = self.method, self.groups.sample
        means = linearise(self.groups, scores, "mean")
        base = 0 if method.reference is None else self.levels.index(method.reference)
        others = [at for at in range(len(self.levels)) if at != base]
        if means.n[base] == 1:
            raise EstimationError(
                Problem("survey_tests.reference_single", column=method.group, value=self.levels[base])
            )
        single = means.n[others] == 1
        keys = pd.DataFrame({"variable": method.variable, method.group: [self.levels[at] for at in others]})
        keys = keys.assign(reference=self.levels[base], n=np.minimum(means.n[others], means.n[base]))
        influence = means.influence[:, others] - means.influence[:, [base]]
        df = float(divide(sample).df[0]) - len(others)
        if not df > 0:
            raise EstimationError(Problem("survey_tests.no_df", column=method.group))
        result = estimates_from_influence(
            keys,
            means.estimate[others] - means.estimate[base],
            influence_of(sample, np.where(single, 0.0, influence)),
            scale=scale,
            declaration=sample.design,
            method=method,
            counts=self.counts,
            level=method.level,
            df=df,
            row_notes=np.where(single, "survey.note.one_answer", "").tolist(),
            notes=self.notes,
        )
        facts = _together(result, df)
        note = (Note("survey_tests.note.groups", facts),) if facts else ()
        return replace(result, facts={**result.facts, **facts}, notes=(*result.notes, *note))


def _together(result: Estimates, df: float) -> dict[str, float]:
    """Return the test of all differences that have a standard error; empty where none has."""
    usable = result.table["std_error"].notna().to_numpy()
    if not usable.any():
        return {}
    wald = joint_test(result, np.eye(len(usable))[usable], df=np.inf)
    return {
        "statistic": wald.statistic,
        "df_numerator": wald.df_numerator,
        "df_denominator": df,
        "p_value": float(fdtrc(wald.df_numerator, df, wald.statistic)),
    }
