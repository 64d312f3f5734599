"""Answers on paper, online, by phone: where a change of the mode looks like a change of what people feel.

Flagged wherever waves are compared; where a parallel run asked the same question in both modes at the same time, its
effect is estimated and taken off. What is left out: other reasons why waves differ
(:mod:`evaluation.survey.composition`, :mod:`evaluation.survey.response`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.influence import estimates_from_influence
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.domains import account, divide, influence_of
from evaluation.survey.estimation import Mean, Share
from evaluation.survey.waves import WaveDomains, divide_waves, wave_column
from evaluation.survey_design import as_columns

MODE = "mode"  # column of the contract
SHIFT = 0.10  # so much of the respondents must have changed mode before it is said
TOLERANCE = 1e-9


def mode_shares(sample: Sample, waves: Sequence[Any], column: str = MODE) -> pd.Series:
    """Return the weighted share of respondents by mode in `waves` together; index: the modes."""
    inside = sample.frame[str(sample.design.wave)].isin(list(waves)).to_numpy() & (sample.weights > 0)
    weights = pd.Series(sample.weights[inside]).groupby(sample.frame[column].to_numpy()[inside]).sum()
    return weights / weights.sum()


def mode_shift(sample: Sample, before: Sequence[Any], after: Sequence[Any], column: str = MODE) -> float:
    """Return the share of respondents, 0 to 1, who answered in another mode afterwards than before."""
    first, second = (mode_shares(sample, waves, column) for waves in (before, after))
    return float(first.subtract(second, fill_value=0.0).abs().sum() / 2)


def mode_notes(
    sample: Sample, before: Sequence[Any], after: Sequence[Any], column: str = MODE, *, compared: bool = False
) -> tuple[Note, ...]:
    """Return a remark where the modes of the waves differ by more than a tenth of the respondents.

    Where areas are `compared`, the effect of a mode cancels as far as the same people use it everywhere.
    """
    if column not in sample.frame:
        return ()
    shift = mode_shift(sample, before, after, column)
    if shift <= SHIFT:
        return ()
    first, second = (_in_words(mode_shares(sample, waves, column)) for waves in (before, after))
    code = "mode_break_compared" if compared else "mode_break"
    return (Note(f"survey_change.note.{code}", {"shift": shift, "before": first, "after": second}),)


def _in_words(shares: pd.Series) -> list[str]:
    return [f"{mode} {round(100 * share)}" for mode, share in shares.sort_values(ascending=False).items()]


@dataclass(frozen=True)
class ModeAdjusted:
    r"""Change between two waves less what the change of the mode alone does, as a parallel run shows it.

    Parameters
    ----------
    estimator
        :class:`Mean` or :class:`Share`.
    baseline, wave
        Values of the design's wave column.
    parallel
        Wave (it may be one of the two) in which people were asked in several modes at the same time.
    mode
        Column of the mode.
    drawn
        Whether it was drawn by lot who of the parallel run was asked in which mode; if not, a note says that the mode
        effect holds differences between people, too.
    level
        Of the intervals.

    Notes
    -----
    With the mode effects :math:`m_k = \bar y_k - \bar y_0` of the parallel run (all domains together, k against the
    most frequent mode of the baseline) and the shares of the modes :math:`\pi_{kt}` in wave t,

    .. math:: \Delta^* = \bar y_2 - \bar y_1 - \sum_k (\pi_{k2} - \pi_{k1}) m_k

    Means, shares of modes and mode effects all come from the sample, and the influences of all of them are counted:
    taking the mode off makes the interval wider. Shares of modes are those among people whose mode is known; where a
    wave has no such people, nothing can be taken off. It is assumed that the effect of a mode is the same in all waves.

    References
    ----------
    de Leeuw (2005), To mix or not to mix data collection modes in surveys; Schouten, van den Brakel, Buelens, van der
    Laan and Klausch (2013), Disentangling mode-specific selection and measurement bias in social surveys.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> rows = [("21", "paper", 1), ("21", "paper", 3), ("24", "online", 4), ("24", "online", 6)]
    >>> rows += [("24p", "paper", 2), ("24p", "paper", 4), ("24p", "online", 3), ("24p", "online", 5)]
    >>> frame = pd.DataFrame(rows, columns=["wave", "mode", "x"]).assign(stratum="s", weight=1.0)
    >>> method = ModeAdjusted(Mean("x"), "21", "24", parallel="24p")
    >>> method.estimate(Sample(frame, SurveyDesign(wave="wave"))).table["estimate"].round(6).tolist()
    [3.0, 1.0, 2.0]
    """

    estimator: Mean | Share
    baseline: Any
    wave: Any
    _: KW_ONLY
    parallel: Any
    mode: str = MODE
    drawn: bool = True
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [] if 0 < self.level < 1 else [Problem("survey.level_option", value=self.level)]
        if self.baseline == self.wave:
            problems.append(Problem("survey.same_wave", value=self.wave))
        if self.mode in as_columns(self.estimator.by):
            problems.append(Problem("survey_change.mode_in_by", column=self.mode))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return rows ``change``, ``mode`` (the part of the mode) and ``adjusted`` for each variable and domain.

        Raises
        ------
        DesignError
            A wave or column does not exist; see :meth:`Share.estimate`.
        EstimationError
            The parallel run has only one mode, or lacks one that became more or less frequent.
        """
        waves = (self.baseline, self.wave)
        wave_column(sample, (*waves, self.parallel))
        check_columns(sample.frame, (self.mode,))
        divided = divide_waves(sample, as_columns(self.estimator.by), waves)
        parallel = divide_waves(sample, (self.mode,), (self.parallel,))
        tables, found, answered = [], [], {}
        both = sample.where(sample.frame[str(sample.design.wave)].isin([*waves, self.parallel]))
        for key, values in self.estimator.values(both):
            table, estimate, influence = self._one(divided, parallel, values)
            tables.append(table.assign(**dict(zip(("variable", "answer"), key, strict=False))))
            found.append((estimate, influence))
            answered[str(key[0])] = int((~np.isnan(values) & (divided.domains.codes >= 0)).sum())
        counts, notes = account(divided.domains, answered)
        keys = pd.concat(tables, ignore_index=True)
        first = ["variable", *(["answer"] if "answer" in keys else []), *as_columns(self.estimator.by), "term"]
        keys = keys[[*first, "n"]].assign(baseline=self.baseline, wave=self.wave)
        unit = "percentage_points" if isinstance(self.estimator, Share) else "mean"
        estimate = np.concatenate([part[0] for part in found])
        return estimates_from_influence(
            keys,
            estimate,
            influence_of(sample, np.concatenate([part[1] for part in found], axis=1)),
            scale=Scale("identity", unit),
            declaration=sample.design,
            method=self,
            counts=counts,
            level=self.level,
            df=np.tile(divide(divided.sample, as_columns(self.estimator.by)).df, len(keys) // len(divided.keys)),
            row_notes=list(np.where(np.isnan(estimate), "survey.note.one_wave", "")),
            notes=(*mode_notes(sample, (self.baseline,), (self.wave,), self.mode), *self._notes(both), *notes),
        )

    def _notes(self, both: Sample) -> tuple[Note, ...]:
        code = "parallel" if self.drawn else "parallel_chosen"
        notes = (Note(f"survey_change.note.{code}", {"wave": self.parallel}),)
        n = int((both.frame[self.mode].isna().to_numpy() & (both.weights > 0)).sum())
        if not n:
            return notes
        values = {"variable": self.mode, "n": n, "of": both.size, "share": n / both.size}
        return (*notes, Note("survey.note.missing_answers", values))

    def _one(
        self, divided: WaveDomains, parallel: WaveDomains, values: np.ndarray
    ) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Return keys ``(3 D,)``, estimates ``(3 D,)`` and influences ``(m, 3 D)`` of one variable."""
        means, effects = divided.means(values), parallel.means(values)
        change = means.estimate[:, 1] - means.estimate[:, 0]
        own = means.influence[:, :, 1] - means.influence[:, :, 0]
        modes = list(parallel.keys[self.mode])
        series = divided.sample.frame[self.mode]
        reference = self._reference(divided.sample, modes)
        self._check(divided.sample, values, modes)
        unknown = np.isnan(values) | series.isna().to_numpy()
        total, total_influence = np.zeros(len(change)), np.zeros_like(own)
        for position, mode in enumerate(modes):
            if position == reference:
                continue
            using = np.where(unknown, np.nan, (series == mode).to_numpy(dtype=float))
            shares = divided.means(using)
            moved = shares.estimate[:, 1] - shares.estimate[:, 0]
            effect = effects.estimate[position, 0] - effects.estimate[reference, 0]
            effect_influence = effects.influence[:, position, 0] - effects.influence[:, reference, 0]
            total = total + moved * effect
            total_influence += moved * effect_influence[:, None]
            total_influence += effect * (shares.influence[:, :, 1] - shares.influence[:, :, 0])
        n = np.tile(means.n.min(axis=1).astype(int), 3)
        keys = pd.concat([divided.keys.assign(term=term) for term in ("change", "mode", "adjusted")], ignore_index=True)
        estimate = np.concatenate([change, np.where(np.isnan(change), np.nan, total), change - total])
        influence = np.concatenate([own, total_influence, own - total_influence], axis=1)
        return keys.assign(n=n), estimate, np.where(np.isnan(estimate), 0.0, influence)

    def _reference(self, sample: Sample, modes: list[Any]) -> int:
        shares = mode_shares(sample, (self.baseline,), self.mode)
        return modes.index(max(modes, key=lambda mode: float(shares.get(mode, 0.0))))

    def _check(self, sample: Sample, values: np.ndarray, modes: list[Any]) -> None:
        if len(modes) < 2:
            raise EstimationError(Problem("survey_change.parallel_one_mode", value=self.parallel, modes=some(modes)))
        first, second = (mode_shares(sample, (wave,), self.mode) for wave in (self.baseline, self.wave))
        moved = first.subtract(second, fill_value=0.0).abs()
        unknown = [mode for mode, size in moved.items() if size > TOLERANCE and mode not in modes]
        if unknown:
            raise EstimationError(
                Problem("survey_change.parallel_lacks_mode", value=self.parallel, modes=some(unknown))
            )
