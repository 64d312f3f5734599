"""Weights on the simplex that make a weighted mean of donors resemble a target: one exact solver for many targets.

Every synthetic comparison needs thousands of these small problems, one for each unit and date that serves as a
placebo. They are solved together, to rounding error. Nothing here knows about areas or periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.errors import EstimationError, Problem

SMALLEST_RIDGE = 1e-6  # of the spread of the donors; makes weights unique where several fit equally well
STAGES = (1e-2, 1e-4, 0.0)  # the penalty is lowered step by step: the support changes little in each
ROUNDS = 300
HALVINGS = 40
DECREASE = 1e-4
TOLERANCE = 1e-10  # of a weight
ROUNDING = 2e-14
ROUNDED = 1e-9  # ridge, as a part of the size of the gradient, below which rounding errors would count
ACCURATE = 1e-3  # penalty, as a part of the spread, above which the smaller system loses no digits
STALLED, ROUGH = 1e-2, 1e-6  # where rounding errors stop the descent, which happens with many equal donors


def simplex_weights(
    design: np.ndarray,
    target: np.ndarray,
    *,
    allowed: np.ndarray,
    ridge: np.ndarray | float = 0.0,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return weights ``(p, n)``, at least 0 and with sum 1, that bring columns of `design` nearest to each target.

    They minimise ``|A w - b|^2 + r |w|^2``, where ``r`` is `ridge` or, if that is smaller, a millionth of the mean
    squared distance of the allowed columns from their mean; so the weights are unique, and the same whatever the unit
    of measurement. (For targets a thousand such distances away the ridge grows, as rounding errors do.)

    Parameters
    ----------
    design
        ``A``: ``(m, n)``, shared by all problems, or ``(p, m, n)``.
    target
        ``b``: ``(p, m)``.
    allowed
        ``(p, n)`` columns that may have a weight; a problem without any gets missing weights.
    ridge
        ``r``: ``(p,)`` or one number.
    start
        ``(p, n)`` columns that are likely to have a weight, such as those of a similar problem: faster, same result.

    Raises
    ------
    EstimationError
        The iterations do not end (not seen so far).

    Notes
    -----
    The dual of the problem, in the residuals and the multiplier of the sum, is smooth, convex and piecewise quadratic.
    Newton's method with step control ends on the exact support after a few rounds (Hintermüller, Ito and Kunisch 2003,
    The primal-dual active set strategy as a semismooth Newton method).

    Examples
    --------
    >>> corners = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> simplex_weights(corners, np.array([[0.2, 0.3]]), allowed=np.ones((1, 3), dtype=bool)).round(3).tolist()
    [[0.5, 0.2, 0.3]]
    """
    weights = np.full(allowed.shape, np.nan)
    known = np.flatnonzero(allowed.any(axis=1))
    if not len(known):
        return weights
    shift = design.mean(axis=-1)  # weights do not change when everything is moved; rounding errors do
    moved = design - shift[..., None]
    problems = _Problems(
        design=moved[known] if design.ndim == 3 else moved,
        target=(target - shift)[known],
        allowed=allowed[known],
        ridge=np.broadcast_to(ridge, (len(allowed),))[known],
    )
    support = problems.allowed if start is None else start[known] & problems.allowed
    support = np.where(support.any(axis=1, keepdims=True), support, problems.allowed)
    solution = np.maximum(_minimise(problems, support), 0.0)
    weights[known] = solution / solution.sum(axis=1, keepdims=True)
    return weights


