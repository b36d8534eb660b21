"""Fields by which a consumer shows things, whatever it calls them."""

from __future__ import annotations

import base64
import dataclasses
import re
from typing import Any, TypeGuard

from pydantic import BaseModel

from harness.agents.letta.light_messages import STAMP_FIELDS
from harness.apis.chat.chunks import DONE
from harness.apis.json_values import parsed
from harness.core.sse import SSEDecoder, SSEEvent

VOLATILE = frozenset(
    (
        *STAMP_FIELDS,
        *("index", "created_at", "timestamp", "time", "provider"),
        *("usage", "usage_metadata", "response_metadata", "logprobs"),
        *("finish_reason", "stop_reason", "finishReason", "status", "tool_call_id"),
        *("createdAt", "completed_at", "jsonrpc"),
    )
)
"""Fields that carry nothing, or what may differ between two forms of one answer."""
_ID = re.compile(r"(^|_)u?u?id$|[a-z]I[dD]$")

_ENDINGS = frozenset(
    (
        *("finish_reason", "stop_reason", "finishReason", "finish", "stop", "status"),
        *("done", "is_done", "finished", "is_finished", "complete", "is_complete"),
        *("completed", "incomplete", "success", "ok", "end", "ended", "reason"),
        *("truncated", "stopReason", "done_reason"),
    )
)
"""Fields that show how an answer ended; a number or a text under them is that."""

ENDS = re.compile(
    r"((run|stream|response|agent|turn)[_.-]?)?(done|completed?|finish(ed)?|success)"
    "|message_stop"
)
"""Kinds of messages that report the end of an answer."""
USAGES = frozenset(("usage", "usage_metadata", "usageMetadata", "token_usage"))
REASONS = frozenset(
    (
        *("stop", "tool_calls", "length", "content_filter", "function_call"),
        *("end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal"),
        *("completed", "incomplete", "failed", "STOP", "MAX_TOKENS", "SAFETY"),
    )
)
"""Why an answer ended, as providers name it: an ending also where it has no name."""
_IS_ENDING_UP_TO = 40  # characters, without a blank; longer ones are texts

TAGS = (
    *("message_type", "type", "kind", "part_kind", "event", "role"),
    *("sessionUpdate", "method", "event_type", "eventType", "op", "t"),
)
_NAMES = (
    *("name", "tool_name", "toolName", "function_name", "tool", "function"),
    *("toolCallName", "tool_call_name"),
)
ARGUMENTS = (
    *("arguments", "args", "parameters", "params", "input"),
    *("tool_input", "tool_args", "tool_arguments", "function_args", "rawInput"),
)
CALL_IDS = (
    *("function_call_id", "call_id", "tool_call_id", "toolCallId", "tool_use_id"),
    *("callId", "id"),
)
"""Fields of a call that may be its id, which its result must name."""
_PIECES = (
    *("delta", "inputTextDelta", "argsTextDelta", "arguments_delta", "args_delta"),
    *("argumentsDelta", "input_delta", "partial_json", "chunk"),
)
_PLACES = ("index", "output_index", "contentIndex", "tool_index", "toolIndex")
_OF_CALLS = re.compile("tool|call|func", re.IGNORECASE)
_COUNTERS = re.compile(
    r"(^|_)(n|num|count|chunks|events|deltas|fragments|pieces|reads|elapsed|seconds|ms"
    r"|duration|latency)(_|$)"
)
SIGNATURES = frozenset(("signature", "thoughtSignature", "thought_signature"))


_STREAM = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")


def decoded(items: list[Any]) -> list[Any]:
    """Return the objects in texts that are an event stream or lines of JSON.

    Each text is one or several whole events; bytes may be cut anywhere, and end within
    one. What is anything else is left as it is.
    """
    are_bytes = bool(items) and all(isinstance(one, bytes) for one in items)
    if are_bytes:
        body = b"".join(items)
    elif all(isinstance(one, str) and one[-1:] == "\n" for one in items):
        body = "".join(items).encode("utf-8", "replace")
    else:
        return items
    is_stream = _STREAM.match(body) is not None
    if is_stream:
        decoder = SSEDecoder()
        events = [*decoder.feed(body), *decoder.close()]
    else:
        events = [SSEEvent(line) for line in body.split(b"\n")]
    found: list[Any] = []
    for event in events:
        value = parsed(event.data)
        if isinstance(value, dict):
            found.append({"event": event.event} | value if event.event else value)
        elif event.is_complete and event.data.strip() not in {"", DONE}:
            return items
    return found if found or (are_bytes and is_stream) else items


def name_key(fields: dict[str, Any]) -> str | None:
    """Return the field that names the call; None if this is none."""
    if not any(key in fields for key in ARGUMENTS):
        return None
    if "name" in fields:
        is_empty = not any(fields.get(key) for key in ("name", *ARGUMENTS, *CALL_IDS))
        return None if is_empty else "name"  # one class for events of every kind
    return next((key for key in names_of(fields) if isinstance(fields[key], str)), None)


