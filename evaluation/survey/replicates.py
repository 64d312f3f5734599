"""Replicate weights made from the design: jackknife, balanced half-samples and Fay's method, bootstrap.

Frozen options with one method, ``apply(sample)``, which returns the sample with replicates: every later estimate takes
its variance from them. Finite population corrections are kept at every stage. What is left out: replicate weights
that a statistics office delivers (:mod:`evaluation.survey.replicate_columns`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

import numpy as np

from evaluation.errors import DesignError, Problem
from evaluation.influence.multipliers import streams
from evaluation.sample import Replicates, Sample, some
from evaluation.survey.replicate_hadamard import hadamard
from evaluation.survey.replicate_stages import Drawn, stages_of
from evaluation.survey.weight_apply import with_replicates
from evaluation.survey_design import as_columns

Centre = Literal["mean", "estimate"]
CENTRES = ("mean", "estimate")
Kind = Literal["rao_wu", "subsample"]
KINDS = ("rao_wu", "subsample")
MOST = 2**26  # units times replicates; half a gigabyte
WIDE = 2**24  # beyond, bootstrap factors are stored in single precision, exact to 6e-8


@dataclass(frozen=True)
class Jackknife:
    r"""Every cluster is left out once: JK1 without strata, JKn with them, and the same at later stages.

    Parameters
    ----------
    centre
        Squared distances are from the ``mean`` of the replicates, or from the ``estimate`` (more cautious).

    Notes
    -----
    Without cluster i of stratum h the others of h weigh :math:`n_h/(n_h - 1)` as much, and the squared distance counts
    :math:`a_h^2 (n_h - 1)/n_h` with the finite population correction :math:`a_h^2 = 1 - f_h`. At later stages, where
    they enter the variance, units are left out within the cluster above, and :math:`a^2` has the fractions drawn
    above as a factor. Of a total the variance is exactly that of linearisation.

    References
    ----------
    Wolter (2007), Introduction to variance estimation, chapter 4; ``as.svrepdesign`` of R's survey package, which
    drops corrections after the first stage.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Mean, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "x": [1.0, 2.0, 6.0]})
    >>> result = Mean("x").estimate(Jackknife().apply(Sample(frame, SurveyDesign())))
    >>> result.influence.values.shape, round(float(result.table.loc[0, "std_error"]), 6)
    ((3, 1), 1.527525)
    """

    centre: Centre = "mean"

    def __post_init__(self) -> None:
        _check_centre(self.centre)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample with one replicate for each cluster.

        Raises
        ------
        DesignError
            So many clusters that their replicates do not fit into memory.
        """
        plan, lonely = sample.plan.sampling, sample.design.lonely
        stages = list(stages_of(plan, lonely))
        dropped = [np.flatnonzero(stage.varying | (stage.lonely & (lonely == "adjust"))) for stage in stages]
        number, units = sum(map(len, dropped)), len(plan.units)
        if number * units > MOST:
            raise DesignError(Problem("survey_weights.too_many", n=number, units=units))
        factors = [_without(stage, left) for stage, left in zip(stages, dropped, strict=True)]
        scale = [_jackknife_scale(stage, left) for stage, left in zip(stages, dropped, strict=True)]
        replicates = Replicates(
            factors=np.concatenate(factors, axis=1),
            rows=plan.unit,
            scale=np.concatenate(scale),
            labels=_labels("jackknife", number),
            centre=self.centre,
        )
        return with_replicates(sample, replicates, ("survey_weights.note.replicates_jackknife", {"n": number}))


