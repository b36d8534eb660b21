"""The Responses reader: what servers do otherwise than the reference, case by case."""

from __future__ import annotations

import random
from typing import Any

import pytest

from harness.apis.base import Event
from harness.apis.responses.known_fields import meaning
from harness.apis.responses.reader import Reader, whole
from harness.core.parts import Block, CallPart, Finish, Head, Item, Opaque, Usage
from harness.core.sse import encode_event
from tests import responses_garbage
from tests.responses_streams import (
    Answer,
    answer_of,
    copy_of,
    events_of,
    made,
    path_of,
    plain,
    problems,
    read,
    recordings,
    replaced,
    strings,
    texts_in,
)
from tests.shared import needs_shared

Payload = dict[str, Any]


def event(kind: str, **fields: Any) -> Payload:
    """Return the payload of an event."""
    return {"type": f"response.{kind}", **fields}


def created(**fields: Any) -> Payload:
    """Return the event that begins a response."""
    return event("created", response={"id": "r1", "status": "in_progress", **fields})


def ended(kind: str = "completed", **fields: Any) -> Payload:
    """Return an event that ends a response."""
    return event(kind, response={"id": "r1", "status": kind, **fields})


def text(delta: str, index: int = 0, **fields: Any) -> Payload:
    """Return a delta of text."""
    return event(
        "output_text.delta", output_index=index, content_index=0, delta=delta, **fields
    )


def arguments(delta: str, index: int, **fields: Any) -> Payload:
    """Return a delta of a function call's arguments."""
    return event(
        "function_call_arguments.delta", output_index=index, delta=delta, **fields
    )


def added(index: int, **item: Any) -> Payload:
    """Return an added item."""
    return event("output_item.added", output_index=index, item=item)


def done(index: int, **item: Any) -> Payload:
    """Return a done item."""
    return event("output_item.done", output_index=index, item=item)


def message(said: str, **fields: Any) -> Payload:
    """Return a whole message."""
    return {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "content": [{"type": "output_text", "text": said}],
        **fields,
    }


def call(name: str, said: str, call_id: str = "c1", **fields: Any) -> Payload:
    """Return a whole function call."""
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": said,
        **fields,
    }


def answer(*payloads: Payload) -> Answer:
    """Return what a stream adds up to."""
    return answer_of(read(made(*payloads)))


def reported(*payloads: Payload) -> list[tuple[str, str]]:
    """Return the problems of a stream."""
    return problems(read(made(*payloads)))


# -- Texts and items -------------------------------------------------------------------

_MESSAGE = message("Hello")
_SAME = {
    "by deltas": [text("Hel"), text("lo")],
    "deltas and all done events": [
        added(0, type="message", id="m", content=[]),
        event(
            "content_part.added",
            item_id="m",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": "", "annotations": []},
        ),
        text("Hel"),
        text("lo"),
        event("output_text.done", output_index=0, content_index=0, text="Hello"),
        event(
            "content_part.done",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": "Hello"},
        ),
        done(0, **_MESSAGE),
        ended(output=[_MESSAGE]),
    ],
    "done event only (LM Studio)": [done(0, **_MESSAGE)],
    "terminal event only": [ended(output=[_MESSAGE])],
    "the end of it in the done event": [text("Hel"), done(0, **_MESSAGE)],
    "the end of it in text.done": [
        text("Hel"),
        event("output_text.done", output_index=0, text="Hello"),
    ],
    "the end of it in the terminal event": [text("Hel"), ended(output=[_MESSAGE])],
    "other id in every event (Copilot)": [
        added(0, type="message", id="a", content=[]),
        text("Hel", item_id="b"),
        text("lo", item_id="c"),
        done(0, **message("Hello", id="d")),
        ended(output=[message("Hello", id="e")]),
    ],
    "two parts streamed as one": [
        text("Hello"),
        done(
            0,
            type="message",
            content=[
                {"type": "output_text", "text": "Hel"},
                {"type": "output_text", "text": "lo"},
            ],
        ),
    ],
    "one message, two in the terminal event": [
        text("Hello"),
        ended(output=[message("Hel", id="x"), message("lo", id="y")]),
    ],
    "announced when added, nothing else": [added(0, **_MESSAGE)],
    "announced as a part, nothing else": [
        event(
            "content_part.added",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": "Hello"},
        )
    ],
    "announced when added, then streamed": [
        added(0, **_MESSAGE),
        text("Hel"),
        text("lo"),
        done(0, **_MESSAGE),
    ],
    "no output_index": [
        event("output_text.delta", item_id="m", delta="Hel"),
        event("output_text.delta", item_id="m", delta="lo"),
        {"type": "response.output_item.done", "item": _MESSAGE},
    ],
    "in progress and then completed": [
        event("in_progress", response={"output": [message("Hel")]}),
        ended(output=[_MESSAGE]),
    ],
    "indices of any size": [text("Hel", 10**30), text("lo", 10**30)],
    "a null item before": [
        event("output_item.added", output_index=0, item=None),
        text("Hel", 1),
        text("lo", 1),
        done(1, **_MESSAGE),
    ],
    "empty deltas": [text(""), text("Hel"), text(""), text("lo")],
    "obfuscated": [text("Hello", obfuscation="xyz")],
    "created again before anything": [created(), created(), text("Hello")],
    "steps of a response": [
        event("queued", response={"id": "r1"}),
        created(),
        text("Hello"),
    ],
}


