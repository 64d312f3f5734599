"""Both effects of one measure in one test: on registered cases and on the answers of the people who live there.

Panel and survey are joined on the area, the unit of the measure. What is left out: areas without a measure
(:mod:`evaluation.survey.agreement`).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace

import numpy as np
import pandas as pd

from evaluation.did.inference.asymptotic import ClusterRobust
from evaluation.did.inference.effects import effect_row, plain_row
from evaluation.did.inference.unit_effects import choose_windows, measure
from evaluation.did.two_by_two import TwoByTwo
from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import NUMBERS, Counts, Draws, Estimates, Note, Scale
from evaluation.influence import contrast, joint_test, stack
from evaluation.panel import Panel
from evaluation.randomization.inference import Randomization, UnitEffects
from evaluation.sample import Sample, some
from evaluation.survey.difference import SurveyDifference
from evaluation.survey.difference_inference import unit_effects

METHOD = "MeasuredAndFelt"
BOTH = ("measured", "felt")


@dataclass(frozen=True)
class MeasuredAndFelt:
    r"""Effect of one measure on registered cases and on the sense of safety, tested together.

    Parameters
    ----------
    felt
        Effect on the answers; its treated areas are those of the panel's study.
    measured
        Effect on the cases, as a ratio. With :class:`evaluation.Randomization` both effects are judged by the same
        assignments of the measure; with :class:`evaluation.ClusterRobust` by their influences, summed to the areas
        (other kinds of inference, and larger clusters, have none that the answers could share).
    level
        Of the intervals by influences.

    Notes
    -----
    Shared assignments: only areas with complete cases and with answers take part, and strata (or connected sets) are
    those of the registered level. Every assignment gives both statistics, :math:`s = (s_1, s_2)`; with their
    covariance :math:`\Sigma` over all assignments the joint statistic is :math:`s' \Sigma^{-1} s`, and its p-value is
    the share of assignments with one as large. By influences it is Wald's test on the covariance of both effects,
    which knows that the same areas make both; it needs some twenty treated areas and, unlike the assignments, takes off
    no return to the usual level of registered cases. ``facts["correlation"]`` is what both have in common by chance
    (the effects taken off): where it is far from zero, two significant effects are not two findings, and where it is
    near zero that does not say that one does not lead to the other. ``facts["both_p"]``, the larger of the two
    p-values, tests that at least one effect is zero.

    References
    ----------
    Pesarin and Salmaso (2010), Permutation tests for complex data; Berger (1982), Multiparameter hypothesis testing
    and acceptance sampling.

    Examples
    --------
    >>> from evaluation import Share
    >>> from evaluation.simulate import simulate_panel, simulate_sample
    >>> panel, survey = simulate_panel(1, shape=(63, 14), frequency="year"), simulate_sample(1, areas=63)
    >>> felt = SurveyDifference(Share("answer", (3, 4), scale=4), panel.study.treated, "2021", "2024")
    >>> MeasuredAndFelt(felt).estimate(panel, survey).table["result"].tolist()
    ['measured', 'felt', 'together']
    """

    felt: SurveyDifference
    _: KW_ONLY
    measured: TwoByTwo = field(default_factory=TwoByTwo)
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [] if 0 < self.level < 1 else [Problem("survey.level_option", value=self.level)]
        if self.measured.scale != "ratio":
            problems.append(Problem("survey_change.joint_scale", value=self.measured.scale))
        given = self.measured.inference
        if not isinstance(given, Randomization) and given != ClusterRobust(level=given.level):
            problems.append(Problem("survey_change.joint_inference", value=type(given).__name__))
        if problems:
            raise DesignError(*problems)

    def estimate(self, panel: Panel, sample: Sample) -> Estimates:
        """Return rows ``measured`` (log ratio), ``felt`` (on its own scale) and ``together`` (the joint test).

        Raises
        ------
        DesignError
            Panel and survey do not treat the same areas, or share none.
        EstimationError
            No treated or no other area has both cases and answers.
        """
        odd = sorted({*panel.study.treated} ^ {*self.felt.treated})
        if odd:
            raise DesignError(Problem("survey_change.joint_treated", study=panel.study.id, areas=some(odd)))
        if isinstance(self.measured.inference, Randomization):
            return self._shared(panel, sample, self.measured.inference)
        return self._by_influence(panel, sample)

    # --- by the same assignments ------------------------------------------------------------------------------------

    def _shared(self, panel: Panel, sample: Sample, inference: Randomization) -> Estimates:
        windows = choose_windows(panel, self.measured.before, self.measured.after, METHOD)
        cases = measure(panel, windows, METHOD)
        compared = self.felt.compare(sample)
        answers = unit_effects(compared.exchangeable, compared.treated)[0]
        areas = [str(area) for area in compared.exchangeable.areas]
        effects, pool = _aligned(cases.effects, answers, list(panel.units), areas)
        reference = inference.assign(effects[0], panel.contiguity)
        tested = [inference.test(one, reference) for one in effects]
        statistics = np.stack([inference.statistic(one, reference.cohort) for one in effects], axis=1)
        joint, _ = _quadratic(statistics)
        draws = len(reference.cohort)
        rows = [effect_row(one) for one in tested]
        units = ("log_ratio", self.felt.scale.unit)
        p_value = float((joint >= joint[0] * (1 - 1e-9)).mean())
        together = {**plain_row(np.nan, "survey_change.note.together"), "statistic": float(joint[0])}
        rows.append({**together, "p_value": p_value, "df": 2.0})
        table = pd.DataFrame([{"result": name, **row} for name, row in zip((*BOTH, "together"), rows, strict=True)])
        table.insert(1, "unit", [*units, ""])
        treated = int((effects[0].cohort >= 0).sum())
        facts = {
            "inference": "shared_assignments",
            "correlation": _quadratic(np.stack([one.noise[: draws - 1] for one in tested], axis=1))[1],
            "both_p": max(one.p_value for one in tested),
            "smallest_p": reference.smallest_p,
            "smallest": reference.smallest_p,
            "assignments": draws,
            "detectable": (float(1 - np.exp(-tested[0].detectable)), tested[1].detectable),
            "level": inference.level,
        }
        values = np.stack([one.reference[:draws] for one in tested], axis=1)
        notes = [Note("survey_change.note.shared", {"areas": int(pool.sum()), "assignments": draws})]
        if reference.smallest_p > 1 - inference.level + 1e-9:
            notes.append(Note("survey_change.note.joint_out_of_reach", {"smallest": reference.smallest_p}))
        return Estimates(
            table=table,
            scale=Scale("identity", ""),
            declaration=panel.study,
            method=self,
            counts=Counts(observations=int(compared.changes.answers.sum()), units=int(pool.sum()), treated=treated),
            draws=Draws(values=values, key=(panel.units, reference.key, ()), enumerated=reference.enumerated),
            notes=(*notes, *compared.cells.notes),
            facts=facts,
        )

    # --- by influences summed to the areas --------------------------------------------------------------------------

    def _by_influence(self, panel: Panel, sample: Sample) -> Estimates:
        felt = replace(self.felt, inference="area_waves", level=self.level).estimate(sample)
        measured = self.measured.estimate(panel)
        parts = {}
        for name, result in zip(BOTH, (measured, felt), strict=True):
            row = (result.table["term"] == "effect").to_numpy(dtype=float)[None]
            keys = pd.DataFrame({"unit": ["log_ratio" if name == "measured" else result.scale.unit]})
            one = contrast(result, row, keys=keys, level=self.level)
            parts[name] = replace(one, scale=Scale("identity", ""))
        both = stack(parts, independent=False)
        test = joint_test(both)
        if both.influence is None:  # stacked results have influences
            raise TypeError("stacked effects have no influences")
        shared = both.influence.values
        correlation = float(shared[:, 0] @ shared[:, 1] / np.sqrt((shared**2).sum(axis=0).prod()))
        together = {**dict.fromkeys(NUMBERS, np.nan), "result": "together", "unit": "", "df": test.df_denominator}
        together |= {"statistic": test.statistic, "p_value": test.p_value, "note": "survey_change.note.together"}
        influence = replace(both.influence, values=np.pad(shared, ((0, 0), (0, 1))))
        return replace(
            both,
            table=pd.concat([both.table, pd.DataFrame([together])], ignore_index=True)[both.table.columns],
            influence=influence,
            method=self,
            facts={
                "inference": "influence",
                "correlation": correlation,
                "both_p": float(both.table["p_value"].max()),
                "detectable": (measured.facts.get("detectable", np.nan), felt.facts["detectable"]),
                "level": self.level,
            },
        )


def _aligned(
    cases: UnitEffects, answers: UnitEffects, units: list[str], areas: list[str]
) -> tuple[tuple[UnitEffects, UnitEffects], np.ndarray]:
    """Return both changes on the units of the panel, for the areas that have cases and answers, and which these are."""
    place = pd.Index(areas).get_indexer(pd.Index(units))
    pool = cases.pool & (place >= 0)
    treated = cases.treated(cases.cohort)
    never = cases.cohort < 0
    problems = [
        Problem(code, method=METHOD)
        for code, group in (("survey_change.no_treated_left", treated), ("survey_change.no_others_left", never))
        if not (group & pool).any()
    ]
    if problems:
        raise EstimationError(*problems)
    cohort = np.where(pool, cases.cohort, -1)  # a last cohort that serves others only is no area without the measure
    inside = place[pool]

    def spread(values: np.ndarray, outside: float) -> np.ndarray:
        """Put values ``(H, A)`` of areas in the places of units, the same for every cohort."""
        found = np.full((len(values), len(units)), outside)
        found[:, pool] = values[:, inside]
        return found

    rows = len(cases.residual)
    felt = replace(
        answers,
        cohort=cohort,
        pool=pool,
        residual=np.repeat(spread(answers.residual, 0.0), rows, axis=0),
        spread=np.repeat(spread(answers.spread, 1.0), rows, axis=0),
        share=np.repeat((cohort >= 0).astype(float)[None], rows, axis=0),
        level=spread(answers.level[None], 1.0)[0],
        past=spread(answers.past, np.nan),
        later=np.zeros_like(cases.later),
    )
    return (replace(cases, pool=pool, cohort=cohort), felt), pool


def _quadratic(statistics: np.ndarray) -> tuple[np.ndarray, float]:
    """Return ``s' Sigma^-1 s`` ``(B,)`` of the rows of `statistics` ``(B, 2)``, and the correlation of its columns.

    Sigma is the second moment around zero, what both statistics are without an effect.
    """
    moment = statistics.T @ statistics / max(len(statistics), 1)
    size = np.sqrt(np.diag(moment))
    correlation = float(moment[0, 1] / (size[0] * size[1])) if (size > 0).all() else 0.0
    scaled = statistics / np.where(size > 0, size, 1.0)
    shared = min(abs(correlation), 1 - 1e-9) * np.sign(correlation)
    joint = (scaled**2).sum(axis=1) - 2 * shared * scaled[:, 0] * scaled[:, 1]
    return joint / (1 - shared**2), correlation
