import numpy as np
import pytest

from evaluation.figures.alternative import alternative
from evaluation.figures.event_study import event_study

PERCENT = "\N{NO-BREAK SPACE}%"


@pytest.fixture
def path(published):
    def make(width=0.1, **changes):
        rows = [
            {"event_time": k, "value": v, "conf_low": v - width, "conf_high": v + width}
            for k, v in ((-2, 0.02), (-1, 0.0), (0, -0.05), (1, -0.2))
        ]
        rows[1] |= {"conf_low": None, "conf_high": None, "note": "core.note.reference_period"}
        for k, change in changes.items():
            rows[int(k[1:])] |= change
        return published(rows, unit="change", keys=("event_time",))

    return make


def segments(axes, number):
    return [segment[:, 1].tolist() if len(segment) else None for segment in axes.collections[number].get_segments()]


def test_it_shows_before_and_after(path, words):
    figure = event_study(path(), language="de", unit="month")
    across = "Monate seit Beginn (senkrecht: gleiche Abstände = gleiches Verhältnis)"
    assert {"vor Beginn", "seit Beginn", across} <= set(words(figure))


def test_a_long_interval_does_not_hide_the_others(published):
    rows = [{"event_time": k, "value": 0.0, "conf_low": -0.9, "conf_high": high} for k, high in ((-1, 30.0), (0, 0.2))]
    axes = event_study(published(rows, unit="change", keys=("event_time",)), language="de").axes[0]
    low, high = axes.get_ylim()
    assert low < np.log(0.1) < 0 < np.log(31) < high


def test_the_band_of_all_points_goes_beyond_the_interval_of_each(path, words):
    figure = event_study(path(), language="de", unit="quarter", band=path(width=0.15))
    axes = figure.axes[0]
    band, points = segments(axes, 0), segments(axes, 1)
    for thin, thick in zip(band, points, strict=True):
        assert thick is thin is None or (thin[0] < thick[0] and thick[1] < thin[1])
    assert points[3] == pytest.approx(np.log1p([-0.3, -0.1]))
    explained = "dicke Linien: 95-%-Bereich jedes einzelnen Punktes; dünne Linien: Bereich, der für alle Punkte"
    assert any(explained in said for said in words(figure))
    assert not any("dünne Linien" in said for said in words(event_study(path(), language="de")))


def test_an_open_end_runs_out_of_the_picture(path):
    axes = event_study(path(_3={"conf_low": None}), language="de").axes[0]
    low, high = segments(axes, 0)[3]
    assert low <= axes.get_ylim()[0] < high == pytest.approx(np.log1p(-0.1))


def test_differences_keep_their_own_scale_and_rows_without_a_time_are_left_out(published, words):
    rows = [
        {"event_time": k, "value": v, "conf_low": v - 4, "conf_high": v + 4}
        for k, v in ((-1, 1.0), (0, -9.0), (1, -12.0))
    ]
    overall = {"event_time": None, "value": -10.5, "conf_low": -14, "conf_high": -7}
    values = published([overall, *rows], unit="difference", keys=("event_time",))
    figure = event_study(values, language="en")
    assert figure.axes[0].collections[1].get_offsets()[:, 1].tolist() == [1.0, -9.0, -12.0]
    assert "Years since the start" in words(figure)
    assert {"−10", "0", "+10"} <= set(words(figure))


def test_the_alternative_text_counts_the_points_that_clear_zero(path):
    assert alternative(event_study(path(), language="de", unit="month")) == (
        "Punktdiagramm mit 95-%-Bereichen, waagerecht Monate seit Beginn. Vor dem Beginn schließt der Bereich bei 0 "
        f"von 1 Punkten null aus, seit dem Beginn bei 1 von 2; die Werte seit dem Beginn reichen von −20,0{PERCENT} "
        f"bis −5,0{PERCENT}."
    )
