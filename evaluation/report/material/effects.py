"""Effects: every declared study with its estimate, its yardstick, its checks, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.agreement.dose import areas_without_dose
from evaluation.agreement.register import Measure
from evaluation.diagnostics import placebo_calibration, without_measure
from evaluation.diagnostics.variants import effect_of
from evaluation.did.event_study import EventStudy
from evaluation.did.two_by_two import TwoByTwo
from evaluation.disclosure import About, Cell, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates
from evaluation.findings.finding import Evidence, Finding, events_that_touch, judge
from evaluation.findings.reasons import reasons_of_error
from evaluation.findings.wording import cautions, verdict_label, verdict_sentence
from evaluation.panel import Panel
from evaluation.report.material import specifications as routes
from evaluation.report.material.scrutiny import Scrutiny, scrutiny
from evaluation.report.material.shift import Shift, shift
from evaluation.report.material.sources import source_of
from evaluation.study import Study

if TYPE_CHECKING:
    from evaluation.report.context import Context

TOLD_ELSEWHERE = ("core.note.left_out_neighbours",)
"""Notes of a result that the description of the study says already."""
DOUBTS = (
    "core.note.asymptotic_few_treated",
    "inference.note.few_treated_clusters",
    "inference.note.wild_few_treated",
    "inference.note.conley_few_units",
)
"""Notes of a result that its reader must not miss."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One studied effect.

    Parameters
    ----------
    study, finding
        The declaration and what came out.
    title, outcome
        Titles in the language of the report.
    basis
        What the outcome counts.
    effect
        Key ``term``: relative change; None where nothing could be estimated.
    detectable
        Relative change that would be found with 80 % power.
    distribution
        Keys ``low`` and ``high``: how often areas and years without the measure changed by so much.
    specifications, labels
        Key ``specification``: the effect computed in other ways, and what each of them does.
    districts
        What the effect would look like at the level of districts.
    timeline
        Key ``event_time``: the effect by time since the start.
    reach
        Key ``what``: areas with the measure, comparison areas, assignments.
    false_alarms
        Key ``rule``: how often the same test found something at earlier dates at which nothing began.
    exaggeration
        By how much an established effect is overstated on average, were it a typical one.
    p_values
        Key ``specification``, and the smallest attainable one as ``smallest``.
    scrutiny
        What the effect hangs on; examined where the question can be answered.
    shift
        What happened around the areas, or why that cannot be said; None without a map.
    notes, doubts
        Which inference was used and why, and what was set aside; and what makes it doubtful.
    inference
        Name of the inference that was asked for; empty for the default one.
    error
        Why nothing could be estimated.
    """

    study: Study
    finding: Finding
    title: str
    outcome: str
    basis: Any
    effect: Published | None = None
    detectable: Published | None = None
    distribution: Published | None = None
    specifications: Published | None = None
    labels: Mapping[str, str]
    districts: routes.Diluted | None = None
    timeline: Published | None = None
    reach: Published | None = None
    p_values: Published | None = None
    false_alarms: Published | None = None
    exaggeration: Published | None = None
    scrutiny: Scrutiny | None = None
    shift: Shift | EvaluationError | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    inference: str = ""
    error: EvaluationError | None = None

    @property
    def verdict(self) -> str:
        """``established``, ``not_shown`` or ``not_assessable``."""
        return self.finding.verdict.kind

    @property
    def grade(self) -> int | None:
        """Reliability, 1 to 5."""
        return self.finding.grade.level if self.finding.grade else None

    @property
    def cell(self) -> Cell | None:
        """The effect."""
        return None if self.effect is None else self.effect.cell(term="effect")

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        sets = (
            self.effect,
            self.detectable,
            self.distribution,
            self.specifications,
            self.timeline,
            self.reach,
            self.p_values,
            self.false_alarms,
            self.exaggeration,
        )
        parts = (self.districts, self.scrutiny, self.shift if isinstance(self.shift, Shift) else None)
        inner = (published for part in parts if part is not None for published in part.results)
        return (*(published for published in sets if published is not None), *inner)

    @property
    def said(self) -> tuple[Published, ...]:
        """Published values that the sentence mentions."""
        return tuple(published for published in (self.effect, self.detectable) if published is not None)

    def sentence(self, language: str) -> str:
        """Return what the study says in one sentence, with size, interval and reliability."""
        cell = self.cell
        numbers = {"change": cell.value, "low": cell.conf_low, "high": cell.conf_high} if cell else {}
        return verdict_sentence(self.finding, language, basis=self.basis, outcome=self.outcome, **numbers)

    def label(self, language: str) -> str:
        """Return the verdict in a few words."""
        return verdict_label(self.finding, language)

    def cautions(self, language: str) -> list[str]:
        """Return what the result does not mean."""
        return cautions(self.finding, language, basis=self.basis)


def effects(context: "Context") -> tuple[Effect, ...]:
    """Return the effects of all studies of the project, in its order."""
    project = context.project
    return tuple(_effect(context, project.study(id)) for id in project.studies)


def _effect(context: "Context", study: Study) -> Effect:
    project = context.project
    measure = project.agreement.measures.get(study.measure or "")
    outcome = project.outcomes[study.outcome]
    common: dict[str, Any] = {
        "study": study,
        "title": study.title.get(context.language, study.id),
        "outcome": outcome.title[context.language],
        "basis": outcome.kind,
    }
    try:
        panel = project.panel(study)
        estimates = project.method(study.id).estimate(panel)
        effect_of(estimates)
    except EvaluationError as error:
        finding = judge(
            study, None, measure=measure, evidence=_dose(context, study, measure), reasons=reasons_of_error(error)
        )
        return Effect(finding=finding, error=error, labels={}, **common)
    found = routes.specifications(context, panel, project.method(study.id), estimates)
    timeline = _timeline(panel)
    evidence = _evidence(context, panel, measure, found, timeline)
    finding = judge(study, estimates, measure=measure, evidence=evidence)
    return Effect(finding=finding, **common, **_published(context, panel, found, timeline, finding))


def _dose(context: "Context", study: Study, measure: Measure | None) -> Evidence:
    if measure is None:
        return Evidence()
    deployments = context.project.table("deployments") if context.project.has("deployments") else None
    return Evidence(without_dose=areas_without_dose(deployments, measure.id, study.starts))


def _evidence(
    context: "Context",
    panel: Panel,
    measure: Measure | None,
    found: routes.Specifications,
    timeline: Estimates | None,
) -> Evidence:
    """Return what is known beside the estimate; of other specifications, those that were fixed beforehand."""
    breaks: tuple[str, ...] = ()
    if context.project.has("events"):
        first, last = _reach(panel, found.declared[routes.DECLARED])
        touched = events_that_touch(context.project.table("events"), panel.study, first=first, last=last)
        breaks = tuple(str(title) for title in touched[f"title_{context.language}"])
    return Evidence(
        without_dose=_dose(context, panel.study, measure).without_dose,
        breaks=breaks,
        pre_trend=timeline,
        sensitivities=found.others,
    )


def _reach(panel: Panel, estimates: Estimates) -> tuple[str, str]:
    """Return the first and the last period that the effect compares."""
    starts = panel.starts[panel.treated]
    first = max(0, int(starts.min()) - int(estimates.facts.get("before", len(panel.periods))))
    last = min(len(panel.periods), int(starts.max()) + int(estimates.facts.get("after", len(panel.periods)))) - 1
    return panel.periods[first], panel.periods[last]


def _published(
    context: "Context",
    panel: Panel,
    found: routes.Specifications,
    timeline: Estimates | None,
    finding: Finding,
) -> dict[str, Any]:
    """Return all fields of an effect that hold published values, and what its result notes."""
    study, estimates, rules = panel.study, found.declared[routes.DECLARED], context.rules
    source = source_of(context, context.project.outcomes[study.outcome].table)
    whole = About(
        id=f"study.{study.id}", unit="change", source=source, measure=study.measure or "", outcome=study.outcome
    )

    def about(name: str, unit: str = "change") -> About:
        return replace(whole, id=f"{whole.id}.{name}", unit=unit)

    def fact(name: str, unit: str = "change") -> Published:
        frame = pd.DataFrame([{"value": estimates.facts.get(name, np.nan)}])
        return publish(frame, rules, about=about(name, unit), keys=(), basis="services")

    cases = int(np.nansum(panel.outcome[panel.treated]))  # on which the effect rests
    rows: dict[str, Any] = {"basis": "cases", "cases": cases}
    level, method = finding.verdict.level, found.methods[routes.DECLARED]
    silent = {*TOLD_ELSEWHERE, *DOUBTS}
    answered = finding.verdict.kind != "not_assessable"
    return {
        "effect": publish(estimates, rules, about=about("effect"), keys=("term",), **rows),
        "detectable": fact("detectable"),
        "distribution": _distribution(context, estimates, about("comparisons", "number")),
        "specifications": routes.published(found, context, about("specifications"), cases),
        "districts": routes.diluted(found, context, panel, about("districts")),
        "false_alarms": _false_alarms(context, panel, estimates, about("false_alarms", "share")),
        "exaggeration": fact("exaggeration", "index"),
        "p_values": routes.p_values(found, context, about("p_value", "p_value")),
        "labels": routes.labels(found, panel, context.language),
        "timeline": None
        if timeline is None
        else publish(timeline, rules, about=about("timeline"), keys=("event_time",), **rows),
        "reach": _compared(context, estimates, about("reach", "number")),
        "scrutiny": scrutiny(context, panel, method, estimates, whole, level=level) if answered else None,
        "shift": shift(context, panel, method, whole, level=level),
        "notes": tuple(note.worded(context.language) for note in estimates.notes if note.code not in silent),
        "doubts": tuple(note.worded(context.language) for note in estimates.notes if note.code in DOUBTS),
        "inference": str(estimates.facts.get("inference", {}).get("name", "")),
    }


def _compared(context: "Context", estimates: Estimates, about: About) -> Published:
    """Return how many areas have the measure, how many are compared, and with how many assignments."""
    counts = estimates.counts
    known = {"treated": counts.treated, "comparison": counts.units - counts.treated, "assignments": np.nan}
    rows = [{"what": what, "value": estimates.facts.get(what, number)} for what, number in known.items()]
    return publish(pd.DataFrame(rows), context.rules, about=about, keys=("what",), basis="services")


def _distribution(context: "Context", estimates: Estimates, about: About) -> Published | None:
    """Return how many comparisons without the measure fall into each class of relative changes."""
    try:
        frame = without_measure(estimates)
    except EvaluationError:  # no other assignments, or differences of counts
        return None
    return publish(frame, context.rules, about=about, keys=("low", "high"), basis="services")


def _false_alarms(context: "Context", panel: Panel, estimates: Estimates, about: About) -> Published | None:
    """Return the false alarm rate of the test on the city's own areas and earlier dates, if there are enough."""
    if not isinstance(estimates.method, TwoByTwo) or estimates.draws is None:
        return None
    result = placebo_calibration(panel, estimates.method)
    if result.table["estimate"].isna().all():
        return None
    return publish(result, context.rules, about=about, keys=("rule",), basis="services")


def _timeline(panel: Panel) -> Estimates | None:
    """Return the effect by time since the start; None where the data do not allow it."""
    try:
        return EventStudy().estimate(panel)
    except EvaluationError:
        return None
