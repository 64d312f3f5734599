"""The evidence grade: Maryland scale 1 to 5, computed from the design, with every reason; lowered, never raised.

The design sets where it starts. Each check that is not met lowers it by one; each that has not been made, too, but not
below 3: what nobody looked at is no reason for a high grade, and no finding against the study either. How large or how
certain an effect is has no influence on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from evaluation.texts import text

Design = Literal["randomised", "standardised", "comparison", "before_after", "description"]

#: Level at which a design starts (Farrington, Gottfredson, Sherman and Welsh 2002).
DESIGNS: dict[Design, int] = {
    "randomised": 5,  # areas or nights were drawn by lot
    "standardised": 4,  # several areas with and without, adjusted for earlier level, rise and volatility
    "comparison": 3,  # before and after, with and without
    "before_after": 2,  # before and after, without comparison
    "description": 1,  # one time, or no comparison at all
}
#: Treated units from which a standardised comparison counts as one of several areas.
SEVERAL = 5
#: Checks that were not made do not lower the grade further.
UNEXAMINED_FLOOR = 3

CHECKS = (
    "dose",
    "earlier_dose",
    "breaks",
    "asked",
    "history",
    "pre_trend",
    "spillover",
    "inference",
    "specification",
)


@dataclass(frozen=True)
class Check:
    """A condition of the evidence.

    Parameters
    ----------
    code
        One of :data:`CHECKS`.
    met
        None where it has not been examined.
    values
        What its sentence mentions.
    """

    code: str
    met: bool | None
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code not in CHECKS:
            raise ValueError(f"check {self.code!r} is not one of {', '.join(CHECKS)}")


@dataclass(frozen=True, kw_only=True)
class Grade:
    """The grade of one finding.

    Parameters
    ----------
    level
        1 to 5; 5 is the highest.
    design
        Key of :data:`DESIGNS`, where the grade started.
    checks
        All checks, in the order of :data:`CHECKS`.
    """

    level: int
    design: Design
    checks: tuple[Check, ...]

    @property
    def lowered(self) -> tuple[Check, ...]:
        """Checks that are not met; each lowered the grade by one, as far as 1."""
        return tuple(check for check in self.checks if check.met is False)

    @property
    def unexamined(self) -> tuple[Check, ...]:
        """Checks that were not made."""
        return tuple(check for check in self.checks if check.met is None)

    def worded(self, language: str) -> str:
        """Return the grade as a reader sees it.

        Examples
        --------
        >>> grade_of("comparison", []).worded("de")
        'Belastbarkeit: 3 von 5 (5 = am höchsten)'
        """
        return text("findings.grade.label", language, level=self.level)

    def reasons(self, language: str) -> list[str]:
        """Return one sentence for the design, and one for every check that lowers or limits the grade.

        Examples
        --------
        >>> grade_of("before_after", []).reasons("en")
        ['Starts at 2 of 5: before and after are compared, without comparison areas.']
        """
        start = DESIGNS[self.design]
        sentences = [text(f"findings.grade.design.{self.design}", language, level=start)]
        sentences += [text(f"findings.grade.lowered.{check.code}", language, **check.values) for check in self.lowered]
        if start - len(self.lowered) > UNEXAMINED_FLOOR:
            codes = [check.code for check in self.unexamined]
            sentences += [text(f"findings.grade.unexamined.{code}", language, floor=UNEXAMINED_FLOOR) for code in codes]
        return sentences


def grade_of(design: Design, checks: Sequence[Check]) -> Grade:
    """Compute the grade of a design under its checks.

    ``level = start - number of checks not met``, at least 1; where that is above 3, less the number of checks not
    made, but not below 3.

    Parameters
    ----------
    design
        Key of :data:`DESIGNS`.
    checks
        Those that apply to the study; at most one of a kind.

    Raises
    ------
    ValueError
        A check is given twice.

    Examples
    --------
    >>> grade_of("standardised", [Check("pre_trend", True), Check("dose", False)]).level
    3
    """
    codes = [check.code for check in checks]
    if len(set(codes)) < len(codes):
        raise ValueError(f"a check is given twice: {codes}")
    level = max(1, DESIGNS[design] - sum(check.met is False for check in checks))
    unexamined = sum(check.met is None for check in checks)
    level = max(min(level, UNEXAMINED_FLOOR), level - unexamined)
    ordered = tuple(sorted(checks, key=lambda check: CHECKS.index(check.code)))
    return Grade(level=level, design=design, checks=ordered)
