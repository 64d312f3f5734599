"""Further columns of a panel that the estimators of a study ask for: other outcomes, doses, inhabitants, attributes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.agreement.dose import dose_by_area
from evaluation.errors import DataError, DesignError, Problem, nearest
from evaluation.project.schema import MethodEntry, StudyFile
from evaluation.study import Study

if TYPE_CHECKING:
    from evaluation.project.folder import Project

DOSES = ("hours", "joint_hours", "person_hours", "deployments")


def asked_for(methods: Iterable[MethodEntry]) -> tuple[str, ...]:
    """Return the names of the columns that estimators name in their options, each once."""
    names: list[str] = []
    for method in methods:
        for option in ("against", "dose", "covariates"):
            given = method.options.get(option, ())
            names += [given] if isinstance(given, str) else [name for name in given if isinstance(name, str)]
    return tuple(dict.fromkeys(names))


def with_columns(project: "Project", study: Study, file: StudyFile, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame of a panel with the columns that the methods of its study ask for.

    Parameters
    ----------
    frame
        ``unit``, ``period`` and more.

    Returns
    -------
    pandas.DataFrame
        With a column for each name: the cases of an outcome; ``hours``, ``joint_hours``, ``person_hours`` or
        ``deployments`` of the measure; ``inhabitants``; or a column of numbers of the table of areas.

    Raises
    ------
    DesignError
        With every name that is none of these.
    """
    problems: list[Problem] = []
    for name in asked_for((file.method, *file.sensitivity)):
        try:
            found = _column(project, study, name, frame)
        except DataError as error:
            problems += error.problems
            continue
        if found is None:
            valid = _valid(project, study)
            guess = nearest(name, valid) or "–"
            problems.append(
                Problem("data.study_column", file=file.file, study=study.id, value=name, nearest=guess, valid=valid)
            )
        else:
            on = [key for key in ("unit", "period") if key in found]
            frame = frame.merge(found, on=on, how="left", validate="many_to_one")
            if name in DOSES:
                frame[name] = frame[name].fillna(0.0)  # no deployment is none of the measure
    if problems:
        raise DesignError(*problems)
    return frame


def _column(project: "Project", study: Study, name: str, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return ``unit``, ``period`` (unless the same in all) and the column; None for a name that says nothing."""
    from evaluation.project import counting

    if name in project.outcomes:
        counted = counting.counts(project, name, period=study.period, unit=study.unit).frame
        counted[name] = counted["count"].astype("Float64").astype("float64")
        return counted[["unit", "period", name]]
    if name in _doses(project, study):
        return _dose(project, study, name)
    if name == "inhabitants" and project.has("inhabitants"):
        people, _ = counting.exposure(project, study.unit, frame["period"].unique().tolist())
        return people.rename(columns={"exposure": name})
    if name in _attributes(project, study):
        return project.table("areas")[["area", name]].rename(columns={"area": "unit"})
    return None


def _dose(project: "Project", study: Study, name: str) -> pd.DataFrame:
    from evaluation.project import counting

    doses = dose_by_area(project.table("deployments"), str(study.measure), period=study.period)
    belongs = counting.units_of(project, study.unit)
    doses["unit"] = doses["area"].map(belongs) if study.unit != "area" else doses["area"]
    return doses.groupby(["unit", "period"], as_index=False)[name].sum()


def _doses(project: "Project", study: Study) -> tuple[str, ...]:
    return DOSES if study.measure is not None and project.has("deployments") else ()


def _attributes(project: "Project", study: Study) -> list[str]:
    areas = project.table("areas")
    return [name for name in areas.columns if study.unit == "area" and areas[name].dtype.kind in "biuf"]


def _valid(project: "Project", study: Study) -> tuple[str, ...]:
    people = ("inhabitants",) if project.has("inhabitants") else ()
    return (*project.outcomes, *_doses(project, study), *people, *_attributes(project, study))
