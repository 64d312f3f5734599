"""New folders are written whole or not at all; what is there is never overwritten."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.errors import DataError, Problem


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes its name only when everything is in it.

    Parameters
    ----------
    folder
        The folder to make; it does not exist, or is empty.

    Raises
    ------
    DataError
        The folder has something in it, or cannot be written to; nothing is left behind then.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(Problem("data.folder_not_empty", value=str(folder)))
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(Problem("data.cannot_write", file=folder.name, reason=reason)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