@pytest.mark.parametrize("payloads", _SAME.values(), ids=_SAME)
def test_text_is_read_once(payloads: list[Payload]) -> None:
    """However its events repeat it, the text comes once, and nothing is reported."""
    parts = read(made(*payloads))
    assert answer_of(parts).text == "Hello"
    assert {kind for kind, _ in problems(parts)} <= {"missing-finish"}


def test_type_from_event_line() -> None:
    """Where the object has no type, the `event:` line names the event."""
    line = encode_event(
        '{"delta": "Hi", "output_index": 0}', event="response.output_text.delta"
    )
    assert answer_of(read(events_of(line))).text == "Hi"


def test_blocks() -> None:
    """A block begins with each content part, and again where another came between."""
    parts = read(
        made(
            event(
                "reasoning_summary_text.delta",
                output_index=0,
                item_id="rs",
                summary_index=0,
                delta="a",
            ),
            event(
                "reasoning_summary_text.delta",
                output_index=0,
                item_id="rs",
                summary_index=1,
                delta="b",
            ),
            text("T", 1, item_id="m"),
            event(
                "reasoning_summary_text.delta",
                output_index=0,
                item_id="rs",
                summary_index=1,
                delta="c",
            ),
            event(
                "refusal.delta",
                output_index=1,
                item_id="m",
                content_index=1,
                delta="no",
            ),
        )
    )
    blocks = [(part.kind, part.id) for part in parts if isinstance(part, Block)]
    assert blocks == [
        ("reasoning", "rs"),
        ("reasoning", "rs"),
        ("text", "m"),
        ("reasoning", "rs"),
        ("refusal", "m"),
    ]
    assert answer_of(parts)[:3] == ("T", "abc", "no")


def test_gateway_names_of_reasoning() -> None:
    """What OpenRouter and vLLM name otherwise is read like OpenAI's events."""
    assert (
        answer(
            event(
                "reasoning_part.added",
                output_index=0,
                item_id="r",
                part={"type": "reasoning_text", "text": ""},
            ),
            event("reasoning.delta", output_index=0, item_id="r", delta="think"),
            event("reasoning.done", output_index=0, item_id="r", text="thinking"),
        ).reasoning
        == "thinking"
    )


def test_encrypted_reasoning_is_kept_once() -> None:
    """The done event's encrypted content is emitted; the others are new ciphers."""
    parts = read(
        made(
            added(0, type="reasoning", id="rs", summary=[], encrypted_content="early"),
            done(
                0, type="reasoning", id="rs", summary=[], encrypted_content="x" * 5000
            ),
            ended(
                output=[{"type": "reasoning", "id": "rs", "encrypted_content": "late"}]
            ),
        )
    )
    assert [p.data for p in parts if isinstance(p, Opaque)] == ["x" * 5000]
    assert [p.id for p in parts if isinstance(p, Block)] == ["rs"]
    assert problems(parts) == []


