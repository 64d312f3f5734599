r"""The likelihood of ordered answers: a latent scale cut at thresholds, with its derivatives.

With thresholds :math:`\tau_1 < \dots < \tau_{J-1}` and linear predictor :math:`\eta`, answer j has the probability
:math:`p = F(u) - F(l)`, :math:`u = \tau_j - \eta`, :math:`l = \tau_{j-1} - \eta`. What is left out: samples and
results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation.survey.model_terms import Matrix

Cut = np.ndarray | None  # distance of a threshold from the linear predictor; None for the open end of the scale
ROOT = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives of the log-probability of an answer, ``(n,)`` each or one number for all.

    Parameters
    ----------
    upper, lower
        First derivative by ``u`` and minus that by ``l``; 0 at an open end.
    upper_upper, lower_lower, upper_lower
        Minus the second derivatives.
    """

    upper: np.ndarray | float
    lower: np.ndarray | float
    upper_upper: np.ndarray | float
    lower_lower: np.ndarray | float
    upper_lower: np.ndarray | float

    @property
    def slope(self) -> np.ndarray:
        """First derivative by the linear predictor."""
        return np.asarray(self.lower - self.upper)

    @property
    def curvature(self) -> np.ndarray:
        """Minus the second derivative by the linear predictor."""
        return np.asarray(self.upper_upper + self.lower_lower + 2 * self.upper_lower)


@dataclass(frozen=True)
class CumulativeLink:
    """The distribution of the latent scale.

    Parameters
    ----------
    below
        Distribution function.
    density, bend
        Its first and second derivative.
    quantile
        Its inverse.
    derivatives
        Of upper cut, lower cut and their distance, see :class:`Derivatives`.
    """

    below: Callable[[np.ndarray], np.ndarray]
    density: Callable[[np.ndarray], np.ndarray]
    bend: Callable[[np.ndarray], np.ndarray]
    quantile: Callable[[np.ndarray], np.ndarray]
    derivatives: Callable[[Cut, Cut, float], Derivatives]


def _logistic(cut: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # an infinite exponential is a probability of zero
        return np.asarray(1.0 / (1.0 + np.exp(-cut)))


def _logistic_density(cut: np.ndarray) -> np.ndarray:
    below = _logistic(cut)
    return np.asarray(below * (1 - below))


def _logistic_bend(cut: np.ndarray) -> np.ndarray:
    below = _logistic(cut)
    return np.asarray(below * (1 - below) * (1 - 2 * below))


def _logistic_derivatives(upper: Cut, lower: Cut, gap: float) -> Derivatives:
    r"""Return derivatives; :math:`p = F(u) (1 - F(l)) (1 - e^{l - u})` has no differences of nearly equal numbers."""
    between = 0.0 if upper is None or lower is None else 1 / np.expm1(gap)
    bent = between * (1 + between)
    above: np.ndarray | float = 0.0
    below: np.ndarray | float = 0.0
    upper_upper: np.ndarray | float = 0.0
    lower_lower: np.ndarray | float = 0.0
    if upper is not None:
        above = _logistic(-upper)
        upper_upper = above * (1 - above)
    if lower is not None:
        below = _logistic(lower)
        lower_lower = below * (1 - below)
    return Derivatives(above + between, below + between, upper_upper + bent, lower_lower + bent, -bent)


def _normal(cut: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(cut))


def _normal_density(cut: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-(cut**2) / 2) / ROOT)


