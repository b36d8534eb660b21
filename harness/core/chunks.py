"""Event payload to chunk: lenient about providers' quirks, exact about content.

Owns what a chunk is. Inside harness a chunk is its parsed JSON object (a plain
dict, as the provider sent it), carried in a `Chunk` with its number and its time:
a pydantic model of every chunk would cost three times as much as parsing it, and
keeping many alive slows the garbage collector (design.md, section 9). What a
user's interface is handed is a `ChatCompletionChunk`, built on demand.

What a delta says is read in `harness.core.deltas`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from harness.errors import ChunkError

__all__ = [
    "DONE",
    "ChatCompletionChunk",
    "Chunk",
    "ChunkChoice",
    "ChunkDelta",
    "ChunkFunction",
    "ChunkToolCall",
    "Payload",
    "parse_payload",
    "payload_error",
    "payload_of",
    "to_model",
]

DONE = "[DONE]"
"""The data of the event that ends a stream (OpenAI API reference, streaming)."""

Payload = dict[str, Any]
"""The JSON object of one chunk, as sent."""


@dataclass(slots=True)
class Chunk:
    """One `chat.completion.chunk` of a stream, payload included: read-only."""

    index: int
    """Number of the event in its stream, from 0, `[DONE]` not counted."""
    at: float | None
    """Seconds from the request to its last byte; None without recorded timing."""
    payload: Payload
    """The parsed object."""


def parse_payload(data: str | bytes) -> Payload:
    """Parse the data of one event.

    Args:
        data: The event's data; not `[DONE]`. Bytes are taken as UTF-8, with
            U+FFFD for what is none.

    Returns:
        The JSON object. Lone surrogates written as escapes stay in the text: a
        provider that cuts between UTF-16 units sends the halves in two chunks.

    Raises:
        ChunkError: It is no JSON, or JSON but no object.

    Source: RFC 8259; that escaped surrogates may be cut is ours.
    """
    try:
        payload = from_json(data)
    except (ValueError, TypeError):
        # jiter refuses lone surrogates (those in a `str` with a TypeError) and bad
        # UTF-8, which `json` reads; it runs only on what jiter refused, so its speed
        # (4 times slower) does not matter.
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        try:
            payload = json.loads(text, strict=False)
        except ValueError as error:
            raise ChunkError(f"no JSON ({error})", payload=text) from None
        except RecursionError:
            raise ChunkError("nested too deeply", payload=text) from None
    if type(payload) is not dict:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        raise ChunkError("JSON, but no object", payload=text)
    return payload


def payload_error(payload: Payload) -> str | None:
    """Return the message of an error that a provider sent in the middle of a stream.

    Args:
        payload: A parsed chunk.

    Returns:
        The message (the error object as JSON where it has none), or None when
        the payload is no error.

    Source: OpenAI and OpenRouter send ``{"error": {...}}`` in a 200 response;
    some providers send ``{"error": "text"}`` or ``{"object": "error", ...}``.
    """
    error = payload.get("error")
    if error:
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            return str(error["message"])
        return error if isinstance(error, str) else _as_json(error)
    if payload.get("object") == "error":
        message = payload.get("message")
        return message if isinstance(message, str) else _as_json(payload)
    return None


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # parsed higher up in the stack than it is written here
        return "an error object that is nested too deeply"


class _Lenient(BaseModel):
    """Attribute access over whatever came: every field optional, extras kept."""

    # Strict, because a number that is sent as text stays text: exact about content.
    model_config = ConfigDict(extra="allow", protected_namespaces=(), strict=True)


class ChunkFunction(_Lenient):
    """The function part of a tool call delta."""

    name: str | None = None
    """The name or a piece of it; None on most continuations."""
    arguments: str | None = None
    """A fragment of the arguments; None where the provider sends none."""


class ChunkToolCall(_Lenient):
    """One entry of `delta.tool_calls`."""

    index: int | None = None
    """Which call it continues; some providers leave it out."""
    id: str | None = None
    """The call's id, usually only in its first delta."""
    type: str | None = None
    """`function`, usually only in its first delta."""
    function: ChunkFunction | None = None
    """None on an entry that only announces a call."""


