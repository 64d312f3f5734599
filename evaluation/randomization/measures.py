"""How an estimator sees the change of every unit at a date, as if a measure had begun there and done nothing.

A unit's change is its contribution to the estimator under the null: its score over its information. Each estimator
names its measure of change; what follows (the return to the usual level, the yardstick from the history, the exchange
of units) is the same for all. Nothing here knows who is treated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from evaluation.randomization.windows import CONTINUITY, Windows, WindowSums

NEWTON_ROUNDS = 12


class ChangeMeasure(ABC):
    """A measure of change: values of all units at many dates, on the log scale or one that maps to it.

    Arrays have ``N`` units, ``T`` periods, ``H`` dates. The windows around each date lie within the panel.
    """

    @abstractmethod
    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the changes ``(H, N)`` from `outcome` and `exposure` ``(N, T)``; missing where data are."""

    def rise_and_level(
        self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the log rise just before each date, and the level that the variance of a change depends on.

        Both are ``(H, N)``. The rise compares mean counts, each + 1/2; the level is the mean count a period before
        the date + 1/2.
        """
        counts, persons = WindowSums(outcome, dates), WindowSums(exposure, dates)

        def log_mean(first: int, length: int) -> np.ndarray:
            mean, people = counts.over(first, length) / length, persons.over(first, length) / length
            return np.asarray(np.log(mean + CONTINUITY) - np.log(people))

        end = -windows.gap
        level = counts.over(end - windows.before, windows.before) / windows.before + CONTINUITY
        if not windows.earlier:
            return np.zeros_like(level), level
        risen = end - windows.recent
        return log_mean(risen, windows.recent) - log_mean(risen - windows.earlier, windows.earlier), level

    def effect_share(self, share: np.ndarray, change: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return how much of an effect the changes hold ``(G, N)``, where a plain change of a unit holds `share`.

        `change` ``(G, N)`` are the changes at `dates`; it matters where they are missing.
        """
        return share

    def log_ratio(self, effect: np.ndarray, windows: Windows) -> np.ndarray:
        """Return effects on the scale of the changes as logs of ratios; missing where there is no such ratio."""
        return effect


@dataclass(frozen=True)
class LogOfSums(ChangeMeasure):
    """Log rate of all cases after the date less that before: ``log[(A + 1/2) / n_A] - log[(B + 1/2) / n_B]``."""

    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the changes ``(H, N)``."""
        counts, persons = WindowSums(outcome, dates), WindowSums(exposure, dates)

        def log_sum(first: int, length: int) -> np.ndarray:
            return np.asarray(np.log(counts.over(first, length) + CONTINUITY) - np.log(persons.over(first, length)))

        return np.asarray(log_sum(windows.lead, windows.after) - log_sum(-windows.gap - windows.before, windows.before))


LOG_OF_SUMS = LogOfSums()


@dataclass(frozen=True)
class MeanOfLogs(ChangeMeasure):
    """Mean log rate of the periods after the date less that before: what linear models with unit effects compare.

    Parameters
    ----------
    season
        Periods in a year, to compare every period with the same calendar months before (unit x calendar-month
        effects); 0 compares with all periods before.
    """

    season: int = 0

    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the changes ``(H, N)``: ``log[(y + 1/2) / n]`` of every period, averaged."""
        logs = np.log(outcome + CONTINUITY) - np.log(exposure)
        changes = np.zeros((len(dates), len(outcome)))
        for before, after in compared_periods(windows, self.season):
            mean = [logs[:, dates[:, None] + side].mean(axis=2).T for side in (before, after)]
            changes += len(after) / windows.after * (mean[1] - mean[0])
        return changes


@dataclass(frozen=True)
class PoissonScore(ChangeMeasure):
    """Poisson score of every unit over its information, in the model with unit and period effects and no measure.

    With ``A`` cases after and ``B`` before, ``n = A + B`` and ``p`` the share after that exposure and common growth let
    expect, ``(A - p n) / [n p (1 - p)]``; a unit without a case contributes nothing. No constant is added to counts, so
    that small ones do not lean.

    Parameters
    ----------
    season
        Periods in a year, for unit x calendar-month effects: scores and informations add up over calendar months.

    Notes
    -----
    The model with all periods has the same score where exposure is constant within a window. A ratio ``exp(d)`` of all
    units' cases changes these values by ``t`` with ``d = ln[(1 + (1 - p) t) / (1 - p t)]``.
    """

    season: int = 0

    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the changes ``(H, N)``."""
        score, information = np.zeros((2, len(dates), len(outcome)))
        for before, after in compared_periods(windows, self.season):
            cases = [outcome[:, dates[:, None] + side].sum(axis=2).T for side in (before, after)]
            people = [exposure[:, dates[:, None] + side].sum(axis=2).T for side in (before, after)]
            share = _expected_share(cases, people)
            both = cases[0] + cases[1]
            score += cases[1] - share * both
            information += both * share * (1 - share)
        return np.divide(score, information, out=np.where(np.isnan(score), np.nan, 0.0), where=information > 0)

    def log_ratio(self, effect: np.ndarray, windows: Windows) -> np.ndarray:
        """Return effects on the scale of the changes as logs of ratios."""
        pairs = compared_periods(windows, self.season)
        share = float(np.mean([len(after) / (len(before) + len(after)) for before, after in pairs]))
        over, under = 1 + (1 - share) * np.asarray(effect), 1 - share * np.asarray(effect)
        inside = (over > 0) & (under > 0)
        return np.log(np.where(inside, over, np.nan) / np.where(inside, under, 1.0))


@dataclass(frozen=True, eq=False)
class Adjusted(ChangeMeasure):
    """Changes of another measure less what covariates of the units explain at each date.

    Parameters
    ----------
    inner
        The measure that is adjusted.
    covariates
        ``(N, k)``, or ``(N, T, k)`` of which the last period before the date is used.
    """

    inner: ChangeMeasure
    covariates: np.ndarray

    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the residuals ``(H, N)`` of a least-squares regression over units at each date."""
        changes = self.inner.values(outcome, exposure, dates, windows)
        return self._residuals(changes, changes, dates, windows)

    def effect_share(self, share: np.ndarray, change: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the shares less what the covariates explain of them: the regression takes up part of an effect."""
        return self._residuals(self.inner.effect_share(share, change, dates, windows), change, dates, windows)

    def _residuals(self, values: np.ndarray, change: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return `values` ``(H, N)`` less their regression on the covariates over units with a `change`."""
        left = []
        for value, moved, date in zip(values, change, dates, strict=True):
            known_before = date - windows.gap - 1
            own = self.covariates if self.covariates.ndim == 2 else self.covariates[:, known_before]
            design = np.column_stack([np.ones(len(own)), own])
            usable = np.isfinite(moved) & np.isfinite(design).all(axis=1)
            slopes = np.linalg.lstsq(design[usable], value[usable], rcond=None)[0]
            left.append(value - design @ slopes)
        return np.array(left).reshape(values.shape)

    def rise_and_level(
        self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return rise and level of the inner measure."""
        return self.inner.rise_and_level(outcome, exposure, dates, windows)

    def log_ratio(self, effect: np.ndarray, windows: Windows) -> np.ndarray:
        """Return what the inner measure returns."""
        return self.inner.log_ratio(effect, windows)


def compared_periods(windows: Windows, season: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the periods before and after, relative to a date, that are compared with each other.

    One pair without a season; else one for every calendar position that has periods on both sides.
    """
    before = np.arange(-windows.gap - windows.before, -windows.gap)
    after = np.arange(windows.lead, windows.lead + windows.after)
    if not season:
        return [(before, after)]
    if len(before) < season:
        raise ValueError(f"{len(before)} periods before do not hold every part of a year of {season}")
    parts = np.intersect1d(before % season, after % season)
    return [(before[before % season == part], after[after % season == part]) for part in parts]


def _expected_share(cases: list[np.ndarray], people: list[np.ndarray]) -> np.ndarray:
    """Return the share of every unit's cases expected after the date ``(H, N)``, growth being common to all units.

    The growth solves ``sum of A = sum of p n`` with ``p = n_A g / (n_B + n_A g)``, by Newton's method on ``ln g``.
    """
    both = cases[0] + cases[1]
    known = np.isfinite(both)
    total = np.where(known, cases[1], 0.0).sum(axis=1, keepdims=True)
    weight = np.where(known, both, 0.0)
    log_odds = np.log(people[1]) - np.log(people[0])
    growth = np.zeros_like(total)
    for _ in range(NEWTON_ROUNDS):
        share = 1.0 / (1.0 + np.exp(-(log_odds + growth)))
        gap = total - (weight * share).sum(axis=1, keepdims=True)
        growth += np.clip(gap / np.maximum((weight * share * (1 - share)).sum(axis=1, keepdims=True), 1e-12), -2, 2)
    return np.asarray(1.0 / (1.0 + np.exp(-(log_odds + growth))))
