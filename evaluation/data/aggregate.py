"""Incidents become counts of areas and periods: one expression, on files larger than memory, too.

The expression is written in narwhals and runs on DuckDB for files, or on the engine of the frame that is given.
Nothing is lost in silence: every row is counted, or its reason for being left out is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from evaluation.data.periods import span
from evaluation.errors import DataError, Problem

if TYPE_CHECKING:
    import narwhals as nw

# A period without one incident in the whole city is a delivery that failed, not a quiet time, where the
# usual period has at least this many.
GAP_MINIMUM = 20


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Where the rows went: ``rows`` is the sum of ``counted``, ``other_category`` and the rows left out.

    Parameters
    ----------
    rows
        Incidents in the source.
    counted
        Incidents in the result.
    other_category
        Incidents of categories that were not asked for.
    missing_date, missing_area
        Incidents without a date, or with a date but without an area.
    unmatched_areas
        Incidents by area key that is none of the areas.
    outside
        Incidents before the first or after the last period.
    gaps
        Periods without one incident in the whole city although there are usually many: left out, not zero.
    zeros
        Combinations of area and period that were filled with 0.
    """

    rows: int
    counted: int
    other_category: int = 0
    missing_date: int = 0
    missing_area: int = 0
    unmatched_areas: dict[str, int] = field(default_factory=dict)
    outside: int = 0
    gaps: tuple[str, ...] = ()
    zeros: int = 0

    def notes(self, table: str = "incidents") -> list[Problem]:
        """Return what was left out, worded by the texts of ``delivery``."""
        lost = {"missing_date": self.missing_date, "missing_area": self.missing_area, "outside": self.outside}
        notes = [
            Problem(f"delivery.coverage_{name}", table=table, n=n, share=n / self.rows) for name, n in lost.items() if n
        ]
        for key, n in self.unmatched_areas.items():
            notes.append(Problem("delivery.coverage_unmatched", table=table, value=key, n=n, share=n / self.rows))
        if self.gaps:
            notes.append(Problem("delivery.coverage_gaps", table=table, periods=self.gaps))
        return notes


