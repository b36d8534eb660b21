"""What a transcript says, put together again by somebody who sees only its JSON.

Nothing here uses harness: the lines that `harness replay --format jsonl` prints are
read as any client would read them.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """A tool call as it was shown."""

    call_id: str | None
    name: str = ""
    arguments: str = ""


@dataclass
class Said:
    """The answer of one exchange."""

    content: str = ""
    calls: list[Call] = field(default_factory=list)
    assistant: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Name and arguments of each call."""
        return [(call.name, call.arguments) for call in self.calls]


def from_fragments(messages: list[Any]) -> Said:
    """Join what a streaming interface emitted for one exchange, tokens or steps.

    A delta with an id is of the call of that id, or opens it; one without belongs to
    the call of the delta before it. A name after arguments opens another call of the
    same id, since providers repeat ids.
    """
    said = Said()
    current: Call | None = None
    for message in messages:
        if not isinstance(message, dict):
            continue
        kind = message["message_type"]
        if kind == "internal_monologue":
            said.content += message["internal_monologue"]
        elif kind == "assistant_message":
            said.assistant += message["assistant_message"]
        elif kind == "function_call":
            delta = message["function_call"]
            call_id, name = delta.get("function_call_id"), delta.get("name", "")
            if call_id is not None and (
                current is None
                or current.call_id != call_id
                or (name and current.arguments)
            ):
                known = [c for c in said.calls if c.call_id == call_id]
                current = known[-1] if known and not name else None
            if current is None:
                current = Call(call_id)
                said.calls.append(current)
            current.name += name
            current.arguments += delta.get("arguments", "")
    return said


def from_queue(messages: list[Any]) -> Said:
    """Read the dicts of a queuing interface, or the lines of the legacy mode."""
    said = Said()
    for message in messages:
        if "internal_monologue" in message:
            said.content += message["internal_monologue"]
        if "assistant_message" in message:
            said.assistant += message["assistant_message"]
        if isinstance(message.get("function_call"), str):
            name, _, rest = message["function_call"].partition("(")
            said.calls.append(Call(None, name, rest[:-1]))
    return said


def from_openai_chunks(messages: list[Any]) -> Said:
    """Read OpenAI chunks as a client of that API: by index."""
    said = Said()
    by_index: dict[int, Call] = {}
    for message in messages:
        for choice in message["choices"]:
            delta = choice["delta"]
            said.content += delta.get("content") or ""
            for entry in delta.get("tool_calls") or []:
                call = by_index.setdefault(entry["index"], Call(None))
                call.name += entry.get("function", {}).get("name") or ""
                call.arguments += entry.get("function", {}).get("arguments") or ""
    said.calls = [by_index[index] for index in sorted(by_index)]
    return said


def as_shown(arguments: str) -> Any:
    """Return the value of a call's arguments as a client sees it in a repr, or raw."""
    try:
        return ast.literal_eval(arguments)
    except (ValueError, SyntaxError):
        return arguments


def as_meant(arguments: str) -> Any:
    """Return the value of recorded arguments; empty means `{}`; raw if no object."""
    try:
        value = json.loads(arguments or "{}", strict=False)
    except ValueError:
        return arguments
    return value if isinstance(value, dict) else arguments
