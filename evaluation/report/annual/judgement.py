"""What is concluded from the numbers: the line of each measure and the findings of page one.

Verdicts and proposals come from :mod:`evaluation.findings`; here they are chosen, ordered and put beside each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.agreement.register import Measure
from evaluation.disclosure import Published
from evaluation.findings.proposal import CODES, ENOUGH_DONE, Proposal
from evaluation.findings.reasons import join_reasons
from evaluation.report import sentences
from evaluation.report.annual.pieces import named, told
from evaluation.report.blocks import TableBlock, TableCell
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.extent import Extent
from evaluation.report.material.perceived import Perceived
from evaluation.report.material.perceived_effects import PerceivedEffect
from evaluation.report.material.registered import Registered
from evaluation.report.tables import Layout, wide_table

Said = tuple[str, tuple[Published, ...]]
AGREED_ONLY = ("entries",)
"""What was agreed, not what was done: never the main indicator of a measure of which more is known."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """The line of a measure in the table of page one."""

    measure: Measure
    extent: str
    registered: str
    perceived: str
    reliability: str
    proposal: str
    results: tuple[Published, ...]


def asked(material: Material) -> list[Measure]:
    """Return the measures of which an effect is asked."""
    return [measure for measure in material.measures if measure.kind == "effect"]


def without_study(material: Material) -> list[Measure]:
    """Return the measures of which an effect is asked but none was studied."""
    return [measure for measure in asked(material) if not material.effects_of(measure)]


def established(material: Material) -> list[Effect]:
    """Return the established effects of measures, the most reliable first."""
    found = [e for e in material.effects if e.study.measure and e.verdict == "established"]
    return sorted(found, key=lambda e: (not e.study.primary, -(e.grade or 0), _p_value(e)))


def _p_value(effect: Effect) -> float:
    return 1.0 if effect.cell is None or effect.cell.p_value is None else effect.cell.p_value


def sure_outcomes(material: Material, measure: Measure) -> set[str]:
    """Return the outcomes and questions on which an effect of the measure is established."""
    sure = {effect.study.outcome for effect in material.effects_of(measure) if effect.verdict == "established"}
    return sure | {e.item for e in material.perceived_effects_of(measure) if e.verdict == "established"}


def open_questions(material: Material) -> list[Effect]:
    """Return the main effect of each measure that was studied but where it is not established."""
    main = [effects[0] for measure in material.measures if (effects := material.effects_of(measure))]
    return [effect for effect in main if effect.verdict != "established"]


def effect_sentence(material: Material, effect: Effect) -> str:
    """Return the sentence of an effect with the measure that it belongs to."""
    measure = material.project.agreement.measures.get(effect.study.measure or "")
    lead = effect.title if measure is None else named(measure, material.language)
    return f"{lead}: {effect.sentence(material.language)}"


def line(material: Material, measure: Measure) -> Line:
    """Return what page one says about one measure."""
    say, language = material.say, material.language
    effects = material.effects_of(measure)
    shown = _with_numbers(material.extents[measure.id], material.year)
    first = shown[0] if shown else None
    felt = material.perceived_effects_of(measure)
    results = [] if first is None else [first.values, first.achieved]
    results += [published for effect in effects for published in effect.results]
    results += [published for effect in felt for published in effect.results]
    return Line(
        measure=measure,
        extent=extent_words(first, material.year, language) if first else say("line.no_data"),
        registered=_registered_words(material, measure),
        perceived=_perceived_words(material, measure, felt),
        reliability=_reliability(material, effects, felt),
        proposal=proposal(material, measure).worded(language),
        results=tuple(results),
    )


def _with_numbers(extents: Sequence[Extent], year: int) -> list[Extent]:
    """Return the extents with a number for the year, those with a plan first."""
    known = [e for e in extents if e.values.cell(state="done", period=str(year)).value is not None]
    planned = [e for e in known if e.achieved.cell(period=str(year)).value is not None]
    done = [e for e in planned if e.indicator.calculation not in AGREED_ONLY]
    return done or planned or known


def extent_words(extent: Extent, year: int, language: str) -> str:
    """Return planned and done of the year in one phrase."""
    period = str(year)
    return sentences.extent(
        extent.values.cell(state="planned", period=period),
        extent.values.cell(state="done", period=period),
        extent.achieved.cell(period=period),
        unit=extent.unit,
        number=extent.values.number,
        language=language,
    )


def _reliability(material: Material, effects: Sequence[Effect], felt: Sequence[PerceivedEffect]) -> str:
    """Return the reliability of the main effect on registered cases, and of that on the sense of safety."""
    grades = [effect.grade for effect in effects if effect.verdict != "not_assessable" and effect.grade][:1]
    main = main_effect(felt)
    grades += [main.grade] if main is not None and main.grade else []
    if not grades:
        return "–"
    if len(grades) > 1 and grades[0] != grades[1]:
        return told(material, "line.grades", registered=grades[0], perceived=grades[1])
    return material.say("line.grade", grade=grades[0])


def main_effect(felt: Sequence[PerceivedEffect]) -> PerceivedEffect | None:
    """Return the effect on the sense of safety that stands for all of a measure: established ones, then judged ones."""
    order = ("established", "not_shown", "not_assessable")
    return min(felt, key=lambda effect: order.index(effect.verdict), default=None)


def _perceived_words(material: Material, measure: Measure, felt: Sequence[PerceivedEffect]) -> str:
    """Return the cell of the effects on the sense of safety."""
    if measure.kind != "effect":
        return "–"
    main = main_effect(felt)
    if main is None:
        return material.say("line.not_studied")
    if main.verdict != "established" or main.cell is None or main.cell.value is None:
        return told(material, f"line.{main.verdict}")
    sure = sum(effect.verdict == "established" for effect in felt)
    form = "change" if sure == len(felt) == 1 else "some"
    return told(material, f"line.{form}", points=100 * main.cell.value, sure=sure, all=len(felt))


def _registered_words(material: Material, measure: Measure) -> str:
    """Return the cell of the main effect on registered cases."""
    if measure.kind != "effect":
        return "–"
    effects = material.effects_of(measure)
    if not effects:
        return material.say("line.not_studied")
    first = effects[0]
    if first.verdict == "established" and first.cell is not None:
        return material.say("line.change", change=first.cell.value)
    return material.say(f"line.{first.verdict}")


def proposal(material: Material, measure: Measure) -> Proposal:
    """Return the proposal for a measure."""
    return material.proposals[measure.id]


def grounds(material: Material, measure: Measure) -> tuple[Published, ...]:
    """Return the published values that the reasons of a proposal may mention."""
    said = [published for effect in material.effects_of(measure) for published in effect.said]
    return (material.done[measure.id], *said)


def reasons(material: Material, measure: Measure) -> str:
    """Return why the proposal is made, as a clause."""
    because = join_reasons(proposal(material, measure).reasons, material.language)
    return material.say("next_year.because", reasons=because)


def by_proposal(material: Material) -> dict[str, list[Measure]]:
    """Return the measures by the code of their proposal."""
    found: dict[str, list[Measure]] = {}
    for measure in material.measures:
        found.setdefault(proposal(material, measure).code, []).append(measure)
    return {name: found[name] for name in CODES if name in found}


def implementation_sentence(material: Material) -> Said:
    """Return how many measures delivered numbers of their implementation, and how much of the plan was done."""
    with_numbers, as_planned, below, sets = 0, 0, 0, []
    partly: list[str] = []
    for measure in material.measures:
        known = _with_numbers(material.extents[measure.id], material.year)
        with_numbers += bool(known)
        if not known:
            continue
        share = known[0].achieved.cell(period=str(material.year)).value
        as_planned += share is not None and share >= ENOUGH_DONE
        below += share is not None and share < ENOUGH_DONE
        others = [e.achieved.cell(period=str(material.year)).value for e in known[1:]]
        if share is not None and share >= ENOUGH_DONE and any(o is not None and o < ENOUGH_DONE for o in others):
            partly.append(measure.id)
        sets += [known[0].values, known[0].achieved]
    counted = {"with_numbers": with_numbers, "as_planned": as_planned, "below": below}
    form = "none" if not with_numbers else "some" if as_planned or below else "no_plan"
    words = material.say(
        f"implementation.{form}",
        n=with_numbers,
        all=len(material.measures),
        enough=ENOUGH_DONE,
        year=material.year,
        parts=material.say("implementation.parts_below", measures=sentences.listed(partly, material.language))
        if partly
        else "",
        **{name: material.few(number) for name, number in counted.items()},
    )
    return words, (*sets, material.tally("implementation", all=len(material.measures), **counted))


def registered_sentence(material: Material, outcome: Registered) -> Said:
    """Return the city's cases of one outcome and their change."""
    now = next(iter(outcome.city.where(period=str(material.year)).cells()), None)
    if now is None:
        last = outcome.years[-1]
        words = material.say("registered.not_this_year", title=outcome.title, year=material.year, last=last)
        return words, (outcome.city,)
    change = outcome.city_change.cells()[0] if outcome.city_change else None
    words = sentences.city_change(
        change, now, title=outcome.title, year=material.year, before=outcome.before, language=material.language
    )
    return words, (outcome.city, *([outcome.city_change] if outcome.city_change else []))


