"""From the register and the declared questions to a comparison: which waves, which areas, and whether they may be.

The effect of a measure on the sense of safety as a project declares it. What is left out: estimating
(:mod:`evaluation.survey.difference`, :mod:`evaluation.survey.change`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evaluation.data.periods import start_date
from evaluation.errors import DataError, DesignError, Problem, nearest
from evaluation.estimates import Estimates, Note
from evaluation.project.items import Comparison
from evaluation.project.surveys import wave_dates
from evaluation.randomization.inference import Randomization
from evaluation.sample import Sample
from evaluation.survey.change import Change
from evaluation.survey.difference import Inference, SurveyDifference
from evaluation.survey.estimation import Share
from evaluation.survey.nonresponse import ItemNonresponse
from evaluation.survey.ordinal import Ordinal
from evaluation.survey.scales import ScaleMapping

if TYPE_CHECKING:
    from evaluation.project import Project
    from evaluation.project.schema import Item

COMMON = "common answers"


@dataclass(frozen=True, kw_only=True)
class MeasureDifference:
    """Effect of a measure of the register on one survey question.

    Parameters
    ----------
    measure, item
        Ids in the register and in ``project.toml``.
    ordinal
        Whether the whole scale is compared (log odds) instead of the unsafe share; not across scales of different
        length.
    inference, level
        As in :class:`SurveyDifference`.

    Notes
    -----
    Baseline is the last wave before the measure begins anywhere, later wave the last one in which it has begun; areas
    in which it began only after that wave are left out, as those are neither with nor without it. The wave has the day
    that ``project.toml`` says. Questions that ``items.toml`` calls not comparable are refused; similar ones carry the
    printed reason; scales of different length are put together by the mapping declared there. Neighbours come from the
    map.

    Examples
    --------
    >>> MeasureDifference(measure="A2", item="unsafe_night_area").estimate(project)  # doctest: +SKIP
    """

    measure: str
    item: str
    ordinal: bool = False
    inference: Inference | Randomization = "auto"
    level: float = 0.95

    def estimate(self, project: Project) -> Estimates:
        """Return the effect; see :meth:`SurveyDifference.estimate`.

        Raises
        ------
        DataError
            Measure or item do not exist, or the register or a table is faulty.
        DesignError
            The register names no areas, there is no wave on one side of the start, or the waves are not comparable.
        """
        item = _item(project, self.item)
        measures = project.agreement.measures
        if self.measure not in measures:
            guess = nearest(self.measure, measures) or "–"
            raise DataError(Problem("survey_items.no_measure", value=self.measure, nearest=guess))
        starts = dict(measures[self.measure].areas)
        if not starts:
            raise DesignError(Problem("survey_items.no_measure_areas", measure=self.measure))
        sample, waves = _asked(project, item)
        baseline, wave = self._around(waves, starts)
        treated = tuple(sorted(area for area, since in starts.items() if start_date(since) <= waves[wave]))
        odd = tuple(sorted(set(starts) - set(treated)))
        ready, estimator, notes = _comparable(project, item, sample, (baseline, wave), ordinal=self.ordinal)
        method = SurveyDifference(
            estimator,
            treated,
            baseline,
            wave,
            excluded=odd,
            neighbours=project.neighbours(),
            inference=self.inference,
            level=self.level,
        )
        result = method.estimate(ready)
        if odd:
            notes = (*notes, Note("survey_items.note.began_between", {"areas": odd}))
        return replace(result, notes=(*result.notes, *notes))

    def _around(self, waves: dict[str, dt.date], starts: dict[str, str]) -> tuple[str, str]:
        first = min(start_date(since) for since in starts.values())
        before = [wave for wave, day in waves.items() if day < first]
        after = [wave for wave, day in waves.items() if any(start_date(since) <= day for since in starts.values())]
        if not before or not after:
            ordered = sorted(starts.values())
            raise DesignError(
                Problem("survey_items.no_wave_around", measure=self.measure, since=ordered[0], until=ordered[-1])
            )
        return max(before, key=lambda wave: waves[wave]), max(after, key=lambda wave: waves[wave])


@dataclass(frozen=True, kw_only=True)
class ItemChange:
    """Change of the unsafe share of one survey question between two waves, as far as they are comparable.

    Parameters
    ----------
    item
        Id in ``project.toml``.
    baseline, wave
        Waves.
    by, level
        As in :class:`Share` and :class:`Change`.

    Examples
    --------
    >>> ItemChange(item="unsafe_night_area", baseline="2018", wave="2024").estimate(project)  # doctest: +SKIP
    """

    item: str
    baseline: str
    wave: str
    by: str | tuple[str, ...] = ()
    level: float = 0.95

    def estimate(self, project: Project) -> Estimates:
        """Return the change; see :meth:`Change.estimate`.

        Raises
        ------
        DataError
            The item does not exist, or the survey is faulty.
        DesignError
            The item was not asked in one of the waves, or ``items.toml`` says that they are not comparable.
        """
        item = _item(project, self.item)
        sample, waves = _asked(project, item)
        for label in (self.baseline, self.wave):
            if label not in waves:
                guess = nearest(label, waves) or "–"
                raise DesignError(Problem("survey_items.not_asked", value=label, item=self.item, nearest=guess))
        ready, estimator, notes = _comparable(project, item, sample, (self.baseline, self.wave), ordinal=False)
        if not isinstance(estimator, Share):  # asked for above
            raise TypeError("a change needs a share")
        change = Change(replace(estimator, by=self.by), self.baseline, self.wave, level=self.level)
        result = change.estimate(ready)
        return replace(result, notes=(*notes, *result.notes))


def item_nonresponse(project: Project, *, survey: str | None = None, level: float = 0.95) -> Estimates:
    """Return the share of those asked without an answer, for every question and wave of a survey (the first, if None).

    Who was asked, where that is not everybody, is what ``items.toml`` says under ``asked_if``.

    Raises
    ------
    DataError
        The survey or ``items.toml`` is faulty.
    EstimationError
        No question has an answer.
    """
    sample = project.sample(survey=survey)
    columns = {id_: item.column for id_, item in project.items.items() if item.column in sample.frame}
    asked = {
        columns[id_]: (question.asked_if.column, tuple(question.asked_if.codes))
        for id_, question in project.questions.items()
        if question.asked_if is not None and id_ in columns
    }
    names = tuple(dict.fromkeys(columns.values()))
    return ItemNonresponse(names, by="wave", asked_if=asked, level=level).estimate(sample)


def _item(project: Project, name: str) -> Item:
    if name not in project.items:
        raise DataError(Problem("survey_items.no_item", value=name, nearest=nearest(name, project.items) or "–"))
    return project.items[name]


def _asked(project: Project, item: Item) -> tuple[Sample, dict[str, dt.date]]:
    """Return the sample of the item's survey and the days of the waves in which it was asked."""
    question = project.questions.get(item.id)
    survey = question.asked[0].survey if question and question.asked else None
    sample = project.sample(survey=survey)
    answered = set(sample.frame.loc[sample.frame[item.column].notna(), "wave"].unique())
    days = wave_dates(project)
    return sample, {wave: days.get(wave) or dt.date(int(wave[:4]), 12, 31) for wave in sorted(answered)}


