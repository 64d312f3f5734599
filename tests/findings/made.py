"""Results and declarations made by hand, so that each test says what it changes."""

import numpy as np
import pandas as pd

from evaluation.agreement.register import template_agreement
from evaluation.estimates import Counts, Draws, Estimates, Influence, Scale
from evaluation.study import Study

PATROLS = Study(
    id="patrols",
    measure="A2",
    outcome="street_crime",
    treated_since={"20": "2023-01", "21": "2023-01", "40": "2023-05", "41": "2023-05", "90": "2023-09"},
    leave_out="neighbours",
)
ZONE = Study(
    id="zone",
    event="weapons_ban_zone",
    outcome="bodily_harm",
    period="year",
    treated_since={"20": "2018-11", "21": "2018-11"},
    partial_period="before",
)
FACTS = {"smallest_p": 0.0005, "detectable": 0.18, "exaggeration": 1.05, "history_dates": 13}


def measure(**values):
    from dataclasses import replace

    return replace(template_agreement().measures["A2"], **{"existed_before": False, **values})


def estimates(*, change=-0.123, p_value=0.01, study=PATROLS, asymptotic=False, units=60, **facts):
    """A result on the log scale whose effect is the relative `change`."""
    effect = np.log1p(change)
    row = {
        "term": "effect",
        "estimate": effect,
        "std_error": np.nan,
        "df": np.inf,
        "statistic": np.nan,
        "p_value": p_value,
        "conf_low": effect - 0.1,
        "conf_high": effect + 0.1,
        "note": "no_std_error",
    }
    treated = len(study.treated)
    draws = None if asymptotic else Draws(values=np.zeros((9, 1)), key=("drawn",))
    influence = Influence(values=np.zeros((units, 1)), units=np.arange(units)) if asymptotic else None
    return Estimates(
        table=pd.DataFrame([row]),
        scale=Scale("log", "ratio"),
        declaration=study,
        method=None,
        counts=Counts(observations=10 * units, units=units, treated=treated),
        draws=draws,
        influence=influence,
        facts={**FACTS, **facts},
    )
