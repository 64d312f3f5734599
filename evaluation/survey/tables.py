"""Do two answers go together? Tests of two-way tables with the variance of the design.

What is left out: tables in three ways, and models (:mod:`evaluation.survey.ordinal`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc, ndtr

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import NUMBERS, Estimates, Note, Scale
from evaluation.influence import covariance, estimates_from_influence
from evaluation.sample import Sample, check_columns
from evaluation.survey.domains import account, divide, influence_of

TableTest = Literal["rao_scott", "first_order", "saddlepoint", "wald", "adjusted_wald"]
TABLE_TESTS = ("rao_scott", "first_order", "saddlepoint", "wald", "adjusted_wald")
RESERVED = {*NUMBERS, "n", "deff", "note"}
SMALL = 5  # answers that a cell is expected to hold before the approximations of the tests are trusted
SINGULAR = 1e-12


@dataclass(frozen=True)
class Association:
    r"""Test that the answers of one column do not depend on another, and who answers differently.

    Parameters
    ----------
    row
        Column with the groups: areas, age groups, or another answer.
    column
        Column with the answers.
    test
        ``rao_scott`` (default): Pearson's statistic with the second-order correction, as F. ``first_order``: the same
        with the mean design effect only, as chi-square; too bold where design effects differ. ``saddlepoint``: the
        p-value from the distribution of Pearson's statistic itself, for very small p-values. ``wald`` and
        ``adjusted_wald``: Wald's statistic as F, without and with the correction for the degrees of freedom; unstable
        with many cells and few primary sampling units.
    level
        Of the intervals.

    Notes
    -----
    With shares :math:`p_{rc}` of the cells among the n people who answered both, of covariance V,

    .. math::
        X^2 = n \sum_{rc} \frac{(p_{rc} - p_{r\cdot} p_{\cdot c})^2}{p_{r\cdot} p_{\cdot c}}, \qquad
        \Delta = (C' D^{-1} C / n)^{-1} \, C' D^{-1} V D^{-1} C

    where D holds the shares and C the interaction's columns less what the margins explain of them. :math:`\Delta` has
    the design effects of the :math:`k = (R-1)(C-1)` interactions as eigenvalues. With :math:`d_0 =
    (\mathrm{tr} \Delta)^2 / \mathrm{tr} \Delta^2` and :math:`\nu` primary units less strata, ``rao_scott`` takes
    :math:`X^2 / \mathrm{tr} \Delta` as F on :math:`(d_0, d_0 \nu)`; ``first_order`` takes :math:`k X^2 / \mathrm{tr}
    \Delta` as chi-square on k; ``saddlepoint`` takes :math:`X^2` as a sum of chi-squares weighted by the eigenvalues,
    over an independent chi-square on :math:`d_0 \nu` divided by that. Wald's statistic W is that of the departures
    :math:`\hat N_{rc} - \hat N_{r\cdot} \hat N_{\cdot c} / \hat N`: ``wald`` takes W/k as F on :math:`(k, \nu)`,
    ``adjusted_wald`` takes :math:`W (\nu - k + 1) / (k \nu)` as F on :math:`(k, \nu - k + 1)`.

    Who misses one of the two answers is left out and counted. Where the empty cells hold an interaction (nobody of two
    groups gave any of two answers), D holds the shares that independence lets expect, and a note says so.

    References
    ----------
    Rao and Scott (1984), On chi-squared tests for multiway contingency tables; Thomas, Singh and Roberts (1996), Tests
    of independence on two-way tables under cluster sampling; Kuonen (1999), Saddlepoint approximations for
    distributions of quadratic forms in normal variables; ``svychisq`` of R's survey package.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "area": list("ababab"), "safe": [1, 2, 1, 2, 1, 1]})
    >>> result = Association("area", "safe").estimate(Sample(frame, SurveyDesign()))
    >>> [round(result.facts[name], 3) for name in ("pearson", "p_value")]
    [3.0, 0.158]
    """

    row: str
    column: str
    _: KW_ONLY
    test: TableTest = "rao_scott"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = []
        if self.row == self.column:
            problems.append(Problem("survey_tests.same_column", column=self.row))
        problems += [
            Problem("survey.reserved_column", column=name) for name in {self.row, self.column} if name in RESERVED
        ]
        if self.test not in TABLE_TESTS:
            problems.append(Problem("survey_tests.test_option", value=self.test, allowed=TABLE_TESTS))
        if not 0 < self.level < 1:
            problems.append(Problem("survey.level_option", value=self.level))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return for each cell how far the share of the answer among the group lies from that among everybody.

        The key columns have the names of the row and the column; ``n`` counts the answers in the cell. The facts hold
        the test: ``statistic``, ``df_numerator``, ``df_denominator`` (infinite for a chi-square), ``p_value``; the
        uncorrected ``pearson``; ``design_effects``, the eigenvalues; ``cramers_v``, which is 0 for no and 1 for the
        strongest association.

        Raises
        ------
        DesignError
            A column does not exist.
        EstimationError
            Only one group or one answer occurs, or there are too few degrees of freedom.
        """
        check_columns(sample.frame, (self.row, self.column))
        answered = sample.frame[[self.row, self.column]].notna().all(axis=1).to_numpy()
        domains = divide(sample)
        inside = answered & (domains.codes >= 0)
        counts, notes = account(domains, {f"{self.row}, {self.column}": int(inside.sum())})
        table = _Table(sample, (self.row, self.column), inside)
        df = float(domains.df[0])
        facts = _tested(table, self.test, df)
        estimate, influence, row_notes = table.differences()
        return estimates_from_influence(
            table.keys(),
            estimate,
            influence_of(sample, influence),
            scale=Scale("identity", "percentage_points"),
            declaration=sample.design,
            method=self,
            counts=counts,
            level=self.level,
            df=df,
            row_notes=row_notes,
            notes=(*notes, *table.notes(), Note("survey_tests.note.association", facts)),
            facts=facts,
        )


class _Table:
    """Cells, row by row, with the parts that every sampling unit has in their shares.

    ``shares`` are ``(R, C)``, ``parts`` ``(m, R, C)``: the shares of the total weight that a unit's people bring to
    each cell, so that they add up to the shares.
    """

    def __init__(self, sample: Sample, columns: tuple[str, str], inside: np.ndarray) -> None:
        self.sample, self.columns = sample, columns
        people = np.flatnonzero(inside)
        factors = [pd.factorize(sample.frame[name].iloc[people], sort=True) for name in columns]
        self.levels = [levels for _, levels in factors]
        shape = len(self.levels[0]), len(self.levels[1])
        single = [name for name, size in zip(columns, shape, strict=True) if size == 1]
        if single:
            raise EstimationError(*(Problem("survey_tests.one_level", column=name) for name in single))
        cell, size = factors[0][0] * shape[1] + factors[1][0], shape[0] * shape[1]
        weights, m = sample.plan.weights[people], len(sample.plan.units)
        self.n = np.bincount(cell, minlength=size).reshape(shape)
        at = sample.plan.unit[people] * size + cell
        self.parts = np.bincount(at, weights / weights.sum(), minlength=m * size).reshape(m, *shape)
        self.shares = self.parts.sum(axis=0)

    def keys(self) -> pd.DataFrame:
        """Return ``R C`` rows: group, answer, number of answers."""
        rows, columns = (size.ravel() for size in np.indices(self.n.shape))
        named = {
            name: levels.take(at) for name, levels, at in zip(self.columns, self.levels, (rows, columns), strict=True)
        }
        return pd.DataFrame({**named, "n": self.n.ravel()})

    def pearson(self) -> float:
        """Return Pearson's statistic as if the people had been drawn at random."""
        return float(self.n.sum() * ((self.shares - self.expected) ** 2 / self.expected).sum())

    @property
    def expected(self) -> np.ndarray:
        """``(R, C)`` shares if the answers did not depend on the group."""
        return np.outer(self.shares.sum(axis=1), self.shares.sum(axis=0))

    def basis(self) -> np.ndarray:
        """Return the shares with which interactions are weighted, infinite for an empty cell.

        The observed ones; where empty cells leave some interaction without any, the expected ones.
        """
        return self.expected if self.sparse else np.where(self.n > 0, self.shares, np.inf)

    @cached_property
    def sparse(self) -> bool:
        """Whether empty cells contain an interaction: a closed path over groups and answers with turns only there."""
        rows, columns = (np.flatnonzero((self.n == 0).any(axis=axis)) for axis in (1, 0))
        if len(rows) < 2 or len(columns) < 2:
            return False
        interactions = np.kron(_centred(self.n.shape[0]), _centred(self.n.shape[1]))
        filled = interactions[(self.n > 0).ravel()]
        return bool(np.linalg.matrix_rank(filled) < interactions.shape[1])

    def share_influence(self) -> np.ndarray:
        """Return ``(m, R C)`` the influences of the cells' shares."""
        influence = self.parts - self.parts.sum(axis=(1, 2), keepdims=True) * self.shares
        return np.asarray(influence.reshape(len(influence), -1))

    def departures(self) -> tuple[np.ndarray, np.ndarray]:
        """Return by how much the cells' totals depart from independence, over the total, and the influences.

        Without the last group and the last answer, which follow from the others: ``(k,)`` and ``(m, k)``.
        """
        row, column = self.shares.sum(axis=1), self.shares.sum(axis=0)
        influence = (
            self.parts
            - self.parts.sum(axis=2, keepdims=True) * column
            - self.parts.sum(axis=1, keepdims=True) * row[:, None]
            + self.parts.sum(axis=(1, 2), keepdims=True) * self.expected
        )
        kept = (self.shares - self.expected)[:-1, :-1].ravel()
        return kept, influence[:, :-1, :-1].reshape(len(influence), -1)

    def differences(self) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Return share of an answer in a group less that among all, the influences, and notes on the cells."""
        row, column = self.shares.sum(axis=1, keepdims=True), self.shares.sum(axis=0)
        within = self.shares / row
        of_group = (self.parts - self.parts.sum(axis=2, keepdims=True) * within) / row
        of_all = self.parts.sum(axis=1, keepdims=True) - self.parts.sum(axis=(1, 2), keepdims=True) * column
        # Without spread within the group, only that of all answers would be left, and the range far too short.
        size = np.broadcast_to(self.n.sum(axis=1, keepdims=True), self.n.shape)
        same = (self.n == 0) | (self.n == size)
        notes = np.select([size == 1, same], ["survey.note.one_answer", "survey_tests.note.same_in_group"], default="")
        influence = np.where(notes != "", 0.0, of_group - of_all).reshape(len(self.parts), -1)
        return (within - column).ravel(), influence, notes.ravel().tolist()

    def notes(self) -> list[Note]:
        """Return remarks on answers that nobody gave, and on cells that are nearly empty."""
        notes = []
        for name, levels in zip(self.columns, self.levels, strict=True):
            absent = sorted({str(value) for value in self.sample.frame[name].dropna().unique()} - set(map(str, levels)))
            if absent:
                notes.append(Note("survey_tests.note.empty_margin", {"column": name, "values": absent}))
        few = int((self.n.sum() * self.expected < SMALL).sum())
        if few:
            notes.append(Note("survey_tests.note.small_cells", {"n": few, "of": self.n.size, "limit": SMALL}))
        if self.sparse:
            notes.append(Note("survey_tests.note.empty_cells", {"n": int((self.n == 0).sum()), "of": self.n.size}))
        return notes


def _tested(table: _Table, test: TableTest, df: float) -> dict[str, Any]:
    """Return the facts of a test; formulas in :class:`Association`."""
    if not df > 0:
        raise EstimationError(Problem("survey_tests.no_df", column=table.columns[0]))
    pearson, effects = table.pearson(), _design_effects(table)
    k, total = len(effects), float(effects.sum())
    spread = total**2 / float((effects**2).sum())
    if test in {"wald", "adjusted_wald"}:
        numerator, denominator, statistic = _wald(table, df, adjusted=test == "adjusted_wald")
        p_value = fdtrc(numerator, denominator, statistic)
    elif test == "first_order":
        numerator, denominator, statistic = float(k), np.inf, k * pearson / total
        p_value = chdtrc(k, statistic)
    else:
        numerator, denominator, statistic = spread, spread * df, pearson / total
        p_value = fdtrc(numerator, denominator, statistic)
        if test == "saddlepoint":
            exact = tail_of_sum(np.append(effects, -pearson / denominator), np.append(np.ones(k), denominator))
            p_value = p_value if np.isnan(exact) else exact
    return {
        "statistic": statistic,
        "df_numerator": numerator,
        "df_denominator": denominator,
        "p_value": float(p_value),
        "pearson": pearson,
        "design_effects": tuple(effects.tolist()),
        "cramers_v": float(np.sqrt(pearson / (table.n.sum() * (min(table.n.shape) - 1)))),
    }


def _design_effects(table: _Table) -> np.ndarray:
    """Return ``(k,)`` the eigenvalues of the design effects' matrix, from the largest."""
    rows, columns = table.n.shape
    # Columns that add up to zero over groups and over answers span what is not in the margins.
    interactions = np.kron(_centred(rows), _centred(columns))
    scaled = interactions / table.basis().ravel()[:, None]
    simple = interactions.T @ scaled / table.n.sum()
    spread = covariance(influence_of(table.sample, table.share_influence() @ scaled))
    root = np.linalg.inv(np.linalg.cholesky(simple))
    return np.maximum(np.linalg.eigvalsh(root @ spread @ root.T)[::-1], 0.0)


def _centred(size: int) -> np.ndarray:
    """Return ``(size, size - 1)`` columns that span the vectors with sum zero."""
    return np.eye(size)[:, :-1] - 1 / size


def _wald(table: _Table, df: float, *, adjusted: bool) -> tuple[float, float, float]:
    """Return degrees of freedom and F of Wald's test."""
    departures, influence = table.departures()
    spread, k = covariance(influence_of(table.sample, influence)), len(departures)
    below = df - k + 1 if adjusted else df
    size = np.sqrt(np.diag(spread))
    if below <= 0 or not (size > 0).all():
        raise EstimationError(Problem("survey_tests.wald_df", df=df, n=k))
    scaled = spread / np.outer(size, size)
    if np.linalg.eigvalsh(scaled)[0] < SINGULAR:
        raise EstimationError(Problem("survey_tests.wald_df", df=df, n=k))
    wald = float(departures / size @ np.linalg.solve(scaled, departures / size))
    return float(k), below, wald * below / (k * df) if adjusted else wald / k


def tail_of_sum(scales: np.ndarray, df: np.ndarray) -> float:
    r"""Return the probability that a sum of chi-squares, each times its scale, is above 0, by saddlepoint.

    With :math:`K(z) = -\frac12 \sum d \log(1 - 2 z s)` and :math:`K'(z) = 0`, it is :math:`1 - \Phi(w + \log(v/w)/w)`,
    :math:`w = \mathrm{sgn}(z) \sqrt{-2 K(z)}`, :math:`v = z \sqrt{K''(z)}`. Missing at the mean, where z is 0.
    """
    from scipy.optimize import brentq

    scales = scales / np.abs(scales).max()

    def slope(z: float) -> float:
        return float((df * scales / (1 - 2 * z * scales)).sum())

    ends = 1 / (2 * scales.min()), 1 / (2 * scales.max())
    z = float(brentq(slope, ends[0] * (1 - 1e-12), ends[1] * (1 - 1e-12), xtol=1e-15, rtol=1e-14))
    if abs(z) < 1e-4:
        return float("nan")
    w = np.sign(z) * np.sqrt((df * np.log1p(-2 * z * scales)).sum())
    v = z * np.sqrt(2 * (df * (scales / (1 - 2 * z * scales)) ** 2).sum())
    return float(ndtr(-(w + np.log(v / w) / w)))
