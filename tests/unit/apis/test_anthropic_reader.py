"""Every rule of the Messages reader, each with the input that needs it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.apis.anthropic.api import API
from harness.apis.base import Event
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Problem,
    Reasoning,
    Text,
    Usage,
)
from tests.anthropic_streams import (
    PING,
    STOP,
    Payload,
    add_up,
    answer,
    arguments,
    delta,
    events,
    finish,
    opened,
    read,
    shown,
    signature,
    start,
    stopped,
    text,
    thinking,
)


def kinds(payloads: list[Payload]) -> list[DiagnosticKind]:
    """Return the kinds of the problems of a stream."""
    return [p.kind for p in read(events(payloads)) if isinstance(p, Problem)]


def said(payloads: list[Payload]) -> tuple[str, list[tuple[str, str, str]]]:
    """Return text and calls of a stream."""
    found = add_up(read(events(payloads)))
    return found.text, found.calls


# -- A whole stream --------------------------------------------------------------------


def test_parts_come_in_the_order_of_the_events() -> None:
    """Head, usage, blocks with what belongs to them, usage and finish."""
    stream = answer(
        opened(0, "thinking"),
        thinking("hm"),
        signature("sig=="),
        stopped(0),
        PING,
        opened(1, "redacted_thinking", data="xyz"),
        stopped(1),
        opened(2, "text", citations=[]),
        delta(2, "citations_delta", citation={"type": "char_location"}),
        text("Hi", 2),
        stopped(2),
        opened(3, "tool_use"),
        arguments("", 3),
        arguments('{"a"', 3),
        arguments(": 1}", 3),
        stopped(3),
        reason="tool_use",
    )
    assert [shown(part) for part in read(events(stream))] == [
        Head("msg_1", "claude"),
        Usage({"input_tokens": 3, "output_tokens": 1}, 3, 1),
        Block("reasoning"),
        Reasoning("hm"),
        ("opaque", "signature", "sig=="),
        ("opaque", "redacted_reasoning", "xyz"),
        ("item", "citation", [], False),
        Block("text"),
        ("item", "citation", {"type": "char_location"}, True),
        Text("Hi"),
        ("call", 0, "f", "", True),
        ("call", 0, "", '{"a"', False),
        ("call", 0, "", ": 1}", False),
        Usage({"output_tokens": 9}, None, 9),
        Finish("tool_use", "tool_calls"),
    ]


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", ""),
        ("compaction", ""),
        ("of_tomorrow", ""),
    ],
)
def test_every_stop_reason_passes(reason: str, meaning: str) -> None:
    """Known ones with their meaning in chat's words, unknown ones as they are."""
    parts = read(events(answer(reason=reason)))
    assert Finish(reason, meaning) in parts
    assert not [part for part in parts if isinstance(part, Problem)]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"output_tokens": 9}, (None, 9)),
        ({"input_tokens": 4, "output_tokens": 9}, (11, 9)),
        (
            {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 2}},
            (None, 9, None, 2),
        ),
        (
            {"input_tokens": 4, "cache_read_input_tokens": 1, "output_tokens": 9},
            (7, 9, 1),
        ),
        ({"input_tokens": True, "output_tokens": None}, (None, None)),
    ],
)
def test_usage_is_cumulative(usage: Payload, tokens: tuple[int | None, ...]) -> None:
    """A18: nothing is added up but the cache of the request; what lacks stays."""
    first = {
        "input_tokens": 3,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 2,
        "output_tokens": 1,
    }
    parts = read(events([start(usage=first), finish(usage=usage), STOP]))
    assert [p for p in parts if isinstance(p, Usage)] == [
        Usage(first, 10, 1, 5),
        Usage(usage, *tokens),
    ]


def test_a_refusal_keeps_its_details() -> None:
    """`stop_details` is carried whole, before the finish."""
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    end = finish()
    end["delta"] = {"stop_reason": "refusal", "stop_details": details}
    parts = read(events([start(), end, STOP]))
    assert Item("stop_details", details) in parts
    assert parts[-1] == Finish("refusal", "content_filter")


# -- Calls -----------------------------------------------------------------------------

