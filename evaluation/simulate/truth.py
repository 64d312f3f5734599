"""What is true in the simulated city: every effect that a method must find, or must not.

Written as ``truth.toml`` beside the data. Numbers follow from the model; where an effect reaches only some cases of
an outcome, its log ratio follows from how many of the simulated cases it could reach.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from evaluation.simulate.city import model
from evaluation.simulate.incidents import Incidents, in_nights
from evaluation.simulate.leipzig import Leipzig
from evaluation.simulate.respondents import expected_shares, survey_model

#: Outcomes of the sample project, by the offence keys that belong to them.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "street_crime": ("217000", "222100", "674119", "674311", "674319", "*50*00", "***300"),
    "bodily_harm_public": ("222100",),
    "violence_public": ("217000", "222100"),
    "graffiti": ("674311",),
    "cellar_burglary": ("*40*00",),
}
#: Items of the sample project: name in the model, answers that count.
ITEMS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "unsafe_night_area": ("unsafe_night_area", (3, 4)),
    "unsafe_day_area": ("unsafe_day_area", (3, 4)),
    "unsafe_night_park": ("unsafe_night_park", (4, 5)),
    "unsafe_night_centre": ("unsafe_night_centre", (4, 5)),
    "unsafe_night_transport": ("unsafe_night_transport", (4, 5)),
    "avoidance": ("avoidance", (3, 4)),
    "distrust_police": ("distrust_police", (4, 5)),
    "distrust_city": ("distrust_city", (4, 5)),
    "victim_12m": ("not_victim", (1,)),
}
HEAD = """\
# Simulierte Daten: Was in der simulierten Stadt wahr ist. Jede Methode muss es finden, und sonst nichts.
# Simulated data: what is true in the simulated city. Every method must find it, and nothing else.
# Registered cases: log_ratio is the log of cases with the measure over cases without it, in its areas since the start.
# Answers: log_odds_ratio towards the answers that count, at equal age, gender, mode and area; shares of all adults.
# Written by `evaluation simulate`; do not edit.
"""


def truth_bytes(city: Leipzig) -> bytes:
    """Return ``truth.toml``: the truth about all simulated years, also where the tables are cut to some of them."""
    patrols, nights = model()["patrols"], model()["nights"]
    years = [model()["first_year"], model()["last_year"]]
    lines = [HEAD, *_section("simulation", {"seed": city.seed, "years": years})]
    for outcome, keys in OUTCOMES.items():
        reached = all(model()["categories"][key]["street"] for key in keys)
        lines += _effect("A2", outcome, patrols["log_effect"] if reached else 0.0, patrols["areas"])
    for last in ("2024-04", f"{model()['last_year']}-12"):
        diluted = _diluted(city, OUTCOMES["violence_public"], last)
        lines += _effect("A6", "violence_public", diluted, {nights["area"]: nights["since"]}, until=last)
    lines += _section("nights", {"log_ratio": nights["log_effect"], "hours": "22:00-04:00", "area": nights["area"]})
    lines += _section("displacement", {"log_ratio": 0.0, "rings": [1, 2]})
    lines += _avoided(city.incidents)
    lines += _section("recording_break", model()["recording_break"]) + _section("outlier", model()["outlier"])
    open_items = [name for name, (own, _) in ITEMS.items() if survey_model()["items"][own]["mode"]]
    mode = {
        "log_odds_ratio": survey_model()["mode"]["online"],
        "change": "online instead of paper",
        "items": open_items,
    }
    lines += _section("mode", mode)
    for item in ITEMS:
        lines += _answers(city, item)
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8")


def _table(values: Mapping[str, object]) -> str:
    return "{ " + ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()) + " }"


def _section(name: str, values: Mapping[str, object]) -> list[str]:
    return [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]


def _effect(
    measure: str, outcome: str, log_ratio: float, areas: Mapping[str, str], *, until: str | None = None
) -> list[str]:
    lines = ["[[effects]]", f'measure = "{measure}"', f'outcome = "{outcome}"', f"log_ratio = {log_ratio}"]
    lines += [f"rate_ratio = {np.exp(log_ratio):.4f}", f"areas = {_table(areas)}"]
    return [*lines, *([f'until = "{until}"'] if until else []), ""]


def _diluted(city: Leipzig, keys: Sequence[str], last: str) -> float:
    """Return the log ratio on all cases of the area when only those in nights with a patrol can be prevented."""
    nights, rows = model()["nights"], city.deployments
    done = rows.loc[rows["part"].eq("nachtschwaermer") & rows["carried_out"], "start"].dt.normalize()
    cases = pd.concat([city.incidents.registered, city.incidents.avoided])
    cases = cases[cases["area"].eq(nights["area"]) & cases["category"].isin(keys)]
    cases = cases[cases["month"].between(nights["since"], last)]
    reached = float(in_nights(cases["occurred_from"], done).mean()) if len(cases) else 0.0
    return round(float(np.log1p(reached * np.expm1(nights["log_effect"]))), 4) + 0.0


def _avoided(cases: Incidents) -> list[str]:
    by_area = cases.avoided.groupby("area").size()
    lines = ["[avoided]              # cases that did not happen, over the whole time", f"all = {len(cases.avoided)}"]
    return [*lines, f"areas = {_table({str(area): int(n) for area, n in by_area.items()})}", ""]


def _answers(city: Leipzig, item: str) -> list[str]:
    """Return the truth about one item: odds, and expected shares by wave for patrolled areas, the others, and all."""
    own, codes = ITEMS[item]
    towards = 1 if max(codes) > 1 else -1
    odds = towards * survey_model()["items"][own]["patrols"]
    shares = expected_shares(city.streams["survey"], own, codes)
    without = expected_shares(city.streams["survey"], own, codes, patrols=False)
    patrolled = shares["area"].isin(list(model()["patrols"]["areas"]))
    last = shares["wave"].eq(max(shares["wave"]))
    effect = _mean(shares[patrolled & last]) - _mean(without[patrolled & last])
    values = {"item": item, "codes": list(codes), "measure": "A2", "log_odds_ratio": odds + 0.0}
    lines = _section("[answers]", {**values, "effect_on_share": round(effect, 4) + 0.0})[:-1]
    for name, rows in (("all", shares), ("patrolled", shares[patrolled]), ("elsewhere", shares[~patrolled])):
        waves = {str(wave): round(_mean(group), 4) for wave, group in rows.groupby("wave")}
        lines.append(f"{name} = {_table(waves)}")
    return [*lines, ""]


def _mean(rows: pd.DataFrame) -> float:
    return float(np.average(rows["share"], weights=rows["adults"]))
