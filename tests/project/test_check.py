"""The check of a whole project, and what its data can answer."""

from pathlib import Path

import pytest

from evaluation.errors import DataError, DesignError
from evaluation.project import open_project
from evaluation.project.check import break_notes, check_folder
from evaluation.project.commands import check as check_command
from evaluation.project.commands import codebook, new

from .conftest import (
    AGREEMENT,
    AREAS,
    DEPLOYMENTS,
    INCIDENTS,
    PROJECT,
    RESPONDENTS,
    STUDY,
    SURVEY,
    count_rows,
    incident_rows,
)

INCIDENTS_OF_ALL_AREAS = "Tatzeit von;Ortsteil-Schlüssel;Schlüssel\n" + "".join(
    f"{day + 1:02d}.{month:02d}.{year} 22:00;{key};210000\n"
    for year in range(2019, 2023)
    for month in range(1, 13)
    for n, key in enumerate(AREAS)
    for day in range(2 + (n + month + year) % 4)
)


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
        "studies/zone.toml": event.replace("before = 2", "before = 1").replace(
            "Streifen und Diebstahl", "Zone und Diebstahl"
        ),
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
        "A2 Wirkung: noch nicht beantwortbar. Studie „patrols“: Diebstahl, Maßnahme ab 2021-01; beantwortbar, sobald "
        "Daten bis 2021 vorliegen."
    )


def test_a_study_whose_window_reaches_beyond_the_data_waits_for_the_last_period_of_it(city) -> None:
    monthly = INCIDENTS_OF_ALL_AREAS
    study = STUDY.replace('"theft"', '"robbery"').replace('period = "year"', 'period = "month"')
    study = study.replace("before = 2", "before = 24").replace("after = 1", "after = 24")
    register = AGREEMENT.replace('areas = { "01" = "2021-01" }', 'areas = { "01" = "2021-01", "11" = "2021-06" }')
    files = {"studies/patrols.toml": study, "agreement.toml": register, "data/incidents.csv": monthly}
    assert answers(city(files, more=INCIDENTS), "en")[1] == (
        "A2 Effect: cannot be answered yet. Study “patrols”: robbery, measure from 2021-01 on; can be answered as "
        "soon as there are data up to 2023-05."
    )


def test_a_study_declared_in_advance_is_no_problem_in_an_earlier_year(city) -> None:
    event = STUDY.replace('"patrols"', '"zone"').replace('measure = "A2"', 'event = "zone"')
    assert answers(city({"studies/zone.toml": event}), "en", year=2020)[1:] == [
        "A2 Effect: cannot be answered yet. Study “patrols”: theft, measure from 2021-01 on; can be answered as soon "
        "as there are data up to 2021.",
        "Effect of the event (not part of the agreement): cannot be answered yet. Study “zone”: theft, measure from "
        "2020-11 on; can be answered as soon as there are data up to 2021.",
    ]
    assert answers(city(), "en", year=2019)[1] == (
        "A2 Effect: cannot be answered yet. Study “patrols”: theft, measure from 2021-01 on; can be answered as soon "
        "as there are data up to 2021."
    )


def test_windows_that_do_not_fit_are_said_with_what_is_there(city) -> None:
    assert answers(city({"studies/patrols.toml": STUDY.replace("before = 2", "before = 5")}), "en")[1] == (
        "A2 Effect: cannot be answered. Study “patrols” cannot be run: TwoByTwo needs 5 periods before the "
        "start 2021-01; there are 2. What to do: Make before smaller or deliver earlier data."
    )


def test_another_specification_that_does_not_fit_is_said_too(city) -> None:
    more = STUDY + '[[sensitivity]]\nclass = "TwoByTwo"\nbefore = 1\n[[sensitivity]]\nclass = "TwoByTwo"\nbefore = 5\n'
    assert answers(city({"studies/patrols.toml": more}), "en")[1] == (
        "A2 Effect: can be answered. Study “patrols”: theft, data 2019 to 2022, measure from 2021-01 on. "
        "Study “patrols”, other specification 2 cannot be run: TwoByTwo needs 5 periods before the start "
        "2021-01; there are 2. What to do: Make before smaller or deliver earlier data."
    )


