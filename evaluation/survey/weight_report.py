"""What a change of weights did: their spread, the people who count most, and the margins before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.sample import Sample, Target
from evaluation.survey.weight_margins import Columns, codes_of, people_of
from evaluation.survey_design import as_columns

EXTREME = 5.0  # times the median


def kish_effect(weights: np.ndarray) -> float:
    """Return ``n sum w^2 / (sum w)^2`` of weights ``(n,)`` above 0: the variance that unequal weights cost.

    References
    ----------
    Kish (1965), Survey sampling, section 11.7.
    """
    used = weights[weights > 0]
    return float(len(used) * (used**2).sum() / used.sum() ** 2)


def weight_report(
    before: Sample, after: Sample, by: Sequence[Columns] = (), *, extreme: float = EXTREME
) -> pd.DataFrame:
    """Return a tidy table of weights and margins before and after.

    Parameters
    ----------
    before, after
        The same respondents with two sets of weights.
    by
        Columns (or tuples of them) whose margins are shown, with those to which weights were fitted.
    extreme
        A weight of more than so many times the median is counted as extreme.

    Returns
    -------
    DataFrame
        Columns ``measure, column, category, before, after, target``. Measures of all weights: ``people``, ``sum``,
        ``mean``, ``smallest``, ``median``, ``largest``, ``extreme`` (number of weights), ``extreme_share`` (of the sum
        of weights), ``deff_kish``, ``effective_n``; then for each category ``share`` of the weights, or ``total`` of a
        number.

    Raises
    ------
    DesignError
        The samples have different rows, or a column does not exist.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> from evaluation.survey.weighting import PostStratify
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "sex": ["f", "f", "f", "m", "m"]})
    >>> sample = Sample(frame, SurveyDesign())
    >>> report = weight_report(sample, PostStratify("sex", {"f": 300, "m": 300}).apply(sample))
    >>> report.loc[report["measure"] == "share", ["category", "before", "after", "target"]].round(2).values.tolist()
    [['f', 0.6, 0.5, 0.5], ['m', 0.4, 0.5, 0.5]]
    """
    if len(before.frame) != len(after.frame) or not before.frame.index.equals(after.frame.index):
        raise DesignError(Problem("survey_weights.other_people", n=len(before.frame), other=len(after.frame)))
    measures = [_spread(sample, extreme) for sample in (before, after)]
    rows: list[dict[str, Any]] = [
        {"measure": name, "before": measures[0][name], "after": measures[1][name]} for name in measures[0]
    ]
    targets = _targets(after)
    for columns in dict.fromkeys([*targets, *(as_columns(one) for one in by)]):
        rows += _margin(before, after, columns, targets.get(columns))
    table = pd.DataFrame(rows, columns=["measure", "column", "category", "before", "after", "target"])
    return table.assign(column=table["column"].fillna(""), category=table["category"].fillna(""))


def _spread(sample: Sample, extreme: float) -> dict[str, float]:
    weights = sample.weights[people_of(sample)]
    median, total = float(np.median(weights)), float(weights.sum())
    large = weights > extreme * median
    effect = kish_effect(weights)
    return {
        "people": float(len(weights)),
        "sum": total,
        "mean": float(weights.mean()),
        "smallest": float(weights.min()),
        "median": median,
        "largest": float(weights.max()),
        "extreme": float(large.sum()),
        "extreme_share": float(weights[large].sum() / total),
        "deff_kish": effect,
        "effective_n": len(weights) / effect,
    }


def _targets(sample: Sample) -> dict[tuple[str, ...], Target]:
    """Return what weights were fitted to, the last fit of a margin."""
    return {target.columns: target for adjustment in sample.plan.adjustments for target in adjustment.targets}


def _margin(before: Sample, after: Sample, columns: tuple[str, ...], target: Target | None) -> list[dict[str, Any]]:
    name = ":".join(columns)
    if target is not None and not target.values:
        values = before.frame[columns[0]].to_numpy(dtype=float, na_value=np.nan)
        totals = [float(np.nansum(sample.weights * values)) for sample in (before, after)]
        return [_row("total", name, "", totals, float(target.totals[0]))]
    codes, categories, _ = codes_of(before, columns)
    used = codes >= 0
    shares = []
    for sample in (before, after):
        sums = np.bincount(codes[used], sample.weights[used], minlength=len(categories))
        shares.append(sums / sums.sum())
    wanted = {}
    if target is not None:
        wanted = dict(zip(target.values, target.totals / target.totals.sum(), strict=True))
    order = sorted(range(len(categories)), key=lambda at: tuple(map(str, categories[at])))
    words = [" / ".join(map(str, category)) for category in categories]
    return [_row("share", name, words[at], [part[at] for part in shares], wanted.get(categories[at])) for at in order]


def _row(measure: str, column: str, category: str, values: Sequence[float], target: float | None) -> dict[str, Any]:
    return {
        "measure": measure,
        "column": column,
        "category": category,
        "before": values[0],
        "after": values[1],
        "target": target,
    }
