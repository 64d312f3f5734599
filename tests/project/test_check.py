"""The check of a whole project, and what its data can answer."""

from pathlib import Path

import pytest

from evaluation.errors import DataError
from evaluation.project import open_project
from evaluation.project.check import check_folder
from evaluation.project.commands import check as check_command
from evaluation.project.commands import codebook, new

from .conftest import AGREEMENT, DEPLOYMENTS, PROJECT, RESPONDENTS, STUDY, SURVEY, count_rows


def answers(folder: Path, language: str = "de", **options: int) -> list[str]:
    check = open_project(folder, **options).check(language)
    assert check.ok, check.worded()
    return [f"{answer.measure} {answer.worded(language)}".strip() for answer in check.answers]


def test_the_smallest_project(city) -> None:
    """Areas, inhabitants, yearly counts and the register: every measure says what can be answered and why not."""
    files = {"studies/patrols.toml": None, "events.csv": None}
    smallest = PROJECT.replace('geometry = "data/areas.geojson"', "")
    assert answers(city({**files, "project.toml": smallest})) == [
        "A2 Umsetzung: nicht beantwortbar. Es fehlen Tabellen: Einsätze (deployments). Offen bleibt, ob "
        "geschah, was vereinbart "
        "war.",
        "A2 Wirkung: nicht beantwortbar. Für „Diebstahl“ liegen Daten von 2019 bis 2022 vor. Unter studies ist "
        "keine Studie zu "
        "dieser Maßnahme erklärt. Offen bleibt, was sich durch die Maßnahme geändert hat.",
    ]


def test_a_complete_project_says_from_when_on(city) -> None:
    header = "Maßnahme;Teil;Ortsteil-Schlüssel;Beginn;Ende;Kräfte Polizei;Kräfte Stadt;Modus;Geplant;Durchgeführt\n"
    row = "A2;housing;01;01.02.2021 18:00;01.02.2021 22:00;2;2;gemeinsam;ja;ja\n"
    register = AGREEMENT.replace('["theft"]', '["theft", "unsafe"]')
    event = STUDY.replace('"patrols"', '"zone"').replace('measure = "A2"', 'event = "zone"')
    files = {
        "data/deployments.csv": header + row,
        "data/respondents.csv": RESPONDENTS,
        "agreement.toml": register,
        "studies/zone.toml": event.replace("Streifen und Diebstahl", "Zone und Diebstahl"),
    }
    assert answers(city(files, more=DEPLOYMENTS + SURVEY), year=2021) == [
        "A2 Umsetzung: beantwortbar. Daten liegen für 1 von 1 Kennzahlen vor, ab 2021-02.",
        "A2 Wirkung: beantwortbar. Studie „patrols“: Diebstahl, Daten 2019 bis 2021, Maßnahme ab 2021-01.",
        "A2 Sicherheitsgefühl: nicht beantwortbar. „unsicher“: Nötig sind zwei Wellen, vorhanden: 2020.",
        "Wirkung des Ereignisses (nicht Teil der Vereinbarung): beantwortbar. Studie „zone“: Diebstahl, Daten 2019 "
        "bis 2021, "
        "Maßnahme ab 2020-11.",
    ]


def test_a_survey_with_a_wave_before_answers_and_one_without_does_not(city) -> None:
    register = AGREEMENT.replace('["theft"]', '["unsafe"]')
    files = {"data/respondents.csv": RESPONDENTS, "agreement.toml": register, "studies/patrols.toml": None}
    assert (
        answers(city(files, more=SURVEY))[-1] == "A2 Sicherheitsgefühl: beantwortbar. „unsicher“: Wellen 2020 und 2022."
    )
    later = register.replace("2021-01", "2019-01")
    assert answers(city({**files, "agreement.toml": later}, more=SURVEY))[-1] == (
        "A2 Sicherheitsgefühl: nicht beantwortbar. „unsicher“: Keine Welle vor Beginn der Maßnahme, vorhanden: "
        "2020 und 2022."
    )


def test_without_a_survey(city) -> None:
    register = AGREEMENT.replace('["theft"]', '["unsafe"]')
    folder = city(
        {"agreement.toml": register, "studies/patrols.toml": None},
        more=SURVEY.split("[surveys")[1].join(["[surveys", ""]),
    )
    assert answers(folder)[-1] == (
        "A2 Sicherheitsgefühl: nicht beantwortbar. Es fehlen Tabellen: Befragte (respondents). Offen bleibt, ob "
        "sich das "
        "Sicherheitsgefühl geändert hat."
    )


def test_a_study_that_the_data_do_not_carry_yet_is_an_answer_and_no_problem(city) -> None:
    rows = "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n" + count_rows(range(2019, 2021))
    assert answers(city({"data/counts.csv": rows}))[1] == (
        "A2 Wirkung: nicht beantwortbar. Studie „patrols“: Für Gebiet 01 der Studie „patrols“ gibt es keine "
        "Periode ab dem Beginn 2021-01; die Daten enden mit 2020. Abhilfe: Die Studie kann gerechnet werden, "
        "sobald spätere Daten "
        "vorliegen."
    )


def test_the_answers_in_english(city) -> None:
    assert answers(city({"studies/patrols.toml": None}), "en") == [
        "A2 Implementation: cannot be answered. Tables are missing: Deployments (deployments). It remains open "
        "whether what was "
        "agreed was done.",
        "A2 Effect: cannot be answered. For “theft” there are data from 2019 to 2022. No study of this measure is "
        "declared under "
        "studies. It remains open what the measure has changed.",
    ]


