"""Fay-Herriot: by hand, against R (tests/reference/survey_tests_recipe.R), by invariance and by a small simulation.

The full simulation is ``python -m tests.simulation.small_area``.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import FayHerriot, Mean, Sample, Share, SurveyDesign, open_project
from evaluation.disclosure import About, Rules, publish
from evaluation.survey.small_area_model import fit_areas
from tests.simulation.small_area import City, city, draw
from tests.survey.model_samples import close, message

FOLDER = Path(__file__).parent.parent / "reference"
MILK = pd.read_csv(FOLDER / "milk.csv")
RESULTS = json.loads((FOLDER / "survey_tests.json").read_text(encoding="utf-8"))["milk"]
KIND = City(0.08, 0.5)


def made_up(seed=1, kind=KIND):
    """Direct shares of 63 areas, and their covariates."""
    frame, areas, _ = draw(kind, np.random.default_rng(seed))
    return share_of(frame), areas


def share_of(frame, **design):
    return Share("unsafe", (1,), by="area", scale=(0, 1)).estimate(Sample(frame, SurveyDesign(**design)))


def test_equal_sampling_variances_by_hand():
    # With equal sampling variances s the slope is .3/A - (m-1)/(2(A+s)) + S/(2(A+s)^2), S the sum of squares: a
    # quadratic equation.
    y, s = np.array([1.0, 2.0, 3.0, 5.0, 9.0]), 2.0
    squares = ((y - 4) ** 2).sum()
    a, b, c = 0.3 - 4 / 2, 2 * s * 0.3 - 4 * s / 2 + squares / 2, s**2 * 0.3
    expected = (-b - (b**2 - 4 * a * c) ** 0.5) / (2 * a)
    fit = fit_areas(y, np.ones((5, 1)), np.full(5, s))
    assert fit.variance == pytest.approx(expected, rel=1e-12)
    assert fit.coefficients == pytest.approx([4])
    prediction, weight, error = fit.predict(y, np.ones((5, 1)), np.full(5, s))
    gamma = expected / (expected + s)
    assert weight == pytest.approx(np.full(5, gamma))
    assert prediction == pytest.approx(4 + gamma * (y - 4))
    # The variance of the estimated A is v; the likelihood's adjustment draws A up by .3 v / A.
    v = 2 * (expected + s) ** 2 / 5
    known = gamma * s + (1 - gamma) ** 2 * (expected + s) / 5
    assert error == pytest.approx(known + (1 - gamma) ** 2 * v * (2 / (expected + s) - 0.3 / expected))


def test_the_error_is_never_below_that_with_the_variance_known():
    # Areas that hardly differ: what the adjustment adds to A is more than the error of A.
    y, s = np.linspace(-0.3, 0.3, 20), np.full(20, 1.0)
    fit = fit_areas(y, np.ones((20, 1)), s)
    _, weight, error = fit.predict(y, np.ones((20, 1)), s)
    assert fit.variance < 0.3 / 2
    assert error == pytest.approx(weight + (1 - weight) ** 2 * (fit.variance + 1) / 20)


def test_expenditure_on_milk_against_r():
    columns = (MILK["major_area"].to_numpy()[:, None] == [1, 2, 3, 4]).astype(float)
    columns[:, 0] = 1
    sampling = MILK["std_error"].to_numpy() ** 2
    fit = fit_areas(MILK["direct"].to_numpy(), columns, sampling)
    prediction, _, error = fit.predict(MILK["direct"].to_numpy(), columns, sampling)
    close(fit.variance, RESULTS["variance"])
    close(fit.coefficients, RESULTS["coefficients"])
    close(prediction, RESULTS["estimate"])
    close(error**0.5, RESULTS["std_error"])


def test_sampling_variances_are_smoothed_by_hand():
    # Means of areas: every area's variance is the same factor over its answers; the factor keeps the total, weighted
    # by degrees of freedom.
    rng = np.random.default_rng(1)
    n = np.array([4, 9, 16, 30, 5, 12])
    area = np.repeat(list("abcdef"), n)
    frame = pd.DataFrame({"stratum": area, "weight": 1.0, "worry": rng.normal(0, 2, n.sum())})
    direct = Mean("worry", by="stratum").estimate(Sample(frame, SurveyDesign()))
    result = FayHerriot("stratum").estimate(direct)
    factor = ((n - 1) * n * direct.table["std_error"] ** 2).sum() / (n - 1).sum()
    assert result.facts["sampling_factor"] == pytest.approx(factor, rel=1e-12)
    fit = fit_areas(direct.table["estimate"].to_numpy(), np.ones((6, 1)), factor / n)
    assert result.facts["model_variance"] == pytest.approx(fit.variance, rel=1e-12)
    assert result.table["weight"].to_numpy() == pytest.approx(fit.variance / (fit.variance + factor / n), rel=1e-12)
    assert result.table["n_effective"].to_numpy() == pytest.approx(factor / result.table["std_error"] ** 2, rel=1e-12)


def test_a_share_has_the_variance_of_the_share_that_the_model_expects():
    direct, areas = made_up()
    result = FayHerriot(covariates=("useful",)).estimate(direct, areas)
    table = result.table
    expected = (table["estimate"] - table["weight"] * table["direct"]) / (1 - table["weight"])
    sampling = result.facts["sampling_factor"] * expected * (1 - expected) / table["n"]
    variance = result.facts["model_variance"]
    assert table["weight"].to_numpy() == pytest.approx((variance / (variance + sampling)).to_numpy(), rel=1e-9)
    assert 1 < result.facts["sampling_factor"] < 1.4  # gamma weights of shape 5: 1.2
    simple = direct.table["n"] * direct.table["std_error"] ** 2
    weight = direct.table["df"]
    assert (weight * sampling * table["n"]).sum() == pytest.approx((weight * simple).sum(), rel=1e-9)


def test_the_result_in_full():
    direct, areas = made_up()
    result = FayHerriot(covariates=("useful",)).estimate(direct, areas)
    assert list(result.table.columns) == [
        *["area", "n", "direct", "weight", "n_effective", "estimate", "std_error", "df", "statistic", "p_value"],
        *["conf_low", "conf_high", "note"],
    ]
    assert result.table["n"].tolist() == direct.table["n"].tolist()
    assert (result.table["conf_high"] - result.table["estimate"]).to_numpy() == pytest.approx(
        1.959963985 * result.table["std_error"].to_numpy()
    )
    assert result.influence is None
    assert result.declaration is direct.declaration
    assert (result.counts.units, result.counts.observations) == (63, direct.counts.observations)
    assert result.facts["coefficients"]["useful"] == pytest.approx(0.08 * 0.5**0.5, abs=0.03)
    notes = {language: result.worded_notes(language)[-1] for language in ("en", "de")}
    assert notes["en"].startswith("Modelled values of areas: beyond what the covariates explain, areas differ by ")
    assert notes["de"].startswith("Modellwerte der Gebiete: Über das hinaus, was die Merkmale erklären, ")


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32 - 1), st.floats(-100, 100), st.floats(0.01, 100))
def test_what_does_not_matter(seed, shift, scale):
    frame, areas, _ = draw(KIND, np.random.default_rng(seed))
    method = FayHerriot(covariates=("useful",))
    first = method.estimate(share_of(frame), areas).table
    order = np.random.default_rng(seed).permutation(len(frame))
    changed = areas.assign(useful=shift + scale * areas["useful"]).iloc[::-1]
    second = method.estimate(share_of(frame.iloc[order].assign(weight=lambda data: data["weight"] * scale)), changed)
    columns = ["estimate", "std_error", "weight", "conf_low"]
    np.testing.assert_allclose(second.table[columns], first[columns], rtol=1e-7)
    # Those who feel safe are the others.
    safe = share_of(frame.assign(unsafe=1 - frame["unsafe"]))
    np.testing.assert_allclose(method.estimate(safe, areas).table["estimate"], 1 - first["estimate"], rtol=1e-7)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32 - 1), st.floats(-100, 100), st.floats(0.01, 100))
def test_means_follow_shift_and_scale(seed, shift, scale):
    frame, areas, _ = draw(KIND, np.random.default_rng(seed))
    frame["worry"] = frame["unsafe"] + np.random.default_rng(seed).normal(0, 1, len(frame))

    def table(data):
        direct = Mean("worry", by="area").estimate(Sample(data, SurveyDesign()))
        return FayHerriot(covariates=("useful",)).estimate(direct, areas).table

    first, second = table(frame), table(frame.assign(worry=shift + scale * frame["worry"]))
    np.testing.assert_allclose(second["estimate"], shift + scale * first["estimate"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(second["std_error"], scale * first["std_error"], rtol=1e-6)
    np.testing.assert_allclose(second["weight"], first["weight"], rtol=1e-6)


def test_estimates_lie_between_direct_and_expected_and_few_answers_are_drawn_further():
    direct, _ = made_up(kind=City(0.08, 0.0))
    table = FayHerriot().estimate(direct).table.sort_values("n")
    middle = (table["estimate"] - table["weight"] * table["direct"]) / (1 - table["weight"])
    assert middle.to_numpy() == pytest.approx(np.full(63, middle.mean()), rel=1e-9)
    assert table["weight"].is_monotonic_increasing
    assert (np.abs(table["estimate"] - middle) <= np.abs(table["direct"] - middle)).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_between_areas_is_never_zero(seed):
    # Areas that do not differ at all: plain residual likelihood is largest at 0 in about half of the cities.
    frame, _, _ = draw(City(0.0, 0.0), np.random.default_rng(seed))
    facts = FayHerriot().estimate(share_of(frame)).facts
    assert facts["model_variance"] > 1e-6
    assert facts["mean_weight"] < 0.45


@pytest.mark.parametrize("kind", [City(0.05, 0.0), KIND], ids=["no covariate", "covariate"])
def test_simulated_cities(kind):
    cities = pd.DataFrame([city(kind, seed) for seed in np.random.SeedSequence(7).spawn(25)]).mean()
    assert cities["modelled_error"] < 0.5 * cities["direct_error"]
    assert 0.93 < cities["modelled_covered"] < 0.975
    assert cities["modelled_width"] < 0.75 * cities["direct_width"]
    # Could the interval be of any width? That of the model alone, without the error of its parts, is too short.
    assert cities["claimed"] > cities["best"]


def test_intervals_are_hardly_too_wide_where_areas_are_alike():
    # Two points between areas beyond the covariate, eight from the sample: an error that forgets that the adjustment
    # of the likelihood draws the variance upwards is 1.86 times the true one here, and its intervals cover 98.9 %.
    seeds = np.random.SeedSequence(7).spawn(25)
    cities = pd.DataFrame([city(City(0.05, 0.8), seed) for seed in seeds]).mean()
    assert 1 < cities["claimed"] / cities["modelled_error"] < 1.7
    assert 0.93 < cities["modelled_covered"] < 0.985


def test_areas_without_answers_get_what_the_model_expects():
    frame, areas, _ = draw(KIND, np.random.default_rng(3))
    frame.loc[frame["area"] == "07", "unsafe"] = np.nan  # nobody answered
    frame = frame[frame["area"] != "05"]  # nobody was asked
    result = FayHerriot(covariates=("useful",)).estimate(share_of(frame), areas)
    table = result.table.set_index("area")
    assert table.loc[["05", "07"], "note"].tolist() == ["survey_tests.note.synthetic"] * 2
    assert table.loc[["05", "07"], ["n", "weight"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    assert table.loc["05", "std_error"] > result.facts["model_sd"]
    scaled = (areas["useful"] - areas["useful"].mean()) / areas["useful"].std(ddof=0)
    coefficients = result.facts["coefficients"]
    expected = coefficients["constant"] + coefficients["useful"] * scaled[5]
    assert table.loc["05", "estimate"] == pytest.approx(expected, rel=1e-9)
    assert "Nobody answered in this area; the value is what the model expects of such an area." in result.worded_notes(
        "en"
    )


def test_one_answer_equal_answers_and_shares_beyond_the_ends():
    frame, areas, _ = draw(KIND, np.random.default_rng(3))
    kept = (frame["area"] != "04") | ~frame["area"].duplicated()
    frame = frame[kept].assign(unsafe=lambda data: data["unsafe"].mask(data["area"] == "09", 1))
    frame = frame.assign(stratum="all")
    areas.loc[areas["area"] == "62", "useful"] = 40.0
    frame = frame[frame["area"] != "62"]
    table = FayHerriot(covariates=("useful",)).estimate(share_of(frame), areas).table.set_index("area")
    assert table.loc["04", "n"] == 1
    assert 0 < table.loc["04", "weight"] < 0.1
    assert table.loc["09", "direct"] == 1
    assert 0.4 < table.loc["09", "estimate"] < 0.9
    assert table.loc["62", "estimate"] == table.loc["62", "conf_high"] == 1
    assert table.loc["62", "note"] == "survey_tests.note.synthetic survey_tests.note.outside"
    assert table.loc["04", "note"] == ""


def test_covariates_come_from_the_tables_of_a_project(sample_project):
    project = open_project(sample_project)
    direct = Mean("f1_nachts_im_ortsteil", by="area").estimate(project.sample("2024"))
    counts = project.counts("street_crime").query("period == '2024'")
    areas = pd.DataFrame({"area": counts["unit"], "log_cases": np.log(counts["count"].astype(float) + 0.5)})
    result = FayHerriot(covariates="log_cases").estimate(direct, areas)
    assert result.table["area"].tolist() == sorted(project.table("areas")["area"])
    assert result.table["std_error"].mean() < 0.8 * direct.table["std_error"].mean()


def test_what_may_be_printed():
    direct, areas = made_up()
    table = direct.table.assign(n=[20, 40, *direct.table["n"][2:]])
    shown = publish(
        table.rename(columns={"estimate": "value"}),
        Rules(flag_cv=0.2),
        about=About(id="survey.unsafe", unit="share", source="Befragung"),
        keys=("area",),
        basis="answers",
        cases="n",
    ).frame
    assert shown.loc[0, "note"] == "runner.note.few_answers"
    assert "runner.note.flagged_answers" in shown.loc[1, "note"]
    uncertain = table["std_error"] > 0.2 * table["estimate"]
    assert 2 < uncertain.sum() < 60
    assert (shown["note"].str.contains("flagged_cv") == (uncertain & (table["n"] >= 30))).all()
    # A modelled value rests on more answers than those of its area.
    modelled = FayHerriot(covariates=("useful",)).estimate(direct, areas)
    about = About(id="survey.unsafe_modelled", unit="share", source="Befragung")
    published = publish(modelled, Rules(), about=about, keys=("area",), basis="answers", cases="n_effective")
    assert not published.frame["suppressed"].any()


def test_what_is_refused():
    direct, areas = made_up()
    method = FayHerriot(covariates=("useful",))
    assert message(lambda: FayHerriot("area", covariates=("x", "area", "x"), level=95)) == (
        "Column area: The column is named twice. What to do: Name two different columns.\n"
        "Column x: The column is named twice. What to do: Name two different columns.\n"
        "Value “95”: level = 95 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )
    assert message(lambda: method.estimate(direct)) == (
        "The covariates useful are wanted, but there is no table of areas. "
        "What to do: Hand over a table with one row for each area as the second argument."
    )
    gaps = areas.assign(useful=areas["useful"].mask(areas["area"].isin(["01", "02"]))).iloc[:-1]
    assert message(lambda: method.estimate(direct, gaps)) == (
        "Column useful: Areas without a value of the covariate: 3 (01, 02 and 62). "
        "What to do: Deliver the values, or leave the covariate out."
    )
    assert message(lambda: method.estimate(direct, areas.rename(columns={"useful": "usefull"}))) == (
        "Column useful: The table of areas has no column “useful”; it has area and usefull. "
        "What to do: Perhaps “usefull” is meant."
    )
    assert message(lambda: method.estimate(direct, pd.concat([areas, areas.iloc[:2]]))) == (
        "Column area: Areas with more than one row: 2 (00 and 01). What to do: Hand over one variable and one wave at "
        "a time, and one row of covariates for each area."
    )
    assert message(lambda: method.estimate(direct, areas.assign(useful="high", area=range(63)))) == (
        "Column area: The keys of the areas are numbers in one table and text in the other (00, 01, 02, 03, 04 and …; "
        "0, 1, 2, 3, 4 and …). What to do: Keep keys of areas as text, with leading zeros.\n"
        "Column useful: The values of the covariate are not numbers (for example high). "
        "What to do: Make a column with 0 and 1 for each category but one."
    )
    assert message(lambda: method.estimate(direct, areas.assign(useful=1.0))) == (
        "Column useful: The covariate has the same value in all areas. What to do: Leave it out."
    )
    twice = areas.assign(double=2 * areas["useful"])
    assert message(lambda: FayHerriot(covariates=("useful", "double")).estimate(direct, twice)) == (
        "The covariates useful and double follow from each other in the areas with answers. "
        "What to do: Leave one of them out."
    )


def test_results_that_are_no_direct_estimates_of_areas():
    frame, _, _ = draw(KIND, np.random.default_rng(1))
    sample = Sample(frame, SurveyDesign())
    assert message(lambda: FayHerriot().estimate(Share("unsafe", (1,)).estimate(sample))) == (
        "Column area: The direct estimates have no column of this name, or no number of answers; their keys are "
        'variable. What to do: Estimate a mean or share with by = "area", and hand over that result.'
    )
    answers = Share("unsafe", by="area").estimate(sample)
    assert message(lambda: FayHerriot().estimate(answers)).startswith(
        "Column area: Areas with more than one row: 63 (00, 01, 02, 03, 04 and …)."
    )
    few = sample.where(frame["area"].isin(["00", "01", "02"]))
    assert message(lambda: FayHerriot().estimate(Share("unsafe", (1,), by="area").estimate(few))) == (
        "The model needs at least 4 areas with answers; there are 3. "
        "What to do: Use fewer covariates, or report the direct estimates."
    )
    equal = Sample(frame.assign(unsafe=1), SurveyDesign())
    assert message(lambda: FayHerriot().estimate(Share("unsafe", (1,), by="area").estimate(equal))) == (
        "None of the 63 areas shows any difference between its answers, so that the sampling error is not known. "
        "What to do: Report the direct estimates with their ranges."
    )


def test_the_callers_frames_are_left_alone():
    direct, areas = made_up()
    before = direct.table.copy(deep=True), areas.copy(deep=True)
    FayHerriot(covariates=("useful",)).estimate(direct, areas)
    pd.testing.assert_frame_equal(direct.table, before[0])
    pd.testing.assert_frame_equal(areas, before[1])
