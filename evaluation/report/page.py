"""Blocks become accessible HTML, and what one cell of a report notebook shows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.disclosure import Published
from evaluation.report.blocks import Block, NoteBlock
from evaluation.texts import text

if TYPE_CHECKING:
    from jinja2 import Environment

MIME = "application/vnd.kooperation-evaluation+json"
"""Media type under which a page hands published values and gaps to the runner."""


_TOGETHER = re.compile(r"((?<![\w-])(?:95-%|p)-\w+)")
"""Words with a hyphen at which no line may end: "95-%-Bereich", "p-Wert"."""


def kept_together(words: str) -> list[tuple[str, bool]]:
    """Return `words` in parts, and for each whether its line must not end inside.

    Examples
    --------
    >>> kept_together("ohne 95-%-Bereich.")
    [('ohne ', False), ('95-%-Bereich', True), ('.', False)]
    """
    parts = _TOGETHER.split(words)
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "template"
    return Environment(
        loader=FileSystemLoader(folder, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(block: Block, language: str) -> str:
    """Return `block` as HTML in `language`."""
    macros: Any = (
        _environment()
        .get_template("blocks.html.j2")
        .make_module({"language": language, "text": text, "kept_together": kept_together})
    )
    return str(macros.block(block)).strip()


@dataclass(frozen=True)
class Page:
    """What one cell of a report notebook shows: blocks in the language of the report.

    A notebook displays it as HTML; beside the HTML stand the published values and gaps, from which the runner
    collects ``results.csv`` and ``run.json``.
    """

    blocks: tuple[Block, ...]
    language: str

    def html(self) -> str:
        """Return all blocks as HTML."""
        return "\n".join(render(block, self.language) for block in self.blocks)

    def walk(self) -> Iterator[Block]:
        """Return all blocks, also those inside others, in reading order."""
        for block in self.blocks:
            yield from block.walk()

    def facts(self) -> dict[str, Any]:
        """Return published values and gaps, as plain values."""
        sets: dict[int, Published] = {}
        rows: list[Mapping[str, Any]] = []
        for block in self.walk():
            for published in block.results:
                if not any(published is seen for seen in sets.values()):
                    sets[len(sets)] = published
                    rows.extend(published.results())
        notes = [block for block in self.walk() if isinstance(block, NoteBlock)]
        return {
            "results": rows,
            "gaps": [{"subject": n.subject, "words": n.words} for n in notes if n.kind == "gap"],
            "missing": [{"subject": n.subject, "words": n.words} for n in notes if n.kind == "missing"],
        }

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/html": self.html(), "text/plain": repr(self), MIME: self.facts()}

    def __repr__(self) -> str:
        return f"Page of {len(self.blocks)} blocks ({', '.join(type(block).__name__ for block in self.blocks)})"
