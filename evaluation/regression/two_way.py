"""Least squares and Poisson regression of a panel with unit and period effects absorbed.

What a caller needs is the influence of every unit on the coefficients, predictions for cells that the fit has not seen,
and the unit scores of the model without the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.errors import EstimationError, Problem
from evaluation.regression.absorbed import Absorbed, Cohorts
from evaluation.regression.design import Centred, Regressors

Family = Literal["gaussian", "poisson"]
TOLERANCE = 1e-12
ROUNDS = 200
STILL_MOVING = 0.01
RUN_OFF = 25.0  # a log ratio beyond this is infinite
LARGEST = 700.0  # of the linear predictor: its exponential is still a number


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
        ``(N, T)`` means; missing where the outcome is, or where the cell does not inform the fit.
    predicted
        ``(N, T)`` means at all cells, also those that the fit has not seen; missing where unit and period are not
        connected by others. Zero (Poisson) where unit or period have no case at all.
    used
        ``(N,)`` units that inform the fit; units with a constant zero (Poisson) do not.
    errors
        ``(N, T)`` outcome less mean, divided by ``1 + dispersion x mean``; zero where the cell does not inform the fit.
    centred
        The regressors less the effects, with the weights of the fit.
    """

    coefficients: np.ndarray
    influence: np.ndarray
    fitted: np.ndarray
    predicted: np.ndarray
    used: np.ndarray
    errors: np.ndarray
    centred: Centred


def two_way(
    outcome: np.ndarray,
    regressors: np.ndarray | Regressors,
    *,
    exposure: np.ndarray | None = None,
    family: Family = "poisson",
    season: np.ndarray | None = None,
    dispersion: float = 0.0,
) -> TwoWayFit:
    """Fit ``mean = exposure exp(a_i + g_t + x b)`` (Poisson) or ``mean = a_i + g_t + x b`` (Gaussian).

    Parameters
    ----------
    outcome
        ``(N, T)``, missing where unknown.
    regressors
        ``(k, N, T)``, or :class:`Regressors`.
    exposure
        ``(N, T)``, above zero; Poisson only.
    season
        ``(T,)`` calendar month of every period, for ``a_im`` in place of ``a_i``.
    dispersion
        Of the negative binomial with variance ``mean + dispersion mean^2`` in place of the Poisson's; held fixed.

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
    x = regressors if isinstance(regressors, Regressors) else Regressors(regressors)
    known = np.isfinite(outcome)
    y = np.where(known, outcome, 0.0)
    if family == "gaussian":
        here = known.astype(float)
        absorbed = Absorbed(here, season)
        coefficients, centred, left = _slopes(x, y, absorbed)
        predicted, errors = np.where(absorbed.identified, y - left, np.nan), here * left
    else:
        possible = _possible(y, season)
        here = (known & possible).astype(float)
        offset = np.zeros(y.shape) if exposure is None else np.log(exposure)
        absorbed = Absorbed(here, season)
        coefficients, centred, mean = _poisson(y, x, absorbed, offset, dispersion)
        errors = here * (y - mean) / (1.0 + dispersion * mean)
        empty = ~possible & Absorbed(known.astype(float), season).identified
        predicted = np.where(absorbed.identified, mean, np.where(empty, 0.0, np.nan))
    influence = np.zeros((len(outcome), x.number))
    if x.number:
        influence = np.linalg.solve(centred.information, centred.unit_scores(errors).T).T
    return TwoWayFit(
        coefficients=coefficients,
        influence=influence,
        fitted=np.where(here > 0, predicted, np.nan),
        predicted=predicted,
        used=here.any(axis=1),
        errors=errors,
        centred=centred,
    )


def prediction_influence(fit: TwoWayFit, cohorts: Cohorts, kernel: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the influence ``(N, k)`` of every unit, through the fit, on weighted sums of predicted means.

    Parameters
    ----------
    fit
        With arrays as regressors, or none.
    cohorts, kernel
        A sum weights the prediction of a cell by ``kernel_gtk``, ``(G, T, k)``, of the unit's cohort.
    slope
        ``(N, T)``: derivative of the cell's mean by its linear predictor (1 or the mean); zero for cells not summed.

    Notes
    -----
    For sums ``c = sum slope kernel z`` of the derivatives ``z`` by all effects and coefficients it is ``c' (Z'WZ)^-1
    sum_t z_it e_it`` with the weighted errors ``e``; the part of unit effects vanishes, as errors sum to zero in units.
    """
    _, periods = fit.centred.absorbed.projection(cohorts, kernel, slope)
    influence = fit.errors @ periods
    if fit.centred.regressors.number:
        moved = [cohorts.by_unit(kernel, slope * own).sum(axis=0) for own in fit.centred.arrays]
        influence += fit.influence @ np.stack(moved)
    return np.asarray(influence)


