"""A table that comes in several files, such as one sheet for each offence: the parts become one table.

Each part is read and checked by itself; here is what only shows when they lie side by side.
"""

from collections.abc import Sequence

import pandas as pd

from evaluation.data.contracts import Contract, contract_of
from evaluation.data.convert import typed
from evaluation.data.files import Source
from evaluation.data.periods import frequency_of
from evaluation.data.place import SHOWN
from evaluation.data.readers import Delivery
from evaluation.errors import Problem

FILE = "file of the part"


def joined(sources: Sequence[Source], deliveries: Sequence[Delivery]) -> Delivery:
    """Return the deliveries of the parts of one table as one.

    Parameters
    ----------
    sources
        The files of one table.
    deliveries
        What they delivered, in the same order; a single one stays as it is.

    Returns
    -------
    Delivery
        Rows of all parts, numbered from 0; a row that two parts hold is a problem, never counted twice.
    """
    if len(deliveries) == 1:
        return deliveries[0]
    contract = contract_of(sources[0].table)
    problems = [problem for delivery in deliveries for problem in delivery.problems]
    frame = pd.DataFrame()
    if not problems:
        named = zip(sources, deliveries, strict=True)
        placed = pd.concat([made.frame.assign(**{FILE: source.file}) for source, made in named], ignore_index=True)
        problems = [*_twice(placed, contract), *_mixed(placed, contract)]
        frame = _as_contract(placed.drop(columns=FILE), contract)
    return Delivery(
        frame=frame,
        detected=tuple(fact for delivery in deliveries for fact in delivery.detected),
        problems=tuple(problems),
        notes=tuple(note for delivery in deliveries for note in delivery.notes),
    )


def _as_contract(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Order and type the columns anew: a part may lack one that another has."""
    known = [column for column in contract.columns if column.name in frame]
    others = [name for name in frame.columns if name not in contract.names]
    return frame.assign(**{column.name: typed(frame[column.name], column) for column in known})[
        [*(column.name for column in known), *others]
    ]


def _twice(placed: pd.DataFrame, contract: Contract) -> list[Problem]:
    """Return a problem for each of the first rows that stand in two parts, and one that counts the others."""
    key = list(contract.key)
    if not set(key) <= set(placed):
        return []
    given = placed.dropna(subset=key)
    again = given[given.duplicated(key)]
    pairs = again.head(SHOWN).merge(given.drop_duplicates(key)[[*key, FILE]], on=key, suffixes=("", " first"))
    problems = [
        Problem(
            "data.duplicate_parts",
            table=contract.name,
            file=row[FILE],
            key=", ".join(f"{name} = {row[name]}" for name in key),
            first_file=row[f"{FILE} first"],
        )
        for row in pairs.to_dict("records")
    ]
    if len(again) > SHOWN:
        problems.append(Problem("data.more_duplicates", table=contract.name, n=len(again) - SHOWN, total=len(again)))
    return problems


def _mixed(placed: pd.DataFrame, contract: Contract) -> list[Problem]:
    """Return a problem for each category that has years in one part and months in another."""
    if contract.name != "counts":
        return []
    problems = []
    lengths = placed.assign(length=placed["period"].map(lambda period: frequency_of(period) or ""))
    for category, group in lengths.groupby("category", sort=False):
        found = group.drop_duplicates("length").to_dict("records")
        if len(found) > 1:
            problems.append(
                Problem(
                    "data.mixed_parts",
                    table=contract.name,
                    file=found[1][FILE],
                    value=found[1]["period"],
                    category=category,
                    first=found[0]["period"],
                    first_file=found[0][FILE],
                )
            )
    return problems
