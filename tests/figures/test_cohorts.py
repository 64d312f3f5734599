import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from evaluation.figures.alternative import alternative
from evaluation.figures.cohorts import cohorts_by_period

PERIODS = ("2021", "2022", "2023", "2024")


@pytest.fixture
def cells(published):
    """Two cohorts in four years: fewer and clear, more and not clear, a reference and a gap."""
    values = {
        ("2023", "2021"): (0.05, 0.1),
        ("2023", "2022"): None,
        ("2023", "2023"): (-0.4, 0.1),
        ("2023", "2024"): (-0.3, 0.1),
        ("2024", "2021"): (0.3, 0.1),
        ("2024", "2022"): (0.1, 0.3),
        ("2024", "2023"): None,
        ("2024", "2024"): (0.2, 0.4),
    }

    def make(gap=None, **options):
        rows = []
        for (cohort, period), given in values.items():
            row = {"cohort": cohort, "period": period, "value": 0.0, "note": "core.note.reference_period"}
            if given is not None:
                row |= {
                    "value": given[0],
                    "conf_low": given[0] - given[1],
                    "conf_high": given[0] + given[1],
                    "note": "",
                }
            if (cohort, period) == gap:
                row |= {"value": None, "conf_low": None, "conf_high": None}
            rows.append(row)
        return published(rows, unit=options.get("unit", "change"), keys=("cohort", "period"))

    return make


def fields(figure):
    """The rectangles by their row and column."""
    found = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return {(round(p.get_y() + 0.46), round(p.get_x() + 0.5)): p for p in found}


def test_every_cohort_and_period_has_its_field(cells, words):
    figure = cohorts_by_period(cells(), language="de")
    assert sorted(fields(figure)) == [(row, column) for row in range(2) for column in range(4)]
    assert {"Beginn 2023", "Beginn 2024", "−40", "+30", *PERIODS} <= set(words(figure))
    assert "Linie: Beginn der Maßnahme; links davon vorher, rechts seitdem. Zahlen: Änderung in Prozent." in words(
        figure
    )


def test_fewer_is_blue_more_is_orange_and_what_is_not_clear_is_pale(cells):
    found = {
        place: np.array(to_rgb(field.get_facecolor()))
        for place, field in fields(cohorts_by_period(cells(), language="de")).items()
    }
    fewer, more, unclear = found[0, 2], found[1, 0], found[1, 1]
    assert fewer[2] > fewer[0]
    assert more[0] > more[2]
    assert unclear.min() > 0.85
    assert found[0, 1].tolist() == [1, 1, 1]


def test_a_missing_value_is_hatched_and_not_white(cells):
    gap = fields(cohorts_by_period(cells(gap=("2024", "2024")), language="de"))[1, 3]
    assert gap.get_hatch() == "...."


def test_the_start_is_a_line_in_every_row(cells):
    figure = cohorts_by_period(cells(), language="de")
    lines = [line for line in figure.axes[0].lines if line.get_linewidth() == 2.2]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines] == [(1.5, -0.5), (2.5, 0.5)]


def test_months_have_no_numbers_and_cohorts_say_how_many_areas_they_have(published, words):
    months = [f"{year}-{month:02d}" for year in (2021, 2022, 2023) for month in range(1, 13)]
    rows = [
        {"cohort": "2023-05", "period": period, "value": -0.2, "conf_low": -0.3, "conf_high": -0.1} for period in months
    ]
    plain = published(rows, unit="change", keys=("cohort", "period"))
    said = words(cohorts_by_period(plain, language="de"))
    assert "Beginn Mai 2023" in said
    assert "−20" not in said
    assert "Linie: Beginn der Maßnahme; links davon vorher, rechts seitdem." in said


def test_areas_are_counted_in_words():
    from evaluation import ClusterRobust, GroupTime
    from evaluation.disclosure import About, Rules, publish
    from tests.diagnostics.made import poisson_panel

    panel = poisson_panel(treated_since={"a": "2019", "b": "2019", "c": "2020"}, shape=(20, 12))
    result = GroupTime(aggregation=None, base="universal", inference=ClusterRobust()).estimate(panel)
    about = About(id="g", unit="change", source="Test")
    values = publish(result, Rules(), about=about, keys=("cohort", "period"), labels=("n",), basis="cases", cases=50)
    labels = [label.get_text() for label in cohorts_by_period(values, language="en").axes[0].get_yticklabels()]
    assert labels == ["start 2019\n2 areas", "start 2020\none area"]


def test_numbers_can_be_read_on_their_fields(cells):
    figure = cohorts_by_period(cells(), language="de")
    found = fields(figure)
    for word in (text for text in figure.axes[0].texts if text.get_text()[0] in "+−"):
        x, y = word.get_position()
        ground, ink = luminance(found[round(y), round(x)].get_facecolor()), luminance(to_rgb(word.get_color()))
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 4.5


def luminance(colour):
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_alternative_text_counts_clear_fields(cells):
    assert alternative(cohorts_by_period(cells(), language="de")) == (
        "Feld aus Zeilen und Spalten: je Beginn der Maßnahme eine Zeile (2), je Periode eine Spalte. Seit dem Beginn "
        "sind von 3 Änderungen 2 als weniger Fälle und 0 als mehr Fälle statistisch gesichert, vor dem Beginn 1 von 3 "
        "in einer der Richtungen."
    )
