"""Registered cases and sense of safety side by side: one point for each area and year, uncertainty both ways."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.alternative import described
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    MIDDLE,
    ORANGE,
    halo,
    in_house_style,
    new_figure,
    ratio_axis,
    spread,
)
from evaluation.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUADRANTS = ("less_higher", "more_higher", "less_lower", "more_lower")
OUTER = 0.7  # part of the half-width; farther out a name is written towards the middle


@in_house_style
def quadrants(
    registered: Published,
    perceived: Published,
    *,
    names: Mapping[str, str],
    language: str,
    not_meaningful: Collection[str] = (),
) -> "Figure":
    """Draw the change of registered cases against the change of the share feeling unsafe; one panel a year, stacked.

    Parameters
    ----------
    registered
        Keys ``area`` and ``year``; relative change of registered cases against the time before.
    perceived
        The same keys; change of the share feeling unsafe (0.05 is five percentage points more). The axis points
        down, so that up means a higher sense of safety.
    names
        Name of each area; only areas whose two intervals both clear zero are named.
    language
        Language of axes and numbers.
    not_meaningful
        Areas whose residents are no basis for a rate; drawn hollow and said so.
    """
    both = _on_logs(joined(registered, perceived))
    years = sorted(set(both["year"]))
    figure = new_figure(3.5 * len(years) + 0.3)
    panels = figure.subplots(len(years), 1, squeeze=False, sharey=True).ravel()
    across, down = _reach(both)
    for panel, year in zip(panels, years, strict=True):
        panel.set_xlim(-across, across)
        panel.set_ylim(down, -down)
        _points(panel, both[both["year"] == year], names, not_meaningful, language)
        _quadrant_words(panel, language)
        panel.set_title(str(year))
        ratio_axis(panel.xaxis, language, reach=across, most=9)
        points_axis(panel, language)
        panel.set_ylabel(text("figures.quadrants.y", language))
    panels[-1].set_xlabel(text("figures.quadrants.x", language))
    return described(figure, _alternative(both, names, not_meaningful, language))


def _alternative(both: pd.DataFrame, names: Mapping[str, str], not_meaningful: Collection[str], language: str) -> str:
    """Return kind of picture, axes and, by year, which areas clear zero both ways and where they lie."""
    hollow = both["area"].isin(list(not_meaningful))
    parts = [text("figures.quadrants.alt", language)]
    for year, rows in both[~hollow].groupby("year"):
        clear = rows[clears_both(rows)]
        form = "finding" if len(clear) else "finding_none"
        parts.append(text(f"figures.quadrants.{form}", language, year=str(year), n=len(rows), clear=len(clear)))
        for name in QUADRANTS:
            more, unsafe = name.startswith("more"), name.endswith("lower")
            inside = clear[(clear["value_x"] > 0).eq(more) & (clear["value_y"] > 0).eq(unsafe)]
            if len(inside):
                words = text(f"figures.quadrants.{name}", language).replace("\n", " ")
                parts.append(
                    f"{words[:1].upper()}{words[1:]}: {', '.join(names.get(area, area) for area in inside['area'])}."
                )
    shown = [names.get(area, area) for area in both.loc[hollow, "area"].drop_duplicates()]
    parts += [text("figures.quadrants.not_meaningful", language, name=name).replace("\n", " ") + "." for name in shown]
    return " ".join(parts)


def points_axis(axes: "Axes", language: str) -> None:
    """Write percentage points as more and less, so that no sign has to be turned around in the mind."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    def words(value: float, _: object) -> str:
        points = round(100 * value)
        if points == 0:
            return text("figures.quadrants.same", language)
        return text(f"figures.quadrants.{'more' if points > 0 else 'fewer'}", language, n=abs(points))

    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(words))


def joined(registered: Published, perceived: Published) -> pd.DataFrame:
    """Return the areas and years for which both values may be shown, columns of the second with ``_y``."""
    columns = ["area", "year", "value", "conf_low", "conf_high"]
    both = registered.frame[columns].merge(perceived.frame[columns], on=["area", "year"], suffixes=("_x", "_y"))
    return both[both["value_x"].notna() & both["value_y"].notna()].reset_index(drop=True)


