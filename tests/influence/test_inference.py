from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation import Mean, Sample, SurveyDesign
from evaluation.errors import EstimationError
from evaluation.estimates import Counts, Influence, Scale, Stage
from evaluation.influence import (
    bands,
    contrast,
    covariance,
    critical_value,
    estimates_from_influence,
    joint_test,
    stack,
    sum_to,
    two_sided_p,
)

RNG = np.random.default_rng(9)
VALUES = RNG.normal(size=(40, 3)) / 40
UNITS = np.array([f"{unit:02d}" for unit in range(40)])
DESIGN = SurveyDesign()


def result(estimate=(0.1, -0.2, 0.3), values=VALUES, *, df=np.inf, scale="identity", units=UNITS, **options):
    return estimates_from_influence(
        pd.DataFrame({"year": [2019 + i for i in range(len(estimate))]}),
        np.array(estimate, dtype=float),
        Influence(values=np.asarray(values, dtype=float), units=units, df=df),
        scale=Scale(scale),
        declaration=DESIGN,
        method="by hand",
        counts=Counts(observations=40, units=40),
        **options,
    )


def test_critical_values_and_p_values():
    for df in (1, 2, 7.5, 200):
        assert critical_value(0.9, df) == pytest.approx(stats.t.ppf(0.95, df))
        assert two_sided_p(np.array(-2.2), df) == pytest.approx(2 * stats.t.sf(2.2, df))
    assert critical_value(0.95, np.inf) == pytest.approx(1.959963984540054)
    assert two_sided_p(np.array(1.96), np.inf) == pytest.approx(2 * stats.norm.sf(1.96))
    assert np.isnan(critical_value(0.95, 0))
    assert np.isnan(two_sided_p(np.array(1.0), -1))


def test_the_table_by_hand():
    table = result(df=12, level=0.9).table
    std_error = np.sqrt(np.diag(np.cov(VALUES.T)) * 40)
    np.testing.assert_allclose(table["std_error"], std_error, rtol=1e-12)
    np.testing.assert_allclose(table["statistic"], table["estimate"] / std_error, rtol=1e-12)
    np.testing.assert_allclose(table["p_value"], 2 * stats.t.sf(abs(table["statistic"]), 12), rtol=1e-10)
    np.testing.assert_allclose(table["conf_high"], table["estimate"] + stats.t.ppf(0.95, 12) * std_error, rtol=1e-10)
    assert list(table.columns) == [
        "year", "estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "note",
    ]  # fmt: skip


def test_no_standard_error_is_zero_and_nothing_is_missing_without_a_note():
    values = VALUES.copy()
    values[:, 1] = 0.0
    table = result((0.1, -0.2, np.nan), values, row_notes=["", "", "survey.note.no_answers"]).table
    assert table["note"].tolist() == ["", "survey.note.no_variation", "survey.note.no_answers"]
    assert table["std_error"].isna().tolist() == [False, True, True]


def test_rounding_errors_are_no_standard_error():
    table = result((1e6, 1e6, 1e6), np.full((40, 3), 1e-12) * RNG.normal(size=(40, 1))).table
    assert table["note"].tolist() == ["survey.note.no_variation"] * 3


def test_without_degrees_of_freedom_there_is_a_standard_error_but_no_test():
    given = result(df=np.inf)
    table = estimates_from_influence(
        pd.DataFrame({"row": [1, 2, 3]}),
        np.ones(3),
        Influence(values=VALUES, units=UNITS),
        scale=given.scale,
        declaration=DESIGN,
        method="by hand",
        counts=given.counts,
        df=np.array([4.0, 0.0, -1.0]),
    ).table
    assert table["note"].tolist() == ["", "survey.note.no_df", "survey.note.no_df"]
    assert table["std_error"].notna().all()
    assert table["p_value"].isna().tolist() == [False, True, True]


