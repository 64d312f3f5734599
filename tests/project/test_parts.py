"""A table in several files: read one by one, joined, and never counted twice."""

import pytest

from evaluation.errors import DataError
from evaluation.project import open_project

from .conftest import AREAS, INCIDENTS, PROJECT, RESPONDENTS, SURVEY, incident_rows

PARTS = PROJECT.replace(
    '[tables.counts]\nfile = "data/counts.csv"',
    """[tables.counts]
layout = "years_as_columns"

[[tables.counts.parts]]
file = "data/theft.csv"
category = "theft"

[[tables.counts.parts]]
file = "data/robbery.csv"
category = "robbery"
marks = { "-" = "zero" }
""",
)


def sheet(*cells: str) -> str:
    """Years as columns: 2019 to 2022 for every area, the same cells for all."""
    rows = "".join(f"{name};{';'.join(cells)}\n" for name in AREAS.values())
    return f"Ortsteil;{';'.join(str(2019 + n) for n in range(len(cells)))}\n{rows}"


def parts(**files: str) -> dict[str, str]:
    return {"project.toml": PARTS, **{f"data/{name}.csv": content for name, content in files.items()}}


def test_one_sheet_for_each_offence_becomes_one_table(city) -> None:
    project = open_project(city(parts(theft=sheet("5", "6", "7", "8"), robbery=sheet("1", "-", "2", "."))))
    table = project.table("counts")
    assert table.groupby("category")["count"].sum().to_dict() == {"theft": 26 * 6, "robbery": 3 * 6}
    assert table["count"].dtype == "Int64"
    assert set(table.loc[table["count"].isna(), "period"]) == {"2022"}, "a dash is zero in this part, a dot is not"
    assert project.check().ok
    assert {"data/theft.csv", "data/robbery.csv"} <= set(project.inputs)
    assert project.counts("theft")["count"].tolist() == [5, 6, 7, 8] * 6


def test_a_row_in_two_parts_is_a_problem(city) -> None:
    twice = PARTS.replace('category = "robbery"', 'category = "theft"')
    files = parts(theft=sheet("5", "6"), robbery=sheet("5", "6"))
    problems = open_project(city({**files, "project.toml": twice})).check().problems
    assert problems[0].worded("en") == (
        "File data/robbery.csv, table counts: A row stands in data/theft.csv, too (area = 00, "
        "period = 2019, category = theft); it would count twice. What to do: Delete one of both rows, or give each "
        "file a category of its own."
    )
    assert problems[-1].worded("en") == "Table counts: Another 7 keys occur more than once (12 in all)."


def test_years_in_one_part_and_months_in_another_would_count_twice(city) -> None:
    twice = PARTS.replace('category = "robbery"', 'category = "theft"')
    months = sheet("5", "6").replace("2019;2020", "2019-01;2019-02")
    problems = open_project(city({**parts(theft=sheet("5"), robbery=months), "project.toml": twice})).check().problems
    assert [problem.worded("en") for problem in problems] == [
        "File data/robbery.csv, table counts, value “2019-01”: Key theft has periods of different lengths: 2019-01 "
        "here, 2019 in data/theft.csv; the cases would count twice. What to do: Deliver each key with one length only."
    ]


def test_all_problems_of_all_parts_at_once(city) -> None:
    files = parts(theft=sheet("zwei", "6"), robbery=sheet("5", "6").replace("Mitte", "Mitt"))
    problems = open_project(city(files)).delivery("counts").problems
    assert {problem.file for problem in problems} == {"data/theft.csv", "data/robbery.csv"}


def test_incidents_and_respondents_in_parts(city) -> None:
    head, *rows = incident_rows().splitlines(keepends=True)
    header, *respondents = RESPONDENTS.splitlines(keepends=True)
    waves = {"2020": respondents[:12], "2022": respondents[12:]}
    declared = INCIDENTS.replace(
        'file = "data/incidents.csv"', 'parts = [{ file = "data/a.csv" }, { file = "data/b.csv" }]'
    ) + SURVEY.replace(
        'file = "data/respondents.csv"', 'parts = [{ file = "data/2020.csv" }, { file = "data/2022.csv" }]'
    )
    files = {"data/a.csv": head + "".join(rows[:500]), "data/b.csv": head + "".join(rows[500:])}
    files |= {f"data/{wave}.csv": header + "".join(lines) for wave, lines in waves.items()}
    project = open_project(city(files, more=declared))
    assert project.check().problems == ()
    assert len(project.table("incidents")) == len(rows)
    assert project.counts("robbery")["count"].sum() == 4 * 48
    assert project.table("respondents").groupby("wave").size().to_dict() == {"2020": 12, "2022": 12}


@pytest.mark.parametrize("changed", ["", 'file = "a.csv"\nparts = [{ file = "b.csv" }]'])
def test_a_table_has_a_file_or_parts(city, changed: str) -> None:
    project = PROJECT.replace('[tables.counts]\nfile = "data/counts.csv"', f"[tables.counts]\n{changed}")
    with pytest.raises(DataError) as caught:
        open_project(city({"project.toml": project}))
    assert str(caught.value) == (
        'File project.toml, table counts: A table has either file or parts. What to do: Give file = "…", or a '
        "section [[tables.counts.parts]] for each file."
    )


def test_a_wrong_key_in_a_part_is_told_with_its_line(city) -> None:
    with pytest.raises(DataError) as caught:
        open_project(city({"project.toml": PARTS.replace('category = "robbery"', 'categorie = "robbery"')}))
    [problem] = caught.value.problems
    assert (problem.code, problem.values["nearest"]) == ("data.toml_unknown_key_like", "category")
