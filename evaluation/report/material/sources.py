"""Where numbers come from, in one line."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.report.context import Context


def source_of(context: "Context", *tables: str) -> str:
    """Return the source line for values that rest on `tables`, each source once."""
    named = [context.project.source(table) for table in tables if context.project.has(table)]
    return joined(named) or context.project.file.source or context.project.name


def joined(sources: Iterable[str]) -> str:
    """Return source lines as one, each source once, also where lines name several.

    Examples
    --------
    >>> joined(["Polizei; Stadt", "Stadt"])
    'Polizei; Stadt'
    """
    return "; ".join(dict.fromkeys(part.strip() for line in sources for part in line.split(";") if part.strip()))
