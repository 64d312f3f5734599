"""What an effect hangs on, one sentence a check: single areas, earlier trends, the usual level, reporting, alarms."""

from evaluation.disclosure import Cell, Published
from evaluation.report import sentences
from evaluation.report.blocks import Block, ListBlock, Paragraph
from evaluation.report.material import Material
from evaluation.report.material.effects import Effect
from evaluation.report.material.reporting import Reporting
from evaluation.report.material.scrutiny import Scrutiny

Said = tuple[str, tuple[Published, ...]]
EXAMPLE = 50
"""Offences of a hundred that are reported, in the example of a reporting rate."""


def scrutiny(material: Material, effect: Effect) -> list[Block]:
    """Return the checks of an effect as a list of sentences; nothing where the question cannot be answered."""
    found = effect.scrutiny
    if found is None:
        return []
    said = [
        *_left_out(material, effect, found),
        *_trend(material, effect, found),
        *_naive(material, effect, found),
        *(_reporting(material, effect, found.reporting) if found.reporting else []),
    ]
    if not said:
        return []
    items = ListBlock(tuple(words for words, _ in said), results=tuple(p for _, sets in said for p in sets))
    return [Paragraph(material.say("scrutiny.lead")), items]


def _form(effect: Effect) -> str:
    return "event" if effect.study.event is not None else "measure"


def _left_out(material: Material, effect: Effect, found: Scrutiny) -> list[Said]:
    """Return the range of the effect without one of the areas, and how often it is established then."""
    if found.left_out is None or found.left_out_count is None:
        return []
    low, high = (found.left_out.cell(what=what).value for what in ("lowest", "highest"))
    if low is None or high is None:
        return []
    number, unsure = (int(found.left_out_count.cell(what=what).value or 0) for what in ("all", "unsure"))
    words = material.say(f"scrutiny.left_out_{_form(effect)}", all=material.few(number), low=low, high=high)
    if effect.verdict == "established":
        form = "sure" if not unsure else "unsure"
        words += material.say(f"scrutiny.left_out_{form}", n=unsure, unsure=material.few(unsure))
    return [(f"{words}.", (found.left_out, found.left_out_count))]


def _trend(material: Material, effect: Effect, found: Scrutiny) -> list[Said]:
    """Return the trend before the start, or the one that would have been found and whether it explains the effect."""
    if found.trend is None:
        return []
    slope, detectable, bias = (found.trend.cell(what=what) for what in ("slope", "detectable", "bias"))
    if slope.value is None or detectable.value is None or bias.value is None:
        return []
    each = material.say(f"scrutiny.each_{effect.study.period}")
    form = _form(effect)
    if slope.p_value is not None and slope.p_value <= effect.finding.verdict.level:
        words = material.say(f"scrutiny.trend_found_{form}", slope=abs(slope.value), each=each)
        return [(words, (found.trend,))]
    words = material.say(f"scrutiny.trend_{form}", slope=detectable.value, each=each)
    if effect.verdict == "established" and effect.cell is not None and effect.cell.value is not None:
        enough = 1 + bias.value >= max(1 + effect.cell.value, 1 / (1 + effect.cell.value))
        words += material.say(f"scrutiny.trend_{'enough' if enough else 'little'}")
    return [(f"{words}.", (found.trend,))]


def _naive(material: Material, effect: Effect, found: Scrutiny) -> list[Said]:
    """Return what a comparison without the adjustment would have claimed, and how risers fall without any measure."""
    if effect.effect is None or effect.cell is None or "unadjusted" not in set(effect.effect.frame["term"]):
        return []
    raw = effect.effect.cell(term="unadjusted").value
    if raw is None or effect.cell.value is None:
        return []
    words, sets = material.say("scrutiny.naive", raw=raw, change=effect.cell.value), [effect.effect]
    back = found.return_.cells()[0].value if found.return_ is not None else None
    falls = back is not None and sentences.direction(back) == "less" and effect.study.primary
    if found.return_ is not None and found.return_count is not None and back is not None and falls:
        number = found.return_count.cells()[0].value
        words += " " + material.say("scrutiny.risers", n=number, size=abs(back))
        sets += [found.return_, found.return_count]
    return [(words, tuple(sets))]


def _reporting(material: Material, effect: Effect, found: Reporting) -> list[Said]:
    """Return which change in reporting would explain an established effect, and the effect less what is known of it."""
    vanishes, indistinct = (found.explains.cell(what=what).value for what in ("vanishes", "indistinct"))
    if effect.verdict != "established" or vanishes is None or indistinct is None:
        return []
    way = sentences.direction(vanishes)
    if way == "same":
        return []
    rate = round(EXAMPLE * (1 + vanishes))
    example = material.say("scrutiny.example", before=EXAMPLE, after=rate) if rate < 100 else ""
    words = material.say(
        f"scrutiny.reporting_{_form(effect)}_{way}",
        vanishes=abs(vanishes),
        indistinct=abs(indistinct),
        example=example,
    )
    said = [(words, (found.explains,))]
    return [*said, *_surveyed(material, effect, found)]


def _surveyed(material: Material, effect: Effect, found: Reporting) -> list[Said]:
    """Return how reporting changed by the survey, and the effect less that."""
    before, now = found.waves
    if found.surveyed is None:
        return []
    rate, adjusted = (found.surveyed.cell(what=what) for what in ("rate", "effect"))
    if rate.value is None or adjusted.value is None:
        return [(material.say("scrutiny.surveyed_few", before=before, now=now), (found.surveyed,))]
    sure = adjusted.p_value is not None and adjusted.p_value <= effect.finding.verdict.level
    words = material.say(
        f"scrutiny.surveyed_{'sure' if sure else 'unsure'}",
        before=before,
        now=now,
        rate=rate.value,
        rate_range=_interval(rate, material),
        change=adjusted.value,
        range=_interval(adjusted, material),
    )
    return [(words, (found.surveyed,))]


def _interval(cell: Cell, material: Material) -> str:
    return sentences.interval(cell, "spct1", material.language)


def false_alarms(material: Material, effect: Effect) -> list[Block]:
    """Return how often the same test found something at earlier dates at which nothing began."""
    if effect.false_alarms is None:
        return []
    rates = {str(row["rule"]): row["value"] for row in effect.false_alarms.frame.to_dict("records")}
    words = material.say("effects.false_alarms", level=effect.finding.verdict.level, **rates)
    return [Paragraph(words, kind="small", results=(effect.false_alarms,))]
