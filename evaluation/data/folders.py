"""A folder appears whole or not at all: it is written beside its place and moved there at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.errors import DataError, Problem


@contextmanager
def whole_folder(target: Path, *, keep: bool = False) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of `target` when the block ends without an error.

    Parameters
    ----------
    target
        Where the folder shall stand.
    keep
        Begin with a copy of what is there, instead of refusing to touch it.

    Yields
    ------
    pathlib.Path
        A folder beside `target`. It is removed where the block fails, also by Ctrl-C.

    Raises
    ------
    DataError
        `target` exists and is not empty (unless `keep`), or the disk, a right or an open file forbids writing.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with whole_folder(Path(place, "city")) as folder:
    ...         _ = (folder / "a.txt").write_text("1")
    ...     sorted(path.name for path in Path(place).rglob("*"))
    ['a.txt', 'city']
    """
    target = target.absolute()
    try:
        occupied = target.exists() and (not target.is_dir() or any(target.iterdir()))
        if occupied and not keep:
            raise DataError(Problem("delivery.folder_exists", file=target.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        if occupied:
            shutil.copytree(target, partial, dirs_exist_ok=True)
        yield partial
        _replace(partial, target)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, target: Path) -> None:
    """Move the new folder to its place; the old one comes back where that fails."""
    partial.chmod(0o777 & ~_umask())  # folders made by mkdtemp are private
    if not target.exists():
        partial.rename(target)
        return
    old = partial.with_suffix(".old")
    target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _not_written(target: Path, error: OSError) -> DataError:
    return DataError(
        Problem("delivery.folder_not_written", file=target.name, reason=error.strerror or type(error).__name__)
    )
