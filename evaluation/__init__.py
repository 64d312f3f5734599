"""Did the cooperation between city and police work? Effects and perceptions, with their uncertainty.

The map, in the order in which an evaluation is done:

1. :func:`open_project` opens a project folder: register of measures, studies, data, publication rules.
2. ``project.panel(study)`` and ``project.sample(wave)`` join data with their declaration
   (:class:`Study`, :class:`SurveyDesign`) into a :class:`Panel` or a :class:`Sample`, checked once.
3. Estimators such as :class:`TwoByTwo`, :class:`EventStudy`, :class:`Mean` or :class:`Share` are frozen
   option sets with one method, ``estimate``, and return :class:`Estimates`.
4. :class:`Randomization` is the inference of an effect unless another one (:class:`ClusterRobust`,
   :class:`MultiplierBootstrap`, :class:`ScoreWild`, :class:`Conley`) is asked for.
5. ``evaluation report annual`` publishes what came out.

Names are loaded on first use, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from evaluation.agreement.register import Agreement
    from evaluation.did.dose import DoseResponse
    from evaluation.did.event_study import EventStudy
    from evaluation.did.fixed_effects import TwoWayFixedEffects
    from evaluation.did.group_time import GroupTime
    from evaluation.did.imputation import Imputation
    from evaluation.did.inference.asymptotic import ClusterRobust
    from evaluation.did.inference.multiplier import MultiplierBootstrap
    from evaluation.did.inference.spatial import Conley
    from evaluation.did.inference.wild import ScoreWild
    from evaluation.did.poisson import PoissonCohorts
    from evaluation.did.reporting import explained_away, reporting_adjusted, reporting_change
    from evaluation.did.synthetic import SyntheticControl, SyntheticDifference
    from evaluation.did.triple import TripleDifference
    from evaluation.did.two_by_two import TwoByTwo
    from evaluation.errors import DataError, DesignError, EstimationError, EvaluationError, ReportError
    from evaluation.estimates import Estimates
    from evaluation.panel import Panel
    from evaluation.project import Project, open_project
    from evaluation.randomization import Randomization
    from evaluation.sample import Sample
    from evaluation.study import Study
    from evaluation.survey.agreement import RankAgreement
    from evaluation.survey.change import Change
    from evaluation.survey.comparability import ItemFunctioning, RepeatRespondents
    from evaluation.survey.composition import CompositionAdjusted
    from evaluation.survey.difference import SurveyDifference
    from evaluation.survey.estimation import Mean, Ratio, Share, Total
    from evaluation.survey.joint import MeasuredAndFelt
    from evaluation.survey.margins import AdjustedShare, MarginalEffect
    from evaluation.survey.model_proportional import ProportionalOdds
    from evaluation.survey.model_terms import Category, Interaction
    from evaluation.survey.models import Linear, Logit, Poisson
    from evaluation.survey.modes import ModeAdjusted
    from evaluation.survey.nonresponse import ItemNonresponse
    from evaluation.survey.ordinal import Ordinal
    from evaluation.survey.quantiles import Quantile
    from evaluation.survey.rank_tests import RankTest, TTest
    from evaluation.survey.register import ItemChange, MeasureDifference
    from evaluation.survey.reliability import CronbachAlpha, OrdinalAlpha, PolychoricCorrelation
    from evaluation.survey.replicate_columns import ReplicateColumns
    from evaluation.survey.replicate_refit import Refitted
    from evaluation.survey.replicates import BalancedReplication, Jackknife, SurveyBootstrap
    from evaluation.survey.response import ResponseBounds
    from evaluation.survey.scales import ScaleMapping
    from evaluation.survey.small_area import FayHerriot
    from evaluation.survey.tables import Association
    from evaluation.survey.weight_report import weight_report
    from evaluation.survey.weight_response import ResponseCells, ResponsePropensity
    from evaluation.survey.weighting import Calibrate, PostStratify, Rake, Trim
    from evaluation.survey_design import SurveyDesign

_HOMES = {
    "AdjustedShare": "survey.margins",
    "Agreement": "agreement.register",
    "Association": "survey.tables",
    "BalancedReplication": "survey.replicates",
    "Calibrate": "survey.weighting",
    "Category": "survey.model_terms",
    "Change": "survey.change",
    "ClusterRobust": "did.inference.asymptotic",
    "CompositionAdjusted": "survey.composition",
    "Conley": "did.inference.spatial",
    "CronbachAlpha": "survey.reliability",
    "DataError": "errors",
    "DesignError": "errors",
    "DoseResponse": "did.dose",
    "Estimates": "estimates",
    "EstimationError": "errors",
    "EvaluationError": "errors",
    "EventStudy": "did.event_study",
    "FayHerriot": "survey.small_area",
    "GroupTime": "did.group_time",
    "Imputation": "did.imputation",
    "Interaction": "survey.model_terms",
    "ItemChange": "survey.register",
    "ItemFunctioning": "survey.comparability",
    "ItemNonresponse": "survey.nonresponse",
    "Jackknife": "survey.replicates",
    "Linear": "survey.models",
    "Logit": "survey.models",
    "MarginalEffect": "survey.margins",
    "Mean": "survey.estimation",
    "MeasureDifference": "survey.register",
    "MeasuredAndFelt": "survey.joint",
    "ModeAdjusted": "survey.modes",
    "MultiplierBootstrap": "did.inference.multiplier",
    "Ordinal": "survey.ordinal",
    "OrdinalAlpha": "survey.reliability",
    "Panel": "panel",
    "Poisson": "survey.models",
    "PoissonCohorts": "did.poisson",
    "PolychoricCorrelation": "survey.reliability",
    "PostStratify": "survey.weighting",
    "Project": "project",
    "ProportionalOdds": "survey.model_proportional",
    "Quantile": "survey.quantiles",
    "Rake": "survey.weighting",
    "Randomization": "randomization",
    "RankAgreement": "survey.agreement",
    "RankTest": "survey.rank_tests",
    "Ratio": "survey.estimation",
    "Refitted": "survey.replicate_refit",
    "RepeatRespondents": "survey.comparability",
    "ReplicateColumns": "survey.replicate_columns",
    "ReportError": "errors",
    "ResponseBounds": "survey.response",
    "ResponseCells": "survey.weight_response",
    "ResponsePropensity": "survey.weight_response",
    "Sample": "sample",
    "ScaleMapping": "survey.scales",
    "ScoreWild": "did.inference.wild",
    "Share": "survey.estimation",
    "Study": "study",
    "SurveyBootstrap": "survey.replicates",
    "SurveyDesign": "survey_design",
    "SurveyDifference": "survey.difference",
    "SyntheticControl": "did.synthetic",
    "SyntheticDifference": "did.synthetic",
    "TTest": "survey.rank_tests",
    "Total": "survey.estimation",
    "Trim": "survey.weighting",
    "TripleDifference": "did.triple",
    "TwoByTwo": "did.two_by_two",
    "TwoWayFixedEffects": "did.fixed_effects",
    "explained_away": "did.reporting",
    "open_project": "project",
    "reporting_adjusted": "did.reporting",
    "reporting_change": "did.reporting",
    "weight_report": "survey.weight_report",
}

__all__ = [
    "AdjustedShare",
    "Agreement",
    "Association",
    "BalancedReplication",
    "Calibrate",
    "Category",
    "Change",
    "ClusterRobust",
    "CompositionAdjusted",
    "Conley",
    "CronbachAlpha",
    "DataError",
    "DesignError",
    "DoseResponse",
    "Estimates",
    "EstimationError",
    "EvaluationError",
    "EventStudy",
    "FayHerriot",
    "GroupTime",
    "Imputation",
    "Interaction",
    "ItemChange",
    "ItemFunctioning",
    "ItemNonresponse",
    "Jackknife",
    "Linear",
    "Logit",
    "MarginalEffect",
    "Mean",
    "MeasureDifference",
    "MeasuredAndFelt",
    "ModeAdjusted",
    "MultiplierBootstrap",
    "Ordinal",
    "OrdinalAlpha",
    "Panel",
    "Poisson",
    "PoissonCohorts",
    "PolychoricCorrelation",
    "PostStratify",
    "Project",
    "ProportionalOdds",
    "Quantile",
    "Rake",
    "Randomization",
    "RankAgreement",
    "RankTest",
    "Ratio",
    "Refitted",
    "RepeatRespondents",
    "ReplicateColumns",
    "ReportError",
    "ResponseBounds",
    "ResponseCells",
    "ResponsePropensity",
    "Sample",
    "ScaleMapping",
    "ScoreWild",
    "Share",
    "Study",
    "SurveyBootstrap",
    "SurveyDesign",
    "SurveyDifference",
    "SyntheticControl",
    "SyntheticDifference",
    "TTest",
    "Total",
    "Trim",
    "TripleDifference",
    "TwoByTwo",
    "TwoWayFixedEffects",
    "explained_away",
    "open_project",
    "reporting_adjusted",
    "reporting_change",
    "weight_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"evaluation.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
