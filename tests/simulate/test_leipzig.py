"""The simulated Leipzig: rebuilt byte by byte, real where it says so, and with the features that it promises."""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest

from evaluation.data.contracts import Column
from evaluation.data.files import Source
from evaluation.data.readers import read_table
from evaluation.simulate.city import areas, model
from evaluation.simulate.leipzig import Leipzig
from evaluation.simulate.respondents import survey_model
from evaluation.simulate.truth import truth_bytes

STREET = [key for key, kind in model()["categories"].items() if kind["street"]]
PATROLS = model()["patrols"]["areas"]


@pytest.fixture(scope="module")
def city():
    return Leipzig(seed=model()["seed"], first=model()["first_year"], last=model()["last_year"])


@pytest.fixture(scope="module")
def contents(city):
    return {**city.files(), "truth.toml": truth_bytes(city)}


@pytest.fixture(scope="module")
def cases(city):
    """All cases, also those that the measures prevented."""
    both = city.incidents
    return pd.concat([both.registered.assign(avoided=False), both.avoided.assign(avoided=True)], ignore_index=True)


# --- the files ----------------------------------------------------------------------------------------------


def test_every_file_is_rebuilt_byte_by_byte(contents, sample_project):
    differing = [path for path, content in contents.items() if (sample_project / path).read_bytes() != content]
    assert not differing, "these files are not what the seed gives; `make samples` rebuilds them"


def test_no_data_file_stands_outside_the_simulation(contents, sample_project):
    there = {path.relative_to(sample_project).as_posix() for path in (sample_project / "data").iterdir()}
    assert there == {path for path in contents if path.startswith("data/")}


def test_the_sample_stays_small(contents):
    assert sum(map(len, contents.values())) < 8_000_000


def test_every_csv_file_says_first_what_is_simulated(contents):
    first = {
        path: content.decode("cp1252" if "vorfaelle" in path else "utf-8-sig").splitlines()[0]
        for path, content in contents.items()
        if path.endswith(".csv")
    }
    remark = "# Simulierte Daten: erfunden, keine echten Vorgänge und keine echten Personen"
    simulated = {path for path in first if path.endswith("_simuliert.csv")}
    assert {first[path] for path in simulated} == {remark}
    assert first["data/einwohner.csv"].endswith("2024 fortgeschrieben, keine amtliche Zahl")
    assert set(first) - simulated == {"data/einwohner.csv", "data/ortsteile.csv", "events.csv"}


@pytest.mark.parametrize(
    "table", ["areas", "inhabitants", "incidents", "counts", "deployments", "respondents", "events"]
)
def test_every_table_keeps_its_contract(sample_project, table):
    project = tomllib.loads((sample_project / "project.toml").read_text(encoding="utf-8"))
    file = {"events": "events.csv"}.get(table) or project["tables"][table]["file"]
    items = [
        Column(
            name=item["column"], kind="int", label={"de": name, "en": name}, example="1", required=False, nullable=True
        )
        for name, item in project["items"].items()
    ]
    extra = items if table == "respondents" else ()
    keys = read_table(Source(table="areas", path=sample_project / "data" / "ortsteile.csv", file="a")).table()
    known = None if table == "areas" else keys
    delivery = read_table(Source(table=table, path=sample_project / file, file=file), areas=known, extra=extra)
    assert [problem.worded("de") for problem in delivery.problems] == []
    if "area" in delivery.frame:
        assert "00" in set(delivery.frame["area"])


def test_another_seed_is_another_city_with_the_same_areas(contents):
    other = Leipzig(seed=1, first=2019, last=2024).files()
    same = {path for path, content in other.items() if contents[path] == content}
    real = {"data/ortsteile.csv", "data/ortsteile_schematisch.geojson", "data/einwohner.csv", "events.csv"}
    assert same == real


def test_fewer_years_are_a_part_of_all(contents):
    part = Leipzig(seed=model()["seed"], first=2020, last=2022).files()
    whole = contents["data/vorfaelle_simuliert.csv"].decode("cp1252").splitlines()
    kept = [line for line in whole[2:] if line[1:3] in {"20", "21", "22"}]
    assert part["data/vorfaelle_simuliert.csv"].decode("cp1252").splitlines() == [*whole[:2], *kept]
    waves = {line.split(";")[1] for line in part["data/befragung_simuliert.csv"].decode("utf-8-sig").splitlines()[2:]}
    assert waves == {"2018", "2021"}
    assert "survey_online_first" not in part["events.csv"].decode("utf-8-sig")


