"""A survey's frame and its design in one, and its subpopulations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.sample.plan import Plan, check_columns, make_plan, some
from evaluation.survey_design import SurveyDesign


@dataclass(frozen=True, eq=False)
class Sample:
    """Survey answers and the design by which the people were drawn.

    Parameters
    ----------
    frame
        One row for each respondent, with the columns that `design` names. It is neither changed nor copied.
    design
        The declaration.
    inside
        ``(n,)`` who belongs to the subpopulation; None for everybody. Made by :meth:`where`.
    shared
        The plan of the sample of which this is a subpopulation.

    Raises
    ------
    DesignError
        With all problems: no rows, missing columns, weights of zero, below zero or missing, missing strata or units,
        a unit in two strata, a stratum with one unit (unless ``design.lonely`` says what to do), impossible finite
        populations.

    Examples
    --------
    >>> frame = pd.DataFrame({"stratum": ["a", "a", "b", "b"], "weight": [10.0, 10.0, 5.0, 5.0], "park": [1, 0, 0, 1]})
    >>> sample = Sample(frame, SurveyDesign())
    >>> sample.where(frame["stratum"] == "a").weights.tolist()
    [10.0, 10.0, 0.0, 0.0]
    """

    frame: pd.DataFrame
    design: SurveyDesign
    inside: np.ndarray | None = None
    shared: Plan | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.shared is None:
            # A shallow copy under copy-on-write: later changes of the caller's frame do not reach the sample.
            object.__setattr__(self, "frame", self.frame.copy(deep=False))
            object.__setattr__(self, "shared", make_plan(self.frame, self.design))

    @property
    def plan(self) -> Plan:
        """The plan of `frame` under `design`, worked out once and shared by all subpopulations."""
        if self.shared is None:  # __post_init__ has set it
            raise AttributeError("plan")
        return self.shared

    @cached_property
    def weights(self) -> np.ndarray:
        """``(n,)`` sampling weights, zero outside the subpopulation."""
        return self.plan.weights if self.inside is None else np.where(self.inside, self.plan.weights, 0.0)

    @property
    def size(self) -> int:
        """Number of respondents in the subpopulation."""
        return len(self.frame) if self.inside is None else int(self.inside.sum())

    @cached_property
    def waves(self) -> tuple[Any, ...]:
        """Waves that occur in the subpopulation, sorted; empty where the design names no wave."""
        if self.design.wave is None:
            return ()
        column = self.frame[self.design.wave]
        return tuple(np.sort(column.unique() if self.inside is None else column[self.inside].unique()).tolist())

    def where(self, mask: Sequence[bool] | np.ndarray | pd.Series) -> Sample:
        """Return the subpopulation for which `mask` ``(n,)`` is true: all rows are kept, with weight zero outside.

        Raises
        ------
        DesignError
            The mask has another length, is missing somewhere, or is true for nobody.
        """
        if isinstance(mask, pd.Series) and not mask.index.equals(self.frame.index):
            raise DesignError(Problem("survey.mask_index"))
        given = pd.array(mask, dtype="boolean")
        if len(given) != len(self.frame):
            raise DesignError(Problem("survey.mask_length", given=len(given), n=len(self.frame)))
        if given.isna().any():
            raise DesignError(Problem("survey.mask_missing", n=int(given.isna().sum())))
        inside = given.to_numpy(dtype=bool)
        if self.inside is not None:
            inside = inside & self.inside
        if not inside.any():
            raise DesignError(Problem("survey.empty_domain"))
        return replace(self, inside=inside)

    def weighted(self, plan: Plan, inside: np.ndarray | None = None) -> Sample:
        """Return the same people with the weights of another `plan`; `inside` where fewer of them are left."""
        return replace(self, shared=plan, inside=self.inside if inside is None else inside)

    def labels(self, column: str) -> np.ndarray:
        """Return for each of the ``m`` sampling units the value of `column` (its area, say).

        Raises
        ------
        DesignError
            The column does not exist, or a unit has more than one value.
        """
        check_columns(self.frame, (column,))
        codes, values = pd.factorize(self.frame[column], use_na_sentinel=False)
        drawn = self.plan.sampling
        several = codes != codes[drawn.first][drawn.unit]
        if several.any():
            units = drawn.units[np.unique(drawn.unit[several])]
            raise DesignError(Problem("survey.unit_in_several", column=column, n=len(units), units=some(units)))
        labels: np.ndarray = np.asarray(values)[codes[drawn.first]]
        return labels
