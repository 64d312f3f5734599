"""The sentences of findings, in full, and the words that they must not use."""

import tomllib
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from evaluation.agreement.register import template_agreement
from evaluation.findings.finding import Evidence, judge, not_judged
from evaluation.findings.grade import CHECKS, DESIGNS
from evaluation.findings.proposal import CODES, Proposal, done_share, propose
from evaluation.findings.reasons import Reason, join_reasons
from evaluation.findings.verdict import KINDS
from evaluation.findings.wording import cautions, interval_in_words, verdict_label, verdict_sentence, verdict_text_key
from evaluation.texts import template
from tests.findings.made import PATROLS, ZONE, estimates, measure

DOSED = Evidence(without_dose=())
NUMBERS = {"change": -0.123, "low": -0.201, "high": -0.038}


def patrols(*, existed=False, evidence=DOSED, **values):
    return judge(PATROLS, estimates(**values), measure=measure(existed_before=existed), evidence=evidence)


def plain(words):
    return words.replace("\N{NO-BREAK SPACE}", " ")


def said(finding, language="de", **values):
    given = {"outcome": {"de": "Straßenkriminalität", "en": "street crime"}[language], **NUMBERS, **values}
    return plain(verdict_sentence(finding, language, **given))


def test_an_established_effect():
    assert said(patrols()) == (
        "In den Gebieten mit Maßnahme wurden 12,3 % weniger Fälle (Straßenkriminalität) registriert, als ohne die "
        "Maßnahme "
        "zu erwarten gewesen wären (95-%-Bereich: −20,1 % bis −3,8 %; Belastbarkeit 3 von 5)."
    )
    assert said(patrols(), "en") == (
        "In the areas with the measure, 12.3% fewer cases (street crime) were registered than would have been expected "
        "without the measure (95% interval: −20.1% to −3.8%; reliability 3 of 5)."
    )
    assert plain(verdict_label(patrols(), "de")) == "statistisch gesichert (Irrtumsgrenze 5 %)"


def test_the_increase_of_a_measure_that_existed_before():
    assert said(patrols(existed=True)) == (
        "In den Gebieten mit verstärkter Maßnahme wurden 12,3 % weniger Fälle (Straßenkriminalität) registriert, "
        "als ohne die "
        "Verstärkung zu erwarten gewesen wären (95-%-Bereich: −20,1 % bis −3,8 %; Belastbarkeit 3 von 5)."
    )


def test_more_cases_than_expected_after_an_event():
    finding = judge(ZONE, estimates(study=ZONE, change=0.147))
    assert said(finding, outcome="Körperverletzung", change=0.147, low=0.02, high=0.29) == (
        "In den betroffenen Gebieten wurden 14,7 % mehr Fälle (Körperverletzung) registriert, als nach der "
        "Entwicklung der "
        "Vergleichsgebiete zu erwarten gewesen wären (95-%-Bereich: +2,0 % bis +29,0 %; Belastbarkeit 3 von 5)."
    )


def test_answers_and_operations():
    numbers = {"change": -0.032, "low": -0.06, "high": -0.004}
    share = said(patrols(), basis="perceived", outcome="fühlt sich nachts unsicher", **numbers)
    assert share == (
        "In den Gebieten mit Maßnahme lag der Anteil (fühlt sich nachts unsicher) um 3,2 Prozentpunkte niedriger, "
        "als ohne die "
        "Maßnahme zu erwarten gewesen wäre (95-%-Bereich: −6,0 bis −0,4 Prozentpunkte; Belastbarkeit 3 von 5)."
    )
    noise = said(patrols(), basis="operational", outcome="Lärm")
    assert noise.startswith("In den Gebieten mit Maßnahme wurden 12,3 % weniger Fälle (Lärm) gezählt, als ohne ")


def test_no_effect_shown():
    finding = patrols(existed=True, p_value=0.3)
    assert said(finding, low=-0.15, high=0.08) == (
        "Eine Wirkung der Verstärkung ist nicht nachgewiesen (Straßenkriminalität); erkennbar wäre eine Änderung ab "
        "18 % "
        "(95-%-Bereich: −15,0 % bis +8,0 %; Belastbarkeit 3 von 5)."
    )
    assert plain(verdict_label(finding, "de")) == "keine Wirkung nachgewiesen; erkennbar wäre eine Änderung ab 18 %"
    assert plain(verdict_label(patrols(p_value=0.3, detectable=np.nan), "de")) == "keine Wirkung nachgewiesen"
    assert said(patrols(p_value=0.3, detectable=np.nan), low=None, high=None) == (
        "Eine Wirkung der Maßnahme ist nicht nachgewiesen (Straßenkriminalität; ein 95-%-Bereich lässt sich nicht "
        "angeben; "
        "Belastbarkeit 3 von 5)."
    )