@dataclass(frozen=True)
class BalancedReplication:
    r"""Balanced half-samples (BRR) of strata with two clusters each, whole or with Fay's smaller steps.

    Parameters
    ----------
    fay
        Fay's :math:`\rho`, 0 or more and below 1: the left-out half keeps this part of its weight, so that no domain
        is ever empty. 0: plain half-samples.
    centre
        As in :class:`Jackknife`.

    Notes
    -----
    With signs of a Hadamard matrix, cluster i = 1, 2 of stratum h gets the factor :math:`1 \pm (1 - \rho) a_h`, and
    squared distances count :math:`1/(R (1 - \rho)^2)`; :math:`a_h^2 = 1 - f_h` keeps the finite population correction,
    and :math:`a_h = 1` without one. Pairs at later stages have signs of their own.

    References
    ----------
    McCarthy (1969), Pseudo-replication: half samples; Judkins (1990), Fay's method for variance estimation.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Mean, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": ["a", "a", "b", "b"], "weight": 1.0, "x": [1.0, 3.0, 5.0, 9.0]})
    >>> result = Mean("x").estimate(BalancedReplication().apply(Sample(frame, SurveyDesign())))
    >>> len(result.influence.values), round(float(result.table.loc[0, "std_error"]), 6)
    (4, 1.118034)
    """

    _: KW_ONLY
    fay: float = 0.0
    centre: Centre = "mean"

    def __post_init__(self) -> None:
        _check_centre(self.centre)
        if not 0 <= self.fay < 1:
            raise DesignError(Problem("survey_weights.fay_option", value=self.fay))

    def apply(self, sample: Sample) -> Sample:
        """Return the sample with one replicate for each row of a Hadamard matrix.

        Raises
        ------
        DesignError
            A stratum with more than two clusters; corrections at several stages that need a larger `fay`.
        """
        plan, lonely = sample.plan.sampling, sample.design.lonely
        stages = list(stages_of(plan, lonely))
        larger = [_larger_strata(sample, stage, number) for number, stage in enumerate(stages)]
        if any(larger):
            raise DesignError(*(problem for problems in larger for problem in problems))
        steps = [_steps(stage, lonely, number) for number, stage in enumerate(stages)]
        largest = float(sum(np.abs(step).sum(axis=1) for step in steps).max())
        if (1 - self.fay) * largest > 1 + 1e-12:
            least = float(np.ceil(100 - 100 / largest)) / 100
            raise DesignError(Problem("survey_weights.fay_needed", value=self.fay, least=least))
        moves = np.concatenate(steps, axis=1)
        signs = hadamard(moves.shape[1])[:, 1 : 1 + moves.shape[1]]
        factors = 1.0 + (1 - self.fay) * moves @ signs.T
        number = len(signs)
        replicates = Replicates(
            factors=factors,
            rows=plan.unit,
            scale=np.full(number, stages[0].extra / (number * (1 - self.fay) ** 2)),
            labels=_labels(f"balanced {self.fay:g}", number),
            centre=self.centre,
        )
        return with_replicates(sample, replicates, ("survey_weights.note.replicates_balanced", {"n": number}))


@dataclass(frozen=True)
class SurveyBootstrap:
    r"""Clusters are drawn again and again within their strata.

    Parameters
    ----------
    draws
        Number of replicates.
    seed
        Of the draws.
    kind
        ``rao_wu``: of :math:`n_h` clusters :math:`n_h - 1` are drawn with replacement; ``subsample``: half of them
        without replacement. Both at every stage that enters the variance.
    centre
        As in :class:`Jackknife`.

    Notes
    -----
    With t the number of times a cluster was drawn over its expectation, the factor is :math:`1 + \lambda (t - 1)`,
    where :math:`\lambda^2 = a_h^2 m_h/(n_h - 1)` with, :math:`a_h^2 m_h/(n_h - m_h)` without replacement, for m draws
    and the finite population correction :math:`a_h^2 = 1 - f_h`. A second stage adds :math:`\lambda_2 \sqrt{t_1} (t_2 -
    1)`, and so on: of a total, the variance expected over draws is that of linearisation. Replicates are the same on
    every run with the same seed.

    References
    ----------
    Rao, Wu and Yue (1992), Some recent work on resampling methods for complex surveys; Preston (2009), Rescaled
    bootstrap for stratified multistage sampling.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Mean, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "x": np.arange(100.0)})
    >>> result = Mean("x").estimate(SurveyBootstrap(draws=500, seed=1).apply(Sample(frame, SurveyDesign())))
    >>> round(float(result.table.loc[0, "std_error"]), 1)  # 2.9 by linearisation
    2.8
    """

    _: KW_ONLY
    draws: int = 500
    seed: int = 1
    kind: Kind = "rao_wu"
    centre: Centre = "mean"

    def __post_init__(self) -> None:
        _check_centre(self.centre)
        problems = []
        if self.kind not in KINDS:
            problems.append(Problem("survey_weights.kind_option", value=self.kind, allowed=KINDS))
        if self.draws < 2:
            problems.append(Problem("survey_weights.draws_option", value=self.draws))
        if problems:
            raise DesignError(*problems)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample with `draws` replicates.

        Raises
        ------
        DesignError
            So many units and draws that they do not fit into memory.
        """
        plan, lonely = sample.plan.sampling, sample.design.lonely
        stages = list(stages_of(plan, lonely))
        units = len(plan.units)
        if units * self.draws > 4 * MOST:
            raise DesignError(Problem("survey_weights.too_many", n=self.draws, units=units))
        drawn = np.empty((self.draws, units), dtype=float if units * self.draws <= WIDE else np.float32)
        place = 0
        for size, generator in streams(self.draws, self.seed):
            drawn[place : place + size] = self._drawn(stages, lonely, size, generator)
            place += size
        replicates = Replicates(
            factors=drawn.T,
            rows=plan.unit,
            scale=np.full(self.draws, stages[0].extra / (self.draws - (self.centre == "mean"))),
            labels=_labels(f"{self.kind} {self.seed}", self.draws),
            centre=self.centre,
        )
        return with_replicates(sample, replicates, ("survey_weights.note.replicates_bootstrap", {"n": self.draws}))

    def _drawn(self, stages: list[Drawn], lonely: str, size: int, generator: np.random.Generator) -> np.ndarray:
        """Return factors ``(size, m)`` of some replicates."""
        total: np.ndarray | float = 1.0
        above: np.ndarray | float = 1.0
        for number, stage in enumerate(stages):
            times, step = self._times(stage, size, generator)
            deeper = np.sqrt(times) if number + 1 < len(stages) else None
            times -= 1.0
            times *= step * (stage.extra**0.5 if number else 1.0)
            if lonely == "adjust" and stage.lonely.any():
                signs = 2.0 * generator.integers(0, 2, (size, int(stage.lonely.sum()))) - 1.0
                times[:, stage.lonely] = stage.amplitude[stage.lonely] * signs
            total = total + above * _at_units(times, stage)
            above = 1.0 if deeper is None else above * _at_units(deeper, stage)
        return np.asarray(total)

    def _times(self, stage: Drawn, size: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(size, C)`` how often clusters were drawn over what is expected, and ``(C,)`` the lambda."""
        order = np.argsort(stage.strata, kind="stable")
        number = np.bincount(stage.strata)
        begins = np.cumsum(number) - number
        if self.kind == "subsample":
            taken = np.maximum(number // 2, 1)
            keys = stage.strata[order] + generator.random((size, len(order)))
            counts = np.zeros((size, len(order)))
            ranks = np.arange(len(order)) - np.repeat(begins, number)
            chosen = order[np.argsort(keys, axis=1)[:, ranks < np.repeat(taken, number)]]
            np.put_along_axis(counts, chosen, 1.0, axis=1)
            spread = np.maximum(number - taken, 1)
        else:
            taken = np.maximum(number - 1, 1)
            slots = generator.random((size, int(taken.sum())))
            drawn = (slots * np.repeat(number, taken)).astype(np.intp) + np.repeat(begins, taken)
            drawn += len(order) * np.arange(size)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=size * len(order)).reshape(size, -1).astype(float)
            if (order[1:] < order[:-1]).any():
                counts = counts[:, np.argsort(order)]
            spread = np.maximum(number - 1, 1)
        step = stage.amplitude * np.sqrt(taken / spread)[stage.strata]
        return counts * (number / taken)[stage.strata], np.where(stage.sizes > 1, step, 0.0)


