"""Verdicts on survey answers: several questions together, points of a share, and what forbids a judgement."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation.agreement.register import template_agreement
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Counts, Draws, Estimates, Scale
from evaluation.findings.answers import answers_reasons, holm, judge_answers
from evaluation.findings.finding import Evidence
from evaluation.findings.reasons import Reason
from evaluation.findings.wording import verdict_sentence
from evaluation.study import Study

MEASURE = template_agreement().measures["A2"]
STUDY = Study(id="felt", outcome="unsafe", measure="A2", treated_since={"20": "2023-01", "21": "2023-01"})
KNOWN = Evidence(without_dose=())


def estimated(change=-0.08, p_value=0.01, detectable=0.1, smallest=0.001):
    row = {"term": "effect", "estimate": change, "std_error": np.nan, "df": np.inf, "statistic": np.nan}
    row |= {"p_value": p_value, "conf_low": change - 0.07, "conf_high": change + 0.07, "note": "no_std_error"}
    return Estimates(
        table=pd.DataFrame([row]),
        scale=Scale("identity", "percentage_points"),
        declaration=SimpleNamespace(),
        method=SimpleNamespace(),
        counts=Counts(observations=500, units=63, treated=2),
        draws=Draws(values=np.zeros((3, 1)), key=("a",)),
        facts={"detectable": detectable, "smallest_p": smallest},
    )


def judged(p_value=0.01, *, evidence=KNOWN, share_before=0.5, **fields):
    return judge_answers(
        STUDY,
        estimated(p_value=p_value, **fields),
        measure=MEASURE,
        evidence=evidence,
        share_before=share_before,
        p_value=p_value,
    )


def test_holm_by_hand():
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.6}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}
    assert holm({"only": 0.04}) == {"only": 0.04}


def test_the_same_question_is_established_alone_and_not_among_many():
    one, three = (judged(holm({"a": 0.03, **others})["a"]) for others in ({}, {"b": 0.5, "c": 0.8}))
    assert (one.verdict.kind, three.verdict.kind) == ("established", "not_shown")


def test_sentences_are_in_points_and_say_what_could_be_found():
    finding = judged(0.2)
    numbers = {"change": -0.08, "low": -0.15, "high": -0.01}
    assert verdict_sentence(finding, "de", basis="perceived", outcome="nachts unsicher", **numbers) == (
        "Eine Wirkung der Maßnahme ist nicht nachgewiesen (nachts unsicher: −8,0 Prozentpunkte; 95-%-Bereich: −15,0 "
        f"bis −1,0 Prozentpunkte; Belastbarkeit {finding.grade.level} von 5); erkennbar wäre eine Änderung ab 10 "
        "Prozentpunkten."
    )
    assert verdict_sentence(finding, "en", basis="perceived", outcome="unsafe at night", **numbers) == (
        "No effect of the measure is shown (unsafe at night: −8.0 percentage points; 95% interval: −15.0 to −1.0 "
        f"percentage points; reliability {finding.grade.level} of 5); a change of 10 percentage points or more could "
        "be detected."
    )


def test_what_could_only_find_more_than_a_typical_effect_is_not_judged():
    weak = judged(0.2, detectable=0.18)
    assert weak.verdict.kind == "not_assessable"
    assert verdict_sentence(weak, "de", basis="perceived", outcome="nachts unsicher") == (
        "Die Wirkung der Maßnahme (nachts unsicher) ist nicht beurteilbar, weil erst Änderungen ab etwa 18 "
        "Prozentpunkten erkennbar wären."
    )
    assert judged(0.2, detectable=0.18, share_before=0.8).verdict.kind == "not_shown"
    assert judged(0.01, detectable=0.18).verdict.kind == "established"


def test_no_judgement_without_dose_or_with_too_few_assignments():
    without = judged(evidence=Evidence(without_dose=("20", "21")))
    assert without.verdict.reasons == (Reason("no_dose"),)
    assert judged(evidence=Evidence()).verdict.reasons == (Reason("no_dose"),)
    few = judged(smallest=0.0625)
    assert few.verdict.reasons == (Reason("smallest_p", {"smallest_p": 0.0625, "level": 0.05}),)


def test_a_change_of_how_people_were_asked_lowers_the_grade():
    plain, asked = judged(), judged(evidence=Evidence(without_dose=(), breaks=("zuerst online",)))
    assert (plain.grade.level, asked.grade.level) == (2, 1)  # the earlier dose of A2 is not known
    assert asked.grade.reasons("de")[-1] == (
        "Um 1 gesenkt: Zwischen den verglichenen Befragungen hat sich geändert, wie gefragt wurde (zuerst online)."
    )
    before = judged(evidence=Evidence(without_dose=(), pre_trend=estimated(p_value=0.01)))
    assert [check.code for check in before.grade.lowered] == ["earlier_dose", "pre_trend"]


def test_reasons_of_errors():
    refused = DesignError(Problem("survey_items.not_comparable", reasons=["2024: neue Frage"]))
    assert answers_reasons(refused)[0].worded("de") == (
        "die Frage nicht beide Male vergleichbar gestellt wurde (2024: neue Frage)"
    )
    assert answers_reasons(DesignError(Problem("survey.no_answers")))[0].code == "no_estimate"
