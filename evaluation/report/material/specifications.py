"""One effect computed in other ways: those fixed beforehand, and others that only put it into perspective.

What was fixed beforehand counts for the answer. The rest informs: with and without the neighbours of areas with the
measure, at the level of districts, and without the adjustment for the return to the usual level.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.diagnostics import at_larger_units, without_neighbours
from evaluation.diagnostics import specifications as estimated
from evaluation.disclosure import About, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates, Estimator
from evaluation.panel import Panel
from evaluation.texts import has_text, text

if TYPE_CHECKING:
    from evaluation.report.context import Context

DECLARED = "declared"
OTHER = "other"
NEIGHBOURS = {"none": "without_neighbours", "neighbours": "with_neighbours"}
"""What the study does with neighbours -> the specification that does the opposite."""
DISTRICTS = "districts"
UNADJUSTED = "unadjusted"
NOT_ESTIMATED = "report.note.not_estimated"


@dataclass(frozen=True, kw_only=True)
class Specifications:
    """All ways in which one effect was computed, by name.

    Parameters
    ----------
    methods
        Those fixed beforehand, the main one first.
    declared
        Their results, as far as they can be estimated.
    rows
        Relative change with interval and p-value; None where it cannot be estimated. All of them.
    districts
        The effect at the level of districts, from :func:`evaluation.diagnostics.at_larger_units`.
    """

    methods: Mapping[str, Estimator]
    declared: Mapping[str, Estimates]
    rows: Mapping[str, Mapping[str, float] | None]
    districts: Estimates | None = field(default=None, repr=False)

    @property
    def others(self) -> dict[str, Estimates]:
        """The specifications fixed beforehand beside the main one."""
        return {name: result for name, result in self.declared.items() if name != DECLARED}


def fixed_beforehand(name: str) -> bool:
    """Tell whether a specification was declared with the study; only these count for the answer."""
    return name == DECLARED or name.startswith(f"{OTHER}_")


def specifications(context: "Context", panel: Panel, method: Estimator, estimates: Estimates) -> Specifications:
    """Return the effect in all ways that the study declares or its data allow."""
    others = {
        f"{OTHER}_{number}": other
        for number, other in enumerate(context.project.sensitivities(panel.study.id), start=1)
    }
    results: dict[str, Estimates | EvaluationError] = {DECLARED: estimates, **estimated(panel, others)}
    rows: dict[str, Mapping[str, float] | None] = {}
    for name, result in results.items():
        if isinstance(result, EvaluationError):
            rows[name] = None
        elif result.scale.name == "log":  # an effect in cases has no place on an axis of percent
            rows[name] = relative(result.row(term="effect"))
    rows |= _neighbours(panel, as_ratio(method))
    districts = _districts(context, panel, as_ratio(method))
    if districts is not None:
        rows[DISTRICTS] = relative(districts.row(units="larger"))
    elif _parents(context, panel):
        rows[DISTRICTS] = None
    if estimates.scale.name == "log" and UNADJUSTED in set(estimates.table["term"]):
        rows[UNADJUSTED] = relative(estimates.row(term=UNADJUSTED))
    return Specifications(
        methods={DECLARED: method, **others},
        declared={name: result for name, result in results.items() if isinstance(result, Estimates)},
        rows=rows,
        districts=districts,
    )


def as_ratio(method: Estimator) -> Estimator:
    """Return the estimator of the ratio from which one of cases derives its effect."""
    if getattr(method, "scale", "ratio") != "levels":
        return method
    options: Any = method
    return replace(options, scale="ratio")  # type: ignore[no-any-return]


def relative(row: Mapping[str, Any]) -> dict[str, float]:
    """Return a row of log ratios as relative changes."""
    changes = {name: float(np.expm1(row[name])) for name in ("estimate", "conf_low", "conf_high")}
    return {"value": changes.pop("estimate"), **changes, "p_value": float(row["p_value"])}


def _neighbours(panel: Panel, method: Estimator) -> dict[str, Mapping[str, float] | None]:
    """Return the effect without first-order neighbours, or with them where the study leaves them out."""
    name = NEIGHBOURS[panel.study.leave_out]
    if panel.neighbours is None:
        return {}
    try:
        result = without_neighbours(panel, method)
    except EvaluationError:
        return {name: None}
    if result.scale.name != "log":
        return {}
    return {name: relative(result.row(comparison=name if panel.study.leave_out == "none" else "all"))}


def _parents(context: "Context", panel: Panel) -> dict[str, str]:
    """Return the district of every area; nothing where the study is about larger units or areas have no district."""
    areas = context.project.table("areas")
    if panel.study.unit != "area" or "district" not in areas:
        return {}
    known = areas.dropna(subset=["district"])
    parents = dict(zip(known["area"].astype(str), known["district"].astype(str), strict=True))
    return parents if set(panel.units) <= set(parents) else {}


def _districts(context: "Context", panel: Panel, method: Estimator) -> Estimates | None:
    """Return the effect at the level of districts; all others are compared, since nearly all of them touch."""
    parents = _parents(context, panel)
    if not parents:
        return None
    whole = replace(panel, study=replace(panel.study, leave_out="none"))
    try:
        result = at_larger_units(whole, method, parents)
    except EvaluationError:
        return None
    return result if result.scale.name == "log" else None


# --- published ---


def published(found: Specifications, context: "Context", about: About, cases: int) -> Published | None:
    """Return the effect under every specification; None where there is nothing beside the main one."""
    if len(found.rows) < 2:
        return None
    lacking = {"value": np.nan, "conf_low": np.nan, "conf_high": np.nan, "p_value": np.nan, "note": NOT_ESTIMATED}
    rows = [{"specification": name, "note": "", **(row or lacking)} for name, row in found.rows.items()]
    keys = ("specification",)
    return publish(pd.DataFrame(rows), context.rules, about=about, keys=keys, basis="cases", cases=cases)


def p_values(found: Specifications, context: "Context", about: About) -> Published:
    """Return the p-value of every specification and the smallest that the main one could attain."""
    known = {name: row["p_value"] for name, row in found.rows.items() if row is not None}
    known |= {name: float(result.row(term="effect")["p_value"]) for name, result in found.declared.items()}
    rows = [{"specification": name, "value": p} for name, p in known.items() if np.isfinite(p)]
    rows.append({"specification": "smallest", "value": found.declared[DECLARED].facts.get("smallest_p", np.nan)})
    return publish(pd.DataFrame(rows), context.rules, about=about, keys=("specification",), basis="services")


@dataclass(frozen=True, kw_only=True)
class Diluted:
    """What the effect would look like at the level of districts, if nothing happened in the rest of them.

    Parameters
    ----------
    numbers
        Key ``what``: ``all`` districts, and those ``treated``.
    share
        Part of the cases of the districts with the measure that lies in areas with the measure.
    effect
        The effect in the areas as the districts would show it.
    """

    numbers: Published
    share: Published
    effect: Published

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        return self.numbers, self.share, self.effect


def diluted(found: Specifications, context: "Context", panel: Panel, about: About) -> Diluted | None:
    """Return how far districts thin out the effect; None where they have none."""
    result = found.districts
    if result is None or "diluted" not in set(result.table["units"]):
        return None
    parents, rules = _parents(context, panel), context.rules
    parent = np.array([parents[unit] for unit in panel.units])
    rest = ~panel.treated & np.isin(parent, parent[panel.treated])
    # Whoever knows the cases of one part and the share can compute the other: the smaller part counts.
    size = int(min(np.nansum(panel.outcome[panel.treated]), np.nansum(panel.outcome[rest])))

    def of(name: str, unit: str) -> About:
        return replace(about, id=f"{about.id}.{name}", unit=unit)

    numbers = {"all": result.facts["larger_units"], "treated": result.facts["larger_treated"]}
    return Diluted(
        numbers=publish(
            pd.DataFrame([{"what": what, "value": float(n)} for what, n in numbers.items()]),
            rules,
            about=of("number", "number"),
            keys=("what",),
            basis="services",
        ),
        share=publish(
            pd.DataFrame([{"value": result.facts["treated_share"]}]),
            rules,
            about=of("share", "share"),
            keys=(),
            basis="cases",
            cases=size,
        ),
        effect=publish(
            pd.DataFrame([relative(result.row(units="diluted"))]),
            rules,
            about=of("diluted", "change"),
            keys=(),
            basis="cases",
            cases=size,
        ),
    )


# --- in words ---


def labels(found: Specifications, panel: Panel, language: str) -> dict[str, str]:
    """Return in words what each specification does."""
    return dict(_labels(found, panel, language))


def _labels(found: Specifications, panel: Panel, language: str) -> Iterator[tuple[str, str]]:
    for name, method in found.methods.items():
        kind = DECLARED if name == DECLARED else OTHER
        window = _window(method, found.declared.get(name), panel, language)
        yield name, _with_options(text(f"report.specification.{kind}", language, window=window), method, language)
    for name in found.rows:
        if not fixed_beforehand(name):
            yield name, text(f"report.specification.{name}", language)


def _window(method: Any, result: Estimates | None, panel: Panel, language: str) -> str:
    """Return which periods are compared: as estimated, else as declared, else all."""
    facts = {} if result is None else result.facts
    lengths = [facts.get(side, getattr(method, side, None)) for side in ("before", "after")]
    if any(length is None for length in lengths):
        return text("report.specification.whole", language)
    before, after = (_length(length, panel.study.period, language) for length in lengths)
    return text("report.specification.window", language, before=before, after=after)


def _length(periods: Any, period: str, language: str) -> str:
    """Return a number of periods in words: "24 Monate", "ein Jahr"."""
    single = "_one" if periods == 1 else ""
    return text(f"report.specification.{period}{single}", language, n=periods)


def _with_options(words: str, method: Any, language: str) -> str:
    """Add what else a specification does: another estimator, cases, all areas with the same weight."""
    key = f"report.method.{type(method).__name__}"
    if has_text(key, language):
        words = text("report.specification.method", language, label=words, method=text(key, language))
    if getattr(method, "scale", "ratio") == "levels":
        words = text("report.specification.levels", language, label=words)
    if getattr(getattr(method, "inference", None), "weights", "precision") == "equal":
        words = text("report.specification.equal", language, label=words)
    return words
