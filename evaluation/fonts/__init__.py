"""IBM Plex Sans, the typeface of the reports, so that they look the same on every machine.

The files are the unchanged outlines of ``@ibm/plex-sans`` 1.1.0 (font version 3.005, SIL Open Font License 1.1, see
``OFL.txt``): WOFF2 for HTML, and the same files unpacked to TrueType for figures and PDF.
"""

from pathlib import Path

FAMILY = "IBM Plex Sans"
WEIGHTS = {"Regular": 400, "SemiBold": 600}
_HERE = Path(__file__).parent


def font_files() -> list[Path]:
    """Return the TrueType files, regular first."""
    return [_HERE / f"IBMPlexSans-{name}.ttf" for name in WEIGHTS]


def web_font_files() -> dict[int, Path]:
    """Return the WOFF2 files by weight."""
    return {weight: _HERE / f"IBMPlexSans-{name}.woff2" for name, weight in WEIGHTS.items()}
