"""Where changes stand on an axis: relative ones so that a half and a double are equally far, others as they are."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.disclosure import Published
from evaluation.figures.style import number_axis, ratio_axis
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARGIN = 1.12


@dataclass(frozen=True, kw_only=True)
class ChangeAxis:
    """An axis for the values of `published`, which lie around zero.

    Parameters
    ----------
    published
        Values in the unit ``change`` are relative and drawn as ``ln(1 + change)``; all others as they are.
    language
        Of the numbers.
    """

    published: Published
    language: str

    @property
    def relative(self) -> bool:
        """Whether values are relative changes."""
        return self.published.unit == "change"

    def places(self, values: Any) -> "NDArray[np.float64]":
        """Return where `values` stand."""
        given = np.asarray(values, dtype=float)
        return np.log1p(given) if self.relative else given

    def columns(self, frame: Any) -> tuple[Any, Any, Any]:
        """Return where the values of `frame` and the ends of their intervals stand; missing where there are none."""
        value, low, high = (self.places(frame[name]) for name in ("value", "conf_low", "conf_high"))
        return value, low, high

    def reach(self, *parts: Any) -> float:
        """Return how far from zero the axis goes so that all `parts` (places) are on it."""
        return MARGIN * float(np.nanmax(np.abs(np.concatenate([np.ravel(part) for part in parts])), initial=0.01))

    def write(self, axis: Any, reach: float) -> None:
        """Write the ticks of a matplotlib `axis`, whose limits are set."""
        if self.relative:
            ratio_axis(axis, self.language, reach=reach)
        else:
            number_axis(axis, f"snum{decimals(axis)}", self.language)

    def words(self, value: float | None) -> str:
        """Return a value as it is written in the picture."""
        return format_value(value, self.published.number, self.language)


def open_ends(low: Any, high: Any, reach: float) -> tuple[Any, Any]:
    """Return the ends of intervals; one that is open on one side goes on to the edge of the picture.

    Examples
    --------
    >>> low, high = open_ends(np.array([-0.2, np.nan]), np.array([np.nan, np.nan]), 1.0)
    >>> low.tolist(), high.tolist()
    ([-0.2, nan], [1.0, nan])
    """
    one = np.isfinite(low) ^ np.isfinite(high)
    return np.where(one & ~np.isfinite(low), -reach, low), np.where(one & ~np.isfinite(high), reach, high)


def decimals(axis: Any) -> int:
    """Return how many decimals the ticks of a matplotlib `axis` need to be told apart."""
    ticks = axis.get_majorticklocs()
    return max(0, -int(np.floor(np.log10(ticks[1] - ticks[0]) + 1e-9)))
