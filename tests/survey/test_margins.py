"""Adjusted shares and average marginal effects: by hand, against R, by invariance, and what they refuse."""

import numpy as np
import pandas as pd
import pytest

from evaluation import (
    AdjustedShare,
    Category,
    Interaction,
    Linear,
    Logit,
    MarginalEffect,
    Mean,
    Ordinal,
    Poisson,
    Sample,
    Share,
    SurveyDesign,
)
from evaluation.influence import contrast, covariance, stack, sum_to
from evaluation.survey.margins import _average, _fitted
from tests.survey.model_samples import DISTRICT, close, made_up, message, reference, sample_of

SEX = Category("sex", "m")
GROUP = Category("district", "00")
TERMS = ("age", SEX, GROUP)
NUMBERS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
CASES = {
    "linear": (Linear("worry", TERMS), None),
    "poisson": (Poisson("times", TERMS), None),
    "logit": (Logit("unsafe", TERMS), None),
    "ordinal": (Ordinal("night", TERMS, scale=4), (3, 4)),
    "probit": (Ordinal("night", TERMS, scale=4, link="probit"), (2, 4)),
    "interaction": (Logit("unsafe", (*TERMS, Interaction(("age", GROUP)), Interaction(("age", SEX)))), None),
}


@pytest.fixture(scope="module")
def frame():
    return made_up()


@pytest.fixture(scope="module")
def sample(frame):
    return sample_of(frame)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


# --- by hand --------------------------------------------------------------------------------------------------------


def test_two_groups_of_different_composition_by_hand():
    # Shares among the young: a 1/4, b 1/2; among the old: a 1/2, b 3/4. In a 1 of 4 people is old, in b 3 of 4; all
    # together half are. The linear model fits these cells exactly: adjusted 3/8 and 5/8, raw 5/16 and 11/16.
    rows = [
        ("s", group, old, yes, weight * (share if yes else 1 - share))
        for group, old, share, weight in [
            ("a", 0, 1 / 4, 3),
            ("a", 1, 1 / 2, 1),
            ("b", 0, 1 / 2, 1),
            ("b", 1, 3 / 4, 3),
        ]
        for yes in (0, 1)
    ]
    sample = Sample(pd.DataFrame(rows, columns=["stratum", "group", "old", "yes", "weight"]), SurveyDesign())
    model = Linear("yes", (Category("group", "a"), "old"))
    adjusted = AdjustedShare(model, "group").estimate(sample).table
    assert adjusted["group"].tolist() == ["a", "b"]
    assert adjusted["estimate"].tolist() == pytest.approx([3 / 8, 5 / 8])
    assert Mean("yes", by="group").estimate(sample).table["estimate"].tolist() == pytest.approx([5 / 16, 11 / 16])
    assert MarginalEffect(model, "group").estimate(sample).table["estimate"].tolist() == pytest.approx([1 / 4])
    assert MarginalEffect(model, "old").estimate(sample).table["estimate"].tolist() == pytest.approx([1 / 4])


def test_without_other_terms_adjusted_shares_are_shares(sample):
    shares = Share("night", (3, 4), by="district", scale=4).estimate(sample)
    adjusted = AdjustedShare(Logit("unsafe", (GROUP,)), "district").estimate(sample)
    close(adjusted.table[["estimate", "std_error"]], shares.table[["estimate", "std_error"]])
    close(adjusted.table["n"], shares.table["n"])
    np.testing.assert_allclose(adjusted.influence.values, shares.influence.values, atol=1e-12)
    differences = contrast(shares, {"01 less 00": [-1, 1, 0, 0, 0, 0]}, df=adjusted.table["df"].iloc[0])
    effect = MarginalEffect(Logit("unsafe", (GROUP,)), "district").estimate(sample)
    close(effect.table.loc[0, NUMBERS], differences.table.loc[0, NUMBERS])


