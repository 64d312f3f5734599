"""Sentences of findings: which text key a finding has, and the sentence where the numbers are given.

A sentence takes its numbers from the caller, who has made sure that they may be published.
"""

import math
from typing import Any, Literal

from evaluation.findings.finding import Finding
from evaluation.findings.reasons import join_reasons
from evaluation.texts import text

#: What the outcome counts: registered offences, operations (noise, crashes, calls), or answers in a survey.
Basis = Literal["registered", "operational", "perceived"]

#: Factor from which it is said that an established effect is probably exaggerated.
EXAGGERATED = 1.2


def verdict_text_key(finding: Finding, language: str, *, basis: Basis = "registered") -> tuple[str, dict[str, Any]]:
    """Return the text key of a finding and the values that do not come from its estimate.

    An established effect also needs ``outcome``, ``change`` (relative, or a difference of shares; without its sign) and
    ``interval`` (:func:`interval_in_words`); one that is not shown needs ``outcome`` and ``interval``; one that is not
    assessable ``outcome``, or use :func:`verdict_sentence`.

    Examples
    --------
    >>> from evaluation.agreement.register import template_agreement
    >>> from evaluation.findings.finding import not_judged
    >>> verdict_text_key(not_judged(template_agreement().measures["D2"], delivered=()), "en")[0]
    'findings.not_assessable.process'
    """
    verdict = finding.verdict
    if verdict.kind == "not_assessable":
        kind = finding.measure.kind if finding.measure is not None else "effect"
        key = f"findings.not_assessable.{finding.contrast if kind == 'effect' else kind}"
        return key, {"reasons": join_reasons(verdict.reasons, language)}
    values: dict[str, Any] = {"grade": finding.grade.level if finding.grade else 1, "level": verdict.level}
    if verdict.kind == "not_shown" and basis == "perceived" and finding.estimates is not None:
        points = 100 * float(finding.estimates.facts["detectable"])
        return f"findings.not_shown_points.{finding.contrast}", {**values, "detectable": points}
    if verdict.kind == "not_shown":
        plain = "" if verdict.detectable is not None else "_plain"
        return f"findings.not_shown{plain}.{finding.contrast}", {**values, "detectable": verdict.detectable}
    direction = "more" if (finding.effect or 0.0) > 0 else "fewer"
    return f"findings.established.{finding.contrast}.{basis}.{direction}", values


def verdict_sentence(
    finding: Finding, language: str, *, basis: Basis = "registered", outcome: str = "", **numbers: float | None
) -> str:
    """Return the finding as a sentence.

    Parameters
    ----------
    finding
        What is said.
    language
        ``de`` or ``en``.
    basis
        What the outcome counts.
    outcome
        Title of the outcome; empty where no outcome was studied.
    **numbers
        Published ``change``, ``low`` and ``high``, relative changes (-0.12 for 12 % less) or differences of shares.
    """
    key, values = verdict_text_key(finding, language, basis=basis)
    if finding.verdict.kind == "not_assessable":
        named = text("findings.of_outcome", language, outcome=outcome) if outcome else ""
        return text(key, language, of_outcome=named, **values)
    change = numbers.get("change")
    interval = interval_in_words(numbers.get("low"), numbers.get("high"), language, points=basis == "perceived")
    size = None if change is None else abs(change)
    signed = None if change is None else 100 * change
    return text(key, language, outcome=outcome, interval=interval, change=size, points=signed, **values)


def verdict_label(finding: Finding, language: str) -> str:
    """Return the verdict for a cell of a table.

    Examples
    --------
    >>> from evaluation.agreement.register import template_agreement
    >>> from evaluation.findings.finding import not_judged
    >>> verdict_label(not_judged(template_agreement().measures["D2"], delivered=()), "de")
    'nicht beurteilbar, weil Daten fehlen (Sitzungen und Beschlüsse)'
    """
    verdict = finding.verdict
    if verdict.kind == "not_assessable":
        return text("findings.label.not_assessable", language, reasons=join_reasons(verdict.reasons, language))
    plain = "_plain" if verdict.kind == "not_shown" and verdict.detectable is None else ""
    key = f"findings.label.{verdict.kind}{plain}"
    return text(key, language, level=verdict.level, detectable=verdict.detectable)


def interval_in_words(low: float | None, high: float | None, language: str, *, points: bool = False) -> str:
    """Return a 95 % interval of changes; an end that is missing is open.

    Examples
    --------
    >>> interval_in_words(-0.201, -0.038, "en")
    '95% interval: −20.1% to −3.8%'
    >>> interval_in_words(None, -0.038, "en")
    '95% interval: up to −3.8%, open below'
    """
    unit = "points" if points else "percent"
    known = [value is not None and math.isfinite(value) for value in (low, high)]
    form = {(True, True): "closed", (True, False): "open_above", (False, True): "open_below"}.get((known[0], known[1]))
    if form is None:
        return text("findings.interval.none", language)
    shown = [value * 100 if points and value is not None else value for value in (low, high)]
    return text(f"findings.interval.{unit}.{form}", language, low=shown[0], high=shown[1])


def cautions(finding: Finding, language: str, *, basis: Basis = "registered") -> list[str]:
    """Return what the finding does not mean, one sentence each, the most important first."""
    found: list[tuple[str, dict[str, Any]]] = []
    facts = finding.estimates.facts if finding.estimates is not None else {}
    if finding.verdict.kind == "established":
        exaggeration = float(facts.get("exaggeration", math.nan))
        if exaggeration > EXAGGERATED:
            found.append(("exaggeration", {"factor": exaggeration}))
        if basis == "registered":
            found.append(("registered", {}))
    if finding.verdict.kind == "not_shown":
        found.append(("not_shown", {}))
    if finding.verdict.kind == "not_assessable" and (finding.measure is None or finding.measure.kind == "effect"):
        found.append(("not_assessable", {}))
    lowered = {check.code for check in finding.grade.lowered} if finding.grade else set()
    if "specification" in lowered:
        found.append(("specification", {}))
    if finding.contrast == "increase":
        found.append(("increase", {}))
    if finding.verdict.kind != "not_assessable" and finding.contrast != "event":
        found.append(("together", {}))
    return [text(f"findings.caution.{code}", language, **values) for code, values in found]
