"""The evidence grade: its start, what lowers it, and that nothing ever raises it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.findings.grade import CHECKS, DESIGNS, UNEXAMINED_FLOOR, Check, grade_of

VALUES = {"areas": ["20", "21"], "n": 2, "breaks": ["Online-Anzeige"], "dates": 3, "treated": 2}
designs = st.sampled_from(list(DESIGNS))
checks = st.lists(st.sampled_from(CHECKS), unique=True).flatmap(
    lambda codes: st.tuples(*(st.sampled_from([True, False, None]).map(lambda met, c=c: Check(c, met)) for c in codes))
)


@given(designs, checks)
def test_never_above_its_start_nor_below_one(design, made):
    assert 1 <= grade_of(design, made).level <= DESIGNS[design]


@given(designs, checks, st.sampled_from(CHECKS), st.sampled_from([True, False, None]))
def test_another_check_never_raises_it(design, made, code, met):
    fewer = [check for check in made if check.code != code]
    assert grade_of(design, [*fewer, Check(code, met)]).level <= grade_of(design, fewer).level


@given(designs, checks)
def test_a_check_that_turns_out_unmet_never_raises_it(design, made):
    for number, check in enumerate(made):
        worse = [*made[:number], Check(check.code, False), *made[number + 1 :]]
        assert grade_of(design, worse).level <= grade_of(design, made).level


@given(designs, checks)
def test_met_checks_leave_it(design, made):
    relevant = [check for check in made if check.met is not True]
    assert grade_of(design, relevant).level == grade_of(design, made).level


@given(st.permutations([Check(code, number % 2 == 0) for number, code in enumerate(CHECKS)]))
def test_the_order_of_checks_does_not_matter(made):
    assert grade_of("randomised", made) == grade_of("randomised", sorted(made, key=lambda c: CHECKS.index(c.code)))


@given(designs, checks)
def test_every_point_less_has_a_sentence(design, made):
    made = [Check(check.code, check.met, VALUES) for check in made]
    grade = grade_of(design, made)
    lost = DESIGNS[design] - grade.level
    assert lost == 0 or len(grade.reasons("de")) > 1
    assert len(grade.reasons("de")) == len(grade.reasons("en"))


def test_by_hand():
    assert grade_of("standardised", []).level == 4
    assert grade_of("standardised", [Check("pre_trend", None)]).level == UNEXAMINED_FLOOR == 3
    assert grade_of("standardised", [Check("pre_trend", None), Check("spillover", None)]).level == 3
    assert grade_of("standardised", [Check("pre_trend", None), Check("breaks", False)]).level == 3
    assert grade_of("randomised", [Check("spillover", None)]).level == 4
    assert grade_of("comparison", [Check("pre_trend", None), Check("breaks", False)]).level == 2
    assert grade_of("before_after", [Check(code, False) for code in CHECKS]).level == 1


def test_reasons_in_full():
    made = [
        Check("breaks", False, {"breaks": ("Online-Anzeige", "neuer Schlüssel")}),
        Check("pre_trend", None),
        Check("history", True, {"dates": 13}),
    ]
    grade = grade_of("randomised", made)
    assert grade.worded("de") == "Belastbarkeit: 3 von 5 (5 = am höchsten)"
    assert grade.reasons("de") == [
        "Ausgangswert 5 von 5: Gebiete oder Nächte mit Maßnahme wurden ausgelost.",
        "Um 1 gesenkt: Im untersuchten Zeitraum hat sich die Zählung geändert (Online-Anzeige und neuer Schlüssel).",
        "Um 1 gesenkt, aber nicht unter 3: Nicht geprüft ist, ob sich die Gebiete mit Maßnahme schon vor dem Beginn "
        "anders entwickelten.",
    ]
    assert grade.worded("en") == "Reliability: 3 of 5 (5 = highest)"
    assert grade.reasons("en")[2] == (
        "Lowered by 1, but not below 3: it has not been examined whether the areas with the measure already developed "
        "differently before the start."
    )
    assert len(grade_of("standardised", made).reasons("de")) == 2


def test_checks_are_known_and_given_once():
    with pytest.raises(
        ValueError, match=r"^check 'weather' is not one of dose, earlier_dose, breaks, asked, history, "
    ):
        Check("weather", True)
    with pytest.raises(ValueError, match=r"^a check is given twice: \['dose', 'dose'\]$"):
        grade_of("comparison", [Check("dose", True), Check("dose", False)])
