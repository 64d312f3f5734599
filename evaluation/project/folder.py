"""The folder of a project: its tables, register, studies, panels and samples, each read once and checked.

With ``year=2024`` nothing below sees a later row.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.agreement.register import Agreement, load_agreement
from evaluation.data.contracts import contract_of
from evaluation.data.files import Source
from evaluation.data.large import LargeTable, open_large
from evaluation.data.parts import joined
from evaluation.data.readers import Delivery, read_table
from evaluation.errors import DataError, Problem, nearest
from evaluation.project import counting, studies, surveys
from evaluation.project.events import Event, events_of
from evaluation.project.item_presets import with_presets
from evaluation.project.items import Question, read_items
from evaluation.project.polygons import Polygons, read_polygons
from evaluation.project.schema import Item, Outcome, ProjectFile, Publication, StudyFile, Survey
from evaluation.project.sources import entry_of, input_files, sha256, sources_of, table_problems
from evaluation.project.toml import read_toml, validated
from evaluation.project.years import rows_until
from evaluation.study import Study

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from evaluation.data.check import Check
    from evaluation.panel import Panel
    from evaluation.sample import Sample

FILE = "project.toml"


@dataclass(frozen=True, eq=False, kw_only=True)
class Project:
    """A project folder; :func:`open_project` makes it.

    Parameters
    ----------
    folder
        Where ``project.toml`` is.
    file
        What it says.
    year
        Last year that is seen; None for all.
    """

    folder: Path
    file: ProjectFile
    year: int | None = None
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    # --- what project.toml says -----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Title of the project, in its own language."""
        return self.file.name[self.language]

    @property
    def language(self) -> str:
        """Language of what is printed unless another is asked for."""
        return self.file.language

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the reports."""
        return self.file.languages

    @property
    def simulated(self) -> bool:
        """Whether the data are simulated."""
        return self.file.simulated

    @property
    def state(self) -> str:
        """``draft`` until both partners have released the report, then ``released``."""
        return self.file.state

    @property
    def version(self) -> str:
        """Version of the report, as declared."""
        return self.file.version

    @property
    def publication(self) -> Publication:
        """Thresholds of publication."""
        return self.file.publication

    @cached_property
    def outcomes(self) -> Mapping[str, Outcome]:
        """Numbers of cases by id."""
        return {id_: outcome.model_copy(update={"id": id_}) for id_, outcome in self.file.outcomes.items()}

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Survey questions by id."""
        return {id_: item.model_copy(update={"id": id_}) for id_, item in self.file.items.items()}

    @property
    def surveys(self) -> Mapping[str, Survey]:
        """Surveys with their waves."""
        return self.file.surveys

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """What exactly was asked in each wave, by id of the survey question; as far as ``items.toml`` says.

        Raises
        ------
        DataError
            With everything that is wrong with ``items.toml``.
        """
        return read_items(self.folder, self.file)

    # --- tables -----------------------------------------------------------------------------------------------------

    def has(self, table: str) -> bool:
        """Tell whether the project declares a table; whether it can be read is another question."""
        return entry_of(self.folder, self.file, table) is not None

    def source(self, table: str, language: str = "") -> str:
        """Return the source line of a table in `language`; that of the project where it has none of its own."""
        entry, language = entry_of(self.folder, self.file, table), language or self.language
        own = entry.source.get(language, "") if entry else ""
        return own or self.file.source.get(language, "")

    def origin(self, language: str) -> str:
        """Return the source line of the whole project in `language`; its name where it has none."""
        return self.file.source.get(language, "") or self.file.name[language]

    def delivery(self, table: str) -> Delivery:
        """Return what the file of a table delivered, with everything recognised and everything wrong.

        Raises
        ------
        DataError
            The project does not declare the table, or there is no such table.
        """
        contract_of(table)
        if f"delivery {table}" not in self._kept:
            sources = sources_of(self.folder, self.file, table)
            if not sources:
                raise DataError(Problem("data.not_declared", table=table))
            self._kept[f"delivery {table}"] = joined(sources, [self._read(source) for source in sources])
        found: Delivery = self._kept[f"delivery {table}"]
        return found

    def _read(self, source: Source) -> Delivery:
        areas = self._areas() if source.table != "areas" else None
        if source.table == "respondents":
            made = read_table(source, areas=areas, extra=surveys.columns(self))
            return surveys.finished(self, made, source.file)
        large = self._large if source.table == "incidents" else None
        if large is None:
            return read_table(source, areas=areas)
        return Delivery(
            frame=pd.DataFrame(columns=list(large.columns)),
            detected=tuple(large.facts),
            problems=tuple(large.problems),
            notes=tuple(large.notes),
        )

    @cached_property
    def _large(self) -> LargeTable | None:
        """The incidents, where they are in one file that need not be loaded."""
        sources = sources_of(self.folder, self.file, "incidents")
        return open_large(sources[0], areas=self._areas()) if len(sources) == 1 else None

    def _areas(self) -> pd.DataFrame | None:
        """Return the areas as far as they are known: other tables are looked at even if this one is faulty."""
        if not self.has("areas"):
            return None
        areas = self.delivery("areas")
        return None if areas.problems else areas.frame

    def table(self, name: str) -> pd.DataFrame:
        """Return a table that keeps its contract, up to the year of the project.

        Raises
        ------
        DataError
            The table is not declared, or with everything that is wrong with it.

        See Also
        --------
        evaluation.data.contracts : the columns of all tables.
        """
        if name not in self._kept:
            if name != "areas" and self.has("areas"):
                self.table("areas")  # faults of the keys come first
            frame = self.delivery(name).table()
            if name == "incidents" and self._large is not None:
                frame = self._large.load(self.year)
            self._kept[name] = rows_until(frame, contract_of(name), self.year, surveys.wave_dates(self))
        found: pd.DataFrame = self._kept[name]
        return found.copy(deep=False)  # copy-on-write: changes do not reach what is kept

    def incidents(self) -> Any:
        """Return the incidents in the form in which they are counted: a frame, or a relation on a file not loaded."""
        if not self.has("incidents") or self._large is None:
            return self.table("incidents")
        self.table("areas")
        self.delivery("incidents").table()  # with all problems, if there are any
        return self._large.until(self.year)

    def inhabitants(self) -> pd.DataFrame:
        """Return inhabitants by ``area`` and ``year``."""
        return self.table("inhabitants")

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What else happened, oldest first; none without a table of events."""
        return events_of(self.table("events")) if self.has("events") else ()

    @cached_property
    def _declared_events(self) -> tuple[Event, ...]:
        """The events with those that lie ahead: studies are declared in advance."""
        return events_of(self.delivery("events").table()) if self.has("events") else ()

    def geometry(self) -> "GeoDataFrame | None":
        """Return the polygons of the areas with column ``area``, None where none are declared."""
        return self._polygons.frame.copy() if self._polygons else None

    def neighbours(self) -> dict[str, frozenset[str]] | None:
        """Return for every area those that touch it, None without polygons."""
        return dict(self._polygons.neighbours) if self._polygons else None

    @cached_property
    def _polygons(self) -> Polygons | None:
        entry = entry_of(self.folder, self.file, "areas")
        if entry is None or entry.geometry is None:
            return None
        return read_polygons(self.folder, entry, self.table("areas")["area"].tolist())

    @cached_property
    def inputs(self) -> Mapping[str, str]:
        """SHA-256 of every input file by its path in the folder."""
        return {name: sha256(path) for name, path in sorted(input_files(self.folder, self.file).items())}

    # --- register and studies ---------------------------------------------------------------------------------------

    @cached_property
    def agreement(self) -> Agreement:
        """The register of measures, as it was known at the end of the year of the project.

        Raises
        ------
        DataError
            With everything that is wrong with ``agreement.toml``.
        """
        return self._declared_agreement if self.year is None else self._declared_agreement.as_of(self.year)

    @cached_property
    def _declared_agreement(self) -> Agreement:
        """The register with starts that lie ahead: studies are declared in advance."""
        areas = self._areas()
        keys = None if areas is None else areas["area"].tolist()
        names = [*self.file.outcomes, *self.file.items]
        return load_agreement(self.folder / "agreement.toml", areas=keys, outcomes=names)

    @cached_property
    def study_files(self) -> Mapping[str, StudyFile]:
        """Declared files by id of the study.

        Raises
        ------
        DataError
            With everything that is wrong with the files in ``studies``.
        """
        return studies.read_files(self.folder)

    @property
    def studies(self) -> tuple[str, ...]:
        """Ids of the studies, in the order of their files."""
        return tuple(self.study_files)

    def study(self, id: str) -> Study:
        """Return the declaration of a study; what its file leaves out comes from the register or the events.

        A study whose measure begins after the year of the project is declared in advance: it has its starts, and
        :meth:`panel` says that there are no data yet.

        Raises
        ------
        DataError, DesignError
            There is no such study, or it names a measure, event, outcome or area that does not exist.
        """
        return studies.declare(self, self._study_file(id))

    def note(self, id: str, language: str) -> str:
        """Return what a reader has to know beside the result of a study, empty where nothing is declared."""
        return (self._study_file(id).study.note or {}).get(language, "")

    def method(self, study: str) -> Any:
        """Return the estimator that the file of a study declares."""
        declared = self._study_file(study)
        return studies.estimator(declared.method, file=declared.file)

    def sensitivities(self, study: str) -> tuple[Any, ...]:
        """Return the other specifications that the file of a study declares, in its order."""
        declared = self._study_file(study)
        return tuple(studies.estimator(method, file=declared.file) for method in declared.sensitivity)

    def _study_file(self, id: str) -> StudyFile:
        if id not in self.study_files:
            guess = nearest(id, self.study_files)
            raise DataError(Problem("data.no_study", study=id, nearest=guess or "–", valid=tuple(self.study_files)))
        return self.study_files[id]

    # --- data joined with their declaration -------------------------------------------------------------------------

    def counts(self, outcome: str, *, period: str = "year", unit: str = "area") -> pd.DataFrame:
        """Return the cases of an outcome by ``unit`` and ``period``.

        Parameters
        ----------
        outcome
            Id of the outcome.
        period
            ``year``, ``half_year``, ``quarter`` or ``month``.
        unit
            ``area``, ``district`` or ``precinct``.

        Returns
        -------
        pandas.DataFrame
            Columns ``unit``, ``period``, ``count`` (whole number, missing where unknown), ``reason`` (why it is
            missing), ``lower`` and ``upper`` (bounds), sorted. An area without an incident is 0; a period that was not
            delivered is not there.

        Raises
        ------
        DataError
            The outcome or its table does not exist, its table is faulty, or the counts are of longer periods.
        """
        return counting.counts(self, outcome, period=period, unit=unit).frame

    def panel(self, study: str | Study) -> "Panel":
        """Return the cases of a study by unit and period, with exposure, neighbours and positions as far as declared.

        Raises
        ------
        DataError, DesignError
            With everything that keeps the study from being run.
        """
        declared = self.study(study) if isinstance(study, str) else study
        return counting.panel(self, declared)

    def sample(self, wave: str | None = None, *, survey: str | None = None) -> "Sample":
        """Return the respondents of a wave, or of all waves of a survey, with the design by which they were drawn.

        The frame has the columns of the contract and of the items, and ``district`` and ``precinct`` of the area.
        Several surveys are never put together: without `survey` (and without `wave`) it is the first one that
        ``project.toml`` declares, and every result says so.
        """
        return surveys.sample(self, wave, survey)

    def check(self, language: str | None = None) -> "Check":
        """Return everything that is wrong, recognised or worth knowing, and what can be answered."""
        from evaluation.project.check import check

        return check(self, language or self.language)

    def ensure(self) -> None:
        """Stop where anything is wrong; what a report does before it computes.

        Raises
        ------
        DataError
            With all problems of all tables, the polygons, the register and the studies; also if there are neither
            cases nor answers for the year of the project.
        """
        from evaluation.project.check import check

        problems = check(self, self.language, answered=False).problems
        if problems:
            raise DataError(*problems)


def open_project(folder: str | Path, *, year: int | None = None) -> Project:
    """Open a project folder.

    Parameters
    ----------
    folder
        Where ``project.toml`` is.
    year
        Last year that is seen; None for all.

    Raises
    ------
    DataError
        There is no ``project.toml``, or with everything that is wrong with it.
    """
    home = Path(folder)
    if not home.is_dir():
        raise DataError(Problem("data.no_folder", value=str(folder)))
    if not (home / FILE).exists():
        raise DataError(Problem("data.no_project", value=str(folder), file=FILE))
    raw, source = read_toml(home / FILE, FILE)
    file = validated(ProjectFile, with_presets(raw, FILE, source), file=FILE, source=source)
    problems = table_problems(file, name=FILE)
    if year is not None and not 1900 <= year <= dt.date.today().year + 1:
        problems.append(Problem("data.no_year", value=year))
    if problems:
        raise DataError(*problems)
    return Project(folder=home, file=file, year=year)
