"""Consumers with bugs of kinds that were not found before, and right ones besides.

From public threads, among them altic-dev/FluidVoice#830, deepset-ai/haystack#9046,
mozilla-ai/any-llm#1242, ax-llm/ax#622, api7/aisix#712, pydantic/pydantic-ai#7911,
microsoft/autogen#7967 and the errors that OpenRouter sends in a choice.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader
from tests.planted.shown import Ended
from tests.planted.streams import Reader, _lines
from tests.planted.test_bytes_of_apis import _events
from tests.planted.unseen import _fed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Object = dict[str, Any]


class ReasoningOrText(Reader):
    """Reads no text of a delta that has reasoning."""

    def read_content(self, delta: _Object) -> None:
        if not delta.get("reasoning_content"):
            super().read_content(delta)


class NullIsObject(Reader):
    """Reads the keys of arguments that are the JSON null."""

    def result(self) -> _Object:
        for call in self.calls:
            try:
                value = json.loads(call["arguments"] or "{}")
            except ValueError:
                continue
            assert value.keys() is not None
        return super().result()


class ReasonOfLast(Ended):
    """Takes the reason of the last choice, which may have none any more."""

    def read(self, chunk: _Object) -> None:
        if chunk.get("choices"):
            self.finish = None
        super().read(chunk)


class HoldsTag(Reader):
    """Holds back what may become a tag, and never shows it."""

    def result(self) -> _Object:
        self.text = self.text.removesuffix("<")
        return super().result()


class WithoutFences(Reader):
    """Takes the fences out of arguments that are written as Markdown."""

    def result(self) -> _Object:
        for call in self.calls:
            call["arguments"] = call["arguments"].replace("```json", "")
        return super().result()


class BracesAreEnds(Reader):
    """Takes a brace before another for the end of an object."""

    def result(self) -> _Object:
        for call in self.calls:
            head, brace, _ = call["arguments"].partition("}{")
            call["arguments"] = head + brace[:1]
        return super().result()


class ErrorInChoice(Ended):
    """Looks for an error in the choice whose reason is one."""

    def read(self, chunk: _Object) -> None:
        super().read(chunk)
        for choice in chunk.get("choices") or []:
            if choice.get("finish_reason") == "error":
                raise RuntimeError(choice["error"]["message"])


def all_but_last_call(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Yields calls in a form of its own, each when the next begins."""
    read = Reader()(iter(chunks))
    yield {"type": "text-delta", "delta": read["content"]}
    for call in read["calls"][:-1]:
        yield {"type": "tool", "which": call["name"], "with": call["arguments"]}


def first_call_in_words(chunks: Iterable[_Object]) -> str:
    """Has no words for a second call."""
    read = Reader()(iter(chunks))
    return "\n".join([read["content"], *(call["name"] for call in read["calls"][:1])])


CHUNKS = (
    *(ReasoningOrText, NullIsObject, ReasonOfLast, HoldsTag, WithoutFences),
    *(BracesAreEnds, ErrorInChoice, all_but_last_call),
    first_call_in_words,
)


class KnownDeltas(AnthropicReader):
    """Knows the kinds of deltas of today."""

    def on_delta(self, index: object, delta: _Object) -> None:
        if delta["type"].rpartition("_")[0] not in _KNOWN:
            raise ValueError(delta["type"])
        super().on_delta(index, delta)


_KNOWN = {"text", "input_json", "thinking", "signature", "citations"}


class CountsOfStart(AnthropicReader):
    """Takes the counts of the request from the start, also if they are nought there."""

    tokens: int | None = None

    def on_message(self, message: _Object) -> None:
        super().on_message(message)
        self.count(message)

    def on_end(self, event: _Object) -> None:
        self.count(event)

    def count(self, holder: _Object) -> None:
        if self.tokens is None:
            self.tokens = (holder.get("usage") or {}).get("input_tokens")

    def result(self) -> _Object:
        return {**super().result(), "input_tokens": self.tokens}


class WhyIncomplete(ResponsesReader):
    """Reads why an answer is incomplete, which not every server says."""

    def on_response_incomplete(self, event: _Object) -> None:
        assert event["response"]["incomplete_details"]["reason"]
        super().on_response_incomplete(event)


