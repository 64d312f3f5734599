"""Estimates for small areas that borrow strength from all areas: the model of Fay and Herriot.

The direct estimate of an area with few answers is drawn towards what the area's covariates (or, without any, the
mean of all areas) let expect, the more the fewer answers there are. What is left out: models of single respondents,
and neighbourhood.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from evaluation.errors import DesignError, EstimationError, Problem, nearest
from evaluation.estimates import Counts, Estimates, Note, Scale
from evaluation.influence import two_sided_p
from evaluation.sample import some
from evaluation.survey.small_area_model import AreaFit, fit_areas
from evaluation.survey_design import as_columns

ROUNDS = 50  # of sampling variances and model in turn; five or six are enough
SETTLED = 1e-12
NARROWEST = 4.0  # an expected share is kept above a quarter of the mean share, and as far below 1
COLLINEAR = 1e-8


@dataclass(frozen=True)
class FayHerriot:
    r"""Empirical best linear predictions of areas from direct estimates and covariates of the areas.

    Parameters
    ----------
    area
        Key column of the areas, in the direct estimates and in the covariates.
    covariates
        Numeric columns of the areas that explain part of the differences. None: all areas are drawn towards their
        common mean.
    level
        Of the intervals.

    Notes
    -----
    Model: :math:`y_i = \theta_i + e_i`, :math:`\theta_i = x_i'\beta + v_i`, with sampling variance :math:`\psi_i` and
    variance A between areas.

    *Sampling variances* of single areas are too noisy to be taken as known (with 45 answers they are off by a fifth,
    and small by chance where the share is far out). They are smoothed by :math:`\psi_i = k\,g(\mu_i)/n_i` with n
    answers, :math:`\mu_i` the model's expectation, :math:`g(\mu) = \mu(1-\mu)` for shares and 1 for means, and one
    k for all areas that keeps their total, :math:`k = \sum d_i n_i \hat V_i / \sum d_i g(\mu_i)`, weighted by degrees
    of freedom d. For shares k is the design effect that all areas have in common.

    *Variance between areas*: an adjusted residual likelihood, which is never largest at 0; see
    :func:`evaluation.survey.small_area_model.fit_areas`.

    *Prediction*: :math:`\hat\theta_i = \gamma_i y_i + (1 - \gamma_i) x_i'\hat\beta`, :math:`\gamma_i = A/(A+\psi_i)`,
    which is column ``weight``. An area without answers gets :math:`x_i'\hat\beta`, and a note.

    *Error*: mean squared error of Prasad and Rao, less what the adjustment of the likelihood draws it up by (Li and
    Lahiri 2010), of which ``std_error`` is the root; for areas without answers
    :math:`A + x_i' V(\hat\beta) x_i`. Intervals are normal, and for shares end at 0 and 1.

    Predictions are right on average over areas that are alike, not for each: the most and least safe area are drawn
    inwards. They must not be compared with the covariates they were made from.

    References
    ----------
    Fay and Herriot (1979), Estimates of income for small places; Prasad and Rao (1990), The estimation of the mean
    squared error of small-area estimators; Rao and Molina (2015), Small area estimation, chapter 6; Li and Lahiri
    (2010), An adjusted maximum likelihood method for solving small area estimation problems.

    Examples
    --------
    >>> from evaluation import Mean, Sample, SurveyDesign
    >>> frame = pd.DataFrame({"stratum": list("abcdef") * 4, "weight": 1.0, "worry": range(24)})
    >>> direct = Mean("worry", by="stratum").estimate(Sample(frame, SurveyDesign()))
    >>> result = FayHerriot("stratum").estimate(direct)
    >>> result.table["direct"].tolist()
    [9.0, 10.0, 11.0, 12.0, 13.0, 14.0]
    >>> bool(result.facts["model_variance"] > 0)
    True
    """

    area: str = "area"
    _: KW_ONLY
    covariates: str | tuple[str, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        names = [self.area, *as_columns(self.covariates)]
        twice = sorted({name for name in names if names.count(name) > 1})
        problems = [Problem("survey_tests.same_column", column=name) for name in twice]
        if not 0 < self.level < 1:
            problems.append(Problem("survey.level_option", value=self.level))
        if problems:
            raise DesignError(*problems)

    def estimate(self, direct: Estimates, areas: pd.DataFrame | None = None) -> Estimates:
        """Return one row for each area of `direct` or `areas`.

        Parameters
        ----------
        direct
            Mean or share of one variable by area (``Share("park", (3, 4), by="area").estimate(sample)``).
        areas
            One row for each area with the key column and the covariates, for example inhabitants or a rate of offences
            from the project's tables. Areas that nobody answered for are taken from here.

        Returns
        -------
        Estimates
            Columns besides the usual ones: ``n`` answers of the area itself, ``direct`` estimate and its ``weight``,
            and ``n_effective``, the answers that a direct estimate as exact as this one would need. Facts:
            ``model_variance`` and its root ``model_sd``, ``sampling_factor`` (k), ``coefficients`` (for one standard
            deviation of a covariate more). There are no influences, because the error is not one of sampling alone.

        Raises
        ------
        DesignError
            An area occurs twice, a covariate is missing, not numeric or missing for an area.
        EstimationError
            Too few areas, covariates that follow from each other, or no area shows any variance.
        """
        table = _table(direct, areas, self)
        columns = self._columns(table)
        known = table["direct"].notna().to_numpy()
        self._check_size(int(known.sum()), columns[known])
        share = direct.scale.unit == "share"
        fit, factor, sampling = _fitted(table[known], columns[known], share)
        estimate, error = fit.synthetic(columns)
        weight = np.zeros(len(table))
        estimate[known], weight[known], error[known] = fit.predict(
            table["direct"].to_numpy(dtype=float)[known], columns[known], sampling
        )
        table = table.assign(weight=weight, n_effective=_worth(table, known, sampling, error))
        return self._result(direct, table, (estimate, np.sqrt(error)), fit, {"sampling_factor": factor})

    def _columns(self, table: pd.DataFrame) -> np.ndarray:
        """Return ``(a, q)`` constant and covariates, each centred and scaled so that sizes do not matter."""
        values = table[list(as_columns(self.covariates))].to_numpy(dtype=float)
        spread = values.std(axis=0)
        constant = [name for name, size in zip(as_columns(self.covariates), spread, strict=True) if not size > 0]
        if constant:
            raise EstimationError(*(Problem("survey_tests.covariate_constant", column=name) for name in constant))
        return np.column_stack([np.ones(len(table)), (values - values.mean(axis=0)) / spread])

    def _check_size(self, m: int, columns: np.ndarray) -> None:
        q = columns.shape[1]
        if m <= q + 2:
            raise EstimationError(Problem("survey_tests.few_areas", n=m, needed=q + 3))
        if np.linalg.svd(columns, compute_uv=False)[-1] < COLLINEAR * np.sqrt(m):
            raise EstimationError(Problem("survey_tests.covariates_collinear", columns=as_columns(self.covariates)))

    def _result(
        self,
        direct: Estimates,
        table: pd.DataFrame,
        found: tuple[np.ndarray, np.ndarray],
        fit: AreaFit,
        facts: dict[str, Any],
    ) -> Estimates:
        share = direct.scale.unit == "share"
        columns = [self.area, "n", "direct", "weight", "n_effective"]
        own = table["direct"].notna()
        facts = {
            **facts,
            "model_variance": fit.variance,
            "model_sd": float(np.sqrt(fit.variance)),
            "coefficients": dict(
                zip(("constant", *as_columns(self.covariates)), fit.coefficients.tolist(), strict=True)
            ),
            "level": self.level,
            "areas": len(table),
            "mean_weight": float(table["weight"][own].mean()),
        }
        model = "survey_tests.note.areas_share" if share else "survey_tests.note.areas_mean"
        return Estimates(
            table=table[columns].assign(**_numbers(*found, level=self.level, share=share, without=~own)),
            scale=Scale("identity", direct.scale.unit),
            declaration=direct.declaration,
            method=self,
            counts=Counts(
                observations=direct.counts.observations,
                units=len(table),
                clusters=direct.counts.clusters,
                dropped=direct.counts.dropped,
            ),
            notes=(*direct.notes, Note(model, {name: facts[name] for name in ("model_sd", "mean_weight")})),
            facts=facts,
        )


def _numbers(
    estimate: np.ndarray, std_error: np.ndarray, *, level: float, share: bool, without: pd.Series
) -> dict[str, Any]:
    """Return the usual columns of a table and its notes; shares and their ranges are kept between 0 and 1."""
    margin = ndtri(0.5 + level / 2) * std_error
    ends = [estimate - margin, estimate + margin]
    note = without.map({True: "survey_tests.note.synthetic", False: ""})
    if share:
        note = note.mask((estimate < 0) | (estimate > 1), (note + " survey_tests.note.outside").str.strip())
        estimate, *ends = (np.clip(values, 0, 1) for values in (estimate, *ends))
    statistic = estimate / std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "df": np.inf,
        "statistic": statistic,
        "p_value": two_sided_p(statistic, np.inf),
        "conf_low": ends[0],
        "conf_high": ends[1],
        "note": note,
    }


def _worth(table: pd.DataFrame, known: np.ndarray, sampling: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return ``(a,)`` the answers of a direct estimate with this mean squared error."""
    n = table["n"].to_numpy(dtype=float)
    single = np.full(len(table), float((sampling * n[known]).mean()))  # variance of one answer
    single[known] = sampling * n[known]
    return np.asarray(single / error)


