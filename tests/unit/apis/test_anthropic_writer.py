"""What is written as Messages events is legal, and reads back as what was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, find, given, settings

from harness.apis.anthropic.api import API
from harness.apis.anthropic.writer import Writer, body
from harness.apis.base import Event, WrittenEvent
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from tests.anthropic_parts import answers, carried, unplaced
from tests.anthropic_streams import add_up, read, recorded, rows, shown
from tests.shared import needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable


def numbered(written: Iterable[WrittenEvent]) -> list[Event]:
    """Return written events as a reader gets them."""
    return [Event(n, event.name, event.payload) for n, event in enumerate(written)]


def write(*groups: list[Part]) -> tuple[list[Event], dict[str, int]]:
    """Write an answer given event by event; return the events and what is left out."""
    writer = Writer()
    written = [event for group in groups for event in writer.feed(group)]
    return numbered([*written, *writer.close()]), writer.left_out


def types(stream: list[Event]) -> list[str]:
    """Return short names of events: those of deltas, and blocks by their type."""
    return [
        e.payload.get("delta", {}).get("type")
        or e.payload.get("content_block", {}).get("type")
        or e.name
        for e in stream
        if e.name != "ping"
    ]


# -- Round trip ------------------------------------------------------------------------


@needs_shared
def test_every_recorded_stream_is_written_as_it_was_read() -> None:
    """Nothing is left out, no rule is broken, each part comes back in its order."""
    for row in rows():
        reader, writer = API.reader(), Writer()
        parts: list[Part] = []
        written: list[WrittenEvent] = []
        for event in recorded(row).events:
            found = reader.feed(event)
            parts += found
            written += writer.feed(found)
        last = reader.close()
        written += [*writer.feed(last), *writer.close()]
        stream = numbered(written)
        assert [shown(p) for p in read(stream)] == [shown(p) for p in parts + last]
        assert list(API.check(stream)) == []
        assert writer.left_out == {}


@needs_shared
def test_every_recorded_answer_is_written_whole() -> None:
    """The body adds up to the same as its stream, and is recognised."""
    for row in rows():
        parts = read(recorded(row).events)
        document = body(parts)
        assert API.is_answer(document)
        assert unplaced(carried(API.whole(document))) == unplaced(carried(parts))


@pytest.mark.slow
@given(answers())
def test_a_made_answer_comes_back_but_for_the_table(groups: list[list[Part]]) -> None:
    """Text, reasoning, calls (also interleaved), signatures, items, usage, finish."""
    stream, _ = write(*groups)
    parts = [part for group in groups for part in group]
    assert carried(read(stream)) == carried(parts)
    assert list(API.check(stream)) == []
    assert not [p for p in read(stream) if isinstance(p, Problem)]
    whole = API.whole(body(parts))
    assert unplaced(carried(whole)) == unplaced(carried(parts))


def test_made_answers_interleave_calls() -> None:
    """The strategy makes what the property is about."""

    def interleaves(groups: list[list[Part]]) -> bool:
        order = [p.call.position for g in groups for p in g if isinstance(p, CallPart)]
        return order != sorted(order)

    find(answers(), interleaves, settings=settings(phases=[Phase.generate]))


def _served(key: str, *pieces: str) -> list[list[Part]]:
    """Return the parts of a server's tool: its start, its pieces, the whole."""
    block = {"type": "server_tool_use", "id": key, "name": "n", "input": {}}
    whole = block | {"input": {"q": 1}} if pieces else block
    deltas = [
        {"type": "input_json_delta", "partial_json": piece, "id": key}
        for piece in pieces
    ]
    kind = "server_tool_use"
    values = [(block, False), *((delta, False) for delta in deltas), (whole, True)]
    return [[Item(kind, value, is_done=is_done)] for value, is_done in values]


