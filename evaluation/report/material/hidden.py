"""Counts that are hidden although they are large enough: with them a small one could be computed from a total."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def completing(frame: pd.DataFrame, minimum_cell: int) -> pd.Series:
    """Return which counts would, beside the published total of their period, give a small count away.

    A reader who knows the total of a period subtracts what is shown and has the sum of what is hidden. While that sum
    leaves only one value for a small count (a single hidden cell, or cells that must all be 1), the smallest count
    that is still shown is hidden, too.

    Parameters
    ----------
    frame
        Columns ``area``, ``period`` and ``value`` (counts; missing where the source hid them).
    minimum_cell
        Counts from 1 to below are small.

    Returns
    -------
    pandas.Series
        Truth values with the index of `frame`; False for the small counts themselves.

    Examples
    --------
    >>> frame = pd.DataFrame({"area": ["00", "01", "02", "03"], "period": "2024", "value": [3, 0, 40, 12]})
    >>> completing(frame, 5).tolist()
    [False, False, False, True]
    """
    marks = pd.Series(data=False, index=frame.index)
    for _, rows in frame.groupby("period"):
        # The total counts a cell that the source hid with the middle of its bounds, which a reader can take off.
        counts = rows["value"].to_numpy(dtype="float64", na_value=0.0)
        marks.loc[rows.index] = _beside_total(counts, minimum_cell)
    return marks


def _beside_total(counts: np.ndarray, minimum_cell: int) -> np.ndarray:
    small = (counts > 0) & (counts < minimum_cell)
    marks = np.zeros(len(counts), dtype=bool)
    shown = iter(sorted(np.flatnonzero(counts >= minimum_cell), key=lambda place: (counts[place], place)))
    while small.any() and _determined(counts, small, marks, minimum_cell):
        place = next(shown, None)
        if place is None:
            break  # nothing is left to hide
        marks[place] = True
    return marks


def _determined(counts: np.ndarray, small: np.ndarray, marks: np.ndarray, minimum_cell: int) -> bool:
    """Tell whether the sum of all hidden counts leaves a single value for a small one.

    The reader knows the rule: small counts lie from 1 to below the smallest cell, the others between the smallest cell
    and the smallest count that is shown.
    """
    total = counts[small | marks].sum()
    shown = counts[(counts >= minimum_cell) & ~marks]
    most = shown.min() if len(shown) else total
    others, added = int(small.sum()) - 1, int(marks.sum())
    lowest = max(1.0, total - others * (minimum_cell - 1) - added * most)
    highest = min(minimum_cell - 1.0, total - others - added * minimum_cell)
    return bool(lowest >= highest)


def hidden_years(frame: pd.DataFrame) -> frozenset[tuple[str, str]]:
    """Return area and period of every value that is not shown.

    Parameters
    ----------
    frame
        Of published counts, with columns ``area``, ``period`` and ``suppressed``.
    """
    rows = frame[frame["suppressed"]]
    return frozenset(zip(rows["area"].astype(str), rows["period"].astype(str), strict=True))


def touches(areas: pd.Series, periods: Sequence[str], hidden: frozenset[tuple[str, str]]) -> list[bool]:
    """Return for each area whether one of its counts in `periods` is hidden, so that no value may rest on it."""
    return [any((str(area), period) in hidden for period in periods) for area in areas]
