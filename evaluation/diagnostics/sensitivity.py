"""How far trends may differ before an effect disappears: robust intervals by restriction, and the breakdown value.

The sets are made in :mod:`evaluation.diagnostics.robust_sets` and :mod:`evaluation.diagnostics.conditional_sets`;
here is what a result must bring, and what is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.data.periods import convert
from evaluation.diagnostics.conditional_sets import relative_magnitudes
from evaluation.diagnostics.robust_sets import Path, drawn_relative_magnitudes, drawn_smoothness, fixed_length
from evaluation.did.event_study import EventStudy
from evaluation.did.synthetic import SyntheticControl, SyntheticDifference
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note
from evaluation.influence import covariance
from evaluation.study import Study

Restriction = Literal["relative_magnitudes", "smoothness"]
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
VANISHING = 1e-9  # noise below it is nothing but rounding errors
HALVINGS = 14  # of the step between two values, for the breakdown value
Interval = tuple[float, float, float]  # centre and ends


def sensitivity(
    result: Estimates,
    *,
    restriction: Restriction = "relative_magnitudes",
    values: Sequence[float] | None = None,
    target: Literal["average"] | int = "average",
    level: float = 0.95,
) -> Estimates:
    """Return what is left of an effect if trends would have differed after the start, too, and from when on nothing is.

    Parameters
    ----------
    result
        By ``event_time``, with influences (then the coefficients are taken for normal) or, where few units are
        treated, with draws of other assignments (then these are the noise).
    restriction
        ``relative_magnitudes``: from one period to the next, the deviation from parallel trends grows after the
        start by at most `m` times the most that it grew by before. ``smoothness``: its slope changes by at most `m`
        from one period to the next; with ``m = 0`` the trend from before the start goes on in a straight line.
    values
        Of `m`, zero or more; a plain number for relative magnitudes, on the scale of the estimates (log points
        for ratios) for smoothness. By default 0 to 2 in steps of 0.25, for smoothness times the largest change of
        slope seen before.
    target
        The ``average`` over all periods from the start on, or the effect at one event time.
    level
        Of the intervals.

    Returns
    -------
    Estimates
        One row for each ``m``. The estimate is the centre: for relative magnitudes the effect against the last period
        before, for smoothness less the extrapolated trend. ``facts["breakdown"]`` is the largest `m` at which the
        interval excludes no effect (missing if it does not even at 0; noted if it does at all values), ``facts
        ["largest_before"]`` the largest step or change of slope seen before, ``facts["procedure"]`` how the
        intervals were made.

    Raises
    ------
    DesignError
        An option makes no sense.
    EstimationError
        The result has no event times, no uncertainty that belongs to them together, no two periods before
        the start (the reference counts) or nothing at the target; or its effects before and after the start are not
        measured against one reference (a varying base, imputation with influences), or the periods before are fitted
        (synthetic control).

    Notes
    -----
    Periods of anticipation are neither before nor part of the average. Event times without an estimate, or (with
    influences) without a standard error, are bridged and noted: a step is a change for each period.

    With influences, the set under relative magnitudes is the conditional least favourable one of Andrews, Roth and
    Pakes (2023), for each period before the start as the one with the largest step, and the union of these:
    asymptotically at least `level`, conservative because it is a union. Under smoothness it is the shortest
    fixed-length interval: asymptotically exact in the worst case that the restriction allows.

    With draws of other assignments, effects under these show the joint noise before and after the start. The interval
    is the effect with the largest deviation that the restriction allows, given the coefficients before, and an order
    statistic of that noise (formulas in :mod:`evaluation.diagnostics.robust_sets`). It is conservative: all bounds
    are taken to bind at once, and assignments that contain treated units show a part of the effect. It rests on
    what the randomisation test rests on, that without measure and deviation the treated would have been like the
    others drawn; at ``m = 0`` of relative magnitudes it is the interval of a test by these assignments. Where areas
    were picked because they had just risen, this rise counts as a deviation before the start, and the intervals are
    wide.

    Periods with few cases make for large steps before the start and so for wide intervals; quarters or years say
    more than months. If the reference is the mean of several periods, deviations are still counted from the last period
    before the start, and a note says so.

    References
    ----------
    Rambachan and Roth (2023), A more credible approach to parallel trends, Review of Economic Studies 90(5).

    Examples
    --------
    >>> from evaluation import EventStudy
    >>> from evaluation.simulate import simulate_panel
    >>> panel = simulate_panel(1, shape=(40, 14), treated=3, log_effect=-0.4, frequency="year")
    >>> robust = sensitivity(EventStudy(window=(-4, 1), reference=1).estimate(panel), values=(0, 0.5, 1))
    >>> robust.table["m"].tolist()
    [0.0, 0.5, 1.0]
    """
    _check(restriction, values, level)
    read = _read(result, target)
    largest = _largest_before(read.path, restriction)
    unit = largest if restriction == "smoothness" else 1.0
    chosen = np.unique(unit * np.array(MULTIPLES) if values is None else np.array(values, dtype=float))
    interval = _sets(read, restriction, level)
    rows = [interval(float(m)) for m in chosen]
    breakdown, said = _breakdown(interval, chosen)
    possible = not np.isnan(rows[0][1])
    drawn = read.noise is not None
    facts = {
        "restriction": restriction,
        "procedure": _procedure(restriction, drawn),
        "target": target,
        "level": level,
        "breakdown": breakdown,
        "largest_before": largest,
        "before": read.path.last + 1,
        "after": int((read.path.weights != 0).sum()),
        "smallest": read.smallest_p,
    }
    note = ("sensitivity.note.no_std_error" if not drawn else "no_std_error") + ("" if possible else " no_interval")
    table = pd.DataFrame(rows, columns=["estimate", "conf_low", "conf_high"])
    empty = dict.fromkeys(("std_error", "statistic", "p_value"), np.nan)
    codes = [f"{restriction}_{'drawn' if drawn else 'normal'}", *([said] if possible else [])]
    own = [Note(f"sensitivity.note.{code}", facts) for code in codes]
    own += [Note("sensitivity.note.last_period")] if read.several else []
    own += [Note("sensitivity.note.bridged", {"n": read.bridged})] if read.bridged else []
    return Estimates(
        table=table.assign(m=chosen, df=np.inf, note=note, **empty)[["m", *_COLUMNS]],
        scale=result.scale,
        declaration=result.declaration,
        method=result.method,
        counts=result.counts,
        notes=(*own, *result.notes),
        facts=facts,
    )


_COLUMNS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "note"]


def _check(restriction: str, values: Sequence[float] | None, level: float) -> None:
    numbers = np.atleast_1d(np.array(MULTIPLES if values is None else values, dtype=float))
    wrong: list[tuple[str, object, str]] = []
    if restriction not in {"relative_magnitudes", "smoothness"}:
        wrong.append(("restriction", restriction, "relative_magnitudes, smoothness"))
    if not len(numbers) or not np.isfinite(numbers).all() or (numbers < 0).any():
        wrong.append(("values", values, ">= 0"))
    if not 0.5 < level < 1:
        wrong.append(("level", level, "0.5 < level < 1"))
    if wrong:
        raise DesignError(
            *(
                Problem("core.option_value", method="sensitivity", option=name, given=given, allowed=allowed)
                for name, given, allowed in wrong
            )
        )


# --- what a result brings ---


@dataclass(frozen=True, eq=False)
class _Read:
    """The path of a result with the covariance ``(n, n)`` or the noise ``(B - 1, n)`` of its coefficients.

    `several`: whether the reference is more than one period, so that no coefficient is zero by construction;
    `bridged`: the number of event times that have a row, but nothing to go by.
    """

    path: Path
    covariance: np.ndarray | None
    noise: np.ndarray | None
    several: bool
    bridged: int

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that the assignments can give."""
        return float("nan") if self.noise is None else 1.0 / (1 + len(self.noise))


