"""Hadamard matrices: orders for balanced half-samples up to many strata, without tables."""

from __future__ import annotations

from functools import cache

import numpy as np


def hadamard(columns: int) -> np.ndarray:
    """Return ``(R, R)`` signs with orthogonal columns, the first all ones, of the smallest known order ``R > columns``.

    Notes
    -----
    Orders are 1, 2, ``q + 1`` for primes ``q = 3 (mod 4)``, ``2 (q + 1)`` for primes ``q = 1 (mod 4)`` (Paley 1933),
    and products of such (Sylvester 1867). Up to 10,000 an order is never more than 48 above the number of columns.

    Examples
    --------
    >>> h = hadamard(4)
    >>> len(h), bool((h.T @ h == 8 * np.eye(8)).all())
    (8, True)
    """
    order = columns + 1
    while (matrix := _of_order(order)) is None:
        order += 1
    normal = matrix * matrix[:, :1]
    return np.asarray(normal * normal[:1])


def _of_order(order: int) -> np.ndarray | None:
    """Return a Hadamard matrix of an order, or None where these constructions have none."""
    if order in (1, 2):
        return np.array([[1, 1], [1, -1]])[:order, :order]
    if order % 4:
        return None
    half = _of_order(order // 2)
    if half is not None:
        return np.kron(np.array([[1, 1], [1, -1]]), half)
    if _prime(order - 1):
        return _paley(order - 1)
    if order // 2 - 1 > 2 and (order // 2 - 1) % 4 == 1 and _prime(order // 2 - 1):
        return _paley_doubled(order // 2 - 1)
    return None


@cache
def _prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _residues(q: int) -> np.ndarray:
    """Return ``(q, q)`` 1 where the difference of row and column is a square modulo q, -1 where not, 0 where zero."""
    character = np.full(q, -1)
    character[np.arange(1, q) ** 2 % q] = 1
    character[0] = 0
    return np.asarray(character[np.subtract.outer(np.arange(q), np.arange(q)) % q])


def _paley(q: int) -> np.ndarray:
    matrix = np.ones((q + 1, q + 1), dtype=int)
    matrix[1:, 0] = -1
    matrix[1:, 1:] = _residues(q) + np.eye(q, dtype=int)
    return matrix


def _paley_doubled(q: int) -> np.ndarray:
    core = np.ones((q + 1, q + 1), dtype=int)
    core[0, 0] = 0
    core[1:, 1:] = _residues(q)
    diagonal = np.eye(q + 1, dtype=int)
    return np.kron(core, np.array([[1, 1], [1, -1]])) + np.kron(diagonal, np.array([[1, -1], [-1, -1]]))
