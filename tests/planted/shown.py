"""Consumers that show more than texts and calls: wrongly (`CHAT`, ...) or rightly.

How an answer ended, what it took and what was signed; the rest of what a stranger's
consumer may show is right and must be left alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader
from tests.planted.streams import Reader, _lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Chunk = dict[str, Any]


class Ended(Reader):
    """Shows how the answer ended and what it took, as a right consumer does."""

    def __init__(self) -> None:
        super().__init__()
        self.finish: str | None = None
        self.refusal = ""
        self.tokens = 0

    def read(self, chunk: _Chunk) -> None:
        super().read(chunk)
        self.tokens = (chunk.get("usage") or {}).get("total_tokens") or self.tokens
        for choice in chunk.get("choices") or []:
            if not choice.get("index"):
                self.finish = choice.get("finish_reason") or self.finish
                self.refusal += (choice.get("delta") or {}).get("refusal") or ""

    def result(self) -> dict[str, Any]:
        ended = {"finish_reason": self.finish, "refusal": self.refusal or None}
        return {**super().result(), **ended, "usage": {"total_tokens": self.tokens}}


class FinishLost(Ended):
    """Lets a later chunk without a reason replace it."""

    def read(self, chunk: _Chunk) -> None:
        self.finish = None
        super().read(chunk)


class TokensAdded(Ended):
    """Adds up counts that are cumulative."""

    def read(self, chunk: _Chunk) -> None:
        before = self.tokens
        super().read(chunk)
        if chunk.get("usage"):
            self.tokens += before


class RefusalIsText(Ended):
    """Shows a refusal as the answer."""

    def result(self) -> dict[str, Any]:
        self.text, self.refusal = self.text + self.refusal, ""
        return super().result()


class LengthIsStop(Ended):
    """Has two reasons of its own, and no word for an answer that was cut off."""

    def result(self) -> dict[str, Any]:
        if self.finish is not None:
            self.finish = "tool_use" if self.calls else "end"
        return super().result()


class ReasoningIsText(Reader):
    """Takes reasoning for text where there is no other."""

    def read_content(self, delta: _Chunk) -> None:
        super().read_content(delta)
        self.text += delta.get("reasoning_content") or ""


class BrokenIsEmpty(Reader):
    """Calls with nothing where the arguments were cut off."""

    def result(self) -> dict[str, Any]:
        for call in self.calls:
            try:
                json.loads(call["arguments"] or "{}")
            except ValueError:
                call["arguments"] = "{}"
        return super().result()


class CalledTwice(Reader):
    """Shows every call as soon as it is whole and again at the end."""

    def result(self) -> dict[str, Any]:
        self.calls += self.calls
        return super().result()


def goes_on(chunks: Iterable[_Chunk]) -> Iterator[str]:
    """Goes on when it is closed."""
    for chunk in chunks:
        reader = Reader()
        reader.read(chunk)
        try:
            if reader.text:
                yield reader.text
        except GeneratorExit:
            yield "(interrupted)"


CHAT = (
    *(FinishLost, TokensAdded, RefusalIsText, LengthIsStop, ReasoningIsText),
    *(BrokenIsEmpty, CalledTwice, goes_on),
)


class FailedIsComplete(ResponsesReader):
    """Takes an answer that failed for one that is over."""

    def __init__(self) -> None:
        super().__init__()
        self.status: str | None = None

    def read(self, event: _Chunk) -> None:
        super().read(event)
        if event["type"] in {"response.completed", "response.failed"}:
            self.status = "completed"
        elif event["type"] == "response.incomplete":
            self.status = "incomplete"

    def result(self) -> dict[str, Any]:
        return {**super().result(), "status": self.status}


class SignatureDropped(AnthropicReader):
    """Keeps thoughts, for which there must be a signature, without it."""

    def result(self) -> dict[str, Any]:
        return {**super().result(), "blocks": [{"type": "thinking", "signature": ""}]}


class CountsAdded(AnthropicReader):
    """Adds the cumulative counts of the end to those of the beginning."""

    tokens = 0

    def read(self, event: _Chunk) -> None:
        super().read(event)
        held = event.get("usage") or (event.get("message") or {}).get("usage") or {}
        self.tokens += held.get("output_tokens") or 0

    def result(self) -> dict[str, Any]:
        return {**super().result(), "output_tokens": self.tokens}


class GrowingAdded(GeminiReader):
    """Adds up counts that grow with every event."""

    tokens = 0

    def read(self, event: _Chunk) -> None:
        super().read(event)
        counts = event.get("usageMetadata") or {}
        self.tokens += counts.get("candidatesTokenCount") or 0

    def result(self) -> dict[str, Any]:
        return {**super().result(), "usage": {"output_tokens": self.tokens}}


OF_APIS = (
    (FailedIsComplete, "responses"),
    (SignatureDropped, "anthropic"),
    (CountsAdded, "anthropic"),
    (GrowingAdded, "gemini"),
)


def line_is_event(pieces: Iterator[bytes]) -> str:
    """Take every line of data for an event."""
    reader = Reader()
    for line in _lines(b"".join(pieces).decode("utf-8", "replace")):
        try:
            chunk = json.loads(line.removeprefix("data:"))
        except ValueError:
            continue
        if isinstance(chunk, dict):
            reader.read(chunk)
    return reader.text


def last_line_lost(pieces: Iterator[bytes]) -> str:
    """Leave what has no line end unread."""
    reader = Reader()
    *lines, _ = _lines(b"".join(pieces).decode("utf-8", "replace"))
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:"))
        elif not line and data:
            chunk, data = "\n".join(data).strip(), []
            if chunk.startswith("{") and chunk.endswith("}"):
                reader.read(json.loads(chunk))
    return reader.text


class Counting(Ended):
    """Counts chunks, and shows errors and broken arguments as what they are."""

    number = 0
    error: str | None = None

    def read(self, chunk: _Chunk) -> None:
        self.number += 1
        if chunk.get("error"):
            self.error = "the server reported an error"
        super().read(chunk)

    def result(self) -> dict[str, Any]:
        for call in self.calls:
            try:
                json.loads(call["arguments"] or "{}", strict=False)
            except ValueError:
                call["arguments"] = json.dumps({"_raw": call["arguments"]})
        ended = {"chunks": self.number, "error": self.error}
        self.finish = self.finish or "unknown"
        return {**super().result(), **ended}


def tagged(chunks: Iterable[_Chunk]) -> Iterator[tuple[str, Any]]:
    """Yield pieces as they come, calls and the end at the end."""
    reader = Ended()
    for chunk in chunks:
        before = len(reader.text)
        reader.read(chunk)
        if reader.text[before:]:
            yield "text", reader.text[before:]
    for call in reader.calls:
        yield "call", {"tool": call["name"], "params": call["arguments"] or "{}"}
    yield "finish", reader.finish or "incomplete"


class Fed:
    """Is fed chunk by chunk, and closed."""

    def __init__(self) -> None:
        self.reader = Ended()

    def feed(self, chunk: _Chunk) -> list[tuple[str, str]]:
        before = len(self.reader.text)
        self.reader.read(chunk)
        return [("text", text)] if (text := self.reader.text[before:]) else []

    def close(self) -> dict[str, Any]:
        return {**self.reader.result(), "content": ""}


RIGHT = (Ended, Counting, tagged, Fed)
