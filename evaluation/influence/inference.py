"""From estimates and their influences to tables, contrasts, joint tests and simultaneous bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from evaluation.errors import EstimationError, Problem
from evaluation.estimates import NUMBERS, Counts, Estimates, Influence, Note, Scale, Stage
from evaluation.influence.multipliers import multiplier_draws
from evaluation.influence.variance import covariance, independent_units, roots, variances

if TYPE_CHECKING:
    from evaluation.study import Study
    from evaluation.survey_design import SurveyDesign

VANISHING = 1e-11  # a standard error this small beside its estimate is a zero with rounding errors


def critical_value(level: float, df: Any) -> np.ndarray:
    """Return the two-sided critical value of Student's t (normal where `df` is infinite); missing for ``df <= 0``."""
    df = np.asarray(df, dtype=float)
    upper = 0.5 + level / 2
    finite = np.where((df > 0) & np.isfinite(df), df, 1.0)
    return np.where(np.isinf(df), ndtri(upper), np.where(df > 0, stdtrit(finite, upper), np.nan))


def two_sided_p(statistic: np.ndarray, df: Any) -> np.ndarray:
    """Return two-sided p-values under Student's t (normal where `df` is infinite); missing for ``df <= 0``."""
    df = np.asarray(df, dtype=float)
    finite = np.where((df > 0) & np.isfinite(df), df, 1.0)
    tail = np.where(np.isinf(df), ndtr(-np.abs(statistic)), stdtr(finite, -np.abs(statistic)))
    smallest = np.finfo(float).tiny  # no test says that something is impossible
    return np.where(df > 0, np.maximum(2 * tail, smallest), np.nan)


def estimates_from_influence(
    keys: pd.DataFrame,
    estimate: np.ndarray,
    influence: Influence,
    *,
    scale: Scale,
    declaration: Study | SurveyDesign,
    method: Any,
    counts: Counts,
    level: float = 0.95,
    df: float | np.ndarray | None = None,
    row_notes: Sequence[str] | None = None,
    notes: tuple[Note, ...] = (),
    facts: Mapping[str, Any] | None = None,
) -> Estimates:
    """Return the estimates with standard errors, tests against zero and intervals from their influences.

    Parameters
    ----------
    keys
        ``k`` rows of key columns; columns ``n`` and ``deff`` are kept as sizes.
    estimate
        ``(k,)`` on `scale`; missing only where `row_notes` say why.
    influence
        ``(m, k)``.
    scale, declaration, method, counts, notes, facts
        Passed on to :class:`Estimates`; ``facts`` also gets ``level``.
    level
        Of the interval, 0.95 for 95 %.
    df
        Degrees of freedom, one for all or ``(k,)``; by default those of `influence`. Infinite: the normal
        distribution.
    row_notes
        ``(k,)`` codes, or empty text.

    Returns
    -------
    Estimates
        A standard error of zero (to rounding) is missing and noted ``survey.note.no_variation``; without degrees of
        freedom test and interval are missing and noted ``survey.note.no_df``. Nothing is infinite.
    """
    estimate = np.asarray(estimate, dtype=float)
    notes_by_row = np.array(row_notes if row_notes is not None else [""] * len(estimate), dtype=object)
    dfs = np.broadcast_to(np.asarray(influence.df if df is None else df, dtype=float), estimate.shape)
    std_error = np.sqrt(variances(influence))
    vanishing = ~(std_error > VANISHING * np.abs(estimate)) | np.isnan(estimate)
    std_error = np.where(vanishing, np.nan, std_error)
    for missing, code in ((vanishing, "survey.note.no_variation"), (~vanishing & ~(dfs > 0), "survey.note.no_df")):
        notes_by_row[missing & (notes_by_row == "")] = code
    statistic = estimate / std_error
    margin = critical_value(level, dfs) * std_error
    columns = (estimate, std_error, dfs, statistic, two_sided_p(statistic, dfs), estimate - margin, estimate + margin)
    table = pd.DataFrame(
        {
            **{name: keys[name].array for name in keys.columns},
            **dict(zip(NUMBERS, columns, strict=True)),
            "note": notes_by_row.astype(str),
        }
    )
    return Estimates(
        table=table,
        scale=scale,
        influence=influence,
        declaration=declaration,
        method=method,
        counts=counts,
        notes=notes,
        facts={**(facts or {}), "level": level},
    )


