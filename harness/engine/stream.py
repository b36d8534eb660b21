"""One recorded stream to chunks, with everything odd about it reported.

Bytes, events, payloads, chunks: this file only connects the core's machines and the
reader of the stream's API, and adds the place to whatever they report. It reads
lazily: a stream is never held.
"""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import TYPE_CHECKING

from harness.apis.base import Event
from harness.apis.chat.restate import Restater, as_chunk, restated_whole
from harness.apis.detect import api_named
from harness.core.chunks import DONE, Chunk, Payload, parse_payload, payload_error
from harness.core.framing import decoder_for
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.core.parts import Problem
from harness.engine.excerpt import Excerpt, excerpt_of, json_excerpt
from harness.engine.transcript import Diagnostic, DiagnosticKind
from harness.errors import ArgumentsError, ChunkError, SSEError, shorten
from harness.store.classify import classify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.core.parts import CallPart, Part, ToolCall
    from harness.core.sse import SSEEvent
    from harness.store.cassette import Exchange

__all__ = ["ArgumentsCheck", "StreamReader", "look_ahead", "read_whole"]

_DONE_BYTES = DONE.encode()
_LOOKED_AHEAD = 64
# Azure sends one chunk with `created: 0` before the others; a provider that never
# sends it must not make a long stream wait.


_PEEKED = 4096  # bytes: white space in front of the first event is a few lines
_LAST_WORDS = 256  # bytes of the last event that are shown where a stream stopped