def test_not_assessable():
    weak = patrols(existed=True, p_value=0.3, detectable=0.24)
    assert said(weak, outcome="Lärmbeschwerden") == (
        "Die Wirkung der Verstärkung (Lärmbeschwerden) ist nicht beurteilbar, weil erst Änderungen ab etwa 24 % "
        "erkennbar "
        "wären."
    )
    few = patrols(p_value=0.0625, smallest_p=0.0625)
    assert said(few) == (
        "Die Wirkung der Maßnahme (Straßenkriminalität) ist nicht beurteilbar, weil bei so wenigen Gebieten auch das "
        "deutlichste Ergebnis nicht statistisch gesichert wäre (kleinster erreichbarer p-Wert 0,062, Irrtumsgrenze "
        "5 %)."
    )
    measures = template_agreement().measures
    assert verdict_sentence(not_judged(measures["A4"], delivered=()), "de") == (
        "Die Wirkung der Maßnahme ist nicht beurteilbar, weil Daten fehlen (Notrufe und Einsatzaufträge; Vorfälle "
        "gegen "
        "Bedienstete) und noch keine Untersuchung festgelegt ist."
    )
    assert verdict_sentence(not_judged(measures["D2"], delivered=()), "de") == (
        "Die Umsetzung ist nicht beurteilbar, weil Daten fehlen (Sitzungen und Beschlüsse)."
    )
    assert verdict_sentence(not_judged(measures["C2"], delivered=()), "en") == (
        "Resources and costs cannot be judged because data are missing (Costs and purchases)."
    )


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("basis", ["registered", "operational", "perceived"])
@pytest.mark.parametrize("existed", [True, False, "unknown"])
@pytest.mark.parametrize("values", [{}, {"change": 0.2}, {"p_value": 0.3}, {"p_value": 0.3, "detectable": np.nan}])
def test_every_finding_has_a_sentence(language, basis, existed, values):
    finding = patrols(existed=existed, **values)
    key, _ = verdict_text_key(finding, language, basis=basis)
    assert template(key, language)
    assert "{" not in said(finding, language, basis=basis)
    assert all("{" not in sentence for sentence in cautions(finding, language, basis=basis))


def test_cautions():
    sensitive = Evidence(without_dose=(), sensitivities={"other": estimates(p_value=0.3)})
    assert cautions(patrols(existed=True, evidence=sensitive, exaggeration=1.53), "de") == [
        "Bei so wenigen Gebieten werden statistisch gesicherte Wirkungen oft überschätzt, im Mittel etwa um den "
        "Faktor 1,5.",
        "Wie viele Fälle registriert werden, hängt auch davon ab, wie viel angezeigt und wie viel kontrolliert wird.",
        "Die Antwort hängt davon ab, wie gerechnet wird; alle vorab festgelegten Rechenwege stehen nebeneinander.",
        "Die Maßnahme gab es schon vor der Vereinbarung; erkennbar ist nur die Wirkung der Verstärkung.",
        "Was zur selben Zeit in denselben Gebieten sonst noch geschah, lässt sich davon nicht trennen.",
    ]
    assert cautions(patrols(p_value=0.3), "de")[0] == "Das heißt nicht, dass es keine Wirkung gab."
    assert cautions(not_judged(template_agreement().measures["D2"], delivered=()), "de") == []


def test_intervals_with_open_ends():
    assert plain(interval_in_words(-0.2, None, "de")) == "95-%-Bereich: ab −20,0 %, nach oben offen"
    assert plain(interval_in_words(np.nan, 0.1, "de")) == "95-%-Bereich: bis +10,0 %, nach unten offen"
    assert plain(interval_in_words(None, 0.1, "de", points=True)) == (
        "95-%-Bereich: bis +10,0 Prozentpunkte, nach unten offen"
    )


def dose(*pairs):
    return pd.DataFrame(pairs, columns=["planned", "done"], dtype=float)


FULL = dose((100, 95), (10, 12), (np.nan, 3), (5, np.nan))


def test_done_share():
    assert done_share(FULL) == pytest.approx((0.95 + 1) / 2)
    assert done_share(dose((np.nan, 3), (0, 3))) is None


