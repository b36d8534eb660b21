"""One emission, and how it is shown: as JSON, as an event, as a row of a table.

Its message may be a light one, whose model is made where it is asked for; all that is
shown is shown without it.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from harness.agents.letta.light_messages import (
    LightMessage,
    MessageStreamStatus,
    render_json,
    render_sse,
)
from harness.core.fielded import Fielded
from harness.core.patterns import late

_LINE_END = late(r"\r\n|\r|\n")


class Emission(Fielded):
    """One message that an interface emitted, with what caused it."""

    __slots__ = ("at", "chunk", "emitted", "exchange")
    __match_args__ = ("exchange", "chunk", "at", "message")

    def __init__(
        self, exchange: int, chunk: int | None, at: float | None, message: Any
    ) -> None:
        self.exchange = exchange
        """Number of the exchange in the cassette, from 0."""
        self.chunk = chunk
        """Number of the chunk in its stream; None for what the step loop caused."""
        self.at = at
        """Seconds from the request to that chunk; None without recorded timing."""
        self.emitted = message
        """What stands for the message until that is asked for; as `message_json` and
        `describe` take it."""

    @property
    def message(self) -> Any:
        """The message: a model of ours, a status, a dict, or what a user's code emits.

        The model of a message of ours is made when it is asked for first.
        """
        if type(self.emitted) is LightMessage:
            self.emitted = self.emitted.to_model()
        return self.emitted

    @message.setter
    def message(self, message: Any) -> None:
        self.emitted = message

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form, without cassette and interface."""
        return {
            "exchange": self.exchange,
            "chunk": self.chunk,
            "at": self.at,
            "message": json.loads(message_json(self.emitted)),
        }


def message_json(message: object) -> str:
    """Return any emitted message as compact ASCII JSON.

    Args:
        message: One of ours, or whatever a user's interface emitted: dataclasses and
            plain objects are taken by their fields, sets are sorted, and what JSON has
            no form for is its `str`.

    Returns:
        One line; never an address in memory, which no two runs share.
    """
    if isinstance(message, LightMessage | str):
        return render_json(message)
    if not isinstance(message, dict):  # of a user's interface, or it was touched
        from harness.agents.letta.messages import StreamedMessage

        if isinstance(message, StreamedMessage):
            return render_json(message)
    try:
        return _encode(message)
    except (TypeError, ValueError, RecursionError):  # odd keys, or a circle
        return json.dumps(repr(message))


def _plain(value: object) -> object:
    """Return the next best thing that JSON has a form for."""
    from pydantic import BaseModel  # for what only a user's interface emits

    if isinstance(value, BaseModel):
        try:
            return value.model_dump(mode="json", warnings=False)
        except ValueError:  # half a surrogate pair
            return value.model_dump(warnings=False)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, set | frozenset):
        return [json.loads(text) for text in sorted(map(_encode, value))]
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat()
    kind = type(value)
    if kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__:
        return str(value)
    return dict(vars(value)) if hasattr(value, "__dict__") else kind.__qualname__


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def readable(value: object) -> str:
    """Return JSON that a person reads and any terminal or file takes."""
    text = json.dumps(value, ensure_ascii=False)
    # Half a surrogate pair, which UTF-8 cannot carry, stays the escape that it was.
    return text.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=8)  # the same two names on every line: 1.5 of 7 us
def _quoted(text: str) -> str:
    return json.dumps(text)


def emission_line(cassette: str, interface: str, emission: Emission) -> str:
    """Return the stable JSON line of one emission, without a line end."""
    at = "null" if emission.at is None else json.dumps(emission.at)
    chunk = "null" if emission.chunk is None else str(emission.chunk)
    return (
        f'{{"cassette":{_quoted(cassette)},"interface":{_quoted(interface)},'
        f'"exchange":{emission.exchange},"chunk":{chunk},"at":{at},'
        f'"message":{message_json(emission.emitted)}}}'
    )


def sse_text(emission: Emission) -> str:
    """Return the event that a server would have sent for one emission."""
    message = emission.emitted
    if isinstance(message, str):
        lines = _LINE_END.split(message)  # a line each, or the rest would be lost
        return "".join(f"data: {line}\n" for line in lines) + "\n"
    return f"data: {message_json(message)}\n\n"


def sse_end() -> str:
    """Return the event that ends a transcript's event stream."""
    return render_sse(MessageStreamStatus.done)


def data_of(message: object) -> Any:
    """Return a message as the JSON value that it is."""
    data: Any = message.shown if isinstance(message, LightMessage) else None
    return json.loads(message_json(message)) if data is None else data


def describe(message: object) -> tuple[str, str]:
    """Return what kind of message it is and its content, for a table row.

    Args:
        message: Anything an interface emitted.

    Returns:
        A short kind (`assistant_message`, `function_call`, `status`, ...) and the
        content: text as a JSON string, so that every character shows; the fields of
        a call; or the whole as compact JSON.
    """
    if isinstance(message, MessageStreamStatus):
        return "status", message.value
    data = data_of(message)
    if not isinstance(data, dict):
        return type(message).__name__, readable(data)
    named = data.get("message_type")
    kind = named if isinstance(named, str) else ""
    for name in ("internal_monologue", "assistant_message", "function_return"):
        if name in data:
            status = f" ({data['status']})" if "status" in data else ""
            return kind or name, readable(data[name]) + status
    if "function_call" in data:
        call = data["function_call"]
        if isinstance(call, dict):
            call = {key: value for key, value in call.items() if value is not None}
        return kind or "function_call", readable(call)
    if "choices" in data:
        return "chat.completion.chunk", readable(data["choices"])
    return kind or type(message).__name__, readable(data)
