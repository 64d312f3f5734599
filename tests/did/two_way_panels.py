"""Panels for the tests of imputation, two-way fixed effects and Poisson: the one of the reference, and mpdta."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation import Panel, Study
from evaluation.data.periods import span

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "two_way.json").read_text(encoding="utf-8"))
FOUND = REFERENCE["found"]
MONTHS = span("2020-01", "2022-12")


def reference_panel(*, gaps=True, exposure=True, only=None):
    """Sixteen areas over 36 months; `only` keeps the cohort that starts there and sets the other aside."""
    data = {name: np.array(values, dtype=float) for name, values in REFERENCE["data"].items()}
    counts = np.where((data["gap"] == 1) & gaps, np.nan, data["count"])
    units = [f"{unit:02d}" for unit in range(len(counts))]
    frame = pd.DataFrame({"unit": np.repeat(units, 36), "period": np.tile(MONTHS, len(units))})
    frame["outcome"], frame["exposure"], frame["x"] = counts.ravel(), data["people"].ravel(), data["x"].ravel()
    since = {units[int(unit)]: MONTHS[start] for unit, start in REFERENCE["starts"].items()}
    others = tuple(unit for unit, start in since.items() if only is not None and start != MONTHS[only])
    study = Study(
        id="s", outcome="o", event="e", exposure=exposure, excluded=others,
        treated_since={unit: start for unit, start in since.items() if unit not in others},
    )  # fmt: skip
    return Panel(frame, study)


def mpdta_panel(shared, *, exponential=False):
    """County employment 2003-2007, in logs or not, and the reference numbers."""
    table = pd.read_csv(shared / "reference" / "mpdta.csv", dtype={"countyreal": str, "year": str})
    outcome = np.exp(table["lemp"]) if exponential else table["lemp"]
    frame = pd.DataFrame({"unit": table["countyreal"], "period": table["year"], "outcome": outcome})
    since = table[table["first.treat"] > 0].groupby("countyreal")["first.treat"].first().astype(str).to_dict()
    panel = Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since=since))
    numbers = json.loads((shared / "reference" / "mpdta_reference.json").read_text(encoding="utf-8"))
    return panel, numbers["other_estimators"]


def both(result, **keys):
    """Estimate and standard error of a row."""
    row = result.row(**keys)
    return [row["estimate"], row["std_error"]]


def by_event_time(result, *, after):
    """Estimates and standard errors of the rows before the start or from it on, as the reference holds them."""
    table = result.table[result.table["event_time"].notna() & result.table["std_error"].notna()]
    table = table[(table["event_time"] >= 0) == after]
    return {str(row.event_time): [row.estimate, row.std_error] for row in table.itertuples()}
