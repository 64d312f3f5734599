"""Rows before the start: what the untreated cells of treated units show there, as a test of the comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from evaluation.data.periods import PER_YEAR
from evaluation.did.models.counterfactual import Cells, lonely_rows
from evaluation.did.models.rows import SINGLE, RowEffects, RowOptions, dummies, row_keys
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.regression import Regressors, TwoWayFit

NO_CASE = "models_did.note.no_case"
LeadFit = Callable[[Cells, Regressors], TwoWayFit]


def with_leads(effects: RowEffects, method: RowOptions, fit: LeadFit, *, ratios: bool) -> RowEffects:
    """Add the rows before the start: deviations of untreated cells from the earlier ones of their unit.

    Parameters
    ----------
    fit
        Regression of the untreated cells on given regressors, the dummies of the rows first.
    ratios
        Whether a row without a case has no estimate.

    Raises
    ------
    DesignError
        More rows are asked for than there are earlier periods.
    """
    cells, gap = effects.cells, effects.cells.panel.gap
    number = number_of_leads(cells, method.leads, type(method).__name__)
    there = cells.cohorts.sums(cells.untreated) > 0
    times = [k for k in range(-gap - number, -gap) if (there & (cells.event_time == k)).any()]
    if not times:
        return effects
    kernel = dummies(cells.event_time, times)
    cases = np.einsum("gtk,gt->k", kernel, cells.cohorts.sums(np.where(cells.untreated, cells.outcome, 0.0)))
    lonely = lonely_rows(cells, cells.untreated, kernel)
    estimate, influence = np.full(len(times), np.nan), np.zeros((len(cells.order), len(times)))
    known = np.array([number > 0 or not ratios for number in cases])
    try:
        found = fit(
            _without(cells, kernel[:, :, ~known]), Regressors(cells.covariates, cells.cohorts, kernel[:, :, known])
        )
    except EstimationError:
        if not ratios:
            raise
        known[:] = False
    else:
        estimate[known] = found.coefficients[: known.sum()]
        influence[:, known] = found.influence[:, : known.sum()]
    notes = np.where(known, np.where(lonely, SINGLE, ""), NO_CASE).tolist()

    def between(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        return np.concatenate([old[..., :1], new, old[..., 1:]], axis=-1)

    return replace(
        effects,
        keys=row_keys("dynamic", [*times, *effects.keys["event_time"].iloc[1:].tolist()]),
        estimate=between(effects.estimate, estimate),
        influence=between(effects.influence, influence),
        notes=[*effects.notes[:1], *notes, *effects.notes[1:]],
        observed=between(effects.observed, cases),
    )


def _without(cells: Cells, kernel: np.ndarray) -> Cells:
    """Return the cells less the untreated ones that `kernel` ``(G + 1, T, k)`` is about."""
    concerned = np.asarray(kernel.any(axis=2))[cells.cohorts.codes]
    return replace(cells, untreated=cells.untreated & ~concerned)


def number_of_leads(cells: Cells, leads: int | None, method: str) -> int:
    """Return how many periods before the start have a row, so that an earlier one is left to compare with.

    Parameters
    ----------
    leads
        As asked for; None for one year (three in yearly data), fewer in short series.

    Raises
    ------
    DesignError
        No earlier period would be left.
    """
    since = cells.event_time[:-1]
    there = cells.cohorts.sums(cells.untreated)[:-1] > 0
    room = -int(since[there].min()) - cells.panel.gap - 1
    if leads is None:
        year = PER_YEAR[cells.panel.study.period]
        return min(3 if year == 1 else year, room)
    if leads > room:
        start, needed = max(cells.panel.study.starts.values()), leads + 1
        raise DesignError(Problem("core.window_before", method=method, needed=needed, since=start, available=room + 1))
    return leads