def test_all_tables_are_checked_even_if_one_is_faulty(city) -> None:
    files = {
        "data/areas.csv": "Ortsteil-Schlüssel;Ortsteil\n00;a\n00;b\n",
        "data/inhabitants.csv": "Ortsteil-Schlüssel;Jahr;Einwohner\n00;2019;-5\n",
        "data/counts.csv": "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n00;Mai;theft;5\n",
        "agreement.toml": AGREEMENT.replace('kind = "effect"', 'kind = "efect"'),
        "studies/patrols.toml": STUDY.replace('period = "year"', 'period = "yaer"'),
    }
    codes = [problem.code for problem in open_project(city(files)).check().problems]
    assert codes == [
        "data.duplicate",
        "data.negative",
        "data.not_a_period",
        "agreement.not_allowed",
        "data.toml_not_possible",
    ]


def test_a_project_without_areas(city) -> None:
    without = PROJECT.replace(
        '[tables.areas]\nfile = "data/areas.csv"\ngeometry = "data/areas.geojson"', "[publication]"
    )
    check = check_folder(city({"project.toml": without.replace('source = "Amt für Statistik"', "")}))
    assert check.problems[0].worded("de") == (
        "Datei project.toml: Die Tabelle areas ist nicht angegeben; ohne sie lässt sich kein Gebiet zuordnen. "
        "Abhilfe: Unter "
        "[tables.areas] die Datei mit Schlüsseln und Namen der Ortsteile angeben."
    )


def test_a_year_without_data(city) -> None:
    check = open_project(city(), year=2024).check()
    assert [problem.worded("de") for problem in check.problems] == [
        "Wert „2024“: Für dieses Jahr liegen weder Fälle noch Antworten vor; die Daten reichen von 2019 bis 2022. "
        "Abhilfe: Die "
        "Daten des Jahres liefern lassen oder ein Jahr bis 2022 wählen."
    ]


def test_what_is_printed(city) -> None:
    words, sound = check_command(city({"studies/patrols.toml": None}), "de")
    assert sound
    lines = words.splitlines()
    assert lines[0] == "Erkannt (5):"
    assert "  A2 Streifen" in lines
    assert lines[-1] == "Die Daten sind in Ordnung."


def test_what_is_printed_of_a_faulty_project(city) -> None:
    folder = city({"data/counts.csv": "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n00;2020;theft;-5\n"})
    words, sound = check_command(folder, "de")
    assert not sound
    assert "Probleme (1):\n  - Datei data/counts.csv, Tabelle counts, Zeile 2, Spalte Anzahl, Wert „-5“" in words
    assert words.endswith("Probleme gefunden: 1. Es wird nichts gerechnet, bevor sie behoben sind.")
    assert "What the data" not in words


def test_a_project_that_cannot_be_opened_is_checked_too(tmp_path: Path) -> None:
    words, sound = check_command(tmp_path, "de")
    assert not sound
    assert "Der Ordner ist kein Projekt: project.toml fehlt." in words


def test_the_sample_project_is_sound(sample_project: Path) -> None:
    check = open_project(sample_project).check()
    assert check.problems == ()
    assert {answer.measure for answer in check.answers if answer.possible} >= {"A2", "A6"}


def test_a_new_project_lacks_only_its_areas(tmp_path: Path) -> None:
    folder = tmp_path / "Neue Stadt ä"
    assert new(folder, "de") == (
        f"Projekt angelegt in {folder}: agreement.toml, data, events.csv, project.toml und studies. "
        "Als Nächstes: die Dateien in data ablegen, in project.toml eintragen, "
        f"dann „evaluation check {folder}“."
    )
    check = check_folder(folder)
    assert [problem.code for problem in check.problems] == ["data.no_areas"]


def test_the_template_of_project_toml_is_valid_with_everything_uncommented(tmp_path: Path) -> None:
    new(tmp_path / "a", "en")
    path = tmp_path / "a" / "project.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = (
        "# [",
        "# file",
        "# geo",
        "# source",
        "# columns",
        "# marks",
        "# title",
        "# table",
        "# categ",
        "# expo",
        "# kind",
    )
    more = ("# headline", "# waves", "# column", "# scale", "# unsafe", "# place", "# time")
    path.write_text(
        "\n".join(line.removeprefix("# ") if line.startswith((*starts, *more)) else line for line in lines),
        encoding="utf-8",
    )
    project = open_project(tmp_path / "a")
    assert project.language == "en"
    assert set(project.file.tables) == {"areas", "inhabitants", "counts", "incidents", "deployments", "respondents"}
    assert project.items["unsafe_night_area"].unsafe == (3, 4)


def test_a_new_project_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1", encoding="utf-8")
    with pytest.raises(DataError):
        new(tmp_path / "a", "de")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "x"]


def test_the_codebook_command(tmp_path: Path) -> None:
    assert codebook("en", table="areas").startswith("# Codebook")
    words = codebook("de", table="areas", template=tmp_path / "t")
    assert words == "Vorlagen geschrieben: Datenanforderung.md, gebiete.csv und gebiete.xlsx."


def test_a_report_stops_with_all_problems(city) -> None:
    project = open_project(city(), year=2022)
    project.ensure()
    files = {
        "data/inhabitants.csv": "Ortsteil-Schlüssel;Jahr;Einwohner\n00;2019;-5\n",
        "data/counts.csv": "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n00;Mai;theft;5\n",
    }
    with pytest.raises(DataError) as caught:
        open_project(city(files), year=2022).ensure()
    assert [problem.code for problem in caught.value.problems] == ["data.negative", "data.not_a_period"]
