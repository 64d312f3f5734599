"""What ``agreement.toml`` may hold: one check for every key, all faults found in one walk.

The walk takes the parsed file as it is and never stops at a fault, so that the writer of the file sees everything
at once. A fault knows its path in the file; :mod:`~evaluation.agreement.reading` turns it into a problem.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from evaluation.agreement.calculations import CALCULATIONS
from evaluation.agreement.vocabulary import KINDS, ROLES, SCOPES, TABLES, UNITS
from evaluation.data.periods import frequency_of, start_date
from evaluation.errors import nearest

Path = tuple[str | int, ...]
MEASURE_ID = re.compile(r"[A-Z]\d{1,2}")
_YEAR = re.compile(r"(19|20|21)\d\d")


@dataclass(frozen=True)
class Fault:
    """One fault: where, which text, and the values of its sentences."""

    path: Path
    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """Valid references; None where they are not known and therefore not checked."""

    areas: tuple[str, ...] | None
    outcomes: tuple[str, ...] | None
    bodies: tuple[str, ...]


Check = Callable[[object, Path, Known], Iterator[Fault]]


def closest(given: object, valid: Iterable[object]) -> str:
    """Return the valid value most like `given`, however little that is.

    Examples
    --------
    >>> closest("2O", ["00", "20", "21"])
    '20'
    """
    words = [str(word) for word in valid]
    digits = str(given).translate(str.maketrans("OoIl", "0011"))  # letters typed for digits
    if digits in words:
        return digits
    found = nearest(given, words) or next(iter(get_close_matches(str(given), words, n=1, cutoff=0.0)), None)
    return found or "–"


def nearest_period(given: object) -> str:
    """Return the period label that was probably meant.

    Examples
    --------
    >>> nearest_period("03/2023"), nearest_period("2023-13"), nearest_period("1.5.2023"), nearest_period("soon")
    ('2023-03', '2023-12', '2023-05', '2019-01')
    """
    numbers = [int(number) for number in re.findall(r"\d+", str(given))]
    year = next((number for number in numbers if 1900 <= number < 2200), None)
    if year is None:
        return "2019-01"
    others = [number for number in numbers if number != year]
    if not others:
        return str(year)
    month = others[0] if str(given).startswith(str(year)) else others[-1]
    return f"{year}-{min(max(month, 1), 12):02d}"


def nearest_day(given: object) -> str:
    """Return the day that was probably meant, as ``2018-12-31``.

    Examples
    --------
    >>> nearest_day("31.12.2018"), nearest_day("2018-13")
    ('2018-12-31', '2018-12-01')
    """
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", str(given).strip())
    if german:
        guess = f"{german[3]}-{int(german[2]):02d}-{int(german[1]):02d}"
        with suppress(ValueError):
            return dt.date.fromisoformat(guess).isoformat()
    month = nearest_period(given)
    return f"{month}-01" if len(month) == len("2018-12") else f"{month}-01-01"


def _wrong_type(path: Path, value: object, expected: str) -> Fault:
    return Fault(path, f"wrong_type.{expected}", {"given": value})


def _not_allowed(path: Path, value: object, valid: Sequence[str]) -> Fault:
    return Fault(path, "not_allowed", {"given": value, "nearest": closest(value, valid), "valid": tuple(valid)})


def short_text(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        yield _wrong_type(path, value, "text")


def words(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """A text in German and English, ``{ de = "…", en = "…" }``."""
    if not isinstance(value, Mapping):
        yield _wrong_type(path, value, "words")
        return
    for language in ("de", "en"):
        if not isinstance(value.get(language), str) or not str(value[language]).strip():
            yield Fault(path, f"no_language.{language}", {})
    yield from _unknown_keys(value, path, ("de", "en"))


def number(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """A number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield _wrong_type(path, value, "number")
    elif not value >= 0:
        yield Fault(path, "negative", {"given": value})


