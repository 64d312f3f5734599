"""Where the report notebooks are, and how an executed one is cleaned before it is handed on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import evaluation
from evaluation.errors import Problem, ReportError

if TYPE_CHECKING:
    from nbformat import NotebookNode


def find(name: str) -> Path:
    """Return the notebook `name`, from the installed package or from the checkout.

    Raises
    ------
    ReportError
        The notebook is in neither place: the installation is incomplete.
    """
    package = Path(evaluation.__file__).resolve().parent
    inside = package / "notebooks" / "reports" / f"{name}.ipynb"
    checkout = package.parent / "notebooks" / "reports" / f"{name}.ipynb"
    for path in (inside, checkout):
        if path.is_file():
            return path
    raise ReportError(Problem("runner.no_notebook", given=f"{name}.ipynb"))


def read(path: Path) -> "NotebookNode":
    """Return the notebook at `path`."""
    return _parsed(path.read_text(encoding="utf-8"))


def cleaned(notebook: "NotebookNode", replacements: Mapping[str, str]) -> str:
    """Return the text of an executed notebook without times, printed messages and paths of this machine.

    Parameters
    ----------
    notebook
        Executed.
    replacements
        Paths, and what to write for each.
    """
    written = _written(notebook)
    for path, name in sorted(replacements.items(), key=lambda item: -len(item[0])):
        for form in (_in_code, str):  # as papermill writes it into the cell of parameters, and as in a message
            written = written.replace(_in_json(form(path)), _in_json(form(name)))
    clean = _parsed(written)
    clean.metadata.pop("papermill", None)
    for number, cell in enumerate(clean.cells):
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = f"injected-parameters-{number}"
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.output_type != "stream"]
    return _written(clean) + "\n"


def _in_code(words: str) -> str:
    """Return `words` as papermill writes them between quotation marks in a cell of Python."""
    return words.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def _in_json(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)[1:-1]


def _parsed(written: str) -> "NotebookNode":
    import nbformat

    return cast("NotebookNode", nbformat.reads(written, as_version=4))  # type: ignore[no-untyped-call]


def _written(notebook: "NotebookNode") -> str:
    import nbformat

    return str(nbformat.writes(notebook))  # type: ignore[no-untyped-call]
