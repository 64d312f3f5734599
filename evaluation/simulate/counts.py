"""Counts of areas over months as registered offences behave: over-dispersed, seasonal, with memory.

Fast arrays for size and power tables. A whole city at the level of cases is `simulate.leipzig`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MONTHS = 12


def autoregressive(noise: NDArray[np.float64], variance: float, serial: float) -> NDArray[np.float64]:
    """Turn independent noise into a stationary first-order autoregression along the last axis.

    Parameters
    ----------
    noise
        Standard normal values, shape (..., T).
    variance
        Variance of the series at every time.
    serial
        Correlation of neighbouring times, in (-1, 1).

    Returns
    -------
    numpy.ndarray
        Shape (..., T): x_t = serial x_{t-1} + sqrt(variance (1 - serial²)) noise_t, started in its stationary law.

    Examples
    --------
    >>> autoregressive(np.array([[2.0, 0.0, 0.0]]), variance=0.25, serial=0.5)
    array([[1.  , 0.5 , 0.25]])
    """
    series = np.empty_like(noise)
    series[..., 0] = np.sqrt(variance) * noise[..., 0]
    innovation = np.sqrt(variance * (1 - serial**2)) * noise
    for t in range(1, noise.shape[-1]):
        series[..., t] = serial * series[..., t - 1] + innovation[..., t]
    return series


def seasonal(periods: int, amplitude: float, peak: float = 7.0, first_month: int = 1) -> NDArray[np.float64]:
    """Yearly wave on the log scale, highest in the calendar month `peak`; shape (periods,).

    Examples
    --------
    >>> seasonal(12, 0.2, peak=1).round(2)[[0, 3, 6]] + 0.0
    array([ 0.2,  0. , -0.2])
    """
    month = np.arange(first_month, first_month + periods)
    return amplitude * np.cos(2 * np.pi * (month - peak) / MONTHS)


def simulate_counts(
    rng: np.random.Generator,
    units: int = 63,
    periods: int = 36,
    *,
    mean: ArrayLike = 20.0,
    spread: float = 0.8,
    dispersion: float = 2.0,
    tau2: float = 0.01,
    serial: float = 0.5,
    season: float = 0.15,
    log_effect: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Draw monthly counts of many areas with the features that break plain Poisson tests.

    log mu_it = log level_i + season_t + x_it + effect_it with x_it a first-order autoregression of variance
    `tau2`; y_it is negative binomial with mean mu_it and variance `dispersion` mu_it (form 1: the ratio is the same in
    large and small areas, and stays when months are summed), Poisson where `dispersion` is 1.

    Parameters
    ----------
    rng
        Source of randomness.
    units, periods
        Number of areas N and of months T.
    mean
        Expected count per area and month: one number, the mean over areas of a log-normal spread of levels, or the
        N levels themselves.
    spread
        Standard deviation of the log levels over areas; without use where `mean` has N values.
    dispersion
        Variance over mean given the shocks, at least 1.
    tau2, serial
        Variance of the log shocks of an area, and their correlation from one month to the next.
    season
        Height of the yearly wave on the log scale, common to all areas.
    log_effect
        Added to the log mean: a shape that broadcasts to (N, T).

    Returns
    -------
    numpy.ndarray
        Counts, shape (N, T), whole numbers.

    Examples
    --------
    >>> counts = simulate_counts(np.random.default_rng(1), units=4, periods=24, mean=[5, 10, 20, 40])
    >>> counts.shape, counts.dtype
    ((4, 24), dtype('int64'))
    """
    if dispersion < 1:
        raise ValueError(f"dispersion is variance over mean and at least 1; got {dispersion}")
    level = np.asarray(mean, dtype=float)
    log_level = np.log(level)
    if level.ndim == 0:
        log_level = log_level - spread**2 / 2 + spread * rng.standard_normal(units)
    elif level.shape != (units,):
        raise ValueError(f"mean has shape {level.shape}; give one number or one for each of the {units} units")
    log_mean = log_level[:, None] + seasonal(periods, season) - tau2 / 2
    if tau2 > 0:
        log_mean = log_mean + autoregressive(rng.standard_normal((units, periods)), tau2, serial)
    if log_effect is not None:
        log_mean = log_mean + np.asarray(log_effect, dtype=float)
    expected = np.exp(log_mean)
    if dispersion > 1:
        expected = rng.gamma(expected / (dispersion - 1)) * (dispersion - 1)
    counts: NDArray[np.int64] = rng.poisson(expected)
    return counts
