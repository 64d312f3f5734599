"""How often the default test cries wolf on the city's own areas and years, and the effect under other options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.did.inference.effects import counts_of
from evaluation.did.inference.unit_effects import choose_windows, measure
from evaluation.did.two_by_two import TwoByTwo
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates, Estimator, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.assignments import draw_within_strata, level_strata
from evaluation.randomization.history import Changes, fit_history, placebo_dates, unit_changes
from evaluation.randomization.inference import LITTLE_HISTORY, Randomization, UnitEffects

RULES = ("random", "highest", "risers")


def placebo_calibration(panel: Panel, method: TwoByTwo, *, experiments: int = 100, level: float = 0.05) -> Estimates:
    """Return the false alarm rate of the test on earlier dates at which nothing began.

    At every earlier date, as many areas as have the measure are picked: at random, among the busiest (three times
    as many candidates), or among those that have just risen most. Each pick is tested within strata as if it had
    got the measure, with the history before that date; a series too short for that lends its whole history.

    Parameters
    ----------
    experiments
        Picks at each date and by each rule.
    level
        Of the test.

    Returns
    -------
    Estimates
        One row for each ``rule``: the share of picks whose p-value is at most `level`. The dates overlap, so
        the share has no standard error; the table has none either and says so. Missing where there are too few
        earlier dates.
    """
    windows = choose_windows(panel, method.before, method.after, "TwoByTwo")
    measured = measure(panel, windows, "TwoByTwo")
    treated = int(measured.effects.treated(measured.effects.cohort).sum())
    dates = measured.past_dates
    whole = unit_changes(panel.outcome, panel.exposure, dates, windows).with_data()
    inference = method.inference if isinstance(method.inference, Randomization) else Randomization()
    rng = np.random.default_rng(np.random.SeedSequence(inference.seed))
    alarms: dict[str, list[float]] = {rule: [] for rule in RULES}
    for date in dates:
        earlier = placebo_dates(int(date), windows)
        known = unit_changes(panel.outcome, panel.exposure, earlier, windows).with_data()
        history = fit_history(known if len(known.dates) >= LITTLE_HISTORY else whole)
        changes = unit_changes(panel.outcome, panel.exposure, np.array([date]), windows)
        residual, spread = history.standardise(changes)
        pool = measured.effects.pool & np.isfinite(residual[0])
        if pool.sum() <= treated:
            continue
        effects = UnitEffects(
            cohort=np.full(len(pool), -1),
            pool=pool,
            residual=np.where(pool, residual, 0.0),
            spread=np.where(pool, spread, 1.0),
            share=np.zeros_like(residual),
            level=np.where(pool, changes.level[0], 1.0),
            past=np.nan_to_num(history.residual / np.sqrt(history.factor * history.variance)),
            later=np.zeros((1, 1), dtype=bool),
        )
        for rule in RULES:
            picks = np.array([_pick(rule, changes, pool, treated, rng) for _ in range(experiments)])
            alarms[rule].append(_share_rejected(effects, picks, inference, level))
    rows = [_row(rule, shares) for rule, shares in alarms.items()]
    tested = len(alarms["random"])
    return Estimates(
        table=pd.DataFrame(rows),
        scale=Scale("identity", "share"),
        declaration=panel.study,
        method=method,
        counts=counts_of(panel, measured),
        notes=() if tested else (Note("core.note.no_calibration"),),
        facts={"dates": tested, "experiments": tested * experiments, "level": level},
    )


def _pick(rule: str, changes: Changes, pool: np.ndarray, treated: int, rng: np.random.Generator) -> np.ndarray:
    members = np.flatnonzero(pool)
    if rule != "random":
        score = changes.level[0] if rule == "highest" else changes.rise[0]
        members = members[np.argsort(-score[members], kind="stable")][: 3 * treated]
    cohort = np.full(len(pool), -1)
    cohort[rng.choice(members, treated, replace=False)] = 0
    return cohort


def _share_rejected(effects: UnitEffects, picks: np.ndarray, inference: Randomization, level: float) -> float:
    """Return the share of `picks` ``(E, N)`` whose p-value within two strata of the level is at most `level`.

    Reference sets depend on a pick only through its numbers by stratum, so picks that agree in these share one.
    """
    strata = level_strata(effects.level, effects.pool, 2)
    sizes = np.array([np.bincount(strata[pick >= 0], minlength=strata.max() + 1) for pick in picks])
    rejected = 0
    for size in np.unique(sizes, axis=0):
        alike = picks[(sizes == size).all(axis=1)]
        reference = draw_within_strata(
            alike[0], strata, draws=999, enumerate_up_to=inference.enumerate_up_to, seed=inference.seed
        )
        values = np.abs(inference.values(replace(effects, cohort=alike[0]), reference.cohort))
        shown = np.abs(inference.statistic(replace(effects, cohort=alike[0]), alike))
        others = values if reference.enumerated else values[1:]
        more = (others[None] >= shown[:, None] * (1 - 1e-9)).sum(axis=1)
        p_values = more / len(others) if reference.enumerated else (1 + more) / (1 + len(others))
        rejected += int((p_values <= level).sum())
    return rejected / len(picks)


def _row(rule: str, shares: list[float]) -> dict[str, object]:
    empty = dict.fromkeys(("std_error", "statistic", "p_value", "conf_low", "conf_high"), np.nan)
    estimate, note = (float(np.mean(shares)), "overlapping_dates") if shares else (np.nan, "no_calibration")
    return {"rule": rule, "estimate": estimate, **empty, "df": np.inf, "note": note}


def specifications(panel: Panel, methods: Mapping[str, Estimator]) -> dict[str, Estimates | EvaluationError]:
    """Return the same effect under several specifications, or the error that says why one of them is not possible.

    Parameters
    ----------
    methods
        By label: the declared one and the sensitivities that were named beforehand.
    """
    results: dict[str, Estimates | EvaluationError] = {}
    for label, method in methods.items():
        try:
            results[label] = method.estimate(panel)
        except EvaluationError as error:
            results[label] = error
    return results
