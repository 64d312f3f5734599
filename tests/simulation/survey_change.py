"""Coverage of changes between survey waves and of effects on survey answers, in simulated clustered samples.

``python -m tests.simulation.survey_change [--quick]`` writes ``docs/simulation_survey_change.md`` and its table; the
same numbers on every machine. 63 areas with 45 answers each and wave: 15 sampling units of 3 people, unequal
weights.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri
from scipy.stats import beta

from evaluation import (
    Change,
    CompositionAdjusted,
    Mean,
    ModeAdjusted,
    Ordinal,
    Randomization,
    Sample,
    Share,
    SurveyDesign,
    SurveyDifference,
)

DOCS = Path(__file__).parents[2] / "docs"
AREAS, UNITS, PEOPLE = 63, 15, 3
STEPS = np.array([1.1, -0.4, -2.0])  # log odds of an answer above 1, 2, 3 in an area like the others
LIKENESS = 0.10  # of the answers of one sampling unit
EFFECT, SHOCK, SPREAD = -0.5, 0.22, 0.45  # log odds: effect; standard deviation of area x wave shocks; of areas
ONLINE = 0.3
BAND = (0.93, 0.97)
REPETITIONS = 1000


@dataclass(frozen=True)
class Cell:
    """One line of the table.

    ``rule`` says how treated areas are picked: at random; among the highest true levels; among the highest answers of
    the baseline, which include chance. ``waves`` counts all of them; the last two are compared.
    """

    what: str
    estimator: str = "share"
    treated: int = 0
    shocks: bool = False
    rule: str = "random"
    waves: int = 2


def cells() -> list[Cell]:
    """Return the lines of the tables."""
    both, few = (False, True), (3, 5, 10, 20)
    found = [Cell("effect", "share", k, s, rule) for rule, s, k in product(("random", "highest"), both, few)]
    found += [Cell("effect", name, k, s) for name, s, k in product(("mean", "ordinal"), both, (3, 10))]
    found += [Cell("effect, five waves", "share", k, s, waves=5) for s, k in product(both, (3, 5))]
    found += [Cell("effect, three waves", "share", k, s, waves=3) for s, k in product(both, (3, 10))]
    found += [Cell("effect", "share", k, False, "answers") for k in (3, 10)]
    found += [Cell("effect, three waves", "share", k, False, "answers", waves=3) for k in (3, 10)]
    found += [Cell("effect, five waves", "share", 3, False, "answers", waves=5)]
    found += [Cell("effect, sample alone", "share", k, s) for s, k in product(both, (3, 20))]
    designs = ("change", "change, same people", "change, same units", "change by area", "mode taken off", "composition")
    return found + [Cell(what) for what in designs]


@dataclass(frozen=True)
class City:
    """What is drawn once for a repetition: log odds of every area and wave ``(A, W)``, and who is treated ``(A,)``."""

    eta: np.ndarray
    treated: np.ndarray


def city(cell: Cell, rng: np.random.Generator) -> City:
    """Draw the areas; the effect is not in the log odds."""
    level = SPREAD * rng.standard_normal(AREAS)
    common = 0.1 * rng.standard_normal(cell.waves)
    eta = level[:, None] + common + (SHOCK * rng.standard_normal((AREAS, cell.waves)) if cell.shocks else 0.0)
    order = rng.permutation(AREAS) if cell.rule == "random" else np.argsort(-level)
    treated = np.zeros(AREAS, dtype=bool)
    treated[rng.choice(order[: 3 * cell.treated], min(cell.treated, AREAS), replace=False)] = True
    return City(eta, treated)


def wave(eta: np.ndarray, rng: np.random.Generator, *, common: np.ndarray | None = None) -> pd.DataFrame:
    """Draw one wave: answers 1 to 4 that follow proportional odds in every area exactly.

    `common` ``(A * UNITS,)`` holds standard normal numbers that the people of a unit share; drawn where None.
    """
    n = AREAS * UNITS * PEOPLE
    unit = np.repeat(np.arange(AREAS * UNITS), PEOPLE)
    area = unit // UNITS
    shared = rng.standard_normal(AREAS * UNITS) if common is None else common
    latent = np.sqrt(LIKENESS) * shared[unit] + np.sqrt(1 - LIKENESS) * rng.standard_normal(n)
    names = np.array([f"{number:02d}" for number in range(AREAS)])
    return pd.DataFrame(
        {
            "area": names[area],
            "stratum": names[area],
            "unit": unit,
            "person": np.arange(n),
            "weight": (0.5 + 1.5 * ((area * 7) % AREAS) / AREAS) * rng.lognormal(0, 0.3, n),
            "latent": latent,
            "answer": answers(eta[area], latent),
        }
    )


def answers(eta: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """Return answers 1 to 4 from log odds and standard normal numbers ``(n,)``."""
    above = ndtri(expit(eta[:, None] + STEPS))
    return np.asarray(1 + (latent[:, None] > -above).sum(axis=1))


def expected(eta: np.ndarray, estimator: str) -> np.ndarray:
    """Return the expected share of answers 3 and 4, mean or log odds of areas with log odds `eta`, any shape."""
    above = expit(eta[..., None] + STEPS)
    return {"share": above[..., 1], "mean": 1 + above.sum(axis=-1), "ordinal": eta}[estimator]


ESTIMATORS = {
    "share": Share("answer", (3, 4), scale=4),
    "mean": Mean("answer"),
    "ordinal": Ordinal("answer", scale=4),
}


def effect_once(cell: Cell, rng: np.random.Generator) -> tuple[bool, float, float]:
    """Return whether the interval covers, the error of the estimate and the width of the interval."""
    drawn = city(cell, rng)
    labels = [str(2020 + number) for number in range(cell.waves)]
    frames = [wave(drawn.eta[:, number], rng) for number in range(cell.waves - 1)]
    treated = drawn.treated
    if cell.rule == "answers":
        shares = frames[-1].groupby("area")["answer"].agg(lambda given: (given > 2).mean()).to_numpy()
        treated = np.zeros(AREAS, dtype=bool)
        treated[rng.choice(np.argsort(-shares)[: 3 * cell.treated], cell.treated, replace=False)] = True
    last = drawn.eta[:, -1]
    frames.append(wave(last + EFFECT * treated, rng))
    frame = pd.concat([part.assign(wave=label) for part, label in zip(frames, labels, strict=True)], ignore_index=True)
    names = tuple(f"{number:02d}" for number in np.flatnonzero(treated))
    chosen = "design" if "alone" in cell.what else "auto"
    inference = Randomization(draws=999, enumerate_up_to=999, seed=int(rng.integers(2**31)))
    method = SurveyDifference(
        ESTIMATORS[cell.estimator],
        names,
        labels[-2],
        labels[-1],
        inference=inference if cell.treated < 10 and chosen == "auto" else chosen,
    )
    row = method.estimate(Sample(frame, SurveyDesign(psu="unit", wave="wave"))).table.iloc[0]
    moved = expected(last + EFFECT, cell.estimator) - expected(last, cell.estimator)
    truth = float(moved[treated].mean())
    covered = not (row["conf_low"] > truth or row["conf_high"] < truth)
    return covered, row["estimate"] - truth, row["conf_high"] - row["conf_low"]


def effect_reliability(rng: np.random.Generator) -> float:
    """Return which part of the differences between areas in one wave is no chance, as an effect's facts say."""
    drawn = city(Cell("effect", treated=10), rng)
    frame = pd.concat([wave(drawn.eta[:, t], rng).assign(wave=str(2020 + t)) for t in (0, 1)], ignore_index=True)
    names = tuple(f"{number:02d}" for number in np.flatnonzero(drawn.treated))
    method = SurveyDifference(ESTIMATORS["share"], names, "2020", "2021")
    return float(method.estimate(Sample(frame, SurveyDesign(psu="unit", wave="wave"))).facts["reliability"])


