"""Why a grade was lowered or a question cannot be answered: a code and its values, worded in either language."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.agreement.vocabulary import table_label
from evaluation.errors import EvaluationError
from evaluation.texts import text

_PARENTHESIS = re.compile(r"\([^)]*\)")

#: Code of a problem -> why the question of the study cannot be answered.
_OF_PROBLEMS = {
    "core.panel_empty": "no_counts",
    "core.panel_no_before": "no_before",
    "core.window_before": "no_before",
    "core.panel_no_after": "no_after",
    "core.window_after": "no_after",
    "core.panel_no_comparison": "no_comparison",
    "core.no_comparison_left": "no_comparison",
    "core.no_treated_left": "no_treated",
    "core.panel_unknown_treated": "no_treated",
    "core.study_no_treated": "no_areas",
    "core.outcome_constant": "no_variation",
    "core.panel_no_neighbours": "no_geometry",
}


@dataclass(frozen=True)
class Reason:
    """A code below ``findings.because`` with the values of its clause."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def worded(self, language: str) -> str:
        """Return the reason as a clause that follows "because".

        Examples
        --------
        >>> Reason("no_before").worded("en")
        'there are no data from before the start'
        """
        values = dict(self.values)
        if "tables" in values:
            values["tables"] = "; ".join(table_label(table, language) for table in values["tables"])
        return text(f"findings.because.{self.code}", language, **values)


def join_reasons(reasons: Iterable[Reason], language: str) -> str:
    """Return reasons as one clause.

    Examples
    --------
    >>> join_reasons([Reason("no_before"), Reason("no_comparison")], "de")
    'keine Daten aus der Zeit vor dem Beginn vorliegen und es keine Vergleichsgebiete gibt'
    """
    joined = last = ""
    for clause in dict.fromkeys(reason.worded(language) for reason in reasons):
        if joined:
            # A clause that ends in a clause of its own is closed by a comma in German.
            key = "and_after_clause" if "," in _PARENTHESIS.sub("", last) else "and"
            joined += text(f"findings.because.{key}", language)
        joined, last = joined + clause, clause
    return joined


def reasons_of_error(error: EvaluationError) -> tuple[Reason, ...]:
    """Return why a study could not be estimated, from the error that its panel or estimator raised.

    Examples
    --------
    >>> from evaluation.errors import DesignError, Problem
    >>> reasons_of_error(DesignError(Problem("core.panel_no_comparison", study="patrols")))
    (Reason(code='no_comparison', values={}),)
    """
    codes = dict.fromkeys(_OF_PROBLEMS.get(problem.code, "no_estimate") for problem in error.problems)
    return tuple(Reason(code) for code in codes)
