import numpy as np
import pandas as pd
import pytest

from evaluation.errors import DataError
from evaluation.place.changes import Fluctuation, changes_by_area, levels_of_city


def tidy(values: np.ndarray, first: int = 2015) -> pd.DataFrame:
    rows = [
        (f"{area:02d}", str(first + t), values[area, t])
        for area in range(values.shape[0])
        for t in range(values.shape[1])
    ]
    return pd.DataFrame(rows, columns=["unit", "period", "count"])


def overdispersed(seed: int, *, areas: int = 63, years: int = 8, spread: float = 0.1, phi: float = 4.0) -> np.ndarray:
    """Counts whose variance is phi times Poisson, with changes of `spread` that are no noise of counting."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(5, 0.8, size=(areas, 1)))
    mean = level * np.exp(rng.normal(0, spread / np.sqrt(2), size=(areas, years)))
    shape = mean / (phi - 1)
    return rng.poisson(rng.gamma(shape, phi - 1)).astype(float)


def test_change_by_hand():
    # 100 -> 80 and 50 -> 50 a year, with inhabitants 1000 -> 2000 in the first area
    counts = tidy(np.array([[100.0, 80.0], [50.0, 50.0], [70.0, 70.0]]))
    people = counts.rename(columns={"count": "inhabitants"}).assign(inhabitants=1000)
    people.loc[1, "inhabitants"] = 2000
    found = changes_by_area(counts, before=["2015"], after=["2016"], inhabitants=people)
    assert found["value"].to_numpy() == pytest.approx([80.5 / 2000 / (100.5 / 1000) - 1, 0, 0], abs=1e-12)
    assert found["cases_after"].tolist() == [80, 50, 70]


def test_windows_of_several_years_compare_yearly_means():
    counts = tidy(np.array([[90.0, 110.0, 50.0], [10.0, 10.0, 10.0], [20.0, 20.0, 20.0]]))
    found = changes_by_area(counts, before=["2015", "2016"], after=["2017"])
    assert found.loc[0, "value"] == pytest.approx((50.5 / 1) / (200.5 / 2) - 1, abs=1e-12)


def test_intervals_cover_no_change_although_counts_vary_more_than_poisson():
    covered = []
    for seed in range(40):
        found = changes_by_area(tidy(overdispersed(seed)), before=["2019"], after=["2022"])
        covered.append(((found["conf_low"] <= 0) & (found["conf_high"] >= 0)).mean())
    assert 0.93 < np.mean(covered) < 0.97


def test_a_real_change_is_seen():
    values = overdispersed(3)
    values[5, -1] = 3 * values[5, -1]
    found = changes_by_area(tidy(values), before=["2021"], after=["2022"]).set_index("unit")
    assert found.loc["05", "conf_low"] > 0


def test_order_of_rows_and_unit_of_inhabitants_do_not_matter():
    counts = tidy(overdispersed(1, areas=20))
    people = counts.rename(columns={"count": "inhabitants"}).assign(inhabitants=5000.0)
    first = changes_by_area(counts, before=["2021"], after=["2022"], inhabitants=people)
    scaled = people.assign(inhabitants=people["inhabitants"] * 7)
    second = changes_by_area(counts.sample(frac=1, random_state=1), before=["2021"], after=["2022"], inhabitants=scaled)
    pd.testing.assert_frame_equal(first, second)


def test_the_frame_of_the_caller_stays_as_it_is():
    counts = tidy(overdispersed(2, areas=5))
    copy = counts.copy()
    changes_by_area(counts, before=["2021"], after=["2022"])
    levels_of_city(counts)
    pd.testing.assert_frame_equal(counts, copy)


def test_a_missing_count_leaves_the_area_without_a_value():
    values = overdispersed(4, areas=10)
    values[3, -1] = np.nan
    found = changes_by_area(tidy(values), before=["2021"], after=["2022"])
    assert found["value"].isna().tolist() == [area == 3 for area in range(10)]


def test_a_year_that_is_not_there_is_named():
    with pytest.raises(DataError) as caught:
        changes_by_area(tidy(np.full((4, 3), 10.0)), before=["2013"], after=["2017"])
    assert caught.value.worded("de") == (
        "Tabelle counts, Spalte period, Wert „2013“: Für den Vergleich fehlen Jahre in den Daten. "
        "Abhilfe: Diese Jahre liefern oder andere Jahre vergleichen."
    )


def test_total_of_the_city_by_hand():
    counts = tidy(np.array([[100.0, 120.0], [50.0, 60.0]]))
    people = counts.rename(columns={"count": "inhabitants"}).assign(inhabitants=1000)
    found = levels_of_city(counts, inhabitants=people)
    assert found["value"].tolist() == [75.0, 90.0]
    assert found["cases"].tolist() == [150.0, 180.0]


def test_variance_formula():
    fluctuation = Fluctuation(tau2=0.01, phi=2.0, dates=3)
    assert fluctuation.variance(np.array([99.5]), np.array([49.5])) == pytest.approx([0.01 + 2 * (1 / 100 + 1 / 50)])


def test_interval_of_the_total_covers_it():
    hits = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = overdispersed(seed, spread=0.0)
        expected = np.exp(rng.normal(5, 0.8, size=(63, 1))).sum()  # the same first draw as in overdispersed
        found = levels_of_city(tidy(values))
        hits.append(((found["conf_low"] <= expected) & (expected <= found["conf_high"])).mean())
    assert 0.93 < np.mean(hits) < 0.97
