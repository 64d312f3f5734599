"""Sense of safety: shares feeling unsafe by wave, question and place, and their change since before the agreement.

What is left out: whether waves are alike (:mod:`evaluation.report.material.waves`), single areas of one wave
(:mod:`evaluation.report.material.small_areas`) and effects (:mod:`evaluation.report.material.perceived_effects`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.disclosure import About, Published, publish
from evaluation.errors import DesignError, EstimationError
from evaluation.estimates import Estimates
from evaluation.project.items import LatestWave, latest_wave
from evaluation.project.surveys import wave_dates
from evaluation.report.material.small_areas import SmallAreas, small_areas
from evaluation.report.material.sources import source_of
from evaluation.report.material.waves import Waves, asked_in, not_comparable, share_of, waves_of
from evaluation.sample import Sample
from evaluation.survey.change import Change
from evaluation.survey.estimation import Share
from evaluation.survey.register import ItemChange

if TYPE_CHECKING:
    from evaluation.project.schema import Item
    from evaluation.report.context import Context


@dataclass(frozen=True, kw_only=True)
class Perceived:
    """What is known about the sense of safety from one survey.

    Parameters
    ----------
    survey, title
        Id of the survey in the project and its title; empty where none is declared.
    titles
        Title of each item in the language of the report, in the order of the project.
    places
        Items about a place and a time of day: the sense of safety proper.
    waves
        Waves up to the year of the report.
    last
        The last wave and whether it is of the year of the report; None where no day is declared.
    answers
        Key ``wave``: number of respondents.
    shares
        Keys ``item`` and ``wave``: share feeling unsafe.
    baseline, latest
        The waves that are compared: the last one before the agreement (else the first), and the last one.
    pairs
        Keys ``item`` and ``time`` (``before``, ``now``): the shares of these two waves; None with one wave.
    changes
        Key ``item``: change of the share from `baseline` to `latest`, of items that may be compared; None with one
        wave.
    area_item
        The item that is shown by area.
    area_changes
        Keys ``area`` and ``year``: its change from `baseline` to every later wave; None with one wave.
    alike
        Whether the waves can be compared, and what changed between them besides what people feel.
    small
        The item by area in the last wave; None where areas are too few.
    """

    survey: str
    title: str
    titles: Mapping[str, str]
    places: tuple[str, ...]
    waves: tuple[str, ...]
    last: LatestWave | None
    answers: Published
    shares: Published
    baseline: str
    latest: str
    pairs: Published | None
    changes: Published | None
    area_item: str
    area_changes: Published | None
    alike: Waves
    small: SmallAreas | None

    @property
    def current(self) -> bool:
        """Whether the last wave is of the year of the report, so that something new follows from it."""
        return self.last is None or self.last.current


def perceived(context: "Context") -> Perceived | None:
    """Return the sense of safety by the first survey, or None where no survey was delivered."""
    return next(iter(surveys(context)), None)


def surveys(context: "Context") -> tuple[Perceived, ...]:
    """Return the sense of safety by each survey of the project that has answers, never joined."""
    project = context.project
    if not project.items or not project.has("respondents"):
        return ()
    frame = project.table("respondents")
    if frame.empty:
        return ()
    names = [id_ for id_, one in project.surveys.items() if frame["wave"].isin(list(one.waves)).any()]
    found = [_of_survey(context, name) for name in names] if len(names) > 1 else [_of_survey(context, "")]
    return tuple(one for one in found if one is not None)


def _of_survey(context: "Context", survey: str) -> Perceived | None:
    project = context.project
    sample = project.sample(survey=survey or None)  # one survey: others are not put together with it
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
    id_ = survey or next(iter(project.surveys), "")
    part = f".{survey}" if survey and survey != next(iter(project.surveys)) else ""  # ids of the first stay as they are
    shares, levels = _shares(context, sample, items, part)
    alike = waves_of(context, sample, items, (baseline, latest), part)
    kept = levels[levels["item"].isin([name for name in shown if name not in alike.refused])]
    declared = project.surveys.get(id_)
    return Perceived(
        survey=id_,
        title=declared.title[context.language] if declared is not None and declared.title else id_,
        titles={name: item.title[context.language] for name, item in items.items()},
        places=places,
        waves=waves,
        last=_last(context, id_, latest),
        answers=_answers(context, frame, part),
        shares=shares,
        baseline=baseline,
        latest=latest,
        pairs=_pairs(context, kept, baseline, latest, part) if several else None,
        changes=_changes(context, sample, items, (baseline, latest), part) if several else None,
        area_item=area_item,
        area_changes=_area_changes(context, sample, items[area_item], (baseline, waves), part) if several else None,
        alike=alike,
        small=small_areas(context, sample, items[area_item], latest, part),
    )


def _last(context: "Context", survey: str, latest: str) -> LatestWave | None:
    """Return the last wave with its day; the declared ones may hold one that was not delivered."""
    if not survey or latest not in wave_dates(context.project):
        return None
    found = latest_wave(context.project, context.year, survey=survey)
    if found is None or found.wave == latest:
        return found
    date = wave_dates(context.project)[latest]
    return LatestWave(survey=survey, wave=latest, date=date, year=context.year, current=date.year == context.year)


def _baseline(context: "Context", waves: tuple[str, ...]) -> str:
    since = context.project.agreement.since
    earlier = [wave for wave in waves if since and wave[:4] < str(since)[:4]]
    return earlier[-1] if earlier else waves[0]


def _answers(context: "Context", frame: pd.DataFrame, part: str) -> Published:
    counted = frame.groupby("wave", as_index=False).size().rename(columns={"size": "value"})
    about = About(id=f"survey.respondents{part}", unit="answers", source=source_of(context, "respondents"))
    return publish(counted, context.rules, about=about, keys=("wave",), basis="answers")


def _shares(
    context: "Context", sample: Sample, items: Mapping[str, "Item"], part: str
) -> tuple[Published, pd.DataFrame]:
    """Return the shares by item and wave, published and as they were estimated."""
    parts = [table for item in items.values() for table in _by_wave(context, sample, item)]
    frame = noted(pd.concat(parts, ignore_index=True))
    about = About(id=f"survey.unsafe{part}", unit="share", source=source_of(context, "respondents"))
    keys = ("item", "wave")
    return publish(frame, context.rules, about=about, keys=keys, basis="answers", cases="n"), frame


def _by_wave(context: "Context", sample: Sample, item: "Item") -> list[pd.DataFrame]:
    """Return the share of every wave in which the question was asked, by the scale that it had then."""
    scales: dict[Share, list[str]] = {}
    for wave in asked_in(sample, item):
        scales.setdefault(share_of(context, item, wave=wave, by="wave"), []).append(wave)
    tables = [share.estimate(sample.where(sample.frame["wave"].isin(own))) for share, own in scales.items()]
    whole = pd.concat([table.display() for table in tables], ignore_index=True).sort_values("wave", ignore_index=True)
    return [whole.assign(item=item.id).rename(columns={"estimate": "value"})]


def _pairs(context: "Context", shares: pd.DataFrame, baseline: str, latest: str, part: str) -> Published | None:
    """Return the shares of the two waves that are compared, of items that were asked in both."""
    chosen = shares[shares["wave"].isin([baseline, latest])]
    chosen = chosen[chosen.groupby("item")["wave"].transform("nunique") == 2]
    if chosen.empty:
        return None
    about = About(id=f"summary.perceived{part}", unit="share", source=source_of(context, "respondents"))
    frame = chosen.assign(time=chosen["wave"].map({baseline: "before", latest: "now"}))
    return publish(frame, context.rules, about=about, keys=("item", "time"), basis="answers", cases="n")


def _changes(
    context: "Context", sample: Sample, items: Mapping[str, "Item"], waves: tuple[str, str], part: str
) -> Published | None:
    found = {name: _change(context, sample, item, waves) for name, item in items.items()}
    parts = [result.display().assign(item=name) for name, result in found.items() if result is not None]
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"})
    about = About(id=f"survey.change{part}", unit="change_points", source=source_of(context, "respondents"))
    return publish(noted(frame), context.rules, about=about, keys=("item",), basis="answers", cases="n")


def _change(
    context: "Context", sample: Sample, item: "Item", waves: tuple[str, str], by: str | tuple[str, ...] = ()
) -> Estimates | None:
    """Return the change of a share; None where the waves did not ask the question or cannot be compared."""
    if not set(waves) <= set(asked_in(sample, item)) or not_comparable(context, item, waves):
        return None
    try:
        if item.id in context.project.questions:
            return ItemChange(item=item.id, baseline=waves[0], wave=waves[1], by=by).estimate(context.project)
        return Change(share_of(context, item, by=by), *waves).estimate(sample)
    except EstimationError:  # nobody answered in both waves; the shares by wave show it
        return None
    except DesignError:  # declared for other waves than those that have answers
        return None


def _area_changes(
    context: "Context", sample: Sample, item: "Item", waves: tuple[str, tuple[str, ...]], part: str
) -> Published | None:
    baseline, parts = waves[0], []
    for wave in waves[1]:
        found = _change(context, sample, item, (baseline, wave), by="area") if wave > baseline else None
        if found is not None:
            parts.append(found.display().assign(year=wave[:4]))
    if not parts:
        return None
    frame = pd.concat(parts, ignore_index=True).rename(columns={"estimate": "value"})
    about = About(
        id=f"survey.area_change{part}",
        unit="change_points",
        source=source_of(context, "respondents"),
        outcome=item.id,
    )
    return publish(noted(frame), context.rules, about=about, keys=("area", "year"), basis="answers", cases="n")


def noted(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the codes of an estimate's notes into text keys."""
    notes = [
        " ".join(code if "." in code else f"core.note.{code}" for code in str(cell).split()) for cell in frame["note"]
    ]
    return frame.assign(note=notes)
