"""The open data of the city become a project, with keys from names, and without a silent repair."""

import json
import math
import re
import runpy
import shutil
import tomllib
from dataclasses import replace

import pandas as pd
import pytest

from evaluation import open_project
from evaluation.agreement.register import template_text
from evaluation.data.leipzig import import_open_data
from evaluation.errors import DataError

FILES = [
    "agreement.toml",
    "data/areas.csv",
    "data/areas.geojson",
    "data/counts.csv",
    "data/inhabitants.csv",
    "events.csv",
    "project.toml",
    "studies/weapons_ban_zone.toml",
]
OFFENCES, GEOMETRY = "straftaten-insgesamt.json", "ortsteile.geojson"


@pytest.fixture
def extract(root, tmp_path):
    """A copy of the simulated extract."""
    folder = tmp_path / "offene Daten"
    shutil.copytree(root / "data_samples" / "portal_extract", folder, ignore=shutil.ignore_patterns("*.md", "*.py"))
    return folder


def written(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run(folder, into, **options):
    return import_open_data(folder, into, register="# Register\n", **options)


def change(path, edit):
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def problems_of(folder, into, **options):
    with pytest.raises(DataError) as raised:
        run(folder, into, **options)
    assert not into.exists()
    assert [path.name for path in into.parent.iterdir() if path.name.endswith(".partial")] == []
    return raised.value.worded("de").splitlines()


def test_the_extract_is_made_anew_byte_by_byte(root, tmp_path):
    folder = root / "data_samples" / "portal_extract"
    runpy.run_path(str(folder / "make.py"))["main"](tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert len(list(tmp_path.iterdir())) == 3
    for name in ("straftaten-insgesamt.json", "einwohner-insgesamt.json"):
        meta = json.loads((folder / name).read_text(encoding="utf-8"))["meta"]
        assert meta["note"] == "Simulierte Daten: erfunden, keine Zahlen der Stadt Leipzig"


def test_a_complete_project_is_written(extract, tmp_path):
    into = tmp_path / "mein Leipzig"
    imported = run(extract, into)
    assert imported.folder == into
    assert written(into) == FILES
    project = tomllib.loads((into / "project.toml").read_text(encoding="utf-8"))
    assert project["simulated"] is True
    assert project["name"] == "Leipzig (simulierter Auszug)"
    assert list(project["outcomes"]) == ["all_offences", "theft", "bodily_harm", "property"]
    areas = pd.read_csv(into / "data/areas.csv", sep=";", dtype="str", encoding="utf-8-sig")
    assert areas.iloc[0].tolist() == ["00", "Zentrum", "0", "Mitte", "nein"]
    assert len(areas) == 63
    raw = json.loads((extract / OFFENCES).read_text(encoding="utf-8"))["data"]
    counts = pd.read_csv(into / "data/counts.csv", sep=";", dtype={"Zeitraum": "str"}, encoding="utf-8-sig")
    assert counts.loc[counts["Schlüssel"] == "theft", "Anzahl"].sum() == sum(
        cell["value"] for year in raw.values() for cell in year["Diebstahl"]
    )
    assert counts.groupby("Schlüssel")["Zeitraum"].min().to_dict() == {
        "all_offences": "2008",
        "bodily_harm": "2008",
        "property": "2010",
        "theft": "2008",
    }
    assert (into / "agreement.toml").read_text(encoding="utf-8") == "# Register\n"


def test_what_is_said(extract, tmp_path):
    lines = run(extract, tmp_path / "p").worded("de").splitlines()
    assert lines[:9] == [
        "Datei einwohner-insgesamt.json: Gelesen als Reihen des Portals: Einwohner insgesamt.",
        "Datei straftaten-insgesamt.json: Gelesen als Reihen des Portals: Straftaten insgesamt.",
        "Datei ortsteile.geojson: Geometrie mit 63 Ortsteilen verwendet; daraus stammen die Schlüssel.",
        "Wert „Straftaten je Einwohner“: Nicht übernommen: Aus welcher Einwohnerzahl die Rate gerechnet ist, lässt "
        "sich mit den Zahlen zum Jahresende nicht nachvollziehen.",
        "Wert „Straftaten insgesamt“: Stadtsumme 2008: 55.921, 2022: 75.074.",
        "Wert „Diebstahl“: Stadtsumme 2008: 25.294, 2022: 33.579.",
        "Wert „Körperverletzung“: Stadtsumme 2008: 3.067, 2022: 6.812.",
        "Wert „Vermögensdelikte“: Stadtsumme 2010: 8.872, 2022: 10.676.",
        "Wert „Einwohner insgesamt“: Stadtsumme 2008: 565.584, 2023: 662.449.",
    ]
    assert lines[9] == "Bekannte Ereignisse, die zu anderen Zahlen gehören und nicht eingetragen wurden: 4."
    assert any("Mockau-Nord, Straftaten insgesamt: 2015 weicht einmalig ab" in line for line in lines)
    harm = "Stadt insgesamt, Körperverletzung: Ab 2012 liegt die Zahl auf einem anderen Niveau"
    assert any(harm in line for line in lines)


def test_files_are_known_by_content_not_by_name(extract, tmp_path):
    for number, path in enumerate(sorted(extract.iterdir())):
        path.rename(extract / f"download({number}).json")
    run(extract, tmp_path / "p")
    assert written(tmp_path / "p") == FILES


def test_a_name_without_polygon_is_an_error_with_the_nearest(extract, tmp_path):
    def edit(content):
        content["data"]["2020"]["Diebstahl"][0]["district"] = "Grünau-Mite"

    change(extract / OFFENCES, edit)
    lines = problems_of(extract, tmp_path / "p")
    assert lines[0] == (
        "Datei straftaten-insgesamt.json, Wert „Grünau-Mite“: Der Name gehört zu keinem Gebiet. Gemeint sein könnte "
        "„62 Grünau-Mitte“. Abhilfe: Namen wie in der Tabelle der Gebiete schreiben."
    )
    assert re.fullmatch(
        r"Datei straftaten-insgesamt\.json: In der Reihe „Diebstahl“ \(2020\) fehlen: \d\d\. Abhilfe: Die Datei neu "
        r"herunterladen; die Geometrie muss dieselben Ortsteile haben\.",
        lines[1],
    )


def test_wrong_values_and_doubles_are_told_at_once(extract, tmp_path):
    def edit(content):
        cells = content["data"]["2020"]["Diebstahl"]
        cells[0]["value"] = -3
        cells[1]["value"] = "viele"
        cells[3]["district"] = cells[2]["district"]

    change(extract / OFFENCES, edit)
    with pytest.raises(DataError) as raised:
        run(extract, tmp_path / "p")
    codes = [problem.code.removeprefix("delivery.import_") for problem in raised.value.problems]
    assert codes == ["value", "value", "double", "absent"]
    assert (
        raised.value.problems[0]
        .worded("en")
        .endswith("(2020) is no count. What to do: Download the file anew, or ask the office about the value.")
    )


def test_an_empty_value_is_missing_and_never_zero(extract, tmp_path):
    def edit(content):
        content["data"]["2020"]["Diebstahl"][0]["value"] = None

    change(extract / OFFENCES, edit)
    run(extract, tmp_path / "p")
    counts = pd.read_csv(tmp_path / "p/data/counts.csv", sep=";", dtype={"Zeitraum": "str"}, encoding="utf-8-sig")
    missing = counts[counts["Anzahl"].isna()]
    assert missing[["Zeitraum", "Schlüssel", "Fehlgrund"]].to_numpy().tolist() == [["2020", "theft", "nicht geliefert"]]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda folder: (folder / OFFENCES).unlink(), ["import_missing_series"]),
        (lambda folder: (folder / GEOMETRY).unlink(), ["import_no_geometry"]),
        (lambda folder: shutil.copy(folder / OFFENCES, folder / "copy.json"), ["import_double_series"] * 5),
        (lambda folder: (folder / "b.json").write_text("{", encoding="utf-8"), ["import_unreadable"]),
        (lambda folder: (folder / "b.json").write_text("ü", encoding="cp1252"), ["import_unreadable"]),
        (shutil.rmtree, ["import_no_folder"]),
    ],
)
def test_files_that_are_missing_double_or_unreadable(extract, tmp_path, spoil, expected):
    spoil(extract)
    with pytest.raises(DataError) as raised:
        run(extract, tmp_path / "p")
    assert [problem.code for problem in raised.value.problems] == [f"delivery.{code}" for code in expected]
    assert not (tmp_path / "p").exists()


