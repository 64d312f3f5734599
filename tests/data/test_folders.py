import errno
import tempfile

import pytest

from evaluation.data.folders import whole_folder
from evaluation.errors import DataError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_at_the_end(tmp_path):
    target = tmp_path / "mit Blank" / "Zürich"
    with whole_folder(target) as folder:
        (folder / "a.txt").write_text("1")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "1"
    assert names(tmp_path / "mit Blank") == ["Zürich"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stays_of_a_folder_that_failed(tmp_path, error):
    def fail():
        with whole_folder(tmp_path / "a") as folder:
            (folder / "half.txt").write_text("1")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    def fill():
        with whole_folder(tmp_path / "a") as folder:
            (folder / "half.txt").write_text("1")
            raise OSError(28, "No space left on device")

    with pytest.raises(DataError) as raised:
        fill()
    assert raised.value.worded("de") == (
        "Datei a: Der Ordner lässt sich nicht schreiben (No space left on device). "
        "Abhilfe: Rechte und freien Speicher prüfen, geöffnete Dateien des Ordners schließen."
    )
    assert names(tmp_path) == []


def test_an_empty_folder_is_filled_and_a_full_one_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with whole_folder(tmp_path / "a") as folder:
        (folder / "x.txt").write_text("1")
    with pytest.raises(DataError) as raised, whole_folder(tmp_path / "a"):
        pass
    assert str(raised.value) == (
        "File a: The folder exists already and is not empty. "
        "What to do: Give another folder; the import renews the data of a project with --overwrite."
    )
    assert names(tmp_path / "a") == ["x.txt"]


def test_kept_files_stay_and_a_failure_brings_the_old_folder_back(tmp_path):
    target = tmp_path / "a"
    target.mkdir()
    (target / "own.txt").write_text("mine")
    (target / "data.txt").write_text("old")
    with whole_folder(target, keep=True) as folder:
        (folder / "data.txt").write_text("new")
    assert [(target / name).read_text() for name in names(target)] == ["new", "mine"]

    def fail():
        with whole_folder(target, keep=True) as folder:
            (folder / "data.txt").write_text("newer")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert [(target / name).read_text() for name in names(target)] == ["new", "mine"]
    assert names(tmp_path) == ["a"]


def test_a_place_without_the_right_to_write(tmp_path, monkeypatch):
    """The system refuses; its superuser may write everywhere, so that a folder's rights would not make it."""

    def refuse(**options):
        raise PermissionError(errno.EACCES, "Permission denied", str(options["dir"]))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(DataError) as raised, whole_folder(tmp_path / "a"):
        pass
    assert str(raised.value) == (
        "File a: The folder cannot be written (Permission denied). "
        "What to do: Check rights and free space, close open files of the folder."
    )
    assert names(tmp_path) == []


def test_a_place_below_a_file(tmp_path):
    (tmp_path / "file").write_text("1")
    with pytest.raises(DataError) as raised, whole_folder(tmp_path / "file" / "sub" / "a"):
        pass
    assert [problem.code for problem in raised.value.problems] == ["delivery.folder_not_written"]
    assert (tmp_path / "file").read_text() == "1"


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "a").write_text("1")
    with pytest.raises(DataError, match=r"^File a: The folder exists already"), whole_folder(tmp_path / "a"):
        pass
    with pytest.raises(DataError, match=r"^File b: The folder cannot be written"), whole_folder(tmp_path / "a" / "b"):
        pass