def names_of(fields: dict[str, Any]) -> list[str]:
    """Return the fields that may name the call; a title, beside an id of a call."""
    is_call = any(fields.get(key) for key in CALL_IDS[:-1])
    return [key for key in (*_NAMES, *["title"] * is_call) if key in fields]


def place_of(fields: dict[str, Any]) -> int | None:
    """Return the number of the call that an event is about; None if it has none."""
    return next((fields[key] for key in _PLACES if type(fields.get(key)) is int), None)


def piece_of_call(
    path: str, fields: dict[str, Any]
) -> tuple[Any, str | None, Any, int | None] | None:
    """Return id, name, piece of arguments and place of an event about a call.

    None if it is none; name and piece are taken out of the fields.
    """
    tags = [path, *(str(getattr(t, "value", t)) for t in map(fields.get, TAGS))]
    is_tagged = any(map(_OF_CALLS.search, tags))
    keys = [
        fields[key] for key in CALL_IDS[: None if is_tagged else -1] if fields.get(key)
    ]
    place = place_of(fields) if is_tagged else None
    names = [key for key in names_of(fields) if isinstance(fields[key], str)]
    texts = (*_PIECES, *ARGUMENTS)
    pieces = [key for key in texts if isinstance(fields.get(key), str)]
    if not (names or pieces) or (not keys and place is None):
        return None
    name, piece = (fields.pop(one[0]) if one else None for one in (names, pieces))
    return keys[0] if keys else None, name, piece, place


def is_volatile(key: str) -> bool:
    """Return whether a field is an id, a date or the like: no content."""
    return key in VOLATILE or bool(_ID.search(key))


def signature_of(value: Any) -> str:
    """Return a signature as it is on the wire; empty if that is none."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else ""


def shape_of(item: Any) -> tuple[str, ...]:
    """Return what the messages of one kind have in common: class and tags."""
    fields = {} if isinstance(item, str | tuple) else fields_of(item) or {}
    tags = [item[0]] if is_tagged(item) else [fields.get(tag) for tag in TAGS]
    return (type(item).__name__, *map(str, tags))


def logprobs_of(value: Any) -> list[float]:
    """Return the log probabilities of tokens, without those of other tokens."""
    if isinstance(value, list | tuple):
        return [found for item in value for found in logprobs_of(item)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [float(value)]
    fields = fields_of(value) or {}
    keys = ("content", "logprob", "token_logprobs")
    held = [fields[key] for key in keys if key in fields]
    return [found for value in held for found in logprobs_of(value)]


def is_counter(key: str, value: Any) -> bool:
    """Return whether a number counts what depends on the cuts, or measures time."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and bool(_COUNTERS.search(key))


def is_count(key: str) -> bool:
    """Return whether a number under this name counts tokens."""
    return "token" in key.lower() or "usage" in key.lower()


def is_ending(key: str, value: Any) -> bool:
    """Return whether a field shows how an answer ended."""
    if key not in _ENDINGS:
        return False
    if isinstance(value, bool):
        return True
    is_word = isinstance(value, str) and 0 < len(value) <= _IS_ENDING_UP_TO
    return is_word and not any(character.isspace() for character in value)


def is_message(fields: dict[str, Any]) -> bool:
    """Return whether an object is a message of chat, with calls."""
    calls = fields.get("tool_calls")
    return isinstance(calls, list) and all(
        isinstance(call, dict) and isinstance(call.get("function"), dict)
        for call in calls
    )


def field_of(item: Any, name: str) -> Any:
    """Return a field of an object of any make, or a dict's value; None if not there."""
    if isinstance(item, dict):
        return item.get(name)
    held = getattr(item, "__dict__", None)
    return held.get(name) if isinstance(held, dict) else getattr(item, name, None)


def fields_of(value: Any) -> dict[str, Any] | None:
    """Return the fields of an object of any make as plain values."""
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, BaseModel):
        return value.model_dump(warnings=False)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    dump = getattr(value, "model_dump", None) or getattr(value, "dict", None)
    if callable(dump):
        dumped = dump()
        if isinstance(dumped, dict):
            return dict(dumped)
    held = getattr(value, "__dict__", None)
    return dict(held) if isinstance(held, dict) else None


_LONE = re.compile(
    "[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]"
)


def is_tagged(items: Any) -> TypeGuard[tuple[Any, ...]]:
    """Return whether the first item names the kind: `("text", "hel")`."""
    is_long = isinstance(items, tuple) and len(items) > 1
    return is_long and isinstance(items[0], str)


def joined(path: str, key: str) -> str:
    """Return the path of a field of what stands at a path."""
    return f"{path}.{key}" if path else key


def sound(text: str) -> str:
    """Return text with U+FFFD for lone surrogates; halves that meet stay two.

    A pair that was sent as two halves is a defect that must be seen.
    """
    return text if text.isascii() else _LONE.sub("\ufffd", text)
