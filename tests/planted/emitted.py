"""Consumers that emit the events of another protocol, right ones and broken ones.

AG-UI, the UI messages of the AI SDK, the Agent Client Protocol, chat again as an event
stream, and the answer so far. The bugs are from public threads: ag-ui-protocol/ag-ui
#2606, QwenLM/Qwen-Agent#943, mcowger/plexus#691, su-kaka/gcli2api#406.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.planted.events import GeminiReader, ResponsesReader
from tests.planted.shown import Ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Object = dict[str, Any]


class _Moving(Ended):
    """Also knows what has come since it was asked last, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.news: list[tuple[str, Any, str]] = []
        self.is_broken = False

    def read_content(self, delta: _Object) -> None:
        before = len(self.text)
        super().read_content(delta)
        if self.text[before:]:
            self.news.append(("text", None, self.text[before:]))

    def read_entry(self, entry: _Object) -> None:
        before, last = {id(c): len(c["arguments"]) for c in self.calls}, self.last
        super().read_entry(entry)
        call = self.last
        assert call is not None
        if last is not None and last is not call:
            self.open(last)  # its name is whole
        if call["arguments"][before.get(id(call), 0) :]:
            self.open(call)
            piece = call["arguments"][call["shown"] :]
            self.news.append(("piece", call, piece))
            call["shown"] += len(piece)

    def open(self, call: _Object) -> None:
        if "key" not in call:
            call["key"], call["shown"] = call["id"] or str(uuid4()), 0
            self.news.append(("open", call, ""))

    def take(self, chunk: _Object | None) -> list[tuple[str, Any, str]]:
        """Read a chunk, or the end of all; return what is new."""
        if chunk is None:
            for call in self.calls:
                self.open(call)
        else:
            self.read(chunk)
            choices = chunk.get("choices") or []
            self.is_broken |= any(one.get("error") for one in (chunk, *choices))
        if self.is_broken:
            self.finish = None
        news, self.news = self.news, []
        return news


