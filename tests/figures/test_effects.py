import numpy as np
import pytest

from evaluation.figures.alternative import alternative
from evaluation.figures.effects import specifications, without_measure

PERCENT = "\N{NO-BREAK SPACE}%"


@pytest.fixture
def effect(published):
    rows = [{"term": "effect", "value": -0.123, "conf_low": -0.2, "conf_high": -0.04}]
    return published(rows, unit="change", keys=("term",))


@pytest.fixture
def distribution(published):
    counts = [1, 3, 9, 20, 9, 3, 1]
    edges = np.round(np.arange(-0.175, 0.2, 0.05), 3)
    rows = [{"low": a, "high": b, "value": n} for a, b, n in zip(edges, edges[1:], counts, strict=False)]
    return published(rows, unit="number", keys=("low", "high"))


def test_the_estimate_stands_beside_the_comparisons(distribution, effect, words):
    said = words(without_measure(distribution, effect, language="de"))
    assert f"Gebiete mit Maßnahme: −12,3{PERCENT}" in said
    assert "Balken: 46 Vergleiche mit Gebieten und Jahren ohne Maßnahme" in said


def test_an_event_is_not_called_a_measure(distribution, effect, words):
    said = words(without_measure(distribution, effect, language="de", event=True))
    assert f"Betroffene Gebiete: −12,3{PERCENT}" in said


def test_bars_at_least_as_far_out_either_way_are_darker(distribution, effect):
    bars = without_measure(distribution, effect, language="de").axes[0].patches
    colours = [bar.get_facecolor() for bar in bars]
    assert colours[0] == colours[-1] != colours[1]
    assert len(set(colours[1:-1])) == 1


def test_the_declared_specification_stands_first_in_its_own_colour(published, words):
    rows = [
        {"specification": name, "value": value, "conf_low": value - 0.1, "conf_high": value + 0.1}
        for name, value in (("declared", -0.13), ("other", -0.05))
    ]
    values = published(rows, unit="change", keys=("specification",))
    titles = {"declared": "vorab festgelegt", "other": "anders"}
    figure = specifications(values, titles=titles, declared="declared", language="de")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["vorab festgelegt", "anders"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert {f"−13,0{PERCENT}", f"−5,0{PERCENT}"} <= set(words(figure))


def test_the_alternative_texts_say_the_finding(distribution, effect, published):
    tested = published(
        [{"term": "effect", "value": -0.123, "conf_low": -0.2, "conf_high": -0.04, "p_value": 0.021}],
        unit="change",
        keys=("term",),
    )
    assert alternative(without_measure(distribution, tested, language="de")) == (
        "Säulendiagramm: wie oft sich 46 Vergleiche mit Gebieten und Jahren ohne Maßnahme wie stark änderten, darüber "
        f"die gemessene Änderung: −12,3{PERCENT} (95-%-Bereich: −20,0{PERCENT} bis −4,0{PERCENT}). So weit oder weiter "
        f"von null entfernt liegen 2,1{PERCENT} der Vergleiche."
    )
    rows = [{"specification": name, "value": value} for name, value in (("declared", -0.13), ("other", -0.05))]
    values = published(rows, unit="change", keys=("specification",))
    assert alternative(specifications(values, titles={}, declared="declared", language="en")) == (
        "Dot plot with 95% intervals: 2 specifications side by side, estimated change from −13.0% to −5.0%."
    )
