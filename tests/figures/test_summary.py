import pytest

from evaluation.figures.summary import before_after

TIMES = {kind: {"before": "2018", "now": "2024"} for kind in ("registered", "perceived")}
PERCENT = "\N{NO-BREAK SPACE}%"


@pytest.fixture
def registered(published):
    rows = [
        {"outcome": "theft", "time": time, "value": value, "conf_low": value - 1, "conf_high": value + 1}
        for time, value in (("before", 21.3), ("now", 19.5))
    ]
    return published(rows, unit="cases_per_1000", keys=("outcome", "time"))


@pytest.fixture
def perceived(published):
    rows = [
        {"item": "park", "time": time, "value": value, "conf_low": value - 0.02, "conf_high": value + 0.02}
        for time, value in (("before", 0.64), ("now", 0.63))
    ]
    return published(rows, unit="share", keys=("item", "time"))


def test_both_sides_say_what_when_and_how_much(registered, perceived, words):
    titles = {"theft": "Diebstahl", "park": "unsicher im Park"}
    said = words(before_after(registered, perceived, titles=titles, language="de", times=TIMES))
    assert {"Diebstahl", "21,3", "19,5", "unsicher im Park", f"64{PERCENT}", f"63{PERCENT}"} <= set(said)
    assert said.count("vorher (2018)") == said.count("zuletzt (2024)") == 2


def test_one_side_is_enough(registered, perceived):
    assert len(before_after(registered, None, titles={}, language="en", times=TIMES).axes) == 1
    assert len(before_after(None, perceived, titles={}, language="en", times=TIMES).axes) == 1


def _places(figure, panel=0):
    """Where the points stand, without those of the key above the panel."""
    points = [line for line in figure.axes[panel].lines if line.get_marker() == "o" and line.get_clip_on()]
    return [float(line.get_xdata()[0]) for line in points]


def test_each_outcome_has_its_own_scale_from_zero(published):
    rows = [
        {"outcome": name, "time": time, "value": value, "conf_low": value, "conf_high": value}
        for name, values in (("theft", (20.0, 10.0)), ("noise", (1.0, 0.5)))
        for time, value in zip(("before", "now"), values, strict=True)
    ]
    values = published(rows, unit="cases_per_1000", keys=("outcome", "time"))
    figure = before_after(values, None, titles={}, language="en", times=TIMES)
    assert _places(figure) == [1.0, 0.5, 1.0, 0.5]


def test_shares_have_one_scale_from_zero(published):
    rows = [
        {"item": name, "time": time, "value": value, "conf_low": value, "conf_high": value}
        for name, value in (("park", 0.6), ("home", 0.3))
        for time in ("before", "now")
    ]
    values = published(rows, unit="share", keys=("item", "time"))
    assert _places(before_after(None, values, titles={}, language="en", times=TIMES)) == [1.0, 1.0, 0.5, 0.5]
