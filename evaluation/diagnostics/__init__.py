"""Checks of an effect, each an estimate that informs and none a verdict."""

from evaluation.diagnostics.calibration import placebo_calibration, specifications

__all__ = ["placebo_calibration", "specifications"]
