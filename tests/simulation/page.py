"""The page ``docs/simulation.md``: what the tables of the placebo experiments say, with versions and judgement."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta

import evaluation
from tests.simulation.methods import DEFAULT
from tests.simulation.selection import LONG_MEMORY

BAND = (0.03, 0.07)


PAGE = """# How often the default test is wrong, and what it finds

Placebo experiments with the estimators and their default inference: areas are picked by a rule, a measure is pretended,
and the test is run; `TwoByTwo` where no other estimator is named. Made by `make simulation`; every cell and its seed is
in `simulation.csv`. Versions: evaluation {evaluation}, Python {python}, numpy {numpy}, pandas {pandas}.

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

The curve over the number of areas, for Leipzig and areas with many cases (`highest`), in %:

{curve}

## Effects in cases

`scale="levels"` turns the ratio and its interval into cases. Share of 95 % intervals that hold the number of cases in
fact prevented, at a true effect of -20 %:

{cases}

## Starts at three dates

Starts spread over three dates (simulated: three months apart in 48 months; Leipzig: years). Rejections without any
effect:

{staggered_size}

{staggered_judgement}

Coverage at -20 %:

{staggered_coverage}

## Rates of a population that grows unevenly

Rejections without any effect:

{exposure_size}

{exposure_judgement}

Coverage at -20 %:

{exposure_coverage}

## Other estimators

Simulated months, each with its default inference: rejections without any effect,

{others_size}

{others_judgement}

coverage at -20 %,

{others_coverage}

and power at -20 %:

{others_power}

Synthetic controls are estimated anew for every area and date and have a fifth of the repetitions.

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
    weak = table[table["rule"] == LONG_MEMORY]
    kept = table[table["rule"] != LONG_MEMORY]
    default = kept["method"] == DEFAULT
    plain = kept[default & ~kept["staggered"] & ~kept["exposure"]]
    parts = {"staggered": kept[kept["staggered"]], "exposure": kept[kept["exposure"]], "others": kept[~default]}
    null, effect = _by_effect(plain)
    values = {
        "size": _pivot(null, "rejected"),
        "judgement": _judgement(null),
        "error": _pivot(null[null["panel"] != "simulated"], "error_over_dates"),
        "coverage": _pivot(effect, "covered"),
        "mean_coverage": 100 * effect["covered"].mean(),
        "power": _pivot(effect, "rejected"),
        "curve": _curve(effect),
        "cases": _pivot(effect, "covered_cases"),
        "weak": _pivot(weak, "rejected"),
        "lean": _pivot(weak, "estimate"),
        "no_answer": 100 * plain.loc[plain["panel"].str.startswith("New York"), "no_answer"].mean(),
    }
    for name, part in parts.items():
        null, effect = _by_effect(part)
        head = "method" if name == "others" else "panel"
        values |= {
            f"{name}_size": _pivot(null, "rejected", head),
            f"{name}_judgement": _judgement(null),
            f"{name}_coverage": _pivot(effect, "covered", head),
            f"{name}_power": _pivot(effect, "rejected", head),
        }
    versions = {"evaluation": evaluation.__version__, "python": platform.python_version()}
    page = PAGE.format(**values, **versions, numpy=np.__version__, pandas=pd.__version__)
    path.write_text(page, encoding="utf-8", newline="\n")


def _by_effect(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return table[table["effect"] == 0], table[table["effect"] != 0]


def _pivot(table: pd.DataFrame, column: str, head: str = "panel") -> str:
    wide = table.pivot_table(index=[head, "rule"], columns="treated", values=column, sort=False).mul(100)
    wide = wide[sorted(wide.columns)]
    first = f"| {head} | rule | " + " | ".join(f"K = {k}" for k in wide.columns) + " |"
    rule = "|---|---|" + "---:|" * len(wide.columns)
    rows = [
        f"| {panel} | {name} | " + " | ".join(f"{v:.1f}" for v in row) + " |"
        for (panel, name), row in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return "\n".join([first, rule, *rows])


def _curve(effect: pd.DataFrame) -> str:
    """Return the power by number of areas as bars of text, one line each."""
    chosen = effect[effect["panel"].str.startswith("Leipzig") & (effect["rule"] == "highest")]
    mean = chosen.groupby("treated")["rejected"].mean()
    lines = [f"K = {k:>2}  {'█' * round(40 * power):<40} {100 * power:5.1f}" for k, power in mean.items()]
    return "\n".join(["```text", *lines, "```"])


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
            outside.append(f"{line.method}, {line.rule}, K = {line.treated}: {100 * line.rejected:.1f} %")
    words = [f"Simulated cells whose 99 % binomial interval misses 3-7 %: {', '.join(outside) or 'none'}."]
    for city in ("Leipzig", "New York"):
        cells = null[null["panel"].str.startswith(city)]
        if len(cells):
            words.append(
                f"{city}: mean over series and K {100 * cells['rejected'].mean():.1f} %, "
                f"largest cell {100 * cells['rejected'].max():.1f} %."
            )
    return " ".join(words)