def test_studies_that_can_be_run_come_first(city) -> None:
    other = STUDY.replace('"patrols"', '"all"').replace("before = 2", "before = 5")
    assert answers(city({"studies/all.toml": other}), "en")[1] == (
        "A2 Effect: can be answered. Study “patrols”: theft, data 2019 to 2022, measure from 2021-01 on. Study “all” "
        "cannot be run: TwoByTwo needs 5 periods before the start 2021-01; there are 2. What to do: Make before "
        "smaller or deliver earlier data."
    )


def test_a_faulty_study_is_a_problem_once(city) -> None:
    """Its file is named, an area that starts at another time is named once, and the answer does not repeat it."""
    changed = STUDY.replace("[method]", 'treated_since = { "01" = "2022-01" }\n[method]')
    check = open_project(city({"studies/patrols.toml": changed})).check("en")
    assert [problem.worded("en") for problem in check.problems] == [
        "File studies/patrols.toml: Study “patrols” differs from the register in 01 without giving a reason. "
        'What to do: Add reason = "…" under [study], or delete treated_since: then the register holds.'
    ]
    assert (
        check.answers[1].worded("en") == "Effect: cannot be answered. Study “patrols” cannot be run: see the problems."
    )


def test_a_table_without_a_contract_is_not_asked_for_and_outcomes_are_suggested(city) -> None:
    register = AGREEMENT.replace('outcomes = ["theft"]', "").replace('"deployments"', '"noise_complaints"')
    register = register.replace(', calculation = "joint_hours"', "")
    files = {"agreement.toml": register, "studies/patrols.toml": None}
    assert answers(city(files), "en") == [
        "A2 Implementation: cannot be answered. This version has no contract for these tables yet, so nothing needs "
        "to be delivered: Noise complaints (noise_complaints). It remains open whether what was agreed was done.",
        "A2 Effect: cannot be answered. The register names no outcome in which the effect could show. outcomes = "
        "[...] under [measures.A2] in agreement.toml may name outcomes of the project: theft. No study of this "
        "measure is declared under studies. It remains open what the measure has changed.",
    ]


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


def test_keys_that_no_row_has_are_told_with_some_that_there_are(city) -> None:
    wrong = PROJECT.replace('categories = ["theft"]', 'categories = ["899000"]')
    assert [problem.worded("en") for problem in open_project(city({"project.toml": wrong})).check().problems] == [
        "Table counts: For “theft” there is no row with one of its keys: 899000. What to do: Check categories under "
        "[outcomes.theft]; the table holds theft, for example."
    ]


def test_keys_that_no_incident_has_are_a_problem_and_one_of_several_is_told(city) -> None:
    incidents = {"data/incidents.csv": incident_rows()}
    none = open_project(city(incidents, more=INCIDENTS.replace("210000", "111111"))).check()
    assert [problem.worded("en") for problem in none.problems] == [
        "Table incidents: For “robbery” there is no row with one of its keys: 111111. What to do: Check categories "
        "under [outcomes.robbery]; the table holds 435000 and 210000, for example."
    ]
    one = open_project(city(incidents, more=INCIDENTS.replace('"210000"', '"210000", "111111"'))).check()
    assert one.ok
    assert [note.worded("en") for note in one.notes if note.code == "data.note_outcome_keys"] == [
        "Table incidents: For “robbery” there is no row with some of its keys: 111111. What to do: Check categories "
        "under [outcomes.robbery]; the table holds 435000 and 210000, for example."
    ]


