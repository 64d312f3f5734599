"""Placebo experiments: pretend a measure, with or without an effect, and run an estimator as it comes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation import Estimates, EstimationError, Panel, Randomization, Study
from tests.simulation.methods import DEFAULT, METHODS, further_columns
from tests.simulation.panels import CountPanel, leipzig_years, new_york_months, simulated_months
from tests.simulation.selection import pick

LEVEL = 0.05
TREATED = (1, 2, 3, 5, 10, 20)
TYPICAL_HOURS = 60.0  # of patrols, a month: as much as has the full effect


@dataclass(frozen=True)
class Cell:
    """One line of the table: where, by which rule, how many, with which true effect, estimator and timing.

    ``staggered`` spreads the starts over three dates; ``exposure`` compares rates of a population that grows unevenly.
    """

    panel: str
    rule: str
    treated: int
    effect: float
    method: str = DEFAULT
    staggered: bool = False
    exposure: bool = False


@dataclass(frozen=True)
class Run:
    """What one experiment found: rejection of no effect, coverage of the true ratio and cases, estimate (log ratio)."""

    rejected: bool
    covered: float
    covered_cases: float
    estimate: float


NO_ANSWER = Run(False, np.nan, np.nan, np.nan)


def starts_of(dates: dict[int, int], units: int = 63) -> np.ndarray:
    """Return the first periods ``(units,)`` with the measure, -1 for units that `dates` does not name."""
    starts = np.full(units, -1)
    starts[list(dates)] = list(dates.values())
    return starts


def as_panel(
    counts: np.ndarray,
    source: CountPanel,
    starts: np.ndarray,
    *,
    exposure: np.ndarray | None = None,
    columns: dict[str, Any] | None = None,
) -> Panel:
    """Return the counts as a panel whose units start at `starts` ``(N,)``, -1 for never."""
    units = [f"{number:02d}" for number in range(len(counts))]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(units, counts.shape[1]),
            "period": np.tile(source.periods, len(units)),
            "outcome": counts.ravel(),
            **{name: np.asarray(values).ravel() for name, values in (columns or {}).items()},
        }
    )
    if exposure is not None:
        frame["exposure"] = exposure.ravel()
    study = Study(
        id="placebo",
        outcome="cases",
        event="none",
        period="year" if source.frequency == "year" else "month",
        exposure=exposure is not None,
        treated_since={units[unit]: source.periods[starts[unit]] for unit in np.flatnonzero(starts >= 0)},
    )
    touching = {
        unit: frozenset(units[other] for other in np.flatnonzero(row))
        for unit, row in zip(units, source.contiguity, strict=True)
    }
    return Panel(frame, study, touching)


def run_once(source: CountPanel, date: int, cell: Cell, rng: np.random.Generator) -> Run:
    """Return what the estimator finds where units are picked by the cell's rule before `date`.

    Where the areas picked have not a single case there is no answer: nothing is rejected, the rest is missing.
    """
    treated = pick(cell.rule, source, date, cell.treated, rng)
    starts = np.full(len(source.counts), -1)
    starts[treated] = date + (source.stagger * (np.arange(cell.treated) % 3) if cell.staggered else 0)
    method, counts = METHODS[cell.method], source.counts.astype(int)
    columns = further_columns(method.needs, source, starts, rng)
    strength = np.where(starts >= 0, columns["hours"].max(axis=1) / TYPICAL_HOURS if "hours" in columns else 1.0, 0.0)
    active = np.arange(counts.shape[1]) >= starts[:, None]
    kept = np.where(active, np.exp(np.log1p(cell.effect) * strength)[:, None], 1.0)
    with_effect = rng.binomial(counts, kept) if cell.effect else counts
    inference = Randomization(draws=199, enumerate_up_to=999, seed=int(rng.integers(2**31)))
    panel = as_panel(with_effect, source, starts, exposure=source.exposure, columns=columns)
    try:
        result = method.make(source, inference).estimate(panel)
    except EstimationError:
        return NO_ANSWER
    row, truth = method.answer(result), np.log1p(cell.effect)
    covered = not (row["conf_low"] > truth or row["conf_high"] < truth)
    prevented = sum((counts - with_effect)[unit, starts[unit] : starts[unit] + source.after].sum() for unit in treated)
    return Run(row["p_value"] <= LEVEL, covered, _covers_cases(result, row, -prevented), row["estimate"])


def _covers_cases(result: Estimates, row: pd.Series, truth: float) -> float:
    """Return whether the interval in cases holds the number in fact prevented; missing where none is given."""
    if "observed" not in result.facts:
        return np.nan
    low, high = (result.facts["observed"] * (1 - np.exp(-row[end])) for end in ("conf_low", "conf_high"))
    return float(not (low > truth or high < truth))


def run_cell(cell: Cell, repetitions: int, seed: int) -> pd.DataFrame:
    """Return one row a repetition; on real panels `repetitions` is a date's."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    rows = []
    if cell.panel == "simulated":
        for _ in range(repetitions):
            source = simulated_months(
                rng,
                periods=48 if cell.staggered else 36,  # so that there is as much history before the first start
                thinned=METHODS[cell.method].needs == "other",
                exposure=cell.exposure,
            )
            date = source.dates[0] - (2 * source.stagger if cell.staggered else 0)
            rows.append((date, run_once(source, date, cell, rng)))
    else:
        source = real_panel(cell.panel)
        last = source.dates[-1] - (2 * source.stagger if cell.staggered else 0)
        for date in [date for date in source.dates if date <= last]:
            rows += [(date, run_once(source, date, cell, rng)) for _ in range(repetitions)]
    return pd.DataFrame([{"date": date, **asdict(run)} for date, run in rows])


def real_panel(name: str) -> CountPanel:
    """Return a real panel by its name."""
    if name.startswith("New York"):
        return new_york_months()
    return next(panel for panel in leipzig_years() if panel.name == name)