def null_scores(
    outcome: np.ndarray,
    regressor: np.ndarray,
    value: float = 0.0,
    *,
    exposure: np.ndarray | None = None,
    family: Family = "poisson",
    season: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return unit scores and unit information ``(N,)`` for one coefficient held at `value`, all else fitted without it.

    The sum of scores over the sum of information is the one-step estimate less `value`; drawn assignments,
    score bootstraps and their inversion are products with these, without refitting.
    """
    shift = value * regressor
    none = np.empty((0, *outcome.shape))
    if family == "gaussian":
        fit = two_way(outcome - shift, none, family=family, season=season)
    else:
        base = np.ones_like(outcome) if exposure is None else exposure
        fit = two_way(outcome, none, exposure=base * np.exp(shift), family=family, season=season)
    absorbed = fit.centred.absorbed
    centred = absorbed.residual(regressor)
    return (centred * fit.errors).sum(axis=1), (absorbed.weights * centred**2).sum(axis=1)


def _possible(y: np.ndarray, season: np.ndarray | None) -> np.ndarray:
    """Return the cells ``(N, T)`` whose unit (in this calendar month) and period have a case.

    The others are zero in a Poisson fit whatever the coefficients are.
    """
    months = np.zeros(y.shape[1], dtype=int) if season is None else season
    possible: np.ndarray = np.tile(y.sum(axis=0) > 0, (len(y), 1))
    for month in np.unique(months):
        columns = months == month
        possible[:, columns] &= y[:, columns].sum(axis=1, keepdims=True) > 0
    return possible


def _slopes(x: Regressors, y: np.ndarray, absorbed: Absorbed) -> tuple[np.ndarray, Centred, np.ndarray]:
    """Weighted least squares; coefficients, centred regressors, and what is left of `y` ``(N, T)`` at all cells."""
    centred, left = Centred(x, absorbed), absorbed.residual(y)
    if not x.number:
        return np.empty(0), centred, left
    coefficients = np.linalg.solve(centred.information, centred.moments(left))
    return coefficients, centred, left - absorbed.residual(x.times(coefficients))


def _poisson(
    y: np.ndarray, x: Regressors, cells: Absorbed, offset: np.ndarray, dispersion: float
) -> tuple[np.ndarray, Centred, np.ndarray]:
    here = cells.weights
    mean = here * (y + 0.5 * (y.sum() / max(here.sum(), 1.0)) + 1e-8)
    deviance, coefficients = np.inf, np.full(x.number, np.inf)
    rounding = 4 * np.finfo(float).eps * float(y.sum())  # where the fit is perfect, nothing else is left
    for number in range(ROUNDS):
        positive = np.where(here > 0, mean, 1.0)
        working = np.where(here > 0, np.log(positive) - offset + (y - mean) / positive, 0.0)
        before = coefficients
        absorbed = Absorbed(mean / (1.0 + dispersion * mean), cells.season)
        try:
            coefficients, _, left = _slopes(x, working, absorbed)
        except EstimationError:
            if number:  # the weights of what would tell regressors apart have run off to zero
                break
            raise
        predicted = np.exp(np.clip(working - left + offset, -LARGEST, LARGEST))
        mean = here * predicted
        previous, deviance = deviance, _deviance(y, mean, here)
        if abs(previous - deviance) <= max(TOLERANCE * (abs(deviance) + 0.1), rounding):
            if (np.abs(coefficients) > RUN_OFF).any():
                break
            if (np.abs(coefficients - before) > STILL_MOVING).any():
                continue  # without a case the deviance stands still while the coefficient runs off
            final = Absorbed(mean / (1.0 + dispersion * mean), cells.season)
            return coefficients, Centred(x, final), predicted
    raise EstimationError(Problem("regression.separated"))


def _deviance(y: np.ndarray, mean: np.ndarray, here: np.ndarray) -> float:
    ratio = np.where((y > 0) & (here > 0), y / np.where(mean > 0, mean, 1.0), 1.0)
    return float(2.0 * (y * np.log(ratio) - here * (y - mean)).sum())
