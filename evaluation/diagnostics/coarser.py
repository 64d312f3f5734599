"""The same question on a coarser map, where an effect is diluted by the parts of a unit that are not treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.diagnostics.variants import effect_of, in_one, moment, row_of, with_windows
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel


def coarser(panel: Panel, parents: Mapping[str, str]) -> Panel:
    """Return the panel of larger units: counts and exposure added up, treated where one of the parts is treated.

    Parameters
    ----------
    parents
        Larger unit of every unit, such as the Stadtbezirk of an Ortsteil.

    Returns
    -------
    Panel
        Columns ``unit, period, outcome`` and, where the study compares rates, ``exposure``. A larger unit is treated
        since the earliest start in it; it is kept out of the comparison where a part is, unless it is treated. A
        period in which a part has no value is a gap: a sum without it would be a drop. Larger units touch where parts
        of them touch; their positions are the means of their parts'.

    Raises
    ------
    DesignError
        A unit has no larger unit, or the larger panel is not possible: every larger unit is treated, ...

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> panel = example_panel()
    >>> bezirke = coarser(panel, {unit: f"B{(int(unit) - 1) // 9}" for unit in panel.units})
    >>> len(bezirke.units), bool(bezirke.outcome.sum() == panel.outcome.sum())
    (7, True)
    """
    missing = [unit for unit in panel.units if unit not in parents]
    if missing:
        raise DesignError(Problem("diagnostics.no_parent", units=missing))
    starts: dict[str, str] = {}
    for unit, since in panel.study.starts.items():
        known = starts.setdefault(parents[unit], since)
        if moment(panel, since) < moment(panel, known):
            starts[parents[unit]] = since
    apart = {parents[unit] for unit in panel.study.excluded if unit in parents} - set(starts)
    study = replace(
        panel.study,
        unit="district",
        treated_since=starts,
        treated=tuple(sorted(starts)),
        excluded=tuple(sorted(apart)),
    )
    return Panel(_summed(panel, parents), study, _touching(panel, parents), _centres(panel, parents))


def at_larger_units(panel: Panel, method: Estimator, parents: Mapping[str, str]) -> Estimates:
    """Return the effect in the areas, in the larger units, and what the first would look like in the second.

    Returns
    -------
    Estimates
        Rows ``units``: ``areas``; ``larger``; and, for ratios, ``diluted``: the effect in the areas as the larger
        units would show it if nothing happened in the rest of them, ``ln[1 + share (ratio - 1)]``. Facts:
        ``treated_share`` (part of the cases of the treated larger units, before the start, that lies in treated
        areas), ``treated_share_exposure`` where rates are compared, ``treated_shares`` (the first by larger unit),
        ``larger_units`` and ``larger_treated`` (their numbers).

    Raises
    ------
    DesignError, EstimationError
        See :func:`coarser`; or one of the two effects does not exist.

    Examples
    --------
    >>> from evaluation import TwoByTwo
    >>> from evaluation.simulate import example_panel
    >>> panel = example_panel()
    >>> parents = {unit: f"B{(int(unit) - 1) // 9}" for unit in panel.units}
    >>> at_larger_units(panel, TwoByTwo(before=3, after=1), parents).table["units"].tolist()
    ['areas', 'larger', 'diluted']
    """
    larger = coarser(panel, parents)
    full = method.estimate(panel)
    coarse = with_windows(method, full, panel).estimate(larger)
    facts = _shares(panel, parents) | {"larger_units": len(larger.units), "larger_treated": int(larger.treated.sum())}
    rows: list[dict[str, Any]] = [{"units": "areas", **row_of(full)}, {"units": "larger", **row_of(coarse)}]
    if full.scale.name == "log" and np.isfinite(facts["treated_share"]):
        effect = effect_of(full)
        ends = {
            name: float(np.log1p(facts["treated_share"] * np.expm1(float(effect[name]))))
            for name in ("estimate", "conf_low", "conf_high")
        }
        note = f"{effect['note']} diagnostics.note.diluted".strip()
        rows.append(
            {"units": "diluted", **row_of(full), **ends, "std_error": np.nan, "statistic": np.nan, "note": note}
        )
    return in_one(rows, full, [full, coarse], facts=facts)


def _summed(panel: Panel, parents: Mapping[str, str]) -> pd.DataFrame:
    """Return sums by larger unit and period, without the periods in which a part has no value."""
    columns = ["outcome", *(["exposure"] if panel.study.exposure else [])]
    frame = panel.frame[["unit", "period", *columns]].dropna(subset=columns)
    groups = frame.assign(unit=frame["unit"].map(dict(parents))).groupby(["unit", "period"], as_index=False)
    summed = groups[columns].sum()
    parts = pd.Series([parents[unit] for unit in panel.units]).value_counts()
    whole = groups.size()["size"].to_numpy() == summed["unit"].map(parts).to_numpy()
    return summed[whole].reset_index(drop=True)


def _touching(panel: Panel, parents: Mapping[str, str]) -> dict[str, frozenset[str]] | None:
    if panel.neighbours is None:
        return None
    found: dict[str, set[str]] = {parents[unit]: set() for unit in panel.units}
    for unit in panel.units:
        near = {parents[other] for other in panel.neighbours.get(unit, ()) if other in parents}
        for parent in near - {parents[unit]}:
            found[parents[unit]].add(parent)
            found.setdefault(parent, set()).add(parents[unit])
    return {parent: frozenset(others) for parent, others in found.items()}


def _centres(panel: Panel, parents: Mapping[str, str]) -> dict[str, tuple[float, float]] | None:
    if panel.positions is None:
        return None
    parts: dict[str, list[tuple[float, float]]] = {}
    for unit in panel.units:
        if unit in panel.positions:
            parts.setdefault(parents[unit], []).append(panel.positions[unit])
    means = {parent: np.mean(points, axis=0) for parent, points in parts.items()}
    return {parent: (float(mean[0]), float(mean[1])) for parent, mean in means.items()}


def _shares(panel: Panel, parents: Mapping[str, str]) -> dict[str, Any]:
    """Return which part of the treated larger units' cases and exposure, before the start, lies in treated areas."""
    clean = int(panel.starts[panel.treated].min()) - panel.gap
    parent = np.array([parents[unit] for unit in panel.units])
    inside = np.isin(parent, parent[panel.treated])
    cases, people = (np.nansum(part[:, :clean], axis=1) for part in (panel.outcome, panel.exposure))

    def share(values: np.ndarray, chosen: np.ndarray) -> float:
        whole = float(values[chosen].sum())
        return float(values[chosen & panel.treated].sum()) / whole if whole else float("nan")

    facts: dict[str, Any] = {
        "treated_share": share(cases, inside),
        "treated_shares": {str(name): share(cases, parent == name) for name in np.unique(parent[panel.treated])},
    }
    return facts | ({"treated_share_exposure": share(people, inside)} if panel.study.exposure else {})
