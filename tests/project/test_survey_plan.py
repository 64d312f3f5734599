"""Weights of a survey as project.toml declares them: the same as by hand, and every fault in full."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from evaluation import Change, Rake, ResponseCells, Sample, Share, SurveyDesign
from evaluation.errors import DataError, DesignError
from evaluation.project import open_project
from evaluation.project.margins import entry_problems
from evaluation.project.schema import ProjectFile
from evaluation.project.toml import validated

from .conftest import AREAS, SURVEY

HEADINGS = "Befragten-Nummer;Welle;Ortsteil-Schlüssel;Schicht;Gewicht;Erhebungsweg;Geschlecht;q1;block"
MARGINS = """
[surveys.safety.design]
psu = "block"

[surveys.safety.weighting]
method = "raking"
size = 20000

[[surveys.safety.weighting.margins]]
by = ["area"]
table = "inhabitants"

[[surveys.safety.weighting.margins]]
by = ["gender"]
people = { weiblich = 11000, "männlich" = 10000 }
"""
SHARE = Share("q1", (3, 4), scale=4)


def respondents(change=None, *, more=(), number=120):
    """Return answers of two waves in 30 blocks; `change` gets wave, number and cells and returns the cells."""
    draws = np.random.default_rng(4)
    lines = [";".join([HEADINGS, *more])]
    for wave in ("2020", "2022"):
        for n in range(number):
            area = list(AREAS)[n % 6]
            weight = f"{1 + n // 6 % 5 * 0.25:.2f}".replace(".", ",")
            gender = "weiblich" if draws.random() < 0.6 else "männlich"
            cells = [str(n), wave, area, area[0], weight, "online", gender, str(draws.integers(1, 5))]
            cells.append(f"{area}-{n // 6 % 5}")
            lines.append(";".join(change(wave, n, cells) if change else cells))
    return "\n".join(lines) + "\n"


def said(folder, language="de"):
    return [problem.worded(language) for problem in open_project(folder).check().problems]


def row(result, **keys):
    table = result.table
    for name, value in keys.items():
        table = table[table[name] == value]
    return table.iloc[0]


@pytest.fixture
def survey(city):
    def made(plan=MARGINS, answers=None, **files):
        named = {name.replace("__", "/").replace("_csv", ".csv"): content for name, content in files.items()}
        return city({"data/respondents.csv": answers or respondents(), **named}, more=SURVEY + plan)

    return made


# --- weights ---


def test_margins_give_the_weights_and_the_variance_of_raking_by_hand(survey):
    project = open_project(survey())
    made = project.sample("2022")
    frame = project.table("respondents")
    plain = Sample(frame[frame["wave"] == "2022"].reset_index(drop=True), SurveyDesign(psu="block"))
    areas = {key: 1000 * (n + 1) for n, key in enumerate(AREAS)}
    by_hand = Rake({"area": areas, "gender": {"weiblich": 11000, "männlich": 10000}}, size=20000).apply(plain)
    np.testing.assert_allclose(made.weights, by_hand.weights, rtol=1e-10)
    ours, theirs = row(SHARE.estimate(made)), row(SHARE.estimate(by_hand))
    np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-10)
    given = Sample(plain.frame.assign(weight=by_hand.weights), plain.design)  # weights taken as given
    assert abs(row(SHARE.estimate(given))["std_error"] - ours["std_error"]) > 1e-4


def test_every_wave_is_weighted_by_itself(survey):
    project = open_project(survey())
    both = Share("q1", (3, 4), scale=4, by="wave").estimate(project.sample())
    for wave in ("2020", "2022"):
        alone = row(SHARE.estimate(project.sample(wave)))
        np.testing.assert_allclose(row(both, wave=wave)["estimate"], alone["estimate"], rtol=1e-9)
        np.testing.assert_allclose(row(both, wave=wave)["std_error"], alone["std_error"], rtol=1e-9)


def test_the_decision_is_noted_and_counted_in_results_and_check(survey):
    project = open_project(survey())
    words = SHARE.estimate(project.sample("2022")).worded_notes("en")[0]
    assert words == (
        "Wave 2022: the weights of 120 respondents are fitted to 20,000 people by area and gender (raking). Relative "
        "to their mean they changed by factors from 0.27 to 1.82; unequal weights multiply the variance by 1.32, "
        "before by 1.06."
    )
    notes = [note.worded("de") for note in project.check("de").notes]
    assert any(note.startswith("Tabelle respondents: Welle 2020: Die Gewichte von 120 Befragten") for note in notes)


def test_margins_from_a_file_in_cp1252_with_waves(survey):
    rows = [f"{wave};{g};{n}" for wave, n in (("2020", 900), ("2022", 800)) for g in ("weiblich", "männlich")]
    file = "Welle;Geschlecht;Anzahl\n" + "\n".join(rows) + "\n"
    plan = '[surveys.safety.weighting]\nmethod = "post_stratification"\n'
    plan += 'margins = [{ by = ["gender"], file = "data/volk.csv" }]\n'
    project = open_project(survey(plan, data__volk_csv=file.encode("cp1252")))
    for wave, people in (("2020", 1800), ("2022", 1600)):
        assert project.sample(wave).weights.sum() == pytest.approx(people)
    assert "data/volk.csv" in project.inputs
    assert project.check().problems == ()


def test_inhabitants_of_another_year_are_noted(survey):
    years = "Ortsteil-Schlüssel;Jahr;Einwohner\n" + "".join(f"{a};{y};1000\n" for a in AREAS for y in (2019, 2021))
    project = open_project(survey(MARGINS, data__inhabitants_csv=years))
    assert SHARE.estimate(project.sample("2022")).worded_notes("de")[1] == (
        "Welle 2022: Für ihr Jahr gibt es keine Einwohnerzahlen; es gelten die von 2021."
    )


def test_response_cells_and_trimming(survey):
    plan = """
