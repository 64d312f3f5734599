"""Effects on the sense of safety: what could be found, what was found, and what it takes where nothing can be said."""

import math

from evaluation.agreement.register import Measure
from evaluation.disclosure import Published
from evaluation.findings.reasons import join_reasons
from evaluation.report import sentences
from evaluation.report.annual.pieces import named, told
from evaluation.report.blocks import Block, Heading, ListBlock, NoteBlock, Paragraph, slug
from evaluation.report.material import Material
from evaluation.report.material.perceived_effects import PerceivedEffect
from evaluation.texts import has_text

ROUNDED = 10
"""Numbers of answers that would be needed are rounded up to tens."""


def felt_blocks(material: Material, measure: Measure) -> list[Block]:
    """Return what is known about the effects of a measure on the sense of safety, question by question."""
    blocks: list[Block] = []
    for effect in material.perceived_effects_of(measure):
        if effect.effect is not None:
            title = told(material, "effect.heading", measure=measure.id, item=effect.outcome)
            blocks.append(Heading(title, 4, id=f"wirkung-{slug(f'{measure.id}-{effect.item}')}"))
            blocks += _blocks(material, measure, effect)
    return blocks


def unjudged(material: Material, measure: Measure) -> tuple[str, ...]:
    """Return why effects of a measure on the sense of safety cannot be estimated, and what it would take."""
    alike: dict[str, list[PerceivedEffect]] = {}
    for effect in material.perceived_effects_of(measure):
        if effect.effect is None:
            reasons = join_reasons(effect.finding.verdict.reasons, material.language)
            alike.setdefault(reasons, []).append(effect)
    return tuple(
        " ".join(
            [
                told(
                    material,
                    "effect.unjudged",
                    measure=named(measure, material.language),
                    reasons=reasons,
                    items=[effect.outcome for effect in effects],
                ),
                takes(material, effects[0]),
            ]
        )
        for reasons, effects in alike.items()
    )


def takes(material: Material, effect: PerceivedEffect) -> str:
    """Return what it would take to judge an effect that cannot be judged."""
    found = []
    for reason in effect.finding.verdict.reasons:
        key = f"takes.{reason.code}"
        chosen = key if has_text(f"report_survey.{key}", material.language) else "takes.other"
        found.append(told(material, chosen, **_numbers(effect)))
    return " ".join([told(material, "takes.lead"), *dict.fromkeys(found)])


def _numbers(effect: PerceivedEffect) -> dict[str, float | None]:
    if effect.reach is None:
        return {"needed": None, "after": None}
    needed = effect.reach.cell(what="needed").value
    rounded = None if needed is None else ROUNDED * math.ceil(needed / ROUNDED)
    return {"needed": rounded, "after": effect.reach.cell(what="after").value}


def detectable_words(material: Material, effect: PerceivedEffect) -> str:
    """Return what could be found with these answers, which is said before what was found."""
    if effect.reach is None or effect.detectable is None:
        return ""
    return told(
        material,
        "effect.before",
        n=int(effect.reach.cell(what="treated").value or 0),
        before=effect.waves[0],
        now=effect.waves[1],
        answers_before=effect.reach.cell(what="before").value,
        answers_after=effect.reach.cell(what="after").value,
        size=100 * (effect.detectable.cells()[0].value or 0.0),
    )


def only_alone(material: Material, measure: Measure, effect: PerceivedEffect) -> str:
    """Return that a result is established by itself but not among all questions about the measure; else nothing."""
    if effect.p_values is None or effect.verdict != "not_shown":
        return ""
    own = effect.p_values.cell(what="own").value
    if own is None or own > effect.finding.verdict.level:
        return ""
    tested = [one for one in material.perceived_effects_of(measure) if _tested(one)]
    return told(material, "effect.only_alone", all=material.few(len(tested)))


