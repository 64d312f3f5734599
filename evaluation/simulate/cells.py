"""Schematic cells around centres, so that maps, neighbours and rings work without anybody's borders.

Each cell holds the points that are nearer to its centre than to every other one (Voronoi), cut to an outline.
Plain Python: the same corners on every machine.
"""

from collections.abc import Mapping, Sequence

Point = tuple[float, float]

#: A degree of longitude over a degree of latitude at 51.34° north.
STRETCH = 0.6247
DECIMALS = 5


def voronoi(centres: Mapping[str, Point], outline: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the closed ring of every cell, counter-clockwise, in degrees with five decimals (about a metre).

    Parameters
    ----------
    centres
        Longitude and latitude by key.
    outline
        Corners of the whole, counter-clockwise, not closed.

    Examples
    --------
    >>> square = [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)]
    >>> voronoi({"a": (0.5, 0.5), "b": (1.5, 0.5)}, square)["a"]
    [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]
    """
    flat = {key: (lon * STRETCH, lat) for key, (lon, lat) in centres.items()}
    frame = [(lon * STRETCH, lat) for lon, lat in outline]
    corners: dict[tuple[int, int], Point] = {}
    cells = {}
    for key, centre in flat.items():
        ring = frame
        for other, rival in flat.items():
            if other != key:
                ring = _nearer_half(ring, centre, rival)
        points = _without_repeats([_shared((x / STRETCH, y), corners) for x, y in ring])
        cells[key] = [*points, points[0]]
    return cells


def _nearer_half(ring: Sequence[Point], centre: Point, rival: Point) -> list[Point]:
    """Cut off what is nearer to `rival` than to `centre` (Sutherland and Hodgman 1974)."""
    along = (rival[0] - centre[0], rival[1] - centre[1])
    middle = ((rival[0] + centre[0]) / 2, (rival[1] + centre[1]) / 2)

    def beyond(point: Point) -> float:
        return (point[0] - middle[0]) * along[0] + (point[1] - middle[1]) * along[1]

    kept: list[Point] = []
    for start, end in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        a, b = beyond(start), beyond(end)
        if a <= 0:
            kept.append(start)
        if (a < 0 < b) or (b < 0 < a):
            share = a / (a - b)
            kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    return kept


def _shared(point: Point, corners: dict[tuple[int, int], Point]) -> Point:
    """Round a corner so that the cells that meet there have the very same one."""
    grid = 10**DECIMALS
    x, y = round(point[0] * grid), round(point[1] * grid)
    for near in ((x + dx, y + dy) for dx in (0, -1, 1) for dy in (0, -1, 1)):
        if near in corners:
            return corners[near]
    return corners.setdefault((x, y), (round(x / grid, DECIMALS), round(y / grid, DECIMALS)))


def _without_repeats(points: Sequence[Point]) -> list[Point]:
    return [point for point, before in zip(points, [points[-1], *points[:-1]], strict=True) if point != before]
