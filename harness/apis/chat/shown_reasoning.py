"""Reasoning shown as content, for interfaces that know no other text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import Chunk, Payload
from harness.apis.chat.deltas import DeltaReader
from harness.apis.chat.texts import DETAILED_FIELDS, REASONING_FIELDS
from harness.core.parts import Reasoning, Text

if TYPE_CHECKING:
    from harness.core.parts import Part


def reasoning_as_content(chunk: Chunk) -> Chunk:
    """Return the chunk with its reasoning text moved in front of its content."""
    if chunk.parts is None:
        return Chunk(chunk.index, chunk.at, _with_reasoning(chunk.payload))
    parts: list[Part] = [
        Text(part.text) if isinstance(part, Reasoning) else part for part in chunk.parts
    ]
    return Chunk(chunk.index, chunk.at, _with_reasoning(chunk.payload), parts)


def _with_reasoning(payload: Payload) -> Payload:
    choices = payload.get("choices")
    if not isinstance(choices, list):
        return payload
    return {**payload, "choices": [_choice_with_reasoning(c) for c in choices]}


def _choice_with_reasoning(choice: Any) -> Any:
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        return choice
    parts = DeltaReader().read_choice({"delta": {**delta, "tool_calls": None}})
    texts = [part.text for part in parts if isinstance(part, Reasoning | Text)]
    if not any(isinstance(part, Reasoning) for part in parts):
        return choice
    moved = {*REASONING_FIELDS, *DETAILED_FIELDS}
    kept = {key: value for key, value in delta.items() if key not in moved}
    return {**choice, "delta": {**kept, "content": "".join(texts)}}
