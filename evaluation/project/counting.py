"""Cases by unit and period: summed, filled with zeros where incidents say so, and missing where they are not known."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pandas as pd

from evaluation.data.aggregate import incidents_to_counts
from evaluation.data.periods import PER_YEAR, Frequency, convert, frequency_of
from evaluation.errors import DataError, DesignError, Problem, nearest
from evaluation.project.columns import with_columns
from evaluation.project.schema import Outcome
from evaluation.study import Study

if TYPE_CHECKING:
    from evaluation.panel import Panel
    from evaluation.project.folder import Project

EXAMPLES = 4
COLUMNS = ["unit", "period", "count", "reason", "lower", "upper"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Counted:
    """Cases by unit and period, and what should be known about them."""

    frame: pd.DataFrame
    notes: list[Problem] = field(default_factory=list)


def counts(project: "Project", outcome: str, *, period: str = "year", unit: str = "area") -> Counted:
    """Return the cases of an outcome; see :meth:`evaluation.Project.counts`."""
    key = f"counts {outcome} {period} {unit}"
    if key not in project._kept:
        project._kept[key] = _counts(project, outcome, period, unit)
    found: Counted = project._kept[key]
    return Counted(frame=found.frame.copy(deep=False), notes=found.notes)


def _counts(project: "Project", outcome: str, period: str, unit: str) -> Counted:
    if outcome not in project.outcomes:
        guess = nearest(outcome, project.outcomes) or "–"
        raise DataError(Problem("data.unknown_outcome", value=outcome, nearest=guess, valid=tuple(project.outcomes)))
    if period not in PER_YEAR:
        raise DataError(Problem("data.unknown_frequency", value=period, valid=tuple(PER_YEAR)))
    declared, wanted = project.outcomes[outcome], period
    if not project.has(declared.table):
        raise DataError(Problem("data.outcome_no_table", table=declared.table, outcome=outcome))
    made = _from_incidents if declared.table == "incidents" else _from_counts
    found = made(project, declared, wanted)
    frame = found.frame if unit == "area" else _by_unit(project, found.frame, unit)
    return Counted(frame=frame.sort_values(["unit", "period"], ignore_index=True), notes=found.notes)


def _from_incidents(project: "Project", outcome: Outcome, wanted: Frequency) -> Counted:
    entry = project.file.tables["incidents"]
    base: Frequency = "year" if wanted == "year" else "month"
    incidents = project.incidents()
    notes = _key_notes(outcome, incident_keys(project)) if outcome.categories else []
    counted, coverage = incidents_to_counts(
        incidents,
        areas=project.table("areas")["area"].tolist(),
        period="year" if base == "year" else "month",
        categories=list(outcome.categories) or None,
        first=None if entry.first is None else convert(entry.first, base)[0],
        last=None if entry.last is None else _last(entry.last, base, project.year),
    )
    frame = counted.assign(count=counted["count"].astype("Int64"), reason=None, lower=pd.NA, upper=pd.NA)
    return Counted(frame=_coarser(_typed(frame), base, wanted), notes=[*notes, *coverage.notes()])


def _last(declared: str, base: Frequency, year: int | None) -> str:
    """Return the last period that a table covers, not after the year of the project."""
    last = convert(declared, base)[0]
    if base == "month" and frequency_of(declared) == "year":
        last = f"{declared}-12"
    end = last if year is None else f"{year}" if base == "year" else f"{year}-12"
    return min(last, end)


def _from_counts(project: "Project", outcome: Outcome, wanted: Frequency) -> Counted:
    table = project.table("counts")
    chosen = table[table["category"].isin(outcome.categories)] if outcome.categories else table
    notes = _key_notes(outcome, tuple(table["category"].value_counts().index))
    lengths = {frequency_of(period) for period in chosen["period"].unique()}
    base = cast("Frequency", max(lengths, key=lambda length: -PER_YEAR[length or "year"]))
    if len(lengths) > 1:
        chosen = pd.concat([_category_coarser(group, base) for _, group in chosen.groupby("category")])
    if PER_YEAR[base] < PER_YEAR[wanted]:
        code = f"data.counts_too_coarse_{base}"
        raise DataError(Problem(code, table="counts", outcome=outcome.id))
    named = chosen.rename(columns={"area": "unit"})
    n = outcome.categories or tuple(named["category"].unique())
    summed = _summed(named, ["unit", "period"], parts=len(n))
    return Counted(frame=_coarser(summed, base, wanted), notes=notes)


def _key_notes(outcome: Outcome, keys: Sequence[str]) -> list[Problem]:
    """Return a remark on keys of an outcome that are not among those of its table, the most frequent ones first.

    Raises
    ------
    DataError
        None of them is there: a sum of nothing would look like no cases at all.
    """
    absent = [key for key in outcome.categories if key not in keys]
    if not absent and keys:
        return []
    likely = [guess for guess in (nearest(key, keys) for key in absent) if guess]
    shown = list(dict.fromkeys([*likely, *keys]))[:EXAMPLES] or ["–"]
    values = {"outcome": outcome.id, "keys": absent or ["–"], "shown": shown}
    if len(absent) == len(outcome.categories):
        raise DataError(Problem("data.outcome_no_rows", table=outcome.table, **values))  # type: ignore[arg-type]
    return [Problem("data.note_outcome_keys", table=outcome.table, **values)]  # type: ignore[arg-type]


def _category_coarser(group: pd.DataFrame, wanted: Frequency) -> pd.DataFrame:
    base = cast("Frequency", frequency_of(group["period"].iloc[0]))
    longer = _coarser(_typed(group.rename(columns={"area": "unit"})), base, wanted)
    return longer.rename(columns={"unit": "area"}).assign(category=group["category"].iloc[0])


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    whole = frame.reindex(columns=COLUMNS)
    kinds = {"count": "Int64", "lower": "Int64", "upper": "Int64", "reason": "str"}
    return whole.astype({name: kind for name, kind in kinds.items() if name in whole})


def _summed(frame: pd.DataFrame, by: list[str], *, parts: int | pd.Series) -> pd.DataFrame:
    """Sum counts and bounds; a sum of which a part is unknown or not there is missing, never too small.

    Parameters
    ----------
    frame
        Columns of `by`, ``count`` and, where there are any, ``reason``, ``lower`` and ``upper``.
    by
        Keys of the sums.
    parts
        Number of rows that a complete sum has; one for all, or by the keys.
    """
    rows = _typed(frame)
    missing = rows["count"].isna()
    bounds = {"lower": rows["count"].fillna(rows["lower"]).fillna(0), "upper": rows["count"].fillna(rows["upper"])}
    groups = rows.assign(missing=missing, open=bounds["upper"].isna(), **bounds).groupby(by, sort=True)
    sums = groups.agg(
        count=("count", "sum"),
        reason=("reason", "first"),
        lower=("lower", "sum"),
        upper=("upper", "sum"),
        missing=("missing", "sum"),
        open=("open", "sum"),
        n=("missing", "size"),
    )
    absent = sums["n"] < (parts if isinstance(parts, int) else parts.reindex(sums.index))
    unknown = (sums["missing"] > 0) | absent
    sums["reason"] = sums["reason"].where(~(absent & sums["reason"].isna()), "not_delivered").where(unknown)
    sums["upper"] = sums["upper"].mask((sums["open"] > 0) | absent | ~unknown)
    sums["lower"] = sums["lower"].mask(~unknown)
    sums["count"] = sums["count"].mask(unknown)
    return _typed(sums.reset_index())


def _coarser(frame: pd.DataFrame, base: Frequency, wanted: Frequency) -> pd.DataFrame:
    """Sum periods to longer ones; one of which a part was not delivered is missing."""
    if base == wanted:
        return _typed(frame)
    labels = {period: convert(period, wanted)[0] for period in frame["period"].unique()}
    longer = frame.assign(period=frame["period"].map(labels))
    return _summed(longer, ["unit", "period"], parts=PER_YEAR[base] // PER_YEAR[wanted])


def _by_unit(project: "Project", frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Sum areas to districts or precincts; a sum of which an area was not delivered is missing."""
    belongs = units_of(project, unit)
    summed = frame.assign(unit=frame["unit"].map(belongs)).dropna(subset=["unit"])
    sizes = belongs.value_counts()
    keys = summed.drop_duplicates(["unit", "period"]).set_index(["unit", "period"]).index
    parts = pd.Series(keys.get_level_values("unit").map(sizes), index=keys)
    return _summed(summed, ["unit", "period"], parts=parts)


