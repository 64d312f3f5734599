"""Areas on the map: coloured only where the interval clears the line, and only those areas are named.

`change_map` shows relative changes of registered cases, `points_map` shares of a survey and their changes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.disclosure import Cell, Published
from evaluation.figures.alternative import described
from evaluation.figures.style import (
    BLUE,
    FAINT,
    GREY,
    INK,
    MIDDLE,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    halo,
    in_house_style,
    new_figure,
)
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEP = 0.2
"""Changes beyond 20 % have the full colour."""

_CLASSES = {
    "much_less": (BLUE, None),
    "less": (PALE_BLUE, None),
    "unclear": (FAINT, None),
    "more": (PALE_ORANGE, None),
    "much_more": (ORANGE, None),
    "meaningless": ("white", "////"),
    "missing": ("white", "...."),
}
POINTS = 0.1
"""Shares that are ten points off have the full colour; intervals that reach as far say nothing."""

_POINT_CLASSES = {
    "much_less": (BLUE, None),
    "less": (PALE_BLUE, None),
    "alike": (FAINT, None),
    "unknown": ("white", "//"),
    "more": (PALE_ORANGE, None),
    "much_more": (ORANGE, None),
    "missing": ("white", "...."),
}
_STROKES = {"doubtful": "white", "unknown": "#aab4bb"}
"""Colour of hatching that is not grey: what is not known stays in the background."""

_NAMED = ("much_less", "less", "more", "much_more")


@in_house_style
def change_map(
    published: Published,
    geometry: Any,
    *,
    names: Mapping[str, str],
    language: str,
    not_meaningful: Collection[str] = (),
    doubtful: Collection[str] = (),
) -> "Figure":
    """Draw the change of each area in five classes.

    Areas whose interval clears zero are named, with their number, so that the map reads without colours.

    Parameters
    ----------
    published
        Key ``area``; relative changes (-0.2 is 20 % fewer) with intervals.
    geometry
        GeoDataFrame with the columns ``area`` and ``geometry``.
    names
        Name of each area.
    language
        Language of legend and numbers.
    not_meaningful
        Areas whose residents are no basis for a rate; hatched and said so.
    doubtful
        Areas with a flagged value in one of the years compared; hatched over their colour.
    """
    values = published.frame.set_index("area")
    shapes = geometry.assign(kind=[_class(values, area, not_meaningful) for area in geometry["area"]])
    figure, axes, legend = _drawn(shapes, _CLASSES, legend=0.3)
    uncertain = shapes[shapes["area"].isin(list(doubtful)) & shapes["kind"].isin(_NAMED)]
    if len(uncertain):
        uncertain.plot(ax=axes, facecolor="none", edgecolor="white", linewidth=0, hatch="////", aspect=None)
    kinds = set(shapes["kind"]) | ({"doubtful"} if len(uncertain) else set()) | {"less", "unclear", "more"}
    classes = _CLASSES | {"doubtful": (MIDDLE, "////")}
    said = {name: text(f"figures.map.{name}", language, step=STEP) for name in classes if name in kinds}
    _legend(legend, {name: (*classes[name], words) for name, words in said.items()})
    clear = shapes[shapes["kind"].isin(_NAMED)]
    written = {area: format_value(float(values.loc[area, "value"]), "spct0", language) for area in clear["area"]}
    _names(axes, clear, {area: f"{names.get(area, area)} {number}" for area, number in written.items()})
    return figure


@in_house_style
def points_map(
    published: Published,
    geometry: Any,
    *,
    names: Mapping[str, str],
    language: str,
    line: Cell | None = None,
) -> "Figure":
    """Draw the unsafe share of each area against that of the city, or its change against before.

    Areas whose interval clears the line are coloured and named, with their number, so that the map reads without
    colours. Of the others, pale ones differ by less than ten points at most; hatched ones could differ by more and
    cannot be judged.

    Parameters
    ----------
    published
        Key ``area``; changes in the unit ``change_points``, or shares (of small-area estimates) in the unit ``share``.
    geometry
        GeoDataFrame with the columns ``area`` and ``geometry``.
    names
        Name of each area.
    language
        Language of legend and numbers.
    line
        Of shares: the share of the city, taken as known; of changes: none, the line is no change.

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> from shapely.geometry import box
    >>> from evaluation.disclosure import About, Rules, publish
    >>> shapes = geopandas.GeoDataFrame({"area": ["00", "01"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)])
    >>> frame = pd.DataFrame({"area": ["00", "01"], "value": [-0.1, 0.02], "conf_low": [-0.18, -0.06]})
    >>> frame["conf_high"] = [-0.02, 0.09]
    >>> about = About(id="survey.area_change", unit="change_points", source="Befragung")
    >>> changes = publish(frame, Rules(), about=about, keys=("area",), basis="answers", cases=60)
    >>> figure = points_map(changes, shapes, names={"00": "Zentrum", "01": "Mitte"}, language="en")
    >>> figure.get_label()[:104]
    'Map: change of the share “unsafe” in 2 areas. A decrease is statistically established in Zentrum and an '
    """
    kind, middle = ("change", 0.0) if line is None else ("level", float(line.value or 0.0))
    values = published.frame.set_index("area")
    shapes = geometry.assign(kind=[_points_class(values, area, middle) for area in geometry["area"]])
    figure, axes, legend = _drawn(shapes, _POINT_CLASSES, legend=0.36)
    clear = shapes[shapes["kind"].isin(_NAMED)]
    written = {area: _number(float(values.loc[area, "value"]), line, language) for area in clear["area"]}
    _names(axes, clear, {area: f"{names.get(area, area)} {number}" for area, number in written.items()})
    kinds = set(shapes["kind"]) | {"less", "alike", "more"}
    step: dict[str, Any] = {"step": 100 * POINTS, "line": middle}
    said = {
        name: text(f"survey_pictures.map.{name}" + ("" if name == "missing" else f"_{kind}"), language, **step)
        for name in _POINT_CLASSES
        if name in kinds
    }
    head = text(f"survey_pictures.map.head_{kind}", language, **step)
    _legend(legend, {name: (*_POINT_CLASSES[name], words) for name, words in said.items()}, head=head)
    return described(figure, _alternative(shapes, names, kind, step, language))


def _number(value: float, line: Cell | None, language: str) -> str:
    return format_value(100 * value, "snum0", language) if line is None else format_value(value, "pct0", language)


def _points_class(values: Any, area: str, line: float) -> str:
    """Return the class of an area: beside the line, within ten points of it, or unknown."""
    if area not in values.index or np.isnan(values.loc[area, "value"]):
        return "missing"
    value, low, high = (float(values.loc[area, name]) - line for name in ("value", "conf_low", "conf_high"))
    if np.isnan(low) or np.isnan(high):
        return "unknown"
    if low > 0 or high < 0:
        return ("much_" if abs(value) >= POINTS else "") + ("less" if value < 0 else "more")
    return "alike" if low > -POINTS and high < POINTS else "unknown"


def _alternative(shapes: Any, names: Mapping[str, str], kind: str, step: dict[str, Any], language: str) -> str:
    none = [text("survey_pictures.areas.none", language)]
    sides = {
        side: [names.get(area, area) for area in shapes.loc[shapes["kind"].isin(kinds), "area"].sort_values()] or none
        for side, kinds in (("fewer", ["much_less", "less"]), ("more", ["much_more", "more"]))
    }
    found = {name: int((shapes["kind"] == name).sum()) for name in ("alike", "unknown")}
    shown = int((shapes["kind"] != "missing").sum())
    return text(f"survey_pictures.map.alt_{kind}", language, n=shown, **sides, **found, **step)


def _drawn(shapes: Any, classes: Mapping[str, tuple[str, str | None]], *, legend: float) -> tuple["Figure", Any, Any]:
    """Return a figure with all shapes in the look of their class, its map and the axes of its legend."""
    _, south, _, north = shapes.total_bounds
    stretch = 1.0 if abs(north) > 90 else 1 / np.cos(np.radians((south + north) / 2))
    figure = new_figure(6.9 * 0.66)
    grid = figure.add_gridspec(1, 2, width_ratios=[1 - legend, legend])
    axes, beside = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    for kind, (colour, hatch) in classes.items():
        part = shapes[shapes["kind"] == kind]
        if len(part):
            part.plot(
                ax=axes,
                facecolor=colour,
                edgecolor="white" if hatch is None else _STROKES.get(kind, GREY),
                linewidth=0.7,
                hatch=hatch,
                aspect=None,
            )
    shapes.plot(ax=axes, facecolor="none", edgecolor="#8a949c", linewidth=0.4, aspect=None)
    axes.set_aspect(stretch)
    axes.set_axis_off()
    return figure, axes, beside


def _names(axes: Any, shapes: Any, names: Mapping[str, str]) -> None:
    """Write the names of areas, moved up or down until none covers another; a thin line leads back to the area."""
    if shapes.empty:
        return
    axes.figure.draw_without_rendering()
    points = [shape.representative_point() for shape in shapes.geometry]
    words = [names.get(area, area) for area in shapes["area"]]
    to_points = 72 / axes.figure.dpi
    spots = axes.transData.transform([(point.x, point.y) for point in points]) * to_points
    for word, point, spot, place in zip(words, points, spots, _apart(spots, words), strict=True):
        moved = place - spot[1]
        axes.annotate(
            word, (point.x, point.y), xytext=(0, moved), textcoords="offset points",
            ha="center", va="center", fontsize=7, color=INK, path_effects=halo(2.6), zorder=6,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.5} if abs(moved) > 6 else None,
        )  # fmt: skip


def _apart(spots: Any, words: Sequence[str], *, size: float = 7, gap: float = 9.5) -> list[float]:
    """Return the heights in points at which the words at `spots` do not cover each other.

    Examples
    --------
    >>> import numpy as np
    >>> _apart(np.array([[0.0, 0.0], [4.0, 1.5], [500.0, 0.0]]), ["Mitte", "Nord", "West"])
    [-4.0, 5.5, 0.0]
    """
    heights = [float(spot[1]) for spot in spots]
    reach = [0.28 * size * len(word) for word in words]
    pairs = [
        (low, high)
        for low in range(len(words))
        for high in range(len(words))
        if (heights[low], low) < (heights[high], high)
        and abs(float(spots[low][0] - spots[high][0])) < reach[low] + reach[high]
    ]
    for _ in range(200):
        missing = [(gap - (heights[high] - heights[low]), low, high) for low, high in pairs]
        worst, low, high = max(missing, default=(0.0, 0, 0))
        if worst < 1e-6:
            break
        heights[low] -= worst / 2
        heights[high] += worst / 2
    return heights


def _class(values: Any, area: str, not_meaningful: Collection[str]) -> str:
    if area in not_meaningful:
        return "meaningless"
    if area not in values.index or np.isnan(values.loc[area, "value"]):
        return "missing"
    value, low, high = (float(values.loc[area, name]) for name in ("value", "conf_low", "conf_high"))
    if not (low > 0 or high < 0):
        return "unclear"
    if value < 0:
        return "much_less" if value <= -STEP else "less"
    return "much_more" if value >= STEP else "more"


def _legend(axes: Any, looks: Mapping[str, tuple[str, str | None, str]], *, head: str = "") -> None:
    """Write a patch (colour, hatch) and its words for each class, below a heading."""
    from matplotlib.patches import Rectangle

    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 20)
    if head:
        axes.text(0, 19.6, head, va="top", fontsize=8.5, fontweight=600)
    for place, (kind, (colour, hatch, words)) in enumerate(looks.items()):
        top = (16.9 if head else 17.5) - 2.3 * place
        edge = _STROKES.get(kind, GREY)
        axes.add_patch(Rectangle((0, top), 1.3, 1.2, facecolor=colour, edgecolor=edge, linewidth=0.6, hatch=hatch))
        axes.text(1.8, top + 0.6, words, va="center", fontsize=8.5 if not head else 8, linespacing=1.15)
