"""Intervals of shares that stay between 0 and 1."""

from typing import Literal

import numpy as np
from scipy.special import betaincinv, expit

from evaluation.influence import critical_value

ShareInterval = Literal["logit", "korn_graubard", "likelihood", "arcsine", "wald"]
SHARE_INTERVALS = ("logit", "korn_graubard", "likelihood", "arcsine", "wald")
HALVINGS = 60  # of the interval in which an end is sought: to the last digit of a double


def share_interval(
    share: np.ndarray,
    std_error: np.ndarray,
    df: np.ndarray,
    n: np.ndarray,
    *,
    method: ShareInterval = "logit",
    level: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the lower and upper ends ``(k,)``.

    Parameters
    ----------
    share, std_error
        ``(k,)``; the standard error is missing where the share is 0 or 1.
    df
        ``(k,)`` degrees of freedom of the design.
    n
        ``(k,)`` number of answers.
    method
        ``logit``: Student's interval on the scale of :math:`\log(p/(1-p))`, transformed back. ``korn_graubard``: the
        exact binomial interval with the effective number of answers :math:`n^* = p(1-p)/se^2 \cdot
        (t_{n-1}/t_{df})^2`. ``likelihood``: all shares :math:`q` with :math:`2 n' [p \log(p/q) + (1-p)
        \log((1-p)/(1-q))] \le t^2` and :math:`n' = p(1-p)/se^2`. ``arcsine``: Student's interval on the scale of
        :math:`\arcsin\sqrt p`, whose standard error is :math:`se / (2\sqrt{p(1-p)})`, ending at 0 and 1. ``wald``:
        :math:`p \pm t\,se`, which may leave 0 to 1.

    Notes
    -----
    A share of 0 or 1 shows no variance, but is no certainty: its interval is the exact binomial one (one-sided in
    effect) with the number of answers as it is.

    References
    ----------
    Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive counts; Rao
    and Scott (1984), On chi-squared tests for multiway contingency tables (``likelihood``); ``svyciprop`` of R's
    survey package, whose arcsine interval turns an end below 0 into one above it.
    """
    t = critical_value(level, df)
    certain = (share <= 0) | (share >= 1)
    inner = np.where(certain | np.isnan(share), 0.5, share)
    if method == "wald":
        low, high = share - t * std_error, share + t * std_error
    elif method == "logit":
        logit, width = np.log(inner / (1 - inner)), t * std_error / (inner * (1 - inner))
        low, high = expit(logit - width), expit(logit + width)
    elif method == "arcsine":
        angle, width = np.arcsin(np.sqrt(inner)), t * std_error / (2 * np.sqrt(inner * (1 - inner)))
        low, high = np.sin(np.maximum(angle - width, 0)) ** 2, np.sin(np.minimum(angle + width, np.pi / 2)) ** 2
    elif method == "likelihood":
        low, high = _likely(inner, inner * (1 - inner) / (t * std_error) ** 2)
    else:
        effective = inner * (1 - inner) / std_error**2 * (critical_value(level, n - 1.0) / t) ** 2
        low, high = _exact(inner, effective, level)
    exact_low, exact_high = _exact(share, np.maximum(n, 1).astype(float), level)
    known = ~np.isnan(share)
    return np.where(certain & known, exact_low, low), np.where(certain & known, exact_high, high)


def _exact(share: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the Clopper-Pearson interval of ``share n`` cases out of ``n``, which need not be whole numbers."""
    tail = (1 - level) / 2
    hits, rest = n * np.clip(share, 0, 1), n * (1 - np.clip(share, 0, 1))
    low = betaincinv(np.where(hits > 0, hits, 1.0), rest + 1, tail)
    high = betaincinv(hits + 1, np.where(rest > 0, rest, 1.0), 1 - tail)
    return np.where(hits > 0, low, 0.0), np.where(rest > 0, high, 1.0)


def _likely(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares at which twice the log likelihood of `n` answers lies 1 below its top."""
    top = 2 * n * (share * np.log(share) + (1 - share) * np.log1p(-share))
    ends = []
    for side in (0.0, 1.0):
        outside, inside = np.full(share.shape, side), share.astype(float)
        for _ in range(HALVINGS):
            middle = (outside + inside) / 2
            with np.errstate(divide="ignore"):  # so few answers that nothing is unlikely: the end is 0 or 1
                drop = top - 2 * n * (share * np.log(middle) + (1 - share) * np.log1p(-middle))
            outside, inside = np.where(drop > 1, middle, outside), np.where(drop > 1, inside, middle)
        ends.append(np.where(np.isnan(n), np.nan, inside))
    return ends[0], ends[1]
