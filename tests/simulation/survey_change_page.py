"""The page ``docs/simulation_survey_change.md``: how often intervals of changes and effects on answers cover."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pandas as pd

import evaluation
from tests.simulation.survey_change import BAND, effect_reliability, interval

PAGE = """# How often intervals of changes and of effects on answers cover

Simulated cities of 63 areas with 45 answers each and wave: 15 sampling units of three people (correlation of their
latent answers 0.1), unequal weights, four-point answers that follow proportional odds in every area exactly. Areas
differ (standard deviation 0.45 in log odds, of the unsafe share about ten points); with shocks every area moves by
itself in every wave (0.22 in log odds, about five points). True effect -0.5 in log odds, some eleven points. Made by
`python -m tests.simulation.survey_change`; every line and its seed is in `simulation_survey_change.csv`. Versions:
evaluation {evaluation}, Python {python}, numpy {numpy}, pandas {pandas}. {repetitions:,} samples a line.

The goal is {low:.0f} to {high:.0f} %. {judgement}

## Effect of a measure on answers

`SurveyDifference` with its default inference: areas are exchanged where fewer than ten are treated, the area-level
model from ten on. Treated areas: at random, or drawn from the 3K with the highest true share of unsafe people. Coverage
of 95 % intervals in %:

{effect}

Half the width of the intervals, in points (of means on four points, of log odds):

{width}

The whole scale at once (mean of the four points; log odds of the proportional-odds model), random areas:

{scales}

With earlier waves the return to the usual level is taken off, which also makes intervals shorter (share, random areas):

{waves}

## Areas that were picked for their answers

Some {chance:.0f} % of the differences between areas in one wave are chance. Areas drawn from the 3K with the most
unsafe answers *in the sample* of the baseline wave fall back by themselves; no effect other than -0.5 is there.
Coverage in %, and mean error of the estimate in points:

{answers}

With two waves nothing in the data tells chance from level, and the result says how much comes back; with an earlier
wave most of it is taken off. Do not pick areas by one wave of a survey and evaluate them with the same wave.

## The sample alone

`inference="design"` counts the chance of the sample only. Coverage in %:

{alone}

## Changes

`Change` between two waves (all people; the same people in half of the second wave; the same sampling units; by area,
mean over the 63), `ModeAdjusted` (all on paper, then all online, a parallel run of the same size) and
`CompositionAdjusted` (30 % old people, then 50 %), without shocks. Coverage in %:

{changes}
"""


def write_page(table: pd.DataFrame, path: Path) -> None:
    """Write coverage and width as Markdown tables."""
    table = table.assign(shocks=table["shocks"].map({False: "none", True: "yes"}))
    effect = table[(table["what"] == "effect") & (table["rule"] != "answers") & (table["waves"] == 2)]
    share = effect[effect["estimator"] == "share"]
    later = table[table["what"].str.startswith("effect, ") & table["what"].str.endswith("waves")]
    random = later[later["rule"] == "random"]
    plain = share[(share["rule"] == "random") & share["treated"].isin([3, 5, 10])].assign(what="effect, two waves")
    picked = table[table["rule"] == "answers"]
    changes = table[table["treated"] == 0]
    judged = table[(table["rule"] != "answers") & ~table["what"].str.contains("alone")]
    page = PAGE.format(
        evaluation=evaluation.__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        pandas=pd.__version__,
        repetitions=int(table["repetitions"].max()),
        low=100 * BAND[0],
        high=100 * BAND[1],
        judgement=_judgement(judged),
        chance=100 * chance_share(),
        effect=_wide(share, "covered", ["rule", "shocks"]),
        width=_wide(share.assign(half=share["width"] / 2), "half", ["rule", "shocks"]),
        scales=_wide(effect[effect["estimator"] != "share"], "covered", ["estimator", "shocks"]),
        waves=_lines(pd.concat([plain, random]), ["what", "shocks", "treated"], ["covered", "half_width"]),
        answers=_lines(picked, ["what", "treated"], ["covered", "bias"]),
        alone=_wide(table[table["what"].str.contains("alone")], "covered", ["shocks"]),
        changes=_lines(changes, ["what"], ["covered", "half_width"]),
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def chance_share() -> float:
    """Return which part of the differences between areas in one wave is chance, mean over a few cities."""
    rng = np.random.default_rng(1)
    return float(np.mean([1 - effect_reliability(rng) for _ in range(20)]))


def _wide(table: pd.DataFrame, column: str, rows: list[str]) -> str:
    """Return one line for each of `rows` and one column for each number of treated areas."""
    wide = table.pivot_table(index=rows, columns="treated", values=column, sort=False).mul(100)
    first = f"| {' | '.join(rows)} | " + " | ".join(f"K = {k}" for k in wide.columns) + " |"
    line = "|" + "---|" * len(rows) + "---:|" * len(wide.columns)
    labels = [index if isinstance(index, tuple) else (index,) for index in wide.index]
    body = [
        f"| {' | '.join(map(str, label))} | " + " | ".join(f"{value:.1f}" for value in values) + " |"
        for label, values in zip(labels, wide.to_numpy(), strict=True)
    ]
    return "\n".join([first, line, *body])


def _lines(table: pd.DataFrame, keys: list[str], numbers: list[str]) -> str:
    """Return one line for each row, numbers in percent or points."""
    shown = table.assign(half_width=table["width"] / 2)
    named = {"covered": "coverage", "half_width": "half width", "bias": "mean error"}
    first = f"| {' | '.join(keys)} | {' | '.join(named[number] for number in numbers)} |"
    line = "|" + "---|" * len(keys) + "---:|" * len(numbers)
    body = [
        f"| {' | '.join(str(row[key]) for key in keys)} | "
        + " | ".join(f"{100 * row[number]:.1f}" for number in numbers)
        + " |"
        for row in shown.to_dict("records")
    ]
    return "\n".join([first, line, *body])


def _judgement(table: pd.DataFrame) -> str:
    """Return which lines lie outside of the goal, with the binomial error of their repetitions."""
    outside = []
    for line in table.itertuples():
        low, high = interval(min(line.covered, 1.0), line.repetitions)
        if not BAND[0] <= line.covered <= BAND[1]:
            words = f"{line.what}, {line.estimator}, K = {line.treated}, shocks {line.shocks}, {line.rule}"
            outside.append(f"{words}: {100 * line.covered:.1f} % (99 % interval {100 * low:.1f} to {100 * high:.1f})")
    mean = f"Mean over all lines but those of the weak spots {100 * table['covered'].mean():.1f} %."
    return f"{mean} Outside: {'; '.join(outside) or 'none'}."
