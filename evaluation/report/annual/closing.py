"""Limits and quality of the data, data and methods in plain words, tables, glossary."""

from evaluation.data.contracts import CONTRACTS
from evaluation.disclosure import Published
from evaluation.report.annual.area_table import area_table
from evaluation.report.annual.perceived import silent
from evaluation.report.annual.pieces import row
from evaluation.report.blocks import (
    Block,
    FactsBlock,
    Heading,
    ListBlock,
    Paragraph,
    TableBlock,
    TableColumn,
)
from evaluation.report.material import Material
from evaluation.report.material.registered import Noted, Registered
from evaluation.report.tables import Layout, wide_table
from evaluation.texts.numbers import format_value

SHOWN_BREAKS = 40
TERMS = (
    "hellfeld", "range", "established", "reliability", "comparison", "effect", "extent", "usual_level", "shift", "area",
    "focus", "proposal", "detectable",
)  # fmt: skip


def limits(material: Material) -> list[Block]:
    """Return every break that touches a number, and what the numbers cannot say."""
    say = material.say
    breaks = [(outcome, change) for outcome in material.registered for change in outcome.breaks]
    blocks: list[Block] = [
        Heading(say("limits.title"), 2, id="grenzen"),
        _answer(material, len(breaks)),
        ListBlock(tuple(say(f"limits.{name}") for name in ("hellfeld", "cause", "return", "few", "centre"))),
        Heading(say("limits.events"), 3, id="ereignisse"),
    ]
    events = material.project.events
    if events:
        blocks.append(_events_table(material))
    else:
        blocks.append(Paragraph(say("limits.no_events")))
    blocks.append(Heading(say("limits.breaks"), 3, id="brueche"))
    if breaks:
        blocks += _breaks(material, breaks)
    else:
        blocks.append(Paragraph(say("limits.no_breaks")))
    blocks += silent(material)
    blocks.append(Heading(say("limits.hidden"), 3, id="nicht-ausgewiesen"))
    blocks.append(_hidden(material))
    return blocks


def _answer(material: Material, found: int) -> Paragraph:
    touching = sum(event.kind in ("law", "recording", "survey") for event in material.project.events)
    counted = material.tally("limits", breaks=found, events=touching)
    words = material.say("limits.answer", breaks=found, events=touching)
    return Paragraph(words, kind="answer", results=(counted,))


def _events_table(material: Material) -> TableBlock:
    say, language = material.say, material.language
    rows = []
    for event in material.project.events:
        time = format_value(event.start.isoformat(), "date", language)
        if event.end is not None:
            time = say("limits.from_to", start=event.start, end=event.end)
        where = ", ".join(material.areas.get(area, area) for area in event.areas) or say("limits.city")
        touched = ", ".join(_title_of(material, name) for name in event.outcomes) or say("limits.all")
        rows.append(row(time, event.title[language], say(f"limits.kind_{event.kind}"), where, touched))
    heads = ("time", "event", "kind", "where", "touches")
    sources = dict.fromkeys(event.source for event in material.project.events if event.source)
    return TableBlock(
        id="tabelle-ereignisse",
        caption=say("limits.events_table"),
        columns=tuple(TableColumn(title=say(f"head.{head}")) for head in heads),
        rows=tuple(rows),
        source="; ".join(sources),
    )


def _title_of(material: Material, name: str) -> str:
    project = material.project
    found = project.outcomes.get(name) or project.items.get(name)
    return found.title[material.language] if found else name


def _breaks(material: Material, breaks: list[tuple[Registered, Noted]]) -> list[Block]:
    say = material.say
    ordered = sorted(breaks, key=lambda pair: (pair[1].change.area is not None, -abs(pair[1].change.score)))
    sentences = [
        change.worded(material.language, areas=material.areas, title=outcome.title) for outcome, change in ordered
    ]
    sets = [p for outcome in material.registered for p in (outcome.audited, outcome.factors) if p is not None]
    blocks: list[Block] = [
        Paragraph(say("limits.breaks_how")),
        ListBlock(tuple(sentences[:SHOWN_BREAKS]), results=tuple(sets)),
    ]
    rest = len(sentences[SHOWN_BREAKS:])
    if rest:
        blocks.append(Paragraph(say("limits.more_breaks", n=rest), kind="small"))
    return blocks


