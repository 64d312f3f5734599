import pytest

from evaluation.figures.alternative import alternative
from evaluation.figures.stacked_answers import AnswerScale, stacked_answers

NBSP = "\N{NO-BREAK SPACE}"
PARTS = {"2018": (0.2, 0.3, 0.3, 0.2), "2021": (0.25, 0.35, 0.37, 0.03), "2024": (0.3, 0.4, 0.2, 0.1)}


def usual(language="de"):
    return AnswerScale.usual(4, unsafe=(3, 4), language=language)


@pytest.fixture
def answers(published):
    rows = [
        {"wave": wave, "answer": code, "value": part}
        for wave, parts in PARTS.items()
        for code, part in enumerate(parts, start=1)
    ]
    return published(rows, unit="share", keys=("wave", "answer"), cases=2700)


@pytest.fixture
def unsafe(published):
    rows = [
        {"wave": wave, "value": sum(parts[2:]), "conf_low": sum(parts[2:]) - 0.02, "conf_high": sum(parts[2:]) + 0.02}
        for wave, parts in PARTS.items()
    ]
    return published(rows, unit="share", keys=("wave",), cases=2700)


def change(published, low, value, high):
    row = {"item": "night", "value": value, "conf_low": low, "conf_high": high}
    return published([row], unit="change_points", keys=("item",))


def test_unsafe_answers_lie_right_of_the_line_and_all_others_left(answers, unsafe):
    axes = stacked_answers(answers, unsafe, scale=usual(), language="de").axes[0]
    bars = [(round(bar.get_x(), 10), round(bar.get_width(), 10)) for bar in axes.patches[:4]]
    assert bars == [(0.0, -0.3), (-0.3, -0.2), (0.0, 0.3), (0.3, 0.2)]


def test_the_interval_ends_where_it_was_estimated(answers, unsafe):
    axes = stacked_answers(answers, unsafe, scale=usual(), language="de").axes[0]
    intervals = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 2.2]
    assert [[round(float(x), 10) for x in ends] for ends in intervals] == [[0.48, 0.52], [0.38, 0.42], [0.28, 0.32]]


def test_share_interval_and_number_of_answers_are_written(answers, unsafe, words):
    said = words(stacked_answers(answers, unsafe, scale=usual(), language="de"))
    assert {f"50{NBSP}% (48–52)", "2018 n = 2.700", "sehr sicher", "sehr unsicher"} <= set(said)
    assert f"3{NBSP}%" not in said  # no room


def test_alternative_text_gives_every_share_and_the_change(answers, unsafe, published):
    less = change(published, -0.23, -0.2, -0.17)
    figure = stacked_answers(answers, unsafe, scale=usual("en"), language="en", change=less)
    assert alternative(figure) == (
        "Stacked bars: all answers from “very safe” to “very unsafe”, right of the line the share “unsafe”. "
        "2018: 50% (95% range: 48% to 52%); 2021: 40% (95% range: 38% to 42%); 2024: 30% (95% range: 28% to 32%). "
        f"From 2018 to 2024 it fell by 20.0{NBSP}percentage points, statistically established "
        "(95% range: −23.0 to −17.0)."
    )


def test_a_change_that_is_not_established_is_not_called_one(answers, unsafe, published):
    unclear = change(published, -0.03, -0.01, 0.01)
    figure = stacked_answers(answers, unsafe, scale=usual(), language="de", change=unclear)
    expected = f" ist nicht statistisch gesichert (−1,0{NBSP}Prozentpunkte; 95-%-Bereich: −3,0 bis +1,0)."
    assert alternative(figure).endswith("Eine Änderung von 2018 bis 2024" + expected)


def test_a_row_with_few_answers_is_not_shown_and_says_so(answers, published, words):
    rows = [{"wave": wave, "value": 0.4 if wave != "2021" else None} for wave in PARTS]
    figure = stacked_answers(answers, published(rows, unit="share", keys=("wave",)), scale=usual(), language="de")
    assert "keine Angabe: zu wenige Antworten" in words(figure)
    assert len(figure.axes[0].patches) == 8
    assert "2021: keine Angabe" in alternative(figure)


def test_a_break_stands_before_its_wave(answers, unsafe, words):
    figure = stacked_answers(answers, unsafe, scale=usual(), language="de", breaks=["2024", "1990"])
    dashed = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert dashed == [1.5]
    assert "ab hier anders gefragt: nicht ohne Weiteres vergleichbar" in words(figure)


def test_the_middle_of_five_answers_is_grey_and_counts_as_the_scale_says():
    scale = AnswerScale.usual(5, unsafe=(4, 5), language="de")
    assert scale.safe == (1, 2, 3)
    assert scale.colours()[3] == "#d5dbe0"


def test_a_scale_that_begins_with_the_unsafe_answers_is_turned():
    assert list(AnswerScale.usual(2, unsafe=(1,), language="en").words.items()) == [(2, "safe"), (1, "unsafe")]


def test_unsafe_answers_are_the_last_ones():
    with pytest.raises(ValueError, match=r"unsafe answers \(1, 3\) are not the last ones of \[1, 2, 3\]"):
        AnswerScale(words={1: "a", 2: "b", 3: "c"}, unsafe=(1, 3))


def test_many_rows_are_summed_up(published):
    groups = [f"g{number}" for number in range(9)]
    rows = [{"group": group, "answer": code, "value": 0.25} for group in groups for code in range(1, 5)]
    shares = [{"group": group, "value": 0.4 + place / 100} for place, group in enumerate(groups)]
    made = published(rows, unit="share", keys=("group", "answer")), published(shares, unit="share", keys=("group",))
    said = alternative(stacked_answers(*made, scale=usual("en"), language="en"))
    assert said.startswith("Stacked bars in 9 rows")
    assert said.endswith("the share “unsafe”, 40% to 48%.")
