"""The events of a Messages stream to parts.

1. What a delta is decides what is emitted, for text, reasoning, signatures and
   citations, whichever block it names; only the pieces of an input need their block.
2. An input is what its deltas add up to; if they have no text, what the start event
   has. A call without both has no arguments, which means `{}`.
3. Server tools, their results and all blocks that are not known are kept whole. Those
   that deltas complete are announced (`is_done` false) and emitted at their end.
4. `event:` lines are needed only where the data names no type.
5. A second message inside an open one (a gateway's splice) continues the answer; one
   after `message_stop` is another answer: its parts are an `OtherChoice`.

`ILLEGAL_EVENT` is reported only where the reader had to guess what was meant; all other
breaches are for `harness.apis.anthropic.rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.accounting import UnreadFields
from harness.apis.anthropic.blocks import GrowingBlock, like_of, piece_of, whole_block
from harness.apis.anthropic.known_fields import (
    DELTAS,
    EVENTS,
    UNKNOWN_DELTA,
    UNKNOWN_EVENT,
)
from harness.apis.anthropic.whole import (
    content_of,
    error_text,
    finish_of,
    head_of,
    items_of,
    missing_finish,
    usage_of,
)
from harness.apis.counts import index_of
from harness.apis.json_values import text_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Item, OtherChoice, Problem, Reasoning, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Event, Like, Payload
    from harness.core.parts import Part

_DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


_READ = frozenset({*EVENTS, "content_block_delta"}) - {"ping"}


class Reader:
    """Reads one streamed answer; see the rules above."""

    def __init__(self) -> None:
        self.is_finished = False
        """Whether `message_stop` or an error has come."""
        self._blocks: dict[int, GrowingBlock] = {}  # those without a stop so far
        self._stopped_calls: dict[int, GrowingBlock] = {}
        self._last: int | None = None  # the block that was started last
        self._cached: dict[str, int] = {}  # tokens, the last counts that came
        self._calls = 0
        self._number = 0  # of the event being read
        self._has_start = False
        self._has_finish = False
        self._has_failed = False
        self._start_reason = ""
        self._is_full = False  # the start held content
        self._reported: set[str] = set()
        self._unread = UnreadFields(UNKNOWN_EVENT)
        self._other: tuple[int, Reader] | None = None

    def feed(self, event: Event) -> list[Part]:
        """Read one event; see `harness.apis.base.Reader`."""
        payload = event.payload
        delta = payload.get("delta")
        if (
            type(delta) is dict
            and len(delta) == 2
            and len(payload) == 3
            and not self.is_finished
            and payload.get("type") == "content_block_delta"
        ):
            # Nearly every event: a piece of an open block, with nothing unread in it.
            kind, index = delta.get("type"), payload.get("index")
            if type(kind) is str and type(index) is int:
                field, block = _DELTAS.get(kind), self._blocks.get(index)
                text = delta.get(field) if field is not None else None
                if block is not None and type(text) is str:
                    if kind == "text_delta":
                        return [Text(text)] if text else []
                    if kind == "thinking_delta":
                        return [Reasoning(text)] if text else []
                    parts = block.add_input(text)
                    if parts is not None:
                        return parts
        return self._feed_any(event)

    def goes_on(self, event: Event, part: Part) -> Like | None:
        """Return how to read a delta with another text; see `Reader.goes_on`."""
        is_odd = self.is_finished or self._unread.last == event.index
        return None if is_odd else like_of(event.payload, part)

    def close(self) -> list[Part]:
        """Return what was held back and what is missing."""
        parts = list(self._settle_all())
        if self._start_reason and not self._has_finish:
            self._has_finish = True
            parts += finish_of(self._start_reason)
        if not self._has_finish and not self._has_failed:
            parts.append(missing_finish(is_empty="empty" in self._reported))
        if not self.is_finished:
            parts.append(
                Problem(
                    DiagnosticKind.MISSING_DONE,
                    "the stream ended without message_stop, the only proof that the "
                    "answer is whole",
                )
            )
        parts += self._unread.problems()
        if self._other is not None:
            number, reader = self._other
            parts += _as_other(number, reader.close())
        return parts

    def _feed_any(self, event: Event) -> list[Part]:
        payload = event.payload
        kind = text_of(payload.get("type")) or event.name
        if self._other is not None and (
            kind != "message_start" or not self._other[1].is_finished
        ):
            number, other = self._other
            return _as_other(number, other.feed(event))
        self._number = event.index
        parts: list[Part] = []
        if self.is_finished and kind != "ping":
            if kind == "message_start":
                return self._start_other(event)
            parts += self._report(
                "after",
                f"{kind or 'an event without type'} came after the end of the message"
                + ("; what it carries is read all the same" if kind in _READ else ""),
                DiagnosticKind.AFTER_DONE,
            )
        if kind == "content_block_delta":
            return parts + self._delta(payload)
        if kind not in EVENTS and (
            event.name == "error" or (not kind and payload.get("error"))
        ):
            kind = "error"
        self._unread.feed(event.index, payload, EVENTS.get(kind, UNKNOWN_EVENT))
        return parts + self._read(kind, payload)

    def _read(self, kind: str, payload: Payload) -> list[Part]:
        """Read an event that is no delta of a block."""
        match kind:
            case "content_block_start":
                return self._start(payload)
            case "content_block_stop":
                return self._stop(payload.get("index"))
            case "message_start":
                return self._message_start(payload.get("message"))
            case "message_delta":
                return self._message_delta(payload)
            case "message_stop":
                self.is_finished = True
                return [*self._settle_all(), *usage_of(payload, self._cached)]
            case "error":
                self.is_finished = self._has_failed = True
                return [Problem(DiagnosticKind.ERROR_EVENT, error_text(payload))]
            case _:
                return []

    def _start_other(self, event: Event) -> list[Part]:
        """Begin to read the next message of the same body."""
        number = self._other[0] + 1 if self._other is not None else 1
        self._other = number, Reader()
        found = self._report(
            "another",
            "another message began after the end of the first; it is read apart, as "
            f"choice {number}",
            DiagnosticKind.AFTER_DONE,
        )
        return [*found, *_as_other(number, self._other[1].feed(event))]

    def _message_start(self, message: object) -> list[Part]:
        parts: list[Part] = []
        if self._has_start:
            parts += self._settle_all()
            self._stopped_calls.clear()
            parts += self._report(
                "splice",
                "a second message_start inside an open message; what follows is read "
                "as more of the same answer",
            )
        self._has_start = True
        if type(message) is not dict:
            return parts
        parts += [
            *head_of(message),
            *items_of(message),
            *usage_of(message, self._cached),
        ]
        content = content_of(
            message.get("content"), self._calls, self._unread, self._number
        )
        self._calls += sum(type(p) is CallPart and p.is_new for p in content)
        parts += content
        self._is_full = bool(content)
        self._start_reason = text_of(message.get("stop_reason"))
        return parts

    def _start(self, payload: Payload) -> list[Part]:
        start, index = payload.get("content_block"), index_of(payload.get("index"))
        if type(start) is not dict:
            return whole_block(start, self._calls, self._unread, self._number)
        if index is None:
            index = -1 if self._last is None else self._last + 1
        old = self._blocks.get(index)
        if old is not None:
            call = old.call
            if call and call.id and call.id == start.get("id"):
                return self._report("twice", f"block {index} was started twice")
            del self._blocks[index]
        self._last = index
        block = GrowingBlock(text_of(start.get("type")), start)
        parts = [] if old is None else [*old.settle()]
        if self._is_full:
            parts += self._report(
                "full",
                f"block {index} starts, and message_start held content already; both "
                "are read, so that the same would come twice",
            )
        parts += block.open(self._calls, index, self._unread, self._number)
        self._calls += block.call is not None
        self._blocks[index] = block
        return parts

    def _stop(self, sent: object) -> list[Part]:
        index = index_of(sent, self._last)
        block = self._blocks.pop(index, None) if index is not None else None
        if block is None or index is None:
            return []
        if block.call is not None:
            self._stopped_calls[index] = block
        return [*block.settle()]

    def _delta(self, payload: Payload) -> list[Part]:
        delta = payload.get("delta")
        kind = text_of(delta.get("type")) if type(delta) is dict else ""
        self._unread.feed(self._number, payload, DELTAS.get(kind, UNKNOWN_DELTA))
        if type(delta) is not dict:
            return []
        index = index_of(payload.get("index"), self._last)
        block = None
        if index is not None:
            block = self._blocks.get(index) or self._stopped_calls.get(index)
        found: list[Part] = []
        if block is None and kind in DELTAS:
            done = "kept as an item" if piece_of(kind, delta) is None else "read"
            found = self._report(
                f"closed {kind}",
                f"{kind} for block {index}, which is not open; it is {done} all the "
                "same",
            )
        parts = piece_of(kind, delta)
        if parts is None:
            parts = self._piece_of(block, kind, delta) if block else None
        elif kind == "signature_delta" and block is not None:
            block.sign(text_of(delta.get("signature")))
        if parts is not None:
            return found + parts
        if not found:
            found = self._report(
                f"misplaced {kind}",
                f"{kind} for block {index}, which can have none; it is kept as an item",
            )
        return [*found, Item(kind, delta)]

    @staticmethod
    def _piece_of(
        block: GrowingBlock, kind: str, delta: dict[str, Any]
    ) -> list[Part] | None:
        """Add a delta that only its block can read; None if the block cannot."""
        if kind == "input_json_delta":
            return block.add_input(text_of(delta.get("partial_json")))
        return block.add_summary(delta)

    def _message_delta(self, payload: Payload) -> list[Part]:
        parts = [*self._settle_all(), *items_of(payload)]
        delta = payload.get("delta")
        if type(delta) is dict:
            parts += items_of(delta)
        parts += usage_of(payload, self._cached)
        finish = finish_of(delta.get("stop_reason")) if type(delta) is dict else []
        if type(delta) is dict and delta.get("stop_reason") == "":
            self._reported.add("empty")
        self._has_finish = self._has_finish or bool(finish)
        return parts + finish

    def _settle_all(self) -> Iterator[Part]:
        """End the blocks that had no `content_block_stop`."""
        for index, block in self._blocks.items():
            yield from block.settle()
            if block.call is not None:
                self._stopped_calls[index] = block
        self._blocks.clear()

    def _report(
        self, what: str, text: str, kind: DiagnosticKind = DiagnosticKind.ILLEGAL_EVENT
    ) -> list[Part]:
        """Return a problem, unless the same was reported before."""
        if what in self._reported:
            return []
        self._reported.add(what)
        return [Problem(kind, text, self._number)]


def _as_other(number: int, parts: list[Part]) -> list[Part]:
    """Mark the parts of another message; problems stay, for they have their place."""
    return [p if type(p) is Problem else OtherChoice(number, p) for p in parts]
