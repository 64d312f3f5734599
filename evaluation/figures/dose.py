"""How much of a measure was planned and done, year by year."""

from typing import TYPE_CHECKING

import numpy as np

from evaluation.disclosure import Published
from evaluation.figures.style import BLUE, GREY, INK, halo, in_house_style, new_figure, number_axis
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_house_style
def planned_and_done(published: Published, *, unit: str, language: str) -> "Figure":
    """Draw a bar for what was done and a line across it for what was planned.

    Parameters
    ----------
    published
        Keys ``state`` (``planned``, ``done``) and ``period`` (years).
    unit
        Unit of the values in words.
    language
        Language of axes and numbers.
    """
    known = published.frame[published.frame["value"].notna()]
    years = sorted(set(known["period"]))
    done = [published.cell(state="done", period=year).value for year in years]
    planned = [published.cell(state="planned", period=year).value for year in years]
    figure = new_figure(1.9)
    axes = figure.subplots()
    heights = np.array([np.nan if value is None else value for value in done])
    axes.bar(range(len(years)), heights, width=0.5, color=BLUE)
    for place, value in enumerate(planned):
        if value is not None:
            axes.hlines(value, place - 0.38, place + 0.38, color=INK, linewidth=2)
    for place, value in enumerate(done):
        if value is not None:
            label = format_value(value, _short(published.number), language)
            axes.annotate(
                label,
                (place, 0),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color="white",
                fontweight=600,
            )
    _words(axes, planned, done, language)
    axes.set_xticks(range(len(years)), years)
    axes.set_xlim(-0.6, max(len(years), 5) - 0.3)
    axes.set_ylim(0, 1.2 * max([value for value in (*planned, *done) if value is not None]))
    axes.set_ylabel(unit)
    axes.locator_params(axis="y", nbins=4)
    number_axis(axes.yaxis, _short(published.number), language)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    return figure


def _short(number: str) -> str:
    return {"num1": "num0", "num2": "num1", "pct1": "pct0"}.get(number, number)


def _words(axes: object, planned: list[float | None], done: list[float | None], language: str) -> None:
    """Name the line and the bar at the last year that has both."""
    both = [place for place, pair in enumerate(zip(planned, done, strict=True)) if None not in pair]
    if not both:
        return
    last = both[-1]
    line, bar = planned[last], done[last]
    for value, key, colour, where in (
        (line, "planned", GREY, "bottom"),
        (bar, "done", BLUE, "top"),
    ):
        axes.annotate(  # type: ignore[attr-defined]
            text(f"figures.dose.{key}", language), (last + 0.42, value), xytext=(2, 0), textcoords="offset points",
            fontsize=8, color=colour, va=where, annotation_clip=False, path_effects=halo(),
        )  # fmt: skip