def test_a_server_tool_is_streamed_as_it_came() -> None:
    """Its pieces are not held; what interleaves with it waits; a whole one has two."""
    one, two = _served("a", "", '{"q"', ": 1}"), _served("b")
    given_parts: list[list[Part]] = [*one[:2], *two[:1], [Text("x")], *one[2:], two[1]]
    stream, left_out = write(*given_parts, [Finish("end_turn")])
    assert left_out == {}
    assert types(stream) == [
        "message_start",
        *("server_tool_use", *["input_json_delta"] * 3, "content_block_stop"),
        *("server_tool_use", "content_block_stop"),
        *("text", "text_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    ]
    done = [p for p in read(stream) if isinstance(p, Item) and p.is_done]
    assert done == [*one[-1], *two[-1]]
    whole, _ = write(one[-1], [Finish("end_turn")])
    assert types(whole)[1:4] == ["server_tool_use", *["input_json_delta"] * 2]


def test_what_a_start_announces_is_in_the_block_that_follows() -> None:
    """`caller`, `citations` and null fields, of a stream that has them."""
    state = ToolCall(0, None, "t")
    stream, _ = write(
        [Item("stop_details", None, is_done=False), Head("m", "x")],
        [Item("citation", [], is_done=False), Block("text"), Text("a")],
        [Block("text"), Text("b")],
        [Item("caller", {"type": "direct"}, is_done=False)],
        [CallPart(state, "f", "", is_new=True, id="t")],
        [Finish("tool_use")],
    )
    blocks = [
        e.payload["content_block"] for e in stream if "content_block" in e.payload
    ]
    assert stream[0].payload["message"]["stop_details"] is None
    assert [
        set(block) - {"type", "text", "id", "name", "input"} for block in blocks
    ] == [
        {"citations"},
        set(),
        {"caller"},
    ]


# -- Order and time --------------------------------------------------------------------


def call(position: int, *pieces: str, **fields: Any) -> list[list[Part]]:
    """Return the parts of a call, one an event."""
    state = ToolCall(position, None, f"id{position}")
    state.name = "f"
    for field, value in fields.items():
        setattr(state, field, value)
    groups: list[list[Part]] = [[CallPart(state, state.name, "", True, state.id)]]
    for piece in pieces:
        state.add_arguments(piece)
        groups.append([CallPart(state, "", piece, False)])
    return groups


def test_text_is_written_at_once() -> None:
    """Each event's parts are written before the next are fed."""
    writer = Writer()
    assert types(numbered(writer.feed([Head("m", "x")]))) == ["message_start"]
    assert types(numbered(writer.feed([Text("a")]))) == ["text", "text_delta"]
    assert types(numbered(writer.feed([Text("b")]))) == ["text_delta"]
    assert writer.feed([Finish("end_turn")]) == []
    assert types(numbered(writer.close()))[0] == "content_block_stop"


def test_a_call_waits_only_for_one_that_is_not_whole() -> None:
    """One after the other streams; interleaved pieces are put in order."""
    first, second = call(0, '{"a":', "1}"), call(1, '{"b":', "2}")
    writer = Writer()
    for group in first:
        writer.feed(group)
    assert types(numbered(writer.feed(second[0]))) == ["content_block_stop"]
    assert types(numbered(writer.feed(second[1])))[0] == "tool_use"

    first, second = call(0, '{"a":', "1}"), call(1, '{"b":', "2}")
    mixed = [first[0], second[0], first[1], second[1], first[2], second[2]]
    stream, left_out = write(*mixed, [Finish("tool_calls")])
    assert add_up(read(stream)).calls == [
        ("f", "id0", '{"a":1}'),
        ("f", "id1", '{"b":2}'),
    ]
    assert list(API.check(stream)) == []
    assert left_out == {}


def test_a_cut_answer_stays_cut() -> None:
    """Without a finish there is no end, and a call that has begun is not completed."""
    stream, _ = write([Head("m", "x")], *call(0, '{"a'))
    assert types(stream) == [
        "message_start",
        "tool_use",
        "input_json_delta",
        "input_json_delta",
    ]
    kinds = [p.kind for p in read(stream) if isinstance(p, Problem)]
    assert kinds == [DiagnosticKind.MISSING_FINISH, DiagnosticKind.MISSING_DONE]
    assert write()[0] == []


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("overloaded_error: Overloaded", ("overloaded_error", "Overloaded")),
        ("out of luck", ("api_error", "out of luck")),
        ("odd: thing", ("api_error", "odd: thing")),
    ],
)
def test_an_error_is_the_last_event(text: str, payload: tuple[str, str]) -> None:
    """What follows is counted as left out."""
    error = Problem(DiagnosticKind.ERROR_EVENT, text)
    stream, left_out = write([Text("a")], [error], [Text("b")], [Finish("stop")])
    assert stream[-1].payload == {
        "type": "error",
        "error": dict(zip(("type", "message"), payload, strict=True)),
    }
    assert left_out == {"what follows an error": 2}
    assert list(API.check(stream)) == []
    assert body([error])["error"]["message"] == payload[1]


# -- The table of what is not carried --------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "left_out"),
    [
        pytest.param([[Refusal("no")]], {"refusal": 1}, id="refusal"),
        pytest.param(
            call(0, "x", type="custom"),
            {"custom call": 1},
            id="custom",
        ),
        pytest.param(
            [[Text("a"), Opaque("signature", "s")]],
            {"signature": 1},
            id="signature-of-text",
        ),
        pytest.param(
            [*call(0, "{}"), [Opaque("signature", "s", ToolCall(0, None, ""))]],
            {"signature": 1},
            id="signature-of-call",
        ),
        pytest.param(
            [[Opaque("encrypted_reasoning", "s")]],
            {"encrypted_reasoning": 1},
            id="encrypted",
        ),
        pytest.param(
            [[Item("web_search_call", {"type": "web_search_call"})]],
            {"web_search_call": 1},
            id="item",
        ),
        pytest.param([[Item("image", "data")]], {"image": 1}, id="item-no-object"),
        pytest.param(
            [[Item("citation", {"type": "url_citation"})]],
            {"citation": 1},
            id="citation",
        ),
        pytest.param([[Block("text", "b1")]], {"id of a block": 1}, id="block-id"),
        pytest.param([[OtherChoice(1, Text("x"))]], {"other choice": 1}, id="choice"),
        pytest.param(
            [[Usage({"prompt_tokens": 1, "completion_tokens": 2})]],
            {"token count": 2},
            id="usage",
        ),
        pytest.param(
            [[Head("a", "m"), Text("x")], [Head("b", "m")]],
            {"another id or model": 1},
            id="head",
        ),
        pytest.param([[Head("a", "m"), Text("x")], [Head("a", "")]], {}, id="same"),
        pytest.param(
            [*call(0, "{}", "}")[:2], [Text("x")], call(0, "}")[1]],
            {},
            id="another-call",
        ),
    ],
)
def test_what_is_left_out_is_counted(
    groups: list[list[Part]], left_out: dict[str, int]
) -> None:
    """Each line of the writer's table."""
    assert write(*groups, [Finish("stop")])[1] == left_out


