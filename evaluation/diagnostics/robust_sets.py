"""Confidence sets of an effect when the trends of treated and others differ by no more than a restriction allows.

Numbers only: :mod:`evaluation.diagnostics.sensitivity` takes them from a result and words what comes out. With ``b``
the coefficients of an event study, ``b = effect + deviation`` from the start on and ``b = deviation`` before it; a
restriction says how the deviations after the start are tied to those before. Here are the path of coefficients, sets
under smoothness, and sets with drawn assignments for the noise; those for normal coefficients under relative magnitudes
are in :mod:`evaluation.diagnostics.conditional_sets`. Source: Rambachan and Roth (2023), A more credible approach to
parallel trends, Review of Economic Studies 90(5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

HALVINGS = 50


@dataclass(frozen=True, eq=False)
class Path:
    """Coefficients of an event study in the order of time, the reference among them with a zero.

    Parameters
    ----------
    times
        ``(n,)`` event times, increasing.
    estimate
        ``(n,)``.
    weights
        ``(n,)`` of the effect in question; zero up to `last`.
    last
        Index of the last coefficient that shows no effect. There are at least two up to it.
    """

    times: np.ndarray
    estimate: np.ndarray
    weights: np.ndarray
    last: int

    @cached_property
    def steps(self) -> np.ndarray:
        """``(n - 1, n)`` contrasts that give the change from one coefficient to the next, in one period."""
        steps = np.diff(np.eye(len(self.times)), axis=0)
        return np.asarray(steps / np.diff(self.times)[:, None])

    @cached_property
    def contrast(self) -> np.ndarray:
        """``(n,)`` contrast of the effect in question with the last coefficient before."""
        contrast = self.weights.astype(float).copy()
        contrast[self.last] -= contrast.sum()
        return contrast

    @cached_property
    def carried(self) -> np.ndarray:
        """``(n - 1 - last,)`` how much of each step after the start is in the effect in question."""
        after = self.weights[self.last + 1 :]
        return np.asarray(np.cumsum(after[::-1])[::-1] * np.diff(self.times)[self.last :])

    @property
    def reach(self) -> float:
        """The deviation of the effect in question if it grows by one in every period from the start on."""
        return float(np.abs(self.carried).sum())

    @cached_property
    def bends(self) -> np.ndarray:
        """``(n - 2, n)`` contrasts that give the change of the slope at each inner coefficient, in one period."""
        widths = np.diff(self.times)
        return np.asarray(np.diff(self.steps, axis=0) / ((widths[1:] + widths[:-1]) / 2)[:, None])

    def largest(self, contrasts: np.ndarray) -> float:
        """Return the largest absolute value of those `contrasts` that involve nothing after `last`; 0 without any."""
        before = contrasts[~contrasts[:, self.last + 1 :].any(axis=1)]
        return float(np.abs(before @ self.estimate).max(initial=0.0))


# --- smoothness: the slope of the deviation changes by no more than m from one period to the next ---


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """An effect less what is extrapolated from before the start: ``weights @ estimate``, and its largest bias.

    `weights` is ``(n,)``; the bias is for ``m = 1`` and of either sign.
    """

    weights: np.ndarray
    bias: float


def extrapolation(path: Path, covariance: np.ndarray, m: float, level: float) -> Extrapolation:
    """Return the extrapolation whose fixed-length interval is the shortest, for normal coefficients.

    Parameters
    ----------
    covariance
        ``(n, n)`` of the coefficients.
    m
        The slope of the deviation changes by at most this much from one period to the next.

    Notes
    -----
    Weights that are indifferent to a level and to a linear trend have the bias ``m sum_j |w_j|`` with ``w_j`` the
    effect of a bend at coefficient ``j``; there are as many bends before the start as free weights, so that
    these ``w`` are the unknowns. The half-length ``sd cv(bias / sd)`` is convex in them (Armstrong and Kolesár 2018).
    """
    fixed, free, own = _by_bends(path)
    constant = float(np.abs(own).sum())
    if not len(free):
        return Extrapolation(fixed, constant)
    root = _root(covariance)
    size = np.linalg.norm(free @ root, axis=1)
    scale = 1.0 / np.where(size > 0, size, 1.0)
    target, columns = fixed @ root, scale[:, None] * (free @ root)
    bends = np.linalg.lstsq(columns.T, -target, rcond=1e-10)[0]
    if m > 0:
        bends = _shortest(target, columns, m * scale, m * constant, level)
    bends = scale * bends
    return Extrapolation(fixed + bends @ free, constant + float(np.abs(bends).sum()))


def fixed_length(path: Path, covariance: np.ndarray, m: float, level: float) -> tuple[float, float]:
    """Return centre and half-length of the shortest fixed-length confidence interval under smoothness.

    Asymptotically it covers the effect with exactly `level` in the worst case of the restriction, and more often
    elsewhere.
    """
    chosen = extrapolation(path, covariance, m, level)
    spread = float(np.sqrt(chosen.weights @ covariance @ chosen.weights))
    return float(chosen.weights @ path.estimate), spread * folded_critical(m * chosen.bias / spread, level)


def folded_critical(bias: float, level: float) -> float:
    """Return the value that a normal variable with mean `bias` and variance 1 exceeds in size with 1 - `level`.

    Examples
    --------
    >>> round(folded_critical(0.0, 0.95), 4), round(folded_critical(5.0, 0.95), 4)
    (1.96, 6.6449)
    """
    low, high = bias, bias + float(ndtri(0.5 + level / 2))
    for _ in range(HALVINGS):
        tried = (low + high) / 2
        inside = ndtr(tried - bias) - ndtr(-tried - bias)
        low, high = (tried, high) if inside < level else (low, tried)
    return high


def _by_bends(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights ``fixed + w @ free`` by their effects ``w`` of the bends before the start, and those after it.

    All are indifferent to level and linear trend and keep the weights of the effect. `fixed` is ``(n,)``,
    `free` ``(last - 1, n)``, the effects of the bends from the last coefficient before on ``(n - 1 - last,)``.
    """
    widths = np.diff(path.times)
    hinge = np.maximum(path.times[None] - path.times[1:-1, None], 0.0) * ((widths[1:] + widths[:-1]) / 2)[:, None]
    conditions = np.vstack([np.ones(len(path.times)), path.times - path.times[path.last], hinge[: path.last - 1]])
    before = slice(0, path.last + 1)
    wanted = np.eye(len(conditions))[:, 2:]
    wanted = np.column_stack([-(conditions @ path.weights), wanted])
    solved = np.linalg.solve(conditions[:, before], wanted)
    weights = np.zeros((wanted.shape[1], len(path.times)))
    weights[:, before] = solved.T
    weights[0] += path.weights
    return weights[0], weights[1:], hinge[path.last - 1 :] @ path.weights


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return ``R`` with ``R R' = covariance``, which may be singular."""
    lengths, axes = np.linalg.eigh(covariance)
    return np.asarray(axes * np.sqrt(np.maximum(lengths, 0.0)))


