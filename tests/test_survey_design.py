import pytest

from evaluation import DesignError, SurveyDesign


def test_defaults_are_the_columns_of_the_respondents_table():
    design = SurveyDesign()
    assert design.columns == ("weight", "stratum")
    assert design.stages == ()


def test_columns_are_named_once_and_in_order():
    design = SurveyDesign(weights="w", strata=("s", "t"), psu=("a", "b"), fpc=("n", "m"), wave="w")
    assert design.columns == ("w", "s", "t", "a", "b", "n", "m")


def test_all_problems_come_in_one_error():
    with pytest.raises(DesignError) as caught:
        SurveyDesign(lonely="guess", psu="block", fpc=("blocks", "people"), strata=("a", "b"), overlap=True)
    assert str(caught.value) == (
        "Value “guess”: lonely = “guess” is not allowed. "
        "What to do: Allowed: fail, adjust, average, remove and certainty.\n"
        "Columns for the finite population correction: 2; stages of selection: 1. "
        "What to do: Give one column for each stage, or none. For a stage drawn with replacement, fill its "
        "column with an infinite size.\n"
        "Columns of strata: 2; stages of selection: 1. "
        "What to do: Give at most one column for each stage. Strata that cross need one column with their "
        "combinations.\n"
        "overlap is set, but the design does not say which units are the same in several waves. "
        "What to do: Name the column of the units (psu) and that of the wave (wave)."
    )


def test_a_design_is_a_value():
    assert SurveyDesign(psu="block") == SurveyDesign(psu="block")
    with pytest.raises(AttributeError):
        SurveyDesign().lonely = "adjust"
