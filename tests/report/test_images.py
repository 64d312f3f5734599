import subprocess
import sys

import pytest

from evaluation.fonts import font_files, web_font_files

DRAW = """
import sys, hashlib
from evaluation.figures.style import house_style, new_figure
from evaluation.report import images
with house_style():
    figure = new_figure(2)
    axes = figure.subplots()
    axes.fill_between([1, 2, 3], [1, 2, 3], hatch="//")
    axes.set_title("Größe – ≥ 5")
    written = images.svg(figure) + images.png(figure, dpi=70)
print(hashlib.sha256(written).hexdigest(), b"Matplotlib" in written, b"dc:date" in written)
"""


def test_pictures_are_the_same_in_every_process():
    runs = {
        subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert runs.pop().split()[1:] == ["False", "False"]


@pytest.mark.parametrize("path", [*font_files(), *web_font_files().values()], ids=lambda path: path.name)
def test_the_typeface_has_every_sign_that_a_report_needs(path):
    from fontTools.ttLib import TTFont

    letters = TTFont(path).getBestCmap()
    assert [sign for sign in "ÄÖÜäöüß–−„“‚‘’…≥≤²§→×±·•€%\xa0\u202f" if ord(sign) not in letters] == []


def test_the_typefaces_come_with_their_licence_and_are_small():
    folder = font_files()[0].parent
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 1.5e6
