"""How every figure looks: size, typeface, colours, German or English axes; nothing here knows what is shown.

Blue and orange are told apart by people with any of the common colour vision deficiencies and keep a contrast of at
least 4.5:1 on white. Figures are made without pyplot, so that no state is shared between them.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1d252c"
BLUE = "#1c5a94"
PALE_BLUE = "#9cc1e0"
ORANGE = "#b04a00"
PALE_ORANGE = "#f2b27a"
GREY = "#5a6670"
MIDDLE = "#8d979f"
LIGHT = "#d5dbe0"
FAINT = "#eef1f4"

WIDTH = 6.9
"""Width of a figure in inches: the text column of an A4 page."""

FAMILY = "IBM Plex Sans"

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _family() -> str:
    """Register the typeface that ships with the package and return its name."""
    from matplotlib import font_manager

    from evaluation.fonts import font_files

    for path in font_files():
        font_manager.fontManager.addfont(str(path))
    return FAMILY


def _settings() -> Any:
    return {
        "font.family": _family(),
        "font.size": 9,
        "text.color": INK,
        "axes.labelcolor": GREY,
        "axes.labelsize": 8.5,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9.5,
        "axes.titleweight": 600,
        "axes.titlelocation": "left",
        "axes.titlecolor": INK,
        "axes.axisbelow": True,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "xtick.major.size": 3,
        "ytick.major.size": 0,
        "grid.color": LIGHT,
        "grid.linewidth": 0.6,
        "hatch.linewidth": 0.6,
        "svg.fonttype": "path",
        "svg.hashsalt": "kooperation-evaluation",
        "figure.dpi": 100,
        "savefig.facecolor": "white",
    }


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the look of the report inside a ``with`` block."""
    import matplotlib as mpl

    with mpl.rc_context(_settings()):
        yield


def in_house_style(draw: Callable[P, R]) -> Callable[P, R]:
    """Make `draw` apply the look of the report to everything it creates."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        with house_style():
            return draw(*args, **kwargs)

    return styled


def new_figure(height: float, *, width: float = WIDTH) -> "Figure":
    """Return an empty figure of `width` x `height` inches whose parts keep clear of each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def number_axis(axis: Any, spec: str, language: str, *, factor: float = 1) -> None:
    """Write the ticks of a matplotlib `axis`, times `factor`, in the number format `spec` (see ``texts.numbers``)."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: format_value(factor * float(value), spec, language)))


def wrapped(words: str, width: int) -> str:
    """Return `words` in lines of at most `width` letters.

    Examples
    --------
    >>> wrapped("unsicher nachts im eigenen Ortsteil", 22).splitlines()
    ['unsicher nachts im', 'eigenen Ortsteil']
    """
    return "\n".join(textwrap.wrap(words, width, break_long_words=False))


LOG_PAIRS = ((-0.5, 1.0), (-0.75, 3.0), (-0.9, 9.0), (-1 / 3, 0.5), (-0.2, 0.25), (-0.1, 0.1))
"""A decrease and the increase that undoes it, the ones that matter most first."""


def ratio_axis(axis: Any, language: str, *, reach: float, most: int = 7) -> None:
    """Write a matplotlib `axis` of log ratios in percent, so that a half and a double are equally far from zero.

    Parameters
    ----------
    axis
        ``axes.xaxis`` or ``axes.yaxis``; the drawn values are ``ln(1 + change)``.
    language
        Language of the numbers.
    reach
        Largest absolute log ratio shown.
    most
        Number of ticks for which there is room; fewer are written where they would come too close.
    """
    inside = [0.0]
    for pair in LOG_PAIRS:
        far = float(np.log1p(pair[1]))
        if far <= reach and all(abs(far - abs(np.log1p(tick))) >= 1.8 * reach / most for tick in inside):
            inside += pair
    inside.sort()
    axis.set_ticks([float(np.log1p(change)) for change in inside], [format_value(c, "spct0", language) for c in inside])


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Move `positions` apart until neighbours are at least `gap` away from each other, keeping their order.

    Groups of labels that collide are centred on the mean of where they wanted to be.

    Examples
    --------
    >>> spread([0.0, 0.1, 5.0], gap=1.0)
    [-0.45, 0.55, 5.0]
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    blocks: list[tuple[float, list[int]]] = []
    for index in order:
        blocks.append((positions[index], [index]))
        while len(blocks) > 1:
            (low, first), (high, second) = blocks[-2], blocks[-1]
            if high - low >= gap * (len(first) + len(second)) / 2 - 1e-12:
                break
            members = [*first, *second]
            centre = sum(positions[member] for member in members) / len(members)
            blocks[-2:] = [(centre, members)]
    moved = [0.0] * len(positions)
    for centre, members in blocks:
        for rank, member in enumerate(members):
            moved[member] = round(centre + gap * (rank - (len(members) - 1) / 2), 10)
    return moved


def halo(width: float = 2.2) -> list[Any]:
    """Return a path effect that keeps text legible on lines and areas."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width, foreground="white")]


def zero_line(axes: "Axes", *, vertical: bool = False) -> None:
    """Draw the line of no change."""
    draw = axes.axvline if vertical else axes.axhline
    draw(0, color=INK, linewidth=0.9, zorder=1.5)
