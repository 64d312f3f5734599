"""Whether the measure reaches beyond its areas: the effect without their neighbours, and on the rings around them.

First order: areas that touch a treated one; second order: areas that touch those. Distances on real polygons, and the
net balance of displacement, are in :mod:`evaluation.place`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from evaluation.diagnostics.variants import (
    Attempt,
    attempt_variant,
    declared,
    effect_of,
    in_one,
    moment,
    plain_row,
    row_of,
    with_windows,
)
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel

NO_RING = "diagnostics.note.empty_ring"


def without_neighbours(panel: Panel, method: Estimator) -> Estimates:
    """Return the effect against all comparison areas, and against those that touch no treated area.

    Returns
    -------
    Estimates
        Rows ``comparison``: ``all``, ``without_neighbours`` and ``difference`` (the second less the first, an
        estimate alone), each with `n` comparison areas. Where the measure drives offences into the neighbouring
        areas, the first overstates its effect; where it calms them too, the first understates it.

    Raises
    ------
    DesignError
        It is not known which areas touch, or no comparison area is left.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> without_neighbours(example_panel(), TwoByTwo(before=3, after=1)).table["comparison"].tolist()
    ['all', 'without_neighbours', 'difference']
    """
    _check_neighbours(panel)
    everyone = replace(panel, study=replace(panel.study, leave_out="none"))
    apart = replace(panel, study=replace(panel.study, leave_out="neighbours"))
    first = method.estimate(everyone)
    results = (first, with_windows(method, first, panel).estimate(apart))
    estimates = [float(effect_of(result)["estimate"]) for result in results]
    number = [int(variant.comparison.sum()) for variant in (everyone, apart)]
    rows = [
        {"comparison": "all", **row_of(results[0]), "n": number[0]},
        {"comparison": "without_neighbours", **row_of(results[1]), "n": number[1]},
        {
            "comparison": "difference",
            **plain_row(estimates[1] - estimates[0], "diagnostics.note.same_data"),
            "n": number[0] - number[1],
        },
    ]
    return in_one(rows, results[panel.study.leave_out == "neighbours"], results, facts={})


def rings(panel: Panel, method: Estimator, *, order: int = 2) -> Estimates:
    """Return the effect on the treated areas (ring 0) and on each ring around them, against the areas farther away.

    Parameters
    ----------
    order
        The outermost ring; all areas beyond it are compared.

    Returns
    -------
    Estimates
        One row for each ``ring`` 0, 1, ..., `order`, with `n` areas. Facts: ``far`` (number of areas compared),
        ``members`` (areas by ring), ``detectable_by_ring`` (relative decrease found with 80 % power; missing where the
        estimator does not say).

    Raises
    ------
    DesignError
        It is not known which areas touch, or nothing lies beyond the outermost ring.
    EstimationError
        No ring has an estimate.

    Notes
    -----
    An area belongs to the ring of the treated area nearest to it, in steps from area to area, and its spillover
    starts with the earliest of those at that distance. Every ring is estimated as if it were treated, the other
    rings set aside: the two-way model ``y = a_i + g_t + t D + sum_j d_j (1 - D) Ring_j + e`` with the far areas as
    the comparison, ring by ring, so that any estimator serves. It assumes that spillover ends beyond `order`.
    Excluded areas stay out.

    References
    ----------
    Clarke (2017), Estimating difference-in-differences in the presence of spillovers; Butts (2021),
    Difference-in-differences estimation with spatial spillovers.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import simulate_panel
    >>> panel = simulate_panel(1, shape=(63, 14), start=9, frequency="year", treated=["01", "02"])
    >>> rings(panel, TwoByTwo(before=3, after=1)).table[["ring", "n"]].to_numpy().tolist()
    [[0, 2], [1, 4], [2, 6]]
    """
    if order < 1:
        raise DesignError(Problem("core.option_value", method="rings", option="order", given=order, allowed=">= 1"))
    _check_neighbours(panel)
    distance, starts = _distances(panel)
    far = (distance > order) & ~panel.excluded
    if not far.any():
        raise DesignError(Problem("diagnostics.no_far_ring", order=order))
    full = method.estimate(panel)
    fixed = with_windows(method, full, panel)
    members = {ring: _members(panel, distance == ring) for ring in range(order + 1)}
    tried = {ring: _ring(panel, fixed, units, members, starts) for ring, units in members.items() if units}
    rows = [
        {
            "ring": ring,
            **(row_of(tried[ring]) if ring in tried else plain_row(np.nan, NO_RING)),
            "n": len(units),
        }
        for ring, units in members.items()
    ]
    facts = {
        "far": int(far.sum()),
        "members": {ring: tuple(units) for ring, units in members.items()},
        "detectable_by_ring": {ring: _detectable(tried.get(ring)) for ring in members},
    }
    return in_one(rows, full, list(tried.values()), facts=facts)


def _ring(
    panel: Panel, method: Estimator, own: list[str], members: Mapping[int, list[str]], starts: Mapping[str, str]
) -> Attempt:
    """Return the effect on one ring, the other rings set aside."""
    others = {unit for units in members.values() for unit in units} - set(own)
    excluded = tuple(sorted({*panel.study.excluded, *others}))
    study = declared(
        panel, {unit: starts[unit] for unit in own}, excluded=excluded, leave_out="none", comparison="never_treated"
    )
    return attempt_variant(method, panel, **study)


def _detectable(result: Attempt | None) -> float:
    return float(result.facts.get("detectable", np.nan)) if isinstance(result, Estimates) else np.nan


def _members(panel: Panel, chosen: np.ndarray) -> list[str]:
    taken = chosen & (panel.treated | ~panel.excluded)
    return [unit for unit, own in zip(panel.units, taken, strict=True) if own]


def _distances(panel: Panel) -> tuple[np.ndarray, dict[str, str]]:
    """Return ``(N,)`` steps to the nearest treated unit (infinite where none leads there) and starts by unit."""
    contiguity, number = panel.contiguity, len(panel.units)
    assert contiguity is not None  # noqa: S101 - checked before
    touching = contiguity | contiguity.T
    since = panel.study.starts
    distance = np.where(panel.treated, 0.0, np.inf)
    starts = dict(since)
    for step in range(1, number):
        border = np.flatnonzero(np.isinf(distance) & touching[:, distance == step - 1].any(axis=1))
        if not len(border):
            break
        for unit in border:
            inner = [panel.units[other] for other in np.flatnonzero(touching[unit] & (distance == step - 1))]
            starts[panel.units[unit]] = min((starts[name] for name in inner), key=partial(moment, panel))
        distance[border] = step
    return distance, starts


def _check_neighbours(panel: Panel) -> None:
    if panel.neighbours is None:
        raise DesignError(Problem("diagnostics.no_neighbours", study=panel.study.id))