_INPUT = {"path": "/tmp/é", "n": [1, None]}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        pytest.param([opened(0, "tool_use"), stopped()], "", id="A2-no-arguments"),
        pytest.param(
            [opened(0, "tool_use"), arguments(""), stopped()], "", id="A2-empty-piece"
        ),
        pytest.param(
            [opened(0, "tool_use", input=_INPUT), stopped()],
            json.dumps(_INPUT, ensure_ascii=False),
            id="input-in-start",
        ),
        pytest.param(
            [opened(0, "tool_use", input=_INPUT), arguments(""), stopped()],
            json.dumps(_INPUT, ensure_ascii=False),
            id="input-in-start-and-an-empty-piece",
        ),
        pytest.param(
            [opened(0, "tool_use", input=_INPUT), text("x", 5)],
            json.dumps(_INPUT, ensure_ascii=False),
            id="input-in-start-without-stop",
        ),
        pytest.param(
            [opened(0, "tool_use", input='{"a": 1}'), stopped()],
            '{"a": 1}',
            id="input-as-text",
        ),
        pytest.param(
            [opened(0, "tool_use", input={"a": 1}), arguments('{"a":1}'), stopped()],
            '{"a":1}',
            id="both-alike",
        ),
        pytest.param(
            [
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {"type": "tool_use", "id": "toolu_0", "name": "f"},
                },
                arguments('{"a":1}'),
                stopped(),
            ],
            '{"a":1}',
            id="llama.cpp-no-input",
        ),
        pytest.param(
            [opened(0, "tool_use"), arguments('{"k": Dave}'), stopped()],
            '{"k": Dave}',
            id="eager-no-json",
        ),
        pytest.param(
            [opened(0, "tool_use"), arguments('{"a'), stopped(), arguments('":1}')],
            '{"a":1}',
            id="A13-delta-after-stop",
        ),
    ],
)
def test_an_input_is_its_deltas_or_else_that_of_the_start(
    blocks: list[Payload], expected: str
) -> None:
    """Page 3; no piece is parsed alone (A1)."""
    stream = answer(*blocks, reason="tool_use")
    assert said(stream)[1] == [("f", "toolu_0", expected)]
    assert DiagnosticKind.DONE_DIFFERS not in kinds(stream)


def test_an_input_that_differs_from_its_start_is_reported() -> None:
    """The deltas count, for they have been emitted."""
    stream = answer(
        opened(0, "tool_use", input={"a": 1}), arguments('{"a":2}'), stopped()
    )
    assert said(stream)[1] == [("f", "toolu_0", '{"a":2}')]
    assert kinds(stream) == [DiagnosticKind.DONE_DIFFERS]


@pytest.mark.parametrize(
    "order", [[0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 0]]
)
def test_parallel_calls_may_interleave(order: list[int]) -> None:
    """A13, A14: a piece belongs to the call of its index, whatever came last."""
    pieces = {0: iter(['{"a":', "1}"]), 1: iter(['{"b":', "2}"])}
    stream = answer(
        opened(0, "tool_use"),
        opened(1, "tool_use"),
        *(arguments(next(pieces[index]), index) for index in order),
        stopped(0),
        stopped(1),
        reason="tool_use",
    )
    assert said(stream)[1] == [
        ("f", "toolu_0", '{"a":1}'),
        ("f", "toolu_1", '{"b":2}'),
    ]


def test_a_call_that_died_before_its_input_has_none() -> None:
    """A6: no `{}` is made up, and the missing end is reported."""
    stream = [start(), opened(0, "tool_use")]
    assert said(stream)[1] == [("f", "toolu_0", "")]
    assert kinds(stream) == [DiagnosticKind.MISSING_FINISH, DiagnosticKind.MISSING_DONE]


def test_a_start_that_is_repeated_opens_no_second_call() -> None:
    """The same id at the same index is the same call."""
    stream = answer(opened(0, "tool_use"), opened(0, "tool_use"), arguments("{}"))
    assert said(stream)[1] == [("f", "toolu_0", "{}")]
    assert kinds(stream) == [DiagnosticKind.ILLEGAL_EVENT]


# -- Server tools and other blocks that are kept whole ---------------------------------


