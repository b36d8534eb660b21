"""Consumers of chunks and of bytes with one planted bug each; `right` has none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_Chunk = dict[str, Any]


class Reader:
    """Adds up text and calls as the format asks for; the bugs are its hooks."""

    def __init__(self) -> None:
        self.text = ""
        self.calls: list[dict[str, Any]] = []
        self.last: dict[str, Any] | None = None

    def __call__(self, chunks: Iterator[_Chunk]) -> dict[str, Any]:
        for chunk in chunks:
            self.read(chunk)
        return self.result()

    def result(self) -> dict[str, Any]:
        return {
            "content": self.text,
            "calls": [
                {"name": call["name"], "arguments": call["arguments"]}
                for call in self.calls
            ],
        }

    def read(self, chunk: _Chunk) -> None:
        for choice in chunk.get("choices") or []:
            if choice.get("index"):
                continue  # another answer, which was not asked for
            delta = choice.get("delta") or {}
            self.read_content(delta)
            for entry in delta.get("tool_calls") or []:
                self.read_entry(entry)

    def read_content(self, delta: _Chunk) -> None:
        content = delta.get("content") or ""
        if isinstance(content, list):
            content = "".join(part.get("text") or "" for part in content)
        self.text += content

    def read_entry(self, entry: _Chunk) -> None:
        function = entry.get("function") or {}
        call = self.find(entry)
        self.last = call
        self.add_name(call, function.get("name") or "")
        call["arguments"] += function.get("arguments") or ""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        index, call_id = entry.get("index"), entry.get("id")
        is_named = (entry.get("function") or {}).get("name")
        known = any(call["id"] == call_id for call in self.calls)
        if index is not None and not is_named and not known:
            call_id = None  # of a continuation: some send another with each
        call: dict[str, Any]
        for call in reversed(self.calls):
            if self.is_same(call, index, call_id):
                call["id"] = call["id"] or call_id
                return call
        if index is None and not call_id and self.last is not None:
            return self.last
        opened: dict[str, Any] = {
            "index": index,
            "id": call_id,
            "name": "",
            "arguments": "",
        }
        self.calls.append(opened)
        return opened

    @staticmethod
    def is_same(call: dict[str, Any], index: object, call_id: object) -> bool:
        if index is None:
            return bool(call_id) and bool(call["id"] == call_id)
        is_other = bool(call_id) and bool(call["id"]) and call_id != call["id"]
        return bool(call["index"] == index) and not is_other

    def add_name(self, call: dict[str, Any], name: str) -> None:
        if name != call["name"] and not call["arguments"]:
            call["name"] += name


class GluesCalls(Reader):
    """Puts every fragment into the first call."""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        return self.calls[0] if self.calls else super().find(entry)


class GluesAtOneIndex(Reader):
    """Goes by the index alone, and so glues Ollama's calls."""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        for call in self.calls:
            if call["index"] == entry.get("index"):
                return call
        return super().find(entry)


class FirstEntryOnly(Reader):
    """Reads the first entry of `tool_calls` and drops the others."""

    def read(self, chunk: _Chunk) -> None:
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            self.read_content(delta)
            for entry in (delta.get("tool_calls") or [])[:1]:
                self.read_entry(entry)


class FirstChoice(Reader):
    """Reads `choices[0]` of a chunk that may have none."""

    def read(self, chunk: _Chunk) -> None:
        assert chunk["choices"][0] is not None
        super().read(chunk)


class UsageCrash(Reader):
    """Takes a chunk with token counts for one with a text."""

    def read(self, chunk: _Chunk) -> None:
        if chunk.get("usage"):
            self.text += chunk["choices"][0]["delta"]["content"] or ""
        else:
            super().read(chunk)


class DoublesNames(Reader):
    """Adds a name that is sent again to itself."""

    def add_name(self, call: dict[str, Any], name: str) -> None:
        call["name"] += name


class LastNamePiece(Reader):
    """Takes the last piece of a name for all of it."""

    def add_name(self, call: dict[str, Any], name: str) -> None:
        call["name"] = name or call["name"]


class DropsContent(Reader):
    """Drops the content of a delta that has tool calls."""

    def read_content(self, delta: _Chunk) -> None:
        if not delta.get("tool_calls"):
            super().read_content(delta)


class NullArguments(Reader):
    """Adds null to the arguments."""

    def read_entry(self, entry: _Chunk) -> None:
        function = entry.get("function") or {}
        call = self.find(entry)
        self.last = call
        self.add_name(call, function.get("name") or "")
        call["arguments"] += function.get("arguments", "")


