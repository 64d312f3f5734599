"""Chapter 2, first half: registered cases, and these side by side with the sense of safety."""

import pandas as pd

from evaluation.data.audit import Break
from evaluation.data.periods import start_date
from evaluation.disclosure import Published
from evaluation.figures.maps import change_map
from evaluation.figures.quadrants import clears_both, joined, quadrants
from evaluation.figures.trends import Mark, lettered, trends
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.area_table import area_table
from evaluation.report.annual.pieces import figure, missing
from evaluation.report.blocks import Block, Heading, Paragraph
from evaluation.report.material import Material
from evaluation.report.material.registered import Registered
from evaluation.report.material.reporting import REPORTED
from evaluation.report.tables import Layout, side_by_side
from evaluation.texts import text

MOST_MARKS = 6


def registered_situation(material: Material) -> list[Block]:
    """Return trends, map and table by area, or what is missing for them."""
    say, project = material.say, material.project
    blocks: list[Block] = [Heading(say("situation.registered"), 3, id="registrierte-lage")]
    if not material.registered:
        return [*blocks, missing(material.context, "report.missing.counts", subject="counts")]
    blocks.append(Paragraph(say("situation.hellfeld")))
    blocks.append(_trends(material))
    unit = material.city.trend(material.headline).unit
    blocks.append(Paragraph(say(f"trends.note.{unit}"), kind="small"))
    if any(project.outcomes[outcome.id].table == "incidents" for outcome in material.headline):
        blocks.append(Paragraph(say("situation.provisional"), kind="small"))
    blocks += _reporting(material)
    first = material.headline[0]
    if first.change is None:
        words = "report.missing.change"
        return [*blocks, missing(material.context, words, subject=first.id, year=material.year, title=first.title)]
    less, more, compared = sentences.changed_areas(first.change, material.areas, without=material.not_meaningful)
    finding, named = sentences.map_finding(less, more, compared, material.language)
    expected = round(compared * 0.05)
    counted = material.tally(
        f"registered.area.changed.{first.id}", less=len(less), more=len(more), all=compared, expected=expected
    )
    blocks += _map(material, first, finding, counted)
    if named:
        blocks.append(Paragraph(named, results=(first.change,)))
    everywhere = len(material.areas)
    words = say("map.by_chance", n=compared, expected=expected)
    if compared < everywhere:
        words = f"{say('map.compared', n=compared, all=everywhere)} {words}"
    blocks.append(Paragraph(words, kind="small", results=(counted,)))
    compared_with = _bases(material, first)
    if compared_with:
        blocks.append(Paragraph(compared_with, kind="small"))
    blocks.append(area_table(material, first))
    return blocks


def _bases(material: Material, outcome: Registered) -> str:
    """Return with which years is compared where page one takes another, and what was unusual about them."""
    words = []
    if material.base_year and material.base_year not in outcome.before:
        before = sentences.years(outcome.before, material.language)
        words.append(material.say("situation.bases", base=material.base_year, before=before))
    first, last = int(outcome.before[0]), int(outcome.before[-1])
    unusual = [
        event.title[material.language]
        for event in material.project.events
        if event.kind == "confounder" and not event.areas
        if event.start.year <= last and (event.end or event.start).year >= first
    ]
    if unusual:
        words.append(material.say("situation.unusual", events=unusual))
    return " ".join(words)


def _reporting(material: Material) -> list[Block]:
    """Return the share of victims who reported the offence: registered cases are read beside it."""
    survey = material.perceived
    if survey is None or REPORTED not in survey.titles:
        return []
    words = judgement.perceived_sentence(material, REPORTED, survey)
    sets = tuple(p for p in (survey.shares.where(item=REPORTED), survey.changes) if p is not None)
    return [Paragraph(words, lead=material.say("situation.reporting"), results=sets)]


def _trends(material: Material) -> Block:
    outcomes = material.headline
    joint = material.city.trend(outcomes)
    titles = {outcome.id: outcome.title for outcome in outcomes}
    changes = {o.title: o.city_change.cells()[0] for o in outcomes if o.city_change is not None}
    before = next((o.before for o in outcomes if o.before), ())
    finding = sentences.trend_finding(changes, year=material.year, before=before, language=material.language)
    since = material.project.agreement.since
    shown = marks(material, outcomes)
    drawn = trends(
        joint,
        titles=titles,
        language=material.language,
        since=int(str(since)[:4]) if since else None,
        marks=shown,
    )
    table = side_by_side(
        {outcome.title: outcome.city for outcome in outcomes}
        | ({material.say("trends.inhabitants"): material.city.people} if material.city.people else {}),
        Layout(
            id="zahlen-verlauf",
            caption=material.say("trends.table"),
            language=material.language,
            rows=("period",),
            heads={"period": material.say("head.year")},
        ),
    )
    return figure(
        drawn,
        id="bild-verlauf",
        finding=finding,
        alt=material.say("trends.alt", finding=finding, unit=material.say(f"trends.unit.{joint.unit}")),
        table=table,
        results=[joint, *(o.city_change for o in outcomes if o.city_change is not None)],
        note=" ".join(f"{letter}) {mark.year}: {mark.label}." for letter, mark in lettered(shown)),
    )


