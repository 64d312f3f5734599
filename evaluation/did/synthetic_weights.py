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
TOLERANCE = 1e-10  # of the sum of the weights
ROUNDING = 2.2e-16
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
    squared distance of the allowed columns from their mean; so the weights are unique, and the same
    whatever the unit of measurement.

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
    With ``B`` the columns less the target, the point of the simplex nearest to the target is the direction of the
    solution of a non-negative least-squares problem without the constraint on the sum, ``min |B w|^2 + r |w|^2 +
    c^2 (1'w - 1)^2``, for any ``c``. Its dual is smooth, convex and piecewise quadratic; Newton's method with step
    control ends on the exact support after a few rounds (Hintermüller, Ito and Kunisch 2003, The primal-dual active
    set strategy as a semismooth Newton method).

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
    """``p`` problems in ``n`` non-negative unknowns ``y`` whose direction is that of the weights.

    With ``C`` the columns less the target above a row ``c``: minimise ``|C y|^2 / 2 + r |y|^2 / 2 - c^2 1'y``.
    Methods take the indices `rows` of the problems that are still open.
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
    def lift(self) -> np.ndarray:
        """``|b|^2 + c^2``, ``(p,)``."""
        return np.asarray((self.target**2).sum(axis=1) + self.square)

    @cached_property
    def _mean(self) -> np.ndarray:
        share = self.allowed / self.allowed.sum(axis=1, keepdims=True)
        return np.asarray(share @ self.design.T if self.shared else (self.design @ share[:, :, None])[:, :, 0])

    @cached_property
    def spread(self) -> np.ndarray:
        """Mean squared distance of the allowed columns from their mean ``(p,)``; from the target if that is 0."""
        squares = (self.design**2).sum(axis=-2)
        own = np.where(self.allowed, squares, 0.0).sum(axis=1) / self.allowed.sum(axis=1)
        found = np.maximum(own - (self._mean**2).sum(axis=1), 0.0)
        distance = ((self._mean - self.target) ** 2).sum(axis=1)
        return np.asarray(np.where(found > 1e-12 * (own + distance), found, np.where(distance > 0, distance, 1.0)))

    @cached_property
    def square(self) -> np.ndarray:
        """``c^2``, ``(p,)``: as large as the other rows, for accuracy."""
        return np.asarray(self.spread + ((self._mean - self.target) ** 2).sum(axis=1))

    def penalty(self, stage: float) -> np.ndarray:
        """Return ``r``, ``(p,)``, at least `stage` of the spread."""
        return np.asarray(np.maximum(self.ridge, max(stage, SMALLEST_RIDGE) * self.spread))

    def product(self, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return ``C'C y``."""
        total = y.sum(axis=1, keepdims=True)
        inner = y @ self.gram if self.shared else (y[:, None, :] @ self.gram[rows])[:, 0]
        inner -= self.cross[rows] * total + (self.cross[rows] * y).sum(axis=1, keepdims=True)
        return np.asarray(inner + self.lift[rows, None] * total)

    def solve(self, support: np.ndarray, rows: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """Return the minimum over all ``y`` that are 0 outside `support`, whatever their sign."""
        firm = (penalty > ACCURATE * self.spread[rows]).all()
        if firm and support.sum(axis=1).max() > self.target.shape[1] + 1:
            return self._solve_by_rows(support, rows, penalty)
        return self._solve_by_columns(support, rows, penalty)

    def _solve_by_rows(self, support: np.ndarray, rows: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """Solve ``y = C'(r + C C')^-1 (0, ..., 0, c)'``: small where the target has few entries."""
        columns = (self.design if self.shared else self.design[rows]) - self.target[rows][:, :, None]
        corner = np.sqrt(self.square[rows])
        columns = np.concatenate([columns, np.broadcast_to(corner[:, None, None], support[:, None, :].shape)], axis=1)
        columns = np.where(support[:, None, :], columns, 0.0)
        matrix = columns @ columns.swapaxes(1, 2)
        diagonal = np.arange(matrix.shape[1])
        matrix[:, diagonal, diagonal] += penalty[:, None]
        right = np.zeros((len(rows), len(diagonal), 1))
        right[:, -1, 0] = corner
        return np.asarray((np.linalg.solve(matrix, right).swapaxes(1, 2) @ columns)[:, 0])

    def _solve_by_columns(self, support: np.ndarray, rows: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """Solve ``(C'C + r) y = c^2`` among the columns of the support, padded to the largest one."""
        chosen = np.argsort(~support, axis=1, kind="stable")[:, : support.sum(axis=1).max()]
        on = np.take_along_axis(support, chosen, axis=1)
        pairs = (chosen[:, :, None], chosen[:, None, :])
        matrix = self.gram[pairs] if self.shared else self.gram[(rows[:, None, None], *pairs)]
        cross = self.cross[rows[:, None], chosen]
        matrix = matrix - cross[:, :, None] - cross[:, None, :] + self.lift[rows][:, None, None]
        matrix = np.where(on[:, :, None] & on[:, None, :], matrix, 0.0)
        diagonal = np.arange(chosen.shape[1])
        matrix[:, diagonal, diagonal] += np.where(on, penalty[:, None], 1.0)
        right = np.where(on, self.square[rows][:, None], 0.0)
        y = np.zeros(support.shape)
        np.put_along_axis(y, chosen, np.linalg.solve(matrix, right[:, :, None])[:, :, 0], axis=1)
        return y

    def merit(
        self, y: np.ndarray, product: np.ndarray, rows: np.ndarray, penalty: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the dual function ``(p,)`` at ``y``, and the positive part of ``c^2 - C'C y``, given ``C'C y``."""
        above = np.where(self.allowed[rows], np.maximum(self.square[rows][:, None] - product, 0.0), 0.0)
        return 0.5 * ((y * product).sum(axis=1) + (above**2).sum(axis=1) / penalty), above


def _minimise(problems: _Problems, support: np.ndarray) -> np.ndarray:
    """Return the solutions ``(p, n)`` at the last penalty, each stage starting from the one before."""
    y = np.zeros(problems.allowed.shape)
    rows, before = np.arange(len(y)), np.full(len(y), np.inf)
    for number, stage in enumerate(STAGES):
        penalty = problems.penalty(stage)
        rows = np.flatnonzero(penalty < before)
        if number == 0:
            y[rows] = problems.solve(support, rows, penalty[rows])
        if len(rows):
            _newton(problems, y, rows, penalty)
        before = penalty
    return y


def _newton(problems: _Problems, y: np.ndarray, rows: np.ndarray, penalty: np.ndarray) -> None:
    """Improve `y` in place until every problem of `rows` has its exact support."""
    product = problems.product(y[rows], rows)
    value, above = problems.merit(y[rows], product, rows, penalty[rows])
    for _ in range(ROUNDS):
        old, weight, support = y[rows], penalty[rows], above > 0
        new = problems.solve(support, rows, weight)
        step, moved = new - old, problems.product(new, rows) - product
        after, rest = problems.merit(new, product + moved, rows, weight)
        total = np.abs(new.sum(axis=1))
        slack = np.maximum(TOLERANCE * total, 100 * ROUNDING * problems.square[rows] / weight)
        wrong = np.where(support, -new, rest / weight[:, None])  # weights below 0, and those that should be above it
        below = np.maximum(wrong.max(axis=1), 0.0)
        exact = below <= slack
        slope = (product * step).sum(axis=1) - (above * moved).sum(axis=1) / weight
        length = np.ones(len(rows))
        for _ in range(HALVINGS):
            short = (after > value + DECREASE * length * slope + 1e-14 * np.abs(value)) & ~exact
            if not short.any():
                break
            length = np.where(short, length / 2, length)
            new = old + length[:, None] * step
            after, rest = problems.merit(new, product + length[:, None] * moved, rows, weight)
        y[rows] = new
        left = ~exact & ~((length < STALLED) & (below <= ROUGH * total))
        if not left.any():
            return
        product = (product + length[:, None] * moved)[left]
        rows, value, above = rows[left], after[left], rest[left]
    raise EstimationError(Problem("synthetic.no_weights", n=len(rows)))
