"""Sense of safety: shares with intervals by wave, one panel a question."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
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


@in_house_style
def shares(
    published: Published,
    *,
    titles: Mapping[str, str],
    language: str,
    mode_changes: Collection[str] = (),
    segments: Mapping[str, Sequence[Sequence[str]]] | None = None,
    columns: int = 3,
) -> "Figure":
    """Draw for each item the share in every wave with its 95 % interval.

    Parameters
    ----------
    published
        Keys ``item`` and ``wave``.
    titles
        Title of each item (question and place).
    language
        Language of axes and numbers.
    mode_changes
        Waves from which people were asked in another way; the report says below the figure how.
    segments
        For items whose question changed: the waves in parts within which it is the same. The line breaks between them.
    columns
        Panels side by side.
    """
    names = list(dict.fromkeys(published.frame["item"]))
    waves = sorted(set(published.frame["wave"]))
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(2.15 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    top = float(published.frame[["value", "conf_high"]].max().max())
    for panel, name in zip(panels, names, strict=False):
        parts = (segments or {}).get(name, ())
        _panel(panel, _with_parts(published.where(item=name).frame, parts), waves, language)
        panel.set_title(wrapped(titles.get(name, name), 30))
        panel.set_ylim(0, min(1.0, 1.25 * top))
        panel.yaxis.set_tick_params(labelleft=True)
        for wave in mode_changes:
            if wave in waves:
                panel.axvline(waves.index(wave) - 0.5, color=ORANGE, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    return figure


def _with_parts(frame: pd.DataFrame, parts: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return the shares with the number of the part that their wave belongs to."""
    number = {wave: place for place, part in enumerate(parts) for wave in part}
    return frame.assign(part=[number.get(wave, 0) for wave in frame["wave"]])


def _panel(axes: "Axes", frame: pd.DataFrame, waves: list[str], language: str) -> None:
    frame = frame.assign(at=[waves.index(wave) for wave in frame["wave"]]).sort_values("at")
    known = frame[frame["value"].notna()]
    for _, together in known.groupby("part", sort=False):
        axes.plot(together["at"], together["value"], color=BLUE, linewidth=0.9, alpha=0.45, zorder=2)
    axes.vlines(known["at"], known["conf_low"], known["conf_high"], color=PALE_BLUE, linewidth=7, zorder=3)
    axes.plot(known["at"], known["value"], "o", color=BLUE, markersize=3.6, zorder=4)
    for row in known.itertuples():
        axes.annotate(
            format_value(float(row.value), "pct0", language),
            (row.at, row.conf_high),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8.5,
            fontweight=600,
            color=INK,
            path_effects=halo(),
            zorder=5,
        )
    for row in frame[frame["value"].isna()].itertuples():
        axes.annotate(
            text("figures.missing", language),
            (row.at, 0),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=GREY,
        )
    axes.set_xticks(range(len(waves)), waves)
    axes.set_xlim(-0.6, len(waves) - 0.4)
    number_axis(axes.yaxis, "pct0", language)
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
