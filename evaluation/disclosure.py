"""What may be published: figures, tables, sentences and files take only `Published` values, made here.

The rules of the project (``[publication]`` of ``project.toml``) act on every single value: a count of people
or cases below the smallest cell is suppressed, a survey result from too few answers is suppressed, one from
few answers is flagged, and so is one whose standard error is large beside it. A value that rests on several counts is
judged by the smallest of them. Zero cases are published, because they concern nobody. What would give a hidden count
away (a change computed from it, the last cell beside a total) is hidden as well: name every count behind a value as
`cases`, and mark values that complete a total as `protected`
(:func:`evaluation.report.material.hidden.completing`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.errors import Problem, ReportError, nearest
from evaluation.estimates import Estimates, Note

Basis = Literal["cases", "answers", "services"]
Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]

# Unit of a value -> number format of texts.numbers; the words are in texts, ``runner.unit``.
UNITS: Mapping[str, str] = {
    "cases": "int",
    "cases_per_1000": "num1",
    "people": "int",
    "answers": "int",
    "share": "pct1",
    "change": "spct1",
    "change_points": "spp1",
    "rate_ratio": "num2",
    "difference": "snum1",
    "points": "num2",
    "hours": "num1",
    "nights": "int",
    "number": "int",
    "index": "num2",
    "minutes": "num1",
    "euro": "num2",
    "p_value": "num3",
}

# Units of sizes, whose standard error means something as a part of them; a difference may be near zero.
SIZES = frozenset(
    {"cases", "people", "answers", "share", "points", "hours", "nights", "number", "index", "minutes", "euro"}
)

NUMBERS = ("value", "conf_low", "conf_high", "p_value", "cases")
COLUMNS = (*NUMBERS, "note", "suppressed", "flagged")
_BASES = ("cases", "answers", "services")
_KEY_OF_TIME = ("period", "year", "wave")


class PublicationRules(Protocol):
    """The thresholds of ``[publication]`` in ``project.toml``."""

    @property
    def minimum_cell(self) -> int:
        """Counts of people or cases below are suppressed."""

    @property
    def minimum_answers(self) -> int:
        """Survey results from fewer answers are suppressed."""

    @property
    def flag_answers(self) -> int:
        """Survey results from fewer answers are flagged."""

    @property
    def flag_cv(self) -> float:
        """Survey results whose standard error is more than this part of them are flagged."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Thresholds for use without a project."""

    minimum_cell: int = 5
    minimum_answers: int = 30
    flag_answers: int = 50
    flag_cv: float = 0.3


