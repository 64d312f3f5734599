"""Conley's variance: by hand, against diff-diff, by invariance and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import ClusterRobust, Conley, DesignError, TwoByTwo, open_project
from evaluation.did.inference import spatial
from evaluation.did.inference.spatial import spatial_covariance
from evaluation.estimates import Scale
from evaluation.influence import contrast, covariance
from evaluation.simulate import simulate_panel
from tests.did.conclusions import REFERENCE, conclude

INFLUENCE, WHERE = np.array(REFERENCE["influence"]), np.array(REFERENCE["positions"])
GRID = np.array([(east, north) for east in range(9) for north in range(7)], dtype=float)


def concluded(inference, influence=INFLUENCE, where=WHERE, **options):
    """Positions are given in km here, in metres to the panel."""
    return conclude(inference, influence, positions=1000.0 * np.asarray(where), **{"parameters": None, **options})


def test_two_units_by_hand():
    """Influences 2 and 1, a kilometre apart, cutoff 4 km: 4 + 1 + 2 * 2 * 3 / 4 = 8; uniform 9; cutoff below: 5."""
    influence, where = [[2.0], [1.0], [0.0]], [[5.0, 5.0], [5.6, 5.8], [9.0, 9.0]]
    for inference, expected in (
        (Conley(cutoff=4), 8),
        (Conley(cutoff=4, kernel="uniform"), 9),
        (Conley(cutoff=0.9), 5),
        (Conley(cutoff=0.9, kernel="uniform"), 5),
    ):
        result = concluded(inference, influence, where, treated=2)
        assert result.table["std_error"].iloc[0] ** 2 == pytest.approx(expected, rel=1e-12)
        assert result.table["df"].iloc[0] == np.inf


def test_a_regression_keeps_its_factor():
    """Ten observations, three parameters: 9 / 7; clusters are not counted."""
    influence, where = [[2.0], [1.0], [0.0]], [[5.0, 5.0], [5.6, 5.8], [9.0, 9.0]]
    result = concluded(Conley(cutoff=4), influence, where, treated=2, parameters=3, observations=10)
    assert result.table["std_error"].iloc[0] ** 2 == pytest.approx(8 * 9 / 7, rel=1e-12)


@pytest.mark.parametrize("kernel", ["bartlett", "uniform"])
@pytest.mark.parametrize("cutoff", [0.01, 1.5, 4.0])
def test_covariance_of_another_program(kernel, cutoff):
    """diff-diff's covariance of the same scores, 63 units at random places in ten by ten kilometres."""
    expected = np.array(REFERENCE["conley"][f"{kernel} {cutoff}"])
    np.testing.assert_allclose(spatial_covariance(INFLUENCE, WHERE, cutoff=cutoff, kernel=kernel), expected, rtol=1e-9)


def test_every_pair_counts_however_many_units_are_held_at_a_time(monkeypatch):
    monkeypatch.setattr(spatial, "ROWS", 7)
    expected = np.zeros((6, 6))
    for i, one in enumerate(WHERE):
        for j, other in enumerate(WHERE):
            near = max(0.0, 1 - np.hypot(*(one - other)) / 3)
            expected += near * np.outer(INFLUENCE[i], INFLUENCE[j])
    found = spatial_covariance(INFLUENCE, WHERE, cutoff=3.0, kernel="bartlett")
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_variance_that_is_not_above_zero_is_missing_with_a_note():
    """Neighbours of opposite influence within a uniform cutoff: 1 + 1 - 2 = 0, and below zero with a third one."""
    influence = np.array([[1.0, 1.0], [-1.0, -1.0], [0.0, 1.0]])
    result = concluded(Conley(cutoff=2, kernel="uniform"), influence, [[5, 5], [6, 5], [9, 9]], treated=2)
    assert result.table["note"].tolist() == ["inference.note.not_positive", ""]
    assert result.table.loc[0, ["std_error", "statistic", "p_value", "conf_low"]].isna().all()
    assert result.table["std_error"][1] == pytest.approx(1.0)
    assert "The spatial variance is not above zero, so that there is no standard error." in result.worded_notes()
    chain = np.array([[1.0], [-1.5], [1.0]])  # 1 + 2.25 + 1 - 2 * 1.5 - 2 * 1.5 = -1.75
    below = concluded(Conley(cutoff=1, kernel="uniform"), chain, [[5, 5], [6, 5], [7, 5]], treated=2)
    assert below.table["note"].tolist() == ["inference.note.not_positive"]
    assert below.table["std_error"].isna().all()


