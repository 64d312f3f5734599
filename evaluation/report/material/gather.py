"""Everything that the annual report shows, computed once; a chapter takes what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.agreement.register import Measure
from evaluation.agreement.vocabulary import TABLES
from evaluation.disclosure import About, Published, publish
from evaluation.findings.finding import Finding, not_judged
from evaluation.findings.proposal import Proposal, done_share, propose
from evaluation.report.material.effects import Effect, effects
from evaluation.report.material.extent import Extent, extents
from evaluation.report.material.perceived import Perceived, surveys
from evaluation.report.material.perceived_effects import PerceivedEffect, perceived_effects
from evaluation.report.material.registered import City, Registered, area_names, areas_without_residents, registered
from evaluation.report.material.together import Together, before, before_and_now, together
from evaluation.texts import has_text, text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from evaluation.project import Project
    from evaluation.report.context import Context


@dataclass(frozen=True, kw_only=True)
class Material:
    """The numbers of one annual report.

    Parameters
    ----------
    context
        Project, year and language.
    city
        Registered outcomes and inhabitants.
    perceived
        Sense of safety by the first survey; None without one.
    surveys
        The same for every survey of the project, each by itself.
    together
        Both for the same areas and years; None where one is missing.
    summary
        Registered cases before and now, for the picture of page one.
    base_year
        The year that is "before" there; empty without counts.
    effects
        One for each study, in the order of the project.
    extents
        Planned and done by measure.
    findings, proposals
        By measure: what its main study says, or why there is none, and what is proposed.
    done
        By measure: share of the plan that was done, on which the proposal rests.
    perceived_effects
        Effects on the sense of safety, in the order of the register.
    areas
        Name of each area.
    not_meaningful
        Areas whose residents are no basis for a rate.
    """

    context: "Context"
    city: City
    perceived: Perceived | None
    surveys: tuple[Perceived, ...]
    together: Together | None
    summary: Published | None
    base_year: str
    effects: tuple[Effect, ...]
    extents: Mapping[str, tuple[Extent, ...]]
    findings: Mapping[str, Finding]
    proposals: Mapping[str, Proposal]
    done: Mapping[str, Published]
    perceived_effects: tuple[PerceivedEffect, ...]
    areas: Mapping[str, str]
    not_meaningful: tuple[str, ...]

    @property
    def project(self) -> "Project":
        """The project."""
        return self.context.project

    @property
    def year(self) -> int:
        """The year of the report."""
        return self.context.year

    @property
    def language(self) -> str:
        """The language of the report."""
        return self.context.language

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures of the register, in its order."""
        return tuple(self.project.agreement.measures.values())

    @property
    def registered(self) -> tuple[Registered, ...]:
        """Registered outcomes, headline ones first; empty where no counts were delivered."""
        return self.city.outcomes

    @cached_property
    def headline(self) -> tuple[Registered, ...]:
        """Registered outcomes fixed in advance as headline ones; all, where none is."""
        chosen = tuple(r for r in self.registered if self.project.outcomes[r.id].headline)
        return chosen or self.registered

    def say(self, key: str, /, **values: object) -> str:
        """Return the words of ``report.<key>`` in the language of the report; ``<key>_one`` where `n` is 1."""
        single = f"report.{key}_one"
        chosen = single if values.get("n") == 1 and has_text(single, self.language) else f"report.{key}"
        return text(chosen, self.language, **values)

    def few(self, number: int) -> str:
        """Return a number up to twelve as a word (in German as it stands after "bei", feminine), else in digits."""
        key = f"report.count.n{number}"
        return text(key, self.language) if has_text(key, self.language) else format_value(number, "int", self.language)

    def tally(self, id: str, **numbers: int) -> Published:
        """Return numbers that were counted from published values, so that they stand in ``results.csv``, too."""
        frame = pd.DataFrame([{"what": what, "value": float(number)} for what, number in numbers.items()])
        about = About(id=id, unit="number", source=self.project.origin(self.language))
        return publish(frame, self.context.rules, about=about, keys=("what",), basis="services")

    def effects_of(self, measure: Measure) -> tuple[Effect, ...]:
        """Return the effects that were studied for a measure, primary ones first."""
        found = [effect for effect in self.effects if effect.study.measure == measure.id]
        return tuple(sorted(found, key=lambda effect: not effect.study.primary))

    def perceived_effects_of(self, measure: Measure) -> tuple[PerceivedEffect, ...]:
        """Return the effects on the sense of safety of a measure, in the order of its aims."""
        return tuple(effect for effect in self.perceived_effects if effect.measure == measure.id)


def gather(context: "Context") -> Material:
    """Compute and publish all numbers of the annual report."""
    city = registered(context)
    asked = surveys(context)
    survey = next(iter(asked), None)
    headline = [r for r in city.outcomes if context.project.outcomes[r.id].headline] or list(city.outcomes)
    base = _base_year(context, headline, survey)
    studied = effects(context)
    felt = perceived_effects(context, asked)
    done = extents(context)
    findings = {
        measure.id: _finding(context, measure, studied, felt, done.of_measure(measure.id))
        for measure in context.project.agreement.measures.values()
    }
    return Material(
        context=context,
        city=city,
        perceived=survey,
        surveys=asked,
        together=together(context, city.outcomes, survey),
        summary=before_and_now(context, city, [r.id for r in headline], base, headline[0].years[-1])
        if headline
        else None,
        base_year=base,
        effects=studied,
        extents=done.by_measure,
        findings=findings,
        proposals={id: propose(finding, done.of_measure(id)) for id, finding in findings.items()},
        done={id: _done(context, id, done.of_measure(id)) for id in findings},
        perceived_effects=felt,
        areas=area_names(context),
        not_meaningful=areas_without_residents(context),
    )


def _base_year(context: "Context", headline: list[Registered], survey: Perceived | None) -> str:
    """Return the year before the agreement: that of the survey's baseline, else the last one delivered before it."""
    if not headline:
        return ""
    first = headline[0]
    if survey is not None:
        return before(first, survey)
    since = context.project.agreement.since
    earlier = [year for year in first.years if since and year < str(since)[:4]]
    return earlier[-1] if earlier else first.years[0]


def _done(context: "Context", measure: str, rows: pd.DataFrame) -> Published:
    """Return how much of the plan of a measure was done, over all its indicators."""
    share = done_share(rows)
    frame = pd.DataFrame([{"value": float("nan") if share is None else share}])
    source = context.project.origin(context.language)
    about = About(id=f"measure.{measure}.done", unit="share", source=source, measure=measure)
    return publish(frame, context.rules, about=about, keys=(), basis="services")


def _finding(
    context: "Context",
    measure: Measure,
    studied: tuple[Effect, ...],
    felt: tuple[PerceivedEffect, ...],
    done: pd.DataFrame,
) -> Finding:
    """Return the finding of the measure's main study, else one on the sense of safety, else why there is none."""
    found = sorted((e for e in studied if e.study.measure == measure.id), key=lambda e: not e.study.primary)
    if found:
        return found[0].finding
    said = [e.finding for e in felt if e.measure == measure.id and e.verdict != "not_assessable"]
    if said:
        return next((finding for finding in said if finding.verdict.kind == "established"), said[0])
    delivered = [table for table in TABLES if context.project.has(table)]
    return not_judged(measure, delivered=delivered, dosed=bool(done["done"].notna().any()))