def marks(material: Material, outcomes: tuple[Registered, ...]) -> list[Mark]:
    """Return breaks from the events and from the audit of the city's series, oldest first."""
    names = {outcome.id for outcome in outcomes}
    found = [
        Mark(
            year=event.start.year,
            label=event.title[material.language],
            series=tuple(sorted(names & set(event.outcomes))),
            outlier=event.kind == "confounder",
            start=event.start,
        )
        for event in material.project.events
        if not event.areas and event.kind in ("law", "recording", "confounder")
        if not event.outcomes or names & set(event.outcomes)
    ]
    for outcome in outcomes:
        for change in (noted.change for noted in outcome.breaks):
            if change.area is None and not _explained(material, outcome, change):
                label = material.say(f"trends.break_{change.kind}", outcome=outcome.title)
                found.append(
                    Mark(
                        year=int(change.period[:4]),
                        label=label,
                        series=(outcome.id,),
                        outlier=change.kind != "level_shift",
                    )
                )
    years = [int(year) for outcome in outcomes for year in outcome.years]
    within = [mark for mark in found if min(years) < mark.year <= max(years)]
    return sorted(within, key=lambda mark: (mark.year, mark.label))[:MOST_MARKS]


def _explained(material: Material, outcome: Registered, change: Break) -> bool:
    """Tell whether an event of the project stands at a break of the city's series, within half a year."""
    when = pd.Timestamp(start_date(change.period))
    return any(
        abs((pd.Timestamp(event.start) - when).days) < 190
        for event in material.project.events
        if event.kind in ("law", "recording") and outcome.id in event.outcomes
    )


def _map(material: Material, outcome: Registered, finding: str, counted: Published) -> list[Block]:
    geometry = material.project.geometry()
    if geometry is None or outcome.change is None:
        note = missing(material.context, "report.missing.geometry", subject="geometry")
        return [Paragraph(finding, kind="answer"), note]
    compared = [*outcome.before, str(material.year)]
    drawn = change_map(
        outcome.change,
        geometry,
        names=material.areas,
        language=material.language,
        not_meaningful=material.not_meaningful,
        doubtful=[n.change.area for n in outcome.breaks if n.change.area and n.change.period[:4] in compared],
    )
    before = sentences.years(outcome.before, material.language)
    return [
        figure(
            drawn,
            id="bild-karte",
            finding=finding,
            alt=material.say("map.alt", finding=finding, outcome=outcome.title, year=material.year, before=before),
            table=None,
            results=[outcome.change],
            counted=[counted],
            note=text("figures.map.schematic", material.language) if material.project.simulated else "",
        ),
        Paragraph(
            material.say("map.note", outcome=sentences.capital(outcome.title), year=material.year, before=before),
            kind="small",
        ),
    ]


def both_situations(material: Material) -> list[Block]:
    """Return registered cases and sense of safety side by side."""
    say, both = material.say, material.together
    blocks: list[Block] = [Heading(say("situation.together"), 3, id="beides-zusammen")]
    if both is None:
        return [*blocks, missing(material.context, "report.missing.together", subject="together")]
    points = joined(both.registered, both.perceived)
    if points.empty:
        return [*blocks, missing(material.context, "report.missing.together_answers", subject="together")]
    finding, named, counted = _quadrants_now(material, points)
    drawn = quadrants(
        both.registered,
        both.perceived,
        names=material.areas,
        language=material.language,
        not_meaningful=material.not_meaningful,
    )
    before = {"registered": both.registered_before, "perceived": both.perceived_before}
    layout = Layout(
        id="zahlen-beides",
        caption=say("together.table"),
        language=material.language,
        rows=("area", "year"),
        heads={"area": say("head.key"), "year": say("head.year")},
        interval=True,
    )
    table = side_by_side(
        {both.outcome: both.registered, say("together.perceived", item=both.item): both.perceived}, layout
    )
    table = judgement.renamed(table, {area: f"{area} {name}" for area, name in material.areas.items()})
    blocks.append(
        figure(
            drawn,
            id="bild-beides",
            finding=finding,
            alt=say("together.alt", finding=finding),
            table=table,
            results=[both.registered, both.perceived],
            counted=[counted],
        )
    )
    blocks.append(Paragraph(say("together.note", outcome=both.outcome, item=both.item, **before), kind="small"))
    if named:
        blocks.append(Paragraph(named, results=(both.registered, both.perceived)))
    if both.registered_before != both.perceived_before[:4]:
        blocks.append(Paragraph(say("together.different", **before), kind="small"))
    blocks.append(Paragraph(say("together.no_cause"), kind="small"))
    return blocks


def _quadrants_now(material: Material, points: pd.DataFrame) -> tuple[str, str, Published]:
    """Return the finding of the last year, the sentences that name areas, and how many areas are in each quadrant."""
    clear = clears_both(points) & ~points["area"].isin(material.not_meaningful)
    year = str(points["year"].max())
    last = points.assign(clear=clear)[points["year"].eq(year) & ~points["area"].isin(material.not_meaningful)]
    found = sentences.quadrants_of(last, material.areas)
    finding, named = sentences.quadrant_finding(found, all_areas=len(last), year=year, language=material.language)
    sizes = {kind: len(areas) for kind, areas in found.items()}
    return finding, named, material.tally("together.quadrants", all=len(last), clear=sum(sizes.values()), **sizes)
