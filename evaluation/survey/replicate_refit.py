"""Any estimator computed again with the weights of every replicate.

Means, shares, totals and ratios do that by themselves. Models and tests take their replicates from influences, which
is the first step of a new fit; this is the whole way.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import NUMBERS, Estimates
from evaluation.influence import estimates_from_influence
from evaluation.sample import Plan, Sample
from evaluation.survey.weight_margins import people_of
from evaluation.survey.weight_variance import needed, replicate_influence


@dataclass(frozen=True)
class Refitted:
    """An estimator whose replicates are fitted one by one.

    Parameters
    ----------
    estimator
        Any estimator for samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import Linear, SurveyDesign
    >>> from evaluation.survey.replicates import Jackknife
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "x": [0.0, 1.0, 2.0, 4.0], "y": [1.0, 2.0, 2.0, 5.0]})
    >>> sample = Jackknife().apply(Sample(frame, SurveyDesign()))
    >>> result = Refitted(Linear("y", ("x",))).estimate(sample)
    >>> [round(float(error), 3) for error in result.table["std_error"]]
    [0.456, 0.396]
    """

    estimator: Any

    def estimate(self, sample: Sample, *, executor: Executor | None = None) -> Estimates:
        """Return the estimates with the variance of their replicates.

        Parameters
        ----------
        sample
            With replicates.
        executor
            Where replicates are computed, several at a time; the result is the same.

        Raises
        ------
        DesignError
            The sample has no replicates.
        EstimationError
            In a replicate there is no estimate, or it has other rows than that of the whole sample, because a category
            is lost.
        """
        plan = sample.plan
        if plan.replicates is None:
            raise DesignError(Problem("survey_weights.no_replicates", method=type(self).__name__))
        whole = self.estimator.estimate(sample)
        jobs = [(self.estimator, sample, position) for position in range(len(plan.replicates.scale))]
        tables = (map if executor is None else executor.map)(_fit, jobs)
        keys = whole.table[[*whole.keys]]
        estimates = np.empty((len(jobs), len(keys)))
        for position, table in enumerate(tables):
            if not table[[*whole.keys]].equals(keys):
                raise EstimationError(Problem("survey_weights.other_rows", replicate=position + 1, of=len(jobs)))
            estimates[position] = table["estimate"]
        estimate = whole.table["estimate"].to_numpy(dtype=float)
        lost = np.isnan(estimates).any(axis=0) & ~np.isnan(estimate)
        known_notes = np.where(np.isnan(estimate), whole.table["note"], "")
        kept = [name for name in whole.table.columns if name not in {*NUMBERS, "note", "deff"}]
        return estimates_from_influence(
            whole.table[kept],
            estimate,
            replicate_influence(plan, estimates, estimate),
            scale=whole.scale,
            declaration=whole.declaration,
            method=self,
            counts=whole.counts,
            level=whole.facts["level"],
            df=whole.table["df"].to_numpy(dtype=float),
            row_notes=list(np.where(lost, "survey_weights.note.lost", known_notes)),
            notes=whole.notes,
        )


def _fit(job: tuple[Any, Sample, int]) -> Any:
    estimator, sample, position = job
    try:
        return estimator.estimate(replicate(sample, position)).table
    except (DesignError, EstimationError) as error:
        problem = Problem("survey_weights.failed_replicate", replicate=position + 1)
        raise EstimationError(problem, *error.problems) from error


def replicate(sample: Sample, position: int) -> Sample:
    """Return a sample with the weights of one replicate; who has none there is outside of it."""
    plan, people = sample.plan, people_of(sample)
    weights = replicate_weights(plan, position)
    inside = people & (weights > 0)
    bare = replace(plan, weights=weights, adjustments=(), replicates=None)
    return sample.weighted(bare, None if inside.all() else inside)


def replicate_weights(plan: Plan, position: int) -> np.ndarray:
    """Return ``(n,)`` the weights of one replicate."""
    replicates = needed(plan)
    weights = plan.adjustments[0].before if plan.adjustments else plan.weights
    weights = weights * replicates.factors[replicates.rows, position]
    for adjustment, parameters in zip(plan.adjustments, replicates.parameters, strict=True):
        if adjustment.rule is None or adjustment.cells is None or parameters is None:
            known = adjustment.before > 0
            weights = weights * np.divide(adjustment.after, adjustment.before, out=np.ones(len(known)), where=known)
            continue
        changed = weights * adjustment.rule.factors(parameters[position : position + 1], adjustment.cells)[:, 0]
        everybody = np.ones(len(weights), dtype=bool)
        among = everybody if adjustment.among is None else adjustment.among
        kept = among if adjustment.kept is None else adjustment.kept
        weights = np.where(kept, changed, np.where(among, 0.0, weights))
    return weights
