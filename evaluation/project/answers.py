"""What the data of a project can answer, measure by measure: with what, from when on, or what is missing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluation.agreement.dose import dose, reason_in_words
from evaluation.agreement.register import Measure
from evaluation.agreement.vocabulary import table_label
from evaluation.data.check import Answer
from evaluation.data.contracts import CONTRACTS
from evaluation.errors import EvaluationError, Problem
from evaluation.project import counting
from evaluation.project.prospects import prospect

if TYPE_CHECKING:
    import pandas as pd

    from evaluation.project.folder import Project


def answers(
    project: "Project", language: str, good: Collection[str], *, said: Collection[Problem] = ()
) -> Iterator[Answer]:
    """Return what can be answered, in the order of the register; then studies outside of it.

    Parameters
    ----------
    project
        A project whose register and study files can be read.
    language
        Of titles and names of tables.
    good
        Tables that keep their contract.
    said
        Problems that are listed already and not repeated.
    """
    extent = _extent(project, good)
    for measure in project.agreement.measures.values():
        yield _implementation(project, measure, extent[extent["measure"] == measure.id], language, good)
        studies = [name for name, file in project.study_files.items() if file.study.measure == measure.id]
        if measure.kind == "effect":
            yield _effect(project, measure, studies, language, good, said)
        if any(name in project.items for name in measure.outcomes):
            yield _perception(project, measure, language, good)
    for name, file in project.study_files.items():
        if file.study.event is not None:
            found = prospect(project, name, language, said=said)
            yield Answer(
                measure="",
                title=file.study.title[language],
                question="event",
                possible=found.possible,
                pending=found.pending,
                reasons=found.reasons,
            )


def _extent(project: "Project", good: Collection[str]) -> "pd.DataFrame":
    """Return planned and done of the year of the project, or of the last year with deployments."""
    deployments = project.table("deployments") if "deployments" in good else None
    year = project.year
    if year is None and deployments is not None and len(deployments):
        year = int(deployments["start"].dt.year.max())
    return dose(project.agreement, deployments, year=year or 0, delivered=good)


def _implementation(
    project: "Project", measure: Measure, extent: "pd.DataFrame", language: str, good: Collection[str]
) -> Answer:
    outputs = extent[extent["reason"] != "outcome"]
    n, of = int(outputs["done"].notna().sum()), len(outputs)
    tables = {(part.id, indicator.id): indicator.table for part, indicator in measure.indicators}
    rows = outputs[["part", "indicator", "reason"]].itertuples(index=False)
    lacking = list(dict.fromkeys(tables[part, name] for part, name, reason in rows if reason == "not_delivered"))
    reasons = [_indicators(project, measure, n, of, good)] if n else []
    reasons += _no_tables(lacking, language)
    if lacking:
        reasons.append(Problem("data.answer.asks_implementation"))
    others = dict.fromkeys(outputs.loc[~outputs["reason"].isin(["", "incomplete", "not_delivered"]), "reason"])
    reasons += [Problem("data.answer.reason", reason=reason_in_words(str(reason), language)) for reason in others]
    return _answer(measure, "implementation", language, possible=n > 0, reasons=reasons)


def _indicators(project: "Project", measure: Measure, n: int, of: int, good: Collection[str]) -> Problem:
    """Return how many indicators there are, and since when the deployments of the measure are recorded."""
    if "deployments" in good:
        rows = project.table("deployments")
        own = rows.loc[rows["measure"] == measure.id, "start"]
        if len(own):
            return Problem("data.answer.indicators_since", n=n, of=of, first=f"{own.min():%Y-%m}")
    return Problem("data.answer.indicators", n=n, of=of)


def _no_tables(tables: Sequence[str], language: str) -> list[Problem]:
    """Return which tables are missing, those apart that this version does not use."""
    kinds = {
        "data.answer.no_tables": [table for table in tables if table in CONTRACTS],
        "data.answer.no_contracts": [table for table in tables if table not in CONTRACTS],
    }
    return [
        Problem(code, names=[f"{table_label(table, language)} ({table})" for table in found])
        for code, found in kinds.items()
        if found
    ]


def _effect(
    project: "Project",
    measure: Measure,
    studies: list[str],
    language: str,
    good: Collection[str],
    said: Collection[Problem],
) -> Answer:
    found = [prospect(project, name, language, said=said) for name in studies]
    found.sort(key=lambda study: (not study.possible, not study.pending))
    if found:
        reasons = [reason for study in found for reason in study.reasons]
        possible, pending = any(study.possible for study in found), any(study.pending for study in found)
        return replace(_answer(measure, "effect", language, possible=possible, reasons=reasons), pending=pending)
    reasons = [] if measure.areas else [Problem("data.answer.no_areas")]
    reasons += _outcome_reasons(project, measure, language, good)
    reasons += [Problem("data.answer.no_study"), Problem("data.answer.asks_effect")]
    return _answer(measure, "effect", language, possible=False, reasons=reasons)


def _outcome_reasons(project: "Project", measure: Measure, language: str, good: Collection[str]) -> list[Problem]:
    """Return which cases of the measure are there from when to when, and which are not."""
    cases = [name for name in measure.outcomes if name in project.outcomes]
    if not cases:
        reasons = [] if measure.outcomes else [Problem("data.answer.no_outcome")]
        if project.outcomes:
            reasons.append(Problem("data.answer.outcomes", measure=measure.id, names=tuple(project.outcomes)))
        return reasons
    reasons = []
    for name in cases:
        outcome = project.outcomes[name]
        title, label = outcome.title[language], table_label(outcome.table, language)
        covered = coverage(project, name) if outcome.table in good else None
        if covered is None:
            reasons.append(Problem("data.answer.no_cases", name=label, id=outcome.table, title=title))
        else:
            reasons.append(Problem("data.answer.cases", title=title, first=covered[0], last=covered[1]))
    return reasons


def _perception(project: "Project", measure: Measure, language: str, good: Collection[str]) -> Answer:
    """A change in the sense of safety needs an item asked in two waves, one of them before."""
    if "respondents" not in good:
        reasons = [*_no_tables(["respondents"], language), Problem("data.answer.asks_perception")]
        return _answer(measure, "perception", language, possible=False, reasons=reasons)
    frame = project.table("respondents")
    reasons, possible = [], False
    for name in (name for name in measure.outcomes if name in project.items):
        item = project.items[name]
        waves = sorted(frame.loc[frame[item.column].notna(), "wave"].unique())
        before = [wave for wave in waves if measure.since and wave[:4] < measure.since[:4]]
        able = len(waves) > 1 and (not measure.since or bool(before))
        possible |= able
        code = "waves" if able else "one_wave" if len(waves) < 2 else "no_wave_before"
        reasons.append(Problem(f"data.answer.{code}", title=item.title[language], waves=waves or ["–"]))
    return _answer(measure, "perception", language, possible=possible, reasons=reasons)


def _answer(measure: Measure, question: str, language: str, *, possible: bool, reasons: list[Problem]) -> Answer:
    return Answer(
        measure=measure.id, title=measure.title[language], question=question, possible=possible, reasons=tuple(reasons)
    )


def coverage(project: "Project", outcome: str) -> tuple[str, str] | None:
    """Return the first and last year for which an outcome has counts, None without any."""
    try:
        frame = counting.counts(project, outcome).frame
    except EvaluationError:
        return None
    known = frame.loc[frame["count"].notna(), "period"]
    return (known.min(), known.max()) if len(known) else None