def perceived_sentence(material: Material, item: str, survey: Perceived) -> str:
    """Return the share feeling unsafe in the last wave of a survey and its change."""
    asked_in = list(survey.shares.where(item=item).frame["wave"])
    now = survey.shares.cell(item=item, wave=asked_in[-1])
    said = (material.project.items[item].sentence or {}).get(material.language, "")
    asked = sentences.Asked(survey.titles[item], said)
    if survey.changes is None or item not in set(survey.changes.frame["item"]):
        return sentences.share_now(now, item=asked, wave=asked_in[-1], language=material.language)
    return sentences.share_change(
        survey.changes.cell(item=item),
        survey.shares.cell(item=item, wave=survey.baseline),
        survey.shares.cell(item=item, wave=survey.latest),
        item=asked,
        waves=(survey.baseline, survey.latest),
        language=material.language,
    )


def perceived_finding(material: Material, survey: Perceived) -> Said:
    """Return at how many places fewer or more people feel unsafe; nothing new where the last wave is older."""
    if survey.last is not None and not survey.current:
        words = told(material, "finding.older_picture", year=str(material.year), wave=survey.last.wave)
        return words, (survey.shares,)
    if survey.changes is None:
        return material.say("perceived.finding.one_wave", wave=survey.latest), (survey.shares,)
    cells = [survey.changes.cell(item=item) for item in survey.places if item in set(survey.changes.frame["item"])]
    known = [cell for cell in cells if cell.value is not None]
    less = sum(sentences.clears_zero(cell) and (cell.value or 0) < 0 for cell in known)
    more = sum(sentences.clears_zero(cell) and (cell.value or 0) > 0 for cell in known)
    form = "both" if less and more else "less" if less else "more" if more else "none"
    counts = {"all": material.few(len(known)), "less": material.few(less), "more": material.few(more)}
    waves = {"before": survey.baseline, "now": survey.latest}
    part = "" if survey is material.perceived else f".{survey.survey}"
    words = material.say(f"perceived.finding.{form}", n=len(known), **waves, **counts)
    return words, (survey.changes, material.tally(f"survey.changed{part}", asked=len(known), less=less, more=more))


