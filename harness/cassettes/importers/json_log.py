"""Logs of one JSON object a line: Docker's json-file, pino, structlog and the like.

Each object is restated as a plain line, which `harness.cassettes.importers.log` reads.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import dict_of, parsed
from harness.cassettes.importers import log
from harness.cassettes.importers.base import is_event

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_DATA = re.compile(r"(?:^|\s|['\"])data: ?[\[{]")
_TIMES = ("time", "timestamp", "@timestamp", "ts", "datetime")


def sniff(text: str) -> bool:
    """Recognise a log whose lines hold a stream."""
    return text.lstrip().startswith("{") and any(_plain(one) for one in _objects(text))


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a log."""
    entries, places = _objects(text), set[tuple[Any, str]]()
    for one in entries:
        data_lines(one, places=places)
    lines = [line for one in entries for line in _plain(one, places)]
    return log.read("\n".join(lines), path)


def _objects(text: str) -> list[dict[str, Any]]:
    return [dict_of(parsed(line, strict=True)) for line in text.splitlines()]


def _plain(
    entry: dict[str, Any], places: set[tuple[Any, str]] | None = None
) -> list[str]:
    """Return what an entry carries of a stream as lines of a plain log."""
    time = next((entry[key] for key in _TIMES if isinstance(entry.get(key), str)), "")
    return [f"{time} log: {line}" for line in data_lines(entry, places=places) if line]


def _is_event(held: dict[str, Any]) -> bool:
    return is_event(held) or held.get("type") == "ping" or "error" in held


def data_lines(
    entry: dict[Any, Any], depth: int = 2, places: set[tuple[Any, str]] | None = None
) -> list[str]:
    """Return the data that values hold: as lines, as an object or as its text.

    Loggers keep what they were given beside the message or one level below it, such as
    `{"msg": "chunk", "fields": {"chunk": ...}}`.

    Args:
        entry: What a line holds.
        depth: How many levels are looked at.
        places: The keys, and the words before an event, where events stand; those
            found are added. JSON there that does not parse is an event that a logger
            had cut, which whoever reads the lines reports.
    """
    lines: list[str] = []
    for key, value in entry.items():
        if isinstance(value, str) and _DATA.search(value):
            lines += value.strip().splitlines()
            continue
        held = value
        if isinstance(value, str) and "{" in value:  # perhaps behind words
            words, _, rest = value.partition("{")
            held, place = parsed(f"{{{rest}".strip()), (key, re.sub(r"\d+", "0", words))
            if places is not None and isinstance(held, dict) and _is_event(held):
                places.add(place)
            elif places is not None and held is None and place in places:
                lines.append(f"data: {{{' '.join(rest.splitlines())}")
        if isinstance(value, str) and value.strip() == "[DONE]":
            lines.append("data: [DONE]")
        elif isinstance(held, dict) and _is_event(held):
            lines.append(f"data: {json.dumps(held, ensure_ascii=False)}")
        elif isinstance(held, dict) and depth > 1:
            lines += data_lines(held, depth - 1, places)
        elif isinstance(held, list) and depth > 2:
            lines += data_lines(dict(enumerate(held)), depth - 1, places)
    return lines
