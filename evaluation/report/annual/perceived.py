"""Chapter 2, sense of safety: the shares by wave, whether waves can be compared, and the areas of the last wave."""

from dataclasses import replace

from evaluation.disclosure import Published
from evaluation.figures.area_changes import area_changes
from evaluation.figures.maps import points_map
from evaluation.figures.shares import shares
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.pieces import figure, missing, told
from evaluation.report.blocks import Block, Heading, ListBlock, NoteBlock, Paragraph, TableBlock
from evaluation.report.material import Material
from evaluation.report.material.perceived import Perceived
from evaluation.report.material.small_areas import SmallAreas
from evaluation.report.material.waves import APART
from evaluation.report.tables import Layout, long_table, side_by_side, wide_table

LITTLE = 0.005
"""Half a point: a change that moves by less stays nearly the same."""
BY_CHANCE = 0.05
MOSTLY = 0.5
"""A question that more than half skipped was not put to everybody."""


def perceived_situation(material: Material) -> list[Block]:
    """Return the shares feeling unsafe by wave, question and place, for each survey by itself."""
    blocks: list[Block] = [Heading(material.say("situation.perceived"), 3, id="sicherheitsgefuehl")]
    if material.perceived is None:
        return [*blocks, missing(material.context, "report.missing.survey", subject="respondents")]
    blocks += _survey(material, material.perceived, "")
    for survey in material.surveys[1:]:
        blocks += [
            Heading(told(material, "other.title", title=survey.title), 4, id=f"befragung-{survey.survey}"),
            Paragraph(told(material, "other.apart"), kind="small"),
            *_survey(material, survey, f"-{survey.survey}"),
        ]
    return blocks