def test_breaks_in_the_counts_are_remarks_the_strongest_first(city) -> None:
    def count(n: int, year: int) -> int:
        usual = 100 + 10 * n + (n * year) % 7
        return usual * (4 if (n, year) == (1, 2015) else 2 if (n, year) == (2, 2012) else 1)

    rows = "".join(
        f"{key};{year};theft;{count(n, year)}\n" for n, key in enumerate(AREAS) for year in range(2010, 2020)
    )
    files = {"data/counts.csv": "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n" + rows, "studies/patrols.toml": None}
    project = open_project(city(files))
    notes = [note.worded("en") for note in project.check("en").notes]
    assert project.check().ok
    assert notes[-2:] == [
        "Table counts: Conspicuous: 01 Ost, theft: 2015 is out of line once (115 → 464, then 110).",
        "Table counts: Conspicuous: 02 West, theft: 2012 is out of line once (124 → 252, then 121).",
    ]
    assert [note.worded("en") for note in break_notes(project, "en", most=1)][1:] == [
        "Further conspicuous breaks and outliers, weaker than these: 1."
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


def test_the_sample_project_is_sound_in_a_year_before_its_studies_begin(sample_project: Path) -> None:
    project = open_project(sample_project, year=2022)
    check = project.check("en")
    assert check.problems == ()
    project.ensure()
    effects = {answer.measure: answer for answer in check.answers if answer.question == "effect"}
    assert (effects["A6"].possible, effects["A6"].pending) == (False, True)
    assert effects["A6"].worded("en") == (
        "Effect: cannot be answered yet. Study “nachtschwaermer”: violence in public, measure from 2023-05 on; can be "
        "answered as soon as there are data up to 2024-04."
    )
    with pytest.raises(DesignError) as caught:
        project.panel("patrols")
    assert [problem.code for problem in caught.value.problems] == ["core.panel_no_after"], "said once, not by area"


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
        "# preset",
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


def test_a_new_english_project_has_english_names_throughout(tmp_path: Path) -> None:
    new(tmp_path / "a", "en")
    data = tmp_path / "a" / "data"
    assert sorted(path.name for path in data.iterdir()) == ["README.md", "templates"]
    assert "`templates` holds empty tables" in (data / "README.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in (data / "templates").glob("*.csv")) == [
        "areas.csv",
        "counts.csv",
        "deployments.csv",
        "events.csv",
        "incidents.csv",
        "inhabitants.csv",
        "respondents.csv",
    ]
    new(tmp_path / "b", "de")
    assert (tmp_path / "b" / "data" / "vorlagen" / "vorgaenge.csv").exists()


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


def test_a_study_that_no_later_data_can_mend_is_a_problem(city) -> None:
    everywhere = ", ".join(f'"{key}" = "2021-01"' for key in ("00", "01", "02", "10", "11", "12"))
    nobody = STUDY.replace('period = "year"', f'period = "year"\nreason = "Akte 7"\ntreated_since = {{ {everywhere} }}')
    found = open_project(city({"studies/patrols.toml": nobody})).check("de")
    assert [problem.code for problem in found.problems] == ["core.panel_no_comparison"]
    early = STUDY.replace('period = "year"', 'period = "year"\nreason = "Akte 7"\ntreated_since = { "01" = "2019-01" }')
    found = open_project(city({"studies/patrols.toml": early})).check("de")
    assert [problem.code for problem in found.problems] == ["core.panel_no_before"]
    assert check_command(city({"studies/patrols.toml": early}), "de")[1] is False


def test_a_wrong_name_in_a_study_is_told_beside_faulty_tables(city) -> None:
    people = "Ortsteil-Schlüssel;Jahr;Einwohner\n00;2019;-5\n"
    wrong = STUDY.replace('outcome = "theft"', 'outcome = "thefd"')
    found = open_project(city({"data/inhabitants.csv": people, "studies/patrols.toml": wrong})).check("de")
    codes = [problem.code for problem in found.problems]
    assert "data.study_unknown_outcome" in codes
    assert len(codes) > 1


def test_a_stratum_with_one_person_stops_before_anything_is_computed(city) -> None:
    lines = RESPONDENTS.splitlines()
    column = lines[0].split(";").index("Schicht")
    cells = lines[1].split(";")
    cells[column] = "allein"
    alone = "\n".join([lines[0], ";".join(cells), *lines[2:]]) + "\n"
    project = open_project(city({"data/respondents.csv": alone, "studies/patrols.toml": None}, more=SURVEY))
    assert [problem.code for problem in project.check("de").problems] == ["survey.lonely_stratum"]
    with pytest.raises(DataError):
        project.ensure()
