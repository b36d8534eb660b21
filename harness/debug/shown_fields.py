"""Fields by which a consumer shows things, whatever it calls them."""

from __future__ import annotations

import base64
import dataclasses
import re
from typing import Any, TypeGuard

from pydantic import BaseModel

from harness.agents.letta.light import STAMP_FIELDS

VOLATILE = frozenset(
    (
        *STAMP_FIELDS,
        *("index", "created_at", "timestamp", "time", "provider"),
        *("usage", "usage_metadata", "response_metadata", "logprobs"),
        *("finish_reason", "stop_reason", "finishReason", "status", "tool_call_id"),
        *("function_call_id", "call_id", "message_id"),
    )
)
"""Fields that say nothing, or what may differ between two forms of one answer."""

_ENDINGS = frozenset(
    (
        *("finish_reason", "stop_reason", "finishReason", "finish", "stop", "status"),
        *("done", "is_done", "finished", "is_finished", "complete", "is_complete"),
        *("completed", "incomplete", "success", "ok", "end", "ended", "reason"),
        "truncated",
    )
)
"""Fields that say how an answer ended; a number or a text under them is that."""

ENDS = frozenset(("done", "complete", "completed", "finish", "finished", "success"))
"""Kinds of messages that report the end of an answer."""
USAGES = frozenset(("usage", "usage_metadata", "usageMetadata", "token_usage"))
REASONS = frozenset(
    (
        *("stop", "tool_calls", "length", "content_filter", "function_call"),
        *("end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal"),
        *("completed", "incomplete", "failed", "STOP", "MAX_TOKENS", "SAFETY"),
    )
)
"""Why an answer ended, as providers say it: an ending also where it has no name."""
_IS_ENDING_UP_TO = 40  # characters, without a blank; longer ones are texts

TAGS = ("message_type", "type", "kind", "part_kind", "event", "role")
_NAMES = ("name", "tool_name", "toolName", "function_name", "tool", "function")
ARGUMENTS = (
    *("arguments", "args", "parameters", "params", "input"),
    *("tool_input", "tool_args", "tool_arguments", "function_args"),
)
CALL_IDS = (
    *("function_call_id", "call_id", "tool_call_id", "toolCallId", "tool_use_id"),
    *("callId", "id"),
)
"""Fields of a call that may be its id, which its result must name."""
_COUNTERS = re.compile(
    r"(^|_)(n|num|count|chunks|events|deltas|fragments|pieces|reads|elapsed|seconds|ms"
    r"|duration|latency)(_|$)"
)
SIGNATURES = frozenset(("signature", "thoughtSignature", "thought_signature"))


def name_key(fields: dict[str, Any]) -> str | None:
    """Return the field that names the call; None if this is none."""
    if not any(key in fields for key in ARGUMENTS):
        return None
    if "name" in fields:
        return "name"
    return next((key for key in _NAMES if isinstance(fields.get(key), str)), None)


def signature_of(value: Any) -> str:
    """Return a signature as it is on the wire; empty if that is none."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else ""


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
    """Tell whether a number counts what depends on the cuts, or measures time."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and bool(_COUNTERS.search(key))


def is_count(key: str) -> bool:
    """Tell whether a number under this name counts tokens."""
    return "token" in key.lower() or "usage" in key.lower()


def is_ending(key: str, value: Any) -> bool:
    """Tell whether a field shows how an answer ended."""
    if key not in _ENDINGS:
        return False
    if isinstance(value, bool):
        return True
    is_word = isinstance(value, str) and 0 < len(value) <= _IS_ENDING_UP_TO
    return is_word and not any(character.isspace() for character in value)


def is_message(fields: dict[str, Any]) -> bool:
    """Tell whether an object is a message of chat, with calls."""
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
    """Tell whether the first item names the kind: `("text", "hel")`."""
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
