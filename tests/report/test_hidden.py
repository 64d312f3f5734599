"""A hidden count cannot be computed from anything that is published beside it."""

from itertools import product
from types import SimpleNamespace

import pandas as pd
import pytest

from evaluation.disclosure import About, Rules, publish
from evaluation.report import annual, start
from evaluation.report.material.hidden import completing, hidden_years, touches

HALF = 0.5


def _frame(counts: list[int]) -> pd.DataFrame:
    areas = [f"{place:02d}" for place in range(len(counts))]
    return pd.DataFrame({"area": areas, "period": "2024", "value": counts})


def _solutions(counts: list[int], marks: list[bool], small: int = 5) -> list[set[int]]:
    """Return what each small count can be, for a reader who knows the total, what is shown, and the smallest cell."""
    hidden = [count for count, mark in zip(counts, marks, strict=True) if 0 < count < small or mark]
    of_small = [count < small for count in hidden]
    shown = [c for c, mark in zip(counts, marks, strict=True) if c >= small and not mark]
    ranges = [range(1, small) if low else range(small, min(shown, default=sum(counts)) + 1) for low in of_small]
    found = [values for values in product(*ranges) if sum(values) == sum(hidden)]
    return [{values[place] for values in found} for place, low in enumerate(of_small) if low]


@pytest.mark.parametrize(
    "counts",
    [[3, 0, 40, 12], [1, 1, 30, 9, 20], [4, 4, 8, 8, 60], [1, 50, 60], [4, 5, 5, 5, 70], [2, 3, 20, 30], [1, 5, 6, 7]],
)
def test_a_total_leaves_more_than_one_value_for_every_small_count(counts):
    marks = completing(_frame(counts), 5).tolist()
    assert all(len(values) > 1 for values in _solutions(counts, marks)), (counts, marks)


def test_without_small_counts_nothing_is_hidden():
    assert not completing(_frame([0, 5, 17]), 5).any()
    assert not completing(_frame([2, 3, 20, 30]), 5).any()  # their sum, 5, leaves 1 and 4 as well


def test_a_count_that_the_source_hid_protects_no_other():
    """The total counts it with the middle of its bounds, and the bounds are known."""
    frame = _frame([3, 0, 40, 12]).astype({"value": "Int64"})
    frame.loc[2, "value"] = pd.NA
    assert completing(frame, 5).tolist() == [False, False, False, True]


def test_a_value_may_not_rest_on_a_hidden_year():
    about = About(id="registered.area.cases.x", unit="cases", source="Polizei")
    frame = pd.DataFrame({"area": ["00", "00", "01", "01"], "period": ["2023", "2024"] * 2, "value": [3, 20, 30, 40]})
    shown = publish(frame, Rules(), about=about, keys=("area", "period"), basis="cases")
    hidden = hidden_years(shown.frame)
    assert hidden == {("00", "2023")}
    assert touches(pd.Series(["00", "01"]), ["2023", "2024"], hidden) == [True, False]


def _recovered(material: annual.Material) -> list[tuple[str, str, str, float]]:
    """Try to compute hidden counts from the published changes, the inhabitants and the counts that are shown."""
    project, year, found = material.project, material.year, []
    people = project.inhabitants().set_index(["area", "year"])["inhabitants"]
    for outcome in material.registered:
        counts = outcome.areas.frame.set_index(["area", "period"])
        for change in [] if outcome.change is None else outcome.change.frame.to_dict("records"):
            known = {period: counts.loc[(change["area"], period), "value"] for period in (*outcome.before, str(year))}
            unknown = [period for period, value in known.items() if pd.isna(value)]
            if len(unknown) != 1 or pd.isna(change["value"]):
                continue
            persons = people.loc[change["area"]]
            ratio = (1 + change["value"]) * persons[year] / sum(persons[int(period)] for period in outcome.before)
            before = sum(known[period] for period in outcome.before if period not in unknown)
            if unknown == [str(year)]:
                value = ratio * (before + HALF) - HALF
            else:
                value = (known[str(year)] + HALF) / ratio - HALF - before
            found.append((outcome.id, change["area"], unknown[0], value))
    return found


def test_no_hidden_count_of_the_sample_can_be_computed(sample_project):
    material = annual.gather(start(project=str(sample_project), year=2024, language="de"))
    hidden = sum(int(outcome.areas.frame["suppressed"].sum()) for outcome in material.registered)
    assert hidden > 0  # else there would be nothing to protect
    assert _recovered(material) == []


def test_no_hidden_count_of_the_sample_is_the_rest_of_a_total(sample_project):
    material = annual.gather(start(project=str(sample_project), year=2024, language="de"))
    for outcome in material.registered:
        for period, rows in outcome.areas.frame.groupby("period"):
            if rows["value"].isna().any():
                assert rows["suppressed"].sum() != 1, (outcome.id, period)


def test_an_attack_that_works_is_noticed():
    """The attack above finds the count in what the report published before: changes beside one hidden year."""
    counts = pd.DataFrame(
        {
            "area": "00",
            "period": ["2022", "2023", "2024"],
            "value": [20.0, None, 18.0],
            "suppressed": [False, True, False],
        }
    )
    ratio = (18 + HALF) / (20 + 3 + HALF)
    people = pd.DataFrame({"area": "00", "year": [2022, 2023, 2024], "inhabitants": [900, 1000, 1100]})
    change = pd.DataFrame({"area": ["00"], "value": [ratio * (900 + 1000) / 1100 - 1]})
    outcome = SimpleNamespace(
        id="x", before=("2022", "2023"), areas=SimpleNamespace(frame=counts), change=SimpleNamespace(frame=change)
    )
    project = SimpleNamespace(inhabitants=lambda: people)
    material = SimpleNamespace(project=project, year=2024, registered=(outcome,))
    ((_, _, period, value),) = _recovered(material)
    assert (period, round(value, 9)) == ("2023", 3.0)
