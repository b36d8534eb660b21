"""A diagnostic in full: where it is in the cassette, the text there, the usual cause.

Most places are known when a diagnostic is made (`harness.engine.excerpt`). Three
kinds are about more than one chunk; for those the stream is read once more, where it
can be.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.json_values import dicts_of
from harness.apis.varied import Variation
from harness.debug.causes import CAUSES, KNOWN
from harness.debug.raw_events import as_arrived, is_rereadable, raw_events
from harness.engine.excerpt import Excerpt, excerpt_of
from harness.engine.transcript import DiagnosticKind
from harness.errors import printable
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette, Exchange
    from harness.core.parts import ToolCall
    from harness.debug.raw_events import RawEvent
    from harness.engine.transcript import Diagnostic

_BODY_SHOWN = 300  # bytes of a body that is no stream: an error fits into these


def explain(
    diagnostic: Diagnostic,
    cassette: Cassette,
    variation: Variation | None = None,
    *,
    has_cause: bool = True,
) -> list[str]:
    """Show where a diagnostic is, the text around it, and what usually causes it.

    Args:
        diagnostic: What a replay reported.
        cassette: What was replayed.
        variation: How it was written, cut and broken.
        has_cause: Whether to add the usual cause, which is the same for each kind.

    Returns:
        Lines without line ends, control characters escaped: `at`, the excerpt with a
        caret below it where there is text, `cause`, `try` and `more`.
    """
    excerpt = diagnostic.excerpt
    if excerpt is None and diagnostic.exchange < len(cassette.exchanges):
        exchange = cassette.exchanges[diagnostic.exchange]
        excerpt = _found_again(diagnostic, exchange, variation or Variation())
    lines = [_field("at", _place(diagnostic, excerpt))]
    if excerpt is not None:
        lines += _pointed_at(excerpt)
    if not has_cause and not diagnostic.because:
        return lines
    cause = KNOWN.get(diagnostic.because) or CAUSES[diagnostic.kind]
    seen = f" (seen in {', '.join(cause.seen_in)})" if cause.seen_in else ""
    lines.append(_field("cause", f"{cause.usually}{seen}"))
    lines.append(_field("try", cause.remedy))
    lines.append(_field("more", f"harness docs {diagnostic.kind}"))
    return lines


def _field(name: str, text: str) -> str:
    return f"  {name:<6} {text}"


def _place(diagnostic: Diagnostic, excerpt: Excerpt | None) -> str:
    chunk, byte_offset = diagnostic.chunk, diagnostic.byte_offset
    if excerpt is not None:
        chunk = excerpt.chunk if chunk is None else chunk
        byte_offset = excerpt.byte_offset if byte_offset is None else byte_offset
    parts = [f"exchange {diagnostic.exchange}"]
    if chunk is not None:
        parts.append(f"chunk {chunk}")
    if byte_offset is not None:
        parts.append(f"byte {byte_offset}")
    if diagnostic.char_offset is not None:
        parts.append(f"argument offset {diagnostic.char_offset}")
    elif excerpt is not None and excerpt.offset < excerpt.length:
        parts.append(f"character {excerpt.offset} of its text")
    return ", ".join(parts)


def _pointed_at(excerpt: Excerpt) -> list[str]:
    before = ("…" if excerpt.is_cut_before else "") + printable(excerpt.before)
    after = printable(excerpt.after) + ("…" if excerpt.is_cut_after else "")
    return [
        _field("in", printable(excerpt.source)),
        f"    | {before}{after}",
        f"    | {' ' * columns(before)}^ {printable(excerpt.note)}",
    ]


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    Source: Unicode Standard Annex 11; a combining mark takes none.
    """
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(char)
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def _found_again(
    diagnostic: Diagnostic, exchange: Exchange, variation: Variation
) -> Excerpt | None:
    """Look in the recording for a place that was not known when it was reported."""
    if diagnostic.kind is DiagnosticKind.NOT_REPLAYED:
        return _start_of_body(exchange)
    if not is_rereadable(exchange):
        return None
    if diagnostic.kind is DiagnosticKind.UNRECORDED_RESULT:
        return _end_of_call(diagnostic.text, exchange, variation)
    events = raw_events(*as_arrived(exchange, variation))
    if diagnostic.kind is DiagnosticKind.OTHER_CHOICES:
        return next(filter(None, map(_other_choice, events)), None)
    for event in events:
        if event.chunk == diagnostic.chunk:
            return _in_event(event, 0, "the last chunk that was read")
    return None


def _start_of_body(exchange: Exchange) -> Excerpt:
    response = exchange.response
    body = response.peek(_BODY_SHOWN).decode("utf-8", "replace")
    status = f"{response.status} {response.reason}".strip()
    asked = f"{exchange.request.method} {redacted_url(exchange.request.uri)}".strip()
    return excerpt_of(
        body,
        at=0,
        source=f"body of the answer {status} to {asked}",
        note=response.header("content-type") or "no content type",
    )


def _in_event(event: RawEvent, at: int, note: str) -> Excerpt:
    return excerpt_of(
        event.raw,
        at=max(0, at),
        source="data of the event",
        note=note,
        chunk=event.chunk,
        byte_offset=event.byte_offset,
    )


def _other_choice(event: RawEvent) -> Excerpt | None:
    for choice in dicts_of((event.payload or {}).get("choices")):
        index = choice.get("index")
        if isinstance(index, int) and index:
            return _in_event(event, event.raw.find('"index"'), f"choice {index}")
    return None


def _end_of_call(text: str, exchange: Exchange, variation: Variation) -> Excerpt | None:
    """Find the event that holds the last of a call, by the name and id in a text."""
    ends = _ends_of_calls(exchange, variation)
    named = [one for one in ends if f"of {one[0].name} (" in text]
    # A call without id is named by its position: see `ExchangeIdentity.call_id`.
    exact = [
        (call, event)
        for call, event in named
        if (f"({call.id})" if call.id else f"_{call.position})") in text
    ]
    for call, event in exact or named:
        return excerpt_of(
            call.arguments,
            at=len(call.arguments),
            source=f"arguments of call {call.position} to {call.name!r}",
            note="no result of this call was recorded",
            chunk=event.chunk,
            byte_offset=event.byte_offset,
        )
    return None


# The last stream of which it was asked: one of many calls has as many without a result.
_last_read: list[tuple[Exchange, Variation, list[tuple[ToolCall, RawEvent]]]] = []


def _ends_of_calls(
    exchange: Exchange, variation: Variation
) -> list[tuple[ToolCall, RawEvent]]:
    """Return each call, and the event that holds the last of it."""
    for read, varied, ends in _last_read:
        if read is exchange and varied == variation:
            return ends
    accumulator = ResponseAccumulator()
    last: dict[int, RawEvent] = {}
    for event in raw_events(*as_arrived(exchange, variation)):
        for part in accumulator.feed(event.payload or {}):
            call = getattr(part, "call", None)
            if call is not None:
                last[call.position] = event
    ends = [(call, last[call.position]) for call in accumulator.message().calls]
    _last_read[:] = [(exchange, variation, ends)]
    return ends
