"""Consumers with bugs of kinds that were not found before: limits, ends, odd texts.

From public threads, among them openai-node#2725, aiohttp#4453, microsoft/agents#268,
zendev-sh/goai#93, can1357/oh-my-pi#8319, BerriAI/litellm#39203.
"""

from __future__ import annotations

import json
import queue
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader
from tests.planted.right_styles import Anthropic
from tests.planted.shown import Ended
from tests.planted.streams import Reader, _lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_Object = dict[str, Any]


class StripsEnd(Reader):
    """Strips the text when it is over."""

    def result(self) -> _Object:
        self.text = self.text.strip()
        return super().result()


class NumbersAreFloats(Reader):
    """Reads whole numbers as JavaScript does."""

    def result(self) -> _Object:
        result = super().result()
        for call in result["calls"]:
            try:
                value = json.loads(call["arguments"] or "{}", parse_int=float)
            except ValueError:
                continue
            call["arguments"] = json.dumps(value)
        return result


class Truncates(Reader):
    """Shows no more than 64 KiB."""

    limit = 1 << 16

    def result(self) -> _Object:
        self.text = self.text[: self.limit]
        return super().result()


class TruncatesLate(Truncates):
    """Shows no more than 1 MiB."""

    limit = 1 << 20


class ArgumentsUpTo(Reader):
    """Drops calls with arguments of more than 32 KiB."""

    def result(self) -> _Object:
        self.calls = [c for c in self.calls if len(c["arguments"]) <= 1 << 15]
        return super().result()


class Encodes(Reader):
    """Writes every piece as UTF-8, also half a pair."""

    def read_content(self, delta: _Object) -> None:
        content = delta.get("content")
        if isinstance(content, str):
            content.encode()
        super().read_content(delta)


class ById(Reader):
    """Keeps calls by their id; what has none belongs to the last."""

    def find(self, entry: _Object) -> _Object:
        call_id = entry.get("id")
        if call_id is None and self.last is not None:
            return self.last
        for call in self.calls:
            if call["id"] == call_id:
                return call
        opened = {"index": 0, "id": call_id, "name": "", "arguments": ""}
        self.calls.append(opened)
        return opened


class FilteredIsStop(Ended):
    """Knows two reasons besides, and takes every other for stop."""

    def result(self) -> _Object:
        if self.finish not in {None, "length", "tool_calls"}:
            self.finish = "stop"
        return super().result()


class LastOfRefusal(Ended):
    """Shows the last piece of a refusal."""

    def read(self, chunk: _Object) -> None:
        super().read(chunk)
        for choice in chunk.get("choices") or []:
            piece = (choice.get("delta") or {}).get("refusal")
            self.refusal = piece or self.refusal


class WordsAreFalse(Reader):
    """Drops pieces that look like nothing."""

    def read_content(self, delta: _Object) -> None:
        if delta.get("content") not in {"0", "false", "null"}:
            super().read_content(delta)


class LastOfName(Reader):
    """Cuts the name of its server off a tool's."""

    def result(self) -> _Object:
        result = super().result()
        for call in result["calls"]:
            if "__" in call["name"]:
                call["name"] = call["name"].rpartition("__")[2]
        return result


class SortsAsText(Reader):
    """Puts the tenth call behind the first."""

    def result(self) -> _Object:
        self.calls.sort(key=lambda call: str(call["index"]))
        return super().result()


CHUNKS = (
    *(WordsAreFalse, LastOfName, SortsAsText),
    *(StripsEnd, NumbersAreFloats, Truncates, TruncatesLate, ArgumentsUpTo),
    *(Encodes, ById, FilteredIsStop, LastOfRefusal),
)


class SmallQueue:
    """Puts chunks in a queue that is emptied at the end; shrinks to its size."""

    def __init__(self) -> None:
        self.queue: queue.Queue[_Object] = queue.Queue(1000)

    def feed(self, chunk: _Object) -> None:
        self.queue.put_nowait(chunk)

    def close(self) -> _Object:
        chunks = [self.queue.get() for _ in range(self.queue.qsize())]
        return Reader()(iter(chunks))


def _fed(pieces: Iterator[bytes], *, end: str = "", most: int = 1 << 30) -> _Object:
    reader, data = Reader(), list[str]()
    text = b"".join(pieces).decode("utf-8", "replace")
    for line in [*_lines(text), ""]:
        if len(line) > most:
            raise RuntimeError("the line is too long")
        if end and end in line.lower():
            break
        if line.startswith("data:"):
            data.append(line.removeprefix("data:"))
        elif not line and data:
            try:
                chunk = json.loads("\n".join(data))
            except ValueError:
                chunk = None
            data.clear()
            if isinstance(chunk, dict):
                reader.read(chunk)
    return reader.result()


