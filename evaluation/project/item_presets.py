"""Questions about the sense of safety as surveys usually put them; a preset fills what an item leaves out."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from evaluation.agreement.reading import line_of
from evaluation.errors import DataError, Problem, nearest

FILLED = ("title", "sentence", "facet", "place", "time")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One usual question.

    Parameters
    ----------
    id
        Its name.
    facet
        Which side of the sense of safety it asks for, see :data:`evaluation.project.schema.Facet`.
    title, question, sentence
        By language: what the unsafe share is, the usual wording, and what the share means with ``{share}`` and
        ``{wave}``.
    labels
        For each usual number of points the answers in the order of their codes 1, 2, ... (German).
    unsafe
        For each of them the codes at the unsafe end.
    place, time
        Of the sense of safety by place and time, else None.
    """

    id: str
    facet: str
    title: Mapping[str, str]
    question: Mapping[str, str]
    sentence: Mapping[str, str]
    labels: Mapping[int, tuple[str, ...]]
    unsafe: Mapping[int, tuple[int, ...]]
    place: str | None = None
    time: str | None = None


@cache
def presets() -> Mapping[str, Preset]:
    """Return all presets by name.

    Examples
    --------
    >>> presets()["night_park"].unsafe[5], len({preset.facet for preset in presets().values()})
    ((4, 5), 8)
    """
    raw = tomllib.loads(files(__package__).joinpath("item_presets.toml").read_text(encoding="utf-8"))
    return {id_: _preset(id_, given, raw["scales"][given["scale"]]) for id_, given in raw["presets"].items()}


def _preset(id_: str, given: Mapping[str, Any], scale: Mapping[str, Any]) -> Preset:
    labels = {int(points): tuple(words) for points, words in scale.items() if points != "unsafe"}
    unsafe = {int(points): tuple(codes) for points, codes in scale["unsafe"].items()}
    return Preset(
        id=id_, labels=labels, unsafe=unsafe, **{key: value for key, value in given.items() if key != "scale"}
    )


def with_presets(raw: dict[str, Any], file: str, source: str) -> dict[str, Any]:
    """Return the values of ``project.toml`` with what presets say where an item leaves it out.

    Raises
    ------
    DataError
        An item names a preset that does not exist, or has a number of points for which it does not say what is unsafe.
    """
    items = raw.get("items")
    if not isinstance(items, dict):
        return raw
    problems, filled = [], {}
    for id_, item in items.items():
        name = item.get("preset") if isinstance(item, dict) else None
        if not isinstance(name, str):
            filled[id_] = item
            continue
        row = line_of(("items", id_, "preset"), source)
        if name not in presets():
            guess = nearest(name, presets()) or "night_neighbourhood"
            problems.append(Problem("survey_items.no_preset", file=file, row=row, value=name, item=id_, nearest=guess))
            continue
        preset = presets()[name]
        usual = {key: getattr(preset, key) for key in FILLED if getattr(preset, key) is not None}
        points = item.get("scale")
        if "unsafe" not in item and isinstance(points, int):
            if points not in preset.unsafe:
                known = sorted(preset.unsafe)
                problems.append(
                    Problem("survey_items.preset_scale", file=file, row=row, item=id_, points=points, known=known)
                )
                continue
            usual["unsafe"] = list(preset.unsafe[points])
        filled[id_] = {**usual, **item}
    if problems:
        raise DataError(*problems)
    return {**raw, "items": filled}
