import numpy as np
import pytest

from evaluation.errors import EstimationError
from evaluation.estimates import Influence, Stage
from evaluation.influence import covariance, degrees_of_freedom, group_sums, sum_to, variances

RNG = np.random.default_rng(5)
VALUES = RNG.normal(size=(8, 3))


def influence(values=VALUES, **options):
    values = np.asarray(values, dtype=float)
    return Influence(values=values, units=np.arange(len(values)), **options)


def stage(clusters, strata, fraction=None):
    return Stage(
        clusters=np.array(clusters),
        strata=np.array(strata),
        fraction=None if fraction is None else np.array(fraction, dtype=float),
    )


def test_independent_units_are_one_stratum():
    expected = np.cov(VALUES.T) * 8
    np.testing.assert_allclose(covariance(influence()), expected, rtol=1e-12)
    np.testing.assert_allclose(variances(influence()), np.diag(expected), rtol=1e-12)
    assert degrees_of_freedom(influence()) == 7


def test_without_correction_it_is_the_plain_sum_of_squares():
    np.testing.assert_allclose(covariance(influence(correction="none")), VALUES.T @ VALUES, rtol=1e-12)


def test_clusters_are_summed_whatever_their_order():
    clusters = [0, 1, 2, 3, 3, 2, 1, 0]
    sums = VALUES[:4] + VALUES[7:3:-1]
    design = (stage(clusters, [0] * 8),)
    np.testing.assert_allclose(covariance(influence(stages=design)), np.cov(sums.T) * 4, rtol=1e-12)
    plain = covariance(influence(stages=design, correction="none"))
    np.testing.assert_allclose(plain, sums.T @ sums, rtol=1e-12)


def test_strata_add_up():
    design = (stage(np.arange(8), [0, 0, 0, 1, 1, 1, 1, 1]),)
    expected = np.cov(VALUES[:3].T) * 3 + np.cov(VALUES[3:].T) * 5
    np.testing.assert_allclose(covariance(influence(stages=design)), expected, rtol=1e-12)
    assert degrees_of_freedom(influence(stages=design)) == 6


def test_two_stages_by_hand():
    # Two blocks of 4 drawn; in each two people of 4 and of 10. Influences 1, 3 and 5, 9: block sums 4 and 14.
    blocks = stage([0, 0, 1, 1], [0, 0, 0, 0], [0.5] * 4)
    people = stage([0, 1, 2, 3], [0, 0, 1, 1], [0.5, 0.5, 0.2, 0.2])
    first = 0.5 * 2 * (5**2 + 5**2)
    second = 0.5 * (0.5 * 2 * (1 + 1) + 0.8 * 2 * (4 + 4))
    result = covariance(influence([[1], [3], [5], [9]], stages=(blocks, people)))
    assert result[0, 0] == pytest.approx(first + second, rel=1e-12)


def test_drawing_with_replacement_ends_the_stages():
    blocks, people = stage([0, 0, 1, 1], [0] * 4), stage([0, 1, 2, 3], [0, 0, 1, 1], [0.5] * 4)
    both = variances(influence([[1], [3], [5], [9]], stages=(blocks, people)))
    np.testing.assert_allclose(both, variances(influence([[1], [3], [5], [9]], stages=(blocks,))))


def test_a_stratum_taken_whole_adds_nothing():
    design = (stage(np.arange(8), [0] * 4 + [1] * 4, [1.0] * 4 + [0.0] * 4),)
    np.testing.assert_allclose(covariance(influence(stages=design)), np.cov(VALUES[4:].T) * 4, rtol=1e-12)


@pytest.mark.parametrize(
    ("lonely", "expected"),
    [("remove", 8.0), ("certainty", 8.0), ("adjust", 8.0 + 5.0**2), ("average", 8.0 * 2)],
)
def test_lonely_clusters_by_hand(lonely, expected):
    # Stratum 0: two influences 4 / sqrt(2) apart, so 2 (sqrt(2)^2 + sqrt(2)^2) = 8; stratum 1 has the one influence 5.
    design = (stage([0, 1, 2], [0, 0, 1]),)
    values = [[1 / 2**0.5], [5 / 2**0.5], [5]]
    assert variances(influence(values, stages=design, lonely=lonely))[0] == pytest.approx(expected, rel=1e-12)


def test_average_counts_only_strata_that_an_estimate_touches():
    design = (stage([0, 1, 2, 3, 4], [0, 0, 1, 1, 2]),)
    values = [[1, 1], [-1, -1], [2, 0], [-2, 0], [1, 0]]
    result = variances(influence(values, stages=design, lonely="average"))
    np.testing.assert_allclose(result, [(4 + 16) * 3 / 2, 4], rtol=1e-12)


def test_a_lonely_cluster_fails_by_default():
    design = (stage([0, 1, 2], [0, 0, 1]),)
    with pytest.raises(EstimationError) as caught:
        covariance(influence([[1], [2], [3]], stages=design))
    assert str(caught.value) == (
        "Strata with a single sampling unit at stage 1: 1. Their variance cannot be known. "
        "What to do: Say in the design with lonely what is to be done with them."
    )


def test_group_sums_with_empty_groups():
    sums = group_sums(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([2, 0, 2]), 4)
    assert sums.tolist() == [[3, 4], [0, 0], [6, 8], [0, 0]]


def test_summing_to_areas():
    labels = np.array(["01", "00", "01", "10", "00", "10", "10", "01"])
    summed = sum_to(influence(), labels)
    assert summed.units.tolist() == ["00", "01", "10"]
    np.testing.assert_allclose(summed.values[1], VALUES[[0, 2, 7]].sum(axis=0))
    assert (summed.stages, summed.df) == ((), 2)
    mapped = sum_to(influence(), dict(enumerate(labels)))
    np.testing.assert_array_equal(mapped.values, summed.values)


def test_summing_needs_a_label_for_every_unit():
    with pytest.raises(ValueError, match=r"^7 labels for 8 units$"):
        sum_to(influence(), np.zeros(7))
    with pytest.raises(ValueError, match=r"^a unit has no label$"):
        sum_to(influence(), np.array(["00", None] * 4, dtype=object))
    with pytest.raises(KeyError):
        sum_to(influence(), {0: "00"})
