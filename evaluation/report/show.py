"""A picture in a notebook, with the text for those who do not see it."""

from typing import TYPE_CHECKING

from evaluation.errors import Problem, ReportError
from evaluation.figures.alternative import alternative
from evaluation.report.images import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 110
"""Size on the screen; the picture itself is twice as fine."""


def show(figure: "Figure", alt: str = "") -> None:
    """Show a figure in a notebook; its alternative text goes along into HTML and PDF.

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
    from IPython.display import Image, display

    words = alt or alternative(figure)
    if not words.strip():
        raise ReportError(Problem("runner.no_alt", given="show"))
    width = round(PIXELS_PER_INCH * float(figure.get_size_inches()[0]))
    picture = png(figure, dpi=2 * PIXELS_PER_INCH)
    display(Image(data=picture, format="png", width=width, alt=words))  # type: ignore[no-untyped-call]
