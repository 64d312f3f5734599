"""The one result: no unexplained gap, no infinity, no zero standard error; shown as the reader sees it."""

import numpy as np
import pandas as pd
import pytest

from evaluation import Estimates, Study
from evaluation.estimates import Counts, Note, Scale

STUDY = Study(id="s", outcome="o", event="e", treated_since={"a": "2018"}, period="year")


def result(scale="log", notes=(), **changes):
    row = {
        "term": "effect", "estimate": np.log(0.8), "std_error": 0.1, "df": np.inf, "statistic": -2.2, "p_value": 0.03,
        "conf_low": np.log(0.7), "conf_high": np.log(0.9), "note": "",
    }  # fmt: skip
    return Estimates(
        table=pd.DataFrame([row | changes]),
        scale=Scale(scale),
        declaration=STUDY,
        method=None,
        counts=Counts(observations=2, units=2, treated=1, dropped={}),
        notes=notes,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p_value": np.nan}, "a number is missing without a note"),
        ({"conf_low": -np.inf}, "an estimate is infinite"),
        ({"std_error": 0.0}, "a standard error is not above zero"),
    ],
)
def test_mistakes_of_an_estimator_are_caught(changes, message):
    with pytest.raises(ValueError, match=message):
        result(**changes)


def test_a_gap_with_a_note_is_fine_and_is_worded():
    one = result(std_error=np.nan, statistic=np.nan, note="no_std_error", notes=(Note("core.note.unbounded"),))
    assert one.worded_notes("en") == [
        "The range is open on at least one side.",
        "The intervals come from the comparison with areas and years without the measure.",
    ]


def test_display_transforms_estimate_and_interval_only():
    shown = result().display().iloc[0]
    assert shown[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx([0.8, 0.7, 0.9])
    assert shown["std_error"] == 0.1
    assert Scale("logit").display(0.0) == 0.5
    assert Scale().display(3.0) == 3.0


def test_rows_by_key_and_text_that_repeats():
    one = result()
    assert one.keys == ["term"]
    assert one.row(term="effect")["p_value"] == 0.03
    with pytest.raises(KeyError):
        one.row(term="other")
    assert repr(one) == repr(result())


def test_one_sentence_then_the_table_in_three_forms():
    one = result(term="<b>|effect")
    assert repr(one).splitlines()[0] == "NoneType: 1 estimate from 2 units, 1 of them treated."
    assert "| <b>\\|effect | 0.8 | 0.7 | 0.9 | 0.03 |" in one._repr_markdown_()
    assert "&lt;b&gt;|effect" in one._repr_html_()
    assert "color" not in one._repr_html_(), "the page decides on colours, a dark one too"
    assert one._repr_html_() == result(term="<b>|effect")._repr_html_()


def test_a_level_is_shown_with_its_number_of_answers_and_without_a_test():
    one = result(scale="identity", n=45)
    share = Estimates(**(vars(one) | {"scale": Scale("identity", "share")}))
    assert list(one._shown()) == ["term", "n", "estimate", "conf_low", "conf_high", "p_value"]
    assert list(share._shown()) == ["term", "n", "estimate", "conf_low", "conf_high"]
