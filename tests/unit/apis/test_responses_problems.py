"""How Responses streams end, and what the reader reports of odd ones."""

from __future__ import annotations

import pytest

from harness.apis.responses.reader import Reader
from harness.core.parts import Finish, Head, Text
from tests.responses_payloads import (
    F,
    Payload,
    added,
    arguments,
    call,
    created,
    done,
    ended,
    event,
    message,
    reported,
    text,
)
from tests.responses_streams import (
    answer_of,
    events_of,
    made,
    problems,
    read,
)

# -- How it ends --------------------------------------------------------------------

_FINISHES = [
    (ended(), ("completed", "stop")),
    (ended(output=[call("f", "{}")]), ("completed", "tool_calls")),
    (
        ended("incomplete", incomplete_details={"reason": "max_output_tokens"}),
        ("incomplete", "length"),
    ),
    (
        ended("incomplete", incomplete_details={"reason": "content_filter"}),
        ("incomplete", "content_filter"),
    ),
    (ended("incomplete", incomplete_details={"reason": "steered"}), ("incomplete", "")),
    (ended("failed", error={"code": "x", "message": "y"}), ("failed", "")),
]


@pytest.mark.parametrize(("payload", "expected"), _FINISHES)
def test_finish(payload: Payload, expected: tuple[str, str]) -> None:
    """The reason is the status as sent, the meaning what chat would send."""
    finish = [p for p in read(made(payload)) if isinstance(p, Finish)]
    assert [(p.reason, p.meaning) for p in finish] == [expected]


def test_completed_but_incomplete() -> None:
    """A completed event whose status is incomplete is incomplete, and reported."""
    payload = event(
        "completed",
        response={
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
        },
    )
    parts = read(made(payload))
    assert [p for p in parts if isinstance(p, Finish)] == [
        Finish("incomplete", "length")
    ]
    assert [kind for kind, _ in problems(parts)] == ["illegal-event"]


_ERRORS: list[tuple[Payload, str]] = [
    (
        {"type": "error", "code": "rate_limit", "message": "slow down", "param": None},
        "rate_limit: slow down",
    ),
    ({"type": "error", "error": {"type": "t", "code": "c", "message": "m"}}, "c: t: m"),
    ({"error": {"message": "m", "code": 429}}, 'm: {"code": 429}'),
    ({"error": "plain text"}, "plain text"),
    ({"object": "error", "message": "m", "code": "c"}, "c: m"),
    ({"detail": "not found"}, "not found"),
    ({"type": "error"}, "an error without any text"),
    (ended("failed", error={"code": "c", "message": "m"}), "c: m"),
    (ended("failed", error=None), "the response failed, without error"),
]


@pytest.mark.parametrize(("payload", "expected"), _ERRORS)
def test_error(payload: Payload, expected: str) -> None:
    """Every shape of an error ends the stream and is reported with all its text."""
    reader = Reader()
    parts = [p for e in made(payload) for p in reader.feed(e)]
    assert reader.is_finished
    assert problems(parts + reader.close()) == [("error-event", expected)]


def test_error_event_by_its_line_only() -> None:
    """`event: error` with anything in it is an error."""
    parts = read(events_of(b'event: error\ndata: {"message": "boom", "x": 1}\n\n'))
    assert problems(parts)[0] == ("error-event", 'boom: {"x": 1}')


def test_error_and_failed_are_one_failure() -> None:
    """OpenAI sends `error` and `response.failed`, Azure the other way round."""
    error = {"type": "error", "error": {"code": "c", "message": "m"}}
    failed = ended("failed", error={"code": "c", "message": "m"})
    for payloads in ([error, failed], [failed, error]):
        assert reported(*payloads) == [("error-event", "c: m")]


# -- What is reported ---------------------------------------------------------------

