import pandas as pd
import pytest

from evaluation.data.headings import is_wide, period_of


@pytest.mark.parametrize(
    ("heading", "period"),
    [
        ("2018", "2018"),
        ("2018.0", "2018"),
        (2018, "2018"),
        (2018.0, "2018"),
        ("2018*", "2018"),
        ("2018 1)", "2018"),
        ("2018²", "2018"),
        ("Jahr 2018", "2018"),
        ("31.12.2018", "2018"),
        ("2018-11", "2018-11"),
        ("2018-11-01 00:00:00", "2018-11"),
        ("11/2018", "2018-11"),
        ("1.2018", "2018-01"),
        ("Nov. 2018", "2018-11"),
        ("Mrz 2018", "2018-03"),
        ("März 2018", "2018-03"),
        ("Juni 2018", "2018-06"),
    ],
)
def test_headings_of_periods(heading, period):
    assert period_of(heading) == period


@pytest.mark.parametrize(
    "heading", ["1234", "20180", "Ju 2018", "Anzahl", "", None, "13/2018", "2018/19", "Veränderung 2018"]
)
def test_other_headings(heading):
    assert period_of(heading) is None


def test_a_sheet_is_wide_with_two_periods_in_a_row():
    assert is_wide(pd.DataFrame([["Straftaten", None, None], ["Ortsteil", "2018", "2019"]]))
    assert not is_wide(pd.DataFrame([["Ortsteil", "Jahr", "Anzahl"], ["00", "2018", "2019x"], ["01", "2018", "5"]]))
