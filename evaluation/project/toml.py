"""Reads declared files: every fault becomes a problem with file, line, key and the nearest valid name."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from evaluation.agreement.reading import line_of
from evaluation.errors import DataError, Problem, nearest

Model = TypeVar("Model", bound=BaseModel)
_AT_LINE = re.compile(r"at line (\d+)")
_CODES = {
    "missing": "missing_key",
    "extra_forbidden": "unknown_key",
    "literal_error": "not_possible",
    "string_type": "no_text",
    "bool_type": "no_truth",
    "int_type": "no_number",
    "dict_type": "no_section",
    "model_type": "no_section",
    "list_type": "no_list",
    "tuple_type": "no_list",
    "too_short": "empty_list",
    "greater_than_equal": "too_small",
    "no_language": "no_language",
    "no_day": "no_day",
    "no_period": "no_period",
}


def read_toml(path: Path, file: str) -> tuple[dict[str, Any], str]:
    """Return the values and the text of a TOML file.

    Raises
    ------
    DataError
        The file is missing, cannot be opened, is not written in UTF-8, or is no TOML; with file and line.
    """
    try:
        source = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(Problem("data.toml_missing", file=file)) from None
    except OSError as error:
        raise DataError(Problem("data.unreadable", file=file, reason=error.strerror or str(error))) from None
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise DataError(Problem("data.toml_not_utf8", file=file, row=row)) from None
    try:
        return tomllib.loads(source), source
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        row = int(found[1]) if found else source.count("\n") + 1
        lines = source.splitlines()
        line = lines[row - 1].strip() if 0 < row <= len(lines) else ""
        raise DataError(Problem("data.toml_syntax", file=file, row=row, line=line)) from None


def validated(model: type[Model], raw: Mapping[str, Any], *, file: str, source: str) -> Model:
    """Return the values of a file as `model`.

    Parameters
    ----------
    model
        What the file may hold.
    raw
        Its values.
    file
        Its name in messages.
    source
        Its text, to find lines.

    Raises
    ------
    DataError
        With every key that is missing, unknown or wrong.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # A value that may be of several types gives a fault for each of them: the innermost is meant, else the first.
        single = {_path(fault, raw): fault for fault in reversed(faults)}
        outer = {path for path in single for other in single if path != other and path == other[: len(path)]}
        problems = [_problem(path, fault, model, file, source) for path, fault in single.items() if path not in outer]
        raise DataError(*sorted(problems, key=lambda problem: problem.row or 0)) from None


def _path(fault: Any, raw: Any) -> tuple[str | int, ...]:
    """Return the keys of a fault as they stand in the file: pydantic adds names of types."""
    path: list[str | int] = []
    here = raw
    for step in fault["loc"]:
        listed = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if listed or (isinstance(here, Mapping) and step in here):
            here = here[step]
            path.append(step)
    return (*path, fault["loc"][-1]) if fault["type"] == "missing" else tuple(path)


def _problem(path: tuple[str | int, ...], fault: Any, model: type[BaseModel], file: str, source: str) -> Problem:
    key = ".".join(str(step + 1) if isinstance(step, int) else step for step in path)
    row = line_of(path, source) if path else 1
    code = _CODES.get(fault["type"], "wrong_value")
    values: dict[str, Any] = {"key": key, **_details(code, fault)}
    if code == "unknown_key":
        valid = _keys_at(model, path[:-1])
        guess = nearest(path[-1], valid)
        values |= {"valid": valid, "nearest": guess}
        code = "unknown_key_like" if guess else code
    if code == "not_possible":
        values["nearest"] = nearest(fault["input"], values["valid"]) or values["valid"][0]
    return Problem(f"data.toml_{code}", file=file, row=row, **values)


def _details(code: str, fault: Any) -> dict[str, Any]:
    context = fault.get("ctx", {})
    if code == "missing_key":
        return {}
    given = fault["input"]
    details: dict[str, Any] = {"given": given if isinstance(given, str) else str(given)}
    if code == "not_possible":
        details["valid"] = tuple(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    if code == "no_language":
        details["language"] = context["language"]
    if code == "too_small":
        details["minimum"] = context["ge"]
    return details


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """Return the keys that a section may have."""
    here: Any = model
    for step in path:
        here = _inside(here, step)
        if here is None:
            return ()
    found = _model_in(here)
    return tuple(field.alias or name for name, field in found.model_fields.items()) if found else ()


def _inside(kind: Any, step: str | int) -> Any:
    found = _model_in(kind)
    if found is not None and step in found.model_fields:
        return found.model_fields[str(step)].annotation
    arguments = get_args(kind)
    return arguments[-1] if get_origin(kind) is dict else arguments[0] if arguments else None


def _model_in(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) is UnionType:
        return next((found for found in map(_model_in, get_args(kind)) if found), None)
    return None
