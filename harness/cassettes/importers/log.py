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
from harness.apis.json_values import parsed
from harness.cassettes.classify import is_error
from harness.cassettes.importers.base import encoded, exchanges_from, is_event, restored
from harness.cassettes.importers.draft import Draft
from harness.cassettes.importers.python_literals import expression, printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Exchange

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Searched, as lines may be long: what stands before them is looked at afterwards.
_DATA = re.compile(r"(?<![\w.])data: ?(?P<rest>[\[{].*)$")
_EVENT = re.compile(r"(?<![\w.])event: ?(?P<name>[\w.]+)\s*$")
# A Python or JSON literal that begins as a line of a stream does, or as an event.
_LITERAL = re.compile(
    r"(?<![\w\\])[bB]?(?P<quote>['\"])"
    r"(?=(?:(?:\\r)?\\n)*(?:(?:data|event|id|retry)?:|\{\S|\[DONE\]))"
    r"(?:\\.|(?!(?P=quote)|\\).)*(?P=quote)"
)
_ANY_LITERAL = re.compile(
    r"(?<![\w\\])[bB]?(?P<quote>['\"])(?:\\.|(?!(?P=quote)|\\).)*(?P=quote)"
)
_OBJECT = re.compile(r"\{|\b[A-Z]\w*(?:Chunk|Event|Response\w*)\(")
_FIELD = re.compile(r"(?:data|event|id|retry)?:")
_REQUEST = re.compile(r"\b(?:POST|GET)\b(?: request)?(?: to)? (\S+)")
_STAMP = re.compile(
    r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)?[T ]?(?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.,](?P<part>\d+))?"
)
_WORDS = 1000  # more than a logger puts before a message; a line may hold many literals
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
        for found in (_literals(line) or _prefixed(line),)
        if found
    ]
    if prefixed:
        yield from prefixed
    else:
        yield from ((number, value) for number, _, value in _values(text) if value[1])


def _values(text: str) -> Iterator[tuple[int, str, tuple[dict[str, Any], str, str]]]:
    """Yield JSON objects behind a prefix: line, prefix, value, what it is, its text."""
    end = number = 0
    shape = ""  # of what stands before an event: what comes behind it again is one
    for line in re.finditer(r"[^\n]*\n?", text):
        number += 1
        if line.start() < end:
            continue
        found = _OBJECT.search(line[0])
        if found is None or line[0].startswith('{"'):  # lines of JSON are no log
            continue
        start, prefix = line.start() + found.start(), line[0][: found.start()]
        try:
            value, end = _decoded(text, start)
            raw = text[start:end]
        except (ValueError, RecursionError):
            value = printed(line[0][found.start() :].rstrip().rstrip(","))
            raw = json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict):
            kind = _kind(value)
            shape = _shape(prefix) if kind else shape
            yield number, prefix, (value, kind, raw)
        elif shape and _shape(prefix) == shape:  # a logger had cut it: reported later
            yield number, prefix, ({}, "event", line[0][found.start() :].strip())


def _decoded(text: str, start: int, size: int = 1 << 12) -> tuple[Any, int]:
    """Return the JSON value that begins at a place, and where it ends.

    Errors, of which each line may hold one, count the lines of all that is decoded.
    """
    part = text[start : start + size]
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(part)
    except json.JSONDecodeError as error:
        # Cut off within a literal or an escape, the longest of which is `-Infinity`.
        is_cut = error.pos > len(part) - 16 or error.msg.startswith("Unterminated")
        if start + size < len(text) and is_cut:
            return _decoded(text, start, 4 * size)
        raise
    return value, start + end


