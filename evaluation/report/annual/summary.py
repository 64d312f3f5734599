"""Page one: what we know, what we do not know, what is to be decided, one picture, one table."""

from evaluation.agreement.register import Measure
from evaluation.disclosure import Published
from evaluation.figures.summary import before_after
from evaluation.findings.wording import EXAGGERATED
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.pieces import anchor, figure, named, row, short_title, told
from evaluation.report.annual.shift import shift_sentence
from evaluation.report.annual.specifications import dependence
from evaluation.report.blocks import (
    Block,
    ContentsBlock,
    FigureBlock,
    GroupBlock,
    Heading,
    ListBlock,
    TableBlock,
    TableCell,
    TableColumn,
    TitleBlock,
)
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.reporting import REPORTED
from evaluation.report.material.sources import joined

MOST = 5
"""Sentences in each of the lists."""
FEW = 3
"""Up to so many measures are written with their titles."""


def summary(material: Material) -> list[Block]:
    """Return the title and page one."""
    known, unknown = what_we_know(material), what_we_do_not_know(material)
    blocks: list[Block] = [title(material)]
    for key, items in (("known", known), ("unknown", unknown), ("decide", to_decide(material))):
        blocks += [Heading(material.say(f"summary.{key}"), 2, id=f"kurz-{key}"), items]
    picture = _picture(material)
    blocks += [picture] if picture else []
    blocks.append(measures_table(material))
    contents = ContentsBlock(title=material.context.text("runner.page.contents"))
    return [GroupBlock(id="auf-einen-blick", kind="summary", blocks=tuple(blocks)), contents]


def title(material: Material) -> TitleBlock:
    """Return the head of the report."""
    from evaluation import __version__

    project, say = material.project, material.say
    name = project.file.name[material.language]
    state = say("title.released") if project.state == "released" else say("title.draft")
    sources = joined(published.source for published in _sources(material)) or name
    form = "declared" if project.version else "made_with"
    facts = (
        (say("title.city"), name),
        (say("title.year"), str(material.year)),
        (say("title.state"), state),
        (say("title.version"), say(f"title.{form}", version=__version__, declared=project.version)),
        (say("title.sources"), sources),
    )
    banner = say("title.simulated") if project.simulated else ""
    subtitle = project.agreement.title[material.language]
    return TitleBlock(title=say("title.title", year=material.year), subtitle=subtitle, facts=facts, banner=banner)


def _sources(material: Material) -> list[Published]:
    sets = [outcome.city for outcome in material.registered]
    sets += [material.city.people] if material.city.people else []
    sets += [material.perceived.answers] if material.perceived else []
    with_data = [e for group in material.extents.values() for e in group if e.values.frame["value"].notna().any()]
    return sets + [extent.values for extent in with_data]


def what_we_know(material: Material) -> ListBlock:
    """Return two to five sentences, the strongest first: effects, sense of safety, registered cases, implementation."""
    found: list[tuple[str, tuple[Published, ...]]] = []
    for effect in judgement.established(material):
        found.append(_known_effect(material, effect))
    found += _felt_sentences(material, "established")[: max(1, MOST - 3 - len(found))]
    found += _perceived_sentences(material)[: max(1, MOST - 2 - len(found))]
    found += _registered_sentences(material)[: max(1, MOST - 1 - len(found))]
    found = [*found[: MOST - 1], judgement.implementation_sentence(material)]
    return ListBlock(tuple(words for words, _ in found), results=tuple(p for _, sets in found for p in sets))


def _known_effect(material: Material, effect: Effect) -> tuple[str, tuple[Published, ...]]:
    """Return the sentence of an established effect with what makes it less certain."""
    words = [judgement.effect_sentence(material, effect), dependence(material, effect, "short")]
    sets = [*effect.said, *([effect.specifications] if effect.specifications is not None else [])]
    factor = effect.exaggeration.cells()[0].value if effect.exaggeration is not None else None
    if effect.exaggeration is not None and factor is not None and factor > EXAGGERATED:
        words.append(material.say("summary.overstated", factor=factor))
        sets.append(effect.exaggeration)
    return " ".join(filter(None, words)), tuple(sets)


def _felt_sentences(material: Material, verdict: str) -> list[tuple[str, tuple[Published, ...]]]:
    """Return the effects on the sense of safety with a verdict, the first question of each measure only."""
    survey = material.perceived
    if survey is None or not survey.current:
        return []
    found: list[tuple[str, tuple[Published, ...]]] = []
    for measure in material.measures:
        main = judgement.main_effect(material.perceived_effects_of(measure))
        if main is not None and main.effect is not None and main.verdict == verdict:
            lead = named(measure, material.language)
            words = told(material, "unknown.effect", measure=lead, sentence=main.sentence(material.language))
            found.append((words, main.said))
    return found


def _perceived_sentences(material: Material) -> list[tuple[str, tuple[Published, ...]]]:
    survey = material.perceived
    if survey is None or not survey.current:  # nothing new follows from an older wave
        return []
    found: list[tuple[bool, str, tuple[Published, ...]]] = []
    for item in survey.titles:
        if survey.pairs is not None and item not in set(survey.pairs.frame["item"]):
            continue
        if survey.changes is not None and item in set(survey.changes.frame["item"]):
            change = survey.changes.where(item=item).cells()[0]
            sure = sentences.clears_zero(change)
        else:
            sure = False
        sentence = judgement.perceived_sentence(material, item, survey)
        found.append((sure, sentence, tuple(p for p in (survey.shares, survey.changes) if p is not None)))
    found.sort(key=lambda one: not one[0])
    return [(sentence, sets) for _, sentence, sets in found]


