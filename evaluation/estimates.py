"""The one result of the package: a tidy table of estimates with what is needed to judge and to combine them.

Variance, contrasts, joint tests and bands are functions of the influences (:mod:`evaluation.influence`); p-values
and intervals under drawn assignments come from :mod:`evaluation.randomization`. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd

from evaluation.texts import text

if TYPE_CHECKING:
    from evaluation.study import Study
    from evaluation.survey_design import SurveyDesign

NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")


LEVELS = frozenset({"share", "mean", "total", "quantile"})  # units of what is shown without a test


@dataclass(frozen=True)
class Scale:
    """The scale on which estimates and influences live, and the unit of what is displayed.

    ``log`` estimates are displayed as ratios, ``logit`` ones as shares; `unit` is a text key below ``core.unit``
    or plain words, such as ``ratio``, ``share``, ``cases``.
    """

    name: Literal["identity", "log", "logit"] = "identity"
    unit: str = ""

    def display(self, values: Any) -> Any:
        """Return `values` (any shape) as the reader sees them."""
        if self.name == "log":
            return np.exp(values)
        if self.name == "logit":
            return 1.0 / (1.0 + np.exp(-np.asarray(values, dtype=float)))
        return values


@dataclass(frozen=True)
class Note:
    """A remark on a result: a text key and its values, worded by :mod:`evaluation.texts`."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def worded(self, language: str = "en") -> str:
        """Return the remark as a sentence."""
        return text(self.code, language, **self.values)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What went into an estimate, and what was set aside and why (reason code: number of units)."""

    observations: int
    units: int
    treated: int = 0
    clusters: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """One stage of selection, as seen from the rows of an :class:`Influence`.

    Parameters
    ----------
    clusters, strata
        ``(m,)`` codes 0, 1, ...; a cluster lies in one stratum.
    fraction
        ``(m,)`` sampling fraction of the row's stratum at this stage, or None for sampling with replacement.
    """

    clusters: np.ndarray
    strata: np.ndarray
    fraction: np.ndarray | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Influence:
    """Influence of every independent unit on every estimate: ``estimate - truth`` is about ``values.sum(axis=0)``.

    Parameters
    ----------
    values
        ``(m, k)``.
    units
        ``(m,)`` labels (areas, primary sampling units, replicates).
    stages
        Stages of selection from the first on; empty for independent units in one stratum.
    correction
        ``cluster`` multiplies the variance of a stratum with ``n`` clusters by ``n / (n - 1)``; ``none`` does not.
    df
        Degrees of freedom of the variance; ``inf`` for the normal distribution.
    """

    values: np.ndarray
    units: np.ndarray
    stages: tuple[Stage, ...] = ()
    correction: Literal["cluster", "none"] = "cluster"
    lonely: str = "fail"
    df: float = np.inf


@dataclass(frozen=True, eq=False, kw_only=True)
class Draws:
    """Estimates under drawn assignments: ``(B, k)``, with the key that says which draws these are.

    Results with equal keys were drawn with the same assignments and can be contrasted column by column.
    """

    values: np.ndarray
    key: tuple[object, ...]
    enumerated: bool = False


class Estimator(Protocol):
    """Frozen options with one method; `data` is a Panel or a Sample."""

    def estimate(self, data: Any, /) -> Estimates:
        """Return the estimates of `data`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates:
    """A tidy table of estimates with influences or draws, their declaration and their method.

    Parameters
    ----------
    table
        Key columns, then ``estimate, std_error, df, statistic, p_value, conf_low, conf_high`` on `scale`, then
        ``note``: space-separated codes (below ``core.note`` unless they contain a dot) that say why a number is
        missing.
    scale, influence, draws, declaration, method, counts, notes
        See the classes of this module.
    facts
        Numbers that belong to the result as a whole, such as ``smallest_p`` or ``detectable`` (a relative change).

    Raises
    ------
    ValueError
        A number is missing without a note, infinite, or a standard error is not above zero. These are mistakes of
        an estimator, never of its user.
    """

    table: pd.DataFrame
    scale: Scale
    declaration: Study | SurveyDesign
    method: Any
    counts: Counts
    influence: Influence | None = None
    draws: Draws | None = None
    notes: tuple[Note, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing_columns = {*NUMBERS, "note"} - set(self.table.columns)
        if missing_columns:
            raise ValueError(f"estimates lack the columns {sorted(missing_columns)}")
        numbers = self.table[list(NUMBERS)].to_numpy(dtype=float)
        explained = self.table["note"].ne("").to_numpy()
        if (np.isnan(numbers).any(axis=1) & ~explained).any():
            raise ValueError(f"a number is missing without a note:\n{self.table[~explained]}")
        if np.isinf(np.delete(numbers, NUMBERS.index("df"), axis=1)).any():
            raise ValueError(f"an estimate is infinite:\n{self.table}")
        if (self.table["std_error"] <= 0).any():
            raise ValueError(f"a standard error is not above zero:\n{self.table}")

    @property
    def keys(self) -> list[str]:
        """Names of the key columns."""
        return [column for column in self.table.columns if column not in {*NUMBERS, "note", "n", "deff"}]

    def display(self) -> pd.DataFrame:
        """Return the table as a reader sees it: estimates and interval ends transformed from `scale`."""
        shown = self.table.copy()
        for column in ("estimate", "conf_low", "conf_high"):
            shown[column] = self.scale.display(shown[column].to_numpy(dtype=float))
        return shown

    def row(self, **keys: object) -> pd.Series:
        """Return the one row whose key columns have these values, on `scale`."""
        chosen = self.table
        for name, value in keys.items():
            chosen = chosen[chosen[name] == value]
        if len(chosen) != 1:
            raise KeyError(f"{keys} fits {len(chosen)} rows, not one")
        return chosen.iloc[0]

    def worded_notes(self, language: str = "en") -> list[str]:
        """Return the notes of the result and of its rows as sentences, each once."""
        codes = dict.fromkeys(code for cell in self.table["note"] for code in cell.split())
        general = {note.code for note in self.notes}
        of_rows = [Note(code if "." in code else f"core.note.{code}", self.facts) for code in codes]
        return [note.worded(language) for note in (*self.notes, *(n for n in of_rows if n.code not in general))]

    def __repr__(self) -> str:
        body = self._shown().to_string(index=False, float_format=_four_digits)
        return "\n".join([self._sentence(), body, *self.worded_notes()])

    def _repr_markdown_(self) -> str:
        shown = self._shown()
        rows = [
            [_four_digits(cell) if isinstance(cell, float) else str(cell) for cell in row] for row in shown.to_numpy()
        ]
        lines = [list(shown.columns), ["---"] * len(shown.columns), *rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return "\n\n".join([self._sentence(), table, *self.worded_notes()])

    def _repr_html_(self) -> str:
        table = self._shown().to_html(index=False, border=0, float_format=_four_digits)
        notes = "".join(f"<p><small>{escape(words)}</small></p>" for words in self.worded_notes())
        return f"<p>{escape(self._sentence())}</p>{table}{notes}"

    def _sentence(self) -> str:
        number, units = len(self.table), self.counts.units
        treated = f", {self.counts.treated} of them treated" if self.counts.treated else ""
        plural = "s" if number != 1 else ""
        return f"{type(self.method).__name__}: {number} estimate{plural} from {units} units{treated}."

    def _shown(self) -> pd.DataFrame:
        number = ["n"] if "n" in self.table.columns else []
        tested = [] if self.scale.unit in LEVELS else ["p_value"]  # that a share is 0 is nobody's question
        return self.display()[[*self.keys, *number, "estimate", "conf_low", "conf_high", *tested]]


def _four_digits(number: float) -> str:
    return f"{number:.4g}"
