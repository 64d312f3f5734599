"""Change of the share feeling unsafe in every area, in the order of the keys; never a rank list."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.alternative import beside_zero, described
from evaluation.figures.quadrants import points_axis
from evaluation.figures.style import BLUE, GREY, INK, LIGHT, MIDDLE, halo, in_house_style, new_figure, zero_line
from evaluation.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOM = 1.3
"""Names stand beyond the intervals."""
LETTER = 0.0062
"""Width of a letter as a part of the picture."""


@in_house_style
def area_changes(
    published: Published, *, names: Mapping[str, str], language: str, districts: Mapping[str, str] | None = None
) -> "Figure":
    """Draw the change of the unsafe share of each area with its interval; up is safer.

    Areas stand in the order of their keys, because an order by size would be a rank list of chance. Only areas whose
    interval clears zero are named. Points from few answers are hollow; areas without a published value are counted.

    Parameters
    ----------
    published
        Key ``area``; unit ``change_points`` (0.05 is five percentage points more), intervals of single areas.
    names
        Name of each area.
    language
        Language of axes and numbers.
    districts
        Name of the district of each area, drawn below the areas; areas of one district follow each other.

    Examples
    --------
    >>> from evaluation.disclosure import About, Rules, publish
    >>> frame = pd.DataFrame({"area": ["00", "01"], "value": [-0.1, 0.02], "conf_low": [-0.18, -0.06]})
    >>> frame["conf_high"] = [-0.02, 0.1]
    >>> about = About(id="survey.area_change", unit="change_points", source="Befragung")
    >>> changes = publish(frame, Rules(), about=about, keys=("area",), basis="answers", cases=60)
    >>> figure = area_changes(changes, names={"00": "Zentrum", "01": "Mitte"}, language="en")
    >>> figure.get_label()[-87:]
    'established in Zentrum and an increase in no area; in 1 of them nothing is established.'
    """
    frame = published.frame.sort_values("area", ignore_index=True)
    frame = frame.assign(at=frame.index.astype(float), clear=beside_zero(frame) & frame["value"].notna())
    figure = new_figure(3.7)
    axes = figure.subplots()
    known = frame[frame["value"].notna()]
    reach = ROOM * float(known[["conf_low", "conf_high"]].abs().max().max()) if len(known) else 0.1
    axes.set_xlim(-0.8, len(frame) - 0.2)
    axes.set_ylim(reach, -reach)
    zero_line(axes)
    _points(axes, known[~known["clear"]], colour=MIDDLE, line=LIGHT, width=1.0)
    _points(axes, known[known["clear"]], colour=BLUE, line=BLUE, width=1.8)
    _name(axes, known[known["clear"]], names)
    _districts(axes, frame, districts)
    points_axis(axes, language)
    axes.locator_params(axis="y", nbins=7)
    axes.set_ylabel(text("survey_pictures.areas.y", language))
    axes.set_xlabel(text(f"survey_pictures.areas.{'x' if districts else 'x_plain'}", language), fontsize=7.5)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.grid(axis="y")
    _legend(figure, frame, language)
    return described(figure, _alternative(frame, names, language))


def _points(axes: "Axes", rows: pd.DataFrame, *, colour: str, line: str, width: float) -> None:
    axes.vlines(rows["at"], rows["conf_low"], rows["conf_high"], color=line, linewidth=width, zorder=2 + width / 10)
    for few, face in ((False, colour), (True, "white")):
        part = rows[rows["flagged"] == few]
        axes.plot(
            part["at"], part["value"], "o", color=colour, markerfacecolor=face, markersize=2.2 + width,
            markeredgewidth=0.9, linestyle="none", zorder=4,
        )  # fmt: skip


def _name(axes: "Axes", rows: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Write the names of areas at the far end of their interval, on levels of their own where they would collide."""
    across = axes.get_xlim()[1] - axes.get_xlim()[0]
    for safer in (True, False):
        levels: list[float] = []
        for row in rows[(rows["value"] < 0) == safer].itertuples():
            words = names.get(str(row.area), str(row.area))
            half = LETTER * across * len(words) + 0.4
            centre = min(max(float(row.at), half - 0.8), across - half - 0.8)
            level = next((n for n, end in enumerate(levels) if centre - half > end), len(levels))
            levels[level : level + 1] = [centre + half]
            end = row.conf_low if safer else row.conf_high
            axes.annotate(
                words, (row.at, end), xytext=(centre, (-1 if safer else 1) * (0.97 - 0.1 * level)),
                textcoords=("data", _fraction(axes)), ha="center", va="top" if safer else "bottom",
                fontsize=7.5, color=INK, path_effects=halo(), zorder=6, annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": BLUE, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 1},
            )  # fmt: skip


def _fraction(axes: "Axes") -> Any:
    """Return heights from -1 (top: safer) to 1 (bottom) of the axes."""
    from matplotlib.transforms import Affine2D

    return Affine2D().scale(1, -0.5).translate(0, 0.5) + axes.transAxes


def _districts(axes: "Axes", frame: pd.DataFrame, districts: Mapping[str, str] | None) -> None:
    """Part the areas by district with a thin line, and name the districts below."""
    axes.set_xticks([])
    if not districts:
        return
    of_area = [districts.get(str(area), "") for area in frame["area"]]
    ends = [-0.5, *(k + 0.5 for k, (one, two) in enumerate(pairwise(of_area)) if one != two), len(frame) - 0.5]
    for end in ends[1:-1]:
        axes.axvline(end, color=LIGHT, linewidth=0.7, zorder=0)
    middles = [(low + high) / 2 for low, high in pairwise(ends)]
    axes.set_xticks(middles, [of_area[int(low + 0.5)] for low in ends[:-1]], fontsize=7)
    axes.tick_params(axis="x", length=0)


def _legend(figure: "Figure", frame: pd.DataFrame, language: str) -> None:
    from matplotlib.lines import Line2D

    known = frame[frame["value"].notna()]
    handles = [
        Line2D([], [], marker="o", color=colour, markersize=size, linewidth=width, label=_say(key, language))
        for key, colour, size, width, shown in (
            ("clear", BLUE, 4.0, 1.8, known["clear"].any()),
            ("unclear", MIDDLE, 3.2, 1.0, True),
        )
        if shown
    ]
    if known["flagged"].any():
        look: dict[str, Any] = {"marker": "o", "markersize": 3.6, "markerfacecolor": "white", "linewidth": 0}
        handles.append(Line2D([], [], color=GREY, label=_say("few", language), **look))
    hidden = int(frame["value"].isna().sum())
    if hidden:
        key = "hidden_one" if hidden == 1 else "hidden"
        handles.append(Line2D([], [], linewidth=0, label=text(f"survey_pictures.areas.{key}", language, n=hidden)))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, fontsize=7.5, columnspacing=1.2,
        handlelength=1.3,
    )  # fmt: skip


def _say(key: str, language: str) -> str:
    return text(f"survey_pictures.areas.{key}", language)


def _alternative(frame: pd.DataFrame, names: Mapping[str, str], language: str) -> str:
    clear = frame[frame["clear"]]
    sides = {
        side: [names.get(area, area) for area in clear.loc[(clear["value"] < 0) == (side == "fewer"), "area"]]
        or [_say("none", language)]
        for side in ("fewer", "more")
    }
    known = int(frame["value"].notna().sum())
    return text("survey_pictures.areas.alt", language, n=known, unclear=known - len(clear), **sides)
