"""Right consumers in further styles: none of them may be reported.

They show how an answer ended, refusals, token counts, thoughts and signatures; as
generators, fed and closed, over the objects of the vendors' SDKs, bytes and a URL.
"""

from __future__ import annotations

import codecs
import json
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader
from tests.planted.shown import Ended
from tests.planted.streams import Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

_Object = dict[str, Any]


def with_done(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Yields pieces of text, then calls, then `done` if a reason was sent."""
    reader = Ended()
    for chunk in chunks:
        before = len(reader.text)
        reader.read(chunk)
        if reader.text[before:]:
            yield {"type": "text", "text": reader.text[before:]}
    for call in reader.calls:
        yield {"type": "call", "name": call["name"], "input": call["arguments"] or "{}"}
    if reader.finish:
        yield {"type": "done", "finish_reason": reader.finish}


async def dumped(chunks: AsyncIterator[Any]) -> _Object:
    """Reads the objects of the OpenAI SDK as it dumps them."""
    reader = Ended()
    async for chunk in chunks:
        reader.read(chunk.to_dict())
    return reader.result()


class Lines:
    """Is fed with bytes; reads event streams as WHATWG has it, and chat in them."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self.buffer = ""
        self.data: list[str] = []
        self.reader = Ended()

    def feed(self, piece: bytes) -> list[str]:
        return self.take(self.decoder.decode(piece))

    def close(self) -> Iterator[Any]:
        yield from self.take(self.decoder.decode(b"", final=True) + "\n\n\n")
        yield {**self.reader.result(), "content": ""}

    def take(self, text: str) -> list[str]:
        self.buffer += text
        before = len(self.reader.text)
        held = self.buffer[-1:] if self.buffer.endswith("\r") else ""
        whole = self.buffer[: len(self.buffer) - len(held)]
        *lines, rest = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.buffer = rest + held
        for line in lines:
            name, _, value = line.partition(":")
            if name == "data":
                self.data.append(value.removeprefix(" "))
            elif not line:
                self.event("\n".join(self.data))
                self.data.clear()
        return [shown] if (shown := self.reader.text[before:]) else []

    def event(self, data: str) -> None:
        try:
            chunk = json.loads(data)
        except ValueError:
            return
        if isinstance(chunk, dict):
            self.reader.read(chunk)


def over_http(base_url: str) -> _Object:
    """Asks a server and reads what it sends, read by read."""
    url, headers = f"{base_url}/chat/completions", {"content-type": "application/json"}
    request = urllib.request.Request(url, b"{}", headers)
    lines = Lines()
    with urllib.request.urlopen(request, timeout=10) as answer:
        while piece := answer.read1(1000):
            lines.feed(piece)
    for _ in lines.close():
        pass
    return lines.reader.result()


class Responses(ResponsesReader):
    """Shows status, refusal, thoughts and token counts besides."""

    def __init__(self) -> None:
        super().__init__()
        self.status: str | None = None
        self.tokens: int | None = None
        self.refusals: dict[tuple[int, int], str] = {}

    def read(self, event: _Object) -> None:
        super().read(event)
        response = event.get("response") or {}
        if event["type"] in {"error", "response.failed"}:
            self.status = "failed"
        elif event["type"] in {"response.completed", "response.incomplete"}:
            self.status = response.get("status")
            self.tokens = (response.get("usage") or {}).get("output_tokens")

    def on_response_refusal_delta(self, event: _Object) -> None:
        place = self.place(event)
        self.refusals[place] = self.refusals.get(place, "") + event["delta"]

    def result(self) -> _Object:
        refusal = "".join(text for _, text in sorted(self.refusals.items()))
        shown = {"status": self.status, "refusal": refusal or None}
        return {**super().result(), **shown, "usage": {"output_tokens": self.tokens}}


class FedResponses:
    """Is fed event by event; texts come at once, the rest when it is closed."""

    def __init__(self) -> None:
        self.reader = Responses()
        self.text = ""

    def feed(self, event: _Object) -> None:
        self.reader.read(event)

    def finish(self) -> _Object:
        return self.reader.result()


async def typed_responses(events: AsyncIterator[Any]) -> _Object:
    """Reads the events of the OpenAI SDK."""
    reader = Responses()
    async for event in events:
        reader.read(event.to_dict())
    return reader.result()


class Anthropic(AnthropicReader):
    """Shows the blocks of thoughts to send back, the reason, and token counts."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[_Object] = []
        self.places: dict[object, _Object] = {}
        self.reason: str | None = None
        self.is_stopped = False
        self.tokens: int | None = None

    def read(self, event: _Object) -> None:
        super().read(event)
        self.is_stopped |= event.get("type") == "message_stop"

    def on_start(self, index: object, block: _Object) -> None:
        super().on_start(index, block)
        if block.get("type") in {"thinking", "redacted_thinking"}:
            self.places[index] = {"signature": "", "thinking": "", **block}
            self.blocks.append(self.places[index])

    def on_delta(self, index: object, delta: _Object) -> None:
        super().on_delta(index, delta)
        for field in {"thinking", "signature"} & delta.keys():
            self.places.setdefault(index, {"thinking": "", "signature": ""})
            self.places[index][field] += delta[field]

    def on_end(self, event: _Object) -> None:
        self.reason = (event.get("delta") or {}).get("stop_reason") or self.reason
        self.tokens = (event.get("usage") or {}).get("output_tokens") or self.tokens

    def result(self) -> _Object:
        reason = self.reason if self.is_stopped else None
        shown = {"stop_reason": reason, "thoughts": self.blocks}
        return {**super().result(), **shown, "usage": {"output_tokens": self.tokens}}


def anthropic_pieces(events: Iterable[_Object]) -> Iterator[tuple[str, Any]]:
    """Yields texts as they come, calls and the end at the end."""
    reader = Anthropic()
    for event in events:
        before = len(reader.text)
        reader.read(event)
        if reader.text[before:]:
            yield "text", reader.text[before:]
    result = reader.result()
    for call in result["calls"]:
        yield "call", {"name": call["name"], "input": call["arguments"]}
    if result["stop_reason"]:
        yield "end", {"stop_reason": result["stop_reason"]}


def typed_anthropic(events: Iterable[Any]) -> _Object:
    """Reads the raw events of Anthropic's SDK."""
    return Anthropic()(event.to_dict() for event in events)


class Gemini(GeminiReader):
    """Shows the reason and token counts besides."""

    reason: str | None = None
    tokens: int | None = None

    def read(self, event: _Object) -> None:
        super().read(event)
        event = event.get("response") or event
        counts = event.get("usageMetadata") or event.get("usage_metadata") or {}
        count = counts.get("candidatesTokenCount", counts.get("candidates_token_count"))
        self.tokens = self.tokens if count is None else count
        for candidate in (event.get("candidates") or [])[:1]:
            if not candidate.get("index"):
                found = candidate.get("finishReason") or candidate.get("finish_reason")
                self.reason = found or self.reason

    def result(self) -> _Object:
        shown = {"finish_reason": self.reason}
        return {**super().result(), **shown, "usage": {"output_tokens": self.tokens}}


async def typed_gemini(responses: AsyncIterator[Any]) -> _Object:
    """Reads the responses of google-genai as it dumps them."""
    reader = Gemini()
    async for response in responses:
        dumped = response.model_dump(mode="json", by_alias=True, exclude_none=True)
        reader.read(dumped)
    return reader.result()


_READERS = {
    "chat": Reader,
    "responses": ResponsesReader,
    "anthropic": AnthropicReader,
    "gemini": GeminiReader,
}


def any_of_four(events: Iterable[_Object], api: str) -> Iterator[_Object]:
    """Yields the same of every API: a text, then each call."""
    read = _READERS[api]()(events)
    if read["content"]:
        yield {"type": "text", "text": read["content"]}
    for call in read["calls"]:
        arguments = call["arguments"] or "{}"
        try:
            parsed = json.loads(arguments, strict=False)
        except ValueError:
            parsed = arguments
        yield {"type": "call", "name": call["name"], "input": parsed}


STYLES = (
    (with_done, "chunks", None, ("chat",)),
    (dumped, "chunks", "sdk", ("chat",)),
    (Lines, "bytes", None, ("chat",)),
    (over_http, "url", None, ("chat",)),
    (FedResponses, "chunks", None, ("responses",)),
    (typed_responses, "chunks", "sdk", ("responses",)),
    (Anthropic, "chunks", None, ("anthropic",)),
    (anthropic_pieces, "chunks", None, ("anthropic",)),
    (typed_anthropic, "chunks", "sdk", ("anthropic",)),
    (Gemini, "chunks", None, ("gemini",)),
    (typed_gemini, "chunks", "sdk", ("gemini",)),
    (any_of_four, "chunks", None, ("chat", "responses", "anthropic", "gemini")),
    (any_of_four, "chunks", None, ("gemini", "anthropic", "responses", "chat")),
)
"""The consumer, how it is fed, the form of what it is fed with, and its APIs."""
