"""The files of the simulated Leipzig: all tables from one seed, byte by byte the same on every machine."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evaluation.simulate.cells import voronoi
from evaluation.simulate.city import LAST_PUBLISHED, areas, log_levels, model
from evaluation.simulate.deployments import deployments, lots
from evaluation.simulate.files import SIMULATED, csv_bytes, geojson_bytes
from evaluation.simulate.incidents import Incidents, incidents
from evaluation.simulate.respondents import respondents
from evaluation.simulate.streams import Stream

#: A drawn line around the city, counter-clockwise; not its border.
OUTLINE = (
    (12.25, 51.405), (12.225, 51.35), (12.235, 51.29), (12.25, 51.24), (12.31, 51.24), (12.36, 51.262), (12.43, 51.262),
    (12.50, 51.265), (12.54, 51.305), (12.545, 51.345), (12.50, 51.39), (12.47, 51.44), (12.40, 51.445), (12.33, 51.43),
)  # fmt: skip
SOURCE = "Stadt Leipzig, Amt für Statistik und Wahlen, Datenlizenz Deutschland - Namensnennung - Version 2.0"
BLOCKS = ("incidents", "lots", "deployments", "survey", "counts")


@dataclass(frozen=True, eq=False, kw_only=True)
class Leipzig:
    """The simulated city of one seed, cut to some years.

    Parameters
    ----------
    seed
        Seed of everything but the levels of the areas.
    first, last
        Years of registered cases, deployments and inhabitants; survey waves are given up to the last year.
    """

    seed: int
    first: int
    last: int

    @cached_property
    def streams(self) -> dict[str, Stream]:
        """Return the stream of every block."""
        return Stream(self.seed).spawn(*BLOCKS)

    @cached_property
    def lots(self) -> pd.DataFrame:
        """Return the nights of the Nachtschwärmer that were possible, and those picked."""
        return lots(self.streams["lots"])

    @cached_property
    def deployments(self) -> pd.DataFrame:
        """Return all deployments of the whole time."""
        return deployments(self.streams["deployments"], self.lots.loc[self.lots["picked"], "night"])

    @cached_property
    def incidents(self) -> Incidents:
        """Return all cases of the whole time, registered and avoided."""
        rows = self.deployments
        done = rows["part"].eq("nachtschwaermer") & rows["carried_out"]
        return incidents(self.streams["incidents"], rows.loc[done, "start"].dt.normalize())

    @cached_property
    def respondents(self) -> pd.DataFrame:
        """Return the respondents of all waves."""
        return respondents(self.streams["survey"])

    def files(self) -> dict[str, bytes]:
        """Return the content of every file by its path in the project."""
        makers: dict[str, Callable[[], bytes]] = {
            "events.csv": self._events,
            "data/ortsteile.csv": self._areas,
            "data/ortsteile_schematisch.geojson": self._cells,
            "data/einwohner.csv": self._inhabitants,
            "data/vorfaelle_simuliert.csv": self._incidents,
            "data/jahreszahlen_simuliert.csv": self._counts,
            "data/einsaetze_simuliert.csv": self._deployments,
            "data/losung_simuliert.csv": self._lots,
            "data/befragung_simuliert.csv": self._respondents,
        }
        return {path: make() for path, make in makers.items()}

    def _within(self, times: pd.Series) -> pd.Series:
        return times.dt.year.between(self.first, self.last)

    def _events(self) -> bytes:
        rows = pd.DataFrame(_toml("leipzig_events.toml")["events"])
        rows = rows.assign(start=pd.to_datetime(rows["start"]), end=pd.to_datetime(rows["end"]))
        order = ["event", "title_de", "title_en", "start", "end", "areas", "outcomes", "kind", "source"]
        seen = rows["start"].dt.year <= self.last
        remark = "Ereignisse: Tatsachen, bis auf die als simuliert bezeichneten"
        return csv_bytes("events", rows.loc[seen, order], remark)

    def _areas(self) -> bytes:
        rows = [(area.key, area.name, area.district, area.district_name, area.key != "00") for area in areas()]
        names = ["area", "name", "district", "district_name", "residents_meaningful"]
        return csv_bytes("areas", pd.DataFrame(rows, columns=names), f"Namen und Schlüssel: {SOURCE}")

    def _cells(self) -> bytes:
        rings = voronoi({area.key: area.centre for area in areas()}, OUTLINE)
        remark = "Schematische Zellen um gerundete Mittelpunkte, nicht die Grenzen der Ortsteile. Mittelpunkte nach: "
        return geojson_bytes(rings, {area.key: area.name for area in areas()}, remark + SOURCE)

    def _inhabitants(self) -> bytes:
        years = range(self.first, self.last + 1)
        rows = [(area.key, year, area.inhabitants[year]) for year in years for area in areas()]
        guessed = f"{LAST_PUBLISHED + 1} fortgeschrieben, keine amtliche Zahl"
        remark = f"Einwohner am Jahresende bis {LAST_PUBLISHED}: {SOURCE}; {guessed}"
        return csv_bytes("inhabitants", pd.DataFrame(rows, columns=["area", "year", "inhabitants"]), remark)

    def _incidents(self) -> bytes:
        cases = self.incidents.registered
        cases = cases[self._within(cases["occurred_from"])]
        year = cases["occurred_from"].dt.year
        number = cases.groupby(year).cumcount() + 1
        ids = "S" + year.astype("str").str[2:] + "-" + number.astype("str").str.zfill(5)
        order = ["incident_id", "occurred_from", "occurred_to", "recorded", "area", "category", "in_public"]
        return csv_bytes("incidents", cases.assign(incident_id=ids)[order], SIMULATED, encoding="cp1252")

    def _deployments(self) -> bytes:
        rows = self.deployments[self._within(self.deployments["start"])]
        return csv_bytes("deployments", rows, SIMULATED)

    def _lots(self) -> bytes:
        rows = self.lots[self._within(self.lots["night"])]
        dates = {name: rows[name].dt.strftime("%d.%m.%Y") for name in ("night", "weekend")}
        named = pd.DataFrame(
            {
                "Nacht ab": dates["night"],
                "Wochenende ab": dates["weekend"],
                "durch Los": rows["by_lot"],
                "vorgesehen": rows["picked"],
            }
        )
        return csv_bytes("deployments", named, SIMULATED)

    def _respondents(self) -> bytes:
        rows = self.respondents[self.respondents["wave"].astype(int) <= self.last]
        return csv_bytes("respondents", rows, SIMULATED)

    def _counts(self) -> bytes:
        rows = yearly_counts(self.streams["counts"])
        return csv_bytes("counts", rows[rows["period"].astype(int).between(self.first, self.last)], SIMULATED)


def _toml(name: str) -> dict[str, object]:
    import tomllib
    from importlib.resources import files

    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def yearly_counts(stream: Stream) -> pd.DataFrame:
    """Return counts by area and year that arrive aggregated, cells of one or two suppressed."""
    rules = model()["yearly_counts"]
    years = np.arange(model()["first_year"], model()["last_year"] + 1)
    tables = []
    for category, block in stream.spawn(*rules).items():
        rule = rules[category]
        level = np.exp(log_levels())
        shape = (len(level), len(years))
        shock = np.exp(rule["spread"] * block.normal(shape) - rule["spread"] ** 2 / 2)
        trend = np.exp(rule["trend"] * (years - years[0]))
        counts = block.poisson(rule["yearly"] * (level / level.sum())[:, None] * trend * shock)
        keys = [area.key for area in areas()]
        table = pd.DataFrame({"area": np.repeat(keys, len(years)), "period": np.tile(years.astype(str), len(keys))})
        tables.append(table.assign(category=category, count=counts.ravel()))
    rows = pd.concat(tables, ignore_index=True).astype({"count": "Int64"})
    hidden = rows["count"].between(1, 2)
    rows["reason"] = pd.Series("suppressed", index=rows.index).where(hidden)
    rows["lower"] = pd.Series(1, index=rows.index, dtype="Int64").where(hidden)
    rows["upper"] = pd.Series(2, index=rows.index, dtype="Int64").where(hidden)
    rows["count"] = rows["count"].mask(hidden)
    return rows.sort_values(["category", "period", "area"], kind="stable", ignore_index=True)
