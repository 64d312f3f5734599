"""Published values for figures, made like all others."""

from collections.abc import Callable, Sequence

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from evaluation.disclosure import About, Published, Rules, publish


@pytest.fixture
def published() -> Callable[..., Published]:
    def make(rows: Sequence[dict[str, object]], *, unit: str, keys: tuple[str, ...], cases: int = 100) -> Published:
        about = About(id="test.values", unit=unit, source="Test")
        return publish(pd.DataFrame(list(rows)), Rules(), about=about, keys=keys, basis="cases", cases=cases)

    return make


@pytest.fixture
def words() -> Callable[[Figure], list[str]]:
    """Everything that is written in a figure, line breaks as blanks."""

    def read(figure: Figure) -> list[str]:
        figure.draw_without_rendering()
        found = [text.get_text().replace("\n", " ").strip() for text in figure.findobj(Text) if text.get_visible()]
        return [word for word in found if word]

    return read
