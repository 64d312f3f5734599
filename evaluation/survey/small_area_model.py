"""The area-level model of Fay and Herriot as arrays: variance between areas, coefficients, predictions.

What is left out: where the sampling variances come from, names and notes (:mod:`evaluation.survey.small_area`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POINTS = 160  # at which a maximum of the likelihood is looked for before it is found exactly
LOWEST, HIGHEST = 1e-8, 1e4  # of the variance between areas, relative to sampling variances and to the areas' spread


@dataclass(frozen=True, eq=False)
class AreaFit:
    """The fitted model of ``m`` areas and ``q`` columns.

    Parameters
    ----------
    variance
        Between areas, beyond what the columns explain; always above 0.
    coefficients, spread
        ``(q,)`` and their covariance ``(q, q)``, given the variance.
    """

    variance: float
    coefficients: np.ndarray
    spread: np.ndarray

    def synthetic(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(a,)`` what the columns ``(a, q)`` say about areas, and the mean squared error of that."""
        error = np.einsum("ij,jk,ik->i", columns, self.spread, columns)
        return columns @ self.coefficients, self.variance + error

    def predict(self, direct: np.ndarray, columns: np.ndarray, sampling: np.ndarray) -> tuple[np.ndarray, ...]:
        r"""Return the best linear predictions ``(a,)``, the direct estimates' weights in them, and their error.

        With :math:`\gamma = A/(A + \psi)`,

        .. math::
            \hat\theta = \gamma y + (1 - \gamma) x'\hat\beta, \qquad
            mse = \gamma \psi + (1 - \gamma)^2 \, x' V(\hat\beta) x
        """
        weight = self.variance / (self.variance + sampling)
        synthetic, _ = self.synthetic(columns)
        of_coefficients = np.einsum("ij,jk,ik->i", columns, self.spread, columns)
        prediction = weight * direct + (1 - weight) * synthetic
        return prediction, weight, weight * sampling + (1 - weight) ** 2 * of_coefficients


def fit_areas(direct: np.ndarray, columns: np.ndarray, sampling: np.ndarray) -> AreaFit:
    r"""Return the model whose variance between areas has the largest adjusted residual likelihood.

    Parameters
    ----------
    direct
        ``(m,)`` direct estimates y.
    columns
        ``(m, q)`` X, with the constant; ``m > q + 2``, of full rank.
    sampling
        ``(m,)`` sampling variances :math:`\psi`, above 0.

    Notes
    -----
    :math:`y_i = x_i'\beta + v_i + e_i`, :math:`v_i \sim (0, A)`, :math:`e_i \sim (0, \psi_i)`. With V the diagonal of
    :math:`A + \psi_i` and :math:`\hat\beta` the weighted least squares given A,

    .. math::
        \log L(A) = \log A - \tfrac12 \left[\log|V| + \log|X'V^{-1}X| + (y - X\hat\beta)'V^{-1}(y - X\hat\beta)\right]

    The first term keeps A from being 0, where all areas would be declared equal. The root of the slope is found to
    the last digits; with several maxima the highest counts.

    References
    ----------
    Fay and Herriot (1979), Estimates of income for small places; Li and Lahiri (2010), An adjusted maximum likelihood
    method for solving small area estimation problems.
    """
    from scipy.optimize import brentq

    likelihood = _Likelihood(direct, columns, sampling)
    highest = HIGHEST * max(float(np.var(direct)), float(sampling.max()))
    grid = np.geomspace(LOWEST * float(sampling.min()), highest, POINTS)
    slopes = likelihood.at(grid)[1]
    tops = [
        brentq(likelihood.slope, grid[at], grid[at + 1], xtol=1e-300, rtol=1e-14)
        for at in np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
    ]
    best = tops[int(np.argmax(likelihood.at(np.array(tops))[0]))]
    weighted = columns / (best + sampling)[:, None]
    spread = np.linalg.inv(weighted.T @ columns)
    return AreaFit(float(best), spread @ (weighted.T @ direct), spread)


class _Likelihood:
    """The adjusted residual log likelihood of the variance between areas."""

    def __init__(self, direct: np.ndarray, columns: np.ndarray, sampling: np.ndarray) -> None:
        self._direct, self._columns, self._sampling = direct, columns, sampling
        self._pairs = columns[:, :, None] * columns[:, None, :]

    def at(self, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the log likelihood at variances ``(g,)``, and its slope."""
        weights = 1 / (variances[:, None] + self._sampling)
        spread = np.linalg.inv(np.tensordot(weights, self._pairs, 1))
        coefficients = np.einsum("gjk,gk->gj", spread, (weights * self._direct) @ self._columns)
        weighted = weights * (self._direct - coefficients @ self._columns.T)
        fit = np.log(weights).sum(axis=1) + np.linalg.slogdet(spread)[1] - (weighted**2 / weights).sum(axis=1)
        trace = weights.sum(axis=1) - np.einsum("gjk,gjk->g", spread, np.tensordot(weights**2, self._pairs, 1))
        return np.log(variances) + fit / 2, 1 / variances + ((weighted**2).sum(axis=1) - trace) / 2

    def slope(self, variance: float) -> float:
        """Return the slope at one variance."""
        return float(self.at(np.array([variance]))[1][0])
