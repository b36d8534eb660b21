"""`process_parts`: the faster way into the streaming interface shows the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agents.letta.streaming import StreamingServerInterface
from harness.apis.chat.reader import ResponseAccumulator
from tests.chunk_streams import recordings
from tests.delta_payloads import chunk, entry

if TYPE_CHECKING:
    from harness.agents.letta.light_messages import Emitted
    from harness.apis.chat.chunks import Payload

DATE = datetime(2024, 1, 1, tzinfo=UTC)

_texts = st.sampled_from(
    ["", "a", "é", "\ud83d", "\ude00", '{"message": "', "hi", '"}']
)
_entries = st.builds(
    entry,
    st.sampled_from([0, 0, 1, None]),
    st.sampled_from(["", "call_1", "call_2", None]),
    st.sampled_from(["", "send_", "message", "send_message", "search", None]),
    _texts | st.just({"message": "hi"}),
)
_deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": _texts | st.none() | st.just([{"type": "text", "text": "b"}]),
        "reasoning": _texts,
        "tool_calls": st.lists(_entries, max_size=3),
        "function_call": st.just({"name": "send_message", "arguments": "{}"}),
    },
)
_chunks = st.builds(
    lambda delta, index, reason: chunk(delta, index=index, finish_reason=reason),
    _deltas,
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([None, None, None, "stop"]),
)
_payloads = _chunks | st.builds(
    lambda one, two: {"choices": one["choices"] + two["choices"]}, _chunks, _chunks
)


def _shown(payloads: list[Payload], *, parts: bool, speaks: bool) -> list[Emitted]:
    interface = StreamingServerInterface(use_assistant_message=speaks)
    interface.streaming_mode = True
    interface.stream_start()
    accumulator = ResponseAccumulator()
    for number, payload in enumerate(payloads):
        message_id = f"message-{number}"
        if parts:
            interface.process_parts(accumulator.feed(payload), message_id, DATE)
        else:
            interface.process_payload(payload, message_id, DATE)
    interface.stream_end()
    return interface.drain()


@given(st.lists(_payloads, max_size=12), st.booleans())
def test_both_doors_show_the_same(payloads: list[Payload], speaks: bool) -> None:
    """Any stream gives the same messages, whoever reads its deltas."""
    shown = _shown(payloads, parts=True, speaks=speaks)
    assert shown == _shown(payloads, parts=False, speaks=speaks)


@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("speaks", [False, True])
def test_both_doors_show_the_same_of_recordings(speaks: bool, every: int) -> None:
    """Every stream of the corpus gives the same messages through both doors."""
    for recording in recordings()[::every]:
        payloads = [chunk.payload for chunk in recording.chunks]
        shown = _shown(payloads, parts=True, speaks=speaks)
        assert shown == _shown(payloads, parts=False, speaks=speaks), recording.name
