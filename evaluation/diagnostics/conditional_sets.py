"""Conditional confidence sets of an effect under relative magnitudes, for normal coefficients.

The deviation from parallel trends grows from one period to the next by at most ``m`` times the most that it grew by
before the start. Source: Rambachan and Roth (2023), section 3; Andrews, Roth and Pakes (2023), Inference for linear
conditional moment inequalities, Review of Economic Studies 90(6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from evaluation.diagnostics.robust_sets import HALVINGS, Path

FIRST_STAGE = 0.1  # share of the error that goes to the least favourable test, as in the paper
GRID = 200  # tested values between the estimated bound and the last that the first stage can accept
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(200)
FAR = 9.0  # standard deviations that hold all of the normal distribution


@dataclass(frozen=True, eq=False)
class _Rays:
    """Inequalities ``coefficients @ (x, d) + slope * effect <= 0`` in ``P`` cases, ``R`` of them in each.

    ``x`` is the effect in question, ``d`` the step before the start that is taken for the largest, with its sign.
    `coefficients` ``(P, R, 2)``, `slope` ``(P, R)``, `value` ``(P, 2)``, `covariance` ``(P, 2, 2)``.
    """

    coefficients: np.ndarray
    slope: np.ndarray
    value: np.ndarray
    covariance: np.ndarray


def relative_magnitudes(
    path: Path, covariance: np.ndarray, m: float, level: float, *, first_stage: float = FIRST_STAGE
) -> tuple[float, float]:
    """Return the ends of the conditional least favourable confidence set under relative magnitudes.

    Parameters
    ----------
    covariance
        ``(n, n)`` of the coefficients, which are taken for normal; zero in the row of the reference.
    m
        Every step of the deviation after the start is at most this multiple of the largest one before.
    first_stage
        Share of the error for the least favourable test; 0 leaves the conditional test alone.

    Notes
    -----
    The restriction is a union: of each step before the start, upwards or downwards, as the largest one. For one of them
    the effect obeys moment inequalities, from which the deviations of the single periods drop out by hand: with
    ``d`` the step, ``x`` the contrast of the effect with the last coefficient before, ``c`` its reach and ``s`` the
    standard deviations of the original inequalities, the statistic of a tested effect is the largest of ``(x - m c
    d - effect) / sum s``, ``(effect - x - m c d) / sum s`` and ``-2 m d / (s + s')``. It is rejected if it exceeds
    the least favourable critical value at a tenth of the error, or, given which inequality is the largest,
    the rest of the error under a truncated normal distribution (Andrews, Roth and Pakes 2023, with the linear
    program solved in closed form). The set is the union over the steps. Asymptotically no effect within the
    restriction is left out with more than the error; away from the worst case the set covers more often.
    """
    rays, norms = _rays(path, covariance, m)
    first = first_stage * (1 - level)
    critical, error = _least_favourable(rays, norms, first), (1 - level - first) / (1 - first)
    middle, half = rays.value[:, 0], m * path.reach * rays.value[:, 1]
    low, high = middle - half - norms[:, 0] * critical, middle + half + norms[:, 1] * critical
    grid = low[:, None] + np.linspace(0.0, 1.0, GRID) * (high - low)[:, None]
    kept = _accepted(rays, grid, critical, error) & (high >= low)[:, None]
    some = kept.any(axis=1)
    lowest, highest = kept.argmax(axis=1), GRID - 1 - kept[:, ::-1].argmax(axis=1)
    case = np.arange(len(grid))
    inner = grid[case, lowest], grid[case, highest]
    outer = grid[case, np.maximum(lowest - 1, 0)], grid[case, np.minimum(highest + 1, GRID - 1)]
    ends = [_refined(rays, a, b, critical, error) for a, b in zip(inner, outer, strict=True)]
    return float(ends[0][some].min()), float(ends[1][some].max())


def _rays(path: Path, covariance: np.ndarray, m: float) -> tuple[_Rays, np.ndarray]:
    """Return the inequalities of each step before the start and sign, and the norms ``(P, 2)`` of the two bounds."""
    before, after = path.steps[: path.last], path.steps[path.last :]
    taken = np.concatenate([before, -before])
    pairs = np.stack([np.broadcast_to(path.contrast, taken.shape), taken], axis=1)
    spread = pairs @ covariance @ pairs.transpose(0, 2, 1)
    # A period's inequality is plus or minus its step less m times the step taken for the largest.
    widths = np.diff(path.times)[path.last :]
    plus, minus = (
        widths * np.sqrt(np.einsum("ptk,kl,ptl->pt", rows, covariance, rows))
        for rows in (sign * after - m * taken[:, None] for sign in (1.0, -1.0))
    )
    up, down = np.maximum(path.carried / widths, 0.0), np.maximum(-path.carried / widths, 0.0)
    norms = np.stack([plus @ up + minus @ down, plus @ down + minus @ up], axis=1)
    reach = m * path.reach
    bounds = np.array([[1.0, -reach], [-1.0, -reach]]) / norms[:, :, None]
    size = -2 * m * widths / (plus + minus)
    coefficients = np.concatenate([bounds, np.stack([np.zeros_like(size), size], axis=2)], axis=1)
    slope = np.concatenate([np.array([-1.0, 1.0]) / norms, np.zeros_like(size)], axis=1)
    return _Rays(coefficients, slope, pairs @ path.estimate, spread), norms


def _least_favourable(rays: _Rays, norms: np.ndarray, error: float) -> np.ndarray:
    """Return ``(P,)`` the values that the largest normal ray exceeds with probability `error`, all ends binding.

    Given the step ``d`` the effect must lie between two bounds, so the probability is an integral over ``d``.
    """
    spread_x, spread_d = np.sqrt(rays.covariance[:, 0, 0]), np.sqrt(rays.covariance[:, 1, 1])
    correlation = np.clip(rays.covariance[:, 0, 1] / (spread_x * spread_d), -1.0, 1.0)
    left = np.maximum(np.sqrt(1 - correlation**2), 1e-9)
    reach = -rays.coefficients[:, 0, 1] * norms[:, 0]
    steepest = -rays.coefficients[:, 2:, 1].min(axis=1)
    low, high = np.zeros(len(norms)), np.full(len(norms), FAR)
    for _ in range(HALVINGS):
        tried = (low + high) / 2
        start = -tried / np.maximum(steepest * spread_d, tried / FAR)  # of the step, in standard deviations
        z = start[:, None] + (FAR - start)[:, None] * (NODES + 1) / 2
        drift, shift = (correlation * spread_x)[:, None] * z, (reach * spread_d)[:, None] * z
        scale = (spread_x * left)[:, None]
        above = ndtr(((norms[:, 0] * tried)[:, None] + shift - drift) / scale)
        below = ndtr(-((norms[:, 1] * tried)[:, None] + shift + drift) / scale)
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * np.maximum(above - below, 0.0)
        inside = density @ NODE_WEIGHTS * (FAR - start) / 2
        low, high = np.where(inside < 1 - error, tried, low), np.where(inside < 1 - error, high, tried)
    return high


def _accepted(rays: _Rays, effect: np.ndarray, critical: np.ndarray, error: float) -> np.ndarray:
    """Return ``(P, G)`` which tested effects ``(P, G)`` the test keeps, with `error` left for its second stage."""
    values = np.einsum("prk,pk->pr", rays.coefficients, rays.value)[:, None] + effect[:, :, None] * rays.slope[:, None]
    informative = (rays.coefficients != 0).any(axis=2)[:, None]  # with m = 0 only the two bounds are
    values = np.where(informative, values, -np.inf)
    among = np.einsum("prk,pkl,pql->prq", rays.coefficients, rays.covariance, rays.coefficients)
    largest, statistic = values.argmax(axis=2), values.max(axis=2)
    case = np.arange(len(values))[:, None]
    variance = among[case, largest, largest]
    share = among[case, largest] / variance[:, :, None]
    rest = np.where(informative, values - share * statistic[:, :, None], -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = rest / (1 - share)
    spread = np.sqrt(variance)
    floor = np.where(share < 1 - 1e-10, crossing, -np.inf).max(axis=2) / spread
    ceiling = np.where((share > 1 + 1e-10) & informative, crossing, np.inf).min(axis=2)
    ceiling = np.minimum(ceiling, critical[:, None]) / spread
    beyond, among_all = _tail(statistic / spread, ceiling), _tail(floor, ceiling)
    improbable = beyond < among_all + np.log(error)
    return np.asarray((statistic <= 0) | ((statistic <= critical[:, None]) & ~improbable))


def _tail(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the log of the normal probability between `low` and `high`, accurate far out; -inf where none."""
    turned = low + high > 0  # between -high and -low where both lie above the middle
    a, b = np.where(turned, -high, low), np.where(turned, -low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = log_ndtr(b) + np.log1p(-np.exp(np.minimum(log_ndtr(a) - log_ndtr(b), 0.0)))
    return np.where(high > low, difference, -np.inf)


def _refined(rays: _Rays, kept: np.ndarray, lost: np.ndarray, critical: np.ndarray, error: float) -> np.ndarray:
    """Return ``(P,)`` where between an effect that is kept and one that is not the set ends."""
    for _ in range(HALVINGS):
        tried = (kept + lost) / 2
        fine = _accepted(rays, tried[:, None], critical, error)[:, 0]
        kept, lost = np.where(fine, tried, kept), np.where(fine, lost, tried)
    return kept
