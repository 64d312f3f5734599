"""Group-time effects: by hand, against csdid, by invariance, in a small simulation, and with bad input."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import (
    ClusterRobust,
    DesignError,
    EstimationError,
    GroupTime,
    MultiplierBootstrap,
    Panel,
    Study,
    TwoByTwo,
)
from evaluation.influence import contrast

REFERENCE = Path(__file__).parent.parent / "reference"
BY = {"dynamic": "event_time", "group": "cohort", "calendar": "period"}
TOLERANCE = 1e-8  # except where csdid is itself less exact; there a comment says so


def panel_of(outcome, starts, *, covariates=None, first=2010, **study):
    """Yearly outcomes ``(N, T)``, start index by unit (-1: never), covariates by name ``(N,)`` or ``(N, T)``."""
    outcome = np.asarray(outcome, dtype=float)
    units, years = outcome.shape
    names = [f"{number:03d}" for number in range(units)]
    labels = [str(first + year) for year in range(years)]
    frame = pd.DataFrame(
        {"unit": np.repeat(names, years), "period": labels * units, "outcome": outcome.ravel()}
    ).astype({"unit": "str", "period": "str"})
    for name, values in (covariates or {}).items():
        values = np.asarray(values)
        frame[name] = (np.repeat(values, years) if values.ndim == 1 else values.ravel()).copy()
    since = {name: str(first + start) for name, start in zip(names, starts, strict=True) if start >= 0}
    return Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since=since, **study))


def made(seed=1, units=40, years=7, effect=-0.5):
    """Two cohorts of eight and six units; a covariate that trends depend on."""
    rng = np.random.default_rng(seed)
    starts = np.r_[np.full(8, 3), np.full(6, 5), np.full(units - 14, -1)]
    x = rng.normal(size=units) + 0.4 * (starts > 0)
    y = 20 + x[:, None] * np.arange(years) * 0.2 + rng.normal(size=(units, years))
    y += effect * ((starts[:, None] >= 0) & (np.arange(years) >= starts[:, None]))
    return y, starts, x


def additive(aggregation, **options):
    return GroupTime(aggregation=aggregation, scale="additive", inference=ClusterRobust(), **options)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_one_cell_by_hand():
    panel = panel_of([[10, 12], [10, 16], [20, 21], [20, 22], [20, 26]], [1, 1, -1, -1, -1])
    row = additive(None).estimate(panel).row(cohort="2011", period="2011")
    assert row["estimate"] == pytest.approx((2 + 6) / 2 - (1 + 2 + 6) / 3)
    # deviations from the two means, each divided by its number of units
    assert row["std_error"] == pytest.approx(np.sqrt((4 + 4) / 2**2 + (4 + 1 + 9) / 3**2))
    assert row["n"] == 2


def test_covariates_by_hand():
    """Outcome regression through comparison changes 1, 2, 3 at x = 0, 1, 2 foresees 2 at x = 1."""
    panel = panel_of(
        [[10, 16], [10, 18], [20, 21], [20, 22], [20, 23]], [1, 1, -1, -1, -1], covariates={"x": [1, 1, 0, 1, 2]}
    )
    result = additive("simple", covariates=("x",), estimator="outcome_regression").estimate(panel)
    assert result.row(term="effect")["estimate"] == pytest.approx(7 - 2)


def test_odds_weights_are_normalised_by_hand():
    """With one binary covariate fitted shares are exact: odds 2/4 at x = 0 and 1/2 at x = 1."""
    changes = [5, 5, 8, 1, 2, 3, 4, 10, 20]
    x = [0, 0, 1, 0, 0, 0, 0, 1, 1]
    panel = panel_of([[10, 10 + change] for change in changes], [1] * 3 + [-1] * 6, covariates={"x": x})
    weighted = (2 / 4 * (1 + 2 + 3 + 4) + 1 / 2 * (10 + 20)) / (2 + 1)
    for estimator in ("inverse_probability", "doubly_robust"):
        result = additive("simple", covariates=("x",), estimator=estimator).estimate(panel)
        assert result.row(term="effect")["estimate"] == pytest.approx(6 - weighted)


# --- against csdid ----------------------------------------------------------------------------------------------------


def agrees(panel, theirs, options, tolerance=TOLERANCE):
    """Compare all cells and aggregations that the reference has; null is the reference period."""

    def same(row, values):
        assert row["estimate"] == pytest.approx(values[0], abs=tolerance)
        if values[1] is None:
            assert row["note"] == "reference_period"
        else:
            assert row["std_error"] == pytest.approx(values[1], abs=tolerance)

    result = additive(None, **options).estimate(panel)
    for key, values in theirs["cells"].items():
        cohort, period = key.split()
        same(result.row(cohort=cohort, period=period), values)
    for kind in ("simple", *BY):
        if kind not in theirs:
            continue
        result = additive(kind, **options).estimate(panel)
        same(result.row(term="effect"), theirs[kind])
        for key, values in theirs.get(f"{kind}_by", {}).items():
            same(result.row(**{"term": BY[kind], BY[kind]: int(key) if kind == "dynamic" else key}), values)


CONFOUNDED = json.loads((REFERENCE / "confounded.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def confounded():
    frame = pd.read_csv(REFERENCE / "confounded.csv", dtype={"area": "str", "year": "str"})
    since = {row.area: str(row.start) for row in frame.drop_duplicates("area").itertuples() if row.start}
    frame = frame.rename(columns={"area": "unit", "year": "period", "y": "outcome"})
    return Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since=since))


@pytest.mark.parametrize("case", CONFOUNDED)
def test_a_strong_confounder_with_eight_of_63_treated_as_csdid(case, confounded):
    """tests/reference/group_time_recipe.py; z varies over time, its value in the base period counts."""
    formula, _, way = case.partition(", ")
    options = {"covariates": tuple(formula.removeprefix("~").split(" + ")) if formula != "none" else ()}
    options |= {"base": "universal"} if way == "universal" else {"estimator": way} if way else {}
    # csdid's logit (statsmodels) stops at a deviance change of 1e-8, which leaves odds off by up to 1e-9
    agrees(confounded, CONFOUNDED[case], options)


def mpdta(shared, rows=slice(None), **study):
    """The county panel as csdid got it; every 29th and 31st row may be missing."""
    raw = pd.read_csv(shared / "reference" / "mpdta.csv")
    frame = pd.DataFrame({"unit": raw["countyreal"].astype(int), "period": raw["year"].astype(int)})
    frame["outcome"], frame["lpop"], frame["start"] = raw["lemp"], raw["lpop"], raw["first.treat"].astype(int)
    frame = frame.sort_values(["unit", "period"], ignore_index=True)[rows]
    frame = frame.astype({"unit": str, "period": str})
    if study.get("anticipation"):
        frame = frame[frame["start"] != 2004]  # csdid drops them: no period before anticipation
    if study.pop("only_treated", False):
        frame = frame[frame["start"] > 0]
    units = frame.drop_duplicates("unit")
    since = {unit: str(start) for unit, start in zip(units["unit"], units["start"], strict=True) if start}
    return Panel(frame, Study(id="s", outcome="o", event="e", period="year", treated_since=since, **study))


def test_mpdta_never_treated_as_three_programs(shared):
    """csdid 0.4.3 and moderndid 0.2.0 agree; ATTs are those that R's did publishes."""
    found = json.loads((shared / "reference" / "mpdta_reference.json").read_text(encoding="utf-8"))
    panel = mpdta(shared)
    for covariates in (None, "~lpop"):
        given = found[f"dr / covariates {covariates} / control nevertreated"]
        theirs = {"cells": {key.strip("()").replace(",", ""): value for key, value in given["cells"].items()}}
        for kind, values in given["agg"].items():
            by = kind.endswith("_by")
            theirs[kind] = {str(int(float(key))): value for key, value in values.items()} if by else values
        agrees(panel, theirs, {"covariates": ("lpop",) if covariates else ()})


