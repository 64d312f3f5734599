"""Reading the register: values, messages in full, everything at once."""

import pytest

from evaluation.agreement.reading import line_of, parse_agreement
from evaluation.agreement.register import load_agreement, template_agreement, template_text
from evaluation.agreement.schema import nearest_period
from evaluation.agreement.vocabulary import STANDARD_MEASURES, TABLES, UNITS, table_label, unit_label
from evaluation.errors import DataError

SMALL = """
[agreement]
title = { de = "Vereinbarung", en = "Agreement" }

[[bodies]]
id = "office"
title = { de = "Amt", en = "Office" }

[measures.A2]
title = { de = "Streifen", en = "Patrols" }
kind = "effect"
lead = ["office"]
since = "2019-01"
existed_before = false
outcomes = ["street_crime", "unsafe_night"]
areas = { "20" = "2023-01", "21" = "2023-05" }

[measures.A2.parts.housing]
title = { de = "Wohngebiete", en = "Housing" }
[measures.A2.parts.housing.indicators.hours]
title = { de = "Stunden", en = "Hours" }
unit = "hours"
table = "deployments"
calculation = "hours"
planned = { 2023 = 100, 2024 = 200, 2025 = 300 }

[[measures.A2.revisions]]
year = 2024
text = { de = "Ausgeweitet.", en = "Expanded." }
[[measures.A2.revisions]]
year = 2022
text = { de = "Begonnen.", en = "Begun." }
"""
AREAS = ["00", "20", "21", "95"]
OUTCOMES = ["street_crime", "unsafe_night"]


def problems(source, *, language="en", **known):
    with pytest.raises(DataError) as caught:
        parse_agreement(source, file="agreement.toml", **{"areas": AREAS, "outcomes": OUTCOMES, **known})
    return caught.value.worded(language).splitlines()


def changed(old, new):
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


def test_values_of_a_small_register():
    agreement = parse_agreement(SMALL, file="agreement.toml", areas=AREAS, outcomes=OUTCOMES)
    measure = agreement.measures["A2"]
    assert measure.chapter == "A"
    assert measure.lead == ("office",)
    assert measure.areas == {"20": "2023-01", "21": "2023-05"}
    assert measure.existed_before is False
    assert not measure.earlier_dose_unknown
    assert measure.tables == ("deployments",)
    assert measure.parts["housing"].indicators["hours"].planned == {2023: 100.0, 2024: 200.0, 2025: 300.0}
    assert [revision.year for revision in measure.revisions] == [2022, 2024]
    assert "A2" not in agreement.absent
    assert len(agreement.absent) == len(STANDARD_MEASURES) - 1


def test_values_are_frozen():
    agreement = template_agreement()
    with pytest.raises(AttributeError):
        agreement.measures["A1"].kind = "effect"


def test_as_of_a_year_shows_the_next_plan_and_nothing_later():
    agreement = parse_agreement(SMALL, file="agreement.toml").as_of(2022)
    measure = agreement.measures["A2"]
    assert measure.areas == {}
    assert [revision.year for revision in measure.revisions] == [2022]
    assert measure.parts["housing"].indicators["hours"].planned == {2023: 100.0}


def test_template_has_every_measure_of_the_agreement_and_no_city():
    agreement = template_agreement()
    assert tuple(agreement.measures) == STANDARD_MEASURES
    assert agreement.absent == ()
    for measure in agreement.measures.values():
        assert measure.areas == {}
        assert measure.outcomes == ()
        assert measure.existed_before == "unknown"
        assert all(indicator.planned == {} for _, indicator in measure.indicators)
        assert measure.chapter in agreement.chapters
        assert measure.lead