def _read(result: Estimates, target: Literal["average"] | int) -> _Read:
    name, study, table = type(result.method).__name__, result.declaration, result.table
    if "event_time" not in table or not isinstance(study, Study) or table["event_time"].dropna().duplicated().any():
        raise EstimationError(Problem("sensitivity.no_path", method=name))
    if result.influence is None and result.draws is None:
        raise EstimationError(Problem("sensitivity.no_noise", method=name))
    if isinstance(result.method, SyntheticControl | SyntheticDifference):
        raise EstimationError(Problem("sensitivity.fitted_before", method=name))
    reference = -1 - _gap(study)
    timed = table["event_time"].notna().to_numpy()
    constructed = table["note"].str.split().map(lambda codes: "reference_period" in codes).to_numpy(dtype=bool)
    judged = table["estimate" if result.influence is None else "std_error"].notna().to_numpy()
    known = timed & ~constructed & judged
    times = table["event_time"][known].to_numpy(dtype=float)
    estimate = table["estimate"][known].to_numpy(dtype=float)
    columns = _columns(result, constructed)[known]
    zeros = table["event_time"][timed & constructed].to_numpy(dtype=float)
    if not len(zeros) and reference not in table["event_time"].dropna().to_numpy():
        zeros = np.array([float(reference)])
    if not len(zeros) and result.influence is not None and not isinstance(result.method, EventStudy):
        raise EstimationError(Problem("sensitivity.other_base", method=name))
    order = np.argsort(np.concatenate([times, zeros]), kind="stable")
    every = np.concatenate([times, zeros])[order]
    last = int((every < -study.anticipation).sum()) - 1
    weights = _weights(every, target, name)
    if last < 1:
        raise EstimationError(Problem("sensitivity.no_before", method=name, n=last + 1))
    path = Path(times=every, estimate=np.append(estimate, 0.0 * zeros)[order], weights=weights, last=last)
    bridged = int((timed & ~constructed & ~judged).sum())
    place = np.argsort(order)[: len(times)]  # of the estimated coefficients among all
    if result.influence is None:
        assert result.draws is not None  # noqa: S101 - one of the two is there
        noise = np.zeros((len(result.draws.values) - 1, len(every)))
        noise[:, place] = result.draws.values[1:, columns]
        if np.abs(noise).max(initial=0.0) <= VANISHING:
            raise EstimationError(Problem("sensitivity.no_variation", method=name))
        return _Read(path, None, noise, not len(zeros), bridged)
    spread = np.zeros((len(every), len(every)))
    spread[np.ix_(place, place)] = covariance(result.influence)[np.ix_(columns, columns)]
    return _Read(path, spread, None, not len(zeros), bridged)


