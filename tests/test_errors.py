"""An error says where, what, with which value, and what to do, in both languages, all problems at once."""

import pytest

from evaluation.errors import DataError, EvaluationError, Problem, nearest


def test_place_problem_and_remedy_in_both_languages():
    problem = Problem(
        "core.panel_duplicate", file="a.csv", row=7, column="unit", study="s", unit="00", period="2018", n=2
    )
    assert problem.worded("de") == (
        "Datei a.csv, Zeile 7, Spalte unit: Gebiet 00 kommt in der Periode 2018 mehrfach vor "
        "(2 solche Zeilen im Panel). Abhilfe: Für jedes Gebiet und jede Periode genau eine Zeile liefern."
    )
    assert problem.worded("en") == (
        "File a.csv, row 7, column unit: Area 00 occurs more than once in period 2018 (2 such rows in the panel). "
        "What to do: Deliver exactly one row for every area and period."
    )


def test_an_error_lists_all_problems():
    error = DataError(Problem("core.panel_empty", study="a"), Problem("core.panel_empty", study="b"))
    assert isinstance(error, EvaluationError)
    assert str(error).count("\n") == 1
    assert "“b”" in str(error).splitlines()[1]


@pytest.mark.parametrize(
    ("given", "valid", "expected"),
    [("0", ["00", "01"], "00"), ("bodily_ham", ["bodily_harm", "theft"], "bodily_harm"), ("xyz", ["00"], None)],
)
def test_nearest(given, valid, expected):
    assert nearest(given, valid) == expected
