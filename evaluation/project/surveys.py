"""The survey of a project: its items as columns, its waves with their days, and a wave as a sample."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.data.contracts import RESPONDENTS, Column
from evaluation.data.readers import Delivery
from evaluation.errors import DataError, Problem, nearest
from evaluation.project.sources import entry_of
from evaluation.survey_design import SurveyDesign

if TYPE_CHECKING:
    from evaluation.project.folder import Project
    from evaluation.sample import Sample


def columns(project: "Project") -> tuple[Column, ...]:
    """Return the columns of the items: whole numbers, empty where nobody answered.

    Of several files, such as those of several surveys, each has its own questions.
    """
    known = set(RESPONDENTS.names)
    named = {item.column: item for item in project.items.values() if item.column not in known}
    entry = entry_of(project.folder, project.file, "respondents")
    one = entry is None or len(entry.writings()) < 2
    label = {name: dict.fromkeys(("de", "en"), name) for name in named}
    return tuple(
        Column(name=name, kind="int", label=label[name], example="2", nullable=True, required=one) for name in named
    )


def column_problems(project: "Project") -> list[Problem]:
    """Return the items whose column none of several files has."""
    frame = project.table("respondents")
    return [
        Problem("survey_items.no_column", table="respondents", column=item.column, item=id_)
        for id_, item in project.items.items()
        if item.column not in frame
    ]


def wave_dates(project: "Project") -> Mapping[str, dt.date]:
    """Return the declared day of each wave."""
    return {
        id_: dt.date.fromisoformat(wave.date)
        for survey in project.surveys.values()
        for id_, wave in survey.waves.items()
    }


def finished(project: "Project", delivery: Delivery, file: str) -> Delivery:
    """Return respondents whose answers fit their items, codes for "no answer" missing; or the problems."""
    if delivery.problems:
        return delivery
    problems = tuple(survey_problems(project, delivery.frame, file))
    return replace(delivery, frame=without_no_answers(project, delivery.frame), problems=problems)


def survey_problems(project: "Project", frame: pd.DataFrame, file: str) -> list[Problem]:
    """Return answers outside the scale of their item, and waves that no survey declares."""
    problems = []
    for item in project.items.values():
        if item.column not in frame:
            continue
        given = frame[item.column]
        allowed = [*range(1, item.scale + 1), *item.no_answer]
        wrong = given[given.notna() & ~given.isin(allowed)]
        for code, rows in wrong.groupby(wrong).groups.items():
            problems.append(
                Problem(
                    "data.item_code",
                    table="respondents",
                    file=file,
                    row=int(rows[0]),
                    column=item.column,
                    value=code,
                    n=len(rows),
                    scale=item.scale,
                )
            )
    declared = [wave for survey in project.surveys.values() for wave in survey.waves]
    if declared:
        for wave, rows in frame.groupby("wave").groups.items():
            if wave not in declared:
                guess = nearest(wave, declared) or declared[0]
                problems.append(
                    Problem(
                        "data.unknown_wave",
                        table="respondents",
                        file=file,
                        row=int(rows[0]),
                        value=wave,
                        n=len(rows),
                        nearest=guess,
                    )
                )
    return problems


def without_no_answers(project: "Project", frame: pd.DataFrame) -> pd.DataFrame:
    """Return respondents with the codes for "no answer" as missing."""
    codes = {item.column: list(item.no_answer) for item in project.items.values() if item.no_answer}
    changed = {name: frame[name].mask(frame[name].isin(said)) for name, said in codes.items() if name in frame}
    return frame.assign(**changed)


def sample(project: "Project", wave: str | None, survey: str | None = None) -> "Sample":
    """Return the respondents of one wave, or of all waves of one survey, with their design."""
    import evaluation  # the layer above, loaded by its public name

    frame = project.table("respondents")
    waves = sorted(frame["wave"].unique())
    if wave is not None and wave not in waves:
        raise DataError(Problem("data.no_wave", value=wave, waves=waves, nearest=nearest(wave, waves) or "–"))
    id_, apart = _chosen(project, wave, survey)
    if wave is not None:
        frame = frame[frame["wave"] == wave].reset_index(drop=True)
    elif apart:
        frame = frame[frame["wave"].isin(list(project.surveys[id_].waves))].reset_index(drop=True)
    if project.has("areas"):
        areas = project.table("areas")
        above = [name for name in ("district", "precinct") if name in areas and name not in frame]
        frame = frame.merge(areas[["area", *above]], on="area", how="left", validate="many_to_one")
    several = wave is None and len(frame["wave"].unique()) > 1
    made = evaluation.Sample(frame, design_of(project, frame, several=several, survey=id_))
    if not apart or survey is not None or wave is not None:
        return made
    remark = ("survey_items.note.other_surveys", {"survey": id_, "others": apart})
    return replace(made, shared=replace(made.plan, remarks=(*made.plan.remarks, remark)))


def _chosen(project: "Project", wave: str | None, survey: str | None) -> tuple[str, list[str]]:
    """Return the survey that is meant, and those that are not."""
    names = list(project.surveys)
    if survey is not None and survey not in names:
        guess = nearest(survey, names) or next(iter(names), "–")
        raise DataError(Problem("survey_items.no_survey", value=survey, nearest=guess))
    owner = next((name for name, one in project.surveys.items() if wave in one.waves), None)
    if survey is not None and wave is not None and owner != survey:
        known = tuple(project.surveys[survey].waves)
        guess = nearest(wave, known) or "–"
        raise DataError(Problem("data.no_wave", value=wave, waves=known, nearest=guess))
    chosen = survey or owner or next(iter(names), "")
    return chosen, [name for name in names if name != chosen]


def design_of(project: "Project", frame: pd.DataFrame, *, several: bool, survey: str = "") -> SurveyDesign:
    """Return the declared design of a survey (the first one, if empty); units of the contract count where given."""
    id_ = survey or next(iter(project.surveys), "")
    given = project.surveys[id_].design.model_dump() if id_ in project.surveys else {}
    if given.get("psu") is None and "psu" in frame and frame["psu"].notna().all():
        given["psu"] = "psu"
    return SurveyDesign(**given, wave="wave" if several else None, id=id_)
