"""Makes mpdta.json and confounded.{csv,json}: group-time effects by csdid, an independent program.

    python -m venv peers && peers/bin/pip install csdid==0.4.3 pandas==3.1.1 numpy==2.4.6 statsmodels==0.15.0
    peers/bin/python tests/reference/group_time_recipe.py path/to/mpdta.csv

Run with these versions on Python 3.11.7 in November 2026. `mpdta.csv` is the county panel of Callaway and Sant'Anna
(2021), which R's did ships; it is not part of this repository. `confounded.csv` is made here: 63 areas over eight
years, 8 of them with a measure since 2015, picked where x is high; what happens to an area depends on x, too, so that
an unadjusted comparison is wrong. Values are [estimate, analytic standard error], at full digits.
"""

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from csdid.att_gt import ATTgt

HERE = Path(__file__).parent
METHODS = {"doubly_robust": "dr", "outcome_regression": "reg", "inverse_probability": "ipw"}
AGGREGATIONS = ("simple", "dynamic", "group", "calendar")


def confounded() -> pd.DataFrame:
    """Return the made panel, numbers rounded so that the file holds exactly what csdid saw."""
    rng = np.random.default_rng(20151)
    areas, years = 63, np.arange(2011, 2019)
    x = np.round(rng.normal(size=areas), 4)
    treated = np.zeros(areas, dtype=bool)
    treated[np.argsort(-(1.6 * x + rng.logistic(size=areas)))[:8]] = True
    z = np.round(0.5 * x[:, None] + rng.normal(size=(areas, len(years))), 4)  # varies over time
    trend = 0.3 * x[:, None] * (years - 2011) + 0.2 * z
    effect = -0.4 * (treated[:, None] & (years >= 2015))
    y = 20 + rng.normal(size=(areas, 1)) + trend + effect + 0.4 * rng.normal(size=(areas, len(years)))
    frame = pd.DataFrame({"area": np.repeat([f"{i:02d}" for i in range(areas)], len(years))})
    frame["year"] = np.tile(years, areas)
    frame["y"] = np.round(y, 4).ravel()
    frame["x"], frame["z"] = np.repeat(x, len(years)), z.ravel()
    frame["start"] = np.repeat(np.where(treated, 2015, 0), len(years))
    return frame


def run(frame: pd.DataFrame, covariates: str | None, method: str = "doubly_robust", **options: object) -> dict:
    """Return all cells and aggregations; frame with columns id, year, y, start."""
    base, kinds = options.pop("base_period", "varying"), options.pop("kinds", AGGREGATIONS)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ATTgt(
            yname="y", tname="year", idname="id", gname="start", data=frame.copy(), xformla=covariates, **options
        )
        fit.fit(est_method=METHODS[method], base_period=base, bstrap=False)
        cells = pd.DataFrame({key: fit.results[key] for key in ("group", "year", "att", "se")})
        found = {"cells": {f"{int(g)} {int(t)}": [a, s] for g, t, a, s in cells.itertuples(index=False)}}
        for kind in kinds:
            table = fit.aggte(kind, na_rm=True).atte
            found[kind] = [float(table["overall_att"]), float(table["overall_se"])]
            if kind != "simple":
                se = np.ravel(table["se_egt"])
                found[f"{kind}_by"] = {
                    str(int(k)): [float(a), float(s)]
                    for k, a, s in zip(table["egt"], table["att_egt"], se, strict=True)
                }
    return found


def cell(frame: pd.DataFrame, covariates: str | None, start: int, base: int, year: int) -> list[float]:
    """Return one cell of an unbalanced panel from the units with data in both of its periods."""
    part = frame[frame["year"].isin([base, year]) & frame["start"].isin([0, start])]
    part = part[part.groupby("id")["year"].transform("size") == 2]
    part = part.assign(start=np.where(part["start"] > 0, max(base, year), 0))
    return run(part, covariates, kinds=())["cells"][f"{max(base, year)} {max(base, year)}"]


def with_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows but every 29th and 31st."""
    rows = np.arange(len(frame))
    return frame[(rows % 29 != 7) & (rows % 31 != 11)]


def mpdta(path: str) -> dict:
    """Return the results for the county panel."""
    raw = pd.read_csv(path)
    frame = pd.DataFrame({"id": raw["countyreal"], "year": raw["year"], "y": raw["lemp"]})
    frame["start"], frame["lpop"] = raw["first.treat"], raw["lpop"]
    frame = frame.astype({"id": int, "year": int, "start": int}).sort_values(["id", "year"], ignore_index=True)
    x, not_yet, without = "~lpop", "notyettreated", "nevertreated"
    found = {
        "never, none": run(frame, None, control_group=without),
        "not yet, none": run(frame, None, control_group=not_yet),
        "never, lpop, universal": run(frame, x, control_group=without, base_period="universal"),
        "not yet, lpop, universal": run(frame, x, control_group=not_yet, base_period="universal"),
        "not yet, lpop, anticipation": run(frame, x, control_group=not_yet, anticipation=1),
        "gaps dropped, lpop": run(with_gaps(frame), x, control_group=without),
        "gaps by cell": {
            f"{g} {t}": cell(with_gaps(frame), x, g, b, t)
            for g, b, t in [(2004, 2003, 2005), (2006, 2004, 2005), (2006, 2005, 2007), (2007, 2006, 2007)]
        },
        "last year without never treated": run(
            frame[frame["start"] > 0], None, control_group=not_yet, kinds=("simple", "group")
        ),
    }
    for method in METHODS:
        for name, group in (("never", without), ("not yet", not_yet)):
            found[f"{name}, lpop, {method}"] = run(frame, x, method, control_group=group)
    return found


def main(path: str) -> None:
    """Write the files."""
    frame = confounded()
    frame.to_csv(HERE / "confounded.csv", index=False)
    frame = frame.rename(columns={"area": "id"}).astype({"id": int})
    found = {f"{x}, {method}": run(frame, x, method) for x in ("~x", "~x + z") for method in METHODS}
    found["none"] = run(frame, None)
    found["~x, universal"] = run(frame, "~x", base_period="universal")
    for name, values in (("confounded", found), ("mpdta", mpdta(path))):
        text = json.dumps(values, indent=1)
        (HERE / f"{name}.json").write_text(text.replace("NaN", "null") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