def change_once(cell: Cell, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the share of intervals that cover, the mean error and the mean width (one, or 63 areas)."""
    drawn = city(cell, rng)
    common = rng.standard_normal(AREAS * UNITS) if "same" in cell.what else None
    first = wave(drawn.eta[:, 0], rng, common=common)
    second = wave(drawn.eta[:, 1], rng, common=common)
    if cell.what == "change, same people":
        kept = rng.random(len(second)) < 0.5
        area = second["area"].astype(int).to_numpy()
        again = answers(drawn.eta[area, 1], 0.8 * first["latent"].to_numpy() + 0.6 * second["latent"].to_numpy())
        second["answer"] = np.where(kept, again, second["answer"])
        second["weight"] = np.where(kept, first["weight"], second["weight"])
        second["person"] = np.where(kept, first["person"], second["person"] + len(first))
        frame = pd.concat([first.assign(wave="2020"), second.assign(wave="2021")], ignore_index=True)
        design = SurveyDesign(psu="unit", wave="wave", overlap=True)
    else:
        frame = pd.concat([first.assign(wave="2020"), second.assign(wave="2021")], ignore_index=True)
        design = SurveyDesign(psu="unit", wave="wave", overlap=cell.what == "change, same units")
    share, shares = ESTIMATORS["share"], expected(drawn.eta, "share")
    weight = np.array([0.5 + 1.5 * ((number * 7) % AREAS) / AREAS for number in range(AREAS)])
    truth: np.ndarray | float = float(weight @ (shares[:, 1] - shares[:, 0]) / weight.sum())
    if cell.what == "change by area":
        method, truth = Change(Share("answer", (3, 4), scale=4, by="area"), "2020", "2021"), shares[:, 1] - shares[:, 0]
    elif cell.what == "mode taken off":
        frame, method = _with_modes(frame, drawn.eta, rng)
    elif cell.what == "composition":
        frame, method = _with_ages(frame, drawn.eta, rng)
        truth = _composed(drawn.eta, weight)
    else:
        method = Change(share, "2020", "2021")
    table = method.estimate(Sample(frame, design)).table
    rows = table if "term" not in table else table[table["term"] == "adjusted"]
    low, high = rows["conf_low"].to_numpy(), rows["conf_high"].to_numpy()
    known = np.isfinite(low)
    hits = ((low <= truth) & (truth <= high))[known]
    error = (rows["estimate"].to_numpy() - truth)[known]
    return float(hits.mean()), float(error.mean()), float((high - low)[known].mean())


def _with_modes(frame: pd.DataFrame, eta: np.ndarray, rng: np.random.Generator) -> tuple[pd.DataFrame, ModeAdjusted]:
    """Put the first wave on paper and the second online, which is more open; a parallel run has both by lot."""
    area = frame["area"].astype(int).to_numpy()
    late = (frame["wave"] == "2021").to_numpy()
    online = np.where(late, ONLINE, 0.0)
    frame["answer"] = answers(eta[area, late.astype(int)] + online, frame["latent"].to_numpy())
    extra = wave(eta[:, 1], rng)
    by_lot = rng.random(len(extra)) < 0.5
    area = extra["area"].astype(int).to_numpy()
    extra["answer"] = answers(eta[area, 1] + ONLINE * by_lot, extra["latent"].to_numpy())
    extra["mode"] = np.where(by_lot, "online", "paper")
    frame = pd.concat(
        [frame.assign(mode=np.where(late, "online", "paper")), extra.assign(wave="2021p")], ignore_index=True
    )
    return frame, ModeAdjusted(ESTIMATORS["share"], "2020", "2021", parallel="2021p")


OLD = 0.5  # log odds of old people against young ones


def _with_ages(frame: pd.DataFrame, eta: np.ndarray, rng: np.random.Generator) -> tuple[pd.DataFrame, object]:
    """Let old people be 30 % of the first wave and 50 % of the second."""
    late = (frame["wave"] == "2021").to_numpy()
    old = rng.random(len(frame)) < np.where(late, 0.5, 0.3)
    area = frame["area"].astype(int).to_numpy()
    given = answers(eta[area, late.astype(int)] + OLD * old, frame["latent"].to_numpy())
    frame = frame.assign(answer=given, age=np.where(old, "old", "young"))
    return frame, CompositionAdjusted(ESTIMATORS["share"], "2020", "2021", cells="age")


def _composed(eta: np.ndarray, weight: np.ndarray) -> float:
    parts = [(0.3, OLD), (0.7, 0.0)]
    means = [sum(part * expected(eta[:, t] + age, "share") for part, age in parts) for t in (0, 1)]
    return float(weight @ (means[1] - means[0]) / weight.sum())


def run(job: tuple[Cell, int, int]) -> dict[str, object]:
    """Run one cell and return its line."""
    cell, repetitions, seed = job
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    once = effect_once if cell.treated else change_once
    found = np.array([once(cell, rng) for _ in range(repetitions)], dtype=float)
    return {
        **asdict(cell),
        "covered": found[:, 0].mean(),
        "bias": found[:, 1].mean(),
        "error": found[:, 1].std(),
        "width": found[:, 2].mean(),
        "repetitions": repetitions,
        "seed": seed,
    }


def interval(share: float, number: int, level: float = 0.99) -> tuple[float, float]:
    """Return the exact binomial interval of a share of `number` repetitions."""
    hits, tail = share * number, (1 - level) / 2
    return float(beta.ppf(tail, hits, number - hits + 1)), float(beta.ppf(1 - tail, hits + 1, number - hits))


def main() -> None:
    """Run all cells and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions, nothing written")
    options = parser.parse_args()
    number = REPETITIONS // 10 if options.quick else REPETITIONS
    jobs = [(cell, number if cell.what != "change by area" else number // 4, 500 + i) for i, cell in enumerate(cells())]
    lines, begun = [], time.monotonic()
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # the processes are the parallel part
        os.environ.setdefault(threads, "1")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for line in pool.map(run, jobs):
            lines.append(line)
            print(f"{len(lines):3d} of {len(jobs)}, {time.monotonic() - begun:6.0f} s: {line}", flush=True)
    table = pd.DataFrame(lines)
    if options.quick:
        print(table.to_string())
        return
    table.to_csv(DOCS / "simulation_survey_change.csv", index=False, float_format="%.4g", lineterminator="\n")
    from tests.simulation.survey_change_page import write_page

    write_page(table, DOCS / "simulation_survey_change.md")


if __name__ == "__main__":
    main()