class ChunkDelta(_Lenient):
    """The increment of one choice."""

    role: str | None = None
    """Usually only in the first chunk."""
    content: str | list[Any] | None = None
    """Text; a list of parts at Mistral."""
    tool_calls: list[ChunkToolCall] | None = None
    """Fragments of calls, often of one call."""
    function_call: ChunkFunction | None = None
    """The legacy form of a single call."""
    refusal: str | None = None
    """Text of a refusal."""


class ChunkChoice(_Lenient):
    """One choice of a chunk."""

    index: int = 0
    """Which of the `n` answers it continues."""
    delta: ChunkDelta | None = None
    """None in Azure's asynchronous filter chunks."""
    finish_reason: str | None = None
    """Set in the choice's last chunk."""
    logprobs: Any = None
    """As sent."""


class ChatCompletionChunk(_Lenient):
    """What a user's interface is handed: the OpenAI SDK's shape, none of its checks."""

    id: str | None = None
    """The completion's id, the same in all its chunks."""
    object: str | None = None
    """`chat.completion.chunk` where the provider sends it."""
    created: int | float | None = None
    """Unix seconds; 0 or None at some providers."""
    model: str | None = None
    """The model that answered."""
    choices: list[ChunkChoice] = []
    """Empty in usage chunks and in Azure's first; null becomes empty."""
    usage: Any = None
    """Token counts, in the last chunk when asked for."""


def to_model(payload: Payload) -> ChatCompletionChunk:
    """Build the object that is handed to a user's interface.

    Args:
        payload: A parsed chunk.

    Returns:
        The model, extra fields kept. A value that does not fit its declared type is
        kept as sent, with attribute access around it: nothing raises here.
    """
    if payload.get("choices") is None and "choices" in payload:
        payload = {**payload, "choices": []}
    try:
        return ChatCompletionChunk.model_validate(payload)
    except ValueError:
        model: ChatCompletionChunk = _construct(ChatCompletionChunk, payload)
        return model


_NESTED: dict[type[_Lenient], dict[str, type[_Lenient]]] = {
    ChatCompletionChunk: {"choices": ChunkChoice},
    ChunkChoice: {"delta": ChunkDelta},
    ChunkDelta: {"tool_calls": ChunkToolCall, "function_call": ChunkFunction},
    ChunkToolCall: {"function": ChunkFunction},
}


def _construct(kind: type[_Lenient], payload: Payload) -> Any:
    """Build a model unchecked, the models inside it too.

    Ollama sends an object as `arguments`, and a consumer still wants to read
    `choices[0].delta`.
    """
    nested = _NESTED.get(kind, {})
    declared: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in payload.items():
        fields = declared if name in kind.model_fields else extra
        fields[name] = _construct_value(nested.get(name), value)
    model = kind.model_construct(**declared)
    model.__pydantic_extra__ = extra  # as keywords they could clash with its own
    return model


def _construct_value(kind: type[_Lenient] | None, value: Any) -> Any:
    if kind is None:
        return value
    if type(value) is list:
        return [_construct(kind, v) if type(v) is dict else v for v in value]
    return _construct(kind, value) if type(value) is dict else value


def payload_of(chunk: Any) -> Payload:
    """Return the plain dict of a chunk in whatever form a caller has it.

    Args:
        chunk: A dict, a pydantic model (ours or the OpenAI SDK's), or a `Chunk`.

    Returns:
        The payload; fields that were never set are absent.

    Raises:
        TypeError: It is none of these.
    """
    if type(chunk) is dict:
        return chunk
    if isinstance(chunk, Chunk):
        return chunk.payload
    if isinstance(chunk, BaseModel):
        # A value of another type than declared is what was sent: no warning.
        return chunk.model_dump(exclude_unset=True, warnings=False)
    if isinstance(chunk, dict):
        return dict(chunk)
    raise TypeError(
        f"a chunk is a dict or a pydantic model, got {type(chunk).__name__}"
    )
