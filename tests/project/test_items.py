"""What was asked in each wave: ``items.toml`` with its faults in full, presets, several surveys, years."""

import pytest

from evaluation.errors import DataError
from evaluation.project import open_project
from evaluation.project.item_presets import presets
from evaluation.project.items import latest_wave
from evaluation.texts import LANGUAGES

from .conftest import AREAS, RESPONDENTS, SURVEY

ASKED = """
[[items.unsafe.asked]]
survey = "safety"
wave = "2020"
wording = "Wie sicher fühlen Sie sich nachts?"
scale = ["sehr sicher", "eher sicher", "eher unsicher", "sehr unsicher"]
modes = ["paper"]
population = "ab 18 Jahren"

[[items.unsafe.asked]]
survey = "safety"
wave = "2022"
wording = "Wie sicher  fühlen Sie sich nachts?"
scale = ["sehr sicher", "eher sicher", "eher unsicher", "sehr unsicher"]
modes = ["paper", "online"]
population = "ab 18 Jahren"
comparable = "similar"
reason = { de = "erstmals auch online", en = "online for the first time" }
"""
THIRD = """
[[items.unsafe.asked]]
survey = "safety"
wave = "2023"
wording = "Wie sicher fühlen Sie sich nachts in Ihrer Straße?"
scale = ["sicher", "unsicher"]
mapping = { sicher = [1], unsicher = [2] }
modes = ["online"]
population = "ab 18 Jahren"
comparable = "not_comparable"
reason = "andere Frage"
"""
THREE = SURVEY.replace('"2022" = {', '"2023" = { date = "2023-10-01" }, "2022" = {')
YEARLY = """
[surveys.yearly]
waves = { "B2021" = { date = "2021-05-01" } }
design = { weights = "weight", strata = "area" }
"""


def problems(city, items, survey=SURVEY):
    project = open_project(city({"items.toml": items, "data/respondents.csv": RESPONDENTS}, more=survey))
    with pytest.raises(DataError) as caught:
        _ = project.questions
    return caught.value.worded("de")


def test_steps_segments_and_reasons(city):
    project = open_project(city({"items.toml": ASKED + THIRD, "data/respondents.csv": RESPONDENTS}, more=THREE))
    question = project.questions["unsafe"]
    assert question.waves == ("2020", "2022", "2023")
    assert question.segments() == (("2020",), ("2022",), ("2023",))
    assert question.at("2022").modes == ("paper", "online")
    near, far = question.compare("2020", "2022"), question.compare("2023", "2020")
    assert (near.kind, far.kind) == ("similar", "not_comparable")
    assert near.reasons("de") == ["2022: erstmals auch online"]
    assert far.reasons("en") == ["2022: online for the first time", "2023: andere Frage"]
    assert question.compare("2022", "2022").kind == "same"


def test_what_does_not_differ_is_the_same(city):
    same = ASKED.replace('["paper", "online"]', '["paper"]').replace('comparable = "similar"\n', "").split("reason")[0]
    project = open_project(city({"items.toml": same, "data/respondents.csv": RESPONDENTS}, more=SURVEY))
    assert project.questions["unsafe"].segments() == (("2020", "2022"),)
    assert "items.toml" in project.inputs
    assert project.check().problems == ()


def test_without_the_file_nothing_is_said(city):
    project = open_project(city({"data/respondents.csv": RESPONDENTS}, more=SURVEY))
    assert project.questions == {}


