"""Rates with and without the measure as they were registered, and what was to be expected without it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.alternative import described
from evaluation.figures.change_axis import decimals
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    PALE_BLUE,
    halo,
    in_house_style,
    new_figure,
    number_axis,
    spread,
    wrapped,
)
from evaluation.texts import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKS: Mapping[str, dict[str, Any]] = {
    "comparison": {"color": GREY, "linewidth": 1.2},
    "expected": {"color": INK, "linewidth": 1.3, "linestyle": (0, (4, 2))},
    "treated": {"color": BLUE, "linewidth": 1.9},
}


@in_house_style
def raw_trends(published: Published, *, language: str) -> "Figure":
    """Draw the rates of areas with the measure and of comparison areas, and the expected rates since the start.

    Parameters
    ----------
    published
        Of :func:`evaluation.diagnostics.raw_trends`: keys ``series`` and ``period``, with its facts.
    language
        Language of axes and numbers.
    """
    wide, facts = _by_period(published), published.facts
    figure = new_figure(2.9)
    axes = figure.subplots()
    places = np.arange(len(wide))
    firsts = [wide.index.get_loc(period) for period in facts["starts"] if period in wide.index]
    if "expected" in wide:
        axes.fill_between(
            places, wide["treated"], wide["expected"], where=places >= firsts[0] - 1, color=PALE_BLUE, alpha=0.45,
            linewidth=0, zorder=1,
        )  # fmt: skip
    for name, look in LOOKS.items():
        if name in wide:
            axes.plot(places, wide[name], zorder=3, solid_joinstyle="round", **look)
    top = float(np.nanmax(wide.to_numpy(dtype=float)))
    axes.set_ylim(0, 1.18 * top)
    axes.set_xlim(-0.5, len(wide) - 0.5)
    _starts(axes, firsts, list(facts["starts"].values()), language)
    _names(axes, wide, language)
    _years(axes, list(wide.index))
    kind = "rate" if facts["rate"] else "cases"
    axes.set_ylabel(text(f"figures.raw_trends.y_{kind}_{facts['period']}", language))
    axes.locator_params(axis="y", nbins=6, steps=[1, 2, 5, 10])
    number_axis(axes.yaxis, f"num{decimals(axes.yaxis)}", language)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    return described(figure, _alternative(published, wide, language))


def _by_period(published: Published) -> pd.DataFrame:
    """Return one column a series and one row a period, in the order of time.

    The period before the first start is expected to have what it has, so that the two lines part there.
    """
    series = published.frame.set_index("period").groupby("series")["value"]
    wide = pd.DataFrame({str(name): values for name, values in series}).sort_index()
    earlier = [period for period in wide.index if period < min(published.facts["starts"])]
    if "expected" in wide and earlier:
        wide.loc[earlier[-1], "expected"] = wide.loc[earlier[-1], "treated"]
    return wide


def _starts(axes: Any, places: list[int], areas: list[int], language: str) -> None:
    """Draw a line half a step before each first period with the measure, and say where it began."""
    height = axes.get_ylim()[1]
    for place in places:
        axes.plot([place - 0.5, place - 0.5], [0, height], color=GREY, linewidth=0.8, linestyle=(0, (1, 2)), zorder=2)
    key = "start" if len(places) == 1 else "starts"
    words = text(f"figures.raw_trends.{key}", language, n=sum(areas), steps=len(places))
    axes.annotate(
        words, (places[0] - 0.5, height), xytext=(-6, -2), textcoords="offset points", ha="right", va="top",
        fontsize=8, multialignment="right", color=GREY, linespacing=1.15, path_effects=halo(), zorder=5,
    )  # fmt: skip


def _names(axes: Any, wide: pd.DataFrame, language: str) -> None:
    """Write the name of each line behind its end, moved apart where lines end close to each other."""
    ends = {name: wide[name].dropna() for name in LOOKS if name in wide}
    ends = {name: series for name, series in ends.items() if len(series)}
    gap = axes.get_ylim()[1] * 0.135
    for (name, _), place in zip(
        ends.items(), spread([float(series.iloc[-1]) for series in ends.values()], gap), strict=True
    ):
        axes.annotate(
            wrapped(text(f"figures.raw_trends.{name}", language), 17), (1, place), xytext=(5, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=8, fontweight=600,
            va="center", color=LOOKS[name]["color"], linespacing=1.1, annotation_clip=False,
        )  # fmt: skip


def _years(axes: Any, periods: list[str]) -> None:
    """Write each year below its periods, with a tick where it begins."""
    years = [period[:4] for period in periods]
    first = [years.index(year) for year in dict.fromkeys(years)]
    ends = [*first[1:], len(periods)]
    if len(first) == len(periods):
        step = 1 if len(periods) <= 12 else 2
        axes.set_xticks(first[::-1][::step][::-1], list(dict.fromkeys(years))[::-1][::step][::-1])
        return
    axes.set_xticks([place - 0.5 for place in first], [""] * len(first))
    axes.set_xticks([(a + b - 1) / 2 for a, b in zip(first, ends, strict=True)], list(dict.fromkeys(years)), minor=True)
    axes.tick_params(axis="x", which="minor", length=0)


def _alternative(published: Published, wide: pd.DataFrame, language: str) -> str:
    """Say in how many periods since the start there were fewer cases than expected."""
    first = min(published.facts["starts"])
    both = wide.loc[wide.index >= first].dropna() if "expected" in wide else wide.iloc[:0]
    fewer = int((both["treated"] < both["expected"]).sum()) if len(both) else 0
    unit = text(f"figures.raw_trends.unit_{published.facts['period']}", language)
    return text("figures.raw_trends.alt", language, unit=unit, n=len(both), fewer=fewer)
