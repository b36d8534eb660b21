"""What an interface emits: the messages of the seed, field for field.

Owns the JSON that clients see. The field order of each model is the order of its
JSON, dates are UTC ISO-8601 to the second, and `render_json` and `render_sse` are
the only places that turn an emitted item into text. Nothing here knows streams.

Names, fields and JSON are those of the seed's server (`harness docs seed`;
checked byte for byte against what it emitted, `tests/parity`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    SerializerFunctionWrapHandler,
    field_serializer,
    model_serializer,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

STAMP_FIELDS = (
    *("id", "date"),  # ours and the seed's
    *("object", "created", "model", "service_tier", "system_fingerprint"),  # OpenAI's
)
"""Fields of a message that name whose part it is, not its content: two recordings of
the same answer differ in them."""


class MessageStreamStatus(StrEnum):
    """Marks in a stream that are no messages."""

    done_generation = "[DONE_GEN]"
    """The model's response is over."""
    done_step = "[DONE_STEP]"
    """The step is over: the response and the tool executions it asked for."""
    done = "[DONE]"
    """The stream is over; a server sends it, no interface emits it."""


class StreamedMessage(BaseModel):
    """What all messages have in common."""

    id: str
    """The id of the `Message` it is a part of; fragments of one share it."""
    date: datetime
    """When that message was made; one without a time zone is taken as UTC."""

    @field_serializer("date")
    def _date_to_text(self, date: datetime) -> str:
        # Never the machine's own time zone: output must not depend on the machine.
        if date.tzinfo is UTC:  # those of a replay are; the others take twice as long
            return date.isoformat(timespec="seconds")
        aware = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        return aware.astimezone(UTC).isoformat(timespec="seconds")


class InternalMonologue(StreamedMessage):
    """Inner thoughts, whole or a fragment: the `content` of the model's answer."""

    message_type: Literal["internal_monologue"] = "internal_monologue"
    """Distinguishes the models in JSON."""
    internal_monologue: str
    """The text."""


class AssistantMessage(StreamedMessage):
    """The agent's words to the user, whole or a fragment."""

    message_type: Literal["assistant_message"] = "assistant_message"
    """Distinguishes the models in JSON."""
    assistant_message: str
    """The text; empty only where the agent sent an empty message."""


class FunctionCall(BaseModel):
    """A whole tool call."""

    name: str
    """The function's name."""
    arguments: str
    """The arguments' JSON text as the model wrote it, also where it is malformed."""
    function_call_id: str
    """Ties the call to its return."""


class FunctionCallDelta(BaseModel):
    """The increment of a tool call; what it lacks is left out of the JSON."""

    name: str | None = None
    """The name or a piece of it; None after the name has come."""
    arguments: str | None = None
    """A fragment of the arguments; None where only the name came."""
    function_call_id: str | None = None
    """The call's id: on its first delta, and where another call came between."""

    @model_serializer(mode="wrap")
    def _leave_out_absent(self, handler: SerializerFunctionWrapHandler) -> Any:
        fields = handler(self)
        return {key: value for key, value in fields.items() if value is not None}


class FunctionCallMessage(StreamedMessage):
    """The agent calls a function."""

    message_type: Literal["function_call"] = "function_call"
    """Distinguishes the models in JSON."""
    # The delta stands first because it is the one made once a fragment: the other
    # order costs half as much again. JSON with all three fields reads as a delta.
    function_call: FunctionCallDelta | FunctionCall
    """The whole call, or the increment of one while tokens stream."""


class FunctionReturn(StreamedMessage):
    """A function has returned."""

    message_type: Literal["function_return"] = "function_return"
    """Distinguishes the models in JSON."""
    function_return: str
    """The result's text, or the error's."""
    status: Literal["success", "error"]
    """Whether the execution worked."""
    function_call_id: str
    """The id of the call that it answers."""


class LegacyFunctionCallMessage(StreamedMessage):
    """A call as one line of text, for clients older than the message types."""

    function_call: str
    """``name({'key': 'value'})``: the arguments as a Python repr, or raw."""


