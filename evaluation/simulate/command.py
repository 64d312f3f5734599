"""`evaluation simulate`: write the files of the simulated Leipzig, all or none."""

import os
from pathlib import Path

from evaluation.errors import DataError, Problem
from evaluation.simulate.city import model
from evaluation.simulate.leipzig import Leipzig
from evaluation.simulate.truth import truth_bytes
from evaluation.texts import text


def simulate(into: Path, *, seed: int | None = None, years: str | None = None) -> tuple[Path, ...]:
    """Write tables, geometry and truth of the simulated city into a folder; files of the same name are replaced.

    Parameters
    ----------
    into
        The folder; it is made where it does not exist.
    seed
        Seed; that of the sample project, if None.
    years
        ``2019-2024`` or a part of it; all, if None.

    Returns
    -------
    tuple of pathlib.Path
        The files written.

    Raises
    ------
    DataError
        The years are not simulated, the seed is negative, or the folder cannot be written.
    """
    first, last = _years(years)
    if seed is not None and seed < 0:
        raise DataError(Problem("simulate.negative_seed", given=seed))
    city = Leipzig(seed=model()["seed"] if seed is None else seed, first=first, last=last)
    contents = {**city.files(), "truth.toml": truth_bytes(city)}
    try:
        return _write(Path(into), contents)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(Problem("simulate.not_written", file=str(into), reason=reason)) from error


def done(files: tuple[Path, ...], into: Path, language: str) -> str:
    """Return what the command says at the end."""
    size = sum(file.stat().st_size for file in files) / 1e6
    return text("simulate.done", language, n=len(files), folder=str(into), size=size)


def _years(given: str | None) -> tuple[int, int]:
    first, last = model()["first_year"], model()["last_year"]
    if given is None:
        return first, last
    parts = given.split("-")
    if not all(part.isdigit() for part in parts) or len(parts) > 2:
        raise DataError(Problem("simulate.years", given=given, first=first, last=last))
    wanted = int(parts[0]), int(parts[-1])
    if not first <= wanted[0] <= wanted[1] <= last:
        raise DataError(Problem("simulate.years", given=given, first=first, last=last))
    return wanted


def _write(into: Path, contents: dict[str, bytes]) -> tuple[Path, ...]:
    """Write everything beside its place first, so that a full disk or a stop leaves the old files as they were."""
    partial = {into / path: (into / path).with_name(f"{Path(path).name}.partial") for path in contents}
    try:
        for (target, beside), content in zip(partial.items(), contents.values(), strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
        for target, beside in partial.items():
            os.replace(beside, target)
    finally:
        for beside in partial.values():
            beside.unlink(missing_ok=True)
    return tuple(partial)
