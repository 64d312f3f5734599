"""Change of registered cases by area, beside the change that such numbers show anyway.

Describes, and asks for no cause: an area that changed is not an area in which a measure worked. Effects are in ``did``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.data.periods import ordinal
from evaluation.errors import DataError, Problem
from evaluation.randomization.history import Changes, fit_history
from evaluation.randomization.windows import CONTINUITY

Z = 1.959963984540054  # two-sided 95 % of a normal variable


@dataclass(frozen=True, eq=False)
class Fluctuation:
    """Usual size of changes between two windows of years: ``variance = tau2 + phi (1 / before + 1 / after)``.

    Parameters
    ----------
    tau2, phi
        Fitted to the changes of all areas, less what all areas had in common.
    dates
        Number of pairs of windows in the fit.
    """

    tau2: float
    phi: float
    dates: int

    def variance(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return the variance of the log change between counts, any shape."""
        return np.asarray(self.tau2 + self.phi / _level(before, after))


def _level(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 / (before + CONTINUITY) + 1.0 / (after + CONTINUITY)))


def changes_by_area(
    counts: pd.DataFrame, *, before: Sequence[str], after: Sequence[str], inhabitants: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the relative change of the yearly mean of each area, with the interval of usual fluctuation.

    Parameters
    ----------
    counts
        Columns ``unit``, ``period`` (years as text) and ``count``, one row for each area and year; a missing
        count or year leaves the area without a value.
    before, after
        Years that are compared; each without gaps.
    inhabitants
        Columns ``unit``, ``period`` and ``inhabitants``: then rates are compared.

    Returns
    -------
    pandas.DataFrame
        ``unit, value, conf_low, conf_high, cases_before, cases_after``; value is after / before - 1.

    Raises
    ------
    DataError
        A year of the comparison is not in the data.

    Notes
    -----
    ``d = ln[(A + 1/2) / n_A] - ln[(B + 1/2) / n_B]`` for the sums A and B over the windows and inhabitants n;
    the interval is ``exp(d +- 1.96 s) - 1``, ``s² = tau² + phi (1/(A + 1/2) + 1/(B + 1/2))``. Both are fitted to
    the changes between all windows of the same lengths and distance, less the median of all areas, so that counts
    that vary more than Poisson are not mistaken for change. Windows may overlap; that makes the fit no worse, only
    less precise than it looks.

    Examples
    --------
    >>> rows = [(f"{a}", f"{2018 + t}", 100 + 9 * ((a * t) % 4)) for a in range(9) for t in range(5)]
    >>> frame = pd.DataFrame(rows, columns=["unit", "period", "count"])
    >>> found = changes_by_area(frame, before=["2021"], after=["2022"])
    >>> round(float(found.loc[1, "value"]), 3)
    -0.212
    """
    wide, persons = _wide(counts, inhabitants)
    absent = sorted({*before, *after} - set(wide.columns))
    if absent:
        raise DataError(Problem("report.change_without_year", table="counts", column="period", value=", ".join(absent)))
    years = list(wide.columns)
    first, last = years.index(before[0]), years.index(after[0])
    usual = usual_fluctuation(wide, persons, lengths=(len(before), len(after)), distance=last - first)
    b, a = wide.to_numpy()[:, first : first + len(before)].sum(1), wide.to_numpy()[:, last : last + len(after)].sum(1)
    change = _log_changes(wide, persons, first, len(before), last, len(after))
    spread = Z * np.sqrt(usual.variance(b, a))
    return pd.DataFrame(
        {
            "unit": wide.index.astype(str),
            "value": np.expm1(change),
            "conf_low": np.expm1(change - spread),
            "conf_high": np.expm1(change + spread),
            "cases_before": b,
            "cases_after": a,
        }
    )


def change_of_city(
    counts: pd.DataFrame, *, before: Sequence[str], after: Sequence[str], inhabitants: pd.DataFrame | None = None
) -> dict[str, float]:
    """Return the relative change of the yearly mean of all areas together; see :func:`changes_by_area`.

    Returns
    -------
    dict
        ``value, cases_before, cases_after``; missing where an area lacks a count.
    """
    wide, persons = _wide(counts, inhabitants)
    rates = [wide[list(years)].to_numpy().sum() / persons[list(years)].to_numpy().sum() for years in (before, after)]
    cases = [float(wide[list(years)].to_numpy().sum()) for years in (before, after)]
    value = rates[1] / rates[0] - 1 if rates[0] > 0 else float("nan")
    return {"value": value, "cases_before": cases[0], "cases_after": cases[1]}


def levels_of_city(counts: pd.DataFrame, *, inhabitants: pd.DataFrame | None = None, per: float = 1000) -> pd.DataFrame:
    """Return the yearly total of all areas, or its rate, with the interval of usual fluctuation.

    Parameters
    ----------
    counts, inhabitants
        As for :func:`changes_by_area`; a year in which an area has no count has no total.
    per
        Base of the rate.

    Returns
    -------
    pandas.DataFrame
        ``period, value, conf_low, conf_high, cases``; without inhabitants the value is the number of cases.

    Notes
    -----
    Half of the variance of a change belongs to each of its two years, and areas fluctuate independently beside what
    they have in common: ``Var ln(total) = sum w_i² (tau² / 2 + phi / a_i)``, ``w_i`` the share of an area.
    """
    wide, persons = _wide(counts, inhabitants)
    values, total = wide.to_numpy(), wide.to_numpy().sum(axis=0)
    if values.shape[1] > 1:
        usual = usual_fluctuation(wide, persons, lengths=(1, 1), distance=1)
        share = values / np.where(total > 0, total, np.nan)
        each = usual.tau2 / 2 + usual.phi / (values + CONTINUITY)
        spread = Z * np.sqrt((share**2 * each).sum(axis=0))
    else:
        spread = np.full(len(total), np.nan)
    scale = per / persons.to_numpy().sum(axis=0) if inhabitants is not None else np.ones(len(total))
    return pd.DataFrame(
        {
            "period": wide.columns.astype(str),
            "value": total * scale,
            "conf_low": total * scale * np.exp(-spread),
            "conf_high": total * scale * np.exp(spread),
            "cases": total,
        }
    )


def usual_fluctuation(
    wide: pd.DataFrame, persons: pd.DataFrame, *, lengths: tuple[int, int], distance: int
) -> Fluctuation:
    """Fit the usual size of changes to all pairs of windows with these lengths and this distance of their first years.

    Parameters
    ----------
    wide, persons
        Areas x years without a missing year.
    lengths
        Years in the window before and in the one after.
    distance
        Years from the beginning of the one to that of the other.
    """
    values = wide.to_numpy()
    firsts = np.arange(values.shape[1] - distance - lengths[1] + 1)
    change = np.array([_log_changes(wide, persons, f, lengths[0], f + distance, lengths[1]) for f in firsts])
    before = np.array([values[:, f : f + lengths[0]].sum(axis=1) for f in firsts])
    after = np.array([values[:, f + distance : f + distance + lengths[1]].sum(axis=1) for f in firsts])
    centre = np.nanmedian(change, axis=1, keepdims=True)
    fit = fit_history(
        Changes(
            dates=firsts,
            change=change - centre,
            rise=np.where(np.isfinite(change), 0.0, np.nan),  # nothing is taken off for a preceding rise
            level=_level(before, after),
        )
    )
    return Fluctuation(fit.tau2, fit.phi, len(firsts))


def _log_changes(
    wide: pd.DataFrame, persons: pd.DataFrame, first: int, before: int, last: int, after: int
) -> np.ndarray:
    def log_rate(start: int, length: int) -> np.ndarray:
        cases = wide.to_numpy()[:, start : start + length].sum(axis=1) + CONTINUITY
        return np.asarray(np.log(cases) - np.log(persons.to_numpy()[:, start : start + length].sum(axis=1)))

    return np.asarray(log_rate(last, after) - log_rate(first, before))


def _wide(counts: pd.DataFrame, inhabitants: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts and inhabitants (ones without them) as areas x years; every year between first and last."""
    wide = counts.assign(count=counts["count"].astype("float64")).set_index(["unit", "period"])["count"].unstack()  # noqa: PD010
    years = [str(year) for year in range(ordinal(wide.columns.min()), ordinal(wide.columns.max()) + 1)]
    wide = wide.reindex(columns=years).sort_index()
    if inhabitants is None:
        return wide, pd.DataFrame(1.0, index=wide.index, columns=wide.columns)
    people = inhabitants.set_index(["unit", "period"])["inhabitants"].unstack().astype("float64")  # noqa: PD010
    return wide, people.reindex(index=wide.index, columns=wide.columns)
