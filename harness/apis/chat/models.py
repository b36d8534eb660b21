"""What a user's interface is handed: chunks with attributes, built on demand.

Apart from `harness.apis.chat.chunks`, which needs no pydantic: to declare these models
takes 15 ms, and a replay through our own interfaces builds none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload


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
