"""Regressors of a panel regression: whole arrays, and dummies that depend on cohort and period only.

Dummies for treated cells or event times are the same for all units of a cohort. They are never written out: what a
regression needs of them are sums over cohorts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.errors import EstimationError, Problem
from evaluation.regression.absorbed import Absorbed, Cohorts

COLLINEAR = 1e-10  # of a regressor's own variation, what effects and other regressors must leave of it


@dataclass(frozen=True, eq=False)
class Regressors:
    """``k`` dummies of cohorts and periods, then ``q`` arrays.

    Parameters
    ----------
    arrays
        ``(q, N, T)``.
    cohorts
        Cohort of every unit; None without dummies.
    kernel
        ``(G, T, k)``: value of each dummy in every period of a cohort.
    """

    arrays: np.ndarray
    cohorts: Cohorts | None = None
    kernel: np.ndarray | None = None

    @property
    def number(self) -> int:
        """Number of coefficients, ``k + q``."""
        return len(self.arrays) + (0 if self.kernel is None else self.kernel.shape[2])

    def times(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the linear predictor ``(N, T)``."""
        total = np.einsum("k,kit->it", coefficients[self.number - len(self.arrays) :], self.arrays)
        if self.cohorts is not None and self.kernel is not None:
            total += (self.kernel @ coefficients[: self.kernel.shape[2]])[self.cohorts.codes]
        return np.asarray(total)


@dataclass(frozen=True, eq=False)
class Centred:
    """Regressors less the unit and period effects of `absorbed`, as far as a regression needs them."""

    regressors: Regressors
    absorbed: Absorbed

    @cached_property
    def arrays(self) -> np.ndarray:
        """``(q, N, T)``, at all cells."""
        return self.absorbed.residual(self.regressors.arrays)

    @cached_property
    def projection(self) -> tuple[np.ndarray, np.ndarray]:
        """What the effects explain of the dummies, see :meth:`Absorbed.projection`; each ``(T, k)``."""
        x = self.regressors
        if x.cohorts is None or x.kernel is None:
            return np.empty((0, 0)), np.empty((0, 0))
        return self.absorbed.projection(x.cohorts, x.kernel, self.absorbed.weights)

    def moments(self, values: np.ndarray) -> np.ndarray:
        """Return ``(k + q,)`` weighted sums of each regressor times `values` ``(N, T)``, which are centred."""
        weighted, x = self.absorbed.weights * values, self.regressors
        parts = [np.einsum("kit,it->k", self.arrays, weighted)]
        if x.cohorts is not None and x.kernel is not None:
            parts.insert(0, np.einsum("gt,gtk->k", x.cohorts.sums(weighted), x.kernel))
        return np.concatenate(parts)

    def unit_scores(self, errors: np.ndarray) -> np.ndarray:
        """Return ``(N, k + q)`` sums over periods of each centred regressor times the weighted `errors` ``(N, T)``.

        Errors sum to zero within units (and calendar months, with a season), as those of a fit do.
        """
        x = self.regressors
        parts = [np.einsum("kit,it->ik", self.arrays, errors)]
        if x.cohorts is not None and x.kernel is not None:
            parts.insert(0, x.cohorts.by_unit(x.kernel, errors) - errors @ self.projection[1])
        return np.concatenate(parts, axis=1)

    @cached_property
    def information(self) -> np.ndarray:
        """``(k + q, k + q)`` weighted cross products of the centred regressors.

        Raises
        ------
        EstimationError
            A regressor is explained by the effects and the other regressors.
        """
        x, weights = self.regressors, self.absorbed.weights
        q = len(x.arrays)
        k = x.number - q
        matrix, size = np.empty((k + q, k + q)), np.empty(k + q)
        for position, own in enumerate(self.arrays):
            matrix[:, k + position] = self.moments(own)
        matrix[k:, :k] = matrix[:k, k:].T
        size[k:] = np.einsum("kit,it,kit->k", x.arrays, weights, x.arrays)
        if x.cohorts is not None and x.kernel is not None:
            of_cells = np.einsum("gt,gtk,gtl->kl", x.cohorts.sums(weights), x.kernel, x.kernel, optimize=True)
            left, periods = self.projection
            matrix[:k, :k] = of_cells - self.absorbed.unit_moment(x.cohorts, x.kernel) - left.T @ periods
            size[:k] = np.diag(of_cells)
        _check(matrix, size)
        return matrix


def _check(matrix: np.ndarray, size: np.ndarray) -> None:
    if not len(matrix):
        return
    scale = np.sqrt(np.maximum(size, 1e-300))
    if np.linalg.eigvalsh(matrix / np.outer(scale, scale)).min() <= COLLINEAR:
        raise EstimationError(Problem("regression.collinear"))
