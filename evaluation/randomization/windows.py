"""Periods before and after a date, and sums over them for every unit and many dates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONTINUITY = 0.5  # added to sums of counts before logs are taken, so that an area without a case has a change


@dataclass(frozen=True)
class Windows:
    """Periods before and after a date that are compared, and those that say whether an area has just risen.

    Parameters
    ----------
    before, after
        Number of periods just before the date, and of periods from the date on after `lead`.
    lead
        Periods from the date to the first one of the after-window; negative for pre-trends.
    recent, earlier
        The rise of an area is its mean over the last `recent` periods before the date against the `earlier`
        periods before these.
    gap
        Periods just before the date that are left out (anticipation, partial periods).
    """

    before: int
    after: int
    recent: int
    earlier: int
    lead: int = 0
    gap: int = 0

    @property
    def reach_back(self) -> int:
        """Periods needed before the date."""
        return max(self.gap + max(self.before, self.recent + self.earlier), -self.lead)

    @property
    def reach_ahead(self) -> int:
        """Periods needed from the date on."""
        return max(self.lead + self.after, 0)


class WindowSums:
    """Sums over windows around dates, missing where a period of the window is missing."""

    def __init__(self, values: np.ndarray, dates: np.ndarray) -> None:
        self.dates = dates
        self.total = self._cumulated(np.nan_to_num(values))
        self.missing = self._cumulated(np.isnan(values))

    @staticmethod
    def _cumulated(values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1, dtype=float)], axis=1)

    def over(self, first: int, length: int) -> np.ndarray:
        """Return the sums over the periods ``date + first ... date + first + length - 1``, ``(H, N)``."""
        start = self.dates + first
        total = self.total[:, start + length] - self.total[:, start]
        missing = self.missing[:, start + length] - self.missing[:, start]
        return np.asarray(np.where(missing > 0, np.nan, total).T)
