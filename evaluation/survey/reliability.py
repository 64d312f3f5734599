"""How well several items measure one thing: Cronbach's alpha, ordinal alpha, polychoric correlations.

With the variance of the design. What is left out: factor models.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Counts, Estimates, Note, Scale
from evaluation.influence import estimates_from_influence
from evaluation.sample import Sample
from evaluation.survey.domains import influence_of, numbers
from evaluation.survey.model_data import answers_of, answers_on, complete_cases, in_order
from evaluation.survey.model_polychoric import polychoric
from evaluation.survey.model_result import degrees_of_freedom
from evaluation.survey.model_terms import named


@dataclass(frozen=True)
class CronbachAlpha:
    r"""Cronbach's alpha of numeric items that point in the same direction.

    Parameters
    ----------
    items
        Two or more numeric columns.
    scale
        Number of points (answers 1, 2, ..., `scale`) or the allowed answers; anything else is an error.
    no_answer
        Codes that mean no answer.
    level
        Of the intervals (Student's t with primary units less strata).

    Notes
    -----
    With k items, weighted variances :math:`s_j^2` and that of the sum :math:`s^2`,

    .. math:: \alpha = \frac{k}{k - 1} \left(1 - \frac{Q}{V}\right), \quad Q = \sum_j s_j^2, \; V = s^2, \qquad
        \text{influence of i:} \; -\frac{k}{k - 1} \frac{w_i}{V \sum w} \left(q_i - \frac{Q}{V} v_i\right)

    where :math:`q_i` is the sum of squared distances from the items' means and :math:`v_i` the square of their sum.
    Only people who answered all items count. With three and more items there is a row for the scale without each item.
    Alpha is a lower bound of reliability only where the items measure one thing, and for few answers per item it is
    lower than :class:`OrdinalAlpha`.

    References
    ----------
    Cronbach (1951), Coefficient alpha and the internal structure of tests; ``svycralpha`` of R's survey package.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "day": [1, 2, 3, 4], "night": [1, 3, 3, 5]})
    >>> result = CronbachAlpha(("day", "night")).estimate(Sample(frame, SurveyDesign()))
    >>> round(float(result.table.loc[0, "estimate"]), 3)
    0.96
    """

    items: tuple[str, ...]
    _: KW_ONLY
    scale: int | tuple[Any, ...] | None = None
    no_answer: tuple[Any, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _check(self)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for all items (``left_out`` is empty), and one for all but each.

        Raises
        ------
        DesignError
            A column does not exist or is not numeric; an answer is off the scale.
        EstimationError
            Nobody answered all items; an item has the same answer from everybody.
        """
        for item in self.items:
            numbers(sample, item)
        people = _answered(self, sample)
        share = people.weights / people.weights.sum()
        apart = np.column_stack([column - share @ column for column in people.columns])
        found, left_out = [], ["", *(self.items if len(self.items) > 2 else ())]
        for name in left_out:
            kept = apart[:, [item != name for item in self.items]]
            items, total = (kept**2).sum(axis=1), kept.sum(axis=1) ** 2
            within, whole = float(share @ items), float(share @ total)
            factor = kept.shape[1] / (kept.shape[1] - 1)
            if not whole > 1e-14 * within:
                raise EstimationError(Problem("survey_models.sum_constant", columns=self.items))
            person = -factor * share / whole * (items - within / whole * total)
            found.append((factor * (1 - within / whole), person))
        against = [
            item
            for position, item in enumerate(self.items)
            if share @ (apart[:, position] * np.delete(apart, position, axis=1).sum(axis=1)) < 0
        ]
        return people.result(self, pd.DataFrame({"left_out": left_out}), found, _against(against))


@dataclass(frozen=True)
class OrdinalAlpha:
    r"""Alpha of ordered items, from the polychoric correlations of the scales behind the answers.

    Parameters
    ----------
    items, scale, no_answer, level
        As in :class:`CronbachAlpha`; answers may be words where `scale` has their order.

    Notes
    -----
    :math:`\alpha = \frac{k}{k - 1} \left(1 - \frac{k}{S}\right)`, where S is the sum of all elements of the matrix of
    polychoric correlations (:class:`PolychoricCorrelation`); influences are those of the correlations times
    :math:`\frac{2 k^2}{(k - 1) S^2}`, which includes that the thresholds are estimated.

    References
    ----------
    Zumbo, Gadermann and Zeisser (2007), Ordinal versions of coefficients alpha and theta for Likert rating scales.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "day": [1, 1, 2, 2, 3, 3], "night": [1, 2, 1, 3, 2, 3]})
    >>> result = OrdinalAlpha(("day", "night"), scale=3).estimate(Sample(frame, SurveyDesign()))
    >>> round(float(result.table.loc[0, "estimate"]), 2)
    0.72
    """

    items: tuple[str, ...]
    _: KW_ONLY
    scale: int | tuple[Any, ...] | None = None
    no_answer: tuple[Any, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _check(self)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for all items (``left_out`` is empty), and one for all but each.

        Raises
        ------
        DesignError
            A column does not exist; an answer is off the scale; answers in words without a scale.
        EstimationError
            As :class:`CronbachAlpha`; two items determine each other.
        """
        people = _answered(self, sample)
        correlations = _correlations(self.items, people)
        found, left_out = [], ["", *(self.items if len(self.items) > 2 else ())]
        for name in left_out:
            kept = [values for pair, values in correlations.items() if name not in pair]
            k = len(self.items) - (name != "")
            whole = k + 2 * sum(correlation for correlation, _ in kept)
            if not whole > 1e-9:
                raise EstimationError(Problem("survey_models.sum_constant", columns=self.items))
            person = 2 * k**2 / ((k - 1) * whole**2) * np.sum([influence for _, influence in kept], axis=0)
            found.append((k / (k - 1) * (1 - k / whole), person))
        against = [
            item for item in self.items if sum(values for pair, (values, _) in correlations.items() if item in pair) < 0
        ]
        return people.result(self, pd.DataFrame({"left_out": left_out}), found, _against(against))


@dataclass(frozen=True)
class PolychoricCorrelation:
    """Correlations of the normal scales behind ordered answers, for every pair of items.

    Parameters
    ----------
    items, scale, no_answer, level
        As in :class:`OrdinalAlpha`.

    Notes
    -----
    Formula and source: :func:`evaluation.survey.model_polychoric.polychoric`. Only people who answered all items
    count, so that the correlations belong together.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "day": [1, 1, 2, 2, 3, 3], "night": [1, 2, 1, 3, 2, 3]})
    >>> result = PolychoricCorrelation(("day", "night"), scale=3).estimate(Sample(frame, SurveyDesign()))
    >>> result.keys
    ['first', 'second']
    """

    items: tuple[str, ...]
    _: KW_ONLY
    scale: int | tuple[Any, ...] | None = None
    no_answer: tuple[Any, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _check(self)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each pair, with the key columns ``first`` and ``second``; see :class:`OrdinalAlpha`."""
        people = _answered(self, sample)
        correlations = _correlations(self.items, people)
        keys = pd.DataFrame(list(correlations), columns=["first", "second"])
        return people.result(self, keys, list(correlations.values()), (), unit="correlation")


