"""Names of areas find their keys: tolerant of how a name is written, never of which name it is."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

_PREFIX = re.compile(r"^(ortsteil|ot|stadtteil|stadtbezirk|sb|bezirk)\.?\s+(?=\S)")
_FOOTNOTE = re.compile(r"(\s*(\d\)|\*+|[¹²³⁴⁵]))+$")
_JOINS = re.compile(r"[\s\-\u2010-\u2015\u00ad]+")


def plain(name: str) -> str:
    """Return a name without what writers vary: case, blanks, kinds of hyphen, ``Ortsteil``, footnote marks.

    Examples
    --------
    >>> plain(" Ortsteil Grünau – Mitte 1)") == plain("grünau-mitte")
    True
    """
    bare = _FOOTNOTE.sub("", name.strip())  # before NFKC, which makes ¹ a 1
    folded = unicodedata.normalize("NFKC", bare).casefold()
    return _JOINS.sub(" ", _PREFIX.sub("", folded)).strip()


def labelled(keys: Sequence[str], names: Mapping[str, str], *, shown: int = 6) -> tuple[str, str, int]:
    """Return areas as a reader knows them: ending of the text key, the first few, and how many more there are.

    Examples
    --------
    >>> labelled(["93", "94"], {"93": "Eutritzsch"})
    ('', '93 Eutritzsch, 94', 0)
    >>> labelled(["93", "94", "95"], {}, shown=1)
    ('_more', '93', 2)
    """
    more = len(keys) - shown if len(keys) > shown + 1 else 0
    words = [f"{key} {names[key]}" if key in names else key for key in keys[: len(keys) - more]]
    return "_more" if more else "", ", ".join(words), more


@dataclass(frozen=True)
class Names:
    """Pairs of key and name of all areas.

    Parameters
    ----------
    pairs
        ``(key, name)``, each key once.
    """

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, keys: Iterable[str], names: Iterable[str]) -> "Names":
        """Return the pairs of two columns of equal length."""
        return cls(tuple(zip(keys, names, strict=True)))

    def key(self, label: str) -> str | None:
        """Return the key of a label, or None: a name, a key, or both (``62 Grünau-Mitte``) that agree.

        Examples
        --------
        >>> names = Names((("62", "Grünau-Mitte"), ("00", "Zentrum")))
        >>> names.key("Grünau Mitte"), names.key("62 Grünau-Mitte"), names.key("0"), names.key("00 Grünau-Mitte")
        ('62', '62', None, None)
        """
        label = label.strip()
        if label in self._keys:
            return label
        first, _, rest = label.partition(" ")
        if first in self._keys and rest.strip():
            return first if self._by_name.get(plain(rest)) == first else None
        return self._by_name.get(plain(label))

    def nearest(self, label: str) -> str | None:
        """Return the key and name most like a label that is none, ``"62 Grünau-Mitte"``."""
        if label.strip().zfill(2) in self._keys:
            key = label.strip().zfill(2)
            return f"{key} {dict(self.pairs)[key]}"
        likely = get_close_matches(plain(label), list(self._by_name), n=1, cutoff=0.5)
        found = next((pair for pair in self.pairs if likely and plain(pair[1]) == likely[0]), None)
        return f"{found[0]} {found[1]}" if found else None

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(key for key, _ in self.pairs)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Keys by plain name; a name that two areas bear finds neither."""
        every = [plain(name) for _, name in self.pairs]
        return {plain(name): key for key, name in self.pairs if every.count(plain(name)) == 1}