def _gap(study: Study) -> int:
    """Return the periods between the reference and the start: anticipation, and a partial period that is dropped."""
    whole = all(convert(since, study.period)[1] for since in study.starts.values())
    return study.anticipation + (not whole and study.partial_period == "drop")


def _columns(result: Estimates, constructed: np.ndarray) -> np.ndarray:
    """Return ``(rows,)`` the column of influences or draws of each row; the reference may have none."""
    if result.influence is not None or result.draws is None:
        number = 0 if result.influence is None else result.influence.values.shape[1]
    else:
        number = result.draws.values.shape[1]
    if number == len(constructed):
        return np.arange(number)
    if number != int((~constructed).sum()):
        raise ValueError(f"{len(constructed)} rows do not fit {number} columns of influences or draws")
    return np.where(constructed, -1, np.cumsum(~constructed) - 1)


def _weights(times: np.ndarray, target: Literal["average"] | int, method: str) -> np.ndarray:
    chosen = times >= 0 if target == "average" else times == target
    if not chosen.any() or (target != "average" and target < 0):
        raise EstimationError(Problem("sensitivity.no_target", method=method, target=target))
    return np.asarray(chosen / chosen.sum())


def _largest_before(path: Path, restriction: Restriction) -> float:
    """Return the largest change of slope, or step, before the start; with two periods there is only a step."""
    if restriction == "smoothness" and path.last > 1:
        return path.largest(path.bends)
    return path.largest(path.steps)


# --- intervals by restriction ---


def _procedure(restriction: Restriction, drawn: bool) -> str:
    if drawn:
        return "assignments"
    return "fixed_length" if restriction == "smoothness" else "conditional_least_favourable"


def _sets(read: _Read, restriction: Restriction, level: float) -> Callable[[float], Interval]:
    """Return the function that gives the interval at a value of `m`; ends are missing where there is none."""
    path, smooth = read.path, restriction == "smoothness"
    if read.noise is not None:
        noise = read.noise
        rank = int(np.floor((1 - level) * (1 + len(noise)) + 1e-9))

        def drawn(m: float) -> Interval:
            if rank == 0:
                return float(path.contrast @ path.estimate), np.nan, np.nan
            if smooth:
                centre, half = drawn_smoothness(path, noise, m, rank, level)
            else:
                centre, half = drawn_relative_magnitudes(path, noise, m, rank)
            return centre, centre - half, centre + half

        return drawn
    spread = read.covariance
    assert spread is not None  # noqa: S101 - one of the two is there

    def normal(m: float) -> Interval:
        if smooth:
            centre, half = fixed_length(path, spread, m, level)
            return centre, centre - half, centre + half
        return float(path.contrast @ path.estimate), *relative_magnitudes(path, spread, m, level)

    return normal


def _breakdown(interval: Callable[[float], Interval], values: np.ndarray) -> tuple[float, str]:
    """Return the largest `m` that still excludes zero, and the code of what is said about it."""

    def excludes(m: float) -> bool:
        _, low, high = interval(m)
        return low > 0 or high < 0

    if not excludes(0.0):
        return float("nan"), "no_breakdown"
    below = 0.0
    for m in values:
        if not excludes(float(m)):
            above = float(m)
            break
        below = float(m)
    else:
        return below, "beyond"
    for _ in range(HALVINGS):
        tried = (below + above) / 2
        below, above = (tried, above) if excludes(tried) else (below, tried)
    return below, "breakdown"
