"""Polygons as they are published: good ones, and the faults that published ones have."""

import json

import geopandas
import numpy as np
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from shapely import box, transform
from shapely.geometry import Polygon

from evaluation.data.geometry import axes_swapped, examine, load_areas, mend, neighbours, whole_city
from evaluation.errors import DataError

EAST, NORTH = 320_000, 5_690_000  # Leipzig, EPSG:25833


def square(column, row, size=1000):
    left, bottom = EAST + size * column, NORTH + size * row
    return box(left, bottom, left + size, bottom + size)


@pytest.fixture
def squares():
    """A two by two city in degrees: 00 and 01 below, 10 and 11 above."""
    shapes = [square(0, 0), square(1, 0), square(0, 1), square(1, 1)]
    frame = geopandas.GeoDataFrame({"area": ["00", "01", "10", "11"]}, geometry=shapes, crs=25833)
    return frame.to_crs(4326)


def swapped(frame):
    return frame.set_geometry(transform(frame.geometry.array, lambda xy: xy[:, ::-1]), crs=4326)


def with_city(frame):
    city = geopandas.GeoDataFrame({"area": ["XX"]}, geometry=[frame.union_all()], crs=frame.crs)
    return geopandas.GeoDataFrame(pd.concat([city, frame], ignore_index=True), crs=frame.crs)


def codes(problems):
    return [problem.code.removeprefix("delivery.geometry_") for problem in problems]


def test_good_polygons_have_no_problem(squares):
    assert examine(squares, areas=["00", "01", "10", "11"]) == []


def test_squares_touch_along_borders_and_in_corners(squares):
    touching = neighbours(squares)
    assert touching == {area: frozenset({"00", "01", "10", "11"} - {area}) for area in touching}


def test_a_gap_within_the_tolerance_still_touches():
    shapes = [square(0, 0), transform(square(1, 0), lambda xy: xy + np.array([0.5, 0]))]
    frame = geopandas.GeoDataFrame({"area": ["a", "b"]}, geometry=shapes, crs=25833)
    assert neighbours(frame)["a"] == {"b"}
    assert neighbours(frame, tolerance=0.1)["a"] == frozenset()


def test_swapped_axes_are_reported(squares):
    assert not axes_swapped(squares)
    assert not axes_swapped(squares.to_crs(25833))
    assert axes_swapped(swapped(squares))
    assert [problem.worded("de") for problem in examine(swapped(squares), file="a.geojson")] == [
        "Datei a.geojson: Länge und Breite sind vertauscht: Die Flächen liegen erst nach dem Tausch in Deutschland. "
        "Abhilfe: Richtige Datei verwenden; beim Import tauscht --mend-geometry die Achsen und vermerkt das."
    ]


def test_the_whole_city_as_a_feature_is_reported(squares):
    assert whole_city(squares) is None
    assert [problem.worded("en") for problem in examine(with_city(squares), file="a.geojson")] == [
        "File a.geojson, row 1, value “XX”: The feature covers all others together: it is the whole city, not an area. "
        "What to do: Remove the feature; the import leaves it out with --mend-geometry and says so."
    ]


def test_mending_is_said_and_leaves_the_original_alone(squares):
    wrong = swapped(with_city(squares))
    before = wrong.copy()
    mended, notes = mend(wrong)
    assert [note.worded("de") for note in notes] == [
        "Länge und Breite waren vertauscht und wurden getauscht.",
        "Wert „XX“: Das Objekt für die ganze Stadt wurde weggelassen.",
    ]
    assert examine(mended, areas=["00", "01", "10", "11"]) == []
    assert mended.geometry.geom_equals_exact(squares.geometry, 1e-12).all()
    assert_geodataframe_equal(wrong, before)
    assert mend(squares)[1] == []


def test_keys_that_are_too_many_too_few_or_double(squares):
    wrong = squares.assign(area=["00", "1", "10", "10"])
    assert [(problem.code, problem.value) for problem in examine(wrong, areas=["00", "01", "10", "11"])] == [
        ("delivery.geometry_double", "10"),
        ("delivery.geometry_extra_nearest", "1"),
        ("delivery.geometry_absent", None),
    ]
    assert examine(wrong, areas=["00", "01", "10", "11"])[2].values == {"areas": ["01", "11"]}


