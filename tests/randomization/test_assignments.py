"""Reference sets: complete where enumerated, faithful to strata, cohorts and connection."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from evaluation.randomization.assignments import (
    components,
    draw_connected,
    draw_within_strata,
    level_strata,
)
from tests.simulation.panels import grid_contiguity


def cohort_of(units, *members):
    cohort = np.full(units, -1)
    for number, chosen in enumerate(members):
        cohort[list(chosen)] = number
    return cohort


def test_strata_split_by_level_and_are_never_small():
    level = np.arange(63.0)
    strata = level_strata(level, np.ones(63, dtype=bool), 2)
    assert Counter(strata.tolist()) == {0: 32, 1: 31}
    assert strata[:32].tolist() == [0] * 32
    assert level_strata(level[:41], np.ones(41, dtype=bool), 2).max() == 0
    pool = np.ones(63, dtype=bool)
    pool[10] = False
    assert level_strata(level, pool, 2)[10] == -1


def test_all_pairs_are_enumerated_once():
    cohort = cohort_of(6, (0, 3))
    reference = draw_within_strata(cohort, np.zeros(6, dtype=int), draws=99, enumerate_up_to=10_000, seed=1)
    sets = [tuple(np.flatnonzero(row >= 0)) for row in reference.cohort]
    assert reference.enumerated
    assert sets[0] == (0, 3)
    assert sorted(sets) == sorted(combinations(range(6), 2))
    assert reference.smallest_p == pytest.approx(1 / 15)


def test_two_cohorts_are_enumerated_with_their_sizes():
    cohort = cohort_of(5, (0,), (1, 2))
    reference = draw_within_strata(cohort, np.zeros(5, dtype=int), draws=99, enumerate_up_to=10_000, seed=1)
    assert len(reference.cohort) == 5 * 6
    assert len({tuple(row) for row in reference.cohort.tolist()}) == 30
    assert all(Counter(row.tolist()) == {-1: 2, 0: 1, 1: 2} for row in reference.cohort)


def test_draws_keep_strata_and_cohorts():
    cohort = cohort_of(63, (0, 1, 40), (2, 41, 42, 50))
    strata = (np.arange(63) >= 32).astype(int)
    reference = draw_within_strata(cohort, strata, draws=500, enumerate_up_to=10_000, seed=3)
    assert not reference.enumerated
    assert len(reference.cohort) == 501
    for stratum in (0, 1):
        for g in (0, 1):
            true = (cohort[strata == stratum] == g).sum()
            assert ((reference.cohort[:, strata == stratum] == g).sum(axis=1) == true).all()


def test_draws_are_uniform_within_a_stratum():
    cohort = cohort_of(30, (0, 1, 2, 3, 4, 5, 6, 7))
    reference = draw_within_strata(cohort, np.zeros(30, dtype=int), draws=20_000, enumerate_up_to=10, seed=3)
    share = (reference.cohort[1:] >= 0).mean(axis=0)
    np.testing.assert_allclose(share, 8 / 30, atol=0.02)


def test_the_same_seed_gives_the_same_draws():
    cohort = cohort_of(63, tuple(range(9)))
    one, two = (
        draw_within_strata(cohort, np.zeros(63, dtype=int), draws=99, enumerate_up_to=10, seed=8) for _ in range(2)
    )
    np.testing.assert_array_equal(one.cohort, two.cohort)


def test_connected_parts_of_a_set():
    contiguity = grid_contiguity(3, 3)
    assert components(np.array([0, 1, 8]), contiguity) == [[0, 1], [8]]


def test_connected_sets_are_connected_and_similar_in_level():
    contiguity = grid_contiguity(7, 9)
    level = np.exp(np.linspace(0, 4, 63))
    cohort = cohort_of(63, (60, 61, 62))
    reference = draw_connected(cohort, np.ones(63, dtype=bool), contiguity, level, grow=3000, seed=2)
    assert reference is not None
    assert reference.kind == "connected"
    assert len(reference.cohort) == 1 + (801 - 1) // 3  # there are 801 connected triples on this grid
    members = [np.flatnonzero(row >= 0) for row in reference.cohort]
    assert all(len(components(chosen, contiguity)) == 1 and len(chosen) == 3 for chosen in members)
    assert np.mean([np.log(level[chosen]).mean() for chosen in members]) > np.log(level).mean()


def test_connected_sets_respect_the_pool_and_the_sizes_of_parts():
    contiguity = grid_contiguity(7, 9)
    pool = np.ones(63, dtype=bool)
    pool[:9] = False
    cohort = cohort_of(63, (20, 21, 50))
    reference = draw_connected(cohort, pool, contiguity, np.ones(63), grow=3000, seed=2)
    assert reference is not None
    for row in reference.cohort[1:]:
        chosen = np.flatnonzero(row >= 0)
        assert pool[chosen].all()
        assert [len(part) for part in components(chosen, contiguity)] == [2, 1]


def test_units_that_do_not_touch_need_no_connected_sets():
    cohort = cohort_of(63, (0, 30, 62))
    assert draw_connected(cohort, np.ones(63, dtype=bool), grid_contiguity(7, 9), np.ones(63), grow=300, seed=1) is None


def test_all_adjacent_pairs_are_found():
    contiguity = grid_contiguity(4, 4)
    cohort = cohort_of(16, (0, 1))
    reference = draw_connected(cohort, np.ones(16, dtype=bool), contiguity, np.ones(16), grow=3000, seed=1)
    assert reference is not None
    assert not reference.enumerated  # sets grown at random may miss some
    assert len(reference.cohort) == contiguity.sum() / 2
