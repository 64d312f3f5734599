"""The same survey as CSV in CP1252 and as SPSS file: words, codes that mean "no answer", weights fitted alike."""

import io

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from evaluation.project import open_project

from .conftest import SURVEY
from .test_survey_plan import MARGINS, respondents, said

NAMES = ["respondent_id", "wave", "area", "stratum", "weight", "mode", "gender", "q1", "block"]
GENDERS = {1: "weiblich", 2: "männlich"}
ANSWERS = {1: "sehr sicher", 2: "eher sicher", 3: "eher unsicher", 4: "sehr unsicher", 9: "weiß nicht"}


@pytest.fixture
def spss(tmp_path):
    """Return the bytes of an SPSS file whose gender is a code with `labels`; one answer is "weiß nicht"."""

    def made(labels=None):
        texts = {"Ortsteil-Schlüssel": str, "Welle": str, "Schicht": str, "Befragten-Nummer": str}
        frame = pd.read_csv(io.StringIO(respondents()), sep=";", decimal=",", dtype=texts).set_axis(NAMES, axis=1)
        frame["gender"] = frame["gender"].map({word: float(code) for code, word in GENDERS.items()})
        frame.loc[3, "q1"] = 9
        path = tmp_path / "befragung.sav"
        values = {"gender": labels or GENDERS, "q1": ANSWERS}
        pyreadstat.write_sav(frame, path, variable_value_labels=values, missing_ranges={"q1": [{"lo": 9, "hi": 9}]})
        return path.read_bytes()

    return made


PLAN = SURVEY.replace("respondents.csv", "befragung.sav") + MARGINS


def test_spss_and_cp1252_give_the_same_weights(city, spss):
    first = open_project(city({"data/befragung.sav": spss()}, more=PLAN)).sample()
    second = open_project(city({"data/respondents.csv": respondents().encode("cp1252")}, more=SURVEY + MARGINS))
    np.testing.assert_allclose(first.weights, second.sample().weights, rtol=1e-12)
    assert set(first.frame["gender"]) == {"weiblich", "männlich"}
    assert first.frame["q1"].isna().sum() == 1
    check = second.check("de")
    assert check.problems == ()
    assert "Datei data/respondents.csv, Tabelle respondents: Erkannt: Zeichensatz CP1252, Trennzeichen „;“." in [
        fact.worded("de") for fact in check.detected
    ]


def test_labels_and_codes_without_an_answer_are_said(city, spss):
    check = open_project(city({"data/befragung.sav": spss()}, more=PLAN)).check("de")
    where = "Datei data/befragung.sav, Tabelle respondents, Spalte "
    facts = [fact.worded("de") for fact in check.detected]
    assert f"{where}gender: Für die Codes stehen die Wertelabels aus SPSS (2)." in facts
    assert f"{where}q1: In SPSS als fehlend vereinbart und daher leer: 9 (weiß nicht)." in facts
    assert check.problems == ()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            {1: "weiblich", 2: "weiblich"},
            "Spalte gender, Wert „weiblich“: In SPSS steht ein Wertelabel für mehrere vorkommende Codes (1 und 2), die "
            "so zu einem würden. Abhilfe: Geben Sie jedem Code ein eigenes Label, und exportieren Sie die Datei neu.",
        ),
        (
            {1: "weiblich", 2: "mÃ¤nnlich"},
            "Spalte gender: Umlaute sind zweimal umgewandelt worden, hier „Ã¤“. Abhilfe: Die Datei aus dem "
            "Ursprungsprogramm neu ausgeben, als „CSV UTF-8“.",
        ),
    ],
)
def test_broken_labels_are_refused(city, spss, labels, words):
    first = said(city({"data/befragung.sav": spss(labels)}, more=PLAN))[0]
    assert first == f"Datei data/befragung.sav, Tabelle respondents, {words}"


def test_a_code_without_a_label_finds_no_people(city, spss):
    assert said(city({"data/befragung.sav": spss({1: "weiblich"})}, more=PLAN))[0] == (
        "Datei project.toml, Zeile 47: Befragung safety, Welle 2020: Für diese Werte von gender gibt es keine Zahl der "
        "Bevölkerung: 2. Betroffene Befragte: 52. Abhilfe: Ihre Personenzahl ergänzen oder die Werte berichtigen. "
        "Schlüssel sind Text, etwa „00“."
    )
