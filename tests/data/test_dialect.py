import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.data.dialect import detect, normal
from evaluation.data.files import Source, read_raw

NAMES = ["Ortsteil-Schlüssel", "Ortsteil", "Stadtbezirk", "Polizeirevier"]
# Letters of both encodings, signs that need quotation marks, line breaks inside a cell; no blanks at the ends.
CELL = st.text(st.sampled_from("aäöüßÄ€09 .,;|\t\"'#-\n"), max_size=12).map(str.strip)
ROWS = st.lists(st.lists(CELL, min_size=4, max_size=4).filter(any), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    rows=ROWS,
    separator=st.sampled_from(";\t,|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    before=st.sampled_from(["", "# Stand: 1.1.2024\n"]),
)
def test_every_dialect_comes_back(
    tmp_path: Path, rows: list[list[str]], separator: str, encoding: str, end: str, before: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    writer.writerows([NAMES, *rows])
    path = tmp_path / "a.csv"
    path.write_bytes((before + text.getvalue()).encode(encoding))
    raw = read_raw(Source(table="areas", path=path, file="a.csv"), NAMES)
    assert raw.problems == []
    assert list(raw.headings) == NAMES
    assert raw.frame.to_numpy().tolist() == rows
    last = (before + text.getvalue()).rstrip("\r\n").count("\n") + 1
    assert raw.frame.index[-1] == last - rows[-1][0].count("\n") - sum(cell.count("\n") for cell in rows[-1][1:])


@pytest.mark.parametrize(
    ("content", "encoding", "separator"),
    [
        ("a;b\n1,5;2", "UTF-8", ";"),
        ("a,b\n1.5,2", "UTF-8", ","),
        ("a\tb\n1\t2", "UTF-8", "Tab"),
        ("a|b\n1|2", "UTF-8", "|"),
        ("nur eine Spalte\n1", "UTF-8", ";"),
        ("sep=|\na;b|c\n1|2", "UTF-8", "|"),
    ],
)
def test_what_is_reported(tmp_path: Path, content: str, encoding: str, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    dialect, problems = detect(path, file="a.csv")
    assert problems == []
    assert dialect.facts == {"encoding": encoding, "separator": separator}


def test_known_headings_decide_where_counting_misleads(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Ortsteil-Schlüssel;Ortsteil\n00;Mitte, West, Nord\n01;Mitte, Ost, Süd\n", encoding="utf-8")
    assert detect(path, file="a.csv", headings=NAMES)[0].separator == ";"


def test_remarks_above_the_header_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("# Stand: heute\n# vorläufig\na;b\n1;2\n", encoding="utf-8")
    dialect, _ = detect(path, file="a.csv")
    assert (dialect.skip, dialect.remarks) == (2, ("Stand: heute", "vorläufig"))


def test_declared_values_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Straße,x;y\n1,2;3".encode("cp850"))
    dialect, problems = detect(path, file="a.csv", encoding="cp850", separator=",")
    assert (dialect.encoding, dialect.separator, problems) == ("cp850", ",", [])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Schlüssel", "SCHLUESSEL"), ("Tatzeit von", "tatzeit_von"), ("Straße", "strasse"), ("  Ort-Nr. ", "ortnr")],
)
def test_headings_are_compared_without_what_writers_vary(one: str, other: str) -> None:
    assert normal(one) == normal(other)
