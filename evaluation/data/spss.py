"""SPSS files: value labels become words where words are wanted, codes agreed as missing become empty, both are said.

Questions keep their codes; their labels are listed, so that the direction of a scale can be checked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from evaluation.data.contracts import contract_of
from evaluation.data.dialect import normal, spoilt
from evaluation.data.files import Raw, Source
from evaluation.errors import Problem

SHOWN = 12  # labels that are listed


def read_sav(source: Source) -> Raw:
    """Read an SPSS file; faults of the file and of its labels come back as problems.

    A label that stands for several codes that occur is a problem, because these would become one; codes without a
    label stay as they are and are counted.
    """
    import pyreadstat

    try:
        frame, meta = pyreadstat.read_sav(source.path, user_missing=True)
    except pyreadstat.ReadstatError as error:
        return Raw(problems=[source.problem("data.no_sav", reason=str(error))])
    names = tuple(str(name) for name in frame.columns)
    labels: Mapping[str, Mapping[Any, str]] = meta.variable_value_labels
    problems = list(_spoilt_problems(source, frame, labels))
    for name, ranges in meta.missing_ranges.items():
        for found in ranges:
            frame[name] = frame[name].mask(_within(frame[name], found))
    columns = [column for column in contract_of(source.table).columns if column.kind in {"key", "text"}]
    in_words = {normal(heading) for column in columns for heading in column.headings()}
    facts = []
    for name, by_code in labels.items():
        if normal(source.columns.get(name, name)) not in in_words:  # items keep their codes
            listed = [f"{_code(code)} = {label}" for code, label in by_code.items()][:SHOWN]
            facts.append(source.problem("data.found_item_labels", column=name, labels=listed))
            continue
        problems += _label_problems(source, name, frame[name], by_code)
        facts.append(source.problem("data.found_value_labels", column=name, n=len(by_code)))
        facts += _without_label(source, name, frame[name], by_code)
        frame[name] = frame[name].map(lambda code, by=by_code: by.get(code, code))
    for name, ranges in meta.missing_ranges.items():
        codes = [_missing(found, labels.get(name, {})) for found in sorted(ranges, key=_low)]
        facts.append(source.problem("data.found_missing_codes", column=name, codes=codes))
    frame = frame.set_axis(range(len(names)), axis=1).set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)
    return Raw(headings=names, frame=frame, facts=facts, problems=problems)


def _spoilt_problems(source: Source, frame: pd.DataFrame, labels: Mapping[str, Mapping[Any, str]]) -> Iterator[Problem]:
    """Return a problem for each column whose labels or words an earlier conversion has spoilt."""
    for name in frame.columns:
        words = [str(label) for label in labels.get(name, {}).values()]
        if not pd.api.types.is_numeric_dtype(frame[name]):
            words += [str(word) for word in frame[name].dropna().unique()]
        found = next((fault for fault in map(spoilt, words) if fault), None)
        if found:
            yield source.problem(found[0], column=str(name), given=found[1])


def _label_problems(source: Source, name: str, values: pd.Series, by_code: Mapping[Any, str]) -> list[Problem]:
    """Return labels that stand for several of the codes that occur."""
    codes: dict[str, list[Any]] = {}
    present = set(values.dropna().unique())
    for code, label in by_code.items():
        if code in present:
            codes.setdefault(str(label).strip(), []).append(code)
    return [
        source.problem("data.label_twice", column=name, value=label, codes=[_code(code) for code in several])
        for label, several in codes.items()
        if len(several) > 1
    ]


def _without_label(source: Source, name: str, values: pd.Series, by_code: Mapping[Any, str]) -> list[Problem]:
    """Return a remark on codes that occur and have no label."""
    lacking = values[values.notna() & ~values.isin(list(by_code))]
    if lacking.empty or not pd.api.types.is_numeric_dtype(values):
        return []
    codes = [_code(code) for code in sorted(lacking.unique())][:SHOWN]
    return [source.problem("data.found_unlabelled", column=name, codes=codes, n=len(lacking))]


def _within(values: pd.Series, found: Any) -> pd.Series:
    low, high = found["lo"], found["hi"]
    return values.eq(low) if isinstance(low, str) else values.between(low, high)


def _low(found: Any) -> Any:
    return found["lo"]


def _code(code: Any) -> str:
    return f"{code:g}" if isinstance(code, int | float) else str(code)


def _missing(found: Any, by_code: Mapping[Any, str]) -> str:
    low, high = _code(found["lo"]), _code(found["hi"])
    if low != high:
        return f"{low}–{high}"
    label = by_code.get(found["lo"])
    return f"{low} ({label})" if label else low
