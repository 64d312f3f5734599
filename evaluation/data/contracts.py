"""What every input table holds: its columns with type, unit, allowed values and German and English label.

The contracts are also the codebook and the template of a data request. Descriptions and units are in the texts,
``data.codebook.<table>.<column>`` and ``data.unit.<unit>``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from evaluation.errors import DataError, Problem, nearest
from evaluation.texts import text

Kind = Literal["key", "text", "texts", "int", "float", "bool", "date", "datetime", "period"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Words = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        Name in the package.
    kind
        ``key`` and ``text`` stay text to the last character; ``texts`` is a list separated by blanks; ``period`` is a
        label such as ``2018`` or ``2018-11``.
    label
        Heading of the column by language, as in the template.
    example
        A valid value as a German file holds it.
    required
        Whether the table must have the column.
    nullable
        Whether a row may leave it empty.
    allowed
        Allowed codes with their labels by language; a file may hold either.
    minimum, above
        Smallest allowed number, or the number that every value exceeds.
    past
        Whether the value cannot lie in the future.
    refers
        ``"areas"`` for keys that must exist in that table.
    unit
        Text key below ``data.unit``.
    also
        Further headings that files bear.
    """

    name: str
    kind: Kind
    label: Words
    example: str
    required: bool = True
    nullable: bool = False
    allowed: Mapping[str, Words] = field(default_factory=dict)
    minimum: float | None = None
    above: float | None = None
    past: bool = False
    refers: str | None = None
    unit: str | None = None
    also: tuple[str, ...] = ()

    def headings(self) -> tuple[str, ...]:
        """Return the headings under which a file may hold the column."""
        return (self.name, *self.label.values(), *self.also)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One table: its columns, the columns that tell its rows apart, and the order that some of them keep.

    Parameters
    ----------
    name
        Name in the package and in ``project.toml``.
    label
        Title of the table by language.
    columns
        In the order of the template.
    key
        Columns whose combination is unique; empty where rows may repeat.
    ordered
        Pairs of columns of which the first is never greater than the second.
    time
        Column that dates a row; rows after the year of the project are not seen.
    """

    name: str
    label: Words
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    time: str | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column `name`.

        Raises
        ------
        KeyError
            The table has no such column.
        """
        return {column.name: column for column in self.columns}[name]

    def describe(self, column: str, language: str) -> str:
        """Return what a column means, in one sentence."""
        return text(f"data.codebook.{self.name}.{column}", language)


def _column(name: str, kind: Kind, de: str, en: str, example: str, **options: object) -> Column:
    return Column(name=name, kind=kind, label={"de": de, "en": en}, example=example, **options)  # type: ignore[arg-type]


_NOT_GIVEN = {"required": False, "nullable": True}
_AREA = _column("area", "key", "Ortsteil-Schlüssel", "Area key", "00", refers="areas", also=("Ortsteil", "Gebiet"))

AREAS = Contract(
    name="areas",
    label={"de": "Gebiete", "en": "Areas"},
    key=("area",),
    columns=(
        _column("area", "key", "Ortsteil-Schlüssel", "Area key", "00"),
        _column("name", "text", "Ortsteil", "Area name", "Zentrum"),
        _column("district", "key", "Stadtbezirk-Schlüssel", "District key", "0", **_NOT_GIVEN),
        _column("district_name", "text", "Stadtbezirk", "District name", "Mitte", **_NOT_GIVEN),
        _column("precinct", "text", "Polizeirevier", "Police precinct", "Zentrum", **_NOT_GIVEN),
        _column(
            "residents_meaningful",
            "bool",
            "Einwohnerbezug aussagekräftig",
            "Rate per inhabitant meaningful",
            "nein",
            **_NOT_GIVEN,
        ),
    ),
)

INHABITANTS = Contract(
    name="inhabitants",
    label={"de": "Einwohner", "en": "Inhabitants"},
    key=("area", "year"),
    time="year",
    columns=(
        _AREA,
        _column("year", "int", "Jahr", "Year", "2023", minimum=1900, past=True),
        _column("inhabitants", "int", "Einwohner", "Inhabitants", "1901", nullable=True, minimum=0, unit="people"),
    ),
)

INCIDENTS = Contract(
    name="incidents",
    label={"de": "Vorgänge", "en": "Incidents"},
    key=("incident_id",),
    ordered=(("occurred_from", "occurred_to"), ("occurred_from", "recorded")),
    time="occurred_from",
    columns=(
        _column("incident_id", "text", "Vorgangsnummer", "Incident number", "2023-000001", **_NOT_GIVEN),
        _column("occurred_from", "datetime", "Tatzeit von", "Occurred from", "31.12.2023 22:15", past=True),
        _column("occurred_to", "datetime", "Tatzeit bis", "Occurred to", "01.01.2024 06:30", past=True, **_NOT_GIVEN),
        _column("recorded", "date", "Erfassungsdatum", "Recorded on", "02.01.2024", past=True, **_NOT_GIVEN),
        _AREA,
        _column("category", "text", "Schlüssel", "Offence key", "222100"),
        _column("in_public", "bool", "Öffentlicher Raum", "In public", "ja", **_NOT_GIVEN),
    ),
)

REASONS = {
    "suppressed": {"de": "gesperrt", "en": "suppressed"},
    "unknown": {"de": "unbekannt", "en": "unknown"},
    "not_delivered": {"de": "nicht geliefert", "en": "not delivered"},
}

