"""From group-time effects to averages of them: over all, by time since the start, by cohort, by calendar period.

Cells are weighted by the units of their cohort. That these shares are estimated, too, is part of the influences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

AggregationKind = Literal["simple", "dynamic", "group", "calendar"]
AGGREGATIONS: tuple[AggregationKind, ...] = ("simple", "dynamic", "group", "calendar")


@dataclass(frozen=True, eq=False, kw_only=True)
class Averages:
    """Which average every cell enters, and how the averages enter one overall effect.

    Parameters
    ----------
    keys
        ``r`` rows of key columns: the overall effect first (but for cells as they are), then the averages.
    column
        ``(C,)`` average that a cell enters, -1 none.
    number
        Number ``a`` of averages.
    overall
        ``(a,)`` weights of the averages in the overall effect, None without one (or where it is the only average).
    cohorts
        ``(a,)`` cohorts whose sizes these weights are; None where the weights are fixed.
    """

    keys: pd.DataFrame
    column: np.ndarray
    number: int
    overall: np.ndarray | None = None
    cohorts: np.ndarray | None = None


def plan_averages(
    kind: AggregationKind | None,
    *,
    cohort: np.ndarray,
    period: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    usable: np.ndarray,
    labels: tuple[str, ...],
    window: tuple[int, int] | None = None,
) -> Averages:
    """Return which cells are averaged into what.

    Parameters
    ----------
    kind
        ``simple``: one average over all cells with the measure. ``dynamic``: by time since the start; overall the
        plain mean from 0 on. ``group``: by cohort; overall weighted by size. ``calendar``: by period; overall the plain
        mean. None: every cell for itself.
    cohort, period
        ``(C,)`` of the cells.
    starts, sizes
        ``(G,)`` first treated period and number of units of the cohorts.
    usable
        ``(C,)`` cells with an effect; averages without any are missing, others are averages of what there is.
    labels
        ``(T,)`` of the periods.
    window
        First and last time since the start that count (the last one alone where only time with the measure counts).

    References
    ----------
    Callaway and Sant'Anna (2021), section 3; R's did (``aggte``).
    """
    since = period - starts[cohort]
    names = np.array(labels, dtype=object)
    if kind is None:
        keys = pd.DataFrame({"cohort": names[starts[cohort]], "period": names[period]}, dtype="str")
        return Averages(keys=keys, column=np.arange(len(cohort)), number=len(cohort))
    first, last = window or (-len(labels), len(labels))
    counts = (since <= last) & (since >= (first if kind == "dynamic" else 0))
    if kind == "simple":
        keys = pd.DataFrame({"term": ["effect"]})
        return Averages(keys=keys, column=np.where(counts, 0, -1), number=1)
    values = {"dynamic": since, "group": cohort, "calendar": period}[kind]
    found = np.unique(values[counts])
    column = np.where(counts, np.searchsorted(found, values), -1)
    there = np.isin(np.arange(len(found)), column[usable & counts])
    weights = there & ((found >= 0) | (kind != "dynamic"))
    overall = weights * (sizes[found] if kind == "group" else 1.0)
    return Averages(
        keys=_keys(kind, found, names, starts),
        column=column,
        number=len(found),
        overall=overall / max(overall.sum(), 1.0),
        cohorts=found if kind == "group" else None,
    )


def _keys(kind: AggregationKind, found: np.ndarray, names: np.ndarray, starts: np.ndarray) -> pd.DataFrame:
    """Return the overall row (its own key is missing), then one for each average."""
    column = {"dynamic": "event_time", "group": "cohort", "calendar": "period"}[kind]
    shown: pd.Series
    if kind == "dynamic":
        shown = pd.Series([None, *found.tolist()], dtype="Int64")
    else:
        shown = pd.Series([None, *names[starts[found] if kind == "group" else found]], dtype="str")
    return pd.DataFrame({"term": ["effect", *[column] * len(found)], column: shown})


def cell_weights(averages: Averages, *, cohort: np.ndarray, sizes: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return ``(C,)`` weights of the cells in their average, by the units of their cohort; zero where not used."""
    taken = usable & (averages.column >= 0)
    size = np.where(taken, sizes[cohort], 0).astype(float)
    total = np.bincount(averages.column[taken], weights=size[taken], minlength=averages.number)
    return np.asarray(np.divide(size, total[averages.column], out=np.zeros(len(size)), where=taken))


def share_influence(
    averages: Averages,
    effect: np.ndarray,
    estimate: np.ndarray,
    weights: np.ndarray,
    *,
    cohort: np.ndarray,
    sizes: np.ndarray,
) -> np.ndarray:
    r"""Return the influence ``(G, a)`` of a unit of each cohort on the averages, through the shares of the cohorts.

    Parameters
    ----------
    effect
        ``(C,)`` of the cells.
    estimate
        ``(a,)`` the averages.
    weights
        ``(C,)`` of :func:`cell_weights`.

    Notes
    -----
    For an average :math:`\theta = \sum_c n_{g(c)} ATT_c / \sum_c n_{g(c)}` one unit more in cohort h changes it by
    :math:`\sum_{c \in h} (ATT_c - \theta) / \sum_c n_{g(c)}`; these sum to zero over the units.
    """
    taken = weights > 0
    column, number = averages.column[taken], averages.number
    away = weights[taken] / sizes[cohort[taken]] * (effect[taken] - estimate[column])
    flat = np.bincount(cohort[taken] * number + column, weights=away, minlength=len(sizes) * number)
    return np.asarray(flat.reshape(len(sizes), number))


def overall_share_influence(averages: Averages, estimate: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the influence ``(G,)`` of a unit of each cohort on the overall effect, through weights that are sizes."""
    influence = np.zeros(len(sizes))
    if averages.cohorts is None or averages.overall is None:
        return influence
    known = averages.overall > 0
    overall = float(averages.overall[known] @ estimate[known])
    cohorts = averages.cohorts[known]
    influence[cohorts] = averages.overall[known] * (estimate[known] - overall) / sizes[cohorts]
    return influence
