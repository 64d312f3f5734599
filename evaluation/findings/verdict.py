"""What a result says: established, not shown, or not assessable, and why.

The absence of evidence is never called the absence of an effect: where no effect is shown, the verdict carries the
change that could have been found; where that is out of reach, the question cannot be answered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evaluation.estimates import Estimates
from evaluation.findings.reasons import Reason

Kind = Literal["established", "not_shown", "not_assessable"]
KINDS: tuple[Kind, ...] = ("established", "not_shown", "not_assessable")

#: Largest effect that is typical in the field (foot patrols in Philadelphia, Ratcliffe et al. 2011: 23 % fewer). A
#: study that could only find more than that cannot answer its question.
LARGEST_TYPICAL = 0.23


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one effect.

    Parameters
    ----------
    kind
        ``established`` (p at most `level`), ``not_shown`` (no effect shown, though a typical one could have been
        found) or ``not_assessable``.
    level
        Level of the test.
    reasons
        Why it is not assessable.
    detectable
        Relative change that would be found with 80 % power, 0.2 for 20 %; None if unknown.
    """

    kind: Kind
    level: float = 0.05
    reasons: tuple[Reason, ...] = ()
    detectable: float | None = None


def verdict_of(
    estimates: Estimates | None, *, level: float = 0.05, reasons: Sequence[Reason] = (), term: str = "effect"
) -> Verdict:
    """Return the verdict on one row of estimates.

    Parameters
    ----------
    estimates
        The result; None where there is none.
    level
        Level of the test.
    reasons
        What forbids a judgement whatever the numbers say, such as a missing dose.
    term
        Row of the effect.

    Examples
    --------
    >>> verdict_of(None, reasons=[Reason("no_comparison")]).kind
    'not_assessable'
    """
    if estimates is None:
        return Verdict(kind="not_assessable", level=level, reasons=tuple(reasons) or (Reason("no_estimate"),))
    effect = estimates.row(term=term)
    detectable = _number(estimates.facts.get("detectable"))
    found = [*reasons, *_numerical_reasons(effect, estimates, level)]
    if found:
        return Verdict(kind="not_assessable", level=level, reasons=tuple(found), detectable=detectable)
    if float(effect["p_value"]) <= level:
        return Verdict(kind="established", level=level, detectable=detectable)
    if detectable is not None and abs(detectable) > LARGEST_TYPICAL:
        too_weak = Reason("too_weak", {"detectable": abs(detectable)})
        return Verdict(kind="not_assessable", level=level, reasons=(too_weak,), detectable=detectable)
    return Verdict(kind="not_shown", level=level, detectable=detectable)


def _number(value: Any) -> float | None:
    if value is None or not math.isfinite(float(value)):
        return None
    return float(value)


def _numerical_reasons(effect: Any, estimates: Estimates, level: float) -> list[Reason]:
    """Return why the numbers themselves allow no judgement."""
    if not math.isfinite(float(effect["estimate"])) or not math.isfinite(float(effect["p_value"])):
        return [Reason("no_estimate")]
    smallest = _number(estimates.facts.get("smallest_p"))
    if smallest is not None and smallest > level:
        return [Reason("smallest_p", {"smallest_p": smallest, "level": level})]
    return []
