"""The simulated city: its model, its real Ortsteile, and how busy each simulated area is.

Names, keys, districts and inhabitants are real (Stadt Leipzig, Amt für Statistik und Wahlen, DL-DE-BY-2.0); how many
offences an area has follows from inhabitants, distance to the centre and chance, never from real offences.
"""

import csv
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from evaluation.simulate.cells import STRETCH, Point
from evaluation.simulate.streams import Floats, Stream

KM_PER_DEGREE = 111.2
#: Last year with published inhabitants; later years go on with the mean yearly change of the last two.
LAST_PUBLISHED = 2023


@dataclass(frozen=True, kw_only=True)
class Area:
    """One Ortsteil."""

    key: str
    name: str
    district: str
    district_name: str
    centre: Point
    inhabitants: Mapping[int, int]


@cache
def model() -> Mapping[str, Any]:
    """Return the parameters of the simulation."""
    return tomllib.loads(files(__package__).joinpath("leipzig.toml").read_text(encoding="utf-8"))


@cache
def areas() -> tuple[Area, ...]:
    """Return the 63 Ortsteile in the order of their keys, inhabitants from 2018 on.

    Examples
    --------
    >>> areas()[0].key, areas()[0].name, areas()[0].inhabitants[2022], len(areas())
    ('00', 'Zentrum', 1901, 63)
    """
    lines = files(__package__).joinpath("ortsteile.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return tuple(_area(row) for row in rows)


def _area(row: Mapping[str, str]) -> Area:
    known = {int(name[-4:]): int(value) for name, value in row.items() if name.startswith("inhabitants_")}
    change = (known[LAST_PUBLISHED] - known[LAST_PUBLISHED - 2]) / 2
    known[LAST_PUBLISHED + 1] = known[LAST_PUBLISHED] + math.floor(change + 0.5)
    return Area(
        key=row["area"],
        name=row["name"],
        district=row["district"],
        district_name=row["district_name"],
        centre=(float(row["lon"]), float(row["lat"])),
        inhabitants=known,
    )


def months() -> tuple[str, ...]:
    """Return the simulated months, ``2019-01`` and so on."""
    years = range(model()["first_year"], model()["last_year"] + 1)
    return tuple(f"{year}-{month:02d}" for year in years for month in range(1, 13))


def log_levels() -> Floats:
    """Return how busy each area is on the log scale, up to a constant: shape (areas,).

    The same for every seed: the areas with patrols are fixed, and stay busy ones.
    """
    levels = model()["levels"]
    city = areas()
    (lon, lat) = next(area.centre for area in city if area.key == levels["centre"])
    km = np.array([KM_PER_DEGREE * math.hypot((area.centre[0] - lon) * STRETCH, area.centre[1] - lat) for area in city])
    people = np.log([area.inhabitants[model()["first_year"]] for area in city])
    bonus = levels["centre_bonus"] * np.exp(-km / levels["centre_reach_km"])
    chance = levels["spread"] * Stream(model()["seed"]).normal(len(city))
    result: Floats = people - levels["decline_per_km"] * km + bonus + chance
    return result
