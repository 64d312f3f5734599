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
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # no space, no more of one's share, no larger files


@contextmanager
def partial_folder(target: Path, names: tuple[str, ...] = ()) -> Iterator[Path]:
    """Give a folder beside `target` for files in the making; it is gone afterwards, whatever happens.

    Parameters
    ----------
    target
        Where the files will go.
    names
        Files that will go there.

    Raises
    ------
    ReportError
        Nothing can be written in or beside `target`, a folder stands where a file is to go, or the disk is full.
    """
    _ensure_replaceable(target, names)
    absent = [parent for parent in (target.parent, *target.parent.parents) if not parent.exists()]
    try:
        if target.is_dir():
            Path(tempfile.mkdtemp(prefix=".probe-", dir=target)).rmdir()
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
        if not _holds_files(folder / _BACKUP):  # older files that could not be put back are not thrown away
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
        A file cannot be replaced, because it is open elsewhere or may not be written, or because a folder has its
        name. Then all older files are back.
    """
    _ensure_replaceable(target, (*names, *outdated))
    older = folder / _BACKUP
    older.mkdir()
    created = not target.exists()
    name = ""
    try:
        target.mkdir(exist_ok=True)
        for name in (*names, *outdated):
            if (target / name).exists():
                os.replace(target / name, older / name)
        for name in names:
            os.replace(folder / name, target / name)
    except BaseException as failure:
        _put_back(folder, target, names, outdated)
        if created and target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if isinstance(failure, PermissionError):
            raise ReportError(Problem("runner.target_in_use", given=name)) from failure
        raise
    shutil.rmtree(older, ignore_errors=True)


def _put_back(folder: Path, target: Path, names: list[str], outdated: tuple[str, ...]) -> None:
    """Undo what was moved so far; what the disk shows counts: a stop may come between a move and a note of it."""
    for name in names:
        if not (folder / name).exists():
            os.replace(target / name, folder / name)
    for name in (*names, *outdated):
        if (folder / _BACKUP / name).exists():
            os.replace(folder / _BACKUP / name, target / name)


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _ensure_replaceable(target: Path, names: tuple[str, ...]) -> None:
    """Stop where the files would have to replace what is no file of a report."""
    if target.exists() and not target.is_dir():
        raise ReportError(Problem("runner.target_is_file", given=str(target)))
    folders = [name for name in names if (target / name).is_dir()]
    if folders:
        raise ReportError(*(Problem("runner.target_is_folder", given=name, folder=str(target)) for name in folders))


def _worded(failure: OSError, target: Path) -> ReportError:
    if failure.errno in _FULL:
        return ReportError(Problem("runner.disk_full", given=str(target)))
    reason = failure.strerror or str(failure)
    return ReportError(Problem("runner.cannot_write", given=str(target), reason=reason))