def test_combinations_come_from_the_same_covariance():
    result = concluded(Conley(cutoff=1.5))
    expected = spatial_covariance(INFLUENCE, WHERE, cutoff=1.5, kernel="bartlett")
    np.testing.assert_allclose(covariance(result.influence), expected, rtol=1e-9)
    np.testing.assert_allclose(result.table["std_error"] ** 2, np.diag(expected), rtol=1e-12)
    difference = contrast(result, np.array([[1, -1, 0, 0, 0, 0]])).table["std_error"].iloc[0]
    assert difference**2 == pytest.approx(expected[0, 0] + expected[1, 1] - 2 * expected[0, 1], rel=1e-9)


def test_a_covariance_with_negative_parts_is_said_and_only_made_larger():
    rng = np.random.default_rng(3)
    influence = rng.normal(size=(63, 40))
    result = concluded(Conley(cutoff=2.5, kernel="uniform"), influence)
    known = result.table["std_error"].notna().to_numpy()
    plain = spatial_covariance(influence, WHERE, cutoff=2.5, kernel="uniform")
    assert np.linalg.eigvalsh(plain[np.ix_(known, known)]).min() < 0
    np.testing.assert_allclose(result.table["std_error"][known] ** 2, np.diag(plain)[known], rtol=1e-12)
    combined = covariance(result.influence)
    assert np.linalg.eigvalsh((combined - plain)[np.ix_(known, known)]).min() > -1e-9
    assert "inference.note.not_semidefinite" in [note.code for note in result.notes]
    assert "inference.note.not_semidefinite" not in [note.code for note in concluded(Conley(cutoff=0.01)).notes]


def test_what_the_result_says_about_itself():
    result = concluded(Conley(cutoff=2), treated=5)
    assert result.facts["inference"] == {"name": "Conley", "level": 0.95, "cutoff": 2, "kernel": "bartlett"}
    assert result.worded_notes("de")[:2] == [
        "Bei 5 Gebieten mit Maßnahme ist dieser Standardfehler zu klein; der Vergleich mit Gebieten und Jahren ohne "
        "Maßnahme ist verlässlicher.",
        "Bei 63 Gebieten ist ein Standardfehler, der gemeinsame Schwankungen von Nachbarn zulässt, selbst unsicher und "
        "meist zu klein.",
    ]


def test_positions_that_are_missing_or_wrong():
    with pytest.raises(DesignError) as caught:
        conclude(Conley(cutoff=2), INFLUENCE)
    assert str(caught.value) == (
        "The panel does not say where its units lie, so that Conley has no distances. What to do: Give the panel "
        "positions, or declare the polygons of the areas in project.toml."
    )
    where = WHERE.copy()
    where[4] = np.nan
    with pytest.raises(DesignError) as caught:
        concluded(Conley(cutoff=2), where=where)
    assert str(caught.value) == (
        "Units without a position: 04. What to do: Give positions (two coordinates in metres) for each of them."
    )
    unused = INFLUENCE.copy()
    unused[4] = 0.0
    concluded(Conley(cutoff=2), unused, where)
    degrees = np.array([12.3, 51.3]) + WHERE / 100
    with pytest.raises(DesignError) as caught:
        conclude(Conley(cutoff=2), INFLUENCE, positions=degrees)
    assert str(caught.value) == (
        "The positions look like degrees of longitude and latitude (from 12.30 to 51.40). What to do: Give them in "
        "metres of a projected system, such as EPSG:25833."
    )
    with pytest.raises(DesignError) as caught:
        Conley(cutoff=0, kernel="cone")
    assert str(caught.value) == (
        "Conley: cutoff = 0 is not allowed. What to do: Allowed: > 0 (km).\n"
        "Conley: kernel = cone is not allowed. What to do: Allowed: bartlett, uniform."
    )


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    turn=st.floats(0, 6.3),
    factor=st.floats(0.1, 10),
    kernel=st.sampled_from(["bartlett", "uniform"]),
)
def test_order_turning_and_moving_the_map_do_not_matter(seed, turn, factor, kernel):
    order = np.random.default_rng(seed).permutation(63)
    turned = WHERE @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) + [3_000, 5_000]
    options = {"cutoff": 2.123, "kernel": kernel}
    plain = spatial_covariance(INFLUENCE, WHERE, **options)
    moved = spatial_covariance(factor * INFLUENCE[order], turned[order], **options)
    np.testing.assert_allclose(moved, factor**2 * plain, rtol=1e-7, atol=1e-7 * factor**2 * np.abs(plain).max())