@pytest.mark.parametrize("kind", ["server_tool_use", "mcp_tool_use", "x_tool_use"])
def test_a_server_tool_is_announced_and_emitted_with_its_input(kind: str) -> None:
    """It is no call that the agent runs."""
    head = opened(0, kind, id="s", name="web_search", input={})
    stream = answer(head, arguments('{"q":'), arguments("1}"), stopped())
    parts = read(events(stream))
    block = head["content_block"]
    assert [p for p in parts if isinstance(p, Item)] == [
        Item(kind, block, is_done=False),
        *(
            Item(kind, one["delta"] | {"id": "s"}, is_done=False)
            for one in (arguments('{"q":'), arguments("1}"))
        ),
        Item(kind, block | {"input": {"q": 1}}),
    ]
    assert said(stream)[1] == []


@pytest.mark.parametrize(
    ("blocks", "got"),
    [
        pytest.param([arguments('{"q": Dave')], '{"q": Dave', id="no-json"),
        pytest.param([], {}, id="none"),
    ],
)
@pytest.mark.parametrize("is_stopped", [True, False])
def test_an_input_that_is_no_json_stays_text(
    blocks: list[Payload], got: object, *, is_stopped: bool
) -> None:
    """Cut or wrong: it is kept as it came."""
    stream = [start(), opened(0, "server_tool_use"), *blocks]
    stream += [stopped()] * is_stopped
    last = [p for p in read(events(stream)) if isinstance(p, Item)][-1]
    assert last.is_done
    assert last.value["input"] == got


@pytest.mark.parametrize(
    "block",
    [
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"u": 1}]},
        {"type": "web_search_tool_result", "content": {"error_code": "unavailable"}},
        {"type": "container_upload", "file_id": "f"},
        {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
        {"type": "of_tomorrow", "anything": ["text"]},
        {"text": "no type"},
    ],
)
def test_a_block_that_comes_whole_is_an_item(block: Payload) -> None:
    """A20: server results and unknown blocks are kept; one without type is reported."""
    head = {"type": "content_block_start", "index": 0, "content_block": block}
    parts = read(events(answer(head, stopped())))
    found = [part for part in parts if isinstance(part, Item)]
    assert found == [Item(block.get("type", ""), block)]
    problems = [part for part in parts if isinstance(part, Problem)]
    assert bool(problems) == ("type" not in block)


def test_a_compaction_is_one_item() -> None:
    """Its summary comes in a delta, its encrypted form beside it."""
    stream = answer(
        opened(0, "compaction", content=None),
        delta(0, "compaction_delta", content="sum", encrypted_content="xx"),
        stopped(),
    )
    whole = {"type": "compaction", "content": "sum", "encrypted_content": "xx"}
    parts = read(events(stream))
    assert [p for p in parts if isinstance(p, Item)][-1] == Item("compaction", whole)


