"""What a two-way fixed effects coefficient is made of: its comparisons of two groups, and its weights on effects.

With several start dates the coefficient also compares areas that get the measure with others that have it already.
These comparisons are forbidden: where the effect grows or fades, they take its change for a trend.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.did.fixed_effects import TwoWayFixedEffects
from evaluation.did.models.counterfactual import Cells, analysed, find_cells
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Counts, Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.regression import two_way

KINDS = ("never_treated", "not_yet_treated", "already_treated")
PART = "sensitivity.note.part"
VANISHING = 1e-12


def comparisons(panel: Panel, method: TwoWayFixedEffects | None = None) -> Estimates:
    """Return the comparisons of two groups that a two-way fixed effects coefficient averages, with their weights.

    Parameters
    ----------
    method
        The regression: least squares without covariates and season (by default of logs, over all periods). Its
        inference does not matter.

    Returns
    -------
    Estimates
        One row for each pair of groups in which one gets the measure: ``kind`` (compared with units ``never_treated``,
        ``not_yet_treated`` or ``already_treated``, which is forbidden), ``cohort``, ``compared`` (start of the other
        group; empty if never treated), ``weight``, and the difference-in-differences of means of the two. Weights
        are above zero and sum to one; the weighted mean is ``facts["coefficient"]``. ``facts["forbidden"]`` is the
        weight on forbidden comparisons, ``facts["weight_<kind>"]`` and ``facts["mean_<kind>"]`` are weight and mean
        estimate by kind (missing without any).

    Raises
    ------
    DesignError
        The regression is not one that can be decomposed.
    EstimationError
        Too little is left where data are complete.

    Notes
    -----
    With shares ``n`` of units and shares ``d`` of periods with the measure, ``k`` before ``l``, ``U`` never treated,
    the weights are proportional to ``n_k n_U d_k (1 - d_k)``, ``n_k n_l (d_k - d_l) (1 - d_k)`` (``l`` not yet
    treated) and ``n_k n_l d_l (d_k - d_l)`` (``k`` already treated).

    The decomposition is of a balanced panel. Periods in which a whole group has no data (partial ones, anticipation,
    after the end of the measure) are left out, then units with a gap in the others; notes count both. The coefficient
    is the one of what is left.

    References
    ----------
    Goodman-Bacon (2021), Difference-in-differences with variation in treatment timing, Journal of Econometrics
    225(2), theorem 1.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> comparisons(example_panel()).table[["kind", "weight"]].values.tolist()
    [['never_treated', 1.0]]
    """
    chosen = _checked(method)
    balanced = _balance(find_cells(panel, chosen, positive=chosen.scale != "additive"), chosen)
    rows = pd.DataFrame(list(_pairs(balanced)))
    rows["weight"] /= rows["weight"].sum()
    rows["kind"] = pd.Categorical(rows["kind"], KINDS)
    rows = rows.sort_values(["kind", "cohort", "compared"], kind="stable", ignore_index=True).astype({"kind": "str"})
    by_kind = {kind: rows[rows["kind"] == kind] for kind in KINDS}
    facts = {
        "coefficient": float((rows["weight"] * rows["estimate"]).sum()),
        "forbidden": float(by_kind["already_treated"]["weight"].sum()),
        **{f"weight_{kind}": float(part["weight"].sum()) for kind, part in by_kind.items()},
        **{f"mean_{kind}": _mean(part) for kind, part in by_kind.items()},
    }
    notes = (Note("sensitivity.note.forbidden", {"share": facts["forbidden"]}),) if len(rows) > 1 else ()
    return Estimates(
        table=_with_empty(rows),
        scale=_scale(panel, chosen),
        declaration=panel.study,
        method=chosen,
        counts=balanced.counts,
        notes=(*notes, *balanced.notes),
        facts=facts,
    )


def effect_weights(panel: Panel, method: TwoWayFixedEffects | None = None) -> Estimates:
    """Return the weight with which the effect in every cohort and period enters a two-way fixed effects coefficient.

    Parameters
    ----------
    method
        As for :func:`comparisons`; unbalanced panels are taken as they are.

    Returns
    -------
    Estimates
        One row for each ``cohort`` and ``period`` with the measure; the estimate is the weight. They sum to one, and
        some may be below zero. ``facts["negative"]`` is the sum of those, ``facts["coefficient"]`` the coefficient and
        ``facts["reversal"]`` the smallest standard deviation of effects over cells at which the mean effect could be
        zero with this coefficient (missing where all weights are alike, so that it could not).

    Raises
    ------
    DesignError, EstimationError
        As for :func:`comparisons`.

    Notes
    -----
    The measure less unit and period effects in a cell, over its sum over the cells with the measure. With ``w`` the
    weights over the shares of units, ``reversal = |coefficient| / sd(w)``.

    References
    ----------
    De Chaisemartin and D'Haultfoeuille (2020), Two-way fixed effects estimators with heterogeneous treatment effects,
    American Economic Review 110(9), theorem 1 and corollary 1.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = effect_weights(example_panel())
    >>> float(result.table["estimate"].sum().round(6)), result.facts["negative"]
    (1.0, 0.0)
    """
    chosen = _checked(method)
    cells = find_cells(panel, chosen, positive=chosen.scale != "additive")
    used = cells.untreated | cells.treated
    outcome = np.where(used, analysed(cells, additive=chosen.scale == "additive"), np.nan)
    coefficient = float(two_way(outcome, cells.treated[None].astype(float), family="gaussian").coefficients[0])
    active = np.where(used, cells.treated.astype(float), np.nan)
    left = np.where(cells.treated, active - two_way(active, np.empty((0, *used.shape)), family="gaussian").fitted, 0.0)
    sizes = cells.cohorts.sums(cells.treated)[:-1]
    weights = cells.cohorts.sums(left)[:-1] / left.sum()
    cohort, period = np.nonzero(sizes)
    labels, weight = np.array(panel.periods, dtype=object), weights[cohort, period]
    share = sizes[cohort, period] / sizes.sum()
    spread = float(np.sqrt((share * (weight / share - 1) ** 2).sum()))
    rows = pd.DataFrame({"cohort": labels[cells.starts[cohort]], "period": labels[period], "estimate": weight})
    below = weight < -VANISHING
    facts = {
        "coefficient": coefficient,
        "negative": float(weight[below].sum()),
        "reversal": abs(coefficient) / spread if spread > VANISHING else float("nan"),
    }
    said = Note("sensitivity.note.negative", {"n": int(below.sum()), "cells": len(rows), "share": facts["negative"]})
    return Estimates(
        table=_with_empty(rows),
        scale=Scale("identity", "share"),
        declaration=panel.study,
        method=chosen,
        counts=cells.counts,
        notes=(said, *cells.notes),
        facts=facts,
    )


def _checked(method: TwoWayFixedEffects | None) -> TwoWayFixedEffects:
    chosen = method or TwoWayFixedEffects()
    wanted = {"aggregation": "simple", "family": "gaussian", "season": False, "covariates": ()}
    wrong = [
        Problem("core.option_value", method="comparisons", option=name, given=getattr(chosen, name), allowed=value)
        for name, value in wanted.items()
        if getattr(chosen, name) != value
    ]
    if wrong:
        raise DesignError(*wrong)
    return chosen


def _scale(panel: Panel, method: TwoWayFixedEffects) -> Scale:
    if method.scale != "additive":
        return Scale("log", "ratio")
    return Scale("identity", "rate" if panel.study.exposure else "cases")


def _mean(rows: pd.DataFrame) -> float:
    total = float(rows["weight"].sum())
    return float((rows["weight"] * rows["estimate"]).sum()) / total if total > 0 else float("nan")


def _with_empty(rows: pd.DataFrame) -> pd.DataFrame:
    empty = dict.fromkeys(("std_error", "statistic", "p_value", "conf_low", "conf_high"), np.nan)
    return rows.assign(**empty, df=np.inf, note=PART)


# --- pairs of groups ---


@dataclass(frozen=True, eq=False)
class _Balanced:
    """Mean outcome ``(G, T)`` of the groups in the periods that are left, never treated ones last if there are any.

    `size` ``(G,)`` numbers of units, `start` ``(G,)`` position of the first period with the measure (``T`` if never),
    `label` ``(G,)`` that period in words.
    """

    mean: np.ndarray
    size: np.ndarray
    start: np.ndarray
    label: list[str]
    counts: Counts
    notes: tuple[Note, ...]


def _balance(cells: Cells, method: TwoWayFixedEffects) -> _Balanced:
    """Return the groups with complete data.

    Raises
    ------
    EstimationError
        Less is left than one group that gets the measure and another.
    """
    used, codes = cells.untreated | cells.treated, cells.cohorts.codes
    groups = [np.flatnonzero((codes == g) & used.any(axis=1)) for g in range(len(cells.starts) + 1)]
    present = np.array([used[rows].any(axis=0) for rows in groups if len(rows)])
    periods = np.flatnonzero(present.all(axis=0))
    outcome = analysed(cells, additive=method.scale == "additive")[:, periods]
    complete = used[:, periods].all(axis=1) & (len(periods) > 0)
    start = np.append(np.searchsorted(periods, cells.starts), len(periods))
    kept = [rows[complete[rows]] for rows in groups]
    # A group that has the measure in all periods that are left, or in none of them, shows nothing of its start.
    shows = [len(rows) > 0 and (g == len(cells.starts) or 0 < start[g] < len(periods)) for g, rows in enumerate(kept)]
    chosen = np.flatnonzero(shows)
    if len(chosen) < 2:
        raise EstimationError(Problem("sensitivity.unbalanced", method="comparisons"))
    names = [*(cells.panel.periods[first] for first in cells.starts), ""]
    lost = {
        "sensitivity.note.dropped_periods": int(used.any(axis=0).sum()) - len(periods),
        "sensitivity.note.dropped_units": sum(map(len, groups)) - sum(len(kept[g]) for g in chosen),
    }
    units = sum(len(kept[g]) for g in chosen)
    never = len(cells.starts)
    return _Balanced(
        mean=np.array([outcome[kept[g]].mean(axis=0) for g in chosen]),
        size=np.array([len(kept[g]) for g in chosen]),
        start=start[chosen],
        label=[names[g] for g in chosen],
        counts=Counts(
            observations=units * len(periods),
            units=units,
            treated=sum(len(kept[g]) for g in chosen if g != never),
            dropped=cells.dropped,
        ),
        notes=(*(Note(code, {"n": n}) for code, n in lost.items() if n), *cells.notes),
    )


def _pairs(groups: _Balanced) -> Iterator[dict[str, object]]:
    """Yield every comparison with its weight, not yet scaled to sum to one."""
    periods = groups.mean.shape[1]
    share = (periods - groups.start) / periods
    for g, first in enumerate(groups.start):
        for other in range(len(groups.start)):
            second = groups.start[other]
            number = int(groups.size[g] * groups.size[other])
            if first < second:
                kind = "never_treated" if second == periods else "not_yet_treated"
                weight, before, after = (share[g] - share[other]) * (1 - share[g]), (0, first), (first, second)
            elif second < first < periods:
                kind = "already_treated"
                weight, before, after = share[g] * (share[other] - share[g]), (second, first), (first, periods)
            else:
                continue
            change = [groups.mean[i, slice(*after)].mean() - groups.mean[i, slice(*before)].mean() for i in (g, other)]
            yield {
                "kind": kind,
                "cohort": groups.label[g],
                "compared": groups.label[other],
                "weight": number * weight,
                "estimate": float(change[0] - change[1]),
            }