# --- what is real -------------------------------------------------------------------------------------------


def test_inhabitants_are_the_published_ones():
    assert sum(area.inhabitants[2023] for area in areas()) == 628_718
    assert len({area.key for area in areas()}) == len({area.name for area in areas()}) == 63


def test_inhabitants_of_2024_go_on_with_the_mean_change_of_two_years():
    centre = areas()[0].inhabitants
    assert (centre[2021], centre[2023], centre[2024]) == (1884, 1854, 1839)


def test_inhabitants_equal_the_portal(shared):
    data = json.loads((shared / "data" / "leipzig" / "leipzig-einwohner-insgesamt.json").read_text(encoding="utf-8"))
    for year in range(2018, 2024):
        rows = data["data"][str(year)]["Einwohner insgesamt"]
        assert {row["district"]: row["value"] for row in rows} == {a.name: a.inhabitants[year] for a in areas()}


def test_levels_of_the_areas_do_not_come_from_real_offences(cases, shared):
    # Both follow people, so they are alike; but the ranks of offences per inhabitant differ.
    path = shared / "data" / "leipzig" / "leipzig-straftaten-insgesamt.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["data"]["2022"]["Straftaten insgesamt"]
    real = {row["district"]: row["value"] for row in rows}
    simulated = cases.groupby("area").size()
    table = pd.DataFrame(
        [(real[a.name] / a.inhabitants[2022], simulated[a.key] / a.inhabitants[2022]) for a in areas() if a.key != "00"]
    )
    assert table.rank().corr().iloc[0, 1] < 0.8


# --- registered cases ---------------------------------------------------------------------------------------


def test_patrols_went_where_most_cases_were_the_year_before(cases):
    year = cases[cases["category"].isin(STREET) & cases["month"].str.startswith("2022") & cases["area"].ne("00")]
    assert year["area"].value_counts().index[:6].to_list() == list(PATROLS)


def test_cases_were_avoided_only_where_and_when_there_was_a_measure(cases):
    gone = cases[cases["avoided"]]
    assert set(gone["category"]) <= set(STREET)
    patrolled = gone[gone["area"].isin(PATROLS)]
    assert (patrolled["month"] >= patrolled["area"].map(PATROLS)).all()
    rest = gone[~gone["area"].isin(PATROLS)]
    assert set(rest["area"]) == {"00"}
    assert rest["occurred_from"].dt.hour.isin([22, 23, 0, 1, 2, 3]).all()


def test_the_share_of_avoided_cases_is_that_of_the_model(cases):
    reached = cases[cases["category"].isin(STREET) & cases["area"].isin(PATROLS)]
    reached = reached[reached["month"] >= reached["area"].map(PATROLS)]
    share, expected = reached["avoided"].mean(), -np.expm1(model()["patrols"]["log_effect"])
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / len(reached))


def test_yearly_dispersion_is_that_of_real_cities(cases):
    for keys, low, high in ((STREET, 4, 8), (["222100"], 1.3, 2.5)):
        chosen = cases[cases["category"].isin(keys)]
        table = pd.crosstab(chosen["area"], chosen["month"].str[:4]).to_numpy(float)
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
        assert low < ((table - expected) ** 2 / expected).sum() / (62 * 5) < high


def test_the_outlier_stands_out(cases):
    place = model()["outlier"]
    chosen = cases[cases["area"].eq(place["area"]) & cases["category"].eq(place["category"])]
    months = chosen["month"].value_counts()
    assert months.index[0] == place["period"]
    assert months.iloc[0] >= place["cases"] > 10 * months.iloc[1]


def test_times_are_in_order(cases):
    last = cases["occurred_to"].fillna(cases["occurred_from"])
    assert (last >= cases["occurred_from"]).all()
    assert (cases["recorded"] >= last.dt.normalize()).all()
    assert (cases["occurred_from"].dt.strftime("%Y-%m") == cases["month"]).all()
    assert cases["occurred_from"].dt.minute.mod(5).eq(0).all()


