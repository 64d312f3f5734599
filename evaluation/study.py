"""The declaration of one causal question: which measure, where and since when, on which outcome, against whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evaluation.data.periods import FREQUENCIES, Frequency, convert, frequency_of, ordinal
from evaluation.errors import DesignError, Problem

UNITS = ("area", "district", "precinct")
COMPARISONS = ("never_treated", "not_yet_treated")
LEAVE_OUT = ("none", "neighbours")
PARTIAL_PERIODS = ("before", "after", "drop")


@dataclass(frozen=True, kw_only=True)
class Study:
    """One declared question about one outcome.

    Parameters
    ----------
    id
        Short name, stable over years.
    outcome
        Name of the outcome in the project.
    treated_since
        Start of the measure by unit, ``{"20": "2018-11"}``; or one start for all units in `treated`.
    treated
        Units with the measure; taken from `treated_since` where that is a mapping.
    measure, event
        The measure of the register, or the event outside it, that is studied. Exactly one.
    until
        Last period of the measure, where it ended.
    unit, period
        Length of an observation in space and time.
    comparison
        ``never_treated`` or ``not_yet_treated`` units are compared.
    leave_out
        ``neighbours`` keeps units that touch a treated one out of the comparison.
    excluded
        Units that are neither treated in this study nor compared, such as those that got the measure at another time.
    partial_period
        A period in which the measure starts after its first day counts as before, after, or is dropped.
    anticipation
        Number of periods before the start in which an effect is possible already.
    exposure
        Whether counts are divided by the exposure of the panel (inhabitants).
    primary
        Whether the study was named as one of the main ones before the data were seen.
    title
        By language.
    reasons
        Why a value differs from the register, by key.
    source
        File that declares the study.

    Examples
    --------
    >>> study = Study(id="zone", outcome="bodily_harm", event="weapons_ban_zone", period="year",
    ...               treated_since={"20": "2018-11", "21": "2018-11"}, partial_period="before")
    >>> study.treated
    ('20', '21')
    """

    id: str
    outcome: str
    treated_since: str | Mapping[str, str]
    treated: tuple[str, ...] = ()
    measure: str | None = None
    event: str | None = None
    until: str | None = None
    unit: Literal["area", "district", "precinct"] = "area"
    period: Frequency = "month"
    comparison: Literal["never_treated", "not_yet_treated"] = "never_treated"
    leave_out: Literal["none", "neighbours"] = "none"
    excluded: tuple[str, ...] = ()
    partial_period: Literal["before", "after", "drop"] = "drop"
    anticipation: int = 0
    exposure: bool = False
    primary: bool = False
    title: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.treated_since, str) and not self.treated:
            object.__setattr__(self, "treated", tuple(sorted(self.treated_since)))
        problems = [*self._option_problems(), *self._period_problems()]
        if (self.measure is None) == (self.event is None):
            problems.append(Problem("core.study_measure_or_event", file=self.source, study=self.id))
        if not self.treated:
            problems.append(Problem("core.study_no_treated", file=self.source, study=self.id))
        if problems:
            raise DesignError(*problems)

    def _option_problems(self) -> list[Problem]:
        options = {
            "unit": UNITS,
            "period": FREQUENCIES,
            "comparison": COMPARISONS,
            "leave_out": LEAVE_OUT,
            "partial_period": PARTIAL_PERIODS,
        }
        return [
            Problem(
                "core.study_option",
                file=self.source,
                study=self.id,
                option=name,
                given=getattr(self, name),
                allowed=allowed,
            )
            for name, allowed in options.items()
            if getattr(self, name) not in allowed
        ] + self._start_problems()

    def _start_problems(self) -> list[Problem]:
        """Return what in starts, areas and end does not fit together."""
        found: list[tuple[str, object, tuple[object, ...]]] = []
        if not isinstance(self.treated_since, str):
            known = tuple(sorted(self.treated_since))
            found += [("treated", unit, known) for unit in self.treated if unit not in self.treated_since]
            found += [("treated_since", unit, self.treated) for unit in sorted(set(known) - set(self.treated))]
        if self.anticipation < 0:
            found.append(("anticipation", self.anticipation, (">= 0",)))
        if self.until is not None and frequency_of(self.until) and self.period in FREQUENCIES:
            starts = [since for since in set(self.starts.values()) if frequency_of(since)]
            last = ordinal(convert(self.until, self.period)[0])
            late = [since for since in starts if ordinal(convert(since, self.period)[0]) > last]
            found += [("until", self.until, (f">= {max(late)}",))] if late else []
        return [
            Problem("core.study_option", file=self.source, study=self.id, option=name, given=given, allowed=allowed)
            for name, given, allowed in found
        ]

    def _period_problems(self) -> list[Problem]:
        given = [*self.starts.values(), *([self.until] if self.until else [])]
        return [
            Problem("core.study_period", file=self.source, study=self.id, given=period)
            for period in dict.fromkeys(given)
            if frequency_of(period) is None
        ]

    @property
    def starts(self) -> dict[str, str]:
        """Start of the measure by treated unit, as declared."""
        if isinstance(self.treated_since, str):
            return dict.fromkeys(self.treated, self.treated_since)
        return {unit: self.treated_since[unit] for unit in self.treated if unit in self.treated_since}
