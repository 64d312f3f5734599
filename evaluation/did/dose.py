"""More of a measure, more effect? The change of units by how much of the measure they had, patrol hours say.

In a straight line, or above against below a threshold. The doses of units are read in
:mod:`evaluation.did.doses.units`, and exchanged between units in :mod:`evaluation.did.doses.exchange`. What is left
out: curves between a line and a step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.did.doses.exchange import Labels, among_treated, from_zero
from evaluation.did.doses.units import (
    EQUAL_DOSES,
    NOBODY_BELOW,
    SAME,
    Dosed,
    Regressions,
    linear_regressions,
    threshold_regressions,
    with_doses,
    without_doses_elsewhere,
)
from evaluation.did.inference.effects import (
    counts_of,
    draws_of,
    dropped_notes,
    effect_row,
    facts_of,
    notes_of,
    plain_row,
)
from evaluation.did.inference.on_request import OnRequest
from evaluation.did.inference.randomised import NO_CASE
from evaluation.did.inference.unit_effects import choose_windows, measure
from evaluation.did.triple import check_number_column
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.inference import Randomization, Tested

METHOD = "DoseResponse"
FORMS = ("linear", "threshold")
FEW_DOSES = 2


@dataclass(frozen=True, kw_only=True)
class DoseResponse:
    """The effect by the dose of the measure: for each further unit of dose, or above against below a threshold.

    Parameters
    ----------
    dose
        Column of the panel's frame with the dose of each unit and period. Missing values of units without the
        measure, and before the start, are 0; where there are values, the effect is that of the increase.
    form
        ``linear``: the log ratio grows evenly with the dose. ``threshold``: one effect from the threshold on,
        another below.
    threshold
        Dose a period from which on a unit counts as above; for ``threshold`` only.
    step
        The dose a period for which the effect is given, 100 hours say; by default the average change of dose of the
        treated units, so that the effect is that of the measure as it was. For ``linear`` only.
    before, after
        Lengths of the windows in periods; by default up to three years before and one year after.
    inference
        :class:`evaluation.Randomization` by default, with precision weights; others have to be asked for.

    Notes
    -----
    With changes ``e_i`` (adjusted for the return to the usual level), standard deviations ``s_i``, ``z_i = e_i /
    s_i`` and increases of dose ``D_i``, the effect of a dose of one is ``sum_T D_i (z_i - z_C) / sum_T D_i (D_i / s_i
    - x_C)`` over treated units, ``z_C`` and ``x_C`` being the means of ``z`` and ``D / s`` of the comparison units: two
    by two where all doses are equal. Doses are exchanged between units as treatments are there.

    Row ``more`` compares treated units with each other: the slope with an intercept of their own, by least squares
    with weights ``1 / s_i²``, against the slopes that the same doses show in other units. Only it tells an effect of
    more from an effect of any; it asks for more than parallel trends, since units with high and low doses must
    respond alike. With a threshold the rows are ``effect`` (above against without), ``below`` (below against without)
    and ``difference``. ``unadjusted`` is the Poisson regression with unit and window effects, by cohort.

    References
    ----------
    Callaway, Goodman-Bacon and Sant'Anna (2024), Difference-in-differences with a continuous treatment.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> panel = example_panel()
    >>> hours = 100.0 * (panel.frame["unit"].isin(panel.study.treated) & (panel.frame["period"] >= "2018"))
    >>> dosed = replace(panel, frame=panel.frame.assign(hours=hours))
    >>> DoseResponse(dose="hours", before=3, after=1).estimate(dosed).table["term"].tolist()
    ['effect', 'more', 'unadjusted']
    """

    dose: str
    form: Literal["linear", "threshold"] = "linear"
    threshold: float | None = None
    step: float | None = None
    before: int | None = None
    after: int | None = None
    inference: Randomization | OnRequest = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        step = self.form == "threshold"
        weights = self.inference.weights if isinstance(self.inference, Randomization) else "precision"
        given = "None" if self.threshold is None else str(self.threshold)
        checks = {
            "form": (self.form in FORMS, self.form, ", ".join(FORMS)),
            "threshold": (
                (self.threshold is not None and self.threshold > 0) if step else self.threshold is None,
                given,
                "> 0, form = threshold" if step else "None, form = linear",
            ),
            "step": (self.step is None or (self.step > 0 and not step), self.step, "> 0, form = linear"),
            "inference.weights": (weights == "precision", weights, "precision"),
        }
        problems = [
            Problem("core.option_value", method=METHOD, option=name, given=value, allowed=allowed)
            for name, (fine, value, allowed) in checks.items()
            if not fine
        ]
        if problems:
            raise DesignError(*problems)

    def estimate(self, panel: Panel) -> Estimates:
        """Return ``effect``, ``more`` and ``unadjusted``, or ``effect``, ``below``, ``difference`` and ``unadjusted``.

        Raises
        ------
        DesignError
            There is no such column of numbers, a dose is negative, or the windows do not fit.
        EstimationError
            The dose does not change, is missing in all treated units, or no unit reaches the threshold.
        """
        check_number_column(panel, self.dose, METHOD)
        windows = choose_windows(panel, self.before, self.after, METHOD)
        dosed = with_doses(panel, measure(panel, windows, METHOD), self.dose, METHOD)
        if self.form == "threshold":
            dosed = without_doses_elsewhere(dosed, METHOD)
        above = self._above(dosed)
        if not isinstance(self.inference, Randomization):
            return self._on_request(panel, dosed, above, self.inference)
        rows, reference = (
            self._linear(panel, dosed, self.inference)
            if self.form == "linear"
            else self._threshold(panel, dosed, above, self.inference)
        )
        try:
            pooled = float(self._regressions(panel, dosed, above).estimate[0])
        except EstimationError:
            pooled = float("nan")
        return self._randomised(panel, dosed, rows, reference, pooled)

    # --- the two forms under randomisation ---

    def _linear(
        self, panel: Panel, dosed: Dosed, inference: Randomization
    ) -> tuple[dict[str, Tested | str], ReferenceSet]:
        effects, unit = dosed.measured.effects, self._unit(dosed)
        labels = Labels.of(effects, dosed.own / unit)
        reference = inference.assign(replace(effects, cohort=labels.label), panel.contiguity)
        factor = (self.step or unit) / unit
        effect = from_zero(effects, dosed.increase / unit, labels, reference, inference.level)
        if effect is None:
            raise EstimationError(Problem("triple_dose.no_more_dose", method=METHOD, name=self.dose))
        rows: dict[str, Tested | str] = {"effect": _scaled(effect, factor), "more": EQUAL_DOSES}
        if dosed.different > 1:
            more = among_treated(effects, dosed.increase / unit, labels, reference, inference.level)
            rows["more"] = _scaled(more, factor)
        return rows, reference

    def _threshold(
        self, panel: Panel, dosed: Dosed, above: np.ndarray, inference: Randomization
    ) -> tuple[dict[str, Tested | str], ReferenceSet]:
        effects, below = dosed.measured.effects, dosed.treated & ~above
        parts: dict[str, Tested | str] = {"below": NOBODY_BELOW, "difference": NOBODY_BELOW}
        chosen = replace(effects, pool=effects.pool & ~below, cohort=np.where(below, -1, effects.cohort))
        reference = inference.assign(chosen, panel.contiguity)
        rows = {"effect": inference.test(chosen, reference), **parts}
        if below.any():
            other = replace(effects, pool=effects.pool & ~above, cohort=np.where(above, -1, effects.cohort))
            rows["below"] = inference.test(other, inference.assign(other, panel.contiguity))
            labels = Labels.of(effects, above.astype(float))
            both = inference.assign(replace(effects, cohort=labels.label), panel.contiguity)
            rows["difference"] = among_treated(effects, effects.share * above, labels, both, inference.level)
        return rows, reference

    def _randomised(
        self, panel: Panel, dosed: Dosed, rows: dict[str, Tested | str], reference: ReferenceSet, pooled: float
    ) -> Estimates:
        shown = {
            term: plain_row(np.nan, tested) if isinstance(tested, str) else effect_row(tested)
            for term, tested in rows.items()
        }
        shown["unadjusted"] = plain_row(pooled, "unadjusted" if np.isfinite(pooled) else NO_CASE)
        effect = rows["effect"]
        if isinstance(effect, str):  # it never is: without an effect there is an error
            raise TypeError(effect)
        return Estimates(
            table=pd.DataFrame([{"term": term, **row} for term, row in shown.items()]),
            scale=Scale("log", "ratio"),
            draws=draws_of([effect.reference], panel, dosed.measured, reference),
            declaration=panel.study,
            method=self,
            counts=counts_of(panel, dosed.measured),
            notes=(*notes_of(dosed.measured, reference), *dosed.notes, *self._notes(dosed)),
            facts=facts_of(dosed.measured, effect, reference) | self._facts(dosed),
        )

    # --- Poisson regression ---

    def _regressions(self, panel: Panel, dosed: Dosed, above: np.ndarray) -> Regressions:
        if self.form == "threshold":
            return threshold_regressions(panel, dosed, above)
        return linear_regressions(panel, dosed, self.step or self._unit(dosed))

    def _on_request(self, panel: Panel, dosed: Dosed, above: np.ndarray, inference: OnRequest) -> Estimates:
        if self.threshold is not None and above.sum() < 2:
            raise EstimationError(Problem("triple_dose.one_above", method=METHOD, threshold=self.threshold))
        found = self._regressions(panel, dosed, above)
        result = inference.conclude(
            pd.DataFrame({"term": found.terms}),
            found.estimate,
            found.influence,
            panel=panel,
            scale=Scale("log", "ratio"),
            method=self,
            counts=counts_of(panel, dosed.measured),
            row_notes=found.notes,
        )
        dropped = dropped_notes(dosed.measured)
        notes = (*result.notes, *dropped, *dosed.notes, *self._notes(dosed))
        return replace(result, notes=notes, facts={**result.facts, **self._facts(dosed)})

    # --- doses ---

    def _above(self, dosed: Dosed) -> np.ndarray:
        """Return ``(N,)`` the treated units from the threshold on; all of them without a threshold."""
        if self.threshold is None:
            return dosed.treated
        above = dosed.treated & (dosed.own >= self.threshold * (1 - SAME))
        if not above.any():
            highest = float(dosed.own[dosed.treated].max())
            raise EstimationError(
                Problem("triple_dose.below_threshold", method=METHOD, threshold=self.threshold, highest=highest)
            )
        return above

    @staticmethod
    def _unit(dosed: Dosed) -> float:
        """Return the average change of dose of the treated units, above zero."""
        return float(np.abs(dosed.own[dosed.treated]).mean())

    def _facts(self, dosed: Dosed) -> dict[str, object]:
        own = dosed.own[dosed.treated]
        facts: dict[str, object] = {"mean_dose": float(own.mean()), "different_doses": dosed.different}
        return facts | ({"step": self.step or self._unit(dosed)} if self.form == "linear" else {})

    def _notes(self, dosed: Dosed) -> tuple[Note, ...]:
        different = dosed.different
        if self.threshold is not None:
            above = int(self._above(dosed).sum())
            values = {"threshold": self.threshold, "above": above, "below": int(dosed.treated.sum()) - above}
            return (Note("triple_dose.note.threshold", values),)
        kind, step = ("average_dose", self._unit(dosed)) if self.step is None else ("step", self.step)
        notes = (Note(f"triple_dose.note.{kind}", {"step": step}),)
        few = (Note("triple_dose.note.few_doses", {"n": different}),) if 1 < different <= FEW_DOSES else ()
        return notes + few


def _scaled(tested: Tested, factor: float) -> Tested:
    """Return the same test with its effect given for another dose; the exaggeration is that of the average dose."""
    numbers = {name: getattr(tested, name) * factor for name in ("estimate", "conf_low", "conf_high", "detectable")}
    return replace(tested, reference=tested.reference * factor, **numbers)
