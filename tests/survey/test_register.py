"""Effect of a measure of the register on a question, and change of a question: which waves, areas, and whether at "
"all."""

import shutil

import pytest

from evaluation import (
    Change,
    ItemChange,
    MeasureDifference,
    Ordinal,
    Randomization,
    Sample,
    Share,
    SurveyDifference,
    open_project,
)
from evaluation.survey.register import item_nonresponse
from tests.survey.change_samples import close, message

FEW = Randomization(draws=199, enumerate_up_to=199)
ITEM = "unsafe_night_area"
ASKED = """
[[items.unsafe_night_area.asked]]
survey = "safety"
wave = "{wave}"
wording = "{wording}"
scale = ["sehr sicher", "eher sicher", "eher unsicher", "sehr unsicher"]
modes = ["paper", "online"]
population = "ab 18 Jahren"
"""


def asked(second="", third=""):
    """Three waves of one question; what is said of the second and the third."""
    waves = {"2018": "Wie sicher nachts?", "2021": "Wie sicher nachts?", "2024": "Wie sicher bei Nacht?"}
    parts = [ASKED.format(wave=wave, wording=wording) for wave, wording in waves.items()]
    return parts[0] + parts[1] + second + parts[2] + third


SIMILAR = 'comparable = "similar"\nreason = { de = "anders gefragt", en = "other words" }\n'


@pytest.fixture(scope="module")
def project(sample_project):
    return open_project(sample_project)


@pytest.fixture
def changed(sample_project, tmp_path):
    """The sample project with another ``items.toml``, or other replacements of its files."""

    def made(items="", **replaced):
        folder = tmp_path / "project"
        shutil.copytree(sample_project, folder, ignore=shutil.ignore_patterns("reports", "*vorfaelle*", "items.toml"))
        if items:
            (folder / "items.toml").write_text(items, encoding="utf-8")
        for name, (old, new) in replaced.items():
            path = folder / f"{name}.toml"
            content = path.read_text(encoding="utf-8")
            assert old in content
            path.write_text(content.replace(old, new), encoding="utf-8")
        return open_project(folder)

    return made


def test_the_register_says_which_areas_and_waves(project):
    result = MeasureDifference(measure="A2", item=ITEM, inference=FEW).estimate(project)
    method = result.method
    assert (method.baseline, method.wave, method.excluded) == ("2021", "2024", ())
    assert method.treated == ("04", "20", "40", "41", "71", "90")
    assert method.estimator == Share("f1_nachts_im_ortsteil", (3, 4), scale=4)
    by_hand = SurveyDifference(
        Share("f1_nachts_im_ortsteil", (3, 4), scale=4),
        method.treated,
        "2021",
        "2024",
        neighbours=project.neighbours(),
        inference=FEW,
    ).estimate(project.sample())
    close(result.table.loc[0, ["estimate", "p_value"]], by_hand.table.loc[0, ["estimate", "p_value"]])
    notes = result.worded_notes("de")
    assert notes[0].startswith("Vor dem Ergebnis: In 6 Gebieten mit ")
    assert any(note.startswith("Erhebungsweg: 44") for note in notes)
    assert "Die Frage ist in 2021 und 2024 ähnlich, nicht gleich: 2024: zuerst online, Papier auf Wunsch." in notes


def test_the_whole_scale_finds_the_effect_that_was_put_in(project):
    result = MeasureDifference(measure="A2", item=ITEM, ordinal=True, inference=FEW).estimate(project)
    assert result.method.estimator == Ordinal("f1_nachts_im_ortsteil", scale=4)
    row = result.table.loc[0]
    assert row["conf_low"] < -0.45 < row["conf_high"]  # the log odds ratio of the simulated survey
    assert row["conf_high"] < 0


def test_areas_that_begin_after_the_wave_are_left_out(changed):
    later = changed(agreement=('"04" = "2023-09"', '"04" = "2024-11"'))
    result = MeasureDifference(measure="A2", item=ITEM, inference=FEW).estimate(later)
    assert result.method.excluded == ("04",)
    assert "04" not in result.method.treated
    said = "Areas in which the measure began only after the later wave: 04; they are left out."
    assert said in result.worded_notes("en")


def test_similar_questions_carry_the_reason(changed):
    project = changed(asked(third=SIMILAR))
    for method in (
        MeasureDifference(measure="A2", item=ITEM, inference=FEW),
        ItemChange(item=ITEM, baseline="2021", wave="2024"),
    ):
        said = "Die Frage ist in 2021 und 2024 ähnlich, nicht gleich: 2024: anders gefragt."
        assert said in method.estimate(project).worded_notes("de")
    plain = ItemChange(item=ITEM, baseline="2018", wave="2021").estimate(project)
    assert not any("ähnlich" in note for note in plain.worded_notes("de"))