def line_of_64k(pieces: Iterator[bytes]) -> _Object:
    """Reads lines of up to 64 KiB."""
    return _fed(pieces, most=1 << 16)


def line_of_1m(pieces: Iterator[bytes]) -> _Object:
    """Reads lines of up to 1 MiB."""
    return _fed(pieces, most=1 << 20)


def done_inside(pieces: Iterator[bytes]) -> _Object:
    """Ends where the terminator is anywhere in a line."""
    return _fed(pieces, end="[done]")


def error_inside(pieces: Iterator[bytes]) -> _Object:
    """Ends where the word is anywhere in a line."""
    return _fed(pieces, end="error:")


def mark_is_name(pieces: Iterator[bytes]) -> _Object:
    """Takes a byte order mark for a part of the first field's name."""
    return _fed(iter([b": \n", *pieces]))


def known_fields(pieces: Iterator[bytes]) -> _Object:
    """Knows two of the fields of an event stream."""
    held = list(pieces)
    for line in b"".join(held).splitlines():
        name = line.partition(b":")[0]
        if name not in {b"data", b"event", b""}:
            raise KeyError(name)
    return _fed(iter(held))


BYTES = (
    *(line_of_64k, line_of_1m, done_inside, error_inside),
    *(mark_is_name, known_fields),
)


class NeedsCreated(ResponsesReader):
    """Reads at the end what the first event has."""

    def on_response_created(self, event: _Object) -> None:
        self.id = event["response"]["id"]

    def result(self) -> _Object:
        assert self.id
        return super().result()


class RefusalTwice(ResponsesReader):
    """Adds the whole refusal to its pieces."""

    refusal = ""

    def on_response_refusal_delta(self, event: _Object) -> None:
        self.refusal += event["delta"]

    def on_response_refusal_done(self, event: _Object) -> None:
        self.refusal += event["refusal"]

    def result(self) -> _Object:
        return {**super().result(), "refusal": self.refusal or None}


class CallOnNext:
    """Shows a call when the next begins, and so never the last."""

    def __init__(self) -> None:
        self.held: list[_Object] = []

    def feed(self, event: _Object) -> list[_Object]:
        shown: list[_Object] = []
        if event["type"] == "response.output_item.added":
            if event["item"].get("type") == "function_call":
                shown = self.held
                self.held = [{"name": event["item"]["name"], "arguments": ""}]
        elif event["type"] == "response.function_call_arguments.delta" and self.held:
            self.held[0]["arguments"] += event["delta"]
        return shown


class RedactedLost(Anthropic):
    """Keeps thoughts, but not those that are redacted."""

    def on_start(self, index: object, block: _Object) -> None:
        if block.get("type") != "redacted_thinking":
            super().on_start(index, block)


class SignatureOfNothing(Anthropic):
    """Drops the signature of thoughts that are left out."""

    def result(self) -> _Object:
        blocks = self.blocks
        self.blocks = [b for b in blocks if b["thinking"] or b.get("data")]
        return super().result()


class StartAndDeltas(AnthropicReader):
    """Adds the deltas to the input of the start."""

    def arguments(self, call: _Object) -> str:
        start = json.dumps(call["input"]) if call["input"] else ""
        return start + call["arguments"] or "{}"


class TextInStart(AnthropicReader):
    """Reads no text in the start of a block."""

    def on_start(self, index: object, block: _Object) -> None:
        if block.get("type") != "text":
            super().on_start(index, block)


class ThoughtInStart(AnthropicReader):
    """Reads no thoughts in the start of a block."""

    thoughts = ""

    def on_delta(self, index: object, delta: _Object) -> None:
        super().on_delta(index, delta)
        self.thoughts += delta.get("thinking") or ""

    def result(self) -> _Object:
        return {**super().result(), "reasoning": self.thoughts}


class CountsOfFinish(GeminiReader):
    """Forgets counts that come alone."""

    tokens = 0

    def read(self, event: _Object) -> None:
        super().read(event)
        if (event.get("response") or event).get("candidates"):
            counts = event.get("usageMetadata") or {}
            self.tokens = counts.get("candidatesTokenCount") or self.tokens

    def result(self) -> _Object:
        return {**super().result(), "usage": {"output_tokens": self.tokens}}


OF_APIS = (
    *((target, "responses") for target in (NeedsCreated, RefusalTwice, CallOnNext)),
    *((target, "anthropic") for target in (RedactedLost, SignatureOfNothing)),
    *((target, "anthropic") for target in (StartAndDeltas, TextInStart)),
    (ThoughtInStart, "anthropic"),
    (CountsOfFinish, "gemini"),
)
