"""The chunks of a stream as the completion that a client without streams gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.deltas import choice_index
from harness.apis.chat.reader import ResponseAccumulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.apis.chat.chunks import Payload
    from harness.core.accumulate import AccumulatedMessage

__all__ = ["completion_of"]


def completion_of(payloads: Iterable[Payload]) -> dict[str, Any]:
    """Return the whole completion that a stream has said.

    Args:
        payloads: Its chunks.

    Returns:
        A `chat.completion` object with every choice, the calls with their ids (one
        made of its position where none came), log probabilities and usage.
    """
    accumulator = ResponseAccumulator()
    logprobs: dict[int, dict[str, list[Any]]] = {}
    for payload in payloads:
        accumulator.feed(payload)
        choices = payload.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and isinstance(choice.get("logprobs"), dict):
                held = logprobs.setdefault(choice_index(choice), {})
                for name, values in choice["logprobs"].items():
                    if isinstance(values, list):
                        held.setdefault(name, []).extend(values)
    return {
        "id": accumulator.id,
        "object": "chat.completion",
        "created": accumulator.created,
        "model": accumulator.model,
        "choices": [
            {
                "index": index,
                "message": _message(accumulator.message(choice=index)),
                "logprobs": logprobs.get(index),
                "finish_reason": accumulator.message(choice=index).finish_reason,
            }
            for index in accumulator.choices
        ],
        **({"usage": accumulator.usage} if accumulator.usage else {}),
    }


def _message(said: AccumulatedMessage) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": said.role,
        "content": said.content or (None if said.calls or said.refusal else ""),
        "refusal": said.refusal or None,
    }
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if said.calls:
        message["tool_calls"] = [
            {
                "id": call.id or f"call_{call.position}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in said.calls
        ]
    return message
