"""Chapter 2, second half: effects by measure, who is not reached; accompanying questions apart."""

from dataclasses import replace

from evaluation.figures.effects import without_measure
from evaluation.figures.event_study import event_study
from evaluation.report.annual.judgement import renamed
from evaluation.report.annual.perceived_effects import felt_blocks, older_words, unjudged_blocks
from evaluation.report.annual.pieces import figure, missing, told
from evaluation.report.annual.scrutiny import false_alarms, scrutiny
from evaluation.report.annual.shift import beside
from evaluation.report.annual.specifications import specifications
from evaluation.report.blocks import (
    Block,
    GroupBlock,
    Heading,
    ListBlock,
    NoteBlock,
    Paragraph,
    TableBlock,
    TableCell,
    slug,
)
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.reporting import REPORTED
from evaluation.report.material.specifications import DECLARED
from evaluation.report.tables import Layout, long_table
from evaluation.texts.numbers import format_value

FEW_POINTS = 2
"""With so few periods before the start, a different development could hardly be seen."""
ALARMING = 2.0
"""From so many times the intended false alarm rate on it is said in plain words."""


def effects_by_measure(material: Material) -> list[Block]:
    """Return every studied effect of a measure of the register."""
    blocks: list[Block] = [Heading(material.say("effects.title"), 3, id="wirkungen")]
    studied = [measure for measure in material.measures if material.effects_of(measure)]
    felt = [e for e in material.perceived_effects if e.effect is not None]
    if not studied and not felt:
        note = missing(material.context, "report.missing.studies", subject="studies")
        return [*blocks, note, *unjudged_blocks(material)]
    blocks += [Paragraph(material.say("effects.how")), _reading(material)]
    if felt:
        blocks.append(Paragraph(" ".join(filter(None, [told(material, "effect.how"), older_words(material)]))))
    if _reporting_unknown(material):
        blocks.append(Paragraph(material.say("effects.reporting_unknown")))
    for measure in material.measures:
        for effect in material.effects_of(measure):
            blocks.append(Heading(f"{measure.id}: {effect.title}", 4, id=f"wirkung-{slug(effect.study.id)}"))
            blocks += effect_blocks(material, effect)
        blocks += felt_blocks(material, measure)
    return [*blocks, *unjudged_blocks(material)]


def _reading(material: Material) -> Block:
    """Return how the pictures of every effect are to be read, said once."""
    words = [material.say("effects.comparison_note"), material.say("effects.others_note")]
    return Paragraph(" ".join(words), kind="small")


def _reporting_unknown(material: Material) -> bool:
    """Tell whether there are effects on registered cases but no survey that asks whether victims reported."""
    registered = any(effect.basis == "registered" for effect in material.effects)
    return registered and (material.perceived is None or REPORTED not in material.perceived.titles)


def effect_blocks(material: Material, effect: Effect) -> list[Block]:
    """Return what is known about one effect: sentence, comparison, checks, specifications, time before and after."""
    sentence = effect.sentence(material.language)
    blocks: list[Block] = [Paragraph(sentence, kind="answer", results=effect.said)]
    told = material.project.note(effect.study.id, material.language)
    blocks += [Paragraph(told)] if told else []
    if effect.error is not None:
        words = " ".join(problem.worded(material.language) for problem in effect.error.problems)
        note = NoteBlock(words=words, kind="gap", title=material.say("effects.gap"), subject=effect.study.id)
        return [*blocks, note]
    blocks.append(Paragraph(_design(material, effect), results=(effect.reach,) if effect.reach else ()))
    blocks += [NoteBlock(words=words, kind="warning") for words in effect.doubts]
    blocks += [*_tested(material, effect), *false_alarms(material, effect)]
    comparison = _comparison(material, effect)
    if comparison is not None:
        blocks.append(comparison)
    blocks += [*scrutiny(material, effect), *specifications(material, effect)]
    if effect.study.primary or effect.study.event is not None:
        blocks += _timeline(material, effect)
    cautions = [*effect.cautions(material.language), *_alarms(material, effect)]
    if cautions:
        shown = tuple(p for p in (effect.exaggeration, effect.false_alarms) if p is not None)
        blocks.append(Paragraph(" ".join(cautions), lead=material.say("effects.not_meant"), results=shown))
    if effect.finding.grade is not None and effect.verdict != "not_assessable":
        reasons = effect.finding.grade.reasons(material.language)
        lead = effect.finding.grade.worded(material.language) + "."
        blocks.append(Paragraph(" ".join(reasons), lead=lead, kind="small"))
    return blocks