def test_contrasts():
    waves = result(df=9)
    change = contrast(waves, {"second less first": [-1, 1, 0], "mean": [1 / 3] * 3})
    spread = covariance(waves.influence)
    assert change.table["contrast"].tolist() == ["second less first", "mean"]
    assert change.table["estimate"].tolist() == pytest.approx([-0.3, 0.2 / 3])
    assert change.table.loc[0, "std_error"] ** 2 == pytest.approx(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    assert change.table.loc[1, "std_error"] ** 2 == pytest.approx(spread.sum() / 9)
    assert change.table["df"].tolist() == [9, 9]
    by_matrix = contrast(waves, np.array([[-1, 1, 0], [1 / 3] * 3]), keys=pd.DataFrame({"what": ["a", "b"]}), df=4)
    assert by_matrix.table["what"].tolist() == ["a", "b"]
    assert by_matrix.table["df"].tolist() == [4, 4]
    np.testing.assert_allclose(by_matrix.table["std_error"], change.table["std_error"])


def test_a_contrast_of_logs_stays_a_ratio():
    ratios = contrast(result(np.log([0.8, 0.9, 1.2]), scale="log"), {"third over first": [-1, 0, 1]})
    assert ratios.display().loc[0, "estimate"] == pytest.approx(1.5)


def test_a_contrast_that_uses_a_row_without_standard_error_says_so():
    values = VALUES.copy()
    values[:, 0] = 0.0
    missing = result((0.1, 0.2, np.nan), values, row_notes=["", "", "survey.note.no_answers"])
    table = contrast(missing, np.array([[1, 1, 0], [0, 1, 1], [0, 1, 0]])).table
    assert table["note"].tolist() == ["survey.note.no_variation", "survey.note.no_answers", ""]
    assert table["estimate"].isna().tolist() == [False, True, False]
    assert table["std_error"].isna().tolist() == [True, True, False]


def test_the_number_of_weights_must_fit():
    with pytest.raises(ValueError, match=r"^contrasts have 2 weights for 3 estimates$"):
        contrast(result(), np.array([[1, -1]]))


def test_joint_test_is_a_chi_square_without_and_an_f_with_degrees_of_freedom():
    normal = result()
    b, v = normal.table["estimate"].to_numpy(), covariance(normal.influence)
    wald = b @ np.linalg.solve(v, b)
    test = joint_test(normal)
    assert (test.df_numerator, test.df_denominator) == (3, np.inf)
    assert test.statistic == pytest.approx(wald / 3)
    assert test.p_value == pytest.approx(stats.chi2.sf(wald, 3))
    adjusted = joint_test(result(df=20))
    assert adjusted.statistic == pytest.approx(wald * 18 / (3 * 20))
    assert adjusted.p_value == pytest.approx(stats.f.sf(wald * 18 / 60, 3, 18))


def test_one_estimate_tested_jointly_is_the_t_test():
    single = result(df=11)
    assert joint_test(single, np.array([[0, 1, 0]])).p_value == pytest.approx(single.table.loc[1, "p_value"])


def test_combinations_that_follow_from_others_count_once():
    twice = joint_test(result(), np.array([[1, -1, 0], [0, 1, -1], [1, 0, -1]]))
    once = joint_test(result(), np.array([[1, -1, 0], [0, 1, -1]]))
    assert twice.df_numerator == once.df_numerator == 2
    assert twice.p_value == pytest.approx(once.p_value)


def test_a_joint_test_does_not_depend_on_units_of_measurement():
    factors = np.array([1, 1e-6, 1e6])
    first, second = (
        joint_test(result(df=30)),
        joint_test(result(np.array([0.1, -0.2, 0.3]) * factors, VALUES * factors, df=30)),
    )
    assert second.p_value == pytest.approx(first.p_value, rel=1e-8)


def test_a_joint_test_that_cannot_be_made_says_why():
    values = VALUES.copy()
    values[:, 0] = 0.0
    with pytest.raises(EstimationError) as caught:
        joint_test(result(values=values))
    assert str(caught.value) == (
        "Estimates without a standard error that were to be tested together: 1. What to do: Leave them out of the test."
    )
    with pytest.raises(EstimationError) as caught:
        joint_test(result(df=2))
    assert str(caught.value) == (
        "With 2 degrees of freedom, 3 differences cannot be tested together. "
        "What to do: Test fewer at a time, or join domains."
    )


def test_a_result_without_influences_cannot_be_contrasted():
    drawn = replace(result(), influence=None, method=Mean("x"))
    with pytest.raises(EstimationError) as caught:
        contrast(drawn, np.array([[1, -1, 0]]))
    assert str(caught.value) == (
        "The result of Mean has no influences, only draws, so that it cannot be combined with others in this way. "
        "What to do: Contrast draws with the same assignments instead."
    )


def test_the_band_of_one_estimate_is_its_interval():
    for df in (5, np.inf):
        single = result((0.1,), VALUES[:, :1], df=df)
        band = bands(single, draws=40_000)
        assert band.facts["critical_value"] == pytest.approx(float(critical_value(0.95, df)), rel=0.03)
        assert band.facts["critical_value"] >= float(critical_value(0.95, df))


def test_the_band_of_independent_estimates_has_sidaks_level():
    orthogonal = np.linalg.qr(np.column_stack([np.ones(400), RNG.normal(size=(400, 4))]))[0][:, 1:]
    band = bands(result((1, 2, 3, 4), orthogonal, units=np.arange(400)), draws=40_000)
    assert band.facts["critical_value"] == pytest.approx(stats.norm.ppf(0.5 + 0.95**0.25 / 2), rel=0.02)


def test_the_band_of_copies_is_their_interval():
    copies = result((0.1, 0.1, 0.1), VALUES[:, [0, 0, 0]])
    assert bands(copies, draws=40_000).facts["critical_value"] == pytest.approx(1.96, rel=0.02)


def test_bands_are_the_same_on_every_run_and_leave_the_rest_alone():
    first, second = bands(result(df=30), seed=4), bands(result(df=30), seed=4)
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.facts["critical_value"] != bands(result(df=30), seed=5).facts["critical_value"]
    pointwise = result(df=30).table
    pd.testing.assert_frame_equal(
        first.table.drop(columns=["conf_low", "conf_high"]), pointwise.drop(columns=["conf_low", "conf_high"])
    )
    width = (first.table["conf_high"] - first.table["estimate"]) / first.table["std_error"]
    np.testing.assert_allclose(width, first.facts["critical_value"])


def test_rows_without_standard_error_stay_out_of_the_band():
    values = VALUES.copy()
    values[:, 1] = 0.0
    band = bands(result(values=values)).table
    assert band["conf_low"].isna().tolist() == [False, True, False]


def test_results_of_independent_samples_side_by_side():
    first = result((0.1, 0.2), VALUES[:, :2])
    staged = Influence(
        values=VALUES[:8, :1],
        units=np.arange(8),
        stages=(Stage(clusters=np.arange(8), strata=np.repeat([0, 1], 4), fraction=np.full(8, 0.5)),),
        df=6,
    )
    second = replace(result((0.5,), VALUES[:, :1]), influence=staged)
    both = stack({"police": first, "survey": second}, independent=True)
    assert both.keys == ["result", "year"]
    assert both.table["result"].tolist() == ["police", "police", "survey"]
    expected = np.zeros((3, 3))
    expected[:2, :2] = covariance(first.influence)
    expected[2, 2] = covariance(staged)[0, 0]
    np.testing.assert_allclose(covariance(both.influence), expected, rtol=1e-12)


def test_stacking_samples_of_one_and_two_stages():
    stages = (
        Stage(clusters=np.array([0, 0, 1, 1]), strata=np.zeros(4, dtype=int), fraction=np.full(4, 0.5)),
        Stage(clusters=np.arange(4), strata=np.array([0, 0, 1, 1]), fraction=np.full(4, 0.2)),
    )
    deep = Influence(values=np.array([[1.0], [3.0], [5.0], [9.0]]), units=np.arange(4), stages=stages, df=1)
    two = replace(result((1.0,), VALUES[:, :1]), influence=deep)
    one = result((0.1,), VALUES[:, 1:2])
    both = stack({"one": one, "two": two}, independent=True)
    expected = np.diag([covariance(one.influence)[0, 0], covariance(deep)[0, 0]])
    np.testing.assert_allclose(covariance(both.influence), expected, rtol=1e-12)


def test_measured_and_felt_in_the_same_areas_are_tested_together():
    frame = pd.DataFrame({"stratum": "all", "weight": 1.0, "area": UNITS.repeat(5), "x": RNG.normal(size=200)})
    sample = Sample(frame, SurveyDesign())
    felt = Mean("x").estimate(sample)
    felt = replace(felt, influence=sum_to(felt.influence, sample.labels("area")))
    measured = result((0.1, 0.2), VALUES[:38, :2], units=UNITS[:38])
    both = stack({"measured": measured, "felt": felt}, independent=False)
    assert both.influence.units.tolist() == UNITS.tolist()
    np.testing.assert_allclose(both.influence.values[38:, :2], 0)
    spread = covariance(both.influence)
    filled = np.vstack([VALUES[:38, 0][:, None], np.zeros((2, 1))])
    assert spread[0, 2] == pytest.approx(np.cov(filled[:, 0], felt.influence.values[:, 0])[0, 1] * 40)
    assert joint_test(both).df_numerator == 3


def test_what_cannot_be_stacked():
    with pytest.raises(ValueError, match=r"^results on scales \['identity', 'log'\] cannot be stacked$"):
        stack({"a": result(), "b": result(scale="log")}, independent=True)
    twice = result(units=np.repeat(UNITS[:20], 2))
    with pytest.raises(
        ValueError, match=r"^results that share units must be summed to independent units first \(sum_to\)$"
    ):
        stack({"a": result(), "b": twice}, independent=False)


def test_a_survey_and_a_plain_sum_are_stacked_with_their_own_corrections():
    plain = replace(result().influence, values=VALUES[:, 1:2], correction="none")
    effect, survey = replace(result((0.1,), VALUES[:, 1:2]), influence=plain), result((0.3,), VALUES[:, :1])
    shared = stack({"effect": effect, "survey": survey}, independent=False)
    expected = np.array([covariance(plain)[0, 0], covariance(survey.influence)[0, 0]])
    np.testing.assert_allclose(np.diag(covariance(shared.influence)), expected, rtol=1e-12)
    centred = (VALUES[:, 0] - VALUES[:, 0].mean()) * np.sqrt(len(VALUES) / (len(VALUES) - 1))
    assert covariance(shared.influence)[0, 1] == pytest.approx(VALUES[:, 1] @ centred, rel=1e-12)
    blocks = (Stage(clusters=np.arange(40) // 4, strata=np.arange(40) // 20),)
    staged = replace(survey, influence=replace(survey.influence, stages=blocks))
    apart = stack({"effect": effect, "survey": staged}, independent=True)
    expected = np.diag([covariance(plain)[0, 0], covariance(staged.influence)[0, 0]])
    np.testing.assert_allclose(covariance(apart.influence), expected, rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match=r"must be summed to independent units first \(sum_to\)$"):
        stack({"effect": effect, "survey": staged}, independent=False)


def test_no_p_value_is_zero():
    assert (two_sided_p(np.array([50.0, 1e6]), np.inf) > 0).all()
    assert two_sided_p(np.array([1e9]), 3000.0) > 0
    assert two_sided_p(np.array([1.959963984540054]), np.inf) == pytest.approx(0.05)
