"""The picture of page one: registered cases and sense of safety, before and now, with uncertainty."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluation.disclosure import Published
from evaluation.figures.style import BLUE, GREY, INK, halo, in_house_style, new_figure, number_axis
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    figure = new_figure(0.4 * rows + 0.58)
    panels = figure.subplots(1, len(blocks), squeeze=False).ravel()
    for panel, (published, key, kind) in zip(panels, blocks, strict=True):
        _pairs(panel, published, key, titles, language)
        panel.set_ylim(rows - 0.42, -0.72)
        panel.set_title(text(f"figures.before_after.{kind}", language), pad=16)
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


def _pairs(axes: Any, published: Published, key: str, titles: Mapping[str, str], language: str) -> None:
    names = list(dict.fromkeys(published.frame[key]))
    axes.set_xlim(0, 1.2 * float(published.frame[["value", "conf_high"]].max().max()))
    spec = "pct0" if published.number.startswith("pct") else published.number
    for place, name in enumerate(names):
        for time, colour, offset in (("before", GREY, -0.04), ("now", BLUE, 0.24)):
            cell = published.cell(**{key: name, "time": time})
            if cell.value is None:
                continue
            if cell.conf_low is not None and cell.conf_high is not None:
                axes.hlines(place + offset, cell.conf_low, cell.conf_high, color=colour, linewidth=2)
            face = "white" if time == "before" else colour
            axes.plot(cell.value, place + offset, "o", color=colour, markerfacecolor=face, markersize=5)
            end = cell.conf_high if cell.conf_high is not None else cell.value
            axes.annotate(
                format_value(cell.value, spec, language), (end, place + offset), xytext=(4, 0), va="center",
                textcoords="offset points", fontsize=7.5, color=colour, fontweight=600,
            )  # fmt: skip
    for place, name in enumerate(names):
        axes.annotate(
            titles.get(name, name), (0, place - 0.2), xytext=(2, 2), textcoords="offset points", fontsize=8.5,
            color=INK, va="bottom", path_effects=halo(), zorder=5,
        )  # fmt: skip
    axes.set_yticks([])
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    number_axis(axes.xaxis, "pct0" if spec == "pct0" else "num0", language)
