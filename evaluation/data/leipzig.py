"""Leipzig's open data become the smallest project: areas, inhabitants, yearly counts, register, events, one study.

Reading is in :mod:`evaluation.data.portal`. What is known about the city besides, its events and the declared
question, is in the folder ``leipzig_project``.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.data.audit import Break, audit
from evaluation.data.contracts import CONTRACTS
from evaluation.data.folders import whole_folder
from evaluation.data.names import Names
from evaluation.data.portal import choose_polygons, discover, join_keys
from evaluation.errors import DataError, Problem
from evaluation.texts import text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

OFFENCES = {
    "Straftaten insgesamt": "all_offences",
    "Diebstahl": "theft",
    "Körperverletzung": "bodily_harm",
    "Vermögensdelikte": "property",
}
INHABITANTS = "Einwohner insgesamt"
RATE = "Straftaten je Einwohner"
DISTRICTS = ("Mitte", "Nordost", "Ost", "Südost", "Süd", "Südwest", "West", "Alt-West", "Nordwest", "Nord")
CENTRE = "00"  # few live where many are: 1,901 inhabitants, 4,358 offences in 2022
STUDY = "studies/weapons_ban_zone.toml"
DECLARATIONS = ("project.toml", "agreement.toml", "events.csv", STUDY)


@dataclass(frozen=True, eq=False, kw_only=True)
class Imported:
    """What an import wrote, and what a reader must know about it.

    Parameters
    ----------
    folder
        The project.
    notes
        What was read, left out, mended or kept.
    breaks
        Changes in the counts that are far outside the usual ones; the outcome is the name of the portal's series.
    names
        Names of the areas by key.
    """

    folder: Path
    notes: tuple[Problem, ...]
    breaks: tuple[Break, ...]
    names: Mapping[str, str]

    def worded(self, language: str) -> str:
        """Return notes and breaks, one a line."""
        lines = [note.worded(language) for note in self.notes]
        if self.breaks:
            lines.append(text("delivery.import_breaks", language, n=len(self.breaks)))
        return "\n".join([*lines, *(f"  {change.worded(language, areas=self.names)}" for change in self.breaks)])


def import_open_data(
    folder: Path, into: Path, *, register: str, mend_geometry: bool = False, overwrite: bool = False
) -> Imported:
    """Turn a folder of Leipzig's open data into a project.

    Parameters
    ----------
    folder
        JSON of the interface ``kdvalues`` with offences and inhabitants, and the polygons of the areas as GeoJSON.
    into
        The project that shall be there: a folder that does not exist yet or is empty.
    register
        Text of ``agreement.toml``.
    mend_geometry
        Put swapped axes right and leave out a feature for the whole city; without it such a file is refused.
    overwrite
        Renew the data of a project that is there. Its ``project.toml``, register, events and study stay as they are.

    Returns
    -------
    Imported
        With notes; the files are in `into`.

    Raises
    ------
    DataError
        With all problems: a file or series is missing or there twice, a name belongs to no polygon, a value is no
        count, the polygons have faults, the project is there already. Then nothing is written.

    Examples
    --------
    >>> from evaluation.agreement.register import template_text
    >>> imported = import_open_data(Path("open_data"), Path("leipzig"), register=template_text())  # doctest: +SKIP
    """
    if overwrite and into.exists() and not (into / "project.toml").is_file():
        raise DataError(Problem("delivery.import_no_project", file=into.name))
    extract = discover(folder, required=("Straftaten insgesamt", INHABITANTS))
    polygons, geometry_notes = choose_polygons(extract, mend_geometry=mend_geometry)
    names = Names.of(polygons["area"], polygons["name"])
    values = join_keys(extract, names, series=[*OFFENCES, INHABITANTS])
    counts = values[values["series"] != INHABITANTS]
    people = values[values["series"] == INHABITANTS]
    events, unfit = _events(counts)
    with whole_folder(into, keep=overwrite) as target:
        kept = [name for name in DECLARATIONS if (target / name).exists()]
        _write_data(target, polygons, counts, people)
        declared = {"project.toml": _project(simulated=extract.simulated), "agreement.toml": register}
        declared |= {"events.csv": _csv(events, "events"), STUDY: _template(STUDY)}
        for name, content in declared.items():
            if name not in kept:
                _write(target / name, content, bom=name.endswith(".csv"))
    notes = [*extract.notes, *geometry_notes, *_left_out(set(extract.cells["series"])), *_totals(counts, people)]
    notes += [Problem("delivery.import_kept", file=name) for name in kept]
    notes += [] if "events.csv" in kept else unfit
    return Imported(folder=into, notes=tuple(notes), breaks=tuple(_breaks(counts)), names=dict(names.pairs))


def _left_out(series: set[str]) -> list[Problem]:
    others = sorted(series - {*OFFENCES, INHABITANTS, RATE})
    rate = [Problem("delivery.import_rate", value=RATE)] if RATE in series else []
    return rate + ([Problem("delivery.import_other_series", series=others)] if others else [])


def _totals(counts: pd.DataFrame, people: pd.DataFrame) -> list[Problem]:
    """Give the totals by which a reader recognises the city."""
    notes = []
    for series, values in [*counts.groupby("series", sort=False), (INHABITANTS, people)]:
        sums = values.groupby("year")["count"].sum()
        first, last = str(sums.index[0]), str(sums.index[-1])
        n_first, n_last = int(sums.iloc[0]), int(sums.iloc[-1])
        notes.append(
            Problem("delivery.import_totals", value=series, first=first, last=last, n_first=n_first, n_last=n_last)
        )
    return notes


def _breaks(counts: pd.DataFrame) -> list[Break]:
    named = counts.rename(columns={"area": "unit", "year": "period"})
    return [
        change for series, group in named.groupby("series", sort=False) for change in audit(group, outcome=str(series))
    ]


# --- files of the project --------------------------------------------------------------------------------------------


def _template(name: str) -> str:
    resource = files("evaluation.data").joinpath("leipzig_project", *name.split("/"))
    return resource.read_text(encoding="utf-8")


def _project(*, simulated: bool) -> str:
    name = "Leipzig (simulierter Auszug)" if simulated else "Leipzig (offene Daten)"
    source = "simulierte Daten" if simulated else "Stadt Leipzig, Amt für Statistik und Wahlen, DL-DE-BY-2.0"
    filled = {"name": name, "source": source, "simulated": str(simulated).lower()}
    return Template(_template("project.toml")).substitute(filled)


def _events(counts: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the known events, without those that rest on other numbers than the ones imported.

    An event may say ``all_offences 2015=823 2016=2859``: then it is a fact about these counts, and about no others.
    """
    events = pd.read_csv(io.StringIO(_template("events.csv")), sep=";", dtype="str", keep_default_na=False)
    coded = counts.assign(category=counts["series"].map(OFFENCES))
    known = coded.set_index(["category", "area", "year"])["count"].to_dict()
    known |= {(name, "", year): n for (name, year), n in coded.groupby(["category", "year"])["count"].sum().items()}
    fits = []
    for row in events.to_dict("records"):
        category, *numbers = row["only_if"].split() or [""]
        pairs = [number.split("=") for number in numbers]
        fits.append(all(known.get((category, row["areas"], year)) == int(n) for year, n in pairs))
    unfit = [] if all(fits) else [Problem("delivery.import_events_unfit", n=fits.count(False))]
    return events[fits].drop(columns="only_if"), unfit


