"""What recorded requests tell: where a conversation goes on, what tools returned."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import replay
from harness.apis.base import Conversation, Turn
from harness.cassettes.model import Exchange, Request, Response
from harness.core.parts import ToolCall
from harness.engine.conversation import (
    Answer,
    ToolResult,
    added_turns,
    continues,
    conversation_of,
    question_of,
    results_for,
)
from tests.engine.made import (
    asked,
    call,
    cassette,
    exchange,
    finish,
    result,
    sse,
    text,
    user,
)

HI, BYE = user("hi"), user("bye")


def requesting(body: bytes | None) -> Exchange:
    """Return an exchange with this request body."""
    return Exchange(0, Request("POST", "http://localhost", body=body), Response(200))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, None),
        (b"", None),
        (b"\xff", None),
        (b"[1]", None),
        (b"{}", None),
        (b'{"messages": "hi"}', None),
        (b'{"messages": []}', None),
        (b'{"messages": ["x", {"role": "user"}, null]}', [{"role": "user"}]),
    ],
)
def test_messages_are_read_from_whatever_a_request_carried(
    body: bytes | None, expected: Any
) -> None:
    """No list of messages gives None; odd entries are left out."""
    conversation = read(requesting(body), "chat")
    found = None if conversation is None else [t.own for t in conversation.turns]
    assert found == expected


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ([HI], [HI, BYE], True),
        ([HI], [HI], False),
        ([HI, BYE], [HI], False),
        ([HI], [BYE, HI], False),
        ([HI], [{**HI, "name": "x"}, BYE], False),
        (None, [HI], False),
        ([HI], None, False),
        (None, None, False),
    ],
)
def test_request_continues_one_whose_messages_it_begins_with(
    earlier: Any, later: Any, expected: bool
) -> None:
    """It must hold all of them and add to them; unknown requests continue nothing."""
    assert continues(carried(earlier), carried(later)) is expected


def carried(messages: list[Any] | None) -> Conversation | None:
    """Return the conversation of these chat messages."""
    if messages is None:
        return None
    return read(exchange(sse(), messages))


def read(one: Exchange, api: str = "") -> Conversation | None:
    """Return what the request of an exchange carried."""
    return conversation_of(one.request, api)


def test_request_that_names_the_answer_before_continues_it() -> None:
    """Where a server keeps the turns, the id of its answer tells, not the messages."""
    later = Conversation((Turn("user", "more"),), previous_id="resp_1")
    assert continues(carried([HI]), later, Answer("resp_1"))
    assert not continues(carried([HI]), later, Answer("resp_2"))
    assert not continues(None, later)


def test_added_turns_are_those_of_the_next_request() -> None:
    """Other conversations may stand between; asking the same again ends it."""
    first = exchange(sse(), [HI])
    silent = requesting(b"{}")
    answer = [asked(("a", "f", "{}")), result("a", "1")]
    second = exchange(sse(), [HI, *answer])
    other = exchange(sse(), [BYE])

    def added(earlier: Exchange, *later: Exchange) -> list[Any]:
        return [turn.own for turn in added_turns(earlier, later, read=read)]

    assert added(first, second, other) == answer
    assert added(first, silent, second) == answer
    assert added(first, other, second) == answer
    assert added(first, exchange(sse(), [HI]), second) == []
    assert added(first, *[other] * 20, second) == []
    assert added(first) == []
    assert added(requesting(None), second) == []


def called(call_id: str, name: str = "f", arguments: str = '{"a": 1}') -> ToolCall:
    """Return a call of an answer."""
    call = ToolCall(0, 0, call_id)
    call.name = name
    call.add_arguments(arguments)
    return call


NOW = {"role": "system", "content": "It is 10:00."}
REPEATED = asked(("a", "f", '{"a":1}'))


@pytest.mark.parametrize(
    ("call", "later", "expected"),
    [
        (called("a"), [NOW, HI, REPEATED, result("a", "1")], True),
        (called("a"), [NOW, BYE, REPEATED, result("a", "1"), HI], True),
        (called("a"), [result("a", "1")], True),  # the server keeps the call
        (called(""), [NOW, HI, REPEATED, result("a", "1")], True),
        (called("b"), [NOW, HI, REPEATED, result("a", "1")], False),
        (called("a", "g"), [NOW, HI, REPEATED, result("a", "1")], False),
        (called("a", "f", "{}"), [NOW, HI, REPEATED, result("a", "1")], False),
        (called("b"), [result("a", "1")], False),
        (called(""), [result("", "1")], False),
        # A later step: another call stands between.
        (
            called("a"),
            [NOW, HI, REPEATED, result("a", "1"), asked(("b", "f", "{}"))],
            False,
        ),
    ],
)
def test_calls_are_found_where_the_beginning_was_written_anew(
    call: ToolCall, later: list[Any], expected: bool
) -> None:
    """A system message may change from step to step, and old turns may go."""
    first = exchange(sse(), [{**NOW, "content": "It is 9:00."}, HI])
    request = exchange(sse(), later)
    found = added_turns(first, [request], answer=Answer(calls=[call]), read=read)
    assert bool(found) is expected
    assert continues(carried([HI]), carried(later), Answer(calls=[call])) is expected
    if expected:
        assert [r.text if r else None for r in results_for([call], found)] == ["1"]


def results(
    calls: list[tuple[str, str, str]], *turns: dict[str, Any]
) -> list[ToolResult | None]:
    """Return the result of each call, given as id, name and arguments."""
    made = []
    for position, (call_id, name, arguments) in enumerate(calls):
        call = ToolCall(position, position, call_id)
        call.name = name
        call.add_arguments(arguments)
        made.append(call)
    conversation = carried(list(turns))
    return results_for(made, conversation.turns if conversation else ())


def texts(ids: list[str], *turns: dict[str, Any]) -> list[str | None]:
    """Return the text of each call's result, for calls without names."""
    found = results([(call_id, "", "{}") for call_id in ids], *turns)
    return [None if result is None else result.text for result in found]


