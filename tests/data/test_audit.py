"""The audit finds what was put in, and on the real counts what a careful reader must be warned of."""

import json

import numpy as np
import pandas as pd
import pytest

from evaluation import open_project
from evaluation.data.audit import Break, audit

YEARS = [str(year) for year in range(2005, 2023)]
MONTHS = [str(month)[:7] for month in np.arange("2019-01", "2025-01", dtype="datetime64[M]")]


def simulated(periods, *, areas=40, seed=0, rate=200.0, season=0.0):
    """Counts that vary more than Poisson, with a common movement and a season."""
    generator = np.random.default_rng(seed)
    level = rate * np.exp(generator.normal(0, 0.8, (areas, 1)))
    common = np.cumsum(generator.normal(0, 0.04 if periods is YEARS else 0.015, len(periods)))
    wave = season * np.sin(2 * np.pi * np.arange(len(periods)) / 12)
    mean = level * np.exp(common + wave) * generator.gamma(40, 1 / 40, (areas, len(periods)))
    return pd.DataFrame(generator.poisson(mean), index=[f"{area:02d}" for area in range(areas)], columns=periods)


def tidy(wide):
    return wide.rename_axis(index="unit", columns="period").stack().rename("count").reset_index()  # noqa: PD013


def found(wide, **options):
    return [(change.area, change.period, change.kind) for change in audit(tidy(wide), **options)]


@pytest.mark.parametrize("seed", range(5))
def test_counts_without_a_break_raise_few_alarms(seed):
    years, months = simulated(YEARS, seed=seed), simulated(MONTHS, seed=seed, season=0.3, rate=60)
    assert len(found(years)) <= 2  # of 680 changes
    assert len(found(months)) <= 3  # of 2,880 months and 2,000 overlapping windows


def test_a_year_that_comes_back_is_a_spike():
    wide = simulated(YEARS)
    wide.loc["07", "2015"] *= 4
    assert found(wide)[0] == ("07", "2015", "spike")
    wide = simulated(YEARS)
    wide.loc["07", "2015"] //= 5
    assert found(wide)[0] == ("07", "2015", "spike")


def test_a_level_that_stays_is_a_shift():
    wide = simulated(YEARS)
    wide.loc["07", "2015":] *= 3
    assert found(wide)[0] == ("07", "2015", "level_shift")


def test_the_last_year_cannot_be_judged_yet():
    wide = simulated(YEARS)
    wide.loc["07", "2022"] *= 4
    assert found(wide)[0] == ("07", "2022", "outlier")


def test_a_break_of_the_whole_city_is_one_break():
    wide = simulated(YEARS)
    wide.loc[:, "2010":] = (wide.loc[:, "2010":] * 1.6).round().astype(int)
    changes = audit(tidy(wide), outcome="harm")
    city = [change for change in changes if change.area is None]
    assert [(change.period, change.kind, change.outcome) for change in city] == [("2010", "level_shift", "harm")]
    assert city[0].before == wide["2009"].sum()
    assert city[0].after == wide["2010"].sum()
    assert city[0].later == wide["2011"].sum()
    assert city[0].factor == pytest.approx(wide["2010"].sum() / wide["2009"].sum())
    assert len(changes) <= 5


def test_scores_do_not_depend_on_order_or_on_a_common_factor_of_many_counts():
    wide = simulated(YEARS, rate=5000)
    wide.loc["07", "2015"] *= 4
    frame = tidy(wide)
    shuffled = frame.sample(frac=1, random_state=1)
    assert audit(frame) == audit(shuffled)
    pd.testing.assert_frame_equal(frame, tidy(wide))


def test_months_one_spike_one_shift_and_the_season_is_none():
    wide = simulated(MONTHS, season=0.3, rate=60)
    wide.loc["07", "2021-05"] = 6 * wide.loc["07", "2021-05"] + 60
    wide.loc["11", "2022-03":] = 2 * wide.loc["11", "2022-03":]
    changes = {(change.area, change.kind): change for change in audit(tidy(wide))}
    assert changes["07", "spike"].period == "2021-05"
    assert changes["11", "level_shift"].period in {"2022-01", "2022-02", "2022-03", "2022-04", "2022-05"}
    assert len(changes) <= 6


