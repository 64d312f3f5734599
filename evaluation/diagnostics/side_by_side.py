"""The same effect by several estimators, as one result; which one counts is declared beforehand, not chosen here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluation.diagnostics.calibration import specifications
from evaluation.diagnostics.variants import effect_of, in_one, plain_row, row_of
from evaluation.errors import EstimationError, EvaluationError, Problem
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel


def side_by_side(panel: Panel, methods: Mapping[str, Estimator]) -> Estimates:
    """Return the effect by several estimators.

    Parameters
    ----------
    methods
        By name, the declared one first; all give one effect as a ratio.

    Returns
    -------
    Estimates
        Rows ``specification`` (the names) x ``term``: ``effect`` with its interval, and ``unadjusted``, the
        estimator's textbook value, where it has one. An estimator that is not possible has a row without numbers, and
        the notes say why. Facts: those of the first, ``lowest`` and ``highest`` effect, ``detectable_by`` and
        ``p_by`` (by name).

    Raises
    ------
    EstimationError
        An estimator gives no ratio, or the first one is not possible.

    Examples
    --------
    >>> from evaluation import Imputation, TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> methods = {"two by two": TwoByTwo(before=3, after=1), "imputation": Imputation(before=3, after=1)}
    >>> side_by_side(example_panel(), methods).table["specification"].tolist()
    ['two by two', 'two by two', 'imputation', 'imputation']
    """
    results = specifications(panel, methods)
    full = next(iter(results.values()))
    if isinstance(full, EvaluationError):
        raise full
    wrong = [
        Problem("pictures.no_ratio", method=name)
        for name, result in results.items()
        if isinstance(result, Estimates) and result.scale.name != "log"
    ]
    if wrong:
        raise EstimationError(*wrong)
    rows: list[dict[str, Any]] = []
    for name, result in results.items():
        rows.append({"specification": name, "term": "effect", **row_of(result)})
        rows += _textbook(name, result)
    effects = np.array([row["estimate"] for row in rows if row["term"] == "effect"], dtype=float)
    found = {name: result for name, result in results.items() if isinstance(result, Estimates)}
    facts = {
        "lowest": float(np.nanmin(effects)),
        "highest": float(np.nanmax(effects)),
        "detectable_by": {name: float(result.facts.get("detectable", np.nan)) for name, result in found.items()},
        "p_by": {name: float(effect_of(result)["p_value"]) for name, result in found.items()},
    }
    return in_one(rows, full, list(results.values()), facts=facts)


def _textbook(name: str, result: Estimates | EvaluationError) -> list[dict[str, Any]]:
    """Return the row of the estimator's own value without the adjustment, if there is one."""
    if isinstance(result, EvaluationError) or "unadjusted" not in set(result.table["term"]):
        return []
    row = result.row(term="unadjusted")
    return [{"specification": name, "term": "unadjusted", **plain_row(float(row["estimate"]), str(row["note"]))}]