COUNTS = Contract(
    name="counts",
    label={"de": "Fallzahlen", "en": "Counts"},
    key=("area", "period", "category"),
    ordered=(("lower", "upper"),),
    time="period",
    columns=(
        _AREA,
        _column("period", "period", "Zeitraum", "Period", "2023", past=True, also=("Jahr", "Monat")),
        _column("category", "text", "Schlüssel", "Offence key", "899000"),
        _column("count", "int", "Anzahl", "Count", "1234", nullable=True, minimum=0, unit="cases"),
        _column("reason", "text", "Fehlgrund", "Reason missing", "", allowed=REASONS, **_NOT_GIVEN),
        _column("lower", "int", "Mindestens", "At least", "", minimum=0, unit="cases", **_NOT_GIVEN),
        _column("upper", "int", "Höchstens", "At most", "", minimum=0, unit="cases", **_NOT_GIVEN),
    ),
)

MODES = {
    "joint": {"de": "gemeinsam", "en": "joint"},
    "single_police": {"de": "nur Polizei", "en": "police only"},
    "single_city": {"de": "nur Stadt", "en": "city only"},
}

DEPLOYMENTS = Contract(
    name="deployments",
    label={"de": "Einsätze", "en": "Deployments"},
    ordered=(("start", "end"),),
    time="start",
    columns=(
        _column("measure", "text", "Maßnahme", "Measure", "A2"),
        _column("part", "text", "Teil", "Part", "housing", **_NOT_GIVEN),
        _column("area", "key", "Ortsteil-Schlüssel", "Area key", "20", refers="areas", **_NOT_GIVEN),
        _column("start", "datetime", "Beginn", "Start", "31.12.2023 18:00"),
        _column("end", "datetime", "Ende", "End", "31.12.2023 22:00"),
        _column("staff_police", "int", "Kräfte Polizei", "Police staff", "2", minimum=0, unit="people"),
        _column("staff_city", "int", "Kräfte Stadt", "City staff", "2", minimum=0, unit="people"),
        _column("mode", "text", "Modus", "Mode", "gemeinsam", allowed=MODES),
        _column("planned", "bool", "Geplant", "Planned", "ja"),
        _column("carried_out", "bool", "Durchgeführt", "Carried out", "ja"),
        _column("cancelled_reason", "text", "Ausfallgrund", "Reason cancelled", "", **_NOT_GIVEN),
        _column("contacts", "int", "Kontakte", "Contacts", "17", minimum=0, unit="contacts", **_NOT_GIVEN),
    ),
)

SURVEY_MODES = {
    "paper": {"de": "Papier", "en": "paper"},
    "online": {"de": "online", "en": "online"},
    "phone": {"de": "Telefon", "en": "phone"},
}

RESPONDENTS = Contract(
    name="respondents",
    label={"de": "Befragte", "en": "Respondents"},
    key=("wave", "respondent_id"),
    columns=(
        _column("respondent_id", "text", "Befragten-Nummer", "Respondent number", "000001"),
        _column("wave", "text", "Welle", "Wave", "2021"),
        _AREA,
        _column("stratum", "text", "Schicht", "Stratum", "0"),
        _column("psu", "text", "Erhebungseinheit", "Primary sampling unit", "", **_NOT_GIVEN),
        _column("weight", "float", "Gewicht", "Weight", "1,25", above=0, unit="people"),
        _column("mode", "text", "Erhebungsweg", "Survey mode", "Papier", allowed=SURVEY_MODES),
        _column("age_group", "text", "Altersgruppe", "Age group", "35-49", **_NOT_GIVEN),
        _column("gender", "text", "Geschlecht", "Gender", "weiblich", **_NOT_GIVEN),
    ),
)

EVENT_KINDS = {
    "law": {"de": "Gesetz", "en": "law"},
    "recording": {"de": "Erfassung", "en": "recording"},
    "confounder": {"de": "Einfluss", "en": "confounder"},
    "measure": {"de": "Maßnahme", "en": "measure"},
    "survey": {"de": "Befragung", "en": "survey"},
}

EVENTS = Contract(
    name="events",
    label={"de": "Ereignisse", "en": "Events"},
    key=("event",),
    ordered=(("start", "end"),),
    time="start",
    columns=(
        _column("event", "text", "Ereignis", "Event", "weapons_ban_zone"),
        _column("title_de", "text", "Bezeichnung deutsch", "Title in German", "Waffenverbotszone Eisenbahnstraße"),
        _column("title_en", "text", "Bezeichnung englisch", "Title in English", "Weapons-ban zone Eisenbahnstraße"),
        _column("start", "date", "Beginn", "Start", "05.11.2018"),
        _column("end", "date", "Ende", "End", "", **_NOT_GIVEN),
        _column("areas", "texts", "Ortsteil-Schlüssel (mehrere)", "Area keys", "20 21", refers="areas", **_NOT_GIVEN),
        _column("outcomes", "texts", "Betroffene Zahlen", "Outcomes", "", **_NOT_GIVEN),
        _column("kind", "text", "Art", "Kind", "Gesetz", allowed=EVENT_KINDS),
        _column("source", "text", "Quelle", "Source", "Sächsische Polizeiverordnung", **_NOT_GIVEN),
    ),
)

CONTRACTS: dict[str, Contract] = {
    contract.name: contract for contract in (AREAS, INHABITANTS, INCIDENTS, COUNTS, DEPLOYMENTS, RESPONDENTS, EVENTS)
}


def contract_of(table: str) -> Contract:
    """Return the contract of a table.

    Raises
    ------
    DataError
        There is no such table; the nearest one is named.

    Examples
    --------
    >>> contract_of("areas").column("area").label["de"]
    'Ortsteil-Schlüssel'
    """
    if table not in CONTRACTS:
        guess = nearest(table, CONTRACTS) or "areas"
        raise DataError(Problem("data.unknown_table", value=table, nearest=guess, valid=tuple(CONTRACTS)))
    return CONTRACTS[table]