[surveys.safety.weighting]
response = { answered = "teil", by = ["stratum"] }
trim = { high = 3 }
"""
    answers = respondents(lambda wave, n, cells: [*cells, "nein" if n % 4 == 1 else "ja"], more=["teil"])
    project = open_project(survey(plan, answers))
    made = project.sample()
    assert made.size == 180
    frame = project.table("respondents")
    drawn = Sample(frame[frame["wave"] == "2020"].reset_index(drop=True), SurveyDesign())
    by_hand = ResponseCells("teil", "stratum").apply(drawn)
    assert made.weights[frame["wave"] == "2020"].sum() == pytest.approx(by_hand.weights.sum())
    assert [words.split(".")[0] for words in SHARE.estimate(made).worded_notes("de")[:2]] == [
        "Welle 2020: Wer geantwortet hat, steht auch für die 30 von 120, die gezogen wurden und nicht geantwortet "
        "haben, innerhalb von stratum",
        "Welle 2020: Begrenzt sind 0 von 90 Gewichten; sie lagen danach zwischen 1,20 und 3,00",
    ]


def test_replicate_columns_of_two_waves_are_independent(survey):
    draws = np.random.default_rng(1)

    def add(wave, n, cells):
        weight = float(cells[4].replace(",", "."))
        return [*cells, *(f"{weight * draws.integers(0, 3):.2f}".replace(".", ",") for _ in range(20))]

    plan = '[surveys.safety.design]\nreplicates = { columns = "rw", number = 20, kind = "bootstrap" }\n'
    project = open_project(survey(plan, respondents(add, more=[f"rw_{n:02d}" for n in range(1, 21)])))
    assert project.check().problems == ()
    single = [row(SHARE.estimate(project.sample(wave)))["std_error"] for wave in ("2020", "2022")]
    change = row(Change(SHARE, "2020", "2022").estimate(project.sample()))["std_error"]
    # The waves together take distances from the estimate, a single wave from the mean of the replicates.
    assert change == pytest.approx(np.hypot(*single), rel=0.05)


def test_lists_name_the_stages_and_no_strata(survey):
    project = open_project(survey('[surveys.safety.design]\nstrata = []\npsu = ["block"]\n'))
    assert project.sample("2020").design.strata == ()
    assert len(project.sample("2020").plan.units) == 30


def test_the_examples_of_the_how_to_are_valid():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "weight-a-survey.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        source = f'name = "Stadt"\n{example}'
        file = validated(ProjectFile, tomllib.loads(source), file="project.toml", source=source)
        assert entry_problems(file, name="project.toml") == []


# --- faults ---


def test_faults_of_margins_are_listed_at_once(survey):
    def change(wave, n, cells):
        if wave == "2022" and cells[2] == "12":
            cells[2], cells[3], cells[8] = "11", "1", f"11-{n // 6 % 5}"
        if wave == "2020" and n == 3:
            cells[6] = ""
        if wave == "2020" and n == 4:
            cells[6] = "divers"
        return cells

    assert said(survey(answers=respondents(change))) == [
        "Datei project.toml, Zeile 47: Befragung safety, Welle 2020: 1 von 120 Befragten haben keinen Wert in gender, "
        "wovon ihr Gewicht abhängt. Abhilfe: Werte ergänzen oder ihnen in den Daten und in der Bevölkerung eine eigene "
        "Kategorie geben.",
        "Datei project.toml, Zeile 47: Befragung safety, Welle 2020: Für diese Werte von gender gibt es keine Zahl der "
        "Bevölkerung: divers. Betroffene Befragte: 1. Abhilfe: Ihre Personenzahl ergänzen oder die Werte berichtigen. "
        "Schlüssel sind Text, etwa „00“.",
        "Datei project.toml, Zeile 43: Befragung safety, Welle 2022: Niemand hat geantwortet mit diesen Werten von "
        "area: 12. Für 6.000 Menschen stünde niemand. Abhilfe: Mit ähnlichen zusammenlegen, in den Daten und in der "
        "Bevölkerung, oder gröber zählen, etwa nach district statt area.",
    ]


def test_a_unit_in_two_strata_and_weights_and_margins_at_once(survey):
    def change(wave, n, cells):
        if wave == "2022":
            cells[4] = ""
        if wave == "2020" and n == 5:
            cells[4] = "0"
        if wave == "2020" and n == 7:
            cells[8] = "10-0"
        return cells

    plan = MARGINS.replace("weiblich = 11000", "divers = 100, weiblich = 11000")
    found = said(survey(plan, answers=respondents(change)), "en")
    assert [words.split(" What to do")[0] for words in found] == [
        "File data/respondents.csv, table respondents, row 7, column Gewicht, value “0.0”: A weight must be greater "
        "than 0.",
        "File data/respondents.csv, table respondents, column Gewicht: None of the 120 respondents of the wave 2022 "
        "has a weight.",
        "Column block: Sampling units in more than one stratum: 1 (10-0).",
        "File project.toml, row 47: Survey safety, wave 2020: nobody answered who has these values of gender: divers. "
        "Nobody would stand for 100 people.",
        "File project.toml, row 47: Survey safety, wave 2022: nobody answered who has these values of gender: divers. "
        "Nobody would stand for 100 people.",
    ]


def test_sums_that_differ(survey):
    first, _ = said(survey(MARGINS.replace("size = 20000\n", "").replace("10000", "9000")), "en")
    assert (
        first
        == (
            "File project.toml, row 40: Survey safety, wave 2020: the margin area adds up to 21,000 people, the margin "
            "gender to 20,000. What to do: Margins must describe the same people. If only their shares are to hold, "
            "say with size how many people there are."
        )
        or "21,000" in first
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            4,
            "Datei project.toml, Zeile 36: Befragung safety: Erklärt sind 4 Spalten mit Replikatgewichten; es fehlen "
            "rw4. Abhilfe: Alle Spalten liefern oder number berichtigen; ohne einige davon ist die Varianz falsch.",
        ),
        (
            2,
            "Datei project.toml, Zeile 36: Befragung safety: Erklärt sind 2 Spalten mit Replikatgewichten; die Datei "
            "hat mehr, zum Beispiel rw3. Abhilfe: number berichtigen; ohne einige davon ist die Varianz falsch.",
        ),
    ],
)
def test_replicates_of_the_wrong_number(survey, number, words):
    plan = f'[surveys.safety.design]\nreplicates = {{ columns = "rw", number = {number}, kind = "bootstrap" }}\n'
    answers = respondents(lambda wave, n, cells: [*cells, "1", "1,5", "2"], more=["rw1", "rw2", "rw3"])
    assert said(survey(plan, answers)) == [words]


def test_margins_that_are_declared_wrongly(city):
    plan = """
