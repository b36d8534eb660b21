"""Streams of every API whose truth is known: those of chat, written by our writers.

The answer and its cuts are drawn as for chat (`harness.strategies.streams`), read into
parts, and written in a dialect of the API: one mechanism, whatever the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from harness.apis.base import Event, WritingApi, WrittenEvent
from harness.apis.chat.chunks import Chunk
from harness.apis.detect import api_named
from harness.apis.framing import Framing
from harness.apis.style import RESTATED, ApiStyle
from harness.strategies.arguments import argument_texts
from harness.strategies.streams import ChunkStream, chunk_streams

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from harness.strategies.answers import Answer


class ApiStream(NamedTuple):
    """One stream of an API as a server sends it, and its truth."""

    api: str
    dialect: str
    """Whose habits it has; empty for chat, whose streams have several at once."""
    data: bytes
    """As it is sent, terminators and comments included."""
    events: list[WrittenEvent]
    """The events in it: their names, empty where none are sent, and objects."""
    answer: Answer
    """Arguments are equal as JSON: some APIs carry objects, not their spelling."""


def api_streams(
    api: str,
    *,
    dialect: str | None = None,
    max_calls: int = 3,
    max_cuts: int = 4,
    allow_interleaving: bool = True,
    arguments: SearchStrategy[str] | None = None,
    names: SearchStrategy[str] | None = None,
) -> SearchStrategy[ApiStream]:
    """Streams of an API: text, reasoning, parallel calls, each cut anywhere.

    Shrinks to the standard dialect, then as `chunk_streams`.

    Args:
        api: ``chat``, ``responses``, ``anthropic`` or ``gemini``.
        dialect: One of `harness replay --api API --dialect`; None draws one that keeps
            the rules of the API and carries the whole answer. None for chat.
        max_calls: See `answers`.
        max_cuts: See `framed_streams`.
        allow_interleaving: See `framed_streams`; APIs that send one call after another
            hold the second back.
        arguments: See `answers`; None takes texts that are JSON to everybody: without
            halves of a pair and raw control characters.
        names: See `answers`.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: The API or its dialect is unknown, or see `chunk_streams`.
    """
    if api not in {"chat", *RESTATED}:
        known = ", ".join(("chat", *RESTATED))
        raise InvalidArgument(f"api={api!r}: expected one of {known}")
    dialects = _dialects(api)
    if dialect is not None and dialect not in _all_dialects(api):
        known = ", ".join(_all_dialects(api)) or "None"
        raise InvalidArgument(f"dialect={dialect!r} of {api}: expected one of {known}")
    if arguments is None:
        texts = argument_texts(allow_lone_surrogates=False, allow_controls=False)
        arguments = st.just("") | texts
    chunks = chunk_streams(
        max_calls=max_calls,
        max_cuts=max_cuts,
        allow_interleaving=allow_interleaving,
        arguments=arguments,
        names=names,
    )
    drawn = st.sampled_from(dialects) if dialect is None else st.just(dialect)
    return st.builds(_written, st.just(api), drawn, chunks)


def _all_dialects(api: str) -> dict[str, Any]:
    if api == "chat":
        return {}
    return dict(cast("WritingApi", api_named(api)).dialects)


def _dialects(api: str) -> list[str]:
    """Return the dialects that are legal and carry everything."""
    return [
        name
        for name, dialect in _all_dialects(api).items()
        if not (dialect.breaks or getattr(dialect, "cannot", ""))
    ] or [""]


def _written(api: str, dialect: str, stream: ChunkStream) -> ApiStream:
    if api == "chat":
        chunks = [Chunk(n, None, payload) for n, payload in enumerate(stream.payloads)]
        data = b"".join(Framing().encode(chunks))
        events = [WrittenEvent("", payload) for payload in stream.payloads]
        return ApiStream(api, dialect, data, events, stream.answer)
    reader = api_named("chat").reader()
    parts = [reader.feed(Event(n, "", one)) for n, one in enumerate(stream.payloads)]
    style = ApiStyle(api, dialect)
    written, _ = style.write([*parts, reader.close()])
    events = list(written)
    data = b"".join(style.encode(events))
    return ApiStream(api, dialect, data, events, stream.answer)
