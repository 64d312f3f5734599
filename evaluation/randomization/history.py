"""What changes usually look like without a measure: a city's own history as the yardstick of an effect.

Counts are over-dispersed, busy areas fluctuate less in proportion, and an area that has just risen falls back.
Earlier dates at which nothing began show how much; the change at the true date is standardised with it. Nothing
here knows who is treated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.randomization.measures import LOG_OF_SUMS, ChangeMeasure
from evaluation.randomization.windows import Windows, WindowSums

CAP = 9.0  # squared standardised residuals count at most this much
SMALLEST_VARIANCE = 1e-12  # of a change, where the history never varies
ROUNDS = 25  # of reweighting, at most
PRIOR = 4.0  # an area's own factor is shrunk as if this many dates with factor one had been seen


@dataclass(frozen=True, eq=False)
class Changes:
    """Log change, preceding log rise and level of every unit at ``H`` dates, each ``(H, N)``, missing without data.

    Change and rise are centred: less their median over the units of a date.
    """

    dates: np.ndarray
    change: np.ndarray
    rise: np.ndarray
    level: np.ndarray

    def with_data(self) -> Changes:
        """Return the dates at which at least one unit has a change and a rise."""
        kept = (np.isfinite(self.change) & np.isfinite(self.rise)).any(axis=1)
        return Changes(self.dates[kept], self.change[kept], self.rise[kept], self.level[kept])

    def without_rise(self) -> Changes:
        """Return the same changes as if no unit had risen before, so that no return to the usual level is taken off."""
        return replace(self, rise=np.where(np.isfinite(self.rise), 0.0, np.nan))


@dataclass(frozen=True, eq=False)
class History:
    """The fit to the history: how rises come back, and how large changes are by level and unit.

    Parameters
    ----------
    slope
        Change that follows a preceding rise of one, on average: the return to the usual level.
    tau2, phi
        Variance of a change is ``tau2 + phi / level`` for a unit of common volatility.
    factor
        ``(N,)`` volatility of each unit against that, shrunk towards one.
    residual, variance
        ``(H, N)`` changes less what their rise explains, and their variances without the unit's factor.
    """

    slope: float
    tau2: float
    phi: float
    factor: np.ndarray
    residual: np.ndarray
    variance: np.ndarray

    def seen(self) -> np.ndarray:
        """Return the standardised changes ``(H, N)`` of the history itself, each with the factor of the other dates."""
        known = np.isfinite(self.residual)
        excess = np.where(known, np.minimum(self.residual**2 / self.variance, CAP), 0.0)
        others = (PRIOR + excess.sum(axis=0) - excess) / (PRIOR + known.sum(axis=0) - known)
        return np.asarray(self.residual / np.sqrt(others * self.variance))

    def standardise(self, changes: Changes) -> tuple[np.ndarray, np.ndarray]:
        """Return the changes less the return to the usual level, and their standard deviations, each ``(H, N)``."""
        residual = changes.change - self.slope * changes.rise
        return residual, np.sqrt(np.maximum(self.factor * (self.tau2 + self.phi / changes.level), SMALLEST_VARIANCE))


def centred(values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Return `values` ``(H, N)`` less their median over the units `among` ``(N,)`` (all, if None) of a date.

    A date without data stays missing.
    """
    chosen = values if among is None else values[:, among]
    known = np.isfinite(chosen).any(axis=1)
    median = np.full((len(values), 1), np.nan)
    median[known] = np.nanmedian(chosen[known], axis=1, keepdims=True)
    return np.asarray(values - median)


def unit_changes(
    outcome: np.ndarray,
    exposure: np.ndarray,
    dates: np.ndarray,
    windows: Windows,
    measure: ChangeMeasure = LOG_OF_SUMS,
    *,
    among: np.ndarray | None = None,
) -> Changes:
    """Return the changes of all units at `dates`, as `measure` sees them.

    Parameters
    ----------
    outcome, exposure
        ``(N, T)``.
    dates
        ``(H,)`` indices of first periods; the windows around each lie within the panel.
    among
        ``(N,)`` units whose median is taken off the changes, all if None. At the true dates these are the units
        without the measure: the median of all would carry part of an effect that many units have.
    """
    change = measure.values(outcome, exposure, dates, windows)
    rise, level = measure.rise_and_level(outcome, exposure, dates, windows)
    return Changes(
        dates=dates,
        change=centred(change, among),
        rise=centred(np.where(np.isfinite(change), rise, np.nan)),
        level=level,
    )


def mean_changes(outcome: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
    """Return the changes ``(H, N)`` of the mean count a period, after less before."""
    counts = WindowSums(outcome, dates)
    before = counts.over(-windows.gap - windows.before, windows.before)
    return np.asarray(counts.over(windows.lead, windows.after) / windows.after - before / windows.before)


def placebo_dates(first_start: int, windows: Windows) -> np.ndarray:
    """Return all earlier dates whose windows end before the measure starts anywhere."""
    return np.arange(windows.reach_back, first_start - max(windows.reach_ahead, 1) + 1)


def fit_history(changes: Changes) -> History:
    """Fit the return to the usual level and the size of changes to placebo dates.

    The slope is least squares over all dates and units. ``tau2`` and ``phi`` are fitted to the squared
    residuals, capped at 9 times their fit, by least squares weighted with the inverse squared fit, both at
    least 0; a few rounds.

    Parameters
    ----------
    changes
        ``(H, N)`` at placebo dates; missing values are left out.
    """
    known = np.isfinite(changes.change) & np.isfinite(changes.rise)
    change, rise = np.where(known, changes.change, 0.0), np.where(known, changes.rise, 0.0)
    moment = float((rise * rise).sum())
    slope = float((change * rise).sum()) / moment if moment > 0 else 0.0
    residual = np.where(known, change - slope * rise, np.nan)
    squares, inverse_level = residual[known] ** 2, 1.0 / changes.level[known]
    tau2, phi = 0.01, 2.0
    for _ in range(ROUNDS):
        fitted = np.maximum(tau2 + phi * inverse_level, SMALLEST_VARIANCE)
        previous = tau2, phi
        tau2, phi = _nonnegative_line(inverse_level, np.minimum(squares, CAP * fitted), 1.0 / fitted**2)
        if np.allclose(previous, (tau2, phi), rtol=1e-10, atol=0):
            break
    variance = np.maximum(tau2 + phi / changes.level, SMALLEST_VARIANCE)
    excess = np.where(known, np.minimum(np.where(known, residual, 0.0) ** 2 / variance, CAP), 0.0)
    factor = (PRIOR + excess.sum(axis=0)) / (PRIOR + known.sum(axis=0))
    return History(slope, tau2, phi, factor, residual, variance)


def _nonnegative_line(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted least squares of ``y = a + b x`` with both coefficients at least 0."""
    w, wx, wy = weights.sum(), weights @ x, weights @ y
    wxx, wxy = weights @ (x * x), weights @ (x * y)
    determinant = w * wxx - wx * wx
    if determinant > 1e-12 * w * wxx:
        level, slope = (wxx * wy - wx * wxy) / determinant, (w * wxy - wx * wy) / determinant
        if level >= 0 and slope >= 0:
            return float(level), float(slope)
    only_level, only_slope = wy / w, wxy / wxx
    loss_level = weights @ (y - only_level) ** 2
    loss_slope = weights @ (y - only_slope * x) ** 2
    return (float(only_level), 0.0) if loss_level <= loss_slope else (0.0, float(only_slope))