def shares_words(material: Material, effect: PerceivedEffect) -> str:
    """Return the shares in areas with the measure and elsewhere, before and after, each with its answers."""
    if effect.groups is None:
        return ""
    words = {}
    for group in ("with", "without"):
        for time, wave in zip(("before", "now"), effect.waves, strict=True):
            cell = effect.groups.cell(group=group, time=time)
            if cell.value is None:
                return ""
            key = f"effect.share{'_few' if cell.flagged else ''}"
            words[f"{group}_{time}"] = told(material, key, share=cell.value, n=cell.cases, wave=wave)
    return told(material, "effect.shares", **words)


def older_words(material: Material) -> str:
    """Return on which survey effects rest, where there was none in the year of the report."""
    survey = material.perceived
    if survey is None or survey.last is None or survey.current:
        return ""
    return told(material, "effect.older", date=survey.last.date, year=str(material.year))


def _blocks(material: Material, measure: Measure, effect: PerceivedEffect) -> list[Block]:
    before = Paragraph(detectable_words(material, effect), results=tuple(_some(effect.detectable, effect.reach)))
    blocks: list[Block] = [before]
    blocks.append(Paragraph(effect.sentence(material.language), kind="answer", results=effect.said))
    if effect.verdict == "not_assessable":
        return [
            *blocks,
            NoteBlock(words=takes(material, effect), kind="missing", subject=f"{measure.id}.{effect.item}"),
        ]
    alone = only_alone(material, measure, effect)
    blocks += [Paragraph(alone, results=tuple(_some(effect.p_values)))] if alone else []
    shares = shares_words(material, effect)
    if shares and effect.groups is not None:
        blocks.append(Paragraph(f"{shares} {told(material, 'effect.adjusted')}", results=(effect.groups,)))
    blocks += _earlier(material, effect)
    blocks += _experts(material, measure, effect)
    lead = material.say("effects.not_meant")
    said = effect.cautions(material.language)
    blocks += [Paragraph(" ".join(said), lead=lead)] if said else []
    if effect.finding.grade is not None:
        reasons = " ".join(effect.finding.grade.reasons(material.language))
        blocks.append(Paragraph(reasons, lead=f"{effect.finding.grade.worded(material.language)}.", kind="small"))
    return blocks


def _earlier(material: Material, effect: PerceivedEffect) -> list[Block]:
    """Return whether the areas changed otherwise before the start, too."""
    if effect.earlier is None or effect.finding.grade is None:
        return []
    cell = effect.earlier.cell(term="effect")
    if cell.value is None:
        return []
    met = next((check.met for check in effect.finding.grade.checks if check.code == "pre_trend"), None)
    words = told(
        material,
        f"effect.earlier_{'some' if met is False else 'none'}",
        before=effect.earlier_waves[0],
        now=effect.earlier_waves[1],
        change=100 * cell.value,
        range=sentences.points_interval(cell, material.language),
    )
    return [Paragraph(words, results=(effect.earlier,))]


def _experts(material: Material, measure: Measure, effect: PerceivedEffect) -> list[Block]:
    """Return the p-value, alone and for all questions about the measure together, and how it was computed."""
    if effect.p_values is None:
        return []
    own, joint = (effect.p_values.cell(what=what).value for what in ("own", "together"))
    tested = [e for e in material.perceived_effects_of(measure) if _tested(e)]
    form = "together" if len(tested) > 1 else "alone"
    words = told(material, f"effect.{form}", all=material.few(len(tested)), own=own, joint=joint)
    lead = told(material, "effect.experts")
    results = tuple(_some(effect.p_values, effect.returns))
    return [Paragraph(" ".join([words, *effect.notes]), lead=lead, kind="small", results=results)]


def _tested(effect: PerceivedEffect) -> bool:
    return effect.p_values is not None and effect.p_values.cell(what="together").value is not None


def _some(*published: Published | None) -> list[Published]:
    return [one for one in published if one is not None]


def unjudged_blocks(material: Material) -> list[Block]:
    """Return a list of all measures whose effects on the sense of safety cannot be estimated."""
    lines = tuple(line for measure in material.measures for line in unjudged(material, measure))
    return [Paragraph(told(material, "effect.unjudged_lead"), kind="small"), ListBlock(lines)] if lines else []