def _tested(material: Material, effect: Effect) -> list[Block]:
    """Return the p-value, and which inference was used and why, for those who want to know."""
    p_value = None if effect.p_values is None else effect.p_values.cell(specification=DECLARED).value
    if effect.p_values is None or p_value is None:
        return []
    smallest = effect.p_values.cell(specification="smallest").value
    form = "plain" if smallest is None else "both"
    level = effect.finding.verdict.level
    words = [material.say(f"effects.tested_{form}", level=level, p_value=p_value, smallest=smallest)]
    words += [material.say(f"inference.{effect.inference}")] if effect.inference else []
    return [Paragraph(" ".join([*words, *effect.notes]), kind="small", results=(effect.p_values,))]


def _design(material: Material, effect: Effect) -> str:
    reach = {str(row["what"]): row["value"] for row in effect.reach.frame.to_dict("records")} if effect.reach else {}
    left_out = "neighbours" if effect.study.leave_out == "neighbours" else "none"
    event = "event_" if effect.study.event is not None else ""
    return material.say(
        f"effects.design_{event}{left_out}",
        treated=reach.get("treated"),
        comparison=reach.get("comparison"),
        areas=sorted(material.areas.get(area, area) for area in effect.study.treated),
        window=effect.labels[DECLARED],
    )


def _comparison(material: Material, effect: Effect) -> Block | None:
    """Return the comparison with areas and years without the measure."""
    cell = effect.cell
    if effect.distribution is None or effect.effect is None or cell is None or cell.value is None:
        return None
    shown = effect.effect.where(term="effect")
    smaller = cell.p_value is not None and cell.p_value <= effect.finding.verdict.level
    finding = material.say("effects.rare" if smaller else "effects.usual", share=cell.p_value, change=abs(cell.value))
    layout = Layout(
        id=f"zahlen-vergleich-{slug(effect.study.id)}",
        caption=material.say("effects.comparison_table"),
        language=material.language,
        rows=("low", "high"),
        heads={"low": material.say("head.from"), "high": material.say("head.to")},
    )
    return figure(
        without_measure(effect.distribution, shown, language=material.language, event=effect.study.event is not None),
        id=f"bild-vergleich-{slug(effect.study.id)}",
        finding=finding,
        alt=material.say("effects.comparison_alt", finding=finding),
        table=_percent_heads(material, long_table(effect.distribution, layout)),
        results=[effect.distribution, effect.effect],
    )


def _percent_heads(material: Material, table: TableBlock) -> TableBlock:
    """Write the ends of the classes as changes in percent."""
    rows = tuple(
        (
            *(TableCell(words=format_value(float(cell.words), "spct0", material.language)) for cell in row[:2]),
            *row[2:],
        )
        for row in table.rows
    )
    return replace(table, rows=rows)


