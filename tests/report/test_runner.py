import csv
import json
import shutil
from io import StringIO
from pathlib import Path

import nbformat
import papermill.translators
import pytest

from evaluation.errors import Problem, ReportError
from evaluation.report import notebooks, pdf, runner
from tests.report.conftest import CELLS

EQUAL = ("report.html", "report.pdf", "report.ipynb", "results.csv")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_is_five_files(small_report):
    assert sorted(contents(small_report.folder)) == sorted(runner.FILES)
    assert small_report.exit_code == 0
    assert small_report.missing == ("Dazu wurden keine Daten geliefert.",)


def test_two_runs_in_two_folders_are_byte_equal(small_report, use_notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")  # another day
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    use_notebook(*CELLS)
    folder = tmp_path / "anderswo"
    folder.mkdir()
    again = runner.run_annual(folder, 2024, output=tmp_path / "ziel")
    first, second = contents(small_report.folder), contents(again.folder)
    assert [name for name in EQUAL[:2] + EQUAL[3:] if first[name] != second[name]] == []
    record = json.loads(second["run.json"])
    assert record["created"] == "1970-01-02T00:00:00Z"


def test_results_hold_every_number_once(small_report):
    text = (small_report.folder / "results.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(StringIO(text, newline="")))
    assert len(rows) == 60
    assert rows[1]["id"] == "registered.theft/area=01"
    assert (rows[0]["value"], rows[0]["note"]) == ("", "runner.note.small_cell")
    assert "\r" not in text


def test_the_record_names_inputs_versions_and_files_and_no_place(small_report):
    written = (small_report.folder / "run.json").read_text(encoding="utf-8")
    record = json.loads(written)
    assert record["parameters"] == {
        "project": small_report.folder.parent.parent.name,
        "year": 2024,
        "language": "de",
    }
    assert record["inputs"] == {"data/areas.csv": "0" * 64}
    assert set(record["files"]) == set(EQUAL)
    assert {"python", "evaluation", "pandas", "weasyprint"} <= set(record["versions"])
    assert record["missing"] == [{"subject": "A2.parks", "words": "Dazu wurden keine Daten geliefert."}]
    for place in (str(small_report.folder.parent), str(Path.home()), str(Path(__file__).parents[2])):
        assert place not in written
        assert place not in (small_report.folder / "report.ipynb").read_text(encoding="utf-8")


def test_the_notebook_names_the_project_without_the_way_to_it(small_report):
    made = nbformat.read(small_report.folder / "report.ipynb", as_version=4)
    (parameters,) = (cell for cell in made.cells if "injected-parameters" in cell.metadata.get("tags", []))
    values: dict[str, object] = {}
    exec(parameters.source, values)  # noqa: S102 - two lines of assignments
    assert values["project"] == small_report.folder.parent.parent.name


def test_paths_with_umlauts_quotes_and_backslashes_leave_the_notebook():
    path, name = 'C:\\Büro "eins"\\Größe', "Größe"
    parameters = papermill.translators.PythonTranslator.codify({"project": path})
    cell = nbformat.v4.new_code_cell(parameters, outputs=[nbformat.v4.new_output("error", evalue=path)])
    written = notebooks.cleaned(nbformat.v4.new_notebook(cells=[cell]), {path: name})
    values: dict[str, object] = {}
    exec(nbformat.reads(written, as_version=4).cells[0].source, values)  # noqa: S102 - written above
    assert values["project"] == name
    assert nbformat.reads(written, as_version=4).cells[0].outputs[0].evalue == name


def test_the_notebook_can_be_opened_and_holds_no_times(small_report):
    made = nbformat.read(small_report.folder / "report.ipynb", as_version=4)
    nbformat.validate(made)
    assert "papermill" not in json.dumps(made.metadata)
    assert all("papermill" not in cell.metadata and "execution" not in cell.metadata for cell in made.cells)


def test_html_is_one_file_without_code_or_prompts(small_report):
    html = (small_report.folder / "report.html").read_text(encoding="utf-8")
    assert html.startswith('<!DOCTYPE html>\n<html lang="de">')
    assert "<title>Jahresbericht – Größe &amp; &lt;b&gt;Maß&lt;/b&gt;</title>" in html
    assert "http" not in html.split("base64,")[0]
    for unwanted in ("import pandas", "In&nbsp;[", "No description has been provided for this image", "<script"):
        assert unwanted not in html
    assert '<li><a href="#A2">A2 Streifen</a></li>' in html


def test_default_folder_is_told_by_language(use_notebook, tmp_path):
    use_notebook(CELLS[0], CELLS[1], CELLS[2])
    assert runner.run_annual(tmp_path, 2024, "en").folder == tmp_path / "reports" / "2024" / "en"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((CELLS[0], "1 / 0"), "ZeroDivisionError: division by zero"),
        ((CELLS[0], CELLS[1], "frame"), "Die Zelle mit „frame“ zeigt etwas, das kein Baustein des Berichts ist"),
        ((CELLS[0], "print('x')"), "Das Notebook zeigt keine Seite des Berichts."),
        ((*CELLS, CELLS[2]), "Das Sprungziel „page-one“ kommt im Bericht mehrfach vor."),
    ],
)
def test_what_fails_writes_nothing_and_keeps_the_older_report(use_notebook, tmp_path, cells, message):
    older = tmp_path / "reports" / "2024"
    older.mkdir(parents=True)
    (older / "report.html").write_text("older")
    use_notebook(*cells)
    with pytest.raises(ReportError) as error:
        runner.run_annual(tmp_path, 2024)
    assert message in error.value.worded("de")
    assert contents(older) == {"report.html": b"older"}
    assert [path.name for path in older.parent.iterdir()] == ["2024"]


