"""Regression to the mean: risers by hand, none where nothing fluctuates, and the figures of a real city."""

import numpy as np
import pandas as pd
import pytest

from evaluation import ClusterRobust, DesignError, Panel, Randomization, Study, TwoByTwo
from evaluation.diagnostics import regression_to_the_mean
from tests.diagnostics.made import panel_of, poisson_panel
from tests.simulation.panels import leipzig_years

METHOD = TwoByTwo(before=3, after=1, inference=Randomization(draws=199))


def test_rows_are_the_estimators_own_and_their_difference():
    panel = poisson_panel()
    result, own = regression_to_the_mean(panel, METHOD), METHOD.estimate(panel)
    assert result.table["term"].tolist() == [
        "effect", "unadjusted", "difference", "expected_return",
        "placebo_risers_naive", "placebo_risers", "placebo_risers_adjusted",
    ]  # fmt: skip
    effect, naive = (own.row(term=term)["estimate"] for term in ("effect", "unadjusted"))
    assert result.row(term="effect")["conf_low"] == own.row(term="effect")["conf_low"]
    assert result.row(term="unadjusted")["estimate"] == naive
    assert result.row(term="difference")["estimate"] == naive - effect
    assert result.facts["return_slope"] == pytest.approx(own.facts["slope"])


def test_placebo_risers_by_hand():
    """Before 2017 the windows 3 + 1 leave 2013 to 2016; the memory of a rise reaches over the window before."""
    panel = poisson_panel(treated_since={"a": "2017", "b": "2017"}, mean=30)
    result = regression_to_the_mean(panel, METHOD)
    logs = np.log(panel.outcome + 0.5)
    falls, naive, adjusted, changes, rises = [], [], [], [], []
    for date in range(3, 7):
        sums = panel.outcome[:, date - 3 : date].sum(axis=1) + 0.5
        # recent is a half of the window before (one year of three), earlier the other two
        rise = logs[:, date - 1] - np.log(panel.outcome[:, date - 3 : date - 1].mean(axis=1) + 0.5)
        top = np.argsort(-rise)[:2]
        rest = np.setdiff1d(np.arange(30), top)
        change, last = logs[:, date] - np.log(sums), logs[:, date] - logs[:, date - 1]
        left = change - result.facts["return_slope"] * rise
        for found, moved in ((falls, change), (naive, last), (adjusted, left)):
            found.append(moved[top].mean() - moved[rest].mean())
        changes.append(change - np.median(change))
        rises.append(rise - np.median(rise))
    slope = np.sum(np.array(changes) * rises) / np.sum(np.square(rises))
    assert result.facts["return_slope"] == pytest.approx(slope)
    assert result.row(term="placebo_risers_adjusted")["estimate"] == pytest.approx(np.mean(adjusted))
    assert result.facts["dates"] == 4
    assert result.row(term="placebo_risers")["estimate"] == pytest.approx(np.mean(falls))
    assert result.row(term="placebo_risers_naive")["estimate"] == pytest.approx(np.mean(naive))
    assert result.facts["risers_p10"] == pytest.approx(np.quantile(falls, 0.1))
    assert result.facts["risers_naive_p90"] == pytest.approx(np.quantile(naive, 0.9))
    assert result.worded_notes("de")[-1] == (
        "Mittel über 4 frühere Zeitpunkte: die 2 Gebiete mit dem stärksten Anstieg gegenüber den übrigen, "
        "ohne jede Maßnahme."
    )


def test_noise_falls_back_and_the_adjustment_takes_it_off():
    """Pure noise around a fixed level: all of a rise is chance and comes back."""
    panel = poisson_panel(seed=5, shape=(26, 40), treated_since={"a": "2045", "b": "2045"}, mean=20)
    result = regression_to_the_mean(panel, METHOD)
    naive, adjusted = (
        result.row(term=term)["estimate"] for term in ("placebo_risers_naive", "placebo_risers_adjusted")
    )
    assert naive < -0.2
    assert abs(adjusted) < 0.08


def test_an_area_picked_for_its_rise_is_expected_to_fall():
    panel = poisson_panel(seed=5, shape=(26, 40), treated_since={"a": "2045"}, mean=40)
    counts = panel.outcome.copy()
    counts[0, 34] *= 2
    one = TwoByTwo(before=1, after=1, inference=Randomization(draws=199))
    result = regression_to_the_mean(panel_of(counts, {"a": "2045"}), one)
    assert result.facts["rise"] > 0.4
    assert result.facts["return_slope"] < 0
    expected = result.row(term="expected_return")["estimate"]
    assert expected == pytest.approx(result.facts["rise"] * result.facts["return_slope"])
    naive, effect = (result.row(term=term)["estimate"] for term in ("unadjusted", "effect"))
    assert naive - effect == pytest.approx(expected, abs=0.1)


@pytest.mark.usefixtures("shared")
def test_six_risers_of_a_real_city_fall_by_a_tenth_and_more():
    """Leipzig, 63 Ortsteile, 2004-2018; slopes of the windows 3 + 1 are known: .242, .271, .100."""
    slopes, naive = [], []
    for source in leipzig_years():
        keys = [f"{number:02d}" for number in range(63)]
        frame = pd.DataFrame(
            {"unit": np.repeat(keys, 19), "period": np.tile(source.periods, 63), "outcome": source.counts.ravel()}
        )
        since = dict.fromkeys(keys[10:16], "2019")
        study = Study(id="z", outcome="o", event="e", period="year", treated_since=since)
        result = regression_to_the_mean(Panel(frame, study), METHOD)
        slopes.append(result.facts["return_slope"])
        naive.append(result.row(term="placebo_risers_naive")["estimate"])
    np.testing.assert_allclose(slopes, [0.242, 0.271, 0.100], atol=0.0005)
    assert max(naive) < np.log(0.9) + 0.001


def test_a_short_series_says_that_it_knows_no_risers():
    result = regression_to_the_mean(poisson_panel(shape=(26, 6), treated_since={"a": "2013"}), METHOD)
    for term in ("expected_return", "placebo_risers_naive", "placebo_risers", "placebo_risers_adjusted"):
        assert result.row(term=term)["note"] == "no_calibration"
    assert result.facts["dates"] == 0
    assert result.worded_notes("de")[-1] == (
        "Für eine Prüfung an früheren Jahren ohne Maßnahme reicht die Zeitreihe nicht."
    )


def test_what_does_not_adjust_has_nothing_to_compare():
    panel = poisson_panel()
    with pytest.raises(DesignError) as caught:
        regression_to_the_mean(panel, TwoByTwo(inference=ClusterRobust()))
    assert caught.value.worded("de") == (
        "TwoByTwo bereinigt nicht um die Rückkehr zum üblichen Niveau; es gibt nichts zu vergleichen. "
        "Abhilfe: Die Zufallszuordnung verwenden (inference weglassen)."
    )
    with pytest.raises(DesignError) as caught:
        regression_to_the_mean(panel, TwoByTwo(scale="levels"))
    assert caught.value.worded("de") == (
        "TwoByTwo liefert kein Verhältnis; die Rückkehr zum üblichen Niveau wird an Verhältnissen verglichen. "
        'Abhilfe: scale = "ratio" setzen.'
    )
