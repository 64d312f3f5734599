from itertools import combinations

import pandas as pd
import pytest
from matplotlib.text import Text

from evaluation.disclosure import About, Rules, publish
from evaluation.figures.alternative import alternative
from evaluation.figures.area_changes import area_changes

NAMES = {"00": "Zentrum", "01": "Mitte", "10": "Nord", "11": "Süd", "12": "West"}
DISTRICTS = {"00": "Mitte-Bezirk", "01": "Mitte-Bezirk", "10": "Nordost", "11": "Nordost", "12": "Nordost"}
VALUES = {
    "12": (None, None, None),
    "10": (-0.2, -0.35, -0.05),
    "00": (0.1, 0.02, 0.18),
    "01": (0.3, -0.1, 0.7),
    "11": (-0.1, -0.3, 0.1),
}


@pytest.fixture
def changes(published):
    rows = [{"area": a, "value": v, "conf_low": low, "conf_high": high} for a, (v, low, high) in VALUES.items()]
    return published(rows, unit="change_points", keys=("area",))


def test_areas_stand_in_the_order_of_their_keys_whatever_their_values(changes):
    axes = area_changes(changes, names=NAMES, language="de").axes[0]
    points = sorted((float(x), float(y)) for line in axes.lines[1:] for x, y in zip(*line.get_data(), strict=True))
    assert points == [(0.0, 0.1), (1.0, 0.3), (2.0, -0.2), (3.0, -0.1)]


def test_only_areas_whose_interval_clears_zero_are_named(changes, words):
    said = set(words(area_changes(changes, names=NAMES, language="de", districts=DISTRICTS)))
    assert {"Zentrum", "Nord", "Mitte-Bezirk", "Nordost"} <= said
    assert not {"Mitte", "Süd", "West"} & said
    assert "ein Gebiet ohne Angabe" in said


def test_up_is_safer(changes, words):
    figure = area_changes(changes, names=NAMES, language="de")
    low, high = figure.axes[0].get_ylim()
    assert low > 0 > high
    assert "50 weniger" in words(figure) or "20 weniger" in words(figure)


def test_alternative_text_names_what_is_established_and_counts_the_rest(changes):
    assert alternative(area_changes(changes, names=NAMES, language="de")) == (
        "Punktdiagramm mit 95-%-Bereichen: Änderung des Anteils „unsicher“ in 4 Gebieten, in der Reihenfolge der "
        "Schlüssel. Statistisch gesichert ist ein Rückgang in Nord und ein Anstieg in Zentrum; in 2 von ihnen ist "
        "nichts gesichert."
    )


def test_names_of_neighbours_do_not_cover_each_other(published):
    keys = [f"{number:02d}" for number in range(63)]
    rows = [
        {"area": key, "value": -0.2, "conf_low": -0.3, "conf_high": 0.1 - 0.2 * (20 < int(key) < 24)} for key in keys
    ]
    names = {key: f"Ortsteil-Nummer {key}" for key in keys}
    figure = area_changes(published(rows, unit="change_points", keys=("area",)), names=names, language="de")
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts if text.get_text() in names.values()]
    assert len(boxes) == 3
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_few_answers_are_hollow(published, words):
    frame = pd.DataFrame({"area": ["00", "01"], "value": [0.1, 0.2], "conf_low": 0.0, "conf_high": 0.4, "n": [80, 40]})
    about = About(id="test.values", unit="change_points", source="Test")
    values = publish(frame, Rules(), about=about, keys=("area",), basis="answers")
    figure = area_changes(values, names=NAMES, language="en")
    faces = {line.get_markerfacecolor() for line in figure.axes[0].lines[1:] if len(line.get_xdata())}
    assert "white" in faces
    assert len(faces) == 2
    assert "hollow: few answers" in words(figure)
