"""The folder of a project: tables, years, register, studies, panels, samples."""

import hashlib
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pandas as pd
import pytest

import evaluation
from evaluation.errors import DataError, DesignError
from evaluation.project import open_project

from .conftest import (
    AGREEMENT,
    AREAS,
    DEPLOYMENTS,
    EVENTS,
    INCIDENTS,
    PROJECT,
    RESPONDENTS,
    STUDY,
    SURVEY,
    count_rows,
    incident_rows,
)


def test_what_project_toml_says(city) -> None:
    project = open_project(city())
    assert (project.name, project.language, project.languages) == ("Kleinstadt", "de", ("de", "en"))
    assert (project.state, project.simulated, project.version) == ("draft", False, "")
    assert project.publication.minimum_cell == 5
    assert project.outcomes["theft"].id == "theft"
    assert project.outcomes["theft"].title["en"] == "theft"
    assert project.source("areas") == "Amt für Statistik"
    assert project.source("counts") == "Stadt Kleinstadt"
    with pytest.raises(FrozenInstanceError):
        project.year = 2020


def test_name_and_source_in_both_languages(city) -> None:
    both = PROJECT.replace('name = "Kleinstadt"', 'name = { de = "Kleinstadt", en = "Small town" }')
    both = both.replace(
        'source = "Amt für Statistik"', 'source = { de = "Amt für Statistik", en = "Office for Statistics" }'
    )
    project = open_project(city({"project.toml": both}))
    assert (project.name, project.file.name["en"]) == ("Kleinstadt", "Small town")
    assert (project.source("areas"), project.source("areas", "en")) == ("Amt für Statistik", "Office for Statistics")
    assert project.source("counts", "en") == project.origin("en") == "Stadt Kleinstadt"


def test_a_name_in_one_language_only_or_none_is_a_mistake(city) -> None:
    for given, said in (
        ('{ de = "Kleinstadt" }', "name: Der Text in der Sprache „en“ fehlt."),
        ("7", "name: „7“ ist kein Text."),
    ):
        wrong = PROJECT.replace('name = "Kleinstadt"', f"name = {given}")
        with pytest.raises(DataError) as raised:
            open_project(city({"project.toml": wrong}))
        assert said in raised.value.worded("de")


def test_the_public_name_is_the_same(city) -> None:
    assert evaluation.open_project is open_project


def test_a_table_that_is_not_declared_is_no_error(city) -> None:
    project = open_project(city())
    assert not project.has("respondents")
    assert project.has("events")
    assert project.check().ok
    with pytest.raises(DataError) as caught:
        project.table("respondents")
    assert caught.value.worded("de") == (
        "Tabelle respondents: Das Projekt gibt diese Tabelle nicht an. Abhilfe: In project.toml unter "
        "[tables.respondents] die "
        "Datei angeben."
    )


def test_a_declared_file_that_is_missing_is_one(city) -> None:
    project = open_project(city({"data/counts.csv": None}))
    check = project.check()
    assert [problem.worded("de") for problem in check.problems] == [
        "Datei data/counts.csv, Tabelle counts: Die angegebene Datei gibt es nicht. Abhilfe: Die Datei in diesen "
        "Ordner legen "
        "oder den Eintrag file in project.toml berichtigen."
    ]


def test_changing_a_table_does_not_change_what_is_kept(city) -> None:
    project = open_project(city())
    table = project.table("counts")
    table.loc[0, "count"] = 0
    assert project.table("counts").loc[0, "count"] == 100


def test_nothing_later_than_the_year_is_seen(city) -> None:
    files = {"data/incidents.csv": incident_rows(), "data/respondents.csv": RESPONDENTS}
    folder = city(files, more=INCIDENTS + SURVEY)
    project = open_project(folder, year=2021)
    assert project.table("counts")["period"].max() == "2021"
    assert project.inhabitants()["year"].max() == 2021
    assert project.table("incidents")["occurred_from"].max().year == 2021
    assert project.table("respondents")["wave"].unique().tolist() == ["2020"]
    assert [event.id for event in project.events] == ["zone"]
    assert project.counts("theft")["period"].max() == "2021"
    assert project.counts("robbery", period="month")["period"].max() == "2021-12"
    assert project.panel("patrols").periods == ("2019", "2020", "2021")
    assert len(open_project(folder).table("counts")) == 24