def test_overlaps_beyond_rounding_are_reported(squares):
    metric = squares.to_crs(25833)
    shapes = list(metric.geometry)
    shapes[0] = shapes[0].buffer(0.1)  # rounding
    assert examine(metric.set_geometry(shapes, crs=25833)) == []
    shapes[0] = shapes[0].buffer(30)
    problems = examine(metric.set_geometry(shapes, crs=25833))
    assert codes(problems) == ["overlap"] * 2  # the corner with 11 is within what rounding may do
    assert problems[0].values["share"] == pytest.approx(0.0301, abs=0.0003)


def test_invalid_and_empty_polygons_are_reported(squares):
    bow_tie = Polygon([(EAST, NORTH), (EAST + 1000, NORTH + 1000), (EAST + 1000, NORTH), (EAST, NORTH + 1000)])
    metric = squares.to_crs(25833)
    wrong = metric.set_geometry([bow_tie, Polygon(), None, metric.geometry[3]], crs=25833)
    assert [(problem.code, problem.row, problem.value) for problem in examine(wrong)] == [
        ("delivery.geometry_invalid", 1, "00"),
        ("delivery.geometry_invalid", 2, "01"),
        ("delivery.geometry_invalid", 3, "10"),
    ]


def test_an_unknown_coordinate_system_is_reported(squares):
    assert codes(examine(squares.set_crs(None, allow_override=True))) == ["crs"]


def test_keys_stay_text(squares, tmp_path):
    path = tmp_path / "Flächen mit Blank.geojson"
    squares.rename(columns={"area": "ot"}).to_file(path)
    assert load_areas(path, key="ot")["area"].tolist() == ["00", "01", "10", "11"]


def test_numbers_for_keys_are_an_error(squares, tmp_path):
    path = tmp_path / "a.geojson"
    squares.assign(area=[0, 1, 10, 11]).to_file(path)
    with pytest.raises(DataError) as raised:
        load_areas(path)
    assert raised.value.worded("de") == (
        "Datei a.geojson, Spalte area: Die Schlüssel der Geometrie sind Zahlen; aus 00 ist 0 geworden. "
        "Abhilfe: Die Spalte als Text ausgeben lassen."
    )


def test_missing_unreadable_and_keyless_files(squares, tmp_path):
    squares.to_file(tmp_path / "a.geojson")
    (tmp_path / "b.geojson").write_text("{", encoding="utf-8")
    for name, key, code in [
        ("c.geojson", "area", "delivery.geometry_missing"),
        ("b.geojson", "area", "delivery.geometry_unreadable"),
        ("a.geojson", "ot", "delivery.geometry_key"),
    ]:
        with pytest.raises(DataError) as raised:
            load_areas(tmp_path / name, key=key)
        assert [problem.code for problem in raised.value.problems] == [code]


def test_the_real_city(shared):
    frame = load_areas(shared / "data" / "leipzig" / "leipzig_ortsteile_wgs84.geojson", key="ot")
    assert len(frame) == 63
    assert examine(frame) == []
    assert frame.to_crs(25833).area.sum() / 1e6 == pytest.approx(297.8, abs=0.05)
    touching = neighbours(frame)
    # Read off the map: Neustadt-Neuschönefeld touches Zentrum-Ost, Zentrum-Südost (in a corner), Volkmarsdorf,
    # Anger-Crottendorf and Reudnitz-Thonberg.
    assert touching["20"] == {"01", "02", "21", "22", "30"}
    assert touching["21"] == {"01", "10", "11", "20", "22", "23"}
    assert all(area in touching[other] for area, others in touching.items() for other in others)
    assert sum(len(others) for others in touching.values()) == 2 * 172


def test_the_real_file_with_swapped_axes_and_the_whole_city(shared):
    folder = shared / "data" / "leipzig"
    wrong = load_areas(folder / "leipzig-districts.json", key="key")
    assert codes(examine(wrong)) == ["swapped", "whole_city"]
    mended, _ = mend(wrong)
    good = load_areas(folder / "leipzig_ortsteile_wgs84.geojson", key="ot")
    assert examine(mended, areas=good["area"].tolist()) == []
    assert neighbours(mended) == neighbours(good)
    assert json.loads((folder / "leipzig-districts.json").read_text())["features"][0]["properties"]["key"] == "XX"
