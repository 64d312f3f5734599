"""Reference sets: the assignments of the measure that could as well have happened.

Areas are exchanged within strata of their earlier level. Where treated areas touch, changes of neighbours
resemble each other, and the reference is sets of areas that touch in the same way.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from math import comb, prod
from typing import Literal

import numpy as np

SMALLEST_STRATUM = 21
GROWN, NEAREST = 600, 200  # connected sets that are grown, and those of them kept for their level


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
    """

    cohort: np.ndarray
    enumerated: bool
    kind: Literal["strata", "connected"]
    strata: int

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


def _choices(units: tuple[int, ...], sizes: list[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
    if not sizes:
        yield ()
        return
    for chosen in combinations(units, sizes[0]):
        rest = tuple(unit for unit in units if unit not in chosen)
        for more in _choices(rest, sizes[1:]):
            yield (chosen, *more)


def _enumerated(cohort: np.ndarray, groups: list[np.ndarray], sizes: list[list[int]]) -> np.ndarray:
    rows = []
    for parts in product(*(_choices(tuple(group), size) for group, size in zip(groups, sizes, strict=True))):
        row = np.full(len(cohort), -1)
        for part in parts:
            for g, chosen in enumerate(part):
                row[list(chosen)] = g
        if not np.array_equal(row, cohort):
            rows.append(row)
    return np.array(rows, dtype=int).reshape(-1, len(cohort))


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
    cohort: np.ndarray, pool: np.ndarray, contiguity: np.ndarray, level: np.ndarray, *, seed: int
) -> ReferenceSet | None:
    """Return sets grown on the map, in parts as large as those of the true set, of the most similar mean log level.

    Up to 600 different sets are grown and the 200 nearest in level kept. Where all parts are single units, or
    hardly any other set exists, None: there is nothing to imitate.
    """
    members = np.flatnonzero(cohort >= 0)
    parts = components(members, contiguity)
    if len(parts[0]) == 1:
        return None
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    touching = [frozenset(np.flatnonzero(row & pool).tolist()) for row in contiguity]
    allowed = frozenset(np.flatnonzero(pool).tolist())
    found: dict[frozenset[int], np.ndarray] = {}
    idle = 0
    while len(found) < GROWN and idle < GROWN:
        row = _grow(cohort, parts, allowed, touching, rng)
        key = frozenset() if row is None else frozenset(np.flatnonzero(row >= 0).tolist())
        idle = idle + 1 if row is None or key in found else 0
        if row is not None:
            found.setdefault(key, row)
    found.pop(frozenset(members.tolist()), None)
    rows = np.array(list(found.values()), dtype=int).reshape(-1, len(cohort))
    log_level = np.log(level)
    distance = np.abs((rows >= 0) @ log_level / len(members) - log_level[members].mean())
    kept = rows[np.argsort(distance, kind="stable")[:NEAREST]]
    return ReferenceSet(np.concatenate([cohort[None], kept]), len(found) < NEAREST, "connected", 1)


def _grow(
    cohort: np.ndarray,
    parts: list[list[int]],
    allowed: frozenset[int],
    touching: list[frozenset[int]],
    rng: random.Random,
) -> np.ndarray | None:
    """Grow one set: parts of the given sizes that do not touch each other; None where it does not fit."""
    row, free, staggered = np.full(len(cohort), -1), set(allowed), cohort.max() > 0
    for part in parts:
        if not free:
            return None
        grown = [rng.choice(sorted(free))]
        border: set[int] = set()
        while len(grown) < len(part):
            border = (border | touching[grown[-1]]) & free - set(grown)
            if not border:
                return None
            grown.append(rng.choice(sorted(border)))
        row[grown] = rng.sample(cohort[part].tolist(), len(part)) if staggered else 0
        free -= set(grown).union(*(touching[unit] for unit in grown))
    return row