def _timeline(material: Material, effect: Effect) -> list[Block]:
    """Return the effect by time since the start, if it was examined."""
    if effect.timeline is None or effect.finding.grade is None:
        return []
    met = next((check.met for check in effect.finding.grade.checks if check.code == "pre_trend"), None)
    where = "event" if effect.study.event is not None else "measure"
    finding = material.say(f"effects.before_{'some' if met is False else 'none'}_{where}")
    earlier = effect.timeline.frame[effect.timeline.frame["event_time"].lt(0) & effect.timeline.frame["value"].notna()]
    is_reference = earlier["note"].str.contains("reference_period")
    points = int((~is_reference).sum())
    if points <= FEW_POINTS and met is not False:
        doubt = material.say("effects.hardly_tested", n=points, number=material.few(points))
        finding = f"{finding} {doubt}"
    layout = Layout(
        id=f"zahlen-zeit-{slug(effect.study.id)}",
        caption=material.say("effects.timeline_table"),
        language=material.language,
        rows=("event_time",),
        heads={"event_time": material.say(f"head.since_{effect.study.period}")},
        interval=True,
    )
    signed = {str(time): str(time).replace("-", "−") for time in effect.timeline.frame["event_time"]}
    shown = figure(
        event_study(effect.timeline, language=material.language, unit=effect.study.period),
        id=f"bild-zeit-{slug(effect.study.id)}",
        finding=finding,
        alt=material.say("effects.timeline_alt", finding=finding),
        table=renamed(long_table(effect.timeline, layout), signed),
        results=[effect.timeline],
    )
    length = 1 if is_reference.any() else int(effect.timeline.facts["before"])
    return [shown, Paragraph(material.say("effects.timeline_note", n=length), kind="small")]


def _alarms(material: Material, effect: Effect) -> list[str]:
    """Return the warning that the test finds something too often where nothing began."""
    if effect.false_alarms is None or effect.verdict != "established":
        return []
    highest = max((cell.value for cell in effect.false_alarms.cells() if cell.value is not None), default=0.0)
    level = effect.finding.verdict.level
    return [material.say("effects.alarms_high", share=highest, level=level)] if highest >= ALARMING * level else []


def not_reached(material: Material) -> list[Block]:
    """Return who does not appear in the numbers."""
    say = material.say
    items = [say("not_reached.reporting"), say("not_reached.visitors")]
    survey, results = material.perceived, []
    if survey is None:
        items.insert(0, say("not_reached.no_survey"))
    else:
        last = survey.answers.cell(wave=survey.latest)
        items.insert(0, say("not_reached.survey", n=last.value, wave=survey.latest))
        results.append(survey.answers)
        if survey.area_changes is not None:
            frame = survey.area_changes.where(year=survey.latest[:4]).frame
            few = int(frame["suppressed"].sum())
            minimum = material.context.rules.minimum_answers
            items.insert(1, say("not_reached.few_answers", n=few, all=len(frame), minimum=minimum))
            results.append(survey.area_changes)
    if material.not_meaningful:
        names = [material.areas[area] for area in material.not_meaningful]
        items.append(say("not_reached.centre", names=names))
    return [
        Heading(say("not_reached.title"), 3, id="wer-nicht-erreicht-wird"),
        ListBlock(tuple(items), results=tuple(results)),
    ]


def accompanying(material: Material) -> list[Block]:
    """Return studies of laws and events, which are no part of the agreement; nothing where there are none."""
    found = [effect for effect in material.effects if effect.study.event is not None]
    if not found:
        return []
    blocks: list[Block] = [
        Heading(material.say("accompanying.title"), 3, id="begleitfragen"),
        Paragraph(material.say("accompanying.apart")),
        _reading(material),
    ]
    for effect in found:
        blocks.append(Heading(effect.title, 4, id=f"begleitfrage-{slug(effect.study.id)}"))
        event = next((e for e in material.project.events if e.id == effect.study.event), None)
        if event is not None:
            words = material.say("accompanying.whole_areas", event=event.title[material.language], start=event.start)
            blocks.append(NoteBlock(words=words, kind="warning"))
        blocks += [*effect_blocks(material, effect), *beside(material, effect)]
        if event is not None and event.source:
            blocks.append(Paragraph(material.say("accompanying.source", source=event.source), kind="small"))
    return [GroupBlock(id="begleitende-fragen", blocks=tuple(blocks), kind="aside")]
