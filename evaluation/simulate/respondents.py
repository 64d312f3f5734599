"""Simulated survey waves: who answers, with which weight and in which mode, and what.

Every item follows proportional odds exactly: log odds of an answer above step j = step_j + effects. Answers of one
person resemble each other through a normal copula, which leaves each item's odds as they are.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr

from evaluation.simulate.city import areas, log_levels, model
from evaluation.simulate.streams import Floats, Stream

KEYS = ["respondent_id", "wave", "area", "stratum", "weight", "mode", "age_group", "gender"]


@cache
def survey_model() -> Mapping[str, Any]:
    """Return the parameters of the simulated survey."""
    return tomllib.loads(files(__package__).joinpath("leipzig_survey.toml").read_text(encoding="utf-8"))


def respondents(stream: Stream) -> pd.DataFrame:
    """Return all respondents of all waves: the columns of the contract and one column for each item."""
    blocks = stream.spawn("areas", *survey_model()["waves"])
    area_effects = _area_effects(blocks["areas"])
    waves = [_wave(blocks[wave], wave, area_effects[wave]) for wave in survey_model()["waves"]]
    return pd.concat(waves, ignore_index=True)


def expected_shares(stream: Stream, item: str, codes: tuple[int, ...], *, patrols: bool = True) -> pd.DataFrame:
    """Return the expected share of adults who give one of the answers `codes`, by wave and area.

    Parameters
    ----------
    stream
        The stream that :func:`respondents` was or will be drawn from.
    item, codes
        Name of the item, and the answers that count.
    patrols
        Whether the joint patrols are there; without them, the rest is the same.

    Returns
    -------
    pandas.DataFrame
        ``wave, area, share, adults``; the mode in which people answer is that of the wave.
    """
    area_effects = _area_effects(stream.spawn("areas", *survey_model()["waves"])["areas"])
    tables = []
    for wave, effects in area_effects.items():
        people = _everybody(wave, effects)
        share = _chance(item, _log_odds(item, wave, effects, people, patrols=patrols), codes) * people["share"]
        table = share.groupby(people["position"]).sum().rename("share").reset_index()
        adults = [_adults(position, wave) for position in table["position"]]
        tables.append(table.assign(wave=wave, area=[area.key for area in areas()], adults=adults))
    return pd.concat(tables, ignore_index=True)[["wave", "area", "share", "adults"]]


def _everybody(wave: str, effects: Mapping[str, Floats]) -> pd.DataFrame:
    """Return every kind of person with its share of the area's adults."""
    mix = _age_shares(effects["tilt"])
    rows = [
        (position, age, gender, online, mix[position, code] * other["share"] * abs(rule["online"][wave] - (not online)))
        for position in range(len(areas()))
        for code, (age, rule) in enumerate(survey_model()["ages"].items())
        for gender, other in survey_model()["genders"].items()
        for online in (True, False)
    ]
    return pd.DataFrame(rows, columns=["position", "age", "gender", "online", "share"])


def _chance(item: str, eta: Floats, codes: tuple[int, ...]) -> Floats:
    """Return the probability of one of the answers `codes`, one number a person."""
    steps = np.array(survey_model()["items"][item]["steps"])
    above = expit(eta[:, None] + steps)
    bounds = np.hstack([np.ones((len(eta), 1)), above, np.zeros((len(eta), 1))])
    result: Floats = (bounds[:, :-1] - bounds[:, 1:])[:, [code - 1 for code in codes]].sum(axis=1)
    return result


def _adults(position: int, wave: str) -> float:
    adults: float = survey_model()["sample"]["adults"] * areas()[position].inhabitants[int(wave)]
    return adults


def _area_effects(stream: Stream) -> dict[str, dict[str, Floats]]:
    """Return by wave each area's own effect, and the tilt of its ages."""
    rule, city = survey_model()["areas"], areas()
    busy = log_levels() - np.log([area.inhabitants[model()["first_year"]] for area in city])
    busy = (busy - busy.mean()) / busy.std()
    own = rule["busy"] * busy + rule["spread"] * stream.normal(len(city))
    tilt = rule["age_tilt"] * stream.normal(len(city))
    moving = {wave: rule["wave_spread"] * stream.normal(len(city)) for wave in survey_model()["waves"]}
    return {wave: {"own": own + change, "tilt": tilt} for wave, change in moving.items()}


def _age_shares(tilt: Floats) -> Floats:
    """Return the age shares of areas, shape (areas, ages): a tilt makes an area older."""
    shares = np.array([rule["share"] for rule in survey_model()["ages"].values()])
    tilted = shares * np.exp(np.outer(tilt, np.linspace(-1, 1, len(shares))))
    result: Floats = tilted / tilted.sum(axis=1, keepdims=True)
    return result


