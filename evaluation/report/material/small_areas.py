"""The share feeling unsafe in each area: its own answers where they suffice, and a modelled value beside them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.disclosure import About, Published, publish
from evaluation.errors import EvaluationError
from evaluation.report.material.sources import source_of
from evaluation.report.material.waves import asked_in, share_of
from evaluation.sample import Sample
from evaluation.survey.small_area import FayHerriot

if TYPE_CHECKING:
    from evaluation.project.schema import Item
    from evaluation.report.context import Context

EARLIER = "earlier"
"""Covariate of an area: its share in the earlier waves, other people's answers to the same question."""


@dataclass(frozen=True, kw_only=True)
class SmallAreas:
    """One question by area in one wave.

    Parameters
    ----------
    item, wave
        What is shown.
    answers
        Key ``area``: number of answers; small ones are hidden.
    direct
        Key ``area``: share of the area's own answers, as far as they may be printed.
    modelled
        Key ``area``: share that borrows strength from all areas, with its interval.
    own
        Key ``what``: part of a modelled value that comes from the area's own answers, on average (``own``).
    city
        Share of the whole city.
    earlier
        Whether the answers of earlier waves help to tell the areas apart.
    """

    item: str
    wave: str
    answers: Published
    direct: Published
    modelled: Published
    own: Published
    city: Published
    earlier: bool

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        return self.answers, self.direct, self.modelled, self.own, self.city


def small_areas(context: "Context", sample: Sample, item: "Item", wave: str, part: str) -> SmallAreas | None:
    """Return a question by area in a wave; None where areas or answers are too few for a model.

    Covariates are never registered cases: what is modelled with them must not be compared with them.
    """
    waves = asked_in(sample, item)
    if "area" not in sample.frame or wave not in waves or not context.project.has("areas"):
        return None
    now = sample.where(sample.frame["wave"].eq(wave))
    try:
        direct = share_of(context, item, wave=wave, by="area").estimate(now)
        frame = context.project.table("areas")[["area"]].assign(**{EARLIER: np.nan})
        frame[EARLIER] = frame["area"].map(_earlier(context, sample, item, waves[: waves.index(wave)]))
        known = bool(frame[EARLIER].notna().all()) and frame[EARLIER].std() > 0
        modelled = FayHerriot("area", covariates=(EARLIER,) if known else ()).estimate(direct, frame)
        city = share_of(context, item, wave=wave).estimate(now)
    except EvaluationError:
        return None
    source = source_of(context, "respondents")

    def about(name: str, unit: str = "share") -> About:
        return About(id=f"survey.small_area{part}.{name}", unit=unit, source=source, outcome=item.id)

    table = modelled.table
    own = pd.DataFrame([{"what": "own", "value": float(modelled.facts["mean_weight"])}])
    counts = pd.DataFrame({"area": table["area"], "value": table["n"].astype(float)})
    return SmallAreas(
        item=item.id,
        wave=wave,
        answers=publish(counts, context.rules, about=about("answers", "people"), keys=("area",), basis="cases"),
        direct=publish(
            direct.display().rename(columns={"estimate": "value"}).drop(columns="p_value").assign(note=""),
            context.rules,
            about=about("direct"),
            keys=("area",),
            basis="answers",
            cases="n",
        ),
        modelled=publish(
            table.rename(columns={"estimate": "value"})[["area", "value", "conf_low", "conf_high", "note", "n"]],
            context.rules,
            about=about("modelled"),
            keys=("area",),
            basis="cases",
            cases="n",
        ),
        own=publish(own, context.rules, about=about("own"), keys=("what",), basis="services"),
        city=publish(city, context.rules, about=about("city"), keys=(), basis="answers"),
        earlier=known,
    )


def _earlier(context: "Context", sample: Sample, item: "Item", waves: tuple[str, ...]) -> pd.Series:
    """Return the mean share of each area in earlier waves; empty where there are none."""
    parts = []
    for wave in waves:
        share = share_of(context, item, wave=wave, by="area")
        table = share.estimate(sample.where(sample.frame["wave"].eq(wave))).table
        parts.append(table.set_index("area")["estimate"])
    return pd.concat(parts, axis=1).mean(axis=1, skipna=False) if parts else pd.Series(dtype=float)
