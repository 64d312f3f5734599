"""The effect without one of the areas, to see whether it hangs on a single one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluation.diagnostics.variants import attempt_variant, effect_of, in_one, row_of, with_windows, without_units
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel


def leave_one_out(panel: Panel, method: Estimator, *, parents: Mapping[str, str] | None = None) -> Estimates:
    """Return the effect without each treated area in turn, and without the comparison areas of each district.

    Parameters
    ----------
    parents
        District of every area; without it, only treated areas are left out.

    Returns
    -------
    Estimates
        One row for each ``unit`` left out; ``kind`` is ``treated`` (an area) or ``comparison`` (a district's
        comparison areas), `n` the number of areas left out. Facts: ``estimate`` (with all areas), ``lowest`` and
        ``highest`` estimate, ``most_influential`` (whose absence changes the estimate most, and by how much:
        ``largest_change``).

    Raises
    ------
    DesignError
        Only one area is treated and no districts are given, or an area has no district.
    EstimationError
        Nothing could be estimated.

    Notes
    -----
    With one treated area only comparison districts can be left out. A treated area that is left out is not compared
    either. The windows are those of the full estimate.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> result = leave_one_out(example_panel(), TwoByTwo(before=3, after=1))
    >>> result.table["unit"].tolist() == list(example_panel().study.treated)
    True
    """
    treated = panel.study.treated if len(panel.study.treated) > 1 else ()
    districts = _districts(panel, parents or {}) if parents is not None else {}
    if not treated and not districts:
        raise DesignError(Problem("diagnostics.one_treated"))
    full = method.estimate(panel)
    fixed = with_windows(method, full, panel)
    left_out = [("treated", unit, [unit]) for unit in treated]
    left_out += [("comparison", district, units) for district, units in districts.items()]
    results = [attempt_variant(fixed, panel, **without_units(panel, units)) for _, _, units in left_out]
    rows = [
        {"kind": kind, "unit": unit, **row_of(result), "n": len(units)}
        for (kind, unit, units), result in zip(left_out, results, strict=True)
    ]
    estimates = np.array([row["estimate"] for row in rows], dtype=float)
    change = np.abs(estimates - effect_of(full)["estimate"])
    facts = {}
    if np.isfinite(change).any():
        most = int(np.nanargmax(change))
        facts = {
            "lowest": float(np.nanmin(estimates)),
            "highest": float(np.nanmax(estimates)),
            "most_influential": left_out[most][1],
            "largest_change": float(change[most]),
        }
    return in_one(rows, full, results, facts=facts)


def _districts(panel: Panel, parents: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the comparison units of each district that has any."""
    compared = [unit for unit, own in zip(panel.units, panel.comparison, strict=True) if own]
    unknown = [unit for unit in compared if unit not in parents]
    if unknown:
        raise DesignError(Problem("diagnostics.no_parent", units=unknown))
    found: dict[str, list[str]] = {}
    for unit in sorted(compared, key=lambda unit: (parents[unit], unit)):
        found.setdefault(parents[unit], []).append(unit)
    return found
