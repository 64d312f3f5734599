"""What explains an answer: numbers, categories with a declared reference, and products of them.

Terms become columns of a model matrix, and the matrix is never whole in memory: its columns are made for some
respondents at a time, and a category with many values stays a code for each respondent. What is left out: a
formula language. Names and two classes say the same in a way that can be checked, completed and stored; a formula
library would add a parser, and its matrices would be dense or of another library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

CHUNK = 8192  # respondents whose columns are worked on at once: they stay in the processor's cache
FEW = 8  # categories up to which columns of zeros and ones are quicker than sums by code


@dataclass(frozen=True)
class Category:
    """A column whose values are categories; each is compared with one of them.

    Parameters
    ----------
    column
        Of text, numbers or true and false.
    reference
        The value with which the others are compared.
    """

    column: str
    reference: Any


@dataclass(frozen=True)
class Interaction:
    """Products of the columns of several terms, such as ``Interaction(("treated", Category("wave", "2021")))``.

    Parameters
    ----------
    parts
        Two or more names of numeric columns or categories. Terms of the parts alone are not added.
    """

    parts: tuple[str | Category, ...]


Part = str | Category
Term = str | Category | Interaction


def parts_of(term: Term) -> tuple[Part, ...]:
    """Return the columns of which a term is the product."""
    return term.parts if isinstance(term, Interaction) else (term,)


def name_of(term: Term) -> str:
    """Return the name of a term: its columns, joined by ``:``."""
    return ":".join(column_of(part) for part in parts_of(term))


def column_of(part: Part) -> str:
    """Return the name of the column of a part."""
    return part.column if isinstance(part, Category) else part


@dataclass(frozen=True, eq=False)
class Values:
    """The values of one part for ``n`` respondents.

    Parameters
    ----------
    numbers
        ``(n,)`` of a numeric part, else None.
    codes
        ``(n,)`` position in `levels`, of a category.
    levels
        Values of the category, the reference first.
    """

    numbers: np.ndarray | None = None
    codes: np.ndarray | None = None
    levels: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Block:
    """Columns of one term.

    Parameters
    ----------
    term
        Name of the term; parts are joined by ``:``.
    categories
        Name of each column's category; empty text for a number.
    numbers
        ``(n,)`` what stands in the column, or None for ones.
    codes
        ``(n,)`` in which of the columns it stands, ``len(categories)`` for none; None where there is one column.
    """

    term: str
    categories: tuple[str, ...]
    numbers: np.ndarray | None = None
    codes: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.categories)

    @property
    def coded(self) -> bool:
        """Whether there are so many columns that they are not written out."""
        return self.codes is not None and self.size > FEW

    def take(self, rows: np.ndarray | slice) -> Block:
        """Return the block of some respondents, in the order of `rows`."""
        numbers = None if self.numbers is None else self.numbers[rows]
        codes = None if self.codes is None else self.codes[rows]
        return Block(self.term, self.categories, numbers, codes)

    def write(self, rows: slice, out: np.ndarray) -> None:
        """Write the columns of some respondents into `out` ``(size, rows)``."""
        filling = 1.0 if self.numbers is None else self.numbers[rows]
        if self.codes is None:
            out[0] = filling
            return
        for position in range(self.size):
            np.multiply(self.codes[rows] == position, filling, out=out[position])

    def filled(self, values: np.ndarray) -> np.ndarray:
        """Return ``(n,)`` `values` times what stands in the column."""
        return values if self.numbers is None else values * self.numbers

    def sums(self, values: np.ndarray, groups: np.ndarray | None = None, count: int = 1) -> np.ndarray:
        """Return ``(count, size)`` sums of columns times `values` ``(n,)`` by `groups` ``(n,)`` (None: one group)."""
        filled = self.filled(values)
        if self.codes is None:
            total = filled.sum()[None] if groups is None else np.bincount(groups, filled, minlength=count)
            return np.asarray(total[:, None])
        cells = self.codes if groups is None else groups * (self.size + 1) + self.codes
        sums = np.bincount(cells, filled, minlength=count * (self.size + 1))
        return np.asarray(sums.reshape(count, self.size + 1)[:, : self.size])

    def times(self, coefficients: np.ndarray) -> np.ndarray | float:
        """Return ``(n,)`` the columns' contribution to the linear predictor, a number where all have the same."""
        if self.codes is None:
            return float(coefficients[0]) if self.numbers is None else self.numbers * coefficients[0]
        return self.filled(np.append(coefficients, 0.0)[self.codes])


