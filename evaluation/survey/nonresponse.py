"""Who was asked and gave no answer, question by question and wave by wave.

A question that many skip measures those who don't. What is left out: people who did not take part at all
(:mod:`evaluation.survey.response`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import numpy as np

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.estimation import RESERVED, Share
from evaluation.survey_design import as_columns


@dataclass(frozen=True)
class ItemNonresponse:
    """Share of those asked who gave no answer, for each item.

    Parameters
    ----------
    items
        Columns.
    by
        Columns whose values are the domains, the wave first of all.
    no_answer
        Codes that mean no answer; empty cells do so always.
    asked_if
        For an item that not everybody was asked: the column of an earlier question and the answers after which it was
        put. Who did not answer that question was not asked.
    level
        Of the intervals.

    Notes
    -----
    A domain in which nobody answered an item was not asked it; a note names these instead of a share of one.

    Examples
    --------
    >>> import pandas as pd
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"stratum": "a", "weight": 1.0, "park": [1, None, 3, 4]})
    >>> ItemNonresponse(("park",)).estimate(Sample(frame, SurveyDesign())).table["estimate"].tolist()
    [0.25]
    """

    items: tuple[str, ...]
    _: KW_ONLY
    by: str | tuple[str, ...] = ()
    no_answer: tuple[Any, ...] = ()
    asked_if: Mapping[str, tuple[str, tuple[Any, ...]]] = field(default_factory=dict)
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [Problem("survey.reserved_column", column=name) for name in as_columns(self.by) if name in RESERVED]
        problems += [
            Problem("survey_change.asked_unknown", column=name) for name in self.asked_if if name not in self.items
        ]
        if not 0 < self.level < 1:
            problems.append(Problem("survey.level_option", value=self.level))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return one row for each item and domain; ``n`` is the number of people asked.

        Raises
        ------
        DesignError
            A column does not exist.
        EstimationError
            Nobody answered any of the items.
        """
        by = as_columns(self.by)
        check_columns(sample.frame, (*self.items, *by, *(column for column, _ in self.asked_if.values())))
        silent = {item: self._silent(sample, item) for item in self.items}
        inside = sample.weights > 0
        asked, unasked = {}, []
        for item, given in silent.items():
            answered = (given == 0.0) & inside
            groups = sample.frame.groupby(list(by), sort=True).ngroup().to_numpy() if by else np.zeros(len(given), int)
            reached = np.isin(groups, np.unique(groups[answered]))
            for group in np.unique(groups[inside & ~reached & ~np.isnan(given)]):
                where = sample.frame.loc[groups == group, list(by)].iloc[0] if by else []
                unasked.append(" ".join([item, *map(str, where)]))
            asked[item] = np.where(reached, given, np.nan)
        kept = tuple(item for item in self.items if (~np.isnan(asked[item]) & inside).any())
        if not kept:
            raise EstimationError(*(Problem("survey.no_answers", column=item, n=sample.size) for item in self.items))
        marked = replace(sample, frame=sample.frame.assign(**asked))
        result = Share(kept, (1,), scale=(0, 1), by=self.by, level=self.level).estimate(marked)
        table = result.table[result.table["n"] > 0]
        rows = table.index.to_numpy()
        influence = result.influence
        if influence is not None:
            influence = replace(influence, values=influence.values[:, rows])
        notes = [Note("survey_items.note.nonresponse")]
        if unasked:
            notes.append(Note("survey_items.note.not_asked_waves", {"cells": some(unasked)}))
        remarks = [Note(code, values) for code, values in sample.plan.remarks]
        return replace(
            result,
            table=table.reset_index(drop=True),
            influence=influence,
            method=self,
            notes=(*notes, *remarks),
            counts=replace(result.counts, dropped={}),
        )

    def _silent(self, sample: Sample, item: str) -> np.ndarray:
        """Return ``(n,)`` one for no answer, zero for an answer, missing for people who were not asked."""
        series = sample.frame[item]
        silent: np.ndarray = (series.isna() | series.isin(list(self.no_answer))).to_numpy(dtype=float)
        if item in self.asked_if:
            column, codes = self.asked_if[item]
            silent[~sample.frame[column].isin(list(codes)).to_numpy()] = np.nan
        return silent
