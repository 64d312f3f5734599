"""What is given away works without the checkout: the wheel, its notebooks, its command line, without a network."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

RAISE_LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS: up, running
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(root))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the package in it."""
    folder = tmp_path_factory.mktemp("ein Ordner für das Paket")
    pip("install", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def pip(command: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", "--no-index", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def run_installed(installed: Path, arguments: list[str], *, place: Path, before: tuple[str, ...] = ()):
    """Run the installed command line in a folder far from the checkout."""
    program = "import sys; from evaluation.cli import main; sys.exit(main())"
    paths = [str(installed), os.environ["PYTHONPATH"]]
    return subprocess.run(
        [*before, sys.executable, "-c", program, *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def no_network() -> tuple[str, ...]:
    """What to put before a command so that the system itself keeps it off every network; nothing where it cannot."""
    unshare = shutil.which("unshare")
    before = (unshare or "", "--map-root-user", "--net", sys.executable, "-I", "-c", RAISE_LOOPBACK)
    works = (
        unshare and not subprocess.run([*before, sys.executable, "-c", ""], capture_output=True, check=False).returncode
    )
    return before if works else ()


def test_wheel_holds_the_package_and_the_report_notebooks_and_nothing_else(wheel, root):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"evaluation", "kooperation_evaluation-0.1.0.dist-info"}
    notebooks = sorted(path.name for path in (root / "notebooks" / "reports").glob("*.ipynb"))
    assert "annual.ipynb" in notebooks
    packed = sorted(name for name in names if name.startswith("evaluation/notebooks/"))
    assert packed == [f"evaluation/notebooks/reports/{name}" for name in notebooks]
    # Everything that is tracked is packed: texts, templates, fonts, the marker of types.
    tracked = subprocess.run(
        ["git", "ls-files", "evaluation"], cwd=root, capture_output=True, text=True, check=False
    ).stdout.split()
    assert set(tracked) <= set(names)


def test_the_installed_package_is_what_runs(installed, tmp_path):
    where = "import evaluation; print(evaluation.__file__)"
    paths = os.pathsep.join([str(installed), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", where],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert Path(done.stdout.strip()) == installed / "evaluation" / "__init__.py"


def test_help_outside_the_checkout(installed, tmp_path):
    done = run_installed(installed, ["--help"], place=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "report" in done.stdout


def test_report_outside_the_checkout_and_without_a_network(installed, sample_project, tmp_path):
    project = tmp_path / "Köln Süd"
    shutil.copytree(sample_project, project, ignore=shutil.ignore_patterns("reports"))
    arguments = ["report", "annual", str(project), "--year", "2024"]
    done = run_installed(installed, arguments, place=tmp_path, before=no_network())
    assert done.returncode in {0, 3}, done.stdout + done.stderr
    written = {path.name for path in (project / "reports" / "2024").iterdir()}
    assert written >= {"report.html", "report.ipynb", "results.csv", "run.json"}
