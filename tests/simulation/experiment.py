"""Placebo experiments with the default estimator: pretend a measure, with or without an effect, and run the test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation import EstimationError, Panel, Randomization, Study, TwoByTwo
from tests.simulation.panels import CountPanel, leipzig_years, new_york_months, simulated_months
from tests.simulation.selection import pick

LEVEL = 0.05
TREATED = (1, 2, 3, 5, 10, 20)


@dataclass(frozen=True)
class Cell:
    """One line of the table: where, by which rule, how many, with which true effect and weighting."""

    panel: str
    rule: str
    treated: int
    effect: float
    weights: str


def as_panel(counts: np.ndarray, source: CountPanel, treated: np.ndarray, dates: np.ndarray) -> Panel:
    """Return the counts as a panel whose units `treated` start at `dates`."""
    units = [f"{number:02d}" for number in range(len(counts))]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(units, counts.shape[1]),
            "period": np.tile(source.periods, len(units)),
            "outcome": counts.ravel(),
        }
    )
    study = Study(
        id="placebo",
        outcome="cases",
        event="none",
        period="year" if source.frequency == "year" else "month",
        treated_since={units[unit]: source.periods[date] for unit, date in zip(treated, dates, strict=True)},
    )
    touching = {
        unit: frozenset(units[other] for other in np.flatnonzero(row))
        for unit, row in zip(units, source.contiguity, strict=True)
    }
    return Panel(frame, study, touching)


def run_once(source: CountPanel, date: int, cell: Cell, rng: np.random.Generator) -> tuple[bool, bool | None, float]:
    """Return whether zero is rejected, whether the interval covers the truth, and the estimate.

    Where the areas picked have not a single case there is no answer: nothing is rejected, the rest is missing.
    """
    treated = pick(cell.rule, source, date, cell.treated, rng)
    counts = source.counts.astype(int)
    if cell.effect:
        ahead = slice(date, date + source.after)
        counts[treated, ahead] = rng.binomial(counts[treated, ahead], 1 + cell.effect)
    inference = Randomization(draws=199, enumerate_up_to=999, seed=int(rng.integers(2**31)), weights=cell.weights)
    method = TwoByTwo(before=source.before, after=source.after, inference=inference)
    panel = as_panel(counts, source, treated, np.full(cell.treated, date))
    try:
        row = method.estimate(panel).row(term="effect")
    except EstimationError:
        return False, None, np.nan
    truth = np.log1p(cell.effect)
    covered = not (row["conf_low"] > truth or row["conf_high"] < truth)
    return row["p_value"] <= LEVEL, covered, row["estimate"]


def run_cell(cell: Cell, repetitions: int, seed: int) -> pd.DataFrame:
    """Return one row a repetition; on real panels `repetitions` is a date's."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    rows = []
    if cell.panel == "simulated":
        for _ in range(repetitions):
            source = simulated_months(rng)
            rows.append((source.dates[0], *run_once(source, source.dates[0], cell, rng)))
    else:
        source = real_panel(cell.panel)
        for date in source.dates:
            rows += [(date, *run_once(source, date, cell, rng)) for _ in range(repetitions)]
    return pd.DataFrame(rows, columns=["date", "rejected", "covered", "estimate"])


def real_panel(name: str) -> CountPanel:
    """Return a real panel by its name."""
    if name.startswith("New York"):
        return new_york_months()
    return next(panel for panel in leipzig_years() if panel.name == name)
