"""What a legal Messages stream obeys, and how a stream is held against it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import dict_of, text_of
from harness.apis.rule_checker import RuleChecker
from harness.apis.tables import read_rules
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.apis.base import Event, Violation

_DELTA_BLOCKS = {
    "text_delta": ("text",),
    "citations_delta": ("text",),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
    "input_json_delta": ("tool_use", "server_tool_use", "mcp_tool_use"),
    "compaction_delta": ("compaction",),
}
_TEXT_FIELDS = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "server_tool_use": ("id", "name"),
    "mcp_tool_use": ("id", "name", "server_name"),
}
_KNOWN = frozenset(kind for kinds in _DELTA_BLOCKS.values() for kind in kinds)
_CUT = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
_KINDS = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
)


class _Open:
    """The block that is open."""

    def __init__(self, index: object, block: dict[str, Any]) -> None:
        self.index = index
        self.block = block
        self.kind = text_of(block.get("type"))
        self.pieces: list[str] = []
        self.signatures = 0


class Checker(RuleChecker):
    """Events that are not of this API, and pings, may come anywhere."""

    rules = read_rules("anthropic")

    def __init__(self) -> None:
        super().__init__()
        self.has_started = False
        self.has_delta = False
        self.has_stopped = False
        self.has_failed = False
        self.reason = ""
        self.blocks = 0
        self.open: _Open | None = None
        self.ids: set[str] = set()
        self.has_calls = False
        self.bad_input: Violation | None = None

    def feed(self, event: Event) -> None:
        """Report the rules that an event breaks."""
        self.event = event.index
        payload = event.payload
        sent = payload.get("type")
        kind = sent if type(sent) is str else event.name
        if kind == "ping":
            return
        if self.has_failed:
            self.broken("error-last", "the end of the stream", kind)
            return
        if event.name != sent and kind in (*_KINDS, "error"):
            self.broken("event-line", f"event: {shorten(sent)}", event.name)
        if kind == "error":
            self.has_failed = True
            return
        if kind not in _KINDS:
            return
        if self.has_stopped:
            self.broken("stop-last", "the end of the stream", kind)
        if not self.has_started and kind != "message_start":
            self.broken("start-first", "message_start", kind)
            self.has_started = True
        getattr(self, f"_{kind}")(payload)

    def close(self) -> None:
        """Report the rules that the stream as a whole breaks."""
        if self.has_failed:
            return
        if self.open is not None:  # it was cut, so what it lacks is no fault of its own
            self._unstopped(self.open)
            self.open = None
        self._end_blocks()
        if not self.has_delta:
            self.broken("delta-once", "a message_delta", "none")
        if not self.has_stopped:
            self.broken("stop-last", "message_stop", "the end of the stream")

    def _message_start(self, payload: dict[str, Any]) -> None:
        if self.has_started:
            self.broken("start-once", "one message_start", "another")
        self.has_started = True
        message = dict_of(payload.get("message"))
        wrong = [
            f"{key} {shorten(message.get(key))}"
            for key, is_right in (
                ("id", _is_text(message.get("id"))),
                ("role", message.get("role") == "assistant"),
                ("content", message.get("content") == []),
                ("stop_reason", message.get("stop_reason", 0) is None),
            )
            if not is_right
        ]
        if wrong:
            expected = "an id, role assistant, content [] and stop_reason null"
            self.broken("start-message", expected, ", ".join(wrong))
        usage = dict_of(message.get("usage"))
        if not all(_is_count(usage.get(k)) for k in ("input_tokens", "output_tokens")):
            expected = "usage with input_tokens and output_tokens"
            self.broken("start-usage", expected, message.get("usage"))

    def _content_block_start(self, payload: dict[str, Any]) -> None:
        index, block = _index(payload), dict_of(payload.get("content_block"))
        if self.open is not None:
            expected = f"content_block_stop for block {self.open.index}"
            self.broken("block-bracket", expected, f"the start of {index!r}")
        if self.has_delta:
            self.broken("delta-once", "no block after message_delta", "a block")
        if type(index) is not int or index != self.blocks:
            self.broken("block-index", f"index {self.blocks}", index)
        self.blocks = index + 1 if type(index) is int else self.blocks + 1
        self.open = _Open(index, block)
        self._fields(self.open)

    def _fields(self, found: _Open) -> None:
        block, kind = found.block, found.kind
        wanted = _TEXT_FIELDS.get(kind, ())
        missing = [key for key in wanted if type(block.get(key)) is not str]
        if not kind:
            missing = ["type"]
        elif kind.endswith("tool_use") and type(block.get("input")) is not dict:
            missing.append("input")
        if missing:
            got = f"{kind or 'a block'} without {', '.join(missing)}"
            self.broken("block-fields", f"every field of {kind or 'its type'}", got)
        if kind.endswith("tool_use"):
            self._call(kind, block)
        elif kind.endswith("tool_result"):
            used = block.get("tool_use_id")
            if type(used) is not str or used not in self.ids:
                self.broken("result-of-call", "the id of a call before it", used)

    def _call(self, kind: str, block: dict[str, Any]) -> None:
        self.has_calls = self.has_calls or kind == "tool_use"
        call_id = block.get("id")
        if not _is_text(call_id) or not _is_text(block.get("name")):
            self.broken("call-ids", "an id and a name", shorten(block))
        elif call_id in self.ids:
            self.broken("call-ids", "an id of its own", call_id)
        if type(call_id) is str:
            self.ids.add(call_id)

    def _content_block_delta(self, payload: dict[str, Any]) -> None:
        index, delta, found = (
            _index(payload),
            dict_of(payload.get("delta")),
            self.open,
        )
        if found is None or found.index != index:
            self.broken("block-open", self._expected_open(), f"index {index!r}")
            return
        kind = text_of(delta.get("type"))
        wanted = _DELTA_BLOCKS.get(kind)
        if wanted is not None and found.kind not in wanted and found.kind in _KNOWN:
            got = f"{kind} in a block of {found.kind}"
            self.broken("delta-type", f"{kind} in {' or '.join(wanted)}", got)
        if kind == "signature_delta":
            found.signatures += 1
        if found.signatures > 1 or (found.signatures and kind == "thinking_delta"):
            expected = "content_block_stop after the signature"
            self.broken("thinking-signed", expected, kind)
        piece = delta.get("partial_json")
        if kind == "input_json_delta" and piece and type(piece) is str:
            if not found.pieces and found.block.get("input"):
                expected = "no deltas, for the start event has the input"
                self.broken("input-once", expected, piece)
            found.pieces.append(piece)

    def _content_block_stop(self, payload: dict[str, Any]) -> None:
        index = _index(payload)
        if self.open is None or self.open.index != index:
            self.broken("block-open", self._expected_open(), f"index {index!r}")
            return
        self._end_block(self.open)

    def _expected_open(self) -> str:
        if self.open is None:
            return "content_block_start before it, for no block is open"
        return f"index {self.open.index}, the block that is open"

    def _end_block(self, found: _Open) -> None:
        self.open = None
        if self.bad_input is not None:  # it was not the last block
            self.found.append(self.bad_input)
            self.bad_input = None
        if found.kind == "thinking" and not found.signatures:
            self.broken("thinking-signed", "a signature_delta", "none")
        text = "".join(found.pieces)
        if text and not _is_jsondict_of(text):
            self.bad_input = self.violation("input-object", "a JSON object", text)

    def _unstopped(self, found: _Open) -> None:
        expected = f"content_block_stop for block {found.index}"
        self.broken("block-stopped", expected, "no more blocks")

    def _end_blocks(self) -> None:
        if self.open is not None:
            self._unstopped(self.open)
            self._end_block(self.open)
        bad, self.bad_input = self.bad_input, None
        if bad is not None and self.reason not in _CUT:
            self.found.append(bad)

    def _message_delta(self, payload: dict[str, Any]) -> None:
        delta, usage = dict_of(payload.get("delta")), dict_of(payload.get("usage"))
        self.reason = text_of(delta.get("stop_reason"))
        self._end_blocks()
        if self.has_delta:
            self.broken("delta-once", "one message_delta", "another")
        self.has_delta = True
        if not self.reason:
            self.broken("delta-reason", "a stop_reason", delta.get("stop_reason"))
        elif self.has_calls:
            if self.reason in {"end_turn", "stop_sequence"}:
                expected = "tool_use, for a tool_use came"
                self.broken("reason-of-calls", expected, self.reason)
        elif self.reason == "tool_use":
            expected = "another reason, for no tool_use came"
            self.broken("reason-of-calls", expected, self.reason)
        if not _is_count(usage.get("output_tokens")):
            self.broken("delta-usage", "usage with output_tokens", payload.get("usage"))

    def _message_stop(self, _payload: dict[str, Any]) -> None:
        self.has_stopped = True
        self._end_blocks()

    def shown(self, got: object) -> str:
        """Return how a message shows what came."""
        return got if type(got) is str and len(got) <= 80 else shorten(got)


def _index(payload: dict[str, Any]) -> object:
    """Return a block's number as sent; None where it is a list or an object."""
    index = payload.get("index")
    return None if isinstance(index, dict | list) else index


def _is_text(value: object) -> bool:
    return type(value) is str and value != ""


def _is_count(value: object) -> bool:
    return type(value) is int


def _is_jsondict_of(text: str) -> bool:
    try:
        return type(json.loads(text)) is dict
    except ValueError:
        return False
    except RecursionError:  # no tool takes a thousand levels, but it may be legal
        return True