def test_questions_that_are_not_comparable_are_refused(changed):
    project = changed(asked(third=SIMILAR.replace("similar", "not_comparable")))
    expected = (
        "The question “unsafe_night_area” cannot be compared between 2021 and 2024: 2024: anders gefragt. What to do: "
        "Show both waves side by side, without a change between them."
    )
    assert message(lambda: MeasureDifference(measure="A2", item=ITEM).estimate(project)) == expected
    assert message(lambda: ItemChange(item=ITEM, baseline="2021", wave="2024").estimate(project)) == expected


def test_a_change_is_that_of_change(project):
    result = ItemChange(item=ITEM, baseline="2018", wave="2024", by="district").estimate(project)
    share = Share("f1_nachts_im_ortsteil", (3, 4), scale=4, by="district")
    expected = Change(share, "2018", "2024").estimate(project.sample())
    close(result.table["estimate"], expected.table["estimate"])
    close(result.table["std_error"], expected.table["std_error"])


def test_scales_of_different_length_by_the_declared_mapping(changed):
    two = 'scale = ["sicher", "unsicher"]\nmapping = { sicher = [1], unsicher = [2] }\n'
    four = '"sehr unsicher"]\nmapping = { sicher = [1, 2], unsicher = [3, 4] }\n'
    items = asked(third=SIMILAR).replace('"sehr unsicher"]\n', four)
    head, tail = items.rsplit("scale = [", 1)
    items = head + two + tail.split("\n", 2)[2]
    project = changed(items)
    frame = project.sample().frame
    last = frame["wave"] == "2024"
    coarse = frame["f1_nachts_im_ortsteil"].mask(last, (frame["f1_nachts_im_ortsteil"] > 2) + 1)
    given = Sample(frame.assign(f1_nachts_im_ortsteil=coarse), project.sample().design)
    project._kept.clear()
    project._kept["respondents"] = given.frame.drop(columns=["district", "precinct"], errors="ignore")
    result = ItemChange(item=ITEM, baseline="2021", wave="2024").estimate(project)
    expected = Change(Share("f1_nachts_im_ortsteil", (3, 4), scale=4), "2021", "2024").estimate(
        open_project(project.folder).sample()
    )
    close(result.table["estimate"], expected.table["estimate"])
    assert (
        "In common answers, scales of different length are put together (number of points: 2021: 4 and 2024: 2). Codes "
        "by number of points – 4: 1+2 = sicher, 3+4 = unsicher; 2: 1 = sicher, 2 = unsicher."
    ) in result.worded_notes("en")


def test_nonresponse_of_all_questions(changed):
    victims = '[items.reported.asked_if]\ncolumn = "f9_opfer_zwoelf_monate"\ncodes = [1]\n'
    project = changed(victims)
    table = item_nonresponse(project).table.set_index(["variable", "wave"])
    frame = project.sample("2021").frame
    was = frame["f9_opfer_zwoelf_monate"] == 1
    assert table.loc[("f10_angezeigt", "2021"), "n"] == was.sum()
    silent = frame["f10_angezeigt"].isna() & was
    share = frame.loc[silent, "weight"].sum() / frame.loc[was, "weight"].sum()
    assert table.loc[("f10_angezeigt", "2021"), "estimate"] == pytest.approx(share)
    assert len(table) == 30


def test_what_is_not_there(project, changed):
    assert message(lambda: MeasureDifference(measure="A22", item=ITEM).estimate(project)) == (
        "Value “A22”: There is no such measure in the register. What to do: Perhaps “A2” is meant."
    )
    assert message(lambda: MeasureDifference(measure="A2", item="unsafe_night").estimate(project)) == (
        "Value “unsafe_night”: There is no such question in project.toml. What to do: Perhaps “unsafe_night_park” is "
        "meant."
    )
    assert message(lambda: MeasureDifference(measure="A1", item=ITEM).estimate(project)) == (
        "The register names no areas for the measure “A1”, so that there is nothing to compare them with. What to do: "
        "Add areas with their start to agreement.toml."
    )
    assert message(lambda: ItemChange(item=ITEM, baseline="2018", wave="2023").estimate(project)) == (
        "Value “2023”: The question “unsafe_night_area” was not asked in this wave. What to do: Perhaps “2024” is "
        "meant."
    )
    early = open_project(project.folder, year=2023)
    assert message(lambda: MeasureDifference(measure="A2", item=ITEM).estimate(early)) == (
        "For the measure “A2” there is no wave with this question before its first start 2023-01, or none after its "
        "last "
        "start 2023-09. What to do: An effect can be estimated as soon as there is a wave on either side."
    )
