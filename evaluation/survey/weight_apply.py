"""A change of weights becomes part of a sample: of its weights, its variance and its replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from evaluation.errors import EstimationError, Problem
from evaluation.sample import Adjustment, Correction, Plan, Replicates, Rule, Sample, Target, some
from evaluation.survey.replicate_sums import fitted_replicates
from evaluation.survey.weight_margins import people_of

Remark = tuple[str, Mapping[str, object]]
OF_REPLICATES = ("survey_weights.note.replicates", "survey_weights.note.empty_cells")


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted:
    """A rule, fitted to the weights of a sample.

    Parameters
    ----------
    rule
        How factors follow from weights by cell.
    cells
        ``(n,)`` codes of people with equal factors; anything for those who do not take part.
    size
        Number of cells ``G``.
    parameters
        ``(p,)`` of the rule.
    x, inverse, collect
        See :class:`evaluation.sample.Correction`; `collect` None: one over the factors.
    spread
        ``(n,)``, see there; None: the new weights.
    kept
        ``(n,)`` who has a weight afterwards; None for all who take part.
    targets
        What was fitted to.
    """

    rule: Rule
    cells: np.ndarray
    size: int
    parameters: np.ndarray
    inverse: np.ndarray
    x: np.ndarray | None = None
    collect: np.ndarray | None = None
    spread: np.ndarray | None = None
    kept: np.ndarray | None = None
    targets: tuple[Target, ...] = ()


def weights_by_cell(sample: Sample, cells: np.ndarray, size: int, kept: np.ndarray | None = None) -> np.ndarray:
    """Return ``(G,)`` sums of the weights of the subpopulation, or of those of it who are `kept`."""
    people = people_of(sample) if kept is None else kept
    return np.bincount(cells[people], sample.plan.weights[people], minlength=size)


def apply_rule(sample: Sample, fitted: Fitted, remark: Remark) -> Sample:
    """Return the sample with the weights of a fitted rule, and the same in every replicate.

    Raises
    ------
    EstimationError
        A weight would be zero or negative.
    """
    plan, among = sample.plan, people_of(sample)
    kept = among if fitted.kept is None else fitted.kept
    # Who does not take part is put into some cell, but not into one unit with people who do: nothing is counted there.
    cells = np.where(among, fitted.cells, 0)
    by_cell = fitted.rule.factors(fitted.parameters[None], np.arange(fitted.size))[:, 0]
    after = np.where(kept, plan.weights * by_cell[cells], np.where(among, 0.0, plan.weights))
    _refuse_weights_below_zero(sample, kept & ~(after > 0))
    correction = Correction(
        x=fitted.x,
        inverse=fitted.inverse,
        collect=1.0 / by_cell if fitted.collect is None else fitted.collect,
        spread=np.where(among, after, 0.0) if fitted.spread is None else fitted.spread,
    )
    adjustment = Adjustment(
        before=plan.weights,
        after=after,
        among=sample.inside,
        kept=fitted.kept,
        cells=cells,
        size=fitted.size,
        rule=fitted.rule,
        correction=correction,
        targets=fitted.targets,
    )
    return adjusted(sample.weighted(plan.divided(np.where(among, cells, fitted.size))), adjustment, remark)


def adjusted(sample: Sample, adjustment: Adjustment, remark: Remark) -> Sample:
    """Return the sample after one more change of its weights."""
    plan = replace(
        sample.plan,
        weights=adjustment.after,
        adjustments=(*sample.plan.adjustments, adjustment),
        remarks=(*sample.plan.remarks, remark),
    )
    return sample.weighted(_in_replicates(plan), adjustment.kept)


def with_replicates(sample: Sample, replicates: Replicates, remark: Remark) -> Sample:
    """Return the sample with replicate weights, in which every adjustment of its weights is made anew."""
    plan = sample.plan.divided(replicates.rows)
    kept = [one for one in plan.remarks if not one[0].startswith(OF_REPLICATES)]
    plan = replace(plan, replicates=replicates, remarks=(*kept, remark))
    return sample.weighted(_in_replicates(plan))


def _in_replicates(plan: Plan) -> Plan:
    """Return the plan with all adjustments fitted in every replicate, and a remark on replicates with empty cells."""
    if plan.replicates is None:
        return plan
    replicates, empty = fitted_replicates(plan)
    total = len(replicates.scale)
    remarks = [("survey_weights.note.empty_cells", {"n": n, "of": total}) for n in empty.values() if n]
    return replace(plan, replicates=replicates, remarks=(*plan.remarks, *remarks))


def _refuse_weights_below_zero(sample: Sample, lost: np.ndarray) -> None:
    if lost.any():
        rows = some(sample.frame.index[lost])
        raise EstimationError(Problem("survey_weights.below_zero", n=int(lost.sum()), rows=rows))