def test_hashes_of_all_inputs(city) -> None:
    folder = city()
    inputs = open_project(folder).inputs
    assert list(inputs) == [
        "agreement.toml",
        "data/areas.csv",
        "data/areas.geojson",
        "data/counts.csv",
        "data/inhabitants.csv",
        "events.csv",
        "project.toml",
        "studies/patrols.toml",
    ]
    for name, digest in inputs.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_all_parts_of_a_shapefile_are_hashed(city) -> None:
    import geopandas

    folder = city()
    geopandas.read_file(folder / "data" / "areas.geojson").to_file(folder / "data" / "gebiete.shp")
    (folder / "project.toml").write_text(PROJECT.replace("areas.geojson", "gebiete.shp"), encoding="utf-8")
    project = open_project(folder)
    shape = [name for name in project.inputs if name.startswith("data/gebiete")]
    assert {"data/gebiete.shp", "data/gebiete.dbf", "data/gebiete.shx", "data/gebiete.prj"} <= set(shape)
    assert project.neighbours()["00"] == {"01", "10", "11"}


def test_a_geopackage(city) -> None:
    import geopandas

    folder = city()
    geopandas.read_file(folder / "data" / "areas.geojson").to_file(folder / "data" / "gebiete.gpkg")
    (folder / "project.toml").write_text(PROJECT.replace("areas.geojson", "gebiete.gpkg"), encoding="utf-8")
    assert open_project(folder).neighbours()["12"] == {"01", "02", "11"}


def test_without_polygons_there_are_no_neighbours(city) -> None:
    project = open_project(city({"project.toml": PROJECT.replace('geometry = "data/areas.geojson"', "")}))
    assert project.geometry() is None
    assert project.neighbours() is None


def test_events_as_values(city) -> None:
    zone = open_project(city()).events[0]
    assert (zone.id, zone.title["de"], zone.areas, zone.outcomes, zone.kind) == (
        "zone",
        "Zone",
        ("10", "11"),
        ("theft",),
        "law",
    )
    assert (str(zone.start), zone.end, zone.source) == ("2020-11-05", None, "")


# --- studies ---


def test_a_study_takes_areas_and_start_from_the_register(city) -> None:
    project = open_project(city())
    study = project.study("patrols")
    assert study.starts == {"01": "2021-01"}
    assert study.exposure
    assert study.source == "studies/patrols.toml"
    assert project.studies == ("patrols",)


def test_a_study_of_an_event_takes_them_from_the_events(city) -> None:
    of_event = STUDY.replace('measure = "A2"', 'event = "zone"')
    study = open_project(city({"studies/patrols.toml": of_event})).study("patrols")
    assert study.starts == {"10": "2020-11", "11": "2020-11"}


def test_areas_that_start_after_the_year_are_not_treated_yet(city) -> None:
    register = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
    assert 'areas = { "01" = "2021-01" }' in register
    later = AGREEMENT.replace('{ "01" = "2021-01" }', '{ "01" = "2021-01", "12" = "2022-03" }')
    folder = city({"agreement.toml": later})
    assert open_project(folder, year=2021).study("patrols").starts == {"01": "2021-01"}
    assert open_project(folder).study("patrols").treated == ("01", "12")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'measure = "A2"',
            'measure = "A22"',
            "Datei studies/patrols.toml, Wert „A22“: Die Studie „patrols“ nennt eine Maßnahme, die nicht im Register "
            "steht. Abhilfe: "
            "Gemeint sein könnte „A2“.",
        ),
        (
            'measure = "A2"',
            'event = "zoen"',
            "Datei studies/patrols.toml, Wert „zoen“: Die Studie „patrols“ nennt ein Ereignis, das nicht in der "
            "Tabelle "
            "der "
            "Ereignisse steht. Abhilfe: Gemeint sein könnte „zone“.",
        ),
        (
            'outcome = "theft"',
            'outcome = "teft"',
            "Datei studies/patrols.toml, Wert „teft“: Die Studie „patrols“ nennt eine Zahl, die das Projekt nicht "
            "kennt. Abhilfe: "
            "Gemeint sein könnte „theft“.",
        ),
        (
            'period = "year"',
            'period = "year"\nreason = "Akte 7"\ntreated_since = { "1" = "2021" }',
            "Datei studies/patrols.toml, Wert „1“: Die Studie „patrols“ nennt ein Gebiet, das es nicht gibt. "
            "Abhilfe: "
            "Gemeint sein "
            "könnte „01“.",
        ),
        (
            'period = "year"',
            'period = "year"\ntreated_since = { "01" = "2021-01", "02" = "2021-01" }',
            "Datei studies/patrols.toml: Die Studie „patrols“ weicht bei 02 vom Register ab, ohne einen Grund zu "
            "nennen. Abhilfe: "
            'reason = "…" unter [study] ergänzen, oder treated_since streichen: Dann gilt das Register.',
        ),
        (
            'measure = "A2"',
            "",
            "Datei studies/patrols.toml: Die Studie „patrols“ nennt weder eine Maßnahme noch ein Ereignis oder "
            "beides "
            "zugleich. "
            "Abhilfe: Genau eines von measure und event angeben.",
        ),
        (
            'period = "year"',
            'period = "year"\nunit = "precinct"\ntreated_since = { "Nord" = "2021" }',
            "Datei studies/patrols.toml: Die Studie „patrols“ vergleicht nach precinct, aber die Tabelle der Gebiete "
            "hat diese Spalte "
            'nicht. Abhilfe: Die Spalte precinct in der Tabelle der Gebiete ergänzen oder unit = "area" wählen.',
        ),
    ],
)
def test_a_study_that_names_what_does_not_exist(city, old: str, new: str, expected: str) -> None:
    assert old in STUDY
    project = open_project(city({"studies/patrols.toml": STUDY.replace(old, new)}))
    with pytest.raises(DesignError) as caught:
        project.study("patrols")
    assert caught.value.worded("de") == expected
    assert [problem.worded("de") for problem in project.check().problems] == [expected]


