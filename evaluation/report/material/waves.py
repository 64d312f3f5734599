"""Whether the waves of a survey can be compared: how people were asked, who they are, and who did not answer.

A change of a share is a change of what people feel only as far as these stay the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.disclosure import About, Published, publish
from evaluation.errors import DesignError, EvaluationError
from evaluation.report.material.sources import source_of
from evaluation.sample import Sample
from evaluation.survey.composition import CompositionAdjusted
from evaluation.survey.estimation import Share
from evaluation.survey.modes import MODE, SHIFT, mode_shares, mode_shift
from evaluation.survey.nonresponse import ItemNonresponse
from evaluation.survey.response import ResponseBounds

if TYPE_CHECKING:
    from evaluation.project.schema import Item
    from evaluation.report.context import Context

COMPOSITION = ("age_group", "gender")
"""Columns of the contract that say who answered."""
APART = 0.1
"""By so much people who did not answer are thought to differ at most from those who did, for the bounds."""


@dataclass(frozen=True, kw_only=True)
class Waves:
    """What changed between the two waves that are compared, besides what people feel.

    Parameters
    ----------
    kinds
        By item: ``same``, ``similar``, ``not_comparable`` or ``undeclared``.
    reasons
        By item: what changed, where it is not the same.
    segments
        By item: the waves in parts within which the question is the same; lines break between them.
    cells
        Columns of the composition.
    composition
        Keys ``item`` and ``term``: the ``change`` and the change ``adjusted`` to people like those of the first wave.
    modes
        Keys ``mode`` and ``wave``: share of the respondents; None where nearly all answered in the same way.
    rates
        Key ``wave``: share of those who were asked that answered; None where not declared.
    bounds
        Keys ``item`` and ``term`` (``apart_low``, ``apart_high``, ``breakdown``); None without rates.
    silent
        Keys ``item`` and ``wave``: share of those asked this question that gave no answer.
    for_some
        Items that not everybody was asked, as declared.
    """

    kinds: Mapping[str, str]
    reasons: Mapping[str, tuple[str, ...]]
    segments: Mapping[str, tuple[tuple[str, ...], ...]]
    cells: tuple[str, ...]
    composition: Published | None
    modes: Published | None
    rates: Published | None
    bounds: Published | None
    silent: Published | None
    for_some: tuple[str, ...]

    @property
    def refused(self) -> tuple[str, ...]:
        """Items whose two waves must not be compared."""
        return tuple(item for item, kind in self.kinds.items() if kind == "not_comparable")


def waves_of(
    context: "Context", sample: Sample, items: Mapping[str, "Item"], waves: tuple[str, str], part: str
) -> Waves:
    """Return what changed between two waves; `part` ends the ids of a survey that is not the first."""
    both = {name: item for name, item in items.items() if set(waves) <= set(asked_in(sample, item))}
    several = waves[0] != waves[1]
    kinds, reasons = _kinds(context, both if several else {}, waves)
    compared = [item for name, item in both.items() if several and kinds[name] != "not_comparable"]
    plain = [item for item in compared if not _mapped(context, item, waves)]
    cells = tuple(c for c in COMPOSITION if c in sample.frame and sample.frame[c].notna().mean() > 0.5)
    rates = _rates(context, waves) if several else None
    questions = context.project.questions
    return Waves(
        kinds=kinds,
        reasons=reasons,
        segments={name: questions[name].segments() for name in items if name in questions},
        cells=cells,
        composition=_composition(context, sample, plain, (waves, cells), part) if cells else None,
        modes=_modes(context, sample, waves, part) if several else None,
        rates=None if rates is None else _published_rates(context, rates, part),
        bounds=None if rates is None else _bounds(context, sample, plain, (waves, rates), part),
        silent=_silent(context, sample, items, part),
        for_some=tuple(n for n in items if n in questions and questions[n].asked_if is not None),
    )


# --- how a question was asked ---


def asked_in(sample: Sample, item: "Item") -> tuple[str, ...]:
    """Return the waves in which the question was asked."""
    answered = sample.frame.loc[sample.frame[item.column].notna(), "wave"]
    return tuple(sorted(answered.unique()))


def share_of(context: "Context", item: "Item", *, wave: str | None = None, by: str | tuple[str, ...] = ()) -> Share:
    """Return the estimator of the share feeling unsafe, in `wave` by the scale that the question had then.

    Where that scale has another length, the declared common answers say which of its codes are unsafe.
    """
    usual = Share(item.column, tuple(item.unsafe), by=by, scale=item.scale)
    question = context.project.questions.get(item.id)
    if wave is None or question is None or wave not in question.waves or question.at(wave).points == item.scale:
        return usual
    own = question.at(wave)
    known = next((one.mapping for one in question.asked if one.points == item.scale and one.mapping), {})
    unsafe = {name for name, codes in known.items() if set(codes) & set(item.unsafe)} or {list(own.mapping)[-1]}
    codes = tuple(sorted(code for name in unsafe for code in own.mapping.get(name, ())))
    return Share(item.column, codes, by=by, scale=own.points)


def not_comparable(context: "Context", item: "Item", waves: tuple[str, str]) -> bool:
    """Tell whether the project says that two waves of a question must not be compared."""
    question = context.project.questions.get(item.id)
    if question is None or not set(waves) <= set(question.waves):
        return False
    return question.compare(*waves).kind == "not_comparable"


def _mapped(context: "Context", item: "Item", waves: tuple[str, str]) -> bool:
    return len({share_of(context, item, wave=wave) for wave in waves}) > 1


def _kinds(
    context: "Context", items: Mapping[str, "Item"], waves: tuple[str, str]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    kinds: dict[str, str] = {}
    reasons: dict[str, tuple[str, ...]] = {}
    for name in items:
        question = context.project.questions.get(name)
        if question is None or not set(waves) <= set(question.waves):
            kinds[name] = "undeclared"
            continue
        found = question.compare(*waves)
        kinds[name] = found.kind
        if found.kind != "same":
            reasons[name] = tuple(found.reasons(context.language))
    return kinds, reasons


def _modes(context: "Context", sample: Sample, waves: tuple[str, str], part: str) -> Published | None:
    """Return how people answered in both waves, where more than a tenth changed."""
    if MODE not in sample.frame or mode_shift(sample, waves[:1], waves[1:]) <= SHIFT:
        return None
    by_wave = {wave: mode_shares(sample, (wave,)) for wave in waves}
    size = sample.frame["wave"].value_counts()
    rows = [
        {"mode": str(mode), "wave": wave, "value": float(value), "n": int(size[wave])}
        for wave, values in by_wave.items()
        for mode, value in values.items()
    ]
    about = About(id=f"survey.mode{part}", unit="share", source=source_of(context, "respondents"))
    return publish(pd.DataFrame(rows), context.rules, about=about, keys=("mode", "wave"), basis="answers", cases="n")


# --- who answered ---


def _composition(
    context: "Context",
    sample: Sample,
    items: list["Item"],
    compared: tuple[tuple[str, str], tuple[str, ...]],
    part: str,
) -> Published | None:
    """Return each change as it is and among people like those of the first wave; items without it are left out."""
    (first, second), cells = compared
    parts = []
    for item in items:
        try:
            method = CompositionAdjusted(share_of(context, item), first, second, cells=cells)
            table = method.estimate(sample).display()
        except EvaluationError:  # a group of the first wave has no answers in the second
            continue
        parts.append(table[table["term"] != "composition"].assign(item=item.id, note=""))
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"})
    about = About(id=f"survey.composition{part}", unit="change_points", source=source_of(context, "respondents"))
    return publish(frame, context.rules, about=about, keys=("item", "term"), basis="answers", cases="n")


def _rates(context: "Context", waves: tuple[str, str]) -> dict[str, float] | None:
    """Return the response rates of two waves, None unless both are declared."""
    declared = {id_: one for survey in context.project.surveys.values() for id_, one in survey.waves.items()}
    found = {wave: declared[wave].response_rate for wave in waves if wave in declared}
    known = {wave: rate for wave, rate in found.items() if rate is not None}
    return known if len(known) == len(set(waves)) else None


def _published_rates(context: "Context", rates: Mapping[str, float], part: str) -> Published:
    frame = pd.DataFrame([{"wave": wave, "value": rate} for wave, rate in rates.items()])
    about = About(id=f"survey.response_rate{part}", unit="share", source=source_of(context, "respondents"))
    return publish(frame, context.rules, about=about, keys=("wave",), basis="services")


def _bounds(
    context: "Context",
    sample: Sample,
    items: list["Item"],
    compared: tuple[tuple[str, str], Mapping[str, float]],
    part: str,
) -> Published | None:
    """Return between which limits each change lies if silent people differ by up to `APART`."""
    (first, second), rates = compared
    parts = []
    for item in items:
        try:
            result = ResponseBounds(share_of(context, item), first, second, rates=rates, apart=APART).estimate(sample)
        except EvaluationError:
            continue
        table = result.display().rename(columns={"estimate": "value"})[["term", "value", "n"]]
        table = table[table["term"].isin(["apart_low", "apart_high"])]
        more = pd.DataFrame([{"term": "breakdown", "value": result.facts["breakdown"], "n": int(table["n"].min())}])
        parts.append(pd.concat([table, more], ignore_index=True).assign(item=item.id))
    if not parts:
        return None
    about = About(id=f"survey.response{part}", unit="change_points", source=source_of(context, "respondents"))
    frame = pd.concat(parts, ignore_index=True)
    return publish(frame, context.rules, about=about, keys=("item", "term"), basis="answers", cases="n")


def _silent(context: "Context", sample: Sample, items: Mapping[str, "Item"], part: str) -> Published | None:
    """Return the share of those asked who gave no answer, by item and wave."""
    names = {item.column: name for name, item in items.items()}
    asked = {}
    for name, item in items.items():
        question = context.project.questions.get(name)
        if question is not None and question.asked_if is not None:
            asked[item.column] = (question.asked_if.column, tuple(question.asked_if.codes))
    try:
        method = ItemNonresponse(tuple(dict.fromkeys(names)), by="wave", asked_if=asked)
        table = method.estimate(sample).display().rename(columns={"estimate": "value"})
    except (DesignError, EvaluationError):
        return None
    frame = table.assign(item=table["variable"].map(names), note="")
    about = About(id=f"survey.no_answer{part}", unit="share", source=source_of(context, "respondents"))
    keys = ("item", "wave")
    return publish(frame.drop(columns="std_error"), context.rules, about=about, keys=keys, basis="answers", cases="n")