def _comparable(
    project: Project, item: Item, sample: Sample, waves: tuple[str, str], *, ordinal: bool
) -> tuple[Sample, Share | Ordinal, tuple[Note, ...]]:
    """Return the sample and the estimator for two waves, with what has to be said about their comparison.

    Raises
    ------
    DesignError
        The waves are not comparable.
    """
    first, second = waves
    question = project.questions.get(item.id)
    if question is None or not question.asked:
        notes = (Note("survey_items.note.undeclared", {"item": item.id, "first": first, "second": second}),)
        return sample, _estimator(item, ordinal=ordinal), notes
    for label in waves:
        if label not in question.waves:
            guess = nearest(label, question.waves) or "–"
            raise DesignError(Problem("survey_items.not_asked", value=label, item=item.id, nearest=guess))
    found = question.compare(first, second)
    reasons = found.reasons(project.language)
    if found.kind == "not_comparable":
        raise DesignError(
            Problem("survey_items.not_comparable", item=item.id, first=first, second=second, reasons=reasons)
        )
    said: tuple[Note, ...] = ()
    if found.kind == "similar":
        said = (Note("survey_items.note.similar", {"first": first, "second": second, "reasons": reasons}),)
    return (*_mapped(item, sample, found, question.asked, ordinal=ordinal), said)


def _mapped(
    item: Item, sample: Sample, found: Comparison, asked: tuple[Any, ...], *, ordinal: bool
) -> tuple[Sample, Share | Ordinal]:
    """Put scales of different length together, where the two waves have such."""
    ends = {one.wave: one for one in asked if one.wave in {found.first, found.second}}
    points = {wave: one.points for wave, one in ends.items()}
    if len(set(points.values())) == 1 and set(points.values()) == {item.scale}:
        return sample, _estimator(item, ordinal=ordinal)
    known = {one.points: one.mapping for one in ends.values()}
    mapping = ScaleMapping(categories=tuple(next(iter(ends.values())).mapping), codes=known)
    both = sample.where(sample.frame["wave"].isin(list(ends)))
    ready = mapping.apply(both, item.column, points=points, into=COMMON, no_answer=item.no_answer)
    scale = len(mapping.categories)
    if ordinal:
        return ready, Ordinal(COMMON, scale=scale)
    places = mapping.positions(item.scale) if item.scale in known else {}
    unsafe = tuple(sorted({places[code] for code in item.unsafe})) if places else (scale,)
    return ready, Share(COMMON, unsafe, scale=scale)


def _estimator(item: Item, *, ordinal: bool) -> Share | Ordinal:
    if ordinal:
        return Ordinal(item.column, scale=item.scale, no_answer=item.no_answer)
    return Share(item.column, tuple(item.unsafe), scale=item.scale, no_answer=item.no_answer)