MPDTA = json.loads((REFERENCE / "mpdta.json").read_text(encoding="utf-8"))
LAST = "last year without never treated"


@pytest.mark.parametrize("case", [key for key in MPDTA if "gaps" not in key and key != LAST])
def test_mpdta_by_comparison_estimator_and_base_as_csdid(case, shared):
    group, covariate, *how = case.split(", ")
    study = {"comparison": "not_yet_treated" if group == "not yet" else "never_treated"}
    options = {"covariates": () if covariate == "none" else ("lpop",)}
    for way in how:
        if way == "anticipation":
            study["anticipation"] = 1
        elif way == "universal":
            options["base"] = way
        else:
            options["estimator"] = way
    agrees(mpdta(shared, **study), MPDTA[case], options)


def gaps(rows=2500):
    number = np.arange(rows)
    return (number % 29 != 7) & (number % 31 != 11)


def test_unbalanced_panels_complete_units_or_cell_by_cell_as_csdid(shared):
    panel = mpdta(shared, gaps())
    agrees(panel, MPDTA["gaps dropped, lpop"], {"covariates": ("lpop",), "unbalanced": "drop"})
    agrees(panel, {"cells": MPDTA["gaps by cell"]}, {"covariates": ("lpop",)})
    kept = additive("simple", covariates=("lpop",)).estimate(panel)
    fewer = additive("simple", covariates=("lpop",), unbalanced="drop").estimate(panel)
    # lpop does not change over time, so that rows that are missing take no covariate with them
    missing = int((~np.isfinite(panel.outcome)).any(axis=1).sum())
    assert fewer.counts.dropped == {"core.note.dropped_incomplete": missing}
    assert kept.counts.dropped == {"core.note.dropped_incomplete": 1}  # with no two periods to compare
    assert f"{missing} areas have gaps; every effect uses the areas with data in both of its periods." in (
        kept.worded_notes()
    )


