"""The truth about the sample lies in a region that covers all of it at once with 99.9 %, by the package's own methods.

The seed of the sample was decided before anybody looked (the month of the agreement's signature). Regions are
Bonferroni's: every one of the m statements holds at 1 - 0.001 / m.
"""

import tomllib

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtri

import evaluation
from evaluation.simulate.truth import ITEMS, OUTCOMES

LEVEL = 0.999


@pytest.fixture(scope="module")
def truth(sample_project):
    return tomllib.loads((sample_project / "truth.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project(sample_project):
    return evaluation.open_project(sample_project, year=2024)


def statement(name, true, estimate, error):
    return {"name": name, "true": true, "estimate": estimate, "error": error}


def effects_on_cases(project, truth):
    """Every effect on registered cases: the method of the study; its error is the spread of the placebo effects."""
    for effect in truth["effects"]:
        main = "patrols" if effect["measure"] == "A2" else "nachtschwaermer"
        study = evaluation.Study(
            id=f"{effect['measure']}_{effect['outcome']}",
            measure=effect["measure"],
            outcome=effect["outcome"],
            treated_since=effect["areas"],
            leave_out="neighbours",
        )
        if effect.get("until", "2024-04") == "2024-04":  # the after-window of the studies
            found = project.method(main).estimate(project.panel(study))
            row = found.table.set_index("term").loc["effect"]
            error = found.draws.values[:, 0].std()
            yield statement(study.id, effect["log_ratio"], row["estimate"], error)


def recording_break(project, truth):
    """A year of graffiti after the change against the year before, areas with patrols set aside."""
    counts = project.counts("graffiti", period="month")
    counts = counts[~counts["unit"].isin(truth["effects"][0]["areas"])]
    after = counts[counts["period"].between("2022-07", "2023-06")].groupby("unit")["count"].sum()
    before = counts[counts["period"].between("2021-07", "2022-06")].groupby("unit")["count"].sum()
    ratio = after.sum() / before.sum()
    areas = np.sqrt(len(after)) * (after - ratio * before).std() / after.sum()
    months = np.sqrt(2 * 0.0009 / 12)  # shocks of the whole city do not show in the spread of areas
    trend = 0.01
    return statement(
        "recording", truth["recording_break"]["log_change"], np.log(ratio) - trend, np.hypot(areas, months)
    )


def shares(project, truth):
    """Every share of every wave, in patrolled areas and elsewhere: weighted, with the variance of the design."""
    sample = project.sample()
    frame = sample.frame
    patrolled = frame["area"].isin(truth["effects"][0]["areas"])
    for answer in truth["answers"]:
        column = project.items[answer["item"]].column
        share = evaluation.Share(column, codes=tuple(answer["codes"]), by=sample.design.wave)
        for place, mask in (("patrolled", patrolled), ("elsewhere", ~patrolled)):
            table = share.estimate(sample.where(mask)).table.set_index(sample.design.wave)
            for wave, true in answer[place].items():
                found = table.loc[wave]
                yield statement(f"{answer['item']} {place} {wave}", true, found["estimate"], found["std_error"])


def odds(project, truth):
    """Every odds ratio of the patrols and of the mode: a logit of the answers with an intercept for every area."""
    frame = project.sample().frame
    areas = truth["effects"][0]["areas"]
    for answer in truth["answers"]:
        rows = frame[frame[project.items[answer["item"]].column].notna()]
        design = [
            rows["area"].isin(areas) & rows["wave"].eq("2024"),
            rows["mode"].eq("online"),
            rows["gender"].eq("weiblich"),
            *(rows["wave"].eq(wave) for wave in ("2021", "2024")),
            *(rows["age_group"].eq(age) for age in ("35-59", "60+")),
            *(rows["area"].eq(area) for area in sorted(set(rows["area"]))),
        ]
        counted = rows[project.items[answer["item"]].column].isin(answer["codes"])
        fit, error = logit(np.column_stack(design).astype(float), counted.to_numpy(float), rows["area"])
        for position, name, true in (
            (0, "patrols", answer["log_odds_ratio"]),
            (1, "mode", mode_effect(truth, answer["item"])),
        ):
            yield statement(f"{answer['item']} odds of {name}", true, fit[position], error[position])


def logit(design, outcome, clusters):
    """Maximum likelihood by Newton's steps. Few areas are patrolled, and errors clustered by area may then be too
    small: the larger of these and the usual ones counts."""
    fit = np.zeros(design.shape[1])
    for _ in range(8):
        share = expit(design @ fit)
        inverse = np.linalg.inv((design * (share * (1 - share))[:, None]).T @ design)
        fit = fit + inverse @ (design.T @ (outcome - share))
    assert np.abs(design.T @ (outcome - expit(design @ fit))).max() < 1e-6
    scores = pd.DataFrame(design * (outcome - share)[:, None]).groupby(clusters.to_numpy()).sum().to_numpy()
    robust = inverse @ scores.T @ scores @ inverse
    return fit, np.sqrt(np.maximum(np.diag(inverse), np.diag(robust)))


def mode_effect(truth, item):
    return truth["mode"]["log_odds_ratio"] if item in truth["mode"]["items"] else 0.0


@pytest.fixture(scope="module")
def statements(project, truth):
    rows = [
        *effects_on_cases(project, truth),
        recording_break(project, truth),
        *shares(project, truth),
        *odds(project, truth),
    ]
    return pd.DataFrame(rows).assign(distance=lambda t: (t["estimate"] - t["true"]) / t["error"])


def test_the_region_covers_the_whole_truth(statements):
    reach = -ndtri((1 - LEVEL) / 2 / len(statements))
    outside = statements[~(statements["distance"].abs() < reach)]
    assert outside.empty, outside.to_string()


def test_the_region_holds_every_statement_and_is_narrow_enough_to_fail(statements, truth):
    assert len(statements) == 6 + 1 + 9 * 6 + 2 * 9
    errors = statements.set_index("name")["error"]
    assert errors["A2_street_crime"] < 0.1
    assert errors["unsafe_night_area odds of patrols"] < 0.2
    assert errors[[name for name in errors.index if "elsewhere" in name]].max() < 0.015


def test_distances_are_those_of_chance(statements):
    # Shares are the bulk: with right standard errors their squared distances average 1 (54 of them, some correlated).
    shares_only = statements[statements["name"].str.contains("elsewhere|patrolled")]
    assert 0.5 < (shares_only["distance"] ** 2).mean() < 1.7


def test_outcomes_and_items_are_those_of_the_project(project, truth):
    assert {name: project.outcomes[name].categories for name in OUTCOMES} == dict(OUTCOMES)
    assert {a["item"]: tuple(a["codes"]) for a in truth["answers"]} == {n: project.items[n].unsafe for n in ITEMS}
    assert {effect["outcome"] for effect in truth["effects"]} == set(OUTCOMES)


def test_the_effect_on_shares_follows_from_the_odds(truth):
    for answer in truth["answers"]:
        bare = answer["patrolled"]["2024"] - answer["effect_on_share"]
        logit = np.log(bare / (1 - bare)) + answer["log_odds_ratio"]
        # The mean of shares is not the share at the mean odds, but nearly.
        assert answer["patrolled"]["2024"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=0.006)
