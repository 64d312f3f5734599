"""Treated units against a weighted mean of others that had resembled them: synthetic control and its difference form.

What is left out: covariates beside the outcome's own past, and standard errors, which do not exist with few treated
units; the weights and gaps themselves are in :mod:`evaluation.did.donors.gap`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.data.periods import PER_YEAR
from evaluation.did.donors.fit import FEW_PERIODS, Fitted, fit_facts, fit_notes, fitted
from evaluation.did.donors.gap import SyntheticGap
from evaluation.did.inference.effects import counts_of, draws_of, effect_row, facts_of, notes_of, plain_row
from evaluation.did.inference.on_request import OnRequest
from evaluation.did.inference.randomised import randomised_effect, randomised_path
from evaluation.did.inference.unit_effects import WANTED_DATES, Measured, choose_windows, measure
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Scale
from evaluation.panel import Panel
from evaluation.randomization.inference import LITTLE_HISTORY, Randomization
from evaluation.randomization.windows import Windows

SCALES = ("ratio", "levels", "additive")
TREATED = ("each", "mean")
FEWEST_PERIODS = 2
FEWEST_DONORS = 2  # with one, it has no synthetic comparison of its own
MOST_YEARS = 10  # before the start in yearly data; older years say little about the present


@dataclass(frozen=True, kw_only=True)
class SyntheticControl:
    """Treated units against the weighted means of never treated units that come nearest to them before the start.

    Parameters
    ----------
    before, after
        Lengths of the windows in periods; by default one year after, and before it as many periods as leave
        enough earlier dates for the test: up to three years, in yearly data up to ten.
    window
        First and last period relative to the start: then one row for each period instead of one effect.
    scale
        ``ratio``: cases relative to those of the synthetic comparison, from logs of rates, ``log[(y + 1/2) / n]``.
        ``levels``: additional cases in the after-windows, derived from the ratio. ``additive``: additional cases a
        unit and period (per exposure where the study has one) from weights fitted to the counts themselves.
    treated
        Whether ``each`` treated unit has its own weights, or the ``mean`` of a cohort has. It concerns the
        textbook value (row ``unadjusted``), the weights and the fit; the test always compares units.
    inference
        :class:`evaluation.Randomization`. There is no standard error for a few treated units.

    Notes
    -----
    The weights ``w >= 0`` with sum 1 minimise ``sum_t (y_it - sum_j w_j y_jt)^2`` over the periods before the start
    (with a ridge of one millionth that makes them unique). The textbook value, row ``unadjusted``, is the mean gap
    ``y_it - sum_j w_j y_jt`` over the periods after, averaged over treated units.

    The test, row ``effect``, treats every unit in the same way: its own synthetic comparison from the never
    treated units at the true date and at every earlier date, the mean gap after less the mean gap before, less what
    the preceding rise lets expect, standardised with the history and compared under other assignments.
    ``facts["placebo_space_p"]`` is the classical test: the rank of the ratio of root mean squared gaps after to before
    among all units at the true date (summed over treated units); it does not take into account that measures go where
    the trouble is.

    Units beyond the reach of their donors share the same one or two of them, and so their errors. In placebo
    experiments at a nominal 5 % (3 and 10 of 63 areas, picked as the busiest or the most risen) the test rejected in 5
    to 8 % on simulated months; on Leipzig's years (all offences and bodily harm, three years before, one after) in 9 %,
    single cells in 6 to 14 %, :class:`SyntheticDifference` in 6 %, single cells in 2 to 12 %.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), Synthetic control methods for comparative case studies; Abadie (2021), Using
    synthetic controls; Ferman and Pinto (2021), Synthetic controls with imperfect pretreatment fit.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = SyntheticControl().estimate(example_panel())
    >>> result.table["term"].tolist()
    ['effect', 'unadjusted']
    """

    before: int | None = None
    after: int | None = None
    window: tuple[int, int] | None = None
    scale: Literal["ratio", "levels", "additive"] = "ratio"
    treated: Literal["each", "mean"] = "each"
    inference: Randomization | OnRequest = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        _check_options(self)

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effect (row ``effect``) and the textbook value (``unadjusted``), or rows by ``event_time``.

        Raises
        ------
        DesignError
            The windows do not fit the panel or are too short, or fewer than two units are never treated.
        EstimationError
            No unit has complete data in the windows, or the outcome never varies.
        """
        return _estimate(self, panel)


