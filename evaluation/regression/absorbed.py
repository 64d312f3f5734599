"""Effects of units and periods, taken out of the arrays of a panel: the linear algebra under all its regressions.

Effects of units are removed by centring, those of periods by one small linear system, so that the cost grows with the
number of units, not with its square. With a season every unit has an effect for each calendar month: then periods of
different calendar months have no effect in common, and each month is a system of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

NEGLIGIBLE = 1e-11  # eigenvalues of the scaled period system below this are zero: one for each connected part


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Units grouped by the start of their measure; sums of cells with weights that depend on cohort and period only.

    Parameters
    ----------
    codes
        ``(N,)`` cohort of every unit, 0 to ``G - 1``. Sums are quickest where they are sorted.
    number
        ``G``.
    """

    codes: np.ndarray
    number: int

    @cached_property
    def rows(self) -> tuple[slice | np.ndarray, ...]:
        """The units of every cohort."""
        if (np.diff(self.codes) >= 0).all():
            ends = np.searchsorted(self.codes, np.arange(self.number + 1))
            return tuple(slice(ends[g], ends[g + 1]) for g in range(self.number))
        return tuple(np.flatnonzero(self.codes == g) for g in range(self.number))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums ``(G, T)`` of `values` ``(N, T)`` over the units of every cohort."""
        return np.stack([values[rows].sum(axis=0) for rows in self.rows])

    def by_unit(self, kernel: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return ``sum_t values_it kernel_gtk``, ``(N, k)``, with the `kernel` ``(G, T, k)`` of the unit's cohort."""
        result = np.empty((len(values), kernel.shape[2]))
        for rows, own in zip(self.rows, kernel, strict=True):
            used = own.any(axis=1)
            result[rows] = values[rows][:, used] @ own[used] if used.any() else 0.0
        return result

    def by_period(self, kernel: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return ``sum_i values_it kernel_gtk``, ``(T, k)``."""
        return np.asarray(np.einsum("gt,gtk->tk", self.sums(values), kernel))


@dataclass(frozen=True, eq=False)
class _Part:
    """Periods with common unit effects: their columns, the weights, each unit's shares, and the period system."""

    columns: slice | np.ndarray
    weights: np.ndarray
    share: np.ndarray
    inverse: np.ndarray
    connected: np.ndarray


@dataclass(frozen=True, eq=False)
class Absorbed:
    """Unit and period effects under given weights of the cells.

    Parameters
    ----------
    weights
        ``(N, T)``, at least 0; cells of weight 0 do not inform the effects.
    season
        ``(T,)`` calendar month of every period: units have an effect for each; None for one effect a unit.

    Notes
    -----
    With ``p_it = w_it / sum_s w_is``, period effects ``g`` solve ``(diag(sum_i w_it) - W'P) g = sum_i w_it (y_it -
    p_i'y_i)``, singular by one for each set of periods that units connect; the smallest solution is taken.

    Examples
    --------
    >>> effects = Absorbed(np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> effects.residual(np.array([[1.0, 3.0], [4.0, 9.0]]))[1].round(9)
    array([0., 3.])
    """

    weights: np.ndarray
    season: np.ndarray | None = None

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        if self.season is None:
            return (_part(slice(None), self.weights),)
        chosen = [np.flatnonzero(self.season == month) for month in np.unique(self.season)]
        return tuple(_part(columns, self.weights[:, columns]) for columns in chosen)

    def residual(self, values: np.ndarray) -> np.ndarray:
        """Return `values` ``(..., N, T)`` less their weighted unit and period effects, at all cells.

        At cells of weight 0 this is the value less what the effects predict there (see :attr:`identified`).
        """
        result = np.empty_like(values, dtype=float)
        for part in self._parts:
            own = values[..., part.columns]
            centred = own - np.einsum("it,...it->...i", part.share, own)[..., None]
            periods = np.einsum("it,...it->...t", part.weights, centred) @ part.inverse
            centred -= periods[..., None, :]
            centred += (periods @ part.share.T)[..., None]
            result[..., part.columns] = centred
        return result

    def projection(self, cohorts: Cohorts, kernel: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project the sums of cells ``values_it kernel_gtk`` on the effects.

        Returns
        -------
        left, periods
            Each ``(T, k)``: the sums by period less what unit effects explain, and the period part ``s`` of the
            solution of ``Z'WZ (u, s) = sum values kernel z`` for the dummies ``z`` of the effects. The unit part is
            never needed, because the weighted errors of a fit sum to zero within units.
        """
        left, periods = np.empty((2, values.shape[1], kernel.shape[2]))
        for part in self._parts:
            own, weighting = values[:, part.columns], kernel[:, part.columns]
            rest = cohorts.by_period(weighting, own) - part.share.T @ cohorts.by_unit(weighting, own)
            left[part.columns], periods[part.columns] = rest, part.inverse @ rest
        return left, periods

    def unit_moment(self, cohorts: Cohorts, kernel: np.ndarray) -> np.ndarray:
        """Return what unit effects explain of the weighted moments of `kernel` dummies, ``(k, k)``."""
        moment = np.zeros((kernel.shape[2], kernel.shape[2]))
        for part in self._parts:
            own = cohorts.by_unit(kernel[:, part.columns], part.weights)
            total = part.weights.sum(axis=1)
            moment += (np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)[:, None] * own).T @ own
        return moment

    @cached_property
    def identified(self) -> np.ndarray:
        """``(N, T)`` cells whose unit and period effect are both known, from units and periods that are connected."""
        result = np.zeros(self.weights.shape, dtype=bool)
        for part in self._parts:
            informed = part.weights > 0
            own = np.where(informed.any(axis=1), part.connected[informed.argmax(axis=1)], -1)
            periods = np.where(informed.any(axis=0), part.connected, -2)
            result[:, part.columns] = own[:, None] == periods
        return result


def _part(columns: slice | np.ndarray, weights: np.ndarray) -> _Part:
    of_unit = weights.sum(axis=1, keepdims=True)
    share = weights * np.divide(1.0, of_unit, out=np.zeros_like(of_unit), where=of_unit > 0)
    system = np.diag(weights.sum(axis=0)) - weights.T @ share
    total = weights.sum(axis=0)
    scale = np.sqrt(np.where(total > 0, total, 1.0))
    scaled = np.linalg.pinv(system / np.outer(scale, scale), rcond=NEGLIGIBLE, hermitian=True)
    return _Part(columns, weights, share, scaled / np.outer(scale, scale), _connected(system < 0))


def _connected(touching: np.ndarray) -> np.ndarray:
    """Return ``(T,)`` the first period that each one is connected with, by units that were seen in both."""
    reach = touching | np.eye(len(touching), dtype=bool)
    for _ in range(len(touching).bit_length()):
        reach = (reach.astype(float) @ reach) > 0
    return np.asarray(reach.argmax(axis=1))