def test_without_units_never_treated_the_last_cohort_is_compared_until_it_starts(shared):
    """csdid takes the last cohort for never treated and ends the panel before it starts."""
    panel = mpdta(shared, comparison="not_yet_treated", only_treated=True)
    agrees(panel, {key: value for key, value in MPDTA[LAST].items() if key in {"cells", "simple"}}, {})
    result = additive(None).estimate(panel)
    assert result.row(cohort="2004", period="2007")["note"] == "group_time.note.no_comparison"
    assert np.isnan(result.row(cohort="2004", period="2007")["estimate"])
    assert "Start in 2006: no area is left to compare with in 2007 to 2007." in result.worded_notes()
    by_cohort = additive("group").estimate(panel)
    assert by_cohort.row(cohort="2007")["note"] == "group_time.note.no_comparison"
    assert by_cohort.row(cohort="2004")["note"] == "group_time.note.partly"
    for cohort in ("2004", "2006"):
        row, theirs = by_cohort.row(cohort=cohort), MPDTA[LAST]["group_by"][cohort]
        assert [row["estimate"], row["std_error"]] == pytest.approx(theirs, abs=TOLERANCE)


# --- by invariance ----------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**20),
    shift=st.floats(0, 1e3),
    times=st.floats(0.1, 50),
    aggregation=st.sampled_from([None, "simple", "dynamic", "group", "calendar"]),
)
@settings(max_examples=15, deadline=None)
def test_shift_scale_and_order_of_rows_do_not_matter(seed, shift, times, aggregation):
    y, starts, x = made(seed)
    method = additive(aggregation, covariates=("x",))
    first = method.estimate(panel_of(y, starts, covariates={"x": x}))
    order = np.random.default_rng(seed).permutation(len(y))
    moved = panel_of((times * (y + shift))[order], starts[order], covariates={"x": (7 - 300 * x)[order]})
    second = method.estimate(moved)
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(second.table[column], times * first.table[column], rtol=1e-6, atol=1e-8 * times)


def test_periods_and_units_alone_do_not_matter():
    """Effects of periods (common shocks) and units cancel."""
    y, starts, x = made()
    panel = panel_of(y, starts, covariates={"x": x})
    moved = panel_of(y + 5 * np.arange(y.shape[1]) + 3 * np.arange(len(y))[:, None], starts, covariates={"x": x})
    method = additive("dynamic", covariates=("x",))
    first, second = method.estimate(panel), method.estimate(moved)
    np.testing.assert_allclose(first.table["estimate"], second.table["estimate"], atol=1e-10)
    np.testing.assert_allclose(first.table["std_error"], second.table["std_error"], atol=1e-10)