def test_server_tools_are_kept_whole() -> None:
    """A server tool's item is announced, its events kept, and it comes whole once."""
    item = {"type": "code_interpreter_call", "id": "ci", "code": "1+1"}
    parts = read(
        made(
            added(0, type="code_interpreter_call", id="ci", code=""),
            event("code_interpreter_call_code.delta", output_index=0, delta="1+1"),
            event("code_interpreter_call.interpreting", output_index=0, item_id="ci"),
            done(0, **item),
            ended(output=[item]),
        )
    )
    items = [(p.kind, p.is_done) for p in parts if isinstance(p, Item)]
    assert items == [
        ("code_interpreter_call", False),
        ("response.code_interpreter_call_code.delta", False),
        ("code_interpreter_call", True),
    ]
    assert problems(parts) == []


def test_annotations_come_once() -> None:
    """An annotation is emitted once, however many events repeat it; twice if it is."""
    cited = {"type": "url_citation", "url": "u", "title": "t"}
    part = {"type": "output_text", "text": "x", "annotations": [cited, cited]}
    whole_message = {"type": "message", "id": "m", "content": [part]}
    parts = read(
        made(
            text("x", item_id="m"),
            event("output_text.annotation.added", output_index=0, annotation=cited),
            event("content_part.done", output_index=0, content_index=0, part=part),
            done(0, **whole_message),
            ended(output=[whole_message]),
        )
    )
    assert [p.kind for p in parts if isinstance(p, Item)] == ["url_citation"] * 2
    assert problems(parts) == []


# -- Calls -----------------------------------------------------------------------------

_F = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f"}
_CALLS = {
    "deltas": [added(0, **_F, arguments=""), arguments('{"a"', 0), arguments(":1}", 0)],
    "arguments.done only": [
        added(0, **_F, arguments=""),
        event("function_call_arguments.done", output_index=0, arguments='{"a":1}'),
    ],
    "item.done only": [done(0, **_F, arguments='{"a":1}')],
    "terminal only": [ended(output=[{**_F, "arguments": '{"a":1}'}])],
    "delta before the item is added": [
        arguments('{"a":1}', 0),
        done(0, **_F, arguments='{"a":1}'),
    ],
    "in the added event, not streamed": [added(0, **_F, arguments='{"a":1}')],
    "in the added event and streamed": [
        added(0, **_F, arguments='{"a":1}'),
        arguments('{"a":1}', 0),
        done(0, **_F, arguments='{"a":1}'),
    ],
    "item_id is the call_id, no index": [
        added(0, **_F, arguments=""),
        event("function_call_arguments.delta", item_id="c1", delta='{"a":1}'),
    ],
    "item without id": [
        added(0, type="function_call", call_id="c1", name="f", arguments=""),
        arguments('{"a":1}', 0),
        ended(output=[call("f", '{"a":1}')]),
    ],
    "another item id at the end (vllm)": [
        added(0, **_F, arguments=""),
        arguments('{"a":1}', 0),
        ended(output=[call("f", '{"a":1}', id="other")]),
    ],
    "name in arguments.done": [
        arguments('{"a":1}', 0, item_id="fc"),
        event(
            "function_call_arguments.done",
            output_index=0,
            item_id="fc",
            name="f",
            call_id="c1",
            arguments='{"a":1}',
        ),
    ],
}


@pytest.mark.parametrize("payloads", _CALLS.values(), ids=_CALLS)
def test_call_is_read_once(payloads: list[Payload]) -> None:
    """However its events repeat it, the call comes once and whole."""
    parts = read(made(*payloads))
    assert answer_of(parts).calls == [("function", "f", "c1", '{"a":1}')]
    assert {kind for kind, _ in problems(parts)} <= {"missing-finish"}
    joined = "".join(part.arguments for part in parts if isinstance(part, CallPart))
    assert joined == '{"a":1}'


def test_interleaved_calls() -> None:
    """Deltas go to the call at their index, or by id where indices are alike."""
    for second in (1, 0):
        found = answer(
            added(0, type="function_call", id="x", call_id="c1", name="f"),
            added(second, type="function_call", id="y", call_id="c2", name="g"),
            arguments('{"a"', 0, item_id="x"),
            arguments('{"b"', second, item_id="y"),
            arguments(":1}", 0, item_id="x"),
            arguments(":2}", second, item_id="y"),
            ended(
                output=[
                    call("f", '{"a":1}', id="x"),
                    call("g", '{"b":2}', "c2", id="y"),
                ]
            ),
        )
        assert found.calls == [
            ("function", "f", "c1", '{"a":1}'),
            ("function", "g", "c2", '{"b":2}'),
        ]


