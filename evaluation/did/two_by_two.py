"""Before and after, with and without the measure: one effect over the after-window, as a ratio or in cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.did.unit_effects import Measured, choose_windows, measure, observed_and_expected
from evaluation.errors import DesignError, Problem
from evaluation.estimates import Counts, Draws, Estimates, Note, Scale
from evaluation.panel import Panel
from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.inference import Randomization, Tested


@dataclass(frozen=True, kw_only=True)
class TwoByTwo:
    """The change of treated units between two windows against the change of the others.

    Parameters
    ----------
    before, after
        Lengths of the windows in periods; by default up to three years before and one year after.
    scale
        ``ratio``: cases relative to those expected without the measure. ``levels``: additional cases in the after-window, derived from the
        ratio (intervals that are additive from the start cover too rarely with counts).
    inference
        See :class:`evaluation.Randomization`.

    Notes
    -----
    The effect is adjusted for the return to the usual level: changes are taken less what the preceding rise of the same unit lets expect.
    The row ``unadjusted`` is the pooled ratio ``(T1 / T0) / (C1 / C0)`` of the cases, without that adjustment.

    Examples
    --------
    >>> from evaluation.simulate import example_panel
    >>> result = TwoByTwo(before=3, after=1).estimate(example_panel())
    >>> result.table["term"].tolist()
    ['effect', 'unadjusted']
    """

    before: int | None = None
    after: int | None = None
    scale: Literal["ratio", "levels"] = "ratio"
    inference: Randomization = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        if self.scale not in {"ratio", "levels"}:
            raise DesignError(
                Problem("core.option_value", method="TwoByTwo", option="scale", given=self.scale, allowed="ratio, levels")
            )

    def estimate(self, panel: Panel) -> Estimates:
        """Return the effect (row ``effect``) and the pooled ratio (row ``unadjusted``), on the log scale or in cases.

        Raises
        ------
        DesignError, EstimationError
            The windows do not fit the panel, or no unit has complete data in them.
        """
        windows = choose_windows(panel, self.before, self.after, "TwoByTwo")
        measured = measure(panel, windows, "TwoByTwo")
        reference = self.inference.assign(measured.effects, panel.contiguity)
        tested = self.inference.test(measured.effects, reference)
        observed, expected = observed_and_expected(panel, measured)
        rows = [effect_row(tested, "effect"), _pooled_row(observed, expected)]
        table = pd.DataFrame(rows)
        scale = Scale("log", "ratio")
        if self.scale == "levels":
            table, scale = _in_cases(table, observed), Scale("identity", "cases")
        facts = facts_of(measured, tested, reference)
        facts |= {"observed": observed, "expected": observed / float(np.exp(tested.estimate))}
        return Estimates(
            table=table,
            scale=scale,
            draws=Draws(
                values=tested.reference[:, None],
                key=(panel.units, reference.kind, reference.strata, self.inference.seed),
                enumerated=reference.enumerated,
            ),
            declaration=panel.study,
            method=self,
            counts=counts_of(panel, measured),
            notes=notes_of(measured, facts),
            facts=facts,
        )


def effect_row(tested: Tested, term: str) -> dict[str, object]:
    """Return a tested effect as a row of :class:`evaluation.Estimates`."""
    notes = ["no_std_error"]
    if np.isnan(tested.conf_low) or np.isnan(tested.conf_high):
        both = np.isnan(tested.conf_low) and np.isnan(tested.conf_high)
        notes.append("no_interval" if both else "unbounded")
    return {
        "term": term,
        "estimate": tested.estimate,
        "std_error": np.nan,
        "df": np.inf,
        "statistic": np.nan,
        "p_value": tested.p_value,
        "conf_low": tested.conf_low,
        "conf_high": tested.conf_high,
        "note": " ".join(notes),
    }


def _pooled_row(observed: float, expected: float) -> dict[str, object]:
    empty = dict.fromkeys(("std_error", "statistic", "p_value", "conf_low", "conf_high"), np.nan)
    possible = observed > 0 and expected > 0
    ratio = np.log(observed / expected) if possible else np.nan
    return {"term": "unadjusted", "estimate": ratio, **empty, "df": np.inf, "note": "unadjusted"}


def _in_cases(table: pd.DataFrame, observed: float) -> pd.DataFrame:
    """Turn log ratios into additional cases: ``observed - observed / ratio``; interval ends alike."""
    shown = table.copy()
    for column in ("estimate", "conf_low", "conf_high"):
        shown[column] = observed * (1.0 - np.exp(-shown[column].to_numpy(dtype=float)))
    shown["note"] = (shown["note"] + " derived_from_ratio").str.strip()
    return shown


def facts_of(measured: Measured, tested: Tested, reference: ReferenceSet) -> dict[str, object]:
    """Return what belongs beside every effect: attainable p, detectable effect, exaggeration, history and reference set."""
    history = measured.history
    return {
        "smallest_p": tested.smallest_p,
        "smallest": tested.smallest_p,
        "detectable": float(1.0 - np.exp(-tested.detectable)),
        "exaggeration": tested.exaggeration,
        "reporting": float(np.exp(tested.estimate) - 1.0),
        "history_dates": len(measured.effects.past),
        "reference_set": reference.kind,
        "assignments": len(tested.reference),
        "enumerated": reference.enumerated,
        "treated": int((measured.effects.cohort >= 0).sum()),
        "comparison": int((measured.effects.pool & (measured.effects.cohort < 0)).sum()),
        "slope": history.slope if history else float("nan"),
        "tau2": history.tau2 if history else float("nan"),
        "phi": history.phi if history else float("nan"),
        "before": measured.windows.before,
        "after": measured.windows.after,
    }


def counts_of(panel: Panel, measured: Measured) -> Counts:
    """Return what went into an effect."""
    return Counts(
        observations=int(np.isfinite(panel.outcome[measured.effects.pool]).sum()),
        units=int(measured.effects.pool.sum()),
        treated=int((measured.effects.cohort >= 0).sum()),
        dropped=measured.dropped,
    )


def notes_of(measured: Measured, facts: dict[str, object]) -> tuple[Note, ...]:
    """Return the remarks on what was set aside and on a missing history."""
    notes = [Note(code, {"n": n}) for code, n in measured.dropped.items()]
    if not measured.effects.standardised:
        notes.append(Note("core.note.little_history", {"dates": facts["history_dates"]}))
    return tuple(notes)