def spoil_geometry(content):
    for feature in content["features"]:
        feature["geometry"]["coordinates"] = [[[y, x] for x, y in ring] for ring in feature["geometry"]["coordinates"]]
    corners = [[51.2, 12.2], [51.5, 12.2], [51.5, 12.6], [51.2, 12.6], [51.2, 12.2]]
    properties = {"ot": "XX", "name": "Gesamt"}
    city = {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [corners]}}
    content["features"].insert(0, city)


def test_faulty_polygons_are_refused_or_mended_on_request(extract, tmp_path):
    change(extract / GEOMETRY, spoil_geometry)
    lines = problems_of(extract, tmp_path / "p")
    assert [line.split(": ")[1] for line in lines] == [
        "Länge und Breite sind vertauscht",
        "Das Objekt bedeckt alle anderen zusammen",
    ]
    imported = run(extract, tmp_path / "p", mend_geometry=True)
    said = imported.worded("de")
    assert "Datei ortsteile.geojson: Länge und Breite waren vertauscht und wurden getauscht." in said
    assert "Datei ortsteile.geojson, Wert „XX“: Das Objekt für die ganze Stadt wurde weggelassen." in said
    collection = json.loads((tmp_path / "p/data/areas.geojson").read_text(encoding="utf-8"))
    assert len(collection["features"]) == 63
    assert collection["features"][0]["properties"] == {"area": "00", "name": "Zentrum"}


