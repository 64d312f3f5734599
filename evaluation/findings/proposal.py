"""What should be examined for the next version of the agreement: a proposal with its reasons, on which people decide.

The rule looks at the dose first, then at the verdict, and never proposes to end a measure.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from evaluation.findings.finding import Finding
from evaluation.findings.reasons import Reason, join_reasons
from evaluation.texts import text

Code = Literal["continue", "expand", "adapt", "review", "improve_data"]
CODES: tuple[Code, ...] = ("continue", "expand", "adapt", "review", "improve_data")

#: Share of the planned dose below which a measure counts as not carried out as agreed.
ENOUGH_DONE = 0.8
#: Typical effect (hot-spot policing, Braga and Weisburd 2020): not shown although it could have been found.
TYPICAL = 0.16
#: Evidence from which expanding a measure is proposed.
ENOUGH_EVIDENCE = 3


@dataclass(frozen=True)
class Proposal:
    """A proposal to examine, one of :data:`CODES`, and why."""

    code: Code
    reasons: tuple[Reason, ...]

    def worded(self, language: str) -> str:
        """Return the proposal in a word or two.

        Examples
        --------
        >>> Proposal("review", ()).worded("de")
        'Fortführung prüfen'
        """
        return text(f"findings.proposal.{self.code}", language)

    def sentence(self, language: str) -> str:
        """Return the proposal with its reasons.

        Examples
        --------
        >>> Proposal("improve_data", (Reason("no_dose"),)).sentence("de")
        'Prüfvorschlag: Datengrundlage verbessern, weil nicht belegt ist, wie viel von der Maßnahme geleistet wurde.'
        """
        reasons = join_reasons(self.reasons, language)
        return text("findings.proposal.sentence", language, proposal=self.worded(language), reasons=reasons)


def done_share(dose: pd.DataFrame) -> float | None:
    """Return how much of the plan was done: the mean of done / planned over indicators, each counted up to 1.

    Parameters
    ----------
    dose
        Rows of one measure from :func:`evaluation.agreement.dose.dose`.

    Returns
    -------
    float or None
        None where no indicator has both numbers.
    """
    known = dose[dose["planned"].gt(0) & dose["done"].notna()]
    return float((known["done"] / known["planned"]).clip(upper=1.0).mean()) if len(known) else None


def propose(finding: Finding, dose: pd.DataFrame) -> Proposal:
    """Return the proposal for one measure.

    Parameters
    ----------
    finding
        Of the measure's primary study, or that of :func:`~evaluation.findings.finding.not_judged`.
    dose
        Rows of the measure from :func:`evaluation.agreement.dose.dose`.
    """
    if not dose["done"].notna().any():
        return Proposal("improve_data", (Reason("no_dose"),))
    share = done_share(dose)
    if share is None:
        return Proposal("improve_data", (Reason("no_plan"),))
    if share < ENOUGH_DONE:
        return Proposal("adapt", (Reason("under_delivered", {"share": share}),))
    done = Reason("delivered", {"share": share})
    if finding.measure is not None and finding.measure.kind != "effect":
        return Proposal("continue", (done,))
    return _by_verdict(finding, done)


def _by_verdict(finding: Finding, done: Reason) -> Proposal:
    verdict = finding.verdict
    if verdict.kind == "not_assessable":
        return Proposal("improve_data", verdict.reasons)
    if verdict.kind == "not_shown":
        detectable = verdict.detectable
        if detectable is not None and abs(detectable) <= TYPICAL:
            return Proposal("review", (Reason("not_shown_though_detectable", {"detectable": abs(detectable)}),))
        return Proposal("continue", (done, Reason("not_shown_yet")))
    if (finding.effect or 0.0) > 0:
        return Proposal("review", (Reason("opposite"),))
    grade = finding.grade.level if finding.grade else 1
    if grade >= ENOUGH_EVIDENCE:
        return Proposal("expand", (Reason("established"), Reason("grade", {"grade": grade})))
    return Proposal("continue", (Reason("established"), Reason("weak_grade", {"grade": grade})))
