"""How much of an effect on registered cases a change in reporting could explain, and what the survey says about it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.data.periods import start_date
from evaluation.did.reporting import explained_away, reporting_adjusted, reporting_change
from evaluation.disclosure import About, Published, publish
from evaluation.errors import EvaluationError
from evaluation.estimates import Estimates
from evaluation.report.material.sources import joined, source_of
from evaluation.report.material.specifications import relative
from evaluation.study import Study
from evaluation.survey.estimation import Share

if TYPE_CHECKING:
    from evaluation.report.context import Context

REPORTED = "reported"
"""Item of the survey that asks victims whether they reported the offence."""


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What reporting has to do with an effect.

    Parameters
    ----------
    explains
        Key ``what``: relative change of the reporting rate, in the areas with the measure against the others, at which
        the effect ``vanishes``, and at which it is no longer established (``indistinct``).
    surveyed
        Key ``what``: how the rate changed by the survey (``rate``), and the ``effect`` less that; None where no survey
        asks.
    waves
        The two waves that are compared.
    """

    explains: Published
    surveyed: Published | None = None
    waves: tuple[str, str] = ("", "")

    @property
    def results(self) -> tuple[Published, ...]:
        """All published values."""
        return (self.explains,) if self.surveyed is None else (self.explains, self.surveyed)


def reporting(context: "Context", study: Study, estimates: Estimates, about: About, cases: int) -> Reporting | None:
    """Return what reporting could explain; None where the effect is no ratio of registered cases."""
    if context.project.outcomes[study.outcome].kind != "registered" or estimates.scale.name != "log":
        return None
    explains = {name.removesuffix("_if_reporting"): value for name, value in explained_away(estimates).items()}
    rows = [{"what": what, "value": value} for what, value in explains.items()]
    about = replace(about, id=f"{about.id}.reporting", unit="change")
    shown = publish(pd.DataFrame(rows), context.rules, about=about, keys=("what",), basis="cases", cases=cases)
    waves = _waves(context, study)
    if waves is None:
        return Reporting(explains=shown)
    return Reporting(explains=shown, surveyed=_surveyed(context, study, estimates, about, waves), waves=waves)


def _waves(context: "Context", study: Study) -> tuple[str, str] | None:
    """Return the last wave before the first start and the last one after all starts, of those that asked victims."""
    project = context.project
    item = project.items.get(REPORTED)
    if item is None or not project.has("respondents"):
        return None
    frame = project.sample().frame  # of one survey: others are never joined to it
    if item.column not in frame or "area" not in frame:
        return None
    asked = sorted(frame.loc[frame[item.column].notna(), "wave"].unique())
    days = {id_: pd.Timestamp(wave.date) for survey in project.surveys.values() for id_, wave in survey.waves.items()}
    starts = [pd.Timestamp(start_date(since)) for since in study.starts.values()]
    before = [wave for wave in asked if wave in days and days[wave] < min(starts)]
    after = [wave for wave in asked if wave in days and days[wave] >= max(starts)]
    return (before[-1], after[-1]) if before and after else None


def _surveyed(
    context: "Context", study: Study, estimates: Estimates, about: About, waves: tuple[str, str]
) -> Published | None:
    """Return the change of the rate by the survey and the effect less that; None where too few answers allow none."""
    project, whole = context.project, context.project.sample()
    item = project.items[REPORTED]
    both = whole.frame["wave"].isin(waves)
    treated = whole.frame["area"].isin(list(study.treated))
    sample = replace(whole, frame=whole.frame.assign(treated=treated)).where(both)  # weights stay as they were fitted
    try:
        shares = Share(item.column, tuple(item.unsafe), by=("treated", "wave"), scale=item.scale).estimate(sample)
        change = reporting_change(shares, group="treated", wave="wave", baseline=waves[0], later=waves[1])
        adjusted = reporting_adjusted(estimates, change)
    except EvaluationError:
        return None
    rows = {"rate": adjusted.row(term="reporting"), "effect": adjusted.row(term="effect")}
    frame = pd.DataFrame([{"what": what, **relative(row)} for what, row in rows.items()])
    if not np.isfinite(frame["value"]).all():
        return None
    source = joined([about.source, source_of(context, "respondents")])
    about = replace(about, id=f"{about.id}_survey", source=source)
    answers = int(shares.table["n"].min())
    return publish(frame, context.rules, about=about, keys=("what",), basis="answers", cases=answers)
