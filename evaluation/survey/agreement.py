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
    estimates; their chance pulls the agreement towards zero. ``facts["reliability"]`` says for both sides which part
    of the differences between areas is no chance, :math:`1 - \overline{s_i^2} / Var`, where standard errors are given:
    the agreement of the true numbers is larger by about one over the root of their product.

    References
    ----------
    Bonett and Wright (2000), Sample size requirements for estimating Pearson, Kendall and Spearman correlations;
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
        """Return rows ``spearman`` and ``kendall``.

        Parameters
        ----------
        first, second
            ``(A,)`` numbers of the same areas; areas that lack one are left out and counted.
        std_errors
            ``(A,)`` each.
        declaration
            Of the survey.

        Raises
        ------
        EstimationError
            Fewer than eight areas have both numbers, or one of the numbers is the same everywhere.
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
            parts = zip((x, y), std_errors, strict=True)
            reliability = tuple(_reliability(values, errors[known]) for values, errors in parts)
            facts["reliability"] = reliability
            notes.append(Note("survey_change.note.attenuated", {"first": reliability[0], "second": reliability[1]}))
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
