"""SPSS files as they come: labels, codes agreed as missing, umlauts, and labels that are broken."""

import pandas as pd
import pyreadstat
import pytest

from evaluation.data.contracts import Column
from evaluation.data.files import Source
from evaluation.data.readers import read_table

AREAS = pd.DataFrame({"area": ["00", "62"], "name": ["Zentrum", "Grünau-Mitte"]})
FRAME = pd.DataFrame(
    {
        "respondent_id": ["a", "b", "c", "d"],
        "wave": [2023.0] * 4,
        "area": [0.0, 62.0, 0.0, 62.0],
        "stratum": [1.0, 1.0, 2.0, 2.0],
        "weight": [1.25, 0.5, 2.0, 1.0],
        "mode": [1.0, 2.0, 1.0, 2.0],
        "q1": [1.0, 4.0, 9.0, 98.0],
    }
)
LABELS = {
    "area": {0: "Zentrum", 62: "Grünau-Mitte"},
    "stratum": {1: "innen", 2: "außen"},
    "mode": {1: "Papier", 2: "online"},
    "q1": {1: "sehr sicher", 2: "eher sicher", 3: "eher unsicher", 4: "sehr unsicher", 9: "keine Angabe"},
}
ITEM = Column(name="q1", kind="int", label={"de": "q1", "en": "q1"}, example="2", nullable=True)


@pytest.fixture
def read(tmp_path):
    """Write an SPSS file with other answers or labels, and read it."""

    def made(labels=None, missing=None, **columns):
        path = tmp_path / "umfrage.sav"
        ranges = missing or {"q1": [{"lo": 9, "hi": 9}, {"lo": 97, "hi": 99}]}
        merged = {**LABELS, **(labels or {})}
        pyreadstat.write_sav(FRAME.assign(**columns), path, variable_value_labels=merged, missing_ranges=ranges)
        return read_table(Source(table="respondents", path=path, file=path.name), areas=AREAS, extra=(ITEM,))

    return made


def said(problems, language="de"):
    return [problem.worded(language) for problem in problems]


def test_labels_and_missing_codes_are_kept_and_said(read):
    delivery = read()
    assert delivery.problems == ()
    table = delivery.table()
    assert table["area"].tolist() == ["00", "62", "00", "62"]
    assert table["stratum"].tolist() == ["innen", "innen", "außen", "außen"]
    assert table["mode"].tolist() == ["paper", "online", "paper", "online"]
    assert table["q1"].isna().tolist() == [False, False, True, True]
    where = "Datei umfrage.sav, Tabelle respondents, Spalte q1: "
    assert f"{where}In SPSS als fehlend vereinbart und daher leer: 9 (keine Angabe) und 97–99." in said(
        delivery.detected
    )
    assert (
        f"{where}Die Codes bleiben; Wertelabels aus SPSS: 1 = sehr sicher, 2 = eher sicher, 3 = eher unsicher, 4 = "
        f"sehr "
        "unsicher und 9 = keine Angabe."
    ) in said(delivery.detected)


def test_one_label_for_two_codes_would_join_them(read):
    delivery = read({"stratum": {1: "innen", 2: "innen "}})
    assert said(delivery.problems) == [
        "Datei umfrage.sav, Tabelle respondents, Spalte stratum, Wert „innen“: In SPSS steht ein Wertelabel für "
        "mehrere "
        "vorkommende Codes (1 und 2), die so zu einem würden. Abhilfe: Geben Sie jedem Code ein eigenes Label, und "
        "exportieren Sie die Datei neu."
    ]
    unused = read({"stratum": {1: "innen", 2: "außen", 3: "außen"}})
    assert unused.problems == ()


def test_codes_without_a_label_stay_and_are_counted(read):
    delivery = read({"stratum": {1: "innen"}})
    assert delivery.table()["stratum"].tolist() == ["innen", "innen", "2", "2"]
    assert (
        "Datei umfrage.sav, Tabelle respondents, Spalte stratum: Codes ohne Wertelabel in SPSS bleiben, wie sie sind: "
        "2 "
        "(2 Zeilen)."
    ) in said(delivery.detected)


def test_a_code_that_is_no_mode_is_refused(read):
    delivery = read(mode=[1.0, 2.0, 3.0, 2.0])
    assert [problem.column for problem in delivery.problems] == ["mode"]


@pytest.mark.parametrize(("label", "mark"), [("GrÃ¼nau-Mitte", "Ã¼"), ("Gr\ufffdnau-Mitte", "\ufffd")])
def test_spoilt_umlauts_in_labels(read, label, mark):
    delivery = read({"area": {0: "Zentrum", 62: label}})
    words = {"Ã¼": "Umlaute sind doppelt umgewandelt", "\ufffd": "Zeichen gingen"}[mark]
    assert said(delivery.problems)[0].startswith("Datei umfrage.sav, Tabelle respondents, Spalte area: ")
    assert mark in said(delivery.problems)[0]
    assert words.split()[0] in said(delivery.problems)[0]


def test_spoilt_umlauts_in_words(read):
    delivery = read(respondent_id=["MÃ¼ller", "b", "c", "d"])
    assert delivery.problems[0].code == "data.converted_twice"


def test_a_code_outside_the_scale_is_found_by_the_item(read):
    from evaluation import DesignError, Sample, Share, SurveyDesign

    table = read(missing={"q1": [{"lo": 9, "hi": 9}]}).table()
    sample = Sample(table.assign(q1=table["q1"].astype("Float64")), SurveyDesign())
    with pytest.raises(DesignError, match="codes 98") as caught:
        Share("q1", (3, 4), scale=4).estimate(sample)
    assert "not on the scale 1, 2, 3 and 4: 1" in str(caught.value)


def test_a_file_that_is_cut_off(tmp_path):
    path = tmp_path / "halb.sav"
    pyreadstat.write_sav(FRAME, path)
    path.write_bytes(path.read_bytes()[:200])
    delivery = read_table(Source(table="respondents", path=path, file=path.name), areas=AREAS, extra=(ITEM,))
    assert [problem.code for problem in delivery.problems] == ["data.no_sav"]
