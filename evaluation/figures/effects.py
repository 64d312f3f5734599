"""Effects: the comparison with areas and years without the measure, and specifications side by side."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.disclosure import Cell, Published
from evaluation.figures.alternative import described
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    PALE_BLUE,
    halo,
    in_house_style,
    new_figure,
    number_axis,
    zero_line,
)
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_house_style
def without_measure(distribution: Published, effect: Published, *, language: str, event: bool = False) -> "Figure":
    """Draw how often areas and years without the measure changed by how much, and the estimate beside it.

    Parameters
    ----------
    distribution
        Keys ``low`` and ``high``, the ends of a class of relative changes; the value is the number of comparisons.
    effect
        One relative change with its interval.
    language
        Language of axes and numbers.
    event
        Whether the areas are those of an event, not of a measure.
    """
    figure = new_figure(2.55)
    axes = figure.subplots()
    bars = distribution.frame
    low, high = bars["low"].astype(float), bars["high"].astype(float)
    (cell,) = effect.cells()
    beyond = _beyond(low, high, cell.value)
    axes.bar(
        low,
        bars["value"],
        width=high - low,
        align="edge",
        color=[PALE_BLUE if far else LIGHT for far in beyond],
        edgecolor="white",
        linewidth=0.8,
    )
    top = float(bars["value"].max())
    axes.set_ylim(0, 1.42 * top)
    _estimate(axes, cell, 1.16 * top, text_key="event" if event else "estimate", language=language)
    axes.text(
        0.995,
        0.6,
        text("figures.effect.bars", language, n=bars["value"].sum()),
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=8,
        color=GREY,
        linespacing=1.2,
    )
    zero_line(axes, vertical=True)
    axes.set_xlabel(text("figures.effect.x", language))
    axes.set_ylabel(text("figures.effect.y", language))
    number_axis(axes.xaxis, "spct0", language)
    number_axis(axes.yaxis, "int", language)
    axes.locator_params(axis="y", nbins=4, integer=True)
    values = {"n": bars["value"].sum(), "value": cell.value, "low": cell.conf_low, "high": cell.conf_high}
    return described(figure, text("figures.effect.alt", language, **values, p_value=cell.p_value))


def _estimate(axes: Any, cell: Cell, level: float, *, text_key: str, language: str) -> None:
    """Draw the estimate with its interval at the height `level`, and write it there."""
    if cell.value is None:
        return
    axes.plot([cell.value, cell.value], [0, level], color=BLUE, linewidth=1.4, zorder=3)
    if cell.conf_low is not None and cell.conf_high is not None:
        ends = [cell.conf_low, cell.conf_high]
        axes.plot(ends, [level, level], color=BLUE, linewidth=2.4, solid_capstyle="butt", zorder=3)
    axes.plot(cell.value, level, "o", color=BLUE, markersize=6, markeredgecolor="white", zorder=4)
    axes.annotate(
        text(f"figures.effect.{text_key}", language, value=cell.value), (cell.value, level), xytext=(0, 6),
        textcoords="offset points", ha="center", fontsize=9, fontweight=600, color=BLUE, path_effects=halo(), zorder=5,
    )  # fmt: skip


def _beyond(low: Any, high: Any, value: float | None) -> list[bool]:
    """Tell which classes are at least as far from no change as `value`, up or down, as the test counts them."""
    if value is None:
        return [False] * len(low)
    middles = [max((a + b) / 2, -0.99) for a, b in zip(low, high, strict=True)]
    return [bool(abs(np.log1p(middle)) >= abs(np.log1p(value))) for middle in middles]


@in_house_style
def specifications(published: Published, *, titles: Mapping[str, str], declared: str, language: str) -> "Figure":
    """Draw the effect under the declared specification and under the others, one line each.

    Parameters
    ----------
    published
        Key ``specification``; relative changes with intervals.
    titles
        What each specification does, in words.
    declared
        The specification that was declared beforehand; it stands first and in colour.
    language
        Language of axes and numbers.
    """
    frame = published.frame.reset_index(drop=True)
    figure = new_figure(0.34 * len(frame) + 0.75)
    axes = figure.subplots()
    for place, row in frame.iterrows():
        colour = BLUE if row["specification"] == declared else GREY
        axes.hlines(place, row["conf_low"], row["conf_high"], color=colour, linewidth=2.4 if colour == BLUE else 1.5)
        axes.plot(
            row["value"], place, "o", color=colour, markersize=6 if colour == BLUE else 4.5, markeredgecolor="white"
        )
        words = format_value(float(row["value"]), "spct1", language)
        axes.annotate(
            words,
            (row["value"], place),
            xytext=(0, 4.5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=colour,
            fontweight=600,
            path_effects=halo(),
        )
    labels = [titles.get(name, name) for name in frame["specification"]]
    axes.set_yticks(range(len(frame)), labels)
    axes.set_ylim(len(frame) - 0.5, -0.75)
    for label, name in zip(axes.get_yticklabels(), frame["specification"], strict=True):
        label.set_color(INK)
        label.set_fontweight(600 if name == declared else 400)
    zero_line(axes, vertical=True)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(text("figures.specifications.x", language))
    number_axis(axes.xaxis, "spct0", language)
    values = {"n": len(frame), "low": frame["value"].min(), "high": frame["value"].max()}
    return described(figure, text("figures.specifications.alt", language, **values))