_REPORTED: dict[str, tuple[list[Payload], str, str]] = {
    "no end": ([text("a")], "missing-finish", "the stream ended without"),
    "empty output after text (chatgpt-codex)": (
        [text("a"), ended(output=[])],
        "illegal-event",
        "states an empty output",
    ),
    "another text in the done event": (
        [text("Hello"), done(0, **message("Hexxo")), ended()],
        "done-differs",
        "character 2",
    ),
    "another text in text.done": (
        [text("ab"), event("output_text.done", output_index=0, text="x"), ended()],
        "done-differs",
        "output_text 0",
    ),
    "less text in the done event": (
        [text("Hello"), done(0, type="message", content=[]), ended()],
        "done-differs",
        "output 0 (message)",
    ),
    "other arguments": (
        [
            added(0, **F),
            arguments("{}", 0),
            done(0, **F, arguments='{"a":1}'),
            ended(),
        ],
        "done-differs",
        "arguments",
    ),
    "another call_id": (
        [added(0, **F), done(0, **{**F, "call_id": "c2"}), ended()],
        "done-differs",
        "call_id",
    ),
    "another name": (
        [added(0, **F), done(0, **{**F, "name": "g"}), ended()],
        "done-differs",
        "name",
    ),
    "another server item at the end": (
        [
            done(0, type="web_search_call", id="w", query="a"),
            ended(output=[{"type": "web_search_call", "id": "w", "query": "b"}]),
        ],
        "done-differs",
        "query: expected 'a', got 'b'",
    ),
    "other annotations": (
        [
            event("output_text.annotation.added", output_index=0, annotation={"a": 1}),
            done(
                0,
                type="message",
                content=[
                    {"type": "output_text", "text": "", "annotations": [{"a": 2}]}
                ],
            ),
            ended(),
        ],
        "done-differs",
        "other annotations",
    ),
    "announced other than streamed": (
        [
            added(0, **message("Bye")),
            text("Hello"),
            done(0, **message("Hello")),
            ended(),
        ],
        "done-differs",
        "output_item.added",
    ),
    "events after the end": ([ended(), text("a")], "illegal-event", "came after"),
    "a second response": (
        [
            created(),
            text("a"),
            ended(),
            event("created", response={"id": "r2"}),
            ended(),
        ],
        "illegal-event",
        "a second response begins",
    ),
    "unknown event": (
        [event("rate_limits.updated", limits="many"), ended()],
        "unread",
        "response.rate_limits.updated.limits",
    ),
    "unknown field": ([text("a", extra="!"), ended()], "unread-text", "extra"),
    "carried field of another type": (
        [event("output_text.delta", output_index=0, delta={"text": "a"}), ended()],
        "unread-text",
        "delta.text",
    ),
    "item that is a text": (
        [event("output_item.done", output_index=0, item="lost"), ended()],
        "unread-text",
        "item is no known field",
    ),
    "output that is a text": (
        [ended(output="lost")],
        "unread-text",
        "response.output is",
    ),
    "usage that is a number": ([ended(usage=7)], "unread", "response.usage is"),
    "content part that is a text": (
        [done(0, type="message", content=["lost"]), ended()],
        "unread-text",
        "item.content[] is",
    ),
    "unknown field of a call": (
        [done(0, **F, arguments="", extra="!"), ended()],
        "unread",
        "item.extra",
    ),
}


@pytest.mark.parametrize(
    ("payloads", "kind", "part"), _REPORTED.values(), ids=_REPORTED
)
def test_reported(payloads: list[Payload], kind: str, part: str) -> None:
    """What is odd is one problem, which names the place and shows the text."""
    found = reported(*payloads)
    assert {k for k, _ in found if k != "missing-finish" or k == kind} == {kind}
    assert any(part in text for _, text in found)


def test_difference_is_reported_once() -> None:
    """Four events that repeat another text than the deltas are one problem."""
    other = message("Bye")
    found = reported(
        text("Hello"),
        event("output_text.done", output_index=0, text="Bye"),
        event("content_part.done", output_index=0, part=other["content"][0]),
        done(0, **other),
        ended(output=[other]),
    )
    assert [kind for kind, _ in found] == ["done-differs"]


def test_encrypted_content_is_not_compared() -> None:
    """OpenAI encrypts anew for every event: no difference, in no item."""
    item = {"type": "compaction", "id": "c", "encrypted_content": "a"}
    assert (
        reported(done(0, **item), ended(output=[{**item, "encrypted_content": "b"}]))
        == []
    )


def test_announced_text_comes_before_the_end() -> None:
    """What only an added event held is emitted before the finish."""
    parts = read(made(added(0, **message("Hi")), ended()))
    assert [type(part) for part in parts[-2:]] == [Text, Finish]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("output_text.delta", "delta"),
        ("output_text.done", "text"),
        ("refusal.delta", "delta"),
        ("refusal.done", "refusal"),
        ("reasoning_text.delta", "delta"),
        ("reasoning_summary_text.delta", "delta"),
        ("reasoning_summary_text.done", "text"),
        ("function_call_arguments.delta", "delta"),
        ("function_call_arguments.done", "arguments"),
        ("custom_tool_call_input.delta", "delta"),
        ("custom_tool_call_input.done", "input"),
    ],
)
@pytest.mark.parametrize("value", [7, ["lost"], {"lost": "lost"}, True])
def test_carried_field_of_another_type(kind: str, field: str, value: object) -> None:
    """A carried field that is no text is reported as lost, and no text is emitted."""
    parts = read(made(event(kind, output_index=0, **{field: value}), ended()))
    assert [kind for kind, _ in problems(parts)] == ["unread-text"]
    assert answer_of(parts)[:3] == ("", "", "")


def test_second_response_is_read() -> None:
    """Fixture files hold several responses end to end; indices begin anew."""
    parts = read(
        made(
            created(),
            text("a"),
            ended(output=[message("a")]),
            event("created", response={"id": "r2"}),
            text("b"),
            ended(output=[message("b")]),
        )
    )
    assert answer_of(parts).text == "ab"
    assert [kind for kind, _ in problems(parts)] == ["illegal-event"]
    assert [p.id for p in parts if isinstance(p, Head)] == ["r1", "r2", "r1"]
