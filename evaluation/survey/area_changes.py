"""How much the answers of every area changed between waves, and how much of that is chance of the sample.

The yardstick of a survey: some 45 answers an area make changes of ten points common, and on top of it areas move by
themselves. What is left out: who has a measure (:mod:`evaluation.survey.difference`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.influence import variances
from evaluation.randomization.history import SMALLEST_VARIANCE, Changes, centred
from evaluation.sample import Sample
from evaluation.survey.cells import Cells
from evaluation.survey.domains import influence_of

EARLIER_PAIRS = 2  # pairs of earlier waves, each with a wave before it, that make a history


@dataclass(frozen=True, eq=False)
class AreaChanges:
    """Changes of the ``A`` areas that have answers in all waves.

    Parameters
    ----------
    areas
        ``(A,)`` labels.
    change
        ``(A,)`` mean of the later waves less mean of the earlier ones, and less `slope` times the rise.
    influence
        ``(m, A)`` of the sampling units.
    variance
        ``(A,)`` sampling variance, smoothed: see :func:`area_changes`.
    level
        ``(A,)`` mean of the estimates before and after, of which chance says nothing about the change.
    earlier
        ``(A,)`` estimate in the earlier waves.
    answers
        ``(A, 2)`` number of answers before and after.
    baseline_variance
        ``(A,)`` sampling variance of `earlier`, smoothed.
    rise
        ``(A,)`` rise just before the baseline; None where an area has no answers in an earlier wave.
    slope
        How much of the rise comes back, -1 to 0, where that is taken off.
    past
        Changes between pairs of earlier waves, with the rise before each; None where there are too few.
    """

    areas: np.ndarray
    change: np.ndarray
    influence: np.ndarray
    variance: np.ndarray
    level: np.ndarray
    earlier: np.ndarray
    answers: np.ndarray
    baseline_variance: np.ndarray
    rise: np.ndarray | None = None
    slope: float = 0.0
    past: Changes | None = None

    @property
    def reliability(self) -> float:
        """Share of the differences between areas before that is no chance of the sample, 0 to 1.

        The rest comes back by itself in areas that are chosen for their answers in these waves.
        """
        total = float(np.var(self.earlier, ddof=1)) if len(self.earlier) > 1 else 0.0
        return max(0.0, 1.0 - float(self.baseline_variance.mean()) / total) if total > 0 else 0.0


def area_changes(sample: Sample, cells: Cells, compared: tuple[int, int], *, slope: float = 0.0) -> AreaChanges:
    r"""Return the changes of all areas with answers in the waves that are compared.

    Parameters
    ----------
    cells
        Of waves in order of time; those that are compared stand last.
    compared
        Number of waves before and after.
    slope
        Change that follows a rise of one before the baseline: see :func:`return_slope`.

    Notes
    -----
    The sampling variance of a share estimated from few answers depends on these answers: an area in which by chance
    nobody feels unsafe would seem to be known exactly. Variances are therefore smoothed: :math:`v_i = c\,g_i` with
    :math:`g_i = \sum_t a_t^2 / n^*_{it}`, where :math:`a_t` are the weights of the waves in the change and
    :math:`n^*` Kish's number of effective answers, and c makes the sum of the :math:`v_i` that of the design-based
    variances; of shares :math:`g_i` has the factor :math:`p_i (1 - p_i)` with the share over all waves. Clusters
    within areas and people asked twice are in c.
    """
    before, after = compared
    plain = np.zeros(cells.estimate.shape[1])
    plain[-after:] = 1.0 / after
    plain[-after - before : -after] = -1.0 / before
    first = np.maximum(-plain, 0.0)
    kept = np.asarray((cells.answers[:, plain != 0] > 0).all(axis=1))
    rising = _rising(plain, cells.answers[kept], before)
    weights = plain if rising is None else plain - slope * rising
    estimate, influence = np.nan_to_num(cells.estimate[kept]), cells.influence[:, kept]
    effective = np.where(cells.effective[kept] > 0, cells.effective[kept], np.inf)
    per_answer = cells.relative[kept][:, None] / effective
    inverse, inverse_before = ((w**2 * per_answer).sum(axis=1) for w in (weights, first))
    return AreaChanges(
        areas=cells.areas[kept],
        change=estimate @ weights,
        influence=influence @ weights,
        variance=_smoothing(sample, influence @ weights, inverse) * inverse,
        level=estimate @ np.abs(plain) / 2,
        earlier=estimate @ first,
        answers=np.stack([cells.answers[kept][:, part].sum(axis=1) for part in (plain < 0, plain > 0)], axis=1),
        baseline_variance=_smoothing(sample, influence @ first, inverse_before) * inverse_before,
        rise=None if rising is None else estimate @ rising,
        slope=slope if rising is not None else 0.0,
        past=_history(sample, (estimate, influence, per_answer), compared),
    )


def _rising(plain: np.ndarray, answers: np.ndarray, before: int) -> np.ndarray | None:
    """Return the weights of the waves in the rise to the one baseline, None without an earlier wave."""
    base = int(np.flatnonzero(plain < 0)[0])
    if before > 1 or base == 0 or not (answers[:, base - 1] > 0).all():
        return None
    rising = np.zeros(len(plain))
    rising[base], rising[base - 1] = 1.0, -1.0
    return rising


def return_slope(changes: AreaChanges, treated: np.ndarray) -> float:
    """Return the change that follows a rise of one in areas without the measure, by least squares, -1 to 0.

    Where the sample alone makes areas differ it is about minus one half, and the baseline becomes the mean of two
    waves; where areas stay where they have got to, it is zero.
    """
    if changes.rise is None:
        return 0.0
    rise = changes.rise[~treated] - changes.rise[~treated].mean()
    moment = float(rise @ rise)
    return float(np.clip(rise @ changes.change[~treated] / moment, -1.0, 0.0)) if moment > 0 else 0.0


def _smoothing(sample: Sample, influence: np.ndarray, inverse: np.ndarray) -> float:
    """Return the variance of one answer, clusters and repeated answers included, that fits all areas together."""
    direct = variances(influence_of(sample, influence))
    return max(float(direct.sum() / inverse.sum()), SMALLEST_VARIANCE)


def _history(
    sample: Sample, cells: tuple[np.ndarray, np.ndarray, np.ndarray], compared: tuple[int, int]
) -> Changes | None:
    """Return changes between neighbouring earlier waves, each with the rise before; see :class:`AreaChanges`."""
    estimate, influence, per_answer = cells
    dates = np.arange(2, estimate.shape[1] - compared[1])
    if compared != (1, 1) or len(dates) < EARLIER_PAIRS or not (per_answer > 0).all():
        return None
    steps, level = np.diff(estimate, axis=1), []
    for date in dates:
        inverse = per_answer[:, date] + per_answer[:, date - 1]
        level.append(1.0 / (_smoothing(sample, influence[:, :, date] - influence[:, :, date - 1], inverse) * inverse))
    return Changes(
        dates=dates,
        change=centred(steps[:, dates - 1].T),
        rise=centred(steps[:, dates - 2].T),
        level=np.array(level),
    )


def shock_variance(change: np.ndarray, variance: np.ndarray, group: np.ndarray) -> float:
    r"""Return the variance :math:`\tau^2 \ge 0` of area x wave shocks in a change, by Paule and Mandel's moments.

    Parameters
    ----------
    change, variance
        ``(A,)`` changes and their sampling variances.
    group
        ``(A,)`` codes of groups with a mean of their own.

    Notes
    -----
    The root of :math:`\sum_i (d_i - \bar d_{g(i)})^2 / (\tau^2 + v_i) = A - G`, with means weighted alike; zero where
    the changes vary less than sampling lets expect.

    References
    ----------
    Paule and Mandel (1982), Consensus values and weighting factors; DerSimonian and Kacker (2007), Random-effects
    model for meta-analysis of clinical trials: an update.
    """
    df = len(change) - len(np.unique(group))
    if df < 1:
        return 0.0

    def excess(tau2: float) -> float:
        return weighted_spread(change, 1.0 / (tau2 + variance), group) - df

    if excess(0.0) <= 0:
        return 0.0
    from scipy.optimize import brentq

    # Beyond the plain variance of the changes there is no root: the sum is at most their sum of squares over tau^2.
    high = weighted_spread(change, np.ones(len(change)), group) / df * (1 + 1e-9)
    return float(brentq(excess, 0.0, high, xtol=1e-14 * high, rtol=1e-12))


def weighted_spread(change: np.ndarray, weights: np.ndarray, group: np.ndarray) -> float:
    """Return the weighted sum of squares around the weighted means of the groups."""
    total = np.bincount(group, weights)
    mean = np.bincount(group, weights * change) / np.where(total > 0, total, 1.0)
    return float((weights * (change - mean[group]) ** 2).sum())
