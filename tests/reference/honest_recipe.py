"""Makes honest.json: confidence sets of Rambachan and Roth (2023) for the event study of Benzarti and Carloni (2019).

Run in an environment with honestdid 0.1.1 and moderndid 0.2.0 (numpy 2.4.6, scipy 1.17.1)::

    python honest_recipe.py > honest.json

Coefficients and covariance are the example data of R's HonestDiD, as printed there (seven digits). `published` are
R's own results to three digits, from the comparison of R and Stata in the tests of Stata's honestdid; its conditional
least favourable sets use a critical value simulated with 1,000 draws and a grid of effects.
"""

import inspect
import json
import warnings

import honestdid.core as peer
import numpy as np
from moderndid.didhonest import compute_flci

BETA = [0.006696352, 0.029345034, -0.006472972, 0.073014989, 0.195961118, 0.312063903, 0.239541546, 0.126042500]
SIGMA = [
    [8.428358e-04, 4.768687e-04, 2.618051e-04, 2.354220e-04, 1.676371e-04, 1.128708e-04, 1.992816e-05, -1.368265e-04],
    [4.768687e-04, 6.425420e-04, 3.987425e-04, 2.435515e-04, 2.201960e-04, 1.804591e-04, 3.843765e-05, -2.960422e-05],
    [2.618051e-04, 3.987425e-04, 5.229950e-04, 2.117686e-04, 1.840722e-04, 1.458528e-04, 7.005197e-05, 5.952995e-05],
    [2.354220e-04, 2.435515e-04, 2.117686e-04, 3.089595e-04, 1.197866e-04, 1.334081e-04, 1.016335e-04, 1.079052e-04],
    [1.676371e-04, 2.201960e-04, 1.840722e-04, 1.197866e-04, 3.599704e-04, 2.478819e-04, 1.749579e-04, 1.654257e-04],
    [1.128708e-04, 1.804591e-04, 1.458528e-04, 1.334081e-04, 2.478819e-04, 4.263950e-04, 2.171438e-04, 2.892748e-04],
    [1.992816e-05, 3.843765e-05, 7.005197e-05, 1.016335e-04, 1.749579e-04, 2.171438e-04, 4.886698e-04, 3.805322e-04],
    [-1.368265e-04, -2.960422e-05, 5.952995e-05, 1.079052e-04, 1.654257e-04, 2.892748e-04, 3.805322e-04, 7.617394e-04],
]
TARGETS = {"first": [1.0, 0.0, 0.0, 0.0], "third": [0.0, 0.0, 1.0, 0.0], "average": [0.25] * 4}
PUBLISHED = {
    "relative_magnitudes first": [
        [0, 0.159, 0.233],
        [2 / 9, 0.143, 0.248],
        [4 / 9, 0.123, 0.267],
        [6 / 9, 0.101, 0.288],
        [8 / 9, 0.0786, 0.309],
        [10 / 9, 0.0551, 0.330],
        [12 / 9, 0.0308, 0.352],
        [14 / 9, 0.00722, 0.376],
    ],
    "smoothness first": [[0, 0.131, 0.216], [0.1, 0.119, 0.419], [0.2, 0.0194, 0.519], [0.3, -0.0806, 0.619]],
    "smoothness third": [[0, 0.144, 0.260], [0.1, -0.244, 1.16], [0.2, -0.844, 1.76], [0.3, -1.44, 2.36]],
}
# honestdid 0.1.1 turns arrays of one element into numbers with float(), which numpy no longer allows.
source = inspect.getsource(peer._lp_conditional_test_fn)
for product in ("v_B.T @ sigma_ARP @ v_B", "e1 @ np.linalg.solve(cbind_B, S_B)", "v_B.T @ y_T_ARP"):
    source = source.replace(f"float({product})", f"({product}).item()")
exec(source, peer.__dict__)  # noqa: S102


def accepts(effect, target, m):
    """Whether the conditional test (without a first stage) keeps `effect` for some period and sign."""
    beta, sigma = np.array(BETA), np.array(SIGMA)
    for period in range(-3, 1):
        for positive in (True, False):
            matrix = peer._create_A_RM(4, 4, Mbar=m, s=period, max_positive=positive)
            after = matrix[:, 4:] @ np.linalg.inv(peer._construct_Gamma(np.array(target)))
            tested = peer._lp_conditional_test_fn(
                theta=effect,
                y_T=matrix @ beta - after[:, 0] * effect,
                X_T=after[:, 1:],
                sigma=matrix @ sigma @ matrix.T,
                alpha=0.05,
                hybrid_flag="ARP",
                hybrid_list={},
                rowsForARP=np.flatnonzero((matrix[:, 4:] != 0).any(axis=1)),
            )
            if not tested["reject"]:
                return True
    return False


def end(target, m, kept, lost):
    """The end of the set between an effect that is kept and one that is not, by halving."""
    for _ in range(36):
        middle = (kept + lost) / 2
        kept, lost = (middle, lost) if accepts(middle, target, m) else (kept, middle)
    return kept


def main():
    """Print the reference."""
    warnings.simplefilter("ignore")
    conditional, fixed = [], []
    for name, target in TARGETS.items():
        estimate = float(np.array(target) @ BETA[4:])
        for m in (0.25, 0.5, 1.0, 2.0):
            reach = 0.4 + 1.5 * m  # no set is longer
            ends = [end(target, m, estimate, estimate + sign * reach) for sign in (-1, 1)]
            conditional.append({"target": name, "m": m, "low": ends[0], "high": ends[1]})
        for m in (0.0, 0.02, 0.05, 0.1):
            low, high = compute_flci(
                np.array(BETA), np.array(SIGMA), m, 4, 4, post_period_weights=np.array(target), alpha=0.05
            ).flci
            fixed.append({"target": name, "m": m, "low": float(low), "high": float(high)})
    about = (
        "see honest_recipe.py: honestdid 0.1.1 (conditional), moderndid 0.2.0 (fixed length), R HonestDiD (published)"
    )
    content = {
        "about": about,
        "estimate": BETA,
        "covariance": SIGMA,
        "targets": TARGETS,
        "conditional": conditional,
        "fixed_length": fixed,
        "published": PUBLISHED,
    }
    print(json.dumps(content))


if __name__ == "__main__":
    main()