def test_rewritten_ids_are_followed_through_the_assistant_turn() -> None:
    """The next request's own turn says which result belongs to which arguments."""
    calls = [("1", "f", '{"p": "a"}'), ("2", "f", '{"p": "b"}')]
    turn = asked(("x", "f", '{"p":"a"}'), ("y", "f", '{"p": "b"}'))
    other = asked(("y", "f", '{"p": "b"}'), ("x", "f", '{"p": "a"}'))
    for asking in (turn, other):  # in the order of the calls, or not
        found = results(calls, asking, result("y", "B"), result("x", "A"))
        assert [one and (one.text, one.is_guessed) for one in found] == [
            ("A", False),
            ("B", False),
        ]


def test_result_that_only_its_position_tells_is_marked() -> None:
    """Two calls and results that share no id: the order is a guess."""
    found = results(
        [("1", "f", "{}"), ("2", "g", "{}")], result("x", "A"), result("y", "B")
    )
    assert [one and (one.text, one.is_guessed) for one in found] == [
        ("A", True),
        ("B", True),
    ]


def test_results_are_found_by_id() -> None:
    """Order does not matter, and turns that are no results are passed over."""
    turns = [user("x"), result("b", "B"), asked(), result("a", "A")]
    assert texts(["a", "b"], *turns) == ["A", "B"]
    assert texts(["a"], *turns) == ["A"]


def test_results_with_other_ids_are_found_by_position() -> None:
    """Where ids differ or are missing, the results stand in the calls' order."""
    turns = [result("x", "1"), result("y", "2")]
    assert texts(["a", "b"], *turns) == ["1", "2"]
    assert texts(["", ""], *turns) == ["1", "2"]


def test_results_with_repeated_ids_are_found_by_position() -> None:
    """An id that names two calls, or two results, decides nothing."""
    assert texts(["a", "a"], result("a", "1"), result("a", "2")) == ["1", "2"]
    assert texts(["a", "b"], result("a", "1"), result("a", "2")) == ["1", "2"]
    found = results([("a", "", "")], result("a", "1"), result("a", "2"))
    assert [one and one.is_guessed for one in found] == [True]


def test_ids_go_before_positions() -> None:
    """A result that belongs to a call by id is not given to another by position."""
    assert texts(["", "b"], result("b", "B"), result("z", "Z")) == ["Z", "B"]
    assert texts(["a", "b", "c"], result("c", "C"), result("q", "Q")) == [
        "Q",
        None,
        "C",
    ]


