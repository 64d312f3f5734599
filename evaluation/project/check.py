"""The check of a whole project: every declared table, the polygons, the register, the studies, then the answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.agreement.dose import unknown_deployments
from evaluation.data.audit import Break, audit
from evaluation.data.check import Check
from evaluation.data.contracts import CONTRACTS
from evaluation.errors import DesignError, EvaluationError, Problem, nearest
from evaluation.project import counting
from evaluation.project.answers import answers
from evaluation.project.folder import FILE, open_project
from evaluation.project.prospects import LATER
from evaluation.project.sources import entry_of
from evaluation.project.studies import unknown_names
from evaluation.project.surveys import OTHER_SURVEYS, column_problems, design_problems, with_answers
from evaluation.texts import text

if TYPE_CHECKING:
    from evaluation.project.folder import Project
    from evaluation.sample import Sample

MOST_BREAKS = 10
TABLES_OF_RESULTS = ("counts", "incidents", "respondents")


@dataclass
class _Findings:
    """Problems and remarks as they are found."""

    problems: list[Problem] = field(default_factory=list)
    detected: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def attempt(self, step: Callable[[], object]) -> bool:
        """Do a step and keep its problems; tell whether it went well."""
        try:
            step()
        except EvaluationError as error:
            self.problems += [problem for problem in error.problems if problem not in self.problems]
            return False
        return True


def check_folder(folder: str | Path, *, year: int | None = None, language: str | None = None) -> Check:
    """Check a project folder, also one whose ``project.toml`` is faulty.

    Parameters
    ----------
    folder
        The folder.
    year
        Last year that is seen.
    language
        Of the check; the project's own language without it, German where that cannot be read.
    """
    try:
        project = open_project(folder, year=year)
    except EvaluationError as error:
        return Check(language=language or "de", problems=error.problems)
    return check(project, language or project.language)


def check(project: "Project", language: str, *, answered: bool = True) -> Check:
    """Return everything that is wrong, recognised or worth knowing in a project, and what it answers if `answered`."""
    found = _Findings()
    tables = [table for table in CONTRACTS if project.has(table)]
    if "areas" not in tables:
        found.problems.append(Problem("data.no_areas", file=FILE))
    good = [table for table in tables if _table(project, table, found)]
    if "areas" in good:
        found.attempt(project.geometry)
    else:
        good = []  # nothing can be looked up in tables whose areas are not known
    register = found.attempt(lambda: project.agreement)
    declared = found.attempt(lambda: project.study_files)
    found.attempt(lambda: project.questions)
    if register and "deployments" in good:
        found.problems += unknown_deployments(project.agreement, project.table("deployments"))
    if "events" in good:
        found.problems += _event_problems(project)
    if "areas" in good and project.has("respondents"):
        _survey(project, found, language, sound="respondents" in good)
    if set(tables) == set(good):
        _outcomes(project, found)
        if answered:
            found.notes += break_notes(project, language)
        if register and declared:
            _studies(project, found, tried=answered)
        found.problems += year_problems(project, good)
    elif register and declared:
        found.problems += _wrong_names(project, good)
    able = answered and register and declared and "areas" in good
    told = answers(project, language, good, said=found.problems) if able else ()
    return Check(
        language=language,
        problems=tuple(found.problems),
        detected=tuple(found.detected),
        notes=tuple(found.notes),
        answers=tuple(told),
    )


def _wrong_names(project: "Project", good: list[str]) -> list[Problem]:
    """Return what studies name that does not exist, as far as that can be told beside faulty tables."""
    if "events" not in good and project.has("events"):
        return []
    studies = project.study_files.values()
    return [problem for file in studies for problem in unknown_names(project, file.study, file.file)]


def _table(project: "Project", table: str, found: _Findings) -> bool:
    delivery = project.delivery(table)
    found.problems += delivery.problems
    found.detected += delivery.detected
    found.notes += delivery.notes
    return not delivery.problems


def _survey(project: "Project", found: _Findings, language: str, *, sound: bool) -> None:
    """Look at the design and the weights of every survey that has answers, also where the file has other faults."""
    if not sound:
        found.problems += [p for p in design_problems(project) if p not in found.problems]
        return
    found.problems += column_problems(project)
    for survey in with_answers(project):
        made: list[Sample] = []
        if found.attempt(lambda id_=survey, made=made: made.append(project.sample(survey=id_))):  # type: ignore[misc]
            found.notes += [
                Problem("survey_plan.remark", table="respondents", words=text(code, language, **values))
                for code, values in made[0].plan.remarks
                if code != OTHER_SURVEYS
            ]


def _outcomes(project: "Project", found: _Findings) -> None:
    """Count every outcome once: which categories are not there, which periods are gaps."""
    for name, outcome in project.outcomes.items():
        if not project.has(outcome.table):
            continue
        try:
            found.notes += [note for note in counting.counts(project, name).notes if note not in found.notes]
        except EvaluationError as error:
            found.problems += [problem for problem in error.problems if problem not in found.problems]


def break_notes(project: "Project", language: str, *, most: int = MOST_BREAKS) -> list[Problem]:
    """Return the strongest breaks in the yearly counts of the outcomes as remarks, and how many more there are."""
    found: list[Break] = []
    for name, outcome in project.outcomes.items():
        try:
            if project.has(outcome.table):
                found += audit(counting.counts(project, name).frame, outcome=name)
        except EvaluationError:
            continue  # said where the outcome was counted
    found.sort(key=lambda change: -abs(change.score))
    areas = project.table("areas").set_index("area")["name"]
    names = {key: f"{key} {name}" for key, name in areas.items()}
    notes = []
    for change in found[:most]:
        outcome = project.outcomes[change.outcome]
        words = change.worded(language, areas=names, title=outcome.title[language])
        notes.append(Problem("data.note_break", table=outcome.table, words=words))
    if len(found) > most:
        notes.append(Problem("data.note_more_breaks", n=len(found) - most))
    return notes


def _studies(project: "Project", found: _Findings, *, tried: bool) -> None:
    """Declare every study and build its estimators; if `tried`, also its panel: what later data mend is no problem."""
    for name in project.studies:
        found.attempt(lambda name=name: project.method(name))  # type: ignore[misc]
        found.attempt(lambda name=name: project.sensitivities(name))  # type: ignore[misc]
        study = project.study_files[name].study
        if found.attempt(lambda name=name: project.study(name)) and project.has("inhabitants"):  # type: ignore[misc]
            found.notes += _carried(project, study.outcome, study.unit, found)
            if tried:
                found.problems += [p for p in _panel_problems(project, name) if p not in found.problems]


def _panel_problems(project: "Project", name: str) -> list[Problem]:
    """Return why a study is impossible with these data: no earlier period, nobody to compare with."""
    try:
        project.panel(name)
    except DesignError as error:
        return [problem for problem in error.problems if problem.code not in LATER]
    except EvaluationError:
        return []  # said where the outcome was counted
    return []


def _carried(project: "Project", outcome: str, unit: str, found: _Findings) -> Iterable[Problem]:
    try:
        periods = counting.counts(project, outcome, unit=unit).frame["period"].unique().tolist()
        _, notes = counting.exposure(project, unit, periods)
    except EvaluationError:
        return []  # said where the outcome was counted
    return [note for note in notes if note not in found.notes]


def _event_problems(project: "Project") -> list[Problem]:
    """Return outcomes that events name and the project does not have."""
    valid = [*project.outcomes, *project.items]
    entry = entry_of(project.folder, project.file, "events")
    file = entry.files[0] if entry else None
    return [
        Problem(
            "data.event_outcome",
            table="events",
            file=file,
            value=name,
            event=event.id,
            nearest=nearest(name, valid) or "–",
        )
        for event in project.events
        for name in event.outcomes
        if name not in valid
    ]


def year_problems(project: "Project", good: Iterable[str] = TABLES_OF_RESULTS) -> list[Problem]:
    """Return a problem if none of the tables `good` with cases or answers has a row in the year of the project."""
    if project.year is None:
        return []
    years: set[int] = set()
    for table in (table for table in good if table in TABLES_OF_RESULTS and project.has(table)):
        years |= data_years(project, table)
    if not years or project.year in years:
        return []
    return [Problem("data.year_without_data", value=project.year, first=str(min(years)), last=str(max(years)))]


def data_years(project: "Project", table: str) -> set[int]:
    """Return the years for which a table has rows, up to the year of the project."""
    if table == "respondents":
        from evaluation.project.surveys import wave_dates
        from evaluation.project.years import wave_year

        dates = wave_dates(project)
        return {wave_year(wave, dates) for wave in project.table(table)["wave"].unique()} - {0}
    if table == "counts":
        return {int(period[:4]) for period in project.table(table)["period"].unique()}
    if table == "inhabitants":
        return set(project.table(table)["year"].unique().tolist())
    return counting.incident_years(project)