# -- What servers do otherwise ---------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "problems"),
    [
        pytest.param(
            answer(opened(0, "text"), text("a"), opened(1, "text"), text("b", 1)),
            [],
            id="A16-kimi-no-stops",
        ),
        pytest.param(
            [opened(0, "text"), text("ab"), stopped(), finish(), STOP],
            [],
            id="glm-no-start",
        ),
        pytest.param(
            answer(opened(0, "text", text="a"), text("b"), stopped()),
            [],
            id="text-in-start",
        ),
        pytest.param(
            [start(content=[{"type": "text", "text": "ab"}]), finish(), STOP],
            [],
            id="content-in-message-start",
        ),
        pytest.param([start(content="ab"), finish(), STOP], [], id="content-is-text"),
        pytest.param(
            answer(opened(0, "text"), text("a"), stopped(), text("b", 2)),
            [DiagnosticKind.ILLEGAL_EVENT],
            id="A12-unopened-index",
        ),
        pytest.param(
            answer(opened(3, "text"), text("ab", 3), stopped(3)), [], id="index-gap"
        ),
        pytest.param(
            answer(opened(None, "text"), text("ab", None), stopped(None)),
            [],
            id="no-index",
        ),
        pytest.param(
            answer(opened(0.0, "text"), text("ab", 0), stopped(0.0)),
            [],
            id="float-index",
        ),
        pytest.param(
            answer(opened(0, "tool_use"), text("ab"), stopped()),
            [],
            id="text-in-tool",
        ),
        pytest.param(
            [
                start(),
                opened(0, "text"),
                text("a"),
                start(),
                opened(0, "text"),
                text("b"),
                finish(),
                STOP,
            ],
            [DiagnosticKind.ILLEGAL_EVENT],
            id="spliced",
        ),
        pytest.param(
            [start(usage=None), text("ab"), finish(usage=None), STOP],
            [DiagnosticKind.ILLEGAL_EVENT],
            id="usage-null",
        ),
        pytest.param(
            [start(content=None), opened(0, "text"), text("ab"), finish(), STOP],
            [],
            id="content-null",
        ),
        pytest.param(
            [start(stop_reason="end_turn"), opened(0, "text"), text("ab"), STOP],
            [],
            id="reason-in-start",
        ),
        pytest.param(
            answer(opened(0, "text"), text("ab"), delta(0, "of_tomorrow"), stopped()),
            [],
            id="unknown-delta",
        ),
        pytest.param(
            answer({"type": "of_tomorrow"}, opened(0, "text"), text("ab"), stopped()),
            [],
            id="unknown-event",
        ),
        pytest.param(
            [*answer(opened(0, "text"), text("a"), stopped()), text("b")],
            [DiagnosticKind.AFTER_DONE, DiagnosticKind.ILLEGAL_EVENT],
            id="after-stop",
        ),
        pytest.param(
            [*answer(opened(0, "text"), text("ab"), stopped()), PING],
            [],
            id="late-ping",
        ),
    ],
)
def test_a_server_with_habits_is_understood(
    stream: list[Payload], problems: list[DiagnosticKind]
) -> None:
    """The text is the same; what had to be guessed is reported."""
    found = add_up(read(events(stream)))
    assert found.text == "ab"
    assert found.stop == ["end_turn"]
    assert kinds(stream) == problems


def test_a_stream_without_event_lines_is_read_alike() -> None:
    """31 of 305 recorded bodies lack them; the type in the data is enough."""
    stream = events(answer(opened(0, "text"), text("ab"), stopped()))
    bare = [Event(e.index, "", e.payload) for e in stream]
    assert read(bare) == read(stream)


def test_a_type_only_in_the_event_line_is_enough() -> None:
    """The other way round."""
    stream = events(answer(opened(0, "text"), text("ab"), stopped()))
    bare = [
        Event(e.index, e.name, {k: v for k, v in e.payload.items() if k != "type"})
        for e in stream
    ]
    assert read(bare) == read(stream)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        pytest.param([signature("s")], ["s"], id="once"),
        pytest.param([signature("s"), signature("t")], ["s", "t"], id="twice"),
        pytest.param([], ["at start"], id="in-start"),
        pytest.param([signature("at start")], ["at start"], id="both-alike"),
        pytest.param([signature("s")], ["s", "at start"], id="both"),
    ],
)
def test_signatures_are_kept_exactly(
    blocks: list[Payload], expected: list[str]
) -> None:
    """A9, A10: none is dropped, cut or merged."""
    begun = "at start" if "at start" in expected else ""
    stream = answer(
        opened(0, "thinking", signature=begun), thinking("hm"), *blocks, stopped()
    )
    found = [p for p in read(events(stream)) if isinstance(p, Opaque)]
    assert found == [Opaque("signature", data) for data in expected]


def test_another_message_in_the_same_body_is_another_choice() -> None:
    """Fixtures join messages; the first is the answer, nothing is lost."""
    one = answer(opened(0, "text"), text("a"), stopped())
    two = answer(opened(0, "text"), text("b"), stopped(), reason="max_tokens")
    parts = read(events([*one, *two, *one]))
    assert add_up(parts).text == "a"
    others = [p for p in parts if isinstance(p, OtherChoice)]
    assert [(o.choice, o.part) for o in others if isinstance(o.part, Text)] == [
        (1, Text("b")),
        (2, Text("a")),
    ]
    assert kinds([*one, *two, *one]) == [DiagnosticKind.AFTER_DONE]


