from itertools import combinations

import geopandas
import pytest
from matplotlib.text import Text
from shapely.geometry import box

from evaluation.figures.maps import _class, change_map

NAMES = {"00": "Zentrum", "01": "Mitte", "02": "Nord", "03": "Süd", "04": "West"}


@pytest.fixture
def geometry():
    shapes = [box(number, 51, number + 1, 52) for number in range(5)]
    return geopandas.GeoDataFrame({"area": list(NAMES)}, geometry=shapes, crs="EPSG:4326")


@pytest.fixture
def changes(published):
    values = {"00": (0.9, 0.5, 1.2), "01": (-0.3, -0.5, -0.1), "02": (0.1, -0.1, 0.3), "03": (0.1, 0.02, 0.2)}
    rows = [{"area": a, "value": v, "conf_low": low, "conf_high": high} for a, (v, low, high) in values.items()]
    return published(rows, unit="change", keys=("area",))


def test_only_areas_whose_interval_clears_zero_are_named(changes, geometry, words):
    said = words(change_map(changes, geometry, names=NAMES, language="de", not_meaningful=["00"]))
    assert {"Mitte", "Süd"} <= set(said)
    assert not {"Zentrum", "Nord", "West"} & set(said)
    assert "Einwohnerbezug nicht aussagekräftig" in said
    assert "keine Angabe" in said


@pytest.mark.parametrize(
    ("area", "kind"),
    [("00", "much_more"), ("01", "much_less"), ("02", "unclear"), ("03", "more"), ("04", "missing")],
)
def test_classes(changes, area, kind):
    assert _class(changes.frame.set_index("area"), area, []) == kind


def test_an_area_without_a_basis_is_hatched_whatever_its_value(changes):
    assert _class(changes.frame.set_index("area"), "00", ["00"]) == "meaningless"


def test_an_area_with_a_flagged_value_before_is_hatched_over_its_colour_and_said(changes, geometry, words):
    said = "schraffiert: auffälliger Wert in einem der verglichenen Jahre"
    assert said in words(change_map(changes, geometry, names=NAMES, language="de", doubtful=["01"]))
    assert said not in words(change_map(changes, geometry, names=NAMES, language="de", doubtful=["02"]))


def test_names_of_neighbours_do_not_cover_each_other(published, geometry):
    near = geometry.assign(geometry=[box(k, 51, k + 0.1, 51.1) for k in (0, 1, 1.01, 1.02, 9)])
    rows = [{"area": area, "value": 0.5, "conf_low": 0.2, "conf_high": 0.9} for area in NAMES]
    changes = published(rows, unit="change", keys=("area",))
    axes = change_map(changes, near, names=NAMES, language="de").axes[0]
    axes.figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts if text.get_text() in NAMES.values()]
    assert len(boxes) == 5
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_shapes_of_the_caller_stay_as_they_are(changes, geometry):
    before = geometry.copy()
    change_map(changes, geometry, names=NAMES, language="en")
    assert geometry.equals(before)
