"""What people who did not answer could have changed: bounds on a change between waves with falling response.

The interval of an estimate knows chance, not silence. What is left out: weights against non-response
(:mod:`evaluation.survey.weighting`), which assume what is only bounded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.influence import estimates_from_influence
from evaluation.sample import Sample
from evaluation.survey.domains import account, divide, influence_of
from evaluation.survey.estimation import Share
from evaluation.survey.modes import mode_notes
from evaluation.survey.waves import divide_waves
from evaluation.survey_design import as_columns

TERMS = ("change", "apart_low", "apart_high", "same_low", "same_high", "worst_low", "worst_high")


@dataclass(frozen=True)
class ResponseBounds:
    r"""Change of a share between two waves, and between which limits it lies if silent people differ.

    Parameters
    ----------
    estimator
        :class:`Share` of some codes of one variable, not divided.
    baseline, wave
        Values of the design's wave column.
    rates
        Response rate by wave, 0 to 1: interviews over people who were asked and belong to the population.
    apart
        Largest difference between silent people and those who answered that is thought possible, 0.1 for ten points.
    level
        Of the intervals.

    Notes
    -----
    With shares p and rates r (times the share of respondents who answered this question):

    * ``apart``: :math:`\Delta \mp a (2 - r_1 - r_2)`, silent people differ by at most a in either direction in each
      wave;
    * ``same``: change among people who would answer in both waves, if everybody who answers in the wave with the lower
      rate would also in the other. The others, a share :math:`q = 1 - r_{low} / r_{high}` of the fuller wave, may all
      feel unsafe or none: :math:`\max(0, (p - q) / (1 - q)) \le p^* \le \min(1, p / (1 - q))`;
    * ``worst``: silent people of one wave all feel unsafe and those of the other all safe, :math:`r_2 p_2 - r_1 p_1 -
      (1 - r_1)` and :math:`r_2 p_2 + (1 - r_2) - r_1 p_1`.

    From the lower end of a ``low`` row to the upper end of the ``high`` row chance is counted, too.
    ``facts["breakdown"]`` is the a from which on the change could be zero. Rates are taken as known.

    References
    ----------
    Manski (2003), Partial identification of probability distributions; Lee (2009), Training, wages, and sample
    selection: estimating sharp bounds on treatment effects.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"wave": ["21"] * 4 + ["24"] * 4, "y": [1, 1, 0, 0, 1, 0, 0, 0]})
    >>> sample = Sample(frame.assign(stratum="s", weight=1.0), SurveyDesign(wave="wave"))
    >>> method = ResponseBounds(Share("y", (1,), scale=(0, 1)), "21", "24", rates={"21": 0.5, "24": 0.4})
    >>> result = method.estimate(sample).table.set_index("term")["estimate"]
    >>> result[["change", "apart_low", "apart_high"]].round(2).tolist()
    [-0.25, -0.36, -0.14]
    """

    estimator: Share
    baseline: Any
    wave: Any
    _: KW_ONLY
    rates: Mapping[Any, float]
    apart: float = 0.1
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [] if 0 < self.level < 1 else [Problem("survey.level_option", value=self.level)]
        if self.baseline == self.wave:
            problems.append(Problem("survey.same_wave", value=self.wave))
        single = isinstance(self.estimator.variable, str) and self.estimator.codes is not None
        if not single:
            problems.append(Problem("survey_change.one_number", method="Share"))
        if as_columns(self.estimator.by):
            problems.append(Problem("survey_change.divided", method="Share"))
        for label in (self.baseline, self.wave):
            rate = self.rates.get(label)
            if rate is None or not 0 < rate <= 1:
                problems.append(Problem("survey_change.response_rate", value=label, rate=rate))
        if not 0 <= self.apart <= 1:
            method = type(self).__name__
            problems.append(
                Problem("core.option_value", method=method, option="apart", given=self.apart, allowed="0 <= apart <= 1")
            )
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return the change and its limits, in points.

        Raises
        ------
        DesignError
            A wave or column does not exist; see :meth:`Share.estimate`.
        EstimationError
            Nobody answered.
        """
        divided = divide_waves(sample, (), (self.baseline, self.wave))
        key, values = next(self.estimator.values(divided.sample))
        answered = np.where(divided.domains.codes >= 0, (~np.isnan(values)).astype(float), np.nan)
        inside = divided.domains.codes >= 0
        counts, notes = account(divided.domains, {str(key[0]): int((inside & ~np.isnan(values)).sum())})
        means, given = divided.means(values), divided.means(answered)
        declared = np.array([self.rates[self.baseline], self.rates[self.wave]])
        rates = declared * given.estimate[0]
        estimates, slopes = _bounds(means.estimate[0], rates, self.apart)
        n = int(means.n.min())
        facts = {"rates": tuple(map(float, rates)), "breakdown": _breakdown(estimates[0], rates)}
        note = Note(
            "survey_change.note.response",
            {"before": declared[0], "after": declared[1], "apart": self.apart, "breakdown": facts["breakdown"]},
        )
        return estimates_from_influence(
            pd.DataFrame({"variable": key[0], "term": TERMS, "n": n}).assign(baseline=self.baseline, wave=self.wave),
            estimates,
            influence_of(sample, means.influence[:, 0] @ slopes.T),
            scale=Scale("identity", "percentage_points"),
            declaration=sample.design,
            method=self,
            counts=counts,
            level=self.level,
            df=float(divide(divided.sample).df[0]),
            notes=(note, *mode_notes(sample, (self.baseline,), (self.wave,)), *notes),
            facts=facts,
        )


def _breakdown(change: float, rates: np.ndarray) -> float:
    silent = float(2 - rates.sum())
    return abs(float(change)) / silent if silent > 0 else float("nan")


def _bounds(share: np.ndarray, rates: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of :class:`ResponseBounds` ``(7,)`` and their derivatives by the two shares ``(7, 2)``."""
    change, silent = float(share[1] - share[0]), 2 - float(rates.sum())
    estimates, slopes = [change, change - apart * silent, change + apart * silent], [[-1.0, 1.0]] * 3
    fuller = int(rates[1] > rates[0])
    kept = float(rates.min() / rates.max())
    low = max(0.0, (float(share[fuller]) - (1 - kept)) / kept)
    high = min(1.0, float(share[fuller]) / kept)
    # The fuller wave counts with plus one where it is the later one; otherwise its upper limit gives the lower row.
    sign = 1.0 if fuller else -1.0
    ends = (low, high) if fuller else (high, low)
    for end in ends:
        slope = [sign / kept if 0 < end < 1 else 0.0, -sign]
        estimates.append(sign * (end - float(share[1 - fuller])))
        slopes.append(slope[::-1] if fuller else slope)
    scaled = rates * share
    estimates += [scaled[1] - scaled[0] - (1 - rates[0]), scaled[1] + (1 - rates[1]) - scaled[0]]
    slopes += [[-float(rates[0]), float(rates[1])]] * 2
    return np.array(estimates), np.array(slopes)
