"""Multiplier bootstrap: intervals that hold for all estimates of a result together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.did.inference.asymptotic import Asymptotic, Linear, clustered
from evaluation.estimates import Estimates, Note
from evaluation.influence import critical_value, two_sided_p
from evaluation.influence.multipliers import MULTIPLIERS, Multiplier, multiplier_draws


@dataclass(frozen=True, kw_only=True)
class MultiplierBootstrap(Asymptotic):
    """Intervals and p-values from influences multiplied by random numbers; by default for all estimates together.

    Parameters
    ----------
    level
        Probability that the intervals of all estimates cover (`simultaneous`), or that each does.
    draws, seed
        Number of draws, and the seed of the multipliers.
    simultaneous
        Whether intervals are a band: the whole path of an event study lies in it with probability `level`. P-values
        are then adjusted for the number of estimates, so that a p-value below ``1 - level`` and an interval without
        zero say the same.
    multiplier
        ``rademacher`` (signs), ``mammen`` (two points with third moment one) or ``normal``.

    Notes
    -----
    With standard errors ``s_j`` from the sum of squared influences (not from the draws), a draw is ``t*_j = sum_i w_i
    psi_ij / s_j``. The critical value is the ``(1 - level)(draws + 1)``-th largest ``max_j |t*_j|`` and the p-value of
    row ``j`` is ``(1 + #{max |t*| >= |t_j|}) / (draws + 1)``. Neither goes below the pointwise value of the normal
    (with ``df`` degrees of freedom, Student's) distribution: with few treated units two-point multipliers would
    otherwise promise intervals that are shorter still. Every number of draws and units takes the same memory.

    References
    ----------
    Callaway and Sant'Anna (2021), Difference-in-differences with multiple time periods, section 4; Montiel Olea and
    Plagborg-Møller (2019), Simultaneous confidence bands.

    Examples
    --------
    >>> MultiplierBootstrap(draws=999, seed=7).described()["multiplier"]
    'rademacher'
    """

    draws: int = 999
    seed: int = 1
    simultaneous: bool = True
    multiplier: Multiplier = "rademacher"

    def _options(self) -> dict[str, tuple[bool, str]]:
        return {
            "draws": draws_allowed(self.draws, self.level),
            "multiplier": (self.multiplier in MULTIPLIERS, ", ".join(MULTIPLIERS)),
        }

    def _concluded(self, given: Linear) -> Estimates:
        result, _ = clustered(given, self, None)
        table = result.table.copy()
        known = (table["std_error"].notna() & table["p_value"].notna()).to_numpy()
        smallest = 1.0 / (self.draws + 1)
        facts = {**result.facts, "smallest_p": smallest, "smallest": smallest}
        if not known.any() or result.influence is None:
            return replace(result, facts=facts)
        std_error, df = table["std_error"].to_numpy(dtype=float)[known], result.influence.df
        values = result.influence.values if known.all() else result.influence.values[:, known]
        absolute = self._absolute_draws(values, std_error, df)
        kept = int(np.floor((1 - self.level) * (self.draws + 1) + 1e-9))
        critical = np.maximum(np.sort(absolute, axis=0)[-kept], critical_value(self.level, df))
        statistic = np.abs(table["statistic"].to_numpy(dtype=float)[known])
        reached = (absolute >= statistic * (1 - 1e-9)).sum(axis=0)
        p_value = np.maximum((1 + reached) / (self.draws + 1), two_sided_p(statistic, df))
        table.loc[known, "p_value"] = p_value
        table.loc[known, "conf_low"] = table["estimate"][known] - critical * std_error
        table.loc[known, "conf_high"] = table["estimate"][known] + critical * std_error
        together = self.simultaneous and known.sum() > 1
        band = Note("inference.note.band", {"n": int(known.sum()), "level": self.level})
        return replace(
            result,
            table=table,
            notes=(*result.notes, band) if together else result.notes,
            facts={**facts, **({"critical_value": float(critical[0])} if self.simultaneous else {})},
        )

    def _absolute_draws(self, values: np.ndarray, std_error: np.ndarray, df: float) -> np.ndarray:
        """Return ``(draws, 1)`` largest or ``(draws, k)`` absolute studentised draws."""
        blocks = multiplier_draws(
            values, std_error, draws=self.draws, seed=self.seed, multiplier=self.multiplier, df=df
        )
        if self.simultaneous:
            return np.concatenate([np.abs(block).max(axis=1, keepdims=True) for block in blocks])
        return np.concatenate([np.abs(block) for block in blocks])


def draws_allowed(draws: int, level: float) -> tuple[bool, str]:
    """Return whether so many draws can reach `level`, and what is allowed."""
    fewest = max(99, int(np.ceil(1 / (1 - level) - 1e-9)) - 1) if level < 1 else 99
    return draws >= fewest, f">= {fewest}"