def test_a_faulty_file_beside_a_good_one_is_named_and_not_used(extract, tmp_path):
    shutil.copy(extract / GEOMETRY, extract / "districts.json")
    change(extract / "districts.json", spoil_geometry)
    said = run(extract, tmp_path / "p").worded("de").splitlines()
    assert "Datei districts.json: Geometrie mit Fehlern, nicht verwendet:" in said
    assert sum(line.startswith("Datei districts.json") for line in said) == 3


def test_a_project_that_is_there_is_not_touched(extract, tmp_path):
    into = tmp_path / "p"
    run(extract, into)
    (into / "events.csv").write_text("meine", encoding="utf-8")
    with pytest.raises(DataError, match=r"^File p: The folder exists already and is not empty\."):
        run(extract, into)
    assert (into / "events.csv").read_text(encoding="utf-8") == "meine"


def test_overwriting_renews_the_data_and_keeps_what_people_wrote(extract, tmp_path):
    into = tmp_path / "p"
    run(extract, into)
    (into / "events.csv").write_text("meine", encoding="utf-8")
    (into / "reports").mkdir()
    (into / "reports/note.txt").write_text("1", encoding="utf-8")
    (into / "data/counts.csv").write_text("old", encoding="utf-8")
    imported = run(extract, into, overwrite=True)
    assert (into / "events.csv").read_text(encoding="utf-8") == "meine"
    assert written(into) == sorted([*FILES, "reports/note.txt"])
    assert (into / "data/counts.csv").read_text(encoding="utf-8") != "old"
    assert "Datei events.csv: Bleibt, wie es ist; nur die Daten wurden erneuert." in imported.worded("de")


