"""Spatial shift: whether cases increased around the areas with a measure, and what that can mean."""

from evaluation.diagnostics.variants import reasons
from evaluation.disclosure import Cell, Published
from evaluation.errors import EvaluationError
from evaluation.report import sentences
from evaluation.report.annual import judgement
from evaluation.report.annual.pieces import missing, row
from evaluation.report.blocks import Block, Heading, NoteBlock, Paragraph, TableBlock, TableCell, TableColumn
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.shift import NEXT, OWN, Shift
from evaluation.report.material.sources import joined
from evaluation.report.tables import interval_words
from evaluation.texts.numbers import format_value

Said = tuple[str, tuple[Published, ...]]


def spatial_shift(material: Material) -> list[Block]:
    """Return what is known about cases that moved to neighbouring areas."""
    heading = Heading(material.say("shift.title"), 3, id="raeumliche-verlagerung")
    effects = [effect for measure in material.measures for effect in material.effects_of(measure)]
    examined = [effect for effect in effects if isinstance(effect.shift, Shift)]
    if not examined:
        form = "shift" if material.project.geometry() is not None else "shift_geometry"
        return [heading, missing(material.context, f"report.missing.{form}", subject="displacement")]
    moved = [effect for effect in examined if _moved(effect)]
    words = _answer(material, len(examined), moved)
    blocks: list[Block] = [heading, Paragraph(words, results=tuple(p for e in examined for p in _results(e)))]
    for effect in examined:
        blocks += [Paragraph(words, results=sets) for words, sets in _around(material, effect)]
    blocks += [_table(material, examined), *_not_examined(material, effects)]
    return blocks


def _answer(material: Material, examined: int, moved: list[Effect]) -> str:
    """Return whether cases are shown to have moved, and that this is not the same as their having stayed."""
    counts = {"n": examined, "all": material.few(examined), "moved": material.few(len(moved))}
    titles = [effect.title for effect in moved]
    words = material.say("shift.some", titles=titles, **counts) if moved else material.say("shift.none", **counts)
    return " ".join([material.say("shift.how"), words])


def _results(effect: Effect) -> tuple[Published, ...]:
    return effect.shift.results if isinstance(effect.shift, Shift) else ()


def _rings(effect: Effect) -> dict[int, Cell]:
    """Return the change on each ring around the areas that is established."""
    found = effect.shift
    if not isinstance(found, Shift):
        return {}
    numbers = [int(ring) for ring in found.rings.frame["ring"] if ring != OWN]
    return {ring: found.rings.cell(ring=ring) for ring in numbers if found.established(ring)}


def _fell(effect: Effect) -> bool:
    """Tell whether fewer cases in the areas themselves are established."""
    return effect.verdict == "established" and effect.cell is not None and (effect.cell.value or 0.0) < 0


def _moved(effect: Effect) -> bool:
    """Tell whether fewer cases in the areas go together with more right beside them, both established.

    An increase farther away alone is none: cases that move pass over no ring.
    """
    beside = _rings(effect).get(NEXT)
    return _fell(effect) and beside is not None and (beside.value or 0.0) > 0


def _around(material: Material, effect: Effect) -> list[Said]:
    """Return what an established change around the areas can mean."""
    said = []
    for ring, cell in _rings(effect).items():
        change = cell.value or 0.0
        form = "less" if change < 0 else "more"
        words = material.say(
            f"shift.around_{form}",
            title=effect.title,
            where=material.say(f"shift.ring{ring}"),
            size=abs(change),
            range=_interval(material, cell),
        )
        both = "moved" if _moved(effect) else "beyond"
        meaning = "unclear" if not _fell(effect) else both if change > 0 else "wider"
        said.append((" ".join([words, material.say(f"shift.{meaning}")]), _results(effect)))
    return said


