"""Ways for a Messages stream to go wrong, done to its events.

Each change takes the events and a number; most need no number. A fault of what the
stream has not (a call, reasoning) leaves it as it is.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from harness.apis.anthropic.editing import block_of, blocks, delta_of, input_of, piece
from harness.apis.anthropic.message import ERROR_TYPES, error_event
from harness.apis.base import WrittenEvent
from harness.apis.edits import (
    cut,
    edited,
    ended,
    every,
    first,
    inserted,
    left_out,
    named,
    twice,
)
from harness.apis.faults import read_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.edits import Change, Events, Stream


# -- Endings ---------------------------------------------------------------------------


_MESSAGES = {
    "overloaded_error": "Overloaded",
    "api_error": "Internal server error",
    "rate_limit_error": "This request would exceed your rate limit",
    "timeout_error": "Request timed out",
}


def _cut_in_input(events: Events, _number: int) -> Stream:
    """End in the middle of the first piece of an input that has one."""
    for event in events:
        text = _input_piece(event)
        if text:
            yield piece(event, text[: (len(text) + 1) // 2])
            return
        yield event


def _cut_after_name(events: Events, _number: int) -> Stream:
    """End behind the name of the first call, before any of its input."""
    for event in events:
        yield event
        if block_of(event) == "tool_use":
            return


def _max_tokens(events: Events, _number: int, *, has_stop: bool) -> Stream:
    """Cut the input of the first call, and the answer, for `max_tokens`."""
    is_cut = False
    for block in blocks(events):
        if is_cut:
            if block[0].name == "message_delta":
                delta = block[0].payload["delta"] | {"stop_reason": "max_tokens"}
                yield edited(block[0], delta=delta)
            elif block[0].name == "message_stop":
                yield block[0]
            continue
        text = input_of(block) if block_of(block[0]) == "tool_use" else ""
        is_cut = bool(text)
        left = (len(text) + 1) // 2 if is_cut else 0
        for event in block:
            own = _input_piece(event) if is_cut else None
            if own is not None:
                if own[:left] or not own:
                    yield piece(event, own[:left])
                left -= len(own[:left])
            elif has_stop or not is_cut or event.name != "content_block_stop":
                yield event


# -- Blocks ----------------------------------------------------------------------------


def _text(index: int) -> WrittenEvent:
    delta = {"type": "text_delta", "text": " (late)"}
    payload = {"type": "content_block_delta", "index": index, "delta": delta}
    return WrittenEvent("content_block_delta", payload)


# -- Inputs ----------------------------------------------------------------------------


def _first_input(events: Events, _number: int, edit: Callable[[str], str]) -> Stream:
    """Replace the input of the first call that has one, in one piece."""
    is_done = False
    for block in blocks(events):
        text = input_of(block) if block_of(block[0]) == "tool_use" else ""
        if is_done or not text:
            yield from block
            continue
        for event in block:
            own = _input_piece(event)
            if own is None or not own:
                yield event
            elif not is_done:
                is_done = True
                yield piece(event, edit(text))


def _input_piece(event: WrittenEvent) -> str | None:
    """Return the piece of an input that an event has; None if it has none."""
    if delta_of(event) != "input_json_delta":
        return None
    return str(event.payload["delta"]["partial_json"])


_OTHER = {"text_delta": "thinking", "thinking_delta": "text"}


def _swapped(event: WrittenEvent) -> Events:
    """Return a piece of text as one of reasoning, or the other way round."""
    kind = _OTHER[delta_of(event)]
    own = "text" if kind == "thinking" else "thinking"
    delta = {"type": f"{kind}_delta", kind: event.payload["delta"][own]}
    return [edited(event, delta=delta)]


def _with_reason_null(event: WrittenEvent) -> Events:
    return [edited(event, delta=event.payload["delta"] | {"stop_reason": None})]


def _is_signature(event: WrittenEvent) -> bool:
    return delta_of(event) == "signature_delta"


_starts, _stops = named("content_block_start"), named("content_block_stop")

CHANGES: dict[str, Change] = {
    **{
        kind.replace("_", "-"): ended(
            error_event(f"{kind}: {_MESSAGES.get(kind, 'Something went wrong')}")
        )
        for kind in ERROR_TYPES
    },
    "overloaded-before": lambda events, _number: islice(events, 0),
    "cut-events": cut,
    "silence": cut,
    "no-message-stop": every(named("message_stop"), left_out),
    "no-message-delta": every(named("message_delta"), left_out),
    "cut-in-input": _cut_in_input,
    "cut-after-name": _cut_after_name,
    "max-tokens": partial(_max_tokens, has_stop=True),
    "max-tokens-unstopped": partial(_max_tokens, has_stop=False),
    "no-start": every(named("message_start"), left_out),
    "no-block-start": first(_starts, left_out),
    "no-block-stop": every(_stops, left_out),
    "start-twice": first(_starts, twice),
    "unopened-delta": inserted(_text(9)),
    "delta-after-stop": first(_stops, lambda e: [e, _text(e.payload["index"])]),
    "wrong-delta": first(lambda event: delta_of(event) in _OTHER, _swapped),
    "no-signature": every(_is_signature, left_out),
    "two-signatures": first(_is_signature, twice),
    "bad-json": partial(_first_input, edit=lambda _text: '{"k": Dave}'),
    "trailing-junk": partial(_first_input, edit=lambda text: f"{text}}}"),
    "reason-null": every(named("message_delta"), _with_reason_null),
    "two-message-deltas": every(named("message_delta"), twice),
    "two-message-stops": every(named("message_stop"), twice),
}
"""By fault."""

_BODIES = {
    "overloaded-before": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_0",
    }
}

FAULTS = read_faults(
    "anthropic", lambda name: {"change": CHANGES[name], "body": _BODIES.get(name)}
)
"""Every fault, in the order of a help text."""
