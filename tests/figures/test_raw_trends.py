from itertools import pairwise

import numpy as np
import pytest

from evaluation.diagnostics import raw_trends as numbers
from evaluation.disclosure import About, Rules, publish
from evaluation.figures.alternative import alternative
from evaluation.figures.raw_trends import raw_trends
from evaluation.simulate import example_panel, simulate_panel
from tests.diagnostics.made import panel_of


def shown(panel, rules=None, **options):
    about = About(id="trends", unit="cases", source="Test")
    values = numbers(panel, **options)
    return publish(values, rules or Rules(), about=about, keys=("series", "period"), basis="cases", cases="n")


@pytest.fixture
def yearly():
    return shown(example_panel(), before=3)


def lines(figure):
    """Drawn lines by name: comparison, expected, treated."""
    drawn = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
    return dict(zip(("comparison", "expected", "treated"), drawn, strict=True))


def test_each_line_is_named_at_its_end_and_names_do_not_touch(yearly, words):
    figure = raw_trends(yearly, language="de")
    said = words(figure)
    assert {"Gebiete mit Maßnahme", "Vergleichsgebiete", "ohne Maßnahme zu erwarten"} <= set(said)
    names = [t for t in figure.axes[0].texts if "Beginn" not in t.get_text()]
    boxes = sorted((name.get_window_extent() for name in names), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))
    assert max(box.x1 for box in boxes) <= figure.bbox.x1


def test_the_expected_line_leaves_the_other_one_in_the_period_before_the_start(yearly):
    drawn = lines(raw_trends(yearly, language="de"))
    expected, treated = drawn["expected"].get_ydata(), drawn["treated"].get_ydata()
    known = np.flatnonzero(np.isfinite(expected))
    assert known.tolist() == [8, 9, 10, 11, 12, 13]
    assert expected[8] == treated[8]
    assert expected[9:] == pytest.approx(yearly.where(series="expected").frame["value"])


def test_the_axis_begins_at_zero_and_ticks_are_what_they_say():
    panel = simulate_panel(3, shape=(20, 36), treated=2)
    axes = raw_trends(shown(panel, before=12), language="en").axes[0]
    axes.figure.draw_without_rendering()
    assert axes.get_ylim()[0] == 0
    written = [float(label.get_text().replace(",", "")) for label in axes.get_yticklabels()]
    assert written == pytest.approx(axes.get_yticks().tolist())


def test_one_start_and_several_starts_are_said(words):
    counts = np.full((6, 8), 30.0)
    one = raw_trends(shown(panel_of(counts, {"a": "2015", "b": "2015"}), before=3), language="de")
    several = raw_trends(shown(panel_of(counts, {"a": "2015", "b": "2016"}), before=3), language="de")
    assert "Beginn der Maßnahme (Gebiete: 2)" in words(one)
    assert "Beginn der Maßnahme in 2 Schritten (Gebiete: 2)" in words(several)
    dotted = [line.get_xdata()[0] for line in several.axes[0].lines if len(line.get_xdata()) == 2]
    assert dotted == [4.5, 5.5]


def test_hidden_counts_are_gaps():
    counts = np.full((6, 8), 30.0)
    counts[0, 3] = 2
    hidden = raw_trends(shown(panel_of(counts, {"a": "2015"}), before=3), language="de")
    treated = lines(hidden)["treated"].get_ydata()
    assert np.flatnonzero(np.isnan(treated)).tolist() == [3]


def test_months_and_quarters_are_labelled_by_year(words):
    panel = simulate_panel(3, shape=(20, 36), treated=2)
    figure = raw_trends(shown(panel, before=12), language="de")
    assert {"2019", "2020", "2021", "Fälle je Gebiet und Monat"} <= set(words(figure))


def test_the_alternative_text_says_in_how_many_periods_there_were_fewer(yearly):
    assert alternative(raw_trends(yearly, language="de")) == (
        "Liniendiagramm: registrierte Fälle in Gebieten mit Maßnahme und in Vergleichsgebieten, gestrichelt die Zahl, "
        "die ohne die Maßnahme zu erwarten war, wenn sich die Gebiete wie die Vergleichsgebiete entwickelt hätten. "
        "Seit Beginn lag die Zahl in 5 von 5 Jahren darunter."
    )
