"""Effects on the sense of safety: every question that the register names as an aim of a measure, with its verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.agreement.dose import areas_without_dose
from evaluation.agreement.register import Measure
from evaluation.data.periods import start_date
from evaluation.disclosure import About, Cell, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates
from evaluation.findings.answers import answers_reasons, holm, judge_answers
from evaluation.findings.finding import Evidence, Finding, events_that_touch
from evaluation.findings.reasons import Reason
from evaluation.findings.verdict import LARGEST_TYPICAL
from evaluation.findings.wording import cautions, verdict_sentence
from evaluation.project.surveys import wave_dates
from evaluation.report.material.perceived import Perceived, noted
from evaluation.report.material.sources import source_of
from evaluation.report.material.waves import asked_in, not_comparable, share_of
from evaluation.sample import Sample
from evaluation.study import Study
from evaluation.survey.difference import SurveyDifference
from evaluation.survey.register import MeasureDifference

if TYPE_CHECKING:
    from evaluation.project.schema import Item
    from evaluation.report.context import Context

TOLD_ELSEWHERE = (
    "survey_change.note.detectable_points",
    "survey_change.note.mode_break_compared",
    "survey_change.note.chosen_exchange",
    "survey_items.note.undeclared",
    "survey_items.note.similar",
    "survey.note.missing_answers",
)
"""Notes of a result that the report says in other words."""


@dataclass(frozen=True, kw_only=True)
class PerceivedEffect:
    """The effect of one measure on one survey question.

    Parameters
    ----------
    measure, item
        Ids.
    outcome
        Title of the question in the language of the report.
    finding
        What came out, or why nothing can be said.
    waves
        The waves before and after; empty where they are not known.
    effect
        Key ``term``: difference of the changes of the share, in points.
    detectable
        Change that would be found with 80 % power, in points.
    reach
        Key ``what``: areas ``treated`` and for ``comparison``, answers ``before`` and ``after`` in the former, answers
        ``needed`` at least.
    p_values
        Key ``what``: ``own``, and ``together`` with the other questions about the measure.
    groups
        Keys ``group`` (``with``, ``without``) and ``time`` (``before``, ``now``): the shares.
    earlier
        The same difference between the two waves before the start; None without such.
    earlier_waves
        These waves.
    returns
        Key ``what``: share of a rise before (``returned``), or of the differences between areas before
        (``reliability``), that goes back by itself; one of both.
    notes
        How it was computed.
    """

    measure: str
    item: str
    outcome: str
    finding: Finding
    waves: tuple[str, ...] = ()
    effect: Published | None = None
    detectable: Published | None = None
    reach: Published | None = None
    p_values: Published | None = None
    groups: Published | None = None
    earlier: Published | None = None
    earlier_waves: tuple[str, ...] = ()
    returns: Published | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """``established``, ``not_shown`` or ``not_assessable``."""
        return self.finding.verdict.kind

    @property
    def grade(self) -> int | None:
        """Reliability, 1 to 5; None where nothing is said."""
        return self.finding.grade.level if self.finding.grade and self.verdict != "not_assessable" else None

    @property
    def cell(self) -> Cell | None:
        """The effect."""
        return None if self.effect is None else self.effect.cell(term="effect")

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        sets = (self.detectable, self.effect, self.reach, self.p_values, self.groups, self.earlier, self.returns)
        return tuple(published for published in sets if published is not None)

    @property
    def said(self) -> tuple[Published, ...]:
        """Published values that the sentence mentions."""
        return tuple(published for published in (self.detectable, self.effect) if published is not None)

    def sentence(self, language: str) -> str:
        """Return what came out in one sentence, with size, interval and reliability."""
        cell = self.cell
        numbers = {"change": cell.value, "low": cell.conf_low, "high": cell.conf_high} if cell else {}
        return verdict_sentence(self.finding, language, basis="perceived", outcome=self.outcome, **numbers)

    def cautions(self, language: str) -> list[str]:
        """Return what the result does not mean."""
        return cautions(self.finding, language, basis="perceived")


@dataclass(frozen=True, kw_only=True)
class _Estimated:
    """One question with its estimate, before the questions about a measure are judged together."""

    item: "Item"
    study: Study
    estimates: Estimates
    earlier: Estimates | None
    earlier_waves: tuple[str, ...]
    groups: pd.DataFrame
    evidence: Evidence

    @property
    def waves(self) -> tuple[str, str]:
        return self.estimates.method.baseline, self.estimates.method.wave

    @property
    def answers(self) -> tuple[int, int]:
        return int(self.estimates.facts["answers_before"]), int(self.estimates.facts["answers_after"])

    def share(self, time: str) -> float:
        rows = self.groups[self.groups["group"].eq("with") & self.groups["time"].eq(time)]
        return float(rows["value"].iloc[0]) if len(rows) else float("nan")


def perceived_effects(context: "Context", surveys: Sequence[Perceived]) -> tuple[PerceivedEffect, ...]:
    """Return the effects on all questions that the register names for measures of which an effect is asked."""
    if not surveys:
        return ()
    found: list[PerceivedEffect] = []
    for measure in context.project.agreement.measures.values():
        items = [context.project.items[name] for name in measure.outcomes if name in context.project.items]
        if measure.kind == "effect" and items:
            found += _of_measure(context, measure, items, surveys)
    return tuple(found)


def _of_measure(
    context: "Context", measure: Measure, items: list["Item"], surveys: Sequence[Perceived]
) -> list[PerceivedEffect]:
    tried = {item.id: _tried(context, measure, item, surveys) for item in items}
    minimum = context.rules.minimum_answers
    p_values = {
        name: float(one.estimates.row(term="effect")["p_value"])
        for name, one in tried.items()
        if isinstance(one, _Estimated)
        if min(one.answers) >= minimum and float(one.estimates.facts.get("smallest_p", 0.0)) <= 0.05
    }
    together = holm({name: p for name, p in p_values.items() if math.isfinite(p)})
    effects = []
    for item in items:
        one = tried[item.id]
        if isinstance(one, _Estimated):
            effects.append(_judged(context, measure, one, together))
            continue
        finding = judge_answers(None, None, measure=measure, reasons=one)
        effects.append(_bare(context, measure, item, finding))
    return effects


def _bare(context: "Context", measure: Measure, item: "Item", finding: Finding) -> PerceivedEffect:
    title = item.title[context.language]
    return PerceivedEffect(measure=measure.id, item=item.id, outcome=title, finding=finding)


def _tried(
    context: "Context", measure: Measure, item: "Item", surveys: Sequence[Perceived]
) -> "_Estimated | tuple[Reason, ...]":
    """Return the estimate, or why there is none."""
    owner = next((one for one in surveys if item.id in one.titles), None)
    if not measure.areas:
        return (Reason("no_areas"),)
    if owner is None:
        return (Reason("no_wave_before"), Reason("no_wave_after"))
    sample = context.project.sample(survey=owner.survey or None)
    lacking = _lacking_waves(context, measure, asked_in(sample, item))
    if lacking:
        return lacking
    try:
        estimates = MeasureDifference(measure=measure.id, item=item.id).estimate(context.project)
    except EvaluationError as error:
        return answers_reasons(error)
    starts = {area: since for area, since in measure.areas.items() if area in estimates.method.treated}
    study = Study(
        id=f"perceived_{measure.id}_{item.id}",
        measure=measure.id,
        outcome=item.id,
        treated_since=starts,
        title=item.title,
    )
    earlier_waves, earlier = _earlier(context, sample, item, estimates.method)
    return _Estimated(
        item=item,
        study=study,
        estimates=estimates,
        earlier=earlier,
        earlier_waves=earlier_waves,
        groups=_groups(context, sample, item, estimates.method),
        evidence=_evidence(context, study, estimates.method, earlier),
    )


def _lacking_waves(context: "Context", measure: Measure, asked: Sequence[str]) -> tuple[Reason, ...]:
    """Return which side of the start has no wave with the question."""
    days = {wave: wave_dates(context.project).get(wave) for wave in asked}
    known = {wave: day.isoformat() if day else f"{wave[:4]}-12-31" for wave, day in days.items()}
    starts = [start_date(since).isoformat() for since in measure.areas.values()]
    found = []
    if not any(day < min(starts) for day in known.values()):
        found.append(Reason("no_wave_before"))
    if not any(day >= min(starts) for day in known.values()):
        found.append(Reason("no_wave_after"))
    return tuple(found)


def _earlier(
    context: "Context", sample: Sample, item: "Item", method: SurveyDifference
) -> tuple[tuple[str, ...], Estimates | None]:
    """Return the same comparison between the two waves before the start, where these can be compared."""
    before = [wave for wave in asked_in(sample, item) if wave < method.baseline]
    waves = (before[-1], method.baseline) if before else ()
    if len(waves) != 2 or not_comparable(context, item, waves):
        return (), None
    if any(share_of(context, item, wave=wave) != method.estimator for wave in waves):
        return (), None  # scales of another length
    try:
        return waves, replace(method, baseline=waves[0], wave=waves[1]).estimate(sample)
    except EvaluationError:
        return (), None


def _groups(context: "Context", sample: Sample, item: "Item", method: SurveyDifference) -> pd.DataFrame:
    """Return the shares in areas with the measure and elsewhere, before and after; columns group, time, value, n."""
    kept = sample.where(~sample.frame["area"].isin(list(method.excluded)))
    inside = kept.frame["area"].isin(list(method.treated))
    group = inside.map({True: "with", False: "without"})
    parts = []
    for wave, time in ((method.baseline, "before"), (method.wave, "now")):
        estimator = share_of(context, item, wave=wave, by="group")
        asked = replace(kept, frame=kept.frame.assign(group=group)).where(kept.frame["wave"].eq(wave))
        parts.append(estimator.estimate(asked).display().assign(time=time))
    return pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"})


def _evidence(context: "Context", study: Study, method: SurveyDifference, earlier: Estimates | None) -> Evidence:
    project = context.project
    deployments = project.table("deployments") if project.has("deployments") else None
    return Evidence(
        without_dose=areas_without_dose(deployments, str(study.measure), study.starts),
        breaks=_changes_of_asking(context, study, method),
        pre_trend=earlier,
    )


def _changes_of_asking(context: "Context", study: Study, method: SurveyDifference) -> tuple[str, ...]:
    """Return what changed in how people were asked between the two waves: events, and what the questions say."""
    project, days, found = context.project, wave_dates(context.project), []
    first, last = (f"{days[wave]:%Y-%m}" if wave in days else wave[:4] for wave in (method.baseline, method.wave))
    if project.has("events"):
        touched = events_that_touch(project.table("events"), study, first=first, last=last)
        found += [str(title) for title in touched.loc[touched["kind"].eq("survey"), f"title_{context.language}"]]
    question = project.questions.get(study.outcome)
    if question is not None and {method.baseline, method.wave} <= set(question.waves):
        found += question.compare(method.baseline, method.wave).reasons(context.language)
    return tuple(dict.fromkeys(found))


# --- judged and published ---


def _judged(context: "Context", measure: Measure, one: _Estimated, together: Mapping[str, float]) -> PerceivedEffect:
    minimum = context.rules.minimum_answers
    few = (Reason("few_answers", {"minimum": minimum}),) if min(one.answers) < minimum else ()
    finding = judge_answers(
        one.study,
        one.estimates,
        measure=measure,
        evidence=one.evidence,
        share_before=one.share("before"),
        p_value=together.get(one.item.id, 1.0),
        reasons=few,
    )
    facts = one.estimates.facts
    source = source_of(context, "respondents")
    about = About(
        id=f"perceived.{measure.id}.{one.item.id}",
        unit="change_points",
        source=source,
        measure=measure.id,
        outcome=one.item.id,
    )

    def of(name: str, unit: str) -> About:
        return replace(about, id=f"{about.id}.{name}", unit=unit)

    size: dict[str, Any] = {"basis": "answers", "cases": min(one.answers)}
    detectable = pd.DataFrame([{"value": float(facts["detectable"])}])
    own = one.estimates.row(term="effect")["p_value"]
    p_values = {"own": own, "together": together.get(one.item.id, float("nan"))}
    rules = context.rules
    silent = [note for note in one.estimates.notes if note.code not in TOLD_ELSEWHERE]
    return PerceivedEffect(
        measure=measure.id,
        item=one.item.id,
        outcome=one.item.title[context.language],
        finding=finding,
        waves=one.waves,
        effect=publish(one.estimates, rules, about=of("effect", "change_points"), keys=("term",), **size),
        detectable=publish(detectable, rules, about=of("detectable", "change_points"), keys=(), basis="services"),
        reach=_reach(context, one, of("reach", "number")),
        p_values=publish(_rows(p_values), rules, about=of("p_value", "p_value"), keys=("what",), basis="services"),
        groups=publish(
            noted(one.groups), rules, about=of("groups", "share"), keys=("group", "time"), basis="answers", cases="n"
        ),
        earlier=None
        if one.earlier is None
        else publish(one.earlier, rules, about=of("earlier", "change_points"), keys=("term",), **size),
        earlier_waves=one.earlier_waves,
        returns=_returns(context, one, of("returns", "share")),
        notes=tuple(note.worded(context.language) for note in silent),
    )


def _reach(context: "Context", one: _Estimated, about: About) -> Published:
    """Return areas and answers; and how many answers a wave would at least need, were all else alike.

    The smallest effect that is found shrinks with the root of the answers, and more slowly where areas move by
    themselves.
    """
    facts = one.estimates.facts
    largest = LARGEST_TYPICAL * one.share("before")
    needed = min(one.answers) * (float(facts["detectable"]) / largest) ** 2 if largest > 0 else float("nan")
    rows = {
        "treated": facts["treated"],
        "comparison": facts["comparison"],
        "before": one.answers[0],
        "after": one.answers[1],
        "needed": needed,
    }
    return publish(_rows(rows), context.rules, about=about, keys=("what",), basis="services")


def _returns(context: "Context", one: _Estimated, about: About) -> Published | None:
    """Return how much goes back to the usual level by itself, which a note of the result mentions."""
    noted = {note.code.rsplit(".", 1)[-1]: note.values.get("share") for note in one.estimates.notes}
    rows = {what: noted[what] for what in ("returned", "reliability") if noted.get(what) is not None}
    return publish(_rows(rows), context.rules, about=about, keys=("what",), basis="services") if rows else None


def _rows(values: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{"what": what, "value": float(value)} for what, value in values.items()])
