"""Answers on scales of different length, put together only by a mapping that is written down and printed.

A 4-point and a 5-point scale have no common mean, and the middle of the longer one is somebody's decision. What is left
out: whether the scales measure the same (:mod:`evaluation.survey.comparability`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem, nearest
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.waves import wave_column


@dataclass(frozen=True, kw_only=True)
class ScaleMapping:
    """Which answers on which scale mean the same.

    Parameters
    ----------
    categories
        Common answers from one end to the other, ``("safe", "unsafe")``.
    codes
        For each number of points the codes of every category: ``{4: {"safe": (1, 2), "unsafe": (3, 4)}, 5: {...}}``.

    Raises
    ------
    DesignError
        With all problems: a code of a scale is mapped nowhere or twice, is not on its scale, or stands out of order; a
        category does not exist, or one of the scales cannot reach it, so that it would be lost.

    Examples
    --------
    >>> mapping = ScaleMapping(
    ...     categories=("safe", "unsafe"),
    ...     codes={4: {"safe": (1, 2), "unsafe": (3, 4)}, 5: {"safe": (1, 2, 3), "unsafe": (4, 5)}},
    ... )
    >>> print(mapping)
    4: 1+2 = safe, 3+4 = unsafe; 5: 1+2+3 = safe, 4+5 = unsafe
    """

    categories: tuple[str, ...]
    codes: Mapping[int, Mapping[str, tuple[int, ...]]]

    def __post_init__(self) -> None:
        problems = []
        if len(self.categories) < 2 or len(set(self.categories)) < len(self.categories):
            problems.append(Problem("survey_change.mapping_categories", categories=list(self.categories)))
        for points, groups in self.codes.items():
            problems += self._scale_problems(points, groups)
        if problems:
            raise DesignError(*problems)

    def _scale_problems(self, points: int, groups: Mapping[str, tuple[int, ...]]) -> list[Problem]:
        problems = [
            Problem(
                "survey_change.mapping_unknown",
                value=name,
                points=points,
                nearest=nearest(name, self.categories) or self.categories[0],
            )
            for name in groups
            if name not in self.categories
        ]
        lost = [name for name in self.categories if not groups.get(name)]
        if lost:
            problems.append(Problem("survey_change.mapping_loses_category", points=points, categories=lost))
        given = [code for codes in groups.values() for code in codes]
        outside = [code for code in dict.fromkeys(given) if code not in range(1, points + 1)]
        if outside:
            problems.append(Problem("survey_change.mapping_outside", points=points, codes=outside))
        missing = [code for code in range(1, points + 1) if code not in given]
        if missing:
            problems.append(Problem("survey_change.mapping_loses_code", points=points, codes=missing))
        twice = sorted({code for code in given if given.count(code) > 1})
        if twice:
            problems.append(Problem("survey_change.mapping_twice", points=points, codes=twice))
        if not problems:
            steps = [(groups[low], groups[high]) for low, high in pairwise(self.categories)]
            rising = all(max(low) < min(high) for low, high in steps)
            falling = all(min(low) > max(high) for low, high in steps)
            if not rising and not falling:
                problems.append(Problem("survey_change.mapping_order", points=points, categories=list(self.categories)))
        return problems

    def __str__(self) -> str:
        parts = []
        for points, groups in self.codes.items():
            named = [f"{'+'.join(map(str, groups[name]))} = {name}" for name in self.categories]
            parts.append(f"{points}: {', '.join(named)}")
        return "; ".join(parts)

    def positions(self, points: int) -> dict[int, int]:
        """Return for every code of a scale the place of its category, 1, 2, ..."""
        groups = self.codes[points]
        return {code: place for place, name in enumerate(self.categories, start=1) for code in groups[name]}

    def apply(
        self,
        sample: Sample,
        column: str | Mapping[Any, str],
        *,
        points: Mapping[Any, int],
        into: str,
        no_answer: Sequence[Any] = (),
    ) -> Sample:
        """Return the sample with the common answers 1, 2, ... in the new column `into`.

        Parameters
        ----------
        column
            Of the answers; by wave where the waves have columns of their own.
        points
            Number of points of the scale, by wave; people of other waves get no answer.
        no_answer
            Codes that mean no answer.

        Returns
        -------
        Sample
            Every result from it carries the mapping as a note.

        Raises
        ------
        DesignError
            A wave or column does not exist, a scale has no mapping, `into` exists, or an answer is not on the scale.
        """
        wave = wave_column(sample, tuple(points))
        columns = {label: column if isinstance(column, str) else column[label] for label in points}
        check_columns(sample.frame, tuple(columns.values()))
        problems = [Problem("survey_change.mapping_exists", column=into)] if into in sample.frame else []
        problems += [
            Problem("survey_change.mapping_lacks_scale", value=label, points=size, known=list(self.codes))
            for label, size in points.items()
            if size not in self.codes
        ]
        if problems:
            raise DesignError(*problems)
        mapped, problems = pd.Series(np.nan, index=sample.frame.index), []
        for label, size in points.items():
            given = sample.frame[columns[label]]
            answered = (sample.frame[wave] == label) & given.notna() & ~given.isin(list(no_answer))
            places = given.map(self.positions(size))
            off = (answered & places.isna()).to_numpy()
            if off.any():
                n, codes, scale = int(off.sum()), some(given[off].unique()), some(range(1, size + 1))
                problem = Problem(
                    "survey.outside_scale", column=columns[label], value=label, n=n, codes=codes, scale=scale
                )
                problems.append(problem)
            mapped = mapped.mask(answered, places)
        if problems:
            raise DesignError(*problems)
        said = {"column": into, "mapping": str(self), "waves": [f"{label}: {size}" for label, size in points.items()]}
        plan = replace(sample.plan, remarks=(*sample.plan.remarks, ("survey_change.note.mapping", said)))
        return replace(sample, frame=sample.frame.assign(**{into: mapped}), shared=plan)