def _registered_sentences(material: Material) -> list[tuple[str, tuple[Published, ...]]]:
    return [judgement.registered_sentence(material, outcome) for outcome in material.headline]


def what_we_do_not_know(material: Material) -> ListBlock:
    """Return what could not be judged and what it would take."""
    found: list[tuple[str, tuple[Published, ...]]] = []
    for effect in judgement.open_questions(material):
        found.append((judgement.effect_sentence(material, effect), effect.said))
    found += _open_outcomes(material)
    found = found[: MOST - 2]
    without = judgement.without_study(material)
    if without:
        ids = sentences.listed([measure.id for measure in without], material.language)
        key = "unknown.without_study" if len(without) < len(judgement.asked(material)) else "unknown.all_without_study"
        found.append((material.say(key, n=len(without), all=len(judgement.asked(material)), measures=ids), ()))
    if material.perceived is None:
        found.append((material.say("unknown.no_survey"), ()))
    elif material.perceived.last is not None and not material.perceived.current:
        last = material.perceived.last
        words = told(material, "unknown.older", year=str(material.year), date=last.date)
        found.append((words, ()))
    if not material.registered:
        found.append((material.say("unknown.no_counts"), ()))
    asked = material.perceived is not None and REPORTED in material.perceived.titles
    studied = any(effect.study.measure for effect in material.effects)
    found.append(shift_sentence(material) if asked and studied else (material.say("unknown.reporting"), ()))
    return ListBlock(tuple(w for w, _ in found), results=tuple(p for _, sets in found for p in sets))


def _open_outcomes(material: Material) -> list[tuple[str, tuple[Published, ...]]]:
    """Return, for measures with an established effect, on which of their aims none is."""
    found: list[tuple[str, tuple[Published, ...]]] = []
    for measure in dict.fromkeys(effect.study.measure for effect in judgement.established(material)):
        agreed = material.project.agreement.measures[measure or ""]
        sure = judgement.sure_outcomes(material, agreed)
        project = material.project
        titles = [
            (project.outcomes.get(name) or project.items[name]).title[material.language]
            for name in agreed.outcomes
            if name not in sure and (name in project.outcomes or name in project.items)
        ]
        if titles:
            words = material.say("unknown.outcomes", measure=named(agreed, material.language), outcomes=titles)
            found.append((words, ()))
    return found


def to_decide(material: Material) -> ListBlock:
    """Return the proposals, one line for each kind of proposal."""
    lines = [
        material.say(
            f"decide.{proposal}",
            measures=_named(measures, material),
        )
        for proposal, measures in judgement.by_proposal(material).items()
    ]
    if material.project.state != "released":
        lines.append(material.say("decide.release"))
    return ListBlock(tuple(lines))


def _named(measures: list[Measure], material: Material) -> str:
    """Return the ids, with short titles where there are few."""
    words = [named(m, material.language) if len(measures) <= FEW else m.id for m in measures]
    return sentences.listed(words, material.language)


def _picture(material: Material) -> FigureBlock | None:
    times, sets, registered, perceived = {}, [], None, None
    if material.summary is not None:
        registered = material.summary
        base, now = judgement.summary_years(material)
        times["registered"] = {"before": base, "now": now}
        sets.append(registered)
    survey = material.perceived
    if survey is not None and survey.pairs is not None:
        perceived = survey.pairs
        times["perceived"] = {"before": survey.baseline, "now": survey.latest}
        sets.append(perceived)
    if not sets:
        return None
    titles = {outcome.id: outcome.title for outcome in material.registered} | dict(survey.titles if survey else {})
    drawn = before_after(registered, perceived, titles=titles, language=material.language, times=times)
    finding, counted = judgement.summary_finding(material)
    kind = "" if len(sets) == 2 else "_registered" if registered is not None else "_perceived"
    return figure(
        drawn,
        id="bild-vorher-nachher",
        finding=finding,
        alt=material.say(f"summary.alt{kind}", finding=finding),
        table=judgement.summary_numbers(material, registered, perceived, titles),
        results=sets,
        counted=counted,
    )


def measures_table(material: Material) -> TableBlock:
    """Return the table with a line for each measure."""
    say = material.say
    heads = ("measure", "extent", "registered", "perceived", "reliability", "proposal")
    rows, results = [], []
    for measure in material.measures:
        line = judgement.line(material, measure)
        results += list(line.results)
        rows.append(
            row(
                TableCell(
                    words=f"{measure.id} {short_title(measure, material.language)}", target=f"#{anchor(measure)}"
                ),
                line.extent,
                line.registered,
                line.perceived,
                line.reliability,
                line.proposal,
            )
        )
    return TableBlock(
        id="tabelle-massnahmen",
        caption=say("summary.table"),
        columns=tuple(TableColumn(title=say(f"summary.head.{head}")) for head in heads),
        rows=tuple(rows),
        notes=_notes(material),
        results=tuple(results),
    )


def _notes(material: Material) -> tuple[str, ...]:
    """Return how the table is read, as far as it is needed."""
    felt = [judgement.main_effect(material.perceived_effects_of(measure)) for measure in material.measures]
    points = any(effect is not None and effect.verdict == "established" for effect in felt)
    lines = [judgement.line(material, measure) for measure in material.measures]
    two = any("/" in line.reliability for line in lines)
    key = "line.grades_note" if two else "line.points_note" if points else ""
    return (material.say("summary.table_note"), *([told(material, key)] if key else []))
