"""Change between waves among people like those of the first wave: who answers is not what they answer.

Where the second wave reached other people than the first (older, more men, other parts of the city), a part of the
change is theirs. What is left out: the mode (:mod:`evaluation.survey.modes`) and people who did not answer at all
(:mod:`evaluation.survey.response`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.influence import estimates_from_influence, group_sums
from evaluation.sample import Sample, some
from evaluation.survey.domains import account, divide, influence_of
from evaluation.survey.estimation import Mean, Share
from evaluation.survey.modes import mode_notes
from evaluation.survey.waves import WaveDomains, divide_waves
from evaluation.survey_design import as_columns

TERMS = ("change", "composition", "adjusted")


@dataclass(frozen=True)
class CompositionAdjusted:
    r"""Change between two waves with the later one re-weighted to the composition of the first.

    Parameters
    ----------
    estimator
        :class:`Mean` or :class:`Share`.
    baseline, wave
        Values of the design's wave column.
    cells
        Columns whose combinations make up the composition, ``("age_group", "gender")``.
    level
        Of the intervals.

    Notes
    -----
    With the shares :math:`P_{c}` of the cells among those of the first wave who answered, and the means
    :math:`\bar y_{ct}` of the cells,

    .. math:: \Delta^* = \sum_c P_c (\bar y_{c2} - \bar y_{c1}), \qquad \Delta = \bar y_2 - \bar y_1

    and :math:`\Delta - \Delta^*` is the part of the composition. Influences: of a person of the first wave
    :math:`w/W_1 \, [(\bar y_{c2} - \bar y_{c1} - \Delta^*) - (y - \bar y_{c1})]`, of the second :math:`P_c \, w /
    W_{c2} \, (y - \bar y_{c2})`, where W are sums of weights: the composition is estimated, too. Within each domain of
    the estimator. People who lack one of the columns are left out of the adjusted change and counted.

    References
    ----------
    Kitagawa (1955), Components of a difference between two rates; DiNardo, Fortin and Lemieux (1996), Labor market
    institutions and the distribution of wages.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> rows = [("21", "young", 1)] * 3 + [("21", "old", 5), ("24", "young", 2)] + [("24", "old", 7)] * 3
    >>> frame = pd.DataFrame(rows, columns=["wave", "age", "x"]).assign(stratum="s", weight=1.0)
    >>> method = CompositionAdjusted(Mean("x"), "21", "24", cells="age")
    >>> method.estimate(Sample(frame, SurveyDesign(wave="wave"))).table["estimate"].round(6).tolist()
    [3.75, 2.5, 1.25]
    """

    estimator: Mean | Share
    baseline: Any
    wave: Any
    _: KW_ONLY
    cells: str | tuple[str, ...]
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [] if 0 < self.level < 1 else [Problem("survey.level_option", value=self.level)]
        if self.baseline == self.wave:
            problems.append(Problem("survey.same_wave", value=self.wave))
        if not as_columns(self.cells):
            problems.append(Problem("survey_change.no_cells"))
        twice = [name for name in as_columns(self.cells) if name in as_columns(self.estimator.by)]
        problems += [Problem("survey_change.cell_in_by", column=name) for name in twice]
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return rows ``change``, ``composition`` (the part of it) and ``adjusted`` for each variable and domain.

        All three among people with a value in the columns of the cells.

        Raises
        ------
        DesignError
            A wave or column does not exist; see :meth:`Share.estimate`.
        EstimationError
            A cell of the first wave has no answers in the second.
        """
        by, waves = as_columns(self.estimator.by), (self.baseline, self.wave)
        coarse, fine = divide_waves(sample, by, waves), divide_waves(sample, (*by, *as_columns(self.cells)), waves)
        keys, found, answered = [], [], {}
        for key, values in self.estimator.values(fine.sample):
            known = np.where(fine.domains.codes >= 0, values, np.nan)
            estimate, influence, n = self._one(coarse, fine, known, str(key[0]))
            named = dict(zip(("variable", "answer"), key, strict=False))
            keys += [coarse.keys.assign(term=term, n=n, **named) for term in TERMS]
            found.append((estimate, influence))
            answered[str(key[0])] = int((~np.isnan(known)).sum())
        counts, notes = account(fine.domains, answered)
        table = pd.concat(keys, ignore_index=True)
        first = ["variable", *(["answer"] if "answer" in table else []), *by, "term", "n"]
        unit = "percentage_points" if isinstance(self.estimator, Share) else "mean"
        estimates = np.concatenate([part[0] for part in found])
        cells = {"columns": as_columns(self.cells), "wave": self.baseline}
        return estimates_from_influence(
            table[first].assign(baseline=self.baseline, wave=self.wave),
            estimates,
            influence_of(sample, np.concatenate([part[1] for part in found], axis=1)),
            scale=Scale("identity", unit),
            declaration=sample.design,
            method=self,
            counts=counts,
            level=self.level,
            df=np.tile(divide(fine.sample, by).df, len(keys)),
            row_notes=list(np.where(np.isnan(estimates), "survey.note.one_wave", "")),
            notes=(
                Note("survey_change.note.composition", cells),
                *mode_notes(sample, (self.baseline,), (self.wave,)),
                *notes,
            ),
        )

    def _one(
        self, coarse: WaveDomains, fine: WaveDomains, values: np.ndarray, name: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return estimates ``(3 D,)``, influences ``(m, 3 D)`` and numbers of answers ``(D,)`` of one variable."""
        plain, cells = coarse.means(values), fine.means(values)
        self._check_cells(fine, np.where(self._in_both(coarse, fine, plain.n)[:, None], cells.n, 0), name)
        plan, d = fine.sample.plan, len(coarse.keys)
        answered = ~np.isnan(values)
        first = np.where(answered, fine.codes(0), -1)
        domain = np.where(answered, coarse.codes(0), -1)
        total = np.bincount(domain[domain >= 0], plan.weights[domain >= 0], minlength=d)
        inside = np.bincount(first[first >= 0], plan.weights[first >= 0], minlength=len(fine.keys))
        of_cell = np.full(len(fine.keys), -1)
        of_cell[first[first >= 0]] = domain[first >= 0]
        used = of_cell >= 0
        share = np.where(used, inside / np.where(used, total[of_cell], 1.0), 0.0)
        steps = np.where(used, np.nan_to_num(cells.estimate[:, 1] - cells.estimate[:, 0]), 0.0)
        adjusted = np.bincount(of_cell[used], (share * steps)[used], minlength=d)
        adjusted = np.where(np.isnan(plain.estimate).any(axis=1), np.nan, adjusted)
        moved = (share * (cells.influence[:, :, 1] - cells.influence[:, :, 0]))[:, used]
        who = first >= 0
        around = plan.weights[who] / total[domain[who]] * (steps[first[who]] - np.nan_to_num(adjusted)[domain[who]])
        m = len(moved)
        influence = np.bincount(plan.unit[who] * d + domain[who], around, minlength=m * d).reshape(m, d)
        influence += group_sums(np.ascontiguousarray(moved.T), of_cell[used], d).T
        change = plain.estimate[:, 1] - plain.estimate[:, 0]
        own = plain.influence[:, :, 1] - plain.influence[:, :, 0]
        estimate = np.concatenate([change, change - adjusted, adjusted])
        parts = np.concatenate([own, own - influence, influence], axis=1)
        return estimate, np.where(np.isnan(estimate), 0.0, parts), plain.n.min(axis=1).astype(int)

    def _in_both(self, coarse: WaveDomains, fine: WaveDomains, n: np.ndarray) -> np.ndarray:
        """Return ``(C,)`` whether the domain of a cell has answers ``n`` ``(D, 2)`` in both waves."""
        by = list(as_columns(self.estimator.by))
        if not by:
            return np.repeat(bool((n > 0).all()), len(fine.keys))
        rows = pd.MultiIndex.from_frame(coarse.keys[by]).get_indexer(pd.MultiIndex.from_frame(fine.keys[by]))
        return np.asarray((n[rows] > 0).all(axis=1))

    def _check_cells(self, fine: WaveDomains, n: np.ndarray, name: str) -> None:
        gone = (n[:, 0] > 0) & (n[:, 1] == 0)
        if gone.any():
            labels = [" / ".join(map(str, row)) for row in fine.keys[gone].itertuples(index=False, name=None)]
            raise EstimationError(
                Problem(
                    "survey_change.empty_cells", column=name, value=self.wave, n=int(gone.sum()), cells=some(labels)
                )
            )
