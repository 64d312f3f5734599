"""How synthetic.json was made: python -m pip install synthdid-py==0.1.0 diff-diff==3.13.0 cvxpy==1.9.3; run this file.

Data: packs of cigarettes sold per head in 39 states, 1970-2000, from the replication files of Abadie, Diamond and
Hainmueller (2010), as in the R package synthdid. The exact numbers are those of a general solver of quadratic programs
(Clarabel at 1e-14). Packages for synthetic difference-in-differences stop their Frank-Wolfe steps early; what they
print (-15.604, the published number) differs from the minimum in the third decimal, and is stored for that.
"""

import json
from importlib.metadata import version
from pathlib import Path

import cvxpy as cp
import numpy as np
from diff_diff import SyntheticDiD
from synthdid import load_california_prop99, panel_matrices, sc_estimate, synthdid_estimate

FLOOR = 1e-6  # ridge of the package's weights, as a part of the spread of the columns


def simplex(design, target, ridge=0.0):
    """Weights that minimise ``|A w - b|^2 + r |w|^2``."""
    w = cp.Variable(design.shape[1], nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(design @ w - target) + ridge * cp.sum_squares(w)), [cp.sum(w) == 1])
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-14, tol_gap_rel=1e-14, tol_feas=1e-14)
    return w.value


def floor(design):
    return FLOOR * ((design - design.mean(axis=1, keepdims=True)) ** 2).sum(axis=0).mean()


def control(donors, treated, before, small):
    """Mean gap after, and weights."""
    w = simplex(donors[:, :before].T, treated[:before], small * floor(donors[:, :before].T))
    return float((treated - w @ donors)[before:].mean()), w


def difference(donors, treated, before, units, small):
    """Estimate of synthetic difference-in-differences, weights of donors and of periods."""
    deviation = np.diff(donors[:, :before], axis=1).std(ddof=1)
    ridge = np.sqrt(units * (donors.shape[1] - before)) * deviation**2 * before
    own = donors[:, :before] - donors[:, :before].mean(axis=1, keepdims=True)
    w = simplex(own.T, treated[:before] - treated[:before].mean(), ridge)
    after = donors[:, before:].mean(axis=1)
    periods = donors[:, :before] - donors[:, :before].mean(axis=0)
    v = simplex(periods, after - after.mean(), small * floor(periods))
    gap = treated - w @ donors
    return float(gap[before:].mean() - v @ gap[:before]), w, v


frame = load_california_prop99()
frame["PacksPerCapita"] = frame["PacksPerCapita"].round(1)  # without the digits of single precision
matrices = panel_matrices(frame)
packs, before = matrices.Y, matrices.T0
frame["ever"] = frame.groupby("State")["treated"].transform("max")
fitted = SyntheticDiD(n_bootstrap=20, seed=1).fit(
    frame, outcome="PacksPerCapita", treatment="ever", unit="State", time="Year", post_periods=list(range(1989, 2001))
)
smoking = {
    "states": [str(name) for name in matrices.units],
    "first_year": 1970,
    "packs": packs.tolist(),
    "before": before,
    "control": control(packs[:38], packs[38], before, 0.0)[0],
    "difference": difference(packs[:38], packs[38], before, 1, 0.0)[0],
    "control_with_floor": control(packs[:38], packs[38], before, 1.0)[0],
    "difference_with_floor": difference(packs[:38], packs[38], before, 1, 1.0)[0],
    "control_weights": control(packs[:38], packs[38], before, 1.0)[1].tolist(),
    "difference_weights": difference(packs[:38], packs[38], before, 1, 1.0)[1].tolist(),
    "period_weights": difference(packs[:38], packs[38], before, 1, 1.0)[2].tolist(),
    "synthdid_py_difference": float(synthdid_estimate(packs, 38, before)),
    "synthdid_py_control": float(sc_estimate(packs, 38, before)),
    "diff_diff_difference": float(fitted.att),
}
rng = np.random.default_rng(5)
counts = rng.poisson(rng.gamma(4.0, 8.0, 20)[:, None] * np.exp(0.1 * rng.standard_normal(14)), (20, 14))
logs = np.log(counts + 0.5)
each = [control(logs[3:], logs[unit], 10, 1.0)[0] for unit in range(3)]
areas = {
    "counts": counts.tolist(),
    "treated": 3,
    "before": 10,
    "control_each": float(np.mean(each)),
    "difference_mean": difference(logs[3:], logs[:3].mean(axis=0), 10, 3, 1.0)[0],
}
made = {
    "recipe": "synthetic_recipe.py",
    "versions": {name: version(name) for name in ("cvxpy", "clarabel", "synthdid-py", "diff-diff", "numpy")},
    "made": "2026-11-22",
    "smoking": smoking,
    "areas": areas,
}
Path(__file__).with_name("synthetic.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
