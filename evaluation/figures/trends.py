"""Small multiples of yearly values, with the breaks of the series marked where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    in_house_style,
    new_figure,
    number_axis,
    spread,
    wrapped,
)
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADE = "#e9eff5"
"""Background of the years of the agreement."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A date at which a series is to be read with care.

    Parameters
    ----------
    year
        Year of the change; without a date the line stands between this year and the one before, except for an outlier.
    label
        Short text, which the report writes below the figure beside the mark's letter.
    series
        Series that the mark concerns; empty for all.
    outlier
        Whether a single year is marked, not a step.
    start
        Day of the change, where it is known.
    """

    year: int
    label: str
    series: tuple[str, ...] = ()
    outlier: bool = False
    start: date | None = None

    @property
    def place(self) -> float:
        """Return where the mark stands; the point of a year stands in its middle, so that it begins half a step before.

        Examples
        --------
        >>> Mark(year=2020, label="law", start=date(2020, 1, 1)).place, Mark(year=2020, label="x", outlier=True).place
        (2019.5, 2020.0)
        """
        if self.start is not None:
            days = (date(self.start.year + 1, 1, 1) - date(self.start.year, 1, 1)).days
            return self.start.year - 0.5 + (self.start.timetuple().tm_yday - 1) / days
        return float(self.year) if self.outlier else self.year - 0.5

    def concerns(self, name: str) -> bool:
        """Tell whether the mark belongs on the panel of series `name`."""
        return not self.series or name in self.series


@in_house_style
def trends(
    published: Published,
    *,
    titles: Mapping[str, str],
    language: str,
    since: int | None = None,
    marks: Sequence[Mark] = (),
    columns: int = 3,
) -> "Figure":
    """Draw one panel for each series of `published`, each with its own axis from zero.

    Parameters
    ----------
    published
        Keys ``outcome`` and ``period`` (years as text); one value each, with an interval where there is one.
    titles
        Title of each outcome.
    language
        Language of axes and numbers.
    since
        First year of the agreement.
    marks
        Breaks and outliers, each drawn with the letter of :func:`lettered`.
    columns
        Panels side by side.
    """
    names = list(dict.fromkeys(published.frame["outcome"]))
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(1.95 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    years = sorted({int(period) for period in published.frame["period"]})
    for panel, name in zip(panels, names, strict=False):
        panel.set_title(wrapped(titles.get(name, name), 30))
        _line(panel, _series(published, name), published.number, language, since=since)
        _axes(panel, years, published.number, language)
        _marks(panel, [(letter, mark) for letter, mark in lettered(marks) if mark.concerns(name)], columns)
        if since is not None and years[0] < since <= years[-1]:
            panel.axvspan(since - 0.5, years[-1] + 0.5, color=SHADE, linewidth=0, zorder=0)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    if since is not None and years[0] < since <= years[-1]:
        figure.supxlabel(text("figures.trends.since", language, year=since), fontsize=8, color=GREY)
    return figure


def lettered(marks: Sequence[Mark]) -> list[tuple[str, Mark]]:
    """Return the marks with the letters that they have in the figure, in the order in which they stand there."""
    return list(zip("abcdefghijklmnopqrstuvwxyz", sorted(marks, key=lambda mark: mark.place), strict=False))


def _series(published: Published, name: str) -> pd.DataFrame:
    frame = published.where(outcome=name).frame
    return frame.assign(year=frame["period"].astype(int)).sort_values("year")


def _line(axes: "Axes", series: pd.DataFrame, spec: str, language: str, *, since: int | None) -> None:
    if series["conf_low"].notna().any():
        axes.fill_between(series["year"], series["conf_low"], series["conf_high"], color=LIGHT, linewidth=0, zorder=1)
    axes.plot(series["year"], series["value"], color=BLUE, linewidth=1.8, marker="o", markersize=3.2, zorder=3)
    known, axes_start = series[series["value"].notna()], int(series["year"].min())
    if known.empty:
        return
    axes.set_ylim(0, 1.25 * float(max(known["value"].max(), known["conf_high"].fillna(0).max())) or 1)
    for row, side in ((known.iloc[0], "left"), (known.iloc[-1], "right")):
        axes.annotate(
            format_value(float(row["value"]), spec, language),
            (row["year"], row["value"]),
            xytext=(0, 6),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=8.5,
            fontweight=600,
            color=INK,
            bbox={
                "pad": 0.8,
                "linewidth": 0,
                "facecolor": SHADE if since and row["year"] >= since > axes_start else "white",
            },
            zorder=5,
        )


def _axes(axes: "Axes", years: list[int], spec: str, language: str) -> None:
    step = 1 if len(years) <= 7 else 2 if len(years) <= 10 else 6
    ticks = years[::-1][::step][::-1]
    axes.set_xticks(ticks, [str(year) for year in ticks])
    axes.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    axes.locator_params(axis="y", nbins=4)
    number_axis(axes.yaxis, "num1" if spec == "num1" and axes.get_ylim()[1] < 4 else _tick_format(spec), language)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def _tick_format(spec: str) -> str:
    return {"num1": "num0", "num2": "num1", "pct1": "pct0", "int": "int"}.get(spec, spec)


def _marks(axes: "Axes", marks: list[tuple[str, Mark]], columns: int) -> None:
    """Draw a dashed line with its letter for each mark; letters stand in one row above the values, moved apart."""
    low, high = axes.get_xlim()
    inside = [(letter, mark.place) for letter, mark in marks if low <= mark.place <= high]
    if not inside:
        return
    top = axes.get_ylim()[1]
    axes.set_ylim(0, 1.3 * top)
    gap = 0.034 * columns * (high - low)
    spots = spread([place for _, place in inside], gap)
    shift = max(0.0, low + gap / 2 - min(spots)) - max(0.0, max(spots) - high + gap / 2)
    style: dict[str, Any] = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": ORANGE, "linewidth": 0.8}
    dashes: dict[str, Any] = {"color": ORANGE, "linewidth": 0.9, "zorder": 2}
    for (letter, place), spot in zip(inside, spots, strict=True):
        axes.plot([place, place], [0, 1.06 * top], linestyle=(0, (3, 2)), **dashes)
        axes.plot([place, spot + shift], [1.06 * top, 1.2 * top], **dashes)
        axes.text(
            spot + shift, 1.2 * top, letter, ha="center", va="center", fontsize=7.5, color=ORANGE, bbox=style, zorder=6
        )
