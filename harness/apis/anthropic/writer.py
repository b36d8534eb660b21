"""Parts to the events of a Messages stream, as Anthropic sends them.

Blocks never overlap, so what does not belong to an unfinished call waits until the call
is whole, which may be the end of the answer. An answer without a finish is cut: its
stream ends without `message_delta` and `message_stop`, as it would have.

What cannot be carried, counted in `left_out` where it is text or data:

- a refusal is written as text; its kind is lost;
- a custom call's input becomes `{"input": "..."}`, for inputs are objects;
- signatures of calls and of text, encrypted reasoning, other APIs' items, ids of
  blocks, other choices, token counts under other names;
- pieces of a call after its object is whole;
- in a whole answer, where in the text of its block a citation stands.

What is made up: ids where there are none (`msg_0`, `toolu_N`), token counts of 0, an
empty signature of reasoning that has none, `tool_use` as the reason where calls came
with an ordinary end (and the other way round), the type `api_error` of an error.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.apis.anthropic.blocks import grown, grows
from harness.apis.anthropic.message import MessageEvents, folded
from harness.apis.anthropic.whole import CARRIED_WHOLE, MEANINGS
from harness.apis.anthropic.written import WHOLE_BLOCKS, WrittenCall
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Problem,
    Reasoning,
    Refusal,
    Text,
    Usage,
)

if TYPE_CHECKING:
    from harness.apis.base import Payload, WrittenEvent
    from harness.core.parts import Part

_REASONS = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
}
"""Chat's words for the stop reasons."""

_CUSTOM_START, _CUSTOM_END = '{"input": "', '"}'