class NullIndex(Reader):
    """Uses the index as a number, which it need not be."""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        assert entry["index"] + 1 > 0
        return super().find(entry)


class IndexIsPosition(Reader):
    """Takes the index for a place in the list of calls."""

    def find(self, entry: _Chunk) -> dict[str, Any]:
        index = entry.get("index")
        if index is not None and not entry.get("id"):
            call: dict[str, Any] = self.calls[index]
            return call
        return super().find(entry)


class NullDelta(Reader):
    """Reads a delta that is null."""

    def read(self, chunk: _Chunk) -> None:
        for choice in chunk.get("choices") or []:
            choice.get("delta", {}).get("content")
        super().read(chunk)


class FinishDropsTail(Reader):
    """Stops reading a chunk at its finish reason."""

    def read(self, chunk: _Chunk) -> None:
        for choice in chunk.get("choices") or []:
            if choice.get("finish_reason"):
                return
        super().read(chunk)


class StripsPieces(Reader):
    """Strips each piece of the text."""

    def read_content(self, delta: _Chunk) -> None:
        content = delta.get("content")
        if isinstance(content, str):
            delta = {**delta, "content": content.strip(" ")}
        super().read_content(delta)


class ArgumentsPerFragment(Reader):
    """Parses each fragment of the arguments by itself."""

    def read_entry(self, entry: _Chunk) -> None:
        arguments = (entry.get("function") or {}).get("arguments")
        if arguments and arguments.endswith("}"):
            json.loads(arguments)
        super().read_entry(entry)


class TextListCrash(Reader):
    """Adds content that is a list of parts to a text."""

    def read_content(self, delta: _Chunk) -> None:
        self.text += delta.get("content") or ""


_KEPT: list[str] = []


def right(chunks: Iterator[_Chunk]) -> dict[str, Any]:
    """Read a stream as it should be read."""
    return Reader()(chunks)


async def right_async(chunks: AsyncIterator[_Chunk]) -> dict[str, Any]:
    """Read a stream as it should be read, asynchronously."""
    reader = Reader()
    async for chunk in chunks:
        reader.read(chunk)
    return reader.result()


def right_events(chunks: Iterator[_Chunk]) -> Iterator[tuple[str, str]]:
    """Yield text as it comes, and the calls at the end."""
    reader = Reader()
    for chunk in chunks:
        before = len(reader.text)
        reader.read(chunk)
        if len(reader.text) > before:
            yield "text", reader.text[before:]
    for number, call in enumerate(reader.calls):
        yield f"call {number}", f"{call['name']}({call['arguments'] or '{}'})"


def keeps_state(chunks: Iterator[_Chunk]) -> dict[str, Any]:
    """Keep what a run before this one has said."""
    result = Reader()(chunks)
    _KEPT.append(result["content"])
    return {**result, "content": "".join(_KEPT[-2:])}


def right_bytes(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Read the bytes of an event stream as they should be read."""
    return _read_lines(b"".join(pieces).decode("utf-8", "replace"))


def decodes_each_read(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Decode each network read by itself."""
    return _read_lines("".join(piece.decode("utf-8", "replace") for piece in pieces))


def event_per_read(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Take each network read for an event."""
    reader = Reader()
    for piece in pieces:
        data = piece.decode("utf-8", "replace").strip().removeprefix("data:").strip()
        if data.startswith("{") and data.endswith("}"):
            reader.read(json.loads(data))
    return reader.result()


def comment_is_json(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Take a comment for the data of an event."""
    reader = Reader()
    for line in _lines(b"".join(pieces).decode("utf-8", "replace")):
        data = line.partition(":")[2].strip()
        if data and data != "[DONE]":
            reader.read(json.loads(data))
    return reader.result()


def needs_done(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Say something only when `[DONE]` has come."""
    text = b"".join(pieces).decode("utf-8", "replace")
    return _read_lines(text) if "[DONE]" in text else {}


def _lines(text: str) -> list[str]:
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _read_lines(text: str) -> dict[str, Any]:
    reader = Reader()
    lines: list[str] = []
    for line in [*_lines(text), ""]:
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").strip())
        if line or not lines:
            continue
        data, lines = "\n".join(lines), []
        try:
            chunk = json.loads(data)
        except ValueError:
            continue
        if isinstance(chunk, dict):
            reader.read(chunk)
    return reader.result()
