"""A page for each measure: what was agreed, what was done, what came of it, and what that does not mean."""

from evaluation.agreement.register import Measure
from evaluation.agreement.vocabulary import table_label
from evaluation.disclosure import Published
from evaluation.figures.dose import planned_and_done
from evaluation.findings.wording import verdict_sentence
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.perceived_effects import (
    detectable_words,
    older_words,
    only_alone,
    shares_words,
    takes,
    unjudged,
)
from evaluation.report.annual.pieces import anchor, figure, named, period_words, row, told
from evaluation.report.blocks import (
    Block,
    FactsBlock,
    GroupBlock,
    Heading,
    ListBlock,
    NoteBlock,
    Paragraph,
    TableBlock,
    TableColumn,
)
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.extent import Extent
from evaluation.report.material.perceived_effects import PerceivedEffect
from evaluation.report.material.sources import joined
from evaluation.texts.numbers import format_value


def measures(material: Material) -> list[Block]:
    """Return the pages of all measures of the register."""
    blocks: list[Block] = [
        Heading(material.say("measures.title"), 2, id="massnahmen"),
        Paragraph(material.say("measures.how")),
    ]
    for measure in material.measures:
        content = tuple(page(material, measure))
        blocks.append(GroupBlock(id=anchor(measure), blocks=content, kind="measure"))
    return blocks


def page(material: Material, measure: Measure) -> list[Block]:
    """Return the page of one measure."""
    say = material.say
    done = [
        e
        for e in material.extents[measure.id]
        if e.values.cell(state="done", period=str(material.year)).value is not None
    ]
    blocks: list[Block] = [
        Heading(f"{measure.id} {measure.title[material.language]}", 3, id=f"{anchor(measure)}-titel"),
        Heading(say("measures.agreed"), 4, id=f"{anchor(measure)}-vereinbart"),
        FactsBlock(tuple(_agreed(material, measure))),
        Heading(say("measures.done"), 4, id=f"{anchor(measure)}-getan"),
    ]
    blocks += _done(material, measure, done)
    blocks.append(Heading(say("measures.effect"), 4, id=f"{anchor(measure)}-wirkung"))
    blocks += _effect(material, measure)
    shown = tuple(e.exaggeration for e in material.effects_of(measure)[:1] if e.exaggeration is not None)
    blocks.append(Paragraph(_not_meant(material, measure), lead=say("measures.not_meant"), results=shown))
    proposal = judgement.proposal(material, measure)
    words = proposal.sentence(material.language)
    blocks.append(Paragraph(words, results=judgement.grounds(material, measure)))
    blocks.append(Paragraph(say("measures.source", source=_source(material, measure)), kind="small"))
    return blocks


def _agreed(material: Material, measure: Measure) -> list[tuple[str, str]]:
    say, language, agreement = material.say, material.language, material.project.agreement
    lead = [agreement.body_name(body, language, year=material.year) for body in measure.lead]
    there = "increase" if measure.kind == "effect" else "yes"
    earlier = "unknown" if measure.existed_before == "unknown" else there if measure.existed_before else "no"
    facts = [
        (say("measures.question"), say(f"measures.kind_{measure.kind}")),
        (say("measures.lead"), sentences.listed(lead, language) if lead else say("measures.not_given")),
        (say("measures.since"), period_words(measure.since, language) or say("measures.not_given")),
        (say("measures.earlier"), say(f"measures.earlier_{earlier}")),
    ]
    if measure.areas:
        names = [
            say("measures.area_since", name=material.areas.get(area, area), since=period_words(start, language))
            for area, start in measure.areas.items()
        ]
        facts.append((say("measures.areas"), sentences.listed(names, language)))
    elif measure.kind == "effect":
        facts.append((say("measures.areas"), say("measures.no_areas")))
    parts = [part.title[language] for part in measure.parts.values()]
    facts.append((say("measures.parts"), "; ".join(parts) if parts else say("measures.not_given")))
    planned = _plan(material, measure, material.year + 1)
    if planned:
        facts.append((say("measures.plan_next", year=material.year + 1), planned))
    facts += [(say("measures.revision", year=r.year), r.text[language]) for r in measure.revisions[-3:]]
    return facts


