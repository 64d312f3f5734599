"""Polygons of areas: read, examined, mended only on request; and which areas touch.

Published polygons come with swapped axes, rounded corners and an extra feature for the whole city. All of that is
reported; nothing is repaired unless :func:`mend` is called.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.errors import DataError, Problem, nearest

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

METRIC_CRS = 25833  # ETRS89 / UTM zone 33N, the grid of Saxony: metres
_GERMANY = (5.5, 47.0, 15.5, 55.5)  # west, south, east, north in degrees
_WHOLE = 0.95  # share of all other features that makes a feature the whole city
_OVERLAP = 0.001  # share of the smaller area that rounding may let overlap


def load_areas(path: Path, *, key: str = "area") -> "GeoDataFrame":
    """Read polygons as they are, with their key as column ``area``.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage or Shapefile.
    key
        Name of the column that holds the area key.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a feature, in the order of the file; ``area`` is text. Nothing is examined yet.

    Raises
    ------
    DataError
        The file is missing or unreadable, has no such column, or its keys are numbers (``00`` has become 0).
    """
    import geopandas

    if not path.exists():
        raise DataError(Problem("delivery.geometry_missing", file=path.name))
    try:
        frame = geopandas.read_file(path)
    except (RuntimeError, ValueError, OSError) as error:  # pyogrio's own errors are RuntimeErrors
        raise DataError(Problem("delivery.geometry_unreadable", file=path.name, reason=str(error))) from error
    if key not in frame.columns:
        found = [name for name in frame.columns if name != "geometry"]
        raise DataError(Problem("delivery.geometry_key", file=path.name, column=key, found=found))
    if not all(isinstance(value, str) for value in frame[key]):
        raise DataError(Problem("delivery.geometry_key_number", file=path.name, column=key))
    return frame.rename(columns={key: "area"})


def examine(frame: "GeoDataFrame", *, areas: Collection[str] | None = None, file: str | None = None) -> list[Problem]:
    """Return everything that is wrong with the polygons of the areas.

    Parameters
    ----------
    frame
        Polygons with column ``area``.
    areas
        The keys that there must be; without them only the polygons are looked at.
    file
        Named in the problems.

    Returns
    -------
    list of Problem
        Unknown coordinate system, swapped axes, a feature that is the whole city, keys that are unknown, missing or
        double, polygons that are empty, invalid or overlap by more than 0.1 % of the smaller one.
    """
    if frame.crs is None:
        return [Problem("delivery.geometry_crs", file=file)]
    problems = [Problem("delivery.geometry_swapped", file=file)] if axes_swapped(frame) else []
    city = whole_city(frame)
    if city is not None:
        problems.append(
            Problem("delivery.geometry_whole_city", file=file, row=city + 1, value=frame["area"].iloc[city])
        )
    problems += _key_problems(frame, city, areas, file)
    return problems + _shape_problems(frame, city, file)


def axes_swapped(frame: "GeoDataFrame") -> bool:
    """Tell whether the polygons lie in Germany only when latitude and longitude change places."""
    west, south, east, north = frame.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    return not _in_germany(x, y, frame.crs) and _in_germany(y, x, frame.crs)


def whole_city(frame: "GeoDataFrame") -> int | None:
    """Return the position of the feature that covers all others together, or None."""
    import shapely

    if len(frame) < 3:
        return None
    shapes = np.asarray(frame.geometry.array)
    largest = int(np.argmax(np.nan_to_num(shapely.area(shapes))))
    others = shapely.union_all(shapely.make_valid(np.delete(shapes, largest)))
    covered = shapely.intersection(shapely.make_valid(shapes[largest]), others)
    return largest if shapely.area(covered) > _WHOLE * shapely.area(others) > 0 else None


def mend(frame: "GeoDataFrame") -> tuple["GeoDataFrame", list[Problem]]:
    """Put swapped axes right and leave out the whole city, and say what was done.

    Parameters
    ----------
    frame
        Polygons with column ``area``; left as it is.

    Returns
    -------
    frame
        A mended copy; faults of other kinds are still in it, so examine it again.
    notes
        What was changed.
    """
    import shapely

    notes: list[Problem] = []
    mended = frame.copy()
    if frame.crs is not None and axes_swapped(frame):
        mended.geometry = shapely.transform(np.asarray(mended.geometry.array), lambda xy: xy[:, ::-1])
        mended = mended.set_crs(frame.crs, allow_override=True)
        notes.append(Problem("delivery.mended_axes"))
    city = whole_city(mended)
    if city is not None:
        notes.append(Problem("delivery.mended_whole_city", value=mended["area"].iloc[city]))
        mended = mended.drop(index=mended.index[city]).reset_index(drop=True)
    return mended, notes


def neighbours(frame: "GeoDataFrame", *, tolerance: float = 1.0) -> dict[str, frozenset[str]]:
    """Return for every area the areas that it touches, along a border or in a corner.

    Parameters
    ----------
    frame
        Polygons with column ``area`` and a known coordinate system.
    tolerance
        Distance in metres up to which two areas touch. Published coordinates are rounded (six decimal degrees
        are 0.1 m), so that shared borders need not be equal to the last digit.

    Returns
    -------
    dict
        Area to the areas that touch it; symmetric; an area that touches none has an empty set.

    Examples
    --------
    >>> import geopandas
    >>> from shapely import box
    >>> squares = [box(0, 0, 100, 100), box(100, 0, 200, 100), box(300, 0, 400, 100)]
    >>> touching = neighbours(geopandas.GeoDataFrame({"area": ["a", "b", "c"]}, geometry=squares, crs=25833))
    >>> [sorted(touching[area]) for area in "abc"]
    [['b'], ['a'], []]
    """
    shapes = frame.geometry.to_crs(METRIC_CRS)
    left, right = shapes.sindex.query(shapes, predicate="dwithin", distance=tolerance)
    keys = frame["area"].tolist()
    touching: dict[str, set[str]] = {key: set() for key in keys}
    for i, j in zip(left, right, strict=True):
        if i != j:
            touching[keys[i]].add(keys[j])
    return {key: frozenset(others) for key, others in touching.items()}


def _in_germany(x: float, y: float, crs: object) -> bool:
    from pyproj import Transformer

    longitude, latitude = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    west, south, east, north = _GERMANY
    return bool(west <= longitude <= east and south <= latitude <= north)


def _key_problems(
    frame: "GeoDataFrame", city: int | None, areas: Collection[str] | None, file: str | None
) -> list[Problem]:
    keys = [key for position, key in enumerate(frame["area"]) if position != city]
    double = [
        Problem("delivery.geometry_double", file=file, value=key) for key in sorted(set(keys)) if keys.count(key) > 1
    ]
    if areas is None:
        return double
    extra = []
    for key in sorted(set(keys) - set(areas)):
        likely = nearest(key, areas)
        code = "delivery.geometry_extra_nearest" if likely else "delivery.geometry_extra"
        extra.append(Problem(code, file=file, value=key, nearest=likely))
    absent = sorted(set(areas) - set(keys))
    return [*double, *extra, *([Problem("delivery.geometry_absent", file=file, areas=absent)] if absent else [])]


def _shape_problems(frame: "GeoDataFrame", city: int | None, file: str | None) -> list[Problem]:
    import shapely

    keep = [position for position in range(len(frame)) if position != city]
    shapes = np.asarray(frame.geometry.array)[keep]
    keys = frame["area"].iloc[keep].tolist()
    broken = (shapely.is_missing(shapes) | shapely.is_empty(shapes) | ~shapely.is_valid(shapes)).nonzero()[0]
    if len(broken):
        return [
            Problem(
                "delivery.geometry_invalid",
                file=file,
                row=keep[i] + 1,
                value=keys[i],
                reason=str(shapely.is_valid_reason(shapes[i])),
            )
            for i in broken
        ]
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first = left < right
    left, right = left[first], right[first]
    shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    smaller = np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right]))
    return [
        Problem("delivery.geometry_overlap", file=file, first=keys[i], second=keys[j], share=part)
        for i, j, part in zip(left, right, shared / smaller, strict=True)
        if part > _OVERLAP
    ]
