"""Published values become tables: numbers in the reader's language, marks for what is not shown, and a legend.

Marks are those of German official statistics: ``.`` not shown to protect small counts, ``/`` not shown because
answers are few, ``( )`` few answers, ``…`` no value. A letter refers to a note below the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from evaluation.disclosure import Cell, Published
from evaluation.report.blocks import TableBlock, TableCell, TableColumn
from evaluation.texts import text
from evaluation.texts.numbers import format_value

_MARKS = {
    "runner.note.small_cell": ("small_cell", "."),
    "runner.note.few_answers": ("few_answers", "/"),
    "runner.note.no_value": ("no_value", "…"),
}
_LEGEND = ("small_cell", "few_answers", "flagged", "no_value")
_TIMES = (("period",), ("year",), ("wave",))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a table is laid out.

    Parameters
    ----------
    id, caption, language
        Anchor, what the table shows, and in which language.
    rows
        Key and label columns that make up the heads of the rows, in this order.
    heads
        Title of each of them; a missing title is the name of the column.
    interval
        Whether the 95 % interval stands in a column of its own.
    cases
        Title of a column of its own for the number of cases or answers; none if empty.
    totals
        How many of the last rows are totals.
    value
        Title of the column of values; else the words of the unit.
    """

    id: str
    caption: str
    language: str
    rows: tuple[str, ...]
    heads: Mapping[str, str] = field(default_factory=dict)
    interval: bool = False
    cases: str = ""
    totals: int = 0
    value: str = ""


@dataclass
class _Legend:
    """Collects which marks and letters a table uses, in the order of their first use."""

    language: str
    marks: set[str] = field(default_factory=set)
    letters: dict[str, str] = field(default_factory=dict)

    def letter(self, sentence: str) -> str:
        """Return the letter of a note, a new one where the note is new."""
        if sentence not in self.letters:
            number = len(self.letters)
            self.letters[sentence] = _LETTERS[number] if number < len(_LETTERS) else str(number + 1)
        return self.letters[sentence]

    def sentences(self) -> tuple[str, ...]:
        """Return the legend, marks first."""
        marks = [text(f"runner.legend.{mark}", self.language) for mark in _LEGEND if mark in self.marks]
        return (*marks, *(f"{letter}) {sentence}" for sentence, letter in self.letters.items()))


def interval_words(cell: Cell, number: str, language: str) -> str:
    """Return the 95 % interval in words; an end that is open is said to be open."""
    if cell.conf_low is None and cell.conf_high is None:
        return ""
    low = format_value(cell.conf_low, number, language)
    high = format_value(cell.conf_high, number, language)
    if cell.conf_low is None:
        return text("runner.interval.up_to", language, high=high)
    if cell.conf_high is None:
        return text("runner.interval.from", language, low=low)
    return text("runner.interval.both", language, low=low, high=high)


def _value_cell(cell: Cell, published: Published, legend: _Legend, number: str) -> TableCell:
    language = legend.language
    codes = cell.note.split()
    mark = next((_MARKS[code] for code in codes if code in _MARKS), None)
    if cell.value is None:
        name, sign = mark or ("no_value", "…")
        others = [code for code in codes if code not in _MARKS]
        if others:
            return _noted("…", others, published, legend, spoken=text("runner.spoken.no_value", language))
        legend.marks.add(name)
        return TableCell(words=sign, spoken=text(f"runner.spoken.{name}", language))
    words = format_value(cell.value, number, language)
    if cell.flagged:
        words = f"({words})"
        if "runner.note.flagged_answers" in codes:  # a large uncertainty has a letter of its own
            legend.marks.add("flagged")
    return _noted(words, [c for c in codes if c != "runner.note.flagged_answers"], published, legend)


def _noted(words: str, codes: list[str], published: Published, legend: _Legend, *, spoken: str = "") -> TableCell:
    sentences = [text(code, legend.language, **published.facts) for code in codes]
    return TableCell(words=words, spoken=spoken, mark=" ".join(legend.letter(s) for s in sentences))


