"""Ordinal regression and the test of proportional odds: by hand, against R, by invariance, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import Category, Interaction, Logit, Ordinal, ProportionalOdds, Sample, Share, SurveyDesign
from evaluation.influence import covariance
from evaluation.survey.model_cumulative import LINKS
from evaluation.survey.model_proportional import _wider_information, _wider_scores
from evaluation.survey.model_terms import CHUNK
from tests.survey.model_samples import DISTRICT, close, made_up, message, reference, sample_of

SEX = Category("sex", "m")
TERMS = ("age", SEX, Category("district", "00"))
NUMBERS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
MODELS = {link: Ordinal("night", TERMS, scale=4, link=link) for link in LINKS}


@pytest.fixture(scope="module")
def frame():
    return made_up()


@pytest.fixture(scope="module")
def sample(frame):
    return sample_of(frame)


# --- by hand --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "quantile", "density"),
    [
        ("logit", lambda p: np.log(p / (1 - p)), lambda p: p * (1 - p)),
        ("probit", LINKS["probit"].quantile, lambda p: LINKS["probit"].density(LINKS["probit"].quantile(p))),
    ],
)
def test_without_terms_thresholds_are_quantiles_of_the_shares(link, quantile, density, sample):
    result = Ordinal("night", link=link).estimate(sample)
    for row, codes in enumerate([(1,), (1, 2), (1, 2, 3)]):
        share = Share("night", codes, scale=4).estimate(sample)
        p, std_error = share.table.loc[0, ["estimate", "std_error"]]
        close(result.table.loc[row, ["estimate", "std_error"]], [quantile(p), std_error / density(p)])
        np.testing.assert_allclose(
            result.influence.values[:, row], share.influence.values[:, 0] / density(p), atol=1e-12
        )
    assert result.table["term"].tolist() == ["threshold"] * 3
    assert result.table["category"].tolist() == ["1|2", "2|3", "3|4"]


def test_a_table_with_proportional_odds_by_hand():
    # Below the two thresholds odds 1/3 and 3 in group a, and one third of them in group b: 1/9 and 1. With shares
    # times 20 as weights the model holds exactly, so its fit is known: log(1/3), log 3 and the slope log 3.
    shares = {"a": [1 / 4, 1 / 2, 1 / 4], "b": [1 / 10, 4 / 10, 1 / 2]}
    rows = [("s", group, answer, 20 * share) for group, three in shares.items() for answer, share in enumerate(three)]
    frame = pd.DataFrame(rows, columns=["stratum", "group", "answer", "weight"])
    result = Ordinal("answer", (Category("group", "a"),)).estimate(Sample(frame, SurveyDesign()))
    assert result.table["estimate"].tolist() == pytest.approx(np.log([3, 1 / 3, 3]))
    assert result.display()["estimate"].tolist() == pytest.approx([3, 1 / 3, 3])
    assert result.table["category"].tolist() == ["b", "0|1", "1|2"]
    assert result.table["n"].tolist() == [3, 6, 6]


ENDS = [(0.7, -0.4), (2.5, 2.0), (-3.0, -4.5), (None, 1.2), (None, -3.0), (-2.0, None), (1.5, None)]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("upper", "lower"), ENDS)
def test_derivatives_are_those_of_the_log_probability(upper, lower, link):
    # Central differences of log(F(u) - F(l)), and of the first derivatives.
    latent, h = LINKS[link], 1e-5

    def moved(by_upper, by_lower):
        return [None if end is None else np.array([end + by]) for end, by in ((upper, by_upper), (lower, by_lower))]

    def log_p(by_upper, by_lower):
        above, below = (None if cut is None else latent.below(cut)[0] for cut in moved(by_upper, by_lower))
        return np.log((1.0 if above is None else above) - (0.0 if below is None else below))

    def at(by_upper, by_lower):
        cuts = moved(by_upper, by_lower)
        return latent.derivatives(*cuts, (upper or 0.0) + by_upper - (lower or 0.0) - by_lower)

    def change(function, *, upper=False):
        step = (h, 0.0) if upper else (0.0, h)
        return np.ravel(function(*step) - function(-step[0], -step[1]))[0] / (2 * h)

    found = [np.ravel(value)[0] for value in vars(at(0.0, 0.0)).values()]
    expected = [
        change(log_p, upper=True),
        -change(log_p),
        -change(lambda *by: at(*by).upper, upper=True),
        change(lambda *by: at(*by).lower),
        -change(lambda *by: at(*by).upper),
    ]
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_derivatives_stay_finite_far_out():
    far = np.array([-36.0, 0.0, 30.0])
    for latent in LINKS.values():
        for upper, lower in [(far + 0.1, far), (None, far), (far, None), (None, 20 * far), (20 * far, None)]:
            at = latent.derivatives(upper, lower, 0.1)
            assert np.isfinite([at.slope, at.curvature]).all()
            assert (at.curvature >= 0).all()


# --- against R ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_estimates_and_covariance_with_the_analytic_hessian(design, link):
    # clm of R's package ordinal, with the sandwich of the design.
    people, theirs = reference(design)
    result = Ordinal("night", ("age", "female", DISTRICT), scale=4, link=link).estimate(people)
    close(result.table["estimate"], theirs[f"ordinal_{link}"]["estimate"])
    close(covariance(result.influence), theirs[f"ordinal_{link}"]["covariance"])
    assert set(result.table["df"]) == {theirs[f"ordinal_{link}"]["df"]}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_close_to_svyolr(design, link):
    # svyolr's search stops at about 1e-7, and its Hessian is numeric: standard errors are up to 4e-4 off.
    people, theirs = reference(design)
    result = Ordinal("night", ("age", "female", DISTRICT), scale=4, link=link).estimate(people)
    close(result.table["estimate"], theirs[f"svyolr_{link}"]["estimate"], rtol=1e-7)
    std_error = np.sqrt(np.diag(theirs[f"svyolr_{link}"]["covariance"]))
    close(result.table["std_error"], std_error, rtol=5e-4)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("design", ["clusters", "one_stage"])
def test_proportional_odds_from_the_definition(design, link):
    # The reference differentiates scores numerically.
    people, theirs = reference(design)
    model = Ordinal("night", ("age", "female", DISTRICT), scale=4, link=link)
    result = ProportionalOdds(model).estimate(people)
    expected = theirs[f"proportional_{link}"]
    close(result.facts["statistic"], expected["statistic"])
    close(result.facts["p_value"], expected["p"])
    assert result.facts["df_numerator"] == expected["df_numerator"] == 10
    assert result.facts["df_denominator"] == expected["df_denominator"]
    steps = result.table.sort_values("threshold", kind="stable")["estimate"]
    close(steps, expected["step"])
    assert result.table["threshold"].tolist()[:2] == ["2|3", "3|4"]


# --- invariance -----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_order_of_rows_and_size_of_weights_do_not_matter(seed, c):
    frame = made_up()
    order = np.random.default_rng(seed).permutation(len(frame))
    moved = frame.iloc[order].assign(weight=lambda rows: rows["weight"] * c)
    for model in MODELS.values():
        close(model.estimate(sample_of(moved)).table[NUMBERS], model.estimate(sample_of(frame)).table[NUMBERS])


@pytest.mark.parametrize("link", LINKS)
def test_the_reversed_scale_has_the_reversed_slopes(link, frame, sample):
    first = MODELS[link].estimate(sample).table
    second = MODELS[link].estimate(sample_of(frame.assign(night=5 - frame["night"]))).table
    slopes = first["term"] != "threshold"
    close(second.loc[slopes, "estimate"], -first.loc[slopes, "estimate"])
    close(second.loc[~slopes, "estimate"], -first.loc[~slopes, "estimate"][::-1])
    close(second.loc[slopes, "std_error"], first.loc[slopes, "std_error"])


@settings(deadline=None, max_examples=10)
@given(st.floats(-3000, 3000), st.floats(0.1, 1000))
def test_a_covariate_in_other_units_changes_only_its_own_slope_and_the_thresholds(shift, scale):
    frame = made_up()
    moved = frame.assign(age=shift + scale * frame["age"])
    for model in MODELS.values():
        first, second = (model.estimate(sample_of(rows)).table for rows in (frame, moved))
        close(second["estimate"].iloc[0] * scale, first["estimate"].iloc[0], rtol=1e-7)
        close(second[["estimate", "std_error"]].iloc[1:7], first[["estimate", "std_error"]].iloc[1:7], rtol=1e-7)
        gaps = [np.diff(table["estimate"].iloc[-3:]) for table in (first, second)]
        close(gaps[1], gaps[0], rtol=1e-7)


@pytest.mark.parametrize("link", LINKS)
def test_a_large_category_is_that_many_columns(link, frame):
    columns = {f"is_{code}": (frame["ten"] == code).astype(float) for code in sorted(frame["ten"].unique())[1:]}
    coded = Ordinal("night", (Category("ten", "00"), "age", Interaction(("age", SEX))), scale=4, link=link)
    dense = Ordinal("night", (*columns, "age", Interaction(("age", SEX))), scale=4, link=link)
    first, second = (one.estimate(sample_of(frame.assign(**columns))) for one in (coded, dense))
    close(first.table[NUMBERS], second.table[NUMBERS])
    assert first.table["term"].tolist() == [*["ten"] * 9, "age", "age:sex", *["threshold"] * 3]
    tests = [ProportionalOdds(one).estimate(sample_of(frame.assign(**columns))) for one in (coded, dense)]
    close(tests[0].facts["statistic"], tests[1].facts["statistic"])
    assert tests[0].table["term"].tolist() == [*["ten"] * 18, *["age"] * 2, *["age:sex"] * 2]


def test_more_people_than_one_chunk_are_all_counted():
    frame = made_up(7, 2 * CHUNK + 100)
    halves = [frame.iloc[::2], frame.iloc[1::2]]
    both = pd.concat(halves).sort_values("block", kind="stable")
    model = Ordinal("night", ("age", SEX), scale=4)
    close(model.estimate(sample_of(both)).table[NUMBERS], model.estimate(sample_of(frame)).table[NUMBERS])
    twice = pd.concat([frame, frame], ignore_index=True)
    close(model.estimate(sample_of(twice)).table[NUMBERS], model.estimate(sample_of(frame)).table[NUMBERS])


@pytest.mark.parametrize("link", LINKS)
def test_the_wider_model_holds_the_narrow_one(link, sample):
    fitted = MODELS[link].fit(sample)
    width, cuts = 7, 3
    narrow = np.zeros((cuts * width + cuts, width + cuts))
    narrow[: cuts * width, :width] = np.kron(np.ones((cuts, 1)), np.eye(width))
    narrow[cuts * width :, width:] = np.eye(cuts)
    close(narrow.T @ _wider_information(fitted) @ narrow, fitted.information)
    np.testing.assert_allclose((_wider_scores(fitted) @ narrow).sum(axis=0), 0, atol=1e-8)


def test_the_first_step_points_to_separate_logits_where_slopes_differ(frame):
    # Age matters only for the step to the highest answer.
    rng = np.random.default_rng(2)
    people = pd.concat([frame] * 5, ignore_index=True).assign(block=lambda rows: np.arange(len(rows)) // 10)
    highest = (people["age"] - 50) / 10 + rng.logistic(size=len(people)) > 1.5
    late = np.where(highest, 3, np.digitize(rng.logistic(size=len(people)), [-1, 0]))
    sample = sample_of(people.assign(stratum=people["block"] % 4, late=late))
    result = ProportionalOdds(Ordinal("late", ("age",))).estimate(sample)
    assert result.facts["p_value"] < 1e-4
    first, last = (Logit("late", ("age",), codes=codes).estimate(sample).table for codes in ((1, 2, 3), (3,)))
    assert last.loc[1, "estimate"] > first.loc[1, "estimate"]
    assert result.row(threshold="2|3")["conf_low"] > 0


def test_proportional_odds_is_right_about_how_often_it_rejects():
    # 120 samples without a difference: at 5 %, 99.7 % of the counts lie between 1 and 15.
    rng, rejected = np.random.default_rng(4), 0
    for _ in range(120):
        frame = pd.DataFrame({"stratum": np.arange(240) % 4, "block": np.arange(240) // 4, "x": rng.normal(size=240)})
        effect = rng.normal(0, 0.4, 60)[frame["block"]]
        frame = frame.assign(
            stratum=frame["block"] % 4,
            weight=rng.gamma(4, 1, 240),
            item=np.digitize(0.5 * frame["x"] + effect + rng.logistic(size=240), [-1, 0, 1.5]),
        )
        rejected += ProportionalOdds(Ordinal("item", ("x",))).estimate(sample_of(frame)).facts["p_value"] < 0.05
    assert 1 <= rejected <= 15


# --- answers and messages -------------------------------------------------------------------------------------------


def test_answers_in_words_and_ordered_categories(frame, sample):
    words = ("sehr sicher", "sicher", "unsicher", "sehr unsicher")
    named = frame["night"].map(dict(zip(range(1, 5), words, strict=True)))
    numbers = MODELS["logit"].estimate(sample).table[NUMBERS]
    by_scale = Ordinal("night", TERMS, scale=words).estimate(sample_of(frame.assign(night=named)))
    close(by_scale.table[NUMBERS], numbers)
    assert by_scale.table["category"].tolist()[-1] == "unsicher|sehr unsicher"
    ordered = frame.assign(night=pd.Categorical(named, categories=words, ordered=True))
    close(Ordinal("night", TERMS).estimate(sample_of(ordered)).table[NUMBERS], numbers)
    assert message(lambda: Ordinal("night", TERMS).estimate(sample_of(frame.assign(night=named)))) == (
        "Column night: The answers are words (for example unsicher, sehr unsicher, sehr sicher and sicher) and their "
        "order is not known. What to do: Give the answers in scale, from one end to the other."
    )


def test_an_answer_that_nobody_gave_is_noted(frame):
    model = Ordinal("night", TERMS, scale=5)
    result = model.estimate(sample_of(frame.assign(night=frame["night"] + (frame["night"] > 2))))
    assert result.table["category"].tolist()[-3:] == ["1|2", "2|4", "4|5"]
    assert result.worded_notes("en") == [
        "night: nobody in the model gave the answers 3; their thresholds do not exist."
    ]
    assert result.worded_notes("de") == [
        "night: niemand im Modell hat die Antworten 3 gegeben; ihre Schwellen gibt es nicht."
    ]


def test_missing_answers_are_left_out_and_counted(frame):
    coded = frame.assign(night=frame["night"].mask(frame["age"] > 80, 9))
    result = Ordinal("night", ("age",), scale=4, no_answer=(9,)).estimate(sample_of(coded))
    young = sample_of(frame).where(frame["age"] <= 80)
    close(result.table[NUMBERS[:2]], Ordinal("night", ("age",), scale=4).estimate(young).table[NUMBERS[:2]])
    n = int((frame["age"] > 80).sum())
    assert dict(result.counts.dropped) == {"missing_answers": n}
    assert result.worded_notes("en") == [
        f"night: {n} of 400 respondents ({n / 4:.1f}%) have no value; they are left out of the model."
    ]


def test_the_note_on_proportional_odds(sample):
    result = ProportionalOdds(Ordinal("night", ("age",), scale=4)).estimate(sample)
    facts = result.facts
    assert result.worded_notes("en") == [
        f"That every slope is the same at all thresholds: F = {facts['statistic']:.2f} on 2 and 34 degrees of "
        f"freedom, p = {facts['p_value']:.3f}."
    ]


def test_what_an_ordinal_model_refuses(frame, sample):
    assert message(lambda: Ordinal("night", ("age",), link="cloglog")) == (
        "Value “cloglog”: link = “cloglog” is not allowed. What to do: Allowed: logit and probit."
    )
    assert message(lambda: Ordinal("night", ("age",), scale=3).estimate(sample)) == (
        f"Column night: Answers that are not on the scale 1, 2 and 3: {(frame['night'] == 4).sum()} (codes 4). "
        "What to do: Correct the answers, name codes for “no answer” in no_answer, or correct the scale of the item."
    )
    assert message(lambda: Ordinal("unsafe", ("age",), scale=(0, 1, 2)).estimate(sample)) == (
        "Column unsafe: An ordinal model needs three different answers; there are 0 and 1. "
        "What to do: With two answers use Logit with codes."
    )
    assert message(lambda: ProportionalOdds(Ordinal("night", scale=4))) == (
        "ProportionalOdds needs a model with at least one term. What to do: Add terms to the model."
    )
    few = frame.assign(block=frame["block"] % 8, stratum=frame["block"] % 4)
    assert message(lambda: ProportionalOdds(Ordinal("night", ("age", SEX), scale=4)).estimate(sample_of(few))) == (
        "With 2 degrees of freedom, 4 differences cannot be tested together. "
        "What to do: Test fewer at a time, or join domains."
    )


@pytest.mark.parametrize("link", LINKS)
def test_separated_and_collinear(link, frame):
    top = frame.assign(night=frame["night"].mask(frame["district"] == "03", 4), months=12 * frame["age"])
    assert message(lambda: MODELS[link].estimate(sample_of(top))) == (
        "The effect has no finite value, because the answers of these are all alike, or change at one point: "
        "district = 03. What to do: Join categories, leave the term out, or report shares by group."
    )
    assert message(lambda: Ordinal("night", ("age", "months"), link=link).estimate(sample_of(top))) == (
        "Some of these follow from the others, so that their effects cannot be told apart: age and months. "
        "What to do: Leave one of them out, or join categories."
    )
