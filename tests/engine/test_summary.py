"""What a cassette holds, at a glance."""

from __future__ import annotations

import json

import pytest

from harness.cassettes.classify import Kind
from harness.cassettes.model import Ending
from harness.engine.summary import summarise
from tests.engine.made import (
    call,
    cassette,
    chunk,
    exchange,
    finish,
    sse,
    text,
    user,
    whole,
)

USAGE = {"prompt_tokens": 10, "completion_tokens": 3}


def test_streams_whole_answers_and_failures_are_counted() -> None:
    """Models, chunks, tools and tokens are those of all exchanges together."""
    stream = sse(
        call("{}", index=0, call_id="a", name="f"),
        call("{}", index=1, call_id="b", name="g"),
        finish("tool_calls"),
        chunk(choices=[], usage=USAGE),
    )
    answer = whole({"role": "assistant", "content": "hi"}, usage=USAGE, model="n")
    summary = summarise(
        cassette(
            exchange(stream, [user("x")], wire=[(1.5, len(stream))]),
            exchange("no", status=500),
            exchange(answer, wire=[(0.1, 5), (0.25, len(answer) - 5)]),
            sse(call("{}", name="f")),
            path="some.yaml",
        )
    )
    assert summary.path == "some.yaml"
    assert [e.kind for e in summary.exchanges] == [
        Kind.STREAM,
        Kind.OTHER,
        Kind.WHOLE,
        Kind.STREAM,
    ]
    assert [e.ended for e in summary.exchanges] == [
        "tool_calls",
        "HTTP 500",
        "stop",
        "no finish",
    ]
    assert [e.tools for e in summary.exchanges] == [["f", "g"], [], [], ["f"]]
    assert [e.chunks for e in summary.exchanges] == [4, 0, 0, 1]
    assert summary.models == ["m", "n"]
    assert summary.chunks == 5
    assert summary.tools == {"f": 2, "g": 1}
    assert summary.tokens == (20, 6)
    assert summary.duration_s == 1.75
    assert "HTTP 500" in summary.exchanges[1].reason
    assert summary.exchanges[2].choices[0].content == "hi"
    kinds = [str(d.kind) for d in summary.exchanges[3].diagnostics]
    assert kinds == ["missing-finish"]


def test_nothing_recorded_is_none_and_not_zero() -> None:
    """Without usage and timing there is nothing to add up."""
    summary = summarise(cassette(sse(text("a"), finish())))
    assert summary.tokens is None
    assert summary.duration_s is None
    assert summary.tools == {}


def test_model_of_the_request_stands_in() -> None:
    """Where the answer names no model, the request's is shown."""
    made = exchange(sse({**text("a"), "model": None}, {**finish(), "model": ""}))
    made.request.body = json.dumps({"model": "asked", "messages": []}).encode()
    assert summarise(cassette(made)).models == ["asked"]
    made.request.body = json.dumps({"model": 3}).encode()
    assert summarise(cassette(made)).models == []


@pytest.mark.parametrize(
    ("ended", "shown"),
    [
        (Ending("closed"), "closed"),
        (Ending("error", "ReadTimeout", "x"), "error ReadTimeout"),
        (Ending("complete"), "stop"),
        (None, "stop"),
    ],
)
def test_recorded_ending_goes_before_the_finish_reason(
    ended: Ending | None, shown: str
) -> None:
    """What broke a stream is what one wants to know of it."""
    made = exchange(sse(text("a"), finish()), ended=ended)
    assert summarise(cassette(made)).exchanges[0].ended == shown


def test_damaged_whole_completion_is_named_for_what_it_is() -> None:
    """A completion that breaks off is no chat completion, and nothing raises."""
    broken = whole({"role": "assistant", "content": "hi"})[:-5]
    summary = summarise(cassette(broken)).exchanges[0]
    assert summary.kind is Kind.OTHER
    assert summary.reason
    assert summary.ended == "HTTP 200"


def test_odd_usage_counts_as_nothing() -> None:
    """Token counts that are no numbers add nothing."""
    usage = {"prompt_tokens": None, "completion_tokens": "3"}
    summary = summarise(cassette(sse(finish(), chunk(choices=[], usage=usage))))
    assert summary.tokens == (0, 0)
