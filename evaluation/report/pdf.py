"""The report as tagged PDF (PDF/UA-1), made of its HTML by WeasyPrint, the same bytes on every run.

On paper nothing unfolds: the numbers of the figures move into a list of tables at the end, and the figures name the
page. WeasyPrint needs Pango, a system library; without it there is no PDF, and the message names the packages.
"""

import gc
import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from evaluation.errors import Problem, ReportError
from evaluation.report.render import TEMPLATE
from evaluation.texts import text

_UNFOLDS = re.compile(r'<details class="numbers">\s*<summary>.*?</summary>\s*(.*?)</details>', re.DOTALL)
_END_OF_CONTENTS = re.compile(r"</ol>\s*</nav>")
_TABLE_ID = re.compile(r'<table id="([^"]+)"')
_PACKAGES = {
    "linux": "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 (Debian, Ubuntu: apt-get install)",
    "darwin": "pango (brew install pango)",
    "win32": "Pango (MSYS2: pacman -S mingw-w64-x86_64-pango)",
}


class PangoMissingError(ReportError):
    """The system has no Pango, so that no PDF can be made."""


def load() -> None:
    """Import WeasyPrint.

    Raises
    ------
    PangoMissingError
        A system library is missing.
    """
    try:
        import weasyprint  # noqa: F401
    except OSError as missing:
        packages = _PACKAGES.get(sys.platform, _PACKAGES["linux"])
        first = str(missing).splitlines()[0]
        raise PangoMissingError(Problem("runner.no_pango", packages=packages, given=first)) from missing


def for_paper(html: str, language: str) -> str:
    """Return `html` with the style of paper, and with the tables that unfold moved to its end.

    Examples
    --------
    >>> page = '<main><details class="numbers"><summary>x</summary><table id="t">...</table></details></main>'
    >>> print(for_paper(page, "en"))
    <main><p class="numbers-link"><a href="#t">Numbers as a table: page</a></p>
    <h2 id="tables-of-figures">Tables for the figures</h2>
    <table id="t">...</table>
    </main>
    """
    moved: list[str] = []
    # Behind the style of the screen, and not as style sheet of WeasyPrint's, which would count for less.
    style = (TEMPLATE / "paper.css").read_text(encoding="utf-8")
    html = html.replace("</head>", f"<style>\n{style}</style>\n</head>", 1)

    def link(found: re.Match[str]) -> str:
        table = found.group(1).strip()
        moved.append(table)
        anchor = _TABLE_ID.search(table)
        words = escape(text("runner.unfold_on_page", language))
        return f'<p class="numbers-link"><a href="#{anchor.group(1)}">{words}</a></p>' if anchor else ""

    changed = _UNFOLDS.sub(link, html)
    if not moved:
        return changed
    title = escape(text("runner.tables_of_figures", language))
    tables = "\n".join(moved)
    entry = f'<li><a href="#tables-of-figures">{title}</a></li>'
    changed = _END_OF_CONTENTS.sub(lambda found: f"{entry}\n{found.group()}", changed, count=1)
    return changed.replace("</main>", f'\n<h2 id="tables-of-figures">{title}</h2>\n{tables}\n</main>', 1)


def pdf(html: str, language: str) -> bytes:
    """Return the report as PDF/UA-1.

    Parameters
    ----------
    html
        The whole report; nothing is fetched for it.
    language
        ``de`` or ``en``.
    """
    load()
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    fonts = FontConfiguration()
    only_inside = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    document = HTML(string=for_paper(html, language), url_fetcher=only_inside)
    identifier = hashlib.sha256(html.encode("utf-8")).hexdigest()[:32].encode("ascii")
    with _without_collecting():
        made: bytes = document.write_pdf(
            font_config=fonts,
            pdf_variant="pdf/ua-1",
            pdf_identifier=identifier,
            finisher=_name_scopes,
        )
    return made


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep Python from looking for garbage: hundreds of pages make millions of objects, and next to none of it is."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _name_scopes(_document: object, made: Any) -> None:
    """Say of every table head whether it heads a column or a row; WeasyPrint only links cells to heads."""
    for element in made.objects:
        if isinstance(element, dict) and element.get("S") == "/TH":
            section = _parent(made, _parent(made, element))
            element["A"]["Scope"] = "/Column" if section.get("S") == "/THead" else "/Row"


def _parent(made: Any, element: Any) -> Any:
    number = int(bytes(element["P"]).split()[0])
    return made.objects[number]
