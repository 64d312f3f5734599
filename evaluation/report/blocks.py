"""The pieces a report is made of; :mod:`evaluation.report.page` makes HTML of them.

A block holds finished words and never computes. Whatever a block shows as a number belongs to the `Published`
values in its `results`, from which ``results.csv`` is collected. Text is text: nothing in a block is read as
markup.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from evaluation.disclosure import Published
from evaluation.errors import Problem, ReportError

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_NARROW, _NORMAL = 3, 10  # columns
_FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slug(words: str) -> str:
    """Return an anchor made of `words`.

    Examples
    --------
    >>> slug("1 Wie wird die Umsetzung beurteilt?")
    'wie-wird-die-umsetzung-beurteilt'
    """
    folded = words.lower().translate(_FOLDED)
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-").lstrip("0123456789-") or "abschnitt"


def _checked_id(given: str, words: str) -> str:
    chosen = given or slug(words)
    if not _ID.fullmatch(chosen):
        raise ReportError(Problem("runner.bad_anchor", given=chosen))
    return chosen


def _need_text(kind: str, name: str, words: str) -> None:
    if not words.strip():
        raise ReportError(Problem(f"runner.no_{name}", given=kind))


class Block:
    """One piece of the report; `results` are the published values that it shows."""

    macro: ClassVar[str]
    results: tuple[Published, ...] = ()

    def inner(self) -> tuple["Block", ...]:
        """Return the blocks inside this one, in reading order."""
        return ()

    def walk(self) -> Iterator["Block"]:
        """Return this block and all blocks inside it, in reading order."""
        yield self
        for block in self.inner():
            yield from block.walk()


@dataclass(frozen=True, kw_only=True)
class TitleBlock(Block):
    """Head of the report; `facts` are version, state, sources; `banner` says "simulierte Daten" and the like."""

    macro = "title"
    title: str
    subtitle: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    banner: str = ""


@dataclass(frozen=True, kw_only=True)
class ContentsBlock(Block):
    """Where the list of contents goes; it is filled in when the whole report is there."""

    macro = "contents"
    title: str


@dataclass(frozen=True)
class Heading(Block):
    """A heading of level 2 (chapter) to 5; level 1 is the title. `id`, the anchor, is else made of the words."""

    macro = "heading"
    words: str
    level: int = 2
    id: str = ""

    def __post_init__(self) -> None:
        _need_text("Heading", "words", self.words)
        if self.level not in range(2, 6):
            raise ReportError(Problem("runner.bad_level", given=self.level, words=self.words))
        object.__setattr__(self, "id", _checked_id(self.id, self.words))


@dataclass(frozen=True)
class Paragraph(Block):
    """One paragraph; ``answer`` opens a chapter, ``small`` is for remarks. `lead` is set in bold before it."""

    macro = "paragraph"
    words: str
    kind: Literal["body", "answer", "small"] = "body"
    lead: str = ""
    results: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        _need_text("Paragraph", "words", self.words)


@dataclass(frozen=True)
class ListBlock(Block):
    """A list of sentences."""

    macro = "list"
    items: tuple[str, ...]
    ordered: bool = False
    results: tuple[Published, ...] = ()


@dataclass(frozen=True)
class FactsBlock(Block):
    """Terms with what belongs to them: a glossary, the facts of a measure."""

    macro = "facts"
    items: tuple[tuple[str, str], ...]
    results: tuple[Published, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """Head of a column; neighbours with the same `group` share a head above them."""

    title: str
    align: Literal["start", "end"] = "start"
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """What stands in a cell.

    `spoken` is read aloud instead of `words` that are a mere sign, `target` is an anchor (``#A2``), `mark`
    the letter of a note below the table.
    """

    words: str
    spoken: str = ""
    target: str = ""
    mark: str = ""

    def __post_init__(self) -> None:
        if self.target and not self.target.startswith("#"):
            raise ReportError(Problem("runner.outside_link", given=self.target))


@dataclass(frozen=True, kw_only=True)
class TableBlock(Block):
    """A table with caption and scopes.

    Parameters
    ----------
    id
        Anchor.
    caption
        What the table shows: outcome, unit, place, time.
    columns, rows
        Heads, and rows of as many cells; a plain string is a cell. The first `row_heads` cells are the head
        of a row.
    source
        Source line.
    notes
        Sentences below the table.
    totals
        The last rows that are totals.
    """

    macro = "table"
    id: str
    caption: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    row_heads: int = 1
    source: str = ""
    notes: tuple[str, ...] = ()
    totals: int = 0
    results: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        _need_text("TableBlock", "caption", self.caption)
        _checked_id(self.id, "")
        cells = tuple(tuple(_cell(cell) for cell in row) for row in self.rows)
        object.__setattr__(self, "rows", cells)
        uneven = [len(row) for row in cells if len(row) != len(self.columns)]
        if uneven:
            raise ReportError(Problem("runner.uneven_table", given=uneven[0], id=self.id, columns=len(self.columns)))

    @property
    def width(self) -> Literal["narrow", "normal", "wide"]:
        """How much room the table needs: few columns of numbers little; a wide one is printed across the page."""
        columns = len(self.columns)
        if columns > _NORMAL:
            return "wide"
        numbers = all(column.align == "end" for column in self.columns[self.row_heads :])
        return "narrow" if columns <= _NARROW and numbers else "normal"

    def groups(self) -> list[tuple[str, int]]:
        """Return the heads above the columns and how many columns each spans; empty where there are none."""
        groups: list[tuple[str, int]] = []
        for column in self.columns:
            if groups and column.group and groups[-1][0] == column.group:
                groups[-1] = (column.group, groups[-1][1] + 1)
            else:
                groups.append((column.group, 1))
        return groups if any(name for name, _ in groups) else []


def _cell(given: TableCell | str) -> TableCell:
    return TableCell(words=given) if isinstance(given, str) else given


@dataclass(frozen=True, kw_only=True)
class FigureBlock(Block):
    """A picture whose title is its finding.

    Parameters
    ----------
    id
        Anchor.
    image
        SVG or PNG, as :mod:`evaluation.report.images` writes it.
    alt
        What the picture shows, for those who do not see it: kind of picture, axes, the main message.
    finding
        The title.
    source
        Source line.
    table
        The numbers of the picture; unfolds below it. None where they stand in another table of the same page.
    note
        A warning beside the picture: a break in the series, a changed mode.
    """

    macro = "figure"
    id: str
    image: bytes
    alt: str
    finding: str
    source: str
    table: TableBlock | None = None
    note: str = ""
    results: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        for name in ("alt", "finding", "source"):
            _need_text(f"FigureBlock {self.id}", name, getattr(self, name))
        _checked_id(self.id, "")
        if not self.media_type:
            raise ReportError(Problem("runner.unknown_image", given=self.id))

    def inner(self) -> tuple[Block, ...]:
        """Return the table that unfolds."""
        return (self.table,) if self.table else ()

    @property
    def media_type(self) -> str:
        """``image/svg+xml`` or ``image/png``; empty for anything else."""
        if self.image.startswith(b"\x89PNG\r\n"):
            return "image/png"
        return "image/svg+xml" if b"<svg" in self.image[:1000] else ""

    @property
    def address(self) -> str:
        """The picture as data address, so that the report is one file."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.image).decode('ascii')}"


@dataclass(frozen=True, kw_only=True)
class NoteBlock(Block):
    """A remark set apart.

    ``note`` explains, ``warning`` stands beside numbers that may mislead, ``missing`` says which data were
    not delivered and which question they would answer, ``gap`` says that something the project declares
    could not be done: a report with gaps ends with exit code 3. `subject` names what is missing (measure,
    part, study) for ``run.json``.
    """

    macro = "note"
    words: str
    kind: Literal["note", "warning", "missing", "gap"] = "note"
    title: str = ""
    subject: str = ""
    results: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        _need_text("NoteBlock", "words", self.words)
        if self.kind in {"missing", "gap"} and not self.subject:
            raise ReportError(Problem("runner.no_subject", given=self.words))


@dataclass(frozen=True, kw_only=True)
class GroupBlock(Block):
    """Blocks that belong together: page one (``summary``), a page of the register (``measure``), an ``aside``."""

    macro = "group"
    id: str
    blocks: tuple[Block, ...]
    kind: Literal["summary", "measure", "aside", "part"] = "part"

    def __post_init__(self) -> None:
        _checked_id(self.id, "")

    def inner(self) -> tuple[Block, ...]:
        """Return the blocks of the group."""
        return self.blocks
