"""What all tests share: no network, the sample project, and things that a machine may lack, skipped with a reason."""

import os
import runpy
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None, derandomize=True)  # the same examples in every run
settings.load_profile("shared machine")

ROOT = Path(__file__).parent.parent
GUARD = Path(__file__).parent / "guard"


def pytest_configure() -> None:
    """Close the network before anything is collected: here, and in every Python that a test starts."""
    runpy.run_path(str(GUARD / "sitecustomize.py"))
    paths = [str(GUARD), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # the processes of the tests are the parallel part
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells start background jobs deaf to Ctrl-C, and every process that a test starts would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def sample_project() -> Path:
    """The simulated project that ships with the package; read only: copy it before you change anything."""
    folder = ROOT / "data_samples" / "leipzig_simulated"
    if not folder.is_dir():
        pytest.fail(f"the sample project is missing: {folder}; make samples builds it")
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference numbers that may stand beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the real data and reference numbers in ../shared, which are not part of this repository")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium or Chrome; no browser is ever downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("needs Chromium (Debian: apt install chromium)")
    return path
