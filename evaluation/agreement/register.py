"""The register: every measure of the agreement with its parts, indicators, areas, outcomes and yearly revisions.

Values only, read from ``agreement.toml``; nothing here looks at data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from evaluation.agreement.vocabulary import STANDARD_MEASURES

Words = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Body:
    """One name of a body that leads measures, and the time in which it bears that name.

    Parameters
    ----------
    id
        Stays the same when the body is renamed; several `Body` values with one id are its names one after the other.
    title
        Name by language.
    since, until
        First and last period of the name; None where it is open. In the file the keys are ``from`` and ``until``.
    """

    id: str
    title: Words
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One number that says how much of a part there was (output), or what came of it (outcome).

    Parameters
    ----------
    id
        Short name, unique within the part.
    title
        By language.
    unit
        One of :data:`~evaluation.agreement.vocabulary.UNITS`.
    table
        Table of the project from which the number comes.
    calculation
        How it is computed from the deployments, one of :data:`~evaluation.agreement.dose.CALCULATIONS`.
    scope
        Whether the rows of the part, of the measure or of all measures count.
    role
        ``output`` or ``outcome``.
    planned
        Agreed dose by year, in `unit`.
    """

    id: str
    title: Words
    unit: str
    table: str
    calculation: str | None = None
    scope: str = "part"
    role: str = "output"
    planned: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a measure that is judged by its own indicators."""

    id: str
    title: Words
    indicators: Mapping[str, Indicator]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What was changed in the agreement in one year."""

    year: int
    text: Words


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One row of the register.

    Parameters
    ----------
    id
        Letter of the chapter and number, ``"A2"``.
    title
        By language; the German one in the words of the agreement.
    kind
        ``effect`` (a causal question is asked), ``process`` (implementation is judged) or ``cost``.
    lead
        Ids of the bodies that lead it.
    since
        First period under the agreement; None while it is not known.
    existed_before
        Whether there was the like before the agreement. If so, only the effect of the increase can be seen.
    baseline_dose
        Earlier dose per year, in the unit of the first indicator; None if unknown.
    parts
        By id, in the order of the agreement.
    areas
        Start by area, ``{"20": "2023-01"}``; empty where the whole city has the measure or it is not known.
    outcomes
        Names of the project's outcomes and survey items that the measure is meant to change.
    revisions
        Changes of the agreement, oldest first.
    """

    id: str
    title: Words
    kind: str
    parts: Mapping[str, Part]
    lead: tuple[str, ...] = ()
    since: str | None = None
    existed_before: Literal[True, False, "unknown"] = "unknown"
    baseline_dose: float | None = None
    areas: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ()
    revisions: tuple[Revision, ...] = ()

    @property
    def chapter(self) -> str:
        """Letter of the chapter."""
        return self.id[:1]

    @property
    def indicators(self) -> tuple[tuple[Part, Indicator], ...]:
        """All indicators with their part, in the order of the register."""
        return tuple((part, indicator) for part in self.parts.values() for indicator in part.indicators.values())

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that the indicators come from, each once."""
        return tuple(dict.fromkeys(indicator.table for _, indicator in self.indicators))

    @property
    def earlier_dose_unknown(self) -> bool:
        """Whether nobody wrote down how much of the measure there was before the agreement."""
        return self.existed_before == "unknown" or (self.existed_before is True and self.baseline_dose is None)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The whole register.

    Examples
    --------
    >>> agreement = template_agreement()
    >>> agreement.measures["A5"].title["de"]
    'Verkehrsüberwachung als gleichberechtigte Aufgabe'
    >>> len(agreement.measures), agreement.absent
    (20, ())
    """

    title: Words
    measures: Mapping[str, Measure]
    chapters: Mapping[str, Words] = field(default_factory=dict)
    bodies: tuple[Body, ...] = ()
    signed: str | None = None
    since: str | None = None
    note: Words = field(default_factory=dict)

    @property
    def absent(self) -> tuple[str, ...]:
        """Measures of the agreement of December 2018 that this register does not have: a note, no error."""
        return tuple(measure for measure in STANDARD_MEASURES if measure not in self.measures)

    def body_name(self, body: str, language: str, *, year: int) -> str:
        """Return the name that a body bore at the end of `year`; its nearest name where none covers that time."""
        names = [name for name in self.bodies if name.id == body]
        begun = [name for name in names if name.since is None or int(name.since[:4]) <= year]
        latest = max(begun or names, key=lambda name: name.since or "")
        return latest.title[language]

    def as_of(self, year: int) -> "Agreement":
        """Return the register as it was known at the end of `year`: with the plan for the next year, nothing later.

        Examples
        --------
        >>> template_agreement().as_of(2020).measures["A2"].revisions
        ()
        """
        return replace(self, measures={key: _measure_as_of(measure, year) for key, measure in self.measures.items()})


def _measure_as_of(measure: Measure, year: int) -> Measure:
    def planned(indicator: Indicator) -> Indicator:
        known = {when: dose for when, dose in indicator.planned.items() if when <= year + 1}
        return replace(indicator, planned=known)

    parts = {
        key: replace(part, indicators={name: planned(indicator) for name, indicator in part.indicators.items()})
        for key, part in measure.parts.items()
    }
    return replace(
        measure,
        parts=parts,
        areas={area: start for area, start in measure.areas.items() if int(start[:4]) <= year},
        revisions=tuple(revision for revision in measure.revisions if revision.year <= year),
    )


def load_agreement(
    path: Path | str, *, areas: Sequence[str] | None = None, outcomes: Sequence[str] | None = None
) -> Agreement:
    """Read ``agreement.toml`` and check all of it.

    Parameters
    ----------
    path
        The file.
    areas
        Keys of the areas of the project; None if they are not known, then areas are not checked.
    outcomes
        Names of the outcomes and survey items of the project; None as with `areas`.

    Raises
    ------
    DataError
        With every problem of the file: place, measure, key, value and the nearest valid value.
    """
    from evaluation.agreement.reading import read_agreement

    path = Path(path)
    return read_agreement(path, areas=areas, outcomes=outcomes)


def template_text() -> str:
    """Return the register that a new project starts with: all measures, no areas, no planned numbers."""
    return files(__package__).joinpath("template.toml").read_text(encoding="utf-8")


@cache
def template_agreement() -> Agreement:
    """Return the register of :func:`template_text` as values."""
    from evaluation.agreement.reading import parse_agreement

    return parse_agreement(template_text(), file="template.toml")
