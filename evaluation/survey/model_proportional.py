"""Does one slope hold at every threshold of an ordered answer? The score test, with the variance of the design.

It needs no second fit. What is left out: models whose slopes differ by threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.influence import joint_test
from evaluation.sample import Sample
from evaluation.survey.model_fit import solve
from evaluation.survey.ordinal import Ordinal, OrdinalFit


@dataclass(frozen=True)
class ProportionalOdds:
    r"""Score test of the assumption that a term shifts all answers of an ordinal model alike.

    Parameters
    ----------
    model
        With at least one term; its `level` holds here too.

    Notes
    -----
    The wider model gives every threshold j its own slopes :math:`\beta + \delta_j`, :math:`\delta_1 = 0`. At the fit
    with :math:`\delta = 0`, with U the score and A the negative Hessian of the wider model, by blocks,

    .. math::
        \tilde U_\delta = U_\delta - A_{\delta\theta} A_{\theta\theta}^{-1} U_\theta, \quad
        \hat\delta = (A_{\delta\delta} - A_{\delta\theta} A_{\theta\theta}^{-1} A_{\theta\delta})^{-1} \tilde U_\delta

    and every sampling unit's part of these sums is its influence. Rows are the first Newton step :math:`\hat\delta`,
    about how much the slope differs from that at the first threshold; the Wald test that all are zero is the score
    test, because it does not change under linear maps. It is F on ``(r, d - r + 1)``, see
    :func:`evaluation.influence.joint_test`. Where it rejects, the share of each answer by group still is what it is:
    :class:`Share` does not need the assumption.

    References
    ----------
    Brant (1990), Assessing proportionality in the proportional odds model; Rao, Scott and Skinner (1998), Quasi-score
    tests with survey data.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "age": [20, 30, 40, 50, 60, 70, 80]})
    >>> sample = Sample(frame.assign(park=[1, 2, 1, 3, 2, 1, 3]), SurveyDesign())
    >>> result = ProportionalOdds(Ordinal("park", ("age",), scale=3)).estimate(sample)
    >>> result.table["threshold"].tolist(), result.facts["df_numerator"]
    (['2|3'], 1)
    """

    model: Ordinal

    def __post_init__(self) -> None:
        if not self.model.terms:
            raise DesignError(Problem("survey_models.no_terms", method=type(self).__name__))

    @property
    def level(self) -> float:
        """Of the intervals."""
        return self.model.level

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each slope and threshold but the first; ``facts`` hold the test.

        The facts are ``statistic`` (F), ``df_numerator``, ``df_denominator`` and ``p_value``.

        Raises
        ------
        DesignError
            As :meth:`Ordinal.estimate`.
        EstimationError
            As :meth:`Ordinal.estimate`; there are more slopes to compare than degrees of freedom.
        """
        fitted = self.model.fit(sample)
        fit, width = fitted.fit, fitted.ordered.matrix.width
        steps, influence = _first_step(fitted)
        cuts = [category for _, category in fit.labels[width + 1 :]]
        keys = pd.DataFrame(
            [(*label, cut) for cut in cuts for label in fit.labels[:width]], columns=["term", "category", "threshold"]
        )
        keys["n"] = np.tile(fit.matrix.sizes, len(cuts))
        order = fit.order(keys["term"])
        logit = self.model.link == "logit"
        scale = Scale("log", "ratio of odds ratios") if logit else Scale("identity", "latent scale")
        found = steps[order], influence[:, order]
        result = fit.estimates(self, keys.iloc[order].reset_index(drop=True), found, scale=scale, notes=fitted.notes)
        test = joint_test(result)
        facts = {name: getattr(test, name) for name in ("statistic", "df_numerator", "df_denominator", "p_value")}
        note = Note("survey_models.note.proportional", facts)
        return replace(result, facts={**result.facts, **facts}, notes=(*result.notes, note))


