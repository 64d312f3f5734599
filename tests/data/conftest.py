"""Files for the tests of the readers, written where a test asks for them."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from evaluation.data.files import Source
from evaluation.data.readers import Delivery, read_table

TODAY = dt.date(2024, 6, 30)
Read = Callable[..., Delivery]


@pytest.fixture(scope="session")
def areas() -> pd.DataFrame:
    names = {
        "00": "Zentrum",
        "01": "Zentrum-Ost",
        "20": "Neustadt-Neuschönefeld",
        "21": "Volkmarsdorf",
        "62": "Grünau-Mitte",
    }
    return pd.DataFrame({"area": list(names), "name": list(names.values())})


@pytest.fixture
def read(tmp_path: Path, areas: pd.DataFrame) -> Read:
    """Write a CSV file, or take a file that is there, and read it as a table."""

    def read_one(table: str, content: str | bytes | None = None, *, name: str = "", **declared: object) -> Delivery:
        name = name or f"{table}.csv"
        if content is not None:
            raw = content if isinstance(content, bytes) else content.encode("utf-8")
            (tmp_path / name).write_bytes(raw)
        extra = declared.pop("extra", ())
        source = Source(table=table, path=tmp_path / name, file=name, **declared)
        return read_table(source, areas=None if table == "areas" else areas, extra=extra, today=TODAY)

    return read_one
