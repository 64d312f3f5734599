"""Three ways to say how sure the effect of a measure on survey answers is.

From the sample alone; with areas that move by themselves between waves; and by exchanging areas, where few have the
measure. What is left out: which of them is right (:mod:`evaluation.survey.difference`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.estimates import Influence
from evaluation.influence import critical_value
from evaluation.randomization.assignments import ReferenceSet
from evaluation.randomization.history import Changes, centred, fit_history
from evaluation.randomization.inference import POWER, Randomization, Tested, UnitEffects
from evaluation.survey.area_changes import AreaChanges, shock_variance, weighted_spread


@dataclass(frozen=True)
class AreaModel:
    """The area-level model: estimate, standard error, degrees of freedom, variance of the shocks.

    `influence` ``(A,)`` has the sum zero; its plain sum of squares is the squared standard error.
    """

    estimate: float
    std_error: float
    df: float
    tau2: float
    influence: np.ndarray


def area_model(changes: AreaChanges, treated: np.ndarray) -> AreaModel:
    r"""Return the effect under area x wave shocks.

    Parameters
    ----------
    changes
        Of ``A`` areas.
    treated
        ``(A,)`` where the measure is.

    Notes
    -----
    :math:`d_i = \gamma + \delta D_i + u_i + e_i` with :math:`Var(u_i) = \tau^2` (what areas do by themselves between
    the waves) and :math:`Var(e_i) = v_i` (the sample). :math:`\tau^2` comes from the areas without the measure.
    Weighted least squares with :math:`w_i = 1 / (\tau^2 + v_i)`;

    .. math:: se^2 = \frac{\sum_i w_i r_i^2}{A - 2} \Big(\frac1{\sum_{D=1} w_i} + \frac1{\sum_{D=0} w_i}\Big)

    and Student's t on :math:`A - 2` degrees of freedom: only the relative size of the variances is taken from the
    model, their level from the residuals. With few treated areas it rests on their shocks being like the others'.

    References
    ----------
    Knapp and Hartung (2003), Improved tests for a random effects meta-regression with a single covariate; Donald and
    Lang (2007), Inference with difference-in-differences and other panel data.
    """
    group = treated.astype(np.intp)
    tau2 = shock_variance(changes.change[~treated], changes.variance[~treated], np.zeros((~treated).sum(), dtype=int))
    weights = 1.0 / (tau2 + changes.variance)
    total = np.bincount(group, weights)
    mean = np.bincount(group, weights * changes.change) / total
    df = len(treated) - 2.0
    level = weighted_spread(changes.change, weights, group) / df
    std_error = float(np.sqrt(level * (1 / total).sum()))
    own = np.where(treated, 1.0, -1.0) * weights * (changes.change - mean[group]) / total[group]
    length = float(np.sqrt((own**2).sum()))
    influence = own * (std_error / length) if length > 0 else own
    return AreaModel(float(mean[1] - mean[0]), std_error, df, tau2, influence)


def as_influence(model: AreaModel, areas: np.ndarray) -> Influence:
    """Return the influences of the areas as one column."""
    return Influence(values=model.influence[:, None], units=areas, correction="none", df=model.df)


def unit_effects(changes: AreaChanges, treated: np.ndarray) -> tuple[UnitEffects, float, float]:
    r"""Return the changes ready to be exchanged, the variance of the shocks, and the return to the usual level.

    The standard deviation of a change is :math:`\sqrt{\tau^2 + v_i}`, :math:`\tau^2` from the areas without the
    measure. With a history (then `changes` has no slope of its own) it is fitted to earlier pairs of waves with a
    factor of every area, and a change is taken less what the rise before it lets expect, as registered numbers are.
    """
    others = ~treated
    past = np.empty((0, len(treated)))
    if changes.past is not None and changes.rise is not None:
        history = fit_history(changes.past)
        now = Changes(
            dates=np.zeros(1, dtype=int),
            change=centred(changes.change[None], others),
            rise=centred(changes.rise[None]),
            level=1.0 / changes.variance[None],
        )
        residual, spread = history.standardise(now)
        past, tau2, slope = history.seen(), history.tau2, history.slope
    else:
        residual, slope = centred(changes.change[None], others), changes.slope
        tau2 = shock_variance(changes.change[others], changes.variance[others], np.zeros(others.sum(), dtype=int))
        spread = np.sqrt(tau2 + changes.variance)[None]
    effects = UnitEffects(
        cohort=np.where(treated, 0, -1),
        pool=np.ones(len(treated), dtype=bool),
        residual=residual,
        spread=spread,
        share=treated[None].astype(float),
        level=np.exp(changes.level - changes.level.mean()),
        past=past,
        later=np.zeros((1, 1), dtype=bool),
        yardstick=True,
    )
    return effects, tau2, slope


def exchanged(
    changes: AreaChanges, treated: np.ndarray, inference: Randomization, contiguity: np.ndarray | None
) -> tuple[Tested, ReferenceSet, float, float]:
    """Return the test by exchange of areas, the assignments, the variance of the shocks and the return slope."""
    effects, tau2, slope = unit_effects(changes, treated)
    reference = inference.assign(effects, contiguity)
    return inference.test(effects, reference), reference, tau2, slope


def detectable(std_error: float, df: float, level: float) -> float:
    """Return the effect that is found with 80 % probability: ``(t_(1 + level)/2 + t_0.8) se``."""
    return float((critical_value(level, df) + critical_value(2 * POWER - 1, df)) * std_error)
