"""Breaks, spikes and recording changes in counts by area and period: found, said, never mended.

Counts of offences vary more than Poisson, so every change is measured against the changes that are usual in the
same series: the pooled ones of all areas at this level, and the area's own. Nothing here knows why a number jumped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.data.periods import frequency_of, span
from evaluation.texts import text

Kind = Literal["level_shift", "spike", "outlier"]
_HALF = 0.5  # added to counts before logs
_CAP = 9.0  # squared residuals count at most as three standard deviations
_RAW_SHARE = 0.9733  # mean of min(z², 9) for a normal z
_PRIOR = 4.0  # weight of the pooled spread against the area's own history
_LEAST_OWN = 0.5  # least spread of an area against the pooled one: long rows of zeros are not precise
_SMALL = 10  # a change by fewer cases is worth no warning
_SMALL_CITY = 0.15  # log change of a whole city that happens without any change of recording
_MAD = 1.4826  # of a normal variable: standard deviation by median absolute deviation


@dataclass(frozen=True, kw_only=True)
class Break:
    """One change that a reader must be warned of.

    Parameters
    ----------
    outcome
        Name of the series.
    area
        Key; None for the whole city.
    period
        First period with the new level.
    kind
        ``level_shift``: the series stays near the new level. ``spike``: it comes back in the next period.
        ``outlier``: the last period, so that nobody can tell yet.
    before, after, later
        Counts before, at, and after the change (one period each; twelve months each for a shift in a monthly
        series); None where there are none.
    factor
        ``after`` divided by ``before``.
    score
        The change of the logarithm, less what all areas had in common, in standard deviations of usual changes.
    """

    outcome: str
    area: str | None
    period: str
    kind: Kind
    before: float
    after: float
    later: float | None
    factor: float
    score: float

    def worded(self, language: str, *, areas: Mapping[str, str] | None = None, title: str | None = None) -> str:
        """Return the warning as one sentence.

        Parameters
        ----------
        language
            ``de`` or ``en``.
        areas
            Names by key.
        title
            Title of the outcome.
        """
        place = text("delivery.audit_city", language) if self.area is None else (areas or {}).get(self.area, self.area)
        months = "_months" if self.kind == "level_shift" and frequency_of(self.period) == "month" else ""
        return text(
            f"delivery.audit_{self.kind}{months}",
            language,
            place=place,
            outcome=title or self.outcome,
            period=self.period,
            before=self.before,
            after=self.after,
            later=self.later,
            factor=self.factor,
        )


def audit(
    counts: pd.DataFrame, *, outcome: str = "count", threshold: float = 3.0, city_threshold: float = 4.0
) -> list[Break]:
    """List the changes in a series of counts that are far outside the usual ones.

    Parameters
    ----------
    counts
        Columns ``unit``, ``period`` (years or months, text) and ``count``; missing counts are passed over.
    outcome
        Name of the series, repeated in the result.
    threshold
        Score from which a change of an area is listed; one more for single months, of which there are many.
    city_threshold
        The same for the whole city.

    Returns
    -------
    list of Break
        Whole city first, then by size of the score.

    Notes
    -----
    For area i and period t, d = ln(after + .5) - ln(before + .5) less the median of all areas in t. Its variance is
    ``kappa_i (tau² + phi (1/(after + .5) + 1/(before + .5)))``; tau² and phi are fitted to all squared changes of
    the series, capped at nine times their fit, and ``kappa_i = (4 + sum min(d²/v, 9)) / (4 + T)``, at least 0.5, is
    the area's own shrunk factor. Changes by fewer than ten cases are not listed. The change of the whole city is the
    median over areas, measured in median absolute deviations of those that share no period with it, but at least in
    those that tau² and phi allow for; less than 15 % is not listed.
    A year is compared with the year before. Months are compared in two ways: twelve months with the twelve before
    (a shift; the season cancels), and one month with the median of the two before and the two after (a spike).

    Examples
    --------
    >>> rows = [(f"{a}", f"{2010 + t}", 100 + 7 * ((a * t) % 5)) for a in range(9) for t in range(8)]
    >>> frame = pd.DataFrame(rows, columns=["unit", "period", "count"])
    >>> frame.loc[(frame["unit"] == "3") & (frame["period"] == "2014"), "count"] = 400
    >>> [(found.area, found.period, found.kind) for found in audit(frame)]
    [('3', '2014', 'spike')]
    """
    known = counts.dropna(subset=["count"])
    if known.empty:
        return []
    wide = known.pivot(index="unit", columns="period", values="count")  # noqa: PD010 - a double row must fail
    wide = wide.astype(float).sort_index()
    wide = wide.reindex(columns=list(span(wide.columns.min(), wide.columns.max())))
    if frequency_of(wide.columns[0]) != "month":
        found = _level_breaks(wide, 1, threshold, city_threshold)
    else:
        months = _month_spikes(wide, threshold + 1)
        found = [*_level_breaks(_without(wide, months), 12, threshold, city_threshold), *months]
    found = [change for change in found if abs(change.after - change.before) >= _SMALL]
    found.sort(key=lambda change: (change.area is not None, -abs(change.score), change.area or "", change.period))
    return [replace(change, outcome=outcome) for change in found]


def _level_breaks(wide: pd.DataFrame, window: int, threshold: float, city_threshold: float) -> list[Break]:
    values = wide.to_numpy()
    if len(values) < 3 or values.shape[1] < 2 * window + 2:
        return []
    before, after = _window_sums(values, window)  # (N, B): boundary b lies before period b + window
    common, scores, floor = _scores(before, after)
    city = _city_scores(common, floor, window)
    # Levels less what is common; those of the whole city are what is common. Only used where window is 1.
    drift = np.concatenate([[0.0], np.cumsum(np.nan_to_num(common))]) if window == 1 else np.zeros(values.shape[1])
    levels = np.log(values + _HALF) - drift
    breaks = [
        _describe(None, b, city[b], np.nansum(values, axis=0), drift, wide.columns, window)
        for b in _peaks(city, city_threshold, window)
    ]
    for row, area in enumerate(wide.index):
        breaks += [
            _describe(str(area), b, scores[row, b], values[row], levels[row], wide.columns, window)
            for b in _peaks(scores[row], threshold, window)
        ]
    strongest: dict[tuple[str | None, str], Break] = {}
    for change in sorted(breaks, key=lambda change: abs(change.score)):
        strongest[change.area, change.period] = change
    return list(strongest.values())


def _describe(
    area: str | None, boundary: int, score: float, counts: np.ndarray, levels: np.ndarray, labels: pd.Index, window: int
) -> Break:
    """Word one peak as numbers: a spike if the level returns, else a shift; undecided in the last period."""
    t = boundary + window
    kind: Kind = "level_shift"
    if window == 1:
        kind, t = _kind(levels, t)
        score = score if t == boundary + window else -score  # the fall after a spike is the spike's own
    before, after = counts[t - window : t].sum(), counts[t : t + window].sum()
    rest = counts[t + window : t + 2 * window]
    later = float(rest.sum()) if len(rest) == window and np.isfinite(rest).all() else None
    return Break(
        outcome="",
        area=area,
        period=str(labels[t]),
        kind=kind,
        before=float(before),
        after=float(after),
        later=later,
        factor=float((after + _HALF) / (before + _HALF)) if before == 0 else float(after / before),
        score=float(score),
    )


def _kind(levels: np.ndarray, t: int) -> tuple[Kind, int]:
    """Return the kind of a jump into period `t`, and the period that is the odd one."""
    half = abs(levels[t] - levels[t - 1]) / 2
    if t + 1 < len(levels) and abs(levels[t + 1] - levels[t - 1]) < half:
        return "spike", t
    if t >= 2 and abs(levels[t] - levels[t - 2]) < half:
        return "spike", t - 1
    return ("level_shift" if t + 1 < len(levels) else "outlier"), t


def _month_spikes(wide: pd.DataFrame, threshold: float) -> list[Break]:
    values = wide.to_numpy()
    if len(values) < 3 or values.shape[1] < 24:
        return []
    usual = _usual(values)
    _, scores, _ = _scores(usual, values)
    return [
        Break(
            outcome="",
            area=str(wide.index[row]),
            period=str(wide.columns[t]),
            kind="spike" if t + 1 < values.shape[1] else "outlier",
            before=float(usual[row, t]),
            after=float(values[row, t]),
            later=float(values[row, t + 1]) if t + 1 < values.shape[1] else None,
            factor=float((values[row, t] + _HALF) / (usual[row, t] + _HALF)),
            score=float(scores[row, t]),
        )
        for row in range(len(values))
        for t in _peaks(scores[row], threshold, 1)
    ]


def _usual(values: np.ndarray) -> np.ndarray:
    """Return for each month the median of the two before and the two after, as far as there are two."""
    padded = np.pad(values, ((0, 0), (2, 2)), constant_values=np.nan)
    around = np.stack([padded[:, k : k + values.shape[1]] for k in (0, 1, 3, 4)])
    enough = np.isfinite(around).sum(axis=0) >= 2
    usual = np.full(values.shape, np.nan)
    usual[enough] = np.nanmedian(around[:, enough], axis=0)
    return usual


def _without(wide: pd.DataFrame, spikes: Sequence[Break]) -> pd.DataFrame:
    """Put the usual month in the place of a spike, so that one month does not look like a new level."""
    mended = wide.copy()
    for spike in spikes:
        mended.loc[spike.area, spike.period] = spike.before
    return mended


def _window_sums(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of the `window` periods before and from each boundary on, ``(N, T - 2 window + 1)`` each."""
    sums = np.lib.stride_tricks.sliding_window_view(values, window, axis=1).sum(axis=2)
    return sums[:, :-window], sums[:, window:]


