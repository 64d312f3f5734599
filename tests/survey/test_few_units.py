"""Comparisons of waves know how few units they rest on: degrees of freedom, waves that an area lacks, sole answers."""

import numpy as np
import pandas as pd
import pytest

from evaluation import (
    Change,
    CompositionAdjusted,
    Mean,
    ModeAdjusted,
    ReplicateColumns,
    ResponseBounds,
    Sample,
    Share,
    SurveyDesign,
    SurveyDifference,
)
from evaluation.errors import DesignError
from evaluation.survey.area_changes import shock_variance

NUMBERS = ["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]
AREAS = [f"{number:02d}" for number in range(12)]


def respondents(waves=("1", "2", "3"), people=4):
    """Answers of some people for each of three blocks an area and wave."""
    rng = np.random.default_rng(1)
    keys = [(w, a, f"{a}/{b}") for w in waves for a in AREAS for b in range(3) for _ in range(people)]
    frame = pd.DataFrame(keys, columns=["wave", "area", "block"])
    n = len(frame)
    frame = frame.assign(stratum="s", weight=rng.gamma(3, 1, n), y=rng.integers(1, 5, n).astype(float))
    return frame.assign(age=np.where(np.arange(n) % 2, "old", "young"), mode=np.where(np.arange(n) % 4 < 2, "p", "o"))


DESIGN = SurveyDesign(psu="block", wave="wave")


@pytest.mark.parametrize("by", ["area", ()], ids=["area", "everybody"])
def test_adjusted_changes_have_the_degrees_of_freedom_of_the_plain_change(by):
    # Three blocks an area and wave: 3 + 3 - 2 = 4 for an area, 36 + 36 - 2 for all; never those of the third wave.
    sample, estimator = Sample(respondents(), DESIGN), Mean("y", by=by)
    plain = Change(estimator, "1", "2").estimate(sample).table
    assert set(plain["df"]) == ({4.0} if by else {70.0})
    for method in (
        CompositionAdjusted(estimator, "1", "2", cells="age"),
        ModeAdjusted(estimator, "1", "2", parallel="1"),
    ):
        table = method.estimate(sample).table
        assert set(table["df"]) == set(plain["df"])
        same = table[table["term"] == "change"].reset_index(drop=True)
        pd.testing.assert_frame_equal(same[NUMBERS], plain[NUMBERS])


def test_bounds_and_the_difference_of_people_count_the_units_of_their_waves_only():
    sample, share = Sample(respondents(), DESIGN), Share("y", (3, 4), scale=4)
    bounds = ResponseBounds(share, "1", "2", rates={"1": 0.6, "2": 0.5}).estimate(sample)
    assert set(bounds.table["df"]) == {70.0}
    difference = SurveyDifference(share, ("00", "01"), "1", "2", inference="design").estimate(sample)
    assert difference.table["df"].tolist() == [70.0]


def test_an_area_without_a_wave_is_noted_and_the_others_are_compared():
    frame = respondents()
    frame = frame[(frame["area"] != "03") | (frame["wave"] != "2")]
    method = CompositionAdjusted(Mean("y", by="area"), "1", "2", cells="age")
    table = method.estimate(Sample(frame, DESIGN)).table
    without = table["area"] == "03"
    assert set(table["note"][without]) == {"survey.note.one_wave"}
    assert table["estimate"][~without].notna().all()
    whole = method.estimate(Sample(frame[frame["area"] != "03"], DESIGN)).table
    np.testing.assert_allclose(table.loc[~without, "std_error"], whole["std_error"], rtol=0.02)


@pytest.mark.parametrize("treated", [AREAS[:2], AREAS[:10]], ids=["exchange", "area_waves"])
def test_one_answer_an_area_leaves_the_areas_to_tell_how_much_they_differ(treated):
    # One answer has no spread: the sampling variance is 0, and all differences are differences of areas.
    frame = respondents(("1", "2")).drop_duplicates(["wave", "area"])
    sample = Sample(frame, SurveyDesign(wave="wave"))
    result = SurveyDifference(Mean("y"), tuple(treated), "1", "2").estimate(sample).table
    before, after = (frame[frame["wave"] == wave].set_index("area")["y"] for wave in ("1", "2"))
    change = after - before
    expected = change[treated].mean() - change.drop(treated).mean()
    assert result.loc[0, "estimate"] == pytest.approx(expected, rel=1e-6)
    assert result.loc[0, "conf_low"] < expected < result.loc[0, "conf_high"]


def test_shocks_without_sampling_error_have_the_variance_of_the_changes():
    change = np.random.default_rng(2).normal(size=20)
    for tiny in (1e-300, 1e-30, 1e-12):
        found = shock_variance(change, np.full(20, tiny), np.zeros(20, dtype=int))
        assert found == pytest.approx(change.var(ddof=1), rel=1e-9)


def test_waves_drawn_from_the_same_population_are_no_census_of_it():
    # Six of twelve blocks in each wave, none in both: every wave knows half of the blocks, not all of them.
    frame = pd.DataFrame({"wave": ["1"] * 6 + ["2"] * 6, "block": list("abcdefghijkl"), "stratum": "s", "blocks": 12})
    frame = frame.assign(weight=2.0, y=[3.0, 5, 1, 7, 6, 2, 4, 4, 8, 1, 0, 9])
    apart, together = (
        SurveyDesign(psu="block", fpc="blocks", wave="wave", overlap=overlap) for overlap in (False, True)
    )
    result = Mean("y", by="wave").estimate(Sample(frame, together)).table
    # The other wave's blocks are units without an answer: 12/11 instead of 6/5.
    expected = Mean("y", by="wave").estimate(Sample(frame, apart)).table["std_error"] * (12 / 11 / (6 / 5)) ** 0.5
    assert result["std_error"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    # The same blocks twice are as before: half of them.
    twice = frame.assign(block=list("abcdef") * 2)
    assert set(Sample(twice, together).plan.stages[0].fraction) == {0.5}


def test_without_weights_the_sizes_of_the_population_must_be_finite():
    frame = pd.DataFrame({"stratum": list("aabb"), "blocks": [4.0, 4.0, np.inf, np.inf], "weight": 1.0})
    with pytest.raises(DesignError) as raised:
        Sample(frame, SurveyDesign(weights=None, fpc="blocks"))
    assert str(raised.value).startswith(
        "Column blocks: Respondents without a population size or fraction above 0: 2 (rows 2 and 3)."
    )
    assert Sample(frame, SurveyDesign(fpc="blocks")).weights.tolist() == [1, 1, 1, 1]


def test_a_replicate_in_which_nobody_is_left_is_noted():
    frame = pd.DataFrame({"stratum": list("aabb"), "weight": 1.0, "y": [1.0, 2, 4, 8]})
    sample = ReplicateColumns("rw", "bootstrap").apply(
        Sample(frame.assign(rw1=[2.0, 0, 1, 1], rw2=[1.0, 1, 0, 2], rw3=0.0), SurveyDesign())
    )
    row = Mean("y").estimate(sample).table.loc[0]
    assert (row["estimate"], row["note"]) == (3.75, "survey_weights.note.lost")
    assert np.isnan(row["std_error"])


def test_an_unknown_mode_is_no_vote_for_the_reference():
    # Everybody on paper, then everybody online, but the mode of every second person of the later wave was lost.
    frame = respondents()
    frame["mode"] = np.where(frame["wave"] == "1", "paper", "online")
    frame.loc[frame["wave"] == "3", "mode"] = np.where(np.arange((frame["wave"] == "3").sum()) % 2, "paper", "online")
    lost = frame.assign(mode=frame["mode"].mask((frame["wave"] == "2") & (np.arange(len(frame)) % 2 == 0)))
    method = ModeAdjusted(Mean("y"), "1", "2", parallel="3")
    whole, partly = (method.estimate(Sample(data, DESIGN)) for data in (frame, lost))
    np.testing.assert_allclose(partly.table["estimate"], whole.table["estimate"], rtol=1e-12)
    assert not any("mode" in note and "72" in note for note in whole.worded_notes("en"))
    assert sum("mode" in note and "72" in note for note in partly.worded_notes("en")) == 1
    none = frame.assign(mode=frame["mode"].mask(frame["wave"] == "2"))
    table = method.estimate(Sample(none, DESIGN)).table.set_index("term")
    assert table["estimate"].isna().tolist() == [False, True, True]
