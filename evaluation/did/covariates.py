"""Covariates of estimators: further columns of a panel's frame, checked."""

from __future__ import annotations

import numpy as np

from evaluation.errors import DesignError, Problem, nearest
from evaluation.panel import Panel

OWN_COLUMNS = frozenset({"unit", "period", "outcome", "exposure"})


def read_covariates(panel: Panel, names: tuple[str, ...], *, method: str, within_units: bool) -> np.ndarray:
    """Return the values ``(q, N, T)`` of the columns `names`, missing where unknown.

    Parameters
    ----------
    within_units
        Whether a covariate has to change within units, because unit effects carry what does not. Otherwise a value that
        is the same in all periods of a unit is an attribute of the unit and holds in periods without a row, too.

    Raises
    ------
    DesignError
        With all problems: a column does not exist, holds text or infinite values, or does not vary as it must.
    """
    problems, found = [], np.empty((len(names), len(panel.units), len(panel.periods)))
    others = [column for column in panel.frame.columns if column not in OWN_COLUMNS]
    for name, values in zip(names, found, strict=True):
        if name not in others:
            hint = nearest(name, others) or "–"
            problems.append(Problem("covariates.unknown", method=method, covariate=name, hint=hint))
            continue
        column = panel.frame[name]
        if column.dtype.kind not in "biuf":
            example = str(column.iloc[0])
            problems.append(Problem("covariates.text", method=method, covariate=name, example=example))
            continue
        values[:] = panel.wide(name)
        code = _prepared(values, within_units)
        if code:
            problems.append(Problem(f"covariates.{code}", method=method, covariate=name))
    if problems:
        raise DesignError(*problems)
    return found


def _prepared(values: np.ndarray, within_units: bool) -> str:
    """Fill attributes of units into all their periods; return what is wrong with the values ``(N, T)``, or nothing."""
    if np.isinf(values).any():
        return "infinite"
    low, high = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    known = ~np.isnan(low)
    fixed = bool((low[known] == high[known]).all())
    if within_units:
        return "fixed" if fixed else ""
    if not known.any() or low[known].min() == high[known].max():
        return "constant"
    if fixed:
        values[:] = low[:, None]
    return ""
