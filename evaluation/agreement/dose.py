"""How much of each measure there was: planned against done, and the dose by area and period for effect studies.

A patrol belongs to the year and month in which it starts, also where it goes past midnight. Hours are durations of
deployments carried out; person-hours multiply them with the staff of both partners. Without a dose no effect is
claimed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from evaluation.agreement.calculations import CALCULATIONS
from evaluation.agreement.register import Agreement, Indicator, Measure, Part
from evaluation.data.periods import FREQUENCIES, Frequency, label, span, start_date
from evaluation.errors import Problem, nearest
from evaluation.texts import text

COLUMNS = ("measure", "part", "indicator", "unit", "planned", "done", "reason", "rows", "missing")
#: Why a number is missing or incomplete; the words are ``agreement.reason.<code>``.
REASONS = (
    "",
    "incomplete",
    "not_delivered",
    "no_rows",
    "not_recorded",
    "not_computed",
    "outcome",
    "part_unknown",
    "no_areas",
    "nothing_carried_out",
)


def dose(
    agreement: Agreement, deployments: pd.DataFrame | None, *, year: int, delivered: Collection[str] = ()
) -> pd.DataFrame:
    """Return planned and done for every indicator of the register.

    Parameters
    ----------
    agreement
        The register.
    deployments
        The table of the project, or None where it was not delivered. It stays as it is.
    year
        Year in which a deployment starts.
    delivered
        Names of the other tables that the project has.

    Returns
    -------
    pandas.DataFrame
        One row for each measure, part and indicator in the order of the register: ``planned`` and ``done`` in ``unit``;
        ``reason``, one of :data:`REASONS`, says why ``done`` is missing or too small; ``rows`` deployments or calendar
        entries were looked at, of which ``missing`` lack a needed value and were left out.

    Examples
    --------
    >>> from evaluation.agreement.register import template_agreement
    >>> table = dose(template_agreement(), None, year=2024)
    >>> table.loc[0, ["measure", "part", "indicator", "reason"]].to_list()
    ['A1', 'meetings', 'held', 'not_delivered']
    """
    prepared = None if deployments is None else prepare(deployments, year=year)
    rows = [
        _row(measure, part, indicator, _done(measure, part, indicator, prepared, delivered), year)
        for measure in agreement.measures.values()
        for part, indicator in measure.indicators
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"planned": float, "done": float})


def _row(
    measure: Measure, part: Part, indicator: Indicator, found: tuple[float, str, int, int], year: int
) -> tuple[object, ...]:
    planned = indicator.planned.get(year, float("nan"))
    return (measure.id, part.id, indicator.id, indicator.unit, planned, *found)


def prepare(deployments: pd.DataFrame, *, year: int | None = None) -> pd.DataFrame:
    """Return a copy of the deployments (of one year) with ``hours``, ``person_hours`` and ``night``."""
    rows = deployments if year is None else deployments[deployments["start"].dt.year == year]
    hours = (rows["end"] - rows["start"]).dt.total_seconds() / 3600
    staff = rows["staff_police"] + rows["staff_city"]
    evening = (rows["start"] - pd.Timedelta(hours=12)).dt.normalize()  # a night runs from noon to noon
    return rows.assign(hours=hours, person_hours=hours * staff, night=evening)


def _missing(reason: str, rows: int = 0, missing: int = 0) -> tuple[float, str, int, int]:
    return float("nan"), reason, rows, missing


def _done(
    measure: Measure, part: Part, indicator: Indicator, prepared: pd.DataFrame | None, delivered: Collection[str]
) -> tuple[float, str, int, int]:
    """Return the done dose, the reason why it is missing, and how many rows were seen and left out."""
    if indicator.table != "deployments" or prepared is None:
        if indicator.table == "deployments" or indicator.table not in delivered:
            return _missing("not_delivered")
        return _missing("outcome" if indicator.role == "outcome" else "not_computed")
    if indicator.calculation is None:
        return _missing("not_computed")
    rows, reason = _rows_of(measure, part, indicator, prepared)
    if reason:
        return _missing(reason, len(rows))
    return _computed(measure, indicator, rows)


def _rows_of(measure: Measure, part: Part, indicator: Indicator, prepared: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    rows = prepared if indicator.scope == "all" else prepared[prepared["measure"].eq(measure.id)]
    if rows.empty:
        return rows, "no_rows"
    if indicator.scope == "part" and len(measure.parts) > 1:
        if "part" not in rows or rows["part"].isna().any():
            return rows, "part_unknown"
        rows = rows[rows["part"].eq(part.id)]
    return rows, ""


def _computed(measure: Measure, indicator: Indicator, rows: pd.DataFrame) -> tuple[float, str, int, int]:
    calculation = CALCULATIONS[str(indicator.calculation)]
    if "in_agreed_area" in calculation.needs:
        if not measure.areas:
            return _missing("no_areas", len(rows))
        rows = rows.assign(in_agreed_area=in_agreed_area(rows, measure.areas))
    chosen = rows[rows["planned" if calculation.calendar else "carried_out"].astype(bool)]
    if not set(calculation.needs) <= set(chosen.columns):
        return _missing("not_recorded", len(chosen), len(chosen))
    known = chosen.dropna(subset=list(calculation.needs))
    missing = len(chosen) - len(known)
    if missing and known.empty:
        return _missing("not_recorded", len(chosen), missing)
    value = calculation.value(known)
    if pd.isna(value):
        return _missing("nothing_carried_out" if known.empty else "not_recorded", len(chosen), missing)
    return value, "incomplete" if missing else "", len(chosen), missing


def in_agreed_area(rows: pd.DataFrame, areas: Mapping[str, str]) -> pd.Series:
    """Tell for every deployment whether it was in an agreed area after its start there; missing without an area."""
    begins = rows["area"].map({area: pd.Timestamp(start_date(start)) for area, start in areas.items()})
    agreed = (rows["start"] >= pd.to_datetime(begins)).astype(object)
    return agreed.where(rows["area"].notna(), None)


def dose_by_area(
    deployments: pd.DataFrame,
    measure: str,
    *,
    period: Frequency = "month",
    areas: Sequence[str] | None = None,
    periods: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the dose of one measure by area and period, zeros filled.

    Parameters
    ----------
    deployments
        The table of the project.
    measure
        Id in the register.
    period
        Length of a period.
    areas, periods
        Which ones to give; where None, all areas that occur, and all periods from the first to the last deployment.

    Returns
    -------
    pandas.DataFrame
        ``area, period, hours, joint_hours, person_hours, deployments``; deployments without an area are not in it.
    """
    if period not in FREQUENCIES:
        raise ValueError(f"period {period!r} is not one of {', '.join(FREQUENCIES)}")
    rows = prepare(deployments[deployments["measure"].eq(measure) & deployments["carried_out"].astype(bool)])
    rows = rows[rows["area"].notna()]
    per_year = {"year": 1, "half_year": 2, "quarter": 4, "month": 12}[period]
    numbers = rows["start"].dt.year * per_year + (rows["start"].dt.month - 1) * per_year // 12
    table = rows.assign(
        period=[label(int(number), period) for number in numbers],
        joint_hours=rows["hours"].where(rows["mode"].eq("joint"), 0.0),
        deployments=1,
    )
    columns = ["hours", "joint_hours", "person_hours", "deployments"]
    sums = table.groupby(["area", "period"])[columns].sum()
    seen = table["period"]
    if periods is None:
        periods = span(seen.min(), seen.max()) if len(seen) else ()
    wanted = sorted(table["area"].unique()) if areas is None else areas
    grid = pd.MultiIndex.from_product([list(wanted), list(periods)], names=["area", "period"])
    filled = sums.reindex(grid, fill_value=0).reset_index()
    return filled.astype({"area": "str", "period": "str", "deployments": int} | dict.fromkeys(columns[:3], float))