[surveys.safety.weighting]
method = "post_stratification"
margins = [
  { by = ["gender"] },
  { by = ["gender", "age_group"], people = { w = 1 } },
  { by = ["gender"], table = "inhabitants" },
]
"""
    with pytest.raises(DataError) as caught:
        open_project(city(more=SURVEY + plan))
    assert caught.value.worded("de").splitlines() == [
        "Datei project.toml: Befragung safety: Für die Randverteilung nach gender ist nicht auf genau eine Weise "
        "gesagt, wie viele Menschen es sind. Abhilfe: Entweder people (eine kleine Tabelle), file (eine Datei) oder "
        'table = "inhabitants" angeben.',
        "Datei project.toml: Befragung safety: people zählt nach einer Spalte, die Randverteilung nennt aber gender "
        "und age_group. Abhilfe: Die Kombinationen in eine Datei schreiben und file angeben: je Kombination eine "
        "Zeile, dazu die Spalte Personen.",
        "Datei project.toml: Befragung safety: Die Tabelle inhabitants zählt nicht nach gender. Abhilfe: Sie zählt "
        "nach einer von area, district und precinct; für anderes eine Datei (file) angeben.",
        "Datei project.toml: Befragung safety: Die Randverteilung nach gender ist zweimal erklärt. Abhilfe: Eine der "
        "beiden streichen.",
        "Datei project.toml: Befragung safety: Die Nachschichtung passt an eine Randverteilung an, erklärt sind 3. "
        'Abhilfe: method = "raking" verwenden oder eine Randverteilung mit den Kombinationen (by = ["gender", '
        '"age_group"]) angeben.',
    ]


def test_a_file_of_a_margin_with_faults(survey):
    plan = '[surveys.safety.weighting]\nmargins = [{ by = ["gender"], file = "data/volk.csv" }]\n'
    assert said(survey(plan, data__volk_csv="Geschlecht;Leute\nweiblich;5\nweiblich;6\n"))[0] == (
        "Datei data/volk.csv: Die Datei der Randverteilung hat keine Spalte „Personen“ (people); sie hat Geschlecht "
        "und Leute. Abhilfe: Die Spalte ergänzen. Heißt sie anders, bei der Randverteilung zuordnen: columns = { "
        '"Überschrift in der Datei" = "people" }.'
    )
    wrong = said(survey(plan, data__volk_csv="Geschlecht;Personen\nweiblich;-5\nweiblich;6\n"))
    assert [words.split(" Abhilfe")[0] for words in wrong] == [
        "Datei data/volk.csv, Zeile 2, Spalte Personen, Wert „-5.0“: Der Wert ist kleiner als 0.",
        "Datei data/volk.csv, Zeile 3: Die Zeile kommt mehrfach vor (Geschlecht = weiblich): 2-mal, zuerst in Zeile 2.",
    ]
    assert said(survey(plan.replace("volk", "menschen"))) == [
        "Datei data/menschen.csv: Die angegebene Datei gibt es nicht. Abhilfe: Die Datei in diesen Ordner legen oder "
        "den Eintrag file in project.toml berichtigen."
    ]


def test_totals_that_cannot_be_met_within_bounds(survey):
    plan = MARGINS.replace('"raking"', '"logit"\nbounds = [0.9, 1.1]')
    with pytest.raises(DesignError) as caught:
        open_project(survey(plan)).sample("2020")
    first, second, *_ = caught.value.worded("de").splitlines()
    assert first.endswith(
        "Befragung safety: Die Gewichte der Welle 2020 lassen sich nicht wie erklärt anpassen. Abhilfe: Siehe die "
        "nächste Zeile."
    )
    assert "ist mit Faktoren zwischen 0,90 und 1,10 nicht zu erreichen" in second
