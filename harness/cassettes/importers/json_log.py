"""Logs of one JSON object a line: Docker's json-file, pino, structlog and the like.

Each object is restated as a plain line, which `harness.cassettes.importers.log` reads.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.cassettes.importers import log
from harness.cassettes.importers.base import is_event, parsed

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_DATA = re.compile(r"(?:^|\s|['\"])data: ?[\[{]")
_TIMES = ("time", "timestamp", "@timestamp", "ts", "datetime")


def sniff(text: str) -> bool:
    """Recognise a log whose lines hold a stream."""
    return text.lstrip().startswith("{") and any(_plain(one) for one in _objects(text))


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a log."""
    lines = [line for one in _objects(text) for line in _plain(one)]
    return log.read("\n".join(lines), path)


def _objects(text: str) -> list[dict[str, Any]]:
    objects = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        objects.append(value if isinstance(value, dict) else {})
    return objects


def _plain(entry: dict[str, Any]) -> list[str]:
    """Return what an entry carries of a stream as lines of a plain log."""
    time = next((entry[key] for key in _TIMES if isinstance(entry.get(key), str)), "")
    return [f"{time} log: {line}" for line in data_lines(entry) if line]


def _is_event(held: dict[str, Any]) -> bool:
    return is_event(held) or held.get("type") == "ping" or "error" in held


def data_lines(entry: dict[Any, Any], depth: int = 2) -> list[str]:
    """Return the data that values hold: as lines, as an object or as its text.

    Loggers keep what they were given beside the message or one level below it, such as
    `{"msg": "chunk", "fields": {"chunk": ...}}`.
    """
    lines: list[str] = []
    for value in entry.values():
        if isinstance(value, str) and _DATA.search(value):
            lines += value.strip().splitlines()
            continue
        held = value
        if isinstance(value, str) and "{" in value:  # perhaps behind words
            held = parsed(value[value.index("{") :].strip())
        if isinstance(value, str) and value.strip() == "[DONE]":
            lines.append("data: [DONE]")
        elif isinstance(held, dict) and _is_event(held):
            lines.append(f"data: {json.dumps(held, ensure_ascii=False)}")
        elif isinstance(held, dict) and depth > 1:
            lines += data_lines(held, depth - 1)
        elif isinstance(held, list) and depth > 2:
            lines += data_lines(dict(enumerate(held)), depth - 1)
    return lines
