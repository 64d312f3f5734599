"""A picture in a notebook: sharp, as wide as the page, and never without words for those who do not see it."""

import base64
from html import unescape

import nbformat
import pytest
from IPython import display
from nbconvert import HTMLExporter

from evaluation import ReportError
from evaluation.figures.alternative import described
from evaluation.figures.style import WIDTH, new_figure
from evaluation.report.show import PIXELS_PER_INCH, show

WORDS = 'Säulen: „weniger" < 12 %'


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(display, "display", lambda data, raw, metadata: found.append((data, metadata)))
    return found


def test_the_alternative_text_goes_along_with_the_picture(shown):
    show(described(new_figure(1.0), WORDS))
    data, metadata = shown[0]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"] == {"width": round(PIXELS_PER_INCH * WIDTH), "alt": WORDS}
    assert data["text/plain"] == WORDS


def test_it_arrives_in_html_as_nbconvert_makes_it(shown):
    show(described(new_figure(1.0), WORDS))
    data, metadata = shown[0]
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show(figure)", outputs=[output])])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert page.count("<img ") == 1
    assert "No description has been provided" not in page
    assert WORDS in unescape(page)


def test_other_words_can_be_given_and_no_words_are_refused(shown):
    show(described(new_figure(1.0), "a"), alt="b")
    assert shown[0][0]["text/plain"] == "b"
    with pytest.raises(ReportError) as caught:
        show(new_figure(1.0))
    assert caught.value.worded("de") == (
        "show: Der Alternativtext fehlt. Abhilfe: In alt sagen, was das Bild zeigt; ohne ihn ist der Bericht nicht "
        "barrierefrei."
    )
