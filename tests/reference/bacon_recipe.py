"""Makes bacon.json: the decomposition of a two-way regression by diff-diff 3.13.0 and pybacondecomp 0.1.0.

Run in an environment with both (numpy 2.4.6, pandas 3.1.1)::

    python bacon_recipe.py > bacon.json

Ten units in ten years, four treated since 2012, three since 2016, two since 2018; the counts are made up.
"""

import json
import warnings

import numpy as np
import pandas as pd
from diff_diff import BaconDecomposition
from diff_diff.chaisemartin_dhaultfoeuille import twowayfeweights
from pybacondecomp import bacondecomp

SINCE = [2012, 2012, 2012, 2012, 2016, 2016, 2016, 2018, 2018, 0]
COUNTS = [[(7 * i * i + 13 * i * t + 5 * t * t) % 23 + 20 + 3 * i for t in range(10)] for i in range(10)]


def main():
    """Print the reference."""
    warnings.simplefilter("ignore")
    unit, year = (axis.ravel() for axis in np.meshgrid(np.arange(10), np.arange(2010, 2020), indexing="ij"))
    frame = pd.DataFrame({"unit": unit, "year": year, "count": np.ravel(COUNTS), "since": np.repeat(SINCE, 10)})
    frame["y"] = np.log(frame["count"] + 0.5)
    frame["active"] = ((frame["since"] > 0) & (frame["year"] >= frame["since"])).astype(int)
    found = BaconDecomposition(weights="exact").fit(frame, "y", "unit", "year", "since")
    pairs = [
        {
            "kind": row.comparison_type,
            "cohort": int(row.treated_group),
            "compared": str(row.control_group),
            "weight": float(row.weight),
            "estimate": float(row.estimate),
        }
        for row in found.comparisons
    ]
    weights = twowayfeweights(frame, "y", unit="unit", time="year", treatment="active")
    table = weights.weights.merge(frame[["unit", "year", "since", "active"]], on=["unit", "year"])
    cells = table[table["active"] == 1].groupby(["since", "year"])["weight"].sum().reset_index()
    other = bacondecomp(
        frame.assign(active=frame["active"].astype(float)), "y", "active", "unit", "year", verbose=False
    )
    content = {
        "about": "see bacon_recipe.py: diff-diff 3.13.0; `other` is the coefficient by pybacondecomp 0.1.0",
        "since": SINCE,
        "counts": COUNTS,
        "coefficient": float(found.twfe_estimate),
        "other": other.dd_estimate,
        "pairs": pairs,
        "cells": cells.to_dict("records"),
        "reversal": weights.sigma_fe,
    }
    print(json.dumps(content))


if __name__ == "__main__":
    main()
