"""The one regression core: absorbed unit and period effects, season, offset; influences and null scores of units."""

from evaluation.regression.absorbed import Absorbed, Cohorts
from evaluation.regression.design import Regressors
from evaluation.regression.two_way import Family, TwoWayFit, null_scores, prediction_influence, two_way

__all__ = ["Absorbed", "Cohorts", "Family", "Regressors", "TwoWayFit", "null_scores", "prediction_influence", "two_way"]
