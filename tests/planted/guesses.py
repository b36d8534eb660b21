"""Consumers that guess: what a piece repeats, what is missing, which one counts.

From public threads: cita-777/metapi#336, crabwise-ai/crabwalk#8, QwenLM/qwen-code#9013,
openai/openai-agents-python#4175, BerriAI/litellm#36356.
"""

from __future__ import annotations

import html
import json
from typing import Any

from tests.planted.events import AnthropicReader, ResponsesReader
from tests.planted.streams import Reader

_Object = dict[str, Any]


class TextSoFar(Reader):
    """Takes a piece that begins like the text for all of the text so far."""

    def read_content(self, delta: _Object) -> None:
        if self.text and (delta.get("content") or "")[: len(self.text)] == self.text:
            self.text = ""
        super().read_content(delta)


class SameCallOnce(Reader):
    """Takes a call that is like another for the same call, sent again."""

    def result(self) -> _Object:
        result = super().result()
        calls = result["calls"]
        result["calls"] = [c for n, c in enumerate(calls) if c not in calls[:n]]
        return result


class FirstPartOnly(Reader):
    """Reads the first part of content that is a list."""

    def read_content(self, delta: _Object) -> None:
        content = delta.get("content")
        if isinstance(content, list):
            delta = {**delta, "content": content[:1]}
        super().read_content(delta)


class Unescapes(Reader):
    """Takes the text for HTML."""

    def result(self) -> _Object:
        self.text = html.unescape(self.text)
        return super().result()


class FirstCounts(Reader):
    """Shows the token counts that came first."""

    counts: _Object | None = None

    def read(self, chunk: _Object) -> None:
        super().read(chunk)
        self.counts = self.counts or chunk.get("usage")

    def result(self) -> _Object:
        return {**super().result(), "usage": self.counts}


class SameIdOnly(Reader):
    """Takes a chunk with another id for one of another answer."""

    id = ""

    def read(self, chunk: _Object) -> None:
        self.id = self.id or chunk.get("id") or ""
        if chunk.get("id") in {"", None, self.id}:
            super().read(chunk)


class BothNames(Reader):
    """Adds up the reasoning of two fields that hold the same."""

    thoughts = ""

    def read_content(self, delta: _Object) -> None:
        super().read_content(delta)
        for name in ("reasoning_content", "reasoning"):
            self.thoughts += delta.get(name) or ""

    def result(self) -> _Object:
        return {**super().result(), "reasoning": self.thoughts}


class RepairsInput(AnthropicReader):
    """Adds what is missing to an input that was cut off, and so calls with it."""

    def arguments(self, call: _Object) -> str:
        held = super().arguments(call)
        for end in ("", '"}', "}"):
            try:
                json.loads(held + end)
            except ValueError:
                continue
            return held + end
        return held


class LastThought(AnthropicReader):
    """Keeps one block of thoughts, the last one."""

    thoughts = ""

    def on_start(self, index: object, block: _Object) -> None:
        super().on_start(index, block)
        if block.get("type") == "thinking":
            self.thoughts = ""

    def on_delta(self, index: object, delta: _Object) -> None:
        super().on_delta(index, delta)
        self.thoughts += delta.get("thinking") or ""

    def result(self) -> _Object:
        return {**super().result(), "reasoning": self.thoughts}


class Proven(AnthropicReader):
    """Not a bug: passes the reason on, and takes `message_stop` for the proof."""

    reason: str | None = None
    proof = "message_stop"
    has_proof = False

    def read(self, event: _Object) -> None:
        super().read(event)
        self.has_proof |= event.get("type") == self.proof

    def on_end(self, event: _Object) -> None:
        self.reason = event["delta"].get("stop_reason") or self.reason

    def result(self) -> _Object:
        ended = {"stop_reason": self.reason, "complete": self.has_proof}
        return {**super().result(), **ended}


class ReasonIsProof(Proven):
    """Takes the reason for the proof that the answer is complete."""

    proof = "message_delta"


class OrderOfEnds(ResponsesReader):
    """Shows calls in the order in which they end."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []

    def on_response_output_item_done(self, event: _Object) -> None:
        super().on_response_output_item_done(event)
        self.ended.append((event.get("item") or {}).get("name") or "")

    def result(self) -> _Object:
        result = super().result()
        names = self.ended
        known = [c for c in result["calls"] if c["name"] in names]
        others = [c for c in result["calls"] if c["name"] not in names]
        known.sort(key=lambda call: names.index(call["name"]))
        return {**result, "calls": [*known, *others]}


class LastMessage(ResponsesReader):
    """Shows the last message of several."""

    place_of_text = -1

    def on_response_output_text_delta(self, event: _Object) -> None:
        if event.get("output_index") != self.place_of_text:
            self.place_of_text = event.get("output_index") or 0
            self.texts.clear()
        super().on_response_output_text_delta(event)


GUESSES = (
    *((target, ()) for target in (TextSoFar, SameCallOnce, FirstPartOnly, Unescapes)),
    *((target, ()) for target in (FirstCounts, SameIdOnly, BothNames)),
    *(
        (target, ("anthropic",))
        for target in (RepairsInput, LastThought, ReasonIsProof)
    ),
    *((target, ("responses",)) for target in (OrderOfEnds, LastMessage)),
)
