"""Logs of one JSON object a line: Docker's json-file, pino, structlog and the like.

Each object is restated as a plain line, which `harness.cassettes.importers.log` reads.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.apis.detect import api_of_event
from harness.cassettes.importers import log
from harness.cassettes.importers.base import TextImporter

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

__all__ = ["IMPORTER"]

_DATA = re.compile(r"(?:^|\s|['\"])data: ?[\[{]")
_TIMES = ("time", "timestamp", "@timestamp", "ts", "datetime")


def _sniff(text: str) -> bool:
    return text.lstrip().startswith("{") and any(_plain(one) for one in _objects(text))


def _read(text: str, path: str) -> list[Exchange]:
    lines = [line for one in _objects(text) for line in _plain(one)]
    return log.IMPORTER.read("\n".join(lines), path)


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
    lines: list[str] = []
    for value in entry.values():
        if isinstance(value, str) and _DATA.search(value):
            lines += value.strip().splitlines()
        elif isinstance(value, dict) and api_of_event("", value) is not None:
            lines.append(f"data: {json.dumps(value, ensure_ascii=False)}")
    return [f"{time} log: {line}" for line in lines if line]


IMPORTER = TextImporter("a log of JSON lines", _sniff, _read)
"""The importer."""
