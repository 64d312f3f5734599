"""Agreement of the true numbers of areas behind two estimates, each with a known standard error.

The chance of samples makes areas differ more, and agree less, than they do. What is left out: the agreement of the
estimates themselves (:mod:`evaluation.survey.agreement`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri

STARTS = ((0.9, 0.9), (0.4, 0.4), (0.9, 0.1), (0.1, 0.9))  # part of the observed spread that is true, both sides
BISECTIONS = 40


@dataclass(frozen=True)
class TrueCorrelation:
    """Correlation with its likelihood interval and the test of none; missing where the interval excludes nothing."""

    estimate: float
    conf_low: float
    conf_high: float
    statistic: float
    p_value: float


def true_correlation(first: np.ndarray, second: np.ndarray, errors: np.ndarray, level: float) -> TrueCorrelation:
    r"""Return the correlation of the true numbers by maximum likelihood, with the interval of its profile.

    Parameters
    ----------
    first, second
        ``(A,)`` estimates of the same areas.
    errors
        ``(A, 2)`` their standard errors; the errors of both sides are independent.
    level
        Of the interval.

    Notes
    -----
    :math:`(x_i, y_i) \sim N(\mu, T + \operatorname{diag}(s_{i1}^2, s_{i2}^2))` with :math:`T` of standard deviations
    :math:`\tau_1, \tau_2 \ge 0` and correlation :math:`\rho`. :math:`\ell(\rho)` is the log likelihood at the best
    :math:`\mu, \tau_1, \tau_2`; the interval is where :math:`2(\ell(\hat\rho) - \ell(\rho))` is at most the quantile of
    chi-square on one degree of freedom. Where a side does not differ beyond its errors, the profile is flat and the
    interval becomes wide, up to -1 to 1, instead of wrong.

    References
    ----------
    van Houwelingen, Arends and Stijnen (2002), Advanced methods in meta-analysis: multivariate approach and
    meta-regression.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 40)
    >>> round(true_correlation(x, np.sin(3 * x), np.full((40, 2), 0.1), 0.95).estimate, 2)
    -0.41
    """
    scale = np.array([first.std(ddof=1), second.std(ddof=1)])
    model = _Model(np.stack([first, second], axis=1) / scale, (errors / scale) ** 2)
    grid = np.tanh(np.linspace(-3, 3, 25))
    grid[[0, -1]] = -1.0, 1.0
    heights = np.array([model.profile(rho) for rho in grid])
    top = int(heights.argmax())
    best, height = model.peak(float(grid[max(top - 1, 0)]), float(grid[min(top + 1, len(grid) - 1)]))
    if heights[top] >= height:
        best, height = float(grid[top]), float(heights[top])
    least = height - float(chdtri(1, 1 - level)) / 2
    ends = [model.crossing(best, side, least) for side in (-1.0, 1.0)]
    ratio = max(0.0, 2 * (height - model.profile(0.0)))
    known = (ends[0], ends[1]) != (-1.0, 1.0)
    statistic = float(np.sign(best) * np.sqrt(ratio))
    return TrueCorrelation(best if known else np.nan, ends[0], ends[1], statistic, float(chdtrc(1, ratio)))


@dataclass(frozen=True)
class _Model:
    """Two standardised numbers ``(A, 2)`` with the variances ``(A, 2)`` of their errors."""

    values: np.ndarray
    noise: np.ndarray

    def log_likelihood(self, spread: np.ndarray, rho: float) -> float:
        """Return it at the best means, up to a constant."""
        a, b = spread[0] ** 2 + self.noise[:, 0], spread[1] ** 2 + self.noise[:, 1]
        c = rho * spread[0] * spread[1]
        det = a * b - c * c
        if det.min() <= 1e-12:
            return -np.inf
        p, q, r = b / det, a / det, -c / det  # the inverse of every area's covariance
        x, y = self.values.T
        info = np.array([[p.sum(), r.sum()], [r.sum(), q.sum()]])
        mean = np.linalg.solve(info, [(p * x + r * y).sum(), (r * x + q * y).sum()])
        x, y = x - mean[0], y - mean[1]
        return float(-0.5 * (np.log(det) + p * x * x + q * y * y + 2 * r * x * y).sum())

    def profile(self, rho: float) -> float:
        """Return the log likelihood at the best spread of the true numbers."""
        from scipy.optimize import minimize

        def loss(spread: np.ndarray) -> float:
            found = self.log_likelihood(spread, rho)
            return -found if np.isfinite(found) else 1e6

        bounds = ((0.0, 3.0), (0.0, 3.0))
        starts = np.sqrt(np.array(STARTS))
        begin = starts[int(np.argmin([loss(start) for start in starts]))]
        return -float(minimize(loss, begin, method="L-BFGS-B", bounds=bounds).fun)

    def peak(self, low: float, high: float) -> tuple[float, float]:
        """Return the best correlation between two values, and its height."""
        from scipy.optimize import minimize_scalar

        found = minimize_scalar(lambda rho: -self.profile(rho), bounds=(low, high), method="bounded")
        return float(found.x), -float(found.fun)

    def crossing(self, best: float, side: float, least: float) -> float:
        """Return where the profile falls below `least` on one side, or the end of the range."""
        if self.profile(side) >= least:
            return side
        inside, outside = best, side
        for _ in range(BISECTIONS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if self.profile(middle) >= least else (inside, middle)
            if abs(outside - inside) < 1e-7:
                break
        return inside
