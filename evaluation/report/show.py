"""A picture in a notebook, with the text for those who do not see it."""

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from evaluation.errors import Problem, ReportError
from evaluation.figures.alternative import alternative
from evaluation.report.images import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 110
"""Size on the screen; the picture itself is twice as fine."""


def show(figure: "Figure", alt: str = "") -> None:
    """Show a figure in a notebook; its alternative text goes along.

    JupyterLab and the HTML that nbconvert makes in its default look take no heed of the alternative text of a PNG, so
    that the picture is there as HTML as well, which both prefer.

    Parameters
    ----------
    figure
        From :mod:`evaluation.figures`.
    alt
        What the picture shows; by default what the figure says of itself.

    Raises
    ------
    ReportError
        There is no such text.
    """
    from IPython.display import display

    words = alt or alternative(figure)
    if not words.strip():
        raise ReportError(Problem("runner.no_alt", given="show"))
    width = round(PIXELS_PER_INCH * float(figure.get_size_inches()[0]))
    data = b64encode(png(figure, dpi=2 * PIXELS_PER_INCH)).decode("ascii")
    image = f'<img src="data:image/png;base64,{data}" width="{width}" alt="{escape(words)}">'
    display(  # type: ignore[no-untyped-call]
        {"text/html": image, "image/png": data, "text/plain": words},
        raw=True,
        metadata={"image/png": {"alt": words, "width": width}},
    )
