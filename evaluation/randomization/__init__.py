"""Tests and intervals from assignments that could have been drawn, standardised with the city's own history."""

from evaluation.randomization.inference import Randomization

__all__ = ["Randomization"]
