import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evaluation import cli
from evaluation.errors import DataError, Problem
from evaluation.report import runner

COMMANDS = (
    [],
    ["new"],
    ["check"],
    ["codebook"],
    ["import"],
    ["import", "leipzig-open-data"],
    ["simulate"],
    ["report"],
    ["report", "annual"],
)


def outcome(folder: Path, gaps: tuple[str, ...] = ()) -> runner.Outcome:
    return runner.Outcome(
        folder=folder, files=("report.html", "run.json"), gaps=gaps, missing=("x",), messages=("Achtung",)
    )


@pytest.fixture
def german(tmp_path: Path) -> Path:
    """A project folder of which only the language can be read."""
    (tmp_path / "project.toml").write_text('language = "de"\n', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example(words, capsys):
    assert cli.main([*words, "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Usage: evaluation")
    assert (len(words) == 1 and words[0] in {"import", "report"}) or "Example: evaluation" in printed


def test_help_answers_at_once():
    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "evaluation", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.5


def test_nothing_heavy_is_imported_for_help():
    heavy = {"pandas", "numpy", "rich", "scipy", "matplotlib", "papermill", "weasyprint", "duckdb"}
    code = "import sys; from evaluation.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert heavy & set(re.findall(r"'(\w+)'", done.stderr)) == set()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "annual", "x", "--yaer", "2024"], "No such option: --yaer"),
        (["report", "annual", "x", "--year", "MMXXIV"], "Invalid value for '--year'"),
        (["report", "annual", "x"], "--year"),
        (["report", "annual", "x", "--year", "2024", "--lang", "fr"], "fr"),
        (["reprot"], "reprot"),
    ],
)
def test_what_was_mistyped_is_named_and_nothing_runs(words, message, monkeypatch, capsys):
    monkeypatch.setattr(runner, "run_annual", lambda *_, **__: pytest.fail("it ran"))
    assert cli.main(words) == 1
    assert message in capsys.readouterr().err


def test_a_complete_report(german, monkeypatch, capsys):
    given = {}

    def run(*words, **options):
        given.update(options, words=words)
        return outcome(german / "reports" / "2024")

    monkeypatch.setattr(runner, "run_annual", run)
    assert cli.main(["report", "annual", str(german), "--year", "2024", "--output", "ziel"]) == 0
    assert given == {"words": (german, 2024, "de"), "output": Path("ziel"), "progress": None}
    assert capsys.readouterr().out.splitlines() == [
        f"{german / 'reports' / '2024'}: report.html und run.json",
        "Hinweis aus dem Notebook: Achtung",
        "1 Angaben wurden nicht geliefert; der Bericht sagt, welche, und run.json zählt sie auf.",
    ]


def test_a_report_with_gaps(german, monkeypatch, capsys):
    monkeypatch.setattr(runner, "run_annual", lambda *_, **__: outcome(german, gaps=("Das PDF fehlt.",)))
    assert cli.main(["report", "annual", str(german), "--year", "2024", "--lang", "en"]) == 3
    assert capsys.readouterr().out.splitlines()[-2:] == ["Gaps in the report (1):", "- Das PDF fehlt."]


@pytest.mark.parametrize(
    ("lang", "message"),
    [
        ([], "Das Notebook zeigt keine Seite des Berichts. Abhilfe: Jede Zelle endet mit context.page(...).\n"),
        (
            ["--lang", "en"],
            "The notebook shows no page of the report. What to do: Every cell ends with context.page(...).\n",
        ),
    ],
)
def test_errors_speak_the_projects_language_without_a_traceback(german, monkeypatch, capsys, lang, message):
    def fail(*_, **__):
        raise DataError(Problem("runner.no_pages"))

    monkeypatch.setattr(runner, "run_annual", fail)
    assert cli.main(["report", "annual", str(german), "--year", "2024", *lang]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", message)


def test_debug_shows_the_traceback(german, monkeypatch):
    def fail(*_, **__):
        raise DataError(Problem("runner.no_pages"))

    monkeypatch.setattr(runner, "run_annual", fail)
    with pytest.raises(DataError):
        cli.main(["report", "annual", str(german), "--year", "2024", "--debug"])


def test_a_mistake_of_the_program_has_no_traceback_either(german, monkeypatch, capsys):
    monkeypatch.setattr(runner, "run_annual", lambda *_, **__: 1 / 0)
    assert cli.main(["report", "annual", str(german), "--year", "2024"]) == 1
    assert capsys.readouterr().err == (
        "ZeroDivisionError: division by zero\nDas ist ein Fehler des Programms; mit --debug zeigt es, wo. / This is a "
        "mistake of the program; --debug shows where.\n"
    )


def test_ctrl_c(german, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_annual", stop)
    assert cli.main(["report", "annual", str(german), "--year", "2024"]) == 130
    assert capsys.readouterr().err == "Abgebrochen; nichts wurde geschrieben.\n"


@pytest.mark.parametrize(
    ("lang", "locale", "language"), [("", "de_DE.UTF-8", "de"), ("", "en_US.UTF-8", "en"), ("", "C.UTF-8", "de")]
)
def test_without_a_project_the_machine_decides_the_language(tmp_path, monkeypatch, capsys, lang, locale, language):
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", locale)
    assert cli.main(["check", str(tmp_path / "nirgends")]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith({"de": "Probleme (1):", "en": "Problems (1):"}[language])


def test_a_new_project_can_be_checked(tmp_path, capsys):
    folder = tmp_path / "meine Stadt"
    assert cli.main(["new", str(folder), "--lang", "de"]) == 0
    assert (folder / "agreement.toml").is_file()
    assert str(folder) in capsys.readouterr().out
    assert cli.main(["new", str(folder), "--lang", "de"]) == 1
    assert "ist nicht leer" in capsys.readouterr().err


def test_check_of_the_sample(sample_project, capsys):
    assert cli.main(["check", str(sample_project), "--year", "2024"]) == 0
    assert "A2 Gemeinsame Streifen" in capsys.readouterr().out


def test_check_of_a_faulty_project_ends_with_1(sample_project, tmp_path, capsys):
    folder = tmp_path / "faulty"
    shutil.copytree(sample_project, folder, ignore=shutil.ignore_patterns("reports"))
    (folder / "data" / "einwohner.csv").unlink()
    assert cli.main(["check", str(folder)]) == 1
    assert "data/einwohner.csv" in capsys.readouterr().out


def test_codebook_and_templates(tmp_path, capsys):
    assert cli.main(["codebook", "--table", "areas", "--lang", "en"]) == 0
    assert "`area`" in capsys.readouterr().out
    assert cli.main(["codebook", "--template", str(tmp_path / "vorlagen"), "--lang", "de"]) == 0
    assert sorted(path.suffix for path in (tmp_path / "vorlagen").iterdir())[-1] == ".xlsx"


def test_import_and_simulate(root, tmp_path, capsys):
    portal = root / "data_samples" / "portal_extract"
    assert cli.main(["import", "leipzig-open-data", str(portal), "--into", str(tmp_path / "leipzig")]) == 0
    assert cli.main(["check", str(tmp_path / "leipzig")]) == 0
    assert cli.main(["import", "leipzig-open-data", str(tmp_path / "empty"), "--into", str(tmp_path / "x")]) == 1
    assert not (tmp_path / "x").exists()
    assert cli.main(["simulate", "--into", str(tmp_path / "city"), "--years", "1999"]) == 1
    assert not (tmp_path / "city").exists()
    assert "1999" in capsys.readouterr().err
