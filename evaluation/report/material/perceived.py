"""Sense of safety: shares feeling unsafe by wave, question and place, and their change since before the agreement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.disclosure import About, Published, publish
from evaluation.errors import EstimationError
from evaluation.report.material.sources import source_of
from evaluation.sample import Sample
from evaluation.survey.change import Change
from evaluation.survey.estimation import Share

if TYPE_CHECKING:
    from evaluation.report.context import Context


@dataclass(frozen=True, kw_only=True)
class Perceived:
    """What is known about the sense of safety.

    Parameters
    ----------
    titles
        Title of each item in the language of the report, in the order of the project.
    places
        Items about a place and a time of day: the sense of safety proper.
    waves
        Waves up to the year of the report.
    answers
        Key ``wave``: number of respondents.
    shares
        Keys ``item`` and ``wave``: share feeling unsafe.
    baseline, latest
        The waves that are compared: the last one before the agreement (else the first), and the last one.
    pairs
        Keys ``item`` and ``time`` (``before``, ``now``): the shares of these two waves; None with one wave.
    changes
        Key ``item``: change of the share from `baseline` to `latest`; None with one wave.
    area_item
        The item that is shown by area.
    area_changes
        Keys ``area`` and ``year``: its change from `baseline` to every later wave; None with one wave.
    """

    titles: Mapping[str, str]
    places: tuple[str, ...]
    waves: tuple[str, ...]
    answers: Published
    shares: Published
    baseline: str
    latest: str
    pairs: Published | None
    changes: Published | None
    area_item: str
    area_changes: Published | None


def perceived(context: "Context") -> Perceived | None:
    """Return the sense of safety, or None where no survey was delivered."""
    project = context.project
    if not project.items or not project.has("respondents"):
        return None
    if project.table("respondents").empty:
        return None
    sample = project.sample()  # the first survey: others are not put together with it
    frame = sample.frame
    waves = tuple(sorted(frame["wave"].unique()))
    items = {name: item for name, item in project.items.items() if item.column in frame}
    items = {name: item for name, item in items.items() if frame[item.column].notna().any()}
    if not items:
        return None
    baseline, latest = _baseline(context, waves), waves[-1]
    places = tuple(name for name, item in items.items() if item.place) or tuple(items)
    area_item = places[0]
    shown = tuple(name for name in places if items[name].headline) or places
    several = baseline != latest
    shares, levels = _shares(context, sample, items)
    return Perceived(
        titles={name: item.title[context.language] for name, item in items.items()},
        places=places,
        waves=waves,
        answers=_answers(context, frame),
        shares=shares,
        baseline=baseline,
        latest=latest,
        pairs=_pairs(context, levels[levels["item"].isin(shown)], baseline, latest) if several else None,
        changes=_changes(context, sample, items, baseline, latest) if several else None,
        area_item=area_item,
        area_changes=_area_changes(context, sample, area_item, baseline, waves) if several else None,
    )


def _baseline(context: "Context", waves: tuple[str, ...]) -> str:
    since = context.project.agreement.since
    earlier = [wave for wave in waves if since and wave[:4] < str(since)[:4]]
    return earlier[-1] if earlier else waves[0]


def _estimator(item: Any, *, by: str | tuple[str, ...] = ()) -> Share:
    return Share(item.column, tuple(item.unsafe), by=by, scale=item.scale)


def _asked(sample: Sample, item: Any) -> tuple[str, ...]:
    """Return the waves in which the question was asked."""
    answered = sample.frame.loc[sample.frame[item.column].notna(), "wave"]
    return tuple(sorted(answered.unique()))


def _answers(context: "Context", frame: pd.DataFrame) -> Published:
    counted = frame.groupby("wave", as_index=False).size().rename(columns={"size": "value"})
    about = About(id="survey.respondents", unit="answers", source=source_of(context, "respondents"))
    return publish(counted, context.rules, about=about, keys=("wave",), basis="answers")


def _shares(context: "Context", sample: Sample, items: Mapping[str, Any]) -> tuple[Published, pd.DataFrame]:
    """Return the shares by item and wave, published and as they were estimated."""
    parts = []
    for name, item in items.items():
        asked = sample.where(sample.frame["wave"].isin(_asked(sample, item)))
        table = _estimator(item, by="wave").estimate(asked).display()
        parts.append(table.assign(item=name))
    frame = _noted(pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"}))
    about = About(id="survey.unsafe", unit="share", source=source_of(context, "respondents"))
    keys = ("item", "wave")
    return publish(frame, context.rules, about=about, keys=keys, basis="answers", cases="n"), frame


def _pairs(context: "Context", shares: pd.DataFrame, baseline: str, latest: str) -> Published | None:
    """Return the shares of the two waves that are compared, of items that were asked in both."""
    chosen = shares[shares["wave"].isin([baseline, latest])]
    chosen = chosen[chosen.groupby("item")["wave"].transform("nunique") == 2]
    if chosen.empty:
        return None
    about = About(id="summary.perceived", unit="share", source=source_of(context, "respondents"))
    frame = chosen.assign(time=chosen["wave"].map({baseline: "before", latest: "now"}))
    return publish(frame, context.rules, about=about, keys=("item", "time"), basis="answers", cases="n")


def _changes(
    context: "Context", sample: Sample, items: Mapping[str, Any], baseline: str, latest: str
) -> Published | None:
    parts = [
        Change(_estimator(item), baseline, latest).estimate(sample).display().assign(item=name)
        for name, item in items.items()
        if {baseline, latest} <= set(_asked(sample, item))
    ]
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"})
    about = About(id="survey.change", unit="change_points", source=source_of(context, "respondents"))
    return publish(_noted(frame), context.rules, about=about, keys=("item",), basis="answers", cases="n")


def _area_changes(
    context: "Context", sample: Sample, name: str, baseline: str, waves: tuple[str, ...]
) -> Published | None:
    item = context.project.items[name]
    asked = _asked(sample, item)
    parts = []
    for wave in waves:
        if wave <= baseline or not {baseline, wave} <= set(asked):
            continue
        try:
            table = Change(_estimator(item, by="area"), baseline, wave).estimate(sample).display()
        except EstimationError:  # nobody answered in both waves; the shares by wave show it
            continue
        parts.append(table.assign(year=wave[:4]))
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"})
    about = About(id="survey.area_change", unit="change_points", source=source_of(context, "respondents"), outcome=name)
    return publish(_noted(frame), context.rules, about=about, keys=("area", "year"), basis="answers", cases="n")


def _noted(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the codes of an estimate's notes into text keys."""
    notes = [
        " ".join(code if "." in code else f"core.note.{code}" for code in str(cell).split()) for cell in frame["note"]
    ]
    return frame.assign(note=notes)


