"""All answers on an ordered scale as stacked bars that part at "unsafe", with the interval of that share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.disclosure import Cell, Published
from evaluation.figures.alternative import described
from evaluation.figures.style import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    halo,
    in_house_style,
    new_figure,
    number_axis,
)
from evaluation.texts import text
from evaluation.texts.numbers import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ANSWER = "answer"
SEEN = 0.055
"""Smaller parts have no room for their number."""
MOST_NAMED = 8
"""More rows are summed up in the alternative text."""

_USUAL = {
    2: ("plain_safe", "plain_unsafe"),
    3: ("plain_safe", "middle", "plain_unsafe"),
    4: ("very_safe", "safe", "unsafe", "very_unsafe"),
    5: ("very_safe", "safe", "middle", "unsafe", "very_unsafe"),
}


@dataclass(frozen=True, kw_only=True)
class AnswerScale:
    """The answers of a question in order, and which of them count as unsafe.

    Parameters
    ----------
    words
        Words of each answer, from the safest to the least safe.
    unsafe
        Answers that count as unsafe: the last ones of `words`.

    Examples
    --------
    >>> AnswerScale.usual(4, unsafe=(3, 4), language="de").words
    {1: 'sehr sicher', 2: 'eher sicher', 3: 'eher unsicher', 4: 'sehr unsicher'}
    """

    words: Mapping[Any, str]
    unsafe: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.unsafe or set(list(self.words)[-len(self.unsafe) :]) != set(self.unsafe):
            raise ValueError(f"unsafe answers {self.unsafe} are not the last ones of {list(self.words)}")

    @classmethod
    def usual(cls, points: int, *, unsafe: Collection[int], language: str) -> "AnswerScale":
        """Return the scale of a question on how safe people feel, codes 1 to `points`; above 5 points its numbers."""
        names = [text(f"survey_pictures.usual.{key}", language) for key in _USUAL.get(points, ())]
        codes = range(points, 0, -1) if 1 in unsafe else range(1, points + 1)
        return cls(words=dict(zip(codes, names or map(str, codes), strict=True)), unsafe=tuple(unsafe))

    @property
    def safe(self) -> tuple[Any, ...]:
        """All other answers, the safest first."""
        return tuple(code for code in self.words if code not in self.unsafe)

    def colours(self) -> dict[Any, str]:
        """Return a colour for each answer: darker towards the ends; the middle of an odd scale is grey."""
        bad = [code for code in self.words if code in self.unsafe]
        found = dict(zip(self.safe, _tones(BLUE, PALE_BLUE, len(self.safe)), strict=True))
        found |= dict(zip(bad, _tones(ORANGE, PALE_ORANGE, len(bad))[::-1], strict=True))
        codes = list(self.words)
        middle = codes[len(codes) // 2]
        if len(codes) % 2 and middle in self.safe:
            others = [code for code in self.safe if code != middle]
            found |= dict(zip(others, _tones(BLUE, PALE_BLUE, len(others)), strict=True)) | {middle: LIGHT}
        return found


def _tones(dark: str, pale: str, n: int) -> list[str]:
    """Return `n` colours from dark to pale."""
    from matplotlib.colors import to_hex, to_rgb

    first, last = np.array(to_rgb(dark)), np.array(to_rgb(pale))
    return [to_hex(first + (last - first) * part) for part in np.linspace(0, 1, n)] if n > 1 else [dark] * n


@in_house_style
def stacked_answers(
    answers: Published,
    unsafe: Published,
    *,
    scale: AnswerScale,
    language: str,
    breaks: Collection[str] = (),
    change: Published | None = None,
) -> "Figure":
    """Draw a bar for each wave or group: unsafe answers right of a line, all others left of it.

    The length right of the line is the share that feels unsafe; its interval is the stroke below the end of the bar.
    A row without a published share says so.

    Parameters
    ----------
    answers
        Shares; the keys are ``answer`` and one more (``wave``, ``age_group``), whose values are the rows. A label
        column, where there is one, names the rows instead.
    unsafe
        Share of all unsafe answers together, with its interval; key: the one of the rows.
    scale
        Answers in order, and which are unsafe.
    language
        Language of axes and numbers.
    breaks
        Rows before which the question was asked differently; a dashed line stands there and says so.
    change
        One value: change of the unsafe share from the first to the last row; for the alternative text.

    Examples
    --------
    >>> from evaluation.disclosure import About, Rules, publish
    >>> parts = [("2021", 1, 0.3), ("2021", 2, 0.3), ("2021", 3, 0.2), ("2021", 4, 0.2)]
    >>> frame = pd.DataFrame(parts, columns=["wave", "answer", "value"])
    >>> about = About(id="survey.answers", unit="share", source="Befragung")
    >>> answers = publish(frame, Rules(), about=about, keys=("wave", "answer"), basis="answers", cases=900)
    >>> frame = pd.DataFrame({"wave": ["2021"], "value": [0.4], "conf_low": [0.36], "conf_high": [0.44]})
    >>> unsafe = publish(frame, Rules(), about=about, keys=("wave",), basis="answers", cases=900)
    >>> scale = AnswerScale.usual(4, unsafe=(3, 4), language="en")
    >>> stacked_answers(answers, unsafe, scale=scale, language="en").get_label()
    'Stacked bars: all answers from “very safe” to “very unsafe”, right of the line the share “unsafe”. 2021: 40% (95% range: 36% to 44%).'
    """  # noqa: E501
    by = next(key for key in answers.keys if key != ANSWER)
    rows = list(dict.fromkeys(answers.frame[by]))
    parts = answers.frame.pivot_table("value", by, ANSWER, dropna=False, sort=False).reindex(rows)
    parts = parts.reindex(columns=list(scale.words))
    cells = [unsafe.cell(**{by: row}) for row in rows]
    names = _names(answers, by)
    figure = new_figure(0.46 * len(rows) + 0.95)
    axes = figure.subplots()
    for place, (row, cell) in enumerate(zip(rows, cells, strict=True)):
        if cell.value is None or parts.loc[row].isna().all():
            axes.text(0.01, place, text("survey_pictures.missing", language), va="center", fontsize=8, color=GREY)
        else:
            _bar(axes, place, parts.loc[row].fillna(0.0), scale, language)
            _interval(axes, place, cell, language)
        if row in breaks:
            _break(axes, place, language)
    _write_axes(axes, parts, cells, scale, language)
    axes.set_yticks(range(len(rows)), [_row(names[row], cell, language) for row, cell in zip(rows, cells, strict=True)])
    axes.tick_params(axis="y", labelcolor=INK)
    _legend(figure, scale)
    return described(figure, _alternative([names[row] for row in rows], cells, scale, change, language))


def _names(answers: Published, by: str) -> dict[Any, str]:
    """Return the words of each row: a label column, where there is one, else the key itself."""
    label = answers.labels[0] if answers.labels else by
    return dict(zip(answers.frame[by], answers.frame[label].astype(str), strict=True))


def _bar(axes: "Axes", place: int, parts: pd.Series, scale: AnswerScale, language: str) -> None:
    colours = scale.colours()
    safe = [(code, -1.0) for code in reversed(scale.safe)]
    unsafe = [(code, 1.0) for code in scale.words if code in scale.unsafe]
    for side in (safe, unsafe):
        start = 0.0
        for code, sign in side:
            size = float(parts[code])
            axes.barh(
                place, sign * size, left=start, height=0.56, color=colours[code], edgecolor="white", linewidth=0.8
            )
            if size >= SEEN:
                words = format_value(size, "pct0", language)
                colour = "white" if colours[code] in (BLUE, ORANGE) else INK
                axes.text(
                    start + sign * size / 2, place, words, ha="center", va="center", fontsize=7.5, color=colour
                )  # fmt: skip
            start += sign * size


def _interval(axes: "Axes", place: int, cell: Cell, language: str) -> None:
    """Draw the interval of the unsafe share below its bar, and write share and interval beside it."""
    value, low, high = cell.value or 0.0, cell.conf_low, cell.conf_high
    words = format_value(value, "pct0", language)
    if low is not None and high is not None:
        axes.plot([low, high], [place + 0.38] * 2, color=INK, linewidth=2.2, solid_capstyle="butt", zorder=4)
        values = {"value": value, "low": 100 * low, "high": 100 * high}
        words = text("survey_pictures.answers.value", language, **values)
    right = max(value, high or 0.0)
    axes.annotate(
        words, (right, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5, fontweight=600,
        color=INK,
    )  # fmt: skip


def _break(axes: "Axes", place: int, language: str) -> None:
    axes.axhline(place - 0.5, color=ORANGE, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    axes.annotate(
        text("survey_pictures.answers.break", language), (0, place - 0.5), xycoords=("axes fraction", "data"),
        ha="left", va="center", fontsize=7, color=ORANGE, path_effects=halo(3), zorder=6,
    )  # fmt: skip


def _write_axes(axes: "Axes", parts: pd.DataFrame, cells: list[Cell], scale: AnswerScale, language: str) -> None:
    left = float(parts[list(scale.safe)].sum(axis=1).max())
    right = max((max(cell.value or 0.0, cell.conf_high or 0.0) for cell in cells), default=0.0)
    axes.set_xlim(-1.02 * max(left, 0.05), right + 0.24 * (left + right))
    axes.set_ylim(len(parts) - 0.42, -0.58)
    axes.axvline(0, color=INK, linewidth=1.1, zorder=3)
    axes.set_xticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel(text("survey_pictures.answers.x", language), fontsize=7.5)
    number_axis(axes.xaxis, "pct0", language)


def _row(name: str, cell: Cell, language: str) -> str:
    if cell.cases is None:
        return name
    key = "row_uncertain" if cell.flagged else "row"
    return text(f"survey_pictures.answers.{key}", language, group=name, n=cell.cases)


def _legend(figure: "Figure", scale: AnswerScale) -> None:
    from matplotlib.patches import Patch

    colours = scale.colours()
    patches = [Patch(facecolor=colours[code], label=words) for code, words in scale.words.items()]
    figure.legend(
        handles=patches, loc="outside upper left", ncols=len(patches), frameon=False, fontsize=8, handlelength=1.1,
        handleheight=1.0, columnspacing=1.4, handletextpad=0.5,
    )  # fmt: skip


def _alternative(
    names: list[str], cells: list[Cell], scale: AnswerScale, change: Published | None, language: str
) -> str:
    words = list(scale.words.values())
    ends: dict[str, Any] = {"first": words[0], "last": words[-1], "n": len(cells)}
    known = [cell.value for cell in cells if cell.value is not None]
    if len(cells) > MOST_NAMED and known:
        said = text("survey_pictures.answers.alt_many", language, **ends, low=min(known), high=max(known))
    else:
        shares = "; ".join(_one(name, cell, language) for name, cell in zip(names, cells, strict=True))
        said = text("survey_pictures.answers.alt", language, **ends, shares=shares)
    return said + _change(change, names, language)


def _one(name: str, cell: Cell, language: str) -> str:
    values = {"group": name, "value": cell.value, "low": cell.conf_low, "high": cell.conf_high}
    return text(f"survey_pictures.answers.{'one_hidden' if cell.value is None else 'one'}", language, **values)


def _change(change: Published | None, names: list[str], language: str) -> str:
    if change is None:
        return ""
    (cell,) = change.cells()
    if cell.value is None or cell.conf_low is None or cell.conf_high is None:
        return ""
    clear = cell.conf_low > 0 or cell.conf_high < 0
    key = ("less" if cell.value < 0 else "more") if clear else "unclear"
    values: dict[str, Any] = {"value": cell.value, "size": abs(cell.value), "first": names[0], "last": names[-1]}
    values |= {"low": 100 * cell.conf_low, "high": 100 * cell.conf_high}
    return text(f"survey_pictures.answers.change_{key}", language, **values)
