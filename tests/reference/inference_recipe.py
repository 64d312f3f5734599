"""Makes inference.json: small data and what other programs say about them.

Run with numpy, pandas, pyfixest 0.60.0, wildboottest 0.3.2, csdid 0.4.3 and diff-diff 3.13.0 installed (Python 3.11,
November 2026)::

    python tests/reference/inference_recipe.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
from csdid.utils.bmisc import multiplier_bootstrap
from diff_diff.conley import _compute_conley_meat
from wildboottest.wildboottest import WildboottestCL

UNITS, PERIODS, FIRST, TREATED = 10, 4, 2, 4
warnings.simplefilter("ignore")


def restricted_wild(x, y, value, clusters):
    """The restricted wild cluster bootstrap of the first coefficient, all sign vectors, no corrections.

    The program counts draws that are above the statistic; the true signs and their reverse are equal to it up to
    rounding, so that what it prints is up to 2 / 2^G below the share of draws at least as extreme.
    """
    test = np.eye(x.shape[1])[0]
    run = WildboottestCL(X=x, Y=y - value * x[:, 0], cluster=clusters, R=test, B=99_999, seed=1, parallel=False)
    run.get_scores(bootstrap_type="11", impose_null=True, adj=False, cluster_adj=False)
    run.get_weights(weights_type="rademacher")
    run.get_numer()
    run.get_denom()
    run.get_tboot()
    run.get_vcov()
    run.get_tstat()
    run.get_pvalue()
    reached = int((np.abs(run.t_boot) >= abs(run.t_stat) * (1 - 1e-9)).sum())
    return {"value": value, "statistic": float(run.t_stat), "p_value": reached / len(run.t_boot)}


def main() -> None:
    rng = np.random.default_rng(11)
    own = (np.arange(UNITS) < TREATED)[:, None]
    treated = (own & (np.arange(PERIODS) >= FIRST)).astype(float)
    x = np.round(rng.normal(size=(UNITS, PERIODS)) + 1.5 * own, 2)
    y = np.round(0.35 * x + 0.8 * rng.normal(size=(UNITS, 1)) + rng.normal(size=(UNITS, PERIODS)), 2)
    base = 2 * rng.normal(size=(UNITS, 1)) + rng.normal(size=(1, PERIODS)) + 0.9 * treated
    z = np.round(base + 0.7 * rng.normal(size=(UNITS, PERIODS)) + rng.normal(size=(UNITS, 1)) * np.linspace(0, 1, 4), 2)
    counts = np.round(np.exp(2 + z / 4))
    clusters = np.repeat(np.arange(UNITS), PERIODS)
    effects = np.column_stack(
        [np.kron(np.eye(UNITS), np.ones((PERIODS, 1))), np.tile(np.eye(PERIODS), (UNITS, 1))[:, 1:]]
    )
    both = np.column_stack([treated.ravel(), effects])
    frame = pd.DataFrame({"unit": clusters, "period": np.tile(np.arange(PERIODS), UNITS), "d": treated.ravel()})
    frame = frame.assign(z=z.ravel(), counts=counts.ravel())
    linear = pyfixest.feols("z ~ d | unit + period", frame, vcov={"CRV1": "unit"})
    poisson = pyfixest.fepois("counts ~ d | unit + period", frame, vcov={"CRV1": "unit"}, iwls_tol=1e-13)

    influence = np.round(rng.normal(size=(63, 6)) @ rng.normal(size=(6, 6)), 3)
    influence -= influence.mean(axis=0)
    drawn = multiplier_bootstrap(influence, 400_000, seed=3) / np.sqrt((influence**2).sum(axis=0)) * 63
    where = np.round(rng.uniform(0, 10, size=(63, 2)), 2)
    conley = {
        f"{kernel} {cutoff}": _compute_conley_meat(influence, where, cutoff, "euclidean", kernel).tolist()
        for kernel in ("bartlett", "uniform")
        for cutoff in (0.01, 1.5, 4.0)
    }
    json_path = Path(__file__).with_name("inference.json")
    made = {
        "x": x.tolist(), "y": y.tolist(), "z": z.tolist(), "counts": counts.tolist(), "treated": treated.tolist(),
        "without_effects": [restricted_wild(x.ravel()[:, None], y.ravel(), v, clusters) for v in (0.0, 0.3, 1.0)],
        "two_way": [restricted_wild(both, z.ravel(), v, clusters) for v in (0.0, 0.5, 2.0)],
        "feols": {"estimate": float(linear.coef()["d"]), "std_error": float(linear.se()["d"]),
                  "p_value": float(linear.pvalue()["d"]), "interval": linear.confint().loc["d"].tolist()},
        "fepois": {"estimate": float(poisson.coef()["d"]), "std_error": float(poisson.se()["d"])},
        "influence": influence.tolist(), "positions": where.tolist(), "conley": conley,
        "largest_draw_quantiles": {str(q): float(np.quantile(np.abs(drawn).max(axis=1), q)) for q in (0.5, 0.9, 0.95)},
    }  # fmt: skip
    json_path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
