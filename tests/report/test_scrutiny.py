"""What an effect hangs on: the numbers are those of the checks, and each has its sentence."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation import Panel, Share, SurveyDesign, TwoByTwo
from evaluation.diagnostics import leave_one_out, pre_trends, regression_to_the_mean
from evaluation.did.reporting import reporting_adjusted, reporting_change
from evaluation.report.annual.scrutiny import scrutiny as sentences_of
from evaluation.report.material.reporting import REPORTED, Reporting, reporting
from evaluation.report.material.scrutiny import Scrutiny, scrutiny
from evaluation.sample import Sample
from evaluation.simulate import example_panel
from evaluation.study import Study
from tests.diagnostics.made import poisson_panel
from tests.report.made import ABOUT, Words, alone, context, effect, published

PATROLS = TwoByTwo(before=3, after=1)


def said(found: Scrutiny, language: str = "de", **fields) -> list[str]:
    blocks = sentences_of(Words(language), effect(scrutiny=found, **fields))
    return list(blocks[1].items) if blocks else []


# --- numbers ---


def outcomes(kind="registered"):
    return {"simulated": SimpleNamespace(kind=kind), "o": SimpleNamespace(kind=kind)}


def test_the_numbers_are_those_of_the_checks():
    panel = example_panel()
    estimates = PATROLS.estimate(panel)
    found = scrutiny(context(outcomes=outcomes(), items={}), panel, PATROLS, estimates, ABOUT, level=0.05)
    left_out, trend = leave_one_out(panel, PATROLS), pre_trends(panel)
    assert found.left_out.cell(what="lowest").value == np.expm1(left_out.table["estimate"].min())
    assert found.left_out.cell(what="highest").value == np.expm1(left_out.table["estimate"].max())
    assert found.left_out_count.cell(what="all").value == 3
    assert found.left_out_count.cell(what="unsure").value == (left_out.table["p_value"] > 0.05).sum()
    assert found.trend.cell(what="detectable").value == np.expm1(trend.facts["detectable_slope"])
    assert found.trend.cell(what="bias").value == np.expm1(trend.facts["detectable_bias"])
    assert found.trend.cell(what="slope").p_value == trend.row(term="slope")["p_value"]
    back = regression_to_the_mean(panel, PATROLS)
    assert found.return_.cells()[0].value == np.expm1(back.row(term="placebo_risers_naive")["estimate"])
    assert found.return_count.cells()[0].value == 3
    explains = found.reporting.explains
    assert explains.cell(what="vanishes").value == estimates.facts["vanishes_if_reporting"]
    assert [p.id for p in found.results] == [
        "study.x.leave_one_out",
        "study.x.leave_one_out_number",
        "study.x.trend",
        "study.x.risers",
        "study.x.risers_number",
        "study.x.reporting",
    ]


def test_which_area_was_left_out_is_not_told_and_few_cases_of_one_are_hidden():
    panel = poisson_panel(treated_since={"a": "2019", "b": "2019"})
    counts = panel.frame.assign(outcome=panel.frame["outcome"].where(panel.frame["unit"] != "a", 0.0))
    counts.loc[(counts["unit"] == "a") & counts["period"].isin(["2010", "2019"]), "outcome"] = 2.0
    few = Panel(counts, panel.study)
    found = scrutiny(context(outcomes=outcomes(), items={}), few, PATROLS, PATROLS.estimate(few), ABOUT, level=0.05)
    assert found.left_out.frame["suppressed"].tolist() == [True, True]
    assert not set("ab") & set(found.left_out.frame["what"])
    assert not any("Lässt man" in words for words in said(found))


def test_one_area_with_the_measure_cannot_be_left_out():
    panel = poisson_panel(treated_since={"a": "2019"})
    estimates = PATROLS.estimate(panel)
    found = scrutiny(context(outcomes=outcomes(), items={}), panel, PATROLS, estimates, ABOUT, level=0.05)
    assert (found.left_out, found.left_out_count) == (None, None)
    assert found.trend is not None


# --- reporting ---

STUDY = Study(id="s", outcome="o", measure="A2", period="month", treated_since={"00": "2023-01", "01": "2023-05"})
WAVES = {"2018": "2018-10-01", "2021": "2021-10-01", "2023": "2023-03-01", "2024": "2024-10-01"}


def victims(per_area: int) -> pd.DataFrame:
    """Victims by area and wave; every second reports, every third of the areas with the measure in the last wave."""
    rows = [
        (wave, area, 1 + (number % (3 if wave == "2024" and area in STUDY.treated else 2) > 0))
        for wave in WAVES
        for area in ("00", "01", "02", "03", "04", "05")
        for number in range(per_area)
    ]
    frame = pd.DataFrame(rows, columns=["wave", "area", "f10"]).assign(weight=1.0)
    return frame.assign(stratum=frame["wave"])


def asking(per_area: int, **fields):
    """Return the context of a project whose survey asks victims."""
    frame = victims(per_area)
    survey = SimpleNamespace(waves={id_: SimpleNamespace(date=day) for id_, day in WAVES.items()})
    return context(
        **{
            "outcomes": outcomes(),
            "items": {REPORTED: SimpleNamespace(column="f10", unsafe=(1,), scale=2)},
            "surveys": {"safety": survey},
            "sample": lambda: Sample(frame, SurveyDesign(wave="wave")),
            "table": lambda _: frame,
            "has": lambda _: True,
            "source": lambda table, _: table,
            **fields,
        }
    )


def registered():
    panel = example_panel()
    return PATROLS.estimate(panel)


def test_the_last_wave_before_the_first_start_is_compared_with_the_last_after_all_starts():
    found = reporting(asking(30), STUDY, registered(), ABOUT, cases=900)
    assert found.waves == ("2021", "2024")
    sample = Sample(victims(30).assign(treated=lambda f: f["area"].isin(STUDY.treated)), SurveyDesign(wave="wave"))
    both = sample.where(sample.frame["wave"].isin(["2021", "2024"]))
    shares = Share("f10", (1,), by=("treated", "wave"), scale=2).estimate(both)
    change = reporting_change(shares, group="treated", wave="wave", baseline="2021", later="2024")
    adjusted = reporting_adjusted(registered(), change)
    cell = found.surveyed.cell(what="effect")
    row = adjusted.row(term="effect")
    assert [cell.value, cell.conf_low, cell.conf_high] == [
        np.expm1(row[name]) for name in ("estimate", "conf_low", "conf_high")
    ]
    assert found.surveyed.cell(what="rate").value == pytest.approx((20 / 60) / (30 / 60) - 1)
    assert found.surveyed.source == "Polizei; respondents"


def test_a_survey_with_few_victims_says_nothing():
    found = reporting(asking(14), STUDY, registered(), ABOUT, cases=900)
    assert found.surveyed.frame["suppressed"].all()
    (words,) = said(Scrutiny(reporting=found))[2:]
    assert words == (
        "Ob sich die Anzeigequote dort von 2021 bis 2024 geändert hat, lässt sich nicht sagen: Zu wenige Opfer haben "
        "geantwortet."
    )


def test_without_a_survey_that_asks_only_the_explaining_change_is_known():
    assert reporting(asking(30, items={}), STUDY, registered(), ABOUT, cases=900).surveyed is None
    assert reporting(asking(30, has=lambda _: False), STUDY, registered(), ABOUT, cases=900).surveyed is None


def test_reporting_explains_no_operations():
    assert reporting(asking(30, outcomes=outcomes("operational")), STUDY, registered(), ABOUT, cases=900) is None


# --- sentences ---


@pytest.mark.parametrize(
    ("unsure", "ending"),
    [
        (0, " und bleibt jedes Mal statistisch gesichert."),
        (1, "; in einer dieser Rechnungen ist sie nicht mehr statistisch gesichert."),
        (3, "; in drei dieser Rechnungen ist sie nicht mehr statistisch gesichert."),
    ],
)
def test_left_out_in_words(unsure, ending):
    found = Scrutiny(
        left_out=published(lowest=-0.177, highest=-0.11), left_out_count=published("number", all=6, unsure=unsure)
    )
    start = (
        "Lässt man jeweils eines der sechs Gebiete mit Maßnahme weg, liegt die Änderung zwischen −17,7 % und −11,0 %"
    )
    assert said(found)[0].replace("\N{NO-BREAK SPACE}", " ") == start + ending
    assert said(found, verdict="not_shown")[0].replace("\N{NO-BREAK SPACE}", " ") == f"{start}."


@pytest.mark.parametrize(
    ("slope", "bias", "fields", "words"),
    [
        (
            (0.004, None, None, 0.6),
            0.4,
            {},
            "Hätten sich Gebiete mit Maßnahme und Vergleichsgebiete schon vor dem Beginn "
            "auseinanderentwickelt, wäre das "
            "erst ab etwa 3,1 % je Monat verlässlich aufgefallen; schon so viel könnte die ganze Wirkung erklären.",
        ),
        (
            (0.004, None, None, 0.6),
            0.05,
            {},
            "Hätten sich Gebiete mit Maßnahme und Vergleichsgebiete schon vor dem Beginn "
            "auseinanderentwickelt, wäre das "
            "erst ab etwa 3,1 % je Monat verlässlich aufgefallen; so viel könnte nur einen Teil der Wirkung erklären.",
        ),
        (
            (0.004, None, None, 0.6),
            0.4,
            {"verdict": "not_shown", "event": True},
            "Hätten sich betroffene Gebiete und Vergleichsgebiete schon vor dem Ereignis "
            "auseinanderentwickelt, wäre das "
            "erst ab etwa 3,1 % je Monat verlässlich aufgefallen.",
        ),
        (
            (-0.02, None, None, 0.01),
            0.4,
            {},
            "Schon vor dem Beginn entwickelten sich Gebiete mit Maßnahme und Vergleichsgebiete auseinander, um etwa "
            "2,0 % je Monat (statistisch gesichert); das schwächt das Ergebnis.",
        ),
    ],
)
def test_trends_before_the_start_in_words(slope, bias, fields, words):
    values = [np.nan if value is None else value for value in slope]
    found = Scrutiny(trend=published(slope=values, detectable=0.031, bias=bias))
    assert said(found, **fields)[0].replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("change", "bias", "enough"), [(-0.2, 0.24, False), (-0.2, 0.26, True), (0.2, 0.19, False), (0.2, 0.21, True)]
)
def test_a_trend_explains_an_effect_that_is_no_larger_as_a_ratio(change, bias, enough):
    found = Scrutiny(trend=published(slope=[0.0, np.nan, np.nan, 0.9], detectable=0.01, bias=bias))
    assert ("ganze Wirkung" in said(found, change=change)[0]) == enough


def test_the_naive_comparison_and_the_risers_in_words():
    found = Scrutiny(return_=alone(-0.277), return_count=alone(6, "number"))
    (words,) = said(found)
    assert words.replace("\N{NO-BREAK SPACE}", " ") == (
        "Ohne Bereinigung um die Rückkehr zum üblichen Niveau hätte der Vergleich −17,5 % statt −14,0 % ergeben. Wie "
        "stark Zahlen von selbst sinken, zeigen frühere Zeitpunkte ohne Maßnahme: Die 6 Gebiete mit dem "
        "stärksten Anstieg "
        "hatten danach im Mittel 27,7 % weniger Fälle als zuvor, gemessen an den übrigen."
    )
    assert "Das Gebiet mit dem" in said(Scrutiny(return_=alone(-0.277), return_count=alone(1, "number")))[0]
    assert "von selbst" not in said(Scrutiny(return_=alone(0.1), return_count=alone(6, "number")))[0]


def test_what_reporting_would_explain_in_words():
    found = Scrutiny(reporting=Reporting(explains=published(vanishes=-0.14, indistinct=-0.014)))
    assert said(found)[-1].replace("\N{NO-BREAK SPACE}", " ") == (
        "Weniger Fälle können auch heißen, dass weniger angezeigt wurde: Der Unterschied verschwände, "
        "wenn in den Gebieten "
        "mit Maßnahme die Anzeigequote gegenüber den Vergleichsgebieten um 14,0 % gesunken wäre (etwa von "
        "50 auf 43 von je "
        "100 Taten); nicht mehr statistisch gesichert wäre er schon ab 1,4 %."
    )
    assert said(found, language="en")[-1] == (
        "Fewer cases can also mean that fewer offences were reported: the difference would vanish if, in "
        "the areas with "
        "the measure, the share of offences that is reported had fallen by 14.0% compared with the "
        "comparison areas (from "
        "50 to 43 in every 100 offences, for example); from 1.4% on it would no longer be statistically established."
    )
    assert not any("Anzeigequote" in words for words in said(found, verdict="not_shown"))


@pytest.mark.parametrize(("vanishes", "example"), [(0.2, " (etwa von 50 auf 60 von je 100 Taten)"), (1.5, "")])
def test_more_cases_may_be_more_reports(vanishes, example):
    found = Scrutiny(reporting=Reporting(explains=published(vanishes=vanishes, indistinct=0.05)))
    words = said(found, change=vanishes)[-1].replace("\N{NO-BREAK SPACE}", " ")
    assert words.startswith(
        "Mehr Fälle können auch heißen, dass mehr angezeigt wurde: Der Unterschied verschwände, wenn"
    )
    assert f"gestiegen wäre{example}; nicht mehr" in words


@pytest.mark.parametrize(
    ("p_value", "ending"), [(0.4, "und ist nicht statistisch gesichert."), (0.01, "und bleibt statistisch gesichert.")]
)
def test_the_effect_less_the_surveyed_change_of_reporting_in_words(p_value, ending):
    surveyed = published(name="s", rate=[-0.118, -0.353, 0.201, 0.3], effect=[-0.025, -0.304, 0.368, p_value])
    found = Reporting(explains=published(vanishes=-0.14, indistinct=-0.014), surveyed=surveyed, waves=("2021", "2024"))
    assert said(Scrutiny(reporting=found))[-1].replace("\N{NO-BREAK SPACE}", " ") == (
        "Nach der Befragung hat sich die Anzeigequote (Straftaten aller Art) dort von 2021 bis 2024 "
        "gegenüber den übrigen "
        "Gebieten um −11,8 % geändert (95-%-Bereich: −35,3 % bis +20,1 %). Rechnet man das heraus, "
        "beträgt die Änderung "
        f"−2,5 % (95-%-Bereich: −30,4 % bis +36,8 %) {ending}"
    )


def test_nothing_is_examined_where_the_question_cannot_be_answered():
    assert sentences_of(Words(), effect(verdict="not_assessable")) == []