def test_without_covariates_the_estimators_are_one():
    panel = panel_of(*made()[:2])
    tables = [
        additive("dynamic", estimator=estimator).estimate(panel).table
        for estimator in ("doubly_robust", "outcome_regression", "inverse_probability")
    ]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_two_periods_agree_with_two_by_two():
    y, starts, _ = made()
    panel = panel_of(y[:, 2:4], np.where(starts == 3, 1, -1))
    ours = additive("simple").estimate(panel)
    other = TwoByTwo(before=1, after=1, scale="additive", inference=ClusterRobust()).estimate(panel)
    assert ours.row(term="effect")["estimate"] == pytest.approx(other.row(term="effect")["estimate"], abs=1e-12)


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_averages_are_averages_of_cells_and_so_are_their_influences(comparison):
    """A contrast of the cells with fixed shares has the estimate; its influence lacks that of the shares alone."""
    y, starts, x = made()
    panel = panel_of(y, starts, covariates={"x": x}, comparison=comparison)
    cells = additive(None, covariates=("x",)).estimate(panel)
    table = cells.table.assign(since=cells.table["period"].astype(int) - cells.table["cohort"].astype(int))
    by_time = additive("dynamic", covariates=("x",)).estimate(panel)
    for event_time in range(-3, 4):
        weights = np.where(table["since"] == event_time, table["n"], 0.0)
        fixed = contrast(cells, {"mean": weights / weights.sum()}, df=np.inf)
        row = by_time.row(event_time=event_time)
        assert row["estimate"] == pytest.approx(fixed.table["estimate"][0], abs=1e-12)
        effects, sizes = table["estimate"][weights > 0], weights[weights > 0]
        shares = (sizes * (effects - row["estimate"]) ** 2).sum() / sizes.sum() ** 2
        mixed = 2 * (
            fixed.influence.values.T @ (by_time.influence.values[:, [event_time + 5]] - fixed.influence.values)
        )
        assert row["std_error"] ** 2 == pytest.approx(fixed.table["std_error"][0] ** 2 + shares + mixed[0, 0])


def test_the_frame_stays_as_it_was():
    y, starts, x = made()
    panel = panel_of(y, starts, covariates={"x": x})
    before, outcome = panel.frame.copy(), panel.outcome.copy()
    additive("group", covariates=("x",)).estimate(panel)
    pd.testing.assert_frame_equal(panel.frame, before)
    np.testing.assert_array_equal(panel.outcome, outcome)


def test_a_dropped_partial_period_has_no_cell_and_leaves_no_gap():
    y, starts, _ = made()
    panel = panel_of(y, starts)
    since = {unit: f"{int(start) - 1}-06" for unit, start in panel.study.starts.items()}
    partial = Panel(panel.frame, Study(id="s", outcome="o", event="e", period="year", treated_since=since))
    result = additive(None).estimate(partial)
    assert "2012" not in set(result.table["period"][result.table["cohort"] == "2013"])
    whole = y[:8, 3] - y[:8, 1]
    others = y[14:, 3] - y[14:, 1]
    assert result.row(cohort="2013", period="2013")["estimate"] == pytest.approx(whole.mean() - others.mean())
    assert result.table["note"].eq("").all()
    assert result.worded_notes()[1:] == []


# --- scales and inference ---------------------------------------------------------------------------------------------


def test_ratios_are_mean_log_ratios_of_rates():
    rng = np.random.default_rng(3)
    counts, people = rng.poisson(60, (30, 4)), rng.integers(900, 1100, (30, 4))
    panel = panel_of(counts, np.r_[np.full(6, 2), np.full(24, -1)], covariates={"exposure": people}, exposure=True)
    row = GroupTime(inference=ClusterRobust(), window=(0, 0)).estimate(panel).row(term="effect")
    change = np.log((counts[:, 2] + 0.5) / people[:, 2]) - np.log((counts[:, 1] + 0.5) / people[:, 1])
    assert row["estimate"] == pytest.approx(change[:6].mean() - change[6:].mean())


@pytest.mark.parametrize("aggregation", [None, "simple", "dynamic", "group", "calendar"])
def test_cases_follow_from_the_ratio(aggregation):
    rng = np.random.default_rng(3)
    counts = rng.poisson(60, (30, 5))
    panel = panel_of(counts, np.r_[np.full(6, 2), np.full(5, 3), np.full(19, -1)])
    ratio = GroupTime(aggregation=aggregation, inference=ClusterRobust()).estimate(panel)
    cases = GroupTime(aggregation=aggregation, inference=ClusterRobust(), scale="levels").estimate(panel)
    observed = cases.table["estimate"] / (1 - np.exp(-ratio.table["estimate"]))
    if aggregation is None:
        expected = counts[:6, 2].sum()
        assert cases.row(cohort="2012", period="2012")["estimate"] / (
            1 - np.exp(-ratio.row(cohort="2012", period="2012")["estimate"])
        ) == pytest.approx(expected)
    elif aggregation != "dynamic":
        assert observed[0] == pytest.approx(counts[:6, 2:].sum() + counts[6:11, 3:].sum())
    np.testing.assert_allclose(cases.table["p_value"], ratio.table["p_value"])
    np.testing.assert_allclose(np.sqrt((cases.influence.values**2).sum(axis=0)), cases.table["std_error"])
    assert cases.scale.unit == "cases"