def beside(material: Material, effect: Effect) -> list[Block]:
    """Return what happened around the areas of a single effect, for one that stands apart."""
    if not isinstance(effect.shift, Shift):
        return []
    said = _around(material, effect)
    cell, number = effect.shift.rings.cell(ring=NEXT), effect.shift.sizes.cell(ring=str(NEXT))
    if not said and cell.value is not None:
        range_ = _interval(material, cell)
        words = material.say("shift.beside", n=number.value, change=cell.value, range=range_)
        said = [(words, _results(effect))]
    return [Paragraph(words, lead=material.say("shift.lead"), results=sets) for words, sets in said]


def _interval(material: Material, cell: Cell) -> str:
    return sentences.interval(cell, "spct1", material.language)


def _table(material: Material, examined: list[Effect]) -> TableBlock:
    """Return the change in the areas and on the rings, a line each, and how many areas they are compared with."""
    say = material.say
    rows, rings = [], 0
    for effect in examined:
        if isinstance(effect.shift, Shift):
            rows += _lines(material, effect, effect.shift)
            rings = max(rings, *map(int, effect.shift.rings.frame["ring"]))
    heads = {"study": "start", "around": "start", "areas": "end", "change_plain": "end", "interval": "end"}
    return TableBlock(
        id="tabelle-verlagerung",
        caption=say("shift.table"),
        columns=tuple(
            TableColumn(title=say(f"head.{name}"), align="end" if align == "end" else "start")
            for name, align in heads.items()
        ),
        rows=tuple(rows),
        row_heads=2,
        source=joined(p.source for effect in examined for p in _results(effect)),
        notes=(say("shift.note", n=rings),),
        results=tuple(p for effect in examined for p in _results(effect)),
    )


def _lines(material: Material, effect: Effect, found: Shift) -> list[tuple[TableCell, ...]]:
    """Return the lines of one study; its name is written once and read aloud in each."""
    title = f"{effect.study.measure}: {effect.outcome}"
    name, lines = TableCell(words=title), []
    for ring, cell in zip(found.rings.frame["ring"], found.rings.cells(), strict=True):
        number = format_value(found.sizes.cell(ring=str(ring)).value, "int", material.language)
        lines.append(row(name, material.say(f"head.ring{ring}"), number, *_words(cell, material)))
        name = TableCell(words="", spoken=title)
    far = format_value(found.sizes.cell(ring="far").value, "int", material.language)
    return [*lines, row(name, material.say("head.far"), far, "–", "–")]


def _words(cell: Cell, material: Material) -> list[str]:
    """Return change and interval; a sign where there is none."""
    if cell.value is None:
        return ["." if cell.suppressed else "…", "–"]
    words = interval_words(cell, "spct1", material.language)
    return [format_value(cell.value, "spct1", material.language), words or "–"]


def _not_examined(material: Material, effects: list[Effect]) -> list[Block]:
    """Return for which studies nothing can be said about the areas around, and why."""
    blocks: list[Block] = []
    for effect in effects:
        if isinstance(effect.shift, EvaluationError):
            why = " ".join(note.worded(material.language) for note in reasons([effect.shift]))
            words = material.say("shift.not_examined", title=effect.title, why=why)
            blocks.append(NoteBlock(words=words, kind="note"))
    return blocks


def shift_sentence(material: Material) -> Said:
    """Return what page one says about cases that may have moved: of the strongest effect, else of the first study."""
    candidates = [*judgement.established(material), *(e for e in material.effects if e.study.measure)]
    found = next((effect for effect in candidates if isinstance(effect.shift, Shift)), None)
    if found is None or not isinstance(found.shift, Shift):
        form = "shift" if material.project.geometry() is not None else "shift_geometry"
        return material.say(f"missing.{form}"), ()
    measure = material.project.agreement.measures[found.study.measure or ""]
    if _moved(found):
        return material.say("unknown.shift_moved", measure=measure.id), _results(found)
    detectable = found.shift.detectable.cell(ring=NEXT).value
    form = "plain" if detectable is None else "none"
    return material.say(f"unknown.shift_{form}", measure=measure.id, detectable=detectable), found.shift.results
