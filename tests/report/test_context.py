import pytest

from evaluation.errors import ReportError
from evaluation.report.context import check_parameters
from evaluation.report.kernel import run_notebook
from tests.report.conftest import notebook_of

START = "from evaluation import report\ncontext = report.start(project=project, year=year, language=language)"
PARAMETERS = 'project = "x"\nyear = 2024\nlanguage = "de"'


def test_right_parameters_pass():
    check_parameters({"project": "my_city", "year": 2024, "language": ""})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"jahr": 2024},
            "Der Bericht kennt keinen Parameter „jahr“. Abhilfe: Gemeint sein könnte „year“; es gibt project, year "
            "und language.",
        ),
        (
            {"year": "2024"},
            "Der Parameter year = „2024“ hat die falsche Art (str). Abhilfe: Erwartet wird: 1234.",
        ),
        (
            {"year": True},
            "Der Parameter year = „True“ hat die falsche Art (bool). Abhilfe: Erwartet wird: 1234.",
        ),
        (
            {"year": 24},
            "Das Jahr 24 kann kein Berichtsjahr sein. Abhilfe: Ein Jahr von 1990 bis 2100 angeben.",
        ),
        (
            {"language": "fr"},
            "Die Sprache „fr“ gibt es nicht. Abhilfe: Erlaubt: de und en.",
        ),
        (
            {"project": ""},
            "Der Parameter project fehlt. Abhilfe: Projektordner und Jahr angeben.",
        ),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    with pytest.raises(ReportError) as error:
        check_parameters({"project": "my_city", "year": 2024, "language": "de", **changes})
    assert error.value.worded("de") == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"yaer": 2023},
            "Der Bericht kennt keinen Parameter „yaer“. Abhilfe: Gemeint sein könnte „year“; es gibt project, year "
            "und language.",
        ),
        (
            {"year": "2023"},
            "Der Parameter year = „2023“ hat die falsche Art (str). Abhilfe: Erwartet wird: 1234.",
        ),
    ],
)
def test_the_first_cell_refuses_what_papermill_lets_through(tmp_path, given, message):
    with pytest.raises(ReportError) as error:
        run_notebook(notebook_of(PARAMETERS, START, "1 / 0"), given, folder=tmp_path)
    assert error.value.worded("de") == message


def test_errors_of_the_package_end_the_notebook_in_the_language_of_the_report(tmp_path):
    fail = "from evaluation.errors import DataError, Problem\nraise DataError(Problem('runner.no_pages'))"
    begin = "from evaluation.report.context import _word_errors\n_word_errors('de')"
    with pytest.raises(ReportError) as error:
        run_notebook(notebook_of(PARAMETERS, begin, fail), {}, folder=tmp_path)
    assert error.value.worded("de") == (
        "Das Notebook zeigt keine Seite des Berichts. Abhilfe: Jede Zelle endet mit context.page(...)."
    )
