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
from harness.cassettes.importers.log_lines import OBJECT, data_of
from harness.cassettes.importers.python_literals import printed

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_DATA = re.compile(r"(?:^|\s|['\"])data: ?[\[{]")
_DOCKERS_MOST = 1 << 12  # characters; it cuts a line at 16 KiB, UTF-8 has 4 to one
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
    """Return the objects of the lines, and in one what Docker cut into several."""
    lines = [dict_of(parsed(line, strict=True)) for line in text.splitlines()]
    if not any(str(one.get("log")).endswith("\n") for one in lines):
        return lines  # another's, whose lines have no end
    entries: list[dict[str, Any]] = []
    begun: dict[str, dict[str, Any]] = {}  # of each stream, what goes on
    for entry in lines:
        log, stream = entry.get("log"), str(entry.get("stream"))
        first = begun.pop(stream, None) if isinstance(log, str) else None
        if first is not None:
            first["log"] += log
        else:
            entries.append(entry)
        if isinstance(log, str) and log[-1:] != "\n" and len(log) >= _DOCKERS_MOST:
            begun[stream] = first or entry
    return entries


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
    known: list[list[str | None]] = []
    for key, value in entry.items():
        found = _lines_of(key, value, depth, places)
        data = [data_of(line) for line in found]
        if data not in known:  # beside its message a logger keeps what it made of it
            lines += found
            known.append(data)
    return lines


def _lines_of(
    key: Any, value: Any, depth: int, places: set[tuple[Any, str]] | None
) -> list[str]:
    if isinstance(value, str):
        if _DATA.search(value):
            return value.strip().splitlines()
        if value.strip() == "[DONE]":
            return ["data: [DONE]"]
        found = OBJECT.search(value)  # perhaps behind words
        if found is None:
            return []
        text = value[found.start() :].strip()
        place = key, re.sub(r"\d+", "0", value[: found.start()])
        value = parsed(text)
        if value is None:
            value = printed(text)
        if places is not None and isinstance(value, dict) and _is_event(value):
            places.add(place)
        elif places is not None and value is None and place in places:
            return [f"data: {{{' '.join(text.removeprefix('{').splitlines())}"]
    if isinstance(value, dict) and _is_event(value):
        return [f"data: {json.dumps(value, ensure_ascii=False)}"]
    if isinstance(value, dict) and depth > 1:
        return data_lines(value, depth - 1, places)
    if isinstance(value, list) and depth > 2:
        return data_lines(dict(enumerate(value)), depth - 1, places)
    return []
