"""Respondents joined with the design by which they were drawn, checked once; estimators read its arrays.

What is left out: variances (:mod:`evaluation.influence`) and estimates (:mod:`evaluation.survey`). Rows are never
re-ordered or dropped: a subpopulation keeps all of them and gives weight zero outside, so that its variance is that
of a domain.
"""

from evaluation.sample.plan import Plan, Selection, check_columns, combine, first_rows, some
from evaluation.sample.respondents import Sample
from evaluation.sample.weights import Adjustment, Correction, Replicates, Rule, Target

__all__ = [
    "Adjustment",
    "Correction",
    "Plan",
    "Replicates",
    "Rule",
    "Sample",
    "Selection",
    "Target",
    "check_columns",
    "combine",
    "first_rows",
    "some",
]
