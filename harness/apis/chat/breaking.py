"""What each fault of `harness.apis.chat.faults` does to chunks or bytes.

Each function takes the stream and the fault's number (0 where it has none).
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from harness.apis.chat.chunks import Chunk
from harness.apis.chat.dialects.editing import (
    edit_choices,
    edit_delta,
    entries_of,
    function_of,
)
from harness.apis.chat.dialects.parts import CallTracker, restated
from harness.apis.chat.texts import REASONING_FIELDS
from harness.apis.edits import at_number, cut, twice
from harness.apis.json_values import is_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def cut_bytes(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield the first bytes only."""
    left = count
    for piece in pieces:
        if left <= 0:
            return
        yield piece[:left]
        left -= len(piece)


def no_finish(chunks: Iterable[Chunk], _number: int) -> Iterator[Chunk]:
    """Make every finish reason null."""

    def edit(_index: int, choice: dict[str, Any]) -> dict[str, Any]:
        return (
            {**choice, "finish_reason": None} if choice.get("finish_reason") else choice
        )

    for chunk in chunks:
        yield restated(chunk, edit_choices(chunk.payload, edit))


def error_event(chunks: Iterable[Chunk], count: int) -> Iterator[Chunk]:
    """End with an error event as OpenAI and OpenRouter send it in a 200 response."""
    error = {
        "message": "The server had an error while processing your request",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    last = at_number(lambda chunk: [restated(chunk, {"error": error})])
    return islice(cast("Iterator[Chunk]", last(chunks, count)), count + 1)


def reordered_chunks(chunks: Iterable[Chunk], number: int) -> Iterator[Chunk]:
    """Send one chunk after the one behind it, each with the other's number and time."""
    held: Chunk | None = None
    for position, chunk in enumerate(chunks):
        if position == number:
            held = chunk
        elif held is not None:
            yield Chunk(held.index, held.at, chunk.payload)
            yield Chunk(chunk.index, chunk.at, held.payload)
            held = None
        else:
            yield chunk
    if held is not None:
        yield held


def truncated_arguments(chunks: Iterable[Chunk], count: int) -> Iterator[Chunk]:
    """Send only the first code points of the arguments of every call."""

    def edit(seen: str, text: str) -> str:
        return text[: max(0, count - len(seen))]

    return _edit_arguments(chunks, edit)


def trailing_arguments(chunks: Iterable[Chunk], _number: int) -> Iterator[Chunk]:
    """Send a brace too many behind the fragment that closes the arguments."""

    def edit(seen: str, text: str) -> str:
        return text + "}" if text.strip() and is_json(seen + text) else text

    return _edit_arguments(chunks, edit)


def bad_escape(chunks: Iterable[Chunk], _number: int) -> Iterator[Chunk]:
    r"""Send ``C:\users`` at the start of the first string, which JSON cannot read."""

    def edit(seen: str, text: str) -> str:
        if '"' in seen or '"' not in text:
            return text
        return text.replace('"', '"C:\\users', 1)

    return _edit_arguments(chunks, edit)


def _edit_arguments(
    chunks: Iterable[Chunk], edit: Callable[[str, str], str]
) -> Iterator[Chunk]:
    """Edit fragments, given the arguments before them, and legacy ones alike."""
    tracker = CallTracker()
    legacy: dict[int, str] = {}

    def in_delta(choice: int, delta: dict[str, Any]) -> dict[str, Any]:
        function = delta.get("function_call")
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            text = function["arguments"]
            seen = legacy.get(choice, "")
            legacy[choice] = seen + text
            edited = {**function, "arguments": edit(seen, text)}
            delta = {**delta, "function_call": edited}
        if not entries_of(delta):
            return delta
        return {
            **delta,
            "tool_calls": [_in_entry(choice, entry) for entry in entries_of(delta)],
        }

    def _in_entry(choice: int, entry: dict[str, Any]) -> dict[str, Any]:
        call = tracker.call_of(choice, entry)
        function = function_of(entry)
        text = function.get("arguments")
        if call is None or not text or not isinstance(text, str):
            return entry
        seen = call.arguments[: -len(text)]
        return {**entry, "function": {**function, "arguments": edit(seen, text)}}

    for chunk in chunks:
        yield restated(chunk, edit_delta(chunk.payload, in_delta))


_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def _events(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield bytes event by event, each with its blank line; the rest last."""
    held = b""
    for piece in pieces:
        held += piece
        start = 0
        for end in _BLANK_LINE.finditer(held):
            yield held[start : end.end()]
            start = end.end()
        held = held[start:]
    if held:
        yield held


_DATA = re.compile(rb"(?:^|(?<=[\r\n]))data: ?")
_DONE = re.compile(rb"\[DONE\]\s*\Z")


def no_done(pieces: Iterable[bytes], _number: int) -> Iterator[bytes]:
    """Leave out the event whose data is `[DONE]`."""
    for event in _events(pieces):
        found = _DATA.search(event)
        if found is None or not _DONE.match(event, found.end()):
            yield event


def broken_json(pieces: Iterable[bytes], number: int) -> Iterator[bytes]:
    """Send only half the data of one event; its blank line comes all the same."""
    position = 0
    for event in _events(pieces):
        found = _DATA.search(event)
        if found is None or _DONE.match(event, found.end()):
            yield event
            continue
        if position == number:
            start, end = found.end(), len(event.rstrip(b"\r\n"))
            # Half of the shortest payload is its brace, which is no JSON either.
            yield event[: start + (end - start) // 2] + event[end:]
        else:
            yield event
        position += 1


def stray_bytes(pieces: Iterable[bytes], _number: int) -> Iterator[bytes]:
    """Add a NUL, half a UTF-8 sequence and an unfinished line after the end."""
    yield from pieces
    yield b"\x00\xe2\x82 stray\ndat"


_TEXT_FIELDS = (
    *("content", "refusal", "arguments", "input", "text", "thinking", "transcript"),
    *REASONING_FIELDS,
)
_TEXT_START = re.compile(rf'"(?:{"|".join(_TEXT_FIELDS)})":\s*"(?=[^"])'.encode())


def invalid_utf8(pieces: Iterable[bytes], number: int) -> Iterator[bytes]:
    """Put the byte FF at the start of the first text from one event on."""
    position = 0
    is_done = False
    for event in _events(pieces):
        found = _TEXT_START.search(event) if position >= number else None
        if found is not None and not is_done:
            is_done = True
            yield event[: found.end()] + b"\xff" + event[found.end() :]
        else:
            yield event
        position += _DATA.search(event) is not None


CHANGES = {
    "cut-chunks": cut,
    "no-finish": no_finish,
    "error-event": error_event,
    "duplicate-chunk": at_number(twice),
    "reordered-chunks": reordered_chunks,
    "truncated-arguments": truncated_arguments,
    "trailing-arguments": trailing_arguments,
    "bad-escape": bad_escape,
}
"""What is done to chunks, by fault."""

BYTE_CHANGES = {
    "cut-bytes": cut_bytes,
    "no-done": no_done,
    "broken-json": broken_json,
    "stray-bytes": stray_bytes,
    "invalid-utf8": invalid_utf8,
}
"""What is done to bytes, by fault."""