def _shortest(target: np.ndarray, columns: np.ndarray, cost: np.ndarray, constant: float, level: float) -> np.ndarray:
    """Return the bends ``y`` that minimise ``sd cv(bias / sd)``.

    Here ``sd = |target + y columns|`` and ``bias = constant + sum cost |y|``. Positive and negative parts are the
    unknowns, so that the objective is smooth and its bounds are zeros.
    """
    from scipy.optimize import minimize

    number = len(columns)

    def length(parts: np.ndarray) -> tuple[float, np.ndarray]:
        bends = parts[:number] - parts[number:]
        left = target + bends @ columns
        spread = max(float(np.sqrt(left @ left)), 1e-300)
        bias = constant + float(cost @ (parts[:number] + parts[number:]))
        critical = folded_critical(bias / spread, level)
        by_bias = float(np.tanh(critical * bias / spread))
        by_spread = (critical - by_bias * bias / spread) * (columns @ left) / spread
        return spread * critical, np.concatenate([by_spread + by_bias * cost, -by_spread + by_bias * cost])

    start = np.linalg.lstsq(columns.T, -target, rcond=1e-10)[0]
    begin = np.concatenate([np.maximum(start, 0.0), np.maximum(-start, 0.0)])
    unit = length(begin)[0]
    found = minimize(
        lambda parts: tuple(part / unit for part in length(parts)),
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * number),
        options={"maxiter": 5_000, "maxfun": 20_000, "maxcor": 50, "ftol": 1e-15, "gtol": 1e-10},
    ).x
    return np.asarray(found[:number] - found[number:])


# --- few treated units: the noise is what drawn assignments show ---


def drawn_relative_magnitudes(path: Path, noise: np.ndarray, m: float, rank: int) -> tuple[float, float]:
    """Return centre and half-length of the set under relative magnitudes, with drawn assignments for the noise.

    Parameters
    ----------
    noise
        ``(B - 1, n)`` coefficients under the other assignments.
    rank
        The effect is rejected if fewer than `rank` of them are as extreme.

    Notes
    -----
    If ``d`` is the step before the start that is the largest, with its sign, then ``|x - effect| <= m c d`` but for
    noise (``x`` the contrast of the effect with the last coefficient before, ``c`` its reach). The statistic
    ``|x - effect| - m c d`` is at most ``|noise of x| - m c (noise of d)``, whose distribution the assignments show;
    so the interval of this step is ``x -+ (m c d + q)`` with ``q`` their order statistic, and the set is the union
    over the steps and signs. With m = 0 it is the interval of a test by these assignments.
    """
    reach = m * path.reach
    taken = np.concatenate([path.steps[: path.last], -path.steps[: path.last]])
    extreme = np.abs(noise @ path.contrast)[:, None] - reach * (noise @ taken.T)
    needed = -np.partition(-extreme, rank - 1, axis=0)[rank - 1]
    return float(path.contrast @ path.estimate), float((reach * (taken @ path.estimate) + needed).max())


def drawn_smoothness(path: Path, noise: np.ndarray, m: float, rank: int, level: float) -> tuple[float, float]:
    """Return centre and half-length of the set under smoothness, with drawn assignments for the noise.

    The extrapolation is the one that would be shortest if periods varied independently with the mean variance that the
    assignments show: with few assignments their own covariance would be fitted to, and its intervals too short.

    With noise ``e`` and a bias between 0 and ``B``, ``P(|e + bias| > h) <= P(e + B > h) + P(-e > h)``; the half-length
    is the order statistic of both kinds of values together, for the less favourable sign of the bias. Without bias it
    is that of ``|e|``.
    """
    widths = np.diff(path.times)
    variance = float(np.mean((noise @ path.steps.T * widths).var(axis=0))) / 2
    chosen = extrapolation(path, variance * np.eye(len(path.times)), m, level)
    error, bias = noise @ chosen.weights, m * chosen.bias
    shown = np.stack([np.append(sign * error + bias, -sign * error) for sign in (1.0, -1.0)])
    half = float((-np.partition(-shown, rank - 1, axis=1)[:, rank - 1]).max())
    return float(chosen.weights @ path.estimate), half