def _plan(material: Material, measure: Measure, year: int) -> str:
    """Return the dose planned for a year, in words of the register."""
    found = []
    for extent in material.extents[measure.id]:
        planned = extent.indicator.planned.get(year)
        if planned is not None:
            amount = sentences.amount(planned, extent.unit, extent.values.number, material.language)
            found.append(
                f"{extent.indicator.title[material.language]} ({extent.part.title[material.language]}): {amount}"
            )
    return "; ".join(found)


def _done(material: Material, measure: Measure, done: list[Extent]) -> list[Block]:
    say, everything = material.say, material.extents[measure.id]
    if not everything:
        return [NoteBlock(words=say("extent.no_indicator"), kind="missing", subject=measure.id)]
    blocks: list[Block] = []
    if done:
        blocks.append(_done_table(material, measure, done))
        picture = _picture(material, measure, done)
        blocks += [picture] if picture else []
    without = [e for e in everything if e not in done]
    if without:
        by_reason: dict[str, list[str]] = {}
        for extent in without:
            name = extent.indicator.title[material.language]
            twice = sum(other.indicator.title[material.language] == name for other in everything) > 1
            name += f" ({extent.part.title[material.language]})" if twice else ""
            by_reason.setdefault(extent.reason or say("extent.no_value"), []).append(name)
        words = " ".join(
            say("measures.without", reason=sentences.capital(reason), names="; ".join(names))
            for reason, names in by_reason.items()
        )
        title = say("measures.no_data") if not done else say("measures.some_data")
        blocks.append(NoteBlock(words=words, kind="missing", title=title, subject=measure.id))
    return blocks


def _done_table(material: Material, measure: Measure, done: list[Extent]) -> TableBlock:
    from evaluation.report.annual.implementation import numbers

    say = material.say
    rows = []
    for extent in done:
        planned, value, achieved, remark = numbers(material, extent)
        name = f"{extent.part.title[material.language]}: {extent.indicator.title[material.language]}"
        rows.append(row(name, extent.unit or say("extent.count"), planned, value, achieved, remark))
    heads = ("indicator", "unit", "planned", "done", "achieved", "remark")
    ends = {"planned", "done", "achieved"}
    return TableBlock(
        id=f"tabelle-{measure.id.lower()}",
        caption=say("measures.done_table", measure=named(measure, material.language), year=material.year),
        columns=tuple(TableColumn(title=say(f"head.{h}"), align="end" if h in ends else "start") for h in heads),
        rows=tuple(rows),
        source=joined(extent.values.source for extent in done),
        results=tuple(p for extent in done for p in (extent.values, extent.achieved)),
    )


def _picture(material: Material, measure: Measure, done: list[Extent]) -> Block | None:
    """Return planned and done over the years for the first indicator with a plan; None with fewer than two years."""
    for extent in done:
        shares = [cell for cell in extent.achieved.cells() if cell.value is not None]
        known = extent.values.where(state="done").frame["value"].notna().sum()
        if len(shares) < 2 or known < 2:
            continue
        title = f"{extent.indicator.title[material.language]} ({extent.part.title[material.language]})"
        period = str(material.year)
        words = judgement.extent_words(extent, material.year, material.language)
        finding = material.say("measures.picture", title=sentences.capital(title), words=words, year=period)
        return figure(
            planned_and_done(
                extent.values, unit=extent.unit or material.say("extent.count"), language=material.language
            ),
            id=f"bild-{measure.id.lower()}",
            finding=finding,
            alt=material.say("measures.picture_alt", finding=finding),
            table=_years_table(material, measure, extent, title),
            results=[extent.values, extent.achieved],
        )
    return None