def ag_ui(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: texts and pieces of arguments as they come, an error as an event."""
    reader = _Moving()
    for chunk in [*chunks, None]:
        for kind, call, text in reader.take(chunk):
            if kind == "text":
                event = {
                    "type": "TEXT_MESSAGE_CONTENT",
                    "messageId": "1",
                    "delta": text,
                }
            elif kind == "open":
                event = {"type": "TOOL_CALL_START", "toolCallName": call["name"]}
                event["toolCallId"] = call["key"]
            else:
                event = {"type": "TOOL_CALL_ARGS", "toolCallId": call["key"]}
                event["delta"] = text
            yield event
    if reader.finish:
        yield {"type": "RUN_FINISHED", "runId": str(uuid4())}
    else:
        yield {"type": "RUN_ERROR", "message": "the stream broke off"}


def ui_messages(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: pieces of the input, and then all of it, or why it is none."""
    names = {
        "TOOL_CALL_START": ("tool-input-start", "toolCallName", "toolName"),
        "TOOL_CALL_ARGS": ("tool-input-delta", "delta", "inputTextDelta"),
        "TEXT_MESSAGE_CONTENT": ("text-delta", "delta", "delta"),
    }
    calls: dict[str, _Object] = {}
    for event in ag_ui(chunks):
        kind, key, name = names.get(event["type"], ("", "", ""))
        if kind:
            yield {**event, "type": kind, name: event.pop(key)}
        if kind.startswith("tool"):
            shown = {"toolCallId": event["toolCallId"], "toolName": "", "input": ""}
            call = calls.setdefault(event["toolCallId"], shown)
            call["toolName"] += event.get("toolName") or ""
        if event["type"] == "RUN_ERROR":
            yield {"type": "error", "errorText": event["message"]}
        elif event["type"] == "RUN_FINISHED":
            yield {"type": "finish"}


def whole_inputs(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: the input as far as it has come, under one id, and whole at the end."""
    reader = _Moving()
    for chunk in [*chunks, None]:
        for kind, _, text in reader.take(chunk):
            if kind == "text":
                yield {"type": "text-delta", "delta": text}
        for call in [c for c in reader.calls if "key" in c]:
            try:
                value = json.loads(call["arguments"] or "{}", strict=False)
            except ValueError:
                continue
            yield {
                "type": "tool-input",
                "toolCallId": call["key"],
                "toolName": call["name"],
                "input": value,
            }


def updates(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: the Agent Client Protocol, with whole calls."""
    reader = _Moving()
    for chunk in [*chunks, None]:
        for kind, _, text in reader.take(chunk):
            if kind == "text":
                content = {"type": "text", "text": text}
                said = {"sessionUpdate": "agent_message_chunk", "content": content}
                yield {"method": "session/update", "params": {"update": said}}
    for call in reader.calls:
        shown = {"sessionUpdate": "tool_call", "toolCallId": call["key"]}
        shown |= {"title": call["name"], "rawInput": call["arguments"] or "{}"}
        yield {"method": "session/update", "params": {"update": shown}}


def relayed(chunks: Iterable[_Object]) -> Iterator[str]:
    """Right: chat again, as the event stream that it came in."""
    order: dict[int, int] = {}
    reader = _Moving()
    for chunk in [*chunks, None]:
        for kind, call, text in reader.take(chunk):
            delta: _Object = {"content": text}
            if kind != "text":
                index = order.setdefault(id(call), len(order))
                entry = {"index": index, "function": {"arguments": text}}
                if kind == "open":
                    entry |= {"id": call["key"], "type": "function"}
                    entry["function"] = {"name": call["name"], "arguments": ""}
                delta = {"tool_calls": [entry]}
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            yield f"data: {json.dumps({'choices': [choice]})}\n\n"
    if reader.finish:
        choice = {"index": 0, "delta": {}, "finish_reason": reader.finish}
        yield f"data: {json.dumps({'choices': [choice]})}\n\n"
    yield "data: [DONE]\n\n"


def so_far(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Right: the whole answer so far, again for every chunk."""
    reader = _Moving()
    for chunk in chunks:
        reader.take(chunk)
        yield reader.result()


def text_so_far(chunks: Iterable[_Object]) -> Iterator[str]:
    """Right: the text so far, again for every piece."""
    reader = _Moving()
    for chunk in chunks:
        if reader.take(chunk):
            yield reader.text


def to_last_call(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Gives every piece of arguments to the call that began last."""
    last = ""
    for event in ag_ui(chunks):
        if event["type"] == "TOOL_CALL_START":
            last = event["toolCallId"]
        yield event | ({"toolCallId": last} if "ARGS" in event["type"] else {})


def finishes_anyway(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Finishes the run of a stream that broke off."""
    for event in ag_ui(chunks):
        yield {"type": "RUN_FINISHED"} if event["type"] == "RUN_ERROR" else event


def opens_none_behind_text(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Ends a text where a call begins, and shows no beginning of it."""
    is_text = False
    for event in ag_ui(chunks):
        if not (is_text and event["type"] == "TOOL_CALL_START"):
            yield event
        is_text = event["type"] == "TEXT_MESSAGE_CONTENT"


def so_far_is_delta(chunks: Iterable[_Object]) -> Iterator[_Object]:
    """Sends all the text so far as a piece of it."""
    return ({"type": "delta", "delta": text} for text in text_so_far(chunks))


def first_of_two_at_0(chunks: Iterable[_Object]) -> Iterator[str]:
    """Relays every call at index 0, without its id."""
    for text in relayed(chunks):
        yield text.replace('"index": 1, "function"', '"index": 0, "function"')


class ItemIdIsId(ResponsesReader):
    """Shows the id of a call's item for that of the call."""

    def take_item(self, place: int, item: _Object) -> None:
        super().take_item(place, item)
        if (call := self.find(place)) is not None:
            call["id"] = item.get("id") or call.get("id")

    def result(self) -> _Object:
        return {"text": super().result()["content"], "tool_calls": self.calls}


class NameIsId(GeminiReader):
    """Shows the name of a call for its id, also of two."""

    def result(self) -> _Object:
        calls = super().result()["calls"]
        message = [{"id": call["name"], "function": call} for call in calls]
        return {"content": self.text, "tool_calls": message}


CHUNKS = (
    *(to_last_call, finishes_anyway, opens_none_behind_text, so_far_is_delta),
    first_of_two_at_0,
)
OF_APIS = ((ItemIdIsId, "responses"), (NameIsId, "gemini"))
RIGHT = (ag_ui, ui_messages, whole_inputs, updates, relayed, so_far, text_so_far)
