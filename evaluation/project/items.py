"""What exactly was asked in each wave, and with which other waves it may be compared: ``items.toml``.

A line in a picture breaks where a question is not the same any more; a change across such a break is either refused or
carries the printed reason. What is left out: the answers (:mod:`evaluation.project.surveys`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StrictInt

from evaluation.agreement.reading import line_of
from evaluation.data.contracts import SURVEY_MODES
from evaluation.errors import DataError, Problem, nearest
from evaluation.project.schema import Entry, Line, ProjectFile
from evaluation.project.toml import read_toml, validated

if TYPE_CHECKING:
    from evaluation.project.folder import Project

FILE = "items.toml"
FEATURES = ("wording", "filter", "scale", "modes", "population")
ORDER = ("same", "similar", "not_comparable")

Comparable = Literal["same", "similar", "not_comparable"]


class AskedIf(Entry):
    """Who was asked, where not everybody was: people with one of some answers to an earlier question."""

    column: str
    codes: Annotated[tuple[StrictInt, ...], Field(min_length=1)]


class Asked(Entry):
    """One question in one wave.

    ``comparable`` says how it compares with the wave before it in the list; ``reason`` is printed wherever that is not
    ``same``. ``mapping`` says for each common answer which codes of this scale mean it, where scales differ in length.
    """

    wave: str
    survey: str
    wording: str
    filter: str = ""
    scale: Annotated[tuple[str, ...], Field(min_length=2)]
    modes: Annotated[tuple[Literal["paper", "online", "phone"], ...], Field(min_length=1)]
    population: str
    comparable: Comparable | None = None
    reason: Line = Field(default_factory=dict)
    mapping: dict[str, tuple[StrictInt, ...]] = Field(default_factory=dict)

    @property
    def points(self) -> int:
        """Number of points of the scale."""
        return len(self.scale)


class Question(Entry):
    """Everything about one item: in which waves it was asked, and how; ``asked`` is in order of time."""

    asked: tuple[Asked, ...] = ()
    asked_if: AskedIf | None = None

    @property
    def waves(self) -> tuple[str, ...]:
        """Waves in order of time."""
        return tuple(one.wave for one in self.asked)

    def at(self, wave: str) -> Asked:
        """Return the question as it was asked in `wave`; ValueError where it was not asked then."""
        return self.asked[self.waves.index(wave)]

    def segments(self) -> tuple[tuple[str, ...], ...]:
        """Return the waves in parts within which the question is the same: the pieces of a line."""
        parts: list[list[str]] = []
        for position, one in enumerate(self.asked):
            if position == 0 or one.comparable != "same":
                parts.append([])
            parts[-1].append(one.wave)
        return tuple(tuple(part) for part in parts)

    def compare(self, first: str, second: str) -> "Comparison":
        """Return how two waves compare: as badly as the worst step between them."""
        places = sorted((self.waves.index(first), self.waves.index(second)))
        steps = [one for one in self.asked[places[0] + 1 : places[1] + 1] if one.comparable != "same"]
        kinds: list[Comparable] = [one.comparable or "same" for one in steps]
        kind = max(kinds, key=ORDER.index) if kinds else "same"
        return Comparison(kind=kind, first=first, second=second, steps=tuple(steps))


class ItemsFile(Entry):
    """The whole of ``items.toml``."""

    items: dict[str, Question] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How two waves of a question compare.

    Parameters
    ----------
    kind
        ``same``, ``similar`` or ``not_comparable``.
    first, second
        The waves.
    steps
        Waves between them at which the question changed.
    """

    kind: Comparable
    first: str
    second: str
    steps: tuple[Asked, ...]

    def reasons(self, language: str) -> list[str]:
        """Return the printed reasons, each with its wave."""
        return [f"{one.wave}: {one.reason[language]}" for one in self.steps if one.reason]


def read_items(folder: Path, file: ProjectFile) -> Mapping[str, Question]:
    """Return what ``items.toml`` says by item, nothing where the file does not exist.

    Raises
    ------
    DataError
        With everything that is wrong with it: unknown items, surveys and waves; a wave twice; a question that is
        declared the same although it differs, or differs without a declaration or a reason; a scale that does not fit
        the item; a mapping that loses a code.
    """
    if not (folder / FILE).exists():
        return {}
    raw, source = read_toml(folder / FILE, FILE)
    declared = validated(ItemsFile, raw, file=FILE, source=source)
    problems: list[Problem] = []
    questions: dict[str, Question] = {}
    for id_, question in declared.items.items():
        if id_ not in file.items:
            guess = nearest(id_, file.items) or next(iter(file.items), "–")
            row = line_of(("items", id_, "asked", 0), source)
            problems.append(Problem("survey_items.unknown_item", file=FILE, row=row, value=id_, nearest=guess))
            continue
        problems += _question_problems(id_, question, file, source)
        questions[id_] = _settled(question)
    if problems:
        raise DataError(*sorted(problems, key=lambda problem: problem.row or 0))
    return questions


def _settled(question: Question) -> Question:
    """Return the question with every step judged: what does not differ is the same."""
    settled = [one if one.comparable else one.model_copy(update={"comparable": "same"}) for one in question.asked]
    return question.model_copy(update={"asked": tuple(settled)})


