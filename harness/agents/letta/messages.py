"""What an interface emits: the messages of the seed, field for field.

Owns the JSON that clients see. The field order of each model is the order of its
JSON, dates are UTC ISO-8601 to the second. Nothing here knows streams; how an emitted
item becomes text, and what a replay emits in place of these, is in
`harness.agents.letta.light_messages`.

Names, fields and JSON are those of the seed's server (`harness docs seed`;
checked byte for byte against what it emitted, `tests/parity`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    SerializerFunctionWrapHandler,
    field_serializer,
    model_serializer,
)

from harness.agents.letta.light_messages import date_to_text

if TYPE_CHECKING:
    _Date = datetime
else:
    # The class itself, also where freezegun stands in for it: pydantic knows no other,
    # and freezegun, which asks `harness` for all its names, would fail with that.
    _Date = next(k for k in datetime.__mro__ if k.__module__ == "datetime")


class StreamedMessage(BaseModel):
    """What all messages have in common."""

    id: str
    """The id of the `Message` it is a part of; fragments of one share it."""
    date: _Date
    """When that message was made; one without a time zone is taken as UTC."""

    @field_serializer("date")
    def _date_to_text(self, date: datetime) -> str:
        return date_to_text(date)


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