def _survey(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    """Return everything about one survey; `suffix` ends the ids of one that is not the first."""
    blocks: list[Block] = []
    if not survey.current:
        blocks.append(NoteBlock(words=older(material, survey), kind="warning"))
    blocks += _shares(material, survey, suffix)
    if survey.baseline != survey.latest:
        blocks += _compared(material, survey, suffix)
    return [*blocks, *_more(material, survey, suffix), *_areas(material, survey, suffix)]


def older(material: Material, survey: Perceived) -> str:
    """Return that the last wave is of an earlier year, with its day; empty where it is not."""
    if survey.last is None or survey.current:
        return ""
    return told(material, "finding.older", year=str(material.year), date=survey.last.date)


def modes(material: Material, survey: Perceived) -> dict[str, str]:
    """Return the waves from which people were asked in another way, with what changed."""
    return {
        str(wave): event.title[material.language]
        for event in material.project.events
        if event.kind == "survey"
        for wave in survey.waves
        if str(event.start.year) == wave[:4]
    }


def _shares(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    say = material.say
    changed = modes(material, survey)
    shown = survey.shares.where(item=list(survey.places))
    segments = {name: parts for name, parts in survey.alike.segments.items() if len(parts) > 1}
    drawn = shares(
        shown, titles=survey.titles, language=material.language, mode_changes=list(changed), segments=segments
    )
    finding, counted = judgement.perceived_finding(material, survey)
    layout = _by_wave(material, f"zahlen-sicherheitsgefuehl{suffix}", say("perceived.table"))
    results = [shown, *([survey.changes] if survey.changes is not None else [])]
    part = suffix.replace("-", ".", 1)
    answers = material.tally(f"survey.all{part}", answers=sum(int(c.value or 0) for c in survey.answers.cells()))
    note = [f"{wave}: {label}." for wave, label in changed.items()]
    note += [told(material, "alike.broken")] if set(segments) & set(survey.places) else []
    return [
        figure(
            drawn,
            id=f"bild-sicherheitsgefuehl{suffix}",
            finding=finding,
            alt=say("perceived.alt", finding=finding),
            table=judgement.renamed(long_table(shown, layout), survey.titles),
            results=results,
            counted=[*counted, survey.answers, answers],
            note=" ".join(note),
        ),
        Paragraph(say("perceived.note", n=answers.cell(what="answers").value), kind="small"),
        ListBlock(
            tuple(judgement.perceived_sentence(material, item, survey) for item in survey.places),
            results=tuple(results),
        ),
    ]


def _layout(material: Material, id: str, caption: str) -> Layout:
    heads = {"item": material.say("head.item")}
    return Layout(id=id, caption=caption, language=material.language, rows=("item",), heads=heads, interval=True)


def _by_wave(material: Material, id: str, caption: str) -> Layout:
    """Return the layout of shares with their number of answers, a line a question and wave."""
    heads = {"item": material.say("head.item"), "wave": told(material, "areas.wave")}
    answers = told(material, "areas.answers")
    return replace(_layout(material, id, caption), rows=("item", "wave"), heads=heads, cases=answers)


def _more(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    """Return the shares of all questions that are not about a place."""
    others = [item for item in survey.titles if item not in survey.places]
    if not others:
        return []
    layout = _by_wave(material, f"tabelle-weitere-fragen{suffix}", material.say("perceived.more_table"))
    rest = survey.shares.where(item=others)
    return [judgement.renamed(long_table(rest, layout), survey.titles)]


# --- whether the waves can be compared ---


def _compared(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    """Return what changed between the two waves besides what people feel."""
    blocks: list[Block] = [Paragraph(_alike(material, survey), lead=told(material, "alike.lead"))]
    blocks += _mode(material, survey)
    blocks += _composition(material, survey, suffix)
    return [*blocks, *_response(material, survey)]


def _alike(material: Material, survey: Perceived) -> str:
    """Return which questions were asked alike, which similarly and why, and which cannot be compared."""
    alike, waves = survey.alike, {"before": survey.baseline, "now": survey.latest}
    kinds: dict[str, list[str]] = {}
    for name, kind in alike.kinds.items():
        kinds.setdefault(kind, []).append(name)
    if set(kinds) == {"undeclared"}:
        return told(material, "alike.undeclared", **waves)
    words = []
    if "same" in kinds:
        words.append(told(material, "alike.same", items=[survey.titles[name] for name in kinds["same"]], **waves))
    for kind in ("similar", "not_comparable"):
        by_reason: dict[str, list[str]] = {}
        for name in kinds.get(kind, []):
            by_reason.setdefault("; ".join(alike.reasons.get(name, ())), []).append(survey.titles[name])
        words += [told(material, f"alike.{kind}", items=items, reasons=reasons) for reasons, items in by_reason.items()]
    if "undeclared" in kinds:
        names = [survey.titles[name] for name in kinds["undeclared"]]
        words.append(told(material, "alike.some_undeclared", items=names))
    return " ".join(words)


def _mode(material: Material, survey: Perceived) -> list[Block]:
    """Return how people answered before and now, where that changed."""
    found, lead = survey.alike.modes, told(material, "mode.lead")
    if found is None:
        changed = modes(material, survey)
        words = material.say("perceived.mode", waves=list(changed))
        return [Paragraph(words, lead=lead)] if changed else []
    parts = []
    for mode in dict.fromkeys(found.frame["mode"]):
        by_wave = {str(row["wave"]): row["value"] for row in found.where(mode=mode).frame.to_dict("records")}
        before, now = by_wave.get(survey.baseline, 0.0), by_wave.get(survey.latest, 0.0)
        values = {"before": survey.baseline, "now": survey.latest, "share_before": before, "share_now": now}
        parts.append(told(material, "mode.part", mode=told(material, f"mode.{mode}"), **values))
    listed = ", ".join(parts)
    return [Paragraph(told(material, "mode.shift", shares=listed), lead=lead, results=(found,))]


def _composition(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    """Return the change among people like those of the first wave beside the plain one."""
    found = survey.alike.composition
    if found is None:
        return []
    kept = found.where(item=[item for item in survey.places if item in set(found.frame["item"])])
    wide = kept.frame.pivot(index="item", columns="term", values="value").dropna()
    if wide.empty:
        return []
    apart = float((wide["adjusted"] - wide["change"]).abs().max())
    waves = {"before": survey.baseline, "now": survey.latest}
    columns = [told(material, f"composition.{name}") for name in survey.alike.cells]
    form = "_small" if apart < LITTLE else ""
    most = 100 * (LITTLE if apart < LITTLE else apart)
    words = told(material, f"composition.words{form}", columns=columns, most=most, **waves)
    layout = _layout(material, f"zahlen-zusammensetzung{suffix}", told(material, "composition.table", **waves))
    titles = {term: told(material, f"composition.{term}") for term in ("change", "adjusted")}
    table = judgement.renamed(wide_table(kept, layout, columns="term", titles=titles), survey.titles)
    return [Paragraph(words, lead=told(material, "composition.lead"), results=(kept,)), table]


def _response(material: Material, survey: Perceived) -> list[Block]:
    """Return between which limits the changes lie if people who did not answer differ."""
    alike, lead = survey.alike, told(material, "response.lead")
    waves = {"before": survey.baseline, "now": survey.latest}
    if alike.rates is None or alike.bounds is None:
        return [Paragraph(told(material, "response.unknown", **waves), lead=lead)]
    rates = {f"rate_{name}": alike.rates.cell(wave=wave).value for name, wave in waves.items()}
    lines = []
    for item in survey.places:
        if item not in set(alike.bounds.frame["item"]):
            continue
        cells = {
            term: alike.bounds.cell(item=item, term=term).value for term in ("apart_low", "apart_high", "breakdown")
        }
        if None in cells.values():
            continue
        low, high, breakdown = (100 * (cells[term] or 0.0) for term in ("apart_low", "apart_high", "breakdown"))
        values = {"low": low, "high": high, "breakdown": breakdown}
        lines.append(told(material, "response.bound", item=sentences.capital(survey.titles[item]), **values))
    words = told(material, "response.rates", apart=100 * APART, **rates, **waves)
    return [
        Paragraph(words, lead=lead, results=(alike.rates,)),
        ListBlock(tuple(lines), results=(alike.bounds,)),
    ]


# --- areas ---


def _areas(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    """Return one question by area: its change, and the modelled shares of the last wave."""
    if survey.small is None and survey.area_changes is None:
        return []
    heading = Heading(told(material, "areas.title"), 4, id=f"sicherheitsgefuehl-ortsteile{suffix}")
    blocks: list[Block] = [heading]
    blocks += _modelled(material, survey, survey.small, suffix) if survey.small is not None else []
    return [*blocks, *_changed(material, survey, suffix)]


def _modelled(material: Material, survey: Perceived, small: SmallAreas, suffix: str) -> list[Block]:
    title, city = survey.titles[small.item], small.city.cells()[0]
    sources = told(material, f"areas.sources_{'earlier' if small.earlier else 'all'}")
    own = small.own.cell(what="own").value
    minimum = material.context.rules.minimum_answers
    blocks: list[Block] = [
        Paragraph(told(material, "areas.how", minimum=minimum, own=own, sources=sources), results=(small.own,))
    ]
    frame = small.modelled.frame[small.modelled.frame["value"].notna()]
    more, less = int((frame["conf_low"] > city.value).sum()), int((frame["conf_high"] < city.value).sum())
    counted = material.tally(
        f"survey.small_area{suffix.replace('-', '.', 1)}.apart", all=len(frame), more=more, less=less
    )
    values = {"wave": small.wave, "all": len(frame), "more": more, "less": less, "item": title}
    finding = told(material, "areas.finding" if more or less else "areas.finding_none", **values)
    table = _area_table(material, survey, small, suffix)
    geometry = material.project.geometry()
    if geometry is None:
        blocks += [Paragraph(finding, results=(counted,)), table]
    else:
        drawn = points_map(small.modelled, geometry, names=material.areas, language=material.language, line=city)
        blocks.append(
            figure(
                drawn,
                id=f"bild-sicherheitsgefuehl-karte{suffix}",
                finding=finding,
                alt=told(material, "areas.map_alt", item=title, finding=finding),
                table=table,
                results=list(small.results),
                counted=[counted],
            )
        )
    expected = round(BY_CHANCE * len(frame))
    return [*blocks, Paragraph(told(material, "areas.missed", all=len(frame), expected=expected), kind="small")]


def _area_table(material: Material, survey: Perceived, small: SmallAreas, suffix: str) -> TableBlock:
    layout = Layout(
        id=f"zahlen-sicherheitsgefuehl-ortsteile{suffix}",
        caption=told(
            material,
            "areas.table",
            item=sentences.capital(survey.titles[small.item]),
            wave=small.wave,
            city=small.city.cells()[0].value,
        ),
        language=material.language,
        rows=("area",),
        heads={"area": material.say("head.key")},
        interval=True,
    )
    sets = {"answers": small.answers, "direct": small.direct, "modelled": small.modelled}
    table = side_by_side({told(material, f"areas.{name}"): one for name, one in sets.items()}, layout)
    table = judgement.renamed(table, {area: f"{area} {name}" for area, name in material.areas.items()})
    return replace(table, notes=(told(material, "areas.model_note"), *table.notes))


def _changed(material: Material, survey: Perceived, suffix: str) -> list[Block]:
    """Return the change of each area to the last wave."""
    if survey.area_changes is None or survey.latest[:4] not in set(survey.area_changes.frame["year"]):
        return []
    last = survey.area_changes.where(year=survey.latest[:4])
    frame = last.frame[last.frame["value"].notna()]
    if frame.empty:
        return []
    clear = int(((frame["conf_low"] > 0) | (frame["conf_high"] < 0)).sum())
    counted = material.tally(f"survey.area_change{suffix.replace('-', '.', 1)}.clear", all=len(frame), clear=clear)
    waves = {"before": survey.baseline, "now": survey.latest}
    title = survey.titles[survey.area_item]
    form = "picture_change" if clear else "picture_change_none"
    finding = told(material, f"areas.{form}", clear=clear, all=len(frame), item=title, **waves)
    layout = Layout(
        id=f"zahlen-sicherheitsgefuehl-aenderung{suffix}",
        caption=told(material, "areas.picture_table", item=title, **waves),
        language=material.language,
        rows=("area",),
        heads={"area": material.say("head.key")},
        interval=True,
        cases=told(material, "areas.answers"),
    )
    table = side_by_side({material.say("head.change_plain"): last}, layout)
    table = judgement.renamed(table, {area: f"{area} {name}" for area, name in material.areas.items()})
    return [
        figure(
            area_changes(last, names=material.areas, language=material.language, districts=_districts(material)),
            id=f"bild-sicherheitsgefuehl-aenderung{suffix}",
            finding=finding,
            alt=told(material, "areas.picture_alt", finding=finding),
            table=table,
            results=[last],
            counted=[counted],
        ),
    ]


def _districts(material: Material) -> dict[str, str] | None:
    """Return the name of the district of each area; None where areas have none."""
    areas = material.project.table("areas")
    if "district_name" not in areas or areas["district_name"].isna().any():
        return None
    return dict(zip(areas["area"].astype(str), areas["district_name"].astype(str), strict=True))


# --- questions without an answer: a table for the part on data ---


def silent(material: Material) -> list[Block]:
    """Return for each survey the share of those asked who gave no answer, by question and wave."""
    found = [survey for survey in material.surveys if survey.alike.silent is not None]
    if not found:
        return []
    blocks: list[Block] = [
        Heading(told(material, "silent.title"), 3, id="fragen-ohne-antwort"),
        Paragraph(told(material, "silent.answer")),
    ]
    for survey in found:
        published = survey.alike.silent
        if published is None:
            continue
        suffix = "" if survey is found[0] else f"-{survey.survey}"
        caption = told(material, "silent.table") + (f" ({survey.title})" if len(found) > 1 else "")
        layout = replace(_layout(material, f"tabelle-ohne-antwort{suffix}", caption), interval=False)
        table = judgement.renamed(wide_table(published, layout, columns="wave"), survey.titles)
        blocks.append(replace(table, notes=(*table.notes, *_asked_some(material, survey, published))))
    return blocks


def _asked_some(material: Material, survey: Perceived, published: Published) -> list[str]:
    """Return which questions were put only to some people, declared or as it seems."""
    highest = published.frame.groupby("item", sort=False)["value"].max()
    seeming = [name for name, value in highest.items() if value > MOSTLY and name not in survey.alike.for_some]
    notes = []
    for key, names in (("for_some", survey.alike.for_some), ("skipped", seeming)):
        if names:
            notes.append(told(material, f"silent.{key}", items=[survey.titles[str(name)] for name in names]))
    return notes
