"""Logs: lines with a time stamp, a level or a name in front of what was streamed.

Two kinds: `data:` lines as they came from the wire, and JSON that a server wrote into
its log, such as LM Studio's "Generated packet: {...}" over several lines.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import compress
from typing import TYPE_CHECKING

from harness.apis.json_values import parsed
from harness.cassettes.classify import is_error
from harness.cassettes.importers.base import encoded, exchanges_from, restored
from harness.cassettes.importers.draft import Draft
from harness.cassettes.importers.log_lines import (
    EVENT,
    as_sent,
    hold_breaks,
    literals,
    payload,
    prefixed,
    shape_of,
    values,
    what_is_said,
    with_its_end,
    words_said_again,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BARE = re.compile(r"[\s>|]*data:")
_REQUEST = re.compile(r"\b(?:POST|GET)\b(?: request)?(?: to)? (\S+)")
_STAMP = re.compile(
    r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)?[T ]?(?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.,](?P<part>\d+))?"
)


def sniff(text: str) -> bool:
    """Recognise a log with a stream in it."""
    text = _COLOUR.sub("", text)
    lines = text.splitlines()
    if any(map(_BARE.match, lines)) and not _has_words_before(lines):
        return False  # the stream stands in the text as it came
    return any(literals(line) or prefixed(line) for line in lines) or any(
        value[1] for _, _, value in values(text)
    )


def _has_words_before(lines: list[str]) -> bool:
    """Return whether a logger wrote the same words before several pieces.

    Of a piece with several lines the others stand bare.
    """
    words: set[str] = set()
    for line in lines:
        found = prefixed(line) or EVENT.search(line)
        before = shape_of(line[: found.start()]) if found else ""
        if before in words:
            return True
        if re.search(r"\w", before):  # and no mark of quoted text
            words.add(before)
    return False


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a log."""
    text = _COLOUR.sub("", text)
    lines = text.splitlines()
    reader = _Reader(are_lines=not hold_breaks(lines))
    if any(literals(one) or prefixed(one) for one in lines):
        for number, line in enumerate(lines, 1):
            reader.read_line(number, line)
    else:
        for number, prefix, (_, kind, raw) in values(text):
            reader.read_value(number, prefix, kind, raw)
    reader.finish()
    drafts = [draft for draft in reader.drafts if draft.body]
    return exchanges_from([one.restated() for one in drafts], path) if drafts else []


class _Reader:
    def __init__(self, *, are_lines: bool) -> None:
        self._are_lines = are_lines
        self.drafts: list[Draft] = [Draft()]
        self._is_done = False
        self._name = ""
        self._shape = ""  # what stands before the last literal
        self._cut = ""  # what stands before a literal that ended inside a line
        self._began: float | None = None
        self._stamped: tuple[int, float | None] = (0, None)  # the last line, its time
        # of each piece of the draft: its line, what stands before it, its content
        self._pieces: list[tuple[int, str, str]] = []
        self._framed = False

    def read_line(self, number: int, line: str) -> None:
        named, found = EVENT.search(line), prefixed(line, is_bare=True)
        pieces = literals(line, self._cut)
        if pieces:
            self._cut = ""
            for shape, piece in pieces:
                whole = with_its_end(piece) if self._are_lines else as_sent(piece)
                self._shape, self._cut = shape, "" if whole.endswith("\n") else shape
                self._add(number, line, whole, shape)
                self._is_done = "data: [DONE]" in whole
        elif named and not found and named.start():
            self._name = named["name"]
        elif found:
            data = payload(found)
            name = f"event: {self._name}\n" if self._name else ""
            self._name = ""
            words = shape_of(line[: found.start()])
            if not words and self._pieces:  # the piece that the last words introduced
                words = self._pieces[-1][1]
            self._add(number, line, f"{name}data: {data}\n\n", words)
            self._is_done = data.strip() == "[DONE]"
        elif "'{" in line and shape_of(line.partition("'{")[0]) == self._shape != "":
            rest = line[line.index("'{") + 1 :]  # a logger had cut it: reported later
            self._add(number, line, f"data: {rest}\n\n", self._shape)
        elif (asked := _REQUEST.search(line)) and "://" in asked[1]:
            # A path alone stands in an access log, behind the answer.
            self._open(line)
            self.drafts[-1].target = asked[1].strip("\"'`,")

    def read_value(self, number: int, prefix: str, kind: str, raw: str) -> None:
        asked = _REQUEST.search(prefix)
        if not kind and asked:
            self._open(prefix)
            self.drafts[-1].target = asked[1]
            self.drafts[-1].request_body = encoded(raw)
        elif kind == "answer":
            self._add(number, prefix, raw, shape_of(prefix))
            self._is_done = True
        elif kind or (self.drafts[-1].body and not self._is_done and _is_of_any(raw)):
            lines = "\n".join(f"data: {line}" for line in raw.splitlines())
            self._framed = True
            self._add(number, prefix, f"{lines}\n\n", shape_of(prefix))

    def _open(self, line: str) -> None:
        self.finish()
        if self.drafts[-1].body:
            self.drafts.append(Draft())
        self._is_done = False
        self._began = _seconds(line)

    def _add(self, number: int, line: str, text: str, words: str) -> None:
        piece = number, words, what_is_said(text)
        if self._is_done:
            _, before, said = self._pieces[-1]
            if said == piece[2] and before != words:
                return  # the end, in other words
            self._open("")
        if self._stamped[0] != number:  # once a line, which may hold many pieces
            self._stamped = number, _seconds(line)
        at = self._stamped[1]
        if self._began is None:
            self._began = at
        draft = self.drafts[-1]
        since = None if at is None or self._began is None else at - self._began
        if since is not None and draft.body and since < (draft.body[-1][0] or 0):
            since = None  # the next day, or lines out of order
        draft.body.append((since, encoded(text)))
        self._pieces.append(piece)

    def finish(self) -> None:
        draft = self.drafts[-1]
        if self._pieces:
            again = words_said_again(self._pieces)
            kept = [words not in again for _, words, _ in self._pieces]
            draft.body = list(compress(draft.body, kept))
            if self._framed:  # JSON has no terminator of its own
                draft.body.append((draft.body[-1][0], b"data: [DONE]\n\n"))
            count, left = kept.count(True), kept.count(False)
            repeated = f", so are {left} that say the same again" if left else ""
            draft.notes.append(
                restored(
                    f"{count} event{'s' * (count != 1)} taken from a log, lines "
                    f"{self._pieces[0][0]} to {self._pieces[-1][0]}; what stands "
                    f"before them and between them is left out{repeated}"
                )
            )
        self._pieces, self._framed = [], False


def _is_of_any(raw: str) -> bool:
    """Return whether JSON is an event of any API: a ping, or an error."""
    value = parsed(raw)
    return isinstance(value, dict) and (value.get("type") == "ping" or is_error(value))


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