@dataclass(frozen=True, kw_only=True)
class SyntheticDifference:
    """Synthetic difference-in-differences: changes of treated units against those of donors that had moved alike.

    Parameters
    ----------
    before, after
        Lengths of the windows in periods; by default one year after, and before it as many periods as leave
        enough earlier dates for the test: up to three years, in yearly data up to ten.
    window
        First and last period relative to the start: then one row for each period instead of one effect.
    scale
        ``ratio``: cases relative to those expected, from logs of rates, ``log[(y + 1/2) / n]``. ``levels``:
        additional cases in the after-windows, derived from the ratio. ``additive``: additional cases a unit and
        period (per exposure where the study has one) from weights fitted to the counts themselves.
    treated
        Whether the ``mean`` of a cohort is one target, as in the paper, or ``each`` treated unit. It concerns the
        textbook value (row ``unadjusted``), the weights and the fit; the test always compares units.
    inference
        :class:`evaluation.Randomization`. There is no standard error for a few treated units.

    Notes
    -----
    With weights ``w`` of donors that follow the treated units up to a constant, drawn together by a ridge, and weights
    ``l`` of the periods before that resemble those after (formulas in :mod:`evaluation.did.donors.gap`),

    ``tau = mean over after of (y_it - sum_j w_j y_jt) - sum over before of l_t (y_it - sum_j w_j y_jt)``.

    This is the row ``unadjusted``; cohorts are weighted by their treated units. The test, row ``effect``, uses the
    ``tau`` of every unit at the true and every earlier date, as :class:`SyntheticControl` does. With `window`, the
    weights of periods are those of the whole time after the start.

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), Synthetic difference-in-differences; Clarke, Pailanir,
    Athey and Imbens (2024), On synthetic difference-in-differences and related estimation methods (staggered starts).

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = SyntheticDifference().estimate(example_panel())
    >>> result.table["term"].tolist()
    ['effect', 'unadjusted']
    """

    before: int | None = None
    after: int | None = None
    window: tuple[int, int] | None = None
    scale: Literal["ratio", "levels", "additive"] = "ratio"
    treated: Literal["each", "mean"] = "mean"
    inference: Randomization | OnRequest = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        _check_options(self)

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effect (row ``effect``) and the textbook value (``unadjusted``), or rows by ``event_time``.

        Raises
        ------
        DesignError
            The windows do not fit the panel or are too short, or fewer than two units are never treated.
        EstimationError
            No unit has complete data in the windows, or the outcome never varies.
        """
        return _estimate(self, panel)


Synthetic = SyntheticControl | SyntheticDifference


def donor_weights(panel: Panel, method: Synthetic) -> pd.DataFrame:
    """Return the donors of every treated unit (of every cohort, where its mean is the target) and their weights.

    Returns
    -------
    pandas.DataFrame
        Columns ``treated`` (labels, joined by commas for a mean), ``since``, ``donor``, ``weight``; donors without
        weight are left out, the largest come first.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> weights = donor_weights(example_panel(), SyntheticControl(before=5))
    >>> weights.groupby("treated")["weight"].sum().round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    rows = [
        {"treated": target, "since": fit.since, "donor": donor, "weight": weight}
        for fit in _fits(panel, method)
        for target, weights in zip(fit.targets, fit.comparison.unit_weights, strict=True)
        for donor, weight in sorted(zip(panel.units, weights, strict=True), key=lambda pair: -pair[1])
        if weight > 0
    ]
    return pd.DataFrame(rows, columns=["treated", "since", "donor", "weight"])


