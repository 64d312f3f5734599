"""How far a unit is from its synthetic comparison around a date: weights of donors and of periods, gaps, change.

The weights are fitted anew for every unit and every date, with the periods before that date only, in the same way
whether the measure began there or a placebo is taken. Nothing here knows who is treated, only who may be a donor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evaluation.did.donors.weights import simplex_weights
from evaluation.randomization.measures import ChangeMeasure
from evaluation.randomization.windows import CONTINUITY, Windows


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """``p`` targets beside their synthetic comparisons around one date; missing where data or donors are.

    Parameters
    ----------
    observed, synthetic
        ``(p, b + a)`` series of the targets and weighted means of their donors, before and after.
    before
        ``b``, the number of periods before.
    unit_weights
        ``(p, N)``.
    period_weights
        ``(p, b)`` of the periods before, with which those after are compared.
    offset
        Whether a constant distance counts as a good fit.
    """

    observed: np.ndarray
    synthetic: np.ndarray
    before: int
    unit_weights: np.ndarray
    period_weights: np.ndarray
    offset: bool

    @property
    def change(self) -> np.ndarray:
        """``(p,)`` mean gap after less weighted mean gap before."""
        gap = self.observed - self.synthetic
        return np.asarray(
            gap[:, self.before :].mean(axis=1) - (self.period_weights * gap[:, : self.before]).sum(axis=1)
        )

    @property
    def effect(self) -> np.ndarray:
        """``(p,)`` the textbook value: the mean gap after, or its change where a constant distance is allowed."""
        if self.offset:
            return self.change
        return np.asarray((self.observed - self.synthetic)[:, self.before :].mean(axis=1))

    @property
    def miss(self) -> tuple[np.ndarray, np.ndarray]:
        """Root mean squared gaps before and after, each ``(p,)``, less the constant distance where that is allowed."""
        gap = self.observed - self.synthetic
        if self.offset:
            gap = gap - gap[:, : self.before].mean(axis=1, keepdims=True)
        squares = gap**2
        return np.sqrt(squares[:, : self.before].mean(axis=1)), np.sqrt(squares[:, self.before :].mean(axis=1))

    @property
    def effective_donors(self) -> np.ndarray:
        """``(p,)`` number of equally weighted donors with the same sum of squared weights."""
        return np.asarray(1.0 / (self.unit_weights**2).sum(axis=1))


@dataclass(frozen=True, eq=False, kw_only=True)
class SyntheticGap(ChangeMeasure):
    """The change of a unit's distance from its synthetic comparison: after, less before.

    Parameters
    ----------
    donors
        ``(N,)`` units that may have a weight; a unit is never its own donor, and one without a case in the windows
        or with a gap in its data is nobody's.
    difference
        Weights as in synthetic difference-in-differences instead of synthetic control: a constant distance is
        allowed, weights of donors are drawn together, periods before the date are weighted too.
    logs
        Whether logs of rates are compared, ``log[(y + 1/2) / n]``, or rates ``y / n``.
    horizon
        Periods from the date on whose mean the weights of the periods before are fitted to; by default those of the
        after-window.

    Notes
    -----
    Synthetic control (Abadie, Diamond and Hainmueller 2010), all periods before the date counting the same and no
    other covariates: ``w`` minimises ``sum_t (y_it - sum_j w_j y_jt)^2`` on the simplex. Synthetic
    difference-in-differences (Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021): the same with a constant and the
    ridge ``zeta^2 b |w|^2``, ``zeta = (K a)^(1/4) sd`` for ``K`` treated units, ``a`` periods after and ``sd`` of the
    donors' first differences over the ``b`` periods before; and period weights ``l`` that minimise
    ``sum_j (mean of y_j after - l_0 - sum_t l_t y_jt)^2`` over the donors.

    The change of synthetic control takes the mean gap before off the mean gap after, so that a unit
    beyond the reach of its donors contributes what changed.
    """

    donors: np.ndarray
    difference: bool = False
    logs: bool = True
    horizon: int | None = None
    memo: dict[tuple[object, ...], np.ndarray] = field(default_factory=dict, repr=False)

    def values(self, outcome: np.ndarray, exposure: np.ndarray, dates: np.ndarray, windows: Windows) -> np.ndarray:
        """Return the changes ``(H, N)``."""
        changes = np.full((len(dates), len(outcome)), np.nan)
        likely: np.ndarray | None = None
        for row, date in enumerate(dates):
            found = self.compare(outcome, exposure, int(date), windows, likely=likely)
            changes[row], likely = found.change, found.unit_weights > 0
        return changes

    def compare(
        self,
        outcome: np.ndarray,
        exposure: np.ndarray,
        date: int,
        windows: Windows,
        *,
        members: np.ndarray | None = None,
        likely: np.ndarray | None = None,
    ) -> Comparison:
        """Return targets beside their synthetic comparisons.

        Parameters
        ----------
        members
            ``(p, N)`` whose mean each target is; by default every unit is one.
        likely
            ``(p, N)`` where to begin the search for donors.
        """
        series = self.series(outcome, exposure)
        first, last = date - windows.gap - windows.before, date - windows.gap
        before = series[:, first:last]
        after = series[:, date + windows.lead : date + windows.lead + windows.after]
        until = date + (windows.after if self.horizon is None else self.horizon)
        ahead = after if self.horizon is None else series[:, date : min(until, series.shape[1])]
        known = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1) & np.isfinite(ahead).all(axis=1)
        cases = np.nansum(outcome[:, first:last], axis=1) + np.nansum(outcome[:, date:until], axis=1)
        chosen = np.eye(len(series), dtype=bool) if members is None else members
        share = chosen / chosen.sum(axis=1, keepdims=True)
        usable = np.asarray(self.donors & known & (cases > 0))
        complete = np.asarray(~(chosen & ~known).any(axis=1))
        allowed = usable & ~chosen & complete[:, None]
        both = np.where(known[:, None], np.concatenate([before, after], axis=1), 0.0)
        observed = share @ both
        pool = both[:, : windows.before], np.where(known[:, None], ahead, 0.0).mean(axis=1)
        cells = chosen.sum(axis=1) * (after if self.horizon is None else ahead).shape[1]
        weights = self._unit_weights(pool[0], observed[:, : windows.before], allowed, cells, likely)
        return Comparison(
            observed=np.where(complete[:, None], observed, np.nan),
            synthetic=weights @ both,
            before=windows.before,
            unit_weights=weights,
            period_weights=self._period_weights(*pool, allowed),
            offset=self.difference,
        )

    def series(self, outcome: np.ndarray, exposure: np.ndarray) -> np.ndarray:
        """Return what is compared, ``(N, T)``."""
        if self.logs:
            return np.asarray(np.log(outcome + CONTINUITY) - np.log(exposure))
        return np.asarray(outcome / exposure)

    def _unit_weights(
        self,
        donors: np.ndarray,
        targets: np.ndarray,
        allowed: np.ndarray,
        cells: np.ndarray,
        likely: np.ndarray | None,
    ) -> np.ndarray:
        """Return ``(p, N)`` weights that bring `donors` ``(N, b)`` nearest to `targets` ``(p, b)``."""
        key = ("unit", donors.tobytes(), targets.tobytes(), allowed.tobytes(), cells.tobytes())
        if key not in self.memo:
            design, wanted, ridge = donors, targets, np.zeros(len(targets))
            if self.difference:
                design, wanted = (one - one.mean(axis=1, keepdims=True) for one in (donors, targets))
                ridge = np.sqrt(cells) * _step_variance(donors, allowed) * donors.shape[1]
            self.memo[key] = simplex_weights(design.T, wanted, allowed=allowed, ridge=ridge, start=likely)
        return self.memo[key]

    def _period_weights(self, before: np.ndarray, ahead: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """Return ``(p, b)`` weights of periods that bring `before` ``(N, b)`` nearest to `ahead` ``(N,)``."""
        length = before.shape[1]
        if not self.difference:
            return np.full((len(allowed), length), 1.0 / length)
        key = ("period", before.tobytes(), ahead.tobytes(), allowed.tobytes())
        if key not in self.memo:
            sets, which = np.unique(allowed, axis=0, return_inverse=True)
            counted = np.where(sets, 1.0, 0.0) / np.maximum(sets.sum(axis=1, keepdims=True), 1)
            design = np.where(sets[:, :, None], before - (counted @ before)[:, None, :], 0.0)
            target = np.where(sets, ahead - (counted @ ahead)[:, None], 0.0)
            anyone = np.repeat(sets.any(axis=1, keepdims=True), length, axis=1)
            one = [int(sets.sum(axis=1).argmax())]  # leaving out one donor changes little: begin with all of them
            likely = np.repeat(simplex_weights(design[one], target[one], allowed=anyone[one]) > 0, len(sets), axis=0)
            self.memo[key] = simplex_weights(design, target, allowed=anyone, start=likely)[which.ravel()]
        return self.memo[key]


def _step_variance(donors: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return the variance ``(p,)`` of the first differences of the allowed donors ``(N, b)`` over all their periods."""
    steps = np.diff(donors, axis=1)
    number = allowed.sum(axis=1) * steps.shape[1]
    mean = allowed @ steps.sum(axis=1) / np.maximum(number, 1)
    squares = allowed @ (steps**2).sum(axis=1) - number * mean**2
    return np.asarray(np.maximum(squares, 0.0) / np.maximum(number - 1, 1))
