import numpy as np
import pytest

from evaluation.figures.alternative import alternative
from evaluation.figures.quadrants import clears_both, joined, quadrants

NAMES = {"00": "Zentrum", "01": "Mitte", "02": "Nord"}


@pytest.fixture
def both(published):
    def rows(values):
        return [
            {"area": area, "year": "2024", "value": value, "conf_low": value - width, "conf_high": value + width}
            for area, (value, width) in values.items()
        ]

    keys = ("area", "year")
    registered = published(rows({"00": (-0.4, 0.1), "01": (-0.3, 0.1), "02": (0.1, 0.3)}), unit="change", keys=keys)
    perceived = published(
        rows({"00": (-0.2, 0.1), "01": (0.2, 0.1), "02": (0.2, 0.1)}), unit="change_points", keys=keys
    )
    return registered, perceived


def test_only_areas_that_clear_zero_both_ways_are_named(both, words):
    said = words(quadrants(*both, names=NAMES, language="de", not_meaningful=["00"]))
    assert "Mitte" in said
    assert "Nord" not in said
    assert "Zentrum: Einwohnerbezug nicht aussagekräftig" in said


def test_quadrants_read_as_agreed(both, words):
    said = words(quadrants(*both, names=NAMES, language="de"))
    assert "weniger registrierte Fälle, Sicherheitsgefühl höher als vorher" in said
    assert "mehr registrierte Fälle, Sicherheitsgefühl niedriger als vorher" in said


def test_up_is_a_higher_sense_of_safety(both):
    bottom, top = quadrants(*both, names=NAMES, language="de").axes[0].get_ylim()
    assert bottom > 0 > top


def test_the_upward_axis_is_in_words(both, words):
    said = words(quadrants(*both, names=NAMES, language="de"))
    assert {"20 weniger", "gleich", "20 mehr"} <= set(said)


def test_no_point_lies_outside(both):
    figure = quadrants(*both, names=NAMES, language="de")
    across, up = figure.axes[0].get_xlim(), sorted(figure.axes[0].get_ylim())
    points = joined(*both)
    assert np.log1p(points["value_x"]).between(*across).all()
    assert points["value_y"].between(*up).all()


def test_joined_leaves_out_what_must_not_be_shown(both, published):
    registered, perceived = both
    hidden = published([{"area": "01", "year": "2024", "value": -0.3}], unit="change", keys=("area", "year"), cases=2)
    assert joined(hidden, perceived).empty
    assert clears_both(joined(registered, perceived)).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("language", "finding"),
    [
        (
            "de",
            "2024: In 1 von 2 Gebieten haben sich beide statistisch gesichert geändert. Weniger registrierte Fälle, "
            "Sicherheitsgefühl niedriger als vorher: Mitte. Zentrum: Einwohnerbezug nicht aussagekräftig.",
        ),
        (
            "en",
            "2024: in 1 of 2 areas both changes are statistically established. Fewer registered cases, lower sense of "
            "safety than before: Mitte. Zentrum: residents are not a meaningful basis.",
        ),
    ],
)
def test_alternative_text_says_the_finding(both, language, finding):
    said = alternative(quadrants(*both, names=NAMES, language=language, not_meaningful=["00"]))
    assert said.endswith(finding)
    assert "Nord" not in said


def test_alternative_text_where_nothing_is_established(both):
    registered, perceived = both
    part = registered.where(area="02"), perceived.where(area="02")
    said = alternative(quadrants(*part, names=NAMES, language="en"))
    assert said.endswith("2024: in none of 1 areas are both changes statistically established.")
