"""What every chapter of a report needs: project, year and language, checked before anything runs."""

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluation.disclosure import PublicationRules
from evaluation.errors import EvaluationError, Problem, ReportError, nearest
from evaluation.report.blocks import Block
from evaluation.report.page import Page
from evaluation.texts import LANGUAGES, text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from evaluation.project import Project

PARAMETERS: dict[str, type] = {"project": str, "year": int, "language": str}
_YEARS = range(1990, 2101)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The project as far as the year of the report, the year, and the language of the report."""

    project: "Project"
    year: int
    language: str

    @property
    def rules(self) -> PublicationRules:
        """Thresholds of publication."""
        return self.project.publication

    def text(self, key: str, /, **values: object) -> str:
        """Return the words of `key` in the language of the report."""
        return text(key, self.language, **values)

    def page(self, *blocks: Block) -> Page:
        """Return `blocks` as what a notebook cell shows."""
        return Page(blocks, self.language)


def check_parameters(given: dict[str, Any]) -> None:
    """Check names and types of the parameters of a report.

    Parameters
    ----------
    given
        Parameters by name. ``language`` may be empty: then the project's language is taken.

    Raises
    ------
    ReportError
        All that is wrong, at once.

    Examples
    --------
    >>> check_parameters({"project": "my_city", "year": 2024, "language": "de"})
    """
    problems = []
    for name, value in given.items():
        if name not in PARAMETERS:
            like = nearest(name, PARAMETERS) or "year"
            problems.append(Problem("runner.unknown_parameter", given=name, nearest=like, valid=list(PARAMETERS)))
        elif type(value) is not PARAMETERS[name]:
            wanted = {"str": "text", "int": "1234"}[PARAMETERS[name].__name__]
            problems.append(
                Problem("runner.parameter_type", name=name, shown=value, kind=type(value).__name__, wanted=wanted)
            )
    for name in ("project", "year"):
        if name not in given or given[name] == "":
            problems.append(Problem("runner.missing_parameter", given=name))
    year, language = given.get("year"), given.get("language", "")
    if type(year) is int and year not in _YEARS:
        problems.append(Problem("runner.parameter_year", given=str(year)))
    if isinstance(language, str) and language not in ("", *LANGUAGES):
        problems.append(Problem("runner.parameter_language", given=language, valid=list(LANGUAGES)))
    if problems:
        raise ReportError(*problems)


def start(*, project: str, year: int, language: str = "") -> Context:
    """Open `project` for the report of `year`; the first line of a report notebook.

    Raises
    ------
    ReportError
        A parameter is unknown, missing or of the wrong type. Parameters that papermill set beside the known
        ones count as unknown.
    EvaluationError
        The project cannot be opened.
    """
    _word_errors(language)
    check_parameters({"project": project, "year": year, "language": language, **_injected()})
    from evaluation.project import open_project

    opened = open_project(project, year=year)
    opened.ensure()
    _word_errors(language or opened.language)
    return Context(project=opened, year=year, language=language or opened.language)


def _shell() -> "InteractiveShell | None":
    """Return the notebook's kernel, or None outside of one."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _word_errors(language: str) -> None:
    """Let the notebook end the traceback of our errors with the message in the language of the report."""
    shell = _shell()
    if shell is None:
        return
    chosen = language if language in LANGUAGES else LANGUAGES[0]

    def worded(shell: Any, kind: Any, error: EvaluationError, trace: Any, **_: object) -> list[str]:
        lines: list[str] = shell.InteractiveTB.structured_traceback(kind, error, trace)
        shown = [*lines, error.worded(chosen)]
        shell._showtraceback(kind, error, shown)
        return shown

    shell.set_custom_exc((EvaluationError,), worded)  # type: ignore[no-untyped-call]


def _injected() -> dict[str, Any]:
    """Return what papermill's cell of parameters set in the running notebook.

    papermill adds unknown and mistyped names without complaint; only its cell, which begins with
    ``# Parameters``, shows them.
    """
    shell = _shell()
    if shell is None:
        return {}
    cells: Iterable[str] = shell.user_ns.get("In", [])
    names: set[str] = set()
    for cell in cells:
        if cell.startswith("# Parameters\n"):
            targets = [t for node in ast.parse(cell).body if isinstance(node, ast.Assign) for t in node.targets]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name: shell.user_ns.get(name) for name in sorted(names)}
