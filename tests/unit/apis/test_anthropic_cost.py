"""Reading Messages costs per event what chat costs, and holds no history."""

from __future__ import annotations

import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.anthropic.api import API
from harness.apis.anthropic.writer import Writer
from harness.apis.base import Event
from harness.apis.chat.api import API as CHAT
from harness.core.accumulate import Accumulator
from tests.anthropic_streams import arguments, opened, start, stopped, text, thinking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.apis.base import Reader
    from tests.anthropic_streams import Payload

EVENTS = 5_000


def _pieces(kind: str, count: int) -> Iterator[Payload]:
    """Yield a stream of one block with many pieces, or of many blocks."""
    yield start()
    if kind == "blocks":
        for number in range(count // 3):
            yield opened(number, "text")
            yield text(f"word {number} ", number)
            yield stopped(number)
        return
    if kind == "input":
        yield opened(0, "tool_use")
    else:
        yield opened(0, "thinking" if kind == "thinking" else "text")
    for number in range(count):
        piece = f"word {number} "
        if kind == "input":
            yield arguments(f'"{number}": 1, ')
        else:
            yield thinking(piece) if kind == "thinking" else text(piece)


@pytest.mark.parametrize("kind", ["text", "thinking", "blocks"])
def test_a_long_stream_is_not_held(kind: str) -> None:
    """Neither the reader nor the writer keeps what it has passed on."""
    tracemalloc.start()
    reader, writer = API.reader(), Writer()
    for number, payload in enumerate(_pieces(kind, EVENTS)):
        writer.feed(reader.feed(Event(number, payload["type"], payload)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_an_input_is_held_as_text_only() -> None:
    """A call is needed whole; 10 bytes a piece are held as about that much."""
    tracemalloc.start()
    reader = API.reader()
    size = 0
    for number, payload in enumerate(_pieces("input", EVENTS)):
        reader.feed(Event(number, payload["type"], payload))
        size += len(payload.get("delta", {}).get("partial_json", ""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * size + 300_000


def _lines(run: Callable[[], None]) -> int:
    """Count the lines that a run executes: a cost without a clock."""
    count = 0

    def trace(_frame: Any, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("kind", ["text", "thinking", "input"])
def test_an_event_costs_no_more_than_a_chunk(kind: str) -> None:
    """At most 1.3 times the lines that chat's accumulator runs for the same piece."""
    stream = [Event(n, p["type"], p) for n, p in enumerate(_pieces(kind, 200))]
    field = {"text": "content", "thinking": "reasoning_content"}.get(kind)
    chunks: list[Event] = []
    for number in range(200):
        delta: Payload = {field: f"word {number} "} if field else {}
        if not field:
            function = {"arguments": f'"{number}": 1, '}
            delta = {"tool_calls": [{"index": 0, "function": function}]}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        payload = {"id": "x", "object": "chat.completion.chunk", "choices": [choice]}
        chunks.append(Event(number, "", payload))

    def run(reader: Reader, events: list[Event]) -> None:
        accumulator = Accumulator()
        for event in events:
            accumulator.add(reader.feed(event))

    cost = _lines(lambda: run(API.reader(), stream))
    assert cost <= 1.3 * _lines(lambda: run(CHAT.reader(), chunks))


def test_an_event_costs_the_same_whatever_came_before() -> None:
    """Lines of a run grow with its length, and no faster."""

    def run(count: int) -> Callable[[], None]:
        stream = [
            Event(n, p["type"], p) for n, p in enumerate(_pieces("blocks", count))
        ]

        def read() -> None:
            reader = API.reader()
            for event in stream:
                reader.feed(event)

        return read

    assert _lines(run(3000)) < 10.5 * _lines(run(300))