def test_a_measure_without_areas_cannot_be_studied(city) -> None:
    project = open_project(city({"agreement.toml": AGREEMENT.replace('areas = { "01" = "2021-01" }', "")}))
    with pytest.raises(DesignError) as caught:
        project.study("patrols")
    assert caught.value.worded("de") == (
        "Datei studies/patrols.toml: Für die Studie „patrols“ ist kein Gebiet mit Maßnahme bekannt. Abhilfe: Gebiete "
        "und Beginn im "
        "Register unter areas angeben, oder in der Studie treated_since."
    )


def test_a_deviation_with_a_reason_is_taken_and_kept(city) -> None:
    other = STUDY.replace('period = "year"', 'period = "year"\nreason = "Akte 7"\ntreated_since = { "02" = "2021" }')
    study = open_project(city({"studies/patrols.toml": other})).study("patrols")
    assert study.starts == {"02": "2021"}
    assert study.reasons == {"treated_since": "Akte 7"}
    assert study.excluded == ("01",), "an area that has the measure by the register is not compared"


def test_a_measure_that_has_not_begun(city) -> None:
    other = STUDY.replace('period = "year"', 'period = "year"\nreason = "x"\ntreated_since = { "02" = "2022-05" }')
    project = open_project(city({"studies/patrols.toml": other}), year=2021)
    assert project.study("patrols").starts == {"02": "2022-05"}, "declared in advance"
    with pytest.raises(DesignError) as caught:
        project.panel("patrols")
    assert [problem.code for problem in caught.value.problems] == ["core.panel_no_after"]


def test_areas_that_follow_later_are_not_seen_in_an_earlier_year(city) -> None:
    register = AGREEMENT.replace('areas = { "01" = "2021-01" }', 'areas = { "01" = "2021-01", "02" = "2022-05" }')
    study = open_project(city({"agreement.toml": register}), year=2021).study("patrols")
    assert (study.starts, study.excluded) == ({"01": "2021-01"}, ())


def test_a_study_of_an_event_that_lies_ahead(city) -> None:
    event = STUDY.replace('measure = "A2"', 'event = "later"\ntreated = ["10"]\ntreated_since = "2022-01"')
    project = open_project(city({"studies/patrols.toml": event}), year=2021)
    assert [other.id for other in project.events] == ["zone"]
    assert project.study("patrols").starts == {"10": "2022-01"}


def test_a_study_that_does_not_exist(city) -> None:
    with pytest.raises(DataError) as caught:
        open_project(city()).study("patrol")
    assert caught.value.worded("de") == (
        "Die Studie „patrol“ gibt es nicht. Abhilfe: Gemeint sein könnte „patrols“; vorhanden sind patrols."
    )


def test_the_method_of_a_study(city) -> None:
    method = open_project(city()).method("patrols")
    assert (type(method).__name__, method.before, method.after) == ("TwoByTwo", 2, 1)


