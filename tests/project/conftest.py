"""A small city, written as a project folder: six areas in two rows, two districts, four years."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

AREAS = {"00": "Mitte", "01": "Ost", "02": "West", "10": "Nord", "11": "Süd", "12": "Höhe"}
YEARS = range(2019, 2023)

PROJECT = """
name = "Kleinstadt"
language = "de"
source = "Stadt Kleinstadt"

[tables.areas]
file = "data/areas.csv"
geometry = "data/areas.geojson"
source = "Amt für Statistik"

[tables.inhabitants]
file = "data/inhabitants.csv"

[tables.counts]
file = "data/counts.csv"

[outcomes.theft]
title = { de = "Diebstahl", en = "theft" }
table = "counts"
categories = ["theft"]
exposure = "inhabitants"
"""

AGREEMENT = """
[agreement]
title = { de = "Vereinbarung", en = "Agreement" }
since = "2021-01"

[measures.A2]
title = { de = "Streifen", en = "Patrols" }
kind = "effect"
since = "2021-01"
existed_before = false
areas = { "01" = "2021-01" }
outcomes = ["theft"]

[measures.A2.parts.housing]
title = { de = "Wohngebiete", en = "Housing" }
indicators.hours = { title = { de = "Stunden", en = "hours" }, unit = "hours", table = "deployments", \
calculation = "joint_hours" }
"""

STUDY = """
[study]
id = "patrols"
measure = "A2"
outcome = "theft"
title = { de = "Streifen und Diebstahl", en = "Patrols and theft" }
period = "year"

[method]
class = "TwoByTwo"
before = 2
after = 1
"""

EVENTS = """Ereignis;Bezeichnung deutsch;Bezeichnung englisch;Beginn;Ortsteil-Schlüssel (mehrere);Betroffene Zahlen;Art
zone;Zone;Zone;05.11.2020;10 11;theft;Gesetz
later;Später;Later;01.01.2022;;;Einfluss
"""

RESPONDENTS = "Befragten-Nummer;Welle;Ortsteil-Schlüssel;Schicht;Gewicht;Erhebungsweg;q1\n" + "".join(
    f"{n};{wave};{area};{area[0]};1,5;online;{1 + n % 4}\n"
    for wave in (2020, 2022)
    for n, area in enumerate([*AREAS, *AREAS])
)

SURVEY = """
[tables.respondents]
file = "data/respondents.csv"

[surveys.safety]
waves = { "2020" = { date = "2020-10-01" }, "2022" = { date = 2022-10-01 } }

[items.unsafe]
title = { de = "unsicher", en = "unsafe" }
column = "q1"
scale = 4
unsafe = [3, 4]
"""

INCIDENTS = """
[tables.incidents]
file = "data/incidents.csv"

[outcomes.robbery]
title = { de = "Raub", en = "robbery" }
table = "incidents"
categories = ["210000"]
"""

DEPLOYMENTS = """
[tables.deployments]
file = "data/deployments.csv"
"""


def squares() -> str:
    """Six squares of 1 km in two rows of three, somewhere near Leipzig."""
    features = []
    for n, key in enumerate(AREAS):
        x, y = 310_000 + 1000 * (n % 3), 5_690_000 + 1000 * (n // 3)
        ring = [[x, y], [x + 1000, y], [x + 1000, y + 1000], [x, y + 1000], [x, y]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"area": key}, "geometry": geometry})
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25833"}}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": features})


def area_rows() -> str:
    return "".join(f"{key};{name};{key[0]};Bezirk {key[0]}\n" for key, name in AREAS.items())


def count_rows(years: range = YEARS) -> str:
    return "".join(
        f"{key};{year};theft;{100 + 10 * n + year - 2019}\n" for n, key in enumerate(AREAS) for year in years
    )


def incident_rows() -> str:
    """Three robberies in 00 and one in 12 in every month from 2019 to 2022, and twenty other cases."""
    months = [(year, month) for year in YEARS for month in range(1, 13)]
    rows = [f"15.{m:02d}.{y} 22:00;{key};210000\n" for y, m in months for key in ("00", "00", "00", "12")]
    others = [f"{day + 1:02d}.{m:02d}.{y} 10:00;01;435000\n" for y, m in months for day in range(20)]
    return "Tatzeit von;Ortsteil-Schlüssel;Schlüssel\n" + "".join(rows + others)


def city_files() -> dict[str, str]:
    people = "".join(f"{key};{year};{1000 * (n + 1)}\n" for n, key in enumerate(AREAS) for year in YEARS)
    return {
        "project.toml": PROJECT,
        "agreement.toml": AGREEMENT,
        "studies/patrols.toml": STUDY,
        "events.csv": EVENTS,
        "data/areas.csv": "Ortsteil-Schlüssel;Ortsteil;Stadtbezirk-Schlüssel;Stadtbezirk\n" + area_rows(),
        "data/areas.geojson": squares(),
        "data/inhabitants.csv": "Ortsteil-Schlüssel;Jahr;Einwohner\n" + people,
        "data/counts.csv": "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n" + count_rows(),
    }


City = Callable[..., Path]


@pytest.fixture
def city(tmp_path: Path) -> City:
    """Write the small city, with other or further files; None leaves a file out."""

    def write(changes: dict[str, str | bytes | None] | None = None, *, more: str = "") -> Path:
        folder = tmp_path / "Kleine Stadt ü"
        files: dict[str, str | bytes | None] = {**city_files(), **(changes or {})}
        if more:
            files["project.toml"] = f"{files['project.toml']}\n{more}"
        for name, content in files.items():
            if content is None:
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return folder

    return write
