"""Studies whose estimators ask for further columns: other outcomes, doses, inhabitants, attributes of areas."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluation import DesignError, open_project

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "leipzig_simulated"


@pytest.fixture
def study(tmp_path):
    """Return a function that opens the sample project with one study more, whose methods are given."""

    def opened(methods: str, *, unit: str = "area"):
        folder = tmp_path / "city"
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("reports"))
        declared = (folder / "studies" / "patrols.toml").read_text(encoding="utf-8")
        head = declared[: declared.index("[method]")].replace('id = "patrols"', 'id = "further"')
        (folder / "studies" / "further.toml").write_text(head + methods, encoding="utf-8")
        return open_project(folder)

    return opened


def test_every_column_that_a_method_names_is_there(study):
    project = study(
        '[method]\nclass = "TripleDifference"\nagainst = "bodily_harm"\n\n'
        '[[sensitivity]]\nclass = "DoseResponse"\ndose = "joint_hours"\n\n'
        '[[sensitivity]]\nclass = "GroupTime"\ncovariates = ["inhabitants"]\n'
    )
    frame = project.panel("further").frame
    other = project.counts("bodily_harm", period="month").set_index(["unit", "period"])["count"]
    joined = frame.set_index(["unit", "period"])
    assert (joined["bodily_harm"] == other.reindex(joined.index)).all()
    assert joined["joint_hours"].sum() > 0
    assert np.isfinite(joined["joint_hours"]).all()
    assert (joined["inhabitants"] > 0).all()
    assert len(frame) == len(project.panel("patrols").frame)


@pytest.mark.parametrize(
    "method",
    [
        'class = "TripleDifference"\nagainst = "bodily_harm"',
        'class = "DoseResponse"\ndose = "joint_hours"',
        'class = "PoissonCohorts"',
    ],
)
def test_a_declared_estimator_answers_the_study(study, method):
    project = study(f'[method]\n{method}\ninference = {{ class = "Randomization", draws = 199 }}\n')
    row = project.method("further").estimate(project.panel("further")).row(term="effect")
    assert np.isfinite(row["estimate"])
    assert 0 < row["p_value"] <= 1


def test_names_that_are_no_column_are_told_together(study):
    project = study(
        '[method]\nclass = "TripleDifference"\nagainst = "bodly_harm"\n\n'
        '[[sensitivity]]\nclass = "DoseResponse"\ndose = "joint_hour"\n'
    )
    with pytest.raises(DesignError) as caught:
        project.panel("further")
    words = caught.value.worded("de")
    assert "verlangt die Spalte „bodly_harm“" in words
    assert "Gemeint ist vielleicht „bodily_harm“; möglich sind " in words
    assert "verlangt die Spalte „joint_hour“" in words
    assert "Gemeint ist vielleicht „joint_hours“; möglich sind " in words
