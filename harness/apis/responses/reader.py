"""Responses events to parts.

Text, reasoning, refusals and calls are emitted as their deltas come. Where a done or
terminal event has more, the missing end is emitted; any other difference is a problem
(`harness.apis.responses.whole`). What servers do otherwise than the reference:

- `output_index` identifies an item, `item_id` where it is missing or wrong (GitHub
  Copilot sends another `item_id` with every event; some gateways index 0 always).
- Deltas may come for an item or part that was never added (LiteLLM's bridge).
- An item may come in its done event only, or in the terminal event only.
- Items overlap; indices have gaps; an item may be null (Azure).
- What an added event already holds counts only if nothing else comes.

Source: OpenAI API reference, Responses streaming; types of the SDK 3.57.0; recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.apis.accounting import UnreadFields
from harness.apis.base import Like, further_arguments
from harness.apis.counts import usage_of
from harness.apis.json_values import dict_of, dicts_of, time_of
from harness.apis.responses.errors import error_of, error_text
from harness.apis.responses.event_types import (
    CALL_EVENTS,
    DELTAS,
    DONES,
    ENDS,
    PART_EVENTS,
    REASONS,
)
from harness.apis.responses.known_fields import (
    ANY_EVENT,
    EVENTS,
    KEPT_EVENTS,
    RESPONSE,
    UNKNOWN_EVENT,
)
from harness.apis.responses.state import CALL_TYPES, as_json
from harness.apis.responses.whole import WholeReader
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Finish, Head, Item, Part, Problem
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Event, Payload

_COUNTS = (
    "input_tokens",
    "output_tokens",
    "input_tokens_details.cached_tokens",
    "output_tokens_details.reasoning_tokens",
)
_IGNORED = ("sequence_number", "obfuscation")

_MAY_BE_LATE = {"response.created", "response.failed", "error", "keepalive", "ping"}
"""What may follow the end: another response, or the other half of a failure (OpenAI
sends `error` and then `response.failed`, Azure the two in the other order)."""


class Reader(WholeReader):
    """Reads one streamed response; a second one in the same body is read on."""

    def __init__(self) -> None:
        super().__init__(UnreadFields(ANY_EVENT))
        self._is_finished = False
        self._error_text = ""
        self._was_late = False

    @property
    def is_finished(self) -> bool:
        """Whether a terminal event or an error has come."""
        return self._is_finished

    def feed(self, event: Event) -> list[Part]:
        """Read one event; see `harness.apis.base.Reader`."""
        payload = event.payload
        self.event = event.index
        self.out: list[Part] = []
        kind = payload.get("type")
        if type(kind) is not str:
            kind = event.name
        text = DELTAS.get(kind)
        if text is not None:
            self.unread.feed(event.index, payload, EVENTS[kind])
            if self._is_finished:
                self._late(kind)
            delta = payload.get("delta")
            if delta and type(delta) is str:
                # Nearly every event continues the text of the one before it.
                place = (
                    kind,
                    payload.get("output_index"),
                    payload.get("item_id"),
                    payload.get(text.index_field),
                )
                is_next = place == self.place and self.block is self.last
                if self.last is None or not is_next:
                    self.text_delta(payload, text, kind)
                    self.place = place
                else:
                    self.out.append(self.last.more(delta))
            return self.out
        if self._is_finished and kind not in _MAY_BE_LATE:
            self._late(kind)
        table = EVENTS.get(kind)
        if table is not None:
            self.unread.feed(event.index, payload, table)
            handler = self._HANDLERS.get(kind)
            if handler is not None:
                handler(self, payload, kind)
            elif text := DONES.get(kind):
                self.text_done(payload, text, kind)
        elif kind in KEPT_EVENTS:
            self.keep_event(payload, kind)
        else:
            self._unknown(payload, kind, event.name)
        return self.out

    def goes_on(self, event: Event, part: Part) -> Like | None:
        """Return how to read an event with another delta; see `Reader.goes_on`."""
        if self.unread.last == event.index:
            return None
        payload = event.payload
        kind = payload.get("type")
        if type(kind) is not str or self._is_finished:
            return None
        text, last = DELTAS.get(kind), self.last
        if text is not None and last is not None and type(part) is text.part:
            return Like("delta", last.more, _IGNORED)
        if type(part) is CallPart and part.arguments and kind in CALL_EVENTS:
            return Like("delta", further_arguments(part.call), _IGNORED)
        return None

    def close(self) -> list[Part]:
        """Return what was held back and what is wrong with the stream as a whole."""
        self.out = []
        self.emit_announced()
        if not self._is_finished:
            self.problem(
                DiagnosticKind.MISSING_FINISH,
                "the stream ended without an event that ends a response "
                "(response.completed, .incomplete or .failed, or error)",
            )
        for problem in self.out:
            if type(problem) is Problem:
                problem.event = None  # it is about the end, not about an event
        return [*self.out, *self.unread.problems()]

    def _late(self, kind: str) -> None:
        if not self._was_late:
            self._was_late = True
            self.problem(
                DiagnosticKind.ILLEGAL_EVENT,
                f"{shorten(kind)} came after the event that ends the response",
            )

    def _unknown(self, payload: Payload, kind: str, name: str) -> None:
        error = error_of(kind, name, payload)
        if error is None:
            self.unread.feed(self.event, payload, UNKNOWN_EVENT, at=kind[:80])
            return
        if kind != name:
            self.other_type("type", kind or None)
        self.unread.feed(self.event, payload, EVENTS["error"])
        self.fail(error_text(error))

    def _error(self, payload: Payload, kind: str) -> None:
        self.fail(error_text(error_of(kind, "", payload) or {}))

    def fail(self, text: str) -> None:
        """Report the error that ends the response."""
        self._is_finished = True
        self._report(text)

    def _report(self, text: str) -> None:
        if text != self._error_text:  # two events of one failure repeat it
            self._error_text = text
            self.problem(DiagnosticKind.ERROR_EVENT, text)

    # -- The response itself -----------------------------------------------------------

    def _response(self, payload: Payload, kind: str) -> None:
        response = payload.get("response")
        if type(response) is not dict:
            self.other_type("response", response)
            response = {}
        if kind == "response.created":
            self._begin(response)
        self.read_response(response, "response", kind)

    def _begin(self, response: dict[str, Any]) -> None:
        new_id = response.get("id")
        if not self._is_finished and not self.items and new_id in ["", None, self.id]:
            return  # the first, or the same again before anything came
        if self.items or self._is_finished or self.id:
            self.emit_announced()
            self.problem(
                DiagnosticKind.ILLEGAL_EVENT,
                f"a second response begins: {shorten(new_id)} after {self.id!r}",
            )
            self.forget()
            self._is_finished = self._was_late = False
            self._error_text = ""

    def read_response(self, response: dict[str, Any], at: str, kind: str) -> None:
        """Read a response object.

        Args:
            response: The object; any shape.
            at: Where it is in the event.
            kind: The event's type; one of `ENDS` states how the response ended.
        """
        self.unread.feed(self.event, response, RESPONSE, at=at)
        fields = {k: v for k, v in response.items() if k != "output"}
        self.out.append(Item("response", fields, is_done=False))
        self._head(response)
        self.tools = dicts_of(response.get("tools")) or self.tools
        ended = ENDS.get(kind)
        error = response.get("error")
        if error:
            self._report(error_text(error))
        self.read_output(
            response.get("output"),
            f"{at}.output" if at else "output",
            kind,
            is_final=ended is not None,
        )
        if ended is not None:
            self.emit_announced()
            self.read_output_text(response.get("output_text"))
        usage = response.get("usage")
        if type(usage) is dict:
            if usage:
                self.out.append(usage_of(usage, *_COUNTS))
        else:
            self.other_type(f"{at}.usage" if at else "usage", usage)
        if ended is not None:
            self._finish(response, kind, ended)

    def _head(self, response: dict[str, Any]) -> None:
        response_id, model = response.get("id"), response.get("model")
        created = time_of(response.get("created_at"))
        head = Head()
        if type(response_id) is str and response_id != self.id:
            head.id = self.id = response_id
        if type(model) is str and model != self.model:
            head.model = self.model = model
        if created and not self.created:
            head.created = self.created = created
        if head.id or head.model or head.created:
            self.out.append(head)

    def _finish(self, response: dict[str, Any], kind: str, ended: str) -> None:
        stated = response.get("status")
        if type(stated) is not str or not stated:
            stated = ended
        elif stated != ended:
            self.problem(
                DiagnosticKind.ILLEGAL_EVENT,
                f"{kind} states another status: expected {ended!r}, got "
                f"{shorten(stated)}",
            )
        reason = stated if stated in ENDS.values() else ended
        meaning = ""
        if reason == "completed":
            meaning = "tool_calls" if any(i.call for i in self.items) else "stop"
        elif reason == "incomplete":
            why = dict_of(response.get("incomplete_details")).get("reason")
            meaning = REASONS.get(str(why), "")
            if str(why) not in REASONS:
                self.other_type("response.incomplete_details.reason", why)
        elif reason == "failed" and not self._error_text:
            self.problem(
                DiagnosticKind.ERROR_EVENT, "the response failed, without error"
            )
        self._is_finished = True
        self.out.append(Finish(reason, meaning))

    # -- Items -------------------------------------------------------------------------

    def _item(self, payload: Payload, kind: str) -> None:
        item, index = payload.get("item"), payload.get("output_index")
        if type(item) is not dict:
            self.other_type("item", item)
        elif kind == "response.output_item.added":
            self.add_item(item, index)
        else:
            state = self.item_done(item, index)
            self.read_item(item, state, "item", kind)
            state.is_done = True

    def _part(self, payload: Payload, kind: str) -> None:
        part = payload.get("part")
        if type(part) is dict:
            self.read_child_part(payload, part, kind)
        else:
            self.other_type("part", part)

    def _annotation(self, payload: Payload, kind: str) -> None:
        annotation = payload.get("annotation")
        if annotation is None:
            return
        state = self.item_of(payload, "message")
        if not self.is_kept(state, payload, kind):
            mark = hash(as_json(annotation))
            state.kept[mark] = state.kept.get(mark, 0) + 1
            self.emit_kept(state, annotation, "annotation")

    def _call_delta(self, payload: Payload, kind: str) -> None:
        delta = payload.get("delta")
        if delta and type(delta) is str:
            state = self.item_of(payload, CALL_EVENTS[kind])
            if not self.is_kept(state, payload, kind):
                self.add_arguments(state, delta)

    def _call_done(self, payload: Payload, kind: str) -> None:
        item_type = CALL_EVENTS[kind]
        text = payload.get(CALL_TYPES[item_type][1])
        state = self.item_of(payload, item_type)
        if not self.is_kept(state, payload, kind):
            self.state_call(state, payload, kind)
            if type(text) is str:
                self.state_arguments(state, text, kind)

    _HANDLERS: ClassVar[dict[str, Callable[[Reader, Payload, str], None]]] = {
        "error": _error,
        "response.created": _response,
        "response.queued": _response,
        "response.in_progress": _response,
        **dict.fromkeys(ENDS, _response),
        "response.output_item.added": _item,
        "response.output_item.done": _item,
        "response.output_text.annotation.added": _annotation,
        "response.function_call_arguments.delta": _call_delta,
        "response.function_call_arguments.done": _call_done,
        "response.custom_tool_call_input.delta": _call_delta,
        "response.custom_tool_call_input.done": _call_done,
        **dict.fromkeys(PART_EVENTS, _part),
    }