def test_a_cutoff_below_every_distance_is_cluster_robust():
    plain = conclude(ClusterRobust(), INFLUENCE, parameters=None).table
    spatial = concluded(Conley(cutoff=1e-6)).table
    np.testing.assert_allclose(spatial["conf_low"], plain["conf_low"], rtol=1e-10)


def test_estimators_and_projects_hand_positions_over(sample_project):
    panel = simulate_panel(3, shape=(63, 12), treated=[f"{n:02d}" for n in range(1, 60, 2)], start=8, frequency="year")
    result = TwoByTwo(before=3, after=2, inference=Conley(cutoff=2)).estimate(panel)
    assert result.scale == Scale("log", "ratio")
    assert result.table["std_error"].iloc[0] > 0
    project = open_project(sample_project)
    declared = project.panel(project.studies[0])
    east, north = np.array(list(declared.positions.values())).T
    assert set(declared.positions) == set(declared.units)
    assert np.ptp(east) < 30_000
    assert np.ptp(north) < 30_000
    from evaluation.project.counting import positions

    districts = project.geometry().to_crs(25833).merge(project.table("areas")[["area", "district"]], on="area")
    for district, shape in districts.dissolve("district").centroid.items():
        assert positions(project, "district")[district] == pytest.approx((shape.x, shape.y), abs=1e-6)


def test_size_with_independent_and_with_shared_shocks():
    """63 areas a kilometre apart, no effect, nominal 5 %, 600 draws each.

    Treated at random, shocks independent: a short cutoff holds its size nearly, a long one does not. The west
    treated and shocks shared (correlation 1 / e over a kilometre): better than without, and still far too often.
    """
    rng = np.random.default_rng(2)
    distance = np.hypot(*(GRID[:, None] - GRID[None]).transpose(2, 0, 1))
    shared = np.linalg.cholesky(np.exp(-distance))
    rates = {}
    for name, west in (("random", False), ("west", True)):
        rejected = []
        for _ in range(600):
            own = GRID[:, 0] < 4 if west else rng.permutation(63) < 30
            shocks = (shared if west else np.eye(63)) @ rng.normal(size=63)
            mean = np.where(own, shocks[own].mean(), shocks[~own].mean())
            influence = ((shocks - mean) * np.where(own, 1 / own.sum(), -1 / (~own).sum()))[:, None]
            change = shocks[own].mean() - shocks[~own].mean()
            variances = [
                spatial_covariance(influence, GRID, cutoff=c, kernel="bartlett")[0, 0] for c in (0.5, 1.5, 3, 5)
            ]
            rejected.append(np.abs(change) > 1.96 * np.sqrt(variances))
        rates[name] = np.mean(rejected, axis=0)
    assert rates["random"][1] < 0.09
    assert rates["random"][3] > 0.09
    assert rates["west"][0] > 0.25
    assert rates["west"][2] < rates["west"][0] - 0.04
    assert rates["west"][2] > 0.15
