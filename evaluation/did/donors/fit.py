"""How well synthetic comparisons match treated units before the start, and the classical placebo test in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.did.donors.gap import Comparison, SyntheticGap
from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Note
from evaluation.panel import Panel
from evaluation.randomization.windows import Windows

POOR_FIT = 2.0  # times the usual distance before the start
OFTEN_OUTSIDE = 0.5  # of the periods before the start
FEW_PERIODS = 5
SMALLEST_MISS = 0.01  # of the usual distance after: a perfect fit before is no reason to divide by zero
DRAWS = 9_999


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted:
    """The treated units of one cohort beside their synthetic comparisons.

    Parameters
    ----------
    members
        Labels of the units.
    targets
        Labels of what is compared: the units, or all of them joined where their mean is.
    start, first
        Indices of the first period with the measure and of the first period of the window before it.
    periods
        Indices of all periods of the windows.
    since
        Label of the first period with the measure.
    comparison, others
        Of the targets ``(p,)``, and of all units of the panel ``(N,)`` at the same date.
    donors
        ``(N,)`` units that may have a weight.
    """

    members: tuple[str, ...]
    targets: tuple[str, ...]
    start: int
    first: int
    periods: tuple[int, ...]
    since: str
    comparison: Comparison
    others: Comparison
    donors: np.ndarray

    @property
    def outside(self) -> np.ndarray:
        """Share ``(p,)`` of the periods before in which a target lies above or below all donors."""
        before = slice(0, self.comparison.before)
        pool, own = self.others.observed[self.donors, before], self.comparison.observed[:, before]
        return np.asarray(((own > pool.max(axis=0)) | (own < pool.min(axis=0))).mean(axis=1))

    @property
    def usual_miss(self) -> float:
        """Median over donors of the distance from their own synthetic comparison before the start, never quite 0."""
        return max(float(np.nanmedian(self.others.miss[0][self.donors])), self.smallest_miss)

    @property
    def smallest_miss(self) -> float:
        """Distance before the start that counts as a perfect fit."""
        after = self.others.miss[1][self.donors]
        return max(SMALLEST_MISS * float(np.nanmedian(after)), float(np.finfo(float).tiny))


def fitted(panel: Panel, gap: SyntheticGap, windows: Windows, *, mean: bool, method: str) -> list[Fitted]:
    """Return the treated units of each cohort beside their synthetic comparisons.

    Parameters
    ----------
    mean
        Whether the mean of a cohort is one target.

    Raises
    ------
    EstimationError
        No treated unit, or no donor, has complete data and a case in the windows.
    """
    found = []
    for start in np.unique(panel.starts[panel.treated]):
        others = gap.compare(panel.outcome, panel.exposure, int(start), windows)
        first = int(start) - windows.gap - windows.before
        periods = (*range(first, int(start) - windows.gap), *range(int(start), int(start) + windows.after))
        usable = np.isfinite(others.observed).all(axis=1) & (panel.outcome[:, periods].sum(axis=1) > 0)
        own, donors = (panel.starts == start) & usable, gap.donors & usable
        if not own.any():
            continue
        if not donors.any():
            raise EstimationError(Problem("core.no_comparison_left", method=method))
        names = tuple(np.array(panel.units)[own].tolist())
        members = own[None] if mean else np.eye(len(own), dtype=bool)[own]
        found.append(
            Fitted(
                members=names,
                targets=(", ".join(names),) if mean else names,
                start=int(start),
                first=first,
                periods=periods,
                since=panel.periods[start],
                comparison=gap.compare(panel.outcome, panel.exposure, int(start), windows, members=members),
                others=others,
                donors=donors,
            )
        )
    if not found:
        raise EstimationError(Problem("core.no_treated_left", method=method))
    return found


def fit_facts(found: Sequence[Fitted], *, difference: bool) -> dict[str, object]:
    """Return the fit before the start, the number of donors in use, and the placebo test in space.

    Returns
    -------
    dict
        ``rmspe_before``: root mean squared gap before the start, mean over targets. ``rmspe_usual``: the same of an
        untreated unit, median. ``effective_donors``: donors in use, median over targets. ``placebo_space_p``. And,
        unless a constant distance is allowed (`difference`), ``outside``: number of targets above or below all
        donors in at least half of the periods before.
    """
    missed = np.concatenate([fit.comparison.miss[0] for fit in found])
    donors = np.concatenate([fit.comparison.effective_donors for fit in found])
    facts: dict[str, object] = {
        "rmspe_before": float(missed.mean()),
        "rmspe_usual": float(np.mean([fit.usual_miss for fit in found])),
        "effective_donors": float(np.median(donors)),
        "placebo_space_p": placebo_in_space(found),
    }
    if difference:
        return facts
    return facts | {"outside": int(sum((fit.outside >= OFTEN_OUTSIDE).sum() for fit in found))}


def fit_notes(found: Sequence[Fitted], *, difference: bool) -> tuple[Note, ...]:
    """Return remarks on targets beyond the reach of their donors, on a poor fit, and on few periods to fit to."""
    notes = []
    outside = [] if difference else [t for f in found for t in np.array(f.targets)[f.outside >= OFTEN_OUTSIDE]]
    if outside:
        notes.append(Note("synthetic.note.outside_hull", {"names": list(map(str, outside)), "n": len(outside)}))
    poor = {
        str(target): float(miss / max(fit.usual_miss, SMALLEST_MISS * miss))
        for fit in found
        for target, miss in zip(fit.targets, fit.comparison.miss[0], strict=True)
        if miss > POOR_FIT * fit.usual_miss > 0
    }
    if poor:
        notes.append(Note("synthetic.note.poor_fit", {"names": list(poor), "times": max(poor.values())}))
    if found[0].comparison.before < FEW_PERIODS:
        notes.append(Note("synthetic.note.few_periods", {"n": found[0].comparison.before}))
    return tuple(notes)


def placebo_in_space(found: Sequence[Fitted]) -> float:
    """Return how often units drawn at random have ratios of gaps after to before that rank as high as the targets.

    The ratio is that of root mean squared gaps, ranked among the donors and targets of a cohort; ranks are summed over
    targets. One target: its rank from above over the number of units (Abadie, Diamond and Hainmueller 2010). Several:
    drawn ranks, each cohort on its own.
    """
    rng = np.random.default_rng(np.random.SeedSequence(1))
    drawn, total = np.zeros(DRAWS), 0.0
    for fit in found:
        own, pool = _ratios(fit)
        size = len(own) + len(pool)
        rank = 1 + (np.concatenate([pool, own])[:, None] < own).sum(axis=0)
        if len(found) == len(own) == 1:
            return float(size - rank[0] + 1) / size
        total += float(rank.sum())
        drawn += np.argsort(rng.random((DRAWS, size)), axis=1)[:, : len(own)].sum(axis=1) + len(own)
    return float(1 + (drawn >= total).sum()) / (1 + DRAWS)


def _ratios(fit: Fitted) -> tuple[np.ndarray, np.ndarray]:
    """Return the ratios of root mean squared gaps after to before, of the targets and of the donors."""
    before, after = fit.others.miss
    known = fit.donors & np.isfinite(after)
    own = fit.comparison.miss[1] / np.maximum(fit.comparison.miss[0], fit.smallest_miss)
    return own, after[known] / np.maximum(before[known], fit.smallest_miss)
