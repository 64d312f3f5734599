"""A set of files replaces the older one as a whole, or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from evaluation.errors import Problem, ReportError

_BACKUP = "older"


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` for files in the making; it is gone afterwards, whatever happens.

    Raises
    ------
    ReportError
        Nothing can be written beside `target`, or the disk is full.
    """
    absent = [parent for parent in (target.parent, *target.parent.parents) if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    except OSError as failure:
        _remove_empty(absent)
        raise _worded(failure, target) from failure
    try:
        yield folder
    except OSError as failure:
        raise _worded(failure, target) from failure
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_empty(absent)


def _remove_empty(folders: list[Path]) -> None:
    """Remove those of the folders, innermost first, in which there is nothing."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into `folder`."""
    for name, content in files.items():
        with (folder / name).open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())


def replace_all(folder: Path, target: Path, names: list[str], *, outdated: tuple[str, ...] = ()) -> None:
    """Move the files `names` from `folder` to `target`, over those that are there.

    Parameters
    ----------
    folder
        A partial folder of `target`.
    names
        Files to move.
    outdated
        Files of an older report that have no successor; they are removed.

    Raises
    ------
    ReportError
        A file cannot be replaced, because it is open elsewhere or may not be written. Then all older files are back.
    """
    older = folder / _BACKUP
    older.mkdir()
    aside: list[str] = []
    placed: list[str] = []
    created = not target.exists()
    name = ""
    try:
        target.mkdir(exist_ok=True)
        for name in (*names, *outdated):
            if (target / name).exists():
                os.replace(target / name, older / name)
                aside.append(name)
        for name in names:
            os.replace(folder / name, target / name)
            placed.append(name)
    except BaseException as failure:
        for name_placed in placed:
            os.replace(target / name_placed, folder / name_placed)
        for name_aside in aside:
            os.replace(older / name_aside, target / name_aside)
        if created and target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if isinstance(failure, PermissionError):
            raise ReportError(Problem("runner.target_in_use", given=name)) from failure
        raise


def _worded(failure: OSError, target: Path) -> ReportError:
    if failure.errno == errno.ENOSPC:
        return ReportError(Problem("runner.disk_full", given=str(target)))
    reason = failure.strerror or str(failure)
    return ReportError(Problem("runner.cannot_write", given=str(target), reason=reason))