Method = CronbachAlpha | OrdinalAlpha | PolychoricCorrelation


@dataclass(frozen=True, eq=False)
class _Answered:
    """The people who answered all items: answers as numbers, and as positions among those that were given."""

    sample: Sample
    rows: np.ndarray | slice
    columns: list[np.ndarray]
    codes: list[np.ndarray]
    counts: Counts
    notes: tuple[Note, ...]

    @property
    def weights(self) -> np.ndarray:
        """``(n,)``."""
        return np.asarray(self.sample.plan.weights[self.rows])

    def result(
        self,
        method: Method,
        keys: pd.DataFrame,
        found: list[tuple[float, np.ndarray]],
        notes: tuple[Note, ...],
        *,
        unit: str = "alpha",
    ) -> Estimates:
        """Return the estimates from values and influences of people ``(n,)``."""
        unit_codes, units = self.sample.plan.unit[self.rows], len(self.sample.plan.units)
        sums = [np.bincount(unit_codes, person, minlength=units) for _, person in found]
        influence = influence_of(self.sample, np.column_stack(sums))
        return estimates_from_influence(
            keys.assign(n=self.counts.observations),
            np.array([value for value, _ in found]),
            influence,
            scale=Scale("identity", unit),
            declaration=self.sample.design,
            method=method,
            counts=self.counts,
            level=method.level,
            df=degrees_of_freedom(self.sample, influence),
            notes=(*self.notes, *notes),
        )


def _check(method: Method) -> None:
    problems = [] if 0 < method.level < 1 else [Problem("survey.level_option", value=method.level)]
    if len(set(method.items)) < max(2, len(method.items)):
        problems.append(Problem("survey_models.items", method=type(method).__name__, columns=method.items))
    if problems:
        raise DesignError(*problems)


def _answered(method: Method, sample: Sample) -> _Answered:
    allowed = answers_on(method.scale)
    missing, given = {}, []
    for item in method.items:
        series, missing[item] = answers_of(sample, item, allowed=allowed, no_answer=method.no_answer)
        given.append(series)
    rows, counts, notes = complete_cases(sample, missing)
    columns, codes, same = [], [], []
    for item, series in zip(method.items, given, strict=True):
        answers = series.iloc[rows]
        there = set(answers.unique())
        known = [answer for answer in allowed or in_order(answers) if answer in there]
        if len(known) == 1:
            same.append(Problem("survey_models.same_answers", column=item, n=len(answers), answer=named(known[0])))
        codes.append(pd.Index(known).get_indexer(pd.Index(answers)))
        numeric = pd.api.types.is_numeric_dtype(answers) or pd.api.types.is_bool_dtype(answers)
        columns.append(answers.to_numpy(dtype=float) if numeric else codes[-1].astype(float))
    if same:
        raise EstimationError(*same)
    return _Answered(sample, rows, columns, codes, counts, notes)


def _correlations(items: tuple[str, ...], people: _Answered) -> dict[tuple[str, str], tuple[float, np.ndarray]]:
    """Return for every pair of items the correlation and the influences of people ``(n,)``."""
    weights, found, problems = people.weights, {}, []
    share = weights / weights.sum()
    for (one, first), (other, second) in combinations(zip(items, people.codes, strict=True), 2):
        shape = (int(first.max()) + 1, int(second.max()) + 1)
        cell = first * shape[1] + second
        table = np.bincount(cell, weights, minlength=shape[0] * shape[1]).reshape(shape)
        pair = polychoric(table)
        if np.isnan(pair.correlation):
            problems.append(Problem("survey_models.determined", columns=(one, other)))
        found[one, other] = (pair.correlation, share * pair.influence.ravel()[cell])
    if problems:
        raise EstimationError(*problems)
    return found


def _against(items: list[str]) -> tuple[Note, ...]:
    return (Note("survey_models.note.against", {"items": items}),) if items else ()
