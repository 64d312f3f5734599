"""Covariates of regressions with unit effects: further columns of a panel's frame, checked."""

from __future__ import annotations

import numpy as np

from evaluation.errors import DesignError, Problem, nearest
from evaluation.panel import Panel

OWN_COLUMNS = frozenset({"unit", "period", "outcome", "exposure"})


def covariate_arrays(panel: Panel, names: tuple[str, ...], method: str) -> np.ndarray:
    """Return the values ``(q, N, T)`` of the columns `names`, missing where unknown.

    Raises
    ------
    DesignError
        With all problems: a column does not exist, holds text or infinite values, or never changes within a unit, so
        that unit effects carry it already.
    """
    problems, found = [], np.empty((len(names), len(panel.units), len(panel.periods)))
    others = [column for column in panel.frame.columns if column not in OWN_COLUMNS]
    for name, values in zip(names, found, strict=True):
        if name not in others:
            hint = nearest(name, others) or "–"
            problems.append(Problem("models_did.covariate_unknown", method=method, covariate=name, hint=hint))
            continue
        column = panel.frame[name]
        if column.dtype.kind not in "biuf":
            example = str(column.iloc[0])
            problems.append(Problem("models_did.covariate_text", method=method, covariate=name, example=example))
            continue
        values[:] = panel.wide(name)
        if np.isinf(values).any():
            problems.append(Problem("models_did.covariate_infinite", method=method, covariate=name))
        elif (np.fmax.reduce(values, axis=1) <= np.fmin.reduce(values, axis=1)).sum() == _seen(values):
            problems.append(Problem("models_did.covariate_constant", method=method, covariate=name))
    if problems:
        raise DesignError(*problems)
    return found


def _seen(values: np.ndarray) -> int:
    """Return the number of units with a value."""
    return int((~np.isnan(values)).any(axis=1).sum())