class StreamReader:
    """Reads one exchange's response as chunks.

    Args:
        exchange: The exchange; its response is a stream.
        report: Called with each diagnostic, in the order of the stream.
        api: Whose events they are; found out where it is None.
    """

    def __init__(
        self,
        exchange: Exchange,
        report: Callable[[Diagnostic], None],
        *,
        api: str | None = None,
    ) -> None:
        self.api = api or classify(exchange).api or "chat"
        """Whose events they are; those of another API than chat are restated."""
        self.left: list[Part] = []
        """When the stream is over: parts of another API that no chunk carries."""
        self.events = 0
        """How many events have come that were meant as chunks."""
        self.first_event = b""
        """The data of the first of them."""
        self.is_done = False
        """Whether `[DONE]` has come."""
        self.has_failed = False
        """Whether an error event or a broken payload has come."""
        self._exchange = exchange
        self._report = report
        self._said_after_done = False
        self._offsets: deque[int] = deque(maxlen=2 * _LOOKED_AHEAD)
        self._last_raw = b""

    def __iter__(self) -> Iterator[Chunk]:
        return self._chunks() if self.api == "chat" else self._restated()

    def _restated(self) -> Iterator[Chunk]:
        """Yield the events of another API as chat chunks, each with its parts."""
        restater = Restater()
        for event, at, parts in self.parts():
            yield from restater.chunks(event.index, at, parts)
        self.left = restater.left

    def parts(self) -> Iterator[tuple[Event, float | None, list[Part]]]:
        """Read the stream through the reader of its API.

        Yields:
            Each event with its time and its parts; problems are reported instead.
            What the end of the stream brings comes with the last event once more.
        """
        reader = api_named(self.api).reader()
        event, at = Event(0, "", {}), None
        for event, at in self._events():
            yield event, at, self._without_problems(reader.feed(event), event.index)
        self.is_done = True
        rest = self._without_problems(reader.close(), None)
        if rest:
            yield event, at, rest

    def _events(self) -> Iterator[tuple[Event, float | None]]:
        decoder = decoder_for(self._exchange.response.peek(_PEEKED))
        at = None
        try:
            for at, piece in self._exchange.response.iter_wire():
                for found in decoder.feed(piece):
                    payload = self._payload(found)
                    if payload is not None:
                        yield Event(self.events - 1, found.event, payload), at
            for found in decoder.close():
                payload = self._payload(found)
                if payload is not None:
                    yield Event(self.events - 1, found.event, payload), at
        except SSEError as error:  # an event too long to be one: nothing after it
            self._end_unreadable(error)

    def _without_problems(self, parts: list[Part], event: int | None) -> list[Part]:
        """Report the problems among parts; return the others."""
        if not any(isinstance(part, Problem) for part in parts):
            return parts
        for part in parts:
            if isinstance(part, Problem):
                place = part.event if part.event is not None else event
                if part.kind is DiagnosticKind.ERROR_EVENT:
                    self.has_failed = True
                    text = f"the provider sent an error: {part.text}"
                else:
                    text = part.text
                self.diagnose(
                    part.kind,
                    text,
                    chunk=place,
                    byte_offset=None if place is None else self.byte_offset_of(place),
                    excerpt=None if place is not None else self._end("the end"),
                )
        return [part for part in parts if not isinstance(part, Problem)]

    def _chunks(self) -> Iterator[Chunk]:
        decoder = decoder_for(self._exchange.response.peek(_PEEKED))
        read = self._read
        at = None
        try:
            for at, piece in self._exchange.response.iter_wire():
                for event in decoder.feed(piece):
                    chunk = read(event, at)
                    if chunk is not None:
                        yield chunk
            for event in decoder.close():
                chunk = self._read(event, at)
                if chunk is not None:
                    yield chunk
        except SSEError as error:  # an event too long to be one: nothing after it
            self._end_unreadable(error)

    def _end_unreadable(self, error: SSEError) -> None:
        self.has_failed = True
        self.diagnose(
            DiagnosticKind.UNREADABLE_PAYLOAD,
            error.problem,
            chunk=self.events,
            byte_offset=error.byte_offset,
        )

    def diagnose(
        self,
        kind: DiagnosticKind,
        text: str,
        *,
        chunk: int | None = None,
        byte_offset: int | None = None,
        char_offset: int | None = None,
        excerpt: Excerpt | None = None,
    ) -> None:
        """Report something about this exchange."""
        self._report(
            Diagnostic(
                kind,
                self._exchange.index,
                text,
                chunk,
                byte_offset,
                char_offset,
                excerpt,
            )
        )

    def byte_offset_of(self, chunk: int) -> int | None:
        """Return where a chunk's event starts in the body; None if long past."""
        position = chunk - self.events + len(self._offsets)
        return self._offsets[position] if 0 <= position < len(self._offsets) else None

    def _end(self, note: str) -> Excerpt | None:
        """Return the last words of the stream."""
        if not self.events:
            return None
        last = self._last_raw[-_LAST_WORDS:].decode("utf-8", "replace")
        chunk = self.events - 1
        return excerpt_of(
            last,
            at=len(last),
            source="end of the last event",
            note=note,
            chunk=chunk,
            byte_offset=self.byte_offset_of(chunk),
        )

    def finish(self, *, has_finish_reason: bool) -> None:
        """Report what is missing now that the stream is over.

        Args:
            has_finish_reason: Whether choice 0 has been finished.
        """
        ended = self._exchange.response.ended
        if ended is not None and ended.kind != "complete":
            if ended.kind == "closed":
                text = "the client stopped reading here"
            else:
                text = f"the connection broke: {ended.error or 'unknown error'}"
                if ended.message:
                    text += f" ({ended.message})"
            self.diagnose(
                DiagnosticKind.BROKEN_STREAM,
                f"{text}, after {self.events} chunks",
                excerpt=self._end("nothing came after this"),
            )
        if self.api != "chat":
            return  # its reader has reported what is missing
        if not has_finish_reason and not self.has_failed:
            self.diagnose(
                DiagnosticKind.MISSING_FINISH,
                f"no finish_reason in {self.events} chunks; the answer may be cut",
                excerpt=self._end("expected a chunk with a finish_reason"),
            )
        if not self.is_done:
            self.diagnose(
                DiagnosticKind.MISSING_DONE,
                f"the stream ended after {self.events} chunks without [DONE]",
                excerpt=self._end("expected data: [DONE]"),
            )

    def _read(self, event: SSEEvent, at: float | None) -> Chunk | None:
        payload = self._payload(event)
        if payload is None:
            return None
        index = self.events - 1
        if "choices" not in payload or "error" in payload:
            problem = payload_error(payload)
            if problem is not None or event.event == "error":
                self.has_failed = True
                self.diagnose(
                    DiagnosticKind.ERROR_EVENT,
                    f"the provider sent an error: {problem or shorten(event.data)}",
                    chunk=index,
                    byte_offset=event.byte_offset,
                    excerpt=_excerpt(
                        event, index, event.data.find('"error"'), "the error"
                    ),
                )
                if not payload.get("choices"):
                    return None
        return Chunk(index, at, payload)

    def _payload(self, event: SSEEvent) -> Payload | None:
        """Count an event and return its object; None where it has none."""
        raw = event.raw
        if not raw:
            return None  # `data:` alone, or a block of `event:` and `retry:` lines
        if raw.strip() == _DONE_BYTES:
            self.is_done = True
            return None
        index = self.events
        self.events += 1
        self._offsets.append(event.byte_offset)
        self._last_raw = raw
        if index == 0:
            self.first_event = raw
        if not event.is_complete:
            self.diagnose(
                DiagnosticKind.INCOMPLETE_EVENT,
                "the stream ended inside this event: expected a blank line after "
                f"{shorten(event.data)}",
                chunk=index,
                byte_offset=event.byte_offset,
                excerpt=self._end("expected a blank line"),
            )
        if self.is_done and not self._said_after_done:
            self._said_after_done = True
            self.diagnose(
                DiagnosticKind.AFTER_DONE,
                f"data after [DONE]: {shorten(event.data)}",
                chunk=index,
                byte_offset=event.byte_offset,
                excerpt=_excerpt(event, index, 0, "came after [DONE]"),
            )
        try:
            return parse_payload(raw)
        except ChunkError as error:
            self.has_failed = True
            self.diagnose(
                DiagnosticKind.UNREADABLE_PAYLOAD,
                f"{error.problem}; got {shorten(error.payload)}",
                chunk=index,
                byte_offset=event.byte_offset,
                excerpt=json_excerpt(
                    event.data, chunk=index, byte_offset=event.byte_offset
                ),
            )
            return None


