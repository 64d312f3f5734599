from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.figures import style
from evaluation.report.images import svg


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [style.INK, style.BLUE, style.ORANGE, style.GREY])
def test_colours_of_words_have_enough_contrast_on_white(colour):
    assert (1 + 0.05) / (luminance(colour) + 0.05) >= 4.5


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.floats(0.1, 10))
def test_labels_are_moved_apart_in_their_order(positions, gap):
    moved = style.spread(positions, gap)
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    steps = [moved[b] - moved[a] for a, b in pairwise(order)]
    assert all(step >= gap - 1e-6 for step in steps)
    assert sum(moved) == pytest.approx(sum(positions), abs=1e-6)


def test_labels_that_do_not_collide_stay():
    assert style.spread([1.0, 5.0, 3.0], 1.0) == [1.0, 5.0, 3.0]


def test_a_half_and_a_double_are_equally_far_from_no_change():
    figure = style.new_figure(2)
    axes = figure.subplots()
    axes.set_ylim(-1, 1)
    style.ratio_axis(axes.yaxis, "de", reach=1)
    ticks = dict(zip([t.get_text() for t in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    assert ticks["−50\N{NO-BREAK SPACE}%"] == pytest.approx(-ticks["+100\N{NO-BREAK SPACE}%"])
    assert ticks["0\N{NO-BREAK SPACE}%"] == 0


@pytest.mark.parametrize("reach", [0.15, 0.3, 0.8, 1.2, 2.5, 4.0])
def test_ticks_of_ratios_are_few_and_apart(reach):
    axes = style.new_figure(2).subplots()
    style.ratio_axis(axes.yaxis, "de", reach=reach)
    ticks = sorted(axes.get_yticks())
    assert 3 <= len(ticks) <= 7
    assert min(b - a for a, b in pairwise(ticks)) > 0.2 * reach


def test_the_typeface_of_the_package_is_used_and_pyplot_stays_out():
    figure = style.in_house_style(lambda: style.new_figure(1))()
    with style.house_style():
        text = figure.text(0, 0, "Größe")
    assert text.get_fontname() == "IBM Plex Sans"
    assert figure.number is None if hasattr(figure, "number") else True


def test_a_figure_is_the_same_on_every_run():
    def draw() -> bytes:
        figure = style.new_figure(1)
        figure.subplots().plot([1, 2])
        return svg(figure)

    assert style.in_house_style(draw)() == style.in_house_style(draw)()