def period_weights(panel: Panel, method: Synthetic) -> pd.DataFrame:
    """Return the weights of the periods before the start: columns ``treated``, ``since``, ``period``, ``weight``.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> weights = period_weights(example_panel(), SyntheticDifference(before=5))
    >>> weights["period"].tolist(), float(weights["weight"].sum().round(6))
    (['2013', '2014', '2015', '2016', '2017'], 1.0)
    """
    rows = [
        {"treated": target, "since": fit.since, "period": panel.periods[fit.first + step], "weight": weight}
        for fit in _fits(panel, method)
        for target, weights in zip(fit.targets, fit.comparison.period_weights, strict=True)
        for step, weight in enumerate(weights)
    ]
    return pd.DataFrame(rows, columns=["treated", "since", "period", "weight"])


def trajectories(panel: Panel, method: Synthetic) -> pd.DataFrame:
    """Return the treated units beside their synthetic comparisons, period by period, for a picture of the fit.

    Returns
    -------
    pandas.DataFrame
        Columns ``treated``, ``period``, ``event_time``, ``observed``, ``synthetic``; rates (cases per exposure) on the
        ratio scale, whose synthetic values are geometric means.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> trajectories(example_panel(), SyntheticControl(before=5, after=2)).groupby("treated").size().tolist()
    [7, 7, 7]
    """
    rows = []
    for fit in _fits(panel, method):
        shown = fit.comparison.observed, fit.comparison.synthetic
        if method.scale != "additive":
            shown = np.exp(shown[0]), np.exp(shown[1])
        for target, observed, synthetic in zip(fit.targets, *shown, strict=True):
            rows += [
                {
                    "treated": target,
                    "period": panel.periods[period],
                    "event_time": period - fit.start,
                    "observed": observed[step],
                    "synthetic": synthetic[step],
                }
                for step, period in enumerate(fit.periods)
            ]
    return pd.DataFrame(rows, columns=["treated", "period", "event_time", "observed", "synthetic"])


# --- what both estimators do ---


def _check_options(method: Synthetic) -> None:
    """Raise with everything that is wrong with the options."""
    name, window = type(method).__name__, method.window
    wrong: list[tuple[str, object, str]] = []
    if method.scale not in SCALES:
        wrong.append(("scale", method.scale, ", ".join(SCALES)))
    if method.treated not in TREATED:
        wrong.append(("treated", method.treated, ", ".join(TREATED)))
    if method.before is not None and method.before < FEWEST_PERIODS:
        wrong.append(("before", method.before, f">= {FEWEST_PERIODS}"))
    if window is not None and not window[0] < 0 <= window[1]:
        wrong.append(("window", window, "(-k, l), k >= 1, l >= 0"))
    if window is not None and method.scale != "ratio":
        wrong.append(("window", window, "scale = ratio"))
    if window is not None and method.after is not None:
        wrong.append(("after", method.after, "window = None"))
    problems = [
        Problem("core.option_value", method=name, option=option, given=given, allowed=allowed)
        for option, given, allowed in wrong
    ]
    if not isinstance(method.inference, Randomization):
        problems.append(Problem("synthetic.no_std_error", method=name, given=type(method.inference).__name__))
    if problems:
        raise DesignError(*problems)


def _estimate(method: Synthetic, panel: Panel) -> Estimates:
    gap, windows = _prepared(panel, method)
    if method.window is not None:
        result = randomised_path(panel, method, window=method.window, base=windows, change=gap)
    elif method.scale == "additive":
        result = _additive(panel, method, gap, windows)
    else:
        result = randomised_effect(
            panel,
            method,
            before=windows.before,
            after=windows.after,
            change=gap,
            own=partial(_textbook, method=method, gap=gap),
            scale=method.scale,
        )
    found = _fits(panel, method, gap)
    return replace(
        result,
        facts={**result.facts, **fit_facts(found, difference=gap.difference)},
        notes=(*result.notes, *fit_notes(found, difference=gap.difference)),
    )