def _years_table(material: Material, measure: Measure, extent: Extent, title: str) -> TableBlock:
    language, number = material.language, extent.values.number
    rows = []
    known = extent.values.frame[extent.values.frame["value"].notna()]
    for period in sorted(set(known["period"])):
        cells = [extent.values.cell(state=state, period=period) for state in ("planned", "done")]
        rows.append(row(period, *(format_value(cell.value, number, language) for cell in cells)))
    return TableBlock(
        id=f"zahlen-{measure.id.lower()}",
        caption=title,
        columns=(
            TableColumn(title=material.say("head.year")),
            TableColumn(title=material.say("head.planned"), align="end"),
            TableColumn(title=material.say("head.done"), align="end"),
        ),
        rows=tuple(rows),
        results=(extent.values,),
    )


def _effect(material: Material, measure: Measure) -> list[Block]:
    """Return the sentences of all studies of the measure, or why nothing can be said."""
    effects = material.effects_of(measure)
    blocks: list[Block] = []
    if effects:
        words = tuple(f"{effect.title}: {effect.sentence(material.language)}" for effect in effects)
        blocks.append(ListBlock(words, results=tuple(p for effect in effects for p in effect.said)))
        blocks.append(Paragraph(material.say("measures.see_effects"), kind="small"))
    elif not any(effect.effect is not None for effect in material.perceived_effects_of(measure)):
        blocks.append(Paragraph(verdict_sentence(material.findings[measure.id], material.language)))
        if measure.kind != "effect":
            blocks.append(Paragraph(material.say(f"measures.no_question_{measure.kind}")))
        elif measure.tables:
            blocks.append(Paragraph(_what_it_takes(material, measure)))
    return [*blocks, *_felt(material, measure)]


def _felt(material: Material, measure: Measure) -> list[Block]:
    """Return the effects on the sense of safety: what could be found before what was, and the shares behind it."""
    lines: list[str] = []
    sets: list[Published] = []
    for effect in material.perceived_effects_of(measure):
        if effect.effect is None:
            continue
        lacks = takes(material, effect) if effect.verdict == "not_assessable" else ""
        alone = only_alone(material, measure, effect)
        words = [detectable_words(material, effect), effect.sentence(material.language), alone, lacks]
        lines.append(" ".join(filter(None, [*words, shares_words(material, effect)])))
        sets += effect.results
    lines += unjudged(material, measure)
    if not lines:
        return []
    lead = Paragraph(" ".join(filter(None, [told(material, "effect.lead"), older_words(material)])))
    return [lead, ListBlock(tuple(lines), results=tuple(sets))]


def _what_it_takes(material: Material, measure: Measure) -> str:
    absent = [table_label(table, material.language) for table in measure.tables if not material.project.has(table)]
    if absent:
        return material.say("measures.takes_data", tables=absent)
    return material.say("measures.takes_study")


def _not_meant(material: Material, measure: Measure) -> str:
    """Return "Was das nicht heißt" for the measure."""
    if measure.kind != "effect":
        return material.say(f"measures.not_meant_{measure.kind}")
    effects: tuple[Effect | PerceivedEffect, ...] = material.effects_of(measure)
    effects = effects or tuple(e for e in material.perceived_effects_of(measure) if e.effect is not None)
    if not effects:
        return material.say("measures.not_meant_no_study")
    words = dict.fromkeys(caution for effect in effects[:1] for caution in effect.cautions(material.language))
    return " ".join(words) or material.say("measures.not_meant_effect")


def _source(material: Material, measure: Measure) -> str:
    sets = [e.values for e in material.extents[measure.id] if e.values.frame["value"].notna().any()]
    sets += [effect.effect for effect in material.effects_of(measure) if effect.effect is not None]
    sets += [effect.effect for effect in material.perceived_effects_of(measure) if effect.effect is not None]
    return joined([material.say("measures.register"), *(published.source for published in sets)])
