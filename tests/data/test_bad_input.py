"""Every fault of a delivery has its message, in full, with file, table, row, column, value and what to do."""

from pathlib import Path

import pandas as pd
import pytest

from evaluation.data.contracts import Column
from evaluation.data.files import Source
from evaluation.data.readers import read_table
from evaluation.errors import DataError

INCIDENTS = "Vorgangsnummer;Tatzeit von;Tatzeit bis;Erfassungsdatum;Ortsteil-Schlüssel;Schlüssel\n"
COUNTS = "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl\n"
RESPONDENTS = "Befragten-Nummer;Welle;Ortsteil-Schlüssel;Schicht;Gewicht;Erhebungsweg\n"

CASES = {
    "area 0 for 00": (
        "counts",
        COUNTS + "0;2023;899000;5\n00;2022;899000;6\n0;2021;899000;7\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Ortsteil-Schlüssel, Wert „0“: Dieses Gebiet steht nicht "
        "in der "
        "Tabelle der Gebiete. Betroffene Zeilen: 2. Abhilfe: Gemeint sein könnte „00“; Schlüssel sind Text und "
        "behalten "
        "führende Nullen.",
    ),
    "unknown area": (
        "counts",
        COUNTS + "XYZ;2023;899000;5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Ortsteil-Schlüssel, Wert „XYZ“: Dieses Gebiet steht "
        "nicht in der "
        "Tabelle der Gebiete. Betroffene Zeilen: 1. Abhilfe: Den Schlüssel berichtigen oder das Gebiet in der "
        "Tabelle areas "
        "ergänzen.",
    ),
    "duplicate key": (
        "counts",
        COUNTS + "00;2023;899000;5\n01;2023;899000;5\n00;2023;899000;6\n",
        "Datei counts.csv, Tabelle counts, Zeile 4: Die Zeile kommt mehrfach vor (Ortsteil-Schlüssel = 00, "
        "Zeitraum = 2023, "
        "Schlüssel = 899000): 2-mal, zuerst in Zeile 2. Abhilfe: Doppelte Zeilen streichen, oder die fehlende "
        "Unterscheidung in die Schlüsselspalten aufnehmen.",
    ),
    "negative count": (
        "counts",
        COUNTS + "00;2023;899000;-5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Anzahl, Wert „-5“: Der Wert ist kleiner als 0. Abhilfe: "
        "Den Wert "
        "berichtigen; ein fehlender Wert bleibt leer.",
    ),
    "no number": (
        "counts",
        COUNTS + "00;2023;899000;viele\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Anzahl, Wert „viele“: Das ist keine Zahl. Abhilfe: Eine "
        "Zahl "
        "eintragen; ein fehlender Wert bleibt leer.",
    ),
    "half a case": (
        "counts",
        COUNTS + "00;2023;899000;1,5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Anzahl, Wert „1,5“: Das ist keine ganze Zahl. Abhilfe: "
        "Eine ganze "
        "Zahl eintragen, oder die Einheit der Spalte prüfen.",
    ),
    "no period": (
        "counts",
        COUNTS + "00;Sommer 2023;899000;5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Zeitraum, Wert „Sommer 2023“: Das ist kein Zeitraum. "
        "Abhilfe: Ein "
        "Jahr (2018), Halbjahr (2018-H1), Quartal (2018-Q1) oder einen Monat (2018-11) eintragen.",
    ),
    "years and months": (
        "counts",
        COUNTS + "00;2022;899000;5\n00;2023-01;899000;1\n",
        "Datei counts.csv, Tabelle counts, Zeile 3, Spalte Zeitraum, Wert „2023-01“: Der Schlüssel 899000 hat "
        "Zeiträume "
        "verschiedener Länge: hier 2023-01, in Zeile 2 2022; die Fälle zählten doppelt. Abhilfe: Jahre und Monate "
        "getrennt "
        "liefern.",
    ),
    "future year": (
        "counts",
        COUNTS + "00;2025;899000;5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Zeitraum, Wert „2025“: Der Wert liegt in der Zukunft; "
        "heute ist "
        "der 30.06.2024. Abhilfe: Das Datum berichtigen; oft sind Tag und Monat oder zwei Ziffern des Jahres "
        "vertauscht.",
    ),
    "future month": (
        "counts",
        COUNTS + "00;2024-07;899000;5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2, Spalte Zeitraum, Wert „2024-07“: Der Wert liegt in der "
        "Zukunft; heute ist "
        "der 30.06.2024. Abhilfe: Das Datum berichtigen; oft sind Tag und Monat oder zwei Ziffern des Jahres "
        "vertauscht.",
    ),
    "future date": (
        "incidents",
        INCIDENTS + "1;01.07.2024 00:00;;;00;899000\n",
        "Datei incidents.csv, Tabelle incidents, Zeile 2, Spalte Tatzeit von, Wert „01.07.2024“: Der Wert liegt in "
        "der "
        "Zukunft; heute ist der 30.06.2024. Abhilfe: Das Datum berichtigen; oft sind Tag und Monat oder zwei "
        "Ziffern des "
        "Jahres vertauscht.",
    ),
    "two date formats": (
        "incidents",
        INCIDENTS + "1;31.12.2023;;;00;899000\n2;2023-12-30;;;00;899000\n3;01.01.2023;;;00;899000\n",
        "Datei incidents.csv, Tabelle incidents, Spalte Tatzeit von: Die Spalte enthält zwei Schreibweisen von "
        "Daten: "
        "31.12.2023 (Zeilen 2 und 4) und 2023-12-30 (Zeilen 3). Abhilfe: Die Spalte aus dem Ursprungsprogramm "
        "einheitlich "
        "ausgeben; sonst lassen sich Tag und Monat verwechseln.",
    ),
    "no date": (
        "incidents",
        INCIDENTS + "1;31.02.2023;;;00;899000\n",
        "Datei incidents.csv, Tabelle incidents, Zeile 2, Spalte Tatzeit von, Wert „31.02.2023“: Das ist kein "
        "Datum, das es "
        "gibt. Abhilfe: Ein Datum wie 31.12.2023 oder 31.12.2023 22:15 eintragen; eine andere Schreibweise mit "
        "date_format "
        "in project.toml angeben.",
    ),
    "end before start": (
        "incidents",
        INCIDENTS + "1;31.12.2023 22:00;31.12.2023 21:00;;00;899000\n",
        "Datei incidents.csv, Tabelle incidents, Zeile 2, Spalte Tatzeit bis, Wert „31.12.2023 21:00“: Der Wert "
        "liegt vor dem "
        "Wert der Spalte Tatzeit von. Abhilfe: Die beiden Werte prüfen; vermutlich sind sie vertauscht.",
    ),
    "lost zero of an offence key": (
        "incidents",
        INCIDENTS + "1;31.12.2023;;;00;10000\n",
        "Datei incidents.csv, Tabelle incidents, Zeile 2, Spalte Schlüssel, Wert „10000“: Der Schlüssel hat zu "
        "wenige Stellen; "
        "vermutlich fehlt die führende Null. Betroffene Zeilen: 1. Abhilfe: Gemeint sein könnte „010000“; die "
        "Spalte als "
        "Text ausgeben lassen.",
    ),
    "key saved as number": (
        "incidents",
        INCIDENTS + "1;31.12.2023;;;00;899000.0\n",
        "Datei incidents.csv, Tabelle incidents, Zeile 2, Spalte Schlüssel, Wert „899000.0“: Der Schlüssel wurde "
        "als Zahl "
        "gespeichert. Betroffene Zeilen: 1. Abhilfe: Gemeint sein könnte „899000“; die Spalte als Text ausgeben "
        "lassen.",
    ),
    "missing value": (
        "incidents",
        INCIDENTS + "1;31.12.2023;;;;899000\n",
        "Datei incidents.csv, Tabelle incidents, Zeile 2, Spalte Ortsteil-Schlüssel: Der Wert fehlt. Abhilfe: Den "
        "Wert "
        "ergänzen; diese Spalte darf nicht leer sein.",
    ),
    "weight zero": (
        "respondents",
        RESPONDENTS + "1;2021;00;a;0;online\n",
        "Datei respondents.csv, Tabelle respondents, Zeile 2, Spalte Gewicht, Wert „0.0“: Ein Gewicht muss größer "
        "als 0 sein. "
        "Abhilfe: Das Gewicht berichtigen; wer nicht zählen soll, gehört nicht in die Tabelle.",
    ),
    "weight missing": (
        "respondents",
        RESPONDENTS + "1;2021;00;a;;online\n",
        "Datei respondents.csv, Tabelle respondents, Zeile 2, Spalte Gewicht: Das Gewicht fehlt. Abhilfe: Das "
        "Gewicht aus dem "
        "Erhebungsinstitut nachliefern lassen; wer nicht gewichtet werden soll, gehört nicht in die Tabelle.",
    ),
    "unknown code": (
        "respondents",
        RESPONDENTS + "1;2021;00;a;1,5;Onlein\n2;2021;00;a;1,5;Onlein\n",
        "Datei respondents.csv, Tabelle respondents, Zeile 2, Spalte Erhebungsweg, Wert „Onlein“: Dieser Wert ist "
        "hier nicht "
        "vorgesehen. Betroffene Zeilen: 2. Abhilfe: Gemeint sein könnte „online“. Möglich sind Papier, paper, "
        "online, Telefon "
        "und phone.",
    ),
    "two decimal marks": (
        "respondents",
        RESPONDENTS + "1;2021;00;a;1,5;online\n2;2021;00;a;1.5;online\n",
        "Datei respondents.csv, Tabelle respondents, Spalte Gewicht: Die Spalte enthält Zahlen mit Dezimalkomma "
        "(Zeilen 2) und "
        "mit Dezimalpunkt (Zeilen 3). Abhilfe: Die Spalte aus dem Ursprungsprogramm einheitlich ausgeben.",
    ),
    "comma or point": (
        "respondents",
        RESPONDENTS + "1;2021;00;a;1.234;online\n",
        "Datei respondents.csv, Tabelle respondents, Spalte Gewicht: Ob das Zeichen Tausender oder Dezimalstellen "
        "trennt, ist "
        "nicht zu erkennen (Zeilen 2). Abhilfe: In project.toml unter [tables.respondents] angeben: decimal = "
        '"," oder '
        '".".',
    ),
    "empty table": (
        "counts",
        COUNTS,
        "Datei counts.csv, Tabelle counts: Die Tabelle hat eine Kopfzeile, aber keine Daten. Abhilfe: Daten "
        "ergänzen, oder die "
        "Tabelle aus project.toml nehmen, wenn es keine gibt.",
    ),
    "empty file": (
        "counts",
        "",
        "Datei counts.csv, Tabelle counts: Die Datei ist leer. Abhilfe: Die Datei mit Kopfzeile und Daten neu "
        "liefern lassen.",
    ),
    "missing column": (
        "counts",
        "Ortsteil-Schlüssel;Zeitraum;Schlüssel\n00;2023;899000\n",
        "Datei counts.csv, Tabelle counts: Die Spalte „Anzahl“ (count) fehlt. Abhilfe: Die Spalte liefern. Heißt "
        "sie anders, in "
        'project.toml unter [tables.counts] zuordnen: columns = { "Überschrift in der Datei" = "count" }.',
    ),
    "misspelt column": (
        "counts",
        "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzal\n00;2023;899000;5\n",
        "Datei counts.csv, Tabelle counts: Die Spalte „Anzahl“ (count) fehlt. Abhilfe: Gemeint sein könnte "
        "„Anzal“; dann in "
        'project.toml unter [tables.counts] zuordnen: columns = { "Anzal" = "count" }.',
    ),
    "column twice": (
        "counts",
        "Ortsteil-Schlüssel;Zeitraum;Schlüssel;Anzahl;ANZAHL\n00;2023;899000;5;6\n",
        "Datei counts.csv, Tabelle counts: Mehrere Spalten stehen für count: Anzahl und ANZAHL. Abhilfe: In "
        "project.toml unter "
        "[tables.counts] mit columns die richtige zuordnen und die andere unter ignore nennen.",
    ),
    "too few fields": (
        "counts",
        COUNTS + "00;2023;899000;5\n01;2023\n",
        "Datei counts.csv, Tabelle counts, Zeile 3: Die Zeile hat 2 Felder, die Kopfzeile 4. Abhilfe: Fehlende "
        "Felder leer, aber "
        "mit Trennzeichen liefern; auch ein nicht geschlossenes Anführungszeichen kann der Grund sein.",
    ),
    "too many fields": (
        "counts",
        COUNTS + "00;2023;899000;5;6\n01;2023;899000;5\n",
        "Datei counts.csv, Tabelle counts, Zeile 2: Die Zeile hat 5 Felder, die Kopfzeile 4. Abhilfe: Text, der "
        "das Trennzeichen "
        "enthält, in Anführungszeichen setzen.",
    ),
    "lost zero in the areas": (
        "areas",
        "Ortsteil-Schlüssel;Ortsteil\n0;Zentrum\n20;Volkmarsdorf\n",
        "Datei areas.csv, Tabelle areas, Zeile 2, Spalte Ortsteil-Schlüssel, Wert „0“: Der Schlüssel hat zu wenige "
        "Stellen; "
        "vermutlich fehlt die führende Null. Betroffene Zeilen: 1. Abhilfe: Gemeint sein könnte „00“; die Spalte "
        "als Text "
        "ausgeben lassen.",
    ),
    "neither yes nor no": (
        "areas",
        "Ortsteil-Schlüssel;Ortsteil;Einwohnerbezug aussagekräftig\n00;Zentrum;eher nicht\n",
        "Datei areas.csv, Tabelle areas, Zeile 2, Spalte Einwohnerbezug aussagekräftig, Wert „eher nicht“: Das ist "
        "weder ja "
        "noch nein. Abhilfe: „ja“ oder „nein“ eintragen.",
    ),
    "area of an event": (
        "events",
        "Ereignis;Bezeichnung deutsch;Bezeichnung englisch;Beginn;Ortsteil-Schlüssel "
        "(mehrere);Art\nx;a;b;1.1.2020;20, 0;Gesetz\n",
        "Datei events.csv, Tabelle events, Zeile 2, Spalte Ortsteil-Schlüssel (mehrere), Wert „0“: Dieses Gebiet "
        "steht nicht in "
        "der Tabelle der Gebiete. Betroffene Zeilen: 1. Abhilfe: Gemeint sein könnte „00“; Schlüssel sind Text und "
        "behalten "
        "führende Nullen.",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_message(read, case) -> None:
    table, content, expected = case
    assert [problem.worded("de") for problem in read(table, content).problems] == [expected]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_every_message_exists_in_english_too(read, case) -> None:
    table, content, _ = case
    for problem in read(table, content).problems:
        words = problem.worded("en")
        assert "What to do: " in words
        assert "{" not in words.replace("columns = {", "")


def test_all_problems_come_at_once(read) -> None:
    content = COUNTS + "0;2023;899000;-5\n00;2023;899000;viele\n00;2023;899000;3\n01;Mai;899000;2,5\n"
    codes = {problem.code for problem in read("counts", content).problems}
    assert codes == {
        "data.unknown_area_like", "data.negative", "data.not_a_number", "data.duplicate", "data.not_a_period",
        "data.not_whole",
    }  # fmt: skip


def test_a_faulty_table_is_not_used(read) -> None:
    delivery = read("counts", COUNTS + "00;2023;899000;-5\n")
    with pytest.raises(DataError) as caught:
        delivery.table()
    assert caught.value.problems == delivery.problems


def test_many_rows_with_one_fault_are_counted_and_five_are_shown(read) -> None:
    content = COUNTS + "".join(f"00;{year};899000;-1\n" for year in range(1990, 2010))
    problems = read("counts", content).problems
    assert [problem.row for problem in problems] == [2, 3, 4, 5, 6, None]
    assert problems[-1].worded("de") == (
        "Datei counts.csv, Tabelle counts, Spalte Anzahl: Weitere 15 Zeilen haben denselben Fehler (insgesamt 20)."
    )


def test_many_wrong_areas_are_listed_once_each_and_counted(read) -> None:
    content = COUNTS + "".join(f"A{n};2020;899000;1\nA{n};2021;899000;1\n" for n in range(100, 114))
    problems = read("counts", content).problems
    assert len(problems) == 11
    assert problems[-1].worded("de") == (
        "Datei counts.csv, Tabelle counts, Spalte Ortsteil-Schlüssel: Weitere 4 Werte haben denselben Fehler (in 8 "
        "Zeilen)."
    )


def test_many_duplicates_are_counted(read) -> None:
    content = COUNTS + "".join(f"00;{year};899000;1\n" * 2 for year in range(1990, 1998))
    problems = read("counts", content).problems
    assert len(problems) == 6
    assert problems[-1].worded("de") == (
        "Datei counts.csv, Tabelle counts: Weitere 3 Schlüssel kommen mehrfach vor (insgesamt 8)."
    )


# --- the file ---


def test_missing_file(read) -> None:
    [problem] = read("counts").problems
    assert problem.worded("de") == (
        "Datei counts.csv, Tabelle counts: Die angegebene Datei gibt es nicht. Abhilfe: Die Datei in diesen Ordner "
        "legen oder "
        "den Eintrag file in project.toml berichtigen."
    )


def test_missing_file_with_a_similar_one_beside_it(read, tmp_path: Path) -> None:
    (tmp_path / "fallzahlen.csv").write_text("x", encoding="utf-8")
    [problem] = read("counts", name="Fallzahlen.xlsx").problems
    assert problem.worded("de") == (
        "Datei Fallzahlen.xlsx, Tabelle counts: Die angegebene Datei gibt es nicht. Abhilfe: Gemeint sein könnte "
        "„fallzahlen.csv“: den Eintrag file in project.toml berichtigen oder die Datei umbenennen."
    )


def test_a_folder_is_no_file(read, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").mkdir()
    [problem] = read("counts").problems
    assert problem.worded("de") == (
        "Datei counts.csv, Tabelle counts: Das ist ein Ordner, keine Datei. Abhilfe: In project.toml unter file "
        "den Namen der "
        "Datei angeben."
    )


def test_unknown_format(read) -> None:
    [problem] = read("counts", "x", name="counts.docx").problems
    assert problem.worded("de") == (
        "Datei counts.docx, Tabelle counts, Wert „.docx“: Dateien dieser Art können nicht gelesen werden. Abhilfe: "
        "In einem "
        "dieser Formate liefern: .csv, .txt, .tsv, .xlsx, .xlsm, .parquet und .sav."
    )


def test_a_file_that_is_open_elsewhere(read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "counts.csv").write_text("x", encoding="utf-8")
    monkeypatch.setattr(Path, "open", locked)
    [problem] = read("counts").problems
    assert problem.worded("de") == (
        "Datei counts.csv, Tabelle counts: Die Datei lässt sich nicht öffnen (Permission denied). Abhilfe: Prüfen, "
        "ob sie in "
        "einem anderen Programm (etwa Excel) geöffnet ist und ob Leserechte bestehen."
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("counts.xlsx", "Excel-Datei"),
        ("counts.parquet", "Parquet-Datei"),
        ("counts.sav", "SPSS-Datei"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says(read, name: str, words: str) -> None:
    [problem] = read("counts", "Anzahl;1", name=name).problems
    assert problem.worded("de").startswith(
        f"Datei {name}, Tabelle counts: Die Datei lässt sich nicht als {words} lesen ("
    )


def test_an_excel_file_called_csv(read) -> None:
    [problem] = read("counts", b"PK\x03\x04\x00\x00").problems
    assert problem.worded("de") == (
        "Datei counts.csv: Die Datei ist keine Textdatei, obwohl ihre Endung das sagt. Abhilfe: Die Datei mit "
        "ihrer richtigen "
        "Endung speichern, eine Excel-Datei etwa als .xlsx."
    )


def test_neither_utf_8_nor_cp1252(read) -> None:
    [problem] = read("areas", "Ortsteil-Schlüssel;Ortsteil\n00;Süd\n".encode("cp850")).problems
    assert problem.worded("de") == (
        "Datei areas.csv, Zeile 1: Die Datei ist weder in UTF-8 noch in CP1252 geschrieben (Byte 0x81). Abhilfe: "
        "Die Datei als "
        '„CSV UTF-8“ speichern oder den Zeichensatz mit encoding in project.toml angeben, etwa "cp850".'
    )


def test_not_in_the_declared_encoding(read) -> None:
    [problem] = read("areas", "Nr;Ortsteil\n00;Süd\n".encode("cp1252"), encoding="utf-8").problems
    assert problem.worded("de") == (
        "Datei areas.csv, Zeile 2: Die Datei ist nicht im angegebenen Zeichensatz utf-8 geschrieben (Byte 0xFC). "
        "Abhilfe: "
        "encoding in project.toml berichtigen, oder die Zeile streichen: Dann wird der Zeichensatz erkannt."
    )


def test_an_encoding_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a", encoding="utf-8")
    [problem] = read_table(Source(table="areas", path=tmp_path / "a.csv", file="a.csv", encoding="ansii")).problems
    assert problem.worded("de") == (
        "Datei a.csv, Wert „ansii“: Diesen Zeichensatz gibt es nicht. Abhilfe: encoding in project.toml "
        "berichtigen; üblich sind "
        '"utf-8" und "cp1252".'
    )


def test_umlauts_converted_twice(read) -> None:
    [problem] = read("areas", "Ortsteil-Schlüssel;Ortsteil\n00;Süd\n".encode().decode("cp1252")).problems
    assert problem.worded("de") == (
        "Datei areas.csv, Zeile 1: Umlaute sind zweimal umgewandelt worden, hier „Ã¼“. Abhilfe: Die Datei aus dem "
        "Ursprungsprogramm neu ausgeben, als „CSV UTF-8“."
    )


def test_characters_lost(read) -> None:
    [problem] = read("areas", "Nr;Ortsteil\n00;S\ufffdd\n").problems
    assert problem.worded("de") == (
        "Datei areas.csv, Zeile 2: Zeichen sind bei einer früheren Umwandlung verloren gegangen, hier „\ufffd“. "
        "Abhilfe: Die "
        "Datei aus dem Ursprungsprogramm neu ausgeben, als „CSV UTF-8“."
    )


def test_the_line_of_the_file_is_named_behind_cells_with_line_breaks_and_blank_lines(read) -> None:
    content = '# Stand 2024\n\nOrtsteil-Schlüssel;Ortsteil\n00;"Zen\ntrum"\n\n;\n0;Ost\n'
    [problem] = read("areas", content).problems
    assert (problem.row, problem.value) == (8, "0")


# --- declared columns ---


def test_a_declared_heading_that_the_file_does_not_have(read) -> None:
    [problem] = read("areas", "OT-Nr;Ortsteil;area\n00;Zentrum;00\n", columns={"OT-Nummer": "area"}).problems
    assert problem.worded("de") == (
        "Datei areas.csv, Tabelle areas, Wert „OT-Nummer“: project.toml ordnet die Spalte „OT-Nummer“ zu (area), "
        "aber die Datei "
        "hat sie nicht. Abhilfe: Gemeint sein könnte „OT-Nr“."
    )


def test_a_declared_name_that_the_table_does_not_have(read) -> None:
    [problem] = read("areas", "Nr;Ortsteil;area\n00;Zentrum;00\n", columns={"Nr": "areas"}).problems
    assert problem.worded("de") == (
        "Datei areas.csv, Tabelle areas, Wert „areas“: project.toml ordnet die Spalte „Nr“ dem Namen „areas“ zu, "
        "den die "
        "Tabelle nicht kennt. Abhilfe: Gemeint sein könnte „area“; alle Namen nennt „evaluation codebook“."
    )


def test_a_missing_item_column_names_what_it_could_be(read) -> None:
    item = Column(name="q_night", kind="int", label={"de": "q_night", "en": "q_night"}, example="2", nullable=True)
    content = RESPONDENTS.strip() + ";q_nigth\n1;2021;00;a;1,5;online;2\n"
    [problem] = read("respondents", content, extra=(item,)).problems
    assert problem.worded("de") == (
        "Datei respondents.csv, Tabelle respondents: Die Spalte „q_night“ (q_night) fehlt. Abhilfe: Gemeint sein "
        "könnte "
        '„q_nigth“; dann in project.toml unter [tables.respondents] zuordnen: columns = { "q_nigth" = "q_night" }.'
    )


def test_extra_columns_are_a_note_and_ignored_ones_are_not(read) -> None:
    content = "Ortsteil-Schlüssel;Ortsteil;Fläche;Bemerkung\n00;Zentrum;3;x\n"
    delivery = read("areas", content, ignore=("Bemerkung",))
    assert delivery.problems == ()
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei areas.csv, Tabelle areas: Nicht verwendete Spalten (1): Fläche. Abhilfe: Sollen sie nicht mehr "
        "gemeldet werden, in "
        "project.toml unter [tables.areas] bei ignore nennen."
    ]


def test_an_extra_column_that_resembles_an_optional_one_is_named_apart(read) -> None:
    delivery = read("areas", "Ortsteil-Schlüssel;Ortsteil;Polizei-Revir\n00;Zentrum;Nord\n")
    assert [note.worded("de") for note in delivery.notes] == [
        "Datei areas.csv, Tabelle areas, Wert „Polizei-Revir“: Die Spalte „Polizei-Revir“ wird nicht verwendet. "
        "Abhilfe: Steht sie "
        "für „Polizeirevier“ (precinct), dann in project.toml unter [tables.areas] zuordnen: columns = { "
        '"Polizei-Revir" = '
        '"precinct" }.'
    ]


def test_the_frame_of_areas_stays_as_it_was(read, areas: pd.DataFrame) -> None:
    before = areas.copy()
    read("counts", COUNTS + "Zentrum;2023;899000;5\n")
    pd.testing.assert_frame_equal(areas, before)
