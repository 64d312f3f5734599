"""Every sentence that carries a number, made from the published value that it describes.

The words are in ``texts``; what is decided here is which pattern fits: fewer or more, established or not, open
intervals, a measure that existed before. A sentence never sounds more certain than its number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evaluation.disclosure import Cell, Published
from evaluation.texts import text
from evaluation.texts.numbers import format_value, join_list


def clears_zero(cell: Cell) -> bool:
    """Tell whether the interval lies on one side of no change."""
    return (cell.conf_low is not None and cell.conf_low > 0) or (cell.conf_high is not None and cell.conf_high < 0)


def interval(cell: Cell, spec: str, language: str) -> str:
    """Return the 95 % interval; an end that is open is said to be open.

    Examples
    --------
    >>> cell = Cell(id="x", unit="change", value=-0.1, conf_low=-0.2, conf_high=-0.01, p_value=None, cases=None,
    ...             note="", suppressed=False, flagged=False)
    >>> interval(cell, "spct1", "en")
    '95% interval: −20.0% to −1.0%'
    """
    low, high = format_value(cell.conf_low, spec, language), format_value(cell.conf_high, spec, language)
    if cell.conf_low is None and cell.conf_high is None:
        return text("report.interval.none", language)
    if cell.conf_low is None:
        return text("report.interval.up_to", language, high=high)
    if cell.conf_high is None:
        return text("report.interval.from", language, low=low)
    return text("report.interval.both", language, low=low, high=high)


def capital(words: str) -> str:
    """Return `words` as they begin a sentence."""
    return words[:1].upper() + words[1:]


def points_interval(cell: Cell, language: str) -> str:
    """Return the 95 % interval of a change of a share, in percentage points."""
    if cell.conf_low is None or cell.conf_high is None:
        return text("report.interval.none", language)
    return text("report.interval.points", language, low=100 * cell.conf_low, high=100 * cell.conf_high)


@dataclass(frozen=True)
class Asked:
    """An item of the survey in one language: its title, and what its share means, with ``{share}`` and ``{wave}``."""

    title: str
    sentence: str = ""


def share_words(share: float, *, item: Asked, wave: str, language: str) -> str:
    """Return what the share of one wave means: by the item's own sentence, else by its title.

    Examples
    --------
    >>> share_words(0.4, item=Asked("unsafe", "{share} felt unsafe in {wave}"), wave="2024", language="en")
    '40.0% felt unsafe in 2024'
    """
    if item.sentence:
        return item.sentence.format(share=format_value(share, "pct1", language), wave=wave)
    return text("report.perceived.share", language, item=capital(item.title), wave=wave, share=share)


def share_now(cell: Cell, *, item: Asked, wave: str, language: str) -> str:
    """Return the share feeling unsafe in one wave."""
    if cell.value is None:
        return text("report.perceived.hidden", language, item=capital(item.title))
    share = share_words(cell.value, item=item, wave=wave, language=language)
    return text("report.perceived.now", language, share=share, range=interval(cell, "pct1", language))


def share_change(change: Cell, before: Cell, now: Cell, *, item: Asked, waves: tuple[str, str], language: str) -> str:
    """Return how a share changed between two waves, and whether that is established."""
    if change.value is None or before.value is None or now.value is None:
        named = capital(item.title)
        return text("report.perceived.no_change_known", language, item=named, before=waves[0], now=waves[1])
    sure = clears_zero(change)
    return text(
        f"report.perceived.{'less' if change.value < 0 else 'more'}" if sure else "report.perceived.unclear",
        language,
        share=share_words(now.value, item=item, wave=waves[1], language=language),
        before=waves[0],
        share_before=before.value,
        range=points_interval(change, language),
    )


def city_change(change: Cell | None, now: Cell, *, title: str, year: int, before: Sequence[str], language: str) -> str:
    """Return the city's number of registered cases and its change against the years before."""
    named = capital(title)
    if now.value is None:
        return text("report.registered.no_total", language, title=named, year=year)
    if change is None or change.value is None:
        return text("report.registered.total", language, title=named, year=year, number=now.value)
    return text(
        f"report.registered.{direction(change.value)}",
        language,
        title=named,
        year=year,
        number=now.value,
        size=abs(change.value),
        before=years(before, language),
        range="" if change.conf_low is None else f" ({interval(change, 'spct1', language)})",
    )


def direction(change: float) -> str:
    """Return ``less``, ``more``, or ``same`` where the change is smaller than half a percent.

    Examples
    --------
    >>> direction(-0.12), direction(0.003)
    ('less', 'same')
    """
    return "same" if abs(change) < 0.005 else "less" if change < 0 else "more"


def years(given: Sequence[str], language: str) -> str:
    """Return a span of years in words.

    Examples
    --------
    >>> years(["2021", "2022", "2023"], "de"), years(["2023"], "de")
    ('2021 bis 2023', '2023')
    """
    if len(given) < 2:
        return "".join(given)
    return text("report.span", language, first=given[0], last=given[-1])


