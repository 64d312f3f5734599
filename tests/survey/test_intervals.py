import numpy as np
import pytest
from scipy.stats import beta, t

from evaluation.survey.intervals import share_interval


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


@pytest.mark.parametrize("method", ["wald", "logit", "korn_graubard"])
def test_zero_and_one_are_no_certainty(method):
    assert ends(0, np.nan, 10, 30, method=method) == pytest.approx((0, 1 - 0.025 ** (1 / 30)))
    assert ends(1, np.nan, 10, 30, method=method) == pytest.approx((0.025 ** (1 / 30), 1))


def test_what_is_unknown_stays_unknown():
    assert np.isnan(ends(np.nan, np.nan, 10, 0)).all()
    assert np.isnan(ends(0.4, 0.1, 0, 5)).all()


def test_far_from_the_middle_nothing_overflows():
    low, high = ends(1e-9, 1e-7, 3, 1000)
    assert 0 <= low < 1e-9 < high <= 1
