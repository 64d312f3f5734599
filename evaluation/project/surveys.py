"""The survey of a project: its items as columns, its waves with their days, and a wave as a sample."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.data.contracts import RESPONDENTS, Column, Kind
from evaluation.data.place import Place
from evaluation.data.readers import Delivery
from evaluation.errors import DataError, DesignError, Problem, nearest
from evaluation.project.schema import Survey
from evaluation.project.sources import entry_of
from evaluation.project.weighting import fit_problems, weighted
from evaluation.survey_design import SurveyDesign, as_columns

if TYPE_CHECKING:
    from evaluation.project.folder import Project
    from evaluation.sample import Sample

OTHER_SURVEYS = "survey_items.note.other_surveys"


def columns(project: "Project") -> tuple[Column, ...]:
    """Return the columns of items, designs and weights that the contract does not have.

    Items are whole numbers, empty where nobody answered. Of several files, such as those of several surveys, each has
    its own columns.
    """
    entry = entry_of(project.folder, project.file, "respondents")
    one = entry is None or len(entry.writings()) < 2
    kinds: dict[str, tuple[Kind, bool]] = {item.column: ("int", one) for item in project.items.values()}
    alone = one and len(project.surveys) < 2
    for survey in project.surveys.values():
        kinds = _design_columns(survey, required=alone) | kinds
    known = {*RESPONDENTS.names, "district", "precinct"}
    return tuple(
        Column(
            name=name,
            kind=kind,
            label=dict.fromkeys(("de", "en"), name),
            example="2",
            nullable=True,
            required=required,
            also=_padded(name),
        )
        for name, (kind, required) in kinds.items()
        if name not in known
    )


def _design_columns(survey: Survey, *, required: bool) -> dict[str, tuple[Kind, bool]]:
    """Return kind, and whether the file must have it, of every column that design and weights of a survey name."""
    design, plan = survey.design, survey.weighting
    found: dict[str, tuple[Kind, bool]] = {}
    found |= dict.fromkeys((*as_columns(design.strata), *as_columns(design.psu)), ("text", required))
    found |= dict.fromkeys((*as_columns(design.fpc), design.weights), ("float", required))
    found |= dict.fromkeys((column for margin in plan.margins for column in margin.by), ("text", False))
    if plan.response is not None:
        found |= dict.fromkeys(plan.response.by, ("text", False))
        found[plan.response.answered] = ("bool", False)
    if design.replicates is not None:
        # One column more than declared: if the file has it, there are too many.
        more = f"{design.replicates.columns}{design.replicates.number + 1}"
        found |= dict.fromkeys((*design.replicates.names, more), ("float", False))
    return found


def _padded(name: str) -> tuple[str, ...]:
    """Return how files write a numbered column besides: ``rw_7``, ``rw07``, ``rw_07``, ``rw007``, ``rw_007``."""
    numbered = re.fullmatch(r"(.*?)(\d+)", name)
    if not numbered:
        return ()
    start, number = numbered[1], int(numbered[2])
    return tuple(f"{start}{mark}{number:0{width}}" for width in (1, 2, 3, 4) for mark in ("", "_"))


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
    if delivery.frame.empty:
        return delivery
    problems = (*_weights_by_wave(delivery, file), *survey_problems(project, delivery.frame, file))
    return replace(delivery, frame=without_no_answers(project, delivery.frame), problems=problems)


def _weights_by_wave(delivery: Delivery, file: str) -> tuple[Problem, ...]:
    """Return the problems of a file, one for each wave without any weight in place of one for each of its people."""
    missing = [problem for problem in delivery.problems if problem.code == "data.weight_missing"]
    if not missing or "wave" not in delivery.frame:
        return delivery.problems
    column, weights = missing[0].column, delivery.frame["weight"]
    people = delivery.frame.groupby("wave")["weight"].agg(["size", "count"])
    without = people.index[people["count"] == 0]
    if not len(without):
        return delivery.problems
    n = int(weights.isna().sum())
    more = {("data.more_rows", column, n)}
    kept = [
        problem
        for problem in delivery.problems
        if problem not in missing and (problem.code, problem.column, problem.values.get("total")) not in more
    ]
    waves = [
        Problem(
            "survey_weights.wave_without",
            table="respondents",
            file=file,
            column=column,
            wave=wave,
            n=int(people.loc[wave, "size"]),
        )
        for wave in without
    ]
    left = weights[weights.isna() & ~delivery.frame["wave"].isin(without)]
    place = Place(table="respondents", file=file, headings={"weight": str(column)})
    shown = {int(row): None for row in left.index}
    return (*kept, *waves, *place.listed("data.weight_missing", "weight", shown, len(left)))


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
    if declared and "wave" in frame:
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
    """Return the respondents of one wave, or of all waves of one survey, with their design and fitted weights."""
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
    frame = _with_levels(project, frame)
    several = wave is None and len(frame["wave"].unique()) > 1
    problems = fit_problems(project, frame, id_)
    try:
        made = evaluation.Sample(frame, design_of(project, frame, several=several, survey=id_))
    except DesignError as error:
        raise DesignError(*error.problems, *problems) from None
    if problems:
        raise DesignError(*problems)
    made = weighted(project, made, id_)
    if not apart or survey is not None or wave is not None:
        return made
    remark = (OTHER_SURVEYS, {"survey": id_, "others": apart})
    return replace(made, shared=replace(made.plan, remarks=(*made.plan.remarks, remark)))


def with_answers(project: "Project") -> tuple[str, ...]:
    """Return the surveys of which there is a wave."""
    waves = set(project.table("respondents")["wave"])
    return tuple(id_ for id_, survey in project.surveys.items() if not survey.waves or waves & set(survey.waves))


def design_problems(project: "Project") -> list[Problem]:
    """Return what is wrong with designs and weights besides the faults of the file itself, as far as it can be read."""
    import evaluation  # the layer above, loaded by its public name

    frame = project.delivery("respondents").frame
    if not {"wave", "area"} <= set(frame):
        return []
    frame = _with_levels(project, frame.dropna(subset=["wave"]).reset_index(drop=True))
    problems: list[Problem] = []
    for id_, survey in project.surveys.items():
        part = frame[frame["wave"].isin(list(survey.waves))].reset_index(drop=True)
        if part.empty:
            continue
        several = len(part["wave"].unique()) > 1
        design = replace(design_of(project, part, several=several, survey=id_), weights=None)
        if set(design.columns) <= set(part) and not part[list(design.columns)].isna().any(axis=None):
            try:
                evaluation.Sample(part, design)
            except DesignError as error:
                problems += error.problems
        problems += fit_problems(project, part, id_)
    return problems


def _with_levels(project: "Project", frame: pd.DataFrame) -> pd.DataFrame:
    """Return respondents with district and precinct of their area, as far as the table of areas has them."""
    if not project.has("areas"):
        return frame
    areas = project.table("areas")
    above = [name for name in ("district", "precinct") if name in areas and name not in frame]
    return frame.merge(areas[["area", *above]], on="area", how="left", validate="many_to_one")


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
    given = project.surveys[id_].design.model_dump(exclude={"replicates"}) if id_ in project.surveys else {}
    if given.get("psu") is None and "psu" in frame and frame["psu"].notna().all():
        given["psu"] = "psu"
    return SurveyDesign(**given, wave="wave" if several else None, id=id_)
