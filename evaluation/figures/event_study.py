"""Effects by time since the start, with the interval of each point and, where there is one, the band of all."""

from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.disclosure import Published
from evaluation.figures.alternative import beside_zero, described
from evaluation.figures.change_axis import ChangeAxis, open_ends
from evaluation.figures.style import BLUE, FAINT, GREY, MIDDLE, in_house_style, new_figure, number_axis, zero_line
from evaluation.texts import text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@in_house_style
def event_study(published: Published, *, language: str, unit: str = "year", band: Published | None = None) -> "Figure":
    """Draw the difference to the comparison areas in each period before and after the start.

    Parameters
    ----------
    published
        Key ``event_time`` (0 is the first period with the measure), rows without one are left out; relative changes,
        or differences, with intervals.
    language
        Language of axes and numbers.
    unit
        ``year``, ``half_year``, ``quarter`` or ``month``: what a step of ``event_time`` means.
    band
        The same values with the intervals that hold for all of them together; drawn as thin lines.
    """
    scale = ChangeAxis(published=published, language=language)
    frame = _timed(published)
    times = frame["event_time"].to_numpy(dtype=float)
    value, low, high = scale.columns(frame)
    wide = None if band is None else scale.columns(_timed(band))[1:]
    reach = scale.reach(value, low, high, *(wide or ()))
    figure = new_figure(2.7)
    axes = figure.subplots()
    zero_line(axes)
    axes.axvspan(-0.5, times.max() + 0.5, color=FAINT, linewidth=0, zorder=0)
    colours = np.where(times >= 0, BLUE, GREY)
    if wide is not None and band is not None:
        ends = open_ends(*wide, reach)
        axes.vlines(_timed(band)["event_time"].to_numpy(dtype=float), *ends, color=MIDDLE, linewidth=0.9, zorder=1.8)
    axes.vlines(times, *open_ends(low, high, reach), color=colours, linewidth=2.2, zorder=2)
    axes.scatter(times, value, color=colours, s=32, edgecolor="white", linewidth=0.8, zorder=3)
    axes.set_ylim(-reach, 1.25 * reach)
    axes.set_xlim(times.min() - 0.6, times.max() + 0.6)
    _words(axes, scale, unit, with_band=band is not None)
    scale.write(axes.yaxis, reach)
    axes.locator_params(axis="x", integer=True)
    number_axis(axes.xaxis, "snum0", language)
    axes.grid(axis="y")
    return described(figure, _alternative(scale, frame, unit))


def _timed(published: Published) -> "pd.DataFrame":
    """Return the rows of an event time, in the order of time."""
    frame = published.frame[published.frame["event_time"].notna()]
    return frame.sort_values("event_time").reset_index(drop=True)


def _words(axes: Any, scale: ChangeAxis, unit: str, *, with_band: bool) -> None:
    """Say what is before and after the start, and what the axes and lines are."""
    language = scale.language
    style: dict[str, Any] = {
        "fontsize": 8,
        "va": "top",
        "xycoords": ("data", "axes fraction"),
        "textcoords": "offset points",
    }
    axes.annotate(
        text("figures.event_study.before", language), (-0.5, 0.98), xytext=(-5, 0), ha="right", color=GREY, **style
    )
    axes.annotate(text("figures.event_study.after", language), (-0.5, 0.98), xytext=(5, 0), color=BLUE, **style)
    below = text(f"figures.event_study.x_{unit}", language)
    if scale.relative:
        below = text("figures.event_study.scale", language, x=below)
    if with_band:
        below += "\n" + text("figures.event_study.lines", language)
    axes.set_xlabel(below)
    axes.set_ylabel(text("figures.event_study.y", language))


def _alternative(scale: ChangeAxis, frame: "pd.DataFrame", unit: str) -> str:
    """Say how many points before and since the start are clear of zero, and how far the points reach."""
    known = frame[frame["conf_low"].notna() | frame["conf_high"].notna()]
    clear, since = beside_zero(known), known["event_time"] >= 0
    after = frame.loc[(frame["event_time"] >= 0) & frame["value"].notna(), "value"]
    values = {
        "before": int((~since).sum()),
        "before_clear": int((clear & ~since).sum()),
        "after": int(since.sum()),
        "after_clear": int((clear & since).sum()),
        "low": scale.words(after.min()),
        "high": scale.words(after.max()),
    }
    x = text(f"figures.event_study.x_{unit}", scale.language)
    return text("figures.event_study.alt", scale.language, x=x, **values)
