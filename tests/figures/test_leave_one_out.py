import numpy as np
import pytest

from evaluation.figures.alternative import alternative
from evaluation.figures.leave_one_out import leave_one_out

PERCENT = "\N{NO-BREAK SPACE}%"
NAMES = {"04": "Zentrum-West", "20": "Neustadt-Neuschönefeld", "1": "Bezirk Nordost"}


@pytest.fixture
def effect(published):
    rows = [{"term": "effect", "value": -0.14, "conf_low": -0.25, "conf_high": -0.02}]
    return published(rows, unit="change", keys=("term",))


@pytest.fixture
def without(published):
    rows = [
        {"kind": kind, "unit": unit, "value": value, "conf_low": value - 0.1, "conf_high": value + 0.12}
        for kind, unit, value in (("comparison", "1", -0.13), ("treated", "20", -0.02), ("treated", "04", -0.2))
    ]
    return published(rows, unit="change", keys=("kind", "unit"))


def test_areas_stand_in_the_order_of_their_keys_whatever_their_values(without, effect):
    axes = leave_one_out(without, effect, names=NAMES, language="de").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "mit allen Gebieten",
        "ohne das Gebiet mit Maßnahme",
        "Zentrum-West",
        "Neustadt-Neuschönefeld",
        "ohne die Vergleichsgebiete in",
        "Bezirk Nordost",
    ]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_all_areas_look_alike(without, effect):
    figure = leave_one_out(without, effect, names=NAMES, language="de")
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert len({line.get_color() for line in points[1:]}) == 1 != len({line.get_color() for line in points})
    assert [line.get_ydata()[0] for line in points] == [0, 2, 3, 5]


def test_values_are_written_and_no_interval_is_cut_off(without, effect, words):
    figure = leave_one_out(without, effect, names=NAMES, language="de")
    assert {f"−14,0{PERCENT}", f"−20,0{PERCENT}", f"−2,0{PERCENT}", f"−13,0{PERCENT}"} <= set(words(figure))
    low, high = figure.axes[0].get_xlim()
    assert low < np.log1p(-0.3)
    assert np.log1p(0.1) < high < 0.2


def test_words_stay_inside_the_picture(without, effect):
    figure = leave_one_out(
        without, effect, names={"04": "Ortsteil mit einem ausgesprochen langen Namen"}, language="de"
    )
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in (*axes.texts, *axes.get_yticklabels())]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert axes.get_position().width > 0.5


def test_an_estimate_without_an_interval_is_a_point_alone(published, effect):
    rows = [{"kind": "treated", "unit": "04", "value": -0.1}, {"kind": "treated", "unit": "20", "value": None}]
    figure = leave_one_out(published(rows, unit="change", keys=("kind", "unit")), effect, names=NAMES, language="de")
    points = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert points[1] == pytest.approx(np.log1p(-0.1))
    assert np.isnan(points[2])


def test_the_alternative_text_says_how_far_the_effect_moves(without, effect):
    assert alternative(leave_one_out(without, effect, names=NAMES, language="de")) == (
        f"Punktdiagramm mit 95-%-Bereichen: die Änderung mit allen Gebieten (−14,0{PERCENT}) und 3-mal mit je einem "
        f"weggelassenen Gebiet oder Bezirk, in der Reihenfolge der Schlüssel. Sie liegt dann zwischen −20,0{PERCENT} "
        f"und −2,0{PERCENT}."
    )
