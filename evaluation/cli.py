"""The command ``evaluation``: parses what was typed, calls what does the work, words what went wrong.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once. Exit codes: 0 done,
1 nothing written, 3 a report was written with gaps, 130 stopped with Ctrl-C.
"""

import locale
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evaluation.report.runner import Outcome

DEBUG = "--debug"
STOPPED = 130
FAILED = 1

_PLAIN: dict[str, Any] = {"rich_markup_mode": None, "no_args_is_help": True, "add_completion": False}
app = typer.Typer(
    help="Evaluate a cooperation agreement between a city and its police, year by year.",
    epilog="Example: evaluation report annual my_city --year 2024",
    pretty_exceptions_enable=False,
    **_PLAIN,
)
imports = typer.Typer(help="Make a project of published data.", **_PLAIN)
reports = typer.Typer(help="Write a report.", **_PLAIN)
app.add_typer(imports, name="import")
app.add_typer(reports, name="report")


class Language(StrEnum):
    """Languages of what is printed and of the reports."""

    DE = "de"
    EN = "en"


Project = Annotated[Path, typer.Argument(help="Project folder: the one with project.toml.", show_default=False)]
Lang = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of what is printed and written.", show_default="the project's"),
]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """Evaluate a cooperation agreement between a city and its police, year by year."""
    # `main` has already taken --debug out of the words; it is declared here for --help.


@app.command(epilog="Example: evaluation new my_city")
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    lang: Lang = None,
) -> None:
    """Make a project folder with the register of all measures and a template of project.toml."""
    import evaluation.project.commands as commands

    with _told(None, lang) as language:
        _say(commands.new(folder, language))


@app.command(epilog="Example: evaluation check my_city --year 2024")
def check(
    project: Project,
    year: Annotated[int | None, typer.Option(help="Check as for the report of this year.")] = None,
    lang: Lang = None,
) -> int:
    """Name all problems of a project at once, and what its data can answer, measure by measure."""
    import evaluation.project.commands as commands

    with _told(project, lang) as language:
        words, sound = commands.check(project, language, year=year)
        _say(words)
    return 0 if sound else FAILED


@app.command(epilog="Example: evaluation codebook --template data_request")
def codebook(
    table: Annotated[str | None, typer.Option(help="Only this table.", show_default="all tables")] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="Write empty XLSX and CSV files with headers and an example row into this folder."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Print the columns of all input tables: type, unit, allowed values, meaning."""
    import evaluation.project.commands as commands

    with _told(None, lang) as language:
        _say(commands.codebook(language, table=table, template=template))


@imports.command("leipzig-open-data", epilog="Example: evaluation import leipzig-open-data downloads --into leipzig")
def leipzig_open_data(
    folder: Annotated[Path, typer.Argument(help="Folder with the portal's JSON and geometry.", show_default=False)],
    into: Annotated[Path, typer.Option(help="Project folder to make.", show_default=False)],
    mend_geometry: Annotated[
        bool, typer.Option("--mend-geometry", help="Put swapped axes right, leave out a feature for the whole city.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Renew the data of a project that is there; keep its declarations.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Turn the open data of the city of Leipzig into a project: areas, inhabitants, yearly counts, register."""
    from evaluation.agreement.register import template_text
    from evaluation.data.leipzig import import_open_data

    with _told(into if overwrite else None, lang) as language:
        imported = import_open_data(
            folder, into, register=template_text(), mend_geometry=mend_geometry, overwrite=overwrite
        )
        _say(imported.worded(language))


@app.command(epilog="Example: evaluation simulate --into my_copy --seed 7")
def simulate(
    into: Annotated[Path, typer.Option(help="Folder for the files; those of the same name are replaced.")],
    seed: Annotated[int | None, typer.Option(help="Seed.", show_default="that of the sample project")] = None,
    years: Annotated[str | None, typer.Option(help="Years, such as 2019-2024.", show_default="all")] = None,
    lang: Lang = None,
) -> None:
    """Write the simulated Leipzig: its tables, its geometry and its true effects."""
    from evaluation.simulate import command

    with _told(into, lang) as language:
        _say(command.done(command.simulate(into, seed=seed, years=years), into, language))


@reports.command(epilog="Example: evaluation report annual my_city --year 2024 --lang de")
def annual(
    project: Project,
    year: Annotated[int, typer.Option(help="Year of the report; nothing later is seen.", show_default=False)],
    lang: Lang = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the files.", show_default="PROJECT/reports/YEAR")
    ] = None,
) -> int:
    """Write the annual report: report.html, report.pdf, report.ipynb, results.csv and run.json.

    Exit code 0: complete; 3: written with gaps, which are listed here and in run.json; 1: nothing written.
    """
    with _told(project, lang) as language, _progress(language) as progress:
        from evaluation.report.runner import run_annual

        outcome = run_annual(project, year, language, output=output, progress=progress)
    _say(_written(outcome, language))
    return int(outcome.exit_code)


