"""Checks of an effect, each an estimate that informs and none a verdict.

:func:`pre_trends`, the placebos in time, in space and on another outcome, :func:`leave_one_out`, :func:`balance`,
:func:`regression_to_the_mean`, the effect without neighbours and on rings, and the same question on a coarser map take
any difference-in-differences estimator; :func:`placebo_calibration` takes the default one. :func:`sensitivity` takes
the result of an event study; :func:`comparisons` and :func:`effect_weights` take a two-way regression apart.
"""

from evaluation.diagnostics.balance import balance
from evaluation.diagnostics.calibration import placebo_calibration, specifications
from evaluation.diagnostics.coarser import at_larger_units, coarser
from evaluation.diagnostics.leave_one_out import leave_one_out
from evaluation.diagnostics.placebos import placebo_in_space, placebo_in_time, placebo_on_outcome
from evaluation.diagnostics.pre_trends import pre_trends
from evaluation.diagnostics.selection import regression_to_the_mean
from evaluation.diagnostics.sensitivity import sensitivity
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
    "regression_to_the_mean",
    "rings",
    "sensitivity",
    "specifications",
    "without_neighbours",
]