def _at_units(values: np.ndarray, stage: Drawn) -> np.ndarray:
    """Return values of clusters ``(size, C)`` for the sampling units ``(size, m)``."""
    themselves = len(stage.clusters) == len(stage.strata) and (np.diff(stage.clusters) == 1).all()
    return values if themselves else values[:, stage.clusters]


def _check_centre(centre: str) -> None:
    if centre not in CENTRES:
        raise DesignError(Problem("survey_weights.centre_option", value=centre, allowed=CENTRES))


def _labels(name: str, number: int) -> np.ndarray:
    return np.array([f"{name} {position}" for position in range(1, number + 1)], dtype=object)


def _without(stage: Drawn, dropped: np.ndarray) -> np.ndarray:
    """Return factors ``(m, R)``: in each replicate one cluster is left out, and the others of its stratum stand in."""
    strata, sizes = stage.strata[dropped], stage.sizes[dropped]
    others = np.where(sizes > 1, sizes / np.maximum(sizes - 1, 1), 1.0)
    factors = np.where(stage.strata[:, None] == strata, others, 1.0)
    factors[dropped, np.arange(len(dropped))] = 0.0
    return np.asarray(factors[stage.clusters])


def _jackknife_scale(stage: Drawn, dropped: np.ndarray) -> np.ndarray:
    sizes = stage.sizes[dropped]
    counted = np.where(sizes > 1, (sizes - 1) / sizes * stage.extra, 1.0)
    return np.asarray(counted * stage.amplitude[dropped] ** 2)


def _larger_strata(sample: Sample, stage: Drawn, number: int) -> list[Problem]:
    """Return the problem that strata have more than two clusters."""
    large = np.flatnonzero((stage.sizes > 2) & (stage.amplitude > 0))
    if not len(large):
        return []
    plan, columns = sample.plan.sampling, as_columns(sample.design.strata)
    strata, first = np.unique(stage.strata[large], return_index=True)
    names = []
    if number < len(columns):
        units = [int(np.flatnonzero(stage.clusters == cluster)[0]) for cluster in large[first][:6]]
        names = some(sample.frame[columns[number]].iloc[plan.first[units]].to_numpy())
    return [Problem("survey_weights.not_paired", n=len(strata), strata=names or ["–"], stage=number + 1)]


def _steps(stage: Drawn, lonely: str, number: int) -> np.ndarray:
    """Return ``(m, pairs)`` how far the weight of a unit moves with the sign of each pair of clusters."""
    clusters = np.flatnonzero(stage.varying | (stage.lonely & (lonely == "adjust")))
    strata, first, pair = np.unique(stage.strata[clusters], return_index=True, return_inverse=True)
    signs = np.full(len(clusters), -1.0)
    signs[first] = 1.0
    steps = np.zeros((len(stage.strata), len(strata)))
    steps[clusters, pair] = signs * stage.amplitude[clusters] * (stage.extra**0.5 if number else 1.0)
    return np.asarray(steps[stage.clusters])
