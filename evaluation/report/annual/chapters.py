"""The chapters in the order in which a reader meets them."""

from evaluation.report.annual import closing as ends
from evaluation.report.annual import effects, judgement, situation
from evaluation.report.annual.implementation import background, implementation
from evaluation.report.annual.measures import measures
from evaluation.report.annual.outlook import amendment, next_year
from evaluation.report.annual.perceived import perceived_situation
from evaluation.report.annual.shift import spatial_shift
from evaluation.report.annual.summary import summary
from evaluation.report.blocks import Block, Heading, Paragraph
from evaluation.report.material import Material

__all__ = [
    "amendment",
    "background",
    "closing",
    "implementation",
    "measures",
    "next_year",
    "results",
    "summary",
]


def results(material: Material) -> list[Block]:
    """Return chapter 2: what was done and what came of it."""
    return [
        Heading(material.say("chapter.results"), 2, id="wirkung"),
        _answer(material),
        *situation.registered_situation(material),
        *perceived_situation(material),
        *situation.both_situations(material),
        *effects.effects_by_measure(material),
        *spatial_shift(material),
        *effects.not_reached(material),
        *effects.accompanying(material),
    ]


def _answer(material: Material) -> Paragraph:
    """Return the answer of the chapter: how many effects are established, not shown, and cannot be judged."""
    asked = len(judgement.asked(material))
    verdicts = [material.findings[measure.id].verdict.kind for measure in judgement.asked(material)]
    counted = {kind: verdicts.count(kind) for kind in ("established", "not_shown", "not_assessable")}
    form = "some" if counted["established"] or counted["not_shown"] else "none"
    few = {kind: material.few(number) for kind, number in counted.items()}
    words = material.say(f"results.answer_{form}", n=asked, all=material.few(asked), part=_part(material), **few)
    return Paragraph(words, kind="answer", results=(material.tally("results.verdicts", all=asked, **counted),))


def _part(material: Material) -> str:
    """Return for how many of its outcomes the effect of a measure is established, where a single measure has one."""
    found = [m for m in judgement.asked(material) if material.findings[m.id].verdict.kind == "established"]
    if len(found) != 1:
        return ""
    sure = judgement.sure_outcomes(material, found[0])
    aims = set(found[0].outcomes) | sure
    if len(aims) < 2:
        return ""
    return material.say("results.part", sure=material.few(len(sure)), all=material.few(len(aims)))


def closing(material: Material) -> list[Block]:
    """Return limits, data and methods, tables and glossary."""
    return [*ends.limits(material), *ends.methods(material), *ends.tables(material), *ends.glossary(material)]