def _question_problems(id_: str, question: Question, file: ProjectFile, source: str) -> list[Problem]:
    problems: list[Problem] = []
    waves = {wave: name for name, survey in file.surveys.items() for wave in survey.waves}
    seen: set[str] = set()
    for position, one in enumerate(question.asked):
        path = ("items", id_, "asked", position)

        def said(code: str, key: str = "", *, path: Sequence[str | int] = path, **values: Any) -> Problem:
            row = line_of((*path, key) if key else path, source)
            return Problem(f"survey_items.{code}", file=FILE, row=row, item=id_, **values)

        if one.survey not in file.surveys:
            guess = nearest(one.survey, file.surveys) or next(iter(file.surveys), "–")
            problems.append(said("unknown_survey", "survey", value=one.survey, nearest=guess))
        elif waves.get(one.wave) != one.survey:
            known = tuple(file.surveys[one.survey].waves)
            guess = nearest(one.wave, known) or "–"
            problems.append(said("unknown_wave", "wave", value=one.wave, survey=one.survey, nearest=guess))
        if one.wave in seen:
            problems.append(said("wave_twice", "wave", value=one.wave))
        seen.add(one.wave)
        item = file.items[id_]
        if one.points != item.scale and not one.mapping:
            problems.append(said("scale_differs", "scale", points=one.points, scale=item.scale))
        problems += [said(code, "mapping", **values) for code, values in _mapping_faults(one)]
        if position:
            problems += [
                said(code, key, **values) for code, key, values in _step_faults(question.asked[position - 1], one)
            ]
    return problems


def _mapping_faults(one: Asked) -> list[tuple[str, dict[str, Any]]]:
    if not one.mapping:
        return []
    given = [code for codes in one.mapping.values() for code in codes]
    faults: list[tuple[str, dict[str, Any]]] = []
    lost = [code for code in range(1, one.points + 1) if code not in given]
    if lost:
        faults.append(("mapping_loses_code", {"points": one.points, "codes": lost}))
    outside = [code for code in given if not 1 <= code <= one.points]
    if outside:
        faults.append(("mapping_outside", {"points": one.points, "codes": outside}))
    empty = [name for name, codes in one.mapping.items() if not codes]
    if empty:
        faults.append(("mapping_loses_category", {"points": one.points, "categories": empty}))
    return faults


def _step_faults(before: Asked, one: Asked) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what is wrong with how a wave is said to compare with the one before it."""
    changed = [name for name in FEATURES if _plain(getattr(before, name)) != _plain(getattr(one, name))]
    values: dict[str, Any] = {"wave": one.wave, "before": before.wave}
    if changed and one.comparable is None:
        return [("undeclared", "wave", {**values, "features": changed})]
    if changed and one.comparable == "same":
        return [("not_same", "comparable", {**values, "features": changed})]
    if one.comparable in {"similar", "not_comparable"} and not one.reason:
        return [("no_reason", "comparable", {**values, "value": one.comparable})]
    crossed = one.comparable == "similar" and before.points != one.points and set(before.mapping) != set(one.mapping)
    if crossed:
        found = {"first": sorted(before.mapping), "second": sorted(one.mapping)}
        return [("mappings_differ", "mapping", {**values, **found})]
    return []


def _plain(value: Any) -> Any:
    """Return a feature as it is compared: blanks do not matter in words, nor the order of modes."""
    if isinstance(value, str):
        return " ".join(value.split())
    known = tuple(" ".join(word.split()) for word in value)
    return tuple(sorted(known)) if set(known) <= set(SURVEY_MODES) else known


def wave_problems(file: ProjectFile, *, name: str) -> list[Problem]:
    """Return waves that several surveys declare: a wave is the only thing that says whose answers these are."""
    owners: dict[str, list[str]] = {}
    for id_, survey in file.surveys.items():
        for wave in survey.waves:
            owners.setdefault(wave, []).append(id_)
    return [
        Problem("survey_items.wave_in_two", file=name, value=wave, surveys=names)
        for wave, names in owners.items()
        if len(names) > 1
    ]


@dataclass(frozen=True, kw_only=True)
class LatestWave:
    """The last wave of a survey that a year can show.

    Parameters
    ----------
    survey, wave, date
        Of the wave.
    year
        That asks.
    current
        Whether the wave is of that year. If not it is shown with its date, and no new conclusion is drawn from it.
    """

    survey: str
    wave: str
    date: dt.date
    year: int
    current: bool

    def worded(self, language: str) -> str:
        """Return what has to stand beside the numbers, empty where the wave is of the year."""
        from evaluation.texts import text

        if self.current:
            return ""
        return text("survey_items.older_wave", language, year=str(self.year), wave=self.wave, date=self.date)


def latest_wave(project: "Project", year: int, *, survey: str | None = None) -> LatestWave | None:
    """Return the last declared wave of a survey (the first one, if None) up to `year`, None where there is none.

    Raises
    ------
    DataError
        There is no such survey.
    """
    names = list(project.surveys)
    if not names:
        return None
    chosen = survey or names[0]
    if chosen not in project.surveys:
        raise DataError(Problem("survey_items.no_survey", value=chosen, nearest=nearest(chosen, names) or names[0]))
    dates = {wave: dt.date.fromisoformat(one.date) for wave, one in project.surveys[chosen].waves.items()}
    past = {wave: date for wave, date in dates.items() if date.year <= year}
    if not past:
        return None
    wave = max(past, key=lambda name: past[name])
    return LatestWave(survey=chosen, wave=wave, date=past[wave], year=year, current=past[wave].year == year)
