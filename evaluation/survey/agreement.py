"""Registered and perceived change of the same areas: in which quadrant each lies, and whether their ranks agree.

Describes; effects are in :mod:`evaluation.survey.joint`. Both sides are joined on the area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import Counts, Estimates, Note, Scale
from evaluation.influence import two_sided_p
from evaluation.survey.true_agreement import true_correlation
from evaluation.survey_design import SurveyDesign

QUADRANTS = ("fewer_safer", "fewer_less_safe", "more_safer", "more_less_safe")
FEWEST = 8  # areas, for intervals of rank correlations


def quadrants(registered: pd.DataFrame, perceived: pd.DataFrame, *, on: str = "area") -> pd.DataFrame:
    """Return for each area both changes with their intervals and the quadrant in which it lies.

    Parameters
    ----------
    registered, perceived
        Columns `on`, ``value``, ``conf_low``, ``conf_high``: change of registered cases (more is worse), and of the
        share that feels unsafe (more is worse).
    on
        Column of the areas.

    Returns
    -------
    pandas.DataFrame
        `on`, the numbers of both sides (with the endings ``_registered`` and ``_perceived``), ``quadrant``
        (``fewer_safer``: fewer cases and fewer who feel unsafe, and so on; empty where a value is missing or zero) and
        ``clear``, whether both intervals clear zero. Areas of both sides, in the order of `registered`.

    Raises
    ------
    EstimationError
        The two sides have no area in common.

    Examples
    --------
    >>> one = pd.DataFrame({"area": ["00"], "value": [-0.1], "conf_low": [-0.2], "conf_high": [-0.05]})
    >>> quadrants(one, one)[["quadrant", "clear"]].to_numpy().tolist()
    [['fewer_safer', True]]
    """
    columns = [on, "value", "conf_low", "conf_high"]
    both = registered[columns].merge(perceived[columns], on=on, suffixes=("_registered", "_perceived"))
    if both.empty:
        raise EstimationError(Problem("survey_change.no_common_area", column=on))
    more, unsafe = both["value_registered"], both["value_perceived"]
    chosen = pd.Series("", index=both.index)
    for position, name in enumerate(QUADRANTS):
        across = more > 0 if position >= 2 else more < 0
        chosen = chosen.mask(across & (unsafe > 0 if position % 2 else unsafe < 0), name)
    clear = pd.Series(data=True, index=both.index)
    for side in ("registered", "perceived"):
        clear &= both[f"conf_low_{side}"].gt(0) | both[f"conf_high_{side}"].lt(0)
    return both.assign(quadrant=chosen, clear=clear)


@dataclass(frozen=True)
class RankAgreement:
    r"""Rank correlation of two numbers of the same areas: Spearman's and Kendall's, with intervals.

    Parameters
    ----------
    level
        Of the intervals.

    Notes
    -----
    Intervals on Fisher's scale, :math:`\tanh(\operatorname{artanh} r \pm z\,s)`, with :math:`s^2 = (1 + r^2 / 2) / (n -
    3)` for Spearman's and :math:`s^2 = 0.437 / (n - 4)` for Kendall's :math:`\tau_b`. Both numbers of an area are
    estimates; their chance pulls the agreement towards zero, and the intervals of ``spearman`` and ``kendall`` are
    about the estimates, not about what they estimate (with 45 answers an area and true rank correlations of 0.5 and
    0.8 they covered the true one in 81 and 29 % of simulations of levels, 19 and 0 % of changes). Where standard errors
    are given, ``facts["reliability"]`` says for both sides which part of the differences between areas is no chance,
    :math:`1 - \overline{s_i^2} / Var`, and ``spearman_true`` and ``kendall_true`` are about the true numbers: the
    correlation of :func:`evaluation.survey.true_agreement.true_correlation` as the rank correlation of normal numbers,
    :math:`6 / \pi \arcsin(\rho / 2)` and :math:`2 / \pi \arcsin \rho`. Areas whose standard error is missing are left
    out there. What no formula mends: errors of both sides that depend on each other, and standard errors that are too
    small.

    References
    ----------
    Kruskal (1958), Ordinal measures of association; Bonett and Wright (2000), Sample size requirements for estimating
    Pearson, Kendall and Spearman correlations;
    Fieller, Hartley and Pearson (1957), Tests for rank correlation coefficients.

    Examples
    --------
    >>> RankAgreement().estimate(np.arange(9.0), np.arange(9.0) ** 2).table["estimate"].tolist()
    [1.0, 1.0]
    """

    level: float = 0.95

    def estimate(
        self,
        first: np.ndarray,
        second: np.ndarray,
        *,
        std_errors: tuple[np.ndarray, np.ndarray] | None = None,
        declaration: SurveyDesign | None = None,
    ) -> Estimates:
        """Return rows ``spearman`` and ``kendall``, with standard errors also ``spearman_true`` and ``kendall_true``.

        Parameters
        ----------
        first, second
            ``(A,)`` numbers of the same areas; areas that lack one are left out and counted.
        std_errors
            ``(A,)`` each, of both numbers, zero where a number is known exactly.
        declaration
            Of the survey.

        Raises
        ------
        EstimationError
            Fewer than eight areas have both numbers, or one of the numbers is the same everywhere; a standard error is
            negative.
        """
        known = np.isfinite(first) & np.isfinite(second)
        n = int(known.sum())
        if n < FEWEST:
            raise EstimationError(Problem("survey_change.few_for_ranks", n=n, fewest=FEWEST))
        x, y = first[known], second[known]
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            raise EstimationError(Problem("survey_change.ranks_constant"))
        values = np.array([_spearman(x, y), _kendall(x, y)])
        error = np.sqrt([(1 + values[0] ** 2 / 2) / (n - 3), 0.437 / (n - 4)])
        bounded = np.clip(values, -1 + 1e-12, 1 - 1e-12)
        margin = float(ndtri(0.5 + self.level / 2)) * error
        table = pd.DataFrame(
            {
                "term": ["spearman", "kendall"],
                "n": n,
                "estimate": values,
                "std_error": error * np.maximum(1 - values**2, 1e-12),
                "df": np.inf,
                "statistic": np.arctanh(bounded) / error,
                "p_value": two_sided_p(np.arctanh(bounded) / error, np.inf),
                "conf_low": np.tanh(np.arctanh(bounded) - margin),
                "conf_high": np.tanh(np.arctanh(bounded) + margin),
                "note": "",
            }
        )
        dropped = len(first) - n
        facts: dict[str, object] = {"level": self.level}
        notes = []
        if std_errors is not None:
            errors = np.stack(std_errors, axis=1)[known]
            if (errors < 0).any():
                raise EstimationError(Problem("survey_change.negative_errors", n=int((errors < 0).any(axis=1).sum())))
            reliability = tuple(_reliability(values, errors[:, side]) for side, values in enumerate((x, y)))
            facts["reliability"] = reliability
            notes.append(Note("survey_change.note.attenuated", {"first": reliability[0], "second": reliability[1]}))
            table = pd.concat([table, self._true(x, y, errors)], ignore_index=True)
        if dropped:
            notes.append(Note("survey_change.note.without_both", {"n": dropped}))
        return Estimates(
            table=table,
            scale=Scale("identity", "correlation"),
            declaration=declaration or SurveyDesign(),
            method=self,
            counts=Counts(observations=n, units=n, dropped={"incomplete": dropped} if dropped else {}),
            notes=tuple(notes),
            facts=facts,
        )

    def _true(self, x: np.ndarray, y: np.ndarray, errors: np.ndarray) -> pd.DataFrame:
        """Return the rows of the true numbers."""
        usable = np.isfinite(errors).all(axis=1)
        n = int(usable.sum())
        if n < FEWEST:
            raise EstimationError(Problem("survey_change.few_for_ranks", n=n, fewest=FEWEST))
        found = true_correlation(x[usable], y[usable], errors[usable], self.level)
        note = "survey_change.note.true_agreement"
        if np.isnan(found.estimate):
            note += " survey_change.note.true_unknown"
        rows = []
        for term, factor, part in (("spearman_true", 6 / np.pi, 0.5), ("kendall_true", 2 / np.pi, 1.0)):
            ranked = factor * np.arcsin(part * np.array([found.estimate, found.conf_low, found.conf_high]))
            row = {"term": term, "n": n, "estimate": ranked[0], "std_error": np.nan, "df": np.inf}
            row |= {"statistic": found.statistic, "p_value": found.p_value}
            rows.append({**row, "conf_low": ranked[1], "conf_high": ranked[2], "note": note})
        return pd.DataFrame(rows)


def _reliability(values: np.ndarray, errors: np.ndarray) -> float:
    return max(0.0, 1 - float(np.nanmean(errors**2)) / float(np.var(values, ddof=1)))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation of mean ranks."""
    ranks = [pd.Series(values).rank().to_numpy() for values in (x, y)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _kendall(x: np.ndarray, y: np.ndarray) -> float:
    """Return tau-b, which allows for ties."""
    order = [np.sign(values[:, None] - values[None, :]) for values in (x, y)]
    size = [float((signs**2).sum()) for signs in order]
    return float((order[0] * order[1]).sum() / np.sqrt(size[0] * size[1]))
