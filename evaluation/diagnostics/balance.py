"""How treated and comparison areas differed before the measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from evaluation.diagnostics.variants import plain_row
from evaluation.did.inference.unit_effects import choose_windows
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Counts, Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.history import unit_changes
from evaluation.randomization.windows import Windows, WindowSums

DESCRIPTION = "diagnostics.note.description"
CONSTANT = "diagnostics.note.no_spread"
VANISHING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What was asked for: further columns, and the number of periods before the start."""

    columns: tuple[str, ...] = ()
    before: int | None = None


def balance(panel: Panel, *, columns: Sequence[str] = (), before: int | None = None) -> Estimates:
    """Return means of treated and comparison areas before the start, and their standardised differences.

    Parameters
    ----------
    columns
        Further numeric columns of the frame; their mean over the periods before counts.
    before
        Number of periods; by default as many as an effect compares.

    Returns
    -------
    Estimates
        Rows ``variable`` x ``term`` (``treated``, ``comparison``, ``standardised``), with `n` areas. Variables:
        ``level`` (cases a period), with exposure also ``rate`` (cases by exposure) and ``exposure``; ``rise`` (log
        mean count of the last year against the years before it, less the median of all areas); then `columns`. The
        rows describe these areas and have no standard error. Where no area differs from another, the standardised
        difference is missing and noted.

    Raises
    ------
    DesignError
        A column is missing or holds no numbers, or there are fewer than `before` periods.

    Notes
    -----
    ``d = (m1 - m0) / sqrt((s1² + s0²) / 2)``; with one treated area ``s0`` alone. Comparison areas are looked at in
    the same periods as the treated; where these started at different times, dates count by their treated areas. A
    difference in level is no fault of a difference-in-differences; a difference in rise is: what has just risen falls
    back (see :func:`regression_to_the_mean`).

    References
    ----------
    Austin (2009), Balance diagnostics for comparing the distribution of baseline covariates.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> balance(example_panel(), before=3).table["variable"].unique().tolist()
    ['level', 'rise']
    """
    _check_columns(panel, columns)
    windows = choose_windows(panel, before, None, "balance")
    starts = np.unique(panel.starts[panel.treated])
    variables = _variables(panel, windows, starts, columns)
    rows = [row for name, values in variables.items() for row in _rows(name, values, panel, windows, starts)]
    table = pd.DataFrame(rows)
    notes = (Note("diagnostics.note.one_area"),) if panel.treated.sum() == 1 else ()
    return Estimates(
        table=table,
        scale=Scale("identity", ""),
        declaration=panel.study,
        method=Balance(columns=tuple(columns), before=before),
        counts=Counts(
            observations=int(np.isfinite(panel.outcome).sum()),
            units=int((panel.treated | panel.comparison).sum()),
            treated=int(panel.treated.sum()),
        ),
        notes=notes,
        facts={"before": windows.before, "recent": windows.recent, "earlier": windows.earlier},
    )


def _check_columns(panel: Panel, columns: Sequence[str]) -> None:
    known = [name for name in panel.frame.columns if is_numeric_dtype(panel.frame[name])]
    problems = [Problem("diagnostics.no_column", given=name, allowed=known) for name in columns if name not in known]
    if problems:
        raise DesignError(*problems)


def _variables(panel: Panel, windows: Windows, starts: np.ndarray, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Return by name the values ``(G, N)`` of all units before the date of each cohort."""

    def mean(values: np.ndarray) -> np.ndarray:
        sums = WindowSums(values, starts).over(-windows.gap - windows.before, windows.before)
        return np.asarray(sums / windows.before)

    level, people = mean(panel.outcome), mean(panel.exposure)
    found = {"level": level}
    if panel.study.exposure:
        found |= {"rate": level / people, "exposure": people}
    if windows.earlier and windows.reach_back <= starts.min():
        found["rise"] = unit_changes(panel.outcome, panel.exposure, starts, windows).rise
    return found | {name: mean(panel.wide(name)) for name in columns}


def _rows(name: str, values: np.ndarray, panel: Panel, windows: Windows, starts: np.ndarray) -> list[dict[str, object]]:
    """Return the three rows of one variable."""
    own: list[np.ndarray] = []
    means, variances, compared = [], [], np.zeros(len(panel.units), dtype=bool)
    for start, at_date in zip(starts, values, strict=True):
        others = panel.comparison.copy()
        if panel.study.comparison == "not_yet_treated":
            others |= panel.starts >= start + windows.after + panel.gap
        others &= np.isfinite(at_date)
        treated = at_date[(panel.starts == start) & np.isfinite(at_date)]
        if not others.any() or not len(treated):
            continue
        own.append(treated)
        compared |= others
        means.append(at_date[others].mean())
        variances.append(at_date[others].var(ddof=1) if others.sum() > 1 else 0.0)
    terms = ("treated", "comparison", "standardised")
    if not own:
        missing = plain_row(np.nan, "diagnostics.note.incomplete")
        return [{"variable": name, "term": term, **missing, "n": 0} for term in terms]
    weights, pooled = [len(part) for part in own], np.concatenate(own)
    averages = float(pooled.mean()), float(np.average(means, weights=weights))
    variance = float(np.average(variances, weights=weights))
    if len(pooled) > 1:
        variance = (variance + float(pooled.var(ddof=1))) / 2
    flat = variance <= VANISHING * max(1.0, averages[1] ** 2)
    standardised = np.nan if flat else (averages[0] - averages[1]) / np.sqrt(variance)
    numbers = len(pooled), int(compared.sum())
    return [
        {"variable": name, "term": "treated", **plain_row(averages[0], DESCRIPTION), "n": numbers[0]},
        {"variable": name, "term": "comparison", **plain_row(averages[1], DESCRIPTION), "n": numbers[1]},
        {
            "variable": name,
            "term": "standardised",
            **plain_row(standardised, CONSTANT if flat else DESCRIPTION),
            "n": sum(numbers),
        },
    ]
