"""Replicate weights that come with the data, as columns."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, Problem
from evaluation.sample import Replicates, Sample, check_columns, some
from evaluation.survey.replicates import CENTRES, Centre
from evaluation.survey.weight_apply import with_replicates

Kind = Literal["jk1", "brr", "fay", "bootstrap", "successive_difference", "other"]
KINDS = ("jk1", "brr", "fay", "bootstrap", "successive_difference", "other")
APART = 5.0  # replicate weights add up to about what the weights do; factors are about one


@dataclass(frozen=True)
class ReplicateColumns:
    r"""Replicate weights of a file, such as those of an official survey.

    Parameters
    ----------
    columns
        Names, or what they begin with: ``"rw"`` for ``rw1, rw2, ...``.
    kind
        What squared distances count: ``jk1`` :math:`(R - 1)/R`; ``brr`` :math:`1/R`; ``fay`` :math:`1/(R (1 -
        \rho)^2)`; ``bootstrap`` :math:`1/(R - 1)`; ``successive_difference`` :math:`4/R`; ``other`` (JKn, for
        example) what `scale` says.
    fay
        Fay's :math:`\rho`, with ``fay``.
    scale
        ``R`` numbers by which the squared distances are multiplied further; finite population corrections belong here.
    combined
        Columns are weights; else factors of the weights.
    centre
        As in :class:`evaluation.survey.replicates.Jackknife`; the handbook of the survey says which.
    df
        Degrees of freedom; None: the rank of the replicate weights less one.

    References
    ----------
    ``svrepdesign`` of R's survey package.

    Examples
    --------
    >>> from evaluation import Mean, SurveyDesign
    >>> frame = pd.DataFrame({"weight": 1.0, "x": [1.0, 2.0, 6.0]})
    >>> frame = frame.assign(rw1=[0, 1.5, 1.5], rw2=[1.5, 0, 1.5], rw3=[1.5, 1.5, 0])
    >>> sample = ReplicateColumns("rw", "jk1").apply(Sample(frame, SurveyDesign(strata=None)))
    >>> round(float(Mean("x").estimate(sample).table.loc[0, "std_error"]), 6)
    1.527525
    """

    columns: str | tuple[str, ...]
    kind: Kind
    _: KW_ONLY
    fay: float = 0.0
    scale: tuple[float, ...] | None = None
    combined: bool = True
    centre: Centre = "mean"
    df: float | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.kind not in KINDS:
            problems.append(Problem("survey_weights.columns_kind", value=self.kind, allowed=KINDS))
        if self.centre not in CENTRES:
            problems.append(Problem("survey_weights.centre_option", value=self.centre, allowed=CENTRES))
        if not 0 <= self.fay < 1 or (self.fay > 0) != (self.kind == "fay"):
            problems.append(Problem("survey_weights.fay_kind", value=self.fay, kind=self.kind))
        if (self.kind == "other" and self.scale is None) or any(not 0 <= one < np.inf for one in self.scale or ()):
            problems.append(Problem("survey_weights.scale_option"))
        if problems:
            raise DesignError(*problems)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample with the replicates of the file.

        Raises
        ------
        DesignError
            Columns are missing, too few, or not as many as the kind or `scale` asks for; a value is missing, negative
            or no number; the columns look like factors where weights are declared, or the reverse.
        """
        names = self._names(sample)
        problems = self._number_problems(sample, names)
        if problems:
            raise DesignError(*problems)
        values = _read(sample, names)
        weights = sample.plan.adjustments[0].before if sample.plan.adjustments else sample.plan.weights
        factors = values / weights[:, None] if self.combined else values
        self._check_meaning(factors.mean())
        number = len(names)
        unit = np.arange(len(weights))
        replicates = Replicates(
            factors=factors,
            rows=unit,
            scale=self._factor(number) * (np.ones(number) if self.scale is None else np.array(self.scale)),
            labels=np.array(names, dtype=object),
            centre=self.centre,
            df=_rank(factors * weights[:, None]) - 1.0 if self.df is None else self.df,
        )
        return with_replicates(sample, replicates, ("survey_weights.note.replicates_given", {"n": number}))

    def _names(self, sample: Sample) -> tuple[str, ...]:
        """Return the columns, in the order of their numbers where only their beginning is given."""
        if not isinstance(self.columns, str):
            check_columns(sample.frame, self.columns)
            return self.columns
        pattern = re.compile(re.escape(self.columns) + r"_?0*(\d+)")
        found = {}
        for name in map(str, sample.frame.columns):
            if match := pattern.fullmatch(name):
                found[int(match.group(1))] = name
        if not found:
            raise DesignError(Problem("survey_weights.no_columns", column=self.columns))
        missing = sorted(set(range(min(found), max(found) + 1)) - set(found))
        if missing or min(found) > 1:
            gaps = missing or list(range(1, min(found)))
            wanted = some([f"{self.columns}{number}" for number in gaps])
            raise DesignError(Problem("survey_weights.columns_gap", n=len(found), columns=wanted))
        return tuple(found[number] for number in sorted(found))

    def _number_problems(self, sample: Sample, names: tuple[str, ...]) -> list[Problem]:
        number, clusters = len(names), int(sample.plan.sampling.stages[0].clusters.max()) + 1
        problems = []
        if number < 2:
            problems.append(Problem("survey_weights.columns_few", n=number))
        if self.scale is not None and len(self.scale) != number:
            problems.append(Problem("survey_weights.columns_scale", n=number, scale=len(self.scale)))
        if self.kind in ("brr", "fay") and number > 2 and number % 4:
            problems.append(Problem("survey_weights.columns_balanced", n=number))
        if self.kind == "jk1" and sample.design.psu is not None and number != clusters:
            problems.append(Problem("survey_weights.columns_clusters", n=number, clusters=clusters))
        return problems

    def _factor(self, number: int) -> float:
        return {
            "jk1": (number - 1) / number,
            "brr": 1 / number,
            "fay": 1 / (number * (1 - self.fay) ** 2),
            "bootstrap": 1 / (number - 1),
            "successive_difference": 4 / number,
            "other": 1.0,
        }[self.kind]

    def _check_meaning(self, mean: float) -> None:
        if not 1 / APART <= mean <= APART:
            code = "columns_factors" if self.combined else "columns_weights"
            raise DesignError(Problem(f"survey_weights.{code}", mean=float(mean)))


def _read(sample: Sample, names: tuple[str, ...]) -> np.ndarray:
    """Return ``(n, R)`` the values of the columns."""
    problems = []
    values = np.empty((len(sample.frame), len(names)))
    for position, name in enumerate(names):
        column = sample.frame[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            problems.append(Problem("survey.weights_text", column=name, value=column.iloc[0]))
            continue
        values[:, position] = column.to_numpy(dtype=float, na_value=np.nan)
        bad = ~(values[:, position] >= 0) | np.isinf(values[:, position])
        if bad.any():
            rows = some(sample.frame.index[bad])
            problems.append(Problem("survey_weights.column_values", column=name, n=int(bad.sum()), rows=rows))
    if problems:
        raise DesignError(*problems)
    return values


def _rank(weights: np.ndarray) -> float:
    """Return the number of columns that do not follow from others."""
    gram = weights.T @ weights
    size = np.sqrt(np.diag(gram))
    size[size == 0] = 1.0  # a replicate in which nobody is left; estimates note that they lack it
    lengths = np.linalg.eigvalsh(gram / np.outer(size, size))
    return float((lengths > 1e-12 * len(lengths) * lengths[-1]).sum())
