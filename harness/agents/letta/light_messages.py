"""What an interface emits, before anyone asks for its model, and how it is rendered.

pydantic and the models take more of a start than all the rest of a replay, and a
transcript that is only printed needs none of them. So a replay's own interface emits
`LightMessage`s and is given `Record`s; both become the models of
`harness.agents.letta.messages` where a caller touches them (`Emission.message`).

`render_json` and `render_sse` are the only places that turn an emitted item into text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.core.fielded import Fielded

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import TypeAlias

    from harness.agents.letta.messages import Message, StreamedMessage


STAMP_FIELDS = (
    *("id", "date"),  # ours and the seed's
    *("object", "created", "model", "service_tier", "system_fingerprint"),  # OpenAI's
)
"""Fields of a message that name whose part it is, not its content: two recordings of
the same answer differ in them."""

_MESSAGE_TYPES = {
    "InternalMonologue": "internal_monologue",
    "AssistantMessage": "assistant_message",
    "FunctionCallMessage": "function_call",
    "FunctionReturn": "function_return",
}


class MessageStreamStatus(StrEnum):
    """Marks in a stream that are no messages."""

    done_generation = "[DONE_GEN]"
    """The model's response is over."""
    done_step = "[DONE_STEP]"
    """The step is over: the response and the tool executions it asked for."""
    done = "[DONE]"
    """The stream is over; a server sends it, no interface emits it."""


if TYPE_CHECKING:
    Emitted: TypeAlias = StreamedMessage | MessageStreamStatus | dict[str, Any]
    # What a stream holds; the dict is an OpenAI chunk (chat-completion mode).
    MakeMessage: TypeAlias = Callable[
        [str, str, datetime, dict[str, Any]], StreamedMessage
    ]


class CallFields(dict[str, Any]):
    """The fields of a `FunctionCall`; a plain dict holds those of a delta."""


# No named tuple: one is made for every chunk (`harness.core.parts`).
@dataclass(slots=True, eq=False, repr=False)
class LightMessage(Fielded):
    """A message of ours whose model is made when it is asked for."""

    kind: str
    """The name of its model."""
    id: str
    """Or what becomes it as a `str`."""
    date: datetime
    fields: dict[str, Any]
    """Those that only this model has, as they stand in its JSON."""

    @property
    def shown(self) -> dict[str, Any]:
        """The JSON object without id and date."""
        named = _MESSAGE_TYPES.get(self.kind)
        return {**({"message_type": named} if named else {}), **self.fields}

    def to_json(self) -> str:
        """Return what the model would render as."""
        return _head(self.kind, self.id, self.date) + _encode(self.fields)[1:]

    def to_model(self) -> StreamedMessage:
        """Return the model."""
        return make_message(self.kind, str(self.id), self.date, self.fields)


class FunctionOfRecord(NamedTuple):
    """A `ToolCallFunction`."""

    name: str
    arguments: str


class CallOfRecord(NamedTuple):
    """A `ToolCall`."""

    id: str
    function: FunctionOfRecord


class Record(NamedTuple):
    """A `Message` for an interface that is known to only read it."""

    id: str
    role: Literal["assistant", "tool"]
    created_at: datetime
    text: str | None = None
    tool_calls: list[CallOfRecord] | None = None
    tool_call_id: str | None = None
    name: str | None = None

    def to_model(self) -> Message:
        """Return the model."""
        models = _models()
        calls = [
            models.ToolCall(
                id=call.id, function=models.ToolCallFunction(**call.function._asdict())
            )
            for call in self.tool_calls or ()
        ]
        made: Message = models.Message(
            **{**self._asdict(), "tool_calls": calls or None}
        )
        return made


def make_message(
    kind: str, message_id: str, date: datetime, fields: dict[str, Any]
) -> StreamedMessage:
    """Return the model of a message at once.

    Args:
        kind: The name of the model.
        message_id: Its id.
        date: Its date.
        fields: The others.
    """
    if kind == "FunctionCallMessage":
        models, call = _models(), fields["function_call"]
        whole = type(call) is CallFields
        made = models.FunctionCall if whole else models.FunctionCallDelta
        fields = {"function_call": made(**call)}
    return _validator(kind)({"id": message_id, "date": date, **fields})


@cache
def _models() -> ModuleType:
    from harness.agents.letta import messages

    return messages


@cache
def _validator(kind: str) -> Callable[[dict[str, Any]], StreamedMessage]:
    # Calling a model takes 1.1 us, calling its validator 0.75 with the same checks and
    # result (model_construct takes 2.7).
    model = getattr(_models(), kind)
    validate: Callable[[dict[str, Any]], StreamedMessage]
    validate = model.__pydantic_validator__.validate_python
    return validate


def date_to_text(date: datetime) -> str:
    """Return the UTC time of a message in ISO-8601; one without a zone is taken as UTC.

    Never the machine's own time zone: output must not depend on the machine.
    """
    if date.tzinfo is UTC:  # those of a replay are; the others take twice as long
        return date.isoformat(timespec="seconds")
    aware = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    return aware.astimezone(UTC).isoformat(timespec="seconds")


@lru_cache(maxsize=8)  # hundreds of messages share theirs
def _head(kind: str, message_id: str, date: datetime) -> str:
    head = {"id": str(message_id), "date": date_to_text(date)}
    if kind in _MESSAGE_TYPES:
        head["message_type"] = _MESSAGE_TYPES[kind]
    return f"{_encode(head)[:-1]},"


_encode = json.JSONEncoder(separators=(",", ":")).encode


def render_json(item: Emitted | LightMessage | str) -> str:
    """Render an emitted item as compact JSON text, in ASCII.

    Non-ASCII is escaped, as the seed's server does it: a client that splits lines
    at U+2028, or a terminal of another encoding, cannot break it.

    Args:
        item: A message, a status, a dict of the queue or an OpenAI chunk, or the
            queue's ``STOP``.

    Returns:
        One line, no line end; a status and ``STOP`` as a JSON string.
    """
    if isinstance(item, LightMessage):
        return item.to_json()
    if isinstance(item, str | dict):
        return _encode(item)
    text = item.model_dump_json()  # half the cost of encoding the dump
    # `json` escapes DEL, too.
    plain = text.isascii() and "\x7f" not in text
    return text if plain else _encode(item.model_dump())


def render_sse(item: Emitted | LightMessage | str) -> str:
    r"""Render an emitted item as one Server-Sent Event.

    Args:
        item: As for `render_json`.

    Returns:
        ``data: {...}\n\n``; a status as ``data: [DONE_GEN]\n\n``, without quotes.
    """
    data = str(item) if isinstance(item, str) else render_json(item)
    return f"data: {data}\n\n"
