"""Where a fault is, as the reader of the file sees it: file, table, row of the file, heading of the column."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluation.errors import Problem

SHOWN = 5  # rows that are listed one by one; all are counted


@dataclass(frozen=True, kw_only=True)
class Place:
    """A table in a file.

    Parameters
    ----------
    table, file
        Names in messages.
    headings
        Headings in the file by our names, where they differ.
    """

    table: str
    file: str
    headings: Mapping[str, str] = field(default_factory=dict)

    def heading(self, column: str) -> str:
        """Return the heading of a column as the reader sees it in the file."""
        return self.headings.get(column, column)

    def problem(
        self, code: str, column: str | None = None, *, row: int | None = None, value: object = None, **values: object
    ) -> Problem:
        """Return a problem at this place; `column` is our name."""
        heading = None if column is None else self.heading(column)
        return Problem(code, table=self.table, file=self.file, row=row, column=heading, value=value, **values)

    def listed(self, code: str, column: str, shown: Mapping[int, object], n: int, **values: object) -> list[Problem]:
        """Return a problem for each row that is shown, and one that counts the others.

        Parameters
        ----------
        code, column
            Text key, and our name of the column.
        shown
            Values by row of the file; the first `SHOWN` are listed.
        n
            Number of rows with the same fault.
        **values
            What the sentences mention besides.
        """
        first = list(shown.items())[:SHOWN]
        problems = [self.problem(code, column, row=int(row), value=value, **values) for row, value in first]
        if n > len(problems):
            problems.append(self.problem("data.more_rows", column, n=n - len(problems), total=n))
        return problems
