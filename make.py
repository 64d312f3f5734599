"""Sets the project up and runs its few commands: python make.py report | test | check | ...

Needs nothing but Python (3.11 to 3.14) and a package index, a proxy to one, or a folder of wheels. Everything is
installed into .venv beside this file, once; what may be installed is fixed by requirements.lock. This file runs under
older Pythons as far as the message that they are too old. It knows nothing about evaluations.
"""

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "set-up.sha256"
LOCK = ROOT / "requirements.lock"
SAMPLE = ROOT / "data_samples" / "leipzig_simulated"
SAMPLE_YEAR = "2024"

PYTHONS = ((3, 11), (3, 14))
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
SUFFIX = ".exe" if os.name == "nt" else ""
PYTHON = PROGRAMS / ("python" + SUFFIX)

# Settings that would send the installation somewhere else than into .venv.
ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PYTHONHOME", "PYTHONPATH")

COMPLETE_WITH_GAPS = 3  # exit code of `evaluation report`: written, and run.json says what is missing


OUT_OF_REACH = """\
Die Pakete sind nicht erreichbar. / The packages cannot be reached.
-> hinter einem Proxy / behind a proxy:   HTTPS_PROXY=http://proxy:port   (Zertifikat / certificate: PIP_CERT=...)
-> eigener Paketspiegel / own mirror:     PIP_INDEX_URL=https://...
-> ohne Netz / no network: auf einem Rechner mit Netz, gleichem System und gleicher Python-Version /
   on a machine with a network, the same system and the same Python version
       python -m pip download --require-hashes -r requirements.lock -d wheels
   den Ordner herüberkopieren / copy the folder here, then   PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels"""


class StopError(Exception):
    """Nothing more can be done; the text says why, in German and English, and what to do next."""


def say(*lines: str) -> None:
    """Print at once, also where a pipe would buffer it."""
    for line in lines:
        print(line, flush=True)


# --- set-up ---------------------------------------------------------------------------------------------------------


def check_python() -> None:
    """Stop under a Python that the locked packages were not made for, and name one that would do."""
    oldest, newest = PYTHONS
    if oldest <= sys.version_info[:2] <= newest:
        return
    names = [f"python3.{minor}" for minor in range(newest[1], oldest[1] - 1, -1)]
    found = next((name for name in names if shutil.which(name)), "")
    wanted = f"Python 3.{oldest[1]} - 3.{newest[1]}"
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]} ({sys.executable})"
    remedy = f"{found} make.py ..." if found else "https://www.python.org/downloads/"
    raise StopError(f"Gebraucht wird {wanted}, dies ist {here}.\nThis needs {wanted}; this is {here}.\n-> {remedy}")


def base_python() -> str:
    """Return the Python that .venv is made from, also when this one already runs inside .venv."""
    return getattr(sys, "_base_executable", "") or sys.executable


def fingerprint() -> list:
    """Identify what the installed packages depend on (lock, Python, place), and what this package's metadata does."""
    packages = hashlib.sha256(read_text(LOCK).encode() + repr((sys.version, str(ROOT))).encode())
    metadata = hashlib.sha256(read_text(ROOT / "pyproject.toml").encode())
    return [packages.hexdigest(), metadata.hexdigest()]


def read_text(file: Path) -> str:
    """Return a file's text, with the same line ends on every system; nothing where there is no file."""
    return file.read_text(encoding="utf-8") if file.exists() else ""


def set_up() -> None:
    """Make .venv as the lock says, unless it already is. The stamp comes last: what was interrupted starts again."""
    check_python()
    wanted = fingerprint()
    found = read_text(STAMP).split() if PYTHON.exists() else []
    if found == wanted:
        return
    started = time.monotonic()
    if STAMP.exists():
        STAMP.unlink()
    if found[:1] != wanted[:1]:
        say("Einrichtung in .venv, einmalig, einige Minuten. / Setting up .venv, once, a few minutes.")
        create_venv()
        install_locked()
    install_package()
    unfinished = STAMP.with_suffix(".partial")
    unfinished.write_text("\n".join(wanted), encoding="utf-8")
    unfinished.replace(STAMP)
    say(f"Eingerichtet. / Set up. ({time.monotonic() - started:.0f} s)")


