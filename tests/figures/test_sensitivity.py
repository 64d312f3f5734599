import numpy as np
import pandas as pd
import pytest

from evaluation.disclosure import About, Rules, publish
from evaluation.estimates import Counts, Estimates, Scale
from evaluation.figures.alternative import alternative
from evaluation.figures.sensitivity import sensitivity_curve
from evaluation.figures.style import ORANGE

PERCENT = "\N{NO-BREAK SPACE}%"


def curve(ends, breakdown, restriction="relative_magnitudes", unit="change"):
    """Published values of a sensitivity analysis with intervals `ends` on the log scale, by m."""
    table = pd.DataFrame(
        [{"m": m, "estimate": (low + high) / 2, "conf_low": low, "conf_high": high} for m, (low, high) in ends.items()]
    ).assign(std_error=np.nan, df=np.inf, statistic=np.nan, p_value=np.nan, note="no_std_error")
    result = Estimates(
        table=table,
        scale=Scale("log", "ratio"),
        declaration=None,
        method=None,
        counts=Counts(observations=1, units=1),
        facts={"breakdown": breakdown, "restriction": restriction},
    )
    about = About(id="s", unit=unit, source="Test")
    return publish(result, Rules(), about=about, keys=("m",), basis="cases", cases=100)


ENDS = {0.0: (-0.5, -0.3), 0.5: (-0.6, -0.2), 1.0: (-0.75, -0.05), 1.5: (-0.9, 0.1)}


@pytest.fixture
def broken():
    return curve(ENDS, 1.17)


def test_the_breakdown_value_is_marked_and_written(broken, words):
    figure = sensitivity_curve(broken, language="de")
    (line,) = [line for line in figure.axes[0].lines if line.get_color() == ORANGE]
    assert line.get_xdata() == [1.17, 1.17]
    assert "statistisch gesichert bis 1,17" in words(figure)
    assert "Erlaubter Unterschied der Trends nach dem Beginn (1 = so groß wie der größte davor)" in words(figure)


def test_intervals_stand_at_their_m(broken):
    axes = sensitivity_curve(broken, language="de").axes[0]
    lines = [c for c in axes.collections if hasattr(c, "get_segments") and len(c.get_segments()) == 4][-1]
    drawn = {segment[0, 0]: tuple(segment[:, 1]) for segment in lines.get_segments()}
    assert drawn == {m: pytest.approx(ends) for m, ends in ENDS.items()}


def test_an_effect_that_never_disappears_and_one_that_never_was(words):
    beyond = sensitivity_curve(curve({m: ENDS[m] for m in (0.0, 0.5)}, 0.5), language="en")
    assert "statistically established throughout (up to 0.50)" in words(beyond)
    never = sensitivity_curve(curve({0.0: (-0.3, 0.1), 0.5: (-0.4, 0.2)}, np.nan), language="en")
    assert "not statistically established even without a difference of trends" in words(never)
    for figure in (beyond, never):
        assert not [line for line in figure.axes[0].lines if line.get_color() == ORANGE]


def test_far_intervals_run_out_of_the_picture_so_that_the_first_ones_can_be_read():
    wide = curve({0.0: (-0.3, -0.1), 1.0: (-2.0, 1.8), 2.0: (-6.0, 5.8)}, 0.1)
    axes = sensitivity_curve(wide, language="de").axes[0]
    low, high = axes.get_ylim()
    assert (low, high) == (-high, high)
    assert np.log(4) <= high < 2


def test_small_steps_of_smoothness_are_written_with_enough_digits(words):
    smooth = curve({0.0: (-0.4, -0.2), 0.004: (-0.5, -0.05), 0.008: (-0.7, 0.1)}, 0.0051, "smoothness")
    figure = sensitivity_curve(smooth, language="de")
    assert {"statistisch gesichert bis 0,005", "0,004", "0,008"} <= set(words(figure))


def test_the_alternative_text_says_how_far_it_holds(broken):
    assert alternative(sensitivity_curve(broken, language="de")) == (
        "Bereichsdiagramm: waagerecht, wie verschieden sich die Gebiete mit Maßnahme und die Vergleichsgebiete auch "
        "ohne Maßnahme entwickelt haben dürfen, senkrecht die Änderung mit robustem 95-%-Bereich. Ohne Unterschied der "
        f"Trends reicht er von −39,3{PERCENT} bis −25,9{PERCENT}. Ergebnis: statistisch gesichert bis 1,17."
    )