CASES = {
    "unknown item": (
        ("[[items.unsafe.asked]]", "[[items.unsave.asked]]"),
        "Datei items.toml, Zeile 2, Wert „unsave“: Diese Frage gibt es in project.toml nicht. Abhilfe: Vielleicht ist "
        "„unsafe“ gemeint.",
    ),
    "unknown survey": (
        ('survey = "safety"', 'survey = "savety"'),
        "Datei items.toml, Zeile 3, Wert „savety“: Die Frage „unsafe“ nennt eine Befragung, die es in project.toml "
        "nicht "
        "gibt. Abhilfe: Vielleicht ist „safety“ gemeint.\n"
        "Datei items.toml, Zeile 11, Wert „savety“: Die Frage „unsafe“ nennt eine Befragung, die es in project.toml "
        "nicht gibt. Abhilfe: Vielleicht ist „safety“ gemeint.",
    ),
    "unknown wave": (
        ('wave = "2022"', 'wave = "2002"'),
        "Datei items.toml, Zeile 12, Wert „2002“: Die Frage „unsafe“ nennt eine Welle, die die Befragung „safety“ "
        "nicht "
        "hat. Abhilfe: Vielleicht ist „2022“ gemeint.",
    ),
    "a wave twice": (
        ('wave = "2022"', 'wave = "2020"'),
        "Datei items.toml, Zeile 12, Wert „2020“: Die Frage „unsafe“ nennt diese Welle zweimal. Abhilfe: Behalten Sie "
        "einen der beiden Einträge.",
    ),
    "not the same": (
        ('comparable = "similar"', 'comparable = "same"'),
        "Datei items.toml, Zeile 17: Die Frage „unsafe“ ist in 2022 als gleich wie in 2020 erklärt, unterscheidet sich "
        "aber in modes. Abhilfe: Erklären Sie sie mit einem Grund als „similar“ oder „not_comparable“, oder "
        "berichtigen "
        "Sie, was anders getippt ist.",
    ),
    "nothing declared": (
        ('comparable = "similar"\n', ""),
        "Datei items.toml, Zeile 12: Die Frage „unsafe“ unterscheidet sich in 2022 von 2020 in modes, und nichts sagt, "
        "ob "
        "sie vergleichbar sind. Abhilfe: Ergänzen Sie comparable = „similar“ oder „not_comparable“, mit einem Grund.",
    ),
    "no reason": (
        ('reason = { de = "erstmals auch online", en = "online for the first time" }', ""),
        "Datei items.toml, Zeile 17, Wert „similar“: Die Frage „unsafe“ ist zwischen 2020 und 2022 als „similar“ "
        "erklärt, ohne Grund. "
        "Abhilfe: Ergänzen Sie reason in einem Satz; er steht überall, wo die Wellen verglichen werden.",
    ),
    "another number of points": (
        (
            ', "eher unsicher", "sehr unsicher"]\nmodes = ["paper", "online"]',
            ', "unsicher"]\nmodes = ["paper", "online"]',
        ),
        "Datei items.toml, Zeile 14: Die Frage „unsafe“ hatte in dieser Welle 3 Antworten, in project.toml aber 4. "
        "Abhilfe: Sagen Sie mit mapping, welche Codes dasselbe bedeuten, oder erklären Sie die Frage dieser Welle als "
        "eigene.",
    ),
    "a mapping that loses a category": (
        (
            'modes = ["paper", "online"]',
            'modes = ["paper", "online"]\nmapping = { sicher = [1, 2], unsicher = [4, 5], x = [] }',
        ),
        "Datei items.toml, Zeile 16: Die Zuordnung der Frage „unsafe“ lässt Codes ihrer 4 Antworten aus: 3. Personen "
        "mit "
        "diesen Antworten gingen verloren. Abhilfe: Geben Sie jedem Code eine gemeinsame Antwort.\n"
        "Datei items.toml, Zeile 16: Die Zuordnung der Frage „unsafe“ nennt Codes, die es bei 4 Antworten nicht gibt: "
        "5. "
        "Abhilfe: Berichtigen Sie die Codes oder die Skala.\n"
        "Datei items.toml, Zeile 16: In der Zuordnung der Frage „unsafe“ führt kein Code zu x. Abhilfe: Verwenden Sie "
        "nur gemeinsame Antworten, die diese Skala geben kann.",
    ),
    "unknown key": (
        ('population = "ab 18 Jahren"\n\n', 'poplation = "ab 18 Jahren"\n\n'),
        "Datei items.toml, Zeile 2: Der Schlüssel „items.unsafe.asked.1.population“ fehlt. Abhilfe: Den Schlüssel "
        "ergänzen; „evaluation new“ legt eine Vorlage an.\n"
        "Datei items.toml, Zeile 8: Den Schlüssel „items.unsafe.asked.1.poplation“ gibt es hier nicht. Abhilfe: "
        "Gemeint "
        "sein könnte „population“; erlaubt sind wave, survey, wording, filter, scale, modes, population, comparable, "
        "reason und mapping.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_faults_with_line_and_remedy(name, city):
    (old, new), expected = CASES[name]
    assert problems(city, ASKED.replace(old, new)) == expected


def test_similar_scales_need_the_same_common_answers(city):
    mapped = ASKED.replace('modes = ["paper"]', 'mapping = { sicher = [1, 2], unsicher = [3, 4] }\nmodes = ["paper"]')
    last = THIRD.replace("not_comparable", "similar").replace("unsicher = [2]", "bang = [2]")
    second = mapped.replace(
        'comparable = "similar"', 'comparable = "similar"\nmapping = { sicher = [1, 2], unsicher = [3, 4] }'
    )
    assert problems(city, second + last, THREE).splitlines()[-1] == (
        "Datei items.toml, Zeile 27: Die Frage „unsafe“ ist in 2022 den Antworten sicher und unsicher zugeordnet, in "
        "2023 aber bang und "
        "sicher. Abhilfe: Ordnen Sie beide Skalen denselben gemeinsamen Antworten zu."
    )


def test_the_check_lists_the_faults(city):
    folder = city({"items.toml": ASKED.replace("2022", "2021"), "data/respondents.csv": RESPONDENTS}, more=SURVEY)
    said = [problem.worded("de") for problem in open_project(folder).check().problems]
    assert any(
        words.startswith("Datei items.toml, Zeile 12, Wert „2021“: Die Frage „unsafe“ nennt eine Welle")
        for words in said
    )


# --- presets ---


def test_presets_cover_the_sense_of_safety():
    found = presets()
    facets = {"place_time", "affective", "cognitive", "conative", "disorder", "trust", "cohesion", "victim"}
    assert {preset.facet for preset in found.values()} == facets
    places = {(preset.place, preset.time) for preset in found.values() if preset.facet == "place_time"}
    assert places == {
        (place, time)
        for place in ("neighbourhood", "park", "transport", "station", "centre")
        for time in ("day", "night")
    }
    for preset in found.values():
        for points, codes in preset.unsafe.items():
            assert set(codes) < set(range(1, points + 1))
            assert len(preset.labels[points]) == points
        for words in (preset.title, preset.question, preset.sentence):
            assert set(words) == set(LANGUAGES)
            assert all(words.values())
        assert "{share}" in preset.sentence["de"]


def test_a_preset_fills_what_an_item_leaves_out(city):
    preset = '\n[items.park]\npreset = "night_park"\ncolumn = "q1"\nscale = 4\ntitle = { de = "Park", en = "park" }\n'
    item = open_project(city({"data/respondents.csv": RESPONDENTS}, more=SURVEY + preset)).items["park"]
    assert (item.place, item.time, item.facet, item.unsafe) == ("park", "night", "place_time", (3, 4))
    assert item.title["de"] == "Park"
    assert item.sentence["en"].startswith("{share} of respondents felt unsafe at night in the nearest park")


def test_presets_that_do_not_fit(city):
    def opened(lines):
        with pytest.raises(DataError) as caught:
            open_project(city({"data/respondents.csv": RESPONDENTS}, more=f"{SURVEY}\n[items.park]\n{lines}"))
        return caught.value.worded("de")

    assert opened('preset = "nigth_park"\ncolumn = "q1"\nscale = 4').endswith(
        "Wert „nigth_park“: Die Frage „park“ nennt eine Vorlage, die es nicht gibt. Abhilfe: Vielleicht ist "
        "„night_park“ "
        "gemeint; ohne Vorlage title und unsafe angeben."
    )
    assert opened('preset = "night_park"\ncolumn = "q1"\nscale = 7').endswith(
        "Die Vorlage der Frage „park“ sagt nicht, welche Antworten auf einer Skala mit 7 Stufen unsicher sind; sie "
        "kennt "
        "4 und 5. Abhilfe: Geben Sie unsafe an, die Codes am unsicheren Ende."
    )


# --- several surveys ---


def rows(wave, column):
    lines = [f"{n};{wave};{area};{area[0]};2;online;{1 + n % 4}" for n, area in enumerate([*AREAS, *AREAS])]
    heading = "Befragten-Nummer;Welle;Ortsteil-Schlüssel;Schicht;Gewicht;Erhebungsweg;"
    return f"{heading}{column}\n" + "\n".join(lines) + "\n"


@pytest.fixture
def two_surveys(city):
    """The safety survey in one file and the yearly survey, with a question of its own, in another."""
    part = '[[tables.respondents.parts]]\nfile = "data/{name}.csv"\n'
    parts = "".join(part.format(name=name) for name in ("respondents", "yearly"))
    survey = SURVEY.replace('file = "data/respondents.csv"', "").replace("[tables.respondents]\n", parts)
    item = '\n[items.content]\ntitle = { de = "zufrieden", en = "content" }\ncolumn = "zufrieden"\n'
    item += "scale = 4\nunsafe = [3, 4]\n"
    files = {"data/respondents.csv": RESPONDENTS, "data/yearly.csv": rows("B2021", "zufrieden")}
    return city(files, more=survey + YEARLY + item)


def test_surveys_stand_apart(two_surveys):
    project = open_project(two_surveys)
    first, yearly = project.sample(), project.sample(survey="yearly")
    assert first.waves == ("2020", "2022")
    assert first.design.id == "safety"
    assert first.plan.remarks[-1] == ("survey_items.note.other_surveys", {"survey": "safety", "others": ["yearly"]})
    assert (yearly.design.id, yearly.design.strata, yearly.design.wave) == ("yearly", "area", None)
    assert len(yearly.frame) == 12
    assert project.sample("B2021").design.id == "yearly"
    assert project.check().problems == ()


def test_the_remark_on_other_surveys_is_printed(two_surveys):
    from evaluation import Share

    result = Share("q1", (3, 4), scale=4, by="wave").estimate(open_project(two_surveys).sample())
    assert result.worded_notes("en")[0] == (
        "Only the survey safety; yearly stand apart and are not put together with it."
    )


def test_surveys_and_waves_that_do_not_fit(two_surveys, city):
    project = open_project(two_surveys)
    with pytest.raises(DataError) as caught:
        project.sample(survey="yearli")
    assert caught.value.worded("de") == (
        "Wert „yearli“: Diese Befragung gibt es in project.toml nicht. Abhilfe: Vielleicht ist „yearly“ gemeint."
    )
    with pytest.raises(DataError) as caught:
        project.sample("B2021", survey="safety")
    assert "B2021" in caught.value.worded("de")
    twice = SURVEY + YEARLY.replace("B2021", "2022")
    with pytest.raises(DataError) as caught:
        open_project(city({"data/respondents.csv": RESPONDENTS}, more=twice))
    assert caught.value.worded("de") == (
        "Datei project.toml, Wert „2022“: Diese Welle ist in mehreren Befragungen erklärt: safety und yearly. Abhilfe: "
        "Geben Sie jeder Welle einen eigenen Namen, etwa „2021 Bürgerumfrage“."
    )


def test_a_question_without_a_column_is_listed(two_surveys):
    path = two_surveys / "project.toml"
    path.write_text(path.read_text("utf-8").replace('column = "zufrieden"', 'column = "froh"'), "utf-8")
    said = [problem.worded("de") for problem in open_project(two_surveys).check().problems]
    assert said == [
        "Tabelle respondents, Spalte froh: Keine Datei der Befragten hat die Spalte der Frage „content“. Abhilfe: "
        "Liefern Sie die Spalte, oder berichtigen Sie column in project.toml."
    ]


def test_a_year_without_a_wave_shows_the_last_one_with_its_date(two_surveys):
    project = open_project(two_surveys)
    last = latest_wave(project, 2021)
    assert (last.wave, last.current) == ("2020", False)
    assert last.worded("de") == "2021 gab es keine Welle; gezeigt ist 2020 vom 01.10.2020, woraus nichts Neues folgt."
    assert last.worded("en") == (
        "There was no wave in 2021; shown is 2020 of 1 October 2020, from which nothing new follows."
    )
    assert latest_wave(project, 2022).worded("de") == ""
    assert latest_wave(project, 2019) is None
    assert latest_wave(project, 2022, survey="yearly").wave == "B2021"
    with pytest.raises(DataError):
        latest_wave(project, 2022, survey="monthly")
