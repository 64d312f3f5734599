import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from evaluation.errors import ReportError
from evaluation.report.kernel import run_notebook
from tests.report.conftest import notebook_of

PARAMETERS = "year = 1"


def outputs(*cells: str, folder: Path, **more: object) -> list[str]:
    done = run_notebook(notebook_of(PARAMETERS, *cells), {"year": 2024}, folder=folder, **more)
    return [output.get("text", "").strip() for cell in done.cells for output in cell.get("outputs", [])]


@pytest.fixture
def temporary(monkeypatch):
    """A folder for temporary files that nobody else uses; short, because the names of local sockets must be."""
    folder = tempfile.mkdtemp(prefix="k")
    monkeypatch.setattr(tempfile, "tempdir", folder)
    monkeypatch.setenv("TMPDIR", folder)
    yield Path(folder)
    shutil.rmtree(folder)


def test_it_runs_in_this_interpreter_whatever_python3_means_elsewhere(tmp_path, temporary, monkeypatch):
    kernels = tmp_path / "jupyter" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text('{"argv": ["/does/not/exist"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    folder = tmp_path / "Köln Süd {x}"
    folder.mkdir()
    (folder / "pandas.py").write_text("raise SystemExit('the working folder was imported from')")
    code = "import os, sys, pandas\nprint(sys.executable, os.getcwd(), year)"
    assert outputs(code, folder=folder) == [f"{sys.executable} {folder} 2024"]
    assert list(temporary.iterdir()) == []


def test_progress_counts_the_cells(tmp_path):
    steps: list[tuple[int, int]] = []
    outputs("1", "2", folder=tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_mistake_in_a_cell_is_named(tmp_path):
    with pytest.raises(ReportError) as error:
        outputs("1 / 0", folder=tmp_path)
    assert error.value.worded("en") == (
        "Cell 3 of the report failed because of a mistake in the program: ZeroDivisionError: division by zero. What to "
        "do: Run with --debug and send the output to the maintainers of the package."
    )


def test_a_kernel_that_dies_is_named(tmp_path):
    with pytest.raises(ReportError) as error:
        outputs("import os; os._exit(1)", folder=tmp_path)
    assert error.value.worded("de") == (
        "Der Rechenprozess des Berichts ist abgebrochen, vermutlich aus Mangel an Arbeitsspeicher. Abhilfe: Andere "
        "Programme schließen und den Bericht noch einmal erstellen."
    )


STOPPED = """
import pathlib, sys
from evaluation.report.kernel import run_notebook
from tests.report.conftest import notebook_of
folder = pathlib.Path(sys.argv[1])
waiting = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
run_notebook(notebook_of("year = 1", waiting), {"year": 2024}, folder=folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for other processes")
def test_ctrl_c_ends_the_kernel_too(tmp_path, temporary, root):
    paths = os.pathsep.join([str(root), os.environ["PYTHONPATH"]])
    run = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(300):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in run.communicate(timeout=30)[1]
    finally:
        run.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert list(temporary.iterdir()) == []
