"""The page ``docs/simulation.md``: what the tables of the placebo experiments say, with versions and judgement."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta

import evaluation
from tests.simulation.selection import LONG_MEMORY

BAND = (0.03, 0.07)


PAGE = """# How often the default test is wrong, and what it finds

Placebo experiments with `TwoByTwo` and its default inference: areas are picked by a rule, a measure is pretended, and
the test is run. Made by `make simulation`; every cell and its seed is in `simulation.csv`. Versions: evaluation
{evaluation}, Python {python}, numpy {numpy}, pandas {pandas}.

* **simulated**: 63 areas x 36 months, over-dispersed, serially correlated, seasonal; 12 months before, 6 after; 1,000
  panels a cell, 500 where there is an effect.
* **Leipzig**: recorded offences in 63 Ortsteile, yearly, 2004-2022; three years before, one after; 13 dates.
* **New York**: shootings in 77 precincts, monthly, 2006-2023; 24 months before, 12 after; 21 dates. Precincts
  without a single case give no answer and no rejection ({no_answer:.1f} % of the runs).

Rules: `random`; `highest` and `risers`, drawn from the 3K busiest or most risen areas; `neighbours`, connected areas.
`risers` have risen in the last year against the three years before it; in the simulated 36 months, which are too short
for that, against the half-year before it (a longer memory: see the end). All runs use 199 draws, at most 999
assignments are enumerated.

## Rejections without any effect, nominal 5 %

{size}

{judgement}

Error of the real panels over dates, in percentage points:

{error}

## Coverage of 95 % intervals at a true effect of -20 %

{coverage}

Mean over all cells {mean_coverage:.1f} %.

## Power: rejections at a true effect of -20 %

{power}

The effect in cases (`scale="levels"`) is a transformation of the ratio and has the same sizes and coverage.

## Where it is weak

* With one treated area in a stratum of 32 the p-value comes in steps of 1/32: the test is careful, and finds little.
* Areas picked because they rose against a longer memory than the history has are adjusted too little, so that a fall is
  shown where nothing happened. In the simulated 36 months, picked by the last year against the 18 months before it,
  rejections in %:

{weak}

  and the mean effect shown, in %:

{lean}
"""


def write_page(table: pd.DataFrame, path: Path) -> None:
    """Write sizes, coverage and power as Markdown tables."""
    long_memory = table["rule"] == LONG_MEMORY
    weak, table = table[long_memory], table[~long_memory]
    null, effect = table[table["effect"] == 0], table[table["effect"] != 0]
    page = PAGE.format(
        evaluation=evaluation.__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        pandas=pd.__version__,
        size=_pivot(null, "rejected"),
        judgement=_judgement(null),
        error=_pivot(null[null["panel"] != "simulated"], "error_over_dates"),
        coverage=_pivot(effect, "covered"),
        mean_coverage=100 * effect["covered"].mean(),
        power=_pivot(effect, "rejected"),
        weak=_pivot(weak, "rejected"),
        lean=_pivot(weak, "estimate"),
        no_answer=100 * table.loc[table["panel"].str.startswith("New York"), "no_answer"].mean(),
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def _pivot(table: pd.DataFrame, column: str) -> str:
    wide = table.pivot_table(index=["panel", "rule"], columns="treated", values=column).mul(100)
    head = "| panel | rule | " + " | ".join(f"K = {k}" for k in wide.columns) + " |"
    rule = "|---|---|" + "---:|" * len(wide.columns)
    rows = [
        f"| {panel} | {name} | " + " | ".join(f"{v:.1f}" for v in row) + " |"
        for (panel, name), row in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return "\n".join([head, rule, *rows])


def interval(share: float, number: int, level: float = 0.99) -> tuple[float, float]:
    """Return the exact binomial interval of a share of `number` repetitions."""
    hits, tail = round(share * number), (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, number - hits + 1))
    high = 1.0 if hits == number else float(beta.ppf(1 - tail, hits + 1, number - hits))
    return low, high


def _judgement(null: pd.DataFrame) -> str:
    simulated = null[null["panel"] == "simulated"]
    outside = []
    for line in simulated.itertuples():
        low, high = interval(line.rejected, line.repetitions)
        if high < BAND[0] or low > BAND[1]:
            outside.append(f"{line.rule}, K = {line.treated}: {100 * line.rejected:.1f} %")
    words = [f"Simulated cells whose 99 % binomial interval misses 3-7 %: {', '.join(outside) or 'none'}."]
    for city in ("Leipzig", "New York"):
        cells = null[null["panel"].str.startswith(city)]
        if len(cells):
            words.append(
                f"{city}: mean over series and K {100 * cells['rejected'].mean():.1f} %, "
                f"largest cell {100 * cells['rejected'].max():.1f} %."
            )
    return " ".join(words)
