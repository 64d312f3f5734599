"""The stages of a design as replicates see them: clusters with the size of their stratum and the fraction drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.sample import Plan, first_rows

CERTAIN = 1e-7  # a stratum of which less than this is left out was taken whole


@dataclass(frozen=True, eq=False)
class Drawn:
    r"""One stage of selection.

    The variance of a total is the sum over stages of :math:`\sum_h a_h^2 n_h/(n_h - 1) \sum_i (z_{hi} - \bar z_h)^2`
    with :math:`a_h^2` the fractions drawn at the stages above times the fraction left out at this one.

    Parameters
    ----------
    clusters
        ``(m,)`` cluster of every sampling unit.
    strata
        ``(C,)`` stratum of every cluster.
    sizes
        ``(C,)`` clusters drawn in it.
    amplitude
        ``(C,)`` :math:`a_h`.
    lonely
        ``(C,)`` clusters that are alone in a stratum that was not taken whole.
    extra
        What the variance of the other strata is multiplied with where lonely ones get their average.
    """

    clusters: np.ndarray
    strata: np.ndarray
    sizes: np.ndarray
    amplitude: np.ndarray
    lonely: np.ndarray
    extra: float

    @property
    def varying(self) -> np.ndarray:
        """``(C,)`` clusters of strata that show a variance."""
        return (self.sizes > 1) & (self.amplitude > 0)


def stages_of(plan: Plan, lonely: str) -> Iterator[Drawn]:
    """Yield the stages of the sampling units that enter the variance; `lonely` as in the design."""
    share = np.ones(len(plan.units))
    for stage in plan.stages:
        first = first_rows(stage.clusters)
        strata = stage.strata[first]
        number = np.bincount(strata)
        left_out = np.ones(len(first)) if stage.fraction is None else 1.0 - stage.fraction[first]
        left_out = np.where(left_out < CERTAIN, 0.0, left_out)
        alone = (number[strata] == 1) & (left_out > 0)
        others = len(number) - int(alone.sum())
        extra = len(number) / others if lonely == "average" and others else 1.0
        yield Drawn(stage.clusters, strata, number[strata], np.sqrt(share[first] * left_out), alone, extra)
        if stage.fraction is None:
            break
        share = share * stage.fraction
