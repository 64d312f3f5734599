"""Panels and samples with a known effect, ready for an estimator: for tests, teaching, and power."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.data.periods import label, ordinal
from evaluation.panel import Panel
from evaluation.sample import Sample
from evaluation.simulate.counts import simulate_counts
from evaluation.study import Study
from evaluation.survey_design import SurveyDesign

FIRST = {"month": "2019-01", "year": "2009"}
YEARLY = MappingProxyType({"mean": 300.0, "dispersion": 5.0, "season": 0.0})


def simulate_panel(
    seed: int,
    *,
    shape: tuple[int, int] = (63, 36),
    treated: int | Sequence[str] = 3,
    start: int | None = None,
    log_effect: float = -0.2,
    frequency: Literal["month", "year"] = "month",
    process: Mapping[str, Any] = MappingProxyType({}),
) -> Panel:
    """Simulate counts of areas on a grid, some of them with a measure of known effect.

    Parameters
    ----------
    seed
        Seed of all draws.
    shape
        Number of areas and of periods; the areas are ``01``, ``02``, ... in rows of nine.
    treated
        The areas with the measure, or how many: then those with the most cases in the last twelve months (the last
        year) before it, as measures are placed.
    start
        Position of the first period with the measure; two thirds of the way, if None.
    log_effect
        Log of cases with the measure over cases without it.
    frequency
        Length of a period.
    process
        Options of :func:`simulate_counts`.

    Returns
    -------
    Panel
        With neighbours, corners included, positions of areas one kilometre wide, and the study ``simulated``.

    Examples
    --------
    >>> panel = simulate_panel(1, shape=(18, 24), treated=["04", "05"], log_effect=-0.3)
    >>> panel.outcome.shape, panel.study.treated, panel.periods[panel.starts.max()]
    ((18, 24), ('04', '05'), '2020-05')
    """
    rng = np.random.default_rng(seed)
    units, periods = shape
    options = {**(YEARLY if frequency == "year" else {}), **process}
    counts = simulate_counts(rng, units, periods, **options)
    first = 2 * periods // 3 if start is None else start
    names = [f"{number:02d}" for number in range(1, units + 1)]
    if isinstance(treated, int):
        season = 12 if frequency == "month" else 1
        before = counts[:, max(0, first - season) : first].sum(axis=1)
        treated = [names[position] for position in np.argsort(-before, kind="stable")[:treated]]
    rows = np.flatnonzero(np.isin(names, list(treated)))
    counts[rows, first:] = _changed(rng, counts[rows, first:], log_effect)
    labels = [label(ordinal(FIRST[frequency]) + step, frequency) for step in range(periods)]
    frame = pd.DataFrame(
        {"unit": np.repeat(names, periods), "period": np.tile(labels, units), "outcome": counts.ravel()}
    )
    since = dict.fromkeys(sorted(treated), labels[first])
    study = Study(id="simulated", outcome="simulated", event="simulated", period=frequency, treated_since=since)
    return Panel(frame, study, _grid(names), _centres(names))


def _changed(rng: np.random.Generator, counts: NDArray[np.int64], log_effect: float) -> NDArray[np.int64]:
    """Take out cases, or add some, so that the expected count changes by the effect."""
    if log_effect <= 0:
        kept: NDArray[np.int64] = rng.binomial(counts, np.exp(log_effect))
        return kept
    more: NDArray[np.int64] = counts + rng.poisson(counts * np.expm1(log_effect))
    return more


def _grid(names: Sequence[str], width: int = 9) -> dict[str, frozenset[str]]:
    """Return who touches whom, corners included, when the areas stand in rows of `width`."""
    row, column = np.divmod(np.arange(len(names)), width)
    near = (abs(row[:, None] - row) <= 1) & (abs(column[:, None] - column) <= 1)
    np.fill_diagonal(near, val=False)
    return {name: frozenset(np.asarray(names)[touching]) for name, touching in zip(names, near, strict=True)}


def _centres(names: Sequence[str], width: int = 9) -> dict[str, tuple[float, float]]:
    """Return the middle of every area in metres, when squares of a kilometre stand in rows of `width`."""
    places = (divmod(number, width) for number in range(len(names)))
    return {
        name: (1000.0 * column + 500, 1000.0 * row + 500) for name, (row, column) in zip(names, places, strict=True)
    }


def example_panel() -> Panel:
    """Return 63 areas over 14 years, three of them with a measure since 2018 that prevents every fifth case.

    Examples
    --------
    >>> set(example_panel().study.treated_since.values()), len(example_panel().study.treated)
    ({'2018'}, 3)
    """
    return simulate_panel(1, shape=(63, 14), start=9, log_effect=float(np.log(0.8)), frequency="year")


def simulate_sample(
    seed: int,
    *,
    waves: Sequence[str] = ("2021", "2024"),
    areas: int = 20,
    per_area: int = 40,
    log_odds: float = -0.5,
    steps: Sequence[float] = (1.1, -0.6, -2.2),
) -> Sample:
    """Simulate an ordinal survey item with a known effect in the first quarter of the areas in the last wave.

    logit P(answer > j) = steps_j + area + effect; every area is a stratum with its own weight, so that unweighted
    shares are wrong.

    Parameters
    ----------
    seed
        Seed of all draws.
    waves
        Labels of the waves.
    areas, per_area
        Number of areas, and of respondents in each and each wave.
    log_odds
        Effect on the log odds of a higher, less safe answer.
    steps
        Log odds of an answer above 1, 2, ... without effects.

    Returns
    -------
    Sample
        Columns ``wave, area, stratum, weight, treated, answer`` and ``unsafe`` (answer above the middle of the scale).

    Examples
    --------
    >>> sample = simulate_sample(1)
    >>> sample.size, sample.waves, sorted(sample.frame["answer"].unique().tolist())
    (1600, ('2021', '2024'), [1, 2, 3, 4])
    """
    rng = np.random.default_rng(seed)
    own, people = 0.3 * rng.standard_normal(areas), rng.uniform(2000, 20000, areas).round()
    wave, area = (axis.ravel() for axis in np.divmod(np.arange(len(waves) * areas), areas))
    wave, area = np.repeat(wave, per_area), np.repeat(area, per_area)
    treated = area < areas // 4
    eta = own[area] + log_odds * (treated & (wave == len(waves) - 1))
    above = rng.random(len(area))[:, None] < expit(eta[:, None] + np.asarray(steps))
    names = np.array([f"{number:02d}" for number in range(1, areas + 1)])
    answer = 1 + above.sum(axis=1)
    frame = pd.DataFrame(
        {
            "wave": np.asarray(waves)[wave],
            "area": names[area],
            "stratum": names[area],
            "weight": people[area] / per_area,
            "treated": treated,
            "answer": answer,
            "unsafe": (answer > (len(steps) + 1) / 2).astype(int),
        }
    )
    return Sample(frame, SurveyDesign(wave="wave", id="simulated"))