def create_venv() -> None:
    """Make an empty .venv with pip in it."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise StopError(
            "Diesem Python fehlt das Modul venv; unter Debian und Ubuntu ist es ein eigenes Paket:\n"
            "This Python has no venv; on Debian and Ubuntu it is a package of its own:\n"
            f"-> sudo apt install python3-venv      (oder / or: python{version}-venv)"
        )
    command = [base_python(), "-I", "-m", "venv", "--clear", "--prompt", "evaluation", str(VENV)]
    code, output = follow(command)
    if code:
        raise StopError(
            "Die virtuelle Umgebung .venv lässt sich nicht anlegen. Läuft noch ein Programm daraus, ist der Ordner "
            "beschreibbar?\n"
            "The virtual environment .venv cannot be made. Is a program from it running, is the folder writable?\n"
            + last_lines(output)
        )


def install_locked() -> None:
    """Install every locked package, each checked against its hash, and compile all of it on all cores."""
    total = sum(line[:1].isalnum() for line in read_text(LOCK).splitlines())
    seen = 0

    def progress(line: str) -> None:
        nonlocal seen
        if line.startswith(("Collecting ", "Processing ")):
            seen += 1
            if seen % 25 == 0:
                say(f"  {seen} von / of ca. {total} Paketen geladen / packages fetched")
        elif line.startswith("Installing collected packages"):
            say("  alle geladen, wird installiert / all fetched, installing ...")

    # Compiled below instead: pip does it on one core, and where PYTHONDONTWRITEBYTECODE is set it must happen, too:
    # otherwise every start would compile every library again, which costs seconds.
    code, output = follow([*pip("install"), "--no-compile", "--require-hashes", "-r", str(LOCK)], progress)
    if code:
        raise StopError(why_not_installed(output))
    say("  wird übersetzt / compiling ...")
    follow([str(PYTHON), "-I", "-m", "compileall", "-qq", "-j", "0", str(VENV)])


def install_package() -> None:
    """Install this package so that changes in the checkout take effect at once."""
    command = [*pip("install"), "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)]
    code, output = follow(command)
    if code:
        raise StopError(
            "Das Paket selbst lässt sich nicht installieren. / The package itself cannot be installed.\n"
            + last_lines(output)
        )


def pip(command: str) -> list:
    """Return a call of .venv's pip that asks nothing and looks at no PYTHON* variable; PIP_* variables count."""
    return [str(PYTHON), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", command]


def follow(command: list, progress=lambda line: None) -> tuple:  # noqa: ANN001
    """Run a command quietly; return its exit code and what it wrote. Each line is shown to `progress` as it comes."""
    output = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={name: value for name, value in os.environ.items() if name not in ELSEWHERE},
    ) as process:
        for line in process.stdout:
            output.append(line.rstrip())
            progress(line)
    return process.returncode, output


def last_lines(output: list) -> str:
    """Return the end of a command's output, indented, for a message."""
    return "\n".join("   | " + line for line in [line for line in output if not line.startswith("Ignoring ")][-12:])


def why_not_installed(output: list) -> str:
    """Word the reason why pip failed, and the remedy."""
    text = "\n".join(output)
    if "DO NOT MATCH THE HASHES" in text:
        advice = (
            "Ein Paket ist nicht das, was requirements.lock verlangt; nichts davon wurde benutzt. Liegt im "
            "Paketverzeichnis eine veränderte oder selbst gebaute Datei?\n"
            "A package is not the one that requirements.lock asks for; none of it was used. Does the index or folder "
            "hold a changed or self-built file?"
        )
    elif "No space left" in text or "not enough space" in text:
        advice = "Der Datenträger ist voll; gebraucht werden etwa 2 GB.\nThe disk is full; about 2 GB are needed."
    elif any(sign in text for sign in ("No matching distribution", "onnection", "timed out", "SSL")):
        advice = OUT_OF_REACH
    else:
        advice = "pip ist gescheitert. / pip failed."
    return advice + "\n" + last_lines(output)


# --- targets --------------------------------------------------------------------------------------------------------


def program(name: str) -> str:
    """Return the path of a program that was installed into .venv."""
    return str(PROGRAMS / (name + SUFFIX))


def run(*command: object) -> int:
    """Run a program where the user stands, connected to the terminal, and return its exit code."""
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    environment["PATH"] = os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")])
    environment["VIRTUAL_ENV"] = str(VENV)
    return subprocess.run([str(part) for part in command], check=False, env=environment).returncode


def run_in_checkout(*command: object) -> int:
    """Run a program with the checkout as the current folder, where its settings are."""
    os.chdir(str(ROOT))
    return run(*command)


def report(options: argparse.Namespace) -> int:
    """Write the annual report: of the sample project, or of PROJECT."""
    project = Path(options.project) if options.project else SAMPLE
    year = options.year or (SAMPLE_YEAR if not options.project else "")
    if not year:
        raise StopError("Welches Jahr? / Which year?\n-> --year " + SAMPLE_YEAR)
    set_up()
    code = run(
        *(program("evaluation"), "report", "annual", project, "--year", year),
        *(("--lang", options.lang) if options.lang else ()),
        *(("--output", options.output) if options.output else ()),
        *options.rest,
    )
    if code not in {0, COMPLETE_WITH_GAPS}:
        return code
    where = Path(options.output) if options.output else project / "reports" / year
    if options.lang and not options.output and (where / options.lang).is_dir():
        where /= options.lang  # a translation has a folder of its own
    if code == COMPLETE_WITH_GAPS:
        say(f"Mit Lücken geschrieben, siehe / written with gaps, see {where / 'run.json'}")
    if (where / "report.html").exists():
        say(f"Bericht / report: {where / 'report.html'}")
    return 0


def test(options: argparse.Namespace) -> int:
    """Run the tests, and the tutorials as tests."""
    set_up()
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # two processes share the cores as it is
        os.environ.setdefault(threads, "1")
    return run_in_checkout(program("pytest"), "-n", "2", "--dist", "loadfile", *options.rest)


