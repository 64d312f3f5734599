"""Draws that are the same on every machine: one uniform number a draw, turned into a value by inversion.

Samplers that accept and reject may change with a library version, and then shift every later draw. Here only the bit
stream of PCG64 is used, which numpy never changes, and one number is consumed for each value whatever comes out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


class Stream:
    """An endless row of uniform numbers that belongs to one block of the simulation.

    Parameters
    ----------
    seed
        Seed of the whole simulation, or the sequence of a block.

    Examples
    --------
    >>> first, second = Stream(1).spawn("counts", "survey").values()
    >>> first.uniform(2).shape
    (2,)
    """

    def __init__(self, seed: int | np.random.SeedSequence) -> None:
        self.sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        self._bits = np.random.PCG64(self.sequence)

    def spawn(self, *names: str) -> dict[str, "Stream"]:
        """Return one independent stream for each block, in a fixed order."""
        children = np.random.SeedSequence(self.sequence.entropy, spawn_key=self.sequence.spawn_key).spawn(len(names))
        return {name: Stream(child) for name, child in zip(names, children, strict=True)}

    def uniform(self, shape: int | Sequence[int]) -> Floats:
        """Return uniform numbers strictly between 0 and 1."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        raw = self._bits.random_raw(int(np.prod(shape)))
        values: Floats = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
        return values.reshape(shape)

    def normal(self, shape: int | Sequence[int]) -> Floats:
        """Return standard normal numbers."""
        values: Floats = ndtri(self.uniform(shape))
        return values

    def poisson(self, mean: ArrayLike) -> NDArray[np.int64]:
        """Return one Poisson count for each mean."""
        expected = np.asarray(mean, dtype=float)
        return poisson_quantile(self.uniform(expected.shape), expected)

    def chance(self, probability: ArrayLike) -> NDArray[np.bool_]:
        """Return True with the probability of each element."""
        limit = np.asarray(probability, dtype=float)
        drawn: NDArray[np.bool_] = self.uniform(limit.shape) < limit
        return drawn

    def choice(self, weights: ArrayLike, size: int) -> NDArray[np.int64]:
        """Return `size` positions drawn with probabilities proportional to `weights`."""
        return position(self.uniform(size), weights)


def poisson_quantile(uniform: Floats, mean: Floats) -> NDArray[np.int64]:
    """Return the smallest count whose Poisson distribution function reaches `uniform`, element by element.

    Examples
    --------
    >>> poisson_quantile(np.array([0.1, 0.5, 0.99]), np.array([2.0, 2.0, 2.0])).tolist()
    [0, 2, 6]
    """
    counts = np.zeros(mean.shape, dtype=np.int64)
    probability = np.exp(-mean)
    reached = probability.copy()
    # From about 700 on exp(-mean) is 0; no area has so many cases of one kind in a month.
    if (mean > 500).any():
        raise ValueError(f"means up to 500 are possible; got {mean.max():.0f}")
    open_cells = uniform > reached
    k = 0
    while open_cells.any():
        k += 1
        probability *= mean / k
        reached += probability
        counts[open_cells] = k
        # Rounding keeps the sum of all probabilities a little under 1: where nothing is added any more, it is enough.
        open_cells &= (uniform > reached) & ((probability > 1e-18) | (k < mean))
    return counts


def position(uniform: Floats, weights: ArrayLike) -> NDArray[np.int64]:
    """Return the position in `weights` at which the cumulated share passes `uniform`.

    Examples
    --------
    >>> position(np.array([0.05, 0.2, 0.9]), [1, 0, 3, 6]).tolist()
    [0, 2, 3]
    """
    cumulated = np.cumsum(np.asarray(weights, dtype=float))
    found = np.searchsorted(cumulated, uniform * cumulated[-1], side="right")
    result: NDArray[np.int64] = np.minimum(found, len(cumulated) - 1)
    return result
