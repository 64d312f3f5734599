"""Means by domain and wave, arranged as arrays: what every comparison over time is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import Note
from evaluation.sample import Sample, some
from evaluation.survey.domains import Domains, divide, linearise
from evaluation.survey_design import as_columns

LONGEST_SCALE = 10  # points less one


@dataclass(frozen=True, eq=False)
class Means:
    """Means of one variable: ``D`` domains, ``W`` waves, ``m`` sampling units.

    Parameters
    ----------
    estimate
        ``(D, W)``; missing where nobody answered.
    influence
        ``(m, D, W)``, zero there.
    n
        ``(D, W)`` number of answers.
    """

    estimate: np.ndarray
    influence: np.ndarray
    n: np.ndarray


@dataclass(frozen=True, eq=False)
class WaveDomains:
    """The domains of a sample in each of its waves.

    Parameters
    ----------
    domains
        By the dividing columns and the wave.
    keys
        ``D`` rows, the dividing columns only, sorted.
    row, place
        ``(k,)`` for each of `domains` its row in `keys` and its wave.
    waves
        In the order of the arrays.
    """

    domains: Domains
    keys: pd.DataFrame
    row: np.ndarray
    place: np.ndarray
    waves: tuple[Any, ...]

    @property
    def sample(self) -> Sample:
        """Everybody of these waves."""
        return self.domains.sample

    def codes(self, position: int) -> np.ndarray:
        """Return ``(n,)`` for every respondent of one wave the row of their domain, -1 for everybody else."""
        row = np.where(self.place == position, self.row, -1)
        return np.where(self.domains.codes >= 0, np.append(row, -1)[self.domains.codes], -1)

    def arranged(self, values: np.ndarray, empty: float = 0.0) -> np.ndarray:
        """Return ``(..., k)`` values of the domains as ``(..., D, W)``."""
        found = np.full((*values.shape[:-1], len(self.keys), len(self.waves)), empty)
        found[..., self.row, self.place] = values
        return found

    def means(self, values: np.ndarray) -> Means:
        """Return the means of ``values`` ``(n,)``, missing where there is no answer."""
        linear = linearise(self.domains, values, "mean")
        return Means(self.arranged(linear.estimate, np.nan), self.arranged(linear.influence), self.arranged(linear.n))


def divide_waves(sample: Sample, by: str | tuple[str, ...], waves: Sequence[Any]) -> WaveDomains:
    """Return the domains by the columns `by` in each of `waves`.

    Raises
    ------
    DesignError
        The design names no wave, a wave has nobody, the wave is one of `by`, or a column does not exist.
    """
    column, columns = wave_column(sample, waves), as_columns(by)
    if column in columns:
        raise DesignError(Problem("survey.wave_in_by", column=column))
    part = sample.where(sample.frame[column].isin(list(waves)))
    domains = divide(part, (*columns, column))
    place = pd.Index(list(waves)).get_indexer(pd.Index(domains.keys[column]))
    if not columns:
        return WaveDomains(domains, pd.DataFrame(index=range(1)), np.zeros(len(place), dtype=int), place, tuple(waves))
    inner = domains.keys[list(columns)]
    keys = inner.drop_duplicates().reset_index(drop=True)
    row = pd.MultiIndex.from_frame(keys).get_indexer(pd.MultiIndex.from_frame(inner))
    return WaveDomains(domains, keys, row, place, tuple(waves))


def wave_column(sample: Sample, waves: Sequence[Any]) -> str:
    """Return the wave column of the design, in which all of `waves` occur.

    Raises
    ------
    DesignError
        The design names no wave, or a wave has nobody.
    """
    column = sample.design.wave
    if column is None:
        raise DesignError(Problem("survey.no_wave_column"))
    missing = [wave for wave in dict.fromkeys(waves) if wave not in sample.waves]
    if missing:
        known = some(sample.waves)
        problems = [Problem("survey.empty_wave", column=column, value=wave, known=known) for wave in missing]
        raise DesignError(*problems)
    return column


def range_notes(sample: Sample, column: str, before: Sequence[Any], after: Sequence[Any]) -> tuple[Note, ...]:
    """Return a remark where the answers of waves run over different ranges, as those of scales of other length do.

    Only of whole numbers from a short scale; a mean of such answers must not be compared without a mapping.
    """
    waves, inside = sample.frame[str(sample.design.wave)], sample.weights > 0
    ranges = []
    for labels in (before, after):
        given = sample.frame.loc[inside & waves.isin(list(labels)).to_numpy(), column].dropna().astype(float)
        if given.empty or (given % 1 != 0).any() or given.max() - given.min() > LONGEST_SCALE:
            return ()
        ranges.append((int(given.min()), int(given.max())))
    if ranges[0] == ranges[1]:
        return ()
    first, second = (f"{low}–{high}" for low, high in ranges)
    values = {"column": column, "first": first, "second": second, "before": list(before), "after": list(after)}
    return (Note("survey_change.note.ranges_differ", values),)
