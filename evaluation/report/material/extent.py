"""How much of every measure was planned and done, year by year, for every indicator of the register."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.agreement.dose import dose, reason_in_words
from evaluation.agreement.register import Indicator, Measure, Part
from evaluation.agreement.vocabulary import TABLES, table_label, unit_label
from evaluation.disclosure import About, Basis, Published, publish
from evaluation.report.material.sources import source_of

if TYPE_CHECKING:
    from evaluation.report.context import Context

_UNITS = {
    "euro": "euro",
    "hours": "hours",
    "minutes": "minutes",
    "nights": "nights",
    "share": "share",
    "points": "points",
}


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Planned and done for one indicator.

    Parameters
    ----------
    measure, part, indicator
        From the register.
    unit
        Unit in words; empty for plain counts.
    values
        Keys ``state`` (``planned``, ``done``) and ``period`` (years since the agreement).
    achieved
        Key ``period``: done as a share of planned; missing where either is.
    reason
        Why the number of this year is missing or incomplete, in words; empty if it is not.
    code
        The same as a code of :data:`evaluation.agreement.dose.REASONS`.
    """

    measure: Measure
    part: Part
    indicator: Indicator
    unit: str
    values: Published
    achieved: Published
    reason: str
    code: str

    @property
    def id(self) -> str:
        """Id of the values."""
        return self.values.id


@dataclass(frozen=True, eq=False, kw_only=True)
class Extents:
    """All extents.

    Parameters
    ----------
    by_measure
        In the order of the register; a measure without indicators has none.
    now
        The table of :func:`evaluation.agreement.dose.dose` for the year of the report.
    """

    by_measure: Mapping[str, tuple[Extent, ...]]
    now: pd.DataFrame

    def of_measure(self, measure: str) -> pd.DataFrame:
        """Return the rows of one measure."""
        return self.now[self.now["measure"] == measure]


def extents(context: "Context") -> Extents:
    """Return what was planned and done of every measure of the register."""
    project = context.project
    deployments = project.table("deployments") if project.has("deployments") else None
    delivered = [table for table in TABLES if project.has(table)]
    years = range(_first_year(context), context.year + 1)
    tables = {year: dose(project.agreement, deployments, year=year, delivered=delivered) for year in years}
    by_year = {year: table.set_index(["measure", "part", "indicator"]) for year, table in tables.items()}
    by_measure = {
        measure.id: tuple(_extent(context, measure, part, indicator, by_year) for part, indicator in measure.indicators)
        for measure in project.agreement.measures.values()
    }
    return Extents(by_measure=by_measure, now=tables[context.year])


def _first_year(context: "Context") -> int:
    """Return the first year of the agreement, but no more than ten years are shown."""
    since = context.project.agreement.since
    first = int(str(since)[:4]) if since else context.year
    return max(min(first, context.year), context.year - 9)


def _extent(
    context: "Context", measure: Measure, part: Part, indicator: Indicator, by_year: Mapping[int, pd.DataFrame]
) -> Extent:
    key = (measure.id, part.id, indicator.id)
    rows = {year: frame.loc[key] for year, frame in by_year.items()}
    now, unit = rows[context.year], _UNITS.get(indicator.unit, "number")
    name = ".".join(["measure", measure.id, part.id, indicator.id])
    source = source_of(context, indicator.table)
    values = pd.DataFrame(
        [
            {"state": state, "period": str(year), "value": row[state]}
            for state in ("planned", "done")
            for year, row in rows.items()
        ]
    )
    basis: Basis = "cases" if indicator.role == "outcome" and unit == "number" else "services"
    about = About(id=name, unit=unit, source=source, measure=measure.id)
    of_planned = About(id=f"{name}.achieved", unit="share", source=source, measure=measure.id)
    shown = publish(values, context.rules, about=about, keys=("state", "period"), basis=basis, cases=_cases(basis))
    small = set(shown.frame.loc[shown.frame["suppressed"], "period"])  # a share of the plan would give it away
    shares = [{"period": str(year), "value": _share(row), "hidden": str(year) in small} for year, row in rows.items()]
    return Extent(
        measure=measure,
        part=part,
        indicator=indicator,
        unit="" if indicator.unit == "count" else unit_label(indicator.unit, context.language),
        values=shown,
        achieved=publish(
            pd.DataFrame(shares),
            context.rules,
            about=of_planned,
            keys=("period",),
            basis="services",
            protected="hidden",
        ),
        reason=_reason(context, indicator, now),
        code=str(now["reason"]),
    )


def _cases(basis: str) -> str | None:
    return "value" if basis == "cases" else None


def _share(row: pd.Series) -> float:
    if pd.isna(row["planned"]) or pd.isna(row["done"]) or not row["planned"] > 0:
        return float("nan")
    return float(row["done"] / row["planned"])


def _reason(context: "Context", indicator: Indicator, row: pd.Series) -> str:
    words = reason_in_words(str(row["reason"]), context.language, rows=int(row["rows"]), missing=int(row["missing"]))
    if row["reason"] != "not_delivered":
        return words
    return context.text("report.extent.not_delivered", table=table_label(indicator.table, context.language))
