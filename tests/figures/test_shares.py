import pytest

from evaluation.figures.shares import shares


@pytest.fixture
def values(published):
    rows = [
        {"item": item, "wave": wave, "value": value, "conf_low": value - 0.03, "conf_high": value + 0.03}
        for item, base in (("park", 0.6), ("home", 0.3))
        for wave, value in (("2018", base), ("2024", base - 0.1))
    ]
    return published(rows, unit="share", keys=("item", "wave"))


def test_every_share_is_written_at_its_point(values, words):
    said = words(shares(values, titles={"park": "nachts im Park", "home": "zu Hause"}, language="de"))
    percent = "\N{NO-BREAK SPACE}%"
    assert {"nachts im Park", "zu Hause", f"60{percent}", f"50{percent}", f"30{percent}", f"20{percent}"} <= set(said)


def test_panels_share_one_axis_from_zero(values):
    limits = {axes.get_ylim() for axes in shares(values, titles={}, language="en").axes}
    assert len(limits) == 1
    assert limits.pop()[0] == 0


def test_a_change_of_mode_is_drawn_before_its_wave(values):
    figure = shares(values, titles={}, language="en", mode_changes=["2024", "1990"])
    dashed = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert dashed == [0.5]


def test_a_hidden_share_is_said(published, words):
    rows = [{"item": "park", "wave": w, "value": v} for w, v in (("2018", 0.4), ("2024", None))]
    said = words(shares(published(rows, unit="share", keys=("item", "wave")), titles={}, language="de"))
    assert "keine Angabe" in said