def _write_data(target: Path, polygons: "GeoDataFrame", counts: pd.DataFrame, people: pd.DataFrame) -> None:
    areas = pd.DataFrame({"area": polygons["area"], "name": polygons["name"], "district": polygons["area"].str[0]})
    areas["district_name"] = [DISTRICTS[int(key)] for key in areas["district"]]
    areas["residents_meaningful"] = ["nein" if key == CENTRE else "ja" for key in areas["area"]]
    rows = counts.assign(category=counts["series"].map(OFFENCES), order=counts["series"].map(list(OFFENCES).index))
    rows = rows.sort_values(["order", "year", "area"]).rename(columns={"year": "period"})
    rows["reason"] = ["nicht geliefert" if missing else "" for missing in rows["count"].isna()]
    people = people.sort_values(["year", "area"]).rename(columns={"count": "inhabitants"})
    tables = {
        "areas": areas,
        "inhabitants": people[["area", "year", "inhabitants"]],
        "counts": rows[["area", "period", "category", "count", "reason"]],
    }
    for name, table in tables.items():
        _write(target / "data" / f"{name}.csv", _csv(table, name), bom=True)
    geojson = json.dumps(json.loads(polygons.to_crs(4326).to_json()), ensure_ascii=False, separators=(",", ":"))
    _write(target / "data" / "areas.geojson", geojson + "\n")


def _csv(table: pd.DataFrame, contract: str) -> str:
    headings = {column.name: column.label["de"] for column in CONTRACTS[contract].columns}
    written: str = table.rename(columns=headings).to_csv(sep=";", index=False, lineterminator="\n")
    return written


def _write(path: Path, content: str, *, bom: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8-sig" if bom else "utf-8", newline="\n")
