"""What belongs beside an effect on survey answers: what could be found, who was left out, what comes back by itself."""

from __future__ import annotations

import numpy as np

from evaluation.estimates import Counts, Note, Scale
from evaluation.survey.area_changes import AreaChanges

FEW_ANSWERS = 5


def size_note(size: float, changes: AreaChanges, treated: np.ndarray, scale: Scale) -> Note:
    """Return the remark that stands before the result: from which size on an effect is found with 80 % probability."""
    before, after = changes.answers[treated].sum(axis=0).tolist()
    values = {"areas": int(treated.sum()), "before": before, "after": after}
    if scale.unit == "percentage_points":
        return Note("survey_change.note.detectable_points", {**values, "size": size})
    if scale.name == "log":
        return Note("survey_change.note.detectable_odds", {**values, "low": np.exp(-size), "high": np.exp(size)})
    return Note("survey_change.note.detectable_mean", {**values, "size": size})


def area_notes(areas: int, excluded: int, changes: AreaChanges) -> list[Note]:
    """Return remarks on areas: `areas` in the sample, of which some are `excluded` or lack answers."""
    notes = []
    if excluded:
        notes.append(Note("survey_change.note.excluded", {"n": excluded}))
    if areas > len(changes.areas):
        notes.append(Note("survey_change.note.areas_without_answers", {"n": areas - len(changes.areas)}))
    few = int((changes.answers < FEW_ANSWERS).any(axis=1).sum())
    if few:
        notes.append(Note("survey_change.note.few_answers", {"n": few, "fewest": FEW_ANSWERS}))
    if changes.rise is None:
        notes.append(Note("survey_change.note.reliability", {"share": 1 - changes.reliability}))
    elif changes.past is None:
        notes.append(Note("survey_change.note.returned", {"share": -changes.slope}))
    return notes


def area_counts(counts: Counts, changes: AreaChanges, treated: np.ndarray) -> Counts:
    """Return what went into the effect; who was left out comes from `counts`."""
    return Counts(
        observations=int(changes.answers.sum()),
        units=len(changes.areas),
        treated=int(treated.sum()),
        clusters=counts.clusters,
        dropped=counts.dropped,
    )


def area_facts(changes: AreaChanges, treated: np.ndarray) -> dict[str, object]:
    """Return numbers that belong to every effect, whatever its inference."""
    before, after = changes.answers[treated].sum(axis=0)
    return {
        "treated": int(treated.sum()),
        "comparison": int((~treated).sum()),
        "answers_before": int(before),
        "answers_after": int(after),
        "sampling_error": float(np.sqrt(changes.variance.mean())),
        "reliability": changes.reliability,
    }


def shock_size(tau2: float, slope: float, compared: tuple[int, int]) -> float:
    """Return the standard deviation of area x wave shocks from their variance in a change between waves.

    A change less `slope` times the rise before has the weights 1, -(1 + slope) and slope; a difference of means of
    `compared` waves has one over their numbers.
    """
    squares = 1 + (1 + slope) ** 2 + slope**2 if compared == (1, 1) else sum(1 / number for number in compared)
    return float(np.sqrt(tau2 / squares))