def test_template_uses_the_words_of_the_agreement():
    titles = {key: measure.title["de"] for key, measure in template_agreement().measures.items()}
    assert titles == {
        "A1": "Halbjährliche Lageabstimmungen auf Leitungsebene",
        "A2": "Gemeinsame Streifen in sicherheitsrelevanten Schwerpunktbereichen",
        "A3": "Abgestimmte Einsatzzeiten zwischen Ordnungsamt und Polizeivollzugsdienst",
        "A4": "Unterstützung der städtischen Mitarbeiter/-innen in Gefahrensituationen",
        "A5": "Verkehrsüberwachung als gleichberechtigte Aufgabe",
        "A6": "Abgestimmter Maßnahmenkalender, u. a. „Nachtschwärmer“ (gemeinsame nächtliche Streifen in der "
        "Innenstadt)",
        "A7": "Verstärkte Kooperation bei ruhestörendem Lärm im Stadtgebiet",
        "B1": "Kooperation der Funkleitstelle des Polizeivollzugsdienstes mit der Einsatzstelle des Ordnungsamtes",
        "B2": "Kompatible Verfahrenslösungen für die gemeinsame Nutzung der Technik",
        "B3": "Monatliche Lagebesprechungen auf Revierebene und auf der Ebene der Außendienstbereiche des "
        "Ordnungsamtes",
        "B4": "Gemeinsame Regeln zur effektiven und sicheren telefonischen Kommunikation",
        "B5": "Gemeinsame, gegenseitig geplante Aus- und Weiterbildung; Bildungsplan",
        "B6": "Austausch und Fortbildung zu interkultureller Kompetenz",
        "C1": "Erfahrungsaustausch und Wissenstransfer (Fahrradstaffel, Diensthundestaffel)",
        "C2": "Unterstützung des Sächsischen Polizeiverwaltungsamtes bei allen Beschaffungen des Ordnungsamtes",
        "C3": "Synergieeffekte bei Dienstdurchführung, Personalqualifikation, Ausstattung und Ausrüstung",
        "D1": "Gemeinsame Abstimmung bei der Arbeit in allen Gremien des KPR",
        "D2": "Abordnung eines Bediensteten der PD als Schnittstelle der Präventionsarbeit",
        "D3": "Gemeinsame Öffentlichkeitsarbeit und Informationsmaterialien",
        "X0": "Die Vereinbarung als Ganzes",
    }


def test_unknown_area_outcome_and_date_name_file_measure_key_and_nearest_value():
    broken = (
        SMALL.replace('"20" = "2023-01"', '"2O" = "2023-1"')
        .replace('"unsafe_night"]', '"unsafe_nigth"]')
        .replace('since = "2019-01"', 'since = "01/2019"')
    )
    assert problems(broken, language="de") == [
        "Datei agreement.toml, Zeile 13: A2, Schlüssel „since“: „01/2019“ ist kein Zeitpunkt der Form 2018, 2018-H1, "
        "2018-Q1 oder 2018-11. Abhilfe: Der nächste gültige Wert ist „2019-01“.",
        "Datei agreement.toml, Zeile 15: A2, Schlüssel „outcomes.2“: Die Ergebnisgröße „unsafe_nigth“ gibt es im "
        "Projekt "
        "nicht. Abhilfe: Der nächste gültige Wert ist „unsafe_night“. Neue Ergebnisgrößen und Fragen werden in "
        "project.toml erklärt.",
        "Datei agreement.toml, Zeile 16: A2, Schlüssel „areas.2O“: Das Gebiet „2O“ gibt es im Projekt nicht. Abhilfe: "
        "Der nächste gültige Wert ist „20“.",
        "Datei agreement.toml, Zeile 16: A2, Schlüssel „areas.2O“: „2023-1“ ist kein Zeitpunkt der Form 2018, 2018-H1, "
        "2018-Q1 oder 2018-11. Abhilfe: Der nächste gültige Wert ist „2023-01“.",
    ]
    english = problems(broken)
    assert english[2] == (
        "File agreement.toml, row 16: A2, key “areas.2O”: the project has no area “2O”. "
        "What to do: The nearest valid value is “20”."
    )


def test_references_are_not_checked_where_they_are_not_known():
    broken = changed('"20" = "2023-01"', '"77" = "2023-01"').replace("unsafe_night", "anything")
    assert parse_agreement(broken, file="agreement.toml").measures["A2"].areas["77"] == "2023-01"