class SystemMessage(StreamedMessage):
    """A message from the system; never streamed."""

    message_type: Literal["system_message"] = "system_message"
    """Distinguishes the models in JSON."""
    message: str
    """The text."""


class UserMessage(StreamedMessage):
    """A message from the user; never streamed."""

    message_type: Literal["user_message"] = "user_message"
    """Distinguishes the models in JSON."""
    message: str
    """The text."""


class ToolCallFunction(BaseModel):
    """The function part of a `ToolCall`."""

    name: str
    """The function's name."""
    arguments: str
    """The arguments' JSON text as the model wrote it; empty means ``{}``."""


class ToolCall(BaseModel):
    """A tool call of a `Message`, in the shape of the OpenAI API."""

    id: str
    """Unique in its message."""
    type: Literal["function"] = "function"
    """There is no other."""
    function: ToolCallFunction
    """What is called."""


def _to_utc(date: datetime) -> datetime:
    return date.astimezone(UTC)


class Message(BaseModel):
    """The record that an emission belongs to: the `msg_obj` of the interface calls."""

    id: str
    """``message-<uuid>``; emissions carry it."""
    role: Literal["assistant", "user", "tool", "system"]
    """Who speaks."""
    text: str | None = None
    """The text; None where the message is only a call."""
    tool_calls: list[ToolCall] | None = None
    """The calls of an assistant message; None or empty where it makes none."""
    tool_call_id: str | None = None
    """On a tool's message: the call that it answers; None elsewhere."""
    name: str | None = None
    """On a tool's message: the function's name; None where it is not known."""
    created_at: Annotated[AwareDatetime, AfterValidator(_to_utc)]
    """When it was made; any aware time, kept as UTC."""


Emitted: TypeAlias = StreamedMessage | MessageStreamStatus | dict[str, Any]
"""What a stream holds; the dict is an OpenAI chunk (chat-completion mode)."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


def render_json(item: Emitted | str) -> str:
    """Render an emitted item as compact JSON text, in ASCII.

    Non-ASCII is escaped, as the seed's server does it: a client that splits lines
    at U+2028, or a terminal of another encoding, cannot break it.

    Args:
        item: A message, a status, a dict of the queue or an OpenAI chunk, or the
            queue's ``STOP``.

    Returns:
        One line, no line end; a status and ``STOP`` as a JSON string.
    """
    if isinstance(item, BaseModel):
        text = item.model_dump_json()  # half the cost of encoding the dump
        return text if text.isascii() else _encode(item.model_dump())
    return _encode(item)


def render_sse(item: Emitted | str) -> str:
    r"""Render an emitted item as one Server-Sent Event.

    Args:
        item: As for `render_json`.

    Returns:
        ``data: {...}\n\n``; a status as ``data: [DONE_GEN]\n\n``, without quotes.
    """
    data = str(item) if isinstance(item, str) else render_json(item)
    return f"data: {data}\n\n"


def encodable(text: str) -> str:
    r"""Return the text without lone surrogates, which UTF-8 cannot carry.

    Args:
        text: Any text; where providers cut between the UTF-16 units of a character,
            its halves may stand in it as two surrogates.

    Returns:
        The same text where it is encodable already; else with halves that follow
        each other joined into their character, and U+FFFD for each other one.

    Source: WHATWG Infra, "convert a string into a scalar value string".
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class HalfPairs:
    """Holds back, for each text, a high surrogate until its low half comes."""

    def __init__(self) -> None:
        self.held: dict[Hashable, str] = {}
        """The high surrogates that wait, by text; nearly always empty."""

    def join(self, key: Hashable, fragment: str) -> str:
        """Return what of a text is decided with its next fragment.

        Args:
            key: Which text the fragment continues.
            fragment: The fragment as sent.

        Returns:
            Encodable text; empty if the fragment was only a first half.
        """
        if fragment.isascii() and not self.held:
            return fragment
        text = self.held.pop(key, "") + fragment
        if "\ud800" <= text[-1:] <= "\udbff":
            self.held[key] = text[-1]
            text = text[:-1]
        return encodable(text)

    def flush(self) -> list[Hashable]:
        """Return the texts whose last half never came, and forget them."""
        keys = list(self.held)
        self.held.clear()
        return keys
