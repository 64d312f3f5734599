"""Findings on survey answers: what an effect on the share feeling unsafe says, and how far it can be trusted.

The rules are those of effects on registered cases, with two differences: sizes are points of a share, and several
questions about one measure are tested together. What is left out: the estimate
(:mod:`evaluation.survey.register`).
"""

import math
from collections.abc import Mapping, Sequence

from evaluation.agreement.register import Measure
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates
from evaluation.findings.finding import FEW_TREATED, Evidence, Finding
from evaluation.findings.grade import Check, grade_of
from evaluation.findings.reasons import Reason, reasons_of_error
from evaluation.findings.verdict import LARGEST_TYPICAL, Verdict
from evaluation.study import Study

_OF_PROBLEMS = {
    "survey_items.no_measure_areas": "no_areas",
    "survey_change.unknown_area": "no_treated_answers",
    "survey_change.no_treated_left": "no_treated_answers",
    "survey_change.no_others_left": "no_comparison",
    "survey_change.no_comparison": "no_comparison",
    "survey.no_area": "no_treated_answers",
}


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    r"""Return p-values that hold for all questions about one measure together, by Holm's step-down.

    With :math:`p_{(1)} \le \dots \le p_{(m)}`, the j-th becomes :math:`\max_{i \le j} (m - i + 1) p_{(i)}`, at most 1.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm({"area": 0.03, "park": 0.5})
    {'area': 0.06, 'park': 0.5}
    """
    ordered = sorted(p_values, key=lambda name: p_values[name])
    found, highest = {}, 0.0
    for place, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - place) * p_values[name]))
        found[name] = highest
    return {name: found[name] for name in p_values}


def answers_reasons(error: EvaluationError) -> tuple[Reason, ...]:
    """Return why an effect on answers could not be estimated, from the error of its estimator.

    Examples
    --------
    >>> from evaluation.errors import DesignError, Problem
    >>> answers_reasons(DesignError(Problem("survey_items.no_measure_areas", measure="D3")))
    (Reason(code='no_areas', values={}),)
    """
    refused = [problem for problem in error.problems if problem.code == "survey_items.not_comparable"]
    found = [Reason("not_comparable", {"reasons": problem.values["reasons"]}) for problem in refused]
    known = dict.fromkeys(_OF_PROBLEMS[problem.code] for problem in error.problems if problem.code in _OF_PROBLEMS)
    found += [Reason(code) for code in known]
    return tuple(found) or reasons_of_error(error)


def judge_answers(
    study: Study | None,
    estimates: Estimates | None,
    *,
    measure: Measure,
    evidence: Evidence | None = None,
    share_before: float = math.nan,
    p_value: float = math.nan,
    reasons: Sequence[Reason] = (),
    level: float = 0.05,
) -> Finding:
    """Judge the effect of a measure on one survey question.

    Parameters
    ----------
    study
        Measure, areas and start; the question is its outcome. None where the register names no areas.
    estimates
        From :class:`evaluation.MeasureDifference`; None where it could not be estimated, then `reasons` say why.
    measure
        The measure of the register.
    evidence
        What is known beside the estimate: dose, changes of how people were asked, the change before the start.
    share_before
        Share before, in the areas with the measure: what could be found is judged as a part of it, as for registered
        cases.
    p_value
        Of all questions about the measure together, from :func:`holm`.
    reasons
        What forbids a judgement whatever the numbers say.
    level
        Level of the test.
    """
    known = evidence or Evidence()
    blockers = list(reasons)
    starts = () if study is None else study.treated
    if estimates is not None and (known.without_dose is None or set(known.without_dose) >= set(starts)):
        blockers.append(Reason("no_dose"))
    verdict = _verdict(estimates, blockers, share_before=share_before, p_value=p_value, level=level)
    grade = None if estimates is None else grade_of("comparison", _checks(estimates, measure, known, level))
    diagnostics = {} if known.pre_trend is None else {"pre_trend": known.pre_trend}
    return Finding(
        study=study, measure=measure, estimates=estimates, diagnostics=diagnostics, grade=grade, verdict=verdict
    )


def _verdict(
    estimates: Estimates | None, reasons: Sequence[Reason], *, share_before: float, p_value: float, level: float
) -> Verdict:
    if estimates is None or reasons:
        return Verdict(kind="not_assessable", level=level, reasons=tuple(reasons) or (Reason("no_estimate"),))
    smallest = float(estimates.facts.get("smallest_p", 0.0))
    if not math.isfinite(p_value):
        return Verdict(kind="not_assessable", level=level, reasons=(Reason("no_estimate"),))
    if smallest > level:
        found = Reason("smallest_p", {"smallest_p": smallest, "level": level})
        return Verdict(kind="not_assessable", level=level, reasons=(found,))
    if p_value <= level:
        return Verdict(kind="established", level=level)
    detectable = float(estimates.facts.get("detectable", math.nan))
    if share_before > 0 and detectable > LARGEST_TYPICAL * share_before:
        weak = Reason("too_weak_points", {"detectable": 100 * detectable})
        return Verdict(kind="not_assessable", level=level, reasons=(weak,))
    return Verdict(kind="not_shown", level=level)


def _checks(estimates: Estimates, measure: Measure, evidence: Evidence, level: float) -> list[Check]:
    few = estimates.counts.treated < FEW_TREATED
    without = () if evidence.without_dose is None else evidence.without_dose
    return [
        Check("dose", not without, {"areas": without, "n": len(without)}),
        Check("earlier_dose", not measure.earlier_dose_unknown),
        Check("asked", not evidence.breaks, {"breaks": evidence.breaks}),
        Check("inference", not (few and estimates.draws is None), {"treated": estimates.counts.treated}),
        Check("pre_trend", _no_earlier_change(evidence.pre_trend, level)),
        Check("spillover", evidence.spillover),
    ]


def _no_earlier_change(earlier: Estimates | None, level: float) -> bool | None:
    """Tell whether no other change is established between the two waves before the start; None without such waves."""
    if earlier is None:
        return None
    p_value = float(earlier.row(term="effect")["p_value"])
    return None if math.isnan(p_value) else p_value > level
