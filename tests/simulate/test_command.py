"""`evaluation simulate`: all files or none, and clear words where it cannot be done."""

from pathlib import Path

import pytest

from evaluation.errors import DataError
from evaluation.simulate.command import done, simulate


def test_files_are_written_into_a_new_folder_with_blanks_and_umlauts(tmp_path):
    folder = tmp_path / "meine Städte" / "Leipzig"
    files = simulate(folder, years="2019")
    assert {path.relative_to(folder).as_posix() for path in files} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }
    assert len(files) == 10
    assert done(files, folder, "de").startswith(f"10 Dateien der simulierten Stadt geschrieben nach {folder} (")


def test_other_files_of_the_folder_stay(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "eigene.csv").write_text("a", encoding="utf-8")
    simulate(tmp_path, years="2019-2019")
    assert (tmp_path / "data" / "eigene.csv").read_text(encoding="utf-8") == "a"


@pytest.mark.parametrize("years", ["2018", "2019-2025", "2022-2020", "19", "", "2019-2020-2021", "letztes"])
def test_years_that_are_not_simulated_are_refused(tmp_path, years):
    with pytest.raises(DataError) as caught:
        simulate(tmp_path / "new", years=years)
    assert caught.value.worded("de") == (
        f"Die Jahre „{years}“ sind nicht simuliert. "
        "Abhilfe: Ein Jahr oder eine Spanne zwischen 2019 und 2024 angeben, etwa 2019-2024."
    )
    assert not (tmp_path / "new").exists()


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(DataError) as caught:
        simulate(tmp_path, seed=-1)
    assert caught.value.worded("en") == "The seed -1 is negative. What to do: Give a whole number from 0 on."


def test_a_file_in_the_place_of_the_folder_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        simulate(tmp_path / "taken", years="2019")
    assert "The folder cannot be written: " in caught.value.worded("en")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == ""


def test_a_full_disk_leaves_the_old_files_as_they_were(tmp_path, monkeypatch):
    simulate(tmp_path, years="2019")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    write = Path.write_bytes

    def fail_at_the_end(path, content):
        if path.name.startswith("truth"):
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_at_the_end)
    with pytest.raises(DataError) as caught:
        simulate(tmp_path, seed=1, years="2020")
    assert "The folder cannot be written: No space left on device." in caught.value.worded("en")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