def check(_: argparse.Namespace) -> int:
    """Run the linter, the formatter (without changing anything), the type checker and the layer rules."""
    set_up()
    worst = 0
    for name, *arguments in (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("lint-imports", "--no-logo"),
    ):
        say("--- " + " ".join([name, *arguments]))
        worst = run_in_checkout(program(name), *arguments) or worst
    return worst


def bench(options: argparse.Namespace) -> int:
    """Run every file in benchmarks/."""
    set_up()
    worst = 0
    for file in sorted((ROOT / "benchmarks").glob("[!_]*.py")):
        say(f"--- {file.name}")
        worst = run_in_checkout(PYTHON, file, *options.rest) or worst
    return worst


def simulation(options: argparse.Namespace) -> int:
    """Measure size and coverage by simulation and write the table into docs/ (slow)."""
    set_up()
    return run_in_checkout(PYTHON, "-m", "tests.simulation.run", *options.rest)


def samples(options: argparse.Namespace) -> int:
    """Rebuild the simulated sample data from their seeds."""
    set_up()
    code = run(program("evaluation"), "simulate", "--into", SAMPLE, *options.rest)
    return code or run(PYTHON, SAMPLE.parent / "portal_extract" / "make.py")


def lock(_: argparse.Namespace) -> int:
    """Choose the versions of all packages anew and write requirements.lock."""
    check_python()
    import tomllib

    with open(str(ROOT / "pyproject.toml"), "rb") as file:
        settings = tomllib.load(file)
    with tempfile.TemporaryDirectory() as room:
        backend = Path(room) / "build-backend.in"
        backend.write_text("\n".join(settings["build-system"]["requires"]) + "\n", encoding="utf-8")
        uv = Path(room) / "uv"
        for step in (
            [base_python(), "-I", "-m", "venv", str(uv)],
            [str(uv / PROGRAMS.name / PYTHON.name), "-I", "-m", "pip", "install", "--quiet", "uv>=0.9"],
        ):
            code, output = follow(step)
            if code:
                raise StopError(why_not_installed(output))
        fresh = Path(room) / LOCK.name
        # --universal writes markers for every system; no address of an index or folder is written.
        code, output = follow(
            [
                *(str(uv / PROGRAMS.name / ("uv" + SUFFIX)), "pip", "compile", "--project", str(ROOT)),
                *("--universal", "--python-version", "3.11", "--fork-strategy", "fewest"),
                *("--extra", "test", "--extra", "dev", "--generate-hashes"),
                *("--no-strip-extras", "--no-annotate", "--no-header", "--output-file", str(fresh)),
                *(str(ROOT / "pyproject.toml"), str(backend)),
            ]
        )
        if code:
            raise StopError(last_lines(output))
        LOCK.write_bytes(b"# Written by `make lock`; not to be edited by hand.\n" + fresh.read_bytes())
    say(f"{LOCK.name} neu geschrieben / written")
    return 0


def clean(_: argparse.Namespace) -> int:
    """Delete what the other targets made: .venv, caches, the sample's reports."""
    caches = [".mypy_cache", ".pytest_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis", "build", "dist"]
    for folder in [VENV, SAMPLE / "reports", *(ROOT / name for name in caches)]:
        shutil.rmtree(str(folder), ignore_errors=True)
    for name in ("evaluation", "tests", "benchmarks"):
        for folder in sorted((ROOT / name).rglob("__pycache__")):
            shutil.rmtree(str(folder), ignore_errors=True)
    return 0


TARGETS = (report, test, check, bench, simulation, samples, lock, clean)


def parser() -> argparse.ArgumentParser:
    """Describe the command line; the first line of each target's docstring is its help."""
    whole = argparse.ArgumentParser(prog="make.py", description=__doc__.splitlines()[0])
    commands = whole.add_subparsers(dest="target", metavar="TARGET")
    for target in TARGETS:
        text = target.__doc__.splitlines()[0]
        command = commands.add_parser(target.__name__, help=text, description=text)
        command.set_defaults(run=target)
        if target is report:
            command.add_argument("project", nargs="?", metavar="PROJECT", help="project folder (default: the sample)")
            command.add_argument("--year", help=f"year of the report (sample: {SAMPLE_YEAR})")
            command.add_argument("--lang", choices=("de", "en"), help="language (default: as the project says)")
            command.add_argument("--output", help="folder for the files (default: PROJECT/reports/YEAR)")
    commands.add_parser("help", help="Show this.")
    return whole


def main(arguments: list) -> int:
    """Run one target; what it does not know, it hands on to the program that it calls."""
    whole = parser()
    options, options_rest = whole.parse_known_args(arguments)
    if not hasattr(options, "run"):
        whole.print_help()
        return 0
    options.rest = options_rest
    if options_rest and options.run in {check, lock, clean}:
        whole.error("unrecognized arguments: " + " ".join(options_rest))
    try:
        return options.run(options)
    except StopError as problem:
        print("\n" + str(problem), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nAbgebrochen. / Interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # pip draws lines that not every console can show
    sys.exit(main(sys.argv[1:]))
