"""Small multiples of yearly values, with the breaks of the series marked where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    halo,
    in_house_style,
    new_figure,
    number_axis,
    wrapped,
)
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A date at which a series is to be read with care.

    Parameters
    ----------
    year
        Year of the change; the line stands between this year and the one before, except for an outlier.
    label
        Short text, which the report writes below the figure beside the mark's letter.
    series
        Series that the mark concerns; empty for all.
    outlier
        Whether a single year is marked, not a step.
    """

    year: int
    label: str
    series: tuple[str, ...] = ()
    outlier: bool = False

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
        _line(panel, _series(published, name), published.number, language)
        _axes(panel, years, published.number, language)
        _since(panel, since, years, language, named=panel is panels[0])
        _marks(panel, [(letter, mark) for letter, mark in lettered(marks) if mark.concerns(name)])
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    return figure


def lettered(marks: Sequence[Mark]) -> list[tuple[str, Mark]]:
    """Return the marks with the letters that they have in the figure."""
    return list(zip("abcdefghijklmnopqrstuvwxyz", marks, strict=False))


def _series(published: Published, name: str) -> pd.DataFrame:
    frame = published.where(outcome=name).frame
    return frame.assign(year=frame["period"].astype(int)).sort_values("year")


def _line(axes: "Axes", series: pd.DataFrame, spec: str, language: str) -> None:
    if series["conf_low"].notna().any():
        axes.fill_between(series["year"], series["conf_low"], series["conf_high"], color=LIGHT, linewidth=0, zorder=1)
    axes.plot(series["year"], series["value"], color=BLUE, linewidth=1.8, marker="o", markersize=3.2, zorder=3)
    known = series[series["value"].notna()]
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
            path_effects=halo(),
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


def _since(axes: "Axes", since: int | None, years: list[int], language: str, *, named: bool) -> None:
    if since is None or not years[0] < since <= years[-1]:
        return
    axes.axvspan(since - 0.5, years[-1] + 0.5, color="#f1f5f9", zorder=0)
    if named:
        late = since - years[0] > (years[-1] - years[0]) / 2
        axes.annotate(
            text("figures.trends.since", language, year=since),
            (years[-1] + 0.5 if late else since - 0.5, 0),
            xytext=(-3 if late else 3, 3),
            ha="right" if late else "left",
            textcoords="offset points",
            fontsize=7.5,
            color=GREY,
            zorder=4,
        )


def _marks(axes: "Axes", marks: list[tuple[str, Mark]]) -> None:
    """Draw a dashed line with its letter for each mark, above the values; letters that would collide are staggered."""
    low, high = axes.get_xlim()
    placed: list[tuple[float, int, str]] = []
    for letter, mark in marks:
        place = mark.year if mark.outlier else mark.year - 0.5
        if low <= place <= high:
            level = sum(abs(place - other) < (high - low) / 9 for other, _, _ in placed)
            placed.append((place, level, letter))
    if not placed:
        return
    lines = 1 + max(level for _, level, _ in placed)
    axes.set_ylim(0, axes.get_ylim()[1] * (1 + 0.17 * lines))
    style: dict[str, Any] = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": ORANGE, "linewidth": 0.8}
    for place, level, letter in placed:
        axes.axvline(place, color=ORANGE, linewidth=0.9, linestyle=(0, (3, 2)), zorder=2)
        axes.text(
            place, 0.985 - 0.14 * level, letter, transform=axes.get_xaxis_transform(), ha="center", va="top",
            fontsize=7.5, color=ORANGE, bbox=style, zorder=6,
        )  # fmt: skip