def test_a_project_without_outcomes_or_areas_says_so():
    assert problems(SMALL, outcomes=[], areas=[])[0] == (
        "File agreement.toml, row 15: A2, key “outcomes.1”: the project has no outcome “street_crime”; project.toml "
        "declares none yet. What to do: Declare the outcome in project.toml, or take it out of the register."
    )
    assert len(problems(SMALL, outcomes=[], areas=[])) == 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'kind = "effect"',
            'kind = "effekt"',
            "row 11: A2, key “kind”: “effekt” is not allowed. What to do: The nearest valid value is “effect”; "
            "allowed are "
            "effect, process and cost.",
        ),
        (
            'kind = "effect"\n',
            "",
            "row 9: A2: the key “kind” is missing. What to do: Add the key; the register that comes "
            "with the package shows what it looks like.",
        ),
        (
            'since = "2019-01"',
            'sinse = "2019-01"',
            "row 13: A2: there is no key “sinse” here. What to do: The nearest valid key is “since”; allowed are "
            "title, kind, "
            "lead, since, existed_before, baseline_dose, areas, outcomes, parts and revisions.",
        ),
        (
            'lead = ["office"]',
            'lead = ["offize"]',
            "row 12: A2, key “lead.1”: the body “offize” is not listed under [[bodies]]. What to do: The nearest "
            "valid value "
            "is “office”.",
        ),
        (
            "existed_before = false",
            'existed_before = "unkown"',
            "row 14: A2, key “existed_before”: “unkown” is not allowed. What to do: The nearest valid value is "
            "“unknown”; "
            "allowed are true, false and unknown.",
        ),
        (
            "existed_before = false",
            "existed_before = false\nbaseline_dose = 40",
            "row 15: A2, key “baseline_dose”: an earlier dose of 40 does not fit a measure that did not exist "
            "before, or "
            "of which that is not known. What to do: Set existed_before = true, or delete baseline_dose.",
        ),
        (
            '"21" = "2023-05"',
            '"21" = "2018-05"',
            "row 16: A2, key “areas.21”: in area 21 the measure starts at 2018-05, earlier than the measure itself. "
            "What to do: Correct one of the two; the earliest valid start is “2019-01”.",
        ),
        (
            'unit = "hours"',
            'unit = "hour"',
            "row 22: A2, key “parts.housing.indicators.hours.unit”: “hour” is not allowed. What to do: The nearest "
            "valid value "
            "is “hours”; allowed are " + ", ".join(UNITS[:-1]) + " and share.",
        ),
        (
            'unit = "hours"',
            'unit = "nights"',
            "row 22: A2, key “parts.housing.indicators.hours.unit”: the unit “nights” does not fit the calculation. "
            "What to do: The valid value is “hours”; otherwise change calculation.",
        ),
        (
            'table = "deployments"',
            'table = "dispatches"',
            "row 23: A2, key “parts.housing.indicators.hours.table”: this number cannot be computed from the table "
            "“dispatches”. What to do: The valid value is “deployments”; otherwise delete calculation.",
        ),
        (
            "2024 = 200",
            "20224 = 200",
            "row 25: A2, key “parts.housing.indicators.hours.planned.20224”: “20224” is not a year. What to do: "
            "Give the year "
            "with four digits; the nearest valid value is “2024”.",
        ),
        (
            "2024 = 200",
            "2024 = -200",
            "row 25: A2, key “parts.housing.indicators.hours.planned.2024”: -200 is less than 0 or not a number. "
            "What to do: Give a number of at least 0.",
        ),
        (
            'title = { de = "Wohngebiete", en = "Housing" }',
            'title = { de = "Wohngebiete" }',
            'row 19: A2, key “parts.housing.title”: the English text is missing. What to do: Add en = "…".',
        ),
        (
            'title = { de = "Streifen", en = "Patrols" }',
            'title = "Streifen"',
            "row 10: A2, key “title”: “Streifen” is not a text in two languages. What to do: Give it in the form "
            '{ de = "…", en = "…" }.',
        ),
        (
            "[measures.A2]\n",
            "[measures.a2]\n",
            "row 9: “a2” is not a valid id of a measure. What to do: An id is the letter of the chapter and a "
            "number; the "
            "nearest valid one is “A2”.",
        ),
        (
            'title = { de = "Vereinbarung", en = "Agreement" }',
            'title = { de = "Vereinbarung", en = "Agreement" }\nsigned = "11.12.2018"',
            "row 4: agreement, key “signed”: “11.12.2018” is not a day of the form 2018-12-31. What to do: The "
            "nearest valid "
            "value is “2018-12-11”.",
        ),
    ],
)
def test_message(old, new, message):
    source = changed(old, new)
    if old.startswith("[measures.A2]"):
        source = source.replace("measures.A2.", "measures.a2.")
    assert problems(source) == [f"File agreement.toml, {message}"]


def test_shares_are_at_most_one():
    source = changed('unit = "hours"', 'unit = "share"').replace('calculation = "hours"', 'calculation = "joint_share"')
    source = source.replace("2023 = 100, 2024 = 200, 2025 = 300", "2024 = 80")
    assert problems(source) == [
        "File agreement.toml, row 25: A2, key “parts.housing.indicators.hours.planned.2024”: the share 80 is greater "
        "than 1. What to do: Shares lie between 0 and 1; perhaps 0.8 was meant."
    ]