def shares_with_and_without(context: "Context", survey: Perceived) -> dict[str, Published]:
    """Return the share feeling unsafe in the areas of a measure and elsewhere, in the waves that are compared.

    Returns
    -------
    dict
        By measure; keys ``item``, ``group`` (``with``, ``without``) and ``time`` (``before``, ``now``). Only measures
        with areas and with items among their outcomes. This describes; it is no estimate of an effect.
    """
    project, found = context.project, {}
    if survey.changes is None:
        return {}
    asked = set(survey.changes.frame["item"])
    for measure in project.agreement.measures.values():
        items = [name for name in measure.outcomes if name in asked]
        if not items or not measure.areas:
            continue
        sample = project.sample()
        inside = sample.frame["area"].isin(list(measure.areas))
        grouped = Sample(sample.frame.assign(group=inside.map({True: "with", False: "without"})), sample.design)
        both = grouped.where(grouped.frame["wave"].isin([survey.baseline, survey.latest]))
        parts = [
            _estimator(project.items[name], by=("group", "wave")).estimate(both).display().assign(item=name)
            for name in items
        ]
        frame = _noted(pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"}))
        frame["time"] = frame["wave"].map({survey.baseline: "before", survey.latest: "now"})
        about = About(
            id=f"survey.with_and_without.{measure.id}",
            unit="share",
            source=source_of(context, "respondents"),
            measure=measure.id,
        )
        keys = ("item", "group", "time")
        found[measure.id] = publish(frame, context.rules, about=about, keys=keys, basis="answers", cases="n")
    return found
