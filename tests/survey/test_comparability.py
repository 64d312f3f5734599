"""Items against the rest of their scale, people asked before, bounds under falling response."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from evaluation import (
    Category,
    Change,
    ItemFunctioning,
    ItemNonresponse,
    Mean,
    RepeatRespondents,
    ResponseBounds,
    Sample,
    Share,
    SurveyDesign,
)
from tests.survey.change_samples import FRAME, PEOPLE, RESULTS, close, influences_by_steps, message, sample

ITEMS = ("night", "park", "worry", "avoid")
BY_MODE = ItemFunctioning(ITEMS, Category("mode", "paper"), scale=4)
NIGHT = Share("night", (3, 4), scale=4)
BOUNDS = ResponseBounds(NIGHT, "2018", "2024", rates={"2018": 0.4, "2024": 0.3})


def people(seed, n=1500, shift=0.0, load=1.0):
    """Four items of one feeling; online, the last one is answered higher by `shift` and follows the feeling `load`."""
    rng = np.random.default_rng(seed)
    feeling, online = rng.normal(0, 1.2, n), rng.random(n) < 0.5
    frame = pd.DataFrame(
        {"stratum": "s", "weight": rng.lognormal(0, 0.3, n), "mode": np.where(online, "online", "paper")}
    )
    for number, name in enumerate("abcd"):
        last = number == 3
        eta = feeling * np.where(online & last, load, 1.0) + last * shift * online
        frame[name] = 1 + (rng.random(n)[:, None] < expit(eta[:, None] + np.array([1, -0.5, -2]))).sum(axis=1)
    return Sample(frame, SurveyDesign())


# --- items against the rest ---


def test_coefficients_as_clm():
    result = BY_MODE.estimate(sample())
    # clm stops at a gradient of 1e-13; the rest score is standardised with everybody who answered all items.
    close(result.row(item="avoid", kind="uniform")["estimate"], RESULTS["uniform"], rtol=1e-7)
    close(result.row(item="avoid", kind="non_uniform")["estimate"], RESULTS["non_uniform"], rtol=1e-7)
    assert result.table["item"].tolist() == [item for item in ITEMS for _ in range(2)]
    assert result.facts["joint_p"].keys() == set(ITEMS)
    assert result.scale.name == "log"


def test_a_shifted_item_stands_out_and_others_don_t():
    def p_values(given_sample):
        return (
            ItemFunctioning(tuple("abcd"), Category("mode", "paper"), scale=4).estimate(given_sample).facts["joint_p"]
        )

    shifted, looser = p_values(people(1, shift=0.9)), p_values(people(2, load=0.3))
    assert shifted["d"] < 1e-6
    assert looser["d"] < 1e-3
    rejected = np.array([list(p_values(people(10 + seed, n=500)).values()) for seed in range(8)]) < 0.05
    assert rejected.mean() < 0.2  # nothing there: 32 tests at 5 %, and 99.9 % of binomial shares lie below 0.2


def test_groups_that_feel_differently_are_no_difference_of_the_items():
    # Half a standard deviation between the waves, in every item alike. With the rest score as it is, 38 % of such
    # tests reject and the log odds are 0.20 on average: three items measure the feeling with error.
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        later = np.arange(1000) % 2
        feeling = rng.normal(size=1000) + 0.5 * later
        latent = 0.8 * feeling[:, None] + 0.6 * rng.logistic(size=(1000, 4)) / 1.8
        frame = pd.DataFrame(1 + np.digitize(latent, [-0.8, 0.1, 1]), columns=list("abcd"))
        frame = frame.assign(stratum="s", weight=1.0, wave=np.where(later, "2024", "2021"))
        method = ItemFunctioning(tuple("abcd"), Category("wave", "2021"), scale=4)
        found.append(method.estimate(Sample(frame, SurveyDesign())).table.query("kind == 'uniform'"))
    table = pd.concat(found)
    assert abs(table["estimate"].mean()) < 0.1
    assert (table["p_value"] < 0.05).mean() < 0.25


def test_the_group_s_two_sides_mirror_each_other():
    result = BY_MODE.estimate(sample())
    turned = replace(BY_MODE, group=Category("mode", "online")).estimate(sample())
    close(turned.table["estimate"], -result.table["estimate"], rtol=1e-6, atol=1e-8)
    assert turned.facts["joint_p"]["park"] == pytest.approx(result.facts["joint_p"]["park"], rel=1e-6)


def test_who_did_not_answer_all_items_is_counted():
    result = BY_MODE.estimate(sample())
    assert result.counts.dropped == {"missing_answers": 9}
    assert "People who did not answer all items: 9; they are left out." in result.worded_notes("en")
    assert result.worded_notes("en")[0].startswith("4 items were each compared with the rest of the scale by mode;")


def test_items_of_different_length():
    longer = FRAME.assign(park=FRAME["park"].replace({4: 5}))
    method = ItemFunctioning(ITEMS, Category("mode", "paper"), scale={"night": 4, "park": 5, "worry": 4, "avoid": 4})
    assert len(method.estimate(sample(frame=longer)).table) == 8


def test_item_options_and_bad_answers():
    assert message(lambda: ItemFunctioning(("a", "mode"), Category("mode", "paper"), scale={"a": 4})) == (
        "With 2 items there is no rest of the scale to compare an item with. What to do: Name at least 3 items of one "
        "scale.\n"
        "Column mode: The answer that is to be explained is also among the terms. What to do: Take it out of the "
        "terms.\n"
        "Column mode: The number of points of this item is not given. What to do: Add it to scale."
    )
    equal = sample(frame=FRAME.assign(park=2, worry=2, avoid=2))
    assert message(lambda: BY_MODE.estimate(equal)) == (
        "Column night: All people give the same answers to the other items, so that this item cannot be compared with "
        "them. What to do: Check the codes of the other items."
    )
    off = sample(frame=FRAME.assign(park=FRAME["park"].replace(1, 7)))
    assert "Answers that are not on the scale 1, 2, 3 and 4" in message(lambda: BY_MODE.estimate(off))


# --- people who were asked before ---


def test_repeat_respondents_by_hand():
    frame = pd.DataFrame(
        {
            "wave": ["1"] * 2 + ["2"] * 4,
            "respondent_id": ["a", "b", "a", "b", "c", "d"],
            "stratum": "s",
            "weight": 1.0,
            "x": [1.0, 2.0, 5.0, 7.0, 1.0, 3.0],
        }
    )
    result = RepeatRespondents(Mean("x"), "1", "2").estimate(Sample(frame, SurveyDesign(wave="wave")))
    assert result.table["term"].tolist() == ["new", "repeat", "difference"]
    assert result.table["estimate"].tolist() == pytest.approx([2, 6, 4])
    # One stratum of four people: influences 1/2, -1/2 of each mean; 4/3 of the sum of squares.
    assert (result.table["std_error"] ** 2).tolist() == pytest.approx([2 / 3, 2 / 3, 4 / 3])
    assert result.table["n"].tolist() == [2, 2, 2]
    assert result.worded_notes("en")[0].startswith("People of 2 who were asked before, against new ones.")


def test_repeat_respondents_need_both_kinds():
    frame = FRAME.assign(respondent_id=np.arange(len(FRAME)))
    assert message(lambda: RepeatRespondents(NIGHT, "2018", "2024").estimate(sample(frame=frame))) == (
        "Column respondent_id, value “2024”: Nobody in this wave was asked before. What to do: Check whether people "
        "keep their label over the waves."
    )
    panel = FRAME.assign(respondent_id=FRAME.groupby("wave").cumcount())
    assert message(lambda: RepeatRespondents(NIGHT, "2018", "2024").estimate(sample(frame=panel))) == (
        "Column respondent_id, value “2024”: Everybody in this wave was asked before, so that there are no new people "
        "to compare with. What to do: This question cannot be answered with a closed panel."
    )
    assert message(lambda: RepeatRespondents(replace(NIGHT, by="age"), "1", "1", level=0)) == (
        "Value “0”: level = 0 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95.\n"
        "Value “1”: Baseline and compared wave are the same. What to do: Name two waves.\n"
        "Share divides the answers by further columns. What to do: Leave by out, or compare the people of one group "
        "(sample.where)."
    )


def test_repeat_respondents_are_those_of_the_share_by_group():
    frame = FRAME.assign(respondent_id=np.where(np.arange(len(FRAME)) % 3, np.arange(len(FRAME)) % 144, -1).astype(str))
    frame["respondent_id"] = frame["respondent_id"].mask(
        frame["respondent_id"] == "-1", "new" + frame.index.astype(str)
    )
    result = RepeatRespondents(NIGHT, "2018", "2024").estimate(sample(frame=frame)).table
    now = sample(frame=frame.assign(again=np.where(frame["respondent_id"].str.startswith("new"), 0, 1))).where(
        frame["wave"] == "2024"
    )
    apart = replace(NIGHT, by="again").estimate(now).table
    close(result["estimate"].iloc[:2], apart["estimate"])
    close(result["std_error"].iloc[:2], apart["std_error"])


# --- bounds ---


def test_bounds_by_hand():
    frame = pd.DataFrame(
        {"wave": ["1"] * 10 + ["2"] * 10, "stratum": "s", "weight": 1.0, "y": [1] * 6 + [0] * 4 + [1] * 5 + [0] * 5}
    )
    share = Share("y", (1,), scale=(0, 1))
    result = ResponseBounds(share, "1", "2", rates={"1": 0.5, "2": 0.4}, apart=0.2).estimate(
        Sample(frame, SurveyDesign(wave="wave"))
    )
    expected = {
        "change": -0.1,
        "apart_low": -0.1 - 0.2 * 1.1,
        "apart_high": -0.1 + 0.2 * 1.1,
        # A fifth of the first wave would not have answered the second: all unsafe (0.6 - 0.2) / 0.8, or all safe.
        "same_low": 0.5 - 0.6 / 0.8,
        "same_high": 0.5 - (0.6 - 0.2) / 0.8,
        "worst_low": 0.4 * 0.5 - 0.5 * 0.6 - 0.5,
        "worst_high": 0.4 * 0.5 - 0.5 * 0.6 + 0.6,
    }
    assert dict(zip(result.table["term"], result.table["estimate"], strict=True)) == pytest.approx(expected)
    assert result.facts["breakdown"] == pytest.approx(0.1 / 1.1)
    assert result.worded_notes("en")[0] == (
        "Response was 50% before and 40% after. If silent people differ by up to 20\N{NO-BREAK SPACE}percentage points "
        "from those who answered, the change lies between apart_low and apart_high; from a difference of "
        "9.1\N{NO-BREAK SPACE}percentage points on it could be zero."
    )


def test_bounds_as_in_r():
    # In R the share of respondents who answered is not differentiated by the weights, as here.
    result = BOUNDS.estimate(sample())
    for name in ("same_low", "same_high"):
        close(result.row(term=name)[["estimate", "std_error"]], list(RESULTS[name].values()))


@settings(deadline=None, max_examples=12)
@given(st.floats(0.05, 1), st.floats(0.05, 1), st.floats(0, 1))
def test_bounds_contain_the_change(first, second, apart):
    method = ResponseBounds(
        Share("park", (3, 4), scale=4), "2018", "2024", rates={"2018": first, "2024": second}, apart=apart
    )
    table = method.estimate(sample()).table.set_index("term")["estimate"]
    for name in ("apart", "same", "worst"):
        assert table[f"{name}_low"] <= table["change"] + 1e-12
        assert table[f"{name}_high"] >= table["change"] - 1e-12


def test_with_everybody_answering_there_is_nothing_to_bound():
    full = ResponseBounds(Share("park", (3, 4), scale=4), "2018", "2024", rates={"2018": 1.0, "2024": 1.0}).estimate(
        sample()
    )
    plain = Change(Share("park", (3, 4), scale=4), "2018", "2024").estimate(sample()).table.iloc[0]
    close(full.table["estimate"], [plain["estimate"]] * 7)
    close(full.table["std_error"], [plain["std_error"]] * 7)


def test_influences_of_bounds_are_those_of_small_changes_of_the_weights():
    given_sample, some = sample(PEOPLE, FRAME.dropna().reset_index(drop=True)), [0, 1, 50, 300, 420]
    steps = influences_by_steps(BOUNDS, given_sample, some)
    close(BOUNDS.estimate(given_sample).influence.values[some], steps, rtol=1e-5, atol=1e-9)


def test_rates_must_be_known():
    assert message(lambda: ResponseBounds(Share("y"), "1", "1", rates={"1": 40.0}, apart=2)) == (
        "Value “1”: Baseline and compared wave are the same. What to do: Name two waves.\n"
        "Share gives several numbers; an effect is that on one. What to do: Name one variable, and for a share the "
        "codes that count.\n"
        "Value “1”: The response rate of this wave is 40.0. What to do: Give a number above 0 and at most 1, for "
        "example 0.32.\n"
        "Value “1”: The response rate of this wave is 40.0. What to do: Give a number above 0 and at most 1, for "
        "example 0.32.\n"
        "ResponseBounds: apart = 2 is not allowed. What to do: Allowed: 0 <= apart <= 1."
    )


# --- questions without an answer ---


def test_nonresponse_by_item_and_wave():
    result = ItemNonresponse(("night", "park"), by="wave").estimate(sample())
    gaps = FRAME["night"].isna()
    shares = (FRAME["weight"] * gaps).groupby(FRAME["wave"]).sum() / FRAME.groupby("wave")["weight"].sum()
    night = result.table[result.table["variable"] == "night"]
    close(night["estimate"], shares)
    assert night["n"].tolist() == [144] * 3
    park = result.table[result.table["variable"] == "park"]
    assert park["estimate"].tolist() == [0, 0, 0]
    assert park["note"].eq("survey.note.all_same").all()
    assert result.worded_notes("en")[0] == "Share of those asked who gave no answer."


def test_a_question_that_was_not_put_is_no_silence():
    frame = FRAME.assign(
        victim=np.where(FRAME["person"] == 1, 1, 2),
        reported=np.where(FRAME["person"] == 1, np.where(FRAME["age"] == "old", 1.0, np.nan), np.nan),
        late=FRAME["park"].where(FRAME["wave"] == "2024"),
    )
    method = ItemNonresponse(("reported", "late"), by="wave", asked_if={"reported": ("victim", (1,))})
    result = method.estimate(sample(frame=frame))
    reported = result.table[result.table["variable"] == "reported"]
    assert reported["n"].tolist() == [48, 48, 48]
    assert reported["estimate"].between(0.3, 0.9).all()
    assert result.table.loc[result.table["variable"] == "late", "wave"].tolist() == ["2024"]
    assert "Not asked: late 2018 and late 2021." in result.worded_notes("en")


def test_nonresponse_codes_and_options():
    coded = sample(frame=FRAME.assign(night=FRAME["night"].fillna(9)))
    close(
        ItemNonresponse(("night",), no_answer=(9,)).estimate(coded).table["estimate"],
        ItemNonresponse(("night",)).estimate(sample()).table["estimate"],
    )
    assert message(lambda: ItemNonresponse(("a",), by="n", asked_if={"b": ("c", (1,))}, level=2)) == (
        "Column n: Domains cannot be made from a column with the name “n”, because results use it. What to do: Rename "
        "the column.\n"
        "Column b: asked_if names a question that is not among the items. What to do: Name the question in items, "
        "too.\n"
        "Value “2”: level = 2 is not a confidence level. What to do: Give a number between 0 and 1, for example 0.95."
    )
    empty = sample(frame=FRAME.assign(night=np.nan))
    assert "Column night: None of the 432 respondents answered." in message(
        lambda: ItemNonresponse(("night",)).estimate(empty)
    )
