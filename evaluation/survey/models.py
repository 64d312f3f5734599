"""Linear, logit and Poisson regression of survey answers, with the variance of the design.

Frozen options with one method, ``estimate(sample)``. Tables have the key columns ``term`` and ``category`` and the
number of respondents ``n``: those of the category, or all. What is left out: ordered answers
(:mod:`evaluation.survey.ordinal`) and what the coefficients mean in percentage points
(:mod:`evaluation.survey.margins`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Scale
from evaluation.sample import Sample, some
from evaluation.survey.domains import numbers
from evaluation.survey.model_data import answers_of, answers_on, check_terms, gather
from evaluation.survey.model_fit import newton, solve
from evaluation.survey.model_result import Fit
from evaluation.survey.model_terms import Category, Interaction, Matrix, Term, named

__all__ = ["Category", "Interaction", "Linear", "Logit", "Poisson"]


@dataclass(frozen=True)
class Link:
    """The mean of an answer by the linear predictor, under its canonical link.

    Parameters
    ----------
    mean
        ``(n,)`` of the linear predictor ``(n,)``.
    slope, curvature
        First and second derivative of the mean by the linear predictor, as functions of the mean.
    inverse
        Linear predictor of a mean.
    """

    mean: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    curvature: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[float], float]


def _logistic(predictor: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # an infinite exponential is a share of zero
        odds_against = np.exp(-predictor)
    odds_against += 1.0
    return np.asarray(np.reciprocal(odds_against, out=odds_against))


IDENTITY = Link(lambda eta: eta, np.ones_like, np.zeros_like, lambda mean: mean)
LOGIT = Link(
    _logistic, lambda m: m * (1 - m), lambda m: m * (1 - m) * (1 - 2 * m), lambda mean: float(np.log(mean / (1 - mean)))
)
LOG = Link(np.exp, lambda m: m, lambda m: m, lambda mean: float(np.log(mean)))


@dataclass(frozen=True)
class Linear:
    r"""Linear regression of a numeric answer.

    Parameters
    ----------
    outcome
        Numeric column.
    terms
        Names of numeric columns, :class:`Category` or :class:`Interaction`; a constant is always part of the model.
    level
        Of the intervals (Student's t with primary units less strata less slopes).

    Notes
    -----
    :math:`\hat\beta` solves :math:`\sum_i w_i (y_i - x_i'\beta) x_i = 0`. With :math:`A = \sum_i w_i x_i x_i'` the
    influence of person i is :math:`A^{-1} w_i (y_i - x_i'\hat\beta) x_i`, and the variance is that of the sum of
    these influences under the design. Who lacks a value in a column of the model is left out and counted.

    References
    ----------
    Binder (1983), On the variances of asymptotically normal estimators from complex surveys; ``svyglm`` of R's survey
    package.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "age": [20, 30, 50, 60], "worry": [1, 2, 3, 4]})
    >>> result = Linear("worry", ("age",)).estimate(Sample(frame, SurveyDesign()))
    >>> [round(float(number), 2) for number in result.table["estimate"]]
    [-0.3, 0.07]
    """

    outcome: str
    terms: tuple[Term, ...] = ()
    _: KW_ONLY
    level: float = 0.95

    link = IDENTITY
    unit = "mean"

    def __post_init__(self) -> None:
        check_terms(self.outcome, self.terms, self.level)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each coefficient, on the scale of the outcome.

        Raises
        ------
        DesignError
            A column does not exist or does not fit its use; a reference does not occur.
        EstimationError
            Nobody has a value in every column; all answers are the same; columns are collinear.
        """
        return self.fit(sample).result(self, Scale("identity", self.unit))

    def fit(self, sample: Sample) -> Fit:
        """Return the fitted model; see :meth:`estimate` for what it refuses."""
        return _fit(self, sample, numbers(sample, self.outcome))


