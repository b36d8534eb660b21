"""What each dialect does to the events of a standard stream."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from harness.apis.anthropic.editing import (
    block_of,
    blocks,
    delta_of,
    each_message,
    each_start,
    input_of,
    piece,
    reindexed,
)
from harness.apis.base import WrittenEvent
from harness.apis.edits import edited, every, left_out, named, without
from harness.apis.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Payload
    from harness.apis.edits import Change, Events, Stream

PING = WrittenEvent("ping", {"type": "ping"})
_CACHE = ("cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation")


# -- Inputs ----------------------------------------------------------------------------


def eager(events: Events) -> Stream:
    """Cut inputs anywhere: at most three characters a piece."""
    for event in events:
        if delta_of(event) == "input_json_delta":
            text = event.payload["delta"]["partial_json"]
            for start in range(0, max(len(text), 1), 3):
                yield piece(event, text[start : start + 3])
        else:
            yield event


def buffered(events: Events) -> Stream:
    """Send each value of an input in one piece, and each key."""
    for block in blocks(events):
        pieces = [e for e in block if delta_of(e) == "input_json_delta"]
        if not pieces:
            yield from block
            continue
        yield from (e for e in block if e.name not in _LATER)
        yield piece(pieces[0], "")
        yield from (piece(pieces[0], part) for part in _values(input_of(block)))
        yield from (e for e in block if e.name == "content_block_stop")


_LATER = ("content_block_delta", "content_block_stop")


def _values(text: str) -> Iterator[str]:
    """Cut the text of an object behind each of its own keys and values."""
    start, depth, in_string, is_escaped = 0, 0, False, False
    for place, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif in_string:
            is_escaped = character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
        elif character in ":," and depth == 1:
            yield text[start : place + 1]
            start = place + 1
    if start < len(text):
        yield text[start:]


def input_in_start(events: Events) -> Stream:
    """Send whole inputs in the start events, without deltas."""
    for block in blocks(events):
        text = input_of(block)
        sent = parsed(text, strict=True) if text else None
        if sent is None:  # one that was cut stays in deltas
            yield from block
            continue
        start = block[0]
        yield edited(
            start, content_block=start.payload["content_block"] | {"input": sent}
        )
        yield from (e for e in block[1:] if e.name != "content_block_delta")


def _empty_thinking(event: WrittenEvent) -> Events:
    delta = {"type": "thinking_delta", "thinking": ""}
    return [edited(event, delta=delta), event]


def input_twice(events: Events) -> Stream:
    """Send whole inputs in the start events, and then in deltas, too."""
    for block in blocks(events):
        yield next(input_in_start(block))
        yield from block[1:]


# -- Blocks ----------------------------------------------------------------------------


def text_in_start(events: Events) -> Stream:
    """Send the first piece of a text or of thoughts in the start of its block."""
    for start, *rest in blocks(events):
        kind = block_of(start)
        deltas = [event for event in rest if delta_of(event)]
        if (
            kind in {"text", "thinking"}
            and deltas
            and delta_of(deltas[0]).startswith(kind)
        ):
            begun = {kind: deltas[0].payload["delta"][kind]}
            yield edited(start, content_block=start.payload["content_block"] | begun)
            rest.remove(deltas[0])
        else:
            yield start
        yield from rest


def without_stops(events: Events) -> Stream:
    """Leave out the stop of every block that another follows."""
    held: list[WrittenEvent] = []
    for event in events:
        if event.name == "content_block_stop":
            held = [event]
            continue
        if event.name != "content_block_start":
            yield from held
        held = []
        yield event
    yield from held


def text_in_tool(events: Events) -> Stream:
    """Send the text behind a call inside the call's block."""
    call: list[WrittenEvent] = []  # the stop of the call before
    taken = 0  # blocks that went into others
    for block in blocks(events):
        first = block[0]
        if call and block_of(first) == "text" and len(block) > 1:
            index = call[0].payload["index"]
            inside = (e for e in block if delta_of(e) == "text_delta")
            yield from (edited(e, index=index) for e in inside)
            taken += 1
            continue
        renumbered = list(reindexed(lambda index: index - taken)(block))  # noqa: B023 - used at once
        yield from call
        call = []
        if block_of(first) == "tool_use" and block[-1].name == "content_block_stop":
            call = [renumbered.pop()]
        yield from renumbered
    yield from call


def interleaved(events: Events) -> Stream:
    """Send parallel calls at once: their starts, their pieces in turn, their stops."""
    run: list[list[WrittenEvent]] = []
    for block in blocks(events):
        if block_of(block[0]) == "tool_use":
            run.append(block)
            continue
        yield from _mixed(run)
        run = []
        yield from block
    yield from _mixed(run)


