"""Weights that fit the population: post-stratification, raking and calibration to margins, and trimming.

Frozen options with one method, ``apply(sample)``, which returns the sample with new weights. Later estimates know
that weights were fitted: their variance is that of what the margins do not explain, and replicates are fitted one by
one. What is left out: people who did not answer (:mod:`evaluation.survey.weight_response`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.sample import Adjustment, Sample, combine, first_rows, some
from evaluation.survey.weight_apply import Fitted, adjusted, apply_rule, weights_by_cell
from evaluation.survey.weight_margins import Columns, Margin, Population, people_of, read_margins
from evaluation.survey.weight_rules import METHODS, CellRule, Distance, MarginRule, Method, pseudo_inverse

ROUNDING = 1e-13  # of a weight


@dataclass(frozen=True, eq=False)
class PostStratify:
    r"""Weights add up to the population in every cell.

    Parameters
    ----------
    by
        One column, or several whose combinations are the cells.
    population
        Number of people by value of `by` (by tuple of values where there are several): a mapping, or a Series with
        the values as its index. Values with 0 people may stand in it.
    size
        Number of people in the population, where `population` gives shares; None: it gives numbers.

    Notes
    -----
    Weights are multiplied by :math:`g_c = N_c / \sum_{i \in c} d_i`. The influence of person i of cell c on an
    estimate, :math:`w_i z_i`, becomes :math:`w_i (z_i - \bar z_c)` with the mean weighted by the old weights d.

    References
    ----------
    Holt and Smith (1979), Post stratification; ``postStratify`` of R's survey package.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "sex": ["f", "f", "f", "m", "m"]})
    >>> sample = PostStratify("sex", {"f": 300, "m": 300}).apply(Sample(frame, SurveyDesign()))
    >>> sample.weights.tolist()
    [100.0, 100.0, 100.0, 150.0, 150.0]
    """

    by: Columns
    population: Population
    _: KW_ONLY
    size: float | None = None

    def __post_init__(self) -> None:
        _check_size(self.size)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample (or subpopulation) with new weights.

        Raises
        ------
        DesignError
            A column does not exist; people without a value; values that only the sample or only the population has;
            totals that are no numbers above 0.
        """
        margin = read_margins(sample, {self.by: self.population}, {}, self.size)[0]
        totals = margin.target.totals
        before = weights_by_cell(sample, margin.codes, len(totals))
        rule = CellRule(totals)
        fitted = Fitted(
            rule=rule,
            cells=margin.codes,
            size=len(totals),
            parameters=rule.solve(before[None], before[None])[0],
            inverse=1.0 / before,
            targets=(margin.target,),
        )
        return apply_rule(sample, fitted, ("survey_weights.note.post_stratified", {"margins": [margin.name]}))


