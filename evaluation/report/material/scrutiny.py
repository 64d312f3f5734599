"""What an effect hangs on: single areas, earlier trends, the return to the usual level, reporting."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.diagnostics import leave_one_out, pre_trends, regression_to_the_mean
from evaluation.disclosure import About, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel
from evaluation.report.material.reporting import Reporting, reporting
from evaluation.report.material.specifications import as_ratio

if TYPE_CHECKING:
    from evaluation.report.context import Context


@dataclass(frozen=True, kw_only=True)
class Scrutiny:
    """Checks of one effect; None where one is not possible.

    Parameters
    ----------
    left_out
        Key ``what``: the ``lowest`` and the ``highest`` change without one of the areas with the measure.
    left_out_count
        Key ``what``: ``all`` such estimates, and those of them that are ``unsure``: not established.
    trend
        Key ``what``: change a period by which the areas drifted apart before the start (``slope``), the one that would
        have been found (``detectable``), and what that would make of the effect (``bias``).
    return_
        Change of the strongest risers of earlier dates against the others, from their last year on.
    return_count
        How many areas these are at each date.
    reporting
        What a change in reporting would explain.
    """

    left_out: Published | None = None
    left_out_count: Published | None = None
    trend: Published | None = None
    return_: Published | None = None
    return_count: Published | None = None
    reporting: Reporting | None = None

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        own = (self.left_out, self.left_out_count, self.trend, self.return_, self.return_count)
        return (*(p for p in own if p is not None), *(self.reporting.results if self.reporting else ()))


def scrutiny(
    context: "Context", panel: Panel, method: Estimator, estimates: Estimates, about: About, *, level: float
) -> Scrutiny:
    """Return the checks of an effect whose answer counts; `about` is that of the study."""
    cases = int(np.nansum(panel.outcome[panel.treated]))
    left_out, count = _left_out(context, panel, as_ratio(method), about, level)
    back, risers = _return(context, panel, as_ratio(method), about)
    return Scrutiny(
        left_out=left_out,
        left_out_count=count,
        trend=_trend(context, panel, about, cases),
        return_=back,
        return_count=risers,
        reporting=reporting(context, panel.study, estimates, about, cases),
    )


def _left_out(
    context: "Context", panel: Panel, method: Estimator, about: About, level: float
) -> tuple[Published | None, Published | None]:
    """Return the range of the effect without one of the areas; which area is not told."""
    try:
        result = leave_one_out(panel, method)
    except EvaluationError:  # a single area with the measure
        return None, None
    if result.scale.name != "log" or "lowest" not in result.facts:
        return None, None
    range_ = [{"what": what, "value": float(np.expm1(result.facts[what]))} for what in ("lowest", "highest")]
    known = result.table["p_value"].dropna()
    counted = [
        {"what": "all", "value": float(len(known))},
        {"what": "unsure", "value": float((known > level).sum())},
    ]
    smallest = int(np.nansum(panel.outcome[panel.treated], axis=1).min())  # the area whose absence makes a difference
    about = replace(about, id=f"{about.id}.leave_one_out", unit="change")
    return (
        publish(pd.DataFrame(range_), context.rules, about=about, keys=("what",), basis="cases", cases=smallest),
        publish(
            pd.DataFrame(counted),
            context.rules,
            about=replace(about, id=f"{about.id}_number", unit="number"),
            keys=("what",),
            basis="services",
        ),
    )


def _trend(context: "Context", panel: Panel, about: About, cases: int) -> Published | None:
    """Return the trend before the start and what could have been found of it."""
    try:
        result = pre_trends(panel)
    except EvaluationError:  # too few periods before
        return None
    slope = result.row(term="slope")
    rows = [
        {"what": "slope", "value": np.expm1(slope["estimate"]), "p_value": slope["p_value"]},
        {"what": "detectable", "value": np.expm1(result.facts["detectable_slope"]), "p_value": np.nan},
        {"what": "bias", "value": np.expm1(result.facts["detectable_bias"]), "p_value": np.nan},
    ]
    about = replace(about, id=f"{about.id}.trend", unit="change")
    return publish(pd.DataFrame(rows), context.rules, about=about, keys=("what",), basis="cases", cases=cases)


def _return(
    context: "Context", panel: Panel, method: Estimator, about: About
) -> tuple[Published | None, Published | None]:
    """Return what a naive comparison sees in areas that have just risen, at earlier dates without the measure."""
    try:
        result = regression_to_the_mean(panel, method)
    except EvaluationError:  # not adjusted, or no ratio
        return None, None
    value = float(result.row(term="placebo_risers_naive")["estimate"])
    if not np.isfinite(value):
        return None, None
    about = replace(about, id=f"{about.id}.risers", unit="change")
    everyone = int(np.nansum(panel.outcome))
    change = pd.DataFrame([{"value": np.expm1(value)}])
    number = pd.DataFrame([{"value": float(result.facts["risers"])}])
    return (
        publish(change, context.rules, about=about, keys=(), basis="cases", cases=everyone),
        publish(
            number,
            context.rules,
            about=replace(about, id=f"{about.id}_number", unit="number"),
            keys=(),
            basis="services",
        ),
    )
