"""What can go wrong, said so that the reader can mend it: what, where, with which value, what to do next.

An error carries *all* problems of a step. A problem holds a text key and values; the words are made in the
language of the project.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from evaluation.texts import has_text, text


@dataclass(frozen=True, init=False)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    code
        Text key; ``<code>.problem`` says what is wrong, ``<code>.remedy`` what to do.
    table, file, row, column, value
        Where it is, as far as known; the row is the one that the user sees in the file.
    **values
        Everything else that the sentences mention.
    """

    code: str
    table: str | None = None
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: object | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def __init__(
        self,
        code: str,
        *,
        table: str | None = None,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        value: object | None = None,
        **values: object,
    ) -> None:
        places = {"table": table, "file": file, "row": row, "column": column, "value": value}
        for name, given in {"code": code, "values": values, **places}.items():
            object.__setattr__(self, name, given)

    def worded(self, language: str = "en") -> str:
        """Return place, problem and remedy as one line in `language`."""
        given = {name: getattr(self, name) for name in ("file", "table", "row", "column", "value")}
        where = [text(f"core.where.{name}", language, **{name: v}) for name, v in given.items() if v is not None]
        filled = {**given, **self.values}
        sentences = [text(f"{self.code}.problem", language, **filled)]
        if has_text(f"{self.code}.remedy", language):
            remedy = text(f"{self.code}.remedy", language, **filled).strip()
            sentences.append(text("core.remedy.prefix", language, remedy=remedy))
        place = ", ".join(where)
        return (f"{place[0].upper()}{place[1:]}: " if place else "") + " ".join(sentences)


class EvaluationError(Exception):
    """The base of all errors that the package raises on purpose."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def worded(self, language: str = "en") -> str:
        """Return all problems, one a line, in `language`."""
        return "\n".join(problem.worded(language) for problem in self.problems)

    def __str__(self) -> str:
        return self.worded("en")


class DataError(EvaluationError):
    """The data do not keep their contract."""


class DesignError(EvaluationError):
    """A study or survey design is not possible with these data."""


class EstimationError(EvaluationError):
    """An estimate does not exist for these data."""


class ReportError(EvaluationError):
    """A report cannot be written."""


def nearest(given: object, valid: Iterable[object]) -> str | None:
    """Return the valid value most like `given`, or None where nothing resembles it.

    Examples
    --------
    >>> nearest("unsafe_nigth", ["unsafe_night", "unsafe_day"])
    'unsafe_night'
    >>> nearest("0", ["00", "01"])
    '00'
    """
    words = [str(word) for word in valid]
    wanted = str(given)
    if wanted.isdigit() and wanted.zfill(2) in words:
        return wanted.zfill(2)
    return next(iter(get_close_matches(wanted, words, n=1, cutoff=0.4)), None)
