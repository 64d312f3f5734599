"""Everything that breaks a contract, found by one expression a rule: on a frame in memory, or on a file in DuckDB.

A rule counts all rows that break it and fetches only the few that are shown, so that ten million rows are checked
without being loaded.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from evaluation.data.contracts import Column, Contract
from evaluation.data.place import SHOWN, Place
from evaluation.errors import Problem, nearest

if TYPE_CHECKING:
    import narwhals as nw

ROW = "row"
_VALUES = 10  # different wrong values that are listed; all are counted
_SPECIAL = {
    ("respondents", "weight", "data.missing_value"): "data.weight_missing",
    ("respondents", "weight", "data.not_above"): "data.weight_not_positive",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way to break a contract.

    Parameters
    ----------
    code
        Text key.
    column
        The column at fault.
    broken
        Whether a row breaks the rule; missing counts as no.
    by_value
        Whether wrong values are listed once each, with the number of their rows, or row by row.
    values
        What the sentences mention besides.
    """

    code: str
    column: str
    broken: "nw.Expr"
    by_value: bool = False
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a table is checked against: the keys of the areas (None: not known yet), the day, rows not readable."""

    areas: Collection[str] | None
    today: dt.date
    failed: Mapping[str, Sequence[int]] = field(default_factory=dict)


def validate(frame: Any, contract: Contract, columns: Sequence[Column], place: Place, known: Known) -> list[Problem]:
    """Return all problems of a typed table.

    Parameters
    ----------
    frame
        Any frame that narwhals knows, with our names and the column ``row``, the row in the file.
    contract
        Its key and order.
    columns
        Columns to check, those of the contract and declared ones.
    place
        Names for messages.
    known
        What the values are checked against.
    """
    import narwhals as nw

    lazy = nw.from_native(frame).lazy()
    names = lazy.collect_schema().names()
    here = [column for column in columns if column.name in names]
    rules = [rule for column in here for rule in column_rules(column, place, known)]
    rules += [_order_rule(contract, place, *pair) for pair in contract.ordered if set(pair) <= set(names)]
    problems = list(_apply(lazy, rules, place))
    problems += _unknown_areas(lazy, here, place, known)
    return problems + _duplicates(lazy, contract, names, place)


def column_rules(column: Column, place: Place, known: Known) -> list[Rule]:
    """Return the rules of one column."""
    import narwhals as nw

    value = nw.col(column.name)
    rules = []
    if not column.nullable:
        unread = nw.col(ROW).is_in(list(known.failed.get(column.name, ())))
        rules.append(Rule(code="data.missing_value", column=column.name, broken=value.is_null() & ~unread))
    if column.minimum is not None:
        low = {"minimum": column.minimum}
        code = "data.negative" if column.minimum == 0 else "data.below_minimum"
        rules.append(Rule(code=code, column=column.name, broken=value < column.minimum, values=low))
    if column.above is not None:
        above = {"above": column.above}
        rules.append(Rule(code="data.not_above", column=column.name, broken=value <= column.above, values=above))
    if column.past:
        today = {"today": known.today}
        rules.append(Rule(code="data.future", column=column.name, broken=_future(column, known.today), values=today))
    if column.name == "category":
        rules += _category_rules(column)
    return [replace(rule, code=_SPECIAL.get((place.table, column.name, rule.code), rule.code)) for rule in rules]


def _future(column: Column, today: dt.date) -> "nw.Expr":
    import narwhals as nw

    value = nw.col(column.name)
    if column.kind == "int":
        return value > today.year
    if column.kind == "period":
        month = value.str.contains(r"^\d{4}-\d\d$") & (value > f"{today:%Y-%m}")
        return (value.str.slice(0, 4) > f"{today:%Y}") | month
    return value >= dt.datetime.combine(today + dt.timedelta(days=1), dt.time())


def _category_rules(column: Column) -> list[Rule]:
    """Offence keys have six characters; fewer digits have lost a zero, and a point came from a number."""
    import narwhals as nw

    value = nw.col(column.name)
    return [
        Rule(code="data.lost_zero", column=column.name, broken=value.str.contains(r"^\d{4,5}$"), by_value=True),
        Rule(code="data.key_as_number", column=column.name, broken=value.str.contains(r"^\d+\.0$"), by_value=True),
    ]


def _order_rule(contract: Contract, place: Place, first: str, second: str) -> Rule:
    import narwhals as nw

    before, after = nw.col(first), nw.col(second)
    if contract.column(first).kind == "datetime" and contract.column(second).kind == "date":
        before = before.dt.truncate("1d")
    return Rule(code="data.wrong_order", column=second, broken=before > after, values={"first": place.heading(first)})


def _apply(lazy: "nw.LazyFrame[Any]", rules: Sequence[Rule], place: Place) -> Iterator[Problem]:
    """Count the rows that break each rule in one pass, and fetch the first of those that are broken."""
    import narwhals as nw

    if not rules:
        return
    sums = [rule.broken.fill_null(value=False).cast(nw.Int64).sum().alias(str(n)) for n, rule in enumerate(rules)]
    totals = lazy.select(*sums).collect("pyarrow").to_pandas().iloc[0]
    for number, rule in enumerate(rules):
        n = int(totals[str(number)]) if totals[str(number)] == totals[str(number)] else 0
        if n == 0:
            continue
        wrong = lazy.filter(rule.broken.fill_null(value=False))
        if rule.by_value:
            yield from _by_value(wrong, rule, place)
            continue
        shown = wrong.select(ROW, rule.column).sort(ROW).head(SHOWN).collect("pyarrow").to_pandas()
        values = {int(row): _readable(value) for row, value in shown.itertuples(index=False)}
        yield from place.listed(rule.code, rule.column, values, n, **rule.values)


def _by_value(wrong: "nw.LazyFrame[Any]", rule: Rule, place: Place) -> Iterator[Problem]:
    for value, row, n in _counted(wrong, rule.column):
        extra = {"nearest": value.zfill(6)} if rule.code == "data.lost_zero" else {"nearest": value.removesuffix(".0")}
        yield place.problem(rule.code, rule.column, row=row, value=value, n=n, **extra)


def _counted(lazy: "nw.LazyFrame[Any]", column: str) -> list[tuple[str, int, int]]:
    """Return the different values of a column with first row and number of rows, in the order of the file."""
    import narwhals as nw

    grouped = lazy.group_by(column).agg(nw.col(ROW).min().alias("first"), nw.len().alias("n"))
    rows = grouped.sort("first").collect("pyarrow").to_pandas()
    return [(str(value), int(first), int(n)) for value, first, n in rows.itertuples(index=False)]


def _readable(value: object) -> object:
    """Return a value as it may stand in a message; None where there is none."""
    if value is None or value != value:
        return None
    if isinstance(value, dt.datetime):
        day = f"{value:%d.%m.%Y}"
        return day if (value.hour, value.minute) == (0, 0) else f"{day} {value:%H:%M}"
    return value


def _unknown_areas(lazy: "nw.LazyFrame[Any]", columns: Sequence[Column], place: Place, known: Known) -> list[Problem]:
    if known.areas is None:
        return []
    problems = []
    for column in (column for column in columns if column.refers == "areas"):
        given = [(value, row, n) for value, row, n in _counted(lazy.drop_nulls(column.name), column.name)]
        unknown = [
            (key, row, n)
            for value, row, n in given
            for key in (value.split() if column.kind == "texts" else [value])
            if key not in known.areas
        ]
        for key, row, n in unknown[:_VALUES]:
            guess = nearest(key, known.areas)
            code = "data.unknown_area_like" if guess else "data.unknown_area"
            problems.append(place.problem(code, column.name, row=row, value=key, n=n, nearest=guess))
        if len(unknown) > _VALUES:
            left = sum(n for _, _, n in unknown[_VALUES:])
            problems.append(place.problem("data.more_values", column.name, n=len(unknown) - _VALUES, rows=left))
    return problems


def _number(lazy: "nw.LazyFrame[Any]") -> int:
    return int(lazy.collect("pyarrow").to_pandas().iloc[0, 0])


def _duplicates(lazy: "nw.LazyFrame[Any]", contract: Contract, names: Sequence[str], place: Place) -> list[Problem]:
    import narwhals as nw

    key = list(contract.key)
    if not key or not set(key) <= set(names):
        return []
    given = lazy.drop_nulls(key)
    # One pass over the keys first: looking for rows costs ten times as much, and there are rarely any.
    different = given.select(*key).unique().select(nw.len().alias("n"))
    if _number(given.select(nw.len().alias("n"))) == _number(different):
        return []
    seen = given.group_by(*key).agg(
        nw.len().alias("n"), nw.col(ROW).min().alias("first"), nw.col(ROW).max().alias("last")
    )
    double = seen.filter(nw.col("n") > 1).sort("first")
    n = _number(double.select(nw.len().alias("n")))
    shown = double.head(SHOWN).collect("pyarrow").to_pandas()
    problems = [
        place.problem(
            "data.duplicate",
            row=int(found["last"]),
            first=int(found["first"]),
            n=int(found["n"]),
            key=", ".join(f"{place.heading(name)} = {found[name]}" for name in key),
        )
        for found in shown.to_dict("records")
    ]
    if n > SHOWN:
        problems.append(place.problem("data.more_duplicates", n=n - SHOWN, total=n))
    return problems
