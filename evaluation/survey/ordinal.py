"""Ordered answers (very safe ... very unsafe): proportional-odds regression with the variance of the design.

And the test whether one slope for all thresholds will do. What is left out: what the coefficients mean in percentage
points (:mod:`evaluation.survey.margins`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.sample import Sample, some
from evaluation.survey.model_cumulative import LINKS, Ordered
from evaluation.survey.model_data import Respondents, answers_of, answers_on, check_terms, gather, in_order
from evaluation.survey.model_fit import newton, solve
from evaluation.survey.model_result import Fit
from evaluation.survey.model_terms import Term, named

Link = Literal["logit", "probit"]


@dataclass(frozen=True)
class Ordinal:
    r"""Cumulative regression of an ordered answer: a latent scale that covariates shift, cut at thresholds.

    Parameters
    ----------
    outcome
        Column of the answers.
    terms
        Names of numeric columns, :class:`Category` or :class:`Interaction`.
    scale
        Number of points (answers 1, 2, ..., `scale`) or the answers from one end to the other; None: the numbers
        that occur, in their order.
    no_answer
        Codes that mean no answer.
    link
        ``logit`` (proportional odds) or ``probit``.
    level
        Of the intervals (Student's t with primary units less strata less slopes).

    Notes
    -----
    :math:`P(Y_i \le j) = F(\tau_j - x_i'\beta)`: a positive slope means more answers at the upper end. The weighted
    pseudo-likelihood :math:`\sum_i w_i \log p_i(\beta, \tau)` is concave and maximised by Newton's method with its
    analytic Hessian :math:`-A`; the influence of person i is :math:`A^{-1} w_i \partial \log p_i / \partial (\beta,
    \tau)`, and the variance is that of the sum of these influences under the design. With the logit link slopes are
    log odds ratios of any upper part of the scale against the rest, displayed as odds ratios. Answers on the scale
    that nobody gave are noted; their thresholds do not exist.

    References
    ----------
    McCullagh (1980), Regression models for ordinal data; Binder (1983), On the variances of asymptotically normal
    estimators from complex surveys; ``svyolr`` of R's survey package.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "age": [20, 30, 40, 50, 60, 70]})
    >>> sample = Sample(frame.assign(park=[1, 2, 1, 2, 3, 3]), SurveyDesign())
    >>> result = Ordinal("park", ("age",), scale=3).estimate(sample)
    >>> result.table["category"].tolist()
    ['', '1|2', '2|3']
    """

    outcome: str
    terms: tuple[Term, ...] = ()
    _: KW_ONLY
    scale: int | tuple[Any, ...] | None = None
    no_answer: tuple[Any, ...] = ()
    link: Link = "logit"
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.link not in LINKS:
            raise DesignError(Problem("survey_models.link_option", value=self.link, allowed=tuple(LINKS)))
        check_terms(self.outcome, self.terms, self.level)

    @property
    def answers(self) -> tuple[Any, ...]:
        """Allowed answers; empty where no scale is given."""
        return answers_on(self.scale)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each slope, then one for each threshold (term ``threshold``, category ``2|3``).

        Raises
        ------
        DesignError
            A column does not exist or does not fit its use; an answer is off the scale; answers in words without a
            scale; a reference does not occur.
        EstimationError
            Nobody has a value in every column; fewer than three different answers; a coefficient has no finite value,
            because a term separates the answers; columns are collinear.
        """
        fitted = self.fit(sample)
        scale = Scale("log", "odds ratio") if self.link == "logit" else Scale("identity", "latent scale")
        return fitted.fit.result(self, scale, fitted.notes)

    def fit(self, sample: Sample) -> OrdinalFit:
        """Return the fitted model; see :meth:`estimate` for what it refuses."""
        codes, answers = self._codes(sample)
        people = gather(sample, self.outcome, codes < 0, self.terms, intercept=False)
        given = codes[people.rows]
        used = np.flatnonzero(np.bincount(given, minlength=len(answers)))
        if len(used) < 3:
            found = some([answers[position] for position in used])
            raise EstimationError(Problem("survey_models.few_answers", column=self.outcome, answers=found))
        place = np.zeros(len(answers), dtype=np.int16)
        place[used] = np.arange(len(used))
        unused = [answer for position, answer in enumerate(answers) if position not in used]
        note = Note("survey_models.note.unused", {"variable": self.outcome, "answers": some(unused)})
        kept = tuple(answers[position] for position in used)
        return _fit(people, place[given], kept, self.link, (note,) if unused else ())

    def _codes(self, sample: Sample) -> tuple[np.ndarray, tuple[Any, ...]]:
        """Return for everybody the position of their answer (-1: none), and the answers in order."""
        series, silent = answers_of(sample, self.outcome, allowed=self.answers, no_answer=self.no_answer)
        answers = self.answers or in_order(series[~silent])
        codes = pd.Index(list(answers)).get_indexer(pd.Index(series))
        return np.where(silent, -1, codes), answers


@dataclass(frozen=True, eq=False)
class OrdinalFit:
    """A fitted cumulative model.

    Parameters
    ----------
    fit
        Slopes, then thresholds.
    answers
        That were given, in order.
    ordered
        The people, sorted by answer.
    order
        ``(n,)`` position of the sorted people among the complete cases.
    information
        ``(q, q)`` negative Hessian.
    notes
        On answers that nobody gave.
    """

    fit: Fit
    answers: tuple[Any, ...]
    ordered: Ordered
    order: np.ndarray
    information: np.ndarray
    notes: tuple[Note, ...]

    @property
    def thresholds(self) -> np.ndarray:
        """``(J - 1,)``."""
        return self.fit.coefficients[self.ordered.matrix.width :]


def _fit(
    people: Respondents, given: np.ndarray, answers: tuple[Any, ...], link: str, notes: tuple[Note, ...]
) -> OrdinalFit:
    matrix = people.matrix()
    order = np.argsort(given, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(given, minlength=len(answers)))])
    ordered = Ordered(matrix.take(order), people.weights[order], ends, LINKS[link])
    cuts = [("threshold", f"{named(low)}|{named(high)}") for low, high in pairwise(answers)]
    labels = [*matrix.labels, *cuts]
    size = np.concatenate([matrix.largest, np.ones(len(cuts))])
    parameters, information = newton(ordered.pieces, ordered.start(), labels, size)
    scores = _scores(ordered, parameters, people.unit[order], people.units)
    influence = solve(information, scores.T).T
    fit = Fit(people, matrix, parameters, influence, labels, matrix.width)
    return OrdinalFit(fit, answers, ordered, order, information, notes)


def _scores(ordered: Ordered, parameters: np.ndarray, unit: np.ndarray, units: int) -> np.ndarray:
    """Return ``(m, q)`` gradients of the sampling units."""
    width = ordered.matrix.width
    thresholds, predictor = parameters[width:], ordered.matrix.times(parameters[:width])
    slopes, cuts = np.empty(ordered.matrix.n), np.zeros((units, len(thresholds)))
    for answer in range(ordered.answers):
        rows = slice(int(ordered.ends[answer]), int(ordered.ends[answer + 1]))
        at, weight = ordered.derivatives(thresholds, predictor[rows], answer), ordered.weights[rows]
        slopes[rows] = weight * at.slope
        if answer < len(thresholds):
            cuts[:, answer] += np.bincount(unit[rows], weight * at.upper, minlength=units)
        if answer:
            cuts[:, answer - 1] -= np.bincount(unit[rows], weight * at.lower, minlength=units)
    return np.concatenate([ordered.matrix.sums(slopes, unit, units), cuts], axis=1)
