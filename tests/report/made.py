"""What the tests of single sentences and numbers share: a speaker without a project, and a context by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.disclosure import About, Published, Rules, publish
from evaluation.report.material.gather import Material
from evaluation.texts import has_text, text

ABOUT = About(id="study.x", unit="change", source="Polizei", measure="A2", outcome="street_crime")


class Words:
    """Says sentences as a `Material` does."""

    few = Material.few

    def __init__(self, language: str = "de", **fields: Any) -> None:
        self.language = language
        self.__dict__.update(fields)

    def say(self, key: str, /, **values: object) -> str:
        single = f"report.{key}_one"
        chosen = single if values.get("n") == 1 and has_text(single, self.language) else f"report.{key}"
        return text(chosen, self.language, **values)


def context(
    *, sensitivities: tuple[Any, ...] = (), districts: dict[str, str] | None = None, **fields: Any
) -> SimpleNamespace:
    """Return what the effects of a report ask of their context; `fields` are further ones of its project."""
    areas = pd.DataFrame(
        {"area": list(districts or {}), **({"district": list(districts.values())} if districts else {})}
    )
    usual: dict[str, Any] = {
        "sensitivities": lambda _: sensitivities,
        "table": lambda name: {"areas": areas}[name],
        "has": lambda name: name == "areas",
        "origin": lambda _: "Stadt",
    }
    project = SimpleNamespace(**{**usual, **fields})
    return SimpleNamespace(project=project, rules=Rules(), language="de")


def published(unit: str = "change", name: str = "x", **rows: Any) -> Published:
    """Return published values with the key ``what``; a row is a value, or value, ends of the interval and p-value."""
    names = ("value", "conf_low", "conf_high", "p_value")
    values = [dict(zip(names, np.atleast_1d(row).tolist(), strict=False)) for row in rows.values()]
    frame = pd.DataFrame(values, columns=list(names)).assign(what=list(rows))
    about = About(id=f"study.x.{name}", unit=unit, source="Polizei")
    return publish(frame, Rules(), about=about, keys=("what",), basis="services")


def alone(value: float, unit: str = "change", name: str = "alone") -> Published:
    """Return one published value without a key."""
    about = About(id=f"study.x.{name}", unit=unit, source="Polizei")
    return publish(pd.DataFrame([{"value": value}]), Rules(), about=about, keys=(), basis="services")


def effect(
    change: float = -0.14, *, verdict: str = "established", event: bool = False, **fields: Any
) -> SimpleNamespace:
    """Return an effect as far as its sentences look at it."""
    study = SimpleNamespace(
        id="patrols", event="zone" if event else None, measure=None if event else "A2", period="month", primary=True
    )
    frame = pd.DataFrame({"term": ["effect", "unadjusted"], "value": [change, -0.175]})
    about = About(id="study.patrols.effect", unit="change", source="Polizei")
    shown = publish(frame, Rules(), about=about, keys=("term",), basis="services")
    found: dict[str, Any] = {
        "study": study,
        "title": "Streifen und Diebstahl",
        "outcome": "Diebstahl",
        "verdict": verdict,
        "grade": 3,
        "effect": shown,
        "cell": shown.cell(term="effect"),
        "finding": SimpleNamespace(verdict=SimpleNamespace(level=0.05)),
        "scrutiny": None,
        "shift": None,
    }
    return SimpleNamespace(**{**found, **fields})