# --- against R ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_ordinal_margins_from_the_definition(design, link):
    people, theirs = reference(design)
    model = Ordinal("night", ("age", "female", DISTRICT), scale=4, link=link)
    shares = AdjustedShare(model, "district", codes=(3, 4)).estimate(people).table
    effect = MarginalEffect(model, "age", codes=(3, 4)).estimate(people).table
    expected = theirs[f"margins_{link}"]
    close([*shares["estimate"], *effect["estimate"]], expected["estimate"])
    close([*shares["std_error"], *effect["std_error"]], np.sqrt(np.diag(expected["covariance"])))


@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_the_two_parts_of_the_variance_are_those_of_svypredmeans(design):
    # R adds the variance from the coefficients and that from the people, as if they were independent; the influences
    # here also hold their covariance, which is zero only on average.
    people, theirs = reference(design)
    complete = people.where(people.frame[["night", "age"]].notna().all(axis=1))
    model = Logit("night", ("age", "female", DISTRICT), codes=(3, 4))
    result = AdjustedShare(model, "district").estimate(complete)
    close(result.table["estimate"], theirs["predmeans"]["estimate"])
    fit = model.fit(complete)
    predicted = complete.frame.assign(district="00").loc[:, ["age", "female"]]
    coefficients = dict(zip(fit.labels, fit.coefficients, strict=True))
    for row, code in enumerate(["00", "01", "10", "11"]):
        eta = coefficients["intercept", ""] + coefficients.get(("district", code), 0.0)
        eta = eta + predicted @ [coefficients["age", ""], coefficients["female", ""]]
        alone = Mean("m").estimate(
            Sample(people.frame.assign(m=1 / (1 + np.exp(-eta))), people.design).where(complete.inside)
        )
        close(alone.table["estimate"], result.table["estimate"].iloc[row])
        close(covariance(alone.influence)[0, 0], theirs["predmeans"]["people"][row][row])
        values = result.influence.values[:, row] - alone.influence.values[:, 0]
        spread = type(result.influence)(**{**vars(result.influence), "values": values[:, None]})
        close(covariance(spread)[0, 0], theirs["predmeans"]["coefficients"][row][row])


# --- invariance -----------------------------------------------------------------------------------------------------


def test_effects_of_a_category_are_differences_of_adjusted_shares(case, sample):
    model, codes = case
    shares = AdjustedShare(model, "district", codes=codes).estimate(sample)
    effects = MarginalEffect(model, "district", codes=codes).estimate(sample)
    differences = contrast(shares, np.column_stack([-np.ones(5), np.eye(5)]))
    close(effects.table[NUMBERS], differences.table[NUMBERS])
    assert effects.table["category"].tolist() == ["01", "02", "03", "04", "05"]
    np.testing.assert_allclose(effects.influence.values, differences.influence.values, atol=1e-14)


def test_influences_are_the_derivatives_by_the_weights(case, sample, frame):
    # A person's influence is the weight times what the estimate changes by where the weight changes.
    model, codes = case
    for method in (AdjustedShare(model, "district", codes=codes), MarginalEffect(model, "age", codes=codes)):
        influence = method.estimate(sample).influence
        for unit in (0, 17):
            h = 1e-4
            moved = [
                method.estimate(
                    sample_of(frame.assign(weight=frame["weight"] * np.where(frame["block"] == unit, 1 + by, 1)))
                ).table["estimate"]
                for by in (h, -h)
            ]
            row = influence.values[list(influence.units).index(unit)]
            np.testing.assert_allclose(row, (moved[0] - moved[1]) / (2 * h), rtol=1e-5, atol=1e-9)


def test_the_effect_of_a_number_is_the_derivative_of_the_mean(case, sample):
    model, codes = case
    fit, response, _ = _fitted(model, codes, sample)
    h, moved = 1e-4, []
    for by in (h, -h):
        values = fit.people.values["age"]
        shifted = fit.people.having("age", type(values)(numbers=values.numbers + by))
        moved.append(_average(fit, response, shifted.matrix())[0])
    effect = MarginalEffect(model, "age", codes=codes).estimate(sample).table.loc[0, "estimate"]
    close(effect, (moved[0] - moved[1]) / (2 * h), rtol=1e-6)


