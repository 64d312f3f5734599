"""Chapters 3 and 4: what should happen next year, and what belongs in the next version of the agreement."""

from evaluation.agreement.register import Measure
from evaluation.agreement.vocabulary import table_label
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.pieces import anchor, missing, named, row
from evaluation.report.blocks import Block, Heading, ListBlock, Paragraph, TableBlock, TableCell, TableColumn
from evaluation.report.material import Material

MOST = 4
"""Indicators that a line of the table of missing data names."""


def next_year(material: Material) -> list[Block]:
    """Return chapter 3: proposals by measure, data that would answer most, what could be found out."""
    say = material.say
    blocks: list[Block] = [
        Heading(say("chapter.next_year"), 2, id="naechstes-jahr"),
        _answer(material),
        _proposals(material),
        Heading(say("next_year.data"), 3, id="daten-naechstes-jahr"),
    ]
    needed = tables_needed(material)
    if needed:
        blocks.append(Paragraph(say("next_year.data_how")))
        blocks.append(_data_table(material, needed))
    else:
        blocks.append(Paragraph(say("next_year.data_complete")))
    blocks.append(Heading(say("next_year.detectable"), 3, id="erkennbar"))
    detectable = [e for e in material.effects if e.detectable is not None]
    if detectable:
        lines = [
            say(
                f"next_year.detectable_{'event' if e.study.event else 'line'}",
                title=e.title,
                change=e.detectable.cells()[0].value,
            )
            for e in detectable
            if e.detectable is not None and e.detectable.cells()[0].value is not None
        ]
        sets = tuple(e.detectable for e in detectable if e.detectable is not None)
        blocks += [Paragraph(say("next_year.detectable_how")), ListBlock(tuple(lines), results=sets)]
    else:
        blocks.append(missing(material.context, "report.missing.planning", subject="planning"))
    return blocks


def _answer(material: Material) -> Paragraph:
    found = judgement.by_proposal(material)
    parts = [material.say(f"next_year.count_{name}", number=len(measures)) for name, measures in found.items()]
    counted = material.tally("proposals", **{code: len(measures) for code, measures in found.items()})
    words = material.say("next_year.answer", parts="; ".join(parts), n=len(material.measures))
    return Paragraph(words, kind="answer", results=(counted,))


def _proposals(material: Material) -> TableBlock:
    alike: dict[tuple[str, str], list[Measure]] = {}
    for measures in judgement.by_proposal(material).values():  # those that delivered come first
        for measure in measures:
            words = judgement.proposal(material, measure).worded(material.language)
            alike.setdefault((words, judgement.reasons(material, measure)), []).append(measure)
    rows = [row(_together(material, measures), *words) for words, measures in alike.items()]
    say = material.say
    return TableBlock(
        id="tabelle-vorschlaege",
        caption=say("next_year.table"),
        columns=tuple(TableColumn(title=say(f"head.{name}")) for name in ("measure", "proposal", "because")),
        rows=tuple(rows),
        notes=(say("next_year.people_decide"),),
        results=tuple(p for measure in material.measures for p in judgement.grounds(material, measure)),
    )


def _together(material: Material, measures: list[Measure]) -> TableCell:
    """Return a measure with a link to its page, or several in one cell."""
    names = "; ".join(named(measure, material.language) for measure in measures)
    return TableCell(words=names, target=f"#{anchor(measures[0])}" if len(measures) == 1 else "")


def tables_needed(material: Material) -> dict[str, list[str]]:
    """Return the tables that were not delivered with the measures that they would inform, the most useful first."""
    found: dict[str, list[str]] = {}
    for measure in material.measures:
        for table in measure.tables:
            if not material.project.has(table):
                found.setdefault(table, []).append(measure.id)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def _data_table(material: Material, needed: dict[str, list[str]]) -> TableBlock:
    say, language = material.say, material.language
    rows = []
    for table, measures in needed.items():
        titles = [
            indicator.title[language]
            for measure in material.measures
            for _, indicator in measure.indicators
            if indicator.table == table
        ]
        shown = list(dict.fromkeys(titles))
        more = say("next_year.more", n=len(shown) - MOST) if len(shown) > MOST + 1 else ""
        words = "; ".join(shown[:MOST] if more else shown) + more
        rows.append(row(table_label(table, language), words, ", ".join(measures)))
    return TableBlock(
        id="tabelle-datenbedarf",
        caption=say("next_year.data_table"),
        columns=tuple(TableColumn(title=say(f"head.{name}")) for name in ("table", "would_show", "measures")),
        rows=tuple(rows),
    )


def amendment(material: Material) -> list[Block]:
    """Return chapter 4: what was changed so far, and what is to be decided."""
    say = material.say
    blocks: list[Block] = [Heading(say("chapter.amendment"), 2, id="fortschreibung")]
    found = judgement.by_proposal(material)
    changed = [code for code in ("adapt", "review", "expand") if code in found]
    if changed:
        measures = sorted(m.id for code in changed for m in found[code])
        words = say("amendment.answer", measures=sentences.listed(measures, material.language))
    else:
        lacking = len(found.get("improve_data", []))
        form = "none" if lacking else "complete"
        words = say(f"amendment.answer_{form}", n=lacking, all=len(material.measures))
    blocks.append(Paragraph(words, kind="answer"))
    blocks.append(ListBlock(tuple(_points(material))))
    blocks.append(missing(material.context, "report.missing.decisions", subject="decisions"))
    revisions = [
        (measure, revision)
        for measure in material.measures
        for revision in measure.revisions
        if revision.year <= material.year
    ]
    blocks.append(Heading(say("amendment.revisions"), 3, id="bisherige-aenderungen"))
    if not revisions:
        return [*blocks, missing(material.context, "report.missing.revisions", subject="revisions")]
    revisions.sort(key=lambda pair: (-pair[1].year, pair[0].id))
    rows = [
        row(
            str(revision.year),
            TableCell(words=measure.id, target=f"#{anchor(measure)}"),
            revision.text[material.language],
        )
        for measure, revision in revisions
    ]
    columns = tuple(TableColumn(title=say(f"head.{name}")) for name in ("year", "measure", "changed"))
    return [
        *blocks,
        TableBlock(id="tabelle-fortschreibung", caption=say("amendment.table"), columns=columns, rows=tuple(rows)),
    ]


def _points(material: Material) -> list[str]:
    """Return what the next version should settle so that more can be judged."""
    say = material.say

    def listed(found: list[str]) -> str:
        return sentences.listed(found, material.language)

    no_plan = [
        m.id
        for m in material.measures
        if m.indicators and not any(i.planned.get(material.year) is not None for _, i in m.indicators)
    ]
    unknown = [m.id for m in judgement.asked(material) if m.earlier_dose_unknown]
    nowhere = [m.id for m in judgement.asked(material) if not m.areas and m.id != "X0"]
    points = []
    if no_plan:
        points.append(say("amendment.plan", measures=listed(no_plan), n=len(no_plan)))
    if unknown:
        points.append(say("amendment.earlier", measures=listed(unknown), n=len(unknown)))
    if nowhere:
        points.append(say("amendment.areas", measures=listed(nowhere), n=len(nowhere)))
    points.append(say("amendment.data"))
    return points
