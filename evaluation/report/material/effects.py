"""Effects: every declared study with its estimate, its yardstick, its other specifications, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.agreement.dose import areas_without_dose
from evaluation.agreement.register import Measure
from evaluation.diagnostics import placebo_calibration
from evaluation.did.event_study import EventStudy
from evaluation.did.two_by_two import TwoByTwo
from evaluation.disclosure import About, Cell, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates
from evaluation.findings.finding import Evidence, Finding, events_that_touch, judge
from evaluation.findings.reasons import reasons_of_error
from evaluation.findings.wording import cautions, verdict_label, verdict_sentence
from evaluation.panel import Panel
from evaluation.report.material.sources import source_of
from evaluation.study import Study
from evaluation.texts import text

if TYPE_CHECKING:
    from evaluation.report.context import Context

BARS = 31
"""Classes of the picture that compares with areas and years without the measure."""
DECLARED = "declared"


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
        Key ``specification``: the effect under every declared specification, and what each of them does.
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
    timeline: Published | None = None
    reach: Published | None = None
    p_values: Published | None = None
    false_alarms: Published | None = None
    exaggeration: Published | None = None
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
        return tuple(published for published in sets if published is not None)

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
    except EvaluationError as error:
        finding = judge(
            study, None, measure=measure, evidence=_dose(context, study, measure), reasons=reasons_of_error(error)
        )
        return Effect(finding=finding, error=error, labels={}, **common)
    others = _sensitivities(context, study, panel)
    timeline = _timeline(panel)
    evidence = _evidence(context, study, measure, panel, estimates, others, timeline)
    finding = judge(study, estimates, measure=measure, evidence=evidence)
    return Effect(finding=finding, **common, **_published(context, study, panel, estimates, others, timeline))


def _sensitivities(context: "Context", study: Study, panel: Panel) -> dict[str, Estimates]:
    """Return the effect under the other declared specifications; what cannot be estimated is left out here and said."""
    found = {}
    for number, method in enumerate(context.project.sensitivities(study.id), start=1):
        try:
            found[f"other_{number}"] = method.estimate(panel)
        except EvaluationError:
            continue  # the label of a specification without an estimate is shown with "kein Wert"
    return found


def _dose(context: "Context", study: Study, measure: Measure | None) -> Evidence:
    if measure is None:
        return Evidence()
    deployments = context.project.table("deployments") if context.project.has("deployments") else None
    return Evidence(without_dose=areas_without_dose(deployments, measure.id, study.starts))


def _evidence(
    context: "Context",
    study: Study,
    measure: Measure | None,
    panel: Panel,
    estimates: Estimates,
    others: Mapping[str, Estimates],
    timeline: Estimates | None,
) -> Evidence:
    breaks: tuple[str, ...] = ()
    if context.project.has("events"):
        first, last = _reach(panel, estimates)
        touched = events_that_touch(context.project.table("events"), study, first=first, last=last)
        breaks = tuple(str(title) for title in touched[f"title_{context.language}"])
    return Evidence(
        without_dose=_dose(context, study, measure).without_dose,
        breaks=breaks,
        pre_trend=timeline,
        sensitivities=dict(others),
    )


def _reach(panel: Panel, estimates: Estimates) -> tuple[str, str]:
    """Return the first and the last period that the effect compares."""
    starts = panel.starts[panel.treated]
    first = max(0, int(starts.min()) - int(estimates.facts.get("before", len(panel.periods))))
    last = min(len(panel.periods), int(starts.max()) + int(estimates.facts.get("after", len(panel.periods)))) - 1
    return panel.periods[first], panel.periods[last]


def _published(
    context: "Context",
    study: Study,
    panel: Panel,
    estimates: Estimates,
    others: Mapping[str, Estimates],
    timeline: Estimates | None,
) -> dict[str, Any]:
    source = source_of(context, context.project.outcomes[study.outcome].table)
    cases = _cases(panel)

    def about(name: str, unit: str) -> About:
        return About(
            id=f"study.{study.id}.{name}", unit=unit, source=source, measure=study.measure or "", outcome=study.outcome
        )

    rules = context.rules
    effect = publish(estimates, rules, about=about("effect", "change"), keys=("term",), basis="cases", cases=cases)
    detectable = pd.DataFrame([{"value": estimates.facts.get("detectable", np.nan)}])
    reach = [
        {"what": what, "value": estimates.facts.get(what, np.nan)} for what in ("treated", "comparison", "assignments")
    ]
    return {
        "effect": effect,
        "detectable": publish(detectable, rules, about=about("detectable", "change"), keys=(), basis="services"),
        "distribution": _distribution(context, estimates, about("comparisons", "number")),
        "specifications": _specifications(
            context, {DECLARED: estimates, **others}, about("specifications", "change"), cases
        ),
        "false_alarms": _false_alarms(context, panel, estimates, about("false_alarms", "share")),
        "exaggeration": publish(
            pd.DataFrame([{"value": estimates.facts.get("exaggeration", np.nan)}]),
            rules,
            about=about("exaggeration", "index"),
            keys=(),
            basis="services",
        ),
        "p_values": _p_values(context, {DECLARED: estimates, **others}, about("p_value", "p_value")),
        "labels": _labels(context, study, {DECLARED: estimates, **others}),
        "timeline": None
        if timeline is None
        else publish(
            timeline, rules, about=about("timeline", "change"), keys=("event_time",), basis="cases", cases=cases
        ),
        "reach": publish(pd.DataFrame(reach), rules, about=about("reach", "number"), keys=("what",), basis="services"),
    }


def _cases(panel: Panel) -> int:
    """Return the number of cases in the areas with the measure, on which the effect rests."""
    return int(np.nansum(panel.outcome[panel.treated]))


def _distribution(context: "Context", estimates: Estimates, about: About) -> Published | None:
    """Return how many comparisons without the measure fall into each class of relative changes."""
    if estimates.draws is None or len(estimates.draws.values) < 2:
        return None
    drawn = np.expm1(estimates.draws.values[1:, 0])  # the first is the true assignment
    reach = float(np.quantile(np.abs(drawn), 0.995))
    bars = int(np.clip(len(drawn) / 6, 9, BARS))
    step = max(0.01, float(np.ceil(200 * reach / bars) / 100))
    last = step * np.ceil(reach / step)
    edges = np.round(np.arange(-last, last + step / 2, step), 10)
    counts, _ = np.histogram(np.clip(drawn, edges[0], edges[-1]), bins=edges)
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "value": counts})
    return publish(frame, context.rules, about=about, keys=("low", "high"), basis="services")


def _specifications(context: "Context", results: Mapping[str, Estimates], about: About, cases: int) -> Published | None:
    if len(results) < 2:
        return None
    parts = []
    for name, result in results.items():
        if result.scale.name != "log":
            continue  # an effect in cases has no place on an axis of percent
        shown = result.display()
        row = shown[shown["term"] == "effect"].rename(columns={"estimate": "value"})
        numbers = ["value", "conf_low", "conf_high"]
        parts.append(row[[*numbers, "p_value"]].assign(**{n: row[n] - 1 for n in numbers}, specification=name))
    frame = pd.concat(parts, ignore_index=True)
    return publish(frame, context.rules, about=about, keys=("specification",), basis="cases", cases=cases)


def _false_alarms(context: "Context", panel: Panel, estimates: Estimates, about: About) -> Published | None:
    """Return the false alarm rate of the test on the city's own areas and earlier dates, if there are enough."""
    if not isinstance(estimates.method, TwoByTwo):
        return None
    result = placebo_calibration(panel, estimates.method)
    if result.table["estimate"].isna().all():
        return None
    return publish(result, context.rules, about=about, keys=("rule",), basis="services")


