"""The text of a picture for those who do not see it; it is kept as the label of the figure."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def described(figure: "Figure", alternative: str) -> "Figure":
    """Return `figure` with the text that says what it shows: kind of picture, axes, finding."""
    figure.set_label(alternative)
    return figure


def alternative(figure: "Figure") -> str:
    """Return the text that says what `figure` shows; empty where it has none."""
    return str(figure.get_label() or "")


def beside_zero(frame: pd.DataFrame) -> pd.Series:
    """Tell for each row of published values whether its interval lies on one side of zero."""
    return (frame["conf_low"] > 0) | (frame["conf_high"] < 0)