@dataclass(frozen=True)
class Logit:
    r"""Logistic regression of an answer that is yes or no, or one of some codes.

    Parameters
    ----------
    outcome
        Column of 0 and 1, or of true and false; with `codes`, any answers.
    terms, level
        As in :class:`Linear`.
    codes
        Answers that count as 1, ``(3, 4)``; all others count as 0.
    no_answer
        Codes that mean no answer.
    scale
        Number of points (answers 1, 2, ..., `scale`) or the allowed answers, where `codes` are given; anything else
        is an error, not a zero.

    Notes
    -----
    The weighted pseudo-likelihood :math:`\sum_i w_i [y_i \eta_i - \log(1 + e^{\eta_i})]` with :math:`\eta_i =
    x_i'\beta` is maximised by Newton's method. With :math:`\mu_i = 1/(1 + e^{-\eta_i})` and :math:`A = \sum_i w_i
    \mu_i (1 - \mu_i) x_i x_i'` the influence of person i is :math:`A^{-1} w_i (y_i - \mu_i) x_i`. Estimates and
    influences are log odds ratios, displayed as odds ratios (the constant: odds). :class:`MarginalEffect` gives
    percentage points.

    References
    ----------
    Binder (1983), On the variances of asymptotically normal estimators from complex surveys; ``svyglm`` of R's survey
    package.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "sex": ["f"] * 4 + ["m"] * 4})
    >>> sample = Sample(frame.assign(park=[1, 3, 3, 4, 1, 1, 2, 4]), SurveyDesign())
    >>> result = Logit("park", (Category("sex", "m"),), codes=(3, 4), scale=4).estimate(sample)
    >>> [round(float(odds), 3) for odds in result.display()["estimate"]]
    [0.333, 9.0]
    """

    outcome: str
    terms: tuple[Term, ...] = ()
    _: KW_ONLY
    codes: tuple[Any, ...] | None = None
    no_answer: tuple[Any, ...] = ()
    scale: int | tuple[Any, ...] | None = None
    level: float = 0.95

    link = LOGIT
    unit = "share"

    def __post_init__(self) -> None:
        check_terms(self.outcome, self.terms, self.level)
        if self.codes is not None and not self.codes:
            raise DesignError(Problem("survey.codes_none"))
        outside = [code for code in self.codes or () if self.answers and code not in self.answers]
        if outside:
            raise DesignError(Problem("survey.codes_outside", codes=some(outside), scale=some(self.answers)))

    @property
    def answers(self) -> tuple[Any, ...]:
        """Allowed answers; empty where no scale is given."""
        return answers_on(self.scale)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each coefficient, as log odds ratios.

        Raises
        ------
        DesignError
            As :class:`Linear`; the outcome is neither 0 nor 1 and no codes are given; an answer is off the scale.
        EstimationError
            As :class:`Linear`; a coefficient has no finite value, because a term separates the answers.
        """
        return self.fit(sample).result(self, Scale("log", "odds ratio"))

    def fit(self, sample: Sample) -> Fit:
        """Return the fitted model; see :meth:`estimate` for what it refuses."""
        series, silent = answers_of(
            sample, self.outcome, allowed=self.answers, no_answer=self.no_answer, codes=self.codes
        )
        if self.codes is not None:
            values = series.isin(self.codes).to_numpy(dtype=float)
            values[silent] = np.nan
            return _fit(self, sample, values)
        values = numbers(sample, self.outcome)
        if self.no_answer:
            values = np.where(silent, np.nan, values)
        asked = ~np.isnan(values) if sample.inside is None else ~np.isnan(values) & sample.inside
        other = asked & (values != 0) & (values != 1)
        if other.any():
            found = some(np.sort(series[other].unique()))
            raise DesignError(Problem("survey_models.not_binary", column=self.outcome, values=found))
        return _fit(self, sample, values)


@dataclass(frozen=True)
class Poisson:
    r"""Poisson regression of a count, such as times victimised in twelve months; the variance may be any other.

    Parameters
    ----------
    outcome
        Numeric column, 0 or more.
    terms, level
        As in :class:`Linear`.

    Notes
    -----
    :math:`\hat\beta` solves :math:`\sum_i w_i (y_i - \mu_i) x_i = 0` with :math:`\mu_i = e^{x_i'\beta}`; the influence
    of person i is :math:`A^{-1} w_i (y_i - \mu_i) x_i` with :math:`A = \sum_i w_i \mu_i x_i x_i'`. Only the mean is a
    model: the variance comes from the design. Estimates are log ratios of means, displayed as ratios.

    References
    ----------
    Gourieroux, Monfort and Trognon (1984), Pseudo maximum likelihood methods: applications to Poisson models;
    ``svyglm`` of R's survey package.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "centre": [0, 0, 1, 1], "times": [0, 1, 2, 1]})
    >>> result = Poisson("times", ("centre",)).estimate(Sample(frame, SurveyDesign()))
    >>> [round(float(ratio), 2) for ratio in result.display()["estimate"]]
    [0.5, 3.0]
    """

    outcome: str
    terms: tuple[Term, ...] = ()
    _: KW_ONLY
    level: float = 0.95

    link = LOG
    unit = "mean"

    def __post_init__(self) -> None:
        check_terms(self.outcome, self.terms, self.level)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each coefficient, as log ratios of means.

        Raises
        ------
        DesignError
            As :class:`Linear`; a count is below zero.
        EstimationError
            As :class:`Linear`; a category has only zeros.
        """
        return self.fit(sample).result(self, Scale("log", "ratio"))

    def fit(self, sample: Sample) -> Fit:
        """Return the fitted model; see :meth:`estimate` for what it refuses."""
        values = numbers(sample, self.outcome)
        asked = ~np.isnan(values) if sample.inside is None else ~np.isnan(values) & sample.inside
        below = asked & (values < 0)
        if below.any():
            rows = some(sample.frame.index[below])
            raise DesignError(Problem("survey_models.negative", column=self.outcome, n=int(below.sum()), rows=rows))
        return _fit(self, sample, values)


