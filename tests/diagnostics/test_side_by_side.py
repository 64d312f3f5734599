"""Estimators side by side: each row is what the estimator says alone; what is not possible is said and kept."""

import numpy as np
import pytest

from evaluation import DesignError, EstimationError, Imputation, Randomization, SyntheticControl, TwoByTwo
from evaluation.diagnostics import side_by_side
from tests.diagnostics.made import poisson_panel

QUICK = Randomization(draws=199)
TWO = TwoByTwo(before=3, after=1, inference=QUICK)
NUMBERS = ["estimate", "p_value", "conf_low", "conf_high"]


def test_rows_are_what_each_estimator_says_alone():
    panel = poisson_panel(effect=0.7)
    other = Imputation(before=3, after=1, inference=QUICK)
    result = side_by_side(panel, {"declared": TWO, "imputation": other})
    for name, method in (("declared", TWO), ("imputation", other)):
        alone = method.estimate(panel)
        row = result.row(specification=name, term="effect")
        assert row[NUMBERS].tolist() == pytest.approx(alone.row(term="effect")[NUMBERS].tolist())
        textbook = result.row(specification=name, term="unadjusted")["estimate"]
        assert textbook == pytest.approx(alone.row(term="unadjusted")["estimate"])
        assert result.facts["detectable_by"][name] == alone.facts["detectable"]
        assert result.facts["p_by"][name] == alone.row(term="effect")["p_value"]
    effects = result.table.loc[result.table["term"] == "effect", "estimate"]
    assert (result.facts["lowest"], result.facts["highest"]) == (effects.min(), effects.max())
    assert result.method == TWO


def test_what_is_not_possible_keeps_its_row_and_says_why():
    panel = poisson_panel()
    result = side_by_side(panel, {"declared": TWO, "synthetic": SyntheticControl(before=30, inference=QUICK)})
    row = result.row(specification="synthetic", term="effect")
    assert np.isnan(row["estimate"])
    assert row["note"] == "diagnostics.note.not_estimated"
    assert "SyntheticControl braucht 30 Perioden vor dem Beginn 2019; es gibt 9." in result.worded_notes("de")


def test_the_declared_one_must_be_possible():
    with pytest.raises(DesignError, match="TwoByTwo needs 30 periods before the start 2019; there are 9"):
        side_by_side(poisson_panel(), {"declared": TwoByTwo(before=30), "other": TWO})


def test_cases_do_not_stand_beside_ratios():
    with pytest.raises(EstimationError) as caught:
        side_by_side(poisson_panel(), {"declared": TWO, "cases": TwoByTwo(before=3, after=1, scale="levels")})
    assert caught.value.worded("en") == (
        'cases gives no ratio; what stands side by side here are changes in percent. What to do: Set scale = "ratio".'
    )
