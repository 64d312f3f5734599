import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, t

from evaluation import Sample, Share
from evaluation.survey.intervals import SHARE_INTERVALS, share_interval
from tests.survey.model_samples import DESIGNS, FRAME, close

RESULTS = json.loads((Path(__file__).parent.parent / "reference" / "survey_tests.json").read_text(encoding="utf-8"))


def ends(share, std_error, df, n, **options):
    low, high = share_interval(*(np.array([value], dtype=float) for value in (share, std_error, df, n)), **options)
    return low[0], high[0]


def test_wald():
    assert ends(0.3, 0.05, 12, 100, method="wald") == pytest.approx(
        (0.3 - t.ppf(0.975, 12) * 0.05, 0.3 + t.ppf(0.975, 12) * 0.05)
    )


def test_logit_is_wald_on_the_logit_scale():
    middle, width = np.log(0.3 / 0.7), t.ppf(0.95, 12) * 0.05 / 0.21
    expected = [1 / (1 + np.exp(-end)) for end in (middle - width, middle + width)]
    assert ends(0.3, 0.05, 12, 100, method="logit", level=0.9) == pytest.approx(expected)


def test_korn_graubard_of_a_simple_random_sample_is_clopper_pearson():
    # 30 of 100 with the variance p(1-p)/(n-1) of R's mean and 99 degrees of freedom: 99 answers in effect.
    se = (0.21 / 99) ** 0.5
    expected = beta.ppf(0.025, 29.7, 70.3), beta.ppf(0.975, 30.7, 69.3)
    assert ends(0.3, se, 99, 100, method="korn_graubard") == pytest.approx(expected)


def test_arcsine_is_wald_on_its_scale_and_ends_at_zero():
    width = t.ppf(0.975, 12) * 0.05 / (2 * 0.21**0.5)
    expected = [np.sin(np.arcsin(0.3**0.5) + side * width) ** 2 for side in (-1, 1)]
    assert ends(0.3, 0.05, 12, 100, method="arcsine") == pytest.approx(expected)
    assert ends(0.01, 0.02, 12, 100, method="arcsine")[0] == 0
    assert ends(0.99, 0.02, 12, 100, method="arcsine")[1] == 1


def test_at_the_ends_of_the_likelihood_interval_it_has_fallen_by_half_of_t_squared():
    n = 0.21 / 0.05**2
    for end in ends(0.3, 0.05, 12, 100, method="likelihood", level=0.9):
        fall = n * (0.3 * np.log(0.3 / end) + 0.7 * np.log(0.7 / (1 - end)))
        assert fall == pytest.approx(t.ppf(0.95, 12) ** 2 / 2)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("method", "name"), [("likelihood", "likelihood"), ("arcsine", "asin")])
def test_against_r(design, method, name):
    sample = Sample(FRAME, DESIGNS[design])
    ours = Share("night", (3, 4), scale=4, interval=method).estimate(sample.where(FRAME["night"].notna())).table.iloc[0]
    close(ours[["conf_low", "conf_high"]], RESULTS[design]["share"][name])


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.2), st.floats(1, 200), st.sampled_from(SHARE_INTERVALS))
def test_turning_the_answers_round_turns_the_interval(share, std_error, df, method):
    low, high = ends(share, std_error, df, 500, method=method)
    turned = ends(1 - share, std_error, df, 500, method=method)
    assert (1 - high, 1 - low) == pytest.approx(turned, rel=1e-6, abs=1e-9)
    assert low <= share <= high


@pytest.mark.parametrize("method", SHARE_INTERVALS)
def test_zero_and_one_are_no_certainty(method):
    assert ends(0, np.nan, 10, 30, method=method) == pytest.approx((0, 1 - 0.025 ** (1 / 30)))
    assert ends(1, np.nan, 10, 30, method=method) == pytest.approx((0.025 ** (1 / 30), 1))


def test_what_is_unknown_stays_unknown():
    assert np.isnan(ends(np.nan, np.nan, 10, 0)).all()
    assert np.isnan(ends(0.4, 0.1, 0, 5)).all()


def test_far_from_the_middle_nothing_overflows():
    low, high = ends(1e-9, 1e-7, 3, 1000)
    assert 0 <= low < 1e-9 < high <= 1
