"""Schematic cells: they tile the outline, share their corners, and hold their centre."""

import json

import pytest
from shapely import Point, Polygon, union_all

from evaluation.simulate.cells import voronoi
from evaluation.simulate.city import areas
from evaluation.simulate.leipzig import OUTLINE


@pytest.fixture(scope="module")
def cells():
    rings = voronoi({area.key: area.centre for area in areas()}, OUTLINE)
    return {key: Polygon(ring) for key, ring in rings.items()}


def test_cells_are_valid_and_hold_their_own_centre_only(cells):
    for area in areas():
        assert [key for key, cell in cells.items() if cell.contains(Point(area.centre))] == [area.key]
    assert all(cell.is_valid and cell.exterior.is_ccw for cell in cells.values())


def test_cells_tile_the_outline_without_gap_or_overlap(cells):
    whole = union_all(list(cells.values()))
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert sum(cell.area for cell in cells.values()) == pytest.approx(whole.area, rel=1e-12)
    assert whole.area == pytest.approx(Polygon(OUTLINE).area, rel=1e-4)


def test_neighbours_share_their_corners(cells):
    # Two cells that touch do so in a line between two corners that both have, or in a corner that both have.
    for key, cell in cells.items():
        for other, rival in cells.items():
            common = cell.intersection(rival)
            if key < other and not common.is_empty:
                corners = set(cell.exterior.coords) & set(rival.exterior.coords)
                assert set(common.coords) <= corners


def test_areas_around_the_centre_are_its_neighbours(cells):
    touching = {key for key, cell in cells.items() if key != "00" and cell.touches(cells["00"])}
    assert touching == {"01", "02", "03", "04", "05", "06"}


def test_the_file_holds_these_cells_and_says_that_they_are_schematic(sample_project):
    content = json.loads((sample_project / "data" / "ortsteile_schematisch.geojson").read_text(encoding="utf-8"))
    assert content["description"].startswith("Schematische Zellen um gerundete Mittelpunkte, nicht die Grenzen")
    rings = voronoi({area.key: area.centre for area in areas()}, OUTLINE)
    found = {feature["properties"]["area"]: feature["geometry"]["coordinates"][0] for feature in content["features"]}
    assert found == {key: [list(point) for point in ring] for key, ring in rings.items()}