@dataclass(frozen=True, eq=False)
class Calibrate:
    r"""Weights meet totals of several margins and of numeric columns, and change as little as possible.

    Parameters
    ----------
    margins
        By column (or tuple of columns), the number of people by value; see :class:`PostStratify`. All margins have the
        same sum.
    totals
        By numeric column, its total in the population.
    method
        ``linear``: the generalised regression estimator; ``raking``: factors are above 0; ``logit``: factors between
        `bounds`.
    bounds
        Smallest and largest factor, such as ``(0.3, 3)``; where `margins` give the number of people, relative to
        weights that were multiplied by one number so that they add up to it. Needed for ``logit``.
    size
        Number of people in the population, where margins give shares; None: they give numbers.

    Notes
    -----
    Weights are :math:`w_i = d_i F(x_i'\lambda)` with :math:`\sum_i w_i x_i = t`. The influence of person i on an
    estimate, :math:`w_i z_i`, becomes :math:`w_i (z_i - x_i'B)` with the regression :math:`B = (\sum d x x')^{-1} \sum
    d x z`: the variance is that of what x does not explain.

    References
    ----------
    Deville and Särndal (1992), Calibration estimators in survey sampling; ``calibrate`` of R's survey package.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "sex": ["f", "f", "m", "m"], "age": [20, 40, 30, 60]})
    >>> sample = Calibrate({"sex": {"f": 2, "m": 2}}, totals={"age": 155}).apply(Sample(frame, SurveyDesign()))
    >>> round(float(sample.weights @ frame["age"]), 6)
    155.0
    """

    margins: Mapping[Columns, Population] = field(default_factory=dict)
    _: KW_ONLY
    totals: Mapping[str, float] = field(default_factory=dict)
    method: Method = "linear"
    bounds: tuple[float, float] | None = None
    size: float | None = None

    def __post_init__(self) -> None:
        _check_size(self.size)
        problems = []
        if self.method not in METHODS:
            problems.append(Problem("survey_weights.method_option", value=self.method, allowed=METHODS))
        if not self.margins and not self.totals:
            problems.append(Problem("survey_weights.no_margins", method=type(self).__name__))
        if self.bounds is None and self.method == "logit":
            problems.append(Problem("survey_weights.bounds_needed"))
        if self.bounds is not None and not 0 <= self.bounds[0] < 1 < self.bounds[1] < np.inf:
            problems.append(Problem("survey_weights.bounds_option", value=self.bounds))
        if problems:
            raise DesignError(*problems)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample (or subpopulation) with new weights.

        Raises
        ------
        DesignError
            As :meth:`PostStratify.apply`; margins have different sums.
        EstimationError
            A total cannot be met (within the bounds, or together with the others); a weight would not be above zero.
        """
        margins = read_margins(sample, self.margins, self.totals, self.size)
        low, high = self.bounds or (-np.inf, np.inf)
        return _calibrated(sample, margins, Distance(self.method, low, high))


@dataclass(frozen=True, eq=False)
class Rake:
    """Weights meet several margins; within every combination of them they keep their proportions.

    Parameters
    ----------
    margins, size
        As in :class:`Calibrate`, of which this is the method ``raking``: the limit of fitting one margin after the
        other, again and again.

    References
    ----------
    Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table; ``rake`` of R's survey
    package.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "sex": ["f", "f", "m"], "old": [True, False, False]})
    >>> margins = {"sex": {"f": 50, "m": 50}, "old": {True: 20, False: 80}}
    >>> Rake(margins).apply(Sample(frame, SurveyDesign())).weights.round(9).tolist()
    [20.0, 30.0, 50.0]
    """

    margins: Mapping[Columns, Population]
    _: KW_ONLY
    size: float | None = None

    def __post_init__(self) -> None:
        _check_size(self.size)
        if not self.margins:
            raise DesignError(Problem("survey_weights.no_margins", method=type(self).__name__))

    def apply(self, sample: Sample) -> Sample:
        """Return the sample (or subpopulation) with new weights; errors as of :meth:`Calibrate.apply`."""
        return _calibrated(sample, read_margins(sample, self.margins, {}, self.size), Distance("raking"))


@dataclass(frozen=True)
class Trim:
    """Weights beyond bounds are cut off, and what they lose is shared out equally among the others.

    Parameters
    ----------
    low, high
        Smallest and largest weight.

    Notes
    -----
    The sum of the weights stays; weights that their share takes over a bound are cut off in their turn, until none is
    beyond. Later estimates take the factors of trimming as given numbers, also in replicates. Margins that were met
    before are met no longer: calibrate again, with bounds, where they matter.

    References
    ----------
    Potter (1990), A study of procedures to identify and trim extreme sampling weights; ``trimWeights`` of R's survey
    package with ``strict = TRUE``.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": [1.0, 2.0, 2.0, 7.0]})
    >>> Trim(high=4).apply(Sample(frame, SurveyDesign())).weights.tolist()
    [2.0, 3.0, 3.0, 4.0]
    """

    _: KW_ONLY
    low: float = 0.0
    high: float = np.inf

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise DesignError(Problem("survey_weights.trim_option", low=self.low, high=self.high))

    def apply(self, sample: Sample) -> Sample:
        """Return the sample (or subpopulation) with trimmed weights.

        Raises
        ------
        EstimationError
            No weights between the bounds have the same sum.
        """
        plan, people = sample.plan, np.flatnonzero(people_of(sample))
        given = plan.weights[people]
        mean = float(given.mean())
        if not self.low <= mean <= self.high:
            raise EstimationError(Problem("survey_weights.trim_mean", low=self.low, high=self.high, mean=mean))
        weights = self._trimmed(given)
        after = plan.weights.copy()
        after[people] = weights
        changed = int(((given < self.low) | (given > self.high)).sum())
        adjustment = Adjustment(before=plan.weights, after=after, among=sample.inside)
        remark = {"n": changed, "of": len(people), "low": float(weights.min()), "high": float(weights.max())}
        return adjusted(sample, adjustment, ("survey_weights.note.trimmed", remark))

    def _trimmed(self, weights: np.ndarray) -> np.ndarray:
        total = weights.sum()
        while True:
            clipped = np.clip(weights, self.low, self.high)
            beyond = np.abs(clipped - weights) > ROUNDING * weights
            if not beyond.any():
                return np.asarray(clipped)
            # After the first round all excess is of one sign, so that every round brings more weights to a bound.
            excess = total - clipped.sum()
            room = clipped < self.high if excess > 0 else clipped > self.low
            takers = room & ~beyond if (room & ~beyond).any() else room
            weights = clipped + np.where(takers, excess / max(int(takers.sum()), 1), 0.0)


def _check_size(size: float | None) -> None:
    if size is not None and not 0 < size < np.inf:
        raise DesignError(Problem("survey_weights.size_option", value=size))


def _calibrated(sample: Sample, margins: Sequence[Margin], distance: Distance) -> Sample:
    """Return the sample with weights that meet the margins."""
    among = people_of(sample)
    cells, first = _cells(margins, among)
    x = np.concatenate([_columns(margin, first) for margin in margins], axis=1)
    labels = tuple((margin.name, label) for margin in margins for label in margin.labels)
    sizes = [float(margin.target.totals.sum()) for margin in margins if margin.numbers is None]
    totals = np.concatenate([margin.target.totals for margin in margins])
    rule = MarginRule(x, totals, labels, distance, sizes[0] if sizes else None)
    before = weights_by_cell(sample, cells, len(first))
    fitted = Fitted(
        rule=rule,
        cells=cells,
        size=len(first),
        parameters=rule.solve_one(before),
        inverse=pseudo_inverse((x * before[:, None]).T @ x),
        x=x,
        targets=tuple(margin.target for margin in margins),
    )
    names = some([margin.name for margin in margins])
    return apply_rule(sample, fitted, (f"survey_weights.note.{distance.method}", {"margins": names}))


def _cells(margins: Sequence[Margin], among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cells ``(n,)`` of people who are alike in all margins, and one person of each."""
    people = np.flatnonzero(among)
    parts = []
    for margin in margins:
        values = margin.codes if margin.numbers is None else margin.numbers
        parts.append(np.unique(values[people], return_inverse=True)[1])
    found = combine(*parts) if len(parts) > 1 else combine(parts[0], np.zeros(len(people), dtype=np.intp))
    cells = np.zeros(len(among), dtype=np.intp)
    cells[people] = found
    return cells, people[first_rows(found)]


def _columns(margin: Margin, people: np.ndarray) -> np.ndarray:
    """Return ``(G, L)`` which total of the margin each of some people counts for, or ``(G, 1)`` their number."""
    if margin.numbers is not None:
        return np.asarray(margin.numbers[people, None])
    return np.asarray(margin.codes[people, None] == np.arange(len(margin.target.totals)), dtype=float)
