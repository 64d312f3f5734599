"""Effects by start and period: one row of fields for the areas that started together, one field a period."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.disclosure import Published
from evaluation.figures.alternative import beside_zero, described
from evaluation.figures.change_axis import ChangeAxis
from evaluation.figures.style import BLUE, INK, LIGHT, ORANGE, in_house_style, new_figure
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STRONG = float(np.log(2))
"""Half or double has the full colour; differences have it at the largest one."""
PALE = 0.3
"""Strength of the colour of fields whose interval contains no change."""
FIELDS_WITH_NUMBERS = 26
REFERENCE = "reference_period"
DARK = 0.179
"""On fields with less luminance white numbers have more contrast than black ones; here both have 4.6:1."""


@in_house_style
def cohorts_by_period(published: Published, *, language: str) -> "Figure":
    """Draw the effect on every cohort in every period as a coloured field, strong where it is clear of no change.

    Parameters
    ----------
    published
        Keys ``cohort`` (first period with the measure) and ``period``, as :class:`evaluation.GroupTime` with
        ``aggregation=None`` gives them; where ``n`` is a label, the number of areas is written beside the cohort.
    language
        Language of axes and numbers.
    """
    scale = ChangeAxis(published=published, language=language)
    frame = published.frame
    cohorts, periods = sorted(set(frame["cohort"])), sorted(set(frame["period"]))
    figure = new_figure(0.46 * len(cohorts) + 1.15)
    axes = figure.subplots()
    _fields(axes, scale, frame, (cohorts, periods))
    for row, cohort in enumerate(cohorts):
        start = next((place for place, period in enumerate(periods) if period >= cohort), len(periods))
        axes.plot([start - 0.5] * 2, [row - 0.5, row + 0.5], color=INK, linewidth=2.2, solid_capstyle="butt", zorder=4)
    axes.set_xlim(-0.5, len(periods) - 0.5)
    axes.set_ylim(len(cohorts) - 0.5, -0.5)
    axes.set_yticks(range(len(cohorts)), [_cohort(frame, cohort, language) for cohort in cohorts])
    _years(axes, periods)
    axes.tick_params(axis="x", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    numbers = "" if _with_numbers(scale, frame) else "_plain"
    axes.set_xlabel(text(f"figures.cohorts.x{numbers}", language))
    _key(axes, language, with_reference=frame["note"].str.contains(REFERENCE).any())
    return described(figure, _alternative(scale, frame))


def _with_numbers(scale: ChangeAxis, frame: pd.DataFrame) -> bool:
    """Tell whether there is room for numbers; differences of rates would need too much of it."""
    return scale.relative and frame["period"].nunique() <= FIELDS_WITH_NUMBERS


def _fields(axes: Any, scale: ChangeAxis, frame: pd.DataFrame, order: tuple[list[str], list[str]]) -> None:
    """Draw the fields and, where there is room, their numbers."""
    from matplotlib.patches import Rectangle

    cohorts, periods = order
    most = STRONG if scale.relative else float(np.nanmax(np.abs(frame["value"]), initial=1e-9))
    numbers = _with_numbers(scale, frame)
    for (_, row), clear in zip(frame.iterrows(), beside_zero(frame), strict=True):
        x, y = periods.index(row["period"]), cohorts.index(row["cohort"])
        corner = x - 0.5, y - 0.46
        if pd.isna(row["value"]) or REFERENCE in row["note"]:
            hatch = "" if REFERENCE in row["note"] else "...."
            field = Rectangle(
                corner, 1, 0.92, facecolor="white", edgecolor=LIGHT, hatch=hatch, linewidth=0.8, zorder=2.5
            )
            axes.add_patch(field)
            continue
        colour = _colour(float(scale.places(row["value"])) / most, clear=bool(clear))
        axes.add_patch(Rectangle(corner, 1, 0.92, facecolor=colour, edgecolor="white", linewidth=0.8, zorder=2))
        if numbers:
            words = format_value(100 * float(row["value"]), "snum0", scale.language)
            ink = "white" if _luminance(colour) < DARK else "black"
            weight = 600 if clear else 400
            axes.text(
                x, y, words, ha="center", va="center_baseline", zorder=3, fontsize=6.8, fontweight=weight, color=ink
            )


def _colour(share: float, *, clear: bool) -> tuple[float, float, float]:
    """Return blue for fewer and orange for more, the stronger the farther; pale where it is not clear."""
    from matplotlib.colors import to_rgb

    full = np.array(to_rgb(BLUE if share < 0 else ORANGE))
    mixed = 1 - min(abs(share), 1.0) * (1.0 if clear else PALE) * (1 - full)
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def _luminance(colour: tuple[float, float, float]) -> float:
    """Return the relative luminance (WCAG 2.1)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _cohort(frame: pd.DataFrame, cohort: str, language: str) -> str:
    """Return the name of a cohort: its start and, where known, how many areas it has."""
    since = text("figures.cohorts.since", language, period=period_words(cohort, language))
    if "n" not in frame:
        return since
    number = int(frame.loc[frame["cohort"] == cohort, "n"].max())
    key = "figures.cohorts.areas_one" if number == 1 else "figures.cohorts.areas"
    return since + "\n" + text(key, language, n=number)