def test_cells_without_a_case_have_additional_cases_too():
    counts = np.random.default_rng(3).poisson(20, (30, 4))
    counts[:6, 3] = 0
    panel = panel_of(counts, np.r_[np.full(6, 2), np.full(24, -1)])
    ratio = GroupTime(aggregation=None, inference=ClusterRobust()).estimate(panel)
    cases = GroupTime(aggregation=None, inference=ClusterRobust(), scale="levels").estimate(panel)
    theirs, ours = (result.row(period="2013")["estimate"] for result in (ratio, cases))
    assert ours == pytest.approx(0.5 * 6 * (1 - np.exp(-theirs)))


def test_bands_hold_all_effects():
    y, starts, _ = made()
    method = GroupTime(aggregation="dynamic", scale="additive", inference=MultiplierBootstrap(draws=199))
    band = method.estimate(panel_of(y, starts))
    pointwise = additive("dynamic").estimate(panel_of(y, starts))
    np.testing.assert_allclose(band.table["std_error"], pointwise.table["std_error"])
    assert (band.table["conf_low"] < pointwise.table["conf_low"]).all()


def test_by_drawn_assignments_one_effect_and_a_path():
    rng = np.random.default_rng(3)
    counts = rng.poisson(80, (40, 14))
    counts[:4, 9:] = rng.poisson(48, (4, 5))
    x = rng.normal(size=40)
    panel = panel_of(counts, np.r_[np.full(4, 9), np.full(36, -1)], covariates={"x": x})
    result = GroupTime(covariates=("x",)).estimate(panel)
    assert result.table["term"].tolist() == ["effect", "unadjusted"]
    assert result.row(term="effect")["p_value"] < 0.05
    own = GroupTime(covariates=("x",), window=(0, int(result.facts["after"]) - 1), inference=ClusterRobust())
    assert result.row(term="unadjusted")["estimate"] == pytest.approx(
        own.estimate(panel).row(term="effect")["estimate"]
    )
    path = GroupTime(aggregation="dynamic", window=(-2, 2)).estimate(panel)
    assert path.table["event_time"].tolist() == [-2, -1, 0, 1, 2]
    assert path.row(event_time=-1)["note"] == "reference_period"
    cases = GroupTime(scale="levels").estimate(panel)
    assert cases.scale.unit == "cases"


def test_intervals_cover_and_two_models_protect():
    """150 panels: the trend depends on x and x squared, so the regression is wrong, the propensity model right."""
    rng = np.random.default_rng(11)
    covered, bias = [], {"doubly_robust": [], "outcome_regression": []}
    for _ in range(150):
        x = rng.normal(size=150)
        starts = np.where(rng.random(150) < 1 / (1 + np.exp(0.8 - 0.9 * x)), 1, -1)
        y = np.zeros((150, 2))
        y[:, 1] = 0.5 * x + 0.5 * x**2 + 0.3 * rng.normal(size=150) + 1.0 * (starts > 0)
        panel = panel_of(y + 100, starts, covariates={"x": x})
        for estimator, values in bias.items():
            row = additive("simple", covariates=("x",), estimator=estimator).estimate(panel).row(term="effect")
            values.append(row["estimate"] - 1)
            if estimator == "doubly_robust":
                covered.append(row["conf_low"] <= 1 <= row["conf_high"])
    assert 0.89 <= np.mean(covered) <= 0.99  # 99 % binomial interval of 95 %, a little wider for 50 treated
    assert abs(np.mean(bias["doubly_robust"])) < 0.05
    assert abs(np.mean(bias["outcome_regression"])) > 0.1


# --- bad input --------------------------------------------------------------------------------------------------------


def worded(panel, language="en", aggregation="simple", **options):
    with pytest.raises((EstimationError, DesignError)) as caught:
        additive(aggregation, **options).estimate(panel)
    return caught.value.worded(language)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DesignError) as caught:
        GroupTime(aggregation="cohort", covariates="x", base="first", window=(2, 1), inference=ClusterRobust())
    assert caught.value.worded("en") == (
        "GroupTime: aggregation = cohort is not allowed. What to do: Allowed: None, simple, dynamic, group, calendar.\n"
        "GroupTime: base = first is not allowed. What to do: Allowed: varying, universal.\n"
        'GroupTime: covariates = x is not allowed. What to do: Allowed: ("x",).\n'
        "GroupTime: window = (2, 1) is not allowed. What to do: Allowed: (k, l), k <= l, l >= 0."
    )
    with pytest.raises(DesignError) as caught:
        GroupTime(aggregation="calendar", window=(0, 1), inference=ClusterRobust())
    assert caught.value.worded("en") == (
        "GroupTime: window = (0, 1) is not allowed. What to do: Allowed: None, aggregation = simple, dynamic, group."
    )


