"""Conversations: cassettes of several exchanges with the tools' results in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from harness.apis.chat.chunks import tool_call
from harness.cassettes.model import (
    Cassette,
    Ending,
    Exchange,
    Request,
    Response,
    WireChunk,
)
from harness.core.sse import encode_event
from harness.strategies.answers import Answer, answers
from harness.strategies.arguments import argument_texts
from harness.strategies.cut_strategies import cut_at
from harness.strategies.streams import framed_streams
from harness.strategies.validation import check_size

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


_URI = "http://localhost/v1/chat/completions"


class Conversation(NamedTuple):
    """One cassette and its truth."""

    cassette: Cassette
    """As `load_cassette` returns one; its path is ``made.yaml``, which is no file."""
    answers: list[Answer]
    """The answer of each exchange; the ids of calls differ over the whole cassette."""
    results: dict[str, str]
    """The recorded result of each call, by its id; the last exchange has none."""


_RESULTS = st.sampled_from(
    ["", "null", "sunny é🙂", '{"status": "OK"}', '{"status": "Failed"}']
) | st.text(max_size=8).map(lambda text: json.dumps({"error": text}))


def conversations(
    *, max_steps: int = 3, max_calls: int = 2, max_cuts: int = 3
) -> SearchStrategy[Conversation]:
    """Cassettes of an agent's steps: answer, results, the next answer.

    Each request carries all messages before it and, by id, the result of every call
    of the answer before; results report failures too. The body was read in one
    piece or in several, at times that only grow. Shrinks to one exchange with an
    empty answer, then as `answers` and `framed_streams`.

    Args:
        max_steps: The most exchanges.
        max_calls: The most tool calls of one answer.
        max_cuts: The most cuts of one text, and of one body.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is out of range or no integer.
    """
    check_size("max_steps", max_steps, least=1)
    check_size("max_calls", max_calls)
    check_size("max_cuts", max_cuts)
    texts = st.just("") | argument_texts(allow_lone_surrogates=False)
    said = answers(max_calls=max_calls, arguments=texts)
    steps = st.lists(said, min_size=1, max_size=max_steps)
    return _conversations(steps, max_cuts)


@st.composite
def _conversations(
    draw: st.DrawFn, steps: SearchStrategy[list[Answer]], max_cuts: int
) -> Conversation:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    exchanges: list[Exchange] = []
    truth: list[Answer] = []
    results: dict[str, str] = {}
    drawn = draw(steps)
    for number, said in enumerate(drawn):
        calls = tuple(call._replace(id=f"{call.id}_{number}") for call in said.calls)
        answer = Answer(said.content, said.reasoning, calls)
        stream = draw(framed_streams(answer, max_cuts=max_cuts))
        events = [json.dumps(payload) for payload in stream.payloads] + ["[DONE]"]
        data = b"".join(encode_event(event) for event in events)
        request = {"stream": True, "messages": list(messages)}
        response = Response(200, "OK", {"Content-Type": ["text/event-stream"]}, data)
        if draw(st.booleans()):
            places = draw(st.sets(st.integers(1, len(data) - 1), max_size=max_cuts))
            reads = cut_at(data, sorted(places))
            response.wire = [
                WireChunk(n / 8, len(read)) for n, read in enumerate(reads)
            ]
            response.ended = Ending("complete")
        body = json.dumps(request).encode()
        headers = {"Content-Type": ["application/json"]}
        exchanges.append(
            Exchange(number, Request("POST", _URI, headers, body), response)
        )
        truth.append(stream.answer)
        messages.append(_turn(stream.answer))
        if number < len(drawn) - 1:
            for call in stream.answer.calls:
                returned = results[call.id] = draw(_RESULTS)
                result = {"role": "tool", "tool_call_id": call.id, "content": returned}
                messages.append(result)
        messages.append({"role": "user", "content": "on"})
    return Conversation(Cassette("made.yaml", exchanges), truth, results)


def _turn(answer: Answer) -> dict[str, Any]:
    """Return the assistant's message that a client sends back."""
    turn: dict[str, Any] = {"role": "assistant", "content": answer.content}
    if answer.calls:
        turn["tool_calls"] = [
            tool_call(call.id, call.name, call.arguments) for call in answer.calls
        ]
    return turn
