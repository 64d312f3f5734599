"""Spatial shift: rings around the areas with a measure, and what may be said about them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation import Randomization, TwoByTwo
from evaluation.diagnostics import rings
from evaluation.disclosure import Rules, publish
from evaluation.errors import DesignError, Problem
from evaluation.report.annual.shift import beside, shift_sentence, spatial_shift
from evaluation.report.blocks import Heading, NoteBlock, Paragraph, TableBlock
from evaluation.report.material.shift import Shift, shift
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import line, poisson_panel
from tests.report.made import ABOUT, Words, context, effect

PATROLS = TwoByTwo(before=3, after=1)


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


# --- numbers ---


def two_beside_each_other():
    return simulate_panel(1, shape=(63, 14), start=9, frequency="year", treated=["01", "02"])


def test_rings_hold_their_level_together():
    panel = two_beside_each_other()
    found = shift(context(), panel, PATROLS, ABOUT, level=0.05)
    own = rings(panel, PATROLS)
    both = rings(panel, replace(PATROLS, inference=Randomization(level=0.975)))
    assert found.rings.cell(ring=0).value == np.expm1(own.row(ring=0)["estimate"])
    assert found.rings.cell(ring=0).p_value == own.row(ring=0)["p_value"]
    for ring in (1, 2):
        cell, row = found.rings.cell(ring=ring), both.row(ring=ring)
        assert cell.value == np.expm1(row["estimate"])
        assert (cell.conf_low, cell.conf_high) == (np.expm1(row["conf_low"]), np.expm1(row["conf_high"]))
        assert cell.p_value == min(1.0, 2 * row["p_value"])
        known = both.facts["detectable_by_ring"][ring]
        assert found.detectable.cell(ring=ring).value == pytest.approx(1 / (1 - known) - 1)
    assert [cell.value for cell in found.sizes.cells()] == [2, 4, 6, own.facts["far"]]


def test_rings_with_few_cases_are_hidden():
    panel = two_beside_each_other()
    beside_them = rings(panel, PATROLS).facts["members"][1]
    frame = panel.frame.assign(outcome=panel.frame["outcome"].where(~panel.frame["unit"].isin(beside_them), 0.0))
    frame.loc[(frame["unit"] == beside_them[0]) & (frame["period"] == frame["period"].max()), "outcome"] = 3.0
    found = shift(context(), replace(panel, frame=frame), PATROLS, ABOUT, level=0.05)
    assert found.rings.cell(ring=1).suppressed
    assert not found.rings.cell(ring=2).suppressed
    assert not found.established(1)


def test_one_ring_is_enough_where_nothing_lies_beyond_two():
    panel = poisson_panel(shape=(3, 12), treated_since={"a": "2019"}, neighbours=line(3))
    found = shift(context(), panel, PATROLS, ABOUT, level=0.05)
    assert found.rings.frame["ring"].tolist() == [0, 1]
    assert found.rings.cell(ring=1).p_value == pytest.approx(rings(panel, PATROLS, order=1).row(ring=1)["p_value"])


def test_without_a_map_nothing_is_said_and_without_areas_beyond_why_not():
    panel = poisson_panel(treated_since={"a": "2019"})
    assert shift(context(), panel, PATROLS, ABOUT, level=0.05) is None
    near = poisson_panel(shape=(2, 12), treated_since={"a": "2019"}, neighbours=line(2))
    failed = shift(context(), near, PATROLS, ABOUT, level=0.05)
    assert [problem.code for problem in failed.problems] == ["diagnostics.no_far_ring"]


def test_a_ring_without_areas_has_a_remark():
    panel = poisson_panel(treated_since={"a": "2019"}, neighbours={"a": frozenset()})
    found = shift(context(), panel, PATROLS, ABOUT, level=0.05)
    assert found.rings.cell(ring=1).note == "diagnostics.note.empty_ring"
    assert found.rings.cell(ring=1).value is None


# --- words ---


def around(ring1=(0.043, 0.9), ring2=(0.02, 0.8), own=(-0.1, 0.01)) -> Shift:
    """Return a change and a p-value for each ring."""
    rows = [
        {"ring": ring, "value": value, "conf_low": value - 0.1, "conf_high": value + 0.1, "p_value": p_value}
        for ring, (value, p_value) in enumerate((own, ring1, ring2))
    ]

    def shown(frame: pd.DataFrame, name: str, unit: str):
        about = replace(ABOUT, id=f"study.patrols.{name}", unit=unit)
        return publish(frame, Rules(), about=about, keys=("ring",), basis="services")

    sizes = {"0": 6, "1": 22, "2": 19, "far": 16}
    return Shift(
        rings=shown(pd.DataFrame(rows), "rings", "change"),
        sizes=shown(pd.DataFrame([{"ring": r, "value": n} for r, n in sizes.items()]), "rings_number", "number"),
        detectable=shown(pd.DataFrame({"ring": [1, 2], "value": [0.186, 0.2]}), "rings_detectable", "change"),
        level=0.05,
    )


def material(*effects, language="de", geometry=True) -> Words:
    measures = {"A2": SimpleNamespace(id="A2", title={"de": "Streifen", "en": "Patrols"})}
    project = SimpleNamespace(
        geometry=lambda: object() if geometry else None, agreement=SimpleNamespace(measures=measures)
    )
    own = [effect for effect in effects if effect.study.event is None]
    words = Words(language, project=project, effects=effects, measures=("A2",), effects_of=lambda _: own)
    words.context = SimpleNamespace(text=lambda key, **values: words.say(key.removeprefix("report."), **values))
    return words


def test_no_shift_is_shown_in_words_and_in_a_table():
    heading, answer, table = spatial_shift(material(effect(shift=around())))
    assert isinstance(heading, Heading)
    assert answer.words == (
        "Wenn Fälle in die Nachbarschaft ausweichen, nehmen sie dort zu. Deshalb werden auch die angrenzenden Gebiete "
        "(Ring 1) und die daran angrenzenden (Ring 2) mit weiter entfernten verglichen. Dass Fälle "
        "ausgewichen sind, ist "
        "nicht nachgewiesen. Ausgeschlossen ist es damit nicht; wie groß eine Zunahme sein könnte, zeigen die Bereiche."
    )
    assert isinstance(table, TableBlock)
    assert [[plain(cell.words) for cell in row] for row in table.rows] == [
        ["A2: Diebstahl", "Gebiete mit Maßnahme", "6", "−10,0 %", "−20,0 % bis 0,0 %"],
        ["", "angrenzende (Ring 1)", "22", "+4,3 %", "−5,7 % bis +14,3 %"],
        ["", "daran angrenzende (Ring 2)", "19", "+2,0 %", "−8,0 % bis +12,0 %"],
        ["", "weiter entfernte (Vergleich)", "16", "–", "–"],
    ]
    assert {row[0].spoken for row in table.rows[1:]} == {"A2: Diebstahl"}
    assert {p.id for p in table.results} == {
        "study.patrols.rings",
        "study.patrols.rings_number",
        "study.patrols.rings_detectable",
    }


def remarks(found: Shift, **fields) -> list[str]:
    return [
        plain(b.words) for b in spatial_shift(material(effect(shift=found, **fields)))[2:] if isinstance(b, Paragraph)
    ]


def test_more_cases_right_beside_fewer_may_be_spatial_shift():
    assert remarks(around(ring1=(0.12, 0.02))) == [
        "Streifen und Diebstahl: In den angrenzenden Gebieten wurden 12,0 % mehr Fälle gezählt, als nach "
        "der Entwicklung "
        "weiter entfernter Gebiete zu erwarten gewesen wären (95-%-Bereich: +2,0 % bis +22,0 %). Das kann räumliche "
        "Verlagerung sein."
    ]
    answer = spatial_shift(material(effect(shift=around(ring1=(0.12, 0.02))), effect(shift=around())))[1]
    assert answer.words.endswith(
        "Anzeichen für räumliche Verlagerung gibt es bei einer der zwei Untersuchungen (Streifen und Diebstahl)."
    )


@pytest.mark.parametrize(
    ("found", "fields", "ending"),
    [
        (
            around(ring2=(0.139, 0.03)),
            {},
            "Für räumliche Verlagerung spricht das allein nicht, denn unmittelbar daneben ist keine "
            "Zunahme nachgewiesen.",
        ),
        (
            around(ring1=(-0.12, 0.02)),
            {},
            "Das spricht gegen räumliche Verlagerung; die Wirkung kann über die Gebiete hinausreichen.",
        ),
        (
            around(ring1=(0.12, 0.02)),
            {"verdict": "not_shown"},
            "Als räumliche Verlagerung lässt sich das nicht deuten, denn in den Gebieten selbst ist kein Rückgang "
            "nachgewiesen.",
        ),
        (
            around(ring1=(0.12, 0.02)),
            {"change": 0.2},
            "Als räumliche Verlagerung lässt sich das nicht deuten, denn in den Gebieten selbst ist kein Rückgang "
            "nachgewiesen.",
        ),
    ],
)
def test_other_changes_around_are_no_spatial_shift(found, fields, ending):
    (words,) = remarks(found, **fields)
    assert words.endswith(ending)
    answer = spatial_shift(material(effect(shift=found, **fields)))[1]
    assert "ist nicht nachgewiesen" in answer.words


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (
            True,
            "Ob Fälle in benachbarte Gebiete ausgewichen sind, lässt sich erst prüfen, wenn für eine Maßnahme eine "
            "Untersuchung festgelegt ist, die sich berechnen lässt.",
        ),
        (
            False,
            "Ob Fälle in benachbarte Gebiete ausgewichen sind, lässt sich nicht prüfen, weil die Umrisse der Ortsteile "
            "fehlen.",
        ),
    ],
)
def test_what_is_missing_is_said(geometry, words):
    note = spatial_shift(material(effect(), geometry=geometry))[1]
    assert (note.kind, note.subject, note.words) == ("missing", "displacement", words)
    assert shift_sentence(material(effect(), geometry=geometry)) == (words, ())


def test_a_study_without_areas_beyond_says_why():
    failed = DesignError(Problem("diagnostics.no_far_ring", order=2))
    note = spatial_shift(material(effect(shift=around()), effect(title="Lärm", shift=failed)))[-1]
    assert isinstance(note, NoteBlock)
    assert note.words == ("Lärm: Das lässt sich nicht prüfen. Jenseits von Ring 2 liegt kein Vergleichsgebiet mehr.")


def test_page_one_says_what_could_be_found():
    said = shift_sentence(material(effect(shift=around())))[0]
    assert plain(said) == (
        "Dass Fälle in die Nachbarschaft ausgewichen sind (A2), ist nicht nachgewiesen; erkennbar wäre dort erst eine "
        "Zunahme ab 19 %."
    )
    said = shift_sentence(material(effect(shift=around()), language="en"))[0]
    assert said == (
        "It is not shown that cases have moved into the neighbourhood (A2); only an increase from 19% on "
        "could be detected "
        "there."
    )
    moved = shift_sentence(material(effect(shift=around(ring1=(0.12, 0.02)))))[0]
    assert moved == (
        "Ob Fälle in die Nachbarschaft ausgewichen sind (A2), ist offen: Dort haben sie statistisch "
        "gesichert zugenommen."
    )


def test_an_event_has_its_own_sentence():
    found = beside(material(), effect(event=True, shift=around(ring1=(-0.03, 0.5))))
    assert [plain(f"{block.lead} {block.words}") for block in found] == [
        "Räumliche Verlagerung. In den angrenzenden Gebieten (22) ist keine Änderung nachgewiesen (−3,0 "
        "%; 95-%-Bereich: "
        "−13,0 % bis +7,0 %)."
    ]
    assert beside(material(), effect(event=True)) == []
    assert spatial_shift(material(effect(event=True, shift=around())))[1].kind == "missing"
