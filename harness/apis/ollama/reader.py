"""Ollama's events to parts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.apis.accounting import UnreadFields
from harness.apis.base import Like
from harness.apis.chat.chunks import payload_error
from harness.apis.json_values import as_json, dict_of, dicts_of, text_of
from harness.apis.ollama.known_fields import FIELDS
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    CallPart,
    Finish,
    Head,
    Item,
    Part,
    Problem,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from harness.apis.base import Event, Payload

_COUNTS = ("prompt_eval_count", "eval_count")


class OllamaReader:
    """Reads the events of one response; a `harness.apis.base.Reader`."""

    def __init__(self) -> None:
        self._calls: list[ToolCall] = []
        self._head: Head | None = None
        self._has_error = False
        self._unread = UnreadFields(FIELDS)
        self.is_finished = False
        """Whether an event with `done` has come."""

    def feed(self, event: Event) -> list[Part]:
        """Read one event; see `Reader.feed`."""
        self._unread.feed(event.index, event.payload)
        return self.read(event.payload)

    def read(self, payload: Payload) -> list[Part]:
        """Read the object of one event, or of a whole answer."""
        parts: list[Part] = []
        error = payload_error(payload)
        if error is not None:
            self._has_error = True
            parts.append(Problem(DiagnosticKind.ERROR_EVENT, error))
        if self._head is None:
            self._head = Head(
                model=text_of(payload.get("model")),
                created=_seconds(payload.get("created_at")),
            )
            parts.append(self._head)
        message = dict_of(payload.get("message"))
        thinking = text_of(message.get("thinking")) or text_of(payload.get("thinking"))
        if thinking:
            parts.append(Reasoning(thinking))
        text = text_of(message.get("content")) or text_of(payload.get("response"))
        if text:
            parts.append(Text(text))
        images = message.get("images") or [payload.get("image")]
        if isinstance(images, list):
            parts += [Item("image", image) for image in images if image]
        parts += map(self._call, dicts_of(message.get("tool_calls")))
        if payload.get("done") is True:
            self.is_finished = True
            parts += self._end(payload)
        return parts

    def _call(self, entry: dict[str, Any]) -> CallPart:
        """Read one call, which is always whole."""
        function = dict_of(entry.get("function"))
        index = function.get("index")
        call_id = text_of(entry.get("id"))
        call = ToolCall(
            len(self._calls), index if type(index) is int else None, call_id
        )
        call.name = text_of(function.get("name"))
        arguments = arguments_text(function.get("arguments"))
        if arguments:
            call.add_arguments(arguments)
        self._calls.append(call)
        return CallPart(call, call.name, arguments, is_new=True, id=call_id)

    def _end(self, payload: Payload) -> list[Part]:
        parts: list[Part] = []
        counts = {key: payload[key] for key in _COUNTS if type(payload.get(key)) is int}
        if counts:
            tokens = [counts.get(key) for key in _COUNTS]
            parts.append(Usage(counts, *tokens))
        reason = text_of(payload.get("done_reason")) or "stop"
        meaning = "tool_calls" if self._calls and reason == "stop" else ""
        parts.append(Finish(reason, meaning))
        return parts

    def goes_on(self, event: Event, part: Part) -> Like | None:
        """Return how to read an event with another text; see `Reader.goes_on`."""
        if self._unread.last == event.index:
            return None
        payload = event.payload
        message = payload.get("message")
        is_text = type(part) is Text and not payload.get("done")
        if is_text and type(message) is dict and message.get("content"):
            return Like("content", Text, ("created_at",))
        return None

    def close(self) -> list[Part]:
        """Report a missing end and what was not read; see `Reader.close`."""
        parts: list[Part] = []
        if not self.is_finished and not self._has_error:
            text = "no event with `done: true` came; the answer may be cut"
            parts.append(Problem(DiagnosticKind.MISSING_FINISH, text))
        return [*parts, *self._unread.problems()]


def arguments_text(arguments: object) -> str:
    """Return a call's arguments, which Ollama sends as an object, as JSON text."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else as_json(arguments)


def _seconds(value: object) -> float:
    try:
        return datetime.fromisoformat(value).timestamp()  # type: ignore[arg-type]  # caught
    except (TypeError, ValueError, OverflowError):
        return 0
