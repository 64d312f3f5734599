"""The year of a project: no row after it is seen."""

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from evaluation.data.contracts import Contract


def rows_until(frame: pd.DataFrame, contract: Contract, year: int | None, waves: Mapping[str, dt.date]) -> pd.DataFrame:
    """Return the rows that were there at the end of `year`.

    Parameters
    ----------
    frame
        A table with our names.
    contract
        Says which column dates a row.
    year
        Last year that is seen; None for all.
    waves
        Day of each survey wave; a wave without one has the year that its name begins with.
    """
    if year is None:
        return frame
    if contract.name == "respondents":
        seen = {wave for wave in frame["wave"].unique() if wave_year(wave, waves) <= year}
        return frame[frame["wave"].isin(seen)].reset_index(drop=True)
    if contract.time is None:
        return frame
    kind, time = contract.column(contract.time).kind, frame[contract.time]
    if kind == "int":
        inside = time <= year
    elif kind == "period":
        inside = time.str.slice(0, 4) <= str(year)
    else:
        inside = ~(time >= dt.datetime(year + 1, 1, 1))  # local time, as in the file
    return frame[inside].reset_index(drop=True)


def wave_year(wave: str, waves: Mapping[str, dt.date]) -> int:
    """Return the year of a survey wave; 0 where nothing says it, so that the wave is always seen."""
    if wave in waves:
        return waves[wave].year
    return int(wave[:4]) if wave[:4].isdigit() else 0
