"""Consumers of Responses, Anthropic and Gemini with one planted bug each.

Each bug is one that was reported of a real library, in the smallest form.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader, ResponsesReader

if TYPE_CHECKING:
    from collections.abc import Iterable

_Event = dict[str, Any]
_Call = dict[str, Any]


class LastItemOnly(ResponsesReader):
    """Puts every fragment of arguments into the call that came last."""

    def find(self, key: object) -> _Call | None:
        found = super().find(key)
        return self.calls[-1] if found is not None else None


class DoubledAtDone(ResponsesReader):
    """Adds the whole arguments of `done` to the fragments."""

    @staticmethod
    def joined(held: str, whole: str) -> str:
        return held + whole


class NeedsDeltas(ResponsesReader):
    """Reads deltas alone, and so loses what comes whole."""

    def take_item(self, place: int, item: _Event) -> None:
        super().take_item(place, {**item, "arguments": "", "content": []})

    def on_response_output_text_done(self, event: _Event) -> None:
        pass

    def on_response_function_call_arguments_done(self, event: _Event) -> None:
        pass


class NeedsSequence(ResponsesReader):
    """Asks for the number of every event."""

    def read(self, event: _Event) -> None:
        assert event["sequence_number"] >= 0
        super().read(event)


class ItemIdRequired(ResponsesReader):
    """Asks for the id of every item, which stateless servers leave out."""

    def on_response_output_item_added(self, event: _Event) -> None:
        assert event["item"]["id"]
        super().on_response_output_item_added(event)


class KnownEventsOnly(ResponsesReader):
    """Knows the events of today."""

    def read(self, event: _Event) -> None:
        if event["type"].rpartition(".")[2] in {"extension_event", "debug"}:
            raise KeyError(event["type"])
        kinds = ("output", "content", "reasoning", "function", "custom", "web_search")
        ends = ("created", "in_progress", "completed", "incomplete", "failed", "queued")
        name = event["type"].removeprefix("response.")
        if not name.startswith((*kinds, *ends, "refusal", "error")):
            raise KeyError(event["type"])
        super().read(event)


class FailedIsNull(ResponsesReader):
    """Reads the error of a failed response, which may be null."""

    def on_response_failed(self, event: _Event) -> None:
        self.text += event["response"]["error"]["message"][:0]


class ListIndex(ResponsesReader):
    """Takes `output_index` for a place in its own list of calls."""

    def find(self, key: object) -> _Call | None:
        found = super().find(key)
        if found is None:
            return None
        assert isinstance(key, int)
        return self.calls[key]


class CustomAsFunction(ResponsesReader):
    """Parses the input of a custom tool as JSON."""

    def on_response_output_item_done(self, event: _Event) -> None:
        super().on_response_output_item_done(event)
        if event["item"].get("type") == "custom_tool_call":
            json.loads(event["item"]["input"])


class IncompleteIsDone(ResponsesReader):
    """Shows every answer as completed, also one whose end never came."""

    def result(self) -> dict[str, Any]:
        return {**super().result(), "status": "completed"}


RESPONSES = (
    LastItemOnly,
    DoubledAtDone,
    NeedsDeltas,
    NeedsSequence,
    ItemIdRequired,
    KnownEventsOnly,
    FailedIsNull,
    ListIndex,
    CustomAsFunction,
    IncompleteIsDone,
)


class EmptyInput(AnthropicReader):
    """Takes a call without fragments for an unfinished one."""

    def arguments(self, call: _Call) -> str:
        held: str = call["arguments"]
        json.loads(held)
        return held


class InputInStart(AnthropicReader):
    """Leaves out the input that comes with the start of a block."""

    def arguments(self, call: _Call) -> str:
        held: str = call["arguments"]
        return held or "{}"


class OneBlock(AnthropicReader):
    """Puts every fragment into the call that came last."""

    def find(self, key: object) -> _Call | None:
        return self.calls[-1] if self.calls else None


class TextReset(AnthropicReader):
    """Begins the text anew with every block of text."""

    def on_start(self, index: object, block: _Event) -> None:
        if block.get("type") == "text":
            self.text = ""
        super().on_start(index, block)


class IndexIsPlace(AnthropicReader):
    """Takes the index of a block for its place in a list."""

    def on_start(self, index: object, block: _Event) -> None:
        self.blocks = [*getattr(self, "blocks", []), block]
        super().on_start(index, block)

    def on_delta(self, index: object, delta: _Event) -> None:
        assert isinstance(index, int)
        assert self.blocks[index]
        super().on_delta(index, delta)


class UsageNull(AnthropicReader):
    """Adds token counts that may be null."""

    def on_message(self, message: _Event) -> None:
        super().on_message(message)
        assert message["usage"]["input_tokens"] >= 0


class StopAtStop(AnthropicReader):
    """Shows every answer as ended, also one whose end never came."""

    def result(self) -> dict[str, Any]:
        return {**super().result(), "stop_reason": "end_turn"}


class PartialPerFragment(AnthropicReader):
    """Parses each fragment of the input by itself."""

    def on_delta(self, index: object, delta: _Event) -> None:
        piece = delta.get("partial_json") or ""
        if piece.endswith("}"):
            json.loads(piece)
        super().on_delta(index, delta)


class NullContent(AnthropicReader):
    """Counts the blocks of a message that has none yet."""

    def on_message(self, message: _Event) -> None:
        assert len(message["content"]) >= 0
        super().on_message(message)


class StripsText(AnthropicReader):
    """Strips each piece of the text."""

    def on_delta(self, index: object, delta: _Event) -> None:
        if "text" in delta:
            delta = {**delta, "text": delta["text"].strip()}
        super().on_delta(index, delta)


ANTHROPIC = (
    EmptyInput,
    InputInStart,
    OneBlock,
    TextReset,
    IndexIsPlace,
    UsageNull,
    StopAtStop,
    PartialPerFragment,
    NullContent,
    StripsText,
)


class SignedIsThought(GeminiReader):
    """Takes every part with a signature for a thought."""

    def on_part(self, part: _Event) -> None:
        is_thought = "thoughtSignature" in part and "text" in part
        super().on_part({**part, "thought": True} if is_thought else part)


class OneCallOnly(GeminiReader):
    """Takes a call of a known name for the same call."""

    def on_call(self, call: _Event) -> None:
        if not any(held["name"] == call["name"] for held in self.calls):
            super().on_call(call)


class FirstPart(GeminiReader):
    """Reads the first part of each event."""

    def read(self, event: _Event) -> None:
        for candidate in event.get("candidates") or []:
            content = candidate.get("content") or {}
            content["parts"] = (content.get("parts") or [])[:1]
        super().read(event)


class NoContent(GeminiReader):
    """Reads the content of a candidate that has none."""

    def read(self, event: _Event) -> None:
        for candidate in event.get("candidates") or []:
            assert candidate["content"] is not None
        super().read(event)


class ArgsRequired(GeminiReader):
    """Reads the arguments of a call that has none."""

    def on_call(self, call: _Event) -> None:
        assert call["args"] is not None
        super().on_call(call)


class StopsAtStop(GeminiReader):
    """Stops at the first finish reason, which some send with every event."""

    is_over = False

    def read(self, event: _Event) -> None:
        if self.is_over:
            return
        super().read(event)
        for candidate in event.get("candidates") or []:
            self.is_over = self.is_over or bool(candidate.get("finishReason"))


GEMINI = (SignedIsThought, OneCallOnly, FirstPart, NoContent, ArgsRequired, StopsAtStop)
_READERS = {
    "responses": ResponsesReader,
    "anthropic": AnthropicReader,
    "gemini": GeminiReader,
}


class Bridge:
    """Reads the events of three APIs as they should be read; the bugs are its hooks."""

    def __call__(self, events: Iterable[_Event], api: str) -> dict[str, Any]:
        read: dict[str, Any] = _READERS[api]()(events)
        return self.changed(read, api)

    def changed(self, read: dict[str, Any], api: str) -> dict[str, Any]:
        del api
        return read


class LosesTextBesideCalls(Bridge):
    """Of one API it shows no text where there are calls."""

    def changed(self, read: dict[str, Any], api: str) -> dict[str, Any]:
        is_lost = api == "anthropic" and read["calls"]
        return {**read, "content": ""} if is_lost else read


class ReversesCalls(Bridge):
    """Of one API it shows the calls the last first."""

    def changed(self, read: dict[str, Any], api: str) -> dict[str, Any]:
        return {**read, "calls": read["calls"][:: -1 if api == "gemini" else 1]}


class EncodesTwice(Bridge):
    """Of one API it encodes the arguments once more."""

    def changed(self, read: dict[str, Any], api: str) -> dict[str, Any]:
        if api != "gemini":
            return read
        calls = [{**c, "arguments": json.dumps(c["arguments"])} for c in read["calls"]]
        return {**read, "calls": calls}


class EscapesText(Bridge):
    """Of one API it shows text beyond ASCII as escapes."""

    def changed(self, read: dict[str, Any], api: str) -> dict[str, Any]:
        if api != "anthropic":
            return read
        return {**read, "content": json.dumps(read["content"])[1:-1]}


class DropsEmptyCalls(Bridge):
    """Of one API it drops calls without arguments."""

    def changed(self, read: dict[str, Any], api: str) -> dict[str, Any]:
        if api != "anthropic":
            return read
        calls = [call for call in read["calls"] if call["arguments"] != "{}"]
        return {**read, "calls": calls}


TRANSLATING = (
    LosesTextBesideCalls,
    ReversesCalls,
    EncodesTwice,
    EscapesText,
    DropsEmptyCalls,
)
