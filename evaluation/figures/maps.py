"""Change by area on the map: coloured only where the interval clears zero, and only those areas are named."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.disclosure import Published
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
    _, south, _, north = shapes.total_bounds
    stretch = 1.0 if abs(north) > 90 else 1 / np.cos(np.radians((south + north) / 2))
    figure = new_figure(6.9 * 0.66)
    grid = figure.add_gridspec(1, 2, width_ratios=[0.7, 0.3])
    axes, legend = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    for kind, (colour, hatch) in _CLASSES.items():
        part = shapes[shapes["kind"] == kind]
        if len(part):
            part.plot(
                ax=axes,
                facecolor=colour,
                edgecolor="white" if hatch is None else GREY,
                linewidth=0.7,
                hatch=hatch,
                aspect=None,
            )
    shapes.plot(ax=axes, facecolor="none", edgecolor="#8a949c", linewidth=0.4, aspect=None)
    uncertain = shapes[shapes["area"].isin(list(doubtful)) & shapes["kind"].isin(_NAMED)]
    if len(uncertain):
        uncertain.plot(ax=axes, facecolor="none", edgecolor="white", linewidth=0, hatch="////", aspect=None)
    axes.set_aspect(stretch)
    axes.set_axis_off()
    kinds = set(shapes["kind"]) | ({"doubtful"} if len(uncertain) else set())
    _legend(legend, kinds, language)
    _names(axes, shapes[shapes["kind"].isin(_NAMED)], names)
    return figure


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


def _legend(axes: Any, kinds: set[str], language: str) -> None:
    from matplotlib.patches import Rectangle

    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 20)
    classes = _CLASSES | {"doubtful": (MIDDLE, "////")}
    for place, kind in enumerate(kind for kind in classes if kind in kinds or kind in {"less", "unclear", "more"}):
        colour, hatch = classes[kind]
        top = 17.5 - 2.3 * place
        axes.add_patch(
            Rectangle(
                (0, top),
                1.3,
                1.2,
                facecolor=colour,
                edgecolor="white" if kind == "doubtful" else GREY,
                linewidth=0.6,
                hatch=hatch,
            )
        )
        axes.text(
            1.8,
            top + 0.6,
            text(f"figures.map.{kind}", language, step=STEP),
            va="center",
            fontsize=8.5,
            linespacing=1.15,
        )