@dataclass(frozen=True, eq=False, kw_only=True)
class _Problems:
    """``p`` problems in ``n`` weights ``y`` and the multiplier ``v`` of their sum.

    Minimise ``|A y - b|^2 / 2 + r |y|^2 / 2`` on the simplex. Methods take the indices `rows` of the problems that are
    still open; ``v`` is ``(p, 1)``.
    """

    design: np.ndarray
    target: np.ndarray
    allowed: np.ndarray
    ridge: np.ndarray

    @property
    def shared(self) -> bool:
        """Whether all problems have the same columns."""
        return self.design.ndim == 2

    @cached_property
    def gram(self) -> np.ndarray:
        """``A'A``, ``(n, n)`` or ``(p, n, n)``."""
        return np.asarray(self.design.swapaxes(-1, -2) @ self.design)

    @cached_property
    def cross(self) -> np.ndarray:
        """``A'b``, ``(p, n)``."""
        return np.asarray(self.target @ self.design if self.shared else (self.target[:, None, :] @ self.design)[:, 0])

    @cached_property
    def spread(self) -> np.ndarray:
        """Mean squared distance ``(p,)`` of the allowed columns from their mean; from the target if that is 0."""
        share = self.allowed / self.allowed.sum(axis=1, keepdims=True)
        mean = share @ self.design.T if self.shared else (self.design @ share[:, :, None])[:, :, 0]
        squares = (share * (self.design**2).sum(axis=-2)).sum(axis=1)
        found = np.maximum(squares - (mean**2).sum(axis=1), 0.0)
        distance = ((mean - self.target) ** 2).sum(axis=1)
        return np.asarray(np.where(found > 1e-12 * (squares + distance), found, np.where(distance > 0, distance, 1.0)))

    @cached_property
    def size(self) -> np.ndarray:
        """Size ``(p,)`` of what is added and subtracted in the gradient: the scale of its rounding errors."""
        return np.asarray(self.spread + np.where(self.allowed, np.abs(self.cross), 0.0).max(axis=1))

    def penalty(self, stage: float) -> np.ndarray:
        """Return ``r``, ``(p,)``, at least `stage` of the spread."""
        smallest = np.maximum(max(stage, SMALLEST_RIDGE) * self.spread, ROUNDED * self.size)
        return np.asarray(np.maximum(self.ridge, smallest))

    def product(self, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return ``A'A y``."""
        return np.asarray(y @ self.gram if self.shared else (y[:, None, :] @ self.gram[rows])[:, 0])

    def solve(self, support: np.ndarray, rows: np.ndarray, penalty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the minimum with sum 1 over all ``y`` that are 0 outside `support`, whatever their sign; and ``v``."""
        firm = (penalty > ACCURATE * self.spread[rows]).all()
        if firm and support.sum(axis=1).max() > self.target.shape[1]:
            fitted, even = self._solve_by_rows(support, rows, penalty)
        else:
            fitted, even = self._solve_by_columns(support, rows, penalty)
        multiplier = (1.0 - fitted.sum(axis=1, keepdims=True)) / even.sum(axis=1, keepdims=True)
        return fitted + multiplier * even, multiplier

    def _solve_by_rows(
        self, support: np.ndarray, rows: np.ndarray, penalty: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(A'A + r)^-1 A'b`` and ``(A'A + r)^-1 1``; small where the target has few entries."""
        columns = np.where(support[:, None, :], self.design if self.shared else self.design[rows], 0.0)
        matrix = columns @ columns.swapaxes(1, 2)
        diagonal = np.arange(matrix.shape[1])
        matrix[:, diagonal, diagonal] += penalty[:, None]
        right = np.stack([self.target[rows], columns.sum(axis=2)], axis=2)
        found = columns.swapaxes(1, 2) @ np.linalg.solve(matrix, right)
        return found[:, :, 0], (support - found[:, :, 1]) / penalty[:, None]

    def _solve_by_columns(
        self, support: np.ndarray, rows: np.ndarray, penalty: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the same from the columns of the support, padded to the largest one."""
        chosen = np.argsort(~support, axis=1, kind="stable")[:, : support.sum(axis=1).max()]
        on = np.take_along_axis(support, chosen, axis=1)
        pairs = (chosen[:, :, None], chosen[:, None, :])
        matrix = self.gram[pairs] if self.shared else self.gram[(rows[:, None, None], *pairs)]
        matrix = np.where(on[:, :, None] & on[:, None, :], matrix, 0.0)
        diagonal = np.arange(chosen.shape[1])
        matrix[:, diagonal, diagonal] += np.where(on, penalty[:, None], 1.0)
        right = np.stack([np.where(on, self.cross[rows[:, None], chosen], 0.0), on], axis=2)
        found = np.zeros((*support.shape, 2))
        np.put_along_axis(found, chosen[:, :, None], np.linalg.solve(matrix, right), axis=1)
        return found[:, :, 0], found[:, :, 1]

    def merit(
        self, y: np.ndarray, v: np.ndarray, product: np.ndarray, rows: np.ndarray, penalty: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the dual function ``(p,)`` and the positive part of ``v + A'b - A'A y``, given `product` ``A'A y``."""
        above = np.where(self.allowed[rows], np.maximum(v + self.cross[rows] - product, 0.0), 0.0)
        return 0.5 * ((y * product).sum(axis=1) + (above**2).sum(axis=1) / penalty) - v[:, 0], above


def _minimise(problems: _Problems, support: np.ndarray) -> np.ndarray:
    """Return the solutions ``(p, n)`` at the last penalty, each stage starting from the one before."""
    penalty = problems.penalty(STAGES[0])
    y, v = problems.solve(support, np.arange(len(support)), penalty)
    before = np.full(len(y), np.inf)
    for stage in STAGES:
        penalty = problems.penalty(stage)
        rows = np.flatnonzero(penalty < before)
        if len(rows):
            _newton(problems, y, v, rows, penalty[rows])
        before = penalty
    return y


def _newton(problems: _Problems, y: np.ndarray, v: np.ndarray, rows: np.ndarray, penalty: np.ndarray) -> None:
    """Improve `y` and `v` in place until every problem of `rows` has its exact support."""
    product = problems.product(y[rows], rows)
    value, above = problems.merit(y[rows], v[rows], product, rows, penalty)
    for _ in range(ROUNDS):
        support = _never_empty(above > 0, problems, product, rows)
        new, level = problems.solve(support, rows, penalty)
        step, rise, moved = new - y[rows], level - v[rows], problems.product(new, rows) - product
        after, rest = problems.merit(new, level, product + moved, rows, penalty)
        wrong = np.where(support, -new, rest / penalty[:, None])  # weights below 0, and those that should be above it
        below = np.maximum(wrong.max(axis=1), 0.0)
        exact = below <= np.maximum(TOLERANCE, ROUNDING * problems.size[rows] / penalty)
        slope = (product * step).sum(axis=1) - rise[:, 0] + (above * (rise - moved)).sum(axis=1) / penalty
        length = np.ones((len(rows), 1))
        noise = ROUNDING * (np.abs(value) + problems.size[rows])
        for _ in range(HALVINGS):
            short = (after > value + DECREASE * length[:, 0] * slope + noise) & ~exact
            if not short.any():
                break
            length = np.where(short[:, None], length / 2, length)
            new, level = y[rows] + length * step, v[rows] + length * rise
            after, rest = problems.merit(new, level, product + length * moved, rows, penalty)
        y[rows], v[rows] = new, level
        left = ~exact & ~((length[:, 0] < STALLED) & (below <= ROUGH))
        if not left.any():
            return
        product = (product + length * moved)[left]
        rows, penalty, value, above = rows[left], penalty[left], after[left], rest[left]
    raise EstimationError(Problem("synthetic.no_weights", n=len(rows)))


def _never_empty(support: np.ndarray, problems: _Problems, product: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return `support`, with the most promising column where it is empty."""
    empty = np.flatnonzero(~support.any(axis=1))
    promising = np.where(problems.allowed[rows[empty]], problems.cross[rows[empty]] - product[empty], -np.inf)
    support[empty, promising.argmax(axis=1)] = True
    return support