def _needed(estimates: Estimates) -> Influence:
    if estimates.influence is None:
        raise EstimationError(Problem("survey.no_influence", method=type(estimates.method).__name__))
    return estimates.influence


def contrast(
    estimates: Estimates,
    weights: np.ndarray | Mapping[str, Sequence[float] | np.ndarray],
    *,
    keys: pd.DataFrame | None = None,
    df: float | np.ndarray | None = None,
    level: float = 0.95,
    scale: Scale | None = None,
) -> Estimates:
    """Return linear combinations of estimates, on their scale.

    Parameters
    ----------
    estimates
        A result with influences.
    weights
        ``(c, k)``, or for each name of a contrast its ``(k,)`` weights.
    keys
        ``c`` rows of key columns; by default one column ``contrast`` with the names or 1, 2, ...
    df
        Degrees of freedom; by default the smallest of the rows that a contrast uses.
    level
        Of the intervals.
    scale
        Of the contrasts, where it is another one than that of `estimates`.

    Examples
    --------
    >>> change = contrast(waves, {"2024 less 2021": [0, -1, 1]})  # doctest: +SKIP
    """
    names = list(weights) if isinstance(weights, Mapping) else list(range(1, len(weights) + 1))
    matrix = np.array(list(weights.values()) if isinstance(weights, Mapping) else weights, dtype=float, ndmin=2)
    influence, table = _needed(estimates), estimates.table
    if matrix.shape[1] != len(table):
        raise ValueError(f"contrasts have {matrix.shape[1]} weights for {len(table)} estimates")
    used = matrix != 0
    missing = used & table["std_error"].isna().to_numpy()
    unknown = used & table["estimate"].isna().to_numpy()
    codes = table["note"].to_numpy()
    row_notes = [" ".join(dict.fromkeys(" ".join(codes[row]).split())) for row in missing]
    estimate = matrix @ np.nan_to_num(table["estimate"].to_numpy(dtype=float))
    values = influence.values @ matrix.T
    values[:, missing.any(axis=1)] = 0.0
    if df is None:
        df = np.where(used, table["df"].to_numpy(dtype=float), np.inf).min(axis=1)
    return estimates_from_influence(
        keys if keys is not None else pd.DataFrame({"contrast": names}),
        np.where(unknown.any(axis=1), np.nan, estimate),
        replace(influence, values=values),
        scale=scale or estimates.scale,
        declaration=estimates.declaration,
        method=estimates.method,
        counts=estimates.counts,
        level=level,
        df=df,
        row_notes=row_notes,
        notes=estimates.notes,
        facts=estimates.facts,
    )


@dataclass(frozen=True, kw_only=True)
class JointTest:
    """Test that several combinations of estimates are all zero.

    Parameters
    ----------
    statistic
        F where `df_denominator` is finite, else the Wald chi-square divided by `df_numerator`.
    df_numerator
        Number of independent combinations.
    df_denominator
        ``df - df_numerator + 1`` of the design, or infinite.
    p_value
        Probability of a larger statistic where all combinations are zero.
    """

    statistic: float
    df_numerator: int
    df_denominator: float
    p_value: float


