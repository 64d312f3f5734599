"""The picture of page one: registered cases and sense of safety, before and now, with uncertainty."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluation.disclosure import Cell, Published
from evaluation.figures.style import BLUE, FAINT, GREY, INK, in_house_style, new_figure, wrapped
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABEL = 0.8
"""Width of the column of titles, as a part of the width of the column of points."""


@in_house_style
def before_after(
    registered: Published | None,
    perceived: Published | None,
    *,
    titles: Mapping[str, str],
    language: str,
    times: Mapping[str, Mapping[str, str]],
) -> "Figure":
    """Draw each outcome and each question as a pair of points, before and now.

    Registered cases have a scale of their own in each row, from zero, because they differ too much in size for a
    common one; shares have one scale.

    Parameters
    ----------
    registered
        Keys ``outcome`` and ``time`` (``before``, ``now``); cases per 1,000 inhabitants with intervals. None or empty
        where there are none.
    perceived
        Keys ``item`` and ``time``; shares feeling unsafe with intervals.
    titles
        Titles of outcomes and items.
    language
        Language of axes and numbers.
    times
        What ``before`` and ``now`` are, for ``registered`` and ``perceived``.
    """
    blocks = [
        (published, key, kind)
        for published, key, kind in ((registered, "outcome", "registered"), (perceived, "item", "perceived"))
        if published is not None and not published.frame.empty
    ]
    rows = max(published.frame[key].nunique() for published, key, _ in blocks)
    figure = new_figure(0.33 * rows + 0.56)
    panels = figure.subplots(1, len(blocks), squeeze=False).ravel()
    for panel, (published, key, kind) in zip(panels, blocks, strict=True):
        _pairs(panel, published, key, titles, language, own_scales=kind == "registered")
        panel.set_ylim(rows - 0.5, -0.5)
        panel.set_title(text(f"figures.before_after.{kind}", language), pad=16)
        panel.set_xlabel(text(f"figures.before_after.scale_{kind}", language), fontsize=7.5)
        _times(panel, times[kind], language)
    return figure


def _times(axes: Any, times: Mapping[str, str], language: str) -> None:
    """Say below the title which point is which year, with the points themselves."""
    from matplotlib.transforms import offset_copy

    place = 6.0
    for time, colour, face in (("before", GREY, "white"), ("now", BLUE, BLUE)):
        spot = offset_copy(axes.transAxes, axes.figure, x=place, y=7, units="points")
        axes.plot(0, 1, "o", color=colour, markerfacecolor=face, markersize=5, transform=spot, clip_on=False)
        words = text(f"figures.before_after.{time}", language, period=times[time])
        spot = offset_copy(axes.transAxes, axes.figure, x=place + 6, y=7, units="points")
        axes.text(0, 1, words, transform=spot, fontsize=8, va="center_baseline", color=colour, fontweight=600)
        place += 26 + 4.4 * len(words)


def _pairs(
    axes: Any, published: Published, key: str, titles: Mapping[str, str], language: str, *, own_scales: bool
) -> None:
    names = list(dict.fromkeys(published.frame[key]))
    ends = published.frame.groupby(key)[["value", "conf_high"]].max().max(axis=1)
    spec = "pct0" if published.number.startswith("pct") else published.number
    for place, name in enumerate(names):
        whole = float(ends[name] if own_scales else ends.max()) or 1.0
        if place % 2 == 0:
            axes.axhspan(place - 0.5, place + 0.5, color=FAINT, linewidth=0, zorder=0)
        axes.plot([0, 0], [place - 0.36, place + 0.36], color=GREY, linewidth=0.8, zorder=1)
        for time, colour, offset in (("before", GREY, -0.19), ("now", BLUE, 0.19)):
            cell = published.cell(**{key: name, "time": time})
            words = None if cell.value is None else format_value(cell.value, spec, language)
            _point(axes, cell, place + offset, whole=whole, colour=colour, words=words, hollow=time == "before")
        axes.text(
            -LABEL + 0.02, place, wrapped(titles.get(name, name), 25), fontsize=8, color=INK, va="center",
            linespacing=1.1,
        )  # fmt: skip
    axes.set_xlim(-LABEL, 1.24)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)


def _point(axes: Any, cell: Cell, place: float, *, whole: float, colour: str, words: str | None, hollow: bool) -> None:
    """Draw one value as a part of `whole`, and write it behind the end of its interval."""
    if cell.value is None or words is None:
        return
    end = cell.value
    if cell.conf_low is not None and cell.conf_high is not None:
        axes.hlines(place, cell.conf_low / whole, cell.conf_high / whole, color=colour, linewidth=2, zorder=2)
        end = cell.conf_high
    face = "white" if hollow else colour
    axes.plot(cell.value / whole, place, "o", color=colour, markerfacecolor=face, markersize=5, zorder=3)
    axes.annotate(
        words, (end / whole, place), xytext=(5, 0), va="center_baseline", textcoords="offset points", fontsize=7.5,
        color=colour, fontweight=600,
    )  # fmt: skip