def test_other_specifications_and_options_inside_of_options(city) -> None:
    more = (
        STUDY + '[[sensitivity]]\nclass = "TwoByTwo"\nbefore = 1\ninference = { class = "Randomization", seed = 7 }\n'
    )
    [other] = open_project(city({"studies/patrols.toml": more})).sensitivities("patrols")
    assert (other.before, other.inference.seed) == (1, 7)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "before = 2",
            "befor = 2",
            "Datei studies/patrols.toml, Wert „befor“: TwoByTwo kennt diese Option nicht. Abhilfe: Gemeint sein "
            "könnte "
            "„before“.",
        ),
        (
            "before = 2",
            'before = "2"',
            "Datei studies/patrols.toml, Wert „2“: TwoByTwo: Der Wert hat für before nicht die richtige Art. "
            "Abhilfe: "
            "Zahlen ohne, "
            "Wörter mit Anführungszeichen angeben.",
        ),
    ],
)
def test_an_option_that_is_none(city, old: str, new: str, expected: str) -> None:
    project = open_project(city({"studies/patrols.toml": STUDY.replace(old, new)}))
    with pytest.raises(DesignError) as caught:
        project.method("patrols")
    assert caught.value.worded("de") == expected


def test_a_method_that_does_not_exist(city) -> None:
    project = open_project(city({"studies/patrols.toml": STUDY.replace('"TwoByTwo"', '"TwoBytwo"')}))
    with pytest.raises(DesignError) as caught:
        project.method("patrols")
    assert caught.value.worded("de") == (
        "Datei studies/patrols.toml, Wert „TwoBytwo“: Dieses Verfahren gibt es nicht. Abhilfe: Gemeint sein könnte "
        "„TwoByTwo“; möglich sind TwoByTwo, EventStudy, TwoWayFixedEffects, GroupTime, Imputation, PoissonCohorts, "
        "SyntheticControl, SyntheticDifference, TripleDifference und DoseResponse."
    )


def test_a_study_may_ask_for_cluster_robust_inference(city) -> None:
    asked = STUDY + 'inference = { class = "ClusterRobust", level = 0.9 }\n'
    method = open_project(city({"studies/patrols.toml": asked})).method("patrols")
    assert method.inference == evaluation.ClusterRobust(level=0.9)


def test_options_of_an_inference_are_read_with_it(city) -> None:
    clusters = 'inference = { class = "ClusterRobust", clusters = { "00" = "0", "10" = "1" } }'
    project = open_project(city({"studies/patrols.toml": STUDY + clusters + "\n"}))
    assert project.method("patrols").inference == evaluation.ClusterRobust(clusters={"00": "0", "10": "1"})
    near = 'inference = { class = "Conley", cutoff = 2 }'
    project = open_project(city({"studies/patrols.toml": STUDY + near + "\n"}))
    assert project.method("patrols").inference == evaluation.Conley(cutoff=2)


KINDS = "Randomization, ClusterRobust, MultiplierBootstrap, ScoreWild and Conley"


@pytest.mark.parametrize(
    ("inference", "expected"),
    [
        (
            '{ class = "Clusterrobust" }',
            "File studies/patrols.toml, value “Clusterrobust”: There is no such method. What to do: Perhaps "
            f"“ClusterRobust” is meant; possible are {KINDS}.",
        ),
        (
            '{ class = "Mean" }',
            "File studies/patrols.toml, value “Mean”: There is no such method. What to do: Perhaps "
            f"“Randomization” is meant; possible are {KINDS}.",
        ),
        (
            '"ClusterRobust"',
            "File studies/patrols.toml, value “ClusterRobust”: TwoByTwo: inference has options of its own. What to do: "
            f'Write inference = {{ class = "ClusterRobust" }}; possible are {KINDS}.',
        ),
        (
            '{ class = "Conley" }',
            "File studies/patrols.toml: Conley cannot do without cutoff. What to do: Give cutoff a value; "
            "evaluation.Conley says what it means.",
        ),
    ],
)
def test_an_inference_that_is_none(city, inference: str, expected: str) -> None:
    project = open_project(city({"studies/patrols.toml": STUDY + f"inference = {inference}\n"}))
    with pytest.raises(DesignError) as caught:
        project.method("patrols")
    assert str(caught.value) == expected


# --- panels and samples ---


def test_the_panel_of_a_study(city) -> None:
    project = open_project(city())
    panel = project.panel("patrols")
    assert panel.units == tuple(AREAS)
    assert panel.periods == ("2019", "2020", "2021", "2022")
    assert panel.outcome[1].tolist() == [110, 111, 112, 113]
    assert panel.exposure[1].tolist() == [2000] * 4
    assert panel.starts.tolist() == [-1, 2, -1, -1, -1, -1]
    assert panel.neighbours["01"] == {"00", "02", "10", "11", "12"}
    placebo = project.panel(replace(panel.study, treated_since="2020"))
    assert placebo.starts.tolist() == [-1, 1, -1, -1, -1, -1]