def _excerpt(event: SSEEvent, chunk: int, at: int, note: str) -> Excerpt:
    return excerpt_of(
        event.data,
        at=max(0, at),
        source="data of the event",
        note=note,
        chunk=chunk,
        byte_offset=event.byte_offset,
    )


def look_ahead(chunks: Iterable[Chunk]) -> tuple[float, Iterator[Chunk]]:
    """Find the first non-zero `created` near the start of a stream.

    Args:
        chunks: The stream.

    Returns:
        Unix seconds (0 if none of the first 64 chunks has one), and all the chunks.
    """
    iterator = iter(chunks)
    held: list[Chunk] = []
    created = 0.0
    for chunk in iterator:
        held.append(chunk)
        sent = chunk.payload.get("created")
        if isinstance(sent, int | float) and not isinstance(sent, bool) and sent > 0:
            created = sent
            break
        if len(held) >= _LOOKED_AHEAD:
            break
    return created, chain(held, iterator)


def read_whole(exchange: Exchange, api: str) -> Chunk:
    """Read an answer that was not streamed, as the one chunk that carries it all.

    Args:
        exchange: The exchange; its response is a whole answer.
        api: Whose answer it is.

    Returns:
        The chunk: of a chat completion its own fields, with `delta` for `message`
        (one that stands beside the message is left out: Perplexity sends an empty
        one); of another API the restated answer with its parts.

    Raises:
        ChunkError: The body is no JSON object.
    """
    payload = parse_payload(exchange.response.body)
    if api == "chat":
        return Chunk(0, None, as_chunk(payload))
    parts: list[Part] = [
        part for part in api_named(api).whole(payload) if not isinstance(part, Problem)
    ]
    return restated_whole(parts)


class ArgumentsCheck:
    """Follows the arguments of every call of one response and reports malformed ones.

    Cost per fragment does not grow with the arguments.
    """

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._machines: dict[int, FunctionArgumentsStreamHandler] = {}
        self._last_chunk: dict[int, tuple[int, int | None]] = {}
        self._offset_of = reader.byte_offset_of

    def feed(self, part: CallPart, chunk: int) -> None:
        """Follow one part of a call that came in the given chunk."""
        if not part.arguments or part.call.type == "custom":
            return  # a custom tool's input is any text
        position = id(part.call)
        machine = self._machines.get(position)
        if machine is None:
            machine = self._machines[position] = FunctionArgumentsStreamHandler()
        elif machine.error is not None:
            return  # it was said
        self._last_chunk[position] = chunk, self._offset_of(chunk)
        machine.process_json_chunk(part.arguments)
        if machine.error is not None:
            self._diagnose(part.call, machine.error, chunk, self._offset_of(chunk))

    def close(self, calls: list[ToolCall]) -> None:
        """Report the calls whose arguments stopped too early."""
        for call in calls:
            machine = self._machines.get(id(call))
            if machine is not None and machine.error is None:
                error = machine.close()
                if error is not None:
                    self._diagnose(call, error, *self._last_chunk[id(call)])

    def _diagnose(
        self,
        call: ToolCall,
        error: ArgumentsError,
        chunk: int,
        byte_offset: int | None,
    ) -> None:
        got = shorten(error.got) if error.got else "the end of the arguments"
        self._reader.diagnose(
            DiagnosticKind.MALFORMED_ARGUMENTS,
            f"call {call.position} to {call.name!r}: {error}",
            chunk=chunk,
            char_offset=error.char_offset,
            excerpt=excerpt_of(
                call.arguments,
                at=error.char_offset,
                source=f"arguments of call {call.position} to {call.name!r}",
                note=f"expected {error.expected}, got {got}",
                chunk=chunk,
                byte_offset=byte_offset,
            ),
        )