def test_shares_of_all_answers_add_up_to_one(sample):
    model = CASES["ordinal"][0]
    each = [AdjustedShare(model, "district", codes=(code,)).estimate(sample) for code in (1, 2, 3, 4)]
    close(sum(one.table["estimate"] for one in each), np.ones(6))
    np.testing.assert_allclose(sum(one.influence.values for one in each), 0, atol=1e-12)
    two = AdjustedShare(model, "district", codes=(3, 4)).estimate(sample)
    close(each[2].table["estimate"] + each[3].table["estimate"], two.table["estimate"])


def test_results_can_be_stacked_and_compared(sample, frame):
    model = CASES["logit"][0]
    parts = {
        "adjusted": AdjustedShare(model, "district").estimate(sample),
        "raw": Share("night", (3, 4), by="district", scale=4).estimate(sample),
    }
    blocks = {unit: unit for unit in parts["raw"].influence.units}
    summed = {
        name: type(part)(**{**vars(part), "influence": sum_to(part.influence, blocks)}) for name, part in parts.items()
    }
    both = stack(summed, independent=False)
    weights = np.zeros((1, 12))
    weights[0, [1, 7]] = 1, -1
    change = contrast(both, weights).table.iloc[0]
    ours, theirs = (part.table["estimate"].iloc[1] for part in parts.values())
    assert change["estimate"] == pytest.approx(ours - theirs, rel=1e-9)
    assert change["std_error"] < parts["raw"].table["std_error"].iloc[1]


def test_intervals_of_shares_stay_between_zero_and_one(frame):
    rare = frame.assign(unsafe=((frame["night"] == 4) & (frame["age"] > 75)).astype(int))
    table = AdjustedShare(Logit("unsafe", ("age", SEX)), "sex").estimate(sample_of(rare)).table
    assert (table["conf_low"] > 0).all()
    assert (table["estimate"] < 0.2).all()
    close(table["estimate"] / (1 - table["estimate"]) / (table["conf_low"] / (1 - table["conf_low"])),
          table["conf_high"] / (1 - table["conf_high"]) / (table["estimate"] / (1 - table["estimate"])))  # fmt: skip


# --- messages -------------------------------------------------------------------------------------------------------


def test_what_margins_refuse(sample):
    ordinal = CASES["ordinal"][0]
    assert message(lambda: AdjustedShare(ordinal, "age", codes=(3, 5), level=95)) == (
        "Value “95”: level = 95 is not a confidence level. "
        "What to do: Give a number between 0 and 1, for example 0.95.\n"
        "The codes 5 are not on the scale 1, 2, 3 and 4. What to do: Correct the codes or the scale of the item.\n"
        "Column age: The model has no category in this column; it has sex and district. "
        'What to do: Add Category("age", "…") to the terms of the model.'
    )
    assert message(lambda: MarginalEffect(ordinal, "income")) == (
        "No codes are given whose share is wanted. "
        "What to do: Give at least one code, or leave codes out to get all answers.\n"
        "Column income: This column is not among the terms of the model; these are age, sex and district. "
        "What to do: Choose one of them or add the term."
    )
    assert message(lambda: MarginalEffect(CASES["logit"][0], "age", codes=(3, 4))) == (
        "The outcome of a Logit model has no further answers that could be counted together. "
        "What to do: Leave codes out here; for Logit they belong to the model."
    )
    assert message(lambda: AdjustedShare(Linear("worry", (Category("n", 1),)), "n")) == (
        "Column n: Domains cannot be made from a column with the name “n”, because results use it. "
        "What to do: Rename the column."
    )
    free = Ordinal("night", TERMS)
    assert message(lambda: AdjustedShare(free, "district", codes=("4",)).estimate(sample)) == (
        "Column night: The codes 4 never occur; the answers are 1, 2, 3 and 4. "
        "What to do: Check the codes. If nobody gave these answers, give the scale."
    )
