"""Weights of people who answered also stand for those who were drawn and did not.

Everybody who was drawn is a row of the sample. The result is the subpopulation of those who answered; the others keep
their rows, because the variance depends on them too. What is left out: answers to single questions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.sample import Sample, check_columns, first_rows, some
from evaluation.survey.model_data import check_terms, gather
from evaluation.survey.model_terms import Matrix, Term, column_of, parts_of
from evaluation.survey.weight_apply import Fitted, apply_rule, weights_by_cell
from evaluation.survey.weight_margins import Columns, codes_of, missing_problem, people_of
from evaluation.survey.weight_rules import CellRule, ResponseRule
from evaluation.survey_design import as_columns


@dataclass(frozen=True)
class ResponseCells:
    r"""Within every cell, people who answered take over the weight of those who did not.

    Parameters
    ----------
    answered
        Column of true and false (or 1 and 0): who of the people who were drawn took part.
    by
        One column, or several whose combinations are the cells; known of everybody who was drawn.

    Notes
    -----
    Weights are multiplied by :math:`g_c = \sum_{i \in c} d_i / \sum_{i \in c} r_i d_i`. This is right where, within a
    cell, answering has nothing to do with the answers. With :math:`\bar z_c` the mean of those who answered, weighted
    by d, a person's influence is :math:`r_i w_i (z_i - \bar z_c) + d_i \bar z_c`: people who did not answer have one.

    References
    ----------
    Oh and Scheuren (1983), Weighting adjustment for unit nonresponse; Kim and Kim (2007), Nonresponse weighting
    adjustment using estimated response probability.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 10.0, "area": ["00", "00", "01", "01", "01"]})
    >>> drawn = Sample(frame.assign(answered=[True, False, True, True, True]), SurveyDesign())
    >>> sample = ResponseCells("answered", "area").apply(drawn)
    >>> sample.weights.tolist(), sample.size
    ([20.0, 0.0, 10.0, 10.0, 10.0], 4)
    """

    answered: str
    by: Columns

    def apply(self, sample: Sample) -> Sample:
        """Return the subpopulation of those who answered, with new weights.

        Raises
        ------
        DesignError
            A column does not exist; people without a value; who answered is not said as true and false; nobody
            answered.
        EstimationError
            A cell in which nobody answered.
        """
        columns = as_columns(self.by)
        check_columns(sample.frame, (self.answered, *columns))
        kept = _answered(sample, self.answered)
        cells, values, missing = codes_of(sample, columns)
        problems = missing_problem(sample, columns, missing)
        if problems:
            raise DesignError(*problems)
        total, left = (weights_by_cell(sample, cells, len(values), people) for people in (None, kept))
        empty = [" / ".join(map(str, value)) for value, weight in zip(values, left, strict=True) if weight <= 0]
        if empty:
            raise EstimationError(Problem("survey_weights.nobody_answered", columns=columns, cells=some(empty)))
        rule = CellRule()
        parameters = rule.solve(total[None], left[None])[0]
        weights, among = sample.plan.weights, people_of(sample)
        after = np.where(kept, weights * parameters[cells], 0.0)
        fitted = Fitted(
            rule=rule,
            cells=cells,
            size=len(values),
            parameters=parameters,
            inverse=1.0 / left,
            spread=after - np.where(among, weights, 0.0),
            kept=kept,
        )
        remark = {"n": int(among.sum() - kept.sum()), "of": int(among.sum()), "columns": list(columns)}
        return apply_rule(sample, fitted, ("survey_weights.note.response_cells", remark))


@dataclass(frozen=True)
class ResponsePropensity:
    r"""Weights of people who answered are divided by their chance to answer, estimated by a logistic model.

    Parameters
    ----------
    answered
        As in :class:`ResponseCells`.
    terms
        Names of numeric columns, :class:`Category` or :class:`Interaction`, known of everybody who was drawn; a
        constant is always part of the model.

    Notes
    -----
    Chances :math:`\hat p_i = 1/(1 + e^{-x_i'\hat\gamma})` come from a model weighted by the sampling weights d, and
    :math:`w_i = d_i / \hat p_i`. With :math:`A = \sum_i d_i \hat p_i (1 - \hat p_i) x_i x_i'` the influence of person
    i is :math:`r_i w_i z_i - d_i (r_i - \hat p_i) x_i' A^{-1} \sum_j r_j w_j (1 - \hat p_j) x_j z_j`.

    References
    ----------
    Kim and Kim (2007), Nonresponse weighting adjustment using estimated response probability.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "age": [20, 30, 40, 50, 60, 70]})
    >>> drawn = Sample(frame.assign(answered=[False, False, True, False, True, True]), SurveyDesign())
    >>> sample = ResponsePropensity("answered", ("age",)).apply(drawn)
    >>> sample.weights.round(2).tolist()
    [0.0, 0.0, 2.83, 0.0, 1.16, 1.05]
    """

    answered: str
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        check_terms(self.answered, self.terms, 0.95)
        if not self.terms:
            raise DesignError(Problem("survey_weights.no_terms"))

    def apply(self, sample: Sample) -> Sample:
        """Return the subpopulation of those who answered, with new weights.

        Raises
        ------
        DesignError
            As :meth:`ResponseCells.apply`; a column does not fit its use in the model.
        EstimationError
            A term separates people who answered from those who did not; columns are collinear.
        """
        columns = tuple(dict.fromkeys(column_of(part) for term in self.terms for part in parts_of(term)))
        check_columns(sample.frame, (self.answered, *columns))
        kept, among = _answered(sample, self.answered), people_of(sample)
        missing = sample.frame[list(columns)].isna().any(axis=1).to_numpy() & among
        problems = missing_problem(sample, columns, missing)
        if problems:
            raise DesignError(*problems)
        matrix = gather(sample, self.answered, np.zeros(len(among), dtype=bool), self.terms).matrix()
        cells, x = _distinct(matrix, among)
        total, left = (weights_by_cell(sample, cells, len(x), people) for people in (None, kept))
        rule = ResponseRule(x, tuple(matrix.labels))
        coefficients, information = rule.solve_one(total, left)
        chance = 1.0 / rule.factors(coefficients[None], np.arange(len(x)))[:, 0]
        fitted = Fitted(
            rule=rule,
            cells=cells,
            size=len(x),
            parameters=coefficients,
            x=x,
            inverse=np.linalg.inv(information),
            collect=1.0 - chance,
            spread=np.where(among, sample.plan.weights * (kept - chance[cells]), 0.0),
            kept=kept,
        )
        remark = {"n": int(among.sum() - kept.sum()), "of": int(among.sum()), "columns": list(columns)}
        return apply_rule(sample, fitted, ("survey_weights.note.response_propensity", remark))


def _answered(sample: Sample, column: str) -> np.ndarray:
    """Return ``(n,)`` who of the subpopulation answered."""
    series, inside = sample.frame[column], people_of(sample)
    if pd.api.types.is_bool_dtype(series) or pd.api.types.is_numeric_dtype(series):
        values = series.to_numpy(dtype=float, na_value=np.nan)
    else:
        values = np.full(len(series), np.nan)
    other = inside & ~np.isin(values, (0.0, 1.0))
    if other.any():
        found = some(series[other].unique())
        raise DesignError(Problem("survey_weights.answered_values", column=column, n=int(other.sum()), values=found))
    kept = inside & (values == 1)
    if not kept.any():
        raise DesignError(Problem("survey_weights.nobody", column=column, n=int(inside.sum())))
    return np.asarray(kept)


def _distinct(matrix: Matrix, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cells ``(n,)`` of people with equal columns, and the columns of each cell ``(G, q)``."""
    columns = np.empty((matrix.width, matrix.n))
    place = 0
    for block in matrix.blocks:
        block.write(slice(None), columns[place : place + block.size])
        place += block.size
    table = pd.DataFrame(columns.T)
    codes = table.groupby(list(table.columns), sort=False).ngroup().to_numpy()
    cells = np.zeros(len(among), dtype=np.intp)
    cells[among] = codes
    return cells, columns.T[first_rows(codes)]
