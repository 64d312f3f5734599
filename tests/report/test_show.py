"""A picture in a notebook: sharp, as wide as the page, and never without words for those who do not see it."""

import base64

import pytest
from IPython import display

from evaluation import ReportError
from evaluation.figures.alternative import described
from evaluation.figures.style import WIDTH, new_figure
from evaluation.report.show import PIXELS_PER_INCH, show


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(display, "display", found.append)
    return found


def test_the_alternative_text_goes_along_with_the_picture(shown):
    show(described(new_figure(1.0), "Säulen: −12 %"))
    data, metadata = shown[0]._repr_mimebundle_()
    raw = data["image/png"]
    assert (raw if isinstance(raw, bytes) else base64.b64decode(raw)).startswith(b"\x89PNG")
    assert metadata["image/png"] == {"width": round(PIXELS_PER_INCH * WIDTH), "alt": "Säulen: −12 %"}


def test_other_words_can_be_given_and_no_words_are_refused(shown):
    show(described(new_figure(1.0), "a"), alt="b")
    assert shown[0].alt == "b"
    with pytest.raises(ReportError) as caught:
        show(new_figure(1.0))
    assert caught.value.worded("de") == (
        "show: Der Alternativtext fehlt. Abhilfe: In alt sagen, was das Bild zeigt; ohne ihn ist der Bericht nicht "
        "barrierefrei."
    )
