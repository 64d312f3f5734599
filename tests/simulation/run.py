"""Run the size, coverage and power tables of the default inference and write them to ``docs/``.

``python tests/simulation/run.py [--quick]``; two processes; the same numbers on every machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import product
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # the processes are the parallel part
    os.environ.setdefault(threads, "1")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from tests.simulation.experiment import TREATED, Cell, run_cell  # noqa: E402
from tests.simulation.methods import DEFAULT, METHODS  # noqa: E402
from tests.simulation.panels import LEIPZIG_SERIES, SHARED  # noqa: E402
from tests.simulation.selection import LONG_MEMORY, OTHERS_RULES, RULES  # noqa: E402

EFFECTS = (0.0, -0.2)
REPETITIONS = {"simulated": 1000, "Leipzig": 40, "New York": 12}  # on real panels for every date
FEW = (3, 5, 10)
SLOW = {"SyntheticControl": 0.2, "SyntheticDifference": 0.2}  # these estimate anew for every unit and date


def repetitions(cell: Cell) -> int:
    """Return how often a cell is repeated, on real panels at each date; simulated effects half as often."""
    number = next(number for name, number in REPETITIONS.items() if cell.panel.startswith(name))
    half = cell.effect and cell.panel == "simulated"
    return round(SLOW.get(cell.method, 1.0) * (number / 2 if half else number))


def panels() -> list[str]:
    """Return the panels that are at hand."""
    real = [f"Leipzig, {series}" for series in LEIPZIG_SERIES] + ["New York, shootings"]
    return ["simulated", *(real if SHARED.exists() else [])]


def all_cells() -> list[Cell]:
    """Return the lines of the table: the default estimator everywhere, the others in six cells."""
    cells = [Cell(*values) for values in product(panels(), RULES, TREATED, EFFECTS)]
    cells += [Cell("simulated", LONG_MEMORY, treated, 0.0) for treated in TREATED]
    several = [panel for panel in panels() if not panel.startswith("New York")]
    cells += [Cell(*values, staggered=True) for values in product(several, RULES, FEW, EFFECTS)]
    cells += [Cell("simulated", *values, exposure=True) for values in product(RULES, FEW, EFFECTS)]
    others = [name for name in METHODS if name != DEFAULT]
    cells += [
        Cell("simulated", rule, treated, effect, method)
        for method, rule, treated, effect in product(others, OTHERS_RULES, (3, 10), EFFECTS)
    ]
    return cells


def run(job: tuple[Cell, int, int]) -> dict[str, object]:
    """Run one cell and return its line of the table."""
    cell, number, seed = job
    frame = run_cell(cell, number, seed)
    by_date = frame.groupby("date")["rejected"].mean()
    return {
        **asdict(cell),
        "rejected": frame["rejected"].mean(),
        "covered": frame["covered"].astype(float).mean(),
        "covered_cases": frame["covered_cases"].mean(),
        "estimate": np.expm1(frame["estimate"].mean()),
        "repetitions": len(frame),
        "no_answer": frame["estimate"].isna().mean(),
        "error_over_dates": by_date.std(ddof=1) / np.sqrt(len(by_date)) if len(by_date) > 1 else np.nan,
        "seed": seed,
    }


def main() -> None:
    """Run all cells and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions, nothing written")
    parser.add_argument("--method", help="only cells of this estimator, nothing written")
    options = parser.parse_args()
    share = 0.1 if options.quick else 1.0
    jobs = [(cell, max(1, round(share * repetitions(cell))), 1000 + i) for i, cell in enumerate(all_cells())]
    jobs = [job for job in jobs if options.method in {None, job[0].method}]
    lines, begun = [], time.monotonic()
    with ProcessPoolExecutor(2) as pool:
        for line in pool.map(run, jobs):
            lines.append(line)
            print(f"{len(lines):4d} of {len(jobs)}, {time.monotonic() - begun:6.0f} s: {line}", flush=True)
    table = pd.DataFrame(lines)
    if options.quick or options.method:
        print(table.to_string())
        return
    table.to_csv(ROOT / "docs" / "simulation.csv", index=False, float_format="%.4g", lineterminator="\n")
    from tests.simulation.page import write_page

    write_page(table, ROOT / "docs" / "simulation.md")


if __name__ == "__main__":
    main()