def _p_values(context: "Context", results: Mapping[str, Estimates], about: About) -> Published:
    """Return the p-value of every specification and the smallest that the declared one could attain."""
    rows = [{"specification": name, "value": result.row(term="effect")["p_value"]} for name, result in results.items()]
    rows.append({"specification": "smallest", "value": results[DECLARED].facts.get("smallest_p", np.nan)})
    return publish(pd.DataFrame(rows), context.rules, about=about, keys=("specification",), basis="services")


def _labels(context: "Context", study: Study, results: Mapping[str, Estimates]) -> dict[str, str]:
    """Return in words what each specification does."""
    found = {}
    for name, result in results.items():
        key = "report.specification.declared" if name == DECLARED else "report.specification.other"
        before, after = (
            _length(result.facts.get(side), study.period, context.language) for side in ("before", "after")
        )
        window = text("report.specification.window", context.language, before=before, after=after)
        words = text(key, context.language, window=window)
        found[name] = _with_options(words, result.method, context.language)
    return found


def _length(periods: Any, period: str, language: str) -> str:
    """Return a number of periods in words: "24 Monate", "ein Jahr"."""
    single = "_one" if periods == 1 else ""
    return text(f"report.specification.{period}{single}", language, n=periods)


def _with_options(words: str, method: Any, language: str) -> str:
    """Add what else a specification does: count in cases, weight all areas the same."""
    if getattr(method, "scale", "ratio") == "levels":
        words = text("report.specification.levels", language, label=words)
    if getattr(getattr(method, "inference", None), "weights", "precision") == "equal":
        words = text("report.specification.equal", language, label=words)
    return words


def _timeline(panel: Panel) -> Estimates | None:
    """Return the effect by time since the start; None where the data do not allow it."""
    try:
        return EventStudy().estimate(panel)
    except EvaluationError:
        return None