def test_small_counts_are_suppressed_with_bounds(sample_project):
    path = sample_project / "data" / "jahreszahlen_simuliert.csv"
    rows = read_table(Source(table="counts", path=path, file="counts")).table()
    hidden = rows["count"].isna()
    assert hidden.sum() > 10
    assert set(rows.loc[hidden, "reason"]) == {"suppressed"}
    assert rows.loc[hidden, ["lower", "upper"]].drop_duplicates().to_numpy().tolist() == [[1, 2]]
    assert not rows["count"].isin([1, 2]).any()


# --- deployments --------------------------------------------------------------------------------------------


def test_joint_housing_rounds_begin_with_the_measure(city):
    rows = city.deployments
    joint = rows[rows["part"].eq("housing") & rows["mode"].eq("joint")]
    assert (joint["start"].dt.strftime("%Y-%m") >= joint["area"].map(PATROLS)).all()
    assert set(joint["area"]) == set(PATROLS)


def test_one_night_of_every_weekend_is_drawn_from_2024_on(city):
    lots = city.lots
    drawn = lots[lots["by_lot"]]
    assert drawn.groupby("weekend")["picked"].sum().eq(1).all()
    assert set(drawn["night"].dt.year) == {2024}
    assert lots[~lots["by_lot"]].groupby("weekend")["picked"].sum().max() == 2


def test_planned_nights_are_the_picked_ones(city):
    rows = city.deployments
    nights = rows[rows["part"].eq("nachtschwaermer")]
    assert nights["start"].dt.normalize().to_list() == city.lots.loc[city.lots["picked"], "night"].to_list()


def test_what_was_cancelled_has_no_contacts_and_mostly_a_reason(city):
    rows = city.deployments
    cancelled = rows[~rows["carried_out"]]
    assert cancelled["planned"].all()
    assert cancelled["contacts"].isna().all()
    assert 0.8 < cancelled["cancelled_reason"].notna().mean() < 1
    assert rows.loc[rows["carried_out"], "cancelled_reason"].isna().all()


def test_the_planned_dose_of_the_register_is_that_of_the_deployments(city, sample_project):
    register = tomllib.loads((sample_project / "agreement.toml").read_text(encoding="utf-8"))["measures"]
    rows = city.deployments[city.deployments["planned"]]
    hours = (rows["end"] - rows["start"]).dt.total_seconds() / 3600
    year = rows["start"].dt.year
    for measure, part, name in (
        ("A2", "housing", "joint_hours"),
        ("A2", "parks", "joint_hours"),
        ("A2", "events", "joint_hours"),
        ("A6", "nachtschwaermer", "hours"),
    ):
        chosen = rows["measure"].eq(measure) & rows["part"].eq(part) & rows["mode"].eq("joint")
        planned = register[measure]["parts"][part]["indicators"][name]["planned"]
        done = hours[chosen].groupby(year[chosen]).sum()
        assert {int(y): planned[str(y)] for y in done.index} == {int(y): float(h) for y, h in done.items()}


# --- survey -------------------------------------------------------------------------------------------------


def test_waves_have_about_2800_respondents_and_enough_in_every_area(city):
    sizes = city.respondents.groupby("wave").size()
    assert sizes.between(2700, 2900).all()
    assert city.respondents.groupby(["wave", "area"]).size().between(25, 70).all()


def test_weights_add_up_to_the_adults_of_every_area(city):
    sums = city.respondents.groupby(["wave", "area"])["weight"].sum()
    adults = survey_model()["sample"]["adults"]
    for area in areas():
        for wave in survey_model()["waves"]:
            assert sums[wave, area.key] == pytest.approx(adults * area.inhabitants[int(wave)], rel=1e-3)


def test_older_people_answer_more_often_so_that_weights_matter(city):
    rows = city.respondents
    old = rows["age_group"].eq("60+")
    assert old.mean() > np.average(old, weights=rows["weight"]) + 0.03


def test_the_last_wave_was_online_first(city):
    online = city.respondents.groupby("wave")["mode"].apply(lambda mode: (mode == "online").mean())
    assert online["2018"] < 0.2
    assert online["2024"] > 0.65


def test_only_victims_are_asked_whether_they_reported(city):
    rows = city.respondents
    assert rows.loc[rows["f10_angezeigt"].notna(), "f9_opfer_zwoelf_monate"].eq(1).all()


def test_codes_stay_on_their_scales(city, sample_project):
    project = tomllib.loads((sample_project / "project.toml").read_text(encoding="utf-8"))
    for item in project["items"].values():
        answers = city.respondents[item["column"]].dropna()
        assert set(answers) == set(range(1, item["scale"] + 1))