@pytest.mark.parametrize(
    ("finding", "rows", "sentence"),
    [
        (
            patrols(),
            dose((100, np.nan)),
            "Datengrundlage verbessern, weil nicht belegt ist, wie viel von der Maßnahme geleistet wurde.",
        ),
        (patrols(), dose((np.nan, 50)), "Datengrundlage verbessern, weil kein geplanter Umfang vereinbart ist."),
        (patrols(), dose((100, 62)), "anpassen, weil nur 62 % des geplanten Umfangs geleistet wurden."),
        (
            patrols(),
            FULL,
            "ausweiten, weil die Wirkung statistisch gesichert ist und die Belastbarkeit mit 3 von 5 dafür ausreicht.",
        ),
        (
            patrols(existed=True, history_dates=4),
            FULL,
            "fortführen, weil die Wirkung statistisch gesichert ist und die Belastbarkeit mit 2 von 5 für eine "
            "Ausweitung "
            "nicht ausreicht.",
        ),
        (
            patrols(change=0.2),
            FULL,
            "Fortführung prüfen, weil die Werte statistisch gesichert höher lagen, als ohne die Maßnahme zu "
            "erwarten war.",
        ),
        (
            patrols(p_value=0.3, detectable=0.16),
            FULL,
            "Fortführung prüfen, weil keine Wirkung nachgewiesen ist, obwohl eine Änderung ab 16 % erkennbar "
            "gewesen wäre.",
        ),
        (
            patrols(p_value=0.3, detectable=0.2),
            FULL,
            "fortführen, weil 98 % des geplanten Umfangs geleistet wurden und eine Wirkung bisher weder "
            "nachgewiesen noch "
            "ausgeschlossen ist.",
        ),
        (
            patrols(p_value=0.3, detectable=0.4),
            FULL,
            "Datengrundlage verbessern, weil erst Änderungen ab etwa 40 % erkennbar wären.",
        ),
        (
            not_judged(template_agreement().measures["D2"], delivered={"decisions"}, dosed=True),
            FULL,
            "fortführen, weil 98 % des geplanten Umfangs geleistet wurden.",
        ),
    ],
)
def test_proposal(finding, rows, sentence):
    assert plain(propose(finding, rows).sentence("de")) == f"Prüfvorschlag: {sentence}"


def test_proposals_are_those_of_the_report_and_never_an_end():
    words = [Proposal(code, ()).worded("de") for code in CODES]
    assert words == ["fortführen", "ausweiten", "anpassen", "Fortführung prüfen", "Datengrundlage verbessern"]


def entries(node, path=""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from entries(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


def sentences(part, language):
    source = files("evaluation.texts").joinpath(language, f"{part}.toml").read_text(encoding="utf-8")
    return dict(entries(tomllib.loads(source)))


NEVER = {
    "de": {"Sicherheitsniveau", "signifikant", "Placebo", "Kontrollgebiet", "behandelt", "Dosis", "Verdrängung"}
    | {"wirkungslos", "gefühlte", "Brennpunkt", "Regression", "Evidenzgrad", "aussagekräftig", "beenden", "Angstraum"},
    "en": {"level of security", "significant", "placebo", "control area", "treated areas", "displacement", "hot spot"},
}


@pytest.mark.parametrize("part", ["findings", "agreement"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_words_of_the_report(part, language):
    for key, sentence in sentences(part, language).items():
        found = [word for word in NEVER[language] if word.lower() in sentence.lower()]
        assert not found, key


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_code_has_words(language):
    words = sentences("findings", language)
    assert all(f".grade.design.{design}" in words for design in DESIGNS)
    assert all(f".grade.{kind}.{code}" in words for kind in ("lowered", "unexamined") for code in CHECKS)
    assert all(f".label.{kind}" in words for kind in KINDS)
    assert all(f".proposal.{code}" in words for code in CODES)


def test_reasons_are_joined_once_each():
    reasons = [Reason("no_before"), Reason("no_before"), Reason("no_geometry")]
    assert join_reasons(reasons, "de") == (
        "keine Daten aus der Zeit vor dem Beginn vorliegen und keine Karte der Gebiete vorliegt"
    )


def test_the_finding_keeps_its_other_estimates():
    other = {"other": estimates(p_value=0.3)}
    finding = judge(PATROLS, estimates(), measure=measure(), evidence=replace(DOSED, sensitivities=other))
    assert finding.diagnostics == other