def summary_years(material: Material) -> tuple[str, str]:
    """Return the two years of registered cases on page one."""
    outcome = material.headline[0]
    return material.base_year or outcome.years[0], outcome.years[-1]


def summary_finding(material: Material) -> Said:
    """Return the finding of the picture of page one."""
    parts: list[str] = []
    sets: list[Published] = []
    if material.summary is not None:
        before, now = summary_years(material)
        ways = _ways(material.summary)
        titles = {outcome.id: outcome.title for outcome in material.registered}
        phrases = [
            material.say(f"summary.finding.{way}", titles=[titles[name] for name in names])
            for way, names in ways.items()
        ]
        words = material.say("summary.finding.registered", before=before, now=now, parts="; ".join(phrases))
        parts.append(words)
        sets.append(material.tally("summary.ways", **{way: len(names) for way, names in ways.items()}))
    if material.perceived is not None and material.perceived.pairs is not None:
        words, others = perceived_finding(material, material.perceived)
        parts.append(words)
        sets += others
    return " ".join(parts) or material.say("summary.finding.one_wave"), tuple(sets)


def _ways(both: Published) -> dict[str, list[str]]:
    """Return the outcomes with fewer cases, with more, and those whose difference the usual fluctuation covers.

    The ends of the two intervals are put together as those of two independent numbers, on a log scale.
    """
    ways: dict[str, list[str]] = {"less": [], "more": [], "usual": []}
    for name, rows in both.frame.groupby("outcome", sort=False):
        ends = rows.set_index("time")[["value", "conf_low", "conf_high"]].astype(float)
        logs = np.log(ends.where(ends > 0))
        change = logs.loc["now", "value"] - logs.loc["before", "value"]
        spread = float(np.hypot.reduce((logs["conf_high"] - logs["conf_low"]).to_numpy() / 2))
        way = "usual" if not abs(change) > spread else "less" if change < 0 else "more"
        ways[way].append(str(name))
    return {way: names for way, names in ways.items() if names}


def summary_numbers(
    material: Material, registered: Published | None, perceived: Published | None, titles: Mapping[str, str]
) -> TableBlock:
    """Return the numbers of the picture of page one as a table."""
    times = {time: material.say(f"head.{time}") for time in ("before", "now")}
    tables = []
    for published, key in ((registered, "outcome"), (perceived, "item")):
        if published is None:
            continue
        layout = Layout(
            id="zahlen-vorher-nachher",
            caption=material.say("summary.numbers"),
            language=material.language,
            rows=(key,),
            heads={key: material.say("head.what")},
            interval=True,
        )
        tables.append(renamed(wide_table(published, layout, columns="time", titles=times), titles))
    first = tables[0]
    rows = tuple(row for table in tables for row in table.rows)
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    return replace(first, rows=rows, notes=notes, results=tuple(p for t in tables for p in t.results))


def renamed(table: TableBlock, titles: Mapping[str, str]) -> TableBlock:
    """Return `table` with titles for the keys in the first column."""
    rows = tuple((TableCell(words=titles.get(row[0].words, row[0].words)), *row[1:]) for row in table.rows)
    return replace(table, rows=rows)