def test_missing_results_are_none() -> None:
    """A call whose result was not recorded gets nothing, not another's result."""
    assert texts(["a", "b"], result("b", "B")) == [None, "B"]
    assert texts(["a"]) == [None]
    assert texts([], result("a", "A")) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("  plain \n", "  plain \n"),
        ("", ""),
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        (["a", {"type": "image_url"}, "b", None], "ab"),
        ({"celsius": 21, "city": "Zürich"}, '{"celsius": 21, "city": "Zürich"}'),
        (21, "21"),
    ],
)
def test_content_of_any_shape_is_text(content: Any, expected: str) -> None:
    """Text is verbatim, text parts are joined, other JSON is shown as JSON."""
    assert texts(["a"], result("a", content)) == [expected]
    assert texts(["a"], result("a", content, role="function")) == [expected]


@pytest.mark.parametrize(
    ("content", "is_error"),
    [
        ('{"status": "Failed"}', True),
        ('{"status": "Failed", "message": "x", "time": 1}', True),
        ('{"error": "boom"}', True),
        ('\n {"error": {"code": 1}}', True),
        ('{"error": false}', True),
        ('{"error": null}', False),
        ('{"status": "OK", "message": "Failed"}', False),
        ('{"status": "failed"}', False),
        ('{"result": {"error": "x"}}', False),
        ('["error"]', False),
        ('"error"', False),
        ('{"error": ', False),
        ("Error: no", False),
        ("", False),
        ('{"a":' * 100_000, False),
    ],
)
def test_error_is_a_failed_status_or_an_error_marker(
    content: str, is_error: bool
) -> None:
    """Only a JSON object says that it failed; text that mentions an error does not."""
    assert ToolResult(content).is_error is is_error


def test_results_hold_across_json_and_back() -> None:
    """What a request carried as escapes is the text that a tool returned."""
    sent = json.loads(json.dumps(result("a", '21°\u2028 "x"')))
    assert texts(["a"], sent) == ['21°\u2028 "x"']


IMAGE = {"type": "image", "source": {"type": "base64", "data": "aaaa"}}
RESULTS: dict[str, Any] = {
    "chat": {
        "role": "tool",
        "tool_call_id": "a",
        "content": [{"type": "text", "text": "21"}, IMAGE, {"type": "text"}],
    },
    "anthropic": {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "a",
                "content": [{"type": "text", "text": "21"}, IMAGE, {"type": "text"}],
            }
        ],
    },
    "gemini": {
        "role": "user",
        "parts": [
            {
                "functionResponse": {
                    "name": "f",
                    "response": {"output": "21"},
                    "parts": [{"inlineData": {"data": "aaaa"}}, {"fileData": {}}],
                }
            }
        ],
    },
    "ollama": {"role": "tool", "tool_name": "f", "content": "21", "images": ["a", "b"]},
}
BESIDE = {
    "chat": ("image", "text"),
    "anthropic": ("image", "text"),
    "gemini": ("inlineData", "fileData"),
    "ollama": ("image", "image"),
}


@pytest.mark.parametrize("api", RESULTS)
def test_parts_of_a_result_that_are_no_text_are_named(api: str) -> None:
    """Beside its text, and in what a request asks."""
    field = "contents" if api == "gemini" else "messages"
    body = json.dumps({field: [RESULTS[api]]}).encode()
    request = requesting(body).request
    conversation = conversation_of(request, api)
    assert conversation is not None
    [output] = conversation.turns[0].outputs
    assert (output.text, output.beside) == ("21", BESIDE[api])
    shown = " ".join(f"[{kind}]" for kind in BESIDE[api])
    assert question_of(request, api).endswith(f": 21 {shown}")


def test_parts_of_a_result_that_no_message_carries_are_reported() -> None:
    """An interface is told the text alone."""
    first = exchange(
        sse(call("{}", name="f", call_id="a"), finish("tool_calls")),
        [HI],
    )
    again = [HI, asked(("a", "f", "{}")), RESULTS["chat"]]
    made = cassette(first, exchange(sse(text("done"), finish()), again))
    found = [d for d in replay(made, "queuing").diagnostics if "result" in d.text]
    assert [one.kind for one in found] == ["not-emitted"]
    assert "the result of f (a) holds more than its text: image, text;" in found[0].text