def joint_test(estimates: Estimates, weights: np.ndarray | None = None, *, df: float | None = None) -> JointTest:
    """Test that all estimates (or the contrasts `weights` ``(c, k)``) are zero together.

    With ``W = b' V^-1 b`` on r dimensions and d degrees of freedom, ``F = W (d - r + 1) / (r d)`` on ``(r, d - r +
    1)``; for d infinite W is chi-square. Combinations that follow from others are counted once.

    Raises
    ------
    EstimationError
        A contrast has no standard error, or there are too few degrees of freedom.
    """
    matrix = np.eye(len(estimates.table)) if weights is None else np.array(weights, dtype=float, ndmin=2)
    used = (matrix != 0).any(axis=0)
    missing = used & estimates.table["std_error"].isna().to_numpy()
    if missing.any():
        raise EstimationError(Problem("survey.joint_missing", n=int(missing.sum())))
    influence = _needed(estimates)
    values = matrix @ estimates.table["estimate"].fillna(0.0).to_numpy(dtype=float)
    spread = covariance(replace(influence, values=influence.values @ matrix.T))
    size = np.sqrt(np.diag(spread))
    lengths, axes = np.linalg.eigh(spread / np.outer(size, size))
    kept = lengths > len(lengths) * np.finfo(float).eps * 64 * lengths.max()
    rank = int(kept.sum())
    wald = float((((values / size) @ axes[:, kept]) ** 2 / lengths[kept]).sum())
    design = float(estimates.table["df"][used].min()) if df is None else float(df)
    if np.isinf(design):
        return JointTest(
            statistic=wald / rank, df_numerator=rank, df_denominator=np.inf, p_value=float(chdtrc(rank, wald))
        )
    below = design - rank + 1
    if below <= 0:
        raise EstimationError(Problem("survey.joint_df", df=design, rank=rank))
    statistic = wald * below / (rank * design)
    return JointTest(
        statistic=statistic, df_numerator=rank, df_denominator=below, p_value=float(fdtrc(rank, below, statistic))
    )


def bands(estimates: Estimates, *, level: float = 0.95, draws: int = 9999, seed: int = 1) -> Estimates:
    """Return the same estimates with intervals that hold for all of them together.

    Parameters
    ----------
    estimates
        A result with influences.
    level
        Probability that all intervals cover.
    draws
        Multiplier bootstrap draws.
    seed
        Of the multipliers.

    Returns
    -------
    Estimates
        ``conf_low`` and ``conf_high`` replaced; ``facts["critical_value"]`` is their common critical value.

    Notes
    -----
    Every unit's (centred and scaled) influence is multiplied by a standard normal number; the largest absolute draw
    over its standard error, divided by the root of a chi-square over its degrees of freedom where these are finite,
    gives the critical value: with one estimate Student's own, and never less than that.

    References
    ----------
    Montiel Olea and Plagborg-Møller (2019), Simultaneous confidence bands; Callaway and Sant'Anna (2021), section 4.
    """
    table = estimates.table.copy()
    known = table["std_error"].notna().to_numpy() & (table["df"] > 0).to_numpy()
    if not known.any():
        return estimates
    std_error = table["std_error"].to_numpy(dtype=float)[known]
    df = float(table["df"][known].min())
    stacked = np.concatenate(roots(_needed(estimates)))[:, known]
    blocks = multiplier_draws(stacked, std_error, draws=draws, seed=seed, df=df)
    largest = np.concatenate([np.abs(block).max(axis=1) for block in blocks])
    critical = max(float(np.quantile(largest, level, method="higher")), float(critical_value(level, df)))
    table.loc[known, "conf_low"] = table["estimate"][known] - critical * std_error
    table.loc[known, "conf_high"] = table["estimate"][known] + critical * std_error
    return replace(
        estimates, table=table, facts={**estimates.facts, "level": level, "critical_value": critical, "seed": seed}
    )