def test_a_recording_break_in_months():
    wide = simulated(MONTHS, season=0.3, rate=60)
    wide.loc[:, "2021-07":] = (wide.loc[:, "2021-07":] * 1.5).round().astype(int)
    city = [change for change in audit(tidy(wide)) if change.area is None]
    assert [change.kind for change in city] == ["level_shift"]
    assert city[0].period in {"2021-06", "2021-07", "2021-08"}


def test_missing_counts_are_passed_over():
    wide = simulated(YEARS).astype(float)
    wide.loc["07", "2015"] *= 4
    wide.loc["08", "2015":] = np.nan
    wide.loc["09"] = np.nan
    assert found(wide)[0] == ("07", "2015", "spike")


@pytest.mark.parametrize("frame", [simulated(YEARS[:2]), simulated(YEARS, areas=2), simulated(YEARS) * np.nan])
def test_too_little_to_compare_gives_no_break(frame):
    assert found(frame) == []


def test_warnings_in_words():
    spike = Break(
        outcome="all", area="12", period="2016", kind="spike", before=823, after=2859, later=812, factor=3.47, score=7
    )
    assert spike.worded("de", areas={"12": "Mockau-Nord"}, title="Straftaten insgesamt") == (
        "Mockau-Nord, Straftaten insgesamt: 2016 weicht einmalig ab (823 → 2.859, danach 812)."
    )
    shift = Break(
        outcome="bodily harm", area=None, period="2010", kind="level_shift",
        before=3379, after=5700, later=6111, factor=1.687, score=4,
    )  # fmt: skip
    assert shift.worded("en") == (
        "Whole city, bodily harm: from 2010 on the number is at a different level (3,379 → 5,700, 1.69 times)."
    )
    month = Break(
        outcome="graffiti", area=None, period="2022-07", kind="level_shift",
        before=1651, after=2240, later=None, factor=1.357, score=5,
    )  # fmt: skip
    assert month.worded("de", title="Graffiti") == (
        "Stadt insgesamt, Graffiti: Ab Juli 2022 liegt die Zahl auf einem anderen Niveau (zwölf Monate vorher 1.651, "
        "danach 2.240, das 1,36-Fache)."
    )
    last = Break(
        outcome="alle", area="01", period="2022", kind="outlier",
        before=3170, after=4842, later=None, factor=1.527, score=3,
    )  # fmt: skip
    assert last.worded("de") == (
        "01, alle: 2022 liegt weit außerhalb des Üblichen (3.170 → 4.842, das 1,53-Fache); ob das so bleibt, "
        "zeigt erst das nächste Jahr."
    )


def test_the_sample_project_shows_the_break_and_the_outlier_that_were_put_in(sample_project):
    project = open_project(sample_project)
    graffiti = audit(project.counts("graffiti", period="month"))
    assert [(change.area, change.kind) for change in graffiti] == [(None, "level_shift")]
    assert "2022-04" <= graffiti[0].period <= "2022-10"  # July, by truth.toml
    street = audit(project.counts("street_crime", period="month"))
    assert [(change.area, change.period, change.kind) for change in street] == [("25", "2021-10", "spike")]


def test_the_breaks_of_the_real_counts(shared):
    path = shared / "data" / "leipzig" / "leipzig-straftaten-insgesamt.json"
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    rows = [
        (series, cell["district"], year, cell["value"])
        for year, by_series in data.items()
        for series, cells in by_series.items()
        for cell in cells
    ]
    counts = pd.DataFrame(rows, columns=["series", "unit", "period", "count"])
    series = ["Straftaten insgesamt", "Diebstahl", "Körperverletzung", "Vermögensdelikte"]
    changes = [change for name in series for change in audit(counts[counts["series"] == name], outcome=name)]
    listed = {
        (change.outcome, change.area, change.period): (change.kind, change.before, change.after, change.later)
        for change in changes
    }
    whole, harm = series[0], series[2]
    assert listed[harm, None, "2010"] == ("level_shift", 3379, 5700, 6111)
    assert listed[whole, "Mockau-Nord", "2016"] == ("spike", 823, 2859, 812)
    assert listed[whole, "Großzschocher", "2011"] == ("spike", 797, 1867, 910)
    assert listed[whole, "Zentrum-Ost", "2022"] == ("outlier", 3170, 4842, None)
    # Beside these four there are twelve more among 4,284 changes of areas: the list stays readable.
    assert len(changes) == 16
    assert sum(change.outcome == whole for change in changes) == 6