def side_by_side(sets: Mapping[str, Published], layout: Layout) -> TableBlock:
    """Return one row a key and one column (or group of columns) a set.

    Parameters
    ----------
    sets
        Title of the column, and its values. Rows are matched by the keys that `layout.rows` names; each set
        has at most one value for a row.
    layout
        Heads, caption, language.
    """
    language, legend = layout.language, _Legend(layout.language)
    columns = [TableColumn(title=layout.heads.get(name, name)) for name in layout.rows]
    parts = {title: _parts(published, layout) for title, published in sets.items()}
    for title, names in parts.items():
        alone = len(names) == 1
        columns += [
            TableColumn(title=title if alone else words, align="end", group="" if alone else title)
            for words in names.values()
        ]
    found: dict[tuple[str, ...], dict[str, Cell]] = {}
    for title, published in sets.items():
        heads = published.frame[list(layout.rows)].astype("str").itertuples(index=False, name=None)
        for head, cell in zip(heads, published.cells(), strict=True):
            found.setdefault(head, {})[title] = cell
    rows = []
    in_time = layout.rows in _TIMES
    for head, cells in sorted(found.items()) if in_time else found.items():
        row = [TableCell(words=word) for word in head]
        for title, names in parts.items():
            row += [_part_cell(name, cells.get(title), sets[title], legend) for name in names]
        rows.append(tuple(row))
    general = dict.fromkeys(note.worded(language) for p in sets.values() for note in p.notes)
    return TableBlock(
        id=layout.id,
        caption=layout.caption,
        columns=tuple(columns),
        rows=tuple(rows),
        row_heads=len(layout.rows),
        source="; ".join(dict.fromkeys(published.source for published in sets.values())),
        notes=(*legend.sentences(), *general),
        totals=layout.totals,
        results=tuple(sets.values()),
    )


def _parts(published: Published, layout: Layout) -> dict[str, str]:
    """Return the columns that a set needs, with their titles."""
    language, frame = layout.language, published.frame
    parts = {"value": layout.value or text(f"runner.unit.{published.unit}", language)}
    if layout.interval and frame[["conf_low", "conf_high"]].notna().any(axis=None):
        parts["interval"] = text("runner.head.interval", language)
    if layout.cases:
        parts["cases"] = layout.cases
    return parts


def _part_cell(part: str, cell: Cell | None, published: Published, legend: _Legend) -> TableCell:
    if cell is None:
        legend.marks.add("no_value")
        return TableCell(words="…", spoken=text("runner.spoken.no_value", legend.language))
    cell, number = _without_unit(cell, published.number)
    if part == "interval":
        words = interval_words(cell, number, legend.language)
        return TableCell(words=words or format_value(None, "int", legend.language))
    if part == "cases":
        return TableCell(words=format_value(cell.cases, "int", legend.language))
    return _value_cell(cell, published, legend, number)


def _without_unit(cell: Cell, number: str) -> tuple[Cell, str]:
    """Return percentage points as plain numbers, because the head of the column names the unit."""
    if not number.startswith("spp"):
        return cell, number
    value, low, high = (None if x is None else 100 * x for x in (cell.value, cell.conf_low, cell.conf_high))
    return replace(cell, value=value, conf_low=low, conf_high=high), number.replace("spp", "snum")


def long_table(published: Published, layout: Layout) -> TableBlock:
    """Return one row a value."""
    return side_by_side({layout.value or text(f"runner.unit.{published.unit}", layout.language): published}, layout)


def wide_table(
    published: Published, layout: Layout, *, columns: str, titles: Mapping[str, str] | None = None
) -> TableBlock:
    """Return one column for each value of the key `columns`, in order of first appearance.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation.disclosure import About, Rules, publish
    >>> frame = pd.DataFrame({"area": ["00", "00"], "year": ["2023", "2024"], "value": [1200, 3]})
    >>> about = About(id="registered.theft", unit="cases", source="Polizei")
    >>> shown = publish(frame, Rules(), about=about, keys=("area", "year"), basis="cases")
    >>> layout = Layout(id="t", caption="Diebstahl", language="de", rows=("area",), heads={"area": "Gebiet"})
    >>> [cell.words for cell in wide_table(shown, layout, columns="year").rows[0]]
    ['00', '1.200', '.']
    """
    named = titles or {}
    values = list(dict.fromkeys(published.frame[columns]))
    sets = {named.get(str(value), str(value)): published.where(**{columns: value}) for value in values}
    return side_by_side(sets, layout)
