"""Makes triple_dose.json: small counts of two kinds with doses, and what other programs say about them.

Run with numpy, pandas, pyfixest 0.60.0 and statsmodels 0.15.0 installed (Python 3.11, November 2026)::

    python tests/reference/triple_dose_recipe.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import statsmodels.api as sm

UNITS, PERIODS, START = 12, 6, 3
HOURS = {"a": 40.0, "b": 90.0, "c": 65.0, "d": 90.0}
STARTS = {"a": 3, "b": 3, "c": 4, "d": 4}  # of the staggered example; the others all start in period 3
SSC = pyfixest.ssc(k_adj=False, G_adj=True)


def counts():
    """Return one row a unit and period: night, day, hours since period 3, inhabitants."""
    rng = np.random.default_rng(20261122)
    units = [chr(97 + number) for number in range(UNITS)]
    rows = []
    for unit, level in zip(units, rng.lognormal(3.5, 0.5, UNITS), strict=True):
        people = 1000 * rng.uniform(1, 5)
        for period in range(PERIODS):
            shock, hours = rng.lognormal(0, 0.2), HOURS.get(unit, 0.0) * (period >= START)
            night = rng.poisson(level * shock * np.exp(-0.004 * hours))
            people *= rng.uniform(0.97, 1.05)
            rows.append((unit, period, int(night), int(rng.poisson(3 * level * shock)), hours, round(people)))
    return pd.DataFrame(rows, columns=["unit", "period", "night", "day", "hours", "people"])


def both(fit, names):
    """Return coefficients and standard errors by name."""
    return {name: [float(fit.coef()[name]), float(fit.se()[name])] for name in names}


def independent(design):
    """Return the columns that do not follow from those before them."""
    kept = []
    for name in design.columns:
        if np.linalg.matrix_rank(design[[*kept, name]].to_numpy()) == len(kept) + 1:
            kept.append(name)
    return design[kept]


def glm(frame, formula_columns, effects, clusters, offset=None):
    """Return Poisson coefficients with dummies for `effects`, standard errors by cluster times G / (G - 1)."""
    dummies = pd.concat([pd.get_dummies(frame[effect], prefix=effect, dtype=float) for effect in effects], axis=1)
    design = independent(pd.concat([frame[formula_columns].astype(float), dummies], axis=1))
    model = sm.GLM(frame["count"], design, family=sm.families.Poisson(), offset=offset)
    fit = model.fit(
        tol=1e-14,
        maxiter=200,
        cov_type="cluster",
        cov_kwds={"groups": pd.factorize(frame[clusters])[0], "use_correction": False},
    )
    number = frame[clusters].nunique()
    return {n: [float(fit.params[n]), float(fit.bse[n] * np.sqrt(number / (number - 1)))] for n in formula_columns}


def triple(frame):
    """Night and day one below the other; treated x after absorbed as a regressor."""
    long = frame.melt(id_vars=["unit", "period"], value_vars=["night", "day"], var_name="kind", value_name="count")
    long["after"] = (long["period"] >= START).astype(int)
    long["treated_after"] = long["unit"].isin(list(HOURS)).astype(int) * long["after"]
    long["triple"] = long["treated_after"] * (long["kind"] == "night")
    long["unit_kind"], long["period_kind"] = long["unit"] + long["kind"], long["period"].astype(str) + long["kind"]
    sums = long.groupby(["unit", "kind", "after", "unit_kind"], as_index=False)[["count"]].sum()
    sums["treated_after"] = sums["unit"].isin(list(HOURS)).astype(int) * sums["after"]
    sums["triple"] = sums["treated_after"] * (sums["kind"] == "night")
    sums["window_kind"] = sums["after"].astype(str) + sums["kind"]
    formula = "count ~ triple + treated_after | unit_kind + "
    options = {"vcov": {"CRV1": "unit"}, "ssc": SSC, "iwls_tol": 1e-14}
    return {
        "pyfixest_windows": both(
            pyfixest.fepois(formula + "window_kind", sums, **options), ["triple", "treated_after"]
        ),
        "pyfixest_periods": both(
            pyfixest.fepois(formula + "period_kind", long, **options), ["triple", "treated_after"]
        ),
        "statsmodels_windows": glm(sums, ["triple", "treated_after"], ["unit_kind", "window_kind"], "unit"),
    }


def dose(frame):
    """Slopes, a slope beside an effect of any dose, two classes, with exposure, and two cohorts stacked."""
    sums = (
        frame.assign(after=(frame["period"] >= START).astype(int))
        .groupby(["unit", "after"], as_index=False)
        .agg(count=("night", "sum"), people=("people", "sum"), hours=("hours", "mean"))
    )
    sums["window"] = sums["after"].astype(str)
    sums["dose"] = sums["hours"] / 100
    sums["any"] = (sums["hours"] > 0).astype(int)
    sums["above"], sums["below"] = (
        (sums["hours"] >= 80).astype(int),
        ((sums["hours"] > 0) & (sums["hours"] < 80)).astype(int),
    )
    options = {"vcov": {"CRV1": "unit"}, "ssc": SSC, "iwls_tol": 1e-14}
    stacked = []
    for first in (3, 4):
        chosen = frame[frame["unit"].map(STARTS).fillna(first) == first]
        part = chosen[chosen["period"].between(first - 2, first + 1)].copy()
        part["after"] = (part["period"] >= first).astype(int)
        part["hours"] = part["unit"].map(HOURS).fillna(0.0) * part["after"]
        part = part.groupby(["unit", "after"], as_index=False).agg(count=("night", "sum"), hours=("hours", "mean"))
        stacked.append(
            part.assign(unit_cohort=part["unit"] + str(first), window=part["after"].astype(str) + str(first))
        )
    stacked = pd.concat(stacked, ignore_index=True)
    stacked["dose"] = stacked["hours"] / 100
    return {
        "linear": both(pyfixest.fepois("count ~ dose | unit + window", sums, **options), ["dose"]),
        "linear_statsmodels": glm(sums, ["dose"], ["unit", "window"], "unit"),
        "more": both(pyfixest.fepois("count ~ dose + any | unit + window", sums, **options), ["dose"]),
        "threshold": both(
            pyfixest.fepois("count ~ above + below | unit + window", sums, **options), ["above", "below"]
        ),
        "exposure": glm(sums, ["dose"], ["unit", "window"], "unit", offset=np.log(sums["people"])),
        "staggered": glm(stacked, ["dose"], ["unit_cohort", "window"], "unit"),
    }


if __name__ == "__main__":
    data = counts()
    made = {"counts": data.to_dict(orient="list"), "triple": triple(data), "dose": dose(data)}
    target = Path(__file__).with_name("triple_dose.json")
    target.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
