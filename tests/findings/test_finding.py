"""Verdict, grade and contrast of a finding, from what is known of a study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.agreement.register import template_agreement
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.findings.finding import Evidence, design_of, events_that_touch, judge, not_judged
from evaluation.findings.reasons import Reason, reasons_of_error
from evaluation.findings.verdict import LARGEST_TYPICAL, verdict_of
from tests.findings.made import PATROLS, ZONE, estimates, measure

DOSED = Evidence(without_dose=())


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def unmet(finding):
    return [check.code for check in finding.grade.lowered]


@pytest.mark.parametrize(
    ("result", "kind", "reasons"),
    [
        (estimates(p_value=0.05), "established", []),
        (estimates(p_value=0.0500001), "not_shown", []),
        (estimates(p_value=0.4, detectable=LARGEST_TYPICAL), "not_shown", []),
        (estimates(p_value=0.4, detectable=0.231), "not_assessable", ["too_weak"]),
        (estimates(p_value=0.4, detectable=np.nan), "not_shown", []),
        (estimates(p_value=0.04, detectable=0.6), "established", []),
        (estimates(p_value=0.0625, smallest_p=0.0625), "not_assessable", ["smallest_p"]),
        (estimates(p_value=0.05, smallest_p=0.05), "established", []),
        (estimates(p_value=np.nan), "not_assessable", ["no_estimate"]),
        (None, "not_assessable", ["no_estimate"]),
    ],
)
def test_verdict(result, kind, reasons):
    verdict = verdict_of(result)
    assert (verdict.kind, codes(verdict)) == (kind, reasons)


def test_a_given_reason_forbids_a_judgement_however_small_p_is():
    verdict = verdict_of(estimates(p_value=0.0001), reasons=[Reason("no_dose")])
    assert (verdict.kind, codes(verdict)) == ("not_assessable", ["no_dose"])


def test_without_a_dose_no_effect_is_claimed():
    for evidence in (None, Evidence(), Evidence(without_dose=PATROLS.treated)):
        finding = judge(PATROLS, estimates(p_value=0.0001), measure=measure(), evidence=evidence)
        assert (finding.verdict.kind, codes(finding.verdict)) == ("not_assessable", ["no_dose"])
        assert "dose" in unmet(finding)


def test_a_dose_in_some_areas_lowers_the_grade():
    result = estimates(pre_trend_p=0.5)
    some = judge(PATROLS, result, measure=measure(), evidence=Evidence(without_dose=("90",)))
    full = judge(PATROLS, result, measure=measure(), evidence=DOSED)
    assert some.verdict.kind == full.verdict.kind == "established"
    assert some.grade.level == full.grade.level - 1
    assert some.grade.reasons("de")[1] == (
        "Um 1 gesenkt: Nicht für alle Gebiete ist belegt, wie viel geleistet wurde (es fehlen: 90)."
    )


def test_an_event_needs_no_dose():
    finding = judge(ZONE, estimates(study=ZONE))
    assert (finding.verdict.kind, finding.contrast) == ("established", "event")
    assert {check.code for check in finding.grade.checks}.isdisjoint({"dose", "earlier_dose"})


def test_contrast_is_the_increase_where_the_measure_existed_before():
    assert judge(PATROLS, estimates(), measure=measure(existed_before=True), evidence=DOSED).contrast == "increase"
    assert judge(PATROLS, estimates(), measure=measure(existed_before="unknown"), evidence=DOSED).contrast == "measure"


@pytest.mark.parametrize(
    ("existed", "baseline", "lowered"),
    [(False, None, False), (True, 100.0, False), (True, None, True), ("unknown", None, True)],
)
def test_an_unknown_earlier_dose_lowers_the_grade(existed, baseline, lowered):
    row = measure(existed_before=existed, baseline_dose=baseline)
    finding = judge(PATROLS, estimates(), measure=row, evidence=DOSED)
    assert ("earlier_dose" in unmet(finding)) == lowered


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"result": estimates(history_dates=5)}, "history"),
        ({"result": estimates(asymptotic=True)}, "inference"),
        ({"result": replace(estimates(asymptotic=True), influence=None)}, "inference"),  # derived levels
        ({"result": estimates(pre_trend_p=0.01)}, "pre_trend"),
        ({"evidence": Evidence(without_dose=(), pre_trend=estimates(pre_trend_p=0.04))}, "pre_trend"),
        ({"evidence": Evidence(without_dose=(), breaks=("Online-Anzeige",))}, "breaks"),
        ({"evidence": Evidence(without_dose=(), spillover=False)}, "spillover"),
        (
            {"evidence": Evidence(without_dose=(), sensitivities={"after 24": estimates(p_value=0.2)})},
            "specification",
        ),
    ],
)
def test_what_is_not_met_lowers_the_grade(change, code):
    passed = {"pre_trend_p": 0.5}
    good = judge(PATROLS, estimates(**passed), measure=measure(), evidence=DOSED)
    result = change.get("result", estimates(**passed))
    finding = judge(PATROLS, result, measure=measure(), evidence=change.get("evidence", DOSED))
    assert (good.grade.level, unmet(good)) == (4, [])
    assert unmet(finding) == [code]
    assert finding.grade.level <= 3


def test_specifications_agree_when_all_say_the_same():
    same = Evidence(without_dose=(), sensitivities={"a": estimates(p_value=0.04), "b": estimates(change=-0.3)})
    assert "specification" not in unmet(judge(PATROLS, estimates(), measure=measure(), evidence=same))
    other_sign = Evidence(without_dose=(), sensitivities={"a": estimates(change=0.3)})
    assert "specification" in unmet(judge(PATROLS, estimates(), measure=measure(), evidence=other_sign))


@pytest.mark.parametrize(
    ("result", "randomised", "design"),
    [
        (estimates(), True, "randomised"),
        (estimates(), False, "standardised"),
        (estimates(history_dates=1), False, "comparison"),
        (estimates(study=ZONE), False, "comparison"),
        (estimates(units=5), False, "before_after"),
    ],
)
def test_design(result, randomised, design):
    assert design_of(result, randomised=randomised) == design


def test_errors_become_reasons():
    error = DesignError(
        Problem("core.panel_no_before", study="s", unit="20", since="2019"),
        Problem("core.panel_no_before", study="s", unit="21", since="2019"),
        Problem("core.panel_no_comparison", study="s"),
    )
    finding = judge(PATROLS, None, measure=measure(), evidence=DOSED, reasons=reasons_of_error(error))
    assert codes(finding.verdict) == ["no_before", "no_comparison"]
    assert finding.grade is None
    assert finding.effect is None
    assert codes_of(EstimationError(Problem("core.something_new"))) == ["no_estimate"]


def codes_of(error):
    return [reason.code for reason in reasons_of_error(error)]


def test_measures_without_a_study():
    measures = template_agreement().measures
    nothing = not_judged(measures["A6"], delivered=())
    assert nothing.verdict.reasons == (Reason("no_data", {"tables": ("deployments", "incidents")}), Reason("no_study"))
    counts = not_judged(measures["A6"], delivered={"counts"})
    assert counts.verdict.reasons == (Reason("no_data", {"tables": ("deployments",)}), Reason("no_study"))
    everything = not_judged(measures["A6"], delivered={"deployments", "incidents"}, dosed=True)
    assert codes(everything.verdict) == ["no_study"]
    undosed = not_judged(measures["A6"], delivered={"deployments", "incidents"})
    assert codes(undosed.verdict) == ["no_dose", "no_study"]
    assert codes(not_judged(measures["D2"], delivered={"decisions"}, dosed=True).verdict) == ["not_computed"]


def test_every_measure_of_the_register_says_why_it_cannot_be_judged():
    for row in template_agreement().measures.values():
        finding = not_judged(row, delivered={"areas", "inhabitants", "counts"})
        assert finding.verdict.kind == "not_assessable"
        assert "no_data" in codes(finding.verdict)


def test_events_that_touch_an_outcome():
    def event(name, start, kind, outcomes="", areas=""):
        return {"event": name, "start": pd.Timestamp(start), "kind": kind, "outcomes": outcomes, "areas": areas}

    events = pd.DataFrame(
        [
            event("online", "2022-07-01", "recording", outcomes="graffiti street_crime"),
            event("all", "2022-08-01", "recording"),
            event("other", "2022-07-01", "recording", outcomes="noise"),
            event("law", "2022-07-01", "law"),
            event("named_law", "2022-07-01", "law", outcomes="street_crime"),
            event("elsewhere", "2022-07-01", "recording", areas="95"),
            event("here", "2022-07-01", "survey", areas="95 20"),
            event("pandemic", "2022-01-01", "confounder"),
            event("early", "2019-01-01", "recording"),
            event("late", "2025-01-01", "recording"),
            event("first_day", "2021-01-01", "recording"),
            event("last_month", "2024-12-31", "recording"),
        ]
    )
    found = events_that_touch(events, PATROLS, first="2021-01", last="2024-12")
    assert found["event"].tolist() == ["online", "all", "named_law", "here", "last_month"]
    own = pd.DataFrame([event("weapons_ban_zone", "2018-11-05", "law", outcomes="bodily_harm")])
    assert events_that_touch(own, ZONE, first="2017", last="2019").empty
