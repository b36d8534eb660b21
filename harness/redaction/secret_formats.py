"""The formats of keys and tokens: the rows of `formats.txt`, which owns the facts.

How a text is searched is `harness.redaction.detectors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.core.package_files import package_tables

if TYPE_CHECKING:
    from collections.abc import Iterator


class Format(NamedTuple):
    """One format of key or token."""

    kind: str
    """What it is, as a phrase."""
    prefix: str
    """A regular expression for what its issuer puts before every one."""
    alphabet: str
    """Of the random part, as in a character class."""
    length: int
    """How many characters of it there are at least: issuers lengthen their keys."""
    source: str
    """The page that documents it; `public reports` where there is none."""
    rest: str | None = None
    """What follows them; None for as many more characters as there are."""
    seen: str = "2026-07"
    """Month in which the row was last compared with its source."""

    @property
    def pattern(self) -> str:
        """The regular expression of the whole, linear in what it matches."""
        more = f"[{self.alphabet}]*+"
        rest = more if self.rest is None else self.rest
        random = f"{self.prefix}[{self.alphabet}]{{{self.length}"
        if rest.startswith(more):  # each set of characters takes its time to compile
            return f"{random},}}+{rest.removeprefix(more)}"
        return f"{random}}}{rest}"


class Service(NamedTuple):
    """What the keys of one service look like, known by whose they are.

    `ADAFRUIT_IO=...` with 32 characters is a key; 32 characters alone are a hash.
    Names that hold credentials of any service (`..._API_KEY`) are
    `harness.redaction.secret_names`.
    """

    word: str
    """A regular expression, in lower case, for its word in a name."""
    values: tuple[str, ...]
    """Regular expressions, each for a whole key of one kind."""
    source: str
    """Whose documentation describes them."""
    seen: str = "2026-07"
    """Month in which the row was last compared with it."""


def table_rows(table: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield the cells of each row of a table of `formats.txt`; last, the named ones."""
    for line in package_tables("harness.redaction", "formats.txt")[table].splitlines():
        if line and not line.startswith("#"):
            cells = line.split(" | ")
            named = [cell for cell in cells if cell.startswith(("rest ", "seen "))]
            unnamed = cells[: len(cells) - len(named)]
            yield unnamed, dict(cell.split(" ", 1) for cell in named)


FORMATS = tuple(
    Format(kind, prefix, alphabet, int(length), source, **more)
    for (kind, prefix, alphabet, length, source), more in table_rows("formats")
)
"""All formats with a mark of their own."""
SERVICES = tuple(
    Service(word, tuple(values.split()), source, **more)
    for (word, values, source), more in table_rows("services")
)
"""All services whose keys are known by a name beside them."""
