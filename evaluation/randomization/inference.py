"""The default inference of an effect: compare it with what areas and years without the measure show.

Changes are standardised with the city's history (:mod:`evaluation.randomization.history`) and compared with what other
assignments (:mod:`evaluation.randomization.assignments`) give. Statistics are linear in the changes and in the tested
effect, so that p-value, estimate and interval are matrix products on one fit, and share one weighting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evaluation.errors import DesignError, Problem
from evaluation.randomization.assignments import ReferenceSet, draw_connected, draw_within_strata, level_strata

FEW_UNITS = 20
LITTLE_HISTORY = 2  # placebo dates; with fewer, nothing can be standardised
STRATA_WITHOUT_HISTORY = 4
TYPICAL_EFFECT = np.log(1 - 0.16)  # hot-spot policing, Braga and Weisburd 2020
POWER = 0.8
MOST_GROWN = 3_000  # connected sets
LARGEST = np.log(100.0)  # log ratio shown for a drawn assignment whose units lose all their cases
MOST_CELLS = 300_000_000  # units times draws, a limit of memory


@dataclass(frozen=True, eq=False)
class UnitEffects:
    """Changes of ``N`` units at the start dates of ``G`` cohorts, ready to be compared.

    Parameters
    ----------
    cohort
        ``(N,)`` index of each unit's cohort, -1 where never treated.
    pool
        ``(N,)`` units that may be drawn: treated ones and allowed comparisons with complete data.
    residual, spread
        ``(G, N)`` changes on the log scale less the return to the usual level, and their standard deviations.
    share
        ``(G, N)`` how much of the tested effect is in the change: 1 for a treated unit at its own date, 0 where
        untreated.
    level
        ``(N,)`` mean count before the first date.
    past
        ``(H, N)`` standardised changes at earlier dates, missing without data; empty without history.
    later
        ``(G, C)`` whether a unit of the second cohort is not yet treated in the windows of the first and is
        compared with it; all False where only units never treated are compared. There may be more cohorts than
        ``G``: the last ones have nobody to be compared with and serve the others only.
    yardstick
        Whether `spread` is known without a history, from the sampling variances of a survey say.
    """

    cohort: np.ndarray
    pool: np.ndarray
    residual: np.ndarray
    spread: np.ndarray
    share: np.ndarray
    level: np.ndarray
    past: np.ndarray
    later: np.ndarray
    yardstick: bool = False

    def treated(self, cohort: np.ndarray) -> np.ndarray:
        """Return which units are treated under assignments `cohort`, with an effect that is estimated."""
        return np.asarray((cohort >= 0) & (cohort < len(self.residual)))

    def compared(self, cohort: np.ndarray, g: int) -> np.ndarray:
        """Return which units are compared with cohort `g` under assignments `cohort` ``(..., N)``."""
        return np.asarray(np.append(self.later[g], True)[cohort] & self.pool)

    @property
    def whole(self) -> np.ndarray:
        """``(H,)`` earlier dates at which all units of the pool have a change."""
        return np.asarray(np.isfinite(self.past[:, self.pool]).all(axis=1))

    @property
    def whole_past(self) -> np.ndarray:
        """``(H', N)`` standardised changes at these dates, 0 outside the pool."""
        return np.where(self.pool, self.past[self.whole], 0.0)

    @property
    def standardised(self) -> bool:
        """Whether there is a yardstick, from a history that is long enough or from elsewhere."""
        return self.yardstick or len(self.past) >= LITTLE_HISTORY


@dataclass(frozen=True, eq=False)
class Tested:
    """Estimate, p-value and interval (missing where open), with the effects that other assignments show.

    `reference` is ``(B,)`` on the scale of the estimate, the true assignment first; `noise` ``(B - 1,)`` is what the
    other assignments show once the estimated effect is taken off.
    """

    estimate: float
    p_value: float
    conf_low: float
    conf_high: float
    smallest_p: float
    detectable: float
    exaggeration: float
    reference: np.ndarray
    noise: np.ndarray

    def mapped(self, transform: Callable[[np.ndarray], np.ndarray], level: float) -> Tested:
        """Return the same test with its effects on another scale by an increasing `transform`.

        Where it has no value the estimate or the interval end is missing; references count as the largest ratio.
        """
        estimate, low, high = transform(np.array([self.estimate, self.conf_low, self.conf_high]))
        reference, noise = (
            np.where(np.isfinite(shown), shown, np.sign(values) * LARGEST)
            for values, shown in ((v, transform(v)) for v in (self.reference, self.noise))
        )
        scaled = replace(self, estimate=estimate, conf_low=low, conf_high=high, reference=reference, noise=noise)
        power = _power(noise, level)
        return replace(scaled, detectable=power["detectable"], exaggeration=power["exaggeration"])


@dataclass(frozen=True, kw_only=True)
class Randomization:
    """Randomisation inference, standardised with the history of the units.

    Parameters
    ----------
    weights
        ``precision``: changes count in their own standard deviations; its effect weights treated units by ``1 / s``.
        The most powerful one. ``equal``: every treated unit counts the same, the average effect on the treated.
    reference
        ``auto``: sets connected like the treated ones where these touch and a map is known, else within two
        strata of the level.
    draws, seed, enumerate_up_to
        Assignments are enumerated where there are no more than `enumerate_up_to`, else `draws` of them are drawn.
        Of connected sets three times as many are grown (at most 3,000), and a third is kept.
    level
        Of the interval.

    Notes
    -----
    With residual changes ``e`` and standard deviations ``s`` of the ``N`` units at the true date, ``z = e /
    s``; the statistic of ``precision`` is the mean over the assigned of ``(e - m) / s``, where ``m`` is the mean ``e``
    of the others weighted by ``1 / s**2``. (The plain difference of mean ``z`` moves with whatever all areas share, and
    more so for busy areas: among New York's precincts it rejected 13 % where ten of the busiest were picked.)
    Under a constant effect ``delta`` the statistic of every assignment is a line in ``delta``, so the interval
    has a closed form. With fewer than 20 units, assignments at earlier dates join the reference set. With fewer
    than two earlier dates the statistic is the studentised difference of mean log changes within up to four strata of
    the level, which has little power when few units are treated.

    Examples
    --------
    >>> Randomization(draws=999, seed=7).level
    0.95
    """

    weights: Literal["precision", "equal"] = "precision"
    reference: Literal["auto", "strata", "connected"] = "auto"
    draws: int = 9_999
    seed: int = 1
    enumerate_up_to: int = 10_000
    level: float = 0.95

    def __post_init__(self) -> None:
        allowed: dict[str, tuple[bool, str]] = {
            "weights": (self.weights in {"precision", "equal"}, "precision, equal"),
            "reference": (self.reference in {"auto", "strata", "connected"}, "auto, strata, connected"),
            "draws": (self.draws >= 99, ">= 99"),
            "seed": (self.seed >= 0, ">= 0"),
            "enumerate_up_to": (self.enumerate_up_to >= 0, ">= 0"),
            "level": (0.5 < self.level < 1, "0.5 < level < 1"),
        }
        problems = [
            Problem("core.option_value", method="Randomization", option=name, given=getattr(self, name), allowed=words)
            for name, (fine, words) in allowed.items()
            if not fine
        ]
        if problems:
            raise DesignError(*problems)

    def assign(self, effects: UnitEffects, contiguity: np.ndarray | None) -> ReferenceSet:
        """Return the assignments that the true one is compared with.

        Parameters
        ----------
        contiguity
            ``(N, N)`` whether units touch, None without a map.

        Raises
        ------
        DesignError
            So many units that the assignments would not fit into memory.
        """
        if effects.pool.size * self.draws > MOST_CELLS:
            raise DesignError(Problem("core.too_many_units", units=effects.pool.size, draws=self.draws))
        if self.reference != "strata" and contiguity is not None and effects.standardised:
            connected = draw_connected(
                effects.cohort,
                effects.pool,
                contiguity,
                effects.level,
                grow=min(3 * self.draws, MOST_GROWN),
                seed=self.seed,
            )
            if connected is not None and (self.reference == "connected" or connected.smallest_p <= 1 - self.level):
                return connected
        wanted = 2 if effects.standardised else STRATA_WITHOUT_HISTORY
        strata = level_strata(effects.level, effects.pool, wanted)
        drawn = draw_within_strata(
            effects.cohort, strata, draws=self.draws, enumerate_up_to=self.enumerate_up_to, seed=self.seed
        )
        return replace(drawn, not_connected=self.reference == "connected")

    def test(self, effects: UnitEffects, reference: ReferenceSet) -> Tested:
        """Compare the true assignment with those of `reference`."""
        if not effects.standardised:
            return _studentised(effects, reference, self.level)
        z = effects.residual / effects.spread
        x = effects.share / effects.spread
        values, slopes = self._functional(effects, reference.cohort, np.stack([z, x], axis=-1)).T
        values = np.concatenate([values, self._earlier(effects, reference.cohort)])
        slopes = np.concatenate([slopes, np.zeros(len(values) - len(slopes))])
        return invert(values, slopes, self.level)

    def _earlier(self, effects: UnitEffects, cohort: np.ndarray) -> np.ndarray:
        """Return the statistics ``(H * B,)`` of the assignments at the earlier dates; none with enough units."""
        if effects.pool.sum() >= FEW_UNITS:
            return np.empty(0)
        columns = np.repeat(effects.whole_past.T[None], len(effects.residual), axis=0)  # one for every earlier date
        return self._functional(effects, cohort, columns).T.ravel()

    def values(self, effects: UnitEffects, cohort: np.ndarray) -> np.ndarray:
        """Return the statistics of the reference set: of `cohort` ``(B, N)``, with few units also at earlier dates."""
        return np.concatenate([self.statistic(effects, cohort), self._earlier(effects, cohort)])

    def statistic(self, effects: UnitEffects, cohort: np.ndarray) -> np.ndarray:
        """Return the statistic ``(B,)`` of the assignments `cohort` ``(B, N)``."""
        columns = (effects.residual / effects.spread)[:, :, None]
        return self._functional(effects, cohort, columns)[:, 0]

    def _functional(self, effects: UnitEffects, cohort: np.ndarray, columns: np.ndarray) -> np.ndarray:
        chosen = _precision if self.weights == "precision" else _equal
        return chosen(effects, cohort, columns)


# --- statistics that are linear in the changes ---


def _precision(effects: UnitEffects, cohort: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Mean of the assigned units' changes less the others' mean change, in their own deviations, ``(B, c)``.

    The others' mean is weighted by ``1 / s²``. What all units share cancels, whatever their deviations.
    """
    treated = int(effects.treated(effects.cohort).sum())
    result = np.zeros((len(cohort), columns.shape[-1]))
    for g, values in enumerate(columns):
        drawn, per_deviation = cohort == g, 1.0 / effects.spread[g]
        result += (
            drawn @ values - (drawn @ per_deviation)[:, None] * others_mean(effects, cohort, g, values)
        ) / treated
    return result


def _equal(effects: UnitEffects, cohort: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Plain mean of the treated places less the precision-weighted mean of the others, ``(B, c)``.

    Treated places keep their standard deviation and receive the standardised change of the drawn units; which
    place receives which is averaged over.
    """
    treated = int(effects.treated(effects.cohort).sum())
    result = np.zeros((len(cohort), columns.shape[-1]))
    for g, values in enumerate(columns):
        spread, own, drawn = effects.spread[g], effects.cohort == g, cohort == g
        stayed, came = drawn & own, drawn & ~own
        left = spread[own].sum() - stayed @ np.where(own, spread, 0.0)
        place = left / np.maximum(came.sum(axis=1), 1)
        moved = stayed @ (spread[:, None] * values) + place[:, None] * (came @ values)
        result += (moved - own.sum() * others_mean(effects, cohort, g, values)) / treated
    return result


def others_mean(effects: UnitEffects, cohort: np.ndarray, g: int, values: np.ndarray) -> np.ndarray:
    """Return the mean change, weighted by ``1 / s²``, of the units that cohort `g` is compared with, ``(B, c)``.

    `values` ``(N, c)`` are in standard deviations, the mean is not.
    """
    outside, per_deviation = effects.compared(cohort, g), 1.0 / effects.spread[g]
    return np.asarray(outside @ (per_deviation[:, None] * values) / (outside @ per_deviation**2)[:, None])


def invert(values: np.ndarray, slopes: np.ndarray, level: float) -> Tested:
    """Turn lines ``values - delta * slopes``, the true assignment first, into estimate, p-value and interval.

    An assignment is as extreme as the true one for all ``delta`` between its two crossings with plus and minus the true
    line; all these intervals contain the estimate, so the ends of the confidence interval are order statistics
    of the crossings.
    """
    value, slope = values[0], slopes[0]
    estimate, number = value / slope, len(values)
    extreme = np.abs(values) >= abs(value) * (1 - 1e-9)
    below, above = slope - slopes, slope + slopes
    steep = (below <= 1e-9 * slope) | (above <= 1e-9 * slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.stack([(value - values) / below, (value + values) / above])
    low = np.where(steep, -np.inf, crossings.min(axis=0))
    high = np.where(steep, np.inf, crossings.max(axis=0))
    rank = int(np.floor((1 - level) * number + 1e-9))  # this many assignments may be as extreme
    ends = np.sort(low)[rank], -np.sort(-high)[rank]
    noise = (values - estimate * slopes)[1:] / slope
    return Tested(
        estimate=float(estimate),
        p_value=float(extreme.mean()),
        conf_low=float(ends[0]) if np.isfinite(ends[0]) else np.nan,
        conf_high=float(ends[1]) if np.isfinite(ends[1]) else np.nan,
        smallest_p=1.0 / number,
        **_power(noise, level),
        reference=values / slope,
        noise=noise,
    )


def _power(noise: np.ndarray, level: float) -> dict[str, float]:
    """Return the effect found with 80 % power, and how much significant estimates exaggerate a typical one.

    Both are missing where there is no other assignment.

    Parameters
    ----------
    noise
        Effects that other assignments show without the measure.
    """
    if not len(noise):
        return {"detectable": np.nan, "exaggeration": np.nan}
    critical = float(np.quantile(np.abs(noise), level))
    detectable = critical + float(np.quantile(noise, POWER))
    shown = noise + TYPICAL_EFFECT
    significant = shown[np.abs(shown) >= critical]
    exaggeration = float(np.abs(significant).mean() / -TYPICAL_EFFECT) if len(significant) else np.nan
    return {"detectable": detectable, "exaggeration": exaggeration}


def _studentised(effects: UnitEffects, reference: ReferenceSet, level: float) -> Tested:
    """S4: studentised difference of mean changes, tested value by value (no history to standardise with).

    Units count with their change at the date of the cohort that they are assigned to, the others with their mean
    change over the dates of the cohorts; where units not yet treated are compared, with their change at the date of
    each cohort that they are compared with.
    """
    changes, shares = effects.residual, effects.share
    number = np.array([(effects.cohort == g).sum() for g in range(len(changes))])
    weights = (number / number.sum())[:, None]

    def moments(change: np.ndarray, moved: np.ndarray) -> np.ndarray:
        stacked = np.stack([np.ones_like(change), change, change**2, moved, change * moved, moved**2], axis=-1)
        return np.where(effects.pool[:, None], stacked, 0.0)

    assigned = np.sum([(reference.cohort == g) @ moments(changes[g], shares[g]) for g in range(len(changes))], axis=0)
    if effects.later.any():
        compared = [effects.compared(reference.cohort, g) @ moments(changes[g], shares[g]) for g in range(len(changes))]
        others = np.sum([weight * part for weight, part in zip(weights, compared, strict=True)], axis=0)
    else:
        outside = (reference.cohort < 0) & effects.pool
        others = outside @ moments((weights * changes).sum(axis=0), (weights * shares).sum(axis=0))
    sums = (assigned, others)

    def statistic(delta: float) -> tuple[np.ndarray, np.ndarray]:
        mean, variance = [], []
        for n, d, dd, m, dm, mm in (part.T for part in sums):
            centre = (d - delta * m) / n
            square = dd - 2 * delta * dm + delta**2 * mm
            mean.append(centre)
            variance.append(np.maximum(square / n - centre**2, 0.0) / np.maximum(n - 1, 1))
        return mean[0] - mean[1], np.sqrt(variance[0] + variance[1])

    def p_value(delta: float) -> float:
        difference, error = statistic(delta)
        ratio = np.abs(difference) / np.maximum(error, 1e-12)
        return float((ratio >= ratio[0] * (1 - 1e-9)).mean())

    differences, _ = statistic(0.0)
    estimate = float(differences[0])
    noise = statistic(estimate)[0][1:]
    width = 20 * float(np.std(differences)) + 1.0
    ends = [_search(p_value, estimate, estimate + sign * width, 1 - level) for sign in (-1, 1)]
    return Tested(
        estimate=estimate,
        p_value=p_value(0.0),
        conf_low=ends[0],
        conf_high=ends[1],
        smallest_p=reference.smallest_p,
        **_power(noise, level),
        reference=differences,
        noise=noise,
    )


def _search(p_value: Callable[[float], float], inside: float, outside: float, alpha: float) -> float:
    """Return where between `inside` (kept) and `outside` (rejected) rejection begins; missing if never."""
    if p_value(outside) > alpha:
        return float("nan")
    for _ in range(50):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) > alpha else (inside, middle)
    return inside
