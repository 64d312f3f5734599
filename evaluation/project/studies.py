"""Files in ``studies`` become declared studies and estimators; what they leave out comes from the register."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from evaluation.data.periods import start_date
from evaluation.errors import DataError, DesignError, Problem, nearest
from evaluation.project.schema import MethodEntry, StudyEntry, StudyFile
from evaluation.project.toml import read_toml, validated
from evaluation.study import Study

if TYPE_CHECKING:
    from evaluation.project.folder import Project

ESTIMATORS = (
    "TwoByTwo", "EventStudy", "TwoWayFixedEffects", "GroupTime", "Imputation", "PoissonCohorts", "SyntheticControl",
    "SyntheticDifference", "TripleDifference", "DoseResponse",
)  # fmt: skip
_SAME = (
    "id", "outcome", "measure", "event", "unit", "period", "comparison", "leave_out", "partial_period", "anticipation",
    "primary", "title",
)  # fmt: skip


def read_files(folder: Path) -> Mapping[str, StudyFile]:
    """Return the studies of a project by id, in the order of their files.

    Raises
    ------
    DataError
        With everything that is wrong with any of the files.
    """
    found: dict[str, StudyFile] = {}
    problems: list[Problem] = []
    for path in sorted((folder / "studies").glob("*.toml")):
        name = f"studies/{path.name}"
        try:
            raw, source = read_toml(path, name)
            study = validated(StudyFile, raw, file=name, source=source)
        except DataError as error:
            problems += error.problems
            continue
        if study.study.id in found:
            problems.append(Problem("data.study_twice", file=name, value=study.study.id))
        found[study.study.id] = study.named(name)
    if problems:
        raise DataError(*problems)
    return found


def declare(project: "Project", file: StudyFile) -> Study:
    """Return a study with everything that its file leaves out.

    Raises
    ------
    DesignError
        It names a measure, event, outcome or area that does not exist, or differs from the register without a
        reason.
    """
    entry, name = file.study, file.file
    problems = unknown_names(project, entry, name)
    if problems:
        raise DesignError(*problems)
    known = _known_starts(project, entry)
    starts = _starts(entry, known)
    if not starts:
        raise DesignError(Problem("data.study_no_areas", file=name, study=entry.id))
    problems = _unknown_units(project, entry, starts, name)
    if known and starts != known and not (entry.reason or entry.reasons):
        changed = sorted({unit for unit, _ in {*starts.items()} ^ {*known.items()}})
        problems.append(Problem("data.study_override", file=name, study=entry.id, areas=changed))
    if problems:
        raise DesignError(*problems)
    others = {*entry.excluded, *_begun(known, project.year)} - {*starts}
    return _study(project, entry, _begun(starts, project.year) or starts, name, excluded=others)


def _study(project: "Project", entry: StudyEntry, starts: Mapping[str, str], name: str, *, excluded: set[str]) -> Study:
    """Return the study; areas that the register knows but the study does not treat are not compared either."""
    ended = entry.until is not None and (project.year is None or start_date(entry.until).year <= project.year)
    rates = project.outcomes[entry.outcome].exposure is not None if entry.exposure is None else entry.exposure
    reasons = {**entry.reasons, **({"treated_since": entry.reason} if entry.reason else {})}
    return Study(
        **{field: getattr(entry, field) for field in _SAME},
        treated_since=dict(starts),
        until=entry.until if ended else None,
        excluded=tuple(sorted(excluded)),
        exposure=rates,
        reasons=reasons,
        source=name,
    )


def unknown_names(project: "Project", entry: StudyEntry, name: str) -> list[Problem]:
    """Return what a study file names that does not exist: outcome, measure, event; `name` is the file."""
    problems = []
    asked: list[tuple[str, str | None, Any]] = [("outcome", entry.outcome, project.outcomes)]
    if entry.measure is not None:
        asked.append(("measure", entry.measure, project.agreement.measures))
    if entry.event is not None:
        asked.append(("event", entry.event, [event.id for event in project._declared_events]))
    for kind, given, valid in asked:
        if given not in valid:
            guess = nearest(given, valid) or next(iter(valid), "–")
            code = f"data.study_unknown_{kind}"
            problems.append(Problem(code, file=name, study=entry.id, value=given, nearest=guess))
    if (entry.measure is None) == (entry.event is None):
        problems.append(Problem("core.study_measure_or_event", file=name, study=entry.id))
    return problems


def _known_starts(project: "Project", entry: StudyEntry) -> dict[str, str]:
    """Return where the measure or event is since when, also ahead, as register or events say; areas only."""
    if entry.unit != "area":
        return {}
    if entry.measure is not None:
        return dict(project._declared_agreement.measures[entry.measure].areas)
    event = next(event for event in project._declared_events if event.id == entry.event)
    return dict.fromkeys(event.areas, f"{event.start:%Y-%m}")


def _starts(entry: StudyEntry, known: Mapping[str, str]) -> dict[str, str]:
    """Return the start of every unit: declared, or known."""
    if isinstance(entry.treated_since, dict):
        return dict(entry.treated_since)
    if entry.treated_since is not None:
        return dict.fromkeys(entry.treated or known, entry.treated_since)
    return {unit: start for unit, start in known.items() if not entry.treated or unit in entry.treated}


def _unknown_units(project: "Project", entry: StudyEntry, starts: Mapping[str, str], name: str) -> list[Problem]:
    areas = project.table("areas")
    if entry.unit not in areas:
        return [Problem("data.study_no_units", file=name, study=entry.id, unit=entry.unit)]
    valid = areas[entry.unit].dropna().unique().tolist()
    return [
        Problem(
            "data.study_unknown_unit", file=name, study=entry.id, value=unit, nearest=nearest(unit, valid) or valid[0]
        )
        for unit in dict.fromkeys((*starts, *entry.treated, *entry.excluded))
        if unit not in valid
    ]


def _begun(starts: Mapping[str, str], year: int | None) -> dict[str, str]:
    return {unit: start for unit, start in starts.items() if year is None or start_date(start).year <= year}


# --- estimators ---


def estimator(entry: MethodEntry, *, file: str) -> Any:
    """Return the estimator that ``[method]`` declares.

    Raises
    ------
    DesignError
        There is no such estimator or option, or a value has the wrong type.
    """
    return _made(entry.name, entry.options, file, valid=ESTIMATORS)


def _made(name: str, options: Mapping[str, Any], file: str, *, valid: Sequence[str]) -> Any:
    """Return an object of one of the classes `valid` with its options."""
    import evaluation  # the layers above, loaded by their public names

    if name not in valid:
        guess = nearest(name, valid) or valid[0]
        raise DesignError(Problem("data.method_unknown", file=file, value=name, nearest=guess, valid=valid))
    made = getattr(evaluation, name)
    hints = {field.name: get_type_hints(made)[field.name] for field in dataclasses.fields(made)}
    problems: list[Problem] = []
    arguments = {}
    for option, value in options.items():
        if option not in hints:
            guess = nearest(option, hints) or next(iter(hints))
            problems.append(Problem("data.method_option", file=file, method=name, value=option, nearest=guess))
            continue
        classes = _classes(hints[option])
        given = tuple(value) if isinstance(value, list) else value
        if classes and isinstance(given, Mapping) and "class" in given:
            inner = {key: part for key, part in given.items() if key != "class"}
            try:
                arguments[option] = _made(str(given["class"]), inner, file, valid=classes)
            except DesignError as error:
                problems += error.problems
        elif classes:
            guess = nearest(given, classes) or classes[0]
            problems.append(
                Problem(
                    "data.method_class",
                    file=file,
                    value=value,
                    method=name,
                    option=option,
                    nearest=guess,
                    valid=classes,
                )
            )
        elif _fits(given, hints[option]):
            arguments[option] = given
        else:
            problems.append(Problem("data.method_value", file=file, method=name, option=option, value=value))
    problems += [
        Problem("data.method_required", file=file, method=name, option=field.name)
        for field in dataclasses.fields(made)
        if field.default is field.default_factory is dataclasses.MISSING and field.name not in options
    ]
    if problems:
        raise DesignError(*problems)
    return made(**arguments)


def _classes(hint: Any) -> tuple[str, ...]:
    """Return the names of the classes that an option may have, none for plain values."""
    parts = get_args(hint) or (hint,)
    return tuple(part.__name__ for part in parts if isinstance(part, type) and dataclasses.is_dataclass(part))


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a plain value has the type of an option; the estimator names words that are allowed."""
    if get_origin(hint) in {Union, UnionType}:
        return any(_fits(value, part) for part in get_args(hint))
    if get_origin(hint) is Literal:
        return isinstance(value, str)
    if get_origin(hint) in {tuple, Mapping}:
        return isinstance(value, get_origin(hint))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
