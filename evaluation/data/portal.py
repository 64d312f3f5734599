"""What the city's open-data portal delivers: ``kdvalues`` with names of areas and no keys, and polygons with both.

Files are known by what is in them, not by their names. Everything that is wrong is told at once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.data.cells import read_cell
from evaluation.data.geometry import examine, mend
from evaluation.data.names import Names
from evaluation.errors import DataError, Problem

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_COLUMNS = ["file", "series", "year", "name", "value"]


@dataclass(frozen=True, eq=False)
class Extract:
    """A folder of open data.

    Parameters
    ----------
    cells
        One row a value: ``file, series, year, name`` (of the area) and ``value``, as delivered.
    geometries
        Files with polygons.
    simulated
        Whether a file says that its numbers are simulated.
    notes
        What each file is.
    """

    cells: pd.DataFrame
    geometries: tuple[Path, ...]
    simulated: bool
    notes: tuple[Problem, ...]


def discover(folder: Path, *, required: Sequence[str]) -> Extract:
    """Read the files of a folder.

    Parameters
    ----------
    folder
        With JSON of the interface ``kdvalues`` and GeoJSON.
    required
        Series that there must be.

    Raises
    ------
    DataError
        The folder, a required series or the polygons are missing, a series is in two files, a file cannot be read.
    """
    if not folder.is_dir():
        raise DataError(Problem("delivery.import_no_folder", file=folder.name))
    tables: list[pd.DataFrame] = []
    geometries, simulated = [], False
    notes, problems = [], []
    for path in sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != "."):
        try:
            content: Any = _content(path)
        except ValueError as error:  # no JSON, or not UTF-8
            problems.append(Problem("delivery.import_unreadable", file=path.name, reason=str(error)))
            continue
        if _is_kdvalues(content):
            meta = content.get("meta") or {}
            tables.append(_cells(content["data"], path.name))
            simulated |= bool(meta.get("simulated"))
            notes.append(Problem("delivery.import_series", file=path.name, title=str(meta.get("title", path.stem))))
        elif isinstance(content, dict) and content.get("type") == "FeatureCollection":
            geometries.append(path)
        else:
            notes.append(Problem("delivery.import_unused", file=path.name))
    cells = pd.concat([pd.DataFrame(columns=_COLUMNS, dtype=object), *tables], ignore_index=True)
    problems += _series_problems(cells, required)
    if not geometries:
        problems.append(Problem("delivery.import_no_geometry"))
    if problems:
        raise DataError(*problems)
    return Extract(cells, tuple(geometries), simulated, tuple(notes))


def choose_polygons(extract: Extract, *, mend_geometry: bool = False) -> tuple["GeoDataFrame", list[Problem]]:
    """Return the polygons without a fault, or mended ones where that is allowed.

    Returns
    -------
    polygons : geopandas.GeoDataFrame
        Columns ``area`` (two digits, text), ``name``, ``geometry``; sorted by ``area``.
    notes : list of Problem
        Which file is used, which is not and with what faults, and what was mended.

    Raises
    ------
    DataError
        Every file has faults, and they may not or cannot be mended.
    """
    names = set(extract.cells["name"])
    good: list[tuple[str, GeoDataFrame]] = []
    faulty: list[tuple[str, GeoDataFrame]] = []
    faults: list[Problem] = []
    for path in extract.geometries:
        frame, problems = _named_polygons(path, names)
        if frame is not None:
            problems = examine(frame, file=path.name)
            (faulty if problems else good).append((path.name, frame))
        faults += problems
    if good:
        file, frame = good[0]
        spare = [Problem("delivery.import_geometry_spare", file=other) for other, _ in good[1:]]
        refused = [Problem("delivery.import_geometry_refused", file=other) for other, _ in faulty]
        used = Problem("delivery.import_geometry", file=file, n=len(frame))
        return _sorted(frame), [used, *spare, *refused, *faults]
    if not mend_geometry or not faulty:
        raise DataError(*faults)
    file, frame = faulty[0]
    mended, changes = mend(frame)
    if left := examine(mended, file=file):
        raise DataError(*left)
    notes = [Problem(change.code, file=file, value=change.value) for change in changes]
    return _sorted(mended), [Problem("delivery.import_geometry", file=file, n=len(mended)), *notes]


def join_keys(extract: Extract, names: Names, *, series: Sequence[str]) -> pd.DataFrame:
    """Give every value of the chosen series the key of its area.

    Returns
    -------
    pandas.DataFrame
        Columns ``series, year, area`` (text), ``count`` (whole number or missing); one row for every combination that
        the portal has.

    Raises
    ------
    DataError
        With every name that belongs to no area, value that is no count, area that is there twice or not at all.
    """
    cells = extract.cells[extract.cells["series"].isin(series)].reset_index(drop=True)
    keys = {label: names.key(label) for label in cells["name"].unique()}
    problems = [
        Problem(
            "delivery.unknown_name_nearest" if names.nearest(label) else "delivery.unknown_name",
            file=str(cells.loc[cells["name"] == label, "file"].iloc[0]), value=label, nearest=names.nearest(label),
        )
        for label, key in keys.items()
        if key is None
    ]  # fmt: skip
    counts: list[int | None] = []
    for row in cells.itertuples():
        cell = read_cell(row.value)
        counts.append(cell.count if cell else None)
        if cell is None:
            where = {"series": row.series, "year": row.year, "area": row.name}
            problems.append(Problem("delivery.import_value", file=str(row.file), value=row.value, **where))
    joined = cells.assign(area=cells["name"].map(keys), count=pd.array(counts, dtype="Int64"))
    problems += _completeness(joined, [key for key, _ in names.pairs])
    if problems:
        raise DataError(*problems)
    return joined[["series", "year", "area", "count"]].astype({"series": "str", "year": "str", "area": "str"})


def _content(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8-sig")) if path.suffix.lower() in {".json", ".geojson"} else None


def _is_kdvalues(content: Any) -> bool:
    if not isinstance(content, dict) or not isinstance(content.get("data"), dict) or not content["data"]:
        return False
    years = content["data"].values()
    return all(isinstance(year, dict) and all(isinstance(cells, list) for cells in year.values()) for year in years)


def _cells(data: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]], file: str) -> pd.DataFrame:
    rows = [
        (file, series, year, str(cell.get("district", "")), cell.get("value"))
        for year, by_series in data.items()
        for series, cells in by_series.items()
        for cell in cells
    ]
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object)


def _series_problems(cells: pd.DataFrame, required: Sequence[str]) -> list[Problem]:
    homes = {str(name): sorted(files) for name, files in cells.groupby("series")["file"].unique().items()}
    missing = [Problem("delivery.import_missing_series", value=name) for name in required if name not in homes]
    return missing + [
        Problem("delivery.import_double_series", value=name, files=where)
        for name, where in homes.items()
        if len(where) > 1
    ]


def _named_polygons(path: Path, names: set[str]) -> tuple["GeoDataFrame | None", list[Problem]]:
    """Read polygons: the key is the column of two-digit texts, the name the column with most names of the portal."""
    import geopandas

    try:
        frame = geopandas.read_file(path)
    except (RuntimeError, ValueError, OSError) as error:
        return None, [Problem("delivery.geometry_unreadable", file=path.name, reason=str(error))]
    texts = [column for column in frame.columns if column != "geometry" and frame[column].map(type).eq(str).all()]
    keyed = [column for column in texts if frame[column].str.fullmatch(r"\d\d").mean() > 0.9]
    named = [column for column in texts if frame[column].isin(names).mean() > 0.5]
    if not keyed or not named:
        return None, [Problem("delivery.import_geometry_columns", file=path.name)]
    chosen = frame[[keyed[0], named[0], "geometry"]].set_axis(["area", "name", "geometry"], axis=1)
    return geopandas.GeoDataFrame(chosen, crs=frame.crs), []


def _sorted(frame: "GeoDataFrame") -> "GeoDataFrame":
    return frame.sort_values("area", ignore_index=True)


def _completeness(joined: pd.DataFrame, areas: Sequence[str]) -> list[Problem]:
    """Return areas that a year of a series has twice, or not at all."""
    problems = []
    for (file, series, year), group in joined.dropna(subset=["area"]).groupby(["file", "series", "year"]):
        place = {"file": file, "series": series, "year": year}
        keys = group["area"].tolist()
        double = sorted({key for key in keys if keys.count(key) > 1})
        absent = sorted(set(areas) - set(keys))
        problems += [Problem("delivery.import_double", areas=double, **place)] if double else []
        problems += [Problem("delivery.import_absent", areas=absent, **place)] if absent else []
    return problems