def test_what_has_no_randomisation_test_says_what_to_ask_for():
    with pytest.raises(DesignError) as caught:
        GroupTime(aggregation="group")
    assert caught.value.worded("en") == (
        "GroupTime: with random assignment there is one effect or one for each time since the start, not aggregation = "
        'group. What to do: Choose aggregation = "simple" or "dynamic", or ask for inference = ClusterRobust().'
    )
    with pytest.raises(DesignError) as caught:
        GroupTime(aggregation="dynamic", scale="additive")
    assert caught.value.worded("de") == (
        "GroupTime: Mit Zufallszuordnung sind die Wirkungen nach der Zeit seit dem Beginn Verhältnisse, nicht scale = "
        'additive. Abhilfe: scale = "ratio" oder aggregation = "simple" wählen oder inference = ClusterRobust() '
        "verlangen."
    )


def test_covariates_that_cannot_be_used_are_named_together():
    y, starts, x = made()
    panel = panel_of(
        y, starts, covariates={"wealth": x, "name": [f"area {i}" for i in range(len(y))], "one": np.ones(len(y))}
    )
    assert worded(panel, covariates=("welth", "name")) == (
        'GroupTime: the panel has no further column "welth". What to do: Add the column to the table of the panel, or '
        "correct the name. Similar: wealth\n"
        'GroupTime: the column "name" holds text ("area 0"); a covariate is a number. What to do: Give one column of '
        "zeros and ones for each category but one."
    )
    assert worded(panel, covariates=("one",)) == (
        'GroupTime: the column "one" has no two different values, so that nothing can be adjusted for it. '
        "What to do: Leave out the covariate."
    )
    broken = panel_of(y, starts, covariates={"x": np.where(np.arange(len(y)) == 3, np.inf, x)})
    assert worded(broken, covariates=("x",)) == (
        'GroupTime: the column "x" holds infinite values. What to do: Leave unknown values empty; before taking '
        "logs, replace "
        "zeros."
    )


def test_perfect_separation_names_cohort_and_covariates():
    y, starts, x = made()
    panel = panel_of(y, starts, covariates={"x": np.where(starts == 3, x + 100, x)})
    result = additive(None, covariates=("x",)).estimate(panel)
    assert result.table["note"][result.table["cohort"] == "2013"].unique().tolist() == ["group_time.note.no_overlap"]
    assert result.table["note"][result.table["cohort"] == "2015"].unique().tolist() == [""]
    assert (
        "Start in 2013: the covariates x almost surely tell the 8 areas from the others; nobody is like them (2011 "
        "to 2016)."
    ) in result.worded_notes()
    overall = additive("simple", covariates=("x",)).estimate(panel)
    assert overall.row(term="effect")["note"] == "group_time.note.partly"
    assert overall.counts.treated == 6
    alone = panel_of(y[8:], starts[8:], covariates={"x": np.where(starts == 5, x + 100, x)[8:]})
    assert worded(alone, covariates=("x",)) == (
        "GroupTime: the covariates x almost surely tell the 6 areas that start in 2015 from the others, so that "
        "nobody is "
        'like them (2011 to 2016). What to do: Use fewer or coarser covariates, or estimator = "outcome_regression", '
        "which "
        "extrapolates."
    )
    extrapolated = additive("simple", covariates=("x",), estimator="outcome_regression").estimate(alone)
    assert extrapolated.row(term="effect")["std_error"] > 0


def test_separation_on_the_harmless_side_is_no_error():
    """Nobody with x = 1 is treated: these units just count for nothing."""
    y, starts, _ = made()
    x = (np.arange(len(y)) >= 30).astype(float)
    result = additive("simple", covariates=("x",), estimator="inverse_probability").estimate(
        panel_of(y, starts, covariates={"x": x})
    )
    alone = additive("simple").estimate(panel_of(y[:30], starts[:30]))
    for column in ("estimate", "std_error"):
        # odds of 1e-13, where Newton's method stops, instead of zero
        assert result.table[column][0] == pytest.approx(alone.table[column][0], abs=1e-7)


