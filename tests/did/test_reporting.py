"""Reporting: what would explain an effect away, and the effect less what the survey says about reporting."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from evaluation import ClusterRobust, EstimationError, Randomization, Sample, Share, SurveyDesign, TwoByTwo
from evaluation.did.reporting import (
    explained_away,
    explained_away_note,
    explaining_change,
    reporting_adjusted,
    reporting_change,
)
from evaluation.estimates import Counts, Influence, Scale
from evaluation.influence import estimates_from_influence
from tests.did.test_two_by_two import panel_of, poisson
from tests.simulation.page import interval

QUICK = Randomization(draws=399, enumerate_up_to=0)
WAVES = {"group": "treated", "wave": "wave", "baseline": "2018", "later": "2021"}


def effect_of(size=0.7, inference=QUICK, scale="ratio", treated="abc"):
    counts = poisson(mean=150)
    counts[:3, 10:] = np.round(counts[:3, 10:] * size)
    return TwoByTwo(inference=inference, scale=scale).estimate(panel_of(counts, dict.fromkeys(treated, "2020")))


EFFECT = effect_of()


def survey(rates=((0.5, 0.4), (0.5, 0.5)), people=200, seed=1):
    """Return victims by group (treated, others) and wave, who reported at these rates, in strata of two groups."""
    rng, parts = np.random.default_rng(seed), []
    for treated, pair in zip((1, 0), rates, strict=True):
        for wave, rate in zip(("2018", "2021"), pair, strict=True):
            reported = (rng.random(people) < rate).astype(int)
            parts.append(pd.DataFrame({"treated": treated, "wave": wave, "reported": reported}))
    frame = pd.concat(parts, ignore_index=True)
    frame["stratum"], frame["weight"] = frame["treated"].astype(str), rng.uniform(1, 3, len(frame))
    return Sample(frame, SurveyDesign(wave="wave", id="survey"))


def rates_of(sample):
    return Share("reported", (1,), by=("treated", "wave")).estimate(sample)


def change_of(estimate, std_error, df=np.inf):
    """Return a change in reporting with these numbers."""
    values = std_error * np.array([[1.0], [-1.0]]) / np.sqrt(2)
    return estimates_from_influence(
        pd.DataFrame({"term": ["reporting"]}),
        np.array([estimate]),
        Influence(values=values, units=np.array(["x", "y"]), correction="none", df=df),
        scale=Scale("log", "ratio"),
        declaration=EFFECT.declaration,
        method=Share("reported", (1,)),
        counts=Counts(observations=2, units=2),
    )


# --- what would explain it away ---


@pytest.mark.parametrize(
    ("numbers", "vanishes", "indistinct"),
    [
        ((np.log(0.8), np.log(0.6), np.log(0.95)), -0.2, -0.05),
        ((np.log(1.3), np.log(1.1), np.log(1.5)), 0.3, 0.1),
        ((np.log(0.8), np.log(0.6), np.log(1.05)), -0.2, np.nan),
        ((np.log(0.8), np.nan, np.log(0.95)), -0.2, -0.05),
        ((np.log(0.8), np.log(0.6), np.nan), -0.2, np.nan),
    ],
)
def test_the_change_in_reporting_that_would_explain_an_effect_by_hand(numbers, vanishes, indistinct):
    facts = explaining_change(*numbers)
    assert facts["vanishes_if_reporting"] == pytest.approx(vanishes)
    assert facts["indistinct_if_reporting"] == pytest.approx(indistinct, nan_ok=True)


def test_what_it_says():
    facts = explaining_change(np.log(0.8), np.log(0.6), np.log(0.95))
    assert explained_away_note(facts).worded("de") == (
        "Die Wirkung verschwände, wenn sich die Anzeigequote in den Gebieten mit Maßnahme gegenüber den anderen um "
        "−20\N{NO-BREAK SPACE}% geändert hätte; ab −5\N{NO-BREAK SPACE}% wäre sie nicht mehr von keiner Wirkung zu "
        "unterscheiden."
    )
    facts = explaining_change(np.log(0.8), np.log(0.6), np.log(1.05))
    assert explained_away_note(facts).worded("en") == (
        "The effect would vanish if the reporting rate in the areas with the measure had changed by −20% against the "
        "others; it cannot be told from none anyway."
    )


def test_an_effect_whose_cases_were_reported_less_by_that_much_is_none():
    """Taking off the change that explains the estimate leaves nothing, the smaller one leaves an end at zero."""
    effect = effect_of()
    facts = explained_away(effect)
    gone = reporting_adjusted(effect, change_of(np.log1p(facts["vanishes_if_reporting"]), 1e-9))
    assert gone.row(term="effect")["estimate"] == pytest.approx(0, abs=1e-9)
    least = reporting_adjusted(effect, change_of(np.log1p(facts["indistinct_if_reporting"]), 1e-9))
    assert least.row(term="effect")["conf_high"] == pytest.approx(0, abs=1e-8)


def test_only_a_ratio_can_be_explained_by_reporting():
    with pytest.raises(EstimationError) as caught:
        explained_away(effect_of(scale="levels"))
    assert caught.value.worded("de") == (
        "TwoByTwo: Einer Änderung des Anzeigeverhaltens lässt sich nur eine Wirkung als Verhältnis gegenüberstellen, "
        'keine in Fällen oder Anteilen. Abhilfe: scale = "ratio" verlangen (die Änderung des Anzeigeverhaltens: '
        "reporting_change)."
    )


# --- the change in reporting ---


def test_change_in_reporting_by_hand():
    sample = survey()
    shares = rates_of(sample)
    change = reporting_change(shares, **WAVES).table.iloc[0]
    rate = shares.table.set_index(["treated", "wave"])["estimate"]
    expected = np.log(rate[1, "2021"] / rate[1, "2018"]) - np.log(rate[0, "2021"] / rate[0, "2018"])
    assert change["estimate"] == pytest.approx(expected, abs=1e-12)
    # Linearised by hand: of every respondent, weight (answer - rate) / (sum of weights x rate), by stratum.
    frame, total = sample.frame, 0.0
    for treated in (1, 0):
        own = frame[frame["treated"] == treated]
        groups = [own[own["wave"] == wave] for wave in ("2018", "2021")]
        parts = [
            group["weight"] * (group["reported"] - rate[treated, wave]) / (group["weight"].sum() * rate[treated, wave])
            for group, wave in zip(groups, ("2018", "2021"), strict=True)
        ]
        total += sum(len(part) / (len(part) - 1) * ((part - part.mean()) ** 2).sum() for part in parts)
    assert change["std_error"] == pytest.approx(np.sqrt(total), abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_exchanging_waves_or_groups_turns_the_sign(seed):
    shares = rates_of(survey(seed=seed))
    one = reporting_change(shares, **WAVES).table.iloc[0]
    turned = reporting_change(shares, **{**WAVES, "baseline": "2021", "later": "2018"}).table.iloc[0]
    table = shares.table.assign(treated=1 - shares.table["treated"])
    swapped = reporting_change(replace(shares, table=table), **WAVES).table.iloc[0]
    for other in (turned, swapped):
        assert [other["estimate"], other["std_error"]] == pytest.approx([-one["estimate"], one["std_error"]])


def test_a_group_that_nobody_reported_in_is_named():
    with pytest.raises(EstimationError) as caught:
        reporting_change(rates_of(survey(rates=((0.5, 0.0), (0.5, 0.5)))), **WAVES)
    assert caught.value.worded("de") == (
        "Für treated = True in Welle 2021 gibt es keine Anzeigequote über 0 mit einem Standardfehler. "
        "Abhilfe: Die Werte der Spalten prüfen oder größere Gruppen von Gebieten bilden."
    )
    with pytest.raises(EstimationError, match="wave 2024"):
        reporting_change(rates_of(survey()), **{**WAVES, "later": "2024"})


# --- the adjusted effect ---


def test_errors_of_independent_sources_add_up_by_hand():
    effect = effect_of(inference=ClusterRobust())
    row = reporting_adjusted(effect, change_of(-0.1, 0.08, df=50)).row(term="effect")
    alone = effect.row(term="effect")
    std_error = np.hypot(alone["std_error"], 0.08)
    df = std_error**4 / (alone["std_error"] ** 4 / alone["df"] + 0.08**4 / 50)
    estimate = alone["estimate"] + 0.1
    assert [row["estimate"], row["std_error"], row["df"]] == pytest.approx([estimate, std_error, df])
    assert row["p_value"] == pytest.approx(2 * t.sf(abs(estimate / std_error), df))
    assert row["conf_high"] == pytest.approx(estimate + t.ppf(0.975, df) * std_error)


def test_square_and_add_by_hand():
    effect = effect_of(size=0.8)
    row, alone = reporting_adjusted(effect, change_of(-0.1, 0.08)).row(term="effect"), effect.row(term="effect")
    margin = norm.ppf(0.975) * 0.08
    estimate = alone["estimate"] + 0.1
    high = estimate + np.hypot(alone["conf_high"] - alone["estimate"], margin)
    assert row["estimate"] == pytest.approx(estimate)
    assert row["conf_low"] == pytest.approx(estimate - np.hypot(alone["estimate"] - alone["conf_low"], margin))
    assert row["conf_high"] == pytest.approx(high)
    assert row["p_value"] == pytest.approx(2 * norm.sf(-estimate / (high - estimate) * norm.ppf(0.975)))


@settings(max_examples=40, deadline=None)
@given(change=st.floats(-0.6, 0.3), std_error=st.floats(0.01, 0.3))
def test_p_value_and_interval_agree_whether_zero_is_excluded(change, std_error):
    row = reporting_adjusted(EFFECT, change_of(change, std_error)).row(term="effect")
    excluded = row["conf_high"] < 0 or row["conf_low"] > 0
    assert (row["p_value"] < 0.05) == excluded
    assert row["p_value"] >= EFFECT.facts["smallest_p"]


@pytest.mark.parametrize("inference", [QUICK, ClusterRobust()])
def test_no_change_in_reporting_known_for_certain_leaves_the_interval(inference):
    effect = effect_of(inference=inference)
    adjusted, alone = reporting_adjusted(effect, change_of(0.0, 1e-7)).row(term="effect"), effect.row(term="effect")
    for name in ("estimate", "conf_low", "conf_high"):
        assert adjusted[name] == pytest.approx(alone[name], abs=1e-6)


def test_the_rows_say_what_was_taken_from_what():
    effect, change = effect_of(), reporting_change(rates_of(survey()), **WAVES)
    result = reporting_adjusted(effect, change)
    values = result.table.set_index("term")["estimate"]
    assert values.index.tolist() == ["effect", "registered", "reporting"]
    assert values["effect"] == pytest.approx(values["registered"] - values["reporting"])
    assert result.facts["detectable"] > effect.facts["detectable"]
    assert (
        "Bereinigte Wirkung: registrierte Fälle abzüglich der Änderung der Anzeigequote aus der Befragung; der Bereich "
        "trägt die Unsicherheit beider."
    ) in result.worded_notes("de")


def test_an_open_interval_stays_open():
    """With one of nine areas treated and no earlier years nothing can be said at 5 %."""
    effect = TwoByTwo(before=1, after=1).estimate(panel_of(poisson(units=9, years=2), {"a": "2011"}))
    row = reporting_adjusted(effect, change_of(-0.1, 0.1)).row(term="effect")
    assert np.isnan([row["p_value"], row["conf_low"], row["conf_high"]]).all()
    assert row["note"] == "no_std_error no_interval triple_dose.note.no_joint_p"


def test_a_change_without_error_or_on_another_scale_is_refused():
    effect = effect_of()
    two_rows = rates_of(survey())
    with pytest.raises(EstimationError) as caught:
        reporting_adjusted(effect, two_rows)
    assert caught.value.worded("en") == (
        "Share: a change in reporting can only be set against an effect that is a ratio, not against cases or shares. "
        'What to do: Ask for scale = "ratio" (the change in reporting: reporting_change).\n'
        "The change in reporting needs exactly one row with an estimate and a standard error; there are 4 rows. "
        "What to do: Build it with reporting_change(...)."
    )


def test_coverage_in_small():
    """True effect -20 %, reporting down by 10 %: the adjusted intervals cover the true effect, the others do not."""
    rng, missed, fooled = np.random.default_rng(4), [], []
    method = TwoByTwo(before=3, after=1, inference=QUICK)
    for number in range(50):
        counts = poisson(mean=400, seed=number) * rng.gamma(400, 1 / 400, (40, 14))
        counts[:3, 10:] *= 0.8 * 0.9
        effect = method.estimate(panel_of(np.round(counts), dict.fromkeys("abc", "2020")))
        rates = rates_of(survey(rates=((0.6, 0.54), (0.6, 0.6)), people=3000, seed=number))
        row = reporting_adjusted(effect, reporting_change(rates, **WAVES)).row(term="effect")
        missed.append(not row["conf_low"] < np.log(0.8) < row["conf_high"])
        alone = effect.row(term="effect")
        fooled.append(not alone["conf_low"] < np.log(0.8) < alone["conf_high"])
    low, high = interval(np.mean(missed), len(missed), 0.999)
    assert low <= 0.07
    assert high >= 0.03
    assert np.mean(fooled) > 0.2
