"""Least squares and Poisson regression of a panel with unit and period effects absorbed.

Effects of units are removed by centring, those of periods by one small linear system, so that the cost grows with the
number of units, not with its square. What a caller needs is the influence of every unit on the coefficients, and the
unit scores of the model without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.errors import EstimationError, Problem

Family = Literal["gaussian", "poisson"]
TOLERANCE = 1e-12
ROUNDS = 200
STILL_MOVING = 0.01


@dataclass(frozen=True, eq=False)
class TwoWayFit:
    """Coefficients with the influence of every unit on them.

    Parameters
    ----------
    coefficients
        ``(k,)``, on the log scale for the Poisson family.
    influence
        ``(N, k)``: inverse information times the unit's score.
    fitted
        ``(N, T)`` means; missing where the outcome is.
    used
        ``(N,)`` units that inform the fit; units with a constant zero (Poisson) do not.
    """

    coefficients: np.ndarray
    influence: np.ndarray
    fitted: np.ndarray
    used: np.ndarray


def two_way(
    outcome: np.ndarray, regressors: np.ndarray, *, exposure: np.ndarray | None = None, family: Family = "poisson"
) -> TwoWayFit:
    """Fit ``mean = exposure exp(a_i + g_t + x b)`` (Poisson) or ``mean = a_i + g_t + x b`` (Gaussian).

    Parameters
    ----------
    outcome
        ``(N, T)``, missing where unknown.
    regressors
        ``(k, N, T)``.
    exposure
        ``(N, T)``, above zero; Poisson only.

    Raises
    ------
    EstimationError
        A regressor is explained by unit and period effects, or the estimate runs off to infinity.

    Notes
    -----
    Coefficients solve the score equations of the full model (for Poisson by iteratively reweighted least
    squares; with unit and period effects its slopes do not suffer from incidental parameters). A unit's
    influence is ``(X'WX)^-1 sum_t x_it (y_it - mu_it)`` with regressors residualised on the effects with the
    same weights. Source: Correia, Guimaraes and Zylkin (2020), Fast Poisson estimation with high-dimensional
    fixed effects.

    Examples
    --------
    >>> counts = np.array([[50.0, 30.0], [60.0, 55.0]])
    >>> treated = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    >>> np.exp(two_way(counts, treated).coefficients).round(6)
    array([0.654545])
    """
    known = np.isfinite(outcome)
    used = known.any(axis=1) & ((np.nansum(outcome, axis=1) > 0) | (family == "gaussian"))
    y = np.where(known, outcome, 0.0)[used]
    x, here = regressors[:, used], known[used].astype(float)
    fit = _gaussian(y, x, here) if family == "gaussian" else _poisson(y, x, here, _offset(exposure, outcome)[used])
    coefficients, residual_x, mean = fit
    weights = here if family == "gaussian" else here * mean
    information = np.einsum("jit,it,kit->jk", residual_x, weights, residual_x)
    scores = np.einsum("kit,it->ik", residual_x, here * (y - mean))
    influence = np.zeros((len(outcome), len(regressors)))
    influence[used] = np.linalg.solve(information, scores.T).T
    fitted = np.full(outcome.shape, np.nan)
    fitted[used] = np.where(here > 0, mean, np.nan)
    return TwoWayFit(coefficients, influence, fitted, used)


def null_scores(
    outcome: np.ndarray,
    regressor: np.ndarray,
    value: float = 0.0,
    *,
    exposure: np.ndarray | None = None,
    family: Family = "poisson",
) -> tuple[np.ndarray, np.ndarray]:
    """Return unit scores and unit information ``(N,)`` for one coefficient held at `value`, all else fitted without it.

    The sum of scores over the sum of information is the one-step estimate less `value`; drawn assignments,
    score bootstraps and their inversion are products with these, without refitting.
    """
    shift = value * regressor
    base = np.ones_like(outcome) if exposure is None else exposure
    none = np.empty((0, *outcome.shape))
    if family == "gaussian":
        fit = two_way(outcome - shift, none, family=family)
    else:
        fit = two_way(outcome, none, exposure=base * np.exp(shift), family=family)
    known = np.isfinite(fit.fitted)
    weights = known.astype(float) if family == "gaussian" else np.where(known, fit.fitted, 0.0)
    centred = _centred(regressor[None], weights)[0]
    observed = outcome - shift if family == "gaussian" else outcome
    scores = np.where(known, centred * (observed - fit.fitted), 0.0).sum(axis=1)
    return scores, (weights * centred**2).sum(axis=1)


def _offset(exposure: np.ndarray | None, outcome: np.ndarray) -> np.ndarray:
    return np.zeros(outcome.shape) if exposure is None else np.log(exposure)


def _centred(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `values` ``(k, N, T)`` less their weighted unit and period effects."""
    of_unit = weights.sum(axis=1)
    share = np.divide(weights, of_unit[:, None], out=np.zeros_like(weights), where=of_unit[:, None] > 0)
    centred = values - np.einsum("it,kit->ki", share, values)[:, :, None]
    system = np.diag(weights.sum(axis=0)) - weights.T @ share
    periods = np.linalg.pinv(system, rcond=1e-11, hermitian=True) @ np.einsum("it,kit->tk", weights, centred)
    return np.asarray(centred - periods.T[:, None, :] + (share @ periods).T[:, :, None])


def _slopes(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted least squares of centred `y` on centred `x`; coefficients and both centred arrays."""
    centred = _centred(np.concatenate([x, y[None]]), weights)
    flat = centred.reshape(len(centred), weights.size)
    weighted = flat * weights.ravel()
    gram = weighted[:-1] @ flat[:-1].T
    scale = np.einsum("kit,it,kit->k", x, weights, x)
    if len(x) and (np.diag(gram) <= 1e-10 * np.maximum(scale, 1e-300)).any():
        raise EstimationError(Problem("regression.collinear"))
    coefficients = np.linalg.solve(gram, weighted[:-1] @ flat[-1]) if len(x) else np.empty(0)
    return coefficients, centred[:-1], centred[-1]


def _gaussian(y: np.ndarray, x: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    coefficients, residual_x, residual_y = _slopes(x, y, here)
    left = residual_y - np.einsum("k,kit->it", coefficients, residual_x)
    return coefficients, residual_x, y - left


def _poisson(
    y: np.ndarray, x: np.ndarray, here: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean = here * (y + 0.5 * (y.sum() / max(here.sum(), 1.0)) + 1e-8)
    deviance, coefficients = np.inf, np.full(len(x), np.inf)
    for _ in range(ROUNDS):
        eta = np.where(here > 0, np.log(np.where(here > 0, mean, 1.0)), 0.0)
        working = np.where(here > 0, eta - offset + (y - mean) / np.where(here > 0, mean, 1.0), 0.0)
        before = coefficients
        coefficients, residual_x, residual_y = _slopes(x, working, mean)
        left = residual_y - np.einsum("k,kit->it", coefficients, residual_x)
        eta = np.clip(working - left + offset, -700, 700)
        mean = here * np.exp(eta)
        previous, deviance = deviance, _deviance(y, mean, here)
        if abs(previous - deviance) <= TOLERANCE * (abs(deviance) + 0.1):
            if (np.abs(coefficients) > 25).any():
                break
            if (np.abs(coefficients - before) > STILL_MOVING).any():
                continue  # without a case the deviance stands still while the coefficient runs off
            return coefficients, residual_x, mean
    raise EstimationError(Problem("regression.separated"))


def _deviance(y: np.ndarray, mean: np.ndarray, here: np.ndarray) -> float:
    ratio = np.where((y > 0) & (here > 0), y / np.where(mean > 0, mean, 1.0), 1.0)
    return float(2.0 * (y * np.log(ratio) - here * (y - mean)).sum())
