"""The events of one message, in the order and with the fields that Anthropic sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.counts import other_counts
from harness.apis.json_values import parsed
from harness.apis.tables import tables_of
from harness.core.parts import Head

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.apis.base import Payload
    from harness.core.parts import Usage

_TABLES = tables_of("anthropic")
ERROR_TYPES = tuple(_TABLES["error types"].split())
"""Types of an error event; `api_error` where none is known."""

_COUNTS = frozenset(_TABLES["token counts"].split())
_IN_DELTA = ("stop_details", "container")
# What message_delta has inside `delta`; the others stand beside it.


class MessageEvents:
    """The events of one message, written one after the other."""

    def __init__(self) -> None:
        self.open = ""
        """The type of the block that is open; empty if none is."""
        self.is_signed = False
        """Whether it has its signature."""
        self._events: list[WrittenEvent] = []
        self._head = Head()
        self._counts: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0}
        self._late_counts: dict[str, Any] = {}
        self._fields: dict[str, Any] = {}
        self._late_fields: dict[str, Any] = {}
        self._blocks = 0
        self._has_started = False

    @property
    def has_late_counts(self) -> bool:
        """Whether counts wait for the end of the message."""
        return bool(self._late_counts)

    def drain(self) -> list[WrittenEvent]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def identify(self, head: Head) -> bool:
        """Take id and model; false if the message has begun with others."""
        own = self._head
        if self._has_started:
            return head.id in {"", own.id} and head.model in {"", own.model}
        self._head = Head(head.id or own.id, head.model or own.model)
        return True

    def count(self, usage: Usage) -> int:
        """Take token counts; return how many have no place here."""
        sent = {key: n for key, n in usage.counts.items() if n is not None}
        known = {key: n for key, n in sent.items() if key in _COUNTS}
        lost = len(sent) - len(known)
        if not known or "total_tokens" in sent:  # another API's
            known, lost = _neutral(usage), other_counts(usage)
        (self._late_counts if self._has_started else self._counts).update(known)
        return lost

    def carry(self, field: str, value: object) -> None:
        """Take a field that stands beside the content."""
        (self._late_fields if self._has_started else self._fields)[field] = value

    def begin(self, block: dict[str, Any]) -> None:
        """Start a block; the one before must have ended."""
        self.start()
        self.open, self.is_signed = str(block["type"]), False
        self._write("content_block_start", index=self._blocks, content_block=block)
        if not self._blocks:
            self._write("ping")
        self._blocks += 1

    def delta(self, kind: str, **fields: Any) -> None:
        """Write a delta of the open block."""
        self.is_signed = self.is_signed or kind == "signature_delta"
        self._write(
            "content_block_delta",
            index=self._blocks - 1,
            delta={"type": kind, **fields},
        )

    def end(self) -> None:
        """Stop the block that is open, if one is; reasoning is signed before."""
        if self.open:
            if self.open == "thinking" and not self.is_signed:
                self.delta("signature_delta", signature="")
            self._write("content_block_stop", index=self._blocks - 1)
            self.open, self.is_signed = "", False

    def whole(self, block: dict[str, Any]) -> None:
        """Write a block that has no deltas."""
        self.begin(block)
        self.end()

    def finish(self, reason: str) -> None:
        """Write the end of the message."""
        self.start()
        late = self._late_fields
        delta = {"stop_reason": reason, "stop_sequence": None}
        delta |= {key: late[key] for key in _IN_DELTA if key in late}
        beside = {key: value for key, value in late.items() if key not in _IN_DELTA}
        usage = {"output_tokens": self._counts["output_tokens"]} | self._late_counts
        self._write("message_delta", delta=delta, usage=usage, **beside)
        self._write("message_stop")

    def fail(self, text: str) -> None:
        """Write an error, after which nothing comes."""
        self._events.append(error_event(text))

    def start(self) -> None:
        """Write message_start, unless that was done."""
        if self._has_started:
            return
        self._has_started = True
        message: Payload = {
            "id": self._head.id or "msg_0",
            "type": "message",
            "role": "assistant",
            "model": self._head.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self._counts,
        }
        self._write("message_start", message=message | self._fields)

    def _write(self, kind: str, **fields: Any) -> None:
        self._events.append(WrittenEvent(kind, {"type": kind, **fields}))


def _neutral(usage: Usage) -> dict[str, Any]:
    """Return another API's counts; those of the cache are not in `input_tokens`."""
    asked, cached = usage.input_tokens, usage.cached_tokens
    counts: dict[str, Any] = {
        "input_tokens": asked - (cached or 0) if asked is not None else None,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return {key: n for key, n in counts.items() if n is not None}


def error_event(text: str) -> WrittenEvent:
    """Return the event of an error, given as `type: message` or as a message."""
    kind, colon, message = text.partition(": ")
    if not colon or kind not in ERROR_TYPES:
        kind, message = "api_error", text
    error = {"type": kind, "message": message}
    return WrittenEvent("error", {"type": "error", "error": error})


_JOINED = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "compaction_delta": "content",
}


def folded(events: Iterable[WrittenEvent]) -> Payload:
    """Return the whole message that the events of a stream add up to.

    Args:
        events: As `MessageEvents` writes them.

    Returns:
        The message, or the error object if there is an error.
    """
    message: Payload = {}
    pieces: list[str] = []
    for event in events:
        payload = event.payload
        match event.name:
            case "error":
                return payload
            case "message_start":
                message = {**payload["message"], "content": []}
            case "content_block_start":
                pieces = []
                message["content"].append(dict(payload["content_block"]))
            case "content_block_delta":
                _fold(message["content"][-1], payload["delta"], pieces)
            case "content_block_stop":
                _join(message["content"][-1], pieces)
            case "message_delta":
                message |= payload["delta"]
                message["usage"] = {**message["usage"], **payload["usage"]}
                beside = {"type", "delta", "usage"}
                message |= {k: v for k, v in payload.items() if k not in beside}
            case _:
                pass
    if message.get("content"):
        _join(message["content"][-1], pieces)  # one that was cut has no stop
    return message


def _fold(block: Payload, delta: Payload, pieces: list[str]) -> None:
    """Add a delta to its block; pieces of a text wait to be joined."""
    field = _JOINED.get(delta["type"])
    if field is not None:
        pieces.append(delta.get(field) or "")
        block |= {k: v for k, v in delta.items() if k not in {"type", field}}
    elif delta["type"] == "citations_delta":
        block.setdefault("citations", []).append(delta["citation"])
    else:
        block |= {key: value for key, value in delta.items() if key != "type"}


def _join(block: Payload, pieces: list[str]) -> None:
    """Set the text, or the input, that a block's pieces add up to."""
    text = "".join(pieces)
    if "input" not in block:
        field = "content" if block["type"] == "compaction" else block["type"]
        block |= {field: text} if text else {}
    elif text:
        # What is no JSON stays text, for nothing is made up.
        block["input"] = parsed(text, text, strict=True)
