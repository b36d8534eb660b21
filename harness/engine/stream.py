"""One recorded stream to chunks, with everything odd about it reported.

Bytes, events, payloads, chunks: this file only connects the core's machines and the
reader of the stream's API, and adds the place to whatever they report. It reads
lazily: a stream is never held.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from harness.apis.bare_errors import with_error
from harness.apis.base import Event
from harness.apis.chat.chunks import (
    DONE,
    Chunk,
    Payload,
    has_choices,
    parse_payload,
    payload_error,
)
from harness.apis.chat.restate import Restater
from harness.apis.detect import api_named
from harness.apis.habits import Habits
from harness.apis.lane import Lane, LaneEvent
from harness.cassettes.classify import classify
from harness.core.diagnostics import DiagnosticKind
from harness.core.framing import decoder_for
from harness.core.parts import Problem
from harness.core.sse import SSEDecoder
from harness.engine.excerpt import Excerpt, excerpt_of, json_excerpt
from harness.engine.identity import LOOKED_AHEAD
from harness.engine.stray_lines import FRAMED_TWICE, not_utf8, stray_words
from harness.engine.transcript import Diagnostic
from harness.errors import ChunkError, SSEError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.cassettes.model import Exchange
    from harness.core.parts import Part
    from harness.core.sse import SSEEvent

_T = TypeVar("_T")
_DONE_BYTES = DONE.encode()
_PEEKED = 4096  # bytes: white space in front of the first event is a few lines
_LAST_WORDS = 256  # bytes of the last event that are shown where a stream stopped


class StreamReader:
    """Reads one exchange's response as chunks.

    Args:
        exchange: The exchange; its response is a stream.
        report: Called with each diagnostic, in the order of the stream. Where it is
            None nothing is looked for, chat chunks have no parts, errors stay parts.
        api: Whose events they are; found out where it is None.
    """

    def __init__(
        self,
        exchange: Exchange,
        report: Callable[[Diagnostic], None] | None,
        *,
        api: str | None = None,
    ) -> None:
        self.api = api or classify(exchange).api or "chat"
        """Whose events they are; those of another API than chat are restated."""
        self.left: list[Part] = []
        """When the stream is over: parts that no chunk carries."""
        self.left_out: dict[str, int] = {}
        """What chat cannot carry of a restated stream."""
        self.events = 0
        """How many events have come that were meant as chunks."""
        self.first_event = b""
        """The data of the first of them."""
        self.is_done = False
        """Whether `[DONE]` has come."""
        self.has_failed = False
        """Whether an error or a broken payload has come."""
        self._failed_at: int | None = None
        self._exchange = exchange
        self._report = report
        self._reader = api_named(self.api).reader()
        self._lane = Lane(self._reader)
        self._habits = Habits()
        self._has_reported: set[DiagnosticKind] = set()  # those that come once
        self._stray: list[tuple[int, bytes]] = []
        self._offsets: deque[int] = deque(maxlen=2 * LOOKED_AHEAD)
        self._last: bytes | LaneEvent = b""  # the last event's data

    def __iter__(self) -> Iterator[Chunk]:
        if self.api != "chat":
            return self._restated()
        return self._bare() if self._report is None else self._read(no_errors=True)

    def _bare(self) -> Iterator[Chunk]:
        for event, at in self.iter_events():
            if payload_error(event.payload) is None or has_choices(event.payload):
                yield Chunk(event.index, at, event.payload)

    def _restated(self) -> Iterator[Chunk]:
        """Yield the events of another API as chat chunks, each with its parts."""
        restater = Restater()
        self.left_out = restater.left_out
        for event in self._read():
            parts = event.parts
            if not parts:
                continue
            if type(event) is LaneEvent and restater.is_ready:
                event.head = restater.head
                yield event
            else:
                yield from restater.chunks(event.index, event.at, parts)
        restater.close()
        self.left = restater.left

    def parts(self) -> Iterator[tuple[Chunk, float | None, list[Part]]]:
        """Read the stream through the reader of its API.

        Yields:
            Each event with its time and its parts; problems are reported instead.
            What another API's end of stream brings comes with the last event.
        """
        for event in self._read():
            yield event, event.at, event.parts or []

    def _read(self, *, no_errors: bool = False) -> Iterator[Chunk]:
        """Yield each event with its parts; those of an error are `left`, if asked."""
        event = Chunk(0, None, {}, [])
        watch, add_offset = self._habits.feed, self._offsets.append
        for at, events in self._pieces(self._lane.take):
            for found in events:
                if isinstance(found, LaneEvent):
                    event = self._last = found
                    found.index = index = self.events
                    found.at = at
                    self.events = index + 1
                    add_offset(found.byte_offset)
                    parts = found.parts  # one, and no problem
                    odd = watch(parts)
                    if odd:
                        found.parts = self._report_problems([*parts, *odd], index)
                else:
                    full = self._read_fully(found, at, no_errors=no_errors)
                    if full is None:
                        continue
                    event = full
                yield event
        if self.api != "chat":
            self.is_done = True
            rest = self._report_problems(
                [*self._reader.close(), *self._habits.close()], None
            )
            if rest:
                yield Chunk(event.index, event.at, event.payload, rest)

    def _read_fully(
        self, sent: SSEEvent, at: float | None, *, no_errors: bool
    ) -> Chunk | None:
        payload = self._payload(sent)
        if payload is None:
            if self.is_done:
                self._lane.forget()
            return None
        event = Event(self.events - 1, sent.event, payload)
        parts = self._reader.feed(event)
        if not self.is_done and sent.raw is self._last:
            self._lane.learn(event, sent, parts)
        odd = [] if self.is_done or not parts else self._habits.feed(parts)
        if odd or Problem in map(type, parts):
            parts = self._report_problems([*parts, *odd], event.index)
        if no_errors and event.index == self._failed_at and not has_choices(payload):
            self.left += parts
            return None
        return Chunk(event.index, at, payload, parts)

    def iter_events(self) -> Iterator[tuple[Event, float | None]]:
        """Yield the parsed events with their times; report what cannot be parsed."""
        for at, events in self._pieces(None):
            for sent in events:
                payload = self._payload(sent)
                if payload is not None:
                    yield Event(self.events - 1, sent.event, payload), at

    def _pieces(
        self, take: Callable[[bytes, int], _T | None] | None
    ) -> Iterator[tuple[float | None, Iterable[SSEEvent | _T]]]:
        """Yield the time of each piece and its events, to be read before the next."""
        decoder = decoder_for(self._exchange.response.peek(_PEEKED))
        self._stray = decoder.stray
        at = None
        try:
            for at, piece in self._exchange.response.iter_wire():
                if take is None:
                    yield at, decoder.feed(piece)
                elif isinstance(decoder, SSEDecoder):
                    yield at, decoder.iter(piece, take)
                else:
                    events = decoder.feed(piece)
                    yield (
                        at,
                        (
                            (not decoder.stray and take(e.block, e.byte_offset)) or e
                            for e in events
                        ),
                    )
            yield at, decoder.close()
        except SSEError as error:  # an event too long to be one: nothing after it
            self.has_failed = True
            self.diagnose(
                DiagnosticKind.UNREADABLE_PAYLOAD,
                error.problem,
                chunk=self.events,
                byte_offset=error.byte_offset,
            )
        self._report_stray(None)

    def diagnose(self, kind: DiagnosticKind, text: str, **places: Any) -> None:
        """Report something about this exchange; `places` are fields of `Diagnostic`."""
        if self._report is not None:
            self._report(Diagnostic(kind, self._exchange.index, text, **places))

    def byte_offset_of(self, chunk: int) -> int | None:
        """Return where a chunk's event starts in the body; None if long past."""
        position = chunk - self.events + len(self._offsets)
        return self._offsets[position] if 0 <= position < len(self._offsets) else None

    def finish(self) -> None:
        """Report what is missing now that the stream is over.

        One fact gives one diagnostic: where the connection broke or an error came, a
        missing finish or terminator is no news.
        """
        ended = self._exchange.response.ended
        was_cut = ended is not None and ended.kind != "complete"
        if ended is not None and was_cut:
            if ended.kind == "closed":
                text = "the client stopped reading here"
            else:
                text = f"the connection broke: {ended.error or 'unknown error'}"
                if ended.message:
                    text += f" ({ended.message})"
            missing = [
                name
                for name, has_come in (
                    ("finish_reason", self._reader.is_finished),
                    ("[DONE]", self.is_done),
                )
                if not has_come and self.api == "chat"
            ]
            if missing:
                text += f"; no {', no '.join(missing)}"
            self.diagnose(
                DiagnosticKind.BROKEN_STREAM,
                f"{text}, after {self.events} chunks",
                excerpt=self._end("nothing came after this"),
            )
        if self.api != "chat":
            return  # what is missing was reported with the last event
        for part in self._reader.close():
            if not isinstance(part, Problem):
                continue
            if part.kind is not DiagnosticKind.MISSING_FINISH:
                self._report_problems([part], None)
            elif not was_cut and not self.has_failed:
                self.diagnose(
                    part.kind,
                    f"no finish_reason in {self.events} chunks; the answer may be cut",
                    excerpt=self._end("expected a chunk with a finish_reason"),
                )
        self._report_problems([*self._habits.close()], None)
        if not self.is_done and not was_cut and not self.has_failed:
            self.diagnose(
                DiagnosticKind.MISSING_DONE,
                f"the stream ended after {self.events} chunks without [DONE]",
                excerpt=self._end("expected data: [DONE]"),
            )

    def _last_data(self) -> bytes:
        return self._last if isinstance(self._last, bytes) else self._last.raw

    def _end(self, note: str) -> Excerpt | None:
        """Return the end of the last event."""
        if not self.events:
            return None
        last = self._last_data()[-_LAST_WORDS:].decode("utf-8", "replace")
        chunk = self.events - 1
        return excerpt_of(
            last,
            at=len(last),
            source="end of the last event",
            note=note,
            chunk=chunk,
            byte_offset=self.byte_offset_of(chunk),
        )

    def _report_problems(self, parts: list[Part], event: int | None) -> list[Part]:
        """Report the problems among parts with their places; return the others."""
        others: list[Part] = []
        for part in parts:
            if not isinstance(part, Problem):
                others.append(part)
                continue
            place = part.event if part.event is not None else event
            text, excerpt = part.text, None
            if part.kind is DiagnosticKind.ERROR_EVENT:
                if self._report is None:
                    others.append(part)
                self.has_failed = True
                self._failed_at = place
                text = f"the provider sent an error: {text}"
                if place is not None and place == self.events - 1:
                    data = self._last_data().decode("utf-8", "replace")
                    excerpt = excerpt_of(
                        data,
                        at=max(0, data.find('"error"')),
                        source="data of the event",
                        note="the error",
                        chunk=place,
                        byte_offset=self.byte_offset_of(place),
                    )
            self.diagnose(
                part.kind,
                text,
                chunk=place,
                byte_offset=None if place is None else self.byte_offset_of(place),
                excerpt=excerpt or (self._end("the end") if place is None else None),
            )
        return others

    def _payload(self, event: SSEEvent) -> Payload | None:
        """Count an event and return its object; None where it has none."""
        raw = event.raw
        if not raw:
            return None  # `data:` alone, or a block of `event:` and `retry:` lines
        if self._stray:
            self._report_stray(event.byte_offset)
        if raw[:5] == b"data:":
            kind = DiagnosticKind.UNREADABLE_PAYLOAD
            self._report_once(kind, FRAMED_TWICE, event, "the second frame")
            raw = raw[5:].strip()
        if raw[:1] == b"[" and raw.strip() == _DONE_BYTES:
            if self.is_done and DiagnosticKind.AFTER_DONE not in self._has_reported:
                text = "a second [DONE]; a strict client takes it for a broken payload"
                self._report_once(DiagnosticKind.DONE_TWICE, text, event)
            self.is_done = True
            return None
        index = self.events
        self.events += 1
        self._offsets.append(event.byte_offset)
        self._last = raw
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
        if self.is_done:
            text = f"data after [DONE]: {shorten(event.data)}"
            self._report_once(DiagnosticKind.AFTER_DONE, text, event)
        problem = not_utf8(raw)
        if problem:
            at = event.data.find("\ufffd")
            self.diagnose(
                DiagnosticKind.UNREADABLE_PAYLOAD,
                problem,
                chunk=index,
                byte_offset=event.byte_offset,
                excerpt=_excerpt(event, index, at, "no UTF-8"),
            )
        try:
            return with_error(parse_payload(raw), event.event, self.api)
        except ChunkError as error:
            if event.event == "error" and event.data.strip():
                # A gateway's own error in plain text; every API reads this form.
                return {"error": {"message": event.data}}
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

    def _report_once(
        self,
        kind: DiagnosticKind,
        text: str,
        event: SSEEvent,
        note: str = "came after [DONE]",
    ) -> None:
        if kind not in self._has_reported:
            self._has_reported.add(kind)
            chunk = max(0, self.events - 1)
            self.diagnose(
                kind,
                text,
                chunk=chunk,
                byte_offset=event.byte_offset,
                excerpt=_excerpt(event, chunk, 0, note),
            )

    def _report_stray(self, before: int | None) -> None:
        """Report the stray lines so far that stand before an offset, as one run."""
        run = [one for one in self._stray if before is None or one[0] < before]
        if not run:
            return
        self._stray[:] = self._stray[len(run) :]
        is_error, text = stray_words([line for _, line in run])
        self.has_failed = self.has_failed or is_error
        self.diagnose(
            DiagnosticKind.ERROR_EVENT if is_error else DiagnosticKind.STRAY_TEXT,
            text,
            chunk=self.events,
            byte_offset=run[0][0],
        )


def _excerpt(event: SSEEvent, chunk: int, at: int, note: str) -> Excerpt:
    return excerpt_of(
        event.data,
        at=max(0, at),
        source="data of the event",
        note=note,
        chunk=chunk,
        byte_offset=event.byte_offset,
    )
