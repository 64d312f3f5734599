"""The report can be used without eyes, without a mouse, on a small screen and on paper."""

import importlib.util
import re
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def browser(chromium):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra: test)")
    with playwright.sync_playwright() as run:
        opened = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=[1280, 390], ids=["screen", "phone"])
def page(browser, small_report, request):
    requests: list[str] = []
    opened = browser.new_page(viewport={"width": request.param, "height": 800})
    opened.on("request", lambda asked: requests.append(asked.url))
    opened.goto((small_report.folder / "report.html").as_uri())
    opened.requests = requests
    yield opened
    opened.close()


@pytest.mark.browser
def test_axe_finds_nothing(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page.evaluate("document.querySelectorAll('details').forEach(found => found.open = true)")
    found = axe.Axe().run(page)
    assert [(broken["id"], broken["nodes"][0]["html"]) for broken in found.response["violations"]] == []


@pytest.mark.browser
def test_nothing_is_fetched_and_nothing_runs_over_the_edge(page):
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.browser
def test_the_first_key_reaches_the_skip_link_and_it_leads_to_the_content(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Zum Inhalt springen"
    page.keyboard.press("Enter")
    page.wait_for_url("**#main", timeout=5000)


@pytest.mark.browser
def test_the_typeface_is_inside_and_used(page):
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('600 12px \"IBM Plex Sans\"'))")


@pytest.mark.browser
def test_the_numbers_unfold(page):
    assert not page.is_visible("#theft")
    page.click("summary")
    assert page.is_visible("#theft")


@pytest.fixture(scope="module")
def pdf_file(small_report):
    path = small_report.folder / "report.pdf"
    if not path.exists():
        pytest.skip("needs Pango for WeasyPrint")
    return path


@pytest.mark.pdf
def test_pdf_keeps_the_rules_of_pdf_ua(pdf_file):
    if importlib.util.find_spec("pdfua") is None:
        pytest.skip("needs pdfua (extra: test)")
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "pdfua", "check", str(pdf_file)], capture_output=True, text=True, check=False
    )
    assert "result: PASS" in done.stdout, done.stdout


@pytest.mark.pdf
def test_pdf_is_tagged_named_and_in_german(pdf_file):
    pikepdf = pytest.importorskip("pikepdf", reason="needs pikepdf (extra: test)")
    with pikepdf.open(pdf_file) as opened:
        assert str(opened.Root.Lang) == "de"
        assert bool(opened.Root.MarkInfo.Marked)
        assert bool(opened.Root.ViewerPreferences.DisplayDocTitle)
        assert str(opened.docinfo["/Title"]) == "Jahresbericht – Größe & <b>Maß</b>"
        assert "/CreationDate" not in opened.docinfo
        with opened.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
        elements = [found for found in opened.objects if isinstance(found, pikepdf.Dictionary) and "/S" in found]
        scopes = {str(found.A.Scope) for found in elements if found.S == "/TH"}
        assert scopes == {"/Row", "/Column"}
        assert sorted(str(found.Alt) for found in elements if found.S == "/Figure") == ["Linie", "Linie, die steigt"]


@pytest.mark.pdf
def test_pdf_holds_the_words_and_moves_the_numbers_to_the_end(pdf_file):
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext (Debian: apt install poppler-utils)")
    words = subprocess.run(
        ["pdftotext", "-layout", str(pdf_file), "-"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert re.search(r"1 Wie wird die Umsetzung beurteilt\?[ .]+\d", words)  # list of contents with page numbers
    assert re.search(r"Tabellen zu den Abbildungen[ .]+\d", words)
    linked = re.search(r"Zahlen als Tabelle: Seite (\d+)", words)
    assert linked
    pages = words.split("\f")
    assert "Tabellen zu den Abbildungen" in pages[int(linked.group(1)) - 1]
    assert words.rindex("Tabellen zu den Abbildungen") < words.index("Diebstahl nach Ortsteil")


@pytest.mark.pdf
def test_a_heading_stands_on_the_page_of_the_wide_table_behind_it(pdf_file):
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext (Debian: apt install poppler-utils)")
    words = subprocess.run(
        ["pdftotext", "-layout", str(pdf_file), "-"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    pages = words.split("\f")
    (page,) = [page for page in pages if re.search(r"^ *Breite Tabellen *$", page, re.MULTILINE)]
    assert "Viele Spalten" in page
