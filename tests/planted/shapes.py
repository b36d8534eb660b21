"""Consumers of chat chunks that one odd value of a field breaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.planted.streams import Reader, _lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_Chunk = dict[str, Any]


class EmptyFinishEnds(Reader):
    """Takes an empty finish reason for the end."""

    is_over = False

    def read(self, chunk: _Chunk) -> None:
        if self.is_over:
            return
        super().read(chunk)
        for choice in chunk.get("choices") or []:
            self.is_over = self.is_over or choice.get("finish_reason") is not None


class EmptyNameReplaces(Reader):
    """Takes an empty name of a continuation for the name."""

    def read_entry(self, entry: _Chunk) -> None:
        super().read_entry(entry)
        name = (entry.get("function") or {}).get("name")
        if name is not None and self.last is not None:
            self.last["name"] = name if name == "" else self.last["name"]


class NumberIndex(Reader):
    """Counts with the index, which may be a text."""

    def read_entry(self, entry: _Chunk) -> None:
        assert (entry.get("index") or 0) + 0 >= 0
        super().read_entry(entry)


class UsageIsTheEnd(Reader):
    """Reads nothing else of a chunk with token counts."""

    def read(self, chunk: _Chunk) -> None:
        if not chunk.get("usage"):
            super().read(chunk)


class UsageOfNulls(Reader):
    """Adds token counts that may be null."""

    def read(self, chunk: _Chunk) -> None:
        super().read(chunk)
        if chunk.get("usage"):
            assert chunk["usage"]["total_tokens"] + 0 >= 0


class CustomIsThere(Reader):
    """Reads `custom` wherever there is one."""

    def read_entry(self, entry: _Chunk) -> None:
        if "custom" in entry:
            assert entry["custom"]["name"]
        super().read_entry(entry)


class RoleResets(Reader):
    """Begins anew with every role."""

    def read(self, chunk: _Chunk) -> None:
        for choice in chunk.get("choices") or []:
            if (choice.get("delta") or {}).get("role"):
                self.text = ""
        super().read(chunk)


class EmptyIdOpens(Reader):
    """Opens a call with every id that is not null."""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        if entry.get("id") == "":
            self.calls.append({"index": None, "id": "", "name": "", "arguments": ""})
            return self.calls[-1]
        return super().find(entry)


class IdOpens(Reader):
    """Opens a call with every id that is another one."""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        call_id = entry.get("id")
        if call_id and all(call["id"] != call_id for call in self.calls):
            opened = {"index": entry.get("index"), "id": call_id}
            self.calls.append({**opened, "name": "", "arguments": ""})
            return self.calls[-1]
        return super().find(entry)


class MixesChoices(Reader):
    """Adds up the texts of all choices."""

    def read(self, chunk: _Chunk) -> None:
        choices = [{**c, "index": 0} for c in chunk.get("choices") or []]
        super().read({**chunk, "choices": choices})


class MessageAgain(Reader):
    """Adds the whole message that some send with the finish."""

    def read(self, chunk: _Chunk) -> None:
        super().read(chunk)
        for choice in chunk.get("choices") or []:
            self.text += (choice.get("message") or {}).get("content") or ""


class CallsAtEachFinish(Reader):
    """Shows the calls at every finish, of which there may be two."""

    shown: tuple[dict[str, Any], ...] = ()

    def read(self, chunk: _Chunk) -> None:
        super().read(chunk)
        for choice in chunk.get("choices") or []:
            if choice.get("finish_reason") == "tool_calls":
                self.shown = (*self.shown, *map(dict, self.calls))

    def result(self) -> dict[str, Any]:
        self.calls = [*self.shown] or self.calls
        return super().result()


class TagsInOnePiece(Reader):
    """Takes thoughts out where a tag comes in one piece."""

    is_thought = False

    def read_content(self, delta: _Chunk) -> None:
        content = delta.get("content")
        if isinstance(content, str):
            before, opened, after = content.partition("<think>")
            if opened:
                self.is_thought, content = True, before + after
            if "</think>" in content:
                self.is_thought, content = False, content.partition("</think>")[2]
            elif self.is_thought:
                content = ""
            delta = {**delta, "content": content}
        super().read_content(delta)


class AlwaysStops(Reader):
    """Shows that every answer stopped, also one whose end never came."""

    def result(self) -> dict[str, Any]:
        return {**super().result(), "finish_reason": "stop"}


SHAPES = (
    EmptyFinishEnds,
    EmptyNameReplaces,
    NumberIndex,
    UsageIsTheEnd,
    UsageOfNulls,
    CustomIsThere,
    RoleResets,
    EmptyIdOpens,
    IdOpens,
    MixesChoices,
    MessageAgain,
    CallsAtEachFinish,
    TagsInOnePiece,
    AlwaysStops,
)


def done_once(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Break at a second `[DONE]`."""
    reader = Reader()
    lines = _lines(b"".join(pieces).decode("utf-8", "replace"))
    events = [e.removeprefix("data:").strip() for e in lines if e.startswith("data:")]
    if "[DONE]" in events:
        events.remove("[DONE]")
    for event in events:
        if event == "[DONE]":
            raise KeyError(event)
        try:
            chunk = json.loads(event)
        except ValueError:
            continue
        if isinstance(chunk, dict):
            reader.read(chunk)
    return reader.result()