# -- Errors and endings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "payload", "message"),
    [
        (
            "error",
            {
                "type": "error",
                "error": {"type": "overloaded_error", "message": "Overloaded"},
            },
            "overloaded_error: Overloaded",
        ),
        (
            "",
            {"type": "error", "error": {"type": "api_error", "message": "x"}},
            "api_error: x",
        ),
        ("error", {"error": {"message": "x"}}, "x"),
        ("error", {"type": "error", "message": "x", "code": 5}, "x"),
        ("error", {"type": "overloaded_error", "message": "x"}, "overloaded_error: x"),
        ("", {"error": "x"}, "x"),
        ("", {"error": {"code": 500}}, '{"error": {"code": 500}}'),
        ("error", {"detail": "x"}, '{"detail": "x"}'),
        ("error", {"type": "error", "error": None}, '{"type": "error", "error": null}'),
    ],
)
def test_an_error_is_reported_with_its_message(
    name: str, payload: Payload, message: str
) -> None:
    """A3: in every shape; it ends the stream, so nothing else is missing."""
    stream = [
        *events([start(), opened(0, "text"), text("ab")]),
        Event(3, name, payload),
    ]
    reader = API.reader()
    parts = [part for event in stream for part in reader.feed(event)]
    assert reader.is_finished
    parts += [p for p in reader.close() if not isinstance(p, Problem)]
    errors = [p.text for p in parts if isinstance(p, Problem)]
    assert errors == [message]
    assert add_up(parts).text == "ab"
    assert API.whole(payload)[0] == Problem(DiagnosticKind.ERROR_EVENT, message) or (
        "error" not in payload and payload.get("type") != "error"
    )


@pytest.mark.parametrize(
    ("stream", "problems"),
    [
        pytest.param(
            [], [DiagnosticKind.MISSING_FINISH, DiagnosticKind.MISSING_DONE], id="empty"
        ),
        pytest.param([start(), finish()], [DiagnosticKind.MISSING_DONE], id="no-stop"),
        pytest.param([start(), STOP], [DiagnosticKind.MISSING_FINISH], id="no-finish"),
        pytest.param(
            [start(), finish(None), STOP],
            [DiagnosticKind.MISSING_FINISH],
            id="reason-null",
        ),
        pytest.param([start(), finish(), STOP], [], id="whole"),
    ],
)
def test_what_is_missing_at_the_end_is_reported(
    stream: list[Payload], problems: list[DiagnosticKind]
) -> None:
    """The end without `message_stop` is no success (the SDK takes it for one)."""
    assert kinds(stream) == problems


def test_the_reader_is_finished_at_message_stop() -> None:
    """Not at the finish, after which the last event is still to come."""
    reader = API.reader()
    stream = events(answer())
    for event in stream[:-1]:
        reader.feed(event)
        assert not reader.is_finished
    reader.feed(stream[-1])
    assert reader.is_finished


# -- Whole answers ---------------------------------------------------------------------


def test_a_whole_answer_has_the_parts_of_its_stream() -> None:
    """All blocks, in order."""
    document: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "Hi", "citations": [{"type": "char_location"}]},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "u", "name": "g", "input": {}},
            {"type": "server_tool_use", "id": "v", "name": "s", "input": {"q": 1}},
            {"type": "web_search_tool_result", "tool_use_id": "v", "content": []},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "surprise": "text",
    }
    parts = API.whole(document)
    assert [shown(part) for part in parts[:-1]] == [
        Head("m", "claude"),
        Block("reasoning"),
        Reasoning("hm"),
        ("opaque", "signature", "s"),
        ("opaque", "redacted_reasoning", "x"),
        Block("text"),
        ("item", "citation", {"type": "char_location"}, True),
        Text("Hi"),
        ("call", 0, "f", "", True),
        ("call", 0, "", '{"a": 1}', False),
        ("call", 1, "g", "", True),
        ("call", 1, "", "{}", False),
        ("item", "server_tool_use", document["content"][5], True),
        ("item", "web_search_tool_result", document["content"][6], True),
        Usage({"input_tokens": 1, "output_tokens": 2}, 1, 2),
        Finish("tool_use", "tool_calls"),
    ]
    assert isinstance(parts[-1], Problem)
    assert "surprise" in parts[-1].text


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"content": None},
        {"content": 5},
        {"content": [None, 5, "text", [], {}]},
        {"type": "message", "content": [{"type": "tool_use"}]},
        {"usage": 5, "stop_reason": [], "id": {}},
    ],
)
def test_whole_answers_of_any_shape_raise_nothing(document: Payload) -> None:
    """What cannot be read is reported or left out."""
    API.whole(document)
