"""Inference from the influence of every unit, for whoever asks for it: right with many treated units, not with few."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from evaluation.did.reporting import explaining_change
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Counts, Estimates, Influence, Note, Scale
from evaluation.influence import critical_value, estimates_from_influence, group_sums
from evaluation.panel import Panel
from evaluation.randomization.inference import POWER, TYPICAL_EFFECT

MANY_TREATED = 20
ROUNDING = 1e-13  # of the largest outcome, or of a log ratio

NullScores = Callable[[float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Linear:
    """What an estimator hands over: ``k`` estimates with the influence of the ``N`` units of a panel on them.

    See :meth:`Asymptotic.conclude` for the fields.
    """

    keys: pd.DataFrame
    estimate: np.ndarray
    influence: np.ndarray
    panel: Panel
    scale: Scale
    method: object
    counts: Counts
    parameters: int | None
    row_notes: Sequence[str] | None
    null_scores: NullScores | None

    @property
    def used(self) -> np.ndarray:
        """``(N,)`` whether a unit has any influence."""
        return np.asarray((self.influence != 0).any(axis=1))

    def result(self, influence: Influence, inference: Asymptotic, notes: tuple[Note, ...]) -> Estimates:
        """Return the estimates with standard errors and intervals from `influence`."""
        return estimates_from_influence(
            self.keys,
            self.estimate,
            influence,
            scale=self.scale,
            declaration=self.panel.study,
            method=self.method,
            counts=self.counts,
            level=inference.level,
            row_notes=self.row_notes,
            notes=notes,
            facts={"inference": inference.described()},
        )

    def grouped(self, clusters: Mapping[str, str] | None) -> Grouped:
        """Return the influences summed to clusters; every unit is its own where none are given.

        Raises
        ------
        DesignError
            A unit has no cluster.
        EstimationError
            Fewer than two clusters have the measure.
        """
        if clusters is None:
            units = np.arange(len(self.influence))
            return Grouped(self.influence, np.array(self.panel.units), units, self.counts.units, self.counts.treated)
        lacking = [
            unit for unit, used in zip(self.panel.units, self.used, strict=True) if used and unit not in clusters
        ]
        if lacking:
            raise DesignError(Problem("inference.no_cluster", units=lacking))
        labels = pd.Series([clusters.get(unit, "") for unit in self.panel.units])
        codes, names = pd.factorize(labels.where(self.used), sort=True)
        treated = len(set(codes[self.panel.treated & self.used].tolist()))
        if treated < 2:
            raise EstimationError(Problem("inference.one_treated_cluster", clusters=len(names)))
        values = group_sums(self.influence[codes >= 0], codes[codes >= 0], len(names))
        return Grouped(values, np.asarray(names), codes, len(names), treated)

    def factor(self, clusters: int | None) -> float:
        """Return the factor of the variance for `clusters`, None for a variance that does not count them."""
        if self.parameters is None:
            return 1.0
        observations = self.counts.observations
        if observations <= self.parameters:
            raise ValueError(f"{self.parameters} parameters cannot be fitted to {observations} observations")
        factor = (observations - 1) / (observations - self.parameters)
        return factor if clusters is None else factor * clusters / (clusters - 1)


@dataclass(frozen=True, eq=False)
class Grouped:
    """Influences ``(G, k)`` of clusters with their labels, the code of every unit's cluster ``(N,)``, and numbers.

    `number` and `treated` count clusters that are used; a unit that is not used may have code -1.
    """

    values: np.ndarray
    labels: np.ndarray
    codes: np.ndarray
    number: int
    treated: int


@dataclass(frozen=True, kw_only=True)
class Asymptotic(ABC):
    """What all kinds of inference from influences share: one call, one rule for small samples, one caution."""

    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [
            Problem("core.option_value", method=type(self).__name__, option=name, given=getattr(self, name), allowed=of)
            for name, (fine, of) in {"level": (0.5 < self.level < 1, "0.5 < level < 1"), **self._options()}.items()
            if not fine
        ]
        if problems:
            raise DesignError(*problems)

    def conclude(
        self,
        keys: pd.DataFrame,
        estimate: np.ndarray,
        influence: np.ndarray,
        *,
        panel: Panel,
        scale: Scale,
        method: object,
        counts: Counts,
        parameters: int | None = 1,
        row_notes: Sequence[str] | None = None,
        null_scores: NullScores | None = None,
    ) -> Estimates:
        """Return estimates with their influences as one result.

        Parameters
        ----------
        keys
            ``k`` rows of key columns.
        estimate
            ``(k,)`` on `scale`.
        influence
            ``(N, k)`` of the panel's units, ``estimate - truth ~ influence.sum(axis=0)``; zero for units not used.
        panel, scale, method, counts
            What the estimates are about. ``counts.units`` are the units used, ``counts.treated`` those of them
            with the measure, ``counts.observations`` the rows of a regression.
        parameters
            The rule for small samples. A number ``K``: the estimate is a regression with ``K`` coefficients, not
            counting effects nested in the units (unit effects); with ``n`` observations and ``G`` units or clusters
            the variance ``sum_i psi_i psi_i'`` is multiplied by ``G / (G - 1) (n - 1) / (n - K)`` and the
            distribution is Student's with ``G - 1`` degrees of freedom: CRV1 of Stata, fixest and pyfixest. None:
            the estimate is an average of influences (group-time, imputation); the plain sum with the normal
            distribution, as in csdid. The default of 1 is ``G / (G - 1)`` alone.
        row_notes
            ``(k,)`` codes of rows that have no number to be judged, such as ``reference_period``; or empty text.
        null_scores
            For one effect: returns unit scores and unit information, each ``(N,)``, with the effect held at a value
            and all else fitted (see :func:`evaluation.regression.null_scores`). Needed by :class:`ScoreWild`.

        Raises
        ------
        DesignError
            The estimator or the panel does not offer what this inference needs.
        EstimationError
            Fewer than two units, or clusters, have the measure.

        References
        ----------
        Cameron and Miller (2015), A practitioner's guide to cluster-robust inference; Callaway and Sant'Anna (2021),
        Difference-in-differences with multiple time periods.
        """
        if counts.treated < 2:
            raise EstimationError(Problem("core.one_treated", method=type(method).__name__))
        given = Linear(
            keys=keys,
            estimate=np.asarray(estimate, dtype=float),
            influence=_without_rounding(influence, panel, scale),
            panel=panel,
            scale=scale,
            method=method,
            counts=counts,
            parameters=parameters,
            row_notes=row_notes,
            null_scores=null_scores,
        )
        result = self._concluded(given)
        return replace(result, facts={**power_facts(result, self.level), **result.facts})

    def described(self) -> dict[str, object]:
        """Return name and options, as ``facts["inference"]`` tells them; of a mapping its number of values."""
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        shown = {name: len(set(v.values())) if isinstance(v, Mapping) else v for name, v in options.items()}
        return {"name": type(self).__name__, **shown}

    def _options(self) -> dict[str, tuple[bool, str]]:
        """Return for each option whether its value is allowed, and what is."""
        return {}

    @abstractmethod
    def _concluded(self, given: Linear) -> Estimates:
        """Return the result."""


def _without_rounding(influence: np.ndarray, panel: Panel, scale: Scale) -> np.ndarray:
    """Return influences ``(N, k)`` with zeros in columns that are nothing but rounding errors: there nothing varies."""
    size = 1.0 if scale.name == "log" else float(np.nanmax(np.abs(panel.outcome / panel.exposure), initial=0.0))
    length = np.sqrt(np.einsum("ik,ik->k", influence, influence))
    return np.where(length > ROUNDING * size, influence, 0.0)


def clustered(given: Linear, inference: Asymptotic, clusters: Mapping[str, str] | None) -> tuple[Estimates, Grouped]:
    """Return the result with cluster-robust standard errors, and the influences of the clusters."""
    groups = given.grouped(clusters)
    df = np.inf if given.parameters is None else groups.number - 1.0
    factor = given.factor(groups.number)
    values = groups.values if factor == 1 else groups.values * np.sqrt(factor)
    influence = Influence(values=values, units=groups.labels, correction="none", df=df)
    return given.result(influence, inference, caution(groups.treated, of_clusters=clusters is not None)), groups


def power_facts(result: Estimates, level: float) -> dict[str, float]:
    """Return what belongs beside the row ``effect`` of log ratios: what could be found, what would explain it away.

    ``detectable`` is the relative fall found with 80 % power, ``(c + z_.8) SE`` on the log scale; ``exaggeration`` is
    the mean size of significant estimates of a typical effect over its true size, under the normal distribution
    (Gelman and Carlin 2014). Nothing is returned for other results, or without a standard error.
    """
    effects = result.table[result.table["term"].eq("effect")] if "term" in result.table else result.table.iloc[:0]
    if result.scale.name != "log" or len(effects) != 1 or effects["std_error"].isna().any():
        return {}
    row = effects.iloc[0]
    error, critical = float(row["std_error"]), float(critical_value(level, row["df"]))
    ends = np.array([-critical, critical]) - TYPICAL_EFFECT / error
    below, above = float(ndtr(ends[0])), float(ndtr(-ends[1]))
    density = np.exp(-(ends**2) / 2) / np.sqrt(2 * np.pi)
    size = TYPICAL_EFFECT * (above - below) + error * float(density.sum())
    return {
        "detectable": float(-np.expm1(-(critical + ndtri(POWER)) * error)),
        "exaggeration": size / (below + above) / -TYPICAL_EFFECT,
        **explaining_change(*(float(row[name]) for name in ("estimate", "conf_low", "conf_high"))),
    }


def caution(treated: int, *, of_clusters: bool = False) -> tuple[Note, ...]:
    """Return the remark that few treated units, or clusters, make an asymptotic standard error too small."""
    if treated >= MANY_TREATED:
        return ()
    code = "inference.note.few_treated_clusters" if of_clusters else "core.note.asymptotic_few_treated"
    return (Note(code, {"treated": treated}),)


@dataclass(frozen=True, kw_only=True)
class ClusterRobust(Asymptotic):
    """Standard errors from the influence of every unit, or of larger clusters of units.

    Parameters
    ----------
    level
        Of the interval.
    clusters
        The larger cluster of every unit, such as the Bezirk of an Ortsteil, where shocks are shared; at least two
        of them must have the measure.

    Notes
    -----
    Variance ``c sum_g psi_g psi_g'`` over the ``G`` clusters; `parameters` of :meth:`conclude` says which ``c`` and
    which distribution.

    With few treated units these intervals are too short: at a nominal 5 % and no effect they exclude zero in
    27, 15 and 12 % of cases with 3, 5 and 10 of 63 areas treated. The result then carries a note that says so.

    References
    ----------
    Liang and Zeger (1986), Longitudinal data analysis using generalized linear models; MacKinnon and Webb (2018), The
    wild bootstrap for few (treated) clusters.

    Examples
    --------
    >>> ClusterRobust(clusters={"00": "0", "01": "0", "10": "1"}).described()
    {'name': 'ClusterRobust', 'level': 0.95, 'clusters': 2}
    """

    clusters: Mapping[str, str] | None = None

    def _concluded(self, given: Linear) -> Estimates:
        return clustered(given, self, self.clusters)[0]
