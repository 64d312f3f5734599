"""The annual report of the sample project, from the command line to the files, as an unattended run would make it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest

from evaluation.report import notebooks, render, results
from evaluation.texts import text

YEAR = "2024"


def evaluation(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evaluation", *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture(scope="module")
def project(sample_project, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("Köln Süd") / "Projekt {1}"
    shutil.copytree(sample_project, folder, ignore=shutil.ignore_patterns("reports"))
    return folder


@pytest.fixture(scope="module")
def report(project) -> Path:
    done = evaluation("report", "annual", project, "--year", YEAR)
    folder = project / "reports" / YEAR
    record = json.loads((folder / "run.json").read_text(encoding="utf-8")) if folder.exists() else {"gaps": []}
    assert done.returncode == (3 if record["gaps"] else 0), done.stdout + done.stderr
    assert done.stderr == ""
    return folder


def test_all_files_are_there_and_nothing_half_written(report):
    expected = {"report.html", "report.ipynb", "results.csv", "run.json"}
    assert expected <= {path.name for path in report.iterdir()} <= {*expected, "report.pdf"}
    assert [path.name for path in report.parent.iterdir()] == [YEAR]


def test_another_run_elsewhere_on_another_day_with_one_thread_gives_the_same_bytes(project, report, tmp_path):
    other = tmp_path / "woanders"
    shutil.copytree(project, other, ignore=shutil.ignore_patterns("reports"))
    few = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    target = tmp_path / "ziel"
    evaluation("report", "annual", other, "--year", YEAR, "--output", target, SOURCE_DATE_EPOCH="86400", **few)
    names = [name for name in ("report.html", "report.pdf", "results.csv") if (report / name).exists()]
    assert [name for name in names if (report / name).read_bytes() != (target / name).read_bytes()] == []


def test_papermill_alone_gives_the_same_numbers(project, report, tmp_path):
    made = tmp_path / "out.ipynb"
    words = [sys.executable, "-m", "papermill", str(notebooks.find("annual")), str(made), "--no-progress-bar"]
    done = subprocess.run(
        [*words, "-p", "project", str(project), "-p", "year", YEAR],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = render.pages(notebooks.read(made))
    rows = results.merged(row for page in pages for row in page["results"])
    assert results.to_csv(rows) == (report / "results.csv").read_bytes()


def test_papermill_alone_refuses_an_unknown_parameter(project, tmp_path):
    made = tmp_path / "out.ipynb"
    words = [sys.executable, "-m", "papermill", str(notebooks.find("annual")), str(made), "--no-progress-bar"]
    done = subprocess.run(
        [*words, "-p", "project", "x", "-p", "yaer", YEAR], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode != 0
    assert text("runner.unknown_parameter.problem", "de", given="yaer") in done.stderr


def test_results_have_unique_ids_and_ten_digits_at_most(report):
    rows = list(csv.DictReader(StringIO((report / "results.csv").read_text(encoding="utf-8"), newline="")))
    keys = [(row["id"], row["period"]) for row in rows]
    assert len(keys) == len(set(keys)) > 100
    assert not [row["id"] for row in rows if YEAR in row["id"]]
    for row in rows:
        digits = re.sub(r"e.*|[^0-9]", "", row["value"]).lstrip("0")
        assert len(digits) <= 10, row


def test_nothing_below_the_smallest_cell_is_in_the_results(report):
    rows = csv.DictReader(StringIO((report / "results.csv").read_text(encoding="utf-8"), newline=""))
    small = [row["id"] for row in rows if row["unit"] in {"cases", "people"} and row["value"] in {"1", "2", "3", "4"}]
    assert small == []


def test_record_and_notebook_name_no_person_and_no_place(report, project):
    for name in ("run.json", "report.ipynb", "report.html", "results.csv"):
        written = (report / name).read_text(encoding="utf-8")
        for place in (str(project.parent), str(Path.home()) + os.sep, str(Path(__file__).parents[2]) + os.sep):
            assert place not in written, (name, place)


def test_record_has_inputs_seeds_and_versions(report, project):
    record = json.loads((report / "run.json").read_text(encoding="utf-8"))
    assert {"project.toml", "agreement.toml"} <= set(record["inputs"])
    assert all(len(value) == 64 for value in record["inputs"].values())
    assert record["seeds"]
    assert record["versions"]["evaluation"]
    assert record["parameters"] == {"project": project.name, "year": 2024, "language": "de"}


def numbers(path: Path) -> set[tuple[str, str, str]]:
    rows = csv.DictReader(StringIO(path.read_text(encoding="utf-8"), newline=""))
    return {(row["id"], row["period"], row["value"]) for row in rows}


@pytest.fixture(scope="module")
def english(project) -> Path:
    done = evaluation("report", "annual", project, "--year", YEAR, "--lang", "en")
    assert done.returncode in {0, 3}, done.stdout + done.stderr
    return project / "reports" / YEAR / "en"


def test_english_report_says_the_same_numbers(report, english):
    html = (english / "report.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in html
    assert "Quelle:" not in html
    german, other = (numbers(folder / "results.csv") for folder in (report, english))
    assert german == other


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), [("de", 1280), ("en", 390)])
def test_axe_finds_nothing(report, english, chromium, language, width):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra: test)")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    folder = {"de": report, "en": english}[language]
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto((folder / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(found => found.open = true)")
        found = axe.Axe().run(page)
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found.response["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        browser.close()


@pytest.mark.pdf
def test_page_one_is_one_page_and_the_pdf_keeps_the_rules(report):
    path = report / "report.pdf"
    if not path.exists():
        pytest.skip("needs Pango for WeasyPrint")
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext (Debian: apt install poppler-utils)")
    words = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    first, second = words.split("\f")[:2]
    assert "Was wir wissen" in first
    assert re.search(r"^\s*X0 ", first, re.MULTILINE)  # the last row of the table of measures
    assert second.strip().startswith("Inhalt")
    pytest.importorskip("pdfua", reason="needs pdfua (extra: test)")
    done = subprocess.run(
        [sys.executable, "-m", "pdfua", "check", str(path)], capture_output=True, text=True, check=False
    )
    assert "result: PASS" in done.stdout, done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for other processes")
def test_ctrl_c_leaves_nothing_behind(project, report):
    before = {path: path.read_bytes() for path in report.iterdir() if path.is_file()}
    run = subprocess.Popen(
        [sys.executable, "-m", "evaluation", "report", "annual", str(project), "--year", YEAR],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        for _ in range(300):
            if list(report.parent.glob(f".{YEAR}.partial-*")):
                break
            time.sleep(0.05)
        time.sleep(2)
        run.send_signal(signal.SIGINT)
        printed = run.communicate(timeout=30)
    finally:
        run.kill()
    # A shell sees 130 in both: CPython ends itself by the signal where it interrupted an import that runs source text.
    assert run.returncode in {130, -signal.SIGINT}, printed
    assert printed == ("", "Abgebrochen; nichts wurde geschrieben.\n")
    assert {path: path.read_bytes() for path in report.iterdir() if path.is_file()} == before
    assert sorted(path.name for path in report.parent.iterdir()) == [YEAR]
