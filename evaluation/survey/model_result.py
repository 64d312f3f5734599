"""A fitted model of survey answers as a result: rows, influences, degrees of freedom. What is left out: fitting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.estimates import Estimates, Influence, Note, Scale
from evaluation.influence import estimates_from_influence
from evaluation.sample import Sample
from evaluation.survey.domains import influence_of
from evaluation.survey.model_data import Respondents
from evaluation.survey.model_terms import Matrix, name_of


def degrees_of_freedom(sample: Sample, influence: Influence) -> float:
    """Return primary sampling units less strata that hold somebody of the subpopulation, at most the influence's."""
    first, inside = sample.plan.stages[0], sample.inside
    if inside is None:
        return influence.df
    held = np.flatnonzero(np.bincount(sample.plan.unit[inside], minlength=len(sample.plan.units)))
    occupied = len(np.unique(first.clusters[held])) - len(np.unique(first.strata[held]))
    return min(float(occupied), influence.df)


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Parameters
    ----------
    people
        The complete cases.
    matrix
        Their columns.
    coefficients
        ``(q,)``: one for each column of the matrix, then what else the model has.
    influence
        ``(m, q)`` of the sampling units.
    labels
        Term and category of each coefficient.
    slopes
        Number of coefficients that cost a degree of freedom.
    """

    people: Respondents
    matrix: Matrix
    coefficients: np.ndarray
    influence: np.ndarray
    labels: list[tuple[str, str]]
    slopes: int

    def result(self, method: Any, scale: Scale, notes: tuple[Note, ...] = ()) -> Estimates:
        """Return one row for each coefficient."""
        further = np.full(len(self.labels) - self.matrix.width, self.matrix.n)
        sizes = np.concatenate([self.matrix.sizes, further])
        terms, categories = np.array(self.labels, dtype=object).T
        order = self.order(terms)
        keys = pd.DataFrame({"term": terms[order], "category": categories[order], "n": sizes[order]})
        found = self.coefficients[order], self.influence[:, order]
        return self.estimates(method, keys, found, scale=scale, notes=notes)

    def order(self, terms: Iterable[str]) -> np.ndarray:
        """Return rows, given by their term, in the order of the model's terms: in the matrix large ones stand last."""
        rank = {"intercept": -1} | {name_of(term): position for position, term in enumerate(self.people.terms)}
        return np.argsort([rank.get(term, len(rank)) for term in terms], kind="stable")

    def estimates(
        self,
        method: Any,
        keys: pd.DataFrame,
        found: tuple[np.ndarray, np.ndarray],
        *,
        scale: Scale,
        notes: tuple[Note, ...] = (),
    ) -> Estimates:
        """Return estimates ``(k,)`` and influences ``(m, k)`` as a result with the model's degrees of freedom."""
        influence = influence_of(self.people.sample, found[1])
        return estimates_from_influence(
            keys,
            found[0],
            influence,
            scale=scale,
            declaration=self.people.sample.design,
            method=method,
            counts=self.people.counts,
            level=method.level,
            df=degrees_of_freedom(self.people.sample, influence) - self.slopes,
            notes=(*self.people.notes, *notes),
        )
