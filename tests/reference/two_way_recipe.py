"""Makes two_way.json: a small monthly panel and what other programs say about it.

    python -m venv peers && peers/bin/pip install pyfixest==0.60.0 diff-diff==3.13.0 pandas==3.1.1 numpy==2.4.6
    peers/bin/python tests/reference/two_way_recipe.py

Run with these versions on Python 3.11.7 in November 2026. Sixteen areas over 36 months, three of them with a measure
since the 25th month, two since the 29th, counts with gaps, inhabitants as exposure, a covariate that varies. Values
are [estimate, standard error] at full digits; standard errors of regressions are CRV1 by area with the programs'
default factors for small samples, unless it is said otherwise.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
from diff_diff import ImputationDiD

UNITS, PERIODS, STARTS = 16, 36, {0: 24, 1: 24, 2: 24, 3: 28, 4: 28}
CRV1 = {"CRV1": "unit"}
PLAIN = pf.ssc(k_adj=False, G_adj=False)
CLUSTERS = pf.ssc(k_adj=False, G_adj=True)
DEMEANED = {"fixef_tol": 1e-13, "fixef_maxiter": 100_000}
EXACT = {"iwls_tol": 1e-13, "iwls_maxiter": 200, **DEMEANED}


def panel():
    """Return the long frame; `gap` marks cells that are missing where gaps are wanted."""
    rng = np.random.default_rng(20261123)
    level = rng.lognormal(3.0, 0.5, UNITS)
    people = np.round(
        level[:, None] * rng.uniform(80, 160, (UNITS, 1)) * np.cumprod(rng.uniform(0.99, 1.02, (UNITS, PERIODS)), 1)
    )
    x = np.round(rng.normal(size=(UNITS, PERIODS)), 3)
    month = np.arange(PERIODS) % 12
    own = rng.normal(0, 0.2, (UNITS, 12))[:, month]
    rate = level[:, None] * np.exp(0.01 * np.arange(PERIODS) + own + 0.1 * x + 0.15 * rng.normal(size=(UNITS, PERIODS)))
    start = np.array([STARTS.get(unit, 99) for unit in range(UNITS)])
    active = np.arange(PERIODS) >= start[:, None]
    counts = rng.poisson(rate * np.where(active, 0.75, 1.0))
    gap = rng.random((UNITS, PERIODS)) < 0.04
    unit, period = (axis.ravel() for axis in np.meshgrid(np.arange(UNITS), np.arange(PERIODS), indexing="ij"))
    columns = {"unit": unit, "period": period, "month": np.tile(month, UNITS), "count": counts.ravel()}
    columns |= {"people": people.ravel(), "x": x.ravel(), "gap": gap.ravel(), "start": np.repeat(start, PERIODS)}
    frame = pd.DataFrame(columns)
    frame["active"] = active.ravel().astype(float)
    frame["since"] = frame["period"] - frame["start"]
    frame["y"] = np.log((frame["count"] + 0.5) / frame["people"])
    frame["offset"] = np.log(frame["people"])
    frame["cohort"] = np.where(frame["start"] < 99, frame["start"] + 1, 0)
    frame["time"] = frame["period"] + 1
    return frame


def dummies(frame, mask, values, name):
    """Add one column for each value; return their names."""
    names = {int(value): f"{name}{'m' if value < 0 else 'p'}{abs(int(value))}" for value in values}
    for value, column in names.items():
        frame[column] = (mask & (frame["since"] == value)).astype(float)
    return names


def both(fit, names):
    """Return coefficients and standard errors."""
    return {str(key): [float(fit.coef()[column]), float(fit.se()[column])] for key, column in names.items()}


def main():
    """Write the reference."""
    warnings.simplefilter("ignore")
    whole = panel()
    seen = whole[~whole["gap"]].copy()
    ever = seen["start"] < 99
    found = {}
    d = {"active": "active"}
    found["twfe"] = both(pf.feols("y ~ active | unit + period", seen, vcov=CRV1, **DEMEANED), d)
    found["twfe covariate"] = both(
        pf.feols("y ~ active + x | unit + period", seen, vcov=CRV1, **DEMEANED), {**d, "x": "x"}
    )
    found["twfe season"] = both(
        pf.feols("y ~ active | unit^month + period", seen, vcov=CRV1, **DEMEANED, fixef_rm="none"), d
    )
    times = sorted(int(k) for k in seen.loc[ever, "since"].unique() if k != -1)
    names = dummies(seen, ever, times, "e")
    terms = " + ".join(names.values())
    found["twfe dynamic"] = both(pf.feols(f"y ~ {terms} | unit + period", seen, vcov=CRV1, **DEMEANED), names)
    poisson = {"vcov": CRV1, "offset": "offset", **EXACT}
    found["poisson"] = both(pf.fepois("count ~ active | unit + period", seen, **poisson), d)
    found["poisson season"] = both(
        pf.fepois("count ~ active | unit^month + period", seen, fixef_rm="none", **poisson), d
    )
    found["poisson dynamic"] = both(pf.fepois(f"count ~ {terms} | unit + period", seen, **poisson), names)

    untreated = seen[seen["active"] == 0].copy()
    leads = dummies(untreated, untreated["start"] < 99, range(-6, 0), "l")
    terms = " + ".join(leads.values())
    fit = pf.feols(f"y ~ {terms} | unit + period", untreated, vcov=CRV1, ssc=PLAIN, **DEMEANED)
    found["imputation leads, plain sum"] = both(fit, leads)
    fit = pf.fepois(f"count ~ {terms} | unit + period", untreated, ssc=CLUSTERS, **poisson)
    found["poisson leads, G / (G - 1)"] = both(fit, leads)
    for name, covariates in (("imputation", None), ("imputation covariate", ["x"])):
        result = ImputationDiD().fit(seen, "y", "unit", "time", "cohort", covariates=covariates)
        found[name] = {"simple": [float(result.overall_att), float(result.overall_se)]}
        path = result.aggregate("event_study").to_dataframe()
        path = path[path["event_time"] >= 0]
        found[name] |= {f"{k:.0f}": [a, s] for k, a, s in path[["event_time", "att", "se"]].itertuples(index=False)}
        groups = result.aggregate("group").to_dataframe()
        found[name] |= {f"cohort {g}": [a, s] for g, a, s in groups[["label", "att", "se"]].itertuples(index=False)}

    # Cohort x period effects: no gaps, no offset, so that the joint regression and the imputation are the same.
    cells = {}
    for start in sorted(set(STARTS.values())):
        for period in range(start, PERIODS):
            cells[start, period] = f"c{start}t{period}"
            whole[cells[start, period]] = ((whole["start"] == start) & (whole["period"] == period)).astype(float)
    fit = pf.fepois(f"count ~ {' + '.join(cells.values())} | unit + period", whole, vcov=CRV1, **EXACT)
    effect = sum(fit.coef()[column] * whole[column] for column in cells.values())
    mean = np.asarray(fit._Y_hat_response).ravel()
    active = whole["active"] == 1
    ratio = whole.loc[active, "count"].sum() / (mean * np.exp(-effect))[active].sum()
    found["poisson cohorts"] = float(np.log(ratio))
    one = whole[(whole["start"] == 24) | (whole["start"] == 99)]
    own = {period - 24: column for (start, period), column in cells.items() if start == 24}
    fit = pf.fepois(f"count ~ {' + '.join(own.values())} | unit + period", one, vcov=CRV1, ssc=CLUSTERS, **EXACT)
    found["poisson one cohort, G / (G - 1)"] = both(fit, own)

    data = {name: whole[name].to_numpy().reshape(UNITS, PERIODS).tolist() for name in ("count", "people", "x", "gap")}
    path = Path(__file__).with_name("two_way.json")
    content = {"starts": STARTS, "data": data, "found": found}
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
