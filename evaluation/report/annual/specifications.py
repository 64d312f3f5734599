"""One effect under every specification: which were fixed beforehand, whether they agree, and what the others show."""

from collections.abc import Sequence

from evaluation.disclosure import Cell
from evaluation.figures.effects import specifications as drawn
from evaluation.report.annual.judgement import renamed
from evaluation.report.annual.pieces import figure
from evaluation.report.blocks import Block, NoteBlock, Paragraph, slug
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.specifications import DECLARED, DISTRICTS, fixed_beforehand
from evaluation.report.tables import Layout, side_by_side


def specifications(material: Material, effect: Effect) -> list[Block]:
    """Return picture and table of all specifications, with a warning where those fixed beforehand disagree."""
    if effect.specifications is None:
        return []
    cells = {name: cell for name, cell in _cells(effect).items() if cell.value is not None}
    values = [cell.value for cell in cells.values() if cell.value is not None]
    if not values:
        return []
    span = {"low": min(values), "high": max(values)}
    finding = dependence(material, effect, "others", **span) or _agreement(material, effect, span)
    layout = Layout(
        id=f"zahlen-rechenwege-{slug(effect.study.id)}",
        caption=material.say("effects.others_table"),
        language=material.language,
        rows=("specification",),
        heads={"specification": material.say("head.specification")},
        interval=True,
    )
    sets = {material.say("head.effect"): effect.specifications}
    if effect.p_values is not None:
        shown = effect.p_values.where(specification=list(effect.specifications.frame["specification"]))
        sets[material.say("head.p_value")] = shown
    picture = figure(
        drawn(
            effect.specifications.where(specification=list(cells)),
            titles=effect.labels,
            declared=DECLARED,
            language=material.language,
        ),
        id=f"bild-rechenwege-{slug(effect.study.id)}",
        finding=finding,
        alt=material.say("effects.others_alt", finding=finding),
        table=renamed(side_by_side(sets, layout), effect.labels),
        results=[effect.specifications],
    )
    blocks: list[Block] = [picture, *_districts(material, effect)]
    if _depends(effect):
        blocks.append(NoteBlock(words=material.say("effects.depends"), kind="warning"))
    return blocks


def _cells(effect: Effect) -> dict[str, Cell]:
    """Return the effect by specification."""
    if effect.specifications is None:
        return {}
    return dict(zip(effect.specifications.frame["specification"], effect.specifications.cells(), strict=True))


def _agreement(material: Material, effect: Effect, span: dict[str, float]) -> str:
    """Return that the specifications fixed beforehand agree, or that there is only one of them."""
    fixed = [name for name, cell in _cells(effect).items() if fixed_beforehand(name) and cell.value is not None]
    form = "agree" if len(fixed) > 1 else "single"
    return material.say(f"effects.others_{form}", all=material.few(len(fixed)), **span)


def _districts(material: Material, effect: Effect) -> list[Block]:
    """Return what districts could show of the effect at best."""
    thin = effect.districts
    if thin is None or DISTRICTS not in _cells(effect) or thin.effect.cells()[0].value is None:
        return []
    words = material.say(
        "effects.districts",
        n=thin.numbers.cell(what="treated").value,
        all=thin.numbers.cell(what="all").value,
        share=thin.share.cells()[0].value,
        diluted=thin.effect.cells()[0].value,
    )
    return [Paragraph(words, kind="small", results=thin.results)]


def _answers(effect: Effect) -> Sequence[float]:
    """Return the p-values of the specifications fixed beforehand."""
    return [c.p_value for n, c in _cells(effect).items() if fixed_beforehand(n) and c.p_value is not None]


def _depends(effect: Effect) -> bool:
    """Tell whether the specifications fixed beforehand differ in what they say at the level of the verdict."""
    level = effect.finding.verdict.level
    answers = {
        (cell.p_value <= level, (cell.value or 0.0) > 0 if cell.p_value <= level else False)
        for name, cell in _cells(effect).items()
        if fixed_beforehand(name) and cell.p_value is not None
    }
    return len(answers) > 1


def dependence(material: Material, effect: Effect, form: str, **values: float) -> str:
    """Return for how many specifications the change is not established, where those fixed beforehand disagree."""
    if not _depends(effect):
        return ""
    known = _answers(effect)
    unsure = sum(p_value > effect.finding.verdict.level for p_value in known)
    if not unsure:
        return material.say(f"effects.{form}_opposed", all=material.few(len(known)), **values)
    counts = {"n": unsure, "unsure": material.few(unsure), "all": material.few(len(known))}
    return material.say(f"effects.{form}_depend", **counts, **values)