def _wave(stream: Stream, wave: str, effects: Mapping[str, Floats]) -> pd.DataFrame:
    """Draw one wave: people first, then their answers."""
    blocks = stream.spawn("size", "people", "answers")
    people = _people(blocks["size"], blocks["people"], wave, effects)
    keys = np.array([area.key for area in areas()])[people["position"]]
    labels = {name: rule["label"] for name, rule in survey_model()["genders"].items()}
    frame = pd.DataFrame(
        {
            "respondent_id": [f"S{wave[2:]}-{number:04d}" for number in range(1, len(people) + 1)],
            "wave": wave,
            "area": keys,
            "stratum": keys,
            "weight": people["weight"].round(2),
            "mode": np.where(people["online"], "online", "paper"),
            "age_group": people["age"],
            "gender": people["gender"].map(labels),
        }
    )
    return pd.concat([frame[KEYS], _answers(blocks["answers"], wave, effects, people)], axis=1)


def _people(size: Stream, stream: Stream, wave: str, effects: Mapping[str, Floats]) -> pd.DataFrame:
    """Draw age, gender and mode; weights bring every area's ages back to their share of the adults."""
    rule, ages = survey_model()["sample"], survey_model()["ages"]
    inhabitants = np.array([area.inhabitants[int(wave)] for area in areas()])
    wanted = rule["per_area"] + rule["more_by_size"] * np.sqrt(inhabitants / 9500)
    number = np.floor(wanted * (0.85 + 0.3 * size.uniform(len(wanted)))).astype(int)
    position = np.repeat(np.arange(len(wanted)), number)
    population = _age_shares(effects["tilt"])
    answering = population * [age["response"] for age in ages.values()]
    limits = np.cumsum(answering / answering.sum(axis=1, keepdims=True), axis=1)[position]
    code = np.minimum((stream.uniform(len(position))[:, None] > limits).sum(axis=1), len(ages) - 1)
    names = pd.Series(list(ages))
    online = np.array([age["online"][wave] for age in ages.values()])[code]
    people = pd.DataFrame({"position": position, "code": code, "age": names.iloc[code].to_numpy()})
    women = survey_model()["genders"]["female"]["share"]
    people["gender"] = np.where(stream.chance([women] * len(people)), "female", "male")
    people["online"] = stream.chance(online)
    # Weights: share of the age group among the area's adults, over the respondents who stand for it.
    cell = people.groupby(["position", "code"])["code"].transform("size")
    raw = population[position, code] / cell
    adults = np.array([_adults(place, wave) for place in range(len(wanted))])[position]
    people["weight"] = adults * raw / raw.groupby(people["position"]).transform("sum")
    return people


def _log_odds(
    item: str, wave: str, effects: Mapping[str, Floats], people: pd.DataFrame, *, patrols: bool = True
) -> Floats:
    """Return everything that is added to an item's steps, one number a person."""
    setting, rule = survey_model(), survey_model()["items"][item]
    ages = {name: age["effect"] for name, age in setting["ages"].items()}
    genders = {name: gender["effect"] for name, gender in setting["genders"].items()}
    person = people["age"].map(ages) + people["gender"].map(genders)
    eta = rule["person"] * (person + setting["waves"][wave]) + rule["area"] * effects["own"][people["position"]]
    if rule["mode"]:
        eta += setting["mode"]["online"] * people["online"]
    if patrols:
        starts = model()["patrols"]["areas"]
        patrolled = np.array([area.key in starts and starts[area.key] <= wave for area in areas()])
        eta += rule["patrols"] * patrolled[people["position"]]
    result: Floats = np.asarray(eta, dtype=float)
    return result


def _answers(stream: Stream, wave: str, effects: Mapping[str, Floats], people: pd.DataFrame) -> pd.DataFrame:
    """Draw the answers; a question that was not put or not answered is missing."""
    setting = survey_model()
    likeness, n = setting["areas"]["likeness"], len(people)
    common = stream.normal(n)
    answers: dict[str, pd.Series] = {}
    for item, rule in setting["items"].items():
        own = ndtr(np.sqrt(likeness) * common + np.sqrt(1 - likeness) * stream.normal(n))
        latent = _log_odds(item, wave, effects, people) + logit(own)
        code = 1 + (latent[:, None] + np.array(rule["steps"]) > 0).sum(axis=1)
        given = ~stream.chance([setting["nonresponse"]["item"]] * n)
        if rule.get("victims_only"):
            given &= answers[setting["items"]["not_victim"]["column"]].eq(1).fillna(False).to_numpy(dtype=bool)
        answers[rule["column"]] = pd.Series(code, dtype="Int64").where(given)
    return pd.DataFrame(answers)