def _written(outcome: "Outcome", language: str) -> str:
    from evaluation.texts import text

    lines = [text("runner.written", language, folder=outcome.folder, files=outcome.files)]
    lines += [text("runner.message", language, words=words) for words in outcome.messages]
    if outcome.missing:
        lines.append(text("runner.missing_data", language, n=len(outcome.missing)))
    if outcome.gaps:
        lines.append(text("runner.gaps", language, n=len(outcome.gaps)))
        lines += [f"- {gap}" for gap in outcome.gaps]
    return "\n".join(lines)


# --- what all commands share ------------------------------------------------------------------------------------------


def _say(words: str) -> None:
    typer.echo(words)


def _complain(words: str) -> None:
    typer.echo(words, err=True)


def _language_of(project: Path | None, lang: Language | None) -> str:
    """Return the language asked for, else the project's, else the machine's."""
    if lang:
        return lang.value
    if project is not None:
        import tomllib

        try:
            declared = tomllib.loads((project / "project.toml").read_text(encoding="utf-8")).get("language")
        except (OSError, ValueError):  # said by the command itself, when it opens the project
            declared = None
        if declared in {"de", "en"}:
            return str(declared)
    named = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "en" if named.lower().startswith("en") else "de"


@contextmanager
def _told(project: Path | None, lang: Language | None) -> Iterator[str]:
    """Give the language of the command, and word its errors in it."""
    from evaluation.errors import EvaluationError

    language = _language_of(project, lang)
    try:
        yield language
    except EvaluationError as error:
        if DEBUGGING:
            raise
        _complain(error.worded(language))
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as stop:
        from evaluation.texts import text

        _complain(text("runner.stopped", language))
        raise typer.Exit(STOPPED) from stop


@contextmanager
def _progress(language: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """Show a bar while a report is made, in a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from evaluation.texts import text

    steps = {"chapters": (0.0, 0.75), "html": (0.75, 0.05), "pdf": (0.8, 0.2)}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text("runner.progress.chapters", language), total=1.0)

        def show(step: str, done: int, total: int) -> None:
            start, length = steps[step]
            words = text(f"runner.progress.{step}", language)
            bar.update(task, completed=start + length * done / max(total, 1), description=words)

        yield show


DEBUGGING = False


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    words
        What was typed behind ``evaluation``; the arguments of the process if None.
    """
    global DEBUGGING
    given = list(sys.argv[1:] if words is None else words)
    DEBUGGING = DEBUG in given
    if words is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # an unattended run ends as cleanly as with Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an old console may lack a letter; that stops nothing
    try:
        code = app([word for word in given if word != DEBUG], prog_name="evaluation", standalone_mode=False)
    except typer.TyperException as error:
        show = getattr(error, "show", None)  # a mistake in what was typed shows the usage
        if show is None:
            _complain(str(error))
        else:
            show()
        return FAILED
    except KeyboardInterrupt:
        return STOPPED
    except Exception as error:
        if DEBUGGING:
            raise
        _complain(f"{type(error).__name__}: {error}\n{_INTERNAL}")
        return FAILED
    return int(code or 0)


_INTERNAL = (
    "Das ist ein Fehler des Programms; mit --debug zeigt es, wo. / "
    "This is a mistake of the program; --debug shows where."
)