def test_a_wrong_parameter_stops_before_anything_runs(use_notebook, tmp_path):
    use_notebook(CELLS[0], "open('ran', 'w').close()")
    with pytest.raises(ReportError) as error:
        runner.run_annual(tmp_path, 2024, "fr")
    assert error.value.worded("de") == "Die Sprache „fr“ gibt es nicht. Abhilfe: Erlaubt: de und en."
    assert not (tmp_path / "ran").exists()


def test_an_unwritable_place_stops_before_anything_runs(use_notebook, tmp_path):
    use_notebook(CELLS[0], "open('ran', 'w').close()")
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        runner.run_annual(tmp_path, 2024, output=tmp_path / "file" / "x")
    assert not (tmp_path / "ran").exists()


def test_without_pango_all_but_the_pdf_is_written(use_notebook, tmp_path, monkeypatch):
    def missing() -> None:
        raise pdf.PangoMissingError(Problem("runner.no_pango", packages="libpango", given="libpango-1.0.so.0"))

    use_notebook(*CELLS)
    older = tmp_path / "reports" / "2024"
    older.mkdir(parents=True)
    (older / "report.pdf").write_text("of last week")
    monkeypatch.setattr(pdf, "load", missing)
    outcome = runner.run_annual(tmp_path, 2024)
    assert outcome.exit_code == 3
    assert outcome.gaps == (
        "report.pdf: Das PDF fehlt, weil die Systembibliothek Pango nicht geladen werden konnte "
        "(libpango-1.0.so.0). Abhilfe: "
        "Diese Pakete einrichten und den Bericht noch einmal erstellen: libpango. Alle anderen Dateien sind "
        "vollständig.",
    )
    assert sorted(contents(older)) == ["report.html", "report.ipynb", "results.csv", "run.json"]
    record = json.loads((older / "run.json").read_text(encoding="utf-8"))
    assert [gap["subject"] for gap in record["gaps"]] == ["report.pdf"]


def test_what_a_cell_prints_is_handed_on_and_not_published(use_notebook, tmp_path):
    use_notebook(*CELLS[:3], "import warnings\nprint('Achtung')")
    outcome = runner.run_annual(tmp_path, 2024)
    assert outcome.messages == ("Achtung",)
    for name in ("report.html", "report.ipynb", "run.json"):
        assert ">Achtung" not in (outcome.folder / name).read_text(encoding="utf-8")
    shutil.rmtree(outcome.folder)
