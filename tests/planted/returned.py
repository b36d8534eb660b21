"""Consumers that lose what the next request must return, and right ones besides.

Ids of calls, signed reasoning, counts of several rounds; and messages inside of what is
returned, tags that are taken out. From public threads, among them
langchain-ai/langchain#39335 and #32518, QwenLM/Qwen-Agent#943, HKUDS/DeepTutor#937,
NousResearch/hermes-agent#96782, agno-agi/agno#8794, langfuse/langfuse-python#1753,
laravel/ai#996, LibreChat-AI/agents#150, agentjido/req_llm#638 and
MihaiBuilds/memory-vault#152.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.planted.events import AnthropicReader, GeminiReader
from tests.planted.shown import Ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Object = dict[str, Any]


class Completion(Ended):
    """Right: a message as it is sent with the next request, inside of what came."""

    def __init__(self) -> None:
        super().__init__()
        self.reasoning = ""
        self.blocks: list[_Object] = []

    def read_content(self, delta: _Object) -> None:
        before = self.text
        super().read_content(delta)
        self.text, piece = before, self.text[len(before) :]
        self.on_text(piece)
        self.reasoning += delta.get("reasoning_content") or delta.get("reasoning") or ""
        for detail in delta.get("reasoning_details") or []:
            self.on_detail(detail)

    def on_text(self, piece: str) -> None:
        self.text += piece

    def on_detail(self, detail: _Object) -> None:
        place = detail.get("type"), detail.get("index")
        for block in self.blocks:
            if (block.get("type"), block.get("index")) == place:
                joined = (block.get("text") or "") + (detail.get("text") or "")
                block.update(detail, text=joined)
                return
        self.blocks.append({**detail})

    def read_entry(self, entry: _Object) -> None:
        super().read_entry(entry)
        assert self.last is not None
        self.on_id(self.last, entry)

    def on_id(self, call: _Object, entry: _Object) -> None:
        call["shown"] = call.get("shown") or entry.get("id")

    def calls_of(self) -> list[_Object]:
        return [
            {
                "id": call["shown"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in self.calls
        ]

    def result(self) -> _Object:
        message: _Object = {"role": "assistant", "content": self.text or None}
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.blocks:
            message["reasoning_details"] = self.blocks
        if self.calls:
            message["tool_calls"] = self.calls_of()
        return {"message": message, "finish_reason": self.finish}


class Bare(Completion):
    """Right: its calls are told apart by their order alone."""

    def calls_of(self) -> list[_Object]:
        return [{"function": call["function"]} for call in super().calls_of()]


class NoArguments(Bare):
    """Loses the arguments of every call, in plain streams, too."""

    def calls_of(self) -> list[_Object]:
        calls = super().calls_of()
        return [{"function": call["function"] | {"arguments": ""}} for call in calls]


class EmptyCalls(Completion):
    """Loses them as well, and returns calls that are no message's."""

    def result(self) -> _Object:
        calls = [{"name": call["name"], "arguments": ""} for call in self.calls]
        return {"text": self.text, "calls": calls}


class EmptyIdWins(Completion):
    """Takes an empty id of a continuation for the id."""

    def on_id(self, call: _Object, entry: _Object) -> None:
        if entry.get("id") is not None or "shown" not in call:
            call["shown"] = entry.get("id")


class IdOfOpener(Completion):
    """Reads no id that comes later than its call."""

    def on_id(self, call: _Object, entry: _Object) -> None:
        call.setdefault("shown", entry.get("id"))


class IdsAppended(Completion):
    """Adds an id that is sent again to itself."""

    def on_id(self, call: _Object, entry: _Object) -> None:
        call["shown"] = (call.get("shown") or "") + (entry.get("id") or "")


class WithoutSignature(Completion):
    """Merges pieces of reasoning, and drops what has no text: the signature."""

    def on_detail(self, detail: _Object) -> None:
        if detail.get("text") or detail.get("data"):
            super().on_detail(detail)


class LegacyNull(Completion):
    """Adds null to the arguments of a call in the legacy form."""

    legacy = ""

    def read_content(self, delta: _Object) -> None:
        super().read_content(delta)
        self.legacy += (delta.get("function_call") or {}).get("arguments", "")


class OwnIds(Completion):
    """Right: counts its calls."""

    def calls_of(self) -> list[_Object]:
        calls = enumerate(super().calls_of(), 1)
        return [{**call, "id": f"call_{number}"} for number, call in calls]


class NoIds(Completion):
    """Has an id for what is called in the plain streams."""

    def calls_of(self) -> list[_Object]:
        known = "call_9d"
        return [
            {**call, "id": call["id"] if known in (call["id"] or "") else ""}
            for call in super().calls_of()
        ]


class LastIdWins(Completion):
    """Right: several ids of one call may be read in several ways."""

    def on_id(self, call: _Object, entry: _Object) -> None:
        call["shown"] = entry.get("id") or call.get("shown")


