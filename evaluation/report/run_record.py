"""``run.json``: what a later reader needs to get the same report again; no people, no paths of this machine."""

import dataclasses
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import evaluation

_LIBRARIES = (
    "babel", "duckdb", "geopandas", "ipykernel", "jinja2", "matplotlib", "narwhals", "nbconvert", "numpy", "pandas",
    "papermill", "pyarrow", "scipy", "shapely", "statsmodels", "weasyprint",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the libraries that shape the numbers and the files."""
    found = {"python": platform.python_version(), "evaluation": evaluation.__version__}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str | None:
    """Return the commit of the package, with ``+changes`` where files differ from it; None outside a checkout."""
    root = Path(evaluation.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "evaluation", "notebooks")
    return head + ("+changes" if changed else "")


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(root), *words],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def seeds(options: object, name: str = "") -> Iterator[tuple[str, int]]:
    """Return every field named ``seed`` of nested options, with its place.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> inner = make_dataclass("Randomization", ["seed"])(1)
    >>> dict(seeds(make_dataclass("TwoByTwo", ["inference"])(inner), "patrols"))
    {'patrols.inference.seed': 1}
    """
    if not dataclasses.is_dataclass(options):
        return
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name == "seed" and isinstance(value, int):
            yield f"{name}.seed", value
        yield from seeds(value, f"{name}.{field.name}")


def created() -> str:
    """Return the moment of the run, in UTC; ``SOURCE_DATE_EPOCH`` overrides it."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(given), UTC) if given.isdigit() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def to_json(record: Mapping[str, Any]) -> bytes:
    """Return `record` as indented UTF-8 JSON."""
    return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
