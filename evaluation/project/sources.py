"""Which file is which table of a project, and what its hashes are."""

import hashlib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from evaluation.data.contracts import CONTRACTS
from evaluation.data.files import Source
from evaluation.errors import DataError, Problem, nearest
from evaluation.project.items import wave_problems
from evaluation.project.margins import entry_problems
from evaluation.project.schema import ProjectFile, TableEntry

EVENTS = "events.csv"


def entry_of(folder: Path, file: ProjectFile, table: str) -> TableEntry | None:
    """Return what is declared about a table; ``events.csv`` in the folder needs no declaration."""
    if table in file.tables:
        return file.tables[table]
    return TableEntry(file=EVENTS) if table == "events" and (folder / EVENTS).exists() else None


def sources_of(folder: Path, file: ProjectFile, table: str) -> tuple[Source, ...]:
    """Return the files of a table with everything that is declared about them, none where it is not declared."""
    entry = entry_of(folder, file, table)
    written = entry.writings() if entry else ()
    return tuple(Source(table=table, path=folder / name, file=name, **declared) for name, declared in written)


def table_problems(file: ProjectFile, *, name: str) -> list[Problem]:
    """Return what is wrong with the names in ``project.toml``: tables, surveys and items that do not fit together."""
    valid = tuple(CONTRACTS)
    problems = [
        Problem("data.unknown_table", file=name, value=table, nearest=nearest(table, valid) or "areas", valid=valid)
        for table in file.tables
        if table not in valid
    ]
    problems += [
        Problem("data.table_file", table=table, file=name)
        for table, entry in file.tables.items()
        if (entry.file is None) == (not entry.parts)
    ]
    problems += wave_problems(file, name=name)
    problems += entry_problems(file, name=name)
    waves = [wave for survey in file.surveys.values() for wave in survey.waves]
    for id_, item in file.items.items():
        outside = [code for code in (*item.unsafe,) if not 1 <= code <= item.scale]
        if outside:
            problems.append(Problem("data.item_scale", file=name, item=id_, codes=outside, scale=item.scale))
        problems += [
            Problem("data.item_wave", file=name, item=id_, value=wave, nearest=nearest(wave, waves) or waves[0])
            for wave in item.waves
            if waves and wave not in waves
        ]
    return problems


def input_files(folder: Path, file: ProjectFile) -> dict[str, Path]:
    """Return all files that results depend on, by path relative to the folder; the parts of a Shapefile, too."""
    found = [folder / name for name in ("project.toml", "agreement.toml", "items.toml")]
    found += sorted((folder / "studies").glob("*.toml"))
    margins = [margin for survey in file.surveys.values() for margin in survey.weighting.margins]
    found += [folder / margin.file for margin in margins if margin.file is not None]
    for table in CONTRACTS:
        entry = entry_of(folder, file, table)
        if entry is None:
            continue
        found += [folder / name for name in entry.files]
        if entry.geometry is not None:
            found += _with_parts(folder / entry.geometry)
    return {_relative(path, folder): path for path in found if path.is_file()}


def _with_parts(path: Path) -> list[Path]:
    if path.suffix.lower() != ".shp":
        return [path]
    return sorted(part for part in path.parent.iterdir() if part.stem == path.stem)


def _relative(path: Path, folder: Path) -> str:
    """Return the path as every system writes it: slashes, composed umlauts; a file elsewhere by its name only."""
    inside = path.is_relative_to(folder)
    name = path.relative_to(folder).as_posix() if inside else path.name
    return unicodedata.normalize("NFC", name)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks.

    Raises
    ------
    DataError
        The file cannot be opened.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise DataError(Problem("data.unreadable", file=path.name, reason=error.strerror or str(error))) from None
    return digest.hexdigest()


def latest(years: Iterable[int]) -> int | None:
    """Return the last year, None where there is none."""
    return max(years, default=None)
