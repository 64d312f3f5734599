"""Newton's method for weighted pseudo-likelihoods, and what it refuses: collinear columns, separated answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evaluation.errors import EstimationError, Problem
from evaluation.sample import some

STEPS = 25  # a fit that exists takes 4 to 10; a separated coefficient goes on by about 1 a step for ever
HALVINGS = 30
CONVERGED = 1e-9  # of the last step in the linear predictor; the information is that of the step before
ROUNDING = 1e-10  # of a step, relative to the largest coefficient
COLLINEAR = 1e-12  # smallest eigenvalue of the scaled information that is not rounding
Pieces = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray] | None]


def newton(
    pieces: Pieces, start: np.ndarray, labels: Sequence[tuple[str, str]], size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the maximum ``(q,)`` of a concave log-likelihood and its information ``(q, q)`` there.

    Parameters
    ----------
    pieces
        Returns gradient and negative Hessian at coefficients, None where there is no likelihood.
    start
        ``(q,)``, without a slope.
    labels
        Term and category of each coefficient, for messages.
    size
        ``(q,)`` largest absolute value of each column: a step counts by how far it moves the linear predictor.

    Raises
    ------
    EstimationError
        Columns are collinear; or a coefficient has no finite value, because a category (or a limit of a number)
        separates the answers; or the steps do not end.

    Notes
    -----
    :math:`\theta \leftarrow \theta + s\,I(\theta)^{-1} U(\theta)`. A step is halved while the slope along it is, at its
    end, as steep downwards as half of what it was upwards at its beginning: of a concave function this shows a step
    that went too far, and saves computing the function itself.
    """
    found = pieces(start)
    if found is None:
        raise EstimationError(Problem("survey_models.not_converged"))
    gradient, information = found
    _refuse_collinear(information, labels)
    theta, step = start, np.zeros_like(start)
    for _ in range(STEPS):
        step = solve(information, gradient)
        enough = CONVERGED + ROUNDING * np.abs(theta * size).max(initial=0.0)
        if np.abs(step * size).max(initial=0.0) < enough:
            return theta + step, information
        theta, gradient, information, step = _advance(pieces, theta, step, gradient)
    running = np.abs(step * size) > CONVERGED
    names = list(dict.fromkeys(term_name(label) for label, runs in zip(labels, running, strict=True) if runs))
    raise EstimationError(Problem("survey_models.separated", terms=some(names)))


def solve(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return ``information^-1 right``, scaled first, so that units of measurement do not matter."""
    size = np.sqrt(np.diag(information))
    scaled = information / np.outer(size, size)
    shape = size if right.ndim == 1 else size[:, None]
    try:
        return np.asarray(np.linalg.solve(scaled, right / shape) / shape)
    except np.linalg.LinAlgError:
        raise EstimationError(Problem("survey_models.not_converged")) from None


def _advance(
    pieces: Pieces, theta: np.ndarray, step: np.ndarray, gradient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    uphill = float(gradient @ step)
    for _ in range(HALVINGS):
        found = pieces(theta + step)
        if found is not None and found[0] @ step > -0.5 * uphill:
            return theta + step, *found, step
        step, uphill = step / 2, uphill / 2
    raise EstimationError(Problem("survey_models.not_converged"))


def term_name(label: tuple[str, str]) -> str:
    """Return a term and its category as words."""
    term, category = label
    return f"{term} = {category}" if category else term


def _refuse_collinear(information: np.ndarray, labels: Sequence[tuple[str, str]]) -> None:
    size = np.sqrt(np.diag(information))
    empty = ~(size > 0)
    if empty.any():
        names = [term_name(label) for label, nothing in zip(labels, empty, strict=True) if nothing]
        raise EstimationError(Problem("survey_models.only_zeros", terms=some(names)))
    lengths, axes = np.linalg.eigh(information / np.outer(size, size))
    if not len(lengths) or lengths[0] > COLLINEAR:
        return
    involved = np.abs(axes[:, lengths <= COLLINEAR]).max(axis=1) > 1e-6
    names = [term_name(label) for label, part in zip(labels, involved, strict=True) if part]
    raise EstimationError(Problem("survey_models.collinear", terms=names[:20]))
