"""Linear, logit and Poisson regression: by hand, against R, by invariance, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import Category, Interaction, Linear, Logit, Mean, Poisson, Sample, Share, SurveyDesign
from evaluation.influence import contrast, covariance
from evaluation.survey.model_terms import CHUNK
from tests.survey.model_samples import DISTRICT, FRAME, close, made_up, message, reference, sample_of

SEX = Category("sex", "m")
NUMBERS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
MODELS = {
    "linear": Linear("worry", ("age", SEX, Category("district", "00"))),
    "logit": Logit("unsafe", ("age", SEX, Category("district", "00"))),
    "poisson": Poisson("times", ("age", SEX, Category("district", "00"))),
}


@pytest.fixture(scope="module")
def frame():
    return made_up()


@pytest.fixture(scope="module")
def sample(frame):
    return sample_of(frame)


# --- by hand --------------------------------------------------------------------------------------------------------


def test_two_groups_by_hand():
    # Weights 1 and 3; group a: 1 of (1 + 3) says yes, group b: 3 of (1 + 3).
    frame = pd.DataFrame(
        {"stratum": "s", "weight": [1.0, 3.0, 1.0, 3.0], "group": ["a", "a", "b", "b"], "yes": [1, 0, 0, 1]}
    )
    result = Logit("yes", (Category("group", "a"),)).estimate(Sample(frame, SurveyDesign()))
    assert result.table["term"].tolist() == ["intercept", "group"]
    assert result.table["category"].tolist() == ["", "b"]
    assert result.table["n"].tolist() == [4, 2]
    assert result.display()["estimate"].tolist() == pytest.approx([1 / 3, 9])
    # The influence on the log odds of a share p with weights W is w (y - p) / (W p (1 - p)): in a +1 and -1, in b -1
    # and +1. The slope's influences are the second pair less the first: -1, +1, -1, +1, with variance 4/3 of their
    # squares; four people in one stratum leave 3 - 1 degrees of freedom.
    assert result.influence.values[:, 1].tolist() == pytest.approx([-1, 1, -1, 1])
    assert result.table["std_error"].tolist() == pytest.approx([(2 * 4 / 3) ** 0.5, (4 * 4 / 3) ** 0.5])
    assert result.table["df"].tolist() == [2, 2]


def test_saturated_models_are_means_shares_and_ratios(sample):
    means = Mean(("worry", "times"), by="sex").estimate(sample)
    difference = contrast(means, {"f less m": [1, -1, 0, 0]}).table.iloc[0]
    row = Linear("worry", (SEX,)).estimate(sample).table.iloc[1]
    close(row[["estimate", "std_error"]], difference[["estimate", "std_error"]])

    women, men = means.table["estimate"][2:]
    ratio = contrast(means, {"log ratio": [0, 0, 1 / women, -1 / men]}).table.iloc[0]
    row = Poisson("times", (SEX,)).estimate(sample).table.iloc[1]
    close(row[["estimate", "std_error"]], [np.log(women / men), ratio["std_error"]])

    shares = Share("night", (3, 4), by="sex", scale=4).estimate(sample)
    p = shares.table["estimate"].to_numpy()
    odds = contrast(shares, {"log odds ratio": [1, -1] / (p * (1 - p))}).table.iloc[0]
    row = Logit("night", (SEX,), codes=(3, 4), scale=4).estimate(sample).table.iloc[1]
    close(row[["estimate", "std_error"]], [np.log(p / (1 - p)) @ [1, -1], odds["std_error"]])


def test_without_terms_a_model_is_the_mean(sample):
    mean, row = Mean("worry").estimate(sample).table.iloc[0], Linear("worry").estimate(sample).table.iloc[0]
    close(row[NUMBERS], mean[NUMBERS])


def test_newton_is_the_weighted_likelihood_of_a_dense_matrix():
    # More people than one chunk, an interaction, and a category that is kept as codes; one line of IRLS at a time.
    frame = made_up(3, CHUNK + 5000)
    model = Logit("unsafe", ("age", Category("ten", "00"), Interaction(("age", Category("sex", "m")))))
    result = model.estimate(sample_of(frame))
    tens = pd.get_dummies(frame["ten"], drop_first=True).to_numpy(float)
    women = (frame["sex"] == "f").to_numpy(float)
    x = np.column_stack([np.ones(len(frame)), frame["age"], tens, frame["age"] * women])
    beta, weight = np.zeros(x.shape[1]), frame["weight"].to_numpy()
    for _ in range(12):
        mean = 1 / (1 + np.exp(-x @ beta))
        hessian = (x * (weight * mean * (1 - mean))[:, None]).T @ x
        beta += np.linalg.solve(hessian, x.T @ (weight * (frame["unsafe"] - mean)))
    close(result.table["estimate"], beta, rtol=1e-10)
    left = weight * (frame["unsafe"].to_numpy() - 1 / (1 + np.exp(-x @ beta)))
    person = (x * left[:, None]) @ np.linalg.inv(hessian)
    by_block = pd.DataFrame(person).groupby(frame["block"]).sum().reindex(result.influence.units)
    np.testing.assert_allclose(result.influence.values, by_block, atol=1e-12)


# --- against R ------------------------------------------------------------------------------------------------------

REFERENCE = {
    "linear": Linear("worry", ("age", "female", DISTRICT)),
    "logit": Logit("night", ("age", "female", DISTRICT), codes=(3, 4), scale=4),
    "logit_interaction": Logit(
        "night",
        ("age", "female", DISTRICT, Interaction(("age", "female")), Interaction(("female", DISTRICT))),
        codes=(3, 4),
    ),
    "poisson": Poisson("times", ("age", DISTRICT)),
}


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_coefficients_and_covariance_are_those_of_svyglm(design, name):
    people, theirs = reference(design)
    result = REFERENCE[name].estimate(people)
    close(result.table["estimate"], theirs[name]["estimate"])
    close(covariance(result.influence), theirs[name]["covariance"])
    assert set(result.table["df"]) == {theirs[name]["df"]}


@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_a_subpopulation_keeps_the_design(design):
    people, theirs = reference(design)
    women = people.where(people.frame["female"] == 1)
    result = Logit("night", ("age", DISTRICT), codes=(3, 4)).estimate(women)
    close(result.table["estimate"], theirs["logit_women"]["estimate"])
    close(covariance(result.influence), theirs["logit_women"]["covariance"])
    assert set(result.table["df"]) == {theirs["logit_women"]["df"]}


# --- invariance -----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_order_of_rows_and_size_of_weights_do_not_matter(seed, c):
    frame = made_up()
    order = np.random.default_rng(seed).permutation(len(frame))
    moved = frame.iloc[order].assign(weight=lambda rows: rows["weight"] * c)
    for model in MODELS.values():
        first, second = (model.estimate(sample_of(rows)).table for rows in (frame, moved))
        close(second[NUMBERS], first[NUMBERS])


@settings(deadline=None, max_examples=15)
@given(st.floats(-3000, 3000), st.floats(0.1, 1000))
def test_a_covariate_in_other_units_changes_only_its_own_coefficient(shift, scale):
    frame = made_up()
    moved = frame.assign(age=shift + scale * frame["age"])
    for model in MODELS.values():
        first, second = (model.estimate(sample_of(rows)).table for rows in (frame, moved))
        close(second[["estimate", "std_error"]].iloc[1] * scale, first[["estimate", "std_error"]].iloc[1], rtol=1e-7)
        close(second[["estimate", "std_error"]].iloc[2:], first[["estimate", "std_error"]].iloc[2:], rtol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_another_reference_gives_the_same_differences(name, sample):
    model = MODELS[name]
    first = model.estimate(sample)
    second = type(model)(model.outcome, (*model.terms[:2], Category("district", "03"))).estimate(sample)
    pair = [(first.table["category"] == code).to_numpy(float) for code in ("04", "03")]
    ours = contrast(first, {"04 less 03": pair[0] - pair[1]}).table.iloc[0]
    theirs = second.row(term="district", category="04")
    close(theirs[["estimate", "std_error", "df"]], ours[["estimate", "std_error", "df"]])


@pytest.mark.parametrize("name", MODELS)
def test_a_large_category_is_that_many_columns(name, frame):
    model = MODELS[name]
    columns = {f"is_{code}": (frame["ten"] == code).astype(float) for code in sorted(frame["ten"].unique())[1:]}
    coded = type(model)(model.outcome, (Category("ten", "00"), "age", SEX))
    dense = type(model)(model.outcome, (*columns, "age", SEX))
    first, second = (one.estimate(sample_of(frame.assign(**columns))) for one in (coded, dense))
    close(first.table[NUMBERS], second.table[NUMBERS])
    assert first.table["term"].tolist() == ["intercept", *["ten"] * 9, "age", "sex"]


@pytest.mark.parametrize("name", MODELS)
def test_two_large_categories_and_their_products_with_a_number(name, frame):
    rng = np.random.default_rng(5)
    other = frame.assign(eleven=rng.choice(list("abcdefghijk"), len(frame)))
    columns = {f"e_{code}": (other["eleven"] == code).astype(float) for code in "bcdefghijk"}
    columns |= {f"t_{k}": (other["ten"] == f"{k:02d}") * other["age"] / 100 for k in range(1, 10)}
    wide = other.assign(**columns, century=other["age"] / 100)
    model = MODELS[name]
    product = Interaction(("century", Category("ten", "00")))
    coded = type(model)(model.outcome, (Category("eleven", "a"), "century", product))
    dense = type(model)(model.outcome, (*list(columns)[:10], "century", *list(columns)[10:]))
    first, second = (one.estimate(sample_of(wide)).table for one in (coded, dense))
    close(first[NUMBERS], second[NUMBERS], rtol=1e-7)
    assert first["term"].tolist()[12:14] == ["century:ten"] * 2


def test_a_linear_model_of_a_subpopulation_does_not_see_the_others(sample, frame):
    women = (frame["sex"] == "f").to_numpy()
    spoiled = frame.assign(age=frame["age"].where(women, 1e6), worry=frame["worry"].where(women, -1e6))
    for rows in (frame, spoiled):
        people = sample_of(rows)
        result = Linear("worry", ("age",)).estimate(people.where(rows["sex"] == "f"))
        close(result.table[NUMBERS], Linear("worry", ("age",)).estimate(sample.where(women)).table[NUMBERS])


def test_the_frame_is_left_alone():
    frame = made_up()
    before = frame.copy(deep=True)
    for model in MODELS.values():
        model.estimate(sample_of(frame))
    pd.testing.assert_frame_equal(frame, before)


# --- missing values and messages ------------------------------------------------------------------------------------


def test_missing_values_are_left_out_and_counted():
    people, _ = reference("clusters")
    result = Logit("night", ("age", "female"), codes=(3, 4)).estimate(people)
    complete = FRAME[["night", "age"]].notna().all(axis=1)
    assert result.counts.observations == complete.sum() == 242
    assert dict(result.counts.dropped) == {"missing_answers": 21}
    assert result.worded_notes("en") == [
        "night: 9 of 263 respondents (3.4%) have no value; they are left out of the model.",
        "age: 12 of 263 respondents (4.6%) have no value; they are left out of the model.",
        "In all, 21 of 263 respondents (8.0%) lack a value in one of the columns.",
    ]
    close(
        result.table[NUMBERS],
        Logit("night", ("age", "female"), codes=(3, 4)).estimate(people.where(complete)).table[NUMBERS],
    )


def test_codes_for_no_answer(frame):
    coded = frame.assign(night=frame["night"].mask(frame["age"] > 80, 9))
    left_out = frame.assign(night=frame["night"].where(frame["age"] <= 80))
    first = Logit("night", ("age",), codes=(3, 4), scale=4, no_answer=(9,)).estimate(sample_of(coded))
    second = Logit("night", ("age",), codes=(3, 4), scale=4).estimate(sample_of(left_out))
    close(first.table[NUMBERS], second.table[NUMBERS])
    assert first.counts.dropped == second.counts.dropped


def test_too_few_blocks_for_a_range():
    frame = made_up().assign(block=lambda rows: rows["stratum"] * 2 + (rows["age"] > 50))
    result = Linear("worry", ("age", SEX, Category("district", "00"))).estimate(sample_of(frame))
    assert set(result.table["note"]) == {"survey.note.no_df"}
    assert result.table["std_error"].notna().all()
    assert result.table["conf_low"].isna().all()


def test_terms_that_cannot_be(sample):
    assert message(lambda: Logit("unsafe", ("age", Category("age", 20), "age", "unsafe"), level=2)) == (
        "Value “2”: level = 2 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95.\n"
        "Column age: The terms use this column in two ways: as a number and as a category, or with two references. "
        "What to do: Choose one way and write it alike in all terms.\n"
        "The term age is given twice. What to do: Leave it out once.\n"
        "Column unsafe: The answer that is to be explained is also among the terms. "
        "What to do: Take it out of the terms."
    )
    assert message(lambda: Linear("worry", (Interaction(("age", "age")),))) == (
        "An interaction of age and age is not the product of two or more different columns. "
        "What to do: Give two or more columns, each once. For a square, add a column to the data."
    )
    assert message(lambda: Linear("worry", ("agee",)).estimate(sample)) == (
        "Column agee: The column “agee” does not exist. What to do: Perhaps “age” is meant. "
        "Check the name, or the declaration of the item in project.toml."
    )
    assert message(lambda: Linear("worry", ("sex", "district")).estimate(sample)) == (
        "Column sex: The values are not numbers (for example m and f). What to do: If these are categories, say with "
        'which one the others are compared: Category("sex", "…").\n'
        "Column district: The values are not numbers (for example 00, 02, 03, 01, 05 and …). What to do: If these are "
        'categories, say with which one the others are compared: Category("district", "…").'
    )


def test_references_and_categories(sample, frame):
    assert message(lambda: Logit("unsafe", (Category("district", "0"), Category("sex", "w"))).estimate(sample)) == (
        "Column district: The reference “0” does not occur among the people of the model; there are 00, 01, 02, 03, "
        "04 and …. What to do: Perhaps “00” is meant. Check whether the column holds text or numbers.\n"
        "Column sex: The reference “w” does not occur among the people of the model; there are f and m. "
        "What to do: Perhaps “–” is meant. Check whether the column holds text or numbers."
    )
    women = sample.where(frame["sex"] == "f")
    assert message(lambda: Logit("unsafe", (Category("sex", "f"),)).estimate(women)) == (
        "Column sex: All people of the model are in the category “f”. "
        "What to do: Leave the term out, or check the subpopulation."
    )
    assert Logit("unsafe", (Category("district", "01"),)).estimate(women).table["category"].tolist() == [
        "", "00", "02", "03", "04", "05",
    ]  # fmt: skip


def test_answers_that_do_not_fit(sample, frame):
    assert message(lambda: Logit("night", ("age",)).estimate(sample)) == (
        "Column night: Answers that are neither 0 nor 1: 2, 3 and 4. "
        "What to do: Say with codes which answers count as 1."
    )
    assert message(lambda: Logit("night", ("age",), codes=())) == (
        "No codes are given whose share is wanted. "
        "What to do: Give at least one code, or leave codes out to get all answers."
    )
    assert message(lambda: Logit("night", ("age",), codes=(4, 5), scale=4)) == (
        "The codes 5 are not on the scale 1, 2, 3 and 4. What to do: Correct the codes or the scale of the item."
    )
    assert message(lambda: Logit("night", ("age",), codes=(3,), scale=3).estimate(sample)) == (
        f"Column night: Answers that are not on the scale 1, 2 and 3: {(frame['night'] == 4).sum()} (codes 4). "
        "What to do: Correct the answers, name codes for “no answer” in no_answer, or correct the scale of the item."
    )
    assert message(lambda: Logit("night", ("age",), codes=("3", "4")).estimate(sample)) == (
        "Column night: The codes 3 and 4 never occur; the answers are 3, 4, 1 and 2. "
        "What to do: Check the codes. If nobody gave these answers, give the scale."
    )
    below = sample_of(frame.assign(times=frame["times"] - 1))
    rows = frame.index[frame["times"] == 0]
    assert message(lambda: Poisson("times", ("age",)).estimate(below)) == (
        f"Column times: Counts below zero: {len(rows)} (rows {', '.join(map(str, rows[:5]))} and …). "
        "What to do: Correct them or leave them empty."
    )


def test_nobody_and_always_the_same_answer(frame):
    half = frame.assign(night=frame["night"].where(frame["sex"] == "f"), day=frame["day"].where(frame["sex"] == "m"))
    assert message(lambda: Linear("night", ("day",)).estimate(sample_of(half))) == (
        "None of the 400 respondents has a value in all of the columns night and day. "
        "What to do: Check whether these questions were asked of the same people."
    )
    assert message(lambda: Linear("night", ("day",)).estimate(sample_of(frame.assign(day=np.nan)))) == (
        "Column day: None of the 400 respondents answered. What to do: Check whether the question was asked in this "
        "wave and whether the codes for “no answer” are right."
    )
    for model in (Linear("same", ("age",)), Logit("same", ("age",)), Poisson("same", ("age",))):
        assert message(lambda model=model: model.estimate(sample_of(frame.assign(same=1)))) == (
            "Column same: All 400 people of the model gave the same answer (1). What to do: There is no "
            "difference to explain. Choose another question or join answers differently."
        )


def test_collinear_columns(frame):
    double = frame.assign(months=12 * frame["age"], constant=2.0, never=0.0)
    assert message(lambda: Linear("worry", ("age", "months", SEX)).estimate(sample_of(double))) == (
        "Some of these follow from the others, so that their effects cannot be told apart: age and months. "
        "What to do: Leave one of them out, or join categories."
    )
    assert message(lambda: Logit("unsafe", ("age", "constant")).estimate(sample_of(double))) == (
        "Some of these follow from the others, so that their effects cannot be told apart: intercept and constant. "
        "What to do: Leave one of them out, or join categories."
    )
    assert message(lambda: Logit("unsafe", ("age", "never")).estimate(sample_of(double))) == (
        "Nobody in the model has these combinations: never. What to do: Join categories, or leave the interaction out."
    )
    gap = frame[(frame["sex"] == "m") | (frame["district"] != "03")]
    crossed = Logit("unsafe", (SEX, Category("district", "00"), Interaction((SEX, Category("district", "00")))))
    assert message(lambda: crossed.estimate(sample_of(gap))) == (
        "Nobody in the model has these combinations: sex:district = f:03. "
        "What to do: Join categories, or leave the interaction out."
    )


def test_separated_answers(frame):
    # Everybody in district 03 feels unsafe; above 60 everybody does; in district 01 nothing ever happened.
    district = frame.assign(unsafe=frame["unsafe"].mask(frame["district"] == "03", 1))
    remedy = "What to do: Join categories, leave the term out, or report shares by group."
    beginning = "The effect has no finite value, because the answers of these are all alike, or change at one point: "
    assert message(lambda: MODELS["logit"].estimate(sample_of(district))) == f"{beginning}district = 03. {remedy}"
    old = frame.assign(unsafe=(frame["age"] > 60).astype(int))
    assert message(lambda: Logit("unsafe", ("age",)).estimate(sample_of(old))) == (
        f"{beginning}intercept and age. {remedy}"
    )
    never = frame.assign(times=frame["times"].mask(frame["district"] == "01", 0))
    assert message(lambda: MODELS["poisson"].estimate(sample_of(never))) == f"{beginning}district = 01. {remedy}"
