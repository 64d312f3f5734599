from itertools import combinations

import geopandas
import pytest
from matplotlib.text import Text
from shapely.geometry import box

from evaluation.figures.alternative import alternative
from evaluation.figures.maps import _class, _points_class, change_map, points_map

NAMES = {"00": "Zentrum", "01": "Mitte", "02": "Nord", "03": "Süd", "04": "West"}
PERCENT = "\N{NO-BREAK SPACE}%"


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
    assert {f"Mitte −30{PERCENT}", f"Süd +10{PERCENT}"} <= set(said)
    assert not any(part.startswith(name) for part in said for name in ("Zentrum", "Nord", "West"))
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
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert len(boxes) == 5
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_shapes_of_the_caller_stay_as_they_are(changes, geometry):
    before = geometry.copy()
    change_map(changes, geometry, names=NAMES, language="en")
    assert geometry.equals(before)


@pytest.fixture
def points(published):
    values = {"00": (0.3, 0.2, 0.4), "01": (-0.05, -0.09, -0.01), "02": (0.0, -0.09, 0.09), "03": (0.02, -0.12, 0.16)}
    rows = [{"area": a, "value": v, "conf_low": low, "conf_high": high} for a, (v, low, high) in values.items()]
    return published(rows, unit="change_points", keys=("area",))


@pytest.mark.parametrize(
    ("area", "kind"), [("00", "much_more"), ("01", "less"), ("02", "alike"), ("03", "unknown"), ("04", "missing")]
)
def test_classes_of_points_tell_no_change_from_not_knowing(points, area, kind):
    assert _points_class(points.frame.set_index("area"), area, 0.0) == kind


def test_named_areas_carry_their_number_so_that_the_map_reads_without_colours(points, geometry, words):
    said = words(points_map(points, geometry, names=NAMES, language="de"))
    assert {"Zentrum +30", "Mitte −5", "Anteil „unsicher“ gegen vorher"} <= set(said)
    assert not any(word.startswith(("Nord", "Süd", "West")) for word in said)
    assert "nicht beurteilbar: auch 10 Punkte mehr oder weniger sind möglich" in said


def test_alternative_text_of_changes_counts_what_cannot_be_judged(points, geometry):
    assert alternative(points_map(points, geometry, names=NAMES, language="en")) == (
        "Map: change of the share “unsafe” in 4 areas. A decrease is statistically established in Mitte and an "
        "increase in Zentrum. Not established, but a change of 10 points ruled out: 1; not to be judged: 1."
    )


def test_shares_are_compared_with_the_city(published, geometry, words):
    rows = [{"area": "00", "value": 0.6, "conf_low": 0.52, "conf_high": 0.68}]
    rows += [{"area": "01", "value": 0.5, "conf_low": 0.45, "conf_high": 0.55}]
    city = published([{"wave": "2024", "value": 0.48}], unit="share", keys=("wave",)).cell(wave="2024")
    shares = published(rows, unit="share", keys=("area",))
    figure = points_map(shares, geometry, names=NAMES, language="de", line=city)
    percent = "\N{NO-BREAK SPACE}%"
    assert {f"Zentrum 60{percent}", f"Anteil „unsicher“, Stadt: 48{percent}"} <= set(words(figure))
    assert alternative(figure) == (
        f"Karte: Anteil „unsicher“ in 2 Gebieten gegen den der Stadt, 48{percent}. Statistisch gesichert darunter "
        "liegt er in keinem Gebiet, darüber in Zentrum. Von der Stadt nicht zu unterscheiden: 1; nicht beurteilbar: 0."
    )