@pytest.mark.parametrize("estimator", ["doubly_robust", "outcome_regression", "inverse_probability"])
def test_covariates_that_follow_from_each_other(estimator):
    y, starts, x = made()
    panel = panel_of(y, starts, covariates={"x": x, "twice": 2 * x + 1})
    assert worded(panel, covariates=("x", "twice"), estimator=estimator).splitlines()[0] == (
        "GroupTime: among the areas compared for the start in 2013 the covariates x and twice do not vary, or one "
        "follows "
        "from the others (2011 to 2016). What to do: Leave out one of the covariates."
    )


def test_fewer_areas_than_covariates():
    y, starts, x = made()
    rows = np.r_[:8, 14:16]
    panel = panel_of(y[rows], starts[rows], covariates={"x": x[rows]})
    assert worded(panel, covariates=("x",), estimator="outcome_regression") == (
        "GroupTime: for the areas that start in 2013 there are not more areas to compare with than covariates (x) in "
        "2011 "
        'to 2016. What to do: Use fewer covariates, or estimator = "inverse_probability".'
    )


def test_missing_covariates_are_counted():
    y, starts, x = made()
    x[[2, 20, 21]] = np.nan
    result = additive("simple", covariates=("x",)).estimate(panel_of(y, starts, covariates={"x": x}))
    assert result.counts.dropped == {"group_time.note.no_covariates": 3}
    assert "3 areas without values of the covariates were set aside." in result.worded_notes()
    kept = np.isfinite(x)
    alone = additive("simple", covariates=("x",)).estimate(panel_of(y[kept], starts[kept], covariates={"x": x[kept]}))
    assert result.row(term="effect")["estimate"] == pytest.approx(alone.row(term="effect")["estimate"])


def test_a_covariate_that_changes_counts_only_where_it_is_a_base():
    y, starts, _ = made()
    z = np.random.default_rng(5).normal(size=y.shape)
    z[3, 2] = np.nan  # the base of cohort 2013
    result = additive(None, covariates=("z",)).estimate(panel_of(y, starts, covariates={"z": z}))
    assert result.row(cohort="2013", period="2014")["n"] == 7
    assert result.row(cohort="2013", period="2012")["n"] == 8
    assert "1 areas have gaps; every effect uses the areas with data in both of its periods." in result.worded_notes()


def test_a_cohort_of_one_has_an_effect_without_error():
    y, starts, _ = made()
    panel = panel_of(y, np.where(np.arange(len(y)) == 0, 4, starts))
    result = additive("group").estimate(panel)
    row = result.row(cohort="2014")
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["std_error"])
    assert row["note"] == "group_time.note.one_unit"
    assert (
        "Start in 2014: where only one area has data there is no standard error, and averages do not contain its "
        "chance."
    ) in result.worded_notes()
    assert result.row(term="effect")["std_error"] > 0


def test_only_cohorts_of_one_and_only_one_area():
    y, starts, _ = made()
    rows = np.r_[0, 8, 14:30]
    result = additive("simple").estimate(panel_of(y[rows], starts[rows]))
    assert result.row(term="effect")["note"] == "group_time.note.one_unit"
    assert worded(panel_of(y[rows[1:]], starts[rows[1:]])) == (
        "GroupTime: with only one area with the measure there is no standard error by area. What to do: Use random "
        "assignment "
        "(leave out inference)."
    )


def test_one_area_to_compare_with():
    y, starts, _ = made()
    result = additive("simple").estimate(panel_of(y[:15], starts[:15]))
    assert result.row(term="effect")["note"] == "group_time.note.one_comparison"
    assert (
        "With one area to compare with there is no standard error, and averages do not contain its chance."
        in result.worded_notes()
    )


def test_the_same_change_everywhere_has_no_error():
    y = np.tile([[10.0, 12.0, 13.0]], (8, 1)) + np.arange(8)[:, None]
    y[:3, 2] += 4
    result = additive("simple").estimate(panel_of(y, [2] * 3 + [-1] * 5))
    assert result.row(term="effect")["estimate"] == pytest.approx(4)
    assert result.row(term="effect")["note"] == "survey.note.no_variation"


@pytest.mark.parametrize("aggregation", [None, "simple", "dynamic"])
def test_common_shocks_alone_have_neither_effect_nor_error(aggregation):
    """Rounding errors are no standard errors."""
    rng = np.random.default_rng(8)
    y = 100 * rng.normal(size=(40, 1)) + rng.normal(size=7) + 1e4
    result = additive(aggregation, covariates=("x",)).estimate(panel_of(y, made()[1], covariates={"x": made()[2]}))
    assert result.table["note"].unique().tolist() == ["survey.note.no_variation"]
    np.testing.assert_allclose(result.table["estimate"], 0, atol=1e-10)