def _fit(method: Linear | Logit | Poisson, sample: Sample, values: np.ndarray) -> Fit:
    people = gather(sample, method.outcome, np.isnan(values), method.terms)
    matrix, answers = people.matrix(), values[people.rows]
    if answers.min() == answers.max():
        answer, n = named(float(answers[0])), len(answers)
        raise EstimationError(Problem("survey_models.same_answers", column=method.outcome, n=n, answer=answer))
    start = np.zeros(matrix.width)
    start[0] = method.link.inverse(float(people.weights @ answers) / float(people.weights.sum()))
    labels, pieces = matrix.labels, _pieces(matrix, people.weights, answers, method.link)
    coefficients, information = newton(pieces, start, labels, matrix.largest)
    left = people.weights * (answers - method.link.mean(matrix.times(coefficients)))
    scores = matrix.sums(left, people.unit, people.units)
    influence = solve(information, scores.T).T
    return Fit(people, matrix, coefficients, influence, labels, matrix.width - 1)


def _pieces(
    matrix: Matrix, weights: np.ndarray, answers: np.ndarray, link: Link
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray] | None]:
    """Return the function that gives gradient and negative Hessian of the pseudo-likelihood."""

    @np.errstate(over="ignore", invalid="ignore")  # a step that goes so far is halved
    def pieces(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        gradient, information = np.zeros(matrix.width), np.zeros((matrix.width, matrix.width))
        for chunk in matrix.chunks():
            mean, weight = link.mean(chunk.times(coefficients)), weights[chunk.rows]
            gradient += chunk.sums(weight * (answers[chunk.rows] - mean))
            information += chunk.gram(weight * link.slope(mean))
        return (gradient, information) if np.isfinite(information).all() else None

    return pieces
