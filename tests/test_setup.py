"""The set-up that a newcomer meets: lock, environment, make.py, Makefile, README.

What they do together on a fresh machine takes minutes and is not repeated here.
"""

import ast
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import evaluation

CHARTER = {"jupyterlab", "pandas", "statsmodels", "scipy", "seaborn", "papermill", "pytest", "nbval"}
SYSTEMS = {
    "linux": {"os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64"},
    "darwin": {"os_name": "posix", "platform_system": "Darwin", "platform_machine": "arm64"},
    "win32": {"os_name": "nt", "platform_system": "Windows", "platform_machine": "AMD64"},
}


@pytest.fixture(scope="module")
def settings(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lock(root: Path) -> list[str]:
    """The lock's logical lines: a requirement and its hashes are one line."""
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    return [line for line in text.replace("\\\n", "").splitlines() if line and not line.startswith("#")]


@pytest.fixture
def real_make(root: Path) -> ModuleType:
    """make.py as it is."""
    spec = importlib.util.spec_from_file_location("make", root / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make(real_make: ModuleType, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """make.py, with an empty folder with blanks and umlauts in the place of the checkout, and nothing to install."""
    module = real_make
    checkout = tmp_path / "Müllers Ordner"
    programs = checkout / ".venv" / module.PROGRAMS.name
    programs.mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(root / name, checkout)
    places = {
        "ROOT": checkout,
        "VENV": checkout / ".venv",
        "STAMP": checkout / ".venv" / module.STAMP.name,
        "LOCK": checkout / "requirements.lock",
        "SAMPLE": checkout / "data_samples" / module.SAMPLE.name,
        "PROGRAMS": programs,
        "PYTHON": programs / module.PYTHON.name,
    }
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)
    monkeypatch.setattr(module, "follow", lambda command, progress=None: (0, []))
    monkeypatch.setattr(module, "create_venv", lambda: module.PYTHON.touch())
    return module


# --- what is installed ----------------------------------------------------------------------------------------------


def test_lock_names_no_place_and_hashes_everything(lock):
    assert len(lock) > 150
    for line in lock:
        requirement, *hashes = line.split("--hash=")
        assert "==" in requirement, requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", one) for one in hashes), requirement
        assert "://" not in requirement
        assert " @ " not in requirement


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_lock_holds_every_direct_dependency_on_every_system(system, minor, lock, settings):
    here = {
        **SYSTEMS[system],
        "sys_platform": system,
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    locked = {}
    for line in lock:
        requirement = Requirement(line.partition("--hash=")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate(here):
            name = canonicalize_name(requirement.name)
            assert name not in locked, f"two versions of {name}"
            locked[name] = next(iter(requirement.specifier)).version
    project = settings["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["test"], *extras["dev"], *settings["build-system"]["requires"]]
    for requirement in map(Requirement, wanted):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_lock_is_what_runs_here(lock):
    for line in lock:
        requirement = Requirement(line.partition("--hash=")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            assert importlib.metadata.version(requirement.name) in requirement.specifier


def test_conda_environment_says_the_same_as_pyproject(root, settings):
    text = (root / "environment.yml").read_text(encoding="utf-8")
    lines = [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip().startswith("- ")]
    entries = {}
    for line in lines[1:]:
        name, _, version = line.partition("#")[0].strip().partition(" ")
        entries[name] = version
    assert lines[0] == "conda-forge"
    assert entries.keys() >= CHARTER | {"python", "pip", "pango", "-e"}
    project = settings["project"]
    declared = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["test"]])
    }
    for name in CHARTER:
        assert SpecifierSet(entries[name]) == declared[name], name
    assert entries["-e"] == ".[test,dev]"
    assert SpecifierSet(entries["python"]) == SpecifierSet(project["requires-python"]) & SpecifierSet("<3.15")


def test_one_version(root):
    assert evaluation.__version__ == importlib.metadata.version("kooperation-evaluation")
    assert f"\n## {evaluation.__version__} " in (root / "CHANGELOG.md").read_text(encoding="utf-8")


# --- make.py --------------------------------------------------------------------------------------------------------


def test_old_pythons_get_as_far_as_the_message(root):
    ast.parse((root / "make.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(("version", "text"), [((3, 9, 2), "3.9"), ((3, 15, 0), "3.15")])
def test_wrong_python_is_named_with_one_that_would_do(make, monkeypatch, capsys, version, text):
    monkeypatch.setattr(make.sys, "version_info", version)
    monkeypatch.setattr(make.sys, "executable", "/usr/bin/python3")
    monkeypatch.setattr(make.shutil, "which", lambda name: name if name == "python3.12" else None)
    assert make.main(["report"]) == 1
    assert capsys.readouterr().err == (
        f"\nGebraucht wird Python 3.11 - 3.14, dies ist Python {text} (/usr/bin/python3).\n"
        f"This needs Python 3.11 - 3.14; this is Python {text} (/usr/bin/python3).\n"
        "-> python3.12 make.py ...\n"
    )


def test_missing_venv_names_the_system_package(real_make, monkeypatch):
    monkeypatch.setattr(real_make.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(real_make.StopError) as caught:
        real_make.create_venv()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert str(caught.value) == (
        "Diesem Python fehlt das Modul venv; unter Debian und Ubuntu ist es ein eigenes Paket:\n"
        "This Python has no venv; on Debian and Ubuntu it is a package of its own:\n"
        f"-> sudo apt install python3-venv      (oder / or: python{version}-venv)"
    )


@pytest.fixture
def steps(make, monkeypatch) -> list[str]:
    """The steps of the set-up that were taken."""
    taken = []

    def noted(name, original):
        return lambda: taken.append(name) or original()

    for name in ("create_venv", "install_locked", "install_package"):
        monkeypatch.setattr(make, name, noted(name, getattr(make, name)))
    return taken


def test_second_set_up_does_nothing(make, steps, capsys):
    make.set_up()
    assert steps == ["create_venv", "install_locked", "install_package"]
    assert "Eingerichtet. / Set up." in capsys.readouterr().out
    make.set_up()
    assert len(steps) == 3
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ("requirements.lock", ["create_venv", "install_locked", "install_package"]),
        ("pyproject.toml", ["install_package"]),
    ],
)
def test_a_changed_declaration_sets_up_again(make, steps, changed, taken):
    make.set_up()
    steps.clear()
    with open(make.ROOT / changed, "a", encoding="utf-8") as file:
        file.write("# changed\n")
    make.set_up()
    assert steps == taken


def test_other_line_ends_are_no_change(make, steps):
    make.set_up()
    make.LOCK.write_bytes(make.LOCK.read_bytes().replace(b"\n", b"\r\n"))
    steps.clear()
    make.set_up()
    assert steps == []


def test_a_moved_checkout_and_another_python_set_up_again(make, steps, monkeypatch):
    make.set_up()
    steps.clear()
    monkeypatch.setattr(make, "ROOT", make.ROOT.with_name("moved"))
    make.set_up()
    assert steps == ["create_venv", "install_locked", "install_package"]
    steps.clear()
    monkeypatch.setattr(make.sys, "version", "3.14.0")
    make.set_up()
    assert steps == ["create_venv", "install_locked", "install_package"]


@pytest.mark.parametrize("step", ["create_venv", "install_locked", "install_package"])
def test_an_interrupted_set_up_is_not_taken_for_a_complete_one(make, monkeypatch, capsys, step):
    make.set_up()
    make.LOCK.write_text("changed==1", encoding="utf-8")
    done = getattr(make, step)

    def interrupted():
        done()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(make, step, interrupted)
        assert make.main(["check"]) == 130
    assert capsys.readouterr().err == "\nAbgebrochen. / Interrupted.\n"
    assert not make.STAMP.exists()


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: Could not find a version\nERROR: No matching distribution found for numpy==2.4.6", "HTTPS_PROXY"),
        ("ProxyError('Unable to connect to proxy', NewConnectionError(...))", "PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "self-built"),
        ("OSError: [Errno 28] No space left on device", "The disk is full; about 2 GB are needed."),
    ],
)
def test_a_failed_installation_says_what_to_do(make, monkeypatch, said, advice):
    monkeypatch.setattr(make, "follow", lambda command, progress=None: (1, said.splitlines()))
    with pytest.raises(make.StopError) as caught:
        make.install_locked()
    assert advice in str(caught.value)
    assert said.splitlines()[-1] in str(caught.value)


def test_nothing_is_installed_elsewhere(real_make, monkeypatch):
    for name in real_make.ELSEWHERE:
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    code, output = real_make.follow([sys.executable, "-I", "-c", "import os; print(*os.environ, sep='\\n')"])
    assert code == 0
    assert not set(real_make.ELSEWHERE) & set(output)
    assert "PIP_INDEX_URL" in output


@pytest.fixture
def calls(make, monkeypatch) -> list:
    """The commands that make.py would have run, each with success."""
    made = []
    monkeypatch.setattr(make, "set_up", lambda: None)
    monkeypatch.setattr(make, "run", lambda *command: made.append([str(part) for part in command]) or 0)
    return made


@pytest.mark.parametrize(
    ("arguments", "handed"),
    [
        ([], ["report", "annual", "SAMPLE", "--year", "2024"]),
        (["--lang", "en"], ["report", "annual", "SAMPLE", "--year", "2024", "--lang", "en"]),
        (["my city", "--year", "2022", "--debug"], ["report", "annual", "my city", "--year", "2022", "--debug"]),
        (["--output", "out"], ["report", "annual", "SAMPLE", "--year", "2024", "--output", "out"]),
    ],
)
def test_report_hands_on_what_it_is_told(make, calls, arguments, handed):
    assert make.main(["report", *arguments]) == 0
    assert calls == [[make.program("evaluation"), *(str(make.SAMPLE) if one == "SAMPLE" else one for one in handed)]]


def test_report_of_another_project_asks_for_the_year(make, calls, capsys):
    assert make.main(["report", "my_city"]) == 1
    assert capsys.readouterr().err == "\nWelches Jahr? / Which year?\n-> --year 2024\n"
    assert calls == []


@pytest.mark.parametrize(("code", "handed_through"), [(0, 0), (3, 0), (1, 1), (130, 130)])
def test_report_says_where_it_is_and_hands_its_exit_code_through(
    make, calls, monkeypatch, capsys, code, handed_through
):
    folder = make.SAMPLE / "reports" / "2024"
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    monkeypatch.setattr(make, "run", lambda *command: code)
    assert make.main(["report"]) == handed_through
    gaps = f"Mit Lücken geschrieben, siehe / written with gaps, see {folder / 'run.json'}\n" if code == 3 else ""
    where = f"Bericht / report: {folder / 'report.html'}\n" if handed_through == 0 else ""
    assert capsys.readouterr().out == gaps + where


def test_check_runs_all_four_and_keeps_a_failure(make, calls, monkeypatch):
    monkeypatch.setattr(make, "run", lambda *command: calls.append(command) or len(calls) % 2)
    assert make.main(["check"]) == 1
    assert [Path(command[0]).stem for command in calls] == ["ruff", "ruff", "mypy", "lint-imports"]


# --- Makefile, README, CI -------------------------------------------------------------------------------------------


def dry_run(root: Path, *arguments: str, **environment: str) -> str:
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")
    command = [make, "--dry-run", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True).stdout


def test_makefile_has_the_targets_of_make_py_and_no_more(make, root):
    names = [target.__name__ for target in make.TARGETS]
    assert f"TARGETS := {' '.join(names)}\n" in (root / "Makefile").read_text(encoding="utf-8")
    assert dry_run(root, *names) == "".join(f'"python3" make.py {name} \n' for name in names)


def test_makefile_takes_nothing_from_the_environment(root):
    surroundings = {"LANG": "en_GB.UTF-8", "PYTHON": "python2", "ARGS": "--lang en", "TARGETS": "clean"}
    assert dry_run(root, "report", **surroundings) == '"python3" make.py report \n'
    assert dry_run(root, "report", "ARGS=--lang en") == '"python3" make.py report --lang en\n'


def test_links_of_the_readme_lead_somewhere(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    links = [*re.findall(r"\]\(([^)#\s]+)[^)]*\)", text), *re.findall(r'(?:src|href)="([^"#]+)"', text)]
    assert links
    assert [link for link in links if "://" not in link and not (root / link).exists()] == []


def test_ci_checks_and_tests(root):
    commands = (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in commands if line.startswith("make ")] == [
        "make check </dev/null || status=1",
        "make test </dev/null || status=1",
    ]
