"""What weighting refuses, in full words."""

import numpy as np
import pandas as pd
import pytest

from evaluation import (
    Calibrate,
    Category,
    DesignError,
    EstimationError,
    Jackknife,
    Mean,
    PostStratify,
    Rake,
    ResponseCells,
    ResponsePropensity,
    Sample,
    SurveyBootstrap,
    SurveyDesign,
    Trim,
    weight_report,
)

FRAME = pd.DataFrame(
    {
        "stratum": "a",
        "weight": [10.0, 10.0, 20.0, 20.0, 30.0, 30.0],
        "area": ["00", "00", "01", "01", "10", "10"],
        "sex": ["f", "m", "f", "m", "f", "m"],
        "age": [20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
    }
)
AREAS = {"00": 10, "01": 20, "10": 30}


def sample(**columns):
    return Sample(FRAME.assign(**columns), SurveyDesign())


def message(call):
    with pytest.raises((DesignError, EstimationError)) as caught:
        call()
    return str(caught.value)


def test_values_that_only_the_sample_or_only_the_population_has():
    assert message(lambda: PostStratify("area", {"00": 10, "1": 20, "10": 30}).apply(sample())) == (
        "Values of area that the population does not have: 01. Respondents concerned: 2. Perhaps “1” is meant. What to "
        "do: Add their number of people to the margin, or correct the values in the data. Keys are text, such as "
        "“00”.\n"
        "Values of area that nobody in the sample has: 1. What to do: Join them with similar ones, in the data and in "
        "the population."
    )
    assert message(lambda: PostStratify(("area", "sex"), {("00", "f"): 1.0}).apply(sample())).startswith(
        "Values of area and sex that the population does not have: 00 / m, 01 / f, 01 / m, 10 / f and 10 / m. "
        "Respondents concerned: 5."
    )
    assert message(lambda: PostStratify("area", {**AREAS, "00": 0}).apply(sample())).startswith(
        "Values of area that the population does not have: 00. Respondents concerned: 2."
    )


def test_totals_that_are_no_numbers_of_people():
    assert message(lambda: PostStratify("area", {**AREAS, "01": None, "10": -3}).apply(sample())) == (
        "The totals for area are not numbers of people: 01 and 10. What to do: Give numbers of 0 or more, with at "
        "least "
        "one above 0."
    )
    twice = pd.Series([1, 2, 3, 4], index=["00", "01", "10", "10"])
    assert message(lambda: PostStratify("area", twice).apply(sample())) == (
        "The totals for area name values more than once: 10. What to do: Give each value once."
    )
    assert message(lambda: PostStratify(("area", "sex"), AREAS).apply(sample())) == (
        "The totals for area and sex do not name one value for each of these columns (00, 01 and 10). What to do: Give "
        "for each combination of values its number of people; with several columns a combination is a tuple in their "
        "order."
    )
    assert message(lambda: Calibrate(totals={"age": np.nan}).apply(sample())).startswith(
        "The totals for age are not numbers of people: nan."
    )


def test_people_without_a_value():
    gaps = sample(area=["00", None, "01", "01", "10", None], age=[20.0, np.nan, 1, 1, 1, 1])
    assert message(lambda: Calibrate({"area": AREAS}, totals={"age": 100}).apply(gaps)) == (
        "Respondents without a value in area, on which weights depend: 2 (rows 1 and 5). What to do: Fill in the "
        "values, or give them a category of their own in the data and in the population.\n"
        "Respondents without a value in age, on which weights depend: 1 (rows 1). What to do: Fill in the "
        "values, or give them a category of their own in the data and in the population."
    )
    assert "without a value in area" in message(
        lambda: ResponseCells("answered", "area").apply(
            sample(answered=True, area=["00", None, "01", "01", "10", "10"])
        )
    )
    assert "The column “aera” does not exist" in message(lambda: PostStratify("aera", AREAS).apply(sample()))
    assert "The answers are not numbers" in message(lambda: Calibrate(totals={"sex": 3}).apply(sample()))


def test_margins_of_different_people():
    assert message(lambda: Rake({"area": AREAS, "sex": {"f": 0.5, "m": 0.5}}).apply(sample())) == (
        "The margin area adds up to 60.0, the margin sex to 1.0. What to do: Margins must describe the same people. "
        "Where they are shares, give size, the number of people in the population."
    )
    weighted = Rake({"area": AREAS, "sex": {"f": 0.5, "m": 0.5}}, size=60).apply(sample())
    assert weighted.weights.sum() == pytest.approx(60)


def test_a_total_out_of_reach_is_named():
    step = Calibrate({"area": {"00": 10, "01": 20, "10": 90}}, method="logit", bounds=(0.5, 1.4))
    assert message(lambda: step.apply(sample())) == (
        "Column area, value “10”: The total 90.0 cannot be met with factors between 0.50 and 1.40; possible is 30.0 to "
        "84.0. What to do: Widen the bounds, join this category with a similar one, or check the total."
    )


def test_totals_that_cannot_be_met_together_are_named():
    # Everybody of area 10 is f: no weights give them 50 of 100 people where f has only 40.
    together = sample(sex=["f", "m", "f", "m", "f", "f"])
    step = Rake({"sex": {"f": 40, "m": 60}, "area": {"00": 25, "01": 25, "10": 50}})
    text = message(lambda: step.apply(together))
    assert text.count("cannot be met together with the others") == len(text.split("\n"))
    assert "Column sex, value “f”: The total 40.0" in text
    assert text.endswith(
        "What to do: Widen the bounds, join categories, leave out a margin, or check whether the totals fit each other."
    )
    far = Calibrate({"area": AREAS}, totals={"age": 60 * 75}, method="raking")
    assert "Column age: The total 4,500.0 cannot be met together with the others" in message(
        lambda: far.apply(sample())
    )


def test_weights_below_zero():
    step = Calibrate({"area": AREAS}, totals={"age": 60 * 60})
    assert message(lambda: step.apply(sample())) == (
        "Respondents whose weight would be 0 or less: 3 (rows 0, 2 and 4). What to do: Use method = “raking”, or "
        "bounds, "
        "for example bounds = (0.3, 3)."
    )


def test_options():
    assert message(lambda: Calibrate(method="exact", bounds=(1.2, 3))) == (
        "Value “exact”: method = “exact” is not allowed. What to do: Allowed: linear, raking and logit.\n"
        "Calibrate has nothing to fit weights to. What to do: Give at least one margin.\n"
        "Value “(1.2, 3)”: These are not bounds of factors. What to do: Give two numbers, the first from 0 to below 1, "
        "the second above 1, for example (0.3, 3)."
    )
    assert message(lambda: Calibrate({"sex": {}}, method="logit")) == (
        "Logit calibration needs bounds of the factors. What to do: Give for example bounds = (0.3, 3)."
    )
    assert message(lambda: Rake({})) == ("Rake has nothing to fit weights to. What to do: Give at least one margin.")
    assert message(lambda: PostStratify("area", AREAS, size=0)) == (
        "Value “0”: size = 0 is not a number of people. What to do: Give the number of people in the population, or "
        "leave size out where margins already give numbers."
    )
    assert message(lambda: Trim(low=3, high=2)) == (
        "Weights cannot be trimmed to between 3.00 and 2.00. What to do: Give bounds of 0 or more, the lower one below "
        "the upper one."
    )
    assert message(lambda: ResponsePropensity("answered", ())) == (
        "The chance to answer needs at least one term. What to do: Name columns that are known of everybody who was "
        "drawn."
    )


def test_trimming_that_cannot_keep_the_sum():
    assert message(lambda: Trim(high=15).apply(sample())) == (
        "Weights between 0.00 and 15.00 cannot have the sum of these weights, whose mean is 20.00. What to do: Give "
        "bounds on both sides of the mean."
    )


def test_who_answered():
    assert message(lambda: ResponseCells("answered", "area").apply(sample(answered=[1, 0, 2, np.nan, 1, 1]))) == (
        "Column answered: The column does not say of everybody whether they answered: 2 other values (2.0 and nan). "
        "What to do: Give true and false, or 1 and 0, for everybody who was drawn."
    )
    assert message(lambda: ResponseCells("answered", "area").apply(sample(answered=False))) == (
        "Column answered: None of the 6 people who were drawn answered. What to do: Check the column."
    )
    some = sample(answered=[False, False, True, True, True, False])
    assert message(lambda: ResponseCells("answered", "area").apply(some)) == (
        "Cells of area in which nobody answered: 00. What to do: Join them with similar ones, or use "
        "ResponsePropensity."
    )
    assert "Column area: Nobody" not in message(
        lambda: ResponsePropensity("answered", (Category("area", "01"),)).apply(some)
    )


def test_samples_that_cannot_be_compared():
    assert message(lambda: weight_report(sample(), Sample(FRAME.iloc[:4], SurveyDesign()))) == (
        "The samples to be compared have different respondents (6 and 4 rows). What to do: Compare two sets of weights "
        "of the same sample."
    )


def test_replicates_in_which_a_category_is_empty_are_counted():
    replicated = Jackknife().apply(sample(sex=["f", "m", "m", "m", "m", "m"]))
    result = Mean("age").estimate(PostStratify("sex", {"f": 50, "m": 50}).apply(replicated))
    assert result.worded_notes("en") == [
        "The variance comes from 6 jackknife replicates.",
        "Weights were fitted to the population by sex (post-stratification).",
        "In 1 of 6 replicates a category of the margins is empty; there its people are shared out among the others.",
    ]
    assert result.worded_notes("de")[2] == (
        "In 1 von 6 Replikaten ist eine Kategorie der Randverteilungen leer; dort werden ihre Menschen auf die anderen "
        "verteilt."
    )
    assert np.isfinite(result.table.loc[0, "std_error"])


def test_weights_that_fit_only_some_replicates():
    step = Calibrate({"area": AREAS}, method="logit", bounds=(0.5, 1.5))
    weighted = step.apply(sample())
    assert message(lambda: SurveyBootstrap(draws=50).apply(weighted)).startswith(
        "Weights can be fitted to all people, but not in every replicate. What to do: Join categories or widen bounds "
        "as said below, or do without replicates: linearisation fits weights only once.\n"
        "Column area, value “"
    )
