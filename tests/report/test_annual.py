"""What the annual report contains: for the sample project, and for the smallest project that is possible."""

import re
import tomllib
from html import unescape
from pathlib import Path

import pytest

from evaluation.cli import main
from evaluation.project import open_project
from evaluation.report import annual, start
from evaluation.report.blocks import (
    Block,
    FigureBlock,
    GroupBlock,
    Heading,
    ListBlock,
    NoteBlock,
    Paragraph,
    TableBlock,
    TitleBlock,
)
from evaluation.report.page import Page
from evaluation.report.results import merged
from evaluation.texts import has_text
from evaluation.texts.numbers import format_value

CHAPTERS = ("summary", "background", "implementation", "results", "next_year", "amendment", "measures", "closing")

FORBIDDEN = (
    "die Kriminalität sank",
    "Kriminalität ging zurück",
    "gefühlte Sicherheit",
    "behandelte Gebiete",
    "Kontrollgebiet",
    "Kontrollgruppe",
    "Dosis",
    "Placebo",
    "signifikant",
    "keine Wirkung gab es",
    "wirkungslos",
    "Brennpunkt",
    "Angstraum",
    "Verdrängung",
    "Regression zur Mitte",
    "Evidenzgrad",
    "Note 3",
    "beenden",
    "Nationalität",
    "Staatsangehörigkeit",
    "Ausländer",
    "Rangliste",
)


class Report:
    """All chapters of one report."""

    def __init__(self, folder: Path, year: int, language: str) -> None:
        self.language = language
        self.material = annual.gather(start(project=str(folder), year=year, language=language))
        self.chapters = {name: list(getattr(annual, name)(self.material)) for name in CHAPTERS}
        self.pages = {name: Page(tuple(blocks), language) for name, blocks in self.chapters.items()}

    def walk(self) -> list[Block]:
        return [block for page in self.pages.values() for block in page.walk()]

    def of(self, kind: type) -> list:
        return [block for block in self.walk() if isinstance(block, kind)]

    def words(self) -> str:
        """Everything that a reader sees or hears."""
        html = "\n".join(page.html() for page in self.pages.values())
        alts = " ".join(re.findall(r'alt="([^"]*)"', html))
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html) + " " + alts))


@pytest.fixture(scope="module")
def german(sample_project) -> Report:
    return Report(sample_project, 2024, "de")


@pytest.fixture(scope="module")
def english(sample_project) -> Report:
    return Report(sample_project, 2024, "en")


@pytest.fixture(scope="module")
def smallest(root, tmp_path_factory) -> Report:
    """Areas, inhabitants, yearly counts and the register: nothing else was delivered."""
    folder = tmp_path_factory.mktemp("smallest") / "projekt"
    extract = root / "data_samples" / "portal_extract"
    assert main(["import", "leipzig-open-data", str(extract), "--into", str(folder)]) == 0
    return Report(folder, int(open_project(folder).table("counts")["period"].max()), "de")


@pytest.fixture(params=["german", "english", "smallest"])
def report(request) -> Report:
    return request.getfixturevalue(request.param)


def test_no_word_that_readers_must_not_meet(german, smallest):
    for found in (german.words(), smallest.words()):
        assert [word for word in FORBIDDEN if word.lower() in found.lower()] == []


def test_english_words_follow_the_same_rules(english):
    found = english.words().lower()
    forbidden = (
        "significant",
        "placebo",
        "control area",
        "hot spot",
        "felt safety",
        "dose",
        "treated area",
        "ineffective",
    )
    assert [word for word in forbidden if word in found] == []


def test_a_falling_number_of_cases_is_never_called_security(german):
    for sentence in re.split(r"(?<=[.!?])\s", german.words()):
        if "Sicherheitsniveau" in sentence:
            assert not re.search(r"\d,\d", sentence), sentence


def test_page_one_holds_title_three_lists_a_picture_and_the_table(report):
    (page_one,) = [b for b in report.chapters["summary"] if isinstance(b, GroupBlock)]
    kinds = [type(block) for block in page_one.blocks]
    assert kinds == [TitleBlock, Heading, ListBlock, Heading, ListBlock, Heading, ListBlock, FigureBlock, TableBlock]
    known = page_one.blocks[2]
    assert 2 <= len(known.items) <= 5
    table = page_one.blocks[-1]
    assert len(table.rows) == len(report.material.measures) == 20


