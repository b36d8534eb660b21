"""Tables as CSV: what LangSmith, Langfuse, Phoenix, Splunk and the like export.

Its rows are read as JSON would be (`harness.cassettes.importers.anywhere`): an answer
may stand in each, or an event.
"""

from __future__ import annotations

import csv
import itertools
import re
from typing import TYPE_CHECKING, Any

from harness.cassettes.importers import anywhere

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_HEAD = re.compile(r"\"?[A-Za-z_@][^\n{}:,;\t]*(?P<mark>[,;\t])[^\n{}:]*\n")
_MOST = 1 << 24  # characters of a cell


def sniff(text: str) -> bool:
    """Recognise a table with an answer in it."""
    return bool(_HEAD.match(text)) and '""' in text and anywhere.sniff(_rows(text))


def read(text: str, path: str) -> list[Exchange]:
    """Read the answers of a table."""
    return anywhere.read(_rows(text), path)


def _rows(text: str) -> list[dict[Any, Any]]:
    head, before = _HEAD.match(text), csv.field_size_limit(_MOST)
    lines = text.splitlines(keepends=True)
    try:
        rows = csv.DictReader(lines, delimiter=head["mark"] if head else ",")
        return list(itertools.islice(rows, 100_000))
    except csv.Error:
        return []
    finally:
        csv.field_size_limit(before)
