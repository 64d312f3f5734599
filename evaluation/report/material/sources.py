"""Where numbers come from, in one line."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.report.context import Context


def source_of(context: "Context", *tables: str) -> str:
    """Return the source line for values that rest on `tables`, each source once."""
    project, language = context.project, context.language
    named = [project.source(table, language) for table in tables if project.has(table)]
    return joined(named) or project.origin(language)


def joined(sources: Iterable[str]) -> str:
    """Return source lines as one, each source once, also where lines name several.

    Examples
    --------
    >>> joined(["Polizei; Stadt", "Stadt"])
    'Polizei; Stadt'
    """
    return "; ".join(dict.fromkeys(part.strip() for line in sources for part in line.split(";") if part.strip()))
