"""Multiplier draws: sums of influences with random factors, in blocks, the same on every run.

Factors have mean zero and variance one: signs (Rademacher), Mammen's two points, or standard normal numbers. They come
from a fixed number of streams, so that results do not depend on how many processes there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

Multiplier = Literal["rademacher", "mammen", "normal"]
MULTIPLIERS = ("rademacher", "mammen", "normal")
BLOCKS = 16
CELLS = 2**22  # factors held at a time
MAMMEN = (1 - 5**0.5) / 2, (1 + 5**0.5) / 2, round((5**0.5 - 1) / (2 * 5**0.5) * 2**16)  # low, high, chance of high


def streams(draws: int, seed: int) -> Iterator[tuple[int, np.random.Generator]]:
    """Yield sizes that add up to `draws`, each with a generator of its own."""
    sizes = np.full(BLOCKS, draws // BLOCKS) + (np.arange(BLOCKS) < draws % BLOCKS)
    for size, stream in zip(sizes.tolist(), np.random.SeedSequence(seed).spawn(BLOCKS), strict=True):
        if size:
            yield size, np.random.default_rng(stream)


def portions(rows: int, columns: int) -> Iterator[int]:
    """Yield numbers of rows that add up to `rows`, with few enough cells each."""
    most = max(1, CELLS // max(columns, 1))
    yield from (min(most, rows - start) for start in range(0, rows, most))


def random_bits(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return ``(rows, columns)`` zeros and ones, each with probability one half."""
    words = generator.integers(0, 2**64, size=(rows, -(-columns // 64)), dtype=np.uint64)
    return np.unpackbits(words.view(np.uint8), axis=1, count=columns)


def _rare_bits(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return ``(rows, columns)`` whether Mammen's upper point was drawn."""
    words = generator.integers(0, 2**64, size=(rows, -(-columns // 4)), dtype=np.uint64)
    return np.asarray(words.view(np.uint16)[:, :columns] < MAMMEN[2])


def multiplier_draws(
    values: np.ndarray,
    std_error: np.ndarray,
    *,
    draws: int,
    seed: int,
    multiplier: Multiplier = "normal",
    df: float = np.inf,
) -> Iterator[np.ndarray]:
    """Yield blocks ``(b, k)`` of studentised draws ``sum_i w_i values_i / std_error``.

    Parameters
    ----------
    values, std_error
        ``(m, k)`` influences of mean zero, and ``(k,)``.
    draws
        Rows of all blocks together.
    df
        Every draw is divided by the root of a chi-square over `df`, as Student's t is; infinite: it is not.

    Notes
    -----
    Normal factors see only ``values' values``: they are drawn for ``k`` axes instead of ``m`` units. Two-point factors
    are multiplied in single precision, which is exact to about 1e-6 of a standard error.
    """
    if multiplier != "normal":
        narrow = values.astype(np.float32)
        narrow /= std_error.astype(np.float32)
    elif values.shape[0] > values.shape[1]:
        lengths, axes = np.linalg.eigh(values.T @ values / np.outer(std_error, std_error))
        narrow = (axes * np.sqrt(np.maximum(lengths, 0.0))).T
    else:
        narrow = values / std_error
    for size, generator in streams(draws, seed):
        for rows in portions(size, len(narrow)):
            drawn = _drawn(narrow, rows, generator, multiplier)
            yield drawn if np.isinf(df) else drawn / np.sqrt(generator.chisquare(df, (rows, 1)) / df)


def _drawn(values: np.ndarray, rows: int, generator: np.random.Generator, multiplier: Multiplier) -> np.ndarray:
    if multiplier == "normal":
        return np.asarray(generator.standard_normal((rows, len(values))) @ values)
    low, high, bits = -1.0, 1.0, random_bits
    if multiplier == "mammen":
        low, high, bits = MAMMEN[0], MAMMEN[1], _rare_bits
    chosen = bits(generator, rows, len(values)).astype(np.float32) @ values
    return np.asarray(low * values.sum(axis=0, dtype=float) + (high - low) * chosen)