def test_custom_call() -> None:
    """A custom tool's input is text, not JSON."""
    assert answer(
        added(0, type="custom_tool_call", id="x", call_id="c", name="run", input=""),
        event("custom_tool_call_input.delta", output_index=0, delta="print("),
        event("custom_tool_call_input.done", output_index=0, input="print(1)"),
    ).calls == [("custom", "run", "c", "print(1)")]


# -- How it ends -----------------------------------------------------------------------

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


# -- What is reported ------------------------------------------------------------------

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
            added(0, **_F),
            arguments("{}", 0),
            done(0, **_F, arguments='{"a":1}'),
            ended(),
        ],
        "done-differs",
        "arguments",
    ),
    "another call_id": (
        [added(0, **_F), done(0, **{**_F, "call_id": "c2"}), ended()],
        "done-differs",
        "call_id",
    ),
    "another name": (
        [added(0, **_F), done(0, **{**_F, "name": "g"}), ended()],
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
    "unknown field": ([text("a", extra="!"), ended()], "unread", "extra"),
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
        [done(0, **_F, arguments="", extra="!"), ended()],
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
    assert [p.id for p in parts if isinstance(p, Head)] == ["r1", "r2", "r1"]


# -- Whole answers ---------------------------------------------------------------------


def test_whole_answer() -> None:
    """An answer that was not streamed has the parts of one that was."""
    parts = whole(
        {
            "id": "r",
            "object": "response",
            "model": "m",
            "created_at": 5,
            "status": "completed",
            "output": [message("Hi"), call("f", "{}")],
            "usage": {"input_tokens": 1},
        }
    )
    assert answer_of(parts) == (
        "Hi",
        "",
        "",
        [("function", "f", "c1", "{}")],
        "completed",
    )
    assert [p for p in parts if isinstance(p, Head)] == [Head("r", "m", 5)]
    assert [p.counts for p in parts if isinstance(p, Usage)] == [{"input_tokens": 1}]
    assert problems(parts) == []


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"message": "m"}}, "error-event"),
        (
            {"object": "response", "status": "in_progress", "output": []},
            "missing-finish",
        ),
        ({"object": "response", "status": "completed", "output": [1]}, "unread"),
    ],
)
def test_whole_answer_with_a_problem(document: Payload, kind: str) -> None:
    """Error bodies and answers that are not finished are reported."""
    assert [k for k, _ in problems(whole(document))] == [kind]


# -- Properties ------------------------------------------------------------------------


def test_garbage_raises_nothing() -> None:
    """A thousand mutated events; `python -m tests.responses_garbage` does more."""
    assert responses_garbage.run(1000, seed=3) > 1000


@needs_shared
@pytest.mark.parametrize(
    "share",
    [
        pytest.param(100, id="a hundredth"),
        pytest.param(1, id="all", marks=pytest.mark.slow),
    ],
)
def test_no_text_is_lost(share: int) -> None:
    """A text planted in any leaf of a recorded event comes out, or its field is known.

    Only the altered event is fed, to a copy of the state before it.
    """
    rng = random.Random(11)
    planted = 0
    for found in recordings():
        reader = Reader()
        for sent in found.events:
            for place, _ in texts_in(sent.payload):
                known = meaning(sent.payload["type"], path_of(place))
                if known and not known.startswith("carried") and place != ("type",):
                    continue
                if rng.randrange(share):
                    continue
                mark = f"PLANTED{planted}"
                planted += 1
                reading = copy_of(reader)
                payload = replaced(sent.payload, place, mark)
                parts = reading.feed(Event(sent.index, sent.name, payload))
                parts += reading.close()
                texts = (text for part in parts for text in strings(part))
                assert any(mark in text for text in texts), (found.name, place)
            reader.feed(sent)
    assert planted > 20_000 / share


@needs_shared
def test_cuts_change_nothing() -> None:
    """Byte by byte and at pairs of cuts of one recorded stream: the same parts."""
    found = next(r for r in recordings() if 1000 < len(r.body) < 9000)
    body = found.body
    expected = plain(read(events_of(body)))
    single = [body[n : n + 1] for n in range(len(body))]
    assert plain(read(events_of(body, single))) == expected
    rng = random.Random(5)
    for _ in range(100):
        one, two = sorted(rng.randrange(len(body)) for _ in range(2))
        pieces = [body[:one], body[one:two], body[two:]]
        assert plain(read(events_of(body, pieces))) == expected
