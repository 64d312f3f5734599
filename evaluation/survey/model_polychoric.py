r"""Polychoric correlation of two ordered answers: that of the two normal scales which thresholds cut into answers.

Two steps: thresholds from the margins, then the correlation by weighted pseudo-likelihood. What is left out: samples,
results and more than two items at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, owens_t

LIMIT = 0.999  # beyond, the answers determine each other and the likelihood has no maximum
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Polychoric:
    """The correlation of two items.

    Parameters
    ----------
    correlation
        Estimate; missing where the likelihood rises towards -1 or 1.
    influence
        ``(a, b)`` of a person of weight one with these answers, times the sum of weights.
    """

    correlation: float
    influence: np.ndarray


def polychoric(table: np.ndarray) -> Polychoric:
    r"""Return the correlation that makes a table of answers most likely, its margins being as they are.

    Parameters
    ----------
    table
        ``(a, b)`` sums of weights, no row or column empty.

    Notes
    -----
    With thresholds :math:`\hat\tau = \Phi^{-1}` of the cumulative margins and cell probabilities :math:`\pi_{ab}(\rho,
    \tau)` of the bivariate normal distribution, :math:`U(\rho, \tau) = \sum p_{ab} \partial \log \pi_{ab} / \partial
    \rho = 0`. The influence of a person with answers (a, b) is

    .. math:: -\left(\frac{\partial U}{\partial \rho}\right)^{-1} \left[ \frac{\partial \log \pi_{ab}}{\partial \rho}
        + \sum_t \frac{\partial U}{\partial \tau_t} \frac{1(x \le t) - P_t}{\phi(\tau_t)} \right]

    with the sum over the thresholds of both items.

    References
    ----------
    Olsson (1979), Maximum likelihood estimation of the polychoric correlation coefficient; ``polychor`` of R's
    polycor package.
    """
    from scipy.optimize import brentq

    shares = table / table.sum()
    below = [np.cumsum(shares.sum(axis=axis))[:-1] for axis in (1, 0)]
    cuts = [ndtri(share) for share in below]
    ends = [np.concatenate([[-np.inf], cut, [np.inf]]) for cut in cuts]

    def slope(correlation: float) -> float:
        cells = _cells(ends[0], ends[1], correlation)
        return float((shares * cells.first / cells.probability).sum())

    if not slope(-LIMIT) > 0 > slope(LIMIT):
        return Polychoric(np.nan, np.zeros(table.shape))
    correlation = float(brentq(slope, -LIMIT, LIMIT, xtol=1e-14, rtol=1e-14))
    cells = _cells(ends[0], ends[1], correlation)
    ratio = cells.first / cells.probability
    bend = float((shares * (cells.second / cells.probability - ratio**2)).sum())
    rows = _by_thresholds(shares, cells, ends[0], ends[1], correlation)
    columns = _by_thresholds(shares.T, cells.transposed(), ends[1], ends[0], correlation)
    person = ratio + _margin(rows, below[0], cuts[0])[:, None] + _margin(columns, below[1], cuts[1])
    return Polychoric(correlation, -person / bend)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Probabilities ``(a, b)`` and their derivatives by the correlation."""

    probability: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def transposed(self) -> _Cells:
        return _Cells(self.probability.T, self.first.T, self.second.T)


def _cells(rows: np.ndarray, columns: np.ndarray, correlation: float) -> _Cells:
    first, second = np.meshgrid(rows, columns, indexing="ij")
    inner = np.isfinite(first) & np.isfinite(second)
    h, k = np.where(inner, first, 0.0), np.where(inner, second, 0.0)
    left = 1 - correlation**2
    density = np.where(inner, _density(h, k, correlation), 0.0)
    bend = correlation / left + (h * k * (1 + correlation**2) - correlation * (h**2 + k**2)) / left**2
    grids = (binormal(first, second, correlation), density, density * bend)
    probability, by_one, by_two = (np.diff(np.diff(grid, axis=0), axis=1) for grid in grids)
    return _Cells(np.maximum(probability, TINY), by_one, by_two)


def _density(h: np.ndarray, k: np.ndarray, correlation: float) -> np.ndarray:
    left = 1 - correlation**2
    exponent = -(h**2 - 2 * correlation * h * k + k**2) / (2 * left)
    return np.asarray(np.exp(exponent) / (2 * np.pi * np.sqrt(left)))


def binormal(h: np.ndarray, k: np.ndarray, correlation: float) -> np.ndarray:
    r"""Return :math:`P(X \le h, Y \le k)` of standard normal numbers with a correlation strictly between -1 and 1.

    Notes
    -----
    :math:`\tfrac12 \Phi(h) + \tfrac12 \Phi(k) - T(h, a_h) - T(k, a_k) - \delta` with Owen's T, :math:`a_h = (k/h -
    \rho)/\sqrt{1 - \rho^2}`, :math:`a_k` likewise, and :math:`\delta = \tfrac12` where h and k have different signs.

    References
    ----------
    Owen (1956), Tables for computing bivariate normal probabilities.
    """
    h, k = np.broadcast_arrays(np.asarray(h, dtype=float), np.asarray(k, dtype=float))
    inner = np.isfinite(h) & np.isfinite(k)
    # The smallest number instead of zero keeps the sign that the formula needs and changes nothing else.
    x, y = (np.where(inner, np.where(value == 0, TINY, value), 1.0) for value in (h, k))
    root = np.sqrt(1 - correlation**2)
    with np.errstate(over="ignore"):
        shares = [owens_t(one, (other / one - correlation) / root) for one, other in ((x, y), (y, x))]
    apart = np.where((x < 0) != (y < 0), 0.5, 0.0)
    both = (ndtr(x) + ndtr(y)) / 2 - shares[0] - shares[1] - apart
    return np.where(inner, both, np.where(np.minimum(h, k) == -np.inf, 0.0, ndtr(np.minimum(h, k))))


def _by_thresholds(
    shares: np.ndarray, cells: _Cells, own: np.ndarray, other: np.ndarray, correlation: float
) -> np.ndarray:
    """Return the derivative of the score by the thresholds of the first item ``(a - 1,)``."""
    left = 1 - correlation**2
    h = own[1:-1, None]
    finite = np.isfinite(other)
    k = np.where(finite, other, 0.0)[None, :]
    beside = np.where(finite, ndtr((k - correlation * h) / np.sqrt(left)), other > 0)
    probability = np.diff(np.exp(-(h**2) / 2) / np.sqrt(2 * np.pi) * beside, axis=1)
    density = np.where(finite, _density(h, k, correlation) * -(h - correlation * k) / left, 0.0)
    first = np.diff(density, axis=1)

    def part(rows: slice) -> np.ndarray:
        value = first / cells.probability[rows] - cells.first[rows] * probability / cells.probability[rows] ** 2
        return np.asarray((shares[rows] * value).sum(axis=1))

    return np.asarray(part(slice(None, -1)) - part(slice(1, None)))


def _margin(derivative: np.ndarray, below: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return ``(a,)`` what a person with each answer adds through the thresholds."""
    answers = np.arange(len(cuts) + 1)[:, None]
    density = np.exp(-(cuts**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray((((answers <= np.arange(len(cuts))) - below) * derivative / density).sum(axis=1))
