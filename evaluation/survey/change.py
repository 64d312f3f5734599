"""Change of a survey estimate between two waves, also where the waves share sampling units."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import NUMBERS, Estimates, Note, Scale
from evaluation.influence import estimates_from_influence
from evaluation.sample import Sample
from evaluation.survey.domains import divide
from evaluation.survey.estimation import Mean, Ratio, Share, Total
from evaluation.survey.modes import mode_notes
from evaluation.survey.waves import range_notes, wave_column
from evaluation.survey_design import as_columns


@dataclass(frozen=True)
class Change:
    r"""Later wave less baseline, for a mean, share, total or ratio and each of its domains.

    Parameters
    ----------
    estimator
        What is compared. Its `scale`, where it has one, holds for both waves.
    baseline, wave
        Values of the design's wave column.
    level
        Of the intervals.

    Notes
    -----
    Both waves are domains of one sample, and the change is the contrast of their influences, so that

    .. math:: V(\hat y_2 - \hat y_1) = V(\hat y_2) + V(\hat y_1) - 2\,C(\hat y_1, \hat y_2)

    with the covariance of units that were drawn in both waves (``SurveyDesign(overlap=True)``); of independent waves
    it is zero. Degrees of freedom: primary units less strata of both waves together. Column ``n`` is the smaller
    number of answers. Where more than a tenth of the respondents answered in another mode than before (column
    ``mode``), a note says so; :class:`ModeAdjusted` takes the effect of the mode off where a parallel run shows it.

    Examples
    --------
    >>> from evaluation import Sample, SurveyDesign
    >>> frame = pd.DataFrame({"wave": ["21"] * 3 + ["24"] * 3, "stratum": "a", "weight": 1.0, "x": [1, 2, 3, 3, 4, 5]})
    >>> change = Change(Mean("x"), "21", "24").estimate(Sample(frame, SurveyDesign(wave="wave")))
    >>> round(float(change.table.loc[0, "estimate"]), 6), float(change.table.loc[0, "df"])
    (2.0, 4.0)
    """

    estimator: Mean | Share | Total | Ratio
    baseline: Any
    wave: Any
    _: KW_ONLY
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = []
        if self.baseline == self.wave:
            problems.append(Problem("survey.same_wave", value=self.wave))
        if not 0 < self.level < 1:
            problems.append(Problem("survey.level_option", value=self.level))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each variable and domain of the estimator, with the key columns ``baseline`` and ``wave``.

        Parameters
        ----------
        sample
            Of a design that names its wave column, with both waves.

        Raises
        ------
        DesignError
            The design names no wave, or nobody of the subpopulation belongs to a wave.
        """
        column = self._wave_column(sample)
        by = as_columns(self.estimator.by)
        both = sample.where(sample.frame[column].isin([self.baseline, self.wave]))
        apart = replace(self.estimator, by=(*by, column)).estimate(both)
        keys, before, after = self._pairs(apart.table, column)
        matched = (before >= 0) & (after >= 0)
        table, influence = apart.table, apart.influence
        if influence is None:  # only estimators of this package come here, and they have influences
            raise TypeError("the estimator of a change has no influences")
        keys["n"] = np.where(matched, np.minimum(*(table["n"].to_numpy()[rows] for rows in (before, after))), 0)
        levels = table["estimate"].to_numpy(dtype=float)
        codes, unknown = table["note"].to_numpy(), table["std_error"].isna().to_numpy()
        notes = [self._row_note(codes, unknown, pair) for pair in zip(before, after, strict=True)]
        unusable = np.array([note != "" for note in notes])
        values = np.where(unusable, 0.0, influence.values[:, after] - influence.values[:, before])
        unit = "percentage_points" if isinstance(self.estimator, Share) else apart.scale.unit
        return estimates_from_influence(
            keys.assign(baseline=self.baseline, wave=self.wave),
            np.where(matched, levels[after] - levels[before], np.nan),
            replace(influence, values=values),
            scale=Scale("identity", unit),
            declaration=sample.design,
            method=self,
            counts=apart.counts,
            level=self.level,
            df=self._df(both, by, keys),
            row_notes=notes,
            notes=(*self._breaks(both), *apart.notes),
        )

    def _wave_column(self, sample: Sample) -> str:
        column = wave_column(sample, (self.baseline, self.wave))
        if column in as_columns(self.estimator.by):
            raise DesignError(Problem("survey.wave_in_by", column=column))
        return column

    def _breaks(self, both: Sample) -> tuple[Note, ...]:
        """Return remarks on what makes the waves differ besides what people feel: the mode, the length of a scale."""
        waves = (self.baseline,), (self.wave,)
        names = as_columns(self.estimator.variable) if isinstance(self.estimator, Mean) else ()
        ranges = [note for name in names for note in range_notes(both, name, *waves)]
        return (*ranges, *mode_notes(both, *waves))

    def _pairs(self, table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Return the domains and the rows of `table` with their baseline and later estimate, -1 where there is none."""
        sizes = {*NUMBERS, "n", "deff", "note", column}
        names = [name for name in table.columns if name not in sizes]
        keys = table[names].drop_duplicates().reset_index(drop=True)
        found = []
        for wave in (self.baseline, self.wave):
            rows = table[table[column] == wave]
            labels: list[Hashable] = list(rows[names].itertuples(index=False, name=None))
            position = dict(zip(labels, rows.index, strict=True))
            found.append(np.array([position.get(key, -1) for key in keys.itertuples(index=False, name=None)]))
        return keys, found[0], found[1]

    @staticmethod
    def _row_note(notes: np.ndarray, unknown: np.ndarray, pair: tuple[int, int]) -> str:
        """Return why a change has no standard error, or empty text."""
        if min(pair) < 0:
            return "survey.note.one_wave"
        return " ".join(dict.fromkeys(notes[row] for row in pair if unknown[row]))

    @staticmethod
    def _df(both: Sample, by: tuple[str, ...], keys: pd.DataFrame) -> np.ndarray:
        """Return degrees of freedom of the rows of `keys`, of both waves together."""
        domains = divide(both, by)
        if not by:
            return np.repeat(domains.df, len(keys))
        df = dict(zip(domains.keys.itertuples(index=False, name=None), domains.df, strict=True))
        return np.array([df[key] for key in keys[list(by)].itertuples(index=False, name=None)])