def year(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """A year of four digits."""
    if isinstance(value, bool) or not _YEAR.fullmatch(str(value)):
        now = [str(number) for number in range(2019, 2040)]
        yield Fault(path, "unknown_year", {"given": value, "nearest": closest(value, now)})


def period(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """A period label such as ``2019-01``."""
    if not isinstance(value, str) or frequency_of(value) is None:
        yield Fault(path, "unknown_period", {"given": value, "nearest": nearest_period(value)})


def day(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """A day such as ``2018-12-11``."""
    try:
        dt.date.fromisoformat(str(value))
    except ValueError:
        yield Fault(path, "unknown_day", {"given": value, "nearest": nearest_day(value)})


def existed(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """``true``, ``false`` or ``"unknown"``."""
    if not isinstance(value, bool) and value != "unknown":
        yield _not_allowed(path, value, ("true", "false", "unknown"))


def one_of(valid: Sequence[str]) -> Check:
    """Return a check that allows the values `valid`."""

    def check(value: object, path: Path, known: Known) -> Iterator[Fault]:
        if value not in valid:
            yield _not_allowed(path, value, valid)

    return check


def reference(to: str) -> Check:
    """Return a check that the value is one of the known areas, outcomes or bodies."""

    def check(value: object, path: Path, known: Known) -> Iterator[Fault]:
        valid: tuple[str, ...] | None = getattr(known, to)
        if valid is None or value in valid:
            return
        if valid:
            yield Fault(path, f"unknown_{to}", {"given": value, "nearest": closest(value, valid)})
        else:
            yield Fault(path, f"no_{to}", {"given": value})

    return check


def list_of(check: Check) -> Check:
    """Return a check of every item of a list."""

    def checks(value: object, path: Path, known: Known) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield _wrong_type(path, value, "list")
            return
        for number, item in enumerate(value):
            yield from check(item, (*path, number), known)

    return checks


def entries_of(check: Check, *, key: Check | None = None) -> Check:
    """Return a check of every entry of a section whose keys are free, or are checked by `key`."""

    def checks(value: object, path: Path, known: Known) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield _wrong_type(path, value, "section")
            return
        for name, item in value.items():
            if key is not None:
                yield from key(name, (*path, name), known)
            yield from check(item, (*path, name), known)

    return checks


def section(keys: Mapping[str, Check], *, required: Sequence[str] = (), also: Sequence[Check] = ()) -> Check:
    """Return a check of a section with exactly these `keys`; `also` looks at several of them together."""

    def checks(value: object, path: Path, known: Known) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield _wrong_type(path, value, "section")
            return
        yield from _unknown_keys(value, path, tuple(keys))
        for name in required:
            if name not in value:
                yield Fault((*path, name), "missing_key", {})
        for name, check in keys.items():
            if name in value:
                yield from check(value[name], (*path, name), known)
        for together in also:
            yield from together(value, path, known)

    return checks


def _unknown_keys(value: Mapping[str, object], path: Path, valid: tuple[str, ...]) -> Iterator[Fault]:
    for name in value:
        if name not in valid:
            yield Fault((*path, name), "unknown_key", {"nearest": closest(name, valid), "valid": valid})


def _measure_id(name: object, path: Path, known: Known) -> Iterator[Fault]:
    if not MEASURE_ID.fullmatch(str(name)):
        found = re.search(r"([A-Za-z])\D{0,2}(\d{1,2})", str(name))
        likely = f"{found[1].upper()}{int(found[2])}" if found else "A1"
        yield Fault(path, "measure_id", {"given": name, "nearest": likely})


def _starts_in_order(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """No area starts, and no dose is planned, before the measure itself starts."""
    measure = value if isinstance(value, Mapping) else {}
    since, areas = measure.get("since"), measure.get("areas")
    if not isinstance(since, str) or frequency_of(since) is None or not isinstance(areas, Mapping):
        return
    for area, start in areas.items():
        if isinstance(start, str) and frequency_of(start) and start_date(start) < start_date(since):
            yield Fault((*path, "areas", area), "area_too_early", {"given": start, "area": area, "nearest": since})


def _baseline_fits(value: object, path: Path, known: Known) -> Iterator[Fault]:
    measure = value if isinstance(value, Mapping) else {}
    if "baseline_dose" in measure and measure.get("existed_before") is not True:
        yield Fault((*path, "baseline_dose"), "baseline_without_before", {"given": measure["baseline_dose"]})


def _calculation_fits(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """Calculations take deployments and give numbers of one unit."""
    indicator = value if isinstance(value, Mapping) else {}
    calculation = CALCULATIONS.get(str(indicator.get("calculation")))
    if calculation is None:
        return
    if indicator.get("table") in TABLES and indicator["table"] != "deployments":
        yield Fault((*path, "table"), "calculation_table", {"given": indicator["table"], "nearest": "deployments"})
    if indicator.get("unit") in UNITS and indicator["unit"] != calculation.unit:
        yield Fault((*path, "unit"), "calculation_unit", {"given": indicator["unit"], "nearest": calculation.unit})


def _shares_fit(value: object, path: Path, known: Known) -> Iterator[Fault]:
    indicator = value if isinstance(value, Mapping) else {}
    planned = indicator.get("planned")
    if indicator.get("unit") != "share" or not isinstance(planned, Mapping):
        return
    for when, dose in planned.items():
        if isinstance(dose, int | float) and not isinstance(dose, bool) and dose > 1:
            yield Fault((*path, "planned", when), "share_above_one", {"given": dose, "nearest": min(dose / 100, 1)})


def _names_in_order(value: object, path: Path, known: Known) -> Iterator[Fault]:
    """The names of one body follow each other."""
    names: dict[object, tuple[str, str]] = {}
    for number, body in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(body, Mapping):
            continue
        begin, end = str(body.get("from", "0001")), str(body.get("until", "9999"))
        if begin > end:
            yield Fault((*path, number, "until"), "until_before_from", {"given": end, "nearest": begin})
        if body.get("id") in names and begin <= names[body.get("id")][1]:
            earlier = names[body.get("id")][1]
            code = "body_open" if earlier == "9999" else "body_twice"
            yield Fault((*path, number, "from"), code, {"given": body.get("id"), "nearest": earlier})
        names[body.get("id")] = (begin, end)


_INDICATOR = section(
    {
        "title": words,
        "unit": one_of(UNITS),
        "table": one_of(TABLES),
        "calculation": one_of(tuple(CALCULATIONS)),
        "scope": one_of(SCOPES),
        "role": one_of(ROLES),
        "planned": entries_of(number, key=year),
    },
    required=("title", "unit", "table"),
    also=(_calculation_fits, _shares_fit),
)
_PART = section({"title": words, "indicators": entries_of(_INDICATOR)}, required=("title", "indicators"))
_MEASURE = section(
    {
        "title": words,
        "kind": one_of(KINDS),
        "lead": list_of(reference("bodies")),
        "since": period,
        "existed_before": existed,
        "baseline_dose": number,
        "areas": entries_of(period, key=reference("areas")),
        "outcomes": list_of(reference("outcomes")),
        "parts": entries_of(_PART),
        "revisions": list_of(section({"year": year, "text": words}, required=("year", "text"))),
    },
    required=("title", "kind", "parts"),
    also=(_starts_in_order, _baseline_fits),
)
_BODY = section({"id": short_text, "title": words, "from": period, "until": period}, required=("id", "title"))
_HEAD = section({"title": words, "signed": day, "since": period, "note": words}, required=("title",))


def _bodies(value: object, path: Path, known: Known) -> Iterator[Fault]:
    yield from list_of(_BODY)(value, path, known)
    yield from _names_in_order(value, path, known)


#: The check of the whole file.
REGISTER = section(
    {
        "agreement": _HEAD,
        "chapters": entries_of(words),
        "bodies": _bodies,
        "measures": entries_of(_MEASURE, key=_measure_id),
    },
    required=("agreement", "measures"),
)
