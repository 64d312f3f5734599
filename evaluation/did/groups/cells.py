"""Group-time effects of one cohort: weights of its comparison units, effects, and the influence of every unit on them.

Arrays in, arrays out. A block holds cells of a cohort that compare the same units given the same covariates: its two
regressions are fitted once, whatever the number of periods. What is left out: which cells there are, and how they are
averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log_expit

CellEstimator = Literal["doubly_robust", "outcome_regression", "inverse_probability"]
CELL_ESTIMATORS: tuple[CellEstimator, ...] = ("doubly_robust", "outcome_regression", "inverse_probability")

NO_OVERLAP = 0.999  # where some unit is so surely treated there is nobody like it; the limit of R's did
TRIMMED = 0.995  # comparison units this surely treated would count 199 times; the limit of R's DRDID
COLLINEAR = 1e-10  # smallest eigenvalue of a correlation matrix that still tells covariates apart
ROUNDS = 60
CONVERGED = 1e-15


@dataclass(frozen=True, eq=False, kw_only=True)
class Design:
    """The regressions that the cells of a block share.

    Parameters
    ----------
    treated, comparison
        ``(n1, p)`` and ``(n0, p)`` regressors: a constant and standardised covariates.
    code
        Why there is no effect (``singular``, ``few_comparison``, ``no_overlap``), or empty.
    slopes
        ``(p, n0)``: times the outcomes of the comparison units, the coefficients of the outcome regression; None
        without one.
    odds
        ``(n0,)`` propensity odds of the comparison units, which sum to one; None without a propensity model.
    treated_score, comparison_score
        ``(n1, p)`` and ``(n0, p)``: scores of the propensity model times its inverse information.
    likely
        Largest fitted propensity, missing without a model.
    trimmed
        Number of comparison units set aside because they are almost surely treated.
    """

    treated: np.ndarray
    comparison: np.ndarray
    code: str = ""
    slopes: np.ndarray | None = None
    odds: np.ndarray | None = None
    treated_score: np.ndarray | None = None
    comparison_score: np.ndarray | None = None
    likely: float = np.nan
    trimmed: int = 0

    @property
    def effective(self) -> float:
        """Number of equally weighted comparison units that would be as informative (Kish)."""
        if self.odds is None:
            return float(len(self.comparison))
        return float(1.0 / np.square(self.odds).sum())


def fit_design(treated: np.ndarray, comparison: np.ndarray, estimator: CellEstimator) -> Design:
    """Fit what does not depend on the outcome.

    Parameters
    ----------
    treated, comparison
        ``(n1, q)`` and ``(n0, q)`` covariates, none missing; ``q`` may be 0.
    estimator
        Without covariates all three are the difference of mean changes.

    Returns
    -------
    Design
        With a code instead of regressions where these do not exist.
    """
    ones = np.ones((len(treated), 1)), np.ones((len(comparison), 1))
    if treated.shape[1] == 0:
        return Design(treated=ones[0], comparison=ones[1], slopes=ones[1].T / len(comparison))
    both = np.concatenate([treated, comparison])
    middle, spread = both.mean(axis=0), both.std(axis=0)
    if (spread <= COLLINEAR * np.abs(middle)).any():
        return Design(treated=ones[0], comparison=ones[1], code="singular")
    x1, x0 = (np.hstack([one, (x - middle) / spread]) for one, x in zip(ones, (treated, comparison), strict=True))
    regression, propensity = estimator != "inverse_probability", estimator != "outcome_regression"
    if regression and len(x0) <= x0.shape[1]:
        return Design(treated=x1, comparison=x0, code="few_comparison")
    if _collinear(x0 if regression else np.concatenate([x1, x0])):
        return Design(treated=x1, comparison=x0, code="singular")
    slopes = np.linalg.solve(x0.T @ x0, x0.T) if regression else None
    return _weighted(x1, x0, slopes) if propensity else Design(treated=x1, comparison=x0, slopes=slopes)


def _collinear(x: np.ndarray) -> bool:
    gram = x.T @ x
    size = np.sqrt(np.diag(gram))
    if (size <= 0).any():
        return True
    return bool(np.linalg.eigvalsh(gram / np.outer(size, size))[0] < COLLINEAR)


def _weighted(x1: np.ndarray, x0: np.ndarray, slopes: np.ndarray | None) -> Design:
    """Add the propensity model: logit of being treated, by maximum likelihood."""
    coefficients, information = _logit(x1, x0)
    index1, index0 = x1 @ coefficients, x0 @ coefficients
    likely = float(expit(max(index1.max(), index0.max())))
    kept = expit(index0) < TRIMMED
    if not likely < NO_OVERLAP or not kept.any():
        return Design(treated=x1, comparison=x0, code="no_overlap", likely=likely)
    odds = np.where(kept, np.exp(index0), 0.0)
    return Design(
        treated=x1,
        comparison=x0,
        slopes=slopes,
        odds=odds / odds.sum(),
        treated_score=np.linalg.solve(information, (x1 * expit(-index1)[:, None]).T).T,
        comparison_score=-np.linalg.solve(information, (x0 * expit(index0)[:, None]).T).T,
        likely=likely,
        trimmed=int((~kept).sum()),
    )


def _logit(x1: np.ndarray, x0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients ``(p,)`` and information ``(p, p)`` by Newton's method with halved steps.

    Where the covariates separate the treated, coefficients grow until the fitted propensities show it.
    """
    x = np.concatenate([x1, x0])
    outcome = np.concatenate([np.ones(len(x1)), np.zeros(len(x0))])
    sign = 1.0 - 2.0 * outcome
    coefficients = np.zeros(x.shape[1])
    coefficients[0] = np.log(len(x1) / len(x0))
    index = x @ coefficients
    likelihood = log_expit(-sign * index).sum()
    for _ in range(ROUNDS):
        share = expit(index)
        information = (x * (share * (1 - share))[:, None]).T @ x
        score = x.T @ (outcome - share)
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        gain = float(step @ score)
        for _ in range(ROUNDS):
            new = x @ (coefficients + step)
            risen = log_expit(-sign * new).sum()
            if risen >= likelihood - 1e-9 * abs(likelihood):
                break
            step /= 2
        coefficients, index, likelihood = coefficients + step, new, risen
        if gain < CONVERGED * len(x) or expit(index.max()) > 1 - 1e-7:
            break
    share = expit(index)
    return coefficients, (x * (share * (1 - share))[:, None]).T @ x