def test_the_title_says_state_source_and_simulation(german, smallest):
    (title,) = german.of(TitleBlock)
    assert title.title == "Kooperation von Stadt und Polizei: Jahresbericht 2024"
    assert title.banner.startswith("Simulierte Daten")
    facts = dict(title.facts)
    assert facts["Stand"] == "Entwurf – von den Partnern noch nicht freigegeben"
    assert "simulierte Vorgangsdaten" in facts["Quellen"]
    (title,) = smallest.of(TitleBlock)
    assert {"Stadt", "Berichtsjahr", "Stand", "Fassung", "Quellen"} == set(dict(title.facts))


def test_the_councils_four_questions_are_chapters_in_their_order(report):
    titles = [block.words for block in report.of(Heading) if block.level == 2]
    numbered = [title for title in titles if title[0].isdigit()]
    assert [title[0] for title in numbered] == ["1", "2", "3", "4"]
    if report.language == "de":
        assert numbered == [
            "1 Wie wird die Umsetzung beurteilt?",
            "2 Was wurde getan und was hat es bewirkt?",
            "3 Was soll im nächsten Jahr geschehen?",
            "4 Was gehört in die Fortschreibung?",
        ]
        assert titles[titles.index("Die Maßnahmen im Einzelnen") + 1 :] == [
            "Grenzen und Datenqualität",
            "Daten und Methoden",
            "Tabellen",
            "Begriffe",
        ]


@pytest.mark.parametrize("chapter", ["implementation", "results", "next_year", "amendment"])
def test_each_chapter_opens_with_its_answer(report, chapter):
    first, second = report.chapters[chapter][:2]
    assert isinstance(first, Heading)
    assert isinstance(second, Paragraph)
    assert second.kind == "answer"


def test_every_measure_has_a_page_that_says_what_it_does_not_mean(report):
    pages = [block for block in report.of(GroupBlock) if block.kind == "measure"]
    assert [page.id for page in pages] == [f"massnahme-{measure.id}" for measure in report.material.measures]
    lead = {"de": "Was das nicht heißt:", "en": "What this does not mean:"}[report.language]
    for page in pages:
        leads = [block.lead for block in page.blocks if isinstance(block, Paragraph)]
        assert lead in leads, page.id


def test_without_data_every_measure_cannot_be_judged_and_says_why(smallest):
    for page in (block for block in smallest.of(GroupBlock) if block.kind == "measure"):
        sentences = [block.words for block in page.blocks if isinstance(block, Paragraph)]
        assert any(re.search(r"nicht beurteilbar, weil \w+", words) for words in sentences), page.id
    assert smallest.pages["results"].facts()["gaps"] == []


def test_what_is_missing_names_its_question(smallest):
    subjects = {note.subject for note in smallest.of(NoteBlock) if note.kind == "missing"}
    assert {"respondents", "together", "studies", "decisions", "A2", "X0"} <= subjects


def test_every_figure_has_finding_alt_and_numbers(report):
    figures = report.of(FigureBlock)
    assert figures
    for shown in figures:
        assert shown.finding.endswith((".", "?")), shown.id
        assert shown.finding in shown.alt, shown.id
        assert shown.results, shown.id
        assert shown.table is not None or shown.id == "bild-karte"  # its numbers are the table below it