def units_of(project: "Project", unit: str) -> pd.Series:
    """Return the unit of every area, by area.

    Raises
    ------
    DataError
        The table of areas does not have the units, or not for every area.
    """
    areas = project.table("areas")
    if unit not in ("area", "district", "precinct"):
        raise DataError(Problem("data.unknown_unit", value=unit))
    if unit not in areas:
        raise DataError(Problem("data.no_units", table="areas", unit=unit))
    without = areas.loc[areas[unit].isna(), "area"].tolist()
    if without:
        raise DataError(Problem("data.areas_without_unit", table="areas", unit=unit, areas=without, n=len(without)))
    named: pd.Series = areas.set_index("area", drop=False)[unit]
    return named


def incident_years(project: "Project") -> set[int]:
    """Return the years in which there are incidents, up to the year of the project."""
    import narwhals as nw

    frame = nw.from_native(project.incidents()).lazy()
    years = frame.select(year=nw.col("occurred_from").dt.year()).unique().drop_nulls().collect("pyarrow")
    return {int(year) for year in years["year"].to_list()}


def incident_keys(project: "Project") -> tuple[str, ...]:
    """Return the keys of the incidents of all years, the most frequent ones first.

    A key that occurs only after the year of the project is no wrong key: until then there are no such cases.
    """
    import narwhals as nw

    if "incident keys" not in project._kept:
        large = project._large
        frame = nw.from_native(project.delivery("incidents").table() if large is None else large.relation).lazy()
        grouped = frame.group_by("category").agg(nw.len().alias("n")).drop_nulls().collect("pyarrow").to_pandas()
        ordered = grouped.sort_values(["n", "category"], ascending=[False, True])
        project._kept["incident keys"] = tuple(str(key) for key in ordered["category"])
    found: tuple[str, ...] = project._kept["incident keys"]
    return found


