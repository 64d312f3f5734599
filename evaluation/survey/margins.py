"""What a model says in shares and points: adjusted shares by group, and average marginal effects.

Every person is predicted as if they had one value of a variable and everything else as it is; the weighted mean of
the predictions is the estimate. Influences come from the coefficients and from who was drawn, so that results can be
contrasted and stacked like any other. What is left out: the models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.sample import Sample, some
from evaluation.survey.estimation import RESERVED
from evaluation.survey.intervals import share_interval
from evaluation.survey.model_cumulative import LINKS
from evaluation.survey.model_data import Respondents
from evaluation.survey.model_result import Fit
from evaluation.survey.model_terms import Category, Matrix, Values, column_of, named, parts_of
from evaluation.survey.models import Linear, Link, Logit, Poisson
from evaluation.survey.ordinal import Ordinal, OrdinalFit

Model = Linear | Logit | Poisson | Ordinal


@dataclass(frozen=True)
class AdjustedShare:
    r"""Share (or mean) of every group, with the composition of all people together.

    Parameters
    ----------
    model
        In which `by` is a :class:`Category`.
    by
        Column of the groups.
    codes
        Answers of an :class:`Ordinal` model that are counted together, ``(3, 4)`` for "unsafe".
    level
        Of the intervals; those of shares are made on the logit scale.

    Notes
    -----
    With weights w, fitted mean :math:`m` and everybody's covariates but the group, :math:`m_{ig} = m(x_i, g;
    \hat\theta)`,

    .. math:: \hat M_g = \frac{\sum_i w_i m_{ig}}{\sum_i w_i}, \qquad
        \text{influence of i:} \; \frac{w_i (m_{ig} - \hat M_g)}{\sum w}
        + \frac{\sum_j w_j \partial m_{jg} / \partial \theta}{\sum w} \, \text{influence of i on } \hat\theta .

    Column ``n`` holds the people of the group who are in the model.

    References
    ----------
    Graubard and Korn (1999), Predictive margins with survey data.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "area": ["00", "01"] * 4, "age": [20, 30, 40, 80] * 2})
    >>> sample = Sample(frame.assign(park=[1, 1, 3, 4, 2, 3, 4, 2]), SurveyDesign())
    >>> model = Ordinal("park", ("age", Category("area", "00")), scale=4)
    >>> AdjustedShare(model, "area", codes=(3, 4)).estimate(sample).table["estimate"].round(2).tolist()
    [0.61, 0.35]
    """

    model: Model
    by: str
    _: KW_ONLY
    codes: tuple[Any, ...] | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = _option_problems(self.model, self.codes, self.level)
        if self.by in RESERVED:
            problems.append(Problem("survey.reserved_column", column=self.by))
        categories = [column_of(part) for part in _parts(self.model) if isinstance(part, Category)]
        if self.by not in categories:
            problems.append(Problem("survey_models.by_no_category", column=self.by, known=categories))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each group, the reference first; shares of 1, or means on the scale of the outcome.

        Raises
        ------
        DesignError
            As the model; the codes never occur.
        EstimationError
            As the model.
        """
        fit, response, notes = _fitted(self.model, self.codes, sample)
        part = next(part for part in _parts(self.model) if column_of(part) == self.by)
        values = fit.people.values[part]
        found = [_average(fit, response, _as_if(fit.people, part, group)) for group in range(len(values.levels))]
        keys = pd.DataFrame({"variable": self.model.outcome, self.by: list(values.levels)})
        keys["n"] = np.bincount(_codes(values), minlength=len(values.levels))
        estimate, influence = np.array([one[0] for one in found]), np.column_stack([one[1] for one in found])
        unit = "share" if isinstance(self.model, Ordinal) else self.model.unit
        scale = Scale("identity", unit)
        result = fit.estimates(self, keys, (estimate, influence), scale=scale, notes=notes)
        if unit != "share":
            return result
        arrays = [result.table[name].to_numpy(dtype=float) for name in ("estimate", "std_error", "df", "n")]
        low, high = share_interval(*arrays, level=self.level)
        return replace(result, table=result.table.assign(conf_low=low, conf_high=high))


@dataclass(frozen=True)
class MarginalEffect:
    r"""Average marginal effect of a variable on a share (or mean): percentage points, not odds ratios.

    Parameters
    ----------
    model
        In which `variable` is a term or part of one.
    variable
        Column. Of a :class:`Category` each value is compared with the reference; of a number the derivative is
        averaged, which is the effect of one unit where the effect is small.
    codes, level
        As in :class:`AdjustedShare`; intervals are symmetric.

    Notes
    -----
    Of a category: :math:`\hat M_g - \hat M_0`, see :class:`AdjustedShare`. Of a number z:
    :math:`\sum_i w_i \, m'(\eta_i) \, \partial \eta_i / \partial z / \sum_i w_i`, where the last derivative counts
    interactions with z; influences are linearised in the same way.

    References
    ----------
    Bartus (2005), Estimation of marginal effects using margeff; Graubard and Korn (1999), Predictive margins with
    survey data.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "sex": ["f"] * 4 + ["m"] * 4})
    >>> sample = Sample(frame.assign(unsafe=[1, 1, 1, 0, 1, 0, 0, 0]), SurveyDesign())
    >>> effect = MarginalEffect(Logit("unsafe", (Category("sex", "m"),)), "sex").estimate(sample)
    >>> round(float(effect.table.loc[0, "estimate"]), 6)
    0.5
    """

    model: Model
    variable: str
    _: KW_ONLY
    codes: tuple[Any, ...] | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = _option_problems(self.model, self.codes, self.level)
        columns = [column_of(part) for part in _parts(self.model)]
        if self.variable not in columns:
            problems.append(Problem("survey_models.not_in_model", column=self.variable, known=columns))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for a number, or one for each category but the reference; errors as of the shares."""
        fit, response, notes = _fitted(self.model, self.codes, sample)
        part = next(part for part in _parts(self.model) if column_of(part) == self.variable)
        if isinstance(part, Category):
            values = fit.people.values[part]
            codes = _codes(values)
            base = _average(fit, response, _as_if(fit.people, part, 0))
            found = [_average(fit, response, _as_if(fit.people, part, g)) for g in range(1, len(values.levels))]
            found = [(mean - base[0], influence - base[1]) for mean, influence in found]
            labels = [named(level) for level in values.levels[1:]]
            sizes = np.bincount(codes, minlength=len(values.levels))[1:]
        else:
            found, labels, sizes = [_derivative(fit, response, part)], [""], np.array([fit.matrix.n])
        keys = pd.DataFrame({"term": self.variable, "category": labels, "n": sizes})
        unit = "percentage_points" if isinstance(self.model, Ordinal | Logit) else "difference"
        estimate, influence = np.array([one[0] for one in found]), np.column_stack([one[1] for one in found])
        return fit.estimates(self, keys, (estimate, influence), scale=Scale("identity", unit), notes=notes)


