"""How many people of the population have which values: margins of a survey, from project.toml, a file or a table.

What is left out: fitting weights to them (:mod:`evaluation.project.weighting`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.data.contracts import AREAS, RESPONDENTS, Column, Contract
from evaluation.data.convert import convert
from evaluation.data.files import Raw, Source, read_raw
from evaluation.data.matching import match
from evaluation.data.place import Place
from evaluation.data.rules import ROW, Known, validate
from evaluation.errors import DataError, Problem, nearest
from evaluation.project.schema import MarginEntry, ProjectFile, Writing

if TYPE_CHECKING:
    from evaluation.project.folder import Project

PEOPLE = Column(
    name="people",
    kind="float",
    label={"de": "Personen", "en": "People"},
    example="1200",
    minimum=0,
    also=("Einwohner", "Inhabitants", "Anzahl", "Number"),
)
WAVE = replace(RESPONDENTS.column("wave"), required=False)
OF_AREAS = ("area", "district", "precinct")
Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Population:
    """The people of one margin in one wave.

    Parameters
    ----------
    by
        Columns.
    people
        Number of people by values of `by`, as text.
    year
        Of the table of inhabitants, where it is another one than that of the wave.
    """

    by: tuple[str, ...]
    people: Mapping[Key, float] = field(default_factory=dict)
    year: int | None = None

    @property
    def name(self) -> str:
        """Columns, joined by ``:``."""
        return ":".join(self.by)


def entry_problems(file: ProjectFile, *, name: str) -> list[Problem]:
    """Return margins that do not say in exactly one way where their people are, or in a way that does not fit."""
    problems = []
    for survey, one in file.surveys.items():
        for margin in one.weighting.margins:
            values: dict[str, Any] = {"file": name, "survey": survey, "columns": margin.by}
            if sum((bool(margin.people), margin.file is not None, margin.table is not None)) != 1:
                problems.append(Problem("survey_plan.margin_source", **values))
            elif margin.people and len(margin.by) > 1:
                problems.append(Problem("survey_plan.margin_people", **values))
            elif margin.table is not None and (len(margin.by) > 1 or margin.by[0] not in OF_AREAS):
                problems.append(Problem("survey_plan.margin_table", **values, valid=OF_AREAS))
        named = [margin.by for margin in one.weighting.margins]
        twice = dict.fromkeys(by for by in named if named.count(by) > 1)
        problems += [Problem("survey_plan.margin_twice", file=name, survey=survey, columns=by) for by in twice]
        if one.weighting.method == "post_stratification" and len(one.weighting.margins) > 1:
            number = len(one.weighting.margins)
            problems.append(Problem("survey_plan.one_margin", file=name, survey=survey, n=number))
    return problems


def population(project: "Project", margin: MarginEntry, wave: str, day: dt.date | None) -> Population:
    """Return the people of a margin at a wave; `day` is that of the wave.

    Raises
    ------
    DataError
        The file is faulty or says nothing about the wave; there are no inhabitants.
    """
    if margin.people:
        return Population(by=margin.by, people={(value,): number for value, number in margin.people.items()})
    if margin.table is not None:
        return _inhabitants(project, margin, day)
    frame = _read(project, margin)
    if WAVE.name in frame:
        waves = sorted(frame[WAVE.name].unique())
        frame = frame[frame[WAVE.name] == wave]
        if frame.empty:
            guess = nearest(wave, waves) or waves[0]
            raise DataError(Problem("survey_plan.margin_wave", file=margin.file, wave=wave, nearest=guess))
    keys = zip(*(frame[column] for column in margin.by), strict=True)
    return Population(by=margin.by, people=dict(zip(keys, frame[PEOPLE.name].tolist(), strict=True)))


def _inhabitants(project: "Project", margin: MarginEntry, day: dt.date | None) -> Population:
    """Return inhabitants of the year of the wave, else of the last year before it, else of the first one."""
    frame, column = project.table("inhabitants"), margin.by[0]
    years = sorted(frame["year"].unique().tolist())
    wanted = years[-1] if day is None else day.year
    year = max((one for one in years if one <= wanted), default=years[0])
    frame = frame[frame["year"] == year]
    if column != "area":
        areas = project.table("areas")
        if column not in areas:
            raise DataError(Problem("survey_plan.no_level", table="areas", value=column))
        frame = frame.merge(areas[["area", column]], on="area", how="left", validate="many_to_one")
    people = frame.groupby(column)["inhabitants"].sum()
    return Population(
        by=margin.by,
        people={(str(value),): float(number) for value, number in people.items()},
        year=None if year == wanted else year,
    )


def _read(project: "Project", margin: MarginEntry) -> pd.DataFrame:
    """Return the file of a margin, read once: its columns, ``people``, and ``wave`` where it has one."""
    key = f"margin {margin.file} {' '.join(margin.by)}"
    if key not in project._kept:
        file = str(margin.file)
        written = margin.model_dump(include=set(Writing.model_fields), exclude_unset=True)
        source = Source(table="", path=project.folder / file, file=file, **written)
        project._kept[key] = _checked(source, margin.by)
    found: pd.DataFrame = project._kept[key]
    return found


def _checked(source: Source, by: Sequence[str]) -> pd.DataFrame:
    wave = () if WAVE.name in by else (WAVE,)
    columns = (*(_column(name) for name in by), PEOPLE, *wave)
    raw = read_raw(source, [heading for column in columns for heading in column.headings()])
    if raw.frame.empty:
        problems = raw.problems or [Problem("data.empty_table", file=source.file)]
        raise DataError(*(_of_file(problem, raw) for problem in problems))
    nameless = Place(table="", file=source.file)
    matched = match(raw.headings, columns, nameless, declared=source.columns, ignored=source.ignore)
    place = replace(nameless, headings={name: raw.headings[at] for name, at in matched.positions.items()})
    named = raw.frame[list(matched.positions.values())].set_axis(list(matched.positions), axis=1)
    made = convert(named, columns, place, decimal=source.decimal)
    key = tuple(name for name in (*by, *(column.name for column in wave)) if name in made.frame)
    contract = Contract(name="", label={}, columns=columns, key=key)
    known = Known(areas=None, today=dt.date.today(), failed=made.failed)
    numbered = made.frame.assign(**{ROW: made.frame.index.astype("int64")})
    problems = [*raw.problems, *matched.problems, *made.problems]
    problems += validate(numbered, contract, columns, place, known)
    if problems:
        raise DataError(*(_of_file(problem, raw) for problem in problems))
    return made.frame


def _column(name: str) -> Column:
    """Return a column of the margin: that of the respondents or areas, where there is one of this name."""
    for contract in (RESPONDENTS, AREAS):
        if name in contract.names:
            return replace(contract.column(name), required=True, nullable=False, refers=None)
    return Column(name=name, kind="text", label=dict.fromkeys(("de", "en"), name), example="")


def _of_file(problem: Problem, raw: Raw) -> Problem:
    """Return a problem of a file that is no table of the project."""
    values: dict[str, Any] = {
        "file": problem.file,
        "row": problem.row,
        "column": problem.column,
        "value": problem.value,
    }
    if problem.code in {"data.missing_column", "data.missing_column_like"}:
        name, label = problem.values["name"], problem.values["label"]
        headings = [heading for heading in raw.headings if heading.strip()]
        return Problem("survey_plan.margin_column", **values, name=name, label=label, headings=headings)
    return Problem(problem.code, **values, **problem.values)  # type: ignore[arg-type]
