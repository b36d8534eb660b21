"""Habits of everything but calls: content, token counts, filters, argument text.

Like those of `harness.apis.chat.dialects.entry_habits` they edit payloads and keep what
they do not know about.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.apis.chat.deltas import choice_index
from harness.apis.chat.dialects.editing import (
    Entry,
    each_delta,
    edit_delta,
    entries_of,
    function_of,
)
from harness.apis.chat.dialects.parts import CallTracker, restated
from harness.core import argument_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.chat.chunks import Chunk
    from harness.core.parts import ToolCall


def empty_content(_choice: int, delta: dict[str, Any]) -> dict[str, Any]:
    """``content: ""`` in every delta that has no content; Ollama, OpenRouter."""
    return {**delta, "content": ""} if not delta.get("content") else delta


def list_content(_choice: int, delta: dict[str, Any]) -> dict[str, Any]:
    """Content as a list with one text part; Mistral."""
    content = delta.get("content")
    if not content or not isinstance(content, str):
        return delta
    return {**delta, "content": [{"type": "text", "text": content}]}


def usage_chunk(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """A last chunk with token counts and no choices; made up where none came.

    The counts are null before it.
    """
    usage: Any = None
    last: Chunk | None = None
    for chunk in chunks:
        payload = chunk.payload
        if payload.get("usage"):
            usage = payload["usage"]
        last = chunk
        if payload.get("choices") == [] and payload.get("usage"):
            continue
        yield restated(chunk, {**payload, "usage": None})
    if last is not None:
        counts = usage or dict.fromkeys(
            ("prompt_tokens", "completion_tokens", "total_tokens"), 0
        )
        yield restated(last, {**last.payload, "choices": [], "usage": counts})


def async_filter(
    chunks: Iterable[Chunk], *, has_null_delta: bool = False
) -> Iterator[Chunk]:
    """Azure's asynchronous filter: results behind the text, in choices without delta.

    Not in the corpus; Microsoft's documentation of the asynchronous content filter,
    autogen#6465, openai-python#1677 and #2313 (where `delta` is null).
    """
    offsets: dict[int, int] = {}
    for chunk in chunks:
        yield chunk
        for choice in chunk.payload.get("choices") or []:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            text = delta.get("content") if isinstance(delta, dict) else None
            if not text or not isinstance(text, str):
                continue
            index = choice_index(choice)
            start = offsets.get(index, 0)
            offsets[index] = start + len(text)
            result = {
                "index": index,
                "finish_reason": None,
                "content_filter_results": {},
                "content_filter_offsets": {
                    "check_offset": start,
                    "start_offset": start,
                    "end_offset": start + len(text),
                },
                **({"delta": None} if has_null_delta else {}),
            }
            bare = {**chunk.payload, "choices": [result]}
            bare.pop("usage", None)
            yield restated(chunk, bare)


def rewritten(
    rewrite: Callable[[str], str], chunks: Iterable[Chunk]
) -> Iterator[Chunk]:
    """The arguments' JSON text written differently, in as many fragments.

    The text is known when the stream has ended, so everything from the first
    fragment on is held back until then. Text that is no JSON stays as it is.
    """
    reader = _ArgumentReader()
    held: list[Chunk] = []
    for chunk in chunks:
        edit_delta(chunk.payload, reader.read)
        if reader.fragments:
            held.append(chunk)
        else:
            yield chunk
    shares = reader.shares(rewrite)
    yield from each_delta(lambda _, delta: _with_shares(delta, shares), held)


class _ArgumentReader:
    """Collects the arguments of each call, and how they were cut."""

    def __init__(self) -> None:
        self._tracker = CallTracker()
        self.fragments: list[tuple[ToolCall, int]] = []
        """For each fragment in order: its call and its length."""

    def read(self, choice: int, delta: dict[str, Any]) -> dict[str, Any]:
        """Read a delta's fragments; return the delta."""
        for entry in entries_of(delta):
            call = self._tracker.call_of(choice, entry)
            arguments = function_of(entry).get("arguments")
            if call is not None and arguments and isinstance(arguments, str):
                self.fragments.append((call, len(arguments)))
        return delta

    def shares(self, rewrite: Callable[[str], str]) -> Iterator[str | None]:
        """Yield what each fragment becomes: its share of the rewritten text.

        None for a fragment that stays as it is, because its call's arguments came
        as an object too, which has no share.
        """
        sizes: Counter[int] = Counter()
        for call, length in self.fragments:
            sizes[id(call)] += length
        seen: Counter[int] = Counter()
        rewritten: dict[int, str] = {}
        for call, length in self.fragments:
            key = id(call)
            size = len(call.arguments)
            if sizes[key] != size:
                yield None
                continue
            if key not in rewritten:
                rewritten[key] = rewrite(call.arguments)
            new = rewritten[key]
            start, end = seen[key], seen[key] + length
            seen[key] = end
            yield new[start * len(new) // size : end * len(new) // size]


def _with_shares(delta: dict[str, Any], shares: Iterator[str | None]) -> dict[str, Any]:
    if not entries_of(delta):
        return delta
    edited = [
        _with_share(entry, shares) if isinstance(entry, dict) else entry
        for entry in delta["tool_calls"]
    ]
    return {**delta, "tool_calls": edited}


def _with_share(entry: Entry, shares: Iterator[str | None]) -> Entry:
    function = function_of(entry)
    arguments = function.get("arguments")
    if not arguments or not isinstance(arguments, str):
        return entry
    share = next(shares)
    if share is None:
        return entry
    return {**entry, "function": {**function, "arguments": share}}


REWRITES: dict[str, Callable[[str], str]] = {
    "escaped": argument_text.escaped,
    "pretty": argument_text.pretty,
    "compact": argument_text.compact,
    "reordered": argument_text.reordered,
}
"""The ways to write arguments, by the name that `arguments-NAME` takes."""
