"""Checks of an effect, each an estimate that informs and none a verdict.

:func:`pre_trends`, the placebos in time, in space and on another outcome, :func:`leave_one_out`, :func:`balance`,
:func:`regression_to_the_mean`, the effect without neighbours and on rings, and the same question on a coarser map take
any difference-in-differences estimator; :func:`placebo_calibration` takes the default one. :func:`sensitivity` takes
the result of an event study; :func:`comparisons` and :func:`effect_weights` take a two-way regression apart.
:func:`raw_trends`, :func:`without_measure` and :func:`side_by_side` prepare what is shown beside an effect.
"""

from evaluation.diagnostics.balance import balance
from evaluation.diagnostics.calibration import placebo_calibration, specifications
from evaluation.diagnostics.coarser import at_larger_units, coarser
from evaluation.diagnostics.distribution import without_measure
from evaluation.diagnostics.leave_one_out import leave_one_out
from evaluation.diagnostics.placebos import placebo_in_space, placebo_in_time, placebo_on_outcome
from evaluation.diagnostics.pre_trends import pre_trends
from evaluation.diagnostics.raw_trends import raw_trends
from evaluation.diagnostics.selection import regression_to_the_mean
from evaluation.diagnostics.sensitivity import sensitivity
from evaluation.diagnostics.side_by_side import side_by_side
from evaluation.diagnostics.spillover import rings, without_neighbours
from evaluation.diagnostics.weights import comparisons, effect_weights

__all__ = [
    "at_larger_units",
    "balance",
    "coarser",
    "comparisons",
    "effect_weights",
    "leave_one_out",
    "placebo_calibration",
    "placebo_in_space",
    "placebo_in_time",
    "placebo_on_outcome",
    "pre_trends",
    "raw_trends",
    "regression_to_the_mean",
    "rings",
    "sensitivity",
    "side_by_side",
    "specifications",
    "without_measure",
    "without_neighbours",
]