def stack(results: Mapping[str, Estimates], *, independent: bool) -> Estimates:
    """Return several results as one, so that they can be contrasted and tested together.

    Parameters
    ----------
    results
        By name; the name becomes the key column ``result``. All on one scale.
    independent
        Whether the results come from samples that have nothing to do with each other. If not, rows with the same unit
        label are the same unit (sum to it first, :func:`sum_to`); a result in which a unit does not occur has
        influence zero there.

    Returns
    -------
    Estimates
        Declaration, method and counts are those of the first result. Where corrections for small samples differ, as
        those of a survey and an effect do, influences carry their own as a factor.

    Raises
    ------
    ValueError
        Scales differ, or results that share units have stages of selection.
    """
    parts = [_needed(result) for result in results.values()]
    scales = {result.scale.name for result in results.values()}
    if len(scales) > 1:
        raise ValueError(f"results on scales {sorted(scales)} cannot be stacked")
    if len({(part.correction, part.lonely) for part in parts}) > 1:
        parts = [part if part.stages and not independent else _corrected(part) for part in parts]
    joined = _side_by_side(parts) if independent else _on_shared_units(parts)
    tables = [result.table.assign(result=name) for name, result in results.items()]
    table = pd.concat(tables, ignore_index=True)
    table = table[["result", *(column for column in table.columns if column != "result")]]
    notes = tuple(note for result in results.values() for note in result.notes)
    return replace(next(iter(results.values())), table=table, influence=joined, draws=None, notes=notes)


def _corrected(part: Influence) -> Influence:
    """Return influences whose plain sum of squares is the covariance, so that no correction is left to be made.

    Independent units keep their labels; with stages of selection the rows are those of the variance.
    """
    rows = np.concatenate(roots(part))
    units = np.arange(len(rows)) if part.stages else part.units
    return replace(part, values=rows, units=units, stages=(), correction="none", lonely="fail")


def _side_by_side(parts: Sequence[Influence]) -> Influence:
    """Return influences of independent samples as blocks; a stage that a sample lacks was taken whole."""
    staged = [part.stages or (independent_units(len(part.values)),) for part in parts]
    depth = max(len(stages) for stages in staged)
    rows = np.cumsum([0, *(len(part.values) for part in parts)])
    columns = np.cumsum([0, *(part.values.shape[1] for part in parts)])
    values = np.zeros((rows[-1], columns[-1]))
    for part, row, column in zip(parts, rows[:-1], columns[:-1], strict=True):
        values[row : row + len(part.values), column : column + part.values.shape[1]] = part.values
    units = np.concatenate([np.asarray(part.units, dtype=object) for part in parts])
    stages = tuple(_block_stage([_stage_or_whole(stages, level) for stages in staged]) for level in range(depth))
    df = sum(part.df for part in parts)
    return replace(parts[0], values=values, units=units, stages=stages, df=df)


def _stage_or_whole(stages: Sequence[Stage], level: int) -> Stage:
    if level < len(stages):
        return stages[level]
    clusters = np.arange(len(stages[0].clusters))
    return Stage(clusters=clusters, strata=clusters, fraction=np.ones(len(clusters)))


def _block_stage(stages: Sequence[Stage]) -> Stage:
    clusters: list[np.ndarray] = []
    strata: list[np.ndarray] = []
    fractions: list[np.ndarray] = []
    for stage in stages:
        clusters.append(stage.clusters + (clusters[-1].max() + 1 if clusters else 0))
        strata.append(stage.strata + (strata[-1].max() + 1 if strata else 0))
        fractions.append(np.zeros(len(stage.clusters)) if stage.fraction is None else stage.fraction)
    fraction = None if all(stage.fraction is None for stage in stages) else np.concatenate(fractions)
    return Stage(clusters=np.concatenate(clusters), strata=np.concatenate(strata), fraction=fraction)


def _on_shared_units(parts: Sequence[Influence]) -> Influence:
    """Return influences on the union of their units, zero where a unit does not occur."""
    if any(part.stages or pd.Index(part.units).has_duplicates for part in parts):
        raise ValueError("results that share units must be summed to independent units first (sum_to)")
    units = pd.Index(sorted(set().union(*(part.units for part in parts))))
    values = np.zeros((len(units), sum(part.values.shape[1] for part in parts)))
    column = 0
    for part in parts:
        values[units.get_indexer(pd.Index(part.units)), column : column + part.values.shape[1]] = part.values
        column += part.values.shape[1]
    return replace(parts[0], values=values, units=units.to_numpy(), df=min(part.df for part in parts))