@pytest.mark.parametrize("again", ["[measures.A2]\n", 'kind = "effect"\n'])
def test_what_stands_twice_is_named(again):
    row = SMALL.splitlines().index(again.strip()) + 2
    header = "[measures.A2]\n"
    source = SMALL + "\n" + header if again == header else changed(again, again + again)
    row = source.count("\n") if again == header else row
    assert problems(source) == [
        f"File agreement.toml, row {row}: “{again.strip()}” occurs for the second time. What to do: Give every "
        "measure, every "
        "part and every key only once."
    ]


def test_what_is_not_toml_is_named_with_its_line():
    assert problems(changed('since = "2019-01"', "since = 2019-01"), language="de") == [
        "Datei agreement.toml, Zeile 13: „since = 2019-01“ ist kein gültiges TOML. Abhilfe: Anführungszeichen, "
        "Klammern "
        "und Gleichheitszeichen prüfen; Texte und Zeitpunkte stehen in Anführungszeichen."
    ]


def test_names_of_a_body_follow_each_other():
    renamed = """
[[bodies]]
id = "office"
title = { de = "Neues Amt", en = "New office" }
from = "2021-01"
"""
    row = SMALL.count("\n") + 5
    assert problems(SMALL + renamed) == [
        f"File agreement.toml, row {row}: bodies, key “2.from”: the body “office” already has a name without an end. "
        "What to do: Give the earlier name an until, or use another id."
    ]
    ended = changed('title = { de = "Amt", en = "Office" }', 'title = { de = "Amt", en = "Office" }\nuntil = "2021-06"')
    assert problems(ended + renamed) == [
        f"File agreement.toml, row {row + 1}: bodies, key “2.from”: the body “office” would bear two names at the "
        "same time. "
        "What to do: Let the new name begin after the end of the old one (“2021-06”), or give another id."
    ]
    ended = changed('title = { de = "Amt", en = "Office" }', 'title = { de = "Amt", en = "Office" }\nuntil = "2020-12"')
    agreement = parse_agreement(ended + renamed, file="agreement.toml")
    assert agreement.body_name("office", "de", year=2020) == "Amt"
    assert agreement.body_name("office", "de", year=2021) == "Neues Amt"


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError) as caught:
        load_agreement(tmp_path / "agreement.toml")
    assert str(caught.value) == (
        f"File agreement.toml: The file does not exist in the folder “{tmp_path.name}”. What to do: Create the "
        "register: "
        "“evaluation new” makes a project with all measures, from which the file can be taken."
    )
    latin = tmp_path / "agreement.toml"
    latin.write_bytes("[agreement]\ntitle = { de = 'Maßnahmen', en = 'Measures' }".encode("cp1252"))
    with pytest.raises(DataError) as caught:
        load_agreement(latin)
    assert str(caught.value) == (
        "File agreement.toml, row 2: The line holds characters that are not stored as UTF-8. What to do: Save the "
        "file in "
        "the encoding UTF-8."
    )
    with_mark = tmp_path / "with_mark.toml"
    with_mark.write_bytes(template_text().encode("utf-8-sig"))
    assert tuple(load_agreement(with_mark).measures) == STANDARD_MEASURES


def test_an_empty_file_says_what_it_needs():
    assert problems("") == [
        "File agreement.toml, row 1: agreement: the key “agreement” is missing. What to do: Add the key; the "
        "register that "
        "comes with the package shows what it looks like.",
        "File agreement.toml, row 1: measures: the key “measures” is missing. What to do: Add the key; the register "
        "that "
        "comes with the package shows what it looks like.",
    ]


@pytest.mark.parametrize("path", [("agreement",), ("chapters", "X"), ("measures", "D1", "parts", "projects")])
def test_lines_are_those_of_the_file(path):
    source = template_text()
    line = source.splitlines()[line_of(path, source) - 1]
    assert path[-1] in line


def test_periods_that_were_probably_meant():
    given = ["2023-1", "01.02.2023", "2023-11-05", "2023", "never", 2023]
    assert [nearest_period(value) for value in given] == ["2023-01", "2023-02", "2023-11", "2023", "2019-01", "2023"]


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_table_and_unit_has_a_name(language):
    assert all(table_label(table, language) for table in TABLES)
    assert all(unit_label(unit, language) for unit in UNITS)