def test_a_piece_after_the_end_of_a_call_is_counted() -> None:
    """Trailing junk cannot be told from a call that goes on."""
    pieces = call(0, "{}", "}")
    stream, left_out = write(*pieces[:2], [Text("x")], pieces[2], [Finish("stop")])
    assert left_out == {"piece of a call after its end": 1}
    assert add_up(read(stream)).calls == [("f", "id0", "{}")]


@pytest.mark.parametrize(
    ("finish", "has_call", "expected"),
    [
        (Finish("stop"), False, "end_turn"),
        (Finish("stop"), True, "tool_use"),
        (Finish("tool_calls"), True, "tool_use"),
        (Finish("tool_calls"), False, "end_turn"),
        (Finish("length"), True, "max_tokens"),
        (Finish("content_filter"), False, "refusal"),
        (Finish("STOP", "stop"), False, "end_turn"),
        (Finish("completed", "tool_calls"), True, "tool_use"),
        (Finish("max_tokens", "length"), False, "max_tokens"),
        (Finish("pause_turn"), True, "pause_turn"),
        (Finish("of_tomorrow"), False, "of_tomorrow"),
    ],
)
def test_a_finish_becomes_a_stop_reason(
    finish: Finish, expected: str, *, has_call: bool
) -> None:
    """In chat's words or any API's; a call comes with `tool_use`."""
    stream, _ = write(*(call(0, "{}") if has_call else []), [finish])
    assert add_up(read(stream)).stop == [expected]
    assert list(API.check(stream)) == []


def test_reasoning_without_signature_is_signed_with_nothing() -> None:
    """The rule holds, and no signature is made up."""
    stream, _ = write([Reasoning("hm")], [Text("a")], [Finish("stop")])
    assert not [p for p in read(stream) if isinstance(p, Opaque)]
    assert types(stream)[1:5] == [
        "thinking",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
    ]


@pytest.mark.parametrize(
    ("usage", "counts", "lost"),
    [
        pytest.param(
            Usage({"prompt_tokens": 4, "completion_tokens": 2}, 4, 2),
            {"input_tokens": 4, "output_tokens": 2},
            0,
            id="chat",
        ),
        pytest.param(
            Usage(
                {"prompt_tokens": 9, "details": {"audio": 5}, "total_tokens": 11},
                *(9, 2, 6, 1),
            ),
            {
                "input_tokens": 3,
                "cache_read_input_tokens": 6,
                "output_tokens": 2,
                "output_tokens_details": {"thinking_tokens": 1},
            },
            1,
            id="with-details",
        ),
        pytest.param(
            Usage({"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}, 4, 2),
            {"input_tokens": 4, "output_tokens": 2},
            0,
            id="responses",
        ),
        pytest.param(
            Usage({"output_tokens": 2, "speed": None}, 4, 2),
            {"output_tokens": 2},
            0,
            id="own",
        ),
    ],
)
def test_token_counts_of_any_api_are_written(
    usage: Usage, counts: dict[str, int], lost: int
) -> None:
    """Under this API's names; what has no place is counted, a sum is not lost."""
    stream, left_out = write([Head("m", "x")], [usage], [Finish("stop")])
    assert stream[-2].payload["usage"] == {"output_tokens": 0} | counts
    assert left_out == ({"token count": lost} if lost else {})


def test_fields_beside_the_content_stand_where_they_came() -> None:
    """Before the message has begun in its start, later in `message_delta`."""
    details = Item("stop_details", {"type": "refusal"})
    managed = Item("context_management", {"applied_edits": []})
    early = Item("container", {"id": "c"})
    stream, left_out = write(
        [Head("m", "x"), early], [details, managed, Finish("stop")]
    )
    assert stream[0].payload["message"]["container"] == {"id": "c"}
    assert stream[1].payload["delta"]["stop_details"] == {"type": "refusal"}
    assert stream[1].payload["context_management"] == {"applied_edits": []}
    assert left_out == {}
