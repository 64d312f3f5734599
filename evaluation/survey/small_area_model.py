"""The area-level model of Fay and Herriot as arrays: variance between areas, coefficients, predictions.

What is left out: where the sampling variances come from, names and notes (:mod:`evaluation.survey.small_area`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ADJUSTMENT = 0.3  # exponent of the variance; see fit_areas
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
        """Return ``(a,)`` what the columns ``(a, q)`` let expect of areas, and the mean squared error of that."""
        return columns @ self.coefficients, self.variance + self._of_coefficients(columns)

    def predict(self, direct: np.ndarray, columns: np.ndarray, sampling: np.ndarray) -> tuple[np.ndarray, ...]:
        r"""Return the predictions ``(m,)`` of the fitted areas, the direct estimates' weights in them, and the error.

        With :math:`\gamma_i = A/(A + \psi_i)`,

        .. math::
            \hat\theta_i = \gamma_i y_i + (1 - \gamma_i) x_i'\hat\beta, \qquad
            mse_i = \gamma_i \psi_i + (1 - \gamma_i)^2 \, x_i' V(\hat\beta) x_i + \max\left(0, \;
            \frac{2 \psi_i^2}{(A + \psi_i)^3} v - (1 - \gamma_i)^2 \frac{a v}{A}\right), \qquad
            v = \frac{2}{\sum_j (A + \psi_j)^{-2}}

        with the exponent a of :func:`fit_areas`. In the last term stand the error from not knowing A, of variance v:
        twice, because the first term is too small by as much (Prasad and Rao 1990); and what the first term is too
        large by, because the adjustment draws A upwards by :math:`a v / A` (Li and Lahiri 2010). Where A is small that
        is more than there is to take away: the error with A known is the least.
        """
        total = self.variance + sampling
        weight = self.variance / total
        prediction = weight * direct + (1 - weight) * (columns @ self.coefficients)
        spread = 2 / (1 / total**2).sum()
        drawn_up = (1 - weight) ** 2 * ADJUSTMENT * spread / self.variance
        of_variance = np.maximum(2 * sampling**2 / total**3 * spread - drawn_up, 0.0)
        return prediction, weight, weight * sampling + (1 - weight) ** 2 * self._of_coefficients(columns) + of_variance

    def _of_coefficients(self, columns: np.ndarray) -> np.ndarray:
        return np.asarray(np.einsum("ij,jk,ik->i", columns, self.spread, columns))


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
        \log L(A) = a \log A
        - \tfrac12 \left[\log|V| + \log|X'V^{-1}X| + (y - X\hat\beta)'V^{-1}(y - X\hat\beta)\right]

    The first term keeps A from being 0, where all areas would be declared equal. Li and Lahiri have a = 1, with which
    intervals cover too often where areas differ little; Yoshimori and Lahiri a much weaker term, with which they cover
    too rarely there. 0.3 lies between: 93 to 97 % from a twelfth of the sampling variances on
    (docs/simulation_survey.md). The root of the slope is found to the last digits; with several maxima the highest
    counts.

    References
    ----------
    Fay and Herriot (1979), Estimates of income for small places; Li and Lahiri (2010), An adjusted maximum likelihood
    method for solving small area estimation problems; Yoshimori and Lahiri (2014), A new adjusted maximum likelihood
    method for the Fay-Herriot small area model.
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
        slope = ADJUSTMENT / variances + ((weighted**2).sum(axis=1) - trace) / 2
        return ADJUSTMENT * np.log(variances) + fit / 2, slope

    def slope(self, variance: float) -> float:
        """Return the slope at one variance."""
        return float(self.at(np.array([variance]))[1][0])
