"""Placebos: the estimator on other dates, areas and outcomes by hand, known truths, and every refusal in full."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from evaluation import ClusterRobust, DesignError, EstimationError, EventStudy, Randomization, TwoByTwo
from evaluation.diagnostics import placebo_in_space, placebo_in_time, placebo_on_outcome
from evaluation.did.fixed_effects import TwoWayFixedEffects
from evaluation.simulate import simulate_panel
from tests.diagnostics.made import panel_of, poisson_panel

METHOD = TwoByTwo(before=3, after=1, inference=Randomization(draws=199))
NUMBERS = ["estimate", "p_value", "conf_low", "conf_high"]


def refusal(check, *arguments, language="de", **options):
    with pytest.raises(DesignError) as caught:
        check(*arguments, **options)
    return caught.value.worded(language)


# --- in time ---


def test_a_pretended_date_is_the_estimate_of_the_data_up_to_its_after_window():
    panel = poisson_panel()
    result = placebo_in_time(panel, METHOD)
    assert result.table["date"].tolist() == ["2013", "2014", "2015", "2016", "2017", "2018"]
    counts = panel.outcome[:, : 2017 - 2010 + 1]
    by_hand = METHOD.estimate(panel_of(counts, dict.fromkeys("abc", "2017"))).row(term="effect")
    row = result.row(date="2017")
    assert row[NUMBERS].tolist() == pytest.approx(by_hand[NUMBERS].tolist(), nan_ok=True)
    assert row["estimate"] == by_hand["estimate"]


def test_facts_of_a_placebo_in_time_by_hand():
    panel = poisson_panel(effect=0.6)
    result = placebo_in_time(panel, METHOD)
    table, effect = result.table, METHOD.estimate(panel).row(term="effect")
    assert result.facts["estimate"] == effect["estimate"]
    assert result.facts["p_value"] == effect["p_value"]
    outside = (table["conf_low"] > 0) | (table["conf_high"] < 0)
    assert result.facts["excluding_zero"] == pytest.approx(outside.mean())
    assert result.facts["mean"] == pytest.approx(table["estimate"].mean())
    assert result.facts["spread"] == pytest.approx(table["estimate"].std())
    assert result.facts["as_large"] == 0.0
    assert result.facts["assessable"] == 1.0
    assert (
        "Die Zeitfenster der 6 früheren Zeitpunkte überlappen sich; der Anteil der Zeitpunkte mit einer Wirkung "
        "ist kein Test." in result.worded_notes("de")
    )


def test_nothing_after_the_start_enters_and_a_break_before_it_shows():
    panel = poisson_panel()
    frame = panel.frame.copy()
    frame.loc[(frame["period"] >= "2019") & frame["unit"].isin(["a", "b", "c"]), "outcome"] *= 5
    late = placebo_in_time(replace(panel, frame=frame), METHOD)
    assert late.table[NUMBERS].equals(placebo_in_time(panel, METHOD).table[NUMBERS])
    frame = panel.frame.copy()
    frame.loc[frame["period"].between("2016", "2018") & frame["unit"].isin(["a", "b", "c"]), "outcome"] //= 3
    broken = placebo_in_time(replace(panel, frame=frame), METHOD)
    assert broken.row(date="2016")["conf_high"] < np.log(0.6)


def test_about_five_percent_of_the_intervals_exclude_zero_where_nothing_happened():
    """8 panels x 9 dates: the mean over 120 panels is 4.9 %; dates of a panel overlap, so the band is wide."""
    shares = []
    for seed in range(8):
        names = sorted(f"{unit + 1:02d}" for unit in np.random.default_rng(seed).choice(63, 3, replace=False))
        panel = simulate_panel(seed, shape=(63, 16), start=12, frequency="year", treated=names, log_effect=0)
        shares.append(placebo_in_time(replace(panel, neighbours=None), METHOD).facts["excluding_zero"])
    assert 0.005 <= np.mean(shares) <= 0.11


def test_given_dates_and_their_refusals():
    panel = poisson_panel()
    assert placebo_in_time(panel, METHOD, dates=["2016", "2014"]).table["date"].tolist() == ["2014", "2016"]
    assert refusal(placebo_in_time, panel, METHOD, dates=["2019", "1999"]) == (
        "„2019“ ist kein Zeitpunkt vor der Maßnahme mit Daten auf beiden Seiten. "
        "Abhilfe: Perioden von 2011 bis 2018 angeben.\n"
        "„1999“ ist kein Zeitpunkt vor der Maßnahme mit Daten auf beiden Seiten. "
        "Abhilfe: Perioden von 2011 bis 2018 angeben."
    )
    few = placebo_in_time(panel, METHOD, dates=["2011", "2016"])
    assert few.row(date="2011")["note"] == "diagnostics.note.not_estimated"
    notes = few.worded_notes("en")
    assert "TwoByTwo needs 3 periods before the start 2011; there are 1." in notes
    assert "Rows without a value could not be estimated; the reasons are given." in notes


def test_windows_too_long_for_the_time_before_are_shortened_and_one_period_leaves_no_date():
    panel = poisson_panel(shape=(24, 10), treated_since={"a": "2016", "b": "2016"})
    result = placebo_in_time(panel, TwoByTwo(before=5, after=3, inference=Randomization(draws=199)))
    assert (result.facts["before"], result.facts["after"]) == (2, 2)
    assert (
        "Die Zeit vor der Maßnahme ist für die Zeitfenster der Wirkung zu kurz; an früheren Zeitpunkten wurden "
        "2 Perioden davor mit 2 danach verglichen."
    ) in result.worded_notes("de")
    short = poisson_panel(shape=(24, 4), treated_since={"a": "2011", "b": "2011"})
    assert refusal(placebo_in_time, short, TwoByTwo()) == (
        "Vor der Maßnahme liegen zu wenige Perioden (1); es bleibt kein früherer Zeitpunkt zum Ausprobieren. "
        "Abhilfe: Frühere Daten liefern oder kürzere Zeitfenster angeben."
    )


def test_anticipation_is_left_out_and_staggered_areas_pretend_together():
    panel = poisson_panel(anticipation=1)
    assert placebo_in_time(panel, METHOD).table["date"].tolist() == ["2014", "2015", "2016", "2017"]
    staggered = poisson_panel(treated_since={"a": "2017", "b": "2019", "c": "2020"})
    result = placebo_in_time(staggered, METHOD)
    assert result.table["date"].tolist() == ["2013", "2014", "2015", "2016"]
    by_hand = METHOD.estimate(panel_of(staggered.outcome[:, :6], dict.fromkeys("abc", "2015")))
    assert result.row(date="2015")["estimate"] == by_hand.row(term="effect")["estimate"]


def test_estimators_that_count_all_periods_see_of_a_date_what_its_after_window_holds():
    """The effect is over three years, so that of 2015 ends with 2017."""
    panel = poisson_panel()
    method = TwoWayFixedEffects(inference=ClusterRobust())
    result = placebo_in_time(panel, method)
    assert result.facts["after"] == 3
    assert result.table["date"].tolist()[-1] == "2016"
    by_hand = method.estimate(panel_of(panel.outcome[:, :8], dict.fromkeys("abc", "2015")))
    assert result.row(date="2015")["estimate"] == pytest.approx(by_hand.row(term="effect")["estimate"], abs=1e-12)


def test_other_inference_and_an_estimator_without_an_effect():
    panel = poisson_panel()
    robust = placebo_in_time(panel, TwoByTwo(before=3, after=1, inference=ClusterRobust()))
    assert np.isfinite(robust.table["std_error"]).all()
    assert refusal(placebo_in_time, panel, EventStudy()) == (
        "EventStudy liefert keine einzelne Wirkung über die ganze Zeit nach dem Beginn. "
        "Abhilfe: Einen Schätzer verwenden, dessen Ergebnis die Zeile „effect“ hat: "
        'etwa TwoByTwo, oder aggregation = "simple".'
    )


# --- in space ---


def test_every_comparison_area_in_turn_against_the_other_comparison_areas():
    panel = poisson_panel()
    result = placebo_in_space(panel, METHOD, size=1)
    assert result.table["units"].tolist() == list(panel.units[3:])
    others = panel_of(panel.outcome[3:], {"e": "2019"})  # unit h is e among the units from d on
    by_hand = METHOD.estimate(others).row(term="effect")["estimate"]
    assert result.row(units="h")["estimate"] == pytest.approx(by_hand, abs=1e-12)
    assert "rank" not in result.facts  # one area fluctuates more than the mean of three


def test_rank_and_distribution_by_hand():
    panel = poisson_panel(effect=0.4)
    result = placebo_in_space(panel, METHOD, sets=40)
    estimates = result.table["estimate"]
    assert len(estimates) == 40
    assert result.table["units"].is_unique
    assert result.facts["rank"] == 1
    assert result.facts["placebo_p"] == pytest.approx(1 / 41)
    assert result.facts["p90"] == pytest.approx(np.quantile(estimates, 0.9))
    assert result.facts["spread"] == pytest.approx(estimates.std())
    assert result.worded_notes("de")[-1] == "Nur ein Schätzwert; was ein einzelner wert ist, sagen alle zusammen."
    assert not {"a", "b", "c"} & set(", ".join(result.table["units"]).split(", "))


def test_few_sets_are_all_tried_and_the_draws_depend_on_the_seed_alone():
    small = poisson_panel(shape=(9, 12), treated_since={"a": "2019", "b": "2019"})
    assert placebo_in_space(small, METHOD).facts["sets"] == 21
    panel = poisson_panel()
    with ThreadPoolExecutor(2) as executor:
        parallel = placebo_in_space(panel, METHOD, sets=8, executor=executor)
    assert parallel.table.equals(placebo_in_space(panel, METHOD, sets=8).table)
    assert not parallel.table.equals(placebo_in_space(panel, METHOD, sets=8, seed=2).table)


def test_staggered_starts_are_dealt_out_and_excluded_areas_stay_out():
    panel = poisson_panel(treated_since={"a": "2017", "b": "2019"}, excluded=("d", "e"))
    result = placebo_in_space(panel, METHOD, sets=12)
    chosen = set(", ".join(result.table["units"]).split(", "))
    assert chosen <= set(panel.units) - {"a", "b", "d", "e"}
    assert np.isfinite(result.table["estimate"]).all()
    rest = sorted(set(panel.units) - {"a", "b", "d", "e"})
    names = dict(zip(rest, panel.units, strict=False))
    counts = panel.outcome[[panel.units.index(unit) for unit in rest]]
    orders = []
    for units, estimate in zip(result.table["units"], result.table["estimate"], strict=True):
        first, second = (names[unit] for unit in units.split(", "))
        dealt = [{first: one, second: other} for one, other in (("2017", "2019"), ("2019", "2017"))]
        by_hand = [METHOD.estimate(panel_of(counts, since)).row(term="effect")["estimate"] for since in dealt]
        orders.append(np.isclose(by_hand, estimate).tolist())
    assert {tuple(order) for order in orders} == {(True, False), (False, True)}


def test_refusals_in_space():
    panel = poisson_panel(shape=(5, 12))
    assert refusal(placebo_in_space, panel, TwoByTwo()) == (
        "Die Prüfung braucht 4 Vergleichsgebiete; es gibt 2. "
        "Abhilfe: size kleiner angeben oder mehr Gebiete ohne Maßnahme liefern."
    )
    assert refusal(placebo_in_space, panel, TwoByTwo(), size=4, sets=0) == (
        "placebo_in_space: size = 4 ist nicht erlaubt. Abhilfe: Erlaubt: 1 – 3.\n"
        "placebo_in_space: sets = 0 ist nicht erlaubt. Abhilfe: Erlaubt: >= 1."
    )
    with pytest.raises(EstimationError, match="with only one area with the measure there is no standard error"):
        placebo_in_space(poisson_panel(), TwoByTwo(inference=ClusterRobust()), size=1, sets=30)


# --- on another outcome ---


def test_a_column_and_a_panel_give_the_same_and_the_true_effect_stands_first():
    panel, other = poisson_panel(effect=0.5), poisson_panel(seed=2)
    wide = panel_of(panel.outcome, panel.study.starts, columns={"fraud": other.outcome})
    by_column = placebo_on_outcome(wide, METHOD, ["fraud"])
    by_panel = placebo_on_outcome(panel, METHOD, {"fraud": other})
    assert by_column.table.equals(by_panel.table)
    assert by_column.table["outcome"].tolist() == ["o", "fraud"]
    assert by_column.row(outcome="o")["estimate"] == METHOD.estimate(panel).row(term="effect")["estimate"]
    assert by_column.row(outcome="fraud")["estimate"] == METHOD.estimate(other).row(term="effect")["estimate"]
    assert by_column.row(outcome="o")["conf_high"] < 0
    assert by_column.facts["excluding_zero"] == 0.0


def test_an_outcome_that_cannot_be_estimated_is_named_and_the_others_stay():
    panel = poisson_panel()
    wide = panel_of(panel.outcome, panel.study.starts, columns={"flat": 3.0, "fraud": panel.outcome + 1})
    result = placebo_on_outcome(wide, METHOD, ["flat", "fraud"])
    assert result.row(outcome="flat")["note"] == "diagnostics.note.not_estimated"
    assert np.isfinite(result.row(outcome="fraud")["estimate"])
    assert "TwoByTwo: Das Ergebnis ist in allen Gebieten und Perioden gleich." in result.worded_notes("de")


def test_refusals_on_other_outcomes():
    panel = poisson_panel()
    assert refusal(placebo_on_outcome, panel, METHOD, ["period", "nothing"]) == (
        "Die Daten haben keine Spalte „period“ mit Zahlen. Abhilfe: Spalten mit Zahlen: outcome.\n"
        "Die Daten haben keine Spalte „nothing“ mit Zahlen. Abhilfe: Spalten mit Zahlen: outcome."
    )
    assert refusal(placebo_on_outcome, panel, METHOD, {"x": poisson_panel(treated_since={"a": "2018"})}) == (
        "Im Panel des Ergebnisses „x“ beginnt die Maßnahme in anderen Gebieten oder zu anderen Zeiten. "
        "Abhilfe: Für beide Ergebnisse dieselben Gebiete und denselben Beginn angeben."
    )
    assert refusal(placebo_on_outcome, panel, METHOD, []) == (
        "Es ist kein Ergebnis angegeben, das die Maßnahme nicht berühren kann. "
        "Abhilfe: Eine weitere Spalte der Daten nennen oder Panels anderer Ergebnisse angeben."
    )


def test_the_frame_stays_as_it_was():
    panel = poisson_panel()
    before = panel.frame.copy()
    placebo_in_time(panel, METHOD)
    placebo_in_space(panel, METHOD, sets=3)
    placebo_on_outcome(panel, METHOD, ["outcome"])
    assert panel.frame.equals(before)
