"""Where measures go: rules by which the treated areas of a placebo experiment are picked."""

from __future__ import annotations

import numpy as np

from tests.simulation.panels import CountPanel

RULES = ("random", "highest", "risers", "neighbours")
OTHERS_RULES = ("random", "highest", "risers")  # for estimators besides the default one
LONG_MEMORY = "risers, long memory"  # a known weak spot: picked by all the months there are before the last year


def pick(rule: str, panel: CountPanel, date: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return the indices of `k` areas.

    ``highest``: drawn from the 3k with the most cases in the last year before; ``risers``: from the 3k strongest log
    rises of the last year against the three years before it (in 36 months: against the half-year before it,
    which is what a history of that length can learn from); ``neighbours``: connected areas.
    """
    units = len(panel.counts)
    if rule == "random":
        return rng.choice(units, k, replace=False)
    if rule == "neighbours":
        return _connected(panel.contiguity, k, rng)
    year = 1 if panel.frequency == "year" else 12
    last = panel.counts[:, date - year : date].mean(axis=1)
    if rule == "highest":
        score = last
    else:
        memory = 3 * year if rule == LONG_MEMORY or date > 4 * year or year == 1 else year // 2
        earlier = panel.counts[:, max(0, date - year - memory) : date - year].mean(axis=1)
        score = np.log(last + 0.5) - np.log(earlier + 0.5)
    candidates = np.argsort(-score, kind="stable")[: min(3 * k, units)]
    return rng.choice(candidates, k, replace=False)


def _connected(contiguity: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    while True:
        grown = [int(rng.integers(len(contiguity)))]
        while len(grown) < k:
            border = contiguity[grown].any(axis=0)
            border[grown] = False
            if not border.any():
                break
            grown.append(int(rng.choice(np.flatnonzero(border))))
        if len(grown) == k:
            return np.array(grown)
