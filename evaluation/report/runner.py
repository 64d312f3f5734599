"""Runs a report from a project folder to its files: checked first, written beside the old ones, renamed at the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.errors import EvaluationError
from evaluation.report import files, notebooks, run_record
from evaluation.report.context import check_parameters

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from evaluation.project import Project

FILES = ("report.html", "report.pdf", "report.ipynb", "results.csv", "run.json")
Progress = Callable[[str, int, int], None]


class ExitCode(IntEnum):
    """How a report ended."""

    COMPLETE = 0
    NOTHING = 1
    GAPS = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run wrote.

    Parameters
    ----------
    folder
        Where the files are.
    files
        Their names.
    gaps
        What the project declares and the report could not do, as sentences; also a missing PDF.
    missing
        Data that were not delivered, as sentences; these are part of a complete report.
    messages
        What the notebook printed.
    """

    folder: Path
    files: tuple[str, ...]
    gaps: tuple[str, ...]
    missing: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """``COMPLETE`` or, with gaps, ``GAPS``."""
        return ExitCode.GAPS if self.gaps else ExitCode.COMPLETE


@dataclass(frozen=True, kw_only=True)
class _Job:
    name: str
    project: "Project"
    year: int
    language: str
    target: Path
    progress: Progress

    @property
    def parameters(self) -> dict[str, Any]:
        return {"project": str(Path(self.project.folder).resolve()), "year": self.year, "language": self.language}


@dataclass
class _Made:
    """Contents of the files, and what is to be told about them."""

    contents: dict[str, bytes] = field(default_factory=dict)
    gaps: list[Mapping[str, str]] = field(default_factory=list)
    missing: list[Mapping[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def run_annual(
    project: str | Path,
    year: int,
    language: str = "",
    *,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Write the annual report of `project` for `year`.

    Parameters
    ----------
    project
        Project folder.
    year
        Year of the report; nothing later is seen.
    language
        ``de`` or ``en``; the project's language where empty.
    output
        Folder for the files; ``reports/<year>`` in the project, and ``reports/<year>/<language>`` for a language
        that is not the project's.
    progress
        Called with what is being done, and how many steps of how many are done.

    Raises
    ------
    EvaluationError
        Nothing was written; an older report is as it was.
    """
    from evaluation.project import open_project

    check_parameters({"project": str(project), "year": year, "language": language})
    opened = open_project(project, year=year)
    chosen = language or opened.language
    default = Path(opened.folder) / "reports" / str(year)
    if chosen != opened.language:
        default /= chosen  # a translation does not replace the report
    job = _Job(
        name="annual",
        project=opened,
        year=year,
        language=chosen,
        target=Path(output).absolute() if output else default.absolute(),
        progress=progress or (lambda _what, _done, _all: None),
    )
    with files.partial_folder(job.target, FILES) as folder:
        made = _make(job)
        files.write(folder, made.contents)
        gone = tuple(name for name in FILES if name not in made.contents)
        files.replace_all(folder, job.target, list(made.contents), outdated=gone)
    return Outcome(
        folder=job.target,
        files=tuple(made.contents),
        gaps=tuple(_named(gap) for gap in made.gaps),
        missing=tuple(missing["words"] for missing in made.missing),
        messages=tuple(made.messages),
    )


def _named(gap: Mapping[str, str]) -> str:
    """Return the words of a gap with what it is about, which the page around it says in the report."""
    return gap["words"] if gap["subject"] in gap["words"] else f"{gap['subject']}: {gap['words']}"


def _make(job: _Job) -> _Made:
    """Run the notebook and make the contents of all files from it."""
    from evaluation.report import render, results

    executed = _executed(job)
    made = _Made(messages=render.messages(executed))
    pages = render.pages(executed)
    made.gaps = [gap for page in pages for gap in page["gaps"]]
    made.missing = [missing for page in pages for missing in page["missing"]]
    job.progress("html", 0, 1)
    html = render.html(executed, language=job.language, author=job.project.file.name[job.language])
    made.contents["report.html"] = html.encode("utf-8")
    rows = results.merged(row for page in pages for row in page["results"])
    made.contents["results.csv"] = results.to_csv(rows)
    _add_pdf(job, html, made)
    made.contents["report.ipynb"] = _notebook_file(job, executed)
    made.contents["run.json"] = run_record.to_json(_record(job, made))
    return made


def _executed(job: _Job) -> "NotebookNode":
    from evaluation.report.kernel import run_notebook

    return run_notebook(
        notebooks.read(notebooks.find(job.name)),
        job.parameters,
        folder=Path(job.project.folder).resolve(),
        progress=lambda done, total: job.progress("chapters", done, total),
        meanwhile=_load_libraries,
    )


def _load_libraries() -> None:
    """Import what is needed after the notebook, while it runs."""
    from nbconvert.exporters import templateexporter  # noqa: F401

    from evaluation.report import pdf

    try:
        pdf.load()
    except pdf.PangoMissingError:
        return  # said when the PDF is made


def _add_pdf(job: _Job, html: str, made: _Made) -> None:
    from evaluation.report import pdf

    job.progress("pdf", 0, 1)
    try:
        made.contents["report.pdf"] = pdf.pdf(html, job.language)
    except pdf.PangoMissingError as missing:
        made.gaps.append({"subject": "report.pdf", "words": missing.worded(job.language)})


def _notebook_file(job: _Job, executed: "NotebookNode") -> bytes:
    folder = Path(job.project.folder)
    replacements = {str(path): folder.resolve().name for path in (folder, folder.absolute(), folder.resolve())}
    replacements = {path: name for path, name in replacements.items() if Path(path).is_absolute()}
    replacements[str(Path.home())] = "~"
    return notebooks.cleaned(executed, replacements).encode("utf-8")


def _record(job: _Job, made: _Made) -> dict[str, Any]:
    project = job.project
    seeds: dict[str, int] = {}
    for study in project.studies:
        try:
            seeds |= dict(run_record.seeds(project.method(study), study))
        except EvaluationError:
            continue
    return {
        "report": job.name,
        "created": run_record.created(),
        "parameters": {"project": Path(project.folder).resolve().name, "year": job.year, "language": job.language},
        "inputs": dict(sorted(project.inputs.items())),
        "seeds": seeds,
        "commit": run_record.commit(),
        "versions": run_record.versions(),
        "files": {name: run_record.digest(content) for name, content in made.contents.items()},
        "gaps": made.gaps,
        "missing": made.missing,
    }