def _scores(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the common change by period, scores ``(N, B)``, and the usual spread of a median over areas."""
    change = np.log(after + _HALF) - np.log(before + _HALF)
    noise = 1 / (after + _HALF) + 1 / (before + _HALF)
    known = np.isfinite(change)
    common = np.array(
        [np.median(column[seen]) if seen.any() else np.nan for column, seen in zip(change.T, known.T, strict=True)]
    )
    rest = change - common
    tau2, phi = _fit(rest[known], noise[known])
    variance = tau2 + phi * noise
    capped = np.where(known, np.minimum(np.divide(rest**2, variance, where=known, out=np.zeros_like(rest)), _CAP), 0)
    own = np.maximum((_PRIOR + capped.sum(axis=1)) / (_PRIOR + known.sum(axis=1)), _LEAST_OWN)
    scores = rest / np.sqrt(variance * own[:, None])
    floor = 1.2533 * float(np.sqrt(np.median(variance[known])) / np.sqrt(len(change)))  # sd of a median
    return common, scores, floor


def _fit(rest: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
    """Fit ``rest² = tau² + phi noise`` by weighted least squares, squares capped, both at least as large as Poisson."""
    tau2, phi = 0.01, 2.0
    for _ in range(30):
        variance = tau2 + phi * noise
        squares = np.minimum(rest**2, _CAP * variance) / _RAW_SHARE
        weights = 1 / variance**2
        design = np.array([[weights.sum(), weights @ noise], [weights @ noise, weights @ noise**2]])
        target = np.array([weights @ squares, (weights * noise) @ squares])
        tau2, phi = (float(value) for value in np.linalg.lstsq(design, target, rcond=None)[0])
        if phi < 1:  # the other is fitted anew where one is at its bound
            phi = 1.0
            tau2 = float(weights @ (squares - noise) / weights.sum())
        elif tau2 < 0:
            phi = float((weights * noise) @ squares / (weights @ noise**2))
        tau2, phi = max(tau2, 1e-6), max(phi, 1.0)
    return tau2, phi


def _city_scores(common: np.ndarray, floor: float, window: int) -> np.ndarray:
    """Measure each common change against those that share no period with it."""
    boundary = np.arange(len(common))
    scores = np.full(len(common), np.nan)
    for b in boundary:
        others = common[(abs(boundary - b) >= window) & np.isfinite(common)]
        if len(others):
            spread = _MAD * np.median(np.abs(others - np.median(others)))
            change = common[b] - np.median(others)
            scores[b] = change / max(spread, floor) if abs(change) >= _SMALL_CITY else 0.0
    return scores


def _peaks(scores: np.ndarray, threshold: float, window: int) -> list[int]:
    """Return the positions above the threshold that are the highest within `window` on both sides."""
    size = np.nan_to_num(np.abs(scores))
    reach = window if window > 1 else 0
    return [
        int(t)
        for t in (size > threshold).nonzero()[0]
        if t == max(t - reach, 0) + size[max(t - reach, 0) : t + reach + 1].argmax()
    ]
