"""What a consumer shows of plain streams: learnt from three, and asked of no other.

What a consumer does not show there is never asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.fuzz.outcomes import Call, Outcome, canonical
from harness.fuzz.writing import event_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.arrivals import Arrival

__all__ = ["Shows", "learn", "probes"]

_PROBE_TEXT = "Seven grey geese."
_PROBE_REASONING = "Count the geese first."
_PROBE_CALL = Call("look_up", '{"bird": "goose", "many": 7}')


def probes() -> dict[str, Arrival]:
    """Return the plain streams from which it is learnt what a consumer shows."""

    def stream(*deltas: dict[str, Any], finish: str = "stop") -> Arrival:
        bodies: list[tuple[dict[str, Any], str | None]] = [
            ({"role": "assistant", "content": None}, None),
            *((delta, None) for delta in deltas),
            ({}, finish),
        ]
        return tuple(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "model",
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            }
            for delta, reason in bodies
        )

    opening = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": _PROBE_CALL.name, "arguments": ""},
    }
    rest = {"index": 0, "function": {"arguments": _PROBE_CALL.arguments}}
    return {
        "content": stream({"content": _PROBE_TEXT}),
        "calls": stream(
            {"tool_calls": [opening]}, {"tool_calls": [rest]}, finish="tool_calls"
        ),
        "reasoning": stream(
            {"reasoning_content": _PROBE_REASONING}, {"content": _PROBE_TEXT}
        ),
    }


@dataclass(frozen=True, slots=True)
class Shows:
    """What a consumer shows of plain streams, and as what."""

    content: str | None = None
    """The kind of its texts that is the content; None if it shows none."""
    calls: bool = False
    """Whether it shows calls with names and arguments."""
    names: bool = False
    """Whether those have names."""
    merges_reasoning: bool = False
    """Whether reasoning goes into the content."""


def learn(run: Callable[[Arrival], Outcome], *, reads_bytes: bool) -> Shows:
    """Learn what a consumer shows.

    Args:
        run: Runs one example of it.
        reads_bytes: Whether it is fed with bytes.
    """
    streams = probes()
    if reads_bytes:
        streams = {name: tuple(event_bytes(stream)) for name, stream in streams.items()}
    said = {name: run(stream) for name, stream in streams.items()}
    content = next(
        (k for k, text in said["content"].texts.items() if text == _PROBE_TEXT),
        None,
    )
    calls = said["calls"].as_json().calls
    wanted = canonical(_PROBE_CALL.arguments)
    shows_calls = [call.arguments for call in calls] == [wanted]
    shown = said["reasoning"].texts.get(content or "")
    return Shows(
        content=content,
        calls=shows_calls,
        names=shows_calls and calls[0].name == _PROBE_CALL.name,
        merges_reasoning=shown != _PROBE_TEXT,
    )