def test_a_panel_of_months_from_incidents(city) -> None:
    monthly = STUDY.replace('outcome = "theft"', 'outcome = "robbery"').replace('"year"', '"month"')
    files = {"data/incidents.csv": incident_rows(), "studies/patrols.toml": monthly}
    panel = open_project(city(files, more=INCIDENTS)).panel("patrols")
    assert len(panel.periods) == 48
    assert set(panel.outcome[0]) == {3}
    assert set(panel.outcome[1]) == {0}
    assert not panel.study.exposure


def test_a_panel_of_districts(city) -> None:
    by_district = STUDY.replace('"year"', '"year"\nunit = "district"\ntreated_since = { "1" = "2021" }')
    panel = open_project(city({"studies/patrols.toml": by_district})).panel("patrols")
    assert panel.units == ("0", "1")
    assert panel.outcome.tolist() == [[330, 333, 336, 339], [420, 423, 426, 429]]
    assert panel.exposure[:, 0].tolist() == [6000, 15000]
    assert panel.neighbours == {"0": {"1"}, "1": {"0"}}


def test_yearly_counts_cannot_make_a_panel_of_months(city) -> None:
    project = open_project(city({"studies/patrols.toml": STUDY.replace('"year"', '"month"')}))
    with pytest.raises(DesignError) as caught:
        project.panel("patrols")
    assert caught.value.worded("de") == (
        'Tabelle counts: Für „theft“ liegen nur Jahreszahlen vor. Abhilfe: period = "year" wählen oder '
        "Monatszahlen liefern lassen."
    )


def test_a_sample_of_one_wave_and_of_all(city) -> None:
    project = open_project(city({"data/respondents.csv": RESPONDENTS}, more=SURVEY))
    one = project.sample("2022")
    assert len(one.frame) == 12
    assert (one.design.wave, one.design.id) == (None, "safety")
    assert one.frame["district"].tolist() == [area[0] for area in one.frame["area"]]
    both = project.sample()
    assert len(both.frame) == 24
    assert both.design.wave == "wave"
    share = evaluation.Share("q1", (3, 4)).estimate(one)
    assert share.table["estimate"].iloc[0] == pytest.approx(0.5)


def test_a_wave_that_does_not_exist(city) -> None:
    project = open_project(city({"data/respondents.csv": RESPONDENTS}, more=SURVEY))
    with pytest.raises(DataError) as caught:
        project.sample("2021")
    assert caught.value.worded("de") == (
        "Wert „2021“: Diese Welle gibt es in den Daten nicht. Abhilfe: Vorhanden sind 2020 und 2022."
    )


def test_the_declared_design_is_taken(city) -> None:
    design = '[surveys.safety.design]\nlonely = "adjust"\n'
    project = open_project(city({"data/respondents.csv": RESPONDENTS}, more=SURVEY + design))
    assert project.sample("2020").design.lonely == "adjust"


def test_codes_for_no_answer_are_missing(city) -> None:
    rows = RESPONDENTS.replace(";online;1\n", ";online;9\n")
    survey = SURVEY.replace("scale = 4", "scale = 4\nno_answer = [9]")
    project = open_project(city({"data/respondents.csv": rows}, more=survey))
    assert project.table("respondents")["q1"].isna().sum() == 6


def test_answers_outside_of_the_scale(city) -> None:
    project = open_project(
        city({"data/respondents.csv": RESPONDENTS.replace(";online;1\n", ";online;9\n")}, more=SURVEY)
    )
    with pytest.raises(DataError) as caught:
        project.table("respondents")
    assert caught.value.worded("de") == (
        "Datei data/respondents.csv, Tabelle respondents, Zeile 2, Spalte q1, Wert „9“: Die Skala reicht von 1 bis "
        "4. Betroffene "
        "Zeilen: 6. Abhilfe: Steht der Wert für „keine Angabe“, ihn in project.toml unter no_answer nennen; sonst "
        "berichtigen."
    )


def test_a_wave_that_is_not_declared(city) -> None:
    project = open_project(city({"data/respondents.csv": RESPONDENTS.replace(";2022;", ";2023;")}, more=SURVEY))
    with pytest.raises(DataError) as caught:
        project.table("respondents")
    assert caught.value.worded("de") == (
        "Datei data/respondents.csv, Tabelle respondents, Zeile 14, Wert „2023“: Diese Welle nennt project.toml "
        "nicht. Betroffene "
        "Zeilen: 12. Abhilfe: Gemeint sein könnte „2022“; sonst die Welle unter [surveys] mit ihrem Datum ergänzen."
    )


