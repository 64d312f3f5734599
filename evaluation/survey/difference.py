"""Effect of a measure on survey answers: areas with it against the others, after it began against before.

What is left out: how sure (:mod:`evaluation.survey.difference_inference`) and which measure of the register
(:mod:`evaluation.survey.register`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.did.inference.effects import effect_row, plain_row
from evaluation.errors import DesignError, EstimationError, Problem, nearest
from evaluation.estimates import Counts, Draws, Estimates, Note, Scale
from evaluation.influence import contrast, estimates_from_influence
from evaluation.randomization.inference import FEW_UNITS, Randomization
from evaluation.sample import Sample, check_columns, some
from evaluation.survey.area_changes import AreaChanges, area_changes, return_slope
from evaluation.survey.cells import Cells, Measurable, cells_of
from evaluation.survey.difference_inference import area_model, as_influence, detectable, exchanged
from evaluation.survey.difference_notes import area_counts, area_facts, area_notes, shock_size, size_note
from evaluation.survey.domains import divide
from evaluation.survey.estimation import Mean, Share
from evaluation.survey.model_terms import Category, Interaction
from evaluation.survey.modes import mode_notes
from evaluation.survey.ordinal import Ordinal
from evaluation.survey.waves import range_notes, wave_column

FEW_TREATED = 10  # below it areas are exchanged; from it on the area-level model needs no exchange
FEWEST_AREAS = 6  # for an area-level model; below it only the sample speaks
GROUP = "areas with the measure"
INFERENCES = ("auto", "design", "area_waves")

Inference = Literal["auto", "design", "area_waves"]


@dataclass(frozen=True, eq=False)
class Compared:
    """What is compared: everybody outside of excluded areas, their cells and changes, and which areas are treated.

    `plain` are the changes as they are, `changes` less what the rise before the baseline lets expect.
    """

    part: Sample
    cells: Cells
    plain: AreaChanges
    changes: AreaChanges
    treated: np.ndarray

    @property
    def exchangeable(self) -> AreaChanges:
        """The changes that areas are exchanged by: a history takes off the return to the usual level itself."""
        return self.plain if self.plain.past is not None else self.changes


@dataclass(frozen=True)
class SurveyDifference:
    r"""Change of answers in areas with a measure less the change in the other areas.

    Parameters
    ----------
    estimator
        :class:`Share` of some codes, :class:`Mean`, or :class:`Ordinal` without terms (log odds of a less safe
        answer); one variable, not divided.
    treated
        Areas with the measure.
    baseline, wave
        Waves before and after its start. A tuple is averaged, and then nothing else is made of earlier waves.
    area
        Column of the areas.
    excluded
        Areas that are neither treated nor compared, such as those in which the measure began before the baseline.
    neighbours
        For each area those that touch it: treated areas that touch are then exchanged for areas that touch.
    inference
        ``design``: the sample alone, see Notes; ``area_waves``: areas also move by themselves between waves;
        :class:`evaluation.Randomization`: areas are exchanged. ``auto``: exchange where fewer than ten areas are
        treated, the area-level model from ten on, and the design where there are fewer than six areas.
    level
        Of the interval; a :class:`evaluation.Randomization` has its own.

    Notes
    -----
    ``design`` is :math:`(\bar y_{11} - \bar y_{10}) - (\bar y_{01} - \bar y_{00})` of all people with and without the
    measure, after and before, with the variance of the design: strata, sampling units, people asked twice. It takes
    the areas as they are and calls everything else that happened there an effect of the measure. The other two compare
    the changes of areas, :func:`evaluation.survey.difference_inference.area_model` and
    :func:`evaluation.survey.difference_inference.unit_effects`, weighted by what is known about each; with a constant
    effect all three estimate the same. Where there is an earlier wave, what a rise before the baseline lets expect is
    taken off (:func:`evaluation.survey.area_changes.return_slope`), so that areas which were chosen after a bad wave do
    not seem to improve by that. The row ``people`` is the estimate of ``design``, whatever the inference.
    ``facts["detectable"]``, on the scale of the estimate, is the size that is found with 80 % probability.

    References
    ----------
    Binder (1983), On the variances of asymptotically normal estimators from complex surveys; Donald and Lang (2007),
    Inference with difference-in-differences and other panel data; MacKinnon and Webb (2020), Randomization inference
    for difference-in-differences with few treated clusters.

    Examples
    --------
    >>> from evaluation.simulate import simulate_sample
    >>> sample = simulate_sample(1, areas=63)
    >>> treated = tuple(f"{number:02d}" for number in range(1, 16))
    >>> result = SurveyDifference(Share("answer", (3, 4), scale=4), treated, "2021", "2024").estimate(sample)
    >>> result.facts["inference"], result.table["term"].tolist()
    ('area_waves', ['effect', 'people'])
    """

    estimator: Measurable
    treated: tuple[str, ...]
    baseline: Any
    wave: Any
    _: KW_ONLY
    area: str = "area"
    excluded: tuple[str, ...] = ()
    neighbours: Mapping[str, frozenset[str]] | None = None
    inference: Inference | Randomization = "auto"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = self._estimator_problems()
        both = [area for area in self.treated if area in self.excluded]
        if both:
            problems.append(Problem("survey_change.treated_excluded", areas=some(both)))
        if not self.treated:
            problems.append(Problem("survey_change.no_treated"))
        same = [wave for wave in self.before if wave in self.after]
        problems += [Problem("survey.same_wave", value=wave) for wave in same]
        if not isinstance(self.inference, Randomization) and self.inference not in INFERENCES:
            allowed, given = ", ".join((*INFERENCES, "Randomization(...)")), self.inference
            method = "SurveyDifference"
            problems.append(
                Problem("core.option_value", method=method, option="inference", given=given, allowed=allowed)
            )
        if not 0 < self.level < 1:
            problems.append(Problem("survey.level_option", value=self.level))
        if problems:
            raise DesignError(*problems)

    def _estimator_problems(self) -> list[Problem]:
        given = self.estimator
        if isinstance(given, Ordinal):
            return [Problem("survey_change.terms")] if given.terms else []
        problems = [Problem("survey_change.divided", method=type(given).__name__)] if given.by else []
        if not isinstance(given.variable, str) or (isinstance(given, Share) and given.codes is None):
            problems.append(Problem("survey_change.one_number", method=type(given).__name__))
        return problems

    @property
    def before(self) -> tuple[Any, ...]:
        """Waves before the start."""
        return self.baseline if isinstance(self.baseline, tuple) else (self.baseline,)

    @property
    def after(self) -> tuple[Any, ...]:
        """Waves after the start."""
        return self.wave if isinstance(self.wave, tuple) else (self.wave,)

    @property
    def scale(self) -> Scale:
        """Of the estimates."""
        if isinstance(self.estimator, Ordinal):
            logit = self.estimator.link == "logit"
            return Scale("log", "odds ratio") if logit else Scale("identity", "latent scale")
        return Scale("identity", "percentage_points" if isinstance(self.estimator, Share) else "mean")

    def estimate(self, sample: Sample) -> Estimates:
        """Return the row ``effect`` and, unless it is the same, the row ``people``.

        Raises
        ------
        DesignError
            The design names no wave; a wave or a treated area does not occur; nobody is left to compare with.
        EstimationError
            Nobody answered, or everybody alike; no treated or no other area has answers in all waves.
        """
        compared = self.compare(sample)
        part, changes, treated = compared.part, compared.changes, compared.treated
        people = self._people(part)
        excluded = int(sample.frame.loc[sample.weights > 0, self.area].drop_duplicates().isin(self.excluded).sum())
        areas = area_notes(len(compared.cells.areas), excluded, changes)
        notes = (*compared.cells.notes, *areas, *self._breaks(part))
        counts = area_counts(compared.cells.counts, changes, treated)
        chosen, reason = self._choose(treated)
        if isinstance(chosen, Randomization):
            result = self._exchanged(sample, compared.exchangeable, treated, chosen)
        elif chosen == "area_waves":
            result = self._area_level(sample, changes, treated)
        else:
            result = self._sampled(people, changes, treated)
        facts = {**area_facts(changes, treated), **result.facts, "reason": reason.code}
        result = replace(result, counts=counts, facts=facts, notes=(*result.notes, reason, *notes))
        return self._with_people(result, people)

    def compare(self, sample: Sample) -> Compared:
        """Return the changes of the areas and who of them has the measure; errors as of :meth:`estimate`."""
        waves = self._waves(sample)
        part = self._compared(sample)
        cells = cells_of(self.estimator, part, self.area, waves)
        size = len(self.before), len(self.after)
        plain = area_changes(part, cells, size)
        treated = np.isin(plain.areas, list(self.treated))
        self._check_left(treated)
        changes = area_changes(part, cells, size, slope=return_slope(plain, treated))
        return Compared(part, cells, plain, changes, treated)

    def _breaks(self, part: Sample) -> tuple[Note, ...]:
        """Return remarks on what makes the waves differ besides what people feel: the mode, the length of a scale."""
        waves = self.before, self.after
        ranges = range_notes(part, str(self.estimator.variable), *waves) if isinstance(self.estimator, Mean) else ()
        return (*ranges, *mode_notes(part, *waves, compared=True))

    # --- who is compared ------------------------------------------------------------------------------------------

    def _waves(self, sample: Sample) -> list[Any]:
        """Return all waves that are used in order of time: earlier ones in which the question was asked, too."""
        column = wave_column(sample, (*self.before, *self.after))
        if isinstance(self.baseline, tuple):
            return [*self.before, *self.after]
        name = self.estimator.outcome if isinstance(self.estimator, Ordinal) else self.estimator.variable
        check_columns(sample.frame, (str(name), self.area))
        answered = set(sample.frame.loc[sample.frame[name].notna(), column].unique())
        earlier = [wave for wave in sample.waves if wave < min(self.before) and wave in answered]
        return [*earlier, *self.before, *self.after]

    def _compared(self, sample: Sample) -> Sample:
        """Return everybody outside of the excluded areas, with a column that says who has the measure."""
        areas = sample.frame[self.area]
        known = set(areas.dropna())
        absent = [area for area in self.treated if area not in known]
        if absent:
            column = self.area
            guesses = [nearest(area, sorted(map(str, known))) or "–" for area in absent]
            raise DesignError(
                *(
                    Problem("survey_change.unknown_area", column=column, value=area, nearest=guess)
                    for area, guess in zip(absent, guesses, strict=True)
                )
            )
        part = sample.where(~areas.isin(list(self.excluded)))
        inside = areas.isin(list(self.treated))
        group = pd.Series(np.where(inside, "with", "without"), index=areas.index).where(areas.notna())
        part = replace(part, frame=part.frame.assign(**{GROUP: group}))
        if not (part.weights[group.eq("without").to_numpy()] > 0).any():
            raise DesignError(Problem("survey_change.no_comparison"))
        return part

    @staticmethod
    def _check_left(treated: np.ndarray) -> None:
        method = "SurveyDifference"
        problems = [
            Problem(code, method=method)
            for code, group in (("survey_change.no_treated_left", treated), ("survey_change.no_others_left", ~treated))
            if not group.any()
        ]
        if problems:
            raise EstimationError(*problems)

    def _choose(self, treated: np.ndarray) -> tuple[Inference | Randomization, Note]:
        """Return the inference and why it is this one."""
        values = {"treated": int(treated.sum()), "comparison": int((~treated).sum()), "few": FEW_TREATED}
        if self.inference != "auto":
            return self.inference, Note("survey_change.note.chosen_by_user")
        if len(treated) < FEWEST_AREAS or (~treated).sum() < 2:
            return "design", Note("survey_change.note.chosen_design", values)
        if treated.sum() >= FEW_TREATED:
            return "area_waves", Note("survey_change.note.chosen_area_waves", values)
        return Randomization(level=self.level), Note("survey_change.note.chosen_exchange", values)

    # --- the three inferences -------------------------------------------------------------------------------------

    def _people(self, part: Sample) -> Estimates:
        """Return the difference of all people's answers, with the variance of the design, as one row ``effect``."""
        column = str(part.design.wave)
        both = part.where(part.frame[column].isin([*self.before, *self.after]))
        keys, level = pd.DataFrame({"term": ["effect"]}), self.level
        if isinstance(self.estimator, Ordinal):
            late = replace(both, frame=both.frame.assign(**{column: both.frame[column].isin(list(self.after))}))
            terms = (Category(GROUP, "without"), Category(column, False))
            model = replace(self.estimator, terms=(*terms, Interaction(terms)))
            result = model.estimate(late)
            row = int(np.flatnonzero(result.table["term"].str.contains(":", regex=False))[0])
            weights = np.zeros((1, len(result.table)))
            weights[0, row] = 1.0
            return contrast(result, weights, keys=keys, level=level)
        apart = replace(self.estimator, by=(GROUP, column)).estimate(both)
        sign = np.where(apart.table[GROUP] == "with", 1.0, -1.0)
        time = np.where(apart.table[column].isin(self.after), 1 / len(self.after), -1 / len(self.before))
        return contrast(
            apart,
            (sign * time)[None],
            keys=keys,
            df=float(divide(both).df[0]),
            level=level,
            scale=self.scale,
        )

    def _sampled(self, people: Estimates, changes: AreaChanges, treated: np.ndarray) -> Estimates:
        row = people.table.iloc[0]
        size = detectable(row["std_error"], row["df"], self.level)
        notes = (size_note(size, changes, treated, self.scale), Note("survey_change.note.sample_alone"))
        return replace(
            people,
            method=self,
            scale=self.scale,
            notes=notes,
            facts={"level": self.level, "inference": "design", "detectable": size},
        )

    def _area_level(self, sample: Sample, changes: AreaChanges, treated: np.ndarray) -> Estimates:
        model = area_model(changes, treated)
        size = detectable(model.std_error, model.df, self.level)
        shock = shock_size(model.tau2, changes.slope, (len(self.before), len(self.after)))
        return estimates_from_influence(
            pd.DataFrame({"term": ["effect"]}),
            np.array([model.estimate]),
            as_influence(model, changes.areas),
            scale=self.scale,
            declaration=sample.design,
            method=self,
            counts=Counts(observations=0, units=0),
            level=self.level,
            notes=(size_note(size, changes, treated, self.scale),),
            facts={"inference": "area_waves", "detectable": size, "shock": shock, "slope": changes.slope},
        )

    def _exchanged(
        self, sample: Sample, changes: AreaChanges, treated: np.ndarray, inference: Randomization
    ) -> Estimates:
        tested, reference, tau2, slope = exchanged(changes, treated, inference, self._contiguity(changes.areas))
        notes = [size_note(tested.detectable, changes, treated, self.scale)]
        values = {"assignments": len(reference.cohort), "strata": reference.strata}
        notes.append(Note(f"survey_change.note.exchanged_{reference.kind}", values))
        pairs = 0 if changes.past is None else len(changes.past.dates)
        notes.append(Note("survey_change.note.history" if pairs else "survey_change.note.no_history", {"pairs": pairs}))
        if len(treated) < FEW_UNITS:
            notes.append(Note("survey_change.note.few_areas", {"areas": len(treated)}))
        facts = {
            "inference": "exchange",
            "detectable": tested.detectable,
            "smallest_p": tested.smallest_p,
            "smallest": tested.smallest_p,
            "assignments": len(tested.reference),
            "enumerated": reference.enumerated,
            "reference_set": reference.kind,
            "shock": shock_size(tau2, slope, (len(self.before), len(self.after))),
            "slope": slope,
            "level": inference.level,
        }
        key = (tuple(str(area) for area in changes.areas), reference.key, ())
        return Estimates(
            table=pd.DataFrame([{"term": "effect", **effect_row(tested)}]),
            scale=self.scale,
            declaration=sample.design,
            method=self,
            counts=Counts(observations=0, units=0),
            draws=Draws(values=tested.reference[:, None], key=key, enumerated=reference.enumerated),
            notes=tuple(notes),
            facts=facts,
        )

    def _contiguity(self, areas: np.ndarray) -> np.ndarray | None:
        if self.neighbours is None:
            return None
        return np.array([[other in self.neighbours.get(area, ()) for other in areas] for area in areas])

    # --- what belongs beside it -----------------------------------------------------------------------------------

    def _with_people(self, result: Estimates, people: Estimates) -> Estimates:
        """Add the difference of all people's answers as a row without inference."""
        if result.facts["inference"] == "design":
            return result
        value = float(people.table.loc[0, "estimate"])
        row = pd.DataFrame([{"term": "people", **plain_row(value, "survey_change.note.people")}])
        influence = result.influence
        if influence is not None:  # one column for each row
            influence = replace(influence, values=np.pad(influence.values, ((0, 0), (0, 1))))
        return replace(result, table=pd.concat([result.table, row], ignore_index=True), influence=influence)