@dataclass(frozen=True, eq=False)
class Response:
    """The predicted mean as a function of the linear predictor ``(n,)``.

    Parameters
    ----------
    mean
        Returns the mean ``(n,)`` and its derivatives, by the linear predictor ``(n,)`` and by each threshold
        ``(J - 1, n)`` (no rows where the model has no thresholds).
    slope
        Returns the derivative by the linear predictor ``(n,)``, and the derivatives of that.
    """

    mean: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
    slope: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def _parts(model: Model) -> list[Any]:
    return list(dict.fromkeys(part for term in model.terms for part in parts_of(term)))


def _codes(values: Values) -> np.ndarray:
    if values.codes is None:  # the caller has chosen a category
        raise TypeError("values of a category without codes")
    return values.codes


def _option_problems(model: Model, codes: tuple[Any, ...] | None, level: float) -> list[Problem]:
    problems = [] if 0 < level < 1 else [Problem("survey.level_option", value=level)]
    if isinstance(model, Ordinal):
        if not codes:
            problems.append(Problem("survey.codes_none"))
        outside = [code for code in codes or () if model.answers and code not in model.answers]
        if outside:
            problems.append(Problem("survey.codes_outside", codes=some(outside), scale=some(model.answers)))
    elif codes is not None:
        problems.append(Problem("survey_models.codes_of_ordinal", method=type(model).__name__))
    return problems


