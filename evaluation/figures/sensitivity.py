"""How far trends may differ before an effect is no longer established: the robust interval by restriction."""

from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.disclosure import Published
from evaluation.figures.alternative import beside_zero, described
from evaluation.figures.change_axis import ChangeAxis, decimals, open_ends
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE_BLUE,
    halo,
    in_house_style,
    new_figure,
    number_axis,
    zero_line,
)
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDEST = float(np.log(4))
BEYOND_FIRST = 3.0
"""Intervals wider than a quarter to four times, and than so many times the first one, run out of the picture."""


@in_house_style
def sensitivity_curve(published: Published, *, language: str) -> "Figure":
    """Draw the robust interval for every allowed deviation of trends, and where it begins to contain no effect.

    Parameters
    ----------
    published
        Of :func:`evaluation.diagnostics.sensitivity`: key ``m``, with its facts.
    language
        Language of axes and numbers.
    """
    scale = ChangeAxis(published=published, language=language)
    frame = published.frame.sort_values("m").reset_index(drop=True)
    steps = frame["m"].to_numpy(dtype=float)
    value, low, high = scale.columns(frame)
    first = 0 if np.isfinite(low[0]) else slice(None)
    widest = max(WIDEST if scale.relative else 0.0, BEYOND_FIRST * scale.reach(value[first], low[first], high[first]))
    reach = min(scale.reach(value, low, high), widest)
    low, high = open_ends(low, high, 2 * reach)
    figure = new_figure(2.7)
    axes = figure.subplots()
    clear = beside_zero(frame).to_numpy()
    _band(axes, steps, (low, high), float(published.facts["breakdown"]))
    zero_line(axes)
    axes.vlines(steps, low, high, color=np.where(clear, BLUE, GREY), linewidth=2.0, zorder=3)
    axes.scatter(steps, value, color=np.where(clear, BLUE, GREY), s=26, edgecolor="white", linewidth=0.8, zorder=4)
    axes.set_ylim(-reach, reach)
    room = 0.03 * max(float(steps[-1]), 1e-9)
    axes.set_xlim(-room, steps[-1] + room)
    _breakdown(axes, published, bool(clear.all()), language)
    axes.set_xlabel(text(f"figures.sensitivity.x_{published.facts['restriction']}", language))
    axes.set_ylabel(text("figures.sensitivity.y", language))
    scale.write(axes.yaxis, reach)
    axes.locator_params(axis="x", nbins=6, steps=[1, 2, 5, 10])
    number_axis(axes.xaxis, f"num{decimals(axes.xaxis)}", language)
    axes.grid(axis="y")
    return described(figure, _alternative(published, scale, frame))


def _band(axes: Any, steps: Any, ends: tuple[Any, Any], breakdown: float) -> None:
    """Fill what lies between the intervals, blue as far as they exclude no effect."""
    known = np.isfinite(ends[0]) & np.isfinite(ends[1])
    if not known.any():
        return
    fine = np.unique(np.append(np.linspace(steps[known][0], steps[known][-1], 400), breakdown))
    fine = fine[np.isfinite(fine)]
    low, high = (np.interp(fine, steps[known], end[known]) for end in ends)
    axes.fill_between(fine, low, high, color=LIGHT, alpha=0.6, linewidth=0, zorder=1)
    if np.isfinite(breakdown):
        inside = fine <= breakdown
        axes.fill_between(fine, low, high, where=inside, color=PALE_BLUE, alpha=0.6, linewidth=0, zorder=1.2)


def _breakdown(axes: Any, published: Published, always: bool, language: str) -> None:
    """Mark the largest deviation at which no effect is still excluded, and say what the picture shows."""
    breakdown = float(published.facts["breakdown"])
    key, colour = "beyond" if always else "breakdown", ORANGE
    if not np.isfinite(breakdown):
        key, colour = "never", GREY
    elif not always:
        axes.axvline(breakdown, color=ORANGE, linewidth=1.1, linestyle=(0, (3, 2)), zorder=2)
    words = text(f"figures.sensitivity.{key}", language, m=_written(breakdown, language))
    left = np.isfinite(breakdown) and not always and breakdown > 0.6 * axes.get_xlim()[1]
    at = breakdown if key == "breakdown" else axes.get_xlim()[0]
    axes.annotate(
        words, (at, 1), xycoords=("data", "axes fraction"), xytext=(-5 if left else 5, -3),
        textcoords="offset points", ha="right" if left else "left", va="top", fontsize=8, fontweight=600,
        color=INK if key == "beyond" else colour, linespacing=1.15, path_effects=halo(), zorder=6,
    )  # fmt: skip


def _written(m: float, language: str) -> str:
    return format_value(m, "num2" if m >= 0.1 or m == 0 else "num3", language)


def _alternative(published: Published, scale: ChangeAxis, frame: Any) -> str:
    """Say up to which deviation no effect is excluded, and the interval without any."""
    breakdown, always = float(published.facts["breakdown"]), bool(beside_zero(frame).all())
    key = "never" if not np.isfinite(breakdown) else "beyond" if always else "breakdown"
    said = text(f"figures.sensitivity.{key}", scale.language, m=_written(breakdown, scale.language))
    first = frame.iloc[0]
    values = {"low": scale.words(first["conf_low"]), "high": scale.words(first["conf_high"])}
    return text("figures.sensitivity.alt", scale.language, finding=said.replace("\n", " "), **values)
