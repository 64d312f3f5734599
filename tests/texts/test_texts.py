"""German and English say the same: same keys, same placeholders; numbers as each language writes them."""

import tomllib
from importlib.resources import files
from string import Formatter

import pytest

from evaluation.texts import LANGUAGES, has_text, template, text
from evaluation.texts.numbers import format_value, join_list

NBSP = "\N{NO-BREAK SPACE}"


def leaves(node, path=""):
    for key, value in node.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from leaves(value, name)
        else:
            yield name, value


def texts_of(language):
    folder = files("evaluation.texts").joinpath(language)
    found = {}
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            found |= dict(leaves(tomllib.loads(file.read_text(encoding="utf-8")), file.name.removesuffix(".toml")))
    return found


def placeholders(pattern):
    return {name for _, name, _, _ in Formatter().parse(pattern) if name is not None}


def test_both_languages_have_the_same_keys():
    german, english = (set(texts_of(language)) for language in LANGUAGES)
    assert german == english


def test_both_languages_have_the_same_placeholders():
    german, english = (texts_of(language) for language in LANGUAGES)
    different = {
        key: (placeholders(german[key]), placeholders(english[key]))
        for key in german
        if isinstance(german[key], str) and placeholders(german[key]) != placeholders(english[key])
    }
    assert different == {}


def test_every_format_in_a_text_exists():
    for language in LANGUAGES:
        for key, pattern in texts_of(language).items():
            if not isinstance(pattern, str):
                continue
            for _, name, spec, _ in Formatter().parse(pattern):
                if name is not None and spec not in {"", "list", "date", "month"}:
                    assert format_value(0.5, spec, language), (key, spec)


@pytest.mark.parametrize(
    ("value", "spec", "german", "english"),
    [
        (1234.5, "num1", "1.234,5", "1,234.5"),
        (1234567, "int", "1.234.567", "1,234,567"),
        (0.123, "pct1", f"12,3{NBSP}%", "12.3%"),
        (-0.123, "spct1", f"−12,3{NBSP}%", "−12.3%"),
        (0.123, "spct1", f"+12,3{NBSP}%", "+12.3%"),
        (-0.0001, "spct1", f"0,0{NBSP}%", "0.0%"),
        (0.012, "pp1", f"1,2{NBSP}Prozentpunkte", f"1.2{NBSP}percentage points"),
        ("2024-12-31", "date", "31.12.2024", "31 December 2024"),
        ("2018-11", "month", "November 2018", "November 2018"),
        (["a", "b", "c"], "list", "a, b und c", "a, b and c"),
        (float("nan"), "num1", "–", "–"),
        (None, "pct1", "–", "–"),
    ],
)
def test_formats(value, spec, german, english):
    assert format_value(value, spec, "de") == german
    assert format_value(value, spec, "en") == english


def test_lists_of_one_and_two():
    assert join_list(["a"], "de") == "a"
    assert join_list(["a", "b"], "en") == "a and b"
    assert join_list([], "de") == ""


def test_unknown_keys_languages_and_formats_are_mistakes():
    with pytest.raises(KeyError, match=r"no text 'core\.nothing' in language 'de'"):
        template("core.nothing", "de")
    with pytest.raises(ValueError, match=r"language 'fr' is not one of de, en"):
        text("core.or", "fr", first=1, last=2)
    with pytest.raises(ValueError, match="unknown format 'wide'"):
        format_value(1, "wide", "de")
    assert not has_text("nowhere.at.all", "de")