def test_a_folder_that_is_no_project_is_never_overwritten(extract, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/thesis.docx").write_text("1", encoding="utf-8")
    with pytest.raises(DataError, match=r"^File p: The folder is no project \(project\.toml is missing\)"):
        run(extract, tmp_path / "p", overwrite=True)


def test_two_imports_are_equal_to_the_byte(extract, tmp_path):
    for name in ("a", "b"):
        run(extract, tmp_path / name)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_real_city(shared, tmp_path):
    into = tmp_path / "leipzig"
    imported = import_open_data(shared / "data" / "leipzig", into, register=template_text())
    assert written(into) == FILES
    counts = pd.read_csv(into / "data/counts.csv", sep=";", dtype={"Zeitraum": "str"}, encoding="utf-8-sig")
    city = counts[counts["Schlüssel"] == "all_offences"].groupby("Zeitraum")["Anzahl"].sum()
    assert (city["2016"], city["2022"]) == (86_951, 65_433)
    people = pd.read_csv(into / "data/inhabitants.csv", sep=";", encoding="utf-8-sig")
    assert people.loc[people["Jahr"] == 2023, "Einwohner"].sum() == 628_718
    project = tomllib.loads((into / "project.toml").read_text(encoding="utf-8"))
    assert project["simulated"] is False
    events = pd.read_csv(into / "events.csv", sep=";", dtype="str", encoding="utf-8-sig")
    assert events["Ereignis"].tolist()[-4:] == [
        "harm_recorded",
        "mockau_nord_2016",
        "grosszschocher_2011",
        "zentrum_ost_2022",
    ]
    said = imported.worded("de")
    assert "Stadt insgesamt, Körperverletzung: Ab 2010 liegt die Zahl auf einem anderen Niveau (3.379 → 5.700" in said
    assert "Mockau-Nord, Straftaten insgesamt: 2016 weicht einmalig ab (823 → 2.859, danach 812)." in said
    assert "Großzschocher, Straftaten insgesamt: 2011 weicht einmalig ab (797 → 1.867, danach 910)." in said
    assert "Zentrum-Ost, Straftaten insgesamt: 2022 liegt weit außerhalb des Üblichen (3.170 → 4.842" in said
    assert "Datei leipzig-districts.json: Geometrie mit Fehlern, nicht verwendet:" in said


def test_the_real_faulty_polygons_alone(shared, tmp_path):
    folder = tmp_path / "only"
    shutil.copytree(shared / "data" / "leipzig", folder, ignore=shutil.ignore_patterns("*.geojson", "*.csv"))
    for path in [folder, *folder.iterdir()]:
        path.chmod(0o755)  # the shared folder is read-only
    assert len(problems_of(folder, tmp_path / "p")) == 2
    imported = run(folder, tmp_path / "p", mend_geometry=True)
    assert "Länge und Breite waren vertauscht und wurden getauscht." in imported.worded("de")


def test_the_weapons_ban_zone_on_the_real_city(shared, tmp_path):
    """Bodily harm 2017-18 against 2019-20: the pooled ratio, and p-values that depend on the years taken."""
    import_open_data(shared / "data" / "leipzig", tmp_path / "p", register=template_text())
    project = open_project(tmp_path / "p", year=2022)
    study, method = project.study("weapons_ban_zone"), project.method("weapons_ban_zone")
    panel = project.panel(study)
    assert (study.treated, study.leave_out, study.exposure) == (("20", "21"), "neighbours", False)
    assert (method.before, method.after) == (2, 2)
    assert panel.comparison.sum() == 63 - 2 - 7
    tables = {
        (before, after): replace(method, before=before, after=after).estimate(panel).table.set_index("term")
        for before, after in [(2, 2), (3, 1), (3, 2), (2, 1)]
    }
    assert math.exp(tables[2, 2].loc["unadjusted", "estimate"]) == pytest.approx(1.147, abs=0.0005)
    p_values = [table.loc["effect", "p_value"] for table in tables.values()]
    assert 0.02 < min(p_values) < 0.05 < 0.15 < max(p_values) < 0.26
