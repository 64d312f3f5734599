"""Sums by group under the weights of every replicate, without holding people times replicates in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from evaluation.errors import EstimationError, Problem
from evaluation.sample import Adjustment, Plan, Replicates, Rule
from evaluation.survey.weight_variance import needed

CELLS = 2**20  # people times replicates that are worked on at once


def sums_by_replicate(
    plan: Plan,
    groups: np.ndarray,
    size: int,
    columns: Sequence[np.ndarray],
    *,
    people: np.ndarray | slice = slice(None),
    depth: int | None = None,
) -> np.ndarray:
    """Return weighted sums ``(R, c, size)`` of `columns` by group in every replicate.

    Parameters
    ----------
    plan
        With replicates.
    groups
        ``(p,)`` codes 0, 1, ... of the people.
    size
        Number of groups.
    columns
        ``c`` times ``(p,)``.
    people
        ``(p,)`` which people; all of them by default.
    depth
        Only so many adjustments of the weights are made; all by default.
    """
    replicates = needed(plan)
    adjustments = plan.adjustments[:depth]
    weights = _fixed_weights(plan, adjustments)[people]
    moving = [
        (adjustment.rule, parameters, adjustment.cells[people], _others(adjustment, people))
        for adjustment, parameters in zip(adjustments, replicates.parameters, strict=False)
        if adjustment.rule is not None and adjustment.cells is not None and parameters is not None
    ]
    rows, weighted = replicates.rows[people], [weights * column for column in columns]
    if not moving:
        return _at_rows(replicates.factors, rows, groups, size, weighted)
    return _person_by_person(replicates.factors, rows, groups, size, weighted, moving)


def _others(adjustment: Adjustment, people: np.ndarray | slice) -> np.ndarray | None:
    """Return who took no part in an adjustment and keeps the weight from before; None where everybody did."""
    return None if adjustment.among is None else ~adjustment.among[people]


def _fixed_weights(plan: Plan, adjustments: Sequence[Adjustment]) -> np.ndarray:
    """Return ``(n,)`` the sampling weights times the factors that are the same in every replicate."""
    weights = plan.adjustments[0].before if plan.adjustments else plan.weights
    for adjustment in adjustments:
        if adjustment.rule is None:
            known = adjustment.before > 0
            weights = weights * np.divide(adjustment.after, adjustment.before, out=np.ones(len(known)), where=known)
    return weights


def _at_rows(
    factors: np.ndarray, rows: np.ndarray, groups: np.ndarray, size: int, weighted: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the sums where a replicate's weight depends on the row alone: people are summed to rows first."""
    count, draws = factors.shape
    sums = np.empty((draws, len(weighted), size))
    if count * size <= 4 * max(len(rows), CELLS):
        cells = rows * size + groups
        totals = [np.bincount(cells, column, minlength=count * size).reshape(count, size) for column in weighted]
        table = np.concatenate(totals, axis=1)
        sums[:] = _product(factors, table).reshape(draws, len(weighted), size)
        return sums
    from scipy.sparse import csr_array

    for position, column in enumerate(weighted):
        table = csr_array((column, (groups, rows)), shape=(size, count))
        for block in _blocks(draws, count):
            sums[block, position] = (table @ factors[:, block].astype(float)).T
    return sums


def _product(factors: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return ``factors' table``; narrow factors are widened some rows at a time."""
    if factors.dtype == np.float64:
        return np.asarray(factors.T @ table)
    total = np.zeros((factors.shape[1], table.shape[1]))
    for rows in _blocks(len(factors), factors.shape[1]):
        total += factors[rows].astype(float).T @ table[rows]
    return total


def _blocks(length: int, width: int) -> Iterator[slice]:
    step = max(1, 4 * CELLS // max(width, 1))
    yield from (slice(start, start + step) for start in range(0, length, step))


def _person_by_person(
    factors: np.ndarray,
    rows: np.ndarray,
    groups: np.ndarray,
    size: int,
    weighted: Sequence[np.ndarray],
    moving: Sequence[tuple[Rule, np.ndarray, np.ndarray, np.ndarray | None]],
) -> np.ndarray:
    """Return the sums where weights were fitted in every replicate anew: by rules, parameters, cells, and for whom."""
    draws = factors.shape[1]
    sums = np.zeros((len(weighted), size, draws))
    order = np.argsort(groups, kind="stable")
    table = np.ascontiguousarray(factors)
    step = max(64, CELLS // draws)
    for start in range(0, len(order), step):
        chosen = order[start : start + step]
        product = table[rows[chosen]].astype(float)
        for rule, parameters, cells, others in moving:
            factor = rule.factors(parameters, cells[chosen])
            product *= factor if others is None else np.where(others[chosen][:, None], 1.0, factor)
        here = groups[chosen]
        begins = np.flatnonzero(np.concatenate([[True], here[1:] != here[:-1]]))
        for position, column in enumerate(weighted):
            sums[position, here[begins]] += np.add.reduceat(product * column[chosen][:, None], begins, axis=0)
    return sums.transpose(2, 0, 1)


def fitted_replicates(plan: Plan) -> tuple[Replicates, dict[int, int]]:
    """Return the replicates with the parameters of every adjustment, and in how many of them a cell is empty.

    Adjustments whose parameters are known are not worked out again; the dictionary has the positions of the others.

    Raises
    ------
    EstimationError
        Weights cannot be fitted in a replicate.
    """
    replicates, empty = needed(plan), {}
    for depth in range(len(replicates.parameters), len(plan.adjustments)):
        adjustment = plan.adjustments[depth]
        parameters = None
        if adjustment.rule is not None and adjustment.cells is not None:
            parameters, empty[depth] = _solved(replace(plan, replicates=replicates), adjustment, depth)
        replicates = replace(replicates, parameters=(*replicates.parameters, parameters))
    return replicates, empty


def _solved(plan: Plan, adjustment: Adjustment, depth: int) -> tuple[np.ndarray, int]:
    """Return the parameters ``(R, p)`` of an adjustment, and the number of replicates with an empty cell."""
    replicates, rule, cells = needed(plan), adjustment.rule, adjustment.cells
    if rule is None or cells is None:  # the caller has looked
        raise TypeError("factors of this adjustment are fixed")
    people = np.flatnonzero(np.ones(len(plan.unit)) if adjustment.among is None else adjustment.among)
    ones = np.ones(len(people))
    kept = ones if adjustment.kept is None else adjustment.kept[people].astype(float)
    occupied = np.bincount(cells[people], kept, minlength=adjustment.size) > 0
    found, empty = [], 0
    for block in _blocks(len(replicates.scale), adjustment.size):
        part = replace(plan, replicates=_some(replicates, block))
        sums = sums_by_replicate(part, cells[people], adjustment.size, [ones, kept], people=people, depth=depth)
        empty += int((sums[:, 1, occupied] <= 0).any(axis=1).sum())
        try:
            found.append(rule.solve(sums[:, 0], sums[:, 1]))
        except EstimationError as error:
            raise EstimationError(Problem("survey_weights.in_replicate"), *error.problems) from error
    return np.concatenate(found), empty


def _some(replicates: Replicates, block: slice) -> Replicates:
    parameters = tuple(None if values is None else values[block] for values in replicates.parameters)
    return replace(
        replicates, factors=replicates.factors[:, block], scale=replicates.scale[block], parameters=parameters
    )
