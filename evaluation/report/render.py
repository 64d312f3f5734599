"""An executed report notebook becomes one HTML file, through nbconvert and the template of this package."""

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation import __version__
from evaluation.errors import Problem, ReportError
from evaluation.fonts import FAMILY, web_font_files
from evaluation.report import structure
from evaluation.report.page import MIME
from evaluation.texts import text

if TYPE_CHECKING:
    from nbformat import NotebookNode

_HERE = Path(__file__).parent
TEMPLATE = _HERE / "template"


def pages(notebook: "NotebookNode") -> list[Mapping[str, Any]]:
    """Return published values and gaps of every page that the notebook shows, in order.

    Raises
    ------
    ReportError
        A cell shows something that is not a page: it would bypass the rules of publication. Or no cell shows one.
    """
    facts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                continue
            if MIME not in output.get("data", {}):
                raise ReportError(Problem("runner.foreign_output", given=str(cell.source).splitlines()[-1]))
            facts.append(output.data[MIME])
    if not facts:
        raise ReportError(Problem("runner.no_pages"))
    return facts


def messages(notebook: "NotebookNode") -> list[str]:
    """Return what the cells printed: warnings, as a rule; none of it is part of the report."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [str(output.text).strip() for output in outputs if output.output_type == "stream"]


@cache
def style() -> str:
    """Return the style sheet with the typeface inside."""
    faces = []
    for weight, path in web_font_files().items():
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        address = f"url(data:font/woff2;base64,{data}) format('woff2')"
        faces.append(
            f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; font-display: swap; src: {address}; }}'
        )
    return "\n".join([*faces, (TEMPLATE / "style.css").read_text(encoding="utf-8")])


def html(notebook: "NotebookNode", *, language: str, author: str) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    notebook
        Executed; its cells show pages.
    language
        ``de`` or ``en``.
    author
        Who publishes, for the metadata.

    Raises
    ------
    ReportError
        The structure is not sound; see :func:`evaluation.report.structure.check`.
    """
    from nbconvert.exporters.templateexporter import TemplateExporter

    body = "\n".join(
        output.data["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    )
    found = structure.read(body)
    title = next((head.words for head in found.headlines if head.level == 1), "")
    exporter = TemplateExporter(  # type: ignore[no-untyped-call]
        extra_template_basedirs=[str(_HERE)], template_name=TEMPLATE.name, template_file="index.html.j2"
    )
    resources = {
        "language": language,
        "title": title,
        "author": author,
        "generator": f"kooperation-evaluation {__version__}",
        "description": text("runner.page.description", language, title=title),
        "skip": text("runner.page.skip", language),
        "footer": text("runner.page.footer", language, version=__version__),
        "style": style(),
        "mime": MIME,
    }
    whole, _ = exporter.from_notebook_node(notebook, resources)
    filled = str(whole).replace("<!--contents-->", structure.contents(found.headlines), 1)
    structure.check(structure.read(filled))
    return filled
