"""How good are modelled values of small areas? Simulated cities through the whole path from answers to intervals.

``python -m tests.simulation.small_area [--quick]``; two processes; the same numbers on every machine. It writes the
section on small areas of ``docs/simulation_survey.md`` and leaves the others alone.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation import FayHerriot, Sample, Share, SurveyDesign

PAGE = Path(__file__).parents[2] / "docs" / "simulation_survey.md"
AREAS = [f"{number:02d}" for number in range(63)]
CITIES = 500
LEAST, MOST = 25, 65  # answers in an area, 45 on average


@dataclass(frozen=True)
class City:
    """A kind of city.

    Parameters
    ----------
    between
        Standard deviation of the areas' true shares.
    explained
        Part of their variance that the covariate explains; 0: the model has no covariate.
    noise
        Further covariates in the model that explain nothing.
    """

    between: float
    explained: float
    noise: int = 0


KINDS = [City(between, explained) for between in (0.05, 0.08, 0.12) for explained in (0.0, 0.5, 0.8)]
KINDS += [City(0.08, 0.5, noise=3)]


def draw(kind: City, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return respondents, covariates by area, and the true shares; weights vary (design effect about 1.2)."""
    middle = rng.uniform(0.3, 0.5)
    useful, rest = rng.normal(size=(2, len(AREAS)))
    deviation = np.sqrt(kind.explained) * useful + np.sqrt(1 - kind.explained) * rest
    truth = np.clip(middle + kind.between * deviation, 0.02, 0.98)
    n = rng.integers(LEAST, MOST + 1, len(AREAS))
    area = np.repeat(AREAS, n)
    frame = pd.DataFrame({"area": area, "stratum": area, "weight": rng.gamma(5, 1, len(area)) + 0.1})
    frame["unsafe"] = (rng.random(len(area)) < np.repeat(truth, n)).astype(int)
    covariates = {"useful": useful} if kind.explained else {}
    covariates |= {f"noise_{number}": rng.normal(size=len(AREAS)) for number in range(kind.noise)}
    return frame, pd.DataFrame({"area": AREAS, **covariates}), truth


def city(kind: City, seed: np.random.SeedSequence) -> dict[str, float]:
    """Return errors, coverage and the estimated variance between areas of one city."""
    frame, areas, truth = draw(kind, np.random.default_rng(seed))
    direct = Share("unsafe", (1,), by="area", scale=(0, 1)).estimate(Sample(frame, SurveyDesign()))
    names = tuple(name for name in areas.columns if name != "area")
    result = FayHerriot(covariates=names).estimate(direct, areas)
    found = {}
    for name, table in (("direct", direct.table), ("modelled", result.table)):
        found[f"{name}_error"] = float(((table["estimate"] - truth) ** 2).mean())
        found[f"{name}_covered"] = float(((table["conf_low"] <= truth) & (truth <= table["conf_high"])).mean())
        found[f"{name}_width"] = float((table["conf_high"] - table["conf_low"]).mean())
    residual = kind.between**2 * (1 - kind.explained)
    sampling = result.facts["sampling_factor"] * truth.mean() * (1 - truth.mean()) / direct.table["n"].to_numpy()
    found["claimed"] = float((result.table["std_error"] ** 2).mean())
    found["best"] = float((residual * sampling / (residual + sampling)).mean())  # with everything known
    found["variance"] = result.facts["model_variance"]
    return found


def summary(kind: City, cities: pd.DataFrame) -> dict[str, object]:
    """Return one line of the table."""
    direct = cities["direct_error"].mean()
    return {
        "sd between areas": f"{kind.between:.2f}",
        "explained by the covariate": "no covariate" if not kind.explained else f"{100 * kind.explained:.0f} %",
        "other covariates": kind.noise,
        "error below direct": f"{100 * (1 - cities['modelled_error'].mean() / direct):.1f} %",
        "best possible": f"{100 * (1 - cities['best'].mean() / direct):.1f} %",
        "covers": f"{100 * cities['modelled_covered'].mean():.1f} %",
        "direct covers": f"{100 * cities['direct_covered'].mean():.1f} %",
        "width": f"{100 * cities['modelled_width'].mean():.1f}",
        "direct width": f"{100 * cities['direct_width'].mean():.1f}",
        "claimed / true error": f"{cities['claimed'].mean() / cities['modelled_error'].mean():.2f}",
        "smallest variance / true": f"{cities['variance'].min() / (kind.between**2 * (1 - kind.explained)):.2f}",
    }


def run(job: tuple[City, int, int]) -> dict[str, object]:
    """Simulate all cities of one kind."""
    kind, number, seed = job
    seeds = np.random.SeedSequence(seed).spawn(number)
    return summary(kind, pd.DataFrame([city(kind, one) for one in seeds]))


TEXT = """## Small areas

`python -m tests.simulation.small_area`: {cities} cities a line, 63 areas with {least} to {most} answers each (45 on
average), unequal weights (design effect about 1.2), a city-wide share between 30 and 50 %. From the answers through
`Share(..., by="area")` to `FayHerriot`. Errors are squared and averaged over areas and cities; intervals of 95 %;
widths in percentage points. *Best possible*: the same model with every parameter known.

{table}

* Without a covariate the gain depends on how much areas differ beside the sampling error (about 8 points with 45
  answers). Where they differ by 12 points even the best linear prediction takes away only a third of the squared error;
  it takes away half where they differ by 8 points, or nearly so where a covariate explains half of 12.
* The variance between areas was never 0. Where areas hardly differ beyond the covariate (what is left of 5 points if it
  explains 80 %: 2 points), it is over-estimated, so that intervals are too wide rather than too short.
"""


def write(lines: pd.DataFrame, cities: int) -> None:
    """Replace the section of the page, or add it."""
    head = "| " + " | ".join(lines.columns) + " |\n|" + "---:|" * len(lines.columns)
    rows = ["| " + " | ".join(map(str, row)) + " |" for row in lines.itertuples(index=False)]
    section = TEXT.format(cities=cities, least=LEAST, most=MOST, table="\n".join([head, *rows]))
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Surveys: coverage and error by simulation\n"
    parts = page.split("\n## ")
    kept = [part.rstrip("\n") for part in parts if not part.startswith("Small areas")]
    kept.append(section.removeprefix("## ").rstrip("\n"))
    PAGE.write_text("\n\n## ".join(kept) + "\n", encoding="utf-8", newline="\n")


def main() -> None:
    """Simulate all kinds of cities and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the cities, nothing written")
    quick = parser.parse_args().quick
    number, begun = CITIES // 10 if quick else CITIES, time.monotonic()
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # the processes are the parallel part
        os.environ.setdefault(threads, "1")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        lines = list(pool.map(run, [(kind, number, 100 + at) for at, kind in enumerate(KINDS)]))
    table = pd.DataFrame(lines)
    print(table.to_string(), f"\n{time.monotonic() - begun:.0f} s")
    if not quick:
        write(table, number)


if __name__ == "__main__":
    main()
