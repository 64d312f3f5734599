"""All words that the package prints, in German and English; code holds keys, never sentences.

A key is ``part.entry`` or ``part.entry.field``; the part names the file, ``texts/<language>/<part>.toml``.
Placeholders may carry one of the formats of :mod:`evaluation.texts.numbers`, such as ``{share:pct1}``.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from evaluation.texts.numbers import format_value

LANGUAGES = ("de", "en")


class _Words(Formatter):
    """``str.format`` whose fields are written in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        return format_value(value, format_spec, self.language)


@cache
def _part(part: str, language: str) -> Mapping[str, Any]:
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    resource = files(__name__).joinpath(language, f"{part}.toml")
    return tomllib.loads(resource.read_text(encoding="utf-8"))


def template(key: str, language: str) -> str:
    """Return the sentence pattern of `key`, placeholders unfilled.

    Raises
    ------
    KeyError
        The key does not exist in this language.
    """
    part, *path = key.split(".")
    node: Any = _part(part, language)
    for step in path:
        node = node[step] if isinstance(node, Mapping) and step in node else None
    if not isinstance(node, str):
        raise KeyError(f"no text {key!r} in language {language!r}")
    return node


def text(key: str, language: str, /, **values: object) -> str:
    """Return the sentence of `key` in `language` with `values` filled in.

    Examples
    --------
    >>> text("core.or", "de", first="a", last="b")
    'a oder b'
    """
    return _Words(language).format(template(key, language), **values)


def has_text(key: str, language: str) -> bool:
    """Tell whether `key` exists in `language`."""
    try:
        template(key, language)
    except (KeyError, FileNotFoundError):
        return False
    return True