@dataclass(frozen=True, eq=False, kw_only=True)
class Effects:
    """Effects ``(m,)`` of the cells of a block, and what the influences on them are made of.

    With outcomes ``Y`` and contrasts ``C`` the influence of comparison units is ``-a * (Y0 C) + U0 V0``, that of
    treated ones ``Y1 C / n1 + U1 V1``.
    """

    estimate: np.ndarray
    contrasts: np.ndarray
    own: np.ndarray
    treated_parts: tuple[np.ndarray, np.ndarray]
    comparison_parts: tuple[np.ndarray, np.ndarray]

    def influence(self, y1: np.ndarray, y0: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the influence of treated ``(n1, k)`` and comparison units ``(n0, k)`` on ``weights' estimate``.

        Parameters
        ----------
        y1, y0
            As given to :func:`cell_effects`.
        weights
            ``(m, k)``.
        """
        changes = self.contrasts @ weights
        treated = y1 @ (changes / len(y1))
        treated += self.treated_parts[0] @ (self.treated_parts[1] @ weights)
        comparison = y0 @ changes
        comparison *= -self.own[:, None]
        comparison += self.comparison_parts[0] @ (self.comparison_parts[1] @ weights)
        return treated, comparison


def cell_effects(design: Design, y1: np.ndarray, y0: np.ndarray, contrasts: np.ndarray) -> Effects:
    r"""Return the effects of the treatment on the treated in the cells of a block.

    Parameters
    ----------
    design
        Without a code.
    y1, y0
        ``(n1, s)`` and ``(n0, s)`` outcomes in the periods that the block needs, none missing.
    contrasts
        ``(s, m)``: 1 at a cell's period, -1 at its base.

    Notes
    -----
    With the change :math:`\Delta_i` of unit i from base to period, covariates :math:`x_i` with a constant, the
    least-squares fit :math:`x'\beta` of the changes of the comparison units, propensity :math:`p_i` and odds
    :math:`w_i = p_i / (1 - p_i)`,

    .. math:: ATT = \overline{\Delta - x'\beta}^{\,treated}
              - \frac{\sum_{comparison} w_i (\Delta_i - x_i'\beta)}{\sum_{comparison} w_i}

    Outcome regression is the first term alone; inverse probability weighting has :math:`\beta = 0`. The odds are
    normalised to one (Hájek). Influences include the estimation of :math:`\beta` and :math:`p`.

    References
    ----------
    Sant'Anna and Zhao (2020), Doubly robust difference-in-differences estimators, eq. 3.1 and theorem A.1; Callaway and
    Sant'Anna (2021).
    """
    x1, x0, count = design.treated, design.comparison, len(y1)
    middle = x1.mean(axis=0)
    slopes = np.zeros((x0.shape[1], contrasts.shape[1]))
    if design.slopes is not None:
        slopes = design.slopes @ y0 @ contrasts
    first = y1.mean(axis=0) @ contrasts - middle @ slopes
    parts1, values1 = [-x1 / count, np.full((count, 1), -1.0 / count)], [slopes, first[None]]
    if design.odds is None:
        assert design.slopes is not None  # noqa: S101 - a design has at least one of the two regressions
        own, estimate = middle @ design.slopes, first
        parts0, values0 = [own[:, None] * x0], [slopes]
    else:
        assert design.treated_score is not None and design.comparison_score is not None  # noqa: S101, PT018 - with odds
        odds, weighted = design.odds, x0 * design.odds[:, None]
        towards = weighted.sum(axis=0)
        own = odds if design.slopes is None else odds + (middle - towards) @ design.slopes
        second = odds @ y0 @ contrasts - towards @ slopes
        moments = weighted.T @ y0 @ contrasts - (x0.T @ weighted) @ slopes - np.outer(towards, second)
        estimate = first - second
        parts1, values1 = [*parts1, -design.treated_score], [*values1, moments]
        parts0 = [own[:, None] * x0, odds[:, None], -design.comparison_score]
        values0 = [slopes, second[None], moments]
    return Effects(
        estimate=estimate,
        contrasts=contrasts,
        own=own,
        treated_parts=(np.hstack(parts1), np.concatenate(values1)),
        comparison_parts=(np.hstack(parts0), np.concatenate(values0)),
    )
