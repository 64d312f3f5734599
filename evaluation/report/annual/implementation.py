"""Background of the agreement, and chapter 1 on the implementation of the measures."""

from evaluation.agreement.register import Measure
from evaluation.disclosure import Published
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.pieces import anchor, named, row
from evaluation.report.blocks import Block, Heading, Paragraph, TableBlock, TableCell, TableColumn
from evaluation.report.material import Material
from evaluation.report.material.extent import Extent
from evaluation.report.material.sources import joined
from evaluation.texts.numbers import format_value


def background(material: Material) -> list[Block]:
    """Return occasion and agreement, in half a page."""
    say, agreement = material.say, material.project.agreement
    kinds = {kind: sum(m.kind == kind for m in material.measures) for kind in ("effect", "process", "cost")}
    blocks: list[Block] = [Heading(say("background.title"), 2, id="anlass")]
    if agreement.signed:
        blocks.append(Paragraph(say("background.signed", date=agreement.signed)))
    blocks.append(Paragraph(say("background.aims")))
    blocks.append(Paragraph(say("background.register", n=len(material.measures), **kinds)))
    blocks.append(Paragraph(say("background.honest")))
    if material.project.simulated:
        blocks.append(Paragraph(say("background.simulated")))
    return blocks


def implementation(material: Material) -> list[Block]:
    """Return chapter 1: its answer, and for every measure what was planned and done."""
    say = material.say
    words, sets = judgement.implementation_sentence(material)
    blocks: list[Block] = [
        Heading(say("chapter.implementation"), 2, id="umsetzung"),
        Paragraph(words, kind="answer", results=sets),
        Paragraph(say("implementation.how")),
    ]
    chapters = material.project.agreement.chapters
    for letter in dict.fromkeys(measure.chapter for measure in material.measures):
        title = chapters[letter][material.language] if letter in chapters else letter
        blocks.append(extent_table(material, letter, title))
    blocks.append(Paragraph(say("implementation.not_effect"), kind="small"))
    return blocks


def extent_table(material: Material, letter: str, title: str) -> TableBlock:
    """Return planned and done for all indicators of one chapter of the agreement.

    Indicators of a measure without any number share a line; the measure's page names each of them.
    """
    say, rows = material.say, []
    sets: list[Published] = []
    for measure in material.measures:
        if measure.chapter == letter:
            lines, values = _lines(material, measure)
            rows += lines
            sets += values
    return TableBlock(
        id=f"tabelle-umsetzung-{letter.lower()}",
        caption=say("implementation.table", letter=letter, title=title, year=material.year),
        columns=(
            TableColumn(title=say("head.measure")),
            TableColumn(title=say("head.indicator")),
            TableColumn(title=say("head.planned"), align="end"),
            TableColumn(title=say("head.done"), align="end"),
            TableColumn(title=say("head.achieved"), align="end"),
            TableColumn(title=say("head.remark")),
        ),
        rows=tuple(rows),
        row_heads=2,
        source=joined(p.source for p in sets if p.frame["value"].notna().any()),
        results=tuple(sets),
    )


def _lines(material: Material, measure: Measure) -> tuple[list[tuple[TableCell, ...]], list[Published]]:
    say, found = material.say, material.extents[measure.id]
    title = named(measure, material.language)
    name = TableCell(words=title, target=f"#{anchor(measure)}")
    if not found:
        return [row(name, "–", "–", "–", "–", say("extent.no_indicator"))], []
    rows: list[tuple[TableCell, ...]] = []
    without: dict[str, list[Extent]] = {}
    for extent in found:
        period = str(material.year)
        cells = [extent.values.cell(state=state, period=period) for state in ("planned", "done")]
        if all(cell.value is None and not cell.suppressed for cell in cells):
            without.setdefault(extent.reason or say("extent.no_value"), []).append(extent)
            continue
        indicator = f"{extent.part.title[material.language]}: {extent.indicator.title[material.language]}"
        rows.append(row(name, indicator, *numbers(material, extent)))
        name = TableCell(words="", spoken=title)  # written once, read aloud in every row
    for reason, extents in without.items():
        key = "extent.others" if rows else "extent.indicators"
        rows.append(row(name, say(key, n=len(extents)), "–", "–", "–", reason))
        name = TableCell(words="", spoken=title)
    return rows, [p for extent in found for p in (extent.values, extent.achieved)]


def numbers(material: Material, extent: Extent) -> tuple[str, str, str, str]:
    """Return planned, done, the share done and a remark as cells."""
    period, language = str(material.year), material.language
    planned = extent.values.cell(state="planned", period=period)
    done = extent.values.cell(state="done", period=period)
    achieved = extent.achieved.cell(period=period)
    remark = extent.reason or ("" if planned.value is not None else material.say("extent.no_plan"))
    if done.suppressed:
        remark = material.context.text(done.note.split()[0])
    return (
        format_value(planned.value, sentences.short_number(extent.values.number, planned.value), language),
        format_value(done.value, sentences.short_number(extent.values.number, done.value), language),
        format_value(achieved.value, "pct0", language),
        remark,
    )
