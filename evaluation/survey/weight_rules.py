"""How factors of weights follow from weights by cell: post-strata, margins, and the chance to respond.

Each is a rule that can be applied to the weights of all people and to those of every replicate. What is left out:
samples and messages about their columns (:mod:`evaluation.survey.weighting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.errors import EstimationError, Problem
from evaluation.sample import some
from evaluation.survey.model_fit import newton

Method = Literal["linear", "raking", "logit"]
METHODS = ("linear", "raking", "logit")
MET = 1e-12  # misfit of a margin, relative to it, that is rounding
ACCEPTED = 1e-9  # the same where rounding does not get better
ROUNDS = 100
HALVINGS = 40
RANK = 1e-11  # smallest eigenvalue of the scaled products of columns that is not rounding


@dataclass(frozen=True)
class Distance:
    r"""The factor by which a weight is multiplied, as a function of a linear predictor.

    Parameters
    ----------
    method
        ``linear``: :math:`1 + u`; ``raking``: :math:`e^u`; ``logit``: an S-shaped curve between the bounds.
    low, high
        Bounds of the factor. Linear and raking factors are cut off there.

    References
    ----------
    Deville and Särndal (1992), Calibration estimators in survey sampling.
    """

    method: Method
    low: float = -np.inf
    high: float = np.inf

    def factor(self, u: np.ndarray) -> np.ndarray:
        """Return the factors, of the shape of `u`."""
        if self.method == "linear":
            return np.asarray(np.clip(1.0 + u, self.low, self.high))
        with np.errstate(over="ignore"):
            if self.method == "raking":
                return np.asarray(np.clip(np.exp(u), self.low, self.high))
            share = self._share(u)
        return np.asarray(self.low + (self.high - self.low) * share)

    def slope(self, u: np.ndarray) -> np.ndarray:
        """Return the derivative of the factors by `u`."""
        if self.method == "logit":
            with np.errstate(over="ignore"):
                share = self._share(u)
            return np.asarray((self.high - self.low) * self._steepness() * share * (1.0 - share))
        factor = self.factor(u)
        inside = (factor > self.low) & (factor < self.high)
        return np.where(inside, factor if self.method == "raking" else 1.0, 0.0)

    def _steepness(self) -> float:
        return (self.high - self.low) / ((1.0 - self.low) * (self.high - 1.0))

    def _share(self, u: np.ndarray) -> np.ndarray:
        """Return where between its bounds the factor lies."""
        odds = (self.high - 1.0) / (1.0 - self.low)
        return np.asarray(1.0 / (1.0 + odds * np.exp(-self._steepness() * u)))


@dataclass(frozen=True, eq=False)
class CellRule:
    """Weights of every cell are brought to a total: of the population, or of everybody before some were lost.

    Parameters
    ----------
    totals
        ``(G,)`` of the population; None: the total before.
    """

    totals: np.ndarray | None = None

    def solve(self, total: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Return factors ``(R, G)``; the totals of empty cells are shared out among the others in proportion."""
        wanted = np.broadcast_to(total if self.totals is None else self.totals, kept.shape)
        left = np.where(kept > 0, wanted, 0.0)
        shared = wanted.sum(axis=1, keepdims=True) / np.where(
            (kept > 0).any(axis=1, keepdims=True), left.sum(axis=1, keepdims=True), 1.0
        )
        return np.asarray(np.divide(left, kept, out=np.ones_like(kept), where=kept > 0) * shared)

    def factors(self, parameters: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return ``(c, R)``."""
        return np.asarray(parameters.T[cells])


@dataclass(frozen=True, eq=False)
class MarginRule:
    r"""Weights meet totals of several margins and numbers, and change as little as possible.

    Parameters
    ----------
    x
        ``(G, q)`` columns of the margins and numbers, by cell.
    totals
        ``(q,)`` of the population.
    labels
        For each column the name of the margin and the value that is meant; no value for the total of a number.
    distance
        How factors follow from the columns.
    size
        Number of people in the population, or None where only totals of numbers are known.

    Notes
    -----
    With d the weights before, multiplied by a common number so that they add up to the population, factors are
    :math:`F(x'\lambda)` with :math:`\sum d_i F(x_i'\lambda) x_i = t`: the maximum of a concave function of
    :math:`\lambda`, found by Newton's method with steps that are halved where they go too far.
    """

    x: np.ndarray
    totals: np.ndarray
    labels: tuple[tuple[str, str], ...]
    distance: Distance
    size: float | None

    def solve(self, total: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Return ``(R, q + 1)``: the multipliers and the common number."""
        return np.array([self.solve_one(weights) for weights in kept])

    def solve_one(self, weights: np.ndarray) -> np.ndarray:
        """Return ``(q + 1,)`` for the weights by cell ``(G,)``.

        Raises
        ------
        EstimationError
            A total cannot be met within the bounds, or not together with the others.
        """
        common = 1.0 if self.size is None else self.size / float(weights.sum())
        used = weights > 0
        x, d = self.x[used], weights[used] * common
        reach = (d[:, None] * np.abs(x)).sum(axis=0)
        scale = np.where(reach > 0, reach, 1.0)
        x, wanted = x / scale, self._asked(reach > 0) / scale
        self._refuse_unreachable(x, d, wanted, scale)
        found = self._newton(x, d, wanted, scale)
        return np.append(found / scale, common)

    def _asked(self, occupied: np.ndarray) -> np.ndarray:
        """Return the totals ``(q,)`` where the people of empty categories are shared out within their margin."""
        totals = np.where(occupied, self.totals, 0.0)
        for name in {name for (name, value), held in zip(self.labels, occupied, strict=True) if value and not held}:
            own = np.array([margin == name for margin, _ in self.labels])
            totals[own] *= self.totals[own].sum() / max(totals[own].sum(), np.finfo(float).tiny)
        return totals

    def factors(self, parameters: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return ``(c, R)``."""
        return np.asarray(self.distance.factor(self.x[cells] @ parameters[:, :-1].T) * parameters[:, -1])

    def _newton(self, x: np.ndarray, d: np.ndarray, wanted: np.ndarray, scale: np.ndarray) -> np.ndarray:
        found = np.zeros(x.shape[1])
        predictor = np.zeros(len(x))
        misfit = wanted - (d * self.distance.factor(predictor)) @ x
        best = np.inf
        for _ in range(ROUNDS):
            worst = float(np.abs(misfit / np.maximum(np.abs(wanted), 1e-3)).max(initial=0.0))
            if worst < MET or (worst < ACCEPTED and worst > 0.5 * best):
                return found
            best = min(best, worst)
            step = pseudo_inverse((x * (d * self.distance.slope(predictor))[:, None]).T @ x) @ misfit
            uphill = float(misfit @ step)
            for _ in range(HALVINGS):
                moved = predictor + x @ step
                left = wanted - (d * self.distance.factor(moved)) @ x
                if np.isfinite(left).all() and left @ step > -0.5 * uphill:
                    break
                step, uphill = step / 2, uphill / 2
            else:
                break
            found, predictor, misfit = found + step, moved, left
        raise EstimationError(*self._unmet(wanted - misfit, wanted, scale))

    def _refuse_unreachable(self, x: np.ndarray, d: np.ndarray, wanted: np.ndarray, scale: np.ndarray) -> None:
        """Raise where a single total lies outside of what the bounds allow."""
        low, high = self.distance.low, self.distance.high
        if not (np.isfinite(low) and np.isfinite(high)):
            return
        weighted = d[:, None] * x
        least = np.minimum(low * weighted, high * weighted).sum(axis=0)
        most = np.maximum(low * weighted, high * weighted).sum(axis=0)
        outside = (wanted < least - ACCEPTED) | (wanted > most + ACCEPTED)
        if outside.any():
            raise EstimationError(
                *(
                    Problem(
                        "survey_weights.unreachable",
                        column=self.labels[at][0],
                        value=self.labels[at][1] or None,
                        total=float(wanted[at] * scale[at]),
                        least=float(least[at] * scale[at]),
                        most=float(most[at] * scale[at]),
                        low=low,
                        high=high,
                    )
                    for at in np.flatnonzero(outside)
                )
            )

    def _unmet(self, reached: np.ndarray, wanted: np.ndarray, scale: np.ndarray) -> list[Problem]:
        """Return the totals that were met worst."""
        misfit = np.abs(reached - wanted) / np.maximum(np.abs(wanted), 1e-3)
        worst = [at for at in np.argsort(-misfit)[:3] if misfit[at] > ACCEPTED]
        return [
            Problem(
                "survey_weights.not_met",
                column=self.labels[at][0],
                value=self.labels[at][1] or None,
                total=float(wanted[at] * scale[at]),
                reached=float(reached[at] * scale[at]),
            )
            for at in worst
        ] or [Problem("survey_weights.not_converged", margins=some([column for column, _ in self.labels]))]


@dataclass(frozen=True, eq=False)
class ResponseRule:
    r"""Weights of people who answered are divided by their estimated chance to answer.

    Parameters
    ----------
    x
        ``(G, q)`` columns of the logistic model, by cell.
    labels
        Term and category of each column.

    Notes
    -----
    :math:`\hat p_i = 1/(1 + e^{-x_i'\gamma})` with :math:`\sum_i d_i (r_i - \hat p_i) x_i = 0`.
    """

    x: np.ndarray
    labels: tuple[tuple[str, str], ...]

    def solve(self, total: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Return ``(R, q)`` coefficients."""
        return np.array([self.solve_one(*weights)[0] for weights in zip(total, kept, strict=True)])

    def solve_one(self, total: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients ``(q,)`` and their information ``(q, q)`` from weights by cell.

        Raises
        ------
        EstimationError
            A column separates people who answered from those who did not; columns are collinear.
        """
        used = total > 0
        x, everybody, answered = self.x[used], total[used], kept[used]
        common = everybody.sum()

        def pieces(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            with np.errstate(over="ignore"):
                chance = 1.0 / (1.0 + np.exp(-(x @ coefficients)))
            spread = everybody * chance * (1.0 - chance) / common
            return ((answered - everybody * chance) / common) @ x, (x * spread[:, None]).T @ x

        found = newton(pieces, np.zeros(x.shape[1]), self.labels, np.abs(x).max(axis=0))[0]
        return found, pieces(found)[1] * common

    def factors(self, parameters: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return ``(c, R)``."""
        return np.asarray(1.0 + np.exp(-(self.x[cells] @ parameters.T)))


def pseudo_inverse(gram: np.ndarray) -> np.ndarray:
    """Return the inverse ``(q, q)`` of products of columns; columns that follow from others get no say of their own."""
    size = np.sqrt(np.diag(gram))
    safe = np.where(size > 0, size, 1.0)
    lengths, axes = np.linalg.eigh(gram / np.outer(safe, safe))
    inverted = np.where(lengths > RANK * lengths.max(initial=0.0), 1.0 / np.where(lengths > 0, lengths, 1.0), 0.0)
    return np.asarray((axes * inverted) @ axes.T / np.outer(safe, safe))