def test_anchors_are_unique_and_links_have_a_target(report):
    html = "\n".join(page.html() for page in report.pages.values())
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert sorted(ids) == sorted(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_results_have_one_value_for_each_id(report):
    rows = [row for page in report.pages.values() for row in page.facts()["results"]]
    ids = [(row["id"], row["period"]) for row in merged(rows)]
    assert len(ids) == len(set(ids)) > 100


def test_results_do_not_depend_on_the_language(german, english):
    def values(report: Report) -> list[tuple[object, ...]]:
        rows = merged(row for page in report.pages.values() for row in page.facts()["results"])
        return [(row["id"], row["period"], row["value"], row["conf_low"]) for row in rows]

    assert values(german) == values(english)


NUMBER = re.compile(r"[−+]?\d{1,3}(?:\.\d{3})*(?:,\d+)?(?=\N{NO-BREAK SPACE}%| Prozentpunkte)")
RULES = {"5", "80", "95", "16", "100"}  # error limit, power, interval: rules, not results


def test_every_percentage_in_a_sentence_is_a_published_value(german):
    """A sentence shows only numbers of the published values that it hands on."""
    for block in german.of(Paragraph) + german.of(ListBlock):
        words = block.words if isinstance(block, Paragraph) else " ".join(block.items)
        said = {number.lstrip("+−") for number in NUMBER.findall(words)} - RULES
        values = [
            value
            for published in block.results
            for cell in published.cells()
            for value in (cell.value, cell.conf_low, cell.conf_high, cell.p_value)
            if value is not None
        ]
        known = {
            format_value(abs(value), spec, "de").split("\N{NO-BREAK SPACE}")[0]
            for value in values
            for spec in ("pct0", "pct1", "pct2")
        }
        assert said <= known, (words, said - known)


def test_every_effect_stands_beside_what_puts_it_into_perspective(german):
    for effect in german.material.effects:
        names = set(effect.specifications.frame["specification"])
        assert {"declared", "with_neighbours", "districts", "unadjusted"} <= names
    words = german.words()
    for label in ("Mit Nachbargebieten im Vergleich", "Nach Stadtbezirken gerechnet"):
        assert words.count(label) == len(german.material.effects)


def test_only_declared_specifications_count_for_the_grade(german):
    for effect in german.material.effects:
        declared = {"other_1", "other_2"} if effect.study.id == "patrols" else set()
        assert set(effect.finding.diagnostics) - {"pre_trend"} == declared


def test_an_established_effect_says_what_it_hangs_on(german):
    (effect,) = [e for e in german.material.effects if e.verdict == "established"]
    checks = next(b for b in german.of(ListBlock) if any("Anzeigequote" in item for item in b.items))
    starts = ("Lässt man", "Hätten sich", "Ohne Bereinigung", "Weniger Fälle können", "Nach der Befragung")
    assert [item.startswith(start_) for item, start_ in zip(checks.items, starts, strict=True)] == [True] * 5
    assert set(effect.scrutiny.results) <= set(checks.results) | {effect.scrutiny.reporting.explains}


def test_which_inference_was_used_and_why_stands_under_every_effect(german):
    small = [b.words for b in german.of(Paragraph) if b.words.startswith("Für Fachleute")]
    assert len(small) == len(german.material.effects)
    assert sum("weil Gebiete mit der Maßnahme aneinander grenzen" in words for words in small) == 3
    assert sum("Schichten des früheren Niveaus" in words for words in small) == 1


def test_no_spatial_shift_is_claimed_where_none_is_simulated(german, english):
    (table,) = [b for b in german.of(TableBlock) if b.id == "tabelle-verlagerung"]
    assert len([row for row in table.rows if row[0].words]) == len(german.material.effects)
    assert "Bei keiner der vier Untersuchungen ist nachgewiesen, dass Fälle ausgewichen sind." in german.words()
    assert "In none of the four studies is it shown that cases have moved." in english.words()


def test_areas_stand_in_the_order_of_their_keys(report):
    tables = [table for table in report.of(TableBlock) if table.id.startswith("tabelle-ortsteile")]
    assert tables
    for table in tables:
        keys = [row[0].words for row in table.rows]
        assert keys == sorted(keys)


def test_every_break_of_the_sample_is_warned_of(german):
    words = german.words()
    assert "Graffiti kann online angezeigt werden" in words
    assert re.search(r"Stadt insgesamt, Graffiti: Ab \w+ 2022 liegt die Zahl auf einem anderen Niveau", words)
    assert "Befragung zuerst online" in words


def test_the_centre_is_marked(german):
    assert "Zentrum: Einwohnerbezug nicht aussagekräftig" in german.words()


def test_numbers_are_german_and_english(german, english):
    assert "12.466 Fälle" in german.words()
    assert "12,466 cases" in english.words()
    assert not re.search(r"\d\.\d+\N{NO-BREAK SPACE}%", german.words())
    assert "Maßnahme" not in re.sub(r"Nachtschwärmer|Maßnahmen?kalender", "", english.words())


def _leaves(node: dict, path: str = "") -> list[str]:
    found = []
    for name, value in node.items():
        key = f"{path}.{name}" if path else name
        found += _leaves(value, key) if isinstance(value, dict) else [key]
    return found


def test_every_sentence_of_the_report_is_used(root):
    files = [*(root / "evaluation" / "report").rglob("*.py"), root / "evaluation" / "place" / "changes.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))
    fixed = set(re.findall(r'"(?:report\.)?(\w+(?:\.\w+)*)"', code))
    open_ones = [
        re.sub(r"\\\{.*?\\\}", ".+", re.escape(key))
        for key in re.findall(r'f"(?:report\.)?(\w[^"\s]*\{[^"]*\}\w*)"', code)
    ]
    made = re.compile("|".join(open_ones))
    written = _leaves(tomllib.loads((root / "evaluation/texts/de/report.toml").read_text(encoding="utf-8")))
    plain = {key.removesuffix("_one").removesuffix(".problem").removesuffix(".remedy") for key in written}
    assert sorted(key for key in plain - fixed if not made.fullmatch(key)) == []


def test_every_short_title_is_of_a_measure_of_the_standard_register(german):
    for measure in german.material.measures:
        assert has_text(f"report.short.{measure.id}", "de")