def changed_areas(
    published: Published, names: Mapping[str, str], *, without: Sequence[str] = ()
) -> tuple[list[str], list[str], int]:
    """Return the names of areas with established fewer and more cases, alphabetically, and how many were compared."""
    frame = published.frame[published.frame["value"].notna() & ~published.frame["area"].isin(list(without))]
    less, more = frame[frame["conf_high"] < 0]["area"], frame[frame["conf_low"] > 0]["area"]
    return sorted(names.get(a, a) for a in less), sorted(names.get(a, a) for a in more), len(frame)


def map_finding(less: Sequence[str], more: Sequence[str], compared: int, language: str) -> tuple[str, str]:
    """Return the finding of the map and the sentence that names the areas with fewer and with more cases."""
    form = "both" if less and more else "less" if less else "more" if more else "none"
    finding = text(f"report.map.{form}", language, n=compared, less=len(less), more=len(more))
    named = [
        text(f"report.map.names_{name}", language, names=names)
        for name, names in (("less", less), ("more", more))
        if names
    ]
    return finding, " ".join(named)


def quadrants_of(points: pd.DataFrame, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of the areas in each quadrant, of those whose two intervals clear zero.

    Parameters
    ----------
    points
        Columns ``area``, ``value_x`` (registered), ``value_y`` (share unsafe) and ``clear``.
    names
        Name of each area.
    """
    clear = points[points["clear"]]
    less, higher = clear["value_x"] < 0, clear["value_y"] < 0
    kinds = {
        "less_higher": less & higher,
        "less_lower": less & ~higher,
        "more_higher": ~less & higher,
        "more_lower": ~less & ~higher,
    }
    found = {kind: sorted(names.get(a, a) for a in clear.loc[rows, "area"]) for kind, rows in kinds.items()}
    return {kind: areas for kind, areas in found.items() if areas}


def quadrant_finding(
    quadrants: Mapping[str, Sequence[str]], *, all_areas: int, year: str, language: str
) -> tuple[str, str]:
    """Return the finding of the quadrants for one year, and the sentences that name the areas."""
    clear = sum(len(areas) for areas in quadrants.values())
    form = "some" if clear else "none"
    finding = text(f"report.together.{form}", language, n=all_areas, clear=clear, year=year)
    parts = [text(f"report.together.{kind}", language, names=areas) for kind, areas in quadrants.items()]
    return finding, " ".join(parts)


def trend_finding(changes: Mapping[str, Cell], *, year: int, before: Sequence[str], language: str) -> str:
    """Return which outcomes (by title) had fewer and which more cases than before."""
    known = {
        title: direction(cell.value) if clears_zero(cell) else "usual"
        for title, cell in changes.items()
        if cell.value is not None
    }
    if not known:
        return text("report.trends.only", language, year=year)
    less = [title for title, way in known.items() if way == "less"]
    more = [title for title, way in known.items() if way == "more"]
    form = "both" if less and more else "less" if less else "more" if more else "same"
    words = text(f"report.trends.{form}", language, year=year, before=years(before, language), less=less, more=more)
    rest = form != "same" and len(less) + len(more) < len(known)
    return f"{words} {text('report.trends.rest', language)}" if rest else words


def short_number(number: str, value: float | None) -> str:
    """Return a format without the decimals that nobody reads: whole numbers from 10 on, whole percents.

    Examples
    --------
    >>> short_number("num1", 3540.0), short_number("num1", 3.5), short_number("pct1", 0.8)
    ('num0', 'num1', 'pct0')
    """
    if number.startswith("pct"):
        return "pct0"
    whole = value is not None and (abs(value) >= 10 or value == int(value))
    return "num0" if number.startswith("num") and whole else number


def amount(value: float | None, unit: str, number: str, language: str) -> str:
    """Return a number with its unit: ``1.200 Stunden``; shares carry their own sign, plain counts have none."""
    words = format_value(value, short_number(number, value), language)
    return words if number.startswith("pct") or not unit else f"{words} {unit}"


def extent(planned: Cell, done: Cell, achieved: Cell, *, unit: str, number: str, language: str) -> str:
    """Return planned and done in one phrase: ``1.180 von 1.200 Stunden (98 %)``."""
    if done.value is None:
        return text("report.extent.none", language)
    if planned.value is None:
        return text("report.extent.done_only", language, done=amount(done.value, unit, number, language))
    if number.startswith("pct"):
        return text("report.extent.share", language, done=done.value, planned=planned.value)
    return text(
        "report.extent.both" if achieved.value is not None else "report.extent.both_plain",
        language,
        done=format_value(done.value, short_number(number, done.value), language),
        planned=amount(planned.value, unit, number, language),
        achieved=achieved.value,
    )


def listed(items: Sequence[str], language: str) -> str:
    """Return words joined as in "A, B und C"."""
    return join_list(items, language)
