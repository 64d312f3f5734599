"""Figures as bytes that are the same on every run: no date, no program name, no random ids."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SALT = "kooperation-evaluation"
DPI = 200


def svg(figure: "Figure") -> bytes:
    """Return `figure` as SVG with its letters as outlines; for charts."""
    import matplotlib as mpl

    buffer = BytesIO()
    with mpl.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return buffer.getvalue()


def png(figure: "Figure", *, dpi: int = DPI) -> bytes:
    """Return `figure` as PNG; for pictures with so many shapes that an SVG would be larger."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
