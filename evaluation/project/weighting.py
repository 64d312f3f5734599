"""Weights of a survey as project.toml declares them: replicate columns, response, trimming, fit to the population.

Each wave is weighted by itself. What is left out: how the population is read (:mod:`evaluation.project.margins`) and
how weights are fitted (:mod:`evaluation.survey.weighting`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.agreement.reading import line_of
from evaluation.errors import DesignError, EvaluationError, Problem, nearest
from evaluation.project.margins import Population, population
from evaluation.project.schema import ReplicateWeights, Survey, Weighting

if TYPE_CHECKING:
    from evaluation.project.folder import Project
    from evaluation.sample import Sample

FILE = "project.toml"
SHOWN = 5  # values that a message names
ROUNDED = 1e-6  # sums of margins may differ by so much of themselves
Remark = tuple[str, Mapping[str, object]]


def fit_problems(project: "Project", frame: pd.DataFrame, survey: str) -> list[Problem]:
    """Return everything that keeps the weights of a survey from being made as declared, for all waves at once.

    Parameters
    ----------
    project
        With its declarations.
    frame
        Respondents of the survey, with ``district`` and ``precinct`` of their areas.
    survey
        Its id.
    """
    declared = project.surveys.get(survey)
    if declared is None:
        return []
    problems = list(_replicate_problems(project, frame, survey, declared.design.replicates))
    problems += _column_problems(project, frame, survey, declared.weighting)
    known = [(n, margin) for n, margin in enumerate(declared.weighting.margins) if set(margin.by) <= set(frame)]
    for wave in _waves(frame):
        people = _who_counts(frame[frame["wave"] == wave], declared.weighting)
        found: list[Population] = []
        for number, margin in known:
            try:
                read = population(project, margin, wave, _day(declared, wave))
            except EvaluationError as error:
                problems += [problem for problem in error.problems if problem not in problems]
                continue
            found.append(read)
            row = _line(project, survey, "margins", number)
            problems += _mismatches(people, read, survey=survey, wave=wave, row=row)
        if declared.weighting.size is None:
            row = _line(project, survey, "margins", 0)
            problems += _different_sums(found, survey=survey, wave=wave, row=row)
    return problems


def weighted(project: "Project", sample: "Sample", survey: str) -> "Sample":
    """Return the sample with the declared replicates and weights; every step is remarked with its numbers.

    Raises
    ------
    DesignError
        With the problems of all waves.
    """
    declared = project.surveys.get(survey)
    if declared is None:
        return sample
    if declared.design.replicates is not None:
        sample = _with_replicates(sample, declared.design.replicates)
    if not declared.weighting.declared:
        return sample
    problems: list[Problem] = []
    remarks = list(sample.plan.remarks)
    inside = np.zeros(len(sample.frame), dtype=bool)
    for wave in _waves(sample.frame):
        part = sample.where(sample.frame["wave"] == wave)
        try:
            part, said = _one_wave(project, part, survey, wave)
        except EvaluationError as error:
            row = _line(project, survey)
            failed = Problem("survey_plan.failed", file=FILE, row=row, survey=survey, wave=wave)
            problems += [failed, *error.problems]
            continue
        remarks += said
        inside |= part.inside
        sample = sample.weighted(part.plan)
    if problems:
        raise DesignError(*problems)
    plan = replace(sample.plan, remarks=tuple(remarks + _of_replicates(sample)))
    return replace(sample, shared=plan, inside=None if inside.all() else inside)


def _of_replicates(sample: "Sample") -> list[Remark]:
    """Return what fits in replicates are remarked with; the other remarks of the steps are worded by wave."""
    found = [remark for remark in sample.plan.remarks if remark[0].endswith("note.empty_cells")]
    return [remark for n, remark in enumerate(found) if remark not in found[:n]]


def _one_wave(project: "Project", sample: "Sample", survey: str, wave: str) -> tuple["Sample", list[Remark]]:
    """Return the people of one wave with new weights, and a remark on each step."""
    import evaluation  # the layer above, loaded by its public name

    declared = project.surveys[survey]
    plan = declared.weighting
    said: list[Remark] = []
    if plan.response is not None:
        of = sample.size
        sample = evaluation.ResponseCells(plan.response.answered, plan.response.by).apply(sample)
        counted = {"wave": wave, "n": of - sample.size, "of": of, "columns": list(plan.response.by)}
        said.append(("survey_plan.note.response", counted))
    if plan.trim is not None:
        high = plan.trim.high
        sample = evaluation.Trim(low=plan.trim.low, high=high).apply(sample)
        changed = sample.plan.remarks[-1][1]
        said.append(("survey_plan.note.trimmed", {**changed, "wave": wave}))
    if not plan.margins:
        return sample, said
    populations = [population(project, margin, wave, _day(declared, wave)) for margin in plan.margins]
    before = sample
    sample = _fitted(sample, plan, populations)
    said.append((f"survey_plan.note.{plan.method}", _numbers(before, sample, wave, populations)))
    years = {"wave": wave, "years": sorted({str(one.year) for one in populations if one.year is not None})}
    if years["years"]:
        said.append(("survey_plan.note.other_year", years))
    return sample, said


def _fitted(sample: "Sample", plan: Weighting, populations: list[Population]) -> "Sample":
    import evaluation  # the layer above, loaded by its public name

    margins: dict[Any, Any] = {one.by: _as_in(sample.frame, one) for one in populations}
    if plan.method == "post_stratification":
        ((by, people),) = margins.items()
        return evaluation.PostStratify(by, people, size=plan.size).apply(sample)
    return evaluation.Calibrate(margins, method=plan.method, bounds=plan.bounds, size=plan.size).apply(sample)


def _as_in(frame: pd.DataFrame, read: Population) -> dict[Any, float]:
    """Return people by the values as the frame holds them: numbers, where the column holds numbers."""
    values = [{str(value): value for value in frame[column].dropna().unique()} for column in read.by]
    keys = {key: tuple(known.get(word, word) for known, word in zip(values, key, strict=True)) for key in read.people}
    return {keys[key]: number for key, number in read.people.items()}


def _numbers(before: "Sample", after: "Sample", wave: str, populations: list[Population]) -> dict[str, object]:
    """Return what is said about a fit: people, margins, smallest and largest factor, what unequal weights cost."""
    import evaluation  # the layer above, loaded by its public name

    report = evaluation.weight_report(before, after).set_index("measure").loc["deff_kish"]
    used = after.weights > 0
    old, new = before.weights[used], after.weights[used]
    factors = (new / old) * (old.sum() / new.sum())
    return {
        "wave": wave,
        "n": int(used.sum()),
        "margins": [one.name for one in populations],
        "people": float(new.sum()),
        "low": float(factors.min()),
        "high": float(factors.max()),
        "before": float(report["before"]),
        "after": float(report["after"]),
    }


# --- replicates ---------------------------------------------------------------------------------------------------


def _with_replicates(sample: "Sample", given: ReplicateWeights) -> "Sample":
    """Return the sample with its replicate columns; of several waves drawn apart, each has replicates of its own."""
    import evaluation  # the layer above, loaded by its public name

    options = given.model_dump(exclude={"columns", "number"})
    waves = _waves(sample.frame)
    if len(waves) < 2 or sample.design.overlap:
        return evaluation.ReplicateColumns(given.names, **options).apply(sample)
    # A replicate of one wave leaves the others as they are: in their rows its column holds the plain weight.
    plain = sample.weights if given.combined else np.ones(len(sample.frame))
    columns: dict[str, np.ndarray] = {}
    scale: list[float] = []
    problems: list[Problem] = []
    df = 0.0
    alone = replace(sample.design, wave=None)
    for wave in waves:
        here = sample.frame["wave"] == wave
        try:
            part = evaluation.ReplicateColumns(given.names, **options).apply(
                evaluation.Sample(sample.frame[here], alone)
            )
        except EvaluationError as error:
            problems += [Problem("survey_plan.replicates_failed", wave=wave), *error.problems]
            continue
        columns |= {f"{name} {wave}": np.where(here, sample.frame[name], plain) for name in given.names}
        replicates: Any = part.plan.replicates
        scale += list(replicates.scale)
        df += replicates.df
    if problems:
        raise DesignError(*problems)
    frame = pd.concat([sample.frame, pd.DataFrame(columns, index=sample.frame.index)], axis=1)
    options |= {"kind": "other", "scale": tuple(scale), "fay": 0.0, "df": df, "centre": "estimate"}
    made = evaluation.ReplicateColumns(tuple(columns), **options).apply(replace(sample, frame=frame))
    return replace(made, frame=sample.frame)


def _replicate_problems(
    project: "Project", frame: pd.DataFrame, survey: str, given: ReplicateWeights | None
) -> Iterator[Problem]:
    """Return that the file has fewer or more replicate columns than declared."""
    if given is None:
        return
    lacking = [name for name in given.names if name not in frame]
    more = [str(name) for name in frame if re.fullmatch(re.escape(given.columns) + r"\d+", str(name))]
    if lacking or len(more) > given.number:
        row = _line(project, survey, "design", "replicates")
        columns = _some(lacking) or _some(more[given.number :])
        found: dict[str, Any] = {"number": given.number, "columns": columns}
        code = "survey_plan.replicates_lacking" if lacking else "survey_plan.replicates_more"
        yield Problem(code, file=FILE, row=row, survey=survey, **found)


# --- margins ------------------------------------------------------------------------------------------------------


def _column_problems(project: "Project", frame: pd.DataFrame, survey: str, plan: Weighting) -> list[Problem]:
    """Return columns of margins and response that the respondents do not have."""
    places: list[tuple[tuple[str | int, ...], tuple[str, ...]]]
    places = [(("margins", n), margin.by) for n, margin in enumerate(plan.margins)]
    if plan.response is not None:
        places.append((("response",), (plan.response.answered, *plan.response.by)))
    wanted = {column: place for place, columns in places for column in columns}
    known = [str(name) for name in frame]
    return [
        Problem(
            "survey_plan.no_column",
            file=FILE,
            row=_line(project, survey, *place),
            column=column,
            survey=survey,
            nearest=nearest(column, known) or "–",
        )
        for column, place in wanted.items()
        if column not in known
    ]


def _mismatches(people: pd.DataFrame, read: Population, *, survey: str, wave: str, row: int) -> list[Problem]:
    """Return people without a value, values that the population lacks, and the reverse."""
    said: dict[str, Any] = {"file": FILE, "row": row, "survey": survey, "wave": wave, "columns": read.by}
    missing: pd.Series = people[list(read.by)].isna().any(axis=1)
    problems = []
    if missing.any():
        problems.append(Problem("survey_plan.margin_missing", **said, n=int(missing.sum()), of=len(people)))
    given = people.loc[~missing, list(read.by)].astype(str)
    counts = given.groupby(list(read.by), sort=True).size()
    answers = {key if isinstance(key, tuple) else (key,): int(n) for key, n in counts.items()}
    known = [key for key, number in read.people.items() if number > 0]
    strange = [key for key in answers if key not in known]
    if strange:
        guess = nearest(_word(strange[0]), map(_word, known))
        code = "survey_plan.margin_no_total_like" if guess else "survey_plan.margin_no_total"
        n = sum(answers[key] for key in strange)
        problems.append(Problem(code, **said, values=_some(map(_word, strange)), n=n, nearest=guess))
    absent = [key for key in known if key not in answers]
    if absent:
        total = sum(read.people[key] for key in absent)
        problems.append(
            Problem("survey_plan.margin_no_answers", **said, values=_some(map(_word, absent)), people=total)
        )
    return problems


def _different_sums(found: list[Population], *, survey: str, wave: str, row: int) -> list[Problem]:
    """Return margins that do not describe equally many people."""
    sums = {one.name: sum(one.people.values()) for one in found}
    if len(sums) < 2:
        return []
    (first, total), *others = sums.items()
    return [
        Problem(
            "survey_plan.margin_sums",
            file=FILE,
            row=row,
            survey=survey,
            wave=wave,
            first=first,
            sum=total,
            second=name,
            other=other,
        )
        for name, other in others
        if abs(other - total) > ROUNDED * total
    ]


def _who_counts(frame: pd.DataFrame, plan: Weighting) -> pd.DataFrame:
    """Return who took part, where people who did not are rows, too."""
    if plan.response is None or plan.response.answered not in frame:
        return frame
    return frame[frame[plan.response.answered].fillna(value=False).astype(bool)]


def _waves(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["wave"].dropna().unique())


def _day(survey: Survey, wave: str) -> Any:
    import datetime as dt

    if wave in survey.waves:
        return dt.date.fromisoformat(survey.waves[wave].date)
    return dt.date(int(wave[:4]), 12, 31) if wave[:4].isdigit() else None


def _line(project: "Project", survey: str, *path: str | int) -> int:
    """Return the line of project.toml where the weights of a survey are declared."""
    source = (project.folder / FILE).read_text("utf-8-sig")
    section = () if path[:1] == ("design",) else ("weighting",)
    return line_of(("surveys", survey, *section, *path), source)


def _word(key: tuple[str, ...]) -> str:
    return " / ".join(key)


def _some(values: Any) -> list[str]:
    words = list(values)
    return words[:SHOWN] + (["…"] if len(words) > SHOWN else [])
