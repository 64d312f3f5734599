"""Do questions mean the same to everybody: items against the rest of their scale, and people who were asked before.

Each returns estimates with intervals; none says "comparable". What is left out: people who did not answer
(:mod:`evaluation.survey.response`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.errors import DesignError, EstimationError, Problem
from evaluation.estimates import Estimates, Note, Scale
from evaluation.influence import contrast, estimates_from_influence, joint_test
from evaluation.sample import Sample, check_columns
from evaluation.survey.estimation import Mean, Share
from evaluation.survey.model_data import answers_of
from evaluation.survey.model_terms import Category, Interaction
from evaluation.survey.ordinal import Ordinal
from evaluation.survey.waves import wave_column
from evaluation.survey_design import as_columns

REST = "rest score"
REPEAT = "asked before"
KINDS = ("uniform", "non_uniform")
FEWEST_ITEMS = 3
LEAST_RELIABLE = 0.3  # items that hardly go together: no further to the mean of the group, which is chance, too


@dataclass(frozen=True)
class ItemFunctioning:
    r"""How differently people who feel alike otherwise answer a question in another wave, mode or wording.

    Parameters
    ----------
    items
        Columns of one scale, at least three, all pointing the same way.
    group
        What may make the difference: ``Category("mode", "paper")``.
    scale
        Number of points, one for all or by item.
    no_answer
        Codes that mean no answer.
    level
        Of the intervals.

    Notes
    -----
    For each item, the mean of the other items, each on 0 to 1, is the rest score: how unsafe somebody feels by
    everything else. It is drawn towards the mean of the group, :math:`r = \bar x_g + \alpha (x - \bar x_g)` with
    Cronbach's alpha of the other items within groups (at least 0.3), and then standardised: few items measure a
    feeling with error, and at the same score people of a group that feels less safe do feel less safe, which would
    look like a difference of every item. Ordinal logit models with design-based variance,

    .. math:: \text{logit} P(Y > j) = \alpha_j + \beta r + \gamma g \quad\text{and}\quad \ldots + \delta\, r g

    ``uniform``, :math:`\gamma` of the first model: at the same rest score, one group answers higher throughout.
    ``non_uniform``, :math:`\delta` of the second: the item follows the feeling more or less closely. Both are log odds,
    displayed as odds ratios; up to 0.43 in log odds is usually called negligible, from 0.64 on large. Only people who
    answered all items. A difference that concerns all items alike cannot be seen in this way.
    ``facts["joint_p"]`` has for each item the test that both are zero in all groups.

    References
    ----------
    Kelley (1947), Fundamentals of statistics, chapter 10; Zumbo (1999), A handbook on the theory and methods of
    differential item functioning; Zwick (2012), A review of ETS differential item functioning assessment procedures.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> rng = np.random.default_rng(1)
    >>> answers = np.clip(rng.integers(1, 3, (300, 1)) + rng.integers(0, 3, (300, 4)), 1, 4)
    >>> frame = pd.DataFrame(answers, columns=list("abcd")).assign(stratum="s", weight=1.0)
    >>> frame["mode"] = np.where(np.arange(300) < 150, "paper", "online")
    >>> method = ItemFunctioning(tuple("abcd"), Category("mode", "paper"), scale=4)
    >>> method.estimate(Sample(frame, SurveyDesign())).table["kind"].head(2).tolist()
    ['uniform', 'non_uniform']
    """

    items: tuple[str, ...]
    group: Category
    _: KW_ONLY
    scale: int | Mapping[str, int]
    no_answer: tuple[Any, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [] if 0 < self.level < 1 else [Problem("survey.level_option", value=self.level)]
        if len(set(self.items)) < FEWEST_ITEMS:
            problems.append(Problem("survey_change.few_items", n=len(set(self.items)), fewest=FEWEST_ITEMS))
        if self.group.column in self.items:
            problems.append(Problem("survey_models.outcome_as_term", column=self.group.column))
        lacking = [item for item in self.items if not isinstance(self.scale, int) and item not in self.scale]
        problems += [Problem("survey_change.item_without_scale", column=item) for item in lacking]
        if problems:
            raise DesignError(*problems)

    def points(self, item: str) -> int:
        """Return the number of points of an item."""
        return self.scale if isinstance(self.scale, int) else self.scale[item]

    def estimate(self, sample: Sample) -> Estimates:
        """Return rows ``uniform`` and ``non_uniform`` for each item and group but the reference; log odds.

        Raises
        ------
        DesignError
            A column does not exist, an answer is not on its scale, the reference does not occur.
        EstimationError
            Nobody answered all items, or a model has no finite estimates.
        """
        scores, complete = self._scores(sample)
        part = sample.where(complete)
        results = [result for item in self.items for result in self._models(part, scores, item)]
        table = pd.concat([one.table for one in results], ignore_index=True)
        joined = np.concatenate([one.influence.values for one in results if one.influence is not None], axis=1)
        first = results[0]
        if first.influence is None:  # models have influences
            raise TypeError("the model of an item has no influences")
        left_out = sample.size - part.size
        result = estimates_from_influence(
            table[["item", "kind", "group", "n"]],
            table["estimate"].to_numpy(dtype=float),
            replace(first.influence, values=joined),
            scale=Scale("log", "odds ratio"),
            declaration=sample.design,
            method=self,
            counts=replace(first.counts, dropped={"missing_answers": left_out} if left_out else {}),
            level=self.level,
            df=table["df"].to_numpy(dtype=float),
            notes=(
                Note("survey_change.note.functioning", {"n": len(self.items), "group": self.group.column}),
                *([Note("survey_change.note.incomplete_items", {"n": left_out})] if left_out else []),
                *first.notes,
            ),
        )
        return replace(result, facts={**result.facts, "joint_p": self._joint(result)})

    def _scores(self, sample: Sample) -> tuple[pd.DataFrame, np.ndarray]:
        """Return all items on 0 to 1, and who answered all of them ``(n,)``.

        Raises
        ------
        EstimationError
            Nobody did, or an item does not vary.
        """
        check_columns(sample.frame, (*self.items, self.group.column))
        scores, complete = {}, sample.frame[self.group.column].notna().to_numpy()
        for item in self.items:
            allowed = tuple(range(1, self.points(item) + 1))
            series, silent = answers_of(sample, item, allowed=allowed, no_answer=self.no_answer)
            complete = complete & ~silent & (sample.weights > 0)
            scores[item] = (series.where(~silent).astype(float) - 1) / (len(allowed) - 1)
        if not complete.any():
            raise EstimationError(Problem("survey_models.no_complete", columns=self.items, n=sample.size))
        return pd.DataFrame(scores), complete

    def _models(self, part: Sample, scores: pd.DataFrame, item: str) -> list[Estimates]:
        """Return the uniform and the non-uniform rows of one item."""
        inside = part.weights > 0
        rest = self._expected(scores.drop(columns=item), part)
        spread = float(rest[inside].std(ddof=0))
        if not spread > 0:
            raise EstimationError(Problem("survey_change.rest_constant", column=item))
        with_rest = replace(part, frame=part.frame.assign(**{REST: (rest - rest[inside].mean()) / spread}))
        terms = (REST, self.group)
        wider = (*terms, Interaction((REST, self.group)))
        found = []
        for kind, used in zip(KINDS, (terms, wider), strict=True):
            model = Ordinal(item, used, scale=self.points(item), no_answer=self.no_answer, level=self.level)
            result = model.estimate(with_rest)
            name = self.group.column if kind == "uniform" else f"{REST}:{self.group.column}"
            rows = np.flatnonzero(result.table["term"] == name)
            keys = pd.DataFrame({"item": item, "kind": kind, "group": result.table["category"].iloc[rows]})
            keys["n"] = result.table["n"].iloc[rows]
            found.append(contrast(result, np.eye(len(result.table))[rows], keys=keys.reset_index(drop=True)))
        return found

    def _expected(self, others: pd.DataFrame, part: Sample) -> pd.Series:
        """Return the feeling that the other items let expect: their mean, drawn towards that of the group."""
        inside = part.weights > 0
        weights, items = part.weights[inside], others[inside]
        groups = pd.factorize(part.frame.loc[inside, self.group.column])[0]
        sums = np.bincount(groups, weights)

        def around(values: pd.Series) -> np.ndarray:
            return np.asarray((np.bincount(groups, weights * values) / sums)[groups])

        within = np.column_stack([items[name] - around(items[name]) for name in items])
        single, whole = (weights @ within**2).sum(), weights @ within.sum(axis=1) ** 2
        k = items.shape[1]
        reliability = k / (k - 1) * (1 - single / whole) if whole > 0 else 1.0
        rest = items.mean(axis=1)
        middle = around(rest)
        return (middle + max(float(reliability), LEAST_RELIABLE) * (rest - middle)).reindex(others.index)

    def _joint(self, result: Estimates) -> dict[str, float]:
        found = {}
        for item in self.items:
            chosen = np.eye(len(result.table))[result.table["item"] == item]
            found[item] = joint_test(result, chosen).p_value
        return found


@dataclass(frozen=True)
class RepeatRespondents:
    """Answers of people who were asked before against those of new ones, in the same wave.

    Parameters
    ----------
    estimator
        :class:`Mean` or :class:`Share`, not divided.
    baseline, wave
        Values of the design's wave column.
    person
        Column with the label of a person in all waves.
    level
        Of the intervals.

    Notes
    -----
    In `wave`, somebody with a label that also occurs in `baseline` was asked before. People who take part again differ
    from those who don't, and being asked changes people: a difference shows one or the other. The change of a panel is
    a change of its people; where this difference is large, the change among new people is the one to trust.

    References
    ----------
    Das, Toepoel and van Soest (2011), Nonparametric tests of panel conditioning and attrition bias in panel surveys.

    Examples
    --------
    >>> from evaluation import SurveyDesign
    >>> frame = pd.DataFrame({"wave": ["21", "21", "24", "24", "24", "24"], "respondent_id": list("ababcd")})
    >>> frame = frame.assign(stratum="s", weight=1.0, x=[1, 2, 5, 7, 1, 3])
    >>> method = RepeatRespondents(Mean("x"), "21", "24")
    >>> method.estimate(Sample(frame, SurveyDesign(wave="wave"))).table["estimate"].round(6).tolist()
    [2.0, 6.0, 4.0]
    """

    estimator: Mean | Share
    baseline: Any
    wave: Any
    _: KW_ONLY
    person: str = "respondent_id"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [] if 0 < self.level < 1 else [Problem("survey.level_option", value=self.level)]
        if self.baseline == self.wave:
            problems.append(Problem("survey.same_wave", value=self.wave))
        if as_columns(self.estimator.by):
            problems.append(Problem("survey_change.divided", method=type(self.estimator).__name__))
        if problems:
            raise DesignError(*problems)

    def estimate(self, sample: Sample) -> Estimates:
        """Return rows ``new``, ``repeat`` and ``difference`` (repeat less new) for each variable and answer.

        Raises
        ------
        DesignError
            A wave or column does not exist.
        EstimationError
            Nobody, or everybody, of the wave was asked before.
        """
        column = wave_column(sample, (self.baseline, self.wave))
        check_columns(sample.frame, (self.person,))
        labels, waves = sample.frame[self.person], sample.frame[column]
        inside = sample.weights > 0
        known = set(labels[(waves == self.baseline).to_numpy() & inside].dropna())
        again = labels.isin(known)
        now = (waves == self.wave) & labels.notna()
        groups = np.unique(again[now.to_numpy() & inside])
        if len(groups) < 2:
            code = "all_repeat" if groups.size and groups[0] else "none_repeat"
            raise EstimationError(Problem(f"survey_change.{code}", column=self.person, value=self.wave))
        marked = replace(sample, frame=sample.frame.assign(**{REPEAT: np.where(again, "repeat", "new")}))
        apart = replace(self.estimator, by=REPEAT, level=self.level).estimate(marked.where(now))
        names = [name for name in ("variable", "answer") if name in apart.table]
        new, old = ((apart.table[REPEAT] == group).to_numpy() for group in ("new", "repeat"))
        rows = np.eye(len(apart.table))
        keys = apart.table.loc[new, names].reset_index(drop=True)
        parts = {"new": rows[new], "repeat": rows[old], "difference": rows[old] - rows[new]}
        table = pd.concat([keys.assign(term=term) for term in parts], ignore_index=True)
        n = [apart.table.loc[group, "n"].to_numpy() for group in (new, old)]
        table["n"] = np.concatenate([*n, np.minimum(*n)])
        weights = np.concatenate(list(parts.values()))
        result = contrast(apart, weights, keys=table, level=self.level)
        return replace(
            result, method=self, notes=(Note("survey_change.note.repeat", {"wave": self.wave}), *result.notes)
        )
