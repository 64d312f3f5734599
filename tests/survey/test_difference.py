"""Effect of a measure on survey answers: by hand, against R, by invariance, in simulation, and what it refuses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    EstimationError,
    Mean,
    Ordinal,
    Randomization,
    Sample,
    Share,
    SurveyDesign,
    SurveyDifference,
)
from evaluation.simulate import simulate_sample
from evaluation.survey.area_changes import AreaChanges, area_changes, return_slope, shock_variance
from evaluation.survey.cells import PRIOR, cells_of
from evaluation.survey.difference_inference import area_model, detectable, unit_effects
from tests.simulation.survey_change import Cell, effect_once
from tests.survey.change_samples import FRAME, INDEPENDENT, OVERLAP, RESULTS, TREATED, close, message, sample

UNSAFE = Share("answer", (3, 4), scale=4)
NIGHT = Share("night", (3, 4), scale=4)


def names(number, first=1):
    return tuple(f"{area:02d}" for area in range(first, first + number))


@pytest.fixture(scope="module")
def city():
    """63 areas with 20 answers in each of two waves, no effect."""
    return simulate_sample(3, areas=63, per_area=20, log_odds=0.0)


def changes(change, variance, **more):
    """Changes of areas as numbers, without a sample."""
    size = len(change)
    return AreaChanges(
        areas=np.array([f"{area:02d}" for area in range(size)]),
        change=np.asarray(change, dtype=float),
        influence=np.zeros((1, size)),
        variance=np.asarray(variance, dtype=float),
        level=np.linspace(0, 1, size),
        earlier=np.linspace(0, 1, size),
        answers=np.full((size, 2), 10),
        baseline_variance=np.asarray(variance, dtype=float) / 2,
        **more,
    )


# --- by hand ---


def test_four_areas_by_hand():
    # Shares before and after: treated 2/4 -> 1/4 and 2/4 -> 0/4; others 1/4 -> 2/4 and 2/4 -> 2/4.
    answers = {"a": ("0011", "0001"), "b": ("0011", "0000"), "c": ("0001", "0011"), "d": ("0011", "1001")}
    rows = [
        (area, wave, int(y)) for area, both in answers.items() for wave, ys in zip("12", both, strict=True) for y in ys
    ]
    frame = pd.DataFrame(rows, columns=["area", "wave", "y"]).assign(weight=1.0)
    frame["stratum"] = frame["area"]
    method = SurveyDifference(Share("y", (1,), scale=(0, 1)), ("a", "b"), "1", "2", inference="design")
    result = method.estimate(Sample(frame, SurveyDesign(wave="wave")))
    assert result.table["term"].tolist() == ["effect"]
    assert result.table.loc[0, "estimate"] == pytest.approx((-2 / 8 - 1 / 8) - (1 / 8 - 0) + 0.0)
    # Each of the eight cells adds p (1 - p) / 3 of its area, and areas count one half: 4 people at random without a
    # finite population have s² / 4 = p (1 - p) / 3.
    shares = [0.5, 0.25, 0.5, 0.0, 0.25, 0.5, 0.5, 0.5]
    assert result.table.loc[0, "std_error"] ** 2 == pytest.approx(sum(p * (1 - p) / 3 for p in shares) / 4)
    assert result.facts["inference"] == "design"


def test_area_model_by_hand_with_equal_variances():
    # Equal variances: a t-test of two groups with pooled variance.
    change = [0.1, 0.3, -0.2, 0.0, 0.1, 0.1]
    treated = np.array([True, True, False, False, False, False])
    model = area_model(changes(change, [0.01] * 6), treated)
    squares = 0.02 + (0.2**2 + 0 + 0.1**2 + 0.1**2)
    assert model.estimate == pytest.approx(0.2)
    assert model.std_error**2 == pytest.approx(squares / 4 * (1 / 2 + 1 / 4))
    assert model.df == 4
    assert model.influence.sum() == pytest.approx(0)
    assert (model.influence**2).sum() == pytest.approx(model.std_error**2)


def test_exchange_by_hand():
    # One of 24 areas is treated; equal variances and no shocks: p is its rank among all differences of changes.
    change = np.r_[0.5, np.linspace(-0.1, 0.1, 23)]
    given = changes(change, [1.0] * 24)
    treated = np.arange(24) == 0
    effects = unit_effects(given, treated)[0]
    inference = Randomization()
    reference = inference.assign(effects, None)
    tested = inference.test(effects, reference)
    assert len(reference.cohort) == 24
    assert tested.estimate == pytest.approx(0.5)
    assert tested.p_value == pytest.approx(1 / 24)


def test_a_place_on_the_scale_of_two_answers_is_a_logit():
    # With two answers the place of a cell is the logit of its share, half an answer added, less that of everybody.
    frame = pd.DataFrame(
        {"stratum": "s", "weight": 1.0, "area": list("aaaabbbb"), "wave": "1", "y": [1, 1, 1, 2, 2, 2, 2, 2]}
    )
    cells = cells_of(Ordinal("y", scale=2), Sample(frame, SurveyDesign(wave="wave")), "area", ["1"])
    overall = 5 / 8

    def place(hits, n):
        share = (hits + PRIOR * overall) / (n + PRIOR)
        return np.log(share / (1 - share)) - np.log(overall / (1 - overall))

    assert cells.estimate[:, 0].tolist() == pytest.approx([place(1, 4), place(4, 4)])
    # Influence: (y - p) / (n* p (1 - p)) with p of the cell, n* with the half answer.
    share = (1 + PRIOR * overall) / (4 + PRIOR)
    assert cells.influence[3, 0, 0] == pytest.approx((1 - share) / ((4 + PRIOR) * share * (1 - share)))


def test_what_a_rise_lets_expect_is_taken_off():
    # Without the measure areas lose half of their rise; the treated one has risen by 0.4 and lost 0.3.
    frame = []
    shares = {"a": (2, 6, 3), "b": (2, 4, 3), "c": (6, 4, 5), "d": (4, 4, 4), "e": (2, 6, 4), "f": (4, 2, 3)}
    for area, hits in shares.items():
        for wave, number in zip(("1", "2", "3"), hits, strict=True):
            frame += [(area, wave, int(person < number)) for person in range(10)]
    frame = pd.DataFrame(frame, columns=["area", "wave", "y"]).assign(weight=1.0, stratum="s")
    share = Share("y", (1,), scale=(0, 1))
    given = Sample(frame, SurveyDesign(wave="wave"))
    cells = cells_of(share, given, "area", ["1", "2", "3"])
    plain = area_changes(given, cells, (1, 1))
    treated = plain.areas == "a"
    assert return_slope(plain, treated) == pytest.approx(-0.5)
    result = SurveyDifference(share, ("a",), "2", "3", inference="area_waves").estimate(given)
    assert result.facts["slope"] == pytest.approx(-0.5)
    assert result.table.loc[0, "estimate"] == pytest.approx(-0.3 + 0.5 * 0.4)
    assert result.table.loc[1, "estimate"] == pytest.approx(-0.3 - np.mean([-0.1, 0.1, 0, -0.2, 0.1]))
    raw = SurveyDifference(share, ("a",), ("2",), "3", inference="area_waves").estimate(given)
    assert raw.table.loc[0, "estimate"] == pytest.approx(raw.table.loc[1, "estimate"], abs=0.01)
    assert "slope" in raw.facts
    assert raw.facts["slope"] == 0


def test_detectable_change_of_three_areas_with_45_answers():
    # Forty percent unsafe, no clusters, no shocks: some 18 points.
    variance = 2 * 0.4 * 0.6 / 45
    error = np.sqrt(variance * (1 / 3 + 1 / 60))
    assert detectable(error, 61.0, 0.95) == pytest.approx((1.9996236 + 0.8476592) * error, rel=1e-3)
    assert 0.165 < detectable(error, 61.0, 0.95) < 0.185


# --- against R ---


@pytest.mark.parametrize(("name", "design"), [("independent", INDEPENDENT), ("overlap", OVERLAP)])
def test_all_people_as_svyglm(name, design):
    result = SurveyDifference(NIGHT, TREATED, "2018", "2024", inference="design").estimate(sample(design))
    close(result.table.loc[0, ["estimate", "std_error"]], [RESULTS[name]["estimate"], RESULTS[name]["std_error"]])


@pytest.mark.parametrize("name", ["shocks", "none"])
def test_area_model_as_metafor(name):
    expected = RESULTS["area_level"][name]
    treated = np.array(RESULTS["area_level"]["treated"]) == 1
    model = area_model(changes(expected["change"], expected["variance"]), treated)
    close(model.tau2, expected["tau2"], rtol=1e-7, atol=1e-12)  # both find a root; metafor stops at 1e-14
    close([model.estimate, model.std_error], [expected["estimate"], expected["std_error"]])


def test_ordinal_effect_of_all_people_is_the_interaction_of_the_model():
    from evaluation import Category, Interaction

    frame = FRAME[FRAME["wave"] != "2021"]
    terms = (Category("measure", 0), Category("wave", "2018"))
    model = Ordinal("night", (*terms, Interaction(terms)), scale=4)
    expected = model.estimate(sample(frame=frame)).table.iloc[2]
    method = SurveyDifference(Ordinal("night", scale=4), TREATED, "2018", "2024", inference="design")
    row = method.estimate(sample()).table.iloc[0]
    close(row[["estimate", "std_error"]], expected[["estimate", "std_error"]], rtol=1e-7)


# --- by invariance ---


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.sampled_from(["design", "area_waves"]))
def test_order_of_rows_and_size_of_weights_do_not_matter(seed, factor, inference):
    method = SurveyDifference(NIGHT, TREATED, "2018", "2024", inference=inference)
    order = np.random.default_rng(seed).permutation(len(FRAME))
    other = FRAME.iloc[order].reset_index(drop=True).assign(weight=lambda frame: frame["weight"] * factor)
    first, second = (method.estimate(sample(frame=frame)).table for frame in (FRAME, other))
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    close(second[columns].iloc[0], first[columns].iloc[0], rtol=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_means_follow_shift_and_scale(shift, size):
    method = SurveyDifference(Mean("park"), TREATED, "2018", "2024", inference="area_waves")
    moved = FRAME.assign(park=shift + size * FRAME["park"])
    first, second = (method.estimate(sample(frame=frame)).table.iloc[0] for frame in (FRAME, moved))
    close(second[["estimate", "std_error"]], size * first[["estimate", "std_error"]], rtol=1e-8)
    close(second["p_value"], first["p_value"], rtol=1e-7)


def test_a_share_is_the_mean_of_zero_and_one(city):
    # The share knows that the variance of an answer is p (1 - p), so that weights differ a little; the people do not.
    coded = Sample(city.frame.assign(high=(city.frame["answer"] > 2).astype(int)), city.design)
    first, second = (
        SurveyDifference(estimator, names(12), "2021", "2024").estimate(coded).table
        for estimator in (UNSAFE, Mean("high"))
    )
    assert first.loc[1, "estimate"] == pytest.approx(second.loc[1, "estimate"])
    assert first.loc[0, "estimate"] == pytest.approx(second.loc[0, "estimate"], abs=0.02)


def test_exchanging_the_groups_turns_the_sign(city):
    some, rest = names(30), names(33, 31)
    first, second = (
        SurveyDifference(UNSAFE, areas, "2021", "2024", inference="design").estimate(city).table.iloc[0]
        for areas in (some, rest)
    )
    assert first["estimate"] == pytest.approx(-second["estimate"])
    assert first["std_error"] == pytest.approx(second["std_error"])


def test_the_callers_frame_stays_as_it_is(city):
    before = city.frame.copy(deep=True)
    SurveyDifference(UNSAFE, names(3), "2021", "2024").estimate(city)
    pd.testing.assert_frame_equal(city.frame, before)


# --- in simulation ---


@pytest.mark.parametrize(
    "cell",
    [
        Cell("effect", "share", 3, True),
        Cell("effect, three waves", "share", 3, waves=3),
    ],
)
def test_intervals_cover(cell):
    rng = np.random.default_rng(5)
    covered = np.array([effect_once(cell, rng)[0] for _ in range(20)])
    assert covered.mean() >= 0.85  # 99.7 % of binomial shares of 20 around 0.95 are 17 hits or more


def test_the_sample_alone_covers_too_little_with_shocks():
    """Could the test above pass with intervals of any width? This one ignores that areas move by themselves."""
    rng = np.random.default_rng(5)
    cell = Cell("effect, sample alone", "share", 20, True)
    widths = np.array([effect_once(replace(cell, what=what), rng)[2] for what in (cell.what, "effect")])
    assert widths[0] < 0.9 * widths[1]


# --- what is chosen and said ---


@pytest.mark.parametrize(
    ("treated", "chosen", "said"),
    [
        (3, "exchange", "Only 3 areas have the measure, fewer than 10: the effect is compared with what other areas"),
        (10, "area_waves", "10 areas have the measure, at least 10: areas count as units that also move by themselves"),
    ],
)
def test_inference_by_number_of_treated_areas(city, treated, chosen, said):
    result = SurveyDifference(UNSAFE, names(treated), "2021", "2024").estimate(city)
    assert result.facts["inference"] == chosen
    assert any(note.startswith(said) for note in result.worded_notes("en"))
    assert result.counts.treated == treated
    assert result.table["term"].tolist() == ["effect", "people"]


def test_the_detectable_change_stands_before_the_effect(city):
    result = SurveyDifference(UNSAFE, names(3), "2021", "2024").estimate(city)
    size = result.facts["detectable"]
    assert 0.1 < size < 0.4
    assert result.worded_notes("en")[0] == (
        "Before the result: in 3 areas with 60 answers before and 60 after, an effect is found with 80% probability "
        f"only from about {100 * size:.1f}\N{NO-BREAK SPACE}percentage points on."
    )
    ratio = SurveyDifference(Ordinal("answer", scale=4), names(3), "2021", "2024").estimate(city)
    assert "only from an odds ratio below about " in ratio.worded_notes("en")[0]
    mean = SurveyDifference(Mean("answer"), names(3), "2021", "2024").estimate(city)
    assert "only from about 0." in mean.worded_notes("en")[0]


def test_few_areas_leave_the_sample_alone():
    result = SurveyDifference(
        NIGHT, ("00",), "2018", "2024", excluded=tuple(f"{n:02d}" for n in range(4, 12))
    ).estimate(sample())
    assert result.facts["inference"] == "design"
    assert "nothing can be said about how areas move by themselves" in " ".join(result.worded_notes("en"))
    assert "Areas left out of the comparison: 8." in result.worded_notes("en")


def test_a_history_of_earlier_waves_is_the_yardstick():
    many = simulate_sample(2, waves=("2012", "2014", "2016", "2018", "2020"), areas=63, per_area=20, log_odds=0.0)
    result = SurveyDifference(UNSAFE, names(3), "2018", "2020").estimate(many)
    assert "Changes are standardised with 2 pairs of earlier waves" in " ".join(result.worded_notes("en"))
    assert result.facts["slope"] == pytest.approx(-0.5, abs=0.15)  # areas differ by chance only
    plain = SurveyDifference(UNSAFE, names(3), ("2018",), "2020").estimate(many)
    assert plain.facts["slope"] == 0
    assert "There are too few earlier waves for a history" in " ".join(plain.worded_notes("en"))


def test_neighbours_are_exchanged_for_neighbours(city):
    row = {f"{n:02d}": frozenset(f"{m:02d}" for m in (n - 1, n + 1) if 1 <= m <= 63) for n in range(1, 64)}
    result = SurveyDifference(UNSAFE, names(3), "2021", "2024", neighbours=row).estimate(city)
    assert result.facts["reference_set"] == "connected"
    assert "sets of areas that touch in the same way" in " ".join(result.worded_notes("en"))


def test_two_waves_against_one(city):
    both = simulate_sample(4, waves=("2018", "2021", "2024"), areas=63, per_area=20, log_odds=0.0)
    result = SurveyDifference(UNSAFE, names(12), ("2018", "2021"), "2024").estimate(both)
    shares = replace(UNSAFE, by=("area", "wave")).estimate(both).table
    wide = shares.set_index(["area", "wave"])["estimate"].unstack()  # noqa: PD010
    change = wide["2024"] - wide[["2018", "2021"]].mean(axis=1)
    chosen = change.index.isin(names(12))
    assert result.table.loc[0, "estimate"] == pytest.approx(change[chosen].mean() - change[~chosen].mean(), abs=0.02)


def test_areas_without_answers_and_with_few_are_counted(city):
    frame = city.frame[~((city.frame["area"] == "60") & (city.frame["wave"] == "2021"))]
    lone = (frame["area"] == "61") & (frame["wave"] == "2024")
    frame = frame[~lone | (frame.groupby(["area", "wave"]).cumcount() == 0)].reset_index(drop=True)
    given = Sample(frame, replace(city.design, lonely="remove"))
    result = SurveyDifference(UNSAFE, names(12), "2021", "2024").estimate(given)
    notes = result.worded_notes("en")
    assert "Areas without answers in a wave that is compared: 1; they are left out." in notes
    assert "Areas with fewer than 5 answers in a wave: 1; they count little." in notes
    assert result.counts.units == 62
    assert np.isfinite(result.table.loc[0, "std_error"])


def test_people_without_an_area_are_counted(city):
    frame = city.frame.assign(area=city.frame["area"].where(np.arange(len(city.frame)) > 4))
    result = SurveyDifference(UNSAFE, names(12), "2021", "2024").estimate(Sample(frame, city.design))
    assert result.counts.dropped["without_domain"] == 5
    assert "because they have no value in area and wave: 5." in " ".join(result.worded_notes("en"))


# --- what it refuses ---


def test_options():
    assert message(lambda: SurveyDifference(Share("y"), (), "1", "1", excluded=("a",), inference="boot", level=2)) == (
        "Share gives several numbers; an effect is that on one. What to do: Name one variable, and for a share the "
        "codes that count.\n"
        "No area with the measure is named. What to do: Name the areas in treated; an effect in the whole city cannot "
        "be told from everything else that happened.\n"
        "Value “1”: Baseline and compared wave are the same. What to do: Name two waves.\n"
        "SurveyDifference: inference = boot is not allowed. What to do: Allowed: auto, design, area_waves, "
        "Randomization(...).\n"
        "Value “2”: level = 2 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )
    assert message(lambda: SurveyDifference(Mean("y", by="sex"), ("a",), "1", "2", excluded=("a",))) == (
        "Mean divides the answers by further columns. What to do: Leave by out, or compare the people of one group "
        "(sample.where).\n"
        "Areas with the measure are left out of the comparison at the same time: a. What to do: Name each area either "
        "in treated or in excluded."
    )
    assert message(lambda: SurveyDifference(Ordinal("y", ("age",)), ("a",), "1", "2")) == (
        "The ordinal model of a comparison of areas must not have terms of its own. What to do: Leave terms out; "
        "areas, waves and the measure are added."
    )


def test_areas_and_waves_that_are_not_there(city):
    assert message(lambda: SurveyDifference(UNSAFE, ("99",), "2021", "2024").estimate(city)) == (
        "Column area, value “99”: Nobody in the sample lives in this area. What to do: Perhaps “59” is meant. Check "
        "the keys of the areas with the measure."
    )
    assert message(lambda: SurveyDifference(UNSAFE, names(3), "2018", "2024").estimate(city)) == (
        "Column wave, value “2018”: Nobody in the sample belongs to this wave; there are the waves 2021 and 2024. What "
        "to do: Deliver the wave or choose another one."
    )
    assert message(lambda: SurveyDifference(UNSAFE, names(63), "2021", "2024").estimate(city)) == (
        "Everybody in the sample lives in an area with the measure. What to do: Without areas without the measure, "
        "only the change itself can be shown (Change)."
    )
    assert message(lambda: SurveyDifference(UNSAFE, names(3), "2021", "2024", area="place").estimate(city)) == (
        "Column place: The column “place” does not exist. What to do: Perhaps “wave” is meant. Check the name, or "
        "the declaration of the item in project.toml."
    )


def test_codes_outside_the_scale_and_answers_that_are_all_equal(city):
    off = Sample(city.frame.assign(answer=city.frame["answer"].replace(4, 9)), city.design)
    assert "Answers that are not on the scale 1, 2, 3 and 4: " in message(
        lambda: SurveyDifference(UNSAFE, names(3), "2021", "2024").estimate(off)
    )
    equal = Sample(city.frame.assign(answer=2), city.design)
    for estimator in (UNSAFE, Mean("answer"), Ordinal("answer", scale=4)):
        assert message(lambda e=estimator: SurveyDifference(e, names(3), "2021", "2024").estimate(equal)) == (
            "Column answer: All 2,520 answers are the same, so that nothing can have changed. What to do: Check the "
            "codes; a question that everybody answers alike cannot show an effect."
        )


def test_treated_areas_without_answers(city):
    frame = city.frame[~(city.frame["area"].isin(names(3)) & (city.frame["wave"] == "2021"))].reset_index(drop=True)
    with pytest.raises(EstimationError) as caught:
        SurveyDifference(UNSAFE, names(3), "2021", "2024").estimate(Sample(frame, city.design))
    assert str(caught.value) == (
        "SurveyDifference: no area with the measure has answers in all waves that are compared. What to do: Compare "
        "other waves, or larger areas."
    )


def test_shock_variance_is_zero_or_solves_its_equation():
    assert shock_variance(np.array([0.01, -0.01, 0.0]), np.ones(3), np.zeros(3, dtype=int)) == 0.0
    change, variance = np.array([1.0, -1.0, 2.0, -2.0]), np.full(4, 0.5)
    tau2 = shock_variance(change, variance, np.zeros(4, dtype=int))
    assert tau2 + 0.5 == pytest.approx(np.var(change, ddof=1))
    assert shock_variance(np.array([1.0]), np.ones(1), np.zeros(1, dtype=int)) == 0.0
