from datetime import date
from itertools import pairwise

import pytest

from evaluation.figures.trends import Mark, lettered, trends


@pytest.fixture
def series(published):
    rows = [
        {"outcome": name, "period": str(year), "value": base + year - 2019, "conf_low": base - 1, "conf_high": base + 9}
        for name, base in (("theft", 20.0), ("robbery", 2.0))
        for year in range(2019, 2025)
    ]
    return published(rows, unit="cases_per_1000", keys=("outcome", "period"))


TITLES = {"theft": "Diebstahl", "robbery": "Raub"}


def test_first_and_last_value_are_written_at_the_line(series, words):
    said = words(trends(series, titles=TITLES, language="de"))
    assert {"Diebstahl", "20,0", "25,0", "Raub", "2,0", "7,0"} <= set(said)


def test_every_axis_starts_at_zero(series):
    figure = trends(series, titles=TITLES, language="de")
    assert [axes.get_ylim()[0] for axes in figure.axes] == [0, 0]


def test_a_mark_stands_only_on_the_series_that_it_concerns(series, words):
    marks = [Mark(year=2021, label="Umstellung", series=("theft",)), Mark(year=2022, label="Gesetz")]
    figure = trends(series, titles=TITLES, language="de", marks=marks)
    letters = [[text.get_text() for text in axes.texts if text.get_text() in "ab"] for axes in figure.axes]
    assert letters == [["a", "b"], ["b"]]
    assert [letter for letter, _ in lettered(marks)] == ["a", "b"]


def test_a_step_stands_between_two_years_and_an_outlier_on_its_year(series):
    marks = [Mark(year=2021, label="x"), Mark(year=2023, label="y", outlier=True)]
    figure = trends(series, titles=TITLES, language="de", marks=marks)
    assert _dashed(figure.axes[0]) == [2020.5, 2023]


def _dashed(axes):
    return [line.get_xdata()[0] for line in axes.lines if line.is_dashed()]


def test_letters_follow_the_dates_whatever_the_order_of_the_marks(series):
    marks = [
        Mark(year=2020, label="Pandemie", outlier=True, start=date(2020, 3, 1)),
        Mark(year=2022, label="Erfassung", start=date(2022, 7, 2)),
        Mark(year=2020, label="Gesetz", start=date(2020, 1, 1)),
    ]
    assert [(letter, mark.label) for letter, mark in lettered(marks)] == [
        ("a", "Gesetz"),
        ("b", "Pandemie"),
        ("c", "Erfassung"),
    ]
    places = _dashed(trends(series, titles=TITLES, language="de", marks=marks).axes[0])
    assert places == pytest.approx([2019.5, 2019.66, 2022.0], abs=0.01)


def test_letters_of_near_dates_stand_apart_and_above_the_values(series):
    marks = [Mark(year=2020, label=str(month), start=date(2020, month, 1)) for month in (1, 2, 3, 4)]
    axes = trends(series, titles=TITLES, language="de", marks=marks).axes[0]
    letters = [text for text in axes.texts if text.get_text() in "abcd"]
    values = [text for text in axes.texts if text not in letters]
    axes.figure.draw_without_rendering()
    boxes = [letter.get_window_extent() for letter in letters]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert min(box.y0 for box in boxes) > max(value.get_window_extent().y1 for value in values)


def test_the_shade_of_the_agreement_is_explained_once_for_all_panels(series, words):
    said = words(trends(series, titles=TITLES, language="de", since=2022))
    assert said.count("grau hinterlegt: seit der Vereinbarung (2022)") == 1
    assert not any("Vereinbarung" in word for word in words(trends(series, titles=TITLES, language="de", since=2019)))


def test_a_missing_year_is_a_gap_and_no_zero(published, words):
    rows = [{"outcome": "a", "period": str(2019 + t), "value": v} for t, v in enumerate([5.0, None, 7.0])]
    figure = trends(published(rows, unit="cases_per_1000", keys=("outcome", "period")), titles={}, language="en")
    assert {"5.0", "7.0"} <= set(words(figure))
    assert "0.0" not in [text.get_text() for text in figure.axes[0].texts]
