"""What the annual report contains: one function a chapter, each from the same material to a list of blocks."""

from evaluation.report.annual.chapters import (
    amendment,
    background,
    closing,
    implementation,
    measures,
    next_year,
    results,
    summary,
)
from evaluation.report.material import Material, gather

__all__ = [
    "Material",
    "amendment",
    "background",
    "closing",
    "gather",
    "implementation",
    "measures",
    "next_year",
    "results",
    "summary",
]