@dataclass(frozen=True, eq=False)
class Chunk:
    """The columns of some respondents: dense ones written out, then those of large categories as codes.

    Parameters
    ----------
    rows
        Which respondents.
    dense
        ``(d, rows)`` columns; the memory belongs to the matrix and is used again for the next chunk.
    coded
        Large categories.
    """

    rows: slice
    dense: np.ndarray
    coded: tuple[Block, ...]

    def times(self, coefficients: np.ndarray) -> np.ndarray:
        """Return ``(rows,)`` the linear predictor."""
        place = len(self.dense)
        total = coefficients[:place] @ self.dense
        for block in self.coded:
            total += block.times(coefficients[place : place + block.size])
            place += block.size
        return np.asarray(total)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return ``(width,)`` sums of the columns times `values` ``(rows,)``."""
        return np.concatenate([self.dense @ values, *(block.sums(values)[0] for block in self.coded)])

    def gram(self, weights: np.ndarray) -> np.ndarray:
        """Return ``(width, width)`` sums of products of columns times `weights` ``(rows,)``."""
        weighted = self.dense * weights
        if not self.coded:
            return np.asarray(weighted @ self.dense.T)
        d = len(self.dense)
        width = d + sum(block.size for block in self.coded)
        gram, place = np.zeros((width, width)), d
        gram[:d, :d] = weighted @ self.dense.T
        for position, block in enumerate(self.coded):
            own = slice(place, place + block.size)
            for row, values in enumerate(weighted):
                gram[row, own] = gram[own, row] = block.sums(values)[0]
            before = d
            for other in self.coded[:position]:
                crossed = other.sums(block.filled(weights), block.codes, block.size + 1)[: block.size]
                gram[own, before : before + other.size] = crossed
                gram[before : before + other.size, own] = crossed.T
                before += other.size
            gram[own, own] = np.diag(block.sums(block.filled(weights))[0])
            place += block.size
        return gram


@dataclass(frozen=True, eq=False)
class Matrix:
    """A model matrix of ``n`` respondents and ``width`` columns, worked on in chunks.

    Parameters
    ----------
    n
        Number of respondents.
    blocks
        Columns of the terms, large categories last; so are `labels`, coefficients and sums.
    """

    n: int
    blocks: tuple[Block, ...]

    @cached_property
    def width(self) -> int:
        """Number of columns."""
        return sum(block.size for block in self.blocks)

    @property
    def labels(self) -> list[tuple[str, str]]:
        """Term and category of each column."""
        return [(block.term, category) for block in self.blocks for category in block.categories]

    @property
    def sizes(self) -> np.ndarray:
        """``(width,)`` respondents of each column's category; all of them where the column is a number."""
        found = [
            np.array([self.n]) if block.codes is None else np.bincount(block.codes, minlength=block.size)[: block.size]
            for block in self.blocks
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *found])

    @property
    def largest(self) -> np.ndarray:
        """``(width,)`` largest absolute value of each column."""
        found = [
            np.full(block.size, 1.0 if block.numbers is None else max(block.numbers.max(), -block.numbers.min()))
            for block in self.blocks
        ]
        return np.concatenate([np.zeros(0), *found])

    def take(self, rows: np.ndarray | slice) -> Matrix:
        """Return the matrix of some respondents, in the order of `rows`."""
        n = len(range(self.n)[rows]) if isinstance(rows, slice) else len(rows)
        return Matrix(n, tuple(block.take(rows) for block in self.blocks))

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[Chunk]:
        """Yield the columns of the respondents from `start` to `stop`, some at a time."""
        last = self.n if stop is None else stop
        dense = [block for block in self.blocks if not block.coded]
        coded = [block for block in self.blocks if block.coded]
        memory = np.empty((sum(block.size for block in dense), min(CHUNK, max(last - start, 0))))
        for begin in range(start, last, CHUNK):
            rows = slice(begin, min(begin + CHUNK, last))
            columns, place = memory[:, : rows.stop - begin], 0
            for block in dense:
                block.write(rows, columns[place : place + block.size])
                place += block.size
            yield Chunk(rows, columns, tuple(block.take(rows) for block in coded))

    def times(self, coefficients: np.ndarray) -> np.ndarray:
        """Return ``(n,)`` the linear predictor."""
        total, place = np.zeros(self.n), 0
        for block in self.blocks:
            total += block.times(coefficients[place : place + block.size])
            place += block.size
        return total

    def sums(self, values: np.ndarray, groups: np.ndarray | None = None, count: int = 1) -> np.ndarray:
        """Return ``(count, width)`` sums of the columns times `values` ``(n,)`` by `groups` ``(n,)``."""
        found = [block.sums(values, groups, count) for block in self.blocks]
        return np.concatenate([np.zeros((count, 0)), *found], axis=1)


def named(level: Any) -> str:
    """Return a category in words; whole numbers without decimals, as missing values turn codes into such numbers."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)


def make_matrix(terms: Sequence[Term], values: Mapping[Part, Values], n: int, *, intercept: bool) -> Matrix:
    """Return the matrix of `terms` from the values of their parts."""
    blocks = [_block(term, [values[part] for part in parts_of(term)]) for term in terms]
    if intercept:
        blocks.insert(0, Block("intercept", ("",)))
    return Matrix(n, tuple(sorted(blocks, key=lambda block: block.coded)))


def _block(term: Term, values: Sequence[Values]) -> Block:
    name = name_of(term)
    numbers: np.ndarray | None = None
    codes: np.ndarray | None = None
    categories = [""]
    for part in values:
        if part.numbers is not None:
            numbers = part.numbers if numbers is None else numbers * part.numbers
            continue
        if part.codes is None:  # a part has either
            raise TypeError("values without numbers and codes")
        others = [named(level) for level in part.levels[1:]]
        # The reference comes first among the levels and last among the columns, where it is none of them.
        own = np.where(part.codes == 0, len(others), part.codes - 1)
        codes = own if codes is None else _crossed(codes, len(categories), own, len(others))
        categories = [f"{first}:{second}".lstrip(":") for first in categories for second in others]
    return Block(name, tuple(categories), numbers, codes)


def _crossed(first: np.ndarray, first_size: int, second: np.ndarray, second_size: int) -> np.ndarray:
    inside = (first < first_size) & (second < second_size)
    return np.where(inside, first * second_size + second, first_size * second_size)
