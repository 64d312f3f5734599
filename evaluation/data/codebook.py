"""The contracts as a codebook for readers, in Markdown."""

from collections.abc import Sequence

from evaluation.data.contracts import CONTRACTS, Column, Contract, contract_of
from evaluation.texts import text

_FIELDS = ("column", "name", "kind", "required", "allowed", "meaning", "example")


def codebook(language: str, *, table: str | None = None) -> str:
    """Return the codebook of one table, or of all.

    Raises
    ------
    DataError
        There is no such table.

    Examples
    --------
    >>> print(codebook("en", table="inhabitants").splitlines()[0])
    # Codebook
    """
    chosen = [contract_of(table)] if table else list(CONTRACTS.values())
    parts = [f"# {_word('title', language)}", _word("intro", language)]
    for contract in chosen:
        parts.append(f"## {contract.label[language]} (`{contract.name}`)")
        if contract.key:
            labels = [contract.column(name).label[language] for name in contract.key]
            parts.append(_word("key", language, columns=labels))
        parts.append(_table(contract, language))
    return "\n\n".join(parts) + "\n"


def rows(contract: Contract, language: str) -> list[tuple[str, ...]]:
    """Return one row a column: heading, name, kind with unit, required, allowed values, meaning, example."""
    return [
        (
            column.label[language],
            column.name,
            _kind(column, language),
            _required(column, language),
            _allowed(column, language),
            contract.describe(column.name, language),
            column.example,
        )
        for column in contract.columns
    ]


def heading_row(language: str) -> tuple[str, ...]:
    """Return the headings of :func:`rows`."""
    return tuple(_word(name, language) for name in _FIELDS)


def _table(contract: Contract, language: str) -> str:
    named = [(row[0], f"`{row[1]}`", *row[2:]) for row in rows(contract, language)]
    return "\n".join([_line(heading_row(language)), _line(["---"] * len(_FIELDS)), *map(_line, named)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(column: Column, language: str) -> str:
    kind = text(f"data.kind.{column.kind}", language)
    return f"{kind}; {text(f'data.unit.{column.unit}', language)}" if column.unit else kind


def _required(column: Column, language: str) -> str:
    if not column.required:
        return _word("optional", language)
    return _word("may_be_empty", language) if column.nullable else _word("yes", language)


def _allowed(column: Column, language: str) -> str:
    said = [f"{label[language]} (`{code}`)" for code, label in column.allowed.items()]
    if column.minimum is not None:
        said.append(_word("from_minimum", language, minimum=column.minimum))
    if column.above is not None:
        said.append(_word("above", language, above=column.above))
    if column.past:
        said.append(_word("not_future", language))
    return ", ".join(said)


def _word(name: str, language: str, **values: object) -> str:
    return text(f"data.book.{name}", language, **values)
