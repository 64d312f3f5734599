"""The effect without each area in turn, in the order of keys, to see whether it hangs on a single one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.alternative import described
from evaluation.figures.change_axis import ChangeAxis, open_ends
from evaluation.figures.style import BLUE, GREY, INK, PALE_BLUE, halo, in_house_style, new_figure, wrapped, zero_line
from evaluation.texts import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("treated", "comparison")
WHOLE, HEAD = "whole", "head"
ROOM = 0.05


@in_house_style
def leave_one_out(published: Published, effect: Published, *, names: Mapping[str, str], language: str) -> "Figure":
    """Draw the effect with all areas, and below it without each area or district in turn.

    Parameters
    ----------
    published
        Keys ``kind`` (``treated``: one area with the measure is left out; ``comparison``: the comparison areas of a
        district) and ``unit``; relative changes, or differences, with intervals.
    effect
        The one value with all areas.
    names
        Name of each unit.
    language
        Language of axes and numbers.
    """
    scale = ChangeAxis(published=published, language=language)
    (whole,) = effect.cells()
    rows = _rows(published.frame, effect.frame, names, language)
    value, low, high = scale.columns(rows)
    low, high = open_ends(low, high, scale.reach(value, low, high))
    figure = new_figure(0.25 * len(rows) + 0.7)
    axes = figure.subplots()
    axes.axvspan(low[0], high[0], color=PALE_BLUE, alpha=0.3, linewidth=0, zorder=0)
    axes.axvline(value[0], color=BLUE, linewidth=1.0, linestyle=(0, (3, 2)), zorder=1)
    zero_line(axes, vertical=True)
    for place, (kind, words) in enumerate(zip(rows["of"], rows["value"], strict=True)):
        if kind == HEAD:
            continue
        strong = kind == WHOLE
        colour, size = (BLUE, 6.0) if strong else (GREY, 4.5)
        axes.hlines(place, low[place], high[place], color=colour, linewidth=2.4 if strong else 1.5, zorder=2)
        axes.plot(value[place], place, "o", color=colour, markersize=size, markeredgecolor="white", zorder=3)
        axes.annotate(
            scale.words(words), (1, place), xycoords=("axes fraction", "data"), xytext=(4, 0), va="center_baseline",
            textcoords="offset points", fontsize=8, fontweight=600, color=colour, path_effects=halo(),
            annotation_clip=False,
        )  # fmt: skip
    _names(axes, rows)
    _across(axes, scale, np.concatenate([value, low, high]))
    axes.set_xlabel(text("figures.leave_one_out.x", language))
    return described(figure, _alternative(scale, published.frame, whole.value))


def _rows(frame: pd.DataFrame, effect: pd.DataFrame, names: Mapping[str, str], language: str) -> pd.DataFrame:
    """Return what stands in the picture from top to bottom, units in the order of their keys, with its words."""
    parts = [effect.head(1).assign(of=WHOLE, words=text("figures.leave_one_out.all", language))]
    for kind in KINDS:
        own = frame[frame["kind"] == kind].sort_values("unit", kind="stable")
        if len(own):
            head = pd.DataFrame({"of": [HEAD], "words": [text(f"figures.leave_one_out.{kind}", language)]})
            parts += [head, own.assign(of=kind, words=[wrapped(names.get(unit, unit), 34) for unit in own["unit"]])]
    columns = ["of", "words", "value", "conf_low", "conf_high"]
    return pd.concat([part.reindex(columns=columns) for part in parts], ignore_index=True)


def _names(axes: Any, rows: pd.DataFrame) -> None:
    axes.set_ylim(len(rows) - 0.4, -0.7)
    axes.set_yticks(range(len(rows)), rows["words"])
    for label, kind in zip(axes.get_yticklabels(), rows["of"], strict=True):
        label.set_color(GREY if kind == HEAD else INK)
        label.set_fontsize(8 if kind == HEAD else 8.5)
        label.set_fontweight(600 if kind == WHOLE else 400)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def _across(axes: Any, scale: ChangeAxis, shown: Any) -> None:
    """Show all intervals and zero, without an empty half on the other side of zero."""
    low, high = min(float(np.nanmin(shown)), 0.0), max(float(np.nanmax(shown)), 0.0)
    room = ROOM * (high - low)
    axes.set_xlim(low - room, high + room)
    scale.write(axes.xaxis, max(-low, high))
    axes.set_xlim(low - room, high + room)  # ticks beyond them have moved the limits


def _alternative(scale: ChangeAxis, frame: pd.DataFrame, whole: float | None) -> str:
    """Say between which values the effect moves when something is left out."""
    values = {
        "n": len(frame),
        "all": scale.words(whole),
        "low": scale.words(frame["value"].min()),
        "high": scale.words(frame["value"].max()),
    }
    return text("figures.leave_one_out.alt", scale.language, **values)
