import pytest

from evaluation.errors import ReportError
from evaluation.report import structure

HEAD = "<main id='main'><h1>Bericht</h1>"


def problems(html: str) -> list[str]:
    with pytest.raises(ReportError) as error:
        structure.check(structure.read(html))
    return [problem.code for problem in error.value.problems]


def test_a_sound_page_passes():
    structure.check(structure.read(HEAD + "<h2 id='a'>A</h2><a href='#a'>A</a><img alt='x' src='data:image/png,'>"))


@pytest.mark.parametrize(
    ("html", "code"),
    [
        (HEAD + "<p id='a'></p><p id='a'></p>", "runner.double_anchor"),
        (HEAD + "<a href='#nowhere'>x</a>", "runner.dead_link"),
        (HEAD + "<a href='https://example.org'>x</a>", "runner.outside_link"),
        (HEAD + "<img alt='x' src='picture.png'>", "runner.outside_resource"),
        (HEAD + "<link rel='stylesheet' href='https://example.org/x.css'>", "runner.outside_resource"),
        (HEAD + "<script src='https://example.org/x.js'></script>", "runner.outside_resource"),
        (HEAD + "<img src='data:image/png,'>", "runner.pictures_without_words"),
        (HEAD + "<img alt='No description has been provided for this image' src='#'>", "runner.pictures_without_words"),
        (HEAD + "<h3>C</h3>", "runner.skipped_level"),
        ("<h2>A</h2>", "runner.not_one_title"),
        (HEAD + "<h1>Noch einer</h1>", "runner.not_one_title"),
    ],
)
def test_what_is_wrong_is_found(html, code):
    assert code in problems(html)


def test_everything_that_is_wrong_is_said_at_once():
    found = problems("<h1>T</h1><h3>C &amp; D</h3><a href='#x'>x</a><img src='data:,'><p id='a'></p><p id='a'></p>")
    assert sorted(found) == [
        "runner.dead_link",
        "runner.double_anchor",
        "runner.pictures_without_words",
        "runner.skipped_level",
    ]


def test_contents_lists_chapters_and_sections_behind_page_one():
    found = structure.read(
        "<h1>T</h1><h2 id='known'>Was wir wissen</h2><nav><h2>Inhalt</h2></nav>"
        "<h2 id='one'>1 A &amp; B</h2><h3 id='A1'>A1</h3><h4 id='deep'>tief</h4><h2 id='two'>2 C</h2>"
    )
    assert structure.contents(found.headlines) == (
        '<ol>\n<li><a href="#one">1 A &amp; B</a>\n<ol>\n<li><a href="#A1">A1</a></li>\n</ol>\n</li>\n'
        '<li><a href="#two">2 C</a></li>\n</ol>\n'
    )