@dataclass(frozen=True, kw_only=True)
class About:
    """What a set of published values is about.

    Parameters
    ----------
    id
        Stable over years: no year, no running number. Lower-case words joined by ``.`` and ``_``.
    unit
        One of `UNITS`.
    source
        Source line in the language of the report.
    measure
        Id of the register, where the values belong to a measure.
    outcome
        Id of the outcome or survey item.
    """

    id: str
    unit: str
    source: str
    measure: str = ""
    outcome: str = ""

    def __post_init__(self) -> None:
        if not self.id or not all(part.replace("_", "a").isalnum() for part in self.id.split(".")):
            raise ReportError(Problem("runner.bad_id", given=self.id))
        if self.unit not in UNITS:
            raise ReportError(
                Problem(
                    "runner.unknown_unit",
                    given=self.unit,
                    id=self.id,
                    nearest=nearest(self.unit, UNITS) or "number",
                )
            )
        if not self.source.strip():
            raise ReportError(Problem("runner.no_source", given=self.id))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One published value, for a sentence; a missing number is None and `note` says why."""

    id: str
    unit: str
    value: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    cases: int | None
    note: str
    suppressed: bool
    flagged: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Published:
    """Values that may be shown; only `publish` makes them.

    Parameters
    ----------
    about
        Id, unit, source line, measure and outcome.
    frame
        One row a value: the `keys`, the `labels` (text beside the keys), then `COLUMNS`. ``value`` is missing
        where ``suppressed``; ``note`` holds text keys, separated by blanks, that say why a value is missing
        or with care to be read.
    keys
        Columns that tell the rows apart.
    labels
        Text columns that only name what a key means.
    notes
        Remarks that concern all values.
    facts
        Values that the notes of single rows mention.
    """

    about: About
    frame: pd.DataFrame
    keys: tuple[str, ...]
    labels: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    _made_by: object = None

    def __post_init__(self) -> None:
        if self._made_by is not _PUBLISH:
            raise TypeError("Published values are made by evaluation.disclosure.publish, never directly")

    @property
    def id(self) -> str:
        """Id of the set, stable over years."""
        return self.about.id

    @property
    def unit(self) -> str:
        """Unit of the values, one of `UNITS`."""
        return self.about.unit

    @property
    def source(self) -> str:
        """Source line."""
        return self.about.source

    @property
    def number(self) -> str:
        """Format of the values, for `evaluation.texts.numbers.format_value`."""
        return UNITS[self.about.unit]

    def worded_notes(self, language: str) -> list[str]:
        """Return the notes of the set and of its rows as sentences, each once."""
        codes = dict.fromkeys(code for cell in self.frame["note"] for code in cell.split())
        notes = [*self.notes, *(Note(code, self.facts) for code in codes)]
        return list(dict.fromkeys(note.worded(language) for note in notes))

    def where(self, **keys: object) -> "Published":
        """Return the rows whose keys have these values (one value, or a list of values, each)."""
        return replace(self, frame=self.frame.take(self._places(keys)).reset_index(drop=True))

    def cell(self, **keys: object) -> Cell:
        """Return the one value with these keys.

        Raises
        ------
        ReportError
            No row, or more than one, has these keys.
        """
        places = self._places(keys)
        if len(places) != 1:
            raise ReportError(Problem("runner.not_one_row", given=len(places), id=self.id, keys=str(keys)))
        return self._cells[places[0]]

    def cells(self) -> list[Cell]:
        """Return all values in the order of the frame."""
        return list(self._cells)

    def results(self) -> list[dict[str, Any]]:
        """Return one row a value for ``results.csv``; id and period together tell them apart."""
        periods = map(str, self.frame[self._time]) if self._time else [""] * len(self._cells)
        return [
            {
                "id": cell.id,
                "measure": self.about.measure,
                "outcome": self.about.outcome,
                "unit": self.unit,
                "period": period,
                "value": cell.value,
                "conf_low": cell.conf_low,
                "conf_high": cell.conf_high,
                "p_value": cell.p_value,
                "n": cell.cases,
                "note": cell.note,
            }
            for cell, period in zip(self._cells, periods, strict=True)
        ]

    @property
    def _time(self) -> str | None:
        return next((key for key in _KEY_OF_TIME if key in self.keys), None)

    @cached_property
    def _cells(self) -> tuple[Cell, ...]:
        numbers = [[_number(value) for value in self.frame[name].tolist()] for name in NUMBERS]
        rest = [self.frame[name].tolist() for name in ("note", "suppressed", "flagged")]
        return tuple(
            Cell(
                id=id_,
                unit=self.unit,
                value=value,
                conf_low=low,
                conf_high=high,
                p_value=p,
                cases=None if cases is None else int(cases),
                note=note,
                suppressed=suppressed,
                flagged=flagged,
            )
            for id_, value, low, high, p, cases, note, suppressed, flagged in zip(
                self._ids(), *numbers, *rest, strict=True
            )
        )

    def _ids(self) -> list[str]:
        """Return the id of each row: the keys without the time, because an id is the same next year."""
        parts = [[f"{key}={value}" for value in self.frame[key].tolist()] for key in self.keys if key != self._time]
        return ["/".join([self.id, *row]) for row in zip(*parts, strict=True)] if parts else [self.id] * len(self.frame)

    def _places(self, keys: Mapping[str, object]) -> list[int]:
        """Return the positions of the rows with these keys."""
        places = list(range(len(self.frame)))
        for name, wanted in keys.items():
            if name not in self.keys:
                raise ReportError(Problem("runner.unknown_key", given=name, id=self.id, keys=list(self.keys)))
            chosen = wanted if isinstance(wanted, list) else [wanted]
            values = self.frame[name].tolist()
            places = [place for place in places if values[place] in chosen]
        return places


_PUBLISH = object()


def publish(
    values: pd.DataFrame | Estimates,
    rules: PublicationRules,
    *,
    about: About,
    keys: Sequence[str],
    basis: Basis,
    cases: str | Sequence[str] | int | None = None,
    labels: Sequence[str] = (),
    notes: Sequence[Note] = (),
    protected: str | None = None,
) -> Published:
    """Decide for every value whether it may be shown, and return what may.

    Parameters
    ----------
    values
        A tidy frame with a column ``value`` (and, where they exist, ``conf_low``, ``conf_high``, ``p_value``,
        ``note``: text keys, separated by blanks), one row a value; or `Estimates`, whose displayed estimate
        is the value, on a log scale with the unit ``change`` as relative change.
    rules
        Thresholds; ``project.publication``.
    about
        Id, unit, source line, measure, outcome.
    keys
        Columns that tell the rows apart; no two rows may agree in all of them.
    basis
        What `cases` counts. ``"cases"``: people or offences; from 1 to below ``minimum_cell`` is suppressed.
        ``"answers"``: respondents, below ``minimum_answers`` suppressed, below ``flag_answers`` flagged; a size
        (a share, a mean) with a column ``std_error`` is also flagged where that is more than ``flag_cv`` of it.
        ``"services"``: meetings, hours, nights, money; nothing is suppressed.
    cases
        Column with the size of the cell, several columns (the smallest counts), or one number for all rows.
        Without it the size is the column ``n`` of survey `Estimates`, else the value itself, which only units
        of whole cases allow.
    labels
        Text columns kept beside the keys.
    notes
        Remarks that concern all values, besides those of `Estimates`.
    protected
        Column of truth values: rows that are hidden because a hidden count could be computed from them.

    Returns
    -------
    Published
        All columns but keys, labels and `COLUMNS` are dropped; rows keep their order.

    Raises
    ------
    ReportError
        A column is missing, a key is double, or the size of the cells is not known.

    Examples
    --------
    >>> frame = pd.DataFrame({"area": ["00", "01"], "period": "2024", "value": [120, 3]})
    >>> about = About(id="registered.robbery", unit="cases", source="Polizei")
    >>> shown = publish(frame, Rules(), about=about, keys=("area", "period"), basis="cases")
    >>> shown.frame[["area", "value", "note"]].to_dict("list")
    {'area': ['00', '01'], 'value': [120.0, nan], 'note': ['', 'runner.note.small_cell']}
    """
    frame = _frame(values, about)
    if cases is None and basis == "answers" and "n" in frame:
        cases = "n"
    _check(frame, about, keys=keys, labels=labels, basis=basis)
    size = _size(frame, about, basis=basis, cases=cases)
    hidden, flagged = _judge(size, rules, basis)
    uncertain = _uncertain(values, frame, about, rules) & ~hidden if basis == "answers" else np.zeros_like(hidden)
    if protected is not None:
        _need(frame, [protected], about)
        hidden = hidden | frame[protected].to_numpy(dtype=bool)
        flagged, uncertain = flagged & ~hidden, uncertain & ~hidden
    numbers = {**_numbers(frame), "cases": size}
    for column in numbers.values():
        column[hidden] = np.nan
    out = frame[[*keys, *labels]].reset_index(drop=True)
    out = out.assign(
        **numbers,
        note=_notes(frame, numbers["value"], (hidden, flagged, uncertain), basis),
        suppressed=hidden,
        flagged=flagged | uncertain,
    )
    of_result = values.notes if isinstance(values, Estimates) else ()
    return Published(
        about=about,
        frame=out,
        keys=tuple(keys),
        labels=tuple(labels),
        notes=(*of_result, *notes),
        facts=dict(values.facts) if isinstance(values, Estimates) else {},
        _made_by=_PUBLISH,
    )


def _frame(values: pd.DataFrame | Estimates, about: About) -> pd.DataFrame:
    if isinstance(values, pd.DataFrame):
        return values
    frame = values.display().rename(columns={"estimate": "value"})
    if about.unit == "change" and values.scale.name == "log":
        frame[["value", "conf_low", "conf_high"]] -= 1.0
    if about.unit == "share":
        frame = frame.drop(columns="p_value")  # of a share against 0, which nobody asks
    frame["note"] = [
        " ".join(code if "." in code else f"core.note.{code}" for code in cell.split()) for cell in frame["note"]
    ]
    return frame


def _numbers(frame: pd.DataFrame) -> dict[str, Floats]:
    """Return value, ends of the interval and p-value as new arrays, missing where the frame has none."""
    return {
        name: pd.to_numeric(frame[name]).to_numpy(dtype="float64", na_value=np.nan, copy=True)
        if name in frame
        else np.full(len(frame), np.nan)
        for name in NUMBERS[:-1]
    }


def _notes(frame: pd.DataFrame, value: Floats, marks: tuple[Marks, Marks, Marks], basis: Basis) -> list[str]:
    """Return for each row why its value is missing or to be read with care."""
    given = frame["note"].tolist() if "note" in frame else [""] * len(frame)
    why = f"runner.note.{'small_cell' if basis == 'cases' else 'few_answers'}"
    notes = []
    for note, number, hidden, flagged, uncertain in zip(given, value, *marks, strict=True):
        words = "" if pd.isna(note) else str(note)
        if np.isnan(number) and not words:
            words = "runner.note.no_value"
        care = {"runner.note.flagged_answers": flagged, "runner.note.flagged_cv": uncertain}
        notes.append(why if hidden else " ".join([words, *(code for code, holds in care.items() if holds)]).strip())
    return notes


def _need(frame: pd.DataFrame, columns: Sequence[str], about: About) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        given = list(frame.columns)
        raise ReportError(Problem("runner.missing_columns", id=about.id, columns=missing, present=given))


def _check(frame: pd.DataFrame, about: About, *, keys: Sequence[str], labels: Sequence[str], basis: Basis) -> None:
    if basis not in _BASES:
        raise ReportError(Problem("runner.unknown_basis", given=basis, id=about.id, bases=list(_BASES)))
    _need(frame, ("value", *keys, *labels), about)
    double = frame.duplicated(list(keys)) if keys else pd.Series(data=len(frame) > 1, index=frame.index)
    if double.any():
        first = frame.loc[double.idxmax(), list(keys)].to_dict()
        raise ReportError(Problem("runner.double_key", id=about.id, given=str(first)))


def _size(frame: pd.DataFrame, about: About, *, basis: Basis, cases: str | Sequence[str] | int | None) -> Floats:
    """Return the number of cases behind every row; missing where the value itself is missing."""
    if cases is None and basis == "services":
        return np.full(len(frame), np.nan)
    if cases is None and about.unit not in {"cases", "people", "answers"}:
        raise ReportError(Problem("runner.unknown_size", id=about.id, unit=about.unit))
    if isinstance(cases, int):
        return np.full(len(frame), float(cases))
    columns = ["value"] if cases is None else [cases] if isinstance(cases, str) else list(cases)
    _need(frame, columns, about)
    sizes = frame[columns].to_numpy(dtype="float64", na_value=np.nan)
    # One small count makes the cell small; a zero beside it does not make it publishable.
    smallest = np.where(sizes > 0, sizes, np.inf).min(axis=1)
    size: Floats = np.where(np.isnan(sizes).all(axis=1), np.nan, np.where(np.isinf(smallest), 0.0, smallest))
    if (np.isnan(size) & frame["value"].notna().to_numpy()).any():
        raise ReportError(Problem("runner.unknown_size", id=about.id, unit=about.unit))
    return size


def _judge(size: Floats, rules: PublicationRules, basis: Basis) -> tuple[Marks, Marks]:
    """Return which rows are hidden, and which are flagged."""
    nothing = np.zeros(len(size), dtype=bool)
    if basis == "cases":
        return (size > 0) & (size < rules.minimum_cell), nothing
    if basis == "answers":
        hidden = size < rules.minimum_answers
        return hidden, (size < rules.flag_answers) & ~hidden
    return nothing, nothing.copy()


def _uncertain(values: pd.DataFrame | Estimates, frame: pd.DataFrame, about: About, rules: PublicationRules) -> Marks:
    """Return for which rows the standard error is large beside the value (coefficient of variation)."""
    transformed = isinstance(values, Estimates) and values.scale.name != "identity"
    if about.unit not in SIZES or transformed or "std_error" not in frame:
        return np.zeros(len(frame), dtype=bool)
    size = frame["value"].abs().to_numpy(dtype="float64", na_value=np.nan)
    error = frame["std_error"].to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(error > rules.flag_cv * size)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