def _hidden(material: Material) -> Paragraph:
    sets = [outcome.areas for outcome in material.registered]
    sets += [p for p in (material.perceived.area_changes if material.perceived else None,) if p is not None]
    hidden, shown = 0, 0
    for published in sets:
        hidden += int(published.frame["suppressed"].sum())
        shown += len(published.frame)
    rules = material.context.rules
    words = material.say(
        "limits.hidden_how", n=hidden, all=shown, most=rules.minimum_cell - 1, answers=rules.minimum_answers
    )
    return Paragraph(words, results=(material.tally("limits.hidden", hidden=hidden, all=shown),))


def methods(material: Material) -> list[Block]:
    """Return which data were used and how every number was made, in plain words."""
    say = material.say
    names = ["registered", "map"]
    names += ["survey"] if material.perceived else []
    names += ["effects", "yardstick", "grade"] if material.effects else []
    names += ["publication", "repeat"]
    blocks: list[Block] = [
        Heading(say("methods.title"), 2, id="daten-und-methoden"),
        Paragraph(say("methods.answer"), kind="answer"),
        _data_table(material),
    ]
    blocks += [Paragraph(say(f"methods.{name}"), lead=say(f"methods.{name}_lead")) for name in names]
    return blocks


def _data_table(material: Material) -> TableBlock:
    """Return which tables were delivered, with years and rows, and which were not."""
    say, language, rows = material.say, material.language, []
    for name, contract in CONTRACTS.items():
        if not material.project.has(name):
            rows.append(row(contract.label[language], say("methods.not_delivered"), "–", "–"))
            continue
        frame = material.project.table(name)
        span = "–"
        if contract.time is not None and contract.time in frame and len(frame):
            known = frame[contract.time].dropna().astype("str").str.slice(0, 4)
            span = (
                f"{known.min()}–{known.max()}" if len(known) and known.min() != known.max() else "".join(known.unique())
            )
        if name == "respondents" and len(frame):
            span = ", ".join(sorted(frame["wave"].unique()))
        rows.append(
            row(
                contract.label[language],
                format_value(len(frame), "int", language),
                span,
                material.project.source(name, language) or "–",
            )
        )
    heads = ("table", "rows", "years", "source")
    return TableBlock(
        id="tabelle-daten",
        caption=say("methods.data_table"),
        columns=tuple(TableColumn(title=say(f"head.{h}"), align="end" if h == "rows" else "start") for h in heads),
        rows=tuple(rows),
    )


def tables(material: Material) -> list[Block]:
    """Return the tables of all registered outcomes by area and of the city, and the survey."""
    say = material.say
    blocks: list[Block] = [Heading(say("tables.title"), 2, id="tabellen")]
    if not material.registered and material.perceived is None:
        return [*blocks, Paragraph(say("tables.none"))]
    if material.city.cases is not None:
        blocks.append(_city_table(material, material.city.cases))
    first = material.headline[0].id if material.headline else ""
    blocks += [area_table(material, o) for o in material.registered if o.id != first and o.change is not None]
    return blocks


def _city_table(material: Material, cases: Published) -> TableBlock:
    from evaluation.report.annual.judgement import renamed

    layout = Layout(
        id="tabelle-stadt",
        caption=material.say("tables.city"),
        language=material.language,
        rows=("outcome",),
        heads={"outcome": material.say("head.what")},
        value=material.say("head.cases"),
    )
    titles = {outcome.id: outcome.title for outcome in material.registered}
    return renamed(wide_table(cases, layout, columns="period"), titles)


def glossary(material: Material) -> list[Block]:
    """Return the words that are used in a special sense."""
    say = material.say
    items = tuple((say(f"glossary.{term}_term"), say(f"glossary.{term}")) for term in TERMS)
    return [Heading(say("glossary.title"), 2, id="begriffe"), FactsBlock(items)]