def _prepared(panel: Panel, method: Synthetic) -> tuple[SyntheticGap, Windows]:
    """Return the measure of change, and the windows: with event times one that reaches as far as they do."""
    name, year = type(method).__name__, PER_YEAR[panel.study.period]
    if panel.comparison.sum() < FEWEST_DONORS:
        raise DesignError(Problem("synthetic.no_donors", method=name, n=int(panel.comparison.sum())))
    starts = panel.starts[panel.treated]
    room, ahead = int(starts.min()) - panel.gap, panel.end - int(starts.max())
    window = method.window or (0, 0)
    after = method.after if method.window is None else window[1] + 1
    before = method.before
    if before is None and year == 1:
        left = room - (max(1, min(year, ahead)) if after is None else after)
        before = max(min(left - WANTED_DATES + 1, MOST_YEARS), min(left - LITTLE_HISTORY, FEW_PERIODS), min(room, 2))
    windows = choose_windows(panel, before, after, name)
    if -window[0] - panel.gap > windows.before:
        choose_windows(panel, -window[0] - panel.gap, after, name)  # says so if that many periods are not there
    if windows.before < FEWEST_PERIODS:
        since = min(panel.study.starts.values())
        raise DesignError(
            Problem("synthetic.short_before", method=name, needed=FEWEST_PERIODS, since=since, available=room)
        )
    gap = SyntheticGap(
        donors=panel.comparison,
        difference=isinstance(method, SyntheticDifference),
        logs=method.scale != "additive",
        horizon=None if method.window is None else windows.after,
    )
    return gap, windows


def _fits(panel: Panel, method: Synthetic, gap: SyntheticGap | None = None) -> list[Fitted]:
    """Return the treated units of each cohort, one by one or their mean, beside their synthetic comparisons."""
    prepared, windows = _prepared(panel, method)
    return fitted(panel, gap or prepared, windows, mean=method.treated == "mean", method=type(method).__name__)


def _textbook(panel: Panel, measured: Measured, *, method: Synthetic, gap: SyntheticGap) -> float:
    """Return the textbook value: cohorts are weighted by their treated units."""
    found = _fits(panel, method, gap)
    total = sum(len(fit.members) for fit in found)
    return float(sum(len(fit.members) / total * fit.comparison.effect.mean() for fit in found))


def _additive(panel: Panel, method: Synthetic, gap: SyntheticGap, windows: Windows) -> Estimates:
    """Return the effect in cases a unit and period: gaps of counts under other assignments, without a yardstick."""
    name, inference = type(method).__name__, method.inference
    if not isinstance(inference, Randomization):
        raise TypeError(f"{name} has the inference {type(inference).__name__}")
    measured = measure(panel, windows, name, scale="identity", change=gap)
    changes = gap.values(panel.outcome, panel.exposure, measured.starts, windows)
    own = changes[np.clip(measured.effects.cohort, 0, len(changes) - 1), np.arange(changes.shape[1])]
    changes = np.where(np.isfinite(changes), changes, own)
    effects = replace(measured.effects, residual=np.where(measured.effects.pool, changes, 0.0))
    reference = inference.assign(effects, panel.contiguity)
    tested = inference.test(effects, reference)
    value = _textbook(panel, measured, method=method, gap=gap)
    rows = [{"term": "effect", **effect_row(tested)}, {"term": "unadjusted", **plain_row(value, "synthetic.note.own")}]
    return Estimates(
        table=pd.DataFrame(rows),
        scale=Scale("identity", "cases"),
        draws=draws_of([tested.reference], panel, measured, reference),
        declaration=panel.study,
        method=method,
        counts=counts_of(panel, measured),
        notes=notes_of(measured, reference),
        facts=facts_of(measured, tested, reference),
    )