def incidents_to_counts(
    source: Any,
    *,
    areas: Sequence[str],
    period: Literal["month", "year"] = "month",
    categories: Sequence[str] | None = None,
    first: str | None = None,
    last: str | None = None,
) -> tuple[pd.DataFrame, Coverage]:
    """Count incidents by area and period.

    Parameters
    ----------
    source
        Path of a Parquet file or of a folder with Parquet files, read by DuckDB without loading it; or any frame
        or relation that narwhals knows (pandas, polars, DuckDB, PyArrow). Columns ``area`` (text) and
        ``occurred_from`` (date or local time); ``category`` (text) where categories are chosen.
    areas
        The keys to be counted.
    period
        Length of a period.
    categories
        Offence keys to be counted; all, if None.
    first, last
        First and last period, ``"2018"`` or ``"2018-11"``; those of the data, if None.

    Returns
    -------
    counts : pandas.DataFrame
        Columns ``unit``, ``period`` (text) and ``count`` (whole number), sorted; a combination without an incident
        is 0, except in periods that are a gap, which are not there.
    coverage : Coverage
        What became of every row.

    Raises
    ------
    DataError
        The file is missing, a column is missing or has the wrong type, or no incident has a date.

    Examples
    --------
    >>> incidents = pd.DataFrame({"area": ["00", "00", "63"],
    ...                           "occurred_from": pd.to_datetime(["2018-01-05", "2018-03-01", "2018-02-02"])})
    >>> counts, coverage = incidents_to_counts(incidents, areas=["00", "01"], period="year")
    >>> counts["count"].tolist(), coverage.unmatched_areas
    ([2, 0], {'63': 1})
    """
    grouped = _grouped(source, period, categories)
    dated = grouped.dropna(subset=["period"])
    if dated.empty:
        raise DataError(Problem("delivery.incidents_no_date", table="incidents", column="occurred_from"))
    codes = dated["period"].astype("int64")
    labels = (
        codes.astype(str) if period == "year" else (codes // 100).astype(str) + "-" + (codes % 100).map("{:02d}".format)
    )
    dated = dated.assign(period=labels)
    periods = span(first or dated["period"].min(), last or dated["period"].max())
    inside = dated[dated["period"].isin(periods)]
    matched = inside[inside["area"].isin(areas)]
    unmatched = inside[~inside["area"].isin(areas) & inside["area"].notna()]
    gaps = _gaps(inside, periods)
    grid = pd.MultiIndex.from_product(
        [sorted(areas), [label for label in periods if label not in gaps]], names=["unit", "period"]
    )
    counted = matched.groupby(["area", "period"])["count"].sum()
    counts = counted.rename_axis(["unit", "period"]).reindex(grid, fill_value=0).astype("int64").reset_index()
    missing_area = inside.loc[inside["area"].isna(), "count"].sum()
    by_area = unmatched.groupby("area")["count"].sum()
    coverage = Coverage(
        rows=int(grouped["rows"].sum()),
        counted=int(counts["count"].sum()),
        other_category=int((grouped["rows"] - grouped["count"]).sum()),
        missing_date=int(grouped.loc[grouped["period"].isna(), "count"].sum()),
        missing_area=int(missing_area),
        unmatched_areas={str(key): int(n) for key, n in by_area.items() if n},
        outside=int(dated["count"].sum() - inside["count"].sum()),
        gaps=gaps,
        zeros=int((counts["count"] == 0).sum()),
    )
    return counts, coverage


def counts_expression(
    frame: "nw.LazyFrame[Any]", period: Literal["month", "year"], categories: Sequence[str] | None
) -> "nw.LazyFrame[Any]":
    """Return rows and chosen rows by area and period, as one lazy expression.

    A month is ``year * 100 + month``: truncation of dates differs between engines. Sums are cast, because some
    engines return them as floats. Missing areas and dates form groups of their own.
    """
    import narwhals as nw

    when = nw.col("occurred_from").dt
    code = when.year() if period == "year" else when.year() * 100 + when.month()
    chosen = nw.lit(1) if categories is None else nw.col("category").is_in(list(categories)).cast(nw.Int64)
    return (
        frame.select("area", period=code, chosen=chosen)
        .group_by("area", "period")
        .agg(nw.len().alias("rows"), nw.col("chosen").sum().alias("count"))
        .with_columns(nw.col("rows", "count").cast(nw.Int64))
    )


def _grouped(source: Any, period: Literal["month", "year"], categories: Sequence[str] | None) -> pd.DataFrame:
    import narwhals as nw

    if not isinstance(source, str | Path):
        frame = nw.from_native(source).lazy()
        _check_columns(frame, categories)
        return _collect(counts_expression(frame, period, categories))
    import duckdb

    path = Path(source)
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path] if path.exists() else []
    if not found:
        raise DataError(Problem("delivery.incidents_missing", table="incidents", file=path.name))
    with duckdb.connect() as connection:
        frame = nw.from_native(connection.read_parquet([str(name) for name in found]))
        _check_columns(frame, categories, file=path.name)
        return _collect(counts_expression(frame, period, categories))


def _collect(frame: "nw.LazyFrame[Any]") -> pd.DataFrame:
    collected: pd.DataFrame = frame.collect("pyarrow").to_pandas()
    return collected


def _check_columns(frame: "nw.LazyFrame[Any]", categories: Sequence[str] | None, file: str | None = None) -> None:
    import narwhals as nw

    schema = frame.collect_schema()
    texts = (nw.String, nw.Categorical, nw.Enum)
    wanted: dict[str, tuple[Any, ...]] = {"area": texts, "occurred_from": (nw.Date, nw.Datetime)}
    if categories is not None:
        wanted["category"] = texts
    problems = []
    for name, kinds in wanted.items():
        if name not in schema:
            problems.append(Problem("delivery.incidents_column", table="incidents", file=file, column=name))
        elif not isinstance(schema[name], kinds):
            code = "delivery.incidents_not_text" if kinds is texts else "delivery.incidents_not_date"
            problems.append(Problem(code, table="incidents", file=file, column=name, kind=str(schema[name])))
        elif getattr(schema[name], "time_zone", None):
            problems.append(Problem("delivery.incidents_time_zone", table="incidents", file=file, column=name))
    if problems:
        raise DataError(*problems)


def _gaps(inside: pd.DataFrame, periods: Sequence[str]) -> tuple[str, ...]:
    """Return the periods without one row, where the usual period has many."""
    rows = inside.groupby("period")["rows"].sum().reindex(list(periods), fill_value=0)
    return tuple(rows.index[rows == 0]) if rows.median() >= GAP_MINIMUM else ()
