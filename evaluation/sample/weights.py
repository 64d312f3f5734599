"""What a sample remembers of how its weights were made, and its replicate weights: arrays, nothing is computed here.

Weights that were fitted to the population depend on who was drawn; a variance that takes them as given is too large
or too small. :mod:`evaluation.survey.weighting` makes them, :mod:`evaluation.survey.weight_variance` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Rule(Protocol):
    """How factors follow from weights; for replicates it is applied to the weights of each one."""

    def solve(self, total: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Return ``(R, p)`` parameters from the weights by cell ``(R, G)``: of everybody, and of those who are kept."""

    def factors(self, parameters: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return ``(c, R)`` factors of people in `cells` ``(c,)``."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """Totals of the population to which weights were fitted.

    Parameters
    ----------
    columns
        One column, or several whose combinations have totals.
    values
        ``L`` tuples of values; empty for the total of a number.
    totals
        ``(L,)``, or one.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    totals: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Correction:
    r"""How a fit of the weights changes the influence of every person.

    With u the weighted influence of a person as if weights were given,

    .. math:: u_i - s_i x_i' A^{-1} \sum_j c_j x_j u_j .

    Parameters
    ----------
    x
        ``(G, q)`` rows :math:`x` of the cells; None for an indicator of every cell.
    inverse
        ``(q, q)`` :math:`A^{-1}`; its diagonal ``(G,)`` where `x` is None.
    collect
        ``(G,)`` :math:`c` of the cells.
    spread
        ``(n,)`` :math:`s` of the people.
    """

    x: np.ndarray | None
    inverse: np.ndarray
    collect: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Adjustment:
    """One change of the weights.

    Parameters
    ----------
    before, after
        ``(n,)`` weights.
    among
        ``(n,)`` who took part; None for everybody.
    kept
        ``(n,)`` who has a weight afterwards; None for all who took part.
    cells
        ``(n,)`` codes of people with equal factors; None where factors are fixed numbers (trimming).
    size
        Number of cells ``G``, one more where some people did not take part.
    rule, correction
        None where factors are fixed numbers.
    targets
        What the weights were fitted to.
    """

    before: np.ndarray
    after: np.ndarray
    among: np.ndarray | None = None
    kept: np.ndarray | None = None
    cells: np.ndarray | None = None
    size: int = 0
    rule: Rule | None = None
    correction: Correction | None = None
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Replicates:
    r"""Replicate weights: the variance of an estimate is :math:`\sum_r a_r (\hat\theta_r - c)^2`.

    Parameters
    ----------
    factors
        ``(u, R)``; replicate r multiplies the sampling weights of the people with row j by ``factors[j, r]``.
    rows
        ``(n,)`` row of every person.
    scale
        ``(R,)`` the :math:`a_r`.
    labels
        ``(R,)``; equal ones in two results are the same replicate.
    centre
        ``mean``: of the replicates; ``estimate``: of all people.
    df
        Degrees of freedom; None: those of the design.
    parameters
        For each adjustment of the weights ``(R, p)`` its parameters in every replicate; None where it has no rule.
    """

    factors: np.ndarray
    rows: np.ndarray
    scale: np.ndarray
    labels: np.ndarray
    centre: str = "mean"
    df: float | None = None
    parameters: tuple[np.ndarray | None, ...] = ()