def _normal_quantile(share: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return np.asarray(ndtri(share))


def _normal_tail(cut: np.ndarray) -> np.ndarray:
    """Return the density over the probability below, also far out."""
    from scipy.special import log_ndtr

    return np.asarray(np.exp(-(cut**2) / 2 - log_ndtr(cut)) / ROOT)


def _normal_derivatives(upper: Cut, lower: Cut, gap: float) -> Derivatives:
    if upper is None:
        if lower is None:  # a scale has at least one threshold
            raise TypeError("an answer without thresholds")
        tail = _normal_tail(-lower)
        return Derivatives(0.0, tail, 0.0, tail * (tail - lower), 0.0)
    if lower is None:
        tail = _normal_tail(upper)
        return Derivatives(tail, 0.0, tail * (tail + upper), 0.0, 0.0)
    # Above the middle the difference is taken on the mirrored side, where probabilities are small.
    high = lower + upper > 0
    probability = _normal(np.where(high, -lower, upper)) - _normal(np.where(high, -upper, lower))
    above, below = _normal_density(upper) / probability, _normal_density(lower) / probability
    return Derivatives(above, below, above * (above + upper), below * (below - lower), -above * below)


LINKS = {
    "logit": CumulativeLink(
        _logistic,
        _logistic_density,
        _logistic_bend,
        lambda share: np.log(share / (1 - share)),
        _logistic_derivatives,
    ),
    "probit": CumulativeLink(
        _normal, _normal_density, lambda cut: -cut * _normal_density(cut), _normal_quantile, _normal_derivatives
    ),
}


@dataclass(frozen=True, eq=False)
class Ordered:
    """People sorted by their answer.

    Parameters
    ----------
    matrix
        Their columns, without a constant.
    weights
        ``(n,)``.
    ends
        ``(J + 1,)``: answer ``j`` (from 0) is that of the people from ``ends[j]`` to ``ends[j + 1]``.
    link
        Of the model.
    """

    matrix: Matrix
    weights: np.ndarray
    ends: np.ndarray
    link: CumulativeLink

    @property
    def answers(self) -> int:
        """Number of answers ``J``."""
        return len(self.ends) - 1

    def start(self) -> np.ndarray:
        """Return slopes of zero and the thresholds that fit them."""
        sums = np.add.reduceat(self.weights, self.ends[:-1])
        shares = np.cumsum(sums)[:-1] / sums.sum()
        return np.concatenate([np.zeros(self.matrix.width), self.link.quantile(shares)])

    def derivatives(self, thresholds: np.ndarray, predictor: np.ndarray, answer: int) -> Derivatives:
        """Return the derivatives for people with one answer."""
        upper = thresholds[answer] - predictor if answer < len(thresholds) else None
        lower = thresholds[answer - 1] - predictor if answer else None
        gap = float(thresholds[answer] - thresholds[answer - 1]) if upper is not None and lower is not None else np.inf
        return self.link.derivatives(upper, lower, gap)

    @np.errstate(divide="ignore", invalid="ignore", over="ignore")  # a step that goes so far is halved
    def pieces(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return gradient and negative Hessian at slopes and thresholds ``(width + J - 1,)``."""
        width = self.matrix.width
        thresholds = parameters[width:]
        if not (np.diff(thresholds) > 0).all():
            return None
        gradient, information = np.zeros(len(parameters)), np.zeros((len(parameters),) * 2)
        for answer in range(self.answers):
            upper, lower = width + answer, width + answer - 1
            for chunk in self.matrix.chunks(int(self.ends[answer]), int(self.ends[answer + 1])):
                weight = self.weights[chunk.rows]
                at = self.derivatives(thresholds, chunk.times(parameters[:width]), answer)
                gradient[:width] += chunk.sums(weight * at.slope)
                information[:width, :width] += chunk.gram(weight * at.curvature)
                if answer < len(thresholds):
                    gradient[upper] += np.sum(weight * at.upper)
                    information[upper, upper] += np.sum(weight * at.upper_upper)
                    information[upper, :width] -= chunk.sums(weight * (at.upper_upper + at.upper_lower))
                if answer:
                    gradient[lower] -= np.sum(weight * at.lower)
                    information[lower, lower] += np.sum(weight * at.lower_lower)
                    information[lower, :width] -= chunk.sums(weight * (at.lower_lower + at.upper_lower))
                if 0 < answer < len(thresholds):
                    information[upper, lower] += np.sum(weight * at.upper_lower)
        if not np.isfinite(information).all():
            return None
        return gradient, np.tril(information) + np.tril(information, -1).T
