import csv
from io import StringIO

import pytest

from evaluation.errors import ReportError
from evaluation.report import results


def row(**changes):
    return {**dict.fromkeys(results.COLUMNS, ""), "id": "registered.theft", "period": "2024", "value": 1.0, **changes}


def test_a_number_shown_twice_is_written_once():
    rows = [row(), row(period="2023"), row()]
    assert results.merged(rows) == rows[:2]


def test_one_id_with_two_values_is_refused():
    with pytest.raises(ReportError) as error:
        results.merged([row(), row(value=2.0), row(period="2023"), row(period="2023", n=3)])
    assert error.value.worded("de").splitlines() == [
        "Der Bericht zeigt für registered.theft (Zeitraum 2024) verschiedene Angaben; sie unterscheiden sich in value. "
        "Abhilfe: Eigene Kennungen vergeben oder den Wert nur einmal berechnen.",
        "Der Bericht zeigt für registered.theft (Zeitraum 2023) verschiedene Angaben; sie unterscheiden sich in n. "
        "Abhilfe: Eigene Kennungen vergeben oder den Wert nur einmal berechnen.",
    ]


def test_ten_significant_digits_and_line_feeds():
    rows = [row(value=-0.12345678912345, conf_low=123456789.123456, conf_high=None, n=1200, note="ß, x")]
    assert results.to_csv(rows).decode("utf-8") == (
        "id,measure,outcome,unit,period,value,conf_low,conf_high,p_value,n,note\n"
        'registered.theft,,,,2024,-0.1234567891,123456789.1,,,1200,"ß, x"\n'
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t@", "\r-"])
def test_text_is_never_a_formula_and_negative_numbers_stay_numbers(start):
    written = results.to_csv([row(note=f"{start}1+1", value=-2.5)]).decode("utf-8")
    cells = next(csv.DictReader(StringIO(written, newline="")))
    assert cells["note"] == f"'{start.strip()}1+1"
    assert float(cells["value"]) == -2.5