def _fitted(model: Model, codes: tuple[Any, ...] | None, sample: Sample) -> tuple[Fit, Response, tuple[Note, ...]]:
    if not isinstance(model, Ordinal):
        return model.fit(sample), _mean_response(model.link), ()
    fitted = model.fit(sample)
    absent = [code for code in codes or () if code not in fitted.answers]
    if not model.answers and absent:
        known = some(fitted.answers)
        raise DesignError(Problem("survey.codes_absent", column=model.outcome, codes=some(absent), known=known))
    return fitted.fit, _share_response(fitted, model.link, codes or ()), fitted.notes


def _mean_response(link: Link) -> Response:
    def mean(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = link.mean(predictor)
        return found, link.slope(found), np.zeros((0, len(predictor)))

    def slope(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = link.mean(predictor)
        return link.slope(found), link.curvature(found), np.zeros((0, len(predictor)))

    return Response(mean, slope)


def _share_response(fitted: OrdinalFit, link: str, codes: tuple[Any, ...]) -> Response:
    """Return the probability of answers: a sum of the latent distribution at the thresholds where they begin or end."""
    counted = np.array([answer in codes for answer in fitted.answers], dtype=float)
    signs, thresholds, latent = counted[:-1] - counted[1:], fitted.thresholds, LINKS[link]

    used = np.flatnonzero(signs)  # thresholds within the answers counted, or outside of them, cancel

    def spread(values: np.ndarray) -> np.ndarray:
        by_cut = np.zeros((len(signs), values.shape[1]))
        by_cut[used] = signs[used, None] * values
        return by_cut

    def mean(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        cuts = thresholds[used, None] - predictor
        density = spread(latent.density(cuts))
        return counted[-1] + signs[used] @ latent.below(cuts), -density.sum(axis=0), density

    def slope(predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        cuts = thresholds[used, None] - predictor
        bend = spread(latent.bend(cuts))
        return -signs[used] @ latent.density(cuts), bend.sum(axis=0), -bend

    return Response(mean, slope)


def _as_if(people: Respondents, part: Category, group: int) -> Matrix:
    """Return the columns that everybody would have in one group."""
    values = people.values[part]
    everybody = replace(values, codes=np.full(len(people.weights), group, dtype=np.intp))
    return people.having(part, everybody).matrix()


def _average(fit: Fit, response: Response, matrix: Matrix) -> tuple[float, np.ndarray]:
    """Return the weighted mean of the predictions and its influence ``(m,)``."""
    weights, width = fit.people.weights / fit.people.weights.sum(), matrix.width
    mean, slope, cuts = response.mean(matrix.times(fit.coefficients[:width]))
    average = float(weights @ mean)
    by_parameter = np.concatenate([matrix.sums(weights * slope)[0], cuts @ weights])
    drawn = np.bincount(fit.people.unit, weights * (mean - average), minlength=fit.people.units)
    return average, drawn + fit.influence @ by_parameter


def _derivative(fit: Fit, response: Response, part: str) -> tuple[float, np.ndarray]:
    """Return the weighted mean of the derivative by a number, and its influence ``(m,)``."""
    people, width = fit.people, fit.matrix.width
    weights = people.weights / people.weights.sum()
    # The predictor is linear in the number, so that its derivative is the difference between one and zero.
    ends = [people.having(part, Values(numbers=np.full(len(weights), end))) for end in (0.0, 1.0)]
    zero, one = (end.matrix() for end in ends)
    rise = one.times(fit.coefficients[:width]) - zero.times(fit.coefficients[:width])
    slope, curvature, cuts = response.slope(fit.matrix.times(fit.coefficients[:width]))
    average = float(weights @ (slope * rise))
    by_slope = fit.matrix.sums(weights * curvature * rise) + one.sums(weights * slope) - zero.sums(weights * slope)
    by_parameter = np.concatenate([by_slope[0], cuts @ (weights * rise)])
    drawn = np.bincount(people.unit, weights * (slope * rise - average), minlength=people.units)
    return average, drawn + fit.influence @ by_parameter
