"""What a check prints: what is wrong, what was recognised, what should be known, and what can be answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.errors import Problem
from evaluation.texts import text


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether one question about a measure can be answered.

    Parameters
    ----------
    measure
        Id of the measure; empty for a study outside the register.
    title
        Its title, or that of the study.
    question
        ``implementation``, ``effect`` or ``perception``.
    possible
        Whether the data answer it.
    pending
        Whether it is declared in advance, and waits for later data only.
    reasons
        With what, from when on; or what is missing and what it would answer.
    """

    measure: str
    title: str
    question: str
    possible: bool
    reasons: tuple[Problem, ...] = ()
    pending: bool = False

    def worded(self, language: str) -> str:
        """Return one line."""
        asked = text(f"data.question.{self.question}", language)
        verdict = text(
            f"data.answer.{'possible' if self.possible else 'pending' if self.pending else 'impossible'}", language
        )
        reasons = " ".join(reason.worded(language) for reason in self.reasons)
        return f"{asked}: {verdict}" + (f" {reasons}" if reasons else "")


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of a check.

    Parameters
    ----------
    language
        In which it is printed.
    problems
        What keeps the data from being used.
    detected
        What was recognised in the files.
    notes
        What should be known.
    answers
        What can be answered, measure by measure.
    """

    language: str
    problems: tuple[Problem, ...] = ()
    detected: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    answers: tuple[Answer, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def worded(self, language: str | None = None) -> str:
        """Return everything as text for a terminal."""
        chosen = language or self.language
        parts = [
            _section("detected", self.detected, chosen),
            _section("notes", self.notes, chosen),
            _section("problems", self.problems, chosen),
            self._answers(chosen),
            text("data.check.ok" if self.ok else "data.check.faulty", chosen, n=len(self.problems)),
        ]
        return "\n\n".join(part for part in parts if part)

    def _answers(self, language: str) -> str:
        if not self.answers:
            return ""
        lines = [text("data.check.answers", language)]
        last = ""
        for answer in self.answers:
            heading = f"{answer.measure} {answer.title}".strip()
            if heading != last:
                lines.append(f"  {heading}")
            last = heading
            lines.append(f"    {answer.worded(language)}")
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        return "\n".join(f"    {line}" for line in self.worded().splitlines())


def _section(name: str, found: Sequence[Problem], language: str) -> str:
    if not found:
        return ""
    heading = text(f"data.check.{name}", language, n=len(found))
    return "\n".join([heading, *(f"  - {problem.worded(language)}" for problem in found)])
