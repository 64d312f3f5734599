import errno
import os
from pathlib import Path

import pytest

from evaluation.errors import ReportError
from evaluation.report import files

NAMES = ["a.html", "b.csv"]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder with an older report and a note of the reader."""
    folder = tmp_path / "Bericht ä" / "2024"
    folder.mkdir(parents=True)
    for name in ("a.html", "b.csv", "old.pdf", "my notes.txt"):
        (folder / name).write_text(f"older {name}")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def write(target: Path) -> None:
    with files.partial_folder(target) as folder:
        files.write(folder, {name: b"new" for name in NAMES})
        files.replace_all(folder, target, NAMES, outdated=("old.pdf",))


def test_new_files_replace_older_ones_and_leave_others_alone(target):
    write(target)
    assert contents(target) == {"a.html": "new", "b.csv": "new", "my notes.txt": "older my notes.txt"}
    assert os.listdir(target.parent) == ["2024"]


def test_a_new_folder_is_made(tmp_path):
    write(tmp_path / "x" / "y")
    assert contents(tmp_path / "x" / "y") == {"a.html": "new", "b.csv": "new"}


@pytest.mark.parametrize("failing", ["a.html", "b.csv", "old.pdf"])
def test_a_file_that_is_open_elsewhere_leaves_the_older_report_whole(target, monkeypatch, failing):
    before, replace = contents(target), os.replace

    def refuse(source, destination):
        if Path(source) == target / failing:
            raise PermissionError(errno.EACCES, "is used by another process", str(source))
        replace(source, destination)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReportError) as error:
        write(target)
    assert error.value.worded("de") == (
        f"Die Datei {failing} des älteren Berichts lässt sich nicht ersetzen; vermutlich ist sie in einem anderen "
        "Programm geöffnet. Der ältere Bericht ist unverändert. Abhilfe: Die Datei schließen und den Bericht noch "
        "einmal erstellen."
    )
    assert contents(target) == before
    assert os.listdir(target.parent) == ["2024"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(errno.EIO, "input/output error")])
def test_a_stop_in_the_middle_of_replacing_leaves_the_older_report_whole(target, monkeypatch, stop):
    before, replace = contents(target), os.replace

    def stopping(source, destination):
        if Path(destination) == target / "b.csv" and Path(source).parent.name != "older":
            raise stop
        replace(source, destination)

    monkeypatch.setattr(os, "replace", stopping)
    with pytest.raises((KeyboardInterrupt, ReportError)):
        write(target)
    assert contents(target) == before


def test_a_full_disk(target, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = contents(target)
    with pytest.raises(ReportError) as error:
        write(target)
    assert error.value.worded("de") == (
        f"Auf dem Datenträger ist für {target} kein Platz mehr. Ein älterer Bericht ist unverändert. Abhilfe: Platz "
        "schaffen oder mit --output einen anderen Ordner angeben."
    )
    assert contents(target) == before
    assert os.listdir(target.parent) == ["2024"]


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EFBIG])
def test_a_limit_of_the_user_is_a_full_disk(target, monkeypatch, code):
    def full(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="There is no space left on the disk"):
        write(target)


@pytest.mark.parametrize("name", ["a.html", "old.pdf"])
def test_a_folder_with_the_name_of_a_file_is_never_removed(target, name):
    (target / name).unlink()
    (target / name).mkdir()
    (target / name / "mine.txt").write_text("mine")
    with pytest.raises(ReportError) as error:
        write(target)
    assert error.value.worded("de") == (
        f"In {target} heißt ein Ordner {name}; so soll eine Datei des Berichts heißen. Es wurde nichts geschrieben. "
        "Abhilfe: Den Ordner umbenennen oder mit --output einen anderen Ordner angeben."
    )
    assert (target / name / "mine.txt").read_text() == "mine"
    assert (target / "b.csv").read_text() == "older b.csv"
    assert os.listdir(target.parent) == ["2024"]


def test_a_file_in_the_place_of_the_folder_is_told_before_anything_is_made(tmp_path):
    (tmp_path / "2024").write_text("mine")
    with pytest.raises(ReportError) as error, files.partial_folder(tmp_path / "2024"):
        pytest.fail("the work began")
    assert error.value.worded("de") == (
        f"{tmp_path / '2024'} ist eine Datei und kein Ordner. Abhilfe: Mit --output einen Ordner angeben."
    )
    assert (tmp_path / "2024").read_text() == "mine"


def test_a_folder_that_may_not_be_written_is_told_before_anything_is_made(target, monkeypatch):
    def refuse(prefix, dir):
        assert dir == target
        raise PermissionError(errno.EACCES, "Permission denied", str(dir))

    monkeypatch.setattr(files.tempfile, "mkdtemp", refuse)
    with pytest.raises(ReportError) as error, files.partial_folder(target):
        pytest.fail("the work began")
    assert error.value.worded("en") == (
        f"{target} cannot be written (Permission denied). An older report is unchanged. What to do: Check the "
        "permissions, or name another folder with --output."
    )


def test_a_stop_right_after_a_move_loses_nothing(target, monkeypatch):
    before, replace = contents(target), os.replace

    def stopping(source, destination):
        replace(source, destination)
        if Path(destination).parent.name == "older" and Path(destination).name == "b.csv":
            monkeypatch.setattr(os, "replace", replace)
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopping)
    with pytest.raises(KeyboardInterrupt):
        write(target)
    assert contents(target) == before
    assert os.listdir(target.parent) == ["2024"]


def test_older_files_that_cannot_be_put_back_are_kept(target, monkeypatch):
    replace = os.replace

    def failing(source, destination):
        if Path(source).name == "b.csv":
            raise OSError(errno.EIO, "input/output error")
        if Path(source).parent.name == "older":
            raise OSError(errno.EIO, "input/output error")
        replace(source, destination)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(ReportError):
        write(target)
    assert [path.read_text() for path in target.parent.glob(".2024.partial-*/older/*")] == ["older a.html"]


def test_a_place_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError) as error:
        write(tmp_path / "file" / "2024")
    assert error.value.worded("de").startswith(f"In {tmp_path / 'file' / '2024'} kann nicht geschrieben werden (")
    assert error.value.worded("de").endswith(
        "Ein älterer Bericht ist unverändert. Abhilfe: Schreibrechte prüfen oder mit --output einen anderen Ordner "
        "angeben."
    )


def test_an_interrupted_first_report_leaves_no_folder(tmp_path, monkeypatch):
    def stop(source, destination):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "reports" / "2024")
    assert list(tmp_path.iterdir()) == []