def test_faulty_areas_are_said_before_anything_that_needs_them(city) -> None:
    project = open_project(city({"data/areas.csv": "Ortsteil-Schlüssel;Ortsteil\n00;a\n00;b\n"}))
    with pytest.raises(DataError) as caught:
        project.table("counts")
    assert [problem.code for problem in caught.value.problems] == ["data.duplicate"]


def test_faults_of_polygons_are_found(city) -> None:
    folder = city()
    broken = (folder / "data" / "areas.geojson").read_text(encoding="utf-8").replace('"area": "12"', '"area": "13"')
    (folder / "data" / "areas.geojson").write_text(broken, encoding="utf-8")
    codes = [problem.code for problem in open_project(folder).check().problems]
    assert codes == ["delivery.geometry_extra_nearest", "delivery.geometry_absent"]


def test_a_large_file_of_incidents_gives_the_same_counts(city) -> None:
    folder = city({"data/incidents.csv": incident_rows()}, more=INCIDENTS)
    small = open_project(folder, year=2021)
    frame = small.table("incidents")
    frame.to_parquet(folder / "data" / "incidents.parquet")
    (folder / "project.toml").write_text(
        (folder / "project.toml").read_text(encoding="utf-8").replace("incidents.csv", "incidents.parquet"),
        encoding="utf-8",
    )
    large = open_project(folder, year=2021)
    assert not isinstance(large.incidents(), pd.DataFrame)
    pd.testing.assert_frame_equal(large.counts("robbery", period="month"), small.counts("robbery", period="month"))
    pd.testing.assert_frame_equal(large.table("incidents"), frame)
    assert large.check().ok


def test_a_faulty_large_file_is_not_counted(city) -> None:
    folder = city(more=INCIDENTS.replace("incidents.csv", "incidents.parquet"))
    frame = pd.DataFrame({"occurred_from": pd.to_datetime(["2019-01-01"]), "area": ["0"], "category": ["210000"]})
    frame.to_parquet(folder / "data" / "incidents.parquet")
    with pytest.raises(DataError) as caught:
        open_project(folder).counts("robbery")
    assert caught.value.worded("de") == (
        "Datei data/incidents.parquet, Tabelle incidents, Zeile 1, Spalte area, Wert „0“: Dieses Gebiet steht "
        "nicht in der Tabelle "
        "der Gebiete. Betroffene Zeilen: 1. Abhilfe: Gemeint sein könnte „00“; Schlüssel sind Text und behalten "
        "führende Nullen."
    )


def test_deployments_of_unknown_measures_are_a_problem(city) -> None:
    header = "Maßnahme;Teil;Ortsteil-Schlüssel;Beginn;Ende;Kräfte Polizei;Kräfte Stadt;Modus;Geplant;Durchgeführt\n"
    row = "A3;housing;01;01.02.2021 18:00;01.02.2021 22:00;2;2;gemeinsam;ja;ja\n"
    project = open_project(city({"data/deployments.csv": header + row}, more=DEPLOYMENTS))
    assert [problem.code for problem in project.check().problems] == ["agreement.deployment_unknown_measure"]


def test_outcomes_of_unknown_events_are_a_problem(city) -> None:
    project = open_project(city({"events.csv": EVENTS.replace(";theft;", ";teft;")}))
    assert [problem.worded("de") for problem in project.check().problems] == [
        "Datei events.csv, Tabelle events, Wert „teft“: Das Ereignis „zone“ betrifft eine Zahl, die das Projekt "
        "nicht kennt. Abhilfe: Gemeint sein "
        "könnte „theft“."
    ]


def test_counts_of_years_that_inhabitants_do_not_reach_are_carried_and_noted(city) -> None:
    folder = city({"data/counts.csv": "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n" + count_rows(range(2019, 2025))})
    project = open_project(folder)
    assert project.panel("patrols").exposure[0].tolist() == [1000] * 6
    assert [note.worded("de") for note in project.check().notes] == [
        "Tabelle inhabitants: Für 2023 und 2024 liegen keine Einwohnerzahlen vor; es gelten die des letzten Jahres "
        "davor. Abhilfe: "
        "Die Einwohnerzahlen nachliefern lassen."
    ]
