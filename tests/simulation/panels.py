"""Panels without any measure: simulated months, Leipzig's years, New York's months.

The real ones are read from a folder beside the project and never committed; where it is missing, only simulated
panels are used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.data.periods import span
from evaluation.simulate import simulate_counts

SHARED = Path(__file__).resolve().parents[3] / "shared"
LEIPZIG_SERIES = ("Straftaten insgesamt", "Diebstahl", "Körperverletzung")


@dataclass(frozen=True, eq=False)
class CountPanel:
    """Counts ``(N, T)`` without a measure, who touches whom ``(N, N)``, and the dates at which one is pretended.

    ``stagger`` periods lie between staggered starts; ``exposure`` is a population, ``other`` counts cases of the same
    units that no measure touches, each ``(N, T)``.
    """

    name: str
    counts: np.ndarray
    contiguity: np.ndarray
    periods: tuple[str, ...]
    dates: tuple[int, ...]
    before: int
    after: int
    stagger: int = 1
    exposure: np.ndarray | None = None
    other: np.ndarray | None = None

    @property
    def frequency(self) -> str:
        """Length of a period."""
        return "year" if len(self.periods[0]) == 4 else "month"


def grid_contiguity(rows: int, columns: int) -> np.ndarray:
    """Return ``(N, N)`` which cells of a grid touch, corners included."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    near = (abs(row[:, None] - row) <= 1) & (abs(column[:, None] - column) <= 1)
    return near & ~np.eye(rows * columns, dtype=bool)


def simulated_months(
    rng: np.random.Generator, *, periods: int = 36, thinned: bool = False, exposure: bool = False
) -> CountPanel:
    """Return 63 areas x `periods` months, over-dispersed and serially correlated; a measure begins six before the end.

    ``thinned`` splits twice as many cases by chance into the counts and other ones, which share the areas' shocks;
    ``exposure`` adds a population that grows unevenly and the cases with it.
    """
    growth = np.cumsum(rng.normal(0, 0.01, (63, periods)), axis=1) if exposure else np.zeros((63, periods))
    counts = simulate_counts(
        rng, 63, periods, mean=40.0 if thinned else 20.0, dispersion=2.0, tau2=0.01, serial=0.5, log_effect=growth
    )
    other = rng.binomial(counts, 0.5) if thinned else None
    return CountPanel(
        "simulated",
        counts if other is None else counts - other,
        grid_contiguity(7, 9),
        span("2020-01", "2023-12")[:periods],
        (periods - 6,),
        before=12,
        after=6,
        stagger=3,
        exposure=1000.0 * np.exp(growth) if exposure else None,
        other=other,
    )


def leipzig_years() -> Iterator[CountPanel]:
    """Yield the recorded offences of 63 Ortsteile, 2004-2022, all, theft and bodily harm."""
    folder = SHARED / "data" / "leipzig"
    features = json.loads((folder / "leipzig_ortsteile_wgs84.geojson").read_text(encoding="utf-8"))["features"]
    keys = {feature["properties"]["name"]: feature["properties"]["ot"] for feature in features}
    data = json.loads((folder / "leipzig-straftaten-insgesamt.json").read_text(encoding="utf-8"))["data"]
    contiguity = _touching(features)
    years = tuple(sorted(data))
    for series in LEIPZIG_SERIES:
        table = pd.DataFrame(
            {year: {keys[cell["district"]]: cell["value"] for cell in data[year][series]} for year in years}
        )
        counts = table.sort_index().to_numpy(dtype=float)
        yield CountPanel(f"Leipzig, {series}", counts, contiguity, years, tuple(range(6, 19)), 3, 1)


def _touching(features: list[dict]) -> np.ndarray:
    from shapely import STRtree
    from shapely.geometry import shape

    shapes = [shape(f["geometry"]) for f in sorted(features, key=lambda f: f["properties"]["ot"])]
    first, second = STRtree(shapes).query(shapes, predicate="intersects")
    near = np.zeros((len(shapes), len(shapes)), dtype=bool)
    near[first, second] = first != second
    return near


def new_york_months() -> CountPanel:
    """Return the shootings of 77 precincts, 2006-2023, by month; precincts with nearby centres count as touching."""
    frame = pd.read_csv(SHARED / "data" / "incidents" / "nyc_shootings_slim.csv.gz")
    frame["month"] = frame["OCCUR_DATE"].str[:7]
    periods = span("2006-01", "2023-12")
    table = pd.crosstab(frame["PRECINCT"], frame["month"]).reindex(columns=list(periods), fill_value=0)
    centres = frame.groupby("PRECINCT")[["X_COORD_CD", "Y_COORD_CD"]].median().to_numpy()
    return CountPanel(
        "New York, shootings",
        table.to_numpy(dtype=float),
        _delaunay(centres),
        periods,
        tuple(range(84, 205, 6)),
        24,
        12,
        stagger=12,
    )


def _delaunay(points: np.ndarray) -> np.ndarray:
    from scipy.spatial import Delaunay

    near = np.zeros((len(points), len(points)), dtype=bool)
    for triangle in Delaunay(points).simplices:
        near[np.ix_(triangle, triangle)] = True
    np.fill_diagonal(near, False)
    return near
