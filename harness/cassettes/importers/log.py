"""Logs: lines with a time stamp, a level or a name in front of what was streamed.

Two kinds: `data:` lines as they came from the wire, and JSON that a server wrote into
its log, such as LM Studio's "Generated packet: {...}" over several lines.
"""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.apis.detect import api_of_answer, api_of_event
from harness.cassettes.importers.base import (
    encoded,
    exchanges_from,
    restored,
)
from harness.cassettes.importers.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Exchange

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DATA = re.compile(r"(?P<prefix>.*?\w.*?|\s*['\"])(?<![\w.])data: ?(?P<rest>[\[{].*)$")
_EVENT = re.compile(r"(?P<prefix>.*?\w.*?)(?<![\w.])event: ?(?P<name>[\w.]+)\s*$")
_REQUEST = re.compile(r"\b(?:POST|GET)\b(?: request)?(?: to)? (\S+)")
_STAMP = re.compile(
    r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)?[T ]?(?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.,](?P<part>\d+))?"
)
_COMMAND = re.compile(r"\bcurl\b")


def sniff(text: str) -> bool:
    """Recognise a log with a stream in it."""
    return any(found for _, found in _found(text))


def _found(text: str) -> Iterator[tuple[int, Any]]:
    """Yield number and content of each line that a stream's data stand in."""
    text = _COLOUR.sub("", text)
    lines = text.splitlines()
    if any(re.match(r"[\s>|]*data:", line) for line in lines):
        return  # the stream stands in the text as it came
    prefixed = [
        (number, found)
        for number, line in enumerate(lines, 1)
        for found in (_DATA.match(line),)
        if found and not _COMMAND.search(found["prefix"])
    ]
    if prefixed:
        yield from prefixed
    else:
        yield from ((number, value) for number, _, value in _values(text) if value[1])


def _values(text: str) -> Iterator[tuple[int, str, tuple[dict[str, Any], str, str]]]:
    """Yield JSON objects behind a prefix: line, prefix, value, what it is, its text."""
    decoder = json.JSONDecoder(strict=False)
    end = number = 0
    for line in re.finditer(r"[^\n]*\n?", text):
        number += 1
        brace = line[0].find("{")
        if line.start() < end or brace <= 0 or not re.search(r"\w", line[0][:brace]):
            continue
        start = line.start() + brace
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield number, line[0][:brace], (value, _kind(value), text[start:end])


def _kind(value: dict[str, Any]) -> str:
    if api_of_answer(value) is not None and "object" in value:
        return "answer" if value["object"] == "chat.completion" else "event"
    if api_of_event("", value) is not None:
        return "event"
    return "answer" if api_of_answer(value) is not None else ""


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a log."""
    text = _COLOUR.sub("", text)
    has_data = any(_DATA.match(line) for line in text.splitlines())
    reader = _Reader()
    if has_data:
        for number, line in enumerate(text.splitlines(), 1):
            reader.read_line(number, line)
    else:
        for number, prefix, (_, kind, raw) in _values(text):
            reader.read_value(number, prefix, kind, raw)
    reader.finish()
    drafts = [draft for draft in reader.drafts if draft.body]
    return exchanges_from([one.restated() for one in drafts], path) if drafts else []


class _Reader:
    def __init__(self) -> None:
        self.drafts: list[Draft] = [Draft()]
        self._is_done = False
        self._name = ""
        self._began: float | None = None
        self._lines: list[int] = []
        self._framed = False

    def read_line(self, number: int, line: str) -> None:
        named, found = _EVENT.match(line), _DATA.match(line)
        if named and not found:
            self._name = named["name"]
        elif found and not _COMMAND.search(found["prefix"]):
            for data in _payloads(found):
                name = f"event: {self._name}\n" if self._name else ""
                self._name = ""
                self._add(number, line, f"{name}data: {data}\n\n")
                self._is_done = data.strip() == "[DONE]"
        elif (asked := _REQUEST.search(line)) and "://" in asked[1]:
            # A path alone stands in an access log, behind the answer.
            self._open(line)
            self.drafts[-1].target = asked[1].strip("\"'`,")

    def read_value(self, number: int, prefix: str, kind: str, raw: str) -> None:
        asked = _REQUEST.search(prefix)
        if not kind and asked:
            self._open(prefix)
            self.drafts[-1].target = asked[1]
            self.drafts[-1].request_body = raw.encode()
        elif kind == "answer":
            self._add(number, prefix, raw)
            self._is_done = True
        elif kind:
            lines = "\n".join(f"data: {line}" for line in raw.splitlines())
            self._framed = True
            self._add(number, prefix, f"{lines}\n\n")

    def _open(self, line: str) -> None:
        self.finish()
        if self.drafts[-1].body:
            self.drafts.append(Draft())
        self._is_done = False
        self._began = _seconds(line)

    def _add(self, number: int, line: str, text: str) -> None:
        if self._is_done:
            self._open("")
        at = _seconds(line)
        if self._began is None:
            self._began = at
        draft = self.drafts[-1]
        since = None if at is None or self._began is None else at - self._began
        if since is not None and draft.body and since < (draft.body[-1][0] or 0):
            since = None  # the next day, or lines out of order
        draft.body.append((since, encoded(text)))
        self._lines.append(number)

    def finish(self) -> None:
        draft = self.drafts[-1]
        if self._lines:
            if self._framed:  # JSON has no terminator of its own
                draft.body.append((draft.body[-1][0], b"data: [DONE]\n\n"))
            count = len(self._lines)
            draft.notes.append(
                restored(
                    f"{count} event{'s' * (count != 1)} taken from a log, lines "
                    f"{self._lines[0]} to {self._lines[-1]}; what stands before them "
                    "and between them is left out"
                )
            )
        self._lines, self._framed = [], False


def _payloads(found: re.Match[str]) -> list[str]:
    """Return the data of a line: one, or all events of a Python literal."""
    prefix, rest = found["prefix"], found["rest"]
    if rest.startswith('{""'):  # a field of CSV
        prefix, rest = "", rest.replace('""', '"')
    quote = re.search(r"b?(['\"])$", prefix)
    if quote:
        literal = f"{quote[0]}data: {rest}"
        end = literal.rfind(quote[1])
        try:
            text = ast.literal_eval(literal[: end + 1])
        except (SyntaxError, ValueError):
            text = ""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        pieces = [line[5:].strip() for line in text.splitlines() if line[:5] == "data:"]
        if pieces:
            return pieces
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(rest)
    except (ValueError, RecursionError):
        end = len("[DONE]") if rest.startswith("[DONE]") else len(rest)
    return [rest[:end]]


def _seconds(line: str) -> float | None:
    """Return the time that a line states, in seconds since some moment."""
    found = _STAMP.search(line)
    if not found:
        return None
    date = (found["date"] or "2000-01-01").replace("/", "-")
    try:
        moment = datetime.fromisoformat(f"{date}T{found['clock']}+00:00")
    except ValueError:
        return None
    return moment.timestamp() + float(f"0.{found['part'] or 0}")
