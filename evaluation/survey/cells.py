"""Answers by area and wave: one number for each cell, and the influence of every sampling unit on it.

What the comparison of areas over time is made of. Ordered answers get a place on the latent scale of the
proportional-odds model. What is left out: changes (:mod:`evaluation.survey.area_changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Counts, Note
from evaluation.sample import Sample
from evaluation.survey.domains import Domains, account, linearise
from evaluation.survey.estimation import Mean, Share
from evaluation.survey.model_cumulative import LINKS, CumulativeLink
from evaluation.survey.model_data import answers_of, in_order
from evaluation.survey.ordinal import Ordinal
from evaluation.survey.waves import divide_waves

Measurable = Mean | Share | Ordinal
PRIOR = 0.5  # answers, distributed like everybody's, that keep the place of a cell finite where all answers are alike
PRIOR_ANSWERS = 4.0  # of everybody, that keep the variance of an area away from zero where all its answers are alike
ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Cells:
    """Estimates of ``A`` areas in ``W`` waves.

    Parameters
    ----------
    areas
        ``(A,)`` labels, sorted.
    estimate
        ``(A, W)``; missing where nobody answered.
    influence
        ``(m, A, W)`` of the sampling units.
    answers
        ``(A, W)`` number of answers.
    effective
        ``(A, W)`` number of equally weighted answers that would be as precise, after Kish.
    relative
        ``(A,)`` variance of one answer, up to a factor that all areas share: ``p (1 - p)`` of a share.
    counts, notes
        Who was left out.
    """

    areas: np.ndarray
    estimate: np.ndarray
    influence: np.ndarray
    answers: np.ndarray
    effective: np.ndarray
    relative: np.ndarray
    counts: Counts
    notes: tuple[Note, ...]


def cells_of(estimator: Measurable, sample: Sample, area: str, waves: Sequence[Any]) -> Cells:
    """Return the estimates of all areas in `waves` (of the design's wave column), from one variable.

    Raises
    ------
    DesignError
        A column does not exist, an answer is not on the scale.
    EstimationError
        Nobody answered, or everybody alike.
    """
    divided = divide_waves(sample, (area,), waves)
    domains = divided.domains
    if isinstance(estimator, Ordinal):
        values, found = _places(estimator, domains)
    else:
        values = next(estimator.values(divided.sample))[1]
        linear = linearise(domains, values, "mean")
        found = linear.estimate, linear.influence
    answered = (domains.codes >= 0) & ~np.isnan(values)
    name = estimator.outcome if isinstance(estimator, Ordinal) else str(estimator.variable)
    counts, notes = account(domains, {name: int(answered.sum())})
    if values[answered].min() == values[answered].max():
        raise EstimationError(Problem("survey_change.no_variation", column=name, n=int(answered.sum())))
    codes, weights = domains.codes[answered], domains.sample.plan.weights[answered]
    n = np.bincount(codes, minlength=domains.size)
    squares = np.bincount(codes, weights**2, minlength=domains.size)
    total = np.bincount(codes, weights, minlength=domains.size)
    estimate = divided.arranged(found[0], np.nan)
    effective = divided.arranged(total**2 / np.where(squares > 0, squares, 1.0))
    shares = isinstance(estimator, Share)
    return Cells(
        areas=divided.keys[area].to_numpy(),
        estimate=estimate,
        influence=divided.arranged(found[1]),
        answers=divided.arranged(n.astype(float)).astype(int),
        effective=effective,
        relative=_binomial(estimate, effective) if shares else np.ones(len(estimate)),
        counts=counts,
        notes=notes,
    )


def _binomial(estimate: np.ndarray, effective: np.ndarray) -> np.ndarray:
    """Return ``p (1 - p)`` of every area over all waves, its share drawn towards that of all areas a little.

    Over all waves, because a share over two waves says nothing about the difference between them.
    """
    hits = np.nansum(np.nan_to_num(estimate) * effective, axis=1)
    n = effective.sum(axis=1)
    share = (hits + PRIOR_ANSWERS * hits.sum() / n.sum()) / (n + PRIOR_ANSWERS)
    return np.asarray(share * (1 - share))


# --- ordered answers ---


def _places(estimator: Ordinal, domains: Domains) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    r"""Return the positions of the answers on the scale, and each cell's place with its influences.

    With the thresholds :math:`\tau` of all answers together, the place :math:`\eta` of a cell maximises
    :math:`\sum_i \tilde w_i \log p_{y_i}(\eta) + \frac12 \sum_j \bar p_j \log p_j(\eta)`, where :math:`p_j(\eta) =
    F(\tau_j - \eta) - F(\tau_{j-1} - \eta)`, weights have the mean one within the cell, and :math:`\bar p_j` is the
    share of answer j among everybody: half an answer, as half a case is added to counts before logs are taken.
    """
    sample = domains.sample
    series, silent = answers_of(sample, estimator.outcome, allowed=estimator.answers, no_answer=estimator.no_answer)
    used = (domains.codes >= 0) & ~silent
    if not used.any():
        raise EstimationError(Problem("survey.no_answers", column=estimator.outcome, n=sample.size))
    answers = estimator.answers or in_order(series[used])
    given = pd.Index(list(answers)).get_indexer(pd.Index(series[used]))
    kept = np.flatnonzero(np.bincount(given, minlength=len(answers)))
    given = np.searchsorted(kept, given)
    values = np.full(len(silent), np.nan)
    values[used] = given
    codes, weights, k, points = domains.codes[used], sample.plan.weights[used], domains.size, len(kept)
    n, total = np.bincount(codes, minlength=k), np.bincount(codes, weights, minlength=k)
    scaled = weights * (n / np.where(total > 0, total, 1.0))[codes]
    counts = np.bincount(codes * points + given, scaled, minlength=k * points).reshape(k, points)
    overall = np.bincount(given, weights, minlength=points) / weights.sum()
    if points < 2:
        return values, (np.zeros(k), np.zeros((len(sample.plan.units), k)))
    latent = LINKS[estimator.link]
    thresholds = latent.quantile(np.cumsum(overall)[:-1])
    place, score, information = _fitted(counts + PRIOR * overall, thresholds, latent)
    scores = scaled * score[codes, given] / information[codes]
    m = len(sample.plan.units)
    influence = np.bincount(sample.plan.unit[used] * k + codes, scores, minlength=m * k).reshape(m, k)
    return values, (np.where(n > 0, place, np.nan), influence)


def _fitted(
    counts: np.ndarray, thresholds: np.ndarray, latent: CumulativeLink
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places ``(k,)``, scores of every answer at them ``(k, J)`` and informations ``(k,)``, by Newton's method.

    The log likelihood is concave; steps are kept short, so that a cell at the end of the scale is reached from within.
    """
    place = np.zeros(len(counts))
    for _ in range(ROUNDS):
        score, bend = _scores(place, thresholds, latent)
        information = -(counts * bend).sum(axis=1)
        step = np.clip((counts * score).sum(axis=1) / information, -1.0, 1.0)
        place = place + step
        if np.abs(step).max() < 1e-12:
            break
    score, bend = _scores(place, thresholds, latent)
    return place, score, -(counts * bend).sum(axis=1)


def _scores(place: np.ndarray, thresholds: np.ndarray, latent: CumulativeLink) -> tuple[np.ndarray, np.ndarray]:
    """Return first and second derivative ``(k, J)`` of the log probability of every answer by the place."""
    cuts = thresholds - place[:, None]
    edge = np.zeros((len(place), 1))
    below = np.concatenate([edge, latent.below(cuts), edge + 1.0], axis=1)
    density = np.concatenate([edge, latent.density(cuts), edge], axis=1)
    slope = np.concatenate([edge, latent.bend(cuts), edge], axis=1)
    chance = np.maximum(np.diff(below, axis=1), 1e-300)
    first = -np.diff(density, axis=1) / chance
    return first, np.diff(slope, axis=1) / chance - first**2
