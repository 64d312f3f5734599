"""Whether a declared study can be run on the data that are there, cannot be run, or waits for later data."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evaluation.data.periods import convert, label, ordinal
from evaluation.errors import EvaluationError, Problem
from evaluation.study import Study

if TYPE_CHECKING:
    from evaluation.panel import Panel
    from evaluation.project.folder import Project

FEW_DRAWS = 99
"""Assignments that are drawn to see whether an estimate exists; its p-value is not looked at."""
LATER = ("core.panel_no_after", "core.window_after")


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """Whether a study can be run (`possible`), or will be once there are later data (`pending`), and why."""

    possible: bool = False
    pending: bool = False
    reasons: tuple[Problem, ...]


def prospect(project: "Project", name: str, language: str, *, said: Collection[Problem] = ()) -> Prospect:
    """Return whether a study can be run: its declared method is tried on its panel.

    Parameters
    ----------
    project
        The project.
    name
        Id of the study.
    language
        Of titles.
    said
        Problems that are listed elsewhere; a study with one of them is only referred to.
    """
    try:
        study, method = project.study(name), project.method(name)
        others = project.sensitivities(name)
        panel = project.panel(study)
        _few_draws(method).estimate(panel)
    except EvaluationError as error:
        return _refused(project, name, error, language, said)
    title = project.outcomes[study.outcome].title[language]
    first, last, since = panel.periods[0], panel.periods[-1], min(study.starts.values())
    found = Problem("data.answer.study", study=name, title=title, first=first, last=last, since=since)
    return Prospect(possible=True, reasons=(found, *_other_specifications(name, others, panel, language)))


def _few_draws(method: Any) -> Any:
    inference: Any = method.inference
    if not isinstance(getattr(inference, "draws", None), int):
        return method  # there is nothing to draw
    return replace(method, inference=replace(inference, draws=FEW_DRAWS, enumerate_up_to=FEW_DRAWS))


def _other_specifications(name: str, others: tuple[Any, ...], panel: "Panel", language: str) -> list[Problem]:
    """Return which of the other specifications of a study do not fit the data."""
    reasons = []
    for number, method in enumerate(others, start=1):
        try:
            _few_draws(method).estimate(panel)
        except EvaluationError as error:
            reason = error.problems[0].worded(language)
            reasons.append(Problem("data.answer.sensitivity_no", study=name, number=str(number), reason=reason))
    return reasons


def _refused(
    project: "Project", name: str, error: EvaluationError, language: str, said: Collection[Problem]
) -> Prospect:
    if any(problem in said for problem in error.problems):
        return Prospect(reasons=(Problem("data.answer.study_faulty", study=name),))
    if all(problem.code in LATER for problem in error.problems):
        study = project.study(name)
        title = project.outcomes[study.outcome].title[language]
        since, until = min(study.starts.values()), _last_needed(study, project.method(name))
        later = Problem("data.answer.study_later", study=name, title=title, since=since, until=until)
        return Prospect(pending=True, reasons=(later,))
    reason = " ".join(dict.fromkeys(problem.worded(language) for problem in error.problems))
    return Prospect(reasons=(Problem("data.answer.study_no", study=name, reason=reason),))


def _last_needed(study: Study, method: Any) -> str:
    """Return the last period of the window after the last start; one period where the method names no window."""
    window = getattr(method, "window", None)
    length = window[1] + 1 if window else getattr(method, "after", None) or 1
    first, whole = convert(max(study.starts.values()), study.period)
    late = not whole and study.partial_period != "after"
    return label(ordinal(first) + late + length - 1, study.period)
