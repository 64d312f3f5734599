"""Every fault of a declared file has its message in full, with file, line, key and what to do."""

import pytest

from evaluation.errors import DataError
from evaluation.project import open_project

from .conftest import PROJECT, STUDY

CASES = {
    "unknown key": (
        ('source = "Stadt Kleinstadt"', 'source = "Stadt Kleinstadt"\nlangauge = "de"'),
        "Datei project.toml, Zeile 4: Den Schlüssel „langauge“ gibt es hier nicht. Abhilfe: Gemeint sein könnte "
        "„language“; "
        "erlaubt sind name, language, languages, simulated, state, version, source, publication, tables, outcomes, "
        "items und "
        "surveys.",
    ),
    "unknown key of a table": (
        ('file = "data/counts.csv"', 'file = "data/counts.csv"\nfiel = "x"'),
        "Datei project.toml, Zeile 15: Den Schlüssel „tables.counts.fiel“ gibt es hier nicht. Abhilfe: Gemeint "
        "sein könnte "
        "„file“; erlaubt sind columns, ignore, sheet, encoding, separator, decimal, date_format, layout, category, "
        "marks, file, parts, source, geometry, geometry_key, first und last.",
    ),
    "missing key": (
        ('name = "Kleinstadt"', ""),
        "Datei project.toml, Zeile 1: Der Schlüssel „name“ fehlt. Abhilfe: Den Schlüssel ergänzen; „evaluation "
        "new“ legt eine "
        "Vorlage an.",
    ),
    "missing key of an outcome": (
        ('table = "counts"', ""),
        "Datei project.toml, Zeile 16: Der Schlüssel „outcomes.theft.table“ fehlt. Abhilfe: Den Schlüssel "
        "ergänzen; „evaluation "
        "new“ legt eine Vorlage an.",
    ),
    "impossible word": (
        ('language = "de"', 'language = "deutsch"'),
        "Datei project.toml, Zeile 2: language: „deutsch“ ist nicht möglich. Abhilfe: Gemeint sein könnte „de“; "
        "möglich sind de "
        "und en.",
    ),
    "number for text": (
        ('categories = ["theft"]', "categories = [899000]"),
        "Datei project.toml, Zeile 19: outcomes.theft.categories.1: „899000“ ist kein Text. Abhilfe: Den Wert in "
        'Anführungszeichen setzen; auch Schlüssel wie "00" sind Text.',
    ),
    "text for a list": (
        ('categories = ["theft"]', 'categories = "theft"'),
        "Datei project.toml, Zeile 19: outcomes.theft.categories: „theft“ ist keine Liste. Abhilfe: In eckigen "
        "Klammern angeben, "
        'etwa ["…", "…"].',
    ),
    "text for a section": (
        ('title = { de = "Diebstahl", en = "theft" }', 'title = "Diebstahl"'),
        "Datei project.toml, Zeile 17: outcomes.theft.title: „Diebstahl“ ist kein Abschnitt. Abhilfe: Einen "
        "Abschnitt mit eigenen "
        'Schlüsseln angeben; Texte haben die Form { de = "…", en = "…" }.',
    ),
    "one language": (
        ('title = { de = "Diebstahl", en = "theft" }', 'title = { de = "Diebstahl" }'),
        "Datei project.toml, Zeile 17: outcomes.theft.title: Der Text in der Sprache „en“ fehlt. Abhilfe: In der "
        "Form "
        '{ de = "…", en = "…" } angeben.',
    ),
    "text for a truth": (
        ('exposure = "inhabitants"', 'exposure = "inhabitants"\nheadline = "ja"'),
        "Datei project.toml, Zeile 21: outcomes.theft.headline: „ja“ ist weder true noch false. Abhilfe: true oder "
        "false angeben, "
        "ohne Anführungszeichen.",
    ),
    "number too small": (
        ('source = "Stadt Kleinstadt"', 'source = "Stadt Kleinstadt"\n[publication]\nminimum_cell = 0'),
        "Datei project.toml, Zeile 5: publication.minimum_cell: „0“ ist kleiner als 1. Abhilfe: Eine Zahl ab 1 "
        "angeben.",
    ),
    "text for a number": (
        ('source = "Stadt Kleinstadt"', 'source = "Stadt Kleinstadt"\n[publication]\nminimum_cell = "5"'),
        "Datei project.toml, Zeile 5: publication.minimum_cell: „5“ ist keine ganze Zahl. Abhilfe: Eine ganze Zahl "
        "ohne "
        "Anführungszeichen angeben.",
    ),
    "unknown table": (
        ("[tables.counts]", "[tables.count]"),
        "Datei project.toml, Wert „count“: Die Tabelle „count“ kennt die Auswertung nicht. Abhilfe: Gemeint sein "
        "könnte "
        "„counts“. Möglich sind areas, inhabitants, incidents, counts, deployments, respondents und events.",
    ),
    "no TOML": (
        ('language = "de"', "language = de"),
        "Datei project.toml, Zeile 2: „language = de“ ist kein gültiges TOML. Abhilfe: Anführungszeichen, Klammern "
        "und "
        "Gleichheitszeichen prüfen; Texte stehen in Anführungszeichen, nichts kommt doppelt vor.",
    ),
    "period that is none": (
        ('file = "data/counts.csv"', 'file = "data/counts.csv"\nfirst = "Mai"'),
        "Datei project.toml, Zeile 15: tables.counts.first: „Mai“ ist kein Zeitraum. Abhilfe: In der Form "
        '"2018", "2018-H1", '
        '"2018-Q1" oder "2018-11" angeben.',
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_message(city, case) -> None:
    (old, new), expected = case
    assert old in PROJECT
    folder = city({"project.toml": PROJECT.replace(old, new).removeprefix("\n")})
    with pytest.raises(DataError) as caught:
        open_project(folder)
    assert caught.value.worded("de") == expected


def test_all_faults_of_a_file_come_at_once(city) -> None:
    broken = PROJECT.replace('language = "de"', 'language = "fr"').replace('table = "counts"', 'tabel = "counts"')
    with pytest.raises(DataError) as caught:
        open_project(city({"project.toml": broken}))
    assert [problem.code for problem in caught.value.problems] == [
        "data.toml_not_possible",
        "data.toml_missing_key",
        "data.toml_unknown_key_like",
    ]


def test_a_file_of_an_old_editor(city) -> None:
    with pytest.raises(DataError) as caught:
        open_project(city({"project.toml": 'language = "de"\nname = "Köln"'.encode("cp1252")}))
    assert caught.value.worded("de") == (
        "Datei project.toml, Zeile 2: Die Zeile enthält Zeichen, die nicht in UTF-8 gespeichert sind. Abhilfe: Die "
        "Datei mit der "
        "Zeichenkodierung UTF-8 speichern."
    )


def test_a_byte_order_mark_is_no_fault(city) -> None:
    assert open_project(city({"project.toml": PROJECT.encode("utf-8-sig")})).name == "Kleinstadt"


def test_no_folder(tmp_path) -> None:
    with pytest.raises(DataError) as caught:
        open_project("gibt es nicht")
    assert caught.value.worded("de") == (
        "Wert „gibt es nicht“: Diesen Ordner gibt es nicht. Abhilfe: Den Pfad prüfen; Leerzeichen im Pfad "
        "verlangen auf der "
        "Befehlszeile Anführungszeichen."
    )


def test_no_project(tmp_path) -> None:
    with pytest.raises(DataError) as caught:
        open_project(tmp_path)
    assert caught.value.worded("de") == (
        f"Datei project.toml, Wert „{tmp_path}“: Der Ordner ist kein Projekt: project.toml fehlt. Abhilfe: Den "
        f"Ordner mit "
        "project.toml angeben oder mit „evaluation new“ ein Projekt anlegen."
    )


def test_a_year_that_is_none(city) -> None:
    with pytest.raises(DataError) as caught:
        open_project(city(), year=2204)
    assert caught.value.worded("de") == (
        "Wert „2204“: Dieses Jahr ist kein Berichtsjahr. Abhilfe: Ein Jahr mit vier Ziffern angeben, das schon "
        "begonnen hat."
    )


STUDIES = {
    "unknown option of the study": (
        ('period = "year"', 'period = "year"\nleave_outt = "none"'),
        "Datei studies/patrols.toml, Zeile 7: Den Schlüssel „study.leave_outt“ gibt es hier nicht. Abhilfe: "
        "Gemeint sein könnte "
        "„leave_out“; erlaubt sind id, title, outcome, measure, event, treated_since, treated, until, unit, "
        "period, comparison, "
        "leave_out, excluded, partial_period, anticipation, exposure, primary, note, reason und reasons.",
    ),
    "no method": (
        ('[method]\nclass = "TwoByTwo"\nbefore = 2\nafter = 1\n', ""),
        "Datei studies/patrols.toml, Zeile 1: Der Schlüssel „method“ fehlt. Abhilfe: Den Schlüssel ergänzen; "
        "„evaluation new“ "
        "legt eine Vorlage an.",
    ),
    "no class": (
        ('class = "TwoByTwo"\n', ""),
        "Datei studies/patrols.toml, Zeile 8: Der Schlüssel „method.class“ fehlt. Abhilfe: Den Schlüssel ergänzen; "
        "„evaluation "
        "new“ legt eine Vorlage an.",
    ),
    "start that is none": (
        ('period = "year"', 'period = "year"\ntreated_since = { "01" = "bald" }'),
        "Datei studies/patrols.toml, Zeile 7: study.treated_since.01: „bald“ ist kein Zeitraum. Abhilfe: In der "
        'Form "2018", '
        '"2018-H1", "2018-Q1" oder "2018-11" angeben.',
    ),
}


@pytest.mark.parametrize("case", STUDIES.values(), ids=list(STUDIES))
def test_message_of_a_study_file(city, case) -> None:
    (old, new), expected = case
    assert old in STUDY
    project = open_project(city({"studies/patrols.toml": STUDY.replace(old, new).removeprefix("\n")}))
    with pytest.raises(DataError) as caught:
        _ = project.studies
    assert caught.value.worded("de") == expected


def test_two_studies_with_one_id(city) -> None:
    project = open_project(city({"studies/zz.toml": STUDY}))
    with pytest.raises(DataError) as caught:
        _ = project.studies
    assert caught.value.worded("de") == (
        "Datei studies/zz.toml, Wert „patrols“: Zwei Dateien erklären eine Studie mit derselben id. Abhilfe: Jeder "
        "Studie eine "
        "eigene id geben."
    )


ITEMS = {
    "codes outside of the scale": (
        "unsafe = [3, 5]",
        "Datei project.toml: Die Frage „unsafe“ zählt Antworten als unsicher, die ihre Skala von 1 bis 4 nicht "
        "hat: 5. Abhilfe: "
        "scale oder unsafe in project.toml berichtigen.",
    ),
    "a wave that no survey has": (
        'unsafe = [3, 4]\nwaves = ["2021"]',
        "Datei project.toml, Wert „2021“: Die Frage „unsafe“ nennt eine Welle, die keine Befragung hat. Abhilfe: "
        "Gemeint sein "
        "könnte „2022“; Wellen stehen unter [surveys].",
    ),
}


@pytest.mark.parametrize("case", ITEMS.values(), ids=list(ITEMS))
def test_items_fit_their_scale_and_waves(city, case) -> None:
    from .conftest import SURVEY

    new, expected = case
    with pytest.raises(DataError) as caught:
        open_project(city(more=SURVEY.replace("unsafe = [3, 4]", new)))
    assert caught.value.worded("de") == expected
