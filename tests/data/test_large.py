import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from evaluation.data.files import Source
from evaluation.data.large import open_large
from evaluation.data.readers import read_table

TODAY = dt.date(2024, 6, 30)


def parquet(folder: Path, **columns: object) -> Source:
    frame = pd.DataFrame(
        {
            "Tatzeit von": pd.to_datetime(["2022-12-31 22:15", "2023-01-05 00:00", "2023-06-01 12:00"]),
            "Ortsteil-Schlüssel": ["00", "62", "00"],
            "Schlüssel": ["010000", "*50*00", "------"],
            **columns,
        }
    )
    frame.to_parquet(folder / "v.parquet")
    return Source(table="incidents", path=folder / "v.parquet", file="v.parquet")


def test_a_large_file_gives_the_table_that_reading_it_gives(tmp_path: Path, areas: pd.DataFrame) -> None:
    source = parquet(tmp_path)
    large = open_large(source, areas=areas, today=TODAY)
    assert large is not None
    assert large.problems == []
    pd.testing.assert_frame_equal(large.load(None), read_table(source, areas=areas, today=TODAY).table())
    assert len(large.load(2022)) == 1
    assert large.until(2022).columns == [*large.columns, "row"]


def test_its_faults_have_the_same_words(tmp_path: Path, areas: pd.DataFrame) -> None:
    source = parquet(tmp_path, **{"Ortsteil-Schlüssel": ["0", "62", None]})
    large = open_large(source, areas=areas, today=TODAY)
    assert large is not None
    small = read_table(source, areas=areas, today=TODAY)
    assert [problem.worded("de") for problem in large.problems] == [problem.worded("de") for problem in small.problems]
    assert [fact.worded("de") for fact in large.facts] == [
        "Datei v.parquet, Tabelle incidents: Die 3 Zeilen werden in der Datei geprüft und gezählt, ohne sie zu laden."
    ]


def test_an_empty_file_is_a_problem(tmp_path: Path, areas: pd.DataFrame) -> None:
    source = parquet(tmp_path)
    pd.read_parquet(source.path).iloc[:0].to_parquet(source.path)
    large = open_large(source, areas=areas, today=TODAY)
    assert large is not None
    assert [problem.code for problem in large.problems] == ["data.empty_table"]


@pytest.mark.parametrize("column", [{"Tatzeit von": ["31.12.2022"] * 3}, {"Schlüssel": [899000] * 3}])
def test_other_types_are_left_to_the_reader(tmp_path: Path, areas: pd.DataFrame, column: dict[str, object]) -> None:
    assert open_large(parquet(tmp_path, **column), areas=areas, today=TODAY) is None


def test_what_is_no_parquet_is_left_to_the_reader(tmp_path: Path, areas: pd.DataFrame) -> None:
    source = parquet(tmp_path)
    source.path.write_bytes(b"no parquet")
    assert open_large(source, areas=areas, today=TODAY) is None
