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
    places = [text.get_position()[0] for text in figure.axes[0].texts if text.get_text() in "ab"]
    assert places == [2020.5, 2023]


def test_a_missing_year_is_a_gap_and_no_zero(published, words):
    rows = [{"outcome": "a", "period": str(2019 + t), "value": v} for t, v in enumerate([5.0, None, 7.0])]
    figure = trends(published(rows, unit="cases_per_1000", keys=("outcome", "period")), titles={}, language="en")
    assert {"5.0", "7.0"} <= set(words(figure))
    assert "0.0" not in [text.get_text() for text in figure.axes[0].texts]