def _mixed(run: list[list[WrittenEvent]]) -> Stream:
    yield from (block[0] for block in run)
    middle = [[e for e in block[1:] if e.name != "content_block_stop"] for block in run]
    for row in zip_longest(*middle):
        yield from (event for event in row if event is not None)
    yield from (e for block in run for e in block if e.name == "content_block_stop")


def spliced(events: Events) -> Stream:
    """Begin another message after the first block, blocks numbered anew."""
    start: list[WrittenEvent] = []
    is_over = False
    for event in events:
        if event.name == "message_start":
            start = [event]
        if is_over and "index" in event.payload:
            yield edited(event, index=event.payload["index"] - 1)
            continue
        yield event
        if event.name == "content_block_stop":
            is_over = True
            yield from start


# -- Messages --------------------------------------------------------------------------


def cache_in_input(events: Events) -> Stream:
    """Count cached tokens as input tokens, and leave out stops between blocks."""

    def edit(message: Payload) -> Payload:
        usage = message["usage"]
        cached = sum(usage.get(key) or 0 for key in _CACHE[:2])
        counts = usage | {"input_tokens": usage["input_tokens"] + cached}
        return message | {"usage": counts}

    return without_stops(each_message(edit)(events))


def cache_at_the_end(events: Events) -> Stream:
    """Send cache counters in message_delta only."""
    cached: Payload = {}

    def edit(message: Payload) -> Payload:
        usage = message["usage"]
        cached.update({key: usage[key] for key in _CACHE if key in usage})
        return message | {"usage": without(usage, *_CACHE)}

    late = every(
        named("message_delta"),
        lambda event: [edited(event, usage=cached | event.payload["usage"])],
    )
    return late(each_message(edit)(events))


def bedrock_metrics(events: Events) -> Stream:
    """Add Bedrock's token counts to message_stop."""
    counts = {"inputTokenCount": 0, "outputTokenCount": 0}
    for event in events:
        if event.name == "message_start":
            counts["inputTokenCount"] = event.payload["message"]["usage"][
                "input_tokens"
            ]
        elif event.name == "message_delta":
            counts["outputTokenCount"] = event.payload["usage"]["output_tokens"]
        if event.name == "message_stop":
            yield edited(event, **{"amazon-bedrock-invocationMetrics": counts})
        else:
            yield event


# -- Pings -----------------------------------------------------------------------------


no_pings = every(named("ping"), left_out)


def many_pings(events: Events) -> Stream:
    """Send a ping before every event but the first."""
    for number, event in enumerate(no_pings(events)):
        if number:
            yield PING
        yield event


def usage_null(events: Events) -> Stream:
    """Send `usage` null everywhere."""
    started = each_message(lambda message: message | {"usage": None})(events)
    return every(named("message_delta"), lambda event: [edited(event, usage=None)])(
        started
    )


def counts_grow(events: Events) -> Stream:
    """Count one input token at first, and answer in two rounds unless it is cut."""
    started = each_message(
        lambda message: message | {"usage": message["usage"] | {"input_tokens": 1}}
    )(events)
    for event in started:
        delta = event.payload.get("delta") or {}
        if event.name == "message_delta" and delta["stop_reason"] != "max_tokens":
            round_over = delta | {"stop_reason": None}
            yield edited(event, delta=round_over, usage={"output_tokens": 1})
        yield event


_NO_INPUT = dict.fromkeys(("input_tokens", *_CACHE[:2]))


EDITS: dict[str, Change] = {
    "eager": eager,
    "buffered": buffered,
    "input-in-start": input_in_start,
    "input-twice": input_twice,
    "text-in-start": text_in_start,
    "empty-thinking": every(
        lambda event: delta_of(event) == "signature_delta", _empty_thinking
    ),
    "kimi": cache_in_input,
    "glm": every(named("message_start"), left_out),
    "minimax": each_start(lambda block: without(block, "signature")),
    "llama.cpp": each_start(lambda block: without(block, "signature", "input")),
    "qwen-cloud": cache_at_the_end,
    "bedrock-invoke": bedrock_metrics,
    "no-ping": no_pings,
    "many-pings": many_pings,
    "spliced": spliced,
    "index-gap": reindexed(lambda index: index + (index > 0)),
    "index-one": reindexed(lambda index: index + 1),
    "text-in-tool": text_in_tool,
    "interleaved-blocks": interleaved,
    "usage-null": usage_null,
    "input-null": every(
        named("message_delta"),
        lambda event: [edited(event, usage=event.payload["usage"] | _NO_INPUT)],
    ),
    "counts-grow": counts_grow,
    "content-null": each_message(lambda message: message | {"content": None}),
}
"""By dialect."""
