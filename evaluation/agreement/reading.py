"""Reads ``agreement.toml``: every fault becomes a problem with file, line, entry, key and the nearest valid value."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.agreement.register import Agreement, Body, Indicator, Measure, Part, Revision
from evaluation.agreement.schema import REGISTER, Fault, Known
from evaluation.errors import DataError, Problem

_AT_LINE = re.compile(r"at line (\d+)")
_NAME = r"(?:\"[^\"]*\"|[\w-]+)"
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_TWICE = re.compile(r"Cannot (declare|overwrite|mutate)")


def read_agreement(path: Path, *, areas: Sequence[str] | None, outcomes: Sequence[str] | None) -> Agreement:
    """Read a file; see :func:`evaluation.agreement.register.load_agreement`."""
    try:
        source = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(Problem("agreement.no_file", file=path.name, folder=path.parent.name or ".")) from None
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise DataError(Problem("agreement.not_utf8", file=path.name, row=row)) from None
    return parse_agreement(source, file=path.name, areas=areas, outcomes=outcomes)


def parse_agreement(
    source: str, *, file: str, areas: Sequence[str] | None = None, outcomes: Sequence[str] | None = None
) -> Agreement:
    """Read the text of a register; `file` is its name in messages."""
    try:
        raw = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise DataError(_syntax_problem(error, source, file)) from None
    bodies = raw.get("bodies", [])
    ids = [body.get("id") for body in bodies if isinstance(body, Mapping)] if isinstance(bodies, list) else []
    known = Known(
        areas=None if areas is None else tuple(areas),
        outcomes=None if outcomes is None else tuple(outcomes),
        bodies=tuple(dict.fromkeys(str(body) for body in ids)),
    )
    faults = sorted(REGISTER(raw, (), known), key=lambda fault: line_of(fault.path, source))
    if faults:
        raise DataError(*(_problem(fault, source, file) for fault in faults))
    return _agreement(raw)


def _syntax_problem(error: tomllib.TOMLDecodeError, source: str, file: str) -> Problem:
    at_line = _AT_LINE.search(str(error))
    row = int(at_line[1]) if at_line else source.count("\n") + 1
    line = source.splitlines()[row - 1].strip() if source.strip() else ""
    code = "agreement.twice" if _TWICE.match(str(error)) else "agreement.not_toml"
    return Problem(code, file=file, row=row, line=line)


def _problem(fault: Fault, source: str, file: str) -> Problem:
    """Word the path of a fault as entry (``A2``) and key (``areas``)."""
    path = [str(step + 1) if isinstance(step, int) else step for step in fault.path]
    depth = 2 if path[0] == "measures" and len(path) > 1 else 1
    entry, key = path[depth - 1], ".".join(path[depth:]) or path[depth - 1]
    code = f"agreement.{fault.code}"
    return Problem(code, file=file, row=line_of(fault.path, source), entry=entry, key=key, **fault.values)


def line_of(path: Sequence[str | int], source: str) -> int:
    r"""Return the line of a key, or of the nearest section around it, counted from 1.

    Examples
    --------
    >>> line_of(("measures", "A2", "kind"), '[measures.A2]\ntitle = "x"\nkind = "y"')
    3
    """
    best, found = 1, 0
    current: tuple[str | int, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    for row, line in enumerate(source.splitlines(), start=1):
        if line.lstrip().startswith("["):
            current = here = _header(line, seen)
        elif key := _KEY.match(line):
            here = (*current, *_names(key[1]))
        else:
            continue
        if len(here) > found and tuple(path[: len(here)]) == here:
            best, found = row, len(here)
    return best


def _names(dotted: str) -> tuple[str, ...]:
    """Return the names of a dotted key; names may be quoted."""
    return tuple(quoted or bare for quoted, bare in re.findall(r"\"([^\"]*)\"|([\w-]+)", dotted))


def _header(line: str, seen: dict[tuple[str, ...], int]) -> tuple[str | int, ...]:
    """Return the path of a section header; the sections of a list are counted in `seen`."""
    names = _names(line.split("]")[0])
    if not line.startswith("[["):
        return names
    seen[names] = seen.get(names, -1) + 1
    return (*names, seen[names])


def _agreement(raw: Mapping[str, Any]) -> Agreement:
    """Build the values; `raw` has been checked."""
    head = raw["agreement"]
    return Agreement(
        title=head["title"],
        signed=str(head["signed"]) if "signed" in head else None,
        since=head.get("since"),
        note=head.get("note", {}),
        chapters=raw.get("chapters", {}),
        bodies=tuple(
            Body(id=body["id"], title=body["title"], since=body.get("from"), until=body.get("until"))
            for body in raw.get("bodies", [])
        ),
        measures={key: _measure(key, entry) for key, entry in raw["measures"].items()},
    )


def _measure(key: str, entry: Mapping[str, Any]) -> Measure:
    changes = sorted(entry.get("revisions", []), key=lambda change: int(change["year"]))
    plain = {name: entry[name] for name in ("since", "existed_before", "areas") if name in entry}
    baseline = entry.get("baseline_dose")
    return Measure(
        id=key,
        title=entry["title"],
        kind=entry["kind"],
        lead=tuple(entry.get("lead", [])),
        outcomes=tuple(entry.get("outcomes", [])),
        baseline_dose=None if baseline is None else float(baseline),
        parts={name: _part(name, part) for name, part in entry["parts"].items()},
        revisions=tuple(Revision(year=int(change["year"]), text=change["text"]) for change in changes),
        **plain,
    )


def _part(key: str, entry: Mapping[str, Any]) -> Part:
    indicators = {name: _indicator(name, indicator) for name, indicator in entry["indicators"].items()}
    return Part(id=key, title=entry["title"], indicators=indicators)


def _indicator(key: str, entry: Mapping[str, Any]) -> Indicator:
    planned = {int(when): float(dose) for when, dose in entry.get("planned", {}).items()}
    return Indicator(id=key, **{**entry, "planned": planned})
