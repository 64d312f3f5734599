"""A finding: an estimate with its diagnostics, how far it can be trusted, and what it says."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from evaluation.agreement.register import Measure
from evaluation.data.periods import frequency_of, label, ordinal, start_date
from evaluation.estimates import Estimates
from evaluation.findings.grade import SEVERAL, Check, Design, Grade, grade_of
from evaluation.findings.reasons import Reason
from evaluation.findings.verdict import Verdict, verdict_of
from evaluation.randomization.inference import LITTLE_HISTORY
from evaluation.study import Study

Contrast = Literal["measure", "increase", "event"]

#: Earlier dates from which the history counts as long enough.
ENOUGH_HISTORY = 6
#: Kinds of events that change how a number comes about, not what happened.
RECORDING_KINDS = ("law", "recording", "survey")
#: Treated units below which a test that relies on large numbers of them is not trusted.
FEW_TREATED = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """What is known about a study beside its estimate.

    Parameters
    ----------
    without_dose
        Treated areas in which nothing of the measure is recorded as carried out, from
        :func:`~evaluation.agreement.dose.areas_without_dose`; None where that is not known. An event has no dose.
    breaks
        Breaks and recording changes that touch the outcome in the windows, in words of the report.
    randomised
        Whether the treated areas or nights were drawn by lot.
    spillover
        Whether neighbours are kept out of the comparison or examined; None derives it from the study.
    pre_trend
        Event study of the same panel, whose ``facts["pre_trend_p"]`` tests all periods before the start together; None
        where not examined.
    sensitivities
        The same effect under the other declared specifications.
    """

    without_dose: tuple[str, ...] | None = None
    breaks: tuple[str, ...] = ()
    randomised: bool = False
    spillover: bool | None = None
    pre_trend: Estimates | None = None
    sensitivities: Mapping[str, Estimates] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """What came out of one question.

    Parameters
    ----------
    study
        The declaration; None where no study is declared.
    measure
        The measure of the register; None for an event.
    estimates
        The result; None where there is none.
    diagnostics
        Other estimates that bear on it, by name.
    grade
        None where nothing was estimated.
    verdict
        What it says.
    """

    study: Study | None
    measure: Measure | None
    estimates: Estimates | None
    diagnostics: Mapping[str, Estimates]
    grade: Grade | None
    verdict: Verdict

    @property
    def contrast(self) -> Contrast:
        """Whether the effect is that of a measure, of its increase (it existed before), or of an event."""
        if self.measure is None:
            return "event"
        return "increase" if self.measure.existed_before is True else "measure"

    @property
    def effect(self) -> float | None:
        """Estimate on its scale; None where there is none."""
        if self.estimates is None:
            return None
        value = float(self.estimates.row(term="effect")["estimate"])
        return value if math.isfinite(value) else None


def judge(
    study: Study,
    estimates: Estimates | None,
    *,
    measure: Measure | None = None,
    evidence: Evidence | None = None,
    reasons: Sequence[Reason] = (),
    level: float = 0.05,
) -> Finding:
    """Judge the estimate of a study.

    Parameters
    ----------
    study
        The declaration.
    estimates
        Its result; None where it could not be estimated, then `reasons` say why.
    measure
        The measure of the register that it studies.
    evidence
        What is known beside the estimate; a measure without any has no dose.
    reasons
        Why it could not be estimated, as from :func:`~evaluation.findings.reasons.reasons_of_error`.
    level
        Level of the test.
    """
    known = evidence or Evidence(without_dose=study.treated if measure is not None else None)
    blockers = list(reasons)
    if measure is not None and (known.without_dose is None or set(known.without_dose) >= set(study.treated)):
        blockers.append(Reason("no_dose"))
    verdict = verdict_of(estimates, level=level, reasons=blockers)
    grade = None
    if estimates is not None:
        checks = checks_of(study, estimates, measure=measure, evidence=known, level=level)
        grade = grade_of(design_of(estimates, randomised=known.randomised), checks)
    diagnostics = dict(known.sensitivities)
    if known.pre_trend is not None:
        diagnostics["pre_trend"] = known.pre_trend
    return Finding(
        study=study, measure=measure, estimates=estimates, diagnostics=diagnostics, grade=grade, verdict=verdict
    )


def not_judged(measure: Measure, *, delivered: Collection[str], dosed: bool = False) -> Finding:
    """Return the finding of a measure for which no study is declared.

    Parameters
    ----------
    measure
        The measure of the register.
    delivered
        Names of the tables that the project has.
    dosed
        Whether the dose of the measure is known for at least one indicator.
    """
    known = {*delivered, *(("incidents",) if "counts" in delivered else ())}  # cases or their counts, either will do
    missing = tuple(table for table in measure.tables if table not in known)
    reasons = [Reason("no_data", {"tables": missing})] if missing else []
    if not missing and not dosed:
        reasons.append(Reason("no_dose"))
    if measure.kind == "effect":
        reasons.append(Reason("no_study"))
    verdict = Verdict(kind="not_assessable", reasons=tuple(reasons) or (Reason("not_computed"),))
    return Finding(study=None, measure=measure, estimates=None, diagnostics={}, grade=None, verdict=verdict)


def design_of(estimates: Estimates, *, randomised: bool = False) -> Design:
    """Return the design that an estimate used, a key of :data:`~evaluation.findings.grade.DESIGNS`.

    A comparison that was standardised with the history, with at least five treated units, is ``standardised``.
    """
    if randomised:
        return "randomised"
    if not isinstance(estimates.declaration, Study):
        return "before_after" if type(estimates.method).__name__ == "Change" else "description"
    treated = estimates.counts.treated
    if estimates.counts.units <= treated:
        return "before_after"
    history = int(estimates.facts.get("history_dates", 0))
    return "standardised" if history >= LITTLE_HISTORY and treated >= SEVERAL else "comparison"


def checks_of(
    study: Study, estimates: Estimates, *, measure: Measure | None, evidence: Evidence, level: float = 0.05
) -> list[Check]:
    """Return the checks that apply to a study, met or not."""
    checks = [_breaks(evidence), _inference(estimates)]
    if measure is not None:
        without = tuple(study.treated) if evidence.without_dose is None else evidence.without_dose
        checks.append(Check("dose", not without, {"areas": without, "n": len(without)}))
        checks.append(Check("earlier_dose", not measure.earlier_dose_unknown))
    if "history_dates" in estimates.facts:
        dates = int(estimates.facts["history_dates"])
        checks.append(Check("history", dates >= ENOUGH_HISTORY, {"dates": dates}))
    if not evidence.randomised:
        checks.append(Check("pre_trend", _no_pre_trend(evidence.pre_trend or estimates, level)))
    left_out = True if study.leave_out == "neighbours" else None
    checks.append(Check("spillover", left_out if evidence.spillover is None else evidence.spillover))
    if evidence.sensitivities:
        checks.append(_specification(estimates, evidence.sensitivities, level))
    return checks


def _breaks(evidence: Evidence) -> Check:
    return Check("breaks", not evidence.breaks, {"breaks": evidence.breaks})


def _inference(estimates: Estimates) -> Check:
    """Randomisation holds with few treated units; a standard error from few of them does not."""
    few = 0 < estimates.counts.treated < FEW_TREATED
    return Check("inference", not (few and estimates.draws is None), {"treated": estimates.counts.treated})


def _no_pre_trend(result: Estimates, level: float) -> bool | None:
    """Tell whether no change before the start is established; None where `result` has no test of it."""
    p_value = float(result.facts.get("pre_trend_p", math.nan))
    return None if math.isnan(p_value) else p_value > level


def _specification(estimates: Estimates, others: Mapping[str, Estimates], level: float) -> Check:
    """Compare the answers: on which side of the level, and with which sign if established."""
    verdicts = {_answer(result, level) for result in [estimates, *others.values()]}
    return Check("specification", len(verdicts) == 1, {"n": len(others)})


def _answer(estimates: Estimates, level: float) -> tuple[bool, float]:
    row = estimates.row(term="effect")
    shown = bool(row["p_value"] <= level)
    return shown, math.copysign(1.0, row["estimate"]) if shown else 0.0


def events_that_touch(events: pd.DataFrame, study: Study, *, first: str, last: str) -> pd.DataFrame:
    """Return the events that change how the outcome of a study is recorded between two periods.

    Recording and survey changes touch all outcomes where they name none; a law touches only those that it names. The
    event that is studied is none of them.

    Parameters
    ----------
    events
        The table of the project: ``event, start, kind, outcomes, areas`` (lists separated by blanks, empty for all).
    study
        The declaration.
    first, last
        First and last period of the comparison.
    """
    begin, end = pd.Timestamp(start_date(first)), pd.Timestamp(start_date(following(last)))
    starts = pd.to_datetime(events["start"])
    within = (starts > begin) & (starts < end) & events["event"].ne(study.event)
    touched = [
        kind in RECORDING_KINDS
        and (study.outcome in _items(outcomes) or (kind != "law" and not _items(outcomes)))
        and (not _items(areas) or bool(_items(areas) & set(study.treated)))
        for kind, outcomes, areas in zip(events["kind"], events["outcomes"], events["areas"], strict=True)
    ]
    return events[within & pd.Series(touched, index=events.index, dtype=bool)]


def following(period: str) -> str:
    """Return the period after `period`.

    Examples
    --------
    >>> following("2018-12"), following("2018")
    ('2019-01', '2019')
    """
    frequency = frequency_of(period)
    if frequency is None:
        raise ValueError(f"{period!r} is no period")
    return label(ordinal(period) + 1, frequency)


def _items(given: object) -> set[str]:
    """Return a list cell as a set; texts are separated by blanks."""
    if isinstance(given, str):
        return set(given.split())
    return {str(item) for item in given} if isinstance(given, list | tuple | set | frozenset) else set()
