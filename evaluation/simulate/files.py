"""Tables as the bytes of a German delivery: semicolon, decimal comma, ja/nein, 31.12.2023, German headings.

Every file says in its first line whether it is simulated.
"""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from evaluation.data.contracts import Column, contract_of
from evaluation.simulate.cells import Point

LINE_END = "\r\n"
SIMULATED = "Simulierte Daten: erfunden, keine echten Vorgänge und keine echten Personen"


def csv_bytes(table: str, frame: pd.DataFrame, remark: str, *, encoding: str = "utf-8-sig") -> bytes:
    """Return a table as a CSV file.

    Parameters
    ----------
    table
        Name of the contract, whose German headings and labels are used; a column that it does not have keeps its name.
    frame
        The rows.
    remark
        First line of the file, after a number sign.
    encoding
        ``utf-8-sig`` or ``cp1252``.

    Examples
    --------
    >>> frame = pd.DataFrame({"area": ["00"], "year": [2022], "inhabitants": [1901]})
    >>> csv_bytes("inhabitants", frame, "Quelle: …", encoding="cp1252").decode("cp1252").splitlines()
    ['# Quelle: …', 'Ortsteil-Schlüssel;Jahr;Einwohner', '00;2022;1901']
    """
    columns = {column.name: column for column in contract_of(table).columns}
    headings = [columns[name].label["de"] if name in columns else name for name in frame]
    cells = [_texts(frame[name], columns.get(name)) for name in frame]
    lines = [f"# {remark}", ";".join(headings), *(";".join(row) for row in zip(*cells, strict=True))]
    return (LINE_END.join(lines) + LINE_END).encode(encoding)


def _texts(values: pd.Series, column: Column | None) -> Sequence[str]:
    """Return the cells of a column as the file holds them; a missing value is an empty cell."""
    kind = column.kind if column else ""
    if kind == "datetime":
        texts = values.dt.strftime("%d.%m.%Y %H:%M")
    elif kind == "date":
        texts = values.dt.strftime("%d.%m.%Y")
    elif pd.api.types.is_bool_dtype(values):
        texts = values.map({True: "ja", False: "nein"})
    elif pd.api.types.is_float_dtype(values):
        texts = values.map(lambda value: f"{value:.2f}".replace(".", ","), na_action="ignore")
    elif column and column.allowed:
        texts = values.map({code: label["de"] for code, label in column.allowed.items()})
    else:
        texts = values.astype("str")
    cells: list[str] = texts.astype(object).where(values.notna(), "").tolist()
    return cells


def geojson_bytes(rings: Mapping[str, Sequence[Point]], names: Mapping[str, str], remark: str) -> bytes:
    """Return polygons as GeoJSON (RFC 7946), one feature a line.

    Parameters
    ----------
    rings
        Closed outline by key, counter-clockwise.
    names
        Name by key.
    remark
        Goes into the member ``description``.
    """
    features = [
        {
            "type": "Feature",
            "properties": {"area": key, "name": names[key]},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for key, ring in rings.items()
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    head = json.dumps(remark, ensure_ascii=False)
    text = f'{{"type": "FeatureCollection",\n"description": {head},\n"features": [\n{lines}\n]}}\n'
    return text.encode("utf-8")
