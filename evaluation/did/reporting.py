"""From registered to committed offences: what a change in reporting would do to an effect, and the effect without it.

Registered offences are offences times the rate at which they are reported. Where a survey asks whether people reported
what happened to them, its change corrects the effect; where none does, it is said how large a change in reporting would
explain the effect away. What is left out: what patrols find by themselves, which no victim reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.influence import contrast, critical_value, two_sided_p

POWER_QUANTILE = float(ndtri(0.8))


def explaining_change(estimate: float, conf_low: float, conf_high: float) -> dict[str, float]:
    """Return how much reporting would have to change, relative to the other areas, to explain an effect away.

    Parameters
    ----------
    estimate, conf_low, conf_high
        The effect on registered cases as a log ratio, with its interval; an open end is missing.

    Returns
    -------
    dict
        ``vanishes_if_reporting``: relative change of the reporting rate at which the estimate would be nothing but
        reporting, -0.2 for a rate that is 20 % lower; ``indistinct_if_reporting``: the smaller change at which the
        interval would no longer exclude zero, missing where it does not do so anyway.

    Notes
    -----
    Registered cases are true cases times the rate, ``ln RR = ln RR_true + ln RR_rate``; the true effect is zero where
    ``RR_rate = exp(estimate)``, and within reach where it is the interval's end nearest zero.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in explaining_change(-0.2231, -0.4, -0.0513).items()}
    {'vanishes_if_reporting': -0.2, 'indistinct_if_reporting': -0.05}
    """
    nearest = conf_high if conf_high < 0 else conf_low if conf_low > 0 else np.nan
    return {
        "vanishes_if_reporting": float(np.expm1(estimate)),
        "indistinct_if_reporting": float(np.expm1(nearest)),
    }


def explained_away(effect: Estimates, keys: Mapping[str, object] | None = None) -> dict[str, float]:
    """Return :func:`explaining_change` of one row of a result.

    Parameters
    ----------
    keys
        Which row; ``{"term": "effect"}`` if None.

    Raises
    ------
    EstimationError
        The result is no ratio.
    """
    if problems := _scale_problems(effect):
        raise EstimationError(*problems)
    row = effect.row(**(keys or {"term": "effect"}))
    return explaining_change(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))


def explained_away_note(facts: Mapping[str, float]) -> Note:
    """Return what :func:`explaining_change` says as a remark.

    Examples
    --------
    >>> explained_away_note(explaining_change(-0.22, -0.5, 0.1)).code
    'triple_dose.note.explained_away_at_once'
    """
    ending = "explained_away_at_once" if np.isnan(facts["indistinct_if_reporting"]) else "explained_away"
    return Note(f"triple_dose.note.{ending}", dict(facts))


def reporting_change(shares: Estimates, *, group: str, wave: str, baseline: object, later: object) -> Estimates:
    """Return how the reporting rate has changed in the areas with the measure against the others, as a log ratio.

    Parameters
    ----------
    shares
        Shares of victims who reported, by `group` and `wave`, such as
        ``Share("reported", (1,), by=("treated", "wave")).estimate(sample)``.
    group
        Key column that is true (or 1) for people from areas with the measure.
    wave
        Key column of the wave.
    baseline, later
        Its values before and after the start.

    Returns
    -------
    Estimates
        One row, ``term`` = ``reporting``, with the influence of the survey's sampling units.

    Raises
    ------
    EstimationError
        A share is missing, or nobody of a group reported.

    Notes
    -----
    ``ln (r_T1 / r_T0) - ln (r_C1 / r_C0)``; the influence on ``ln r`` is that on ``r`` over ``r``.

    Examples
    --------
    >>> from evaluation import Share
    >>> from evaluation.simulate import simulate_sample
    >>> shares = Share("unsafe", (1,), by=("treated", "wave")).estimate(simulate_sample(1))
    >>> change = reporting_change(shares, group="treated", wave="wave", baseline="2021", later="2024")
    >>> change.table["term"].tolist(), change.scale.name
    (['reporting'], 'log')
    """
    table = shares.table
    weights, problems = np.zeros(len(table)), []
    for treated in (True, False):
        for value in (baseline, later):
            rows = np.flatnonzero((table[group].astype(bool) == treated) & (table[wave] == value))
            usable = len(rows) == 1 and table["estimate"].iloc[rows[0]] > 0
            if usable and not np.isnan(table["std_error"].iloc[rows[0]]):
                weights[rows[0]] = 1.0 if treated == (value == later) else -1.0
            else:
                problems.append(Problem("triple_dose.no_reporting_rate", group=group, given=treated, wave=value))
    if shares.influence is None:
        problems.append(Problem("survey.no_influence", method=type(shares.method).__name__))
    if problems or shares.influence is None:
        raise EstimationError(*problems)
    share = np.where(weights != 0, table["estimate"], 1.0)
    values = np.where(weights != 0, shares.influence.values / share, 0.0)
    logs = replace(
        shares,
        table=table.assign(estimate=np.log(share), std_error=table["std_error"] / share),
        influence=replace(shares.influence, values=values),
    )
    return contrast(logs, weights, keys=pd.DataFrame({"term": ["reporting"]}), scale=Scale("log", "ratio"))


def reporting_adjusted(
    effect: Estimates, reporting: Estimates, *, keys: Mapping[str, object] | None = None, level: float = 0.95
) -> Estimates:
    """Return the effect on true offences: that on registered ones less the change in reporting.

    Parameters
    ----------
    effect
        Effect on registered cases, a log ratio; its interval at `level`.
    reporting
        One row: the change of the reporting rate in areas with the measure against the others, a log ratio with its
        standard error (:func:`reporting_change`).
    keys
        Row of `effect` that is adjusted; ``{"term": "effect"}`` if None.
    level
        Of the intervals.

    Returns
    -------
    Estimates
        Rows ``effect`` (adjusted), ``registered`` and ``reporting``.

    Raises
    ------
    EstimationError
        A result is no ratio, or the change in reporting has no standard error.

    Notes
    -----
    ``ln RR_true = ln RR - ln RR_rate``. Register and survey are independent sources. Where both have standard errors
    these add up, with Satterthwaite's degrees of freedom. An interval from drawn assignments, which need not be
    symmetric, is joined with that of the survey by the square-and-add rule: with deviations ``d`` of the ends from
    their estimates, ``low = estimate - sqrt(d_low(effect)² + d_high(reporting)²)``, the high end alike; the p-value is
    then that of a normal distribution with the half-width on the side of zero, not below the smallest attainable one,
    so that it falls short of 1 - `level` exactly where the interval excludes zero.

    References
    ----------
    Zou and Donner (2008), Construction of confidence limits about effect measures; Satterthwaite (1946).

    Examples
    --------
    >>> from evaluation import Share, TwoByTwo
    >>> from evaluation.simulate import example_panel, simulate_sample
    >>> shares = Share("unsafe", (1,), by=("treated", "wave")).estimate(simulate_sample(1))
    >>> change = reporting_change(shares, group="treated", wave="wave", baseline="2021", later="2024")
    >>> adjusted = reporting_adjusted(TwoByTwo().estimate(example_panel()), change)
    >>> adjusted.table["term"].tolist()
    ['effect', 'registered', 'reporting']
    """
    problems = [*_scale_problems(effect), *_scale_problems(reporting)]
    if len(reporting.table) != 1 or reporting.table[["estimate", "std_error"]].isna().to_numpy().any():
        problems.append(Problem("triple_dose.no_reporting_change", rows=len(reporting.table)))
    if problems:
        raise EstimationError(*problems)
    registered, rate = effect.row(**(keys or {"term": "effect"})), reporting.table.iloc[0]
    margin = float(critical_value(level, rate["df"]) * rate["std_error"])
    if np.isnan(registered["std_error"]):
        adjusted = _joined_intervals(registered, rate, margin, level, float(effect.facts.get("smallest_p", 0.0)))
    else:
        adjusted = _joined_errors(registered, rate, level)
    survey = {**_numbers(rate), "conf_low": rate["estimate"] - margin, "conf_high": rate["estimate"] + margin}
    rows = {"effect": adjusted, "registered": _numbers(registered), "reporting": survey}
    return Estimates(
        table=pd.DataFrame([{"term": term, **row} for term, row in rows.items()]),
        scale=Scale("log", "ratio"),
        declaration=effect.declaration,
        method=effect.method,
        counts=effect.counts,
        notes=(*effect.notes, *reporting.notes, Note("triple_dose.note.reporting_adjusted")),
        facts={**effect.facts, "level": level, **_detectable(effect, float(rate["std_error"]), level)},
    )


def _scale_problems(result: Estimates) -> list[Problem]:
    if result.scale.name == "log":
        return []
    return [Problem("triple_dose.no_log_ratio", method=type(result.method).__name__)]


def _numbers(row: pd.Series) -> dict[str, object]:
    names = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "note")
    return {name: row[name] for name in names}


def _joined_errors(registered: pd.Series, rate: pd.Series, level: float) -> dict[str, object]:
    """Return the difference of two independent estimates with standard errors."""
    squares = np.array([registered["std_error"], rate["std_error"]], dtype=float) ** 2
    dfs = np.array([registered["df"], rate["df"]], dtype=float)
    std_error = float(np.sqrt(squares.sum()))
    df = float(squares.sum() ** 2 / (squares**2 / dfs).sum()) if np.isfinite(dfs).any() else np.inf
    estimate = float(registered["estimate"] - rate["estimate"])
    margin = float(critical_value(level, df)) * std_error
    statistic = estimate / std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "df": df,
        "statistic": statistic,
        "p_value": float(two_sided_p(np.array(statistic), df)),
        "conf_low": estimate - margin,
        "conf_high": estimate + margin,
        "note": "",
    }


def _joined_intervals(
    registered: pd.Series, rate: pd.Series, margin: float, level: float, smallest_p: float
) -> dict[str, object]:
    """Return the difference by the square-and-add rule; an end that is open stays open."""
    estimate = float(registered["estimate"] - rate["estimate"])
    below = float(np.hypot(registered["estimate"] - registered["conf_low"], margin))
    above = float(np.hypot(registered["conf_high"] - registered["estimate"], margin))
    towards_zero = above if estimate < 0 else below
    p_value = 2 * float(ndtr(-abs(estimate) / towards_zero * critical_value(level, np.inf)))
    note = str(registered["note"])
    if np.isnan(p_value) and not np.isnan(estimate):
        note = f"{note} triple_dose.note.no_joint_p"
    return {
        **_numbers(registered),
        "estimate": estimate,
        "p_value": max(p_value, smallest_p) if np.isfinite(p_value) else np.nan,
        "conf_low": estimate - below,
        "conf_high": estimate + above,
        "note": note,
    }


def _detectable(effect: Estimates, std_error: float, level: float) -> dict[str, float]:
    """Return the relative change that is found with 80 % power, the survey's error added to that of the effect."""
    alone = float(effect.facts.get("detectable", np.nan))
    if not alone < 1:
        return {}
    survey = (float(critical_value(level, np.inf)) + POWER_QUANTILE) * std_error
    return {"detectable": float(-np.expm1(-np.hypot(np.log1p(-alone), survey)))}
