"""How often areas and years without the measure changed by how much, counted in classes for a picture."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Estimates

BARS = 31
NARROWEST = 0.01


def without_measure(result: Estimates) -> pd.DataFrame:
    """Return the comparisons behind a randomisation test by the size of their change.

    Parameters
    ----------
    result
        With draws, of which the first column counts; a ratio, or cases derived from one (then draws are ratios too).

    Returns
    -------
    pandas.DataFrame
        Columns ``low`` and ``high``, the ends of classes of equal width that are symmetric around no change, as
        relative changes (-0.2 is 20 % fewer cases), and ``value``, the number of assignments of the measure to other
        areas and years in each. The most extreme half percent is counted in the outermost classes.

    Raises
    ------
    EstimationError
        The result has no draws, or is no ratio.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> result = TwoByTwo(before=3, after=1).estimate(example_panel())
    >>> int(without_measure(result)["value"].sum()) == result.facts["assignments"] - 1
    True
    """
    name = type(result.method).__name__
    if result.draws is None or len(result.draws.values) < 2:
        raise EstimationError(Problem("pictures.no_draws", method=name))
    if result.scale.name != "log" and getattr(result.method, "scale", "") != "levels":
        raise EstimationError(Problem("pictures.no_ratio", method=name))
    drawn = np.expm1(result.draws.values[1:, 0])  # the first is the true assignment
    reach = float(np.quantile(np.abs(drawn), 0.995))
    bars = int(np.clip(len(drawn) / 6, 9, BARS))
    step = max(NARROWEST, float(np.ceil(200 * reach / bars) / 100))
    last = step * np.ceil(reach / step)
    edges = np.round(np.arange(-last, last + step / 2, step), 10)
    counts, _ = np.histogram(np.clip(drawn, edges[0], edges[-1]), bins=edges)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "value": counts})