class SortsItemsAsText(ResponsesReader):
    """Puts the item at place 10 before that at place 2."""

    def result(self) -> _Object:
        self.calls.sort(key=lambda call: str(call["key"]))
        return super().result()


class CountsAreTheEnd(GeminiReader):
    """Reads no further than an event of counts alone."""

    is_over = False

    def read(self, event: _Object) -> None:
        self.is_over |= not (event.get("response") or event).get("candidates")
        if not self.is_over:
            super().read(event)


OF_APIS = (
    (KnownDeltas, "anthropic"),
    (CountsOfStart, "anthropic"),
    (WhyIncomplete, "responses"),
    (SortsItemsAsText, "responses"),
    (CountsAreTheEnd, "gemini"),
)


def cut_line_end(pieces: Iterator[bytes]) -> _Object:
    """Takes both halves of a line end in two reads for two line ends."""
    lines = b"".join(
        piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for piece in pieces
    )
    return _fed(iter([lines]))


def blank_behind_colon(pieces: Iterator[bytes]) -> _Object:
    """Knows data by the blank behind the colon."""
    text = b"".join(pieces).decode("utf-8", "replace")
    lines = [line for line in _lines(text) if not re.match("data:[^ ]", line)]
    return GeminiReader()(_events("\n".join(lines)))


def comment_begins_anew(pieces: Iterator[bytes]) -> _Object:
    """Forgets the lines of an event that come before a comment."""
    text = b"".join(pieces).decode("utf-8", "replace")
    kept = re.sub(r"(^data:.*\r?\n)+(?=:)", "", text, flags=re.MULTILINE)
    return _fed(iter([kept.encode()]))


BYTES = (
    *((cut_line_end, "chat"), (comment_begins_anew, "chat")),
    (blank_behind_colon, "gemini"),
)


class Parts(Reader):
    """Right: one list of parts, whose kind is in a field of another name."""

    thoughts = ""

    def read_content(self, delta: _Object) -> None:
        super().read_content(delta)
        self.thoughts += delta.get("reasoning_content") or delta.get("reasoning") or ""

    def result(self) -> _Object:
        texts = (("thinking", self.thoughts), ("text", self.text))
        parts = [{"part_kind": k, "content": text} for k, text in texts if text]
        calls = super().result()["calls"]
        return {"parts": [*parts, *({"part_kind": "call", **c} for c in calls)]}


class Message(Reader):
    """Right: a message that has its calls in a form of its own."""

    def result(self) -> _Object:
        calls = [
            {"toolName": call["name"], "input": call["arguments"]}
            for call in super().result()["calls"]
        ]
        return {"role": "assistant", "text": self.text, "tool_calls": calls}


class _Kind(Enum):
    TEXT = "text"
    CALL = "call"
    END = "end"


def members(chunks: Iterable[_Object]) -> Iterator[tuple[_Kind, Any]]:
    """Right: yields pairs of a member of an enumeration and a value."""
    reader = Ended()
    read = reader(iter(chunks))
    yield _Kind.TEXT, read["content"]
    for call in read["calls"]:
        yield _Kind.CALL, call
    if reader.finish:
        yield _Kind.END, reader.finish


def spelt(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: yields calls in a form of its own."""
    read = Reader()(iter(chunks))
    yield {"type": "text-delta", "delta": read["content"]}
    for call in read["calls"]:
        yield {"type": "tool", "which": call["name"], "with": call["arguments"]}


def in_words(chunks: Iterable[_Object]) -> str:
    """Right: one text, with a line for each call."""
    read = Reader()(iter(chunks))
    calls = (f"[{call['name']}: {call['arguments']}]" for call in read["calls"])
    return "\n".join([read["content"], *calls])


def calls_at_their_end(events: Iterable[_Object]) -> Iterator[_Object]:
    """Right: yields each call when it ends, what never ends at the end."""
    reader, shown = ResponsesReader(), list[_Object]()
    for event in events:
        reader.read(event)
        call = reader.find(event.get("output_index") or 0)
        is_end = event["type"] == "response.output_item.done"
        if is_end and call is not None and call not in shown:
            shown.append(call)
            yield {"name": call["name"], "arguments": call["arguments"] or "{}"}
    for call in reader.calls:
        if call not in shown:
            yield {"name": call["name"], "arguments": call["arguments"] or "{}"}


RIGHT = (Parts, Message, members, spelt, in_words)