def areas_without_dose(deployments: pd.DataFrame | None, measure: str, starts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the treated areas in which nothing of the measure was carried out from their start on.

    Parameters
    ----------
    deployments
        The table of the project, None where it was not delivered: then no area has a dose.
    starts
        Start by area, as in :attr:`evaluation.Study.starts`.
    """
    if deployments is None:
        return tuple(starts)
    rows = prepare(deployments[deployments["measure"].eq(measure) & deployments["carried_out"].astype(bool)])
    agreed = in_agreed_area(rows, starts).eq(True) & rows["hours"].gt(0)
    served = set(rows.loc[agreed, "area"])
    return tuple(area for area in starts if area not in served)


def unknown_deployments(agreement: Agreement, deployments: pd.DataFrame) -> tuple[Problem, ...]:
    """Return a problem for every measure and part in the deployments that the register does not have."""
    problems = []
    for measure, n in deployments["measure"].value_counts(sort=False).items():
        if measure not in agreement.measures:
            likely = nearest(measure, agreement.measures) or next(iter(agreement.measures), "–")
            problems.append(_unknown("measure", measure, n=int(n), nearest=likely))
    if "part" not in deployments:
        return tuple(problems)
    for (measure, part), n in deployments.groupby(["measure", "part"], sort=True).size().items():
        parts = agreement.measures[measure].parts if measure in agreement.measures else {part: None}
        if part not in parts:
            likely = nearest(part, parts) or next(iter(parts), "–")
            problems.append(_unknown("part", part, n=int(n), nearest=likely, measure=measure))
    return tuple(problems)


def _unknown(column: str, value: object, **values: Any) -> Problem:
    return Problem(f"agreement.deployment_unknown_{column}", table="deployments", column=column, value=value, **values)


def reason_in_words(reason: str, language: str, *, rows: int = 0, missing: int = 0) -> str:
    """Return the words of a reason of :func:`dose`; empty where nothing is missing.

    Examples
    --------
    >>> reason_in_words("not_delivered", "de")
    'keine Daten geliefert'
    """
    return text(f"agreement.reason.{reason}", language, rows=rows, missing=missing) if reason else ""
