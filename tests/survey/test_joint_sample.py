"""Registered and perceived in the sample project: the numbers that the tutorial prints."""

from pathlib import Path

import numpy as np
import pytest

import evaluation
from evaluation import Change, MeasuredAndFelt, MeasureDifference, RankAgreement, Share
from evaluation.place.changes import changes_by_area
from evaluation.survey.agreement import quadrants

SAMPLE = Path(__file__).parents[2] / "data_samples" / "leipzig_simulated"
ITEM = "unsafe_night_area"


@pytest.fixture(scope="module")
def project():
    return evaluation.open_project(SAMPLE, year=2024)


@pytest.fixture(scope="module")
def unsafe(project):
    item = project.items[ITEM]
    return Share(item.column, tuple(item.unsafe), by="area", scale=item.scale)


@pytest.fixture(scope="module")
def changes(project, unsafe):
    people = project.inhabitants().rename(columns={"area": "unit", "year": "period"}).astype({"period": "str"})
    counts = project.counts("street_crime", period="year")
    registered = changes_by_area(counts, before=["2021"], after=["2024"], inhabitants=people)
    return registered.rename(columns={"unit": "area"}), Change(unsafe, "2021", "2024").estimate(project.sample()).table


def test_both_effects_of_the_patrols(project):
    felt = MeasureDifference(measure="A2", item=ITEM).estimate(project)
    assert (felt.method.baseline, felt.method.wave) == ("2021", "2024")
    study = project.study("patrols")
    method = MeasuredAndFelt(felt.method, measured=project.method("patrols"))
    both = method.estimate(project.panel(study), project.sample())
    rows = both.table.set_index("result")
    assert np.expm1(rows.loc["measured", "estimate"]) == pytest.approx(-0.153, abs=5e-4)
    assert rows.loc["felt", "estimate"] == pytest.approx(-0.081, abs=5e-4)
    assert rows.loc["together", "p_value"] == pytest.approx(0.019, abs=1e-3)
    assert both.facts["both_p"] == pytest.approx(0.039, abs=1e-3)
    assert both.facts["correlation"] == pytest.approx(0.05, abs=0.05)  # simulated apart
    # True are -18 % and -10.7 points; both intervals hold them.
    for result, true in (("measured", np.log(0.82)), ("felt", -0.1069)):
        assert rows.loc[result, "conf_low"] < true < rows.loc[result, "conf_high"]


def test_no_area_is_named(changes):
    registered, perceived = changes
    found = quadrants(registered, perceived.rename(columns={"estimate": "value"}))
    assert len(found) == 63
    assert not found["clear"].any()


def test_ranks_of_changes_cannot_be_judged(project, changes):
    areas = project.table("areas").set_index("area")
    kept = areas.index[areas["residents_meaningful"]]
    pairs = changes[0].merge(changes[1], on="area", suffixes=("", "_felt"))
    pairs = pairs[pairs["area"].isin(kept)]
    usual = (np.log1p(pairs["conf_high"]) - np.log1p(pairs["conf_low"])).to_numpy() / (2 * 1.96)
    moved = RankAgreement().estimate(
        np.log1p(pairs["value"]).to_numpy(),
        pairs["estimate"].to_numpy(),
        std_errors=(usual, pairs["std_error"].to_numpy()),
    )
    assert moved.facts["reliability"] == pytest.approx((0.36, 0.13), abs=5e-3)
    true = moved.row(term="spearman_true")
    assert np.isnan(true["estimate"])
    assert (true["conf_low"], true["conf_high"]) == (-1, 1)


def test_ranks_of_levels(project, unsafe):
    areas = project.table("areas").set_index("area")
    sample = project.sample()
    shares = unsafe.estimate(sample.where(sample.frame["wave"].eq("2024"))).table.set_index("area")
    shares = shares.drop(index=areas.index[~areas["residents_meaningful"]])
    counts = project.counts("street_crime", period="year").query("period == '2024'").set_index("unit")["count"]
    people = project.inhabitants().query("year == 2024").set_index("area")["inhabitants"]
    now, residents = (values.reindex(shares.index).to_numpy(dtype=float) for values in (counts, people))
    levels = RankAgreement().estimate(
        np.log(now / residents),
        shares["estimate"].to_numpy(),
        std_errors=(1 / np.sqrt(now), shares["std_error"].to_numpy()),
    )
    assert levels.facts["reliability"] == pytest.approx((0.95, 0.39), abs=5e-3)
    true = levels.row(term="spearman_true")
    assert (true["conf_low"], true["conf_high"]) == pytest.approx((-0.25, 0.49), abs=5e-3)
