"""Keys without a mark of their own, `services` of `formats.txt`: known by their owners.

A row has a word of the service that stands in the name of a variable, field or header,
and the alphabet and length of its keys. `ADAFRUIT_IO=...` with 32 characters
is a key; 32 characters alone are a hash. Names that hold credentials of any service
(`..._API_KEY`) are `harness.redaction.secret_names`.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.redaction.secret_formats import table_rows


class Service(NamedTuple):
    """What the keys of one service look like."""

    word: str
    """A regular expression, in lower case, for its word in a name."""
    values: tuple[str, ...]
    """Regular expressions, each for a whole key of one kind."""
    source: str
    """Whose documentation describes them."""
    seen: str = "2026-07"
    """Month in which the row was last compared with it."""


SERVICES = tuple(
    Service(word, tuple(values.split()), source, **more)
    for (word, values, source), more in table_rows("services")
)
"""All services whose keys are known by a name beside them."""
