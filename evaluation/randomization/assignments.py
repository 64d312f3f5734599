"""Reference sets: the assignments of the measure that could as well have happened.

Areas are exchanged within strata of their earlier level. Where treated areas touch, changes of neighbours
resemble each other, and the reference is sets of areas that touch in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from math import comb, prod
from typing import Literal

import numpy as np

SMALLEST_STRATUM = 21
SMALLEST_SET = 200  # connected sets are not picked for their level below this number


@dataclass(frozen=True, eq=False)
class ReferenceSet:
    """Assignments of cohorts to units; the first one is the true one.

    Parameters
    ----------
    cohort
        ``(B, N)`` cohort of each unit under each assignment, -1 for none.
    enumerated
        Whether these are all assignments of the set, the true one counted once.
    kind
        How they were made.
    strata
        Number of strata.
    not_connected
        Whether connected sets were asked for and are not to be had.
    """

    cohort: np.ndarray
    enumerated: bool
    kind: Literal["strata", "connected"]
    strata: int
    not_connected: bool = False

    @property
    def key(self) -> str:
        """The name of exactly these assignments: equal keys, equal draws."""
        return sha256(np.ascontiguousarray(self.cohort, dtype=np.int8).tobytes()).hexdigest()[:16]

    @property
    def smallest_p(self) -> float:
        """The p-value that no result can go below."""
        return 1.0 / len(self.cohort)


def level_strata(level: np.ndarray, pool: np.ndarray, wanted: int) -> np.ndarray:
    """Return ``(N,)`` strata 0, 1, ... of the units of `pool` by `level`, -1 outside; none with fewer than 21 units.

    The lower strata take the odd units: 63 units make strata of 32 and 31.
    """
    members = np.flatnonzero(pool)
    count = max(1, min(wanted, len(members) // SMALLEST_STRATUM))
    strata = np.full(len(level), -1)
    ordered = members[np.argsort(level[members], kind="stable")]
    for number, part in enumerate(np.array_split(ordered, count)):
        strata[part] = number
    return strata


def draw_within_strata(
    cohort: np.ndarray, strata: np.ndarray, *, draws: int, enumerate_up_to: int, seed: int
) -> ReferenceSet:
    """Return all assignments with the same number of units of each cohort in each stratum, or `draws` of them.

    Parameters
    ----------
    cohort
        ``(N,)`` the true assignment, -1 for none.
    strata
        ``(N,)``, -1 for units that may not be drawn.
    """
    number = int(strata.max()) + 1
    groups = [np.flatnonzero(strata == stratum) for stratum in range(number)]
    sizes = [[int((cohort[group] == g).sum()) for g in range(int(cohort.max()) + 1)] for group in groups]
    if prod(_ways(len(group), size) for group, size in zip(groups, sizes, strict=True)) <= enumerate_up_to:
        rows = _enumerated(cohort, groups, sizes)
        enumerated = True
    else:
        rows = _drawn(cohort, groups, draws, seed)
        enumerated = False
    return ReferenceSet(np.concatenate([cohort[None], rows]), enumerated, "strata", number)


def _ways(units: int, sizes: list[int]) -> int:
    """Number of ways to choose disjoint sets of these sizes."""
    left, ways = units, 1
    for size in sizes:
        ways, left = ways * comb(left, size), left - size
    return ways


def _labels(units: int, sizes: list[int]) -> np.ndarray:
    """Return all ways ``(W, units)`` to give labels 0, 1, ... to as many units as `sizes` says, -1 to the rest."""
    rows = np.full((1, units), -1)
    for label, size in enumerate(sizes):
        if not size:
            continue
        parts = []
        for row in rows:
            free = np.flatnonzero(row < 0)
            chosen = np.array(list(combinations(free, size)), dtype=int).reshape(-1, size)
            part = np.tile(row, (len(chosen), 1))
            np.put_along_axis(part, chosen, label, axis=1)
            parts.append(part)
        rows = np.concatenate(parts)
    return rows


def _enumerated(cohort: np.ndarray, groups: list[np.ndarray], sizes: list[list[int]]) -> np.ndarray:
    rows = np.full((1, len(cohort)), -1)
    for group, size in zip(groups, sizes, strict=True):
        labels = _labels(len(group), size)
        rows = np.repeat(rows, len(labels), axis=0)
        rows[:, group] = np.tile(labels, (len(rows) // len(labels), 1))
    return np.asarray(rows[(rows != cohort).any(axis=1)])


def _drawn(cohort: np.ndarray, groups: list[np.ndarray], draws: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    rows = np.full((draws, len(cohort)), -1)
    for group in groups:
        shuffled = np.argsort(rng.random((draws, len(group))), axis=1)
        rows[:, group] = cohort[group][shuffled]
    return rows


# --- treated areas that touch ---


def components(members: np.ndarray, contiguity: np.ndarray) -> list[list[int]]:
    """Return the connected parts of a set of units, the largest first."""
    left, parts = set(map(int, members)), []
    while left:
        part, front = set(), {min(left)}
        while front:
            part |= front
            front = {other for unit in front for other in np.flatnonzero(contiguity[unit]).tolist()} & left - part
        parts.append(sorted(part))
        left -= part
    return sorted(parts, key=lambda part: (-len(part), part))


def draw_connected(
    cohort: np.ndarray, pool: np.ndarray, contiguity: np.ndarray, level: np.ndarray, *, grow: int, seed: int
) -> ReferenceSet | None:
    """Return sets grown on the map, in parts as large as those of the true set, of the most similar mean log level.

    `grow` sets are grown, and of the different ones among them the third nearest in level is kept, at least 200.
    Where all parts are single units there is nothing to imitate: None.
    """
    members = np.flatnonzero(cohort >= 0)
    parts = components(members, contiguity)
    if len(parts[0]) == 1:
        return None
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    rows = _grown(cohort, parts, np.tile(pool, (grow, 1)), contiguity, rng)
    _, first = np.unique(rows >= 0, axis=0, return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[((rows >= 0) != (cohort >= 0)).any(axis=1)]
    log_level = np.log(level)
    distance = np.abs((rows >= 0) @ log_level / len(members) - log_level[members].mean())
    kept = rows[np.argsort(distance, kind="stable")[: max(SMALLEST_SET, len(rows) // 3)]]
    return ReferenceSet(np.concatenate([cohort[None], kept]), False, "connected", 1)


def _grown(
    cohort: np.ndarray, parts: list[list[int]], free: np.ndarray, contiguity: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return sets ``(B, N)`` of parts that do not touch each other, grown all at once, without those that got stuck.

    A part begins at a unit of `free` ``(B, N)`` drawn at random and takes, one by one, a random free unit that
    touches it.
    """
    touching, sets = contiguity.astype(np.float32), np.arange(len(free))
    whole, rows = np.ones(len(free), dtype=bool), np.full(free.shape, -1)
    for part in parts:
        own = np.zeros_like(free)
        labels = rng.permuted(np.tile(cohort[part], (len(free), 1)), axis=1)
        for step in range(len(part)):
            border = free & (own.astype(np.float32) @ touching > 0) if step else free
            taken = np.where(border, rng.random(border.shape, dtype=np.float32), -1.0).argmax(axis=1)
            whole &= border[sets, taken]
            own[sets, taken], free[sets, taken] = True, False
            rows[sets, taken] = labels[:, step]
        free &= ~(own.astype(np.float32) @ touching > 0)
    return rows[whole]
