"""Numbers that the deployments can give, one function each: prepared rows in, one number out.

Every function takes the rows of one indicator in one year, prepared by :mod:`~evaluation.agreement.dose`: the columns
of the contract, and ``hours`` (duration), ``person_hours`` (duration x staff of both partners), ``night`` (date of the
evening) and ``in_agreed_area``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Calculation:
    """How one number comes from deployments.

    Parameters
    ----------
    value
        Rows -> number; missing where it does not exist, such as a share of no hours.
    unit
        Unit of the number.
    needs
        Columns that must be known in a row; rows in which one is missing are left out and counted.
    calendar
        Whether agreed calendar entries are counted, whether carried out or not, instead of deployments carried out.
    """

    value: Callable[[pd.DataFrame], float]
    unit: str
    needs: tuple[str, ...] = ()
    calendar: bool = False


def _joint(rows: pd.DataFrame) -> pd.Series:
    return rows["mode"].eq("joint")


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _hours(rows: pd.DataFrame) -> float:
    return float(rows["hours"].sum())


def _joint_hours(rows: pd.DataFrame) -> float:
    return float(rows.loc[_joint(rows), "hours"].sum())


def _single_hours(rows: pd.DataFrame) -> float:
    return float(rows.loc[~_joint(rows), "hours"].sum())


def _person_hours(rows: pd.DataFrame) -> float:
    return float(rows["person_hours"].sum())


def _joint_share(rows: pd.DataFrame) -> float:
    return _share(_joint_hours(rows), _hours(rows))


def _agreed_share(rows: pd.DataFrame) -> float:
    return _share(rows.loc[rows["in_agreed_area"].eq(True), "hours"].sum(), _hours(rows))


def _nights(rows: pd.DataFrame) -> float:
    return float(rows["night"].nunique())


def _contacts(rows: pd.DataFrame) -> float:
    return float(rows["contacts"].sum())


def _count(rows: pd.DataFrame) -> float:
    return float(len(rows))


def _kept(rows: pd.DataFrame) -> float:
    return float(rows["carried_out"].sum())


def _kept_share(rows: pd.DataFrame) -> float:
    return _share(_kept(rows), len(rows))


def _cancelled(rows: pd.DataFrame) -> float:
    return _count(rows) - _kept(rows)


def _cancelled_with_reason(rows: pd.DataFrame) -> float:
    if "cancelled_reason" not in rows:
        return float("nan") if _cancelled(rows) else 0.0
    return float((~rows["carried_out"].astype(bool) & rows["cancelled_reason"].fillna("").ne("")).sum())


#: Name -> calculation; the names are what a register may give as ``calculation``.
CALCULATIONS: dict[str, Calculation] = {
    "deployments": Calculation(_count, "count"),
    "hours": Calculation(_hours, "hours", ("hours",)),
    "joint_hours": Calculation(_joint_hours, "hours", ("hours", "mode")),
    "single_hours": Calculation(_single_hours, "hours", ("hours", "mode")),
    "person_hours": Calculation(_person_hours, "person_hours", ("person_hours",)),
    "joint_share": Calculation(_joint_share, "share", ("hours", "mode")),
    "agreed_area_share": Calculation(_agreed_share, "share", ("hours", "in_agreed_area")),
    "nights": Calculation(_nights, "nights", ("night",)),
    "contacts": Calculation(_contacts, "count", ("contacts",)),
    "entries": Calculation(_count, "count", calendar=True),
    "entries_carried_out": Calculation(_kept, "count", calendar=True),
    "carried_out_share": Calculation(_kept_share, "share", calendar=True),
    "cancelled": Calculation(_cancelled, "count", calendar=True),
    "cancelled_with_reason": Calculation(_cancelled_with_reason, "count", calendar=True),
}
