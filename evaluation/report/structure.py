"""Reads the structure of a report's HTML: headings, anchors, links, pictures; says what is wrong with it.

A report with a double anchor, a link into nothing, a skipped heading level, a picture without words or anything
that would be fetched from outside is not written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from evaluation.errors import Problem, ReportError

_FETCHING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "object": "data", "source": "src"}
_ALT_OF_NBCONVERT = "No description has been provided for this image"


@dataclass(frozen=True)
class Headline:
    """A heading of the report; `before_contents` for those on page one."""

    level: int
    id: str
    words: str
    before_contents: bool


@dataclass
class Structure(HTMLParser):
    """What was found, in reading order."""

    headlines: list[Headline] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    without_words: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._words: list[str] | None = None
        self._id = ""
        self._contents_seen = False
        self._in_contents = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note anchors, links, pictures, and where a heading begins."""
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "nav":
            self._contents_seen = self._in_contents = True
        if tag == "a" and "href" in given:
            self.targets.append(given["href"])
        address = given.get(_FETCHING.get(tag, ""), "")
        if address and not address.startswith(("data:", "#")):
            self.outside.append(address)
        if tag == "img" and given.get("alt", "").strip() in {"", _ALT_OF_NBCONVERT}:
            self.without_words += 1
        if tag in {"h1", "h2", "h3", "h4", "h5"} and not self._in_contents:
            self._words, self._id = [], given.get("id", "")

    def handle_endtag(self, tag: str) -> None:
        """Note where a heading ends."""
        if tag == "nav":
            self._in_contents = False
        if tag[:1] == "h" and tag[1:].isdigit() and self._words is not None:
            words = " ".join("".join(self._words).split())
            self.headlines.append(Headline(int(tag[1:]), self._id, words, not self._contents_seen))
            self._words = None

    def handle_data(self, data: str) -> None:
        """Collect the words of a heading."""
        if self._words is not None:
            self._words.append(data)


def read(html: str) -> Structure:
    """Return the structure of `html`."""
    structure = Structure()
    structure.feed(html)
    structure.close()
    return structure


def check(structure: Structure) -> None:
    """Raise `ReportError` with all that is wrong."""
    problems = [*_anchors(structure), *_outside(structure), *_headings(structure)]
    if structure.without_words:
        problems.append(Problem("runner.pictures_without_words", given=structure.without_words))
    if problems:
        raise ReportError(*problems)


def _anchors(structure: Structure) -> Iterator[Problem]:
    double = {anchor: None for anchor in structure.ids if structure.ids.count(anchor) > 1}
    yield from (Problem("runner.double_anchor", given=anchor) for anchor in double)
    known = set(structure.ids)
    for target in dict.fromkeys(structure.targets):
        if target.startswith("#") and target[1:] not in known:
            yield Problem("runner.dead_link", given=target)


def _outside(structure: Structure) -> Iterator[Problem]:
    links = dict.fromkeys(target for target in structure.targets if not target.startswith("#"))
    yield from (Problem("runner.outside_link", given=target) for target in links)
    yield from (Problem("runner.outside_resource", given=address) for address in structure.outside)


def _headings(structure: Structure) -> Iterator[Problem]:
    titles = [head for head in structure.headlines if head.level == 1]
    if len(titles) != 1:
        yield Problem("runner.not_one_title", given=len(titles))
    level = 0
    for head in structure.headlines:
        if head.level > level + 1:
            yield Problem("runner.skipped_level", given=head.words, level=head.level, before=level)
        level = head.level


def contents(headlines: list[Headline]) -> str:
    """Return the list of contents: chapters, and the sections of each, behind page one."""
    chapters: list[tuple[Headline, list[Headline]]] = []
    for head in headlines:
        if head.before_contents:
            continue
        if head.level == 2:
            chapters.append((head, []))
        elif head.level == 3 and chapters:
            chapters[-1][1].append(head)
    entries = []
    for chapter, sections in chapters:
        inner = "".join(f"<li>{_link(section)}</li>\n" for section in sections)
        entries.append(f"<li>{_link(chapter)}" + (f"\n<ol>\n{inner}</ol>\n" if inner else "") + "</li>\n")
    return f"<ol>\n{''.join(entries)}</ol>\n" if entries else ""


def _link(head: Headline) -> str:
    return f'<a href="#{escape(head.id)}">{escape(head.words)}</a>'
