"""The polygons of a project's areas, examined when they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.data import geometry
from evaluation.errors import DataError
from evaluation.project.schema import TableEntry

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygons with column ``area``, one for each area."""

    frame: "GeoDataFrame"

    @cached_property
    def neighbours(self) -> Mapping[str, frozenset[str]]:
        """For every area those that touch it."""
        return geometry.neighbours(self.frame)

    @cached_property
    def centres(self) -> Mapping[str, tuple[float, float, float]]:
        """For every area east and north coordinate of its centroid in metres (EPSG:25833), and its size in m²."""
        shapes = self.frame.geometry.to_crs(geometry.METRIC_CRS)
        middle = shapes.centroid
        return dict(zip(self.frame["area"], zip(middle.x, middle.y, shapes.area, strict=True), strict=True))


def read_polygons(folder: Path, entry: TableEntry, areas: Sequence[str]) -> Polygons:
    """Read the declared polygons of the areas.

    Raises
    ------
    DataError
        The file is missing or unreadable, or with everything that is wrong with the polygons.
    """
    name = str(entry.geometry)
    frame = geometry.load_areas(folder / name, key=entry.geometry_key)
    problems = geometry.examine(frame, areas=areas, file=name)
    if problems:
        raise DataError(*problems)
    return Polygons(frame)