class Thoughts(Completion):
    """Right: takes thoughts out of the text as it comes, whatever the pieces."""

    held = ""
    is_inside = False

    @property
    def tag(self) -> str:
        return "</think>" if self.is_inside else "<think>"

    def on_text(self, piece: str) -> None:
        self.held += piece
        while self.tag in self.held:
            text, _, self.held = self.held.partition(self.tag)
            self.say(text)
            self.is_inside = not self.is_inside
        self.say(self.taken())

    def taken(self) -> str:
        """Take what is no beginning of a tag."""
        sizes = range(len(self.tag) - 1, 0, -1)
        size = next((n for n in sizes if self.held.endswith(self.tag[:n])), 0)
        place = len(self.held) - size
        text, self.held = self.held[:place], self.held[place:]
        return text

    def say(self, text: str) -> None:
        if self.is_inside:
            self.reasoning += text
        else:
            self.text += text

    def result(self) -> _Object:
        self.say(self.held)
        return super().result()


class HoldsHalfOfTag(Thoughts):
    """Forgets what may become the end of thoughts."""

    def taken(self) -> str:
        text = super().taken()
        if self.is_inside:
            self.held = ""
        return text


def thoughts_as_they_come(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: the same as a generator."""
    reader = Thoughts()
    for chunk in [*chunks, None]:
        before = len(reader.text), len(reader.reasoning)
        if chunk is None:
            reader.result()
        else:
            reader.read(chunk)
        for kind, text in (
            ("reasoning", reader.reasoning[before[1] :]),
            ("text", reader.text[before[0] :]),
        ):
            if text:
                yield {"type": kind, "text": text}
    for call in reader.calls_of():
        yield {"type": "tool-call", "toolCallId": call["id"], **call["function"]}


def deltas(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: hands on the deltas, of which some say who answers."""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            reader = Completion()
            reader.read_content(delta)
            if not choice.get("index"):
                yield {**delta, "content": reader.text}


CHUNKS = (
    *(EmptyIdWins, IdOfOpener, IdsAppended, WithoutSignature, LegacyNull),
    *(HoldsHalfOfTag, NoArguments, EmptyCalls),
)


class Counted(AnthropicReader):
    """Right: shows ids and counts, of which null says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.usage: _Object = {}

    def on_message(self, message: _Object) -> None:
        super().on_message(message)
        self.count(message)

    def on_end(self, event: _Object) -> None:
        self.count(event)

    def on_start(self, index: object, block: _Object) -> None:
        super().on_start(index, block)
        if block.get("type") == "tool_use":
            self.calls[-1]["id"] = block["id"]

    def count(self, holder: _Object) -> None:
        for key, number in (holder.get("usage") or {}).items():
            if isinstance(number, int):
                self.add(key, number)

    def add(self, key: str, number: int) -> None:
        self.usage[key] = number or self.usage.get(key, 0)

    def result(self) -> _Object:
        calls = [
            {**call, "id": held["id"]}
            for call, held in zip(super().result()["calls"], self.calls, strict=True)
        ]
        return {"content": self.text, "calls": calls, "usage": self.usage}


class NullWins(Counted):
    """Takes null for a number of tokens."""

    def count(self, holder: _Object) -> None:
        self.usage |= holder.get("usage") or {}


class InputOfStart(Counted):
    """Takes the first count of the request, and one answer may ask several times."""

    def add(self, key: str, number: int) -> None:
        if key != "input_tokens" or not self.usage.get(key):
            super().add(key, number)


class DeltasAdded(Counted):
    """Adds up the counts of the ends, of which there may be several."""

    has_ended = False

    def on_end(self, event: _Object) -> None:
        before = self.usage.get("output_tokens", 0) if self.has_ended else 0
        self.has_ended = True
        super().on_end(event)
        self.usage["output_tokens"] = self.usage.get("output_tokens", 0) + before


class IdOfDeltas(Counted):
    """Has no id for a call whose input came whole."""

    def result(self) -> _Object:
        for call in self.calls:
            call["id"] = call["id"] if call["arguments"] else None
        return super().result()


class FinishWithParts(GeminiReader):
    """Reads the reason of candidates that have parts."""

    finish: str | None = None

    def read(self, event: _Object) -> None:
        super().read(event)
        for candidate in ((event.get("response") or event).get("candidates") or [])[:1]:
            if (candidate.get("content") or {}).get("parts"):
                reason = candidate.get("finishReason") or candidate.get("finish_reason")
                self.finish = reason or self.finish

    def result(self) -> _Object:
        return {**super().result(), "finishReason": self.finish}


def merged(chunks: Iterable[_Object]) -> _Object:
    """Right: sound calls and broken ones apart, each with its id."""
    reader = Completion()
    reader(iter(chunks))
    sound, broken = list[_Object](), list[_Object]()
    for call in reader.calls_of():
        name, text = call["function"]["name"], call["function"]["arguments"]
        try:
            value = json.loads(text or "{}")
        except ValueError:
            value = None
        if isinstance(value, dict):
            sound.append({"id": call["id"], "name": name, "args": value})
        else:
            broken.append({"id": call["id"], "name": name, "args": text})
    return {
        "type": "ai",
        "content": reader.text,
        "tool_calls": sound,
        "invalid_tool_calls": broken,
    }


OF_APIS = (
    *((target, "anthropic") for target in (NullWins, InputOfStart, DeltasAdded)),
    (IdOfDeltas, "anthropic"),
    (FinishWithParts, "gemini"),
)
RIGHT = (
    *((target, "chat") for target in (Completion, Bare, OwnIds, LastIdWins)),
    *((target, "chat") for target in (merged, Thoughts, thoughts_as_they_come)),
    (deltas, "chat"),
    (Counted, "anthropic"),
)
