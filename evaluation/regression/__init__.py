"""The one regression core: absorbed unit and period effects, offset, influences and null scores of units."""

from evaluation.regression.two_way import TwoWayFit, null_scores, two_way

__all__ = ["TwoWayFit", "null_scores", "two_way"]