def _fitted(table: pd.DataFrame, columns: np.ndarray, share: bool) -> tuple[AreaFit, float, np.ndarray]:
    """Return the model, the factor k and the smoothed sampling variances, which depend on each other."""
    direct, n = table["direct"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float)
    weight = np.where(n > 1, np.maximum(table["df"].to_numpy(dtype=float), 0.0), 0.0)
    # Without spread among several answers the estimated variance is 0, which on average is right.
    variance = table["direct_error"].fillna(0.0).to_numpy(dtype=float) ** 2
    total = float((weight * n * variance).sum())
    if not total > 0:
        raise EstimationError(Problem("survey_tests.no_variance", n=len(table)))
    middle = float(np.average(direct, weights=n))
    expected = np.full(len(direct), middle)
    for _ in range(ROUNDS):
        size = expected * (1 - expected) if share else np.ones(len(direct))
        factor = total / float((weight * size).sum())
        sampling = factor * size / n
        fit = fit_areas(direct, columns, sampling)
        before = expected
        expected = np.clip(columns @ fit.coefficients, middle / NARROWEST, 1 - (1 - middle) / NARROWEST)
        if not share or np.abs(expected - before).max() < SETTLED:
            break
    return fit, factor, sampling


def _table(direct: Estimates, areas: pd.DataFrame | None, method: FayHerriot) -> pd.DataFrame:
    """Return one row for each area: key, n, direct, direct_error, df, covariates; sorted by the key."""
    area, given = method.area, direct.table
    problems = []
    if area not in given.columns or "n" not in given.columns:
        known = [name for name in given.columns if name in direct.keys]
        problems.append(Problem("survey_tests.no_area_column", column=area, known=some(known)))
    elif given[area].duplicated().any():
        twice = given.loc[given[area].duplicated(), area].unique()
        problems.append(Problem("survey_tests.area_twice", column=area, n=len(twice), areas=some(twice)))
    covariates = list(as_columns(method.covariates))
    if areas is None:
        problems += [Problem("survey_tests.no_areas", columns=covariates)] if covariates else []
    else:
        problems += _frame_problems(areas, given.get(area, areas.get(area)), area, covariates)
    if problems:
        raise DesignError(*problems)
    table = pd.DataFrame(
        {area: given[area].array, "n": given["n"].array, "direct": given["estimate"].array}
        | {"direct_error": given["std_error"].array, "df": given["df"].array}
    )
    if areas is not None:
        table = table.merge(areas[[area, *covariates]], on=area, how="outer")
    table = table.sort_values(area, ignore_index=True).assign(n=table["n"].fillna(0).astype(int))
    table["direct"] = table["direct"].mask(table["n"] == 0)
    missing = [
        Problem("survey_tests.covariate_missing", column=name, n=int(empty.sum()), areas=some(table[area][empty]))
        for name in covariates
        if (empty := ~np.isfinite(table[name].to_numpy(dtype=float, na_value=np.nan))).any()
    ]
    if missing:
        raise DesignError(*missing)
    return table


def _frame_problems(areas: pd.DataFrame, keys: pd.Series, area: str, covariates: list[str]) -> list[Problem]:
    """Return what is wrong with the frame of the areas."""
    known = [str(name) for name in areas.columns]
    problems = [
        Problem("survey_tests.areas_column", column=name, known=some(known), nearest=nearest(name, known) or "–")
        for name in [area, *covariates]
        if name not in areas.columns
    ]
    if area in areas.columns and areas[area].duplicated().any():
        twice = areas.loc[areas[area].duplicated(), area].unique()
        problems.append(Problem("survey_tests.area_twice", column=area, n=len(twice), areas=some(twice)))
    if area in areas.columns and pd.api.types.is_numeric_dtype(areas[area]) != pd.api.types.is_numeric_dtype(keys):
        problems.append(Problem("survey_tests.area_type", column=area, first=some(keys), second=some(areas[area])))
    problems += [
        Problem("survey_tests.covariate_text", column=name, examples=some(areas[name].dropna().unique()))
        for name in covariates
        if name in areas.columns and not pd.api.types.is_numeric_dtype(areas[name])
    ]
    return problems
