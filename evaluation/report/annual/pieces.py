"""Small pieces that several chapters use: a figure with its numbers, titles of measures, the state of data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.agreement.register import Measure, template_agreement
from evaluation.data.periods import frequency_of
from evaluation.disclosure import Published
from evaluation.report.blocks import Block, FigureBlock, NoteBlock, TableBlock, TableCell
from evaluation.report.images import svg
from evaluation.report.material.sources import joined
from evaluation.texts import has_text, text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from evaluation.report.context import Context
    from evaluation.report.material import Material


def figure(
    drawn: "Figure",
    *,
    id: str,
    finding: str,
    alt: str,
    table: TableBlock | None,
    results: Sequence[Published],
    counted: Sequence[Published] = (),
    note: str = "",
) -> FigureBlock:
    """Return a drawn figure with its finding, source line and numbers.

    Parameters
    ----------
    drawn
        From :mod:`evaluation.figures`.
    id, finding, alt, table, note
        As for :class:`FigureBlock`.
    results
        What the figure shows; its source line is made of theirs.
    counted
        Numbers of the finding that were counted from `results`.
    """
    return FigureBlock(
        id=id,
        image=svg(drawn),
        alt=alt,
        finding=finding,
        source=joined(published.source for published in results),
        table=table,
        note=note,
        results=(*results, *counted),
    )


def short_title(measure: Measure, language: str) -> str:
    """Return the short title of a measure of the standard register, else its whole title."""
    standard = template_agreement().measures.get(measure.id)
    key = f"report.short.{measure.id}"
    if standard is not None and standard.title == measure.title and has_text(key, language):
        return text(key, language)
    return measure.title[language]


def named(measure: Measure, language: str) -> str:
    """Return id and short title."""
    return f"{measure.id} {short_title(measure, language)}"


def anchor(measure: Measure) -> str:
    """Return the id of a measure's page in the report."""
    return f"massnahme-{measure.id}"


def period_words(period: str | None, language: str) -> str:
    """Return a period as a reader writes it: months by name.

    Examples
    --------
    >>> period_words("2023-05", "de"), period_words("2019", "de")
    ('Mai 2023', '2019')
    """
    if not period:
        return ""
    return format_value(period, "month" if frequency_of(period) == "month" else "", language)


def told(material: "Material", key: str, /, **values: object) -> str:
    """Return the words of ``report_survey.<key>``; ``<key>_one`` where `n` is 1."""
    single = f"report_survey.{key}_one"
    chosen = single if values.get("n") == 1 and has_text(single, material.language) else f"report_survey.{key}"
    return text(chosen, material.language, **values)


def row(*cells: TableCell | str) -> tuple[TableCell, ...]:
    """Return the cells of a row, words as cells."""
    return tuple(TableCell(words=cell) if isinstance(cell, str) else cell for cell in cells)


def missing(context: "Context", key: str, *, subject: str, **values: object) -> NoteBlock:
    """Return the note of a chapter without content: which data are missing, and which question they would answer."""
    return NoteBlock(
        words=context.text(key, **values), kind="missing", title=context.text("report.missing.title"), subject=subject
    )


def without_empty(*blocks: Block | None) -> list[Block]:
    """Return the blocks that are there."""
    return [block for block in blocks if block is not None]
