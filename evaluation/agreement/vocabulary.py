"""The words a register may use for kinds, units, tables and calculations; their labels are in ``texts``."""

from evaluation.data.contracts import CONTRACTS
from evaluation.texts import text

#: What is asked of a measure: its effect, its implementation, or its means and costs.
KINDS = ("effect", "process", "cost")

#: An output says how much of a measure there was; an outcome is what it is meant to change.
ROLES = ("output", "outcome")

#: The rows of a table that an indicator looks at: those of its part, of its whole measure, or of all measures.
SCOPES = ("part", "measure", "all")

UNITS = (
    "count",
    "days",
    "euro",
    "hours",
    "kilometres_per_hour",
    "minutes",
    "months",
    "nights",
    "per_1000",
    "person_hours",
    "points",
    "share",
)

#: Tables from which an indicator can come. A table without a contract yet is named here already, so that a register
#: can say what has to be delivered.
TABLES = (
    "costs",
    "counts",
    "crashes",
    "decisions",
    "deployments",
    "dispatches",
    "incidents",
    "noise_complaints",
    "operations",
    "procedures",
    "respondents",
    "speed_checks",
    "staff_incidents",
    "trainings",
)

#: The measures of the agreement of December 2018, in its order. Another city may have another register.
STANDARD_MEASURES = (
    *(f"A{number}" for number in range(1, 8)),
    *(f"B{number}" for number in range(1, 7)),
    *(f"C{number}" for number in range(1, 4)),
    *(f"D{number}" for number in range(1, 4)),
    "X0",
)


def table_label(table: str, language: str) -> str:
    """Return the name of a table as a reader knows it.

    Examples
    --------
    >>> table_label("noise_complaints", "de")
    'Lärmbeschwerden'
    """
    contract = CONTRACTS.get(table)
    return contract.label[language] if contract else text(f"agreement.table.{table}", language)


def unit_label(unit: str, language: str) -> str:
    """Return a unit in words.

    Examples
    --------
    >>> unit_label("hours", "de")
    'Stunden'
    """
    return text(f"agreement.unit.{unit}", language)
