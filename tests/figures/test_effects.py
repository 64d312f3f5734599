import numpy as np
import pytest

from evaluation.figures.effects import event_study, specifications, without_measure

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


def test_event_study_shows_before_and_after(published, words):
    rows = [
        {"event_time": k, "value": v, "conf_low": v - 0.1, "conf_high": v + 0.1}
        for k, v in ((-2, 0.02), (-1, 0.0), (0, -0.1), (1, -0.2))
    ]
    figure = event_study(published(rows, unit="change", keys=("event_time",)), language="de", unit="month")
    across = "Monate seit Beginn (senkrecht: gleiche Abstände = gleiches Verhältnis)"
    assert {"vor Beginn", "seit Beginn", across} <= set(words(figure))


def test_a_long_interval_does_not_hide_the_others(published):
    rows = [{"event_time": k, "value": 0.0, "conf_low": -0.9, "conf_high": high} for k, high in ((-1, 30.0), (0, 0.2))]
    axes = event_study(published(rows, unit="change", keys=("event_time",)), language="de").axes[0]
    low, high = axes.get_ylim()
    assert low < np.log(0.1) < 0 < np.log(31) < high