def _kind(value: dict[str, Any]) -> str:
    if api_of_answer(value) is not None and "object" in value:
        return "answer" if value["object"] == "chat.completion" else "event"
    if api_of_event("", value) is not None:
        return "event"
    return "answer" if api_of_answer(value) is not None else ""


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a log."""
    text = _COLOUR.sub("", text)
    has_data = any(_literals(one) or _prefixed(one) for one in text.splitlines())
    reader = _Reader(are_lines=not _hold_breaks(text.splitlines()))
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
    def __init__(self, *, are_lines: bool) -> None:
        self._are_lines = are_lines
        self.drafts: list[Draft] = [Draft()]
        self._is_done = False
        self._name = ""
        self._shape = ""  # what stands before the last literal
        self._cut = ""  # what stands before a literal that ended inside a line
        self._began: float | None = None
        self._stamped: tuple[int, float | None] = (0, None)  # the last line, its time
        self._lines: list[int] = []
        self._framed = False

    def read_line(self, number: int, line: str) -> None:
        named, found = _EVENT.search(line), _prefixed(line)
        pieces = _literals(line, self._cut)
        if pieces:
            self._cut = ""
            for shape, piece in pieces:
                whole = _with_its_end(piece) if self._are_lines else _as_sent(piece)
                self._shape, self._cut = shape, "" if whole.endswith("\n") else shape
                self._add(number, line, whole)
                self._is_done = "data: [DONE]" in whole
        elif named and not found and named.start():
            self._name = named["name"]
        elif found:
            data = _payload(found)
            name = f"event: {self._name}\n" if self._name else ""
            self._name = ""
            self._add(number, line, f"{name}data: {data}\n\n")
            self._is_done = data.strip() == "[DONE]"
        elif "'{" in line and _shape(line.partition("'{")[0]) == self._shape != "":
            rest = line[line.index("'{") + 1 :]  # a logger had cut it: reported later
            self._add(number, line, f"data: {rest}\n\n")
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
            self._add(number, prefix, raw)
            self._is_done = True
        elif kind or (self.drafts[-1].body and not self._is_done and _is_of_any(raw)):
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


def _prefixed(line: str) -> re.Match[str] | None:
    found = _DATA.search(line)
    before = line[: found.start()] if found else ""
    is_logged = before and (re.search(r"\w", before) or before.strip() in {"'", '"'})
    return found if is_logged and not _COMMAND.search(before) else None


def _literals(line: str, cut: str = "") -> list[tuple[str, str]]:
    """Return the pieces of a stream that stand in a line as literals, and before them.

    Args:
        line: The line.
        cut: What stands before the literal whose piece ended inside a line: the piece
            behind the same words goes on there, however it begins.
    """
    pieces: list[tuple[str, str]] = []
    if '{""' in line:  # CSV, which doubles its quotes
        return pieces
    pattern = _ANY_LITERAL if cut else _LITERAL
    end_of_cut = cut.rpartition("0")[2]  # compared first, as all of it takes long
    for found in pattern.finditer(line):
        start = found.start()
        goes_on = cut and line.endswith(end_of_cut, 0, start)
        goes_on = goes_on and _shape(line[:start]) == cut
        is_like = goes_on or _LITERAL.match(found[0])
        text = _value(found[0]) if is_like else ""
        if goes_on or (is_like and _holds_event(text)):
            pieces.append((_shape(line[:start]), text))
    return pieces


def _shape(before: str) -> str:
    """Return the words before a literal, whatever their numbers; of many the last."""
    return re.sub(r"\d+", "0", before[-_WORDS:])


def _value(literal: str) -> str:
    try:
        value = json.loads(literal)
    except ValueError:
        try:
            value = ast.literal_eval(expression(literal))
        except (SyntaxError, ValueError):
            return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(value)


def _holds_event(text: str) -> bool:
    """Return whether text is lines of a stream, or the data of an event alone."""
    stripped = text.strip()
    if _FIELD.match(stripped):
        return stripped != ":"
    return stripped == "[DONE]" or (stripped[:1] == "{" and is_event(parsed(stripped)))


def _is_of_any(raw: str) -> bool:
    """Return whether JSON is an event of any API: a ping, or an error."""
    value = parsed(raw)
    return isinstance(value, dict) and (value.get("type") == "ping" or is_error(value))


def _hold_breaks(lines: list[str]) -> bool:
    """Return whether a logger wrote pieces, line ends included, and not lines."""
    pieces = (piece for line in lines for piece in _literals(line))
    shape, text = next(pieces, ("", ""))
    return "\n" in text or any(
        "\n" in piece for line in lines for _, piece in _literals(line, shape) if shape
    )


def _as_sent(piece: str) -> str:
    """Return a piece; one that is the data of an event alone is framed."""
    stripped = piece.strip()
    is_data = stripped == "[DONE]" or is_event(parsed(stripped))
    return f"data: {stripped}\n\n" if is_data else piece


def _with_its_end(text: str) -> str:
    """Return a line with the end that its logger left out."""
    whole = _as_sent(text)
    return whole if whole.endswith("\n") else f"{text}\n"


def data_of(line: str) -> str | None:
    """Return the data that stand in a line, with or without words before them."""
    found = _DATA.search(line)
    return None if found is None else _payload(found)


def _payload(found: re.Match[str]) -> str:
    """Return the data of a line, without what a logger wrote behind it."""
    rest = found["rest"]
    if rest.startswith('{""'):  # a field of CSV
        rest = rest.replace('""', '"')
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(rest)
    except (ValueError, RecursionError):
        end = len("[DONE]") if rest.startswith("[DONE]") else len(rest)
    return rest[:end]


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