# --- panels ---


def panel(project: "Project", study: Study) -> "Panel":
    """Return the panel of a study; see :meth:`evaluation.Project.panel`."""
    import evaluation  # the layer above, loaded by its public name

    try:
        found = counts(project, study.outcome, period=study.period, unit=study.unit).frame
    except DataError as error:
        raise DesignError(*error.problems) from error
    frame = found.rename(columns={"count": "outcome"})[["unit", "period", "outcome"]]
    frame = frame.assign(outcome=frame["outcome"].astype("Float64").astype("float64"))
    if study.exposure:
        people, _ = exposure(project, study.unit, frame["period"].unique().tolist())
        frame = frame.merge(people, on=["unit", "period"], how="left", validate="many_to_one")
    if study.id in project.study_files:
        frame = with_columns(project, study, project.study_files[study.id], frame)
    try:
        return evaluation.Panel(
            frame,
            study,
            neighbours=neighbours(project, study.unit),
            positions=positions(project, study.unit),
        )
    except DesignError as error:
        raise DesignError(*_once(error.problems, study)) from error


def _once(problems: Sequence[Problem], study: Study) -> Sequence[Problem]:
    """Return the area that starts first for all, where the measure has begun in none of them yet."""
    waiting = [problem for problem in problems if problem.code == "core.panel_no_after"]
    if len(waiting) < len(problems) or len(waiting) < len(study.starts):
        return problems
    return [min(waiting, key=lambda problem: str(problem.values["since"]))]


def exposure(project: "Project", unit: str, periods: list[str]) -> tuple[pd.DataFrame, list[Problem]]:
    """Return inhabitants by unit and period: those of the year, or of the last year before that has some.

    Returns
    -------
    frame
        Columns ``unit``, ``period`` and ``exposure`` (people).
    notes
        Years whose inhabitants are those of an earlier year.
    """
    people = project.inhabitants()
    years = sorted({int(period[:4]) for period in periods})
    known = people.astype({"inhabitants": "Float64"}).astype({"inhabitants": "float64"})
    wide = known.pivot_table("inhabitants", "area", "year", aggfunc="sum", sort=True, dropna=False)
    every = wide.reindex(columns=sorted({*wide.columns, *years})).ffill(axis=1)
    belongs = units_of(project, unit).reindex(every.index).to_numpy()
    summed = every.groupby(belongs).sum(min_count=1).where(every.notna().groupby(belongs).all())
    by_year = summed[years].rename_axis(index="unit").reset_index().melt("unit", var_name="year", value_name="exposure")
    labels = pd.DataFrame({"period": periods, "year": [int(period[:4]) for period in periods]})
    frame = labels.merge(by_year.astype({"year": "int64"}), on="year")[["unit", "period", "exposure"]]
    lacking = [str(year) for year in years if year not in wide.columns]
    notes = [Problem("data.note_carried", table="inhabitants", years=lacking)] if lacking else []
    return frame, notes


def neighbours(project: "Project", unit: str) -> dict[str, frozenset[str]] | None:
    """Return for every unit those that touch it; None without polygons."""
    touching = project.neighbours()
    if touching is None or unit == "area":
        return touching
    belongs = units_of(project, unit)
    found: dict[str, set[str]] = {name: set() for name in belongs.unique()}
    for area, others in touching.items():
        found[belongs[area]] |= {belongs[other] for other in others}
    return {name: frozenset(others - {name}) for name, others in found.items()}


def positions(project: "Project", unit: str) -> dict[str, tuple[float, float]] | None:
    """Return the centroid of every unit in metres (EPSG:25833); None without polygons."""
    if project._polygons is None:
        return None
    table = pd.DataFrame.from_dict(project._polygons.centres, orient="index", columns=["east", "north", "size"])
    belongs = units_of(project, unit).reindex(table.index).to_numpy()
    weighted = table[["east", "north"]].mul(table["size"], axis=0).groupby(belongs).sum()
    middle = weighted.div(table["size"].groupby(belongs).sum(), axis=0)
    return {str(name): (float(east), float(north)) for name, east, north in middle.itertuples()}
