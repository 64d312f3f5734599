"""Spatial shift: cases in the areas with the measure, around them, and around these, against areas farther away."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.diagnostics import rings
from evaluation.disclosure import About, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel
from evaluation.report.material.specifications import as_ratio, relative

if TYPE_CHECKING:
    from evaluation.report.context import Context

ORDERS = (2, 1)
"""Rings that are examined; only one where nothing lies beyond two."""
OWN, NEXT = 0, 1
"""The areas with the measure themselves, and the ring of those that touch them."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """How cases changed on the rings around the areas with the measure.

    Parameters
    ----------
    rings
        Key ``ring`` (0: the areas themselves): relative change against the areas beyond the last ring. Intervals and
        p-values of the rings around hold for all of these together.
    sizes
        Key ``ring``: number of areas; ``far`` for those that are compared.
    detectable
        Key ``ring``: increase around the areas that would be found with 80 % power.
    level
        Of the test.
    """

    rings: Published
    sizes: Published
    detectable: Published
    level: float

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        return self.rings, self.sizes, self.detectable

    def established(self, ring: int) -> bool:
        """Tell whether the change on a ring is established."""
        p_value = self.rings.cell(ring=ring).p_value
        return p_value is not None and p_value <= self.level


def shift(
    context: "Context", panel: Panel, method: Estimator, about: About, *, level: float
) -> Shift | EvaluationError | None:
    """Return what happened around the areas of a study, why that cannot be said, or None without a map."""
    if panel.neighbours is None:
        return None
    method = as_ratio(method)
    failed: EvaluationError | None = None
    for order in ORDERS:
        try:
            own, around = rings(panel, method, order=order), rings(panel, _together(method, order), order=order)
        except EvaluationError as error:
            failed = failed or error
            continue
        if own.scale.name != "log":
            return None
        return _published(context, panel, (own, around), about, level)
    return failed


def _together(method: Estimator, order: int) -> Estimator:
    """Return the estimator with a level at which all rings around the areas keep theirs together (Bonferroni)."""
    inference: Any = getattr(method, "inference", None)
    if inference is None or not hasattr(inference, "level"):
        return method
    options: Any = method
    changed = replace(inference, level=1 - (1 - inference.level) / order)
    return replace(options, inference=changed)  # type: ignore[no-any-return]


def _published(
    context: "Context", panel: Panel, found: tuple[Estimates, Estimates], about: About, level: float
) -> Shift:
    own, around = found
    members, rules = own.facts["members"], context.rules
    positions = {unit: place for place, unit in enumerate(panel.units)}
    order = max(members)
    rows = []
    for ring, units in members.items():
        row = relative((own if ring == OWN else around).row(ring=ring))
        if ring != OWN:
            row["p_value"] = min(1.0, order * row["p_value"])
        places = [positions[unit] for unit in units]
        note = "" if np.isfinite(row["value"]) else str((own if ring == OWN else around).row(ring=ring)["note"])
        rows.append({"ring": ring, **row, "note": note, "size": float(np.nansum(panel.outcome[places]))})
    sizes = {**{str(ring): len(units) for ring, units in members.items()}, "far": own.facts["far"]}
    by_ring = around.facts["detectable_by_ring"]
    detectable = [{"ring": ring, "value": by_ring[ring] / (1 - by_ring[ring])} for ring in members if ring != OWN]

    def of(name: str, unit: str) -> About:
        return replace(about, id=f"{about.id}.{name}", unit=unit)

    return Shift(
        rings=publish(
            pd.DataFrame(rows), rules, about=of("rings", "change"), keys=("ring",), basis="cases", cases="size"
        ),
        sizes=publish(
            pd.DataFrame([{"ring": ring, "value": float(n)} for ring, n in sizes.items()]),
            rules,
            about=of("rings_number", "number"),
            keys=("ring",),
            basis="services",
        ),
        detectable=publish(
            pd.DataFrame(detectable), rules, about=of("rings_detectable", "change"), keys=("ring",), basis="services"
        ),
        level=level,
    )