def _on_logs(both: pd.DataFrame) -> pd.DataFrame:
    """Return the points with registered changes as log ratios, so that few large increases do not fill the picture."""
    columns = ["value_x", "conf_low_x", "conf_high_x"]
    return both.assign(**{name: np.log1p(both[name]) for name in columns})


def clears_both(points: pd.DataFrame) -> pd.Series:
    """Tell for each row of `joined` whether both intervals clear zero."""
    across = (points["conf_low_x"] > 0) | (points["conf_high_x"] < 0)
    return across & ((points["conf_low_y"] > 0) | (points["conf_high_y"] < 0))


def _reach(both: pd.DataFrame) -> tuple[float, float]:
    """Half-widths of the two axes: all points and most of their whiskers, with room for the quadrants' words."""
    wide = both[["conf_low_x", "conf_high_x"]].abs().max(axis=1).quantile(0.8)
    tall = both[["conf_low_y", "conf_high_y"]].abs().max(axis=1).quantile(0.8)
    across = max(1.05 * float(wide), 1.08 * float(both["value_x"].abs().max()))
    return across, 1.35 * max(float(tall), float(both["value_y"].abs().max()))


def _points(
    axes: "Axes", points: pd.DataFrame, names: Mapping[str, str], not_meaningful: Collection[str], language: str
) -> None:
    axes.axhline(0, color=INK, linewidth=0.9, zorder=1)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    hollow = points["area"].isin(list(not_meaningful))
    clear = clears_both(points) & ~hollow
    _crosses(axes, points[~clear & ~hollow], colour=MIDDLE, line=LIGHT, width=0.35)
    _crosses(axes, points[clear], colour=BLUE, line=BLUE, width=1.2)
    _crosses(axes, points[hollow], colour=ORANGE, line=ORANGE, width=1.0, face="white")
    _names(axes, points[clear], names)
    for row in points[hollow].itertuples():
        words = text("figures.quadrants.not_meaningful", language, name=names.get(row.area, row.area))
        left = row.value_x > 0
        axes.annotate(
            words, (row.value_x, row.value_y), xytext=(-6 if left else 6, -5), textcoords="offset points",
            ha="right" if left else "left", va="top", fontsize=7.5, color=ORANGE, path_effects=halo(), zorder=6,
        )  # fmt: skip


def _crosses(
    axes: "Axes", points: pd.DataFrame, *, colour: str, line: str, width: float, face: str | None = None
) -> None:
    strong = width > 0.8
    order = 3 if strong else 2
    axes.hlines(
        points["value_y"], points["conf_low_x"], points["conf_high_x"], color=line, linewidth=width, zorder=order
    )
    axes.vlines(
        points["value_x"], points["conf_low_y"], points["conf_high_y"], color=line, linewidth=width, zorder=order
    )
    axes.plot(
        points["value_x"], points["value_y"], "o", color=colour, markerfacecolor=face or colour,
        markersize=5 if strong else 3.6, zorder=4, linestyle="none",
    )  # fmt: skip


def _names(axes: "Axes", points: pd.DataFrame, names: Mapping[str, str]) -> None:
    for side in ("left", "right"):
        group = points[(points["value_x"] > 0) == (side == "right")]
        if group.empty:
            continue
        height = abs(axes.get_ylim()[0] - axes.get_ylim()[1])
        places = spread([float(value) for value in group["value_y"]], gap=height / 24)
        for row, place in zip(group.itertuples(), places, strict=True):
            # Away from the vertical axis, where the points lie close, unless the frame is near.
            left = (side == "left") == (abs(row.value_x) < OUTER * axes.get_xlim()[1])
            axes.annotate(
                names.get(row.area, row.area), (row.value_x, place), xytext=(-5 if left else 5, 5),
                textcoords="offset points", fontsize=8, ha="right" if left else "left", va="bottom", color=INK,
                path_effects=halo(), zorder=6,
            )  # fmt: skip


def _quadrant_words(axes: "Axes", language: str) -> None:
    for name in QUADRANTS:
        across, up = "left" if name.startswith("less") else "right", name.endswith("higher")
        axes.text(
            0.015 if across == "left" else 0.985, 0.988 if up else 0.012, text(f"figures.quadrants.{name}", language),
            transform=axes.transAxes, ha=across, va="top" if up else "bottom", fontsize=7.5, color=GREY,
            linespacing=1.15, path_effects=halo(), zorder=5,
        )  # fmt: skip
