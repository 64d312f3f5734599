"""Make the simulated extract: ``python make.py``. Standard library only, the same bytes on every machine.

Names, keys and schematic polygons are those of ``data_samples/leipzig_simulated``. All numbers are drawn: levels of
areas, a common course of the city, yearly fluctuation beyond Poisson. Put in: bodily harm is recorded differently from
2012 on, one area has an odd year. There is no effect of anything.
"""

import csv
import json
import math
import random
from pathlib import Path
from statistics import NormalDist

HERE = Path(__file__).parent
AREAS = HERE.parent / "leipzig_simulated" / "data" / "ortsteile.csv"
POLYGONS = HERE.parent / "leipzig_simulated" / "data" / "ortsteile_schematisch.geojson"
SEED = 2019
YEARS = range(2008, 2023)
SHARES = {"Diebstahl": 0.45, "Körperverletzung": 0.09, "Vermögensdelikte": 0.14}
PROPERTY_FROM = 2010
NOTE = "Simulierte Daten: erfunden, keine Zahlen der Stadt Leipzig"
API = "https://statistik.leipzig.de/opendata/api/kdvalues?format=json&{}&periode=y"


class Draws:
    """Normal and count draws from one seeded stream."""

    def __init__(self, seed: int) -> None:
        self.stream = random.Random(seed)  # noqa: S311 - numbers for a sample, not secrets

    def normal(self, mean: float = 0.0, spread: float = 1.0) -> float:
        """Return a normal draw."""
        return mean + spread * NormalDist().inv_cdf(self.stream.uniform(1e-9, 1 - 1e-9))

    def count(self, mean: float, dispersion: float) -> int:
        """Return a count whose variance is about ``dispersion * mean``."""
        return max(0, round(mean + math.sqrt(dispersion * mean) * self.normal()))


def portal(title: str, source: str, values: dict[int, dict[str, dict[str, int]]]) -> str:
    """Return the JSON of ``kdvalues``: year, series, list of value and district."""
    data = {
        str(year): {
            series: [{"value": value, "district": name} for name, value in cells.items()]
            for series, cells in by_series.items()
        }
        for year, by_series in values.items()
    }
    meta = {"source": API.format(source), "title": title, "simulated": True, "note": NOTE}
    return json.dumps({"meta": meta, "data": data}, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of the sample project; its first line says where it is from."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle.read().splitlines()[1:], delimiter=";"))


def people(names: list[str], draws: Draws) -> dict[int, dict[str, dict[str, int]]]:
    """Draw inhabitants by year and area; the portal has one year more of them."""
    level = {name: math.exp(draws.normal(9.0, 0.6)) for name in names}
    growth = {name: draws.normal(0.012, 0.008) for name in names}
    return {
        year: {"Einwohner insgesamt": {name: round(level[name] * math.exp(growth[name] * t)) for name in names}}
        for t, year in enumerate([*YEARS, YEARS[-1] + 1])
    }


def offences(
    names: list[str], inhabitants: dict[int, dict[str, dict[str, int]]], draws: Draws
) -> dict[int, dict[str, dict[str, int]]]:
    """Draw the series of offences by year and area."""
    rate = {name: 0.09 * math.exp(draws.normal(0.0, 0.5)) for name in names}
    course = 0.0
    values: dict[int, dict[str, dict[str, int]]] = {}
    for year in YEARS:
        course += draws.normal(0.0, 0.05)
        mean = {
            name: inhabitants[year]["Einwohner insgesamt"][name]
            * rate[name]
            * math.exp(course + draws.normal(0.0, 0.08))
            for name in names
        }
        if year == 2015:
            mean["Mockau-Nord"] *= 3.2
        whole = {name: draws.count(mean[name], 4.0) for name in names}
        values[year] = {"Straftaten insgesamt": whole}
        for series, share in SHARES.items():
            if series == "Vermögensdelikte" and year < PROPERTY_FROM:
                continue
            part = share * (0.6 if series == "Körperverletzung" and year < 2012 else 1.0)
            values[year][series] = {name: draws.count(part * mean[name], 2.0) for name in names}
        people_then = inhabitants[year]["Einwohner insgesamt"]
        values[year]["Straftaten je Einwohner"] = {
            name: round(1000 * whole[name] / people_then[name]) for name in names
        }
    return values


def polygons(areas: list[dict[str, str]]) -> str:
    """Return the schematic cells with the properties of the city's geometry."""
    collection = json.loads(POLYGONS.read_text(encoding="utf-8"))
    by_key = {row["Ortsteil-Schlüssel"]: row for row in areas}
    for feature in collection["features"]:
        row = by_key[feature["properties"]["area"]]
        feature["properties"] = {
            "ot": row["Ortsteil-Schlüssel"],
            "name": row["Ortsteil"],
            "bezirk_nr": row["Stadtbezirk-Schlüssel"],
            "bezirk": row["Stadtbezirk"],
        }
    return json.dumps(collection, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"


def main(target: Path = HERE) -> None:
    """Write the three files."""
    areas = rows(AREAS)
    draws = Draws(SEED)
    names = sorted(row["Ortsteil"] for row in areas)
    draws.stream.shuffle(names)  # the portal has no order either
    inhabitants = people(names, draws)
    written = {
        "einwohner-insgesamt.json": portal("Einwohner insgesamt", "kategorie_nr=2&rubrik_nr=1", inhabitants),
        "straftaten-insgesamt.json": portal(
            "Straftaten insgesamt", "kategorie_nr=12&rubrik_nr=1", offences(names, inhabitants, draws)
        ),
        "ortsteile.geojson": polygons(areas),
    }
    for name, content in written.items():
        (target / name).write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
