"""How a CSV file is written: its encoding and separator, recognised from the file and never guessed in silence.

Decimal mark and date format belong to columns and are recognised in :mod:`evaluation.data.values`.
"""

import codecs
import csv
import io
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import Problem

SEPARATORS = (";", "\t", ",", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# UTF-8 read as CP1252 and saved as UTF-8 once more: "ü" has become "Ã¼".
_TWICE = ("Ã¤", "Ã¶", "Ã¼", "ÃŸ", "Ã„", "Ã–", "Ãœ")
_LOST = ("\ufffd",)  # what a program writes for a character that it could not read
_SPOILT = tuple(
    (code, mark)
    for code, marks in (("data.converted_twice", _TWICE), ("data.lost_characters", _LOST))
    for mark in marks
)
_SAMPLE = 1 << 16
_RECORDS = 200
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Encoding, separator, the number of lines before the header, and the remarks that they hold."""

    encoding: str
    separator: str
    skip: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, str]:
        """The values as a reader names them."""
        names = {"utf-8-sig": "UTF-8 (BOM)", "utf-8": "UTF-8", "cp1252": "CP1252", "utf-16": "UTF-16"}
        return {
            "encoding": names.get(self.encoding, self.encoding),
            "separator": "Tab" if self.separator == "\t" else self.separator,
        }


def normal(heading: object) -> str:
    """Return a heading without case, blanks, signs and umlauts, for comparison.

    Examples
    --------
    >>> normal("Ortsteil-Schlüssel"), normal(" ORTSTEIL_SCHLUESSEL ")
    ('ortsteilschluessel', 'ortsteilschluessel')
    """
    words = unicodedata.normalize("NFKC", str(heading)).casefold().translate(_UMLAUTS)
    return "".join(sign for sign in words if sign.isalnum())


def detect(
    path: Path, *, file: str, encoding: str | None = None, separator: str | None = None, headings: Collection[str] = ()
) -> tuple[Dialect, list[Problem]]:
    """Recognise how a CSV file is written.

    Parameters
    ----------
    path
        The file; it exists.
    file
        Its name in messages.
    encoding, separator
        Declared values, which are then not recognised but checked.
    headings
        Headings that the table may have; a separator that uncovers them is the right one.

    Returns
    -------
    dialect
        What was found.
    problems
        The file is no text in this encoding, or was converted twice.
    """
    found, problems = _encoding(path, file, encoding)
    if problems:
        return Dialect(encoding="utf-8", separator=separator or ";"), problems
    with path.open(encoding=found, newline="") as handle:
        sample = handle.read(_SAMPLE)
        complete = not handle.read(1)
    lines, remarks = sample.splitlines(keepends=True), []
    skip = 0
    while skip < len(lines):
        line = lines[skip].strip().strip('"')
        if line.casefold().startswith("sep=") and len(line) == 5:  # a line that Excel writes and reads
            separator = separator or line[4]
        elif line.startswith("#"):
            remarks.append(line.lstrip("# "))
        else:
            break
        skip += 1
    sample = "".join(lines[skip:])
    if not complete:
        sample = sample.rsplit("\n", 1)[0]
    separator = separator or _separator(sample, headings)
    return Dialect(encoding=found, separator=separator, skip=skip, remarks=tuple(remarks)), []


def _encoding(path: Path, file: str, declared: str | None) -> tuple[str, list[Problem]]:
    content = path.read_bytes()
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked is None and b"\x00" in content[:_SAMPLE]:
        return "utf-8", [Problem("data.not_text", file=file)]
    if declared is not None:
        return _declared(content, file, declared)
    if marked is None:
        marked = "utf-8" if _undecoded(content, "utf-8") is None else "cp1252"
    place = _undecoded(content, marked)
    if place is not None:
        row = content[:place].count(b"\n") + 1
        return marked, [Problem("data.wrong_encoding", file=file, row=row, byte=f"0x{content[place]:02X}")]
    return marked, _twice(content, marked, file)


def _declared(content: bytes, file: str, declared: str) -> tuple[str, list[Problem]]:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return "utf-8", [Problem("data.unknown_encoding", file=file, value=declared)]
    place = _undecoded(content, name)
    if place is not None:
        row = content[:place].count(b"\n") + 1
        byte = f"0x{content[place]:02X}"
        return name, [Problem("data.declared_encoding", file=file, row=row, declared=declared, byte=byte)]
    if name == "utf-8" and content.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    return name, _twice(content, name, file)


def _undecoded(content: bytes, encoding: str) -> int | None:
    """Return the position of the first byte that is not text in `encoding`, or None."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _twice(content: bytes, encoding: str, file: str) -> list[Problem]:
    """Return a problem for text that an earlier conversion has spoilt."""
    if not encoding.startswith("utf-8"):
        return []
    for code, mark in _SPOILT:
        place = content.find(mark.encode())
        if place >= 0:
            return [Problem(code, file=file, row=content[:place].count(b"\n") + 1, given=mark)]
    return []


def spoilt(words: str) -> tuple[str, str] | None:
    """Return the code of the problem and the characters that show that an earlier conversion has spoilt `words`.

    Examples
    --------
    >>> spoilt("GrÃ¼nau"), spoilt("Grünau")
    (('data.converted_twice', 'Ã¼'), None)
    """
    return next(((code, mark) for code, mark in _SPOILT if mark in words), None)


def _separator(sample: str, headings: Collection[str]) -> str:
    """Return the separator that uncovers most known headings and then cuts most evenly."""
    known = {normal(heading) for heading in headings}

    def score(separator: str) -> tuple[int, bool, float, int]:
        records = _records(sample, separator)
        if not records:
            return 0, False, 0.0, 0
        width = len(records[0])
        even = sum(len(record) == width for record in records) / len(records)
        return sum(normal(cell) in known for cell in records[0]), width > 1, even, width

    return max(SEPARATORS, key=score)  # the first of equals


def _records(sample: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(sample), delimiter=separator)
    records = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) == _RECORDS:
                break
    except csv.Error:  # an unclosed quotation mark under a separator that is not the right one
        return records
    return records
