"""The content, apart from how it was cut: texts and calls of each exchange.

Two transcripts may differ in every emission and still mean the same. Fragments of one
kind are joined, calls are put together by their id, arguments are compared as JSON,
and statuses and ids are left out. A third party's message that has none of our
fields counts as a text of its own kind.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.agents.letta.light import MessageStreamStatus
from harness.apis.chat.reader import ResponseAccumulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.debug.sides import Row

__all__ = ["Saying", "said"]

_TEXTS = {
    "internal_monologue": "thought",
    "assistant_message": "answer",
    "function_return": "return",
}
_SHOWN_CALL = re.compile(r"(\w[\w.-]*)\((.*)\)", re.DOTALL)  # a queue's, the seed's
_STATUSES = frozenset(status.value for status in MessageStreamStatus)


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that was emitted, whole."""

    exchange: int
    """Number of the exchange, from 0."""
    kind: str
    """`thought`, `answer`, `call NAME`, `return`, or a third party's kind."""
    text: str
    """The text; the arguments of a call as JSON where they are."""


@dataclass(slots=True)
class _Open:
    """Something that is still being emitted."""

    exchange: int
    kind: str
    pieces: list[str] = field(default_factory=list)
    call_id: str = ""
    name: str = ""

    def close(self) -> Saying:
        text = "".join(self.pieces)
        if self.kind != "call":
            return Saying(self.exchange, self.kind, text)
        return Saying(self.exchange, f"call {self.name}", _arguments(text))


def said(rows: Iterable[Row]) -> list[Saying]:
    """Join the content of a transcript's emissions.

    Args:
        rows: The emissions in order.

    Returns:
        The content of each exchange, in order of first appearance; fragments of one
        kind between two exchanges are one text.
    """
    reader = _Reader()
    for row in rows:
        reader.read(row)
    return reader.close()


class _Reader:
    def __init__(self) -> None:
        self._said: list[_Open | Saying] = []
        self._open: dict[tuple[int, str], _Open] = {}
        self._chunks: dict[int, tuple[int, ResponseAccumulator]] = {}

    def read(self, row: Row) -> None:
        message = row.message
        if isinstance(message, str):
            if message not in _STATUSES:
                self._text(row.exchange, "text", message)
            return
        if not isinstance(message, dict):
            self._text(row.exchange, type(message).__name__, json.dumps(message))
            return
        if "choices" in message:
            self._chunk(row.exchange, message)
            return
        is_known = False
        for name, kind in _TEXTS.items():
            if isinstance(message.get(name), str):
                is_known = True
                if kind == "return":
                    kind = f"return ({message.get('status')})"  # noqa: PLW2901 - its shown form
                    self._said.append(Saying(row.exchange, kind, message[name]))
                else:
                    self._text(row.exchange, kind, message[name])
        if "function_call" in message:
            is_known = True
            self._call(row.exchange, message["function_call"])
        if not is_known:
            rest = {k: v for k, v in message.items() if k not in {"id", "date"}}
            kind = str(message.get("message_type") or message.get("type") or "message")
            self._said.append(Saying(row.exchange, kind, json.dumps(rest)))

    def close(self) -> list[Saying]:
        for exchange, (position, accumulator) in self._chunks.items():
            message = accumulator.message()
            found = [
                Saying(exchange, f"call {call.name}", _arguments(call.arguments))
                for call in message.calls
            ]
            if message.content:
                found.insert(0, Saying(exchange, "answer", message.content))
            self._said[position:position] = found
        return [one.close() if isinstance(one, _Open) else one for one in self._said]

    def _text(self, exchange: int, kind: str, text: str) -> None:
        self._opened(exchange, kind).pieces.append(text)

    def _opened(self, exchange: int, kind: str, key: str = "") -> _Open:
        place = exchange, key or kind
        found = self._open.get(place)
        if found is None:
            found = self._open[place] = _Open(exchange, kind)
            self._said.append(found)
        return found

    def _chunk(self, exchange: int, payload: dict[str, Any]) -> None:
        if exchange not in self._chunks:
            self._chunks[exchange] = len(self._said), ResponseAccumulator()
        self._chunks[exchange][1].feed(payload)

    def _call(self, exchange: int, call: object) -> None:
        if isinstance(call, str):
            shown = _SHOWN_CALL.fullmatch(call)
            name, arguments = (shown[1], shown[2]) if shown else ("", call)
            saying = Saying(exchange, f"call {name}", _arguments(arguments))
            self._said.append(saying)
            return
        if not isinstance(call, dict):
            return
        call_id = str(call.get("function_call_id") or "")
        last = self._open.get((exchange, "last call"))
        if last is None or (call_id and call_id != last.call_id):
            last = self._opened(exchange, "call", f"call {call_id}")
            last.call_id = last.call_id or call_id
            self._open[exchange, "last call"] = last
        last.name += str(call.get("name") or "")
        last.pieces.append(str(call.get("arguments") or ""))


def _arguments(text: str) -> str:
    """Return arguments in one spelling: JSON without blanks where they are JSON."""
    try:
        value = json.loads(text or "{}", strict=False)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text)  # a queue shows the repr of an object
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # `{1, 2}` is Python too, but no object
        return text
