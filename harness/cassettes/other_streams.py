"""Whose a stream is that no API reads."""

from __future__ import annotations

from typing import Any

from harness.apis.chat.api import is_legacy
from harness.apis.chat.chunks import payload_error
from harness.apis.detect import api_of_answer
from harness.core.package_files import package_tables

_LETTA = frozenset(
    {"internal_monologue", "assistant_message", "function_call", "function_return"}
    | {"message_type"}
)


_ROWS = package_tables("harness.cassettes", "other_streams.txt")["streams"]
_OTHERS = [row.split(" | ") for row in _ROWS.splitlines()]
"""Streams that are not read: whose one is, the type of an event, and its keys."""


def whose(name: str, payload: dict[str, Any]) -> str:
    """Name the protocol of an event that no API reads; empty where it is unknown."""
    if is_legacy(payload):
        return "a stream of legacy text completions"
    if name.startswith("thread."):
        return "an OpenAI Assistants stream"
    if _LETTA & payload.keys():
        return (
            "messages of an interface, as `harness replay --format sse` and Letta "
            "write them, and no answer of a model; `harness diff` compares them"
        )
    kinds = {"-", name, *(payload if len(payload) == 1 else ())} | {
        value
        for key in ("type", "event_type", "event")
        if isinstance(value := payload.get(key), str)
    }
    for title, kind, keys in _OTHERS:
        if kind in kinds and {*keys.split()} - {"-"} <= payload.keys():
            return f"a stream of {title}, which is not read"
    api = api_of_answer(payload)
    if api is None or payload_error(payload) is not None:
        return ""
    return f"a whole answer of {api.title} as one event: its clients read none of it"
