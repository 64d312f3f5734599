"""What the commands ``new``, ``check`` and ``codebook`` do; the command line parses and prints."""

from importlib.resources import files
from pathlib import Path

from evaluation.agreement.register import template_text
from evaluation.data.codebook import codebook as book
from evaluation.data.folders import whole_folder
from evaluation.data.templates import write_templates
from evaluation.project.check import check_folder
from evaluation.texts import text

_STARTER = "starter"


def check(project: Path, language: str, *, year: int | None = None) -> tuple[str, bool]:
    """Return the words of a check, and whether nothing is wrong."""
    found = check_folder(project, year=year, language=language)
    return found.worded(language), found.ok


def codebook(language: str, *, table: str | None = None, template: Path | None = None) -> str:
    """Return the codebook; or write the templates of a data request and return what was written.

    Raises
    ------
    DataError
        There is no such table, or the folder cannot be written to.
    """
    if template is None:
        return book(language, table=table)
    return text("data.template.written", language, files=write_templates(template, language, table=table))


def new(folder: Path, language: str) -> str:
    """Make a project folder: ``project.toml``, the register of all measures, events, and templates of the tables.

    Raises
    ------
    DataError
        The folder is not empty or cannot be written to.
    """
    starter, templates = files(__package__).joinpath(_STARTER), text("data.template.folder", language)
    with whole_folder(folder) as partial:
        for name in ("project.toml", "events.csv", "studies/README.md", "data/README.md"):
            target = partial / name
            target.parent.mkdir(parents=True, exist_ok=True)
            words = starter.joinpath(name.replace("/", "_")).read_text(encoding="utf-8")
            words = words.replace("@LANGUAGE@", language).replace("@TEMPLATES@", templates)
            target.write_text(words, encoding="utf-8", newline="\n")
        (partial / "agreement.toml").write_text(template_text(), encoding="utf-8", newline="\n")
        write_templates(partial / "data" / templates, language)
        made = sorted(path.name for path in partial.iterdir())
    return text("data.new.done", language, folder=folder, files=made)