def period_words(period: str, language: str) -> str:
    """Return a period as it is written in a picture.

    Examples
    --------
    >>> period_words("2023-05", "de"), period_words("2023-Q2", "de"), period_words("2023", "en")
    ('Mai 2023', '2. Quartal 2023', '2023')
    """
    year, _, part = period.partition("-")
    if not part:
        return year
    if part[0] in "QH":
        return text(f"figures.cohorts.{'quarter' if part[0] == 'Q' else 'half_year'}", language, n=part[1], year=year)
    return format_value(period, "month", language)


def _years(axes: Any, periods: list[str]) -> None:
    """Write each year below its periods, and a thin white gap where it begins."""
    years = [period[:4] for period in periods]
    first = [years.index(year) for year in dict.fromkeys(years)]
    ends = [*first[1:], len(periods)]
    axes.set_xticks([(a + b - 1) / 2 for a, b in zip(first, ends, strict=True)], list(dict.fromkeys(years)))
    for place in first[1:]:
        axes.axvline(place - 0.5, color="white", linewidth=3, zorder=3)


def _key(axes: Any, language: str, *, with_reference: bool) -> None:
    """Explain the colours above the fields, with the colours themselves."""
    from matplotlib.transforms import offset_copy

    entries = {
        "fewer": _colour(-0.7, clear=True),
        "more": _colour(0.7, clear=True),
        "unclear": _colour(-0.7, clear=False),
        **({"reference": (1.0, 1.0, 1.0)} if with_reference else {}),
    }
    place = 4.0
    for key, colour in entries.items():
        edge = LIGHT if key == "reference" else colour
        spot = offset_copy(axes.transAxes, axes.figure, x=place, y=9, units="points")
        axes.plot(
            0, 1, "s", color=colour, markeredgecolor=edge, markersize=7.5, transform=spot, clip_on=False, scalex=False,
            scaley=False,
        )  # fmt: skip
        words = text(f"figures.cohorts.{key}", language)
        spot = offset_copy(axes.transAxes, axes.figure, x=place + 8, y=9, units="points")
        axes.text(0, 1, words, transform=spot, color=INK, fontsize=8, va="center_baseline")
        place += 24 + 4.3 * len(words)


def _alternative(scale: ChangeAxis, frame: pd.DataFrame) -> str:
    """Say how many fields since the start are clear of no change, and how many before."""
    since = frame["period"] >= frame["cohort"]
    clear, known = beside_zero(frame), frame["conf_low"].notna() & frame["conf_high"].notna()
    values = {
        "cohorts": frame["cohort"].nunique(),
        "after": int((since & known).sum()),
        "fewer": int((since & clear & (frame["value"] < 0)).sum()),
        "more": int((since & clear & (frame["value"] > 0)).sum()),
        "before": int((~since & known).sum()),
        "before_clear": int((~since & clear).sum()),
    }
    return text("figures.cohorts.alt", scale.language, **values)
