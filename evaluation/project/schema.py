"""What ``project.toml`` and ``studies/*.toml`` may hold. Values only; nothing here opens a table."""

import datetime as dt
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, StrictBool, StrictInt
from pydantic_core import PydanticCustomError

from evaluation.data.periods import frequency_of
from evaluation.texts import LANGUAGES

Language = Literal["de", "en"]
Facet = Literal["place_time", "affective", "cognitive", "conative", "disorder", "trust", "cohesion", "victim"]


def _both_languages(words: dict[str, str]) -> dict[str, str]:
    for language in LANGUAGES:
        if not words.get(language, "").strip():
            raise PydanticCustomError("no_language", "a language is missing", {"language": language})
    return words


def _a_day(value: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise PydanticCustomError("no_day", "not a day") from error


def _a_period(value: str) -> str:
    if frequency_of(value) is None:
        raise PydanticCustomError("no_period", "not a period")
    return value


def _written(value: object) -> object:
    """TOML has dates of its own; ``2018-10-01`` and ``"2018-10-01"`` are meant alike."""
    return value.isoformat() if isinstance(value, dt.date) else value


def _in_every_language(value: object) -> object:
    """A plain text is the same in all languages; an empty one is none."""
    if isinstance(value, str):
        return dict.fromkeys(LANGUAGES, value)
    if not isinstance(value, dict):
        raise PydanticCustomError("string_type", "not a text")
    return value if any(value.values()) else dict.fromkeys(LANGUAGES, "")


def _all_languages_or_none(words: dict[str, str]) -> dict[str, str]:
    return _both_languages(words) if any(words.values()) else words


def _with_share_and_wave(words: dict[str, str]) -> dict[str, str]:
    for pattern in words.values():
        try:
            names = {name for _, name, _, _ in Formatter().parse(pattern) if name is not None}
        except ValueError:
            names = set()
        if names != {"share", "wave"}:
            raise PydanticCustomError("placeholders", "{share} and {wave} are needed")
    return words


Words = Annotated[dict[str, str], AfterValidator(_both_languages)]
Line = Annotated[dict[str, str], BeforeValidator(_in_every_language), AfterValidator(_all_languages_or_none)]
Day = Annotated[str, BeforeValidator(_written), AfterValidator(_a_day)]
Period = Annotated[str, AfterValidator(_a_period)]


class Entry(BaseModel):
    """A section of a file: no other keys than its own, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Publication(Entry):
    """What may be published: smallest number of people or cases, and of answers; largest relative error."""

    minimum_cell: Annotated[StrictInt, Field(ge=1)] = 5
    minimum_answers: Annotated[StrictInt, Field(ge=1)] = 30
    flag_answers: Annotated[StrictInt, Field(ge=1)] = 50
    flag_cv: Annotated[float, Field(gt=0)] = 0.3


class Writing(Entry):
    """How a file is written; what is not given is recognised and reported."""

    columns: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None
    decimal: Literal[",", "."] | None = None
    date_format: str | None = None
    layout: Literal["long", "years_as_columns"] | None = None
    category: str | None = None
    marks: dict[str, str] = {}


class Part(Writing):
    """One of several files of a table; what it does not say holds as the table says it."""

    file: str


class TableEntry(Writing):
    """Where a table is, in one file or in parts, and how it is written."""

    file: str | None = None
    parts: tuple[Part, ...] = ()
    source: Line = {}
    geometry: str | None = None
    geometry_key: str = "area"
    first: Period | None = None
    last: Period | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the table, each once."""
        return tuple(dict.fromkeys([*([self.file] if self.file else []), *(part.file for part in self.parts)]))

    def writings(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Return every file, or sheet of one, with what is declared about it."""
        common = self.model_dump(include=set(Writing.model_fields), exclude_unset=True)
        if self.file is not None:
            return ((self.file, common),)
        return tuple(
            (part.file, {**common, **part.model_dump(exclude={"file"}, exclude_unset=True)}) for part in self.parts
        )


class Outcome(Entry):
    """A number of registered cases: which table, which keys."""

    id: str = ""
    title: Words
    table: Literal["incidents", "counts"]
    categories: tuple[str, ...] = ()
    exposure: Literal["inhabitants"] | None = None
    kind: Literal["registered", "operational"] = "registered"
    headline: StrictBool = False


class Item(Entry):
    """A question of the survey: its column, its scale, and the answers that mean "unsafe".

    A ``preset`` fills what is left out of title, sentence, facet, place, time and unsafe. ``sentence`` says with
    ``{share}`` and ``{wave}`` what the share means; without it the title is named.
    """

    id: str = ""
    title: Words
    sentence: Annotated[Words, AfterValidator(_with_share_and_wave)] | None = None
    column: str
    scale: Annotated[StrictInt, Field(ge=2)]
    unsafe: Annotated[tuple[StrictInt, ...], Field(min_length=1)]
    no_answer: tuple[StrictInt, ...] = ()
    preset: str | None = None
    facet: Facet | None = None
    place: str | None = None
    time: Literal["day", "night"] | None = None
    waves: tuple[str, ...] = ()
    headline: StrictBool = False


class Wave(Entry):
    """One wave of a survey."""

    date: Day
    mode: str | None = None
    title: Words | None = None
    response_rate: Annotated[float, Field(gt=0, le=1)] | None = None


class ReplicateWeights(Entry):
    """Replicate weights that come as columns: ``columns`` is what their names begin with, before a number."""

    columns: str
    number: Annotated[StrictInt, Field(ge=2)]
    kind: Literal["jk1", "brr", "fay", "bootstrap", "successive_difference", "other"]
    fay: float = 0.0
    scale: tuple[float, ...] | None = None
    combined: StrictBool = True
    centre: Literal["mean", "estimate"] = "mean"
    df: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(f"{self.columns}{position}" for position in range(1, self.number + 1))


class Design(Entry):
    """How people were drawn, where it is not the columns of the contract; lists name the stages from the first on."""

    weights: str = "weight"
    strata: str | tuple[str, ...] | None = "stratum"
    psu: str | tuple[str, ...] | None = None
    fpc: str | tuple[str, ...] | None = None
    nest: StrictBool = False
    lonely: Literal["fail", "adjust", "average", "remove", "certainty"] = "fail"
    overlap: StrictBool = False
    replicates: ReplicateWeights | None = None


class MarginEntry(Writing):
    """How many people of the population have each value of some columns: in ``people``, a file or a table.

    The file has a column for each of ``by``, one called ``people``, and one called ``wave`` where waves differ.
    """

    by: Annotated[tuple[str, ...], Field(min_length=1)]
    people: dict[str, Annotated[float, Field(ge=0)]] = {}
    file: str | None = None
    table: Literal["inhabitants"] | None = None


class Trimming(Entry):
    """Smallest and largest weight."""

    low: Annotated[float, Field(ge=0)] = 0.0
    high: float


class Response(Entry):
    """Who of the people who were drawn took part (``answered``), and the cells within which they stand for the rest."""

    answered: str
    by: Annotated[tuple[str, ...], Field(min_length=1)]


class Weighting(Entry):
    """What is done to the weights of each wave, in this order: response, trimming, fit to the population."""

    response: Response | None = None
    trim: Trimming | None = None
    method: Literal["post_stratification", "linear", "raking", "logit"] = "raking"
    bounds: tuple[float, float] | None = None
    size: float | None = None
    margins: tuple[MarginEntry, ...] = ()

    @property
    def declared(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self.margins) or self.response is not None or self.trim is not None


class Survey(Entry):
    """The waves of a survey."""

    table: Literal["respondents"] = "respondents"
    title: Words | None = None
    waves: dict[str, Wave] = {}
    design: Design = Design()
    weighting: Weighting = Weighting()


class ProjectFile(Entry):
    """The whole of ``project.toml``."""

    name: Line
    language: Language = "de"
    languages: tuple[Language, ...] = ("de", "en")
    simulated: StrictBool = False
    state: Literal["draft", "released"] = "draft"
    version: str = ""
    source: Line = {}
    publication: Publication = Publication()
    tables: dict[str, TableEntry] = {}
    outcomes: dict[str, Outcome] = {}
    items: dict[str, Item] = {}
    surveys: dict[str, Survey] = {}


class StudyEntry(Entry):
    """``[study]``: one question. What is not given comes from the register, or from the table of events.

    ``note`` is what a reader has to know beside the result, such as that no effect is to be expected.
    """

    id: str
    title: Words
    outcome: str
    measure: str | None = None
    event: str | None = None
    treated_since: Period | dict[str, Period] | None = None
    treated: tuple[str, ...] = ()
    until: Period | None = None
    unit: Literal["area", "district", "precinct"] = "area"
    period: Literal["year", "half_year", "quarter", "month"] = "month"
    comparison: Literal["never_treated", "not_yet_treated"] = "never_treated"
    leave_out: Literal["none", "neighbours"] = "none"
    excluded: tuple[str, ...] = ()
    partial_period: Literal["before", "after", "drop"] = "drop"
    anticipation: Annotated[StrictInt, Field(ge=0)] = 0
    exposure: StrictBool | None = None
    primary: StrictBool = False
    note: Words | None = None
    reason: str | None = None
    reasons: dict[str, str] = {}


class MethodEntry(BaseModel):
    """``[method]``: name of an estimator, and its options as they are."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(alias="class")]

    @property
    def options(self) -> dict[str, Any]:
        """Options of the estimator."""
        return dict(self.model_extra or {})


class StudyFile(Entry):
    """The whole of a file in ``studies``."""

    study: StudyEntry
    method: MethodEntry
    sensitivity: tuple[MethodEntry, ...] = ()
    _file: str = PrivateAttr("")

    @property
    def file(self) -> str:
        """Path of the file in the project."""
        return self._file

    def named(self, file: str) -> "StudyFile":
        """Return a copy that knows its file."""
        copy = self.model_copy()
        copy._file = file
        return copy