def _first_step(fitted: OrdinalFit) -> tuple[np.ndarray, np.ndarray]:
    """Return ``((J - 2) width,)`` the first step of the slopes' differences and its influence."""
    width, cuts = fitted.ordered.matrix.width, len(fitted.thresholds)
    information, scores = _wider_information(fitted), _wider_scores(fitted)
    # From slopes of every threshold and thresholds to: common slopes, thresholds, differences from the first.
    common = np.kron(np.ones((cuts, 1)), np.eye(width))
    wide = np.zeros((cuts * width + cuts, width + cuts + (cuts - 1) * width))
    wide[: cuts * width, :width] = common
    wide[cuts * width :, width : width + cuts] = np.eye(cuts)
    wide[width : cuts * width, width + cuts :] = np.eye((cuts - 1) * width)
    information, scores = wide.T @ information @ wide, scores @ wide
    kept, tested = slice(0, width + cuts), slice(width + cuts, None)
    projection = solve(information[kept, kept], information[kept, tested])
    left = information[tested, tested] - information[tested, kept] @ projection
    influence = solve(left, (scores[:, tested] - scores[:, kept] @ projection).T).T
    return influence.sum(axis=0), influence


def _wider_scores(fitted: OrdinalFit) -> np.ndarray:
    """Return ``(m, cuts width + cuts)`` the units' scores of the slopes at every threshold, and of the thresholds."""
    ordered, people, thresholds = fitted.ordered, fitted.fit.people, fitted.thresholds
    width, unit = ordered.matrix.width, people.unit[fitted.order]
    predictor = ordered.matrix.times(fitted.fit.coefficients[:width])
    by_cut = np.zeros((len(thresholds), ordered.matrix.n))
    for answer in range(ordered.answers):
        rows = slice(int(ordered.ends[answer]), int(ordered.ends[answer + 1]))
        at, weight = ordered.derivatives(thresholds, predictor[rows], answer), ordered.weights[rows]
        if answer < len(thresholds):
            by_cut[answer, rows] = weight * at.upper
        if answer:
            by_cut[answer - 1, rows] = -weight * at.lower
    slopes = [ordered.matrix.sums(-values, unit, people.units) for values in by_cut]
    cuts = [np.bincount(unit, values, minlength=people.units)[:, None] for values in by_cut]
    return np.concatenate([*slopes, *cuts], axis=1)


def _wider_information(fitted: OrdinalFit) -> np.ndarray:
    """Return the negative Hessian by the slopes at every threshold, and by the thresholds."""
    ordered, thresholds = fitted.ordered, fitted.thresholds
    width, cuts = ordered.matrix.width, len(thresholds)
    full = np.zeros((cuts * (width + 1),) * 2)

    def add(first: int, second: int, gram: np.ndarray, sums: np.ndarray, total: float) -> None:
        """Add to the information of two thresholds, once for each order of different ones."""
        for one, other in dict.fromkeys([(first, second), (second, first)]):
            slopes, cut = slice(one * width, (one + 1) * width), cuts * width + other
            full[slopes, other * width : (other + 1) * width] += gram
            full[slopes, cut] -= sums
            full[cut, slopes] -= sums
            full[cuts * width + one, cut] += total

    for answer in range(ordered.answers):
        for chunk in ordered.matrix.chunks(int(ordered.ends[answer]), int(ordered.ends[answer + 1])):
            weight = ordered.weights[chunk.rows]
            predictor = chunk.times(fitted.fit.coefficients[:width])
            at = ordered.derivatives(thresholds, predictor, answer)
            pairs = [(answer, answer, at.upper_upper), (answer - 1, answer - 1, at.lower_lower)]
            pairs += [(answer, answer - 1, at.upper_lower)]
            for first, second, bend in pairs:
                if second >= 0 and first < cuts:
                    values = weight * bend
                    add(first, second, chunk.gram(values), chunk.sums(values), float(values.sum()))
    return full