class Writer:
    """Writes one answer; see `harness.apis.base.Writer` and the rules above."""

    def __init__(self) -> None:
        self.left_out: dict[str, int] = Counter()
        """What could not be carried, and how often it came."""
        self._message = MessageEvents()
        self._has_failed = False
        self._finish: Finish | None = None
        self._call: WrittenCall | None = None  # the one whose block is open
        self._calls: dict[int, WrittenCall] = {}
        self._server: dict[str, Any] | None = None  # the server's tool whose block is
        self._has_pieces = False  # and whether its input has begun
        self._announced: dict[str, Any] = {}  # what the next block will have
        self._held: list[Part] = []  # what waits until the open one is whole

    def feed(self, parts: list[Part]) -> list[WrittenEvent]:
        """Write the parts of one event."""
        for part in parts:
            self._take(part)
        if not self._has_failed and any(type(part) is not Problem for part in parts):
            # A stream begins at once; what the first event brings is in its start.
            self._message.start()
        return self._message.drain()

    def close(self) -> list[WrittenEvent]:
        """Write what was held back, and the end if there was a finish."""
        if not self._has_failed:
            self._release()
            if self._finish is not None:
                self._end_block()
                self._message.finish(self._reason(self._finish))
            elif self._message.has_late_counts:
                self.left_out["token count"] += 1
        return self._message.drain()

    def _reason(self, finish: Finish) -> str:
        """Return the stop reason of a finish; agents run calls on `tool_use` alone."""
        reason = finish.reason
        if reason not in MEANINGS:
            reason = _REASONS.get(finish.meaning or reason, reason)
        if self._calls and reason in {"end_turn", "stop_sequence"}:
            return "tool_use"
        return "end_turn" if reason == "tool_use" and not self._calls else reason

    # -- Parts -------------------------------------------------------------------------

    def _take(self, part: Part) -> None:
        message = self._message
        match part:
            case Problem():
                if part.kind is DiagnosticKind.ERROR_EVENT and not self._has_failed:
                    self._release()
                    self._has_failed = True
                    message.fail(part.text)
            case _ if self._has_failed:
                self.left_out["what follows an error"] += 1
            case Head():
                if not message.identify(part):
                    self.left_out["another id or model"] += 1
            case Usage():
                if lost := message.count(part):
                    self.left_out["token count"] += lost
            case Finish():
                self._finish = part
            case OtherChoice():
                self.left_out["other choice"] += 1
            case Item() if part.kind in CARRIED_WHOLE:
                message.carry(part.kind, part.value)
            case _:
                self._take_content(part)

    def _take_content(self, part: Part) -> None:
        """Write a part of the content, or hold it until the open block is whole."""
        call = self._call
        if isinstance(part, CallPart):
            is_own = call is not None and part.call is call.call
        else:
            is_own = isinstance(part, Item) and self._is_of_server(part)
        if not is_own and (self._held or self._is_busy()):
            self._held.append(part)
            return
        self._write(part)
        if self._held and not self._is_busy():
            self._release_once()

    def _is_busy(self) -> bool:
        """Return whether the open block can go on: of a call, or of a server's tool."""
        call = self._call
        return self._server is not None or (call is not None and not call.is_whole())

    def _is_of_server(self, item: Item) -> bool:
        """Return whether an item is about the server's tool whose block is open."""
        server, value = self._server, item.value
        return (
            server is not None
            and type(value) is dict
            and (item.kind, value.get("id")) == (server["type"], server.get("id"))
        )

    def _release_once(self) -> None:
        """End the open call and take what waited for it."""
        self._end_block()
        held, self._held = self._held, []
        for part in held:
            self._take_content(part)

    def _release(self) -> None:
        """The answer is over: write all that waits."""
        while self._held:
            self._release_once()
        if self._call is not None:
            self._write_waiting(self._call)

    def _write(self, part: Part) -> None:
        match part:
            case Text():
                self._piece("text", part.text)
            case Reasoning():
                self._piece("thinking", part.text)
            case Refusal():
                self.left_out["refusal"] += 1
                self._piece("text", part.text)
            case CallPart():
                self._write_call(part)
            case Block():
                if part.id:
                    self.left_out["id of a block"] += 1
                self._begin("thinking" if part.kind == "reasoning" else "text")
            case Opaque():
                self._write_opaque(part)
            case Item():
                self._write_item(part)
            case _:
                pass

    def _begin(self, kind: str) -> None:
        """Open a block of text or of reasoning."""
        self._end_block()
        more: Payload = {"signature": ""} if kind == "thinking" else {}
        if kind == "text" and "citation" in self._announced:
            more["citations"] = self._announced.pop("citation")
        self._message.begin({"type": kind, kind: "", **more})

    def _piece(self, kind: str, text: str) -> None:
        """Write a piece of text or of reasoning, in a block of its kind."""
        message = self._message
        if message.open != kind or message.is_signed:
            self._begin(kind)
        message.delta(f"{kind}_delta", **{kind: text})

    def _end_block(self) -> None:
        """Stop the block that is open, if one is."""
        call, self._call = self._call, None
        self._server = None
        if call is not None:
            self._write_waiting(call)
            call.is_written = True
            if call.is_custom:
                self._message.delta("input_json_delta", partial_json=_CUSTOM_END)
        self._message.end()

    def _write_call(self, part: CallPart) -> None:
        state = self._calls.get(id(part.call))
        if state is None:
            self._end_block()
            self._call = state = self._calls[id(part.call)] = WrittenCall(part.call)
            state.caller = self._announced.pop("caller", None)
            if state.is_custom:
                self.left_out["custom call"] += 1
        for what, late in (("name", part.name), ("id", part.id)):
            if late and state.has_started:
                self.left_out[f"late {what} of a call"] += 1
        if part.arguments and state.is_written:
            self.left_out["piece of a call after its end"] += 1
        elif part.arguments:
            state.waiting.append(state.add(part.arguments))
        if state.waiting and state.call.name:  # which may come behind its arguments
            self._write_waiting(state)

    def _write_waiting(self, state: WrittenCall) -> None:
        self._start_call(state)
        for piece in state.waiting:
            self._message.delta("input_json_delta", partial_json=piece)
        state.waiting.clear()

    def _start_call(self, state: WrittenCall) -> None:
        """Start the block of a call once its name is final."""
        if state.has_started:
            return
        state.has_started = True
        call = state.call
        call_id = call.id or f"toolu_{call.position}"
        block: Payload = {
            "type": "tool_use",
            "id": call_id,
            "name": call.name,
            "input": {},
        }
        if state.caller:
            block["caller"] = state.caller
        self._message.begin(block)
        first = _CUSTOM_START if state.is_custom else ""
        self._message.delta("input_json_delta", partial_json=first)

    def _write_opaque(self, part: Opaque) -> None:
        message = self._message
        if part.kind == "redacted_reasoning":
            self._end_block()
            message.whole({"type": "redacted_thinking", "data": part.data})
        elif part.kind != "signature":
            self.left_out[part.kind] += 1
        elif part.call is not None or message.open == "text":
            self.left_out["signature"] += 1
        else:
            if message.open != "thinking" or message.is_signed:
                self._begin("thinking")
            message.delta("signature_delta", signature=part.data)

    def _write_item(self, item: Item) -> None:
        message, value = self._message, item.value
        if not item.is_done:
            self._announce(item)
            return
        kind = value.get("type") if type(value) is dict else None
        if item.kind == "citation" and type(kind) is str and kind.endswith("_location"):
            if message.open != "text":
                self._begin("text")
            message.delta("citations_delta", citation=value)
        elif (
            type(kind) is not str
            or kind != item.kind
            or not (kind in WHOLE_BLOCKS or kind.endswith("_tool_result"))
            or (kind == "compaction" and "content" not in value)  # Responses' own
        ):
            self.left_out[item.kind] += 1
        elif not grows(kind):
            self._end_block()
            message.whole(value)
        else:
            start, deltas = grown(kind, value)
            if not self._is_of_server(item):
                self._end_block()
                message.begin(start)
            elif self._has_pieces or value == self._server:
                deltas = []
            for delta in deltas:
                message.delta(**delta)
            self._end_block()

    def _announce(self, item: Item) -> None:
        """Begin what a server's tool is given, or go on with it."""
        kind, value = item.kind, item.value
        if self._is_of_server(item):
            self._has_pieces = True
            fields = {k: v for k, v in value.items() if k not in {"type", "id"}}
            self._message.delta(value["type"], **fields)
        elif kind in {"caller", "citation"}:
            self._announced[kind] = value
        elif (
            kind in WHOLE_BLOCKS
            and grows(kind)
            and type(value) is dict
            and value.get("type") == kind
            and ("input" in value or "content" in value)
        ):
            self._end_block()
            self._message.begin(value)
            self._server, self._has_pieces = value, False


def body(parts: list[Part]) -> Payload:
    """Write an answer that is not streamed.

    Args:
        parts: The parts of the whole answer.

    Returns:
        The message, or the error object where the parts have an error.
    """
    writer = Writer()
    return folded([*writer.feed(parts), *writer.close()])
