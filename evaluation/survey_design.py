"""The declaration of how the people of a survey were selected; it holds names of columns, never data."""

from dataclasses import dataclass
from typing import Literal

from evaluation.errors import DesignError, Problem

LONELY = ("fail", "adjust", "average", "remove", "certainty")

Lonely = Literal["fail", "adjust", "average", "remove", "certainty"]
Columns = str | tuple[str, ...] | None


def as_columns(given: Columns) -> tuple[str, ...]:
    """Return column names as a tuple, whether one, several or none were given."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True, kw_only=True)
class SurveyDesign:
    """Which columns say how people were selected. The defaults are the columns of the table ``respondents``.

    Parameters
    ----------
    weights
        Number of people for whom a respondent stands, above 0. None: one over the selection probability that follows
        from `fpc`, or equal weights where there is no `fpc` either.
    strata
        Strata from which units were drawn independently; a tuple gives the strata of later stages.
    psu
        Primary sampling units (addresses, households, blocks); a tuple names the units of every stage from the first
        on. None: the people themselves were drawn.
    fpc
        Finite population correction, one column for each stage of `psu`: either the number of units in the stratum's
        population (all values 1 or more; infinite is allowed) or the fraction drawn (all values at most 1). None:
        drawn with replacement, or nearly so.
    nest
        Labels of units are used again in other strata, so that a unit is the pair of stratum and label.
    lonely
        What to do with a stratum with a single unit, which shows no variance: ``fail``, an error; ``adjust``, its
        distance from the overall mean counts (cautious); ``average``, it gets the average variance of the other
        strata; ``remove`` and ``certainty``, it adds no variance.
    wave
        Column of the survey wave, where the sample holds several. Waves are strata of their own unless `overlap`.
    overlap
        A unit with the same label in two waves is the same unit (a panel, or the same addresses drawn again); the
        change between waves then takes their covariance into account. `psu` says what a unit is.
    id
        Name of the survey in results.

    Raises
    ------
    DesignError
        With all problems: an option that is not allowed, a correction that does not fit the stages, overlap without
        units or waves.

    Examples
    --------
    >>> SurveyDesign(psu=("block", "household"), fpc=("blocks", "households")).stages
    ('block', 'household')
    """

    weights: str | None = "weight"
    strata: Columns = "stratum"
    psu: Columns = None
    fpc: Columns = None
    nest: bool = False
    lonely: Lonely = "fail"
    wave: str | None = None
    overlap: bool = False
    id: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.lonely not in LONELY:
            problems.append(Problem("survey.lonely_option", value=self.lonely, allowed=LONELY))
        if self.fpc is not None and len(as_columns(self.fpc)) != max(1, len(self.stages)):
            problems.append(Problem("survey.fpc_stages", n=len(as_columns(self.fpc)), stages=max(1, len(self.stages))))
        if len(as_columns(self.strata)) > max(1, len(self.stages)):
            problems.append(
                Problem("survey.strata_stages", n=len(as_columns(self.strata)), stages=max(1, len(self.stages)))
            )
        if self.overlap and (self.psu is None or self.wave is None):
            problems.append(Problem("survey.overlap_unknown"))
        if problems:
            raise DesignError(*problems)

    @property
    def stages(self) -> tuple[str, ...]:
        """Columns of the units of every stage; empty where the people themselves were drawn."""
        return as_columns(self.psu)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the design needs, each once."""
        named = [
            *as_columns(self.weights),
            *as_columns(self.strata),
            *self.stages,
            *as_columns(self.fpc),
            *as_columns(self.wave),
        ]
        return tuple(dict.fromkeys(named))