def test_a_constant_outcome_is_refused():
    assert worded(panel_of(np.full((6, 3), 4.0), [1, 1, -1, -1, -1, -1])) == (
        "GroupTime: the outcome is the same in all areas and periods. What to do: Check whether the right keys were "
        "counted."
    )


def test_areas_without_a_case_are_set_aside_from_ratios_and_kept_in_differences():
    counts = np.random.default_rng(3).poisson(60, (30, 5))
    counts[[1, 20, 21]] = 0
    panel = panel_of(counts, np.r_[np.full(6, 2), np.full(24, -1)])
    result = GroupTime(inference=ClusterRobust()).estimate(panel)
    assert result.counts.dropped == {"core.note.all_zero": 3}
    assert (result.counts.units, result.counts.treated) == (27, 5)
    assert additive("simple").estimate(panel).counts.dropped == {}
    counts[:6] = 0
    with pytest.raises(EstimationError) as caught:
        GroupTime(inference=ClusterRobust()).estimate(panel_of(counts, np.r_[np.full(6, 2), np.full(24, -1)]))
    assert "not a single case before or after" in caught.value.worded("en")


def test_a_cohort_without_data_in_its_base_is_named():
    y, starts, _ = made()
    y[:8, 2] = np.nan
    result = additive("group").estimate(panel_of(y, starts))
    assert result.row(cohort="2013")["note"] == "group_time.note.no_treated"
    assert "Start in 2013: no area has data for a comparison in 2012 to 2016." in result.worded_notes()
    assert np.isfinite(result.row(term="effect")["std_error"])
    y[8:14, 4] = np.nan
    assert worded(panel_of(y, starts), language="de") == (
        "GroupTime: Kein Gebiet mit Beginn 2013 hat Daten für einen Vergleich in 2012 bis 2016. Abhilfe: Lücken in den "
        "Daten schließen oder diese Gebiete aus der Studie nehmen.\n"
        "GroupTime: Kein Gebiet mit Beginn 2015 hat Daten für einen Vergleich in 2014 bis 2016. Abhilfe: Lücken in den "
        "Daten schließen oder diese Gebiete aus der Studie nehmen."
    )


def test_a_window_that_nothing_reaches():
    panel = panel_of(*made()[:2])
    result = additive("dynamic", window=(-20, 40)).estimate(panel)
    assert result.table["event_time"].dropna().tolist() == list(range(-4, 4))
    assert worded(panel, aggregation="dynamic", window=(30, 40)) == (
        "GroupTime: no period lies in the window (30, 40) around any start. What to do: Choose a window that the "
        "periods of the "
        "panel reach."
    )


def test_a_measure_that_ends_has_no_cells_after_its_end():
    y, starts, _ = made()
    panel = panel_of(y, starts, until="2015")
    assert additive(None).estimate(panel).table["period"].max() == "2015"


def test_units_that_are_almost_surely_treated_are_not_compared_and_counted():
    """399 of 400 units with x = 1 are treated: the other one would count 399 times."""
    starts = np.r_[np.full(409, 1), np.full(51, -1)]
    x = np.r_[np.ones(399), np.zeros(60), 1]
    y = np.random.default_rng(2).normal(size=(460, 2)) + 50
    result = additive("simple", covariates=("x",), estimator="inverse_probability").estimate(
        panel_of(y, starts, covariates={"x": x})
    )
    change = y[:, 1] - y[:, 0]
    assert result.row(term="effect")["estimate"] == pytest.approx(change[:409].mean() - change[409:459].mean())
    assert (
        "Start in 2011: 1 areas without the measure are so like those with it that they are not compared; they would "
        "outweigh all others."
    ) in result.worded_notes()


def test_weights_on_few_areas_are_said():
    y, starts, x = made()
    x = np.where(starts == 3, x + 2.3, x)
    result = additive("simple", covariates=("x",)).estimate(
        panel_of(y[starts != 5], starts[starts != 5], covariates={"x": x[starts != 5]})
    )
    assert result.facts["effective_comparison"] < 5
    assert any("the comparison rests on few areas" in note for note in result.worded_notes())


def test_every_text_of_a_missing_cell_is_there():
    from evaluation.texts import has_text

    codes = ("no_treated", "no_comparison", "few_comparison", "singular", "no_overlap")
    for code, language in product(codes, ("de", "en")):
        assert has_text(f"group_time.{code}.problem", language)
        assert has_text(f"group_time.note.{code}", language)
