import numpy as np
import pandas as pd
import pytest

from evaluation import Change, DesignError, Mean, Ratio, Sample, Share, SurveyDesign, Total
from evaluation.influence import covariance

WAVES = pd.DataFrame(
    {
        "wave": ["2021"] * 4 + ["2024"] * 4,
        "stratum": ["a", "a", "b", "b"] * 2,
        "person": [1, 2, 3, 4] * 2,
        "weight": [10.0, 10.0, 30.0, 30.0] * 2,
        "area": ["00", "01", "00", "01"] * 2,
        "x": [1.0, 3.0, 5.0, 9.0, 2.0, 3.0, 7.0, 10.0],
        "item": [1, 4, 3, 2, 1, 1, 2, 2],
    }
)


def test_independent_waves_add_their_variances():
    sample = Sample(WAVES, SurveyDesign(wave="wave"))
    row = Change(Mean("x"), "2021", "2024").estimate(sample).table.iloc[0]
    first = (10 / 80) ** 2 * 2**2 + (30 / 80) ** 2 * 4**2
    second = (10 / 80) ** 2 * 1**2 + (30 / 80) ** 2 * 3**2
    assert row["estimate"] == pytest.approx((10 * 5 + 30 * 17) / 80 - 5.75, rel=1e-12)
    assert row["std_error"] == pytest.approx((first + second) ** 0.5, rel=1e-12)
    assert (row["df"], row["n"], row["baseline"], row["wave"]) == (4, 4, "2021", "2024")


def test_the_same_people_have_their_covariance_taken_into_account():
    sample = Sample(WAVES, SurveyDesign(psu="person", wave="wave", overlap=True))
    row = Change(Mean("x"), "2021", "2024").estimate(sample).table.iloc[0]
    # As the mean of each person's own change: 1, 0, 2, 1; they differ by 1 in both strata.
    assert row["std_error"] == pytest.approx(((10 / 80) ** 2 + (30 / 80) ** 2) ** 0.5, rel=1e-12)
    assert row["df"] == 2


def test_domains_and_other_estimators():
    sample = Sample(WAVES, SurveyDesign(psu="person", wave="wave", overlap=True))
    totals = Change(Total("x", by="area"), "2021", "2024").estimate(sample)
    assert totals.table["area"].tolist() == ["00", "01"]
    assert totals.table["estimate"].tolist() == pytest.approx([10 * 1 + 30 * 2, 0 + 30 * 1])
    ratio = Change(Ratio("x", "weight"), "2021", "2024").estimate(sample).table.iloc[0]
    assert ratio["estimate"] == pytest.approx((560 - 460) / 2000)
    share = Change(Share("item", scale=4), "2021", "2024").estimate(sample)
    assert share.table["answer"].tolist() == [1, 2, 3, 4]
    assert share.table["estimate"].sum() == pytest.approx(0, abs=1e-12)
    assert share.scale.unit == "percentage_points"


def test_a_change_is_the_contrast_of_the_influences():
    sample = Sample(WAVES, SurveyDesign(psu="person", wave="wave", overlap=True))
    levels = covariance(Mean("x", by="wave").estimate(sample).influence)
    change = Change(Mean("x"), "2021", "2024").estimate(sample).table.iloc[0]
    assert change["std_error"] ** 2 == pytest.approx(levels[0, 0] + levels[1, 1] - 2 * levels[0, 1], rel=1e-12)


def test_a_domain_of_one_wave_keeps_its_row_with_a_note():
    frame = WAVES.assign(area=["00", "01", "00", "01", "00", "00", "00", "00"])
    result = Change(Mean("x", by="area"), "2021", "2024").estimate(Sample(frame, SurveyDesign(wave="wave")))
    assert result.table["note"].tolist() == ["", "survey.note.one_wave"]
    assert result.table["n"].tolist() == [2, 0]
    assert np.isnan(result.table.loc[1, "estimate"])
    assert "Answers in only one of the two waves." in result.worded_notes("en")


def test_a_share_of_zero_in_one_wave_gives_a_change_without_range():
    result = Change(Share("item", (4,), scale=4), "2021", "2024").estimate(Sample(WAVES, SurveyDesign(wave="wave")))
    assert result.table.loc[0, "estimate"] == pytest.approx(-10 / 80)
    assert result.table.loc[0, "note"] == "survey.note.all_same"
    assert np.isnan(result.table.loc[0, "conf_low"])


def test_other_waves_and_other_people_do_not_matter():
    third = WAVES[WAVES["wave"] == "2024"].assign(wave="2027", x=100.0)
    design = SurveyDesign(wave="wave")
    two = Change(Mean("x"), "2021", "2024").estimate(Sample(WAVES, design)).table
    three = (
        Change(Mean("x"), "2021", "2024").estimate(Sample(pd.concat([WAVES, third], ignore_index=True), design)).table
    )
    pd.testing.assert_frame_equal(two, three)


def message(call):
    with pytest.raises(DesignError) as caught:
        call()
    return str(caught.value)


def test_an_empty_wave():
    sample = Sample(WAVES, SurveyDesign(wave="wave"))
    assert message(lambda: Change(Mean("x"), "2018", "2024").estimate(sample)) == (
        "Column wave, value “2018”: Nobody in the sample belongs to this wave; there are the waves 2021 and 2024. "
        "What to do: Deliver the wave or choose another one."
    )
    part = sample.where(WAVES["wave"] == "2021")
    assert message(lambda: Change(Mean("x"), "2021", "2024").estimate(part)) == (
        "Column wave, value “2024”: Nobody in the sample belongs to this wave; there are the waves 2021. "
        "What to do: Deliver the wave or choose another one."
    )


def test_waves_must_be_declared_and_different():
    sample = Sample(WAVES, SurveyDesign(wave="wave"))
    assert message(lambda: Change(Mean("x"), "2021", "2024").estimate(Sample(WAVES, SurveyDesign()))) == (
        "The design does not say which column holds the wave. What to do: Set wave in the design to compare waves."
    )
    assert message(lambda: Change(Mean("x", by="wave"), "2021", "2024").estimate(sample)) == (
        "Column wave: The wave is compared and cannot also divide the results. What to do: Take the wave out of by."
    )
    assert message(lambda: Change(Mean("x"), "2021", "2021", level=0)) == (
        "Value “2021”: Baseline and compared wave are the same. What to do: Name two waves.\n"
        "Value “0”: level = 0 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )


def test_scales_of_different_length_are_never_joined():
    frame = WAVES.assign(item=[1, 4, 3, 2, 1, 5, 2, 2])
    call = Change(Share("item", (3, 4), scale=4), "2021", "2024").estimate
    assert "Answers that are not on the scale 1, 2, 3 and 4: 1 (codes 5)." in message(
        lambda: call(Sample(frame, SurveyDesign(wave="wave")))
    )
